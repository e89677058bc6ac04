package golden

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Coverage and Confidence of the bands: with 95 % confidence over the draw of the recorded runs, a band contains 99 %
// of the runs of the same recipe.
const (
	Coverage   = 0.99
	Confidence = 0.95
)

// TwoSidedFactor returns the k for which x̄ ± k·s contains a share of at least coverage of a normal population with
// probability confidence, x̄ and s (n−1) being computed from n draws. It is the exact factor, the root in k of
//
//	∫ φ(z) P[χ²_{n−1} ≥ (n−1) r(z/√n)²/k²] dz = confidence,   Φ(d+r(d)) − Φ(d−r(d)) = coverage
//
// (A. Wald, J. Wolfowitz, Ann. Math. Statist. 17 (1946) 208; R. E. Odeh, Comm. Statist. B 7 (1978) 183). It returns an
// error unless n ≥ 2 and both probabilities lie in (0, 1).
func TwoSidedFactor(n int, coverage, confidence float64) (float64, error) {
	if err := checkFactor(n, coverage, confidence); err != nil {
		return 0, err
	}
	nu := float64(n - 1)
	chi := distuv.ChiSquared{K: nu}
	z, w := gaussLegendre(0, normalReach)
	q := make([]float64, len(z)) // (n−1) r²
	for i := range z {
		r := halfWidth(z[i]/math.Sqrt(float64(n)), coverage)
		q[i] = nu * r * r
		w[i] *= 2 * math.Exp(-z[i]*z[i]/2) / math.Sqrt(2*math.Pi)
	}
	return risingRoot(func(k float64) float64 {
		var sum float64
		for i := range q {
			sum += w[i] * chi.Survival(q[i]/(k*k))
		}
		return sum - confidence
	}), nil
}

// HoweFactor returns Howe's closed-form approximation of TwoSidedFactor,
//
//	k = z_{(1+coverage)/2} √( (n−1)(1+1/n) / χ²_{1−confidence, n−1} )
//
// (W. G. Howe, J. Amer. Statist. Assoc. 64 (1969) 610), which errs on the wide side for small n.
func HoweFactor(n int, coverage, confidence float64) (float64, error) {
	if err := checkFactor(n, coverage, confidence); err != nil {
		return 0, err
	}
	nu := float64(n - 1)
	z := distuv.UnitNormal.Quantile((1 + coverage) / 2)
	return z * math.Sqrt(nu*(1+1/float64(n))/distuv.ChiSquared{K: nu}.Quantile(1-confidence)), nil
}

// OneSidedFactor returns the k for which x̄ + k·s (or x̄ − k·s) bounds a share of at least coverage of a normal
// population from above (below) with probability confidence:
//
//	k = t'_{confidence; n−1, δ}/√n,   δ = z_coverage·√n
//
// with t' the quantile of the noncentral t distribution (D. B. Owen, Technometrics 10 (1968) 445). It returns an error
// unless n ≥ 2 and both probabilities lie in (0, 1).
func OneSidedFactor(n int, coverage, confidence float64) (float64, error) {
	if err := checkFactor(n, coverage, confidence); err != nil {
		return 0, err
	}
	root := math.Sqrt(float64(n))
	delta := distuv.UnitNormal.Quantile(coverage) * root
	if coverage < 0.5 { // the factor may be negative; bracket from the left with its mirror image
		return 0, fmt.Errorf("golden: one-sided factor of coverage %g below one half is not supported", coverage)
	}
	t := risingRoot(func(t float64) float64 { return NoncentralTCDF(t, float64(n-1), delta) - confidence })
	return t / root, nil
}

func checkFactor(n int, coverage, confidence float64) error {
	if n < 2 {
		return fmt.Errorf("golden: a tolerance factor needs at least 2 runs, have %d", n)
	}
	if !(coverage > 0 && coverage < 1 && confidence > 0 && confidence < 1) {
		return fmt.Errorf("golden: coverage %g and confidence %g must lie between 0 and 1", coverage, confidence)
	}
	return nil
}

// normalReach cuts integrals against the normal density: the mass beyond 9 is 2.3e-19, below half an ulp of 1.
const normalReach = 9

// NoncentralTCDF returns P[(Z+δ)/√(V/ν) ≤ t] for independent Z ~ N(0,1) and V ~ χ²_ν, by quadrature over Z:
//
//	P = Φ(−δ) + ∫_{z>−δ} φ(z) P[χ²_ν ≥ ν(z+δ)²/t²] dz   for t > 0,
//
// and 1 − P(−t; ν, −δ) for t < 0. The integrand is analytic on the range, which is why the integral is cut at −δ. It
// panics unless ν > 0.
func NoncentralTCDF(t, nu, delta float64) float64 {
	if !(nu > 0) {
		panic("golden: degrees of freedom must be positive")
	}
	switch {
	case t < 0:
		return 1 - NoncentralTCDF(-t, nu, -delta)
	case t == 0:
		return distuv.UnitNormal.CDF(-delta)
	}
	chi := distuv.ChiSquared{K: nu}
	sum := distuv.UnitNormal.CDF(-delta)
	lo := max(-delta, -normalReach)
	if lo >= normalReach {
		return sum
	}
	z, w := gaussLegendre(lo, normalReach)
	for i := range z {
		q := (z[i] + delta) / t
		sum += w[i] * math.Exp(-z[i]*z[i]/2) / math.Sqrt(2*math.Pi) * chi.Survival(nu*q*q)
	}
	return sum
}

// gaussLegendre returns nodes and weights of a composite rule on [lo, hi]: 24 panels of 16 points.
func gaussLegendre(lo, hi float64) (x, w []float64) {
	const panels, points = 24, 16
	x, w = make([]float64, panels*points), make([]float64, panels*points)
	h := (hi - lo) / panels
	for i := range panels {
		a := lo + float64(i)*h
		quad.Legendre{}.FixedLocations(x[i*points:(i+1)*points], w[i*points:(i+1)*points], a, a+h)
	}
	return x, w
}

// halfWidth returns the r with Φ(d+r) − Φ(d−r) = coverage.
func halfWidth(d, coverage float64) float64 {
	return risingRoot(func(r float64) float64 {
		return distuv.UnitNormal.CDF(d+r) - distuv.UnitNormal.CDF(d-r) - coverage
	})
}

// risingRoot returns the positive root of f, which rises through zero once on (0, ∞), by bisection to the last bit.
func risingRoot(f func(float64) float64) float64 {
	lo, hi := 0.0, 1.0
	for f(hi) < 0 {
		lo, hi = hi, 2*hi
	}
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return mid
		}
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// factorKey names a cached factor of Coverage and Confidence.
type factorKey struct {
	n    int
	rule BandRule
}

var factors sync.Map // factorKey → float64

// bandFactor returns k(n) of a band rule.
func bandFactor(n int, rule BandRule) (float64, error) {
	if k, ok := factors.Load(factorKey{n, rule}); ok {
		return k.(float64), nil
	}
	compute := OneSidedFactor
	if rule == TwoSided {
		compute = TwoSidedFactor
	}
	k, err := compute(n, Coverage, Confidence)
	if err != nil {
		return 0, err
	}
	factors.Store(factorKey{n, rule}, k)
	return k, nil
}

// AccuracyFloor returns 3√(p(1−p)/nTest), three binomial standard errors of an accuracy p measured on nTest distinct
// examples: no band of an accuracy may be narrower, however alike the recorded runs are. It panics unless p lies in
// [0, 1] and nTest is positive.
func AccuracyFloor(p float64, nTest int) float64 {
	if !(p >= 0 && p <= 1) || nTest <= 0 {
		panic("golden: accuracy out of [0, 1] or test set empty")
	}
	return 3 * math.Sqrt(p*(1-p)/float64(nTest))
}

// WelchTest is the outcome of Welch's test of equal means.
type WelchTest struct {
	T  float64 // (x̄−ȳ)/√(s²_x/m + s²_y/n); ±Inf when both samples are constant and differ
	DF float64 // Welch–Satterthwaite degrees of freedom
	P  float64 // two-sided
}

// WelchAlpha is the significance level at which a set of runs is refused.
const WelchAlpha = 0.001

// MaxSDRatio bounds the ratio of the standard deviations of two sets of runs, in either direction.
const MaxSDRatio = 4

// Welch tests equality of the means of x and y, each of at least two values, without assuming equal variances
// (B. L. Welch, Biometrika 34 (1947) 28). Two constant samples are equal (P = 1) or not (P = 0). It panics on shorter
// samples.
func Welch(x, y []float64) WelchTest {
	if len(x) < 2 || len(y) < 2 {
		panic("golden: Welch's test needs two values on each side")
	}
	mx, sx := meanSD(x)
	my, sy := meanSD(y)
	vx, vy := sx*sx/float64(len(x)), sy*sy/float64(len(y))
	if vx+vy == 0 {
		if mx == my {
			return WelchTest{DF: float64(len(x) + len(y) - 2), P: 1}
		}
		return WelchTest{T: math.Inf(int(math.Copysign(1, mx-my))), DF: float64(len(x) + len(y) - 2)}
	}
	w := WelchTest{T: (mx - my) / math.Sqrt(vx+vy)}
	a, b := vx/(vx+vy), vy/(vx+vy)
	w.DF = 1 / (a*a/float64(len(x)-1) + b*b/float64(len(y)-1))
	w.P = 2 * distuv.StudentsT{Sigma: 1, Nu: w.DF}.CDF(-math.Abs(w.T))
	return w
}

// PairedTest is the outcome of a comparison of differences paired by seed.
type PairedTest struct {
	N    int
	Mean float64
	SD   float64 // n−1
	SE   float64 // SD/√n
	Pass bool    // every difference exceeds the gap, and the mean exceeds it by more than 2 SE
}

// MinPairs is the least number of paired differences on which an ordering may be claimed: with 5, all signs agree by
// chance with probability 1/32.
const MinPairs = 5

// Paired tests that differences d exceed gap: all of them, and in the mean by more than two standard errors. Fewer
// than MinPairs differences never pass.
func Paired(d []float64, gap float64) PairedTest {
	p := PairedTest{N: len(d)}
	if len(d) == 0 {
		return p
	}
	p.Mean, p.SD = meanSD(d)
	p.SE = p.SD / math.Sqrt(float64(len(d)))
	p.Pass = len(d) >= MinPairs && p.Mean-gap > 2*p.SE
	for _, x := range d {
		p.Pass = p.Pass && x > gap
	}
	return p
}

// meanSD returns the mean and the standard deviation (n−1; zero for one value) by the two-pass formula.
func meanSD(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	if len(x) < 2 {
		return mean, 0
	}
	var ss, comp float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
		comp += v - mean
	}
	return mean, math.Sqrt(max(0, ss-comp*comp/float64(len(x))) / float64(len(x)-1))
}
