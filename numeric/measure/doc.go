// Package measure computes the numbers by which the theory judges a state: how
// far a predictor is from symmetric, how far its eigenspaces are from those of a
// feature correlation, how many modes are alive, how far the weights are from
// balance.
//
// Notation: Wp is the predictor (n×n), W the online network (n×n1), F a
// correlation matrix of features (n×n, symmetric), α the relative learning rate
// of the predictor, η the weight decay, a = 1+σ². The claim ids in the comments
// are those of the claims ledger; "paper" is Tian, Chen, Ganguli, ICML 2021.
//
// Every function panics with a string starting "measure: " if shapes do not fit,
// and none changes its arguments. A measure that is undefined at a state (0/0) is
// NaN.
package measure
