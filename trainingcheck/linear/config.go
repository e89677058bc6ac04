package linear

import (
	"fmt"
	"math"
)

// Predictor says where W_p comes from.
type Predictor int

// The predictors.
const (
	Trained  Predictor = iota // by gradient descent
	Identity                  // W_p = I: no predictor
	Direct                    // set from F̂ after every step
)

// Moment names the matrix that F̂ estimates.
type Moment int

// The moments of the online features f₁ = W x₁, f₂ = W x₂.
const (
	// CrossView is ½E[f₁f₂ᵀ + f₂f₁ᵀ] = W X Wᵀ, the F of the theory.
	CrossView Moment = iota
	// SameView is ½E[f₁f₁ᵀ + f₂f₂ᵀ] = W(X+X')Wᵀ, what the paper's code
	// estimates: 1+σ² times F for isotropic data.
	SameView
)

// DirectRule sets W_p = U diag(p) Uᵀ from F̂ = U diag(s) Uᵀ.
type DirectRule struct {
	// Power γ: p_j = s_j^γ + …; ½ for DirectPred, 1 for DirectCopy.
	Power float64
	// Epsilon ε: DirectPred (γ = ½) adds ε·max_i s_i as printed (paper, equation
	// 18), any other power adds ε.
	Epsilon float64
	// Rho ρ: F̂ ← ρF̂ + (1-ρ)·(moment of the batch); the first batch sets F̂.
	Rho    float64
	Moment Moment
	// CodeFormula takes p_j = max((s_j/s_max)^γ + ε, 1e-4), the formula of the
	// paper's code, which forgets the scale of F̂.
	CodeFormula bool
	// Permuted gives eigenvector j the value of eigenvector j+1: a defect.
	Permuted bool
}

// Config describes a training run.
type Config struct {
	Inputs, Features int       // n1 and n2
	Sigma2           []float64 // variance σ²_j of the views along input j; the data are N(0, I)
	Batch            int       // examples a step; 0 takes the exact expectation instead
	Rate             float64   // learning rate of W
	Alpha            float64   // α_p: W_p learns at α_p·Rate
	Eta              float64   // η: both weights decay at η in flow time, as Lemma 1 has it
	Beta             float64   // β: W_a follows W at this rate in flow time; +Inf: W_a = W
	Predictor        Predictor
	StopGradient     bool
	Direct           DirectRule // when Predictor is Direct
	// PredictorDecay multiplies the decay of W_p; Lemma 1 has 1.
	PredictorDecay float64
}

// Isotropic returns n equal variances.
func Isotropic(n int, sigma2 float64) []float64 {
	v := make([]float64, n)
	for j := range v {
		v[j] = sigma2
	}
	return v
}

// Standard is the setting of the checks: 16 inputs, 6 features, views with
// isotropic variance .25, batches of 64, rate .02, α_p = 1, η = .04, W_a = W.
func Standard() Config {
	return Config{Inputs: 16, Features: 6, Sigma2: Isotropic(16, 0.25), Batch: 64, Rate: 0.02,
		Alpha: 1, Eta: 0.04, Beta: math.Inf(1), Predictor: Trained, StopGradient: true, PredictorDecay: 1}
}

// Validate reports the first field that is out of its domain.
func (c Config) Validate() error {
	fail := func(field string, value any, want string) error {
		return fmt.Errorf("linear: %s = %v, want %s", field, value, want)
	}
	switch {
	case c.Inputs < 1:
		return fail("Inputs", c.Inputs, "at least 1")
	case c.Features < 1:
		return fail("Features", c.Features, "at least 1")
	case len(c.Sigma2) != c.Inputs:
		return fail("len(Sigma2)", len(c.Sigma2), fmt.Sprintf("Inputs = %d", c.Inputs))
	case c.Batch < 0:
		return fail("Batch", c.Batch, "0 or more")
	case !(c.Rate > 0) || math.IsInf(c.Rate, 1):
		return fail("Rate", c.Rate, "above 0")
	case !(c.Alpha > 0) || math.IsInf(c.Alpha, 1):
		return fail("Alpha", c.Alpha, "above 0")
	case !(c.Eta >= 0) || math.IsInf(c.Eta, 1):
		return fail("Eta", c.Eta, "0 or more")
	case !(c.Beta >= 0) || !math.IsInf(c.Beta, 1) && c.Beta*c.Rate > 1:
		return fail("Beta", c.Beta, "0 to 1/Rate, or +Inf")
	case c.Predictor < Trained || c.Predictor > Direct:
		return fail("Predictor", c.Predictor, "Trained, Identity or Direct")
	case !(c.PredictorDecay >= 0) || math.IsInf(c.PredictorDecay, 1):
		return fail("PredictorDecay", c.PredictorDecay, "0 or more")
	case c.Predictor == Direct && !(c.Direct.Power > 0):
		return fail("Direct.Power", c.Direct.Power, "above 0")
	case c.Predictor == Direct && !(c.Direct.Rho >= 0 && c.Direct.Rho < 1):
		return fail("Direct.Rho", c.Direct.Rho, "0 to below 1")
	case !c.StopGradient && !math.IsInf(c.Beta, 1):
		return fail("Beta", c.Beta, "+Inf: without stop-gradient the target is the online network")
	}
	for j, v := range c.Sigma2 {
		if !(v >= 0) || math.IsInf(v, 1) {
			return fail(fmt.Sprintf("Sigma2[%d]", j), v, "0 or more")
		}
	}
	return nil
}
