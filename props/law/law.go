package law

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
	"stopgrad/props"
	"stopgrad/theory/sample"
)

// Law is a statement about trajectories.
type Law struct {
	ID        string   // the claim
	Name      string   // of the law, unique within the claim
	Says      string   // what is small
	Tolerance float64  // below which it must stay
	Twins     []string // what the twins change

	measure func(r *run) (float64, error)
}

// Outcome is what checking a law came to.
type Outcome struct {
	Status  props.Status
	Measure float64 // the number that must stay below the tolerance
}

// All returns every law, in the order of the claims.
func All() []Law { return laws }

// Of returns the laws of the claim with the given id; none if it says nothing about time, or only things that
// follow from what other claims say.
func Of(id string) []Law {
	var out []Law
	for _, l := range laws {
		if l.ID == id {
			out = append(out, l)
		}
	}
	return out
}

// Check draws one start and measures the law along the trajectory from it. A violation is reported only if a
// second integrator at a tighter tolerance finds it too. An error is the context's, or a defect of the law.
func (l Law) Check(ctx context.Context, ch sample.Chooser) (Outcome, error) {
	return l.check(ctx, ch, "")
}

// CheckTwin is [Law.Check] for one of the law's twins.
func (l Law) CheckTwin(ctx context.Context, ch sample.Chooser, twin string) (Outcome, error) {
	return l.check(ctx, ch, twin)
}

func (l Law) check(ctx context.Context, ch sample.Chooser, twin string) (Outcome, error) {
	tape := &recorder{ch: ch}
	o, err := l.once(&run{ctx: ctx, ch: tape, twin: twin, settings: first})
	if err != nil || o.Status != props.Violated {
		return o, err
	}
	again, err := l.once(&run{ctx: ctx, ch: &replay{tape.made}, twin: twin, settings: second})
	if err != nil || again.Status == props.Violated {
		return o, err
	}
	return Outcome{Status: props.Vacuous, Measure: o.Measure}, nil
}

// The settings of the two integrators. The second is of another family and ten times tighter.
var (
	first  = ode.Settings{RelTol: 1e-11, AbsTol: 1e-13, MaxEvals: 400_000}
	second = ode.Settings{Method: ode.DormandPrince54, RelTol: 1e-12, AbsTol: 1e-14, MaxEvals: 8_000_000}
)

func (l Law) once(r *run) (Outcome, error) {
	m, err := l.measure(r)
	var limit *ode.LimitError
	switch {
	case errors.Is(err, errVacuous), errors.As(err, &limit):
		// A start that says nothing, or one so stiff that it takes too long.
		return Outcome{}, nil
	case err != nil:
		return Outcome{}, fmt.Errorf("law: %s/%s: %w", l.ID, l.Name, err)
	case m <= l.Tolerance:
		return Outcome{props.Holds, m}, nil
	}
	return Outcome{props.Violated, m}, nil // NaN included
}

// errVacuous is returned by a measure whose drawn start does not meet the law's hypotheses.
var errVacuous = errors.New("law: the start does not meet the hypotheses")

// run is one measurement.
type run struct {
	ctx      context.Context
	ch       sample.Chooser
	twin     string
	settings ode.Settings
}

// recorder and replay let a law start a second time from the state it drew.
type recorder struct {
	ch   sample.Chooser
	made []int
}

func (r *recorder) Intn(n int) int {
	v := r.ch.Intn(n)
	r.made = append(r.made, v)
	return v
}

type replay struct{ rest []int }

func (r *replay) Intn(int) int {
	v := r.rest[0]
	r.rest = r.rest[1:]
	return v
}

// points is the number of output times of a trajectory, its start included.
const points = 17

// simulate integrates one of the flows of numeric/flow over a time t.
func (r *run) simulate(name string, s *flow.State, t float64) (*flow.Trajectory, error) {
	f, err := flow.ByName(name)
	if err != nil {
		return nil, err
	}
	return flow.Simulate(r.ctx, f, s, t, &flow.Settings{Points: points, NoMeasures: true, ODE: r.settings})
}

// bind binds one of the flows of numeric/flow.
func bind(name string, s *flow.State) (*flow.System, error) {
	f, err := flow.ByName(name)
	if err != nil {
		return nil, err
	}
	return f.Bind(s)
}

// solve integrates a right-hand side from y over a time t.
func (r *run) solve(f ode.RHS, y []float64, t float64) (*ode.Solution, error) {
	s := r.settings
	for i := range points {
		s.Output = append(s.Output, t*float64(i)/(points-1))
	}
	return ode.Solve(r.ctx, f, 0, y, t, &s)
}

// size is the Frobenius norm.
func size(m mat.Matrix) float64 { return mat.Norm(m, 2) }

// distance is ‖A − B‖_F.
func distance(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return size(&d)
}

// gram is A·Aᵀ.
func gram(a mat.Matrix) *mat.Dense {
	var g mat.Dense
	g.Mul(a, a.T())
	return &g
}

func product(ms ...mat.Matrix) *mat.Dense {
	var p mat.Dense
	p.Product(ms...)
	return &p
}

func scaled(c float64, a mat.Matrix) *mat.Dense {
	var m mat.Dense
	m.Scale(c, a)
	return &m
}

// weightScale is ‖W‖² + ‖Wp‖²/α, the size of the terms of the balance matrix.
func weightScale(s *flow.State) float64 {
	w, p := size(s.W), size(s.Wp)
	return w*w + p*p/s.Alpha
}

// relative is |a − b| relative to the larger.
func relative(a, b float64) float64 {
	if a == b {
		return 0
	}
	return math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
}
