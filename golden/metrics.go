package golden

import (
	"math"
	"slices"
	"strings"
)

// Metrics that rules or floors know by name. Others may be recorded too: they get bands without a floor, and no rule
// recomputes them. Norms are Frobenius norms; z is the projector's output, ẑ = z/‖z‖, v_j the eigenvectors of F.
const (
	MetricZStd        = "zstd"        // √d·mean_j sd(ẑ_j), population standard deviations
	MetricRank        = "er"          // exp(−Σ q ln q) over the eigenvalues of E[ẑẑᵀ] divided by their sum
	MetricCentredRank = "er_centered" // the same of E[ẑẑᵀ] − E[ẑ]E[ẑ]ᵀ
	MetricAsymmetry   = "asym"        // ‖W_p − W_pᵀ‖/‖W_p‖
	MetricCommutator  = "comm"        // ‖[F, W_p]‖/(‖F‖‖W_p‖)
	MetricTopCosine   = "cos_top8"    // mean over the top min(8, n) j of v_jᵀW_p v_j/‖W_p v_j‖, 0 where W_p v_j = 0
	MetricBalance     = "bal"         // ‖W_LW_Lᵀ + bbᵀ − W_pᵀW_p/α_p‖
	MetricKNN         = "knn"         // accuracy: encoder features, k nearest neighbours
	MetricZKNN        = "zknn"        // accuracy: projector output, k nearest neighbours
	MetricLinear      = "lin"         // accuracy: linear probe on encoder features, after the last epoch
	MetricFewShot     = "lin10"       // accuracy: linear probe on 10 labels per class

	// SpectrumPrefix before the name of F, Fb, Fhat or Z names its eigenvalues, descending.
	SpectrumPrefix = "spec_"
	// SpectrumGains are v_jᵀW_p v_j by descending eigenvalue of F.
	SpectrumGains = "p_diag"
)

// IsAccuracy reports whether the metric is a share of test examples, whose band has a binomial floor.
func IsAccuracy(metric string) bool {
	return slices.Contains([]string{MetricKNN, MetricZKNN, MetricLinear, MetricFewShot}, metric)
}

// MetricFloor returns the absolute half-width below which a difference of a metric about mean is of no interest:
// 0.03 for zstd, 3 % of the mean for the effective ranks, 0.02 for asym, 0.01 for accuracies, 0 for all others. The
// values are a choice, made before any run of this program was recorded and below the seed spreads of its prototype
// (zstd .007 to .035, effective rank 2 to 20 % of the mean, asym .006 to .024).
func MetricFloor(metric string, mean float64) float64 {
	switch {
	case metric == MetricZStd:
		return 0.03
	case metric == MetricRank || metric == MetricCentredRank:
		return 0.03 * math.Abs(mean)
	case metric == MetricAsymmetry:
		return 0.02
	case IsAccuracy(metric):
		return 0.01
	}
	return 0
}

// rangeSlack is what a few float32 roundings of a recorder may add to a bound.
const rangeSlack = 1e-6

// metricRange returns the interval outside which a metric cannot lie by its definition, with the inequality used.
func metricRange(metric string) (lo, hi float64, why string) {
	switch {
	case IsAccuracy(metric):
		return 0, 1, "a share"
	case metric == MetricRank, metric == MetricCentredRank:
		return 1 - rangeSlack, math.Inf(1), "exp of an entropy"
	case metric == MetricZStd:
		return 0, 1 + rangeSlack, "√d·mean_j sd_j ≤ √(Σ var_j) ≤ 1"
	case metric == MetricAsymmetry:
		return 0, 2 + rangeSlack, "‖W−Wᵀ‖ ≤ 2‖W‖"
	case metric == MetricCommutator:
		return 0, math.Sqrt2 + rangeSlack, "‖[A,B]‖ ≤ √2‖A‖‖B‖"
	case strings.HasPrefix(metric, "cos_"):
		return -1 - rangeSlack, 1 + rangeSlack, "a cosine"
	}
	return math.Inf(-1), math.Inf(1), ""
}
