// Package oracle trains linear networks and MLPs twice more, without the code that is checked.
//
// Trainer runs are defined in package method on GoMLX. Here the same
// configuration is trained by Gonum, with gradients derived and written by
// hand, and by Gorgonia, with that library's own automatic differentiation.
// All three start from Config.Initial, read the same batches and must agree
// step by step in float64. Lemma1Gradients differentiates the theory's
// objective with gorgonia, stop-gradient included: it is the oracle for the
// paper's Lemma 1. What the oracles share with package method is the
// configuration, the names of the tensors and their starting values.
package oracle
