package cad

import (
	"errors"
	"math/big"
	"math/bits"
)

// ErrWork says that the work allowed did not suffice.
var ErrWork = errors.New("cad: too much work")

// Limits of what is looked at.
const (
	maxDegree = 64    // in one variable
	maxBits   = 4_000 // of a coefficient
)

// meter counts the work that is left, in products of machine words.
type meter struct{ left int }

// stop carries ErrWork to the exported doors.
type stop struct{}

func (w *meter) spend(n int) {
	if w.left -= n; w.left < 0 {
		panic(stop{})
	}
}

func caught(err *error) {
	switch x := recover().(type) {
	case nil:
	case stop:
		*err = ErrWork
	default:
		panic(x)
	}
}

func words(x *big.Int) int { return x.BitLen()/bits.UintSize + 1 }

// poly is a polynomial with integer coefficients in the variables 1, …, level: an integer at level 0, else coefficients of
// the level below by powers of the variable number level, the last one not zero.
type poly struct {
	level int
	n     *big.Int
	c     []poly
}

func integer(n *big.Int) poly { return poly{n: n} }

// constant is an integer as a polynomial of a level.
func constant(n *big.Int, level int) poly {
	if level == 0 {
		return integer(n)
	}
	return trimmed(level, []poly{constant(n, level-1)})
}

func unit(level int) poly { return constant(big.NewInt(1), level) }

func trimmed(level int, c []poly) poly {
	for len(c) > 0 && c[len(c)-1].isZero() {
		c = c[:len(c)-1]
	}
	return poly{level: level, c: c}
}

func (p poly) isZero() bool {
	if p.level == 0 {
		return p.n.Sign() == 0
	}
	return len(p.c) == 0
}

// degree is that in the main variable, −1 of zero.
func (p poly) degree() int {
	if p.level == 0 {
		if p.n.Sign() == 0 {
			return -1
		}
		return 0
	}
	return len(p.c) - 1
}

func (p poly) lead() poly { return p.c[len(p.c)-1] }

// number is the value of what mentions no variable.
func (p poly) number() (*big.Int, bool) {
	for p.level > 0 {
		switch len(p.c) {
		case 0:
			return new(big.Int), true
		case 1:
			p = p.c[0]
		default:
			return nil, false
		}
	}
	return p.n, true
}

func (w *meter) add(a, b poly) poly {
	if a.level == 0 {
		w.spend(words(a.n))
		return integer(new(big.Int).Add(a.n, b.n))
	}
	if len(a.c) < len(b.c) {
		a, b = b, a
	}
	c := make([]poly, len(a.c))
	for i := range c {
		if i < len(b.c) {
			c[i] = w.add(a.c[i], b.c[i])
		} else {
			c[i] = a.c[i]
		}
	}
	return trimmed(a.level, c)
}

func (w *meter) neg(a poly) poly {
	if a.level == 0 {
		return integer(new(big.Int).Neg(a.n))
	}
	c := make([]poly, len(a.c))
	for i := range c {
		c[i] = w.neg(a.c[i])
	}
	return poly{level: a.level, c: c}
}

func (w *meter) sub(a, b poly) poly { return w.add(a, w.neg(b)) }

func (w *meter) mul(a, b poly) poly {
	if a.level == 0 {
		n := words(a.n) * words(b.n)
		w.spend(n)
		x := new(big.Int).Mul(a.n, b.n)
		if x.BitLen() > maxBits {
			panic(stop{})
		}
		return integer(x)
	}
	if len(a.c) == 0 || len(b.c) == 0 {
		return poly{level: a.level}
	}
	c := make([]poly, len(a.c)+len(b.c)-1)
	if len(c) > maxDegree+1 {
		panic(stop{})
	}
	zero := constant(new(big.Int), a.level-1)
	for i := range c {
		c[i] = zero
	}
	for i, x := range a.c {
		if x.isZero() {
			continue
		}
		for j, y := range b.c {
			if !y.isZero() {
				c[i+j] = w.add(c[i+j], w.mul(x, y))
			}
		}
	}
	return trimmed(a.level, c)
}

func (w *meter) power(a poly, n int) poly {
	out := unit(a.level)
	for range n {
		out = w.mul(out, a)
	}
	return out
}

// divide is a/b if that is a polynomial with integer coefficients.
func (w *meter) divide(a, b poly) (poly, bool) {
	if a.level == 0 {
		w.spend(words(a.n) * words(b.n))
		q, r := new(big.Int).QuoRem(a.n, b.n, new(big.Int))
		return integer(q), r.Sign() == 0
	}
	if a.isZero() {
		return a, true
	}
	n := len(a.c) - len(b.c)
	if n < 0 {
		return poly{}, false
	}
	rest := append([]poly{}, a.c...)
	quo := make([]poly, n+1)
	for k := n; k >= 0; k-- {
		q, ok := w.divide(rest[k+len(b.c)-1], b.lead())
		if !ok {
			return poly{}, false
		}
		quo[k] = q
		if q.isZero() {
			continue
		}
		for i, y := range b.c {
			if !y.isZero() {
				rest[k+i] = w.sub(rest[k+i], w.mul(q, y))
			}
		}
	}
	for _, r := range rest[:len(b.c)-1] {
		if !r.isZero() {
			return poly{}, false
		}
	}
	return trimmed(a.level, quo), true
}

// exact is a/b, which is known to be a polynomial.
func (w *meter) exact(a, b poly) poly {
	q, ok := w.divide(a, b)
	if !ok {
		panic("cad: a division that is not exact")
	}
	return q
}

// pseudo is the remainder of lead(b)^(deg a − deg b + 1)·a by b.
func (w *meter) pseudo(a, b poly) poly {
	r := append([]poly{}, a.c...)
	l := b.lead()
	for k := len(a.c) - len(b.c); k >= 0; k-- {
		f := r[k+len(b.c)-1]
		for i := range r[:k+len(b.c)-1] {
			r[i] = w.mul(r[i], l)
			if i >= k && !f.isZero() {
				r[i] = w.sub(r[i], w.mul(f, b.c[i-k]))
			}
		}
		r = r[:k+len(b.c)-1]
	}
	return trimmed(a.level, r)
}

// content is the greatest common divisor of the coefficients, a polynomial of the level below.
func (w *meter) content(a poly) poly {
	g := constant(new(big.Int), a.level-1)
	for i := len(a.c) - 1; i >= 0; i-- {
		g = w.gcd(g, a.c[i])
		if n, ok := g.number(); ok && n.IsInt64() && n.Int64() == 1 {
			break
		}
	}
	return g
}

// primitive is a over its content.
func (w *meter) primitive(a poly) (part, content poly) {
	g := w.content(a)
	if n, ok := g.number(); ok && n.IsInt64() && n.Int64() == 1 {
		return a, g
	}
	c := make([]poly, len(a.c))
	for i := range c {
		c[i] = w.exact(a.c[i], g)
	}
	return poly{level: a.level, c: c}, g
}

// gcd is a greatest common divisor, with a positive leading number.
func (w *meter) gcd(a, b poly) poly {
	if a.level == 0 {
		w.spend(words(a.n) * words(b.n))
		return integer(new(big.Int).GCD(nil, nil, new(big.Int).Abs(a.n), new(big.Int).Abs(b.n)))
	}
	if a.isZero() {
		return w.turned(b)
	}
	if b.isZero() {
		return w.turned(a)
	}
	a, ca := w.primitive(a)
	b, cb := w.primitive(b)
	c := poly{level: a.level, c: []poly{w.gcd(ca, cb)}}
	if w.coprime(a, b) {
		return c
	}
	if len(a.c) < len(b.c) {
		a, b = b, a
	}
	for len(b.c) > 1 {
		r := w.pseudo(a, b)
		a = b
		if r.isZero() {
			return w.turned(w.mul(c, b))
		}
		b, _ = w.primitive(r)
	}
	if b.isZero() {
		return w.turned(w.mul(c, a))
	}
	return c
}

// turned is a or −a, with a positive leading number.
func (w *meter) turned(a poly) poly {
	l := a
	for l.level > 0 {
		if len(l.c) == 0 {
			return a
		}
		l = l.lead()
	}
	if l.n.Sign() < 0 {
		return w.neg(a)
	}
	return a
}

func (w *meter) derivative(a poly) poly {
	var c []poly
	for i := 1; i < len(a.c); i++ {
		c = append(c, w.mul(a.c[i], constant(big.NewInt(int64(i)), a.level-1)))
	}
	return trimmed(a.level, c)
}

// resultant is that of two polynomials of positive degree, up to its sign, by subresultants (Cohen, algorithm 3.3.7,
// without contents).
func (w *meter) resultant(a, b poly) poly {
	if len(a.c) < len(b.c) {
		a, b = b, a
	}
	g, h := unit(a.level-1), unit(a.level-1)
	for len(b.c) > 1 {
		d := len(a.c) - len(b.c)
		r := w.pseudo(a, b)
		if r.isZero() {
			return constant(new(big.Int), a.level-1)
		}
		by := w.mul(g, w.power(h, d))
		a = b
		c := make([]poly, len(r.c))
		for i := range c {
			c[i] = w.exact(r.c[i], by)
		}
		b = poly{level: r.level, c: c}
		g = a.lead()
		if d > 0 {
			h = w.exact(w.power(g, d), w.power(h, d-1))
		}
	}
	n := len(a.c) - 1
	return w.exact(w.power(b.lead(), n), w.power(h, n-1))
}

// discriminant is that of a polynomial of degree 2 at least, up to its sign.
func (w *meter) discriminant(a poly) poly {
	return w.exact(w.resultant(a, w.derivative(a)), a.lead())
}

// squareFree is Yun's decomposition of a primitive polynomial of positive degree: factors f₁, f₂, … with a = Π fᵢⁱ up to
// its sign, each square-free, of degree 0 where there is none.
func (w *meter) squareFree(a poly) (out []poly) {
	d := w.derivative(a)
	g := w.gcd(a, d)
	b, c := w.exact(a, g), w.exact(d, g)
	for b.degree() > 0 {
		e := w.sub(c, w.derivative(b))
		f := w.gcd(b, e)
		if e.isZero() {
			f = b
		}
		out = append(out, w.turned(f))
		b = w.exact(b, f)
		c = w.exact(e, f)
	}
	return out
}

// refine adds the factors of a primitive polynomial of positive degree to square-free pairwise coprime ones.
func (w *meter) refine(basis []poly, a poly) []poly {
	for _, f := range w.squareFree(a) {
		if f.degree() > 0 {
			basis = w.insert(basis, f)
		}
	}
	return basis
}

func (w *meter) insert(basis []poly, f poly) []poly {
	var out []poly
	for i, b := range basis {
		g := w.gcd(f, b)
		if g.degree() < 1 {
			out = append(out, b)
			continue
		}
		out = append(out, g)
		if r := w.exact(b, g); r.degree() > 0 {
			out = append(out, r)
		}
		if f = w.exact(f, g); f.degree() < 1 {
			return append(out, basis[i+1:]...)
		}
	}
	return append(out, f)
}

// prime is 2⁶¹ − 1.
const prime = 1<<61 - 1

func modMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	r := (lo & prime) + (lo>>61 | hi<<3)
	if r >= prime {
		r -= prime
	}
	return r
}

func modInverse(a uint64) uint64 {
	r := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			r = modMul(r, a)
		}
		a = modMul(a, a)
	}
	return r
}

// residue is the value at numbers modulo the prime that have nothing in common with any polynomial that one meets.
func (w *meter) residue(a poly) uint64 {
	if a.level == 0 {
		w.spend(words(a.n))
		return new(big.Int).Mod(a.n, big.NewInt(prime)).Uint64()
	}
	x := uint64(0x9e3779b97f4a7c15) * uint64(a.level) >> 4
	s := uint64(0)
	for i := len(a.c) - 1; i >= 0; i-- {
		if s = modMul(s, x) + w.residue(a.c[i]); s >= prime {
			s -= prime
		}
	}
	return s
}

// coprime reports that two polynomials have no common factor of positive degree in the main variable, since they have none
// where the other variables are numbers modulo a prime. That it does not says nothing.
func (w *meter) coprime(a, b poly) bool {
	p, q := make([]uint64, len(a.c)), make([]uint64, len(b.c))
	for i := range p {
		p[i] = w.residue(a.c[i])
	}
	for i := range q {
		q[i] = w.residue(b.c[i])
	}
	if p[len(p)-1] == 0 || q[len(q)-1] == 0 {
		return false
	}
	for len(q) > 1 {
		inv := modInverse(q[len(q)-1])
		for len(p) >= len(q) {
			f := modMul(p[len(p)-1], inv)
			for i := range q {
				v := p[len(p)-len(q)+i] + prime - modMul(f, q[i])
				if v >= prime {
					v -= prime
				}
				p[len(p)-len(q)+i] = v
			}
			for len(p) > 0 && p[len(p)-1] == 0 {
				p = p[:len(p)-1]
			}
		}
		p, q = q, p
		if len(q) == 0 {
			return false
		}
	}
	return true
}
