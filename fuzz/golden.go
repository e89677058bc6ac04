package fuzz

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"regexp"
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
	p.RNG = "Halton sequence scrambled by SplitMix64; PCG of math/rand/v2"
	p.Engine = golden.Engine{Name: "stopgrad fuzz", Version: "1", Precision: golden.FP64, Deterministic: true}
	p.Device = golden.Device{Name: "CPU"}
	return p, nil
}

// Record writes the recordable findings of a report as goldens into dir. Every golden is re-verified before it is
// written. It returns the files.
func Record(ctx context.Context, dir string, p golden.Provenance, created time.Time, wall time.Duration, rep Report, o golden.RecordOptions) ([]string, error) {
	p.WallS = wall.Seconds()
	if o.Verifier == nil {
		o.Verifier = &golden.Verifier{Witness: VerifyWitness}
	}
	var files []string
	for _, f := range rep.Findings {
		if !f.Recordable() {
			continue
		}
		settings := map[string]any{"claim": rep.Claim, "target": f.Target, "reading": string(f.Reading),
			"evidence": f.Evidence, "stage": f.Stage, "seed": rep.Seed, "budget_s": rep.Budget.Seconds()}
		if len(f.Facts) > 0 {
			settings["facts"] = f.Facts
		}
		config, err := golden.NewConfig(settings)
		if err != nil {
			return files, err
		}
		g := &golden.Golden{ID: f.GoldenID(), Kind: golden.CounterexampleKind, Status: golden.Informative,
			Created: created.UTC().Truncate(time.Second).Format(time.RFC3339), Provenance: p, Config: config,
			Counterexample: &golden.Counterexample{Claim: rep.Claim, Statement: f.Statement, Witness: f.Witness, Residual: f.Residual,
				Found: golden.Search{By: "fuzz.Refute, " + f.Stage, Seed: rep.Seed, Budget: rep.Budget.String(), Evaluations: int64(f.Evaluations)}}}
		rec, err := golden.RecordFile(ctx, dir, g, o)
		if err != nil {
			return files, fmt.Errorf("fuzz: %s: %w", g.ID, err)
		}
		files = append(files, filepath.Base(rec.File))
	}
	return files, nil
}
