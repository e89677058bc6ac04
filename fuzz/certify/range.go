package certify

import "math"

// span is a range of numbers in plain float64 arithmetic, not rounded outward: what is found with it is checked by package
// region, whose arithmetic is. It is empty where lo > hi.
type span struct{ lo, hi float64 }

func (a span) add(b span) span { return span{a.lo + b.lo, a.hi + b.hi} }

// mul is a·b; 0·∞ is 0.
func (a span) mul(b span) span {
	if a.lo >= 0 && b.lo >= 0 {
		return span{times(a.lo, b.lo), times(a.hi, b.hi)}
	}
	p, q, r, s := times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)
	return span{min(p, q, r, s), max(p, q, r, s)}
}

func times(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a * b
}

func (a span) neg() span { return span{-a.hi, -a.lo} }

func (a span) pow(n int) span {
	l, h := math.Pow(a.lo, float64(n)), math.Pow(a.hi, float64(n))
	if n == 2 {
		l, h = a.lo*a.lo, a.hi*a.hi
	}
	switch {
	case n%2 == 1 || a.lo >= 0:
		return span{l, h}
	case a.hi <= 0:
		return span{h, l}
	}
	return span{0, max(l, h)}
}

func (a span) recip() span {
	switch {
	case a.lo > 0 || a.hi < 0:
		return span{1 / a.hi, 1 / a.lo}
	case a.lo == 0 && a.hi > 0:
		return span{1 / a.hi, math.Inf(1)}
	case a.hi == 0 && a.lo < 0:
		return span{math.Inf(-1), 1 / a.lo}
	}
	return span{math.Inf(-1), math.Inf(1)}
}

func (a span) sqrt() span { return span{math.Sqrt(max(a.lo, 0)), math.Sqrt(max(a.hi, 0))} }

func (a span) empty() bool { return !(a.lo <= a.hi) }

func (a span) bounded() bool { return !math.IsInf(a.lo, 0) && !math.IsInf(a.hi, 0) }
