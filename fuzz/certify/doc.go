// Package certify looks for an argument that a statement holds at every point of the region that its hypotheses state, for
// package region of theory to check, and for points at which it fails. Nothing it finds is believed: a certified sequent is
// made by the checker, a refutation by the model. From the checker it takes what is to be shown, in scalars; the arithmetic by
// which it chooses cuts and arguments is its own, in plain float64.
//
// A box is settled by the first argument that holds, the cheap ones first: natural range, a hypothesis that fails on it,
// monotone coordinates and mean value form, Bernstein coefficients, exact ones. Else it is cut, where the range shrinks most
// and at the simplest fraction of the middle third: where an expression touches zero inside of a region, it does so at a
// simple number more often than not. What is left when the boxes are used up, if it is little, is given to the prover with
// the bounds of the box.
//
// The search goes in rounds. In each, every open box is a tile, searched breadth first over a fixed number of boxes, by any
// number of workers; so the result depends on the statement, the number of boxes and the work alone. Work is counted in
// operations, from the reading of the statement on, those of the checker included: a round shares what is left of it among its
// tiles, and a box that a tile's share does not allow to look at stays open. No clock decides. A finished tile is kept under the
// digest of everything it depends on, with its work, so that a search that was killed goes on from its tiles, and many processes
// may share them. A tile that panics is left undecided, with the reason. Room is bounded, too: tapes are made when they are
// looked at, derivatives are taken some coordinates at a time, and there are fewer boxes where each has many sides.
package certify
