package golden

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Comparison is the verdict on new runs of a golden's recipe.
type Comparison struct {
	ID   string
	Set  bool // compared as a set, not run by run
	Rows []ComparisonRow
	Pass bool
}

// ComparisonRow is one metric of one run, or of a set of runs.
type ComparisonRow struct {
	Metric string
	Seed   uint64 // of a single run
	Value  float64
	// Lo and Hi are the band's ends for a single run; nil on an open side.
	Lo, Hi *float64
	Pass   bool
	// Welch and SDRatio are for a set: Welch's test of equal means, and the larger over the smaller standard deviation.
	Welch   *WelchTest
	SDRatio float64
	Why     string // what was not met; empty when Pass
}

// maxShown is how many differing members of a recipe an error lists.
const maxShown = 5

// Compare holds new runs against the bands of g. Fewer than MinSeeds runs are compared one by one: each value must lie
// in its band. MinSeeds or more are compared as a set: Welch's test on the means must not reject equality at WelchAlpha
// (for one-sided bands, in the direction that matters), and the standard deviations must differ by less than the factor
// MaxSDRatio, each counted as at least floor/k, the spread to which the band already gives way.
//
// When nothing has changed, a set of 5 against 5 recorded runs fails a metric with probability 0.02 (nearly all of it by
// the ratio), 5 against 10 with 0.01, 10 against 10 with 0.001; metrics of one run are correlated, so these do not add up.
//
// It returns an error when g has no bands, when the runs are of another recipe, when two runs share a seed, or when a
// run lacks a metric or has one that is not finite.
func Compare(g *Golden, config Config, runs []Run) (Comparison, error) {
	fail := func(format string, args ...any) (Comparison, error) {
		return Comparison{}, fmt.Errorf("golden: compare with %s: %s", g.ID, fmt.Sprintf(format, args...))
	}
	if g.Kind != Statistics || len(g.Bands) == 0 {
		return fail("it has no bands")
	}
	recipe, err := config.SHA256()
	if err != nil {
		return Comparison{}, err
	}
	if recipe != g.Provenance.RecipeSHA256 {
		var d []Difference
		diffNodes(g.Config.tree, config.tree, "config", &d)
		if len(d) == 0 {
			return fail("the recipe's hash differs from that of the golden's config: verify the golden")
		}
		shown := make([]string, 0, maxShown+1)
		for i, x := range d {
			if i == maxShown {
				shown = append(shown, fmt.Sprintf("and %d more", len(d)-i))
				break
			}
			shown = append(shown, x.String())
		}
		return fail("the runs are of another recipe: %s", strings.Join(shown, "; "))
	}
	if len(runs) == 0 {
		return fail("no runs")
	}
	seeds := make(map[uint64]bool)
	for _, r := range runs {
		if seeds[r.Seed] {
			return fail("seed %d appears twice", r.Seed)
		}
		seeds[r.Seed] = true
	}
	c := Comparison{ID: g.ID, Set: len(runs) >= MinSeeds, Pass: true}
	for _, metric := range slices.Sorted(maps.Keys(g.Bands)) {
		band := g.Bands[metric]
		values := make([]float64, len(runs))
		for i, r := range runs {
			v, ok := r.Final[metric]
			if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
				return fail("the run of seed %d has no finite %s", r.Seed, metric)
			}
			values[i] = v
		}
		if c.Set {
			recorded, err := g.finals(metric)
			if err != nil {
				return Comparison{}, err
			}
			c.Rows = append(c.Rows, compareSet(metric, band, recorded, values))
			continue
		}
		for i, v := range values {
			row := ComparisonRow{Metric: metric, Seed: runs[i].Seed, Value: v, Lo: band.Lo, Hi: band.Hi, Pass: band.Contains(v)}
			if !row.Pass {
				row.Why = fmt.Sprintf("%.6g lies outside the band about %.6g", v, band.Mean)
			}
			c.Rows = append(c.Rows, row)
		}
	}
	for _, r := range c.Rows {
		c.Pass = c.Pass && r.Pass
	}
	return c, nil
}

func compareSet(metric string, band Band, recorded, values []float64) ComparisonRow {
	w := Welch(values, recorded)
	mean, sd := meanSD(values)
	_, old := meanSD(recorded)
	least := band.Floor / band.K
	small, large := max(min(sd, old), least), max(sd, old, least)
	ratio := 1.0
	if large > 0 {
		ratio = large / small
	}
	row := ComparisonRow{Metric: metric, Value: mean, Welch: &w, SDRatio: ratio, Pass: true}
	matters := band.Rule == TwoSided || band.Rule == Lower && w.T < 0 || band.Rule == Upper && w.T > 0
	switch {
	case w.P < WelchAlpha && matters:
		row.Pass, row.Why = false, fmt.Sprintf("mean %.6g against %.6g: Welch's t is %.3g, p = %.2g", mean, band.Mean, w.T, w.P)
	case !(ratio < MaxSDRatio):
		row.Pass, row.Why = false, fmt.Sprintf("standard deviation %.3g against %.3g: ratio %.3g", sd, old, ratio)
	}
	return row
}
