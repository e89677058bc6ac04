// Package generate draws states of the flows of numeric/flow structure first and rationals first: spectra,
// exact orthogonal factors and exact parameters, from which the float64 numbers of a state are rounded.
//
// Every choice is one call of a sample.Chooser, with 0 the simplest, so that one generator serves seeded
// streams and shrinking engines. Degenerate cases are drawn on purpose, each with a stated probability:
// repeated and zero eigenvalues, singular second moments, more features than data dimensions, no weight
// decay, weight decay exactly at its critical value.
package generate
