package golden

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// subject returns a statistics golden of one run with these tensors and logged values at step 1.
func subject(t *testing.T, tensors []Tensor, values map[string]float64, spectra map[string][]float64) *Subject {
	t.Helper()
	g := &Golden{ID: "x", Kind: Statistics, Config: mustConfig(t, simsiamRecipe()), Provenance: fixtureProvenance(t)}
	g.Runs = []Run{{Series: []Point{{Step: 1, Values: values, Spectra: spectra}}, Snapshots: &Blob{Tensors: tensors}}}
	return &Subject{Context: t.Context(), Golden: g, verifier: new(Verifier), loaded: true}
}

func diagonal(entries ...float64) matrix {
	m := zeros(len(entries), len(entries))
	for i, v := range entries {
		m[i][i] = v
	}
	return m
}

// With equal eigenvalues the eigenbasis of F is arbitrary: what is measured in it must not be held against a recorder
// that got another one, and must still be held against it where the gaps are wide.
func TestGainsInADegenerateEigenspaceAreNotCompared(t *testing.T) {
	wp := matrix{{0.5, 0.3, 0}, {0.3, 0.7, 0}, {0, 0, 0.9}}
	equal := diagonal(1, 1, 0.1).tensor(1, TensorF)
	o := checkSpectra(subject(t, []Tensor{equal, wp.tensor(1, TensorWp)}, nil,
		map[string][]float64{"p_diag": {0.9, 0.3, 0.9}})) // the trace in the top plane is right, the split another
	if o.State != Pass || o.Checks != 1 {
		t.Errorf("equal eigenvalues: %+v", o)
	}
	o = checkSpectra(subject(t, []Tensor{equal, wp.tensor(1, TensorWp)}, nil, map[string][]float64{"p_diag": {0.9, 0.3, 0.8}}))
	if o.State != Fail || o.Err.Field != "runs[0].series[0].p_diag[2]" {
		t.Errorf("a wrong gain beside equal eigenvalues: %+v", o)
	}
	apart := diagonal(1, 0.5, 0.1).tensor(1, TensorF)
	o = checkSpectra(subject(t, []Tensor{apart, wp.tensor(1, TensorWp)}, nil, map[string][]float64{"p_diag": {0.9, 0.3, 0.9}}))
	if o.State != Fail || o.Err.Field != "runs[0].series[0].p_diag[0]" {
		t.Errorf("a wrong gain with wide gaps: %+v", o)
	}
}

// A collapsed net has ẑ = E[ẑ] up to rounding: its centred rank is noise, its rank 1.
func TestCentredRankOfACollapsedNetIsNotCompared(t *testing.T) {
	mean := matrix{{0.6}, {0.8}}
	z := mean.times(mean.transposed()).tensor(1, TensorZ)
	m := mean.tensor(1, TensorZMean)
	for i, x := range z.Data {
		z.Data[i] = float64(float32(x))
	}
	o := checkSpectra(subject(t, []Tensor{z, m}, map[string]float64{"er": 1, "er_centered": 1.9}, nil))
	if o.State != Pass || o.Checks != 1 {
		t.Errorf("collapsed: %+v", o)
	}
	o = checkSpectra(subject(t, []Tensor{z, m}, map[string]float64{"er": 1.01}, nil))
	if o.State != Fail {
		t.Errorf("a wrong rank of a collapsed net: %+v", o)
	}
}

// A representation that has vanished altogether has a spectrum of zeros, which is right.
func TestAVanishedMomentHasAZeroSpectrum(t *testing.T) {
	zero := diagonal(0, 0).tensor(1, TensorF)
	if o := checkSpectra(subject(t, []Tensor{zero}, nil, map[string][]float64{"spec_F": {0, 0}})); o.State != Pass {
		t.Errorf("%+v", o)
	}
	if o := checkSpectra(subject(t, []Tensor{zero}, nil, map[string][]float64{"spec_F": {1e-9, 0}})); o.State != Fail {
		t.Errorf("a nonzero eigenvalue of zero: %+v", o)
	}
	if o := checkSpectra(subject(t, []Tensor{zero, diagonal(1, 1).tensor(1, TensorWp)}, map[string]float64{"comm": 0}, nil)); o.State != Fail {
		t.Errorf("an undefined commutator with a value: %+v", o)
	}
}

// Effective ranks with a closed form: k equal eigenvalues give k, and shares ¾, ¼ give exp(−¾ ln ¾ − ¼ ln ¼).
func TestEffectiveRankOfKnownSpectra(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{2, 2, 2}, 3}, {[]float64{5, 0, 0}, 1}, {[]float64{3, 1, -1e-17}, math.Exp(-0.75*math.Log(0.75) - 0.25*math.Log(0.25))}} {
		if got := effectiveRank(c.values); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v has effective rank %g, want %g", c.values, got, c.want)
		}
	}
}

// The predictor of a diagonal F̂ = diag(4, 1, 0), by hand.
func TestDirectPredictorsOfADiagonalMoment(t *testing.T) {
	fhat := mat.NewDense(3, 3, []float64{4, 0, 0, 0, 1, 0, 0, 0, 0})
	for _, c := range []struct {
		name, method, formula string
		power, eps            float64
		want                  []float64
	}{
		{"code", MethodDirectPred, FormulaCode, 0.5, 0.1, []float64{1.1, 0.6, 0.1}},
		{"code with the clamp", MethodDirectPred, FormulaCode, 0.5, -0.5, []float64{0.5, 1e-4, 1e-4}},
		{"code, DirectCopy", MethodDirectCopy, FormulaCode, 1, 0.1, []float64{1.1, 0.35, 0.1}},
		{"slide", MethodDirectPred, FormulaSlide, 0.5, 0.1, []float64{2.4, 1.4, 0.4}},
		{"slide, DirectCopy", MethodDirectCopy, FormulaSlide, 1, 0.1, []float64{4.1, 1.1, 0.1}},
		{"slide, DirectSet", MethodDirectSet, FormulaSlide, 2, 0.1, []float64{16.1, 1.1, 0.1}},
	} {
		w, err := predictorOf(fhat, c.method, c.formula, c.power, c.eps)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			for j := range 3 {
				want := 0.0
				if i == j {
					want = c.want[i]
				}
				if math.Abs(w.At(i, j)-want) > 1e-12 {
					t.Errorf("%s: entry (%d,%d) is %g, want %g", c.name, i, j, w.At(i, j), want)
				}
			}
		}
	}
	if _, err := predictorOf(mat.NewDense(2, 2, nil), MethodDirectPred, FormulaCode, 0.5, 0.1); err == nil {
		t.Error("a zero F̂ has a predictor under the code's formula")
	}
}

// No shape of any recorded tensor may do worse than be refused.
func TestTensorsOfWrongShapeAreRefusedAndDoNotPanic(t *testing.T) {
	for _, id := range []string{directID, simsiamID} {
		g := load(t, fixtures(t), id)
		blobs := []*Blob{g.Runs[0].Snapshots, g.Runs[0].Segment}
		names := map[string]bool{}
		for _, b := range blobs {
			for _, x := range b.Tensors {
				names[x.Name] = true
			}
		}
		for name := range names {
			for _, shape := range [][2]int{{1, 36}, {36, 1}, {4, 9}, {2, 2}, {7, 7}} {
				restore := func() {}
				for _, b := range blobs {
					steps := b.steps()
					x := b.at(steps[len(steps)/2], name)
					if x == nil {
						continue
					}
					old, next := *x, restore
					restore = func() { *x = old; next() }
					x.Rows, x.Cols, x.Data = shape[0], shape[1], make([]float64, shape[0]*shape[1])
					for i := range x.Data {
						x.Data[i] = old.Data[i%len(old.Data)]
					}
				}
				s := &Subject{Context: t.Context(), File: id + ".json", Golden: g, verifier: new(Verifier), loaded: true}
				refused := false
				for _, r := range []func(*Subject) Outcome{checkMoments, checkSpectra, checkTrace, checkDirectPred, checkEMA, checkReplay, checkBalance} {
					refused = r(s).State == Fail || refused
				}
				if !refused {
					t.Errorf("%s: %s of shape %d×%d is accepted", id, name, shape[0], shape[1])
				}
				restore()
			}
		}
	}
}

// The predictor's gradient is no function of F and C under momentum, a cosine loss or low precision, and Theorem 1
// needs equal decay: the rules must say so rather than pass or fail.
func TestStepRulesApplyOnlyWhereTheirIdentityHolds(t *testing.T) {
	base := load(t, fixtures(t), simsiamID)
	for _, c := range []struct {
		name            string
		change          func(g *Golden, m map[string]any)
		replay, balance State
	}{
		{"as recorded", func(*Golden, map[string]any) {}, Pass, Pass},
		{"momentum", func(_ *Golden, m map[string]any) { m["optimizer"].(map[string]any)["momentum"] = 0.9 }, Inapplicable, Inapplicable},
		{"cosine loss", func(_ *Golden, m map[string]any) { m["loss"].(map[string]any)["kind"] = "cosine" }, Inapplicable, Pass},
		{"bfloat16", func(g *Golden, _ map[string]any) { g.Provenance.Engine.Precision = BF16 }, Inapplicable, Inapplicable},
		{"torch's decay", func(_ *Golden, m map[string]any) { m["optimizer"].(map[string]any)["predictor_decay"] = DecayTorch }, Fail, Inapplicable},
		{"both directions", func(_ *Golden, m map[string]any) { m["loss"].(map[string]any)["both_directions"] = true }, Fail, Pass},
		{"symmetrised", func(_ *Golden, m map[string]any) { m["predictor"].(map[string]any)["symmetrize"] = true }, Fail, Inapplicable},
	} {
		g := *base
		m := recipe(base)
		c.change(&g, m)
		setRecipe(&g, m)
		s := &Subject{Context: t.Context(), Golden: &g, verifier: new(Verifier), loaded: true}
		if o := checkReplay(s); o.State != c.replay {
			t.Errorf("%s: replay is %s, want %s (%s)", c.name, o.State, c.replay, o.Detail)
		}
		if o := checkBalance(s); o.State != c.balance {
			t.Errorf("%s: balance is %s, want %s (%s)", c.name, o.State, c.balance, o.Detail)
		}
	}
}

// BenchmarkMatrixRules is the cost of one snapshot at the projector width of the CIFAR recipe, for the bound on
// verifying everything.
func BenchmarkMatrixRules(b *testing.B) {
	const d, n = 128, 400
	rng := rand.New(rand.NewPCG(5, 0))
	f := zeros(n, d)
	for i := range f {
		for j := range f[i] {
			f[i][j] = rng.NormFloat64()
		}
	}
	moment := second(f, f, false)
	var tensors []Tensor
	for _, name := range []string{TensorF, TensorFHat, TensorWp, TensorWL} {
		tensors = append(tensors, moment.tensor(1, name))
	}
	z := moment.plus(0, moment)
	var trace float64
	for i := range z {
		trace += z[i][i]
	}
	tensors = append(tensors, z.plus(1/trace-1, z).tensor(1, TensorZ))
	c, err := NewConfig(directRecipe())
	if err != nil {
		b.Fatal(err)
	}
	g := &Golden{Kind: Statistics, Config: c, Runs: []Run{{Series: []Point{{Step: 1}}, Snapshots: &Blob{Tensors: tensors}}}}
	s := &Subject{Context: b.Context(), Golden: g, verifier: new(Verifier), loaded: true}
	for b.Loop() {
		for _, r := range []func(*Subject) Outcome{checkMoments, checkSpectra, checkTrace, checkDirectPred, checkEMA, checkBalance} {
			r(s)
		}
	}
}
