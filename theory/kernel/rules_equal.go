package kernel

import "math/big"

// equalRules are the rules about equations, and those that bring hypotheses into a proof.
var equalRules = map[string]rule{
	"hyp":     {AtState, 0, 0, (*application).hyp},
	"thin":    {AtState, 1, 0, (*application).thin},
	"modulo":  {AtState, many, many, (*application).modulo},
	"root":    {AtState, 2, 0, (*application).rootOf},
	"inverse": {AtState, many, 0, (*application).inverseOf},
	"null":    {AtState, 2, many, (*application).null},
}

// zero requires a term to be zero wherever Γ holds: it has a value there, and its normal form is zero. Rules look
// at normal forms here and in constant only.
func (a *application) zero(t *Term) {
	a.define(t)
	if !a.ctx.norm.isZero(a.ctx.dyn.unfold(t).term) {
		refuse("%s is not zero", Print(t))
	}
}

// constant requires a scalar to have a number as its normal form.
func (a *application) constant(t *Term) *big.Rat {
	a.define(t)
	c, ok := a.ctx.norm.constant(a.ctx.dyn.unfold(t).term)
	if !ok {
		refuse("%s is not a number", Print(t))
	}
	return c
}

// isNull reports whether a term is the literal zero of its shape.
func isNull(t *Term) bool { return t == t.sig.null(t) }

// hyp: Γ ⊢ φ for a hypothesis φ of Γ.
//
// A hypothesis holds only where its terms have values; that they have is required all the same, so that nothing
// rests on a divisor that nobody looked at.
func (a *application) hyp() {
	a.sig.spend(len(a.ctx.hyps) / 4)
	for _, h := range a.ctx.hyps {
		if h.formula.Same(a.goal) {
			return
		}
	}
	refuse("this is no hypothesis")
}

// thin: Γ₀ ⊢ φ and Γ₀ ⊆ Γ give Γ ⊢ φ, since Γ holds at fewer states.
func (a *application) thin() {
	p := a.premises[0].s
	if p.ctx.time != AtState || !p.goal.Same(a.goal) {
		refuse("thin repeats a theorem about states")
	}
	a.sig.spend(len(p.ctx.hyps) * len(a.ctx.hyps) / 4)
	for _, h := range p.ctx.hyps {
		if !a.ctx.assumes(h.formula) {
			refuse("the premise assumes more than this context")
		}
	}
}

// assumes reports whether the formula is a hypothesis of the context, whatever its mark.
func (c *Context) assumes(f Formula) bool {
	for _, h := range c.hyps {
		if h.formula.Same(f) {
			return true
		}
	}
	return false
}

// modulo: from l₁ = r₁, …, l_k = r_k follows L = R if L − R = C with the holes h_i of C filled by l_i − r_i, and C with
// the holes filled by zeros is zero.
//
// Where Γ holds each l_i − r_i is zero, so that C filled by them has the value of C filled by zeros, which is zero.
// Without premises it compares normal forms.
func (a *application) modulo() {
	g := a.form(Equal)
	k := len(a.premises)
	difference := a.sig.sub(g[0], g[1])
	if k == 0 && len(a.terms) == 0 {
		a.zero(difference)
		return
	}
	if len(a.terms) != k+1 {
		refuse("modulo takes a combination and a hole for each of its %d premises", k)
	}
	c, holes := a.terms[0], a.terms[1:]
	full, empty := map[*Term]*Term{}, map[*Term]*Term{}
	for i, h := range holes {
		e := a.premise(i, Equal)
		if h.head != Letter || h.sym.class != Hole || full[h] != nil {
			refuse("term %d is no hole of its own", i+2)
		}
		if h.scalar != e[0].scalar || h.rows != e[0].rows || h.cols != e[0].cols {
			refuse("the hole %s has not the shape of its equation", h.sym.name)
		}
		full[h], empty[h] = a.sig.sub(e[0], e[1]), a.sig.null(h)
	}
	filled := a.fill(c, full)
	// Soundness: the value of C filled by zeros is that of C filled by the l_i − r_i, which has one: no condition on
	// divisors is wanted for it beyond those of the filled term.
	if hollow := a.fill(c, empty); !a.ctx.norm.isZero(a.ctx.dyn.unfold(hollow).term) {
		refuse("a term of the combination contains no hypothesis: %s", Print(hollow))
	}
	a.zero(a.sig.sub(difference, filled))
}

// fill replaces holes in a term, which must not stand under an operator.
//
// Soundness: an operator looks at more than the value of what it is applied to: the derivative of a quantity that
// is zero at an instant need not be zero.
func (a *application) fill(t *Term, with map[*Term]*Term) *Term {
	memo := map[*Term]*Term{}
	var visit func(t *Term) *Term
	visit = func(t *Term) *Term {
		if u, ok := memo[t]; ok {
			return u
		}
		u := t
		if v := with[t]; v != nil {
			u = v
		} else if len(t.args) > 0 {
			args, changed := make([]*Term, len(t.args)), false
			for i, x := range t.args {
				args[i] = visit(x)
				changed = changed || args[i] != x
			}
			if changed {
				if t.head >= Ddt {
					refuse("a hole stands under %s", t.head)
				}
				u = a.sig.make(t.head, t.n, args...)
			}
		}
		memo[t] = u
		return u
	}
	u := visit(t)
	a.sig.spend(len(memo) / 2)
	return u
}

// rootOf: y ≥ 0 and y² = q give y = root(q), the one nonnegative number whose square is q.
func (a *application) rootOf() {
	g := a.form(Equal)
	y, sq := a.premise(0, AtLeast), a.premise(1, Equal)
	if g[1].head != Root || y[0] != g[0] || !isNull(y[1]) || sq[0] != a.sig.pow(g[0], 2) || sq[1] != g[1].args[0] {
		refuse("root concludes y = root(q) from y >= 0 and y^2 = q")
	}
}

// inverseOf: A·B = I for square A makes A invertible, with inverse B; and A·A⁻¹ = A⁻¹·A = I where A⁻¹ has a value.
//
// A square matrix with a right inverse is invertible, and the inverse is unique.
func (a *application) inverseOf() {
	g := a.goal.terms
	switch {
	case len(a.premises) == 0 && a.goal.form == Equal && g[0].head == Product && g[1].head == Identity:
		x, y := g[0].args[0], g[0].args[1]
		if y.head == Inverse && y.args[0] == x || x.head == Inverse && x.args[0] == y {
			return
		}
	case len(a.premises) == 1 && (a.goal.form == Invertible || a.goal.form == Equal):
		e := a.premise(0, Equal)
		if e[0].head != Product || e[1].head != Identity || e[0].args[0].scalar || e[0].args[1].scalar || e[0].args[0].rows != e[0].args[0].cols {
			refuse("inverse needs A*B = I with a square A")
		}
		x, y := e[0].args[0], e[0].args[1]
		if a.goal.form == Invertible && g[0] == x {
			return
		}
		if a.goal.form == Equal && g[0] == y && g[1].head == Inverse && g[1].args[0] == x {
			return
		}
	}
	refuse("inverse concludes A*inv(A) = I, or from A*B = I that A is invertible or B = inv(A)")
}

// null: a ≥ 0 and 0 ≥ a give a = 0. And S = 0 with S = ‖X‖² + R, R ≥ 0, gives X = 0: a sum of two numbers that are
// not negative is zero only if both are.
func (a *application) null() {
	g := a.form(Equal)
	x := g[0]
	if !isNull(g[1]) {
		refuse("null concludes that something is zero")
	}
	if len(a.terms) == 0 {
		lo, hi := a.premise(0, AtLeast), a.premise(1, AtLeast)
		if lo[0] != x || !isNull(lo[1]) || hi[1] != x || !isNull(hi[0]) {
			refuse("null needs a >= 0 and 0 >= a")
		}
		return
	}
	if len(a.terms) != 1 {
		refuse("null takes one term at most")
	}
	s, r := a.premise(0, Equal), a.premise(1, AtLeast)
	if !s[0].scalar || !isNull(s[1]) || r[0] != a.terms[0] || !isNull(r[1]) {
		refuse("null needs S = 0 and R >= 0")
	}
	a.zero(a.sig.sub(s[0], a.sig.add(squaredNorm(x), r[0])))
}

// squaredNorm is tr(XᵀX) of a matrix, x² of a scalar.
func squaredNorm(x *Term) *Term {
	s := x.sig
	if x.scalar {
		return s.pow(x, 2)
	}
	return s.trace(s.mul(s.transpose(x), x))
}
