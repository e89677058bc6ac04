package prove

import (
	"math"
	"math/rand/v2"

	"stopgrad/theory/cad"
	"stopgrad/theory/kernel"
)

// How many states are drawn, and how many of those that meet the hypotheses are kept, to see whether an order may hold.
const (
	maxDrawn = 1500
	maxMet   = 60
)

// reals are the values of letters at one state, in floating point: of scalars, and at a state where every size is one of
// matrices, too. Then the sizes are in it under nil.
type reals map[*kernel.Term]float64

// measured is a number and how far rounding may have moved it.
type measured struct{ v, off float64 }

// above reports whether the number is above a bound, whatever was rounded.
func (x measured) above(bound float64) bool { return x.v-x.off > bound }

// below is the same of a bound from above.
func (x measured) below(bound float64) bool { return x.v+x.off < bound }

// value is the value of a pure term, NaN if it has none or is about letters that have none. A polynomial that is written out
// cancels near its zeros: what is left there is rounding.
func (at reals) value(t *kernel.Term, memo map[*kernel.Term]measured) measured {
	if x, ok := memo[t]; ok {
		return x
	}
	x := measured{v: math.NaN()}
	switch arg := func(i int) measured { return at.value(t.Arg(i), memo) }; t.Head() {
	case kernel.Number:
		x.v, _ = t.Value().Float64()
	case kernel.Letter:
		if v, ok := at[t]; ok {
			x.v = v
		}
	case kernel.Sum:
		a, b := arg(0), arg(1)
		x = measured{a.v + b.v, a.off + b.off}
	case kernel.Product, kernel.Kronecker:
		a, b := arg(0), arg(1)
		x = measured{a.v * b.v, math.Abs(a.v)*b.off + math.Abs(b.v)*a.off}
	case kernel.Power:
		a, n := arg(0), float64(t.Exponent())
		x.v = math.Pow(a.v, n)
		if a.off > 0 && n > 0 {
			x.off = n * math.Pow(math.Abs(a.v)+a.off, n-1) * a.off
		}
	case kernel.Reciprocal, kernel.Inverse:
		if d := arg(0); math.Abs(d.v) > d.off {
			x = measured{1 / d.v, d.off / (math.Abs(d.v) * (math.Abs(d.v) - d.off))}
		}
	case kernel.Root:
		if q := arg(0); q.v > 0 {
			x.v = math.Sqrt(q.v)
			x.off = q.off / x.v
		} else if q.v == 0 {
			x = measured{0, math.Sqrt(q.off)}
		}
	case kernel.Size, kernel.Identity:
		if one, ok := at[nil]; ok {
			x.v = one
		}
	case kernel.Zero:
		x.v = 0
	case kernel.Trace, kernel.Transpose, kernel.RowStack:
		x = arg(0)
	}
	const unit = 0x1p-52
	x.off += unit * math.Abs(x.v)
	memo[t] = x
	return x
}

// drawn is a number of any magnitude, or one of not many.
func drawn(rng *rand.Rand, positive bool) (x float64) {
	switch rng.IntN(4) {
	case 0:
		x = float64(rng.IntN(9)-4) / 2
	case 1:
		x = rng.Float64()
	default:
		x = math.Exp(9*rng.Float64() - 4.5)
		if rng.IntN(3) == 0 {
			x = -x
		}
	}
	if positive {
		return math.Abs(x)
	}
	return x
}

// letters are the letters that have values at a state: scalars, or all.
func (s *state) letters(matrices bool) (out []*kernel.Term) {
	seen := map[*kernel.Term]bool{}
	add := func(x *kernel.Term) {
		if !seen[x] && (matrices || x.Scalar()) {
			seen[x] = true
			out = append(out, x)
		}
	}
	for _, y := range s.sig.Symbols() {
		if y.Class() == kernel.Param || y.Class() == kernel.State || y.Class() == kernel.Input {
			add(s.sig.Lookup(y.Name()))
		}
	}
	// Of a barrier's holes it is known that they are not negative.
	for _, f := range s.hyps {
		for _, t := range f.Terms() {
			if t.Head() == kernel.Letter && t.Symbol().Class() == kernel.Hole {
				add(t)
			}
		}
	}
	return out
}

// Limits of drawing states where every size is one.
const (
	maxSmallDrawn = 200
	maxSmall      = 24
)

// small are states where every size is one and all hypotheses hold, orders with something to spare.
func (s *state) small() []reals {
	if s.shrunk || s.opposed {
		return s.ones
	}
	s.shrunk = true
	type condition struct {
		pure *kernel.Term
		form kernel.Form
	}
	var conditions []condition
	for _, f := range s.hyps {
		ts := f.Terms()
		u := s.unfold(ts[0])
		if len(ts) > 1 {
			u = s.unfold(s.difference(ts[0], ts[1]))
		}
		if u == nil {
			return nil
		}
		if f.Form() == kernel.Equal && ts[0].Scalar() {
			return nil // which is not met by drawing
		}
		conditions = append(conditions, condition{u, f.Form()})
	}
	at, memo := reals{nil: 1}, map[*kernel.Term]measured{}
	holds := func(c condition) bool {
		x := at.value(c.pure, memo)
		switch c.form {
		case kernel.Equal:
			return math.Abs(x.v) < 1e-9
		case kernel.Unequal, kernel.Invertible:
			return x.above(1e-12) || x.below(-1e-12)
		case kernel.Semidefinite:
			return x.v == 0 || x.above(0)
		case kernel.AtLeast, kernel.Greater, kernel.Definite:
			return x.above(1e-12)
		case kernel.Diagonal:
			return !math.IsNaN(x.v)
		}
		return false
	}
	letters := s.letters(true)
	// Structures are mostly about one matrix, which they leave any value, one sign, or not many values.
	values := map[*kernel.Term][]float64{}
	for _, x := range letters {
		if x.Scalar() {
			continue
		}
		allowed := func(v float64) bool {
			clear(at)
			at[nil], at[x] = 1, v
			for _, c := range conditions {
				clear(memo)
				if !math.IsNaN(at.value(c.pure, memo).v) && !holds(c) {
					return false
				}
			}
			return true
		}
		if allowed(.37) && allowed(-.37) {
			continue
		}
		for _, v := range []float64{.37, 2, 1, 0, -1, -.37} {
			if allowed(v) {
				values[x] = append(values[x], v)
			}
		}
		if len(values[x]) == 0 {
			return nil
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range maxSmallDrawn {
		at = reals{nil: 1}
		for _, x := range letters {
			if v := values[x]; v != nil {
				at[x] = v[rng.IntN(len(v))]
			} else {
				at[x] = drawn(rng, false)
			}
		}
		clear(memo)
		ok := true
		for _, c := range conditions {
			if ok = holds(c); !ok {
				break
			}
		}
		s.spend(8 * len(memo))
		if ok {
			if s.ones = append(s.ones, at); len(s.ones) >= maxSmall {
				break
			}
		}
	}
	return s.ones
}

// met are states at which the hypotheses hold with something to spare; none where equations are among them, or what
// is not scalar.
func (s *state) met() []reals {
	if s.drawn || s.opposed {
		return s.states
	}
	s.drawn = true
	letters := s.letters(false)
	type order struct {
		pure *kernel.Term
		kind kind
	}
	var orders []order
	signed := map[*kernel.Term]bool{}
	for _, f := range s.hyps {
		ts := f.Terms()
		switch f.Form() {
		case kernel.AtLeast, kernel.Greater, kernel.Unequal:
			u := s.unfold(s.difference(ts[0], ts[1]))
			if u == nil {
				return nil
			}
			k, _ := stated(f.Form())
			if u.Head() == kernel.Letter && k != nonzero {
				signed[u] = true
			}
			orders = append(orders, order{u, k})
		case kernel.Equal:
			if ts[0].Scalar() {
				return nil
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	at, memo := reals{}, map[*kernel.Term]measured{}
	for n := range maxDrawn {
		if n == maxDrawn/5 && len(s.states) == 0 {
			break // what nothing meets by then, hardly anything does
		}
		clear(memo)
		for _, x := range letters {
			at[x] = drawn(rng, signed[x])
		}
		ok := true
		for _, o := range orders {
			v := at.value(o.pure, memo)
			if ok = v.above(1e-12) || o.kind == nonzero && v.below(-1e-12); !ok {
				break
			}
		}
		s.spend(8 * len(memo))
		if ok {
			if s.states = append(s.states, at); len(s.states) >= maxMet {
				break
			}
			at = reals{}
		}
	}
	if len(s.states) == 0 && !s.supposing {
		// What is supposed to be contradictory has none.
		place := map[*kernel.Term]int{}
		for i, x := range letters {
			place[x] = i
		}
		var conds []cad.Condition
		for _, o := range orders {
			p := s.polys.of(o.pure)
			if _, ok := lettersOf(p); !ok || p == nil || p.degree() > maxCellDegree {
				return nil
			}
			c := cad.Condition{Factors: []cad.Sum{p.sum(place)}, Rel: cad.Greater}
			if o.kind == nonzero {
				c.Rel = cad.Unequal
			}
			conds = append(conds, c)
		}
		s.states = cells(conds, place)
	}
	return s.states
}

// Limits of looking for states among cells.
const (
	cellWork      = 200_000
	maxCellDegree = 12
)

// cells are states of which one is in each open cell on which the conditions hold.
func cells(conds []cad.Condition, place map[*kernel.Term]int) (out []reals) {
	if len(conds) == 0 {
		return nil
	}
	// What was found before the work ends is as good as what is found in time.
	_, _ = cad.Search(len(place), conds, cellWork, func(at []cad.Number) bool {
		r := reals{}
		for x, i := range place {
			r[x], _ = at[i].A.Float64()
		}
		out = append(out, r)
		return len(out) >= maxMet
	})
	return out
}

// sum is a polynomial in letters for package cad.
func (p poly) sum(place map[*kernel.Term]int) cad.Sum {
	out := cad.Sum{}
	for _, m := range p {
		e := make([]byte, len(place))
		for _, x := range m.at {
			e[place[x.g]] = byte(x.n)
		}
		out[string(e)] = m.c
	}
	return out
}

// implausible reports whether an order clearly fails at a state that meets the hypotheses: then no search for its proof
// is worth while. It decides nothing.
func (s *state) implausible(f kernel.Formula) bool {
	ts := f.Terms()
	if f.Form() != kernel.AtLeast && f.Form() != kernel.Greater {
		return false
	}
	a, b := s.unfold(ts[0]), s.unfold(ts[1])
	if a == nil || b == nil {
		return false
	}
	memo := map[*kernel.Term]measured{}
	for _, states := range []func() []reals{s.met, s.small} {
		without := 0
		for _, at := range states() {
			clear(memo)
			x, y := at.value(a, memo), at.value(b, memo)
			s.spend(8 * len(memo))
			if x.v+x.off < y.v-y.off-1e-7*(math.Abs(x.v)+math.Abs(y.v)) {
				return true
			}
			if math.IsNaN(x.v) || math.IsNaN(y.v) {
				if without++; without > 3 {
					break // as at all states of the kind, mostly
				}
			}
		}
	}
	return false
}
