// Package chart puts coordinates on the states of a statement, so that optimisers can move among them.
//
// A chart is fixed by a statement and its matrix sizes. Its coordinates are the numbers that can be chosen
// freely: a scalar, an entry of a matrix, an entry of the factor B of a positive semidefinite B·Bᵀ, a
// component of the Householder vectors of an isometry. One generic function builds the state from them in
// float64 or in exact arithmetic, so that a state found by an optimiser and rounded to simple rationals keeps
// its structure exactly.
package chart
