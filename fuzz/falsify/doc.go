// Package falsify searches the states of a statement for a counterexample.
//
// Four stages follow one another until the model confirms a counterexample: exact states drawn from the
// interior of the domains, corners (ends of domains, zero and identity matrices, equal entries), exact
// states solved for (stationary points, equality hypotheses that are linear in something), and the
// optimisation of the margin in float64 over a chart, whose results are rounded to simple fractions. Nothing
// here is trusted: a state counts only after verdict.Refute.
package falsify
