package method

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// resumable are configurations that between them have every kind of tensor.
func resumable(tb testing.TB) map[string]Config {
	return map[string]Config{
		"mlp byol float32":       variant(tb, small(), BYOL, func(c *Config) { c.Predictor.Kind, c.Predictor.Hidden = MLP2P, 7 }),
		"mlp directpred float64": variant(tb, small(), DirectPred, float64ed, func(c *Config) { c.Direct.Freq = 3 }),
		"linear simsiam":         LinearGaussian(),
		"smallconv nopredictor":  variant(tb, smallConv(), NoPredictor),
	}
}

func TestResumedRunContinuesBitForBit(t *testing.T) {
	e := cpu(t)
	for name, c := range resumable(t) {
		t.Run(name, func(t *testing.T) {
			src := views(c, 3)
			whole := open(t, e, c, 2)
			train(t, whole, src, 5)
			file := filepath.Join(t.TempDir(), "a.bin")
			if err := whole.Save(file); err != nil {
				t.Fatal(err)
			}
			want := train(t, whole, src, 5)

			half, err := Resume(e, file, c, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer half.Close()
			if half.Done() != 5 || half.Seed() != 2 || half.Config().Hash() != c.Hash() {
				t.Fatalf("resumed at step %d with seed %d", half.Done(), half.Seed())
			}
			got := train(t, half, src, 5)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("loss %d after resuming is %v, want %v", i, got[i], want[i])
				}
			}
			sameBits(t, "after resuming", dump(t, whole), dump(t, half))
		})
	}
}

// TestSaveIsAFunctionOfTheState: two runs of one seed leave the same bytes.
func TestSaveIsAFunctionOfTheState(t *testing.T) {
	e := cpu(t)
	var files [2][]byte
	for i := range files {
		tr := open(t, e, small(), 2)
		train(t, tr, views(small(), 3), 4)
		f := filepath.Join(t.TempDir(), "a.bin")
		if err := tr.Save(f); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = b
		if left, err := os.ReadDir(filepath.Dir(f)); err != nil || len(left) != 1 {
			t.Errorf("saving left %v, %v in the folder", left, err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two runs of one seed saved different bytes")
	}
}

func TestBadCheckpointsAreRefused(t *testing.T) {
	e := cpu(t)
	c := small()
	tr := open(t, e, c, 2)
	train(t, tr, views(c, 3), 2)
	dir := t.TempDir()
	file := filepath.Join(dir, "good.bin")
	if err := tr.Save(file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head := len(checkpointMagic) + 2
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	longer := bytes.Clone(good)
	binary.LittleEndian.PutUint64(longer[head:], 1<<62)
	for _, x := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"foreign", []byte("PK\x03\x04 something else\n"), "not a checkpoint"},
		{"magic only", []byte(checkpointMagic), "not a checkpoint"},
		{"future", bytes.Replace(good, []byte("version 1\n"), []byte("version 9\n"), 1), `version "9", this program reads "1"`},
		{"cut in the lengths", good[:head+7], "truncated"},
		{"cut in the header", good[:head+40], "truncated"},
		{"cut in the payload", good[:len(good)-500], "truncated"},
		{"cut by one byte", good[:len(good)-1], "truncated"},
		{"longer", append(bytes.Clone(good), 0), "1 bytes after its end"},
		{"absurd length", longer, "truncated or changed"},
		{"header flipped", flip(head + 30), "changed"},
		{"payload flipped", flip(len(good) / 2), "changed"},
		{"trailer flipped", flip(len(good) - 1), "changed"},
	} {
		f := filepath.Join(dir, "bad.bin")
		if err := os.WriteFile(f, x.data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Load(e, f)
		var bad *CheckpointError
		if !errors.As(err, &bad) || got != nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), f) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v; want a *CheckpointError with the file and %q", x.name, got, err, x.want)
		}
	}
	if _, err := Load(e, filepath.Join(dir, "none.bin")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.bin") {
		t.Errorf("missing file: %v", err)
	}

	other := c
	other.Optimizer.LearningRate = 0.06
	for _, x := range []struct {
		cfg  Config
		seed uint64
		want string
	}{
		{other, 2, "field optimizer.lr is 0.05 there and 0.06 here"},
		{variant(t, c, DirectPred), 2, "field direct is absent there and {"},
		{c, 3, "it belongs to seed 2, not 3"},
	} {
		got, err := Resume(e, file, x.cfg, x.seed)
		var bad *CheckpointError
		if !errors.As(err, &bad) || got != nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("resuming another run: %v, %v; want %q", got, err, x.want)
		}
	}
}

// TestEveryFlippedBitIsNoticed samples the file densely enough to hit each part.
func TestEveryFlippedBitIsNoticed(t *testing.T) {
	e := cpu(t)
	c := variant(t, small(), SimSiam, func(c *Config) { c.Net.Hidden, c.Net.Projector, c.Net.Out = []int{2}, nil, 2 })
	tr := open(t, e, c, 2)
	file := filepath.Join(t.TempDir(), "a.bin")
	if err := tr.Save(file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := range good {
		b := bytes.Clone(good)
		b[at] ^= 1 << (at % 8)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readCheckpoint(file); err == nil {
			t.Fatalf("a bit flipped in byte %d of %d is not noticed", at, len(good))
		}
	}
}

func TestFailedSaveLeavesTheOldFile(t *testing.T) {
	e := cpu(t)
	tr := open(t, e, small(), 2)
	dir := t.TempDir()
	if err := tr.Save(filepath.Join(dir, "no such folder", "a.bin")); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("saving to a missing folder: %v", err)
	}
	// A folder in the file's place makes the rename fail after the writing.
	file := filepath.Join(dir, "a.bin")
	if err := os.MkdirAll(filepath.Join(file, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := tr.Save(file); err == nil {
		t.Error("saving over a folder succeeded")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("a failed save left %v, %v", left, err)
	}
}
