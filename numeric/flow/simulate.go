package flow

import (
	"context"
	"fmt"

	"stopgrad/numeric/ode"
)

// Defaults of Settings.
const (
	// DefaultPoints is the number of output times of Simulate.
	DefaultPoints = 101
	// MaxPoints bounds them: all states and measures are held in memory.
	MaxPoints = 100_000
	// DefaultRelTol and DefaultAbsTol replace those of package ode: three digits
	// below the 1e-8 to which trajectories are compared, and an absolute tolerance,
	// relative to the size of a variable below 1, that keeps eight digits of an entry
	// seven digits smaller than the largest one.
	DefaultRelTol = 1e-11
	DefaultAbsTol = 1e-15
)

// Settings are the options of Simulate. The zero value, and nil, mean the
// documented defaults.
type Settings struct {
	// Points is the number of equidistant output times, both ends included; 0
	// means DefaultPoints, otherwise 2 to MaxPoints.
	Points int
	// Times, if not nil, are the output times instead: ascending, between the time
	// of the state and T.
	Times []float64
	// NoMeasures leaves Trajectory.Measures empty.
	NoMeasures bool
	// ODE are the options of the solver, over packed vectors. Its Output is
	// ignored; a zero RelTol or AbsTol means DefaultRelTol, DefaultAbsTol of this
	// package, for RadauIIA5 those of package ode. With a zero AbsTol the tolerance is
	// relative to the size of each variable (ode.Settings.Blocks): every equation is
	// homogeneous in what collapses, so that it keeps its digits.
	ODE ode.Settings
}

// Simulate integrates the flow from the state s, at its time s.T, to time end, and
// returns the states and their measures at the output times.
//
// An error from Bind or from the settings comes with a nil trajectory. When the
// solver fails or ctx ends, Simulate returns the trajectory as far as it was
// computed and an error that wraps that of package ode.
func Simulate(ctx context.Context, f Flow, s *State, end float64, settings *Settings) (*Trajectory, error) {
	var st Settings
	if settings != nil {
		st = *settings
	}
	sys, err := f.Bind(s)
	if err != nil {
		return nil, err
	}
	return sys.Simulate(ctx, end, &st)
}

// Simulate is the function Simulate for a system that is already bound.
func (sys *System) Simulate(ctx context.Context, end float64, settings *Settings) (*Trajectory, error) {
	var st Settings
	if settings != nil {
		st = *settings
	}
	t0 := sys.base.T
	times, err := st.times(t0, end)
	if err != nil {
		return nil, err
	}
	opts := st.ODE
	opts.Output = times
	if opts.AbsTol == 0 && opts.Blocks == nil {
		opts.Blocks = sys.Blocks()
	}
	if opts.Method != ode.RadauIIA5 {
		if opts.RelTol == 0 {
			opts.RelTol = DefaultRelTol
		}
		if opts.AbsTol == 0 {
			opts.AbsTol = DefaultAbsTol
		}
	}
	sol, solveErr := ode.Solve(ctx, sys.RHS(), t0, sys.Initial(), end, &opts)
	if sol == nil {
		return nil, fmt.Errorf("flow: %s: %w", sys.flow.Name, solveErr)
	}
	tr := &Trajectory{
		Flow: sys.flow.Name, T: sol.T, Events: sol.Events, Stats: sol.Stats,
		Switches: sol.Switches, Losses: sys.losses(sol.Losses, opts.Blocks), system: sys,
	}
	for i, t := range sol.T {
		state := sys.Unpack(t, sol.Y[i])
		tr.States = append(tr.States, state)
		if !st.NoMeasures {
			tr.Measures = append(tr.Measures, sys.flow.Measures(state))
		}
	}
	if solveErr != nil {
		return tr, fmt.Errorf("flow: %s: %w", sys.flow.Name, solveErr)
	}
	return tr, nil
}

func (st *Settings) times(t0, end float64) ([]float64, error) {
	if !(end >= t0) || end-end != 0 {
		return nil, fmt.Errorf("flow: end time %v is not a finite number ≥ the state's t = %v", end, t0)
	}
	if st.Times != nil {
		prev := t0
		for i, t := range st.Times {
			if !(t >= prev && t <= end) {
				return nil, fmt.Errorf("flow: output time %d (%v) is not between %v and %v", i+1, t, prev, end)
			}
			prev = t
		}
		return st.Times, nil
	}
	n := st.Points
	if n == 0 {
		n = DefaultPoints
	}
	if n < 2 || n > MaxPoints {
		return nil, fmt.Errorf("flow: %d output points where 2 to %d are possible", n, MaxPoints)
	}
	if end == t0 {
		return []float64{t0}, nil
	}
	times := make([]float64, n)
	for i := range times {
		times[i] = t0 + (end-t0)*(float64(i)/float64(n-1))
	}
	times[n-1] = end
	return times, nil
}
