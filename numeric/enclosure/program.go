package enclosure

import (
	"errors"
	"fmt"

	"stopgrad/numeric/interval"
)

// errVanishes is the failure of a quotient whose divisor may be zero.
var errVanishes = errors.New("division by an expression that may vanish")

// program is a system compiled for evaluation: the operations that the
// right-hand sides and the extra outputs need, in order.
//
// A parameter that is not known as tightly as float64 allows becomes a state
// variable with derivative zero, so that its correlation with the state is
// kept; variables 0 … dim−1 are then the states and dim … n−1 those parameters.
type program struct {
	ops     []instruction
	n       int   // number of variables
	vars    []int // register of each variable
	rhs     []int // register of each state's derivative
	outputs []int // register of each extra output
	initial []interval.Interval
	meter   *Meter
}

// instruction computes one register, of the same index, from registers a and b.
type instruction struct {
	op    op
	a, b  int
	fixed bool // the value does not depend on the state
	value interval.Interval
}

// compile translates the right-hand sides of s and the given outputs. It fails
// if a variable has no right-hand side, or if a quotient of constants and tight
// parameters is undefined.
func compile(s *System, outputs ...Expr) (*program, error) {
	for i, id := range s.rhs {
		if id == undefined {
			return nil, fmt.Errorf("enclosure: variable %s has no right-hand side", s.names[i])
		}
	}
	roots := append([]int(nil), s.rhs...)
	for _, e := range outputs {
		s.own(e)
		roots = append(roots, e.id)
	}
	p := &program{n: s.Dim(), meter: s.meter}
	wide := map[int]int{}
	// The parameters of the right-hand sides come first, those that only an
	// output needs after them, so that a box of an integration can be extended.
	for _, used := range []map[int]bool{s.reach(s.rhs), s.reach(roots)} {
		for i, q := range s.params {
			if _, known := wide[i]; used[i] && !known && !q.value.IsTight() {
				wide[i] = p.n
				p.n++
				p.initial = append(p.initial, q.value)
			}
		}
	}
	register := map[int]int{}
	p.vars = make([]int, p.n)
	for i := range p.vars {
		p.vars[i] = len(p.ops)
		p.ops = append(p.ops, instruction{op: opVar, a: i})
	}
	var emit func(id int) (int, error)
	emit = func(id int) (int, error) {
		if r, ok := register[id]; ok {
			return r, nil
		}
		n := s.nodes[id]
		in := instruction{op: n.op, fixed: true}
		switch n.op {
		case opVar:
			return p.vars[n.a], nil
		case opConst:
			in.value = interval.FromRat(s.consts[n.a])
		case opParam:
			if v, ok := wide[n.a]; ok {
				return p.vars[v], nil
			}
			in.value = s.params[n.a].value
		default:
			var err error
			if in.a, err = emit(n.a); err != nil {
				return 0, err
			}
			if in.b, err = emit(n.b); err != nil {
				return 0, err
			}
			in.fixed = p.ops[in.a].fixed && p.ops[in.b].fixed
			if in.fixed {
				if in.value, err = apply(n.op, p.ops[in.a].value, p.ops[in.b].value); err != nil {
					return 0, fmt.Errorf("enclosure: %w", err)
				}
			}
		}
		r := len(p.ops)
		p.ops = append(p.ops, in)
		register[id] = r
		return r, nil
	}
	for i, id := range roots {
		r, err := emit(id)
		if err != nil {
			return nil, err
		}
		if i < s.Dim() {
			p.rhs = append(p.rhs, r)
		} else {
			p.outputs = append(p.outputs, r)
		}
	}
	// Numbers are rounded and operations put in order.
	return p, p.meter.Spend(16 * int64(len(s.nodes)))
}

// reach returns the set of parameters that the expressions depend on.
func (s *System) reach(roots []int) map[int]bool {
	params, seen := map[int]bool{}, map[int]bool{}
	var visit func(id int)
	visit = func(id int) {
		if seen[id] {
			return
		}
		seen[id] = true
		switch n := s.nodes[id]; n.op {
		case opVar, opConst:
		case opParam:
			params[n.a] = true
		default:
			visit(n.a)
			visit(n.b)
		}
	}
	for _, id := range roots {
		visit(id)
	}
	return params
}

// apply performs one operation on intervals.
func apply(o op, a, b interval.Interval) (interval.Interval, error) {
	switch o {
	case opAdd:
		return a.Add(b), nil
	case opSub:
		return a.Sub(b), nil
	case opMul:
		return a.Mul(b), nil
	case opSqr:
		return a.Sqr(), nil
	case opNeg:
		return a.Neg(), nil
	case opDiv:
		// Soundness: a.Div(b) leaves out the points where b = 0.
		if b.Contains(0) {
			return interval.Entire(), errVanishes
		}
		return a.Div(b), nil
	}
	panic(fmt.Sprintf("enclosure: operation %d has no operands", o))
}

// taylor computes Taylor coefficients of the solution through a box, and
// optionally their derivatives with respect to the box:
//
//	x(t₀+τ) = Σ_k c_k(x₀)·τ^k,   c_0 = x₀,   c_{k+1} = [f(x)]_k/(k+1),
//
// where [g]_k is the k-th coefficient of g along the solution, by the
// recurrences of Moore (1966), ch. 11, and Griewank and Walther, Evaluating
// Derivatives (2008), table 13.1. One taylor serves many boxes of a program.
type taylor struct {
	p     *program
	order int
	grad  bool
	cost  int64 // of a run
	// coef[r*(order+1)+k] is coefficient k of register r.
	coef []interval.Interval
	// d[(r*n+j)*(order+1)+k] is its derivative with respect to variable j.
	d []interval.Interval
}

func newTaylor(p *program, order int, grad bool) *taylor {
	t := &taylor{p: p, order: order, grad: grad, cost: p.cost(order, grad)}
	t.coef = make([]interval.Interval, len(p.ops)*(order+1))
	if grad {
		t.d = make([]interval.Interval, len(p.ops)*p.n*(order+1))
	}
	return t
}

// at returns coefficient k of register r.
func (t *taylor) at(r, k int) interval.Interval { return t.coef[r*(t.order+1)+k] }

// row returns the coefficients of register r.
func (t *taylor) row(r int) []interval.Interval {
	return t.coef[r*(t.order+1) : (r+1)*(t.order+1)]
}

// drow returns the derivatives of the coefficients of register r by variable j.
func (t *taylor) drow(r, j int) []interval.Interval {
	i := (r*t.p.n + j) * (t.order + 1)
	return t.d[i : i+t.order+1]
}

// variable returns coefficient k of variable i.
func (t *taylor) variable(i, k int) interval.Interval { return t.at(t.p.vars[i], k) }

// run fills the coefficients of every register through the box x: of the
// variables up to the order, of the others up to one less, or up to the order
// as well if full is set. It fails if a divisor may vanish on the box, or the meter is spent.
func (t *taylor) run(x []interval.Interval, full bool) error {
	p := t.p
	if err := p.meter.Spend(t.cost); err != nil {
		return err
	}
	for i, r := range p.vars {
		t.row(r)[0] = x[i]
		if t.grad {
			for j := range p.n {
				t.drow(r, j)[0] = interval.Interval{}
			}
			t.drow(r, i)[0] = interval.Point(1)
		}
	}
	for k := 0; k <= t.order; k++ {
		if k == t.order && !full {
			return nil
		}
		for r := range p.ops {
			if err := t.step(r, k); err != nil {
				return err
			}
		}
		if k == t.order {
			return nil
		}
		next := interval.FromInt(int64(k + 1))
		for i, r := range p.vars {
			if i >= len(p.rhs) {
				continue // a parameter: its higher coefficients stay zero
			}
			f := p.rhs[i]
			t.row(r)[k+1] = t.at(f, k).Div(next)
			if t.grad {
				for j := range p.n {
					t.drow(r, j)[k+1] = t.drow(f, j)[k].Div(next)
				}
			}
		}
	}
	return nil
}

// step computes coefficient k of register r from its operands.
func (t *taylor) step(r, k int) error {
	in := &t.p.ops[r]
	if in.fixed {
		if k == 0 {
			t.row(r)[0] = in.value
		}
		return nil
	}
	c := t.row(r)
	a, b := t.row(in.a), t.row(in.b)
	fixedA, fixedB := t.p.ops[in.a].fixed, t.p.ops[in.b].fixed
	switch in.op {
	case opVar:
		return nil
	case opAdd:
		c[k] = a[k].Add(b[k])
	case opSub:
		c[k] = a[k].Sub(b[k])
	case opNeg:
		c[k] = a[k].Neg()
	case opMul:
		switch {
		case fixedA:
			c[k] = a[0].Mul(b[k])
		case fixedB:
			c[k] = a[k].Mul(b[0])
		default:
			c[k] = convolve(a, b, 0, k)
		}
	case opSqr:
		// [a²]_k = 2·Σ_{i<k/2} a_i·a_{k−i} (+ a_{k/2}²).
		var sum interval.Interval
		for i := 0; 2*i < k; i++ {
			sum = sum.Add(a[i].Mul(a[k-i]))
		}
		c[k] = sum.Add(sum)
		if k%2 == 0 {
			c[k] = c[k].Add(a[k/2].Sqr())
		}
	case opDiv:
		// b·c = a: c_k = (a_k − Σ_{i≥1} b_i·c_{k−i})/b_0.
		if b[0].Contains(0) {
			return errVanishes
		}
		num := a[k]
		if !fixedB && k > 0 {
			num = num.Sub(convolve(b, c, 1, k))
		}
		c[k] = num.Div(b[0])
	}
	if t.grad {
		t.stepGradient(in, r, k)
	}
	return nil
}

// stepGradient differentiates the recurrence of step with respect to every
// variable.
func (t *taylor) stepGradient(in *instruction, r, k int) {
	a, b, c := t.row(in.a), t.row(in.b), t.row(r)
	fixedA, fixedB := t.p.ops[in.a].fixed, t.p.ops[in.b].fixed
	for j := range t.p.n {
		da, db, dc := t.drow(in.a, j), t.drow(in.b, j), t.drow(r, j)
		switch in.op {
		case opAdd:
			dc[k] = da[k].Add(db[k])
		case opSub:
			dc[k] = da[k].Sub(db[k])
		case opNeg:
			dc[k] = da[k].Neg()
		case opMul:
			switch {
			case fixedA:
				dc[k] = a[0].Mul(db[k])
			case fixedB:
				dc[k] = da[k].Mul(b[0])
			default:
				dc[k] = convolve(da, b, 0, k).Add(convolve(a, db, 0, k))
			}
		case opSqr:
			sum := convolve(a, da, 0, k)
			dc[k] = sum.Add(sum)
		case opDiv:
			// db·c + b·dc = da.
			num := da[k]
			if !fixedB {
				num = num.Sub(convolve(db, c, 0, k))
				if k > 0 {
					num = num.Sub(convolve(b, dc, 1, k))
				}
			}
			dc[k] = num.Div(b[0])
		}
	}
}

// convolve returns Σ_{i=from}^{k} a_i·b_{k−i}.
func convolve(a, b []interval.Interval, from, k int) interval.Interval {
	var sum interval.Interval
	for i := from; i <= k; i++ {
		sum = sum.Add(a[i].Mul(b[k-i]))
	}
	return sum
}

// horner returns Σ_{k<n} c_k·τ^k + τⁿ·c_n for the n+1 coefficients c, as
// c_0 + τ·(c_1 + τ·(…)).
func horner(c []interval.Interval, tau interval.Interval) interval.Interval {
	sum := c[len(c)-1]
	for k := len(c) - 2; k >= 0; k-- {
		sum = sum.Mul(tau).Add(c[k])
	}
	return sum
}
