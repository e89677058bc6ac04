package recorder

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// Detail says how many matrices of a run are kept.
type Detail int

// The details. A mini run has 10 kB of matrices a snapshot.
const (
	// FinalOnly keeps the matrices after the last step, from which every final number but the accuracies follows.
	FinalOnly Detail = iota
	// Snapshots keeps them at the start, after a fifth, three fifths and all of the steps; for direct methods two
	// segments of consecutive steps, at the start and after half of the steps, and for runs that can be replayed one of
	// all steps.
	Snapshots
	// ScalarsOnly keeps none.
	ScalarsOnly
	// LateSnapshots keeps them after three fifths and all of the steps, without segments.
	LateSnapshots
)

// segmentSteps is the length of a segment of consecutive steps.
const segmentSteps = 8

// snapshot tells whether the matrices after a number of steps are kept.
func (d Detail) snapshot(done, steps int) bool {
	switch d {
	case FinalOnly:
		return done == steps
	case Snapshots:
		return done == 0 || done == steps/5 || done == 3*steps/5 || done == steps
	case LateSnapshots:
		return done == 3*steps/5 || done == steps
	}
	return false
}

// segment tells whether a step, counted from 1, belongs to a segment of a direct method.
func (d Detail) segment(step, steps int) bool {
	return d == Snapshots && (step <= segmentSteps || step > steps/2 && step <= steps/2+segmentSteps)
}

// Metrics of a final record besides check.Columns and the accuracies.
const (
	// MetricIdentity is the largest relative distance, over all steps, of W_p from the one that F̂ prescribes.
	MetricIdentity = "identity"
	// MetricBalanceError is the largest deviation of the imbalance's ratio from exp(−2ηt) over the looks.
	MetricBalanceError = "balance_error"
	// MetricDiscreteError is the largest deviation of the imbalance from the law of the discrete step, over all steps.
	MetricDiscreteError = "discrete_error"
	// MetricReplayError is the largest relative distance, over all steps, of W_p from the one replayed from the moments of
	// the batches.
	MetricReplayError = "replay_error"
	// MetricAverageError, MetricMomentError and MetricBallError are the largest deviations of the first steps from what the
	// configuration says a step is, MetricViews the least distance of the two views; see [check.Laws].
	MetricAverageError = "average_error"
	MetricMomentError  = "moment_error"
	MetricBallError    = "ball_error"
	MetricViews        = "views_distance"
	// MetricState is <w, r>/‖w‖ of the online network's weights w after StateSteps steps, with signs r that are the same for
	// every run: a verifier makes these steps again.
	MetricState = "state10"
)

// StateSteps is the number of steps that are made again.
const StateSteps = 10

// stateOf is MetricState of a trainer as it stands.
func stateOf(t *method.Trainer) (float64, error) {
	r := rand.New(rand.NewPCG(StateSteps, StateSteps))
	var sum, size float64
	for _, name := range t.Names() {
		if !strings.HasPrefix(name, "online/") {
			continue
		}
		w, _, err := t.Values(name)
		if err != nil {
			return 0, err
		}
		for _, v := range w {
			size += v * v
			if r.Uint64()&1 == 0 {
				v = -v
			}
			sum += v
		}
	}
	return sum / math.Sqrt(size), nil
}

// keepState makes w note the state after StateSteps steps, whatever else it watches.
func keepState(w *check.Watch, n *notes) {
	only, before, after := w.Only, w.Before, w.After
	watched := func(step int) bool { return (before != nil || after != nil) && (only == nil || only(step)) }
	w.Only = func(step int) bool { return step == StateSteps || watched(step) }
	if before != nil {
		w.Before = func(t *method.Trainer, done int, b method.Batch) error {
			if !watched(done + 1) {
				return nil
			}
			return before(t, done, b)
		}
	}
	w.After = func(t *method.Trainer, done int) (err error) {
		if done == StateSteps {
			if n.State, err = stateOf(t); err != nil {
				return err
			}
		}
		if after == nil || !watched(done) {
			return nil
		}
		return after(t, done)
	}
}

// Run makes one run of an arm and returns it as a golden holds it, with the tensors' data. Numbers that are not finite
// (the asymmetry of a missing predictor) are left out.
func Run(ctx context.Context, e *engine.Engine, d *data.Dataset, arm check.Arm, base method.Config, seed uint64, detail Detail, progress func(step, steps int)) (golden.Run, *check.Outcome, error) {
	return record(ctx, e, d, arm, base, seed, detail, &check.Watch{Progress: progress})
}

// notes are what is recorded of a run so far.
type notes struct {
	Series             []golden.Point
	Snapshots, Segment []golden.Tensor
	State              float64
}

// record is Run with a watch whose Progress, AtLooks and Keep are set.
func record(ctx context.Context, e *engine.Engine, d *data.Dataset, arm check.Arm, base method.Config, seed uint64, detail Detail, w *check.Watch) (golden.Run, *check.Outcome, error) {
	c, err := arm.Config(base)
	if err != nil {
		return golden.Run{}, nil, err
	}
	var n notes
	if w.Keep != nil {
		w.Keep.Notes = &n
	}
	steps := c.Steps
	w.Look = func(t *method.Trainer, done int, loss, decay float64, l *check.Look) error {
		p := golden.Point{Step: done, TEta: decay, Values: map[string]float64{}}
		for i, name := range check.Columns {
			put(p.Values, name, l.Values[i])
		}
		put(p.Values, "loss", loss)
		if detail.snapshot(done, steps) {
			tensors, err := matrices(t, done, l)
			if err != nil {
				return err
			}
			n.Snapshots = append(n.Snapshots, tensors...)
			p.Spectra = spectra(l)
		}
		n.Series = append(n.Series, p)
		return nil
	}
	switch {
	case c.Direct != nil:
		w.Only = func(step int) bool { return detail.segment(step, steps) }
		w.Before = func(t *method.Trainer, done int, b method.Batch) error {
			f, _, err := check.BatchMoments(t, b)
			if err != nil {
				return err
			}
			if done > 0 && !detail.segment(done, steps) { // F̂ from which the segment's first step goes on
				direct, err := directMatrices(t, done)
				if err != nil {
					return err
				}
				n.Segment = append(n.Segment, direct...)
			}
			n.Segment = append(n.Segment, tensor(done+1, golden.TensorFBat, golden.F32, f))
			return nil
		}
		w.After = func(t *method.Trainer, done int) error {
			direct, err := directMatrices(t, done)
			n.Segment = append(n.Segment, direct...)
			return err
		}
	case c.Loss.Kind == method.Euclidean && c.Predictor.Kind == method.LinearP && c.Target.Kind == method.Shared && detail == Snapshots:
		keep := func(t *method.Trainer, done int) error {
			wp, err := t.Matrix(method.PredictorName)
			if err == nil {
				n.Segment = append(n.Segment, tensor(done, golden.TensorWp, golden.F32, wp))
			}
			return err
		}
		w.Before = func(t *method.Trainer, done int, b method.Batch) error {
			if done == 0 {
				if err := keep(t, 0); err != nil {
					return err
				}
			}
			f, cross, err := check.BatchMoments(t, b)
			if err != nil {
				return err
			}
			n.Segment = append(n.Segment, tensor(done+1, golden.TensorFBat, golden.F32, f), tensor(done+1, golden.TensorC, golden.F32, cross))
			return nil
		}
		w.After = keep
	}
	keepState(w, &n)
	o, err := check.Train(ctx, e, d, arm, base, seed, 0, w)
	if err != nil {
		return golden.Run{}, nil, err
	}
	run := golden.Run{Seed: seed, Series: n.Series, Final: Finals(o)}
	if c.Steps >= StateSteps {
		put(run.Final, MetricState, n.State)
	}
	if n.Snapshots != nil {
		run.Snapshots = &golden.Blob{Tensors: n.Snapshots}
	}
	if n.Segment != nil {
		run.Segment = &golden.Blob{Tensors: n.Segment}
	}
	return run, o, nil
}

// Finals are the final metrics of an outcome under the names a golden has for them.
func Finals(o *check.Outcome) map[string]float64 {
	m := map[string]float64{}
	for name, v := range o.Final {
		put(m, name, v)
	}
	put(m, MetricIdentity, o.Identity)
	put(m, MetricDiscreteError, o.Discrete)
	put(m, MetricReplayError, o.Replay)
	put(m, MetricAverageError, o.Laws.Average)
	put(m, MetricMomentError, o.Laws.Moment)
	put(m, MetricBallError, o.Laws.Ball)
	put(m, MetricViews, o.Laws.Views)
	if _, ok := m[MetricDiscreteError]; ok {
		put(m, MetricBalanceError, o.BalanceError())
	}
	return m
}

func put(m map[string]float64, name string, v float64) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		m[name] = v
	}
}

// spectra are the eigenvalues of F and, with a predictor, its gains in F's eigenbasis.
func spectra(l *check.Look) map[string][]float64 {
	if l.Predictor == nil {
		return nil
	}
	return map[string][]float64{
		golden.SpectrumPrefix + golden.TensorF: l.Alignment.S,
		golden.SpectrumGains:                   l.Alignment.P,
	}
}

// wideMoment is the dimension above which moments are kept in float32, for the size of the files.
const wideMoment = 64

// matrices are what the verifier reads at one step. F and the moments of ẑ are computed here in float64 and kept so up to
// 64 dimensions: the gains are compared where the gaps between F's eigenvalues exceed its rounding. The weights are
// float32 in the engine, and keep their bits in that format.
func matrices(t *method.Trainer, done int, l *check.Look) ([]golden.Tensor, error) {
	weights := golden.F32
	if t.Config().Precision == method.Float64 {
		weights = golden.F64
	}
	zn := metric.Normalized(l.Projection)
	n, d := zn.Dims()
	moments := golden.F64
	if d > wideMoment {
		moments = golden.F32
	}
	mean := mat.NewDense(d, 1, nil)
	for i := range n {
		for j := range d {
			mean.Set(j, 0, mean.At(j, 0)+zn.At(i, j)/float64(n))
		}
	}
	out := []golden.Tensor{
		tensor(done, golden.TensorF, moments, metric.SecondMoment(l.Projection)),
		tensor(done, golden.TensorZ, moments, metric.SecondMoment(zn)),
		tensor(done, golden.TensorZMean, moments, mean),
	}
	if l.Predictor != nil {
		out = append(out, tensor(done, golden.TensorWp, weights, l.Predictor))
		if l.LastLayer != nil {
			out = append(out, tensor(done, golden.TensorWL, weights, l.LastLayer))
		}
		if l.Bias != nil {
			out = append(out, tensor(done, golden.TensorBias, weights, mat.NewDense(len(l.Bias), 1, l.Bias)))
		}
	}
	if t.Config().Direct != nil && done > 0 {
		f, err := t.Matrix(method.MomentName)
		if err != nil {
			return nil, err
		}
		out = append(out, tensor(done, golden.TensorFHat, weights, f))
	}
	return out, nil
}

// directMatrices are F̂ and W_p after a step.
func directMatrices(t *method.Trainer, done int) ([]golden.Tensor, error) {
	f, err := t.Matrix(method.MomentName)
	if err != nil {
		return nil, err
	}
	wp, err := t.Matrix(method.PredictorName)
	if err != nil {
		return nil, err
	}
	return []golden.Tensor{tensor(done, golden.TensorFHat, golden.F32, f), tensor(done, golden.TensorWp, golden.F32, wp)}, nil
}

func tensor(step int, name string, format golden.DType, m mat.Matrix) golden.Tensor {
	r, c := m.Dims()
	return golden.Tensor{Step: step, Name: name, Rows: r, Cols: c, DType: format, Data: slices.Clone(mat.DenseCopyOf(m).RawMatrix().Data)}
}
