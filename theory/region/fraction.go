package region

import (
	"cmp"
	"math/big"
	"slices"

	"stopgrad/numeric/interval"
)

// poly is a polynomial over ℚ: a coefficient for each list of exponents, one byte a variable. The variables are the
// coordinates and then the irrational roots, as the ring numbers them; trailing zeros are left out.
type poly map[string]*big.Rat

// fraction is num divided by the product of num(d)^k over its divisors d.
type fraction struct {
	num poly
	den map[*Expr]int
}

// ring reads expressions as fractions of polynomials. It is filled as it is asked.
type ring struct {
	s       *Statement
	memo    map[*Expr]fraction
	roots   []*Expr // variable number 1<<7 + i stands for the i-th root
	spelled map[*Expr]*Expr
	work    int
	held    int // words of the coefficients in memo, each with its key
}

// maxHeld is the most words that polynomials are held in.
const maxHeld = 8_000_000

// words is about how much room a coefficient takes, with its key.
func words(x *big.Rat) int { return 16 + (x.Num().BitLen()+x.Denom().BitLen())/64 }

// maxCoordinates is the largest number of coordinates that polynomials are read in.
const maxCoordinates = 100

func newRing(s *Statement) *ring {
	return &ring{s: s, memo: map[*Expr]fraction{}, spelled: map[*Expr]*Expr{}, work: 20_000_000}
}

func (r *ring) charge(n int) {
	r.s.meter.charge(expression * n)
	if r.work -= n; r.work < 0 {
		refuse("polynomials of more than 20,000,000 products")
	}
}

func one() poly { return poly{"": big.NewRat(1, 1)} }

// variable is the polynomial of the k-th variable.
func variable(k int) poly {
	key := make([]byte, k+1)
	key[k] = 1
	return poly{string(key): big.NewRat(1, 1)}
}

func (r *ring) add(p, q poly) poly {
	out := make(poly, len(p)+len(q))
	for e, c := range p {
		out[e] = c
	}
	r.charge(len(p) + len(q))
	for e, c := range q {
		price := effort(c)
		if have := out[e]; have != nil {
			price = max(price, effort(have))
			c = new(big.Rat).Add(have, c)
		}
		r.s.meter.charge(max(price, effort(c)))
		if out[e] = c; c.Sign() == 0 {
			delete(out, e)
		}
	}
	return out
}

func (r *ring) times(p, q poly) poly {
	if len(p) == 1 && p[""] != nil && p[""].Cmp(big.NewRat(1, 1)) == 0 {
		return q
	}
	out := poly{}
	r.charge(len(p)*len(q) + 1)
	room := maxHeld
	for e, c := range p {
		for f, d := range q {
			key := make([]byte, max(len(e), len(f)))
			copy(key, e)
			for i := range len(f) {
				n := int(key[i]) + int(f[i])
				if n > maxExponent {
					refuse("an exponent above %d", maxExponent)
				}
				key[i] = byte(n)
			}
			v := new(big.Rat).Mul(c, d)
			price := max(effort(c), effort(d), effort(v))
			if have := out[string(key)]; have != nil {
				v.Add(v, have)
				price = max(price, effort(v))
				room += words(have)
			}
			r.s.meter.charge(price) // what is made of long numbers may be short
			if v.Num().BitLen() > maxBits || v.Denom().BitLen() > maxBits {
				refuse("a coefficient of more than %d bits", maxBits)
			}
			if out[string(key)] = v; v.Sign() == 0 {
				delete(out, string(key))
				continue
			}
			if room -= words(v); room < 0 {
				refuse("polynomials of more than %d words in all", maxHeld)
			}
		}
	}
	if len(out) > maxMonomials {
		refuse("a polynomial of more than %d monomials", maxMonomials)
	}
	return out
}

func (r *ring) pow(p poly, n int) poly {
	out := one()
	for range n {
		out = r.times(out, p)
	}
	return out
}

// of is the fraction of an expression. Where the expression has a value, so have its divisors, none of them is zero, and
// the fraction is that value.
func (r *ring) of(e *Expr) fraction {
	if f, ok := r.memo[e]; ok {
		return f
	}
	f := r.read(e)
	for _, c := range f.num {
		if r.held += words(c); r.held > maxHeld {
			refuse("polynomials of more than %d words in all", maxHeld)
		}
	}
	r.memo[e] = f
	return f
}

func (r *ring) read(e *Expr) fraction {
	switch e.op {
	case Constant:
		if e.value.Sign() == 0 {
			return fraction{num: poly{}}
		}
		return fraction{num: poly{"": e.value}}
	case Coordinate:
		if e.n >= maxCoordinates {
			refuse("polynomials in more than %d coordinates", maxCoordinates)
		}
		return fraction{num: variable(e.n)}
	case Sum:
		return r.sum(r.of(e.a), r.of(e.b))
	case Product:
		return r.product(r.of(e.a), r.of(e.b))
	case Power:
		f := r.of(e.a)
		out := f
		for range e.n - 1 {
			out = r.product(out, f)
		}
		return out
	case Reciprocal:
		// 1/(N/D) = D/N: the divisors of the argument, over its numerator.
		d := r.of(e.a)
		num := one()
		for _, x := range sorted(d.den) {
			num = r.times(num, r.pow(r.of(x).num, d.den[x]))
		}
		return fraction{num, map[*Expr]int{e.a: 1}}
	case Root:
		return fraction{num: variable(r.root(e))}
	}
	refuse("no polynomial")
	return fraction{}
}

// root is the number of the variable that a root is.
func (r *ring) root(e *Expr) int {
	i := slices.Index(r.roots, e)
	if i < 0 {
		i = len(r.roots)
		r.roots = append(r.roots, e)
	}
	if i >= maxCoordinates {
		refuse("more than %d irrational roots", maxCoordinates)
	}
	return maxCoordinates + i
}

// sorted lists the divisors in order.
func sorted(den map[*Expr]int) []*Expr {
	out := make([]*Expr, 0, len(den))
	for x := range den {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *Expr) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (r *ring) sum(f, g fraction) fraction {
	// Each fraction keeps its list of divisors.
	r.charge(2 * (len(f.den) + len(g.den)))
	out := fraction{den: map[*Expr]int{}}
	a, b := f.num, g.num
	for x, k := range f.den {
		out.den[x] = k
	}
	for x, k := range g.den {
		out.den[x] = max(out.den[x], k)
	}
	for _, x := range sorted(out.den) {
		a = r.times(a, r.pow(r.of(x).num, out.den[x]-f.den[x]))
		b = r.times(b, r.pow(r.of(x).num, out.den[x]-g.den[x]))
	}
	out.num = r.add(a, b)
	return out
}

func (r *ring) product(f, g fraction) fraction {
	r.charge(2 * (len(f.den) + len(g.den)))
	out := fraction{num: r.times(f.num, g.num), den: map[*Expr]int{}}
	for _, d := range []map[*Expr]int{f.den, g.den} {
		for x, k := range d {
			out.den[x] += k
		}
	}
	for i := range r.roots {
		out = r.reduced(out, i)
	}
	return out
}

// reduced replaces the squares of the i-th root by its radicand.
func (r *ring) reduced(f fraction, i int) fraction {
	at := maxCoordinates + i
	parts := map[int]poly{} // by the exponent of the root
	high := 0
	for e, c := range f.num {
		k := 0
		if len(e) > at {
			k = int(e[at])
			rest := []byte(e)
			rest[at] = 0
			for len(rest) > 0 && rest[len(rest)-1] == 0 {
				rest = rest[:len(rest)-1]
			}
			e = string(rest)
		}
		if parts[k] == nil {
			parts[k] = poly{}
		}
		parts[k][e] = c
		high = max(high, k)
	}
	if high < 2 {
		return f
	}
	out := fraction{num: poly{}, den: f.den}
	q := r.of(r.roots[i].a)
	for k := 0; k <= high; k++ {
		if parts[k] == nil {
			continue
		}
		part := fraction{num: parts[k], den: f.den}
		if k%2 == 1 {
			part.num = r.times(part.num, variable(at))
		}
		for range k / 2 {
			part = r.product(part, q)
		}
		out = r.sum(out, part)
	}
	return out
}

// vanishes reports whether an expression is zero wherever it has a value, by its fraction.
func (r *ring) vanishes(e *Expr) (zero bool) {
	var err error
	func() {
		defer caught(&err)
		zero = len(r.of(e).num) == 0
	}()
	return zero && err == nil
}

// spell is an expression written out as a sum of monomials over its divisors, with the same value where that has one.
func (r *ring) spell(e *Expr) *Expr {
	if x, ok := r.spelled[e]; ok {
		return x
	}
	g, f := r.s.g, r.of(e)
	keys := make([]string, 0, len(f.num))
	for k := range f.num {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := g.integer(0)
	for _, k := range keys {
		m := g.number(f.num[k])
		for i := range len(k) {
			switch n := int(k[i]); {
			case n == 0:
			case i < maxCoordinates:
				m = g.product(m, g.power(g.coordinate(i), n))
			default:
				m = g.product(m, g.power(r.roots[i-maxCoordinates], n))
			}
		}
		out = g.sum(out, m)
	}
	for _, x := range sorted(f.den) {
		// The divisor of the fraction is the numerator of x, which is x if it has no divisors of its own.
		if len(r.of(x).den) > 0 {
			refuse("a matrix with divisors within divisors")
		}
		out = g.product(out, g.power(g.reciprocal(x), f.den[x]))
	}
	r.spelled[e] = out
	return out
}

// sign is what is known of a polynomial on a box: it is ≥ 0, or > 0, at every point of it; or ≤ 0, < 0.
type sign struct{ nonnegative, positive, nonpositive, negative bool }

// numbers is arithmetic of the coefficients of a Bernstein form: exact, or in intervals.
type numbers[T any] struct {
	of       func(*big.Rat) T
	add, mul func(T, T) T
	sign     func(x T) (nonnegative, positive, nonpositive, negative bool)
	cost     func(x T) int // the work of making a number
	reading  int           // that of reading a short fraction
}

var exactly = numbers[*big.Rat]{
	of:  func(v *big.Rat) *big.Rat { return v },
	add: func(x, y *big.Rat) *big.Rat { return new(big.Rat).Add(x, y) },
	mul: func(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) },
	sign: func(x *big.Rat) (bool, bool, bool, bool) {
		s := x.Sign()
		return s >= 0, s > 0, s <= 0, s < 0
	},
	cost:    func(x *big.Rat) int { return 3 * (32 + effort(x)) },
	reading: 1,
}

var outward = numbers[interval.Interval]{
	of:  interval.FromRat,
	add: interval.Interval.Add,
	mul: interval.Interval.Mul,
	sign: func(x interval.Interval) (bool, bool, bool, bool) {
		return x.NonNegative(), x.Positive(), x.NonPositive(), x.Negative()
	},
	cost:    func(interval.Interval) int { return 2 },
	reading: conversion,
}

// bernstein is the sign of p on a box by its Bernstein coefficients there; side gives the range of each variable.
//
// On l ≤ x ≤ u a variable is x = l + (u − l)·y with the basis B_i(y) = C(d,i)·yⁱ·(1−y)^(d−i), on a half-line x = l + y or
// x = u − y with the basis yⁱ. All basis functions are ≥ 0, so that p has the sign that all coefficients have. It is not
// zero at a point at which some coefficient is not zero whose basis function is positive there. B_i is positive where
// 0 < y < 1, at y = 0 for i = 0 only and at y = 1 for i = d only; yⁱ where y > 0, and at 0 for i = 0.
func bernstein[T any](p poly, side func(variable int) Side, a numbers[T], charge func(int)) (out sign) {
	of := func(v *big.Rat) T {
		charge(a.reading + effort(v))
		return a.of(v)
	}
	// What is made of long numbers costs what they do: they may cancel.
	made := func(op func(x, y T) T, x, y T) T {
		z := op(x, y)
		charge(max(a.cost(x), a.cost(y), a.cost(z)))
		return z
	}
	add := func(x, y T) T { return made(a.add, x, y) }
	mul := func(x, y T) T { return made(a.mul, x, y) }
	if len(p) == 0 {
		return sign{nonnegative: true, nonpositive: true}
	}
	size := map[int]int{}
	var vars []int
	for e := range p {
		for i := range len(e) {
			if n := int(e[i]); n > 0 {
				if size[i] == 0 {
					vars = append(vars, i)
				}
				size[i] = max(size[i], n+1)
			}
		}
	}
	slices.Sort(vars)
	total := 1
	for _, v := range vars {
		if total *= size[v]; total > maxMonomials {
			return out
		}
	}
	zero := of(new(big.Rat))
	charge(total * (1 + len(vars)))
	c := make([]T, total)
	for i := range c {
		c[i] = zero
	}
	for e, v := range p {
		at := 0
		for _, x := range vars {
			at *= size[x]
			if x < len(e) {
				at += int(e[x])
			}
		}
		c[at] = of(v)
	}
	stride := total
	sides := make([]Side, len(vars))
	for k, x := range vars {
		n := size[x]
		stride /= n
		d := side(x)
		sides[k] = d
		start, scale := d.Lo, (*big.Rat)(nil)
		switch {
		case d.Lo == nil && d.Hi == nil:
			return out
		case d.Lo == nil:
			start, scale = d.Hi, big.NewRat(-1, 1)
		case d.Hi != nil:
			charge(d.effort())
			scale = new(big.Rat).Sub(d.Hi, d.Lo)
		}
		s := of(start)
		powers, shares := make([]T, n), make([]T, n)
		if scale != nil {
			powers[1] = of(scale)
			for i := 2; i < n; i++ {
				powers[i] = mul(powers[i-1], powers[1])
			}
		}
		// 1/C(d,m), of which the ends are 1.
		for m := 1; d.Lo != nil && d.Hi != nil && m < n-1; m++ {
			charge(2 * n)
			shares[m] = of(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Binomial(int64(n-1), int64(m))))
		}
		for base := range total {
			if base/stride%n != 0 {
				continue
			}
			// x = start + z, by Horner's scheme.
			if start.Sign() != 0 {
				for i := range n - 1 {
					for j := n - 2; j >= i; j-- {
						c[base+j*stride] = add(c[base+j*stride], mul(s, c[base+(j+1)*stride]))
					}
				}
			}
			// z = scale·y.
			if scale != nil {
				for i := 1; i < n; i++ {
					c[base+i*stride] = mul(powers[i], c[base+i*stride])
				}
			}
			if d.Lo == nil || d.Hi == nil {
				continue
			}
			// yᵐ = Σ_{j ≥ m} C(j,m)/C(d,m)·B_j(y): divided by C(d,m), then summed by Pascal's triangle.
			for m := 1; m < n-1; m++ {
				c[base+m*stride] = mul(c[base+m*stride], shares[m])
			}
			for i := 1; i < n; i++ {
				for j := n - 1; j >= i; j-- {
					c[base+j*stride] = add(c[base+j*stride], c[base+(j-1)*stride])
				}
			}
		}
	}
	out = sign{true, true, true, true}
	positive, negative := make([]bool, total), make([]bool, total)
	for i, x := range c {
		nonneg, pos, nonpos, neg := a.sign(x)
		out.nonnegative, out.nonpositive = out.nonnegative && nonneg, out.nonpositive && nonpos
		positive[i], negative[i] = pos, neg
	}
	lists := make([]int, len(vars))
	for k, x := range vars {
		lists[k] = size[x]
	}
	out.positive = out.nonnegative && everywhere(positive, lists, sides, charge)
	out.negative = out.nonpositive && everywhere(negative, lists, sides, charge)
	return out
}

// everywhere reports whether at each point of the box some coefficient that is marked has a positive basis function. It is
// enough to ask on each face of least dimension: in a variable, an end that belongs to the box, or the inside if none does.
//
// Soundness: a point inside in some variable has more positive basis functions than one at an end of it.
func everywhere(marked []bool, size []int, sides []Side, charge func(int)) bool {
	// fits[k] says which indices of variable k count on the face chosen.
	fits := make([]func(int) bool, len(size))
	var ask func(k int) bool
	ask = func(k int) bool {
		if k == len(size) {
			charge(len(marked) * len(size))
			for at, m := range marked {
				ok := m
				for v := len(size) - 1; v >= 0 && ok; v-- {
					ok = fits[v](at % size[v])
					at /= size[v]
				}
				if ok {
					return true
				}
			}
			return false
		}
		d := sides[k]
		half := d.Lo == nil || d.Hi == nil
		start, end := d.Lo != nil && !d.LoOpen, d.Hi != nil && !d.HiOpen
		if d.Lo == nil {
			start, end = end, false // x = u − y
		}
		if !half && d.Lo.Cmp(d.Hi) == 0 {
			start, end = true, false
		}
		if start {
			fits[k] = func(i int) bool { return i == 0 }
			if !ask(k + 1) {
				return false
			}
		}
		if end {
			fits[k] = func(i int) bool { return i == size[k]-1 }
			if !ask(k + 1) {
				return false
			}
		}
		if !start && !end {
			fits[k] = func(int) bool { return true }
			return ask(k + 1)
		}
		return true
	}
	return ask(0)
}

// Monomial is a coefficient and the exponent of each variable that occurs.
type Monomial struct {
	Coefficient *big.Rat
	Exponents   map[int]int
}

// Fraction is an expression as a polynomial over divisors, for those who look for an argument: where the expression has a
// value, it has the sign of the numerator times those of the divisors. Variables below [FirstRoot] are coordinates, the
// others the irrational roots.
func (s *Statement) Fraction(e *Expr) (numerator []Monomial, divisors [][]Monomial, err error) {
	defer caught(&err)
	list := func(p poly) (out []Monomial) {
		keys := make([]string, 0, len(p))
		for k := range p {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			m := Monomial{new(big.Rat).Set(p[k]), map[int]int{}}
			for i := range len(k) {
				if k[i] > 0 {
					m.Exponents[i] = int(k[i])
				}
			}
			out = append(out, m)
		}
		return out
	}
	f := s.ring.of(e)
	var odd [][]Monomial
	for _, d := range sorted(f.den) {
		if f.den[d]%2 == 1 {
			odd = append(odd, list(s.ring.of(d).num))
		}
	}
	return list(f.num), odd, nil
}

// FirstRoot is the number of the first root among the variables of a [Monomial].
const FirstRoot = maxCoordinates

// Roots lists the irrational roots met so far, in the order of their variables.
func (s *Statement) Roots() []*Expr { return slices.Clone(s.ring.roots) }
