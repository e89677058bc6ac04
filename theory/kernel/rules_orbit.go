package kernel

// The rules of orbits alone. next(L) at a step is L at the following one, where there is one; so what is known of
// next(L) at each step is known of L at each step but the first.
var orbitRules = map[string]rule{
	"geometric":   {Orbit, 1, 0, (*application).geometric},
	"contraction": {Orbit, 2, 0, (*application).contraction},
	"invariant":   {Orbit, many, 0, (*application).invariant},
}

// geometric: next(L) = c·L with one number c gives L_k = cᵏ·L₀ by induction.
func (a *application) geometric() {
	g := a.form(Evolves)
	a.still(g[1])
	a.always(0, formula(Equal, a.sig.next(g[0]), a.sig.mul(g[1], g[0])))
}

// contraction: c·V ≥ next(V) and c ≥ 0 with one number c give V_(k+1) ≤ c·V_k ≤ cᵏ⁺¹·V₀ by induction. With V = ‖L‖²
// and c² for c, the square root of it is ‖L_k‖ ≤ cᵏ·‖L₀‖. The premises are always c·V ≥ next(V), or always
// c²·‖L‖² ≥ ‖next(L)‖², and always c ≥ 0.
func (a *application) contraction() {
	g, s := a.goal.terms, a.sig
	var bound, v *Term
	switch a.goal.form {
	case Decays:
		bound, v = s.mul(g[1], g[0]), s.next(g[0])
	case NormDecays:
		bound, v = s.mul(s.pow(g[1], 2), squaredNorm(g[0])), squaredNorm(s.next(g[0]))
	default:
		refuse("contraction establishes that something decays, not %s", a.goal.form)
	}
	a.still(g[1])
	a.always(0, formula(AtLeast, bound, v))
	// Soundness: multiplied by a negative c, V_k ≤ cᵏ·V₀ turns round; and c ≥ 0 is part of what the goal says.
	a.always(1, formula(AtLeast, g[1], s.integer(0)))
}

// invariant: L₁, …, L_k stay zero (nonnegative, positive, psd) if at a state, where all of them are so, all next(L_i) are:
// k theorems under the hypotheses that L₁, …, L_k are so, then always theorems for their contexts, or by which the L have
// values. By induction on the steps.
func (a *application) invariant() {
	ls, each := a.staying()
	a.atLeast(len(ls))
	a.valued(ls, len(ls))
	for i, l := range ls {
		if !a.along(i, len(ls), each...).Same(a.stays(a.goal.form, a.sig.next(l))) {
			refuse("premise %d is not that next(%s) is so", i+1, Print(l))
		}
	}
}
