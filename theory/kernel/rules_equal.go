package kernel

var equalRules = map[string]rule{}

// zero requires a term to be zero wherever Γ holds: it has a value there, and its normal form is zero. It is the
// only use of the normal form by rules.
func (a *application) zero(t *Term) {
	a.define(t)
	u := a.ctx.dyn.unfold(t).term
	if !a.ctx.norm.isZero(u) {
		refuse("%s is not zero", Print(t))
	}
}
