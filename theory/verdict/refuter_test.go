package verdict_test

import (
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// TestRefuterAgrees asks one refuter about more states than share a reading, and a new one about each.
func TestRefuterAgrees(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	refuted := 0
	for _, id := range []string{"lemma1", "fixed-points", "thm3-bound", "assump-ema"} {
		c := f.Claim(id)
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			many, ch := verdict.NewRefuter(p), sample.NewStream(1, id+p.Name)
			for i := range 70 {
				w, err := sample.Draw(ch, p, 1)
				if err != nil {
					continue
				}
				a, errA := many.At(w)
				if i%10 > 0 && i < 60 {
					continue
				}
				b, errB := verdict.Refute(p, w)
				if (errA == nil) != (errB == nil) {
					t.Fatalf("%s/%s: %v and %v", id, p.Name, errA, errB)
				}
				if errA != nil {
					continue
				}
				if a.Verdict() != b.Verdict() || a.Reason() != b.Reason() || a.Undefined() != b.Undefined() {
					t.Fatalf("%s/%s: %s and %s: %s, %s", id, p.Name, a.Verdict(), b.Verdict(), a.Reason(), b.Reason())
				}
				if a.Verdict().IsRefuted() {
					refuted++
				}
			}
		}
	}
	if refuted == 0 {
		t.Error("nothing was refuted")
	}
}
