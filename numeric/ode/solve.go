package ode

import (
	"context"
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// RHS is the right-hand side of y' = f(t, y): it writes f(t, y) into dydt. It
// must not keep or change y.
type RHS func(t float64, y, dydt []float64)

// Method names a one-step method.
//
// RadauIIA5 steps over stiff components with steps that follow the smooth ones. Its
// error estimate has order 3, so tolerances below about 1e-9 make it slow, and it
// speaks of the accepted times only: between them the collocation polynomial of a
// long step may be far less accurate. Ask for accepted times, or bound the step.
type Method int

const (
	Verner8         Method = iota // explicit 8(7), 13 stages, dense output of order 7
	DormandPrince54               // explicit 5(4), 7 stages, dense output of order 4
	RadauIIA5                     // implicit, order 5, L-stable, dense output of order 3
)

var methodNames = [...]string{"verner8", "dp54", "radau5"}

// String returns the name that ParseMethod reads.
func (m Method) String() string {
	if m < 0 || int(m) >= len(methodNames) {
		return fmt.Sprintf("Method(%d)", int(m))
	}
	return methodNames[m]
}

// ParseMethod returns the method called name: verner8, dp54 or radau5.
func ParseMethod(name string) (Method, error) {
	for i, n := range methodNames {
		if n == name {
			return Method(i), nil
		}
	}
	return 0, fmt.Errorf("ode: unknown method %q (known: %v)", name, methodNames)
}

// Defaults of Settings.
const (
	// DefaultRelTol and DefaultAbsTol are the tolerances of evidence in this
	// project: two digits tighter than the 1e-8 to which trajectories are
	// compared, four above the round-off of a thousand steps.
	DefaultRelTol = 1e-10
	DefaultAbsTol = 1e-12
	// DefaultMaxSteps bounds a run-away integration to seconds for the small
	// systems of this project.
	DefaultMaxSteps = 1_000_000
)

// Settings are the options of Solve. The zero value, and nil, mean the
// documented defaults.
type Settings struct {
	// Method is the one-step method; zero is Verner8.
	Method Method

	// The error of a step is measured by the root mean square over components of
	//
	//	e_i / (AbsTol + RelTol max(|y_i(t)|, |y_i(t+h)|))
	//
	// and accepted when at most 1. Zero means DefaultRelTol, DefaultAbsTol; a
	// RelTol below 1e-15 is an error.
	RelTol, AbsTol float64

	InitialStep float64 // |h| to begin with; 0: chosen as in HNW II.4
	MaxStep     float64 // upper bound of |h|; 0: none
	MinStep     float64 // StepSizeError below this |h|; 0: 16 units in the last place of t

	MaxSteps int // accepted and rejected steps; 0: DefaultMaxSteps
	MaxEvals int // evaluations of f, looked at between steps; 0: no limit but MaxSteps

	// Output, if not nil, holds the times to be reported, in the direction of
	// integration and between t0 and t1. Solution.T and Y are then exactly these
	// and At is not available. If nil, every accepted step is kept with its
	// dense output.
	Output []float64

	// Events are located on the dense output; see Event.
	Events []Event

	// Jacobian, for RadauIIA5, writes ∂f_i/∂y_j into jac (n×n). Nil: forward
	// differences.
	Jacobian func(t float64, y []float64, jac *mat.Dense)
}

// Stats counts the work of a solution.
type Stats struct {
	Steps          int // accepted steps
	Rejected       int // rejected steps
	Evals          int // evaluations of f, those for Jacobians included
	Jacobians      int // Jacobian matrices formed (RadauIIA5)
	Factorizations int // LU factorisations, one real and one complex counting as two (RadauIIA5)
	NewtonSteps    int // simplified Newton iterations (RadauIIA5)
}

// Solution is a computed trajectory.
type Solution struct {
	T     []float64   // the accepted times, or Settings.Output as far as reached
	Y     [][]float64 // Y[i] is the state at T[i]
	Stats Stats

	Events []Crossing // in the order of integration

	// EndT and EndY are where the integration stopped: t1, a terminal event, or
	// the last accepted step before an error.
	EndT float64
	EndY []float64

	t0  float64
	seg []segment // dense output; empty when Settings.Output was given
}

// segment is the dense output on [t, t+h]:
// u(θ) = y0 + θ (y1 - y0) + θ (1-θ) Σ_m q_m θ^m.
type segment struct {
	t, h   float64
	y0, y1 []float64
	q      []float64 // m-major
}

func (s *segment) eval(t float64, dst []float64) {
	n := len(s.y0)
	th := (t - s.t) / s.h
	bump := th * (1 - th)
	m := len(s.q)/n - 1
	copy(dst, s.q[m*n:])
	for m--; m >= 0; m-- {
		for i, q := range s.q[m*n : (m+1)*n] {
			dst[i] = q + th*dst[i]
		}
	}
	for i := range dst {
		dst[i] = s.y0[i] + th*(s.y1[i]-s.y0[i]) + bump*dst[i]
	}
}

// At writes the state at time t into dst and returns it; if dst is nil it is
// allocated. At the accepted times it returns Y exactly; between them it is the
// dense output of the method.
//
// At panics if t lies outside the interval from the initial time to EndT, if
// len(dst) is not the dimension, or if Settings.Output was given.
func (s *Solution) At(t float64, dst []float64) []float64 {
	if len(s.T) == 0 || s.seg == nil && len(s.T) > 1 {
		panic("ode: no dense output was kept")
	}
	n := len(s.Y[0])
	if dst == nil {
		dst = make([]float64, n)
	}
	if len(dst) != n {
		panic("ode: dimension mismatch")
	}
	forward := s.EndT >= s.t0
	if !(min(s.t0, s.EndT) <= t && t <= max(s.t0, s.EndT)) {
		panic(fmt.Sprintf("ode: time %g outside the solution [%g, %g]", t, s.t0, s.EndT))
	}
	i := sort.Search(len(s.T), func(i int) bool {
		if forward {
			return s.T[i] >= t
		}
		return s.T[i] <= t
	})
	if s.T[i] == t {
		copy(dst, s.Y[i])
		return dst
	}
	s.seg[i-1].eval(t, dst)
	return dst
}

// stepper is a one-step method at work: the driver owns t, y and the step size.
type stepper interface {
	// start is called once with f(t, y) already in f0.
	start(t float64, y, f0 []float64)
	// try takes a step of size h from (t, y) into ynew and returns the weighted
	// norm of the error estimate, +Inf if a value is not finite, or ok = false
	// if an implicit system was not solved.
	try(t, h float64, y, ynew []float64) (norm float64, ok bool)
	// accept completes the step just tried; it reports false if f(t+h, ynew) is
	// not finite (the driver then rejects the step).
	accept(t, h float64, y, ynew []float64) bool
	// dense writes the vectors q of the segment of the step just accepted.
	dense(t, h float64, y, ynew, q []float64)
	// denseLen is the number of vectors q.
	denseLen() int
	// orders returns the order of the method and of its error estimate.
	orders() (order, estimate int)
}

// Constants of the step-size control, a PI controller (Gustafsson; HW IV.2): with
// k = order of the error estimate + 1 and errors in units of the one aimed at, θ,
//
//	h_new = h (err/θ)^(-piAlpha/k) (err_old/θ)^(piBeta/k),   θ = safety^k
//
// the factor kept in [minScale, maxScale]. The exponents are those of DOPRI5, whose
// β = 0.04 and 1/5 - 0.75 β are here in units of 1/k.
const (
	safety   = 0.9
	piAlpha  = 0.85
	piBeta   = 0.2
	minScale = 0.2
	maxScale = 6
	// errFloor keeps the memory of a (nearly) zero error from freezing the next
	// step: the value of DOPRI5.
	errFloor = 1e-4
	// stretch: a step that would leave less than this fraction of itself is
	// extended to the end.
	stretch = 1.01
	// ulps: the smallest step, in units in the last place of t.
	ulps = 16
	// minRelTol is about five units of round-off.
	minRelTol = 1e-15
)

// integrator is the state of one Solve.
type integrator struct {
	f        RHS
	n        int
	rtol     float64
	atol     float64
	stats    Stats
	maxEvals int
}

func (in *integrator) eval(t float64, y, dydt []float64) {
	in.stats.Evals++
	in.f(t, y, dydt)
}

// norm returns the root mean square of e_i/(atol + rtol max(|y_i|, |z_i|)).
func (in *integrator) norm(e, y, z []float64) float64 {
	var sum float64
	for i, ei := range e {
		r := ei / (in.atol + in.rtol*max(math.Abs(y[i]), math.Abs(z[i])))
		sum += r * r
	}
	return math.Sqrt(sum / float64(len(e)))
}

// firstNonFinite returns the first component that is NaN or infinite, or -1.
func firstNonFinite(y []float64) int {
	for i, v := range y {
		if v-v != 0 {
			return i
		}
	}
	return -1
}

func (st *Settings) validate(n int, t0, t1 float64) error {
	switch {
	case n == 0:
		return fmt.Errorf("ode: empty initial state")
	case t0-t0 != 0 || t1-t1 != 0:
		return fmt.Errorf("ode: time interval [%g, %g] is not finite", t0, t1)
	case st.Method < 0 || int(st.Method) >= len(methodNames):
		return fmt.Errorf("ode: unknown method %d", int(st.Method))
	case st.RelTol != 0 && !(st.RelTol >= minRelTol && st.RelTol < 1):
		return fmt.Errorf("ode: RelTol = %g is not in [%g, 1)", st.RelTol, minRelTol)
	case !(st.AbsTol >= 0) || math.IsInf(st.AbsTol, 1):
		return fmt.Errorf("ode: AbsTol = %g is not a finite number ≥ 0", st.AbsTol)
	case !(st.InitialStep >= 0):
		return fmt.Errorf("ode: InitialStep = %g is negative or NaN", st.InitialStep)
	case !(st.MaxStep >= 0):
		return fmt.Errorf("ode: MaxStep = %g is negative or NaN", st.MaxStep)
	case !(st.MinStep >= 0):
		return fmt.Errorf("ode: MinStep = %g is negative or NaN", st.MinStep)
	case st.MaxSteps < 0 || st.MaxEvals < 0:
		return fmt.Errorf("ode: MaxSteps = %d and MaxEvals = %d must not be negative", st.MaxSteps, st.MaxEvals)
	}
	prev := t0
	for i, t := range st.Output {
		inside := min(t0, t1) <= t && t <= max(t0, t1)
		if !inside || t1 >= t0 && t < prev || t1 < t0 && t > prev {
			return fmt.Errorf("ode: Output[%d] = %g is not between its predecessor and %g", i, t, t1)
		}
		prev = t
	}
	for i := range st.Events {
		if st.Events[i].G == nil {
			return fmt.Errorf("ode: event %d has no function", i)
		}
	}
	return nil
}

// Solve integrates y' = f(t, y), y(t0) = y0 to t1, which may lie on either side
// of t0. A nil settings means all defaults. y0 is not changed.
//
// On a numerical failure (*StepSizeError, *NonFiniteError, *LimitError) or when
// ctx ends (*CancelError) Solve returns the solution up to the last accepted
// step and the error. On a malformed argument it returns a nil solution and an
// error that names the argument.
func Solve(ctx context.Context, f RHS, t0 float64, y0 []float64, t1 float64, settings *Settings) (*Solution, error) {
	var st Settings
	if settings != nil {
		st = *settings
	}
	n := len(y0)
	if err := st.validate(n, t0, t1); err != nil {
		return nil, err
	}
	if st.RelTol == 0 {
		st.RelTol = DefaultRelTol
	}
	if st.AbsTol == 0 {
		st.AbsTol = DefaultAbsTol
	}
	if st.MaxSteps == 0 {
		st.MaxSteps = DefaultMaxSteps
	}
	if st.MaxEvals == 0 {
		st.MaxEvals = math.MaxInt
	}
	in := &integrator{f: f, n: n, rtol: st.RelTol, atol: st.AbsTol, maxEvals: st.MaxEvals}
	var step stepper
	switch st.Method {
	case Verner8:
		step = newExplicit(in, verner8())
	case DormandPrince54:
		step = newExplicit(in, dormandPrince())
	case RadauIIA5:
		step = newRadau(in, st.Jacobian)
	}

	t := t0
	y := append([]float64(nil), y0...)
	sol := &Solution{t0: t0, EndT: t0, EndY: y}
	defer func() { sol.Stats = in.stats }()
	if i := firstNonFinite(y); i >= 0 {
		return sol, &NonFiniteError{T: t0, What: "state", Component: i}
	}
	out := 0 // outputs written
	if st.Output == nil {
		sol.keep(t, y)
	} else {
		for out < len(st.Output) && st.Output[out] == t0 {
			sol.keep(t0, append([]float64(nil), y...))
			out++
		}
	}
	if t1 == t0 {
		return sol, nil
	}
	if err := ctx.Err(); err != nil {
		return sol, &CancelError{T: t, Err: err}
	}
	ev, err := newEventFinder(st.Events, t0, y)
	if err != nil {
		return sol, err
	}

	f0 := make([]float64, n)
	in.eval(t, y, f0)
	if i := firstNonFinite(f0); i >= 0 {
		return sol, &NonFiniteError{T: t0, What: "right-hand side", Component: i}
	}
	step.start(t, y, f0)
	_, estimate := step.orders()
	k := float64(estimate + 1)
	steady := math.Pow(safety, piAlpha-piBeta) // θ^((piAlpha-piBeta)/k)
	dir := math.Copysign(1, t1-t0)
	span := math.Abs(t1 - t0)
	hmax := span
	if st.MaxStep > 0 {
		hmax = min(hmax, st.MaxStep)
	}
	h := st.InitialStep
	if h == 0 {
		h = in.initialStep(t, y, f0, dir, estimate)
	}
	h = min(h, hmax)

	ynew := make([]float64, n)
	var q []float64 // of the dense output; kept by the solution if st.Output is nil
	errOld := errFloor
	rejected := false // the step before this one was rejected
	for {
		if err := ctx.Err(); err != nil {
			return sol, &CancelError{T: t, Err: err}
		}
		if in.stats.Steps+in.stats.Rejected >= st.MaxSteps {
			return sol, &LimitError{T: t, What: "steps", Limit: st.MaxSteps}
		}
		if in.stats.Evals >= st.MaxEvals {
			return sol, &LimitError{T: t, What: "evaluations", Limit: st.MaxEvals}
		}
		left := math.Abs(t1 - t)
		last := left <= stretch*h
		if last {
			h = left
		}
		hd := h * dir
		norm, ok := step.try(t, hd, y, ynew)
		finite := norm-norm == 0
		accepted := ok && finite && norm <= 1
		if accepted && !step.accept(t, hd, y, ynew) {
			accepted, finite = false, false
		}
		if !accepted {
			in.stats.Rejected++
			rejected = true
			switch {
			case !ok:
				h *= 0.5
			case !finite:
				h *= 0.1
			default:
				h *= max(minScale, safety*math.Pow(norm, -1/k))
			}
			if h < max(st.MinStep, ulps*ulp(t)) {
				if ok && !finite {
					return sol, in.nonFinite(t, y, ynew)
				}
				return sol, &StepSizeError{T: t, H: hd}
			}
			continue
		}
		in.stats.Steps++
		tn := t + hd
		if last {
			tn = t1
		}

		wantDense := st.Output == nil || ev != nil || out < len(st.Output) && between(t, st.Output[out], tn)
		var sg segment
		if wantDense {
			if st.Output == nil || q == nil {
				q = make([]float64, step.denseLen()*n)
			}
			clear(q)
			sg = segment{t: t, h: hd, y0: y, y1: ynew, q: q}
			step.dense(t, hd, y, ynew, sg.q)
		}
		stop := false
		if ev != nil {
			found, err := ev.scan(&sg, tn)
			for _, c := range found {
				sol.Events = append(sol.Events, c)
				if st.Events[c.Event].Terminal {
					stop, tn, ynew = true, c.T, c.Y
					break
				}
			}
			if err != nil && !stop {
				return sol, err
			}
		}
		for out < len(st.Output) && between(t, st.Output[out], tn) {
			u := make([]float64, n)
			if to := st.Output[out]; to == tn {
				copy(u, ynew)
			} else {
				sg.eval(to, u)
			}
			sol.keep(st.Output[out], u)
			out++
		}
		if st.Output == nil {
			sol.keep(tn, ynew)
			sol.seg = append(sol.seg, sg)
		}
		sol.EndT, sol.EndY = tn, ynew
		if stop || last {
			return sol, nil
		}

		scale := steady * math.Pow(norm, -piAlpha/k) * math.Pow(errOld, piBeta/k)
		scale = min(maxScale, max(minScale, scale))
		if rejected {
			scale = min(scale, 1)
		}
		errOld = max(norm, errFloor)
		rejected = false
		h = min(h*scale, hmax)
		t = tn
		y, ynew = ynew, y
		if st.Output == nil {
			ynew = make([]float64, n)
		}
	}
}

// between reports whether t < x ≤ tn in the direction from t to tn.
func between(t, x, tn float64) bool {
	if tn >= t {
		return t < x && x <= tn
	}
	return tn <= x && x < t
}

func (s *Solution) keep(t float64, y []float64) {
	s.T = append(s.T, t)
	s.Y = append(s.Y, y)
}

// nonFinite names what was not finite in the smallest step that was tried.
func (in *integrator) nonFinite(t float64, y, ynew []float64) error {
	if i := firstNonFinite(ynew); i >= 0 {
		return &NonFiniteError{T: t, What: "state", Component: i}
	}
	f := make([]float64, in.n)
	in.eval(t, ynew, f)
	return &NonFiniteError{T: t, What: "right-hand side", Component: max(0, firstNonFinite(f))}
}

// initialStep is the algorithm of HNW II.4: a first step small in an explicit
// Euler step's sense and in that of the second derivative.
func (in *integrator) initialStep(t float64, y, f0 []float64, dir float64, estimate int) float64 {
	d0, d1 := in.norm(y, y, y), in.norm(f0, y, y)
	h := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h = 0.01 * d0 / d1
	}
	y1, f1 := make([]float64, in.n), make([]float64, in.n)
	for i := range y {
		y1[i] = y[i] + dir*h*f0[i]
	}
	in.eval(t+dir*h, y1, f1)
	for i := range f1 {
		f1[i] -= f0[i]
	}
	d2 := in.norm(f1, y, y) / h
	h1 := max(1e-6, 1e-3*h)
	if m := max(d1, d2); m > 1e-15 {
		h1 = math.Pow(0.01/m, 1/float64(estimate+1))
	}
	h1 = min(100*h, h1)
	if !(h1 > 0) {
		return h
	}
	return h1
}

// ulp returns the distance from |t| to the next larger float64.
func ulp(t float64) float64 {
	t = math.Abs(t)
	return math.Nextafter(t, math.Inf(1)) - t
}
