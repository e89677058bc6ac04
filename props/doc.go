// Package props states what every claim of the theory promises as a property that engines of different
// kind can test: it draws states, and judges the claim there.
//
// A [Property] is made from a claim of package theory and from nothing else; it knows no verdict. Its states
// come from sample.Draw through a sample.Chooser, so that the same property serves
//
//   - a seeded stream, for the audit ([Samples]);
//   - pgregory.net/rapid, which shrinks a failure to a simple state (package props/shrink, for go test);
//   - gopter, which samples the interior of a box of hyper-parameters outside go test (props/interior).
//
// [Along] integrates a part's own flow and checks the statement between two times instead of at an instant.
// Package props/law holds laws of trajectories on the hand-written flows of numeric/flow, props/generate the
// structure-first generators they start from, props/equations the flows evaluated from the claims' text.
//
// [Run] measures the statements that are left to sampling: it reports what it saw, and decides nothing.
package props
