package chart

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// ErrNoChart is wrapped by the error of [New] for a statement whose states cannot be built from free numbers.
var ErrNoChart = errors.New("chart: no coordinates for this statement")

// Coord is one coordinate.
type Coord struct {
	Symbol string
	Kind   Kind
	Row    int // of the factor or matrix, from 0
	Col    int
	Domain lang.Domain // of a scalar
}

// Kind says what a coordinate is a number of.
type Kind int

// The kinds of coordinates.
const (
	Scalar Kind = iota // the value of a scalar, or of a root
	Entry              // an entry of a matrix, and what follows from it by symmetry
	Factor             // an entry of B in B·Bᵀ
	Mirror             // a component of a Householder vector
)

// Chart is a set of coordinates on the states of a part with given sizes.
type Chart struct {
	part   *lang.Part
	dims   map[lang.Dim]int
	coords []Coord
	// solved maps a root to the scalar that is solved for when the root's value is chosen.
	solved map[string]string
}

// New returns the chart of part with the given sizes. An isometry with more columns than rows, or a root in
// whose square no scalar is affine, has none.
func New(part *lang.Part, dims map[lang.Dim]int) (*Chart, error) { return build(part, dims, false) }

// NewFree returns the chart of part in which every scalar is a coordinate and roots are left to the
// evaluator: for float64, where a root need not be rational.
func NewFree(part *lang.Part, dims map[lang.Dim]int) (*Chart, error) { return build(part, dims, true) }

func build(part *lang.Part, dims map[lang.Dim]int, free bool) (*Chart, error) {
	env := part.Env
	c := &Chart{part: part, dims: dims, solved: map[string]string{}}
	taken := map[string]bool{}
	for _, name := range env.Order {
		if s := env.Symbols[name]; s.Root != nil {
			if free {
				taken[name] = true
				continue
			}
			v := affineScalar(env, dims, s, taken)
			if v == "" {
				return nil, fmt.Errorf("%w: no scalar makes the square of %s what it should be", ErrNoChart, name)
			}
			c.solved[name], taken[v] = v, true
		}
	}
	for _, name := range env.Order {
		s := env.Symbols[name]
		switch {
		case s.Kind == lang.Random || taken[name]:
		case s.Kind == lang.Scalar:
			c.coords = append(c.coords, Coord{Symbol: name, Domain: s.Domain})
		default:
			if err := c.matrix(s); err != nil {
				return nil, err
			}
		}
	}
	if len(c.coords) == 0 {
		return nil, fmt.Errorf("%w: it has no free numbers", ErrNoChart)
	}
	return c, nil
}

func (c *Chart) dim(d lang.Dim) int {
	if d == "1" {
		return 1
	}
	return c.dims[d]
}

func (c *Chart) matrix(s *lang.Symbol) error {
	rows, cols := c.dim(s.Rows), c.dim(s.Cols)
	kind, from := Entry, func(int) int { return 0 }
	switch {
	case s.Attr&lang.Isometry != 0:
		if rows < cols {
			return fmt.Errorf("%w: %s has %d columns and %d rows", ErrNoChart, s.Name, cols, rows)
		}
		kind = Mirror
	case s.Attr&lang.Diagonal != 0:
		for i := range rows {
			c.coords = append(c.coords, Coord{Symbol: s.Name, Kind: Entry, Row: i, Col: i})
		}
		return nil
	case s.Attr&lang.PSD != 0:
		kind = Factor
	case s.Attr&lang.Skew != 0:
		from = func(i int) int { return i + 1 }
	case s.Attr&lang.Symmetric != 0:
		from = func(i int) int { return i }
	}
	for i := range rows {
		for j := from(i); j < cols; j++ {
			c.coords = append(c.coords, Coord{Symbol: s.Name, Kind: kind, Row: i, Col: j})
		}
	}
	return nil
}

// Coords returns the coordinates; they must not be changed.
func (c *Chart) Coords() []Coord { return c.coords }

// Dims returns the sizes.
func (c *Chart) Dims() map[lang.Dim]int { return c.dims }

// Build returns the state with coordinates x: it fills the matrices, solves for the scalars that roots
// depend on, and carries out the part's draws, which make its equality hypotheses hold. The state has the
// declared structure, but its hypotheses and domains remain to be checked. An error says that these
// coordinates have no state.
func Build[T any](c *Chart, ar eval.Arith[T], x []T) (eval.State[T], error) {
	if len(x) != len(c.coords) {
		panic("chart: coordinates of another chart")
	}
	env := c.part.Env
	st := eval.State[T]{Dims: c.dims, Vals: make(map[string]eval.Matrix[T], len(env.Order))}
	mirrors := map[string][]T{}
	zero := ar.FromRat(new(big.Rat))
	for _, name := range env.Order {
		s := env.Symbols[name]
		if s.Kind == lang.Matrix {
			r, k := c.dim(s.Rows), c.dim(s.Cols)
			m := eval.Matrix[T]{R: r, C: k, A: make([]T, r*k)}
			for i := range m.A {
				m.A[i] = zero
			}
			st.Vals[name] = m
			if s.Attr&lang.Isometry != 0 {
				mirrors[name] = append([]T(nil), m.A...)
			}
		}
	}
	factors := map[string]bool{}
	for i, co := range c.coords {
		s := env.Symbols[co.Symbol]
		switch m := st.Vals[co.Symbol]; co.Kind {
		case Scalar:
			st.Vals[co.Symbol] = eval.ScalarOf(x[i])
		case Mirror:
			mirrors[co.Symbol][co.Row*m.C+co.Col] = x[i]
		case Factor:
			factors[co.Symbol] = true
			m.A[co.Row*m.C+co.Col] = x[i]
		case Entry:
			v := x[i]
			if s.Attr&lang.Diagonal != 0 && s.Attr&lang.PSD != 0 && ar.Float(v) < 0 {
				v = ar.Sub(zero, v)
			}
			m.A[co.Row*m.C+co.Col] = v
			switch {
			case s.Attr&lang.Skew != 0:
				m.A[co.Col*m.C+co.Row] = ar.Sub(zero, v)
			case s.Attr&lang.Symmetric != 0:
				m.A[co.Col*m.C+co.Row] = v
			}
		}
	}
	for name := range factors {
		st.Vals[name] = gram(ar, st.Vals[name])
	}
	for name, v := range mirrors {
		m, err := reflect(ar, v, st.Vals[name].R, st.Vals[name].C)
		if err != nil {
			return st, err
		}
		st.Vals[name] = m
	}
	if err := settle(c, ar, &st); err != nil {
		return st, err
	}
	if !finite(ar, &st) {
		return st, errNotFinite
	}
	return st, nil
}

// gram returns B·Bᵀ.
func gram[T any](ar eval.Arith[T], b eval.Matrix[T]) eval.Matrix[T] {
	m := eval.Matrix[T]{R: b.R, C: b.R, A: make([]T, b.R*b.R)}
	for i := range b.R {
		for j := range b.R {
			s := ar.FromRat(new(big.Rat))
			for k := range b.C {
				s = ar.Add(s, ar.Mul(b.At(i, k), b.At(j, k)))
			}
			m.A[i*b.R+j] = s
		}
	}
	return m
}

// reflect returns the first cols columns of the product of the reflections I − 2vvᵀ/vᵀv in the columns of v,
// those that are zero left out.
func reflect[T any](ar eval.Arith[T], v []T, rows, cols int) (eval.Matrix[T], error) {
	one, zero := ar.FromRat(big.NewRat(1, 1)), ar.FromRat(new(big.Rat))
	q := eval.Matrix[T]{R: rows, C: cols, A: make([]T, rows*cols)}
	for i := range rows {
		for j := range cols {
			q.A[i*cols+j] = zero
			if i == j {
				q.A[i*cols+j] = one
			}
		}
	}
	for k := cols - 1; k >= 0; k-- {
		n := zero
		for i := range rows {
			n = ar.Add(n, ar.Mul(v[i*cols+k], v[i*cols+k]))
		}
		if ar.Float(n) == 0 {
			continue
		}
		f, err := ar.Div(ar.FromRat(big.NewRat(2, 1)), n)
		if err != nil {
			return q, err
		}
		for j := range cols {
			d := zero
			for i := range rows {
				d = ar.Add(d, ar.Mul(v[i*cols+k], q.At(i, j)))
			}
			d = ar.Mul(d, f)
			for i := range rows {
				q.A[i*cols+j] = ar.Sub(q.A[i*cols+j], ar.Mul(d, v[i*cols+k]))
			}
		}
	}
	return q, nil
}

// finite reports whether every number of the state is finite.
func finite[T any](ar eval.Arith[T], st *eval.State[T]) bool {
	for _, m := range st.Vals {
		for _, v := range m.A {
			if f := ar.Float(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return false
			}
		}
	}
	return true
}
