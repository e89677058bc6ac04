package ode

import "fmt"

// StepSizeError reports that the step needed to meet the tolerance fell below
// the resolution of t (or below Settings.MinStep): the solution has a
// singularity near T, or the tolerances are below what float64 can deliver.
type StepSizeError struct {
	T float64 // time reached
	H float64 // step that was asked for
}

func (e *StepSizeError) Error() string {
	return fmt.Sprintf("ode: step size underflow at t = %g (h = %.3g)", e.T, e.H)
}

// NonFiniteError reports that the state or the right-hand side is NaN or
// infinite at T and stayed so however small the step.
type NonFiniteError struct {
	T         float64
	What      string // "state", "right-hand side" or the name of an event
	Component int    // first offending component, counted from 0
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
