package training

import (
	"fmt"
	"math"
	"strings"

	"stopgrad/numeric/measure"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// Sizes of the evaluation. The digits are always evaluated whole. Convolutions on a CPU take some milliseconds an
// image, and batch statistics need all views in memory at once: 512 views of a 64-channel layer of 32×32 are 134 MB.
const (
	denseImages = 4096
	convImages  = 512
	// gaussianViews keep the sampling error of an eigenvalue, √(2/N), near 2 %.
	gaussianViews = 4096
	// fewShots is how many labelled images of each class the few-label probe needs, neighbours how many in all
	// the nearest-neighbour one.
	fewShots   = 10
	neighbours = 5
)

// evaluationStep is the step of the batches that Gaussian runs are evaluated on; no run gets there.
const evaluationStep = math.MaxInt32

// topSpectrum is how many eigenvalues the series has.
const topSpectrum = 8

// evaluation looks at a run.
type evaluation struct {
	views   *check.Evaluation // of the end
	few     *check.Evaluation // of the looks along the run
	seed    uint64
	labels  bool   // accuracies can be taken
	fewShot bool   // and lin10 among them
	sample  string // what is evaluated, in words
	top     int
	probe   bool
}

// newEvaluation draws the views a run is looked at on; they depend on the seed and the data alone.
func newEvaluation(d *data.Dataset, c method.Config, seed uint64, probe bool) (*evaluation, error) {
	e := &evaluation{seed: seed, top: min(topSpectrum, c.Net.Out), probe: probe}
	if d.Gaussian != nil {
		src, err := d.Source(seed, gaussianViews)
		if err != nil {
			return nil, err
		}
		b := src.Batch(evaluationStep)
		e.views = &check.Evaluation{Train: data.Views{X: b.X1, N: b.N, Dim: b.Dim}}
		e.sample = fmt.Sprintf("%d fresh views", b.N)
		if probe {
			return nil, badInputf("--probe needs labels, and %s has none", d.Spec)
		}
		return e, nil
	}
	limit := denseImages
	if c.Net.Kind == method.SmallConv || c.Net.Kind == method.ResNet18 {
		limit = convImages
	}
	train, test := d.Train.Labelled(limit), d.Test.Labelled(limit)
	part := *d
	part.Train, part.Test = train, test
	var err error
	if e.views, err = check.NewEvaluation(&part, seed); err != nil {
		return nil, err
	}
	if e.views.Train.N < 2 {
		return nil, badInputf("%s: %d labelled training images, at least 2 are needed to evaluate on", d.Spec, e.views.Train.N)
	}
	e.labels = e.views.Test.N > 0 && train.Len() >= neighbours
	e.fewShot = e.labels
	for _, n := range train.ClassCounts() {
		e.fewShot = e.fewShot && n >= fewShots
	}
	e.sample = fmt.Sprintf("%d of %d labelled training images, %d views each; %d of %d test images, %d views each",
		train.Len(), count(d.Train), d.TrainViews, test.Len(), count(d.Test), d.TestViews)
	if probe && !e.labels {
		return nil, badInputf("--probe needs labelled test images, and %s has none", d.Spec)
	}
	return e, nil
}

// sparingPart is the share of a run that the forward passes of looks may take. What is measured on the embeddings, in
// float64, takes as long again: on the digits, on one core, 40 looks come to 4.5 % of a run's processor time and 25 to 2.6 %.
const sparingPart = 0.02

// sparing draws the views of the looks along a run: so many images that all looks together, one every so many steps, cost
// at most a twentieth of the run with what is measured on them, but at least leastViews and at most those of the end. A step costs about eight forward passes an
// example: two views online and twice that for their gradients, and two of the target; a look one a view.
func (e *evaluation) sparing(d *data.Dataset, c method.Config, seed uint64, every int) error {
	e.few = e.views
	if d.Gaussian != nil {
		return nil
	}
	records := c.Steps/every + 1
	views := max(leastViews, int(sparingPart*8*float64(c.Batch*c.Steps)/float64(records)))
	if views >= e.views.Train.N {
		return nil
	}
	part := *d
	part.Train = d.Train.Labelled(max(2, views/max(1, d.TrainViews)))
	part.Test = d.Test.Labelled(2)
	few, err := check.NewEvaluation(&part, seed)
	if err == nil {
		e.few = few
	}
	return err
}

// leastViews keep the ranks of small projections from being those of the sample.
const leastViews = 192

// count is the number of labelled images of a set.
func count(s *data.Set) (n int) {
	for _, k := range s.ClassCounts() {
		n += k
	}
	return n
}

// accuracies are the columns that --probe adds.
func (e *evaluation) accuracies() []string {
	if !e.labels {
		return nil
	}
	a := []string{"knn", "zknn", "lin"}
	if e.fewShot {
		a = append(a, "lin10")
	}
	return a
}

// columns are those of the series besides step and loss.
func (e *evaluation) columns() []string {
	c := append([]string(nil), check.Columns...)
	c = append(c, "tau")
	for j := range e.top {
		c = append(c, fmt.Sprintf("s%d", j+1))
	}
	for j := range e.top {
		c = append(c, fmt.Sprintf("p%d", j+1))
	}
	if e.probe {
		c = append(c, e.accuracies()...)
	}
	return c
}

// look takes the columns of a trainer.
func (e *evaluation) look(t *method.Trainer) ([]float64, error) { return e.lookAt(e.few, t) }

func (e *evaluation) lookAt(views *check.Evaluation, t *method.Trainer) ([]float64, error) {
	l, err := views.Look(t)
	if err != nil {
		return nil, err
	}
	out := append([]float64(nil), l.Values...)
	tau, err := tauOf(t)
	if err != nil {
		return nil, err
	}
	out = append(out, tau)
	s, p := l.Alignment.S, l.Alignment.P
	if l.Predictor == nil {
		s, _ = measure.Eigenframe(metric.SecondMoment(l.Projection))
		p = nan(len(s))
	}
	out = append(append(out, s[:e.top]...), p[:e.top]...)
	if !e.probe {
		return out, nil
	}
	a, err := e.judge(t)
	if err != nil {
		return nil, err
	}
	for _, name := range e.accuracies() {
		out = append(out, a[name])
	}
	return out, nil
}

// judge takes the accuracies.
func (e *evaluation) judge(t *method.Trainer) (map[string]float64, error) {
	if !e.labels {
		return nil, nil
	}
	return e.views.Accuracies(t, e.seed)
}

func nan(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

// tauOf estimates τ of W_a ≈ τW over all weights of the network; NaN for a shared target.
func tauOf(t *method.Trainer) (float64, error) {
	var w, wa []float64
	for _, name := range t.Names() {
		own, ok := strings.CutPrefix(name, "target/")
		if !ok {
			continue
		}
		a, _, err := t.Values(name)
		if err != nil {
			return 0, err
		}
		b, _, err := t.Values("online/" + own)
		if err != nil {
			return 0, err
		}
		wa, w = append(wa, a...), append(w, b...)
	}
	if len(w) == 0 {
		return math.NaN(), nil
	}
	return metric.Tau(w, wa), nil
}
