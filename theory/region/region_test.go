package region_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/region"
)

// part elaborates the statement of a claim text.
func part(t testing.TB, text string) (*kernel.Context, []kernel.Formula) {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	return r.Context(), r.Goals()
}

// steps reads an argument: splits as NAME:NUMBER, leaves by rule, outside as outside.HYPOTHESIS.RULE.
func steps(text string) (out []region.Step) {
	for _, w := range strings.Fields(text) {
		name, at, split := strings.Cut(w, ":")
		switch {
		case split:
			v, _ := new(big.Rat).SetString(at)
			out = append(out, region.Step{Rule: "split", Coordinate: name, At: v})
		case strings.HasPrefix(w, "outside."):
			x := region.Step{Rule: "outside"}
			rest := strings.Split(w, ".")
			fmt.Sscan(rest[1], &x.Hypothesis)
			x.By = rest[2]
			out = append(out, x)
		default:
			out = append(out, region.Step{Rule: w})
		}
	}
	return out
}

// TestArguments checks right and wrong arguments for statements, the wrong ones by the reason why they are refused.
func TestArguments(t *testing.T) {
	const declared = "claim t\n  size n\n  scalar x, y\n  scalar c > 0\n  matrix S, F : n x n symmetric\n  matrix Q : n x n psd\n"
	for _, c := range []struct{ says, items, argument, want string }{
		{"x^2 + 1 > 0", "for x in [-1, 1]", "interval", ""},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "interval", "does not follow"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "x:1/2 interval interval", ""},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "slope", ""},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "bernstein", ""},
		// A branch that is dropped, one too many, a cut outside of the box or at its end.
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "x:1/2 interval", "ends before"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "x:1/2 interval interval interval", "step too many"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "x:2 bernstein bernstein", "not inside"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "x:1 bernstein bernstein", "not inside"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "z:1/2 bernstein bernstein", "no coordinate"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "magic", "no argument"},
		{"x^2 - x + 1 > 0", "for x in [0, 1]", "", "ends before"},
		// Ends that touch: closed ones do, open ones do not.
		{"x > 0", "for x in [0, 1]", "exact", "does not follow"},
		{"x > 0", "for x in (0, 1]", "x:1/2 exact exact", "too many"},
		{"x*(1 - x) > 0", "for x in (0, 1)", "exact", ""},
		{"x*(1 - x) > 0", "for x in (0, 1]", "exact", "does not follow"},
		{"x*(1 - x) >= 0", "for x in [0, 1]", "exact", ""},
		{"x + y > 0", "for x in (0, 1], y in [0, 1]", "exact", ""},
		{"x + y > 0", "for x in [0, 1], y in [0, 1]", "exact", "does not follow"},
		{"x*y > 0", "for x in (0, 1], y in [0, 1]", "exact", "does not follow"},
		// A box that an open end leaves without a point.
		{"1 < 0", "for x in (0, 1]\n    assume e: x <= 0", "exact", "leave no value"},
		{"x*y > 0", "for x in (0, 1], y in (0, 1]", "exact", ""},
		{"x - x^2/4 > 0", "for x in (0, 1]", "slope", ""},
		{"x - x^2/4 > 0", "for x in [0, 1]", "slope", "does not follow"},
		// Half-lines and the line.
		{"x^2 + x + 1 > 0", "for x in [0, inf)", "bernstein", ""},
		{"x^2 - x + 1 > 0", "for x in [0, inf)", "bernstein", "does not follow"},
		{"x^2 - x + 1 > 0", "for x in [0, inf)", "x:1 bernstein bernstein", ""},
		{"x^2 - x + 1 > 0", "for x in (-inf, inf)", "x:0 bernstein x:1 bernstein bernstein", ""},
		{"x^2 - x + 1 > 0", "", "bernstein", "does not follow"},
		{"x > 0", "for x in (0, inf)", "", ""},
		{"x*c > 0", "for x in (0, inf)", "exact", ""},
		{"x*c > 0", "for x in [0, inf)", "exact", "does not follow"},
		// Terms without a value.
		{"1/x >= 0", "for x in [0, 1]", "exact exact", "does not follow"},
		{"1/x > 0", "for x in (0, 1]", "exact", ""},
		{"x/x == 1", "for x in [0, 1]", "exact", "does not follow"},
		{"x/x == 1", "for x in [1, 2]", "interval", ""},
		{"1/(x - 2) < 0", "for x in [0, 1]", "interval exact", ""},
		{"1/(x^2 - 2) < 0", "for x in [0, 2]", "interval exact", "does not follow"},
		{"root(x) >= 0", "for x in [-1, 1]", "interval interval", "does not follow"},
		{"root(x) >= 0", "for x in [0, 1]", "interval", ""},
		{"2 + root(x) - x > 0", "for x in [0, 1]", "bernstein", ""},
		// Hypotheses that fail.
		{"x > 0", "for x in [-1, 1]\n    assume h: x^3 - 1/8 >= 0", "x:1/4 outside.3.interval interval", ""},
		{"x > 0", "for x in [-1, 1]\n    assume h: x^3 - 1/8 >= 0", "x:1/2 outside.3.interval interval", "does not fail"},
		{"x > 0", "for x in [-1, 1]\n    assume h: 2*x^3 + x - 3/4 > 0", "x:1/2 outside.3.slope interval", ""},
		{"x > 0", "for x in [-1, 1]", "x:0 outside.7.interval interval", "no hypothesis"},
		{"x > 0", "for x in [-1, 1]\n    assume h: x^2 == 4", "outside.3.interval", ""},
		// Matrices.
		{"S pd", "for n = 2, S in [-1, 1]", "interval interval", "does not follow"},
		{"S + 3*I pd", "for n = 2, S in [-1, 1]", "interval interval", ""},
		{"S + 3*I pd", "for S in [-1, 1]", "interval interval", "has no value"},
		{"S + F + 3*I psd", "for n = 2, S in [-1, 1], F in [-1, 1]", "interval interval bernstein", "does not follow"},
		{"S*F + F*S + 9*I pd", "for n = 2, S in [-1, 1], F in [-1, 1]", "interval bernstein", ""},
		{"S*F + 5*I pd", "for n = 2, S in [-1, 1], F in [-1, 1]", "interval interval interval", "does not follow"},
		{"inv(Q + I)*(Q + I) == I", "for n = 2", "", "takes what is declared invertible"},
		{"S invertible", "for n = 1, S in [1, 2]", "interval", ""},
		{"S diagonal", "for n = 1", "", ""},
		{"S within [-2, 2]", "for n = 2, S in [-1, 1]", "interval interval interval interval interval interval", ""},
		{"absurd", "for x in [1, 2]\n    assume h: x^2 < 1/2", "outside.3.interval", ""},
		{"x > 5", "for x in [1, 2]\n    assume h: x < 0", "", "no value to x"},
		{"absurd", "for x in [1, 2]", "interval", "does not follow"},
	} {
		text := declared + "  says s: " + c.says + "\n"
		if c.items != "" {
			text += "    " + c.items + "\n"
		}
		f, err := lang.Parse(lang.Source{Name: "t", Text: text})
		var got region.Certified
		if err == nil {
			var r *lang.Reading
			if r, err = lang.Elaborate(f.Claims[0].Parts[0]); err == nil {
				got, err = region.Check(r.Context(), r.Goals()[0], nil, steps(c.argument))
			}
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s, %s by %q: %v", c.says, c.items, c.argument, err)
		case c.want == "" && !got.Valid():
			t.Errorf("%s: nothing certified", c.says)
		case c.want != "" && err == nil:
			t.Errorf("%s, %s: accepted by %q", c.says, c.items, c.argument)
		case c.want != "" && got.Valid():
			t.Errorf("%s: certified with an error", c.says)
		}
		if c.want != "" && err != nil && !strings.Contains(err.Error(), c.want) && c.says[:3] != "inv" {
			t.Errorf("%s, %s by %q: %v, want %s", c.says, c.items, c.argument, err, c.want)
		}
	}
}

// TestSheds takes a semidefinite matrix off: as much as there is, and no more.
func TestSheds(t *testing.T) {
	c, goals := part(t, "claim t\n  size n\n  scalar c > 0\n  matrix S : n x n symmetric\n  matrix Q : n x n psd\n  says s: c*Q + S^2 + 4*I pd\n    for n = 2, S in [-1, 1]\n")
	sig := c.Signature()
	number := func(k int64) *kernel.Term {
		v, err := sig.Number(big.NewRat(k, 1))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var q, within int
	for i, h := range c.Hypotheses() {
		switch h.Formula().Form() {
		case kernel.Semidefinite:
			q = i
		case kernel.Within:
			within = i
		}
	}
	for _, x := range []struct {
		hypothesis int
		term       *kernel.Term
		argument   string
		want       bool
	}{
		{q, sig.Lookup("c"), "interval bernstein", true},
		{q, number(2), "interval bernstein", false},        // c may be less
		{q, number(-1), "interval bernstein", false},       // that would be put on
		{within, sig.Lookup("c"), "interval slope", false}, // no hypothesis of this kind
		{99, sig.Lookup("c"), "interval slope", false},
	} {
		_, err := region.Check(c, goals[0], []region.Shed{{Hypothesis: x.hypothesis, Term: x.term}}, steps(x.argument))
		if (err == nil) != x.want {
			t.Errorf("hypothesis %d, factor %s: %v", x.hypothesis, kernel.Print(x.term), err)
		}
	}
	if _, err := region.Check(c, goals[0], nil, steps("interval bernstein")); err == nil {
		t.Error("the unbounded matrix was not in the way")
	}
	// What is taken off must not be put on: 5*I − Q is not definite, 5*I − Q + Q is.
	c, goals = part(t, "claim t\n  size n\n  scalar c\n  matrix Q : n x n psd\n  says s: 5*I + c*Q pd\n    for n = 2, c in [-1, 1]\n")
	for i, h := range c.Hypotheses() {
		if h.Formula().Form() != kernel.Semidefinite {
			continue
		}
		for _, argument := range []string{"", "interval", "slope", "exact"} {
			if got, err := region.Check(c, goals[0], []region.Shed{{Hypothesis: i, Term: c.Signature().Lookup("c")}}, steps(argument)); err == nil || got.Valid() {
				t.Errorf("a factor that may be negative is taken off by %q", argument)
			}
		}
	}
}

// TestTheoremsOnBoxes: a theorem counts where its hypotheses are those of the context or bounds that the box meets, and its
// formula is the goal.
func TestTheoremsOnBoxes(t *testing.T) {
	c, goals := part(t, "claim t\n  scalar x, y\n  says s: x + y > 0\n    for x in [0, 2], y in (0, 2]\n")
	sig := c.Signature()
	formula := func(f kernel.Form, ts ...*kernel.Term) kernel.Formula {
		g, err := kernel.NewFormula(f, ts...)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	zero, _ := sig.Number(new(big.Rat))
	one, _ := sig.Number(big.NewRat(1, 1))
	x, y := sig.Lookup("x"), sig.Lookup("y")
	// under proves x + y > 0 from bounds: x ≥ 0 and y > 0, or x > 0 and y ≥ 0.
	under := func(goal kernel.Formula, a, b kernel.Formula, more ...kernel.Formula) kernel.Theorem {
		var hyps []kernel.Hypothesis
		for _, f := range append([]kernel.Formula{a, b}, more...) {
			h, err := kernel.NewHypothesis(kernel.Here, f)
			if err != nil {
				t.Fatal(err)
			}
			hyps = append(hyps, h)
		}
		d, err := kernel.NewContext(c.Dynamics(), kernel.AtState, hyps...)
		if err != nil {
			t.Fatal(err)
		}
		var ps []kernel.Theorem
		for _, f := range []kernel.Formula{a, b} {
			th, err := d.Apply("hyp", f, nil)
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, th)
		}
		th, err := d.Apply("sum", goal, ps)
		if err != nil {
			t.Fatal(err)
		}
		return th
	}
	weak, strict := kernel.AtLeast, kernel.Greater
	good := under(goals[0], formula(weak, x, zero), formula(strict, y, zero))
	open := under(goals[0], formula(strict, x, zero), formula(weak, y, zero))
	more := under(goals[0], formula(weak, x, zero), formula(strict, y, zero), formula(weak, x, one))
	other := under(formula(weak, goals[0].Terms()[0], zero), formula(weak, x, zero), formula(strict, y, zero))
	leaf := func(th kernel.Theorem) region.Step { return region.Step{Rule: "theorem", Theorem: th} }
	cut := steps("x:1")[0]
	for i, k := range []struct {
		argument []region.Step
		want     bool
	}{
		{[]region.Step{leaf(good)}, true},
		{[]region.Step{leaf(open)}, false},                 // x = 0 belongs to the box
		{[]region.Step{leaf(more)}, false},                 // x ≥ 1 does not hold on the box
		{[]region.Step{cut, leaf(good), leaf(more)}, true}, // but on its upper half
		{[]region.Step{cut, leaf(more), leaf(good)}, false},
		{[]region.Step{leaf(other)}, false},
		{[]region.Step{{Rule: "theorem"}}, false},
	} {
		got, err := region.Check(c, goals[0], nil, k.argument)
		if (err == nil) != k.want || got.Valid() != k.want {
			t.Errorf("argument %d: %v", i, err)
		}
	}
	foreign, _ := part(t, "claim t\n  scalar x, y\n  says s: x + y > 0\n    for x in [0, 2], y in (0, 2]\n")
	if _, err := region.Check(foreign, goals[0], nil, []region.Step{leaf(good)}); err == nil {
		t.Error("a goal of another signature")
	}
}

// TestFaultsNameTheStep: an argument that is wrong is told where.
func TestFaultsNameTheStep(t *testing.T) {
	c, goals := part(t, "claim t\n  scalar x\n  says s: x^2 - x + 1 > 0\n    for x in [0, 1]\n")
	_, err := region.Check(c, goals[0], nil, steps("x:1/2 interval x:3/4 slope magic"))
	var f *region.Fault
	if !errors.As(err, &f) || f.Step != 4 {
		t.Errorf("%v", err)
	}
	if (region.Certified{}).Valid() || (region.Certified{}).Context() != nil {
		t.Error("the zero value certifies")
	}
}

// TestNothingIsCertifiedOverTime: motions are not states.
func TestNothingIsCertifiedOverTime(t *testing.T) {
	c, goals := part(t, "claim t\n  scalar x\n  flow\n    x' = -x\n  says s: x stays nonnegative\n    for x in [0, 1]\n")
	if _, err := region.Check(c, goals[0], nil, nil); err == nil {
		t.Error("certified")
	}
}

// TestNothingIsNoGoal: the zero formula states nothing, and is no goal.
func TestNothingIsNoGoal(t *testing.T) {
	sig := kernel.NewSignature()
	c, err := kernel.NewContext(kernel.NewDynamics(sig), kernel.AtState)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := region.Check(c, kernel.Formula{}, nil, nil); err == nil || got.Valid() {
		t.Errorf("nothing is certified: %v", err)
	}
}

// TestArgumentsStayAsTheyWereChecked: whoever made the steps, or was given them, changes no number in what is certified.
func TestArgumentsStayAsTheyWereChecked(t *testing.T) {
	c, goals := part(t, "claim t\n  scalar x\n  says s: x^2 - x + 1 > 0\n    for x in [0, 1]\n")
	given := steps("x:1/2 interval interval")
	out, err := region.Check(c, goals[0], nil, given)
	if err != nil {
		t.Fatal(err)
	}
	given[0].At.SetInt64(7)
	out.Steps()[0].At.SetInt64(8)
	if at := out.Steps()[0].At; at.RatString() != "1/2" {
		t.Errorf("the cut has become %s", at.RatString())
	}
}
