package prove

import (
	"fmt"
	"math/big"
	"sort"

	"stopgrad/theory/kernel"
	"stopgrad/theory/univariate"
)

// maxDegree is the degree of the polynomials in one letter that are looked at.
const maxDegree = 128

// Limits of the branching on boxes.
const (
	maxSplits = 160
	maxHeight = 16
)

// inOne reads a polynomial in x alone, of a degree that is looked at.
func inOne(p poly, x *kernel.Term) (univariate.Polynomial, bool) {
	var c []*big.Rat
	for _, m := range p {
		n := 0
		switch {
		case len(m.at) == 1 && m.at[0].g == x && m.at[0].n > 0:
			n = m.at[0].n
		case len(m.at) > 0:
			return nil, false
		}
		if n > maxDegree {
			return nil, false
		}
		for len(c) <= n {
			c = append(c, new(big.Rat))
		}
		c[n] = m.c
	}
	return univariate.New(c...), true
}

// of writes a polynomial in x.
func of(c univariate.Polynomial, x *kernel.Term) poly {
	p := poly{}
	for n, v := range c {
		var at []exponent
		if n > 0 {
			at = []exponent{{x, n}}
		}
		p.put(v, at)
	}
	return p
}

// univariate proves the sign of a polynomial in one letter on what is known of the letter's range: what stands in it
// with even powers is a square, and the rest has one sign there.
func (s *state) univariate(f kernel.Formula, x *kernel.Term) (kernel.Theorem, error) {
	none := fmt.Errorf("the sign is not constant on the domain of %s, or a symbol other than it occurs, or a power above %d", kernel.Print(x), maxDegree)
	ts := f.Terms()
	var k kind
	switch f.Form() {
	case kernel.AtLeast:
		k = nonnegative
	case kernel.Greater:
		k = positive
	default:
		return kernel.Theorem{}, errForm
	}
	for _, t := range ts {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, err
		}
	}
	u := s.unfold(s.difference(ts[0], ts[1]))
	if u == nil {
		return kernel.Theorem{}, none
	}
	m, d := s.cleared(u)
	if m == nil || m[""] == nil {
		return kernel.Theorem{}, none
	}
	c, ok := inOne(m[""].c, x)
	if !ok || len(c) < 2 {
		return kernel.Theorem{}, none
	}
	sum := s.factored(k, c, x)
	if sum == nil {
		return kernel.Theorem{}, none
	}
	if d.Head() != kernel.Number {
		sum = s.mul(s.reciprocal(d), sum)
	}
	th, ok := s.prove(k, sum)
	if !ok {
		return kernel.Theorem{}, none
	}
	return s.apply("transport", f, []kernel.Theorem{th})
}

// factored writes a polynomial as a product of factors whose signs are proved, or returns nil.
func (s *state) factored(k kind, c univariate.Polynomial, x *kernel.Term) *kernel.Term {
	// What is worked out on words here takes as long as some thirty operations in floating point.
	labour := 30 * c.Factoring()
	if labour > s.labour/4 {
		return nil
	}
	s.spend(labour)
	lead := new(big.Rat).Set(c[len(c)-1])
	var parts []*kernel.Term
	lo, hi := s.rangeOf(x)
	for n, f := range c.Factors() {
		if len(f) < 2 {
			continue
		}
		// Ends of the range that are zeros are factors of their own.
		var fs []univariate.Polynomial
		for _, b := range []*bound{lo, hi} {
			if b != nil && f.At(b.at).Sign() == 0 {
				g := univariate.Linear(b.at)
				fs = append(fs, g)
				f, _ = f.Divide(g)
			}
		}
		if len(f) > 1 {
			fs = append(fs, f)
		}
		for _, f := range fs {
			t := s.polys.term(of(f, x))
			if n%2 == 0 {
				if k == positive {
					if _, ok := s.prove(nonzero, t); !ok && !s.definite(f, x) {
						return nil
					}
				}
				parts = append(parts, s.power(t, n))
				continue
			}
			minus := s.polys.term(of(f.Negated(), x))
			switch {
			case s.has(k, t) || s.definite(f, x):
			case s.has(k, minus) || s.definite(f.Negated(), x):
				lead.Neg(lead)
				t = minus
			default:
				return nil
			}
			if n > 1 {
				t = s.power(t, n)
			}
			parts = append(parts, t)
		}
	}
	if lead.Sign() < 0 {
		return nil
	}
	return s.product(append([]*kernel.Term{s.number(lead)}, parts...))
}

func (s *state) has(k kind, t *kernel.Term) bool {
	_, ok := s.prove(k, t)
	return ok
}

// definite proves that a polynomial is positive on the range of x, by branching.
func (s *state) definite(c univariate.Polynomial, x *kernel.Term) bool {
	// A look at some points first.
	lo, hi := s.rangeOf(x)
	for i := -8; i <= 8; i++ {
		at := big.NewRat(int64(i), 2)
		if lo != nil && at.Cmp(lo.at) < 0 || hi != nil && at.Cmp(hi.at) > 0 {
			continue
		}
		if c.At(at).Sign() <= 0 {
			return false
		}
	}
	p := of(c, x)
	splits := maxSplits
	t := s.polys.term(p)
	th, ok := s.onBox(s.state(positive, t), p, &splits, 0)
	if ok {
		s.reached++
		s.keepTheorem(positive, t, th)
	}
	return ok
}

// bound is what is known of one end of a letter's range.
type bound struct {
	at   *big.Rat
	fact fact
}

// rangeOf finds the best bounds by numbers among the facts.
func (s *state) rangeOf(x *kernel.Term) (lo, hi *bound) {
	for _, f := range s.signs {
		if f.kind > positive || !f.term.Scalar() {
			continue
		}
		p := s.polys.of(f.pure)
		if p == nil {
			continue
		}
		c, ok := inOne(p, x)
		if !ok || len(c) != 2 {
			continue
		}
		b := &bound{new(big.Rat).Neg(new(big.Rat).Quo(c[0], c[1])), f}
		if c[1].Sign() > 0 {
			if lo == nil || b.at.Cmp(lo.at) > 0 {
				lo = b
			}
		} else if hi == nil || b.at.Cmp(hi.at) < 0 {
			hi = b
		}
	}
	return lo, hi
}

// atLeast proves a ≥ b, for a bound by a number, from the fact that says it of a multiple.
func (s *state) atLeast(a, b *kernel.Term) (kernel.Theorem, bool) {
	d := s.differ(a, b)
	th, ok := s.prove(nonnegative, d)
	if !ok {
		return th, false
	}
	th, err := s.apply("transport", s.formula(kernel.AtLeast, a, b), []kernel.Theorem{th})
	return th, err == nil
}

// onBox proves p > 0 or p ≥ 0, for a polynomial in letters, by Bernstein coefficients on the box of what is known of the
// letters, which is split where they do not show it.
func (s *state) onBox(f kernel.Formula, p poly, splits *int, height int) (kernel.Theorem, bool) {
	var none kernel.Theorem
	s.patience()
	gens := map[*kernel.Term]bool{}
	var letters []*kernel.Term
	for _, m := range p.sorted() {
		for _, e := range m.at {
			if e.n < 0 || e.g.Head() != kernel.Letter {
				return none, false
			}
			if !gens[e.g] {
				gens[e.g] = true
				letters = append(letters, e.g)
			}
		}
	}
	sort.Slice(letters, func(i, j int) bool { return letters[i].ID() < letters[j].ID() })
	if len(letters) == 0 || len(letters) > 4 {
		return none, false
	}
	var premises []kernel.Theorem
	with := map[*kernel.Term]*kernel.Term{}
	var cut *kernel.Term
	var where, width *big.Rat
	for _, x := range letters {
		lo, hi := s.rangeOf(x)
		if lo == nil && hi == nil {
			return s.halves(f, p, x, new(big.Rat), splits, height)
		}
		y := x
		if lo == nil {
			// The half-line to the left is one of −x.
			y = s.neg(x)
			with[x] = s.neg(y)
			lo = &bound{new(big.Rat).Neg(hi.at), hi.fact}
			hi = nil
		}
		th, ok := s.atLeast(y, s.number(lo.at))
		if !ok {
			return none, false
		}
		premises = append(premises, th)
		if hi == nil {
			if width == nil {
				cut = x
				where = new(big.Rat).Add(new(big.Rat).Mul(new(big.Rat).Abs(lo.at), big.NewRat(2, 1)), big.NewRat(1, 1))
				if y != x {
					where.Neg(where)
				}
			}
			continue
		}
		if th, ok = s.atLeast(s.number(hi.at), x); !ok {
			return none, false
		}
		premises = append(premises, th)
		if w := new(big.Rat).Sub(hi.at, lo.at); cut == nil || width != nil && w.Cmp(width) > 0 {
			cut, width = x, w
			where = new(big.Rat).Mul(new(big.Rat).Add(hi.at, lo.at), big.NewRat(1, 2))
		}
	}
	t := s.polys.term(p)
	if len(with) > 0 {
		t = s.substitute(t, with)
	}
	k := positive
	if f.Form() == kernel.AtLeast {
		k = nonnegative
	}
	if th, ok := s.by("bernstein", k, t, premises...); ok {
		if th.Formula().Same(f) {
			return th, true
		}
		if th, err := s.apply("transport", f, []kernel.Theorem{th}); err == nil {
			return th, true
		}
		return none, false
	}
	return s.halves(f, p, cut, where, splits, height)
}

// halves splits at x = m.
func (s *state) halves(f kernel.Formula, p poly, x *kernel.Term, m *big.Rat, splits *int, height int) (kernel.Theorem, bool) {
	var none kernel.Theorem
	if *splits--; *splits < 0 || height >= maxHeight {
		return none, false
	}
	t := x
	if m.Sign() != 0 {
		t = s.sub(x, s.number(m))
	}
	zero := s.integer(0)
	var premises []kernel.Theorem
	for _, h := range []kernel.Formula{s.formula(kernel.AtLeast, t, zero), s.formula(kernel.AtLeast, zero, t)} {
		half := s.extended(s, h)
		th, ok := half.onBox(f, p, splits, height+1)
		if !ok {
			return none, false
		}
		premises = append(premises, th)
	}
	th, err := s.apply("split", f, premises, t)
	return th, err == nil
}

// polynomial proves the sign of a polynomial in letters with ranges: in one letter exactly, in several by branching.
func (s *state) polynomial(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	if f.Form() != kernel.AtLeast && f.Form() != kernel.Greater {
		return none, false
	}
	ts := f.Terms()
	u := s.unfold(s.difference(ts[0], ts[1]))
	if u == nil {
		return none, false
	}
	m, d := s.cleared(u)
	if m == nil || m[""] == nil {
		return none, false
	}
	p := m[""].c
	var only *kernel.Term
	several := false
	for _, mo := range p.sorted() {
		for _, e := range mo.at {
			if e.g.Head() != kernel.Letter {
				return none, false
			}
			several = several || only != nil && e.g != only
			only = e.g
		}
	}
	if only == nil {
		return none, false
	}
	if !several {
		th, err := s.univariate(f, only)
		return th, err == nil
	}
	k := positive
	if f.Form() == kernel.AtLeast {
		k = nonnegative
	}
	// Only where every letter has a range at both ends, or there is no end to it.
	for _, mo := range p {
		for _, e := range mo.at {
			if lo, hi := s.rangeOf(e.g); lo == nil || hi == nil {
				return none, false
			}
		}
	}
	t := s.polys.term(p)
	splits := maxSplits
	th, ok := s.onBox(s.state(k, t), p, &splits, 0)
	if !ok {
		return none, false
	}
	s.reached++
	s.keepTheorem(k, t, th)
	if d.Head() != kernel.Number {
		t = s.mul(s.reciprocal(d), t)
		if th, ok = s.prove(k, t); !ok {
			return none, false
		}
	}
	out, err := s.apply("transport", f, []kernel.Theorem{th})
	return out, err == nil
}
