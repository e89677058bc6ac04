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

// touches looks for points of simple fractions at which the constraints hold and a polynomial, not negative where they
// hold, is zero: by descent along the axes and the directions of what was gained, from states that meet the hypotheses.
func (s *state) touches(p poly, bounds []bounding, letters []*kernel.Term) (out [][]*big.Rat) {
	f := p.compiled(letters)
	var gs []polynomialAt
	for _, b := range bounds {
		gs = append(gs, b.p.compiled(letters))
	}
	inside := func(x []float64) bool {
		for _, g := range gs {
			if g.at(x) < 0 {
				return false
			}
		}
		return true
	}
	starts := s.met()
	have := map[string]bool{}
	for i := range min(len(starts), maxStarts) {
		x := make([]float64, len(letters))
		for j, l := range letters {
			x[j] = starts[i][l]
		}
		if !inside(x) {
			continue
		}
		best, step := f.at(x), 1.0
		look := func(d []float64, h float64) bool {
			y := make([]float64, len(x))
			for j := range x {
				y[j] = x[j] + h*d[j]
			}
			if v := f.at(y); v < best && inside(y) {
				x, best = y, v
				return true
			}
			return false
		}
		for n := 0; n < maxLooks && step > 1e-7; n++ {
			from := append([]float64{}, x...)
			moved := false
			for j := range x {
				d := make([]float64, len(x))
				d[j] = 1
				moved = look(d, step) || look(d, -step) || moved
			}
			for j := range x {
				for k := range j {
					for _, sign := range []float64{1, -1} {
						d := make([]float64, len(x))
						d[j], d[k] = 1, sign
						moved = look(d, step) || look(d, -step) || moved
					}
				}
			}
			if !moved {
				step /= 2
				continue
			}
			d := make([]float64, len(x))
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
				key += at[j].RatString() + " "
			}
			if at == nil || have[key] || p.exactly(letters, at).Sign() != 0 {
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
	return out
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
