package measure

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Cosines returns, for the eigenvectors u_j of the symmetric matrix F in
// descending order of its eigenvalues,
//
//	cos_j = u_jᵀ Wp u_j / ‖Wp u_j‖
//
// the measure of paper, Figure 2: 1 when u_j is an eigenvector of Wp with a
// positive eigenvalue, -1 with a negative one. An entry is NaN where Wp u_j = 0.
// Where an eigenvalue of F is (nearly) repeated u_j is an arbitrary vector of the
// eigenspace and its cosine says nothing; FrameAngle handles that case.
func Cosines(f, wp mat.Matrix) []float64 {
	n := square(f, "F")
	if square(wp, "Wp") != n {
		panic("measure: F and Wp differ in size")
	}
	_, u := Eigenframe(f)
	var v mat.Dense
	v.Mul(wp, u)
	cos := make([]float64, n)
	for j := range n {
		var dot, norm2 float64
		for i := range n {
			dot += u.At(i, j) * v.At(i, j)
			norm2 += v.At(i, j) * v.At(i, j)
		}
		cos[j] = dot / math.Sqrt(norm2)
	}
	return cos
}

// DefaultGap is the relative eigenvalue gap below which FrameAngle treats
// eigenvalues as one: an eigenvector is determined to about 2⁻⁵³/gap, so at 1e-6
// each eigenspace is known to better than 1e-9 radians.
const DefaultGap = 1e-6

// FrameAngle returns the angle in radians, between 0 and π/4, by which the
// eigenframes of the symmetric matrices A and B fail to match.
//
// Let U_c and V_d be orthonormal bases of the eigenspaces of A and of B, where
// neighbouring eigenvalues whose gap is at most gap·max|λ| belong to one
// eigenspace. A and B have a common eigenframe exactly when every principal
// angle between every U_c and V_d is 0 or π/2. With the principal angles
// cos θ = σ(U_cᵀ V_d) the measure is
//
//	max over c, d and principal angles of min(θ, π/2 - θ).
//
// It needs no choice of which eigenvector belongs to which, does not depend on
// bases inside a degenerate eigenspace, is symmetric in A and B, unchanged under
// scaling of either and under a common orthogonal conjugation, and for a rotation
// of one frame by a small angle in the plane of two eigenvectors it is that angle.
// Beyond π/4 such a rotation is nearer to the frame with the two exchanged.
//
// FrameAngle panics if A or B is not symmetric (SymmetryTol), if the sizes differ,
// or if gap is negative.
func FrameAngle(a, b mat.Matrix, gap float64) float64 {
	if !(gap >= 0) {
		panic("measure: negative gap")
	}
	if square(a, "A") != square(b, "B") {
		panic("measure: A and B differ in size")
	}
	av, u := Eigenframe(a)
	bv, v := Eigenframe(b)
	var m mat.Dense
	m.Mul(u.T(), v)
	ac, bc := clusters(av, gap), clusters(bv, gap)
	var worst float64
	for c := range len(ac) - 1 {
		for d := range len(bc) - 1 {
			for _, th := range principalAngles(&m, ac[c], ac[c+1], bc[d], bc[d+1]) {
				worst = max(worst, min(th, math.Pi/2-th))
			}
		}
	}
	return worst
}

// clusters returns the boundaries 0 = i₀ < i₁ < … = n of the runs of descending
// values whose neighbours differ by at most gap·max|λ|.
func clusters(values []float64, gap float64) []int {
	var size float64
	for _, x := range values {
		size = max(size, math.Abs(x))
	}
	cuts := []int{0}
	for i := 1; i < len(values); i++ {
		if values[i-1]-values[i] > gap*size {
			cuts = append(cuts, i)
		}
	}
	return append(cuts, len(values))
}

// principalAngles returns the principal angles between the span of columns
// r0…r1-1 of U and of columns c0…c1-1 of V, for orthogonal U, V with m = Uᵀ V.
//
// The cosines are the singular values of the block m[r0:r1, c0:c1] and lose half
// the digits of a small angle; the sines are those of the rest of the shorter
// side's rows or columns and lose half the digits near π/2. Both together (Björck
// and Golub, Math. Comp. 27 (1973) 579–594) give every angle to round-off.
func principalAngles(m *mat.Dense, r0, r1, c0, c1 int) []float64 {
	n, _ := m.Dims()
	cos := singular(m.Slice(r0, r1, c0, c1))
	var rest *mat.Dense
	if c1-c0 <= r1-r0 {
		rest = outside(m, r0, r1, c0, c1, n)
	} else {
		rest = outside(m.T(), c0, c1, r0, r1, n)
	}
	sin := make([]float64, len(cos)) // descending; absent ones are zero
	if rest != nil {
		copy(sin, singular(rest))
	}
	th := make([]float64, len(cos))
	for i := range th {
		th[i] = math.Atan2(sin[len(sin)-1-i], cos[i])
	}
	return th
}

// outside returns columns c0…c1-1 of m without its rows r0…r1-1, or nil if these are
// all n rows.
func outside(m mat.Matrix, r0, r1, c0, c1, n int) *mat.Dense {
	if r1-r0 == n {
		return nil
	}
	out := mat.NewDense(n-(r1-r0), c1-c0, nil)
	for i, k := 0, 0; i < n; i++ {
		if i >= r0 && i < r1 {
			continue
		}
		for j := c0; j < c1; j++ {
			out.Set(k, j-c0, m.At(i, j))
		}
		k++
	}
	return out
}

// singular returns the singular values of m in descending order.
func singular(m mat.Matrix) []float64 {
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDNone) {
		panic("measure: the singular values did not converge (non-finite entry)")
	}
	return svd.Values(nil)
}
