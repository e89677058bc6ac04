package recorder

import (
	"encoding/json"
	"fmt"
	"math"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/method"
)

// Outcomes returns the first runs of a golden's seeds as package check has them, so that its gates can judge them again.
func Outcomes(tier check.Tier, g *golden.Golden) (check.Arm, []*check.Outcome, error) {
	got, arm, err := Label(g.ID)
	if err != nil {
		return "", nil, err
	}
	if got != tier {
		return "", nil, fmt.Errorf("recorder: golden %s is not of tier %s", g.ID, tier)
	}
	text, err := g.Config.MarshalJSON()
	if err != nil {
		return "", nil, err
	}
	var c method.Config
	if err := json.Unmarshal(text, &c); err != nil {
		return "", nil, fmt.Errorf("recorder: golden %s: %w", g.ID, err)
	}
	var out []*check.Outcome
	for _, r := range g.Runs {
		if r.Rerun == 0 {
			out = append(out, outcome(arm, c, r))
		}
	}
	return arm, out, nil
}

// outcome is a run as package check has it.
func outcome(arm check.Arm, c method.Config, r golden.Run) *check.Outcome {
	value := func(m map[string]float64, name string) float64 {
		if v, ok := m[name]; ok {
			return v
		}
		return math.NaN()
	}
	o := &check.Outcome{Arm: arm, Seed: r.Seed, Config: c, Final: r.Final, Identity: value(r.Final, MetricIdentity),
		Discrete: value(r.Final, MetricDiscreteError), Replay: value(r.Final, MetricReplayError),
		Laws: check.Laws{Average: value(r.Final, MetricAverageError), Moment: value(r.Final, MetricMomentError), Ball: value(r.Final, MetricBallError), Views: value(r.Final, MetricViews)}}
	for _, p := range r.Series {
		values := make([]float64, len(check.Columns))
		for i, name := range check.Columns {
			values[i] = value(p.Values, name)
		}
		o.Series = append(o.Series, method.Record{Step: p.Step, Values: values})
		o.Decay = append(o.Decay, p.TEta)
	}
	return o
}
