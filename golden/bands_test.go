package golden

import (
	"math"
	"strings"
	"testing"
)

// runsOf returns a golden whose runs end with the given values of a metric, one per seed.
func runsOf(metric string, nTest int, values ...float64) *Golden {
	g := &Golden{ID: "x", Kind: Statistics, Provenance: Provenance{Data: &Data{NTest: nTest}}}
	for i, v := range values {
		g.Runs = append(g.Runs, Run{Seed: uint64(i), Final: map[string]float64{metric: v}})
	}
	return g
}

func TestBandIsTheWiderOfSpreadAndFloor(t *testing.T) {
	k, err := TwoSidedFactor(5, Coverage, Confidence)
	if err != nil {
		t.Fatal(err)
	}
	// 1…5 times d about m has standard deviation d·√2.5.
	spread := func(m, d float64) []float64 { return []float64{m - 2*d, m - d, m, m + d, m + 2*d} }
	for _, c := range []struct {
		metric string
		nTest  int
		values []float64
		half   float64
	}{
		{"comm", 0, spread(0.5, 0.01), k * 0.01 * math.Sqrt(2.5)},
		{"comm", 0, spread(0.5, 0), 0},
		{"zstd", 0, spread(0.5, 1e-4), 0.03},
		{"asym", 0, spread(0.1, 1e-4), 0.02},
		{"er", 0, spread(5, 1e-3), 0.15},
		{"er_centered", 0, spread(5, 1), k * math.Sqrt(2.5)},
		{"knn", 397, spread(0.85, 1e-4), 3 * math.Sqrt(0.85*0.15/397)},
		{"lin", 10000, spread(0.99, 1e-5), 0.01},
	} {
		b, err := runsOf(c.metric, c.nTest, c.values...).DeriveBand(c.metric, TwoSided)
		if err != nil {
			t.Errorf("%s: %v", c.metric, err)
			continue
		}
		m := c.values[2]
		if math.Abs(*b.Lo-(m-c.half)) > 1e-12 || math.Abs(*b.Hi-(m+c.half)) > 1e-12 {
			t.Errorf("%s: band [%g, %g], want %g ± %g", c.metric, *b.Lo, *b.Hi, m, c.half)
		}
		if !b.Contains(m) || b.Contains(m+c.half+1e-9) || b.Contains(m-c.half-1e-9) || b.Contains(math.NaN()) {
			t.Errorf("%s: the band contains the wrong values", c.metric)
		}
	}
}

func TestOneSidedBandsAreOpenOnTheOtherSide(t *testing.T) {
	g := runsOf("er", 0, 4, 5, 6, 5, 5)
	k, err := OneSidedFactor(5, Coverage, Confidence)
	if err != nil {
		t.Fatal(err)
	}
	low, err := g.DeriveBand("er", Lower)
	if err != nil {
		t.Fatal(err)
	}
	high, err := g.DeriveBand("er", Upper)
	if err != nil {
		t.Fatal(err)
	}
	want := 5 - k*math.Sqrt(0.5)
	if low.Hi != nil || math.Abs(*low.Lo-want) > 1e-12 || !low.Contains(1e9) || low.Contains(want-1e-9) {
		t.Errorf("lower band %+v, want from %g", low, want)
	}
	if high.Lo != nil || math.Abs(*high.Hi-(10-want)) > 1e-12 || !high.Contains(-1e9) || high.Contains(10-want+1e-9) {
		t.Errorf("upper band %+v, want to %g", high, 10-want)
	}
}

// Seeds 0…4 end at 1, 2, 3, 4, 5; seed 0 again at 2 and seed 1 again at 2, 5. Within seeds the sums of squares are
// 0.5 (about 1.5) and 6 (2, 2, 5 about 3), with 1 and 2 degrees of freedom.
func TestRerunSpreadIsPooledWithinSeedsAndAddsInQuadrature(t *testing.T) {
	g := runsOf("comm", 0, 1, 2, 3, 4, 5)
	g.Runs = append(g.Runs,
		Run{Seed: 0, Rerun: 1, Final: map[string]float64{"comm": 2}},
		Run{Seed: 1, Rerun: 1, Final: map[string]float64{"comm": 2}},
		Run{Seed: 1, Rerun: 2, Final: map[string]float64{"comm": 5}})
	b, err := g.DeriveBand("comm", TwoSided)
	if err != nil {
		t.Fatal(err)
	}
	if b.N != 5 || b.Reruns != 3 || b.Mean != 3 || math.Abs(b.SDSeed-math.Sqrt(2.5)) > 1e-15 ||
		math.Abs(b.SDRerun-math.Sqrt(6.5/3)) > 1e-15 || math.Abs(b.SD-math.Sqrt(2.5+6.5/3)) > 1e-15 {
		t.Errorf("band %+v", b)
	}
}

func TestBandsRefuseWhatCannotSupportThem(t *testing.T) {
	for _, c := range []struct {
		g      *Golden
		metric string
		rule   BandRule
		want   string
	}{
		{runsOf("er", 0, 1, 2, 3, 4), "er", TwoSided, "at least 5"},
		{runsOf("er", 0, 1, 2, 3, 4, 5), "zstd", TwoSided, "missing"},
		{runsOf("er", 0, 1, 2, 3, 4, 5), "er", "", "unknown rule"},
		{runsOf("knn", 0, 0.5, 0.5, 0.5, 0.5, 0.5), "knn", TwoSided, "test set"},
		{runsOf("knn", 100, 1.5, 1.5, 1.5, 1.5, 1.5), "knn", TwoSided, "[0, 1]"},
	} {
		if b, err := c.g.DeriveBand(c.metric, c.rule); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s by %q: %+v, %v; want %q", c.metric, c.rule, b, err, c.want)
		}
	}
}
