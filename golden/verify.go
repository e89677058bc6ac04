package golden

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Report is the result of verifying a folder of goldens.
type Report struct {
	Files []FileReport
	// Strays are files beside the goldens that none of them refers to (README.md excepted).
	Strays []string
}

// FileReport is the result of every rule on one file.
type FileReport struct {
	File     string
	ID       string // empty when the file could not be decoded
	Kind     Kind
	Status   Status
	Outcomes []Outcome
}

// Err returns the failures of all files joined, each an *Error, or nil.
func (r Report) Err() error {
	var errs []error
	for _, f := range r.Files {
		for _, o := range f.Outcomes {
			if o.State == Fail {
				errs = append(errs, o.Err)
			}
		}
	}
	return errors.Join(errs...)
}

// Count returns the number of outcomes in a state.
func (r Report) Count(state State) int {
	n := 0
	for _, f := range r.Files {
		for _, o := range f.Outcomes {
			if o.State == state {
				n++
			}
		}
	}
	return n
}

// Progress tells how far a verification is.
type Progress struct {
	Done, Total int
	File        string // the file just done
}

// maxFileSize bounds the matrix files that are read, maxGoldenSize the goldens, whose tree takes up to fifty times their
// bytes; the largest recorded have a hundred kilobytes.
const (
	maxFileSize   = 64 << 20
	maxGoldenSize = 8 << 20
)

// Verify checks every golden of fsys with the rules that need nothing from outside; see Verifier.
func Verify(fsys fs.FS) (Report, error) { return VerifyDir(context.Background(), fsys, nil) }

// VerifyDir is Verify with cancellation and progress, which may be nil.
func VerifyDir(ctx context.Context, fsys fs.FS, progress func(Progress)) (Report, error) {
	return new(Verifier).VerifyDir(ctx, fsys, progress)
}

// VerifyDir checks every .json file below the root of fsys, and the matrix files they refer to, by every rule. The
// report lists what each rule found; the error is nil only when nothing failed, and otherwise joins an *Error for each
// broken rule. Reading errors and cancellation end it early.
func (v *Verifier) VerifyDir(ctx context.Context, fsys fs.FS, progress func(Progress)) (Report, error) {
	names, others, err := list(fsys)
	if err != nil {
		return Report{}, err
	}
	var report Report
	type entry struct {
		name   string
		golden *Golden
		tree   *node
	}
	var entries []entry
	byID := make(map[string]*Golden)
	for _, name := range names {
		text, err := readFile(fsys, name)
		if err == nil {
			var g *Golden
			var n *node
			if g, n, err = decode(text); err == nil {
				if byID[g.ID] != nil {
					err = &Error{Rule: ruleForm, Field: "id", Offset: -1, Err: fmt.Errorf("%q is the id of another file too", g.ID)}
				} else {
					byID[g.ID] = g
					entries = append(entries, entry{name, g, n})
					continue
				}
			}
		}
		report.Files = append(report.Files, refused(name, err))
	}
	used := make(map[string]bool)
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		dir := path.Dir(e.name)
		s := &Subject{Context: ctx, File: e.name, Golden: e.golden, verifier: v, tree: e.tree,
			read:   func(name string) ([]byte, error) { return readFile(fsys, path.Join(dir, name)) },
			lookup: func(id string) *Golden { return byID[id] },
		}
		f := FileReport{File: e.name, ID: e.golden.ID, Kind: e.golden.Kind, Status: e.golden.Status}
		f.Outcomes = append([]Outcome{{Rule: ruleForm, State: Pass, Detail: Schema}}, s.run()...)
		report.Files = append(report.Files, f)
		_ = e.golden.blobs(func(_ string, _ *Run, b *Blob) error {
			used[path.Join(dir, b.File)] = true
			for i := range b.Tensors {
				b.Tensors[i].Data = nil // the next golden needs the memory
			}
			return nil
		})
		entries[i].tree = nil
		if progress != nil {
			progress(Progress{Done: len(report.Files), Total: len(names), File: e.name})
		}
	}
	slices.SortFunc(report.Files, func(a, b FileReport) int { return strings.Compare(a.File, b.File) })
	for _, name := range others {
		if !used[name] {
			report.Strays = append(report.Strays, name)
		}
	}
	if err := ctx.Err(); err != nil {
		return report, err
	}
	return report, report.Err()
}

// refused reports a file that could not be decoded.
func refused(name string, err error) FileReport {
	e := &Error{Rule: ruleForm, Offset: -1, Err: err}
	var inner *Error
	if errors.As(err, &inner) {
		*e = *inner
	}
	e.File = name
	return FileReport{File: name, Outcomes: []Outcome{{Rule: ruleForm, State: Fail, Detail: e.Err.Error(), Err: e}}}
}

// list returns the .json files of fsys and the other files except README.md and hidden ones.
func list(fsys fs.FS) (goldens, others []string, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() || d.Name() == "README.md":
		case path.Ext(name) == ".json":
			goldens = append(goldens, name)
		default:
			others = append(others, name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("golden: %w", err)
	}
	return goldens, others, nil
}

// Read reads a golden of fsys. It checks form only, as Decode does.
func Read(fsys fs.FS, name string) (*Golden, error) {
	text, err := readFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return Decode(text)
}

// readFile reads a regular file of bounded size: a pipe or a device may have no end.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s, and no regular file", info.Mode().Type())
	}
	most := int64(maxFileSize)
	if path.Ext(name) == ".json" {
		most = maxGoldenSize
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%d bytes, more than the %d that are read", info.Size(), most)
	}
	return fs.ReadFile(fsys, name)
}
