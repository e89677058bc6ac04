package ode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSizesBeyondTheRootOfFloat64: linear problems whose squares leave float64 are
// solved as those of size one are, with the same steps but those that grow, sixfold, out
// of the absolute tolerance of the component that is zero.
func TestSizesBeyondTheRootOfFloat64(t *testing.T) {
	for _, m := range append([]Method{Auto}, methods...) {
		steps := 0
		for _, size := range []float64{1, 1e100, 1e154, 1e160, 1e300} {
			sol, err := Solve(context.Background(), func(_ float64, y, d []float64) { d[0], d[1] = y[1], -y[0] },
				0, []float64{0, size}, 3, &Settings{Method: m, RelTol: 1e-8})
			if err != nil {
				t.Errorf("%v, size %g: %v", m, size, err)
				continue
			}
			if d := math.Hypot(sol.EndY[0]/size-math.Sin(3), sol.EndY[1]/size-math.Cos(3)); d > 1e-8*globalFactor {
				t.Errorf("%v, size %g: off by %.3g", m, size, d)
			}
			if size == 1 {
				steps = sol.Stats.Steps
			} else if float64(sol.Stats.Steps) > float64(steps)+math.Log(size)/math.Log(maxScale)+20 {
				t.Errorf("%v, size %g: %d steps, %d at size 1", m, size, sol.Stats.Steps, steps)
			}
		}
	}
}

// TestHugeFieldsAtSmallStates: a state of zero and a field of 1e200, or 1e308, which an
// absolute weight puts beyond float64.
func TestHugeFieldsAtSmallStates(t *testing.T) {
	for _, m := range methods {
		for _, abs := range []float64{0, 1e-12} {
			for _, size := range []float64{1e150, 1e200, 1e300} {
				sol, err := Solve(context.Background(), func(_ float64, y, d []float64) { d[0], d[1] = size, -y[1] },
					0, []float64{0, 1}, 2, &Settings{Method: m, AbsTol: abs})
				if err != nil {
					t.Errorf("%v, %g: %v", m, size, err)
				} else if math.Abs(sol.EndY[0]/(2*size)-1) > 1e-9 || math.Abs(sol.EndY[1]-math.Exp(-2)) > 1e-9 && abs > 0 {
					t.Errorf("%v, %g: %v", m, size, sol.EndY)
				}
				if sol.Stats.Steps > 3000 {
					t.Errorf("%v, %g: %+v", m, size, sol.Stats)
				}
			}
			// And one that leaves float64.
			sol, err := Solve(context.Background(), func(_ float64, y, d []float64) { d[0], d[1] = 0, 1e307 },
				0, []float64{0, 0}, 20, &Settings{Method: m, AbsTol: abs})
			var e *NonFiniteError
			if !errors.As(err, &e) || e.Component != 1 || !(e.T > 17.9 && e.T < 18) || sol.Stats.Steps+sol.Stats.Rejected > 3000 {
				t.Errorf("%v: %v after %+v", m, err, sol.Stats)
			}
		}
	}
}

// TestFailuresNameComponentAndTime: of the state, of the field at the start, at a
// stage inside a step, at the end of one, and of the Jacobian.
func TestFailuresNameComponentAndTime(t *testing.T) {
	nan := math.NaN()
	for _, m := range methods {
		for name, c := range map[string]struct {
			f         RHS
			y0        []float64
			component int
			at        float64 // within 1e-6
		}{
			"state":      {func(_ float64, _, d []float64) { d[0], d[1] = 0, 0 }, []float64{0, nan}, 1, 0},
			"start":      {func(_ float64, _, d []float64) { d[0], d[1] = 0, nan }, []float64{0, 0}, 1, 0},
			"from 1 on":  {func(t float64, _, d []float64) { d[0], d[1] = 1, math.Sqrt(1-t)/math.Sqrt(1-t) }, []float64{0, 0}, 1, 1},
			"in the way": {func(t float64, y, d []float64) { d[0], d[1] = 1, math.Log(1-y[0]) }, []float64{0, 0}, 1, 1},
			"overflow":   {func(_ float64, y, d []float64) { d[0], d[1] = 1, 1e307 }, []float64{0, 1.7e308}, 1, 0.97693},
		} {
			sol, err := Solve(context.Background(), c.f, 0, c.y0, 2, &Settings{Method: m})
			var e *NonFiniteError
			if !errors.As(err, &e) {
				// "in the way" may be met as a singularity.
				var step *StepSizeError
				if name == "in the way" && errors.As(err, &step) && step.Component == 1 && math.Abs(step.T-1) < 1e-6 {
					continue
				}
				t.Errorf("%v, %s: %v", m, name, err)
				continue
			}
			if e.Component != c.component || math.Abs(e.T-c.at) > 1e-4 || sol.EndT > e.T+1e-12 {
				t.Errorf("%v, %s: %v (end %v)", m, name, err, sol.EndT)
			}
		}
		// A singularity names the component that has it.
		_, err := Solve(context.Background(), func(t float64, y, d []float64) {
			d[0], d[1] = 1, 1/math.Sqrt(math.Abs(1-t))/math.Abs(1-t)
		}, 0, []float64{0, 0}, 2, &Settings{Method: m})
		var e *StepSizeError
		if !errors.As(err, &e) || e.Component != 1 || math.Abs(e.T-1) > 1e-6 {
			t.Errorf("%v: %v", m, err)
		}
	}
	_, err := Solve(context.Background(), oscillator, 0, []float64{0, 1}, 1, &Settings{
		Method:   RadauIIA5,
		Jacobian: func(_ float64, _ []float64, j *mat.Dense) { j.Set(1, 0, nan) },
	})
	var e *NonFiniteError
	if !errors.As(err, &e) || e.What != "Jacobian" || e.Component != 1 {
		t.Errorf("NaN in the Jacobian: %v", err)
	}
}

// TestStagesOfTheDenseOutputAreLookedAt: f is NaN on a stretch that no stage of the
// step itself meets.
func TestStagesOfTheDenseOutputAreLookedAt(t *testing.T) {
	rejected := 0
	for k := range 199 {
		at := float64(k+1) / 200 // 3/5 among them, a place of the dense output only
		sol, err := Solve(context.Background(), func(t float64, _, d []float64) {
			d[0] = 1
			if math.Abs(t-at) < 1e-3 {
				d[0] = math.NaN()
			}
		}, 0, []float64{0}, 1, &Settings{Method: Verner8, InitialStep: 1})
		rejected += sol.Stats.Rejected
		if err == nil {
			for th := 0.0; th <= 1; th += 1.0 / 64 {
				if y := sol.At(th, nil); !(math.Abs(y[0]-th) <= 1e-9) {
					t.Errorf("hole at %v: %v at %v", at, y[0], th)
				}
			}
			continue
		}
		var e *NonFiniteError
		if !errors.As(err, &e) || math.Abs(e.T-at) > 1e-2 {
			t.Errorf("hole at %v: %v", at, err)
		}
	}
	if rejected == 0 {
		t.Error("no stage met a hole")
	}
}

// TestSpansBeyondFloat64: one clear error.
func TestSpansBeyondFloat64(t *testing.T) {
	sol, err := Solve(context.Background(), oscillator, -1e308, []float64{0, 1}, 1e308, nil)
	if sol != nil || err == nil || err.Error() != "ode: time interval [-1e+308, 1e+308] is longer than the largest float64" {
		t.Errorf("%v, %v", sol, err)
	}
	// And spans that are nearly so, and nearly nothing.
	for _, m := range methods {
		for _, c := range [][2]float64{{0, math.MaxFloat64}, {-8e307, 8e307}, {0, 5e-324}, {1, 1 + 0x1p-52}, {-5e-324, 5e-324}} {
			sol, err := Solve(context.Background(), func(_ float64, _, d []float64) { d[0] = 0 }, c[0], []float64{1}, c[1], &Settings{Method: m})
			var e *StepSizeError
			if m == RadauIIA5 && c[1]-c[0] < 1e-300 && errors.As(err, &e) {
				continue // 1/h is beyond float64
			}
			if err != nil || sol.EndT != c[1] || sol.EndY[0] != 1 {
				t.Errorf("%v over %v: %v", m, c, err)
			}
		}
	}
}

// TestDecayKeepsItsDigits: of a block that decays, relative to its size, over 280
// orders of magnitude; beside one that does not; and where numbers end.
func TestDecayKeepsItsDigits(t *testing.T) {
	f := func(_ float64, y, d []float64) { d[0], d[1], d[2] = -y[0], -y[0]-2*y[1], math.Cos(y[2]) }
	for _, m := range methods {
		st := &Settings{Method: m, RelTol: 1e-8, Blocks: []int{2, 1}, Output: []float64{100, 500, 660, 700}}
		sol := mustSolve(t, f, 0, []float64{1, 1, 0}, 700, st)
		for i, tt := range []float64{100, 500, 660} {
			// y₁ = -e^-t + 2e^-2t.
			for k, want := range []float64{math.Exp(-tt), -math.Exp(-tt) + 2*math.Exp(-2*tt)} {
				if r := math.Abs(sol.Y[i][k]/want - 1); r > 1e-8*globalFactor {
					t.Errorf("%v: component %d at %v is %v, want %v", m, k, tt, sol.Y[i][k], want)
				}
			}
		}
		if len(sol.Losses) != 1 || sol.Losses[0].Block != 0 || sol.Losses[0].Below != Smallest || math.Abs(math.Exp(-sol.Losses[0].T)/Smallest-1) > 0.99 && sol.Losses[0].T < 660 {
			t.Errorf("%v: losses %v", m, sol.Losses)
		}
		// An absolute tolerance does not follow.
		sol = mustSolve(t, f, 0, []float64{1, 1, 0}, 700, &Settings{Method: m, RelTol: 1e-8, AbsTol: 1e-12, Output: []float64{700}})
		if sol.Losses != nil {
			t.Errorf("%v: losses %v of an absolute tolerance", m, sol.Losses)
		}
	}
}

// TestRoundingOfTheFieldEndsNumbers: y' = -y computed with an error of 1e-16 cannot be
// followed to 1e-100; that is noticed and said, without a million steps.
func TestRoundingOfTheFieldEndsNumbers(t *testing.T) {
	for _, m := range methods {
		f := func(_ float64, y, d []float64) { d[0] = (1 - y[0]) - 1 }
		sol, err := Solve(context.Background(), f, 0, []float64{1}, 200, &Settings{Method: m, RelTol: 1e-8})
		if err != nil {
			t.Errorf("%v: %v", m, err)
			continue
		}
		if len(sol.Losses) != 1 || sol.Losses[0].Below != DefaultAbsTol || sol.Losses[0].T > 40 {
			t.Errorf("%v: losses %v", m, sol.Losses)
		}
		if n := sol.Stats.Steps + sol.Stats.Rejected; n > 40_000 {
			t.Errorf("%v: %d steps", m, n)
		}
		if math.Abs(sol.EndY[0]) > 1e-10 {
			t.Errorf("%v: ends at %v", m, sol.EndY)
		}
	}
}

// TestStiffnessIsNoticedOnce: Auto takes RadauIIA5 for a stiff problem, says so, and is
// as accurate; it stays with Verner8 on others, at every tolerance.
func TestStiffnessIsNoticedOnce(t *testing.T) {
	for _, p := range problems() {
		for _, tol := range []float64{1e-4, 1e-6, 1e-8, 1e-10} {
			sol := mustSolve(t, p.f, p.t0, p.y0, p.t1, &Settings{RelTol: tol, AbsTol: tol})
			if len(sol.Switches) != map[bool]int{true: 1}[p.stiff] {
				t.Errorf("%s, tol %g: switches %v", p.name, tol, sol.Switches)
			}
			var worst float64
			for k, x := range p.exact(p.t1) {
				worst = max(worst, math.Abs(x-sol.EndY[k]))
			}
			if worst > globalFactor*tol*10 || sol.Stats.Steps+sol.Stats.Rejected > 20_000 {
				t.Errorf("%s, tol %g: error %.3g, %+v", p.name, tol, worst, sol.Stats)
			}
			if p.stiff && (sol.Switches[0].From != Verner8 || sol.Switches[0].To != RadauIIA5) {
				t.Errorf("%v", sol.Switches)
			}
		}
	}
	// A method that was asked for is kept.
	stiff := problems()[5]
	sol, err := Solve(context.Background(), stiff.f, 0, stiff.y0, 10, &Settings{Method: Verner8, MaxSteps: 2000})
	var limit *LimitError
	if !errors.As(err, &limit) || sol.Switches != nil {
		t.Errorf("verner8: %v, %v", err, sol.Switches)
	}
}

// TestStabilityLimits: |R| ≤ 1 up to the limit and not beyond; that of Dormand and Prince
// is 3.3066 (HW IV.2).
func TestStabilityLimits(t *testing.T) {
	for _, co := range []*explicitCoefficients{verner8(), dormandPrince()} {
		if r := math.Abs(co.stability(-co.limit)); r > 1 {
			t.Errorf("R(-%v) = %v", co.limit, r)
		}
		if r := math.Abs(co.stability(-co.limit - 2e-3)); r <= 1 {
			t.Errorf("R(-%v) = %v", co.limit+2e-3, r)
		}
		// The order: R agrees with exp to it.
		const z = 1e-2
		if d := math.Abs(co.stability(z) - math.Exp(z)); d > math.Pow(z, float64(co.order+1))+0x1p-51 {
			t.Errorf("order %d: R(%v) is off by %.3g", co.order, z, d)
		}
	}
	if x := dormandPrince().limit; math.Abs(x-3.3066) > 1e-3 {
		t.Errorf("Dormand–Prince: %v", x)
	}
}

func TestBlocksMustFit(t *testing.T) {
	for _, blocks := range [][]int{{1}, {3}, {2, 1}, {0, 2}, {-1, 3}, {}} {
		sol, err := Solve(context.Background(), oscillator, 0, []float64{0, 1}, 1, &Settings{Blocks: blocks})
		if sol != nil || err == nil {
			t.Errorf("%v: %v", blocks, err)
		} else if got := fmt.Sprint(err); got[:11] != "ode: Blocks" {
			t.Errorf("%v: %v", blocks, err)
		}
	}
}

// TestNormsDoNotOverflow: up to the largest float64, for both kinds of tolerance.
func TestNormsDoNotOverflow(t *testing.T) {
	zero := []float64{0, 0}
	for _, blocks := range [][]scaled{nil, {{from: 0, to: 2, absolute: true}}} {
		in := &integrator{n: 2, rtol: 1e-10, atol: 1e-12, blocks: blocks}
		for _, e := range []float64{1e-100, 1, 1e140, 1e160, 1e200, 1e290} {
			want := e / 1e-12 / math.Sqrt2
			if got := in.norm([]float64{e, 0}, zero, zero); !(math.Abs(got/want-1) < 1e-12) {
				t.Errorf("norm of %g: %g, want %g", e, got, want)
			}
			// Relative weights are as large as the numbers.
			y := []float64{e * 1e10, 0}
			if got := in.norm([]float64{e, 0}, y, y); !(got <= 1/math.Sqrt2+1e-9) {
				t.Errorf("norm of %g beside %g: %g", e, y[0], got)
			}
		}
	}
}

// TestStagesDoNotPassTheEnd: t0 + (t1 - t0) may round to beyond t1, where f need not be
// defined.
func TestStagesDoNotPassTheEnd(t *testing.T) {
	passed := 0
	for k := 1; k < 400; k++ {
		t0 := -math.Pow(10, -float64(k)/30)
		t1 := math.Pi / float64(k)
		if t0+(t1-t0) <= t1 {
			continue
		}
		passed++
		in := &integrator{end: t1, dir: 1}
		if got := in.time(clock{hi: t0}, t1-t0); got != t1 {
			t.Errorf("from %v: stage at %v, end %v", t0, got, t1)
		}
		for _, m := range methods {
			sol, err := Solve(context.Background(), func(t float64, _, d []float64) {
				if d[0] = 1; t > t1 {
					d[0] = math.NaN()
				}
			}, t0, []float64{0}, t1, &Settings{Method: m, InitialStep: 10})
			if err != nil || sol.Stats.Rejected > 0 {
				t.Errorf("%v from %v to %v: %v, %+v", m, t0, t1, err, sol.Stats)
			}
		}
	}
	if passed < 5 {
		t.Errorf("%d intervals of 400 round beyond their end: the test cannot tell", passed)
	}
}

// TestNewtonSystemsOfHugeEntries: the factorisation sums entries, up to the largest
// float64: J = -c(I + 1·1ᵀ), whose inverse is -(I - 1·1ᵀ/4)/c for three components.
func TestNewtonSystemsOfHugeEntries(t *testing.T) {
	for _, c := range []float64{1e10, 1e200, 8e307} {
		s := newRadau(&integrator{n: 3}, nil)
		for i := range 3 {
			for j := range 3 {
				s.jac.Set(i, j, -c)
			}
			s.jac.Set(i, i, -2*c)
		}
		s.factor(1e3)
		r := []float64{c, 0, 0}
		copy(s.rhs.RawVector().Data, r)
		if !s.solve(&s.real, s.rhs) {
			t.Errorf("c = %g: not solved", c)
			continue
		}
		for i, want := range []float64{0.75, -0.25, -0.25} {
			if got := s.rhs.AtVec(i); math.Abs(got-want) > 1e-9 {
				t.Errorf("c = %g: component %d is %v, want %v", c, i, got, want)
			}
		}
	}
}
