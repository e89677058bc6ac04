package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// State gives every symbol a value: sizes, and for each scalar and matrix symbol its numbers. The values of roots are
// computed; those that a state gives are not looked at.
type State[T any] struct {
	Dims map[lang.Dim]int
	Vals map[string]Matrix[T]
	// Surds are the exact values of scalars that are no fractions; Vals has numbers near them. Only the model counts with
	// them.
	Surds map[string]Surd
}

// Surd is the number A + B·√C.
type Surd struct{ A, B, C *big.Rat }

// String writes the number as A+B*root(C).
func (s Surd) String() string {
	out := ""
	if s.A.Sign() != 0 {
		out = s.A.RatString()
		if s.B.Sign() > 0 {
			out += "+"
		}
	}
	return out + s.B.RatString() + "*root(" + s.C.RatString() + ")"
}

// Near is a fraction next to the number.
func (s Surd) Near() *big.Rat {
	c, _ := s.C.Float64()
	r := new(big.Rat)
	if c > 0 && !math.IsInf(c, 0) {
		r.SetFloat64(math.Sqrt(c))
	} else {
		// Beyond float64.
		f := new(big.Float).SetPrec(64).SetRat(s.C)
		f.Sqrt(f).Rat(r)
	}
	return r.Add(s.A, r.Mul(r, s.B))
}

// Floats is the state in float64.
func (s State[T]) Floats() State[float64] {
	out := State[float64]{Dims: s.Dims, Vals: make(map[string]Matrix[float64], len(s.Vals))}
	for name, m := range s.Vals {
		a := make([]float64, len(m.A))
		for i, x := range m.A {
			switch v := any(x).(type) {
			case *big.Rat:
				a[i], _ = v.Float64()
			case float64:
				a[i] = v
			}
		}
		out.Vals[name] = Matrix[float64]{m.R, m.C, a}
	}
	return out
}

// missing is the error of a state without a value for a symbol that is used.
type missing struct{ name string }

func (m missing) Error() string { return "eval: the state has no value for " + m.name }

func isMissing(err error) bool {
	var m missing
	return errors.As(err, &m)
}

// run is a program at a state. A value is computed when it is first asked for.
type run[T any] struct {
	field[T]
	st    State[T]
	cells []cell[T]
}

type cell[T any] struct {
	done bool
	v    Matrix[T]
	err  error
	// scale is the size of the numbers that the value was summed from; it is computed when asked for.
	scaled bool
	scale  float64
}

func newRun[T any](ar Arith[T], st State[T]) *run[T] { return &run[T]{field: newField(ar), st: st} }

// value is the value of an operation.
func (r *run[T]) value(ops []operation, i int) (Matrix[T], error) {
	if len(r.cells) < len(ops) {
		r.cells = append(r.cells, make([]cell[T], len(ops)-len(r.cells))...)
	}
	c := &r.cells[i]
	if !c.done {
		if c.v, c.err = r.compute(ops, i); c.err == nil {
			c.err = bounded(c.v)
		}
		c.done = true
	}
	return c.v, c.err
}

func (r *run[T]) dim(ds []lang.Dim) (int, error) {
	n := 1
	for _, d := range ds {
		k := r.st.Dims[d]
		if k < 1 {
			return 0, fmt.Errorf("eval: the state has no size %s", d)
		}
		if n *= k; n > maxEntries {
			return 0, ErrTooLarge
		}
	}
	return n, nil
}

// maxEntries is how many entries a matrix has at most: kron makes matrices beyond any memory of short terms.
const maxEntries = 1 << 20

// ErrTooLarge is returned where a matrix outgrows every use.
var ErrTooLarge = fmt.Errorf("eval: a matrix of more than %d entries", maxEntries)

// number is a constant in the arithmetic.
func (r *run[T]) number(o *operation) T {
	if v, ok := any(o.f).(T); ok {
		return v
	}
	return r.ar.FromRat(o.num)
}

func (r *run[T]) compute(ops []operation, i int) (none Matrix[T], err error) {
	o := &ops[i]
	switch o.head {
	case kernel.Number:
		return ScalarOf(r.number(o)), nil
	case kernel.Letter:
		m, ok := r.st.Vals[o.name]
		if !ok {
			return none, missing{o.name}
		}
		if o.scalar {
			return m, nil
		}
		rows, err := r.dim(o.rows)
		if err != nil {
			return none, err
		}
		cols, err := r.dim(o.cols)
		if err == nil && (m.R != rows || m.C != cols || len(m.A) != rows*cols) {
			err = misshapen(o.name, m.R, m.C, rows, cols)
		}
		return m, err
	case kernel.Size:
		n, err := r.dim(o.rows)
		return ScalarOf(r.ar.FromRat(big.NewRat(int64(n), 1))), err
	case kernel.Identity:
		n, err := r.dim(o.rows)
		if err != nil {
			return none, err
		}
		if n*n > maxEntries {
			return none, ErrTooLarge
		}
		return r.identity(n), nil
	case kernel.Zero:
		rows, err := r.dim(o.rows)
		if err != nil {
			return none, err
		}
		cols, err := r.dim(o.cols)
		if err != nil {
			return none, err
		}
		if rows*cols > maxEntries {
			return none, ErrTooLarge
		}
		return r.zeros(rows, cols), nil
	}
	a, err := r.value(ops, o.a)
	if err != nil {
		return none, err
	}
	switch o.head {
	case kernel.Power:
		n := 1
		if !o.scalar {
			n = o.n * a.R * a.R * a.R
		}
		if err := r.pay(n, a); err != nil {
			return none, err
		}
		return r.power(a, o.scalar, o.n)
	case kernel.Trace:
		s := r.zero
		for k := range a.R {
			s = r.ar.Add(s, a.A[k*a.C+k])
		}
		return ScalarOf(s), nil
	case kernel.Transpose:
		return r.transpose(a), nil
	case kernel.RowStack:
		return Matrix[T]{len(a.A), 1, a.A}, nil
	case kernel.Reciprocal:
		v, err := r.ar.Div(r.one, a.A[0])
		if err != nil {
			return none, err
		}
		return ScalarOf(v), nil
	case kernel.Root:
		v, err := r.ar.Sqrt(a.A[0])
		if err != nil {
			return none, err
		}
		return ScalarOf(v), nil
	case kernel.Inverse:
		if err := r.payElimination(1, false, a); err != nil {
			return none, err
		}
		return r.inverse(a)
	}
	b, err := r.value(ops, o.b)
	if err != nil {
		return none, err
	}
	n := max(len(a.A), len(b.A))
	switch {
	case o.head == kernel.Kronecker:
		n = len(a.A) * len(b.A)
	case o.head == kernel.Product && !ops[o.a].scalar && !ops[o.b].scalar:
		n = a.R * a.C * b.C
	}
	if err := r.pay(n, a, b); err != nil {
		return none, err
	}
	switch o.head {
	case kernel.Sum:
		if o.scalar {
			return ScalarOf(r.ar.Add(a.A[0], b.A[0])), nil
		}
		return r.add(a, b), nil
	case kernel.Product:
		switch {
		case o.scalar:
			return ScalarOf(r.ar.Mul(a.A[0], b.A[0])), nil
		case ops[o.a].scalar:
			return r.scale(a.A[0], b), nil
		case ops[o.b].scalar:
			return r.scale(b.A[0], a), nil
		case a.R*b.C > maxEntries:
			return none, ErrTooLarge
		}
		return r.mul(a, b), nil
	case kernel.Kronecker:
		if len(a.A)*len(b.A) > maxEntries {
			return none, ErrTooLarge
		}
		return r.kron(a, b), nil
	}
	return none, fmt.Errorf("eval: no value for %s", o.head)
}

func misshapen(name string, r, c, rows, cols int) error {
	return fmt.Errorf("eval: %s is %d×%d; expected %d×%d", name, r, c, rows, cols)
}

func (r *run[T]) power(a Matrix[T], scalar bool, n int) (Matrix[T], error) {
	if n == 0 {
		if scalar {
			return ScalarOf(r.one), nil
		}
		return r.identity(a.R), nil
	}
	out := a
	if q, ok := any(a.A[0]).(*big.Rat); ok && scalar {
		if (max(q.Num().BitLen(), q.Denom().BitLen())-1)*n > maxBits {
			return out, ErrTooLong
		}
		k := big.NewInt(int64(n))
		p := new(big.Rat).SetFrac(new(big.Int).Exp(q.Num(), k, nil), new(big.Int).Exp(q.Denom(), k, nil))
		return ScalarOf(any(p).(T)), nil
	}
	for range n - 1 {
		if scalar {
			out = ScalarOf(r.ar.Mul(out.A[0], a.A[0]))
		} else {
			out = r.mul(out, a)
		}
		if err := bounded(out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// maxBits is how long the numbers of a state may get; a number longer than that decides nothing worth its time.
const maxBits = 1 << 14

// ErrTooLong is returned where exact numbers outgrow every use.
var ErrTooLong = fmt.Errorf("eval: a number of more than %d bits", maxBits)

// ErrOverflow is returned where numbers in floating point grow beyond float64: then nothing is decided.
var ErrOverflow = errors.New("eval: a number beyond float64")

func bounded[T any](m Matrix[T]) error {
	if a, ok := any(m.A).([]float64); ok {
		for _, x := range a {
			if x-x != 0 {
				return ErrOverflow
			}
		}
		return nil
	}
	for _, x := range m.A {
		if q, ok := any(x).(*big.Rat); ok && q.Num().BitLen()+q.Denom().BitLen() > maxBits {
			return ErrTooLong
		}
	}
	return nil
}

// scaleOf is the largest size of a summand or product of matrices that the value was computed from: what rounding errors
// are judged against.
func (r *run[T]) scaleOf(ops []operation, i int) float64 {
	c := &r.cells[i]
	if !c.done || c.err != nil {
		return 0
	}
	if c.scaled {
		return c.scale
	}
	o, s := &ops[i], 0.0
	switch o.head {
	case kernel.Number, kernel.Letter, kernel.Size, kernel.Identity, kernel.Zero:
	case kernel.Sum:
		s = max(r.scaleOf(ops, o.a), r.scaleOf(ops, o.b), r.size(r.cells[o.a].v), r.size(r.cells[o.b].v))
	case kernel.Product, kernel.Kronecker:
		s = max(r.scaleOf(ops, o.a), r.scaleOf(ops, o.b))
		if !ops[o.a].scalar && !ops[o.b].scalar {
			s = max(s, r.size(c.v))
		}
	default:
		s = r.scaleOf(ops, o.a)
	}
	c = &r.cells[i]
	c.scaled, c.scale = true, s
	return s
}
