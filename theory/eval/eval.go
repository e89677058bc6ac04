package eval

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"stopgrad/theory/lang"
)

// State gives every symbol a value: sizes, and for each scalar and matrix symbol its numbers.
type State[T any] struct {
	Dims map[lang.Dim]int
	Vals map[string]Matrix[T]
}

// ErrNested is returned for a derivative of a derivative, which jets of first order do not carry.
var ErrNested = errors.New("eval: a derivative inside a derivative cannot be evaluated")

// Evaluator evaluates the expressions of one environment at one state.
type Evaluator[T any] struct {
	ar    Arith[T]
	env   *lang.Env
	dims  map[lang.Dim]int
	vals  map[string]*value[T]
	lets  map[string]*value[T]
	zero  T
	scale *float64
	// along is the evaluator whose directions follow the flow, made on first use.
	along *Evaluator[T]
}

// New returns an evaluator for env at the state. Roots and second moments that the state omits are
// computed; any other symbol that env declares may be absent as long as it is not used.
func New[T any](ar Arith[T], env *lang.Env, st State[T]) (*Evaluator[T], error) {
	e := &Evaluator[T]{ar: ar, env: env, dims: st.Dims, vals: map[string]*value[T]{}, lets: map[string]*value[T]{},
		zero: ar.FromRat(new(big.Rat)), scale: new(float64)}
	for _, name := range env.Order {
		s := env.Symbols[name]
		m, ok := st.Vals[name]
		if !ok {
			continue
		}
		if err := e.checkShape(s, m); err != nil {
			return nil, err
		}
		e.vals[name] = &value[T]{scalar: s.Kind == lang.Scalar, r: m.R, c: m.C, v: m.A, d: e.zeros(len(m.A))}
	}
	return e, e.roots(true)
}

func (e *Evaluator[T]) checkShape(s *lang.Symbol, m Matrix[T]) error {
	r, c := 1, 1
	if s.Kind != lang.Scalar {
		r, c = e.dims[s.Rows], e.dims[s.Cols]
		if s.Rows == "1" {
			r = 1
		}
		if s.Cols == "1" {
			c = 1
		}
	}
	if m.R != r || m.C != c || len(m.A) != r*c {
		return fmt.Errorf("eval: %s is %d×%d; expected %d×%d", s.Name, m.R, m.C, r, c)
	}
	return nil
}

// roots computes the square-root symbols, their derivatives included: dρ = dq/(2ρ). If strict, a root that
// is not a number of the arithmetic is an error.
func (e *Evaluator[T]) roots(strict bool) error {
	for _, name := range e.env.Order {
		s := e.env.Symbols[name]
		if s.Root == nil || !e.evaluable(s.Root) {
			continue
		}
		q, err := e.eval(s.Root)
		if err != nil {
			return err
		}
		v, err := e.ar.Sqrt(q.v[0])
		if err != nil {
			if strict {
				return err
			}
			// A hypothetical value may leave the root undefined; whoever uses it then is told so.
			delete(e.vals, name)
			continue
		}
		d := e.zero
		if e.ar.Sign(q.d[0], 0) != 0 {
			if d, err = e.ar.Div(q.d[0], e.ar.Add(v, v)); err != nil {
				return err
			}
		}
		e.vals[name] = &value[T]{scalar: true, r: 1, c: 1, v: []T{v}, d: []T{d}}
	}
	return nil
}

// evaluable reports whether every symbol of x has a value.
func (e *Evaluator[T]) evaluable(x *lang.Expr) bool {
	ok := true
	x.Walk(func(n *lang.Expr) bool {
		if n.Kind == lang.Sym {
			if l := e.env.Lets[n.Name]; l != nil {
				ok = ok && e.evaluable(l.Expr)
			} else if s := e.env.Symbols[n.Name]; s == nil || s.Kind != lang.Random && e.vals[n.Name] == nil {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// child returns an evaluator that shares the state but has directions and lets of its own.
func (e *Evaluator[T]) child() *Evaluator[T] {
	c := &Evaluator[T]{ar: e.ar, env: e.env, dims: e.dims, vals: make(map[string]*value[T], len(e.vals)),
		lets: map[string]*value[T]{}, zero: e.zero, scale: e.scale}
	for k, v := range e.vals {
		c.vals[k] = v
	}
	return c
}

// still returns a child in which every direction is zero.
func (e *Evaluator[T]) still() *Evaluator[T] {
	c := e.child()
	for k, v := range c.vals {
		c.vals[k] = &value[T]{scalar: v.scalar, r: v.r, c: v.c, v: v.v, d: e.zeros(len(v.v))}
	}
	return c
}

// Eval returns the value of an expression as a matrix (1×1 for a scalar). A multiple of I without a size of
// its own is an error.
func (e *Evaluator[T]) Eval(x *lang.Expr) (Matrix[T], error) {
	v, err := e.eval(x)
	if err != nil {
		return Matrix[T]{}, err
	}
	if v.unit {
		return Matrix[T]{}, fmt.Errorf("eval: %s: a multiple of I without a size", x.Pos)
	}
	return Matrix[T]{v.r, v.c, v.v}, nil
}

// EvalFor is Eval for a value that is to replace the named symbol: a multiple of I or a literal 0 takes its
// shape.
func (e *Evaluator[T]) EvalFor(name string, x *lang.Expr) (Matrix[T], error) {
	v, err := e.eval(x)
	if err != nil {
		return Matrix[T]{}, err
	}
	v = e.fit(v, e.vals[name])
	return Matrix[T]{v.r, v.c, v.v}, nil
}

// Scale returns the largest magnitude met in sums and products so far, the size against which rounding
// errors are judged.
func (e *Evaluator[T]) Scale() float64 { return *e.scale }

func (e *Evaluator[T]) eval(x *lang.Expr) (*value[T], error) {
	switch x.Kind {
	case lang.Num:
		return e.constant(x.Val), nil
	case lang.Unit:
		u := e.constant(big.NewRat(1, 1))
		u.scalar, u.unit = false, true
		return u, nil
	case lang.Sym:
		return e.symbol(x)
	case lang.Call:
		return e.call(x)
	case lang.Hyp:
		return nil, fmt.Errorf("eval: %s: [%s] has a meaning in proofs only", x.Pos, x.Name)
	}
	a, err := e.eval(x.Args[0])
	if err != nil {
		return nil, err
	}
	switch x.Kind {
	case lang.Neg:
		return e.mul(e.constant(big.NewRat(-1, 1)), a)
	case lang.Trans:
		return e.transpose(a), nil
	case lang.Pow:
		p := e.constant(big.NewRat(1, 1))
		if !a.scalar {
			p.scalar, p.unit = false, true
			if !a.unit {
				p = e.expandUnit(p, a.r)
			}
		}
		for range max(x.N, -x.N) {
			if p, err = e.mul(p, a); err != nil {
				return nil, err
			}
		}
		if x.N < 0 {
			return e.div(e.constant(big.NewRat(1, 1)), p)
		}
		return p, nil
	}
	b, err := e.eval(x.Args[1])
	if err != nil {
		return nil, err
	}
	switch x.Kind {
	case lang.Add, lang.Sub:
		return e.add(a, b, x.Kind == lang.Sub)
	case lang.Mul:
		return e.mul(a, b)
	case lang.Div:
		v, err := e.div(a, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.Pos, err)
		}
		return v, nil
	}
	panic("eval: unknown expression kind")
}

func (e *Evaluator[T]) symbol(x *lang.Expr) (*value[T], error) {
	if l := e.env.Lets[x.Name]; l != nil {
		if v := e.lets[x.Name]; v != nil {
			return v, nil
		}
		v, err := e.eval(l.Expr)
		if err == nil {
			e.lets[x.Name] = v
		}
		return v, err
	}
	if v := e.vals[x.Name]; v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("eval: the state has no value for %s", x.Name)
}

func (e *Evaluator[T]) call(x *lang.Expr) (*value[T], error) {
	switch x.Name {
	case "ddt":
		if q := e.env.Equation(x.Args[0].Name); x.Args[0].Kind == lang.Sym && q != nil {
			// The right-hand side itself, which keeps its own derivatives.
			v, err := e.eval(q.RHS)
			if err != nil {
				return nil, err
			}
			return e.fit(v, e.vals[q.Name]), nil
		}
		c, err := e.alongFlow()
		if err != nil {
			return nil, err
		}
		return derivative(c, x.Args[0])
	case "diff":
		c := e.still()
		s := c.vals[x.Args[1].Name]
		if s == nil {
			return nil, fmt.Errorf("eval: the state has no value for %s", x.Args[1].Name)
		}
		s.d[0] = e.ar.FromRat(big.NewRat(1, 1))
		if err := c.roots(false); err != nil {
			return nil, err
		}
		return derivative(c, x.Args[0])
	case "grad":
		return e.gradient(x.Args[0], x.Args[1].Name)
	case "next":
		c := e.child()
		for _, q := range e.env.Map {
			v, err := e.eval(q.RHS)
			if err != nil {
				return nil, err
			}
			c.vals[q.Name] = e.fit(v, e.vals[q.Name])
		}
		return c.eval(x.Args[0])
	case "at":
		v, err := e.eval(x.Args[2])
		if err != nil {
			return nil, err
		}
		c := e.child()
		c.vals[x.Args[1].Name] = e.fit(v, c.vals[x.Args[1].Name])
		if err := c.roots(false); err != nil {
			return nil, err
		}
		return c.eval(x.Args[0])
	case "E":
		return e.expectation(x.Args[0])
	case "inv":
		v, err := e.eval(x.Args[0])
		if err != nil {
			return nil, err
		}
		return e.inverse(v)
	}
	args := make([]*value[T], len(x.Args))
	for i, a := range x.Args {
		v, err := e.eval(a)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	a := args[0]
	switch x.Name {
	case "sg":
		out := *a
		out.d = e.zeros(len(a.v))
		return &out, nil
	case "tr":
		out := e.constant(new(big.Rat))
		out.noD = a.noD
		for i := range a.r {
			out.v[0] = e.ar.Add(out.v[0], a.v[i*a.c+i])
			out.d[0] = e.ar.Add(out.d[0], a.d[i*a.c+i])
		}
		return out, nil
	case "sym", "skew":
		s, err := e.add(a, e.transpose(a), x.Name == "skew")
		if err != nil {
			return nil, err
		}
		return e.mul(e.constant(big.NewRat(1, 2)), s)
	case "vec":
		t := e.transpose(a)
		return &value[T]{r: len(a.v), c: 1, v: t.v, d: t.d, noD: a.noD}, nil
	case "rvec":
		return &value[T]{r: len(a.v), c: 1, v: a.v, d: a.d, noD: a.noD}, nil
	case "kron":
		return e.kron(a, args[1]), nil
	case "comm", "anti":
		ab, err := e.mul(a, args[1])
		if err != nil {
			return nil, err
		}
		ba, err := e.mul(args[1], a)
		if err != nil {
			return nil, err
		}
		return e.add(ab, ba, x.Name == "comm")
	}
	return nil, fmt.Errorf("eval: %s: unknown function %s", x.Pos, x.Name)
}

// fit gives a value the shape of the symbol it replaces: a zero literal or a multiple of I becomes a matrix.
func (e *Evaluator[T]) fit(v, old *value[T]) *value[T] {
	if old == nil || old.scalar || !v.scalar && !v.unit {
		return v
	}
	if v.unit {
		return e.expandUnit(v, old.r)
	}
	return &value[T]{r: old.r, c: old.c, v: e.zeros(len(old.v)), d: e.zeros(len(old.v))}
}

// derivative evaluates x in c and returns its directional derivative as a value.
func derivative[T any](c *Evaluator[T], x *lang.Expr) (*value[T], error) {
	v, err := c.eval(x)
	if err != nil {
		return nil, err
	}
	if v.noD {
		return nil, ErrNested
	}
	c.note(&value[T]{v: v.d})
	return &value[T]{scalar: v.scalar, unit: v.unit, r: v.r, c: v.c, v: v.d, d: c.zeros(len(v.d)), noD: true}, nil
}

// alongFlow returns the evaluator whose directions are the flow's right-hand sides.
func (e *Evaluator[T]) alongFlow() (*Evaluator[T], error) {
	if e.along != nil {
		return e.along, nil
	}
	s, c := e.still(), e.still()
	for _, q := range e.env.Flow {
		old := e.vals[q.Name]
		if old == nil {
			return nil, fmt.Errorf("eval: the state has no value for %s", q.Name)
		}
		v, err := s.eval(q.RHS)
		if err != nil {
			return nil, err
		}
		v = e.fit(v, old)
		c.vals[q.Name].d = v.v
	}
	if err := c.roots(false); err != nil {
		return nil, err
	}
	e.along = c
	return c, nil
}

// RightHandSide returns the flow's right-hand side for the named state variable.
func (e *Evaluator[T]) RightHandSide(name string) (Matrix[T], error) {
	c, err := e.alongFlow()
	if err != nil {
		return Matrix[T]{}, err
	}
	v := c.vals[name]
	if v == nil {
		return Matrix[T]{}, fmt.Errorf("eval: %s is not a state variable", name)
	}
	return Matrix[T]{v.r, v.c, v.d}, nil
}

// gradient differentiates a scalar in every entry of the symbol, one jet each; in a symmetric symbol along
// symmetric directions.
func (e *Evaluator[T]) gradient(x *lang.Expr, name string) (*value[T], error) {
	old := e.vals[name]
	if old == nil {
		return nil, fmt.Errorf("eval: the state has no value for %s", name)
	}
	symmetric := e.env.Symbols[name].Attr&lang.Symmetric != 0
	out := &value[T]{scalar: old.scalar, r: old.r, c: old.c, v: make([]T, len(old.v)), d: e.zeros(len(old.v)), noD: true}
	for i := range old.v {
		c := e.still()
		c.vals[name].d[i] = e.ar.FromRat(big.NewRat(1, 1))
		if j := i%old.c*old.c + i/old.c; symmetric && j != i {
			// The orthogonal projection of the unit matrix onto the symmetric matrices.
			c.vals[name].d[i] = e.ar.FromRat(big.NewRat(1, 2))
			c.vals[name].d[j] = c.vals[name].d[i]
		}
		if err := c.roots(false); err != nil {
			return nil, err
		}
		v, err := derivative(c, x)
		if err != nil {
			return nil, err
		}
		out.v[i] = v.v[0]
	}
	return out, nil
}

// outcome is one point of a random vector's distribution.
type outcome[T any] struct {
	prob T
	x    []T
}

// expectation sums over the finite distributions of the random vectors that occur in x.
func (e *Evaluator[T]) expectation(x *lang.Expr) (*value[T], error) {
	names := e.randomsIn(x, nil)
	base := ""
	for _, n := range names {
		if !e.env.Symbols[n].Centred {
			if base != "" {
				return nil, fmt.Errorf("eval: %s and %s depend on the data jointly, and no joint moment is declared", base, n)
			}
			base = n
		}
	}
	var sum *value[T]
	var visit func(i int, prob T, c *Evaluator[T]) error
	visit = func(i int, prob T, c *Evaluator[T]) error {
		if i == len(names) {
			v, err := c.eval(x)
			if err != nil {
				return err
			}
			p := &value[T]{scalar: true, r: 1, c: 1, v: []T{prob}, d: []T{e.zero}}
			if v, err = e.mul(p, v); err != nil {
				return err
			}
			if sum == nil {
				sum = v
				return nil
			}
			sum, err = e.add(sum, v, false)
			return err
		}
		dist, err := e.distribution(names[i])
		if err != nil {
			return err
		}
		for _, o := range dist {
			d := c.child()
			d.vals[names[i]] = &value[T]{r: len(o.x), c: 1, v: o.x, d: e.zeros(len(o.x))}
			if err := visit(i+1, e.ar.Mul(prob, o.prob), d); err != nil {
				return err
			}
		}
		return nil
	}
	if err := visit(0, e.ar.FromRat(big.NewRat(1, 1)), e); err != nil {
		return nil, err
	}
	return sum, nil
}

func (e *Evaluator[T]) randomsIn(x *lang.Expr, acc []string) []string {
	x.Walk(func(n *lang.Expr) bool {
		if n.Kind == lang.Sym {
			if l := e.env.Lets[n.Name]; l != nil {
				acc = e.randomsIn(l.Expr, acc)
			} else if s := e.env.Symbols[n.Name]; s != nil && s.Kind == lang.Random && !slices.Contains(acc, n.Name) {
				acc = append(acc, n.Name)
			}
		}
		return true
	})
	return acc
}

// distribution returns a finite distribution with the declared second moment M = Σ d_k·l_k·l_kᵀ (the LDLᵀ
// factorisation): c·l_k with probability d_k/c², symmetrised for a centred vector, and 0 with the rest,
// where c is large enough for the probabilities to sum to at most one.
func (e *Evaluator[T]) distribution(name string) ([]outcome[T], error) {
	s := e.env.Symbols[name]
	n := e.dims[s.Rows]
	i := slices.IndexFunc(e.env.Moments, func(m *lang.Moment) bool { return slices.Contains(m.Of, name) })
	if i < 0 {
		return nil, fmt.Errorf("eval: no second moment is declared for %s", name)
	}
	m, err := e.still().eval(e.env.Moments[i].RHS)
	if err != nil {
		return nil, err
	}
	if m.unit {
		m = e.expandUnit(m, n)
	}
	l, d, ok := e.ldl(Matrix[T]{m.r, m.c, m.v})
	if !ok {
		return nil, fmt.Errorf("eval: the second moment of %s is not positive semidefinite", name)
	}
	total := e.zero
	for _, v := range d {
		total = e.ar.Add(total, v)
	}
	c := big.NewRat(1, 1)
	for e.ar.Float(total) > e.ar.Float(e.ar.FromRat(new(big.Rat).Mul(c, c))) {
		c.Add(c, big.NewRat(1, 1))
	}
	cv, c2 := e.ar.FromRat(c), e.ar.FromRat(new(big.Rat).Mul(c, c))
	var out []outcome[T]
	rest := e.ar.FromRat(big.NewRat(1, 1))
	for k, v := range d {
		if e.ar.Sign(v, 0) == 0 {
			continue
		}
		p, err := e.ar.Div(v, c2)
		if err != nil {
			return nil, err
		}
		rest = e.ar.Sub(rest, p)
		x, y := make([]T, n), make([]T, n)
		for r := range n {
			x[r] = e.ar.Mul(cv, l[r*n+k])
			y[r] = e.ar.Sub(e.zero, x[r])
		}
		if s.Centred {
			half := e.ar.Mul(p, e.ar.FromRat(big.NewRat(1, 2)))
			out = append(out, outcome[T]{half, x}, outcome[T]{half, y})
		} else {
			out = append(out, outcome[T]{p, x})
		}
	}
	return append(out, outcome[T]{rest, e.zeros(n)}), nil
}

// ldl returns A = L·diag(d)·Lᵀ with unit lower triangular L and d ≥ 0, and whether the symmetric matrix A
// is positive semidefinite at all.
func (e *Evaluator[T]) ldl(a Matrix[T]) (l []T, d []T, ok bool) {
	n := a.R
	m := append([]T(nil), a.A...)
	l, d = e.zeros(n*n), e.zeros(n)
	size := 0.0
	for _, v := range m {
		size = max(size, abs(e.ar.Float(v)))
	}
	for k := range n {
		l[k*n+k] = e.ar.FromRat(big.NewRat(1, 1))
		switch e.ar.Sign(m[k*n+k], size) {
		case -1:
			return nil, nil, false
		case 0:
			for i := k + 1; i < n; i++ {
				if e.ar.Sign(m[i*n+k], size) != 0 {
					return nil, nil, false
				}
			}
			continue
		}
		d[k] = m[k*n+k]
		for i := k + 1; i < n; i++ {
			f, err := e.ar.Div(m[i*n+k], d[k])
			if err != nil {
				return nil, nil, false
			}
			l[i*n+k] = f
		}
		for i := k + 1; i < n; i++ {
			for j := k + 1; j < n; j++ {
				m[i*n+j] = e.ar.Sub(m[i*n+j], e.ar.Mul(e.ar.Mul(l[i*n+k], l[j*n+k]), d[k]))
			}
		}
	}
	return l, d, true
}
