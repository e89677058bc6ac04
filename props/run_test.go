package props_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"stopgrad/props"
	"stopgrad/theory/lang"
)

// runSamples is the number of samples of each sampled statement in a plain run.
const runSamples = 12

// TestSampledStatementsAreMeasured: every property that the claims name is known, accounts for all its
// samples, repeats itself, and comes out as the study behind the claims ledger found it.
func TestSampledStatementsAreMeasured(t *testing.T) {
	n := max(6, raceScaled(runSamples))
	if long() {
		n = 150
	}
	named := map[string]bool{}
	for _, c := range load(t).Claims {
		for _, p := range c.Parts {
			if p.Stmt != nil && p.Stmt.Kind == lang.Sampled {
				named[p.Stmt.Property] = true
			}
		}
	}
	for _, name := range props.Names() {
		if !named[name] {
			t.Errorf("no claim names the property %q", name)
		}
		delete(named, name)
	}
	for name := range named {
		t.Errorf("the property %q of a claim is not known", name)
	}
	for _, name := range props.Names() {
		t.Run(name, func(t *testing.T) {
			m, err := props.Run(context.Background(), name, 1, n)
			if err != nil {
				t.Fatal(err)
			}
			js, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s", js)
			undecided := 0
			for _, key := range []string{"still_shrinking", "unconfirmed", "equal"} {
				if v, ok := m.Detail[key].(int); ok {
					undecided += v
				}
			}
			excluded := 0
			for key, v := range m.Detail {
				if strings.HasSuffix(key, "_excluded") {
					excluded += v.(int)
				}
			}
			if m.Tried+excluded != n || m.Holds+m.Violations+undecided != m.Tried || m.Tried == 0 {
				t.Errorf("%d samples: %d tried, %d excluded, %d hold, %d violate, %d undecided", n, m.Tried, excluded, m.Holds, m.Violations, undecided)
			}
			switch name {
			case "skew-vanishes":
				if m.Violations > 0 || m.Holds == 0 || m.Worst > m.Tolerance {
					t.Errorf("the skew part stays in %d runs, up to %.3g", m.Violations, m.Worst)
				}
			case "sym-hurts":
				if m.Detail["test"] == "fewer survive symmetrised" {
					t.Error("fewer modes survive symmetrised, which the ledger did not find")
				}
			case "noniso-align":
				shared := m.Detail["shared_eigenframe"].(map[string]any)
				if shared["above_bound"].(int) > 0 || shared["tried"].(int) == 0 {
					t.Errorf("the commutator of a shared eigenframe is not zero: %v", shared)
				}
				if m.Violations == 0 || m.Worst < 1e6*m.Tolerance {
					t.Errorf("no stationary point is clearly misaligned: %.3g", m.Worst)
				}
			}
			few, err := props.Run(context.Background(), name, 1, 2)
			if err != nil {
				t.Fatal(err)
			}
			again, err := props.Run(context.Background(), name, 1, 2)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := json.Marshal(few)
			b, _ := json.Marshal(again)
			if string(a) != string(b) {
				t.Errorf("two runs from one seed differ:\n%s\n%s", a, b)
			}
		})
	}
}

func TestRunRefusesWhatItCannotDo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := props.Run(ctx, "skew-grows", 1, 5); err == nil || !strings.Contains(err.Error(), `"skew-grows" (known: noniso-align skew-vanishes sym-hurts)`) {
		t.Errorf("error %v", err)
	}
	if _, err := props.Run(ctx, "sym-hurts", 1, 0); err == nil || !strings.Contains(err.Error(), "0 samples of sym-hurts") {
		t.Errorf("error %v", err)
	}
	cancel()
	for _, name := range props.Names() {
		if _, err := props.Run(ctx, name, 1, 2); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v of a cancelled run", name, err)
		}
	}
}
