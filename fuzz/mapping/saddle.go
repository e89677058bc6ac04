package mapping

import (
	"context"
	"errors"
	"fmt"
	"math"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// Saddle returns the unstable stationary state (p₋, p₋²/α) of the frozen flow, and false unless 0 < κ < 1/4 (claims
// fixed-points and basin).
func (q Parameters) Saddle() (p, s float64, ok bool) {
	if !(q.Eta > 0 && q.Tau > 0 && q.Alpha > 0) {
		return 0, 0, false
	}
	minus, plus, real := measure.Roots(q.Tau, q.Sigma2, q.Eta)
	if !real || minus == plus {
		return 0, 0, false
	}
	return minus, minus * minus / q.Alpha, true
}

// StableDirection returns ds/dp of the stable eigenvector at the saddle. With J the Jacobian of the frozen flow,
//
//	J = ( −ap²−η         αη/p )
//	    ( 2p²(τ−2ap)/α   0    )   at p = p₋, s = p²/α, p(τ−ap) = η,
//
// whose eigenvalues are −2η and 2η − τp (claim fixed-points), (J + 2η)(1, m) = 0 gives m = −p²(τ−2ap)/(αη).
func (q Parameters) StableDirection(p float64) float64 {
	return -p * p * (q.Tau - 2*q.a()*p) / (q.Alpha * q.Eta)
}

// frozen returns the right-hand side of the frozen flow over (p, s).
func (q Parameters) frozen() (ode.RHS, error) {
	d, err := Frozen.bind(point{Parameters: q, beta: flow.DefaultBeta})
	if err != nil {
		return nil, err
	}
	return d.rhs, nil
}

// XY is a point of a curve.
type XY struct{ X, Y float64 }

// Window is a rectangle of the plane (p, s).
type Window struct{ PLo, PHi, SLo, SHi float64 }

// departure is the distance from the saddle, relative to p₋, at which the manifold is left for its tangent: the
// tangent is off by its square, relative to p₋ of the order 1e-12/√(1−4κ).
const departure = 1e-6

// Manifold tolerances. Backwards in time the manifold attracts its neighbours, so errors do not grow.
const (
	manifoldRelTol = 1e-12
	manifoldAbsTol = absTol // the branch to larger p comes very near s = 0, see relTol
)

// Manifold returns the stable manifold of the saddle (p₋, p₋²/α), from the saddle to beyond the window on either side,
// as a polyline in the (p, s) plane whose points are at most 1/400 of the window apart inside it: the flow integrated backwards from the saddle along its
// stable eigenvector, to either side. Under the frozen flow it separates collapse (below it, towards smaller p)
// from growth. It returns an error if there is no saddle (see Saddle) or ctx ends.
func (q Parameters) Manifold(ctx context.Context, w Window) ([]XY, error) {
	p, s, ok := q.Saddle()
	if !ok {
		return nil, fmt.Errorf("mapping: no saddle for eta = %v, tau = %v, sigma2 = %v: kappa = %v is not between 0 and 1/4",
			q.Eta, q.Tau, q.Sigma2, q.Kappa())
	}
	return q.manifoldFrom(ctx, p, s, w)
}

// manifoldFrom is Manifold for a stationary state on the parabola.
func (q Parameters) manifoldFrom(ctx context.Context, p, s float64, w Window) ([]XY, error) {
	left, err := q.branch(ctx, p, s, -1, w)
	if err != nil {
		return nil, err
	}
	right, err := q.branch(ctx, p, s, 1, w)
	if err != nil {
		return nil, err
	}
	line := make([]XY, 0, len(left)+len(right)+1)
	for i := len(left) - 1; i >= 0; i-- {
		line = append(line, left[i])
	}
	return append(append(line, XY{p, s}), right...), nil
}

// branch follows the manifold backwards from the saddle to smaller (side −1) or larger p until it leaves the window,
// widened to hold the saddle and s = 0, by a tenth of its size.
func (q Parameters) branch(ctx context.Context, p, s, side float64, w Window) ([]XY, error) {
	rhs, err := q.frozen()
	if err != nil {
		return nil, err
	}
	pw, sw := w.PHi-w.PLo, w.SHi-w.SLo
	wide := Window{min(w.PLo, p), max(w.PHi, p), min(w.SLo, 0), max(w.SHi, s)}
	leaves := ode.Event{Name: "window", Terminal: true, Direction: 1, G: func(_ float64, y []float64) float64 {
		return max(max(wide.PLo-y[0], y[0]-wide.PHi)/pw, max(wide.SLo-y[1], y[1]-wide.SHi)/sw) - 0.1
	}}
	step := side * departure * p
	y0 := []float64{p + step, s + step*q.StableDirection(p)}
	// The component along the manifold grows like e^(2ηt) backwards, from departure·p₋: seventy such times carry it to
	// any size that a float64 window can have.
	const times = 70
	sol, err := ode.Solve(ctx, rhs, 0, y0, -times/(2*q.Eta), &ode.Settings{
		RelTol: manifoldRelTol, AbsTol: manifoldAbsTol, InitialStep: departure / q.Eta, Events: []ode.Event{leaves},
	})
	var stopped *ode.CancelError
	if errors.As(err, &stopped) || sol == nil {
		return nil, err
	}
	// Any other error is the end of the branch: backwards in time p runs to infinity in finite time.
	var line []XY
	var refine func(t0 float64, a XY, t1 float64, b XY, depth int)
	refine = func(t0 float64, a XY, t1 float64, b XY, depth int) {
		const fine, deepest = 1.0 / 400, 20
		beside := max(a.X, b.X) < w.PLo || min(a.X, b.X) > w.PHi || max(a.Y, b.Y) < w.SLo || min(a.Y, b.Y) > w.SHi
		if !beside && depth < deepest && max(math.Abs(b.X-a.X)/pw, math.Abs(b.Y-a.Y)/sw) > fine {
			tm := t0 + (t1-t0)/2
			y := sol.At(tm, nil)
			m := XY{y[0], y[1]}
			refine(t0, a, tm, m, depth+1)
			refine(tm, m, t1, b, depth+1)
			return
		}
		line = append(line, b)
	}
	last := XY{y0[0], y0[1]}
	for i := 1; i < len(sol.T); i++ {
		b := XY{sol.Y[i][0], sol.Y[i][1]}
		refine(sol.T[i-1], last, sol.T[i], b, 0)
		last = b
	}
	return line, nil
}

// Threshold returns the p at which the stable manifold of the saddle has the distance c = s − p²/α from the
// parabola: of all modes with that c, those with smaller p collapse and those with larger p grow, since p obeys an
// equation of its own, p' = (p² + αc)(τ−ap) − ηp with c = c(0)·e^(−2ηt), whose solutions keep their order. It is
// p₋ for c = 0, ±∞ where all modes have one fate. It returns an error if there is no saddle or ctx ends.
func (q Parameters) Threshold(ctx context.Context, c float64) (float64, error) {
	p, s, ok := q.Saddle()
	if !ok {
		return 0, fmt.Errorf("mapping: no saddle for kappa = %v", q.Kappa())
	}
	m := q.StableDirection(p)
	slope := m - 2*p/q.Alpha // dc/dp on the manifold, negative
	start := -math.Copysign(departure*p, c)
	c0 := start*slope - start*start/q.Alpha
	if math.Abs(c) <= math.Abs(c0) {
		return p + c/slope, nil
	}
	rhs, err := q.frozen()
	if err != nil {
		return 0, err
	}
	// c grows backwards like e^(2ηt); when it has its value is looked at along the way, since time carries the relative
	// error of the first c, a difference of nearly equal numbers. One time constant more than that takes is enough.
	end := -(math.Log(c/c0) + 1) / (2 * q.Eta)
	reached := ode.Event{Name: "c", Terminal: true, G: func(_ float64, y []float64) float64 { return y[1] - y[0]*y[0]/q.Alpha - c }}
	far := 1e3 * (q.Tau/q.a() + math.Sqrt(q.Alpha*math.Abs(c)))
	gone := ode.Event{Name: "far away", Terminal: true, G: func(_ float64, y []float64) float64 { return math.Abs(y[0]) - far }}
	sol, err := ode.Solve(ctx, rhs, 0, []float64{p + start, s + start*m}, end, &ode.Settings{
		RelTol: manifoldRelTol, AbsTol: manifoldAbsTol, InitialStep: departure / q.Eta,
		Output: []float64{end}, Events: []ode.Event{reached, gone},
	})
	var stopped *ode.CancelError
	if errors.As(err, &stopped) || sol == nil {
		return 0, err
	}
	if err == nil && len(sol.Events) > 0 && sol.Events[0].Event == 0 {
		return sol.EndY[0], nil
	}
	return math.Copysign(math.Inf(1), start), nil
}
