package certify

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/fuzz/campaign"
	"stopgrad/theory/lang"
)

// certificateOf is the certificate of the part called matrix of the examples.
func certificateOf(t *testing.T, o Options) ([]byte, *Outcome) {
	t.Helper()
	_, out := settled(t, claims(t, examples), "large", o)
	text, err := out.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	return text, out
}

func stored(t *testing.T, dir string) *campaign.Results {
	t.Helper()
	r, err := campaign.OpenResults(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestASearchGoesOnFromItsTiles: what is left of the results after a kill at any byte is used, and gives the same
// certificate; whole results are not computed again.
func TestASearchGoesOnFromItsTiles(t *testing.T) {
	dir := t.TempDir()
	want, _ := certificateOf(t, Options{Workers: 2, Results: stored(t, dir)})
	path := filepath.Join(dir, "results.log")
	log, err := os.ReadFile(path)
	if err != nil || bytes.Count(log, []byte("\n")) < 4 {
		t.Fatalf("%d tiles, %v", bytes.Count(log, []byte("\n")), err)
	}
	for _, cut := range []int{0, 1, len(log) / 3, len(log) / 2, len(log) - 1, len(log)} {
		other := t.TempDir()
		if err := os.WriteFile(filepath.Join(other, "results.log"), log[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _ := certificateOf(t, Options{Workers: 3, Results: stored(t, other)}); !bytes.Equal(got, want) {
			t.Errorf("cut at %d of %d bytes: another certificate", cut, len(log))
		}
		after, err := os.ReadFile(filepath.Join(other, "results.log"))
		if err != nil {
			t.Fatal(err)
		}
		if cut == len(log) && !bytes.Equal(after, log) {
			t.Error("finished tiles were computed again")
		}
		if !bytes.HasPrefix(after, log[:cut]) {
			t.Errorf("cut at %d: what was there is gone", cut)
		}
	}
}

// TestPoisonedTilesAreUndecided: a tile that panics ends nothing but itself.
func TestPoisonedTilesAreUndecided(t *testing.T) {
	f := claims(t, examples)
	p := f.Claims[0].Parts[0]
	r, err := lang.Elaborate(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSearcher(r.Context(), r.Goals()[0], nil, newMeter(context.Background(), math.MaxInt))
	if err != nil {
		t.Fatal(err)
	}
	whole := tile{&node{}, 0, s.s.Box(), 0}
	s.begin(0, s.meter)
	s.conditions[0].tape.ops[0].a = 1 << 30
	s.conditions[0].tape.ops[len(s.conditions[0].tape.ops)-1].a = 1 << 30
	if got := (&worker{s, tileNodes}).guarded(context.Background(), whole, s.meter); !strings.Contains(got.reason, "failed") {
		t.Errorf("a tile that panics: %+v", got)
	}
}

// TestForgedTilesAreComputedAgain: a tile that no search writes is not read, and no number of it that takes long to read.
func TestForgedTilesAreComputedAgain(t *testing.T) {
	r, err := lang.Elaborate(claims(t, examples).Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSearcher(r.Context(), r.Goals()[0], nil, newMeter(context.Background(), math.MaxInt))
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{s, tileNodes}
	if len(s.s.Names()) != 3 {
		t.Fatalf("the region has the coordinates %v", s.s.Names())
	}
	for _, good := range []string{"3/7 ?", "3/7 0:1/2 ? interval", "3/7 !1/2,0,-3 ?", "3/7 -0:interval"} {
		if f, ok := w.decode(good); !ok || w.encode(f) != good {
			t.Errorf("%q: %q, %v", good, w.encode(f), ok)
		}
	}
	for _, bad := range []string{"", "3/7", "3 ?", "-3/7 ?", "3/-7 ?", "3/7 ? ?", "3/7 3:1/2 ? ?", "3/7 -1:1/2:? ?", "3/7 0:1/2 ?", "3/7 0:1/0 ? ?",
		"3/7 0:1e999999999 ? ?", "3/7 !1/2,1/2 ?", "3/7 ! ?", "3/7 !1e999999999,0,0 ?"} {
		if _, ok := w.decode(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
}

// TestUndecidedSaysWhatIsLeft: the share and the boxes, and a slab at the end that they lie in.
func TestUndecidedSaysWhatIsLeft(t *testing.T) {
	f := claims(t, `claim t
  size n
  scalar eta
  matrix S : n x n symmetric
  says sixth: S^2 - S + 3/2*eta*I pd
    for n = 2, eta in (1/6, 1], S in [-1, 1]
`)
	p, out := settled(t, f, "sixth", Options{Nodes: 2_000})
	share, boxes := out.Left()
	if out.Verdict.IsDecided() || share <= 0 || share > 0.2 || boxes == 0 || !strings.Contains(out.Say(), "undecided on") {
		t.Fatal(out.Say())
	}
	slab, ok := out.Slab()
	if !ok || slab.Name != "eta" || slab.End.RatString() != "1/6" {
		t.Fatalf("%+v, %v", slab, ok)
	}
	less, err := f.Over(f.Claims[0], p, slab.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := Region(context.Background(), less, Options{}); err != nil || !out.Verdict.IsCertified() {
		t.Errorf("without the slab: %v, %v", out.Say(), err)
	}
}
