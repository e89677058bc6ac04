// Package trajectory decides statements about motions by validated integration. It refutes one by following a motion from an
// exact state, for as long as it takes, and if need be into a set that no motion leaves; it certifies one along all motions
// from a region, by boxes that cover it. It is the only maker of a [Refutation] and of a [Certified].
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
// # What a certificate says
//
// Γ ⊢ φ, a motion sequent, holds along every motion that meets Γ. There is no region beside the sequent ([Region]): bounds of
// letters by numbers at the start, whatever their marks, make a box, closed and bounded, of the entries that move and of what
// does not; an equation x = e at the start makes x − e, which is zero, the variable that is followed. The box contains every
// state at which a motion that meets Γ begins. Letters that matter neither to φ nor to what does have no part in it. An
// argument cuts the box in two, again and again, at numbers that belong to both halves, and says of each box ([Step]) that all
// motions from it
//
//	flow  into a trap, and φ holds before and there: always ψ and what stays positive or nonnegative hold with room on the whole
//	      enclosure and in the whole trap; L vanishes and x tends to r if every motion in the trap tends to its centre
//	      (enclosure.Trap.Sink), where L = 0, x = r
//	fail  a hypothesis at the start, so that the statement says nothing of them; or what the statement itself supposes of the
//	      start, where its terms have values all along, with divisors, if any, that do not move
//	end   with an assumption: at some time a hypothesis that is assumed all along fails for all; φ holds before
//
// What does not move is an interval, of which everything holds for every value. A motion on [0, T) with T < ∞ is the one that is
// enclosed as far as it goes, and a statement about limits says nothing of it. What is assumed all along is used in no other
// way than these. Not certified are equalities, rates, inputs, which may move in any way, and flows with second moments or with
// roots. The terms, and the flow, are read as above, and compared with package model's reading once for each sequent.
//
// Comments on lines whose error would let a true claim pass for refuted begin with “Soundness:”.
package trajectory
