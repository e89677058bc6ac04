package theory

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

// discrete judges the parts of one claim of a text over the built-in systems, and lists what is left open: a part that
// is neither proved nor refuted, a script that does not replay, a twin that stands.
func discrete(t *testing.T, text, id string) (open []string, proved int) {
	t.Helper()
	srcs, err := Sources()
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(append(srcs, lang.Source{Name: "discrete.claim", Text: text})...)
	if err != nil {
		t.Fatal(err)
	}
	c := f.Claim(id)
	if c == nil {
		t.Fatalf("there is no claim %s", id)
	}
	for _, p := range c.Parts {
		r := JudgePart(context.Background(), f, c, p, Options{Seed: 1, Budget: 200})
		name := c.ID + "/" + p.Name
		switch {
		case r.Verdict.IsProved():
			proved++
		case !r.Verdict.IsRefuted():
			open = append(open, fmt.Sprintf("%s is %s: %v", name, r.Verdict, r.Proof.Failure()))
		}
		if err := r.Proof.Script(); err != nil {
			open = append(open, fmt.Sprintf("the script of %s: %v", name, err))
		}
		for _, w := range r.Twins {
			if w.Err != nil || !w.Verdict.IsRefuted() {
				open = append(open, fmt.Sprintf("the twin of %s, %s, is %s: %v", name, w.Twin, w.Verdict, w.Err))
			}
		}
	}
	return open, proved
}

// TestDiscreteTime decides the claims about every step of gradient descent: without a predictor, with a moving-average
// target, with momentum, and of DirectPred.
func TestDiscreteTime(t *testing.T) {
	b, err := os.ReadFile("testdata/discrete.claim")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, id := range []string{"gd-nopredictor", "gd-ema", "gd-ema-mode", "gd-heavyball", "gd-directpred"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			open, proved := discrete(t, text, id)
			for _, o := range open {
				t.Error(o)
			}
			if proved == 0 {
				t.Error("nothing is proved")
			}
		})
	}
	// A script that breaks, a twin that cannot be refuted and a statement that nothing decides are seen.
	const small = `claim small
  title t
  printed nowhere
  scalar m >= 0, < 1
  scalar x
  map
    x+ = m*x
  says rate: x evolves by factor m
    proof
      fact step: next(x) == m*x by expand
      integrate step
    twin "factor m" -> "factor m^2"
`
	if open, proved := discrete(t, small, "small"); len(open) > 0 || proved != 1 {
		t.Errorf("%d proved, and %v", proved, open)
	}
	for old, change := range map[string]string{
		"== m*x by":       "== m^2*x by",
		`-> "factor m^2"`: `-> "factor m + 0"`,
		"    proof\n":     "    assume apart: x != x\n    proof\n",
	} {
		if open, _ := discrete(t, strings.Replace(small, old, change, 1), "small"); len(open) == 0 {
			t.Errorf("%q in place of %q leaves nothing open", change, old)
		}
	}
}
