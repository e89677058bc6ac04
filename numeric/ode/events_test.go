package ode

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// clockEvents integrates y' = 1, so that a step is as long as the driver lets it be,
// with events of the time.
func clockEvents(t *testing.T, m Method, t0, t1 float64, st *Settings, gs ...func(t float64) float64) *Solution {
	t.Helper()
	st.Method = m
	for _, g := range gs {
		st.Events = append(st.Events, Event{G: func(t float64, _ []float64) float64 { return g(t) }})
	}
	return mustSolve(t, func(_ float64, _, d []float64) { d[0] = 1 }, t0, []float64{0}, t1, st)
}

// TestRootsDoNotDependOnTheDirection: cos t + c has the same roots forwards and
// backwards, with all methods, however long the steps: close pairs and many in a step
// among them.
func TestRootsDoNotDependOnTheDirection(t *testing.T) {
	for _, m := range append([]Method{Auto}, methods...) {
		for _, c := range []float64{0, 0.9, -0.9, 0.999, 0.9999999} {
			for _, end := range []float64{10, 100} {
				var want []float64
				for k := 0.0; k < end; k++ {
					for _, r := range []float64{-1, 1} {
						if x := 2*math.Pi*k + r*math.Acos(-c); x > 0 && x < end {
							want = append(want, x)
						}
					}
				}
				for _, span := range [][2]float64{{0, end}, {end, 0}} {
					s := clockEvents(t, m, span[0], span[1], &Settings{}, func(t float64) float64 { return math.Cos(t) + c })
					name := fmt.Sprintf("%v: cos t + %v over %v", m, c, span)
					if len(s.Events) != len(want) {
						t.Errorf("%s: %d roots, want %d", name, len(s.Events), len(want))
						continue
					}
					for i, e := range s.Events {
						w := want[i]
						if span[0] > span[1] {
							w = want[len(want)-1-i]
						}
						// Near its minimum cos t + c is flat: rounding of 1e-16 moves the roots by 1e-16/|sin t|.
						if math.Abs(e.T-w) > 1e-14*end/math.Sqrt(1-c*c) {
							t.Errorf("%s: root at %v, want %v", name, e.T, w)
						}
					}
					if s.Doubts != nil {
						t.Errorf("%s: in doubt about %v", name, s.Doubts)
					}
				}
			}
		}
	}
}

// TestTangentRoots: a turning point on zero is one event, at whatever place of a step
// and also where rounding puts it on the other side; one beside zero is none.
func TestTangentRoots(t *testing.T) {
	for _, m := range methods {
		for _, at := range []float64{0.1, 0.5, 1, 3.7, 9.99} {
			for _, span := range [][2]float64{{0, 10}, {10, 0}} {
				s := clockEvents(t, m, span[0], span[1], &Settings{},
					func(t float64) float64 { return (t - at) * (t - at) },
					func(t float64) float64 { return -(t - at) * (t - at) },
					func(t float64) float64 { return (t-at)*(t-at) - 1e-13 },
					func(t float64) float64 { return (t-at)*(t-at) + 1e-6 },
				)
				var n [4]int
				for _, e := range s.Events {
					n[e.Event]++
					// The turning point of a parabola is known to the root of the rounding.
					if !e.Tangent && e.Event != 2 && e.Y[0] != 0 && math.Abs(e.T-at) > 0 || math.Abs(e.T-at) > 1e-6 {
						t.Errorf("%v, %v, event %d: tangent %v at %v, want %v", m, span, e.Event, e.Tangent, e.T, at)
					}
				}
				if n[0] != 1 || n[1] != 1 || n[2] != 1 && n[2] != 2 || n[3] != 0 {
					t.Errorf("%v, %v, root at %v: counts %v: %v", m, span, at, n, s.Events)
				}
			}
		}
	}
	// Directions: a touch from below rises to zero, one from above falls.
	for _, dir := range []int{-1, 1} {
		s := mustSolve(t, oscillator, 0, []float64{0, 1}, 4, &Settings{Events: []Event{
			{G: func(_ float64, y []float64) float64 { return y[0] - 1 }, Direction: dir},
		}})
		if (len(s.Events) == 1) != (dir > 0) {
			t.Errorf("direction %d: %v", dir, s.Events)
		} else if dir > 0 && (!s.Events[0].Tangent || math.Abs(s.Events[0].T-math.Pi/2) > 1e-4) {
			t.Errorf("%+v", s.Events[0])
		}
	}
}

// TestTangentRootAtAnEndOfAStep: where the step before sees only a descent and the one
// after only an ascent.
func TestTangentRootAtAnEndOfAStep(t *testing.T) {
	for _, span := range [][2]float64{{0, 2}, {2, 0}} {
		s := mustSolve(t, func(_ float64, _, d []float64) { d[0] = 1 }, span[0], []float64{span[0]}, span[1], &Settings{
			Method: Verner8, InitialStep: 0.25, MaxStep: 0.25,
			Events: []Event{{G: func(t float64, _ []float64) float64 { return (t-1)*(t-1) + 1e-13 }}},
		})
		if !slices.Contains(s.T, 1) {
			t.Fatalf("steps %v do not end at 1", s.T)
		}
		if len(s.Events) != 1 || !s.Events[0].Tangent || math.Abs(s.Events[0].T-1) > 1e-6 || math.Abs(s.Events[0].Y[0]-1) > 1e-6 {
			t.Errorf("%v: %v", span, s.Events)
		}
	}
}

// TestTangentRootsAreReportedOnce: also where looks at the turning point agree, at
// whatever place of a step.
func TestTangentRootsAreReportedOnce(t *testing.T) {
	for k := range 200 {
		at := 0.05 + float64(k)/201*9.9
		for _, above := range []float64{0, 1e-13, 1e-12} {
			s := clockEvents(t, Verner8, 0, 10, &Settings{}, func(t float64) float64 { return (t-at)*(t-at) + above })
			if len(s.Events) != 1 {
				t.Errorf("root at %v, %v above: %v", at, above, s.Events)
			}
		}
	}
}

// TestTangentTerminalEventStops: also where the tangent root is the end of a step.
func TestTangentTerminalEventStops(t *testing.T) {
	for _, h := range []float64{0.25, 0.3} {
		s := mustSolve(t, func(_ float64, _, d []float64) { d[0] = 1 }, 0, []float64{0}, 2, &Settings{
			InitialStep: h, MaxStep: h,
			Events: []Event{{G: func(t float64, _ []float64) float64 { return (t - 1) * (t - 1) }, Terminal: true}},
		})
		if len(s.Events) != 1 || math.Abs(s.EndT-1) > 1e-6 || math.Abs(s.EndY[0]-s.EndT) > 1e-12 {
			t.Errorf("step %v: ended at %v with %v", h, s.EndT, s.Events)
		}
	}
}

// TestDoubtIsSaid: a g that varies faster than a step can follow, or is as rough as
// noise, is in doubt; a jump, a kink and a pole that are located are not.
func TestDoubtIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		g     func(t float64) float64
		doubt bool
		roots int // -1: any number
	}{
		"fast":    {func(t float64) float64 { return math.Cos(1e5 * t) }, true, -1},
		"noise":   {func(t float64) float64 { return math.Sin(1e12*t) * math.Cos(1e13*t*t) }, true, -1},
		"jump":    {func(t float64) float64 { return math.Copysign(1, t-0.7) }, false, 1},
		"kink":    {func(t float64) float64 { return math.Abs(t-0.7) - 0.01 }, false, 2},
		"far":     {func(t float64) float64 { return 3 + math.Cos(30*t) }, false, 0},
		"pole":    {func(t float64) float64 { return 1 / (t - 0.7) }, false, 1},
		"twenty":  {func(t float64) float64 { return math.Sin(20 * math.Pi * t) }, false, 19},
		"overlap": {func(t float64) float64 { return (t - 0.5) * (t - 0.5000001) }, false, 2},
	} {
		for _, span := range [][2]float64{{0, 1}, {1, 0}} {
			s := clockEvents(t, Verner8, span[0], span[1], &Settings{RelTol: 1e-14, AbsTol: 1e-14, InitialStep: 1}, c.g)
			if (s.Doubts != nil) != c.doubt {
				t.Errorf("%s %v: doubts %v", name, span, s.Doubts)
			}
			if c.roots >= 0 && len(s.Events)-atEnd(s) != c.roots {
				t.Errorf("%s %v: %d roots %v", name, span, len(s.Events), s.Events)
			}
		}
	}
}

// atEnd counts the events at the end of a solution, where rounding decides whether zero
// is reached.
func atEnd(s *Solution) int {
	n := 0
	for _, e := range s.Events {
		if e.T == s.EndT {
			n++
		}
	}
	return n
}

// TestEventThatFailsInsideAStep: roots before the failure are reported.
func TestEventThatFailsInsideAStep(t *testing.T) {
	for _, bad := range []float64{0.3, 0.61, 1} {
		s, err := Solve(context.Background(), func(_ float64, _, d []float64) { d[0] = 1 }, 0, []float64{0}, 2, &Settings{
			InitialStep: 2,
			Events: []Event{{Name: "root", G: func(t float64, _ []float64) float64 {
				if t > bad {
					return math.NaN()
				}
				return t - 0.25
			}}},
		})
		if err == nil || len(s.Events) != 1 || math.Abs(s.Events[0].T-0.25) > 1e-12 {
			t.Errorf("NaN beyond %v: %v, %v", bad, s.Events, err)
		}
	}
}
