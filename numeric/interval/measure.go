package interval

import "math"

// Mid returns a number in x: the midpoint rounded to nearest if x is bounded,
// 0 if x is Entire, ±math.MaxFloat64 if one end is unbounded, NaN if x is empty.
func (x Interval) Mid() float64 {
	switch {
	case x.IsEmpty():
		return math.NaN()
	case x.IsEntire():
		return 0
	case x.lo < -maxFinite:
		return -maxFinite
	case x.hi > maxFinite:
		return maxFinite
	}
	if s := x.lo + x.hi; math.Abs(s) <= maxFinite {
		return s/2 + 0
	}
	// Both ends are large and of one sign here, so that the halves are exact.
	return x.lo/2 + x.hi/2
}

// Rad returns the smallest float64 r with x ⊆ [Mid−r, Mid+r]: +Inf if x is
// unbounded, NaN if it is empty.
func (x Interval) Rad() float64 {
	if x.IsEmpty() {
		return math.NaN()
	}
	m := x.Mid()
	return math.Max(subUp(m, x.lo), subUp(x.hi, m)) + 0
}

// Wid returns hi − lo rounded up: +Inf if x is unbounded, NaN if it is empty.
func (x Interval) Wid() float64 {
	if x.IsEmpty() {
		return math.NaN()
	}
	return subUp(x.hi, x.lo) + 0
}

// Mag returns max{|u| : u ∈ x}, NaN if x is empty.
func (x Interval) Mag() float64 {
	if x.IsEmpty() {
		return math.NaN()
	}
	_, mag := x.migMag()
	return mag + 0
}

// Mig returns min{|u| : u ∈ x}, NaN if x is empty.
func (x Interval) Mig() float64 {
	if x.IsEmpty() {
		return math.NaN()
	}
	mig, _ := x.migMag()
	return mig + 0
}
