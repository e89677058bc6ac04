package model

import (
	"stopgrad/theory/kernel"
)

// Expectations. The argument f is a polynomial in the entries z₁, …, z_N of the random columns it mentions, and may be
// f = c + Σ qᵢᵢ·zᵢ² + Σ_{i<j} bᵢⱼ·zᵢzⱼ only, so that
//
//	f(eᵢ) = f(−eᵢ),  qᵢᵢ = f(eᵢ) − f(0),  bᵢⱼ = f(eᵢ + eⱼ) − f(eᵢ) − f(eⱼ) + f(0),
//
// and E f = c + Σ qᵢᵢ·E[zᵢ²] + Σ bᵢⱼ·E[zᵢzⱼ] by the declared moments. A polynomial whose degree the term bounds by two
// is of this form if f(eᵢ) = f(−eᵢ). One that the term bounds by d only (its higher parts may cancel) is if it agrees
// with the form at all whole z ≥ 0 with Σ zᵢ ≤ d, which determine polynomials of degree d.

// entry is an entry of a random column.
type entry struct {
	column *kernel.Term
	row    int
}

func (fr *frame) expectation(t *kernel.Term) matrix {
	degree := (&degrees{evaluator: fr.evaluator}).of(t)
	columns := map[*kernel.Term]bool{} // those that f reads
	// value is f with the given entries, the others zero.
	value := func(z map[entry]*number) matrix {
		child := fr.child(func(x *kernel.Term) matrix {
			if !random(x) {
				return fr.read(x)
			}
			columns[x] = true
			rows, _ := x.Symbol().Shape()
			m := nought(fr.st.dim(rows), 1)
			for i := range m.at {
				if v, ok := z[entry{x, i}]; ok {
					m.at[i] = jet{v}
				}
			}
			return m
		})
		child.outside = fr
		return child.eval(t)
	}
	f0 := value(nil)
	// Columns without a moment where it is declared to be have no expectations.
	for i := 0; i < fr.dyn.Moments(); i++ {
		if a, b, m := fr.dyn.Moment(i); columns[a] && columns[b] {
			fr.closed().eval(m)
		}
	}
	var z []entry
	for _, y := range fr.dyn.Signature().Symbols() {
		if x := fr.dyn.Signature().Lookup(y.Name()); columns[x] {
			rows, _ := y.Shape()
			for k := 0; k < fr.st.dim(rows); k++ {
				z = append(z, entry{x, k})
			}
		}
	}
	single := make([]matrix, len(z)) // f(eᵢ)
	b := make([][]matrix, len(z))    // coefficients of zᵢzⱼ
	out := f0
	for i := range z {
		single[i] = value(map[entry]*number{z[i]: one})
		if !fr.difference(single[i], value(map[entry]*number{z[i]: integer(-1)})).isZero() {
			fail("the expectation of something odd in the random columns is not declared")
		}
		b[i] = make([]matrix, i+1)
		for j := 0; j <= i; j++ {
			b[i][j] = fr.difference(single[i], f0)
			if j < i {
				both := value(map[entry]*number{z[i]: one, z[j]: one})
				b[i][j] = fr.difference(fr.difference(both, single[j]), b[i][j])
			}
			if !b[i][j].isZero() {
				out = fr.sum(out, fr.scale(fr.moment(z[i], z[j]), b[i][j]))
			}
		}
	}
	if degree > 2 {
		fr.checkQuadratic(degree, z, f0, b, value)
	}
	// Soundness: what moves by way of a moment moves, though it has the coefficient zero here, and its root divides by itself.
	for i := 0; i < fr.dyn.Moments(); i++ {
		a, b, m := fr.dyn.Moment(i)
		in := func(x *kernel.Term) int { return (&degrees{evaluator: fr.evaluator, only: x}).of(t) }
		if !columns[a] || !columns[b] || a == b && in(a) < 2 || a != b && (in(a) < 1 || in(b) < 1) {
			continue
		}
		nothing := jet{zero}
		for _, x := range fr.closed().eval(m).at {
			nothing = fr.plus(nothing, fr.times(jet{zero}, x))
		}
		out = out.each(func(x jet) jet { return fr.plus(x, nothing) })
	}
	return out
}

// checkQuadratic compares f with its quadratic at all whole z ≥ 0 with Σ zᵢ ≤ degree.
func (fr *frame) checkQuadratic(degree int, z []entry, f0 matrix, b [][]matrix, value func(map[entry]*number) matrix) {
	points := 0
	point := map[entry]*number{}
	var walk func(i, left int, want matrix)
	walk = func(i, left int, want matrix) {
		if i == len(z) {
			if points++; points > maxPoints {
				fail("too many points to see that an expectation's argument is quadratic")
			}
			if !fr.difference(value(point), want).isZero() {
				fail("the expectation of something that is not quadratic in all random columns is not declared")
			}
			return
		}
		for k := 0; k <= left; k++ {
			c := integer(int64(k))
			point[z[i]] = c
			w := want
			for j := 0; j <= i; j++ {
				w = fr.sum(w, fr.scale(jet{fr.mul(c, point[z[j]])}, b[i][j]))
			}
			walk(i+1, left-k, w)
		}
	}
	walk(0, degree, f0)
}

// moment is E[xy].
func (fr *frame) moment(x, y entry) jet {
	for i := 0; i < fr.dyn.Moments(); i++ {
		a, b, m := fr.dyn.Moment(i)
		if a == y.column && b == x.column {
			x, y = y, x
		}
		if a == x.column && b == y.column {
			v := fr.closed().eval(m)
			j := v.entry(x.row, y.row)
			if a == b && !(matrix{at: []jet{fr.minus(j, v.entry(y.row, x.row))}}).isZero() {
				fail("the moment of %s is not symmetric", a.Symbol().Name())
			}
			return j
		}
	}
	// Centred columns have conditional mean zero given the data point and are independent of one another.
	a, b := x.column.Symbol(), y.column.Symbol()
	if a == b || a.Class() != kernel.Centred && b.Class() != kernel.Centred {
		fail("the moment of %s and %s is not declared", a.Name(), b.Name())
	}
	return jet{zero}
}

// mentionsRandom reports whether a random column occurs in a term.
func (e *evaluator) mentionsRandom(t *kernel.Term) bool {
	if v, ok := e.chance[t]; ok {
		return v
	}
	v := t.Head() == kernel.Letter && random(t)
	for i := 0; !v && i < t.Len(); i++ {
		v = e.mentionsRandom(t.Arg(i))
	}
	e.chance[t] = v
	return v
}

// degrees bounds the degree of terms in the random columns, or in a letter. Letters have a degree where at puts random values
// in, and where they are asked about.
type degrees struct {
	*evaluator
	letters map[*kernel.Term]int // of letters that have values; 0 if absent
	only    *kernel.Term         // the random column that counts, nil for all
	bound   bool                 // inside of another expectation: the columns themselves are that one's
	level   int                  // terms around whose letters have other degrees
	memo    map[*kernel.Term]int
}

func (d *degrees) of(t *kernel.Term) int {
	if len(d.letters) == 0 && (d.bound || !d.mentionsRandom(t)) {
		return 0
	}
	if n, ok := d.memo[t]; ok {
		return n
	}
	d.spend(1)
	n := d.find(t)
	if n > kernel.MaxExponent {
		fail("the degree in random columns is too high")
	}
	if d.memo == nil {
		d.memo = map[*kernel.Term]int{}
	}
	d.memo[t] = n
	return n
}

func (d *degrees) find(t *kernel.Term) int {
	most, all := 0, 0
	if t.Head() != kernel.Diff && t.Head() != kernel.At {
		for i := 0; i < t.Len(); i++ {
			k := d.of(t.Arg(i))
			most, all = max(most, k), all+k
		}
	}
	switch t.Head() {
	case kernel.Letter:
		if random(t) {
			if d.bound || d.only != nil && d.only != t {
				return 0
			}
			return 1
		}
		return d.letters[t]
	case kernel.Product, kernel.Kronecker:
		return all
	case kernel.Power:
		return most * t.Exponent()
	case kernel.Reciprocal, kernel.Root, kernel.Inverse:
		if most > 0 {
			fail("a divisor, radicand or inverse is random, or depends on the variable")
		}
	case kernel.Diff, kernel.Grad, kernel.GradSym, kernel.GradSkew:
		// Of what does not mention x it is zero.
		if d.only != nil && !reaches(t.Arg(0), map[*kernel.Term]bool{}, func(u *kernel.Term) bool {
			d.spend(1)
			return u == t.Arg(1) || u.Head() == kernel.Ddt || u.Head() == kernel.Next || u.Head() == kernel.Expect
		}) {
			return 0
		}
		return d.of(t.Arg(0)) // a derivative of a polynomial in x is of no higher degree, whatever the degree of x
	case kernel.Ddt: // Σ ∂t/∂x·f
		speed := 0
		for _, x := range d.dyn.FlowLetters() {
			speed = max(speed, d.equation(d.dyn.FlowOf(x)))
		}
		return most + speed
	case kernel.Next:
		letters := map[*kernel.Term]int{}
		for x, k := range d.letters {
			letters[x] = k
		}
		for _, x := range d.dyn.MapLetters() {
			letters[x] = d.equation(d.dyn.MapOf(x))
		}
		return d.with(letters).of(t.Arg(0))
	case kernel.At:
		letters := map[*kernel.Term]int{}
		for x, k := range d.letters {
			letters[x] = k
		}
		for i := 1; i < t.Len(); i += 2 {
			letters[t.Arg(i)] = d.of(t.Arg(i + 1))
		}
		return d.with(letters).of(t.Arg(0))
	case kernel.Expect: // the argument's coefficients times moments
		in := d.inside(d.letters, true)
		k := 0
		for i := 0; i < d.dyn.Moments(); i++ {
			_, _, m := d.dyn.Moment(i)
			k = max(k, in.of(m))
		}
		return in.of(t.Arg(0)) + k
	}
	return most
}

// equation is the degree of a right-hand side; it mentions letters only.
func (d *degrees) equation(f *kernel.Term) int {
	return d.inside(d.letters, true).of(f)
}

// with is the same bound with other degrees of the letters.
func (d *degrees) with(letters map[*kernel.Term]int) *degrees {
	for x, k := range letters {
		if k == 0 {
			delete(letters, x)
		}
	}
	return d.inside(letters, d.bound)
}

func (d *degrees) inside(letters map[*kernel.Term]int, bound bool) *degrees {
	if d.level == kernel.MaxNesting {
		fail("operators and equations inside one another more than %d deep", kernel.MaxNesting)
	}
	return &degrees{evaluator: d.evaluator, letters: letters, only: d.only, bound: bound, level: d.level + 1}
}
