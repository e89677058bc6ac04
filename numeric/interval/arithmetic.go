package interval

import "math"

// Neg returns −x.
func (x Interval) Neg() Interval { return Interval{-x.hi, -x.lo} }

// Add returns x + y = {u + v : u ∈ x, v ∈ y}, tightest.
func (x Interval) Add(y Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() {
		return Empty()
	}
	return Interval{addDown(x.lo, y.lo), addUp(x.hi, y.hi)}
}

// Sub returns x − y = {u − v : u ∈ x, v ∈ y}, tightest.
func (x Interval) Sub(y Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() {
		return Empty()
	}
	return Interval{subDown(x.lo, y.hi), subUp(x.hi, y.lo)}
}

// Mul returns x·y = {u·v : u ∈ x, v ∈ y}, tightest. The nine cases of signs
// are those of Moore, Kearfott and Cloud, Introduction to Interval Analysis
// (2009), table 2.1.
func (x Interval) Mul(y Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() {
		return Empty()
	}
	switch {
	case x.lo >= 0:
		switch {
		case y.lo >= 0:
			return Interval{mulDown(x.lo, y.lo), mulUp(x.hi, y.hi)}
		case y.hi <= 0:
			return Interval{mulDown(x.hi, y.lo), mulUp(x.lo, y.hi)}
		}
		return Interval{mulDown(x.hi, y.lo), mulUp(x.hi, y.hi)}
	case x.hi <= 0:
		switch {
		case y.lo >= 0:
			return Interval{mulDown(x.lo, y.hi), mulUp(x.hi, y.lo)}
		case y.hi <= 0:
			return Interval{mulDown(x.hi, y.hi), mulUp(x.lo, y.lo)}
		}
		return Interval{mulDown(x.lo, y.hi), mulUp(x.lo, y.lo)}
	}
	switch {
	case y.lo >= 0:
		return Interval{mulDown(x.lo, y.hi), mulUp(x.hi, y.hi)}
	case y.hi <= 0:
		return Interval{mulDown(x.hi, y.lo), mulUp(x.lo, y.lo)}
	}
	return Interval{
		math.Min(mulDown(x.lo, y.hi), mulDown(x.hi, y.lo)),
		math.Max(mulUp(x.lo, y.lo), mulUp(x.hi, y.hi)),
	}
}

// Div returns the tightest interval that contains x/y = {u/v : u ∈ x, v ∈ y,
// v ≠ 0}; it is empty if y = [0, 0] and Entire if 0 is inside y and x ≠ [0, 0].
//
// Soundness: a divisor that contains zero is not an error here. Where the
// quotient must be defined on all of x × y, use Decorated or check
// y.Contains(0) first.
func (x Interval) Div(y Interval) Interval {
	switch {
	case x.IsEmpty() || y.IsEmpty() || y.lo == 0 && y.hi == 0:
		return Empty()
	case x.lo == 0 && x.hi == 0:
		return Interval{}
	case y.lo < 0 && y.hi > 0:
		return Entire()
	case y.hi <= 0:
		x, y = x.Neg(), y.Neg()
	}
	// From here y ≥ 0, and its upper end is positive.
	z := Entire()
	if y.lo == 0 {
		switch {
		case x.lo >= 0:
			z.lo = divDown(x.lo, y.hi)
		case x.hi <= 0:
			z.hi = divUp(x.hi, y.hi)
		}
		return z
	}
	switch {
	case x.lo >= 0:
		return Interval{divDown(x.lo, y.hi), divUp(x.hi, y.lo)}
	case x.hi <= 0:
		return Interval{divDown(x.lo, y.lo), divUp(x.hi, y.hi)}
	}
	return Interval{divDown(x.lo, y.lo), divUp(x.hi, y.lo)}
}

// Recip returns the tightest interval that contains {1/u : u ∈ x, u ≠ 0}.
func (x Interval) Recip() Interval { return Interval{1, 1}.Div(x) }

// Sqr returns {u² : u ∈ x}, tightest.
func (x Interval) Sqr() Interval {
	if x.IsEmpty() {
		return x
	}
	lo, hi := x.migMag()
	return Interval{mulDown(lo, lo), mulUp(hi, hi)}
}

// Sqrt returns {√u : u ∈ x, u ≥ 0}, tightest; it is empty if x < 0.
func (x Interval) Sqrt() Interval {
	if x.hi < 0 {
		return Empty()
	}
	return Interval{sqrtDown(math.Max(x.lo, 0)), sqrtUp(x.hi)}
}

// PowInt returns an interval that contains {uⁿ : u ∈ x}, over u ≠ 0 if n < 0;
// u⁰ = 1. An end away from under- and overflow has a relative error of at most
// |n|·2^−52: by binary powering u^k accumulates k−1 roundings of at most 2^−52
// each, and a negative power one more.
func (x Interval) PowInt(n int) Interval {
	switch {
	case x.IsEmpty():
		return x
	case n == 0:
		return Interval{1, 1}
	case n == 1:
		return x
	case n < 0:
		// −uint(n) is |n|, also for the smallest int.
		return x.powUint(-uint(n)).Recip()
	}
	return x.powUint(uint(n))
}

// powUint returns an enclosure of {uⁿ : u ∈ x} for n ≥ 1 and x nonempty.
func (x Interval) powUint(n uint) Interval {
	if n%2 == 0 {
		lo, hi := x.migMag()
		return Interval{powDown(lo, n), powUp(hi, n)}
	}
	var z Interval
	if x.lo >= 0 {
		z.lo = powDown(x.lo, n)
	} else {
		z.lo = -powUp(-x.lo, n)
	}
	if x.hi >= 0 {
		z.hi = powUp(x.hi, n)
	} else {
		z.hi = -powDown(-x.hi, n)
	}
	return z
}

// Abs returns {|u| : u ∈ x}.
func (x Interval) Abs() Interval {
	if x.IsEmpty() {
		return x
	}
	lo, hi := x.migMag()
	return Interval{lo, hi}
}

// migMag returns the least and the greatest |u| over the nonempty x.
func (x Interval) migMag() (mig, mag float64) {
	mag = math.Max(-x.lo, x.hi)
	switch {
	case x.lo > 0:
		mig = x.lo
	case x.hi < 0:
		mig = -x.hi
	}
	return mig, mag
}

// Min returns {min(u, v) : u ∈ x, v ∈ y}.
func (x Interval) Min(y Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() {
		return Empty()
	}
	return Interval{math.Min(x.lo, y.lo), math.Min(x.hi, y.hi)}
}

// Max returns {max(u, v) : u ∈ x, v ∈ y}.
func (x Interval) Max(y Interval) Interval {
	if x.IsEmpty() || y.IsEmpty() {
		return Empty()
	}
	return Interval{math.Max(x.lo, y.lo), math.Max(x.hi, y.hi)}
}
