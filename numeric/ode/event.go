package ode

import (
	"fmt"
	"math"
	"sort"
)

// Event asks for the roots of g(t, y(t)) along the solution.
//
// A root is reported when g passes from one sign to the other, or reaches zero
// from a sign, between two looks; g is looked at, on the dense output, at the
// ends of every step and at three points between, so two roots closer than a
// quarter of a step can be missed (bound the step with Settings.MaxStep). A root
// at the initial time is not an event.
type Event struct {
	Name      string // for messages; may be empty
	G         func(t float64, y []float64) float64
	Direction int  // > 0: only from negative to positive; < 0: only the reverse; 0: both
	Terminal  bool // stop the integration at the first root
}

// Crossing is a located event. The time is accurate to a few units in the last
// place as a root on the dense output; its error as an event of the exact
// solution is that of the dense output.
type Crossing struct {
	Event int // index into Settings.Events
	T     float64
	Y     []float64
}

// looks is the number of sub-intervals of a step on which signs are compared.
const looks = 4

type eventFinder struct {
	events []Event
	sign   []int // of g at the last look
	u      []float64
}

func newEventFinder(events []Event, t0 float64, y0 []float64) (*eventFinder, error) {
	if len(events) == 0 {
		return nil, nil
	}
	ef := &eventFinder{events: events, sign: make([]int, len(events)), u: make([]float64, len(y0))}
	for i := range events {
		g, err := ef.value(i, t0, y0)
		if err != nil {
			return nil, err
		}
		ef.sign[i] = sign(g)
	}
	return ef, nil
}

func sign(g float64) int {
	switch {
	case g > 0:
		return 1
	case g < 0:
		return -1
	}
	return 0
}

func (ef *eventFinder) value(i int, t float64, y []float64) (float64, error) {
	g := ef.events[i].G(t, y)
	if math.IsNaN(g) {
		name := ef.events[i].Name
		if name == "" {
			name = fmt.Sprintf("%d", i)
		}
		return g, &NonFiniteError{T: t, What: "event " + name, Component: i}
	}
	return g, nil
}

// scan returns the events on a segment that ends at tn, in order of time.
func (ef *eventFinder) scan(sg *segment, tn float64) ([]Crossing, error) {
	var found []Crossing
	for i := range ef.events {
		a := sg.t
		for l := 1; l <= looks; l++ {
			b := sg.t + sg.h*float64(l)/looks
			y := ef.u
			if l == looks {
				b, y = tn, sg.y1
			} else {
				sg.eval(b, y)
			}
			g, err := ef.value(i, b, y)
			if err != nil {
				return found, err
			}
			old, now := ef.sign[i], sign(g)
			ef.sign[i] = now
			if old != 0 && now != old {
				dir := ef.events[i].Direction
				if dir == 0 || (dir > 0) == (old < 0) {
					c, err := ef.locate(i, sg, a, b, tn, old)
					if err != nil {
						return found, err
					}
					found = append(found, c)
				}
			}
			a = b
		}
	}
	forward := sg.h > 0
	sort.SliceStable(found, func(i, j int) bool {
		if forward {
			return found[i].T < found[j].T
		}
		return found[i].T > found[j].T
	})
	return found, nil
}

// locate bisects on [a, b], where g has sign old at a and another at b, until the
// bracket cannot be halved, and returns its far end: the first representable time
// at which the sign has changed.
func (ef *eventFinder) locate(i int, sg *segment, a, b, end float64, old int) (Crossing, error) {
	for {
		m := a + (b-a)/2
		if m == a || m == b {
			break
		}
		sg.eval(m, ef.u)
		g, err := ef.value(i, m, ef.u)
		if err != nil {
			return Crossing{}, err
		}
		if sign(g) == old {
			a = m
		} else {
			b = m
		}
	}
	y := make([]float64, len(ef.u))
	if b == end {
		copy(y, sg.y1)
	} else {
		sg.eval(b, y)
	}
	return Crossing{Event: i, T: b, Y: y}, nil
}
