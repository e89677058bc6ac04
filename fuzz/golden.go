package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"stopgrad/fuzz/orbit"
	"stopgrad/fuzz/witness"
	"stopgrad/golden"
	"stopgrad/theory"
	"stopgrad/theory/verdict"
)

// GoldenFolder is where recorded counterexamples are, relative to golden/data.
const GoldenFolder = "counterexamples"

// kernels are the folders whose code finds and confirms counterexamples.
var kernels = []string{"fuzz/chart", "fuzz/design", "fuzz/falsify", "fuzz/minimise", "fuzz/optimise", "fuzz/orbit", "fuzz/witness", "theory/lang", "theory/eval", "theory/kernel", "theory/model", "theory/verdict", "numeric/ode", "numeric/flow", "numeric/enclosure", "numeric/interval"}

var builtIn = sync.OnceValues(theory.Load)

// VerifyWitness re-verifies a recorded counterexample to a claim of the theory from its numbers alone; it is
// the Witness of a golden.Verifier. A state is handed to the model, and must break the statement by exactly
// the residual; a trajectory is confirmed as package orbit does, and must break it by at least the residual.
func VerifyWitness(ctx context.Context, c golden.Counterexample, numbers map[string]*big.Rat, residual *big.Rat) error {
	for _, q := range orbit.Of(c.Claim) {
		if q.Statement() != c.Statement {
			continue
		}
		x, err := q.FromNumbers(numbers)
		if err != nil {
			return err
		}
		_, cert, err := orbit.Confirm(ctx, q, x)
		if err != nil {
			return err
		}
		if residual.Sign() <= 0 || residual.Cmp(cert.Violation) > 0 {
			return fmt.Errorf("fuzz: the statement fails by %s at least, recorded is %s", cert.Violation.RatString(), residual.RatString())
		}
		return nil
	}
	f, err := builtIn()
	if err != nil {
		return err
	}
	targets, err := Targets(f, c.Claim)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if t.Statement() != c.Statement {
			continue
		}
		w, err := witness.Unflatten(t.Part, numbers)
		if err != nil {
			return err
		}
		r, err := verdict.Refute(t.Part, w)
		if err != nil {
			return err
		}
		if !r.Verdict().IsRefuted() {
			return errors.New("fuzz: the statement does not fail there")
		}
		if got := Residual(t.Part, w); got.Cmp(residual) != 0 {
			return fmt.Errorf("fuzz: the statement fails by %s, recorded is %s", got.RatString(), residual.RatString())
		}
		return nil
	}
	return fmt.Errorf("fuzz: claim %s has no statement %q", c.Claim, c.Statement)
}

// Rules are the rules about goldens of counterexamples, which a verifier adds to those of package golden: that one knows no
// claims. They compare what a file calls itself with the statement that its witness breaks.
var Rules = []golden.Rule{
	{Name: "finding", Statement: "the counterexample is named by the claim's own statement that it breaks, with its reading and evidence, and nothing is added", Kinds: []golden.Kind{golden.CounterexampleKind}, Check: checkFinding},
}

func checkFinding(s *golden.Subject) golden.Outcome {
	g := s.Golden
	refused := func(field, format string, args ...any) golden.Outcome {
		return golden.Failed(&golden.Error{Field: field, Offset: -1, Err: fmt.Errorf(format, args...)})
	}
	c := g.Counterexample
	if c == nil {
		return refused("counterexample", "missing")
	}
	if s.Found("counterexample") == golden.Fail {
		return golden.NothingToCheck("the witness breaks nothing")
	}
	f, err := findingOf(s.Context, *c)
	if err != nil {
		return refused("counterexample.statement", "%v", err)
	}
	budget, err := g.Config.Number("budget_s")
	if err != nil {
		return refused("config.budget_s", "%v", err)
	}
	seed, err := g.Config.Number("seed")
	if err != nil {
		return refused("config.seed", "%v", err)
	}
	stage, err := g.Config.Text("stage")
	if err != nil {
		return refused("config.stage", "%v", err)
	}
	want := recipe(Report{Claim: c.Claim, Seed: uint64(seed), Budget: time.Duration(budget * float64(time.Second))}, f)
	want["stage"] = stage
	text, err := g.Config.MarshalJSON()
	if err != nil {
		return golden.Failed(err)
	}
	var have map[string]any
	if err := json.Unmarshal(text, &have); err != nil {
		return golden.Failed(err)
	}
	for name, v := range have {
		w, ok := want[name]
		if !ok {
			return refused("config."+name, "set, and a counterexample has none")
		}
		a, err := json.Marshal(v)
		if err != nil {
			return golden.Failed(err)
		}
		b, err := json.Marshal(w)
		if err != nil {
			return golden.Failed(err)
		}
		if !bytes.Equal(a, b) {
			return refused("config."+name, "%v, and the statement is one of %v", v, w)
		}
	}
	for name := range want {
		if _, ok := have[name]; !ok {
			return refused("config."+name, "missing")
		}
	}
	p := prov(golden.Provenance{})
	switch {
	case g.ID != f.GoldenID():
		return refused("id", "%q, and a counterexample to %s is named %s", g.ID, f.Target, f.GoldenID())
	case !f.Recordable():
		return refused("counterexample.statement", "%s is no claim and no question, but a twin of one: that it fails is as it should be", f.Target)
	case c.Found.By != foundBy(stage), c.Found.Seed != uint64(seed), c.Found.Budget != time.Duration(budget*float64(time.Second)).String():
		return refused("counterexample.found", "%+v, and the settings say stage %s, seed %v, %v s", c.Found, stage, seed, budget)
	case g.Status != golden.Informative:
		return refused("status", "%s, and a counterexample gates no run", g.Status)
	case !slices.Equal(g.Provenance.Kernels, kernels):
		return refused("provenance.kernels", "%v, and counterexamples are found by %v", g.Provenance.Kernels, kernels)
	case g.Provenance.Engine != p.Engine, g.Provenance.Device != p.Device, g.Provenance.RNG != p.RNG:
		return refused("provenance.engine", "%+v on %+v, and counterexamples are found by %+v", g.Provenance.Engine, g.Provenance.Device, p.Engine)
	case g.Provenance.Data != nil:
		return refused("provenance.data", "set, and a counterexample rests on none")
	case g.Extra != nil:
		return refused("extra", "set, and a counterexample has none")
	}
	return golden.Passed("a counterexample to %s, %s", f.Target, f.Reading)
}

// findingOf is the finding that a counterexample stands for, without what only the search knows.
func findingOf(ctx context.Context, c golden.Counterexample) (Finding, error) {
	out := Finding{Status: Refuted, Residual: c.Residual, Statement: c.Statement, Evidence: "exact"}
	for _, q := range orbit.Of(c.Claim) {
		if q.Statement() == c.Statement {
			numbers := map[string]*big.Rat{}
			for k, v := range c.Witness {
				x, ok := new(big.Rat).SetString(v)
				if !ok {
					return out, fmt.Errorf("fuzz: %s is no number", v)
				}
				numbers[k] = x
			}
			x, err := q.FromNumbers(numbers)
			if err != nil {
				return out, err
			}
			e, c, err := orbit.Confirm(ctx, q, x)
			out.Target, out.Reading, out.Evidence, out.Facts = q.Label(), Orbit, string(e), c.Facts
			return out, err
		}
	}
	f, err := builtIn()
	if err != nil {
		return out, err
	}
	targets, err := Targets(f, c.Claim)
	if err != nil {
		return out, err
	}
	for _, t := range targets {
		if t.Statement() == c.Statement {
			out.Target, out.Reading = t.Label(), t.Reading
			return out, nil
		}
	}
	return out, fmt.Errorf("fuzz: claim %s has no statement %q", c.Claim, c.Statement)
}

// Recordable reports whether a finding is kept as a golden: a counterexample with a nonzero residual to what a
// claim prints, to a question, or to a variant without one of its hypotheses.
func (f Finding) Recordable() bool {
	if f.Status != Refuted && f.Status != Counterexample || f.Residual == "" || f.Residual == "0" {
		return false
	}
	return f.Reading != Variant || strings.Contains(f.Target, "drop hypothesis")
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// GoldenID returns the name of a finding's golden.
func (f Finding) GoldenID() string {
	name := strings.NewReplacer("≻", "gt", "(0)", "0").Replace(f.Target)
	return "counterexample." + strings.Trim(notInID.ReplaceAllString(name, "-"), "-")
}

// Provenance collects where counterexamples found by the project at root come from; command is what the user
// typed. It is asked once, before the first golden is written: each of them changes the tree.
func Provenance(ctx context.Context, root, command string) (golden.Provenance, error) {
	p, err := golden.Collect(ctx, root, kernels...)
	if err != nil {
		return p, err
	}
	p.Command = command
	return prov(p), nil
}

// prov is p with what is the same for all counterexamples.
func prov(p golden.Provenance) golden.Provenance {
	p.RNG = "Halton sequence scrambled by SplitMix64; PCG of math/rand/v2"
	p.Engine = golden.Engine{Name: "stopgrad fuzz", Version: "1", Precision: golden.FP64, Deterministic: true}
	p.Device = golden.Device{Name: "CPU"}
	return p
}

// recipe is that of a golden.
func recipe(rep Report, f Finding) map[string]any {
	out := map[string]any{"claim": rep.Claim, "target": f.Target, "reading": string(f.Reading),
		"evidence": f.Evidence, "stage": f.Stage, "seed": rep.Seed, "budget_s": rep.Budget.Seconds()}
	if f.Reading == Orbit && len(f.Facts) > 0 {
		out["facts"] = f.Facts
	}
	return out
}

// foundBy names the search and its stage.
func foundBy(stage string) string { return "fuzz.Refute, " + stage }

// Record writes the recordable findings of a report as goldens into dir. Every golden is re-verified before it is
// written. It returns the files.
func Record(ctx context.Context, dir string, p golden.Provenance, created time.Time, wall time.Duration, rep Report, o golden.RecordOptions) ([]string, error) {
	p.WallS = wall.Seconds()
	if o.Verifier == nil {
		o.Verifier = &golden.Verifier{Witness: VerifyWitness, Extra: Rules}
	}
	var files []string
	for _, f := range rep.Findings {
		if !f.Recordable() {
			continue
		}
		config, err := golden.NewConfig(recipe(rep, f))
		if err != nil {
			return files, err
		}
		g := &golden.Golden{ID: f.GoldenID(), Kind: golden.CounterexampleKind, Status: golden.Informative,
			Created: created.UTC().Truncate(time.Second).Format(time.RFC3339), Provenance: p, Config: config,
			Counterexample: &golden.Counterexample{Claim: rep.Claim, Statement: f.Statement, Witness: f.Witness, Residual: f.Residual,
				Found: golden.Search{By: foundBy(f.Stage), Seed: rep.Seed, Budget: rep.Budget.String(), Evaluations: int64(f.Evaluations)}}}
		rec, err := golden.RecordFile(ctx, dir, g, o)
		if err != nil {
			return files, fmt.Errorf("fuzz: %s: %w", g.ID, err)
		}
		files = append(files, filepath.Base(rec.File))
	}
	return files, nil
}
