package method

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestDirectEigenvalues(t *testing.T) {
	s := []float64{4, 1, 0.25, 0, -1e-18}
	for _, c := range []struct {
		m    Method
		d    Direct
		want []float64
	}{
		{DirectPred, Direct{Formula: Slide, Epsilon: 0.1}, []float64{2.4, 1.4, 0.9, 0.4, 0.4}},
		{DirectPred, Direct{Formula: Code, Epsilon: 0.1}, []float64{1.1, 0.6, 0.35, 0.1, 0.1}},
		{DirectPred, Direct{Formula: Code}, []float64{1, 0.5, 0.25, 1e-4, 1e-4}},
		{DirectPred, Direct{Formula: Code, Epsilon: -0.4}, []float64{0.6, 0.1, 1e-4, 1e-4, 1e-4}},
		{DirectCopy, Direct{Formula: Slide, Epsilon: 0.1}, []float64{4.1, 1.1, 0.35, 0.1, 0.1}},
		{DirectCopy, Direct{Formula: Code, Epsilon: 0.1}, []float64{1.1, 0.35, 0.1625, 0.1, 0.1}},
		{DirectSet, Direct{Formula: Slide, Gamma: 2}, []float64{16, 1, 0.0625, 0, 0}},
		{DirectSet, Direct{Formula: Code, Gamma: 0.5, Epsilon: 0.1}, []float64{1.1, 0.6, 0.35, 0.1, 0.1}},
	} {
		got, err := c.d.Eigenvalues(c.m, s)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-15*4 {
				t.Errorf("%s %+v: %v, want %v", c.m, c.d, got, c.want)
				break
			}
		}
	}
	// The code's formula is homogeneous, the printed one is not (unless max s = 1).
	scaled := []float64{4e4, 1e4, 2.5e3, 0, 0}
	for f, same := range map[Formula]bool{Code: true, Slide: false} {
		d := Direct{Formula: f, Epsilon: 0.1}
		a, err := d.Eigenvalues(DirectPred, s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := d.Eigenvalues(DirectPred, scaled)
		if err != nil {
			t.Fatal(err)
		}
		if got := math.Abs(a[1]/a[0]-b[1]/b[0]) < 1e-12; got != same {
			t.Errorf("%s: p₂/p₁ unchanged by scaling F̂ is %t", f, got)
		}
	}
	for _, c := range []struct {
		f Formula
		s []float64
	}{{Code, []float64{0, 0}}, {Code, []float64{-1e-20, 0}}, {Slide, []float64{math.NaN(), 1}}, {Code, []float64{math.Inf(1), 1}}} {
		if p, err := (Direct{Formula: c.f}).Eigenvalues(DirectPred, c.s); err == nil {
			t.Errorf("%s of %v: %v, want an error", c.f, c.s, p)
		}
	}
}

// TestDirectPredictorHasTheRightSpectrum includes repeated eigenvalues, where a
// general eigensolver's vectors need not be orthogonal.
func TestDirectPredictorHasTheRightSpectrum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][]float64{{3, 2, 1}, {2, 2, 2, 1, 1, 0}, {1}} {
		n := len(s)
		var qr mat.QR
		g := mat.NewDense(n, n, nil)
		g.Apply(func(_, _ int, _ float64) float64 { return r.NormFloat64() }, g)
		qr.Factorize(g)
		var q, f, want mat.Dense
		qr.QTo(&q)
		d := Direct{Formula: Code, Epsilon: 0.1}
		p, err := d.Eigenvalues(DirectPred, s)
		if err != nil {
			t.Fatal(err)
		}
		f.Mul(&q, mat.NewDiagDense(n, s))
		f.Mul(&f, q.T())
		want.Mul(&q, mat.NewDiagDense(n, p))
		want.Mul(&want, q.T())
		got, err := d.Predictor(DirectPred, &f)
		if err != nil {
			t.Fatal(err)
		}
		// √ has an unbounded slope at 0: an eigenvalue 0 returns as 1e-16 and its root as 1e-8.
		if x := gap(&want, got); x > 1e-7 {
			t.Errorf("spectrum %v: W_p is off by %.2g", s, x)
		}
	}
}

// direct is a small run whose predictor comes from F̂.
func direct(tb testing.TB, m Method, change func(*Direct)) Config {
	return variant(tb, small(), m, float64ed, func(c *Config) { change(c.Direct) })
}

// TestDirectRecursionAndIdentity recomputes F̂ from the embeddings before every
// step and W_p from F̂ after it.
func TestDirectRecursionAndIdentity(t *testing.T) {
	e := cpu(t)
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"directpred", direct(t, DirectPred, func(*Direct) {})},
		{"slide", direct(t, DirectPred, func(d *Direct) { d.Formula = Slide })},
		{"after", direct(t, DirectPred, func(d *Direct) { d.When = AfterStep })},
		{"freq 3", direct(t, DirectPred, func(d *Direct) { d.Freq = 3 })},
		{"freq 3, after", direct(t, DirectPred, func(d *Direct) { d.Freq, d.When = 3, AfterStep })},
		{"directcopy", direct(t, DirectCopy, func(d *Direct) { d.Rho = 0.9 })},
		{"directset", direct(t, DirectSet, func(d *Direct) { d.Gamma = 0.7 })},
		{"cross", direct(t, DirectCopy, func(d *Direct) { d.Moment = CrossView })},
		{"centred", direct(t, DirectPred, func(d *Direct) { d.Centred = true })},
		{"one direction", variant(t, small(), DirectPred, float64ed, func(c *Config) { c.Loss.BothDirections = false })},
		{"one direction, cross", variant(t, small(), DirectPred, float64ed, func(c *Config) { c.Loss.BothDirections, c.Direct.Moment = false, CrossView })},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := open(t, e, c.cfg, 1)
			d, src := *c.cfg.Direct, views(c.cfg, 1)
			moment := mat.NewDense(c.cfg.Net.Out, c.cfg.Net.Out, nil)
			for step := range 7 {
				b := src.Batch(step)
				f1 := embed(t, tr, b.X1, b.N, BatchStatistics).Projection
				f2 := embed(t, tr, b.X2, b.N, BatchStatistics).Projection
				wp := matrix(t, tr, PredictorName)
				train(t, tr, src, 1)

				var batch, part mat.Dense
				n := float64(b.N)
				switch {
				case d.Moment == CrossView:
					batch.Mul(f1.T(), f2)
					part.CloneFrom(batch.T())
					batch.Add(&batch, &part)
					batch.Scale(1/(2*n), &batch)
				case !c.cfg.Loss.BothDirections:
					batch.Mul(f1.T(), f1)
					batch.Scale(1/n, &batch)
				default:
					if d.Centred {
						mean := make([]float64, c.cfg.Net.Out)
						for j := range mean {
							mean[j] = (mat.Sum(f1.ColView(j)) + mat.Sum(f2.ColView(j))) / (2 * n)
						}
						for _, f := range []*mat.Dense{f1, f2} {
							f.Apply(func(_, j int, v float64) float64 { return v - mean[j] }, f)
						}
					}
					batch.Mul(f1.T(), f1)
					part.Mul(f2.T(), f2)
					batch.Add(&batch, &part)
					batch.Scale(1/(2*n), &batch)
				}
				rho := d.Rho
				if step == 0 {
					rho = 0
				}
				moment.Scale(rho, moment)
				batch.Scale(1-rho, &batch)
				moment.Add(moment, &batch)
				got := matrix(t, tr, MomentName)
				if x := gap(moment, got); x > rounding64 {
					t.Fatalf("step %d: F̂ is off its recursion by %.2g", step, x)
				}

				now := matrix(t, tr, PredictorName)
				want, err := d.Predictor(c.cfg.Method, got)
				if err != nil {
					t.Fatal(err)
				}
				off := gap(want, now)
				switch {
				case step%d.Freq != 0:
					// Between two settings W_p follows its gradient, away from the formula.
					if mat.Equal(now, wp) || off < 1e-6 {
						t.Errorf("step %d: W_p moved by %.2g and is off the formula by %.2g between two settings", step, gap(now, wp), off)
					}
				case d.Freq > 1 && d.When == BeforeStep:
					// Set, and then moved once by its gradient: near the formula, not on it.
					if off < 1e-6 || off > 0.5 {
						t.Errorf("step %d: W_p is off U diag(p) Uᵀ by %.2g, want one step of its gradient", step, off)
					}
				case off > rounding64:
					t.Errorf("step %d: W_p is off U diag(p) Uᵀ by %.2g", step, off)
				}
			}
		})
	}
}

// TestWhenThePredictorIsSet: before the step the first loss already sees F̂'s
// W_p, after it the random one that the run starts with.
func TestWhenThePredictorIsSet(t *testing.T) {
	e := cpu(t)
	for _, when := range []When{BeforeStep, AfterStep} {
		c := direct(t, DirectPred, func(d *Direct) { d.When = when })
		b := views(c, 1).Batch(0)
		tr := open(t, e, c, 1)
		got := train(t, tr, views(c, 1), 1)[0]
		f, err := c.Direct.Predictor(DirectPred, matrix(t, tr, MomentName))
		if err != nil {
			t.Fatal(err)
		}
		fresh := open(t, e, c, 1)
		if when == BeforeStep {
			if err := fresh.SetMatrix(PredictorName, f); err != nil {
				t.Fatal(err)
			}
		}
		p1, p2 := embed(t, fresh, b.X1, b.N, BatchStatistics), embed(t, fresh, b.X2, b.N, BatchStatistics)
		// At step 0 the target is a copy of the online network.
		want := cosineLoss(p1.Prediction, p2.Projection) + cosineLoss(p2.Prediction, p1.Projection)
		if math.Abs(got-want) > rounding64*want {
			t.Errorf("%s: the first loss is %v, want %v", when, got, want)
		}
	}
}

// cosineLoss is (1/N) Σ (2 − 2 cos), from the definition.
func cosineLoss(p, z *mat.Dense) float64 {
	n, _ := p.Dims()
	var l float64
	for i := range n {
		a, b := p.RowView(i), z.RowView(i)
		l += (2 - 2*mat.Dot(a, b)/(mat.Norm(a, 2)*mat.Norm(b, 2))) / float64(n)
	}
	return l
}

// TestDirectIdentityFailsWithPermutedEigenvectors is the twin of the identity
// above: W_p built with two eigenvectors exchanged must not pass for the real one.
func TestDirectIdentityFailsWithPermutedEigenvectors(t *testing.T) {
	c := direct(t, DirectPred, func(*Direct) {})
	tr := open(t, cpu(t), c, 1)
	train(t, tr, views(c, 1), 3)
	f := matrix(t, tr, MomentName)
	n, _ := f.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (f.At(i, j)+f.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		t.Fatal("no eigendecomposition")
	}
	p, err := c.Direct.Eigenvalues(DirectPred, eig.Values(nil))
	if err != nil {
		t.Fatal(err)
	}
	p[0], p[n-1] = p[n-1], p[0]
	var u, w mat.Dense
	eig.VectorsTo(&u)
	w.Mul(&u, mat.NewDiagDense(n, p))
	w.Mul(&w, u.T())
	if d := gap(&w, matrix(t, tr, PredictorName)); d < 1e-2 {
		t.Errorf("permuted eigenvectors change W_p by %.2g only: the identity test is blind (p = %v)", d, fmt.Sprint(p))
	}
}
