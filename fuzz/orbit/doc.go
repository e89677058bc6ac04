// Package orbit looks for trajectories along which a claim fails: what the claims say about limits, basins and
// alignment, put as questions with an objective that is negative on a counterexample.
//
// A [Question] is a box of initial states and parameters, an objective computed by integrating a flow of
// package flow, and a certificate. The search optimises the objective in float64; what it finds is rounded to
// simple fractions and confirmed by validated integration (package enclosure), whose certificate also covers
// the limit t → ∞ where the question is about one: by a Lyapunov function or an invariant region that the
// trajectory has entered, both written down with the question. Where no enclosure succeeds, a second integrator
// of another family at a hundredth of the tolerance must agree, and the evidence says so.
package orbit
