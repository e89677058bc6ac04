package gradient

import (
	"math/big"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"stopgrad/numeric/flow"
	"stopgrad/props/equations"
	"stopgrad/props/generate"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/trainingcheck/oracle"
)

// factors is the number of columns of the factors of X and X': a square, so that its root is rational.
const factors = 4

// views returns every pair of views (x̄ + e, x̄ + e') of the finite distribution in which x̄ is uniform among
// ±2b over the columns b of B and e, e' are independently uniform among ±2c over the columns c of C, one pair
// per column of x1 and x2. With four columns each, E[x̄x̄ᵀ] = BBᵀ and E[eeᵀ] = CCᵀ.
func views(b, c generate.Matrix) (x1, x2 *mat.Dense) {
	signed := func(m generate.Matrix) [][]float64 {
		var out [][]float64
		for j := range m.C {
			for _, sign := range []float64{2, -2} {
				v := make([]float64, m.R)
				for i := range v {
					v[i] = sign * generate.Float(m.At(i, j))
				}
				out = append(out, v)
			}
		}
		return out
	}
	means, noise := signed(b), signed(c)
	n := len(means) * len(noise) * len(noise)
	x1, x2 = mat.NewDense(b.R, n, nil), mat.NewDense(b.R, n, nil)
	k := 0
	for _, m := range means {
		for _, e1 := range noise {
			for _, e2 := range noise {
				for i := range b.R {
					x1.Set(i, k, m[i]+e1[i])
					x2.Set(i, k, m[i]+e2[i])
				}
				k++
			}
		}
	}
	return x1, x2
}

// The three derivations must agree to the last bit. Entries are multiples of 2⁻⁴ of at most 1 and those of the
// views multiples of 2⁻³ of at most 4; the longest products, Wp·W·x·(W·x)ᵀ, have 4+4+3+4+3 = 18 fractional bits
// and values below 3⁴·4² = 2¹¹, and the sum over 2⁹ samples adds nine bits: every intermediate number of every
// derivation fits into 53 bits, and the division by 2⁹ is exact.

// point is a state with exact moments, and its views.
type point struct {
	wp, w, wa, b, c generate.Matrix
	x1, x2          *mat.Dense
}

func draw(ch sample.Chooser) point {
	n2, n1 := generate.Shape(ch, 3)
	p := point{
		wp: generate.Entries(ch, n2, n2), w: generate.Entries(ch, n2, n1), wa: generate.Entries(ch, n2, n1),
		b: generate.Entries(ch, n1, factors), c: generate.Entries(ch, n1, factors),
	}
	p.x1, p.x2 = views(p.b, p.c)
	return p
}

// exact returns the gradients of a system's objective at α = 1 and η = 0, which are minus its flow, in exact
// numbers rounded once.
func (p point) exact(t *testing.T, env *lang.Env) (dWp, dW *mat.Dense) {
	t.Helper()
	one := func(n int64) generate.Matrix { return eval.ScalarOf(generate.Rat(n, 1)) }
	st := eval.State[*big.Rat]{
		Dims: map[lang.Dim]int{"n2": p.w.R, "n1": p.w.C},
		Vals: map[string]generate.Matrix{
			"Wp": p.wp, "W": p.w, "Wa": p.wa, "alpha": one(1), "eta": one(0), "beta": one(0),
			"X": generate.Mul(p.b, generate.Transpose(p.b)), "Xp": generate.Mul(p.c, generate.Transpose(p.c)),
		},
	}
	e, err := eval.New(eval.Rational{}, env, st)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) *mat.Dense {
		m, err := e.RightHandSide(name)
		if err != nil {
			t.Fatal(err)
		}
		return generate.Dense(generate.Scaled(generate.Rat(-1, 1), m))
	}
	return get("Wp"), get("W")
}

// float returns the same from numeric/flow.
func (p point) float(t *testing.T, name string) (dWp, dW *mat.Dense) {
	t.Helper()
	f, err := flow.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	s := flow.NewState()
	s.Beta = 0
	s.Wp, s.W, s.Wa = generate.Dense(p.wp), generate.Dense(p.w), generate.Dense(p.wa)
	s.X = generate.Dense(generate.Mul(p.b, generate.Transpose(p.b)))
	s.Xp = generate.Dense(generate.Mul(p.c, generate.Transpose(p.c)))
	sys, err := f.Bind(s)
	if err != nil {
		t.Fatal(err)
	}
	dy := make([]float64, sys.Dim())
	sys.RHS()(0, sys.Initial(), dy)
	d := sys.Unpack(0, dy)
	d.Wp.Scale(-1, d.Wp)
	d.W.Scale(-1, d.W)
	return d.Wp, d.W
}

// gap is the greatest entry of A − B relative to the greatest of either, or to one.
func gap(a, b *mat.Dense) float64 {
	var d mat.Dense
	d.Sub(a, b)
	abs := func(m *mat.Dense) float64 { return max(mat.Max(m), -mat.Min(m)) }
	return abs(&d) / max(1, abs(a), abs(b))
}

// contrasts are the systems of Lemma 1 and of its contrasts, with what gorgonia has to be told.
var contrasts = []struct {
	system       string
	sameTarget   bool // the target is the online encoder
	stopGradient bool
}{
	{"lemma1", false, true},
	{"simsiam", true, true},
	{"nostopgrad", true, false},
}

// TestGradientsOfLemma1 compares gorgonia, the theory and numeric/flow at random states.
func TestGradientsOfLemma1(t *testing.T) {
	const n = 25
	for _, c := range contrasts {
		t.Run(c.system, func(t *testing.T) {
			env, err := equations.Env(c.system)
			if err != nil {
				t.Fatal(err)
			}
			ch := sample.NewStream(1, c.system)
			noticed := 0
			for range n {
				p := draw(ch)
				target := generate.Dense(p.wa)
				if c.sameTarget {
					target = generate.Dense(p.w)
				}
				_, dWp, dW, err := oracle.Lemma1Gradients(generate.Dense(p.wp), generate.Dense(p.w), target, p.x1, p.x2, c.stopGradient)
				if err != nil {
					t.Fatal(err)
				}
				eWp, eW := p.exact(t, env)
				fWp, fW := p.float(t, c.system)
				for name, g := range map[string]float64{
					"∂J/∂Wp, gorgonia and theory": gap(dWp, eWp), "∂J/∂W, gorgonia and theory": gap(dW, eW),
					"∂J/∂Wp, gorgonia and flow": gap(dWp, fWp), "∂J/∂W, gorgonia and flow": gap(dW, fW),
				} {
					if g != 0 {
						t.Errorf("%s: off by %.3g", name, g)
					}
				}
				// The twin: the other setting of the stop-gradient.
				_, _, other, err := oracle.Lemma1Gradients(generate.Dense(p.wp), generate.Dense(p.w), target, p.x1, p.x2, !c.stopGradient)
				if err != nil {
					t.Fatal(err)
				}
				if gap(other, eW) != 0 {
					noticed++
				}
			}
			t.Logf("the stop-gradient is noticed at %d of %d states", noticed, n)
			// The difference is E[(WpWx₁ − Wx₂)x₂ᵀ], zero only where W or the moments degenerate.
			if noticed < n*3/4 {
				t.Errorf("the stop-gradient is noticed at %d of %d states only", noticed, n)
			}
		})
	}
}

// TestViewsHaveTheExactMoments: what makes the comparison exact.
func TestViewsHaveTheExactMoments(t *testing.T) {
	ch := sample.NewStream(1, "views")
	for range 20 {
		p := draw(ch)
		_, n := p.x1.Dims()
		moment := func(a, b *mat.Dense) *mat.Dense {
			var m mat.Dense
			m.Mul(a, b.T())
			m.Scale(1/float64(n), &m)
			return &m
		}
		x := generate.Dense(generate.Mul(p.b, generate.Transpose(p.b)))
		both := new(mat.Dense)
		both.Add(x, generate.Dense(generate.Mul(p.c, generate.Transpose(p.c))))
		// Entries are multiples of 2⁻⁴ of at most 4: every sum here is exact in float64.
		for name, d := range map[string]float64{
			"E[x₁x₁ᵀ] = X + X'": gap(moment(p.x1, p.x1), both), "E[x₂x₂ᵀ] = X + X'": gap(moment(p.x2, p.x2), both),
			"E[x₁x₂ᵀ] = X": gap(moment(p.x1, p.x2), x),
		} {
			if d != 0 {
				t.Errorf("%s is off by %v", name, d)
			}
		}
	}
}

// TestGorgoniaStarts fails loudly, at the start of the test binary already, if the requirement of a recent
// go4.org/unsafe/assume-no-moving-gc is lost from go.mod: without it gorgonia panics on Go newer than 1.17.
func TestGorgoniaStarts(t *testing.T) {
	g := G.NewGraph()
	x := G.NewScalar(g, tensor.Float64, G.WithName("x"), G.WithValue(3.0))
	y, err := G.Mul(x, x)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := G.Grad(y, x)
	if err != nil {
		t.Fatal(err)
	}
	var dx G.Value
	G.Read(grads[0], &dx)
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if got := dx.Data().(float64); got != 6 {
		t.Errorf("d(x²)/dx at 3 = %v", got)
	}
}
