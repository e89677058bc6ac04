package golden

import (
	"fmt"
	"maps"
	"slices"
)

// ClaimTest is the form of a claim about final metrics.
type ClaimTest string

const (
	// GateTest: every run's metric lies on the stated side of a bound.
	GateTest ClaimTest = "gate"
	// PairedTestName: the metric exceeds another golden's, seed by seed; see Paired.
	PairedTestName ClaimTest = "paired"
)

// Claim is a verdict about the runs. A recorder sets ID, Test, Metric and either Op and Bound, or Other and Gap; the
// rest is derived.
type Claim struct {
	ID     string    `json:"id"` // id of the claim or check that it is evidence for
	Test   ClaimTest `json:"test"`
	Metric string    `json:"metric"`
	Op     string    `json:"op,omitempty"`    // gate: ">" or "<"
	Bound  *float64  `json:"bound,omitempty"` // gate
	Other  string    `json:"other,omitempty"` // paired: id of the golden subtracted
	Gap    *float64  `json:"gap,omitempty"`   // paired: what every difference must exceed
	// OtherSHA256 is the seal of the other golden; derived.
	OtherSHA256 string    `json:"other_sha256,omitempty"`
	Seeds       []uint64  `json:"seeds"`  // derived: the seeds of Values
	Values      []float64 `json:"values"` // derived: the metric (gate) or the differences (paired), by seed
	Mean        float64   `json:"mean"`   // derived
	SE          float64   `json:"se"`     // derived: standard error of Mean
	Pass        bool      `json:"pass"`   // derived
}

// deriveClaim recomputes the derived members of c from the runs of g and, for a paired test, of the golden that
// lookup returns for its id.
func (g *Golden) deriveClaim(c Claim, field string, lookup func(id string) *Golden) (Claim, error) {
	c.Seeds, c.Values, c.OtherSHA256 = nil, nil, ""
	mine, err := g.bySeed(c.Metric)
	if err != nil {
		return c, err
	}
	switch c.Test {
	case GateTest:
		if c.Bound == nil || c.Op != ">" && c.Op != "<" || c.Other != "" || c.Gap != nil {
			return c, refuse(field, "a gate has op \">\" or \"<\" and a bound, and neither other nor gap")
		}
		c.Pass = true
		for _, seed := range slices.Sorted(maps.Keys(mine)) {
			x := mine[seed]
			c.Seeds = append(c.Seeds, seed)
			c.Values = append(c.Values, x)
			c.Pass = c.Pass && (c.Op == ">" && x > *c.Bound || c.Op == "<" && x < *c.Bound)
		}
		p := Paired(c.Values, 0)
		c.Mean, c.SE = p.Mean, p.SE
		c.Pass = c.Pass && len(c.Values) > 0
		return c, nil
	case PairedTestName:
		if c.Gap == nil || c.Other == "" || c.Op != "" || c.Bound != nil {
			return c, refuse(field, "a paired claim has other and gap, and neither op nor bound")
		}
		if c.Other == g.ID {
			return c, refuse(field+".other", "a golden cannot be compared with itself")
		}
		other := lookup(c.Other)
		if other == nil {
			return c, refuse(field+".other", "there is no golden %q here", c.Other)
		}
		theirs, err := other.bySeed(c.Metric)
		if err != nil {
			return c, refuse(field+".other", "golden %s: %v", c.Other, err)
		}
		for _, seed := range slices.Sorted(maps.Keys(mine)) {
			x, ok := theirs[seed]
			if !ok {
				return c, refuse(field, "golden %s has no run of seed %d to pair with", c.Other, seed)
			}
			c.Seeds = append(c.Seeds, seed)
			c.Values = append(c.Values, mine[seed]-x)
		}
		if len(theirs) != len(mine) {
			return c, refuse(field, "golden %s has %d seeds, this one %d", c.Other, len(theirs), len(mine))
		}
		p := Paired(c.Values, *c.Gap)
		c.Mean, c.SE, c.Pass, c.OtherSHA256 = p.Mean, p.SE, p.Pass, other.SHA256
		return c, nil
	}
	return c, refuse(field+".test", "unknown test %q; known: %s, %s", c.Test, GateTest, PairedTestName)
}

// bySeed returns the metric of the first run of every seed.
func (g *Golden) bySeed(metric string) (map[uint64]float64, error) {
	if metric == "" {
		return nil, fmt.Errorf("no metric named")
	}
	values, err := g.finals(metric)
	if err != nil {
		return nil, err
	}
	m := make(map[uint64]float64, len(values))
	for i, seed := range g.seeds() {
		m[seed] = values[i]
	}
	return m, nil
}
