package interval

import (
	"math"
	"math/big"
	"sync"
)

// bigRange is an interval with big.Float ends, the working arithmetic of the
// elementary functions. Ends are finite; every operation rounds the lower end
// down and the upper end up to the precision of the receiver's ends.
//
// Soundness: only Add, Sub, Mul, Quo and exact operations of big.Float are used.
// Float.Sqrt rounds to nearest whatever its mode and must not appear here.
type bigRange struct{ lo, hi *big.Float }

func newBigRange(prec uint) bigRange {
	return bigRange{
		new(big.Float).SetPrec(prec).SetMode(big.ToNegativeInf),
		new(big.Float).SetPrec(prec).SetMode(big.ToPositiveInf),
	}
}

// bigInt returns [n, n] for an n that prec bits hold.
func bigInt(prec uint, n int64) bigRange {
	z := newBigRange(prec)
	z.lo.SetInt64(n)
	z.hi.SetInt64(n)
	return z
}

// bigFloat returns an enclosure of f, exact if prec bits hold it.
func bigFloat(prec uint, f *big.Float) bigRange {
	z := newBigRange(prec)
	z.lo.Set(f)
	z.hi.Set(f)
	return z
}

func (z bigRange) add(x, y bigRange) bigRange {
	z.lo.Add(x.lo, y.lo)
	z.hi.Add(x.hi, y.hi)
	return z
}

func (z bigRange) sub(x, y bigRange) bigRange {
	lo := new(big.Float).SetPrec(z.lo.Prec()).SetMode(big.ToNegativeInf).Sub(x.lo, y.hi)
	z.hi.Sub(x.hi, y.lo)
	z.lo.Set(lo)
	return z
}

// mulPositive sets z to x·y for x, y ≥ 0.
func (z bigRange) mulPositive(x, y bigRange) bigRange {
	z.lo.Mul(x.lo, y.lo)
	z.hi.Mul(x.hi, y.hi)
	return z
}

// mulPoint sets z to x·f.
func (z bigRange) mulPoint(x bigRange, f *big.Float) bigRange {
	lo, hi := x.lo, x.hi
	if f.Sign() < 0 {
		lo, hi = hi, lo
	}
	down := new(big.Float).SetPrec(z.lo.Prec()).SetMode(big.ToNegativeInf).Mul(lo, f)
	z.hi.Mul(hi, f)
	z.lo.Set(down)
	return z
}

// quoPositive sets z to x/y for x ≥ 0, y > 0.
func (z bigRange) quoPositive(x, y bigRange) bigRange {
	lo := new(big.Float).SetPrec(z.lo.Prec()).SetMode(big.ToNegativeInf).Quo(x.lo, y.hi)
	z.hi.Quo(x.hi, y.lo)
	z.lo.Set(lo)
	return z
}

// shift sets z to x·2^e, exactly.
func (z bigRange) shift(x bigRange, e int) bigRange {
	z.lo.SetMantExp(x.lo, e)
	z.hi.SetMantExp(x.hi, e)
	return z
}

func (z bigRange) neg(x bigRange) bigRange {
	lo := new(big.Float).SetPrec(z.lo.Prec()).SetMode(big.ToNegativeInf).Neg(x.hi)
	z.hi.Neg(x.lo)
	z.lo.Set(lo)
	return z
}

// widen adds [0, r] to z for r ≥ 0.
func (z bigRange) widen(r *big.Float) bigRange {
	z.hi.Add(z.hi, r)
	return z
}

// outward returns the tightest float64 interval that contains z.
func (z bigRange) outward() Interval {
	lo, acc := z.lo.Float64()
	if acc == big.Above {
		lo = nextDown(lo)
	}
	hi, acc := z.hi.Float64()
	if acc == big.Below {
		hi = nextUp(hi)
	}
	return Interval{lo, hi}
}

// decided reports whether the number enclosed by z has one rounding down and
// one rounding up, i.e. more precision cannot tighten z.outward().
func (z bigRange) decided() bool {
	x := z.outward()
	return x.lo == x.hi || nextUp(x.lo) == x.hi
}

// ziv evaluates an enclosure at growing precision until its rounding is decided
// (Ziv, ACM TOMS 17, 1991) and returns it rounded outward. Any precision is
// sound; the cap only limits how tight an undecidable (exact) case gets.
func ziv(f func(prec uint) bigRange) Interval {
	const first, last = 96, 384
	for prec := uint(first); ; prec *= 2 {
		if z := f(prec); z.decided() || prec >= last {
			return z.outward()
		}
	}
}

// cached keeps the enclosures of one constant, one per precision.
type cached struct {
	compute func(prec uint) bigRange
	mu      sync.Mutex
	known   map[uint]bigRange
}

// at returns the constant at the given precision; the result must not be
// written to.
func (c *cached) at(prec uint) bigRange {
	c.mu.Lock()
	defer c.mu.Unlock()
	z, ok := c.known[prec]
	if !ok {
		if c.known == nil {
			c.known = make(map[uint]bigRange)
		}
		z = c.compute(prec)
		c.known[prec] = z
	}
	return z
}

// ln2 is log 2 = 2·artanh(1/3).
var ln2 = cached{compute: func(prec uint) bigRange {
	third := newBigRange(prec).quoPositive(bigInt(prec, 1), bigInt(prec, 3))
	z := artanhSeries(prec, third)
	return z.shift(z, 1)
}}

// bigPi is π = 20·arctan(1/7) + 8·arctan(3/79) (Euler).
var bigPi = cached{compute: func(prec uint) bigRange {
	seventh := newBigRange(prec).quoPositive(bigInt(prec, 1), bigInt(prec, 7))
	other := newBigRange(prec).quoPositive(bigInt(prec, 3), bigInt(prec, 79))
	a := arctanSeries(prec, seventh)
	b := arctanSeries(prec, other)
	a.mulPositive(a, bigInt(prec, 20))
	b.shift(b, 3)
	return a.add(a, b)
}}

// artanhSeries returns an enclosure of
//
//	artanh z = Σ_{i<N} z^{2i+1}/(2i+1) + R,  0 ≤ R ≤ z^{2N+1}/((2N+1)(1−z²))
//
// for 0 ≤ z ≤ 1/2, where 1/(1−z²) ≤ 2.
func artanhSeries(prec uint, z bigRange) bigRange {
	z2 := newBigRange(prec).mulPositive(z, z)
	power := newBigRange(prec).add(z, bigInt(prec, 0))
	sum := bigInt(prec, 0)
	term := newBigRange(prec)
	for i := int64(0); ; i++ {
		term.quoPositive(power, bigInt(prec, 2*i+1))
		if negligible(term.hi, sum.hi, prec) {
			// Soundness: the remainder is below twice the first term left out.
			return sum.widen(term.shift(term, 1).hi)
		}
		sum.add(sum, term)
		power.mulPositive(power, z2)
	}
}

// arctanSeries returns an enclosure of Euler's series
//
//	arctan z = Σ_{i<N} t_i + R,  t_0 = z/(1+z²),  t_{i+1} = t_i·q·(2i+2)/(2i+3),
//	q = z²/(1+z²),  0 ≤ R ≤ t_N/(1−q)
//
// for 0 ≤ z ≤ 1, where 1/(1−q) = 1 + z² ≤ 2. All terms are positive.
func arctanSeries(prec uint, z bigRange) bigRange {
	z2 := newBigRange(prec).mulPositive(z, z)
	d := newBigRange(prec).add(z2, bigInt(prec, 1))
	q := newBigRange(prec).quoPositive(z2, d)
	term := newBigRange(prec).quoPositive(z, d)
	sum := bigInt(prec, 0)
	for i := int64(0); ; i++ {
		if negligible(term.hi, sum.hi, prec) {
			// Soundness: the remainder is below twice the first term left out.
			return sum.widen(term.shift(term, 1).hi)
		}
		sum.add(sum, term)
		term.mulPositive(term, q)
		term.mulPositive(term, bigInt(prec, 2*i+2))
		term.quoPositive(term, bigInt(prec, 2*i+3))
	}
}

// negligible reports term < 2^−(prec+8)·sum, the moment to stop a series.
func negligible(term, sum *big.Float, prec uint) bool {
	if term.Sign() == 0 {
		return true
	}
	return sum.Sign() > 0 && term.MantExp(nil)+int(prec)+8 < sum.MantExp(nil)
}

// bigExp returns an enclosure of e^x for |x| < 2^40.
func bigExp(prec uint, x *big.Float) bigRange {
	// e^x = 2^k·(e^s)^(2^halvings), s = (x − k·log 2)/2^halvings ≥ 0.
	const halvings = 8
	work := prec + 2*halvings + 64 // 64 > bits of k, and a margin
	f, _ := x.Float64()
	k := int64(math.Floor(f / math.Ln2))
	var r bigRange
	for {
		kLn2 := newBigRange(work).mulPoint(ln2.at(work), new(big.Float).SetInt64(k))
		r = newBigRange(work).sub(bigFloat(max(work, x.Prec()), x), kLn2)
		if r.lo.Sign() >= 0 {
			break
		}
		// The float64 quotient may have rounded up over an integer.
		k--
	}
	s := r.shift(r, -halvings)
	// Σ_{i<N} s^i/i! + R, 0 ≤ R ≤ s^N/N!·1/(1−s) ≤ 2·s^N/N! for 0 ≤ s ≤ 1/2.
	sum, term := bigInt(work, 0), bigInt(work, 1)
	for i := int64(1); ; i++ {
		sum.add(sum, term)
		term.mulPositive(term, s)
		term.quoPositive(term, bigInt(work, i))
		if negligible(term.hi, sum.hi, work) {
			// Soundness: the remainder is below twice the first term left out.
			sum.widen(term.shift(term, 1).hi)
			break
		}
	}
	for range halvings {
		sum.mulPositive(sum, sum)
	}
	return sum.shift(sum, int(k))
}

// bigLog returns an enclosure of log x for x > 0.
func bigLog(prec uint, x *big.Float) bigRange {
	m := new(big.Float)
	e := x.MantExp(m)
	if f, _ := m.Float64(); f < math.Sqrt2/2 {
		m.SetMantExp(m, 1)
		e--
	}
	// log x = e·log 2 ± 2·artanh(|m−1|/(m+1)) with m in [0.7, 1.42], so that
	// the argument of artanh is below 0.18.
	work := max(prec, m.Prec()) + 16
	one := bigInt(work, 1)
	point := bigFloat(work, m)
	diff := newBigRange(work).sub(point, one)
	negative := diff.hi.Sign() < 0
	if negative {
		diff.neg(diff)
	}
	z := newBigRange(work).quoPositive(diff, newBigRange(work).add(point, one))
	series := artanhSeries(work, z)
	series.shift(series, 1)
	if negative {
		series.neg(series)
	}
	if e == 0 {
		return series
	}
	eLn2 := newBigRange(work).mulPoint(ln2.at(work), new(big.Float).SetInt64(int64(e)))
	return series.add(series, eLn2)
}
