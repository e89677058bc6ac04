package model

import (
	"fmt"
	"math/big"
	"strings"

	"stopgrad/theory/kernel"
)

// The limits of what the model looks at; passing one is an error.
const (
	maxWork    = 2_000_000 // operations on numbers in one question
	maxEntries = 4_096     // entries of a matrix
	maxLevels  = 6         // square roots that no earlier ones express
	maxNesting = 8         // infinitesimals about at once
	maxDeep    = 20_000    // evaluations inside one another
	maxPoints  = 4_000     // points at which an expectation's argument is compared with a quadratic
)

// failure carries an error to the exported doors, so that no other panic is taken for one.
type failure struct{ err error }

func fail(format string, args ...any) { panic(&failure{fmt.Errorf("model: "+format, args...)}) }

func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case *failure:
		*err = r.err
	default:
		panic(r)
	}
}

// number is an exact real number: the rational q at level 0, and a + b·√r with b ≠ 0 and r the radicand of its level
// above; a, b and r are of lower levels. Numbers are immutable.
type number struct {
	q     *big.Rat
	level int
	a, b  *number
}

// field is ℚ(√r₁, √r₂, …): each rᵢ is a positive number of the field before it and no square there, so that a number
// is zero only if its representation is, and 1, √rᵢ are independent.
type field struct {
	radicands []*number
	work      int
	limit     int // of work, below maxWork; 0 for that
}

var zero, one, two = integer(0), integer(1), integer(2)

func integer(k int64) *number { return &number{q: new(big.Rat).SetInt64(k)} }

func rational(q *big.Rat) *number {
	if q.Num().BitLen() > kernel.MaxBits || q.Denom().BitLen() > kernel.MaxBits {
		fail("a number of more than %d bits", kernel.MaxBits)
	}
	return &number{q: q}
}

// spend counts work.
func (f *field) spend(work int) {
	most := maxWork
	if f.limit > 0 {
		most = min(most, f.limit)
	}
	if f.work += work; f.work > most {
		fail("more than %d operations on numbers", most)
	}
}

// pay counts the time and memory of so many places of jets and matrices, which may hold nothing to calculate with.
func (f *field) pay(places int) { f.spend(places / 8) }

// places is how much memory a matrix takes.
func (m matrix) places() (n int) {
	for _, j := range m.at {
		n += 1 + len(j)
	}
	return n
}

// fraction is a number that is worked out of others. Long ones cost more, also where they cancel: bringing a fraction to lowest
// terms takes the square of its length.
func (f *field) fraction(op func(z, x, y *big.Rat) *big.Rat, x, y *big.Rat) *number {
	words := func(q *big.Rat) int { return max(q.Num().BitLen(), q.Denom().BitLen()) / 64 }
	before := max(words(x), words(y))
	f.spend(before + before*before/64)
	q := op(new(big.Rat), x, y)
	if after := words(q); after > before {
		f.spend(after - before + (after*after-before*before)/64)
	}
	return rational(q)
}

func (x *number) isZero() bool { return x.level == 0 && x.q.Sign() == 0 }

func above(level int, a, b *number) *number {
	if b.isZero() {
		return a
	}
	return &number{level: level, a: a, b: b}
}

func (f *field) add(x, y *number) *number {
	f.spend(1)
	switch {
	case x.level < y.level:
		return f.add(y, x)
	case x.level == 0:
		return f.fraction((*big.Rat).Add, x.q, y.q)
	case x.level > y.level:
		return above(x.level, f.add(x.a, y), x.b)
	}
	return above(x.level, f.add(x.a, y.a), f.add(x.b, y.b))
}

func (f *field) mul(x, y *number) *number {
	f.spend(1)
	switch {
	case x.level < y.level:
		return f.mul(y, x)
	case x.level == 0:
		return f.fraction((*big.Rat).Mul, x.q, y.q)
	case x.level > y.level:
		return above(x.level, f.mul(x.a, y), f.mul(x.b, y))
	}
	r := f.radicands[x.level-1]
	return above(x.level, f.add(f.mul(x.a, y.a), f.mul(r, f.mul(x.b, y.b))), f.add(f.mul(x.a, y.b), f.mul(x.b, y.a)))
}

func (f *field) neg(x *number) *number    { return f.mul(integer(-1), x) }
func (f *field) sub(x, y *number) *number { return f.add(x, f.neg(y)) }

// norm is (a + b√r)(a − b√r).
func (f *field) norm(x *number) *number {
	return f.sub(f.mul(x.a, x.a), f.mul(f.radicands[x.level-1], f.mul(x.b, x.b)))
}

// inv is 1/x of x ≠ 0.
func (f *field) inv(x *number) *number {
	f.spend(1)
	if x.level == 0 {
		return f.fraction((*big.Rat).Quo, one.q, x.q)
	}
	n := f.inv(f.norm(x)) // not zero, since r is no square
	return above(x.level, f.mul(x.a, n), f.neg(f.mul(x.b, n)))
}

func (f *field) sign(x *number) int {
	if x.level == 0 {
		return x.q.Sign()
	}
	a, b := f.sign(x.a), f.sign(x.b)
	if a == 0 || a == b {
		return b
	}
	return a * f.sign(f.norm(x)) // |a| against |b|·√r
}

func (f *field) cmp(x, y *number) int { return f.sign(f.sub(x, y)) }

// root is √x of x ≥ 0; it extends the field if need be.
func (f *field) root(x *number) *number {
	if s := f.squareRoot(x, len(f.radicands)); s != nil {
		return s
	}
	if len(f.radicands) == maxLevels {
		fail("irrational: more than %d independent square roots", maxLevels)
	}
	f.radicands = append(f.radicands, x)
	return &number{level: len(f.radicands), a: zero, b: one}
}

// squareRoot is √x within the first levels of the field, nil if it is not there. In K(√r), a + b√r = (u + v√r)² says
// u² + r·v² = a and 2uv = b: for b = 0, x or x/r is a square of K; otherwise u² = (a ± √(a² − r·b²))/2 and v = b/2u.
func (f *field) squareRoot(x *number, level int) *number {
	switch {
	case f.sign(x) < 0:
		return nil
	case level == 0:
		s, t := new(big.Int).Sqrt(x.q.Num()), new(big.Int).Sqrt(x.q.Denom())
		if new(big.Int).Mul(s, s).Cmp(x.q.Num()) != 0 || new(big.Int).Mul(t, t).Cmp(x.q.Denom()) != 0 {
			return nil
		}
		return rational(new(big.Rat).SetFrac(s, t))
	case x.level < level:
		if s := f.squareRoot(x, level-1); s != nil {
			return s
		}
		if s := f.squareRoot(f.mul(x, f.inv(f.radicands[level-1])), level-1); s != nil {
			return above(level, zero, s)
		}
		return nil
	}
	n := f.squareRoot(f.norm(x), level-1)
	if n == nil {
		return nil
	}
	for _, n := range []*number{n, f.neg(n)} {
		u := f.squareRoot(f.mul(f.add(x.a, n), f.inv(two)), level-1)
		if u != nil && !u.isZero() {
			s := above(level, u, f.mul(x.b, f.inv(f.mul(two, u))))
			if f.sign(s) < 0 {
				s = f.neg(s)
			}
			return s
		}
	}
	return nil
}

// maxDigits is how many characters of a number are printed; one that takes more is rounded.
const maxDigits = 200

func (f *field) text(x *number) string {
	if x.level == 0 {
		if s := x.q.RatString(); len(s) <= maxDigits {
			return s
		}
		return "about " + new(big.Float).SetPrec(64).SetRat(x.q).Text('g', 12)
	}
	s := "(" + f.text(x.b) + ")*root(" + f.text(f.radicands[x.level-1]) + ")"
	if x.a.isZero() {
		return s
	}
	return f.text(x.a) + " + " + s
}

// move is x, a number of g, as a number of f.
func (f *field) move(g *field, x *number) *number {
	if x.level == 0 {
		return x
	}
	return f.add(f.move(g, x.a), f.mul(f.move(g, x.b), f.root(f.move(g, g.radicands[x.level-1]))))
}

// jet is a number with infinitesimals: the entry at the set s of infinitesimals (a bit mask) is the coefficient of
// their product. A missing entry or nil is zero because the number does not depend on them at all; a zero that is
// there may be a derivative that happens to vanish, and a root needs to tell the two apart.
type jet []*number

func (j jet) base() *number {
	if len(j) == 0 || j[0] == nil {
		return zero
	}
	return j[0]
}

// still reports whether the jet is zero without any dependence.
func (j jet) still() bool {
	for _, x := range j {
		if x != nil {
			return false
		}
	}
	return true
}

// halves splits a jet into u + v·ε by its last infinitesimal.
func (j jet) halves() (u, v jet) { return j[:len(j)/2], j[len(j)/2:] }

func join(u, v jet, half int) jet {
	if v.still() {
		return u
	}
	out := make(jet, 2*half)
	copy(out, u)
	copy(out[half:], v)
	return out
}

func (f *field) plus(a, b jet) jet {
	if len(a) < len(b) {
		a, b = b, a
	}
	f.pay(len(a))
	out := append(jet(nil), a...)
	for i, y := range b {
		switch {
		case out[i] == nil:
			out[i] = y
		case y != nil:
			out[i] = f.add(out[i], y)
		}
	}
	return out
}

func (f *field) times(a, b jet) jet {
	f.pay(len(a) * len(b))
	out := make(jet, max(len(a), len(b)))
	for i, x := range a {
		for j, y := range b {
			if x == nil || y == nil || i&j != 0 {
				continue
			}
			p := f.mul(x, y)
			if out[i|j] != nil {
				p = f.add(out[i|j], p)
			}
			out[i|j] = p
		}
	}
	return out
}

func (f *field) minus(a, b jet) jet { return f.plus(a, f.times(jet{integer(-1)}, b)) }

// over is 1/a of a jet whose base is not zero: 1/(u + vε) = 1/u − (v/u²)·ε.
func (f *field) over(a jet) jet {
	if len(a) == 1 {
		return jet{f.inv(a[0])}
	}
	u, v := a.halves()
	w := f.over(u)
	return join(w, f.times(jet{integer(-1)}, f.times(v, f.times(w, w))), len(u))
}

// rootOf is √a of a jet whose base is not negative: √(u + vε) = √u + v/(2√u)·ε. It is nil where the derivative has no
// value.
func (f *field) rootOf(a jet) jet {
	if len(a) <= 1 {
		return jet{f.root(a.base())}
	}
	u, v := a.halves()
	w := f.rootOf(u)
	if w == nil || v.still() {
		return w
	}
	if w.base().isZero() {
		return nil
	}
	return join(w, f.times(v, f.over(f.times(jet{two}, w))), len(u))
}

// along is the coefficient of the infinitesimal k, the last of the jet.
func (j jet) along(k int) jet {
	if len(j) <= 1<<k {
		return nil
	}
	return j[1<<k:]
}

// without is the jet with the infinitesimal k set to zero.
func (j jet) without(k int) jet {
	out := append(jet(nil), j...)
	for i := range out {
		if i>>k&1 == 1 {
			out[i] = nil
		}
	}
	return out
}

// matrix is a value with infinitesimals, row by row; a scalar has one entry.
type matrix struct {
	scalar     bool
	rows, cols int
	at         []jet
}

func fresh(rows, cols int) matrix {
	if rows > maxEntries || cols > maxEntries || rows*cols > maxEntries {
		fail("a matrix of %d x %d", rows, cols)
	}
	return matrix{rows: rows, cols: cols, at: make([]jet, rows*cols)}
}

func (m matrix) entry(i, j int) jet { return m.at[i*m.cols+j] }

func (m matrix) each(g func(jet) jet) matrix {
	out := matrix{m.scalar, m.rows, m.cols, make([]jet, len(m.at))}
	for i, x := range m.at {
		out.at[i] = g(x)
	}
	return out
}

func (f *field) sum(a, b matrix) matrix {
	out := a
	out.at = make([]jet, len(a.at))
	for i := range a.at {
		out.at[i] = f.plus(a.at[i], b.at[i])
	}
	return out
}

func (f *field) scale(s jet, m matrix) matrix {
	return m.each(func(x jet) jet { return f.times(s, x) })
}

func (f *field) difference(a, b matrix) matrix { return f.sum(a, f.scale(jet{integer(-1)}, b)) }

func (f *field) product(a, b matrix) matrix {
	switch {
	case a.scalar:
		return f.scale(a.at[0], b)
	case b.scalar:
		return f.scale(b.at[0], a)
	}
	out := fresh(a.rows, b.cols)
	for i := 0; i < a.rows; i++ {
		for j := 0; j < b.cols; j++ {
			s := jet{zero}
			for k := 0; k < a.cols; k++ {
				s = f.plus(s, f.times(a.entry(i, k), b.entry(k, j)))
			}
			out.at[i*b.cols+j] = s
		}
	}
	return out
}

func (m matrix) transposed() matrix {
	out := matrix{m.scalar, m.cols, m.rows, make([]jet, len(m.at))}
	for i := 0; i < m.rows; i++ {
		for j := 0; j < m.cols; j++ {
			out.at[j*m.rows+i] = m.entry(i, j)
		}
	}
	return out
}

func nought(rows, cols int) matrix {
	return fresh(rows, cols).each(func(jet) jet { return jet{zero} })
}

func unit(n int) matrix {
	out := nought(n, n)
	for i := 0; i < n; i++ {
		out.at[i*n+i] = jet{one}
	}
	return out
}

// power multiplies by squaring.
func (f *field) power(m matrix, n int) matrix {
	out := matrix{true, 1, 1, []jet{{one}}}
	if !m.scalar {
		out = unit(m.rows)
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = f.product(out, m)
		}
		if n > 1 {
			m = f.product(m, m)
		}
	}
	return out
}

// inverse is a⁻¹ by elimination, and whether a is invertible.
func (f *field) inverse(a matrix) (matrix, bool) {
	n := a.rows
	a, out := a.each(func(x jet) jet { return x }), unit(n)
	for c := 0; c < n; c++ {
		p := c
		for p < n && a.entry(p, c).base().isZero() {
			p++
		}
		if p == n {
			return matrix{}, false
		}
		for _, m := range []matrix{a, out} {
			for j := 0; j < n; j++ {
				m.at[c*n+j], m.at[p*n+j] = m.at[p*n+j], m.at[c*n+j]
			}
		}
		w := f.over(a.entry(c, c))
		for _, m := range []matrix{a, out} {
			for j := 0; j < n; j++ {
				m.at[c*n+j] = f.times(w, m.at[c*n+j])
			}
		}
		for i := 0; i < n; i++ {
			if i == c {
				continue
			}
			s := f.times(jet{integer(-1)}, a.entry(i, c))
			for _, m := range []matrix{a, out} {
				for j := 0; j < n; j++ {
					m.at[i*n+j] = f.plus(m.at[i*n+j], f.times(s, m.at[c*n+j]))
				}
			}
		}
	}
	return out, true
}

// isZero reports whether every entry is zero, its infinitesimal parts included.
func (m matrix) isZero() bool {
	for _, j := range m.at {
		for _, x := range j {
			if x != nil && !x.isZero() {
				return false
			}
		}
	}
	return true
}

func (f *field) symmetric(m matrix) bool { return f.difference(m, m.transposed()).isZero() }

// definiteness decides by elimination (LDLᵀ) whether a symmetric matrix is positive semidefinite and positive
// definite: a negative pivot, or a zero pivot in a row that is not zero, refutes the first.
func (f *field) definiteness(m matrix) (psd, pd bool) {
	n := m.rows
	a := make([]*number, n*n)
	for i, x := range m.at {
		a[i] = x.base()
	}
	pd = true
	for c := 0; c < n; c++ {
		switch f.sign(a[c*n+c]) {
		case -1:
			return false, false
		case 0:
			pd = false
			for j := c + 1; j < n; j++ {
				if !a[c*n+j].isZero() {
					return false, false
				}
			}
			continue
		}
		w := f.inv(a[c*n+c])
		for i := c + 1; i < n; i++ {
			s := f.mul(w, a[i*n+c])
			for j := c + 1; j < n; j++ {
				a[i*n+j] = f.sub(a[i*n+j], f.mul(s, a[c*n+j]))
			}
		}
	}
	return true, pd
}

// null is a basis of the null space of m as the columns of a matrix; it has no columns if m is injective.
func (f *field) null(m matrix) matrix {
	a := make([]*number, len(m.at))
	for i, x := range m.at {
		a[i] = x.base()
	}
	pivot := make([]int, m.cols) // row + 1 of the pivot in each column, 0 for free columns
	row := 0
	for c := 0; c < m.cols && row < m.rows; c++ {
		p := row
		for p < m.rows && a[p*m.cols+c].isZero() {
			p++
		}
		if p == m.rows {
			continue
		}
		w := f.inv(a[p*m.cols+c])
		for j := 0; j < m.cols; j++ {
			a[row*m.cols+j], a[p*m.cols+j] = a[p*m.cols+j], a[row*m.cols+j]
			a[row*m.cols+j] = f.mul(w, a[row*m.cols+j])
		}
		for i := 0; i < m.rows; i++ {
			if s := a[i*m.cols+c]; i != row && !s.isZero() {
				for j := 0; j < m.cols; j++ {
					a[i*m.cols+j] = f.sub(a[i*m.cols+j], f.mul(s, a[row*m.cols+j]))
				}
			}
		}
		row++
		pivot[c] = row
	}
	out := fresh(m.cols, m.cols-row)
	k := 0
	for c := range pivot {
		if pivot[c] > 0 {
			continue
		}
		for i, p := range pivot {
			x := zero
			switch {
			case i == c:
				x = one
			case p > 0:
				x = f.neg(a[(p-1)*m.cols+c])
			}
			out.at[i*out.cols+k] = jet{x}
		}
		k++
	}
	return out
}

// Value is the exact value of a term: a number or a matrix of numbers. Values are immutable.
type Value struct {
	f          *field
	scalar     bool
	rows, cols int
	at         []*number
}

func (f *field) value(m matrix) Value {
	v := Value{f, m.scalar, m.rows, m.cols, make([]*number, len(m.at))}
	for i, x := range m.at {
		v.at[i] = x.base()
	}
	return v
}

// Scalar reports whether the value is a number and not a matrix.
func (v Value) Scalar() bool { return v.scalar }

// Size is the shape of the matrix; a number has one entry.
func (v Value) Size() (rows, cols int) { return v.rows, v.cols }

// Rational returns the entry in row i and column j, and false if it is irrational.
func (v Value) Rational(i, j int) (*big.Rat, bool) {
	x := v.at[i*v.cols+j]
	if x.level > 0 {
		return nil, false
	}
	return new(big.Rat).Set(x.q), true
}

// Sign is the sign of the entry in row i and column j.
func (v Value) Sign(i, j int) int { return v.f.sign(v.at[i*v.cols+j]) }

// Equal reports whether two values have one shape and the same entries.
func (v Value) Equal(w Value) bool {
	if v.scalar != w.scalar || v.rows != w.rows || v.cols != w.cols {
		return false
	}
	for i := range v.at {
		if x, y := v.at[i], w.at[i]; x.level == 0 && y.level == 0 {
			if x.q.Cmp(y.q) != 0 {
				return false
			}
			continue
		}
		f := &field{}
		if f.cmp(f.move(v.f, v.at[i]), f.move(w.f, w.at[i])) != 0 {
			return false
		}
	}
	return true
}

// String renders the value: a number, or rows between brackets, separated by semicolons.
func (v Value) String() string {
	if v.scalar {
		return v.f.text(v.at[0])
	}
	var b strings.Builder
	b.WriteByte('[')
	for i, x := range v.at {
		if i > 0 {
			b.WriteString(map[bool]string{true: "; ", false: ", "}[i%v.cols == 0])
		}
		b.WriteString(v.f.text(x))
	}
	b.WriteByte(']')
	return b.String()
}
