package recorder

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// ID is the id of the golden of an arm: T2-mini.byol-linear, T2-full.…, and for the tiers with groups the engine that
// made the runs, T3-gpu.G-A.byol-linear or, for a miniature on a processor, T3-mini-cpu.G-A.byol-linear.
func ID(tier check.Tier, backend string, arm check.Arm) string {
	switch tier.Size() {
	case check.GPU:
		return fmt.Sprintf("T3-%s.%s.%s", backend, tier.Group(), arm)
	case check.Images:
		return fmt.Sprintf("T3-images-%s.%s.%s", backend, tier.Group(), arm)
	case check.GPUMini:
		return fmt.Sprintf("T3-mini-%s.%s.%s", backend, tier.Group(), arm)
	}
	return "T2-" + string(tier) + "." + string(arm)
}

// Label reads an id.
func Label(id string) (check.Tier, check.Arm, error) {
	for _, tier := range slices.Concat([]check.Tier{check.Mini, check.Full}, check.Groups(check.GPU), check.Groups(check.Images), check.Groups(check.GPUMini)) {
		for _, backend := range engine.Kinds {
			if arm, ok := strings.CutPrefix(id, ID(tier, backend, "")); ok && slices.Contains(check.Arms, check.Arm(arm)) {
				return tier, check.Arm(arm), nil
			}
		}
	}
	return "", "", fmt.Errorf("recorder: %q is no id of a recorded arm", id)
}

// LabelRule refuses a golden whose recipe is not that of the arm its id names: a verifier adds it to the rules of package
// golden, which knows no arms. What an arm changes by a number that depends on the tier (a learning rate, a length) is
// not compared.
var LabelRule = golden.Rule{Name: "label", Statement: "a golden of runs, and no other, is named by an arm, and has its recipe",
	Check: func(s *golden.Subject) golden.Outcome {
		tier, arm, err := Label(s.Golden.ID)
		switch {
		case s.Golden.Kind == golden.Statistics && err != nil:
			return refused("id", "%v", err)
		case s.Golden.Kind != golden.Statistics && err == nil:
			return refused("kind", "%q under the id of runs", s.Golden.Kind)
		case err != nil:
			return golden.NothingToCheck("a %s", s.Golden.Kind)
		}
		text, err := s.Golden.Config.MarshalJSON()
		if err != nil {
			return golden.Failed(err)
		}
		var got method.Config
		if err := json.Unmarshal(text, &got); err != nil {
			return golden.Failed(&golden.Error{Field: "config", Offset: -1, Err: err})
		}
		base := method.DigitsMini()
		if tier.Group() == "G-C" {
			base.Optimizer.Momentum = 0
		}
		if tier == check.GPUResNet {
			base = method.CIFAR()
		}
		want, err := arm.Config(base)
		if err != nil {
			return golden.Failed(err)
		}
		if want.Direct != nil && got.Direct != nil {
			want.Direct.Freq = got.Direct.Freq
		}
		backend := s.Golden.Provenance.Engine.Name
		for _, f := range []struct {
			field     string
			got, want any
		}{
			{"config.method", got.Method, want.Method},
			{"config.predictor.kind", got.Predictor.Kind, want.Predictor.Kind},
			{"config.predictor.symmetrize", got.Predictor.Symmetrize, want.Predictor.Symmetrize},
			{"config.predictor.rate_ratio", got.Predictor.RateRatio, want.Predictor.RateRatio},
			{"config.target.kind", got.Target.Kind, want.Target.Kind},
			{"config.loss.kind", got.Loss.Kind, want.Loss.Kind},
			{"config.direct", described(got.Direct), described(want.Direct)},
			{"config.optimizer.momentum is 0", got.Optimizer.Momentum == 0, want.Optimizer.Momentum == 0},
			{"config.optimizer.wd is 0", got.Optimizer.WeightDecay == 0, want.Optimizer.WeightDecay == 0},
			{"id", s.Golden.ID, ID(tier, backend, arm)},
		} {
			if f.got != f.want {
				return golden.Failed(&golden.Error{Field: f.field, Offset: -1, Err: fmt.Errorf("%v, but the arm %s has %v", f.got, arm, f.want)})
			}
		}
		return golden.Passed("the recipe of %s", arm)
	}}

func described(d *method.Direct) string {
	if d == nil {
		return "none"
	}
	return fmt.Sprintf("%+v", *d)
}
