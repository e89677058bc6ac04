package fuzz

import (
	"context"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"stopgrad/fuzz/falsify"
	"stopgrad/fuzz/optimise"
	"stopgrad/fuzz/orbit"
	"stopgrad/fuzz/region"
	"stopgrad/fuzz/witness"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// longEnv switches the long versions of the tests on: both seeds, the full budget, every claim.
const longEnv = "STOPGRAD_LONG"

func long() bool { return os.Getenv(longEnv) != "" }

func load(t testing.TB) *lang.File {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// falseClaim is a statement that Refute has to break.
type falseClaim struct {
	claim, target string
	reading       Reading
}

// falseClaims lists them by label without the claim's id, and by what they are to the claim.
var falseClaims = []falseClaim{
	{"thm3-alignment", "aligning", Printed},
	{"thm3-alignment", "parting", Printed},
	{"thm3-alignment", "eigenframes", Orbit},
	{"thm1-vs-assumption3", "balance", Printed},
	{"assump-sym", "kept", Printed},
	{"assump-ema", "ansatz", Printed},
	{"nopred", "flow", Printed},
	{"nopred", "collapse with drop hypothesis gap", Variant},
	{"nostopgrad", "collapse", Printed},
	{"basin", "aboveescapes", Printed},
	{"basin", "belowcollapses", Printed},
	{"basin", "grows", Printed},
	{"basin", "collapses", Printed},
	{"basin", "collapse from above", Orbit},
	{"basin", "escape from below", Orbit},
	{"beta-tau", "catches", Printed},
	{"beta-tau", "tends", Printed},
	{"beta-tau", "under collapse", Orbit},
	{"wd-alignment", "sufficient", Printed},
	{"dp-no-basin", "escapes", Printed},
	{"thm3-bound", "bound with drop hypothesis gap", Variant},
	{"thm3-bound", "without K ≻ 0", Orbit},
	{"alpha-negative", "one decay coefficient", Orbit},
	{"alpha-negative", "optimiser with s = pplus^2 → s = pplus^2/alpha", Variant},
	{"dp-formula", "scaled", Printed},
	{"noniso-align", "stationary", Printed},
	{"fixedpoint-sym", "generic", Question},
	{"skew-vanishes", "vanishing", Printed},
	{"skew-vanishes", "increasingly", Printed},
	{"skew-vanishes", "relative to Wp under collapse", Orbit},
	{"thm3-true-ema", "bound", Printed},
	{"thm3-true-ema", "from Wa(0) = 0", Orbit},
}

// trueClaims are proved; nothing may be found against what they print or correct.
var trueClaims = []string{"lemma1", "thm1", "thm3-identity", "invariance-scalar", "decoupled", "sym-dynamics", "1d-dynamics"}

// TestFalseClaimsAreRefuted runs the whole search on every false claim: one seed and an eighth of the budget by
// default, the slowest two left out, under STOPGRAD_LONG two seeds and the default budget.
func TestFalseClaimsAreRefuted(t *testing.T) {
	f := load(t)
	seeds, budget := []uint64{1}, 8*time.Second
	if long() {
		seeds, budget = []uint64{1, 2}, DefaultBudget
	}
	for _, seed := range seeds {
		reports := map[string]Report{}
		for _, c := range falseClaims {
			if !long() && (c.claim == "fixedpoint-sym" || c.claim == "thm3-true-ema") {
				continue
			}
			rep, ok := reports[c.claim]
			if !ok {
				var err error
				start := time.Now()
				plain := !long() && !slices.ContainsFunc(falseClaims, func(x falseClaim) bool { return x.claim == c.claim && x.reading == Variant })
				if rep, err = Refute(context.Background(), f, c.claim, Options{Seed: seed, Budget: budget, Patience: patience, NoVariants: plain}); err != nil {
					t.Fatal(err)
				}
				reports[c.claim] = rep
				t.Logf("%s, seed %d: %v, cut off %v", c.claim, seed, time.Since(start).Round(10*time.Millisecond), rep.CutOff)
			}
			hit := find(rep, c.claim+"/"+c.target)
			switch {
			case hit == nil:
				t.Errorf("%s/%s is no target", c.claim, c.target)
			case hit.Reading != c.reading:
				t.Errorf("%s is %s", hit.Target, hit.Reading)
			case !hit.Found():
				t.Errorf("%s: %s after %d evaluations, seed %d (cut off %v): %s", hit.Target, hit.Status, hit.Evaluations, seed, hit.CutOff, hit.Note)
			case hit.Reading == Orbit && hit.Evidence != string(orbit.Enclosed):
				t.Errorf("%s: confirmed by %s only: %s", hit.Target, hit.Evidence, hit.Note)
			default:
				t.Logf("%s\n\t%s\n\t%s", hit.Statement, hit.Text, strings.Join(hit.Facts, "\n\t"))
			}
		}
	}
}

func find(r Report, label string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].Target == label {
			return &r.Findings[i]
		}
	}
	return nil
}

// TestTrueClaimsSurvive searches the proved claims; under STOPGRAD_LONG for 120 s each.
func TestTrueClaimsSurvive(t *testing.T) {
	f := load(t)
	budget := 2 * time.Second
	if long() {
		budget = 120 * time.Second
	}
	for _, id := range trueClaims {
		rep, err := Refute(context.Background(), f, id, Options{Seed: 3, Budget: budget, NoVariants: true, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range rep.Findings {
			if fd.Status != NothingFound {
				t.Errorf("%s: %s: %s %s", fd.Target, fd.Status, fd.Text, fd.Note)
			}
			if fd.Tried < 20 {
				t.Errorf("%s: only %d states met the hypotheses", fd.Target, fd.Tried)
			}
		}
	}
}

// TestVariantsAreRefuted: a search that finds nothing against true claims must find their twins, or it finds
// nothing at all.
func TestVariantsAreRefuted(t *testing.T) {
	f := load(t)
	for _, id := range trueClaims {
		if !long() && id == "sym-dynamics" {
			continue // its expectations are slow
		}
		rep, err := Refute(context.Background(), f, id, Options{Seed: 3, Budget: 10 * time.Second, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, fd := range rep.Findings {
			if fd.Reading == Variant {
				n++
				if !fd.Found() {
					t.Errorf("%s: %s", fd.Target, fd.Status)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s has no variants", id)
		}
	}
}

func TestRefuteIsReproducible(t *testing.T) {
	f := load(t)
	run := func(seed uint64) string {
		rep, err := Refute(context.Background(), f, "beta-tau", Options{Seed: seed, Budget: 20 * time.Second, Patience: patience})
		if err != nil || rep.CutOff {
			t.Fatalf("%v, cut off %v", err, rep.CutOff)
		}
		text, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a := run(4)
	if a != run(4) {
		t.Error("two runs from one seed differ")
	}
	if a == run(5) {
		t.Error("two seeds give the same run")
	}
}

// TestRefuteSaysThatItWasCutOff gives no time at all.
func TestRefuteSaysThatItWasCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rep, err := Refute(ctx, load(t), "thm3-identity", Options{Seed: 1, NoVariants: true})
	if err != nil || !rep.CutOff {
		t.Errorf("%v, cut off %v", err, rep.CutOff)
	}
	for _, fd := range rep.Findings {
		if fd.Found() || !fd.CutOff {
			t.Errorf("%s: %s, cut off %v", fd.Target, fd.Status, fd.CutOff)
		}
	}
}

func TestRefuteKeepsToItsRegion(t *testing.T) {
	f := load(t)
	r, err := region.Decode([]byte("parameters:\n  eta: {from: 1/5, to: 1/4, open: to}\n  tau: 1\n  sigma2: 0\n  alpha: {from: 2, to: 3}\n"), "r.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Refute(context.Background(), f, "basin", Options{Seed: 1, Budget: 30 * time.Second, Region: r, NoVariants: true, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"basin/belowcollapses", "basin/escape from below"} {
		fd := find(rep, target)
		if !fd.Found() {
			t.Errorf("%s: %s %s", target, fd.Status, fd.Note)
			continue
		}
		for _, b := range r.Parameters {
			v, _ := new(big.Rat).SetString(fd.Witness[b.Name])
			if v == nil || !b.Contains(v) {
				t.Errorf("%s: %s = %s is outside %s", target, b.Name, fd.Witness[b.Name], b)
			}
		}
	}
	if _, err := Refute(context.Background(), f, "basin", Options{Region: must(region.Decode([]byte("parameters: {gamma: 1}\n"), "g.yaml"))}); err == nil || !strings.Contains(err.Error(), "g.yaml:1: claim basin has no parameter gamma") {
		t.Errorf("%v", err)
	}
	if _, err := Refute(context.Background(), f, "no-such-claim", Options{}); err == nil || err.Error() != `fuzz: no claim "no-such-claim"` {
		t.Errorf("%v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// plantedErrors lists the claims whose statements pin down every equation of the flow that they are about, and
// the systems in question, by part.
var plantedErrors = []struct{ claim, part string }{
	{"lemma1", "predictor"},
	{"simsiam-reduction", "predictor"},
	{"nopred", "flowright"},
	{"sym-dynamics", "predictor"},
	{"invariance-scalar", "invariance"},
	{"decoupled", "predictor"},
	{"angle-law", "angle"},
	{"dp-invariance", "features"},
	{"tau-closed-form", "ema"},
}

// TestPlantedErrorsInFlowsAreRefuted changes the right-hand sides of a claim's flow one term at a time (sign,
// factor two, dropped) and expects the search to break one of the claim's proved statements, each within the
// ten seconds that a user is promised. Changes that leave every statement true would be no errors of the claim;
// there are none among these.
func TestPlantedErrorsInFlowsAreRefuted(t *testing.T) {
	f := load(t)
	claims := plantedErrors
	total := 0
	for k, c := range claims {
		parts := f.Claim(c.claim).Parts
		flow := partOf(t, f, c.claim, c.part).Env.Flow
		for e, q := range flow {
			if q.RHS.Kind == lang.Sym {
				continue // x' = dx moves in any way
			}
			ms := mutants(q.RHS)
			for i, m := range ms {
				if !long() && (i+e+k)%3 != 0 {
					continue
				}
				total++
				start := time.Now()
				by := ""
				for _, p := range parts {
					if p.Fault != nil || len(p.Proof) == 0 || p.Env.FlowOf != partOf(t, f, c.claim, c.part).Env.FlowOf || p.Env.Equation(q.Name) == nil {
						continue
					}
					r := falsify.Search(context.Background(), withRHS(p, q.Name, m), "planted", falsify.Options{Seed: uint64(i), Effort: falsify.Effort{Interior: 200, Corners: 50}})
					if r.Refutation != nil {
						by = p.Name
						break
					}
				}
				if by == "" {
					t.Errorf("%s: %s' = %s is not refuted", c.claim, q.Name, lang.Unicode(m))
				}
				if d := time.Since(start); d > 10*time.Second {
					t.Logf("%s: %s' = %s took %v", c.claim, q.Name, lang.Unicode(m), d)
				}
			}
		}
	}
	t.Logf("%d planted errors", total)
}

func partOf(t *testing.T, f *lang.File, claim, name string) *lang.Part {
	t.Helper()
	for _, p := range f.Claim(claim).Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s/%s", claim, name)
	return nil
}

func withRHS(p *lang.Part, name string, rhs *lang.Expr) *lang.Part {
	env := *p.Env
	env.Flow = nil
	for _, q := range p.Env.Flow {
		c := *q
		if q.Name == name {
			c.RHS = rhs
		}
		env.Flow = append(env.Flow, &c)
	}
	m := *p
	m.Env = &env
	return &m
}

// mutants returns the expressions that differ from e in one term of its sum: of the other sign, doubled, or
// left out.
func mutants(e *lang.Expr) []*lang.Expr {
	two := lang.NewNum(e.Pos, big.NewRat(2, 1))
	neg := func(x *lang.Expr) *lang.Expr { return &lang.Expr{Kind: lang.Neg, Pos: x.Pos, Args: []*lang.Expr{x}} }
	if e.Kind == lang.Add || e.Kind == lang.Sub {
		l, r := e.Args[0], e.Args[1]
		other := lang.Add
		if e.Kind == lang.Add {
			other = lang.Sub
		}
		out := []*lang.Expr{lang.NewBin(other, l, r), lang.NewBin(e.Kind, l, lang.NewBin(lang.Mul, two, r)), l}
		for _, m := range mutants(l) {
			out = append(out, lang.NewBin(e.Kind, m, r))
		}
		if l.Kind != lang.Add && l.Kind != lang.Sub {
			last := r
			if e.Kind == lang.Sub {
				last = neg(r)
			}
			out = append(out, last)
		}
		return out
	}
	return []*lang.Expr{neg(e), lang.NewBin(lang.Mul, two, e)}
}

// TestResidualsShowTheFailure recomputes residuals of random counterexamples: nonzero where the model
// refutes, zero where the statement holds.
func TestResidualsShowTheFailure(t *testing.T) {
	f := load(t)
	failing, holding := 0, 0
	for _, c := range f.Claims {
		targets, err := Targets(f, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, tg := range targets {
			if tg.Part.Fault != nil || !long() && len(tg.Label())%4 != 0 {
				continue
			}
			r := falsify.Search(context.Background(), tg.Part, tg.Label(), falsify.Options{Seed: 9, Effort: falsify.Effort{Interior: 40}})
			if r.Refutation == nil {
				continue
			}
			failing++
			if tg.Part.Stmt.Kind == lang.Counted {
				continue
			}
			// A strict statement may fail by equality alone.
			strict := tg.Part.Stmt.Kind == lang.Definite || tg.Part.Stmt.Rel == ">" || tg.Part.Stmt.Rel == "<"
			if Residual(tg.Part, r.Witness).Sign() == 0 && !strict {
				t.Errorf("%s: residual zero at %s", tg.Label(), witness.String(r.Witness))
			}
		}
	}
	part := partOf(t, f, "thm3-identity", "commutator")
	w := verdict.Witness{Dims: map[lang.Dim]int{"n1": 1, "n2": 1}, Vals: map[string]witness.Matrix{}}
	for _, name := range part.Env.Order {
		w.Vals[name] = witness.Matrix{R: 1, C: 1, A: []*big.Rat{big.NewRat(1, 2)}}
	}
	if Residual(part, w).Sign() == 0 {
		holding++
	}
	if failing < 20 || holding != 1 {
		t.Errorf("%d failing, %d holding", failing, holding)
	}
}

// TestAnAssumptionIsAttackedForWhatIsLost: that no motion keeps it is no statement that a state refutes, and not what is printed.
func TestAnAssumptionIsAttackedForWhatIsLost(t *testing.T) {
	ts, err := Targets(load(t), "assump-ema")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range ts {
		got, lost := x.Statement(), "wa1 - tau*w1, wa2 - tau*w2 stay zero"
		if strings.Contains(got, lost) != (x.Part.Stmt.Kind == lang.Assumption) || strings.Contains(got, "absurd") {
			t.Errorf("%s", got)
		}
	}
}

func TestTargetsHaveDistinctLabels(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		ts, err := Targets(f, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, tg := range ts {
			if seen[tg.Label()] {
				t.Errorf("two targets called %s", tg.Label())
			}
			seen[tg.Label()] = true
		}
		for _, q := range orbit.Of(c.ID) {
			if seen[q.Label()] {
				t.Errorf("two targets called %s", q.Label())
			}
			seen[q.Label()] = true
		}
	}
	for _, q := range orbit.Questions() {
		if f.Claim(q.Claim) == nil {
			t.Errorf("question %s belongs to no claim", q.Label())
		}
	}
	if (optimise.Effort{}).Evaluations() != 0 {
		t.Error("no effort is some effort")
	}
}

// patience keeps a slow or busy machine from cutting a search off: a test decides by counts of evaluations, not by
// the clock.
const patience = 100
