package measure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// EffectiveRank returns exp(-Σ_j q_j ln q_j), q_j = λ_j / Σλ, for the eigenvalues
// λ of the positive semidefinite matrix F (Roy and Vetterli, EUSIPCO 2007): n for
// a multiple of the identity, 1 for rank one. Eigenvalues down to
// -SymmetryTol·λ_max count as zero; a more negative one panics. It is NaN for F = 0.
func EffectiveRank(f mat.Matrix) float64 {
	values, _ := Eigenframe(f)
	return EffectiveCount(values)
}

// EffectiveCount is EffectiveRank for given eigenvalues, in any order.
func EffectiveCount(values []float64) float64 {
	var sum, top float64
	for _, x := range values {
		top = max(top, x)
		sum += max(x, 0)
	}
	var h float64
	for _, x := range values {
		if x < -SymmetryTol*top || math.IsNaN(x) {
			panic(fmt.Sprintf("measure: eigenvalue %.3g of a matrix that must be positive semidefinite", x))
		}
		if x > 0 {
			q := x / sum
			h -= q * math.Log(q)
		}
	}
	if sum == 0 {
		return math.NaN()
	}
	return math.Exp(h)
}

// K returns the n×n matrix of paper, Theorem 3 (claim thm3-identity),
//
//	K = a (α F/2 + Wp² - (τ/a) Wp) + (3/2) η I,   a = 1+σ²
//
// for which L = [F, Wp] obeys dL/dt = -(L·K + K·L) along the reduced flow. It is
// symmetric when F and Wp are.
func K(f, wp mat.Matrix, alpha, sigma2, tau, eta float64) *mat.Dense {
	n := square(f, "F")
	if square(wp, "Wp") != n {
		panic("measure: F and Wp differ in size")
	}
	a := 1 + sigma2
	var k mat.Dense
	k.Mul(wp, wp)
	for i := range n {
		for j := range n {
			x := a*(alpha*f.At(i, j)/2+k.At(i, j)) - tau*wp.At(i, j)
			if i == j {
				x += 1.5 * eta
			}
			k.Set(i, j, x)
		}
	}
	return &k
}

// MinEigenvalue returns the smallest eigenvalue of the symmetric matrix A.
func MinEigenvalue(a mat.Matrix) float64 {
	values, _ := Eigenframe(a)
	return values[len(values)-1]
}

// Roots returns p₋ ≤ p₊, the nonzero stationary points of
// p' = p²(τ - ap) - ηp,
//
//	p± = (τ ± √(τ² - 4ηa)) / (2a),   a = 1+σ²
//
// (claim fixed-points), and false when they are not real (η > τ²/4a). p₋ is formed
// as η/(a p₊), without cancellation, for τ > 0; it panics unless a > 0.
func Roots(tau, sigma2, eta float64) (minus, plus float64, ok bool) {
	a := 1 + sigma2
	if !(a > 0) {
		panic("measure: 1+σ² is not positive")
	}
	disc := tau*tau - 4*eta*a
	if disc < 0 {
		return math.NaN(), math.NaN(), false
	}
	r := math.Sqrt(disc)
	if tau > 0 {
		plus = (tau + r) / (2 * a)
		return eta / (a * plus), plus, true
	}
	minus = (tau - r) / (2 * a)
	if minus == 0 {
		return 0, 0, true
	}
	return minus, eta / (a * minus), true
}

// CriticalDecay returns η* = τ²/(4(1+σ²)), the weight decay above which only
// collapse is left (claim eta-critical).
func CriticalDecay(tau, sigma2 float64) float64 { return tau * tau / (4 * (1 + sigma2)) }
