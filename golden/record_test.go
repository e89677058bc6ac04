package golden

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names returns the sorted names in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// reloaded returns a golden of the fixtures as a recorder would hold it: with the numbers and nothing derived.
func reloaded(t *testing.T, id string) *Golden {
	t.Helper()
	g := load(t, fixtures(t), id)
	g.Bands, g.Rules, g.SHA256, g.Supersedes = nil, nil, "", nil
	return g
}

func TestReplacingAGoldenNeedsAReason(t *testing.T) {
	dir := t.TempDir()
	if _, err := RecordFile(t.Context(), dir, reloaded(t, slideID), RecordOptions{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, slideID+".json")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listed := names(t, dir)

	again := reloaded(t, slideID)
	for _, reason := range []string{"", "  "} {
		if _, err := RecordFile(t.Context(), dir, again, RecordOptions{Reason: reason}); !errors.Is(err, ErrReasonRequired) {
			t.Fatalf("reason %q: %v", reason, err)
		}
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the refused recording touched the golden (%v)", err)
	}

	// Fewer matrices this time: the files that nothing refers to any more must go.
	again = reloaded(t, slideID)
	again.Runs[0].Segment = nil
	rec, err := RecordFile(t.Context(), dir, again, RecordOptions{Reason: "the segment of seed 0 is not needed"})
	if err != nil {
		t.Fatal(err)
	}
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Decode(now)
	if err != nil {
		t.Fatal(err)
	}
	if g.Supersedes == nil || g.Supersedes.FileSHA256 != hexSHA256(before) || !strings.Contains(g.Supersedes.Reason, "seed 0") {
		t.Errorf("supersedes is %+v", g.Supersedes)
	}
	if got := names(t, dir); len(got) != len(listed)-1 || len(rec.Blobs) != len(got)-1 {
		t.Errorf("%d files after replacing, %d before, %d matrix files written", len(got), len(listed), len(rec.Blobs))
	}
	if _, err := Verify(os.DirFS(dir)); err != nil {
		t.Error(err)
	}
}

func TestRecordingIsDeterministic(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if _, err := RecordFile(t.Context(), dir, statisticsFixture(t, slideID), RecordOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names(t, a) {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs between two recordings (%v, %v)", name, errX, errY)
		}
	}
}

func TestNothingIsWrittenWhenRecordingIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		id     string
		change func(g *Golden)
		opts   RecordOptions
		want   string // in the error
	}{
		{"dirty tree", slideID, func(g *Golden) { g.Provenance.Dirty = true }, RecordOptions{}, "uncommitted changes"},
		{"id with a slash", slideID, func(g *Golden) { g.ID = "a/b" }, RecordOptions{}, "is no id"},
		{"id upwards", slideID, func(g *Golden) { g.ID = ".." }, RecordOptions{}, "is no id"},
		{"broken identity", slideID, func(g *Golden) { entry(g, 0, true, 211, TensorWp).Data[8] += 0.1 }, RecordOptions{}, "rule directpred"},
		{"NaN", slideID, func(g *Golden) { g.Runs[0].Final["er"] = nan() }, RecordOptions{}, "NaN"},
		{"seed beyond 2^53", slideID, func(g *Golden) { g.Runs[4].Seed = 1<<53 + 1 }, RecordOptions{}, "runs[4].seed: the integer 9007199254740993"},
		{"NaN in a matrix", slideID, func(g *Golden) { entry(g, 0, true, 211, TensorWp).Data[8] = nan() }, RecordOptions{}, "not finite"},
		{"matrix of the wrong size", slideID, func(g *Golden) { w := entry(g, 0, true, 211, TensorWp); w.Data = w.Data[1:] }, RecordOptions{}, "35 numbers"},
		{"unknown number format", slideID, func(g *Golden) { entry(g, 0, true, 211, TensorWp).DType = "f16" }, RecordOptions{}, "unknown dtype"},
		{"gating on too few seeds", slideID, func(g *Golden) { g.Runs = g.Runs[:4] }, RecordOptions{}, "at least 5"},
		{"no config", slideID, func(g *Golden) { g.Config = Config{} }, RecordOptions{}, "NewConfig"},
		{"paired with nothing", directID, func(*Golden) {}, RecordOptions{}, `no golden "mini.simsiam"`},
		{"counterexample without evaluator", witnessID, func(*Golden) {}, RecordOptions{}, "nothing is recorded unchecked"},
		{"parity without recomputation", parityID, func(*Golden) {}, RecordOptions{}, "nothing is recorded unchecked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			g := reloaded(t, c.id)
			c.change(g)
			if _, err := RecordFile(t.Context(), dir, g, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("recording gave %v, want %q", err, c.want)
			}
			if left := names(t, dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestHostNamesAreFoundAsWords(t *testing.T) {
	g := reloaded(t, slideID)
	g.Provenance.Command = "ssh node-07 go run . golden record; ssh vm3.example.org true"
	for host, found := range map[string]bool{
		"node-07": true, "Node-07": true, "node-07.cluster": true, "vm3.example.org": true,
		"node-0": false, "node-08": false, "golden": false, "go": false, "example.org": false, "": false,
	} {
		if err := checkAnonymous(g, host); (err != nil) != found {
			t.Errorf("host %q: %v, want found %t", host, err, found)
		}
	}
}

func nan() float64 { var zero float64; return zero / zero }

func TestADirtyTreeIsRecordedOnlyWhenAllowedAndThenReported(t *testing.T) {
	dir := t.TempDir()
	g := reloaded(t, slideID)
	g.Provenance.Dirty = true
	if _, err := RecordFile(t.Context(), dir, g, RecordOptions{AllowDirty: true}); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(os.DirFS(dir))
	if err != nil || report.Count(Warn) != 1 {
		t.Errorf("%d warnings, %v", report.Count(Warn), err)
	}
}

func TestAnInterruptedRecordingLeavesTheOldGoldenWhole(t *testing.T) {
	dir := t.TempDir()
	if _, err := RecordFile(t.Context(), dir, reloaded(t, slideID), RecordOptions{}); err != nil {
		t.Fatal(err)
	}
	// A folder where the last matrix file should go stops the renaming half-way.
	next := reloaded(t, slideID)
	next.Runs[4].Snapshots.Tensors = next.Runs[4].Snapshots.Tensors[:6]
	probe := t.TempDir()
	rec, err := RecordFile(t.Context(), probe, next, RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(dir, filepath.Base(next.Runs[4].Snapshots.File))
	if err := os.MkdirAll(filepath.Join(blocked, "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	next = reloaded(t, slideID)
	next.Runs[4].Snapshots.Tensors = next.Runs[4].Snapshots.Tensors[:6]
	if _, err := RecordFile(t.Context(), dir, next, RecordOptions{Reason: "fewer"}); err == nil {
		t.Fatalf("recorded over a folder (%v)", rec.File)
	}
	if err := os.RemoveAll(blocked); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("left behind: %s", name)
		}
	}
	if _, err := Verify(os.DirFS(dir)); err != nil {
		t.Errorf("the old golden no longer verifies: %v", err)
	}
}

func TestRecordingAfterTheOtherGoldenChangedIsNoticed(t *testing.T) {
	dir := t.TempDir()
	recordFixtures(t, dir)
	sgd := reloaded(t, simsiamID)
	sgd.NotReproduced = []string{"nothing"}
	if _, err := RecordFile(t.Context(), dir, sgd, RecordOptions{Reason: "a note"}); err != nil {
		t.Fatal(err)
	}
	report, err := fixtureVerifier().VerifyDir(t.Context(), os.DirFS(dir), nil)
	e := refusal(report, ruleClaims)
	if err == nil || e == nil || e.File != directID+".json" || !strings.Contains(e.Error(), "recorded again since") {
		t.Errorf("verification gave %v", err)
	}
	if _, err := RecordFile(t.Context(), dir, reloaded(t, directID), RecordOptions{Reason: "its partner was recorded again"}); err != nil {
		t.Fatal(err)
	}
	if _, err := fixtureVerifier().VerifyDir(t.Context(), os.DirFS(dir), nil); err != nil {
		t.Error(err)
	}
}
