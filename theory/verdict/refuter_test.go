package verdict_test

import (
	"math/big"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/eval"
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

// TestSidesFail: the numbers that are shown with a refutation are those at which the statement fails; of an orbit along which it
// holds at first they are in the reason. They stand as the statement is printed: 1 >= x.
func TestSidesFail(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "c", Text: `claim c
  title t
  printed nowhere
  scalar x
  scalar a
  map
    x+ = x + a
  says later: always x <= 1 over steps
    assume start h: x <= 1
  says first: always x <= 1 over steps
  says state: x <= 1
`})
	if err != nil {
		t.Fatal(err)
	}
	at := func(x int64) verdict.Witness {
		return verdict.Witness{Vals: map[string]eval.Matrix[*big.Rat]{"x": eval.ScalarOf(big.NewRat(x, 1)), "a": eval.ScalarOf(big.NewRat(2, 1))}}
	}
	for name, c := range map[string]struct {
		x           int64
		left, right string
	}{"later": {0, "", ""}, "first": {3, "1", "3"}, "state": {3, "1", "3"}} {
		r, err := verdict.Refute(part(t, f, name), at(c.x))
		if err != nil || !r.Verdict().IsRefuted() {
			t.Errorf("%s: %v, %v", name, r, err)
			continue
		}
		if left, right, ok := r.Sides(); left != c.left || right != c.right || ok != (left != "") {
			t.Errorf("%s: %s and %s, because %s", name, left, right, r.Reason())
		}
	}
}

func part(t *testing.T, f *lang.File, name string) *lang.Part {
	t.Helper()
	for _, p := range f.Claims[0].Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatal("no part", name)
	return nil
}
