// Package univariate computes with polynomials in one variable over the rational numbers, exactly: values, remainders, common
// divisors, factors by multiplicity, interpolation, and how many real zeros there are between two ends.
//
// Degrees are small (up to some dozens) and everything is dense. Nothing here need be believed: the prover's use of it ends in
// applications of rules, the search's in states that the model judges, the evaluator's in words that the kernel and the model
// are compared with. Numbers are never written to, so that polynomials may share coefficients.
package univariate

import (
	"math/big"
	"slices"
)

// Polynomial is Σ p[i]·xⁱ; the last coefficient is not zero, and the zero polynomial has none.
type Polynomial []*big.Rat

// New is the polynomial with these coefficients, the constant one first; leading zeros are left out.
func New(coefficients ...*big.Rat) Polynomial {
	n := len(coefficients)
	for n > 0 && coefficients[n-1].Sign() == 0 {
		n--
	}
	return Polynomial(coefficients[:n:n])
}

// Linear is x − r.
func Linear(r *big.Rat) Polynomial {
	return Polynomial{new(big.Rat).Neg(r), big.NewRat(1, 1)}
}

// At is p(x), by Horner's scheme.
func (p Polynomial) At(x *big.Rat) *big.Rat {
	s := new(big.Rat)
	for i := len(p) - 1; i >= 0; i-- {
		s.Add(s.Mul(s, x), p[i])
	}
	return s
}

// Derivative is p'.
func (p Polynomial) Derivative() Polynomial {
	var out Polynomial
	for i := 1; i < len(p); i++ {
		out = append(out, new(big.Rat).Mul(p[i], big.NewRat(int64(i), 1)))
	}
	return out
}

// Negated is −p.
func (p Polynomial) Negated() Polynomial {
	out := make(Polynomial, len(p))
	for i, c := range p {
		out[i] = new(big.Rat).Neg(c)
	}
	return out
}

// Plus is p + q.
func (p Polynomial) Plus(q Polynomial) Polynomial {
	out := make(Polynomial, max(len(p), len(q)))
	for i := range out {
		out[i] = new(big.Rat)
		for _, a := range []Polynomial{p, q} {
			if i < len(a) {
				out[i].Add(out[i], a[i])
			}
		}
	}
	return New(out...)
}

// Times is p·q.
func (p Polynomial) Times(q Polynomial) Polynomial {
	out := make(Polynomial, max(0, len(p)+len(q)-1))
	for i := range out {
		out[i] = new(big.Rat)
	}
	for i, a := range p {
		for k, b := range q {
			out[i+k].Add(out[i+k], new(big.Rat).Mul(a, b))
		}
	}
	return New(out...)
}

// Divide is p = quo·d + rem with rem of a smaller degree than d, which is not zero.
func (p Polynomial) Divide(d Polynomial) (quo, rem Polynomial) {
	rem = slices.Clone(p)
	quo = make(Polynomial, max(0, len(p)-len(d)+1))
	for k := len(quo) - 1; k >= 0; k-- {
		quo[k] = new(big.Rat).Quo(rem[k+len(d)-1], d[len(d)-1])
		for i, c := range d {
			rem[k+i] = new(big.Rat).Sub(rem[k+i], new(big.Rat).Mul(quo[k], c))
		}
	}
	return quo, New(rem...)
}

// Monic is p, which is not zero, over its leading coefficient.
func (p Polynomial) Monic() Polynomial {
	out := make(Polynomial, len(p))
	for i, c := range p {
		out[i] = new(big.Rat).Quo(c, p[len(p)-1])
	}
	return out
}

// primitive is the positive multiple of p whose coefficients are whole numbers without a common divisor: remainders of
// remainders would grow out of bounds without.
func (p Polynomial) primitive() Polynomial {
	if len(p) == 0 {
		return p
	}
	common, whole := big.NewInt(1), make([]*big.Int, len(p))
	var g big.Int
	for _, c := range p {
		g.GCD(nil, nil, common, c.Denom())
		common = new(big.Int).Mul(common, new(big.Int).Quo(c.Denom(), &g))
	}
	divisor := new(big.Int)
	for i, c := range p {
		whole[i] = new(big.Int).Mul(c.Num(), new(big.Int).Quo(common, c.Denom()))
		divisor.GCD(nil, nil, divisor, new(big.Int).Abs(whole[i]))
	}
	out := make(Polynomial, len(p))
	for i, n := range whole {
		out[i] = new(big.Rat).SetInt(n.Quo(n, divisor))
	}
	return out
}

// GCD is the monic greatest common divisor of p and q, of which p is not zero, by Euclid's algorithm.
func GCD(p, q Polynomial) Polynomial {
	if coprime(p, q) {
		return Polynomial{big.NewRat(1, 1)}
	}
	for len(q) > 0 {
		_, r := p.Divide(q)
		p, q = q, r.primitive()
	}
	return p.Monic()
}

// Remaindering is how many operations on words a sequence of remainders of p and a polynomial of its degree takes: their
// coefficients become longer by a factor of twice the degree.
func (p Polynomial) Remaindering() int {
	bits := 0
	for _, c := range p {
		bits = max(bits, c.Num().BitLen(), c.Denom().BitLen())
	}
	words := bits * len(p) / 32
	return len(p) * len(p) * (1 + words + words*words/16)
}

// Factoring is how many operations on words Factors and SquareFree take at most.
func (p Polynomial) Factoring() int {
	n := p.Remaindering()
	if len(p) > 1 && coprime(p, p.Derivative()) {
		return min(n, len(p)*len(p))
	}
	return n
}

// Factors is Yun's decomposition of p, which is not zero: p = c·Π fᵢⁱ with a number c, and square-free monic fᵢ that have no
// zero in common; f₀ is unused.
func (p Polynomial) Factors() []Polynomial {
	out := []Polynomial{nil}
	p = p.Monic()
	slope := p.Derivative()
	g := GCD(p, slope)
	b, _ := p.Divide(g)
	d, _ := slope.Divide(g)
	for len(b) > 1 {
		e := d.Plus(b.Derivative().Negated())
		if len(e) == 0 {
			return append(out, b)
		}
		f := GCD(b, e)
		out = append(out, f)
		b, _ = b.Divide(f)
		d, _ = e.Divide(f)
	}
	return out
}

// SquareFree has the zeros of p once each; of the zero polynomial it is that.
func (p Polynomial) SquareFree() Polynomial {
	if len(p) == 0 {
		return p
	}
	q, _ := p.Divide(GCD(p, p.Derivative()))
	return q
}

// Through is the polynomial of least degree through the points (xs[i], ys[i]), of which no two have the same x, by Newton's
// divided differences.
func Through(xs, ys []*big.Rat) Polynomial {
	d := slices.Clone(ys)
	for k := 1; k < len(d); k++ {
		for i := len(d) - 1; i >= k; i-- {
			d[i] = new(big.Rat).Quo(new(big.Rat).Sub(d[i], d[i-1]), new(big.Rat).Sub(xs[i], xs[i-k]))
		}
	}
	var p Polynomial
	for k := len(d) - 1; k >= 0; k-- {
		p = p.Times(Linear(xs[k])).Plus(New(d[k]))
	}
	return p
}
