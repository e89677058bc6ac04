package interval

import "math"

// Hull returns the smallest interval that contains x and y.
func (x Interval) Hull(y Interval) Interval {
	// The empty set is {+Inf, −Inf}, neutral for both.
	return Interval{math.Min(x.lo, y.lo), math.Max(x.hi, y.hi)}
}

// Intersect returns x ∩ y.
func (x Interval) Intersect(y Interval) Interval {
	z := Interval{math.Max(x.lo, y.lo), math.Min(x.hi, y.hi)}
	if z.lo > z.hi {
		return Empty()
	}
	return z
}

// Equal reports whether x and y are the same set; it is ==.
func (x Interval) Equal(y Interval) bool { return x == y }

// Subset reports x ⊆ y. The empty set is a subset of everything.
func (x Interval) Subset(y Interval) bool {
	return x.IsEmpty() || y.lo <= x.lo && x.hi <= y.hi
}

// Interior reports whether x lies in the topological interior of y; the
// interior of the real line is itself. The empty set is interior to everything.
func (x Interval) Interior(y Interval) bool {
	return x.IsEmpty() ||
		(y.lo < x.lo || y.lo < -maxFinite) && (x.hi < y.hi || y.hi > maxFinite)
}

// Disjoint reports x ∩ y = ∅.
func (x Interval) Disjoint(y Interval) bool {
	return x.IsEmpty() || y.IsEmpty() || x.hi < y.lo || y.hi < x.lo
}

// WeaklyLess reports that every u ∈ x has some v ∈ y with u ≤ v and every
// v ∈ y some u ∈ x with u ≤ v ("less" in IEEE 1788, table 10.3).
func (x Interval) WeaklyLess(y Interval) bool {
	if x.IsEmpty() || y.IsEmpty() {
		return x.IsEmpty() && y.IsEmpty()
	}
	return x.lo <= y.lo && x.hi <= y.hi
}

// StrictlyLess is WeaklyLess with < ("strictLess" in IEEE 1788).
func (x Interval) StrictlyLess(y Interval) bool {
	if x.IsEmpty() || y.IsEmpty() {
		return x.IsEmpty() && y.IsEmpty()
	}
	return (x.lo < y.lo || x.lo == y.lo && x.lo < -maxFinite) &&
		(x.hi < y.hi || x.hi == y.hi && x.hi > maxFinite)
}

// Precedes reports u ≤ v for all u ∈ x, v ∈ y; vacuously true if one is empty.
func (x Interval) Precedes(y Interval) bool {
	return x.IsEmpty() || y.IsEmpty() || x.hi <= y.lo
}

// StrictlyPrecedes reports u < v for all u ∈ x, v ∈ y; vacuously true if one
// is empty.
func (x Interval) StrictlyPrecedes(y Interval) bool {
	return x.IsEmpty() || y.IsEmpty() || x.hi < y.lo
}
