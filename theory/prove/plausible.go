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

// reals are the values of scalar letters at one state, in floating point.
type reals map[*kernel.Term]float64

// value is the value of a pure scalar term, NaN if it has none or is about more than scalar letters.
func (at reals) value(t *kernel.Term, memo map[*kernel.Term]float64) float64 {
	if v, ok := memo[t]; ok {
		return v
	}
	v := math.NaN()
	switch arg := func(i int) float64 { return at.value(t.Arg(i), memo) }; t.Head() {
	case kernel.Number:
		v, _ = t.Value().Float64()
	case kernel.Letter:
		if x, ok := at[t]; ok {
			v = x
		}
	case kernel.Sum:
		v = arg(0) + arg(1)
	case kernel.Product:
		v = arg(0) * arg(1)
	case kernel.Power:
		v = math.Pow(arg(0), float64(t.Exponent()))
	case kernel.Reciprocal:
		if d := arg(0); d != 0 {
			v = 1 / d
		}
	case kernel.Root:
		v = math.Sqrt(arg(0))
	}
	memo[t] = v
	return v
}

// met are states at which the hypotheses hold with something to spare; none where equations are among them, or what
// is not scalar.
func (s *state) met() []reals {
	if s.drawn {
		return s.states
	}
	s.drawn = true
	var letters []*kernel.Term
	seen := map[*kernel.Term]bool{}
	for _, y := range s.sig.Symbols() {
		if y.Class() == kernel.Param || y.Class() == kernel.State || y.Class() == kernel.Input {
			if !y.Scalar() {
				continue
			}
			x := s.sig.Lookup(y.Name())
			if !seen[x] {
				seen[x] = true
				letters = append(letters, x)
			}
		}
	}
	type order struct {
		pure *kernel.Term
		kind kind
	}
	var orders []order
	for _, f := range s.hyps {
		ts := f.Terms()
		switch f.Form() {
		case kernel.AtLeast, kernel.Greater, kernel.Unequal:
			u := s.unfold(s.difference(ts[0], ts[1]))
			if u == nil {
				return nil
			}
			k, _ := stated(f.Form())
			orders = append(orders, order{u, k})
		case kernel.Equal:
			if ts[0].Scalar() {
				return nil
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	at, memo := reals{}, map[*kernel.Term]float64{}
	for range maxDrawn {
		clear(memo)
		for _, x := range letters {
			switch rng.IntN(4) {
			case 0:
				at[x] = float64(rng.IntN(9)-4) / 2
			case 1:
				at[x] = rng.Float64()
			default:
				at[x] = math.Pow(10, 4*rng.Float64()-2)
				if rng.IntN(3) == 0 {
					at[x] = -at[x]
				}
			}
		}
		ok := true
		for _, o := range orders {
			v := at.value(o.pure, memo)
			if ok = !math.IsNaN(v) && (v > 1e-12 || o.kind == nonzero && v < -1e-12); !ok {
				break
			}
		}
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
	memo := map[*kernel.Term]float64{}
	for _, at := range s.met() {
		clear(memo)
		x, y := at.value(a, memo), at.value(b, memo)
		if x < y-1e-7*(math.Abs(x)+math.Abs(y)) {
			return true
		}
	}
	return false
}
