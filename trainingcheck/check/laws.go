package check

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
)

// stepLaws hold the first steps of a run against what the configuration says one step is, computed here in float64 from
// the state before it and the batch, without the trainer's code:
//
//	average  W_a' = m·W_a + (1−m)·W', with the updated W', for every tensor of the target
//	moment   F̂' = ρ·F̂ + (1−ρ)·½E[f₁f₁ᵀ + f₂f₂ᵀ], and F̂' = ½E[f₁f₁ᵀ + f₂f₂ᵀ] in the first step
//	ball     v' = μ·v + ∂L/∂W_p + wd_p·W_p and W_p' = W_p − lr·α_p·v', for the cosine loss with a shared target
//	views    E‖x₁ − x₂‖²/E‖x₁‖² of the batch
//
// A mistake in one of them need not show in what a run comes to: five of the six [Mutants] pass every gate on its end.
type stepLaws struct {
	config method.Config // as declared
	worst  Laws
	before map[string][]float64
	f      [2]*mat.Dense // projections of the batch before the step
}

// Laws are the largest deviations from the laws of a step over the steps looked at, NaN where a law does not apply; Views
// is the least distance between the two views.
type Laws struct{ Average, Moment, Ball, Views float64 }

// lawSteps is how many steps are looked at: the laws are the same in every step, and F̂ and v have left their start.
const lawSteps = 12

// Tolerances of the laws. Weights and moments are float32, u = 6e-8, and relative deviations are measured against the
// largest entry of what is compared: a tensor of the average is rounded twice, 4u at most, forty times which is allowed; F̂ adds the rounding of sums of
// 128 products, √128·u a view, and that of the projections behind it, some ten layers' u; W_p is rounded once and moves by
// lr·v, whose gradient passes the same layers and is some tenths of W_p. The least mutant is off by 1e-3 (tested).
const (
	averageTolerance = 1e-5
	momentTolerance  = 1e-4
	ballTolerance    = 1e-5
	// leastDistance of the views: noise, contrast, shift and cutout move a digit by more than its own size on average
	// (.6 to 1.1 measured); a tenth is a quarter of a pixel's shift.
	leastDistance = 0.1
)

func newStepLaws(declared method.Config) *stepLaws {
	nan := math.NaN()
	return &stepLaws{config: declared, worst: Laws{nan, nan, nan, nan}}
}

// wants tells whether the step after done is looked at.
func (l *stepLaws) wants(done int) bool { return l != nil && done < lawSteps }

// state copies every tensor of a trainer.
func state(t *method.Trainer) (map[string][]float64, error) {
	m := map[string][]float64{}
	for _, name := range t.Names() {
		v, _, err := t.Values(name)
		if err != nil {
			return nil, err
		}
		m[name] = v
	}
	return m, nil
}

// take keeps the state before a step, and what the batch gives there.
func (l *stepLaws) take(t *method.Trainer, b method.Batch) error {
	var err error
	if l.before, err = state(t); err != nil {
		return err
	}
	c := l.config
	if c.Direct != nil || l.ball() {
		for i, x := range [][]float32{b.X1, b.X2} {
			e, err := t.Embed(x, b.N, method.BatchStatistics)
			if err != nil {
				return err
			}
			l.f[i] = e.Projection
		}
	}
	var far, size float64
	for i, x := range b.X1 {
		d := float64(x) - float64(b.X2[i])
		far += d * d
		size += float64(x) * float64(x)
	}
	l.worst.Views = least(l.worst.Views, far/size)
	return nil
}

func least(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	return math.Min(a, b)
}

func most(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	return math.Max(a, b)
}

// ball tells whether the law of the optimiser can be computed from projections.
func (l *stepLaws) ball() bool {
	c := l.config
	return c.Loss.Kind == method.Cosine && c.Loss.BothDirections && c.Target.Kind == method.Shared && c.Predictor.Kind == method.LinearP &&
		!c.Predictor.Symmetrize && c.Method == method.SimSiam && c.Optimizer.Schedule == nil && c.Optimizer.Trust == 0
}

// follow compares the state after the step. first tells that it is the run's first.
func (l *stepLaws) follow(t *method.Trainer, first bool) error {
	after, err := state(t)
	if err != nil {
		return err
	}
	c := l.config
	if c.Target.Kind == method.EMA && c.Optimizer.Schedule == nil {
		m := c.Target.Momentum
		for name, a := range after {
			rest, ok := strings.CutPrefix(name, "target/")
			if !ok {
				continue
			}
			w, old := after["online/"+rest], l.before[name]
			want := make([]float64, len(a))
			for i := range a {
				want[i] = m*old[i] + (1-m)*w[i]
			}
			l.worst.Average = most(l.worst.Average, off(a, want))
		}
	}
	if d := c.Direct; d != nil && d.Moment == method.SameView && !d.Centred && !d.PlainAverage {
		rho := d.Rho
		if first {
			rho = 0
		}
		var m, n mat.Dense
		m.Mul(l.f[0].T(), l.f[0])
		n.Mul(l.f[1].T(), l.f[1])
		m.Add(&m, &n)
		rows, _ := l.f[0].Dims()
		want := make([]float64, len(after[method.MomentName]))
		for i, v := range m.RawMatrix().Data {
			want[i] = rho*l.before[method.MomentName][i] + (1-rho)*v/float64(2*rows)
		}
		l.worst.Moment = most(l.worst.Moment, off(after[method.MomentName], want))
	}
	if l.ball() {
		l.worst.Ball = most(l.worst.Ball, off(after[method.PredictorName], l.heavyBall()))
	}
	return nil
}

// heavyBall is W_p after the step, as the trainer stores it, from the state before it. With p = W_p·f and ẑ, p̂ the
// directions of z and p, ∂(2 − 2cos(p, z))/∂p = −2(ẑ − cos(p, z)·p̂)/‖p‖.
func (l *stepLaws) heavyBall() []float64 {
	c := l.config
	n, d := l.f[0].Dims()
	w := mat.NewDense(d, d, slices.Clone(l.before[method.PredictorName])) // acts on rows: p = f·w
	grad := mat.NewDense(d, d, nil)
	for i, f := range l.f {
		z := l.f[1-i]
		var p mat.Dense
		p.Mul(f, w)
		g := mat.NewDense(n, d, nil)
		for r := range n {
			pv, zv := p.RowView(r), z.RowView(r)
			np, nz := mat.Norm(pv, 2), mat.Norm(zv, 2)
			cos := mat.Dot(pv, zv) / (np * nz)
			for k := range d {
				g.Set(r, k, -2*(zv.AtVec(k)/nz-cos*pv.AtVec(k)/np)/(np*float64(n)))
			}
		}
		var part mat.Dense
		part.Mul(f.T(), g)
		grad.Add(grad, &part)
	}
	o := c.Optimizer
	rate, decay := o.LearningRate*c.Predictor.RateRatio, o.WeightDecay
	if o.Decay == method.TheoryDecay {
		decay /= c.Predictor.RateRatio
	}
	v := l.before["velocity/"+method.PredictorName]
	out := make([]float64, d*d)
	for i, g := range grad.RawMatrix().Data {
		u := g + decay*l.before[method.PredictorName][i]
		if v != nil {
			u += o.Momentum * v[i]
		}
		out[i] = l.before[method.PredictorName][i] - rate*u
	}
	return out
}

// off is max|a − b|/max|b|.
func off(a, b []float64) float64 {
	var far, size float64
	for i := range a {
		far, size = math.Max(far, math.Abs(a[i]-b[i])), math.Max(size, math.Abs(b[i]))
		if math.IsNaN(a[i]) || math.IsNaN(b[i]) {
			return math.NaN()
		}
	}
	if size == 0 {
		return far
	}
	return far / size
}

// The mutants: training with a mistake in one step's arithmetic, under the configuration of a sound arm.
const (
	AverageBefore Arm = "mutant-average-before" // BYOL, the target averaged with the weights before the step
	OneView       Arm = "mutant-one-view"       // DirectPred, F̂ from the first view alone
	SwappedRho    Arm = "mutant-rho-swapped"    // DirectPred with 1 − ρ for ρ
	Nesterov      Arm = "mutant-nesterov"       // SimSiam with Nesterov's momentum for heavy ball
	HalfLoss      Arm = "mutant-half-loss"      // SimSiam with half the loss
	SameViews     Arm = "mutant-same-views"     // BYOL on one view in the place of two
)

// Mutants lists them with the arm whose configuration they pretend to train.
var Mutants = map[Arm]Arm{AverageBefore: BYOL, OneView: DirectPred, SwappedRho: DirectPred, Nesterov: SimSiam, HalfLoss: SimSiam, SameViews: BYOL}

// trained is the configuration that an arm in fact trains: for two mutants another one than it declares. Half the loss is
// half the rate with twice the decay: u = 2v gives u' = μu + g + 2wd·w and w' = w − (lr/2)·u'.
func (a Arm) trained(declared method.Config) method.Config {
	c := declared
	switch a {
	case SwappedRho:
		d := *c.Direct
		d.Rho = 1 - d.Rho
		c.Direct = &d
	case HalfLoss:
		c.Optimizer.LearningRate /= 2
		c.Optimizer.WeightDecay *= 2
	}
	return c
}

// tampers tells whether a mutant changes the state after each step.
func (a Arm) tampers() bool { return a == AverageBefore || a == OneView || a == Nesterov }

// tamper changes the state after a step to what the mutant makes of it; before is the state before the step and f the
// projections of the first view there.
func (a Arm) tamper(t *method.Trainer, before map[string][]float64, f *mat.Dense, first bool) error {
	c := t.Config()
	switch a {
	case AverageBefore:
		for _, name := range t.Names() {
			rest, ok := strings.CutPrefix(name, "target/")
			if !ok {
				continue
			}
			out := make([]float64, len(before[name]))
			for i, v := range before[name] {
				out[i] = c.Target.Momentum*v + (1-c.Target.Momentum)*before["online/"+rest][i]
			}
			if err := t.Set(name, out); err != nil {
				return err
			}
		}
	case Nesterov:
		for name, v := range before {
			velocity := "velocity/" + name
			if before[velocity] == nil {
				continue
			}
			now, _, err := t.Values(velocity)
			if err != nil {
				return err
			}
			rate := c.Optimizer.LearningRate
			if strings.HasPrefix(name, "predictor/") {
				rate *= c.Predictor.RateRatio
			}
			mu := c.Optimizer.Momentum
			out := make([]float64, len(v))
			for i := range v { // g + μv' with g = v' − μv
				out[i] = v[i] - rate*((1+mu)*now[i]-mu*before[velocity][i])
			}
			if err := t.Set(name, out); err != nil {
				return err
			}
		}
	case OneView:
		rho := c.Direct.Rho
		if first {
			rho = 0
		}
		rows, d := f.Dims()
		moment := mat.NewDense(d, d, nil)
		moment.Mul(f.T(), f)
		for i, v := range moment.RawMatrix().Data {
			moment.RawMatrix().Data[i] = rho*before[method.MomentName][i] + (1-rho)*v/float64(rows)
		}
		if err := t.SetMatrix(method.MomentName, moment); err != nil {
			return err
		}
		w, err := c.Direct.Predictor(c.Method, moment)
		if err != nil {
			return err
		}
		return t.SetMatrix(method.PredictorName, w)
	default:
		return fmt.Errorf("check: %s changes no state", a)
	}
	return nil
}
