package diagnose

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/dump"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// cloud are n×d draws around a direction: spread 0 is a collapse.
func cloud(r *rand.Rand, n, d int, spread float64) []float64 {
	v := make([]float64, n*d)
	for i := range v {
		v[i] = spread * r.NormFloat64()
		if i%d == 0 {
			v[i]++
		}
	}
	return v
}

// series are arrays along steps.
func series(spread float64, steps ...float64) map[string]*dump.Array {
	r := rand.New(rand.NewPCG(1, 2))
	const n, d = 64, 4
	a := map[string]*dump.Array{"step": {Shape: []int{len(steps)}, Data: steps}}
	for _, name := range []string{"z1", "z2"} {
		x := &dump.Array{Shape: []int{len(steps), n, d}}
		for range steps {
			x.Data = append(x.Data, cloud(r, n, d, spread)...)
		}
		a[name] = x
	}
	return a
}

func scalar(v float64) *dump.Array { return &dump.Array{Data: []float64{v}} }

func examine(t *testing.T, arrays map[string]*dump.Array, kind Kind) *Report {
	t.Helper()
	run, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: arrays}})
	if err != nil {
		t.Fatal(err)
	}
	return run.Examine(kind)
}

func TestCollapseIsSaidWhenItCanBe(t *testing.T) {
	for _, c := range []struct {
		name   string
		spread float64
		last   float64
		word   Word
		failed bool
	}{
		{"healthy", 1, 3000, Word(metric.Alive), false},
		{"collapsed", .05, 3000, Word(metric.Collapsed), true},
		{"partly collapsed", .3, 3000, Word(metric.PartlyCollapsed), true},
		{"healthy and too short", 1, 300, Early, false},
		{"near collapse and too short", .05, 300, Early, false},
		{"deeply collapsed", .01, 300, Word(metric.Collapsed), true},
	} {
		a := series(c.spread, 0, c.last)
		a["lr"], a["wd"], a["momentum"] = scalar(.01), scalar(.2), scalar(0) // ηt = 3 after 1500 steps
		r := examine(t, a, Auto)
		if f := r.Findings[0]; f.Word != c.word || r.Failed() != c.failed || r.Early() != (c.word == Early) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	a := series(1, 0, 10)
	delete(a, "step")
	if r := examine(t, a, Auto); r.Findings[0].Word != Early || len(r.Notes) != 1 {
		t.Errorf("without steps: %+v", r)
	}
	a = series(1, 0, 3000)
	a["z2"] = a["z1"]
	if r := examine(t, a, Auto); !r.Failed() || !strings.Contains(r.Findings[0].Detail, "identical") {
		t.Errorf("identical views: %+v", r.Findings[0])
	}
}

func TestAFailedRankDoesNotDependOnTheGramMatrixTaken(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, shape := range [][2]int{{5, 9}, {9, 5}} {
		z := mat.NewDense(shape[0], shape[1], cloud(r, shape[0], shape[1], 1))
		want := metric.EffectiveRank(z)
		if a, b := rank(z, false), rank(z, true); math.Abs(a-want.Uncentred) > 1e-9 || math.Abs(b-want.Centred) > 1e-9 {
			t.Errorf("%v: %g and %g, want %+v", shape, a, b, want)
		}
	}
}

// TestDirectPredsRule: W_p made by the rule is recognised with its ε, scaled, and one with permuted eigenvectors is not.
func TestDirectPredsRule(t *testing.T) {
	f := mat.NewDense(3, 3, []float64{2, .3, .1, .3, 1, .2, .1, .2, .5})
	w, err := method.Direct{Formula: method.Code, Epsilon: .1}.Predictor(method.DirectPred, f)
	if err != nil {
		t.Fatal(err)
	}
	w.Scale(3, w)
	arrays := func(w *mat.Dense) map[string]*dump.Array {
		return map[string]*dump.Array{"step": scalar(2000), "Wp": {Shape: []int{3, 3}, Data: w.RawMatrix().Data}, "Fhat": {Shape: []int{3, 3}, Data: f.RawMatrix().Data}}
	}
	r := examine(t, arrays(w), DirectPred)
	if g := r.Findings[3]; g.Word != Holds || !strings.Contains(g.Detail, "directpred, formula code, ε = 0.1") {
		t.Errorf("%+v", g)
	}
	wrong := mat.DenseCopyOf(w)
	wrong.Set(0, 0, w.At(1, 1))
	wrong.Set(1, 1, w.At(0, 0))
	r = examine(t, arrays(wrong), DirectPred)
	if g := r.Findings[3]; g.Word != Fails || !r.Failed() {
		t.Errorf("%+v", g)
	}
	if g := examine(t, arrays(wrong), Auto).Findings[3]; g.Word != Neither || g.Gate {
		t.Errorf("a trained predictor: %+v", g)
	}
}

// steps of plain SGD on ½‖W_p·W·x − y‖² with decay: the law of the step holds to rounding, the flow's to first order.
func balanced(lr, wd, wdp float64, every int) map[string]*dump.Array {
	r := rand.New(rand.NewPCG(5, 6))
	const d, k, total = 3, 5, 400
	random := func(n, m int, s float64) *mat.Dense {
		x := mat.NewDense(n, m, nil)
		x.Apply(func(_, _ int, _ float64) float64 { return s * r.NormFloat64() }, x)
		return x
	}
	w, wp := random(d, k, .5), random(d, d, .5)
	a := map[string]*dump.Array{"step": {Shape: []int{0}}, "W": {Shape: []int{0, d, k}}, "Wp": {Shape: []int{0, d, d}}, "lr": scalar(lr), "wd": scalar(wd), "momentum": scalar(0)}
	for step := 0; step <= total; step++ {
		if step%every == 0 {
			for name, v := range map[string][]float64{"step": {float64(step)}, "W": mat.DenseCopyOf(w).RawMatrix().Data, "Wp": mat.DenseCopyOf(wp).RawMatrix().Data} {
				a[name].Shape[0]++
				a[name].Data = append(a[name].Data, v...)
			}
		}
		x, y := random(k, 16, 1), random(d, 16, .3)
		var f, e, g, back mat.Dense
		f.Mul(w, x)
		e.Mul(wp, &f)
		e.Sub(&e, y)
		g.Mul(&e, f.T())
		g.Scale(1./16, &g)
		back.Mul(wp.T(), &e)
		var gw mat.Dense
		gw.Mul(&back, x.T())
		gw.Scale(1./16, &gw)
		w.Scale(1-lr*wd, w)
		wp.Scale(1-lr*wdp, wp)
		gw.Scale(lr, &gw)
		g.Scale(lr, &g)
		w.Sub(w, &gw)
		wp.Sub(wp, &g)
	}
	return a
}

func TestBalanceFollowsTheStepOrTheFlow(t *testing.T) {
	for _, c := range []struct {
		name    string
		wdp     float64
		every   int
		word    Word
		limited string
	}{
		{"every step", .1, 1, Holds, "discrete step"},
		{"every hundredth", .1, 100, Holds, "law of the flow"},
		{"every step, unequal decay", .2, 1, Fails, "discrete step"},
		{"every hundredth, unequal decay", .2, 100, Fails, "law of the flow"},
	} {
		f := examine(t, balanced(.02, .1, c.wdp, c.every), Auto).Findings[2]
		if f.Word != c.word || !strings.Contains(f.Limit, c.limited) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	a := balanced(.02, .1, .1, 100)
	a["momentum"] = scalar(.9)
	if f := examine(t, a, Auto).Findings[2]; f.Word != Unfit {
		t.Errorf("with momentum: %+v", f)
	}
	delete(a, "momentum")
	if f := examine(t, a, Auto).Findings[2]; f.Word != Neither {
		t.Errorf("without settings: %+v", f)
	}
}

func eye(n int, scale float64) *dump.Array {
	a := &dump.Array{Shape: []int{n, n}, Data: make([]float64, n*n)}
	for i := range n {
		a.Data[i*n+i] = scale
	}
	return a
}

// TestNamesOfOtherLibraries: state dictionaries of solo-learn and lightly, a file a step, a predictor of several layers.
func TestNamesOfOtherLibraries(t *testing.T) {
	solo := func(tau float64) map[string]*dump.Array {
		return map[string]*dump.Array{"predictor.weight": eye(4, .5), "projector.0.weight": eye(9, 1), "projector.3.weight": eye(4, 1), "projector.3.bias": {Shape: []int{4}, Data: make([]float64, 4)},
			"momentum_projector.3.weight": eye(4, tau), "encoder.conv1.weight": {Shape: []int{1, 1, 1, 1}, Data: []float64{1}}}
	}
	run, err := Assemble([]*dump.File{{Name: "solo-900.safetensors", Arrays: solo(1)}, {Name: "solo-100.safetensors", Arrays: solo(.5)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Frames) != 2 || run.Frames[0].Step != 100 || run.Frames[1].Step != 900 || run.Frames[0].B == nil {
		t.Errorf("frames %+v", run.Frames)
	}
	r := run.Examine(Auto)
	if r.Points[0].Tau != .5 || r.Points[1].Tau != 1 || r.Findings[4].Word != CaughtUp || r.Predictor != LinearKind {
		t.Errorf("%+v", r)
	}
	lightly := map[string]*dump.Array{"z0": {Shape: []int{2, 4}, Data: []float64{1, 0, 0, 0, 0, 1, 0, 0}}, "z1": {Shape: []int{2, 4}, Data: []float64{1, 0, 0, 0, 0, 0, 1, 0}},
		"model.prediction_head.layers.0.weight": eye(4, 1), "model.prediction_head.layers.3.weight": eye(4, 1), "model.projection_head.layers.3.weight": eye(4, 1), "model.projection_head_momentum.layers.3.weight": eye(4, 1)}
	run, err = Assemble([]*dump.File{{Name: "lightly.npz", Arrays: lightly}})
	if err != nil {
		t.Fatal(err)
	}
	if f := run.Frames[0]; f.Z1.At(1, 1) != 1 || f.Z2.At(1, 2) != 1 || f.W == nil || f.Wa == nil || f.Wp != nil || run.Examine(Auto).Predictor != MLPKind {
		t.Errorf("%+v", f)
	}
}

func TestDumpsThatDoNotFitTogetherAreRefused(t *testing.T) {
	with := func(name string, a *dump.Array) map[string]*dump.Array {
		m := series(1, 0, 10)
		m[name] = a
		return m
	}
	for want, arrays := range map[string]map[string]*dump.Array{
		"array Wp: 3 steps, step has":                  nil,
		"array step: 3 numbers for 2 steps":            with("step", &dump.Array{Shape: []int{3}, Data: []float64{0, 1, 2}}),
		"array step: step 5 comes after step 10":       with("step", &dump.Array{Shape: []int{2}, Data: []float64{10, 5}}),
		"array Wp: 3×3 at step 0, and z1 has":          with("Wp", &dump.Array{Shape: []int{2, 3, 3}, Data: make([]float64, 18)}),
		"array Wp: one matrix, and the dump has 2":     with("Wp", eye(4, 1)),
		"array Wp: shape [4]":                          with("Wp", &dump.Array{Shape: []int{4}, Data: make([]float64, 4)}),
		"array w_p: plays the part of Wp, as Wp does":  {"Wp": eye(2, 1), "w_p": eye(2, 1)},
		"array z2: 1 examples at step 0, z1 has 2":     {"z1": eye(2, 1), "z2": {Shape: []int{1, 2}, Data: []float64{1, 2}}},
		"array Wa: 3 columns at step 0, W has 2":       {"W": eye(2, 1), "Wa": {Shape: []int{2, 3}, Data: make([]float64, 6)}},
		"array b: 3 entries at step 0, want 2":         {"W": eye(2, 1), "b": {Shape: []int{3}, Data: make([]float64, 3)}},
		"nothing that can be diagnosed":                {"loss": {Shape: []int{2}, Data: []float64{1, 2}}},
		"array z1: 1 example at step 0, want at least": {"z1": {Shape: []int{1, 2}, Data: []float64{1, 2}}},
	} {
		if arrays == nil {
			arrays = with("Wp", &dump.Array{Shape: []int{3, 4, 4}, Data: make([]float64, 48)})
			want = "steps, Wp has 3"
		}
		_, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: arrays}})
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// TestEntriesWithoutMomentsAreRefusedOrZero: the square of an entry may be no number of float64.
func TestEntriesWithoutMomentsAreRefusedOrZero(t *testing.T) {
	filled := func(v float64) map[string]*dump.Array {
		a := map[string]*dump.Array{"step": {Shape: []int{3}, Data: []float64{0, 1, 2}}, "lr": scalar(.1), "weight_decay": scalar(.1), "momentum": scalar(0)}
		for _, name := range []string{"z1", "z2", "Wp", "W", "Wa", "F"} {
			x := &dump.Array{Shape: []int{3, 4, 4}, Data: make([]float64, 48)}
			for i := range x.Data {
				x.Data[i] = v
			}
			a[name] = x
		}
		return a
	}
	for _, v := range []float64{math.MaxFloat64, 1e200, -1e76} {
		if _, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: filled(v)}}); err == nil || !strings.Contains(err.Error(), "beyond ±1e+75") {
			t.Errorf("entries of %g: %v", v, err)
		}
	}
	for _, v := range []float64{1e75, -1e75, 1e-75, 1e-76, math.SmallestNonzeroFloat64, 0} {
		for _, kind := range Kinds {
			examine(t, filled(v), kind) // does not panic
		}
	}
}

// TestWideProjectionsAreDiagnosedWithoutTheirMoment: E[zzᵀ] of a million dimensions has eight terabytes.
func TestWideProjectionsAreDiagnosedWithoutTheirMoment(t *testing.T) {
	const n, d = 8, 200000
	z := &dump.Array{Shape: []int{n, d}, Data: cloud(rand.New(rand.NewPCG(1, 2)), n, d, 1)}
	arrays := map[string]*dump.Array{"z1": z, "step": scalar(5000)}
	if p := examine(t, arrays, Auto).Points[0]; p.S != nil || !(p.Rank > 4 && p.Rank <= n) {
		t.Errorf("%d eigenvalues, rank %g", len(p.S), p.Rank)
	}
	for _, name := range []string{"W", "Wa"} {
		arrays := map[string]*dump.Array{"z1": z, name: {Shape: []int{d, 1}, Data: make([]float64, d)}}
		if _, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: arrays}}); err == nil || !strings.Contains(err.Error(), "of which a moment is taken") {
			t.Errorf("%s of %d rows: %v", name, d, err)
		}
	}
	square := &dump.Array{Shape: []int{maxSide + 1, maxSide + 1}, Data: make([]float64, (maxSide+1)*(maxSide+1))}
	if _, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: map[string]*dump.Array{"z1": square}}}); err == nil || !strings.Contains(err.Error(), "one of the two") {
		t.Errorf("%v", err)
	}
}

func TestSettingsOutsideTheirDomainsAreRefused(t *testing.T) {
	for name, v := range map[string]float64{"lr": -5, "weight_decay": -1, "momentum": 1, "alpha_p": 0, "epsilon": -2} {
		arrays := series(1, 0, 100)
		arrays[name] = scalar(v)
		if _, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: arrays}}); err == nil || !strings.Contains(err.Error(), name+" = ") {
			t.Errorf("%s = %g: %v", name, v, err)
		}
	}
	arrays := series(1, 0, 100)
	arrays["lr"] = &dump.Array{Shape: []int{2}, Data: []float64{.1, -.1}}
	if _, err := Assemble([]*dump.File{{Name: "run.npz", Arrays: arrays}}); err == nil || !strings.Contains(err.Error(), "a rate of -0.1") {
		t.Errorf("a series of rates: %v", err)
	}
}
