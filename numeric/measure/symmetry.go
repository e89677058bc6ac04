package measure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Asymmetry returns ‖A - Aᵀ‖_F / ‖A‖_F for square A: 0 for a symmetric matrix, 2
// for a skew one, √2 in the mean square for independent centred entries of one
// variance off the diagonal (an untrained predictor). It is NaN for A = 0.
func Asymmetry(a mat.Matrix) float64 {
	n := square(a, "A")
	var sum float64
	for i := range n {
		for j := range i {
			d := a.At(i, j) - a.At(j, i)
			sum += 2 * d * d
		}
	}
	return math.Sqrt(sum) / mat.Norm(a, 2)
}

// SymmetryTol is the relative asymmetry max|A - Aᵀ| / max|A| up to which the
// functions of this package that need a symmetric matrix take A for symmetric
// (and use its symmetric part). Products such as W·X·Wᵀ, formed in floating
// point, are symmetric to n·2⁻⁵³ relative to ‖W‖²‖X‖; 1e-9 leaves room for
// cancellation of six digits at n = 1000 and is far below every alignment that
// the theory speaks of.
const SymmetryTol = 1e-9

// symmetric returns the symmetric part of a and panics if a is not symmetric to
// SymmetryTol.
func symmetric(a mat.Matrix, name string) *mat.SymDense {
	n := square(a, name)
	s := mat.NewSymDense(n, nil)
	var diff, size float64
	for i := range n {
		for j := i; j < n; j++ {
			x, y := a.At(i, j), a.At(j, i)
			if x-x != 0 || y-y != 0 {
				panic("measure: " + name + " has a non-finite entry")
			}
			diff = max(diff, math.Abs(x-y))
			size = max(size, math.Abs(x), math.Abs(y))
			s.SetSym(i, j, x+(y-x)/2)
		}
	}
	if !(diff <= SymmetryTol*size) {
		panic(fmt.Sprintf("measure: %s is not symmetric: max|A-Aᵀ| = %.3g, max|A| = %.3g", name, diff, size))
	}
	return s
}

// Eigenframe returns the eigenvalues of the symmetric matrix A in descending
// order and the matrix whose columns are the matching orthonormal eigenvectors.
// It panics if A is not symmetric or has a non-finite entry.
func Eigenframe(a mat.Matrix) (values []float64, vectors *mat.Dense) {
	s := symmetric(a, "A")
	n := s.SymmetricDim()
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		panic("measure: the eigendecomposition did not converge")
	}
	up := eig.Values(nil)
	var q mat.Dense
	eig.VectorsTo(&q)
	values = make([]float64, n)
	vectors = mat.NewDense(n, n, nil)
	for j := range n {
		values[j] = up[n-1-j]
		for i := range n {
			vectors.Set(i, j, q.At(i, n-1-j))
		}
	}
	return values, vectors
}
