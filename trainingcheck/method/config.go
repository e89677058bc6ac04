package method

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// Method names a self-supervised method or one of its ablations.
type Method string

// The methods. p is the predictor's output on one view, z the target's output
// on the other, SG the stop-gradient.
const (
	// BYOL trains p against SG(z) of a target network that is an exponential
	// moving average (EMA) of the online network.
	BYOL Method = "byol"
	// SimSiam is BYOL with the online network itself as target.
	SimSiam Method = "simsiam"
	// NoPredictor removes the predictor (p is the online z) from BYOL or SimSiam.
	NoPredictor Method = "nopredictor"
	// NoStopGradient lets the gradient flow through both branches of SimSiam.
	NoStopGradient Method = "nostopgrad"
	// DirectPred sets the linear predictor from the eigenvalues of F̂: p_j ~ √s_j.
	DirectPred Method = "directpred"
	// DirectCopy sets it to F̂ itself: p_j ~ s_j.
	DirectCopy Method = "directcopy"
	// DirectSet sets it to a power of F̂: p_j ~ s_j^γ.
	DirectSet Method = "directset"
	// SimCLR has neither predictor nor stop-gradient and contrasts the views of an
	// example with all others of the batch (loss NTXent).
	SimCLR Method = "simclr"
	// VICReg has neither, and keeps every coordinate's variance up and their
	// covariances down (loss VIC).
	VICReg Method = "vicreg"
)

// Methods lists every method in the order of the documentation. The last two are
// baselines: they do not collapse for a reason of their own.
var Methods = []Method{BYOL, SimSiam, NoPredictor, NoStopGradient, DirectPred, DirectCopy, DirectSet, SimCLR, VICReg}

// baseline tells whether the method is one that the theory does not speak of.
func (m Method) baseline() bool { return m == SimCLR || m == VICReg }

// direct tells whether the predictor is computed from F̂.
func (m Method) direct() bool { return m == DirectPred || m == DirectCopy || m == DirectSet }

// NetKind names an encoder.
type NetKind string

// The encoders. Each is followed by the projector of Net, except Linear, which
// is the theory's single matrix W.
const (
	Linear    NetKind = "linear"
	MLP       NetKind = "mlp"
	SmallConv NetKind = "smallconv"
	ResNet18  NetKind = "resnet18"
)

// Net describes encoder and projector.
//
// Linear: f = W x, W ∈ ℝ^{Out×In}, no bias; features and projection coincide.
//
// MLP: one Dense+BatchNorm+ReLU per width in Hidden; the features are the last
// of them. SmallConv: 3×3 convolutions of Width and 2·Width channels (the second
// with stride 2), each with BatchNorm and ReLU, then the mean over places.
// ResNet18: 3×3 stem without pooling (the CIFAR form), four stages of two basic
// blocks with Width, 2·Width, 4·Width, 8·Width channels, then the mean.
//
// The projector is one Dense+BatchNorm+ReLU per width in Projector and a last
// Dense of Out columns. BatchNorm of dense layers has no affine part, that of
// convolutions has one, as in the paper's code (luckmatters, ssl/real-dataset).
// A Dense layer followed by BatchNorm has no bias: BatchNorm would cancel it.
type Net struct {
	Kind NetKind `json:"kind"`
	// In is the number of columns of a view (Linear, MLP).
	In int `json:"in,omitempty"`
	// Rows, Columns and Channels shape a view, channels last (SmallConv, ResNet18).
	Rows     int `json:"rows,omitempty"`
	Columns  int `json:"columns,omitempty"`
	Channels int `json:"channels,omitempty"`
	// Base is the number of channels of the first convolution.
	Base int `json:"base,omitempty"`
	// Hidden are the widths of the encoder's layers (MLP).
	Hidden []int `json:"hidden,omitempty"`
	// Projector are the widths of the projector's hidden layers.
	Projector []int `json:"projector,omitempty"`
	// Out is the dimension d of the projection.
	Out int `json:"out"`
	// BatchNorm normalises after every hidden dense layer. Convolutions always normalise.
	BatchNorm bool `json:"batchnorm"`
	// Bias gives the last dense layer, and hidden ones without BatchNorm, a bias.
	Bias bool `json:"bias"`
	// OutputBN adds a BatchNorm after the last dense layer, as SimSiam's projector has.
	OutputBN bool `json:"output_bn"`
}

// PredictorKind names a predictor.
type PredictorKind string

// The predictors.
const (
	// NoneP is the identity.
	NoneP PredictorKind = "none"
	// LinearP is p = W_p f without bias.
	LinearP PredictorKind = "linear"
	// MLP2P is Dense+BatchNorm+ReLU and Dense with bias.
	MLP2P PredictorKind = "mlp2"
	// DirectP is p = W_p f with W_p set from F̂.
	DirectP PredictorKind = "direct"
)

// Predictor describes the predictor.
type Predictor struct {
	Kind PredictorKind `json:"kind"`
	// Hidden is the width of the hidden layer (MLP2P).
	Hidden int `json:"hidden,omitempty"`
	// RateRatio is α_p: the predictor learns at α_p times the learning rate.
	RateRatio float64 `json:"rate_ratio"`
	// Symmetrize replaces W_p by ½(W_p + W_pᵀ) after every step (LinearP).
	Symmetrize bool `json:"symmetrize"`
}

// Formula names a map from the eigenvalues s_j of F̂ to those p_j of W_p.
type Formula string

// The formulas. s_max is the largest eigenvalue.
const (
	// Slide is the printed one. DirectPred: p_j = √s_j + ε·max_i s_i (paper, Eq. 18).
	// DirectCopy and DirectSet: p_j = s_j^γ + ε.
	Slide Formula = "slide"
	// Code is the one of the paper's code ("boost_scale"), homogeneous in F̂:
	// p_j = max((s_j/s_max)^γ + ε, 1e-4), with γ = ½ for DirectPred and 1 for DirectCopy.
	Code Formula = "code"
)

// Moment names the matrix that F̂ estimates.
type Moment string

// The moments, over the online projections f₁, f₂ of the two views.
const (
	// SameView is ½E[f₁f₁ᵀ + f₂f₂ᵀ] = W(X+X′)Wᵀ, the code's.
	SameView Moment = "same"
	// CrossView is ½E[f₁f₂ᵀ + f₂f₁ᵀ] = WXWᵀ, what the deck calls F.
	CrossView Moment = "cross"
)

// When says at which point of a training step W_p is set.
type When string

// The points. F̂ is the same in both: the batch enters it with its features
// before the optimiser's step.
const (
	// BeforeStep lets the loss of a batch see the W_p that the batch has helped
	// to set. It takes one more forward pass.
	BeforeStep When = "before"
	// AfterStep sets W_p for the next batch, after the optimiser's step: the
	// order of the paper's code. W_p is then one step behind the features. On the
	// digits that costs a quarter of the effective rank.
	AfterStep When = "after"
)

// Solver says how W_p is computed from F̂.
type Solver string

// The solvers.
const (
	// Eigen decomposes F̂ on the host, in float64. The empty Solver means it too.
	Eigen Solver = "eigen"
	// NewtonSchulz takes the root of F̂ by products alone, inside the compiled
	// step, so that nothing moves between device and host; see rootSettings for
	// its error. It knows γ = ½ and γ = 1, needs a moment without negative
	// eigenvalues (SameView), and with the formula Code an ε of at least 1e-4,
	// which makes the formula's floor inactive.
	NewtonSchulz Solver = "newton-schulz"
)

// Direct describes how W_p is set from F̂ ← ρF̂ + (1−ρ)·(moment of the batch).
// The first batch sets F̂.
type Direct struct {
	Formula Formula `json:"formula"`
	Moment  Moment  `json:"moment"`
	When    When    `json:"when"`
	// Rho is ρ, the weight of the past.
	Rho float64 `json:"rho"`
	// Epsilon is ε.
	Epsilon float64 `json:"epsilon"`
	// Gamma is γ, the power (DirectSet).
	Gamma float64 `json:"gamma,omitempty"`
	// Freq sets W_p in every Freq-th step, the first included. F̂ follows every
	// batch, and with Freq > 1 W_p follows its gradient in every step.
	Freq int `json:"freq"`
	// Centred subtracts the batch mean of the features from the moment.
	Centred bool `json:"centred"`
	// Solver computes W_p. Left empty, it is Eigen and does not enter the hash.
	Solver Solver `json:"solver,omitempty"`
	// EpsInside puts ε under the power, as the code's eps_inside does:
	// p_j = max(s_j/s_max + ε, 1e-4)^γ (formula Code).
	EpsInside bool `json:"eps_inside,omitempty"`
	// Shrink multiplies W_p by 1 − Shrink, as the code's dyn_reg does.
	Shrink float64 `json:"dyn_reg,omitempty"`
	// ZeroMean keeps a moving average of the mean, μ̂ ← ρμ̂ + (1−ρ)·E f, and takes W_p from
	// F̂ − μ̂μ̂ᵀ: the code's dyn_zero_mean. Centred subtracts the batch's own mean instead, which
	// is another matrix as soon as the mean moves.
	ZeroMean bool `json:"dyn_zero_mean,omitempty"`
	// PlainAverage makes F̂ the mean of all batches so far, each with the same weight, in place
	// of the moving average; Rho is not used then.
	PlainAverage bool `json:"plain_average,omitempty"`
}

// LossKind names a loss.
type LossKind string

// The losses, for one direction (view a predicts the target's output on view b).
const (
	// Euclidean is (1/2N) Σ_i ‖p_i − z_i‖², the theory's.
	Euclidean LossKind = "euclidean"
	// Cosine is (1/N) Σ_i (2 − 2 cos(p_i, z_i)).
	Cosine LossKind = "cosine"
	// NTXent is the mean over the 2N views of −log(e^{cos(z_i, z_i')/T}/Σ_{j≠i} e^{cos(z_i, z_j)/T}), z_i' being the other
	// view of the same example (Chen et al. 2020, equation 1; SimCLR).
	NTXent LossKind = "ntxent"
	// VIC is 25·E‖z₁ − z₂‖²/d + 25·Σ_views mean_j max(0, 1 − √(var_j + 1e-4))/2 + Σ_views Σ_{i≠j} cov_ij²/d
	// (Bardes et al. 2022, equations 1 to 6 with the weights of section 4.2; VICReg).
	VIC LossKind = "vic"
)

// Loss describes the loss.
type Loss struct {
	Kind LossKind `json:"kind"`
	// BothDirections adds the loss with the views exchanged. Without it the first
	// view is the online one and the second the target's, as in the theory.
	BothDirections bool `json:"both_directions"`
	// Temperature is T (NTXent).
	Temperature float64 `json:"temperature,omitempty"`
}

// TargetKind says whose weights make the target.
type TargetKind string

// The targets.
const (
	// EMA keeps an average W_a ← m·W_a + (1−m)·W after every step.
	EMA TargetKind = "ema"
	// Shared uses the online weights of the same step.
	Shared TargetKind = "shared"
)

// TargetInit says where an EMA target starts.
type TargetInit string

// The target's starting points.
const (
	// Copy starts from the online weights: τ(0) = 1.
	Copy TargetInit = "copy"
	// Independent draws its own weights, as the paper's code in fact does.
	Independent TargetInit = "independent"
)

// Target describes the target network. Its BatchNorm always uses the statistics
// of its own batch.
type Target struct {
	Kind TargetKind `json:"kind"`
	// Momentum is m, written γ_a in the paper; β = (1−m)/lr in flow time.
	Momentum float64    `json:"momentum"`
	Init     TargetInit `json:"init,omitempty"`
}

// Decay names a convention for the predictor's weight decay.
type Decay string

// The conventions. They differ only when α_p ≠ 1.
const (
	// TheoryDecay gives the predictor the coefficient wd/α_p, so that with its
	// rate α_p·lr both W and W_p shrink at η = wd per unit of flow time (Lemma 1).
	TheoryDecay Decay = "theory"
	// TorchDecay gives the predictor the same coefficient wd, hence the rate α_p·η.
	TorchDecay Decay = "torch"
)

// Optimizer is torch's SGD: g ← g + wd·w, v ← μ·v + g, w ← w − lr·v, with v(0) = 0.
type Optimizer struct {
	LearningRate float64 `json:"lr"`
	Momentum     float64 `json:"momentum"`
	WeightDecay  float64 `json:"wd"`
	Decay        Decay   `json:"predictor_decay"`
	// ExcludeBiasAndNorm leaves biases and the affine part of BatchNorm without decay (and, with LARS, without its ratio):
	// every trained tensor that has one axis.
	ExcludeBiasAndNorm bool `json:"exclude_bias_and_norm,omitempty"`
	// Trust, if not 0, makes it LARS (You, Gitman and Ginsburg 2017): after the decay g becomes g·Trust·‖w‖/‖g‖ for each
	// tensor in which neither norm is 0.
	Trust float64 `json:"lars_trust,omitempty"`
	// Schedule changes the rate, or the average, along the run.
	Schedule *Schedule `json:"schedule,omitempty"`
}

// Schedule changes numbers along a run of T steps; t counts from 0.
type Schedule struct {
	// Warmup multiplies the rate of the first steps by (t+1)/Warmup.
	Warmup int `json:"warmup,omitempty"`
	// Cosine multiplies the rate of the steps after them by ½(1 + cos(π(t−Warmup)/(T−Warmup))).
	Cosine bool `json:"cosine,omitempty"`
	// TargetCosine moves m to 1: m_t = 1 − (1−m)·½(1 + cos(πt/T)), BYOL's schedule.
	TargetCosine bool `json:"target_cosine,omitempty"`
}

// Rate is the learning rate of step t.
func (c Config) Rate(t int) float64 {
	s := c.Optimizer.Schedule
	switch {
	case s == nil:
		return c.Optimizer.LearningRate
	case t < s.Warmup:
		return c.Optimizer.LearningRate * float64(t+1) / float64(s.Warmup)
	case s.Cosine:
		return c.Optimizer.LearningRate * (1 + math.Cos(math.Pi*float64(t-s.Warmup)/float64(c.Steps-s.Warmup))) / 2
	}
	return c.Optimizer.LearningRate
}

// Average is m of step t.
func (c Config) Average(t int) float64 {
	m := c.Target.Momentum
	if s := c.Optimizer.Schedule; s != nil && s.TargetCosine {
		return 1 - (1-m)*(1+math.Cos(math.Pi*float64(t)/float64(c.Steps)))/2
	}
	return m
}

// Precision names the arithmetic of a run.
type Precision string

// The precisions.
const (
	Float64 Precision = "float64"
	Float32 Precision = "float32"
	// BFloat16 keeps weights, sums and everything between products in float32
	// and rounds the operands of products and convolutions to bfloat16.
	BFloat16 Precision = "bfloat16"
)

// dtype is the type of weights and activations.
func (p Precision) dtype() dtypes.DType {
	if p == Float64 {
		return dtypes.Float64
	}
	return dtypes.Float32
}

// Config names everything that changes a number of a training run, except the
// seed of the weights and the data. It is comparable by its Hash.
type Config struct {
	Method    Method    `json:"method"`
	Net       Net       `json:"net"`
	Predictor Predictor `json:"predictor"`
	Direct    *Direct   `json:"direct,omitempty"`
	Loss      Loss      `json:"loss"`
	Target    Target    `json:"target"`
	Optimizer Optimizer `json:"optimizer"`
	// Batch is the number N of examples of every step.
	Batch int `json:"batch"`
	// Steps is the length of the run.
	Steps     int       `json:"steps"`
	Precision Precision `json:"precision"`
}

// FieldError names the field of a configuration that is wrong.
type FieldError struct {
	// Field is the path of the field in JSON.
	Field string
	// Problem says what the field holds and what is wanted.
	Problem string
}

func (e *FieldError) Error() string {
	return "method: configuration field " + e.Field + ": " + e.Problem
}

// check collects the first violated rule.
type check struct{ err error }

func (c *check) that(ok bool, field, format string, args ...any) {
	if c.err == nil && !ok {
		c.err = &FieldError{field, fmt.Sprintf(format, args...)}
	}
}

func oneOf[T ~string](c *check, field string, v T, known ...T) {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	c.that(slices.Contains(known, v), field, "%q is unknown, want one of %s", string(v), strings.Join(names, ", "))
}

// Limits keep a mistyped size from asking for more memory than any check needs.
const (
	maxWidth = 1 << 16
	maxBatch = 1 << 20
	maxSide  = 1 << 12
)

func (c *check) size(field string, v, limit int) {
	c.that(v >= 1 && v <= limit, field, "%d, want 1 to %d", v, limit)
}

func (c *check) within(field string, v, lo, hi float64) {
	c.that(v >= lo && v <= hi, field, "%v, want %v to %v", v, lo, hi) // NaN fails both
}

// Validate reports the first field that is out of its domain or contradicts
// another, as a *FieldError, and nil for a configuration that New accepts.
func (c Config) Validate() error {
	var k check
	oneOf(&k, "method", c.Method, Methods...)
	c.validateNet(&k)
	c.validatePredictor(&k)

	switch c.Method {
	case SimCLR:
		oneOf(&k, "loss.kind", c.Loss.Kind, NTXent)
		k.that(c.Loss.Temperature > 0 && c.Loss.Temperature <= maxRate, "loss.temperature", "%v, want above 0, at most %v", c.Loss.Temperature, float64(maxRate))
	case VICReg:
		oneOf(&k, "loss.kind", c.Loss.Kind, VIC)
		k.that(c.Batch >= 2, "batch", "%d, want at least 2: a variance is part of the loss", c.Batch)
	default:
		oneOf(&k, "loss.kind", c.Loss.Kind, Euclidean, Cosine)
	}
	k.that(c.Method == SimCLR || c.Loss.Temperature == 0, "loss.temperature", "%v, want none for method %q", c.Loss.Temperature, c.Method)
	k.that(!c.Method.baseline() || c.Loss.BothDirections, "loss.both_directions", "false, and the loss of method %q is of both views", c.Method)
	oneOf(&k, "target.kind", c.Target.Kind, EMA, Shared)
	if c.Target.Kind == EMA {
		k.within("target.momentum", c.Target.Momentum, 0, 1)
		oneOf(&k, "target.init", c.Target.Init, Copy, Independent)
	} else {
		k.that(c.Target.Momentum == 0, "target.momentum", "%v, want 0: a shared target has no average", c.Target.Momentum)
		k.that(c.Target.Init == "", "target.init", "%q, want none: a shared target has no weights of its own", string(c.Target.Init))
	}
	switch c.Method {
	case BYOL:
		k.that(c.Target.Kind == EMA, "target.kind", "%q, want %q for method %q", string(c.Target.Kind), EMA, c.Method)
	case SimSiam, NoStopGradient, SimCLR, VICReg:
		k.that(c.Target.Kind == Shared, "target.kind", "%q, want %q for method %q", string(c.Target.Kind), Shared, c.Method)
	}

	k.that(c.Optimizer.LearningRate > 0 && c.Optimizer.LearningRate <= maxRate, "optimizer.lr", "%v, want above 0, at most %v", c.Optimizer.LearningRate, float64(maxRate))
	k.that(c.Optimizer.Momentum >= 0 && c.Optimizer.Momentum < 1, "optimizer.momentum", "%v, want 0 to below 1", c.Optimizer.Momentum)
	k.within("optimizer.wd", c.Optimizer.WeightDecay, 0, maxRate)
	oneOf(&k, "optimizer.predictor_decay", c.Optimizer.Decay, TheoryDecay, TorchDecay)
	k.within("optimizer.lars_trust", c.Optimizer.Trust, 0, maxRate)
	if s := c.Optimizer.Schedule; s != nil {
		k.that(s.Warmup >= 0 && s.Warmup < c.Steps, "optimizer.schedule.warmup", "%d, want 0 to below the %d steps", s.Warmup, c.Steps)
		k.that(!s.TargetCosine || c.Target.Kind == EMA, "optimizer.schedule.target_cosine", "set, but a shared target has no average")
		k.that(*s != Schedule{}, "optimizer.schedule", "changes nothing: leave it out")
	}
	k.size("batch", c.Batch, maxBatch)
	if c.normalises() {
		k.that(c.Batch >= 2, "batch", "%d, want at least 2: BatchNorm needs a variance", c.Batch)
	}
	k.size("steps", c.Steps, math.MaxInt32)
	oneOf(&k, "precision", c.Precision, Float64, Float32, BFloat16)
	return k.err
}

// maxRate bounds rates and decays: beyond it any step overshoots.
const maxRate = 1e3

func (c Config) validateNet(k *check) {
	n := c.Net
	oneOf(k, "net.kind", n.Kind, Linear, MLP, SmallConv, ResNet18)
	dense := n.Kind == Linear || n.Kind == MLP
	if dense {
		k.size("net.in", n.In, maxWidth)
		k.that(n.Rows == 0 && n.Columns == 0 && n.Channels == 0 && n.Base == 0, "net.rows, columns, channels, base", "set, but %q reads rows of net.in columns", string(n.Kind))
	} else {
		k.that(n.In == 0, "net.in", "%d, want none: %q reads rows×columns×channels", n.In, string(n.Kind))
		k.size("net.rows", n.Rows, maxSide)
		k.size("net.columns", n.Columns, maxSide)
		k.size("net.channels", n.Channels, maxWidth)
		k.size("net.base", n.Base, maxSide)
		k.that(len(n.Hidden) == 0, "net.hidden", "%v, want none for %q", n.Hidden, string(n.Kind))
	}
	if n.Kind == MLP {
		k.that(len(n.Hidden) > 0, "net.hidden", "empty, want at least one width")
	}
	for i, h := range n.Hidden {
		k.size(fmt.Sprintf("net.hidden[%d]", i), h, maxWidth)
	}
	for i, h := range n.Projector {
		k.size(fmt.Sprintf("net.projector[%d]", i), h, maxWidth)
	}
	if n.Kind == Linear {
		k.that(len(n.Hidden)+len(n.Projector) == 0, "net.hidden, projector", "set, but %q is one matrix", string(Linear))
		k.that(!n.BatchNorm && !n.Bias && !n.OutputBN, "net.batchnorm, bias, output_bn", "set, but %q is one matrix", string(Linear))
	}
	k.size("net.out", n.Out, maxWidth)
}

func (c Config) validatePredictor(k *check) {
	p := c.Predictor
	oneOf(k, "predictor.kind", p.Kind, NoneP, LinearP, MLP2P, DirectP)
	switch {
	case c.Method.direct():
		k.that(p.Kind == DirectP, "predictor.kind", "%q, want %q for method %q", string(p.Kind), DirectP, c.Method)
	case c.Method == NoPredictor, c.Method.baseline():
		k.that(p.Kind == NoneP, "predictor.kind", "%q, want %q for method %q", string(p.Kind), NoneP, c.Method)
	case c.Method == NoStopGradient:
		k.that(p.Kind != DirectP, "predictor.kind", "%q, want %q, %q or %q for method %q", string(p.Kind), NoneP, LinearP, MLP2P, c.Method)
	default:
		k.that(p.Kind == LinearP || p.Kind == MLP2P, "predictor.kind", "%q, want %q or %q for method %q", string(p.Kind), LinearP, MLP2P, c.Method)
	}
	if p.Kind == MLP2P {
		k.size("predictor.hidden", p.Hidden, maxWidth)
	} else {
		k.that(p.Hidden == 0, "predictor.hidden", "%d, want none for %q", p.Hidden, string(p.Kind))
	}
	k.that(p.RateRatio > 0 && p.RateRatio <= maxRate, "predictor.rate_ratio", "%v, want above 0, at most %v", p.RateRatio, float64(maxRate))
	k.that(!p.Symmetrize || p.Kind == LinearP, "predictor.symmetrize", "set, but predictor %q is not a trained matrix", string(p.Kind))
	if !c.Method.direct() {
		k.that(c.Direct == nil, "direct", "set, but method %q trains its predictor", string(c.Method))
		return
	}
	k.that(c.Direct != nil, "direct", "missing for method %q", string(c.Method))
	if c.Direct == nil {
		return
	}
	d := *c.Direct
	oneOf(k, "direct.formula", d.Formula, Slide, Code)
	oneOf(k, "direct.moment", d.Moment, SameView, CrossView)
	oneOf(k, "direct.when", d.When, BeforeStep, AfterStep)
	k.that(d.Rho >= 0 && d.Rho < 1, "direct.rho", "%v, want 0 to below 1", d.Rho)
	k.within("direct.epsilon", d.Epsilon, -1, maxRate)
	if c.Method == DirectSet {
		k.that(d.Gamma > 0 && d.Gamma <= 8, "direct.gamma", "%v, want above 0, at most 8", d.Gamma)
	} else {
		k.that(d.Gamma == 0, "direct.gamma", "%v, want none: method %q fixes the power", d.Gamma, string(c.Method))
	}
	k.size("direct.freq", d.Freq, math.MaxInt32)
	k.that(!d.EpsInside || d.Formula == Code, "direct.eps_inside", "set, but formula %q has its ε outside", d.Formula)
	k.that(d.Shrink >= 0 && d.Shrink < 1, "direct.dyn_reg", "%v, want 0 to below 1", d.Shrink)
	k.that(!d.ZeroMean || d.Moment == SameView && !d.Centred, "direct.dyn_zero_mean", "set, and goes with moment %q that is not centred", SameView)
	if d.Solver != "" {
		oneOf(k, "direct.solver", d.Solver, Eigen, NewtonSchulz)
	}
	if d.Solver == NewtonSchulz {
		k.that(!d.EpsInside && d.Shrink == 0 && !d.ZeroMean, "direct.solver", "%q, want %q with eps_inside, dyn_reg or dyn_zero_mean", d.Solver, Eigen)
		k.that(d.Moment == SameView, "direct.moment", "%q, want %q for solver %q: the root needs eigenvalues that are not negative", string(d.Moment), SameView, d.Solver)
		k.that(d.Formula != Code || d.Epsilon >= codeFloor, "direct.epsilon", "%v, want at least %v for solver %q, which has no floor under p", d.Epsilon, codeFloor, d.Solver)
		k.that(c.Method != DirectSet || d.Gamma == 0.5 || d.Gamma == 1, "direct.gamma", "%v, want 0.5 or 1 for solver %q", d.Gamma, d.Solver)
	}
}

// normalises tells whether any layer has BatchNorm.
func (c Config) normalises() bool {
	n := c.Net
	return n.Kind == SmallConv || n.Kind == ResNet18 || n.OutputBN || c.Predictor.Kind == MLP2P ||
		n.BatchNorm && len(n.Hidden)+len(n.Projector) > 0
}

// dim is the number of columns of a view.
func (n Net) dim() int {
	if n.Kind == Linear || n.Kind == MLP {
		return n.In
	}
	return n.Rows * n.Columns * n.Channels
}

// TotalDecay is ηt = lr·wd·steps/(1−momentum): the exponent by which weight
// decay alone would have shrunk a weight at the end of the run.
func (c Config) TotalDecay() float64 { return c.DecayAt(c.Steps) }

// DecayAt is ηt after a number of steps.
func (c Config) DecayAt(steps int) float64 {
	rates := c.Optimizer.LearningRate * float64(steps)
	if c.Optimizer.Schedule != nil {
		rates = 0
		for t := range steps {
			rates += c.Rate(t)
		}
	}
	return rates * c.Optimizer.WeightDecay / (1 - c.Optimizer.Momentum)
}

// TargetHorizon is (1−m)·steps: the number of e-folding times of the EMA in the
// run, and +Inf for a shared target.
func (c Config) TargetHorizon() float64 {
	if c.Target.Kind == Shared {
		return math.Inf(1)
	}
	return (1 - c.Target.Momentum) * float64(c.Steps)
}

// Canonical is the configuration as compact JSON with the fields in the order
// of their declaration and numbers in their shortest exact form.
func (c Config) Canonical() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("method: " + err.Error()) // only NaN or Inf, which Validate refuses
	}
	return b
}

// Hash is the SHA-256 of Canonical, in hexadecimal.
func (c Config) Hash() string {
	h := sha256.Sum256(c.Canonical())
	return hex.EncodeToString(h[:])
}

// DecodeConfig reads one configuration in JSON and validates it. A field that
// is unknown, of the wrong type or out of its domain, and anything after the
// object, is an error that starts with name and, where it can, the line.
func DecodeConfig(r io.Reader, name string) (Config, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Config{}, fmt.Errorf("method: %s: %w", name, err)
	}
	var c Config
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		var syntax *json.SyntaxError
		var typ *json.UnmarshalTypeError
		at := d.InputOffset()
		switch {
		case errors.As(err, &syntax):
			at = syntax.Offset
		case errors.As(err, &typ):
			return Config{}, fmt.Errorf("method: %s: line %d: field %s: a JSON %s, want %s", name, line(text, typ.Offset), typ.Field, typ.Value, typ.Type)
		case errors.Is(err, io.EOF):
			return Config{}, fmt.Errorf("method: %s: empty, want a configuration", name)
		}
		return Config{}, fmt.Errorf("method: %s: line %d: %s", name, line(text, at), strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("method: %s: line %d: text after the configuration", name, line(text, d.InputOffset()))
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("method: %s: %w", name, err)
	}
	return c, nil
}

func line(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n"))
}
