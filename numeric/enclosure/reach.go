package enclosure

import (
	"fmt"
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
	_, place, cut, err = Into(sys, x0, end, widest, settings, places...)
	return place, cut, err
}

// Into is [Reach], with the tube of all solutions from the time 0 up to where it ends. A cut from the system's dimension on is
// the parameter of that number among those of the right-hand sides that are no single number, see [System.Wide].
func Into(sys *System, x0 []interval.Interval, end *big.Rat, widest float64, settings *Settings, places ...Place) (tube *Tube, place, cut int, err error) {
	if len(x0) != sys.Dim() {
		panic(fmt.Sprintf("enclosure: %d initial values for %d variables", len(x0), sys.Dim()))
	}
	for i, x := range x0 {
		if !x.IsBounded() {
			return nil, -1, 0, fmt.Errorf("enclosure: initial value of %s is %v", sys.names[i], x)
		}
	}
	p, err := compile(sys)
	if err != nil {
		return nil, -1, 0, err
	}
	span, _ := end.Float64()
	set, err := settings.resolve(span)
	if err != nil {
		return nil, -1, 0, err
	}
	if err := p.fits(set.Order); err != nil {
		return nil, -1, 0, err
	}
	g := newIntegrator(p, set, soundRules, append(append([]interval.Interval(nil), x0...), p.initial...))
	tube = &Tube{sys: sys, order: set.Order, t0: new(big.Rat), t1: new(big.Rat)}
	for {
		tube.end = g.state.box()
		for k, t := range places {
			if t.Holds(tube.end[:sys.Dim()]) {
				return tube, k, 0, nil
			}
		}
		left := new(big.Rat).Sub(end, tube.t1)
		if left.Sign() <= 0 || len(tube.steps) >= set.MaxSteps {
			return tube, -1, g.state.widest(), nil
		}
		for _, x := range tube.end[:sys.Dim()] {
			if !(x.Wid() <= widest) {
				return tube, -1, g.state.widest(), nil
			}
		}
		taken, err := g.step(left)
		if err != nil {
			return tube, -1, g.state.widest(), nil
		}
		taken.from = tube.t1
		tube.steps, tube.t1 = append(tube.steps, taken), new(big.Rat).Add(tube.t1, taken.length)
	}
}

// Wide lists the parameters of the right-hand sides that are no single number, by name, in the order in which they follow the
// variables.
func (s *System) Wide() (out []string) {
	used := s.reach(s.rhs)
	for i, q := range s.params {
		if used[i] && !q.value.IsTight() {
			out = append(out, q.name)
		}
	}
	return out
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
