package check

import (
	"context"
	"fmt"
	"math"
	"strings"

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
	// Identity is the largest relative distance of W_p from the one that F̂ prescribes, over all steps; NaN
	// without a direct predictor.
	Identity float64
	// Decay is ηt at each record: the flow time times the decay.
	Decay []float64
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

// evaluation holds the views on which every run of a seed is looked at.
type evaluation struct {
	train, test data.Views
	classes     int
}

func newEvaluation(d *data.Dataset, seed uint64) (*evaluation, error) {
	train, test, err := d.Evaluation(seed)
	if err != nil {
		return nil, err
	}
	classes := 0
	for _, l := range train.Labels {
		classes = max(classes, l+1)
	}
	return &evaluation{train, test, classes}, nil
}

// Measure takes the measures of Columns.
func (v *evaluation) Measure(t *method.Trainer) ([]float64, error) {
	e, err := t.Embed(v.train.X, v.train.N, method.BatchStatistics)
	if err != nil {
		return nil, err
	}
	z := e.Projection
	rank := metric.EffectiveRank(z)
	nan := math.NaN()
	out := []float64{metric.ZStd(z), rank.Uncentred, rank.Centred, nan, nan, nan, nan, nan}
	wp, err := linearPredictor(t)
	if err != nil || wp == nil {
		return out, err
	}
	al := metric.Align(metric.SecondMoment(z), wp, topEigenvectors)
	out[3], out[4], out[5], out[6] = al.Asymmetry, al.Commutator, al.TopCosine, al.Parabola
	wl, err := t.Matrix("online/projector/out/w")
	if err != nil {
		return nil, err
	}
	b, _, err := t.Values("online/projector/out/b")
	if err != nil {
		return nil, err
	}
	out[7] = mat.Norm(metric.Balance(wl, b, wp, t.Config().Predictor.RateRatio), 2)
	return out, nil
}

// linearPredictor returns W_p, or nil for a configuration without a linear predictor.
func linearPredictor(t *method.Trainer) (*mat.Dense, error) {
	switch t.Config().Predictor.Kind {
	case method.LinearP, method.DirectP:
		return t.Matrix(method.PredictorName)
	}
	return nil, nil
}

// accuracies judges encoder and projections at the end of a run. knn and zknn are the five nearest
// neighbours by cosine, lin ridge regression on standardised encoder features, lin10 the same from ten
// labels a class.
func (v *evaluation) accuracies(t *method.Trainer, seed uint64, into map[string]float64) error {
	sample := func(w data.Views) (features, projections metric.Sample, err error) {
		e, err := t.Embed(w.X, w.N, method.RunningStatistics)
		if err != nil {
			return features, projections, err
		}
		return metric.Sample{X: e.Features, Labels: w.Labels}, metric.Sample{X: e.Projection, Labels: w.Labels}, nil
	}
	train, ztrain, err := sample(v.train)
	if err != nil {
		return err
	}
	test, ztest, err := sample(v.test)
	if err != nil {
		return err
	}
	if into["knn"], err = metric.DigitsKNN().Accuracy(train, test, v.classes); err != nil {
		return err
	}
	if into["zknn"], err = metric.DigitsKNN().Accuracy(ztrain, ztest, v.classes); err != nil {
		return err
	}
	if into["lin"], err = metric.DigitsRidge().Accuracy(train, test, v.classes); err != nil {
		return err
	}
	into["lin10"], err = metric.DigitsFewShot(seed).Accuracy(train, test, v.train.Images, v.classes)
	return err
}

// Train makes one run and looks at it every `every` steps. progress, if not nil, is called after each step.
func Train(ctx context.Context, e *engine.Engine, d *data.Dataset, a Arm, base method.Config, seed uint64, every int, progress func(step, steps int)) (*Outcome, error) {
	c, err := a.Config(base)
	if err != nil {
		return nil, err
	}
	v, err := newEvaluation(d, seed)
	if err != nil {
		return nil, err
	}
	src, err := d.Source(seed, c.Batch)
	if err != nil {
		return nil, err
	}
	t, err := method.New(e, c, seed)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	o := &Outcome{Arm: a, Seed: seed, Config: c, Final: map[string]float64{}, Identity: math.NaN()}
	look := func(step int) error {
		values, err := v.Measure(t)
		if err != nil {
			return err
		}
		o.Series = append(o.Series, method.Record{Step: step, Values: values})
		o.Decay = append(o.Decay, c.TotalDecay()*float64(step)/float64(c.Steps))
		return nil
	}
	if err := look(0); err != nil {
		return nil, err
	}
	for step := range c.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := t.Step(src.Batch(step)); err != nil {
			return nil, fmt.Errorf("check: %s, seed %d, step %d: %w", a, seed, step, err)
		}
		if c.Direct != nil {
			if a == Permuted {
				if err := permutePredictor(t); err != nil {
					return nil, err
				}
			}
			far, err := identityDistance(t)
			if err != nil {
				return nil, err
			}
			if !(far <= o.Identity) {
				o.Identity = far
			}
		}
		if done := step + 1; done%every == 0 || done == c.Steps {
			if err := look(done); err != nil {
				return nil, err
			}
		}
		if progress != nil {
			progress(step+1, c.Steps)
		}
	}
	last := o.Series[len(o.Series)-1].Values
	for j, col := range Columns {
		o.Final[col] = last[j]
	}
	return o, v.accuracies(t, seed, o.Final)
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
	if c.Direct.Formula != method.Code {
		return 0, fmt.Errorf("check: the identity is written for the formula %q", method.Code)
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
		return math.NaN(), nil
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

// balanceError is the largest relative deviation of the imbalance ratio from exp(−2ηt) over the records.
func (o *Outcome) balanceError() float64 {
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
