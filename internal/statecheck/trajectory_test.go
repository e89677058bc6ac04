package statecheck

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// isotropicGeneral is general with isotropic data.
const isotropicGeneral = `"alpha":2,"eta":0.1,"beta":0.3,"sigma2":0.5,"tau":0.7,"W":[[1,0.5],[0.2,-1]],"Wp":[[0.6,0.2],[-0.1,0.4]],"Wa":[[0.3,0],[0.1,-0.5]]`

// symmetricGeneral is general with a symmetric predictor.
var symmetricGeneral = strings.Replace(general, "[-0.1,0.4]", "[0.2,0.4]", 1)

// courses has a part, with a state, for every system that has a flow in package flow.
var courses = []struct{ system, id, part, state string }{
	{"lemma1", "lemma1", "predictor", general},
	{"printed1", "assump-sym", "kept", general},
	{"anytarget", "thm1", "balance", general},
	{"splitdecay", "thm1", "split", general},
	{"simsiam", "noniso-fixed", "stationaryp", general},
	{"nopredictor", "nopred", "flowright", general},
	{"nostopgrad", "nostopgrad", "columns", general},
	{"symmetrised", "thm1-vs-assumption3", "deviation", symmetricGeneral},
	{"trueema", "thm3-true-ema", "bound", strings.Replace(isotropicGeneral, "[-0.1,0.4]", "[0.2,0.4]", 1)},
	{"emaiso", "assump-sym", "skewpart", isotropicGeneral},
	{"emafrozen", "skew-vanishes", "vanishing", isotropicGeneral},
	{"threeassumptions", "sym-dynamics", "features", symmetric},
	{"reduced", "thm3-identity", "commutator", reduced},
	{"decoupled", "ema-positive", "relaxed", `"alpha":2,"eta":0.1,"sigma2":0.3,"beta":0.5,"p":0.6,"s":0.4,"tau":[0.7]`},
	{"modes", "decoupled", "target", `"alpha":2,"eta":0.1,"sigma2":0.3,"beta":0.5,"p":0.6,"w":0.4,"wa":0.7`},
	{"parabola", "basin", "onparabola", `"eta":0.1,"sigma2":0.3,"p":0.6,"tau":1`},
}

func bound(t *testing.T, id, name, members string) *binding {
	t.Helper()
	for _, p := range claims.Claim(id).Parts {
		if p.Name == name {
			b, err := bind(p, UsesOf(p, true), state(t, members))
			if err != nil {
				t.Fatal(err)
			}
			if len(b.missing) > 0 {
				t.Fatalf("%s/%s: %v missing", id, name, b.missing)
			}
			return b
		}
	}
	t.Fatalf("no part %s/%s", id, name)
	return nil
}

// TestCompiledFlowsAreTheClaimsOwn compares, for every system that package flow can integrate, its trajectory
// with that of the claim's own equations, interpreted.
func TestCompiledFlowsAreTheClaimsOwn(t *testing.T) {
	for _, c := range courses {
		t.Run(c.system, func(t *testing.T) {
			b := bound(t, c.id, c.part, c.state)
			if b.env.FlowOf != c.system {
				t.Fatalf("the flow is %s", b.env.FlowOf)
			}
			fast, _, err := b.compiled()
			if err != nil || fast == nil {
				t.Fatalf("package flow does not have it: %v", err)
			}
			slow, err := b.interpreted()
			if err != nil {
				t.Fatal(err)
			}
			// An explicit Euler step of each, so that the comparison costs a few evaluations even where gradients
			// are expensive: equal right-hand sides at two points, and equal packing.
			const h = 0.05
			a, z := fast.y0, slow.y0
			for range 2 {
				a, z = euler(fast, a, h), euler(slow, z, h)
			}
			va, vz := fast.unpack(a), slow.unpack(z)
			for _, q := range b.env.Flow {
				if len(va[q.Name].A) == 0 || distance(va[q.Name].A, vz[q.Name].A) > routeTol*(1+norm(z)) {
					t.Errorf("%s = %v; the claim's own equations give %v", q.Name, va[q.Name].A, vz[q.Name].A)
				}
			}
		})
	}
}

func euler(s *system, y []float64, h float64) []float64 {
	d := make([]float64, len(y))
	s.rhs(0, y, d)
	out := make([]float64, len(y))
	for i := range y {
		out[i] = y[i] + h*d[i]
	}
	return out
}

// TestAWrongRouteIsNotTaken routes systems to flows with other equations.
func TestAWrongRouteIsNotTaken(t *testing.T) {
	defer func(old map[string]route) { routes = old }(routes)
	for _, c := range []struct {
		id, part, state string
		wrong           route
	}{
		{"thm1", "balance", general, route{flow: "lemma1"}}, // the target moves
		{"lemma1", "predictor", general, route{flow: "lemma1", frozen: true}},
		{"lemma1", "predictor", symmetricGeneral, route{flow: "symmetrised"}},
		{"sym-dynamics", "features", symmetric, route{flow: "lemma1", slaved: true}},
		{"thm3-identity", "commutator", reduced, route{flow: "nopredictor"}},
		{"decoupled", "target", courses[14].state, route{flow: "parabola"}},
	} {
		b := bound(t, c.id, c.part, c.state)
		routes = map[string]route{b.env.FlowOf: c.wrong}
		sys, _, err := b.compiled()
		if sys != nil || err != nil {
			t.Errorf("%s/%s is integrated as %+v (error %v)", c.id, c.part, c.wrong, err)
		}
	}
}

// testClaims state laws of one-dimensional flows that hold at the instant of the states below but not over
// time, and laws that hold over time: what decides is the integrated form.
const testClaims = `
claim course
  title t
  printed p
  scalar eta > 0
  scalar p
  scalar s >= 0
  flow
    p' = -eta*p
    s' = p^2 - eta*s
  says evolves: p evolves at rate -eta
  says evolveswrong: p evolves at rate -11/10*eta
  says decays: p decays at rate eta
  says decayswrong: p decays at rate 11/10*eta
  says stays: s stays nonnegative
  says stayswrong: 1 - s stays nonnegative
  says zero: p stays zero
  says zerowrong: s stays zero
`

// TestIntegratedForms judges the course alone, without the instantaneous form.
func TestIntegratedForms(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "test", Text: testClaims})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Claims[0].Parts {
		members := `"eta":0.5,"p":2,"s":0.4`
		if p.Name == "zero" || p.Name == "zerowrong" {
			members = strings.Replace(members, `"s":0.4`, `"s":0`, 1)
		}
		if p.Name == "zero" {
			members = strings.Replace(members, `"p":2`, `"p":0`, 1)
		}
		b, err := bind(p, UsesOf(p, true), state(t, members))
		if err != nil {
			t.Fatal(err)
		}
		b.left = newEffort()
		tr, err := b.follow(context.Background(), 3, 20)
		if err != nil {
			t.Fatal(err)
		}
		var points []*binding
		for _, v := range tr.vars {
			c, err := b.at(v)
			if err != nil {
				t.Fatal(err)
			}
			points = append(points, c)
		}
		res := newPartResult(p)
		fails, err := b.integrated(points, tr, res)
		if err != nil {
			t.Fatal(err)
		}
		if want := !strings.HasSuffix(p.Name, "wrong"); (len(fails) == 0) != want {
			t.Errorf("%s: fails at %v, measures %v", p.Name, fails, res.Measures)
		}
		if len(res.Measures) == 0 {
			t.Errorf("%s: no measures", p.Name)
		}
	}
}

// TestTrajectoryAgainstClosedForm follows p' = −ηp.
func TestTrajectoryAgainstClosedForm(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "test", Text: testClaims})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Claims[0].Parts[0]
	b, err := bind(p, UsesOf(p, true), state(t, `"eta":0.5,"p":2,"s":0`))
	if err != nil {
		t.Fatal(err)
	}
	b.left = newEffort()
	tr, err := b.follow(context.Background(), 4, 8)
	if err != nil {
		t.Fatal(err)
	}
	for i, time := range tr.times {
		// Three digits above the relative tolerance of a step, for the steps and the dense output.
		if got, want := tr.vars[i]["p"].A[0], 2*math.Exp(-0.5*time); math.Abs(got-want) > 1e3*fineRelTol*want {
			t.Errorf("p(%v) = %v; want %v", time, got, want)
		}
	}
	if len(tr.times) != 9 || tr.times[8] != 4 || tr.note != "" {
		t.Errorf("times %v, note %q", tr.times, tr.note)
	}
}

// TestBlowUpIsReported follows p' = p², which is infinite at t = 1/2.
func TestBlowUpIsReported(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "test", Text: `
claim blow
  title t
  printed p
  scalar p
  flow
    p' = p^2
  says up: p stays positive
`})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(context.Background(), f.Claims[0], state(t, `"p":2,"t":1`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Parts[0]; !(p.Until <= 0.5) || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "only") {
		t.Errorf("followed until %v, notes %q", p.Until, p.Notes)
	}
}

// TestHypothesesThatEndAlongTheCourse: p > 1 holds until t = ln 2/η.
func TestHypothesesThatEndAlongTheCourse(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "test", Text: `
claim ends
  title t
  printed p
  scalar p, eta
  flow
    p' = -eta*p
  says now: p^2 >= p
    assume large: p >= 1
  says always: p decays at rate eta
    assume large: p >= 1
`})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(context.Background(), f.Claims[0], state(t, `"p":2,"eta":1,"t":2`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := part(t, r, "now"); !p.Met || !p.Holds || len(p.Notes) != 1 {
		t.Errorf("a statement about states: %+v", p)
	}
	if p := part(t, r, "always"); p.Met || p.Hypotheses["large"] {
		t.Errorf("a statement about the course: %+v", p)
	}
}

// TestUnstableCoursesDecideLittle: where neighbouring motions part, what the error of the trajectory explains is not violated,
// and what it does not is.
func TestUnstableCoursesDecideLittle(t *testing.T) {
	c := own(t, `
claim unstable
  title   Zero of what grows
  printed nowhere
  scalar  x, y
  flow
    x' = 10*x - 22*y
    y' = -y
  says zero: x - 2*y stays zero
  says all: always x == 2*y
    assume start h: x == 2*y
  says below: always x - 2*y <= 1
    assume start h: x == 2*y
  says wrong: x - 2*y <= 1
    assume h: x > 2*y
  says early: x - y stays zero
`)
	for _, k := range []struct {
		state string
		want  map[string]Status
	}{
		{`{"x":"2","y":"1","t":4}`, map[string]Status{"zero": NotDecided, "all": NotDecided}},
		{`{"x":"2","y":"1","t":0.5}`, map[string]Status{"zero": Holds, "all": Holds, "below": Holds}},
		{`{"x":"5/2","y":"1","t":1}`, map[string]Status{"wrong": Violated}},
		{`{"x":"1","y":"1","t":1}`, map[string]Status{"early": Violated}},
	} {
		wants(t, checkOwn(t, c, k.state), k.state, k.want)
	}
}

// TestWhatAStateIsNoStartOf: a state violates what is stated only if all of Γ holds there, a root's radicand included; of a
// trajectory only what is said of the flow, by the course where what is assumed of the start is over; and along the claim's own
// equations.
func TestWhatAStateIsNoStartOf(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "own", Text: `
claim roots
  title   t
  printed nowhere
  scalar  x, z
  root    r = x
  root    s = z
  says p: x >= 0
  says q: x >= 1

claim steps
  title   t
  printed nowhere
  scalar  x
  flow
    x' = 1
  map
    x+ = 1/2*x
  says p: always x <= 1 over steps
    assume start h: x >= 0
    assume start g: x <= 1
  says q: x^2 decays by factor 1/4
  says w: x^2 decays by factor 1/5

claim turning
  title   t
  printed nowhere
  scalar  x, y
  flow
    x' = y
    y' = -x
  says p: x decays at rate 0
    assume start h: y == 0
    assume start g: x > 0
  says q: |x| decays at rate 0
    assume start h: y == 0
  says w: |x + y| decays at rate 0
    assume start h: y == 0
`})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		claim, state string
		want         map[string]Status
	}{
		{"roots", `{"x":-1,"z":1}`, map[string]Status{"p": Unmet, "q": Unmet}},
		{"roots", `{"x":"1/2","z":1}`, map[string]Status{"p": Holds, "q": Violated}},
		{"roots", `{"x":"1/2"}`, map[string]Status{"p": Holds, "q": NotDecided}},
		{"roots", `{"x":"1/2","z":-1}`, map[string]Status{"p": Holds, "q": Unmet}},
		{"steps", `{"x":"1/2","t":3}`, map[string]Status{"p": Holds, "q": Holds, "w": Violated}},
		{"turning", `{"x":"1/2","y":0,"t":6}`, map[string]Status{"p": Holds, "q": Holds, "w": Violated}},
	} {
		wants(t, checkOwn(t, f.Claim(k.claim), k.state), k.state, k.want)
	}

	// Equations with another moment, which has the same value at the start: w' = w·(−1/10 − (1 − w²)² + 4·w²·(1 − w²)). No
	// enclosure follows second moments, so that nothing is violated.
	builtin, err := theory.Sources()
	if err != nil {
		t.Fatal(err)
	}
	own, err := lang.Parse(append(builtin, lang.Source{Name: "own", Text: `
claim moment
  title   t
  printed nowhere
  uses    nopredictor
  moment  e1, e2 = (W^T*W - I)^2
  says p: tr(W*W^T) - 9/10 stays nonnegative
    for n1 = 1, n2 = 1
    assume h: eta == 1/10
  says w: tr(W*W^T) - 99/100 stays nonnegative
    for n1 = 1, n2 = 1
    assume h: eta == 1/10
`})...)
	if err != nil {
		t.Fatal(err)
	}
	at := `{"eta":"1/10","W":[[1]],"X":[[1]],"t":20}`
	wants(t, checkOwn(t, own.Claim("moment"), at), at, map[string]Status{"p": Holds, "w": NotDecided})
}

// TestUsesAreEnough evaluates every part of every claim with what UsesOf names and nothing else: a part for
// which it named too little could not be evaluated at any state.
func TestUsesAreEnough(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := `"alpha":2,"eta":0.1,"sigma2":0.5,"tau":0.7,"W":[[1]],"Wp":[[0.5]],"p":[0.5,0.25],"w":[0.5,1],"wa":[0.25,0.5]`
	evaluated := 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			// An error other than a lack of values would be that of the evaluator about an unnamed symbol.
			if _, missing, err := checkPart(context.Background(), p, state(t, all), newEffort()); err != nil {
				t.Errorf("%s/%s: %v", c.ID, p.Name, err)
			} else if missing == nil {
				evaluated++
			}
		}
	}
	if evaluated < 50 {
		t.Errorf("only %d parts can be evaluated", evaluated)
	}
}

// TestLongTrajectoriesEnd: equations that are interpreted are followed for so many steps and no longer, and what is beyond float64
// at the state itself has no trajectory.
func TestLongTrajectoriesEnd(t *testing.T) {
	c := own(t, `
claim long
  title   t
  printed nowhere
  scalar  x, y
  let     a = (x^64)^64
  flow
    x' = 10*y
    y' = -10*x
  says p: always x^2 + y^2 >= 0
  says q: always a >= 0
`)
	r := checkOwn(t, c, `{"x":1,"y":0,"t":1000000}`)
	if p := part(t, r, "p"); !p.Holds || !p.Open || !strings.Contains(strings.Join(p.Notes, " "), "not decided: followed to t") {
		t.Errorf("%+v", p)
	}
	// Even where the first time that is looked at lies beyond the limit.
	if r := checkOwn(t, c, `{"x":1,"y":0,"t":1000000000}`); r.Status() != NotDecided {
		t.Errorf("status %d: %+v", r.Status(), r.Parts)
	}
	r = checkOwn(t, c, `{"x":2,"y":0,"t":1}`)
	if p := part(t, r, "q"); p.Met && !p.Holds && !p.Open {
		t.Errorf("%+v", p)
	}
}

// TestOneCheckDoesNoMoreThanItMay: the choices of modes of a check share what may be done, and what is left out is said.
func TestOneCheckDoesNoMoreThanItMay(t *testing.T) {
	c := own(t, `
claim shared
  title   t
  printed nowhere
  scalar  p1, p2
  flow
    p1' = p2
    p2' = -p1
  says a: always p1*p2 <= 100
  says b: always p1 <= 2
    assume start h: p1 <= 3/2
`)
	ten := `"p":[1` + strings.Repeat(",2", 9) + `],"t":2`
	for _, k := range []struct {
		part string
		left effort
		want string
	}{
		{"a", *newEffort(), ""},
		{"a", effort{work: 20_000, looks: 500}, "are used up"},
		{"b", *newEffort(), ""},
		{"b", effort{work: 20_000_000, looks: 9}, "enough of this check was looked at"},
	} {
		left := k.left
		i := slices.IndexFunc(c.Parts, func(p *lang.Part) bool { return p.Name == k.part })
		r, _, err := checkPart(context.Background(), c.Parts[i], state(t, ten), &left)
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, k.want) || k.want == "" && (strings.Contains(notes, "may take") || strings.Contains(notes, "enough")) {
			t.Errorf("%s with %+v: %s", k.part, k.left, notes)
		}
		if left.looks > k.left.looks || left.work >= k.left.work {
			t.Errorf("%s: nothing was counted of %+v", k.part, k.left)
		}
	}
}

// TestFewModes: all pairs of the modes of a state are judged, so that there may not be too many.
func TestFewModes(t *testing.T) {
	c := own(t, "claim pairs\n  title t\n  printed nowhere\n  scalar p1, p2\n  says p: p1*p2 <= 1/2*(p1^2 + p2^2)\n")
	for n, refused := range map[int]bool{3: false, 150: false, 151: true} {
		s, err := ReadState(strings.NewReader(`{"p":[1`+strings.Repeat(",1", n-1)+"]}"), "state")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(context.Background(), c, s, Options{}); (err != nil) != refused {
			t.Errorf("%d modes: %v", n, err)
		}
	}
}

// TestLongTermsCount: what one check may do is counted by what its equations and statements take, not by steps and choices alone.
func TestLongTermsCount(t *testing.T) {
	var terms []string
	for i := range 60 {
		terms = append(terms, fmt.Sprintf("x*p1*p2*%d", i+1))
	}
	long := "(" + strings.Join(terms, " + ") + ")"
	long = "0*(" + long + " + 2*" + long + " + 3*" + long + ")"
	flow := ownFile(t, "claim c\n  title t\n  printed nowhere\n  scalar x, y, p1, p2\n  flow\n    x' = 1000*y + "+long+"\n    y' = -1000*x\n  says a: x^2 + y^2 <= 4\n").Claims[0]
	modes := ownFile(t, "claim c\n  title t\n  printed nowhere\n  scalar x, p1, p2\n  says a: p1*p1 - "+long+" >= p2 - 100\n").Claims[0]
	var ps []string
	for i := range 40 {
		ps = append(ps, fmt.Sprintf(`"%d/7"`, i+1))
	}
	for _, c := range []struct {
		claim       *lang.Claim
		state, note string
	}{
		{flow, `{"x":1,"y":0,"p1":1,"p2":1,"t":100}`, "are used up"},
		{modes, `{"x":1,"p":[` + strings.Join(ps, ",") + `]}`, "choices of modes are judged"},
	} {
		s, err := ReadState(strings.NewReader(c.state), "f")
		if err != nil {
			t.Fatal(err)
		}
		r, lack, err := checkPart(context.Background(), c.claim.Parts[0], s, &effort{work: 200_000, looks: 500})
		if err != nil || lack != nil || !strings.Contains(strings.Join(r.Notes, " "), c.note) {
			t.Errorf("%v %v, %v: %+v", lack, err, c.note, r)
		}
	}
}
