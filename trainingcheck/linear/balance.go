package linear

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// asymmetricSpread is the deviation of the entries of W_p - I at the asymmetric
// start: for 6 features the asymmetry of W_p begins near
// √(60·spread²/(6+36·spread²)) = .35.
const asymmetricSpread = 0.115

func asymmetricStart(c Config, r *rand.Rand) *Network {
	return Asymmetric(c.Inputs, c.Features, asymmetricSpread, r)
}

// Gates of T1.balance.
const (
	// balanceExact: with the exact gradient a step multiplies D by (1-rate·η)²,
	// a rate of 2η(1+rate·η/2), +.1 % at rate .02 and η = .1; the terms
	// rate²·G² act in the first units of time, while G is large, and move the
	// fit by about as much (claim thm1-discrete).
	balanceExact = 0.005
	// balanceNoisy: the fluctuation of D under SGD, of relative size
	// √(rate/B) ≈ 2 % of s a relaxation time, against ‖D‖ = e^{-5}‖D(0)‖ at the end
	// of the fit.
	balanceNoisy = 0.06
	// The fit ends at 2.5/η: D has fallen to e^{-5}.
	balanceTo = 2.5
)

// balance is L3: Theorem 1's D decays at the rate 2η.
var balance = Check{
	ID:     "T1.balance",
	Claims: []string{"thm1", "thm1-discrete", "invariant-parabola-attract", "wd-units"},
	Gate: "‖W Wᵀ - W_pᵀW_p/α_p‖ falls at the rate 2η: within .5 % with exact gradients, within 6 % under SGD " +
		"with the stationary mean that its noise keeps up (theory) subtracted",
	Defects: []Defect{DoubledDecay, NoDecay, NoPredictor},
	measure: func(l *lab) {
		for _, row := range []struct{ batch, alpha, eta float64 }{
			{0, 1, 0.04}, {0, 4, 0.04}, {0, 1, 0.1}, {64, 1, 0.04}, {64, 4, 0.04}, {64, 1, 0.1},
		} {
			c := Standard()
			c.Batch, c.Alpha, c.Eta = int(row.batch), row.alpha, row.eta
			floor := 0.
			if c.Batch > 0 {
				_, s, _ := Stationary(c.Sigma2[0], c.Eta, c.Alpha)
				noise, ok := NoiseExcess(c)
				if !ok {
					l.fail(fmt.Errorf("η = %g is above the critical value", c.Eta))
					return
				}
				floor = s * noise[0]
			}
			name, tolerance := "exact gradient", balanceExact
			if c.Batch > 0 {
				name, tolerance = fmt.Sprintf("B=%d", c.Batch), balanceNoisy
			}
			want := BalanceRate(c.Eta)
			l.run(c, asymmetricStart, func(t *Trainer) []float64 { return []float64{balanceDecay(t, row.alpha, row.eta, floor)} },
				func(results [][]float64) {
					l.record(fmt.Sprintf("rate of D, %s, α=%g, η=%g", name, row.alpha, row.eta), column(results, 0), want, want*(1-tolerance), want*(1+tolerance))
				})
		}
	},
}

// balanceDecay fits the fall of ln ‖D - floor·I‖_F.
func balanceDecay(t *Trainer, alpha, eta, floor float64) float64 {
	var x, y []float64
	advance(t, balanceTo/eta, 0.5, func() bool {
		d := t.Balance(alpha)
		for i := range t.Features {
			d.Set(i, i, d.At(i, i)-floor)
		}
		x = append(x, t.Time())
		y = append(y, math.Log(mat.Norm(d, 2)))
		return true
	})
	return -slope(x, y)
}
