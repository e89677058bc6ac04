package linear

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Gates of T1.ema.
const (
	// passageTolerance: noise raises s by its excess, .3 % at the rate used here,
	// and spreads the passage; measured at rate .02 for β = .1 the time is 3.3 %
	// short with a deviation of 2.1 %, both of which fall with the rate.
	passageTolerance = 0.06
	emaStep          = 0.005
	// tauTolerance: τ is an average over all weights; its noise is below .001.
	tauTolerance = 0.01
	// The start, on the way up from a tenth of s*/2 … and the level.
	emaStartP, emaStartS = 0.4, 0.15
	emaLevel             = 0.9
	// emaSearch bounds the passage: the slowest here takes 80.
	emaSearch = 400
)

// emaRates are the rates β of the moving average, from none to slow.
var emaRates = []float64{math.Inf(1), 1, 0.3, 0.1, 0.05}

// emaSlowdown is L8: a slow target slows training, as the three equations of a mode say.
var emaSlowdown = Check{
	ID:     "T1.ema",
	Claims: []string{"assump-ema", "decoupled", "beta-tau", "ema-negative", "lr-mapping"},
	Gate: "time to .9 s* within 6 % and smallest τ within .01 of the mode's equations for β = ∞, 1, .3, .1, .05; " +
		"the time grows strictly with 1/β",
	Defects: []Defect{UnitTau, NoStopGradient},
	measure: measureEMA,
}

func measureEMA(l *lab) {
	var times []float64
	for _, beta := range emaRates {
		c := Standard()
		c.Beta, c.Rate = beta, emaStep
		_, s, ok := Stationary(c.Sigma2[0], c.Eta, c.Alpha)
		if !ok {
			l.fail(fmt.Errorf("η = %g is above the critical value", c.Eta))
			return
		}
		level := emaLevel * s
		w := math.Sqrt(emaStartS)
		want, wantTau, err := PassageTime(l.ctx, Mode{emaStartP, w, w}, c.Sigma2[0], c.Eta, c.Alpha, beta, level, emaSearch)
		if err != nil {
			l.fail(err)
			return
		}
		start := func(c Config, r *rand.Rand) *Network {
			return Aligned(c.Inputs, c.Features, emaStartP, emaStartS, r)
		}
		name := fmt.Sprintf("β=%g", beta)
		l.run(c, start, func(t *Trainer) []float64 { return passage(t, level, 2*want) }, func(results [][]float64) {
			l.record("time to .9 s*, "+name, column(results, 0), want, want*(1-passageTolerance), want*(1+passageTolerance))
			l.record("smallest τ, "+name, column(results, 1), wantTau, wantTau-tauTolerance, wantTau+tauTolerance)
			mean, _ := meanSD(column(results, 0))
			times = append(times, mean)
		})
	}
	l.flush()
	if l.err != nil || l.stopped() {
		return
	}
	for i := range times[1:] {
		l.record(fmt.Sprintf("time at β=%g over time at β=%g", emaRates[i+1], emaRates[i]), []float64{times[i+1] / times[i]}, math.NaN(),
			math.Nextafter(1, 2), math.Inf(1))
	}
}

// passage returns the time at which the mean s of the modes passes level,
// interpolated between steps, NaN when it does not before horizon, and the
// smallest τ until then.
func passage(t *Trainer, level, horizon float64) []float64 {
	at, before, minTau := math.NaN(), 0., 1.
	advance(t, horizon, t.cfg.Rate, func() bool {
		s := t.TraceF() / float64(t.Features)
		minTau = min(minTau, t.Tau())
		if s >= level {
			at = t.Time() - t.cfg.Rate*(s-level)/(s-before)
			return false
		}
		before = s
		return true
	})
	return []float64{at, minTau}
}
