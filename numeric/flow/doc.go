// Package flow holds the ordinary differential equations of the theory, the state
// files that they start from, and their simulation.
//
// A State is what a state file says: parameters, matrices, modes. A Flow is one of
// the nine systems of equations; Bind checks a state against it and returns a
// System: a packed initial vector, an allocation-free right-hand side and the way
// back to states. Simulate integrates a system with package ode and takes the
// measures of package measure along the way.
//
// Notation: n2 is the width of the features and n1 that of the data; W, Wa are
// n2×n1, Wp and F are n2×n2, X and X' (written Xp) are n1×n1; α is alpha, the
// relative learning rate of the predictor, η the weight decay, β the rate of the
// moving average, a = 1+σ². Equations are those of the claims ledger (claims
// lemma1, simsiam-reduction, nopred, nostopgrad, assump-sym, sym-dynamics,
// decoupled, 1d-dynamics); "paper" is Tian, Chen, Ganguli, ICML 2021.
package flow
