package enclosure

import (
	"errors"
	"fmt"
	"math/big"
	"sort"

	"stopgrad/numeric/interval"
)

// Tube encloses every solution of an integration at all times of [T0, T1].
type Tube struct {
	sys    *System
	order  int
	t0, t1 *big.Rat
	steps  []step
	end    []interval.Interval
	// parts are the tubes of the parts of an initial set that was cut; steps is then
	// empty, and end the hull of theirs.
	parts []*Tube
	// widest is the variable across which the initial set is best cut, and excess how
	// much the set has grown beyond its image (zonotope).
	widest int
	excess float64
}

// initial returns the box at the initial time, parameters included.
func (t *Tube) initial() []interval.Interval {
	if len(t.steps) == 0 {
		return t.end
	}
	return t.steps[0].start
}

// step is one proved step of a tube: every solution that is in start at time
// from stays in rough until from + length.
type step struct {
	from, length *big.Rat
	h            interval.Interval // encloses length
	start, rough []interval.Interval
}

// T0 returns the initial time.
func (t *Tube) T0() *big.Rat { return new(big.Rat).Set(t.t0) }

// T1 returns the final time.
func (t *Tube) T1() *big.Rat { return new(big.Rat).Set(t.t1) }

// Parts returns the number of parts into which the initial set was cut, 1 if it was not.
func (t *Tube) Parts() int { return max(1, len(t.parts)) }

// Steps returns the number of steps, of all parts.
func (t *Tube) Steps() int {
	n := len(t.steps)
	for _, q := range t.parts {
		n += q.Steps()
	}
	return n
}

// Step returns the i-th step: its first and last time and a box that contains
// the state at all times between, of the solutions of one part if there are parts: the
// steps of each follow those of the one before. It panics if i is out of range.
func (t *Tube) Step(i int) (from, to *big.Rat, box []interval.Interval) {
	for _, q := range t.parts {
		if i < len(q.steps) {
			return q.Step(i)
		}
		i -= len(q.steps)
	}
	s := t.steps[i]
	return new(big.Rat).Set(s.from), new(big.Rat).Add(s.from, s.length),
		append([]interval.Interval(nil), s.rough[:t.sys.Dim()]...)
}

// Final returns a box that contains the state at T1.
func (t *Tube) Final() []interval.Interval {
	return append([]interval.Interval(nil), t.end[:t.sys.Dim()]...)
}

// At returns a box that contains the state at time at; the error tells that the
// time is outside the tube.
func (t *Tube) At(at *big.Rat) ([]interval.Interval, error) {
	var vars []Expr
	for i := range t.sys.names {
		vars = append(vars, t.sys.add(node{op: opVar, a: i}))
	}
	return t.evalAt(at, vars)
}

// EvalAt returns an interval that contains the value of e at time at. The error
// tells that the time is outside the tube, or that a divisor in e may vanish.
func (t *Tube) EvalAt(e Expr, at *big.Rat) (interval.Interval, error) {
	v, err := t.evalAt(at, []Expr{e})
	if err != nil {
		return interval.Entire(), err
	}
	return v[0], nil
}

func (t *Tube) evalAt(at *big.Rat, es []Expr) ([]interval.Interval, error) {
	var hull []interval.Interval
	for _, q := range t.parts {
		v, err := q.evalAt(at, es)
		if err != nil {
			return nil, err
		}
		if hull == nil {
			hull = v
			continue
		}
		for i := range hull {
			hull[i] = hull[i].Hull(v[i])
		}
	}
	if hull != nil {
		return hull, nil
	}
	if at.Cmp(t.t0) < 0 || at.Cmp(t.t1) > 0 {
		return nil, fmt.Errorf("enclosure: time %s outside [%s, %s]", at.RatString(), t.t0.RatString(), t.t1.RatString())
	}
	p, err := compile(t.sys, es...)
	if err != nil {
		return nil, err
	}
	if at.Cmp(t.t1) == 0 {
		return p.values(t.end)
	}
	i := sort.Search(len(t.steps), func(i int) bool { return t.steps[i].from.Cmp(at) > 0 }) - 1
	d, err := t.dense(p, t.steps[i])
	if err != nil {
		return nil, err
	}
	out := make([]interval.Interval, len(es))
	tau := interval.FromRat(new(big.Rat).Sub(at, t.steps[i].from))
	for j := range es {
		if out[j], err = d.at(j, tau); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// values returns the extra outputs at the states in the box x, by interval
// evaluation of the operations in order.
func (p *program) values(x []interval.Interval) ([]interval.Interval, error) {
	t := newTaylor(p, 0, false)
	if err := t.run(p.extend(x), true); err != nil {
		return nil, fmt.Errorf("enclosure: %w", err)
	}
	out := make([]interval.Interval, len(p.outputs))
	for j, r := range p.outputs {
		out[j] = t.at(r, 0)
	}
	return out, nil
}

// extend appends to the box x of an integration the parameters that only an
// output uses.
func (p *program) extend(x []interval.Interval) []interval.Interval {
	known := len(x) - len(p.rhs)
	return append(append([]interval.Interval(nil), x...), p.initial[known:]...)
}

// dense holds, for one step, Taylor coefficients along the solutions: below the
// order those through the box at the start, and of that order those over the
// whole step.
//
// Soundness: a state or output g that is smooth along the solutions of the step,
// its divisors not vanishing on the rough enclosure, satisfies by Taylor's theorem
// g(x(t+τ)) ∈ Σ_{k<K} g_k(start)·τ^k + g_K(rough)·τ^K for 0 ≤ τ ≤ h.
type dense struct {
	p       *program
	rough   []interval.Interval
	states  [][]interval.Interval
	outputs [][]interval.Interval // nil if a divisor may vanish on the rough enclosure
}

func (t *Tube) dense(p *program, s step) (*dense, error) {
	d := &dense{p: p, rough: s.rough}
	start, rough := newTaylor(p, t.order, false), newTaylor(p, t.order, false)
	coefficients := func(registers []int) (out [][]interval.Interval) {
		for _, r := range registers {
			c := append([]interval.Interval(nil), start.row(r)...)
			c[t.order] = rough.at(r, t.order)
			out = append(out, c)
		}
		return out
	}
	if start.run(p.extend(s.start), true) == nil && rough.run(p.extend(s.rough), true) == nil {
		d.states, d.outputs = coefficients(p.vars[:len(s.start)]), coefficients(p.outputs)
		return d, nil
	}
	plain, err := compile(t.sys)
	if err != nil {
		return nil, err
	}
	start, rough = newTaylor(plain, t.order, false), newTaylor(plain, t.order, false)
	if err := start.run(s.start, false); err != nil {
		return nil, fmt.Errorf("enclosure: %w", err)
	}
	if err := rough.run(s.rough, false); err != nil {
		return nil, fmt.Errorf("enclosure: %w", err)
	}
	d.states = coefficients(plain.vars)
	return d, nil
}

// at returns an enclosure of output j at all times tau of the step. The error
// tells that a divisor may vanish then.
func (d *dense) at(j int, tau interval.Interval) (interval.Interval, error) {
	if err := d.p.meter.Spend(6 * int64(len(d.states)+1) * int64(len(d.states[0]))); err != nil {
		return interval.Entire(), err
	}
	box := make([]interval.Interval, len(d.states))
	for i, c := range d.states {
		box[i] = taylorRange(c, tau).Intersect(d.rough[i])
	}
	values, err := d.p.values(box)
	switch {
	case d.outputs == nil && err != nil:
		return interval.Entire(), err
	case d.outputs == nil:
		return values[j], nil
	}
	v := taylorRange(d.outputs[j], tau)
	if err == nil {
		v = v.Intersect(values[j])
	}
	if v.IsEmpty() {
		return interval.Entire(), errors.New("enclosure: two enclosures of one value are disjoint")
	}
	return v, nil
}

// taylorRange encloses Σ_{k<K} c_k·τ^k + c_K·τ^K over the interval tau, for the K+1
// coefficients c, by Horner's scheme and by the mean value form of the sum below
// K, whose overestimation is quadratic in the width of tau.
func taylorRange(c []interval.Interval, tau interval.Interval) interval.Interval {
	v := horner(c, tau)
	if tau.IsTight() {
		return v
	}
	order := len(c) - 1
	middle := interval.Point(tau.Mid())
	slopes := make([]interval.Interval, order-1)
	for k := range slopes {
		slopes[k] = c[k+1].Mul(interval.FromInt(int64(k + 1)))
	}
	w := horner(c[:order], middle).
		Add(horner(slopes, tau).Mul(tau.Sub(middle))).
		Add(c[order].Mul(tau.PowInt(order)))
	return v.Intersect(w)
}

// Range returns an interval that contains the values of e at all times of the
// tube. Each step is cut in pieces; the bound is as tight as the tube, up to the
// variation of e within a piece. The error tells that a divisor in e may vanish.
func (t *Tube) Range(e Expr) (interval.Interval, error) {
	const pieces = 8
	if t.parts != nil {
		all := interval.Empty()
		for _, q := range t.parts {
			v, err := q.Range(e)
			if err != nil {
				return interval.Entire(), err
			}
			all = all.Hull(v)
		}
		return all, nil
	}
	p, err := compile(t.sys, e)
	if err != nil {
		return interval.Entire(), err
	}
	if len(t.steps) == 0 {
		v, err := p.values(t.end)
		if err != nil {
			return interval.Entire(), err
		}
		return v[0], nil
	}
	all := interval.Empty()
	for _, s := range t.steps {
		d, err := t.dense(p, s)
		if err != nil {
			return interval.Entire(), err
		}
		for i := range pieces {
			v, err := d.at(0, piece(s, i, pieces))
			if err != nil {
				return interval.Entire(), err
			}
			all = all.Hull(v)
		}
	}
	return all, nil
}

// piece returns the i-th of n pieces of a step, as times relative to its start;
// the pieces cover the step.
func piece(s step, i, n int) interval.Interval {
	cut := func(i int) interval.Interval {
		return s.h.Mul(interval.FromInt(int64(i))).Div(interval.FromInt(int64(n)))
	}
	return cut(i).Hull(cut(i + 1))
}

// Verdict is the outcome of a question about a whole tube.
type Verdict int

const (
	// Undecided: the tube is too wide at some time.
	Undecided Verdict = iota
	// Holds at every time, for every solution of the tube.
	Holds
	// Fails at some time, for every solution of the tube.
	Fails
)

// String returns the verdict in lower case.
func (v Verdict) String() string {
	switch v {
	case Holds:
		return "holds"
	case Fails:
		return "fails"
	}
	return "undecided"
}

// Answer is a verdict, and where it is not Holds a place that shows it.
type Answer struct {
	Verdict Verdict
	// From ≤ To bound the times at which the expression is not positive (Fails)
	// or its sign is not known (Undecided).
	From, To *big.Rat
	// Value contains the values of the expression at those times.
	Value interval.Interval
}

// Positive decides whether e > 0 at all times of the tube. A step on which it is
// not seen at once is halved up to depth times, at most 30. The error tells that a
// divisor in e may vanish. Of a tube in parts it holds, or fails, if it does for each.
func (t *Tube) Positive(e Expr, depth int) (Answer, error) {
	if t.parts != nil {
		return t.positiveParts(e, depth)
	}
	p, err := compile(t.sys, e)
	if err != nil {
		return Answer{}, err
	}
	if len(t.steps) == 0 {
		v, err := p.values(t.end)
		if err != nil {
			return Answer{}, err
		}
		return judge(v[0], t.t0, t.t1), nil
	}
	// Pieces are numbered by int64 below 2^31.
	depth = min(depth, 30)
	open := Answer{Verdict: Holds}
	for _, s := range t.steps {
		d, err := t.dense(p, s)
		if err != nil {
			return Answer{}, err
		}
		// A piece that fails settles the question; an undecided one does not,
		// for a later one may fail.
		a, err := s.positive(d, 0, 1, depth)
		if err != nil {
			return Answer{}, err
		}
		if a.Verdict == Fails {
			return a, nil
		}
		if a.Verdict == Undecided && open.Verdict == Holds {
			open = a
		}
	}
	return open, nil
}

// positiveParts is Positive for a tube in parts.
func (t *Tube) positiveParts(e Expr, depth int) (Answer, error) {
	var out Answer
	for k, q := range t.parts {
		a, err := q.Positive(e, depth)
		if err != nil {
			return Answer{}, err
		}
		switch {
		case k == 0:
			out = a
		case a.Verdict != out.Verdict:
			// Soundness: some solutions may keep e positive and others not.
			if out.Verdict == Holds {
				out = a
			}
			out.Verdict = Undecided
		case a.Verdict == Fails:
			out.Value = out.Value.Hull(a.Value)
			if a.From.Cmp(out.From) < 0 {
				out.From = a.From
			}
			if a.To.Cmp(out.To) > 0 {
				out.To = a.To
			}
		}
	}
	return out, nil
}

// positive decides e > 0 over the i-th of n pieces of a step.
func (s step) positive(d *dense, i, n, depth int) (Answer, error) {
	v, err := d.at(0, piece(s, i, n))
	if err == nil && v.Positive() {
		return Answer{Verdict: Holds}, nil
	}
	cut := func(i, n int) *big.Rat { return new(big.Rat).Mul(s.length, big.NewRat(int64(i), int64(n))) }
	at := func(tau *big.Rat) *big.Rat { return new(big.Rat).Add(tau, s.from) }
	if depth <= 0 || err == nil && v.NonPositive() {
		return judge(v, at(cut(i, n)), at(cut(i+1, n))), err
	}
	// A single time at which the sign is not known, or is wrong, cannot be
	// helped by cutting the piece.
	middle := cut(2*i+1, 2*n)
	if v, err := d.at(0, interval.FromRat(middle)); err != nil || !v.Positive() {
		return judge(v, at(middle), at(middle)), err
	}
	first, err := s.positive(d, 2*i, 2*n, depth-1)
	if err != nil || first.Verdict == Fails {
		return first, err
	}
	second, err := s.positive(d, 2*i+1, 2*n, depth-1)
	if err != nil || second.Verdict == Fails || first.Verdict == Holds {
		return second, err
	}
	return first, nil
}

// judge reads a sign off the values v of an expression between two times.
func judge(v interval.Interval, from, to *big.Rat) Answer {
	switch {
	case v.Positive():
		return Answer{Verdict: Holds}
	case v.NonPositive():
		return Answer{Fails, from, to, v}
	}
	return Answer{Undecided, from, to, v}
}
