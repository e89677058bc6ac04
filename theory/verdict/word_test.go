package verdict_test

import (
	"math/big"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
	"stopgrad/theory/region"
	"stopgrad/theory/verdict"
)

// TestWordsAreOfTheirSequent: a theorem, a certified sequent and a counterexample say something of a part only if they are of its
// goal under its Γ: not under more (or, of a counterexample, less), nor of another goal.
func TestWordsAreOfTheirSequent(t *testing.T) {
	r := elaborated(t, "claim c\n  scalar x >= 1, <= 2\n  says s: x > 0\n")
	sig, own, goal := r.Context().Signature(), r.Context(), r.Goals()[0]
	x, zero, one := sig.Lookup("x"), kept(sig.Number(new(big.Rat))), kept(sig.Number(big.NewRat(1, 1)))
	order := func(f kernel.Form, a, b *kernel.Term) kernel.Formula { return kept(kernel.NewFormula(f, a, b)) }
	context := func(fs ...kernel.Formula) *kernel.Context {
		var hyps []kernel.Hypothesis
		for _, f := range fs {
			hyps = append(hyps, kept(kernel.NewHypothesis(kernel.Here, f)))
		}
		return kept(kernel.NewContext(own.Dynamics(), kernel.AtState, hyps...))
	}
	two := kept(sig.Number(big.NewRat(2, 1)))
	other := context(order(kernel.AtLeast, x, one), order(kernel.AtLeast, two, x), goal)
	weak := order(kernel.AtLeast, x, one)

	// x > 0 is assumed in the other context, and x >= 1 is proved in this one: neither is the part's.
	assumed, proved := kept(other.Apply("hyp", goal, nil)), kept(own.Apply("hyp", weak, nil))
	for about, ths := range map[string][]kernel.Theorem{"another Γ": {assumed}, "another goal": {proved}, "none": nil, "the zero theorem": {{}}} {
		if v := verdict.OfTheorems(r, ths); v != verdict.Undecided {
			t.Errorf("theorems, %s: %s", about, v)
		}
	}
	certified := func(c *kernel.Context, f kernel.Formula) region.Certified {
		return kept(region.Check(c, f, nil, []region.Step{{Rule: "interval"}}))
	}
	narrow, low := context(order(kernel.AtLeast, x, one), order(kernel.AtLeast, one, x)), order(kernel.Greater, x, kept(sig.Number(big.NewRat(-1, 1))))
	for about, cs := range map[string][]region.Certified{"another Γ": {certified(narrow, goal)}, "another goal": {certified(own, low)}, "none": nil, "nothing": {{}}} {
		if v := verdict.OfCertified(r, cs); v != verdict.Undecided {
			t.Errorf("certified, %s: %s", about, v)
		}
	}
	if v := verdict.OfCertified(r, []region.Certified{certified(own, goal)}); !v.IsCertified() {
		t.Errorf("certified, its own: %s", v)
	}
	least := kept(own.Apply("number", order(kernel.Greater, one, zero), nil))
	if own := elaborated(t, "claim c\n  scalar x\n  says s: 1 > 0\n"); !verdict.OfTheorems(own, []kernel.Theorem{kept(own.Context().Apply("number", own.Goals()[0], nil))}).IsProved() || verdict.OfTheorems(own, []kernel.Theorem{least}).IsProved() {
		t.Error("a theorem of the part's own, or of another signature")
	}

	at := func(k int64) *model.State {
		return kept(model.NewState(sig, nil, map[string][][]*big.Rat{"x": {{big.NewRat(k, 1)}}}))
	}
	// x > 0 fails at −1 where nothing is assumed, and x = 1 is another goal that fails here.
	for about, c := range map[string]model.Counterexample{
		"another Γ":    kept(model.Refute(context(), goal, at(-1))),
		"another goal": kept(model.Refute(own, order(kernel.Equal, x, one), at(2))),
		"none":         {},
	} {
		if v := verdict.OfCounterexample(r, c); v != verdict.Undecided {
			t.Errorf("counterexample, %s: %s", about, v)
		}
	}
}
