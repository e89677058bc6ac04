package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// Columns are the measures taken along a run; z is the projector's output on the evaluation views of the
// training images, F its uncentred second moment.
//
//	zstd         spread of the directions of z, [metric.ZStd]
//	er           effective rank of E[ẑẑᵀ], uncentred
//	er_centered  the same, centred
//	asym         ‖W_p − W_pᵀ‖/‖W_p‖
//	comm         ‖[F, W_p]‖/(‖F‖‖W_p‖)
//	cos_top8     mean cosine between W_p·v and v over F's leading eigenvectors v
//	parabola     correlation of v_jᵀW_p v_j with √s_j
//	bal          ‖W_L·W_Lᵀ + b·bᵀ − W_pᵀ·W_p/α_p‖ of the projector's last layer
var Columns = []string{"zstd", "er", "er_centered", "asym", "comm", "cos_top8", "parabola", "bal"}

// topEigenvectors is how many eigenvectors of F the cosine is over.
const topEigenvectors = 8

// Outcome is what one run came to.
type Outcome struct {
	Arm    Arm
	Seed   uint64
	Config method.Config
	// Series are the records of Columns, the first before any step.
	Series []method.Record
	// Final are the last record by column, and the accuracies of the end: knn and lin of encoder features,
	// zknn of projections, lin10 with ten labels a class.
	Final map[string]float64
	// Identity is the largest relative distance of W_p from the one that F̂ prescribes, over all steps or, with
	// [Watch.AtLooks], all looks but the first; NaN without a direct predictor.
	Identity float64
	// Decay is ηt at each record: the flow time times the decay.
	Decay []float64
	// Discrete is the largest deviation, over all steps and relative to its size, of the imbalance of Theorem 1 from
	// the one that the law of the discrete step carries forward; NaN unless a linear predictor is trained without
	// momentum. See [discreteLaw].
	Discrete float64
	// Replay is the largest deviation, over all steps, of W_p from the one replayed from the moments of the batches;
	// NaN unless a linear predictor is trained on the Euclidean loss with a shared target. See [replayLaw].
	Replay float64
	// Laws are the deviations of the first steps from what the configuration says a step is; not a number with
	// [Watch.AtLooks].
	Laws Laws
	// Seconds is the wall time of the run; it depends on what else the machine does.
	Seconds float64
}

// At returns a column at the record nearest to a step.
func (o *Outcome) At(column string, step int) float64 {
	best := 0
	for i, r := range o.Series {
		if abs(r.Step-step) < abs(o.Series[best].Step-step) {
			best = i
		}
	}
	for j, c := range Columns {
		if c == column {
			return o.Series[best].Values[j]
		}
	}
	return math.NaN()
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Evaluation holds the views on which every run of a seed is looked at.
type Evaluation struct {
	// Train are the views that Look embeds; their labels, and Test, serve Accuracies alone.
	Train, Test data.Views
	Classes     int
}

// NewEvaluation draws the views of a data set with labels.
func NewEvaluation(d *data.Dataset, seed uint64) (*Evaluation, error) {
	train, test, err := d.Evaluation(seed)
	if err != nil {
		return nil, err
	}
	return &Evaluation{Train: train, Test: test, Classes: len(d.Train.Classes)}, nil
}

// Look is what one look at a trainer finds.
type Look struct {
	// Values are the measures of Columns; NaN where the configuration has none.
	Values []float64
	// Projection is z, one row for each view, with the statistics of all of them together.
	Projection *mat.Dense
	// Predictor is W_p, nil unless it is a matrix; Alignment holds it against E[zzᵀ].
	Predictor *mat.Dense
	Alignment metric.Alignment
	// LastLayer and Bias are W_L and b with z = W_L·h + b, nil where there is no such layer or bias.
	LastLayer *mat.Dense
	Bias      []float64
}

// Look takes the measures of Columns. It does not change the trainer.
func (v *Evaluation) Look(t *method.Trainer) (*Look, error) {
	e, err := t.Embed(v.Train.X, v.Train.N, method.BatchStatistics)
	if err != nil {
		return nil, err
	}
	z := e.Projection
	if s := mat.Sum(z); math.IsNaN(s) || math.IsInf(s, 0) {
		return nil, fmt.Errorf("check: after step %d the projections are not finite: the run has diverged", t.Done())
	}
	rank := metric.EffectiveRank(z)
	nan := math.NaN()
	l := &Look{Values: []float64{metric.ZStd(z), rank.Uncentred, rank.Centred, nan, nan, nan, nan, nan}, Projection: z}
	if l.Predictor, err = linearPredictor(t); err != nil || l.Predictor == nil {
		return l, err
	}
	l.Alignment = metric.Align(metric.SecondMoment(z), l.Predictor, topEigenvectors)
	l.Values[3], l.Values[4], l.Values[5], l.Values[6] = l.Alignment.Asymmetry, l.Alignment.Commutator, l.Alignment.TopCosine, l.Alignment.Parabola
	if l.LastLayer, l.Bias, err = lastLayer(t); err != nil || l.LastLayer == nil {
		return l, err
	}
	l.Values[7] = mat.Norm(metric.Balance(l.LastLayer, l.Bias, l.Predictor, t.Config().Predictor.RateRatio), 2)
	return l, nil
}

// lastLayer returns W_L and b, or nil where BatchNorm comes between them and the predictor: Theorem 1 is about
// layers that follow each other.
func lastLayer(t *method.Trainer) (wl *mat.Dense, b []float64, err error) {
	n := t.Config().Net
	name := "online/projector/out"
	switch {
	case n.Kind == method.Linear:
		name = "online"
	case n.OutputBN:
		return nil, nil, nil
	}
	if wl, err = t.Matrix(name + "/w"); err != nil || !n.Bias {
		return wl, nil, err
	}
	b, _, err = t.Values(name + "/b")
	return wl, b, err
}

// linearPredictor returns W_p, or nil for a configuration without a linear predictor.
func linearPredictor(t *method.Trainer) (*mat.Dense, error) {
	switch t.Config().Predictor.Kind {
	case method.LinearP, method.DirectP:
		return t.Matrix(method.PredictorName)
	}
	return nil, nil
}

// Accuracies judges encoder and projections with running statistics. knn and zknn are the five nearest
// neighbours by cosine, lin ridge regression on standardised encoder features, lin10 the same from ten labels
// a class, and missing where a class has fewer.
func (v *Evaluation) Accuracies(t *method.Trainer, seed uint64) (map[string]float64, error) {
	sample := func(w data.Views) (features, projections metric.Sample, err error) {
		e, err := t.Embed(w.X, w.N, method.RunningStatistics)
		if err != nil {
			return features, projections, err
		}
		return metric.Sample{X: e.Features, Labels: w.Labels}, metric.Sample{X: e.Projection, Labels: w.Labels}, nil
	}
	train, ztrain, err := sample(v.Train)
	if err != nil {
		return nil, err
	}
	test, ztest, err := sample(v.Test)
	if err != nil {
		return nil, err
	}
	into := map[string]float64{}
	if into["knn"], err = metric.DigitsKNN().Accuracy(train, test, v.Classes); err != nil {
		return nil, err
	}
	if into["zknn"], err = metric.DigitsKNN().Accuracy(ztrain, ztest, v.Classes); err != nil {
		return nil, err
	}
	if into["lin"], err = metric.DigitsRidge().Accuracy(train, test, v.Classes); err != nil {
		return nil, err
	}
	if few := metric.DigitsFewShot(seed); v.fewest() >= few.Shots {
		if into["lin10"], err = few.Accuracy(train, test, v.Train.Images, v.Classes); err != nil {
			return nil, err
		}
	}
	return into, nil
}

// fewest is the number of training images of the rarest class.
func (v *Evaluation) fewest() int {
	count := make([]int, v.Classes)
	last := -1
	for row, image := range v.Train.Images {
		if image != last { // the views of an image follow one another
			count[v.Train.Labels[row]]++
		}
		last = image
	}
	return slices.Min(count)
}

// Watch observes a run; any of its functions may be nil. None may change the trainer.
type Watch struct {
	// Only says for which steps, counted from 1, Before and After are called; nil is all of them.
	Only func(step int) bool
	// Before is called before a step, with the number of steps made and the batch to come, which is made on the host
	// then; other steps take it from where [method.Trainer.Stepper] makes it.
	Before func(t *method.Trainer, done int, b method.Batch) error
	// After is called after a step.
	After func(t *method.Trainer, done int) error
	// Look is called with each look: loss is that of the last step, NaN before it, decay is ηt.
	Look func(t *method.Trainer, done int, loss, decay float64, l *Look) error
	// Progress is called after every step.
	Progress func(step, steps int)
	// AtLooks holds W_p against F̂ at the looks instead of after every step: an eigendecomposition each.
	AtLooks bool
	// Keep, if not nil, is where an unfinished run is kept and goes on from.
	Keep *Keep
}

// Train makes one run and looks at it every `every` steps, 0 being a tenth of the run; w may be nil.
func Train(ctx context.Context, e *engine.Engine, d *data.Dataset, a Arm, base method.Config, seed uint64, every int, w *Watch) (*Outcome, error) {
	c, err := a.Config(base)
	if err != nil {
		return nil, err
	}
	if w == nil {
		w = new(Watch)
	}
	if every == 0 {
		every = max(1, c.Steps/looks)
	}
	r := &run{watch: w, every: every, loss: math.NaN(), start: time.Now(),
		o: &Outcome{Arm: a, Seed: seed, Config: c, Final: map[string]float64{}, Identity: math.NaN(), Discrete: math.NaN(), Replay: math.NaN(), Laws: newStepLaws(c).worst}}
	if !w.AtLooks {
		r.laws = newStepLaws(c)
	}
	if r.views, err = NewEvaluation(d, seed); err != nil {
		return nil, err
	}
	if r.src, err = d.Source(seed, c.Batch); err != nil {
		return nil, err
	}
	if r.t, err = w.Keep.resume(e, r); err != nil {
		return nil, err
	}
	if r.t == nil {
		if r.t, err = method.New(e, a.trained(c), seed); err != nil {
			return nil, err
		}
	}
	defer r.t.Close()
	if r.laws != nil && r.t.Done() > 0 {
		r.laws.worst = r.o.Laws
	}
	if r.law, err = newDiscreteLaw(r.t); err != nil {
		return nil, err
	}
	if r.replay, err = newReplayLaw(r.t); err != nil {
		return nil, err
	}
	if err := r.train(ctx); err != nil {
		if cause := ctx.Err(); cause != nil && errors.Is(err, cause) {
			if e := r.keep(); e != nil {
				return nil, e
			}
		}
		return nil, err
	}
	last := r.o.Series[len(r.o.Series)-1].Values
	for j, col := range Columns {
		r.o.Final[col] = last[j]
	}
	accuracies, err := r.views.Accuracies(r.t, seed)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.o.Final, accuracies)
	r.o.Seconds += time.Since(r.start).Seconds()
	return r.o, w.Keep.remove()
}

// run is a call of Train.
type run struct {
	watch  *Watch
	every  int
	views  *Evaluation
	src    method.Source
	t      *method.Trainer
	o      *Outcome
	law    *discreteLaw
	replay *replayLaw
	laws   *stepLaws
	loss   float64
	start  time.Time
}

// train makes the steps.
func (r *run) train(ctx context.Context) error {
	next, err := r.t.Stepper(r.src, method.Anywhere)
	if err != nil {
		return err
	}
	if r.t.Done() == 0 {
		if err := r.look(); err != nil {
			return err
		}
	}
	for r.t.Done() < r.o.Config.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.step(next); err != nil {
			return err
		}
	}
	return nil
}

// due tells whether a look is taken after a number of steps.
func (r *run) due(done int) bool { return done%r.every == 0 || done == r.o.Config.Steps }

// failed adds arm and seed to an error of a step.
func (r *run) failed(err error) error {
	return fmt.Errorf("check: %s, seed %d: %w", r.o.Arm, r.o.Seed, err)
}

// step makes one step, by next unless something wants to see the batch.
func (r *run) step(next func() (float64, error)) error {
	w, done := r.watch, r.t.Done()
	watched := w.Only == nil || w.Only(done+1)
	mutant := r.o.Arm
	var before map[string][]float64
	var projected *mat.Dense
	if w.Before != nil && watched || r.replay != nil || r.laws.wants(done) || mutant == SameViews || mutant.tampers() {
		batch := r.src.Batch(done)
		if mutant == SameViews {
			batch.X2 = batch.X1
		}
		next = func() (float64, error) { return r.t.Step(batch) }
		if r.laws.wants(done) {
			if err := r.laws.take(r.t, batch); err != nil {
				return err
			}
		}
		if mutant.tampers() {
			var err error
			if before, err = state(r.t); err != nil {
				return err
			}
			if mutant == OneView {
				e, err := r.t.Embed(batch.X1, batch.N, method.BatchStatistics)
				if err != nil {
					return err
				}
				projected = e.Projection
			}
		}
		if w.Before != nil && watched {
			if err := w.Before(r.t, done, batch); err != nil {
				return err
			}
		}
		if r.replay != nil {
			if err := r.replay.before(r.t, batch); err != nil {
				return err
			}
		}
	}
	var err error
	if r.loss, err = next(); err != nil {
		return r.failed(fmt.Errorf("step %d: %w", done, err))
	}
	if math.IsNaN(r.loss) || math.IsInf(r.loss, 0) {
		return r.failed(&method.DivergedError{Step: done, Loss: r.loss})
	}
	if r.o.Arm == Permuted {
		if err := permutePredictor(r.t); err != nil {
			return err
		}
	}
	if mutant.tampers() {
		if err := mutant.tamper(r.t, before, projected, done == 0); err != nil {
			return err
		}
	}
	if r.laws.wants(done) {
		if err := r.laws.follow(r.t, done == 0); err != nil {
			return err
		}
		r.o.Laws = r.laws.worst
	}
	if r.o.Config.Direct != nil && !w.AtLooks {
		if err := r.identity(); err != nil {
			return err
		}
	}
	if r.law != nil {
		if err := r.law.follow(r.t); err != nil {
			return err
		}
		r.o.Discrete = r.law.worst
	}
	if r.replay != nil {
		if err := r.replay.after(r.t); err != nil {
			return err
		}
		r.o.Replay = r.replay.worst
	}
	done++
	if w.After != nil && watched {
		if err := w.After(r.t, done); err != nil {
			return err
		}
	}
	if r.due(done) {
		if err := r.look(); err != nil {
			return err
		}
	}
	if w.Progress != nil {
		w.Progress(done, r.o.Config.Steps)
	}
	return nil
}

// identity holds W_p against F̂.
func (r *run) identity() error {
	far, err := identityDistance(r.t)
	if err != nil {
		return err
	}
	if math.IsNaN(far) {
		return r.failed(fmt.Errorf("step %d: the distance of W_p from F̂'s is not a number", r.t.Done()-1))
	}
	if !(far <= r.o.Identity) { // also at the first, when it is NaN
		r.o.Identity = far
	}
	return nil
}

// look takes a look at the trainer as it stands.
func (r *run) look() error {
	l, err := r.views.Look(r.t)
	if err != nil {
		return err
	}
	done, c := r.t.Done(), r.o.Config
	decay := c.DecayAt(done)
	r.o.Series = append(r.o.Series, method.Record{Step: done, Values: l.Values})
	r.o.Decay = append(r.o.Decay, decay)
	if c.Direct != nil && r.watch.AtLooks && done > 0 {
		if err := r.identity(); err != nil {
			return err
		}
	}
	if r.watch.Look != nil {
		if err := r.watch.Look(r.t, done, r.loss, decay, l); err != nil {
			return err
		}
	}
	if done == 0 || done == c.Steps {
		return nil
	}
	return r.keep()
}

// identityDistance is ‖W_p − U·diag(p)·Uᵀ‖/‖W_p‖ for the eigenvectors U of F̂ and the published code's
// p_j = max((s_j/s_max)^γ + ε, 1e-4), γ = ½ for DirectPred and 1 for DirectCopy, computed here from the
// recorded F̂ without the trainer's own code.
func identityDistance(t *method.Trainer) (float64, error) {
	f, err := t.Matrix(method.MomentName)
	if err != nil {
		return 0, err
	}
	wp, err := t.Matrix(method.PredictorName)
	if err != nil {
		return 0, err
	}
	c := t.Config()
	if d := c.Direct; d.Formula != method.Code || d.EpsInside || d.Shrink != 0 || d.ZeroMean {
		return 0, fmt.Errorf("check: the identity is written for the formula %q, without eps_inside, dyn_reg and dyn_zero_mean", method.Code)
	}
	gamma := map[method.Method]float64{method.DirectPred: 0.5, method.DirectCopy: 1, method.DirectSet: c.Direct.Gamma}[c.Method]
	const least = 1e-4 // the code's clamp
	n, _ := f.Dims()
	var eig mat.EigenSym
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			sym.SetSym(i, j, (f.At(i, j)+f.At(j, i))/2)
		}
	}
	if !eig.Factorize(sym, true) {
		return 0, fmt.Errorf("check: the eigendecomposition of F̂ did not converge")
	}
	s := eig.Values(nil)
	var u mat.Dense
	eig.VectorsTo(&u)
	p := make([]float64, n)
	for j := range p {
		p[j] = math.Max(math.Pow(math.Max(s[j], 0)/s[n-1], gamma)+c.Direct.Epsilon, least)
	}
	var want mat.Dense
	want.Mul(&u, mat.NewDiagDense(n, p))
	want.Mul(&want, u.T())
	want.Sub(&want, wp)
	return mat.Norm(&want, 2) / mat.Norm(wp, 2), nil
}

// permutePredictor replaces W_p by U·diag(p')·Uᵀ with the eigenvalues shifted to the neighbouring
// eigenvector: the broken variant of the identity.
func permutePredictor(t *method.Trainer) error {
	wp, err := t.Matrix(method.PredictorName)
	if err != nil {
		return err
	}
	n, _ := wp.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			sym.SetSym(i, j, (wp.At(i, j)+wp.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return fmt.Errorf("check: the predictor has no eigendecomposition")
	}
	var u, out mat.Dense
	eig.VectorsTo(&u)
	p := eig.Values(nil)
	out.Mul(&u, mat.NewDiagDense(n, append(p[1:], p[0])))
	out.Mul(&out, u.T())
	return t.SetMatrix(method.PredictorName, &out)
}

// Collapse is the verdict on the run's last look.
func (o *Outcome) Collapse() metric.Verdict { return metric.Judge(o.Final["zstd"], o.Final["er"]) }

// BalanceError is the largest relative deviation of the imbalance ratio from exp(−2ηt) over the records.
func (o *Outcome) BalanceError() float64 {
	worst := 0.
	first := o.At("bal", 0)
	for i, r := range o.Series {
		ratio := r.Values[len(Columns)-1] / first
		worst = math.Max(worst, math.Abs(ratio/math.Exp(-2*o.Decay[i])-1))
	}
	return worst
}

// String says what the run came to on one line.
func (o *Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s seed %d: %s", o.Arm, o.Seed, o.Collapse())
	for _, k := range []string{"zstd", "er", "asym", "comm", "cos_top8", "knn", "lin10"} {
		if x := o.Final[k]; !math.IsNaN(x) {
			fmt.Fprintf(&b, " %s %.3g", k, x)
		}
	}
	return b.String()
}
