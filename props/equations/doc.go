// Package equations evaluates the claims' own equations: a system of the theory as a right-hand side over
// float64, or over exact numbers with a bound on rounding errors.
//
// It is the slow and independent side of every comparison with numeric/flow, whose right-hand sides are
// written by hand: here gradients are jets of the objective and expectations sums over outcomes, evaluated
// from the text of the claims at every call.
package equations
