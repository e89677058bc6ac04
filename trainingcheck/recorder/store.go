package recorder

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stopgrad/golden"
	"stopgrad/trainingcheck/data"
)

// finished is a run in the work folder.
type finished struct {
	Identity string // hash of everything that decides its numbers
	Run      golden.Run
	Seconds  float64
}

// store is the work folder.
type store struct{ dir string }

// open makes the folder. It hides itself from git, so that a recording that was interrupted in a clean tree goes on in a
// clean one.
func (s store) open() error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return write(filepath.Join(s.dir, ".gitignore"), []byte("*\n"))
}

func (s store) file(name string) string { return filepath.Join(s.dir, name+".run") }

// load returns the run of a name, or nil if there is none of this identity. A damaged file is as good as none.
func (s store) load(name, identity string) *finished {
	f, err := os.Open(s.file(name))
	if err != nil {
		return nil
	}
	defer f.Close()
	var x finished
	if err := gob.NewDecoder(f).Decode(&x); err != nil || x.Identity != identity {
		return nil
	}
	return &x
}

func (s store) save(name string, x *finished) error {
	f, err := os.CreateTemp(s.dir, ".run-*")
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	err = gob.NewEncoder(f).Encode(x)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), s.file(name))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("recorder: %w", err)
	}
	return nil
}

// remove empties and removes the folder, as far as the files are its own.
func (s store) remove() error {
	names, err := filepath.Glob(filepath.Join(s.dir, "*.run"))
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	for _, name := range append(names, filepath.Join(s.dir, ".gitignore"), s.dir) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("recorder: %w", err)
		}
	}
	return nil
}

// write replaces a file in one step.
func write(file string, text []byte) error {
	if old, err := os.ReadFile(file); err == nil && string(old) == string(text) {
		return nil
	}
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return nil
}

// identity hashes texts, each with its length, so that the end of one cannot pass for the start of the next.
func identity(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d %s\n", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// identityOfSets hashes the hashes of the training and the test images.
func identityOfSets(d *data.Dataset) string {
	sum := sha256.Sum256([]byte(d.Train.SHA256() + d.Test.SHA256()))
	return hex.EncodeToString(sum[:])
}
