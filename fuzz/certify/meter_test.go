package certify

import (
	"context"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

// hopeless are statements that hold, of which no search of boxes gets far: many coordinates, long expressions, many conditions.
const hopeless = `claim t
  size n
  matrix W, V : n x n
  scalar a, b, c, d, e, f, g, h, i, j
  says powers: (W+V)^8 - (W+V)^4*(V+W)^4 within [-1, 1]
    for n = 4, W in [-1, 1], V in [-1, 1]
  says mean: (a+b+c+d+e+f+g+h+i+j)^2 <= 10*(a^2+b^2+c^2+d^2+e^2+f^2+g^2+h^2+i^2+j^2) + 1/1000
    for a in [-1, 1], b in [-1, 1], c in [-1, 1], d in [-1, 1], e in [-1, 1], f in [-1, 1], g in [-1, 1], h in [-1, 1], i in [-1, 1], j in [-1, 1]
`

// TestWorkEndsASearch: a search ends when its work is used up, says so, and is the same for any number of workers; a statement
// that takes less stays certified, by the same boxes, and is open with less than it takes.
func TestWorkEndsASearch(t *testing.T) {
	f := claims(t, hopeless)
	for _, name := range []string{"powers", "mean"} {
		first := ""
		for _, workers := range []int{1, 4} {
			_, out := settled(t, f, name, Options{Work: 20_000_000, Workers: workers})
			r := out.Results[0]
			if out.Verdict.IsDecided() || r.Work > 20_000_000 || !strings.Contains(out.Say(), "the search is open: more than 20000000 operations") {
				t.Errorf("%s: %d operations: %.300s", name, r.Work, out.Say())
			}
			if first == "" {
				first = out.Say()
			}
			if out.Say() != first {
				t.Errorf("%s: %d workers say something else", name, workers)
			}
		}
	}
	f = claims(t, examples)
	_, enough := settled(t, f, "matrix", Options{})
	work := enough.Results[0].Work
	want, err := enough.Certificate("t")
	if err != nil || !enough.Verdict.IsCertified() {
		t.Fatalf("%s, %v", enough.Say(), err)
	}
	_, out := settled(t, f, "matrix", Options{Work: 30 * work, Workers: 2})
	if got, err := out.Certificate("t"); err != nil || string(got) != string(want) {
		t.Errorf("with thirty times what it takes: %s, %v", out.Say(), err)
	}
	for _, share := range []int{work / 2, work / 20, 1} {
		first := ""
		for _, workers := range []int{1, 3} {
			_, out := settled(t, f, "matrix", Options{Work: share, Workers: workers})
			if out.Verdict.IsDecided() || !strings.Contains(out.Say(), "the search is open") {
				t.Errorf("%d of %d operations: %s", share, work, out.Say())
			}
			if first == "" {
				first = out.Say()
			}
			if out.Say() != first {
				t.Errorf("%d of %d operations: %d workers say something else", share, work, workers)
			}
		}
	}
}

// TestPartialsInPieces: the gradient is the same whatever is held at a time.
func TestPartialsInPieces(t *testing.T) {
	f := claims(t, examples)
	r, err := lang.Elaborate(f.Claims[0].Parts[6])
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(context.Background(), 1_000_000_000)
	s, err := newSearcher(r.Context(), r.Goals()[0], nil, m)
	if err != nil {
		t.Fatal(err)
	}
	many := 0
	for i := range s.conditions {
		s.begin(i, m)
		c := s.conditions[i].tape
		for k := range s.box {
			s.box[k] = span{float64(k) / 7, float64(k)/7 + 1}
		}
		c.values(s.box, m)
		whole := c.gradient(m)
		for k := range whole {
			if got := c.partials(k, k+1, m); len(got) != 1 || got[0] != whole[k] {
				t.Errorf("condition %d, derivative %d: %v and %v", i, k, got, whole[k])
			}
		}
		many = max(many, len(whole))
	}
	if many < 3 {
		t.Errorf("no more than %d derivatives", many)
	}
}
