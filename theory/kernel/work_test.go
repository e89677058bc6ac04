package kernel

import (
	"math/big"
	"strings"
	"testing"
)

// TestLongWordsAndNumbersAreWork tries terms of few products of monomials each of which takes long: long words under a
// trace, which is as long as their rotations are many, runs of diagonal letters to be sorted, and long coefficients.
func TestLongWordsAndNumbersAreWork(t *testing.T) {
	s := NewSignature()
	if err := s.DeclareSize("n"); err != nil {
		t.Fatal(err)
	}
	letter := func(name string) *Term {
		x, err := s.DeclareMatrix(name, Param, "n", "n")
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	a, b, d, e := letter("A"), letter("B"), letter("D"), letter("F")
	var hyps []Hypothesis
	for _, x := range []*Term{d, e} {
		hyps = append(hyps, Hypothesis{Here, formula(Diagonal, x)})
	}
	c, err := NewContext(NewDynamics(s), AtState, hyps...)
	if err != nil {
		t.Fatal(err)
	}
	power := func(x *Term, k int) *Term { return s.make(Power, k, x) }
	p := s.integer(0)
	for i, q := range []*big.Rat{big.NewRat(3, 7), big.NewRat(5, 11), big.NewRat(13, 17), big.NewRat(19, 23), big.NewRat(29, 31)} {
		x, err := s.DeclareScalar(string(rune('p'+i)), Param)
		if err != nil {
			t.Fatal(err)
		}
		p = s.add(p, s.mul(power(s.number(q), 500), x))
	}
	for name, sides := range map[string][2]*Term{
		"long words":       {s.trace(power(s.mul(a, b), 2000)), s.trace(power(s.mul(b, a), 2000))},
		"diagonal letters": {s.trace(power(s.mul(d, e), 1000)), s.trace(power(s.mul(e, d), 1000))},
		"coefficients":     {power(p, 12), s.mul(power(p, 6), power(p, 6))},
	} {
		_, err := c.Apply("modulo", formula(Equal, sides[0], sides[1]), nil)
		if err == nil || !strings.Contains(err.Error(), "more work than") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, sides := range map[string][2]*Term{
		"words":            {s.trace(power(s.mul(a, b), 40)), s.trace(power(s.mul(b, a), 40))},
		"diagonal letters": {s.trace(power(s.mul(d, e), 40)), s.trace(power(s.mul(e, d), 40))},
		"coefficients":     {power(p, 2), s.mul(p, p)},
	} {
		if _, err := c.Apply("modulo", formula(Equal, sides[0], sides[1]), nil); err != nil {
			t.Errorf("short %s: %v", name, err)
		}
	}
}
