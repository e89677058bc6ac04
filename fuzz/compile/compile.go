package compile

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// ErrUnsupported is wrapped by the error of [New] for a statement that has to be interpreted.
var ErrUnsupported = errors.New("compile: this statement has to be interpreted")

// Program judges one statement at scalar states. It may be used by several goroutines at a time, each with a
// [Workspace] of its own.
type Program struct {
	names  []string // of the inputs, registers 0 … len−1
	consts []constant
	size   int // registers
	draws  []op
	steps  []step // hypotheses in order, then the statement
	bounds []bound
}

// op is an operation: register dst becomes a function of the registers a and b.
type op struct {
	code      code
	dst, a, b int
}

type code uint8

const (
	opAdd    code = iota
	opSub         // a − b
	opMul         //
	opInv         // 1/a; there is no value at a = 0
	opSqrt        // √a; there is no value below 0
	opLoose       // √a, NaN below 0
	opDer         // the derivative of a as a value
	opDirect      // the value of a with the value of b for a derivative
	opStill       // the value of a with derivative 0
	opUnit        // the value of a with derivative 1
	opMove        // a
)

type constant struct {
	reg int
	v   float64
}

// step is a comparison after some operations.
type step struct {
	ops  []op
	form form
	reg  int // compared with zero
	gate int // of an edge: what has to be zero
	// strict is set for > against ≥.
	strict bool
}

type form uint8

const (
	nothing    form = iota // operations alone
	equality               // reg = 0
	inequality             // reg ≥ 0
	edge                   // gate = 0 implies reg ≥ 0
	edgeZero               // gate = 0 implies reg = 0
)

// bound is the domain of an input, its ends float64 numbers.
type bound struct {
	lo, hi         float64
	loOpen, hiOpen bool
	nonzero        bool
}

func (b bound) contains(x float64) bool {
	return !(x < b.lo || x > b.hi || b.loOpen && x == b.lo || b.hiOpen && x == b.hi || b.nonzero && x == 0)
}

// New compiles a part. The error wraps ErrUnsupported if it has to be interpreted.
func New(part *lang.Part) (*Program, error) {
	if part.Fault != nil || part.Env == nil {
		return nil, ErrUnsupported
	}
	b := &builder{p: &Program{}, env: part.Env, noD: map[int]bool{}}
	top := newScope()
	for _, name := range part.Env.Order {
		s := part.Env.Symbols[name]
		if s.Kind != lang.Scalar {
			return nil, fmt.Errorf("%w: %s is no scalar", ErrUnsupported, name)
		}
		if s.Root != nil {
			continue
		}
		d := s.Domain
		bd := bound{lo: math.Inf(-1), hi: math.Inf(1), loOpen: d.LoOpen, hiOpen: d.HiOpen, nonzero: d.NonZero}
		for _, e := range []struct {
			r  *big.Rat
			to *float64
		}{{d.Lo, &bd.lo}, {d.Hi, &bd.hi}} {
			if e.r == nil {
				continue
			}
			v, exact := e.r.Float64()
			if !exact {
				return nil, fmt.Errorf("%w: the end %s of %s's domain is no float64 number", ErrUnsupported, e.r.RatString(), name)
			}
			*e.to = v
		}
		b.p.bounds = append(b.p.bounds, bd)
		top.regs[name] = b.reg()
		b.p.names = append(b.p.names, name)
	}
	if err := b.part(part, top); err != nil {
		return nil, err
	}
	b.p.size = b.next
	return b.p, nil
}

// Names lists the inputs: every scalar that is no root, in order of declaration.
func (p *Program) Names() []string { return p.names }

// scope gives symbols, roots among them, and lets registers.
type scope struct {
	regs, lets map[string]int
	along      *scope // the scope whose directions follow the flow, once made
}

func newScope() *scope { return &scope{regs: map[string]int{}, lets: map[string]int{}} }

func (s *scope) child() *scope {
	c := newScope()
	maps.Copy(c.regs, s.regs)
	return c
}

type builder struct {
	p    *Program
	env  *lang.Env
	next int
	ops  []op         // of the step under construction
	noD  map[int]bool // registers that are derivatives, or computed from one
}

func (b *builder) reg() int { b.next++; return b.next - 1 }

func (b *builder) emit(c code, x, y int) int {
	r := b.reg()
	b.ops = append(b.ops, op{c, r, x, y})
	switch c {
	case opAdd, opSub, opMul:
		b.noD[r] = b.noD[x] || b.noD[y]
	case opInv, opSqrt, opLoose:
		b.noD[r] = b.noD[x]
	case opDer:
		b.noD[r] = true
	}
	return r
}

func (b *builder) constant(v float64) int {
	r := b.reg()
	b.p.consts = append(b.p.consts, constant{r, v})
	return r
}

// take returns the operations since the last call.
func (b *builder) take() []op {
	ops := b.ops
	b.ops = nil
	return ops
}

// roots computes every root in the scope, as the evaluator does after each change of a state: with opSqrt a
// negative radicand leaves the state without a value, with opLoose only what uses the root.
func (b *builder) roots(s *scope, sqrt code) error {
	for _, name := range b.env.Order {
		sym := b.env.Symbols[name]
		if sym.Root == nil {
			continue
		}
		// The lets that the radicand reads must not be remembered: they may use roots not computed yet.
		lets := s.lets
		s.lets = map[string]int{}
		q, err := b.expr(sym.Root, s)
		s.lets = lets
		if err != nil {
			return err
		}
		s.regs[name] = b.emit(sqrt, q, 0)
	}
	return nil
}

func (b *builder) part(part *lang.Part, top *scope) error {
	for _, q := range part.Draws {
		s := top.child() // whose roots and lets last for one draw
		if err := b.roots(s, opSqrt); err != nil {
			return err
		}
		r, err := b.expr(q.RHS, s)
		if err != nil {
			return err
		}
		b.ops = append(b.ops, op{opMove, top.regs[q.Name], r, 0})
	}
	b.p.draws = b.take()
	if err := b.roots(top, opSqrt); err != nil {
		return err
	}
	b.p.steps = append(b.p.steps, step{ops: b.take()})
	for _, a := range part.Assumes {
		if err := b.compare(a.Stmt, top); err != nil {
			return err
		}
	}
	return b.statement(part.Stmt, top)
}

func (b *builder) statement(s *lang.Stmt, top *scope) error {
	ddt := func(x *lang.Expr) *lang.Expr { return lang.NewCall(x.Pos, "ddt", x) }
	switch s.Kind {
	case lang.Equality, lang.Inequality:
		return b.compare(s, top)
	case lang.Evolves:
		return b.compare(&lang.Stmt{Kind: lang.Equality, L: ddt(s.L), R: lang.NewBin(lang.Mul, s.Rate, s.L)}, top)
	case lang.Decays:
		if s.Norm {
			return fmt.Errorf("%w: a norm", ErrUnsupported)
		}
		return b.compare(eval.EnergyInequality(s), top)
	case lang.Stays:
		l, err := b.expr(s.L, top)
		if err != nil {
			return err
		}
		d, err := b.expr(ddt(s.L), top)
		if err != nil {
			return err
		}
		f := edge
		if s.Word == "zero" {
			f = edgeZero
		}
		b.p.steps = append(b.p.steps, step{ops: b.take(), form: f, reg: d, gate: l})
		return nil
	}
	return fmt.Errorf("%w: a statement of another form", ErrUnsupported)
}

func (b *builder) compare(s *lang.Stmt, top *scope) error {
	l, r, f := s.L, s.R, inequality
	switch {
	case s.Kind == lang.Equality:
		f = equality
	case s.Kind != lang.Inequality:
		return fmt.Errorf("%w: a hypothesis of another form", ErrUnsupported)
	case s.Rel == "<=" || s.Rel == "<":
		l, r = r, l
	}
	x, err := b.expr(l, top)
	if err != nil {
		return err
	}
	y, err := b.expr(r, top)
	if err != nil {
		return err
	}
	d := b.emit(opSub, x, y)
	b.p.steps = append(b.p.steps, step{ops: b.take(), form: f, reg: d, strict: s.Rel == ">" || s.Rel == "<"})
	return nil
}

// still returns the scope of s with all directions zero.
func (b *builder) still(s *scope) *scope {
	c := newScope()
	for _, name := range b.env.Order {
		if r, ok := s.regs[name]; ok {
			c.regs[name] = b.emit(opStill, r, 0)
		}
	}
	return c
}

// alongFlow returns the scope of s whose directions are the flow's right-hand sides.
func (b *builder) alongFlow(s *scope) (*scope, error) {
	if s.along != nil {
		return s.along, nil
	}
	still := b.still(s)
	c := newScope()
	maps.Copy(c.regs, still.regs)
	for _, q := range b.env.Flow {
		r, err := b.expr(q.RHS, still)
		if err != nil {
			return nil, err
		}
		c.regs[q.Name] = b.emit(opDirect, still.regs[q.Name], r)
	}
	if err := b.roots(c, opLoose); err != nil {
		return nil, err
	}
	s.along = c
	return c, nil
}

// derivative returns the derivative of x in the scope's directions.
func (b *builder) derivative(x *lang.Expr, s *scope) (int, error) {
	r, err := b.expr(x, s)
	if err != nil {
		return 0, err
	}
	if b.noD[r] {
		return 0, fmt.Errorf("%w: a derivative inside a derivative", ErrUnsupported)
	}
	return b.emit(opDer, r, 0), nil
}

func (b *builder) expr(x *lang.Expr, s *scope) (int, error) {
	switch x.Kind {
	case lang.Num:
		v, _ := x.Val.Float64()
		return b.constant(v), nil
	case lang.Sym:
		return b.symbol(x, s)
	case lang.Call:
		return b.call(x, s)
	case lang.Trans:
		return b.expr(x.Args[0], s)
	case lang.Neg, lang.Add, lang.Sub, lang.Mul, lang.Div, lang.Pow:
	default:
		return 0, fmt.Errorf("%w: %s", ErrUnsupported, lang.Unicode(x))
	}
	p, err := b.expr(x.Args[0], s)
	if err != nil {
		return 0, err
	}
	switch x.Kind {
	case lang.Neg:
		return b.emit(opMul, b.constant(-1), p), nil
	case lang.Pow:
		r := b.constant(1)
		for range max(x.N, -x.N) {
			r = b.emit(opMul, r, p)
		}
		if x.N < 0 {
			return b.emit(opMul, b.emit(opInv, r, 0), b.constant(1)), nil
		}
		return r, nil
	}
	q, err := b.expr(x.Args[1], s)
	if err != nil {
		return 0, err
	}
	switch x.Kind {
	case lang.Add:
		return b.emit(opAdd, p, q), nil
	case lang.Sub:
		return b.emit(opSub, p, q), nil
	case lang.Mul:
		return b.emit(opMul, p, q), nil
	}
	return b.emit(opMul, b.emit(opInv, q, 0), p), nil
}

func (b *builder) symbol(x *lang.Expr, s *scope) (int, error) {
	if l := b.env.Lets[x.Name]; l != nil {
		if r, ok := s.lets[x.Name]; ok {
			return r, nil
		}
		r, err := b.expr(l.Expr, s)
		if err == nil {
			s.lets[x.Name] = r
		}
		return r, err
	}
	r, ok := s.regs[x.Name]
	if !ok {
		return 0, fmt.Errorf("%w: %s has no value", ErrUnsupported, x.Name)
	}
	return r, nil
}

func (b *builder) call(x *lang.Expr, s *scope) (int, error) {
	switch x.Name {
	case "ddt":
		if q := b.env.Equation(x.Args[0].Name); x.Args[0].Kind == lang.Sym && q != nil {
			return b.expr(q.RHS, s)
		}
		c, err := b.alongFlow(s)
		if err != nil {
			return 0, err
		}
		return b.derivative(x.Args[0], c)
	case "diff":
		if sym := b.env.Symbols[x.Args[1].Name]; sym == nil || sym.Root != nil {
			return 0, fmt.Errorf("%w: a derivative in a root", ErrUnsupported)
		}
		c := b.still(s)
		c.regs[x.Args[1].Name] = b.emit(opUnit, c.regs[x.Args[1].Name], 0)
		if err := b.roots(c, opLoose); err != nil {
			return 0, err
		}
		return b.derivative(x.Args[0], c)
	case "at":
		if sym := b.env.Symbols[x.Args[1].Name]; sym == nil || sym.Root != nil {
			return 0, fmt.Errorf("%w: a root replaced", ErrUnsupported)
		}
		v, err := b.expr(x.Args[2], s)
		if err != nil {
			return 0, err
		}
		c := s.child()
		c.regs[x.Args[1].Name] = v
		if err := b.roots(c, opLoose); err != nil {
			return 0, err
		}
		return b.expr(x.Args[0], c)
	case "sg":
		v, err := b.expr(x.Args[0], s)
		if err != nil {
			return 0, err
		}
		return b.emit(opStill, v, 0), nil
	}
	return 0, fmt.Errorf("%w: %s", ErrUnsupported, x.Name)
}
