package witness

import (
	"math/big"
	"strings"
	"testing"

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
			n++
			flat := map[string]*big.Rat{}
			for k, v := range Flatten(st) {
				flat[k], _ = new(big.Rat).SetString(v)
			}
			back, err := Unflatten(p, flat)
			if err != nil {
				t.Fatalf("%s/%s: %v", c.ID, p.Name, err)
			}
			if String(back) != String(st) {
				t.Fatalf("%s/%s: %s became %s", c.ID, p.Name, String(st), String(back))
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
		for k, v := range Flatten(st) {
			flat[k], _ = new(big.Rat).SetString(v)
		}
		delete(flat, c.key)
		if c.value != "" {
			flat[c.key], _ = new(big.Rat).SetString(c.value)
		}
		if _, err := Unflatten(part, flat); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestCostOrdersNumbersBySimplicity(t *testing.T) {
	last := -1.0
	for _, s := range []string{"0", "1", "-1", "2", "3", "1/3", "-7/2", "100", "355/113"} {
		r, _ := new(big.Rat).SetString(s)
		if c := Cost(r); c < last {
			t.Errorf("%s costs %g, less than the number before it", s, c)
		} else {
			last = c
		}
	}
}
