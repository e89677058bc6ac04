package univariate

import "math/big"

// Count says how many zeros there are, how many of them are crossed from below and from above, by the sign of the derivative.
type Count struct {
	All, Rising, Falling int
}

// Zeros counts the zeros of p, which is not the zero polynomial, between two ends, nil at ∓∞, which belong to the interval
// where loIn and hiIn say so; an end that is no number has none.
//
// What is a zero at an end is divided out, and the others are counted by Tarski's queries (Basu, Pollack, Roy, Algorithms in
// Real Algebraic Geometry, 2.2): of 1 the zeros, of p' those with a positive derivative less those with a negative one, and
// of the common divisor of p and p' those of which the derivative is zero.
func (p Polynomial) Zeros(lo, hi *big.Rat, loIn, hiIn bool) Count {
	var c Count
	slope := p.Derivative()
	point := lo != nil && hi != nil && lo.Cmp(hi) == 0
	if lo != nil && hi != nil && lo.Cmp(hi) > 0 || point && !(loIn && hiIn) {
		return c
	}
	q := p
	for i, x := range []*big.Rat{lo, hi} {
		if x == nil || i == 1 && point || p.At(x).Sign() != 0 {
			continue
		}
		if []bool{loIn, hiIn}[i] {
			c.All++
			switch slope.At(x).Sign() {
			case 1:
				c.Rising++
			case -1:
				c.Falling++
			}
		}
		for q.At(x).Sign() == 0 {
			q, _ = q.Divide(Linear(x))
		}
	}
	if point {
		return c
	}
	one := New(big.NewRat(1, 1))
	some, common := q.query(one, lo, hi)
	more, _ := q.query(slope, lo, hi)
	multiple, _ := common.query(one, lo, hi)
	c.All += some
	c.Rising += (some - multiple + more) / 2
	c.Falling += (some - multiple - more) / 2
	return c
}

// query is Tarski's: how many zeros of p between lo and hi there are at which g > 0, less those at which g < 0; neither end is
// a zero of p. The last remainder is a common divisor of p and p'·g.
func (p Polynomial) query(g Polynomial, lo, hi *big.Rat) (n int, last Polynomial) {
	a, b := p, p.Derivative().Times(g)
	var left, right []int
	for {
		left, right = append(left, a.sign(lo, true)), append(right, a.sign(hi, false))
		if len(b) == 0 {
			return alternations(left) - alternations(right), a
		}
		_, r := a.Divide(b)
		a, b = b, r.primitive().Negated()
	}
}

// sign is that at x, or, where x is nil, far out to the left or right.
func (p Polynomial) sign(x *big.Rat, left bool) int {
	s := p[len(p)-1].Sign()
	switch {
	case x != nil:
		s = p.At(x).Sign()
	case left && len(p)%2 == 0:
		s = -s
	}
	return s
}

// alternations counts the changes of sign, zeros left out.
func alternations(signs []int) (n int) {
	last := 0
	for _, s := range signs {
		if s != 0 && last != 0 && s != last {
			n++
		}
		if s != 0 {
			last = s
		}
	}
	return n
}
