package model

import (
	"fmt"
	"strings"

	"stopgrad/theory/kernel"
)

// Judgement is what a state formula amounts to at a state.
type Judgement struct {
	Holds  bool
	Strict bool    // it holds, and does so near the state wherever its terms are continuous
	Sides  []Value // the values of its terms; none of a count of zeros
	Says   string  // of a count of zeros, what was found
}

// Holds judges a state formula of the context's dynamics at a state. The context's hypotheses play no part.
func Holds(c *kernel.Context, f kernel.Formula, st *State) (j Judgement, err error) {
	return NewJudge(c, st).Holds(f)
}

// Judge judges several state formulas of one context's dynamics at one state. They share the work that one question may
// take.
type Judge struct {
	ctx  *kernel.Context
	st   *State
	work int
}

// NewJudge returns a judge of formulas at a state.
func NewJudge(c *kernel.Context, st *State) *Judge { return &Judge{ctx: c, st: st} }

// Holds judges a formula. The context's hypotheses play no part.
func (x *Judge) Holds(f kernel.Formula) (j Judgement, err error) {
	defer caught(&err)
	q := newQuestion(x.ctx, f, x.st)
	q.work = x.work
	defer func() { x.work = q.work }()
	return q.here.judge(f), nil
}

// judge judges a state formula in the frame.
func (fr *frame) judge(f kernel.Formula) Judgement {
	if c, ok := f.Count(); ok {
		return fr.count(f.Form(), c)
	}
	ts := f.Terms()
	ms := make([]matrix, len(ts))
	j := Judgement{Sides: make([]Value, len(ts))}
	for i, t := range ts {
		ms[i] = fr.eval(t)
		j.Sides[i] = fr.value(ms[i])
	}
	order := func() int { return fr.cmp(ms[0].at[0].base(), ms[1].at[0].base()) }
	// A 1×1 matrix is symmetric and diagonal wherever it is.
	small := len(ms) > 0 && ms[0].rows == 1
	switch f.Form() {
	case kernel.Equal:
		j.Holds = fr.difference(ms[0], ms[1]).isZero()
	case kernel.AtLeast:
		j.Holds, j.Strict = order() >= 0, order() > 0
	case kernel.Greater:
		j.Holds, j.Strict = order() > 0, order() > 0
	case kernel.Unequal:
		j.Holds, j.Strict = order() != 0, order() != 0
	case kernel.Semidefinite, kernel.Definite:
		if !fr.symmetric(ms[0]) {
			break
		}
		psd, pd := fr.definiteness(ms[0])
		j.Holds = pd || psd && f.Form() == kernel.Semidefinite
		j.Strict = pd && (small || fr.symmetricByShape(ts[0]))
	case kernel.Invertible:
		_, j.Holds = fr.inverse(ms[0])
		j.Strict = j.Holds
	case kernel.Diagonal:
		j.Holds, j.Strict = true, small
		for i, x := range ms[0].at {
			j.Holds = j.Holds && (i/ms[0].cols == i%ms[0].cols || x.base().isZero())
		}
	case kernel.Within:
		j.Holds, j.Strict = true, true
		low, high := ms[1].at[0].base(), ms[2].at[0].base()
		for _, x := range ms[0].at {
			above, below := fr.cmp(x.base(), low), fr.cmp(high, x.base())
			j.Holds, j.Strict = j.Holds && above >= 0 && below >= 0, j.Strict && above > 0 && below > 0
		}
	case kernel.Absurd:
	default:
		fail("%s is not said of one state", f.Form())
	}
	return j
}

// symmetricByShape reports whether a term is symmetric near the state, whatever the values of its letters but for those
// that are known to stay symmetric.
func (e *evaluator) symmetricByShape(t *kernel.Term) bool {
	e.spend(1)
	switch t.Head() {
	case kernel.Letter:
		return e.staySymmetric[t]
	case kernel.Identity, kernel.Zero:
		return true
	case kernel.Sum:
		return e.symmetricByShape(t.Arg(0)) && e.symmetricByShape(t.Arg(1))
	case kernel.Product:
		l, r := t.Arg(0), t.Arg(1)
		switch {
		case l.Scalar():
			return e.symmetricByShape(r)
		case r.Scalar():
			return e.symmetricByShape(l)
		}
		opposite := func(l, r *kernel.Term) bool {
			return l.Head() == kernel.Transpose && l.Arg(0) == r || r.Head() == kernel.Transpose && r.Arg(0) == l
		}
		if l.Head() == kernel.Product && !l.Arg(0).Scalar() && !l.Arg(1).Scalar() {
			return opposite(l.Arg(0), r) && e.symmetricByShape(l.Arg(1))
		}
		return opposite(l, r)
	case kernel.Transpose, kernel.Power, kernel.Inverse:
		return e.symmetricByShape(t.Arg(0))
	case kernel.Kronecker:
		return e.symmetricByShape(t.Arg(0)) && e.symmetricByShape(t.Arg(1))
	}
	return false
}

// Counterexample is a state at which, or from which, a sequent fails. Its zero value refutes nothing. [Refute] alone
// makes others.
type Counterexample struct{ s *sealed }

type sealed struct {
	ctx    *kernel.Context
	goal   kernel.Formula
	state  *State
	keeps  []kernel.Theorem
	reason string
}

// Valid reports whether anything is refuted.
func (x Counterexample) Valid() bool { return x.s != nil }

// Context is Γ of the refuted sequent, nil of the zero Counterexample.
func (x Counterexample) Context() *kernel.Context {
	if x.s == nil {
		return nil
	}
	return x.s.ctx
}

// Formula is φ of the refuted sequent.
func (x Counterexample) Formula() kernel.Formula {
	if x.s == nil {
		return kernel.Formula{}
	}
	return x.s.goal
}

// State is the state that refutes, nil of the zero Counterexample. It is a copy, which its reader may overwrite.
func (x Counterexample) State() *State {
	if x.s == nil {
		return nil
	}
	st := *x.s.state
	return &st
}

// Keeps is a copy of the theorems that were needed: they keep hypotheses true.
func (x Counterexample) Keeps() []kernel.Theorem {
	if x.s == nil {
		return nil
	}
	return append([]kernel.Theorem(nil), x.s.keeps...)
}

// Reason says in numbers how the sequent fails.
func (x Counterexample) Reason() string {
	if x.s == nil {
		return ""
	}
	return x.s.reason
}

// Unrefuted says why a state refutes nothing: a hypothesis does not hold, it cannot be seen to hold for a while, or
// the goal does not fail.
type Unrefuted struct{ reason string }

// Error says why.
func (e *Unrefuted) Error() string { return "model: not refuted: " + e.reason }

func spare(format string, args ...any) { panic(&failure{&Unrefuted{fmt.Sprintf(format, args...)}}) }

// Refute makes the counterexample that the state is to the sequent Γ ⊢ goal, or says why it is none: [*Unrefuted],
// or [*NoValue] where a term has no value.
//
// A state sequent is refuted where all hypotheses hold and the goal has a value and fails. For motions and orbits
// see motion and orbit; keeps are theorems always φ about hypotheses φ that hold at the state with equality. A keep is
// of any motion context of the same dynamics whose own hypotheses are seen to hold along the motion: typically the
// one in which φ is marked start. (In a context in which φ is assumed all along, always φ says nothing.)
func Refute(c *kernel.Context, goal kernel.Formula, st *State, keeps ...kernel.Theorem) (x Counterexample, err error) {
	defer caught(&err)
	q := newQuestion(c, goal, st)
	q.keeps = keeps
	q.learnSymmetric()
	if goal.Form().Temporal() == (c.Time() == kernel.AtState) {
		fail("a %s sequent states nothing of this form", c.Time())
	}
	for _, h := range c.Hypotheses() {
		// Soundness: what holds at the start only may have ended where something that was positive becomes zero; that it
		// held just before is asked of the motion, see meets.
		if f := h.Formula(); h.Mark() == kernel.Start && c.Time() == kernel.Motion && q.heldBefore(f) {
			switch {
			case goal.Form() == kernel.StayPositive:
				continue
			case goal.Form() == kernel.StayNonnegative && !q.here.judge(f).Holds:
				q.arrives = true
				continue
			}
		}
		q.suppose(h.Formula())
	}
	if !q.possible(q.here) {
		spare("no random columns have the declared moments here")
	}
	var reason string
	switch c.Time() {
	case kernel.AtState:
		j := q.here.judge(goal)
		if j.Holds {
			spare("the goal holds: %s", sides(j))
		}
		reason = "fails: " + sides(j)
	case kernel.Motion:
		reason = q.motion(goal)
	case kernel.Orbit:
		reason = q.orbit(goal)
	}
	// Soundness: the only place that makes counterexamples.
	kept := *st
	return Counterexample{&sealed{c, goal, &kept, q.used, reason}}, nil
}

// suppose requires that a hypothesis holds here, which includes that its terms have values.
func (q *question) suppose(f kernel.Formula) {
	defer func() {
		switch err := recovered(recover()).(type) {
		case nil:
		case *NoValue:
			spare("the hypothesis %s has no value: %s %s", describe(f), kernel.Print(err.term), err.what)
		default:
			panic(&failure{err})
		}
	}()
	if j := q.here.judge(f); !j.Holds {
		spare("the hypothesis %s does not hold: %s", describe(f), sides(j))
	}
}

func describe(f kernel.Formula) string {
	var ts []string
	for _, t := range f.Terms() {
		ts = append(ts, kernel.Print(t))
	}
	return f.Form().String() + "(" + strings.Join(ts, ", ") + ")"
}

func sides(j Judgement) string {
	if j.Says != "" {
		return j.Says
	}
	var out []string
	for _, v := range j.Sides {
		out = append(out, v.String())
	}
	return strings.Join(out, " against ")
}

// question is one sequent at one state.
type question struct {
	*evaluator
	ctx   *kernel.Context
	keeps []kernel.Theorem
	here  *frame
	used  []kernel.Theorem // keeps that were needed
	// arrives says that the motion starts a while before the state, where what is assumed of the start has ended.
	arrives bool
}

func newQuestion(c *kernel.Context, f kernel.Formula, st *State) *question {
	// Soundness: what was overwritten for a while would be another sequent.
	if err := c.Whole(); err != nil {
		fail("%v", err)
	}
	if st == nil || st.sig != c.Signature() {
		fail("a context and a state of one signature are needed")
	}
	g := f
	if f.Form() == kernel.Always {
		g = f.Inner()
	}
	if f.Same(kernel.Formula{}) {
		fail("the formula states nothing")
	}
	for _, t := range g.Terms() {
		if t.Signature() != st.sig {
			fail("the formula is of another signature")
		}
	}
	q := &question{evaluator: newEvaluator(c.Dynamics(), st), ctx: c}
	q.here = q.at(nil)
	return q
}

// learnSymmetric notes which letters stay symmetric for a while along the motion: those that are symmetric here and do
// not move along it, and those that a keep keeps so by what is known of it by then.
func (q *question) learnSymmetric() {
	if q.ctx.Time() != kernel.Motion {
		return
	}
	q.staySymmetric = map[*kernel.Term]bool{}
	open := map[*kernel.Term]kernel.Formula{}
	for _, y := range q.st.sig.Symbols() {
		x := q.st.sig.Lookup(y.Name())
		r, c := y.Shape()
		if y.Scalar() || r != c || !valued(y.Class()) {
			continue
		}
		xt, err := q.st.sig.Make(kernel.Transpose, 0, x)
		if err != nil {
			continue
		}
		f, err := kernel.NewFormula(kernel.Equal, xt, x)
		if err != nil || !q.here.judge(f).Holds {
			continue
		}
		if q.dyn.FlowOf(x) == nil {
			q.staySymmetric[x] = true
		} else {
			open[x] = f
		}
	}
	// Soundness: that a hypothesis says so for all time is no reason. A keep may have it as its conclusion, from one that
	// holds nearby among symmetric matrices only.
	for again := true; again; {
		again = false
		for _, y := range q.st.sig.Symbols() {
			x := q.st.sig.Lookup(y.Name())
			if f, ok := open[x]; ok && q.kept(f, false) {
				q.staySymmetric[x], again = true, true
				delete(open, x)
			}
		}
	}
}

// rests reports whether a formula holds for all time if it does here, with inputs that stay as they are.
func (q *question) rests(f kernel.Formula) bool {
	for _, t := range f.Terms() {
		if q.moves(t).states {
			return false
		}
	}
	return true
}

// near reports whether a formula holds at all states near this one: it holds strictly, and its terms are continuous.
func (q *question) near(f kernel.Formula) bool {
	return q.here.judge(f).Strict && q.continuous(f.Terms()...)
}

// continuous reports whether terms have values at all states near this one that depend on the state continuously.
func (q *question) continuous(ts ...*kernel.Term) (ok bool) {
	deep := q.deep
	defer func() {
		switch err := recovered(recover()).(type) {
		case nil:
		case *NoValue:
			q.deep, ok = deep, false
		default:
			panic(&failure{err})
		}
	}()
	fr := q.here.stirred()
	for _, t := range ts {
		fr.eval(t)
	}
	return true
}

// recovered is the error that a panic carries; other panics go on.
func recovered(r any) error {
	f, ok := r.(*failure)
	switch {
	case ok:
		return f.err
	case r != nil:
		panic(r)
	}
	return nil
}

// kept reports whether a keep says always f, under hypotheses that the motion from this state meets: at the start by
// their value here, for a while because they are constant or hold nearby; for all time only if they are constant.
func (q *question) kept(f kernel.Formula, forever bool) bool {
	for _, th := range q.keeps {
		c, g := th.Context(), th.Formula()
		// Soundness: what was overwritten for a while would be another sequent.
		if c.Whole() != nil || c.Dynamics() != q.ctx.Dynamics() || c.Time() != kernel.Motion || g.Form() != kernel.Always || !g.Inner().Same(f) {
			continue
		}
		ok := true
		for _, h := range c.Hypotheses() {
			ok = ok && q.here.judge(h.Formula()).Holds
			// Soundness: a keep that assumes all along what it keeps says nothing.
			if h.Mark() == kernel.Kept {
				ok = ok && (q.rests(h.Formula()) || !forever && q.near(h.Formula()))
			}
		}
		if ok {
			q.used = append(q.used, th)
			return true
		}
	}
	return false
}

// heldBefore reports whether an order, or an inequation, held for a while until this state, whether it does here or not: its
// sides are equal here and differentiable along the motion, and their difference changes the sign that it had.
func (q *question) heldBefore(f kernel.Formula) bool {
	switch f.Form() {
	case kernel.AtLeast, kernel.Greater, kernel.Unequal:
	default:
		return false
	}
	ts := f.Terms()
	if !q.continuous(ts...) || !q.difference(q.here.eval(ts[0]), q.here.eval(ts[1])).isZero() {
		return false
	}
	// Soundness: at rest, nothing is left behind.
	v := q.sign(q.difference(q.speed(ts[0]), q.speed(ts[1])).at[0].base())
	return v < 0 || v > 0 && f.Form() == kernel.Unequal
}

// meets requires that the hypotheses hold along the motion as they are marked: for a while after this state; with
// before, from a while before it; with forever, for all time.
func (q *question) meets(before, forever bool) {
	if !q.lasting(forever) {
		spare("the declared moments may become those of no random columns")
	}
	for _, h := range q.ctx.Hypotheses() {
		f := h.Formula()
		if q.rests(f) || h.Mark() == kernel.Start && !before {
			continue
		}
		// Soundness: a hypothesis that holds with equality may fail at once, unless it is kept.
		if !forever && q.near(f) || !before && q.kept(f, forever) {
			continue
		}
		// Soundness: the motion starts a while before the state; later it may leave what holds at the start.
		if before && h.Mark() == kernel.Start && q.heldBefore(f) {
			continue
		}
		spare("the hypothesis %s holds here and may not hold along the motion", describe(f))
	}
}

// possible reports whether there are random columns with the declared moments, whether expectations occur or not: the
// matrix of all joint moments, zero where none is declared, has to be positive semidefinite.
func (q *question) possible(fr *frame) bool {
	psd, _ := q.moments(fr)
	return psd
}

func (q *question) moments(fr *frame) (psd, pd bool) {
	start, size := map[*kernel.Term]int{}, 0
	for i := range q.dyn.Moments() {
		if a, b, m := q.dyn.Moment(i); a == b {
			start[a] = size
			size += fr.eval(m).rows
		}
	}
	all := nought(size, size)
	for i := range q.dyn.Moments() {
		a, b, m := q.dyn.Moment(i)
		r, rows := start[a]
		c, cols := start[b]
		if !rows || !cols {
			return false, false
		}
		v := fr.eval(m)
		for k, x := range v.at {
			i, j := r+k/v.cols, c+k%v.cols
			if all.at[i*size+j] = x; a != b {
				all.at[j*size+i] = x
			}
		}
	}
	if !q.symmetric(all) {
		return false, false
	}
	return q.definiteness(all)
}

// lasting reports whether there are random columns with the declared moments near the state too, or at all states.
func (q *question) lasting(forever bool) bool {
	still, shaped := true, true
	var ms []*kernel.Term
	for i := 0; i < q.dyn.Moments(); i++ {
		a, b, m := q.dyn.Moment(i)
		ms = append(ms, m)
		still = still && !q.moves(m).states
		shaped = shaped && (a != b || q.here.eval(m).rows == 1 || q.symmetricByShape(m))
	}
	_, pd := q.moments(q.here)
	return still || !forever && shaped && pd && q.continuous(ms...)
}

// speed is the derivative of a term along the flow.
func (q *question) speed(t *kernel.Term) matrix { return q.here.derivative(q.here.flowing(), t) }

// number is the value of a scalar term.
func (q *question) number(t *kernel.Term) *number { return q.here.eval(t).at[0].base() }

// drifts says how a rate changes with the motion, or nothing if it does not move.
func (q *question) drifts(c *kernel.Term) string {
	m := q.moves(c)
	if !m.states && !m.inputs {
		return ""
	}
	v := q.speed(c).at[0].base()
	if v.isZero() {
		spare("the rate moves, but not here")
	}
	return "the rate moves: its derivative is " + q.text(v)
}

// steady requires a rate or factor to be constant.
func (q *question) steady(c *kernel.Term) *number {
	if m := q.moves(c); m.states || m.inputs {
		fail("%s moves and is no rate", kernel.Print(c))
	}
	return q.number(c)
}

// motion refutes a motion sequent by the motion that passes through the state, with inputs that stay as they are. By
// Peano's theorem there is one, before the state and after, for a while, if the right-hand sides are continuous
// near it; where they are all zero, the state itself is one for all time, and hypotheses that hold there hold along it.
func (q *question) motion(goal kernel.Formula) string {
	rest := true
	var laws []*kernel.Term
	for _, x := range q.dyn.FlowLetters() {
		laws = append(laws, q.dyn.FlowOf(x))
		rest = rest && q.here.eval(q.dyn.FlowOf(x)).isZero()
	}
	ts := goal.Terms()
	before := goal.Form() == kernel.StayPositive || q.arrives
	if goal.Form() == kernel.Tends && !rest {
		return q.escapes(ts[0], ts[1], ts[2], ts[3])
	}
	if !rest {
		if !q.continuous(laws...) {
			spare("the flow is not continuous near the state, so that a motion need not pass through it")
		}
		q.meets(before, false)
	}
	zeroAt := func(t *kernel.Term) bool { return q.here.eval(t).isZero() }
	show := func(m matrix) string { return q.value(m).String() }
	switch goal.Form() {
	case kernel.Always: // at time 0
		j := q.here.judge(goal.Inner())
		if !j.Holds {
			return "fails: " + sides(j)
		}
	case kernel.Evolves: // L(t) = exp(ct)·L(0) has the derivative cL(0) at 0
		if moves := q.drifts(ts[1]); moves != "" {
			return moves
		}
		v, c := q.speed(ts[0]), q.steady(ts[1])
		if w := q.scale(jet{c}, q.here.eval(ts[0])); !q.difference(v, w).isZero() {
			return "the derivative is " + show(v) + " and not " + show(w)
		}
	case kernel.NormDecays:
		// With N = ‖L‖², N' > −2cN at 0 makes N greater than exp(−2ct)·N(0) right after. Where L = 0, the bound is 0
		// from then on, and L' ≠ 0 makes L pass it.
		if moves := q.drifts(ts[1]); moves != "" {
			return moves
		}
		l, v, c := q.here.eval(ts[0]), q.speed(ts[0]), q.steady(ts[1])
		if l.isZero() && !v.isZero() {
			return "zero, with the derivative " + show(v)
		}
		s := q.add(q.dot(l, v), q.mul(c, q.dot(l, l))) // (N' + 2cN)/2
		if q.sign(s) > 0 {
			return "half the derivative of the squared norm is " + q.text(q.dot(l, v)) + ", above −c times it by " + q.text(s)
		}
	case kernel.Decays: // the same of V
		if moves := q.drifts(ts[1]); moves != "" {
			return moves
		}
		v, c := q.speed(ts[0]).at[0].base(), q.steady(ts[1])
		if s := q.add(v, q.mul(c, q.number(ts[0]))); q.sign(s) > 0 {
			return "the derivative is " + q.text(v) + ", above −c times the value by " + q.text(s)
		}
	case kernel.StayZero: // all are zero, and one leaves
		for _, t := range ts {
			if !zeroAt(t) {
				spare("%s is not zero", kernel.Print(t))
			}
		}
		for _, t := range ts {
			if v := q.speed(t); !v.isZero() {
				return kernel.Print(t) + " is zero, with the derivative " + show(v)
			}
		}
	case kernel.StayNonnegative, kernel.StayPositive:
		// All are nonnegative and one falls through zero, right after: nonnegative fails, also for a motion that starts a
		// while before. A while before, those that
		// are zero and fall were positive, and the others are positive by continuity: the motion from there, along which
		// the hypotheses hold (they hold nearby, those for its start too), reaches this state, where positive fails.
		falls := ""
		for _, t := range ts {
			s := q.sign(q.number(t))
			if s < 0 {
				spare("%s is negative", kernel.Print(t))
			}
			if s > 0 {
				if before && !q.continuous(t) {
					spare("%s is not continuous near the state", kernel.Print(t))
				}
				continue
			}
			v := q.speed(t).at[0].base()
			if q.sign(v) < 0 {
				falls = kernel.Print(t) + " is zero, with the derivative " + q.text(v)
			} else if before {
				spare("%s is zero and does not fall, so that it need not have been positive before", kernel.Print(t))
			}
		}
		if falls != "" {
			return falls
		}
	case kernel.StaySemidefinite:
		// All are psd. On the null space of L, where xᵀLx = 0, xᵀL'x < 0 makes xᵀLx negative right after, and a derivative
		// that is not symmetric makes L so.
		for _, t := range ts {
			l := q.here.eval(t)
			psd, _ := q.definiteness(l)
			if !q.symmetric(l) || !psd {
				spare("%s is not positive semidefinite", kernel.Print(t))
			}
		}
		for _, t := range ts {
			v := q.speed(t)
			if !q.symmetric(v) {
				return kernel.Print(t) + " does not stay symmetric: its derivative is " + show(v)
			}
			k := q.null(q.here.eval(t))
			onNull := q.product(q.product(k.transposed(), v), k)
			if psd, _ := q.definiteness(onNull); !psd {
				return kernel.Print(t) + " has the derivative " + show(onNull) + " on its null space"
			}
		}
	case kernel.Congruence:
		// Φ·L(0)·Φᵀ is symmetric if L(0) is, and of the same rank. Where L' is not zero as a form on the null space of L, an
		// eigenvalue leaves zero: the rank rises right after.
		l, v := q.here.eval(ts[0]), q.speed(ts[0])
		if !q.symmetric(l) {
			spare("%s is not symmetric here", kernel.Print(ts[0]))
		}
		if !q.symmetric(v) {
			return "symmetric, with the derivative " + show(v)
		}
		k := q.null(l)
		if onNull := q.product(q.product(k.transposed(), v), k); !onNull.isZero() {
			return "the derivative on the null space is " + show(onNull)
		}
	case kernel.Vanishes: // a motion at rest does not tend to zero
		if rest && !zeroAt(ts[0]) {
			return "at rest at " + show(q.here.eval(ts[0]))
		}
	case kernel.Tends: // at rest
		x, r := q.number(ts[0]), q.number(ts[1])
		if q.cmp(x, q.number(ts[2])) > 0 && q.cmp(x, q.number(ts[3])) < 0 && q.cmp(x, r) != 0 {
			return "at rest at " + q.text(x) + " and not at " + q.text(r)
		}
	}
	spare("the goal does not fail here")
	return ""
}

// dot is the sum of the products of the entries.
func (f *field) dot(a, b matrix) *number {
	s := zero
	for i := range a.at {
		s = f.add(s, f.mul(a.at[i].base(), b.at[i].base()))
	}
	return s
}

// escapes refutes “x tends to r from lo < x < hi” where x is the only thing that moves, by x' = f(x) with f a polynomial
// in x, and x' points away from r. Solutions of such an equation are monotone: to turn round, x would have to pass a
// point twice in opposite directions, and x' is the same there both times. So x stays on its side of this state and does
// not tend to r, if it exists for all time. It does if f is of degree one, or if f is zero or turned somewhere further away
// from r: by the intermediate value theorem there is a point of rest in between, which, f being locally Lipschitz, is not
// passed, and a bounded solution goes on. The statement says nothing of a solution that ends in finite time.
func (q *question) escapes(x, r, lo, hi *kernel.Term) string {
	law := q.dyn.FlowOf(x)
	if law == nil || len(q.dyn.FlowLetters()) != 1 || !q.polynomialIn(law, x) {
		spare("not at rest, and not the motion of one variable by a polynomial")
	}
	q.meets(false, true)
	at, to, speed := q.number(x), q.steady(r), q.number(law)
	from, until := q.steady(lo), q.steady(hi)
	away := q.cmp(at, to) // the direction from r to x; the speed has one, too, since x is not at rest
	if q.cmp(at, from) <= 0 || q.cmp(at, until) >= 0 || q.sign(speed) != away {
		spare("the goal does not fail here")
	}
	if (&degrees{evaluator: q.evaluator, letters: map[*kernel.Term]int{x: 1}, bound: true}).of(law) <= 1 {
		return "moves away from " + q.text(to) + " with " + q.text(speed) + ", for ever"
	}
	further := []*number{from, until}
	for d := q.inv(integer(16)); len(further) < 32; d = q.mul(d, two) {
		further = append(further, q.add(at, q.mul(integer(int64(away)), d)))
	}
	for _, y := range further {
		if q.cmp(y, at) != away {
			continue
		}
		there := q.evaluator.at(map[*kernel.Symbol]matrix{x.Symbol(): {scalar: true, rows: 1, cols: 1, at: []jet{{y}}}})
		if q.sign(there.eval(law).at[0].base()) != away {
			return "moves away from " + q.text(to) + " with " + q.text(speed) + " and does not pass " + q.text(y)
		}
	}
	spare("moves away from the limit, and may end in finite time")
	return ""
}

// polynomialIn reports whether a term depends on the letter x and on constants only, on x as a polynomial.
func (q *question) polynomialIn(t, x *kernel.Term) bool {
	bad := func(t *kernel.Term) bool {
		q.spend(1)
		switch t.Head() {
		case kernel.Letter:
			return t != x && t.Symbol().Class() == kernel.State
		case kernel.Reciprocal, kernel.Root, kernel.Inverse:
			return reaches(t, map[*kernel.Term]bool{}, func(y *kernel.Term) bool { q.spend(1); return y == x })
		case kernel.Ddt, kernel.Next, kernel.At:
			return true
		}
		return false
	}
	seen := map[*kernel.Term]bool{}
	if reaches(t, seen, bad) {
		return false
	}
	for i := 0; i < q.dyn.Moments(); i++ {
		if _, _, m := q.dyn.Moment(i); reaches(m, seen, bad) {
			return false
		}
	}
	return true
}

// maxSteps is the number of steps of an orbit that are looked at.
const maxSteps = 12

// orbit refutes an orbit sequent by the orbit from the state, with inputs that stay as they are: hypotheses are checked
// at every step, as they are marked, and the statement speaks of orbits of any number of steps, so that it fails if
// it does at the last step reached. An orbit that returns to where it has been goes round for ever.
func (q *question) orbit(goal kernel.Formula) string {
	var letters []*kernel.Term
	for _, y := range q.dyn.Signature().Symbols() {
		if y.Class() == kernel.State {
			letters = append(letters, q.dyn.Signature().Lookup(y.Name()))
		}
	}
	fr, path := q.here, []*frame{}
	for k := 0; ; k++ {
		path = append(path, fr)
		if !q.possible(fr) {
			spare("the goal does not fail before no random columns have the declared moments")
		}
		if k > 0 {
			for _, h := range q.ctx.Hypotheses() {
				// Soundness: the orbit ends before the step at which a hypothesis that is assumed all along fails.
				if h.Mark() == kernel.Kept && !fr.judge(h.Formula()).Holds {
					spare("the goal does not fail in the %d steps before the hypothesis %s does", k-1, describe(h.Formula()))
				}
			}
			for j, old := range path[:k] {
				if limits := goal.Form() == kernel.Vanishes || goal.Form() == kernel.Tends; limits && same(letters, old, fr) {
					if reason := q.goesRound(goal, path[j:k]); reason != "" {
						return reason
					}
				}
			}
		}
		if reason := q.failsAt(goal, path); reason != "" {
			return fmt.Sprintf("after %d steps: %s", k, reason)
		}
		if k == maxSteps {
			spare("the goal does not fail in %d steps", k)
		}
		next := map[*kernel.Symbol]matrix{}
		for _, x := range letters {
			next[x.Symbol()] = fr.eval(x)
			if f := q.dyn.MapOf(x); f != nil {
				next[x.Symbol()] = fr.eval(f)
			}
		}
		fr = q.at(next)
	}
}

func same(letters []*kernel.Term, a, b *frame) bool {
	for _, x := range letters {
		if !a.difference(a.eval(x), b.eval(x)).isZero() {
			return false
		}
	}
	return true
}

// goesRound says how a statement about limits fails on an orbit that repeats these steps, or nothing.
func (q *question) goesRound(goal kernel.Formula, round []*frame) string {
	ts := goal.Terms()
	limit := q.shaped(ts[0])
	if goal.Form() == kernel.Tends {
		limit.at[0] = jet{q.steady(ts[1])}
		if x := q.number(ts[0]); q.cmp(x, q.steady(ts[2])) <= 0 || q.cmp(x, q.steady(ts[3])) >= 0 {
			return ""
		}
	}
	for _, fr := range round {
		if v := fr.eval(ts[0]); !q.difference(v, limit).isZero() {
			return "comes back to " + q.value(v).String() + " for ever"
		}
	}
	return ""
}

// failsAt says how a statement fails at the last of the steps, or nothing.
func (q *question) failsAt(goal kernel.Formula, path []*frame) string {
	ts, first, last := goal.Terms(), path[0], path[len(path)-1]
	factor := func() *number { return q.power(matrix{true, 1, 1, []jet{{q.steady(ts[1])}}}, len(path)-1).at[0].base() }
	all := func(fr *frame, good func(m matrix) bool) bool {
		for _, t := range ts {
			if !good(fr.eval(t)) {
				return false
			}
		}
		return true
	}
	stays := func(good func(m matrix) bool) string {
		if all(first, good) && !all(last, good) {
			return "does not stay"
		}
		return ""
	}
	switch goal.Form() {
	case kernel.Evolves, kernel.NormDecays, kernel.Decays:
		// A factor that moves is none, whatever L does; inputs stay as they are.
		if m := q.moves(ts[1]); m.states || m.inputs {
			a, b := first.eval(ts[1]), last.eval(ts[1])
			if q.difference(a, b).isZero() {
				return ""
			}
			return "the factor moves, from " + q.value(a).String() + " to " + q.value(b).String()
		}
	}
	switch goal.Form() {
	case kernel.Always:
		if j := last.judge(goal.Inner()); !j.Holds {
			return "fails: " + sides(j)
		}
	case kernel.Evolves:
		l, w := last.eval(ts[0]), q.scale(jet{factor()}, first.eval(ts[0]))
		if !q.difference(l, w).isZero() {
			return q.value(l).String() + " and not " + q.value(w).String()
		}
	case kernel.NormDecays, kernel.Decays:
		if c := q.steady(ts[1]); q.sign(c) < 0 {
			return "the factor is negative: " + q.text(c)
		}
		v, w, c := last.eval(ts[0]).at[0].base(), first.eval(ts[0]).at[0].base(), factor()
		if goal.Form() == kernel.NormDecays {
			l, m := last.eval(ts[0]), first.eval(ts[0])
			v, w, c = q.dot(l, l), q.dot(m, m), q.mul(c, c)
		}
		if bound := q.mul(c, w); q.cmp(v, bound) > 0 {
			return q.text(v) + " above the bound " + q.text(bound)
		}
	case kernel.StayZero:
		return stays(matrix.isZero)
	case kernel.StayNonnegative:
		return stays(func(m matrix) bool { return q.sign(m.at[0].base()) >= 0 })
	case kernel.StayPositive:
		return stays(func(m matrix) bool { return q.sign(m.at[0].base()) > 0 })
	case kernel.StaySemidefinite:
		return stays(func(m matrix) bool {
			psd, _ := q.definiteness(m)
			return psd && q.symmetric(m)
		})
	case kernel.Congruence: // Φ·L₀·Φᵀ is of the rank of L₀, and symmetric if L₀ is
		l, m := last.eval(ts[0]), first.eval(ts[0])
		if q.null(l).cols != q.null(m).cols || q.symmetric(m) && !q.symmetric(l) {
			return q.value(l).String() + " is not congruent to " + q.value(m).String()
		}
	}
	return ""
}
