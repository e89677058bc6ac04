package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
)

func normal(r *rand.Rand, rows, cols int) *mat.Dense {
	v := make([]float64, rows*cols)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return mat.NewDense(rows, cols, v)
}

// closedForm is J and its gradients from the docstring of Lemma1Gradients.
func closedForm(wp, w, wa, x1, x2 *mat.Dense, stopGradient bool) (float64, *mat.Dense, *mat.Dense) {
	_, n := x1.Dims()
	if !stopGradient {
		wa = w
	}
	var f, p, e, z, dWp, dW, t mat.Dense
	f.Mul(w, x1)
	p.Mul(wp, &f)
	z.Mul(wa, x2)
	e.Sub(&p, &z)
	dWp.Mul(&e, f.T())
	t.Mul(wp.T(), &e)
	dW.Mul(&t, x1.T())
	if !stopGradient {
		var u mat.Dense
		u.Mul(&e, x2.T())
		dW.Sub(&dW, &u)
	}
	dWp.Scale(1/float64(n), &dWp)
	dW.Scale(1/float64(n), &dW)
	j := mat.Norm(&e, 2)
	return j * j / float64(2*n), &dWp, &dW
}

func gapOf(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Max(absolute(&d)) / max(1, mat.Max(absolute(a)))
}

func absolute(a mat.Matrix) *mat.Dense {
	var m mat.Dense
	m.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, a)
	return &m
}

// lemma1Tolerance: three products of at most 64·1024 terms each round by about
// √terms·2⁻⁵³ ≈ 3e-14 relative; measured 1e-15.
const lemma1Tolerance = 1e-12

func TestLemma1GradientsMatchTheClosedForm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct{ n2, n1, n int }{{1, 1, 1}, {2, 2, 3}, {4, 3, 17}, {3, 5, 8}, {64, 64, 1024}} {
		wp, w, wa := normal(r, s.n2, s.n2), normal(r, s.n2, s.n1), normal(r, s.n2, s.n1)
		x1, x2 := normal(r, s.n1, s.n), normal(r, s.n1, s.n)
		for _, c := range []struct {
			name string
			wa   *mat.Dense
			sg   bool
		}{{"byol", wa, true}, {"simsiam", w, true}, {"no stop-gradient", nil, false}} {
			t.Run(fmt.Sprintf("%s %dx%dx%d", c.name, s.n2, s.n1, s.n), func(t *testing.T) {
				j, dWp, dW, err := Lemma1Gradients(wp, w, c.wa, x1, x2, c.sg)
				if err != nil {
					t.Fatal(err)
				}
				wj, wantWp, wantW := closedForm(wp, w, c.wa, x1, x2, c.sg)
				if d := math.Abs(j-wj) / max(1, wj); !(d <= lemma1Tolerance) {
					t.Errorf("J = %v, want %v", j, wj)
				}
				if d := gapOf(wantWp, dWp); !(d <= lemma1Tolerance) {
					t.Errorf("∂J/∂W_p is off by %.2g", d)
				}
				if d := gapOf(wantW, dW); !(d <= lemma1Tolerance) {
					t.Errorf("∂J/∂W is off by %.2g", d)
				}
			})
		}
	}
}

// TestLemma1OracleSeesTheStopGradient: with the target's values equal, J and
// ∂J/∂W_p must agree with and without stop-gradient and ∂J/∂W must not. The
// difference is E x2ᵀ/N, of the order of ∂J/∂W itself.
func TestLemma1OracleSeesTheStopGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	wp, w := normal(r, 4, 4), normal(r, 4, 6)
	x1, x2 := normal(r, 6, 32), normal(r, 6, 32)
	j1, p1, w1, err := Lemma1Gradients(wp, w, w, x1, x2, true)
	if err != nil {
		t.Fatal(err)
	}
	j2, p2, w2, err := Lemma1Gradients(wp, w, nil, x1, x2, false)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(j1-j2) > lemma1Tolerance*j1 || gapOf(p1, p2) > lemma1Tolerance {
		t.Errorf("J or ∂J/∂W_p depends on the stop-gradient: %v and %v, %.2g", j1, j2, gapOf(p1, p2))
	}
	if d := gapOf(w1, w2); d < 0.01 {
		t.Errorf("∂J/∂W with and without stop-gradient differ by %.2g only", d)
	}
}

// TestLemma1PredictsATrainingStep ties the oracle to the GoMLX trainer: one
// plain-SGD step moves W_p by −lr·α_p·(∂J/∂W_p + (η/α_p)W_p) and W by
// −lr·(∂J/∂W + ηW).
func TestLemma1PredictsATrainingStep(t *testing.T) {
	e := cpu(t)
	for _, m := range []method.Method{method.SimSiam, method.BYOL, method.NoStopGradient} {
		t.Run(string(m), func(t *testing.T) {
			c := as(t, linear(), m)
			c.Predictor.RateRatio = 3
			if m == method.BYOL {
				c.Target.Init = method.Independent
			}
			tr, err := method.New(e, c, 5)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			read := func(name string) *mat.Dense {
				w, err := tr.Matrix(name)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			w, wp := read("online/w"), read(method.PredictorName)
			wa := w
			if m == method.BYOL {
				wa = read("target/w")
			}
			b := gaussian(3, 0, c.Batch, c.Net.In, 0.5)
			columns := func(x []float32) *mat.Dense {
				v := make([]float64, len(x))
				fill(v, x)
				return mat.DenseCopyOf(mat.NewDense(b.N, b.Dim, v).T())
			}
			j, dWp, dW, err := Lemma1Gradients(wp, w, wa, columns(b.X1), columns(b.X2), m != method.NoStopGradient)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(loss-j) > lemma1Tolerance*j {
				t.Errorf("the trainer's loss is %v, J = %v", loss, j)
			}
			lr, eta, alpha := c.Optimizer.LearningRate, c.Optimizer.WeightDecay, c.Predictor.RateRatio
			for _, x := range []struct {
				name      string
				w, g      *mat.Dense
				lr, decay float64
			}{{"online/w", w, dW, lr, eta}, {method.PredictorName, wp, dWp, lr * alpha, eta / alpha}} {
				var step, want mat.Dense
				step.Scale(x.decay, x.w)
				step.Add(&step, x.g)
				step.Scale(x.lr, &step)
				want.Sub(x.w, &step)
				if d := gapOf(&want, read(x.name)); !(d <= lemma1Tolerance) {
					t.Errorf("%s after one step is off by %.2g", x.name, d)
				}
			}
		})
	}
}
