package prove

import (
	"encoding/binary"
	"math/big"
	"sort"

	"stopgrad/theory/kernel"
)

// maxPoly bounds the monomials of a polynomial that the search writes out.
const maxPoly = 3000

// maxCoefficient bounds the bits of a coefficient; the kernel refuses longer ones.
const maxCoefficient = kernel.MaxBits / 8

// poly is a polynomial over ℚ. Its generators are terms: scalar letters, sizes, traces, roots, and reciprocals of
// what is no monomial; letters may have negative exponents.
type poly map[string]*monomial

type monomial struct {
	c  *big.Rat
	at []exponent // by ascending term number
}

type exponent struct {
	g *kernel.Term
	n int
}

func keyOf(at []exponent) string {
	var b []byte
	for _, e := range at {
		b = binary.AppendVarint(b, int64(e.g.ID()))
		b = binary.AppendVarint(b, int64(e.n))
	}
	return string(b)
}

func (p poly) put(c *big.Rat, at []exponent) {
	k := keyOf(at)
	if m := p[k]; m != nil {
		m.c = new(big.Rat).Add(m.c, c)
		if m.c.Sign() == 0 {
			delete(p, k)
		}
		return
	}
	if c.Sign() != 0 {
		p[k] = &monomial{new(big.Rat).Set(c), at}
	}
}

func constant(c *big.Rat) poly {
	p := poly{}
	p.put(c, nil)
	return p
}

func single(g *kernel.Term, n int) poly {
	p := poly{}
	p.put(big.NewRat(1, 1), []exponent{{g, n}})
	return p
}

// sorted lists the monomials in an order that depends on the terms alone.
func (p poly) sorted() []*monomial {
	keys := make([]string, 0, len(p))
	for k := range p {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([]*monomial, len(keys))
	for i, k := range keys {
		out[i] = p[k]
	}
	return out
}

func (p poly) plus(q poly, factor *big.Rat) poly {
	out := poly{}
	for k, m := range p {
		out[k] = m
	}
	for _, m := range q {
		c := new(big.Rat).Mul(m.c, factor)
		k := keyOf(m.at)
		if old := out[k]; old != nil {
			c.Add(c, old.c)
		}
		if c.Sign() == 0 {
			delete(out, k)
		} else {
			out[k] = &monomial{c, m.at}
		}
	}
	return out
}

func merge(a, b []exponent) []exponent {
	out := make([]exponent, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].g.ID() < b[0].g.ID():
			out, a = append(out, a[0]), a[1:]
		case a[0].g.ID() > b[0].g.ID():
			out, b = append(out, b[0]), b[1:]
		default:
			if n := a[0].n + b[0].n; n != 0 {
				out = append(out, exponent{a[0].g, n})
			}
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// polys converts between terms and polynomials.
type polys struct {
	builder
	spend    func(operations int)
	shapes   map[*kernel.Term]shape
	memo     map[*kernel.Term]poly
	matrices map[*kernel.Term]words
}

// length is the number of bits of the longer of numerator and denominator.
func length(c *big.Rat) int { return max(c.Num().BitLen(), c.Denom().BitLen()) }

// times multiplies, and replaces squares of roots; nil if it grows too large.
func (ps *polys) times(p, q poly) poly {
	if p == nil || q == nil || len(p)*len(q) > maxPoly*20 {
		return nil
	}
	ps.spend(60 * len(p) * len(q))
	out := poly{}
	for _, a := range p.sorted() {
		for _, b := range q.sorted() {
			// Long fractions cost more, also where they cancel.
			if words := (length(a.c) + length(b.c)) / 64; words > 0 {
				ps.spend(30 * (words + words*words/16))
			}
			c := new(big.Rat).Mul(a.c, b.c)
			if c.Num().BitLen() > maxCoefficient || c.Denom().BitLen() > maxCoefficient {
				return nil
			}
			at := merge(a.at, b.at)
			if more, ok := ps.cancelled(at); ok {
				if more == nil {
					return nil
				}
				for _, m := range more {
					out.put(new(big.Rat).Mul(m.c, c), m.at)
				}
			} else if sq := ps.rootSquare(at); sq >= 0 {
				r := at[sq]
				rest := append(append([]exponent{}, at[:sq]...), at[sq+1:]...)
				if r.n%2 != 0 {
					rest = merge(rest, []exponent{{r.g, 1}})
				}
				base := ps.power(ps.of(r.g.Arg(0)), r.n/2)
				more := ps.times(base, poly{keyOf(rest): {c, rest}})
				if more == nil {
					return nil
				}
				for _, m := range more {
					out.put(m.c, m.at)
				}
			} else {
				out.put(c, at)
			}
			if len(out) > maxPoly {
				return nil
			}
		}
	}
	return out
}

// cancelled rewrites a monomial that contains 1/d and the leading monomial of d, by lead·(1/d) = (1 − rest·(1/d))/c.
func (ps *polys) cancelled(at []exponent) (poly, bool) {
	for _, e := range at {
		if e.g.Head() != kernel.Reciprocal || e.n < 1 {
			continue
		}
		d := ps.of(e.g.Arg(0))
		if len(d) < 2 {
			continue
		}
		l := d.leading()
		inv := make([]exponent, len(l.at))
		for j, x := range l.at {
			inv[j] = exponent{x.g, -x.n}
		}
		q := merge(at, inv)
		fits := true
		for _, x := range l.at {
			have := 0
			for _, y := range at {
				if y.g == x.g {
					have = y.n
				}
			}
			fits = fits && have >= x.n
		}
		if !fits || len(l.at) == 0 {
			continue
		}
		// q contains 1/d still: q·lead·… = q·(d − rest)/c, and d·(1/d) = 1.
		without := merge(q, []exponent{{e.g, -1}})
		out := poly{}
		out.put(new(big.Rat).Inv(l.c), without)
		rest := poly{}
		for _, m := range d {
			if keyOf(m.at) != keyOf(l.at) {
				rest.put(new(big.Rat).Neg(new(big.Rat).Quo(m.c, l.c)), m.at)
			}
		}
		one := poly{}
		one.put(big.NewRat(1, 1), q)
		more := ps.times(one, rest)
		if more == nil {
			return nil, true
		}
		whole := ps.times(out, constant(big.NewRat(1, 1)))
		if whole == nil {
			return nil, true
		}
		return whole.plus(more, big.NewRat(1, 1)), true
	}
	return nil, false
}

// leading is the largest monomial in the lexicographic order by term number.
func (p poly) leading() *monomial {
	var best *monomial
	for _, m := range p.sorted() {
		if best == nil || lexLess(best.at, m.at) {
			best = m
		}
	}
	return best
}

// rootSquare is the place of a root whose exponent is at least 2, or −1.
func (ps *polys) rootSquare(at []exponent) int {
	for i, e := range at {
		if e.g.Head() == kernel.Root && e.n >= 2 {
			return i
		}
	}
	return -1
}

func (ps *polys) power(p poly, n int) poly {
	out := constant(big.NewRat(1, 1))
	for range n {
		if out = ps.times(out, p); out == nil {
			return nil
		}
	}
	return out
}

// of is the polynomial of a pure scalar term; nil if it is none or too large.
func (ps *polys) of(t *kernel.Term) poly {
	if t == nil {
		return nil
	}
	if p, ok := ps.memo[t]; ok {
		return p
	}
	p := ps.compute(t)
	ps.memo[t] = p
	return p
}

func (ps *polys) compute(t *kernel.Term) poly {
	if !t.Scalar() {
		return nil
	}
	switch t.Head() {
	case kernel.Number:
		return constant(t.Value())
	case kernel.Letter, kernel.Size:
		return single(t, 1)
	case kernel.Trace:
		m := ps.matrixOf(t.Arg(0))
		if m == nil {
			return nil
		}
		n, _ := t.Arg(0).Shape()
		return ps.traceOf(m, n)
	case kernel.Sum:
		a, b := ps.of(t.Arg(0)), ps.of(t.Arg(1))
		if a == nil || b == nil || len(a)+len(b) > maxPoly {
			return nil
		}
		ps.spend(60 * (len(a) + len(b)))
		return a.plus(b, big.NewRat(1, 1))
	case kernel.Product:
		return ps.times(ps.of(t.Arg(0)), ps.of(t.Arg(1)))
	case kernel.Power:
		if t.Exponent() > 64 {
			return nil
		}
		if p := ps.of(t.Arg(0)); p != nil {
			return ps.power(p, t.Exponent())
		}
	case kernel.Root:
		p := ps.of(t.Arg(0))
		if p == nil {
			return nil
		}
		return single(ps.make(kernel.Root, ps.term(p)), 1)
	case kernel.Reciprocal:
		p := ps.of(t.Arg(0))
		if len(p) == 0 {
			return nil
		}
		return ps.inverse(p)
	}
	return nil
}

// inverse is 1/p: a monomial turned over, times the reciprocal of a primitive rest.
func (ps *polys) inverse(p poly) poly {
	content, rest := ps.content(p)
	at := make([]exponent, len(content.at))
	for i, e := range content.at {
		at[i] = exponent{e.g, -e.n}
	}
	out := poly{}
	out.put(new(big.Rat).Inv(content.c), at)
	if len(rest) == 1 {
		return out
	}
	return ps.times(out, single(ps.reciprocal(ps.term(rest)), 1))
}

// content splits off the greatest common monomial and makes the first coefficient one.
func (ps *polys) content(p poly) (*monomial, poly) {
	ms := p.sorted()
	common := append([]exponent{}, ms[0].at...)
	for _, m := range ms[1:] {
		at := map[*kernel.Term]int{}
		for _, e := range m.at {
			at[e.g] = e.n
		}
		// What does not occur has exponent zero, which bounds negative ones from above and positive from below.
		have := map[*kernel.Term]bool{}
		var next []exponent
		for _, e := range common {
			have[e.g] = true
			if n := min(e.n, at[e.g]); n != 0 {
				next = append(next, exponent{e.g, n})
			}
		}
		for _, e := range m.at {
			if !have[e.g] && e.n < 0 {
				next = merge(next, []exponent{e})
			}
		}
		common = next
	}
	c := new(big.Rat).Set(ms[0].c)
	content := &monomial{c, common}
	inv := make([]exponent, len(common))
	for i, e := range common {
		inv[i] = exponent{e.g, -e.n}
	}
	rest := poly{}
	for _, m := range ms {
		rest.put(new(big.Rat).Quo(m.c, c), merge(m.at, inv))
	}
	return content, rest
}

// term writes a polynomial as a term.
func (ps *polys) term(p poly) *kernel.Term {
	var parts []*kernel.Term
	for _, m := range p.sorted() {
		parts = append(parts, ps.monomial(m))
	}
	return ps.sum(parts)
}

func (ps *polys) monomial(m *monomial) *kernel.Term {
	var fs []*kernel.Term
	if m.c.Cmp(big.NewRat(1, 1)) != 0 || len(m.at) == 0 {
		fs = append(fs, ps.number(m.c))
	}
	for _, e := range m.at {
		g, n := e.g, e.n
		if n < 0 {
			n = -n
			if n > 1 {
				g = ps.builder.power(g, n)
			}
			fs = append(fs, ps.reciprocal(g))
			continue
		}
		if n > 1 {
			g = ps.builder.power(g, n)
		}
		fs = append(fs, g)
	}
	return ps.product(fs)
}

// simplify expands a term, and factors the common monomial of a scalar out; nil if that is not possible.
func (s *state) simplify(t *kernel.Term) *kernel.Term {
	u := s.unfold(t)
	if u == nil {
		return nil
	}
	if !t.Scalar() {
		m := s.polys.matrixOf(u)
		if m == nil {
			return nil
		}
		return s.polys.matrixTerm(m, t)
	}
	p := s.polys.of(u)
	if p == nil {
		return nil
	}
	if len(p) < 2 {
		return s.polys.term(p)
	}
	content, rest := s.polys.content(p)
	r := s.polys.term(rest)
	if len(content.at) == 0 && content.c.Cmp(big.NewRat(1, 1)) == 0 {
		return r
	}
	return s.mul(s.polys.monomial(content), r)
}
