package kernel

// The rule of the forms that count zeros.
var countRules = map[string]rule{
	"count": {AtState, many, many, (*application).zeros},
}

// zeros: e has n zeros, or n rising or falling ones, for x in an interval from lo to hi, by a chain of pieces
//
//	lo = c₀, c₁, …, c_k = hi        (the terms are c₁, …, c_{k−1}; an end that is missing has no bound)
//
// The premises stand piece by piece. Of the piece from a to b, first b ≥ a, if it has both ends. Then either that e has a
// sign on it, and so no zero,
//
//	e > 0   or   0 > e              under x ≥ a, b ≥ x, or at an end that does not belong to the interval x > lo, hi > x
//
// or, of a piece with both ends, that e rises (falls) through zero once,
//
//	diff(e, x) > 0   (0 > diff(e, x))              under x > a, b > x
//	0 > at(e, x, a), at(e, x, b) > 0   (the signs turned round)
//
// n is the number of the latter pieces: of all, or of those on which e rises, or falls.
//
// Proof. Take a state of Γ, and let f(v) be the value of e with v for x, all else as at the state. Neither Γ nor an end or a cᵢ
// depends on x: Γ holds for every v, and the cᵢ, which have values, are what they are. By b ≥ a for each piece, lo ≤ c₁ ≤ … ≤ hi,
// so that each v of the interval lies in a piece, and no v strictly inside of two. On a piece of the first kind f has a value
// and is not zero. On one of the second kind f has values at a and b and, since its derivative has one, between them. Unfolded,
// e is made of sums, products, powers, traces, reciprocals, roots and inverses, which are continuous in v where they have
// values; so f is continuous on [a, b], and between a and b it is differentiable with the derivative diff(e, x) > 0. Hence it
// rises strictly from f(a) < 0 to f(b) > 0: a < b, and f has exactly one zero there, strictly inside of the piece and so of
// the interval, at which its derivative is > 0. Where it falls, the same of −f. At the cᵢ f is not zero. So f has a value
// throughout the interval, its zeros are those, and each has the direction of its piece.
func (a *application) zeros() {
	c, ok := a.goal.Count()
	if !ok {
		refuse("this rule establishes how many zeros there are, not %s", a.goal.form)
	}
	var known []Formula
	for _, h := range a.ctx.hyps {
		// Soundness: what Γ says of x need not hold at other values of it.
		for _, t := range h.formula.terms {
			a.free(t, c.In)
		}
		known = append(known, h.formula)
	}
	points := append(append([]*Term{c.Lo}, a.terms...), c.Hi)
	for _, p := range points {
		if p != nil {
			a.free(p, c.In)
			// Soundness: without a value of cᵢ nothing is known on either side of it.
			a.define(p)
		}
	}
	next, rising, falling := 0, 0, 0
	for i := range points[1:] {
		from, to := points[i], points[i+1]
		if from != nil && to != nil {
			// Soundness: pieces that run backwards would leave points out, or count zeros twice.
			if o := a.premise(a.one(&next), AtLeast); o[0] != to || o[1] != from {
				refuse("premise %d does not say that piece %d runs upwards", next, i+1)
			}
		}
		here, inside := known, known
		if from != nil {
			above := formula(Greater, c.In, from)
			here, inside = withBound(here, formula(AtLeast, c.In, from)), withBound(inside, above)
			// Soundness: an end that belongs to the interval may be a zero.
			if i == 0 && !c.LoIn {
				here = withBound(here, above)
			}
		}
		if to != nil {
			below := formula(Greater, to, c.In)
			here, inside = withBound(here, formula(AtLeast, to, c.In)), withBound(inside, below)
			if i == len(points)-2 && !c.HiIn {
				here = withBound(here, below)
			}
		}
		k := a.one(&next)
		if sign := directed(a.premises[k].s.goal, c.Of); sign != 0 {
			a.assuming(k, here)
			continue
		}
		slope := directed(a.assuming(k, inside), a.slope(c))
		if slope == 0 || from == nil || to == nil {
			refuse("premise %d says neither that the expression has a sign on piece %d nor that it rises or falls there", k+1, i+1)
		}
		// Soundness: without a change of sign there may be no zero.
		for _, end := range []struct {
			at   *Term
			sign int
		}{{from, -slope}, {to, slope}} {
			k := a.one(&next)
			if directed(a.here(k), a.sig.make(At, 0, c.Of, c.In, end.at)) != end.sign {
				refuse("premise %d is not the sign of the expression at an end of piece %d", k+1, i+1)
			}
		}
		if slope > 0 {
			rising++
		} else {
			falling++
		}
	}
	a.count(next)
	have := rising + falling
	switch a.goal.form {
	case RisingZeros:
		have = rising
	case FallingZeros:
		have = falling
	}
	if have != c.N {
		refuse("the pieces have %d of them, not %d", have, c.N)
	}
}

// one is the number of the next premise.
func (a *application) one(next *int) int {
	if *next >= len(a.premises) {
		refuse("this needs more than %d premise(s)", len(a.premises))
	}
	*next++
	return *next - 1
}

// withBound is a list of formulas and one more; the list stays as it is.
func withBound(known []Formula, f Formula) []Formula {
	return append(known[:len(known):len(known)], f)
}

// directed is 1 if a formula says t > 0, −1 if it says 0 > t, else 0.
func directed(f Formula, t *Term) int {
	switch zero := t.sig.integer(0); {
	case f.Same(formula(Greater, t, zero)):
		return 1
	case f.Same(formula(Greater, zero, t)):
		return -1
	}
	return 0
}

// slope is diff(e, x).
func (a *application) slope(c Count) *Term {
	// Soundness: a derivative takes a stop-gradient in e for constant; the value of e does not.
	if a.ctx.dyn.remove(c.Of, 1).term != a.ctx.dyn.unfold(c.Of).term {
		refuse("a stop-gradient is in %s", Print(c.Of))
	}
	return a.sig.make(Diff, 0, c.Of, c.In)
}

// free requires that neither the value of a term nor whether it has one depends on x.
func (a *application) free(t, x *Term) {
	for _, y := range a.ctx.dyn.atoms(a.ctx.dyn.unfold(t)) {
		if y == x {
			refuse("%s depends on %s, whose values are looked at one and all", Print(t), x.sym.name)
		}
	}
}
