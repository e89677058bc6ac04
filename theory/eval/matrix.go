package eval

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
	"slices"
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

// field is matrix algebra over an arithmetic, for one state.
type field[T any] struct {
	ar        Arith[T]
	zero, one T
	work      int // done so far, see pay
	grown     int // of eliminations, see payElimination
}

func newField[T any](ar Arith[T]) field[T] {
	return field[T]{ar: ar, zero: ar.FromRat(new(big.Rat)), one: ar.FromRat(big.NewRat(1, 1))}
}

// The most work at one state: as much as the model does for a question, and of operations on float64 many times as many.
const (
	maxWork   = 2_000_000
	maxFloats = 1 << 26
	maxGrown  = 5_000_000 // for what numbers grow to in eliminations: some twelve seconds
)

// ErrTooMuch is returned where the value of a statement takes more work than a state is worth: a short term may make products
// of large matrices, or thousands of long numbers.
var ErrTooMuch = errors.New("eval: more operations on numbers than one state is worth")

// Unaffordable reports whether an error says that a statement takes too much at a state, and nothing of its value there.
func Unaffordable(err error) bool {
	return errors.Is(err, ErrTooMuch) || errors.Is(err, ErrTooLong) || errors.Is(err, ErrTooLarge)
}

// pay counts so many operations on numbers as long as the entries of the matrices, before they are done.
func (f *field[T]) pay(n int, of ...Matrix[T]) error {
	most := maxFloats
	if _, exact := any(f.zero).(*big.Rat); exact {
		most = maxWork
		n *= lengths(of)
	}
	if f.work += n; f.work > most {
		return ErrTooMuch
	}
	return nil
}

// lengths is what an operation on the longest of the fractions counts as.
func lengths[T any](of []Matrix[T]) int {
	words := 0
	for _, m := range of {
		for _, x := range m.A {
			q := any(x).(*big.Rat)
			words = max(words, q.Num().BitLen()/64, q.Denom().BitLen()/64)
		}
	}
	return 1 + words + words*words/16
}

// payElimination counts an elimination of an n×n matrix, with so many operations for each of n³, before it is done. What an
// elimination comes to by the k-th column are quotients of minors of k rows, whose numbers grow as k rows over their common
// denominators do: the lengths are those in the middle. One of a symmetric matrix without its inverse takes a sixteenth.
func (f *field[T]) payElimination(each int, symmetric bool, m Matrix[T]) error {
	n := m.R * m.R * m.C
	if a, exact := any(m.A).([]*big.Rat); exact {
		words, share := 0, 4
		if symmetric {
			share *= 16
		}
		for i := range m.R {
			words = max(words, rowBits(a[i*m.C:(i+1)*m.C])*m.R/2/64)
		}
		if f.grown += n * (words + words*words/16) / share; f.grown > maxGrown {
			return ErrTooMuch
		}
	}
	return f.pay(each*n, m)
}

// rowBits is how long the numbers of a row get over their common denominator; of what is longer than any elimination is worth it
// is no more than that.
func rowBits(row []*big.Rat) int {
	const enough = 1 << 18
	d, longest := big.NewInt(1), 0
	var g big.Int
	for _, x := range row {
		longest = max(longest, x.Num().BitLen())
		if e := x.Denom(); d.Cmp(e) != 0 && d.BitLen() < enough {
			g.GCD(nil, nil, d, e)
			d = new(big.Int).Mul(d, new(big.Int).Quo(e, &g))
		}
	}
	return d.BitLen() - 1 + longest
}

func (f *field[T]) zeros(r, c int) Matrix[T] {
	m := Matrix[T]{r, c, make([]T, r*c)}
	for i := range m.A {
		m.A[i] = f.zero
	}
	return m
}

func (f *field[T]) identity(n int) Matrix[T] {
	m := f.zeros(n, n)
	for i := range n {
		m.A[i*n+i] = f.one
	}
	return m
}

func (f *field[T]) add(a, b Matrix[T]) Matrix[T] {
	m := Matrix[T]{a.R, a.C, make([]T, len(a.A))}
	for i := range m.A {
		m.A[i] = f.ar.Add(a.A[i], b.A[i])
	}
	return m
}

func (f *field[T]) sub(a, b Matrix[T]) Matrix[T] {
	m := Matrix[T]{a.R, a.C, make([]T, len(a.A))}
	for i := range m.A {
		m.A[i] = f.ar.Sub(a.A[i], b.A[i])
	}
	return m
}

func (f *field[T]) scale(c T, a Matrix[T]) Matrix[T] {
	m := Matrix[T]{a.R, a.C, make([]T, len(a.A))}
	for i := range m.A {
		m.A[i] = f.ar.Mul(c, a.A[i])
	}
	return m
}

func (f *field[T]) mul(a, b Matrix[T]) Matrix[T] {
	switch x := any(a.A).(type) {
	case []float64:
		m := mulFloats(Matrix[float64]{a.R, a.C, x}, Matrix[float64]{b.R, b.C, any(b.A).([]float64)})
		return Matrix[T]{m.R, m.C, any(m.A).([]T)}
	case []*big.Rat:
		if m, counts := any(f.ar).(Metered); counts {
			// Most of them are products of whole numbers.
			m.Spend(a.R * a.C * b.C * lengths([]Matrix[T]{a, b}) / 8)
		}
		m := mulRats(Matrix[*big.Rat]{a.R, a.C, x}, Matrix[*big.Rat]{b.R, b.C, any(b.A).([]*big.Rat)})
		return Matrix[T]{m.R, m.C, any(m.A).([]T)}
	}
	m := f.zeros(a.R, b.C)
	for i := range a.R {
		for k := range a.C {
			for j := range b.C {
				p := &m.A[i*b.C+j]
				*p = f.ar.Add(*p, f.ar.Mul(a.A[i*a.C+k], b.A[k*b.C+j]))
			}
		}
	}
	return m
}

func mulFloats(a, b Matrix[float64]) Matrix[float64] {
	m := Matrix[float64]{a.R, b.C, make([]float64, a.R*b.C)}
	for i := range a.R {
		out := m.A[i*b.C : (i+1)*b.C]
		for k, x := range a.A[i*a.C : (i+1)*a.C] {
			for j, y := range b.A[k*b.C : (k+1)*b.C] {
				out[j] += x * y
			}
		}
	}
	return m
}

// mulRats multiplies over common denominators of the rows of a and the columns of b, so that fractions are reduced
// once an entry and not once a product.
func mulRats(a, b Matrix[*big.Rat]) Matrix[*big.Rat] {
	m := Matrix[*big.Rat]{a.R, b.C, make([]*big.Rat, a.R*b.C)}
	rows := make([]*big.Int, len(a.A))
	columns := make([]*big.Int, len(b.A))
	over := make([]*big.Int, b.C)
	for j := range b.C {
		over[j] = numerators(b.A, columns, j, b.C, b.R)
	}
	var sum, t big.Int
	for i := range a.R {
		d := numerators(a.A, rows, i*a.C, 1, a.C)
		for j := range b.C {
			sum.SetInt64(0)
			for k := range a.C {
				x, y := rows[i*a.C+k], columns[k*b.C+j]
				if x.Sign() != 0 && y.Sign() != 0 {
					sum.Add(&sum, t.Mul(x, y))
				}
			}
			if sum.Sign() == 0 {
				m.A[i*b.C+j] = ratZero
				continue
			}
			m.A[i*b.C+j] = new(big.Rat).SetFrac(&sum, t.Mul(d, over[j]))
		}
	}
	return m
}

// Product is a·b in exact arithmetic, or [ErrTooMuch].
func Product(a, b Matrix[*big.Rat]) (Matrix[*big.Rat], error) {
	f := newField[*big.Rat](Rational{})
	if err := f.pay(a.R*a.C*b.C, a, b); err != nil {
		return Matrix[*big.Rat]{}, err
	}
	return f.mul(a, b), nil
}

// numerators writes count numbers from a place on over their least common denominator, which it returns.
func numerators(from []*big.Rat, to []*big.Int, at, step, count int) *big.Int {
	d := big.NewInt(1)
	var g big.Int
	for k := range count {
		if e := from[at+k*step].Denom(); d.Cmp(e) != 0 {
			g.GCD(nil, nil, d, e)
			d = new(big.Int).Mul(d, new(big.Int).Quo(e, &g))
		}
	}
	for k := range count {
		v := from[at+k*step]
		if e := v.Denom(); d.Cmp(e) == 0 {
			to[at+k*step] = v.Num()
		} else {
			to[at+k*step] = new(big.Int).Mul(v.Num(), g.Quo(d, e))
		}
	}
	return d
}

func (f *field[T]) transpose(a Matrix[T]) Matrix[T] {
	m := Matrix[T]{a.C, a.R, make([]T, len(a.A))}
	for i := range a.R {
		for j := range a.C {
			m.A[j*a.R+i] = a.A[i*a.C+j]
		}
	}
	return m
}

// float is the size of a number.
func (f *field[T]) float(v T) float64 { return math.Abs(f.ar.Float(v)) }

// size is the largest size of an entry.
func (f *field[T]) size(m Matrix[T]) float64 {
	s := 0.0
	for _, v := range m.A {
		s = max(s, f.float(v))
	}
	return s
}

func (f *field[T]) norm(m Matrix[T]) float64 {
	s := 0.0
	for _, v := range m.A {
		s = math.Hypot(s, f.ar.Float(v))
	}
	return s
}

// isZero reports whether all entries are zero within the tolerance at a scale.
func (f *field[T]) isZero(m Matrix[T], scale float64) bool {
	for _, v := range m.A {
		if f.ar.Sign(v, scale) != 0 {
			return false
		}
	}
	return true
}

// inverse returns the inverse by Gauss–Jordan elimination with pivoting on the largest entry.
func (f *field[T]) inverse(a Matrix[T]) (Matrix[T], error) {
	n := a.R
	m, inv := append([]T(nil), a.A...), f.identity(n)
	for col := range n {
		pivot := col
		for i := col + 1; i < n; i++ {
			if f.float(m[i*n+col]) > f.float(m[pivot*n+col]) {
				pivot = i
			}
		}
		c, err := f.ar.Div(f.one, m[pivot*n+col])
		if err != nil {
			return inv, err
		}
		for j := range n {
			m[pivot*n+j], m[col*n+j] = m[col*n+j], m[pivot*n+j]
			inv.A[pivot*n+j], inv.A[col*n+j] = inv.A[col*n+j], inv.A[pivot*n+j]
		}
		for j := range n {
			m[col*n+j], inv.A[col*n+j] = f.ar.Mul(m[col*n+j], c), f.ar.Mul(inv.A[col*n+j], c)
		}
		for i := range n {
			if i == col {
				continue
			}
			g := m[i*n+col]
			for j := range n {
				m[i*n+j] = f.ar.Sub(m[i*n+j], f.ar.Mul(g, m[col*n+j]))
				inv.A[i*n+j] = f.ar.Sub(inv.A[i*n+j], f.ar.Mul(g, inv.A[col*n+j]))
			}
		}
	}
	return inv, nil
}

const (
	prime      = 1<<61 - 1 // a Mersenne prime
	maxRegular = 128       // rows of a matrix that is eliminated modulo it, in milliseconds
)

// regular reports whether a matrix of fractions is invertible modulo a prime, which shows that it is invertible: its determinant
// would vanish there, too. Otherwise nothing is said.
func (f *field[T]) regular(a Matrix[T]) bool {
	entries, exact := any(a.A).([]*big.Rat)
	n := a.R
	if !exact || n != a.C || n > maxRegular {
		return false
	}
	m := make([]uint64, len(entries))
	p, r := big.NewInt(prime), new(big.Int)
	times := func(x, y uint64) uint64 {
		hi, lo := bits.Mul64(x, y)
		_, rest := bits.Div64(hi, lo, prime)
		return rest
	}
	inverse := func(x uint64) uint64 { // x^(p−2), by Fermat
		y := uint64(1)
		for e := uint64(prime - 2); e > 0; e >>= 1 {
			if e&1 == 1 {
				y = times(y, x)
			}
			x = times(x, x)
		}
		return y
	}
	for i, x := range entries {
		d := r.Mod(x.Denom(), p).Uint64()
		if d == 0 {
			return false
		}
		m[i] = r.Mod(x.Num(), p).Uint64()
		if d != 1 {
			m[i] = times(m[i], inverse(d))
		}
	}
	for k := range n {
		pivot := k
		for pivot < n && m[pivot*n+k] == 0 {
			pivot++
		}
		if pivot == n {
			return false
		}
		for j := k; j < n; j++ {
			m[k*n+j], m[pivot*n+j] = m[pivot*n+j], m[k*n+j]
		}
		inv := inverse(m[k*n+k])
		for i := k + 1; i < n; i++ {
			c := times(m[i*n+k], inv)
			if c == 0 {
				continue
			}
			for j := k; j < n; j++ {
				m[i*n+j] = (m[i*n+j] + prime - times(c, m[k*n+j])) % prime
			}
		}
	}
	return true
}

func (f *field[T]) kron(a, b Matrix[T]) Matrix[T] {
	out := Matrix[T]{a.R * b.R, a.C * b.C, make([]T, len(a.A)*len(b.A))}
	for i := range a.R {
		for j := range a.C {
			for k := range b.R {
				for l := range b.C {
					out.A[(i*b.R+k)*out.C+j*b.C+l] = f.ar.Mul(a.At(i, j), b.At(k, l))
				}
			}
		}
	}
	return out
}

// ldl returns A = L·diag(d)·Lᵀ with unit lower triangular L and d ≥ 0, and whether the symmetric matrix A
// is positive semidefinite at all.
func (f *field[T]) ldl(a Matrix[T]) (d []T, ok bool) {
	n := a.R
	m := append([]T(nil), a.A...)
	d = f.zeros(n, 1).A
	size := f.size(a)
	for k := range n {
		switch f.ar.Sign(m[k*n+k], size) {
		case -1:
			return nil, false
		case 0:
			for i := k + 1; i < n; i++ {
				if f.ar.Sign(m[i*n+k], size) != 0 {
					return nil, false
				}
			}
			continue
		}
		d[k] = m[k*n+k]
		for i := k + 1; i < n; i++ {
			if f.ar.Sign(m[i*n+k], 0) == 0 {
				continue
			}
			l, err := f.ar.Div(m[i*n+k], d[k])
			if err != nil {
				return nil, false
			}
			for j := k + 1; j <= i; j++ {
				m[i*n+j] = f.ar.Sub(m[i*n+j], f.ar.Mul(l, m[j*n+k]))
			}
		}
	}
	return d, true
}

// definite decides A ⪰ 0, or A ≻ 0 if strict, of a symmetric matrix.
func (f *field[T]) definite(m Matrix[T], strict bool, size float64) bool {
	if _, inexact := any(f.ar).(Float); inexact {
		low := f.smallest(m)
		if strict {
			return low > Tolerance*size
		}
		return low >= -Tolerance*size
	}
	d, ok := f.ldl(m)
	for _, v := range d {
		ok = ok && (!strict || f.ar.Sign(v, size) > 0)
	}
	return ok
}

// smallest is the smallest eigenvalue of a symmetric matrix in float64.
func (f *field[T]) smallest(m Matrix[T]) float64 {
	a := make([]float64, len(m.A))
	for i, v := range m.A {
		a[i] = f.ar.Float(v)
	}
	return SmallestEigenvalue(a, m.R)
}

// symmetric reports whether a square matrix is symmetric within the tolerance at a scale.
func (f *field[T]) symmetric(m Matrix[T], scale float64) bool {
	for i := range m.R {
		for j := range i {
			if f.ar.Sign(f.ar.Sub(m.At(i, j), m.At(j, i)), scale) != 0 {
				return false
			}
		}
	}
	return true
}

// null returns a matrix whose columns are a basis of the null space, by Gaussian elimination.
func (f *field[T]) null(l Matrix[T]) Matrix[T] {
	n, cols := l.R, l.C
	m := append([]T(nil), l.A...)
	size := f.size(l)
	var pivots []int
	row := 0
	for col := 0; col < cols && row < n; col++ {
		p := row
		for i := row; i < n; i++ {
			if f.float(m[i*cols+col]) > f.float(m[p*cols+col]) {
				p = i
			}
		}
		if f.ar.Sign(m[p*cols+col], size) == 0 {
			continue
		}
		for j := range cols {
			m[p*cols+j], m[row*cols+j] = m[row*cols+j], m[p*cols+j]
		}
		inv, err := f.ar.Div(f.one, m[row*cols+col])
		if err != nil {
			continue
		}
		for j := range cols {
			m[row*cols+j] = f.ar.Mul(m[row*cols+j], inv)
		}
		for i := range n {
			if i == row {
				continue
			}
			g := m[i*cols+col]
			for j := range cols {
				m[i*cols+j] = f.ar.Sub(m[i*cols+j], f.ar.Mul(g, m[row*cols+j]))
			}
		}
		pivots = append(pivots, col)
		row++
	}
	bound := make([]bool, cols)
	for _, p := range pivots {
		bound[p] = true
	}
	basis := f.zeros(cols, cols-len(pivots))
	k := 0
	for col := range cols {
		if bound[col] {
			continue
		}
		basis.A[col*basis.C+k] = f.one
		for i, p := range pivots {
			basis.A[p*basis.C+k] = f.ar.Sub(f.zero, m[i*cols+col])
		}
		k++
	}
	return basis
}

// SmallestEigenvalue returns the least eigenvalue of the symmetric n×n matrix a. It overwrites a.
func SmallestEigenvalue(a []float64, n int) float64 {
	jacobi(a, n)
	low := math.Inf(1)
	for i := range n {
		low = math.Min(low, a[i*n+i])
	}
	return low
}

// eigenvalues are those of the symmetric n×n matrix a, ascending. It overwrites a.
func eigenvalues(a []float64, n int) []float64 {
	jacobi(a, n)
	out := make([]float64, n)
	for i := range n {
		out[i] = a[i*n+i]
	}
	slices.Sort(out)
	return out
}

// jacobi leaves the eigenvalues of the symmetric n×n matrix a on its diagonal, by cyclic Jacobi rotations (Golub and Van
// Loan, Matrix Computations, section 8.5).
func jacobi(a []float64, n int) {
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
}
