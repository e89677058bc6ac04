package cad

import "math/big"

// Factor is a polynomial with how often it divides another.
type Factor struct {
	P Sum
	N int
}

// Factors writes p, not zero, in n letters as lead·Π Pᴺ with pairwise coprime square-free factors of positive degree, apart
// at letters, at what they have in common with the polynomials of with, at common divisors of coefficients, and, of those in
// one letter, at zeros that are simple fractions. They need not be irreducible. Work bounds the products of machine words.
func Factors(p Sum, with []Sum, n, work int) (lead *big.Rat, out []Factor, err error) {
	defer caught(&err)
	w := &meter{work}
	order := p.letters()
	full := p.ordered(order)
	parts := w.split(full)
	for _, l := range order {
		parts = w.apartAt(parts, Letter(l, n).ordered(order))
	}
	for _, q := range with {
		if len(q) > 0 && inside(q.letters(), order) {
			parts = w.apartAt(parts, q.ordered(order))
		}
	}
	parts = w.linear(parts)
	rest := full
	for _, f := range parts {
		k := 0
		for {
			q, ok := w.divide(rest, f)
			if !ok {
				break
			}
			rest = q
			k++
		}
		if k > 0 {
			out = append(out, Factor{f.sum(order, n), k})
		}
	}
	c, ok := rest.number()
	if !ok {
		return nil, nil, ErrWork
	}
	// ordered has multiplied by a positive number.
	lead = new(big.Rat).SetInt(c)
	for k, v := range full.sum(order, n) {
		lead.Mul(lead, new(big.Rat).Quo(p[k], v))
		break
	}
	return lead, out, nil
}

func inside(ls, order []int) bool {
	have := map[int]bool{}
	for _, l := range order {
		have[l] = true
	}
	for _, l := range ls {
		if !have[l] {
			return false
		}
	}
	return true
}

// split lists square-free pairwise coprime factors of positive degree, by contents and Yun's decomposition.
func (w *meter) split(p poly) (out []poly) {
	if _, ok := p.number(); ok {
		return nil
	}
	part, content := w.primitive(p)
	for _, f := range w.split(content) {
		out = append(out, poly{level: p.level, c: []poly{f}})
	}
	if part.degree() > 0 {
		for _, f := range w.squareFree(part) {
			if f.degree() > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

// apartAt splits factors at their common divisors with q.
func (w *meter) apartAt(fs []poly, q poly) (out []poly) {
	for _, f := range fs {
		g := w.gcd(f, q)
		if _, number := g.number(); number {
			out = append(out, f)
			continue
		}
		g, _ = w.numberless(g)
		out = append(out, g)
		if r, _ := w.numberless(w.exact(f, g)); !isNumber(r) {
			out = append(out, r)
		}
	}
	return out
}

func isNumber(p poly) bool {
	_, ok := p.number()
	return ok
}

// numberless divides by the greatest number that divides all coefficients.
func (w *meter) numberless(p poly) (poly, *big.Int) {
	g := new(big.Int)
	var visit func(p poly)
	visit = func(p poly) {
		if p.level == 0 {
			g.GCD(nil, nil, g, new(big.Int).Abs(p.n))
		}
		for _, c := range p.c {
			visit(c)
		}
	}
	visit(p)
	return w.exact(p, constant(g, p.level)), g
}

// linear splits off the zeros of factors in one letter that are simple fractions.
func (w *meter) linear(fs []poly) (out []poly) {
	for _, f := range fs {
		// How a factor in one letter is nested.
		var outer []int
		p := f
		for p.level > 1 && len(p.c) == 1 {
			outer = append(outer, p.level)
			p = p.c[0]
		}
		plain := true
		for _, c := range p.c {
			plain = plain && isNumber(c)
		}
		if !plain || p.degree() < 2 {
			out = append(out, f)
			continue
		}
		d := make(dense, len(p.c))
		for i, c := range p.c {
			d[i], _ = c.number()
		}
		rest := f
		for _, r := range w.isolate(d) {
			w.rational(r)
			if r.exact == nil {
				continue
			}
			x := trimmed(p.level, []poly{constant(new(big.Int).Neg(r.exact.Num()), p.level-1), constant(r.exact.Denom(), p.level-1)})
			for i := len(outer) - 1; i >= 0; i-- {
				x = poly{level: outer[i], c: []poly{x}}
			}
			out = append(out, x)
			rest = w.exact(rest, x)
		}
		if !isNumber(rest) {
			out = append(out, rest)
		}
	}
	return out
}
