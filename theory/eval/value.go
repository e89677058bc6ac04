package eval

import (
	"fmt"
	"math/big"
)

// Matrix is a dense matrix, row by row. A 1×1 Matrix also stands for a scalar symbol's value.
type Matrix[T any] struct {
	R, C int
	A    []T
}

// At returns the entry in row i, column j.
func (m Matrix[T]) At(i, j int) T { return m.A[i*m.C+j] }

// ScalarOf returns the 1×1 matrix of v.
func ScalarOf[T any](v T) Matrix[T] { return Matrix[T]{1, 1, []T{v}} }

// value is what an expression evaluates to: numbers with their derivative in the direction in force.
type value[T any] struct {
	scalar bool
	unit   bool // a multiple of I of undecided size
	r, c   int
	v, d   []T
	// noD marks a value whose derivative is not known, because it is itself a derivative.
	noD bool
}

func (x *value[T]) shape() string {
	switch {
	case x.scalar:
		return "scalar"
	case x.unit:
		return "multiple of I"
	}
	return fmt.Sprintf("%d×%d", x.r, x.c)
}

func (e *Evaluator[T]) zeros(n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = e.zero
	}
	return out
}

func (e *Evaluator[T]) constant(v *big.Rat) *value[T] {
	return &value[T]{scalar: true, r: 1, c: 1, v: []T{e.ar.FromRat(v)}, d: []T{e.zero}}
}

// expandUnit turns a multiple of I into an n×n matrix.
func (e *Evaluator[T]) expandUnit(x *value[T], n int) *value[T] {
	out := &value[T]{r: n, c: n, v: e.zeros(n * n), d: e.zeros(n * n), noD: x.noD}
	for i := range n {
		out.v[i*n+i], out.d[i*n+i] = x.v[0], x.d[0]
	}
	return out
}

func (e *Evaluator[T]) note(x *value[T]) {
	for _, v := range x.v {
		f := e.ar.Float(v)
		if f < 0 {
			f = -f
		}
		if f > *e.scale {
			*e.scale = f
		}
	}
}

func (e *Evaluator[T]) add(a, b *value[T], sub bool) (*value[T], error) {
	if a.unit && !b.unit && !b.scalar {
		a = e.expandUnit(a, b.r)
	}
	if b.unit && !a.unit && !a.scalar {
		b = e.expandUnit(b, a.r)
	}
	if a.scalar != b.scalar && !a.unit && !b.unit || a.r != b.r || a.c != b.c {
		// The literal 0 stands for a zero matrix.
		if b.scalar && e.isZero(b) {
			return a, nil
		}
		if a.scalar && e.isZero(a) {
			a = &value[T]{r: b.r, c: b.c, v: e.zeros(len(b.v)), d: e.zeros(len(b.v))}
		} else {
			return nil, fmt.Errorf("eval: sum of %s and %s", a.shape(), b.shape())
		}
	}
	out := &value[T]{scalar: a.scalar, unit: a.unit, r: a.r, c: a.c, v: make([]T, len(a.v)), d: make([]T, len(a.v)), noD: a.noD || b.noD}
	op := e.ar.Add
	if sub {
		op = e.ar.Sub
	}
	for i := range a.v {
		out.v[i], out.d[i] = op(a.v[i], b.v[i]), op(a.d[i], b.d[i])
	}
	e.note(a)
	e.note(b)
	return out, nil
}

func (e *Evaluator[T]) isZero(x *value[T]) bool {
	for _, v := range x.v {
		if e.ar.Sign(v, 0) != 0 {
			return false
		}
	}
	return true
}

func (e *Evaluator[T]) mul(a, b *value[T]) (*value[T], error) {
	if a.scalar || a.unit || b.scalar || b.unit {
		if !(a.scalar || a.unit) {
			a, b = b, a
		}
		out := &value[T]{scalar: a.scalar && b.scalar, unit: (a.unit || b.unit) && (a.scalar || a.unit) && (b.scalar || b.unit),
			r: b.r, c: b.c, v: make([]T, len(b.v)), d: make([]T, len(b.v)), noD: a.noD || b.noD}
		for i := range b.v {
			out.v[i] = e.ar.Mul(a.v[0], b.v[i])
			out.d[i] = e.ar.Add(e.ar.Mul(a.d[0], b.v[i]), e.ar.Mul(a.v[0], b.d[i]))
		}
		return out, nil
	}
	if a.c != b.r {
		return nil, fmt.Errorf("eval: product of %s and %s", a.shape(), b.shape())
	}
	out := &value[T]{r: a.r, c: b.c, v: e.zeros(a.r * b.c), d: e.zeros(a.r * b.c), noD: a.noD || b.noD}
	for i := range a.r {
		for k := range a.c {
			av, ad := a.v[i*a.c+k], a.d[i*a.c+k]
			for j := range b.c {
				p := i*b.c + j
				bv, bd := b.v[k*b.c+j], b.d[k*b.c+j]
				out.v[p] = e.ar.Add(out.v[p], e.ar.Mul(av, bv))
				out.d[p] = e.ar.Add(out.d[p], e.ar.Add(e.ar.Mul(ad, bv), e.ar.Mul(av, bd)))
			}
		}
	}
	e.note(out)
	return out, nil
}

func (e *Evaluator[T]) div(a, b *value[T]) (*value[T], error) {
	inv, err := e.ar.Div(e.ar.FromRat(big.NewRat(1, 1)), b.v[0])
	if err != nil {
		return nil, err
	}
	q := &value[T]{scalar: true, r: 1, c: 1, v: []T{inv}, noD: b.noD}
	q.d = []T{e.ar.Sub(e.zero, e.ar.Mul(e.ar.Mul(inv, inv), b.d[0]))}
	return e.mul(q, a)
}

func (e *Evaluator[T]) transpose(a *value[T]) *value[T] {
	if a.scalar || a.unit {
		return a
	}
	out := &value[T]{r: a.c, c: a.r, v: make([]T, len(a.v)), d: make([]T, len(a.v)), noD: a.noD}
	for i := range a.r {
		for j := range a.c {
			out.v[j*a.r+i], out.d[j*a.r+i] = a.v[i*a.c+j], a.d[i*a.c+j]
		}
	}
	return out
}

// inverse returns the inverse by Gauss–Jordan elimination with pivoting on the largest entry.
func (e *Evaluator[T]) inverse(a *value[T]) (*value[T], error) {
	n := a.r
	m := append([]T(nil), a.v...)
	inv := e.expandUnit(&value[T]{v: []T{e.ar.FromRat(big.NewRat(1, 1))}, d: []T{e.zero}}, n)
	for col := range n {
		pivot := col
		for i := col + 1; i < n; i++ {
			if abs(e.ar.Float(m[i*n+col])) > abs(e.ar.Float(m[pivot*n+col])) {
				pivot = i
			}
		}
		f, err := e.ar.Div(e.ar.FromRat(big.NewRat(1, 1)), m[pivot*n+col])
		if err != nil {
			return nil, err
		}
		for j := range n {
			m[pivot*n+j], m[col*n+j] = m[col*n+j], m[pivot*n+j]
			inv.v[pivot*n+j], inv.v[col*n+j] = inv.v[col*n+j], inv.v[pivot*n+j]
		}
		for j := range n {
			m[col*n+j], inv.v[col*n+j] = e.ar.Mul(m[col*n+j], f), e.ar.Mul(inv.v[col*n+j], f)
		}
		for i := range n {
			if i == col {
				continue
			}
			g := m[i*n+col]
			for j := range n {
				m[i*n+j] = e.ar.Sub(m[i*n+j], e.ar.Mul(g, m[col*n+j]))
				inv.v[i*n+j] = e.ar.Sub(inv.v[i*n+j], e.ar.Mul(g, inv.v[col*n+j]))
			}
		}
	}
	// d(A⁻¹) = −A⁻¹·dA·A⁻¹.
	da := &value[T]{r: n, c: n, v: a.d, d: e.zeros(n * n)}
	t, err := e.mul(inv, da)
	if err != nil {
		return nil, err
	}
	if t, err = e.mul(t, inv); err != nil {
		return nil, err
	}
	for i := range t.v {
		inv.d[i] = e.ar.Sub(e.zero, t.v[i])
	}
	inv.noD = a.noD
	return inv, nil
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

func (e *Evaluator[T]) kron(a, b *value[T]) *value[T] {
	out := &value[T]{r: a.r * b.r, c: a.c * b.c, v: e.zeros(len(a.v) * len(b.v)), d: e.zeros(len(a.v) * len(b.v)), noD: a.noD || b.noD}
	for i := range a.r {
		for j := range a.c {
			for k := range b.r {
				for l := range b.c {
					p := (i*b.r+k)*out.c + j*b.c + l
					x, y := i*a.c+j, k*b.c+l
					out.v[p] = e.ar.Mul(a.v[x], b.v[y])
					out.d[p] = e.ar.Add(e.ar.Mul(a.d[x], b.v[y]), e.ar.Mul(a.v[x], b.d[y]))
				}
			}
		}
	}
	return out
}
