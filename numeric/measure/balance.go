package measure

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Balance returns the balance matrix (n×n)
//
//	D = W·Wᵀ - α⁻¹ Wpᵀ·Wp
//
// which obeys D(t) = e^(-2ηt) D(0) along the Lemma 1 flow (paper, Theorem 1;
// claim thm1). It panics if α = 0.
func Balance(w, wp mat.Matrix, alpha float64) *mat.Dense {
	if alpha == 0 {
		panic("measure: α = 0")
	}
	n := square(wp, "Wp")
	if r, _ := w.Dims(); r != n {
		panic("measure: W and Wp differ in rows")
	}
	var d, p mat.Dense
	d.Mul(w, w.T())
	p.Mul(wp.T(), wp)
	p.Scale(1/alpha, &p)
	d.Sub(&d, &p)
	return &d
}

// TraceBalance returns tr F - α⁻¹ ‖Wp‖_F², with F = W·Wᵀ the trace of Balance: the
// part of it that survives in the symmetrised and reduced flows (claim
// thm1-vs-assumption3), where it is e^(-2ηt) times its initial value. It panics if
// α = 0.
func TraceBalance(f, wp mat.Matrix, alpha float64) float64 {
	if alpha == 0 {
		panic("measure: α = 0")
	}
	n := square(f, "F")
	if square(wp, "Wp") != n {
		panic("measure: F and Wp differ in size")
	}
	var tr float64
	for i := range n {
		tr += f.At(i, i)
		for j := range n {
			tr -= wp.At(i, j) * wp.At(i, j) / alpha
		}
	}
	return tr
}

// ModeBalance returns c_j = s_j - p_j²/α, which is e^(-2ηt) times its initial
// value along the decoupled modes (claim invariance-scalar). It panics if α = 0
// or if the lengths differ.
func ModeBalance(p, s []float64, alpha float64) []float64 {
	if alpha == 0 {
		panic("measure: α = 0")
	}
	if len(p) != len(s) {
		panic("measure: p and s differ in length")
	}
	c := make([]float64, len(p))
	for j := range p {
		c[j] = s[j] - p[j]*p[j]/alpha
	}
	return c
}

// CollapseFraction is the fraction of a reference scale below which a mode
// counts as collapsed.
const CollapseFraction = 1e-4

// CollapseScale returns the size of the strongest mode in units of s,
//
//	max(λ_max(F), ‖Wp‖₂² / |α|)
//
// with ‖Wp‖₂ the largest singular value. On the invariant parabola s = p²/α the
// two are equal; at a non-collapsed stationary point both are p₊²/α; a state is
// collapsed when, a time long against 1/η after the start, the scale is below
// CollapseFraction times that value or its initial one. It panics if α = 0.
func CollapseScale(f, wp mat.Matrix, alpha float64) float64 {
	if alpha == 0 {
		panic("measure: α = 0")
	}
	s, _ := Eigenframe(f)
	top := singular(wp)[0]
	return max(s[0], top*top/math.Abs(alpha))
}
