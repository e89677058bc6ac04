package pursuit

import (
	"context"
	"os"
	"testing"

	"stopgrad/fuzz/optimise"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

func effort(restart int) Effort {
	return Effort{optimise.Effort{Scan: 120, Starts: 2, Global: 90, Local: 60, Restart: restart}, 300, 1_000_000}
}

// failing are the statements of the paper over time that fail along a motion.
var failing = []string{"basin/collapses", "basin/grows", "beta-tau/tends", "skew-vanishes/increasingly", "thm3-alignment/parting"}

// TestPursuitFindsMotions searches afresh for the motions that refute the paper's readings, all of them with STOPGRAD_LONG.
func TestPursuitFindsMotions(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	names := failing[:3]
	if os.Getenv("STOPGRAD_LONG") != "" {
		names = failing
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			name := c.ID + "/" + p.Name
			for _, n := range names {
				if n != name {
					continue
				}
				r := Search(context.Background(), p, 1, name, effort(3))
				if r.Refutation == nil || !r.Refutation.Verdict().IsRefuted() || !r.Refutation.Trajectory().Valid() {
					t.Errorf("%s: no motion: nearest %g, %v", name, r.Nearest, r.Err)
					continue
				}
				again := Search(context.Background(), p, 1, name, effort(3))
				if again.Refutation == nil || again.Refutation.Trajectory().State().String() != r.Refutation.Trajectory().State().String() {
					t.Errorf("%s: the search depends on more than its seed", name)
				}
			}
		}
	}
}

// TestPursuitKnowsItsStatements: what is true is not refuted, and what is not over time is not looked at.
func TestPursuitKnowsItsStatements(t *testing.T) {
	for _, c := range []struct {
		text string
		able bool
	}{
		{"  scalar x > 0\n  flow\n    x' = -x\n  says s: x vanishes\n", true},
		{"  scalar x\n  flow\n    x' = -x\n  says s: always x <= 1\n    assume start h: x <= 1\n    assume start k: x >= 0\n", true},
		{"  scalar x\n  flow\n    x' = -x\n  says s: x <= 1\n    assume start h: x <= 1\n    assume start k: x >= 0\n", true},
		{"  scalar x\n  flow\n    x' = -x\n  says s: x <= 1\n    assume h: x <= 1\n", false},
		{"  scalar x\n  flow\n    x' = -x\n  says s: |x| decays at rate 1\n", false},
		{"  scalar x\n  map\n    x+ = x/2\n  says s: x vanishes\n", false},
	} {
		f, err := lang.Parse(lang.Source{Name: "test.claim", Text: "claim test\n  title t\n  printed p\n" + c.text})
		if err != nil {
			t.Fatal(err)
		}
		p := f.Claims[0].Parts[0]
		if Able(p) != c.able {
			t.Errorf("able is %v: %s", Able(p), c.text)
		}
		r := Search(context.Background(), p, 1, "test", Effort{optimise.Effort{Scan: 30, Starts: 1, Global: 20, Local: 10, Restart: 1}, 50, 1_000_000})
		if r.Refutation != nil {
			t.Errorf("a true statement is refuted: %s: %s", c.text, r.Refutation.Reason())
		}
		if !c.able && r.Err == nil {
			t.Errorf("the search does not say that it cannot: %s", c.text)
		}
	}
}

// TestPursuitEndsWithItsWork ends searches at any point of their work: none panics, little work finds nothing, and a motion
// that has been found is confirmed whatever is left.
func TestPursuitEndsWithItsWork(t *testing.T) {
	// From y = 0 the motion rests at x = 1.
	text := "claim test\n  title t\n  printed p\n  scalar x, y\n  flow\n    x' = x*(1 - x)\n    y' = -y\n  says s: x + y vanishes\n"
	f, err := lang.Parse(lang.Source{Name: "test.claim", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	found, lost := 0, 0
	for work := 1; work < 1_000_000; work += 1 + work/3 {
		e := effort(1)
		e.Work = work
		if r := Search(context.Background(), f.Claims[0].Parts[0], 1, "test", e); r.Refutation != nil {
			found++
		} else {
			lost++
		}
	}
	if found == 0 || lost == 0 {
		t.Errorf("found at %d bounds and not at %d", found, lost)
	}
}

// TestMotionsThatRunAway: a motion that grows beyond all bounds is followed to where it fails first, not to where nothing encloses
// it; what holds as long as it lasts is not refuted.
func TestMotionsThatRunAway(t *testing.T) {
	const head = "claim c\n  scalar x\n  flow\n    x' = x^2\n"
	for says, fails := range map[string]bool{
		"  says s: always x <= 100\n    assume start h: x <= 1\n":                           true,
		"  says s: always x <= 10^6\n    assume start h: x <= 1\n":                          true,
		"  says s: always x >= 0\n    assume start h: x >= 0\n":                             false,
		"  says s: always x <= 100\n    assume start h: x <= 1\n    assume k: x <= 100\n":   false,
		"  says s: always x <= 100\n    assume start h: x <= 1\n    assume k: x <= 200\n":   true,
		"  says s: always x^2 <= 100\n    assume start h: x <= 0\n    assume k: x >= -10\n": false,
	} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: head + says})
		if err != nil {
			t.Fatal(err)
		}
		r := Search(context.Background(), f.Claims[0].Parts[0], 1, "s", effort(3))
		if (r.Refutation != nil) != fails {
			t.Errorf("%s refuted %t: nearest %g, %v", says, r.Refutation != nil, r.Nearest, r.Err)
		}
	}
}

// TestMotionsUnderInputs: an input may keep any value that the hypotheses allow it, not 0 alone.
func TestMotionsUnderInputs(t *testing.T) {
	for text, fails := range map[string]bool{
		"  scalar x\n  input u\n  flow\n    x' = u - x\n  says s: always x <= 1/2\n    assume start h: x <= 1/4\n    assume always k: u <= 1\n":            true,
		"  scalar x\n  input u > 0\n  flow\n    x' = u - x\n  says s: always x <= 1/2\n    assume start h: x <= 1/4\n":                                     true,
		"  scalar x\n  input u\n  flow\n    x' = u - x\n  says s: always x <= 1/2\n    assume start h: x <= 1/4\n    assume always k: u <= 1/2\n":          false,
		"  size n\n  matrix A : n x n symmetric\n  input B : n x n\n  flow\n    A' = B + B^T - A\n  says s: always A + I psd\n    assume start h: A psd\n": true,
	} {
		f, err := lang.Parse(lang.Source{Name: "test.claim", Text: "claim test\n  title t\n  printed p\n" + text})
		if err != nil {
			t.Fatal(err)
		}
		if r := Search(context.Background(), f.Claims[0].Parts[0], 1, "test", effort(1)); (r.Refutation != nil) != fails {
			t.Errorf("refuted %v, fails %v: %s", r.Refutation != nil, fails, text)
		}
	}
}

// TestCornersOfRegions: where a bound is left from one corner of a region alone, a search of next to no effort finds it.
func TestCornersOfRegions(t *testing.T) {
	const text = "claim c\n  title t\n  scalar p, s, eta\n  flow\n    p' = s*(1 - p) - eta*p\n    s' = 2*p*s*(1 - p) - 2*eta*s\n  says growth: always s > 1/20\n    for eta in [1/10, 1/10], p in [0, 1], s in "
	for region, fails := range map[string]bool{"[1/18, 1]": true, "[1/10, 1]": false} {
		f, err := lang.Parse(lang.Source{Name: "c.claim", Text: text + region + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		r := Search(context.Background(), f.Claims[0].Parts[0], 1, "c", Effort{Optimise: optimise.Effort{Scan: 1}, Minimise: 50, Work: 100_000})
		if (r.Refutation != nil) != fails {
			t.Errorf("s in %s: %+v", region, r)
		}
	}
}
