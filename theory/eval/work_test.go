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

// TestRemaindersStayShort: the zeros of a polynomial of degree 19 with long coefficients are counted from remainders whose
// coefficients have no common divisor, and are those that its factors have.
func TestRemaindersStayShort(t *testing.T) {
	p := coefficients{big.NewRat(1, 1)}
	for k := range 8 {
		p = p.times(coefficients{big.NewRat(int64(5+k), 7), big.NewRat(1, 3), big.NewRat(1, 1)})
	}
	for k := range 3 {
		p = p.times(coefficients{big.NewRat(int64(k-1)*1_000_003, 1_000_001), big.NewRat(1, 1)})
	}
	if all, rising, falling := p.zeros(nil, nil, false, false); all != 3 || rising != 2 || falling != 1 {
		t.Errorf("%d zeros, %d rising, %d falling; want 3, 2, 1", all, rising, falling)
	}
	if all, _, _ := p.times(p).zeros(big.NewRat(0, 1), nil, false, false); all != 1 {
		t.Errorf("%d positive zeros of the square, want 1", all)
	}
	q := coefficients{big.NewRat(-6, 5), big.NewRat(9, 10), big.NewRat(3, 1)}.negated()
	for i, want := range []int64{4, -3, -10} {
		if q[i].Cmp(big.NewRat(want, 1)) != 0 {
			t.Errorf("coefficient %d is %s, want %d", i, q[i].RatString(), want)
		}
	}
	longest := 0
	for a, b := p, p.slope(); len(b) > 0; {
		_, r := a.over(b)
		a, b = b, r.negated()
		for _, c := range b {
			longest = max(longest, c.Num().BitLen())
		}
	}
	if longest == 0 || longest > 8_000 {
		t.Errorf("a coefficient of %d bits; without common divisors the longest is one of a subresultant, below 8000", longest)
	}
}
