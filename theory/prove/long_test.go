package prove

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/univariate"
)

// TestLongCoefficients: polynomials in one letter whose coefficients have thousands of digits are factored, as what has no
// multiple factor is seen to have none at once.
func TestLongCoefficients(t *testing.T) {
	var terms []string
	for k := 1; k <= 20; k++ {
		terms = append(terms, fmt.Sprintf("(%d^39)^19*x^%d", 17+2*k, k))
	}
	sum := strings.Join(terms, " + ")
	for _, says := range []string{sum + " > 0", "(59^30)^30 - (" + sum + ") > 0\n    assume h: x <= 1"} {
		f, err := lang.Parse(lang.Source{Name: "a.claim", Text: "claim c\n  title t\n  scalar x > 0\n  says s: " + says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := lang.Elaborate(f.Claims[0].Parts[0])
		if err != nil {
			t.Fatal(err)
		}
		if out := Prove(context.Background(), r, Options{Search: true}); out.Failure() != nil {
			t.Errorf("%.60s…: %v", says, out.Failure())
		}
	}
}

// TestLongNumbersThatCancel: a product counts as what its factors are long, however short it is.
func TestLongNumbersThatCancel(t *testing.T) {
	s, _ := stateOf(t, "claim c\n  title t\n  printed nowhere\n  scalar x\n  says s: x >= 0\n")
	a := new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(9), big.NewInt(2000), nil), new(big.Int).Exp(big.NewInt(49), big.NewInt(1000), nil))
	words := a.Num().BitLen() / 64
	p, q := poly{}, poly{}
	p.put(a, nil)
	q.put(new(big.Rat).Inv(a), nil)
	before := s.labour
	if s.polys.times(p, q); before-s.labour < words*words {
		t.Errorf("a product of numbers of %d words counts as %d", words, before-s.labour)
	}
}

// TestFactoringIsBounded: a square of long coefficients is left alone, as its factors would be long in coming, and a square of
// short ones is not.
func TestFactoringIsBounded(t *testing.T) {
	for digits, want := range map[int64]bool{1: true, 2000: false} {
		s, _ := stateOf(t, "claim c\n  title t\n  printed nowhere\n  scalar x > 0\n  says s: x >= 0\n")
		p := univariate.New(big.NewRat(1, 1))
		for k := range int64(3) {
			long := new(big.Int).Exp(big.NewInt(7+2*k), big.NewInt(digits), nil)
			p = p.Times(univariate.New(new(big.Rat).SetInt(long), big.NewRat(1, 1), big.NewRat(1, 1)))
		}
		p = p.Times(p)
		p = p.Times(p)
		before := s.labour
		found := s.factored(nonnegative, p, s.ctx.Signature().Lookup("x")) != nil
		if found != want || !found && s.labour != before {
			t.Errorf("with numbers of %d digits: factored %v, %d operations", digits, found, before-s.labour)
		}
	}
}
