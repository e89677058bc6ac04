package linear

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

// The run is compared with the flow after every unit of time, up to replayHorizon.
const (
	replayEvery   = 1.
	replayHorizon = 80.
	// replayTolerance of the integration is far below the noise of SGD, 1e-2.
	replayTolerance = 1e-8
)

// Gates of T1.replay. The fluctuation of SGD about its flow is proportional to
// √(rate/B): batches four times as large halve it, half the rate divides it by √2.
// Over 80 segments the two ratios are 2.00 ± .07 and 1.42 ± .05 (mean and deviation
// of 20 seeds); over 20 segments they scatter twice as much. The limits are at 20
// to 25 %, 4 deviations and more.
const (
	quarterNoiseLow, quarterNoiseHigh = 1.6, 2.5
	halfRateLow, halfRateHigh         = 1.15, 1.75
)

// replay is L5: between snapshots SGD follows Lemma 1 up to its noise.
var replay = Check{
	ID:     "T1.replay",
	Claims: []string{"lemma1", "simsiam-reduction", "moments", "lr-mapping"},
	Gate: "from snapshots one unit of time apart Lemma 1's flow predicts F with an error that falls as √(rate/B): " +
		"its root mean square divided by 2 (1.6 to 2.5) for four times the batch, by √2 (1.15 to 1.75) for half the rate",
	Defects: []Defect{NoStopGradient, DoubledDecay, NoDecay},
	measure: func(l *lab) {
		base := Standard()
		half, quarter := base, base
		half.Rate /= 2
		quarter.Batch *= 4
		errs := map[string][]float64{}
		for _, row := range []struct {
			name   string
			config Config
		}{{"base", base}, {"half the rate", half}, {"four times the batch", quarter}} {
			sound := row.config
			l.run(sound, asymmetricStart, func(t *Trainer) []float64 {
				rms, worst := replayError(l.ctx, t, sound)
				return []float64{rms, worst}
			}, func(results [][]float64) {
				errs[row.name] = column(results, 0)
				none := math.NaN()
				l.record(fmt.Sprintf("rms error of F, rate %g, B=%d", sound.Rate, sound.Batch), column(results, 0), none, math.Inf(-1), math.Inf(1))
				l.record(fmt.Sprintf("largest error of F, rate %g, B=%d", sound.Rate, sound.Batch), column(results, 1), none, math.Inf(-1), math.Inf(1))
			})
		}
		l.flush()
		if l.err != nil || l.stopped() {
			return
		}
		ratio := func(a, b string) []float64 {
			x, _ := meanSD(errs[a])
			y, _ := meanSD(errs[b])
			return []float64{x / y}
		}
		l.record("error over error at four times the batch", ratio("base", "four times the batch"), 2, quarterNoiseLow, quarterNoiseHigh)
		l.record("error over error at half the rate", ratio("base", "half the rate"), math.Sqrt2, halfRateLow, halfRateHigh)
	},
}

// replayError runs t and integrates the flow of c from each snapshot to the
// next. It returns root mean square and maximum over the segments of
// ‖F - F_predicted‖_F/‖F‖_F, not-a-number when the run or the flow diverges.
func replayError(ctx context.Context, t *Trainer, c Config) (rms, worst float64) {
	var predicted *mat.SymDense
	sum, n := 0., 0.
	flow := lemmaFlow(c)
	bad := false
	advance(t, replayHorizon, replayEvery, func() bool {
		f := t.F()
		if predicted != nil {
			var d mat.Dense
			d.Sub(f, predicted)
			e := mat.Norm(&d, 2) / mat.Norm(f, 2)
			sum += e * e
			worst = max(worst, e)
			n++
		}
		y := append(append([]float64(nil), t.W...), t.Wp...)
		solution, err := ode.Solve(ctx, flow, 0, y, replayEvery, &ode.Settings{RelTol: replayTolerance, AbsTol: replayTolerance, Output: []float64{replayEvery}})
		if err != nil {
			bad = true
			return false
		}
		next := &Network{Inputs: t.Inputs, Features: t.Features, W: solution.EndY[:len(t.W)]}
		predicted = next.F()
		return true
	})
	if bad || !t.finite() {
		return math.NaN(), math.NaN()
	}
	return math.Sqrt(sum / n), worst
}

// lemmaFlow is the flow of Lemma 1 for SimSiam (W_a = W) on y = (W, W_p), both
// row-major, with R = W - W_p W diag(1+σ²):
//
//	W' = W_pᵀR - ηW,  W_p' = α_p R Wᵀ - ηW_p
//
// (claims lemma1 and simsiam-reduction).
func lemmaFlow(c Config) ode.RHS {
	n1, n2 := c.Inputs, c.Features
	return func(_ float64, y, dydt []float64) {
		w, wp := mat.NewDense(n2, n1, y[:n1*n2]), mat.NewDense(n2, n2, y[n1*n2:])
		dw, dwp := mat.NewDense(n2, n1, dydt[:n1*n2]), mat.NewDense(n2, n2, dydt[n1*n2:])
		var r mat.Dense
		r.Mul(wp, w)
		r.Apply(func(i, k int, v float64) float64 { return w.At(i, k) - v*(1+c.Sigma2[k]) }, &r)
		dw.Mul(wp.T(), &r)
		dwp.Mul(&r, w.T())
		for i, v := range y[:n1*n2] {
			dydt[i] -= c.Eta * v
		}
		for i, v := range y[n1*n2:] {
			dydt[n1*n2+i] = c.Alpha*dydt[n1*n2+i] - c.Eta*v
		}
	}
}
