package linear

import (
	"fmt"
	"math"
	"math/rand/v2"

	"stopgrad/numeric/measure"
)

// basinSides are the starts beside the threshold, as fractions of p₋.
var basinSides = [2]float64{0.9, 1.1}

// basinSlack stretches the passage time of the noiseless mode: the growth rate
// near p₋ differs between modes of an SGD run by its noise.
const basinSlack = 1.5

// basinSearch bounds the search for a passage time; the longest here is near 150.
const basinSearch = 1e4

// basin is L7: modes that start on the parabola below p₋ die, above p₋ live.
var basin = Check{
	ID:     "T1.basin",
	Claims: []string{"basin", "fixed-points", "eta-critical", "pminus-monotone"},
	Gate: "of the modes that start on the parabola at .9 p₋ none lives, at 1.1 p₋ all live, for η = .04, .08, .15; none lives at " +
		"η = .21 above η* = 1/(4(1+σ²)) = .2, from p = .6",
	Defects: []Defect{NoStopGradient, NoPredictor, NoDecay},
	measure: func(l *lab) {
		for _, eta := range []float64{0.04, 0.08, 0.15} {
			c := Standard()
			c.Eta = eta
			sigma2 := c.Sigma2[0]
			_, s, ok := Stationary(sigma2, eta, c.Alpha)
			minus, _ := Threshold(sigma2, eta)
			if !ok {
				l.fail(fmt.Errorf("η = %g is above the critical value", eta))
				return
			}
			for _, side := range basinSides {
				// Above, time to grow to ¾ s*; below, to fall to a tenth of the start.
				level, want := 0.75*s, c.Features*len(l.options.Seeds)
				if side < 1 {
					level, want = 0.1*minus*minus, 0
				}
				l.lives(c, fmt.Sprintf("alive at %g p₋, η=%g", side, eta), side*minus, level, s/2, want)
			}
		}
		c := Standard()
		c.Eta = 1.05 * measure.CriticalDecay(1, c.Sigma2[0])
		// At η* the stationary points meet at p = 1/(2(1+σ²)): half of its s counts as life.
		meet := 1 / (2 * (1 + c.Sigma2[0]))
		l.lives(c, fmt.Sprintf("alive from p=.6, η=%.3g", c.Eta), 0.6, 0.1*meet*meet, 0.5*meet*meet, 0)
	},
}

// lives runs c from all modes at (p, p²/α_p) until the noiseless mode has had
// ample time to pass level, and counts the modes with s above alive.
func (l *lab) lives(c Config, name string, p, level, alive float64, want int) {
	s := p * p / c.Alpha
	w := math.Sqrt(s)
	passage, _, err := PassageTime(l.ctx, Mode{p, w, w}, c.Sigma2[0], c.Eta, c.Alpha, c.Beta, level, basinSearch)
	if err != nil {
		l.fail(err)
		return
	}
	horizon := basinSlack * passage
	start := func(c Config, r *rand.Rand) *Network { return Aligned(c.Inputs, c.Features, p, s, r) }
	l.run(c, start, func(t *Trainer) []float64 {
		advance(t, horizon, horizon, func() bool { return true })
		return []float64{float64(t.modesAbove(alive))}
	}, func(results [][]float64) {
		n := 0
		for _, v := range column(results, 0) {
			n += int(v)
		}
		l.total(name, n, want)
	})
}
