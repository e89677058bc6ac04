package theory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// rates counts what became of statements, by kind.
type rates map[string]*[4]int // proved, refuted, neither, wrong

func (r rates) count(kind string, v verdict.Verdict, truth int) (wrong bool) {
	for _, k := range []string{kind, "all"} {
		if r[k] == nil {
			r[k] = new([4]int)
		}
		switch {
		case v.IsProved():
			r[k][0]++
		case v.IsRefuted():
			r[k][1]++
		default:
			r[k][2]++
		}
	}
	return truth > 0 && v.IsRefuted() || truth < 0 && v.IsProved() || v == verdict.Contradiction
}

func (r rates) log(t *testing.T, what string) {
	var kinds []string
	for k := range r {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		n := r[k]
		t.Logf("%s, %s: %d proved, %d refuted, %d neither", what, k, n[0], n[1], n[2])
	}
}

// share is the part of all statements that is proved (0) or refuted (1).
func (r rates) share(i int) float64 {
	n := r["all"]
	return float64(n[i]) / float64(n[0]+n[1]+n[2])
}

// quickStates is how many states the audit draws at quick depth.
const quickStates = 200

// TestHeldOut judges true and false statements of the field's shapes that the search was not tuned to, without scripts:
// the files beside the prover, whose true statements are all but a few proved and whose false ones refuted.
func TestHeldOut(t *testing.T) {
	for _, c := range []struct {
		file  string
		truth int
		least float64
	}{{"heldout_true.claim", 1, .95}, {"heldout_false.claim", -1, .98}} {
		path := filepath.Join("prove", "testdata", c.file)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := lang.Parse(lang.Source{Name: c.file, Text: string(b)})
		if err == nil {
			err = Validate(f)
		}
		if err != nil {
			t.Fatal(err)
		}
		r := rates{}
		for _, cl := range f.Claims {
			for _, p := range cl.Parts {
				v := judged(f, cl, p)
				if r.count(cl.ID, v, c.truth) {
					t.Errorf("%s: %s/%s, %s: %s", c.file, cl.ID, p.Name, p.Stmt.Text, v)
				}
				if c.truth > 0 != v.IsProved() || c.truth < 0 != v.IsRefuted() {
					t.Logf("%s: %s/%s, %s: %s", c.file, cl.ID, p.Name, p.Stmt.Text, v)
				}
			}
		}
		r.log(t, c.file)
		if got := r.share(map[int]int{1: 0, -1: 1}[c.truth]); got < c.least {
			t.Errorf("%s: %.3f are decided, expected %.2f", c.file, got, c.least)
		}
	}
}

// TestMadeStatements is the same with statements made from proofs.
func TestMadeStatements(t *testing.T) {
	n := 60
	if os.Getenv("STOPGRAD_LONG") != "" {
		n = 2000
	}
	for _, truth := range []int{1, -1} {
		g := &maker{rng: rand.New(rand.NewPCG(13, uint64(2+truth)))}
		r := rates{}
		for i := range n {
			m := g.make(truth)
			f, c, p := parsed(t, m.text)
			v := judged(f, c, p)
			if r.count(m.kind, v, truth) {
				t.Errorf("statement %d of %s is %s:\n%s", i, m.kind, v, m.text)
			}
			if truth > 0 != v.IsProved() || truth < 0 != v.IsRefuted() {
				t.Logf("statement %d of %s is %s:\n%s", i, m.kind, v, m.text)
			}
		}
		r.log(t, fmt.Sprintf("made with truth %d", truth))
		// README's Limits say what is missed.
		if got := r.share(map[int]int{1: 0, -1: 1}[truth]); got < .95 {
			t.Errorf("%.3f of the statements with truth %d are decided", got, truth)
		}
	}
}

func parsed(t *testing.T, text string) (*lang.File, *lang.Claim, *lang.Part) {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "made", Text: text})
	if err == nil {
		err = Validate(f)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f, f.Claims[0], f.Claims[0].Parts[0]
}

func judged(f *lang.File, c *lang.Claim, p *lang.Part) verdict.Verdict {
	return JudgePart(context.Background(), f, c, p, Options{Seed: 1, Budget: quickStates}).Verdict
}
