package trajectory

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/prove"
)

// read elaborates the one statement of a claim.
func read(t *testing.T, text string) *lang.Reading {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "test.claim", Text: "claim test\n  title t\n  printed p\n" + text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rat(s string) *big.Rat {
	x, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return x
}

// at is the state “n=2 x=1 W=1,0;0,1”; sizes are in lower case and have no value of a symbol.
func at(t *testing.T, r *lang.Reading, text string) *model.State {
	t.Helper()
	sig := r.Context().Signature()
	sizes, values := map[string]int{}, map[string][][]*big.Rat{}
	for _, word := range strings.Fields(text) {
		name, v, _ := strings.Cut(word, "=")
		if sig.Lookup(name) == nil {
			sizes[name] = int(rat(v).Num().Int64())
			continue
		}
		var rows [][]*big.Rat
		for _, row := range strings.Split(v, ";") {
			var xs []*big.Rat
			for _, x := range strings.Split(row, ",") {
				xs = append(xs, rat(x))
			}
			rows = append(rows, xs)
		}
		values[name] = rows
	}
	st, err := model.NewState(sig, sizes, values)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// around is the trap “lo hi: coefficients; …”.
func around(text string) *Trap {
	if text == "" {
		return nil
	}
	out := &Trap{}
	for _, line := range strings.Split(text, ";") {
		bounds, row, _ := strings.Cut(line, ":")
		b := strings.Fields(bounds)
		var xs []*big.Rat
		for _, x := range strings.Fields(row) {
			xs = append(xs, rat(x))
		}
		out.Lo, out.Hi, out.Rows = append(out.Lo, rat(b[0])), append(out.Hi, rat(b[1])), append(out.Rows, xs)
	}
	return out
}

type trial struct {
	about, claim, state, end, trap string
	want                           string // “refuted”, or part of the reason why not
}

const (
	line   = "  scalar x\n  flow\n    x' = -1\n"
	decay  = "  scalar x\n  flow\n    x' = -x\n"
	grow   = "  scalar x\n  flow\n    x' = x*(1 - x)\n"
	turn   = "  scalar x, y\n  flow\n    x' = -y\n    y' = x\n"
	pushed = "  scalar x\n  input u\n  flow\n    x' = u - x\n"
	bent   = "  scalar x\n  flow\n    x' = x*(x - 1)*(2 - x)\n"
	mats   = "  size n\n  matrix A, B : n x n symmetric\n  flow\n    A' = -A\n    B' = A*B + B*A\n"
)

// trials are true statements, which nothing may refute, and false ones with motions that do and that do not.
var trials = []trial{
	{"a true bound", decay + "  says s: |x| decays at rate 1\n", "x=1", "1/3", "", "not seen to fail"},
	{"a false bound", decay + "  says s: |x| decays at rate 2\n", "x=1", "1/3", "", "refuted"},
	{"a false bound without bars", decay + "  says s: x decays at rate 2\n", "x=1", "1/3", "", "refuted"},
	{"a true bound of a negative number", decay + "  says s: x decays at rate 2\n", "x=-1", "1/3", "", "not seen to fail"},
	{"a true rate", decay + "  says s: x evolves at rate -1\n", "x=1", "1/3", "", "not seen to fail"},
	{"a false rate", decay + "  says s: x evolves at rate -2\n", "x=1", "1/3", "", "refuted"},
	{"a hypothesis that fails on the way", line + "  says s: always x >= 0\n    assume always h: x > 1/2\n", "x=1", "2", "", "not seen to hold all along"},
	{"a hypothesis that fails in between", turn + "  says s: always x + y >= 0\n    assume always h: y > -1/2\n    assume always k: x < 2\n", "x=1 y=0", "3", "", "refuted"},
	{"a hypothesis that fails in between and holds at the end", turn + "  says s: always y >= -1/2\n    assume always h: x > -1/2\n", "x=1 y=0", "5", "", "not seen to hold all along"},
	{"a hypothesis at the start alone", line + "  says s: always x >= 0\n    assume start h: x > 1/2\n", "x=1", "2", "", "refuted"},
	{"a hypothesis that the start does not meet", line + "  says s: always x >= 0\n    assume start h: x > 2\n", "x=1", "2", "", "at the start"},
	{"no value on the way", line + "  says s: always x > 0\n    assume always h: 0*(1/x) >= 0\n    assume start k: x > 0\n", "x=1", "2", "", "not seen to hold all along"},
	{"no value of the flow on the way", "  scalar x\n  flow\n    x' = -1 + 0*(1/x)\n  says s: always x > 0\n    assume start k: x > 0\n", "x=1", "2", "", "may vanish"},
	{"no value of the step that a hypothesis looks at", "  scalar x, y\n  flow\n    x' = -1\n  map\n    y+ = 1 + 0*(1/x)\n  says s: always x > 0 along the flow\n    assume always h: next(y) > 0\n    assume start k: x > 0\n", "x=1 y=1", "2", "", "not seen to hold all along"},
	{"no value of the step in the flow", "  scalar x, y\n  flow\n    x' = -1\n    y' = 0*next(y)\n  map\n    y+ = 1 + 0*(1/x)\n  says s: always x > 0 along the flow\n    assume start k: x > 0\n", "x=1 y=1", "2", "", "may vanish"},
	{"no value of what is differentiated", line + "  says s: always x > 0\n    assume always h: ddt(0*(1/x)) >= 0\n    assume start k: x > 0\n", "x=1", "2", "", "not seen to hold all along"},
	{"a value of what is differentiated", line + "  says s: always x > 1\n    assume always h: diff(1/x, x) < 0\n    assume start k: x > 1\n", "x=2", "3/2", "", "refuted"},
	{"stays nonnegative", line + "  says s: x stays nonnegative\n", "x=1", "2", "", "refuted"},
	{"stays nonnegative, before it fails", line + "  says s: x stays nonnegative\n", "x=1", "1/2", "", "not seen to fail"},
	{"stays nonnegative, which it was not", line + "  says s: x stays nonnegative\n", "x=-1", "2", "", "at the start"},
	{"vanishes, and is trapped elsewhere", grow + "  says s: x vanishes\n", "x=1/4", "9", "1/2 3/2: 1", "refuted"},
	{"vanishes, the trap not reached", grow + "  says s: x vanishes\n", "x=1/4", "1", "1/2 3/2: 1", "not seen to be in the trap"},
	{"vanishes, the trap with zero", grow + "  says s: x vanishes\n", "x=1/4", "9", "0 3/2: 1", "not seen to fail"},
	{"vanishes, and does", decay + "  says s: x vanishes\n", "x=1", "1/4", "1/2 2: 1", "point outward"},
	{"vanishes from below, and does", bent + "  says s: x vanishes\n    assume start h: x < 1\n    assume start k: x > 0\n", "x=1/2", "4", "3/2 5/2: 1", "not seen to be in the trap"},
	{"vanishes, without a trap", grow + "  says s: x vanishes\n", "x=1/4", "9", "", "needs a trap"},
	{"tends elsewhere", grow + "  says s: x tends to 2 from 0 < x < 3\n", "x=1/4", "9", "1/2 3/2: 1", "refuted"},
	{"tends elsewhere from outside", grow + "  says s: x tends to 2 from 1/2 < x < 3\n", "x=1/4", "9", "1/2 3/2: 1", "at the start"},
	{"tends there", grow + "  says s: x tends to 1 from 0 < x < 3\n", "x=1/4", "9", "1/2 3/2: 1", "not seen to fail"},
	{"an input", pushed + "  says s: always x <= 1/2\n    assume start h: x <= 1/4\n", "x=1/8 u=1", "2", "", "refuted"},
	{"a hypothesis in the trap", grow + "  says s: x vanishes\n    assume always h: x < 9/10\n", "x=1/4", "2", "1/2 3/2: 1", "not seen to hold all along"},
	{"matrices kept symmetric", mats + "  says s: B stays psd\n    assume always h: A + 2*I pd\n    assume start k: B == I\n", "n=2 A=-1,0;0,-1 B=1,0;0,1", "1", "", "not seen to fail"},
	{"a definite matrix on the way", mats + "  says s: always tr(A) >= -1\n    assume always h: I - A pd\n", "n=2 A=-1,0;0,-1 B=1,0;0,1", "1/4", "", "refuted"},
	{"an indefinite matrix", mats + "  says s: always A psd\n    assume start h: tr(A) > 0\n", "n=2 A=2,0;0,-1 B=1,0;0,1", "1/4", "", "refuted"},
}

func (c trial) run(t *testing.T, with checks) (Refutation, error) {
	t.Helper()
	r := read(t, c.claim)
	st := at(t, r, c.state)
	keeps := prove.Keeps(context.Background(), r.Context())
	return refute(r.Context(), r.Goals()[0], st, Course{rat(c.end), 12, 500, around(c.trap)}, keeps, with)
}

func TestRefute(t *testing.T) {
	for _, c := range trials {
		x, err := c.run(t, sound)
		switch {
		case c.want != "refuted":
			if err == nil || !strings.Contains(err.Error(), c.want) || x.Valid() {
				t.Errorf("%s: %q %v, want %s", c.about, x.Reason(), err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.about, err)
		case !x.Valid() || x.Reason() == "" || x.Context() == nil || x.State() == nil || x.Course().End.Cmp(rat(c.end)) != 0:
			t.Errorf("%s: the refutation does not say what it refutes", c.about)
		}
	}
}

// TestEachCheckIsNeeded breaks the places where soundness is decided, one at a time: each lets something false pass that
// TestRefute would see.
func TestEachCheckIsNeeded(t *testing.T) {
	for name, breakIt := range map[string]func(*checks){
		"the end time rounded up": func(c *checks) {
			c.elapsed = func(end *big.Rat) interval.Interval {
				up := new(big.Int).Add(new(big.Int).Quo(end.Num(), end.Denom()), big.NewInt(1))
				return interval.FromRat(new(big.Rat).SetInt(up))
			}
		},
		"no hypothesis looked at along the motion": func(c *checks) { c.along = func(*enclosure.Tube, enclosure.Expr) bool { return true } },
		"no trap looked at": func(c *checks) {
			c.trap = func(*Motion, *Trap) (*enclosure.Trap, error) { return nil, nil }
			c.throughout = func(*enclosure.Trap, enclosure.Expr) bool { return true }
			c.inside = func(*enclosure.Trap, *enclosure.Tube) bool { return true }
		},
		"the trap holds of no quantity": func(c *checks) { c.throughout = func(*enclosure.Trap, enclosure.Expr) bool { return true } },
		"the trap not entered":          func(c *checks) { c.inside = func(*enclosure.Trap, *enclosure.Tube) bool { return true } },
	} {
		broken := sound
		breakIt(&broken)
		seen := false
		for _, c := range trials {
			x, err := c.run(t, broken)
			// A false word is a true statement refuted.
			seen = seen || err == nil && x.Valid() && c.want != "refuted"
		}
		if !seen {
			t.Errorf("%s: no trial notices", name)
		}
	}
}

func TestCoursesAndContextsAreChecked(t *testing.T) {
	r := read(t, line+"  says s: always x >= 0\n")
	st := at(t, r, "x=1")
	c, goal := r.Context(), r.Goals()[0]
	for _, bad := range []Course{
		{}, {rat("0"), 12, 100, nil}, {rat("-1"), 12, 100, nil}, {rat("2"), 1, 100, nil}, {rat("2"), MaxOrder + 1, 100, nil},
		{rat("2"), 12, 0, nil}, {rat("2"), 12, MaxSteps + 1, nil}, {rat("2"), 12, 100, around("0 1: 1")},
		{new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 300)), 12, 100, nil},
	} {
		if x, err := Refute(c, goal, st, bad); err == nil || x.Valid() || errors.As(err, new(*Unrefuted)) {
			t.Errorf("the course %v gives %v", bad, err)
		}
	}
	if x, err := Refute(c, kernel.Formula{}, st, Course{rat("2"), 12, 100, nil}); err == nil || x.Valid() {
		t.Error("no statement is refuted")
	}
	if x, err := Refute(c, goal, nil, Course{rat("2"), 12, 100, nil}); err == nil || x.Valid() {
		t.Error("no state refutes")
	}
	// Few steps are too few.
	if _, err := Refute(c, goal, st, Course{rat("2"), 12, 100, nil}); err != nil {
		t.Error(err)
	}
	v := read(t, grow+"  says s: x vanishes\n")
	for _, bad := range []*Trap{{Lo: []*big.Rat{nil}}, {Rows: [][]*big.Rat{{nil}}, Lo: []*big.Rat{nil}, Hi: []*big.Rat{nil}}} {
		if x, err := Refute(v.Context(), v.Goals()[0], at(t, v, "x=1/4"), Course{rat("9"), 12, 500, bad}); err == nil || x.Valid() {
			t.Error("a trap without numbers is taken")
		}
		if x, err := Certify(v.Context(), v.Goals()[0], Argument{Traps: []*Trap{bad}}); err == nil || x.Valid() {
			t.Error("a trap without numbers is taken for all motions")
		}
	}
	for _, bad := range []string{"1/2 3/2: 1; 0 1: 1", "3/2 1/2: 1", "1/2 3/2: 0"} {
		if x, err := Refute(v.Context(), v.Goals()[0], at(t, v, "x=1/4"), Course{rat("9"), 12, 500, around(bad)}); err == nil || x.Valid() {
			t.Errorf("the trap %s is taken", bad)
		}
	}
	// Numbers that float64 has no bounds for, and constants that would take all time to write out.
	huge := "1" + strings.Repeat("0", 400)
	for _, bad := range []string{"-" + huge + " " + huge + ": 1", "-" + huge + " " + huge + ": " + huge, "-1 1: " + huge, "1/" + huge + " 1: 1/" + huge} {
		if x, err := Refute(v.Context(), v.Goals()[0], at(t, v, "x=1/4"), Course{rat("9"), 12, 500, around(bad)}); err == nil || x.Valid() {
			t.Errorf("the trap %s is taken", bad)
		}
	}
	long := read(t, "  scalar x, c > 0\n  flow\n    x' = -x\n  says s: always x >= root(c)\n")
	if x, err := Refute(long.Context(), long.Goals()[0], at(t, long, "x=1 c="+huge+huge), Course{rat("2"), 12, 100, nil}); err == nil || x.Valid() {
		t.Error("the root of a number beyond float64")
	}
	power := read(t, "  scalar x, c > 0\n  flow\n    x' = -x\n  says s: always x >= (c^64)^64\n")
	if x, err := Refute(power.Context(), power.Goals()[0], at(t, power, "x=1 c="+strings.Repeat("7", 15000)), Course{rat("2"), 12, 100, nil}); err == nil || x.Valid() {
		t.Error("a power of a long number")
	}
	// An entry of a matrix is not taken for a symbol that is called like it.
	called := read(t, "  size n\n  scalar W_1_1\n  matrix W : n x n\n  flow\n    W' = -W\n    W_1_1' = W_1_1\n  says s: always W_1_1 <= 2\n    assume start h: W_1_1 == 1\n")
	if x, err := Refute(called.Context(), called.Goals()[0], at(t, called, "n=1 W=1 W_1_1=1"), Course{rat("2"), 12, 100, nil}); err != nil || !x.Valid() {
		t.Errorf("a symbol called like an entry: %v", err)
	}
	for about, text := range map[string]string{
		"a root that moves":     "  scalar x > 0\n  flow\n    x' = -root(x)\n  says s: always x >= 1\n",
		"an inverse that moves": "  size n\n  matrix A : n x n pd\n  flow\n    A' = -inv(A)\n  says s: always A psd\n",
		"second moments":        "  size n\n  random v : n\n  matrix X : n x n psd\n  moment v = X\n  scalar x\n  flow\n    x' = -x*E(tr(v*v^T))\n  says s: always x >= 1\n",
	} {
		r := read(t, text)
		state := map[string]string{"a root that moves": "x=1", "an inverse that moves": "n=1 A=1", "second moments": "n=1 X=1 x=1"}[about]
		if x, err := Refute(r.Context(), r.Goals()[0], at(t, r, state), Course{rat("1"), 12, 100, nil}); err == nil || x.Valid() || !strings.Contains(err.Error(), "not followed") {
			t.Errorf("%s: %v", about, err)
		}
	}
}

// TestEquationsAgreeWithTheModel writes out flows with operators and compares them with the model at states; agree itself
// has to notice a flow that is read otherwise.
func TestEquationsAgreeWithTheModel(t *testing.T) {
	r := read(t, "  size n, m\n  scalar eta >= 0\n  matrix W : n x m\n  matrix P : n x n\n  let J = 1/2*tr((P*W)^T*(P*W))\n  flow\n    W' = -grad(J, W) - eta*W\n    P' = -grad(J, P)\n  says s: always tr(W^T*W) <= 1\n")
	m, err := Follow(r.Context(), at(t, r, "n=2 m=1 eta=1/2 W=1;2 P=1,2;3,4"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Names(), " "); got != "W.1.1 W.2.1 P.1.1 P.1.2 P.2.1 P.2.2" {
		t.Error(got)
	}
	defer func() {
		f, ok := recover().(*failure)
		if !ok || !strings.Contains(f.err.Error(), "in two ways") {
			t.Errorf("another flow passes: %v", f)
		}
	}()
	other := enclosure.NewSystem(m.Names()...)
	for i, n := range m.Names() {
		e := other.Var(m.Names()[(i+1)%6])
		other.SetRHS(n, e)
	}
	m.sys = other
	m.agree()
}
