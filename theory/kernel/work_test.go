package kernel

import (
	"fmt"
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

// TestLongSummandsAreWork: under E a summand may be a product of any length, doubled by each of a few products, or grown in
// each of many summands.
func TestLongSummandsAreWork(t *testing.T) {
	s := NewSignature()
	if err := s.DeclareSize("n"); err != nil {
		t.Fatal(err)
	}
	declare := func(name string, class Class, cols Dim) *Term {
		x, err := s.DeclareMatrix(name, class, "n", cols)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	a, v := declare("A", Param, "n"), declare("v", Random, "1")
	unit := s.make(Power, 0, s.trace(s.mul(v, s.transpose(v))))
	sum := v
	for range 12 {
		sum = s.add(sum, sum)
	}
	grow := func(unit, sum *Term, doublings, factors int) map[string]*Term {
		for range doublings {
			unit = s.mul(unit, unit)
		}
		for range factors {
			sum = s.mul(a, sum)
		}
		return map[string]*Term{"doubled": unit, "grown": s.mul(sum, s.transpose(v))}
	}
	d := NewDynamics(s)
	if err := d.AddMoment(v, v, s.identity("n")); err != nil {
		t.Fatal(err)
	}
	c, err := NewContext(d, AtState)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range grow(unit, sum, 40, 440) {
		if _, err := c.Apply("modulo", formula(Equal, s.make(Expect, 0, x), s.make(Expect, 0, x)), nil); err == nil || !strings.Contains(err.Error(), "steps of unfolding") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, x := range grow(unit, s.add(v, v), 4, 4) {
		if _, err := c.Apply("modulo", formula(Equal, s.make(Expect, 0, x), s.make(Expect, 0, x)), nil); err != nil {
			t.Errorf("short %s: %v", name, err)
		}
	}
}

// TestReciprocalsCancelAtOnce: long products of generators and their reciprocals cancel in time that grows as their length does,
// or this does not end.
func TestReciprocalsCancelAtOnce(t *testing.T) {
	s := NewSignature()
	one := s.integer(1)
	x, y, r := one, one, one
	var nonzero []Hypothesis
	for i := range 300 {
		name := fmt.Sprintf("x%d", i)
		letter, err := s.DeclareScalar(name, Param)
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.DeclareScalar("y"+name, Param)
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range []*Term{letter, other} {
			nonzero = append(nonzero, Hypothesis{Here, formula(Unequal, z, s.integer(0))})
		}
		x, r, y = s.mul(x, letter), s.mul(r, s.make(Reciprocal, 0, letter)), s.mul(y, s.make(Reciprocal, 0, other))
	}
	c, err := NewContext(NewDynamics(s), AtState, nonzero...)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range nonzero {
		if _, err := c.Apply("hyp", h.formula, nil); err != nil {
			t.Fatal(err)
		}
	}
	long := s.mul(y, s.mul(x, s.mul(r, s.mul(x, s.mul(r, s.mul(x, r))))))
	if _, err := c.Apply("modulo", formula(Equal, long, y), nil); err != nil {
		t.Error(err)
	}
	if _, err := c.Apply("modulo", formula(Equal, s.mul(long, x), y), nil); err == nil {
		t.Error("what is left of them is not one")
	}
	if _, err := c.Apply("modulo", formula(Equal, s.mul(long, r), y), nil); err == nil {
		t.Error("what is left of their reciprocals is not one")
	}
}
