package pursuit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"

	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/rest"
	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/prove"
	"stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

// order of the Taylor series of an enclosure.
const order = 20

// From refutes a part by the motion from one exact state, if it fails clearly along it; an error says why that was not to be.
func From(ctx context.Context, part *lang.Part, w verdict.Witness) (*verdict.Refutation, error) {
	if !Able(part) {
		return nil, errors.New("pursuit: no search for this statement")
	}
	p, err := newPursuer(ctx, part, w.Dims)
	if err != nil {
		return nil, err
	}
	p.work = math.MaxInt
	st := w.Floats()
	if s, _, _ := p.score(st); !(s < -Clear) {
		return nil, errors.New("pursuit: the statement does not fail clearly along this motion")
	}
	c, err := p.course(st, w)
	if err != nil {
		return nil, err
	}
	r, err := verdict.Follow(part, w, c)
	if err == nil && !r.Verdict().IsRefuted() {
		err = errors.New("pursuit: " + r.Reason())
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// course proposes how the motion from an exact state is followed, given that in float64.
func (p *pursuer) course(st eval.State[float64], w verdict.Witness) (trajectory.Course, error) {
	// What is looked at in the end is followed whatever is left of the work.
	p.work = max(p.work, 1)
	_, at, way := p.score(st)
	if len(way.y) == 0 {
		return trajectory.Course{}, errors.New("pursuit: the motion cannot be followed")
	}
	m, reading, err := motionOf(p.part, w)
	if err != nil {
		return trajectory.Course{}, err
	}
	c := trajectory.Course{Order: order, Steps: trajectory.MaxSteps}
	if p.limits {
		end := way.y[len(way.y)-1]
		if c.Trap, err = p.trap(m, reading, p.entries(m, end)); err != nil {
			return c, err
		}
		if at = p.enters(m, c.Trap, way); at < 0 {
			return c, errors.New("pursuit: the motion does not come to rest in the trap")
		}
	}
	if !(at > 0) {
		return c, errors.New("pursuit: it fails at the start only")
	}
	c.End = minimise.Within(new(big.Rat).SetFloat64(at), big.NewRat(1, 32))
	tube, err := enclosed(m, c)
	if from, to := p.first(st, way); err != nil && to > from {
		// A motion that runs away fails most where nothing encloses it, and has failed before.
		half := new(big.Rat).SetFloat64((to - from) / (to + from))
		c.End = minimise.Within(new(big.Rat).SetFloat64((to+from)/2), half)
		tube, err = enclosed(m, c)
	}
	if err != nil {
		return c, err
	}
	c.Steps = tube.Steps()
	return c, nil
}

// first is the time at which a motion is first seen to fail clearly, and the next one that is looked at; 0 and 0 if there are
// none.
func (p *pursuer) first(st eval.State[float64], way path) (from, to float64) {
	for k := 1; k+1 < len(way.y) && !p.limits; k++ {
		next := p.with(st, way.y[k])
		f, err := eval.Judge(eval.Float{}, p.part, next)
		if err != nil || p.unmet(f, true) > 0 {
			break
		}
		switch m, ok := p.margin(f, next); {
		case !ok:
			return 0, 0
		case m < -Clear:
			return way.t[k], way.t[k+1]
		}
	}
	return 0, 0
}

// motionOf is the motion from a state in exact numbers.
func motionOf(part *lang.Part, w verdict.Witness) (*trajectory.Motion, *lang.Reading, error) {
	reading, err := lang.Elaborate(part)
	if err != nil {
		return nil, nil, err
	}
	st, err := verdict.StateOf(reading, w)
	if err != nil {
		return nil, nil, err
	}
	m, err := trajectory.Follow(reading.Context(), st, prove.Keeps(context.Background(), reading.Context())...)
	return m, reading, err
}

func enclosed(m *trajectory.Motion, c trajectory.Course) (*enclosure.Tube, error) {
	var box []interval.Interval
	for _, x := range m.Start() {
		box = append(box, interval.FromRat(x))
	}
	return enclosure.Integrate(m.System(), box, new(big.Rat), c.End, &enclosure.Settings{Order: c.Order, MaxSteps: c.Steps, MaxParts: 1})
}

// entries picks the entries that a motion's equations have from the vector that was integrated.
func (p *pursuer) entries(m *trajectory.Motion, y []float64) []float64 {
	at := map[string]float64{}
	for _, l := range p.letter {
		for i := range l.rows {
			for j := range l.cols {
				at[fmt.Sprintf("%s.%d.%d", l.name, i+1, j+1)] = y[l.from+i*l.cols+j]
			}
		}
		at[l.name] = y[l.from]
	}
	var out []float64
	for _, n := range m.Names() {
		out = append(out, at[n])
	}
	return out
}

// trapWork is how many operations on intervals the search for one trap may take.
const trapWork = 20_000_000

// trap proposes a trap around the rest to which a motion has come, in which L is not zero.
func (p *pursuer) trap(m *trajectory.Motion, r *lang.Reading, x []float64) (*trajectory.Trap, error) {
	sys := m.System()
	// Of the many motions that are tried each is allowed a part of what a refutation is.
	sys.Limit(enclosure.NewMeter(trapWork))
	x, err := rest.Settle(sys, nil, x)
	if err != nil {
		return nil, err
	}
	rows, err := rest.Coordinates(sys, nil, x)
	if err != nil {
		return nil, err
	}
	goal := r.Goals()[0]
	if goal.Form() != kernel.Vanishes {
		return nil, errors.New("pursuit: no limit is spoken of")
	}
	l, err := m.Term(goal.Terms()[0])
	if err != nil {
		return nil, err
	}
	b, _, err := rest.Largest(sys, rows, x, 1, func(t *enclosure.Trap) bool {
		rows, cols := l.Dims()
		for i := range rows {
			for j := range cols {
				if e := l.At(i, j); t.Positive(e) || t.Positive(e.Neg()) {
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	return &trajectory.Trap{Rows: b.Rows, Lo: b.Lo, Hi: b.Hi}, nil
}

// enters is the time at which a motion is well inside a trap, negative if it never is.
func (p *pursuer) enters(m *trajectory.Motion, t *trajectory.Trap, way path) float64 {
	for k, y := range way.y {
		x := p.entries(m, y)
		ok := way.t[k] > 0
		for i, row := range t.Rows {
			u := 0.0
			for j, c := range row {
				f, _ := c.Float64()
				u += f * x[j]
			}
			lo, _ := t.Lo[i].Float64()
			hi, _ := t.Hi[i].Float64()
			margin := (hi - lo) / 8
			ok = ok && u > lo+margin && u < hi-margin
		}
		if ok {
			return way.t[k]
		}
	}
	return -1
}
