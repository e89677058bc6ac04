package ode

import "fmt"

// StepSizeError reports that the step needed to meet the tolerance fell below
// what can be resolved (or below Settings.MinStep): the solution has a singularity
// near T, the tolerances are below what float64 can deliver, or, with Clock, f depends
// on t and neighbouring float64 times lie further apart than the step.
type StepSizeError struct {
	T         float64 // time reached
	H         float64 // step that was asked for
	Component int     // of the state, counted from 0, with the largest error
	Clock     bool    // the clock cannot resolve the step
}

func (e *StepSizeError) Error() string {
	if e.Clock {
		return fmt.Sprintf("ode: float64 times near t = %g are too far apart for a step of %.3g (component %d depends on t)", e.T, e.H, e.Component)
	}
	return fmt.Sprintf("ode: step size underflow at t = %g (h = %.3g, component %d)", e.T, e.H, e.Component)
}

// NonFiniteError reports that the state, the right-hand side or its Jacobian is NaN
// or infinite at T and stayed so however small the step.
type NonFiniteError struct {
	T         float64
	What      string // "state", "right-hand side", "Jacobian", "error estimate" or "event" and its name
	Component int    // first offending component, or the event, counted from 0
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("ode: non-finite %s at t = %g (component %d)", e.What, e.T, e.Component)
}

// LimitError reports that Settings.MaxSteps or Settings.MaxEvals was reached.
type LimitError struct {
	T     float64 // time reached
	What  string  // "steps" or "evaluations"
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("ode: more than %d %s needed, stopped at t = %g", e.Limit, e.What, e.T)
}

// CancelError reports that the context ended; it unwraps to the context's error.
type CancelError struct {
	T   float64 // time reached
	Err error
}

func (e *CancelError) Error() string {
	return fmt.Sprintf("ode: stopped at t = %g: %v", e.T, e.Err)
}

func (e *CancelError) Unwrap() error { return e.Err }
