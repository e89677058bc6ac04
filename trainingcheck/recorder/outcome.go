package recorder

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/method"
)

// Outcomes returns the first runs of a golden's seeds as package check has them, so that its gates can judge them again.
func Outcomes(tier check.Tier, g *golden.Golden) (check.Arm, []*check.Outcome, error) {
	arm, ok := strings.CutPrefix(g.ID, ID(tier, ""))
	if !ok {
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
	value := func(m map[string]float64, name string) float64 {
		if v, ok := m[name]; ok {
			return v
		}
		return math.NaN()
	}
	var out []*check.Outcome
	for _, r := range g.Runs {
		if r.Rerun > 0 {
			continue
		}
		o := &check.Outcome{Arm: check.Arm(arm), Seed: r.Seed, Config: c, Final: r.Final,
			Identity: value(r.Final, MetricIdentity), Discrete: value(r.Final, MetricDiscreteError)}
		for _, p := range r.Series {
			values := make([]float64, len(check.Columns))
			for i, name := range check.Columns {
				values[i] = value(p.Values, name)
			}
			o.Series = append(o.Series, method.Record{Step: p.Step, Values: values})
			o.Decay = append(o.Decay, p.TEta)
		}
		out = append(out, o)
	}
	return check.Arm(arm), out, nil
}
