package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// roundoff bounds the error of a measure of matrices with at most a few hundred
// rows and columns of numbers near 1: sums of up to 1e5 products at 2⁻⁵³ each,
// with a factor 10 for the eigenvalue iteration.
const roundoff = 1e-10

func near(got, want float64) bool { return math.Abs(got-want) <= roundoff*(1+math.Abs(want)) }

func gaussian(n, d int, seed uint64) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, 1))
	m := mat.NewDense(n, d, nil)
	m.Apply(func(_, _ int, _ float64) float64 { return r.NormFloat64() }, m)
	return m
}

// axes returns 2k·d rows ±e_1 … ±e_d in the first k dimensions of d.
func axes(k, d int) *mat.Dense {
	m := mat.NewDense(2*k, d, nil)
	for j := range k {
		m.Set(2*j, j, 1)
		m.Set(2*j+1, j, -1)
	}
	return m
}

// rotation returns an orthogonal n×n matrix.
func rotation(n int, seed uint64) *mat.Dense {
	var qr mat.QR
	qr.Factorize(gaussian(n, n, seed))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

// TestCollapseMeasuresOnKnownClouds: clouds whose zstd and rank follow by hand,
// with twins of the measures that each fail one of the rows.
func TestCollapseMeasuresOnKnownClouds(t *testing.T) {
	same := mat.NewDense(6, 4, nil)
	for i := range 6 {
		same.SetRow(i, []float64{float64(i + 1), 0, 0, 0}) // one direction, six lengths
	}
	shifted := axes(3, 3) // one direction plus a spread: E ẑ = (1,1,1)/√3·c
	shifted.Apply(func(_, _ int, v float64) float64 { return v + 100 }, shifted)

	for _, c := range []struct {
		name                  string
		z                     *mat.Dense
		zstd, rank, centred   float64
		zstdTo, rankTolerance float64
	}{
		// ẑ = ±e_j, each with probability 1/(2k): std_j = 1/√k for the k used of d.
		{"all axes", axes(5, 5), 1, 5, 5, 0, 0},
		{"2 axes of 8", axes(2, 8), math.Sqrt(8) * (2 / math.Sqrt2) / 8, 2, 2, 0, 0},
		{"one line", axes(1, 6), math.Sqrt(6) / 6, 1, 1, 0, 0},
		{"one direction", same, 0, 1, math.NaN(), 0, 0},
		// To first order in 1/100 the directions spread over the plane
		// orthogonal to (1,1,1): centred rank 2. The second-order part is 1e-4 of it.
		{"narrow cone", shifted, 0, 1, 2, 0.01, 0.01},
	} {
		zstd, rank := ZStd(c.z), EffectiveRank(c.z)
		if math.Abs(zstd-c.zstd) > roundoff+c.zstdTo {
			t.Errorf("%s: zstd %.6g, want %.6g", c.name, zstd, c.zstd)
		}
		if math.Abs(rank.Uncentred-c.rank) > roundoff+c.rankTolerance {
			t.Errorf("%s: rank %.6g, want %.6g", c.name, rank.Uncentred, c.rank)
		}
		if math.IsNaN(c.centred) != math.IsNaN(rank.Centred) || math.Abs(rank.Centred-c.centred) > roundoff+c.rankTolerance {
			t.Errorf("%s: centred rank %.6g, want %.6g", c.name, rank.Centred, c.centred)
		}
	}
	if EffectiveRank(shifted).Uncentred == EffectiveRank(shifted).Centred {
		t.Error("centring makes no difference on a cone")
	}
}

// TestCollapseMeasuresIgnoreLengthAndFrame: rows may be scaled one by one; the
// rank (not zstd, which is a mean over coordinates) does not see a rotation.
func TestCollapseMeasuresIgnoreLengthAndFrame(t *testing.T) {
	z := gaussian(300, 7, 3)
	z.Apply(func(_, j int, v float64) float64 { return v * float64(j+1) }, z)
	scaled := mat.DenseCopyOf(z)
	scaled.Apply(func(i, _ int, v float64) float64 { return v * math.Exp(float64(i%9)-4) }, scaled)
	if !near(ZStd(scaled), ZStd(z)) || !near(EffectiveRank(scaled).Uncentred, EffectiveRank(z).Uncentred) {
		t.Error("the lengths of the rows matter")
	}
	var turned mat.Dense
	turned.Mul(z, rotation(7, 4))
	if !near(EffectiveRank(&turned).Uncentred, EffectiveRank(z).Uncentred) || !near(EffectiveRank(&turned).Centred, EffectiveRank(z).Centred) {
		t.Error("a rotation changes the rank")
	}
	if near(ZStd(&turned), ZStd(z)) {
		t.Error("zstd of an uneven cloud does not see a rotation: it is not a mean over coordinates")
	}
}

func TestRankIsLimitedByTheNumberOfExamples(t *testing.T) {
	few, many := EffectiveRank(gaussian(8, 64, 5)), EffectiveRank(gaussian(6400, 64, 5))
	if few.Uncentred > 8 || few.Centred > 7 {
		t.Errorf("8 examples span %.2f dimensions, %.2f centred", few.Uncentred, few.Centred)
	}
	if few.UncentredOfMax != few.Uncentred/8 || few.CentredOfMax != few.Centred/7 {
		t.Errorf("normalised by something else than 8 and 7: %+v", few)
	}
	// With N ≫ d the eigenvalues of isotropic data lie within the
	// Marchenko-Pastur limits (1±√(d/N))², here .81 to 1.21: the entropy deficit is
	// half their variance d/N = .01.
	if want := 64 * math.Exp(-0.005); math.Abs(many.Uncentred-want) > 0.2 {
		t.Errorf("isotropic rank %.3f, want %.3f", many.Uncentred, want)
	}
}

func TestJudgeNeedsBothMeasures(t *testing.T) {
	for _, c := range []struct {
		zstd, rank float64
		want       Verdict
	}{
		{0.002, 1.0, Collapsed}, {0.066, 1.04, Collapsed}, // no predictor, without and with EMA
		{0.77, 5.15, Alive}, {0.70, 3.6, Alive}, {0.91, 9.7, Alive}, // BYOL, its smallest size, DirectPred
		{0.84, 1.34, PartlyCollapsed}, // BatchNorm on the output, no stop-gradient
		{0.15, 1.19, Collapsed},       // a good run at step 200: such a word is of the moment
		{0.99, 1.1, PartlyCollapsed}, {0.1, 3, PartlyCollapsed},
		{math.NaN(), 3, Undefined}, {0.5, math.NaN(), Undefined},
	} {
		if got := Judge(c.zstd, c.rank); got != c.want {
			t.Errorf("zstd %g, rank %g: %s, want %s", c.zstd, c.rank, got, c.want)
		}
	}
}

func TestMatrixRefusesTheWrongLength(t *testing.T) {
	if m := Matrix([]float32{1, 2, 3, 4, 5, 6}, 2, 3); m.At(1, 0) != 4 {
		t.Errorf("row-major: entry (1,0) is %g", m.At(1, 0))
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Matrix(make([]float32, 5), 2, 3)
}

// TestDivergedFeaturesAreNotANumber: a diverged run is measured, not a panic.
func TestDivergedFeaturesAreNotANumber(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		z := gaussian(10, 3, 1)
		z.Set(4, 1, bad)
		if zstd, r := ZStd(z), EffectiveRank(z); !math.IsNaN(zstd) || !math.IsNaN(r.Uncentred) || !math.IsNaN(r.CentredOfMax) || Judge(zstd, r.Uncentred) != Undefined {
			t.Errorf("%g among the features: zstd %g, rank %+v", bad, zstd, r)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("eigenvalues of a predictor with %g: no panic", bad)
				}
			}()
			PredictorEigenvalues(z.Slice(3, 6, 0, 3))
		}()
	}
}
