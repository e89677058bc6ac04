package recorder

import (
	"maps"
	"math"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/linear"
)

// lawful are the checks that no chance enters.
var lawful = map[string]bool{"T2.balance": true, "T2.dpid": true, "T2.average": true, "T2.moment": true, "T2.ball": true, "T2.views": true}

// margin is how many deviations the mean lies inside the nearer limit of a gate, negative outside. Ratios are compared by their
// logarithms, whose deviation is the ratio's relative one to first order: the smaller of two asymmetries is in the denominator.
func margin(m linear.Measurement) float64 {
	mean, sd := float64(m.Measured), float64(m.SD)
	low, high := float64(m.Low), float64(m.High)
	if strings.HasPrefix(m.Name, "ratio") && low > 0 && mean > 0 {
		return math.Log(mean/low) / (sd / mean)
	}
	return math.Min(mean-low, high-mean) / sd
}

// TestGatesLieOutsideTheRecordedBands: so that a sound seed misses a gate with a probability of 1 % at most, and a broken
// variant has a quantity that lies as far on the other side. Means over seeds; the deviations are the recorded ones.
func TestGatesLieOutsideTheRecordedBands(t *testing.T) {
	runs := map[check.Arm][]*check.Outcome{}
	for _, a := range Arms {
		_, os, err := Outcomes(check.Mini, committed(t, a))
		if err != nil {
			t.Fatal(err)
		}
		runs[a] = os
	}
	k, err := golden.OneSidedFactor(len(runs[check.BYOL]), check.Coverage, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	gates := 0
	for _, c := range check.Checks() {
		if lawful[c.ID] {
			continue
		}
		for _, m := range c.Judge(check.Mini, runs).Measurements {
			if !m.Gated() {
				continue
			}
			gates++
			t.Logf("%-20s %-46s %.4g ± %.2g, %.3g deviations inside", c.ID, m.Name, float64(m.Measured), float64(m.SD), margin(m))
			// An effective rank is at least 1: its distance from that end says nothing.
			if math.Abs(float64(m.Low)-1) < 1e-9 {
				m.Low = linear.Number(math.Inf(-1))
			}
			if float64(m.Low) == 0 && strings.Contains(m.Name, "zstd") || strings.Contains(m.Name, "nearest") || strings.Contains(m.Name, "asymmetry at the end") || strings.Contains(m.Name, "commutator") {
				m.Low = linear.Number(math.Inf(-1)) // none is below 0
			}
			if margin(m) < k {
				t.Errorf("%s: the gate of %s lies %.3g deviations from the mean, want %.3g", c.ID, m.Name, margin(m), k)
			}
		}
		for _, d := range c.Defects {
			broken := maps.Clone(runs)
			recorded := true
			for to, from := range d.Swaps {
				broken[to] = runs[from]
				recorded = recorded && runs[from] != nil
			}
			if !recorded {
				continue
			}
			best, name := math.Inf(-1), ""
			for _, m := range c.Judge(check.Mini, broken).Measurements {
				if out := -margin(m); m.Gated() && !m.Pass && out > best {
					best, name = out, m.Name
				}
			}
			t.Logf("%-20s %s: %.3g deviations outside (%s)", c.ID, d.Name, best, name)
			if best < k {
				t.Errorf("%s: with %s no quantity is %.3g deviations outside its gate, the best %.3g", c.ID, d.Name, k, best)
			}
		}
	}
	t.Logf("%d statistical gates; of two seeds one may miss: at most %.2g false alarms a run of the tier", gates, float64(gates)*check.FalseAlarm(2))
}
