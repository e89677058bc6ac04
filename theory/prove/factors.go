package prove

import (
	"math/big"

	"stopgrad/theory/cad"
	"stopgrad/theory/kernel"
)

// factorWork is the work that factors are worth (package cad).
const factorWork = 50_000

// byFactors proves a sign, or that something is not zero, of a polynomial in letters by that of its factors: those with even
// powers are squares, and of the others the signs are proved one by one.
func (s *state) byFactors(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	ts := f.Terms()
	k, ok := stated(f.Form())
	if !ok || k > nonzero || len(ts) != 2 || s.supposing {
		return none, false
	}
	u := s.unfold(s.differ(ts[0], ts[1]))
	if u == nil {
		return none, false
	}
	m, d := s.cleared(u)
	if m == nil || len(m) != 1 || m[""] == nil {
		return none, false
	}
	p := m[""].c
	letters, ok := lettersOf(p)
	if !ok || len(letters) == 0 || len(letters) > 4 || p.degree() > maxCellDegree {
		return none, false
	}
	place := map[*kernel.Term]int{}
	for i, x := range letters {
		place[x] = i
	}
	var with []cad.Sum
	for _, g := range s.signs {
		if !g.term.Scalar() || len(with) >= 12 {
			continue
		}
		q := s.polys.of(g.pure)
		gens, ok := lettersOf(q)
		for _, x := range gens {
			_, have := place[x]
			ok = ok && have
		}
		if ok && len(gens) > 0 && q.degree() <= p.degree() {
			with = append(with, q.sum(place))
		}
	}
	lead, fs, err := cad.Factors(p.sum(place), with, len(letters), factorWork)
	if err != nil || len(fs) < 2 && (len(fs) == 0 || fs[0].N < 2) {
		return none, false
	}
	var parts []*kernel.Term
	for _, g := range fs {
		q := poly{}
		for e, c := range g.P {
			var at []exponent
			for i, x := range letters {
				if e[i] > 0 {
					at = append(at, exponent{x, int(e[i])})
				}
			}
			q.put(c, at)
		}
		t := s.polys.term(q)
		switch {
		case g.N%2 == 0 && k == nonnegative:
		case g.N%2 == 0 || k == nonzero:
			if !s.shown(nonzero, t) {
				return none, false
			}
		default:
			if !s.shown(k, t) {
				if t = s.polys.term(poly{}.plus(q, big.NewRat(-1, 1))); !s.shown(k, t) {
					return none, false
				}
				lead.Neg(lead)
			}
		}
		if g.N > 1 {
			t = s.power(t, g.N)
		}
		parts = append(parts, t)
	}
	if lead.Sign() < 0 && k != nonzero {
		return none, false
	}
	t := s.product(append([]*kernel.Term{s.number(lead)}, parts...))
	if d.Head() != kernel.Number {
		t = s.mul(s.reciprocal(d), t)
	}
	th, ok := s.prove(k, t)
	if !ok {
		return none, false
	}
	out, err := s.apply("transport", f, []kernel.Theorem{th})
	return out, err == nil
}

// shown proves k of a factor by all means, and keeps the theorem at hand.
func (s *state) shown(k kind, t *kernel.Term) bool {
	if s.has(k, t) {
		return true
	}
	th, ok := s.order(s.state(k, t))
	if !ok && k == nonzero {
		for _, m := range []*kernel.Term{t, s.negated(t)} {
			if pos, found := s.order(s.state(positive, m)); found {
				ne, err := s.apply("weaken", s.state(nonzero, m), []kernel.Theorem{pos})
				if err != nil {
					continue
				}
				if th = ne; m != t {
					if th, err = s.apply("transport", s.state(nonzero, t), []kernel.Theorem{ne}); err != nil {
						continue
					}
				}
				ok = true
				break
			}
		}
	}
	if ok {
		s.reached++
		s.keepTheorem(k, t, th)
	}
	return ok
}
