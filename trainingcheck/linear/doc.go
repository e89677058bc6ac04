// Package linear trains the linear networks of the theory by plain SGD on
// Gaussian data and holds the outcome against closed formulas.
//
// The network is f = W x with a linear predictor W_p and a target W_a, the loss
// ½‖W_p W x₁ - StopGrad(W_a x₂)‖² on two views x₁, x₂ of one example. Flow time
// is t = rate·step. Every theoretical value of a Check is computed from a formula
// of theory.go; every check has broken variants that it must fail.
package linear
