package symbolic

import (
	"errors"
	"fmt"
	"slices"

	"stopgrad/theory/algebra"
	"stopgrad/theory/lang"
)

// ErrUnsized is returned where a multiple of I stands alone and no neighbour gives it a size.
var ErrUnsized = errors.New("symbolic: a multiple of I without a size")

// Kind says which of its fields a [Value] uses.
type Kind int

// The kinds of values.
const (
	Scalar    Kind = iota // S
	Unit                  // S·I of undecided size
	Matrix                // M
	Stacked               // vec(M), or rvec(M) if RowMajor
	Kronecker             // Σ C·(A ⊗ B) + S·I, acting on stacked matrices
)

// Value is the normal form of an expression.
type Value struct {
	Kind     Kind
	S        *algebra.Frac
	M        *algebra.Mat
	RowMajor bool
	Terms    []KronTerm
}

// KronTerm is C·(A ⊗ B).
type KronTerm struct {
	C    *algebra.Frac
	A, B *algebra.Mat
}

// Engine normalises the expressions of one environment. It is not safe for concurrent use.
type Engine struct {
	Ring    *algebra.Ring
	env     *lang.Env
	letters map[string]int
	scalars map[string]int
	lets    map[string]*Value
	hyps    map[string]*Value
	flow    *algebra.Derivation
}

// New returns an engine for env, with a generator for each of its symbols.
func New(env *lang.Env) (*Engine, error) {
	e := &Engine{Ring: algebra.NewRing(), env: env, letters: map[string]int{}, scalars: map[string]int{}, lets: map[string]*Value{}, hyps: map[string]*Value{}}
	for _, name := range env.Order {
		s := env.Symbols[name]
		if s.Kind == lang.Scalar {
			e.scalars[name] = e.Ring.AddScalar(name)
			continue
		}
		l := algebra.Letter{Name: name, Rows: string(s.Rows), Cols: string(s.Cols), InverseOf: -1,
			Symmetric: s.Attr&lang.Symmetric != 0, Skew: s.Attr&lang.Skew != 0, Diagonal: s.Attr&lang.Diagonal != 0,
			Isometry: s.Attr&lang.Isometry != 0, Random: s.Kind == lang.Random}
		id := e.Ring.AddLetter(l)
		e.letters[name] = id
		if s.Attr&lang.Invertible != 0 || s.Attr&lang.PD == lang.PD {
			l.Name, l.InverseOf, l.Isometry = "inv("+name+")", id, false
			e.Ring.AddLetter(l)
		}
	}
	for _, name := range env.Order {
		if s := env.Symbols[name]; s.Root != nil {
			q, err := e.Eval(s.Root)
			if err != nil {
				return nil, err
			}
			if err := e.Ring.SetRoot(e.scalars[name], q.S); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Pos, err)
			}
		}
	}
	return e, nil
}

// BindHypothesis gives [name] the meaning of a fresh symbol with the shape of v, for the `modulo` rule.
func (e *Engine) BindHypothesis(name string, v *Value) (*Value, error) {
	var fresh *Value
	switch v.Kind {
	case Scalar:
		fresh = &Value{Kind: Scalar, S: e.Ring.Gen(e.Ring.AddScalar("[" + name + "]"))}
	case Matrix:
		id := e.Ring.LetterID("[" + name + "]")
		if id < 0 {
			id = e.Ring.AddLetter(algebra.Letter{Name: "[" + name + "]", Rows: v.M.Rows, Cols: v.M.Cols, InverseOf: -1})
		}
		fresh = &Value{Kind: Matrix, M: e.Ring.LetterMat(id)}
	default:
		return nil, fmt.Errorf("symbolic: hypothesis %s is neither a scalar nor a matrix", name)
	}
	e.hyps[name] = fresh
	return fresh, nil
}

// ReplaceHypotheses substitutes values for the fresh symbols of [Engine.BindHypothesis]; a nil value stands
// for zero.
func (e *Engine) ReplaceHypotheses(v *Value, with map[string]*Value) (*Value, error) {
	sub := &algebra.Substitution{Letters: map[int]*algebra.Mat{}, Scalars: map[int]*algebra.Frac{}}
	for name, h := range e.hyps {
		to := with[name]
		if h.Kind == Scalar {
			s := algebra.Int(0)
			if to != nil {
				s = to.S
			}
			sub.Scalars[e.Ring.AddScalar("["+name+"]")] = s
			continue
		}
		m := algebra.ZeroMat(h.M.Rows, h.M.Cols)
		if to != nil {
			m = to.M
		}
		sub.Letters[e.Ring.LetterID("["+name+"]")] = m
	}
	return e.substitute(v, sub)
}

func (e *Engine) substitute(v *Value, sub *algebra.Substitution) (*Value, error) {
	return e.mapValue(v,
		func(f *algebra.Frac) (*algebra.Frac, error) { return e.Ring.SubstFrac(f, sub) },
		func(m *algebra.Mat) (*algebra.Mat, error) { return e.Ring.SubstMat(m, sub) })
}

// mapValue applies a map of scalars and matrices that respects sums and products.
func (e *Engine) mapValue(v *Value, f func(*algebra.Frac) (*algebra.Frac, error), g func(*algebra.Mat) (*algebra.Mat, error)) (*Value, error) {
	out := &Value{Kind: v.Kind, RowMajor: v.RowMajor}
	var err error
	if v.S != nil {
		if out.S, err = f(v.S); err != nil {
			return nil, err
		}
	}
	if v.M != nil {
		if out.M, err = g(v.M); err != nil {
			return nil, err
		}
	}
	for _, t := range v.Terms {
		var u KronTerm
		if u.C, err = f(t.C); err != nil {
			return nil, err
		}
		if u.A, err = g(t.A); err != nil {
			return nil, err
		}
		if u.B, err = g(t.B); err != nil {
			return nil, err
		}
		out.Terms = append(out.Terms, u)
	}
	return out, nil
}

// Difference returns the normal form of l − r with every stop-gradient lifted.
func (e *Engine) Difference(l, r *lang.Expr) (*Value, error) {
	a, err := e.Eval(l)
	if err != nil {
		return nil, err
	}
	b, err := e.Eval(r)
	if err != nil {
		return nil, err
	}
	d, err := e.add(a, b, -1)
	if err != nil {
		return nil, err
	}
	return e.thaw(d)
}

func (e *Engine) thaw(v *Value) (*Value, error) {
	return e.mapValue(v, e.Ring.ThawFrac, e.Ring.ThawMat)
}

// IsZero reports whether the value's normal form is zero.
func (v *Value) IsZero() bool {
	switch v.Kind {
	case Scalar, Unit:
		return v.S.IsZero()
	case Kronecker:
		return len(v.Terms) == 0 && v.S.IsZero()
	}
	return v.M.IsZero()
}

// Terms counts the monomials of the value's normal form.
func (v *Value) Size() int {
	switch v.Kind {
	case Scalar, Unit:
		return v.S.Len()
	case Kronecker:
		return len(v.Terms)
	}
	return v.M.Len()
}

// Eval returns the normal form of an expression.
func (e *Engine) Eval(x *lang.Expr) (*Value, error) {
	v, err := e.eval(x)
	if err != nil {
		var le *lang.Error
		if errors.As(err, &le) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", x.Pos, err)
	}
	return v, nil
}

func (e *Engine) eval(x *lang.Expr) (*Value, error) {
	switch x.Kind {
	case lang.Num:
		return &Value{Kind: Scalar, S: algebra.Const(x.Val)}, nil
	case lang.Unit:
		return &Value{Kind: Unit, S: algebra.Int(1)}, nil
	case lang.Sym:
		return e.symbol(x)
	case lang.Hyp:
		if v := e.hyps[x.Name]; v != nil {
			return v, nil
		}
		return nil, fmt.Errorf("symbolic: [%s] names no hypothesis here", x.Name)
	case lang.Call:
		return e.call(x)
	}
	a, err := e.eval(x.Args[0])
	if err != nil {
		return nil, err
	}
	switch x.Kind {
	case lang.Neg:
		return e.scale(algebra.Int(-1), a), nil
	case lang.Trans:
		return e.transpose(a)
	case lang.Pow:
		return e.power(a, x.N)
	}
	b, err := e.eval(x.Args[1])
	if err != nil {
		return nil, err
	}
	switch x.Kind {
	case lang.Add:
		return e.add(a, b, 1)
	case lang.Sub:
		return e.add(a, b, -1)
	case lang.Mul:
		return e.mul(a, b)
	}
	inv, err := e.Ring.DivFrac(algebra.Int(1), b.S)
	if err != nil {
		return nil, err
	}
	return e.scale(inv, a), nil
}

func (e *Engine) symbol(x *lang.Expr) (*Value, error) {
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
	if g, ok := e.scalars[x.Name]; ok {
		return &Value{Kind: Scalar, S: e.Ring.Gen(g)}, nil
	}
	if l, ok := e.letters[x.Name]; ok {
		return &Value{Kind: Matrix, M: e.Ring.LetterMat(l)}, nil
	}
	return nil, fmt.Errorf("symbolic: %s is not defined", x.Name)
}

// sized turns a multiple of I into an n×n matrix.
func (e *Engine) sized(v *Value, n string) *Value {
	return &Value{Kind: Matrix, M: e.Ring.IdentityMat(n, v.S)}
}

func (e *Engine) add(a, b *Value, sign int64) (*Value, error) {
	b = e.scale(algebra.Int(sign), b)
	if a.Kind == Scalar && a.S.IsZero() {
		return b, nil
	}
	if b.Kind == Scalar && b.S.IsZero() {
		return a, nil
	}
	if a.Kind == Unit && b.Kind != Unit {
		a, b = b, a
	}
	switch {
	case a.Kind == Matrix && b.Kind == Unit:
		b = e.sized(b, a.M.Rows)
	case a.Kind == Kronecker && b.Kind == Unit:
		b = &Value{Kind: Kronecker, S: b.S}
	}
	if a.Kind != b.Kind || a.RowMajor != b.RowMajor {
		return nil, errors.New("symbolic: sum of values of different kinds")
	}
	out := &Value{Kind: a.Kind, RowMajor: a.RowMajor}
	var err error
	switch a.Kind {
	case Scalar, Unit:
		out.S = e.Ring.AddFrac(a.S, b.S)
	case Matrix, Stacked:
		out.M, err = e.Ring.AddMat(a.M, b.M)
	case Kronecker:
		out.S = e.Ring.AddFrac(a.S, b.S)
		out.Terms = slices.Concat(a.Terms, b.Terms)
		if e.kronIsZero(out.Terms) {
			out.Terms = nil
		}
	}
	return out, err
}

// kronIsZero decides Σ C·(A ⊗ B) = 0, ⊗ being bilinear.
func (e *Engine) kronIsZero(ts []KronTerm) bool {
	cs, as, bs := make([]*algebra.Frac, len(ts)), make([]*algebra.Mat, len(ts)), make([]*algebra.Mat, len(ts))
	for i, t := range ts {
		cs[i], as[i], bs[i] = t.C, t.A, t.B
	}
	return e.Ring.TensorIsZero(cs, as, bs)
}

func (e *Engine) scale(c *algebra.Frac, a *Value) *Value {
	out := &Value{Kind: a.Kind, RowMajor: a.RowMajor}
	if a.S != nil {
		out.S = e.Ring.MulFrac(c, a.S)
	}
	if a.M != nil {
		out.M = e.Ring.ScaleMat(c, a.M)
	}
	for _, t := range a.Terms {
		out.Terms = append(out.Terms, KronTerm{e.Ring.MulFrac(c, t.C), t.A, t.B})
	}
	return out
}

func (e *Engine) transpose(a *Value) (*Value, error) {
	switch a.Kind {
	case Scalar, Unit:
		return a, nil
	case Matrix:
		return &Value{Kind: Matrix, M: e.Ring.TransposeMat(a.M)}, nil
	case Kronecker:
		out := &Value{Kind: Kronecker, S: a.S}
		for _, t := range a.Terms {
			out.Terms = append(out.Terms, KronTerm{t.C, e.Ring.TransposeMat(t.A), e.Ring.TransposeMat(t.B)})
		}
		return out, nil
	}
	return nil, errors.New("symbolic: the transpose of a stacked matrix is not supported")
}

func (e *Engine) power(a *Value, n int) (*Value, error) {
	switch a.Kind {
	case Scalar, Unit:
		s, err := e.Ring.PowFrac(a.S, n)
		return &Value{Kind: a.Kind, S: s}, err
	case Matrix:
		out := e.Ring.IdentityMat(a.M.Rows, algebra.Int(1))
		for range n {
			var err error
			if out, err = e.Ring.MulMat(out, a.M); err != nil {
				return nil, err
			}
		}
		return &Value{Kind: Matrix, M: out}, nil
	}
	return nil, errors.New("symbolic: power of a stacked or Kronecker value")
}

func (e *Engine) mul(a, b *Value) (*Value, error) {
	switch {
	case a.Kind == Scalar:
		return e.scale(a.S, b), nil
	case b.Kind == Scalar:
		return e.scale(b.S, a), nil
	case a.Kind == Unit:
		return e.scale(a.S, b), nil
	case b.Kind == Unit:
		return e.scale(b.S, a), nil
	case a.Kind == Matrix && b.Kind == Matrix:
		m, err := e.Ring.MulMat(a.M, b.M)
		return &Value{Kind: Matrix, M: m}, err
	case a.Kind == Kronecker && b.Kind == Stacked:
		return e.applyKron(a, b)
	}
	return nil, errors.New("symbolic: product of values of these kinds is not supported")
}

// applyKron uses (A⊗B)·vec(M) = vec(B·M·Aᵀ) and (A⊗B)·rvec(M) = rvec(A·M·Bᵀ) (Horn and Johnson, Topics in
// Matrix Analysis, section 4.3).
func (e *Engine) applyKron(k, v *Value) (*Value, error) {
	sum := e.Ring.ScaleMat(k.S, v.M)
	for _, t := range k.Terms {
		l, r := t.B, t.A
		if v.RowMajor {
			l, r = t.A, t.B
		}
		m, err := e.Ring.MulMat(l, v.M)
		if err != nil {
			return nil, err
		}
		if m, err = e.Ring.MulMat(m, e.Ring.TransposeMat(r)); err != nil {
			return nil, err
		}
		if sum, err = e.Ring.AddMat(sum, e.Ring.ScaleMat(t.C, m)); err != nil {
			return nil, err
		}
	}
	return &Value{Kind: Stacked, M: sum, RowMajor: v.RowMajor}, nil
}

func (e *Engine) call(x *lang.Expr) (*Value, error) {
	switch x.Name {
	case "inv":
		return &Value{Kind: Matrix, M: e.Ring.LetterMat(e.Ring.Inverse(e.letters[x.Args[0].Name]))}, nil
	case "comm", "anti":
		ab, err := e.eval(lang.NewBin(lang.Mul, x.Args[0], x.Args[1]))
		if err != nil {
			return nil, err
		}
		ba, err := e.eval(lang.NewBin(lang.Mul, x.Args[1], x.Args[0]))
		if err != nil {
			return nil, err
		}
		return e.add(ab, ba, map[string]int64{"comm": -1, "anti": 1}[x.Name])
	}
	a, err := e.eval(x.Args[0])
	if err != nil {
		return nil, err
	}
	switch x.Name {
	case "tr":
		if a.Kind == Unit {
			return nil, ErrUnsized
		}
		s, err := e.Ring.Trace(a.M)
		return &Value{Kind: Scalar, S: s}, err
	case "vec", "rvec":
		return &Value{Kind: Stacked, M: a.M, RowMajor: x.Name == "rvec"}, nil
	case "kron":
		b, err := e.eval(x.Args[1])
		if err != nil {
			return nil, err
		}
		return &Value{Kind: Kronecker, S: algebra.Int(0), Terms: []KronTerm{{algebra.Int(1), a.M, b.M}}}, nil
	case "sym", "skew":
		t, err := e.transpose(a)
		if err != nil {
			return nil, err
		}
		s, err := e.add(a, t, map[string]int64{"sym": 1, "skew": -1}[x.Name])
		if err != nil {
			return nil, err
		}
		half, err := e.Ring.DivFrac(algebra.Int(1), algebra.Int(2))
		return e.scale(half, s), err
	case "sg":
		return e.mapValue(a, e.Ring.FreezeFrac, e.Ring.FreezeMat)
	case "E":
		return e.mapValue(a,
			func(f *algebra.Frac) (*algebra.Frac, error) { return e.Ring.ExpectFrac(f, e.moment) },
			func(m *algebra.Mat) (*algebra.Mat, error) { return e.Ring.ExpectMat(m, e.moment) })
	case "grad":
		return e.gradient(a, x.Args[1].Name)
	case "diff":
		g := e.scalars[x.Args[1].Name]
		return e.derive(a, &algebra.Derivation{Scalars: map[int]*algebra.Frac{g: algebra.Int(1)}})
	case "ddt":
		d, err := e.alongFlow()
		if err != nil {
			return nil, err
		}
		return e.derive(a, d)
	case "next":
		sub, err := e.assignment(e.env.Map)
		if err != nil {
			return nil, err
		}
		return e.substitute(a, sub)
	case "at":
		sub, err := e.assignment([]*lang.Equation{{Name: x.Args[1].Name, RHS: x.Args[2]}})
		if err != nil {
			return nil, err
		}
		return e.substitute(a, sub)
	}
	return nil, fmt.Errorf("symbolic: unknown function %s", x.Name)
}

func (e *Engine) derive(v *Value, d *algebra.Derivation) (*Value, error) {
	if v.Kind == Kronecker {
		return nil, errors.New("symbolic: derivative of a Kronecker sum is not supported")
	}
	return e.mapValue(v,
		func(f *algebra.Frac) (*algebra.Frac, error) { return e.Ring.DeriveFrac(f, d) },
		func(m *algebra.Mat) (*algebra.Mat, error) { return e.Ring.DeriveMat(m, d) })
}

func (e *Engine) gradient(j *Value, name string) (*Value, error) {
	if g, ok := e.scalars[name]; ok {
		s, err := e.Ring.PartialScalar(j.S, g)
		if err != nil {
			return nil, err
		}
		return e.thaw(&Value{Kind: Scalar, S: s})
	}
	m, err := e.Ring.Gradient(j.S, e.letters[name])
	if err != nil {
		return nil, err
	}
	return e.thaw(&Value{Kind: Matrix, M: m})
}

// moment is the rule for second moments of vectors that are functions of the data point, or centred and
// independent of each other given the data point: E(a·bᵀ) is declared for a = b, and is zero by the tower
// rule if one of two different vectors is centred.
func (e *Engine) moment(a, b int) (*algebra.Mat, error) {
	var na, nb string
	for name, l := range e.letters {
		if l == a {
			na = name
		}
		if l == b {
			nb = name
		}
	}
	sa, sb := e.env.Symbols[na], e.env.Symbols[nb]
	if na != nb {
		if sa.Centred || sb.Centred {
			return algebra.ZeroMat(string(sa.Rows), string(sb.Rows)), nil
		}
		return nil, fmt.Errorf("symbolic: no joint moment is declared for %s and %s", na, nb)
	}
	i := slices.IndexFunc(e.env.Moments, func(m *lang.Moment) bool { return slices.Contains(m.Of, na) })
	if i < 0 {
		return nil, fmt.Errorf("symbolic: no second moment is declared for %s", na)
	}
	v, err := e.Eval(e.env.Moments[i].RHS)
	if err != nil {
		return nil, err
	}
	if v.Kind == Unit {
		v = e.sized(v, string(sa.Rows))
	}
	return v.M, nil
}

// assignment evaluates equations into a substitution.
func (e *Engine) assignment(eqs []*lang.Equation) (*algebra.Substitution, error) {
	sub := &algebra.Substitution{Letters: map[int]*algebra.Mat{}, Scalars: map[int]*algebra.Frac{}}
	for _, q := range eqs {
		v, err := e.Eval(q.RHS)
		if err != nil {
			return nil, err
		}
		if v, err = e.thaw(v); err != nil {
			return nil, err
		}
		s := e.env.Symbols[q.Name]
		if s.Kind == lang.Scalar {
			sub.Scalars[e.scalars[q.Name]] = v.S
			continue
		}
		switch v.Kind {
		case Unit:
			v = e.sized(v, string(s.Rows))
		case Scalar: // the literal 0
			v = &Value{Kind: Matrix, M: algebra.ZeroMat(string(s.Rows), string(s.Cols))}
		}
		sub.Letters[e.letters[q.Name]] = v.M
	}
	return sub, nil
}

func (e *Engine) alongFlow() (*algebra.Derivation, error) {
	if e.flow == nil {
		sub, err := e.assignment(e.env.Flow)
		if err != nil {
			return nil, err
		}
		e.flow = &algebra.Derivation{Letters: sub.Letters, Scalars: sub.Scalars}
	}
	return e.flow, nil
}

// Stationary returns the flow's right-hand sides at the assigned values, in the order of the flow.
func (e *Engine) Stationary(assign []*lang.Equation) ([]*Value, error) {
	sub, err := e.assignment(assign)
	if err != nil {
		return nil, err
	}
	var out []*Value
	for _, q := range e.env.Flow {
		v, err := e.Eval(q.RHS)
		if err != nil {
			return nil, err
		}
		if v, err = e.thaw(v); err != nil {
			return nil, err
		}
		if v, err = e.substitute(v, sub); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Thaw lifts every stop-gradient.
func (e *Engine) Thaw(v *Value) (*Value, error) { return e.thaw(v) }

// Plus returns a + b.
func (e *Engine) Plus(a, b *Value) (*Value, error) { return e.add(a, b, 1) }

// Minus returns a − b.
func (e *Engine) Minus(a, b *Value) (*Value, error) { return e.add(a, b, -1) }

// Format renders a value's normal form, at most a few terms of it.
func (e *Engine) Format(v *Value) string {
	switch v.Kind {
	case Scalar:
		return e.Ring.FormatFrac(v.S)
	case Unit:
		return "(" + e.Ring.FormatFrac(v.S) + ")·I"
	case Kronecker:
		return fmt.Sprintf("a Kronecker sum of %d terms", len(v.Terms))
	}
	return e.Ring.FormatMat(v.M)
}
