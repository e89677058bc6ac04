package interval

import (
	"math"
	"math/big"
)

// The operations of this file are those that contraction uses: from an enclosure c of
// an operation's result they bound an operand (IEEE 1788-2015, 10.5.4 and 12.12), or
// take one term out of a sum (10.5.6).

// CancelMinus returns the tightest z with y + z ⊇ x if x is at least as wide as y, and
// Entire if it is not or one of them is unbounded (IEEE 1788-2015, 12.12.5).
func (x Interval) CancelMinus(y Interval) Interval {
	switch {
	case x.IsEmpty() && (y.IsEmpty() || y.IsBounded()):
		return Empty()
	case !x.IsBounded() || !y.IsBounded():
		return Entire()
	}
	// Soundness: the widths are compared exactly. Rounded ones can agree while y is
	// wider, and no z exists.
	if x != y && wider(y, x) {
		return Entire()
	}
	return Interval{subDown(x.lo, y.lo), subUp(x.hi, y.hi)}
}

// CancelPlus returns x.CancelMinus(−y).
func (x Interval) CancelPlus(y Interval) Interval { return x.CancelMinus(y.Neg()) }

// wider reports whether bounded x is wider than bounded y, exactly.
func wider(x, y Interval) bool {
	width := func(z Interval) *big.Rat {
		lo, hi, _ := z.Rats()
		return hi.Sub(hi, lo)
	}
	return width(x).Cmp(width(y)) > 0
}

// MulRevToPair returns the set {t : t·b = c for some b ∈ b, c ∈ c} as two intervals in
// ascending order, of which the second is empty if the set is connected: the division
// c/b that keeps both branches where b passes through zero.
func MulRevToPair(b, c Interval) (first, second Interval) {
	switch {
	case b.IsEmpty() || c.IsEmpty():
		return Empty(), Empty()
	case !b.Contains(0):
		return c.Div(b), Empty()
	case c.Contains(0):
		return Entire(), Empty()
	}
	// From here 0 ∈ b and 0 ∉ c: b's negative and positive part, each with zero as an
	// end, give a branch.
	below, above := b.Intersect(Interval{math.Inf(-1), 0}), b.Intersect(Interval{0, math.Inf(1)})
	first, second = c.Div(below), c.Div(above)
	if c.lo > 0 {
		// c/below ≤ 0 ≤ c/above already.
	} else {
		first, second = second, first
	}
	if first.IsEmpty() {
		return second, Empty()
	}
	return first, second
}

// MulRev returns the hull of {t ∈ x : t·b = c for some b ∈ b, c ∈ c}.
func MulRev(b, c, x Interval) Interval {
	first, second := MulRevToPair(b, c)
	return first.Intersect(x).Hull(second.Intersect(x))
}

// AbsRev returns the hull of {t ∈ x : |t| ∈ c}.
func AbsRev(c, x Interval) Interval {
	c = c.Intersect(Interval{0, math.Inf(1)})
	return c.Neg().Intersect(x).Hull(c.Intersect(x))
}

// SqrRev returns the hull of {t ∈ x : t² ∈ c}.
func SqrRev(c, x Interval) Interval { return PowIntRev(c, x, 2) }

// PowIntRev returns the hull of {t ∈ x : tⁿ ∈ c}; for n < 0 over t ≠ 0.
func PowIntRev(c, x Interval, n int) Interval {
	if c.IsEmpty() || x.IsEmpty() {
		return Empty()
	}
	if n == 0 {
		if c.Contains(1) {
			return x
		}
		return Empty()
	}
	positive, negative := c.Intersect(Interval{0, math.Inf(1)}), c.Neg().Intersect(Interval{0, math.Inf(1)})
	positive, negative = positive.root(n), negative.root(n)
	if n%2 == 0 {
		return positive.Neg().Intersect(x).Hull(positive.Intersect(x))
	}
	return negative.Neg().Intersect(x).Hull(positive.Intersect(x))
}

// root returns {t > 0 : tⁿ ∈ x} for x ≥ 0 and n ≠ 0, with t = 0 for n > 0, tightest for
// |n| up to exactRoot.
func (x Interval) root(n int) Interval {
	switch {
	case x.IsEmpty() || n == 1:
		return x
	case n == 2:
		return x.Sqrt()
	case n > 0:
		return Interval{rootBounds(x.lo, n).lo, rootBounds(x.hi, n).hi}
	case x.hi == 0:
		return Empty()
	}
	// A negative power falls.
	return Interval{rootBounds(x.hi, n).lo, rootBounds(x.lo, n).hi}
}

// exactRoot bounds the roots that are checked by exact powers: their numbers have at
// most 256·1074 bits.
const exactRoot = 256

// rootBounds encloses the t ≥ 0 with tⁿ = u, for an end u ≥ 0, n ≠ 0.
func rootBounds(u float64, n int) Interval {
	if u == 0 || math.IsInf(u, 1) {
		if (u == 0) == (n > 0) {
			return Interval{}
		}
		return Interval{maxFinite, math.Inf(1)}
	}
	if u == 1 {
		return Interval{1, 1}
	}
	// u^(1/n), and 1/n is enclosed.
	pow := Interval{u, u}.Pow(Interval{1, 1}.Div(FromInt(int64(n))))
	if n > exactRoot || n < -exactRoot {
		return pow
	}
	r := pow.lo
	exact := new(big.Rat).SetFloat64(u)
	if n < 0 {
		n, exact = -n, exact.Inv(exact)
	}
	compare := func(r float64) int { return ratPow(new(big.Rat).SetFloat64(r), n).Cmp(exact) }
	// Soundness: wherever the enclosure lies, the loops end at neighbours with the root
	// between them, by exact comparison.
	for r > 0 && compare(r) > 0 {
		r = nextDown(r)
	}
	for nextUp(r) <= maxFinite && compare(nextUp(r)) <= 0 {
		r = nextUp(r)
	}
	if r > 0 && compare(r) == 0 {
		return Interval{r, r}
	}
	return Interval{r, nextUp(r)}
}

// FMA returns {u·v + w : u ∈ x, v ∈ y, w ∈ z}, rounded once where all are bounded.
func (x Interval) FMA(y, z Interval) Interval {
	if !x.IsBounded() || !y.IsBounded() || !z.IsBounded() {
		return x.Mul(y).Add(z)
	}
	xl, xh, _ := x.Rats()
	yl, yh, _ := y.Rats()
	zl, zh, _ := z.Rats()
	var lo, hi *big.Rat
	for _, u := range [...]*big.Rat{xl, xh} {
		for _, v := range [...]*big.Rat{yl, yh} {
			p := new(big.Rat).Mul(u, v)
			if lo == nil || p.Cmp(lo) < 0 {
				lo = p
			}
			if hi == nil || p.Cmp(hi) > 0 {
				hi = p
			}
		}
	}
	return Interval{ratDown(new(big.Rat).Add(lo, zl)), ratUp(new(big.Rat).Add(hi, zh))}
}
