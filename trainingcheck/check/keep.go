package check

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Keep is where an unfinished run is kept: after every look and on cancellation the file Name.unfinished in Dir, and
// beside it the trainer's checkpoint it names. Runs that obey a law of every step are short and are not kept.
type Keep struct {
	Dir, Name string
	// Identity is a hash of everything that decides the run's numbers. What was kept under another one is left out.
	Identity string
	// Notes points to what the watcher itself must remember, for package gob; it is restored before the run goes on.
	Notes any
}

// unfinished is the file of a run; the notes follow it.
type unfinished struct {
	Identity   string
	Checkpoint string // file name
	Loss       float64
	Outcome    *Outcome
}

func (k *Keep) file() string { return filepath.Join(k.Dir, k.Name+".unfinished") }

// keep saves the run as it stands.
func (r *run) keep() (err error) {
	k := r.watch.Keep
	if k == nil || r.law != nil || r.replay != nil || r.t.Done() == 0 {
		return nil
	}
	old, _ := k.read()
	o := *r.o
	o.Seconds += time.Since(r.start).Seconds()
	x := unfinished{Identity: k.Identity, Checkpoint: fmt.Sprintf("%s.step%d.checkpoint", k.Name, r.t.Done()), Loss: r.loss, Outcome: &o}
	if err := r.t.Save(filepath.Join(k.Dir, x.Checkpoint)); err != nil {
		return err
	}
	f, err := os.CreateTemp(k.Dir, ".unfinished-*")
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	g := gob.NewEncoder(f)
	if err = g.Encode(x); err == nil && k.Notes != nil {
		err = g.Encode(k.Notes)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), k.file())
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("check: %w", err)
	}
	if old != nil && old.Checkpoint != x.Checkpoint {
		return k.drop(old.Checkpoint)
	}
	return nil
}

// read returns what is kept under any identity, without the notes.
func (k *Keep) read() (*unfinished, *gob.Decoder) {
	text, err := os.ReadFile(k.file())
	if err != nil {
		return nil, nil
	}
	d := gob.NewDecoder(bytes.NewReader(text))
	var x unfinished
	if d.Decode(&x) != nil || x.Outcome == nil || filepath.Base(x.Checkpoint) != x.Checkpoint {
		return nil, nil
	}
	return &x, d
}

// resume returns the trainer of the run that is kept, having restored r, or nil if there is none that can go on.
func (k *Keep) resume(e *engine.Engine, r *run) (*method.Trainer, error) {
	if k == nil {
		return nil, nil
	}
	x, rest := k.read()
	if x == nil || x.Identity != k.Identity {
		return nil, nil
	}
	file := filepath.Join(k.Dir, x.Checkpoint)
	if _, err := os.Stat(file); err != nil {
		return nil, nil
	}
	if k.Notes != nil && rest.Decode(k.Notes) != nil {
		return nil, fmt.Errorf("check: %s is damaged; remove it to begin the run anew", k.file())
	}
	t, err := method.Resume(e, file, r.o.Config, r.o.Seed)
	if err != nil {
		return nil, err
	}
	final := r.o.Final
	r.o, r.loss = x.Outcome, x.Loss
	r.o.Final = final
	return t, nil
}

// remove removes what is kept of a run that is finished.
func (k *Keep) remove() error {
	if k == nil {
		return nil
	}
	x, _ := k.read()
	if x == nil {
		return nil
	}
	return errors.Join(k.drop(x.Checkpoint), k.drop(filepath.Base(k.file())))
}

func (k *Keep) drop(name string) error {
	if err := os.Remove(filepath.Join(k.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("check: %w", err)
	}
	return nil
}
