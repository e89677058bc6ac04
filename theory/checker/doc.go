// Package checker decides: it replays proof scripts in exact arithmetic and re-evaluates counterexamples,
// and is the only place where the words proved, refuted and inconsistent can be made.
//
// Everything that finds proofs or counterexamples lives elsewhere and is not trusted. A [Verdict] has an
// unexported field, so no other package can write one of these words; it can only hand a part to [Prove] or
// a state to [Refute]. Comments on lines whose error would let a false claim pass begin with "Soundness:".
//
// The inference rules are few. Below, "=" is equality of normal forms in exact noncommutative algebra
// (package symbolic), t ranges over an interval on which the solution exists and the hypotheses hold, and x'
// is the derivative along the flow. “Vanishes” and “tends” speak of solutions that exist for all time.
//
//	expand         L == R: the normal form of L − R is zero. Substitution, Leibniz' rule, gradients and
//	               expectations happen in the normal form; a map's step is a substitution.
//	modulo C       L == R: L − R = C, every term of which contains a hypothesis [h], which is zero.
//	manifest M     L ≥ R (or >): L − R = M, and M is nonnegative (positive) by its shape: sums, products,
//	               even powers and quotients of quantities whose sign is declared or assumed, and traces
//	               tr(AᵀPA), tr(PQ) of positive semidefinite P, Q.
//	               L psd: L = M, and M is positive semidefinite by its shape: sums, nonnegative multiples,
//	               congruences AᵀPA, squares of symmetric matrices, Kronecker products.
//	sturm x        L ≥ R (or >) when x is the only symbol: no sign change on x's declared domain, by
//	               Sturm's theorem.
//	integrate f    L evolves at rate c: L' = cL with c constant, so L(t) = exp(ct)·L(0).
//	gronwall f     L decays at rate c: V' ≤ −2cV for V = ‖L‖² (V' ≤ −cV for a scalar V = L), c constant; so
//	               V(t) ≤ exp(−2ct)·V(0) (Grönwall's inequality).
//	               L vanishes: L decays or evolves at a rate that makes it tend to zero.
//	congruence A   L moves by congruence: L' = A·L + L·Aᵀ, so L(t) = ΦL(0)Φᵀ with Φ' = AΦ, Φ(0) = I.
//	barrier C      L stays zero: L' = C, every term of which contains [self], standing for L; by uniqueness
//	               of solutions. L stays nonnegative or positive: the same plus terms that are manifestly
//	               nonnegative, so that L' ≥ gL and L(t) ≥ exp(∫g)·L(0).
//	monotone f     x tends to an end r of (lo, hi): f says x' < 0 (r = lo) or x' > 0 (r = hi) inside, and
//	               x' = 0 at r; a bounded monotone solution of a one-dimensional autonomous equation
//	               converges, to a zero of the right-hand side.
package checker
