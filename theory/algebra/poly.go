package algebra

import (
	"encoding/binary"
	"math/big"
	"slices"
	"sort"
)

// power is a generator with its exponent.
type power struct {
	gen, exp int
}

// mono is a product of powers of distinct generators, sorted by generator.
type mono []power

func (m mono) key() string {
	b := make([]byte, 0, 6*len(m))
	for _, p := range m {
		b = binary.AppendUvarint(b, uint64(p.gen))
		b = binary.AppendUvarint(b, uint64(p.exp))
	}
	return string(b)
}

func (m mono) times(n mono) mono {
	out := make(mono, 0, len(m)+len(n))
	i, j := 0, 0
	for i < len(m) || j < len(n) {
		switch {
		case j == len(n) || i < len(m) && m[i].gen < n[j].gen:
			out = append(out, m[i])
			i++
		case i == len(m) || n[j].gen < m[i].gen:
			out = append(out, n[j])
			j++
		default:
			out = append(out, power{m[i].gen, m[i].exp + n[j].exp})
			i, j = i+1, j+1
		}
	}
	return out
}

// over returns m/n if n divides m.
func (m mono) over(n mono) (mono, bool) {
	out := make(mono, 0, len(m))
	j := 0
	for _, p := range m {
		if j < len(n) && n[j].gen < p.gen {
			return nil, false
		}
		if j < len(n) && n[j].gen == p.gen {
			if p.exp < n[j].exp {
				return nil, false
			}
			if e := p.exp - n[j].exp; e > 0 {
				out = append(out, power{p.gen, e})
			}
			j++
			continue
		}
		out = append(out, p)
	}
	return out, j == len(n)
}

func (m mono) exp(gen int) int {
	for _, p := range m {
		if p.gen == gen {
			return p.exp
		}
	}
	return 0
}

// cmp orders monomials lexicographically by generator, larger exponents of smaller generators first; it is a
// monomial order, as exact division needs.
func (m mono) cmp(n mono) int {
	for i := 0; i < len(m) && i < len(n); i++ {
		if m[i].gen != n[i].gen {
			return n[i].gen - m[i].gen
		}
		if m[i].exp != n[i].exp {
			return m[i].exp - n[i].exp
		}
	}
	return len(m) - len(n)
}

type polyTerm struct {
	m mono
	c *big.Rat
}

// Poly is a polynomial with rational coefficients in the generators of a ring. Polys are immutable.
type Poly struct {
	terms map[string]polyTerm
}

func newPoly() *Poly { return &Poly{terms: map[string]polyTerm{}} }

func constPoly(c *big.Rat) *Poly {
	p := newPoly()
	p.accumulate(mono{}, c)
	return p
}

func genPoly(g int) *Poly {
	p := newPoly()
	p.accumulate(mono{{g, 1}}, big.NewRat(1, 1))
	return p
}

// accumulate adds c·m in place; only for polys under construction.
func (p *Poly) accumulate(m mono, c *big.Rat) {
	if c.Sign() == 0 {
		return
	}
	k := m.key()
	if t, ok := p.terms[k]; ok {
		s := new(big.Rat).Add(t.c, c)
		if s.Sign() == 0 {
			delete(p.terms, k)
		} else {
			p.terms[k] = polyTerm{m, s}
		}
		return
	}
	p.terms[k] = polyTerm{m, c}
}

// IsZero reports whether p is the zero polynomial.
func (p *Poly) IsZero() bool { return len(p.terms) == 0 }

// Len returns the number of monomials of p.
func (p *Poly) Len() int { return len(p.terms) }

// constant returns p's value if p is constant.
func (p *Poly) constant() (*big.Rat, bool) {
	switch len(p.terms) {
	case 0:
		return new(big.Rat), true
	case 1:
		for _, t := range p.terms {
			if len(t.m) == 0 {
				return t.c, true
			}
		}
	}
	return nil, false
}

func (p *Poly) sorted() []polyTerm {
	ts := make([]polyTerm, 0, len(p.terms))
	for _, t := range p.terms {
		ts = append(ts, t)
	}
	sort.Slice(ts, func(i, j int) bool { return ts[i].m.cmp(ts[j].m) > 0 })
	return ts
}

func (p *Poly) lead() polyTerm {
	var best polyTerm
	first := true
	for _, t := range p.terms {
		if first || t.m.cmp(best.m) > 0 {
			best, first = t, false
		}
	}
	return best
}

func (p *Poly) add(q *Poly, sign int) *Poly {
	out := &Poly{terms: make(map[string]polyTerm, len(p.terms)+len(q.terms))}
	for k, t := range p.terms {
		out.terms[k] = t
	}
	for _, t := range q.terms {
		c := t.c
		if sign < 0 {
			c = new(big.Rat).Neg(c)
		}
		out.accumulate(t.m, c)
	}
	return out
}

func (p *Poly) scale(c *big.Rat) *Poly {
	out := newPoly()
	if c.Sign() == 0 {
		return out
	}
	for k, t := range p.terms {
		out.terms[k] = polyTerm{t.m, new(big.Rat).Mul(t.c, c)}
	}
	return out
}

func (p *Poly) key() string {
	var b []byte
	for _, t := range p.sorted() {
		b = append(b, t.m.key()...)
		b = append(b, ':')
		b = append(b, t.c.RatString()...)
		b = append(b, ';')
	}
	return string(b)
}

// mul returns p·q with squares of roots reduced.
func (r *Ring) mul(p, q *Poly) *Poly {
	out := newPoly()
	for _, a := range p.terms {
		for _, b := range q.terms {
			out.accumulate(a.m.times(b.m), new(big.Rat).Mul(a.c, b.c))
		}
	}
	return r.reduceRoots(out)
}

// reduceRoots replaces ρ² by its radicand until no root has an exponent above one.
func (r *Ring) reduceRoots(p *Poly) *Poly {
	if !r.hasRoots {
		return p
	}
	for {
		done := true
		out := newPoly()
		for _, t := range p.terms {
			g := -1
			for _, pw := range t.m {
				if pw.exp >= 2 && r.gens[pw.gen].square != nil {
					g = pw.gen
					break
				}
			}
			if g < 0 {
				out.accumulate(t.m, t.c)
				continue
			}
			done = false
			rest, _ := t.m.over(mono{{g, 2}})
			for _, u := range r.gens[g].square.terms {
				out.accumulate(rest.times(u.m), new(big.Rat).Mul(t.c, u.c))
			}
		}
		p = out
		if done {
			return p
		}
	}
}

// divide returns p/q if q divides p exactly as polynomials (ignoring relations between roots).
func (r *Ring) divide(p, q *Poly) (*Poly, bool) {
	if p.IsZero() {
		return p, true
	}
	lq := q.lead()
	rest, quo := p, newPoly()
	for !rest.IsZero() {
		lp := rest.lead()
		m, ok := lp.m.over(lq.m)
		if !ok {
			return nil, false
		}
		c := new(big.Rat).Quo(lp.c, lq.c)
		quo.accumulate(m, c)
		sub := newPoly()
		for _, t := range q.terms {
			sub.accumulate(m.times(t.m), new(big.Rat).Mul(t.c, c))
		}
		rest = rest.add(sub, -1)
	}
	return quo, true
}

// generators returns the generators that occur in p, ascending.
func (p *Poly) generators() []int {
	var gs []int
	for _, t := range p.terms {
		for _, pw := range t.m {
			if !slices.Contains(gs, pw.gen) {
				gs = append(gs, pw.gen)
			}
		}
	}
	slices.Sort(gs)
	return gs
}
