// Package metric measures networks in training: whether the representation has
// collapsed, what the predictor looks like in the eigenbasis of the features,
// and what the features are good for.
//
// Rows of a matrix of features are examples. F is the second moment of the
// predictor's input, W_p a linear predictor. Measures of collapse look at the
// projector's output z: accuracies of encoder features do not show a collapse,
// since even raw pixels classify well by their nearest neighbours.
package metric
