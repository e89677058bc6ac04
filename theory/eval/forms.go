package eval

import (
	"math/big"
	"slices"

	"stopgrad/theory/kernel"
)

// relation is what a check compares.
type relation uint8

const (
	equal            relation = iota // a = b
	atLeast                          // a ≥ b
	greater                          // a > b
	unequal                          // a ≠ b
	semidefinite                     // a is symmetric and positive semidefinite
	definite                         // a is symmetric and positive definite
	invertible                       // a has an inverse
	diagonal                         // a is zero off its diagonal
	within                           // every entry of a lies between b and c
	never                            // nothing
	nullSemidefinite                 // b is symmetric and, as a form on the null space of a, positive semidefinite
	nullZero                         // b is symmetric and, as a form on the null space of a, zero
	sameRank                         // a and b have the same rank
)

// check is a relation between values of the program at their places.
type check struct {
	rel     relation
	a, b, c int
}

// look is what a statement says at a state: where the premises hold, the conclusions do.
type look struct {
	premises, conclusions []check
	// exact marks a look whose premise is an equation that a motion comes close to without meeting it, so that in
	// rounded numbers nothing follows.
	exact bool
}

// display says which sizes of a statement are of interest to readers and searchers.
type display uint8

const (
	plain  display = iota // those of the one conclusion
	border                // what stays, and how it moves
	rest                  // what vanishes, and how fast the state moves
	line                  // how fast x moves
	zeros                 // none: so many zeros are so many
)

// goal is a formula as looks.
type goal struct {
	form   kernel.Form
	terms  []int // places of the formula's terms
	inner  check // of always φ
	looks  []look
	show   display
	values []int // border: each L and then each derivative or next value; rest: L, then all right-hand sides; line: x'
	inside []check
	count  *counting // of a count of zeros, which has no looks
}

// builder compiles the formulas of one part.
type builder struct {
	sig  *kernel.Signature
	dyn  *kernel.Dynamics
	time kernel.Time
	prog *program
	err  error
}

// keep notes the first error.
func keep[T any](b *builder, v T, err error) T {
	if b.err == nil {
		b.err = err
	}
	return v
}

func (b *builder) make(h kernel.Head, n int, args ...*kernel.Term) *kernel.Term {
	if b.err != nil {
		return nil
	}
	t, err := b.sig.Make(h, n, args...)
	return keep(b, t, err)
}

func (b *builder) number(k int64) *kernel.Term {
	t, err := b.sig.Number(big.NewRat(k, 1))
	return keep(b, t, err)
}

// zero is the zero of t's shape.
func (b *builder) zero(t *kernel.Term) *kernel.Term {
	if b.err != nil || t.Scalar() {
		return b.number(0)
	}
	z, err := b.sig.ZeroOf(t.Shape())
	return keep(b, z, err)
}

func (b *builder) mul(x, y *kernel.Term) *kernel.Term { return b.make(kernel.Product, 0, x, y) }

// place unfolds a term and puts it into the program.
func (b *builder) place(t *kernel.Term) int {
	if b.err != nil {
		return 0
	}
	u, err := b.dyn.Unfold(t)
	if err != nil {
		b.err = err
		return 0
	}
	return b.prog.put(u)
}

func (b *builder) check(rel relation, ts ...*kernel.Term) check {
	c := check{rel: rel}
	if len(ts) > 0 {
		c.a = b.place(ts[0])
	}
	if len(ts) > 1 {
		c.b = b.place(ts[1])
	}
	if len(ts) > 2 {
		c.c = b.place(ts[2])
	}
	return c
}

// relations are those of the forms that speak of one state, as kernel.Form defines them.
var relations = map[kernel.Form]relation{kernel.Equal: equal, kernel.AtLeast: atLeast, kernel.Greater: greater, kernel.Unequal: unequal,
	kernel.Semidefinite: semidefinite, kernel.Definite: definite, kernel.Invertible: invertible, kernel.Diagonal: diagonal, kernel.Within: within, kernel.Absurd: never}

// state is the check of a formula about one state.
func (b *builder) state(f kernel.Formula) check { return b.check(relations[f.Form()], f.Terms()...) }

// goal compiles a formula: what it says at a state, and what [Course] asks of a whole motion or orbit.
//
// What it says at a state is what it says of one through which a motion or orbit goes: a necessary condition, which follows
// from the definition that stands at the form (kernel.Form) by differentiating it at t = 0, or by its first step. That
// it fails at a state refutes the statement only if the hypotheses hold along a motion from there, which the model
// decides.
func (b *builder) goal(f kernel.Formula) goal {
	g := b.instant(f)
	g.form = f.Form()
	switch {
	case f.Form() == kernel.Always:
		g.inner = b.state(f.Inner())
	case f.Form().Temporal():
		for _, t := range f.Terms() {
			g.terms = append(g.terms, b.place(t))
		}
	}
	return g
}

func (b *builder) instant(f kernel.Formula) goal {
	ts := f.Terms()
	steps := b.time == kernel.Orbit
	// moved is the derivative of a term along the flow, over steps its next value.
	moved := func(t *kernel.Term) *kernel.Term {
		if steps {
			return b.make(kernel.Next, 0, t)
		}
		return b.make(kernel.Ddt, 0, t)
	}
	edge := func(looks ...look) goal {
		g := goal{looks: looks, show: border}
		for _, t := range ts {
			g.values = append(g.values, b.place(t))
		}
		for _, t := range ts {
			g.values = append(g.values, b.place(moved(t)))
		}
		return g
	}
	each := func(rel relation, change func(*kernel.Term) *kernel.Term) (out []check) {
		for _, t := range ts {
			x := change(t)
			if rel == semidefinite {
				out = append(out, b.check(rel, x))
			} else {
				out = append(out, b.check(rel, x, b.zero(x)))
			}
		}
		return out
	}
	same := func(t *kernel.Term) *kernel.Term { return t }
	one := func(cs ...check) goal { return goal{looks: []look{{conclusions: cs}}} }
	// timed adds that the rate or factor does not move.
	timed := func(g goal) goal {
		c := ts[1]
		if moves, err := b.dyn.Moves(c); err != nil || !moves || mentionsInput(c) {
			return g
		}
		still := b.check(equal, moved(c), b.zero(c))
		if steps {
			still = b.check(equal, moved(c), c)
		}
		g.looks = append(g.looks, look{conclusions: []check{still}})
		return g
	}
	if c, ok := f.Count(); ok {
		k := b.counting(f.Form(), c)
		return goal{count: k, terms: k.places(), show: zeros}
	}
	switch f.Form() {
	case kernel.Always: // φ holds at 0
		return one(b.state(f.Inner()))
	case kernel.Evolves: // L' = c·L; L₁ = c·L₀
		return timed(one(b.check(equal, moved(ts[0]), b.mul(ts[1], ts[0]))))
	case kernel.NormDecays:
		// With N = ‖L‖²: N' ≤ −2c·N, and L' = 0 where L = 0; N₁ ≤ c²·N₀ and c ≥ 0.
		l, c := ts[0], ts[1]
		square := func(l *kernel.Term) *kernel.Term {
			if l != nil && l.Scalar() {
				return b.make(kernel.Power, 2, l)
			}
			return b.make(kernel.Trace, 0, b.mul(b.make(kernel.Transpose, 0, l), l))
		}
		if steps {
			return timed(one(b.check(atLeast, b.mul(b.make(kernel.Power, 2, c), square(l)), square(moved(l))), b.check(atLeast, c, b.number(0))))
		}
		g := one(b.check(atLeast, b.mul(b.number(-2), b.mul(c, square(l))), moved(square(l))))
		g.looks = append(g.looks, look{premises: []check{b.check(equal, l, b.zero(l))}, conclusions: []check{b.check(equal, moved(l), b.zero(l))}, exact: true})
		return timed(g)
	case kernel.Decays: // V' ≤ −c·V; V₁ ≤ c·V₀ and c ≥ 0
		v, c := ts[0], ts[1]
		if steps {
			return timed(one(b.check(atLeast, b.mul(c, v), moved(v)), b.check(atLeast, c, b.number(0))))
		}
		return timed(one(b.check(atLeast, b.mul(b.number(-1), b.mul(c, v)), moved(v))))
	case kernel.StayZero: // where all are zero, so are their derivatives; or next values
		return edge(look{premises: each(equal, same), conclusions: each(equal, moved)})
	case kernel.StayNonnegative, kernel.StayPositive:
		rel := map[kernel.Form]relation{kernel.StayNonnegative: atLeast, kernel.StayPositive: greater}[f.Form()]
		if steps {
			return edge(look{premises: each(rel, same), conclusions: each(rel, moved)})
		}
		// Where all are nonnegative, those that are zero do not fall: a motion that falls through zero was positive before.
		var looks []look
		for _, t := range ts {
			looks = append(looks, look{premises: append([]check{b.check(equal, t, b.zero(t))}, each(atLeast, same)...),
				conclusions: []check{b.check(atLeast, moved(t), b.zero(t))}})
		}
		return edge(looks...)
	case kernel.StaySemidefinite:
		if steps {
			return edge(look{premises: each(semidefinite, same), conclusions: each(semidefinite, moved)})
		}
		// Where all are psd, xᵀ·L'·x ≥ 0 for L·x = 0, and L' is symmetric.
		var inner []check
		for _, t := range ts {
			inner = append(inner, b.check(nullSemidefinite, t, moved(t)))
		}
		return edge(look{premises: each(semidefinite, same), conclusions: inner})
	case kernel.Vanishes: // a state at rest is a motion, and L is zero there
		g := goal{show: rest, values: []int{b.place(ts[0])}}
		l := look{conclusions: []check{b.check(equal, ts[0], b.zero(ts[0]))}}
		l.premises, g.values = b.rest(g.values)
		g.looks = []look{l}
		return g
	case kernel.Congruence: // xᵀ·L'·y = 0 for L·x = L·y = 0; L₁ has the rank of L₀
		l := ts[0]
		symmetric := func(l *kernel.Term) check { return b.check(equal, b.make(kernel.Transpose, 0, l), l) }
		if steps {
			return goal{looks: []look{{conclusions: []check{b.check(sameRank, l, moved(l))}},
				{premises: []check{symmetric(l)}, conclusions: []check{symmetric(moved(l))}}}}
		}
		return goal{looks: []look{{premises: []check{symmetric(l)}, conclusions: []check{b.check(nullZero, l, moved(l))}}}}
	case kernel.Tends:
		// Between lo and hi: x' has the sign of r − x, since a motion of one variable does not turn round; at rest x = r.
		x, r := ts[0], ts[1]
		g := goal{show: line, values: []int{b.place(moved(x))}, inside: []check{b.check(greater, x, ts[2]), b.check(greater, ts[3], x)}}
		if steps {
			g.looks = []look{{premises: []check{b.check(equal, moved(x), x)}, conclusions: []check{b.check(equal, x, r)}}}
			return g
		}
		zero := b.number(0)
		g.looks = []look{{premises: []check{b.check(greater, r, x)}, conclusions: []check{b.check(greater, moved(x), zero)}},
			{premises: []check{b.check(greater, x, r)}, conclusions: []check{b.check(greater, zero, moved(x))}}}
		return g
	}
	return one(b.state(f))
}

// mentionsInput reports whether an input occurs in a term: what it does is not known.
func mentionsInput(t *kernel.Term) bool {
	if y := t.Symbol(); y != nil {
		return y.Class() == kernel.Input
	}
	return slices.ContainsFunc(t.Args(), mentionsInput)
}

// rest checks that nothing moves: all right-hand sides are zero, or all next values are the values.
func (b *builder) rest(values []int) ([]check, []int) {
	var out []check
	if b.time == kernel.Orbit {
		for _, x := range b.dyn.MapLetters() {
			c := b.check(equal, b.make(kernel.Next, 0, x), x)
			out, values = append(out, c), append(values, c.a)
		}
		return out, values
	}
	for _, x := range b.dyn.FlowLetters() {
		c := b.check(equal, b.make(kernel.Ddt, 0, x), b.zero(x))
		out, values = append(out, c), append(values, c.a)
	}
	return out, values
}
