// Package sample draws exact states for claims and searches them for counterexamples.
//
// A state is drawn structure first: sizes, then scalars from simple rationals of their domain, then matrices
// from their declared structure (factors of positive semidefinite ones, rational reflections for isometries,
// triangular factors for invertible ones), degenerate cases included. Every choice is one call of a
// [Chooser], with 0 the simplest, so that one generator serves a seeded stream and a shrinking property
// tester alike. Nothing here is trusted: a state found is handed to package verdict.
package sample
