package interval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Interval is a closed set of real numbers {x : lo ≤ x ≤ hi}, possibly
// unbounded on either side, or the empty set.
//
// The ends cannot be reached from outside, so that lo ≤ hi, no end is NaN and
// no end is an infinity of the wrong sign, whatever a caller does. Intervals
// are compared as sets with ==. The zero value is the interval [0, 0].
type Interval struct {
	// lo ≤ hi, lo < +Inf, hi > −Inf; or lo = +Inf, hi = −Inf for the empty set.
	lo, hi float64
}

// ErrInvalid is wrapped by every error of a constructor whose arguments do not
// describe an interval.
//
// Soundness: with such an error the constructors return Entire. IEEE 1788 would
// return the empty set, of which every bound is true; a caller that drops the
// error must not get that.
var ErrInvalid = errors.New("interval: not an interval")

// Empty returns the empty set.
func Empty() Interval { return Interval{math.Inf(1), math.Inf(-1)} }

// Entire returns the real line.
func Entire() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// New returns [lo, hi]. Infinite ends of the right sign make it unbounded. The
// error wraps ErrInvalid if an end is NaN, if lo > hi, if lo = +Inf or if
// hi = −Inf.
func New(lo, hi float64) (Interval, error) {
	if !(lo <= hi) || lo > maxFinite || hi < -maxFinite {
		return Entire(), fmt.Errorf("%w: [%v, %v]", ErrInvalid, lo, hi)
	}
	return Interval{lo, hi}, nil
}

// Point returns [x, x]. It panics if x is NaN or infinite.
func Point(x float64) Interval {
	if !(math.Abs(x) <= maxFinite) {
		panic(fmt.Sprintf("interval: no point interval at %v", x))
	}
	return Interval{x, x}
}

// Symmetric returns [−r, r]. It panics if r is negative or NaN; r = +Inf gives
// Entire.
func Symmetric(r float64) Interval {
	if !(r >= 0) {
		panic(fmt.Sprintf("interval: negative radius %v", r))
	}
	return Interval{-r, r}
}

// FromInt returns the tightest interval that contains n.
func FromInt(n int64) Interval {
	if f := float64(n); n >= -1<<53 && n <= 1<<53 {
		return Interval{f, f}
	}
	return FromRat(new(big.Rat).SetInt64(n))
}

// FromRat returns the tightest interval that contains r. It panics if r is nil.
func FromRat(r *big.Rat) Interval {
	// Short whole numbers are floating point numbers themselves.
	if r.IsInt() && r.Num().BitLen() <= 53 {
		return FromInt(r.Num().Int64())
	}
	return Interval{ratDown(r), ratUp(r)}
}

// FromRats returns the tightest interval that contains [lo, hi]; a nil end is
// unbounded. The error wraps ErrInvalid if lo > hi.
func FromRats(lo, hi *big.Rat) (Interval, error) {
	x := Entire()
	if lo != nil && hi != nil && lo.Cmp(hi) > 0 {
		return x, fmt.Errorf("%w: [%s, %s]", ErrInvalid, lo.RatString(), hi.RatString())
	}
	if lo != nil {
		x.lo = ratDown(lo)
	}
	if hi != nil {
		x.hi = ratUp(hi)
	}
	return x, nil
}

// ratDown returns the largest float64 ≤ r.
func ratDown(r *big.Rat) float64 {
	f, _ := r.Float64()
	if f > maxFinite {
		return maxFinite
	}
	if f < -maxFinite {
		return f
	}
	// Soundness: the comparison with r is exact. The second result of
	// Rat.Float64 is not used: in Go 1.26 it says "exact" for every nonzero r
	// below 2^−1075, which becomes 0.
	if new(big.Rat).SetFloat64(f).Cmp(r) > 0 {
		return nextDown(f)
	}
	return f
}

// ratUp returns the smallest float64 ≥ r.
func ratUp(r *big.Rat) float64 { return -ratDown(new(big.Rat).Neg(r)) }

// Lo returns the lower end: −Inf if x is unbounded below, +Inf if x is empty.
func (x Interval) Lo() float64 { return x.lo + 0 }

// Hi returns the upper end: +Inf if x is unbounded above, −Inf if x is empty.
func (x Interval) Hi() float64 { return x.hi + 0 }

// Rats returns the ends as exact rationals, nil for an end at which x is
// unbounded. The last result is false if x is empty, and both ends are nil.
func (x Interval) Rats() (lo, hi *big.Rat, ok bool) {
	if x.IsEmpty() {
		return nil, nil, false
	}
	// SetFloat64 returns nil for an infinity.
	return new(big.Rat).SetFloat64(x.lo), new(big.Rat).SetFloat64(x.hi), true
}

// IsEmpty reports whether x is the empty set.
func (x Interval) IsEmpty() bool { return x.lo > x.hi }

// IsEntire reports whether x is the real line.
func (x Interval) IsEntire() bool { return x.lo < -maxFinite && x.hi > maxFinite }

// IsBounded reports whether x is nonempty and bounded ("common" in IEEE 1788).
func (x Interval) IsBounded() bool {
	return x.lo >= -maxFinite && x.hi <= maxFinite && !x.IsEmpty()
}

// IsPoint reports whether x is a single number.
func (x Interval) IsPoint() bool { return x.lo == x.hi }

// IsTight reports whether x encloses a number as tightly as float64 can: it is
// a point or its ends are neighbours.
func (x Interval) IsTight() bool { return x.lo == x.hi || x.IsBounded() && nextUp(x.lo) == x.hi }

// Contains reports whether the number v is in x; NaN and infinities never are.
func (x Interval) Contains(v float64) bool {
	return x.lo <= v && v <= x.hi && math.Abs(v) <= maxFinite
}

// ContainsRat reports whether the number r is in x, exactly.
func (x Interval) ContainsRat(r *big.Rat) bool {
	lo, hi, ok := x.Rats()
	return ok && (lo == nil || lo.Cmp(r) <= 0) && (hi == nil || r.Cmp(hi) <= 0)
}

// Positive reports whether x is nonempty and every element is > 0.
//
// Soundness: Positive, Negative, NonNegative and NonPositive are false for the
// empty set, so that an empty result never certifies a sign.
func (x Interval) Positive() bool { return x.lo > 0 && !x.IsEmpty() }

// Negative reports whether x is nonempty and every element is < 0.
func (x Interval) Negative() bool { return x.hi < 0 && !x.IsEmpty() }

// NonNegative reports whether x is nonempty and every element is ≥ 0.
func (x Interval) NonNegative() bool { return x.lo >= 0 && !x.IsEmpty() }

// NonPositive reports whether x is nonempty and every element is ≤ 0.
func (x Interval) NonPositive() bool { return x.hi <= 0 && !x.IsEmpty() }
