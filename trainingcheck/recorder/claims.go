package recorder

import (
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/metric"
)

// Arms are the arms that are recorded, all that a check of package check needs, in the order of recording: a golden with
// a paired claim comes after its partner, which it pins by its seal.
var Arms = []check.Arm{check.SimSiam, check.NoPredictor, check.NoPredictorEMA, check.NoStopGradient, check.PlainSGD, check.LittleDecay,
	check.SlowTarget, check.BYOL, check.BYOLTwoLayer, check.DirectPred, check.DirectCopy}

// ArmsOf lists the arms that a tier records. One that is compared with others comes after them.
func ArmsOf(tier check.Tier) []check.Arm {
	if tier == check.ImagesConv {
		return []check.Arm{check.NoPredictor, check.NoStopGradient, check.NoDecay, check.SimSiam, check.BYOL, check.DirectPred, check.DirectCopy}
	}
	switch tier.Group() {
	case "G-A":
		return []check.Arm{check.NoPredictor, check.NoStopGradient, check.NoDecay, check.Symmetric, check.SimSiamSymmetric, check.SimSiam,
			check.BYOL, check.DirectPredNoEps, check.DirectPredBigEps, check.DirectPredHalfRho, check.DirectPred}
	case "G-B":
		return []check.Arm{check.BYOL, check.BYOLTwoLayer, check.DirectPred, check.PaperDecay}
	case "G-C":
		return []check.Arm{check.PlainSGD, check.Euclidean}
	}
	return Arms
}

// claims are the questions put to the recorded runs of an arm. Gates are those of the checks of package check, tier
// mini; the full tier's are their own. A paired claim is put where its partner is recorded too.
func claims(tier check.Tier, backend string, arm check.Arm, partners map[check.Arm]bool) []golden.Claim {
	pick := func(mini, full float64) float64 {
		if tier == check.Mini {
			return mini
		}
		return full
	}
	var out []golden.Claim
	gate := func(id, of, op string, bound float64) {
		out = append(out, golden.Claim{ID: id, Test: golden.GateTest, Metric: of, Op: op, Bound: &bound})
	}
	paired := func(id, of string, other check.Arm, gap float64) {
		if partners[other] {
			out = append(out, golden.Claim{ID: id, Test: golden.PairedTestName, Metric: of, Other: ID(tier, backend, other), Gap: &gap})
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
	if tier.Group() != "" {
		switch arm {
		case check.NoPredictor, check.NoStopGradient:
			collapsed("T3.collapse", metric.CollapsedZStd, metric.CollapsedRank)
		case check.BYOL:
			if tier.Group() == "G-A" {
				gate("T3.alive", golden.MetricZStd, ">", metric.AliveZStd)
				gate("T3.alive", golden.MetricRank, ">", metric.AliveRank)
				paired("T3.wd", golden.MetricLinear, check.NoDecay, 0)
				if tier == check.ImagesConv {
					paired("T3.ema", golden.MetricRank, check.SimSiam, 0)
				}
			}
		case check.SimSiam:
			paired("T3.sym", golden.MetricLinear, check.SimSiamSymmetric, 0)
		case check.DirectPred:
			gate(pick3(tier, "T3.dpid", "T3.recipe-dpid"), MetricIdentity, "<", 1e-4)
			paired(pick3(tier, "T3.direct", "T3.recipe"), golden.MetricRank, check.BYOL, 0)
			if tier.Group() == "G-B" {
				paired("T3.recipe", golden.MetricLinear, check.BYOL, 0)
				break
			}
			gate("T3.alive", golden.MetricZStd, ">", metric.AliveZStd)
			gate("T3.alive", golden.MetricRank, ">", metric.AliveRank)
			if tier == check.ImagesConv {
				paired("T3.probe", golden.MetricLinear, check.BYOL, 0)
			}
			paired("T3.eps-rho", golden.MetricLinear, check.DirectPredBigEps, 0)
			paired("T3.eps-rho", golden.MetricLinear, check.DirectPredNoEps, 0)
		case check.PlainSGD:
			gate("T3.balance", MetricDiscreteError, "<", 1e-3)
		case check.Euclidean:
			gate("T3.replay", MetricReplayError, "<", 1e-4)
		}
		return out
	}
	switch arm {
	case check.SimSiam:
		gate("T2.ball", MetricBallError, "<", 1e-5)
	case check.NoPredictor:
		collapsed("T2.collapse-nopred", .05, 1.05)
	case check.NoPredictorEMA:
		collapsed("T2.collapse-nopred", .2, 1.2)
	case check.NoStopGradient:
		collapsed("T2.collapse-nosg", .05, 1.05)
		gate("T2.collapse-nosg", golden.MetricZKNN, "<", pick(.4, .3))
	case check.PlainSGD:
		gate("T2.balance", MetricDiscreteError, "<", 1e-3)
	case check.BYOL:
		alive()
		gate("T2.symmetry", golden.MetricAsymmetry, "<", pick(.2, .15))
		gate("T2.symmetry", golden.MetricCommutator, "<", .08)
		gate("T2.symmetry", golden.MetricTopCosine, ">", pick(.65, .95))
		if tier == check.Full {
			paired("T2.ema", golden.MetricRank, check.SimSiam, .8)
			paired("T2.wd", golden.MetricTopCosine, check.LittleDecay, .2)
		}
		paired("T2.wd", golden.MetricRank, check.LittleDecay, pick(.4, 2))
		gate("T2.average", MetricAverageError, "<", 1e-5)
		gate("T2.views", MetricViews, ">", .1)
	case check.BYOLTwoLayer:
		gate("T2.alive", golden.MetricZStd, ">", pick(.5, .6))
		gate("T2.alive", golden.MetricRank, ">", pick(1.5, 2.5))
	case check.DirectPred:
		alive()
		gate("T2.dpid", MetricIdentity, "<", 1e-5)
		paired("T2.direct", golden.MetricRank, check.BYOL, pick(.5, 2.5))
		if tier == check.Full {
			paired("T2.direct", golden.MetricFewShot, check.BYOL, .02)
		}
		gate("T2.moment", MetricMomentError, "<", 1e-4)
	case check.DirectCopy:
		alive()
		gate("T2.dpid", MetricIdentity, "<", 1e-5)
	}
	return out
}

// pick3 is the check's id in G-A or G-B.
func pick3(tier check.Tier, a, b string) string {
	if tier.Group() == "G-B" {
		return b
	}
	return a
}

// bandRule says on which side a band bounds a final metric; ok is false for a metric that gets none. A collapse is
// bounded from above; distances that are rounding alone, and what is left to centre after a collapse, are no property
// of the method.
func bandRule(arm check.Arm, of string) (rule golden.BandRule, ok bool) {
	collapse := arm == check.NoPredictor || arm == check.NoPredictorEMA || arm == check.NoStopGradient
	switch of {
	case MetricIdentity, MetricDiscreteError, MetricReplayError, MetricAverageError, MetricMomentError, MetricBallError, MetricViews, MetricState:
		return "", false
	case MetricBalanceError:
		return golden.Upper, true
	case golden.MetricZStd, golden.MetricRank:
		if collapse {
			return golden.Upper, true
		}
	case golden.MetricAsymmetry, golden.MetricCommutator:
		if strings.HasPrefix(string(arm), "direct") || of == golden.MetricAsymmetry && (arm == check.Symmetric || arm == check.SimSiamSymmetric) {
			return golden.Upper, true // symmetric up to rounding; direct ones are aligned with F̂ and not F
		}
		return golden.TwoSided, !collapse
	case golden.MetricCentredRank, golden.MetricTopCosine, "parabola":
		return golden.TwoSided, !collapse
	}
	return golden.TwoSided, true
}
