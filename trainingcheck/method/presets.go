package method

import "fmt"

// LinearGaussian is the linear network of the theory on Gaussian data: n₁ = 16,
// n₂ = 6, Euclidean loss in one direction, plain SGD, SimSiam with a linear
// predictor, η = 0.04; flow time is lr·step, so the run lasts T = 100.
func LinearGaussian() Config {
	return Config{
		Method:    SimSiam,
		Net:       Net{Kind: Linear, In: 16, Out: 6},
		Predictor: Predictor{Kind: LinearP, RateRatio: 1},
		Loss:      Loss{Kind: Euclidean},
		Target:    Target{Kind: Shared},
		Optimizer: Optimizer{LearningRate: 0.02, WeightDecay: 0.04, Decay: TheoryDecay},
		Batch:     64,
		Steps:     5000,
		Precision: Float64,
	}
}

// Digits is BYOL with a linear predictor on 10×10 canvases of handwritten
// digits: encoder 100→128→128, projector 128→128→32, cosine loss in both
// directions, 1000 steps at a total decay ηt = 5.
func Digits() Config { return digits(128, 32, 128) }

// DigitsMini is Digits at half the width, projection and batch: the tier that
// fits a few seconds.
func DigitsMini() Config { return digits(64, 16, 64) }

func digits(h, d, batch int) Config {
	return Config{
		Method:    BYOL,
		Net:       Net{Kind: MLP, In: 100, Hidden: []int{h, h}, Projector: []int{h}, Out: d, BatchNorm: true, Bias: true},
		Predictor: Predictor{Kind: LinearP, RateRatio: 1},
		Loss:      Loss{Kind: Cosine, BothDirections: true},
		Target:    Target{Kind: EMA, Momentum: 0.99, Init: Copy},
		Optimizer: Optimizer{LearningRate: 0.05, Momentum: 0.9, WeightDecay: 1e-2, Decay: TheoryDecay},
		Batch:     batch,
		Steps:     1000,
		Precision: Float32,
	}
}

// CIFAR is the recipe of the paper's code for CIFAR-10 (luckmatters,
// ssl/real-dataset) with a linear predictor: ResNet-18 with the CIFAR stem,
// projector 512→512→128, constant learning rate. One epoch of 50 000 images is
// 390 steps; the paper's 100 epochs are the 39 000 steps here.
func CIFAR() Config {
	return Config{
		Method:    BYOL,
		Net:       Net{Kind: ResNet18, Rows: 32, Columns: 32, Channels: 3, Base: 64, Projector: []int{512}, Out: 128, BatchNorm: true, Bias: true},
		Predictor: Predictor{Kind: LinearP, RateRatio: 1},
		Loss:      Loss{Kind: Cosine, BothDirections: true},
		Target:    Target{Kind: EMA, Momentum: 0.996, Init: Copy},
		Optimizer: Optimizer{LearningRate: 0.03, Momentum: 0.9, WeightDecay: 4e-4, Decay: TorchDecay},
		Batch:     128,
		Steps:     39000,
		Precision: Float32,
	}
}

// CIFARSmall is CIFAR with the two-convolution network.
func CIFARSmall() Config {
	c := CIFAR()
	c.Net = Net{Kind: SmallConv, Rows: 32, Columns: 32, Channels: 3, Base: 16, Projector: []int{64}, Out: 32, BatchNorm: true, Bias: true}
	return c
}

// As returns the configuration changed to another method, touching only what
// the method itself requires: the predictor, the target's kind, and the
// settings of F̂, which default to ρ = 0.3, ε = 0.1, before every step, with the
// code's formula for the cosine loss and the printed one for the Euclidean loss.
// DirectSet defaults to γ = ½. NoPredictor keeps the target as it is; a target
// that becomes an average keeps m = 0.99 from a copy. SimCLR and VICReg change the
// loss (T = ½), and methods made from them the cosine loss.
//
// “Before every step” is the default of this project, not the published algorithm:
// the paper's code sets W_p after the optimiser's step (When = AfterStep).
func (c Config) As(m Method) (Config, error) {
	c.Method = m
	if c.Direct != nil {
		d := *c.Direct
		c.Direct = &d
	}
	switch {
	case m.direct():
		c.Predictor.Kind, c.Predictor.Hidden, c.Predictor.Symmetrize = DirectP, 0, false
		if c.Direct == nil {
			c.Direct = &Direct{Formula: Code, Moment: SameView, When: BeforeStep, Rho: 0.3, Epsilon: 0.1, Freq: 1}
			if c.Loss.Kind == Euclidean {
				c.Direct.Formula, c.Direct.Moment = Slide, CrossView
			}
		}
		c.Direct.Gamma = 0
		if m == DirectSet {
			c.Direct.Gamma = 0.5
		}
	case m == NoPredictor || m.baseline():
		c.Predictor.Kind, c.Predictor.Hidden, c.Predictor.Symmetrize, c.Direct = NoneP, 0, false, nil
	default:
		c.Direct = nil
		if c.Predictor.Kind == NoneP || c.Predictor.Kind == DirectP {
			c.Predictor.Kind = LinearP
		}
	}
	switch {
	case m == SimSiam || m == NoStopGradient || m.baseline():
		c.Target = Target{Kind: Shared}
	case m == BYOL && c.Target.Kind == Shared:
		c.Target = Target{Kind: EMA, Momentum: 0.99, Init: Copy}
	}
	switch {
	case m == SimCLR && c.Loss.Kind != NTXent:
		c.Loss = Loss{Kind: NTXent, BothDirections: true, Temperature: 0.5}
	case m == VICReg && c.Loss.Kind != VIC:
		c.Loss = Loss{Kind: VIC, BothDirections: true}
	case !m.baseline() && (c.Loss.Kind == NTXent || c.Loss.Kind == VIC):
		c.Loss = Loss{Kind: Cosine, BothDirections: true}
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("method: as %q: %w", string(m), err)
	}
	return c, nil
}

// Miniature is BYOL with a linear predictor around an encoder of the given
// kind, at a size that steps in milliseconds: LinearGaussian as an EMA method,
// DigitsMini with 12 columns and widths 10, 10, 8 and 5, and CIFARSmall and
// CIFAR on 8×8 images with 3 and 2 channels. It panics on an unknown kind.
func Miniature(kind NetKind) Config {
	var c Config
	switch kind {
	case Linear:
		c = LinearGaussian()
	case MLP:
		c = DigitsMini()
		c.Net = Net{Kind: MLP, In: 12, Hidden: []int{10, 10}, Projector: []int{8}, Out: 5, BatchNorm: true, Bias: true}
		c.Batch, c.Steps = 12, 40
	case SmallConv, ResNet18:
		c = CIFARSmall()
		c.Net.Base = 3
		if kind == ResNet18 {
			c = CIFAR()
			c.Net.Base = 2
		}
		c.Net.Rows, c.Net.Columns, c.Net.Projector, c.Net.Out = 8, 8, []int{6}, 4
		c.Batch, c.Steps = 4, 10
	default:
		panic("method: no miniature of " + string(kind))
	}
	c, err := c.As(BYOL)
	if err != nil {
		panic(err) // the presets are valid
	}
	return c
}

// Dim is the number of columns of a view.
func (c Config) Dim() int { return c.Net.dim() }
