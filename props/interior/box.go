package interior

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Interval is a closed interval of exact numbers.
type Interval struct{ Lo, Hi *big.Rat }

// Box gives scalar symbols an interval each.
type Box map[string]Interval

// DefaultBox returns the ranges of the hyper-parameters in the claims ledger, section 8.
func DefaultBox() Box {
	r := func(a, b int64) *big.Rat { return big.NewRat(a, b) }
	return Box{
		"alpha": {r(1, 10), r(10, 1)}, "eta": {r(1, 1000), r(1, 1)}, "beta": {r(1, 100), r(10, 1)},
		"sigma2": {r(0, 1), r(2, 1)}, "tau": {r(1, 100), r(6, 5)},
	}
}

// grid is the number of cells of an interval; the points are their midpoints.
const grid = 1 << 16

// point returns the midpoint of the cell of the interval that u ∈ [0, 1) falls in.
func (i Interval) point(u float64) *big.Rat {
	k := int64(math.Floor(u * grid))
	w := new(big.Rat).Sub(i.Hi, i.Lo)
	return w.Add(i.Lo, w.Mul(w, big.NewRat(2*k+1, 2*grid)))
}

// axes returns the symbols of the part that the box has an interval for, in alphabetical order, or an error
// if one of them is no scalar or its interval is empty.
func (b Box) axes(part *lang.Part) ([]string, error) {
	var names []string
	for name, i := range b {
		s := part.Env.Symbols[name]
		if s == nil || s.Root != nil {
			continue
		}
		if s.Kind != lang.Scalar {
			return nil, fmt.Errorf("interior: %s is not a scalar of %s", name, part.Name)
		}
		if i.Lo == nil || i.Hi == nil || i.Lo.Cmp(i.Hi) >= 0 {
			return nil, fmt.Errorf("interior: the interval of %s is empty", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// narrowed returns a copy of the part whose hyper-parameters have no choice but the point of the box with
// coordinates u. A root symbol gets the rational nearest to the root at that point, and one hyper-parameter
// its radicand depends on is left free within the box, so that sample.Draw can move it by that rounding and
// keep the state exact. It returns nil where a radicand is not positive.
func narrowed(part *lang.Part, b Box, axes []string, u []float64) *lang.Part {
	env := *part.Env
	env.Symbols = make(map[string]*lang.Symbol, len(part.Env.Symbols))
	for k, s := range part.Env.Symbols {
		env.Symbols[k] = s
	}
	set := func(name string, d lang.Domain) {
		s := *env.Symbols[name]
		s.Narrow(d)
		env.Symbols[name] = &s
	}
	at := eval.State[float64]{Dims: map[lang.Dim]int{}, Vals: map[string]eval.Matrix[float64]{}}
	for i, name := range axes {
		v := b[name].point(u[i])
		set(name, lang.Domain{Lo: v, Hi: v})
		x, _ := v.Float64()
		at.Vals[name] = eval.ScalarOf(x)
	}
	for _, name := range env.Order {
		s := env.Symbols[name]
		if s.Root == nil {
			continue
		}
		free := ""
		s.Root.Walk(func(n *lang.Expr) bool {
			if n.Kind == lang.Sym && slices.Contains(axes, n.Name) {
				free = n.Name
			}
			return true
		})
		if free == "" {
			continue
		}
		e, err := eval.New(eval.Float{}, part.Env, at)
		if err != nil {
			continue
		}
		q, err := e.Eval(s.Root)
		if err != nil {
			continue
		}
		if q.A[0] <= 0 {
			return nil
		}
		r := big.NewRat(int64(math.Round(math.Sqrt(q.A[0])*grid)), grid)
		set(name, lang.Domain{Lo: r, Hi: r})
		set(free, lang.Domain{Lo: b[free].Lo, Hi: b[free].Hi})
	}
	out := *part
	out.Env = &env
	return &out
}
