package kernel

import (
	"strings"
	"testing"
)

// over makes a motion or orbit context; a hypothesis is "const: φ", "always: φ" or "start: φ".
func over(t testing.TB, d *Dynamics, time Time, hyps ...string) *Context {
	t.Helper()
	var hs []Hypothesis
	for _, h := range hyps {
		name, f, _ := strings.Cut(h, ": ")
		m, ok := MarkNamed(name)
		if !ok {
			t.Fatalf("no mark in %q", h)
		}
		hs = append(hs, Hypothesis{m, statement(t, d.sig, f)})
	}
	c, err := NewContext(d, time, hs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// claim reads "always φ", or the name of a form and its terms between semicolons: "evolves L; c".
func claim(t testing.TB, s *Signature, src string) Formula {
	t.Helper()
	word, rest, _ := strings.Cut(src, " ")
	form, ok := FormNamed(word)
	if !ok {
		return statement(t, s, src)
	}
	if form == Always {
		f := statement(t, s, rest)
		for i, x := range f.terms {
			f.terms[i] = negatives(s, x)
		}
		return always(f)
	}
	var terms []*Term
	for _, x := range strings.Split(rest, ";") {
		terms = append(terms, read(t, s, strings.TrimSpace(x)))
	}
	f, err := NewFormula(form, terms...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// negatives puts the literals −1 and −2 for letters minus1, minus2, since the notation has −1·1 for −1.
func negatives(s *Signature, x *Term) *Term {
	with := map[*Term]*Term{}
	for name, v := range map[string]int64{"minus1": -1, "minus2": -2} {
		if l := s.Lookup(name); l != nil {
			with[l] = s.integer(v)
		}
	}
	return (&application{sig: s}).fill(x, with)
}

// bench applies rules about motions and orbits. Its premises are premises by decree: theorems of a context that
// nothing satisfies, so that a rule looks at nothing but their form.
type bench struct {
	*testing.T
	d *Dynamics
}

// none is a context of the kind that no motion or orbit satisfies, with further hypotheses.
func (b bench) none(time Time, hyps ...string) *Context {
	b.Helper()
	return over(b.T, b.d, time, append([]string{"const: false"}, hyps...)...)
}

// theorem is a claim in a context that knows a contradiction.
func (b bench) theorem(c *Context, src string) Theorem {
	b.Helper()
	false0 := formula(Absurd)
	bottom, err := c.Apply("hyp", false0, nil)
	if c.time != AtState {
		var here *Context
		if here, err = NewContext(b.d, AtState, Hypothesis{Here, false0}); err == nil {
			if bottom, err = here.Apply("hyp", false0, nil); err == nil {
				bottom, err = c.Apply("lift", always(false0), []Theorem{bottom})
			}
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	th, err := c.Apply("explode", claim(b.T, b.d.sig, src), []Theorem{bottom})
	if err != nil {
		b.Fatalf("%s: %v", src, err)
	}
	return th
}

// at is a theorem about states under these hypotheses. If one of them is "false" it is by decree.
func (b bench) at(goal string, hyps ...string) Theorem {
	b.Helper()
	c := state(b.T, b.d, hyps...)
	if c.assumes(formula(Absurd)) {
		for _, h := range hyps {
			prove(b.T, c, "hyp", h, nil)
		}
		return b.theorem(c, goal)
	}
	return prove(b.T, c, "hyp", goal, nil)
}

// try applies a rule; why is empty if it is right.
func (b bench) try(c *Context, rule, goal, why string, premises []Theorem, terms ...string) {
	b.Helper()
	var ts []*Term
	for _, x := range terms {
		ts = append(ts, read(b.T, b.d.sig, x))
	}
	th, err := c.Apply(rule, claim(b.T, b.d.sig, goal), premises, ts...)
	switch {
	case err == nil && why != "":
		b.Errorf("%s by %s is proved, want a refusal: %s", goal, rule, why)
	case err != nil && why == "":
		b.Errorf("%s by %s: %v", goal, rule, err)
	case err != nil && (th.Valid() || !strings.Contains(err.Error(), why)):
		b.Errorf("%s by %s: refused with %q, want %q", goal, rule, err, why)
	}
}

// decree tries a rule in a context that nothing satisfies, with premises by decree.
func (b bench) decree(c *Context, rule, goal, why string, premises []string, terms ...string) {
	b.Helper()
	var ths []Theorem
	for _, p := range premises {
		ths = append(ths, b.theorem(c, p))
	}
	b.try(c, rule, goal, why, ths, terms...)
}

// floor is what the tests below are about: x and y move by themselves, z by an input, W as a matrix.
func floor(t *testing.T) bench {
	s := declare(t, "n m; a c k minus1 minus2; A:n,n N:n,n R:n,n; state x y z W:n,n V:n,m; input u; hole h g; hole H:n,n")
	d := NewDynamics(s)
	for _, e := range [][3]string{
		{"x", "-x", "x/2"}, {"y", "x*y + x^2", "x*y"}, {"z", "u", "u"}, {"W", "A*W + W*A^T", "A*W*A^T"}, {"V", "A*V", "A*V"},
	} {
		x := s.Lookup(e[0])
		if err := d.AddFlow(x, read(t, s, e[1])); err != nil {
			t.Fatal(err)
		}
		if err := d.AddMap(x, read(t, s, e[2])); err != nil {
			t.Fatal(err)
		}
	}
	return bench{t, d}
}

func list(ths ...Theorem) []Theorem { return ths }

func TestLift(t *testing.T) {
	b := floor(t)
	for _, time := range []Time{Motion, Orbit} {
		c := over(t, b.d, time, "const: a > 0", "always: x > 0", "start: y > 0")
		b.try(c, "lift", "always a > 0", "", list(b.at("a > 0", "a > 0")))
		b.try(c, "lift", "always x > 0", "", list(b.at("x > 0", "x > 0", "a > 0")))
		b.try(c, "lift", "always y > 0", "premise 1 assumes", list(b.at("y > 0", "y > 0")))
		b.try(c, "lift", "always x > 0", "premise 1 assumes", list(b.at("x > 0", "x > 0", "y > 0")))
		b.try(c, "lift", "always z > 0", "premise 1 assumes", list(b.at("z > 0", "z > 0")))
		b.try(c, "lift", "always a > 0", "not what is to hold", list(b.at("x > 0", "x > 0")))
		b.try(c, "lift", "evolves x; c", "establishes always", list(b.at("x > 0", "x > 0")))
		b.try(c, "lift", "always a > 0", "premise(s) or more", nil)
		// What is always so by another theorem may be assumed at a state.
		pos, err := c.Apply("lift", claim(t, b.d.sig, "always a > 0"), list(b.at("a > 0", "a > 0")))
		if err != nil {
			t.Fatal(err)
		}
		st := state(t, b.d, "a > 0")
		w, err := c.Apply("lift", claim(t, b.d.sig, "always a >= 0"), list(prove(t, st, "weaken", "a >= 0", list(prove(t, st, "hyp", "a > 0", nil)))))
		if err != nil {
			t.Fatal(err)
		}
		b.try(c, "lift", "always a >= 0", "", list(b.at("a >= 0", "a >= 0"), w))
		b.try(c, "lift", "always a >= 0", "assumes", list(b.at("a >= 0", "a >= 0"), pos))
		b.try(c, "lift", "always a >= 0", "premise 2 is a theorem of another context", list(b.at("a >= 0", "a >= 0"), b.at("a >= 0", "a >= 0")))
	}
}

func TestExplodeOverTime(t *testing.T) {
	b := floor(t)
	for _, time := range []Time{Motion, Orbit} {
		c := b.none(time)
		b.decree(c, "explode", "evolves x; c", "", []string{"always false"})
		b.decree(c, "explode", "evolves x; c", "not a contradiction", []string{"always x > 0"})
		b.decree(c, "explode", "evolves x; c", "not a contradiction", []string{"vanishes x"})
		b.try(c, "explode", "evolves x; c", "another context", list(b.at("false", "false")))
	}
}

func TestRemainAndKeep(t *testing.T) {
	b := floor(t)
	for _, time := range []Time{Motion, Orbit} {
		c := b.none(time)
		b.decree(c, "remain", "stayzero x; W", "", []string{"always x == 0", "always W == O(n,n)"})
		b.decree(c, "remain", "staynonnegative x; y", "", []string{"always x >= 0", "always y >= 0"})
		b.decree(c, "remain", "staypositive x", "", []string{"always x > 0"})
		b.decree(c, "remain", "staypsd W", "", []string{"always W psd"})
		b.decree(c, "remain", "staypositive x", "premise 1", []string{"always x >= 0"})
		b.decree(c, "remain", "staynonnegative x; y", "premise 2", []string{"always x >= 0", "always x >= 0"})
		b.decree(c, "remain", "staynonnegative x; y", "2 premise", []string{"always x >= 0"})
		b.decree(c, "remain", "staynonnegative x", "premise 1", []string{"always x >= -1"})
		b.decree(c, "remain", "always y > 0", "something stays", nil)
		b.decree(c, "remain", "evolves x; c", "something stays", nil)

		c = b.none(time, "start: x > 0", "always: y > 0", "start: x >= y", "start: W^T == W", "start: W psd", "start: z == 0", "const: a > 0", "start: y >= 0")
		b.decree(c, "keep", "always x > 0", "", []string{"staypositive x"})
		b.decree(c, "keep", "always x > 0", "", []string{"staypositive y; x; a"})
		b.decree(c, "keep", "always x >= y", "", []string{"staynonnegative x - y"})
		b.decree(c, "keep", "always W^T == W", "", []string{"stayzero W^T - W"})
		b.decree(c, "keep", "always W psd", "", []string{"staypsd W"})
		b.decree(c, "keep", "always z == 0", "", []string{"stayzero z"})
		b.decree(c, "keep", "always y >= 0", "", []string{"staynonnegative y; z", "always z >= 0"})
		b.decree(c, "keep", "always y >= 0", "z is not known", []string{"staynonnegative y; z"})
		b.decree(c, "keep", "always y >= 0", "not known", []string{"staynonnegative y; z", "always z > 0"})
		b.decree(c, "keep", "always x >= 0", "not known", []string{"staynonnegative x"})
		b.decree(c, "keep", "always x >= 0", "not what premise 1 keeps", []string{"staypositive x"})
		b.decree(c, "keep", "always y > 0", "not what premise 1 keeps", []string{"staypositive x"})
		b.decree(c, "keep", "always x >= y", "not known", []string{"staynonnegative y - x"})
		b.decree(c, "keep", "always x > 0", "not what premise 1 keeps", []string{"always x > 0"})
		b.decree(c, "keep", "always x > 0", "does not say that something stays", []string{"decays x; c"})
		b.decree(c, "keep", "staypositive x", "establishes always", []string{"staypositive x"})
		b.decree(c, "keep", "always x > 0", "premise(s) or more", nil)
		b.try(c, "keep", "always x > 0", "another context", list(b.theorem(b.none(time, "start: x > 0"), "staypositive x")))
	}
}

// absurdity is ⊥ at a state under these hypotheses, the last two of which contradict each other.
func (b bench) absurdity(hyps ...string) Theorem {
	b.Helper()
	var hs []Hypothesis
	for _, h := range hyps {
		hs = append(hs, Hypothesis{Here, statement(b.T, b.d.sig, h)})
	}
	state, err := NewContext(b.d, AtState, hs...)
	if err != nil {
		b.Fatal(err)
	}
	var two []Theorem
	for _, h := range hs[len(hs)-2:] {
		th, err := state.Apply("hyp", h.formula, nil)
		if err != nil {
			b.Fatal(err)
		}
		two = append(two, th)
	}
	th, err := state.Apply("absurd", formula(Absurd), two)
	if err != nil {
		b.Fatal(err)
	}
	return th
}

func TestUnmet(t *testing.T) {
	b := floor(t)
	for _, time := range []Time{Motion, Orbit} {
		c := over(t, b.d, time, "const: a > 0", "always: x > 0", "start: y > 0")
		absurd := b.absurdity
		b.try(c, "unmet", "staynonnegative -1*y", "", list(absurd("y > 0", "-1*y >= 0")))
		b.try(c, "unmet", "staynonnegative -1*x", "", list(absurd("x > 0", "-1*x >= 0")))
		b.try(c, "unmet", "staynonnegative -1*a", "", list(absurd("a > 0", "-1*a >= 0")))
		b.try(c, "unmet", "staypositive z; -1*y", "", list(absurd("z > 0", "y > 0", "-1*y > 0")))
		d := b.none(time)
		b.try(d, "unmet", "staynonnegative -1*z", "", list(absurd("z > 0", "-1*z >= 0"), b.theorem(d, "always z > 0")))
		b.try(c, "unmet", "staynonnegative -1*z", "premise 1 assumes", list(absurd("z > 0", "-1*z >= 0")))
		b.try(c, "unmet", "staynonnegative y", "premise 1 assumes", list(absurd("y > 0", "-1*y >= 0")))
		b.try(c, "unmet", "staypositive -1*y", "premise 1 assumes", list(absurd("y > 0", "-1*y >= 0")))
		b.try(c, "unmet", "staynonnegative y", "not that this is absurd", list(b.at("y >= 0", "y >= 0")))
		b.try(d, "unmet", "staynonnegative y", "not that this is absurd", list(b.theorem(d, "always y >= 0")))
		b.try(c, "unmet", "evolves y; a", "something stays", list(absurd("y > 0", "-1*y >= 0")))
		b.try(c, "unmet", "staynonnegative -1*y", "premise(s) or more", nil)
		// A value at each time: of what has one at every state, or by what is permanent.
		b.try(c, "unmet", "staynonnegative -1*y; root(z)", "value at each time", list(absurd("y > 0", "-1*y >= 0")))
		b.try(c, "unmet", "staypositive -1*y; 1/z", "value at each time", list(absurd("y > 0", "-1*y > 0")))
		b.try(c, "unmet", "staynonnegative -1*y; diff(root(z), x)", "value at each time", list(absurd("y > 0", "-1*y >= 0"))) // 0, where root(z) is
		e := b.none(time, "start: y > 0")
		b.try(e, "unmet", "staynonnegative -1*y; root(z)", "", list(absurd("y > 0", "-1*y >= 0"), b.theorem(e, "always root(z) == root(z)")))
		b.try(e, "unmet", "staynonnegative -1*y; root(z)", "value at each time", list(absurd("y > 0", "-1*y >= 0"), b.theorem(e, "always z*root(z) == 0")))
		f := over(t, b.d, time, "start: y > 0", "always: root(z) >= x")
		b.try(f, "unmet", "staynonnegative -1*y; root(z)", "", list(absurd("y > 0", "-1*y >= 0")))
		g := over(t, b.d, time, "start: y > 0", "start: root(z) >= x")
		b.try(g, "unmet", "staynonnegative -1*y; root(z)", "value at each time", list(absurd("y > 0", "-1*y >= 0")))
	}
}

func TestBegin(t *testing.T) {
	b := floor(t)
	for _, time := range []Time{Motion, Orbit} {
		none := "always false"
		c := over(t, b.d, time, "const: a > 0", "const: -1*a >= 0")
		b.try(c, "begin", none, "", list(b.absurdity("a > 0", "-1*a >= 0")))
		c = over(t, b.d, time, "always: x > 0", "start: -1*x >= 0", "start: y > 0", "start: -1*y >= 0")
		b.try(c, "begin", none, "", list(b.absurdity("x > 0", "-1*x >= 0")))
		b.try(c, "begin", none, "", list(b.absurdity("-1*x >= 0", "y > 0", "-1*y >= 0")))
		// An input has a value at time 0.
		c = over(t, b.d, time, "start: u > 0", "start: -1*u >= 0")
		b.try(c, "begin", none, "", list(b.absurdity("u > 0", "-1*u >= 0")))
		// What is known to hold all along holds at time 0; what is known of another Γ does not.
		c = b.none(time, "start: z > 0")
		two := b.absurdity("z > 0", "-1*z >= 0")
		b.try(c, "begin", none, "", list(two, b.theorem(c, "always -1*z >= 0")))
		b.try(c, "begin", none, "another context", list(two, b.theorem(b.none(time), "always -1*z >= 0")))
		b.try(c, "begin", none, "premise 2 is vanishes", list(two, b.theorem(c, "vanishes z")))
		// A hypothesis that is made here, at the state, or that is weaker in Γ.
		b.try(c, "begin", none, "premise 1 assumes", list(two))
		b.try(over(t, b.d, time, "start: z >= 0", "start: -1*z >= 0"), "begin", none, "premise 1 assumes", list(two))
		b.try(b.none(time), "begin", none, "premise 1 assumes", list(two))
		b.try(c, "begin", none, "not that this is absurd", list(b.at("z > 0", "z > 0")))
		b.try(c, "begin", none, "not that this is absurd", list(b.theorem(c, "always z > 0")))
		c = over(t, b.d, time, "start: z > 0", "start: -1*z >= 0")
		b.try(c, "begin", "always z > 1", "always absurd, not", list(two))
		b.try(c, "begin", "evolves z; a", "establishes always", list(two))
		b.try(c, "begin", none, "premise(s) or more", nil)
	}
	_, err := state(t, b.d, "z > 0", "-1*z >= 0").Apply("begin", formula(Absurd), list(b.absurdity("z > 0", "-1*z >= 0")))
	if err == nil {
		t.Error("begin concludes something of a state")
	}
}

func TestDerivatives(t *testing.T) {
	b := floor(t)
	c := b.none(Motion)
	l, r := "always ddt(x) == ddt(x)", "always ddt(y) == ddt(y)"
	b.decree(c, "differentiate", "always ddt(x) == ddt(y)", "", []string{"always x == y", l, r})
	b.decree(c, "differentiate", "always ddt(x) == ddt(y)", "premise 1 is evolves", []string{"evolves x; c", l, r})
	b.decree(c, "differentiate", "always ddt(x) == ddt(y)", "is differentiated", []string{"always x >= y", l, r})
	b.decree(c, "differentiate", "always ddt(x) == ddt(y)", "premise 2", []string{"always x == y", r, r})
	b.decree(c, "differentiate", "always ddt(x) == ddt(y)", "premise 3", []string{"always x == y", l, l})
	b.decree(c, "differentiate", "always ddt(y) == ddt(x)", "not the derivative", []string{"always x == y", l, r})
	b.decree(c, "differentiate", "always ddt(x) == ddt(z)", "not the derivative", []string{"always x == y", l, r})
	b.decree(c, "differentiate", "stayzero x - y", "establishes always", []string{"always x == y", l, r})
	b.decree(b.none(Orbit), "differentiate", "always ddt(x) == ddt(y)", "no orbit", []string{"always x == y", l, r})

	b.decree(c, "integrate", "evolves x; c", "", []string{"always ddt(x) == c*x"})
	b.decree(c, "integrate", "evolves W; c", "", []string{"always ddt(W) == c*W"})
	b.decree(c, "integrate", "evolves x; y", "y moves", []string{"always ddt(x) == y*x"})
	b.decree(c, "integrate", "evolves x; u", "u moves", []string{"always ddt(x) == u*x"})
	b.decree(c, "integrate", "evolves x; c", "premise 1", []string{"always ddt(x) == a*x"})
	b.decree(c, "integrate", "evolves x; c", "premise 1", []string{"always ddt(x) == c*y"})
	b.decree(c, "integrate", "decays x; c", "establishes evolves", []string{"always ddt(x) == c*x"})
	b.decree(b.none(Orbit), "integrate", "evolves x; c", "no orbit", []string{"always ddt(x) == c*x"})

	b.decree(c, "gronwall", "decays x; c", "", []string{"always -(c*x) >= ddt(x)"})
	b.decree(c, "gronwall", "normdecays x; c", "", []string{"always minus2*(c*x^2) >= ddt(x^2)"})
	b.decree(c, "gronwall", "normdecays W; c", "", []string{"always minus2*(c*tr(W^T*W)) >= ddt(tr(W^T*W))"})
	b.decree(c, "gronwall", "decays x; y", "y moves", []string{"always -(y*x) >= ddt(x)"})
	b.decree(c, "gronwall", "normdecays x; y", "y moves", []string{"always minus2*(y*x^2) >= ddt(x^2)"})
	b.decree(c, "gronwall", "decays x; c", "premise 1", []string{"always c*x >= ddt(x)"})
	b.decree(c, "gronwall", "normdecays x; c", "premise 1", []string{"always -(c*x) >= ddt(x)"})
	b.decree(c, "gronwall", "normdecays x; c", "premise 1", []string{"always -(c*x^2) >= ddt(x^2)"})
	b.decree(c, "gronwall", "evolves x; c", "not evolves", []string{"always -(c*x) >= ddt(x)"})
	b.decree(b.none(Orbit), "gronwall", "decays x; c", "no orbit", []string{"always -(c*x) >= ddt(x)"})
}

func TestVanishing(t *testing.T) {
	b := floor(t)
	m, o := b.none(Motion), b.none(Orbit)
	b.decree(m, "vanish", "vanishes W", "", []string{"normdecays W; c", "always c > 0"})
	b.decree(m, "vanish", "vanishes W", "", []string{"evolves W; c", "always 0 > c"})
	b.decree(m, "vanish", "vanishes W", "premise 2", []string{"normdecays W; c", "always c >= 0"})
	b.decree(m, "vanish", "vanishes W", "premise 2", []string{"normdecays W; c", "always 1 > c"})
	b.decree(m, "vanish", "vanishes W", "premise 2", []string{"evolves W; c", "always c > 0"})
	b.decree(m, "vanish", "vanishes W", "premise 2", []string{"evolves W; c", "always 0 > a"})
	b.decree(m, "vanish", "vanishes V", "another term", []string{"normdecays W; c", "always c > 0"})
	b.decree(m, "vanish", "vanishes V", "another term", []string{"evolves W; c", "always 0 > c"})
	b.decree(m, "vanish", "vanishes x", "because of decays", []string{"decays x; c", "always c > 0"})
	b.decree(m, "vanish", "stayzero W", "establishes vanishes", []string{"normdecays W; c", "always c > 0"})
	b.decree(m, "vanish", "vanishes W", "2 premise", []string{"normdecays W; c"})
	b.decree(m, "vanish", "vanishes W", "2 premise", []string{"evolves W; c"})
	b.decree(m, "vanish", "vanishes W", "premise(s) or more", nil)
	b.decree(m, "vanish", "vanishes W", "2 premise", []string{"normdecays W; c", "always c > 0", "always c > 0"})

	b.decree(o, "vanish", "vanishes W", "", []string{"normdecays W; c", "always 1 > c"})
	b.decree(o, "vanish", "vanishes W", "", []string{"evolves W; c", "always 1 > c", "always c > minus1"})
	b.decree(o, "vanish", "vanishes W", "premise 2", []string{"normdecays W; c", "always c > 0"})
	b.decree(o, "vanish", "vanishes W", "premise 2", []string{"normdecays W; c", "always 1 >= c"})
	b.decree(o, "vanish", "vanishes W", "premise 2", []string{"evolves W; c", "always 1 >= c", "always c > minus1"})
	b.decree(o, "vanish", "vanishes W", "premise 3", []string{"evolves W; c", "always 1 > c", "always c >= minus1"})
	b.decree(o, "vanish", "vanishes W", "3 premise", []string{"evolves W; c", "always 1 > c"})
	b.decree(o, "vanish", "vanishes V", "another term", []string{"evolves W; c", "always 1 > c", "always c > minus1"})

	sq, lin := "always x >= k*tr(W^T*W)", "always x >= k*y"
	for _, c := range []*Context{m, o} {
		b.decree(c, "dominate", "vanishes W", "", []string{"vanishes x", sq, "always k > 0"})
		b.decree(c, "dominate", "vanishes y", "", []string{"vanishes x", lin, "always y >= 0", "always k > 0"})
		b.decree(c, "dominate", "vanishes y", "", []string{"vanishes x", "always x >= k*y^2", "always k > 0"})
		b.decree(c, "dominate", "vanishes W", "premise 3", []string{"vanishes x", sq, "always k >= 0"})
		b.decree(c, "dominate", "vanishes W", "premise 3", []string{"vanishes x", sq, "always a > 0"})
		b.decree(c, "dominate", "vanishes W", "premise 2", []string{"vanishes y", sq, "always k > 0"})
		b.decree(c, "dominate", "vanishes W", "premise 2", []string{"vanishes x", "always x == k*tr(W^T*W)", "always k > 0"})
		b.decree(c, "dominate", "vanishes W", "premise 2", []string{"vanishes x", "always x >= tr(W^T*W)", "always k > 0"})
		b.decree(c, "dominate", "vanishes W", "bounds neither", []string{"vanishes x", "always x >= k*tr(W^T*A)", "always k > 0"})
		b.decree(c, "dominate", "vanishes y", "premise 3", []string{"vanishes x", lin, "always y > 0", "always k > 0"})
		b.decree(c, "dominate", "vanishes y", "premise(s)", []string{"vanishes x", lin, "always y >= 0"})
		b.decree(c, "dominate", "vanishes y", "premise 3", []string{"vanishes x", lin, "always k > 0", "always y >= 0"})
		b.decree(c, "dominate", "vanishes W", "z moves", []string{"vanishes x", "always x >= z*tr(W^T*W)", "always z > 0"})
		b.decree(c, "dominate", "vanishes W", "dominated by what evolves", []string{"evolves x; c", sq, "always k > 0"})
		b.decree(c, "dominate", "vanishes W", "premise(s)", []string{"vanishes x", sq})
		b.decree(c, "dominate", "vanishes W", "premise(s) or more", []string{"vanishes x"})
		b.decree(c, "dominate", "vanishes W", "premise(s) or more", nil)
		b.decree(c, "dominate", "stayzero W", "establishes vanishes", []string{"vanishes x", sq, "always k > 0"})
	}
	b.decree(m, "dominate", "vanishes W", "", []string{"decays x; c", "always c > 0", sq, "always k > 0"})
	b.decree(m, "dominate", "vanishes y", "", []string{"decays x; c", "always c > 0", lin, "always y >= 0", "always k > 0"})
	b.decree(m, "dominate", "vanishes W", "premise 2", []string{"decays x; c", "always c >= 0", sq, "always k > 0"})
	b.decree(m, "dominate", "vanishes W", "premise 2", []string{"decays x; c", "always 1 > c", sq, "always k > 0"})
	b.decree(m, "dominate", "vanishes y", "premise(s) or more", []string{"decays x; c", "always c > 0", lin})
	b.decree(o, "dominate", "vanishes W", "", []string{"decays x; c", "always 1 > c", sq, "always k > 0"})
	b.decree(o, "dominate", "vanishes W", "premise 2", []string{"decays x; c", "always c > 0", sq, "always k > 0"})
}

func TestMovingCongruence(t *testing.T) {
	b := floor(t)
	c := b.none(Motion)
	eq, more := "always ddt(W) == A*W + W*A^T", "always ddt(W) == A*W + W*A^T + N"
	b.decree(c, "mcongruence", "congruence W", "", []string{eq}, "A")
	b.decree(c, "mcongruence", "staypsd W", "", []string{eq}, "A")
	b.decree(c, "mcongruence", "staypsd W", "", []string{more, "always N psd"}, "A", "N")
	b.decree(c, "mcongruence", "congruence W", "only known", []string{more, "always N psd"}, "A", "N")
	b.decree(c, "mcongruence", "staypsd W", "premise 2", []string{more, "always R psd"}, "A", "N")
	b.decree(c, "mcongruence", "staypsd W", "1 premise", []string{more, "always N psd"}, "A")
	b.decree(c, "mcongruence", "staypsd W", "2 premise", []string{more}, "A", "N")
	b.decree(c, "mcongruence", "staypsd W", "premise 1", []string{more}, "A")
	b.decree(c, "mcongruence", "staypsd W", "premise 1", []string{eq, "always N psd"}, "A", "N")
	b.decree(c, "mcongruence", "congruence W", "premise 1", []string{"always ddt(W) == A*W + W*A"}, "A")
	b.decree(c, "mcongruence", "congruence R", "premise 1", []string{eq}, "A")
	b.decree(c, "mcongruence", "congruence W", "premise 1", []string{eq}, "N")
	b.decree(c, "mcongruence", "staypsd W; R", "not staypsd", []string{eq}, "A")
	b.decree(c, "mcongruence", "stayzero W", "not stayzero", []string{eq}, "A")
	b.decree(c, "mcongruence", "congruence W", "takes the term", []string{eq})
	b.decree(c, "mcongruence", "staypsd W", "takes the term", []string{more, "always N psd", "always N psd"}, "A", "N", "N")
}

func TestBarrier(t *testing.T) {
	b := floor(t)
	always := func(c *Context, hs ...string) (out []Theorem) {
		for _, h := range hs {
			out = append(out, b.theorem(c, "always "+h))
		}
		return out
	}
	// y' = x·y + x²: the border y = 0 is passed upwards.
	c := b.none(Motion, "always: x >= 0", "start: y >= 0")
	eq := "ddt(y) == x*y + x^2"
	up := b.at("x*0 + x^2 >= 0", "h >= 0", "false", "x >= 0")
	for _, form := range []string{"staynonnegative y", "staypositive y"} {
		b.try(c, "barrier", form, "", append(always(c, eq), up), "x*h + x^2", "h")
		b.try(c, "barrier", form, "", append(always(c, eq), b.at("x*0 + x^2 >= 0", "a >= 0", "false"), b.theorem(c, "always a >= 0")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "assumes", append(always(c, eq), b.at("x*0 + x^2 >= 0", "h > 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "assumes", append(always(c, eq), b.at("x*0 + x^2 >= 0", "g >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "assumes", append(always(c, eq), b.at("x*0 + x^2 >= 0", "y >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "assumes", append(always(c, eq), b.at("x*0 + x^2 >= 0", "a >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "condition at the border", append(always(c, eq), b.at("x*h + x^2 >= 0", "h >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "condition at the border", append(always(c, eq), b.at("x*0 + x^2 != 0", "h >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "condition at the border", append(always(c, eq), b.at("x*0 + x^2 >= -1", "h >= 0", "false")), "x*h + x^2", "h")
		b.try(c, "barrier", form, "premise 1", append(always(c, "ddt(y) == x*y"), up), "x*h + x^2", "h")
		b.try(c, "barrier", form, "premise 1", append(always(c, "ddt(z) == x*y + x^2"), up), "x*h + x^2", "h")
		b.try(c, "barrier", form, "a hole stands under reciprocal", append(always(c, "ddt(y) == x*y^1/y^1"), b.at("x*0^1/0^1 >= 0", "h >= 0", "false", "0^1 != 0")), "x*h^1/h^1", "h")
		b.try(c, "barrier", form, "a hole stands under root", append(always(c, "ddt(y) == root(y)"), b.at("root(0) >= 0", "h >= 0", "false", "0 >= 0")), "root(h)", "h")
		b.try(c, "barrier", form, "a hole stands under ddt", append(always(c, "ddt(y) == ddt(y)"), up), "ddt(h)", "h")
		b.try(c, "barrier", form, "a hole stands under at", append(always(c, eq), up), "at(x*h, x, 0) + x^2", "h")
		b.try(c, "barrier", form, "not a hole", append(always(c, "ddt(y) == x*y + x^2"), b.at("x*0 + x^2 >= 0", "a >= 0", "false")), "x*a + x^2", "a")
		b.try(c, "barrier", form, "not a hole", append(always(c, eq), up), "x*h + x^2", "h + h")
		b.try(c, "barrier", form, "", append(always(c, "ddt(y) == y/a + x^2"), b.at("0/a + x^2 >= 0", "a != 0", "h >= 0", "false", "a > 0"), b.theorem(c, "always a != 0"), b.theorem(c, "always a > 0")), "h/a + x^2", "h")
		b.try(c, "barrier", form, "2 terms", append(always(c, eq), up), "x*h + x^2")
		b.try(c, "barrier", form, "premise(s) or more", always(c, eq), "x*h + x^2", "h")
	}
	// Two at once, each a term of the other's motion.
	two := []string{"ddt(y) == x*y + x^2", "ddt(x) == y - x"}
	ups := list(b.at("x*0 + x^2 >= 0", "h >= 0", "g >= 0", "false"), b.at("h - 0 >= 0", "h >= 0", "g >= 0", "false"))
	b.try(c, "barrier", "staynonnegative y; x", "", append(always(c, two...), ups...), "x*h + x^2", "h - g", "h", "g")
	b.try(c, "barrier", "staynonnegative y; x", "given twice", append(always(c, two...), ups...), "x*h + x^2", "h - g", "h", "h")
	b.try(c, "barrier", "staynonnegative y; x", "condition at the border of x", append(always(c, two...), ups[0], ups[0]), "x*h + x^2", "h - g", "h", "g")
	b.try(c, "barrier", "staynonnegative y; x", "premise 2", append(always(c, two[0], two[0]), ups...), "x*h + x^2", "h - g", "h", "g")
	// Zero.
	w, ok := "ddt(W) == A*W + W*A^T", "A*O(n,n) + O(n,n)*A^T == O(n,n)"
	b.try(c, "barrier", "stayzero W", "", append(always(c, w), b.at(ok, "false")), "A*H + H*A^T", "H")
	b.try(c, "barrier", "stayzero W", "assumes", append(always(c, w), b.at(ok, "false", "H == O(n,n)")), "A*H + H*A^T", "H")
	b.try(c, "barrier", "stayzero W", "condition at the border", append(always(c, w), b.at("A*O(n,n) + W*A^T == O(n,n)", "false")), "A*H + H*A^T", "H")
	b.try(c, "barrier", "stayzero W", "a hole stands under inverse", append(always(c, "ddt(W) == inv(W)"), b.at("inv(O(n,n)) == O(n,n)", "false", "O(n,n) invertible")), "inv(H)", "H")
	b.try(c, "barrier", "stayzero y; x", "", append(always(c, "ddt(y) == x*y", "ddt(x) == -x"), b.at("0*0 == 0", "false"), b.at("-0 == 0", "false")), "g*h", "-g", "h", "g")
	b.try(c, "barrier", "stayzero y; x", "condition at the border", append(always(c, "ddt(y) == x*y", "ddt(x) == -x"), b.at("g*0 == 0", "false"), b.at("-0 == 0", "false")), "g*h", "-g", "h", "g")
	b.try(c, "barrier", "staypsd W", "not that of each entry", append(always(c, w), b.at(ok, "false")), "A*H + H*A^T", "H")
	b.try(c, "barrier", "always x > 0", "something stays", nil)
}

func TestLine(t *testing.T) {
	b := floor(t)
	goal := "tends x; 0; 0-a; a"
	inward, rest := "0 > (x - 0)*ddt(x)", "at(ddt(x), x, 0) == 0"
	c := b.none(Motion, "always: y > 0", "const: a > 0", "start: x > 0")
	lo, hi := b.theorem(c, "always 0 >= 0-a"), b.theorem(c, "always a >= 0")
	in := b.at(inward, "false", "x > 0-a", "a > x", "x != 0", "a > 0")
	at := b.at(rest, "false", "a > 0")
	b.try(c, "line", goal, "", list(in, at, lo, hi))
	b.try(c, "line", goal, "", list(b.at(inward, "false", "a >= c"), at, lo, hi, b.theorem(c, "always a >= c")))
	b.try(c, "line", goal, "premise 1 assumes", list(b.at(inward, "false", "a >= c"), at, lo, hi))
	b.try(c, "line", goal, "premise 1 assumes", list(b.at(inward, "false", "x > 0"), at, lo, hi))
	b.try(c, "line", goal, "premise 1 assumes", list(b.at(inward, "false", "y > 0"), at, lo, hi))
	b.try(c, "line", goal, "premise 1 assumes", list(b.at(inward, "false", "x != a"), at, lo, hi, b.theorem(c, "always x != a")))
	b.try(c, "line", goal, "premise 2 assumes", list(in, b.at(rest, "false", "x > 0-a"), lo, hi))
	b.try(c, "line", goal, "premise 1 is not", list(b.at("0 > (x - a)*ddt(x)", "false"), at, lo, hi))
	b.try(c, "line", goal, "premise 1 is not", list(b.at("0 >= (x - 0)*ddt(x)", "false"), at, lo, hi))
	b.try(c, "line", goal, "premise 2 is not", list(in, b.at("at(ddt(x), x, a) == 0", "false"), lo, hi))
	b.try(c, "line", goal, "premise 2 is not", list(in, b.at("at(ddt(x), x, 0) >= 0", "false"), lo, hi))
	b.try(c, "line", goal, "premise 3", list(in, at, hi, hi))
	b.try(c, "line", goal, "premise 4", list(in, at, lo, lo))
	b.try(c, "line", goal, "premise(s) or more", list(in, at, lo))
	b.try(c, "line", "vanishes x", "establishes tends", list(in, at, lo, hi))
	// An end or a limit that moves.
	b.try(c, "line", "tends x; 0; 0-a; y", "y moves", list(in, at, lo, hi))
	b.try(c, "line", "tends x; y; 0-a; a", "y moves", list(in, at, lo, hi))
	b.try(c, "line", "tends x; 0; y; a", "y moves", list(in, at, lo, hi))
	// A motion that depends on another variable, an input, a root.
	b.try(c, "line", "tends y; 0; 0-a; a", "other things that move", list(in, at, lo, hi))
	b.try(c, "line", "tends z; 0; 0-a; a", "other things that move", list(in, at, lo, hi))
	s := declare(t, "n; a; state x w")
	d := NewDynamics(s)
	if err := d.AddFlow(s.Lookup("x"), read(t, s, "-root(x)*root(a)")); err != nil {
		t.Fatal(err)
	}
	if err := d.AddFlow(s.Lookup("w"), read(t, s, "-w*root(a)")); err != nil {
		t.Fatal(err)
	}
	r := bench{t, d}
	e := r.none(Motion)
	r.try(e, "line", "tends w; 0; 0; a", "", list(r.at("0 > (w - 0)*ddt(w)", "false", "a >= 0"), r.at("at(ddt(w), w, 0) == 0", "false", "a >= 0"),
		r.theorem(e, "always 0 >= 0"), r.theorem(e, "always a >= 0"), r.theorem(e, "always a >= 0")))
	known := []string{"false", "x >= 0", "0 >= 0", "a >= 0"}
	in, at = r.at("0 > (x - 0)*ddt(x)", known...), r.at("at(ddt(x), x, 0) == 0", "false", "0 >= 0", "a >= 0")
	r.try(e, "line", "tends x; 0; 0; a", "a root of x", list(in, at, r.theorem(e, "always 0 >= 0"), r.theorem(e, "always a >= 0")))
}
