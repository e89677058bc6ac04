// Package check holds real networks in training against the theory: the effects it predicts must be observed
// with the method's parts in place, and disappear without them.
//
// An [Arm] is one way of training (BYOL, DirectPred, no predictor, …), an [Outcome] what one run of it on one
// seed came to, and a [Check] a gate over the outcomes of a few arms. Every check names the claims it bears
// on and has broken variants that its gate must refuse: a gate that passes without the thing it tests says
// nothing. Arms are shared between checks, and one run serves them all ([Lab]).
//
// The networks are those of package method on the embedded digits; the checks of linear networks on Gaussian
// data are in package linear. Gates of the tier "full" are the ones a study of another implementation set;
// those of "mini", at half the width, were set the same way, and recorded bands of this implementation are in
// package golden. Accuracies decide nothing here: on these digits raw pixels classify better than any of the
// encoders, and a collapsed projector can sit on a good encoder.
package check
