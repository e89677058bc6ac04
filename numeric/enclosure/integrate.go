package enclosure

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"stopgrad/numeric/interval"
)

// ErrNotEnclosed is wrapped by the error of an integration that could not
// enclose the solutions up to the final time. It does not say that there are
// none: the initial set may be too wide, or the settings too narrow.
var ErrNotEnclosed = errors.New("enclosure: could not enclose the solution")

// NotEnclosedError is the error of an integration that ended early.
type NotEnclosedError struct {
	// Reached is the time up to which Tube encloses every solution.
	Reached *big.Rat
	// Reason says what failed in the step that follows.
	Reason string
	// Parts is the number of parts into which the initial set was cut, in vain.
	Parts int
	// Tube covers the time up to Reached.
	Tube *Tube
}

// Error returns one line with the time reached and the reason.
func (e *NotEnclosedError) Error() string {
	t, _ := e.Reached.Float64()
	parts := ""
	if e.Parts > 1 {
		parts = fmt.Sprintf(" (nor in %d parts)", e.Parts)
	}
	return fmt.Sprintf("%v: stopped at t = %.6g: %s%s", ErrNotEnclosed, t, e.Reason, parts)
}

// Unwrap returns ErrNotEnclosed.
func (e *NotEnclosedError) Unwrap() error { return ErrNotEnclosed }

// Settings tunes an integration; the zero value, and nil, mean the defaults.
// No setting affects the truth of a result, only its width and cost.
type Settings struct {
	// Order is the number of Taylor terms; 0 means 20. It must be at least 2.
	Order int
	// Tolerance is the remainder of the Taylor series that a step aims at,
	// relative to the size of the state; 0 means 2⁻⁵⁸, below the rounding of the
	// other terms.
	Tolerance float64
	// Share is how much of a set's width a step may add by its length, or by the remainder of its series; 0 means 2⁻⁸.
	Share float64
	// MaxStep limits the step; 0 means no limit.
	MaxStep float64
	// MinStep is the step below which an integration gives up; 0 means 2⁻³⁰ of
	// the time span.
	MinStep float64
	// MaxSteps limits the number of steps, of each part of the initial set; 0 means
	// 100 000.
	MaxSteps int
	// MaxParts limits the number of parts into which an initial set is cut that is too
	// wide to be carried to the final time; 0 means 64, 1 no cutting.
	MaxParts int
}

// resolve returns the settings with defaults filled in for a time span.
func (s *Settings) resolve(span float64) (Settings, error) {
	var out Settings
	if s != nil {
		out = *s
	}
	if out.Order == 0 {
		out.Order = 20
	}
	if out.Tolerance == 0 {
		out.Tolerance = 0x1p-58
	}
	if out.Share == 0 {
		out.Share = 0x1p-8
	}
	if out.MaxStep == 0 {
		out.MaxStep = math.Inf(1)
	}
	if out.MinStep == 0 {
		out.MinStep = math.Min(math.Max(span*0x1p-30, math.SmallestNonzeroFloat64), out.MaxStep)
	}
	if out.MaxSteps == 0 {
		out.MaxSteps = 100_000
	}
	if out.MaxParts == 0 {
		out.MaxParts = 64
	}
	switch {
	case math.IsInf(span, 0):
		return out, errors.New("enclosure: the time span is longer than the largest float64")
	case out.Order < 2 || out.Order > 200:
		return out, fmt.Errorf("enclosure: order %d is not in 2 … 200", out.Order)
	case !(out.Tolerance > 0) || !(out.Share > 0) || math.IsInf(out.Share, 0) || !(out.MaxStep > 0) || !(out.MinStep > 0) || math.IsInf(out.MinStep, 0) ||
		math.IsInf(out.Tolerance, 0) || out.MaxSteps < 0 || out.MaxParts < 0:
		return out, errors.New("enclosure: a setting is negative, NaN or infinite")
	case out.MinStep > out.MaxStep:
		return out, fmt.Errorf("enclosure: MinStep %g is above MaxStep %g", out.MinStep, out.MaxStep)
	}
	return out, nil
}

// rules are the places where the soundness of a step is decided. They are
// fields so that the tests can break them one by one and see that they notice.
type rules struct {
	// remainder returns an enclosure of the Taylor remainder h^K·c_K(B) of one
	// component.
	remainder func(hK, cK interval.Interval) interval.Interval
	// inside decides whether a rough enclosure is proved: the remainder over
	// [0, h] lies in the interior of the one assumed.
	inside func(got, assumed interval.Interval) bool
	// derivativeBox returns the box on which the derivative of the step is
	// enclosed, given the box of the set and its centre.
	derivativeBox func(box, centre []interval.Interval) []interval.Interval
	// halves cuts the range of a variable at its midpoint; the two cover it.
	halves func(x interval.Interval) (lower, upper interval.Interval)
}

var soundRules = rules{
	remainder:     func(hK, cK interval.Interval) interval.Interval { return hK.Mul(cK) },
	inside:        func(got, assumed interval.Interval) bool { return !got.IsEmpty() && got.Interior(assumed) },
	derivativeBox: func(box, _ []interval.Interval) []interval.Interval { return box },
	halves:        halves,
}

// halves returns two intervals that share the midpoint of x and cover it.
func halves(x interval.Interval) (lower, upper interval.Interval) {
	m := interval.Point(x.Mid())
	return m.Hull(interval.Point(x.Lo())), m.Hull(interval.Point(x.Hi()))
}

// Integrate encloses all solutions of x' = f(x) over [t0, t1] that start in the
// box x0 at t0, for all values of the parameters. The result holds without any
// assumption: that the solutions exist up to t1 is part of it. A time variable,
// if f needs one, is a state with derivative 1.
//
// Initial boxes and parameters may be wide, but the width then grows with every
// nonlinear term. A box that cannot be carried to t1 is cut in halves, across the
// direction that has grown most, as long as the halves get further; the tube is then
// that of all parts.
//
// If the solutions cannot be enclosed up to t1 the error is a *NotEnclosedError,
// wrapping ErrNotEnclosed, and the tube is nil. It panics if x0 has the wrong
// length; an empty or unbounded x0, t1 < t0, a span beyond float64, a variable
// without a right-hand side and bad settings are errors.
func Integrate(sys *System, x0 []interval.Interval, t0, t1 *big.Rat, settings *Settings) (*Tube, error) {
	return integrate(sys, x0, t0, t1, settings, soundRules)
}

func integrate(sys *System, x0 []interval.Interval, t0, t1 *big.Rat, settings *Settings, rule rules) (*Tube, error) {
	if len(x0) != sys.Dim() {
		panic(fmt.Sprintf("enclosure: %d initial values for %d variables", len(x0), sys.Dim()))
	}
	for i, x := range x0 {
		if !x.IsBounded() {
			return nil, fmt.Errorf("enclosure: initial value of %s is %v", sys.names[i], x)
		}
	}
	if t1.Cmp(t0) < 0 {
		return nil, fmt.Errorf("enclosure: final time %s before initial time %s", t1.RatString(), t0.RatString())
	}
	p, err := compile(sys)
	if err != nil {
		return nil, err
	}
	span, _ := new(big.Rat).Sub(t1, t0).Float64()
	set, err := settings.resolve(span)
	if err != nil {
		return nil, err
	}
	if err := p.fits(set.Order); err != nil {
		return nil, err
	}
	run := &run{sys: sys, p: p, set: set, rule: rule, t0: t0, t1: t1, left: set.MaxParts - 1}
	start := append(append([]interval.Interval(nil), x0...), p.initial...)
	whole, cut, failed := run.carry(start)
	if failed == nil {
		return whole, nil
	}
	parts, err := run.halves(start, cut, failed, 0)
	if err != nil {
		failed.Parts = set.MaxParts - run.left
		return nil, failed
	}
	parts = run.refine(parts)
	tube := &Tube{sys: sys, order: set.Order, t0: new(big.Rat).Set(t0), t1: new(big.Rat).Set(t1), parts: parts}
	tube.end = append([]interval.Interval(nil), parts[0].end...)
	for _, q := range parts[1:] {
		for i := range tube.end {
			tube.end[i] = tube.end[i].Hull(q.end[i])
		}
	}
	return tube, nil
}

// run is one call of Integrate.
type run struct {
	sys    *System
	p      *program
	set    Settings
	rule   rules
	t0, t1 *big.Rat
	left   int // cuts left
}

// carry integrates one box of states and parameters. With a failure it returns the
// variable across which the box is best cut: the one whose width has become the
// largest part of the set's.
func (r *run) carry(start []interval.Interval) (*Tube, int, *NotEnclosedError) {
	g := newIntegrator(r.p, r.set, r.rule, start)
	tube := &Tube{sys: r.sys, order: r.set.Order, t0: new(big.Rat).Set(r.t0), end: start}
	now := new(big.Rat).Set(r.t0)
	fail := func(reason string) (*Tube, int, *NotEnclosedError) {
		tube.t1 = now
		return nil, g.state.widest(), &NotEnclosedError{Reached: now, Reason: reason, Tube: tube}
	}
	for now.Cmp(r.t1) < 0 {
		if len(tube.steps) >= r.set.MaxSteps {
			return fail(fmt.Sprintf("%d steps taken", r.set.MaxSteps))
		}
		left := new(big.Rat).Sub(r.t1, now)
		taken, err := g.step(left)
		if err != nil {
			return fail(err.Error())
		}
		taken.from = new(big.Rat).Set(now)
		tube.steps = append(tube.steps, taken)
		now = new(big.Rat).Add(now, taken.length)
		tube.end = g.state.box()
	}
	tube.t1 = now
	tube.widest, tube.excess = g.state.widest(), g.state.excess()
	return tube, 0, nil
}

// gain is the part of the time left that a half must get further than the whole, and
// patience the number of cuts in a row that may not: a solution that does not exist up
// to t1 is not chased.
const (
	gain     = 1.0 / 512
	patience = 3
)

// halves integrates a box that failed as a whole, cut across the given variable, and
// returns the tubes of all parts; stalled counts the cuts in a row without gain.
func (r *run) halves(start []interval.Interval, cut int, failed *NotEnclosedError, stalled int) ([]*Tube, error) {
	x := start[cut]
	m := x.Mid()
	if r.left <= 0 || x.IsTight() || !(x.Lo() < m && m < x.Hi()) {
		return nil, failed
	}
	r.left--
	var tubes []*Tube
	lower, upper := r.rule.halves(x)
	for _, half := range []interval.Interval{lower, upper} {
		box := append([]interval.Interval(nil), start...)
		box[cut] = half
		tube, next, err := r.carry(box)
		if err == nil {
			tubes = append(tubes, tube)
			continue
		}
		further, _ := new(big.Rat).Sub(err.Reached, failed.Reached).Float64()
		left, _ := new(big.Rat).Sub(r.t1, failed.Reached).Float64()
		now := 0
		if !(further > gain*left) {
			if now = stalled + 1; now > patience {
				return nil, failed
			}
		}
		more, deeper := r.halves(box, next, err, now)
		if deeper != nil {
			return nil, deeper
		}
		tubes = append(tubes, more...)
	}
	return tubes, nil
}

// tolerated is the excess (see zonotope.excess) above which a part is cut again.
const tolerated = 0.25

// refine cuts the parts that have grown beyond the image of their initial set, the
// worst first, while cuts are left. A whole that failed leaves parts that barely do not.
func (r *run) refine(parts []*Tube) []*Tube {
	for r.left > 0 {
		worst := 0
		for k, q := range parts {
			if q.excess > parts[worst].excess {
				worst = k
			}
		}
		q := parts[worst]
		if !(q.excess > tolerated) {
			return parts
		}
		r.left--
		x := q.initial()[q.widest]
		if x.IsTight() {
			q.excess = 0 // nothing to cut
			continue
		}
		lower, upper := r.rule.halves(x)
		var tubes []*Tube
		for _, half := range []interval.Interval{lower, upper} {
			box := append([]interval.Interval(nil), q.initial()...)
			box[q.widest] = half
			if tube, _, err := r.carry(box); err == nil {
				tubes = append(tubes, tube)
			}
		}
		if len(tubes) < 2 {
			q.excess = 0 // by chance; it stays as it is
			continue
		}
		parts = append(append(append([]*Tube(nil), parts[:worst]...), tubes...), parts[worst+1:]...)
	}
	return parts
}

// integrator advances a set step by step.
type integrator struct {
	p    *program
	set  Settings
	rule rules
	// Taylor coefficients with derivatives over the box of the set, through its
	// centre, and over rough enclosures.
	jac, point, rough *taylor
	state             *zonotope
	// last is the step just taken, 0 at the start.
	last float64
}

func newIntegrator(p *program, set Settings, rule rules, start []interval.Interval) *integrator {
	return &integrator{
		p: p, set: set, rule: rule,
		jac:   newTaylor(p, set.Order-1, true),
		point: newTaylor(p, set.Order, false),
		rough: newTaylor(p, set.Order, false),
		state: newZonotope(start),
	}
}

// step advances the state by at most left, and returns what the tube keeps.
func (g *integrator) step(left *big.Rat) (step, error) {
	box := g.state.box()
	centre := g.state.centre()
	if err := g.jac.run(g.rule.derivativeBox(box, centre), false); err != nil {
		return step{}, err
	}
	if err := g.point.run(centre, false); err != nil {
		return step{}, err
	}
	tolerance := g.tolerances(box)
	remaining, _ := left.Float64()
	h := math.Min(g.proposeStep(tolerance), remaining)
	for g.overestimates(box, tolerance, h) && shorten(h) >= g.set.MinStep {
		h = shorten(h)
	}
	for {
		length, hi := new(big.Rat).SetFloat64(h), interval.Point(h)
		// Soundness: the last step has the exact rational length that is left;
		// hi encloses it.
		if h >= remaining || length.Cmp(left) >= 0 {
			length, hi = left, interval.FromRat(left)
		} else if h < g.set.MinStep {
			return step{}, fmt.Errorf("step below %.3g", g.set.MinStep)
		}
		last, err := g.prove(box, hi, tolerance)
		if err == nil {
			if !g.advance(hi, last) {
				return step{}, errors.New("the enclosure became unbounded")
			}
			g.last = h
			return step{length: length, h: hi, start: box, rough: last.box}, nil
		}
		h = shorten(h)
		if h < g.set.MinStep || errors.Is(err, ErrWork) {
			return step{}, fmt.Errorf("step below %.3g: %w", g.set.MinStep, err)
		}
	}
}

// shorten returns a smaller step.
func shorten(h float64) float64 { return roundStep(0.8 * h) }

// roundStep rounds a positive step to 16 significant bits, which keeps the exact
// times short.
func roundStep(h float64) float64 {
	fraction, exponent := math.Frexp(h)
	return math.Ldexp(math.Floor(math.Ldexp(fraction, 16)), exponent-16)
}

// tolerances returns the remainder each component may have.
func (g *integrator) tolerances(box []interval.Interval) []float64 {
	size := 0.0
	for i := range g.p.rhs {
		size = math.Max(size, box[i].Mag())
	}
	out := make([]float64, len(box))
	for i := range out {
		// small is the size, relative to the largest component, below which a
		// component is not resolved any further.
		const small = 0x1p-10
		out[i] = g.set.Tolerance * math.Max(box[i].Mag(), math.Max(small*size, math.SmallestNonzeroFloat64/g.set.Tolerance))
	}
	return out
}

// proposeStep returns a step whose Taylor remainder, estimated from the last two
// coefficients at the centre, meets the tolerances.
func (g *integrator) proposeStep(tolerance []float64) float64 {
	h := g.set.MaxStep
	if g.last > 0 {
		// growth limits how fast steps grow: coefficients can vanish by chance.
		const growth = 4
		h = math.Min(h, growth*g.last)
	}
	for i := range g.p.rhs {
		for _, k := range []int{g.set.Order - 1, g.set.Order} {
			if c := g.point.variable(i, k).Mag(); c > 0 {
				h = math.Min(h, math.Pow(tolerance[i]/c, 1/float64(k)))
			}
		}
	}
	if math.IsInf(h, 1) {
		// No coefficient that matters: the solution is a short polynomial.
		h = 1
	}
	return roundStep(math.Max(h, g.set.MinStep))
}

// overestimates reports whether a step h is too long for the width of the set: the
// derivative of the step is evaluated on its box, and its terms beyond the first
// in h, whose widths grow quickly with their order, would widen the set notably.
func (g *integrator) overestimates(box []interval.Interval, tolerance []float64, h float64) bool {
	for i := range g.p.rhs {
		wider := 0.0
		for j := range g.p.n {
			power := h
			for _, d := range g.jac.drow(g.p.vars[i], j)[2:] {
				power *= h
				wider += power * d.Wid() * box[j].Rad()
			}
		}
		if !(wider <= math.Max(excess*tolerance[i], g.set.Share*box[i].Wid())) {
			return true
		}
	}
	return false
}

// A term that widens the set is accepted up to excess times the tolerance of its
// component, or to a share of the width that is there already.
const excess = 64

// roughStep is what prove establishes about one step.
type roughStep struct {
	// box contains all solutions over the step.
	box []interval.Interval
	// remainder[i] contains h^K·c_K of component i over the step.
	remainder []interval.Interval
}

// prove finds a box B that contains every solution from the box x over [0, h],
// and the Taylor remainder over it, by the high-order enclosure test.
//
// Soundness: let P(τ) = Σ_{k<K} c_k(x)·τ^k, W an interval vector with 0 in its
// interior, and B = P([0,h]) + W. If [0,h^K]·c_K(B) ⊂ int W, every solution
// from x exists on [0,h] and stays in B. For let T be the largest time ≤ h up to
// which the solution exists and is in B. By Taylor's theorem, component by
// component, x(T) ∈ P(T) + T^K·c_K(B) ⊂ int B (for T = 0 because 0 ∈ int W), f is
// smooth around B since no divisor vanishes on it, so that T < h would leave
// room to continue inside B. Afterwards P([0,h]) + [0,h^K]·c_K(B) ⊂ B also
// contains the solutions.
func (g *integrator) prove(x []interval.Interval, h interval.Interval, tolerance []float64) (roughStep, error) {
	k := g.set.Order
	n := g.p.n
	during := h.Hull(interval.Interval{})
	duringK, hK := during.PowInt(k), h.PowInt(k)
	polynomial := make([]interval.Interval, n)
	for i := range n {
		if i < len(g.p.rhs) {
			polynomial[i] = horner(g.boxRow(i, x), during)
		} else {
			polynomial[i] = x[i]
		}
		if !polynomial[i].IsBounded() {
			return roughStep{}, errors.New("the enclosure became unbounded")
		}
	}
	if err := g.rough.run(polynomial, false); err != nil {
		return roughStep{}, err
	}
	box := make([]interval.Interval, n)
	const attempts = 3
	for range attempts {
		assumed := make([]interval.Interval, n)
		for i := range n {
			box[i] = polynomial[i]
			if i >= len(g.p.rhs) {
				continue // a parameter stays where it is
			}
			guess := duringK.Mul(g.rough.variable(i, k)).Mag()
			// Twice the last remainder seen, and never nothing: a margin far below
			// the rounding of the polynomial costs no width.
			const margin = 0x1p-60
			radius := math.Max(2*guess, math.Max(margin*polynomial[i].Mag(), math.SmallestNonzeroFloat64))
			if !(radius <= math.MaxFloat64) {
				return roughStep{}, errors.New("the enclosure became unbounded")
			}
			assumed[i] = interval.Symmetric(radius)
			box[i] = polynomial[i].Add(assumed[i])
		}
		if err := g.rough.run(box, false); err != nil {
			return roughStep{}, err
		}
		proved := true
		for i := range g.p.rhs {
			proved = proved && g.rule.inside(duringK.Mul(g.rough.variable(i, k)), assumed[i])
		}
		if !proved {
			continue
		}
		out := roughStep{box: make([]interval.Interval, n), remainder: make([]interval.Interval, n)}
		for i := range n {
			out.box[i] = polynomial[i]
			if i >= len(g.p.rhs) {
				continue
			}
			out.remainder[i] = g.rule.remainder(hK, g.rough.variable(i, k))
			out.box[i] = polynomial[i].Add(g.rule.remainder(duringK, g.rough.variable(i, k)))
			if allowed := math.Max(excess*tolerance[i], g.set.Share*x[i].Wid()); out.remainder[i].Mag() > allowed {
				return roughStep{}, errors.New("the remainder exceeds the tolerance")
			}
		}
		return out, nil
	}
	return roughStep{}, errors.New("no rough enclosure found")
}

// boxRow returns the Taylor coefficients below the order of variable i over the
// box of the set.
func (g *integrator) boxRow(i int, x []interval.Interval) []interval.Interval {
	row := append([]interval.Interval(nil), g.jac.row(g.p.vars[i])...)
	row[0] = x[i]
	return row
}

// advance moves the set over a proved step: x ↦ Σ_{k<K} c_k(x)·h^k + remainder,
// in mean value form around the centre.
func (g *integrator) advance(h interval.Interval, proved roughStep) bool {
	n := g.p.n
	// Products of matrices, the frame and its inverse, in float64 numbers and in intervals.
	if g.p.meter.Spend(int64(n*n)*int64(8*n+g.set.Order)) != nil {
		return false
	}
	phi := make([]interval.Interval, n)
	jac := make([]interval.Interval, n*n)
	for i, r := range g.p.vars {
		phi[i] = horner(g.point.row(r)[:g.set.Order], h).Add(proved.remainder[i])
		for j := range n {
			jac[i*n+j] = horner(g.jac.drow(r, j), h)
		}
	}
	return g.state.advance(phi, jac)
}
