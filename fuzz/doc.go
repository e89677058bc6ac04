// Package fuzz searches for counterexamples to the claims of the theory, makes them small, keeps them, and
// samples regions of hyper-parameters.
//
// [Refute] attacks every statement of a claim: at single states in exact arithmetic (package falsify), and,
// for statements about trajectories and limits, along the flows of the model (package orbit). [Fuzz] samples
// a claim over a region that a user wrote down (package region), resumably (package campaign). Only package
// model says "refuted"; a counterexample along a trajectory is reported with how it was confirmed.
//
// Nothing is seeded with a known counterexample. Every result depends on the seed and on counts of
// evaluations, never on time; a budget of time may end a search early, and the report then says so.
package fuzz
