package enclosure

import (
	"errors"
	"fmt"
	"math/big"

	"stopgrad/numeric/interval"
)

// System is a system of differential equations x' = f(x) under construction: a
// list of state variables, a pool of expressions over them, and one right-hand
// side for each variable. Building is not safe for concurrent use; a finished
// system may be integrated concurrently.
type System struct {
	names  []string
	nodes  []node
	index  map[node]int
	consts []*big.Rat
	byText map[string]int
	params []param
	rhs    []int
	meter  *Meter // nil counts nothing
}

// param is a parameter: a number that is constant along every trajectory and
// known to lie in value.
type param struct {
	name  string
	value interval.Interval
}

// op is the operation of a node.
type op uint8

const (
	opVar   op = iota // a is the index of the variable
	opConst           // a is the index of the constant
	opParam           // a is the index of the parameter
	opAdd
	opSub
	opMul
	opDiv
	opNeg
	opSqr
)

// node is one operation on earlier nodes a and b.
type node struct {
	op   op
	a, b int
}

// Expr is an expression of a System. The zero Expr belongs to no system, and
// using it panics.
type Expr struct {
	sys *System
	id  int
}

// undefined marks a variable whose right-hand side has not been given.
const undefined = -1

// NewSystem returns a system with the given state variables, in this order. It
// panics if a name is empty or occurs twice.
func NewSystem(names ...string) *System {
	s := &System{index: make(map[node]int), byText: make(map[string]int)}
	for i, name := range names {
		if name == "" {
			panic("enclosure: a variable without a name")
		}
		for _, other := range names[:i] {
			if other == name {
				panic("enclosure: variable " + name + " declared twice")
			}
		}
		s.names = append(s.names, name)
		s.rhs = append(s.rhs, undefined)
		s.add(node{op: opVar, a: i})
	}
	return s
}

// add returns the expression of a node, one for all equal nodes.
func (s *System) add(n node) Expr {
	id, ok := s.index[n]
	if !ok {
		id = len(s.nodes)
		s.nodes = append(s.nodes, n)
		s.index[n] = id
	}
	return Expr{s, id}
}

// Dim returns the number of state variables.
func (s *System) Dim() int { return len(s.names) }

// Names returns the names of the state variables.
func (s *System) Names() []string { return append([]string(nil), s.names...) }

// Var returns the state variable of the given name. It panics if there is none.
func (s *System) Var(name string) Expr {
	for i, v := range s.names {
		if v == name {
			return s.add(node{op: opVar, a: i})
		}
	}
	panic("enclosure: no variable " + name)
}

// Const returns the constant r, exactly. It panics if r is nil.
func (s *System) Const(r *big.Rat) Expr {
	text := r.RatString()
	i, ok := s.byText[text]
	if !ok {
		i = len(s.consts)
		s.consts = append(s.consts, new(big.Rat).Set(r))
		s.byText[text] = i
	}
	return s.add(node{op: opConst, a: i})
}

// Int returns the constant n.
func (s *System) Int(n int64) Expr { return s.Const(new(big.Rat).SetInt64(n)) }

// Frac returns the constant a/b. It panics if b = 0.
func (s *System) Frac(a, b int64) Expr { return s.Const(big.NewRat(a, b)) }

// Param returns a new parameter that is constant in time and lies in value. A
// result holds for every value of the parameter in the interval. It panics if
// value is empty or unbounded, or if the name is taken.
func (s *System) Param(name string, value interval.Interval) Expr {
	if !value.IsBounded() {
		panic(fmt.Sprintf("enclosure: parameter %s in %v", name, value))
	}
	for _, p := range s.params {
		if p.name == name {
			panic("enclosure: parameter " + name + " declared twice")
		}
	}
	s.params = append(s.params, param{name, value})
	return s.add(node{op: opParam, a: len(s.params) - 1})
}

// SetRHS gives the variable of the given name the right-hand side e. It panics
// if there is no such variable, if it has a right-hand side already, or if e
// belongs to another system.
func (s *System) SetRHS(name string, e Expr) {
	s.own(e)
	for i, v := range s.names {
		if v == name {
			if s.rhs[i] != undefined {
				panic("enclosure: two right-hand sides for " + name)
			}
			s.rhs[i] = e.id
			return
		}
	}
	panic("enclosure: no variable " + name)
}

// RHS returns the right-hand side of the variable of the given name. It panics
// if there is none.
func (s *System) RHS(name string) Expr {
	for i, v := range s.names {
		if v == name && s.rhs[i] != undefined {
			return Expr{s, s.rhs[i]}
		}
	}
	panic("enclosure: no right-hand side for " + name)
}

// own panics unless e belongs to s.
func (s *System) own(e Expr) {
	if e.sys != s {
		panic("enclosure: expression of another system")
	}
}

// Rational returns the value of e if it is a rational constant.
func (e Expr) Rational() (*big.Rat, bool) {
	if n := e.sys.nodes[e.id]; n.op == opConst {
		return e.sys.consts[n.a], true
	}
	return nil, false
}

// is reports whether e is the constant n.
func (e Expr) is(n int64) bool {
	r, ok := e.Rational()
	return ok && r.IsInt() && r.Num().IsInt64() && r.Num().Int64() == n
}

// maxFold is the number of bits of two constants above which an operation on them stays one, on intervals: powers of powers
// of constants would take all time and memory.
const maxFold = 4096

// fold returns the constant op(e, f) if both are rational constants that are not too long.
func (e Expr) fold(f Expr, op func(z, x, y *big.Rat) *big.Rat) (Expr, bool) {
	x, ok := e.Rational()
	y, ok2 := f.Rational()
	if !ok || !ok2 || length(x)+length(y) > maxFold {
		return Expr{}, false
	}
	return e.sys.Const(op(new(big.Rat), x, y)), true
}

// length is the number of bits of a fraction.
func length(x *big.Rat) int { return x.Num().BitLen() + x.Denom().BitLen() }

// Add returns e + f.
func (e Expr) Add(f Expr) Expr {
	e.sys.own(f)
	if c, ok := e.fold(f, (*big.Rat).Add); ok {
		return c
	}
	switch {
	case e.is(0):
		return f
	case f.is(0):
		return e
	}
	return e.sys.add(node{opAdd, min(e.id, f.id), max(e.id, f.id)})
}

// Sub returns e − f.
func (e Expr) Sub(f Expr) Expr {
	e.sys.own(f)
	if c, ok := e.fold(f, (*big.Rat).Sub); ok {
		return c
	}
	switch {
	case e.is(0):
		return f.Neg()
	case f.is(0):
		return e
	case e.id == f.id:
		return e.sys.Int(0)
	}
	return e.sys.add(node{opSub, e.id, f.id})
}

// Mul returns e·f.
func (e Expr) Mul(f Expr) Expr {
	e.sys.own(f)
	if c, ok := e.fold(f, (*big.Rat).Mul); ok {
		return c
	}
	switch {
	case e.is(0) || f.is(0):
		return e.sys.Int(0)
	case e.is(1):
		return f
	case f.is(1):
		return e
	case e.is(-1):
		return f.Neg()
	case f.is(-1):
		return e.Neg()
	case e.id == f.id:
		return e.sys.add(node{opSqr, e.id, e.id})
	}
	return e.sys.add(node{opMul, min(e.id, f.id), max(e.id, f.id)})
}

// Div returns e/f. An integration or evaluation in which f may vanish ends with
// an error. It panics if f is the constant 0.
func (e Expr) Div(f Expr) Expr {
	e.sys.own(f)
	if r, ok := f.Rational(); ok {
		if r.Sign() == 0 {
			panic("enclosure: division by the constant 0")
		}
		return e.Mul(e.sys.Const(new(big.Rat).Inv(r)))
	}
	return e.sys.add(node{opDiv, e.id, f.id})
}

// Neg returns −e.
func (e Expr) Neg() Expr {
	if r, ok := e.Rational(); ok {
		return e.sys.Const(new(big.Rat).Neg(r))
	}
	if n := e.sys.nodes[e.id]; n.op == opNeg {
		return Expr{e.sys, n.a}
	}
	return e.sys.add(node{opNeg, e.id, e.id})
}

// Pow returns eⁿ for n ≥ 0. It panics if n < 0.
func (e Expr) Pow(n int) Expr {
	if n < 0 {
		panic("enclosure: negative power")
	}
	p := e.sys.Int(1)
	for square := e; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = p.Mul(square)
		}
		if n > 1 {
			square = square.Mul(square)
		}
	}
	return p
}

// EvalRat returns the exact value of e at the state x, see [System.EvalRats].
func (e Expr) EvalRat(x []*big.Rat, params map[string]*big.Rat) (*big.Rat, error) {
	v, err := e.sys.EvalRats([]Expr{e}, x, params)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// maxExact is the work of one exact evaluation: an operation counts 1, and the square of its length in words over 64.
const maxExact = 30_000_000

// EvalRats returns the exact values of expressions at the state x, with the values of the parameters by name. It panics if
// x has the wrong length or a parameter has no value; the error tells of a division by zero, of numbers that get too
// long, or that the meter of the system is used up. It is the slow obvious evaluation that transcribed equations are compared with.
func (s *System) EvalRats(es []Expr, x []*big.Rat, params map[string]*big.Rat) ([]*big.Rat, error) {
	if len(x) != s.Dim() {
		panic(fmt.Sprintf("enclosure: %d values for %d variables", len(x), s.Dim()))
	}
	values := make(map[int]*big.Rat)
	work := 0
	var eval func(id int) (*big.Rat, error)
	eval = func(id int) (*big.Rat, error) {
		if v, ok := values[id]; ok {
			return v, nil
		}
		n, v := s.nodes[id], new(big.Rat)
		switch n.op {
		case opVar:
			return x[n.a], nil
		case opConst:
			return s.consts[n.a], nil
		case opParam:
			value, ok := params[s.params[n.a].name]
			if !ok {
				panic("enclosure: no value for parameter " + s.params[n.a].name)
			}
			return value, nil
		}
		a, err := eval(n.a)
		if err != nil {
			return nil, err
		}
		b, err := eval(n.b)
		if err != nil {
			return nil, err
		}
		words := (length(a) + length(b)) / 64
		if work += 1 + words + words*words/64; work > maxExact {
			return nil, errors.New("enclosure: an exact value takes too much work")
		}
		if err := s.meter.Spend(int64(1 + words + words*words/64)); err != nil {
			return nil, err
		}
		switch n.op {
		case opAdd:
			v.Add(a, b)
		case opSub:
			v.Sub(a, b)
		case opMul, opSqr:
			v.Mul(a, b)
		case opNeg:
			v.Neg(a)
		case opDiv:
			if b.Sign() == 0 {
				return nil, fmt.Errorf("enclosure: %w", errVanishes)
			}
			v.Quo(a, b)
		}
		values[id] = v
		return v, nil
	}
	out := make([]*big.Rat, len(es))
	for i, e := range es {
		s.own(e)
		var err error
		if out[i], err = eval(e.id); err != nil {
			return nil, err
		}
	}
	return out, nil
}
