// Package pursuit looks for motions along which a statement about all times fails: an initial state that meets the
// hypotheses, an end time and, for statements about limits, a trap in which the motion ends. It integrates the claim's own
// flow in float64, optimises how far the statement is from failing, makes the state simple, and hands what it finds to
// package verdict, which integrates again with a guarantee. Nothing that it says is believed.
//
// It looks at statements “always φ” and “L vanishes”; whether the other forms fail is decided at one instant (package
// falsify).
package pursuit
