package fuzz

import (
	"context"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
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
	for _, c := range f.Claims {
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
	v := &golden.Verifier{Witness: VerifyWitness}
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
