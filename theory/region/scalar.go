package region

import (
	"fmt"
	"math/big"
)

// Op says what an expression is.
type Op uint8

// The operations.
const (
	Constant   Op = iota // a rational number
	Coordinate           // a coordinate
	Sum                  // a + b
	Product              // a·b
	Power                // aⁿ, n ≥ 2
	Reciprocal           // 1/a, where a ≠ 0
	Root                 // the nonnegative square root of a, where a ≥ 0
)

// Expr is an immutable scalar expression in the coordinates. Expressions of one statement are shared: equal ones are equal
// pointers.
type Expr struct {
	op    Op
	a, b  *Expr
	n     int // the exponent, or the number of the coordinate
	value *big.Rat
	id    int
}

// Op says what the expression is.
func (e *Expr) Op() Op { return e.op }

// Args are the expression's arguments, nil where it has none.
func (e *Expr) Args() (a, b *Expr) { return e.a, e.b }

// Exponent is the exponent of a Power.
func (e *Expr) Exponent() int { return e.n }

// Index is the number of a Coordinate.
func (e *Expr) Index() int { return e.n }

// Value is a copy of the value of a Constant.
func (e *Expr) Value() *big.Rat {
	if e.value == nil {
		return nil
	}
	return new(big.Rat).Set(e.value)
}

// ID orders the expressions of a statement; arguments come before what they are in.
func (e *Expr) ID() int { return e.id }

// The limits of a statement in scalars.
const (
	maxExprs     = 200_000
	maxBits      = 65_536
	maxMonomials = 50_000
	maxExponent  = 200
	maxSize      = 6 // of a matrix whose definiteness is asked for
)

// fault is what this package refuses with.
type fault struct{ msg string }

func refuse(format string, args ...any) { panic(&fault{fmt.Sprintf(format, args...)}) }

// caught turns a refusal into an error.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case *fault:
		*err = fmt.Errorf("region: %s", r.msg)
	default:
		panic(r)
	}
}

// maxWork is the most work that a [Meter] allows: operations on intervals, and what takes as long.
const maxWork = 1_000_000_000

const (
	// expression is the work of making an expression, or keeping one, in operations on intervals.
	expression = 32
	// conversion is that of enclosing a short fraction in an interval.
	conversion = 128
	// assumption is that of reading a hypothesis, though it says nothing in scalars.
	assumption = 256
)

// Meter counts the work of several arguments together, from the reading of their statements to the last leaf, and bounds it.
// Its zero value has counted nothing.
type Meter struct{ spent int }

func (m *Meter) charge(n int) {
	if m.spent += n; m.spent > maxWork {
		refuse("more than %d operations in all", maxWork)
	}
}

// Left is how much more work a meter allows; below zero where that was too little.
func (m *Meter) Left() int { return maxWork - m.spent }

// Allow is a meter that allows no more than so much work.
func Allow(work int) *Meter { return &Meter{spent: maxWork - min(work, maxWork)} }

// effort is the work of making a number of this length, beyond that of a small one: bringing a fraction to lowest terms
// takes the square of its length.
func effort(x *big.Rat) int {
	words := max(x.Num().BitLen(), x.Denom().BitLen()) / 64
	return 4 * (words + words*words)
}

// effort is the work of reading the ends of a range, enclosing them and taking their difference.
func (d Side) effort() int {
	n := conversion
	for _, x := range []*big.Rat{d.Lo, d.Hi} {
		if x != nil {
			n += conversion + effort(x)
		}
	}
	return n
}

type exprKey struct {
	op      Op
	a, b, n int
	value   string
}

// graph makes expressions.
type graph struct {
	table map[exprKey]*Expr
	all   []*Expr
	meter *Meter
}

func newGraph(m *Meter) *graph { return &graph{table: map[exprKey]*Expr{}, meter: m} }

func (g *graph) intern(e *Expr) *Expr {
	k := exprKey{op: e.op, n: e.n, a: -1, b: -1}
	if e.a != nil {
		k.a = e.a.id
	}
	if e.b != nil {
		k.b = e.b.id
	}
	if e.value != nil {
		if e.value.Num().BitLen() > maxBits || e.value.Denom().BitLen() > maxBits {
			refuse("a number of more than %d bits", maxBits)
		}
		g.meter.charge(effort(e.value))
		k.value = e.value.RatString()
	}
	if have := g.table[k]; have != nil {
		return have
	}
	if len(g.all) >= maxExprs {
		refuse("more than %d expressions", maxExprs)
	}
	e.id = len(g.all)
	g.all = append(g.all, e)
	g.table[k] = e
	return e
}

func (g *graph) number(v *big.Rat) *Expr { return g.intern(&Expr{op: Constant, value: v}) }

func (g *graph) integer(k int64) *Expr { return g.number(big.NewRat(k, 1)) }

func (g *graph) coordinate(i int) *Expr { return g.intern(&Expr{op: Coordinate, n: i}) }

// is reports whether an expression is the constant k.
func (e *Expr) is(k int64) bool {
	return e.op == Constant && e.value.IsInt() && e.value.Num().IsInt64() && e.value.Num().Int64() == k
}

// sum is a + b. What it leaves out (0, and x − x) has been asked for its value elsewhere: see statement.define.
func (g *graph) sum(a, b *Expr) *Expr {
	g.meter.charge(expression)
	switch {
	case a.op == Constant && b.op == Constant:
		return g.number(new(big.Rat).Add(a.value, b.value))
	case a.is(0):
		return b
	case b.is(0):
		return a
	case a == g.negative(b):
		return g.integer(0)
	case a.id > b.id:
		a, b = b, a
	}
	return g.intern(&Expr{op: Sum, a: a, b: b})
}

// product is a·b.
func (g *graph) product(a, b *Expr) *Expr {
	g.meter.charge(expression)
	if b.op == Constant || b.op == Product && b.a.op == Constant && a.op != Constant {
		a, b = b, a
	}
	switch {
	case a.op == Constant && b.op == Constant:
		return g.number(new(big.Rat).Mul(a.value, b.value))
	case a.is(0):
		return a
	case a.is(1):
		return b
	case a.op == Constant && b.op == Product && b.a.op == Constant:
		return g.product(g.number(new(big.Rat).Mul(a.value, b.a.value)), b.b)
	case a.op == Product && a.a.op == Constant:
		return g.product(a.a, g.product(a.b, b))
	case a.op == Constant:
		return g.intern(&Expr{op: Product, a: a, b: b})
	case a == b:
		return g.power(a, 2)
	case b.op == Power && b.a == a:
		return g.power(a, b.n+1)
	case a.op == Power && a.a == b:
		return g.power(b, a.n+1)
	case a.id > b.id:
		a, b = b, a
	}
	return g.intern(&Expr{op: Product, a: a, b: b})
}

func (g *graph) negative(a *Expr) *Expr { return g.product(g.integer(-1), a) }

func (g *graph) difference(a, b *Expr) *Expr { return g.sum(a, g.negative(b)) }

// power is aⁿ.
func (g *graph) power(a *Expr, n int) *Expr {
	switch {
	case n == 0:
		return g.integer(1)
	case n == 1:
		return a
	case n > maxExponent:
		refuse("an exponent above %d", maxExponent)
	case a.op == Constant:
		v := big.NewRat(1, 1)
		for range n {
			v.Mul(v, a.value)
			g.meter.charge(1 + effort(v))
			if v.Num().BitLen() > maxBits || v.Denom().BitLen() > maxBits {
				refuse("a number of more than %d bits", maxBits)
			}
		}
		return g.number(v)
	case a.op == Power:
		return g.power(a.a, a.n*n)
	}
	return g.intern(&Expr{op: Power, a: a, n: n})
}

func (g *graph) reciprocal(a *Expr) *Expr {
	if a.op == Constant {
		if a.value.Sign() == 0 {
			refuse("a term divides by zero")
		}
		return g.number(new(big.Rat).Inv(a.value))
	}
	return g.intern(&Expr{op: Reciprocal, a: a})
}

func (g *graph) root(a *Expr) *Expr {
	if a.op == Constant && a.value.Sign() >= 0 {
		p, q := new(big.Int).Sqrt(a.value.Num()), new(big.Int).Sqrt(a.value.Denom())
		r := new(big.Rat).SetFrac(p, q)
		if new(big.Rat).Mul(r, r).Cmp(a.value) == 0 {
			return g.number(r)
		}
	}
	return g.intern(&Expr{op: Root, a: a})
}

// determinant is that of the square matrix of the rows and columns listed, by its first row.
func (g *graph) determinant(m matrix, rows, cols []int) *Expr {
	if len(rows) == 0 {
		return g.integer(1)
	}
	total := g.integer(0)
	for j, c := range cols {
		rest := append(append([]int(nil), cols[:j]...), cols[j+1:]...)
		term := g.product(m.at[rows[0]*m.cols+c], g.determinant(m, rows[1:], rest))
		if j%2 == 1 {
			term = g.negative(term)
		}
		total = g.sum(total, term)
	}
	return total
}

// matrix is a matrix of expressions, or a scalar as one of 1×1.
type matrix struct {
	rows, cols int
	at         []*Expr
}
