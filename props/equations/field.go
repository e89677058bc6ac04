package equations

import (
	"fmt"
	"math"
	"slices"

	"stopgrad/numeric/ode"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Field is the flow of an environment over float64, with its state variables packed row by row in the order
// of the equations. What does not move keeps the value of the state it was made from, except for roots,
// which follow their radicand. It is for one goroutine at a time.
type Field struct {
	env     *lang.Env
	base    eval.State[float64]
	blocks  []eval.Matrix[float64] // shapes
	names   []string
	dim     int
	failure error

	// Of a flow among scalars alone: its right-hand sides in registers, the values that they take, and which of those are the
	// variables.
	rates     *eval.Rates
	registers *eval.Registers
	inputs    []float64
	moves     []int
}

// Operations is how many operations a right-hand side among scalars takes, zero of others.
func (f *Field) Operations() int {
	if f.rates == nil {
		return 0
	}
	return f.rates.Operations()
}

// NewField returns the field of env at a state that gives every symbol of its flow a value. An error means
// that the right-hand side cannot be evaluated there.
func NewField(env *lang.Env, st eval.State[float64]) (*Field, error) {
	f := &Field{env: env, base: eval.State[float64]{Dims: st.Dims, Vals: make(map[string]eval.Matrix[float64], len(st.Vals))}}
	for name, m := range st.Vals {
		if s := env.Symbols[name]; s == nil || s.Root == nil {
			f.base.Vals[name] = m
		}
	}
	for _, q := range env.Flow {
		m, ok := f.base.Vals[q.Name]
		if !ok {
			return nil, fmt.Errorf("equations: the state has no value for %s", q.Name)
		}
		f.names = append(f.names, q.Name)
		f.blocks = append(f.blocks, m)
		f.dim += len(m.A)
	}
	if f.dim == 0 {
		return nil, fmt.Errorf("equations: the environment has no flow")
	}
	if err := f.Derivative(f.Initial(), make([]float64, f.dim)); err != nil {
		return nil, err
	}
	f.compile()
	return f, nil
}

// compile has the right-hand sides evaluated in registers from now on, if all that the environment declares are scalars
// with a value or roots of such.
func (f *Field) compile() {
	rates, err := eval.NewRates(f.env)
	if err != nil {
		return
	}
	names := rates.Names()
	inputs := make([]float64, len(names))
	for i, name := range names {
		m, ok := f.base.Vals[name]
		if !ok {
			return
		}
		inputs[i] = m.A[0]
	}
	for _, name := range f.names {
		f.moves = append(f.moves, slices.Index(names, name))
	}
	f.rates, f.registers, f.inputs = rates, rates.NewRegisters(), inputs
}

// Dim returns the number of packed variables.
func (f *Field) Dim() int { return f.dim }

// Initial returns the packed state that the field was made from.
func (f *Field) Initial() []float64 {
	y := make([]float64, 0, f.dim)
	for _, b := range f.blocks {
		y = append(y, b.A...)
	}
	return y
}

// State returns the state with the packed variables y. It panics if y has another length than [Field.Dim].
func (f *Field) State(y []float64) eval.State[float64] {
	if len(y) != f.dim {
		panic("equations: dimension mismatch")
	}
	st := eval.State[float64]{Dims: f.base.Dims, Vals: make(map[string]eval.Matrix[float64], len(f.base.Vals))}
	for name, m := range f.base.Vals {
		st.Vals[name] = m
	}
	at := 0
	for i, b := range f.blocks {
		st.Vals[f.names[i]] = eval.Matrix[float64]{R: b.R, C: b.C, A: slices.Clone(y[at : at+len(b.A)])}
		at += len(b.A)
	}
	return st
}

// Evaluator evaluates expressions of the environment at the packed state y.
func (f *Field) Evaluator(y []float64) (*eval.Evaluator[float64], error) {
	return eval.New(eval.Float{}, f.env, f.State(y))
}

// Derivative writes the right-hand side at y into dy.
func (f *Field) Derivative(y, dy []float64) error {
	if f.rates != nil {
		for i, k := range f.moves {
			f.inputs[k] = y[i]
		}
		if f.rates.Eval(f.registers, f.inputs, dy) {
			return nil
		}
		// The evaluator says why there is no value.
	}
	e, err := f.Evaluator(y)
	if err != nil {
		return err
	}
	at := 0
	for i, b := range f.blocks {
		m, err := e.RightHandSide(f.names[i])
		if err != nil {
			return err
		}
		if m.R != b.R || m.C != b.C {
			return fmt.Errorf("equations: %s' is %d×%d, expected %d×%d", f.names[i], m.R, m.C, b.R, b.C)
		}
		at += copy(dy[at:], m.A)
	}
	return nil
}

// RHS returns the right-hand side for package ode. Where it cannot be evaluated it is NaN, on which the
// solver stops, and Err tells why.
func (f *Field) RHS() ode.RHS {
	return func(_ float64, y, dy []float64) {
		if err := f.Derivative(y, dy); err != nil {
			f.failure = err
			for i := range dy {
				dy[i] = math.NaN()
			}
		}
	}
}

// Err returns the last error that made the right-hand side NaN.
func (f *Field) Err() error { return f.failure }
