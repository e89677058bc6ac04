package mapping

import (
	"context"
	"errors"
	"fmt"
	"math"

	"stopgrad/numeric/ode"
)

// Measure is what is mapped.
type Measure int

const (
	// OutcomeOf is the outcome alone, without a number.
	OutcomeOf Measure = iota
	// Margin is the least value of k = a(αs/2 + p²) − τp + 3η/2 along the trajectory: where it is positive, the mode
	// meets the hypothesis K ≻ 0 of Theorem 3 all along. The boundary of its map is where it is zero. (k ends at 3η/2
	// under collapse and at τp₊/2 otherwise, both positive.)
	Margin
	// Time is when the outcome is certain.
	Time
	// FinalS is what s tends to: zero under collapse, else s once the mode has settled, to five digits.
	FinalS
)

var measureNames = [...]string{"outcome", "margin", "time", "final-s"}

// String returns the name that ParseMeasure reads.
func (m Measure) String() string {
	if m < 0 || int(m) >= len(measureNames) {
		return fmt.Sprintf("Measure(%d)", int(m))
	}
	return measureNames[m]
}

// ParseMeasure returns the measure called outcome, margin, time or final-s.
func ParseMeasure(name string) (Measure, error) {
	for i, n := range measureNames {
		if n == name {
			return Measure(i), nil
		}
	}
	return 0, fmt.Errorf("mapping: unknown measure %q (known: outcome margin time final-s)", name)
}

// Tolerances of the integrations. They displace the boundary by what the saddle makes of one step's error, a few
// times relTol of its size; a cell of the finest grid (MaxCells·2^maxRefine along an axis) is ten thousand times wider.
//
// s must keep its digits however small it is: a mode that starts at p > τ/a loses a factor e^(−(p−τ/a)²a/η) of s
// before p has come down to τ/a, and may win it back. So the tolerance is relative alone; where s falls below tiny it
// can lose all digits to underflow, and the mode counts as undecided.
const (
	relTol = 1e-10
	absTol = 1e-290
	tiny   = 1e-280
)

// settledTol is the change of a settled mode in a time 1/rate, relative: a thousand times what the integrator's error
// makes of its right-hand side.
const settledTol = 1e-5

// settledBox is the part of the collapse trap in which k is 3η/2 to a thousandth: there |k − 3η/2| < 2τ·settledBox·box,
// box < η/τ.
const settledBox = 1e-3

// lifetimes is the default horizon in units of the slowest relaxation time 1/min(η, β): e^-200 of what starts at one
// is still a normal number, and a passage near the saddle or near the critical decay, which takes as long as it
// starts near, is mapped for all but the cells on it.
const lifetimes = 200

// slowPassages is the default horizon for η = 0 in units of a/τ²: there p leaves p = 0 and collapses algebraically, in
// a time 1/(τ·p(0)).
const slowPassages = 1e5

func (d *dynamics) horizon(given float64) float64 {
	if given > 0 {
		return given
	}
	if d.Eta == 0 {
		return slowPassages / d.rate()
	}
	return lifetimes / d.rate()
}

// rate is that of the slowest relaxation, for η = 0 that of the flow on the parabola.
func (d *dynamics) rate() float64 {
	switch {
	case d.Eta == 0:
		return d.Tau * d.Tau / d.a()
	case d.model == Modes:
		return min(d.Eta, d.beta)
	}
	return d.Eta
}

// firstStep is a millionth of the fastest time scale.
func (d *dynamics) firstStep() float64 {
	p, s := math.Abs(d.p0), d.s0
	return 1e-6 / (d.a()*(d.Alpha*s+p*p) + d.Tau*(p+1) + d.Eta + d.beta)
}

// settled reports whether a mode of known outcome has come to rest.
func (d *dynamics) settled(out Outcome, y, dy []float64) bool {
	if out == Undecided {
		return false
	}
	if p, s, _ := d.mode(y); out == Collapse && d.Eta > 0 {
		return max(math.Abs(p), math.Sqrt(d.Alpha*max(s, 0))) < settledBox*d.box
	}
	d.rhs(0, y, dy)
	for i, v := range dy {
		if math.Abs(v) > settledTol*d.rate()*math.Abs(y[i]) {
			return false
		}
	}
	return true
}

// lost reports whether s has become so small that it may have lost its digits.
func (d *dynamics) lost(y []float64) bool {
	switch d.model {
	case Frozen:
		return d.s0 > 0 && y[1] < tiny
	case Modes:
		return d.s0 > 0 && y[1]*y[1] < tiny
	}
	return false
}

// reading is what one cell came to.
type reading struct {
	outcome Outcome
	value   float64 // of the measure; NaN if it is undefined
}

// read integrates the mode and takes the measure. It returns an error only if ctx ended.
func (d *dynamics) read(ctx context.Context, m Measure, horizon float64) (reading, error) {
	d.setTrap()
	out, at := d.trap(d.y0), 0.0
	enough := func(o Outcome) bool {
		return o != Undecided && (m == OutcomeOf || m == Time || m == FinalS && o == Collapse)
	}
	if enough(out) {
		return d.result(m, out, at, nil), nil
	}
	sign := func(b bool) float64 {
		if b {
			return 1
		}
		return -1
	}
	dy := make([]float64, len(d.y0))
	const decides, ends, turns = 0, 1, 2
	events := []ode.Event{
		decides: {Name: "decision", G: func(_ float64, y []float64) float64 { return sign(d.trap(y) != Undecided) }},
		ends: {Name: "end", Terminal: true, G: func(_ float64, y []float64) float64 {
			o := d.trap(y)
			return sign(enough(o) || d.settled(o, y, dy) || o == Undecided && d.lost(y))
		}},
	}
	if m == Margin {
		// Minima of k. Where τ = wa/w has no value k has none either.
		events = append(events, ode.Event{Name: "least alignment", Direction: 1, G: func(t float64, y []float64) float64 {
			d.rhs(t, y, dy)
			return d.slope(y, dy)
		}})
	}
	end := d.horizon(horizon)
	sol, err := ode.Solve(ctx, d.rhs, 0, d.y0, end, &ode.Settings{
		RelTol: relTol, AbsTol: absTol, InitialStep: d.firstStep(), Output: []float64{end}, Events: events,
	})
	var stopped *ode.CancelError
	if errors.As(err, &stopped) {
		return reading{}, err
	}
	if sol == nil || err != nil {
		// The solver gave up: a singular chart, a step limit.
		return reading{Undecided, math.NaN()}, nil
	}
	for _, e := range sol.Events {
		if e.Event == decides && out == Undecided {
			out, at = d.trap(e.Y), e.T
		}
	}
	r := d.result(m, out, at, sol.EndY)
	if m == Margin {
		for _, e := range sol.Events {
			if e.Event == turns {
				r.value = min(r.value, d.alignment(e.Y))
			}
		}
	}
	return r, nil
}

// result takes the measure at the end of a trajectory.
func (d *dynamics) result(m Measure, out Outcome, at float64, end []float64) reading {
	r := reading{out, math.NaN()}
	switch {
	case out == Undecided:
	case m == Time:
		r.value = at
	case m == FinalS && out == Collapse:
		r.value = 0
	case m == FinalS:
		_, r.value, _ = d.mode(end)
	case m == Margin:
		r.value = min(d.alignment(d.y0), d.alignment(end))
	}
	return r
}
