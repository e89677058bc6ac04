package sample

import (
	"errors"
	"fmt"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Chooser makes the choices of a draw.
type Chooser interface {
	// Intn returns a number in [0, n), 0 the simplest.
	Intn(n int) int
}

// ErrNoDraw is returned where the choices made lead to no state: an isometry with more columns than rows, an
// irrational root, a division by zero. Drawing again may succeed.
var ErrNoDraw = errors.New("sample: these choices give no state")

type matrix = eval.Matrix[*big.Rat]

// nice are the numbers scalars are drawn from, simplest first.
var nice = rats("1", "0", "2", "1/2", "-1", "3", "1/4", "3/4", "3/2", "1/3", "-1/2", "2/3", "4", "1/8", "-2", "5", "3/8", "1/10", "9/10", "-3", "10")

// entries are the numbers matrix entries are drawn from.
var entries = rats("0", "1", "-1", "2", "1/2", "-2", "-1/2", "3")

func rats(ss ...string) []*big.Rat {
	out := make([]*big.Rat, len(ss))
	for i, s := range ss {
		out[i], _ = new(big.Rat).SetString(s)
	}
	return out
}

// Draw draws a state with sizes up to maxDim (at most 2 where there are random vectors: the model that confirms a
// counterexample takes expectations by differences in all pairs of entries), at which declared roots are fractions.
func Draw(ch Chooser, part *lang.Part, maxDim int) (eval.State[*big.Rat], error) {
	return DrawBy(eval.Rational{}, ch, part, maxDim, false)
}

// DrawBy is [Draw] by an exact arithmetic of the caller's, which may count what definitions and roots take; wide ones have
// scalars of all magnitudes, next to the ends of their domains, and tied to one another.
func DrawBy(ar Exact, ch Chooser, part *lang.Part, maxDim int, wide bool) (eval.State[*big.Rat], error) {
	return fractional(drawAny(ar, ch, part, maxDim, wide))
}

// Exact is an exact arithmetic: [eval.Rational], or [eval.Metered].
type Exact = eval.Arith[*big.Rat]

func fractional(st eval.State[*big.Rat], fractions bool, err error) (eval.State[*big.Rat], error) {
	if err == nil && !fractions {
		err = ErrNoDraw
	}
	return st, err
}

// drawAny is [Draw], or [DrawWide], where declared roots may be irrational; it reports whether all are fractions.
func drawAny(ar Exact, ch Chooser, part *lang.Part, maxDim int, wide bool) (st eval.State[*big.Rat], fractions bool, err error) {
	fractions = true
	env := part.Env
	if m, counts := ar.(eval.Metered); counts {
		m.Spend(perSymbol * max(0, len(env.Order)-fewSymbols))
	}
	d := &drawer{ar: ar, ch: ch, env: env, wide: wide, st: eval.State[*big.Rat]{Dims: map[lang.Dim]int{}, Vals: map[string]matrix{}}}
	for _, name := range env.Order {
		if env.Symbols[name].Kind == lang.Random {
			maxDim = min(maxDim, 2)
		}
	}
	for _, s := range env.Sizes {
		d.st.Dims[s] = 1 + ch.Intn(maxDim)
		if k, fixed := env.Fixed[s]; fixed {
			d.st.Dims[s] = k
		}
	}
	var roots []string
	for _, name := range env.Order {
		s := env.Symbols[name]
		switch {
		case s.Root != nil:
			roots = append(roots, name)
		case s.Kind == lang.Scalar:
			v, err := d.scalar(s.Domain)
			if err != nil {
				return d.st, false, fmt.Errorf("%w: %s", err, name)
			}
			d.drawn = append(d.drawn, v)
			d.st.Vals[name] = eval.ScalarOf(v)
		case s.Kind == lang.Matrix:
			m, err := d.matrix(s)
			if err != nil {
				return d.st, false, err
			}
			if wide && s.Attr&lang.Isometry == 0 {
				d.stretch(m, s)
			}
			d.st.Vals[name] = m
		}
	}
	for _, r := range roots {
		// Where no rational state makes the root a number, the state is left as it is drawn: the root is irrational there,
		// and the model counts with it.
		fractions = d.root(r) && fractions
	}
	for _, q := range part.Draws {
		if ch.Intn(5) == 4 {
			// Sometimes the hypothesis is left to luck, so that the states drawn are not all of one kind.
			continue
		}
		e, err := eval.New(ar, env, d.st)
		if err != nil {
			return d.st, false, fmt.Errorf("%w: %w", ErrNoDraw, err)
		}
		m, err := e.EvalFor(q.Name, q.RHS)
		if err != nil {
			return d.st, false, fmt.Errorf("%w: %w", ErrNoDraw, err)
		}
		d.st.Vals[q.Name] = m
	}
	if len(part.Draws) > 0 {
		for _, r := range roots {
			// What was drawn by a recipe may have moved it.
			delete(d.st.Vals, r)
			if q := d.radicand(env.Symbols[r]); q != nil {
				if v, err := ar.Sqrt(q); err == nil {
					d.st.Vals[r] = eval.ScalarOf(v)
					continue
				}
			}
			fractions = false
		}
	}
	return d.st, fractions, nil
}

// Of more than fewSymbols symbols, the value of each counts as so many operations: as long as it takes to choose it.
const (
	fewSymbols = 32
	perSymbol  = 10
)

type drawer struct {
	ar  Exact
	ch  Chooser
	env *lang.Env
	st  eval.State[*big.Rat]

	settled map[string]bool // scalars on which roots depend that have their values

	bounds *[2]*big.Rat // of the entries of the matrix being drawn
	// wide draws scalars as by extreme; drawn are those so far.
	wide  bool
	drawn []*big.Rat
}

func (d *drawer) scalar(dom lang.Domain) (*big.Rat, error) {
	if d.wide && d.ch.Intn(4) > 0 {
		for range extremes {
			if v := d.extreme(dom); v != nil && dom.Contains(v) {
				return v, nil
			}
		}
	}
	// Zero is where terms drop out; a quarter of the draws go there.
	if zero := new(big.Rat); dom.Contains(zero) && d.ch.Intn(4) == 3 {
		return zero, nil
	}
	var fit []*big.Rat
	for _, v := range nice {
		if dom.Contains(v) {
			fit = append(fit, v)
		}
	}
	if dom.Lo != nil && dom.Hi != nil {
		// Eighths of a bounded domain, in case none of the simple numbers lies in it.
		w := new(big.Rat).Sub(dom.Hi, dom.Lo)
		for k := int64(0); k <= 8; k++ {
			v := new(big.Rat).Add(dom.Lo, new(big.Rat).Mul(w, big.NewRat(k, 8)))
			if dom.Contains(v) {
				fit = append(fit, v)
			}
		}
	} else if len(fit) == 0 {
		for _, v := range nice {
			switch {
			case dom.Lo != nil:
				v = new(big.Rat).Add(dom.Lo, new(big.Rat).Abs(v))
			case dom.Hi != nil:
				v = new(big.Rat).Sub(dom.Hi, new(big.Rat).Abs(v))
			}
			if dom.Contains(v) {
				fit = append(fit, v)
			}
		}
	}
	if len(fit) == 0 {
		return nil, ErrNoDraw
	}
	return fit[d.ch.Intn(len(fit))], nil
}

func (d *drawer) dim(x lang.Dim) int {
	if x == "1" {
		return 1
	}
	return d.st.Dims[x]
}

func (d *drawer) entry() *big.Rat {
	if d.bounds != nil {
		if v, err := d.scalar(lang.Domain{Lo: d.bounds[0], Hi: d.bounds[1]}); err == nil {
			return v
		}
	}
	return entries[d.ch.Intn(len(entries))]
}

func (d *drawer) fill(r, c int) matrix {
	m := zeros(r, c)
	for i := range m.A {
		m.A[i] = d.entry()
	}
	return m
}

func zeros(r, c int) matrix {
	m := matrix{R: r, C: c, A: make([]*big.Rat, r*c)}
	for i := range m.A {
		m.A[i] = new(big.Rat)
	}
	return m
}

func identity(n int) matrix {
	m := zeros(n, n)
	for i := range n {
		m.A[i*n+i] = big.NewRat(1, 1)
	}
	return m
}

func mul(a, b matrix) matrix {
	m := zeros(a.R, b.C)
	for i := range a.R {
		for j := range b.C {
			s := new(big.Rat)
			for k := range a.C {
				s.Add(s, new(big.Rat).Mul(a.At(i, k), b.At(k, j)))
			}
			m.A[i*m.C+j] = s
		}
	}
	return m
}

func transpose(a matrix) matrix {
	m := zeros(a.C, a.R)
	for i := range a.R {
		for j := range a.C {
			m.A[j*a.R+i] = a.At(i, j)
		}
	}
	return m
}

// matrix draws a matrix with the symbol's declared structure.
func (d *drawer) matrix(s *lang.Symbol) (matrix, error) {
	r, c := d.dim(s.Rows), d.dim(s.Cols)
	d.bounds = s.Entries
	switch {
	case s.Attr&lang.Isometry != 0:
		return d.isometry(r, c)
	case s.Attr&lang.Diagonal != 0:
		m := zeros(r, c)
		for i := range r {
			v := d.entry()
			if s.Attr&(lang.PSD|lang.PD) != 0 {
				v = new(big.Rat).Abs(v)
			}
			if v.Sign() == 0 && s.Attr&(lang.Invertible|lang.PD) == lang.PD {
				v = big.NewRat(1, 1)
			}
			m.A[i*c+i] = v
		}
		return m, nil
	case s.Attr&lang.PSD != 0:
		// B·Bᵀ with B of any width up to r: singular ones are frequent. A pd matrix adds a multiple of I.
		m := zeros(r, r)
		if k := d.ch.Intn(r + 1); k > 0 {
			b := d.fill(r, k)
			m = mul(b, transpose(b))
		}
		if s.Attr&lang.PD == lang.PD {
			shift := rats("1", "1/2", "2", "1/4")[d.ch.Intn(4)]
			for i := range r {
				m.A[i*r+i] = new(big.Rat).Add(m.A[i*r+i], shift)
			}
		}
		return m, nil
	case s.Attr&lang.Invertible != 0:
		l, u := identity(r), identity(r)
		for i := range r {
			for j := range i {
				l.A[i*r+j], u.A[j*r+i] = d.entry(), d.entry()
			}
			u.A[i*r+i] = rats("1", "2", "-1", "1/2", "3")[d.ch.Intn(5)]
		}
		return mul(l, u), nil
	}
	if r == c {
		// The identity and the zero matrix are corner cases worth their own choice.
		switch d.ch.Intn(8) {
		case 6:
			if s.Attr&lang.Skew == 0 {
				return identity(r), nil
			}
		case 7:
			return zeros(r, c), nil
		}
	}
	m := d.fill(r, c)
	if s.Attr&(lang.Symmetric|lang.Skew) != 0 {
		for i := range r {
			for j := range i {
				m.A[i*c+j] = m.At(j, i)
				if s.Attr&lang.Skew != 0 {
					m.A[i*c+j] = new(big.Rat).Neg(m.At(j, i))
				}
			}
			if s.Attr&lang.Skew != 0 {
				m.A[i*c+i] = new(big.Rat)
			}
		}
	}
	return m, nil
}

// isometry returns c columns of a product of up to two rational Householder reflections I − 2vvᵀ/vᵀv.
func (d *drawer) isometry(r, c int) (matrix, error) {
	if r < c {
		return matrix{}, ErrNoDraw
	}
	q := identity(r)
	for range d.ch.Intn(3) {
		v := d.fill(r, 1)
		n := mul(transpose(v), v).A[0]
		if n.Sign() == 0 {
			continue
		}
		h := identity(r)
		vv := mul(v, transpose(v))
		for i := range h.A {
			t := new(big.Rat).Quo(vv.A[i], n)
			h.A[i] = new(big.Rat).Sub(h.A[i], t.Add(t, t))
		}
		q = mul(q, h)
	}
	m := zeros(r, c)
	for i := range r {
		for j := range c {
			m.A[i*c+j] = q.At(i, j)
		}
	}
	return m, nil
}

// root makes the radicand of a root a perfect square: if it is not one already, the root is drawn and a
// scalar in which the radicand is affine is solved for, on which no root that has its value depends. It reports whether the
// root is a fraction then.
func (d *drawer) root(name string) bool {
	s := d.env.Symbols[name]
	var free []string
	for _, v := range d.env.Scalars(s.Root) {
		if !d.settled[v] {
			free = append(free, v)
		}
	}
	settle := func(r *big.Rat) bool {
		d.st.Vals[name] = eval.ScalarOf(r)
		if d.settled == nil {
			d.settled = map[string]bool{}
		}
		for _, v := range free {
			d.settled[v] = true
		}
		return true
	}
	if q := d.radicand(s); q != nil {
		if v, err := d.ar.Sqrt(q); err == nil && s.Domain.Contains(v) {
			return settle(v)
		}
	}
	r, err := d.scalar(s.Domain)
	if err != nil {
		return false
	}
	want := new(big.Rat).Mul(r, r)
	first := d.ch.Intn(max(1, len(free)))
	for k := range free {
		v := free[(k+first)%len(free)]
		old := d.st.Vals[v]
		at := func(x int64) *big.Rat {
			d.st.Vals[v] = eval.ScalarOf(big.NewRat(x, 1))
			return d.radicand(s)
		}
		q0, q1, q2 := at(0), at(1), at(2)
		d.st.Vals[v] = old
		if q0 == nil || q1 == nil || q2 == nil {
			continue
		}
		slope := new(big.Rat).Sub(q1, q0)
		if slope.Sign() == 0 || new(big.Rat).Sub(q2, q1).Cmp(slope) != 0 {
			continue
		}
		x := new(big.Rat).Quo(new(big.Rat).Sub(want, q0), slope)
		if !d.env.Symbols[v].Domain.Contains(x) {
			continue
		}
		d.st.Vals[v] = eval.ScalarOf(x)
		return settle(r)
	}
	return false
}

// radicand evaluates a root's square in the present state, or returns nil.
func (d *drawer) radicand(s *lang.Symbol) *big.Rat {
	e, err := eval.New(d.ar, d.env, d.st)
	if err != nil {
		return nil
	}
	m, err := e.Eval(s.Root)
	if err != nil {
		return nil
	}
	return m.A[0]
}
