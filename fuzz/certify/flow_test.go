package certify

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/fuzz/campaign"
	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
	"stopgrad/theory"
	"stopgrad/theory/verdict"
)

const moving = `claim t
  scalar p, s
  flow
    p' = s*(1 - p) - 1/10*p
    s' = 2*p*s*(1 - p) - 1/5*s
  says collapse: p vanishes
    for p in [0, 1/20], s in [0, 1/100]
  says lives: always s > 1/20
    for p in [1/2, 3/4], s in [1/2, 3/4]
  says wide: always s > 1/20
    for p in [1/2, 1], s in [1/4, 1]
  says other: p vanishes
    for p in [0, 1/20], s in [0, 1/90]
  says wrong: p vanishes
    for p in [0, 3/4], s in [0, 3/4]
  says dies: always s > 1/20
    for p in [0, 1/10], s in [11/200, 1/4]
  says straddles: p vanishes
    for p in [0, 1/8], s in [0, 1/32]
  says both: s vanishes
    assume start parabola: s == p^2
    for p in [0, 1/20]
  says started: p vanishes
    assume start low: p + 10*s <= 3/20
    for p in [0, 1/20], s in [0, 1/40]
  says ends: always s > 0
    assume always large: s > 1/50
    for p in [0, 1/100], s in [1/45, 1/44]
`

// TestFlows: what becomes of statements over time, and that their certificates say so again.
func TestFlows(t *testing.T) {
	f := claims(t, moving)
	for name, want := range map[string]string{"collapse": "certified", "lives": "certified", "wrong": "refuted", "dies": "refuted",
		"straddles": "refuted", "both": "certified", "started": "certified", "ends": "certified"} {
		part, out := settled(t, f, name, Options{Nodes: 40_000})
		if out.Verdict.String() != want {
			t.Errorf("%s: %s", name, out.Say())
			continue
		}
		text, err := out.Certificate("t")
		if err != nil {
			t.Fatal(err)
		}
		c, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v, err := verdict.OfCertificate(part, c); err != nil || v != out.Verdict {
			t.Errorf("%s: %s read again, %v", name, v, err)
		}
		// Filed under another statement it says nothing.
		for _, q := range f.Claims[0].Parts {
			if q.Name == name {
				continue
			}
			if v, err := verdict.OfCertificate(q, c); err == nil || v.IsDecided() {
				t.Errorf("the certificate of %s says of %s: %s", name, q.Name, v)
			}
		}
	}
}

// TestWideRegionsOfMotions: what the search is given is what the argument is checked with, however wide.
func TestWideRegionsOfMotions(t *testing.T) {
	_, out := settled(t, claims(t, "claim t\n  scalar x\n  flow\n    x' = -x - x^2\n  says a: x vanishes\n    for x in [0, 10000]\n"), "a", Options{Nodes: 40_000})
	if out.Verdict.String() != "certified" {
		t.Error(out.Say())
	}
}

// TestNothingWithoutAValueIsCertified: that L is not so at the start shows that it stays so only of an L with a value.
func TestNothingWithoutAValueIsCertified(t *testing.T) {
	f := claims(t, `claim t
  scalar x, y
  flow
    x' = -1
    y' = -y
  says lost: -1 - 1/x^2 stays nonnegative
    for x in [1, 2]
  says beside: y - 2, -1/x stay nonnegative
    for x in [1, 2], y in [0, 1]
  says valued: y - 2, -y stay nonnegative
    for y in [0, 1]
`)
	for name, want := range map[string]string{"lost": "undecided", "beside": "undecided", "valued": "certified"} {
		if _, out := settled(t, f, name, Options{Nodes: 4_000}); out.Verdict.String() != want {
			t.Errorf("%s: %s", name, out.Say())
		}
	}
}

// TestFlowsLeaveWhatIsNotShown: with few boxes a share is left, with its boxes.
func TestFlowsLeaveWhatIsNotShown(t *testing.T) {
	_, out := settled(t, claims(t, moving), "wide", Options{Nodes: 3 * boxNodes})
	share, boxes := out.Left()
	if out.Verdict.IsDecided() || share == 0 || boxes == 0 || !strings.Contains(out.Say(), "p in [") {
		t.Errorf("%s", out.Say())
	}
}

// TestFlowsDoNotDependOnWorkers: the same certificate from one worker, from three, and from the tiles of a store.
func TestFlowsDoNotDependOnWorkers(t *testing.T) {
	store, err := campaign.OpenResults(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var first []byte
	for k, o := range []Options{{Workers: 1}, {Workers: 3}, {Workers: 2, Results: store}, {Workers: 1, Results: store}} {
		_, out := settled(t, claims(t, moving), "wide", o)
		text, err := out.Certificate("t")
		if err != nil || text == nil {
			t.Fatal(out.Say(), err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(first, text) {
			t.Errorf("search %d finds another certificate", k)
		}
	}
}

// TestChangedFlowsAreRefused flips bits of every byte of a certificate; and, with a right digest, drops and doubles lines of the
// argument, and says of a box what is not so.
func TestChangedFlowsAreRefused(t *testing.T) {
	f := claims(t, moving)
	_, out := settled(t, f, "started", Options{})
	text, err := out.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	for at := range text {
		for bit := range 8 {
			bad := bytes.Clone(text)
			bad[at] ^= 1 << bit
			if _, err := read(bad); err == nil {
				t.Fatalf("byte %d, %q made %q, is accepted", at, text[at], bad[at])
			}
		}
	}
	lines := linesOf(text)
	tries := 0
	refuse := func(what string, edited []string) {
		t.Helper()
		tries++
		if _, err := read(resealed(edited)); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	for i, l := range lines {
		word, _, _ := strings.Cut(l, " ")
		switch word {
		case "cut", "flows", "fails":
			refuse("without "+l, slices.Delete(slices.Clone(lines), i, i+1))
			refuse("with twice "+l, slices.Insert(slices.Clone(lines), i, l))
		case "way", "trap", "basin":
			refuse("without "+l, slices.Delete(slices.Clone(lines), i, i+1))
		case "outcome":
			refuse("another context", append(slices.Clone(lines[:i]), strings.Replace(l, " 0 ", " 1 ", 1)))
		}
		edited := slices.Clone(lines)
		with := func(what, line string) {
			edited[i] = line
			refuse(what, edited)
		}
		switch word {
		case "flows":
			with("a hypothesis that does not fail", "fails 0")
			with("a trap that is not there", "flows 0 1")
			with("a way that is not there", "flows 1 0")
			with("an assumption that is none", "ends 0 4")
		case "fails":
			with("a hypothesis that is not there", "fails 99")
		case "trap":
			w := strings.Fields(l)
			for k := 1; k <= 2; k++ {
				v := slices.Clone(w)
				x, _ := new(big.Rat).SetString(v[k])
				v[k] = x.Mul(x, big.NewRat(16, 1)).RatString()
				with("a larger trap", strings.Join(v, " "))
			}
		case "way":
			with("too early", "way 1/2 8 250 18 5")
			with("few steps", "way 1000 8 2 18 5")
			with("a high order", "way 1000 99 250 18 5")
			with("no such remainder", "way 1000 8 250 99 5")
		}
	}
	if tries < 30 {
		t.Errorf("only %d edits", tries)
	}
}

// TestFlowsTakeNoMoreThanTheyMay refuses an argument that would take all time.
func TestFlowsTakeNoMoreThanTheyMay(t *testing.T) {
	_, out := settled(t, claims(t, moving), "collapse", Options{})
	text, err := out.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	lines := linesOf(text)
	way := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "way ") })
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "cut ") || strings.HasPrefix(l, "flows ") })
	end := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "outcome ") })
	lines[way] = "way 1000000000000 40 20000 60 60"
	var steps []string
	for k := range 30_000 {
		steps = append(steps, fmt.Sprintf("cut p 1/%d", 30_100-k), "flows 0 0")
	}
	_, err = read(resealed(slices.Concat(lines[:at], append(steps, "flows 0 0"), lines[end:])))
	if err == nil || !strings.Contains(err.Error(), "more work than allowed") && !strings.Contains(err.Error(), "not seen to get into") {
		t.Errorf("it is answered by %v", err)
	}
}

// TestCertifiedBoxesAgreeWithTrajectories follows 1,200 motions by numeric/flow from boxes that are certified.
func TestCertifiedBoxesAgreeWithTrajectories(t *testing.T) {
	builtin, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	n := 200
	if testing.Short() {
		n = 20
	}
	c := builtin.Claim("basin-sides")
	for _, p := range c.Parts {
		out, err := Region(context.Background(), p, Options{Workers: 2})
		if err != nil || !out.Verdict.IsCertified() {
			t.Errorf("%s: %s, %v", p.Name, out.Say(), err)
			continue
		}
		r := out.Results[0]
		for range n {
			at := map[string]float64{}
			for i, name := range r.Names {
				lo, _ := r.Box[i].Lo.Float64()
				hi, _ := r.Box[i].Hi.Float64()
				at[name] = lo + (hi-lo)*rng.Float64()
			}
			least, last := followed(t, at)
			vanishes := strings.HasPrefix(p.Name, "collapse")
			bound := map[string]float64{"growth": math.Sqrt(.05), "growth0": .1, "growth1": .1}[p.Name]
			if vanishes && !(last < 1e-6) || !vanishes && !(least > bound) {
				t.Fatalf("%s: from %v w is %v at least and %v in the end", p.Name, at, least, last)
			}
		}
	}
}

// followed follows a motion of one mode by numeric/flow and returns the least and the last w, the root of s. With the moving
// average and no wa it starts at wa = w.
func followed(t *testing.T, at map[string]float64) (least, last float64) {
	t.Helper()
	name := "modes"
	st := flow.NewState()
	st.Alpha, st.Eta, st.Sigma2 = at["alpha"], at["eta"], at["sigma2"]
	if s, frozen := at["s"]; frozen {
		name = "reduced"
		st.Tau, st.Wp, st.F = at["tau"], mat.NewDense(1, 1, []float64{at["p"]}), mat.NewDense(1, 1, []float64{s})
	} else {
		wa, given := at["wa"]
		if !given {
			wa = at["w"]
		}
		st.Beta, st.P, st.Wm, st.WaM = at["beta"], []float64{at["p"]}, []float64{at["w"]}, []float64{wa}
	}
	f, err := flow.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	sys, err := f.Bind(st)
	if err != nil {
		t.Fatal(err)
	}
	way, err := ode.Solve(context.Background(), sys.RHS(), 0, sys.Initial(), 400, &ode.Settings{RelTol: 1e-9, AbsTol: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	least = math.Inf(1)
	for _, y := range way.Y {
		if last = y[1]; name == "reduced" {
			last = math.Sqrt(max(0, y[1]))
		}
		least = min(least, last)
	}
	return least, last
}
