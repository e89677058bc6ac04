package linear

import (
	"context"
	"errors"
	"fmt"
	"math"

	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// Stationary returns the stable stationary point of a mode with view variance
// σ², target factor τ = 1:
//
//	p* = p₊ = (1 + √(1 - 4η(1+σ²))) / (2(1+σ²)),  s* = p*²/α_p
//
// (claims fixed-points and invariance-scalar). ok is false above η* = 1/(4(1+σ²)).
func Stationary(sigma2, eta, alpha float64) (p, s float64, ok bool) {
	_, p, ok = measure.Roots(1, sigma2, eta)
	return p, p * p / alpha, ok
}

// Threshold returns p₋, below which a mode on the parabola s = p²/α_p collapses
// (claim basin). ok is false above η*.
func Threshold(sigma2, eta float64) (pMinus float64, ok bool) {
	pMinus, _, ok = measure.Roots(1, sigma2, eta)
	return pMinus, ok
}

// SurvivalVariance returns the view variance above which a feature with data
// variance 1 collapses at weight decay η: 4η(1+σ²) < 1 (claims eta-critical and
// directset; there called weight decay as a feature selector).
func SurvivalVariance(eta float64) float64 { return 1/(4*eta) - 1 }

// DirectStationary returns the s at which a rule's predictor has the value
// p* = p₊, when every mode has the same s:
//
//	√(m s) + ε m s = p*  (γ = ½),  (m s)^γ + ε = p*  (other γ)
//
// with m = 1 for a cross-view F̂ and m = 1+σ² for a same-view one (claims
// dp-formula, dp-invariance, directset). It is 0 when p* ≤ ε leaves no solution
// and does not hold for CodeFormula, which forgets the scale.
func DirectStationary(rule DirectRule, sigma2, eta float64) (s float64, ok bool) {
	_, p, ok := measure.Roots(1, sigma2, eta)
	if !ok || rule.CodeFormula {
		return 0, false
	}
	m := 1.
	if rule.Moment == SameView {
		m = 1 + sigma2
	}
	if rule.Power == 0.5 {
		// ε x² + x = p with x = √(m s); the form without cancellation.
		x := 2 * p / (1 + math.Sqrt(1+4*rule.Epsilon*p))
		return x * x / m, true
	}
	return math.Pow(max(p-rule.Epsilon, 0), 1/rule.Power) / m, true
}

// Rates at which ½ ln tr F falls, per unit of flow time, for isotropic data.

// CollapseRate is σ²+η: no predictor, stop-gradient (claim nopred).
func CollapseRate(sigma2, eta float64) float64 { return sigma2 + eta }

// CollapseRateNoStop is 2σ²+η: no predictor, no stop-gradient (claim nostopgrad with W_p = I).
func CollapseRateNoStop(sigma2, eta float64) float64 { return 2*sigma2 + eta }

// CollapseRateNoStopBound is the least rate with any symmetric predictor and no
// stop-gradient: the minimum over p of a p² - 2p + a, a = 1+σ², plus η, that is
//
//	a - 1/a + η
//
// (claim nostopgrad: the eigenvalues of H).
func CollapseRateNoStopBound(sigma2, eta float64) float64 {
	a := 1 + sigma2
	return a - 1/a + eta
}

// BalanceRate is 2η, the decay of D = W Wᵀ - W_pᵀW_p/α_p (claim thm1).
func BalanceRate(eta float64) float64 { return 2 * eta }

// NoiseExcess returns the stationary mean of D_jj = s_j - ‖W_p v_j‖²/α_p, relative
// to s_j, that the noise of SGD keeps up, for modes along the inputs j with
// (p_j, s_j) at their stationary points:
//
//	E D_jj / s_j = rate/(2ηB) · ( p_j² v_j A - α_p a_j V ),
//	a_k = 1+σ²_k,  A = Σ_inputs a_k,  v_k = p_k² a_k - 2p_k + a_k,  V = Σ_modes s_k v_k
//
// to first order in rate/B. Without noise one step of gradient descent maps D to
//
//	D' = (1-rate·η)² D + rate² ( W_pᵀGGᵀW_p - α_p W GᵀG Wᵀ ),  G = ∂J/∂(W_pW)
//
// exactly (claim thm1-discrete). In the stationary state D' = D on average, and G
// is a mean over B examples of e x₁ᵀ, e = W_pWx₁ - Wx₂ normal with variance s_k v_k
// along mode k; the covariance of a product of normal variables (Isserlis)
// gives the two sums. Terms with the squared mean of G cancel on the parabola
// α_p s = p². For isotropic data it reduces to
//
//	E D_jj / s_j = rate/(2ηB) · p² a v (inputs - features).
func NoiseExcess(c Config) (excess []float64, ok bool) {
	modes := min(c.Features, c.Inputs)
	sumA, sumV := 0., 0.
	p, s, v := make([]float64, modes), make([]float64, modes), make([]float64, modes)
	for k, sigma2 := range c.Sigma2 {
		a := 1 + sigma2
		sumA += a
		if k >= modes {
			continue
		}
		if p[k], s[k], ok = Stationary(sigma2, c.Eta, c.Alpha); !ok {
			return nil, false
		}
		v[k] = p[k]*p[k]*a - 2*p[k] + a
		sumV += s[k] * v[k]
	}
	scale := c.Rate / (2 * c.Eta * float64(c.Batch))
	excess = make([]float64, modes)
	for j := range excess {
		a := 1 + c.Sigma2[j]
		excess[j] = scale * (p[j]*p[j]*v[j]*sumA - c.Alpha*a*sumV)
	}
	return excess, true
}

// Mode is one aligned mode (p, w, w_a): W_p v = p v, W = w v uᵀ, W_a = w_a v uᵀ.
type Mode struct{ P, W, Wa float64 }

// modeFlow is the flow of a mode (claims decoupled and assump-ema, in the chart
// that is regular at w = 0), a = 1+σ²:
//
//	p' = α_p w (w_a - a p w) - ηp,  w' = p (w_a - a p w) - ηw,  w_a' = β(w - w_a)
//
// with w_a = w throughout when β is infinite.
func modeFlow(sigma2, eta, alpha, beta float64) ode.RHS {
	a := 1 + sigma2
	return func(_ float64, y, dydt []float64) {
		p, w := y[0], y[1]
		wa := w
		if len(y) == 3 {
			wa = y[2]
			dydt[2] = beta * (w - wa)
		}
		r := wa - a*p*w
		dydt[0] = alpha*w*r - eta*p
		dydt[1] = p*r - eta*w
	}
}

func (m Mode) state(beta float64) []float64 {
	if math.IsInf(beta, 1) {
		return []float64{m.P, m.W}
	}
	return []float64{m.P, m.W, m.Wa}
}

// errNoPassage tells that the level was not reached in time.
var errNoPassage = errors.New("linear: the mode does not reach the level")

// PassageTime returns the first time at which s = w² passes level, upwards when
// it starts below, and the smallest τ = w_a/w on the way, at the accepted steps
// of an integration to 1e-10. horizon bounds the search.
func PassageTime(ctx context.Context, m Mode, sigma2, eta, alpha, beta, level, horizon float64) (t, minTau float64, err error) {
	direction := 1
	if m.W*m.W > level {
		direction = -1
	}
	// Steps below a hundredth of the passage resolve the minimum of τ, a smooth
	// function, to 1e-4 of its curvature term.
	solution, err := ode.Solve(ctx, modeFlow(sigma2, eta, alpha, beta), 0, m.state(beta), horizon, &ode.Settings{
		MaxStep: min(0.1, horizon/100),
		Events: []ode.Event{{Name: "level", Direction: direction, Terminal: true,
			G: func(_ float64, y []float64) float64 { return y[1]*y[1] - level }}},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("linear: passage time: %w", err)
	}
	if len(solution.Events) == 0 {
		return 0, 0, errNoPassage
	}
	minTau = 1
	if !math.IsInf(beta, 1) {
		minTau = math.Inf(1)
		for _, y := range solution.Y {
			minTau = min(minTau, y[2]/y[1])
		}
	}
	return solution.Events[0].T, minTau, nil
}
