package prove

import (
	"math/big"

	"stopgrad/theory/kernel"
)

// stop ends a proof attempt from any depth: a limit of the kernel was met, or the caller lost patience. It is
// recovered in Prove and nowhere else.
type stop struct{ err error }

// builder makes terms. Its callers build what fits by shape; what can still fail are the kernel's limits, which
// end the attempt.
type builder struct{ sig *kernel.Signature }

func must[T any](v T, err error) T {
	if err != nil {
		panic(stop{err})
	}
	return v
}

func (b builder) make(h kernel.Head, args ...*kernel.Term) *kernel.Term {
	return must(b.sig.Make(h, 0, args...))
}
func (b builder) number(v *big.Rat) *kernel.Term        { return must(b.sig.Number(v)) }
func (b builder) integer(k int64) *kernel.Term          { return b.number(new(big.Rat).SetInt64(k)) }
func (b builder) add(x, y *kernel.Term) *kernel.Term    { return b.make(kernel.Sum, x, y) }
func (b builder) mul(x, y *kernel.Term) *kernel.Term    { return b.make(kernel.Product, x, y) }
func (b builder) neg(x *kernel.Term) *kernel.Term       { return b.mul(b.integer(-1), x) }
func (b builder) sub(x, y *kernel.Term) *kernel.Term    { return b.add(x, b.neg(y)) }
func (b builder) transpose(x *kernel.Term) *kernel.Term { return b.make(kernel.Transpose, x) }
func (b builder) reciprocal(x *kernel.Term) *kernel.Term {
	return b.make(kernel.Reciprocal, x)
}
func (b builder) trace(x *kernel.Term) *kernel.Term { return b.make(kernel.Trace, x) }
func (b builder) ddt(x *kernel.Term) *kernel.Term   { return b.make(kernel.Ddt, x) }
func (b builder) next(x *kernel.Term) *kernel.Term  { return b.make(kernel.Next, x) }
func (b builder) power(x *kernel.Term, n int) *kernel.Term {
	return must(b.sig.Make(kernel.Power, n, x))
}

// null is the zero of x's shape.
func (b builder) null(x *kernel.Term) *kernel.Term {
	if x.Scalar() {
		return b.integer(0)
	}
	r, c := x.Shape()
	return must(b.sig.ZeroOf(r, c))
}

func (b builder) identity(n kernel.Dim) *kernel.Term { return must(b.sig.IdentityOf(n)) }

// square is the kernel's N(L): tr(LᵀL) of a matrix, L² of a scalar.
func (b builder) square(l *kernel.Term) *kernel.Term {
	if l.Scalar() {
		return b.power(l, 2)
	}
	return b.trace(b.mul(b.transpose(l), l))
}

// product multiplies a list from the left; the empty product is one.
func (b builder) product(xs []*kernel.Term) *kernel.Term {
	if len(xs) == 0 {
		return b.integer(1)
	}
	p := xs[0]
	for _, x := range xs[1:] {
		p = b.mul(p, x)
	}
	return p
}

// sum adds a list of one shape from the left; the empty sum is the number zero.
func (b builder) sum(xs []*kernel.Term) *kernel.Term {
	if len(xs) == 0 {
		return b.integer(0)
	}
	s := xs[0]
	for _, x := range xs[1:] {
		s = b.add(s, x)
	}
	return s
}

// difference is x − y, or x alone if y is a literal zero.
func (b builder) difference(x, y *kernel.Term) *kernel.Term {
	if isZero(y) {
		return x
	}
	return b.sub(x, y)
}

func (b builder) formula(f kernel.Form, ts ...*kernel.Term) kernel.Formula {
	return must(kernel.NewFormula(f, ts...))
}

func always(f kernel.Formula) kernel.Formula { return must(kernel.NewAlways(f)) }

// rebuild returns t with other arguments.
func (b builder) rebuild(t *kernel.Term, args []*kernel.Term) *kernel.Term {
	return must(b.sig.Make(t.Head(), t.Exponent(), args...))
}

// substitute replaces terms by terms everywhere in t; letters that operators bind or name stay as they are.
func (b builder) substitute(t *kernel.Term, with map[*kernel.Term]*kernel.Term) *kernel.Term {
	memo := map[*kernel.Term]*kernel.Term{}
	var visit func(t *kernel.Term) *kernel.Term
	visit = func(t *kernel.Term) *kernel.Term {
		if u, ok := with[t]; ok {
			return u
		}
		if t.Len() == 0 {
			return t
		}
		if u, ok := memo[t]; ok {
			return u
		}
		args := t.Args()
		same := true
		for i, a := range args {
			switch t.Head() {
			case kernel.Diff, kernel.Grad, kernel.GradSym, kernel.GradSkew:
				if i == 1 {
					continue
				}
			case kernel.At:
				if i%2 == 1 {
					continue
				}
			}
			args[i] = visit(a)
			same = same && args[i] == a
		}
		u := t
		if !same {
			u = b.rebuild(t, args)
		}
		memo[t] = u
		return u
	}
	return visit(t)
}

// occurs reports whether hit is true of t or of a term inside it.
func occurs(t *kernel.Term, hit func(*kernel.Term) bool) bool {
	for u := range t.Subterms() {
		if hit(u) {
			return true
		}
	}
	return false
}

func mentions(t, x *kernel.Term) bool {
	return occurs(t, func(u *kernel.Term) bool { return u == x })
}

// isZero reports whether t is a literal zero.
func isZero(t *kernel.Term) bool {
	return t.Head() == kernel.Zero || t.Head() == kernel.Number && t.Value().Sign() == 0
}

// negated is −t with the sign pushed to where it costs least.
func (b builder) negated(t *kernel.Term) *kernel.Term {
	memo := map[*kernel.Term]*kernel.Term{}
	var visit func(t *kernel.Term) *kernel.Term
	visit = func(t *kernel.Term) *kernel.Term {
		switch t.Head() {
		case kernel.Number:
			return b.number(new(big.Rat).Neg(t.Value()))
		case kernel.Zero:
			return t
		case kernel.Sum, kernel.Product:
		default:
			return b.neg(t)
		}
		if u, ok := memo[t]; ok {
			return u
		}
		x, y := t.Arg(0), t.Arg(1)
		var u *kernel.Term
		switch {
		case t.Head() == kernel.Sum:
			u = b.add(visit(x), visit(y))
		case x.Head() == kernel.Number:
			v := x.Value()
			v.Neg(v)
			if v.Cmp(big.NewRat(1, 1)) == 0 {
				u = y
			} else {
				u = b.mul(b.number(v), y)
			}
		default:
			u = b.mul(visit(x), y)
		}
		memo[t] = u
		return u
	}
	return visit(t)
}

// maxLong is the most summands, or factors, that a term is taken apart into. Terms share what is in them, so that a short
// one can have more of them than there is memory; such a one is looked at as a whole.
const maxLong = maxWord

// summands takes a sum apart.
func summands(t *kernel.Term) []*kernel.Term {
	var out []*kernel.Term
	var visit func(t *kernel.Term) bool
	visit = func(t *kernel.Term) bool {
		if t.Head() == kernel.Sum {
			return visit(t.Arg(0)) && visit(t.Arg(1))
		}
		out = append(out, t)
		return len(out) <= maxLong
	}
	if !visit(t) {
		return []*kernel.Term{t}
	}
	return out
}

// factors flattens a product into its scalar factors and the word of its matrix factors; transposes are pushed to
// the factors.
func (b builder) factors(t *kernel.Term) (scalars, word []*kernel.Term) {
	if scalars, word, ok := b.flattened(t); ok {
		return scalars, word
	}
	if t.Scalar() {
		return []*kernel.Term{t}, nil
	}
	return nil, []*kernel.Term{t}
}

// flattened is factors, or not ok if they are too many.
func (b builder) flattened(t *kernel.Term) (scalars, word []*kernel.Term, ok bool) {
	switch {
	case t.Head() == kernel.Product:
		s1, w1, ok1 := b.flattened(t.Arg(0))
		if !ok1 {
			return nil, nil, false
		}
		s2, w2, ok2 := b.flattened(t.Arg(1))
		scalars, word, ok = append(s1, s2...), append(w1, w2...), ok2
	case t.Scalar():
		return []*kernel.Term{t}, nil, true
	case t.Head() == kernel.Power:
		s, w, okay := b.flattened(t.Arg(0))
		if !okay || (len(s)+len(w))*t.Exponent() > maxLong {
			return nil, nil, false
		}
		for range t.Exponent() {
			scalars = append(scalars, s...)
			word = append(word, w...)
		}
		if t.Exponent() == 0 {
			n, _ := t.Shape()
			word = []*kernel.Term{b.identity(n)}
		}
		return scalars, word, true
	case t.Head() == kernel.Transpose:
		s, w, okay := b.flattened(t.Arg(0))
		for i := len(w) - 1; i >= 0; i-- {
			word = append(word, b.flip(w[i]))
		}
		return s, word, okay
	default:
		return nil, []*kernel.Term{t}, true
	}
	return scalars, word, ok && len(scalars)+len(word) <= maxLong
}

// flip is the transpose of a factor.
func (b builder) flip(t *kernel.Term) *kernel.Term {
	switch t.Head() {
	case kernel.Transpose:
		return t.Arg(0)
	case kernel.Identity:
		return t
	}
	return b.transpose(t)
}
