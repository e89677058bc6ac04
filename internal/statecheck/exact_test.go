package statecheck

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"stopgrad/fuzz/witness"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// own is a claim of the tests.
func own(t *testing.T, text string) *lang.Claim {
	t.Helper()
	return ownFile(t, text).Claims[0]
}

func ownFile(t *testing.T, text string) *lang.File {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "own", Text: text})
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func checkOwn(t *testing.T, c *lang.Claim, text string) *Result {
	t.Helper()
	s, err := ReadState(strings.NewReader(text), "state")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(context.Background(), c, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestProvedMarginsAreNotViolated: a margin of 1.6e-11 is more than zero, whatever floating point makes of it.
func TestProvedMarginsAreNotViolated(t *testing.T) {
	r, err := check(t, "alpha-positive-1", `"alpha":100,"eta":0.0004,"sigma2":0.1,"p":0.5,"s":0.25,"tau":1`, Options{})
	if err != nil || r.Status() != Holds {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNearlyMetHypothesesViolateNothing: a theorem may fail by any amount where its hypothesis holds up to rounding.
func TestNearlyMetHypothesesViolateNothing(t *testing.T) {
	c := own(t, `claim steep
  title t
  printed nowhere
  scalar x
  says steep: (x^2 - 2)*1000000000000000 < 1/100
    assume h: x^2 == 2
  says root: root(x^2 - 2) == 0
    assume h: x^2 == 2
  says smooth: x^4 == 4
    assume h: x^2 == 2
`)
	r := checkOwn(t, c, `{"x":1.4142135623730951}`)
	if r.Status() != NotDecided || !r.Parts[0].Open || !r.Parts[1].Open || !r.Parts[2].Holds || !slices.Contains(r.Parts[0].Notes, roundedNote) {
		t.Errorf("status %d: %+v", r.Status(), r.Parts)
	}
	if r := checkOwn(t, own(t, "claim c\n  title t\n  printed nowhere\n  scalar x\n  says c: x == 1\n    assume h: x^2 == 4\n"), `{"x":2}`); r.Status() != Violated {
		t.Errorf("exactly met: status %d", r.Status())
	}
}

// TestStatesThatNoMotionPasses: where x' = 1 and x·y = 0 all along, y is 0, and a state with x = 0 alone violates nothing.
func TestStatesThatNoMotionPasses(t *testing.T) {
	c := own(t, `claim passed
  title t
  printed nowhere
  scalar x, y
  scalar q >= 0
  flow
    x' = 1
    y' = 0
  map
    x+ = x + 1
    y+ = y
  says zero: always y + 0*root(q) == 0 along the flow
    assume h: x*y == 0
`)
	free := own(t, "claim free\n  title t\n  printed nowhere\n  scalar x, y\n  flow\n    x' = 1\n    y' = 0\n  says zero: always y == 0\n    assume h: x*y >= 0\n    assume g: x > -1\n")
	for _, x := range []struct {
		c     *lang.Claim
		state string
		want  Status
	}{
		{c, "x=0 y=1 q=4", NotDecided},
		{c, "x=0 y=1 q=2", NotDecided}, // by the model, the root being irrational
		{c, "x=0 y=0 q=4", Holds},
		{c, "x=1 y=1 q=4", Unmet},
		{free, "x=1 y=1", Violated},
	} {
		r := checkOwn(t, x.c, x.state)
		if r.Status() != x.want {
			t.Errorf("%s at %s: status %d, want %d: %+v", x.c.ID, x.state, r.Status(), x.want, r.Parts)
		}
		if x.want == NotDecided && !undecidedNote(r.Parts[0]) {
			t.Errorf("%s: it is not said why: %v", x.state, r.Parts[0].Notes)
		}
	}
}

// TestExactNumbersDecide pairs states whose last digits make the difference.
func TestExactNumbersDecide(t *testing.T) {
	c := own(t, `claim third
  title t
  printed nowhere
  scalar a, b > 0
  says less: 3*a <= b
  says root: root(a) < b
`)
	for _, x := range []struct {
		state string
		want  Status
	}{
		{`{"a":"1/3","b":1}`, Holds},
		{`{"a":"1/3","b":"0.99999999999999999999"}`, Violated},
		{`{"a":0.3333333333333333333333333333334,"b":1}`, Violated},
		{`{"a":"2","b":"1e400"}`, Holds},
		{`{"a":"1e-400","b":"0"}`, Unmet},
		{`a=1/3 b=1`, Holds},
		{`{"scalars":{"a":"1/3","b":"1"}}`, Holds},
	} {
		if r := checkOwn(t, c, x.state); r.Status() != x.want {
			t.Errorf("%s: status %d, want %d: %+v", x.state, r.Status(), x.want, r.Parts)
		}
	}
	// √2 is irrational: the model decides.
	root := own(t, "claim c\n  title t\n  printed nowhere\n  scalar a, b > 0\n  says root: root(a) < b\n")
	for state, want := range map[string]Status{
		`a=2 b=1.414213562373095048801688724209698078569671875377`: Holds,
		`a=2 b=1.414213562373095048801688724209698078569671875376`: Violated,
	} {
		if r := checkOwn(t, root, state); r.Status() != want {
			t.Errorf("%s: status %d, want %d: %+v", state, r.Status(), want, r.Parts)
		}
	}
}

// TestWhatNothingCountsIsNotDecided pairs states of which floating point finds what rounding does not tell, one that the model still
// counts with and one beyond it.
func TestWhatNothingCountsIsNotDecided(t *testing.T) {
	roots := "root(x + 2)"
	for _, k := range []string{"3", "5", "7", "11", "13", "17", "19"} {
		roots += " + root(x + " + k + ")"
	}
	for _, x := range []struct {
		says, state string
		want        Status
	}{
		{"x^64 == 0", `{"x":"1e-70"}`, Violated},
		{"x^64 == 0", `{"x":"1e-100"}`, Violated}, // of more bits than are evaluated
		{"x^64 > 0", `{"x":"1e-100"}`, Holds},
		{"1 + x^64 <= 1", `{"x":"1e-300"}`, Violated},
		{"1 + x^60*x^60 <= 1", `{"x":"1e-300"}`, NotDecided},
		{"1 + x^60*x^60 > 1", `{"x":"1e-300"}`, NotDecided},
		{"root(x + 2) + root(x + 3) == 3.14626436994197234232913506571", `x=0`, Violated},
		{roots + " == 23.43226429348408", `x=0`, NotDecided},
		{roots + " <= 23.43226429348308", `x=0`, NotDecided}, // as false as the last digits
		{"y >= 0\n    assume h: x^60*x^60 > 0", `{"x":"1e-300","y":1}`, NotDecided},
		{"always x^60*x^60 == 0", `{"x":"1e-300"}`, NotDecided},
	} {
		c := own(t, "claim c\n  title t\n  printed nowhere\n  scalar x, y\n  flow\n    x' = 0\n  says s: "+x.says+"\n")
		r := checkOwn(t, c, x.state)
		if r.Status() != x.want || x.want == NotDecided && !undecidedNote(r.Parts[0]) {
			t.Errorf("%s at %s: status %d, want %d: %+v", x.says, x.state, r.Status(), x.want, r.Parts)
		}
		if x.want == Violated && (r.Parts[0].Against == "" || len(r.Parts[0].Against) > 250) {
			t.Errorf("%s at %s: against it %q", x.says, x.state, r.Parts[0].Against)
		}
	}
}

// TestWhatFollowsFromMatricesIsAskedFor: W·X·Wᵀ is made where a part speaks of F, and not of any length.
func TestWhatFollowsFromMatricesIsAskedFor(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  size n, m\n  matrix W : n x m\n  matrix X : m x m\n  matrix F : n x n\n  scalar x\n"+
		"  says of: tr(F) >= 0\n  says other: x >= 0\n")
	state := func(n int, entry string) string {
		row := "[" + strings.Repeat(entry+",", n-1) + entry + "]"
		return `{"x":1,"W":[` + strings.Repeat(row+",", n-1) + row + `]}`
	}
	for _, x := range []struct {
		part, state string
		want        string
	}{
		{"of", state(2, "3"), ""},
		{"of", state(60, `"7e-4321"`), "F = W·X·Wᵀ: eval: more operations"},
		{"other", state(60, `"7e-4321"`), ""},
		{"of", `{"x":1,"W":[[1]],"F":[1,2]}`, "F: a matrix is an array of rows"},
	} {
		s, err := ReadState(strings.NewReader(x.state), "f")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Check(context.Background(), c, s, Options{Part: x.part})
		if x.want == "" && (err != nil || r.Status() != Holds) || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s at %.40s: %v", x.part, x.state, err)
		}
	}
}

// TestIrrationalStates: a witness may be √2, which a claim holds at exactly or not at all.
func TestIrrationalStates(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  scalar x\n  says sign: x >= 0\n    assume h: x^2 == 2\n")
	for state, want := range map[string]Status{
		"x=-1*root(2)":       Violated,
		"x=1*root(2)":        Holds,
		`{"x":"-1*root(2)"}`: Violated,
		"x=1+1*root(2)":      Unmet,
		"x=1-1/2*root(2)":    Unmet,
		"x=-1e-3*root(2e6)":  Violated,
		"x=1e3-1E+0*root(2)": Unmet,
		"stopgrad certificate 1\nroot 2\nvalue x 1 1 : 0,-1\n": Violated,
	} {
		if r := checkOwn(t, c, state); r.Status() != want || r.Parts[0].Rounded != nil {
			t.Errorf("%s: status %d, want %d: %+v", state, r.Status(), want, r.Parts)
		}
	}
	// The root of a square is a fraction.
	two := own(t, "claim c\n  title t\n  printed nowhere\n  scalar x\n  says two: x == 2\n")
	for state, want := range map[string]Status{
		"x=0+1*root(4)":           Holds,
		"x=1+2/3*root(9/4)":       Holds,
		"x=2+0*root(3)":           Holds,
		`{"x":"0+1*root(9/4)"}`:   Violated,
		`{"x":"0+1*root(1e400)"}`: Violated,
		"stopgrad certificate 1\nroot 4\nvalue x 1 1 : 0,1\n": Holds,
	} {
		if r := checkOwn(t, two, state); r.Status() != want || len(r.Parts[0].Notes) > 0 {
			t.Errorf("%s: status %d, want %d: %+v", state, r.Status(), want, r.Parts)
		}
	}
	for _, bad := range []string{"root -2\nvalue x 1 1 : 0,1", "root 0\nvalue x 1 1 : 0,1", "root 2\nvalue x 2 1 : 0,1", "root 2\nvalue x 1 1 ; 0,1", "\nvalue x 1 1 : 0,1"} {
		if _, err := ReadState(strings.NewReader("stopgrad certificate 1\n"+bad+"\n"), "f"); err == nil || !strings.Contains(err.Error(), "f:3: x: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{"x=root(2)", "x=1*root(-2)", "x=1*root(2", "x=a*root(2)"} {
		if _, err := ReadState(strings.NewReader(bad), "f"); err == nil || !strings.Contains(err.Error(), "f:1: x: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestWhatFollowsFromIrrationalNumbers: a number near an irrational one is never taken for it. What is the same number is exact,
// what is computed from it is rounded, and entries of matrices are not read.
func TestWhatFollowsFromIrrationalNumbers(t *testing.T) {
	c := own(t, `claim c
  title t
  printed nowhere
  size n
  matrix W, F, Xp : n x n
  scalar eta, etap, x, s, w, tau, wa, sigma2
  says entry: tr(W)^2 == 2
    assume one: size(n) == 1
  says rate: etap^2 == 2
  says square: s == 2
  says number: x^2 == 2
  says average: wa^2 == 2*w^2
  says scaled: sigma2^2 == 2
  says weighted: tr(F) == 2
    assume one: size(n) == 1
  says noise: tr(Xp)^2 == 2
    assume one: size(n) == 1
`)
	part := func(name string) *lang.Claim {
		one := *c
		one.Parts = slices.DeleteFunc(slices.Clone(c.Parts), func(p *lang.Part) bool { return p.Name != name })
		return &one
	}
	for _, x := range []struct {
		part, state string
		want        Status
		exact       bool
	}{
		{"rate", `{"eta":"0+1*root(2)"}`, Holds, true},
		{"rate", `{"eta":"0+1*root(3)"}`, Violated, true},
		{"square", `{"w":"0+1*root(2)"}`, Holds, false},
		{"square", `{"w":"0+1*root(3)"}`, NotDecided, false},
		{"average", `{"w":3,"tau":"0+1*root(2)"}`, Holds, false},
		{"average", `{"w":3,"tau":"0+1*root(3)"}`, NotDecided, false},
		{"noise", `{"W":[[1]],"sigma2":"0+1*root(2)"}`, Holds, false},
		{"noise", `{"W":[[1]],"sigma2":"0+1*root(3)"}`, NotDecided, false},
		{"entry", `{"W":"0+1*root(2)"}`, Holds, true},
		{"entry", `{"W":"0+1*root(3)"}`, Violated, true},
		{"entry", `W=0+1*root(2)`, Holds, true},
		{"entry", `{"matrices":{"W":[["0+1*root(2)"]]}}`, Holds, true},
		{"entry", `{"matrices":{"W":[["0+1*root(3)"]]}}`, Violated, true},
		{"entry", "stopgrad certificate 1\nroot 2\nvalue W 1 1 : 0,1\n", Holds, true},
		{"weighted", `{"W":"0+1*root(2)"}`, Holds, false},
		{"weighted", `{"W":"0+1*root(3)"}`, NotDecided, false},
		{"noise", `{"W":[[1]],"Xp":"0+1*root(2)"}`, Holds, true},
		{"scaled", `{"Xp":"0+1*root(2)"}`, Holds, true},
		{"scaled", `{"Xp":"0+1*root(3)"}`, Violated, true},
	} {
		r := checkOwn(t, part(x.part), x.state)
		if said := strings.Contains(strings.Join(r.Parts[0].Notes, " "), "in floating point"); r.Status() != x.want || said == x.exact {
			t.Errorf("%s at %s: status %d, want %d: %+v", x.part, x.state, r.Status(), x.want, r.Parts)
		}
	}
	for text, want := range map[string]string{
		`{"W":[["0+1*root(2)",1],[0,1]]}`: "f:1: W: an irrational number",
		`{"p":["0+1*root(2)"]}`:           "f:1: p: an irrational number",
		`{"W[1,1]":"0+1*root(2)"}`:        "f:1: W[1,1]: an irrational number",
		`{"x[1,1]":"0+1*root(2)"}`:        "f:1: x[1,1]: an irrational number",
		`{"t":-5,"W":[[1]]}`:              "f:1: t: want a time from 0 on",
		`{"n":"0+1*root(2)"}`:             "f:1: the size n is a number",
		"x\n=1\nx2=1\ny=abc":              "f:4: y: ",
		"x\n\n\n=1\n\nx=1\n":              "f:6: key x is given twice",
	} {
		s, err := ReadState(strings.NewReader(text), "f")
		if err == nil {
			_, err = Check(context.Background(), part("entry"), s, Options{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestValuesThatGammaAsksFor: what a part does not speak of is read all the same, as Γ may; in a wrong shape it is a mistake.
func TestValuesThatGammaAsksFor(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x > 0\n  scalar y\n  matrix W : n x n\n  says s: y >= 0\n")
	if r := checkOwn(t, c, `{"x":-1,"y":-1}`); r.Status() != Unmet {
		t.Errorf("outside of its domain: %+v", r.Parts)
	}
	for text, want := range map[string]string{
		`{"x":[-1],"y":-1}`:           "f:1: x: want a number",
		`{"x":[-1,-2],"y":-1}`:        "f:1: x: want a number",
		`{"x":[[-1,-2]],"y":-1}`:      "f:1: x: want a number",
		`{"W":[1,2],"y":-1}`:          "f:1: W: a matrix is an array of rows",
		`{"sizes":{"x":-5},"y":-1}`:   `f:1: "x" is no size`,
		`{"size x":-5,"y":-1}`:        `f:1: "x" is no size`,
		`{"size alpha":2,"y":-1}`:     `f:1: "alpha" is no size`,
		`{"scalars":{"n":2},"y":-1}`:  "",
		`{"sizes":{"n":2.5},"y":-1}`:  "f:1: the size n is a number",
		`{"sizes":{"n":[[2]]},"y":1}`: "f:1: the size n is a number",
	} {
		s, err := ReadState(strings.NewReader(text), "f")
		if err == nil {
			_, err = Check(context.Background(), c, s, Options{})
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestAssumptionsNamedLikeSymbols: what is declared of x and an assumption called x are two hypotheses, as are an assumption and
// what a report says in its own words.
func TestAssumptionsNamedLikeSymbols(t *testing.T) {
	c := own(t, `claim c
  title t
  printed nowhere
  scalar x > 0
  scalar y
  says s: x*y >= 0
    assume x: y >= 1
    assume defined: y <= 5
`)
	for state, want := range map[string]map[string]bool{
		`{"x":1,"y":0}`:  {"x": false, "defined": true},
		`{"x":-1,"y":1}`: {"x": true, "defined": true, "x as declared": false},
		`{"x":1,"y":9}`:  {"x": true, "defined": false},
	} {
		r := checkOwn(t, c, state)
		p := r.Parts[0]
		if r.Status() != Unmet || !maps.Equal(p.Hypotheses, want) || slices.Contains(p.Notes, "not as declared: x > 0") != strings.Contains(state, "-1") {
			t.Errorf("%s: %+v", state, r.Parts)
		}
	}
	tends := own(t, `claim c
  title t
  printed nowhere
  scalar x
  flow
    x' = 1 - x
  says s: x tends to 1 from 0 < x < 2
    assume inside: x <= 3/2
`)
	for state, want := range map[string]map[string]bool{
		`{"x":1.75,"t":1}`: {"inside": false, "between the ends": true},
		`{"x":-1,"t":1}`:   {"inside": true, "between the ends": false},
		`{"x":0.5,"t":1}`:  {"inside": true, "between the ends": true},
	} {
		if r := checkOwn(t, tends, state); !maps.Equal(r.Parts[0].Hypotheses, want) {
			t.Errorf("%s: %+v", state, r.Parts)
		}
	}
}

// TestWhatAClaimDeclaresIsItsOwn: that X is I where there is a sigma2 is asked of a state only where the claim has no X of its own,
// and is called by no name that an assumption has.
func TestWhatAClaimDeclaresIsItsOwn(t *testing.T) {
	for _, c := range []struct {
		claim, state string
		want         Status
		hypotheses   map[string]bool
	}{
		{"size n\n  scalar sigma2 > 0\n  matrix X : n x n\n  says a: sigma2 >= 5", `{"sigma2":1,"X":[[2,0],[0,2]]}`, Violated, map[string]bool{}},
		{"size n\n  scalar sigma2, x\n  matrix X : n x n\n  says a: sigma2*x^2 >= 0\n    assume isotropic: x > 0", `{"sigma2":1,"x":1,"X":[[2,0],[0,2]]}`, Holds, map[string]bool{"isotropic": true}},
		{"size n, m\n  scalar tau\n  matrix W, Wa : n x m\n  says a: tau*tr(W*W^T) >= 0\n    assume proportional: tau > 0", `{"tau":1,"W":[[1]],"Wa":[[3]]}`, Holds, map[string]bool{"proportional": true}},
		{"scalar sigma2\n  says a: sigma2 >= 0\n    assume isotropic: sigma2 >= 1", `{"sigma2":1,"X":[[2,0],[0,2]]}`, Unmet, map[string]bool{"isotropic": true, isotropic: false}},
		{"scalar sigma2\n  says a: sigma2 >= 0", `{"sigma2":2,"X":[[1,0],[0,1]],"Xp":[[2,0],[0,2]]}`, Holds, map[string]bool{isotropic: true}},
	} {
		r := checkOwn(t, own(t, "claim c\n  title t\n  printed nowhere\n  "+c.claim+"\n"), c.state)
		if p := r.Parts[0]; r.Status() != c.want || !maps.Equal(p.Hypotheses, c.hypotheses) {
			t.Errorf("%s at %s: status %d, want %d: %+v", c.claim, c.state, r.Status(), c.want, p)
		}
	}
}

// TestEntriesBeginAtOne: an entry of row zero is none.
func TestEntriesBeginAtOne(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  size n\n  matrix W : n x n\n  says s: tr(W) == 1\n")
	for _, name := range []string{"W[0,1]", "W[1,0]", "W[01,1]", "W[-1,1]"} {
		s, err := ReadState(strings.NewReader(`{"W[1,1]":1,"`+name+`":9}`), "f")
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Check(context.Background(), c, s, Options{}); err == nil || !strings.Contains(err.Error(), `unknown key "`+name+`"`) {
			t.Errorf("%s is passed over: %+v, %v", name, r, err)
		}
	}
}

// TestASizeIsNoEntry: what stands below sizes is called as the claim calls its sizes.
func TestASizeIsNoEntry(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  size n\n  matrix W : n x n\n  says s: tr(W) == 1\n")
	s, err := ReadState(strings.NewReader(`{"sizes":{"W[1,1]":1}}`), "f")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Check(context.Background(), c, s, Options{}); err == nil || !strings.Contains(err.Error(), `"W[1,1]" is no size of the claim`) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestWhatIsCountedIsBound: the scalar of which zeros are counted has no value; what else the count speaks of does.
func TestWhatIsCountedIsBound(t *testing.T) {
	text := "claim c\n  title t\n  printed nowhere\n  scalar x, a\n  says s: x^2 - a has 2 zeros for x in (-inf, a)\n    assume h: a > 0\n"
	for state, want := range map[string]Status{"a=2": Holds, "a=1": Violated, "a=-1": Unmet} {
		if r := checkOwn(t, own(t, text), state); r.Status() != want {
			t.Errorf("%s: status %d, want %d: %+v", state, r.Status(), want, r.Parts)
		}
	}
}

// TestOverflowIsNotDecided along a trajectory, where numbers are those of float64.
func TestOverflowIsNotDecided(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  scalar x > 0\n  flow\n    x' = x\n  says now: x^3 >= x\n    assume big: x >= 1\n")
	if r := checkOwn(t, c, `{"x":1e300,"t":1}`); r.Status() != NotDecided {
		t.Errorf("status %d: %+v", r.Status(), r.Parts)
	}
	if r := checkOwn(t, c, `{"x":1e300}`); r.Status() != Holds {
		t.Errorf("exactly: status %d: %+v", r.Status(), r.Parts)
	}
}

// TestRoundedHypotheses: numbers that were computed meet equalities up to rounding, and the report says so.
func TestRoundedHypotheses(t *testing.T) {
	c := own(t, "claim c\n  title t\n  printed nowhere\n  scalar x, y\n  says square: x^4 == y^2\n    assume h: x^2 == y\n")
	r := checkOwn(t, c, `{"x":1.4142135623730951,"y":2}`)
	if r.Status() != Holds || len(r.Parts[0].Rounded) != 1 {
		t.Errorf("%+v", r.Parts)
	}
	if r := checkOwn(t, c, `{"x":1.41,"y":2}`); r.Status() != Unmet {
		t.Errorf("far from it: %+v", r.Parts)
	}
	if r := checkOwn(t, c, `{"x":3,"y":9}`); r.Status() != Holds || r.Parts[0].Rounded != nil {
		t.Errorf("exact: %+v", r.Parts)
	}
}

// TestEveryClaimTakesAStateOfItsOwn draws a state of every part and writes it in each form; no symbol is missing.
func TestEveryClaimTakesAStateOfItsOwn(t *testing.T) {
	parts := 0
	for _, c := range claims.Claims {
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			ch := sample.NewStream(1, "own/"+c.ID+p.Name)
			for range 50 {
				st, err := sample.Draw(ch, p, 2)
				if err != nil {
					continue
				}
				s, err := ReadState(strings.NewReader(witness.String(st)), "state")
				if err != nil {
					t.Fatalf("%s/%s: %v", c.ID, p.Name, err)
				}
				r, err := Check(context.Background(), c, s, Options{Part: p.Name})
				if err != nil {
					t.Errorf("%s/%s: %v", c.ID, p.Name, err)
				} else if len(r.Skipped) > 0 {
					t.Errorf("%s/%s: skipped %+v", c.ID, p.Name, r.Skipped)
				}
				parts++
				break
			}
		}
	}
	if parts < 150 {
		t.Errorf("only %d parts", parts)
	}
}

// TestWitnessesAreStates finds counterexamples and checks the claim at each: violated there, and not where a number is
// changed so that the statement holds.
func TestWitnessesAreStates(t *testing.T) {
	found := 0
	for _, id := range []string{"F-def", "basin", "wd-alignment", "thm1-vs-assumption3", "assump-ema", "alpha-positive-1", "beta-tau", "dp-formula"} {
		c := claims.Claim(id)
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			r := sample.Search(context.Background(), p, 1, id+p.Name, 400)
			if r.Refutation == nil {
				continue
			}
			found++
			s, err := ReadState(strings.NewReader(witness.String(r.Witness)), "state")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Check(context.Background(), c, s, Options{Part: p.Name})
			if err != nil || got.Status() != Violated {
				t.Errorf("%s/%s at %s: %+v, %v", id, p.Name, witness.String(r.Witness), got, err)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d counterexamples", found)
	}
}

// TestFormsOfStates reads one state in every form.
func TestFormsOfStates(t *testing.T) {
	for name, text := range map[string]string{
		"json":        `{"n": 2, "eta": 0.1, "W": [["1/3", 2], [0, -1e-3]]}`,
		"flat":        `{"size n":"2","eta":"1/10","W[1,1]":"1/3","W[1,2]":"2","W[2,1]":"0","W[2,2]":"-1/1000"}`,
		"ledger":      `{"sizes":{"n":2},"scalars":{"eta":"1/10"},"matrices":{"W":[["1/3","2"],["0","-1/1000"]]}}`,
		"text":        "n=2 eta=1/10\n W=[1/3 2; 0 -1/1000]\n",
		"pasted":      "\ufeffn=2\u00a0eta=1/10\f,W=[1/3\u00a02;\n0 -1/1000]\v\u2003",
		"certificate": "stopgrad certificate 1\nclaim a b printed\ndim n 2\nvalue W 2 2 : 1/3 2 0 -1/1000\nvalue eta 1 1 : 1/10\n",
	} {
		s, err := ReadState(strings.NewReader(text), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		q := supply{s}
		w, eta := q.given("W"), new(big.Rat)
		if n, ok := q.scalar("eta"); ok {
			eta = n.v
		}
		if w == nil || witness.MatrixString(*w) != "[1/3 2; 0 -1/1000]" || eta.RatString() != "1/10" || s.values["n"].number.RatString() != "2" {
			t.Errorf("%s: W = %v, eta = %v", name, w, eta)
		}
	}
}

func TestBadStateFiles(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\"eta\":\n\"1/0\"}", "f:2: eta: 1/0 divides by zero"},
		{`{"eta":"1/010"}`, `f:1: eta: "1/010" is not a finite number`},
		{"eta=010/81", `f:1: eta: "010/81" is not a finite number`},
		{`{"eta":"zero"}`, `f:1: eta: "zero" is not a finite number`},
		{`{"eta":"1e9999999"}`, "f:1: eta: 1e9999999 has an exponent beyond"},
		{`{"eta":true}`, "f:1: eta: want a number, found true"},
		{`{"W":[[1,2],[3]]}`, "f:1: W row 2: 1 columns where row 1 has 2"},
		{`{"W":[]}`, "f:1: W: empty array"},
		{`{"W":[[1],2]}`, "f:1: W row 2: a row is an array of numbers"},
		{`{"W[1,1]":1,"W[1,1]":2}`, "f:1: key W[1,1] is given twice"},
		{`{"W[1,2]":1}`, "f:1: W[1,1] has no value"},
		{`{"eta":1,"eta":2}`, "f:1: key eta is given twice"},
		{`{"eta":1} {}`, "f:1: after the state: unexpected '{'"},
		{`{"eta":1`, "f:1: state: the file ends in the middle"},
		{`[1]`, "f:1: a state is a JSON object"},
		{"eta=1\nW=[1 2; 3", "f:2: W: the matrix has no ]"},
		{"eta=1\nW=[1 2; 3]", "f:2: W row 2: 1 columns"},
		{"eta=1\nW=[1\n2; 3\n4]\n\nx=y", `f:6: x: "y" is not a finite number`},
		{"eta=1\u00a0nonsense\u00a0here\u2003", `f:1: "nonsense": name=value is expected`},
		{"eta=1\nnonsense here", `f:2: "nonsense": name=value is expected`},
		{"stopgrad certificate 1\nclaim a b printed\n", "f: this certificate holds no state"},
		{"stopgrad certificate 1\nvalue W 2 2 : 1 2 3\n", "f:2: W: the entries do not fit the shape"},
		{"stopgrad certificate 1\nvalue W 4294967296 4294967296 :\n", "f:2: W: the entries do not fit the shape"},
		{"stopgrad certificate 1\nvalue W 3 6148914691236517206 : 1 2\n", "f:2: W: the entries do not fit the shape"},
	} {
		if _, err := ReadState(strings.NewReader(c.text), "f"); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", c.text, err, c.want)
		}
	}
	s, err := ReadState(strings.NewReader("{\"eta\":1,\n\"Q\":[[1]]}"), "f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Check(context.Background(), claims.Claim("thm1"), s, Options{}); err == nil || !strings.Contains(err.Error(), `f:2: unknown key "Q"`) {
		t.Errorf("%v", err)
	}
}
