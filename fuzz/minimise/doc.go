// Package minimise makes counterexamples small enough to check by hand: fewer rows and columns, fewer nonzero
// numbers, simpler fractions, as long as a predicate says that it is still a counterexample.
//
// Every step is a smaller state by witness.Size, so the process ends; it is deterministic and uses no random
// numbers. What it returns has been accepted by the predicate, but is for the caller to re-check.
package minimise
