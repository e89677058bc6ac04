package interval

import (
	"math"
	"math/big"
)

// The functions of this file are the elementary functions that IEEE 1788-2015 requires
// or recommends (table 9.1 and 10.6) beyond those of elementary.go. Each end is rounded
// from an enclosure of the exact value at 96 bits or more, and is tightest where 384
// bits decide the rounding; values that are float64 numbers are exact.

// bigSqrt encloses √u for u ≥ 0. Float.Sqrt rounds to nearest, whatever its mode; the
// ends are moved until their exact squares say that they lie outward.
func bigSqrt(prec uint, u bigRange) bigRange {
	root := func(v *big.Float, dir int) *big.Float {
		s := new(big.Float).SetPrec(prec).Sqrt(v)
		for {
			square := new(big.Float).SetPrec(2*prec).Mul(s, s)
			if square.Cmp(v)*dir >= 0 {
				return s
			}
			// One unit in the last place further out.
			unit := new(big.Float).SetMantExp(big.NewFloat(float64(dir)), s.MantExp(nil)-int(prec))
			s.Add(s, unit)
		}
	}
	z := newBigRange(prec)
	z.lo.Set(root(u.lo, -1))
	z.hi.Set(root(u.hi, 1))
	return z
}

// bigExpRange and bigLogRange are the monotone functions over a range.
func bigExpRange(prec uint, t bigRange) bigRange {
	z := newBigRange(prec)
	z.lo.Set(bigExp(prec, t.lo).lo)
	z.hi.Set(bigExp(prec, t.hi).hi)
	return z
}

func bigLogRange(prec uint, t bigRange) bigRange {
	z := newBigRange(prec)
	z.lo.Set(bigLog(prec, t.lo).lo)
	z.hi.Set(bigLog(prec, t.hi).hi)
	return z
}

// ln10 is log 10.
var ln10 = cached{compute: func(prec uint) bigRange { return bigLog(prec, big.NewFloat(10)) }}

// Exp2 returns {2^u : u ∈ x}.
func (x Interval) Exp2() Interval { return x.expBase(2, &ln2, 1025, -1080) }

// Exp10 returns {10^u : u ∈ x}.
func (x Interval) Exp10() Interval { return x.expBase(10, &ln10, 310, -330) }

// expBase returns {b^u : u ∈ x}; b^u is above the largest float64 for u > over and below
// the smallest positive one for u < under.
func (x Interval) expBase(b int64, log *cached, over, under float64) Interval {
	if x.IsEmpty() {
		return x
	}
	bounds := func(u float64) Interval {
		switch {
		case math.IsInf(u, 0):
			v := math.Max(u, 0)
			return Interval{v, v}
		case u > over:
			return Interval{maxFinite, math.Inf(1)}
		case u < under:
			return Interval{0, minFinite}
		case u == math.Trunc(u):
			return FromRat(ratPow(new(big.Rat).SetInt64(b), int(u)))
		case math.Abs(u) < 0x1p-60: // as in expBounds: b^u is next to 1
			if u > 0 {
				return Interval{1, nextUp(1)}
			}
			return Interval{nextDown(1), 1}
		}
		f := new(big.Float).SetFloat64(u)
		return ziv(func(prec uint) bigRange {
			return bigExpRange(prec, newBigRange(prec+64).mulPoint(log.at(prec+64), f))
		})
	}
	return Interval{bounds(x.lo).lo, bounds(x.hi).hi}
}

// Log2 returns {log₂ u : u ∈ x, u > 0}.
func (x Interval) Log2() Interval {
	return x.logBase(&ln2, func(u float64) (float64, bool) {
		m, e := math.Frexp(u)
		return float64(e - 1), m == 0.5
	})
}

// Log10 returns {log₁₀ u : u ∈ x, u > 0}.
func (x Interval) Log10() Interval {
	return x.logBase(&ln10, func(u float64) (float64, bool) {
		// 10²² is the largest power of ten that is a float64 number.
		for k, p := 0, 1.0; k <= 22; k, p = k+1, p*10 {
			if u == p {
				return float64(k), true
			}
		}
		return 0, false
	})
}

// logBase returns {log u/log b : u ∈ x, u > 0}; exact tells the powers of b.
func (x Interval) logBase(log *cached, exact func(u float64) (float64, bool)) Interval {
	if x.hi <= 0 {
		return Empty()
	}
	bounds := func(u float64) Interval {
		if v, ok := exact(u); ok {
			return Interval{v, v}
		}
		f := new(big.Float).SetFloat64(u)
		return ziv(func(prec uint) bigRange {
			l := bigLog(prec, f)
			if l.hi.Sign() < 0 {
				z := newBigRange(prec).quoPositive(newBigRange(prec).neg(l), log.at(prec))
				return z.neg(z)
			}
			return newBigRange(prec).quoPositive(l, log.at(prec))
		})
	}
	z := Entire()
	if x.lo > 0 {
		z.lo = bounds(x.lo).lo
	}
	if x.hi <= maxFinite {
		z.hi = bounds(x.hi).hi
	}
	return z
}

// Tan returns {tan u : u ∈ x}, Entire if a pole may lie in x.
func (x Interval) Tan() Interval {
	if x.IsEmpty() {
		return x
	}
	if !x.tanDefined() {
		return Entire()
	}
	return Interval{tanBounds(x.lo).lo, tanBounds(x.hi).hi}
}

// tanDefined reports that x is bounded and no pole π/2 + kπ lies in it.
func (x Interval) tanDefined() bool {
	if !x.IsBounded() || x.Wid() > 4 { // 4 > π
		return false
	}
	// u/π − 1/2 is an integer at the poles.
	// Soundness: searched between outward bounds, as in trig.
	first, last := extremum(x.lo, 0).lo, extremum(x.hi, 0).hi
	k, _ := first.Int(nil)
	if first.Cmp(new(big.Float).SetInt(k)) > 0 {
		k.Add(k, big.NewInt(1))
	}
	return new(big.Float).SetInt(k).Cmp(last) > 0
}

// tanBounds encloses tan u for finite u.
func tanBounds(u float64) Interval {
	if u == 0 {
		return Interval{}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		s, c := bigSin(prec, f, 0), bigSin(prec, f, 1)
		negative := (s.hi.Sign() < 0) != (c.hi.Sign() < 0)
		if s.hi.Sign() < 0 {
			s.neg(s)
		}
		if c.hi.Sign() < 0 {
			c.neg(c)
		}
		if s.lo.Sign() < 0 || c.lo.Sign() <= 0 {
			// The precision does not tell the signs; the caller has seen no pole.
			z := newBigRange(prec)
			z.hi.SetMantExp(big.NewFloat(1), 2000)
			z.lo.Neg(z.hi)
			return z
		}
		z := newBigRange(prec).quoPositive(s, c)
		if negative {
			z.neg(z)
		}
		return z
	})
}

// odd returns f of |u| with the sign of u.
func odd(u float64, f func(u float64) Interval) Interval {
	switch {
	case u == 0:
		return Interval{}
	case u < 0:
		return f(-u).Neg()
	}
	return f(u)
}

// Asin returns {arcsin u : u ∈ x, |u| ≤ 1}.
func (x Interval) Asin() Interval {
	x = x.Intersect(Interval{-1, 1})
	if x.IsEmpty() {
		return x
	}
	return Interval{odd(x.lo, asinBounds).lo, odd(x.hi, asinBounds).hi}
}

// asinBounds encloses arcsin u = 2·arctan(u/(1 + √(1−u²))) for 0 < u ≤ 1.
func asinBounds(u float64) Interval {
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		work := prec + 64
		p := bigFloat(work, f)
		one := bigInt(work, 1)
		root := bigSqrt(work, newBigRange(2*work).sub(one, newBigRange(2*work).mulPositive(p, p)))
		z := newBigRange(work).quoPositive(p, newBigRange(work).add(one, root))
		z = arctanSeries(work, z)
		return z.shift(z, 1)
	})
}

// Acos returns {arccos u : u ∈ x, |u| ≤ 1}.
func (x Interval) Acos() Interval {
	x = x.Intersect(Interval{-1, 1})
	if x.IsEmpty() {
		return x
	}
	return Interval{acosBounds(x.hi).lo, acosBounds(x.lo).hi}
}

// acosBounds encloses arccos u = 2·arctan √((1−u)/(1+u)), π minus that of −u for u < 0.
func acosBounds(u float64) Interval {
	if u == 1 {
		return Interval{}
	}
	if u == -1 {
		return Pi()
	}
	f := new(big.Float).SetFloat64(math.Abs(u))
	return ziv(func(prec uint) bigRange {
		// 1 ± u needs the bits between u and 1 only as far as the precision goes.
		work := prec + 128
		p, one := bigFloat(work, f), bigInt(work, 1)
		q := newBigRange(work).quoPositive(newBigRange(work).sub(one, p), newBigRange(work).add(one, p))
		z := arctanSeries(work, bigSqrt(work, q))
		z.shift(z, 1)
		if u < 0 {
			return newBigRange(work).sub(bigPi.at(work), z)
		}
		return z
	})
}

// sinhSeries encloses Σ_i r^(2i+first)/(2i+first)! for 0 ≤ r ≤ 1: sinh r for first = 1,
// cosh r for first = 0. A term is at most half of the one before, so that the remainder
// is below twice the first term left out.
func sinhSeries(prec uint, r bigRange, first int64) bigRange {
	r2 := newBigRange(prec).mulPositive(r, r)
	term := bigInt(prec, 1)
	if first == 1 {
		term.add(r, bigInt(prec, 0))
	}
	sum := bigInt(prec, 0)
	for i := int64(0); ; i++ {
		if negligible(term.hi, sum.hi, prec) {
			return sum.widen(term.shift(term, 1).hi)
		}
		sum.add(sum, term)
		term.mulPositive(term, r2)
		term.quoPositive(term, bigInt(prec, (2*i+first+1)*(2*i+first+2)))
	}
}

// bigSinh encloses sinh f, or cosh f, for f > 0.
func bigSinh(prec uint, f *big.Float, cosh bool) bigRange {
	work := prec + 64
	if f.Cmp(big.NewFloat(1)) <= 0 {
		first := int64(1)
		if cosh {
			first = 0
		}
		return sinhSeries(work, bigFloat(max(work, f.Prec()), f), first)
	}
	e := bigExp(work, f)
	inverse := newBigRange(work).quoPositive(bigInt(work, 1), e)
	z := newBigRange(work)
	if cosh {
		z.add(e, inverse)
	} else {
		z.sub(e, inverse)
	}
	return z.shift(z, -1)
}

// Sinh returns {sinh u : u ∈ x}.
func (x Interval) Sinh() Interval {
	if x.IsEmpty() {
		return x
	}
	return Interval{odd(x.lo, sinhBounds).lo, odd(x.hi, sinhBounds).hi}
}

func sinhBounds(u float64) Interval {
	switch {
	case math.IsInf(u, 1):
		return Interval{u, u}
	case u > 711: // e^711/2 > 2^1024
		return Interval{maxFinite, math.Inf(1)}
	case u < 0x1p-200: // u < sinh u < u(1 + u²) is next to u
		return Interval{u, nextUp(u)}
	}
	return ziv(func(prec uint) bigRange { return bigSinh(prec, new(big.Float).SetFloat64(u), false) })
}

// Cosh returns {cosh u : u ∈ x}.
func (x Interval) Cosh() Interval {
	if x.IsEmpty() {
		return x
	}
	a := x.Abs()
	return Interval{coshBounds(a.lo).lo, coshBounds(a.hi).hi}
}

func coshBounds(u float64) Interval {
	switch {
	case u == 0:
		return Interval{1, 1}
	case math.IsInf(u, 1):
		return Interval{u, u}
	case u > 711:
		return Interval{maxFinite, math.Inf(1)}
	case u < 0x1p-30: // 1 < cosh u < 1 + u²
		return Interval{1, nextUp(1)}
	}
	return ziv(func(prec uint) bigRange { return bigSinh(prec, new(big.Float).SetFloat64(u), true) })
}

// Tanh returns {tanh u : u ∈ x}.
func (x Interval) Tanh() Interval {
	if x.IsEmpty() {
		return x
	}
	return Interval{odd(x.lo, tanhBounds).lo, odd(x.hi, tanhBounds).hi}
}

func tanhBounds(u float64) Interval {
	switch {
	case math.IsInf(u, 1):
		return Interval{1, 1}
	case u > 40: // 1 − tanh u < 2e^−80 < 2^−100
		return Interval{nextDown(1), 1}
	case u < 0x1p-200: // u(1 − u²) < tanh u < u
		return Interval{nextDown(u), u}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		return newBigRange(prec+64).quoPositive(bigSinh(prec, f, false), bigSinh(prec, f, true))
	})
}

// Asinh returns {arsinh u : u ∈ x}.
func (x Interval) Asinh() Interval {
	if x.IsEmpty() {
		return x
	}
	return Interval{odd(x.lo, asinhBounds).lo, odd(x.hi, asinhBounds).hi}
}

// asinhBounds encloses arsinh u for u > 0: artanh(u/√(1+u²)) below 1/2, else
// log(u + √(1+u²)).
func asinhBounds(u float64) Interval {
	switch {
	case math.IsInf(u, 1):
		return Interval{u, u}
	case u < 0x1p-200: // u(1 − u²) < arsinh u < u
		return Interval{nextDown(u), u}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		work := prec + 64
		p := bigFloat(work, f)
		root := bigSqrt(work, newBigRange(2*work).add(newBigRange(2*work).mulPositive(p, p), bigInt(work, 1)))
		if u < 0.5 {
			return artanhSeries(work, newBigRange(work).quoPositive(p, root))
		}
		return bigLogRange(work, newBigRange(work).add(p, root))
	})
}

// Acosh returns {arcosh u : u ∈ x, u ≥ 1}.
func (x Interval) Acosh() Interval {
	x = x.Intersect(Interval{1, math.Inf(1)})
	if x.IsEmpty() {
		return x
	}
	return Interval{acoshBounds(x.lo).lo, acoshBounds(x.hi).hi}
}

// acoshBounds encloses arcosh u for u ≥ 1: 2·artanh √((u−1)/(u+1)) below 3/2, else
// log(u + √(u²−1)).
func acoshBounds(u float64) Interval {
	switch {
	case u == 1:
		return Interval{}
	case math.IsInf(u, 1):
		return Interval{u, u}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		work := prec + 64
		p, one := bigFloat(work, f), bigInt(work, 1)
		if u < 1.5 {
			q := newBigRange(work).quoPositive(newBigRange(work).sub(p, one), newBigRange(work).add(p, one))
			z := artanhSeries(work, bigSqrt(work, q))
			return z.shift(z, 1)
		}
		root := bigSqrt(work, newBigRange(2*work).sub(newBigRange(2*work).mulPositive(p, p), one))
		return bigLogRange(work, newBigRange(work).add(p, root))
	})
}

// Atanh returns {artanh u : u ∈ x, |u| < 1}.
func (x Interval) Atanh() Interval {
	x = x.Intersect(Interval{-1, 1})
	if x.IsEmpty() || x.lo == 1 || x.hi == -1 {
		return Empty()
	}
	return Interval{odd(x.lo, atanhBounds).lo, odd(x.hi, atanhBounds).hi}
}

// atanhBounds encloses artanh u for 0 < u ≤ 1, unbounded at 1.
func atanhBounds(u float64) Interval {
	switch {
	case u == 1:
		return Interval{maxFinite, math.Inf(1)}
	case u < 0x1p-200: // u < artanh u < u(1 + u²)
		return Interval{u, nextUp(u)}
	}
	f := new(big.Float).SetFloat64(u)
	return ziv(func(prec uint) bigRange {
		work := prec + 128
		p, one := bigFloat(work, f), bigInt(work, 1)
		if u <= 0.5 {
			return artanhSeries(work, p)
		}
		z := bigLogRange(work, newBigRange(work).quoPositive(newBigRange(work).add(one, p), newBigRange(work).sub(one, p)))
		return z.shift(z, -1)
	})
}

// Atan2 returns an interval that contains the angles in (−π, π] of the points (u, v),
// u ∈ x, v ∈ y, but the origin: y.Atan2(x) in the order of IEEE 1788. Where the box meets
// the cut, the negative half of the first axis, from below, it is [−π, π].
func (y Interval) Atan2(x Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() || x == (Interval{}) && y == (Interval{}) {
		return Empty()
	}
	if x.lo < 0 && y.lo < 0 && y.hi >= 0 {
		return Interval{-Pi().hi, Pi().hi}
	}
	// Away from the cut the angle is monotone along the sides of the box; a corner
	// at the origin or at infinity on both axes adds nothing to its neighbours.
	z := Empty()
	for _, u := range [...]float64{x.lo, x.hi} {
		for _, v := range [...]float64{y.lo, y.hi} {
			if u == 0 && v == 0 || math.IsInf(u, 0) && math.IsInf(v, 0) {
				continue
			}
			z = z.Hull(angle(v, u))
		}
	}
	if z.IsEmpty() {
		// Every corner is such a one: a quadrant, or half of the plane.
		lo, hi := Interval{}, Interval{}
		half := Pi().Div(Interval{2, 2})
		switch {
		case y.lo >= 0 && x.lo >= 0:
			hi = half
		case y.lo >= 0 && x.hi <= 0:
			lo, hi = half, Pi()
		case y.lo >= 0:
			hi = Pi()
		case x.lo >= 0 && y.hi <= 0:
			lo = half.Neg()
		case x.lo >= 0:
			lo, hi = half.Neg(), half
		default:
			return Interval{-Pi().hi, Pi().hi}
		}
		return Interval{lo.lo, hi.hi}
	}
	return z.Hull(y.ends(x))
}

// ends returns the angles that a box reaches only at infinity.
func (y Interval) ends(x Interval) Interval {
	z := Empty()
	half := Pi().Div(Interval{2, 2})
	if math.IsInf(y.hi, 1) {
		z = z.Hull(half)
	}
	if math.IsInf(y.lo, -1) {
		z = z.Hull(half.Neg())
	}
	if math.IsInf(x.hi, 1) {
		z = z.Hull(Interval{})
	}
	if math.IsInf(x.lo, -1) {
		if y.hi > 0 || y.lo == 0 {
			z = z.Hull(Pi())
		}
		if y.lo < 0 {
			z = z.Hull(Pi().Neg())
		}
	}
	return z
}

// angle encloses the angle of the point (u, v) ≠ 0, one of whose coordinates may be
// infinite.
func angle(v, u float64) Interval {
	half := Pi().Div(Interval{2, 2})
	switch {
	case v < 0:
		return angle(-v, u).Neg()
	case math.IsInf(v, 1) || u == 0:
		return half
	case v == 0 || math.IsInf(u, 0):
		if u > 0 {
			return Interval{}
		}
		return Pi()
	}
	a, b := new(big.Float).SetFloat64(v), new(big.Float).SetFloat64(math.Abs(u))
	return ziv(func(prec uint) bigRange {
		work := prec + 64
		p, q := bigFloat(work, a), bigFloat(work, b)
		var z bigRange
		if a.Cmp(b) <= 0 {
			z = arctanSeries(work, newBigRange(work).quoPositive(p, q))
		} else {
			z = arctanSeries(work, newBigRange(work).quoPositive(q, p))
			quarter := newBigRange(work).add(bigPi.at(work), bigInt(work, 0))
			z = newBigRange(work).sub(quarter.shift(quarter, -1), z)
		}
		if u < 0 {
			z = newBigRange(work).sub(bigPi.at(work), z)
		}
		return z
	})
}
