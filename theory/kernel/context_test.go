package kernel

import (
	"strings"
	"testing"
)

// TestDeclarations refuses each moment and each equation that means nothing, each hypothesis and each context that is none.
func TestDeclarations(t *testing.T) {
	s := declare(t, "n m; a; A:n,n C:n,m; state x W:n,n; hole h")
	column := func(name string, c Class, n Dim) *Term {
		v, err := s.DeclareMatrix(name, c, n, "1")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v, w, u, e := column("v", Random, "n"), column("w", Random, "n"), column("u", Random, "m"), column("e", Centred, "n")
	g := column("g", Random, "n")
	other := declare(t, "n; a; state x")
	term := func(src string) *Term { return read(t, s, src) }
	d := NewDynamics(s)
	wants := func(what string, err error, why string) {
		t.Helper()
		switch {
		case why == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case why != "" && (err == nil || !strings.Contains(err.Error(), why)):
			t.Errorf("%s: %v, and not %s", what, err, why)
		}
	}
	wants("a moment", d.AddMoment(v, v, term("A")), "")
	wants("a moment of two", d.AddMoment(v, w, term("A")), "")
	wants("a moment of other sizes", d.AddMoment(u, v, term("C^T")), "")
	wants("twice", d.AddMoment(v, v, term("A")), "declared twice")
	wants("two twice", d.AddMoment(v, w, term("A")), "declared twice")
	wants("twice, the other way round", d.AddMoment(w, v, term("A")), "declared twice")
	wants("a first term of another signature", d.AddMoment(other.Lookup("x"), g, term("A")), "another signature")
	wants("a moment of another signature", d.AddMoment(g, g, other.Lookup("a")), "another signature")
	wants("a first that is not random", d.AddMoment(term("W"), g, term("A")), "two declared random columns")
	wants("a second that is not random", d.AddMoment(g, term("W"), term("A")), "two declared random columns")
	wants("a first that is no letter", d.AddMoment(term("A*A"), g, term("A")), "two declared random columns")
	wants("a scalar", d.AddMoment(g, g, term("a")), "is not")
	wants("other rows", d.AddMoment(g, g, term("C^T*A")), "is not")
	wants("other columns", d.AddMoment(g, g, term("C")), "is not")
	wants("centred and not independent", d.AddMoment(g, e, term("A")), "no joint moment")
	wants("centred first", d.AddMoment(e, g, term("A")), "no joint moment")
	wants("centred with itself", d.AddMoment(e, e, term("A")), "")
	p := func(x *Term) *Term { return s.mul(x, s.transpose(x)) }
	wants("random", d.AddMoment(g, g, p(v)), "itself random")
	wants("random and centred", d.AddMoment(g, g, p(e)), "itself random")
	wants("a hole", d.AddMoment(g, g, term("h*A")), "itself random")

	for what, add := range map[string]func(x, f *Term) error{"flow": d.AddFlow, "map": d.AddMap} {
		x := term("x")
		wants(what+" of another signature", add(other.Lookup("x"), term("a")), "another signature")
		wants(what+" with another signature", add(x, other.Lookup("a")), "another signature")
		wants(what+" of no letter", add(term("x + x"), term("a")), "declared state variable")
		wants(what+" of a parameter", add(term("a"), term("a")), "declared state variable")
		wants(what+" of a scalar by a matrix", add(x, term("A")), "its equation")
		wants(what+" of a matrix by other rows", add(term("W"), term("C^T*A")), "its equation")
		wants(what+" of a matrix by other columns", add(term("W"), term("C")), "its equation")
		wants(what+" by a hole", add(x, term("h")), "mentions a hole")
		wants(what, add(x, term("x")), "")
		wants(what+" twice", add(x, term("a")), "two equations")
	}

	// hypothesis is unchecked: what NewHypothesis would refuse, a context has to.
	sign := statement(t, s, "x > 0")
	holed := statement(t, s, "h > 0")
	free := NewDynamics(s)
	context := func(d *Dynamics, time Time, hyps ...Hypothesis) error {
		c, err := NewContext(d, time, hyps...)
		if (c == nil) != (err != nil) {
			t.Errorf("a context %v beside the error %v", c, err)
		}
		return err
	}
	wants("no flow", context(free, Motion), "no motion without its equations")
	wants("no map", context(free, Orbit), "no orbit without its equations")
	wants("no time", context(d, times), "a kind of time")
	wants("no formula", context(d, AtState, Hypothesis{}), "a marked state formula")
	wants("a formula over time", context(d, Motion, Hypothesis{Kept, always(sign)}), "a marked state formula")
	wants("no mark", context(d, Motion, Hypothesis{marks, sign}), "a marked state formula")
	wants("a hypothesis of another signature", context(d, AtState, Hypothesis{Here, statement(t, other, "x > 0")}), "another signature")
	wants("a hole over time", context(d, Motion, Hypothesis{Kept, holed}), "mentions a hole")
	wants("a hole at a state", context(d, AtState, Hypothesis{Here, holed}), "")
	wants("here, over time", context(d, Motion, Hypothesis{Here, sign}), "marked here")
	wants("always, at a state", context(d, AtState, Hypothesis{Kept, sign}), "marked always")
	wants("const, and moves", context(d, Motion, Hypothesis{Constant, sign}), "marked const moves")
	for _, f := range []Formula{{}, always(sign)} {
		if _, err := NewHypothesis(Kept, f); err == nil {
			t.Errorf("a hypothesis %s", f.form)
		}
	}
	if _, err := NewHypothesis(marks, sign); err == nil {
		t.Error("a hypothesis without a mark")
	}

	// The dynamics belong to contexts now.
	wants("a later moment", d.AddMoment(g, g, term("A")), "frozen")
	wants("a later flow", d.AddFlow(term("W"), term("W")), "frozen")
	wants("a later map", d.AddMap(term("W"), term("W")), "frozen")
}

// TestDoors refuses each application that is none of a rule, and terms that have no value.
func TestDoors(t *testing.T) {
	s := declare(t, "n; a; A:n,n; state x; hole h")
	v, err := s.DeclareMatrix("v", Random, "n", "1")
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.DeclareMatrix("e", Centred, "n", "1")
	if err != nil {
		t.Fatal(err)
	}
	d := NewDynamics(s)
	if err := d.AddFlow(s.Lookup("x"), read(t, s, "x")); err != nil {
		t.Fatal(err)
	}
	other := declare(t, "n; a; state x")
	c, m := state(t, d, "x > 0"), over(t, d, Motion, "always: x > 0")
	refuses := func(what string, c *Context, why, rule string, f Formula, premises []Theorem, terms ...*Term) {
		t.Helper()
		if _, err := c.Apply(rule, f, premises, terms...); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, and not %s", what, err, why)
		}
	}
	sign, one := statement(t, s, "x > 0"), statement(t, s, "1 > 0")
	th := prove(t, c, "hyp", "x > 0", nil)
	refuses("no rule", c, "there is no rule", "belief", sign, nil)
	refuses("a rule of states over time", m, "concludes no motion", "number", one, nil)
	refuses("a rule over time of states", c, "concludes no state", "lift", always(sign), []Theorem{th})
	refuses("a rule of orbits along a flow", m, "concludes no motion", "geometric", claim(t, s, "evolves x; a"), nil)
	refuses("a premise too many", c, "takes 0 premise(s)", "number", one, []Theorem{th})
	refuses("a term too many", c, "takes 0 term(s)", "number", one, nil, read(t, s, "a"))
	refuses("no goal", c, "states nothing of this form", "hyp", Formula{}, nil)
	refuses("a goal over time", c, "states nothing of this form", "explode", always(sign), []Theorem{th})
	refuses("a goal of states", m, "states nothing of this form", "explode", sign, []Theorem{th})
	refuses("a goal of another signature", c, "the goal is of another signature", "number", statement(t, other, "1 > 0"), nil)
	refuses("a hole over time", m, "a hole has no values over time", "lift", always(statement(t, s, "h > 0")), []Theorem{th})
	refuses("no premise", c, "states nothing", "weaken", statement(t, s, "x >= 0"), []Theorem{{}})
	refuses("a premise of other dynamics", state(t, NewDynamics(s), "x > 0"), "of other dynamics", "weaken", statement(t, s, "x >= 0"), []Theorem{th})
	refuses("a term of another signature", c, "a term of another signature", "split", sign, []Theorem{th, th}, other.Lookup("a"))
	equal := func(x *Term) Formula { return formula(Equal, x, x) }
	refuses("a random column", c, "stands outside E", "modulo", equal(v), nil)
	refuses("a centred column", c, "stands outside E", "modulo", equal(e), nil)
	// What a derivative drops has to have a value.
	refuses("a divisor that a derivative drops", c, "needed and not established: a != 0", "modulo", formula(Equal, read(t, s, "ddt(1/a)"), s.integer(0)), nil)

	if _, err := m.Missing(read(t, s, "x")); err == nil {
		t.Error("terms over time have missing conditions")
	}
	if _, err := c.Missing(other.Lookup("x")); err == nil {
		t.Error("terms of another signature have missing conditions")
	}
	again := prove(t, c, "hyp", "x > 0", nil)
	if again.Same(th) || !th.Same(th) {
		t.Error("two theorems are one, or one is not itself")
	}
	if always(sign).Same(always(one)) || !always(sign).Same(always(sign)) {
		t.Error("what is said to hold always is not looked at")
	}
	// A sign against another number than zero says nothing of a divisor.
	k := state(t, d, "a > -1", "a != 1", "a >= -1")
	for _, f := range []string{"a > -1", "a != 1", "a >= -1"} {
		prove(t, k, "hyp", f, nil)
	}
	refused(t, k, "modulo", "1/a == 1/a", "needed and not established: a != 0", nil)
	refused(t, k, "modulo", "root(a) == root(a)", "needed and not established: a >= 0", nil)
}
