package method

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/engine"
)

// options measure two numbers that depend on the whole state's history.
func options(dir string) Options {
	return Options{Dir: dir, CheckpointEvery: 7, MeasureEvery: 5, Columns: []string{"norm", "asymmetry"},
		Measure: func(t *Trainer) ([]float64, error) {
			w, err := t.Matrix(PredictorName)
			if err != nil {
				return nil, err
			}
			var d mat.Dense
			d.Sub(w, w.T())
			return []float64{mat.Norm(w, 2), mat.Norm(&d, 2) / mat.Norm(w, 2)}, nil
		}}
}

func seriesOf(tb testing.TB, dir string) string {
	return read(tb, dir, SeriesJSONFile) + read(tb, dir, SeriesCSVFile)
}

// uninterrupted is the series and final state of a run in one piece.
func uninterrupted(tb testing.TB, e *engine.Engine, c Config) (series, final string) {
	dir := tb.TempDir()
	if err := Run(context.Background(), open(tb, e, c, 1), views(c, 1), options(dir)); err != nil {
		tb.Fatal(err)
	}
	return seriesOf(tb, dir), read(tb, dir, CheckpointFile)
}

func TestRunWritesTheWholeSeries(t *testing.T) {
	e := cpu(t)
	c := small()
	dir := t.TempDir()
	o := options(dir)
	var calls []Progress
	o.Progress = func(p Progress) { calls = append(calls, p) }
	if err := Run(context.Background(), open(t, e, c, 1), views(c, 1), o); err != nil {
		t.Fatal(err)
	}
	columns, records, err := ReadSeries(dir)
	if err != nil || fmt.Sprint(columns) != "[loss norm asymmetry]" {
		t.Fatalf("columns %v, %v", columns, err)
	}
	if len(records) != 9 || records[8].Step != 40 || !math.IsNaN(records[0].Values[0]) || math.IsNaN(records[1].Values[0]) {
		t.Errorf("records %v: want steps 0, 5, …, 40 with no loss at 0", records)
	}
	if got := len(calls); got != 9+40 {
		t.Errorf("%d calls of Progress, want one per step and record", got)
	}
	last := calls[len(calls)-1]
	if last.Step != 40 || last.Steps != 40 || last.Remaining != 0 || len(last.Values) != 3 {
		t.Errorf("last progress %+v", last)
	}
	// The same run without a folder trains alike.
	tr := open(t, e, c, 1)
	if err := Run(context.Background(), tr, views(c, 1), Options{}); err != nil {
		t.Fatal(err)
	}
	done, err := Load(e, filepath.Join(dir, CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	defer done.Close()
	sameBits(t, "with and without a folder", dump(t, done), dump(t, tr))
}

// TestInterruptedRunsGiveTheSameSeries cancels at random steps until the run is done.
func TestInterruptedRunsGiveTheSameSeries(t *testing.T) {
	e := cpu(t)
	for _, c := range []Config{small(), variant(t, small(), DirectPred, float64ed)} {
		series, final := uninterrupted(t, e, c)
		r := rand.New(rand.NewPCG(8, 8))
		dir := t.TempDir()
		tr := open(t, e, c, 1)
		for runs := 0; ; runs++ {
			ctx, cancel := context.WithCancel(context.Background())
			stop := tr.Done() + r.IntN(12)
			o := options(dir)
			o.Progress = func(p Progress) {
				if p.Step >= stop {
					cancel()
				}
			}
			err := Run(ctx, tr, views(c, 1), o)
			cancel()
			if err == nil {
				if runs < 2 {
					t.Errorf("only %d interruptions", runs)
				}
				break
			}
			var i *InterruptedError
			if !errors.As(err, &i) || !errors.Is(err, context.Canceled) || i.Step != tr.Done() {
				t.Fatalf("interrupted run: %v", err)
			}
			if tr, err = Resume(e, i.Checkpoint, c, 1); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.Close)
		}
		if got := seriesOf(t, dir); got != series {
			t.Errorf("%s: the series differs:\n%s\nwant\n%s", c.Method, got, series)
		}
		if read(t, dir, CheckpointFile) != final {
			t.Errorf("%s: the final state differs", c.Method)
		}
	}
}

const victimEnv = "METHOD_TEST_VICTIM"

// TestVictim is the process that TestKilledRunsGiveTheSameSeries kills.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimEnv)
	if dir == "" {
		t.Skip("runs only as a child of TestKilledRunsGiveTheSameSeries")
	}
	e := cpu(t)
	c := victim()
	tr, err := Resume(e, filepath.Join(dir, CheckpointFile), c, 1)
	if errors.Is(err, os.ErrNotExist) {
		for _, f := range []string{SeriesJSONFile, SeriesCSVFile} { // killed before the first checkpoint
			if err := os.Remove(filepath.Join(dir, f)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		tr, err = New(e, c, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), tr, views(c, 1), options(dir)); err != nil {
		t.Fatal(err)
	}
}

func victim() Config {
	c := small()
	c.Steps = 2000
	return c
}

// TestKilledRunsGiveTheSameSeries kills the process without warning at random
// times, cuts the series at a random byte as a lost write would, and resumes.
func TestKilledRunsGiveTheSameSeries(t *testing.T) {
	e := cpu(t)
	series, final := uninterrupted(t, e, victim())
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(9, 9))
	kills := 0
	for attempt := 0; ; attempt++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
		cmd.Env = append(os.Environ(), victimEnv+"="+dir)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		if attempt < 4 {
			select {
			case <-exited:
			case <-time.After(time.Duration(60+r.IntN(100)) * time.Millisecond):
				kills++
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-exited
			}
			cutAfterCheckpoint(t, e, dir, r)
			continue
		}
		if err := <-exited; err != nil {
			t.Fatalf("the last child: %v\n%s", err, out.String())
		}
		break
	}
	if got := seriesOf(t, dir); got != series {
		t.Errorf("after %d kills the series differs:\n%.2000s\nwant\n%.2000s", kills, got, series)
	}
	if read(t, dir, CheckpointFile) != final {
		t.Errorf("after %d kills the final state differs", kills)
	}
	if kills == 0 {
		t.Error("no child was killed: the machine is too fast for this test's delays")
	}
}

// cutAfterCheckpoint removes a random number of bytes of the JSON lines that
// the checkpoint does not vouch for.
func cutAfterCheckpoint(t *testing.T, e *engine.Engine, dir string, r *rand.Rand) {
	t.Helper()
	saved, err := Load(e, filepath.Join(dir, CheckpointFile))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	step := saved.Done()
	saved.Close()
	text := read(t, dir, SeriesJSONFile)
	keep := 0
	for keep < len(text) {
		line, _, _ := strings.Cut(text[keep:], "\n")
		number, _, _ := strings.Cut(strings.TrimPrefix(line, `{"step":`), ",")
		if n, err := strconv.Atoi(number); err != nil || n > step {
			break
		}
		keep += len(line) + 1
	}
	if keep = min(keep, len(text)); keep < len(text) {
		write(t, filepath.Join(dir, SeriesJSONFile), text[:keep+r.IntN(len(text)-keep)])
	}
}

func TestRunRefusesASeriesThatIsNotItsOwn(t *testing.T) {
	e := cpu(t)
	c := small()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	o := options(dir)
	o.Progress = func(p Progress) {
		if p.Step == 20 {
			cancel()
		}
	}
	tr := open(t, e, c, 1)
	if err := Run(ctx, tr, views(c, 1), o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Progress = nil
	before := seriesOf(t, dir)
	for name, change := range map[string]func(*Options){
		"other interval": func(o *Options) { o.MeasureEvery = 4 },
		"other columns":  func(o *Options) { o.Columns = []string{"norm", "other"} },
	} {
		bad := o
		change(&bad)
		if err := Run(context.Background(), tr, views(c, 1), bad); err == nil || !strings.Contains(err.Error(), SeriesJSONFile) {
			t.Errorf("%s: %v, want an error that names the series", name, err)
		}
		if tr.Done() != 20 || seriesOf(t, dir) != before {
			t.Fatalf("%s: the refused run changed something", name)
		}
	}
	// A second run in the folder, from the start.
	if err := Run(context.Background(), open(t, e, c, 1), views(c, 1), o); err == nil || !strings.Contains(err.Error(), "exists: resume") {
		t.Errorf("a new run in the same folder: %v", err)
	}
	if seriesOf(t, dir) != before {
		t.Error("the refused new run changed the series")
	}
}

func TestRunStopsOnDivergence(t *testing.T) {
	e := cpu(t)
	c := LinearGaussian()
	c.Optimizer.LearningRate = 900
	dir := t.TempDir()
	err := Run(context.Background(), open(t, e, c, 1), views(c, 1), Options{Dir: dir, CheckpointEvery: 1})
	var d *DivergedError
	if !errors.As(err, &d) || !(math.IsNaN(d.Loss) || math.IsInf(d.Loss, 0)) {
		t.Fatalf("a run at lr 900 ends with %v", err)
	}
	saved, err := Load(e, filepath.Join(dir, CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	if saved.Done() > d.Step {
		t.Errorf("the checkpoint is of step %d, after the diverged step %d", saved.Done(), d.Step)
	}
}

func TestRunChecksItsOptions(t *testing.T) {
	e := cpu(t)
	c := small()
	tr := open(t, e, c, 1)
	failing := errors.New("no labels")
	for _, x := range []struct {
		name string
		src  Source
		o    Options
		want string
	}{
		{"source", gaussian{1, 12, 13, 1}, Options{}, "the source has 13 columns, the network reads 12"},
		{"interval", views(c, 1), Options{MeasureEvery: -1}, "measure every -1"},
		{"columns without measure", views(c, 1), Options{Columns: []string{"a"}}, "1 columns and measure set: false"},
		{"measure fails", views(c, 1), Options{Columns: []string{"a"}, Measure: func(*Trainer) ([]float64, error) { return nil, failing }}, "after step 0: no labels"},
		{"measure is short", views(c, 1), Options{Columns: []string{"a"}, Measure: func(*Trainer) ([]float64, error) { return nil, nil }}, "0 values for 1 columns"},
		{"folder", views(c, 1), Options{Dir: filepath.Join(t.TempDir(), "none")}, "none"},
	} {
		if err := Run(context.Background(), tr, x.src, x.o); err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), "method: ") {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
		if tr.Done() != 0 {
			t.Fatalf("%s: a refused run trained", x.name)
		}
	}
}
