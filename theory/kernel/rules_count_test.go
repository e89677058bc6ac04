package kernel

import (
	"math/big"
	"strings"
	"testing"
)

// counted is a context with what the pieces of a count need.
type counted struct {
	t *testing.T
	d *Dynamics
	s *Signature
	c *Context
}

// given is a theorem that assumes what it says.
func (k *counted) given(goal string, hyps ...string) Theorem {
	k.t.Helper()
	return prove(k.t, state(k.t, k.d, append(hyps, goal)...), "hyp", goal, nil)
}

func (k *counted) count(form Form, e string, n int64, ends ...string) Formula {
	k.t.Helper()
	ts := []*Term{read(k.t, k.s, e), k.s.Lookup("p"), k.s.integer(n)}
	for _, x := range ends {
		ts = append(ts, read(k.t, k.s, x))
	}
	f, err := NewFormula(form, ts...)
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

// sign proves a sign of what is a number.
func (k *counted) sign(c *Context, goal string) Theorem {
	k.t.Helper()
	f := statement(k.t, k.s, goal)
	if isNull(f.terms[1]) {
		return prove(k.t, c, "number", goal, nil)
	}
	d := k.s.sub(f.terms[0], f.terms[1])
	th, err := c.Apply("number", formula(f.form, d, k.s.integer(0)), nil)
	if err == nil {
		th, err = c.Apply("transport", f, []Theorem{th})
	}
	if err != nil {
		k.t.Fatalf("%s: %v", goal, err)
	}
	return th
}

func TestCount(t *testing.T) {
	s := declare(t, "; p q r; state x")
	k := &counted{t: t, s: s, d: NewDynamics(s)}
	if err := k.d.AddFlow(s.Lookup("x"), read(t, s, "p*x")); err != nil {
		t.Fatal(err)
	}
	k.c = state(t, k.d)
	try := func(c *Context, f Formula, why string, terms []*Term, premises ...Theorem) {
		t.Helper()
		th, err := c.Apply("count", f, premises, terms...)
		switch {
		case why == "" && err != nil:
			t.Errorf("%v", err)
		case why != "" && (err == nil || th.Valid()):
			t.Errorf("a count goes through that should be refused: %s", why)
		case why != "" && !strings.Contains(err.Error(), why):
			t.Errorf("refused with %q, want %q", err, why)
		}
	}
	// e = p − 1 on (−1, 2]: it rises through zero, and is positive from 2 on.
	e := "p - 1"
	slope := func(c *Context) Theorem { return prove(t, c, "number", "diff(p - 1, p) > 0", nil) }
	inside := state(t, k.d, "p > -1", "2 > p")
	low, high := k.sign(k.c, "0 > at(p - 1, p, -1)"), k.sign(k.c, "at(p - 1, p, 2) > 0")
	order := k.sign(k.c, "2 >= -1")
	right := []Theorem{order, slope(inside), low, high}
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "", nil, right...)
	try(k.c, k.count(Zeros, e, 1, "-1", "2", "-1", "2"), "", nil, right...)
	try(k.c, k.count(RisingZeros, e, 1, "-1", "2"), "", nil, right...)
	try(k.c, k.count(FallingZeros, e, 0, "-1", "2"), "", nil, right...)
	try(k.c, k.count(Zeros, e, 2, "-1", "2"), "the pieces have 1", nil, right...)
	try(k.c, k.count(RisingZeros, e, 0, "-1", "2"), "the pieces have 1", nil, right...)
	try(k.c, k.count(FallingZeros, e, 1, "-1", "2"), "the pieces have 0", nil, right...)
	try(k.c, statement(t, s, "p > 0"), "how many zeros", nil, right...)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "more than 3 premise", nil, right[:3]...)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "premise(s), not 5", nil, append(right[:4:4], low)...)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "runs upwards", nil, k.sign(k.c, "2 >= 1"), right[1], low, high)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "runs upwards", nil, k.sign(k.c, "1 >= -1"), right[1], low, high)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "runs upwards", nil, k.sign(k.c, "2 >= 2"), right[1], low, high)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "not ge", nil, k.sign(k.c, "2 > -1"), right[1], low, high)
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "another context", nil, k.sign(inside, "2 >= -1"), right[1], low, high)
	// Ends of the wrong sign, of another point, or of another expression.
	for _, other := range [][2]Theorem{{high, high}, {low, low}, {k.sign(k.c, "0 > at(p - 1, p, -2)"), high}, {low, k.sign(k.c, "at(p - 1, p, 3) > 0")},
		{k.sign(k.c, "0 > at(p - 2, p, -1)"), high}, {low, k.sign(k.c, "at(p, p, 2) > 0")}} {
		try(k.c, k.count(Zeros, e, 1, "-1", "2"), "at an end", nil, order, right[1], other[0], other[1])
	}
	try(k.c, k.count(Zeros, e, 1, "-1", "2"), "another context", nil, order, right[1], k.sign(inside, "0 > at(p - 1, p, -1)"), high)
	// Slopes of another expression, in another direction, in another letter, or on a smaller piece.
	for goal, hyps := range map[string][]string{"diff(p - 2, p) > 0": nil, "diff(p - 1, q) > 0": {"diff(p - 1, q) > 0"}, "0 > diff(p - 1, p)": {"0 > diff(p - 1, p)"}} {
		var th Theorem
		if hyps == nil {
			th = prove(t, inside, "number", goal, nil)
		} else {
			th = k.given(goal)
		}
		if !strings.HasPrefix(goal, "0") {
			try(k.c, k.count(Zeros, e, 1, "-1", "2"), "premise 2", nil, order, th, low, high)
		}
	}
	for _, hyps := range [][]string{{"p > 0", "2 > p"}, {"p > -1", "1 > p"}, {"p > -1", "2 > p", "q > 0"}} {
		try(k.c, k.count(Zeros, e, 1, "-1", "2"), "assumes", nil, order, slope(state(t, k.d, hyps...)), low, high)
	}
	// A slope needs both ends.
	try(k.c, k.count(Zeros, e, 1, "p", "2"), "neither", nil, slope(state(t, k.d)), low, high)
	try(k.c, k.count(Zeros, e, 1, "-1", "p"), "neither", nil, slope(state(t, k.d)), low, high)
}

// Signs on pieces, at ends that belong to the interval and at others.
func TestCountOfSigns(t *testing.T) {
	s := declare(t, "; p q r")
	k := &counted{t: t, s: s, d: NewDynamics(s)}
	try := func(hyp string, bound string, why string, ends ...string) {
		t.Helper()
		c := state(t, k.d)
		f := k.count(Zeros, "p", 0, ends...)
		var hyps []string
		for _, b := range []string{hyp, bound} {
			if b != "" {
				hyps = append(hyps, b)
			}
		}
		th := prove(t, state(t, k.d, hyps...), "hyp", hyp, nil)
		got, err := c.Apply("count", f, []Theorem{th})
		switch {
		case why == "" && err != nil:
			t.Errorf("%v: %v", ends, err)
		case why != "" && (err == nil || got.Valid()):
			t.Errorf("p has no zero in %v", ends)
		case why != "" && !strings.Contains(err.Error(), why):
			t.Errorf("refused with %q, want %q", err, why)
		}
	}
	try("p > 0", "", "", "0", "p")
	try("0 > p", "", "", "p", "0")
	try("p > 0", "", "assumes", "0", "p", "0")
	try("0 > p", "", "assumes", "p", "0", "0")
	try("p > 0", "", "assumes", "-1", "p")
	try("p > 0", "", "assumes", "p", "p")
	try("p > 0", "q > 0", "assumes", "0", "p")
}

// What the expression, Γ and the points may depend on.
func TestCountBinds(t *testing.T) {
	s := declare(t, "; p q r; state x")
	k := &counted{t: t, s: s, d: NewDynamics(s)}
	if err := k.d.AddFlow(s.Lookup("x"), read(t, s, "p*x")); err != nil {
		t.Fatal(err)
	}
	refuses := func(c *Context, f Formula, why string, premises []Theorem, terms ...*Term) {
		t.Helper()
		if th, err := c.Apply("count", f, premises, terms...); err == nil || th.Valid() || !strings.Contains(err.Error(), why) {
			t.Errorf("refused with %v, want %q", err, why)
		}
	}
	positive := func(hyps ...string) Theorem { return prove(t, state(t, k.d, hyps...), "hyp", hyps[0], nil) }
	f := k.count(Zeros, "q", 0, "p", "p")
	// Γ speaks of p: openly, by a derivative along the flow, or in what a term needs to have a value.
	if _, err := state(t, k.d, "q > 0").Apply("count", f, []Theorem{positive("q > 0")}); err != nil {
		t.Error(err)
	}
	for _, h := range []string{"p > 0", "ddt(x) > 0", "0*(1/p) == 0"} {
		refuses(state(t, k.d, "q > 0", h), f, "depends on p", []Theorem{positive("q > 0", h)})
	}
	// A point that depends on p, or that has no value.
	refuses(state(t, k.d, "q > 0"), f, "depends on p", []Theorem{positive("q > 0"), positive("q > 0")}, read(t, s, "ddt(x)"))
	refuses(state(t, k.d, "q > 0"), f, "needed and not established", []Theorem{positive("q > 0"), positive("q > 0")}, read(t, s, "1/r"))
	// A derivative takes a stop-gradient for constant: sg(p) − 1 has none in p, and p − 1 rises.
	c := state(t, k.d)
	g := k.count(Zeros, "p - 2*sg(p)", 1, "-1", "1")
	in := state(t, k.d, "p > -1", "1 > p")
	refuses(c, g, "stop-gradient", []Theorem{k.sign(c, "1 >= -1"), prove(t, in, "number", "diff(p - 2*sg(p), p) > 0", nil),
		k.sign(c, "at(p - 2*sg(p), p, -1) > 0"), k.sign(c, "0 > at(p - 2*sg(p), p, 1)")})
	// Neither a hypothesis, nor something that holds always.
	if _, err := NewHypothesis(Here, f); err == nil {
		t.Error("a count is assumed")
	}
	if _, err := NewAlways(f); err == nil {
		t.Error("a count holds always")
	}
	if _, err := NewContext(k.d, AtState, Hypothesis{Here, f}); err == nil {
		t.Error("a count is a hypothesis of a context")
	}
}

// How counts are made and printed.
func TestCounts(t *testing.T) {
	s := declare(t, "n; p q r h; A:n,n; hole o")
	p, q, r, a := s.Lookup("p"), s.Lookup("q"), s.Lookup("r"), s.Lookup("A")
	two, half, minus := s.integer(2), s.number(big.NewRat(1, 2)), s.integer(-1)
	for text, ts := range map[string][]*Term{
		"q has 2 zeros for p in (-inf, inf)": {q, p, two, p, p},
		"q has 2 zeros for p in (q, r)":      {q, p, two, q, r},
		"q has 2 zeros for p in [q, r)":      {q, p, two, q, r, q},
		"q has 2 zeros for p in (q, r]":      {q, p, two, q, r, r},
		"q has 2 zeros for p in [q, r]":      {q, p, two, q, r, q, r},
		"q has 2 zeros for p in (-inf, r]":   {q, p, two, p, r, r},
		"q has 1 zero for p in [q, inf)":     {q, p, s.integer(1), q, p, q},
	} {
		f, err := NewFormula(Zeros, ts...)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := NewPrinter().Formula(AtState, f); err != nil || got != text {
			t.Errorf("%q, not %q: %v", got, text, err)
		}
		c, ok := f.Count()
		if !ok || c.Of != q || c.In != p || (c.Lo == nil) != (ts[3] == p) || (c.Hi == nil) != (ts[4] == p) {
			t.Errorf("%s is read as %v", text, c)
		}
	}
	for form, text := range map[Form]string{RisingZeros: "q has 2 rising zeros for p in (q, r)", FallingZeros: "q has 2 falling zeros for p in (q, r)"} {
		f, err := NewFormula(form, q, p, two, q, r)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := NewPrinter().Formula(AtState, f); got != text {
			t.Errorf("%q, not %q", got, text)
		}
	}
	for i, ts := range [][]*Term{{q, p, two, q}, {q, p, two}, {a, p, two, q, r}, {q, a, two, q, r}, {q, p, q, q, r}, {q, p, half, q, r}, {q, p, minus, q, r},
		{q, s.add(p, q), two, q, r}, {q, s.Lookup("o"), two, q, r}, {q, p, two, s.add(p, q), r}, {q, p, two, q, s.add(p, q)}, {q, p, two, q, q},
		{q, p, two, q, r, p}, {q, p, two, q, r, r, q}, {q, p, two, q, r, q, q}, {q, p, two, q, r, q, r, r}, {q, p, two, p, r, p}, {q, p, two, q, a},
		{q, p, s.pow(two, 2), q, r}, {q, p, s.number(read(t, s, "4294967296").num), q, r}} {
		if _, err := NewFormula(Zeros, ts...); err == nil {
			t.Errorf("a count is made of the wrong terms, case %d", i)
		}
	}
	if _, ok := formula(Greater, p, q).Count(); ok {
		t.Error("an order counts")
	}
}
