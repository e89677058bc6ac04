package recorder

import (
	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
)

// Arms are the arms that are recorded, all that a check of package check needs, in the order of recording: a golden with
// a paired claim comes after its partner, which it pins by its seal.
var Arms = []check.Arm{check.SimSiam, check.NoPredictor, check.NoPredictorEMA, check.NoStopGradient, check.PlainSGD, check.LittleDecay,
	check.SlowTarget, check.BYOL, check.BYOLTwoLayer, check.DirectPred, check.DirectCopy}

// ID is the id of the golden of an arm.
func ID(tier check.Tier, arm check.Arm) string { return "T2-" + string(tier) + "." + string(arm) }

// claims are the questions put to the recorded runs of an arm. Gates are those of the checks of package check, tier
// mini; the full tier's are their own. A paired claim is put where its partner is recorded too.
func claims(tier check.Tier, arm check.Arm, partners map[check.Arm]bool) []golden.Claim {
	pick := func(mini, full float64) float64 {
		if tier == check.Mini {
			return mini
		}
		return full
	}
	var out []golden.Claim
	gate := func(id, metric, op string, bound float64) {
		out = append(out, golden.Claim{ID: id, Test: golden.GateTest, Metric: metric, Op: op, Bound: &bound})
	}
	paired := func(id, metric string, other check.Arm, gap float64) {
		if partners[other] {
			out = append(out, golden.Claim{ID: id, Test: golden.PairedTestName, Metric: metric, Other: ID(tier, other), Gap: &gap})
		}
	}
	alive := func() {
		gate("T2.alive", golden.MetricZStd, ">", pick(.5, .6))
		gate("T2.alive", golden.MetricRank, ">", pick(2, 3.5))
	}
	collapsed := func(id string, zstd, rank float64) {
		gate(id, golden.MetricZStd, "<", zstd)
		gate(id, golden.MetricRank, "<", rank)
	}
	switch arm {
	case check.NoPredictor:
		collapsed("T2.collapse-nopred", .05, 1.05)
	case check.NoPredictorEMA:
		collapsed("T2.collapse-nopred", .2, 1.2)
	case check.NoStopGradient:
		collapsed("T2.collapse-nosg", .05, 1.05)
		gate("T2.collapse-nosg", golden.MetricZKNN, "<", .3)
	case check.PlainSGD:
		gate("T2.balance", MetricBalanceError, "<", .03)
		gate("T2.balance", MetricDiscreteError, "<", 1e-3)
	case check.BYOL:
		alive()
		gate("T2.symmetry", golden.MetricAsymmetry, "<", pick(.2, .15))
		gate("T2.symmetry", golden.MetricCommutator, "<", .08)
		gate("T2.symmetry", golden.MetricTopCosine, ">", pick(.7, .95))
		paired("T2.ema", golden.MetricRank, check.SimSiam, pick(.4, .8))
		paired("T2.wd", golden.MetricTopCosine, check.LittleDecay, pick(.1, .2))
		paired("T2.wd", golden.MetricRank, check.LittleDecay, pick(.8, 2))
	case check.BYOLTwoLayer:
		gate("T2.alive", golden.MetricZStd, ">", pick(.5, .6))
		gate("T2.alive", golden.MetricRank, ">", pick(2, 2.5))
	case check.DirectPred:
		alive()
		gate("T2.dpid", MetricIdentity, "<", 1e-5)
		paired("T2.direct", golden.MetricRank, check.BYOL, pick(1, 2.5))
		paired("T2.direct", golden.MetricFewShot, check.BYOL, pick(0, .02))
	case check.DirectCopy:
		alive()
		gate("T2.dpid", MetricIdentity, "<", 1e-5)
	}
	return out
}

// bandRule says on which side a band bounds a final metric; ok is false for a metric that gets none. A collapse is
// bounded from above; distances that are rounding alone, and what is left to centre after a collapse, are no property
// of the method.
func bandRule(arm check.Arm, metric string) (rule golden.BandRule, ok bool) {
	collapse := arm == check.NoPredictor || arm == check.NoPredictorEMA || arm == check.NoStopGradient
	switch metric {
	case MetricIdentity, MetricDiscreteError:
		return "", false
	case MetricBalanceError:
		return golden.Upper, true
	case golden.MetricZStd, golden.MetricRank:
		if collapse {
			return golden.Upper, true
		}
	case golden.MetricAsymmetry, golden.MetricCommutator:
		if arm == check.DirectPred || arm == check.DirectCopy { // symmetric up to rounding, aligned with F̂ and not F
			return golden.Upper, true
		}
		return golden.TwoSided, !collapse
	case golden.MetricCentredRank, golden.MetricTopCosine, "parabola":
		return golden.TwoSided, !collapse
	}
	return golden.TwoSided, true
}
