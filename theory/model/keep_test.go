package model_test

import (
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// A hypothesis that holds with equality needs a theorem that keeps it, of a context in which it is assumed at the start
// only: along a motion on which it is assumed all along it holds whether there is such a motion or not.
func TestKeeps(t *testing.T) {
	const symbols = "state x\nstate y\nparam p\nhole h\n"
	const flow = "x' = p*x\ny' = 1\n"
	l := newLab(kernel.Motion, symbols+flow+"always eq x; 0")
	apply := func(c *kernel.Context, rule, goal string, premises []kernel.Theorem, terms ...string) kernel.Theorem {
		t.Helper()
		var ts []*kernel.Term
		for _, s := range terms {
			ts = append(ts, term(l.sig, s))
		}
		return must(c.Apply(rule, formula(l.sig, goal), premises, ts...))
	}
	context := func(time kernel.Time, mark kernel.Mark, hyps ...string) *kernel.Context {
		var list []kernel.Hypothesis
		for _, s := range hyps {
			list = append(list, must(kernel.NewHypothesis(mark, formula(l.sig, s))))
		}
		return must(kernel.NewContext(l.dyn, time, list...))
	}
	// keep proves always x = 0 from x = 0 at the start.
	keep := func(c *kernel.Context) kernel.Theorem {
		t.Helper()
		state := context(kernel.AtState, kernel.Here)
		rate := apply(c, "lift", "always eq ddt(x); p*x", []kernel.Theorem{apply(state, "modulo", "eq ddt(x); p*x", nil)})
		border := apply(state, "modulo", "eq p*0; 0", nil)
		stay := apply(c, "barrier", "stayzero x", []kernel.Theorem{rate, border}, "p*h", "h")
		return apply(c, "keep", "always eq x; 0", []kernel.Theorem{stay})
	}
	good := keep(context(kernel.Motion, kernel.Start, "eq x; 0"))
	// What is assumed all along holds all along.
	circular := apply(l.ctx, "lift", "always eq x; 0", []kernel.Theorem{
		apply(context(kernel.AtState, kernel.Here, "eq x; 0"), "hyp", "eq x; 0", nil)})
	// A start that the state does not meet.
	elsewhere := keep(context(kernel.Motion, kernel.Start, "eq x; 0", "gt y; 3"))
	// What holds nearby may be assumed all along by a keep.
	nearby := func(hyp string) kernel.Theorem {
		c := must(kernel.NewContext(l.dyn, kernel.Motion, must(kernel.NewHypothesis(kernel.Start, formula(l.sig, "eq x; 0"))),
			must(kernel.NewHypothesis(kernel.Kept, formula(l.sig, hyp)))))
		return keep(c)
	}
	for _, c := range []struct {
		about, goal string
		keeps       []kernel.Theorem
		want        string
	}{
		{"without a keep", "always gt y; 0", nil, may},
		{"with a keep", "always gt y; 0", []kernel.Theorem{good}, "refuted"},
		{"with a keep that assumes it", "always gt y; 0", []kernel.Theorem{circular}, may},
		{"with a keep from elsewhere", "always gt y; 0", []kernel.Theorem{elsewhere}, may},
		{"with a keep that assumes what holds nearby", "always gt y; 0", []kernel.Theorem{nearby("gt 1; y")}, "refuted"},
		{"with a keep that assumes what may end at once", "always gt y; 0", []kernel.Theorem{nearby("ge 0; y")}, may},
		{"with a keep of something else", "always gt y; 0", []kernel.Theorem{{}, apply(context(kernel.Motion, kernel.Start), "lift", "always eq x; x",
			[]kernel.Theorem{apply(context(kernel.AtState, kernel.Here), "modulo", "eq x; x", nil)})}, may},
		{"a keep says nothing of the time before", "staypositive -y", []kernel.Theorem{good}, may},
	} {
		x, err := model.Refute(l.ctx, formula(l.sig, c.goal), l.at("x=0 y=0 p=2"), c.keeps...)
		if c.want == "refuted" {
			if err != nil || len(x.Keeps()) != 1 || !x.Keeps()[0].Same(c.keeps[0]) {
				t.Errorf("%s: %v", c.about, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q %v", c.about, x.Reason(), err)
		}
	}
	// Of other dynamics a keep says nothing here.
	other := kernel.NewDynamics(l.sig)
	if other.AddFlow(term(l.sig, "x"), term(l.sig, "1")) != nil || other.AddFlow(term(l.sig, "y"), term(l.sig, "1")) != nil {
		t.Fatal("no flow")
	}
	c := must(kernel.NewContext(other, kernel.Motion, must(kernel.NewHypothesis(kernel.Kept, formula(l.sig, "eq x; 0")))))
	if x, err := model.Refute(c, formula(l.sig, "always gt y; 0"), l.at("x=0 y=0 p=2"), good); err == nil {
		t.Errorf("refuted by a keep of other dynamics: %s", x.Reason())
	}
}

// A limit is refuted by a motion for all time: what a keep assumes all along has to be constant.
func TestKeepsForEver(t *testing.T) {
	l := newLab(kernel.Motion, "state x\nx' = x*(1 - x)*(2 - x)\nalways eq x; x")
	same := must(must(kernel.NewContext(l.dyn, kernel.AtState)).Apply("modulo", formula(l.sig, "eq x; x"), nil))
	for hyp, want := range map[string]string{"ge 1; 0": "", "gt x; 5/4": may} {
		c := must(kernel.NewContext(l.dyn, kernel.Motion, must(kernel.NewHypothesis(kernel.Kept, formula(l.sig, hyp)))))
		keep := must(c.Apply("lift", formula(l.sig, "always eq x; x"), []kernel.Theorem{same}))
		x, err := model.Refute(l.ctx, formula(l.sig, "tends x; 2; 0; 3"), l.at("x=3/2"), keep)
		if x.Valid() != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q %v", hyp, x.Reason(), err)
		}
	}
}

// TestKeepsOfOverwrittenContexts: a theorem by which a hypothesis lasts says so of its own Γ, not of one with which that is
// overwritten for the time of a call. Its y >= 0 is what does not hold at the state.
func TestKeepsOfOverwrittenContexts(t *testing.T) {
	sig := kernel.NewSignature()
	x := must(sig.DeclareScalar("x", kernel.State))
	z := must(sig.DeclareScalar("z", kernel.State))
	y := must(sig.DeclareScalar("y", kernel.Param))
	h := must(sig.DeclareScalar("h", kernel.Hole))
	zero := must(sig.Number(new(big.Rat)))
	one := must(sig.Number(big.NewRat(1, 1)))
	minus := must(sig.Number(big.NewRat(-1, 1)))
	dyn := kernel.NewDynamics(sig)
	if err := dyn.AddFlow(x, y); err != nil {
		t.Fatal(err)
	}
	if err := dyn.AddFlow(z, one); err != nil {
		t.Fatal(err)
	}
	ge := func(a, b *kernel.Term) kernel.Formula { return must(kernel.NewFormula(kernel.AtLeast, a, b)) }
	eq := func(a, b *kernel.Term) kernel.Formula { return must(kernel.NewFormula(kernel.Equal, a, b)) }
	hy := func(m kernel.Mark, f kernel.Formula) kernel.Hypothesis { return must(kernel.NewHypothesis(m, f)) }
	// honest theorem: const y >= 0, start x >= 0 |- always x >= 0
	c1 := must(kernel.NewContext(dyn, kernel.Motion, hy(kernel.Constant, ge(y, zero)), hy(kernel.Start, ge(x, zero))))
	c2 := must(kernel.NewContext(dyn, kernel.Motion, hy(kernel.Start, ge(x, zero))))
	ddt := must(sig.Make(kernel.Ddt, 0, x))
	s0 := must(kernel.NewContext(dyn, kernel.AtState))
	e := must(s0.Apply("modulo", eq(ddt, y), nil))
	ae := must(c1.Apply("lift", must(kernel.NewAlways(eq(ddt, y))), []kernel.Theorem{e}))
	s1 := must(kernel.NewContext(dyn, kernel.AtState, hy(kernel.Here, ge(y, zero)), hy(kernel.Here, ge(h, zero))))
	b := must(s1.Apply("hyp", ge(y, zero), nil))
	stay := must(c1.Apply("barrier", must(kernel.NewFormula(kernel.StayNonnegative, x)), []kernel.Theorem{ae, b}, y, h))
	keep := must(c1.Apply("keep", must(kernel.NewAlways(ge(x, zero))), []kernel.Theorem{stay}))

	// Γ: always x >= 0, const y == -1, start x == 0: no motion meets it.
	c := must(kernel.NewContext(dyn, kernel.Motion, hy(kernel.Kept, ge(x, zero)), hy(kernel.Constant, eq(y, minus)), hy(kernel.Start, eq(x, zero))))
	goal := must(kernel.NewFormula(kernel.Evolves, z, zero))
	st := must(model.NewState(sig, nil, map[string][][]*big.Rat{"x": {{new(big.Rat)}}, "y": {{big.NewRat(-1, 1)}}, "z": {{big.NewRat(1, 1)}}}))
	if x, err := model.Refute(c, goal, st, keep); err == nil || x.Valid() {
		t.Fatal("no motion from there meets Γ")
	}
	saved := *c1
	*c1 = *c2
	forged, err := model.Refute(c, goal, st, keep)
	*c1 = saved
	if err == nil || forged.Valid() {
		t.Errorf("a keep whose context is overwritten for a while: %s", forged.Reason())
	}
}
