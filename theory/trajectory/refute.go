package trajectory

import (
	"fmt"
	"math/big"
	"strings"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// Course says until when a motion is followed and where it ends up. It is a proposal: nothing in it is believed.
type Course struct {
	End   *big.Rat // the end time, > 0
	Order int      // of the Taylor series
	Steps int      // at most
	Trap  *Trap    // for statements about limits
}

// Trap is the set of the states x with Lo ≤ Rows·x ≤ Hi, over the entries that move in the order of [Motion.Names].
type Trap struct {
	Rows   [][]*big.Rat
	Lo, Hi []*big.Rat
}

// Bounds of a course.
const (
	MaxOrder = 40
	MaxSteps = 20_000
	maxCells = 1 << 16 // boxes that a trap is cut into, for each side and each question
	maxMinor = 8       // rows of a matrix whose definiteness is looked at
	depth    = 14      // of the halvings of a step on which a hypothesis is looked at
)

// Refutation is a motion along which a sequent fails. Its zero value refutes nothing. [Refute] alone makes others.
type Refutation struct{ s *sealed }

type sealed struct {
	ctx    *kernel.Context
	goal   kernel.Formula
	state  *model.State
	course Course
	keeps  []kernel.Theorem
	reason string
}

// Valid reports whether anything is refuted.
func (r Refutation) Valid() bool { return r.s != nil }

// Context is Γ of the refuted sequent, nil of the zero Refutation.
func (r Refutation) Context() *kernel.Context {
	if r.s == nil {
		return nil
	}
	return r.s.ctx
}

// Formula is φ of the refuted sequent.
func (r Refutation) Formula() kernel.Formula {
	if r.s == nil {
		return kernel.Formula{}
	}
	return r.s.goal
}

// State is where the motion starts, nil of the zero Refutation. It is a copy.
func (r Refutation) State() *model.State {
	if r.s == nil {
		return nil
	}
	st := *r.s.state
	return &st
}

// Course is a copy of what was followed.
func (r Refutation) Course() Course {
	if r.s == nil {
		return Course{}
	}
	return r.s.course.clone()
}

// Keeps is a copy of the theorems that were needed.
func (r Refutation) Keeps() []kernel.Theorem {
	if r.s == nil {
		return nil
	}
	return append([]kernel.Theorem(nil), r.s.keeps...)
}

// Reason says in numbers how the sequent fails.
func (r Refutation) Reason() string {
	if r.s == nil {
		return ""
	}
	return r.s.reason
}

func (c Course) clone() Course {
	out := c
	if c.End != nil {
		out.End = new(big.Rat).Set(c.End)
	}
	out.Trap = c.Trap.clone()
	return out
}

func (t *Trap) clone() *Trap {
	if t == nil {
		return nil
	}
	out := &Trap{Lo: copied(t.Lo), Hi: copied(t.Hi)}
	for _, r := range t.Rows {
		out.Rows = append(out.Rows, copied(r))
	}
	return out
}

func copied(xs []*big.Rat) []*big.Rat {
	out := make([]*big.Rat, len(xs))
	for i, x := range xs {
		if x != nil {
			out[i] = new(big.Rat).Set(x)
		}
	}
	return out
}

// Unrefuted says why a course refutes nothing.
type Unrefuted struct{ reason string }

// Error says why.
func (e *Unrefuted) Error() string { return "trajectory: not refuted: " + e.reason }

func spare(format string, args ...any) { panic(&failure{&Unrefuted{fmt.Sprintf(format, args...)}}) }

// checks are the places where the soundness of a refutation is decided. They are fields so that the tests can break them
// one by one and see that they notice.
type checks struct {
	// elapsed encloses the end time.
	elapsed func(end *big.Rat) interval.Interval
	// along decides whether e > 0 on the whole tube.
	along func(t *enclosure.Tube, e enclosure.Expr) bool
	// trap establishes a trap.
	trap func(m *Motion, t *Trap) (*enclosure.Trap, error)
	// inside decides whether the motion ends in the trap.
	inside func(trap *enclosure.Trap, tube *enclosure.Tube) bool
	// throughout decides whether e > 0 everywhere in the trap.
	throughout func(trap *enclosure.Trap, e enclosure.Expr) bool
	// sinks decides whether every motion in the trap tends to its centre.
	sinks func(trap *enclosure.Trap) bool
	// vanishes decides whether e is zero there.
	vanishes func(trap *enclosure.Trap, e enclosure.Expr) bool
	// valued says of what the goal speaks of why it may have no value where the goal's own premise fails.
	valued func(q *question, goal kernel.Formula) string
}

var sound = checks{
	elapsed: interval.FromRat,
	along: func(t *enclosure.Tube, e enclosure.Expr) bool {
		a, err := t.Positive(e, depth)
		return err == nil && a.Verdict == enclosure.Holds
	},
	trap: func(m *Motion, t *Trap) (*enclosure.Trap, error) {
		return enclosure.NewTrap(m.sys, t.Rows, t.Lo, t.Hi, maxCells)
	},
	inside:     func(trap *enclosure.Trap, tube *enclosure.Tube) bool { return trap.Contains(tube) },
	throughout: func(trap *enclosure.Trap, e enclosure.Expr) bool { return trap.Positive(e) },
	sinks:      func(trap *enclosure.Trap) bool { return trap.Sink() },
	vanishes:   func(trap *enclosure.Trap, e enclosure.Expr) bool { return trap.Vanishes(e) },
	valued:     (*question).valued,
}

// Refute follows the motion from the state and makes the refutation of Γ ⊢ goal that it is, or says why it is none, by
// an [*Unrefuted] where the question could be put. The package comment has what is established.
func Refute(c *kernel.Context, goal kernel.Formula, st *model.State, course Course, keeps ...kernel.Theorem) (r Refutation, err error) {
	return refute(c, goal, st, course, keeps, sound)
}

func refute(c *kernel.Context, goal kernel.Formula, st *model.State, course Course, keeps []kernel.Theorem, sound checks) (r Refutation, err error) {
	defer caught(&err)
	course = course.clone()
	m := follow(c, st, keeps)
	if !goal.Form().Temporal() || goal.Same(kernel.Formula{}) {
		fail("a motion sequent states nothing of this form")
	}
	for _, t := range append(goal.Terms(), goal.Inner().Terms()...) {
		if t.Signature() != c.Signature() {
			fail("the formula is of another signature")
		}
	}
	for _, h := range c.Hypotheses() {
		if err := m.holds(h.Formula()); err != nil {
			spare("the hypothesis %s at the start: %v", describe(h.Formula()), err)
		}
	}
	q := &question{Motion: m, sound: sound, end: course.End, tube: m.enclose(course)}
	if goal.Form() == kernel.Vanishes || goal.Form() == kernel.Tends {
		q.enter(course.Trap)
	} else if course.Trap != nil {
		fail("a trap is for statements about limits")
	}
	for _, x := range m.dyn.FlowLetters() {
		// Soundness: 0·(1/x) has no value where x = 0, whatever it is written out as.
		if !q.defined(m.dyn.FlowOf(x)) {
			spare("a divisor in the equation of %s may vanish", kernel.Print(x))
		}
	}
	for _, h := range c.Hypotheses() {
		// Soundness: assumed at all times, of what moves.
		if h.Mark() == kernel.Kept && !q.lasts(h.Formula()) {
			spare("the hypothesis %s is not seen to hold all along", describe(h.Formula()))
		}
	}
	reason := q.fails(goal)
	// Soundness: the only place that makes refutations.
	kept := *st
	return Refutation{&sealed{c, goal, &kept, course, m.needed(), reason}}, nil
}

// enclose follows the motion up to the end time.
func (m *Motion) enclose(course Course) *enclosure.Tube {
	switch {
	case course.End == nil || course.End.Sign() <= 0 || long(course.End):
		fail("an end time > 0, and no long fraction, is needed")
	case course.Order < 2 || course.Order > MaxOrder:
		fail("an order from 2 to %d is needed", MaxOrder)
	case course.Steps < 1 || course.Steps > MaxSteps:
		fail("from 1 to %d steps are needed", MaxSteps)
	}
	box := make([]interval.Interval, len(m.start))
	for i, x := range m.start {
		box[i] = interval.FromRat(x)
	}
	tube, err := enclosure.Integrate(m.sys, box, new(big.Rat), course.End,
		&enclosure.Settings{Order: course.Order, MaxSteps: course.Steps, MaxParts: 1})
	m.tooMuch()
	if err != nil {
		spare("%v", err)
	}
	return tube
}

// question is one statement about one enclosed motion.
type question struct {
	*Motion
	sound checks
	end   *big.Rat
	tube  *enclosure.Tube
	trap  *enclosure.Trap // of statements about limits
}

// enter establishes that the motion ends in a trap.
func (q *question) enter(t *Trap) {
	if t == nil {
		spare("a statement about limits needs a trap")
	}
	t.fits(len(q.start))
	var err error
	q.trap, err = q.sound.trap(q.Motion, t)
	q.tooMuch()
	if err != nil {
		spare("%v", err)
	}
	inside := q.sound.inside(q.trap, q.tube)
	q.tooMuch()
	if !inside {
		spare("the motion is not seen to be in the trap at the end time")
	}
}

// fits requires a trap of n coordinates whose numbers are no long fractions.
func (t *Trap) fits(n int) {
	ok := len(t.Rows) == n && len(t.Lo) == n && len(t.Hi) == n
	for _, r := range t.Rows {
		ok = ok && len(r) == n
	}
	if !ok {
		fail("a trap has as many coordinates as entries move, %d", n)
	}
	for _, xs := range append(t.Rows, t.Lo, t.Hi) {
		for _, x := range xs {
			if x == nil || long(x) {
				fail("the numbers of a trap are there, and no long fractions")
			}
		}
	}
}

// lasts reports whether a state formula holds all along: on the whole enclosure and, where the statement is about limits, in
// the trap, strictly; or because nothing in it moves; or by a theorem.
func (q *question) lasts(f kernel.Formula) bool {
	if q.kept(f) {
		return true
	}
	ts := f.Terms()
	var ms []enclosure.Matrix
	fixed := true
	for _, t := range ts {
		if !q.defined(t) {
			return false
		}
		v := q.term(t)
		ms = append(ms, v)
		fixed = fixed && constant(v)
	}
	return fixed || q.strictly(f, ms) // it holds at the start
}

// strictly reports whether a state formula, whose terms are ms, holds all along, with room.
func (q *question) strictly(f kernel.Formula, ms []enclosure.Matrix) bool {
	difference := func() enclosure.Expr { return ms[0].At(0, 0).Sub(ms[1].At(0, 0)) }
	switch f.Form() {
	case kernel.AtLeast, kernel.Greater:
		return q.positive(difference())
	case kernel.Unequal:
		return q.nonzero(difference())
	case kernel.Semidefinite, kernel.Definite:
		return symmetric(ms[0]) && q.small(ms[0]) && q.all(ms[0].Leading())
	case kernel.Invertible:
		return q.small(ms[0]) && q.nonzero(ms[0].Det())
	}
	return false
}

// small reports whether minors are worth writing out, and counts that.
func (q *question) small(m enclosure.Matrix) bool {
	rows, _ := m.Dims()
	if rows > maxMinor {
		return false
	}
	q.spend(rows << rows)
	return true
}

// defined reports whether a term is seen to have a value all along: no divisor vanishes in what it stands for, nor in what
// was differentiated, stepped or substituted on the way, equations of motion included.
//
// Soundness: a divisor that is gone from the term that is left, as y is from ddt(0/y) or from next(x) under x+ = x + 0/y,
// stands in one of these parts.
func (q *question) defined(t *kernel.Term) bool {
	parts, err := q.dyn.Parts(t)
	if err != nil {
		fail("%v", err)
	}
	ok := true
	seen := map[*kernel.Term]bool{}
	var visit func(u *kernel.Term)
	visit = func(u *kernel.Term) {
		if !ok || seen[u] {
			return
		}
		seen[u] = true
		switch u.Head() {
		case kernel.Reciprocal:
			ok = q.nonzero(q.find(u.Arg(0)).At(0, 0))
		case kernel.Root, kernel.Inverse:
			// Of a root it is enough that it can be written out: then the radicand is a nonnegative number.
			q.find(u)
		}
		for i := range u.Len() {
			visit(u.Arg(i))
		}
	}
	for _, u := range parts {
		visit(u)
	}
	return ok
}

func (q *question) nonzero(e enclosure.Expr) bool {
	if v, ok := e.Rational(); ok {
		return v.Sign() != 0
	}
	return q.positive(e) || q.positive(e.Neg())
}

// constant reports whether every entry is a number.
func constant(m enclosure.Matrix) bool {
	rows, cols := m.Dims()
	for i := range rows {
		for j := range cols {
			if _, ok := m.At(i, j).Rational(); !ok {
				return false
			}
		}
	}
	return true
}

// symmetric reports whether opposite entries are one expression.
func symmetric(m enclosure.Matrix) bool {
	rows, cols := m.Dims()
	for i := range rows {
		for j := range i {
			if rows != cols || m.At(i, j) != m.At(j, i) {
				return false
			}
		}
	}
	return rows == cols
}

func (q *question) all(es []enclosure.Expr) bool {
	for _, e := range es {
		if !q.positive(e) {
			return false
		}
	}
	return true
}

// positive reports whether e > 0 all along.
func (q *question) positive(e enclosure.Expr) bool {
	if v, ok := e.Rational(); ok {
		return v.Sign() > 0
	}
	return q.along(e) && (q.trap == nil || q.throughout(e))
}

// along decides whether e > 0 on the whole tube.
func (q *question) along(e enclosure.Expr) bool {
	defer q.tooMuch()
	return q.sound.along(q.tube, e)
}

// throughout decides whether e > 0 everywhere in the trap.
func (q *question) throughout(e enclosure.Expr) bool {
	defer q.tooMuch()
	return q.sound.throughout(q.trap, e)
}

// at encloses an expression at a time.
func (q *question) at(e enclosure.Expr, t *big.Rat) interval.Interval {
	v, err := q.tube.EvalAt(e, t)
	q.tooMuch()
	if err != nil {
		spare("%v", err)
	}
	return v
}

// steady encloses a rate, which does not move.
func (q *question) steady(c *kernel.Term) interval.Interval {
	moves, err := q.dyn.Moves(c)
	if err != nil || moves {
		fail("%s moves and is no rate", kernel.Print(c))
	}
	return q.at(q.term(c).At(0, 0), new(big.Rat))
}

// each calls f with every entry of m until it returns a reason.
func each(m enclosure.Matrix, f func(i, j int, e enclosure.Expr) string) string {
	rows, cols := m.Dims()
	for i := range rows {
		for j := range cols {
			if reason := f(i, j, m.At(i, j)); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func place(t *kernel.Term, i, j int) string {
	if t.Scalar() {
		return kernel.Print(t)
	}
	return fmt.Sprintf("entry (%d, %d) of %s", i+1, j+1, kernel.Print(t))
}

// fails says how the goal fails, or spares it.
func (q *question) fails(goal kernel.Formula) string {
	ts := goal.Terms()
	zero := new(big.Rat)
	when := "at time " + q.end.RatString() + ": "
	reason := ""
	switch goal.Form() {
	case kernel.Always:
		reason = q.failsAt(goal.Inner())
	case kernel.Evolves:
		grown := q.steady(ts[1]).Mul(q.sound.elapsed(q.end)).Exp()
		reason = each(q.term(ts[0]), func(i, j int, e enclosure.Expr) string {
			v, w := q.at(e, q.end), grown.Mul(q.at(e, zero))
			if v.Disjoint(w) {
				return fmt.Sprintf("%s is in %v and not in %v", place(ts[0], i, j), v, w)
			}
			return ""
		})
	case kernel.NormDecays, kernel.Decays:
		e, c, what := q.term(ts[0]).At(0, 0), q.steady(ts[1]).Neg().Mul(q.sound.elapsed(q.end)), kernel.Print(ts[0])
		if goal.Form() == kernel.NormDecays {
			e, c, what = q.term(ts[0]).SumSquares(), c.Add(c), "the squared norm of "+what
		}
		v, w := q.at(e, q.end), c.Exp().Mul(q.at(e, zero))
		if v.Lo() > w.Hi() {
			reason = fmt.Sprintf("%s is in %v, above the bound in %v", what, v, w)
		}
	case kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive, kernel.StaySemidefinite:
		for _, t := range ts {
			if err := q.holds(q.stays(goal.Form(), t)); err != nil {
				spare("%s at the start: %v", kernel.Print(t), err)
			}
		}
		for _, t := range ts {
			if reason = q.failsAt(q.stays(goal.Form(), t)); reason != "" {
				break
			}
		}
	case kernel.Vanishes:
		when = "from time " + q.end.RatString() + " on: "
		reason = each(q.term(ts[0]), func(i, j int, e enclosure.Expr) string { return q.apart(place(ts[0], i, j), "0", e) })
	case kernel.Tends:
		for i, side := range [][2]*kernel.Term{{ts[0], ts[2]}, {ts[3], ts[0]}} {
			f, err := kernel.NewFormula(kernel.Greater, side[0], side[1])
			if err == nil {
				err = q.holds(f)
			}
			if err != nil {
				spare("bound %d at the start: %v", i+1, err)
			}
		}
		q.steady(ts[1])
		when = "from time " + q.end.RatString() + " on: "
		reason = q.apart(kernel.Print(ts[0]), kernel.Print(ts[1]), q.term(ts[0]).At(0, 0).Sub(q.term(ts[1]).At(0, 0)))
	default:
		fail("%s is not looked at along a motion", goal.Form())
	}
	if reason == "" {
		spare("the goal is not seen to fail")
	}
	return when + reason
}

// apart says that e, the difference of two quantities, keeps its sign in the trap.
func (q *question) apart(what, from string, e enclosure.Expr) string {
	switch {
	case q.throughout(e):
		return what + " stays above " + from
	case q.throughout(e.Neg()):
		return what + " stays below " + from
	}
	return ""
}

// stays is what “L stays …” says of L at one time.
func (q *question) stays(form kernel.Form, t *kernel.Term) kernel.Formula {
	sig := q.dyn.Signature()
	make := func(form kernel.Form, ts ...*kernel.Term) kernel.Formula {
		f, err := kernel.NewFormula(form, ts...)
		if err != nil {
			fail("%v", err)
		}
		return f
	}
	if form == kernel.StaySemidefinite {
		return make(kernel.Semidefinite, t)
	}
	var zero *kernel.Term
	var err error
	if t.Scalar() {
		zero, err = sig.Number(new(big.Rat))
	} else {
		r, c := t.Shape()
		zero, err = sig.ZeroOf(r, c)
	}
	if err != nil {
		fail("%v", err)
	}
	return make(map[kernel.Form]kernel.Form{kernel.StayZero: kernel.Equal, kernel.StayNonnegative: kernel.AtLeast, kernel.StayPositive: kernel.Greater}[form], t, zero)
}

// failsAt says how a state formula fails at the end time, or nothing.
func (q *question) failsAt(f kernel.Formula) string {
	ts := f.Terms()
	between := func() (interval.Interval, string) {
		a, b := q.term(ts[0]).At(0, 0), q.term(ts[1]).At(0, 0)
		return q.at(a.Sub(b), q.end), fmt.Sprintf("%s is in %v, %s in %v", kernel.Print(ts[0]), q.at(a, q.end), kernel.Print(ts[1]), q.at(b, q.end))
	}
	switch f.Form() {
	case kernel.Equal:
		return each(q.term(ts[0]).Sub(q.term(ts[1])), func(i, j int, e enclosure.Expr) string {
			if v := q.at(e, q.end); !v.Contains(0) {
				return fmt.Sprintf("%s minus its other side is in %v", place(ts[0], i, j), v)
			}
			return ""
		})
	case kernel.AtLeast:
		if v, says := between(); v.Negative() {
			return says
		}
	case kernel.Greater:
		if v, says := between(); v.NonPositive() {
			return says
		}
	case kernel.Semidefinite, kernel.Definite:
		p := q.term(ts[0])
		if !q.small(p) {
			fail("the definiteness of more than %d rows is not looked at", maxMinor)
		}
		// vᵀPv is that of the symmetric part.
		for k, minor := range p.Add(p.T()).Leading() {
			if v := q.at(minor, q.end); v.Negative() {
				return fmt.Sprintf("leading minor %d of twice the symmetric part of %s is in %v", k+1, kernel.Print(ts[0]), v)
			}
		}
	case kernel.Absurd:
		return "a motion that meets all hypotheses"
	}
	return ""
}

func describe(f kernel.Formula) string {
	var ts []string
	for _, t := range f.Terms() {
		ts = append(ts, kernel.Print(t))
	}
	return f.Form().String() + "(" + strings.Join(ts, ", ") + ")"
}
