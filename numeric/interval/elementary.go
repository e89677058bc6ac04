package interval

import (
	"math"
	"math/big"
)

// Pi returns the tightest interval that contains π.
func Pi() Interval { return ziv(bigPi.at) }

// Exp returns {e^u : u ∈ x}, each end rounded from an enclosure of the exact
// value at 96 bits or more (Taylor series with remainder after the reduction
// u = k·log 2 + r); tightest.
func (x Interval) Exp() Interval {
	if x.IsEmpty() {
		return x
	}
	return Interval{expBounds(x.lo).lo, expBounds(x.hi).hi}
}

// expBounds encloses e^u for an end u; e^(−Inf) = 0, e^(+Inf) = +Inf.
func expBounds(u float64) Interval {
	switch {
	case u == 0:
		return Interval{1, 1}
	case math.IsInf(u, 0):
		v := math.Max(u, 0)
		return Interval{v, v}
	// 1 + u ≤ e^u < 1 + 2u for 0 < u < 1, and 1 + u < e^u < 1 for u < 0: too near
	// to 1 for any working precision to decide the rounding.
	case u > 0 && u < 0x1p-60:
		return Interval{1, nextUp(1)}
	case u < 0 && u > -0x1p-60:
		return Interval{nextDown(1), 1}
	case u > 710: // e^710 > 2^1024
		return Interval{maxFinite, math.Inf(1)}
	case u < -746: // e^−746 < 2^−1074
		return Interval{0, minFinite}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange { return bigExp(prec, f) })
}

// Log returns {log u : u ∈ x, u > 0}, each end rounded from an enclosure of the
// exact value at 96 bits or more (artanh series with remainder); tightest. It
// is empty if x ≤ 0.
func (x Interval) Log() Interval {
	if x.hi <= 0 {
		return Empty()
	}
	z := Entire()
	if x.lo > 0 {
		z.lo = logBounds(x.lo).lo
	}
	if x.hi <= maxFinite {
		z.hi = logBounds(x.hi).hi
	}
	return z
}

// logBounds encloses log u for finite u > 0.
func logBounds(u float64) Interval {
	if u == 1 {
		return Interval{}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange { return bigLog(prec, f) })
}

// Pow returns an interval that contains {u^v = exp(v·log u) : u ∈ x, v ∈ y,
// u > 0} ∪ {0 : 0 ∈ x, some v > 0 in y}, the power of IEEE 1788, table 9.1; for
// integer powers of negative numbers see PowInt. On u > 0 the power is monotone
// in each argument, so that the extremes are at the corners.
func (x Interval) Pow(y Interval) Interval {
	x = x.Intersect(Interval{0, math.Inf(1)})
	if x.IsEmpty() || y.IsEmpty() || x.hi == 0 && y.hi <= 0 {
		return Empty()
	}
	if x.hi == 0 {
		return Interval{}
	}
	z := Empty()
	for _, u := range [...]float64{x.lo, x.hi} {
		for _, v := range [...]float64{y.lo, y.hi} {
			z = z.Hull(powCorner(u, v))
		}
	}
	return z
}

// powCorner encloses the limit, or all limits, of u^v at a corner of a box:
// u ≥ 0 or +Inf, v any real or ±Inf.
//
// Soundness: the corners 0⁰, ∞⁰ and 1^∞ have no limit, but on a box they are
// approached only along its two edges (the box is a product), where the power
// is constant 1 or tends to the values of the neighbouring corners; hence 1
// completes the hull there.
func powCorner(u, v float64) Interval {
	zero, one, inf := Interval{}, Interval{1, 1}, Interval{maxFinite, math.Inf(1)}
	switch {
	case v == 0 || u == 1:
		return one
	case u == 0:
		if v > 0 {
			return zero
		}
		return inf
	case math.IsInf(u, 1):
		if v > 0 {
			return inf
		}
		return zero
	case math.IsInf(v, 0):
		if (u > 1) == (v > 0) {
			return inf
		}
		return zero
	}
	if v == math.Trunc(v) && math.Abs(v) <= exactPower {
		return FromRat(ratPow(new(big.Rat).SetFloat64(u), int(v)))
	}
	base, exponent := new(big.Float).SetFloat64(u), new(big.Float).SetFloat64(v)
	logPower := func(prec uint) bigRange {
		return newBigRange(prec).mulPoint(bigLog(prec, base), exponent)
	}
	estimate := logPower(64)
	switch {
	case estimate.lo.Cmp(expOverflow) > 0:
		return inf
	case estimate.hi.Cmp(expUnderflow) < 0:
		return Interval{0, minFinite}
	}
	return ziv(func(prec uint) bigRange {
		t := logPower(prec + 64)
		z := newBigRange(prec)
		z.lo.Set(bigExp(prec, t.lo).lo)
		z.hi.Set(bigExp(prec, t.hi).hi)
		return z
	})
}

// exactPower bounds the integer exponents of powCorner that are computed in
// exact arithmetic: their results can be float64 numbers, which no enclosure
// decides. At 64 the numbers have at most 64·1074 bits.
const exactPower = 64

// Beyond these arguments e^t is above the largest, respectively below the
// smallest positive float64: e^710 > 2^1024, e^−746 < 2^−1074.
var (
	expOverflow  = big.NewFloat(710)
	expUnderflow = big.NewFloat(-746)
)

// ratPow returns r^n for r > 0.
func ratPow(r *big.Rat, n int) *big.Rat {
	if n < 0 {
		r, n = new(big.Rat).Inv(r), -n
	}
	e := big.NewInt(int64(n))
	return new(big.Rat).SetFrac(
		new(big.Int).Exp(r.Num(), e, nil), new(big.Int).Exp(r.Denom(), e, nil))
}

// Sin returns an interval that contains {sin u : u ∈ x}, each end rounded from
// an enclosure of the exact value at 96 bits or more; tightest where 384 bits
// decide the rounding.
func (x Interval) Sin() Interval { return x.trig(0) }

// Cos returns an interval that contains {cos u : u ∈ x} = {sin(u + π/2) : u ∈ x},
// as tight as Sin.
func (x Interval) Cos() Interval { return x.trig(1) }

// trig returns {sin(u + shift·π/2) : u ∈ x} for shift 0 or 1.
func (x Interval) trig(shift int64) Interval {
	if x.IsEmpty() {
		return x
	}
	if !x.IsBounded() || x.Wid() > 7 { // 7 > 2π
		return Interval{-1, 1}
	}
	z := sinBounds(x.lo, shift).Hull(sinBounds(x.hi, shift))
	if x.IsPoint() {
		return z
	}
	// sin(u + shift·π/2) = (−1)^k where u/π + (shift−1)/2 = k is an integer.
	// Soundness: the integers are searched between outward bounds; an extremum
	// too many only widens the result.
	first, last := extremum(x.lo, shift).lo, extremum(x.hi, shift).hi
	k, _ := first.Int(nil)
	if first.Cmp(new(big.Float).SetInt(k)) > 0 {
		k.Add(k, big.NewInt(1))
	}
	for ; new(big.Float).SetInt(k).Cmp(last) <= 0; k.Add(k, big.NewInt(1)) {
		if k.Bit(0) == 0 {
			z.hi = 1
		} else {
			z.lo = -1
		}
	}
	return z
}

// reductionPrec is the working precision at which u/π keeps at least 256
// fractional bits.
func reductionPrec(prec uint, u *big.Float) uint {
	return prec + 256 + uint(max(u.MantExp(nil), 0))
}

// extremum encloses u/π + (shift−1)/2.
func extremum(u float64, shift int64) bigRange {
	f := new(big.Float).SetFloat64(u)
	work := reductionPrec(96, f)
	magnitude := bigFloat(work, new(big.Float).Abs(f))
	q := newBigRange(work).quoPositive(magnitude, bigPi.at(work))
	if f.Sign() < 0 {
		q.neg(q)
	}
	half := bigInt(work, shift-1)
	return q.add(q, half.shift(half, -1))
}

// sinBounds encloses sin(u + shift·π/2) for finite u.
func sinBounds(u float64, shift int64) Interval {
	if u == 0 {
		return Interval{float64(shift), float64(shift)}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange { return bigSin(prec, f, shift) })
}

// bigSin encloses sin(x + shift·π/2): with x = r + k·π/2, |r| ≤ 1, it is one of
// ±sin r, ±cos r.
func bigSin(prec uint, x *big.Float, shift int64) bigRange {
	work := reductionPrec(prec, x)
	halfPi := newBigRange(work).add(bigPi.at(work), bigInt(work, 0))
	halfPi.shift(halfPi, -1)
	quotient := new(big.Float).SetPrec(work).Quo(x, halfPi.lo)
	// Any integer near the quotient will do: r is computed from it.
	k, _ := quotient.Add(quotient, big.NewFloat(math.Copysign(0.5, float64(x.Sign())))).Int(nil)
	r := newBigRange(work).mulPoint(halfPi, new(big.Float).SetPrec(work).SetInt(k))
	r.sub(bigFloat(max(work, x.Prec()), x), r)
	quadrant := new(big.Int).And(k.Add(k, big.NewInt(shift)), big.NewInt(3)).Int64()
	var z bigRange
	if quadrant%2 == 0 {
		z = sinSmall(work, r)
	} else {
		z = cosSmall(work, r)
	}
	if quadrant >= 2 {
		z.neg(z)
	}
	return z
}

// sinSmall encloses sin r for |r| ≤ 1.
func sinSmall(prec uint, r bigRange) bigRange {
	switch {
	case r.hi.Sign() < 0:
		z := sinSmall(prec, newBigRange(prec).neg(r))
		return z.neg(z)
	case r.lo.Sign() < 0:
		// Soundness: |sin r| ≤ |r|.
		m := new(big.Float).SetPrec(prec).SetMode(big.ToPositiveInf).Neg(r.lo)
		if m.Cmp(r.hi) < 0 {
			m.Set(r.hi)
		}
		z := newBigRange(prec)
		z.hi.Set(m)
		z.lo.Neg(m)
		return z
	}
	return alternating(prec, r, newBigRange(prec).add(r, bigInt(prec, 0)), 1)
}

// cosSmall encloses cos r for |r| ≤ 1.
func cosSmall(prec uint, r bigRange) bigRange {
	m := newBigRange(prec)
	switch {
	case r.hi.Sign() < 0:
		m.neg(r)
	case r.lo.Sign() < 0:
		m.hi.Neg(r.lo)
		if m.hi.Cmp(r.hi) < 0 {
			m.hi.Set(r.hi)
		}
	default:
		m.add(r, bigInt(prec, 0))
	}
	return alternating(prec, m, bigInt(prec, 1), 0)
}

// alternating encloses Σ_i (−1)^i t_i, t_{i+1} = t_i·r²/((n+2i+1)(n+2i+2)), for
// 0 ≤ r ≤ 1 and t_0 = term: the series of sin r for t_0 = r, n = 1, and of
// cos r for t_0 = 1, n = 0. The terms decrease, so that the remainder is
// between 0 and the first term left out, with its sign (Leibniz).
func alternating(prec uint, r, term bigRange, n int64) bigRange {
	r2 := newBigRange(prec).mulPositive(r, r)
	plus, minus := bigInt(prec, 0), bigInt(prec, 0)
	for i := int64(0); ; i++ {
		if negligible(term.hi, plus.hi, prec) {
			// Soundness: the remainder's sign is not used, its size is.
			plus.widen(term.hi)
			minus.widen(term.hi)
			return plus.sub(plus, minus)
		}
		if i%2 == 0 {
			plus.add(plus, term)
		} else {
			minus.add(minus, term)
		}
		term.mulPositive(term, r2)
		term.quoPositive(term, bigInt(prec, (n+2*i+1)*(n+2*i+2)))
	}
}

// Atan returns an interval that contains {arctan u : u ∈ x}, each end rounded
// from an enclosure of the exact value at 96 bits or more (Euler's series with
// remainder); tightest where 384 bits decide the rounding.
func (x Interval) Atan() Interval {
	if x.IsEmpty() {
		return x
	}
	return Interval{atanBounds(x.lo).lo, atanBounds(x.hi).hi}
}

// atanBounds encloses arctan u for an end u.
func atanBounds(u float64) Interval {
	switch {
	case u == 0:
		return Interval{}
	case u < 0:
		return atanBounds(-u).Neg()
	case math.IsInf(u, 1):
		return Pi().Div(Interval{2, 2})
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		point := bigFloat(prec, f)
		if u <= 1 {
			return arctanSeries(prec, point)
		}
		// arctan u = π/2 − arctan(1/u).
		z := arctanSeries(prec, newBigRange(prec).quoPositive(bigInt(prec, 1), point))
		half := newBigRange(prec).add(bigPi.at(prec), bigInt(prec, 0))
		return z.sub(half.shift(half, -1), z)
	})
}
