// Package prove looks for proofs: it turns the script of a part of a claim file into applications of the kernel's
// rules, and where there is no script it searches.
//
// Nothing rests on this package. What it says it has proved are theorems of package kernel, which only
// kernel.Context.Apply makes; a mistake here loses a proof and cannot make one. For the same reason it may guess:
// terms are compared by their values at random points of a prime field (point.go) before the kernel is asked whether
// they are equal, cofactors are solved for at such points, and whole lines of attack are tried and dropped.
//
// The parts:
//
//   - state.go keeps what is known in one state context, applies rules in it, and establishes what has to be
//     established before a term has a value.
//   - sign.go and matrix.go find the sign of a scalar and the definiteness of a matrix by shape, from hypotheses and
//     facts, with a memo of what was tried.
//   - script.go replays the steps of a script; write.go writes a proof that was found as one.
//   - motion.go chooses the state contexts whose theorems hold all along a motion or an orbit, proves that declared
//     domains and structures are kept, and applies the rules about time.
//   - combine.go and sos.go write a polynomial as a sum of nonnegative multiples of what is known not to be negative, by
//     linear and by semidefinite programming, univariate.go by splitting boxes, factors.go by the signs of factors;
//     plausible.go and touch.go look at numbers first, drawn ones or those of cells (package cad).
//   - search.go looks for a proof of each form of statement without being told.
package prove
