package ode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
)

// typed reports whether err is one of the numerical failures of Solve.
func typed(err error) bool {
	var step *StepSizeError
	var finite *NonFiniteError
	var limit *LimitError
	return errors.As(err, &step) || errors.As(err, &finite) || errors.As(err, &limit)
}

// magnitudes are initial times up to where a float64 has no fractions.
var magnitudes = []float64{0, 1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e300}

// TestDecayAtEveryMagnitudeOfTime: y' = λy over four units from any t0, at the default
// tolerances: the relative error is that of the tolerance, a factor ten for the steps
// that it adds up over, or there is a typed error; up to 1e12 an error only where the
// solution leaves float64.
func TestDecayAtEveryMagnitudeOfTime(t *testing.T) {
	for _, m := range append([]Method{Auto}, methods...) {
		for _, lambda := range []float64{-1, -1e3, 1} {
			if m == RadauIIA5 && lambda == -1e3 {
				continue // TestImplicitDecayAtEveryMagnitudeOfTime
			}
			for _, size := range magnitudes {
				decay(t, m, lambda, size)
			}
		}
	}
}

// TestImplicitDecayAtEveryMagnitudeOfTime: the same, where it takes 70 000 steps.
func TestImplicitDecayAtEveryMagnitudeOfTime(t *testing.T) {
	for _, size := range []float64{0, 1, 1e6, 1e12, 1e16} {
		decay(t, RadauIIA5, -1e3, size)
	}
}

// decay integrates y' = λy from ±size over ±4.
func decay(t *testing.T, m Method, lambda, size float64) {
	t.Helper()
	const tol = 1e-9
	for _, t0 := range []float64{size, -size} {
		for _, span := range []float64{4, -4} {
			f := func(_ float64, y, d []float64) { d[0] = lambda * y[0] }
			t1 := t0 + span
			name := fmt.Sprintf("%v λ=%g [%g, %+g]", m, lambda, t0, span)
			sol, err := Solve(context.Background(), f, t0, []float64{1}, t1, &Settings{Method: m, Output: []float64{}})
			want := math.Exp(lambda * (t1 - t0))
			switch {
			case err != nil && !typed(err):
				t.Errorf("%s: %v", name, err)
			case err != nil && size <= 1e12 && want <= math.MaxFloat64:
				t.Errorf("%s: %v", name, err)
			case err == nil && !(math.Abs(sol.EndY[0]-want) <= tol*want+Smallest):
				t.Errorf("%s: %v, want %v (%.2g)", name, sol.EndY[0], want, sol.EndY[0]/want-1)
			}
			if sol != nil && sol.Stats.Steps+sol.Stats.Rejected >= DefaultMaxSteps {
				t.Errorf("%s: %+v", name, sol.Stats)
			}
		}
	}
}

// TestClockIsNotOutrun: a field that depends on t beside the spacing of its times is
// integrated rightly or refused.
func TestClockIsNotOutrun(t *testing.T) {
	for _, m := range methods {
		for _, omega := range []float64{1e-3, 1, 1e3} {
			for _, t0 := range magnitudes {
				f := func(t float64, _, d []float64) { d[0] = math.Cos(omega * (t - t0)) }
				for _, span := range []float64{4, -4} {
					sol, err := Solve(context.Background(), f, t0, []float64{1}, t0+span, &Settings{Method: m, RelTol: 1e-8})
					if err != nil {
						var e *StepSizeError
						if t0 <= 1e4 || !errors.As(err, &e) || !e.Clock {
							t.Errorf("%v, ω = %g, t0 = %g: %v", m, omega, t0, err)
						}
						continue
					}
					x := (t0 + span) - t0
					if want := 1 + math.Sin(omega*x)/omega; math.Abs(sol.EndY[0]-want) > 1e-6 {
						t.Errorf("%v, ω = %g, t0 = %g: %v, want %v", m, omega, t0, sol.EndY[0], want)
					}
				}
			}
		}
	}
}
