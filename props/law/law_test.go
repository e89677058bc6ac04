package law

import (
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stopgrad/props"
	"stopgrad/props/shrink"
	"stopgrad/theory"
	"stopgrad/theory/sample"
)

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

// slow laws integrate many trajectories for one measure.
var slow = map[string]bool{"ema-negative/trend": true, "ema-negative/target started online": true, "wd-split/linear growth": true, "angle-law/integrated": true}

// checksOf is rapid's default of a hundred, a quarter of it for slow laws, and a fifth of that under the race
// detector, which has nothing to find in a single goroutine.
func checksOf(l Law) int {
	n := 100
	if slow[l.ID+"/"+l.Name] {
		n /= 4
	}
	if raceEnabled {
		n /= 5
	}
	return n
}

// TestLaws runs every law under rapid, label = claim id.
func TestLaws(t *testing.T) {
	for _, l := range All() {
		t.Run(l.ID+"/"+l.Name, func(t *testing.T) {
			holds, worst := 0, math.Inf(-1)
			shrink.AtMost(t, checksOf(l))
			rapid.Check(t, func(t *rapid.T) {
				o, err := l.Check(context.Background(), shrink.Choices(t))
				if err != nil {
					t.Fatal(err)
				}
				switch o.Status {
				case props.Violated:
					t.Fatalf("%.3g above %.3g: %s", o.Measure, l.Tolerance, l.Says)
				case props.Holds:
					holds++
					worst = max(worst, o.Measure)
				}
			})
			if holds == 0 {
				t.Error("no drawn start says anything")
			}
			t.Logf("%d starts, worst %.2g, tolerance %.2g: %s", holds, worst, l.Tolerance, l.Says)
		})
	}
}

// twinChecks is within how many rapid checks a twin must be caught.
const twinChecks = 100

// TestTwinsOfLawsAreCaught mutation-checks the laws.
func TestTwinsOfLawsAreCaught(t *testing.T) {
	for _, l := range All() {
		if len(l.Twins) == 0 {
			t.Errorf("%s/%s has no twin", l.ID, l.Name)
		}
		for _, twin := range l.Twins {
			t.Run(l.ID+"/"+l.Name+"/"+twin, func(t *testing.T) {
				checks := 0
				failed, err := shrink.Falsify(twinChecks, 1, 0, func(t *rapid.T) {
					checks++
					o, err := l.CheckTwin(context.Background(), shrink.Choices(t), twin)
					if err != nil {
						t.Skipf("the twin has no value at what was drawn: %v", err)
					}
					if o.Status == props.Violated {
						t.Fatalf("%v", o.Measure)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				if !failed {
					t.Errorf("not caught in %d checks", twinChecks)
				}
				t.Logf("caught after %d checks", checks)
			})
		}
	}
}

// TestLawsBelongToClaims: every law names a claim of the theory, and its name is unique there.
func TestLawsBelongToClaims(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, l := range All() {
		if f.Claim(l.ID) == nil {
			t.Errorf("no claim %q", l.ID)
		}
		if key := l.ID + "/" + l.Name; seen[key] {
			t.Errorf("two laws %s", key)
		} else {
			seen[key] = true
		}
		if !slices.ContainsFunc(Of(l.ID), func(o Law) bool { return o.Name == l.Name }) {
			t.Errorf("%s does not list %s", l.ID, l.Name)
		}
	}
}

// TestLawsRepeatThemselves: the same choices give the same measure, bit for bit.
func TestLawsRepeatThemselves(t *testing.T) {
	for _, l := range All() {
		var first []Outcome
		for range 2 {
			ch := sample.NewStream(7, l.ID+l.Name)
			var got []Outcome
			for range 3 {
				o, err := l.Check(context.Background(), ch)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o)
			}
			if first == nil {
				first = got
			} else if !slices.Equal(first, got) {
				t.Errorf("%s/%s: %v, then %v", l.ID, l.Name, first, got)
			}
		}
	}
}

// TestLawsStopWithTheContext: a cancelled check is an error of the context, not a finding.
func TestLawsStopWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, l := range Of("thm1") {
		if o, err := l.Check(ctx, sample.NewStream(1, "cancelled")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, %v", l.Name, o, err)
		}
	}
}
