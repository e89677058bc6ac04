package interval

import "math"

// The primitives of this file round one operation on float64 ends in a given
// direction. Each computes the result rounded to nearest and then the sign of
// the exact error; the result moves by one unit in the last place only when it
// lies on the wrong side. The error terms are the classical ones: TwoSum for
// the sum (Møller 1965, Knuth, TAOCP vol. 2, 4.2.2), the FMA residual for
// product, quotient and root (Muller et al., Handbook of Floating-Point
// Arithmetic, 2nd ed., sections 4.3 to 4.4).
//
// Rounding up is −(rounding down of the negated operation): negation is exact.
//
// An end is never NaN. Infinite operands stand for unbounded ends.

const (
	maxFinite = math.MaxFloat64
	minFinite = math.SmallestNonzeroFloat64
	minNormal = 0x1p-1022
	// safeSum bounds the sums whose TwoSum cannot overflow.
	safeSum = 0x1p+1022

	// tinyProduct bounds from below the products whose FMA residual is exact
	// or at least has the right sign: a residual of a·b against a float64 is a
	// multiple of ulp(a)·ulp(b) ≥ 2^(e−106) when |a·b| ≥ 2^e, and with e = −900
	// that is above the smallest subnormal 2^−1074.
	tinyProduct = 0x1p-900
	// unscale lifts operands whose product is below tinyProduct: the product of
	// two numbers that does not round to zero is at least 2^−1075, hence at
	// least 2^−475 afterwards, where residuals are exact. The smaller factor of
	// a product below 2·tinyProduct is at most 2^−449, so it can be scaled.
	unscale = 0x1p+600
)

// nextDown returns the largest float64 below x; −Inf stays.
func nextDown(x float64) float64 {
	switch {
	case x > 0:
		return math.Float64frombits(math.Float64bits(x) - 1)
	case x == 0:
		return -minFinite
	case x >= -maxFinite:
		return math.Float64frombits(math.Float64bits(x) + 1)
	}
	return x
}

// below returns p if the exact error e is not negative, else the largest float64
// below p, without a branch: the signs of errors are as good as random. p is
// finite and not zero.
//
// Soundness: the neighbour below p has the bits of p less one if p is positive,
// plus one if it is negative. An e of −0 would move p needlessly, not wrongly;
// exact errors are +0 in rounding to nearest.
func below(p, e float64) float64 {
	b := math.Float64bits(p)
	return math.Float64frombits(b - math.Float64bits(e)>>63*uint64(1|int64(b)>>63))
}

// nextUp returns the smallest float64 above x; +Inf stays.
func nextUp(x float64) float64 { return -nextDown(-x) }

// addDown returns the largest float64 ≤ a + b. The ends +Inf and −Inf are
// never added to each other.
func addDown(a, b float64) float64 {
	s := a + b
	if m := math.Abs(s); m >= minNormal && m <= safeSum {
		t := s - a
		// Soundness: TwoSum; the error is a + b − s exactly, whatever the order
		// of |a|, |b|. Nothing overflows: either a and b cancel to within a
		// factor of two, every step is exact and s − a = b, or both are at most
		// 2·|s| ≤ 2^1023 in magnitude.
		return below(s, (a-(s-t))+(b-t))
	}
	return addDownEdge(a, b, s)
}

// addDownEdge finishes addDown for sums that are zero or subnormal, large or not
// finite; s is a + b rounded to nearest.
func addDownEdge(a, b, s float64) float64 {
	switch {
	case s == 0:
		return 0 // exact
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return s
	case s > maxFinite:
		return maxFinite
	case s < -maxFinite:
		return s
	}
	// Soundness: FastTwoSum (Dekker 1971) with |a| ≥ |b|: s − a is exact, and
	// finite because |s − a| ≤ |b| + |e|, where |b| ≤ maxFinite/2 if a and b
	// have the same sign and e = 0 if they do not and |b| ≥ |a|/2.
	if math.Abs(a) < math.Abs(b) {
		a, b = b, a
	}
	if b-(s-a) < 0 {
		return nextDown(s)
	}
	return s
}

// addUp returns the smallest float64 ≥ a + b.
func addUp(a, b float64) float64 { return -addDown(-a, -b) }

// subDown and subUp bound a − b.
func subDown(a, b float64) float64 { return addDown(a, -b) }
func subUp(a, b float64) float64   { return -addDown(-a, b) }

// mulDown returns the largest float64 ≤ a·b, with 0·(±Inf) = 0.
func mulDown(a, b float64) float64 {
	p := float64(a * b)
	if m := math.Abs(p); m >= tinyProduct && m <= maxFinite {
		// Soundness: a·b − p is representable here, so its sign is exact.
		return below(p, math.FMA(a, b, -p))
	}
	return mulDownEdge(a, b, p)
}

// mulDownEdge finishes mulDown for results that overflow, underflow or are
// zero, and for infinite operands; p is a·b rounded to nearest.
func mulDownEdge(a, b, p float64) float64 {
	if a == 0 || b == 0 {
		// Soundness: an unbounded end is a limit of reals, each of which
		// gives 0 when multiplied by 0.
		return 0
	}
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		return p
	}
	if p > maxFinite {
		return maxFinite
	}
	if p < -maxFinite {
		return p
	}
	if p == 0 {
		// Soundness: a·b ≠ 0 rounded to zero; only its sign is left.
		if (a < 0) != (b < 0) {
			return -minFinite
		}
		return 0
	}
	// Soundness: with the smaller factor and p scaled by the same power of two,
	// exactly, the residual cannot underflow to zero.
	small, large := a, b
	if math.Abs(small) > math.Abs(large) {
		small, large = large, small
	}
	if math.FMA(small*unscale, large, -float64(p*unscale)) < 0 {
		return nextDown(p)
	}
	return p
}

// mulUp returns the smallest float64 ≥ a·b, with 0·(±Inf) = 0.
func mulUp(a, b float64) float64 { return -mulDown(-a, b) }

// divDown returns the largest float64 ≤ a/b for b ≠ 0; a and b are not both
// infinite. A finite a over an infinite b is the limit 0.
func divDown(a, b float64) float64 {
	q := float64(a / b)
	if a == 0 || math.IsInf(b, 0) {
		return 0
	}
	if math.IsInf(a, 0) {
		return q
	}
	if q > maxFinite {
		return maxFinite
	}
	if q < -maxFinite {
		return q
	}
	// r has the sign of q·b − a; the exact quotient is below q when r and b
	// have the same sign.
	var r float64
	if math.Abs(a) >= tinyProduct {
		// Soundness: q·b is within a factor two of a, so the residual is a
		// multiple of ulp(q)·ulp(b) ≥ 2^−1074 and its sign survives.
		r = math.FMA(q, b, -a)
	} else if math.Abs(q) <= math.Abs(b) {
		r = math.FMA(float64(q*unscale), b, -float64(a*unscale))
	} else {
		r = math.FMA(q, float64(b*unscale), -float64(a*unscale))
	}
	if r != 0 && (r > 0) == (b > 0) {
		return nextDown(q)
	}
	return q
}

// divUp returns the smallest float64 ≥ a/b, under the conditions of divDown.
func divUp(a, b float64) float64 { return -divDown(-a, b) }

// sqrtResidual returns s = √x rounded to nearest and the sign of s² − x, for
// finite x ≥ 0.
func sqrtResidual(x float64) (s, r float64) {
	s = math.Sqrt(x)
	if x >= tinyProduct {
		return s, math.FMA(s, s, -x)
	}
	// Soundness: scaling by an even power of two commutes with the root, and
	// makes the residual representable.
	const half = 0x1p+300
	t := float64(s * half)
	return s, math.FMA(t, t, -float64(x*unscale))
}

// sqrtDown returns the largest float64 ≤ √x for x ≥ 0.
func sqrtDown(x float64) float64 {
	if x == 0 || math.IsInf(x, 1) {
		return x
	}
	s, r := sqrtResidual(x)
	if r > 0 {
		return nextDown(s)
	}
	return s
}

// sqrtUp returns the smallest float64 ≥ √x for x ≥ 0.
func sqrtUp(x float64) float64 {
	if x == 0 || math.IsInf(x, 1) {
		return x
	}
	s, r := sqrtResidual(x)
	if r < 0 {
		return nextUp(s)
	}
	return s
}

// powDown returns a float64 ≤ a^n for a ≥ 0 by binary powering with every
// product rounded down: products of nonnegative lower bounds are lower bounds.
func powDown(a float64, n uint) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = mulDown(p, a)
		}
		if n > 1 {
			a = mulDown(a, a)
		}
	}
	return p
}

// powUp returns a float64 ≥ a^n for a ≥ 0.
func powUp(a float64, n uint) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = mulUp(p, a)
		}
		if n > 1 {
			a = mulUp(a, a)
		}
	}
	return p
}
