package ode

import "math"

// clock is a time hi + lo with |lo| at most half a unit in the last place of hi. The
// steps are made to end on float64 numbers (lo = 0) wherever those are dense enough;
// where they are not, lo carries the time that has passed since hi.
type clock struct{ hi, lo float64 }

// plus returns the time h later, rounded once (TwoSum; Knuth, TAOCP 2, 4.2.2).
func (c clock) plus(h float64) clock {
	d := c.lo + h
	s := c.hi + d
	v := s - c.hi
	return clock{s, (c.hi - (s - v)) + (d - v)}
}

// until returns the time from c to t.
func (c clock) until(t float64) float64 { return (t - c.hi) - c.lo }

// after returns the float64 number nearest to the time h later.
func (c clock) after(h float64) float64 { return c.hi + (c.lo + h) }

// ulp returns the distance from |t| to the next larger float64.
func ulp(t float64) float64 {
	t = math.Abs(t)
	if t == math.MaxFloat64 {
		return t - math.Nextafter(t, 0)
	}
	return math.Nextafter(t, math.Inf(1)) - t
}

// Constants of the clock.
const (
	// ulps: a step shorter than this many units in the last place of t cannot have
	// its stages at times that differ as they should.
	ulps = 16
	// coarse: below this many units a step's stages are off by more than 2⁻²⁷ of
	// the step, which is compared with the tolerance.
	coarse = 0x1p26
)

// blur measures what the rounding of times does to the solution: it returns the norm
// of f(t+ε, y) - f(t, y), with ε a unit in the last place of t in the direction of the
// integration, per unit of time and as weighed by the tolerance. It is 0 where f does
// not depend on t, whatever the magnitude of t.
func (in *integrator) blur(c clock, y, f0 []float64) float64 {
	next := math.Nextafter(c.hi, in.end)
	if in.blurF == nil {
		in.blurF = make([]float64, in.n)
	}
	in.eval(next, y, in.blurF)
	if firstNonFinite(in.blurF) >= 0 {
		return 0 // the edge of the domain of f: a step shows whether it can be crossed
	}
	for i, v := range f0 {
		in.blurF[i] -= v
	}
	return in.norm(in.blurF, y, y)
}
