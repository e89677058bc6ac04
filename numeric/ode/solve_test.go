package ode

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func oscillator(_ float64, y, d []float64) { d[0], d[1] = y[1], -y[0] }

var methods = []Method{Verner8, DormandPrince54, RadauIIA5}

// loose returns settings that RadauIIA5 can meet quickly too, and the factor by
// which the global error may exceed the tolerance over ten radians of an
// oscillator (errors add up over the steps; see globalFactor).
func loose(m Method) *Settings { return &Settings{Method: m, RelTol: 1e-8, AbsTol: 1e-10} }

const looseTol = 1e-8 * globalFactor

func mustSolve(t *testing.T, f RHS, t0 float64, y0 []float64, t1 float64, st *Settings) *Solution {
	t.Helper()
	sol, err := Solve(context.Background(), f, t0, y0, t1, st)
	if err != nil {
		t.Fatal(err)
	}
	return sol
}

func TestBackwardIntegrationReturns(t *testing.T) {
	for _, m := range methods {
		y0 := []float64{0.3, -1}
		there := mustSolve(t, oscillator, 2, y0, 9, loose(m))
		back := mustSolve(t, oscillator, 9, there.EndY, 2, loose(m))
		if back.EndT != 2 || there.EndT != 9 {
			t.Errorf("%v: ends at %v and %v", m, there.EndT, back.EndT)
		}
		for i := range y0 {
			if d := math.Abs(back.EndY[i] - y0[i]); d > looseTol {
				t.Errorf("%v: component %d is off by %.3g", m, i, d)
			}
			if d := math.Abs(back.At(5, nil)[i] - there.At(5, nil)[i]); d > looseTol {
				t.Errorf("%v: at t = 5 the two differ by %.3g", m, d)
			}
		}
		if y0[0] != 0.3 || y0[1] != -1 {
			t.Errorf("%v: y0 was changed", m)
		}
	}
}

func TestOutputEqualsDenseOutput(t *testing.T) {
	times := []float64{0, 0, 0.5, 0.5, 1.25, 7, 10}
	for _, m := range methods {
		full := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, loose(m))
		st := loose(m)
		st.Output = times
		at := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, st)
		if !slices.Equal(at.T, times) {
			t.Errorf("%v: T = %v", m, at.T)
		}
		for i, tt := range times {
			if m == RadauIIA5 {
				// Its outputs are ends of steps, not dense output.
				if d := math.Abs(at.Y[i][0] - math.Sin(tt)); d > looseTol {
					t.Errorf("%v: at %v off by %.3g", m, tt, d)
				}
				continue
			}
			if want := full.At(tt, nil); !slices.Equal(at.Y[i], want) {
				t.Errorf("%v: at %v: %v, want exactly %v", m, tt, at.Y[i], want)
			}
		}
		if m != RadauIIA5 && !slices.Equal(at.EndY, full.EndY) || at.EndT != full.EndT {
			t.Errorf("%v: the ends differ", m)
		}
		for i, tt := range full.T {
			if !slices.Equal(full.At(tt, nil), full.Y[i]) {
				t.Errorf("%v: At(T[%d]) is not Y[%d]", m, i, i)
			}
		}
	}
}

// TestOutputsOfTheImplicitMethodAreEndsOfSteps: as accurate as those, on a problem whose
// longest steps have a dense output that is not; where that is asked for, steps are
// short enough for it.
func TestOutputsOfTheImplicitMethodAreEndsOfSteps(t *testing.T) {
	p := problems()[5]
	st := &Settings{Method: RadauIIA5, RelTol: 1e-5, AbsTol: 1e-7}
	full := mustSolve(t, p.f, p.t0, p.y0, p.t1, st)
	var times []float64
	inside := 0.0
	for i := 1; i < 100; i++ {
		at := p.t1 * float64(i) / 100
		times = append(times, at)
		inside = max(inside, math.Abs(full.At(at, nil)[0]-math.Cos(at)))
	}
	st.Output = times
	worst := 0.0
	for i, y := range mustSolve(t, p.f, p.t0, p.y0, p.t1, st).Y {
		worst = max(worst, math.Abs(y[0]-math.Cos(times[i])))
	}
	t.Logf("at the outputs %.2g, inside steps %.2g", worst, inside)
	if worst > 1e-7 || inside > globalFactor*st.RelTol {
		t.Errorf("error at the outputs %.3g, inside steps %.3g", worst, inside)
	}
}

func TestDenseOutputIsContinuouslyDifferentiable(t *testing.T) {
	// u'(0) = f(t, y) for both explicit methods and u'(1) = f(t+h, y₁): a one-sided
	// difference quotient over δ is off by δ·|u''| plus round-off over δ.
	const delta, tol = 1e-6, 1e-5
	for _, m := range []Method{Verner8, DormandPrince54} {
		sol := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, &Settings{Method: m, RelTol: 1e-6, AbsTol: 1e-8})
		u := make([]float64, 2)
		for i := 1; i+1 < len(sol.T); i++ {
			tt := sol.T[i]
			sol.At(tt-delta, u)
			left := (sol.Y[i][0] - u[0]) / delta
			sol.At(tt+delta, u)
			right := (u[0] - sol.Y[i][0]) / delta
			if want := sol.Y[i][1]; math.Abs(left-want) > tol || math.Abs(right-want) > tol {
				t.Errorf("%v at %v: slopes %v and %v, f = %v", m, tt, left, right, want)
			}
		}
	}
}

func TestEventsAreLocated(t *testing.T) {
	// y = sin t, y' = cos t on [0, 10].
	for _, m := range methods {
		st := loose(m)
		st.Events = []Event{
			{Name: "zero", G: func(_ float64, y []float64) float64 { return y[0] }},
			{Name: "down", G: func(_ float64, y []float64) float64 { return y[0] }, Direction: -1},
			{Name: "up", G: func(_ float64, y []float64) float64 { return y[0] }, Direction: 1},
			{Name: "clock", G: func(t float64, _ []float64) float64 { return t - 5 }},
		}
		sol := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, st)
		want := []struct {
			event int
			t     float64
		}{{0, math.Pi}, {1, math.Pi}, {3, 5}, {0, 2 * math.Pi}, {2, 2 * math.Pi}, {0, 3 * math.Pi}, {1, 3 * math.Pi}}
		if len(sol.Events) != len(want) {
			t.Fatalf("%v: %d events: %v", m, len(sol.Events), sol.Events)
		}
		for i, w := range want {
			c := sol.Events[i]
			if c.Event != w.event || math.Abs(c.T-w.t) > looseTol {
				t.Errorf("%v: event %d is %d at %v, want %d at %v", m, i, c.Event, c.T, w.event, w.t)
			}
			// The time is a float64 below 16 (units of 2⁻⁴⁹) and |y'| ≤ 1; as much again
			// for the rounding of the dense output.
			if c.Event != 3 && math.Abs(c.Y[0]) > 0x1p-48 {
				t.Errorf("%v: |g| = %.3g at the event", m, c.Y[0])
			}
		}
	}
}

// Signs are compared on the quarters of a step: one root in each is found.
func TestEventsInsideOneStep(t *testing.T) {
	g := func(t float64, _ []float64) float64 { return (t - 0.1) * (t - 0.4) * (t - 0.6) * (t - 0.9) }
	sol := mustSolve(t, func(_ float64, _, d []float64) { d[0] = 0 }, 0, []float64{1}, 1, &Settings{
		InitialStep: 1, Events: []Event{{G: g}},
	})
	if len(sol.T) != 2 || len(sol.Events) != 4 {
		t.Errorf("%d events in %d steps", len(sol.Events), len(sol.T)-1)
	}
}

func TestEventsBackwardComeInOrder(t *testing.T) {
	for _, m := range methods {
		st := loose(m)
		clock := func(at float64) Event {
			return Event{G: func(t float64, _ []float64) float64 { return t - at }}
		}
		st.Events = []Event{clock(5), clock(5.001), clock(4.999), clock(0.5)}
		st.Events[3].Terminal = true
		sol := mustSolve(t, oscillator, 10, []float64{0, 1}, 0, st)
		var got []int
		for _, c := range sol.Events {
			got = append(got, c.Event)
		}
		if !slices.Equal(got, []int{1, 0, 2, 3}) || math.Abs(sol.EndT-0.5) > 0x1p-48 {
			t.Errorf("%v: events %v, end %v", m, got, sol.EndT)
		}
	}
}

func TestTerminalEventEndsTheSolution(t *testing.T) {
	for _, output := range [][]float64{nil, {1, 2, 3, 4, 5}} {
		for _, m := range methods {
			st := loose(m)
			st.Output = output
			st.Events = []Event{
				{G: func(_ float64, y []float64) float64 { return y[1] }}, // π/2, 3π/2, …
				{G: func(_ float64, y []float64) float64 { return y[0] }, Terminal: true},
			}
			sol := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, st)
			if math.Abs(sol.EndT-math.Pi) > looseTol || len(sol.Events) != 2 || sol.Events[0].Event != 0 {
				t.Errorf("%v: ended at %v with %v", m, sol.EndT, sol.Events)
			}
			if sol.T[len(sol.T)-1] > sol.EndT {
				t.Errorf("%v: reported %v after the end %v", m, sol.T, sol.EndT)
			}
			if output == nil {
				if got := sol.At(sol.EndT, nil); !slices.Equal(got, sol.EndY) {
					t.Errorf("%v: At(EndT) = %v, EndY = %v", m, got, sol.EndY)
				}
				if d := math.Abs(sol.At(3, nil)[0] - math.Sin(3)); d > looseTol {
					t.Errorf("%v: inside the last, cut step off by %.3g", m, d)
				}
			} else if len(sol.T) != 3 {
				t.Errorf("%v: outputs %v", m, sol.T)
			}
		}
	}
}

// A root that is reached and not passed, and one at the start, are told apart.
func TestEventAtZeroOfTheState(t *testing.T) {
	// y = y0 + t.
	count := func(y0, t1 float64) int {
		sol := mustSolve(t, func(_ float64, _, d []float64) { d[0] = 1 }, 0, []float64{y0}, t1, &Settings{
			Events: []Event{{G: func(_ float64, y []float64) float64 { return y[0] }}},
		})
		return len(sol.Events)
	}
	if n := count(0, 1); n != 0 {
		t.Errorf("a root at the start gave %d events", n)
	}
	if n := count(0, -1); n != 0 {
		t.Errorf("a root at the start, left downwards, gave %d events", n)
	}
	if n := count(-1, 1); n != 1 {
		t.Errorf("a root at the end gave %d events", n)
	}
	if n := count(-1, 2); n != 1 {
		t.Errorf("a root inside gave %d events", n)
	}
}

func TestNumericalFailuresAreTyped(t *testing.T) {
	ctx := context.Background()
	for _, m := range methods {
		// y' = y² from 1 ends at t = 1.
		blowUp := func(_ float64, y, d []float64) { d[0] = y[0] * y[0] }
		sol, err := Solve(ctx, blowUp, 0, []float64{1}, 2, loose(m))
		var under *StepSizeError
		var nonFinite *NonFiniteError
		if !errors.As(err, &under) && !errors.As(err, &nonFinite) {
			t.Errorf("%v: blow-up: %v", m, err)
		}
		if sol == nil || math.Abs(sol.EndT-1) > 1e-6 || sol.T[len(sol.T)-1] != sol.EndT {
			t.Errorf("%v: the partial solution does not end at the singularity", m)
		}

		// A right-hand side that stops being finite at t = 1.
		hole := func(t float64, y, d []float64) { d[0] = math.Sqrt(1 - t) }
		sol, err = Solve(ctx, hole, 0, []float64{0}, 2, loose(m))
		if !errors.As(err, &nonFinite) || !errors.As(err, &under) && math.Abs(nonFinite.T-1) > 1e-6 {
			t.Errorf("%v: hole: %v", m, err)
		}
		if sol.EndT > 1 || sol.EndT < 0.999 {
			t.Errorf("%v: hole reached at %v", m, sol.EndT)
		}

		st := loose(m)
		st.MaxSteps = 5
		sol, err = Solve(ctx, oscillator, 0, []float64{0, 1}, 100, st)
		var limit *LimitError
		if !errors.As(err, &limit) || limit.What != "steps" || limit.Limit != 5 {
			t.Errorf("%v: step limit: %v", m, err)
		}
		if sol.Stats.Steps+sol.Stats.Rejected != 5 || len(sol.T) != sol.Stats.Steps+1 {
			t.Errorf("%v: stats %+v with %d times", m, sol.Stats, len(sol.T))
		}
		st = loose(m)
		st.MaxEvals = 50
		if _, err = Solve(ctx, oscillator, 0, []float64{0, 1}, 100, st); !errors.As(err, &limit) || limit.What != "evaluations" {
			t.Errorf("%v: evaluation limit: %v", m, err)
		}

		stop, cancel := context.WithCancel(ctx)
		calls := 0
		sol, err = Solve(stop, func(t float64, y, d []float64) {
			if calls++; calls == 200 {
				cancel()
			}
			oscillator(t, y, d)
		}, 0, []float64{0, 1}, 1e6, loose(m))
		var cancelled *CancelError
		if !errors.As(err, &cancelled) || !errors.Is(err, context.Canceled) || cancelled.T != sol.EndT {
			t.Errorf("%v: cancellation: %v", m, err)
		}
		if sol.EndT <= 0 || sol.EndT > 1e5 {
			t.Errorf("%v: cancelled at %v", m, sol.EndT)
		}
	}

	sol, err := Solve(ctx, oscillator, 0, []float64{0, math.NaN()}, 1, nil)
	var nonFinite *NonFiniteError
	if !errors.As(err, &nonFinite) || nonFinite.Component != 1 || sol == nil {
		t.Errorf("NaN in y0: %v", err)
	}
	_, err = Solve(ctx, func(_ float64, _, d []float64) { d[0], d[1] = 1, math.Inf(1) }, 0, []float64{0, 0}, 1, nil)
	if !errors.As(err, &nonFinite) || nonFinite.What != "right-hand side" || nonFinite.Component != 1 {
		t.Errorf("infinite f: %v", err)
	}
	_, err = Solve(ctx, func(_ float64, _, d []float64) { d[0] = math.NaN() }, 3, []float64{0}, 4, nil)
	if !errors.As(err, &nonFinite) || nonFinite.T != 3 || nonFinite.Component != 0 {
		t.Errorf("NaN f: %v", err)
	}
	_, err = Solve(ctx, oscillator, 0, []float64{0, 1}, 10, &Settings{Events: []Event{{
		Name: "bad", G: func(t float64, _ []float64) float64 { return math.Sqrt(1 - t) },
	}}})
	if !errors.As(err, &nonFinite) || nonFinite.What != "event bad" {
		t.Errorf("NaN event: %v", err)
	}
}

func TestMalformedArgumentsAreNamed(t *testing.T) {
	g := func(float64, []float64) float64 { return 1 }
	for _, c := range []struct {
		want   string
		y0     []float64
		t0, t1 float64
		st     Settings
	}{
		{"empty initial state", nil, 0, 1, Settings{}},
		{"time interval", []float64{1}, 0, math.Inf(1), Settings{}},
		{"unknown method", []float64{1}, 0, 1, Settings{Method: 9}},
		{"RelTol", []float64{1}, 0, 1, Settings{RelTol: -1}},
		{"RelTol", []float64{1}, 0, 1, Settings{RelTol: 1e-16}},
		{"RelTol", []float64{1}, 0, 1, Settings{RelTol: math.NaN()}},
		{"AbsTol", []float64{1}, 0, 1, Settings{AbsTol: math.NaN()}},
		{"InitialStep", []float64{1}, 0, 1, Settings{InitialStep: -1}},
		{"MaxStep", []float64{1}, 0, 1, Settings{MaxStep: math.NaN()}},
		{"MinStep", []float64{1}, 0, 1, Settings{MinStep: -1}},
		{"MaxSteps", []float64{1}, 0, 1, Settings{MaxSteps: -1}},
		{"Output[1]", []float64{1}, 0, 1, Settings{Output: []float64{0.5, 0.4}}},
		{"Output[0]", []float64{1}, 0, 1, Settings{Output: []float64{1.5}}},
		{"Output[0]", []float64{1}, 1, 0, Settings{Output: []float64{math.NaN()}}},
		{"event 1", []float64{1}, 0, 1, Settings{Events: []Event{{G: g}, {}}}},
	} {
		sol, err := Solve(context.Background(), oscillator, c.t0, c.y0, c.t1, &c.st)
		if err == nil || sol != nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "ode: ") {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	for _, m := range methods {
		if got, err := ParseMethod(m.String()); err != nil || got != m {
			t.Errorf("%v reads back as %v, %v", m, got, err)
		}
	}
	if _, err := ParseMethod("euler"); err == nil || !strings.Contains(err.Error(), "verner8") {
		t.Errorf("unknown method: %v", err)
	}
}

func TestAtPanicsOutside(t *testing.T) {
	sol := mustSolve(t, oscillator, 0, []float64{0, 1}, 1, nil)
	noDense := mustSolve(t, oscillator, 0, []float64{0, 1}, 1, &Settings{Output: []float64{0, 1}})
	for name, f := range map[string]func(){
		"after the end":    func() { sol.At(1.5, nil) },
		"before the start": func() { sol.At(-1e-9, nil) },
		"NaN":              func() { sol.At(math.NaN(), nil) },
		"dimension":        func() { sol.At(0.5, make([]float64, 3)) },
		"no dense output":  func() { noDense.At(0.5, nil) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "ode: ") {
					t.Errorf("%s: no panic that starts with ode:", name)
				}
			}()
			f()
		}()
	}
}

func TestEmptyIntervalHasOnePoint(t *testing.T) {
	sol := mustSolve(t, oscillator, 3, []float64{1, 2}, 3, nil)
	if len(sol.T) != 1 || sol.EndT != 3 || sol.At(3, nil)[1] != 2 {
		t.Errorf("%+v", sol)
	}
}

func TestZeroDerivativeIsConstant(t *testing.T) {
	for _, m := range methods {
		sol := mustSolve(t, func(_ float64, _, d []float64) { d[0] = 0 }, 0, []float64{0.1}, 1e9, &Settings{Method: m})
		if sol.EndY[0] != 0.1 || sol.Stats.Steps > 100 {
			t.Errorf("%v: %v after %d steps", m, sol.EndY[0], sol.Stats.Steps)
		}
	}
}

func TestStepBoundsAreKept(t *testing.T) {
	sol := mustSolve(t, oscillator, 0, []float64{0, 1}, 10, &Settings{MaxStep: 0.01, InitialStep: 1e-4})
	if d := sol.T[1] - sol.T[0]; d != 1e-4 {
		t.Errorf("first step %v", d)
	}
	for i := 1; i < len(sol.T); i++ {
		if d := sol.T[i] - sol.T[i-1]; d > 0.01*(1+stretch-1)+1e-12 {
			t.Errorf("step %d is %v", i, d)
		}
	}
	var under *StepSizeError
	_, err := Solve(context.Background(), func(t float64, y, d []float64) { d[0] = -1e4 * y[0] }, 0, []float64{1}, 1, &Settings{MinStep: 0.1, InitialStep: 0.2})
	if !errors.As(err, &under) {
		t.Errorf("MinStep: %v", err)
	}
}

// The transformation of HW IV.8: T⁻¹A⁻¹T is block diagonal, to the rounding of a
// 3×3 eigendecomposition (condition of T about 10, norm of A⁻¹ about 10).
func TestRadauTransformationIsBlockDiagonal(t *testing.T) {
	co := radau5()
	a := mat.NewDense(3, 3, nil)
	tm, ti := mat.NewDense(3, 3, nil), mat.NewDense(3, 3, nil)
	for i := range 3 {
		for j := range 3 {
			a.Set(i, j, RadauTableau().A[i][j].Float64())
			tm.Set(i, j, co.t[i][j])
			ti.Set(i, j, co.ti[i][j])
		}
	}
	var inv, p mat.Dense
	if err := inv.Inverse(a); err != nil {
		t.Fatal(err)
	}
	p.Product(ti, &inv, tm)
	want := mat.NewDense(3, 3, []float64{co.gamma, 0, 0, 0, co.alpha, -co.beta, 0, co.beta, co.alpha})
	p.Sub(&p, want)
	if d := mat.Norm(&p, 2); d > 1e-13 {
		t.Errorf("off by %.3g", d)
	}
	// γ̂ is the real root of det(A⁻¹ - z) = -(z³ - 9z² + 36z - 60) (HW IV.5: the
	// denominator of the stability function).
	if r := math.Abs(((co.gamma-9)*co.gamma+36)*co.gamma - 60); r > 1e-12 {
		t.Errorf("γ̂ = %v is no root: %.3g", co.gamma, r)
	}
}

func TestRadauStepsOverStiffness(t *testing.T) {
	// Van der Pol, μ = 10³ in slow time (HW IV.1): y'' = ((1-y²)y' - y)/ε, ε = 10⁻⁶.
	const eps = 1e-6
	f := func(_ float64, y, d []float64) {
		d[0] = y[1]
		d[1] = ((1-y[0]*y[0])*y[1] - y[0]) / eps
	}
	jac := func(_ float64, y []float64, j *mat.Dense) {
		j.Set(0, 0, 0)
		j.Set(0, 1, 1)
		j.Set(1, 0, (-2*y[0]*y[1]-1)/eps)
		j.Set(1, 1, (1-y[0]*y[0])/eps)
	}
	st := &Settings{Method: RadauIIA5, RelTol: 1e-7, AbsTol: 1e-9}
	numeric := mustSolve(t, f, 0, []float64{2, -0.66}, 2, st)
	st.Jacobian = jac
	analytic := mustSolve(t, f, 0, []float64{2, -0.66}, 2, st)
	t.Logf("differences %+v, analytic %+v", numeric.Stats, analytic.Stats)
	// HW, table of IV.10 (problem VDPOL): y(2) = 1.70616773217, y'(2) = -0.892809701.
	for name, sol := range map[string]*Solution{"differences": numeric, "analytic": analytic} {
		if d := math.Abs(sol.EndY[0] - 1.706167732170483); d > 1e-7*globalFactor {
			t.Errorf("%s: y(2) = %v, off by %.3g", name, sol.EndY[0], d)
		}
	}
	if analytic.Stats.Evals >= numeric.Stats.Evals {
		t.Error("an analytic Jacobian saved no evaluations")
	}
	// An explicit method is held to |hλ| ≈ 5 with λ ≈ 3/ε: over half a million steps.
	if numeric.Stats.Steps > 2000 {
		t.Errorf("%d steps", numeric.Stats.Steps)
	}
	st.Method, st.MaxSteps = Verner8, 2000
	var limit *LimitError
	if _, err := Solve(context.Background(), f, 0, []float64{2, -0.66}, 2, st); !errors.As(err, &limit) {
		t.Errorf("the explicit method: %v", err)
	}
}

// On a linear system with the exact Jacobian the simplified Newton iteration solves in
// one step, and a second one sees that. (A wrong iteration matrix would still converge,
// slowly.)
func TestNewtonSolvesLinearSystemsAtOnce(t *testing.T) {
	a := mat.NewDense(3, 3, []float64{-50, 30, 1, -20, -40, 7, 3, -11, -60})
	f := func(_ float64, y, d []float64) {
		mat.NewVecDense(3, d).MulVec(a, mat.NewVecDense(3, y))
	}
	calls := 0
	sol := mustSolve(t, func(tt float64, y, d []float64) { calls++; f(tt, y, d) }, 0, []float64{1, -2, 3}, 1, &Settings{
		Method: RadauIIA5, RelTol: 1e-6, AbsTol: 1e-9,
		Jacobian: func(_ float64, _ []float64, j *mat.Dense) { j.Copy(a) },
	})
	s := sol.Stats
	if s.NewtonSteps > 2*(s.Steps+s.Rejected) {
		t.Errorf("%d iterations in %d steps", s.NewtonSteps, s.Steps+s.Rejected)
	}
	if s.Jacobians != 1 {
		t.Errorf("%d Jacobians of a linear system", s.Jacobians)
	}
	if s.Factorizations%2 != 0 || s.Factorizations < 2 || s.Factorizations > 2*(s.Steps+s.Rejected) {
		t.Errorf("%d factorisations in %d steps", s.Factorizations, s.Steps+s.Rejected)
	}
	if s.Evals != calls {
		t.Errorf("%d evaluations counted of %d", s.Evals, calls)
	}
}

func TestEvaluationsAreCounted(t *testing.T) {
	for _, m := range methods {
		calls := 0
		sol := mustSolve(t, func(tt float64, y, d []float64) { calls++; oscillator(tt, y, d) }, 0, []float64{0, 1}, 10, loose(m))
		if sol.Stats.Evals != calls || sol.Stats.Steps != len(sol.T)-1 {
			t.Errorf("%v: %+v after %d calls and %d times", m, sol.Stats, calls, len(sol.T))
		}
		// f(t0, y0), the initial step, and per step: 12 new stages, f(t+h, y₁) and 4 for the
		// dense output; 6 stages, the last of which is f(t+h, y₁).
		s := sol.Stats
		want := map[Method]int{
			Verner8:         2 + 12*(s.Steps+s.Rejected) + 5*s.Steps,
			DormandPrince54: 2 + 6*(s.Steps+s.Rejected),
		}[m]
		if m != RadauIIA5 && s.Evals != want {
			t.Errorf("%v: %+v, want %d evaluations", m, s, want)
		}
	}
}

// Every accepted step of an explicit method, taken again by itself, meets the
// tolerance; and the controller does not waste: half of them are above a hundredth.
func TestAcceptedStepsMeetTheTolerance(t *testing.T) {
	p := kepler(0.5, 60)
	for m, co := range map[Method]*explicitCoefficients{Verner8: verner8(), DormandPrince54: dormandPrince()} {
		for _, tol := range []float64{1e-4, 1e-7, 1e-10} {
			sol := mustSolve(t, p.f, 0, p.y0, p.t1, &Settings{Method: m, RelTol: tol, AbsTol: tol})
			in := &integrator{f: p.f, n: 4, rtol: tol, atol: tol}
			small := 0
			for i := 1; i < len(sol.T); i++ {
				st := newExplicit(in, co)
				f0, ynew := make([]float64, 4), make([]float64, 4)
				p.f(0, sol.Y[i-1], f0)
				st.start(clock{}, sol.Y[i-1], f0)
				norm, _ := st.try(clock{}, sol.T[i]-sol.T[i-1], sol.Y[i-1], ynew)
				// The step size is recovered from two times only to their rounding.
				if norm > 1+1e-6 {
					t.Errorf("%v, tol %g: step %d has error %.3g", m, tol, i, norm)
				}
				if norm < 0.01 {
					small++
				}
			}
			if small > len(sol.T)/2 {
				t.Errorf("%v, tol %g: %d of %d steps are far below the tolerance", m, tol, small, len(sol.T)-1)
			}
		}
	}
}

// A right-hand side that fails once costs a rejection, whichever evaluation it hits.
func TestPassingNonFiniteValueIsRejected(t *testing.T) {
	for _, m := range methods {
		for bad := 3; bad < 40; bad++ {
			for component := range 2 {
				calls := 0
				sol, err := Solve(context.Background(), func(tt float64, y, d []float64) {
					oscillator(tt, y, d)
					if calls++; calls == bad {
						d[component] = math.NaN()
					}
				}, 0, []float64{0, 1}, 10, loose(m))
				if err != nil {
					t.Errorf("%v: NaN in call %d: %v", m, bad, err)
					continue
				}
				// Verner8's stages 2 and 3 of the dense output's inputs and the extra
				// stages do not decide about the step.
				if d := math.Abs(sol.EndY[0] - math.Sin(10)); !(d <= looseTol) {
					t.Errorf("%v: NaN in call %d: off by %v", m, bad, d)
				}
			}
		}
	}
}

func TestSolutionIsDeterministic(t *testing.T) {
	p := kepler(0.5, 6)
	for _, m := range methods {
		a := mustSolve(t, p.f, 0, p.y0, p.t1, loose(m))
		b := mustSolve(t, p.f, 0, p.y0, p.t1, loose(m))
		if !slices.Equal(a.T, b.T) || !slices.Equal(a.EndY, b.EndY) {
			t.Errorf("%v: two runs differ", m)
		}
	}
}

// Between steps the explicit methods do not allocate when only the end is asked for.
func TestStepsDoNotAllocate(t *testing.T) {
	p := kepler(0.5, 6)
	allocs := func(t1 float64) float64 {
		return testing.AllocsPerRun(5, func() {
			if _, err := Solve(context.Background(), p.f, 0, p.y0, t1, &Settings{Output: []float64{}}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if a, b := allocs(6), allocs(60); a != b {
		t.Errorf("%v allocations for one orbit, %v for ten", a, b)
	}
}
