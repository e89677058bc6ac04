package cad

import (
	"math/big"
)

// projections are the polynomials at whose zeros cells end, by level: at[k] are square-free, primitive and pairwise coprime
// polynomials of positive degree in the variable k over those before it.
func (w *meter) projections(n int, ps []poly, pivots []poly) [][]poly {
	at := make([][]poly, n+1)
	waiting := make([][]poly, n+1)
	put := func(p poly) { w.put(waiting, p) }
	for _, p := range ps {
		put(p)
	}
	for k := n; k >= 1; k-- {
		var basis []poly
		for _, p := range waiting[k] {
			part, content := w.primitive(p)
			put(content)
			basis = w.refine(basis, part)
		}
		at[k] = basis
		if k == 1 {
			break
		}
		// On the surface of an equation the other polynomials matter only where they meet it.
		var on []poly
		for _, f := range basis {
			for _, p := range pivots {
				if p.level == k {
					if _, ok := w.divide(p, f); ok {
						on = append(on, f)
						break
					}
				}
			}
		}
		for i, f := range basis {
			pivot := len(on) == 0
			for _, g := range on {
				pivot = pivot || same(f, g)
			}
			if pivot {
				put(f.lead())
				if f.degree() > 1 {
					put(w.discriminant(f))
				}
			}
			for j, g := range basis {
				other := j < i
				if len(on) > 0 {
					other = pivot && j != i
				}
				if other {
					put(w.resultant(f, g))
				}
			}
		}
	}
	return at
}

// same reports whether two polynomials share their coefficients, as those do that are lists of one basis.
func same(f, g poly) bool { return &f.c[0] == &g.c[0] }

// put files a polynomial under the level of its youngest variable.
func (w *meter) put(by [][]poly, p poly) {
	for p.level > 0 && len(p.c) == 1 {
		p = p.c[0]
	}
	if p.level > 0 && !p.isZero() {
		by[p.level] = append(by[p.level], p)
	}
}

// fixed is a polynomial at x for the variable 1, times a positive number; the others move down by one.
func (w *meter) fixed(p poly, x *big.Rat) poly {
	top := oldest(p)
	a, b := make([]*big.Int, top+1), make([]*big.Int, top+1)
	a[0], b[0] = big.NewInt(1), big.NewInt(1)
	for i := 1; i <= top; i++ {
		a[i] = new(big.Int).Mul(a[i-1], x.Num())
		b[i] = new(big.Int).Mul(b[i-1], x.Denom())
	}
	g := new(big.Int)
	var visit func(p poly) poly
	visit = func(p poly) poly {
		if p.level == 1 {
			s := new(big.Int)
			for i, c := range p.c {
				f := new(big.Int).Mul(a[i], b[top-i])
				w.spend(words(f) * words(c.n))
				s.Add(s, f.Mul(f, c.n))
			}
			g.GCD(nil, nil, g, new(big.Int).Abs(s))
			return integer(s)
		}
		c := make([]poly, len(p.c))
		for i, q := range p.c {
			c[i] = visit(q)
		}
		return trimmed(p.level-1, c)
	}
	q := visit(p)
	if g.Sign() == 0 || g.IsInt64() && g.Int64() == 1 {
		return q
	}
	var lower func(p poly) poly
	lower = func(p poly) poly {
		if p.level == 0 {
			return integer(new(big.Int).Quo(p.n, g))
		}
		c := make([]poly, len(p.c))
		for i, q := range p.c {
			c[i] = lower(q)
		}
		return poly{level: p.level, c: c}
	}
	return lower(q)
}

// oldest is the degree in the variable 1.
func oldest(p poly) int {
	if p.level == 1 {
		return max(0, len(p.c)-1)
	}
	n := 0
	for _, c := range p.c {
		n = max(n, oldest(c))
	}
	return n
}

// single is a polynomial that mentions the variable 1 alone, as one in it.
func single(p poly) (dense, bool) {
	for p.level > 1 {
		if len(p.c) != 1 {
			return nil, false
		}
		p = p.c[0]
	}
	out := make(dense, len(p.c))
	for i, c := range p.c {
		out[i] = c.n
	}
	return out, len(out) > 1
}

// condition is one on the signs of a product.
type condition struct {
	factors []poly
	rel     Relation
}

// known says whether the condition holds, if its factors are numbers.
func (c condition) known() (holds, known bool) {
	sign := 1
	known = true
	for _, f := range c.factors {
		if v, ok := f.number(); ok {
			sign *= v.Sign()
		} else {
			known = false
		}
	}
	if sign == 0 {
		known = true
	}
	return c.rel.holds(sign), known
}

// lifting visits sample points.
type lifting struct {
	*meter
	// sections has points with coordinates at zeros visited, too, and only those.
	sections bool
	visit    func(at []Number) bool
	points   int
	skipped  bool // a zero that is no simple fraction
}

// node goes on from the first coordinates of a point; it returns true to end the search. exact is false behind an
// irrational coordinate: the conditions are those next to it.
func (s *lifting) node(at [][]poly, conds []condition, point []Number, on, exact bool) bool {
	for _, c := range conds {
		holds, known := c.known()
		if known && !holds && (exact || c.rel != Equal && c.rel != AtLeast) {
			s.points++
			return false
		}
	}
	if len(at) == 1 {
		if s.sections && !on {
			return false
		}
		s.points++
		return s.visit(point)
	}
	var equal []dense
	for _, c := range conds {
		if c.rel != Equal || !exact {
			continue
		}
		if _, known := c.known(); known {
			continue
		}
		all := true
		var fs []dense
		for _, f := range c.factors {
			if _, ok := f.number(); ok {
				continue
			}
			d, ok := single(f)
			all = all && ok
			fs = append(fs, d)
		}
		if all {
			equal = append(equal, fs...)
			break
		}
	}
	if equal == nil && !s.sections {
		// Whether an equation remains that no later variable can meet is seen there.
		for _, x := range s.gaps(s.roots(at[1])) {
			if s.step(at, conds, point, Number{A: x}, on, exact) {
				return true
			}
		}
		return false
	}
	if equal != nil {
		var fs []poly
		for _, d := range equal {
			fs = append(fs, univariate(d))
		}
		for _, r := range s.roots(fs) {
			for _, x := range s.values(r) {
				if s.step(at, conds, point, x, true, exact && x.rational()) {
					return true
				}
			}
		}
		return false
	}
	rs := s.roots(at[1])
	for _, x := range s.gaps(rs) {
		if s.step(at, conds, point, Number{A: x}, on, exact) {
			return true
		}
	}
	for _, r := range rs {
		for _, x := range s.values(r) {
			if !x.rational() && len(at) > 2 {
				continue
			}
			if s.step(at, conds, point, x, true, exact && x.rational()) {
				return true
			}
		}
	}
	return false
}

// step fixes the next coordinate.
func (s *lifting) step(at [][]poly, conds []condition, point []Number, x Number, on, exact bool) bool {
	near := x.near()
	next := make([][]poly, len(at)-1)
	for k := 2; k < len(at); k++ {
		for _, p := range at[k] {
			if q := s.fixed(p, near); q.degree() > 0 {
				next[k-1] = append(next[k-1], q)
			}
		}
	}
	cs := make([]condition, len(conds))
	for i, c := range conds {
		cs[i].rel = c.rel
		for _, f := range c.factors {
			cs[i].factors = append(cs[i].factors, s.fixed(f, near))
		}
	}
	return s.node(next, cs, append(point[:len(point):len(point)], x), on, exact)
}

func univariate(d dense) poly {
	c := make([]poly, len(d))
	for i, v := range d {
		c[i] = integer(v)
	}
	return trimmed(1, c)
}

// roots are the real zeros of polynomials of level 1, apart from each other.
func (s *lifting) roots(ps []poly) (out []*root) {
	var basis []poly
	for _, p := range ps {
		if p.degree() < 1 {
			continue
		}
		part, _ := s.primitive(p)
		basis = s.refine(basis, part)
	}
	for _, p := range basis {
		d := make(dense, len(p.c))
		for i, c := range p.c {
			d[i] = c.n
		}
		out = append(out, s.isolate(d)...)
	}
	return s.apart(out)
}

// gaps are simple fractions between, before and after the roots.
func (s *lifting) gaps(rs []*root) []*big.Rat {
	if len(rs) == 0 {
		return []*big.Rat{new(big.Rat)}
	}
	out := []*big.Rat{between(nil, rs[0].lo)}
	for i := 1; i < len(rs); i++ {
		out = append(out, between(rs[i-1].hi, rs[i].lo))
	}
	return append(out, between(rs[len(rs)-1].hi, nil))
}

// values are a root as a number: a simple fraction, or what a quadratic equation is solved by.
func (s *lifting) values(r *root) []Number {
	s.rational(r)
	if r.exact != nil {
		return []Number{{A: r.exact}}
	}
	s.skipped = true
	p := r.p
	// Other rational zeros of the polynomial are divided out.
	for _, o := range s.isolate(p) {
		if len(p) <= 3 {
			break
		}
		if s.rational(o); o.exact != nil && o.exact.Sign() != 0 {
			p = p.without(o.exact)
		}
	}
	if len(p) != 3 {
		return nil
	}
	// (−b ± √(b² − 4ac))/2a, the one in the interval.
	twice := new(big.Int).Lsh(p[2], 1)
	h := new(big.Rat).SetFrac(new(big.Int).Neg(p[1]), twice)
	c := new(big.Int).Mul(p[1], p[1])
	c.Sub(c, new(big.Int).Lsh(new(big.Int).Mul(p[0], p[2]), 2))
	outside := big.NewInt(1)
	for _, q := range []int64{2, 3, 5, 7, 11, 13} {
		for square := big.NewInt(q * q); ; {
			d, m := new(big.Int).QuoRem(c, square, new(big.Int))
			if m.Sign() != 0 {
				break
			}
			c = d
			outside.Mul(outside, big.NewInt(q))
		}
	}
	b := new(big.Rat).SetFrac(outside, twice.Abs(twice))
	if h.Cmp(r.lo) > 0 {
		b.Neg(b)
	}
	if w := new(big.Int).Sqrt(c); new(big.Int).Mul(w, w).Cmp(c) == 0 {
		return []Number{{A: h.Add(h, b.Mul(b, new(big.Rat).SetInt(w)))}}
	}
	return []Number{{h, b, new(big.Rat).SetInt(c)}}
}

// without is p/(x − r), times a number.
func (p dense) without(r *big.Rat) dense {
	// b·x − a divides p with integer coefficients.
	out := make(dense, len(p)-1)
	carry := new(big.Int)
	for i := len(p) - 1; i > 0; i-- {
		c := new(big.Int).Add(p[i], carry)
		out[i-1] = c.Quo(c, r.Denom())
		carry = new(big.Int).Mul(out[i-1], r.Num())
	}
	return out.reduced()
}
