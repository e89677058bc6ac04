// Package trajectory refutes statements about motions by following one: from an exact state, by validated integration,
// for as long as it takes, and if need be into a set that no motion leaves. It is the only maker of a [Refutation].
//
// # What a refutation says
//
// Γ ⊢ φ, a motion sequent of package kernel, is false. There is a motion of the flow from the state, with inputs that
// keep their values, such that every hypothesis of Γ holds along it as it is marked, everything in φ that is looked at
// has a value, and φ fails:
//
//	always ψ               ψ fails at the end time
//	L evolves at rate c    L(T) ≠ exp(cT)·L(0) at the end time T
//	|L|, V decays          ‖L(T)‖² > exp(−2cT)·‖L(0)‖², V(T) > exp(−cT)·V(0)
//	L₁, … stay …           all are so at the state, exactly, and one is not at the end time
//	L vanishes             the motion ends in a trap, exists for ever, and an entry of L is not zero in the trap
//	x tends to r from …    the motion ends in a trap, exists for ever, and x is not r in the trap
//
// # How it is established
//
// At the state itself hypotheses are judged by package model, in exact numbers. The right-hand sides are those of the
// flow, unfolded by the kernel, written out entry by entry for the sizes of the state and compared with package model's
// own reading of the flow, exactly, at the state and at two others. Package enclosure then encloses the motion from the
// state up to the end time (it exists, and is the only one: the right-hand sides are rational). What is assumed at all
// times has to hold strictly on the whole enclosure, to be constant, or to be kept by a theorem “always φ” under
// hypotheses that this motion meets; where the statement is about limits it has to hold in the whole trap too. Strictly:
// then it holds for a while longer, and the motion goes on beyond the end time. A trap is a box in linear coordinates on
// whose sides no speed points outward (enclosure.NewTrap).
//
// Not followed are flows with second moments, with roots or inverses of what moves, and orbits of maps.
//
// Comments on lines whose error would let a true claim pass for refuted begin with “Soundness:”.
package trajectory
