package prove

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"stopgrad/theory/lang"
)

// claims parses the built-in claims.
func claims(t testing.TB) *lang.File {
	t.Helper()
	f, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// judge proves a part; elaboration has to succeed.
func judge(t *testing.T, p *lang.Part, o Options) *Outcome {
	t.Helper()
	r, err := lang.Elaborate(p)
	if err != nil {
		t.Errorf("%s: %v", p.Pos, err)
		return &Outcome{}
	}
	return Prove(context.Background(), r, o)
}

// TestScriptsReplay requires that every script of the claims proves its statement, or the consequence of an assumption.
func TestScriptsReplay(t *testing.T) {
	for _, c := range claims(t).Claims {
		for _, p := range c.Parts {
			if p.Stmt == nil || p.Stmt.Kind == lang.Sampled || p.Fault != nil {
				continue
			}
			o := judge(t, p, Options{})
			done := len(o.Theorems()) > 0 || p.Stmt.Kind == lang.Assumption && len(o.Consequence()) > 0
			if done != (len(p.Proof) > 0) {
				t.Errorf("%s/%s: %v", c.ID, p.Name, o.Failure())
			}
			if o.Vacuous().Valid() {
				t.Errorf("%s/%s: vacuous", c.ID, p.Name)
			}
		}
	}
}

// TestTwinsAreNotProved requires that no mutated twin is proved, by its script or by search.
func TestTwinsAreNotProved(t *testing.T) {
	f := claims(t)
	twins := 0
	var spent time.Duration
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			for _, tw := range p.Twins {
				q, err := f.Mutate(c, p, tw)
				if err != nil {
					t.Fatalf("%s/%s: %v", c.ID, p.Name, err)
				}
				if q.Stmt.Kind == lang.Sampled {
					continue
				}
				twins++
				start := time.Now()
				r, err := lang.Elaborate(q)
				if err != nil {
					continue // the twin has no meaning, and so no proof
				}
				o := Prove(context.Background(), r, Options{Search: true})
				took := time.Since(start)
				spent += took
				if took > 100*time.Millisecond {
					t.Logf("%s/%s %s: %v", c.ID, p.Name, tw, took)
				}
				if len(o.Theorems()) > 0 {
					t.Errorf("%s/%s: the twin %s is proved", c.ID, p.Name, tw)
				}
			}
		}
	}
	t.Logf("%d twins, %v", twins, spent)
}

// stripped are parts that the search does not prove without their scripts, and what it lacks.
var stripped = map[string]bool{
	"kappa-windows/states": true, // the square of Wₚ − τ/2a·I is completed in a matrix
}

// TestSearchNeedsNoScripts proves the parts again with their scripts taken away.
func TestSearchNeedsNoScripts(t *testing.T) {
	f := claims(t)
	var spent time.Duration
	had, found := 0, 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if len(p.Proof) == 0 || p.Fault != nil || p.Stmt.Kind == lang.Assumption {
				continue
			}
			had++
			q := *p
			q.Proof = nil
			start := time.Now()
			o := judge(t, &q, Options{Search: true})
			took := time.Since(start)
			spent += took
			if took > 100*time.Millisecond {
				t.Logf("%s/%s: %v", c.ID, p.Name, took)
			}
			name := c.ID + "/" + p.Name
			if len(o.Theorems()) > 0 {
				found++
				if stripped[name] {
					t.Errorf("%s is proved now: take it off the list", name)
				}
			} else if !stripped[name] {
				t.Errorf("%s: %v", name, o.Failure())
			}
		}
	}
	t.Logf("%d of %d; %v", found, had, spent)
}

// TestForms proves, without scripts, the statements of testdata/true.claim, and none of those of testdata/false.claim.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		file string
		want bool
	}{{"true.claim", true}, {"false.claim", false}} {
		b, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		f, err := lang.Parse(lang.Source{Name: c.file, Text: string(b)})
		if err != nil {
			t.Fatal(err)
		}
		for _, cl := range f.Claims {
			for _, p := range cl.Parts {
				o := judge(t, p, Options{Search: true})
				if got := len(o.Theorems()) > 0; got != c.want {
					t.Errorf("%s: %s/%s, %s: proved is %v: %v", c.file, cl.ID, p.Name, p.Stmt.Text, got, o.Failure())
				}
				if o.Vacuous().Valid() {
					t.Errorf("%s: %s/%s is vacuous", c.file, cl.ID, p.Name)
				}
			}
		}
	}
}

// TestUnderOfOddHypotheses: hypotheses that are looked into while the first state is being made.
func TestUnderOfOddHypotheses(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "odd.claim", Text: `claim c
  size n
  scalar x0 > -1, < 1
  scalar x1 >= 0, <= 1
  matrix A0 : n x n psd
  matrix A1 : n x n pd
  matrix A2 : n x n pd
  root r0 > 0 = (x0/(x0 - x0))
  root r1 > 0 = x0
  root r2 > 0 = r1
  let l0 = tr(A2^T)*A1^T
  says p0: (x1 + r2) >= 1/2
    for x0 in (0, 1), A0 in [-1, 1], A1 in [-1, 1], A2 in [-1, 1], n = 2
`})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	th, _, err := Under(context.Background(), r, nil, r.Goals()[0], Options{})
	if th.Valid() != (err == nil) {
		t.Errorf("a theorem %v beside %v", th.Valid(), err)
	}
}

// TestCrossings: zeros of odd order and turns are found, and what that took is spent; a double zero is a turn alone.
func TestCrossings(t *testing.T) {
	spent := 0
	// (x − 1)(x + 2)(x² + 1)(x − 3)² = x⁶ − 5x⁵ + 2x⁴ + 16x³ − 17x² + 21x − 18
	c := []float64{-18, 21, -17, 16, 2, -5, 1}
	zeros, turns := crossings(c, func(n int) { spent += n })
	near := func(xs []float64, want float64) bool {
		return slices.ContainsFunc(xs, func(x float64) bool { return math.Abs(x-want) < 1e-9 })
	}
	if len(zeros) != 2 || !near(zeros, -2) || !near(zeros, 1) || !near(turns, 3) || near(turns, 1) {
		t.Errorf("zeros %v, turns %v", zeros, turns)
	}
	if spent < 1000 || spent > 100_000 {
		t.Errorf("%d operations spent", spent)
	}
}
