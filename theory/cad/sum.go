package cad

import (
	"math/big"
	"sort"
)

// Sum is a polynomial over ℚ by its monomials: strings of exponents, a byte for each letter, to coefficients that are not
// zero. It is not changed once made.
type Sum map[string]*big.Rat

// Constant is a number as a polynomial in n letters.
func Constant(c *big.Rat, n int) Sum {
	if c.Sign() == 0 {
		return Sum{}
	}
	return Sum{string(make([]byte, n)): c}
}

// Letter is the letter number i of n.
func Letter(i, n int) Sum {
	e := make([]byte, n)
	e[i] = 1
	return Sum{string(e): big.NewRat(1, 1)}
}

// Plus is p + c·q.
func (p Sum) Plus(q Sum, c *big.Rat) Sum {
	out := make(Sum, len(p)+len(q))
	for k, v := range p {
		out[k] = v
	}
	for k, v := range q {
		x := new(big.Rat).Mul(v, c)
		if old := out[k]; old != nil {
			x.Add(x, old)
		}
		if x.Sign() == 0 {
			delete(out, k)
		} else {
			out[k] = x
		}
	}
	return out
}

// maxSum bounds the monomials of a product.
const maxSum = 2_000

// maxLong bounds the bits of a product's coefficients: those of shared terms double with each factor.
const maxLong = 4_096

// Times is p·q, nil if it has too many monomials, too high exponents or too long coefficients.
func (p Sum) Times(q Sum) Sum {
	if p == nil || q == nil || len(p)*len(q) > 20*maxSum {
		return nil
	}
	out := Sum{}
	for k, v := range p {
		for l, u := range q {
			e := []byte(k)
			for i := range e {
				if int(e[i])+int(l[i]) > maxDegree {
					return nil
				}
				e[i] += l[i]
			}
			x := new(big.Rat).Mul(v, u)
			if old := out[string(e)]; old != nil {
				x.Add(x, old)
			}
			if x.Num().BitLen() > maxLong || x.Denom().BitLen() > maxLong {
				return nil
			}
			out[string(e)] = x
		}
	}
	for k, v := range out {
		if v.Sign() == 0 {
			delete(out, k)
		}
	}
	if len(out) > maxSum {
		return nil
	}
	return out
}

// Power is pⁿ, nil if that is too large.
func (p Sum) Power(n, letters int) Sum {
	out := Constant(big.NewRat(1, 1), letters)
	for range n {
		if out = out.Times(p); out == nil {
			return nil
		}
	}
	return out
}

// degree is that in a letter.
func (p Sum) degree(i int) (n int) {
	for k := range p {
		n = max(n, int(k[i]))
	}
	return n
}

func (p Sum) total() (n int) {
	for k := range p {
		d := 0
		for i := range len(k) {
			d += int(k[i])
		}
		n = max(n, d)
	}
	return n
}

// letters lists those that occur.
func (p Sum) letters() (out []int) {
	seen := map[int]bool{}
	for k := range p {
		for i := range len(k) {
			if k[i] > 0 && !seen[i] {
				seen[i] = true
				out = append(out, i)
			}
		}
	}
	sort.Ints(out)
	return out
}

// by are the coefficients of the powers of a letter.
func (p Sum) by(i int) []Sum {
	out := make([]Sum, p.degree(i)+1)
	for j := range out {
		out[j] = Sum{}
	}
	for k, v := range p {
		e := []byte(k)
		n := e[i]
		e[i] = 0
		out[n][string(e)] = v
	}
	return out
}

// solvedFor is p·cᵐ at x = −d/c for the letter x, of degree m in p; nil if it is too large.
func (p Sum) solvedFor(x int, c, d Sum, letters int) (q Sum, m int) {
	cs := p.by(x)
	m = len(cs) - 1
	if m == 0 {
		return p, 0
	}
	minus := Sum{}.Plus(d, big.NewRat(-1, 1))
	q = Sum{}
	for i, a := range cs {
		if len(a) == 0 {
			continue
		}
		t := a.Times(minus.Power(i, letters))
		if t = t.Times(c.Power(m-i, letters)); t == nil {
			return nil, m
		}
		q = q.Plus(t, big.NewRat(1, 1))
	}
	return q, m
}

// at is the value at numbers of one field ℚ(√C).
func (p Sum) at(point []Number) Number {
	s := Number{A: new(big.Rat)}
	for k, v := range p {
		t := Number{A: v}
		for i := range len(k) {
			for range k[i] {
				t = t.times(point[i])
			}
		}
		s = s.plus(t)
	}
	return s
}

// ordered writes a polynomial with the letters of order as its variables 1, 2, …, times a positive number.
func (p Sum) ordered(order []int) poly {
	l := big.NewInt(1)
	for _, v := range p {
		g := new(big.Int).GCD(nil, nil, l, v.Denom())
		l = new(big.Int).Mul(l, new(big.Int).Quo(v.Denom(), g))
	}
	var build func(p Sum, level int) poly
	build = func(p Sum, level int) poly {
		if level == 0 {
			for _, v := range p {
				return integer(new(big.Int).Mul(v.Num(), new(big.Int).Quo(l, v.Denom())))
			}
			return integer(new(big.Int))
		}
		var c []poly
		for _, a := range p.by(order[level-1]) {
			c = append(c, build(a, level-1))
		}
		return trimmed(level, c)
	}
	return build(p, len(order))
}

// sum is the inverse of ordered, without the number.
func (p poly) sum(order []int, letters int) Sum {
	out := Sum{}
	var visit func(p poly, e []byte)
	visit = func(p poly, e []byte) {
		if p.level == 0 {
			if p.n.Sign() != 0 {
				out[string(e)] = new(big.Rat).SetInt(p.n)
			}
			return
		}
		for i, c := range p.c {
			e[order[p.level-1]] = byte(i)
			visit(c, e)
		}
		e[order[p.level-1]] = 0
	}
	visit(p, make([]byte, letters))
	return out
}

// Number is A + B·√C, a fraction if B is nil.
type Number struct{ A, B, C *big.Rat }

func (x Number) rational() bool { return x.B == nil }

func (x Number) plus(y Number) Number {
	if x.rational() {
		x, y = y, x
	}
	a := new(big.Rat).Add(x.A, y.A)
	if x.rational() {
		return Number{A: a}
	}
	b := x.B
	if !y.rational() {
		b = new(big.Rat).Add(x.B, y.B)
	}
	if b.Sign() == 0 {
		return Number{A: a}
	}
	return Number{a, b, x.C}
}

func (x Number) times(y Number) Number {
	if x.rational() {
		x, y = y, x
	}
	if x.rational() {
		return Number{A: new(big.Rat).Mul(x.A, y.A)}
	}
	if y.rational() {
		if y.A.Sign() == 0 {
			return Number{A: new(big.Rat)}
		}
		return Number{new(big.Rat).Mul(x.A, y.A), new(big.Rat).Mul(x.B, y.A), x.C}
	}
	bd := new(big.Rat).Mul(x.B, y.B)
	a := new(big.Rat).Mul(x.A, y.A)
	a.Add(a, bd.Mul(bd, x.C))
	b := new(big.Rat).Mul(x.A, y.B)
	b.Add(b, new(big.Rat).Mul(x.B, y.A))
	if b.Sign() == 0 {
		return Number{A: a}
	}
	return Number{a, b, x.C}
}

// over is x/y of y ≠ 0.
func (x Number) over(y Number) Number {
	if y.rational() {
		return x.times(Number{A: new(big.Rat).Inv(y.A)})
	}
	conjugate := Number{y.A, new(big.Rat).Neg(y.B), y.C}
	norm := y.times(conjugate).A
	return x.times(conjugate).times(Number{A: new(big.Rat).Inv(norm)})
}

// sign is exact: C is positive and no square.
func (x Number) sign() int {
	a := x.A.Sign()
	if x.rational() {
		return a
	}
	b := x.B.Sign()
	if a == 0 || a == b {
		return b
	}
	n := new(big.Rat).Mul(x.A, x.A)
	m := new(big.Rat).Mul(x.B, x.B)
	return a * n.Cmp(m.Mul(m, x.C))
}

// near is a fraction next to the number.
func (x Number) near() *big.Rat {
	if x.rational() {
		return x.A
	}
	f := new(big.Float).SetPrec(80).SetRat(x.C)
	r, _ := f.Sqrt(f).Rat(nil)
	return r.Add(x.A, r.Mul(r, x.B))
}
