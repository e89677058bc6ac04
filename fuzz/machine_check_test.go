package fuzz_test

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// rapidly is rapid.Check from a fixed seed and with the given number of checks, so that a plain run repeats itself and
// is quick; -rapid.seed, -rapid.checks, RAPID_SEED and RAPID_CHECKS override them.
func rapidly(t *testing.T, checks string, prop func(*rapid.T)) {
	t.Helper()
	for name, set := range map[string]struct{ unset, to string }{"rapid.seed": {"0", "1"}, "rapid.checks": {"100", checks}} {
		f := flag.Lookup(name)
		if f == nil {
			t.Fatalf("rapid has no flag %s", name)
		}
		if old := f.Value.String(); old == set.unset {
			if err := flag.Set(name, set.to); err != nil {
				t.Fatal(err)
			}
			defer flag.Set(name, old)
		}
	}
	rapid.Check(t, prop)
}
