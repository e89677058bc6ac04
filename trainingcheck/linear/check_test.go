package linear

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// skipLong skips a test of some hundred thousand steps of SGD.
func skipLong(t *testing.T) {
	t.Helper()
	if testing.Short() || raceDetector {
		t.Skip("some hundred thousand steps of SGD: not with -short or -race")
	}
}

// TestGatesHold makes every check with one seed. Of 20 seeds tried (100 to 119)
// every one passed every gate.
func TestGatesHold(t *testing.T) {
	skipLong(t)
	for _, c := range Checks() {
		t.Run(c.ID, func(t *testing.T) {
			r, err := c.Run(t.Context(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Pass {
				t.Error("the gate does not hold")
			}
			gated := 0
			for _, m := range r.Measurements {
				t.Log(m)
				if m.Gated() {
					gated++
				}
			}
			if gated == 0 || r.Runs == 0 || r.Steps == 0 || r.Gate == "" || len(r.Claims) == 0 {
				t.Errorf("%d gated measurements, %d runs, %d steps", gated, r.Runs, r.Steps)
			}
		})
	}
}

// TestEveryGateFailsOnItsBrokenVariants is what makes the gates gates.
func TestEveryGateFailsOnItsBrokenVariants(t *testing.T) {
	skipLong(t)
	for _, c := range Checks() {
		if len(c.Defects) < 2 {
			t.Errorf("%s has %d broken variants", c.ID, len(c.Defects))
		}
		for _, d := range c.Defects {
			t.Run(c.ID+"/"+string(d), func(t *testing.T) {
				r, err := c.Run(t.Context(), Options{Defect: d, FailFast: true})
				if err != nil {
					t.Fatal(err)
				}
				if r.Pass {
					t.Error("the gate holds for the broken variant too")
				}
				if m := r.Measurements[len(r.Measurements)-1]; !m.Pass || len(r.Measurements) > 1 {
					t.Log(m)
				}
			})
		}
	}
}

func TestResultsDoNotDependOnTheWorkers(t *testing.T) {
	c, err := Find("T1.balance")
	if err != nil {
		t.Fatal(err)
	}
	var want Result
	for i, o := range []Options{
		{Seeds: []uint64{3, 8}, Workers: 1},
		{Seeds: []uint64{3, 8}, Workers: 2},
		{Seeds: []uint64{3, 8}, Workers: 17},
		{Seeds: []uint64{3, 8}, FailFast: true},
	} {
		r, err := c.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		r.Seconds = 0
		if i == 0 {
			want = r
		} else if !reflect.DeepEqual(r, want) {
			t.Errorf("%+v: %+v, want %+v", o, r, want)
		}
	}
	other, err := c.Run(t.Context(), Options{Seeds: []uint64{4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	if last := len(want.Measurements) - 1; other.Measurements[last].Measured == want.Measurements[last].Measured {
		t.Error("another seed gives the same number")
	}
}

func TestProgressCountsEveryRun(t *testing.T) {
	c, err := Find("T1.balance")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	r, err := c.Run(t.Context(), Options{Seeds: []uint64{1, 2}, Progress: func(done, total int) {
		calls++
		if done != calls || total != 12 {
			t.Errorf("call %d: %d of %d", calls, done, total)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if calls != r.Runs {
		t.Errorf("%d calls for %d runs", calls, r.Runs)
	}
}

func TestChecksEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs := 0
	for _, c := range Checks() {
		_, err := c.Run(ctx, Options{Workers: 1, Progress: func(int, int) { runs++; cancel() }})
		if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "linear: "+c.ID) {
			t.Errorf("%s: error %v", c.ID, err)
		}
	}
	if runs != 1 {
		t.Errorf("%d runs were made after the end", runs-1)
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	if _, err := Find("T1.nothing"); err == nil || !strings.Contains(err.Error(), "T1.fixed, T1.collapse") {
		t.Errorf("error %v", err)
	}
	if _, err := balance.Run(t.Context(), Options{Defect: UnitTau}); err == nil || !strings.Contains(err.Error(), `no variant "τ fixed at 1"`) {
		t.Errorf("error %v", err)
	}
}

func TestResultsSurviveJSON(t *testing.T) {
	want := Result{ID: "x", Claims: []string{"a"}, Defect: NoDecay, Seeds: []uint64{1}, Pass: true,
		Measurements: []Measurement{{Name: "m", Measured: 0.1, SD: Number(math.NaN()), Theory: 1. / 3, Low: Number(math.Inf(-1)), High: Number(math.Inf(1)), Pass: true}}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Result
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	m := got.Measurements[0]
	if !math.IsNaN(float64(m.SD)) || m.Measured != 0.1 || m.Theory != 1./3 || m.Low != Number(math.Inf(-1)) || m.High != Number(math.Inf(1)) || got.Defect != NoDecay {
		t.Errorf("%s became %+v", b, got)
	}
	var n Number
	if json.Unmarshal([]byte(`"many"`), &n) == nil || json.Unmarshal([]byte(`[]`), &n) == nil {
		t.Error("a number was read from something else")
	}
}

// TestMeasurementsNeedTheirLimits: not-a-number fails even where there is no limit.
func TestMeasurementsNeedTheirLimits(t *testing.T) {
	l := &lab{}
	nan := math.NaN()
	l.record("inside", []float64{1, 3}, nan, 1.9, 2.1)
	l.record("below", []float64{1}, nan, 1.1, 2)
	l.record("above", []float64{3}, nan, 1, 2)
	l.record("not a number", []float64{1, nan}, nan, math.Inf(-1), math.Inf(1))
	l.total("equal", 3, 3)
	l.total("unequal", 3, 4)
	for i, want := range []bool{true, false, false, false, true, false} {
		if m := l.measured[i]; m.Pass != want {
			t.Errorf("%s: pass %v", m.Name, m.Pass)
		} else if (strings.HasPrefix(m.String(), "FAIL")) == want {
			t.Errorf("%s", m)
		}
	}
	if m := l.measured[0]; m.Measured != 2 || math.Abs(float64(m.SD)-math.Sqrt2) > 1e-15 {
		t.Errorf("mean %g, deviation %g", float64(m.Measured), float64(m.SD))
	}
}
