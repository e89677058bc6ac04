package check

import (
	"math"
	"slices"
	"strings"
	"testing"

	"stopgrad/trainingcheck/engine"
)

// TestTheReducedFormKeepsTheTotalDecay: and halves the images, and refuses what it is not for.
func TestTheReducedFormKeepsTheTotalDecay(t *testing.T) {
	s, err := ImagesConv.On(colour(80), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if b := s.Base; math.Abs(b.TotalDecay()/paperDecay-1) > 1e-12 || math.Abs(b.TargetHorizon()/miniHorizon-1) > 1e-12 || b.Steps != imagesSteps || b.Net.Rows != 16 || b.Net.Columns != 16 {
		t.Errorf("%+v, ηt = %g", b, b.TotalDecay())
	}
	if !s.Data.Half || s.Data.Train.H != 16 {
		t.Errorf("images of %d pixels", s.Data.Train.H)
	}
	again, err := ImagesConv.On(s.Data, Options{})
	if err != nil || again.Data.Train.H != 16 {
		t.Errorf("halved twice: %v", err)
	}
	if _, err := ImagesConv.On(colour(8), Options{Epochs: 2}); err == nil || !strings.Contains(err.Error(), "not for images/G-A") {
		t.Errorf("a length: %v", err)
	}
}

// TestChecksOfTheReducedFormAreComplete: each has a defect that its gate refuses on outcomes made up for the purpose, and says
// how it differs where it bears on the paper's experiments.
func TestChecksOfTheReducedFormAreComplete(t *testing.T) {
	for _, c := range Of(ImagesConv) {
		quoted := slices.ContainsFunc(c.Claims, func(id string) bool { return strings.HasPrefix(id, "emp-") })
		if len(c.Defects) == 0 || quoted != (c.Differs != "") || quoted && !strings.Contains(c.Differs, "16 pixels") {
			t.Errorf("%s: claims %v, differs %q", c.ID, c.Claims, c.Differs)
		}
	}
	for id, better := range map[string]Arm{"T3.ema": BYOL, "T3.probe": DirectPred} {
		c, err := Find(id)
		if err != nil {
			t.Fatal(err)
		}
		judge := func(gain float64) bool {
			return c.Judge(ImagesConv, invented(c, 5, func(a Arm, seed int) map[string]float64 {
				v := .5 + .01*float64(seed)
				if a == better {
					v += gain * (1 + .01*float64(seed))
				}
				return map[string]float64{"er": v, "lin": v}
			})).Pass
		}
		if !judge(.1) || judge(0) || judge(-.1) {
			t.Errorf("%s: %t with a gain, %t without, %t with a loss", id, judge(.1), judge(0), judge(-.1))
		}
	}
}

// TestTheReducedFormTrains: a few steps on images of the right shape.
func TestTheReducedFormTrains(t *testing.T) {
	s, err := ImagesConv.On(colour(80), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Base.Steps, s.Base.Batch = 2, 8
	l := NewLabIn(s, engine.CPU, []uint64{1}, 1)
	runs, err := l.Runs(t.Context(), DirectCopy)
	if err != nil {
		t.Fatal(err)
	}
	if o := runs[DirectCopy][0]; math.IsNaN(o.Final["lin"]) || math.IsNaN(o.Identity) {
		t.Errorf("%+v", o.Final)
	}
}
