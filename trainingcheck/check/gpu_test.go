package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// digits is the setting of a miniature, its runs cut to some steps and its looks to some images.
func digits(t *testing.T, tier Tier, steps int) *Setting {
	t.Helper()
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	s, err := tier.On(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Base.Steps = steps
	s.Data.EvalTrain, s.Data.EvalTest = 40, 40
	return s
}

func trainIn(t *testing.T, ctx context.Context, s *Setting, a Arm, w *Watch) (*Outcome, error) {
	t.Helper()
	e, err := engine.Open(engine.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return Train(ctx, e, s.Data, a, s.Base, 3, 0, w)
}

// colour is a data set of n coloured images like those of CIFAR-10.
func colour(n int) *data.Dataset {
	set := func(n int) *data.Set {
		s := &data.Set{H: 32, W: 32, C: 3, White: 255, Classes: []string{"a", "b"}, Labels: make([]int, n), Pixels: make([]uint8, n*3072)}
		for i := range s.Pixels {
			s.Pixels[i] = uint8(i * i % 251)
		}
		for i := range s.Labels {
			s.Labels[i] = i % 2
		}
		return s
	}
	d := &data.Dataset{Spec: "folder:somewhere/cifar.tar.gz", Train: set(n), Test: set(n / 2), TrainViews: 1, TestViews: 1}
	mean, std := data.ChannelMoments(d.Train)
	d.Augment, d.EvalAugment = data.CIFARAugmentation(mean, std), data.ColourAugmentation{Mean: mean, Std: std}
	return d
}

// TestTiersKeepThePapersTotals: total decay and averaging times do not depend on the length of the runs.
func TestTiersKeepThePapersTotals(t *testing.T) {
	paper := method.CIFAR()
	if x := paper.TotalDecay(); math.Abs(x-paperDecay) > 0.03 {
		t.Errorf("the paper's total decay is %g, the tiers have %g", x, paperDecay)
	}
	if x := paper.TargetHorizon(); math.Abs(x-paperHorizon) > 1e-9*x {
		t.Errorf("the paper's average has %g times, the tiers %d", x, paperHorizon)
	}
	for _, c := range []struct {
		tier  Tier
		o     Options
		steps int
	}{
		{GPUConv, Options{}, 3125}, {GPUConv, Options{Epochs: 2}, 781}, {GPUResNet, Options{}, 11718}, {GPUResNet, Options{Precision: method.BFloat16}, 11718},
	} {
		b := c.tier.base(shape{50000, 32, 32, 3}, c.o)
		if err := b.Validate(); err != nil {
			t.Fatal(err)
		}
		if b.Steps != c.steps || math.Abs(b.TotalDecay()/paperDecay-1) > 1e-12 || math.Abs(b.TargetHorizon()/paperHorizon-1) > 1e-12 {
			t.Errorf("%s %+v: %d steps, ηt = %g, (1−m)·steps = %g", c.tier, c.o, b.Steps, b.TotalDecay(), b.TargetHorizon())
		}
		if c.o.Precision != "" && b.Precision != c.o.Precision {
			t.Errorf("%s is in %s", c.tier, b.Precision)
		}
	}
	// What the plan of the study states to two digits.
	if b := GPUResNet.base(shape{50000, 32, 32, 3}, Options{}); math.Abs(b.Optimizer.WeightDecay-1.3e-3) > 5e-5 || math.Abs(b.Target.Momentum-.987) > 5e-4 {
		t.Errorf("wd %g, m %g", b.Optimizer.WeightDecay, b.Target.Momentum)
	}
	if b := GPULaws.base(shape{50000, 32, 32, 3}, Options{Precision: method.BFloat16, Epochs: 3}); b.Precision != method.Float32 || b.Optimizer.Momentum != 0 || b.Steps != 300 {
		t.Errorf("the laws are held against %+v", b)
	}
}

func TestTiersRefuseWhatTheyAreNotFor(t *testing.T) {
	mnist, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tier Tier
		d    *data.Dataset
		o    Options
		want string
	}{
		{GPUConv, mnist, Options{}, "not on digits"},
		{MiniConv, colour(8), Options{}, "trains on the digits"},
		{Mini, colour(8), Options{}, "trains on the digits"},
		{Mini, mnist, Options{Epochs: 3}, "not for mini"},
		{"gpu/G-Z", colour(8), Options{}, "unknown tier"},
		{GPUConv, colour(8), Options{Precision: "float8"}, "precision"},
	} {
		if _, err := c.tier.On(c.d, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: %v", c.tier, c.o, err)
		}
	}
}

// TestColourImagesGoThroughTheTier trains every group on images of the right shape, with few channels and steps.
func TestColourImagesGoThroughTheTier(t *testing.T) {
	for tier, arms := range map[Tier][]Arm{GPUConv: {DirectPred}, GPUResNet: {BYOLTwoLayer}, GPULaws: {Euclidean}} {
		s, err := tier.On(colour(24), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Base.Net.Base, s.Base.Net.Projector, s.Base.Net.Out, s.Base.Steps, s.Base.Batch = 2, []int{8}, 4, 2, 4
		for _, a := range arms {
			o, err := trainIn(t, t.Context(), s, a, &Watch{AtLooks: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Series) < 2 || math.IsNaN(o.Final["er"]) || math.IsNaN(o.Final["lin"]) {
				t.Errorf("%s: %+v", tier, o)
			}
		}
	}
}

// TestLawsOfPlainSGDFailOnTheirBrokenVariants: the checks of G-C hold on short runs and refuse their defects.
func TestLawsOfPlainSGDFailOnTheirBrokenVariants(t *testing.T) {
	s := digits(t, MiniLaws, 60)
	l := NewLabIn(s, engine.CPU, []uint64{1}, 0)
	for _, c := range Of(MiniLaws) {
		r, err := l.Check(t.Context(), c, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Measurements {
			t.Log(c.ID, m)
		}
		if !r.Pass {
			t.Errorf("%s does not hold", c.ID)
		}
		for _, d := range c.Defects {
			if r, err := l.Check(t.Context(), c, d.Name); err != nil || r.Pass {
				t.Errorf("%s with %s: pass %t, %v", c.ID, d.Name, r.Pass, err)
			}
		}
	}
}

// TestPermutedEigenvectorsAreSeenAtTheLooks: the identity is held at the looks alone, and fails there.
func TestPermutedEigenvectorsAreSeenAtTheLooks(t *testing.T) {
	s := digits(t, MiniConv, 4)
	l := NewLabIn(s, engine.CPU, []uint64{1}, 0)
	c, err := Find("T3.dpid")
	if err != nil {
		t.Fatal(err)
	}
	for defect, want := range map[string]bool{"": true, c.Defects[0].Name: false} {
		if r, err := l.Check(t.Context(), c, defect); err != nil || r.Pass != want {
			t.Errorf("%q: pass %t, %v", defect, r.Pass, err)
		}
	}
}

// invented are outcomes on some seeds whose measures are given by arm.
func invented(c Check, seeds int, measure func(a Arm, seed int) map[string]float64) map[Arm][]*Outcome {
	runs := map[Arm][]*Outcome{}
	for _, a := range c.Arms {
		for seed := range seeds {
			m := measure(a, seed)
			start, middle, end := make([]float64, len(Columns)), make([]float64, len(Columns)), make([]float64, len(Columns))
			for i, col := range Columns {
				start[i], middle[i], end[i] = m[col+" start"], m[col+" middle"], m[col]
			}
			runs[a] = append(runs[a], &Outcome{Arm: a, Seed: uint64(seed), Config: method.Config{Steps: 10}, Final: m,
				Series: []method.Record{{Step: 0, Values: start}, {Step: 6, Values: middle}, {Step: 10, Values: end}}, Decay: []float64{0, 3, 5}, Identity: m["identity"]})
		}
	}
	return runs
}

// TestPairedGatesWantSignSizeAndSeeds: on outcomes made up for the purpose, as no run is needed to see that a gate can
// fail. Each check with a paired ordering holds when the ordering does, and fails with the two sides exchanged, equal,
// within two standard errors, or on four seeds.
func TestPairedGatesWantSignSizeAndSeeds(t *testing.T) {
	better := map[string][]Arm{ // the worse arms, by check
		"T3.wd": {NoDecay}, "T3.sym": {SimSiamSymmetric}, "T3.eps-rho": {DirectPredBigEps, DirectPredNoEps}, "T3.direct": {BYOL}, "T3.recipe": {BYOL}, "T3.wd-align": {BYOL},
	}
	for _, c := range GPUChecks("") {
		worse, ok := better[c.ID]
		if !ok {
			continue
		}
		delete(better, c.ID)
		judge := func(seeds int, by func(seed int) float64) bool {
			return c.Judge(GPUConv, invented(c, seeds, func(a Arm, seed int) map[string]float64 {
				x := .5
				if slices.Contains(worse, a) {
					x -= by(seed)
				}
				return map[string]float64{"lin": x, "er": 10 * x, "asym": x, "knn": x}
			})).Pass
		}
		steady := func(seed int) float64 { return .1 + .01*float64(seed) }
		if !judge(5, steady) {
			t.Errorf("%s refuses an ordering that holds", c.ID)
		}
		for name, held := range map[string]bool{
			"exchanged":     judge(5, func(seed int) float64 { return -steady(seed) }),
			"equal":         judge(5, func(int) float64 { return 0 }),
			"one exception": judge(5, func(seed int) float64 { return []float64{.1, .1, -.001, .1, .1}[seed] }),
			"noise":         judge(5, func(seed int) float64 { return []float64{.001, .001, .001, .001, .3}[seed] }),
			"four seeds":    judge(4, steady),
		} {
			if held {
				t.Errorf("%s holds: %s", c.ID, name)
			}
		}
	}
	if len(better) > 0 {
		t.Errorf("no such checks: %v", better)
	}
}

// TestEveryGateOfTheGPUCanFail: on outcomes made up as the check wants them, and on the same ones spoilt.
func TestEveryGateOfTheGPUCanFail(t *testing.T) {
	good := map[string]float64{"asym start": 1.4, "asym middle": .4, "asym": .2, "cos_top8 start": 0, "cos_top8": .9, "comm": .1, "identity": 1e-8}
	for _, c := range GPUChecks("") {
		var spoil []map[string]float64
		well := map[string]float64{}
		for k, v := range good {
			well[k] = v
		}
		switch c.ID {
		case "T3.align", "T3.recipe-align":
			spoil = []map[string]float64{{"asym": .6}, {"asym middle": .1}, {"cos_top8": -.1}, {"asym": math.NaN()}}
		case "T3.dpid", "T3.recipe-dpid":
			spoil = []map[string]float64{{"identity": 1e-3}, {"identity": math.NaN()}}
		case "T3.collapse":
			well["zstd"], well["er"] = .01, 1.01
			spoil = []map[string]float64{{"zstd": .3}, {"er": 1.3}}
		case "T3.alive":
			well["zstd"], well["er"] = .9, 5
			spoil = []map[string]float64{{"zstd": .3}, {"er": 1.3}}
		default:
			continue
		}
		judge := func(change map[string]float64) bool {
			return c.Judge(GPUConv, invented(c, 5, func(_ Arm, seed int) map[string]float64 {
				m := map[string]float64{}
				for k, v := range well {
					m[k] = v
				}
				if seed >= 3 { // of five seeds one may miss by chance, two not
					for k, v := range change {
						m[k] = v
					}
				}
				return m
			})).Pass
		}
		if !judge(nil) {
			t.Errorf("%s refuses what it asks for", c.ID)
		}
		for _, change := range spoil {
			if judge(change) {
				t.Errorf("%s holds with %v", c.ID, change)
			}
		}
	}
}

// TestChecksOfTheGPUAreComplete: each names a claim, its arms are trained, and it has a defect; one that bears on the
// paper's experiments says how it differs.
func TestChecksOfTheGPUAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range GPUChecks("") {
		if seen[c.ID] || !strings.HasPrefix(c.ID, "T3.") || len(c.Claims) == 0 || len(c.Defects) == 0 || c.Gate == "" {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
		quoted := slices.ContainsFunc(c.Claims, func(id string) bool { return strings.HasPrefix(id, "emp-") })
		if quoted != (c.Differs != "") {
			t.Errorf("%s: claims %v, differs %q", c.ID, c.Claims, c.Differs)
		}
	}
}

// TestWatchingABatchChangesNoBit: steps whose batch is seen on the way, and steps of the trainer's own stepper.
func TestWatchingABatchChangesNoBit(t *testing.T) {
	s := digits(t, MiniConv, 12)
	for _, a := range []Arm{BYOL, DirectPred} {
		var losses [2][]float64
		var outcomes [2]*Outcome
		for i, w := range []*Watch{
			{AtLooks: true},
			{AtLooks: true, Before: func(*method.Trainer, int, method.Batch) error { return nil }},
		} {
			steps := 0
			w.Look = func(_ *method.Trainer, _ int, loss, _ float64, _ *Look) error {
				losses[i] = append(losses[i], loss)
				return nil
			}
			w.Progress = func(step, of int) {
				if steps++; step != steps || of != s.Base.Steps {
					t.Errorf("progress %d of %d at call %d", step, of, steps)
				}
			}
			var err error
			if outcomes[i], err = trainIn(t, t.Context(), s, a, w); err != nil {
				t.Fatal(err)
			}
			if steps != s.Base.Steps {
				t.Errorf("%d calls of progress", steps)
			}
		}
		if err := same(outcomes[0], outcomes[1]); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if len(losses[0]) != 13 || !slices.EqualFunc(losses[0], losses[1], equal) {
			t.Errorf("%s: losses %v and %v", a, losses[0], losses[1])
		}
	}
}

// same tells how two outcomes differ; NaN equals NaN.
func same(a, b *Outcome) error {
	if len(a.Series) != len(b.Series) || !equal(a.Identity, b.Identity) || !equal(a.Replay, b.Replay) || !equal(a.Discrete, b.Discrete) {
		return fmt.Errorf("%d and %d records, identity %g and %g", len(a.Series), len(b.Series), a.Identity, b.Identity)
	}
	for i := range a.Series {
		if a.Series[i].Step != b.Series[i].Step || !slices.EqualFunc(a.Series[i].Values, b.Series[i].Values, equal) {
			return fmt.Errorf("records %v and %v", a.Series[i], b.Series[i])
		}
	}
	for k, v := range a.Final {
		if !equal(v, b.Final[k]) {
			return fmt.Errorf("final %s: %g and %g", k, v, b.Final[k])
		}
	}
	return nil
}

func equal(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }

// TestAnInterruptedRunGoesOn: to the same bits, with what the watcher had noted, wherever it was cut, and without a file
// left in the end. Under another identity it is begun anew.
func TestAnInterruptedRunGoesOn(t *testing.T) {
	s := digits(t, MiniConv, 12)
	for _, a := range []Arm{BYOL, DirectPred} {
		type noted struct{ Looks []int }
		run := func(ctx context.Context, k *Keep, at int, cancel func()) (*Outcome, int, []int, error) {
			n := &noted{}
			if k != nil {
				k.Notes = n
			}
			made := 0
			w := &Watch{AtLooks: true, Keep: k,
				Only: func(step int) bool { return step == 5 }, After: func(*method.Trainer, int) error { return nil },
				Look: func(_ *method.Trainer, done int, _, _ float64, _ *Look) error {
					n.Looks = append(n.Looks, done)
					return nil
				},
				Progress: func(step, _ int) {
					if made++; step == at {
						cancel()
					}
				}}
			o, err := trainIn(t, ctx, s, a, w)
			return o, made, n.Looks, err
		}
		want, _, looks, err := run(t.Context(), nil, -1, nil)
		if err != nil {
			t.Fatal(err)
		}
		cuts := []int{8}
		if a == DirectPred {
			cuts = []int{3, 5}
		}
		for _, at := range cuts {
			k := &Keep{Dir: t.TempDir(), Name: "run", Identity: "a"}
			ctx, cancel := context.WithCancel(t.Context())
			if _, _, _, err := run(ctx, k, at, cancel); !errors.Is(err, context.Canceled) {
				t.Fatalf("cut at %d: %v", at, err)
			}
			got, made, seen, err := run(t.Context(), k, -1, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := same(want, got); err != nil {
				t.Errorf("%s cut at %d: %v", a, at, err)
			}
			if made != s.Base.Steps-at || !slices.Equal(seen, looks) {
				t.Errorf("%s cut at %d: %d steps more, looks %v of %v", a, at, made, seen, looks)
			}
			if left, _ := filepath.Glob(filepath.Join(k.Dir, "*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}
		if a == DirectPred {
			continue
		}
		k := &Keep{Dir: t.TempDir(), Name: "run", Identity: "a"}
		ctx, cancel := context.WithCancel(t.Context())
		if _, _, _, err := run(ctx, k, 4, cancel); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		k.Identity = "b"
		if _, made, _, err := run(t.Context(), k, -1, nil); err != nil || made != s.Base.Steps {
			t.Errorf("under another identity %d steps are made (%v)", made, err)
		}
		k.Identity = "c"
		if err := os.WriteFile(k.file(), []byte("nothing"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, made, _, err := run(t.Context(), k, -1, nil); err != nil || made != s.Base.Steps {
			t.Errorf("from a damaged file %d steps are made (%v)", made, err)
		}
	}
}
