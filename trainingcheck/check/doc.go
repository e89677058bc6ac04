// Package check holds real networks in training against the theory: the effects it predicts must be observed
// with the method's parts in place, and disappear without them.
//
// An [Arm] is one way of training (BYOL, DirectPred, no predictor, …), an [Outcome] what one run of it on one
// seed came to, and a [Check] a gate over the outcomes of a few arms. Every check names the claims it bears
// on and has broken variants that its gate must refuse: a gate that passes without the thing it tests says
// nothing. Arms are shared between checks, and one run serves them all ([Lab]).
//
// The networks of the tiers mini and full (checks T2) are perceptrons on the embedded digits; the checks of linear
// networks on Gaussian data are in package linear. Gates of full are the ones a study of another implementation set;
// those of mini, at half the width, lie outside the bands of the recorded seeds 10 to 19, and a quantity may miss its gate
// on as many of n seeds as chance accounts for ([Allowed]). Laws of a single step (laws.go) may not be missed: they notice
// mistakes that a run's end does not show ([Mutants]). Accuracies decide nothing there: on these digits raw pixels classify
// better than any of the encoders, and a collapsed projector can sit on a good encoder.
//
// The tier gpu (checks T3) trains convolutional networks on images such as CIFAR-10, in three groups with a base
// configuration each: a small net with ablations, the recipe of the paper's code on ResNet-18, and plain SGD for two
// laws that hold exactly. Its gates come from the plan of the study alone; see gpu.go. The tier gpu-mini runs the same
// code on the digits in seconds, and the tier images a reduced form of the first group on colour images, which a processor
// trains in a minute or two. The miniature says that the code works and nothing about the paper's claims: a gate that does not
// hold at that size is reported as not observed.
package check
