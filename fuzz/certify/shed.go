package certify

import (
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/region"
)

// findSheds looks for semidefinite matrices of the hypotheses that stand in the matrix of the goal with a factor, so that
// taking them off leaves a statement in fewer coordinates.
func findSheds(c *kernel.Context, goal kernel.Formula, m *meter) (out []region.Shed) {
	reading := new(region.Meter)
	all := reading.Left()
	defer func() { m.charge(all - reading.Left()) }()
	if f := goal.Form(); f != kernel.Semidefinite && f != kernel.Definite {
		return nil
	}
	for i, h := range c.Hypotheses() {
		f := h.Formula()
		if f.Form() != kernel.Semidefinite && f.Form() != kernel.Definite || f.Terms()[0].Head() != kernel.Letter {
			continue
		}
		s, err := reading.State(c, goal, out...)
		if err != nil {
			return out
		}
		entry := f.Terms()[0].Symbol().Name() + ".1.1"
		t := factor(s, c.Signature(), entry)
		if t == nil {
			continue
		}
		with := append(append([]region.Shed(nil), out...), region.Shed{Hypothesis: i, Term: t})
		if shed, err := reading.State(c, goal, with...); err == nil && !mentions(shed, entry, m) {
			out = with
		}
	}
	return out
}

// mentions reports whether a coordinate occurs in what is to be shown.
func mentions(s *region.Statement, name string, m *meter) bool {
	names := s.Names()
	for _, c := range s.Conditions() {
		for _, k := range newTape(c.Expr, nil, m).coords {
			if names[k] == name {
				return true
			}
		}
	}
	return false
}

// factor is what the entry is multiplied with in the first polynomial in which it occurs, linearly and by scalars.
func factor(s *region.Statement, sig *kernel.Signature, entry string) *kernel.Term {
	names := s.Names()
	for _, c := range s.Conditions() {
		num, den, err := s.Fraction(c.Expr)
		if err != nil || len(den) > 0 {
			continue
		}
		var sum *kernel.Term
		for _, m := range num {
			if !has(m, names, entry) {
				continue
			}
			t, err := sig.Number(m.Coefficient)
			if err != nil {
				return nil
			}
			for v := range region.FirstRoot {
				n := m.Exponents[v]
				if n == 0 || v >= len(names) || names[v] == entry {
					continue
				}
				x := sig.Lookup(names[v])
				if x == nil || !x.Scalar() {
					return nil
				}
				p, err := sig.Make(kernel.Power, n, x)
				if err != nil {
					return nil
				}
				if t, err = sig.Make(kernel.Product, 0, t, p); err != nil {
					return nil
				}
			}
			if sum == nil {
				sum = t
			} else if sum, err = sig.Make(kernel.Sum, 0, sum, t); err != nil {
				return nil
			}
		}
		if sum != nil {
			return sum
		}
	}
	return nil
}

func has(m region.Monomial, names []string, entry string) bool {
	for v, n := range m.Exponents {
		if v < len(names) && names[v] == entry {
			return n == 1 && m.Coefficient.Cmp(new(big.Rat)) != 0
		}
	}
	return false
}
