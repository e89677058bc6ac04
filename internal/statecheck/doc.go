// Package statecheck evaluates claims at the states that state files hold: are the hypotheses met, does the
// statement hold, with what measures, at the state itself and along the trajectory from it.
//
// A state says more or less than a claim asks. What a claim asks and the state does not say is taken, in
// this order, from
//
//   - the defaults of package flow for alpha, eta, beta, sigma2 and tau; X = I and X' = sigma2·I;
//   - F = W·X·Wᵀ; s = w², tau = wa/w, and back w = √s, wa = tau·w; sigma2 from X' = c·I; tau from W and Wa
//     as ⟨W, Wa⟩/⟨W, W⟩; etap = etas = eta; for the two modes of a claim about pairs, p1 = p[1], p2 = p[2]
//     and so on;
//   - zero for the rate dx of a quantity that moves freely, x' = dx;
//   - the claim's own recipe for meeting its hypotheses ("draw"), where it defines an auxiliary symbol:
//     once, at the beginning; along a trajectory inputs alone are drawn anew;
//   - the smallest eigenvalue of M for a scalar λ in a hypothesis M − λ·I ⪰ 0, a little less where ≻ is
//     meant; along a trajectory the smallest of all.
//
// A part that asks for anything else is skipped, and what it lacks is named. Conversely a state that gives
// what the claim's system fixes (X and X' where it is isotropic, Wa where it is tau·W) must agree with it:
// these are the extra hypotheses “X = I, Xp = sigma2·I” and “Wa = tau·W”.
//
// A part is violated only by an exact object: a counterexample of the model at the state, under all of Γ and with every value
// that the state has, one at the fractions that the numbers of a later point of the trajectory are, or, of a statement over
// time, a motion from the state that package trajectory (theory/trajectory) encloses. Floating point gives measures, says what
// holds up to rounding, and where to look for such objects; what fails there and has none is not decided.
//
// Arrays of modes are evaluated mode by mode, claims about two modes pair by pair; all must hold.
package statecheck
