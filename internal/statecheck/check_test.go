package statecheck

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"stopgrad/numeric/flow"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// The states of the tests. general has unequal shapes, an asymmetric predictor and anisotropic data; reduced
// has K ⪰ 0.79·I; symmetric meets the three assumptions; modes has two modes alive in the regular chart.
const (
	general = `"alpha":2,"eta":0.1,"beta":0.3,"W":[[1,0.5,-0.3],[0.2,-1,0.4]],"Wp":[[0.6,0.2],[-0.1,0.4]],"Wa":[[0.3,0,0.2],[0.1,-0.5,0]],
		"X":[[1,0.2,0],[0.2,0.8,0.1],[0,0.1,0.5]],"Xp":[[0.3,0,0],[0,0.2,0],[0,0,0.1]]`
	reduced   = `"alpha":1.5,"eta":0.4,"sigma2":0.2,"tau":0.8,"Wp":[[0.6,0.2],[0.2,0.4]],"F":[[1,0.3],[0.3,0.5]]`
	symmetric = `"alpha":2,"eta":0.1,"sigma2":0.2,"tau":0.8,"W":[[1,0.5],[0.2,-1]],"Wp":[[0.6,0.2],[0.2,0.4]]`
	modes     = `"alpha":1.5,"eta":0.1,"beta":0.5,"sigma2":0.2,"p":[0.5,0.9],"w":[0.4,1.0],"wa":[0.3,0.8]`
	plane     = `"alpha":1.5,"eta":0.1,"sigma2":0.2,"tau":1,"p":[0.5,-0.3],"s":[0.4,2]`
)

func state(t *testing.T, members string) *State {
	t.Helper()
	s, err := ReadState(strings.NewReader("{"+members+"}"), "state")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var claims = func() *lang.File {
	f, err := theory.Load()
	if err != nil {
		panic(err)
	}
	return f
}()

func check(t *testing.T, id, members string, o Options) (*Result, error) {
	t.Helper()
	c := claims.Claim(id)
	if c == nil {
		t.Fatalf("no claim %s", id)
	}
	return Check(context.Background(), c, state(t, members), o)
}

func TestStatus(t *testing.T) {
	anti := strings.Replace(reduced, `"tau":0.8`, `"tau":6`, 1) // K is negative at a large tau
	for _, c := range []struct {
		name, id, state string
		o               Options
		want            Status
	}{
		{"lemma1", "lemma1", general, Options{}, Holds},
		{"lemma1 along", "lemma1", general + `,"t":0.5`, Options{}, Holds},
		{"thm1", "thm1", general, Options{}, Holds},
		{"thm1 along", "thm1", general + `,"t":2`, Options{}, Holds},
		{"thm1 of a state with one feature", "thm1", `"W":[[1,2]],"Wp":[[0.3]],"Wa":[[0,1]]`, Options{}, Holds},
		{"thm3-identity", "thm3-identity", reduced, Options{}, Holds},
		{"thm3-identity along", "thm3-identity", reduced + `,"t":3`, Options{}, Holds},
		{"thm3-bound", "thm3-bound", reduced, Options{}, Holds},
		{"thm3-bound along", "thm3-bound", reduced + `,"t":5`, Options{}, Holds},
		{"thm3-bound without its hypothesis", "thm3-bound", anti, Options{}, Unmet},
		{"thm3-bound, a priori part", "thm3-bound", anti, Options{Part: "apriori"}, Holds},
		{"invariance-scalar", "invariance-scalar", modes, Options{}, Holds},
		{"invariance-scalar along", "invariance-scalar", modes + `,"t":4`, Options{}, Holds},
		{"decoupled", "decoupled", modes, Options{}, Holds},
		{"decoupled from the plane", "decoupled", plane + `,"beta":2,"t":1`, Options{}, Holds},
		{"nopred", "nopred", general, Options{}, Holds},
		{"nopred along", "nopred", general + `,"t":1`, Options{}, Holds},
		{"nopred along, where the bound is attained", "nopred", symmetric + `,"t":1`, Options{}, Holds},
		{"nopred without decay", "nopred", `"W":[[1,2]],"X":[[1,0],[0,1]],"Xp":[[1,0],[0,0]]`, Options{Part: "collapse"}, Unmet},
		{"sym-dynamics", "sym-dynamics", symmetric, Options{}, Holds},
		{"sym-dynamics along", "sym-dynamics", symmetric + `,"t":0.5`, Options{}, Holds},
		{"sym-dynamics of another predictor", "sym-dynamics", strings.Replace(symmetric, "[0.2,0.4]]", "[0.1,0.4]]", 1), Options{}, Unmet},
		{"sym-dynamics of other data", "sym-dynamics", symmetric + `,"X":[[2,0],[0,1]]`, Options{}, Unmet},
		{"sym-dynamics of another target", "sym-dynamics", symmetric + `,"Wa":[[1,0],[0,1]]`, Options{}, Unmet},
		{"sym-dynamics of the target it assumes", "sym-dynamics", symmetric + `,"Wa":[[0.8,0.4],[0.16,-0.8]]`, Options{}, Holds},
		{"F-def", "F-def", general, Options{}, Violated},
		{"F-def corrected", "F-def", general, Options{Reading: Corrected, Part: "input"}, Holds},
		{"F-def without augmentation", "F-def", `"W":[[1,2]],"X":[[1,0],[0,2]]`, Options{}, Holds},
		{"F-def of indefinite data", "F-def", `"W":[[1,2]],"X":[[1,0],[0,-1]]`, Options{}, Unmet},
		{"Theorem 1 of the symmetrised flow", "thm1-vs-assumption3", symmetric + `,"Wa":[[1,0],[0.3,1]]`, Options{}, Violated},
		{"its trace", "thm1-vs-assumption3", symmetric + `,"Wa":[[1,0],[0.3,1]],"t":1`, Options{Part: "trace"}, Holds},
		{"assumption 3", "assump-sym", symmetric + `,"Wa":[[1,0],[0.3,1]]`, Options{}, Violated},
		{"assumption 2 for two modes", "assump-ema", `"p":[0.5,0.9],"w":[0.4,1],"wa":[0.2,0.5],"tau":0.5`, Options{}, Violated},
		{"supercritical decay", "eta-critical", strings.Replace(plane, `"eta":0.1`, `"eta":0.4`, 1) + `,"t":6`, Options{}, Holds},
		{"subcritical decay", "eta-critical", plane, Options{}, Unmet},
		{"fixed points above the critical decay", "fixed-points", strings.Replace(plane, `"eta":0.1`, `"eta":0.4`, 1), Options{}, Unmet},
		{"off the parabola", "1d-dynamics", plane, Options{Part: "parabola"}, Unmet},
		{"on the parabola", "1d-dynamics", `"alpha":2,"eta":0.1,"p":0.5,"s":0.125,"t":2`, Options{}, Holds},
		{"alignment", "fixedpoint-sym", `"eta":0.5,"alpha":2,"tau":0.5,"sigma2":0,"F":[[1,0],[0,2]],"Wp":[[0.4,0],[0,0.4444444444444444444]]`, Options{}, Holds},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := check(t, c.id, c.state, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Status(); got != c.want {
				t.Errorf("status %d; want %d: %+v", got, c.want, r.Parts)
			}
		})
	}
}

// TestIllFormedIsCheckedAsCorrected and the explicit request for the printed reading.
func TestIllFormedIsCheckedAsCorrected(t *testing.T) {
	r, err := check(t, "nopred", general, Options{})
	if err != nil || r.Reading != Corrected {
		t.Errorf("reading %v, error %v", r, err)
	}
	for _, o := range []Options{{Reading: Printed}, {Part: "flow"}} {
		if _, err := check(t, "nopred", general, o); err == nil || !strings.Contains(err.Error(), "ill-formed") {
			t.Errorf("%+v: error %v", o, err)
		}
	}
}

// TestAnAssumptionIsCheckedByWhatItLeadsTo: that no motion keeps it holds at no state.
func TestAnAssumptionIsCheckedByWhatItLeadsTo(t *testing.T) {
	r, err := check(t, "assump-ema", `"p":[0.5,0.9],"w":[0.4,1],"wa":[0.2,0.5],"tau":0.5`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Parts[0].Statement, "leads to p1*(tau - a*p1) == p2*(tau - a*p2)"; got != want {
		t.Errorf("checked is %s; want %s", got, want)
	}
}

func TestBadStates(t *testing.T) {
	for _, c := range []struct {
		name, id, state string
		o               Options
		want            string // in the message
	}{
		{"nothing of what is needed", "thm1", modes, Options{}, "Wp, W, Wa missing"},
		{"one matrix missing", "thm1", `"W":[[1]],"Wp":[[1]]`, Options{}, "thm1 speaks of: Wa missing"},
		{"predictor not square", "thm1", `"W":[[1,2]],"Wp":[[1,2]],"Wa":[[1,2]]`, Options{}, "Wp is 1×2"},
		{"predictor of another size", "thm1", `"W":[[1,2]],"Wp":[[1,0],[0,1]],"Wa":[[1,2]]`, Options{}, "n2 = 2 as in Wp"},
		{"target of another size", "thm1", `"W":[[1,2]],"Wp":[[1]],"Wa":[[1,2,3]]`, Options{}, "Wa is 1×3"},
		{"data of another size", "F-def", `"W":[[1,2]],"X":[[1]]`, Options{}, "n1 = 1 as in X"},
		{"ragged modes", "decoupled", `"p":[1,2],"w":[1],"wa":[1,2]`, Options{}, "w has 1 modes but p has 2"},
		{"no state decides words", "sym-hurts", symmetric, Options{Part: "harm"}, "no state decides it"},
		{"unknown part", "thm1", general, Options{Part: "middle"}, "its parts: balance split"},
		{"no corrected reading", "thm1", general, Options{Reading: Corrected}, "no corrected reading"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := check(t, c.id, c.state, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || r != nil {
				t.Errorf("result %v, error %v; want one line with %q", r, err, c.want)
			}
		})
	}
}

func part(t *testing.T, r *Result, name string) PartResult {
	t.Helper()
	for _, p := range r.Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s in %+v", name, r)
	return PartResult{}
}

// wants requires of the parts named what they come to at a state.
func wants(t *testing.T, r *Result, at string, want map[string]Status) {
	t.Helper()
	for name, want := range want {
		p := part(t, r, name)
		if got := (&Result{Parts: []PartResult{p}}).Status(); got != want {
			t.Errorf("%s/%s at %s: %v, want %v: %+v", r.ID, name, at, got, want, p)
		}
	}
}

// TestRateIsTheLeastEigenvalueAlongTheTrajectory compares λ with the measure lambda_min_K of package flow.
func TestRateIsTheLeastEigenvalueAlongTheTrajectory(t *testing.T) {
	r, err := check(t, "thm3-bound", reduced+`,"t":5`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.ByName("reduced")
	if err != nil {
		t.Fatal(err)
	}
	start, err := flow.DecodeState(strings.NewReader("{"+reduced+"}"), "state")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := flow.Simulate(context.Background(), f, start, 5, &flow.Settings{Points: intervals + 1})
	if err != nil {
		t.Fatal(err)
	}
	least := math.Inf(1)
	for _, m := range tr.Measures {
		least = min(least, m["lambda_min_K"])
	}
	p := part(t, r, "bound")
	// Both are eigenvalues of matrices of size one, of states that agree to the solver's 1e-10.
	if got := p.Measures["lambda"]; math.Abs(got-least) > 1e-8 {
		t.Errorf("lambda = %v; lambda_min_K along the trajectory is %v", got, least)
	}
	if ratio := p.Measures["bound ratio"]; !(ratio <= 1+1e-9) || p.Until != 5 {
		t.Errorf("bound ratio %v until %v", ratio, p.Until)
	}
	if rem := part(t, r, "vanishing").Measures["remaining"]; !(rem < math.Exp(-2*least*5)) {
		t.Errorf("‖L(5)‖/‖L(0)‖ = %v, above the bound", rem)
	}
}

// TestModesAreAllLookedAt breaks one mode of three.
func TestModesAreAllLookedAt(t *testing.T) {
	good := `"alpha":2,"eta":0.1,"p":[0.5,1,0.2],"s":[0.125,0.5,0.02]`
	r, err := check(t, "1d-dynamics", good, Options{Part: "parabola"})
	if err != nil || r.Status() != Holds || r.Parts[0].Modes != 3 {
		t.Errorf("on the parabola: %+v, %v", r, err)
	}
	r, err = check(t, "1d-dynamics", strings.Replace(good, "0.02]", "0.03]", 1), Options{Part: "parabola"})
	if err != nil || r.Status() != Unmet {
		t.Errorf("one mode off the parabola: %+v, %v", r, err)
	}
	r, err = check(t, "assump-ema", `"p":[0.5,0.5,0.9],"w":[0.4,0.8,1],"wa":[0.2,0.4,0.5],"tau":0.5`, Options{})
	if err != nil || r.Status() != Violated || r.Parts[0].Modes != 3 {
		t.Errorf("three pairs, of which one is alike: %+v, %v", r, err)
	}
	r, err = check(t, "assump-ema", `"p":[0.5,0.5],"w":[0.4,0.8],"wa":[0.2,0.4],"tau":0.5`, Options{})
	if err != nil || r.Status() != Holds {
		t.Errorf("two modes alike: %+v, %v", r, err)
	}
}

func TestAssumedValues(t *testing.T) {
	for _, c := range []struct {
		id, state, part string
		want            map[string]string
	}{
		{"thm1", `"W":[[1,2]],"Wp":[[0.3]],"Wa":[[0,1]]`, "balance", map[string]string{"alpha": "default", "eta": "default", "X": "I", "Xp": "sigma2·I", "dWa": "0"}},
		{"thm1", general, "split", map[string]string{"etap": "eta", "etas": "eta"}},
		{"invariance-scalar", modes, "invariance", map[string]string{"s": "w²", "tau": "wa/w", "dtau": "0"}},
		{"decoupled", plane, "predictor", map[string]string{"w": "√s", "wa": "tau·w"}},
		{"sym-dynamics", `"eta":0.1,"alpha":1,"Xp":[[0.3,0],[0,0.3]],"W":[[1,2]],"Wp":[[0.3]],"Wa":[[2,4]]`, "predictor",
			map[string]string{"sigma2": "Xp = sigma2·I", "tau": "⟨W, Wa⟩/⟨W, W⟩"}},
		{"thm3-identity", `"W":[[1,2]],"Wp":[[0.3]],"tau":2`, "skew", map[string]string{"F": "W·X·Wᵀ"}},
	} {
		r, err := check(t, c.id, c.state, Options{Part: c.part})
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
			continue
		}
		for name, how := range c.want {
			if got := r.Parts[0].Assumed[name]; got != how {
				t.Errorf("%s: %s = %q; want %q", c.id, name, got, how)
			}
		}
	}
	r, err := check(t, "sym-dynamics", symmetric, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name := range part(t, r, "predictor").Assumed {
		if name != "dtau" {
			t.Errorf("%s is assumed although the state gives it", name)
		}
	}
}

// TestSkippedPartsNameWhatIsMissing of a claim whose other parts are decided.
func TestSkippedPartsNameWhatIsMissing(t *testing.T) {
	r, err := check(t, "decoupled", modes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Skipped) != 2 || !strings.Contains(strings.Join(r.Skipped[0].Missing, " "), "Q") {
		t.Errorf("skipped %+v", r.Skipped)
	}
	r, err = check(t, "sym-hurts", symmetric, Options{})
	if err != nil || len(r.Skipped) != 1 || r.Skipped[0].Missing != nil {
		t.Errorf("skipped %+v, %v", r, err)
	}
}

func TestCancelledCheckSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Check(ctx, claims.Claim("thm3-bound"), state(t, reduced+`,"t":5`), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestEncoding pins the members that other programs rely on.
func TestEncoding(t *testing.T) {
	decode := func(r *Result) (out struct {
		ID         string
		Hypotheses map[string]bool
		Holds      *bool
		Measures   map[string]float64
	}) {
		t.Helper()
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	r, err := check(t, "thm3-bound", reduced, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := decode(r)
	if got.ID != "thm3-bound" || got.Holds == nil || !*got.Holds || !got.Hypotheses["bound.gap"] || got.Measures["bound.lambda"] <= 0 {
		t.Errorf("several parts: %+v", got)
	}
	r, err = check(t, "F-def", general, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got = decode(r)
	if *got.Holds || got.Measures["residual"] == 0 || got.Hypotheses == nil {
		t.Errorf("one part: %+v", got)
	}
}
