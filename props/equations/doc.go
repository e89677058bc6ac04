// Package equations evaluates the claims' own equations: a system of the theory as a right-hand side over
// float64, or over exact numbers with a bound on rounding errors.
//
// It is the independent side of every comparison with numeric/flow, whose right-hand sides are written by hand: here
// the gradients and expectations in the text of the claims are those that the kernel's unfolding makes of them.
package equations
