package trajectory

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// Limits of a region.
const (
	// MaxEffort is how many operations on intervals the argument for one sequent takes at most, all its motions together.
	MaxEffort = 1_000_000_000
	maxLong   = 256   // bits of an end
	maxMade   = 256   // systems that are kept
	perEntry  = 1_000 // what writing out an operation on entries counts as
)

// Side is the range of a coordinate.
type Side struct{ Lo, Hi *big.Rat }

func (s Side) point() bool { return s.Lo.Cmp(s.Hi) == 0 }

func (s Side) outward() interval.Interval {
	return interval.FromRat(s.Lo).Hull(interval.FromRat(s.Hi))
}

// Region is a motion sequent with the box of values at the start that its hypotheses give: of the entries that move, of which
// it speaks, and of what does not. It is not safe for concurrent use.
type Region struct {
	ctx    *kernel.Context
	dyn    *kernel.Dynamics
	goal   kernel.Formula
	sizes  map[string]int
	known  map[*kernel.Term]bool         // the letters that occur
	order  []*kernel.Term                // in the order declared
	equals map[*kernel.Term]*kernel.Term // x by an equation x = e at the start
	names  []string
	sides  []Side
	index  map[string]int
	meter  *enclosure.Meter
	made   map[string]*Motion // by the box of what does not move
	sound  checks
	// Widest is the width beyond which a set of states is given up, as [NewRegion] sets it the largest bound at the start, or
	// 1,000. It makes nothing true.
	Widest float64
}

// NewRegion reads a sequent. Every letter that matters has bounds by numbers at the start, from below and above, or an equation
// x = e with others; sizes have values.
func NewRegion(c *kernel.Context, goal kernel.Formula) (*Region, error) {
	return newRegion(c, goal, enclosure.NewMeter(math.MaxInt64/2), sound)
}

// Allow lets what is asked of the region from now on take so many operations on intervals, for those who look for an argument:
// what would take more is not shown.
func (r *Region) Allow(operations int64) { *r.meter = *enclosure.NewMeter(operations) }

// Spent is how many were taken since.
func (r *Region) Spent() int64 { return r.meter.Spent() }

func newRegion(c *kernel.Context, goal kernel.Formula, meter *enclosure.Meter, with checks) (made *Region, err error) {
	defer caught(&err)
	// Soundness: what was overwritten for a while would be another sequent.
	if err := c.Whole(); err != nil {
		fail("%v", err)
	}
	if c.Time() != kernel.Motion {
		fail("only statements about motions are certified along motions, and this is about a %s", c.Time())
	}
	r := &Region{Widest: 1e3, ctx: c, dyn: c.Dynamics(), goal: goal, sizes: map[string]int{}, known: map[*kernel.Term]bool{}, equals: map[*kernel.Term]*kernel.Term{},
		index: map[string]int{}, meter: meter, made: map[string]*Motion{}, sound: with}
	if r.dyn.Moments() > 0 {
		fail("flows with second moments are not followed")
	}
	ts := append(goal.Terms(), goal.Inner().Terms()...)
	if len(ts) == 0 {
		fail("the statement speaks of nothing that moves")
	}
	for _, t := range ts {
		if t.Signature() != c.Signature() {
			fail("the formula is of another signature")
		}
		r.meet(t)
	}
	hyps := c.Hypotheses()
	for _, h := range hyps {
		r.learn(h.Formula())
	}
	// What an equation gives is no coordinate; what it is made of matters, too.
	for more := true; more; {
		more = false
		for _, h := range hyps {
			more = r.equation(h.Formula()) || more
		}
	}
	for _, y := range c.Signature().Symbols() {
		if x := c.Signature().Lookup(y.Name()); r.known[x] {
			r.order = append(r.order, x)
			r.coordinates(x)
		}
	}
	for _, h := range hyps {
		r.bound(h.Formula())
	}
	for i, s := range r.sides {
		switch {
		case s.Lo == nil || s.Hi == nil:
			fail("%s is not bounded at the start, by numbers from below and above; a region of motions is", r.names[i])
		case s.Lo.Cmp(s.Hi) > 0:
			fail("the hypotheses leave no value to %s; they may be proved to be contradictory", r.names[i])
		}
		for _, v := range []*big.Rat{s.Lo, s.Hi} {
			x, _ := v.Float64()
			r.Widest = max(r.Widest, math.Abs(x))
		}
	}
	// The equations are compared with the model's once, with everything that is no single number as a parameter.
	r.agree(r.over(r.sides))
	return r, nil
}

// Names lists the coordinates: a letter by its name, an entry of a matrix W as W.1.2.
func (r *Region) Names() []string { return slices.Clone(r.names) }

// Box is the range of each coordinate. Its numbers must not be changed.
func (r *Region) Box() []Side { return slices.Clone(r.sides) }

// meet notes the letters that a term is made of, and those that their motion depends on.
func (r *Region) meet(t *kernel.Term) {
	parts, err := r.dyn.Parts(t)
	if err != nil {
		fail("%v", err)
	}
	u, err := r.dyn.Unfold(t)
	if err != nil {
		fail("%v", err)
	}
	for _, p := range append(parts, u) {
		for v := range p.Subterms() {
			if v.Head() == kernel.Letter && !r.known[v] {
				r.admit(v)
			}
		}
	}
}

// admit takes up a letter, and what its motion depends on.
func (r *Region) admit(x *kernel.Term) {
	law := r.dyn.FlowOf(x)
	switch name := x.Symbol().Name(); x.Symbol().Class() {
	case kernel.Param:
	case kernel.State:
		if law == nil {
			fail("%s has no equation in the flow", name)
		}
	case kernel.Input:
		// Soundness: an input is any continuous function of time; an enclosure for values that stand still says nothing of it.
		fail("%s is an input, which may move in any way: motions with inputs are not certified", name)
	default:
		fail("%s has no values of its own", name)
	}
	r.known[x] = true
	if law != nil {
		r.meet(law)
	}
}

// learn reads the sizes that a hypothesis gives.
func (r *Region) learn(f kernel.Formula) {
	if ts := f.Terms(); f.Form() == kernel.Equal && ts[0].Head() == kernel.Size && ts[1].Head() == kernel.Number && len(ts[0].Dim().Legs()) == 1 {
		if v := ts[1].Value(); v.IsInt() && v.Sign() > 0 && v.Num().IsInt64() && v.Num().Int64() <= model.MaxSize {
			r.sizes[string(ts[0].Dim())] = int(v.Num().Int64())
		}
	}
}

func (r *Region) size(name string) int {
	n, ok := r.sizes[name]
	if !ok {
		fail("the size %s has no value; expected a hypothesis such as size(%s) == 2", name, name)
	}
	return n
}

func (r *Region) moves(x *kernel.Term) bool { return r.dyn.FlowOf(x) != nil }

// equation takes x = e for a letter that matters, if nothing turns in a circle, and reports whether it did.
//
// Soundness: it holds at the start, by hypothesis. What does not move is not taken from what does: e is another number later.
func (r *Region) equation(f kernel.Formula) bool {
	ts := f.Terms()
	if f.Form() != kernel.Equal || !ts[0].Scalar() {
		return false
	}
	for i, x := range ts {
		e := ts[1-i]
		if x.Head() != kernel.Letter || !r.known[x] || r.equals[x] != nil || e.Head() == kernel.Number {
			continue
		}
		if moves, err := r.dyn.Moves(e); err != nil || moves && !r.moves(x) {
			continue
		}
		u, err := r.dyn.Unfold(e)
		if err != nil {
			continue
		}
		free := func(u, x *kernel.Term) bool { return !mentions(u, func(y *kernel.Term) bool { return y == x }) }
		ok := free(u, x) && !mentions(u, func(y *kernel.Term) bool {
			return r.equals[y] != nil || y.Head() == kernel.Letter && y.Symbol().Class() != kernel.Param && y.Symbol().Class() != kernel.State
		})
		for _, v := range r.equals {
			w, err := r.dyn.Unfold(v)
			ok = ok && err == nil && free(w, x)
		}
		if ok {
			r.meet(e)
			r.equals[x] = e
			return true
		}
	}
	return false
}

func mentions(t *kernel.Term, is func(*kernel.Term) bool) bool {
	for u := range t.Subterms() {
		if is(u) {
			return true
		}
	}
	return false
}

// shape is the number of rows and columns of a letter.
func (r *Region) shape(x *kernel.Term) (rows, cols int) {
	return (&Motion{sizes: r.size}).shape(x)
}

func (r *Region) coordinates(x *kernel.Term) {
	r.each(x, func(_ int, name string) {
		r.index[name] = len(r.names)
		r.names, r.sides = append(r.names, name), append(r.sides, Side{})
		if len(r.names) > maxEntries {
			fail("more than %d coordinates", maxEntries)
		}
	})
}

// bound narrows the box by a hypothesis, whatever its mark: each holds at the start, and what does not move stays.
func (r *Region) bound(f kernel.Formula) {
	narrow := func(x, v *kernel.Term, low bool) {
		if x.Head() != kernel.Letter || !r.known[x] || v.Head() != kernel.Number {
			return
		}
		c := v.Value()
		if long(c) {
			fail("the bounds of %s are no long fractions", kernel.Print(x))
		}
		r.each(x, func(k int, _ string) {
			s := &r.sides[k]
			if low && (s.Lo == nil || s.Lo.Cmp(c) < 0) {
				s.Lo = c
			}
			if !low && (s.Hi == nil || s.Hi.Cmp(c) > 0) {
				s.Hi = c
			}
		})
	}
	switch ts := f.Terms(); f.Form() {
	case kernel.AtLeast, kernel.Greater:
		narrow(ts[0], ts[1], true)
		narrow(ts[1], ts[0], false)
	case kernel.Equal:
		if ts[0].Scalar() {
			for i, x := range ts {
				narrow(x, ts[1-i], true)
				narrow(x, ts[1-i], false)
			}
		}
	case kernel.Within:
		narrow(ts[0], ts[1], true)
		narrow(ts[0], ts[2], false)
	}
}

func long(x *big.Rat) bool { return x.Num().BitLen() > maxLong || x.Denom().BitLen() > maxLong }

// fits requires a box inside of the region's.
func (r *Region) fits(box []Side) {
	if len(box) != len(r.sides) {
		fail("a box has as many sides as there are coordinates, %d", len(r.sides))
	}
	for i, s := range box {
		if s.Lo == nil || s.Hi == nil || s.Lo.Cmp(s.Hi) > 0 || s.Lo.Cmp(r.sides[i].Lo) < 0 || s.Hi.Cmp(r.sides[i].Hi) > 0 {
			fail("the side of %s is not one of the region's", r.names[i])
		}
	}
}

// Over is the motion from the states of a box, with an interval of values for what does not move.
func (r *Region) Over(box []Side) (m *Motion, err error) {
	defer caught(&err)
	r.fits(box)
	return r.over(box), nil
}

func (r *Region) over(box []Side) *Motion {
	var key strings.Builder
	for _, x := range r.order {
		if !r.moves(x) {
			r.each(x, func(k int, _ string) { fmt.Fprintf(&key, "%s %s;", box[k].Lo, box[k].Hi) })
		}
	}
	if m := r.made[key.String()]; m != nil {
		return m
	}
	m := &Motion{ctx: r.ctx, dyn: r.dyn, sizes: r.size, meter: r.meter, symmetric: map[*kernel.Term]bool{}, memo: map[*kernel.Term]enclosure.Matrix{},
		offset: map[*kernel.Term]*kernel.Term{}}
	var names []string
	for _, x := range r.order {
		if !r.moves(x) {
			continue
		}
		m.moving = append(m.moving, x)
		if e := r.equals[x]; e != nil {
			m.offset[x] = e
		}
		rows, cols := r.shape(x)
		for i := range rows {
			for j := range cols {
				m.entries = append(m.entries, entry{x, i, j, m.name(x, i, j)})
				names = append(names, m.name(x, i, j))
			}
		}
	}
	if len(names) == 0 || len(names) > maxEntries {
		fail("%d entries move; from 1 to %d are followed", len(names), maxEntries)
	}
	m.sys = enclosure.NewSystem(names...)
	m.sys.Limit(m.meter)
	for _, x := range r.order {
		if r.equals[x] != nil {
			continue
		}
		rows, cols := r.shape(x)
		m.memo[x] = enclosure.NewMatrix(rows, cols, func(i, j int) enclosure.Expr {
			name := m.name(x, i, j)
			s := box[r.index[name]]
			switch {
			case r.moves(x):
				return m.sys.Var(name)
			case s.point():
				return m.sys.Const(s.Lo)
			}
			v := s.outward()
			if !v.IsBounded() {
				fail("the bounds of %s are beyond float64", name)
			}
			return m.sys.Param(name, v)
		})
	}
	for _, x := range r.order {
		e := r.equals[x]
		if e == nil {
			continue
		}
		m.memo[x] = m.term(e)
		if r.moves(x) {
			// Soundness: a change of variables. The system has x − e, whose derivative is x' less that of e.
			m.memo[x] = m.memo[x].Add(one(m.sys.Var(m.name(x, 0, 0))))
		}
	}
	for _, e := range m.entries {
		m.sys.SetRHS(e.name, m.term(m.speed(e.letter)).At(e.i, e.j))
	}
	if m.roots > 0 {
		fail("flows with roots are not followed")
	}
	m.pay(perEntry * int64(1+m.work))
	if len(r.made) >= maxMade {
		clear(r.made)
	}
	r.made[key.String()] = m
	return m
}

// each calls f with the number and name of every coordinate of a letter.
func (r *Region) each(x *kernel.Term, f func(k int, name string)) {
	if r.equals[x] != nil {
		return
	}
	rows, cols := r.shape(x)
	for i := range rows {
		for j := range cols {
			name := (*Motion)(nil).name(x, i, j)
			f(r.index[name], name)
		}
	}
}

// Begin is the box of the system's variables at the start, for a box of the region.
func (r *Region) Begin(m *Motion, box []Side) (out []interval.Interval, err error) {
	defer caught(&err)
	return r.start(m, box), nil
}

// start is the box of the system's variables at the start.
func (r *Region) start(m *Motion, box []Side) []interval.Interval {
	out := make([]interval.Interval, len(m.entries)) // zero, of what an equation gives
	for k, e := range m.entries {
		if m.offset[e.letter] == nil {
			out[k] = box[r.index[e.name]].outward()
		}
		if !out[k].IsBounded() {
			fail("the bounds of %s are beyond float64", e.name)
		}
	}
	return out
}

// agree compares the equations with the model's reading of the flow at three states, exactly.
func (r *Region) agree(m *Motion) {
	sig := r.ctx.Signature()
	compared := false
	for k := range 3 {
		at := make([]*big.Rat, len(m.entries))
		for e := range at {
			// Any states would do; these differ in all entries.
			at[e] = big.NewRat(int64(1+e+k*(2*e+3)), int64(7+4*k+e))
		}
		params := map[string]*big.Rat{}
		for i, name := range r.names {
			params[name] = r.sides[i].Lo
			if !r.sides[i].point() {
				params[name] = big.NewRat(int64(2+3*i+k), int64(5+i+2*k))
			}
		}
		sizes, values := map[string]int{}, map[string][][]*big.Rat{}
		for _, n := range sig.Sizes() {
			sizes[n] = max(1, r.sizes[n])
		}
		for _, y := range sig.Symbols() {
			if c := y.Class(); c != kernel.Param && c != kernel.State && c != kernel.Input {
				continue
			}
			x := sig.Lookup(y.Name())
			rows, cols := 1, 1
			if !x.Scalar() {
				a, b := x.Shape()
				for _, l := range a.Legs() {
					rows *= sizes[l]
				}
				for _, l := range b.Legs() {
					cols *= sizes[l]
				}
			}
			for i := range rows {
				var row []*big.Rat
				for j := range cols {
					v := new(big.Rat)
					if r.known[x] {
						var err error
						if v, err = m.memo[x].At(i, j).EvalRat(at, params); err != nil {
							fail("%v", err)
						}
					}
					row = append(row, v)
				}
				values[y.Name()] = append(values[y.Name()], row)
			}
		}
		st, err := model.NewState(sig, sizes, values)
		if err != nil {
			fail("%v", err)
		}
		compared = m.compare(st, at, params) == nil || compared
	}
	if !compared {
		fail("the flow has no value at any of three states")
	}
}
