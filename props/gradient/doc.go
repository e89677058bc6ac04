// Package gradient compares three derivations of the gradients behind Lemma 1: gorgonia's automatic
// differentiation of the objective over samples, the theory's exact differentiation of the expectation, and
// the right-hand sides of numeric/flow written by hand. It has tests only.
//
// The samples are a finite set of view pairs whose second moments are X and X' exactly, so that the mean over
// the samples is the expectation and nothing is left to chance.
package gradient
