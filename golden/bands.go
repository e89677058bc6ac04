package golden

import (
	"fmt"
	"math"
)

// BandRule says on which sides a band bounds a metric, at Coverage and Confidence.
type BandRule string

const (
	TwoSided BandRule = "two-sided 99/95"
	Lower    BandRule = "lower 99/95" // bounds from below: a larger value always passes
	Upper    BandRule = "upper 99/95" // bounds from above
)

// Band is the range in which one new run of the recipe must fall:
//
//	mean ± max(k·sd, floor),   sd² = sd_seed² + sd_rerun²
//
// with k of TwoSidedFactor or OneSidedFactor. A recorder sets Rule; the rest is derived from the runs.
type Band struct {
	Rule    BandRule `json:"rule"`
	N       int      `json:"n"`        // seeds
	Mean    float64  `json:"mean"`     // over the first run of each seed
	SD      float64  `json:"sd"`       // √(sd_seed² + sd_rerun²)
	SDSeed  float64  `json:"sd_seed"`  // n−1, over the first run of each seed
	SDRerun float64  `json:"sd_rerun"` // pooled within seeds that were run more than once; 0 without reruns
	Reruns  int      `json:"reruns"`   // degrees of freedom of sd_rerun
	K       float64  `json:"k"`        // tolerance factor
	Floor   float64  `json:"floor"`    // least half-width: see MetricFloor and AccuracyFloor
	Lo      *float64 `json:"lo"`       // null for Upper
	Hi      *float64 `json:"hi"`       // null for Lower
}

// Contains reports whether x lies within the band.
func (b Band) Contains(x float64) bool {
	return !math.IsNaN(x) && (b.Lo == nil || x >= *b.Lo) && (b.Hi == nil || x <= *b.Hi)
}

// MinSeeds is the least number of seeds from which a band may be made; fewer are descriptive only.
const MinSeeds = 5

// DeriveBand computes the band of a final metric from the runs of g by the rule. It returns an error when a run lacks
// the metric, when there are fewer than MinSeeds seeds, or when an accuracy has no test-set size or lies outside [0,1].
func (g *Golden) DeriveBand(metric string, rule BandRule) (Band, error) {
	field := "bands." + metric
	if rule != TwoSided && rule != Lower && rule != Upper {
		return Band{}, refuse(field+".rule", "unknown rule %q; known: %q, %q, %q", rule, TwoSided, Lower, Upper)
	}
	values, err := g.finals(metric)
	if err != nil {
		return Band{}, err
	}
	b := Band{Rule: rule, N: len(values)}
	if b.N < MinSeeds {
		return Band{}, refuse(field, "%d seeds; a band needs at least %d", b.N, MinSeeds)
	}
	b.Mean, b.SDSeed = meanSD(values)
	b.SDRerun, b.Reruns, err = g.rerunSD(metric)
	if err != nil {
		return Band{}, err
	}
	b.SD = math.Hypot(b.SDSeed, b.SDRerun)
	if b.K, err = bandFactor(b.N, rule); err != nil {
		return Band{}, err
	}
	b.Floor = MetricFloor(metric, b.Mean)
	if IsAccuracy(metric) {
		n := 0
		if g.Provenance.Data != nil {
			n = g.Provenance.Data.NTest
		}
		if n < 1 || b.Mean < 0 || b.Mean > 1 {
			return Band{}, refuse(field, "an accuracy needs a mean in [0, 1] and a test set, have %g on %d examples", b.Mean, n)
		}
		b.Floor = max(b.Floor, AccuracyFloor(b.Mean, n))
	}
	half := max(b.K*b.SD, b.Floor)
	if rule != Upper {
		lo := b.Mean - half
		b.Lo = &lo
	}
	if rule != Lower {
		hi := b.Mean + half
		b.Hi = &hi
	}
	return b, nil
}

// rerunSD pools the standard deviation of repeated runs of a seed: √(Σ(x − x̄_seed)²/Σ(m_seed − 1)).
func (g *Golden) rerunSD(metric string) (sd float64, dof int, err error) {
	var ss float64
	for _, seed := range g.seeds() {
		var x []float64
		for i, r := range g.Runs {
			if r.Seed != seed {
				continue
			}
			v, ok := r.Final[metric]
			if !ok {
				return 0, 0, refuse(fmt.Sprintf("runs[%d].final.%s", i, metric), "missing")
			}
			x = append(x, v)
		}
		if len(x) > 1 {
			_, s := meanSD(x)
			ss += s * s * float64(len(x)-1)
			dof += len(x) - 1
		}
	}
	if dof == 0 {
		return 0, 0, nil
	}
	return math.Sqrt(ss / float64(dof)), dof, nil
}
