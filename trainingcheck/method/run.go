package method

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
)

// Options of Run. The zero value trains in silence and writes nothing.
type Options struct {
	// Dir receives series and checkpoint; it must exist. Empty writes nothing.
	Dir string
	// CheckpointEvery saves the state after every so many steps. 0 saves at the
	// end and on cancellation only.
	CheckpointEvery int
	// MeasureEvery calls Measure before the first step, after every so many
	// steps and after the last. 0 measures before the first and after the last.
	MeasureEvery int
	// Columns name the values that Measure returns. The series has the columns
	// step, loss (of the step before the record) and these.
	Columns []string
	// Measure looks at the trainer. It must depend on its state alone, and not change it.
	Measure func(*Trainer) ([]float64, error)
	// Views says where the views of a Resident source are made. A run continues
	// to the same bits only where it began.
	Views Place
	// Progress, if set, is called after every step and every measurement.
	Progress func(Progress)
}

// Place says where the views of a run are made.
type Place string

// The places.
const (
	// Anywhere is the device if the engine is accelerated and the source has a
	// stock that passes its Check, and the host otherwise.
	Anywhere Place = ""
	// OnHost takes Source.Batch.
	OnHost Place = "host"
	// OnDevice keeps the images on the device; a source or an engine that cannot
	// is an error.
	OnDevice Place = "device"
)

// PlaceError reports that the views of a source cannot be made where they were asked for.
type PlaceError struct {
	Views   Place
	Problem string
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("method: views made at %q: %s", string(e.Views), e.Problem)
}

// onDevice decides where the views of src are made on an engine: on the device from the stock if it returns one, with
// ok, and on the host otherwise. The error is a *PlaceError or an *UnsupportedError.
func (views Place) onDevice(e *engine.Engine, src Source) (r Resident, stock augment.Stock, ok bool, err error) {
	switch views {
	case Anywhere, OnDevice:
	case OnHost:
		return nil, stock, false, nil
	default:
		return nil, stock, false, &PlaceError{views, fmt.Sprintf("unknown, want %q, %q or nothing", OnHost, OnDevice)}
	}
	if views == Anywhere && !e.OnGPU() {
		return nil, stock, false, nil
	}
	if r, ok = src.(Resident); ok {
		stock, ok = r.Stock()
	}
	if views == Anywhere {
		ok = ok && stock.Check() == nil
	}
	switch {
	case ok && e.Kind == engine.CPU:
		return nil, stock, false, noImages(e.Kind)
	case !ok && views == OnDevice:
		return nil, stock, false, &PlaceError{views, "the source makes its views on the host only"}
	}
	return r, stock, ok, nil
}

// CheckPlace reports why the views of src cannot be made at views on an engine, as a *PlaceError or an
// *UnsupportedError, and nil where Run would start.
func CheckPlace(e *engine.Engine, src Source, views Place) error {
	_, _, _, err := views.onDevice(e, src)
	return err
}

// Stepper returns the function that makes one step of t from src, whose views are made at views: from Source.Batch on
// the host, or from images that it moves to the device first.
func (t *Trainer) Stepper(src Source, views Place) (step func() (loss float64, err error), err error) {
	r, stock, ok, err := views.onDevice(t.engine, src)
	if err != nil {
		return nil, err
	}
	if !ok {
		return func() (float64, error) { return t.Step(src.Batch(t.done)) }, nil
	}
	if err := t.Upload(stock); err != nil {
		return nil, err
	}
	return func() (float64, error) { return t.StepDrawn(r.Draws(t.done)) }, nil
}

// Progress is the state of a run as a progress bar needs it.
type Progress struct {
	// Step of Steps are done.
	Step, Steps int
	// Loss is that of the last step, NaN before the first.
	Loss float64
	// Columns and Values are those of the last record, nil before it.
	Columns []string
	Values  []float64
	// Elapsed is the time since Run was called, Remaining an estimate from the
	// mean time of the steps made so far.
	Elapsed, Remaining time.Duration
}

// DivergedError reports a loss that is not finite. The state after such a step
// is useless: neither it nor a record is saved.
type DivergedError struct {
	Step int
	Loss float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("method: the loss of step %d is %v: the run has diverged", e.Step, e.Loss)
}

// InterruptedError reports a run that its context ended.
type InterruptedError struct {
	// Step is the number of steps made.
	Step int
	// Checkpoint is the file that continues the run, empty if Options.Dir is.
	Checkpoint string
	// Cause is the context's error.
	Cause error
}

func (e *InterruptedError) Error() string {
	if e.Checkpoint == "" {
		return fmt.Sprintf("method: interrupted after step %d: %v", e.Step, e.Cause)
	}
	return fmt.Sprintf("method: interrupted after step %d, saved in %s: %v", e.Step, e.Checkpoint, e.Cause)
}

func (e *InterruptedError) Unwrap() error { return e.Cause }

// Run trains until Config.Steps are made, from wherever t stands.
//
// A run that is cancelled leaves a checkpoint and returns an *InterruptedError.
// A run that is killed is continued from its last checkpoint: the records after
// it are dropped and written again, and the series of a run that was killed any
// number of times equals, byte for byte, that of one that was not.
func Run(ctx context.Context, t *Trainer, src Source, o Options) error {
	c := t.config
	switch {
	case src.Dim() != c.Net.dim():
		return fmt.Errorf("method: the source has %d columns, the network reads %d", src.Dim(), c.Net.dim())
	case o.CheckpointEvery < 0 || o.MeasureEvery < 0:
		return fmt.Errorf("method: checkpoint every %d, measure every %d: want 0 or more", o.CheckpointEvery, o.MeasureEvery)
	case (o.Measure == nil) != (len(o.Columns) == 0):
		return fmt.Errorf("method: %d columns and measure set: %t; want both or neither", len(o.Columns), o.Measure != nil)
	}
	step, err := t.Stepper(src, o.Views)
	if err != nil {
		return err
	}
	r := &runner{t: t, o: o, step: step, columns: append([]string{"loss"}, o.Columns...), start: time.Now(), first: t.done, loss: math.NaN()}
	if err := r.open(); err != nil {
		return err
	}
	err = r.train(ctx)
	if r.series != nil {
		if e := r.series.Close(); err == nil {
			err = e
		}
	}
	return err
}

// runner is one call of Run.
type runner struct {
	t       *Trainer
	o       Options
	step    func() (loss float64, err error)
	columns []string
	series  *Series
	start   time.Time
	first   int // steps already made when Run was called
	loss    float64
	values  []float64
}

// due tells whether the series has a record after the given number of steps.
func (r *runner) due(step int) bool {
	return step == 0 || step == r.t.config.Steps || r.o.MeasureEvery > 0 && step%r.o.MeasureEvery == 0
}

func (r *runner) open() (err error) {
	if r.o.Dir == "" {
		return nil
	}
	if !r.t.loaded && r.t.done == 0 {
		r.series, err = CreateSeries(r.o.Dir, r.columns)
		return err
	}
	var kept []Record
	if r.series, kept, err = ResumeSeries(r.o.Dir, r.columns, r.t.done); err != nil {
		return err
	}
	var want, have []int
	for step := 0; step <= r.t.done; step++ {
		if r.due(step) {
			want = append(want, step)
		}
	}
	for _, k := range kept {
		have = append(have, k.Step)
	}
	if !slices.Equal(want, have) {
		r.series.Close()
		return fmt.Errorf("method: %s has records %s up to step %d, want %s: it belongs to another run or was measured at other steps",
			filepath.Join(r.o.Dir, SeriesJSONFile), brief(have), r.t.done, brief(want))
	}
	if len(kept) > 0 {
		r.values = kept[len(kept)-1].Values
	}
	return nil
}

// brief shows the ends of a list.
func brief(v []int) string {
	if len(v) > 6 {
		return fmt.Sprintf("%v…%v (%d)", v[:3], v[len(v)-2:], len(v))
	}
	return fmt.Sprint(v)
}

func (r *runner) train(ctx context.Context) error {
	t, steps := r.t, r.t.config.Steps
	if t.done == 0 && !t.loaded {
		if err := r.record(); err != nil {
			return err
		}
	}
	for t.done < steps {
		if cause := ctx.Err(); cause != nil {
			file, err := r.save()
			if err != nil {
				return err
			}
			return &InterruptedError{t.done, file, cause}
		}
		loss, err := r.step()
		if err != nil {
			return err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return &DivergedError{t.done - 1, loss}
		}
		r.loss = loss
		if r.due(t.done) {
			if err := r.record(); err != nil {
				return err
			}
		}
		if r.o.CheckpointEvery > 0 && t.done%r.o.CheckpointEvery == 0 && t.done < steps {
			if _, err := r.save(); err != nil {
				return err
			}
		}
		r.progress()
	}
	_, err := r.save()
	return err
}

// record measures and appends to the series.
func (r *runner) record() error {
	values := []float64{r.loss}
	if r.o.Measure != nil {
		v, err := r.o.Measure(r.t)
		if err != nil {
			return fmt.Errorf("method: measuring after step %d: %w", r.t.done, err)
		}
		if len(v) != len(r.o.Columns) {
			return fmt.Errorf("method: measuring after step %d: %d values for %d columns", r.t.done, len(v), len(r.o.Columns))
		}
		values = append(values, v...)
	}
	r.values = values
	if r.series != nil {
		if err := r.series.Append(Record{r.t.done, values}); err != nil {
			return err
		}
	}
	r.progress()
	return nil
}

func (r *runner) save() (file string, err error) {
	if r.o.Dir == "" {
		return "", nil
	}
	file = filepath.Join(r.o.Dir, CheckpointFile)
	return file, r.t.Save(file)
}

func (r *runner) progress() {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.t.done, Steps: r.t.config.Steps, Loss: r.loss, Elapsed: time.Since(r.start)}
	if r.values != nil {
		p.Columns, p.Values = r.columns, r.values
	}
	if made := r.t.done - r.first; made > 0 {
		p.Remaining = time.Duration(float64(p.Elapsed) / float64(made) * float64(p.Steps-p.Step))
	}
	r.o.Progress(p)
}
