package fuzz

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// TestEliminatedIsNegativeWhereAFormIs: of a symmetric matrix elimination comes to a negative number where a short vector makes
// the form negative, and to the determinant where the matrix is positive semidefinite.
func TestEliminatedIsNegativeWhereAFormIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	negative, semidefinite := 0, 0
	for range 600 {
		n := 1 + r.IntN(3)
		a := eval.Matrix[*big.Rat]{R: n, C: n, A: make([]*big.Rat, n*n)}
		for i := range n {
			for j := range i + 1 {
				x := big.NewRat(int64(r.IntN(7)-2), int64(1+r.IntN(2)))
				a.A[i*n+j], a.A[j*n+i] = x, x
			}
		}
		e, d := eliminated(a), definite(a)
		switch {
		case d.Sign() < 0:
			if negative++; e.Sign() >= 0 {
				t.Errorf("%v: %s, and a vector gives %s", a.A, e.RatString(), d.RatString())
			}
		case e.Sign() >= 0:
			if semidefinite++; e.Cmp(determinant(a)) != 0 {
				t.Errorf("%v: %s is not the determinant", a.A, e.RatString())
			}
		}
	}
	if negative < 100 || semidefinite < 20 {
		t.Errorf("only %d indefinite and %d semidefinite matrices", negative, semidefinite)
	}
}

// TestLargeFormsAreMadeSmall: a counterexample with a matrix that has more short vectors than any time is made small.
func TestLargeFormsAreMadeSmall(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n  size n\n  matrix A : n x n symmetric\n  says s: A psd\n    for n = 8\n"})
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claims[0].Parts[0]
	a := eval.Matrix[*big.Rat]{R: 8, C: 8}
	for i := range 64 {
		a.A = append(a.A, big.NewRat(int64(i/8*(i%8)-3), 1))
	}
	w := verdict.Witness{Dims: map[lang.Dim]int{"n": 8}, Vals: map[string]eval.Matrix[*big.Rat]{"A": a}}
	m := Minimise(context.Background(), part, w)
	if x := Residual(part, m.Witness); x.Sign() >= 0 || !m.To.Less(m.From) {
		t.Errorf("from %v to %v, with %s", m.From, m.To, x.RatString())
	}
}

// TestConfirmingEnds: where each question takes long numbers, a minimisation ends by its work.
func TestConfirmingEnds(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n  scalar x, y\n  let b = ((7/3)^64)^32\n  says s: (x + b*y)*(x - b*y)*(b*x + 1/b) != 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claims[0].Parts[0]
	w := verdict.Witness{Vals: map[string]eval.Matrix[*big.Rat]{"x": eval.ScalarOf(new(big.Rat)), "y": eval.ScalarOf(new(big.Rat))}}
	keep := confirms(part, w)
	asked := 0
	w.Vals["x"] = eval.ScalarOf(big.NewRat(1, 1)) // where it holds
	for ; asked < 20_000; asked++ {
		if keep(w) {
			t.Fatal("the statement does not fail there")
		}
	}
	w.Vals["x"] = eval.ScalarOf(new(big.Rat))
	if keep(w) {
		t.Error("after 20,000 questions of long numbers one more is answered")
	}
}
