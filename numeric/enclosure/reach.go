package enclosure

import (
	"math/big"

	"stopgrad/numeric/interval"
)

// Place is a set of states. A [Trap] is one.
type Place interface {
	// Holds reports whether all states of a box are in the set, of those that solutions can have.
	Holds(box []interval.Interval) bool
}

// Reach follows all solutions from the box x0 until they are all in one of the places, up to the time end at most, and
// returns its index, or −1 if they have not been seen to get into one: the box may be too wide, or the solutions may
// part; then cut is the variable across which the box is best cut. The box is not cut here; once a variable's range is
// wider than widest it is given up. It panics like [Integrate].
func Reach(sys *System, x0 []interval.Interval, end *big.Rat, widest float64, settings *Settings, places ...Place) (place, cut int, err error) {
	p, err := compile(sys)
	if err != nil {
		return -1, 0, err
	}
	span, _ := end.Float64()
	set, err := settings.resolve(span)
	if err != nil {
		return -1, 0, err
	}
	if err := p.fits(set.Order); err != nil {
		return -1, 0, err
	}
	g := newIntegrator(p, set, soundRules, append(append([]interval.Interval(nil), x0...), p.initial...))
	now := new(big.Rat)
	for n := 0; ; n++ {
		box := g.state.box()
		for k, t := range places {
			if t.Holds(box[:sys.Dim()]) {
				return k, 0, nil
			}
		}
		left := new(big.Rat).Sub(end, now)
		if left.Sign() <= 0 || n >= set.MaxSteps {
			return -1, g.state.widest(), nil
		}
		for _, x := range box[:sys.Dim()] {
			if !(x.Wid() <= widest) {
				return -1, g.state.widest(), nil
			}
		}
		taken, err := g.step(left)
		if err != nil {
			return -1, g.state.widest(), nil
		}
		now.Add(now, taken.length)
	}
}

// Holds reports whether a box of states lies in the trap.
func (t *Trap) Holds(x []interval.Interval) bool {
	for i, row := range t.rows {
		u := interval.Interval{}
		for j, c := range row {
			if c.Sign() != 0 {
				u = u.Add(interval.FromRat(c).Mul(x[j]))
			}
		}
		// Soundness: the bounds themselves need not be floating point numbers.
		if !(u.Lo() >= interval.FromRat(t.lo[i]).Hi() && u.Hi() <= interval.FromRat(t.hi[i]).Lo()) {
			return false
		}
	}
	return true
}
