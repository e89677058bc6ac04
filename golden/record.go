package golden

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RecordOptions says how a golden may be written.
type RecordOptions struct {
	// Reason is required to replace a golden of the same id, and is kept in it.
	Reason string
	// AllowDirty records from a source tree with uncommitted changes; the golden says so.
	AllowDirty bool
	// Verifier is used to check the golden before anything is written; nil is the zero Verifier.
	Verifier *Verifier
}

// Recorded is what RecordFile wrote.
type Recorded struct {
	File     string   // the golden's path
	Blobs    []string // paths of its matrix files
	Bytes    int64    // of all of them
	Outcomes []Outcome
}

// RecordFile completes g with everything that is derived, checks it by every rule, and writes ID.json and its matrix
// files to dir.
//
// The caller sets ID, Kind, Status, Created, Provenance, Config, Runs (with the tensors' data in Snapshots and
// Segment), NotReproduced, the Rule of each band (nil Bands: two-sided for every final metric, if there are MinSeeds
// seeds) and the question of each claim. The rest of g is filled in, and tensors are rounded to their stored format.
//
// It returns an error wrapping ErrReasonRequired or ErrDirty, or an *Error of the rule that the golden breaks, and then
// writes nothing. Files are written beside the old ones and renamed, the golden last, so that an interrupted recording
// leaves the old golden whole.
func RecordFile(ctx context.Context, dir string, g *Golden, opts RecordOptions) (Recorded, error) {
	if !idPattern.MatchString(g.ID) {
		return Recorded{}, refuse("id", "%q is no id (letters, digits, dots, dashes, underscores)", g.ID)
	}
	name := g.ID + ".json"
	if g.Provenance.Dirty && !opts.AllowDirty {
		return Recorded{}, fmt.Errorf("golden: %s: %w", name, ErrDirty)
	}
	old, err := os.ReadFile(filepath.Join(dir, name))
	switch {
	case isNotExist(err):
		g.Supersedes = nil
	case err != nil:
		return Recorded{}, fmt.Errorf("golden: %w", err)
	case strings.TrimSpace(opts.Reason) == "":
		return Recorded{}, fmt.Errorf("golden: %s: %w", name, ErrReasonRequired)
	default:
		g.Supersedes = &Supersedes{FileSHA256: hexSHA256(old), Reason: strings.TrimSpace(opts.Reason)}
	}
	lookup := func(id string) *Golden {
		text, err := readFile(os.DirFS(dir), id+".json")
		if err != nil {
			return nil
		}
		other, err := Decode(text)
		if err != nil {
			return nil
		}
		return other
	}
	files, err := g.complete(lookup)
	if err != nil {
		return Recorded{}, err
	}
	if host, err := os.Hostname(); err == nil {
		if err := checkAnonymous(g, host); err != nil {
			return Recorded{}, err
		}
	}
	verifier := opts.Verifier
	if verifier == nil {
		verifier = new(Verifier)
	}
	outcomes, err := g.settle(ctx, verifier, files, lookup)
	if err != nil {
		return Recorded{}, err
	}
	text, err := g.Encode()
	if err != nil {
		return Recorded{}, err
	}
	files[name] = text
	rec := Recorded{File: filepath.Join(dir, name), Outcomes: outcomes}
	if err := writeAll(dir, name, files, &rec); err != nil {
		return Recorded{}, err
	}
	return rec, removeReplaced(dir, old, files)
}

// complete fills the derived members of g except rules and seal, and returns the matrix files by name.
func (g *Golden) complete(lookup func(string) *Golden) (map[string][]byte, error) {
	g.Schema = Schema
	recipe, err := g.Config.SHA256()
	if err != nil {
		return nil, err
	}
	g.Provenance.RecipeSHA256 = recipe
	slices.SortFunc(g.Runs, func(a, b Run) int {
		if a.Seed != b.Seed {
			if a.Seed < b.Seed {
				return -1
			}
			return 1
		}
		return a.Rerun - b.Rerun
	})
	files := make(map[string][]byte)
	err = g.blobs(func(field string, r *Run, b *Blob) error {
		data, err := encodeBlob(b.Tensors, recipe, r.Seed, r.Rerun)
		if err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.Field = field + ": " + e.Field
			}
			return err
		}
		b.SHA256, b.Bytes = hexSHA256(data), int64(len(data))
		_, what, _ := strings.Cut(field, ".")
		// The hash in the name keeps the old golden's files whole until the new golden is in place.
		b.File = fmt.Sprintf("%s.s%d.r%d.%s.%.8s.bin", g.ID, r.Seed, r.Rerun, what, b.SHA256)
		files[b.File] = data
		return nil
	})
	if err != nil {
		return nil, err
	}
	if g.Kind == Statistics {
		if g.Bands == nil && len(g.seeds()) >= MinSeeds {
			g.Bands = make(map[string]Band)
			for metric := range g.Runs[0].Final {
				g.Bands[metric] = Band{Rule: TwoSided}
			}
		}
		for metric, b := range g.Bands {
			if g.Bands[metric], err = g.DeriveBand(metric, b.Rule); err != nil {
				return nil, err
			}
		}
		for i := range g.Claims {
			if g.Claims[i], err = g.deriveClaim(g.Claims[i], fmt.Sprintf("claims[%d]", i), lookup); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// settle runs the rules on g with its files in memory, fills rules with the names of those that held, and seals it.
func (g *Golden) settle(ctx context.Context, v *Verifier, files map[string][]byte, lookup func(string) *Golden) ([]Outcome, error) {
	g.Rules = []string{}
	var outcomes []Outcome
	for range 2 { // the second time with the list of rules that held
		var err error
		if g.SHA256, err = g.seal(); err != nil {
			return nil, err
		}
		s := &Subject{Context: ctx, File: g.ID + ".json", Golden: g, verifier: v, lookup: lookup,
			read: func(name string) ([]byte, error) {
				if data, ok := files[name]; ok {
					return data, nil
				}
				return nil, fs.ErrNotExist
			}}
		outcomes = s.run()
		g.Rules = g.Rules[:0]
		for _, o := range outcomes {
			if o.State == Fail {
				return nil, o.Err
			}
			if o.State == Unchecked && (o.Rule == ruleCounterexample || o.Rule == ruleParity) {
				return nil, &Error{File: s.File, Rule: o.Rule, Offset: -1, Err: fmt.Errorf("nothing is recorded unchecked: %s", o.Detail)}
			}
			if (o.State == Pass || o.State == Warn) && slices.ContainsFunc(builtin, func(r Rule) bool { return r.Name == o.Rule }) {
				g.Rules = append(g.Rules, o.Rule) // rules of other packages are not this file's to list
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	var err error
	g.SHA256, err = g.seal()
	return outcomes, err
}

// writeAll writes every file under a temporary name, then renames them, the golden last.
func writeAll(dir, last string, files map[string][]byte, rec *Recorded) (err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("golden: %w", err)
	}
	names := make([]string, 0, len(files))
	for name := range files {
		if name != last {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = append(names, last)
	temporary := make(map[string]string, len(files))
	defer func() {
		for _, t := range temporary {
			_ = os.Remove(t) // what was renamed is no longer here
		}
		if err != nil {
			err = fmt.Errorf("golden: %w", err)
		}
	}()
	for _, name := range names {
		t, err := writeTemporary(dir, files[name])
		if t != "" {
			temporary[name] = t
		}
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		target := filepath.Join(dir, name)
		if err := os.Rename(temporary[name], target); err != nil {
			return err
		}
		delete(temporary, name)
		rec.Bytes += int64(len(files[name]))
		if name != last {
			rec.Blobs = append(rec.Blobs, target)
		}
	}
	return nil
}

// writeTemporary writes data to a new file of dir and returns its path, even when it also returns an error.
func writeTemporary(dir string, data []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, ".recording-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// removeReplaced removes the matrix files of the replaced golden that the new one does not have.
func removeReplaced(dir string, old []byte, files map[string][]byte) error {
	g, err := Decode(old)
	if err != nil {
		return nil // no golden was there, or one that names no files we could trust
	}
	var errs []error
	_ = g.blobs(func(_ string, _ *Run, b *Blob) error {
		if _, kept := files[b.File]; !kept && filepath.Base(b.File) == b.File && strings.HasPrefix(b.File, g.ID+".") {
			if err := os.Remove(filepath.Join(dir, b.File)); err != nil && !isNotExist(err) {
				errs = append(errs, fmt.Errorf("golden: %w", err))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}
