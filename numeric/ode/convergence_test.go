package ode

import (
	"context"
	"fmt"
	"math"
	"testing"
)

const (
	// roundOffMargin: the finest error of a ladder must stay this many times above
	// the unit round-off of the solution, or the ladder is refused. The rounding
	// errors of N ≤ 1000 steps add up like a random walk to about √N·2⁻⁵³, which
	// then changes log₂ of the error by less than √1000/1000/ln 2 = 0.05.
	roundOffMargin = 1e3
	// slopeSlack: an error that is O(hᵖ) falls with slope at least p; neighbouring
	// orders differ by 1 and half of that decides. (Larger slopes occur where
	// leading terms cancel along a solution; that the order is not larger is shown
	// in exact arithmetic, and without round-off by
	// TestOrderIsSharpWithoutRoundOff.)
	slopeSlack = 0.5
)

// fixedSteps integrates with n equal steps, whatever the error estimate says, and
// returns the root mean square error at the grid points and at θ = 1/5, …, 4/5
// inside the steps, both relative to the largest |y|. (A largest error would jump
// as the grid points move past its peak.)
func fixedSteps(t testing.TB, m Method, p problem, n int) (grid, inside float64) {
	t.Helper()
	in := &integrator{f: p.f, n: len(p.y0), rtol: 1e-13, atol: 1e-13, dir: 1, end: p.t1}
	var st stepper
	switch m {
	case Verner8:
		st = newExplicit(in, verner8())
	case DormandPrince54:
		st = newExplicit(in, dormandPrince())
	case RadauIIA5:
		st = newRadau(in, nil)
	}
	y := append([]float64(nil), p.y0...)
	f0 := make([]float64, in.n)
	in.eval(p.t0, y, f0)
	st.start(clock{hi: p.t0}, y, f0)
	var size float64
	u := make([]float64, in.n)
	diff := func(tt float64, y []float64) float64 {
		var sum float64
		for i, x := range p.exact(tt) {
			sum += (x - y[i]) * (x - y[i])
			size = max(size, math.Abs(x))
		}
		return sum
	}
	h := (p.t1 - p.t0) / float64(n)
	for i := range n {
		t0 := p.t0 + float64(i)*h
		ynew := make([]float64, in.n)
		if _, ok := st.try(clock{hi: t0}, h, y, ynew); !ok || !st.accept(clock{hi: t0}, h, y, ynew) {
			t.Fatalf("%s: %v: step %d of %d failed", p.name, m, i, n)
		}
		sg := segment{t: clock{hi: t0}, h: h, y0: y, y1: ynew, q: make([]float64, st.denseLen()*in.n)}
		st.dense(clock{hi: t0}, h, y, ynew, sg.q)
		for k := 1; k < 5; k++ {
			tt := t0 + h*float64(k)/5
			sg.eval(tt, u)
			inside += diff(tt, u) / float64(4*n)
		}
		y = ynew
		grid += diff(t0+h, y) / float64(n)
	}
	return math.Sqrt(grid) / size, math.Sqrt(inside) / size
}

// fitSlope returns the least-squares slope of log(error) against log(step) over a
// ladder of step counts. It refuses a ladder that reaches round-off.
func fitSlope(steps []int, errs []float64) (float64, error) {
	var n, sx, sy, sxx, sxy float64
	for i, e := range errs {
		if e < roundOffMargin*0x1p-53 {
			return 0, fmt.Errorf("error %.2g at %d steps reaches round-off: choose a coarser ladder", e, steps[i])
		}
		x, y := -math.Log(float64(steps[i])), math.Log(e)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx), nil
}

func TestMethodsConvergeWithTheirOrder(t *testing.T) {
	for m, tb := range map[Method]*Tableau{
		Verner8: VernerTableau(), DormandPrince54: DormandPrinceTableau(), RadauIIA5: RadauTableau(),
	} {
		for _, p := range problems() {
			ladder := p.ladder5
			if m == Verner8 {
				ladder = p.ladder8
			}
			if len(ladder) == 0 {
				continue
			}
			t.Run(m.String()+"/"+p.name, func(t *testing.T) {
				var grid, inside []float64
				for _, n := range ladder {
					g, in := fixedSteps(t, m, p, n)
					grid, inside = append(grid, g), append(inside, in)
				}
				got, err := fitSlope(ladder, grid)
				t.Logf("%v: grid %.2g, slope %.2f", ladder, grid, got)
				if err != nil || got < float64(tb.Order)-slopeSlack {
					t.Errorf("slope %.2f for order %d (%v)", got, tb.Order, err)
				}
				// A dense output of order q has local error O(h^(q+1)), which does not
				// accumulate.
				want := min(tb.Order, tb.DenseOrder+1)
				got, err = fitSlope(ladder, inside)
				t.Logf("inside %.2g, slope %.2f", inside, got)
				if err != nil || got < float64(want)-slopeSlack {
					t.Errorf("slope %.2f of the dense output, want %d (%v)", got, want, err)
				}
			})
		}
	}
}

// A ladder that ends in round-off, or a method with one coefficient wrong in the
// sixth digit, is not taken for one of the stated order.
func TestConvergenceTestCanFail(t *testing.T) {
	if _, err := fitSlope([]int{1, 2}, []float64{1e-3, 1e-15}); err == nil {
		t.Error("a ladder in round-off was accepted")
	}
	p := problems()[0]
	tb := VernerTableau()
	delta := NewExact(1, 1_000_000)
	tb.B[5] = tb.B[5].Add(delta)
	tb.B[6] = tb.B[6].Sub(delta)
	tb.A[13][5], tb.A[13][6] = tb.B[5], tb.B[6]
	wrong := tb.compile()
	var errs []float64
	for _, n := range p.ladder8 {
		in := &integrator{f: p.f, n: 1, rtol: 1e-13, atol: 1e-13, dir: 1, end: p.t1}
		st := newExplicit(in, wrong)
		y, f0 := append([]float64(nil), p.y0...), make([]float64, 1)
		p.f(0, y, f0)
		st.start(clock{}, y, f0)
		h := p.t1 / float64(n)
		for i := range n {
			ynew := make([]float64, 1)
			st.try(clock{hi: float64(i) * h}, h, y, ynew)
			st.accept(clock{hi: float64(i) * h}, h, y, ynew)
			y = ynew
		}
		errs = append(errs, math.Abs(y[0]-p.exact(p.t1)[0]))
	}
	if got, err := fitSlope(p.ladder8, errs); err != nil || got >= 8-slopeSlack {
		t.Errorf("a wrong tableau shows slope %.2f (%v)", got, err)
	}
}

// The tolerance is met up to the growth of errors along the problem: on these
// problems, where neighbouring solutions separate at most linearly (two bodies),
// the global error stays within globalFactor of rtol·size. For the stiff problem it
// is looked at where the method controls it, at the accepted times (see RadauIIA5).
const globalFactor = 300

func TestAdaptiveErrorFollowsTolerance(t *testing.T) {
	for _, p := range problems() {
		for _, m := range []Method{Verner8, DormandPrince54, RadauIIA5} {
			if p.stiff && m != RadauIIA5 {
				continue
			}
			t.Run(m.String()+"/"+p.name, func(t *testing.T) {
				tols := []float64{1e-5, 1e-7, 1e-9}
				for _, tol := range tols {
					sol, err := Solve(context.Background(), p.f, p.t0, p.y0, p.t1, &Settings{Method: m, RelTol: tol, AbsTol: tol * 1e-2})
					if err != nil {
						t.Fatal(err)
					}
					var worst, size float64
					u := make([]float64, len(p.y0))
					times := sol.T
					if !p.stiff {
						times = nil
						for i := range 501 {
							times = append(times, p.t0+(p.t1-p.t0)*float64(i)/500)
						}
					}
					for _, tt := range times {
						sol.At(tt, u)
						for j, x := range p.exact(tt) {
							worst = max(worst, math.Abs(u[j]-x))
							size = max(size, math.Abs(x))
						}
					}
					t.Logf("tol %.0e: error %.2g, %+v", tol, worst/size, sol.Stats)
					if worst > globalFactor*tol*size {
						t.Errorf("tol %.0e: error %.3g exceeds %v·tol", tol, worst/size, globalFactor)
					}
				}
			})
		}
	}
}
