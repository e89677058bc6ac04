package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// finished is a run in the work folder, with everything that a golden of it says.
type finished struct {
	Identity   string // hash of everything that decides its numbers
	Tier       check.Tier
	Arm        check.Arm
	Base       string // canonical configurations: of the tier, and of the run
	Config     string
	Provenance golden.Provenance
	Run        golden.Run
	Seconds    float64

	name string // its file's, without the end
}

// together checks that runs are of one program, data set, engine, device and base configuration, and that each run's
// configuration is what this program makes of that base; it returns the base. The processor beside a GPU may be another:
// without a GPU it is the device.
func together(runs []*finished) (method.Config, error) {
	var base method.Config
	if err := json.Unmarshal([]byte(runs[0].Base), &base); err != nil {
		return base, fmt.Errorf("recorder: %s.run: base configuration: %w", runs[0].name, err)
	}
	seen := map[string]string{}
	for _, x := range runs {
		p, q := x.Provenance, runs[0].Provenance
		if p.Data == nil || p.KernelsSHA256 == "" {
			return base, fmt.Errorf("recorder: %s.run has no provenance, as golden record gives it: %w", x.name, ErrMixed)
		}
		c, err := x.Arm.Config(base)
		if err != nil {
			return base, err
		}
		for _, f := range []struct{ what, got, want string }{
			{"kernels_sha256", p.KernelsSHA256, q.KernelsSHA256}, {"git_commit", p.GitCommit, q.GitCommit},
			{"dirty", fmt.Sprint(p.Dirty), fmt.Sprint(q.Dirty)},
			{"engine.name", p.Engine.Name, q.Engine.Name}, {"engine.version", p.Engine.Version, q.Engine.Version},
			{"engine.plugin", p.Engine.Plugin, q.Engine.Plugin}, {"engine.platform", p.Engine.Platform, q.Engine.Platform},
			{"engine.precision", string(p.Engine.Precision), string(q.Engine.Precision)},
			{"device.name", p.Device.Name, q.Device.Name}, {"host.go", p.Host.Go, q.Host.Go},
			{"data.sha256", p.Data.SHA256, q.Data.SHA256}, {"rng", p.RNG, q.RNG},
			{"base configuration", x.Base, runs[0].Base},
		} {
			if f.got != f.want {
				return base, fmt.Errorf("recorder: %s.run has the %s %q, %s.run has %q: %w", x.name, f.what, f.got, runs[0].name, f.want, ErrMixed)
			}
		}
		if x.Config != string(c.Canonical()) {
			return base, fmt.Errorf("recorder: %s.run has another configuration than this program's arm %s: %w", x.name, x.Arm, ErrMixed)
		}
		k := fmt.Sprintf("%s, seed %d, rerun %d", x.Arm, x.Run.Seed, x.Run.Rerun)
		if seen[k] != "" {
			return base, fmt.Errorf("recorder: %s.run and %s.run are both of %s: %w", seen[k], x.name, k, ErrMixed)
		}
		seen[k] = x.name
	}
	return base, nil
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

// make returns the run that x describes: the one in the folder if its identity is the same, or else a new one, which is
// kept there, also unfinished.
func (s store) make(ctx context.Context, e *engine.Engine, set *check.Setting, x *finished, name string, j job, detail Detail, progress func(step, steps int)) (*finished, error) {
	p := x.Provenance
	sha := ""
	if p.Data != nil {
		sha = p.Data.SHA256
	}
	id := identity(p.KernelsSHA256, x.Config, p.Engine.Name, p.Engine.Version, p.Engine.Plugin, p.Device.Name, p.Host.CPU, p.Host.Go, sha, name, fmt.Sprint(detail))
	if old := s.load(name, id); old != nil {
		return old, nil
	}
	run, o, err := record(ctx, e, set.Data, j.arm, set.Base, j.seed, detail, &check.Watch{Progress: progress, AtLooks: set.Tier.Group() != "",
		Keep: &check.Keep{Dir: s.dir, Name: name, Identity: id}})
	if err != nil {
		return nil, err
	}
	run.Rerun = j.rerun
	x.Identity, x.Run, x.Seconds, x.name = id, run, o.Seconds, name
	return x, s.save(name, x)
}

func (s store) file(name string) string { return filepath.Join(s.dir, name+".run") }

// load returns the run of a name, or nil if there is none of this identity. A damaged file is as good as none.
func (s store) load(name, identity string) *finished {
	x, err := s.read(name)
	if err != nil || x.Identity != identity {
		return nil
	}
	return x
}

func (s store) read(name string) (*finished, error) {
	f, err := os.Open(s.file(name))
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	defer f.Close()
	x := finished{name: name}
	if err := gob.NewDecoder(f).Decode(&x); err != nil {
		return nil, fmt.Errorf("recorder: %s.run: %w", name, err)
	}
	return &x, nil
}

// all returns the finished runs in the folder, in order of name; a damaged one is an error.
func (s store) all() ([]*finished, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.run"))
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	slices.Sort(files)
	var out []*finished
	for _, file := range files {
		x, err := s.read(strings.TrimSuffix(filepath.Base(file), ".run"))
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
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

// remove removes runs, and the folder when nothing else is left in it.
func (s store) remove(runs []*finished) error {
	for _, x := range runs {
		if err := os.Remove(s.file(x.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("recorder: %w", err)
		}
	}
	left, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if len(left) == 1 && left[0].Name() == ".gitignore" {
		return errors.Join(os.Remove(filepath.Join(s.dir, ".gitignore")), os.Remove(s.dir))
	}
	return nil
}

// Keeper makes the runs of a setting on a kind of engine and keeps them in a folder, finished and unfinished, so that a
// later call goes on from there: what [check.Lab] asks for. Other than those of a Recording they have no provenance, and
// are of the program's file: a program that is built anew makes them anew.
func Keeper(dir string, s *check.Setting) (func(ctx context.Context, open func() (*engine.Engine, error), a check.Arm, seed uint64, progress func(step, steps int)) (*check.Outcome, error), error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	f, err := os.Open(program)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	work := store{dir}
	if err := work.open(); err != nil {
		return nil, err
	}
	build := hex.EncodeToString(h.Sum(nil))
	examples := identityOfSets(s.Data)
	return func(ctx context.Context, open func() (*engine.Engine, error), a check.Arm, seed uint64, progress func(step, steps int)) (*check.Outcome, error) {
		e, err := open()
		if err != nil {
			return nil, err
		}
		c, err := a.Config(s.Base)
		if err != nil {
			return nil, err
		}
		x := &finished{Tier: s.Tier, Arm: a, Base: string(s.Base.Canonical()), Config: string(c.Canonical())}
		Describe(e, c.Precision, &x.Provenance)
		x.Provenance.Host.Go = build + examples
		name := fmt.Sprintf("%s.s%d", ID(s.Tier, e.Kind, a), seed)
		x, err = work.make(ctx, e, s, x, name, job{arm: a, seed: seed, config: c}, ScalarsOnly, progress)
		if err != nil {
			return nil, err
		}
		return outcome(a, c, x.Run), nil
	}, nil
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
