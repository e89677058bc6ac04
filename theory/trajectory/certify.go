package trajectory

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"stopgrad/numeric/enclosure"
	"stopgrad/theory/kernel"
)

// Way says how the motions of a box are followed. It is a proposal: nothing in it is believed.
type Way struct {
	End       *big.Rat // at most until then, > 0
	Order     int      // of the Taylor series
	Steps     int      // at most
	Remainder int      // a step aims at a remainder of 2^-Remainder of the state's size
	Share     int      // and may widen a set by 2^-Share of its width
}

func (w Way) settings() *enclosure.Settings {
	return &enclosure.Settings{Order: w.Order, MaxSteps: w.Steps, MaxParts: 1, Tolerance: math.Ldexp(1, -w.Remainder), Share: math.Ldexp(1, -w.Share)}
}

func (w Way) fits() {
	switch {
	case w.End == nil || w.End.Sign() <= 0 || long(w.End):
		fail("an end time > 0, and no long fraction, is needed")
	case w.Order < 2 || w.Order > MaxOrder:
		fail("an order from 2 to %d is needed", MaxOrder)
	case w.Steps < 1 || w.Steps > MaxSteps:
		fail("from 1 to %d steps are needed", MaxSteps)
	case w.Remainder < 1 || w.Remainder > 60 || w.Share < 1 || w.Share > 60:
		fail("remainder and share are 2^-1 to 2^-60")
	}
}

// Step is one step of an argument, in preorder: a cut of the box in two, or what is said of a box:
//
//	flows   all motions from it are followed, as way Way says, until they are in trap Trap: the statement holds before and there
//	fails   hypothesis Hypothesis of Γ fails at the start, everywhere on the box
//	ends    all motions are followed to the end of way Way, where hypothesis Hypothesis, which is assumed all along, fails
type Step struct {
	Rule       string // cut, flows, fails or ends
	Coordinate string // of a cut,
	At         *big.Rat
	Way        int
	Trap       int
	Hypothesis int // those of Γ, then the premises that the statement itself has
}

// Argument says how a sequent is shown over its region.
type Argument struct {
	Ways  []Way
	Traps []*Trap
	Steps []Step
}

func (a Argument) clone() Argument {
	out := Argument{Steps: slices.Clone(a.Steps)}
	for _, w := range a.Ways {
		w.End = new(big.Rat).Set(w.End)
		out.Ways = append(out.Ways, w)
	}
	for _, t := range a.Traps {
		out.Traps = append(out.Traps, t.clone())
	}
	for i, s := range out.Steps {
		if s.At != nil {
			out.Steps[i].At = new(big.Rat).Set(s.At)
		}
	}
	return out
}

// Bounds of an argument.
const (
	MaxBoxes = 100_000 // steps
	maxDepth = 1_000   // cuts one within another
	maxTraps = 1_000
)

// Certified is a motion sequent that holds along every motion from the region that it states. Its zero value states nothing;
// [Certify] alone makes others.
type Certified struct{ s *established }

type established struct {
	ctx      *kernel.Context
	goal     kernel.Formula
	argument Argument
	leaves   int
}

// Valid reports whether anything is certified.
func (c Certified) Valid() bool { return c.s != nil }

// Context is Γ of the certified sequent, nil of the zero value.
func (c Certified) Context() *kernel.Context {
	if c.s == nil {
		return nil
	}
	return c.s.ctx
}

// Formula is φ of the certified sequent.
func (c Certified) Formula() kernel.Formula {
	if c.s == nil {
		return kernel.Formula{}
	}
	return c.s.goal
}

// Argument is a copy of the argument.
func (c Certified) Argument() Argument {
	if c.s == nil {
		return Argument{}
	}
	return c.s.argument.clone()
}

// Leaves is the number of boxes of the argument.
func (c Certified) Leaves() int {
	if c.s == nil {
		return 0
	}
	return c.s.leaves
}

// Certify makes a certified sequent of an argument for it, or says what is wrong with the argument.
func Certify(c *kernel.Context, goal kernel.Formula, a Argument) (Certified, error) {
	return new(Meter).Certify(c, goal, a)
}

// Meter counts the work of several arguments, which together take [MaxEffort] operations on intervals at most. Its zero value
// has counted nothing.
type Meter struct{ meter *enclosure.Meter }

// Certify is [Certify], with its work added to what the meter has counted.
func (m *Meter) Certify(c *kernel.Context, goal kernel.Formula, a Argument) (Certified, error) {
	if m.meter == nil {
		m.meter = enclosure.NewMeter(MaxEffort)
	}
	return certify(c, goal, a, m.meter, sound)
}

func certify(c *kernel.Context, goal kernel.Formula, a Argument, meter *enclosure.Meter, with checks) (out Certified, err error) {
	r, err := newRegion(c, goal, meter, with)
	if err != nil {
		return Certified{}, err
	}
	defer caught(&err)
	a.fits()
	k := &checker{r: r, a: a.clone()}
	k.walk(r.Box(), 0)
	// Soundness: nothing is left over, so that a step never counts for another box than it seems to.
	if k.at != len(a.Steps) {
		fail("a step too many")
	}
	// Soundness: the only place that makes certified sequents.
	return Certified{&established{c, goal, k.a, k.leaves}}, nil
}

func (a Argument) fits() {
	if len(a.Steps) > MaxBoxes || len(a.Traps) > maxTraps || len(a.Ways) > maxTraps {
		fail("more than %d steps, or %d traps or ways", MaxBoxes, maxTraps)
	}
	for _, w := range a.Ways {
		w.fits()
	}
	for _, t := range a.Traps {
		if t == nil {
			fail("a trap is wanted")
		}
	}
}

type checker struct {
	r      *Region
	a      Argument
	at     int
	leaves int
}

// walk follows the argument on a box.
func (k *checker) walk(box []Side, depth int) {
	// Soundness: a branch that is missing is a gap.
	if k.at >= len(k.a.Steps) {
		fail("the argument ends before every box has a leaf")
	}
	if depth > maxDepth {
		fail("more than %d cuts one within another", maxDepth)
	}
	x := k.a.Steps[k.at]
	k.at++
	if x.Rule != "cut" {
		k.leaves++
		if _, err := k.r.leaf(box, &k.a, x); err != nil {
			fail("step %d: %w", k.at, err)
		}
		return
	}
	i, ok := k.r.index[x.Coordinate]
	if !ok || x.At == nil || long(x.At) {
		fail("step %d: a cut is of a coordinate, at a number that is no long fraction", k.at)
	}
	// Soundness: the halves cover the box whatever the number; but a half must not be larger than the box, or its leaf would
	// say less than it seems.
	if x.At.Cmp(box[i].Lo) <= 0 || x.At.Cmp(box[i].Hi) >= 0 {
		fail("step %d: %s is not cut at %s, which is not inside of it", k.at, x.Coordinate, x.At.RatString())
	}
	lower, upper := slices.Clone(box), slices.Clone(box)
	lower[i].Hi, upper[i].Lo = x.At, x.At
	k.walk(lower, depth+1)
	k.walk(upper, depth+1)
}

// Look reports, for those who look for an argument, whether a leaf holds on a box: the error says why not, and cut, if there is
// one, is the coordinate across which the box is best cut, else −1. Nothing rests on the answer.
func (r *Region) Look(box []Side, a *Argument, s Step) (cut int, err error) {
	defer caught(&err)
	a.fits()
	r.fits(box)
	return r.leaf(box, a, s)
}

// leaf establishes what a leaf says of a box.
func (r *Region) leaf(box []Side, a *Argument, s Step) (cut int, err error) {
	cut = -1
	defer func() {
		// What refutes nothing shows nothing.
		var none *Unrefuted
		if errors.As(err, &none) {
			err = &Unshown{none.reason}
		}
	}()
	defer caught(&err)
	r.pay(len(r.sides))
	m := r.over(box)
	q := &question{Motion: m, sound: r.sound}
	if s.Rule == "fails" {
		// Soundness: whatever its mark, it is assumed at the start.
		q.end = new(big.Rat)
		q.tube, err = enclosure.Integrate(m.sys, r.start(m, box), q.end, q.end, nil)
		q.tooMuch()
		if err != nil {
			return cut, err
		}
		hyps := r.premises()
		if s.Hypothesis < 0 || s.Hypothesis >= len(hyps) {
			fail("there is no hypothesis %d", s.Hypothesis)
		}
		if q.failsAt(hyps[s.Hypothesis]) == "" {
			spare("hypothesis %d does not fail on the whole box at the start", s.Hypothesis)
		}
		if s.Hypothesis >= len(r.ctx.Hypotheses()) {
			if why := q.sound.valued(q, r.goal); why != "" {
				spare("%s", why)
			}
		}
		return cut, nil
	}
	if s.Rule != "flows" && s.Rule != "ends" {
		fail("there is no argument %q", s.Rule)
	}
	if s.Way < 0 || s.Way >= len(a.Ways) {
		fail("there is no way %d", s.Way)
	}
	w := a.Ways[s.Way]
	var places []enclosure.Place
	if s.Rule == "flows" {
		if s.Trap < 0 || s.Trap >= len(a.Traps) {
			fail("there is no trap %d", s.Trap)
		}
		if q.trap, err = m.trapped(a.Traps[s.Trap], r.sound); err != nil {
			return cut, err
		}
		if q.trap != nil {
			places = append(places, q.trap)
		}
	}
	tube, _, wide, err := enclosure.Into(m.sys, r.start(m, box), w.End, r.Widest, w.settings(), places...)
	q.tooMuch()
	if err != nil {
		return cut, err
	}
	q.tube, q.end = tube, tube.T1()
	cut = r.across(m, wide, box)
	if s.Rule == "flows" {
		// Soundness: from then on every motion is in the trap, for ever.
		inside := q.sound.inside(q.trap, q.tube)
		q.tooMuch()
		if !inside {
			spare("the motions are not seen to get into the trap")
		}
	} else {
		hyps := r.ctx.Hypotheses()
		if s.Hypothesis < 0 || s.Hypothesis >= len(hyps) || hyps[s.Hypothesis].Mark() != kernel.Kept {
			fail("hypothesis %d is not assumed all along", s.Hypothesis)
		}
		// Soundness: motions that meet it all along are over by then; they may be over before.
		if q.end.Cmp(w.End) != 0 {
			spare("the motions are not followed to their end")
		}
		if q.failsAt(hyps[s.Hypothesis].Formula()) == "" {
			spare("hypothesis %d does not fail for all motions at the end", s.Hypothesis)
		}
	}
	if why := q.shows(r.goal); why != "" {
		spare("%s", why)
	}
	return cut, nil
}

// Unshown says why a leaf does not hold, where the question could be put.
type Unshown struct{ reason string }

// Error says why.
func (e *Unshown) Error() string { return "trajectory: not shown: " + e.reason }

// pay counts the work of a question of n numbers.
func (r *Region) pay(n int) {
	if err := r.meter.Spend(asking + 64*int64(n)); err != nil {
		fail("%w", err)
	}
}

// across is the coordinate of a variable or parameter of the system, −1 if it has none that can be cut.
func (r *Region) across(m *Motion, k int, box []Side) int {
	name := ""
	if wide := m.sys.Wide(); k < len(m.entries) {
		name = m.entries[k].name
	} else if k -= len(m.entries); k < len(wide) {
		name = wide[k]
	}
	if i, ok := r.index[name]; ok && !box[i].point() {
		return i
	}
	return -1
}

// trapped establishes a trap, once.
func (m *Motion) trapped(t *Trap, with checks) (*enclosure.Trap, error) {
	if x, ok := m.traps[t]; ok {
		return x.trap, x.err
	}
	t.fits(len(m.entries))
	trap, err := with.trap(m, t)
	m.tooMuch()
	if m.traps == nil || len(m.traps) > maxTraps {
		m.traps = map[*Trap]*trapped{}
	}
	m.traps[t] = &trapped{trap: trap, err: err}
	return trap, err
}

// trapped is what was found of a trap.
type trapped struct {
	trap *enclosure.Trap
	err  error
	sink *bool
}

// Premises is how many hypotheses a leaf may find to fail at the start.
func (r *Region) Premises() (n int, err error) {
	defer caught(&err)
	return len(r.premises()), nil
}

// premises are the hypotheses of Γ and what the statement itself assumes at the start.
func (r *Region) premises() (out []kernel.Formula) {
	for _, h := range r.ctx.Hypotheses() {
		out = append(out, h.Formula())
	}
	q := &question{Motion: &Motion{dyn: r.dyn}}
	switch ts := r.goal.Terms(); r.goal.Form() {
	case kernel.StayNonnegative, kernel.StayPositive:
		for _, t := range ts {
			out = append(out, q.stays(r.goal.Form(), t))
		}
	case kernel.Tends:
		for _, side := range [][2]*kernel.Term{{ts[0], ts[2]}, {ts[3], ts[0]}} {
			f, err := kernel.NewFormula(kernel.Greater, side[0], side[1])
			if err != nil {
				fail("%v", err)
			}
			out = append(out, f)
		}
	}
	return out
}

// valued says why what the goal speaks of is not seen to have a value all along every motion from a box, of which only the start
// is enclosed; nothing if it is.
//
// Soundness: the partial reading. Where not the hypotheses fail but what the statement itself supposes of the start, motions
// meet Γ, and every term has to have a value along them: one that does not move has it where it has it at the start, and what
// moves has none that could be lost.
func (q *question) valued(goal kernel.Formula) string {
	for _, t := range goal.Terms() {
		moves, err := q.dyn.Moves(t)
		if err != nil {
			fail("%v", err)
		}
		parts, err := q.dyn.Parts(t)
		if err != nil {
			fail("%v", err)
		}
		partial := slices.ContainsFunc(parts, func(u *kernel.Term) bool {
			return mentions(u, func(v *kernel.Term) bool {
				return v.Head() == kernel.Reciprocal || v.Head() == kernel.Root || v.Head() == kernel.Inverse
			})
		})
		if partial && (moves || !q.defined(t)) {
			return kernel.Print(t) + " is not seen to have a value all along"
		}
	}
	return ""
}

// shows says why the goal is not seen to hold along all motions of the tube, and in the trap from then on; nothing if it is.
//
// Soundness: a motion on [0, T) is the one that is enclosed, as far as it goes: the right-hand sides are rational. Where it
// ends, by itself or because an assumption fails, the statement says nothing more.
func (q *question) shows(goal kernel.Formula) string {
	ts := goal.Terms()
	always := func(f kernel.Formula) string {
		var ms []enclosure.Matrix
		for _, t := range f.Terms() {
			if !q.defined(t) {
				return "a divisor in " + kernel.Print(t) + " may vanish"
			}
			ms = append(ms, q.term(t))
		}
		if f.Form() == kernel.Equal || f.Form() == kernel.Within || f.Form() == kernel.Diagonal || f.Form() == kernel.Absurd || !q.strictly(f, ms) {
			return describe(f) + " is not seen to hold all along"
		}
		return ""
	}
	switch goal.Form() {
	case kernel.Always:
		return always(goal.Inner())
	case kernel.StayNonnegative, kernel.StayPositive:
		for _, t := range ts {
			if why := always(q.stays(goal.Form(), t)); why != "" {
				return why
			}
		}
		return ""
	case kernel.Vanishes:
		return q.limit(ts[0], ts, func(i, j int) enclosure.Expr { return q.term(ts[0]).At(i, j) })
	case kernel.Tends:
		for _, t := range ts[1:] {
			if moves, err := q.dyn.Moves(t); err != nil || moves {
				fail("%s moves and is no bound", kernel.Print(t))
			}
		}
		return q.limit(ts[0], ts, func(i, j int) enclosure.Expr { return q.term(ts[0]).At(i, j).Sub(q.term(ts[1]).At(0, 0)) })
	}
	fail("%s is not certified along motions", goal.Form())
	return ""
}

// limit says why the entries e of the shape of a term are not seen to tend to zero along all motions that last for ever.
func (q *question) limit(like *kernel.Term, ts []*kernel.Term, e func(i, j int) enclosure.Expr) string {
	for _, t := range ts {
		if !q.defined(t) {
			return "a divisor in " + kernel.Print(t) + " may vanish"
		}
	}
	if q.trap == nil {
		return "" // none lasts
	}
	defer q.tooMuch()
	if !q.sinks() {
		return "not every motion in the trap is seen to tend to its centre"
	}
	return each(q.term(like), func(i, j int, _ enclosure.Expr) string {
		if !q.sound.vanishes(q.trap, e(i, j)) {
			return place(like, i, j) + " is not seen to be at its limit in the centre of the trap"
		}
		return ""
	})
}

// Rests reports, for those who look for traps, whether the goal holds of motions that stay in one. Nothing rests on the answer.
func (r *Region) Rests(m *Motion, trap *enclosure.Trap) bool {
	var err error
	why := "a failure"
	func() {
		defer caught(&err)
		with := r.sound
		with.along = func(*enclosure.Tube, enclosure.Expr) bool { return true }
		why = (&question{Motion: m, sound: with, trap: trap}).shows(r.goal)
	}()
	return err == nil && why == ""
}

// sinks reports whether every motion in the trap tends to its centre.
func (q *question) sinks() bool {
	for _, x := range q.traps {
		if x.trap == q.trap {
			if x.sink == nil {
				s := q.sound.sinks(q.trap)
				x.sink = &s
			}
			return *x.sink
		}
	}
	return q.sound.sinks(q.trap)
}

// String renders a step.
func (s Step) String() string {
	switch s.Rule {
	case "cut":
		return fmt.Sprintf("cut %s %s", s.Coordinate, s.At.RatString())
	case "flows":
		return fmt.Sprintf("flows %d %d", s.Way, s.Trap)
	case "fails":
		return fmt.Sprintf("fails %d", s.Hypothesis)
	}
	return fmt.Sprintf("%s %d %d", s.Rule, s.Way, s.Hypothesis)
}
