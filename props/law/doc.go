// Package law states what the claims about time promise of trajectories of numeric/flow, from general shapes
// and degenerate states of package generate.
//
// A [Law] names the claim it belongs to, the number that must stay small and the tolerance it must stay
// below, and has twins: the same comparison with one thing changed, which must not stay below it. Laws are
// driven by a sample.Chooser like every property, so that a seeded stream and a shrinking engine share them.
package law
