package metric

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"stopgrad/numeric/measure"
)

// PredictorEigenvalues returns the eigenvalues of W_p, which need not be
// symmetric, in falling order of their real parts, then of their imaginary parts.
// It panics when W_p is not square or not finite, or the iteration fails.
func PredictorEigenvalues(wp mat.Matrix) []complex128 {
	if !finite(mat.DenseCopyOf(wp)) {
		panic("metric: eigenvalues of a matrix that is not finite")
	}
	var eig mat.Eigen
	if !eig.Factorize(wp, mat.EigenNone) {
		panic("metric: no eigenvalues")
	}
	values := eig.Values(nil)
	slices.SortFunc(values, func(a, b complex128) int {
		return cmp.Or(cmp.Compare(real(b), real(a)), cmp.Compare(imag(b), imag(a)))
	})
	return values
}

// SpectralRadius is the largest modulus of values, 0 for none.
func SpectralRadius(values []complex128) float64 {
	r := 0.
	for _, v := range values {
		r = max(r, cmplx.Abs(v))
	}
	return r
}

// PredictorDiagonal returns p_j = v_jᵀ W_p v_j for the eigenvectors v_j of F in
// falling order of its eigenvalues s_j, and these. Where W_p and F share an
// eigenbasis the p_j are eigenvalues of W_p (claims decoupled and dp-invariance).
// It panics when shapes disagree or F is not finite.
func PredictorDiagonal(f mat.Symmetric, wp mat.Matrix) (p, s []float64) {
	s, v := measure.Eigenframe(f)
	checkSquare(wp, len(s))
	p = make([]float64, len(s))
	for j := range p {
		p[j] = mat.Inner(v.ColView(j), wp, v.ColView(j))
	}
	return p, s
}

// ParabolaCorrelation is the correlation over j of p_j and √max(s_j, 0), which
// is 1 on the invariant parabola s_j = p_j²/α_p. It is NaN for fewer than two
// eigenvalues or a constant side.
func ParabolaCorrelation(p, s []float64) float64 {
	if len(p) != len(s) {
		panic(fmt.Sprintf("metric: %d values p for %d values s", len(p), len(s)))
	}
	if len(p) < 2 {
		return math.NaN()
	}
	root := make([]float64, len(s))
	for j, v := range s {
		root[j] = math.Sqrt(max(v, 0))
	}
	return stat.Correlation(p, root, nil)
}

// TopCosine is the mean over F's k leading eigenvectors v_j of the cosine
// between W_p v_j and v_j (paper, figure 2):
//
//	(1/k) Σ_j  v_jᵀ W_p v_j / ‖W_p v_j‖
//
// 1 when all are eigenvectors of W_p with positive eigenvalue. A vector that
// W_p maps to zero counts 0. k above the dimension means all. It panics when
// k < 1, shapes disagree or F is not finite.
func TopCosine(f mat.Symmetric, wp mat.Matrix, k int) float64 {
	cos := measure.Cosines(f, wp)
	k = min(k, len(cos))
	if k < 1 {
		panic(fmt.Sprintf("metric: cosine of %d eigenvectors", k))
	}
	total := 0.
	for _, c := range cos[:k] {
		if !math.IsNaN(c) {
			total += c
		}
	}
	return total / float64(k)
}

// Alignment is what a linear predictor W_p looks like beside F.
type Alignment struct {
	Asymmetry  float64 // ‖W_p - W_pᵀ‖/‖W_p‖, see measure.Asymmetry
	Commutator float64 // ‖[F, W_p]‖/(‖F‖‖W_p‖), see measure.NormalisedCommutator
	TopCosine  float64 // see TopCosine
	Parabola   float64 // see ParabolaCorrelation
	P, S       []float64
}

// Align measures W_p against F, the cosine over k eigenvectors. Both must be
// finite; it panics as its parts do.
func Align(f mat.Symmetric, wp mat.Matrix, k int) Alignment {
	a := Alignment{Asymmetry: measure.Asymmetry(wp), Commutator: measure.NormalisedCommutator(f, wp), TopCosine: TopCosine(f, wp, k)}
	a.P, a.S = PredictorDiagonal(f, wp)
	a.Parabola = ParabolaCorrelation(a.P, a.S)
	return a
}

func checkSquare(m mat.Matrix, n int) {
	if r, c := m.Dims(); r != n || c != n {
		panic(fmt.Sprintf("metric: matrix of %d×%d, want %d×%d", r, c, n, n))
	}
}

// Balance returns the matrix that Theorem 1 sends to zero at the rate 2η,
//
//	W_L W_Lᵀ + b bᵀ - W_pᵀ W_p / α_p
//
// for the last layer f = W_L h + b before a linear predictor W_p f: W_L is d×k
// (outputs in rows), b has d entries or is nil, W_p is d×d. It holds whatever is
// upstream, for any loss, under gradient flow without momentum and with decay η
// on all three (claims thm1 and emp-align-sym). It panics when shapes disagree.
func Balance(wl mat.Matrix, b []float64, wp mat.Matrix, alpha float64) *mat.Dense {
	out := measure.Balance(wl, wp, alpha)
	if b != nil {
		d, _ := out.Dims()
		if len(b) != d {
			panic(fmt.Sprintf("metric: bias of %d entries for %d outputs", len(b), d))
		}
		v := mat.NewVecDense(d, b)
		out.RankOne(out, 1, v, v)
	}
	return out
}

// Tau estimates the scalar τ of W_a ≈ τW as the least-squares coefficient
// <W, W_a>/<W, W> of all weights together. It is NaN for W = 0, and it panics
// when the lengths differ.
func Tau(w, wa []float64) float64 {
	if len(w) != len(wa) {
		panic(fmt.Sprintf("metric: τ of %d and %d weights", len(w), len(wa)))
	}
	return floats.Dot(w, wa) / floats.Dot(w, w)
}
