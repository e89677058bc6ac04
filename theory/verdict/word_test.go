package verdict_test

import (
	"math/big"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
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

// TestNoWordsOfOverwrittenContexts: once a part's Γ (for an assumption, that of what is assumed beside it) is overwritten by
// another, no theorem, certified sequent or counterexample says anything of the part.
func TestNoWordsOfOverwrittenContexts(t *testing.T) {
	r := elaborated(t, "claim c\n  scalar x >= 1, <= 2\n  says s: x > 0\n")
	own, goal := r.Context(), r.Goals()[0]
	certified := []region.Certified{kept(region.Check(own, goal, nil, []region.Step{{Rule: "interval"}}))}
	theorems := []kernel.Theorem{kept(own.Apply("hyp", own.Hypotheses()[0].Formula(), nil))}
	lax := elaborated(t, "claim c\n  scalar x >= 1, <= 2\n  says s: x >= 1\n")
	theorems = append(theorems, kept(lax.Context().Apply("hyp", lax.Goals()[0], nil)))
	absurd := elaborated(t, "claim c\n  scalar x >= 1\n  says s: x > 0\n    assume h: x < 0\n")
	nothing := verdict.Prove(t.Context(), absurd.Part())
	if !nothing.Vacuous().Valid() {
		t.Fatal(nothing.Failure())
	}
	absurd = nothing.Reading()
	number := func(k int64) [][]*big.Rat { return [][]*big.Rat{{big.NewRat(k, 1)}} }
	broken := elaborated(t, "claim c\n  scalar x >= 1, <= 2\n  says s: x > 1\n")
	one := kept(model.NewState(broken.Context().Signature(), nil, map[string][][]*big.Rat{"x": number(1)}))
	fails := kept(model.Refute(broken.Context(), broken.Goals()[0], one))
	left := elaborated(t, "claim c\n  scalar x\n  scalar y\n  flow\n    x' = y\n    y' = 0\n  says s: assumption x == 0\n    consequence y == 0\n")
	loss, goals, err := verdict.Loss(left)
	if err != nil {
		t.Fatal(err)
	}
	leaves := kept(model.Refute(loss, goals[0], kept(model.NewState(loss.Signature(), nil, map[string][][]*big.Rat{"x": number(0), "y": number(1)}))))
	// x falls at rate 1 from 1.
	falls := elaborated(t, falling+"  says s: always x >= 0\n")
	below := kept(trajectory.Refute(falls.Context(), falls.Goals()[0], start(t, falls), course))
	words := func() map[string]verdict.Verdict {
		return map[string]verdict.Verdict{
			"theorems":  verdict.OfTheorems(lax, theorems),
			"certified": verdict.OfCertified(r, certified),
			"absurdity": verdict.OfAbsurdity(absurd, nothing.Vacuous()),
			"failure":   verdict.OfCounterexample(broken, fails),
			"loss":      verdict.OfLoss(left, leaves),
			"motion":    verdict.OfTrajectory(falls, below),
		}
	}
	if v := verdict.OfAbsurdity(r, nothing.Vacuous()); v != verdict.Undecided {
		t.Errorf("a contradiction in another Γ: %s", v)
	}
	for about, v := range words() {
		if !v.IsDecided() {
			t.Errorf("%s before: %s", about, v)
		}
	}
	for _, c := range []*kernel.Context{own, lax.Context(), absurd.Context(), broken.Context(), loss, falls.Context()} {
		was, other := *c, kept(kernel.NewContext(c.Dynamics(), kernel.AtState))
		*c = *other
		defer func() { *c = was }()
	}
	for about, v := range words() {
		if v != verdict.Undecided {
			t.Errorf("%s of an overwritten context: %s", about, v)
		}
	}
}

// falling is a claim in which x falls at rate 1, and course its motion from 1 up to x = −1.
const falling = "claim c\n  scalar x <= 1\n  flow\n    x' = -1\n"

var course = trajectory.Course{End: big.NewRat(2, 1), Order: 8, Steps: 100}

func start(t *testing.T, r *lang.Reading) *model.State {
	t.Helper()
	return kept(model.NewState(r.Context().Signature(), nil, map[string][][]*big.Rat{"x": {{big.NewRat(1, 1)}}}))
}

// TestMotionsAreOfTheirSequent: a motion along which a statement fails refutes a part only if it is of its goal under its Γ, and
// never an assumption.
func TestMotionsAreOfTheirSequent(t *testing.T) {
	r := elaborated(t, falling+"  says s: always x >= 0\n")
	own, goal := r.Context(), r.Goals()[0]
	other := kept(kernel.NewContext(own.Dynamics(), own.Time()))
	sig := own.Signature()
	more := kept(kernel.NewFormula(kernel.AtLeast, sig.Lookup("x"), kept(sig.Number(big.NewRat(-1, 2)))))
	follow := func(c *kernel.Context, f kernel.Formula) trajectory.Refutation {
		return kept(trajectory.Refute(c, f, start(t, r), course))
	}
	if v := verdict.OfTrajectory(r, follow(own, goal)); !v.IsRefuted() {
		t.Errorf("its own: %s", v)
	}
	for about, x := range map[string]trajectory.Refutation{"another Γ": follow(other, goal), "another goal": follow(own, kept(kernel.NewAlways(more))), "none": {}} {
		if v := verdict.OfTrajectory(r, x); v != verdict.Undecided {
			t.Errorf("%s: %s", about, v)
		}
	}
}

// sequent stands for a certified sequent of any kind.
type sequent struct {
	context *kernel.Context
	formula kernel.Formula
}

func (sequent) Valid() bool                { return true }
func (c sequent) Context() *kernel.Context { return c.context }
func (c sequent) Formula() kernel.Formula  { return c.formula }

// TestNoAssumptionIsCertified: what a certified ⊥ says of an assumption is that no motion keeps it, not that it stands.
func TestNoAssumptionIsCertified(t *testing.T) {
	for kind, want := range map[string]string{"": "certified", "assumption ": "undecided"} {
		text := "claim c\n  scalar x\n  scalar y\n  flow\n    x' = y\n    y' = 0\n  says s: " + kind + "x == 0\n"
		if kind != "" {
			text += "    consequence y == 0\n"
		}
		r := elaborated(t, text)
		var cs []sequent
		for _, g := range r.Goals() {
			cs = append(cs, sequent{r.Context(), g})
		}
		if v := verdict.OfCertificates(r, cs); v.String() != want {
			t.Errorf("%q: %s, want %s", kind, v, want)
		}
	}
}
