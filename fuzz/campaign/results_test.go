package campaign

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestResultsSurviveBeingCutAtAnyByte cuts the file at every length, as a killed process may leave it, and goes on: whole
// lines are there, nothing else is, and what is added is found again.
func TestResultsSurviveBeingCutAtAnyByte(t *testing.T) {
	dir := t.TempDir()
	r, err := OpenResults(dir)
	if err != nil {
		t.Fatal(err)
	}
	const n = 5
	for k := range n {
		if err := r.Put(Key("tile", fmt.Sprint(k)), payload(k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, resultsName)
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut <= len(log); cut++ {
		if err := os.WriteFile(path, log[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Count(log[:cut], []byte("\n"))
		for round := range 2 {
			r, err := OpenResults(dir)
			if err != nil {
				t.Fatal(err)
			}
			for k := range n {
				p, ok := r.Get(Key("tile", fmt.Sprint(k)))
				if want := k < whole || round > 0; ok != want || ok && !bytes.Equal(p, payload(k)) {
					t.Fatalf("cut at %d, round %d: result %d is %q, %v", cut, round, k, p, ok)
				}
				if !ok {
					if err := r.Put(Key("tile", fmt.Sprint(k)), payload(k)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestKeysTellPartsApart: the same letters in other parts are another key.
func TestKeysTellPartsApart(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"ab", "c", ""}, {"", "ab", "c"}, {"2:ab1:c"}} {
		k := Key(parts...)
		if seen[k] {
			t.Errorf("%q has the key of another list", parts)
		}
		seen[k] = true
	}
}
