package measure

import "gonum.org/v1/gonum/mat"

// Commutator returns L = [A, B] = A·B - B·A for square A, B of one size. With
// A = F and B = Wp it is the L of paper, Theorem 3 (claim thm3-identity).
func Commutator(a, b mat.Matrix) *mat.Dense {
	n := square(a, "A")
	if square(b, "B") != n {
		panic("measure: A and B differ in size")
	}
	var l, r mat.Dense
	l.Mul(a, b)
	r.Mul(b, a)
	l.Sub(&l, &r)
	return &l
}

// CommutatorNorm returns ‖[A, B]‖_F.
func CommutatorNorm(a, b mat.Matrix) float64 {
	return mat.Norm(Commutator(a, b), 2)
}

// NormalisedCommutator returns ‖[A, B]‖_F / (‖A‖_F ‖B‖_F), which is at most √2
// (Böttcher and Wenzel, Linear Algebra Appl. 429 (2008) 1864–1885) and does not
// change when A or B is scaled: the measure of alignment that does not mistake
// shrinking for aligning (claim thm3-alignment). It is NaN if A or B is zero.
func NormalisedCommutator(a, b mat.Matrix) float64 {
	return CommutatorNorm(a, b) / (mat.Norm(a, 2) * mat.Norm(b, 2))
}

// square returns the size of a and panics if a is not square.
func square(a mat.Matrix, name string) int {
	r, c := a.Dims()
	if r != c {
		panic("measure: " + name + " is not square")
	}
	return r
}
