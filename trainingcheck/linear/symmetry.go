package linear

import (
	"fmt"
	"math"

	"stopgrad/numeric/measure"
	"stopgrad/trainingcheck/metric"
)

// Gates of T1.symm. The noise of SGD leaves an asymmetry of about .03 at rate .02
// and B = 64 whatever η and α_p (measured; it falls as √(rate/B)): twice that.
// Without decay and with a slow predictor .23 ± .08 (over starts) remains of the
// .35 of the start; the mean of undecayedStarts of them is well above .1.
const (
	symmetricBelow  = 0.06
	commuteBelow    = 0.005
	alignedAbove    = 0.998
	asymmetricAbove = 0.1
)

const (
	symmetryHorizon = 100
	// undecayedStarts is the number of starts a seed without decay: what remains
	// then depends on the start.
	undecayedStarts = 5
)

// symmetry is L4: W_p becomes symmetric and aligned, driven by weight decay.
var symmetry = Check{
	ID:     "T1.symm",
	Claims: []string{"skew-vanishes", "fixedpoint-sym", "assump-sym", "wd-alignment", "alpha-positive-2", "thm3-alignment"},
	Gate: "from an asymmetric W_p, after 100 units of time: η ≥ .02 gives asymmetry below .06, normalised commutator below .005 and " +
		"smallest cosine above .998 for α_p = .3, 1, 4; η = 0 with α_p = .3 keeps an asymmetry above .1",
	Defects: []Defect{NoDecay, NoStopGradient},
	measure: func(l *lab) {
		for _, eta := range []float64{0, 0.02, 0.08} {
			for _, alpha := range []float64{0.3, 1, 4} {
				c := Standard()
				c.Eta, c.Alpha = eta, alpha
				name := fmt.Sprintf("α=%g, η=%g", alpha, eta)
				none, low, high := math.NaN(), math.Inf(-1), math.Inf(1)
				if eta > 0 {
					l.run(c, asymmetricStart, finalAlignment, func(results [][]float64) {
						l.record("asymmetry, "+name, column(results, 0), none, low, symmetricBelow)
						l.record("commutator, "+name, column(results, 1), none, low, commuteBelow)
						l.record("smallest cosine, "+name, column(results, 2), none, alignedAbove, high)
					})
					continue
				}
				if alpha < 1 {
					low = asymmetricAbove
				}
				sum := make([]float64, len(l.options.Seeds))
				for start := range undecayedStarts {
					l.run(c, asymmetricStart, finalAlignment, func(results [][]float64) {
						for k, a := range column(results, 0) {
							sum[k] += a / undecayedStarts
						}
						if start == undecayedStarts-1 {
							l.record(fmt.Sprintf("asymmetry, mean of %d starts, %s", undecayedStarts, name), sum, none, low, high)
						}
					})
				}
			}
		}
	},
}

// finalAlignment returns asymmetry, normalised commutator and smallest cosine at
// the end, not-a-number after divergence.
func finalAlignment(t *Trainer) []float64 {
	advance(t, symmetryHorizon, symmetryHorizon, func() bool { return true })
	if !t.finite() {
		return []float64{math.NaN(), math.NaN(), math.NaN()}
	}
	f, wp := t.F(), t.Predictor()
	smallest := math.Inf(1)
	for _, c := range measure.Cosines(f, wp) {
		smallest = min(smallest, c)
	}
	a := metric.Align(f, wp, 1)
	return []float64{a.Asymmetry, a.Commutator, smallest}
}
