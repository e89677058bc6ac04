package eval

import (
	"fmt"
	"math"
	"math/big"

	"stopgrad/theory/lang"
)

// Finding is what a part amounts to at one state.
type Finding struct {
	// Hypotheses says of each hypothesis, and of each declared domain that fails, whether it is met.
	Hypotheses map[string]bool
	Met        bool // all hypotheses
	// Open is true if every hypothesis about moving quantities holds strictly or is about constants, so that
	// it also holds for a short time after.
	Open  bool
	Holds bool
	// Measures are the sizes behind Holds: residual and scale of an equality, margin of an inequality.
	Measures map[string]float64
}

// Judge evaluates a part at a state: its hypotheses, and the statement in the form that a single state
// decides. Statements about all times are judged by what they say at this instant:
//
//	L evolves at rate r      L' = r·L
//	|L| decays at rate r     (‖L‖²)' ≤ −2r‖L‖²
//	L stays zero             L = 0 ⟹ L' = 0
//	L stays nonnegative      L = 0 ⟹ L' ≥ 0
//	L moves by congruence    xᵀ·L'·x = 0 on the kernel of L
//	L vanishes               not (the state is stationary and L ≠ 0)
//	x tends to r             x' points to r
//
// each of which follows from the statement, so that a state where it fails and whose hypotheses are Open is
// a counterexample. An error means that the part cannot be evaluated there.
func Judge[T any](ar Arith[T], part *lang.Part, st State[T]) (*Finding, error) {
	e, err := New(ar, part.Env, st)
	if err != nil {
		return nil, err
	}
	f := &Finding{Hypotheses: map[string]bool{}, Met: true, Open: true, Measures: map[string]float64{}}
	if err := e.domains(part, f); err != nil {
		return nil, err
	}
	for _, a := range part.Assumes {
		ok, strict, _, err := e.pointwise(a.Stmt)
		if err != nil {
			return nil, err
		}
		f.Hypotheses[a.Name] = ok
		f.Met = f.Met && ok
		if !strict && part.Env.Moves(a.Stmt) {
			f.Open = false
		}
	}
	switch {
	case part.Stmt.Kind == lang.Assumption:
		for i, q := range part.Stmt.Assign {
			v, err := e.eval(q.RHS)
			if err != nil {
				return nil, err
			}
			ok := e.allZero(v)
			f.Hypotheses[fmt.Sprintf("assumption%d", i+1)] = ok
			f.Met = f.Met && ok
		}
		f.Holds, _, f.Measures, err = e.pointwise(part.Consequence)
	default:
		f.Holds, err = e.statement(part.Stmt, f)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// domains checks the declared structure and ranges of the symbols that have values.
func (e *Evaluator[T]) domains(part *lang.Part, f *Finding) error {
	for _, name := range part.Env.Order {
		s, v := part.Env.Symbols[name], e.vals[name]
		if v == nil || s.Kind == lang.Random {
			continue
		}
		ok := true
		if s.Kind == lang.Scalar {
			if _, exact := any(e.ar).(Rational); exact {
				ok = s.Domain.Contains(any(v.v[0]).(*big.Rat))
			} else if x := e.ar.Float(v.v[0]); math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("eval: %s is not a finite number", name)
			} else {
				ok = s.Domain.Contains(new(big.Rat).SetFloat64(x))
			}
		} else {
			ok = e.structured(s, v)
		}
		if !ok {
			f.Hypotheses[name] = false
			f.Met = false
		}
	}
	return nil
}

func (e *Evaluator[T]) structured(s *lang.Symbol, v *value[T]) bool {
	size := e.size(v)
	zero := func(x T) bool { return e.ar.Sign(x, size) == 0 }
	at := func(i, j int) T { return v.v[i*v.c+j] }
	for i := range v.r {
		for j := range v.c {
			if v.r != v.c {
				break
			}
			if s.Attr&lang.Symmetric != 0 && !zero(e.ar.Sub(at(i, j), at(j, i))) ||
				s.Attr&lang.Skew != 0 && !zero(e.ar.Add(at(i, j), at(j, i))) ||
				s.Attr&lang.Diagonal != 0 && i != j && !zero(at(i, j)) {
				return false
			}
		}
	}
	if s.Attr&lang.PSD != 0 && !e.definite(v, s.Attr&lang.PD == lang.PD, size) {
		return false
	}
	if s.Attr&lang.Isometry != 0 {
		p, err := e.mul(e.transpose(v), v)
		if err != nil {
			return false
		}
		for i := range p.r {
			p.v[i*p.c+i] = e.ar.Sub(p.v[i*p.c+i], e.ar.FromRat(big.NewRat(1, 1)))
		}
		for _, x := range p.v {
			if e.ar.Sign(x, max(1, size*size)) != 0 {
				return false
			}
		}
	}
	if s.Attr&lang.Invertible != 0 {
		if _, err := e.inverse(v); err != nil {
			return false
		}
	}
	return true
}

func (e *Evaluator[T]) size(v *value[T]) float64 {
	s := 0.0
	for _, x := range v.v {
		s = max(s, abs(e.ar.Float(x)))
	}
	return s
}

func (e *Evaluator[T]) allZero(v *value[T]) bool {
	for _, x := range v.v {
		if e.ar.Sign(x, e.Scale()) != 0 {
			return false
		}
	}
	return true
}

// definite decides A ⪰ 0, or A ≻ 0 if strict, of a symmetric matrix.
func (e *Evaluator[T]) definite(v *value[T], strict bool, size float64) bool {
	m := Matrix[T]{v.r, v.c, append([]T(nil), v.v...)}
	if _, exact := any(e.ar).(Rational); !exact {
		a := make([]float64, len(v.v))
		for i, x := range v.v {
			a[i] = e.ar.Float(x)
		}
		low := SmallestEigenvalue(a, v.r)
		if strict {
			return low > Tolerance*size
		}
		return low >= -Tolerance*size
	}
	_, d, ok := e.ldl(m)
	if !ok {
		return false
	}
	for _, x := range d {
		if strict && e.ar.Sign(x, size) <= 0 {
			return false
		}
	}
	return true
}

// pointwise decides a statement that a state alone decides, and whether it holds strictly.
func (e *Evaluator[T]) pointwise(s *lang.Stmt) (holds, strict bool, measures map[string]float64, err error) {
	measures = map[string]float64{}
	switch s.Kind {
	case lang.Equality:
		d, err := e.difference(s.L, s.R)
		if err != nil {
			return false, false, nil, err
		}
		measures["residual"], measures["scale"] = e.frobenius(d), e.Scale()
		return e.allZero(d), false, measures, nil
	case lang.Inequality:
		l, r := s.L, s.R
		if s.Rel == "<=" || s.Rel == "<" {
			l, r = r, l
		}
		d, err := e.difference(l, r)
		if err != nil {
			return false, false, nil, err
		}
		sign := e.ar.Sign(d.v[0], e.Scale())
		measures["margin"], measures["scale"] = e.ar.Float(d.v[0]), e.Scale()
		return sign > 0 || sign == 0 && (s.Rel == ">=" || s.Rel == "<="), sign > 0, measures, nil
	case lang.Definite:
		v, err := e.eval(s.L)
		if err != nil {
			return false, false, nil, err
		}
		size := max(e.size(v), e.Scale())
		for i := range v.r {
			for j := range i {
				if e.ar.Sign(e.ar.Sub(v.v[i*v.c+j], v.v[j*v.c+i]), size) != 0 {
					measures["asymmetric"] = 1
					return false, false, measures, nil
				}
			}
		}
		a := make([]float64, len(v.v))
		for i, x := range v.v {
			a[i] = e.ar.Float(x)
		}
		measures["smallest eigenvalue"] = SmallestEigenvalue(a, v.r)
		pd := e.definite(v, true, size)
		return pd || !s.Strict && e.definite(v, false, size), pd, measures, nil
	}
	return false, false, nil, fmt.Errorf("eval: a state alone does not decide this statement")
}

func (e *Evaluator[T]) difference(l, r *lang.Expr) (*value[T], error) {
	a, err := e.eval(l)
	if err != nil {
		return nil, err
	}
	b, err := e.eval(r)
	if err != nil {
		return nil, err
	}
	return e.add(a, b, true)
}

func (e *Evaluator[T]) frobenius(v *value[T]) float64 {
	s := 0.0
	for _, x := range v.v {
		s = math.Hypot(s, e.ar.Float(x))
	}
	return s
}

// statement decides what the statement says at this state; see [Judge].
func (e *Evaluator[T]) statement(s *lang.Stmt, f *Finding) (bool, error) {
	ddt := func(x *lang.Expr) *lang.Expr { return lang.NewCall(x.Pos, "ddt", x) }
	switch s.Kind {
	case lang.Equality, lang.Inequality, lang.Definite:
		ok, _, m, err := e.pointwise(s)
		f.Measures = m
		return ok, err
	case lang.Evolves:
		ok, _, m, err := e.pointwise(&lang.Stmt{Kind: lang.Equality, L: ddt(s.L), R: lang.NewBin(lang.Mul, s.Rate, s.L)})
		f.Measures = m
		return ok, err
	case lang.Decays:
		ok, _, m, err := e.pointwise(EnergyInequality(s))
		f.Measures = m
		return ok, err
	case lang.Stays, lang.Congruence:
		l, err := e.eval(s.L)
		if err != nil {
			return false, err
		}
		d, err := e.eval(ddt(s.L))
		if err != nil {
			return false, err
		}
		if s.Kind == lang.Congruence {
			return e.kernelStill(l, d, f)
		}
		f.Measures["value"], f.Measures["derivative"] = e.frobenius(l), e.frobenius(d)
		if !e.allZero(l) {
			// Away from the boundary the statement says nothing about this instant.
			return true, nil
		}
		if s.Word == "zero" {
			return e.allZero(d), nil
		}
		f.Measures["derivative"] = e.ar.Float(d.v[0])
		return e.ar.Sign(d.v[0], e.Scale()) >= 0, nil
	case lang.Vanishes:
		l, err := e.eval(s.L)
		if err != nil {
			return false, err
		}
		f.Measures["value"] = e.frobenius(l)
		still, err := e.stationary(f)
		return !still || e.allZero(l), err
	case lang.Stationary:
		c := e.child()
		for _, q := range s.Assign {
			v, err := e.eval(q.RHS)
			if err != nil {
				return false, err
			}
			c.vals[q.Name] = e.fit(v, c.vals[q.Name])
		}
		return c.stationary(f)
	case lang.Tends:
		return e.pointsTo(s, f)
	}
	return false, fmt.Errorf("eval: a state alone does not decide this statement")
}

// stationary reports whether the flow's right-hand side vanishes.
func (e *Evaluator[T]) stationary(f *Finding) (bool, error) {
	still, speed := true, 0.0
	for _, q := range e.env.Flow {
		m, err := e.RightHandSide(q.Name)
		if err != nil {
			return false, err
		}
		v := &value[T]{v: m.A}
		speed = math.Hypot(speed, e.frobenius(v))
		still = still && e.allZero(v)
	}
	f.Measures["speed"] = speed
	return still, nil
}

// kernelStill reports whether xᵀ·D·x = 0 for all x in the kernel of the symmetric matrix L.
func (e *Evaluator[T]) kernelStill(l, d *value[T], f *Finding) (bool, error) {
	basis := e.kernel(l)
	worst := 0.0
	ok := true
	for _, x := range basis {
		for _, y := range basis {
			s := e.zero
			for i := range l.r {
				for j := range l.r {
					s = e.ar.Add(s, e.ar.Mul(e.ar.Mul(x[i], d.v[i*d.c+j]), y[j]))
				}
			}
			worst = max(worst, abs(e.ar.Float(s)))
			ok = ok && e.ar.Sign(s, e.Scale()) == 0
		}
	}
	f.Measures["kernel dimension"], f.Measures["residual"] = float64(len(basis)), worst
	return ok, nil
}

// kernel returns a basis of the null space by Gaussian elimination.
func (e *Evaluator[T]) kernel(l *value[T]) [][]T {
	n := l.r
	m := append([]T(nil), l.v...)
	size := e.size(l)
	var pivots []int
	row := 0
	for col := 0; col < n && row < n; col++ {
		p := row
		for i := row; i < n; i++ {
			if abs(e.ar.Float(m[i*n+col])) > abs(e.ar.Float(m[p*n+col])) {
				p = i
			}
		}
		if e.ar.Sign(m[p*n+col], size) == 0 {
			continue
		}
		for j := range n {
			m[p*n+j], m[row*n+j] = m[row*n+j], m[p*n+j]
		}
		inv, err := e.ar.Div(e.ar.FromRat(big.NewRat(1, 1)), m[row*n+col])
		if err != nil {
			continue
		}
		for j := range n {
			m[row*n+j] = e.ar.Mul(m[row*n+j], inv)
		}
		for i := range n {
			if i == row {
				continue
			}
			g := m[i*n+col]
			for j := range n {
				m[i*n+j] = e.ar.Sub(m[i*n+j], e.ar.Mul(g, m[row*n+j]))
			}
		}
		pivots = append(pivots, col)
		row++
	}
	var basis [][]T
	for col := range n {
		free := true
		for _, p := range pivots {
			free = free && p != col
		}
		if !free {
			continue
		}
		x := e.zeros(n)
		x[col] = e.ar.FromRat(big.NewRat(1, 1))
		for i, p := range pivots {
			x[p] = e.ar.Sub(e.zero, m[i*n+col])
		}
		basis = append(basis, x)
	}
	return basis
}

// pointsTo decides x → r for a flow that has x as its only variable: inside (lo, hi) x' must have the sign
// of r − x, since a one-dimensional autonomous flow is monotone.
func (e *Evaluator[T]) pointsTo(s *lang.Stmt, f *Finding) (bool, error) {
	x, err := e.eval(s.L)
	if err != nil {
		return false, err
	}
	bound := func(b *lang.Expr) (int, error) {
		v, err := e.eval(b)
		if err != nil {
			return 0, err
		}
		d, err := e.add(x, v, true)
		if err != nil {
			return 0, err
		}
		return e.ar.Sign(d.v[0], e.Scale()), nil
	}
	lo, err := bound(s.Lo)
	if err != nil {
		return false, err
	}
	hi, err := bound(s.Hi)
	if err != nil {
		return false, err
	}
	f.Hypotheses["inside"] = lo > 0 && hi < 0
	f.Met = f.Met && f.Hypotheses["inside"]
	at, err := bound(s.R)
	if err != nil {
		return false, err
	}
	d, err := e.RightHandSide(s.L.Name)
	if err != nil {
		return false, err
	}
	f.Measures["speed"] = e.ar.Float(d.A[0])
	return at == 0 || e.ar.Sign(d.A[0], e.Scale()) == -at, nil
}

// EnergyInequality returns the instantaneous form of a decay: −V' − 2r·V ≥ 0 with V = tr(LᵀL) for the norm
// of a matrix, −V' − r·V ≥ 0 with V = L for a scalar.
func EnergyInequality(s *lang.Stmt) *lang.Stmt {
	p := s.L.Pos
	v, rate := s.L, s.Rate
	if s.Norm {
		v = lang.NewCall(p, "tr", lang.NewBin(lang.Mul, &lang.Expr{Kind: lang.Trans, Pos: p, Args: []*lang.Expr{s.L}}, s.L))
		rate = lang.NewBin(lang.Mul, lang.NewNum(p, big.NewRat(2, 1)), s.Rate)
	}
	neg := &lang.Expr{Kind: lang.Neg, Pos: p, Args: []*lang.Expr{lang.NewCall(p, "ddt", v)}}
	return &lang.Stmt{Kind: lang.Inequality, Rel: ">=", Pos: s.Pos,
		L: lang.NewBin(lang.Sub, neg, lang.NewBin(lang.Mul, rate, v)), R: lang.NewNum(p, new(big.Rat))}
}

// SmallestEigenvalue returns the least eigenvalue of the symmetric n×n matrix a, by cyclic Jacobi rotations
// (Golub and Van Loan, Matrix Computations, section 8.5). It overwrites a.
func SmallestEigenvalue(a []float64, n int) float64 {
	const sweeps = 60 // quadratic convergence makes ten enough; the bound only guards NaN
	for range sweeps {
		off := 0.0
		for i := range n {
			for j := range i {
				off = math.Hypot(off, a[i*n+j])
			}
		}
		if off == 0 {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if a[p*n+q] == 0 {
					continue
				}
				theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
				t := 1 / (math.Abs(theta) + math.Hypot(theta, 1))
				if theta < 0 {
					t = -t
				}
				c := 1 / math.Hypot(t, 1)
				s := t * c
				for k := range n {
					x, y := a[k*n+p], a[k*n+q]
					a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
				}
				for k := range n {
					x, y := a[p*n+k], a[q*n+k]
					a[p*n+k], a[q*n+k] = c*x-s*y, s*x+c*y
				}
				a[p*n+q], a[q*n+p] = 0, 0
			}
		}
	}
	low := math.Inf(1)
	for i := range n {
		low = math.Min(low, a[i*n+i])
	}
	return low
}
