package metric

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// symmetric returns Q diag(values) Qᵀ.
func symmetric(q *mat.Dense, values []float64) *mat.SymDense {
	n := len(values)
	out := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s := 0.
			for k := range n {
				s += q.At(i, k) * values[k] * q.At(j, k)
			}
			out.SetSym(i, j, s)
		}
	}
	return out
}

func TestPredictorEigenvalues(t *testing.T) {
	// A turn by 90° and a stretch by 3: eigenvalues 3 and ±2i.
	wp := mat.NewDense(3, 3, []float64{0, -2, 0, 2, 0, 0, 0, 0, 3})
	got := PredictorEigenvalues(wp)
	for j, want := range []complex128{3, 2i, -2i} {
		if !near(real(got[j]), real(want)) || !near(imag(got[j]), imag(want)) {
			t.Errorf("eigenvalues %v", got)
		}
	}
	if !near(SpectralRadius(got), 3) || SpectralRadius(nil) != 0 {
		t.Errorf("spectral radius %g", SpectralRadius(got))
	}
}

// TestAlignmentMeasuresOnSharedAndTurnedFrames: F and W_p with one eigenbasis,
// and the same W_p in a frame turned by a known angle.
func TestAlignmentMeasuresOnSharedAndTurnedFrames(t *testing.T) {
	q := rotation(3, 11)
	s, p := []float64{4, 1, 0.25}, []float64{2, 1, 0.5}
	f, wp := symmetric(q, s), symmetric(q, p)
	a := Align(f, wp, 2)
	if !near(a.Commutator, 0) || !near(a.Asymmetry, 0) || !near(a.TopCosine, 1) || !near(a.Parabola, 1) {
		t.Errorf("%+v in a shared basis on the parabola", a)
	}
	gotP, gotS := PredictorDiagonal(f, wp)
	for j := range p {
		if !near(gotP[j], p[j]) || !near(gotS[j], s[j]) {
			t.Errorf("p = %v, s = %v, want %v and %v", gotP, gotS, p, s)
		}
	}
	if c := ParabolaCorrelation([]float64{1, 2, 3}, []float64{9, 4, 1}); !near(c, -1) {
		t.Errorf("correlation %g, want -1", c)
	}

	// In two dimensions by hand: F = diag(2, 1), W_p = diag(3, 1) turned by θ.
	const theta = 0.3
	c, sn := math.Cos(theta), math.Sin(theta)
	turn := mat.NewDense(2, 2, []float64{c, -sn, sn, c})
	f2, w2 := mat.NewSymDense(2, []float64{2, 0, 0, 1}), symmetric(turn, []float64{3, 1})
	// [F, W_p] = (s₁-s₂)·w₁₂·[[0,1],[-1,0]] with w₁₂ = (p₁-p₂) sinθ cosθ.
	want := math.Sqrt2 * 2 * sn * c / (math.Sqrt(5) * math.Sqrt(10))
	if got := Align(f2, w2, 1).Commutator; !near(got, want) {
		t.Errorf("commutator %g, want %g", got, want)
	}
	// W_p e₁ = (3c²+s², 2sc).
	if got, want := TopCosine(f2, w2, 1), (3*c*c+sn*sn)/math.Hypot(3*c*c+sn*sn, 2*sn*c); !near(got, want) {
		t.Errorf("cosine %g, want %g", got, want)
	}
	if got := TopCosine(f2, w2, 9); got >= TopCosine(f2, w2, 1) {
		t.Errorf("cosine over both vectors %g: the second is the worse one", got)
	}
	if got := TopCosine(f2, mat.NewDense(2, 2, []float64{-1, 0, 0, 0}), 2); !near(got, -0.5) {
		t.Errorf("cosine %g, want -½: one vector reversed, one sent to zero", got)
	}
	// Scaling either matrix changes no measure: a commutator that shrinks with
	// its matrices would call a collapse an alignment.
	var small mat.SymDense
	small.ScaleSym(1e-9, f2)
	if got := Align(&small, w2, 1).Commutator; !near(got, want) {
		t.Errorf("commutator %g of a scaled F, want %g", got, want)
	}
}

// TestBalanceByHand includes the twins that the print and a careless reader make:
// W_pW_pᵀ for W_pᵀW_p, 1/α_p missing, the bias forgotten.
func TestBalanceByHand(t *testing.T) {
	wl := mat.NewDense(2, 3, []float64{1, 0, 2, 0, 1, 1})
	b := []float64{1, -1}
	wp := mat.NewDense(2, 2, []float64{1, 2, 0, 3})
	// W_LW_Lᵀ = [[5,2],[2,2]], bbᵀ = [[1,-1],[-1,1]], W_pᵀW_p = [[1,2],[2,13]].
	want := []float64{5 + 1 - 0.25, 2 - 1 - 0.5, 2 - 1 - 0.5, 2 + 1 - 3.25}
	equal := func(m *mat.Dense) bool {
		for i := range 2 {
			for j := range 2 {
				if !near(m.At(i, j), want[2*i+j]) {
					return false
				}
			}
		}
		return true
	}
	if got := Balance(wl, b, wp, 4); !equal(got) {
		t.Errorf("balance %v, want %v", mat.Formatted(got), want)
	}
	if equal(Balance(wl, nil, wp, 4)) || equal(Balance(wl, b, wp, 1)) || equal(Balance(wl, b, wp.T(), 4)) {
		t.Error("a twin gives the same matrix")
	}
}

func TestTauIsTheLeastSquaresCoefficient(t *testing.T) {
	w := []float64{1, -2, 3}
	if got := Tau(w, []float64{0.5, -1, 1.5}); !near(got, 0.5) {
		t.Errorf("τ = %g, want ½", got)
	}
	// An orthogonal part of W_a does not count: (2,1,0)·w = 0.
	if got := Tau(w, []float64{0.5 + 2, -1 + 1, 1.5}); !near(got, 0.5) {
		t.Errorf("τ = %g, want ½", got)
	}
	// The twin <W,W_a>/<W_a,W_a> gives 2 on the first row.
	if got := Tau([]float64{0.5, -1, 1.5}, w); !near(got, 2) {
		t.Errorf("τ = %g, want 2", got)
	}
}

func TestShapesThatDisagreePanic(t *testing.T) {
	sym := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	three := mat.NewDense(3, 3, nil)
	for name, call := range map[string]func(){
		"alignment":   func() { Align(sym, three, 1) },
		"cosine":      func() { TopCosine(sym, three, 1) },
		"no cosine":   func() { TopCosine(sym, sym, 0) },
		"diagonal":    func() { PredictorDiagonal(sym, three) },
		"balance":     func() { Balance(mat.NewDense(2, 3, nil), nil, three, 1) },
		"bias":        func() { Balance(mat.NewDense(2, 3, nil), []float64{1}, sym, 1) },
		"τ":           func() { Tau([]float64{1}, nil) },
		"correlation": func() { ParabolaCorrelation([]float64{1}, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
