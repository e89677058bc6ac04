package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var head = []byte("{\n  \"seed\": 1\n}\n")

func payload(k int) []byte { return fmt.Appendf(nil, "result of tile %d: %d", k, k*k) }

// filled makes a store of n tiles in a new folder and returns the folder and the log.
func filled(t testing.TB, n int) (dir string, log []byte) {
	t.Helper()
	dir = t.TempDir()
	s, err := Open(dir, head)
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		if err := s.Append(k, payload(k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	log, err = os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, log
}

func rewrite(t testing.TB, dir string, log []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, logName), log, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestStoreSurvivesBeingCutAtAnyByte cuts the log at every length, as a killed process may leave it. What was
// finished before the cut must be there, nothing else, and the store must be usable.
func TestStoreSurvivesBeingCutAtAnyByte(t *testing.T) {
	const n = 6
	dir, log := filled(t, n)
	for cut := 0; cut <= len(log); cut++ {
		rewrite(t, dir, log[:cut])
		whole := bytes.Count(log[:cut], []byte("\n"))
		s, err := Open(dir, head)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		for k := range n {
			p, ok := s.Done(k)
			if ok != (k < whole) || ok && !bytes.Equal(p, payload(k)) {
				t.Fatalf("cut at %d: tile %d: %q, %v", cut, k, p, ok)
			}
			if !ok {
				if err := s.Append(k, payload(k)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, logName)); !bytes.Equal(got, log) {
			t.Fatalf("cut at %d: the completed log differs", cut)
		}
	}
}

// TestStoreDropsDamagedLines flips bits of every byte of the log in turn: the line that it is in is lost, or
// merges with the next, and no wrong result is ever returned. (Bit 5 of a hexadecimal letter is its case, which
// says nothing.)
func TestStoreDropsDamagedLines(t *testing.T) {
	const n = 3
	dir, log := filled(t, n)
	for i := range log {
		for _, bit := range []int{0, 2, 7} {
			bad := bytes.Clone(log)
			bad[i] ^= 1 << bit
			rewrite(t, dir, bad)
			s, err := Open(dir, head)
			if err != nil {
				t.Fatal(err)
			}
			if s.Dropped == 0 {
				t.Fatalf("byte %d, bit %d: the damage went unnoticed", i, bit)
			}
			for k := range n {
				if p, ok := s.Done(k); ok && !bytes.Equal(p, payload(k)) {
					t.Fatalf("byte %d, bit %d: tile %d is %q", i, bit, k, p)
				}
			}
			if len(s.done) > n || len(s.done) < n-2 {
				t.Fatalf("byte %d, bit %d: %d tiles left", i, bit, len(s.done))
			}
			s.Close()
		}
	}
}

func TestStoreRefusesAnotherCampaign(t *testing.T) {
	dir, log := filled(t, 2)
	_, err := Open(dir, []byte("{\n  \"seed\": 2\n}\n"))
	if !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), `it has "seed": 1, asked for is "seed": 2`) {
		t.Errorf("%v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, logName)); !bytes.Equal(got, log) {
		t.Error("the refused store was changed")
	}
	stray := t.TempDir()
	rewrite(t, stray, log)
	if _, err := Open(stray, head); !errors.Is(err, ErrOther) {
		t.Errorf("a log without a header: %v", err)
	}
}

// TestTwoProcessesMayShareAStore: tiles that both computed are the same, and appear once.
func TestTwoProcessesMayShareAStore(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(dir, head)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir, head)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 5 {
		if err := errors.Join(a.Append(k, payload(k)), b.Append(k, payload(k))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, head)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.done) != 5 || s.Dropped != 0 {
		t.Errorf("%d tiles, %d dropped", len(s.done), s.Dropped)
	}
}

func TestWriteFileLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	// A folder in the way cannot be replaced by a rename.
	if err := os.MkdirAll(filepath.Join(dir, "y", "z"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "y"), []byte("x")); err == nil {
		t.Error("wrote over a folder")
	}
	entries, _ := os.ReadDir(dir)
	if got, _ := os.ReadFile(path); string(got) != "two" || len(entries) != 2 {
		t.Errorf("%q, %v", got, entries)
	}
}
