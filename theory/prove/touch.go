package prove

import (
	"math"
	"math/big"

	"stopgrad/theory/kernel"
)

// Limits of the search for points at which a polynomial touches its bound.
const (
	maxStarts = 12
	maxLooks  = 700
)

// monomialAt is a monomial for floating point: its coefficient, and exponents by letter.
type monomialAt struct {
	c float64
	n []int
}

type polynomialAt []monomialAt

func (p poly) compiled(letters []*kernel.Term) (out polynomialAt) {
	for _, m := range p.sorted() {
		c, _ := m.c.Float64()
		n := make([]int, len(letters))
		for _, e := range m.at {
			for i, x := range letters {
				if x == e.g {
					n[i] = e.n
				}
			}
		}
		out = append(out, monomialAt{c, n})
	}
	return out
}

func (p polynomialAt) at(x []float64) float64 {
	s := 0.0
	for _, m := range p {
		v := m.c
		for i, n := range m.n {
			for range n {
				v *= x[i]
			}
		}
		s += v
	}
	return s
}

// clearly reports whether a negative value at a point is more than rounding can have made of it, on a surface too.
func (p polynomialAt) clearly(x []float64) bool {
	size := 0.0
	for _, m := range p {
		size += math.Abs(polynomialAt{m}.at(x))
	}
	return p.at(x) < -1e-5*(1+size)
}

// exactly is the value of a polynomial at a point of fractions.
func (p poly) exactly(letters []*kernel.Term, at []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for _, m := range p {
		v := new(big.Rat).Set(m.c)
		for _, e := range m.at {
			for i, x := range letters {
				if x == e.g {
					for range e.n {
						v.Mul(v, at[i])
					}
				}
			}
		}
		s.Add(s, v)
	}
	return s
}

// face is a surface on which a letter is given by the others: x = −rest/c.
type face struct {
	at   int // the letter; −1 of no surface
	rest poly
	c    *big.Rat
}

// facesOf are the surfaces on which one of the bounds is zero, where that gives a letter linearly.
func facesOf(bounds []bounding, letters []*kernel.Term) (out []face) {
	for _, b := range bounds {
	letters:
		for i, x := range letters {
			c := b.p[keyOf([]exponent{{x, 1}})]
			if c == nil || len(b.p) < 3 {
				continue // an end of a letter's range is met by moving along the others
			}
			for _, m := range b.p {
				for _, e := range m.at {
					if e.g == x && m != c {
						continue letters
					}
				}
			}
			rest := b.p.plus(poly{keyOf(c.at): c}, big.NewRat(-1, 1))
			out = append(out, face{i, rest, c.c})
			break
		}
	}
	return out
}

// touches looks for points of simple fractions at which the constraints hold and a polynomial, not negative where they
// hold, is zero: by descent along the axes and the directions of what was gained, from states that meet the hypotheses; and
// where none is found, on the surfaces on which a constraint is zero. It ends where the polynomial is clearly negative.
func (s *state) touches(p poly, bounds []bounding, letters []*kernel.Term) (points [][]*big.Rat, negative bool) {
	for _, on := range append([]face{{at: -1}}, facesOf(bounds, letters)...) {
		if points, negative = s.touchesOn(on, p, bounds, letters); negative || len(points) > 0 {
			return points, negative
		}
	}
	return nil, false
}

func (s *state) touchesOn(on face, p poly, bounds []bounding, letters []*kernel.Term) (out [][]*big.Rat, negative bool) {
	f := p.compiled(letters)
	var gs []polynomialAt
	for _, b := range bounds {
		gs = append(gs, b.p.compiled(letters))
	}
	rest, slope := on.rest.compiled(letters), 1.0
	if on.at >= 0 {
		slope, _ = on.c.Float64()
	}
	onto := func(x []float64) {
		if on.at >= 0 {
			x[on.at] = -rest.at(x) / slope
		}
	}
	// On a surface rounding may leave its bound by a little.
	slack := 0.0
	if on.at >= 0 {
		slack = 1e-9
	}
	inside := func(x []float64) bool {
		for _, g := range gs {
			if g.at(x) < -slack {
				return false
			}
		}
		return true
	}
	have := map[string]bool{}
	tried := 0
	cost := len(f) * (1 + len(letters))
	for _, start := range s.met() {
		x := make([]float64, len(letters))
		for j, l := range letters {
			x[j] = start[l]
		}
		onto(x)
		if !inside(x) {
			continue
		}
		if tried++; tried > maxStarts {
			break
		}
		best, step := f.at(x), 1.0
		y, from, d := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		look := func(d []float64, h float64) bool {
			for j := range x {
				y[j] = x[j] + h*d[j]
			}
			onto(y)
			s.spend(cost)
			if v := f.at(y); v < best && inside(y) {
				x, y, best = y, x, v
				return true
			}
			return false
		}
		for n := 0; n < maxLooks && step > 1e-7; n++ {
			if best < 0 && f.clearly(x) {
				return nil, true
			}
			copy(from, x)
			moved := false
			for j := range x {
				if j == on.at {
					continue
				}
				clear(d)
				d[j] = 1
				moved = look(d, step) || look(d, -step) || moved
			}
			for j := range x {
				for k := range j {
					if j == on.at || k == on.at {
						continue
					}
					for _, sign := range []float64{1, -1} {
						clear(d)
						d[j], d[k] = 1, sign
						moved = look(d, step) || look(d, -step) || moved
					}
				}
			}
			if !moved {
				step /= 2
				continue
			}
			for j := range x {
				d[j] = x[j] - from[j]
			}
			for range 30 {
				if !look(d, 1) {
					break
				}
			}
		}
		for _, near := range []float64{1e-5, 1e-3, 1e-2} {
			at := make([]*big.Rat, len(x))
			key := ""
			for j, v := range x {
				if math.Abs(v) > 1e6 {
					at = nil
					break
				}
				if at[j] = simplest(v, near); at[j] == nil {
					at = nil
					break
				}
			}
			if at == nil {
				continue
			}
			if on.at >= 0 {
				at[on.at] = new(big.Rat)
				v := on.rest.exactly(letters, at)
				at[on.at] = v.Neg(v.Quo(v, on.c))
			}
			for _, v := range at {
				key += v.RatString() + " "
			}
			if have[key] || p.exactly(letters, at).Sign() != 0 {
				continue
			}
			ok := true
			for _, b := range bounds {
				ok = ok && b.p.exactly(letters, at).Sign() >= 0
			}
			if ok {
				have[key] = true
				out = append(out, at)
				break
			}
		}
		if len(out) >= 4 {
			break
		}
	}
	return out, false
}

// vanishingAt are combinations of a basis that vanish at a point.
func vanishingAt(basis []poly, letters []*kernel.Term, at []*big.Rat) []poly {
	values := make([]*big.Rat, len(basis))
	pivot := -1
	for i, b := range basis {
		values[i] = b.exactly(letters, at)
		if pivot < 0 && values[i].Sign() != 0 {
			pivot = i
		}
	}
	if pivot < 0 {
		return basis
	}
	out := []poly{}
	for i, b := range basis {
		if i != pivot {
			out = append(out, b.plus(basis[pivot], new(big.Rat).Neg(new(big.Rat).Quo(values[i], values[pivot]))))
		}
	}
	return out
}
