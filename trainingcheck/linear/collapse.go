package linear

import (
	"fmt"
	"math"
)

// Gates of T1.collapse.
const (
	// rateTolerance: SGD multiplies W by 1 - rate·λ a step, a rate of
	// -ln(1-rate·λ)/rate ≈ λ(1+rate·λ/2), which is +.15 % at λ = .55 and rate .005.
	// The noise of the gradient slows the fall by rate·σ²(1+σ²)·inputs/B = .0004,
	// .16 % of .25. Both and the statistics of the fit (deviation .3 %) are well
	// within 2 %.
	rateTolerance = 0.02
	// collapsedRatio: tr F(40)/tr F(0) of the slowest collapse here is e^{-20}
	// = 2e-9; a run that lives keeps at least .5. 1e-6 is between in the exponent.
	collapsedRatio = 1e-6
	aliveRatio     = 0.3
)

// The rates are fitted where the start is forgotten and the weights are far
// above rounding.
const (
	collapseFrom, collapseTo = 2., 15.
	collapseHorizon          = 40.
	collapseEvery            = 0.5
	collapseStep             = 0.005
)

// collapse is L2: without predictor or without stop-gradient W vanishes at the rates of theory.
var collapse = Check{
	ID:     "T1.collapse",
	Claims: []string{"nopred", "nostopgrad", "simsiam-reduction"},
	Gate: "½ d ln tr F/dt is -(σ²+η) without predictor, -(2σ²+η) also without stop-gradient, both within 2 %, at least " +
		"(1+σ²) - 1/(1+σ²) + η fast with predictor and no stop-gradient; tr F(40)/tr F(0) below 1e-6 in all three, above .3 with both",
	Defects: []Defect{NoStopGradient, ForcedStopGradient, NoPredictor},
	measure: func(l *lab) {
		for _, eta := range []float64{0, 0.05} {
			for _, variant := range []struct {
				name      string
				predictor Predictor
				stop      bool
			}{
				{"no predictor", Identity, true},
				{"no predictor, no stop-gradient", Identity, false},
				{"predictor, no stop-gradient", Trained, false},
				{"predictor and stop-gradient", Trained, true},
			} {
				c := Standard()
				c.Rate, c.Eta, c.Predictor, c.StopGradient = collapseStep, eta, variant.predictor, variant.stop
				name := fmt.Sprintf("%s, η=%g", variant.name, eta)
				sigma2 := c.Sigma2[0]
				l.run(c, parabolaStart, collapseRate, func(results [][]float64) {
					rate, ratio := column(results, 0), column(results, 1)
					switch {
					case variant.predictor == Identity && variant.stop:
						want := CollapseRate(sigma2, eta)
						l.record("rate, "+name, rate, want, want*(1-rateTolerance), want*(1+rateTolerance))
					case variant.predictor == Identity:
						want := CollapseRateNoStop(sigma2, eta)
						l.record("rate, "+name, rate, want, want*(1-rateTolerance), want*(1+rateTolerance))
					case !variant.stop:
						want := CollapseRateNoStopBound(sigma2, eta)
						l.record("rate at least, "+name, rate, want, want*(1-rateTolerance), math.Inf(1))
					}
					if variant.predictor == Trained && variant.stop {
						l.record("tr F(40)/tr F(0), "+name, ratio, math.NaN(), aliveRatio, math.Inf(1))
					} else {
						l.record("tr F(40)/tr F(0), "+name, ratio, 0, math.Inf(-1), collapsedRatio)
					}
				})
			}
		}
	},
}

// collapseRate returns the fitted fall of ½ ln tr F and tr F(40)/tr F(0).
func collapseRate(t *Trainer) []float64 {
	start := t.TraceF()
	var x, y []float64
	advance(t, collapseHorizon, collapseEvery, func() bool {
		if now := t.Time(); now >= collapseFrom && now <= collapseTo {
			x = append(x, now)
			y = append(y, 0.5*math.Log(t.TraceF()))
		}
		return true
	})
	return []float64{-slope(x, y), t.TraceF() / start}
}

// slope is the least-squares slope of y over x.
func slope(x, y []float64) float64 {
	mx, _ := meanSD(x)
	my, _ := meanSD(y)
	var xy, xx float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	return xy / xx
}
