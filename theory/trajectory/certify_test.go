package trajectory

import (
	"math/big"
	"strings"
	"testing"

	"stopgrad/numeric/enclosure"
	"stopgrad/theory/kernel"
)

// argue reads an argument: “cut x 1/2; flows 0; fails 1; ends 2”, the traps each “lo hi: coefficients, …”. The one way ends at a
// time of the trial.
func argue(end string, traps []string, steps string) Argument {
	a := Argument{Ways: []Way{{End: rat(end), Order: 10, Steps: 400, Remainder: 24, Share: 6}}}
	for _, t := range traps {
		a.Traps = append(a.Traps, around(t))
	}
	for _, line := range strings.Split(steps, ";") {
		w := strings.Fields(line)
		s := Step{Rule: w[0]}
		switch w[0] {
		case "cut":
			s.Coordinate, s.At = w[1], rat(w[2])
		case "flows":
			s.Trap = int(rat(w[1]).Num().Int64())
		case "fails", "ends":
			s.Hypothesis = int(rat(w[1]).Num().Int64())
		}
		a.Steps = append(a.Steps, s)
	}
	return a
}

type proof struct {
	about, claim, end string
	traps             []string
	steps             string
	want              string // “certified”, or part of the reason why not
}

const (
	frozen  = "  scalar p, s\n  flow\n    p' = s*(1 - p) - 1/10*p\n    s' = 2*p*s*(1 - p) - 1/5*s\n"
	shrinks = "  scalar x\n  scalar k\n  flow\n    x' = -k*x\n"
	lagging = "  scalar w, wa, b\n  flow\n    w' = -w\n    wa' = b*(w - wa)\n"
)

var proofs = []proof{
	{"decay", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0", "certified"},
	{"decay in two halves", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "cut x 1/2; flows 0; cut k 7/8; flows 0; flows 0", "certified"},
	{"a gap", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "cut x 1/2; flows 0", "ends before every box"},
	{"a step too many", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0; flows 0", "a step too many"},
	{"a cut outside", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "cut x 1; flows 0; flows 0", "not inside"},
	{"no decay", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [0, 1]\n", "9", []string{"-2 2: 1"}, "flows 0", "seen to tend"},
	{"growth", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [-1/8, -1/16]\n", "9", []string{"-4 4: 1"}, "flows 0", "point outward"},
	{"too early", shrinks + "  says s: x vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "1", []string{"-1/4 1/4: 1"}, "flows 0", "get into the trap"},
	{"the limit of another quantity", shrinks + "  let y = x + 1\n  says s: y vanishes\n    for x in [-1, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0", "at its limit"},
	{"a limit without a value", shrinks + "  says s: 0*(1/x) vanishes\n    for x in [3/4, 1], k in [3/4, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0", "may vanish"},
	{"not bounded", shrinks + "  says s: x vanishes\n    for x in [-1, inf), k in [1/2, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0", "x is not bounded"},
	{"a parameter that is not bounded", shrinks + "  says s: x vanishes\n    for x in [-1, 1]\n", "9", []string{"-1/4 1/4: 1"}, "flows 0", "k is not bounded"},
	{"always", grow + "  says s: always x > 1/8\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "certified"},
	{"always, a higher bound", grow + "  says s: always x > 1/2\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "not seen to hold all along"},
	{"always, not in the trap", grow + "  says s: always x < 5/4\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "not seen to hold all along"},
	{"always, without a value", grow + "  says s: always 0*(1/(x - 1)) > -1\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "may vanish"},
	{"always an equation", grow + "  says s: always x == x\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "not seen to hold all along"},
	{"tends", grow + "  says s: x tends to 1 from 0 < x < 2\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "certified"},
	{"tends elsewhere", grow + "  says s: x tends to 2 from 0 < x < 4\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "at its limit"},
	{"tends, from where it does", grow + "  says s: x tends to 1 from 1/8 < x < 2\n    for x in [0, 1/5]\n", "20", []string{"3/4 5/4: 1"}, "cut x 1/9; fails 2; flows 0", "certified"},
	{"tends, from where the premise holds", grow + "  says s: x tends to 1 from -1/8 < x < 2\n    for x in [-1, 3/4]\n", "12", []string{"3/4 5/4: 1"}, "cut x 1/9; fails 2; flows 0", "does not fail"},
	{"a premise that the statement does not have", grow + "  says s: always x < 9\n    for x in [-1, 3/4]\n", "12", []string{"3/4 5/4: 1"}, "fails 2", "no hypothesis 2"},
	{"stays positive", turn + "  says s: x + 2 stays positive\n    for x in [0, 1], y in [0, 1]\n", "1", []string{"-3 3: 1 0; -3 3: 0 1"}, "flows 0", "point outward"},
	{"stays positive in a trap", grow + "  says s: x stays positive\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "certified"},
	{"stays nonnegative, else not said", grow + "  says s: x - 1/4 stays nonnegative\n    for x in [0, 2/5]\n", "9", []string{"3/4 5/4: 1"}, "cut x 1/5; fails 2; flows 0", "not seen to hold all along"},
	{"a premise that fails, of what has a value", line + "  says s: -1 - x^2 stays nonnegative\n    for x in [1, 2]\n", "9", nil, "fails 2", "certified"},
	{"a premise that fails, of what has none later", line + "  says s: -1 - 1/x^2 stays nonnegative\n    for x in [1, 2]\n", "9", nil, "fails 2", "a value all along"},
	{"a premise that fails, beside what has no value later", line + "  says s: -1, 1/x stay positive\n    for x in [1, 2]\n", "9", nil, "fails 2", "a value all along"},
	{"a premise that fails, beside what is gone", line + "  says s: -1 + ddt(0/x) stays positive\n    for x in [1, 2]\n", "9", nil, "fails 2", "a value all along"},
	{"a premise that fails, with a divisor that does not move", shrinks + "  says s: -1 - x^2/k^2 stays nonnegative\n    for x in [1, 2], k in [1, 2]\n", "9", nil, "fails 4", "a value all along"},
	{"a premise that fails, of a bound with a value", shrinks + "  says s: x tends to 1/k from 2 < x < 3\n    for x in [0, 1], k in [1, 2]\n", "9", nil, "fails 4", "certified"},
	{"a premise that fails, of a bound without one", shrinks + "  says s: x tends to 1/k from 2 < x < 3\n    for x in [0, 1], k in [-1, 1]\n", "9", nil, "fails 4", "a value all along"},
	{"a hypothesis that fails, of what has no value", line + "  says s: -1 - 1/x^2 stays nonnegative\n    assume start h: x^2 >= 9\n    for x in [1, 2]\n", "9", nil, "fails 2", "certified"},
	{"a hypothesis that fails", grow + "  says s: x vanishes\n    assume start h: x^2 >= 2\n    for x in [0, 1]\n", "9", nil, "fails 2", "certified"},
	{"a hypothesis that holds somewhere", grow + "  says s: x vanishes\n    assume start h: x^2 >= 1/2\n    for x in [0, 1]\n", "9", nil, "fails 2", "does not fail"},
	{"until an assumption fails", line + "  says s: always x > -2\n    assume always h: x > -1\n    for x in [0, 1/2]\n", "7/4", nil, "ends 2", "certified"},
	{"until an assumption fails, and not before", line + "  says s: always x > -1/2\n    assume always h: x > -1\n    for x in [0, 1/2]\n", "7/4", nil, "ends 2", "not seen to hold all along"},
	{"until an assumption fails, too early", line + "  says s: always x > -2\n    assume always h: x > -1\n    for x in [0, 1/2]\n", "5/4", nil, "ends 2", "does not fail for all"},
	{"until a start fails", line + "  says s: always x > -2\n    assume start h: x > -1\n    for x in [0, 1/2]\n", "7/4", nil, "ends 2", "assumed all along"},
	{"no motion lasts", line + "  says s: x vanishes\n    assume always h: x > -1\n    for x in [0, 1/2]\n", "7/4", nil, "ends 2", "certified"},
	{"both vanish", lagging + "  says s: w + wa vanishes\n    assume start lag: wa == 1/2*w\n    for w in [1/2, 1], b in [1, 1]\n", "9", []string{"-1/8 1/8: 1 0; -1/4 1/4: 0 1"}, "flows 0", "certified"},
	{"a lag that is another", lagging + "  says s: always wa - w/2 > -1/8\n    assume start lag: wa == 1/4*w\n    for w in [1/2, 1], b in [1, 1]\n", "9", []string{"-1/8 1/8: 1 0; -1/4 1/4: 0 1"}, "flows 0", "not seen to hold all along"},
	{"an input", pushed + "  says s: x vanishes\n    for x in [0, 1], u in [0, 0]\n", "9", []string{"-1 1: 1"}, "flows 0", "u is an input"},
	{"an input through an equation", pushed + "  says s: x vanishes\n    assume always h: u == 0*x\n    for x in [0, 1]\n", "9", []string{"-1 1: 1"}, "flows 0", "u is an input"},
	{"a rate", grow + "  says s: x decays at rate -1\n    for x in [3/8, 5/8]\n", "9", []string{"3/4 5/4: 1"}, "flows 0", "not certified along motions"},
	{"a trap of other coordinates", grow + "  says s: always x > 1/8\n    for x in [3/8, 5/8]\n", "9", []string{"1/2 3/2: 1 0"}, "flows 0", "as many coordinates"},
	{"a trap that is not there", grow + "  says s: always x > 1/8\n    for x in [3/8, 5/8]\n", "9", nil, "flows 0", "no trap"},
	{"another argument", grow + "  says s: always x > 1/8\n    for x in [3/8, 5/8]\n", "9", nil, "holds 0", "no argument"},
	{"collapse", frozen + "  says s: p vanishes\n    for p in [0, 1/40], s in [0, 1/400]\n", "200", []string{"-1/32 1/32: 1 0; -1/512 1/512: 0 1"}, "flows 0", "certified"},
}

func (c proof) run(t *testing.T, with checks) (Certified, error) {
	t.Helper()
	r := read(t, c.claim)
	return certify(r.Context(), r.Goals()[0], argue(c.end, c.traps, c.steps), enclosure.NewMeter(MaxEffort), with)
}

func TestCertify(t *testing.T) {
	for _, c := range proofs {
		x, err := c.run(t, sound)
		switch {
		case c.want != "certified":
			if err == nil || !strings.Contains(err.Error(), c.want) || x.Valid() {
				t.Errorf("%s: %v, want %s", c.about, err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.about, err)
		case !x.Valid() || x.Context() == nil || x.Leaves() == 0 || len(x.Argument().Steps) == 0:
			t.Errorf("%s: what is certified does not say what it is", c.about)
		}
	}
}

// TestEachCheckOfARegionIsNeeded breaks the places where soundness is decided, one at a time: each lets something false pass that
// TestCertify would see.
func TestEachCheckOfARegionIsNeeded(t *testing.T) {
	for name, breakIt := range map[string]func(*checks){
		"the statement not looked at along the motions": func(c *checks) { c.along = func(*enclosure.Tube, enclosure.Expr) bool { return true } },
		"the statement not looked at in the trap":       func(c *checks) { c.throughout = func(*enclosure.Trap, enclosure.Expr) bool { return true } },
		"the trap not entered":                          func(c *checks) { c.inside = func(*enclosure.Trap, *enclosure.Tube) bool { return true } },
		"a trap that motions may not tend in":           func(c *checks) { c.sinks = func(*enclosure.Trap) bool { return true } },
		"what has no value":                             func(c *checks) { c.valued = func(*question, kernel.Formula) string { return "" } },
		"a limit that is another":                       func(c *checks) { c.vanishes = func(*enclosure.Trap, enclosure.Expr) bool { return true } },
	} {
		broken := sound
		breakIt(&broken)
		seen := false
		for _, c := range proofs {
			x, err := c.run(t, broken)
			seen = seen || err == nil && x.Valid() && c.want != "certified"
		}
		if !seen {
			t.Errorf("%s: no trial notices", name)
		}
	}
}

// TestRegionsAreReadAsTheModelReadsThem: a system that is not that of the flow is refused.
func TestRegionsAreReadAsTheModelReadsThem(t *testing.T) {
	r := read(t, lagging+"  says s: w + wa vanishes\n    assume start lag: wa == 1/2*w\n    for w in [1/2, 1], b in [1, 2]\n")
	g, err := NewRegion(r.Context(), r.Goals()[0])
	if err != nil {
		t.Fatal(err)
	}
	m := g.over(g.sides)
	other := enclosure.NewSystem(m.Names()...)
	for _, n := range m.Names() {
		other.SetRHS(n, other.Var(n).Neg())
	}
	m.sys = other
	defer func() {
		f, ok := recover().(*failure)
		if !ok || !strings.Contains(f.err.Error(), "in two ways") {
			t.Errorf("another flow passes: %v", f)
		}
	}()
	st := at(t, r, "w=1 wa=1/2 b=1")
	m.compare(st, []*big.Rat{rat("1"), rat("0")}, map[string]*big.Rat{"b": rat("1")})
}

// TestRegionsTakeNoMoreThanTheyMay: one meter for all motions of an argument.
func TestRegionsTakeNoMoreThanTheyMay(t *testing.T) {
	c := proofs[0]
	r := read(t, c.claim)
	for _, limit := range []int64{1_000, 10_000} {
		if x, err := certify(r.Context(), r.Goals()[0], argue(c.end, c.traps, c.steps), enclosure.NewMeter(limit), sound); err == nil || x.Valid() {
			t.Errorf("with %d operations: %v", limit, err)
		}
	}
	if _, err := certify(r.Context(), r.Goals()[0], argue(c.end, c.traps, c.steps), enclosure.NewMeter(MaxEffort), sound); err != nil {
		t.Error(err)
	}
}
