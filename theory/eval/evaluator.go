package eval

import (
	"stopgrad/theory/lang"
)

// Evaluator evaluates the expressions of one environment at one state.
type Evaluator[T any] struct {
	run *run[T]
	voc *vocabulary
	ops []operation // those of the last evaluation
}

// New returns an evaluator for env at the state. Any symbol that env declares may be absent as long as it is not used;
// roots and second moments are computed.
func New[T any](ar Arith[T], env *lang.Env, st State[T]) (*Evaluator[T], error) {
	v, err := vocabularyOf(env)
	if err != nil {
		return nil, err
	}
	e := &Evaluator[T]{run: newRun(ar, st), voc: v}
	return e, e.run.checkShapes(v.symbols)
}

// Eval returns the value of an expression as a matrix (1×1 for a scalar). A multiple of I without a size of
// its own is an error.
func (e *Evaluator[T]) Eval(x *lang.Expr) (Matrix[T], error) { return e.EvalFor("", x) }

// EvalFor is Eval for a value that is to replace the named symbol: a multiple of I or a literal 0 takes its
// shape.
func (e *Evaluator[T]) EvalFor(name string, x *lang.Expr) (Matrix[T], error) {
	ops, i, err := e.voc.place(x, name)
	if err != nil {
		return Matrix[T]{}, err
	}
	e.ops = ops
	return e.run.value(ops, i)
}

// RightHandSide returns the flow's right-hand side for the named state variable.
func (e *Evaluator[T]) RightHandSide(name string) (Matrix[T], error) {
	return e.Eval(derivative(name))
}

func derivative(name string) *lang.Expr {
	return lang.NewCall(lang.Pos{}, "ddt", lang.NewSym(lang.Pos{}, name))
}

// Scale returns the largest size of a summand or product of matrices met so far, against which rounding errors are
// judged.
func (e *Evaluator[T]) Scale() float64 {
	s := 0.0
	for i := range e.run.cells {
		s = max(s, e.run.scaleOf(e.ops, i))
	}
	return s
}
