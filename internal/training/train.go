package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Train is the command that trains one network.
type Train struct {
	Method          string `arg:"" help:"byol, simsiam, nopredictor, nostopgrad, directpred, directcopy or directset."`
	Data            string `default:"digits" placeholder:"SPEC" help:"digits (embedded), gaussian, cifar10:PATH, cifar100:PATH, stl10:PATH, stl10-all:PATH or folder:PATH."`
	Preset          string `placeholder:"NAME" help:"Recipe: digits, digits-mini, linear-gaussian, cifar-small or cifar. Default: by data."`
	Net             string `placeholder:"NAME" help:"Encoder and projector in place of the recipe's: linear, mlp, smallconv or resnet18."`
	Config          string `placeholder:"FILE" help:"Recipe as JSON, or a part of one, over the preset's: run.json of a run will do. Flags go over it."`
	Target          string `default:"" enum:",ema,shared" help:"Target network: ema or shared. Default: the recipe's, and shared for nopredictor."`
	Recipe          `embed:""`
	Steps           int    `default:"0" help:"Steps; 0 is the recipe's number."`
	Epochs          int    `default:"0" help:"Length in passes over the training images, in place of --steps."`
	Seed            uint64 `default:"1" help:"Seed of weights, batches and views."`
	Seeds           string `placeholder:"N,N,…" help:"Several seeds, a run each: one table with mean and spread. With --out each has a folder seed-N in it."`
	Backend         string `placeholder:"KIND" help:"cpu, cpu-gomlx, xla-cpu, gpu or gpu-tf32. Default: $$TRAIN_BACKEND, or cpu."`
	Kernels         `embed:""`
	Views           string `default:"" enum:",host,device" help:"Where the views of colour images are made: host or device. Default: the device where that is a GPU. Resume at the same place."`
	Out             string `placeholder:"DIR" help:"Folder for series, plots and checkpoint. Without it nothing is written."`
	Resume          bool   `help:"Go on from the checkpoint in --out."`
	MeasureEvery    int    `default:"0" help:"Steps between two records of the series; 0 is a twenty-fifth of the run."`
	CheckpointEvery int    `default:"0" help:"Steps between two checkpoints; 0 is a tenth of the run."`
	Probe           bool   `help:"Take the accuracies at every record, not only at the end."`
	Export          string `placeholder:"FILE" help:"Write projections of two views, W_p, W, W_a and series along the run, and the weights of its end, to a .npz, .safetensors or .csv file, which diagnose reads."`
	JSON            bool   `name:"json" help:"Write the summary as JSON."`
}

// Help describes what the flags cannot.
func (*Train) Help() string {
	return `Trains a network and says what became of it: alive, partly collapsed or collapsed, with the spread of the projections
(zstd), their effective rank (er) and the symmetry of the predictor.

nopredictor has a shared target by default, and collapses; --target ema keeps the average, and collapses more slowly.
With --out the folder gets run.json, series.jsonl, series.csv, plots as SVG and PNG, checkpoint.bin and summary.json.
Looks along the run take as few views as keep them below a twentieth of it; the end is looked at whole. A run is too early to
judge while runs that end well look the same (ηt < 3). DirectPred sets W_p before each step here; the paper's code sets it after
({"direct": {"when": "after"}} in a --config file, which also has formula, eps_inside, dyn_reg, dyn_zero_mean, plain_average).
Ctrl-C leaves a checkpoint; the same command with --resume goes on from there, and so does it after a crash. The series
of a resumed run is the same, byte for byte, as that of one that was not interrupted.

Data:

` + indented(data.SpecHelp)
}

// The files of a run's folder besides those of package method.
const (
	runFile     = "run.json"
	summaryFile = "summary.json"
)

// identity is what a run is: with the same one the same numbers come out on the same machine.
type identity struct {
	Method       method.Method `json:"method"`
	Data         string        `json:"data"`
	DataSHA256   []string      `json:"data_sha256"` // training and test images; empty for drawn data
	Seed         uint64        `json:"seed"`
	Backend      string        `json:"backend"`
	Kernels      string        `json:"kernels,omitempty"` // of the engine cpu
	MeasureEvery int           `json:"measure_every"`
	Probe        bool          `json:"probe"`
	Views        string        `json:"views,omitempty"` // as asked for; otherwise it follows from the backend
	ConfigSHA256 string        `json:"config_sha256"`
	Config       method.Config `json:"config"`
}

// Run trains.
func (t *Train) Run(c *Console) error {
	seeds, err := parseSeeds(t.Seeds)
	switch {
	case err != nil:
		return err
	case t.Steps < 0:
		return badInputf("--steps=%d is negative", t.Steps)
	case t.Epochs < 0:
		return badInputf("--epochs=%d is negative", t.Epochs)
	case t.Epochs > 0 && t.Steps > 0:
		return badInputf("--epochs and --steps exclude each other")
	case t.MeasureEvery < 0 || t.CheckpointEvery < 0:
		return badInputf("--measure-every=%d, --checkpoint-every=%d: want 0 or more", t.MeasureEvery, t.CheckpointEvery)
	case t.Resume && t.Out == "":
		return badInputf("--resume needs --out DIR, the folder of the run")
	case len(seeds) > 0 && t.Export != "":
		return badInputf("--export has one run; it does not go with --seeds")
	}
	if err := t.choose(t.Backend); err != nil {
		return err
	}
	d, err := data.Open(t.Data)
	if err != nil {
		return badInput(err)
	}
	config, err := t.recipe(d)
	if err != nil {
		return err
	}
	e, err := engine.Open(t.Backend)
	if err != nil {
		return badInput(err)
	}
	defer e.Close()
	if len(seeds) == 0 {
		s, err := t.one(c, d, e, config, t.Seed, t.Out)
		if err != nil {
			return err
		}
		return c.write(func(w io.Writer) error {
			if !t.JSON {
				return s.write(c, w)
			}
			text, err := s.encode()
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		})
	}
	var all []*summary
	for _, seed := range seeds {
		out := ""
		if t.Out != "" {
			out = filepath.Join(t.Out, fmt.Sprintf("%s%d", seedFolder, seed))
		}
		again := *t
		if _, err := os.Stat(filepath.Join(out, runFile)); out != "" && t.Resume && errors.Is(err, fs.ErrNotExist) {
			again.Resume = false // the interruption came before it
		}
		s, err := again.one(c, d, e, config, seed, out)
		if err != nil {
			var x *ExitError
			if errors.As(err, &x) {
				return &ExitError{x.Code, fmt.Sprintf("seed %d: %s", seed, x.Message)}
			}
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		all = append(all, s)
	}
	return c.write(func(w io.Writer) error {
		if t.JSON {
			text, err := json.MarshalIndent(all, "", "  ")
			if err == nil {
				_, err = w.Write(append(text, '\n'))
			}
			return err
		}
		return writeSeeds(c, w, all)
	})
}

// seedFolder begins the names of the folders of several seeds.
const seedFolder = "seed-"

// one trains one seed; out is the run's folder, or empty.
func (t *Train) one(c *Console, d *data.Dataset, e *engine.Engine, config method.Config, seed uint64, out string) (*summary, error) {
	ev, err := newEvaluation(d, config, seed, t.Probe)
	if err != nil {
		return nil, badInput(err)
	}
	src, err := d.Source(seed, config.Batch)
	if err != nil {
		return nil, badInput(err)
	}
	if err := method.CheckPlace(e, src, method.Place(t.Views)); err != nil {
		return nil, badInput(err)
	}
	x, err := newExport(t.Export, src)
	if err != nil {
		return nil, badInput(err)
	}
	every := t.MeasureEvery
	if every == 0 {
		every = max(1, config.Steps/defaultRecords)
	}
	if err := ev.sparing(d, config, seed, every); err != nil {
		return nil, badInput(err)
	}
	id := identity{Method: config.Method, Data: t.Data, DataSHA256: hashes(d), Seed: seed, Backend: e.Kind, Kernels: e.Kernels, MeasureEvery: every,
		Probe: t.Probe, Views: t.Views, ConfigSHA256: config.Hash(), Config: config}
	trainer, err := t.start(c, e, id, out)
	if err != nil {
		return nil, err
	}
	defer trainer.Close()
	first := trainer.Done()
	if first > 0 && x != nil {
		return nil, badInputf("--export has the whole run, and this one goes on from step %d: leave it out, or train anew", first)
	}
	measure := ev.look
	if x != nil {
		measure = func(t *method.Trainer) ([]float64, error) {
			if err := x.look(t); err != nil {
				return nil, err
			}
			return ev.look(t)
		}
	}
	bar := newProgress(c)
	checkpoint := t.CheckpointEvery
	if checkpoint == 0 {
		checkpoint = max(1, config.Steps/defaultCheckpoints)
	}
	var seen series
	err = method.Run(c.Context, trainer, src, method.Options{
		Dir: out, CheckpointEvery: checkpoint, MeasureEvery: every, Columns: ev.columns(), Measure: measure, Views: method.Place(t.Views),
		Progress: func(p method.Progress) {
			seen.add(p)
			bar.show(float64(p.Step-first), float64(p.Steps-first), progressText(p))
		}})
	bar.clear()
	var cut *method.InterruptedError
	var diverged *method.DivergedError
	switch {
	case errors.As(err, &cut) && out == "":
		return nil, interrupted("%d of %d steps are made and lost; run it with --out to be able to go on from there", cut.Step, config.Steps)
	case errors.As(err, &cut):
		return nil, interrupted("%d of %d steps are made; the same command with --resume goes on from there", cut.Step, config.Steps)
	case errors.As(err, &diverged):
		return nil, &ExitError{Difference, err.Error()}
	case err != nil:
		return nil, err
	}
	if out != "" { // the records before a resumption too
		if seen.columns, seen.records, err = method.ReadSeries(out); err != nil {
			return nil, err
		}
	}
	s, err := summarise(trainer, ev, id, &seen)
	if err != nil {
		return nil, err
	}
	if x != nil {
		if err := x.write(trainer, &seen); err != nil {
			return nil, err
		}
	}
	if out != "" {
		if err := s.keep(c.Context, out, &seen); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// A run has 25 records, enough for a plot, and 10 checkpoints.
const (
	defaultRecords     = 25
	defaultCheckpoints = 10
)

func hashes(d *data.Dataset) []string {
	if d.Gaussian != nil {
		return []string{}
	}
	return []string{d.Train.SHA256(), d.Test.SHA256()}
}

func progressText(p method.Progress) string {
	text := fmt.Sprintf("%d/%d loss %.3f", p.Step, p.Steps, p.Loss)
	for _, name := range []string{"zstd", "er"} {
		if i := slices.Index(p.Columns, name); i >= 0 {
			text += fmt.Sprintf(" %s %.3f", name, p.Values[i])
		}
	}
	return text
}

// start returns a trainer at step 0 or at the checkpoint of the folder, and leaves run.json in it.
func (t *Train) start(c *Console, e *engine.Engine, id identity, out string) (*method.Trainer, error) {
	fresh := func() (*method.Trainer, error) {
		trainer, err := method.New(e, id.Config, id.Seed)
		if err != nil {
			return nil, badInput(err)
		}
		return trainer, nil
	}
	if out == "" {
		return fresh()
	}
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	text = append(text, '\n')
	file := filepath.Join(out, runFile)
	old, err := os.ReadFile(file)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case err != nil && !missing:
		return nil, badInput(err)
	case missing && t.Resume:
		return nil, badInputf("there is no run in %s to go on with: %s does not exist", out, file)
	case !missing && !t.Resume:
		return nil, badInputf("%s holds a run; --resume goes on with it, or choose another folder", out)
	case missing:
		for _, name := range []string{method.SeriesJSONFile, method.SeriesCSVFile, method.CheckpointFile} {
			if _, err := os.Stat(filepath.Join(out, name)); err == nil {
				return nil, badInputf("%s exists; choose another folder", filepath.Join(out, name))
			}
		}
		trainer, err := fresh()
		if err != nil {
			return nil, err
		}
		if err = os.MkdirAll(out, 0o777); err == nil {
			err = writeFile(file, text)
		}
		if err != nil {
			trainer.Close()
			return nil, badInput(err)
		}
		return trainer, nil
	}
	if string(old) != string(text) {
		return nil, badInputf("%s is of another run: %s", file, firstDifference(string(old), string(text)))
	}
	checkpoint := filepath.Join(out, method.CheckpointFile)
	if _, err := os.Stat(checkpoint); errors.Is(err, fs.ErrNotExist) {
		// It ended before its first checkpoint: it starts again.
		for _, name := range []string{method.SeriesJSONFile, method.SeriesCSVFile} {
			if err := os.Remove(filepath.Join(out, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, badInput(err)
			}
		}
		return fresh()
	}
	trainer, err := method.Resume(e, checkpoint, id.Config, id.Seed)
	if err != nil {
		return nil, badInput(err)
	}
	fmt.Fprintf(c.Stderr, "going on from step %d of %d\n", trainer.Done(), id.Config.Steps)
	return trainer, nil
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(there, here string) string {
	a, b := strings.Split(there, "\n"), strings.Split(here, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %s there and %s here", i+1, strings.Trim(a[i], " ,"), strings.Trim(b[i], " ,"))
		}
	}
	return "one is longer than the other"
}

// writeFile replaces a file in one step.
func writeFile(file string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("training: writing %s: %w", file, err)
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
