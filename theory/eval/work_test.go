package eval

import (
	"errors"
	"math/big"
	"testing"

	"stopgrad/theory/lang"
)

// TestWorkAtAState: products of large matrices, and large matrices to decide on, end an evaluation before they are made. At
// size 1 they are small.
func TestWorkAtAState(t *testing.T) {
	const head = "  size n\n  matrix A, B : n x n\n  let K = kron(kron(kron(A, B), kron(A, A)), kron(A, B))\n"
	for _, says := range []string{"tr(K*K^T*K) >= -1", "K invertible"} {
		part := partOf(t, head+"  says s: "+says+"\n")
		for _, n := range []int{1, 3} {
			a := Matrix[*big.Rat]{R: n, C: n}
			for i := range n * n {
				a.A = append(a.A, big.NewRat(int64(i*i%7-3), 2))
			}
			st := State[*big.Rat]{Dims: map[lang.Dim]int{"n": n}, Vals: map[string]Matrix[*big.Rat]{"A": a, "B": a}}
			if _, err := Judge(Rational{}, part, st); Unaffordable(err) != (n == 3) || n == 3 && !errors.Is(err, ErrTooMuch) {
				t.Errorf("%s at n = %d: %v", says, n, err)
			}
			if _, err := Judge(Float{}, part, st.Floats()); Unaffordable(err) != (n == 3) {
				t.Errorf("%s at n = %d in float64: %v", says, n, err)
			}
		}
	}
}

// TestProductsOfMatricesAreMetered: an arithmetic that counts work counts products of matrices.
func TestProductsOfMatricesAreMetered(t *testing.T) {
	a := Matrix[*big.Rat]{R: 20, C: 20}
	for i := range 400 {
		a.A = append(a.A, big.NewRat(int64(i), 3))
	}
	m := NewMetered()
	f := newField[*big.Rat](m)
	if f.mul(a, a); m.Spent() != 20*20*20/8 {
		t.Errorf("a product of 20×20 matrices counts as %d", m.Spent())
	}
}
