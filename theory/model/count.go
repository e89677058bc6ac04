package model

import (
	"fmt"

	"stopgrad/theory/kernel"
)

// Zeros are counted of expressions that are polynomials in the variable. How large its degree may be follows from the
// expression's form; its values at as many numbers give the polynomial, and Sturm's theorem, as Tarski extended it, tells how
// many real zeros it has between two numbers and at how many its derivative is positive. No derivative of a term is taken.

// maxDegree bounds the degree of a polynomial whose zeros are counted.
const maxDegree = 100

// count judges a count of zeros.
func (fr *frame) count(form kernel.Form, c kernel.Count) (j Judgement) {
	end := func(t *kernel.Term) *number {
		if t == nil {
			return nil
		}
		// Soundness: an end that depends on x, by an equation of motion perhaps, would be another one for each of its values.
		return fr.child(func(y *kernel.Term) matrix {
			if y == c.In {
				fail("an end of the interval, %s, depends on %s", kernel.Print(t), c.In.Symbol().Name())
			}
			return fr.read(y)
		}).eval(t).at[0].base()
	}
	in := between{end(c.Lo), end(c.Hi), c.LoIn, c.HiIn}
	word := map[kernel.Form]string{kernel.RisingZeros: "rising ", kernel.FallingZeros: "falling "}[form]
	found := tally{}
	if !fr.nothing(in) {
		p := fr.polynomial(c.Of, c.In)
		switch {
		case len(p) > 0:
			found = fr.tally(p, in)
		case fr.single(in):
			found.note(0)
		case word == "":
			j.Says = "zero everywhere, not at " + named(c.N, word)
			return j
		}
		// Else it is zero everywhere with the derivative zero: nowhere does it rise or fall.
	}
	n := map[kernel.Form]int{kernel.Zeros: found.all, kernel.RisingZeros: found.rising, kernel.FallingZeros: found.falling}[form]
	j.Holds = n == c.N
	j.Says = named(n, word) + ", against " + fmt.Sprint(c.N)
	return j
}

func named(n int, word string) string {
	if n == 1 {
		return "1 " + word + "zero"
	}
	return fmt.Sprintf("%d %szeros", n, word)
}

// between is an interval; an end is nil where there is none.
type between struct {
	lo, hi     *number
	loIn, hiIn bool
}

// nothing reports whether no number lies in the interval.
func (f *field) nothing(in between) bool {
	if in.lo == nil || in.hi == nil {
		return false
	}
	c := f.cmp(in.lo, in.hi)
	return c > 0 || c == 0 && !(in.loIn && in.hiIn)
}

// single reports whether an interval that is not empty is one number.
func (f *field) single(in between) bool {
	return in.lo != nil && in.hi != nil && f.cmp(in.lo, in.hi) == 0
}

// polynomial is the value of t as a polynomial in x, all other letters as they are here: coefficients from the constant one,
// the last not zero.
func (fr *frame) polynomial(t, x *kernel.Term) []*number {
	n := fr.degree(t, x)
	value := func(k int) *number {
		at := matrix{true, 1, 1, []jet{{integer(int64(k))}}}
		return fr.child(func(y *kernel.Term) matrix {
			if y == x {
				return at
			}
			return fr.read(y)
		}).eval(t).at[0].base()
	}
	// Newton's divided differences at 0, 1, …, n, and the polynomial by Horner's rule.
	differences := make([]*number, n+1)
	for k := range differences {
		differences[k] = value(k)
	}
	for i := 1; i <= n; i++ {
		for k := n; k >= i; k-- {
			differences[k] = fr.mul(fr.sub(differences[k], differences[k-1]), fr.inv(integer(int64(i))))
		}
	}
	p := []*number{}
	for k := n; k >= 0; k-- {
		p = fr.sumOf(fr.shifted(p, k), []*number{differences[k]})
	}
	// Soundness: a degree that was taken too small would give another polynomial.
	if at := n + 1; fr.cmp(fr.valueAt(p, integer(int64(at))), value(at)) != 0 {
		fail("%s is no polynomial of degree %d", kernel.Print(t), n)
	}
	return fr.trimmed(p)
}

// degree is a number that the degree of t in x does not exceed.
func (fr *frame) degree(t, x *kernel.Term) (n int) {
	defer func() {
		if err := recovered(recover()); err != nil {
			spare("the zeros of %s are not counted, which may be no polynomial in %s: %v", kernel.Print(t), x.Symbol().Name(), err)
		}
		if n > maxDegree {
			spare("the zeros of a polynomial of a degree up to %d are not counted", n)
		}
	}()
	return (&degrees{evaluator: fr.evaluator, letters: map[*kernel.Term]int{x: 1}, bound: true}).of(t)
}

// shifted is p·(x − k).
func (f *field) shifted(p []*number, k int) []*number {
	out := make([]*number, len(p)+1)
	for i := range out {
		out[i] = zero
		if i > 0 {
			out[i] = p[i-1]
		}
		if i < len(p) {
			out[i] = f.sub(out[i], f.mul(integer(int64(k)), p[i]))
		}
	}
	return out
}

func (f *field) trimmed(p []*number) []*number {
	for len(p) > 0 && p[len(p)-1].isZero() {
		p = p[:len(p)-1]
	}
	return p
}

func (f *field) sumOf(p, q []*number) []*number {
	if len(p) < len(q) {
		p, q = q, p
	}
	out := append([]*number(nil), p...)
	for i, c := range q {
		out[i] = f.add(out[i], c)
	}
	return f.trimmed(out)
}

func (f *field) productOf(p, q []*number) []*number {
	if len(p) == 0 || len(q) == 0 {
		return nil
	}
	out := make([]*number, len(p)+len(q)-1)
	for i := range out {
		out[i] = zero
	}
	for i, a := range p {
		for k, b := range q {
			out[i+k] = f.add(out[i+k], f.mul(a, b))
		}
	}
	return f.trimmed(out)
}

func (f *field) valueAt(p []*number, x *number) *number {
	v := zero
	for i := len(p) - 1; i >= 0; i-- {
		v = f.add(f.mul(v, x), p[i])
	}
	return v
}

func (f *field) slopeOf(p []*number) []*number {
	var out []*number
	for i := 1; i < len(p); i++ {
		out = append(out, f.mul(integer(int64(i)), p[i]))
	}
	return out
}

// divided is p = quo·q + rem, with rem of a lower degree than q, which is not zero.
func (f *field) divided(p, q []*number) (quo, rem []*number) {
	rem = append([]*number(nil), p...)
	lead := f.inv(q[len(q)-1])
	for len(rem) >= len(q) {
		c, at := f.mul(rem[len(rem)-1], lead), len(rem)-len(q)
		if quo == nil {
			quo = make([]*number, at+1)
			for i := range quo {
				quo[i] = zero
			}
		}
		quo[at] = c
		for i, b := range q {
			rem[at+i] = f.sub(rem[at+i], f.mul(c, b))
		}
		rem = f.trimmed(rem[:len(rem)-1])
	}
	return quo, rem
}

// tally says how many zeros there are, and at how many the derivative is positive, and negative.
type tally struct{ all, rising, falling int }

func (t *tally) note(direction int) {
	t.all++
	switch direction {
	case 1:
		t.rising++
	case -1:
		t.falling++
	}
}

// tally counts the zeros of p, which is not zero everywhere, in an interval that is not empty.
func (f *field) tally(p []*number, in between) (out tally) {
	slope := f.slopeOf(p)
	ends := []*number{in.lo, in.hi}
	if f.single(in) {
		ends = ends[:1]
	}
	q := p
	for i, x := range ends {
		if x == nil || !f.valueAt(p, x).isZero() {
			continue
		}
		if i == 0 && in.loIn || i == 1 && in.hiIn {
			out.note(f.sign(f.valueAt(slope, x)))
		}
		// Sturm's theorem counts between numbers that are no zeros.
		for f.valueAt(q, x).isZero() {
			q, _ = f.divided(q, []*number{f.neg(x), one})
		}
	}
	if len(ends) < 2 {
		return out
	}
	// In between q has the zeros of p. At so many more of them is the derivative of p positive than negative, and it is zero
	// where q has a multiple zero.
	all, common := f.query(q, f.slopeOf(q), in)
	more, _ := f.query(q, f.productOf(f.slopeOf(q), slope), in)
	multiple, _ := f.query(common, f.slopeOf(common), in)
	out.all += all
	out.rising += (all - multiple + more) / 2
	out.falling += (all - multiple - more) / 2
	return out
}

// query is Tarski's: with q = p'·g, the number of zeros of p in the interval at which g > 0 less that of those at which g < 0,
// and the greatest common divisor of p and q. Neither end is a zero of p.
func (f *field) query(p, q []*number, in between) (n int, common []*number) {
	sequence := [][]*number{p}
	for len(q) > 0 {
		sequence = append(sequence, q)
		_, r := f.divided(p, q)
		if len(r) > 0 {
			// A positive factor changes no sign, and leaves numbers that do not grow from one to the next.
			lead := r[len(r)-1]
			if f.sign(lead) > 0 {
				lead = f.neg(lead)
			}
			lead = f.inv(lead)
			for i, c := range r {
				r[i] = f.mul(lead, c)
			}
		}
		p, q = q, r
	}
	return f.changes(sequence, in.lo, true) - f.changes(sequence, in.hi, false), p
}

// changes counts the changes of sign in a sequence at a number, or at an end of the line, zeros left out.
func (f *field) changes(sequence [][]*number, x *number, left bool) (n int) {
	last := 0
	for _, p := range sequence {
		s := 0
		switch {
		case x != nil:
			s = f.sign(f.valueAt(p, x))
		case left && len(p)%2 == 0:
			s = -f.sign(p[len(p)-1])
		default:
			s = f.sign(p[len(p)-1])
		}
		if s != 0 && last != 0 && s != last {
			n++
		}
		if s != 0 {
			last = s
		}
	}
	return n
}
