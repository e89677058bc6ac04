package eval

import (
	"errors"
	"fmt"
	"math"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// ErrNotScalar is returned for a part that [Judge] alone can judge: one with matrices, or of a form with several sizes.
var ErrNotScalar = errors.New("eval: not a statement of one inequality or equation among scalars")

// Scalars is a part without matrices in float64 registers: what [Judge] says of it in [Float], many times faster. It
// may be used by several goroutines at a time, each with [Registers] of its own.
type Scalars struct {
	names []string
	draws []flatDraw
	ops   []flat
	c     *compiled
}

type flat struct {
	head    kernel.Head
	a, b, n int
	f       float64 // of a number
}

type flatDraw struct {
	ops []flat
	to  int
}

// Registers hold the values of the operations, and the sizes of what they were summed from.
type Registers struct{ v, s []float64 }

// Judgement is what a statement comes to at a state.
type Judgement struct {
	// Defined is false if a division by zero, a negative radicand or a number that is not finite leaves the
	// statement without a value.
	Defined bool
	Met     bool // domains and hypotheses
	Holds   bool
	// Margin is relative to the largest sum met: the difference of an inequality, minus the residual of an
	// equality; for a statement that something stays nonnegative or zero, the derivative on the edge, its size
	// away from it.
	Margin float64
}

// NewScalars compiles a part. The error wraps [ErrNotScalar] if only [Judge] can judge it.
func NewScalars(part *lang.Part) (*Scalars, error) {
	if part.Fault != nil || part.Env == nil {
		return nil, ErrNotScalar
	}
	c, err := compiledOf(part)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotScalar, err)
	}
	if len(c.goals) != 1 || c.assumption || c.goals[0].inside != nil {
		return nil, ErrNotScalar
	}
	switch g := &c.goals[0]; {
	case g.show == plain && len(g.looks[0].premises) == 0 && len(g.looks[0].conclusions) == 1:
	case g.show == border && len(g.values) == 2:
	default:
		return nil, ErrNotScalar
	}
	s := &Scalars{c: c}
	input := map[string]int{}
	for i, y := range c.symbols {
		if !y.scalar {
			return nil, ErrNotScalar
		}
		input[y.name] = i
		s.names = append(s.names, y.name)
	}
	if s.ops, err = flatten(c.ops, input); err != nil {
		return nil, err
	}
	if len(part.Draws) == 0 {
		return s, nil
	}
	v, err := vocabularyOf(part.Env)
	if err != nil {
		return nil, err
	}
	for _, q := range part.Draws {
		to, ok := input[q.Name]
		if !ok {
			return nil, ErrNotScalar
		}
		all, at, err := v.place(q.RHS, q.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotScalar, err)
		}
		wanted, _ := reachable(all, at)
		ops, err := flatten(wanted, input)
		if err != nil {
			return nil, err
		}
		s.draws = append(s.draws, flatDraw{ops, to})
	}
	return s, nil
}

// reachable is the program of some values alone, and where they stand in it. A single one comes last.
func reachable(ops []operation, at ...int) ([]operation, []int) {
	to := map[int]int{}
	var out []operation
	var visit func(i int) int
	visit = func(i int) int {
		if k, ok := to[i]; ok {
			return k
		}
		o := ops[i]
		switch o.head {
		case kernel.Number, kernel.Letter, kernel.Size, kernel.Identity, kernel.Zero:
		case kernel.Sum, kernel.Product, kernel.Kronecker:
			o.a, o.b = visit(o.a), visit(o.b)
		default:
			o.a = visit(o.a)
		}
		out = append(out, o)
		to[i] = len(out) - 1
		return to[i]
	}
	places := make([]int, len(at))
	for i, k := range at {
		places[i] = visit(k)
	}
	return out, places
}

func flatten(ops []operation, input map[string]int) ([]flat, error) {
	out := make([]flat, len(ops))
	for i, o := range ops {
		if !o.scalar {
			return nil, ErrNotScalar
		}
		out[i] = flat{o.head, o.a, o.b, o.n, o.f}
		switch o.head {
		case kernel.Letter:
			out[i].a = input[o.name]
		case kernel.Size:
			return nil, ErrNotScalar
		}
	}
	return out, nil
}

// Rates are the right-hand sides of a flow without matrices in float64 registers: what [Evaluator.RightHandSide] says of
// them, many times faster. They may be used by several goroutines at a time, each with [Registers] of its own.
type Rates struct {
	names []string
	ops   []flat
	at    []int
}

// NewRates compiles the flow of an environment. The error wraps [ErrNotScalar] if only an [Evaluator] can evaluate it.
func NewRates(env *lang.Env) (*Rates, error) {
	v, err := vocabularyOf(env)
	if err != nil {
		return nil, err
	}
	r := &Rates{}
	input := map[string]int{}
	for i, y := range v.symbols {
		if !y.scalar {
			return nil, ErrNotScalar
		}
		input[y.name] = i
		r.names = append(r.names, y.name)
	}
	var all []operation
	at := make([]int, len(env.Flow))
	for i, q := range env.Flow {
		if all, at[i], err = v.place(derivative(q.Name), ""); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotScalar, err)
		}
	}
	wanted, places := reachable(all, at...)
	r.at = places
	r.ops, err = flatten(wanted, input)
	return r, err
}

// Names lists the inputs, in the order of declaration.
func (r *Rates) Names() []string { return r.names }

// Operations is how many operations an evaluation takes.
func (r *Rates) Operations() int { return len(r.ops) }

// NewRegisters returns registers for r.
func (r *Rates) NewRegisters() *Registers {
	return &Registers{make([]float64, len(r.ops)), make([]float64, len(r.ops))}
}

// Eval writes the right-hand sides where the inputs are x, in the order of Names, into dx, in the order of the flow's
// equations. It reports false where a division by zero or a negative radicand leaves one without a value.
func (r *Rates) Eval(w *Registers, x, dx []float64) bool {
	if !w.run(r.ops, x) {
		return false
	}
	for i, k := range r.at {
		dx[i] = w.v[k]
	}
	return true
}

// Names lists the inputs, in the order of declaration.
func (s *Scalars) Names() []string { return s.names }

// NewRegisters returns registers for s.
func (s *Scalars) NewRegisters() *Registers {
	n := len(s.ops)
	for _, d := range s.draws {
		n = max(n, len(d.ops))
	}
	return &Registers{make([]float64, n), make([]float64, n)}
}

// run carries out operations at the inputs x.
func (w *Registers) run(ops []flat, x []float64) bool {
	v, s := w.v[:len(ops)], w.s[:len(ops)]
	for i := range ops {
		o := &ops[i]
		switch o.head {
		case kernel.Number:
			v[i], s[i] = o.f, 0
		case kernel.Letter:
			v[i], s[i] = x[o.a], 0
		case kernel.Sum:
			v[i], s[i] = v[o.a]+v[o.b], max(s[o.a], s[o.b], math.Abs(v[o.a]), math.Abs(v[o.b]))
		case kernel.Product:
			v[i], s[i] = v[o.a]*v[o.b], max(s[o.a], s[o.b])
		case kernel.Power:
			p := 1.0
			if o.n > 0 {
				p = v[o.a]
			}
			for range o.n - 1 {
				p *= v[o.a]
			}
			v[i], s[i] = p, s[o.a]
		case kernel.Reciprocal:
			if v[o.a] == 0 {
				return false
			}
			v[i], s[i] = 1/v[o.a], s[o.a]
		case kernel.Root:
			if v[o.a] < 0 {
				return false
			}
			v[i], s[i] = math.Sqrt(v[o.a]), s[o.a]
		default:
			return false
		}
	}
	return true
}

func (w *Registers) scale(c check) float64 {
	return max(w.s[c.a], w.s[c.b], math.Abs(w.v[c.a]), math.Abs(w.v[c.b]))
}

func (w *Registers) test(c check, scale float64) (holds bool, difference float64) {
	d := w.v[c.a] - w.v[c.b]
	switch sign := (Float{}).Sign(d, scale); c.rel {
	case equal:
		holds = sign == 0
	case atLeast:
		holds = sign >= 0
	case greater:
		holds = sign > 0
	case unequal:
		holds = sign != 0
	}
	return holds, d
}

// Judge evaluates the statement where the inputs are x, in the order of Names. Draws are carried out first:
// x is changed to the state that is judged. It panics if x has another length.
func (s *Scalars) Judge(w *Registers, x []float64) Judgement {
	if len(x) != len(s.names) {
		panic("eval: a state of another statement")
	}
	for _, d := range s.draws {
		if !w.run(d.ops, x) {
			return Judgement{}
		}
		x[d.to] = w.v[len(d.ops)-1]
	}
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Judgement{}
		}
	}
	if !w.run(s.ops, x) {
		return Judgement{}
	}
	j := Judgement{Defined: true, Met: true, Holds: true}
	for i := range s.c.hypotheses {
		h := &s.c.hypotheses[i]
		scale := 0.0
		if !h.declared || h.rel == equal {
			scale = w.scale(h.check)
		}
		ok, d := w.test(h.check, scale)
		if math.IsNaN(d) {
			return Judgement{}
		}
		j.Met = j.Met && ok
	}
	g := &s.c.goals[0]
	for i := range g.looks {
		l := &g.looks[i]
		if l.exact {
			continue
		}
		scale := 0.0
		for _, cs := range [2][]check{l.premises, l.conclusions} {
			for _, c := range cs {
				scale = max(scale, w.scale(c))
			}
		}
		said := true
		for _, c := range l.premises {
			ok, _ := w.test(c, scale)
			said = said && ok
		}
		for k, c := range l.conclusions {
			ok, d := w.test(c, scale)
			if math.IsNaN(d) {
				return Judgement{}
			}
			j.Holds = j.Holds && (ok || !said)
			if i > 0 || k > 0 {
				continue
			}
			switch {
			case g.show == border && (!said || c.rel == equal):
				j.Margin = math.Abs(w.v[g.values[1]])
			case g.show == border:
				j.Margin = w.v[g.values[1]]
			case c.rel == equal:
				j.Margin = -math.Abs(d) / max(scale, math.SmallestNonzeroFloat64)
			case scale > 0:
				j.Margin = d / scale
			default:
				j.Margin = d
			}
			if c.rel == unequal {
				j.Margin = math.Abs(j.Margin)
			}
		}
	}
	return j
}
