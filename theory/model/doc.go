// Package model evaluates the kernel's terms and formulas at a state, in exact numbers, and is the only maker of
// a [Counterexample].
//
// It shares terms, formulas and contexts with package kernel and nothing else: an operator is evaluated as what it
// means, never as the term that the kernel unfolds it to.
//
//   - ddt, diff, grad: nested duals. Each derivative has an infinitesimal ε of its own, ε² = 0, and its value is the
//     coefficient of ε. ddt moves the state along the right-hand sides of the flow, evaluated where the state is
//     (which may itself be moved, so that second derivatives are right); diff and grad move one letter along units.
//   - next, at: evaluation at a changed state.
//   - E: second differences of the argument as a function of the random columns, with the declared moments.
//   - sg: under one gradient, the argument without the infinitesimal of that gradient; outside of gradients, the
//     argument; under two, an error.
//
// Numbers are exact: the rationals, extended by real square roots as they are met (value.go).
//
// The reading is partial, as in the kernel: 1/x has no value at x = 0, root(q) none where q < 0, and its derivative
// none at q = 0 either, inv(A) none where A is singular. A state at which the goal has no value is no counterexample;
// [NoValue] says so. What cannot be evaluated at all is another error, never a guess.
//
// Comments on lines whose error would let a true claim pass for refuted begin with “Soundness:”.
package model
