package algebra

import (
	"errors"
	"math/big"
	"slices"
	"sort"
)

// ErrDivisionByZero is returned when the divisor is identically zero.
var ErrDivisionByZero = errors.New("algebra: division by zero")

type factor struct {
	key string
	p   *Poly // leading coefficient 1, not constant
	pow int
}

// Frac is a rational function: a polynomial over a product of powers of polynomials. Fracs are immutable.
// A Frac is zero exactly when its numerator is; the denominators are nonzero where the expression it came
// from is defined, which is for the caller to know.
type Frac struct {
	num *Poly
	den []factor // sorted by key
}

// Const returns the constant c.
func Const(c *big.Rat) *Frac { return &Frac{num: constPoly(c)} }

// Int returns the constant n.
func Int(n int64) *Frac { return Const(big.NewRat(n, 1)) }

// IsZero reports whether f is zero.
func (f *Frac) IsZero() bool { return f.num.IsZero() }

// Constant returns f's value if f is constant.
func (f *Frac) Constant() (*big.Rat, bool) {
	if len(f.den) > 0 {
		return nil, false
	}
	return f.num.constant()
}

// Len returns the number of monomials in f's numerator.
func (f *Frac) Len() int { return f.num.Len() }

// AddFrac returns f + g.
func (r *Ring) AddFrac(f, g *Frac) *Frac { return r.addSigned(f, g, 1) }

// SubFrac returns f − g.
func (r *Ring) SubFrac(f, g *Frac) *Frac { return r.addSigned(f, g, -1) }

// NegFrac returns −f.
func (r *Ring) NegFrac(f *Frac) *Frac { return &Frac{f.num.scale(big.NewRat(-1, 1)), f.den} }

func (r *Ring) addSigned(f, g *Frac, sign int) *Frac {
	if len(f.den) == 0 && len(g.den) == 0 {
		return &Frac{num: f.num.add(g.num, sign)}
	}
	fn, gn := f.num, g.num
	den := mergeDen(f.den, g.den, func(a, b int) int { return max(a, b) })
	for _, d := range den {
		for k := powOf(f.den, d.key); k < d.pow; k++ {
			fn = r.mul(fn, d.p)
		}
		for k := powOf(g.den, d.key); k < d.pow; k++ {
			gn = r.mul(gn, d.p)
		}
	}
	return r.cancel(fn.add(gn, sign), den)
}

// MulFrac returns f·g.
func (r *Ring) MulFrac(f, g *Frac) *Frac {
	num := r.mul(f.num, g.num)
	if len(f.den) == 0 && len(g.den) == 0 {
		return &Frac{num: num}
	}
	return r.cancel(num, mergeDen(f.den, g.den, func(a, b int) int { return a + b }))
}

// DivFrac returns f/g, or [ErrDivisionByZero] if g is identically zero.
func (r *Ring) DivFrac(f, g *Frac) (*Frac, error) {
	if g.IsZero() {
		return nil, ErrDivisionByZero
	}
	num := f.num
	for _, d := range g.den {
		for k := 0; k < d.pow; k++ {
			num = r.mul(num, d.p)
		}
	}
	c, fs := r.splitDen(g.num)
	num = num.scale(new(big.Rat).Inv(c))
	return r.cancel(num, mergeDen(f.den, fs, func(a, b int) int { return a + b })), nil
}

// PowFrac returns f^n for any integer n, or [ErrDivisionByZero].
func (r *Ring) PowFrac(f *Frac, n int) (*Frac, error) {
	out := Int(1)
	for range max(n, -n) {
		out = r.MulFrac(out, f)
	}
	if n < 0 {
		return r.DivFrac(Int(1), out)
	}
	return out, nil
}

// EqualFrac reports whether f − g is zero.
func (r *Ring) EqualFrac(f, g *Frac) bool { return r.SubFrac(f, g).IsZero() }

func powOf(den []factor, key string) int {
	for _, d := range den {
		if d.key == key {
			return d.pow
		}
	}
	return 0
}

func mergeDen(a, b []factor, op func(int, int) int) []factor {
	var out []factor
	for _, d := range a {
		out = append(out, factor{d.key, d.p, op(d.pow, powOf(b, d.key))})
	}
	for _, d := range b {
		if powOf(a, d.key) == 0 {
			out = append(out, factor{d.key, d.p, op(0, d.pow)})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// splitDen writes a nonzero polynomial as a constant times generator powers times a monic rest.
func (r *Ring) splitDen(p *Poly) (*big.Rat, []factor) {
	var fs []factor
	for _, g := range p.generators() {
		low := -1
		for _, t := range p.terms {
			if e := t.m.exp(g); low < 0 || e < low {
				low = e
			}
		}
		if low > 0 {
			q := genPoly(g)
			fs = append(fs, factor{q.key(), q, low})
			out := newPoly()
			for _, t := range p.terms {
				m, _ := t.m.over(mono{{g, low}})
				out.accumulate(m, t.c)
			}
			p = out
		}
	}
	c := p.lead().c
	p = p.scale(new(big.Rat).Inv(c))
	if _, ok := p.constant(); !ok {
		fs = append(fs, factor{p.key(), p, 1})
	}
	sort.Slice(fs, func(i, j int) bool { return fs[i].key < fs[j].key })
	return c, fs
}

// cancel divides common factors out of num/den.
func (r *Ring) cancel(num *Poly, den []factor) *Frac {
	if num.IsZero() {
		return &Frac{num: num}
	}
	out := slices.Clone(den)
	for i := range out {
		for out[i].pow > 0 {
			q, ok := r.divide(num, out[i].p)
			if !ok {
				break
			}
			num = q
			out[i].pow--
		}
	}
	return &Frac{num, slices.DeleteFunc(out, func(d factor) bool { return d.pow == 0 })}
}

// Subst returns f with every generator g replaced by value(g); value may return nil to keep a generator.
func (r *Ring) substFrac(f *Frac, value func(int) (*Frac, error)) (*Frac, error) {
	num, err := r.substPoly(f.num, value)
	if err != nil {
		return nil, err
	}
	for _, d := range f.den {
		q, err := r.substPoly(d.p, value)
		if err != nil {
			return nil, err
		}
		for range d.pow {
			if num, err = r.DivFrac(num, q); err != nil {
				return nil, err
			}
		}
	}
	return num, nil
}

func (r *Ring) substPoly(p *Poly, value func(int) (*Frac, error)) (*Frac, error) {
	sum := Int(0)
	for _, t := range p.sorted() {
		prod := Const(t.c)
		for _, pw := range t.m {
			v, err := value(pw.gen)
			if err != nil {
				return nil, err
			}
			if v == nil {
				v = &Frac{num: genPoly(pw.gen)}
			}
			w, err := r.PowFrac(v, pw.exp)
			if err != nil {
				return nil, err
			}
			prod = r.MulFrac(prod, w)
		}
		sum = r.AddFrac(sum, prod)
	}
	return sum, nil
}

// derive returns the derivation of f given the derivative of each generator (nil for zero).
func (r *Ring) derive(f *Frac, d func(int) (*Frac, error)) (*Frac, error) {
	dn, err := r.derivePoly(f.num, d)
	if err != nil {
		return nil, err
	}
	out := dn
	for _, k := range f.den {
		if out, err = r.DivFrac(out, mustPow(r, k)); err != nil {
			return nil, err
		}
	}
	// d(n/Πq^k) = dn/Πq^k − n/Πq^k · Σ k·dq/q.
	for _, k := range f.den {
		dq, err := r.derivePoly(k.p, d)
		if err != nil {
			return nil, err
		}
		if dq.IsZero() {
			continue
		}
		ratio, err := r.DivFrac(r.MulFrac(dq, Int(int64(k.pow))), &Frac{num: k.p})
		if err != nil {
			return nil, err
		}
		out = r.SubFrac(out, r.MulFrac(f, ratio))
	}
	return out, nil
}

func mustPow(r *Ring, k factor) *Frac {
	p := constPoly(big.NewRat(1, 1))
	for range k.pow {
		p = r.mul(p, k.p)
	}
	return &Frac{num: p}
}

func (r *Ring) derivePoly(p *Poly, d func(int) (*Frac, error)) (*Frac, error) {
	sum := Int(0)
	for _, t := range p.sorted() {
		for _, pw := range t.m {
			dg, err := d(pw.gen)
			if err != nil {
				return nil, err
			}
			if dg == nil || dg.IsZero() {
				continue
			}
			rest, _ := t.m.over(mono{{pw.gen, 1}})
			q := newPoly()
			q.accumulate(rest, new(big.Rat).Mul(t.c, big.NewRat(int64(pw.exp), 1)))
			sum = r.AddFrac(sum, r.MulFrac(&Frac{num: q}, dg))
		}
	}
	return sum, nil
}
