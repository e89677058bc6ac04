// Package region says of a state sequent Γ ⊢ φ that it holds at every point of a region, by interval arithmetic and exact
// polynomials. It is what the word *certified* rests on: a [Certified] can be made by one function, [Check].
//
// # The region
//
// There is no region beside the sequent. What bounds the scalars, and the entries of the matrices, are hypotheses of Γ;
// the sizes of matrices have a value by hypotheses like size(n) == 2. The coordinates are the scalars and entries that
// occur, the entries of a symmetric matrix once. The box to begin with has the ends that Γ gives each coordinate, exact
// and open or closed, and none where Γ gives none: it contains every state at which Γ holds.
//
// # The conditions
//
// φ becomes a list of conditions e ≥ 0, e > 0, e ≠ 0 or e = 0 on expressions e in the coordinates (sums, products,
// powers, reciprocals, roots): first that each divisor of φ is not zero, each radicand not negative, each inverted matrix
// not singular, inner ones first; then that φ holds. A matrix is positive definite if its leading minors are positive,
// semidefinite if its principal minors are not negative. The hypotheses become conditions in the same way, what they
// imply of their own kind included. A condition that is an identity, or a hypothesis word for word, needs no argument.
//
// For a goal P ⪰ 0 or P ≻ 0 and a hypothesis Q ⪰ 0 it suffices that P − t·Q has the property, t ≥ 0: a [Shed]. P is
// monotone in Q, and the entries of Q may be unbounded.
//
// # The argument
//
// For each condition a tree of steps in preorder. A split cuts the box in two at a rational number strictly between the
// ends of a coordinate, which belongs to both halves, so that nothing is left out. A leaf shows that the condition holds at
// each point of its box at which Γ holds and the terms have values:
//
//	interval   by its natural interval extension
//	slope      coordinates in which its derivative has a sign are put to the end that matters, then by the mean value form
//	bernstein  numerator and denominators are polynomials; the sign of each by its Bernstein coefficients on the box,
//	           in intervals. A half-line x ≥ l is y = x − l ≥ 0 with the powers of y as basis, which is the Bernstein basis
//	           of the compactified variable y/(1 + y). An irrational root is a variable of its own, in its range
//	exact      the same in rational numbers, for what touches zero at a closed or open end
//	outside    a hypothesis fails on the whole box, by one of the arguments above
//	theorem    a theorem of the kernel about the whole formula, under hypotheses of Γ and bounds that the box meets
//
// # Why it is small
//
// Whoever believes a certificate believes this package: it is to be read, not to be fast. It looks for nothing. The search is
// package certify, which takes the conditions from here and decides nothing that counts.
//
// Comments on lines whose error would let a false claim pass begin with “Soundness:”.
package region
