package witness_test

import (
	"math/big"
	"strings"
	"testing"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/witness"
	"stopgrad/theory"
	"stopgrad/theory/sample"
)

func TestFlattenRoundTrips(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := sample.NewStream(1, "flatten")
	n := 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Fault != nil || p.Env == nil {
				continue
			}
			st, err := sample.Draw(s, p, 3)
			if err != nil {
				continue
			}
			if st, err = chart.Repair(p, st, ""); err != nil {
				continue
			}
			n++
			flat := map[string]*big.Rat{}
			for k, v := range witness.Flatten(st) {
				flat[k], _ = new(big.Rat).SetString(v)
			}
			back, err := witness.Unflatten(p, flat)
			if err != nil {
				t.Fatalf("%s/%s: %v", c.ID, p.Name, err)
			}
			if witness.String(back) != witness.String(st) {
				t.Fatalf("%s/%s: %s became %s", c.ID, p.Name, witness.String(st), witness.String(back))
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d states", n)
	}
}

func TestUnflattenRefuses(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claim("thm3-identity").Parts[0]
	st, err := sample.Draw(sample.NewStream(1, "x"), part, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, key, value, want string
	}{
		{"missing", "alpha", "", "no value for alpha"},
		{"unknown", "gamma", "1", "gamma is no number"},
		{"fractional size", "size n2", "3/2", "not an integer"},
		{"huge size", "size n2", "1000000", "not an integer from 1 to 64"},
		{"zero size", "size n2", "0", "not an integer from 1 to 64"},
	} {
		flat := map[string]*big.Rat{}
		for k, v := range witness.Flatten(st) {
			flat[k], _ = new(big.Rat).SetString(v)
		}
		delete(flat, c.key)
		if c.value != "" {
			flat[c.key], _ = new(big.Rat).SetString(c.value)
		}
		if _, err := witness.Unflatten(part, flat); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestCostOrdersNumbersBySimplicity(t *testing.T) {
	last := -1.0
	for _, s := range []string{"0", "1", "-1", "2", "3", "1/3", "-7/2", "100", "355/113"} {
		r, _ := new(big.Rat).SetString(s)
		if c := witness.Cost(r); c < last {
			t.Errorf("%s costs %g, less than the number before it", s, c)
		} else {
			last = c
		}
	}
}

// TestUnflattenChecksRoots: a wrong root does not pass unseen, though the evaluator computes it anyway.
func TestUnflattenChecksRoots(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claim("pminus-monotone").Parts[0]
	// r² = τ² − 4(1 + σ²)η = 9 − 8.
	flat := map[string]*big.Rat{"eta": big.NewRat(2, 1), "sigma2": new(big.Rat), "tau": big.NewRat(3, 1), "p": new(big.Rat), "r": big.NewRat(1, 1)}
	if _, err := witness.Unflatten(part, flat); err != nil {
		t.Error(err)
	}
	flat["r"] = big.NewRat(2, 1)
	if _, err := witness.Unflatten(part, flat); err == nil || !strings.Contains(err.Error(), "the root r is 1, not 2") {
		t.Errorf("%v", err)
	}
	delete(flat, "r")
	if _, err := witness.Unflatten(part, flat); err == nil || !strings.Contains(err.Error(), "no value for r") {
		t.Errorf("%v", err)
	}
}
