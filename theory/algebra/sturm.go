package algebra

import (
	"errors"
	"math/big"
)

// Univariate is a polynomial in one variable, coefficients from the constant term up. The zero polynomial
// is empty; otherwise the last coefficient is nonzero.
type Univariate []*big.Rat

// NewUnivariate drops leading zeros.
func NewUnivariate(c ...*big.Rat) Univariate {
	for len(c) > 0 && c[len(c)-1].Sign() == 0 {
		c = c[:len(c)-1]
	}
	return c
}

// Degree returns the degree, or −1 for zero.
func (p Univariate) Degree() int { return len(p) - 1 }

// At returns p(x) by Horner's rule.
func (p Univariate) At(x *big.Rat) *big.Rat {
	s := new(big.Rat)
	for i := len(p) - 1; i >= 0; i-- {
		s.Mul(s, x)
		s.Add(s, p[i])
	}
	return s
}

// Derivative returns p'.
func (p Univariate) Derivative() Univariate {
	var d Univariate
	for i := 1; i < len(p); i++ {
		d = append(d, new(big.Rat).Mul(p[i], big.NewRat(int64(i), 1)))
	}
	return d
}

// DivMod returns the quotient and remainder of p by a nonzero q.
func (p Univariate) DivMod(q Univariate) (quo, rem Univariate) {
	r := make(Univariate, len(p))
	for i, c := range p {
		r[i] = new(big.Rat).Set(c)
	}
	if len(p) >= len(q) {
		quo = make(Univariate, len(p)-len(q)+1)
	}
	for k := len(p) - len(q); k >= 0; k-- {
		f := new(big.Rat).Quo(r[k+len(q)-1], q[len(q)-1])
		quo[k] = f
		for i, c := range q {
			r[k+i].Sub(r[k+i], new(big.Rat).Mul(f, c))
		}
	}
	return NewUnivariate(quo...), NewUnivariate(r...)
}

// sturmSequence is p, p', and the negated remainders, each scaled by a positive number to keep
// coefficients small.
func (p Univariate) sturmSequence() []Univariate {
	seq := []Univariate{p, p.Derivative()}
	for len(seq[len(seq)-1]) > 0 {
		_, rem := seq[len(seq)-2].DivMod(seq[len(seq)-1])
		if len(rem) == 0 {
			break
		}
		scale := new(big.Rat).Inv(new(big.Rat).Abs(rem[len(rem)-1]))
		for i := range rem {
			rem[i] = new(big.Rat).Neg(new(big.Rat).Mul(rem[i], scale))
		}
		seq = append(seq, rem)
	}
	if len(seq[len(seq)-1]) == 0 {
		seq = seq[:len(seq)-1]
	}
	return seq
}

// variations counts sign changes of the sequence at x, where nil stands for −∞ or +∞ by side.
func variations(seq []Univariate, x *big.Rat, side int) int {
	n, last := 0, 0
	for _, p := range seq {
		s := 0
		if x != nil {
			s = p.At(x).Sign()
		} else if len(p) > 0 {
			s = p[len(p)-1].Sign()
			if side < 0 && p.Degree()%2 == 1 {
				s = -s
			}
		}
		if s != 0 {
			if last != 0 && s != last {
				n++
			}
			last = s
		}
	}
	return n
}

// ErrZeroPolynomial is returned where the zero polynomial has no finite root count.
var ErrZeroPolynomial = errors.New("algebra: the zero polynomial")

// CountRoots returns the number of distinct real roots of p in the half-open interval (lo, hi], by Sturm's
// theorem; nil ends are infinite. (Basu, Pollack, Roy, Algorithms in Real Algebraic Geometry, section 2.2.)
func (p Univariate) CountRoots(lo, hi *big.Rat) (int, error) {
	if len(p) == 0 {
		return 0, ErrZeroPolynomial
	}
	if lo != nil && hi != nil && lo.Cmp(hi) >= 0 {
		return 0, nil
	}
	// The square-free part has the same roots and a Sturm sequence that is valid at its roots too.
	q := p.squareFree()
	seq := q.sturmSequence()
	return variations(seq, lo, -1) - variations(seq, hi, 1), nil
}

// squareFree returns p / gcd(p, p').
func (p Univariate) squareFree() Univariate {
	if p.Degree() < 1 {
		return p
	}
	a, b := p, p.Derivative()
	for len(b) > 0 {
		_, rem := a.DivMod(b)
		a, b = b, rem
	}
	q, _ := p.DivMod(a)
	return q
}

// RootInterval isolates one root: it lies in (Lo, Hi], and is Hi itself if Exact.
type RootInterval struct {
	Lo, Hi *big.Rat
	Exact  bool
}

// IsolateRoots returns disjoint intervals, ascending, each with exactly one real root of p, of length at
// most width, by bisection of the Cauchy bound with Sturm counts.
func (p Univariate) IsolateRoots(width *big.Rat) ([]RootInterval, error) {
	if len(p) == 0 {
		return nil, ErrZeroPolynomial
	}
	bound := big.NewRat(1, 1)
	lead := new(big.Rat).Abs(p[len(p)-1])
	for _, c := range p[:len(p)-1] {
		if q := new(big.Rat).Quo(new(big.Rat).Abs(c), lead); q.Cmp(bound) > 0 {
			bound = q
		}
	}
	bound = new(big.Rat).Add(bound, big.NewRat(1, 1))
	seq := p.squareFree().sturmSequence()
	var out []RootInterval
	var split func(lo, hi *big.Rat)
	split = func(lo, hi *big.Rat) {
		n := variations(seq, lo, -1) - variations(seq, hi, 1)
		if n == 0 {
			return
		}
		if n == 1 && new(big.Rat).Sub(hi, lo).Cmp(width) <= 0 {
			out = append(out, RootInterval{lo, hi, p.At(hi).Sign() == 0})
			return
		}
		mid := new(big.Rat).Mul(new(big.Rat).Add(lo, hi), big.NewRat(1, 2))
		split(lo, mid)
		split(mid, hi)
	}
	split(new(big.Rat).Neg(bound), bound)
	return out, nil
}

// SignOn returns the sign that p has everywhere on the interval from lo to hi (nil is infinite; an open end
// excludes the end point), or ok = false if it has none.
func (p Univariate) SignOn(lo, hi *big.Rat, loOpen, hiOpen bool) (sign int, ok bool) {
	if len(p) == 0 {
		return 0, true
	}
	n, _ := p.CountRoots(lo, hi)
	if hi != nil && hiOpen && p.At(hi).Sign() == 0 {
		n--
	}
	if lo != nil && !loOpen && p.At(lo).Sign() == 0 {
		n++
	}
	if n != 0 {
		return 0, false
	}
	var x *big.Rat
	switch {
	case lo != nil && hi != nil:
		x = new(big.Rat).Mul(new(big.Rat).Add(lo, hi), big.NewRat(1, 2))
	case lo != nil:
		x = new(big.Rat).Add(lo, big.NewRat(1, 1))
	case hi != nil:
		x = new(big.Rat).Sub(hi, big.NewRat(1, 1))
	default:
		x = new(big.Rat)
	}
	return p.At(x).Sign(), true
}

// Univariate writes f as numerator over denominator in the single scalar generator named, or returns
// ok = false if another symbol occurs.
func (r *Ring) Univariate(f *Frac, name string) (num, den Univariate, ok bool) {
	g, known := r.genName[name]
	if !known {
		return nil, nil, false
	}
	d := constPoly(one)
	for _, k := range f.den {
		for range k.pow {
			d = r.mul(d, k.p)
		}
	}
	num, ok = f.num.univariate(g)
	if !ok {
		return nil, nil, false
	}
	den, ok = d.univariate(g)
	return num, den, ok
}

func (p *Poly) univariate(g int) (Univariate, bool) {
	var c []*big.Rat
	for _, t := range p.terms {
		e := t.m.exp(g)
		if len(t.m) > 1 || len(t.m) == 1 && e == 0 {
			return nil, false
		}
		for len(c) <= e {
			c = append(c, new(big.Rat))
		}
		c[e] = t.c
	}
	return NewUnivariate(c...), true
}
