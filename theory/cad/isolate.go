package cad

import (
	"math/big"
	"sort"
)

// dense is a polynomial in one variable with integer coefficients from the constant term up.
type dense []*big.Int

func (p dense) trimmed() dense {
	for len(p) > 0 && p[len(p)-1].Sign() == 0 {
		p = p[:len(p)-1]
	}
	return p
}

// sign is that of the value at x.
func (w *meter) sign(p dense, x *big.Rat) int {
	if len(p) == 0 {
		return 0
	}
	s, b := new(big.Int).Set(p[len(p)-1]), big.NewInt(1)
	for i := len(p) - 2; i >= 0; i-- {
		b.Mul(b, x.Denom())
		w.spend(words(s)*words(x.Num()) + words(b)*words(p[i]))
		s.Mul(s, x.Num())
		s.Add(s, new(big.Int).Mul(p[i], b))
	}
	return s.Sign()
}

// reduced divides by the greatest common divisor of the coefficients.
func (p dense) reduced() dense {
	g := new(big.Int)
	for _, c := range p {
		g.GCD(nil, nil, g, new(big.Int).Abs(c))
	}
	if g.Sign() == 0 || g.IsInt64() && g.Int64() == 1 {
		return p
	}
	out := make(dense, len(p))
	for i, c := range p {
		out[i] = new(big.Int).Quo(c, g)
	}
	return out
}

// root is a real root: exactly, or the only one of p between lo and hi, where p has the sign left next to lo.
type root struct {
	exact  *big.Rat
	lo, hi *big.Rat
	p      dense
	left   int
}

// halve halves the interval.
func (w *meter) halve(r *root) {
	if r.exact != nil {
		return
	}
	m := new(big.Rat).Add(r.lo, r.hi)
	m.Mul(m, big.NewRat(1, 2))
	switch w.sign(r.p, m) {
	case 0:
		r.exact, r.lo, r.hi = m, m, m
	case r.left:
		r.lo = m
	default:
		r.hi = m
	}
}

// isolate lists the real roots of a square-free polynomial in ascending order.
func (w *meter) isolate(p dense) (out []*root) {
	p = p.trimmed()
	if len(p) > 0 && p[0].Sign() == 0 {
		out = append(out, exactly(new(big.Rat)))
		p = p[1:]
	}
	if len(p) < 2 {
		return out
	}
	minus := make(dense, len(p))
	for i, c := range p {
		minus[i] = c
		if i%2 == 1 {
			minus[i] = new(big.Int).Neg(c)
		}
	}
	for _, r := range w.positive(minus) {
		if r.exact != nil {
			out = append(out, exactly(new(big.Rat).Neg(r.exact)))
			continue
		}
		out = append(out, &root{nil, new(big.Rat).Neg(r.hi), new(big.Rat).Neg(r.lo), p, -r.left})
	}
	out = append(out, w.positive(p)...)
	sort.Slice(out, func(i, j int) bool {
		c := out[i].lo.Cmp(out[j].lo)
		return c < 0 || c == 0 && out[i].hi.Cmp(out[j].hi) < 0
	})
	return out
}

func exactly(x *big.Rat) *root { return &root{exact: x, lo: x, hi: x} }

// positive isolates the positive roots, none of which is zero: bisection of an interval that has them all, until Descartes'
// rule of signs says that there is one or none.
func (w *meter) positive(p dense) (out []*root) {
	// All roots are below 2^k.
	n := len(p) - 1
	k := 0
	for i := range n {
		if p[i].Sign() != 0 {
			d := p[i].BitLen() - p[n].BitLen() + 1
			if by := (d + n - i - 1) / (n - i); d > 0 && by+1 > k {
				k = by + 1
			}
		}
	}
	q := make(dense, n+1)
	for i, c := range p {
		q[i] = new(big.Int).Lsh(c, uint(k*i))
	}
	type node struct {
		q    dense
		at   *big.Int // the interval is (at, at+1)·2^(k − deep)
		deep int
	}
	place := func(at *big.Int, deep int) *big.Rat {
		x := new(big.Rat).SetInt(at)
		if s := k - deep; s >= 0 {
			return x.Mul(x, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(s))))
		}
		return x.Mul(x, new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(deep-k))))
	}
	stack := []node{{q, new(big.Int), 0}}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch v := w.variations(x.q); {
		case v == 0:
			continue
		case v == 1:
			next := new(big.Int).Add(x.at, big.NewInt(1))
			out = append(out, &root{nil, place(x.at, x.deep), place(next, x.deep), p, x.q[0].Sign()})
			continue
		}
		n := len(x.q) - 1
		left := make(dense, n+1)
		for i, c := range x.q {
			left[i] = new(big.Int).Lsh(c, uint(n-i))
			w.spend(words(left[i]))
		}
		right := w.shifted(left)
		at := new(big.Int).Lsh(x.at, 1)
		middle := new(big.Int).Add(at, big.NewInt(1))
		if right[0].Sign() == 0 {
			out = append(out, exactly(place(middle, x.deep+1)))
			right = right[1:]
		}
		stack = append(stack, node{right.reduced(), middle, x.deep + 1}, node{left.reduced(), at, x.deep + 1})
	}
	return out
}

// shifted is p(x + 1).
func (w *meter) shifted(p dense) dense {
	c := make(dense, len(p))
	for i := range c {
		c[i] = new(big.Int).Set(p[i])
	}
	for i := range c {
		for j := len(c) - 2; j >= i; j-- {
			w.spend(words(c[j]))
			c[j].Add(c[j], c[j+1])
		}
	}
	return c
}

// variations is the number of changes of sign of (x + 1)^n·p(1/(x + 1)): at least as many as there are roots in (0, 1),
// exactly if it is 0 or 1.
func (w *meter) variations(p dense) int {
	r := make(dense, len(p))
	for i := range p {
		r[len(p)-1-i] = p[i]
	}
	r = w.shifted(r)
	v, last := 0, 0
	for _, c := range r {
		if s := c.Sign(); s != 0 {
			if last != 0 && s != last {
				v++
			}
			last = s
		}
	}
	return v
}

// fineness is how small the interval around a root is made in which a fraction is looked for.
const fineness = 44

// rational makes a root exact if it is a simple fraction.
func (w *meter) rational(r *root) {
	width := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), fineness))
	for r.exact == nil && new(big.Rat).Sub(r.hi, r.lo).Cmp(width) > 0 {
		w.halve(r)
	}
	if r.exact == nil {
		if x := between(r.lo, r.hi); w.sign(r.p, x) == 0 {
			r.exact, r.lo, r.hi = x, x, x
		}
	}
}

// between is the fraction of the least denominator, and then the least numerator, with lo < x < hi; nil stands for no end.
func between(lo, hi *big.Rat) *big.Rat {
	switch {
	case (lo == nil || lo.Sign() < 0) && (hi == nil || hi.Sign() > 0):
		return new(big.Rat)
	case lo == nil || lo.Sign() < 0:
		var a, b *big.Rat
		a = new(big.Rat).Neg(hi)
		if lo != nil {
			b = new(big.Rat).Neg(lo)
		}
		x := between(a, b)
		return x.Neg(x)
	}
	f := new(big.Int).Quo(lo.Num(), lo.Denom())
	next := new(big.Rat).SetInt(new(big.Int).Add(f, big.NewInt(1)))
	if hi == nil || next.Cmp(hi) < 0 {
		return next
	}
	// f ≤ lo < x < hi ≤ f + 1: x = f + 1/y.
	whole := new(big.Rat).SetInt(f)
	var top *big.Rat
	if d := new(big.Rat).Sub(lo, whole); d.Sign() > 0 {
		top = d.Inv(d)
	}
	bottom := new(big.Rat).Sub(hi, whole)
	y := between(bottom.Inv(bottom), top)
	return whole.Add(whole, y.Inv(y))
}

// apart makes the intervals of roots of pairwise coprime polynomials disjoint, with something between any two, and sorts
// them.
func (w *meter) apart(rs []*root) []*root {
	for again := true; again; {
		sort.SliceStable(rs, func(i, j int) bool {
			c := rs[i].lo.Cmp(rs[j].lo)
			return c < 0 || c == 0 && rs[i].hi.Cmp(rs[j].hi) < 0
		})
		again = false
		for i := 1; i < len(rs); i++ {
			a, b := rs[i-1], rs[i]
			gap := new(big.Rat).Sub(b.lo, a.hi)
			wide := new(big.Rat).Add(new(big.Rat).Sub(a.hi, a.lo), new(big.Rat).Sub(b.hi, b.lo))
			if gap.Sign() <= 0 || gap.Cmp(wide) < 0 {
				w.halve(a)
				w.halve(b)
				again = true
			}
		}
	}
	return rs
}
