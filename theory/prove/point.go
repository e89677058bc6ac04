package prove

import (
	"hash/fnv"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"sort"

	"stopgrad/theory/kernel"
)

// prime is 2⁶¹ − 1. Terms that differ agree at a random point of this field with a probability of about their degree
// over prime; what agrees is then put to the kernel.
const prime = 1<<61 - 1

func modAdd(a, b uint64) uint64 {
	if a += b; a >= prime {
		a -= prime
	}
	return a
}

func modSub(a, b uint64) uint64 { return modAdd(a, prime-b) }

func modMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	s := lo&prime + (lo>>61 | hi<<3)
	if s >= prime {
		s -= prime
	}
	return s
}

func modPow(a, n uint64) uint64 {
	r := uint64(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			r = modMul(r, a)
		}
		a = modMul(a, a)
	}
	return r
}

func modInverse(a uint64) uint64 { return modPow(a, prime-2) }

func modRat(v *big.Rat) (uint64, bool) {
	p := new(big.Int).SetUint64(prime)
	n := new(big.Int).Mod(v.Num(), p).Uint64()
	d := new(big.Int).Mod(v.Denom(), p).Uint64()
	if d == 0 {
		return 0, false
	}
	return modMul(n, modInverse(d)), true
}

// value is a number or a matrix over the field; a number is 1×1 and not marked otherwise, since shapes are typed.
type value struct {
	rows, cols int
	m          []uint64
}

func (v *value) equal(w *value) bool {
	if v.rows != w.rows || v.cols != w.cols {
		return false
	}
	for i, x := range v.m {
		if w.m[i] != x {
			return false
		}
	}
	return true
}

func newValue(r, c int) *value { return &value{r, c, make([]uint64, r*c)} }

func (v *value) times(w *value) *value {
	out := newValue(v.rows, w.cols)
	for i := range v.rows {
		for k := range v.cols {
			a := v.m[i*v.cols+k]
			if a == 0 {
				continue
			}
			for j := range w.cols {
				o := i*w.cols + j
				out.m[o] = modAdd(out.m[o], modMul(a, w.m[k*w.cols+j]))
			}
		}
	}
	return out
}

func (v *value) scaled(a uint64) *value {
	out := newValue(v.rows, v.cols)
	for i, x := range v.m {
		out.m[i] = modMul(a, x)
	}
	return out
}

func (v *value) transposed() *value {
	out := newValue(v.cols, v.rows)
	for i := range v.rows {
		for j := range v.cols {
			out.m[j*v.rows+i] = v.m[i*v.cols+j]
		}
	}
	return out
}

func identityValue(n int) *value {
	out := newValue(n, n)
	for i := range n {
		out.m[i*n+i] = 1
	}
	return out
}

// inverse by elimination; nil if singular.
func (v *value) inverse() *value {
	n := v.rows
	a, out := append([]uint64(nil), v.m...), identityValue(n)
	for c := range n {
		p := c
		for p < n && a[p*n+c] == 0 {
			p++
		}
		if p == n {
			return nil
		}
		for j := range n {
			a[p*n+j], a[c*n+j] = a[c*n+j], a[p*n+j]
			out.m[p*n+j], out.m[c*n+j] = out.m[c*n+j], out.m[p*n+j]
		}
		inv := modInverse(a[c*n+c])
		for j := range n {
			a[c*n+j], out.m[c*n+j] = modMul(a[c*n+j], inv), modMul(out.m[c*n+j], inv)
		}
		for r := range n {
			f := a[r*n+c]
			if r == c || f == 0 {
				continue
			}
			for j := range n {
				a[r*n+j] = modSub(a[r*n+j], modMul(f, a[c*n+j]))
				out.m[r*n+j] = modSub(out.m[r*n+j], modMul(f, out.m[c*n+j]))
			}
		}
	}
	return out
}

// shape is the structure that a context's hypotheses give a matrix letter.
type shape struct{ symmetric, skew, diagonal, isometry bool }

// point is a random assignment of the field's values to letters that respects their structure.
type point struct {
	seed   uint64
	dims   map[string]int
	shapes map[*kernel.Term]shape
	memo   map[*kernel.Term]*value // nil: no value
}

// maxEntries is how many entries a matrix has at most that is looked at: kron makes large ones of short terms.
const maxEntries = 1 << 14

// dim is the value of a dimension, or more than maxEntries if it is.
func (p *point) dim(d kernel.Dim) int {
	n := 1
	for _, l := range d.Legs() {
		if n *= p.dims[l]; n > maxEntries {
			break
		}
	}
	return n
}

// eval is the value of a pure term, nil if it has none at this point.
func (p *point) eval(t *kernel.Term) *value {
	if v, ok := p.memo[t]; ok {
		return v
	}
	v := p.compute(t)
	p.memo[t] = v
	return v
}

func scalarValue(x uint64) *value { return &value{1, 1, []uint64{x}} }

func (p *point) compute(t *kernel.Term) *value {
	var args [2]*value
	if t.Len() > 2 {
		return nil
	}
	if !t.Scalar() {
		if r, c := t.Shape(); p.dim(r)*p.dim(c) > maxEntries {
			return nil
		}
	}
	for i := range t.Len() {
		if args[i] = p.eval(t.Arg(i)); args[i] == nil {
			return nil
		}
	}
	a, b := args[0], args[1]
	switch t.Head() {
	case kernel.Number:
		if x, ok := modRat(t.Value()); ok {
			return scalarValue(x)
		}
	case kernel.Letter:
		return p.letter(t)
	case kernel.Size:
		return scalarValue(uint64(p.dim(t.Dim())))
	case kernel.Identity:
		return identityValue(p.dim(t.Dim()))
	case kernel.Zero:
		r, c := t.Shape()
		return newValue(p.dim(r), p.dim(c))
	case kernel.Sum:
		out := newValue(a.rows, a.cols)
		for i := range out.m {
			out.m[i] = modAdd(a.m[i], b.m[i])
		}
		return out
	case kernel.Product:
		switch {
		case t.Arg(0).Scalar():
			return b.scaled(a.m[0])
		case t.Arg(1).Scalar():
			return a.scaled(b.m[0])
		}
		return a.times(b)
	case kernel.Power:
		if t.Scalar() {
			return scalarValue(modPow(a.m[0], uint64(t.Exponent())))
		}
		out := identityValue(a.rows)
		for range t.Exponent() {
			out = out.times(a)
		}
		return out
	case kernel.Trace:
		var s uint64
		for i := range a.rows {
			s = modAdd(s, a.m[i*a.cols+i])
		}
		return scalarValue(s)
	case kernel.Transpose:
		return a.transposed()
	case kernel.Reciprocal:
		if a.m[0] != 0 {
			return scalarValue(modInverse(a.m[0]))
		}
	case kernel.Root:
		// The field has a root of every second number only, since prime is 3 modulo 4.
		r := modPow(a.m[0], (prime+1)/4)
		if modMul(r, r) == a.m[0] {
			return scalarValue(min(r, prime-r))
		}
	case kernel.Inverse:
		return a.inverse()
	case kernel.RowStack:
		return &value{a.rows * a.cols, 1, a.m}
	case kernel.Kronecker:
		out := newValue(a.rows*b.rows, a.cols*b.cols)
		for i := range out.rows {
			for j := range out.cols {
				out.m[i*out.cols+j] = modMul(a.m[i/b.rows*a.cols+j/b.cols], b.m[i%b.rows*b.cols+j%b.cols])
			}
		}
		return out
	}
	return nil
}

func (p *point) letter(t *kernel.Term) *value {
	h := fnv.New64a()
	h.Write([]byte(t.Symbol().Name()))
	rng := rand.New(rand.NewPCG(p.seed, h.Sum64()))
	if t.Scalar() {
		return scalarValue(rng.Uint64N(prime))
	}
	r, c := t.Shape()
	rows, cols := p.dim(r), p.dim(c)
	v := newValue(rows, cols)
	for i := range v.m {
		v.m[i] = rng.Uint64N(prime)
	}
	s := p.shapes[t]
	switch {
	case s.isometry:
		return p.isometry(rng, rows, cols)
	case s.diagonal:
		for i := range rows {
			for j := range cols {
				if i != j {
					v.m[i*cols+j] = 0
				}
			}
		}
	case s.symmetric || s.skew:
		for i := range rows {
			for j := range i {
				v.m[j*cols+i] = v.m[i*cols+j]
				if s.skew {
					v.m[j*cols+i] = modSub(0, v.m[i*cols+j])
				}
			}
			if s.skew {
				v.m[i*cols+i] = 0
			}
		}
	}
	return v
}

// isometry is the first columns of a Cayley transform (I − K)(I + K)⁻¹ of a skew K.
func (p *point) isometry(rng *rand.Rand, rows, cols int) *value {
	if cols > rows {
		return nil
	}
	plus, minus := identityValue(rows), identityValue(rows)
	for i := range rows {
		for j := range i {
			x := rng.Uint64N(prime)
			for _, e := range [][3]uint64{{uint64(i), uint64(j), x}, {uint64(j), uint64(i), modSub(0, x)}} {
				o := int(e[0])*rows + int(e[1])
				plus.m[o], minus.m[o] = e[2], modSub(0, e[2])
			}
		}
	}
	inv := plus.inverse()
	if inv == nil {
		return nil
	}
	q := minus.times(inv)
	v := newValue(rows, cols)
	for i := range rows {
		copy(v.m[i*cols:(i+1)*cols], q.m[i*rows:i*rows+cols])
	}
	return v
}

// points are the random points of one state context, made when first needed.
type points struct {
	dims   map[string]int
	shapes map[*kernel.Term]shape
	at     []*point
}

// newPoints reads the structure of letters off the hypotheses.
func newPoints(sig *kernel.Signature, hyps []kernel.Formula) *points {
	ps := &points{dims: map[string]int{}, shapes: map[*kernel.Term]shape{}}
	set := func(t *kernel.Term, put func(*shape)) {
		if t.Head() == kernel.Letter && !t.Scalar() {
			s := ps.shapes[t]
			put(&s)
			ps.shapes[t] = s
		}
	}
	for _, f := range hyps {
		ts := f.Terms()
		switch f.Form() {
		case kernel.Semidefinite, kernel.Definite:
			set(ts[0], func(s *shape) { s.symmetric = true })
		case kernel.Diagonal:
			set(ts[0], func(s *shape) { s.diagonal = true })
		case kernel.Equal:
			l, r := ts[0], ts[1]
			switch {
			case l.Head() == kernel.Transpose && r == l.Arg(0):
				set(r, func(s *shape) { s.symmetric = true })
			case l.Head() == kernel.Transpose && r.Head() == kernel.Product && r.Arg(1) == l.Arg(0) && r.Arg(0).Head() == kernel.Number && r.Arg(0).Value().Cmp(big.NewRat(-1, 1)) == 0:
				set(l.Arg(0), func(s *shape) { s.skew = true })
			case l.Head() == kernel.Product && l.Arg(0).Head() == kernel.Transpose && l.Arg(0).Arg(0) == l.Arg(1) && r.Head() == kernel.Identity:
				set(l.Arg(1), func(s *shape) { s.isometry = true })
			}
		}
	}
	for i, n := range sig.Sizes() {
		ps.dims[n] = 3 + i%2
	}
	// An isometry has at least as many rows as columns, and is not to be taken for orthogonal.
	var letters []*kernel.Term
	for t := range ps.shapes {
		letters = append(letters, t)
	}
	sort.Slice(letters, func(i, j int) bool { return letters[i].ID() < letters[j].ID() })
	for range ps.dims {
		for _, t := range letters {
			r, c := t.Shape()
			if ps.shapes[t].isometry && r != c && len(r.Legs()) == 1 && len(c.Legs()) == 1 && ps.dims[string(r)] <= ps.dims[string(c)] {
				ps.dims[string(r)] = min(ps.dims[string(c)]+1, 8)
			}
		}
	}
	return ps
}

// point returns the i-th random point.
func (ps *points) point(i int) *point {
	for len(ps.at) <= i {
		ps.at = append(ps.at, &point{seed: uint64(len(ps.at)), dims: ps.dims, shapes: ps.shapes, memo: map[*kernel.Term]*value{}})
	}
	return ps.at[i]
}

// tries is how many points are looked at for one at which terms have values.
const tries = 64

// equal guesses whether two pure terms are equal wherever they have values; terms without a value anywhere are
// called equal, so that the kernel is asked.
func (ps *points) equal(a, b *kernel.Term) bool {
	for i := range tries {
		p := ps.point(i)
		if v := p.eval(a); v != nil {
			if w := p.eval(b); w != nil {
				return v.equal(w)
			}
		}
	}
	return true
}

// opposite guesses whether a = −b.
func (ps *points) opposite(a, b *kernel.Term) bool {
	for i := range tries {
		p := ps.point(i)
		if v := p.eval(a); v != nil {
			if w := p.eval(b); w != nil {
				return v.equal(w.scaled(prime - 1))
			}
		}
	}
	return true
}

// constant guesses whether a scalar term has one and the same value everywhere, and returns it.
func (ps *points) constant(t *kernel.Term) *big.Rat {
	var first *value
	for i := range tries {
		v := ps.point(i).eval(t)
		if v == nil {
			continue
		}
		if first == nil {
			first = v
			continue
		}
		if !v.equal(first) {
			return nil
		}
		x := v.m[0]
		if x > prime/2 {
			if r, ok := reconstruct(prime - x); ok {
				return r.Neg(r)
			}
			return nil
		}
		if r, ok := reconstruct(x); ok {
			return r
		}
		return nil
	}
	return nil
}

// ratio guesses the number c with a = c·b, or returns nil.
func (ps *points) ratio(a, b *kernel.Term) *big.Rat {
	var first uint64
	found := false
	for i := range tries {
		p := ps.point(i)
		v := p.eval(a)
		if v == nil {
			continue
		}
		w := p.eval(b)
		if w == nil {
			continue
		}
		at := 0
		for at < len(w.m) && w.m[at] == 0 {
			at++
		}
		if at == len(w.m) {
			return nil
		}
		c := modMul(v.m[at], modInverse(w.m[at]))
		if !v.equal(w.scaled(c)) {
			return nil
		}
		if !found {
			first, found = c, true
			continue
		}
		if c != first {
			return nil
		}
		if c > prime/2 {
			if r, ok := reconstruct(prime - c); ok {
				return r.Neg(r)
			}
			return nil
		}
		r, _ := reconstruct(c)
		return r
	}
	return nil
}
