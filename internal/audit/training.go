package audit

import (
	"math"
	"slices"

	"stopgrad/internal/ledger"
	"stopgrad/internal/training"
)

// Observe adds the results of training checks to the ledger, each to the claims it bears on: evidence of kind
// training beside whatever else there is. It changes no verdict: what a network does on one data set neither
// proves nor refutes a theorem.
func Observe(l *ledger.Ledger, results []training.Checked) {
	for _, r := range results {
		verdict := ledger.NotObserved
		if r.Pass {
			verdict = ledger.Observed
		}
		measures := map[string]float64{}
		for _, m := range r.Measurements {
			// JSON has no infinities; a measure that is none fails its gate and is named in the verdict.
			if v := float64(m.Measured); !math.IsNaN(v) && !math.IsInf(v, 0) {
				measures[m.Name] = v
			}
		}
		for i := range l.Claims {
			c := &l.Claims[i]
			if !slices.Contains(r.Claims, c.ID) {
				continue
			}
			reading := "printed"
			if c.Corrected != nil {
				reading = "corrected"
			}
			c.Evidence = append(c.Evidence, ledger.Evidence{Kind: ledger.Training, Verdict: verdict, Seconds: r.Seconds,
				Detail: ledger.Detail{Part: r.ID, Reading: reading, Statement: r.Gate, Measures: measures}})
		}
	}
}
