package check

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// replayTolerance bounds the replayed against the real W_p, relative to its norm: the bound of the rule "replay" of
// package golden, which repeats the replay from what is recorded.
const replayTolerance = 1e-4

// BatchMoments are F = ½E[f₁f₁ᵀ + f₂f₂ᵀ] and, for a shared target, C = ½E[f₂f₁ᵀ + f₁f₂ᵀ] of a batch, each view with its
// own batch statistics as in the step that follows; c is nil for an averaged target.
func BatchMoments(t *method.Trainer, b method.Batch) (f *mat.SymDense, c *mat.Dense, err error) {
	one, err := t.Embed(b.X1, b.N, method.BatchStatistics)
	if err != nil {
		return nil, nil, err
	}
	two, err := t.Embed(b.X2, b.N, method.BatchStatistics)
	if err != nil {
		return nil, nil, err
	}
	f = metric.SecondMoment(one.Projection)
	f.AddSym(f, metric.SecondMoment(two.Projection))
	f.ScaleSym(0.5, f)
	if t.Config().Target.Kind != method.Shared {
		return f, nil, nil
	}
	c = new(mat.Dense)
	c.Mul(two.Projection.T(), one.Projection)
	c.Add(c, mat.DenseCopyOf(c.T()))
	c.Scale(0.5/float64(b.N), c)
	return f, c, nil
}

// replayLaw carries W_p over steps of plain SGD on the Euclidean loss in both directions,
//
//	W_p ← W_p − lr·α_p·(2(W_p·F − C) + wd_p·W_p)
//
// which is the whole of the predictor's gradient whatever the encoder is: the moments F and C of the batch are all that
// it sees. It begins at the start of the run and is never set right again.
type replayLaw struct {
	rate, decay float64
	w           *mat.Dense
	worst       float64
}

// newReplayLaw starts at the trainer's state; it returns nil where the moments at hand do not give the gradient. That the
// optimiser has no momentum is not asked for: with it the law fails.
func newReplayLaw(t *method.Trainer) (*replayLaw, error) {
	c := t.Config()
	if c.Loss.Kind != method.Euclidean || !c.Loss.BothDirections || c.Target.Kind != method.Shared ||
		c.Predictor.Kind != method.LinearP || c.Predictor.Symmetrize || c.Method == method.NoStopGradient ||
		c.Optimizer.Schedule != nil || c.Optimizer.Trust != 0 {
		return nil, nil
	}
	l := &replayLaw{rate: c.Optimizer.LearningRate * c.Predictor.RateRatio, decay: c.Optimizer.WeightDecay}
	if c.Optimizer.Decay == method.TheoryDecay {
		l.decay /= c.Predictor.RateRatio
	}
	var err error
	l.w, err = linearPredictor(t)
	return l, err
}

// before takes the batch of the step to come.
func (l *replayLaw) before(t *method.Trainer, b method.Batch) error {
	f, c, err := BatchMoments(t, b)
	if err != nil {
		return err
	}
	var grad, shrink mat.Dense
	grad.Mul(l.w, f)
	grad.Sub(&grad, c)
	grad.Scale(2, &grad)
	shrink.Scale(l.decay, l.w)
	grad.Add(&grad, &shrink)
	grad.Scale(l.rate, &grad)
	l.w.Sub(l.w, &grad)
	return nil
}

// after takes the step that the trainer has made.
func (l *replayLaw) after(t *method.Trainer) error {
	w, err := linearPredictor(t)
	if err != nil {
		return err
	}
	var far mat.Dense
	far.Sub(l.w, w)
	if x := mat.Norm(&far, 2) / mat.Norm(w, 2); x > l.worst || math.IsNaN(x) {
		l.worst = x
	}
	return nil
}
