package kernel

import "slices"

// The rules of motions, and those that motions share with orbits. A premise “always φ” is a theorem of the same
// motion or orbit context; “φ at a state” is one of a state context of the same dynamics whose hypotheses are known
// to hold all along (see along).
//
// A motion is C¹ on [0, T), T > 0, one-sided at 0; inputs, and state variables without an equation in the flow, are
// continuous. So a term that has a value at each time is continuous in time: sums, products, roots, reciprocals and
// inverses are, where they have values. Where ddt(L) has a value, L is differentiable along the motion and this is its
// derivative: the divisors of L are not zero there, and the moving radicands positive, because ddt of a root divides
// by it. So if ddt(L) always has a value, L is C¹. Holes in a theorem stand for all values.
var motionRules = map[string]rule{
	"lift":          {anyTime, many, 0, (*application).lift},
	"remain":        {anyTime, many, 0, (*application).remain},
	"unmet":         {anyTime, many, 0, (*application).unmet},
	"begin":         {anyTime, many, 0, (*application).begin},
	"keep":          {anyTime, many, 0, (*application).keep},
	"differentiate": {Motion, 3, 0, (*application).differentiate},
	"barrier":       {Motion, many, many, (*application).barrier},
	"integrate":     {Motion, 1, 0, (*application).integrate},
	"gronwall":      {Motion, 1, 0, (*application).gronwall},
	"vanish":        {anyTime, many, 0, (*application).vanish},
	"dominate":      {anyTime, many, 0, (*application).dominate},
	"mcongruence":   {Motion, many, many, (*application).movingCongruence},
	"line":          {Motion, many, 0, (*application).line},
}

// atLeast requires n premises or more.
func (a *application) atLeast(n int) {
	if len(a.premises) < n {
		refuse("this needs %d premise(s) or more, not %d", n, len(a.premises))
	}
}

// always requires the i-th premise to be always φ with this φ.
func (a *application) always(i int, f Formula) {
	// Soundness: the premises of a rule are what its proof uses.
	if !a.alwaysPremise(i).Same(f) {
		refuse("premise %d is not the always theorem that this rule needs there: %s of %s …", i+1, f.form, Print(f.terms[0]))
	}
}

// permanent lists what is known to hold at each time: the hypotheses marked const or always, and the always
// theorems among the premises from this one on.
func (a *application) permanent(from int) []Formula {
	var known []Formula
	for _, h := range a.ctx.hyps {
		// Soundness: a hypothesis marked start holds at time 0.
		if h.mark == Constant || h.mark == Kept {
			known = append(known, h.formula)
		}
	}
	for i := from; i < len(a.premises); i++ {
		known = append(known, a.alwaysPremise(i))
	}
	return known
}

// initial lists what is known to hold at time 0: each hypothesis, whatever its mark, and the always theorems among the
// premises from this one on.
func (a *application) initial(from int) []Formula {
	known := a.permanent(from)
	for _, h := range a.ctx.hyps {
		known = append(known, h.formula)
	}
	return known
}

// along is what the i-th premise says, a theorem whose context assumes only what is permanent here and the extra
// formulas. So at each time of a motion, for all values of holes, it holds if the extra formulas do.
func (a *application) along(i, from int, extra ...Formula) Formula {
	return a.assuming(i, append(a.permanent(from), extra...))
}

// still requires a term not to move: no state variable and no input is in it when it is unfolded, moments included.
func (a *application) still(t *Term) {
	// Soundness: a rate, factor or bound is one number all along.
	if a.ctx.dyn.moves(t) {
		refuse("%s moves", Print(t))
	}
}

// stays is the state formula that “L stays …” keeps.
func (a *application) stays(stay Form, l *Term) Formula {
	switch stay {
	case StayZero:
		return formula(Equal, l, a.sig.null(l))
	case StayNonnegative:
		return formula(AtLeast, l, a.sig.integer(0))
	case StayPositive:
		return formula(Greater, l, a.sig.integer(0))
	case StaySemidefinite:
		return formula(Semidefinite, l)
	}
	refuse("%s does not say that something stays", stay)
	return Formula{}
}

// staying requires the goal to be that L₁, …, L_k stay something, and returns the L and what is to hold of each.
func (a *application) staying() (ls []*Term, each []Formula) {
	switch a.goal.form {
	case StayZero, StayNonnegative, StayPositive, StaySemidefinite:
	default:
		// Soundness: a goal without terms would ask for nothing.
		refuse("this rule establishes that something stays, not %s", a.goal.form)
	}
	for _, l := range a.goal.terms {
		each = append(each, a.stays(a.goal.form, l))
	}
	return a.goal.terms, each
}

// valued requires each L to have a value at each time: it has one at every state, or is a term of what is permanent.
func (a *application) valued(ls []*Term, from int) {
	known := a.permanent(from)
	for _, l := range ls {
		u := a.ctx.dyn.unfold(l)
		total := !partial(u.term)
		for _, x := range u.also {
			total = total && !partial(x)
		}
		for _, f := range known {
			total = total || slices.Contains(f.Ends(), l)
		}
		// Soundness: the partial reading. That L is so at time 0 supposes its value there, and no more.
		if !total {
			refuse("%s is not known to have a value at each time: a theorem “always l == l” says so", Print(l))
		}
	}
}

// partial reports whether something in a pure term needs more than its letters to have a value.
func partial(t *Term) bool {
	return mentioning(t, func(x *Term) bool {
		return x.head == Reciprocal || x.head == Root || x.head == Inverse || x.head == Letter && (x.sym.class == Random || x.sym.class == Centred)
	})[t]
}

// lift: always φ from φ at a state: it holds at each time, with its terms' values.
func (a *application) lift() {
	a.form(Always)
	a.atLeast(1)
	if !a.along(0, 1).Same(*a.goal.inner) {
		refuse("premise 1 is not what is to hold always")
	}
}

// remain: L₁, …, L_k stay what they always are.
func (a *application) remain() {
	_, each := a.staying()
	a.count(len(each))
	for i, f := range each {
		a.always(i, f)
	}
}

// unmet: L₁, …, L_k, which have values, stay so since they are never all so at time 0. Premise 1 is ⊥ at a state at which
// all are so, under what holds at time 0; the further premises are the always theorems among that, or give the L values.
func (a *application) unmet() {
	ls, known := a.staying()
	a.atLeast(1)
	a.valued(ls, 1)
	a.absurd0(append(known, a.initial(1)...))
}

// begin: always ⊥, because no motion begins. Premise 1 is ⊥ at a state under what holds at time 0; the further premises
// are the always theorems among that.
//
// Proof. Let a motion [an orbit] meet Γ. It has a time 0, T > 0 [x₀ is part of every orbit], and the values of the state
// variables and inputs then are one state. There the hypotheses hold: those marked start by what start means, always and
// const because 0 is one of the times, and so do the always theorems. Premise 1 says that no state has all that. So
// nothing meets Γ, and of all that does, ⊥ always holds. What is assumed at a state elsewhere and not in Γ is not known
// to hold at time 0, and refused.
func (a *application) begin() {
	// Soundness: this says nothing of a motion but that there is none.
	a.form(Always)
	if a.goal.inner.form != Absurd {
		refuse("this rule establishes always absurd, not always %s", a.goal.inner.form)
	}
	a.atLeast(1)
	a.absurd0(a.initial(1))
}

// absurd0 requires the first premise to be ⊥ at a state at which nothing is assumed but what is known.
func (a *application) absurd0(known []Formula) {
	if f := a.assuming(0, known); f.form != Absurd {
		refuse("premise 1 is %s, and not that this is absurd", f.form)
	}
}

// keep: let L₁, …, L_k stay zero (nonnegative, positive, psd), and let each of them be the difference of a formula
// of that form that holds at time 0. Then each of them is so at each time, and so is the goal, whose difference is
// one of them. The difference of a = b, a ≥ b, a > b is a − b, or a if b is the literal zero; P psd stands for P. The
// further premises are the always theorems among what holds at time 0.
func (a *application) keep() {
	a.form(Always)
	a.atLeast(1)
	stay := a.here(0)
	atStart := a.initial(1)
	// A premise of another form has no terms that stay.
	kept := false
	a.sig.spend(len(stay.terms) * len(atStart))
	for _, l := range stay.terms {
		kept = kept || a.isDifference(stay.form, l, *a.goal.inner)
		known := false
		for _, f := range atStart {
			known = known || a.isDifference(stay.form, l, f)
		}
		// Soundness: the L stay so if all of them are so at time 0.
		if !known {
			refuse("%s is not known to be so at time 0", Print(l))
		}
	}
	if !kept {
		refuse("the goal is not what premise 1 keeps")
	}
}

// isDifference reports whether f says of its difference, which is l, what “l stays …” keeps.
func (a *application) isDifference(stay Form, l *Term, f Formula) bool {
	// Soundness: L > 0 is not kept by L ≥ 0 that stays, nor does L ≥ 0 at time 0 start L > 0.
	if f.form != a.stays(stay, l).form {
		return false
	}
	d := f.terms[0]
	if f.form != Semidefinite && f.terms[1] != a.sig.null(d) {
		d = a.sig.sub(d, f.terms[1])
	}
	return d == l
}

// differentiate: if l = r on [0, T), their derivatives, one-sided at 0, are equal; both have them.
func (a *application) differentiate() {
	a.form(Always)
	f := a.alwaysPremise(0)
	if f.form != Equal {
		refuse("an equation is differentiated, not %s", f.form)
	}
	l, r := a.sig.ddt(f.terms[0]), a.sig.ddt(f.terms[1])
	// Soundness: l and r are differentiable where their derivatives have values.
	a.always(1, formula(Equal, l, l))
	a.always(2, formula(Equal, r, r))
	if !a.goal.inner.Same(formula(Equal, l, r)) {
		refuse("the goal is not the derivative of premise 1")
	}
}

// barrier: L₁, …, L_k stay zero, nonnegative, positive if their motion points so at the border. Terms: C₁, …, C_k,
// and holes h₁, …, h_k. Premises: always ddt(L_i) = C_i{h := L}; then, for each i, at a state,
//
//	nonnegative, positive: C_i{h_i := 0} ≥ 0 under h₁ ≥ 0, …, h_k ≥ 0        zero: C_i{all h := 0} = 0;
//
// then always theorems for the contexts of the latter.
//
// Proof. Along a motion C_i is a polynomial in the holes; its coefficients have values, since C_i{h := L} has, and are
// continuous in t. So L solves z' = C(t, z), whose right-hand side is locally Lipschitz in z. Zero: z = 0 is a solution,
// and solutions are unique. Nonnegative: compare with z' = C(t, z) + ε, z(0) = L(0) + ε. Were some z_i to reach 0 first, all others being
// ≥ 0, then z_i' ≤ 0 there, against z_i' = C_i(t, z) + ε > 0. On each [0, t₁], t₁ < T, these z exist for small ε and tend
// to L with ε, so L ≥ 0. Positive: then L ≥ 0, and C_i(t, z) = C_i(t, z{z_i := 0}) + z_i·q(t, z) with q a polynomial in z,
// so L_i' ≥ q(t, L)·L_i and L_i(t) ≥ L_i(0)·exp ∫q > 0.
func (a *application) barrier() {
	ls, _ := a.staying()
	k, zero := len(ls), a.sig.integer(0)
	if a.goal.form == StaySemidefinite {
		refuse("the border of the psd matrices is not that of each entry")
	}
	if len(a.terms) != 2*k {
		refuse("barrier takes %d terms: the right-hand sides, then their holes", 2*k)
	}
	a.atLeast(2 * k)
	cs, hs := a.terms[:k], a.terms[k:]
	atL, at0, bounds := map[*Term]*Term{}, map[*Term]*Term{}, []Formula{}
	for i, h := range hs {
		// Soundness: a declared symbol may be in the equations or the hypotheses; a hole is in neither, so that
		// the premises at a state hold for all its values.
		if h.head != Letter || h.sym.class != Hole {
			refuse("%s is not a hole", Print(h))
		}
		// Soundness: one hole cannot stand for two terms.
		if atL[h] != nil {
			refuse("%s is given twice", Print(h))
		}
		atL[h], at0[h] = ls[i], a.sig.null(ls[i])
		if a.goal.form != StayZero {
			bounds = append(bounds, formula(AtLeast, h, zero))
		}
	}
	for i, c := range cs {
		polynomialIn(c, atL)
		a.always(i, formula(Equal, a.sig.ddt(ls[i]), a.fill(c, atL)))
		var want Formula
		if a.goal.form == StayZero {
			want = formula(Equal, a.fill(c, at0), a.sig.null(ls[i]))
		} else {
			want = formula(AtLeast, a.fill(c, map[*Term]*Term{hs[i]: zero}), zero)
		}
		// Soundness: this is where the motion points at the border.
		if !a.along(k+i, 2*k, bounds...).Same(want) {
			refuse("premise %d is not the condition at the border of %s", k+i+1, Print(ls[i]))
		}
	}
}

// polynomialIn requires a term to be a polynomial in these holes. Pure terms are, but for reciprocals, roots and
// inverses; operators over holes are refused where the holes are filled.
func polynomialIn(c *Term, holes map[*Term]*Term) {
	for t, has := range mentioning(c, func(x *Term) bool { return holes[x] != nil }) {
		// Soundness: z' = 2·√z leaves 0 although z = 0 is a solution: √z is not Lipschitz at 0.
		if has && (t.head == Reciprocal || t.head == Root || t.head == Inverse) {
			refuse("a hole stands under %s", t.head)
		}
	}
}

// mentioning tells of each term that t is built of, itself included, whether a term that is hit is in it.
func mentioning(t *Term, hit func(*Term) bool) map[*Term]bool {
	has := map[*Term]bool{}
	var visit func(*Term) bool
	visit = func(t *Term) bool {
		if h, ok := has[t]; ok {
			return h
		}
		t.sig.spend(1)
		h := hit(t)
		for _, x := range t.args {
			h = visit(x) || h
		}
		has[t] = h
		return h
	}
	visit(t)
	return has
}

// integrate: L' = c·L with one number c has the solution exp(ct)·L(0) alone.
func (a *application) integrate() {
	g := a.form(Evolves)
	a.still(g[1])
	a.always(0, formula(Equal, a.sig.ddt(g[0]), a.sig.mul(g[1], g[0])))
}

// gronwall: V' ≤ −cV gives (exp(ct)·V)' ≤ 0, hence V(t) ≤ exp(−ct)·V(0). With V = ‖L‖² and 2c for c, the square root of
// it is ‖L(t)‖ ≤ exp(−ct)·‖L(0)‖. The premise is always −1·(c·V) ≥ ddt(V), or always −2·(c·‖L‖²) ≥ ddt(‖L‖²).
func (a *application) gronwall() {
	g, s := a.goal.terms, a.sig
	var bound, v *Term
	switch a.goal.form {
	case Decays:
		v = g[0]
		bound = s.neg(s.mul(g[1], v))
	case NormDecays:
		v = squaredNorm(g[0])
		bound = s.mul(s.integer(-2), s.mul(g[1], v))
	default:
		refuse("gronwall establishes that something decays, not %s", a.goal.form)
	}
	a.still(g[1])
	a.always(0, formula(AtLeast, bound, s.ddt(v)))
}

// shrinks requires the i-th premise to say that what decays at rate [by factor] c tends to zero: c > 0, [c < 1, where
// c ≥ 0 is part of what decays means].
func (a *application) shrinks(i int, c *Term) {
	if a.ctx.time == Orbit {
		a.always(i, formula(Greater, a.sig.integer(1), c))
	} else {
		a.always(i, formula(Greater, c, a.sig.integer(0)))
	}
}

// vanish: exp(−ct) → 0 for c > 0 and exp(ct) → 0 for c < 0; cᵏ → 0 for 0 ≤ c < 1 and for −1 < c < 1. The rate of a
// theorem does not move: the rules that establish rates ask for it.
func (a *application) vanish() {
	l := a.form(Vanishes)[0]
	a.atLeast(1)
	f, s := a.here(0), a.sig
	switch {
	case f.form == NormDecays:
		a.count(2)
		a.shrinks(1, f.terms[1])
	case f.form == Evolves && a.ctx.time == Motion:
		a.count(2)
		a.always(1, formula(Greater, s.integer(0), f.terms[1]))
	case f.form == Evolves:
		a.count(3)
		a.always(1, formula(Greater, s.integer(1), f.terms[1]))
		a.always(2, formula(Greater, f.terms[1], s.integer(-1)))
	default:
		refuse("nothing vanishes because of %s", f.form)
	}
	if f.terms[0] != l {
		refuse("premise 1 is about another term")
	}
}

// dominate: V vanishes (or decays at a rate or by a factor that makes it vanish: V ≤ exp(−ct)·V(0)), and always
//
//	V ≥ k·‖L‖², k > 0        or        V ≥ k·L, L ≥ 0, k > 0
//
// with one number k. Then 0 ≤ ‖L‖² [0 ≤ L] ≤ V/k, which is at most something that tends to 0.
func (a *application) dominate() {
	l, s := a.form(Vanishes)[0], a.sig
	a.atLeast(3)
	f, i := a.here(0), 1
	switch f.form {
	case Vanishes:
	case Decays:
		a.shrinks(1, f.terms[1])
		i = 2
	default:
		refuse("nothing is dominated by what %s", f.form)
	}
	bound := a.alwaysPremise(i)
	// Soundness: V ≥ k·L, not the other way round.
	if bound.form != AtLeast || bound.terms[0] != f.terms[0] || bound.terms[1].head != Product {
		refuse("premise %d is not V >= k·L or V >= k·|L|^2", i+1)
	}
	k, what := bound.terms[1].args[0], bound.terms[1].args[1]
	switch what {
	case squaredNorm(l):
	case l:
		// Soundness: without L ≥ 0 it may tend to −∞.
		i++
		a.atLeast(i + 1)
		a.always(i, formula(AtLeast, l, s.integer(0)))
	default:
		refuse("premise %d bounds neither the goal's term nor its square", i+1)
	}
	i++
	a.count(i + 1)
	a.always(i, formula(Greater, k, s.integer(0)))
	a.still(k)
}

// mcongruence: term A, always ddt(L) = A·L + L·Aᵀ. Let Φ' = A(t)·Φ, Φ(0) = I; A(t) is continuous, so Φ exists on [0, T), and
// it is invertible (Liouville). ΦL(0)Φᵀ solves the same linear equation from the same start, so it is L. In particular
// psd L stays psd. Terms A, N, always ddt(L) = (A·L + L·Aᵀ) + N, always N psd: L(t) = Φ(L(0) + ∫Φ⁻¹NΦ⁻ᵀ)Φᵀ, where N(t) is
// continuous and the integral of psd matrices psd; L stays psd, but need not move by congruence.
func (a *application) movingCongruence() {
	if a.goal.form != Congruence && a.goal.form != StaySemidefinite || len(a.goal.terms) != 1 {
		refuse("this rule establishes that one term moves by congruence or stays psd, not %s", a.goal.form)
	}
	if len(a.terms) != 1 && len(a.terms) != 2 {
		refuse("this rule takes the term A, or A and N")
	}
	a.count(len(a.terms))
	l, m, s := a.goal.terms[0], a.terms[0], a.sig
	moves := s.add(s.mul(m, l), s.mul(l, s.transpose(m)))
	if len(a.terms) == 2 {
		if a.goal.form != StaySemidefinite {
			refuse("with the term N it is only known that L stays psd")
		}
		moves = s.add(moves, a.terms[1])
		a.always(1, formula(Semidefinite, a.terms[1]))
	}
	a.always(0, formula(Equal, s.ddt(l), moves))
}

// line: x tends to r from lo < x < hi if its motion points at r. Premises: at a state
//
//	0 > (x − r)·ddt(x)   under x > lo, hi > x, x ≠ r        and        at(ddt(x), x, r) = 0,
//
// then always r ≥ lo and always hi ≥ r, then always theorems for the contexts of the first two.
//
// Proof. Let T = ∞ and lo < x(0) < hi. x' = f(x), where f has constant coefficients and is a rational function of x and of
// constants: it has a value and is C¹ on (lo, hi) outside of r by the first premise, near r by the second, be r inside or
// an end. If x(0) = r, x = r all along, solutions being unique near r. Else x never equals r in finite time, for the same
// reason, (x − r)² decreases, and x moves monotonically in the half-open interval from x(0) to r, r excluded, which
// lies in (lo, hi). Its limit is r: at another limit x* in that interval f(x*) ≠ 0, and x' → f(x*) would take x past x*.
func (a *application) line() {
	g, s := a.form(Tends), a.sig
	x, r, lo, hi := g[0], g[1], g[2], g[3]
	a.atLeast(4)
	for _, t := range g[1:] {
		a.still(t)
	}
	dx := s.ddt(x)
	f := a.ctx.dyn.unfold(dx).term
	// Soundness: f changes with other variables and inputs; x' = −f(x) for x alone.
	if mentions(f, func(y *Symbol) bool { return (y.class == State || y.class == Input) && y != x.sym }) {
		refuse("the motion of %s depends on other things that move", Print(x))
	}
	for t, has := range mentioning(f, func(y *Term) bool { return y == x }) {
		// Soundness: x' = −√x reaches 0 in finite time: a root is not Lipschitz, and solutions are not unique.
		if has && t.head == Root {
			refuse("a root of %s is in its motion", Print(x))
		}
	}
	// Soundness: the first premise is used at states no motion may reach, at limits. So its context's hypotheses,
	// which hold along the motion, have to hold there too: none may move.
	var known []Formula
	for _, k := range a.permanent(4) {
		moving := false
		for _, t := range k.terms {
			moving = moving || a.ctx.dyn.moves(t)
		}
		if !moving {
			known = append(known, k)
		}
	}
	inside := []Formula{formula(Greater, x, lo), formula(Greater, hi, x), formula(Unequal, x, r)}
	if !a.assuming(0, append(inside, known...)).Same(formula(Greater, s.integer(0), s.mul(s.sub(x, r), dx))) {
		refuse("premise 1 is not 0 > (x - r)·ddt(x)")
	}
	// Soundness: if r is an end of the interval, x might run through it.
	if !a.assuming(1, known).Same(formula(Equal, s.make(At, 0, dx, x, r), s.integer(0))) {
		refuse("premise 2 is not that %s rests at %s", Print(x), Print(r))
	}
	// Soundness: if r is outside, x reaches the end of the interval, where nothing is known.
	a.always(2, formula(AtLeast, r, lo))
	a.always(3, formula(AtLeast, hi, r))
}
