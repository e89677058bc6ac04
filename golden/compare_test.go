package golden

import (
	"strings"
	"testing"
)

// freshRuns trains a recipe over seeds of its own.
func freshRuns(c linearRecipe, seeds ...uint64) []Run {
	var runs []Run
	for _, s := range seeds {
		r := c.train(s, false)
		r.Snapshots, r.Segment = nil, nil
		runs = append(runs, r)
	}
	return runs
}

// failing returns the metrics whose rows did not pass.
func failing(c Comparison) string {
	var out []string
	for _, r := range c.Rows {
		if !r.Pass {
			out = append(out, r.Metric+": "+r.Why)
		}
	}
	return strings.Join(out, "; ")
}

// shortRecipe is DirectPred for a fifth of the time.
func shortRecipe() linearRecipe {
	c := directRecipe()
	c.Steps = 60
	return c
}

// seedsFrom returns n consecutive seeds.
func seedsFrom(first uint64, n int) []uint64 {
	var s []uint64
	for i := range n {
		s = append(s, first+uint64(i))
	}
	return s
}

// shortGolden holds bands from ten seeds of shortRecipe, as a recorded golden would: with five, the ratio of standard
// deviations alone refuses a metric of an unchanged recipe once in fifty.
func shortGolden(t *testing.T) *Golden {
	t.Helper()
	g := &Golden{ID: "short", Kind: Statistics, Config: mustConfig(t, shortRecipe()), Runs: freshRuns(shortRecipe(), seedsFrom(0, 10)...)}
	if _, err := g.complete(nil); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNewSeedsOfTheSameRecipePass(t *testing.T) {
	g := shortGolden(t)
	runs := freshRuns(shortRecipe(), seedsFrom(100, 10)...)
	c, err := Compare(g, g.Config, runs)
	if err != nil || !c.Pass || !c.Set || len(c.Rows) != len(g.Bands) {
		t.Errorf("as a set: %s (%v)", failing(c), err)
	}
	for i := range runs {
		c, err := Compare(g, g.Config, runs[i:i+1])
		if err != nil || !c.Pass || c.Set || len(c.Rows) != len(g.Bands) {
			t.Errorf("seed %d: %s (%v)", runs[i].Seed, failing(c), err)
		}
	}
}

// The same configuration claimed, another method run: what a broken implementation of DirectPred would do.
func TestRunsOfAnotherMethodFail(t *testing.T) {
	g := shortGolden(t)
	broken := simsiamRecipe()
	broken.Steps = 60
	runs := freshRuns(broken, seedsFrom(100, 5)...)
	c, err := Compare(g, g.Config, runs)
	if err != nil || c.Pass || !strings.Contains(failing(c), "er: mean") || !strings.Contains(failing(c), "Welch") {
		t.Errorf("five runs: %s (%v)", failing(c), err)
	}
	for i := range runs {
		c, err := Compare(g, g.Config, runs[i:i+1])
		if err != nil || c.Pass || !strings.Contains(failing(c), "asym") {
			t.Errorf("seed %d: %s (%v)", runs[i].Seed, failing(c), err)
		}
	}
}

func TestSetsWithAnotherSpreadFail(t *testing.T) {
	g := runsOf("comm", 0, 0.50, 0.51, 0.52, 0.49, 0.48)
	b, err := g.DeriveBand("comm", TwoSided)
	if err != nil {
		t.Fatal(err)
	}
	g.Bands = map[string]Band{"comm": b}
	g.Config = mustConfig(t, struct{}{})
	if g.Provenance.RecipeSHA256, err = g.Config.SHA256(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spread float64
		pass   bool
	}{{1, true}, {3.9, true}, {4.1, false}, {1 / 3.9, true}, {1 / 4.1, false}} {
		runs := runsOf("comm", 0, 0.5, 0.5+0.01*c.spread, 0.5+0.02*c.spread, 0.5-0.01*c.spread, 0.5-0.02*c.spread).Runs
		got, err := Compare(g, g.Config, runs)
		if err != nil || got.Pass != c.pass {
			t.Errorf("%g times the spread: pass %t, want %t: %s (%v)", c.spread, got.Pass, c.pass, failing(got), err)
		}
	}
}

// A floor forgives a spread only up to what the band already lets through: floor/k.
func TestFloorsForgiveOnlySmallSpreads(t *testing.T) {
	g := runsOf("zstd", 0, 0.002, 0.002, 0.002, 0.002, 0.002)
	b, err := g.DeriveBand("zstd", Upper)
	if err != nil {
		t.Fatal(err)
	}
	least := b.Floor / b.K
	constant := []float64{0.002, 0.002, 0.002, 0.002, 0.002}
	about := func(sd float64) []float64 { // ±sd about the mean: standard deviation sd for n = 5
		return []float64{0.002 - sd, 0.002 + sd, 0.002 - sd, 0.002 + sd, 0.002}
	}
	for _, c := range []struct {
		sd   float64
		pass bool
	}{{0, true}, {3.9 * least, true}, {4.1 * least, false}} {
		if row := compareSet("zstd", b, constant, about(c.sd)); row.Pass != c.pass {
			t.Errorf("spread %g: pass %t, want %t (%s)", c.sd, row.Pass, c.pass, row.Why)
		}
	}
}

func TestOneSidedBandsJudgeSetsInTheirDirection(t *testing.T) {
	recorded := []float64{5, 5.1, 4.9, 5.05, 4.95}
	higher := []float64{8, 8.1, 7.9, 8.05, 7.95}
	for _, c := range []struct {
		rule BandRule
		pass bool
	}{{TwoSided, false}, {Lower, true}, {Upper, false}} {
		b, err := runsOf("comm", 0, recorded...).DeriveBand("comm", c.rule)
		if err != nil {
			t.Fatal(err)
		}
		if row := compareSet("comm", b, recorded, higher); row.Pass != c.pass {
			t.Errorf("%s: a higher mean passes: %t, want %t (%s)", c.rule, row.Pass, c.pass, row.Why)
		}
	}
}

func TestCompareRefusesRunsItCannotJudge(t *testing.T) {
	g := load(t, fixtures(t), directID)
	config := mustConfig(t, directRecipe())
	other := directRecipe()
	other.Optimizer.LR *= 2
	one := freshRuns(directRecipe(), 101)
	without := freshRuns(directRecipe(), 101)
	delete(without[0].Final, "er")
	broken := freshRuns(directRecipe(), 101)
	broken[0].Final["er"] = nan()
	for _, c := range []struct {
		name   string
		g      *Golden
		config Config
		runs   []Run
		want   string
	}{
		{"another recipe", g, mustConfig(t, other), one, "config.derived.eta_t: 0.6 → 1.2 (+100 %); config.optimizer.lr: 0.02 → 0.04 (+100 %)"},
		{"no runs", g, config, nil, "no runs"},
		{"a seed twice", g, config, append(one, one...), "seed 101 appears twice"},
		{"a missing metric", g, config, without, "no finite er"},
		{"a metric that is NaN", g, config, broken, "no finite er"},
		{"a golden without bands", load(t, fixtures(t), witnessID), config, one, "no bands"},
	} {
		if got, err := Compare(c.g, c.config, c.runs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want %q", c.name, got, err, c.want)
		}
	}
}
