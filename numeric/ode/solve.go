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
// speaks of the ends of steps only: between them the collocation polynomial of a
// long step may be far less accurate. Times of Settings.Output are therefore made
// ends of steps, and where the dense output is needed, without Output or for events,
// steps are also held to its own error.
type Method int

const (
	// Auto begins with Verner8 and goes over to RadauIIA5, once, where the problem
	// is found to be stiff; Solution.Switches says when.
	Auto            Method = iota
	Verner8                // explicit 8(7), 13 stages, dense output of order 7
	DormandPrince54        // explicit 5(4), 7 stages, dense output of order 4
	RadauIIA5              // implicit, order 5, L-stable, dense output of order 3
)

var methodNames = [...]string{"auto", "verner8", "dp54", "radau5"}

// String returns the name that ParseMethod reads.
func (m Method) String() string {
	if m < 0 || int(m) >= len(methodNames) {
		return fmt.Sprintf("Method(%d)", int(m))
	}
	return methodNames[m]
}

// ParseMethod returns the method called name: auto, verner8, dp54 or radau5.
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
	// systems of this project. The longest run that is worth its time, RadauIIA5
	// following a decay through all of float64 at the default tolerances, takes a
	// third of it.
	DefaultMaxSteps = 250_000
)

// Settings are the options of Solve. The zero value, and nil, mean the
// documented defaults.
type Settings struct {
	// Method is the one-step method; zero is Auto.
	Method Method

	// The error of a step is measured by the root mean square over components of
	//
	//	e_i / (A_i + RelTol max(|y_i(t)|, |y_i(t+h)|))
	//
	// and accepted when at most 1. A_i is AbsTol where Blocks is nil and
	//
	//	A_i = AbsTol min(1, ‖y_b‖),   ‖y_b‖ = max |y_j| over the block b of i
	//
	// where it is not: what decays keeps its digits, down to Smallest. Zero means
	// DefaultRelTol, DefaultAbsTol; a RelTol below 1e-15 is an error.
	RelTol, AbsTol float64

	// Blocks are the lengths of consecutive parts of y, each of one physical size;
	// they must add up to the dimension. Nil with a zero AbsTol means one block, nil
	// with another AbsTol none: the tolerance is then absolute. Where rounding
	// errors of f prevent a relative tolerance from being met, it becomes absolute
	// for the rest of the solution, and Solution.Losses says so.
	Blocks []int

	InitialStep float64 // |h| to begin with; 0: chosen as in HNW II.4
	MaxStep     float64 // upper bound of |h|; 0: none
	// MinStep: StepSizeError below this |h|; 0: 16 units in the last place of the
	// time since t0. See StepSizeError for steps that t itself cannot resolve.
	MinStep float64

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
	Doubts []Doubt    // where events may have been missed, in the order of integration

	Switches []Switch // changes of method (Auto)
	Losses   []Loss   // where numbers end (Settings.Blocks)

	// EndT and EndY are where the integration stopped: t1, a terminal event, or
	// the last accepted step before an error.
	EndT float64
	EndY []float64

	t0  float64
	lo  []float64 // T[i] + lo[i] is the exact time of an accepted step
	seg []segment // dense output; empty when Settings.Output was given
}

// Switch is a change of method.
type Switch struct {
	T        float64
	From, To Method
}

// Loss says that from time T on the components of a block (its index in
// Settings.Blocks) are known no better than to ±Below, however small they are: their
// digits below it are noise.
type Loss struct {
	T     float64
	Block int
	Below float64
}

// Smallest is where numbers end: a block that has decayed below it is no longer
// resolved relative to its size, since its errors would be subnormal.
const Smallest = 1e-290

// segment is the dense output on [t, t+h]:
// u(θ) = y0 + θ (y1 - y0) + θ (1-θ) Σ_m q_m θ^m.
type segment struct {
	t      clock
	h      float64
	y0, y1 []float64
	q      []float64 // m-major
}

// theta returns the place of time t in the segment.
func (s *segment) theta(t float64) float64 { return s.t.until(t) / s.h }

func (s *segment) eval(t float64, dst []float64) { s.evalTheta(s.theta(t), dst) }

func (s *segment) evalTheta(th float64, dst []float64) {
	n := len(s.y0)
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
// dense output of the method. Where steps are shorter than the distance between
// float64 numbers near t, several T are equal, and At speaks of the number t itself.
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
		left := clock{s.T[i], s.lo[i]}.until(t)
		return left == 0 || (left < 0) == forward
	})
	// The last accepted time may lie within half a unit of EndT on either side.
	i = min(i, len(s.T)-1)
	if i == 0 || s.T[i] == t && s.lo[i] == 0 {
		copy(dst, s.Y[i])
		return dst
	}
	s.seg[i-1].eval(t, dst)
	return dst
}

// stepper is a one-step method at work: the driver owns t, y and the step size.
type stepper interface {
	// start is called once with f(t, y) already in f0.
	start(t clock, y, f0 []float64)
	// try takes a step of size h from (t, y) into ynew and returns the weighted
	// norm of the error estimate, +Inf if a value is not finite (it is then named in
	// the integrator), or ok = false if an implicit system was not solved.
	try(t clock, h float64, y, ynew []float64) (norm float64, ok bool)
	// accept completes the step just tried; it reports false if f(t+h, ynew) is
	// not finite (the driver then rejects the step).
	accept(t clock, h float64, y, ynew []float64) bool
	// dense writes the vectors q of the segment of the step just accepted; it
	// reports false if f is not finite inside the step, which is then not accepted.
	dense(t clock, h float64, y, ynew, q []float64) bool
	// denseLen is the number of vectors q.
	denseLen() int
	// orders returns the order of the method and of its error estimate.
	orders() (order, estimate int)
	// slope returns f(t, y) of the present step, estimate its error estimate.
	slope() []float64
	estimate() []float64
	// isStiff reports that the accepted steps are bounded by stability.
	isStiff() bool
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
	// minRelTol is about five units of round-off.
	minRelTol = 1e-15
	// stiffRelTol is the smallest tolerance at which Auto takes an implicit method,
	// whose systems are not solved more accurately, and stiffDim the largest
	// dimension, at which its matrices take a tenth of a gigabyte.
	stiffRelTol = 1e-13
	stiffDim    = 1000
)

func (st *Settings) validate(n int, t0, t1 float64) error {
	switch {
	case n == 0:
		return fmt.Errorf("ode: empty initial state")
	case t0-t0 != 0 || t1-t1 != 0:
		return fmt.Errorf("ode: time interval [%g, %g] is not finite", t0, t1)
	case math.IsInf(t1-t0, 0):
		return fmt.Errorf("ode: time interval [%g, %g] is longer than the largest float64", t0, t1)
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
	if st.Blocks != nil {
		sum := 0
		for i, k := range st.Blocks {
			if k < 1 || k > n {
				return fmt.Errorf("ode: Blocks[%d] = %d is not in 1 … %d", i, k, n)
			}
			sum += k
		}
		if sum != n {
			return fmt.Errorf("ode: Blocks add up to %d, not to the dimension %d", sum, n)
		}
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

// fill puts the defaults in.
func (st *Settings) fill(n int) {
	if st.Blocks == nil && st.AbsTol == 0 {
		st.Blocks = []int{n}
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
	st.fill(n)
	in := &integrator{
		f: f, n: n, rtol: st.RelTol, atol: st.AbsTol, maxEvals: st.MaxEvals,
		end: t1, dir: math.Copysign(1, t1-t0),
	}
	from := 0
	for _, k := range st.Blocks {
		in.blocks = append(in.blocks, scaled{from: from, to: from + k})
		from += k
	}
	d := &driver{st: &st, in: in, ctx: ctx, t: clock{hi: t0}, t1: t1}
	d.y = append([]float64(nil), y0...)
	d.sol = &Solution{t0: t0, EndT: t0, EndY: d.y}
	err := d.run()
	d.sol.Stats = in.stats
	return d.sol, err
}

// driver is one Solve.
type driver struct {
	st   *Settings
	in   *integrator
	ctx  context.Context
	step stepper
	ev   *eventFinder
	sol  *Solution

	t    clock
	y    []float64
	t1   float64
	out  int // outputs written
	blur float64
	// blurred: blur was taken at the present t.
	blurred bool
}

// method starts the method m at the present (t, y), where f is f0.
func (d *driver) method(m Method, f0 []float64) {
	switch m {
	case Auto, Verner8:
		d.step = newExplicit(d.in, verner8())
	case DormandPrince54:
		d.step = newExplicit(d.in, dormandPrince())
	case RadauIIA5:
		d.step = newRadau(d.in, d.st.Jacobian)
	}
	d.step.start(d.t, d.y, f0)
}

// target returns the time that the next step must not pass: the end or, for a method
// whose dense output is far below its order, the next output.
func (d *driver) target() float64 {
	if _, implicit := d.step.(*radau); implicit && d.out < len(d.st.Output) {
		return d.st.Output[d.out]
	}
	return d.t1
}

// run integrates.
func (d *driver) run() error {
	st, in, sol := d.st, d.in, d.sol
	t0 := d.t.hi
	if i := firstNonFinite(d.y); i >= 0 {
		return &NonFiniteError{T: t0, What: "state", Component: i}
	}
	if st.Output == nil {
		sol.keep(d.t, d.y)
	} else {
		for d.out < len(st.Output) && st.Output[d.out] == t0 {
			sol.keep(d.t, append([]float64(nil), d.y...))
			d.out++
		}
	}
	if d.t1 == t0 {
		return nil
	}
	if err := d.ctx.Err(); err != nil {
		return &CancelError{T: t0, Err: err}
	}
	var err error
	if d.ev, err = newEventFinder(sol, st, t0, d.y); err != nil {
		return err
	}
	f0 := make([]float64, in.n)
	in.eval(t0, d.y, f0)
	if i := firstNonFinite(f0); i >= 0 {
		return &NonFiniteError{T: t0, What: "right-hand side", Component: i}
	}
	d.method(st.Method, f0)
	_, estimate := d.step.orders()
	k := float64(estimate + 1)
	hmax := math.Abs(d.t1 - t0)
	if st.MaxStep > 0 {
		hmax = min(hmax, st.MaxStep)
	}
	h := st.InitialStep
	if h == 0 {
		h = in.initialStep(d.t, d.y, f0, estimate, hmax)
	}
	h = min(max(h, d.shortest()), hmax)

	ynew := make([]float64, in.n)
	errOld := errFloor
	rejected := false // the step before this one was rejected
	var rough noise
	d.losses()
	for {
		if err := d.ctx.Err(); err != nil {
			return &CancelError{T: d.t.hi, Err: err}
		}
		if in.stats.Steps+in.stats.Rejected >= st.MaxSteps {
			return &LimitError{T: d.t.hi, What: "steps", Limit: st.MaxSteps}
		}
		if in.stats.Evals >= st.MaxEvals {
			return &LimitError{T: d.t.hi, What: "evaluations", Limit: st.MaxEvals}
		}
		wanted := h
		tn, hd, reached, err := d.next(h)
		if err != nil {
			return err
		}
		in.bad = badness{}
		norm, ok := d.step.try(d.t, hd, d.y, ynew)
		clockNorm := 0.0
		if ok && math.Abs(hd) < coarse*ulp(d.t.hi) {
			if !d.blurred {
				d.blur, d.blurred = in.blur(d.t, d.y, d.step.slope()), true
				in.weigh(d.y, ynew, nil)
			}
			clockNorm = d.blur / 2 * math.Abs(hd)
		}
		finite := norm-norm == 0
		if ok && finite && in.blocks != nil && rough.seen(math.Abs(hd), norm, k) && norm > 1 {
			for _, b := range in.yield(d.step.estimate(), d.y, ynew) {
				sol.Losses = append(sol.Losses, Loss{T: d.t.hi, Block: b, Below: st.AbsTol})
				norm, rough = in.norm(d.step.estimate(), d.y, ynew), noise{}
			}
		}
		if implicit, is := d.step.(*radau); is && ok && norm <= 1 && (st.Output == nil || d.ev != nil) {
			norm = max(norm, implicit.inside(hd, d.y, ynew))
			finite = norm-norm == 0
		}
		accepted := ok && finite && norm <= 1 && clockNorm <= 1
		if accepted && !d.step.accept(d.t, hd, d.y, ynew) {
			accepted, finite = false, false
		}
		var sg segment
		if accepted && d.wantsDense(tn) {
			sg = segment{t: d.t, h: hd, y0: d.y, y1: ynew, q: make([]float64, d.step.denseLen()*in.n)}
			if !d.step.dense(d.t, hd, d.y, ynew, sg.q) {
				accepted, finite = false, false
			}
		}
		if !accepted {
			in.stats.Rejected++
			rejected = true
			h = math.Abs(hd)
			switch {
			case !ok:
				h *= 0.5
			case !finite:
				h *= 0.1
			case norm <= 1:
				h *= max(minScale, safety/clockNorm)
			default:
				h *= max(minScale, safety*math.Pow(norm, -1/k))
			}
			if h < max(st.MinStep, d.shortest()) {
				if in.bad.what != "" && !finite {
					return &NonFiniteError{T: in.bad.t, What: in.bad.what, Component: in.bad.component}
				}
				return &StepSizeError{T: d.t.hi, H: hd, Component: in.worst(d.step.estimate(), d.y, ynew)}
			}
			continue
		}
		in.stats.Steps++
		stop := false
		if d.ev != nil {
			if tn, ynew, stop, err = d.events(&sg, tn, ynew); err != nil {
				return err
			}
		}
		d.keep(&sg, tn, ynew)
		if stop || reached && tn.hi == d.t1 && tn.lo == 0 {
			return nil
		}

		// θ^((piAlpha-piBeta)/k) is the same power of safety for every k.
		scale := math.Pow(safety, piAlpha-piBeta) * math.Pow(norm, -piAlpha/k) * math.Pow(errOld, piBeta/k)
		scale = min(maxScale, max(minScale, scale))
		if rejected {
			scale = min(scale, 1)
		}
		if clockNorm > 0 {
			scale = min(scale, max(minScale, safety/clockNorm))
		}
		errOld = max(norm, errFloor)
		h = math.Abs(hd) * scale
		if reached && !rejected {
			h = max(h, wanted) // the step was cut to end at an output
		}
		rejected = false
		h = min(h, hmax)
		d.t, d.blurred = tn, false
		d.y, ynew = ynew, d.y
		if st.Output == nil {
			ynew = make([]float64, in.n)
		}
		d.losses()
		if st.Method == Auto && d.step.isStiff() && st.RelTol >= stiffRelTol && in.n <= stiffDim {
			f0 = append(f0[:0], d.step.slope()...)
			d.method(RadauIIA5, f0)
			_, estimate = d.step.orders()
			k, errOld, rough = float64(estimate+1), errFloor, noise{}
			sol.Switches = append(sol.Switches, Switch{T: d.t.hi, From: Verner8, To: RadauIIA5})
		}
	}
}

// shortest returns the smallest step: what the time since the start resolves.
func (d *driver) shortest() float64 { return ulps * ulp(d.t.until(d.sol.t0)) }

// next returns the end of a step of length h from d.t, the step as the clock really
// moves, and whether it reaches the target. A step that the clock cannot resolve is an
// error unless f does not depend on the time.
func (d *driver) next(h float64) (tn clock, hd float64, reached bool, err error) {
	target := d.target()
	left := d.t.until(target)
	if math.Abs(left) <= stretch*h {
		tn, hd, reached = clock{hi: target}, left, true
	} else {
		tn = clock{hi: d.t.after(h * d.in.dir)}
		hd = d.t.until(tn.hi)
	}
	if math.Abs(hd) >= ulps*max(ulp(d.t.hi), ulp(tn.hi)) {
		return tn, hd, reached, nil
	}
	// The rounding of the times of stages is as large as the step. It does nothing if
	// the solution does not feel a unit of t over the whole rest of the integration.
	if !d.blurred {
		d.blur, d.blurred = d.in.blur(d.t, d.y, d.step.slope()), true
	}
	if d.blur/2*math.Abs(d.t.until(d.t1)) > 1 {
		return tn, hd, reached, &StepSizeError{
			T: d.t.hi, H: h * d.in.dir, Clock: true, Component: d.in.worst(d.in.blurF, d.y, d.y),
		}
	}
	if !reached {
		hd = h * d.in.dir
		tn = d.t.plus(hd)
	}
	return tn, hd, reached, nil
}

// wantsDense reports whether the dense output of a step to tn is needed.
func (d *driver) wantsDense(tn clock) bool {
	return d.st.Output == nil || d.ev != nil || d.out < len(d.st.Output) && d.st.Output[d.out] != tn.hi && d.passes(d.st.Output[d.out], tn)
}

// passes reports whether a step to tn reaches the time t.
func (d *driver) passes(t float64, tn clock) bool { return tn.until(t)*d.in.dir <= 0 }

// events notes the events of a step and returns its end, moved to a terminal event.
func (d *driver) events(sg *segment, tn clock, ynew []float64) (clock, []float64, bool, error) {
	found, err := d.ev.scan(sg, tn)
	for _, c := range found {
		d.sol.Events = append(d.sol.Events, c)
		if d.st.Events[c.Event].Terminal {
			return clock{hi: c.T}, c.Y, true, nil
		}
	}
	return tn, ynew, false, err
}

// keep writes the accepted step into the solution.
func (d *driver) keep(sg *segment, tn clock, ynew []float64) {
	for d.out < len(d.st.Output) && d.passes(d.st.Output[d.out], tn) {
		to := d.st.Output[d.out]
		u := make([]float64, d.in.n)
		if tn.until(to) == 0 {
			copy(u, ynew)
		} else {
			sg.eval(to, u)
		}
		d.sol.keep(clock{hi: to}, u)
		d.out++
	}
	if d.st.Output == nil {
		d.sol.keep(tn, ynew)
		d.sol.seg = append(d.sol.seg, *sg)
	}
	d.sol.EndT, d.sol.EndY = tn.hi, ynew
}

func (s *Solution) keep(t clock, y []float64) {
	s.T = append(s.T, t.hi)
	s.lo = append(s.lo, t.lo)
	s.Y = append(s.Y, y)
}

// losses notes the blocks that have decayed to where numbers end.
func (d *driver) losses() {
	for b := range d.in.blocks {
		s := &d.in.blocks[b]
		if s.lost || s.absolute {
			continue
		}
		most := 0.0
		for i := s.from; i < s.to; i++ {
			most = max(most, math.Abs(d.y[i]))
		}
		if s.lost = most < Smallest && (s.seen || most > 0); s.lost {
			d.sol.Losses = append(d.sol.Losses, Loss{T: d.t.hi, Block: b, Below: Smallest})
		}
		s.seen = s.seen || most >= Smallest
	}
}
