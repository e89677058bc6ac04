package fuzz

import (
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Residual returns by how much a statement fails at a state, in exact arithmetic: of the matrix that should
// be zero the entry of largest magnitude, of an inequality the negative difference; of a statement about a
// stretch of time the same for what it says of the state (see eval.Judge); of a definite matrix the value of the form
// at a vector that makes it negative, or the determinant where only that shows it. It is zero if the
// statement does not fail or has no such number, as a count of zeros has none.
func Residual(part *lang.Part, w verdict.Witness) *big.Rat {
	top := new(big.Rat)
	fs, err := eval.Failures(eval.Rational{}, part, w)
	if err != nil {
		return top
	}
	for _, f := range fs {
		if f.Definite {
			return definite(f.Value)
		}
		for _, x := range f.Value.A {
			if new(big.Rat).Abs(x).Cmp(new(big.Rat).Abs(top)) > 0 {
				top = x
			}
		}
	}
	return top
}

// definite returns a number that shows that a square matrix is not positive semidefinite or definite: an entry
// of A − Aᵀ, or else the least value of xᵀAx over the vectors x of entries −3 … 3, or else det A. Of a matrix with more of
// these vectors than can be looked at, it is what elimination comes to.
func definite(a eval.Matrix[*big.Rat]) *big.Rat {
	n := a.R
	for i := range n {
		for j := range i {
			if d := new(big.Rat).Sub(a.At(i, j), a.At(j, i)); d.Sign() != 0 {
				return d
			}
		}
	}
	if n > mostVectors {
		return eliminated(a)
	}
	const reach = 3
	least := new(big.Rat)
	x := make([]int64, n)
	for i := range x {
		x[i] = -reach
	}
	for i := 0; i < n; {
		v := new(big.Rat)
		for r := range n {
			for c := range n {
				v.Add(v, new(big.Rat).Mul(a.At(r, c), big.NewRat(x[r]*x[c], 1)))
			}
		}
		if v.Cmp(least) < 0 {
			least = v
		}
		for i = 0; i < n; i++ {
			if x[i]++; x[i] <= reach {
				break
			}
			x[i] = -reach
		}
	}
	if least.Sign() < 0 {
		return least
	}
	return determinant(a)
}

// mostVectors is the largest size of a matrix whose form is looked at for all short vectors: there are 7ⁿ.
const mostVectors = 5

// eliminated is the first negative pivot of a symmetric matrix in symmetric elimination, a value of xᵀAx like every pivot; −1 where
// a pivot is zero and its row is not, since the form takes all values then; or else det A, the product of the pivots.
func eliminated(a eval.Matrix[*big.Rat]) *big.Rat {
	n, m, det := a.R, append([]*big.Rat(nil), a.A...), big.NewRat(1, 1)
	for c := range n {
		d := m[c*n+c]
		if d.Sign() < 0 {
			return d
		}
		det.Mul(det, d)
		for i := c + 1; i < n; i++ {
			if m[i*n+c].Sign() == 0 {
				continue
			}
			if d.Sign() == 0 {
				return big.NewRat(-1, 1)
			}
			f := new(big.Rat).Quo(m[i*n+c], d)
			for j := c + 1; j <= i; j++ {
				m[i*n+j] = new(big.Rat).Sub(m[i*n+j], new(big.Rat).Mul(f, m[j*n+c]))
			}
		}
	}
	return det
}

func determinant(a eval.Matrix[*big.Rat]) *big.Rat {
	n, m, det := a.R, append([]*big.Rat(nil), a.A...), big.NewRat(1, 1)
	for c := range n {
		p := c
		for p < n && m[p*n+c].Sign() == 0 {
			p++
		}
		if p == n {
			return new(big.Rat)
		}
		if p != c {
			det.Neg(det)
			for j := range n {
				m[p*n+j], m[c*n+j] = m[c*n+j], m[p*n+j]
			}
		}
		det.Mul(det, m[c*n+c])
		for i := c + 1; i < n; i++ {
			f := new(big.Rat).Quo(m[i*n+c], m[c*n+c])
			for j := c; j < n; j++ {
				m[i*n+j] = new(big.Rat).Sub(m[i*n+j], new(big.Rat).Mul(f, m[c*n+j]))
			}
		}
	}
	return det
}
