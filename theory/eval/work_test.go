package eval

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
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

// TestEliminationsAreCounted: the numbers of an elimination grow as the matrix does, and it is not begun where that takes too long;
// short numbers, and few long ones, are no matter. An invertible matrix is mostly seen without.
func TestEliminationsAreCounted(t *testing.T) {
	entry := func(digits int, i, j int) *big.Rat {
		x, _ := new(big.Rat).SetString(fmt.Sprintf("%d/%s%d", (i*i+3*j+i*j*j)%17-8, big.NewInt(0).Exp(big.NewInt(7), big.NewInt(int64(digits)), nil), 1+2*((i*31+j*7)%50)))
		return x
	}
	for _, x := range []struct {
		says      string
		n, digits int
		tooMuch   bool
	}{
		{"tr(inv(A)) == 0", 20, 80, true},
		{"tr(inv(A)) == 0", 20, 1, false},
		{"tr(inv(A)) == 0", 3, 80, false},
		{"A + A^T psd", 40, 80, true},
		{"A + A^T psd", 12, 80, false},
		{"A invertible", 20, 80, false},
		{"A - A invertible", 20, 80, false},
	} {
		declared := "  size n\n  matrix A : n x n"
		if strings.Contains(x.says, "inv(") {
			declared += " invertible"
		}
		part := partOf(t, declared+"\n  says s: "+x.says+"\n")
		a := Matrix[*big.Rat]{R: x.n, C: x.n}
		for i := range x.n {
			for j := range x.n {
				a.A = append(a.A, entry(x.digits, i, j))
			}
		}
		_, err := Judge(Rational{}, part, State[*big.Rat]{Dims: map[lang.Dim]int{"n": x.n}, Vals: map[string]Matrix[*big.Rat]{"A": a}})
		if errors.Is(err, ErrTooMuch) != x.tooMuch || !x.tooMuch && err != nil {
			t.Errorf("%s of %d×%d entries of %d digits: %v", x.says, x.n, x.n, x.digits, err)
		}
	}
}

// TestRegularMatricesAreInvertible compares with elimination over the fractions: what is invertible modulo the prime is invertible,
// and seldom the other way round is nothing said.
func TestRegularMatricesAreInvertible(t *testing.T) {
	f := newField[*big.Rat](Rational{})
	rng := rand.New(rand.NewPCG(3, 5))
	regular, singular := 0, 0
	for range 2000 {
		n := 1 + rng.IntN(4)
		a := f.zeros(n, n)
		for i := range a.A {
			a.A[i] = big.NewRat(int64(rng.IntN(5)-2), int64(1+rng.IntN(3)))
		}
		_, err := f.inverse(a)
		if f.regular(a) != (err == nil) {
			t.Fatalf("%v: regular %v, inverse: %v", a, f.regular(a), err)
		}
		if err == nil {
			regular++
		} else {
			singular++
		}
	}
	if regular < 200 || singular < 200 {
		t.Errorf("%d regular, %d singular matrices", regular, singular)
	}
	// Multiples of the prime, and parts of it, tell nothing.
	for _, x := range []*big.Rat{big.NewRat(prime, 1), big.NewRat(1, prime)} {
		a := f.identity(2)
		a.A[0] = x
		if _, err := f.inverse(a); f.regular(a) || err != nil {
			t.Errorf("%v: regular %v, %v", x, f.regular(a), err)
		}
	}
	if f.regular(f.zeros(2, 3)) {
		t.Error("a matrix that is not square is regular")
	}
}
