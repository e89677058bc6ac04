package parity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/method"
)

// Bounds on the difference between an engine and the engine cpu in float64, from the same weights and views: float32 is
// compared with float64 and not with another float32, whose own rounding would be the larger part of what is measured.
//
// In float64 every tensor after steps64 steps is compared: rounding is 1e-16·√(terms) a product, and the bound leaves some
// hundred thousand of them for the division by standard deviations and the dynamics. Measured over 200 steps: 1e-14, of ResNet-18 1e-11.
//
// In the other precisions one step is compared, its loss and its gradient (as a whole vector, relative to its length).
// Long runs in them part on every engine at the first unit that a rounding pushes across the kink of its ReLU.
//
// A gradient in float32 is off by the order of its sums. A sum of N terms of random sign that is accumulated in order,
// each partial sum √k·σ long and rounded by at most u = 2⁻²⁴ of itself (u/√3 in the root mean square), is off by
//
//	u/√3 · √(Σ_k k) / √N  ≈  0.41·u·√N
//
// of its own length, and sums in blocks by less (Higham 2002, chapter 4). The longest sums of a step are those of the
// gradient of a weight, over the rows of both views and, in a convolution, over the places of an image. Each of L layers
// adds such an error on the way there and on the way back, independently:
//
//	‖Δg‖/‖g‖ ≈ 0.41·u·√(2·N·L)
//
// That is 5e-7 for linear networks, 8e-7 for dense ones, 7e-6 for the small convolutions and 1.4e-5 for ResNet-18; the
// bound is eight times it. Measured medians over 31 seeds on cpu, cpu-gomlx and xla-cpu: 1e-7 for the linear network,
// 4e-7 to 8e-7 for the dense ones, 2e-6 where F̂'s root is iterated, 5e-7 to 1.4e-6 for the small convolutions, 4e-6 (XLA)
// to 2e-5 (the engines in Go) for ResNet-18; losses 1e-6 at most. TF32 and bfloat16 round operands at 5e-4 and 2e-3 and
// meet about ten products on the way to the loss.
//
// A gradient is less forgiving than a loss: it jumps where a rounding pushes an activation across the kink of its ReLU,
// and a unit that changes side takes its share of the gradient along, 2/N of its square for one of N units. With σ the
// relative rounding of an operand (root mean square; 2.5e-8, 2e-4 and 1.6e-3 in float32, TF32 and bfloat16) a normalised
// activation is off by σ√l after l layers, the share of units that change side is about √(2/π)·φ(0)·σ√l = 0.32·σ√l, and
// the gradient moves by the root of twice their sum over the L layers:
//
//	‖Δg‖/‖g‖ ≈ √(0.64·σ·(2/3)·L^{3/2}),  in bfloat16 6 % for three layers, 23 % for eighteen
//
// In float32 the same law expects some hundredths of one unit for these networks: most seeds move none, and a seed that
// moves one unit of a narrow layer is off by up to 3 %. Hence the median over seedsCompared seeds: a wrong operation moves
// every seed, a unit at a kink moves its own. Measured medians (maxima) in bfloat16 on cpu-gomlx and xla-cpu: .05 (.16)
// for the two-layer network, .05 (.06) on the digits, .05 (.36) for the convolutions, .4 to .5 (1.6) for ResNet-18 with
// its few channels, which no bound would test.
//
// DirectPred has no bound in the formats with short significands: the eigenvectors of close eigenvalues turn with the
// rounding.
const (
	bound64         = 1e-10
	boundLoss32     = 1e-5
	slack32         = 8    // of the law above
	boundLoss16     = 2e-2 // TF32 and bfloat16
	boundGradient16 = 0.1  // TF32 and bfloat16, of the median
	seedsCompared   = 31
)

// boundGradient32 is slack32 times the law of the order of sums for c.
func boundGradient32(c method.Config) float64 {
	const u = 0x1p-24
	terms := 2 * c.Batch
	if c.Net.Kind == method.SmallConv || c.Net.Kind == method.ResNet18 {
		terms *= c.Net.Rows * c.Net.Columns
	}
	layers := 0
	for _, s := range c.Layout() {
		if name, ok := strings.CutPrefix(s.Name, velocityPrefix); ok && strings.HasSuffix(name, "/w") {
			layers++
		}
	}
	return slack32 * 0.41 * u * math.Sqrt(float64(2*terms*layers))
}

// Within returns an error that names what exceeds its bound, or nil. d is of c in the given arithmetic.
func (d Disparity) Within(c method.Config, a golden.Precision) error {
	loss, gradient := boundLoss32, boundGradient32(c)
	switch {
	case a == golden.FP64:
		loss, gradient = bound64, math.Inf(1) // it is among the tensors
	case short(a):
		loss, gradient = boundLoss16, boundGradient16
		if c.Net.Kind == method.ResNet18 {
			gradient = math.Inf(1)
		}
	}
	if err := d.exceeds(loss, gradient); err != nil {
		return err
	}
	if a == golden.FP64 && !(d.Tensor <= bound64) {
		return fmt.Errorf("%s differs by %.2g, the bound is %.2g", d.Name, d.Tensor, bound64)
	}
	return nil
}

// short tells whether the operands of products have a short significand.
func short(a golden.Precision) bool { return a == golden.TF32 || a == golden.BF16 }

// Comparable tells whether c has a bound in an arithmetic.
func Comparable(c method.Config, a golden.Precision) bool { return c.Direct == nil || !short(a) }

// gradientTolerance is what a gradient norm of Step may differ by from float64, for one seed: 0 for the tolerance of the
// arithmetic, and false where no bound would say anything. It rests on the same law. Over 20 seeds of the small networks
// the norms differ, at most, by
//
//	            linear   mlp    digits  directpred  smallconv  resnet18
//	float32     1e-7     4e-7   1e-7    6e-7        8e-6       3e-3 (2e-5 on the other CPU engine)
//	bfloat16    2e-3     .07    .005    .07         .33        .46
//
// and those of the full ResNet-18, whose narrowest layer has 8192 units so that those at kinks average out, by 3e-5 in
// float32 (two seeds) and 4e-3 in bfloat16 (one), in the ratio that √σ predicts. So:
//
//   - a network without kinks has the tolerance of the arithmetic: 1e-4, 1e-3, 2e-2;
//   - so have small networks in float32, but in ResNet-18 a unit of the 768 in its narrowest layer changes side often
//     enough to count: 8/768;
//   - so has the full one, but in TF32 2e-2·√(σ_TF32/σ_bf16), the tolerance of bfloat16 by the law;
//   - dense networks in TF32 and bfloat16 have more than twice the law for three layers: a norm can move by as much as
//     the vector where few units carry the gradient;
//   - small convolutional ones have none there.
func gradientTolerance(c method.Config, a golden.Precision) (tolerance float64, ok bool) {
	switch {
	case c.Net.Kind == method.Linear, a == golden.FP64:
		return 0, true
	case a == golden.FP32:
		if c.Net.Kind == method.ResNet18 && !wide(c) {
			return 8. / 768, true
		}
		return 0, true
	case c.Net.Kind == method.MLP:
		return 0.15, true
	case wide(c):
		if a == golden.TF32 {
			return 2e-2 * math.Sqrt(2e-4/1.6e-3), true
		}
		return 0, true
	}
	return 0, false
}

// Recordable tells whether Step of c in an arithmetic has bounds against float64. Besides what Comparable leaves out this
// is the small ResNet-18 in TF32 and bfloat16: BatchNorm magnifies the rounding of its few channels until even ‖F‖ is off
// by 9e-3 in bfloat16, an eighth of which, in TF32, exceeds that format's 1e-3.
func Recordable(c method.Config, a golden.Precision) bool {
	return Comparable(c, a) && !(c.Net.Kind == method.ResNet18 && short(a) && !wide(c))
}

// wide tells whether a convolutional network's narrowest hidden layer, that of the projector, has as many units as the
// full ResNet-18 was measured with: 2 views of 8 examples at width 512.
func wide(c method.Config) bool {
	if c.Net.Kind != method.SmallConv && c.Net.Kind != method.ResNet18 || len(c.Net.Projector) == 0 {
		return false
	}
	return 2*c.Batch*slices.Min(c.Net.Projector) >= 8192
}
