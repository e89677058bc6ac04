package region

import (
	"fmt"
	"math/big"
	"slices"

	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
)

// Step is one step of an argument, in preorder: a split, or a leaf.
type Step struct {
	// Rule is split, interval, slope, bernstein, exact, outside or theorem.
	Rule string
	// Coordinate and At say where a split cuts.
	Coordinate string
	At         *big.Rat
	// Hypothesis is the number, among the conditions that the hypotheses say, of the one that fails outside, and By the rule
	// by which it does.
	Hypothesis int
	By         string
	// Theorem establishes the formula on the box.
	Theorem kernel.Theorem
}

// The limits of an argument.
const (
	MaxSteps = 400_000
	maxDepth = 2_000
)

// Certified is a sequent that holds at every point of the region that it states. Its zero value states nothing; [Check]
// alone makes others.
type Certified struct{ s *sealed }

type sealed struct {
	ctx    *kernel.Context
	goal   kernel.Formula
	sheds  []Shed
	steps  []Step
	leaves int
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

// Sheds are what was taken off the matrix of the formula.
func (c Certified) Sheds() []Shed {
	if c.s == nil {
		return nil
	}
	return append([]Shed(nil), c.s.sheds...)
}

// Steps is a copy of the argument.
func (c Certified) Steps() []Step {
	if c.s == nil {
		return nil
	}
	return copied(c.s.steps)
}

// copied are steps that share nothing that can be changed.
func copied(steps []Step) []Step {
	out := slices.Clone(steps)
	for i, s := range steps {
		if s.At != nil {
			out[i].At = new(big.Rat).Set(s.At)
		}
	}
	return out
}

// Leaves is the number of boxes of the argument.
func (c Certified) Leaves() int {
	if c.s == nil {
		return 0
	}
	return c.s.leaves
}

// Fault says at which step an argument fails and why.
type Fault struct {
	Step   int // len(steps) where the argument ends too early
	Reason string
}

// Error renders the fault.
func (f *Fault) Error() string { return fmt.Sprintf("region: step %d: %s", f.Step+1, f.Reason) }

// Check makes a certified sequent of an argument for it, or says what is wrong with the argument: a [*Fault].
func Check(c *kernel.Context, goal kernel.Formula, sheds []Shed, steps []Step) (out Certified, err error) {
	return new(Meter).Check(c, goal, sheds, steps)
}

// Check is [Check], with its work added to what the meter has counted.
func (m *Meter) Check(c *kernel.Context, goal kernel.Formula, sheds []Shed, steps []Step) (out Certified, err error) {
	s, err := m.State(c, goal, sheds...)
	if err != nil {
		return Certified{}, err
	}
	k := &checker{s: s}
	var box []iv
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *fault:
			out, err = Certified{}, &Fault{k.at, r.msg}
		default:
			panic(r)
		}
	}()
	if len(steps) > MaxSteps {
		refuse("more than %d steps", MaxSteps)
	}
	k.steps = copied(steps)
	for _, cond := range s.conditions {
		if box == nil {
			box = s.outward(s.sides)
		}
		k.cond, k.prog = cond, s.compile(cond.Expr)
		k.charge(8 * len(s.sides))
		k.walk(&leaf{sides: slices.Clone(s.sides), box: slices.Clone(box)}, 0)
	}
	// Soundness: nothing is left over, so that a step never counts for another condition than it seems to.
	if k.at != len(k.steps) {
		refuse("a step too many")
	}
	return Certified{&sealed{c, goal, slices.Clone(sheds), k.steps, k.leaves}}, nil
}

type checker struct {
	s      *Statement
	steps  []Step
	at     int
	cond   Condition
	prog   *program
	leaves int
}

func (k *checker) charge(n int) { k.s.meter.charge(n) }

// walk follows the argument for the present condition on a box.
func (k *checker) walk(l *leaf, depth int) {
	// Soundness: a branch that is missing is a gap.
	if k.at >= len(k.steps) {
		refuse("the argument ends before every box has a leaf")
	}
	if depth > maxDepth {
		refuse("more than %d splits one within another", maxDepth)
	}
	x := k.steps[k.at]
	if x.Rule != "split" {
		k.leaf(l, x)
		k.leaves++
		k.at++
		return
	}
	i := slices.Index(k.s.names, x.Coordinate)
	if i < 0 || x.At == nil {
		refuse("there is no coordinate %q", x.Coordinate)
	}
	d := l.sides[i]
	// Soundness: the halves cover the box whatever the number; but a half must not be larger than the box, or its leaf
	// would say less than it seems.
	if d.Lo != nil && x.At.Cmp(d.Lo) <= 0 || d.Hi != nil && x.At.Cmp(d.Hi) >= 0 {
		refuse("%s is not cut at %s, which is not inside of it", x.Coordinate, x.At.RatString())
	}
	k.charge(len(k.s.names)/8 + effort(x.At))
	at := new(big.Rat).Set(x.At)
	k.at++
	lower, upper := d, d
	lower.Hi, lower.HiOpen = at, false
	upper.Lo, upper.LoOpen = at, false
	old := l.box[i]
	for _, half := range []Side{lower, upper} {
		l.sides[i] = half
		l.box[i] = k.s.outward([]Side{half})[0]
		k.walk(l, depth+1)
	}
	l.sides[i], l.box[i] = d, old
}

// outward is a box in float64 numbers, rounded outward.
func (s *Statement) outward(sides []Side) []iv {
	out := make([]iv, len(sides))
	for i, d := range sides {
		s.meter.charge(d.effort())
		v, err := interval.FromRats(d.Lo, d.Hi)
		if err != nil {
			refuse("%v", err)
		}
		out[i] = v
	}
	return out
}

// leaf requires that the argument of a leaf holds.
func (k *checker) leaf(l *leaf, x Step) {
	switch x.Rule {
	case "outside":
		if x.Hypothesis < 0 || x.Hypothesis >= len(k.s.hypotheses) {
			refuse("there is no hypothesis %d", x.Hypothesis)
		}
		h := k.s.hypotheses[x.Hypothesis]
		if !k.shows(x.By, h, k.s.compiled(h.Expr), l, true) {
			refuse("by %q hypothesis %d does not fail on the whole box", x.By, x.Hypothesis)
		}
	case "theorem":
		k.theorem(l, x.Theorem)
	default:
		if !k.shows(x.Rule, k.cond, k.prog, l, false) {
			refuse("by %q the condition does not follow on the box", x.Rule)
		}
	}
}

// shows reports whether a condition holds on the box, or if negated fails on all of it, by a rule.
func (k *checker) shows(rule string, c Condition, p *program, l *leaf, negated bool) bool {
	switch rule {
	case "interval":
		k.charge(p.work)
		return holds(p.last(l.box), c.Rel, negated)
	case "slope":
		k.charge(p.slopeWork(l, c.Rel))
		return p.sloped(l, c.Rel, negated)
	case "bernstein":
		return signed(k.s, c, l, outward, negated, k.charge)
	case "exact":
		return signed(k.s, c, l, exactly, negated, k.charge)
	}
	refuse("there is no argument %q", rule)
	return false
}

// theorem requires a theorem of the whole formula under hypotheses that are those of Γ or bounds that the box meets.
func (k *checker) theorem(l *leaf, t kernel.Theorem) {
	if !t.Valid() || t.Context().Whole() != nil || t.Context().Dynamics() != k.s.ctx.Dynamics() || t.Context().Time() != kernel.AtState {
		refuse("the theorem states nothing of these states")
	}
	// Soundness: it says the formula itself, with everything that the formula needs to have a value.
	if !t.Formula().Same(k.s.goal) {
		refuse("the theorem states another formula")
	}
	known, assumed := k.s.ctx.Hypotheses(), t.Context().Hypotheses()
	k.charge((1 + len(known)) * (1 + len(assumed)))
	for _, h := range assumed {
		f := h.Formula()
		if !slices.ContainsFunc(known, func(g kernel.Hypothesis) bool { return g.Formula().Same(f) }) && !k.meets(l, f) {
			refuse("the theorem assumes what neither the hypotheses nor the box say")
		}
	}
}

// meets reports whether a bound of a scalar by a number holds on the box.
func (k *checker) meets(l *leaf, f kernel.Formula) bool {
	open := f.Form() == kernel.Greater
	if !open && f.Form() != kernel.AtLeast {
		return false
	}
	ts := f.Terms()
	at := func(t *kernel.Term) (Side, bool) {
		m, ok := k.s.letters[t]
		if !ok || !t.Scalar() || m.at[0].op != Coordinate {
			return Side{}, false
		}
		return l.sides[m.at[0].n], true
	}
	for i, t := range ts {
		if d, ok := at(ts[1-i]); ok && t.Head() == kernel.Number {
			k.charge(d.effort() + effort(t.Value()))
		}
	}
	if d, ok := at(ts[0]); ok && ts[1].Head() == kernel.Number && d.Lo != nil {
		c := d.Lo.Cmp(ts[1].Value())
		return c > 0 || c == 0 && (!open || d.LoOpen)
	}
	if d, ok := at(ts[1]); ok && ts[0].Head() == kernel.Number && d.Hi != nil {
		c := d.Hi.Cmp(ts[0].Value())
		return c < 0 || c == 0 && (!open || d.HiOpen)
	}
	return false
}

// Shows reports whether a leaf's argument holds for a condition on a box, for those who look for an argument; a theorem is
// not looked at. Its work is added to what the meter has counted, and bounded by it. Nothing rests on the answer.
func (s *Statement) Shows(m *Meter, condition int, box []Side, x Step) (ok bool) {
	var err error
	defer func() { *m = *s.meter }()
	func() {
		defer caught(&err)
		*s.meter = *m
		c := s.conditions[condition]
		k := &checker{s: s, steps: []Step{x}, cond: c, prog: s.compiled(c.Expr)}
		k.walk(&leaf{sides: slices.Clone(box), box: s.outward(box)}, 0)
	}()
	return err == nil
}
