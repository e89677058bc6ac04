package training

import (
	"context"

	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
)

// QuickChecks are the checks of the quick tier: linear networks against closed formulas, those that take seconds.
var QuickChecks = []string{"T1.fixed", "T1.collapse", "T1.balance", "T1.basin", "T1.ema"}

// Quick runs the quick tier with one seed and returns its results in order: for each the claims it bears on, the
// measured numbers with their gates, and whether they are observed. progress may be nil.
func Quick(ctx context.Context, progress func(done, total float64, id string)) ([]Checked, error) {
	if progress == nil {
		progress = func(float64, float64, string) {}
	}
	p, err := newPlan([]check.Tier{check.Mini}, "", engine.CPU, check.Options{}, QuickChecks, nil, 0)
	if err != nil {
		return nil, err
	}
	r, err := p.run(ctx, progress)
	return r.Results, err
}
