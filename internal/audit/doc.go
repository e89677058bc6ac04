// Package audit judges claims and writes down what it finds: every statement of every claim asked for is
// handed to the prover and to the search for counterexamples, on a pool of workers, and the results become
// a ledger.
//
// The verdicts are those of package verdict and of the properties; this package only arranges them. The
// record does not depend on the number of workers or on the order in which they finish: every statement has
// a stream of its own, labelled by its claim and name. An audit that is cut short keeps the claims that were
// finished, and can go on from them; see [ReadPartial].
package audit
