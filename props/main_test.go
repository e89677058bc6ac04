package props_test

import (
	"flag"
	"os"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// longEnv switches the long versions of the tests on: every mutated twin, more samples.
const longEnv = "STOPGRAD_LONG"

func long() bool { return os.Getenv(longEnv) != "" }

// TestMain fixes rapid's seed, so that a plain run repeats itself; -rapid.seed and RAPID_SEED override it.
func TestMain(m *testing.M) {
	flag.Parse()
	if s := flag.Lookup("rapid.seed"); s.Value.String() == "0" {
		if err := flag.Set("rapid.seed", "1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func load(t testing.TB) *lang.File {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
