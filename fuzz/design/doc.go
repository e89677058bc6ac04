// Package design places sample points in the unit cube evenly and reproducibly.
//
// A point is addressed by its index, so that tiles of a campaign can be computed in any order, on any number
// of workers, and again after an interruption. That is why the randomised Halton sequence is made here and
// not taken from gonum's samplemv, which draws a whole batch from one stream.
package design
