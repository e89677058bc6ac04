package fuzz

import (
	"context"
	"encoding/json"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stopgrad/golden"
)

// recordEnv makes TestRecordCounterexamples write the goldens; its value is the reason to replace old ones.
const recordEnv = "STOPGRAD_RECORD_COUNTEREXAMPLES"

// TestRecordCounterexamples searches every false claim from seed 1 with the default budget and records what it
// finds under golden/data/counterexamples, for
//
//	STOPGRAD_RECORD_COUNTEREXAMPLES="why" go test ./fuzz -run TestRecordCounterexamples -timeout 1h
//
// STOPGRAD_RECORD_CLAIMS="ID ID" records those of some claims alone.
func TestRecordCounterexamples(t *testing.T) {
	reason := os.Getenv(recordEnv)
	if reason == "" {
		t.Skipf("set %s to a reason to record the counterexamples anew", recordEnv)
	}
	f := load(t)
	root := ".."
	dir := filepath.Join(root, "golden", "data", GoldenFolder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	prov, err := Provenance(context.Background(), root, "go test ./fuzz -run TestRecordCounterexamples")
	if err != nil {
		t.Fatal(err)
	}
	only := strings.Fields(os.Getenv("STOPGRAD_RECORD_CLAIMS"))
	for _, c := range f.Claims {
		if only != nil && !slices.Contains(only, c.ID) {
			continue
		}
		start := time.Now()
		rep, err := Refute(context.Background(), f, c.ID, Options{Seed: 1, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		if rep.CutOff {
			t.Errorf("%s was cut off: what it found need not be found again", c.ID)
			continue
		}
		files, err := Record(context.Background(), dir, prov, time.Now(), time.Since(start), rep, golden.RecordOptions{Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v %s", c.ID, time.Since(start).Round(10*time.Millisecond), strings.Join(files, " "))
	}
}

// recorded returns the folder of recorded counterexamples.
func recorded(t testing.TB) fs.FS {
	t.Helper()
	sub, err := fs.Sub(golden.Committed(), GoldenFolder)
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := fs.ReadDir(sub, "."); err != nil || len(entries) == 0 {
		t.Fatalf("golden/data/%s holds no recorded counterexamples (%v); TestRecordCounterexamples makes them", GoldenFolder, err)
	}
	return sub
}

// TestRecordedCounterexamplesHold re-verifies every recorded counterexample from its numbers.
func TestRecordedCounterexamplesHold(t *testing.T) {
	v := &golden.Verifier{Witness: VerifyWitness, Extra: Rules}
	rep, err := v.VerifyDir(context.Background(), recorded(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]bool{}
	for _, f := range rep.Files {
		for _, o := range f.Outcomes {
			if o.Rule == "counterexample" && o.State == golden.Pass {
				checked[f.File] = true
			}
		}
		if !checked[f.File] {
			t.Errorf("%s was not re-evaluated", f.File)
		}
	}
	for _, c := range falseClaims {
		// What fails along a motion is recorded as its certificate, which package verdict's tests read again.
		if _, err := os.Stat(filepath.Join("..", "theory", "verdict", "testdata", "motions", c.claim+".printed."+c.target+".cert")); err == nil {
			continue
		}
		id := Finding{Target: c.claim + "/" + c.target}.GoldenID() + ".json"
		if wanted := c.reading != Variant || strings.Contains(c.target, "drop hypothesis"); wanted && c.target != "flow" && !checked[id] {
			t.Errorf("%s is not among the goldens", id)
		}
	}
}

// TestSpoiltCounterexamplesAreRefused changes one number of each recorded counterexample, or its residual: it
// must not pass for the same counterexample.
func TestSpoiltCounterexamplesAreRefused(t *testing.T) {
	dir := recorded(t)
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := golden.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		c := *g.Counterexample
		numbers := func() map[string]*big.Rat {
			m := map[string]*big.Rat{}
			for k, v := range c.Witness {
				m[k] = rational(v)
			}
			return m
		}
		if err := VerifyWitness(context.Background(), c, numbers(), rational(c.Residual)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// A larger residual than the statement fails by.
		if VerifyWitness(context.Background(), c, numbers(), new(big.Rat).Mul(rational(c.Residual), big.NewRat(1000, 1))) == nil {
			t.Errorf("%s: a thousandfold residual passes", name)
		}
		for k := range c.Witness {
			missing := numbers()
			delete(missing, k)
			if VerifyWitness(context.Background(), c, missing, rational(c.Residual)) == nil {
				t.Errorf("%s: passes without %s", name, k)
			}
		}
		other := c
		other.Statement += "?"
		if VerifyWitness(context.Background(), other, numbers(), rational(c.Residual)) == nil {
			t.Errorf("%s: another statement passes", name)
		}
		zero := numbers()
		for k, v := range zero {
			if !strings.HasPrefix(k, "size ") {
				zero[k] = new(big.Rat).Mul(v, new(big.Rat))
			}
		}
		if VerifyWitness(context.Background(), c, zero, rational(c.Residual)) == nil {
			t.Errorf("%s: the zero state passes", name)
		}
	}
}

// TestACounterexampleIsFoundAfresh finds one of the recorded counterexamples again from another seed: of one
// claim, of all claims under STOPGRAD_LONG.
func TestACounterexampleIsFoundAfresh(t *testing.T) {
	f := load(t)
	claims := []string{"thm3-alignment"}
	if long() {
		claims = nil
		for _, c := range falseClaims {
			if len(claims) == 0 || claims[len(claims)-1] != c.claim {
				claims = append(claims, c.claim)
			}
		}
	}
	for _, id := range claims {
		rep, err := Refute(context.Background(), f, id, Options{Seed: 20261123, NoVariants: !long()})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range falseClaims {
			if c.claim != id || !long() && c.reading == Variant {
				continue
			}
			if fd := find(rep, c.claim+"/"+c.target); fd == nil || !fd.Found() {
				t.Errorf("%s/%s is not found from another seed", c.claim, c.target)
			}
		}
	}
}

// TestForgedCounterexamplesAreRefused changes what a recorded counterexample says of itself, with every hash made right
// again: its numbers still break the same statement.
func TestForgedCounterexamplesAreRefused(t *testing.T) {
	read := func(name string) *golden.Golden {
		t.Helper()
		g, err := golden.Read(recorded(t), name+".json")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	setting := func(key string, v any) func(g *golden.Golden) {
		return func(g *golden.Golden) {
			text, err := g.Config.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			m[key] = v
			if g.Config, err = golden.NewConfig(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	variant, orbits := "counterexample.nopred-rate-with-drop-hypothesis-gap", "counterexample.thm3-alignment-eigenframes"
	for _, x := range []struct {
		name, of string
		edit     func(g *golden.Golden)
		says     string // of the refusal; empty for a statement
	}{
		{"as it is", variant, func(*golden.Golden) {}, ""},
		{"an orbit as it is", orbits, func(*golden.Golden) {}, ""},
		{"under the printed claim's name", variant, func(g *golden.Golden) { g.ID = "counterexample.nopred-printed" }, "is named counterexample.nopred-rate-with"},
		{"under a name of its own", variant, func(g *golden.Golden) { g.ID = "the-paper-is-wrong" }, "is named"},
		{"under the name of a parity", variant, func(g *golden.Golden) { g.ID = "parity.cpu.mlp" }, "is named"},
		{"a variant called the printed statement", variant, setting("reading", "printed"), "config.reading: printed"},
		{"another claim in its settings", variant, setting("claim", "thm1"), "config.claim"},
		{"another target in its settings", variant, setting("target", "nopred/rate"), "config.target"},
		{"better evidence", variant, setting("evidence", "validated enclosure"), "config.evidence"},
		{"an enclosure called exact", orbits, setting("evidence", "exact"), "config.evidence"},
		{"a setting of one's own", variant, setting("note", "refutes the whole paper"), "config.note"},
		{"facts about a state", variant, setting("facts", []string{"it is so"}), "config.facts"},
		{"found otherwise than its settings say", variant, func(g *golden.Golden) { g.Counterexample.Found.Seed++ }, "counterexample.found"},
		{"found by somebody else", variant, func(g *golden.Golden) { g.Counterexample.Found.By = "a referee" }, "counterexample.found"},
		{"made gating", variant, func(g *golden.Golden) { g.Status = golden.Gating }, "status"},
		{"results of one's own", variant, func(g *golden.Golden) { g.Extra = &golden.Extra{JSON: []byte(`{"top1":0.9}`)} }, "extra"},
		{"other kernels", variant, func(g *golden.Golden) { g.Provenance.Kernels = []string{"golden"} }, "provenance.kernels"},
		{"another engine", variant, func(g *golden.Golden) { g.Provenance.Engine.Name = "Coq" }, "provenance.engine"},
		{"another arithmetic", variant, func(g *golden.Golden) { g.Provenance.Engine.Precision = golden.BF16 }, "provenance.engine"},
		{"data", variant, func(g *golden.Golden) {
			g.Provenance.Data = &golden.Data{Name: "imagenet", SHA256: golden.Generated, Decoder: "none", Split: "none"}
		}, "provenance.data"},
		{"more looked at", variant, func(g *golden.Golden) { g.Counterexample.Found.Evaluations = 1e12 }, ""},
		{"other facts about an orbit", orbits, setting("facts", []string{"it is so"}), "config.facts"},
	} {
		g := read(x.of)
		x.edit(g)
		dir := t.TempDir()
		// The forger's own verifier knows no rule of this package.
		easy := &golden.Verifier{Witness: func(context.Context, golden.Counterexample, map[string]*big.Rat, *big.Rat) error { return nil }}
		if _, err := golden.RecordFile(context.Background(), dir, g, golden.RecordOptions{AllowDirty: true, Verifier: easy}); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		_, err := (&golden.Verifier{Witness: VerifyWitness, Extra: Rules}).VerifyDir(context.Background(), os.DirFS(dir), nil)
		if x.says == "" && err != nil || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: %v; want %q", x.name, err, x.says)
		}
	}
}

// TestTwinsAreNotRecorded: that a mutated twin fails says nothing against the claim, and a golden of it is refused.
func TestTwinsAreNotRecorded(t *testing.T) {
	g, err := golden.Read(recorded(t), "counterexample.nopred-rate-with-drop-hypothesis-gap.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	targets, err := Targets(f, "nopred")
	if err != nil {
		t.Fatal(err)
	}
	twins := 0
	for _, x := range targets {
		if x.Reading != Variant || strings.Contains(x.Variant, "drop hypothesis") {
			continue
		}
		twins++
		found := Finding{Target: x.Label(), Reading: x.Reading, Status: Refuted, Residual: "1", Evidence: "exact", Stage: "interior"}
		if found.Recordable() {
			t.Errorf("%s is recordable", found.Target)
		}
		settings := recipe(Report{Claim: "nopred", Seed: 1, Budget: time.Minute}, found)
		if g.Config, err = golden.NewConfig(settings); err != nil {
			t.Fatal(err)
		}
		g.ID, g.Counterexample.Statement = found.GoldenID(), x.Statement()
		g.Counterexample.Found = golden.Search{By: foundBy("interior"), Seed: 1, Budget: "1m0s", Evaluations: 1}
		o := checkFinding(&golden.Subject{Context: t.Context(), Golden: g})
		if o.State != golden.Fail || !strings.Contains(o.Detail, "a twin of one") {
			t.Errorf("%s: %s, %s", found.Target, o.State, o.Detail)
		}
	}
	if twins == 0 {
		t.Error("the claim has no twin")
	}
}
