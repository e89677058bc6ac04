package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Published factors at 99 % coverage and 95 % confidence. Two-sided exact: P. M. Berthouex, L. C. Brown, Statistics for
// Environmental Engineers, 2nd ed. (2002), Table 21.1. One-sided: M. G. Natrella, NBS Handbook 91 (1963), Table A-7.
// Tables that print 6.634 and 4.433 for n = 5 and 10 (A. H. Bowker, 1947) hold the Wald–Wolfowitz approximation; see
// TestBowkersTableIsTheWaldWolfowitzApproximation.
func TestFactorsAgreeWithPublishedTables(t *testing.T) {
	for n, want := range map[int]float64{4: 8.22, 5: 6.60, 6: 5.76, 7: 5.24, 8: 4.89, 9: 4.63, 10: 4.44, 12: 4.16, 15: 3.89, 20: 3.62, 25: 3.46, 30: 3.35, 40: 3.22, 60: 3.07} {
		k, err := TwoSidedFactor(n, 0.99, 0.95)
		if err != nil || math.Abs(k-want) > 0.005+1e-9 {
			t.Errorf("two-sided k(%d) = %.4f (%v), published %.2f", n, k, err, want)
		}
	}
	for n, want := range map[int]float64{4: 7.042, 5: 5.741, 6: 5.062, 8: 4.353, 10: 3.981, 15: 3.520, 20: 3.295, 30: 3.064} {
		k, err := OneSidedFactor(n, 0.99, 0.95)
		if err != nil || math.Abs(k-want) > 0.0015 {
			t.Errorf("one-sided k(%d) = %.4f (%v), published %.3f", n, k, err, want)
		}
	}
	// NIST/SEMATECH e-Handbook §7.2.6.3: n = 43, coverage 0.90, confidence 0.99; the two-sided one by Howe's formula.
	if k, err := HoweFactor(43, 0.90, 0.99); err != nil || math.Abs(k-2.217) > 0.0005 {
		t.Errorf("Howe's k = %.4f (%v), published 2.217", k, err)
	}
	// The handbook's one-sided 1.8752 is by its closed form with a = 1 − z_γ²/(2(n−1)), b = z_p² − z_γ²/n; the exact
	// factor differs from it in the fourth digit.
	zp, zg := distuv.UnitNormal.Quantile(0.90), distuv.UnitNormal.Quantile(0.99)
	a, b := 1-zg*zg/84, zp*zp-zg*zg/43
	form := (zp + math.Sqrt(zp*zp-a*b)) / a
	if k, err := OneSidedFactor(43, 0.90, 0.99); err != nil || math.Abs(form-1.8752) > 0.00005 || math.Abs(k/form-1) > 0.001 {
		t.Errorf("one-sided k = %.5f (%v), closed form %.5f, published 1.8752", k, err, form)
	}
}

// waldWolfowitz is the approximation k = r√((n−1)/χ²) with Φ(1/√n + r) − Φ(1/√n − r) = coverage.
func waldWolfowitz(n int, coverage, confidence float64) float64 {
	nu := float64(n - 1)
	return halfWidth(1/math.Sqrt(float64(n)), coverage) * math.Sqrt(nu/distuv.ChiSquared{K: nu}.Quantile(1-confidence))
}

func TestBowkersTableIsTheWaldWolfowitzApproximation(t *testing.T) {
	for n, want := range map[int]float64{5: 6.634, 10: 4.433} {
		if k := waldWolfowitz(n, 0.99, 0.95); math.Abs(k-want) > 0.0005 {
			t.Errorf("Wald–Wolfowitz k(%d) = %.4f, Bowker's table has %.3f", n, k, want)
		}
	}
	for n, want := range map[int]float64{5: 6.69, 10: 4.45} {
		k, err := HoweFactor(n, 0.99, 0.95)
		if err != nil || math.Abs(k-want) > 0.006 {
			t.Errorf("Howe's k(%d) = %.4f (%v), want %.2f", n, k, err, want)
		}
	}
}

// attained returns the confidence that x̄ ± k·s attains, by the midpoint rule over both the mean and the standard
// deviation: the definition, without the reduction to one integral.
func attained(n int, coverage, k float64) float64 {
	const cells = 1500
	nu := float64(n - 1)
	logNorm := (nu/2)*math.Log(nu/2) - lgamma(nu/2) + math.Ln2
	var total float64
	for i := range cells {
		z := -8 + 16*(float64(i)+0.5)/cells
		weight := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * 16 / cells
		d := z / math.Sqrt(float64(n))
		// Coverage grows with s: find the s that just covers, then sum the density of s above it.
		lo, hi := 0.0, 8.0
		for range 60 {
			mid := (lo + hi) / 2
			if distuv.UnitNormal.CDF(d+k*mid)-distuv.UnitNormal.CDF(d-k*mid) < coverage {
				lo = mid
			} else {
				hi = mid
			}
		}
		var above float64
		for j := range cells {
			s := lo + (8-lo)*(float64(j)+0.5)/cells
			above += math.Exp(logNorm+(nu-1)*math.Log(s)-nu*s*s/2) * (8 - lo) / cells
		}
		total += weight * above
	}
	return total
}

func lgamma(x float64) float64 { v, _ := math.Lgamma(x); return v }

func TestTwoSidedFactorAttainsItsConfidenceByDefinition(t *testing.T) {
	for _, n := range []int{5, 10} {
		k, err := TwoSidedFactor(n, 0.99, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		// The midpoint rule with 1500 cells errs by about (16/1500)²/24 ≈ 5e-6 of the curvature; 2e-5 covers it.
		if c := attained(n, 0.99, k); math.Abs(c-0.95) > 2e-5 {
			t.Errorf("k(%d) = %.5f attains %.6f, want 0.95", n, k, c)
		}
		if c := attained(n, 0.99, waldWolfowitz(n, 0.99, 0.95)); math.Abs(c-0.95) < 2e-5 {
			t.Errorf("the approximation attains %.6f too: this test could not tell them apart", c)
		}
	}
}

func TestNoncentralTAgreesWithItsOtherIntegral(t *testing.T) {
	// P = ∫ Φ(ts − δ) f(s) ds over s = √(V/ν), by the midpoint rule.
	slow := func(x, nu, delta float64) float64 {
		const cells = 40000
		hi := 1 + 10/math.Sqrt(nu)
		logNorm := (nu/2)*math.Log(nu/2) - lgamma(nu/2) + math.Ln2
		var sum float64
		for i := range cells {
			s := hi * (float64(i) + 0.5) / cells
			sum += distuv.UnitNormal.CDF(x*s-delta) * math.Exp(logNorm+(nu-1)*math.Log(s)-nu*s*s/2) * hi / cells
		}
		return sum
	}
	for _, nu := range []float64{1, 3, 4, 9, 29} {
		for _, delta := range []float64{-1, 0, 2.5, 5.2, 12} {
			for _, x := range []float64{-2, 0, 0.5, 3, 12.8, 40} {
				got, want := NoncentralTCDF(x, nu, delta), slow(x, nu, delta)
				if math.Abs(got-want) > 1e-6 { // the midpoint rule's own error at t·h = 40·11/40000
					t.Errorf("P(T ≤ %g; ν=%g, δ=%g) = %.9f, by the other integral %.9f", x, nu, delta, got, want)
				}
				if central := (distuv.StudentsT{Sigma: 1, Nu: nu}).CDF(x); delta == 0 && math.Abs(got-central) > 1e-12 {
					t.Errorf("P(T ≤ %g; ν=%g) = %.15f, Student's t gives %.15f", x, nu, got, central)
				}
			}
		}
	}
}

func TestFactorsRefuseImpossibleRequests(t *testing.T) {
	for _, f := range []func(int, float64, float64) (float64, error){TwoSidedFactor, OneSidedFactor, HoweFactor} {
		for _, c := range []struct {
			n    int
			p, g float64
		}{{1, 0.99, 0.95}, {0, 0.99, 0.95}, {5, 0, 0.95}, {5, 1, 0.95}, {5, 0.99, 1}, {5, math.NaN(), 0.95}} {
			if k, err := f(c.n, c.p, c.g); err == nil {
				t.Errorf("n=%d, coverage %g, confidence %g gave %g", c.n, c.p, c.g, k)
			}
		}
	}
}

// A band must keep about 99 % of new runs, and on average miss fewer with more seeds: the meaning of the factor, by
// simulation. 95 % of bands cover at least 99 %, so at least 0.95·0.99 of new runs pass whatever the distribution of
// the rest.
func TestBandsKeepNewRunsOfTheSameRecipe(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 0))
	for _, n := range []int{5, 10} {
		k, err := bandFactor(n, TwoSided)
		if err != nil {
			t.Fatal(err)
		}
		const trials = 20000
		kept, wide := 0, 0
		for range trials {
			x := make([]float64, n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			m, s := meanSD(x)
			if math.Abs(rng.NormFloat64()-m) <= k*s {
				kept++
			}
			if distuv.UnitNormal.CDF(m+k*s)-distuv.UnitNormal.CDF(m-k*s) >= 0.99 {
				wide++
			}
		}
		if share := float64(kept) / trials; share < 0.95*0.99 {
			t.Errorf("n=%d: %.4f of new runs pass", n, share)
		}
		// Four standard errors of a binomial share, 4·√(.95·.05/20000).
		if share := float64(wide) / trials; math.Abs(share-0.95) > 0.0062 {
			t.Errorf("n=%d: %.4f of bands cover 99 %%, want 0.95", n, share)
		}
	}
}

// Equal variances and sizes reduce Welch's test to Student's with 2n−2 degrees of freedom; a second case is by hand.
func TestWelchReducesToStudentAtEqualVariance(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5}
	y := []float64{4, 5, 6, 7, 8}
	w := Welch(x, y)
	// s² = 2.5 each: t = −3/√(2.5/5 + 2.5/5) = −3.
	if math.Abs(w.T+3) > 1e-12 || math.Abs(w.DF-8) > 1e-12 {
		t.Errorf("t = %g with %g degrees of freedom, want −3 with 8", w.T, w.DF)
	}
	if want := 2 * (distuv.StudentsT{Sigma: 1, Nu: 8}).CDF(-3); math.Abs(w.P-want) > 1e-12 {
		t.Errorf("p = %g, want %g", w.P, want)
	}
	// s²_x = 1, s²_y = 4, n = 3 each: DF = (5/3)²/((1/3)²/2 + (4/3)²/2) = 50/17.
	w = Welch([]float64{0, 1, 2}, []float64{0, 2, 4})
	if math.Abs(w.DF-50.0/17) > 1e-12 {
		t.Errorf("%g degrees of freedom, want 50/17", w.DF)
	}
	if w := Welch([]float64{1, 1}, []float64{1, 1}); w.P != 1 {
		t.Errorf("equal constants: p = %g", w.P)
	}
	if w := Welch([]float64{1, 1}, []float64{2, 2}); w.P != 0 || !math.IsInf(w.T, -1) {
		t.Errorf("different constants: t = %g, p = %g", w.T, w.P)
	}
}

// Rates of rejecting equal means and of exceeding MaxSDRatio when nothing changed: what the documentation of Compare
// says about false alarms.
func TestSetComparisonRaisesFewFalseAlarms(t *testing.T) {
	for _, c := range []struct {
		m, n         int
		welch, ratio float64 // expected shares: Welch's is conservative at equal small sizes, liberal at unequal ones
	}{
		{5, 5, 0.0005, 0.01995}, {10, 5, 0.0013, 0.0089}, {10, 10, 0.0008, 0.0003},
	} {
		rng := rand.New(rand.NewPCG(12, 0))
		const trials = 40000
		rejected, unlike := 0.0, 0.0
		for range trials {
			x, y := make([]float64, c.m), make([]float64, c.n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			for i := range y {
				y[i] = rng.NormFloat64()
			}
			if Welch(x, y).P < WelchAlpha {
				rejected++
			}
			_, a := meanSD(x)
			_, b := meanSD(y)
			if max(a, b) >= MaxSDRatio*min(a, b) {
				unlike++
			}
		}
		// The ratio's share is exact: both tails of F at MaxSDRatio².
		f := distuv.F{D1: float64(c.m - 1), D2: float64(c.n - 1)}
		exact := f.CDF(1.0/(MaxSDRatio*MaxSDRatio)) + 1 - f.CDF(MaxSDRatio*MaxSDRatio)
		if math.Abs(exact-c.ratio) > 0.00005 {
			t.Errorf("%d and %d runs: the ratio is exceeded with probability %.5f, documented %.4f", c.m, c.n, exact, c.ratio)
		}
		// Four Poisson standard errors about the expected counts.
		for _, x := range []struct {
			what      string
			got, want float64
		}{{"equal means rejected", rejected, c.welch * trials}, {"standard deviations refused", unlike, exact * trials}} {
			if math.Abs(x.got-x.want) > 4*math.Sqrt(x.want)+1 {
				t.Errorf("%d and %d runs: %s %g times in %d, expected %g", c.m, c.n, x.what, x.got, trials, x.want)
			}
		}
	}
}

func TestPairedClaimNeedsEverySignAndTwoStandardErrors(t *testing.T) {
	for _, c := range []struct {
		d    []float64
		gap  float64
		pass bool
	}{
		{[]float64{1, 2, 3, 2, 1}, 0, true},
		{[]float64{1, 2, 3, 2, -0.1}, 0, false},          // one sign
		{[]float64{0.01, 0.01, 0.01, 0.01, 9}, 0, false}, // mean 1.8 = 1.0 SE
		{[]float64{1, 2, 3, 2}, 0, false},                // too few
		{[]float64{1, 2, 3, 2, 1}, 1, false},             // equal to the gap
		{[]float64{1, 2, 3, 2, 1}, 0.5, true},
		{nil, 0, false},
	} {
		if got := Paired(c.d, c.gap); got.Pass != c.pass {
			t.Errorf("%v over %g: pass %t, want %t (%+v)", c.d, c.gap, got.Pass, c.pass, got)
		}
	}
}

func TestAccuracyFloorIsThreeBinomialStandardErrors(t *testing.T) {
	// 397 digits at .85 give 5.4 points, 10 000 images at .8 give 1.2.
	if f := AccuracyFloor(0.85, 397); math.Abs(f-0.05376) > 5e-5 {
		t.Errorf("floor %g", f)
	}
	if f := AccuracyFloor(0.8, 10000); math.Abs(f-0.012) > 1e-12 {
		t.Errorf("floor %g", f)
	}
}

func ExampleTwoSidedFactor() {
	for _, n := range []int{5, 10} {
		two, _ := TwoSidedFactor(n, Coverage, Confidence)
		one, _ := OneSidedFactor(n, Coverage, Confidence)
		fmt.Printf("n=%d  two-sided %.3f  one-sided %.3f\n", n, two, one)
	}
	// Output:
	// n=5  two-sided 6.598  one-sided 5.741
	// n=10  two-sided 4.437  one-sided 3.981
}
