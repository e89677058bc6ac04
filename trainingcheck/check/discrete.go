package check

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// discreteTolerance bounds the relative deviation from discreteLaw. Weights are float32: a step rounds W_L, b and W_p by at
// most u = 6e-8 of their entries and so moves D by at most 2u(‖W_L‖² + ‖b‖² + ‖W_p‖²/α_p). A displacement dies out as
// e^{−2ηt}, so that at most 1/(2·lr·η) = 1000 of them add up, to 1.2e-4 of ‖W_L‖² + …, which is about ‖D‖ at the start
// and some five times ‖D‖ at the end. Measured on ten seeds: at most 2.2e-6, for roundings do not all point one way.
const discreteTolerance = 1e-3

// discreteLaw carries the imbalance D = W_L·W_Lᵀ + b·bᵀ − W_pᵀ·W_p/α_p of Theorem 1 over steps of plain SGD. With
// c = 1 − lr·η, W_L' = c·W_L − U, b' = c·b − u and W_p' = c·W_p − V one step makes of it exactly
//
//	D' = c²·D + U·Uᵀ + u·uᵀ − Vᵀ·V/α_p
//
// because the terms linear in the gradients cancel: W_pᵀ·∂L/∂W_p = ∂L/∂W_L·W_Lᵀ + ∂L/∂b·bᵀ, whatever is upstream and
// whatever the loss, as long as it reaches W_L only through W_p (claim thm1-discrete). The flow's law e^{−2ηt}·D(0)
// lacks the three quadratic terms, which are of second order in the rate at each step and of first order in all.
type discreteLaw struct {
	keep  float64 // c
	alpha float64
	wl    *mat.Dense
	b     []float64
	wp    *mat.Dense
	d     *mat.Dense // predicted
	worst float64
}

// newDiscreteLaw starts at the trainer's state; it returns nil where there is no such law.
func newDiscreteLaw(t *method.Trainer) (*discreteLaw, error) {
	c := t.Config()
	if o := c.Optimizer; o.Schedule != nil || o.Trust != 0 || o.ExcludeBiasAndNorm && c.Net.Bias {
		return nil, nil
	}
	if c.Predictor.Kind != method.LinearP || c.Optimizer.Momentum != 0 || c.Predictor.Symmetrize || c.Method == method.NoStopGradient {
		return nil, nil
	}
	l := &discreteLaw{keep: 1 - c.Optimizer.LearningRate*c.Optimizer.WeightDecay, alpha: c.Predictor.RateRatio}
	var err error
	if l.wl, l.b, err = lastLayer(t); err != nil || l.wl == nil {
		return nil, err
	}
	if l.wp, err = linearPredictor(t); err != nil {
		return nil, err
	}
	l.d = metric.Balance(l.wl, l.b, l.wp, l.alpha)
	return l, nil
}

// follow takes the step that the trainer has made.
func (l *discreteLaw) follow(t *method.Trainer) error {
	wl, b, err := lastLayer(t)
	if err != nil {
		return err
	}
	wp, err := linearPredictor(t)
	if err != nil {
		return err
	}
	moved := func(before, after *mat.Dense) *mat.Dense {
		var m mat.Dense
		m.Scale(l.keep, before)
		m.Sub(&m, after)
		return &m
	}
	var u []float64
	if b != nil {
		u = make([]float64, len(b))
		for i := range b {
			u[i] = l.keep*l.b[i] - b[i]
		}
	}
	l.d.Scale(l.keep*l.keep, l.d)
	l.d.Add(l.d, metric.Balance(moved(l.wl, wl), u, moved(l.wp, wp), l.alpha))
	l.wl, l.b, l.wp = wl, b, wp
	now := metric.Balance(wl, b, wp, l.alpha)
	var far mat.Dense
	far.Sub(now, l.d)
	if x := mat.Norm(&far, 2) / mat.Norm(now, 2); x > l.worst || math.IsNaN(x) {
		l.worst = x
	}
	return nil
}
