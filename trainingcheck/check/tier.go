package check

import (
	"fmt"
	"slices"
	"strings"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/method"
)

// Tier is a size of the networks and, for convolutional ones, a group of runs with one base configuration.
type Tier string

// The tiers. Those of a GPU come twice: on colour images, and as a miniature on the embedded digits that runs the same
// code in seconds.
const (
	// Mini: width 64, projection 16, batch 64, two seeds by default.
	Mini Tier = "mini"
	// Full: width 128, projection 32, batch 128, five seeds by default.
	Full Tier = "full"

	// GPUConv is a small convolutional net for 8 epochs: collapse, alignment and ablations, with a statistic over seeds.
	GPUConv Tier = "gpu/G-A"
	// GPUResNet is the recipe of the paper's code on ResNet-18 for 30 epochs, decay and average matched to that length.
	GPUResNet Tier = "gpu/G-B"
	// GPULaws is plain SGD in float32 for 300 steps (Theorem 1) or 32 (replay of the predictor).
	GPULaws Tier = "gpu/G-C"

	// ImagesConv is GPUConv in a form that a processor trains in a minute or two: fewer channels and steps, images of
	// 16 pixels.
	ImagesConv Tier = "images/G-A"

	MiniConv   Tier = "gpu-mini/G-A"
	MiniResNet Tier = "gpu-mini/G-B"
	MiniLaws   Tier = "gpu-mini/G-C"
)

// Sizes of the tiers with groups.
const (
	GPU     = "gpu"
	Images  = "images"
	GPUMini = "gpu-mini"
)

// Colour tells whether a size trains on colour images such as the paper's, and so bears on its own experiments.
func Colour(size string) bool { return size == GPU || size == Images }

// Groups lists the tiers of a size.
func Groups(size string) []Tier {
	var out []Tier
	for _, t := range []Tier{Mini, Full, GPUConv, GPUResNet, GPULaws, ImagesConv, MiniConv, MiniResNet, MiniLaws} {
		if t.Size() == size {
			out = append(out, t)
		}
	}
	return out
}

// Size is the tier without its group.
func (t Tier) Size() string {
	size, _, _ := strings.Cut(string(t), "/")
	return size
}

// Group is G-A, G-B or G-C, and empty for a tier without groups.
func (t Tier) Group() string {
	_, group, _ := strings.Cut(string(t), "/")
	return group
}

// convolutional tells whether the tier has groups: its networks are convolutional then, and too slow to be held against
// F̂ after every step.
func (t Tier) convolutional() bool { return t.Group() != "" }

// Options change a tier with groups; the zero value changes nothing.
type Options struct {
	// Epochs in place of the group's own; decay and average are matched to the new length. It does not apply to G-C.
	Epochs int
	// Precision of the runs of G-A and G-B in place of float32. G-C is always float32: its laws are exact.
	Precision method.Precision
}

// Setting is what the runs of a tier have in common.
type Setting struct {
	Tier  Tier
	Data  *data.Dataset // with the tier's limits of evaluation
	Base  method.Config // BYOL with a linear predictor
	Seeds []uint64      // the tier's own
}

// On returns the tier's setting on a data set. The tiers mini and full and the miniatures are made for the digits, those
// of a GPU for colour images of up to 32 pixels.
func (t Tier) On(d *data.Dataset, o Options) (*Setting, error) {
	s := &Setting{Tier: t, Data: d}
	changed := o.Epochs != 0 || o.Precision != ""
	if Colour(t.Size()) {
		if d.Gaussian != nil || d.Kind() == "digits" {
			return nil, fmt.Errorf("check: tier %s trains on images such as CIFAR-10, not on %s", t.Size(), d.Kind())
		}
	} else if d.Kind() != "digits" {
		return nil, fmt.Errorf("check: tier %s trains on the digits, not on %s", t.Size(), d.Kind())
	}
	switch t {
	case Mini:
		s.Base, s.Seeds = method.DigitsMini(), []uint64{1, 2}
	case Full:
		s.Base, s.Seeds = method.Digits(), []uint64{0, 1, 2, 3, 4}
	default:
		if !slices.Contains(Groups(t.Size()), t) {
			return nil, fmt.Errorf("check: unknown tier %q; there are mini, full, gpu, images and gpu-mini", t)
		}
		if t.Size() == Images {
			if changed {
				return nil, fmt.Errorf("check: epochs and precision are for the tiers %s and %s, not for %s", GPU, GPUMini, t)
			}
			if !d.Half {
				var err error
				if d, err = d.Halve(); err != nil {
					return nil, err
				}
			}
		}
		limited := *d
		limited.EvalTrain, limited.EvalTest = evaluated, 0
		switch t.Size() {
		case GPUMini:
			limited.EvalTrain, limited.EvalTest = evaluatedMini, 0
		case Images:
			limited.EvalTrain, limited.EvalTest = evaluatedImages, evaluatedImages
		}
		s.Data, s.Seeds = &limited, []uint64{1, 2, 3, 4, 5}
		h, w, c := d.ViewSize()
		s.Base = t.base(shape{d.Train.Len(), h, w, c}, o)
		return s, s.Base.Validate()
	}
	if changed {
		return nil, fmt.Errorf("check: epochs and precision are for the tiers %s and %s, not for %s", GPU, GPUMini, t)
	}
	return s, nil
}

// Base returns the base configuration and seeds of a tier that trains on the digits. Seed 0 was used in setting the
// gates of full.
func (t Tier) Base() (method.Config, []uint64, error) {
	d, err := data.Open("digits")
	if err != nil {
		return method.Config{}, nil, err
	}
	s, err := t.On(d, Options{})
	if err != nil {
		return method.Config{}, nil, err
	}
	return s.Base, s.Seeds, nil
}

// Images of the training set that features are evaluated on; of the test set it is all. 4096 views are 32 for each of
// the 128 dimensions of the largest projection, and their float32 activations in the widest layer of ResNet-18 take 1 GB.
// Of the digits each image has three views.
const (
	evaluated       = 4096
	evaluatedMini   = 300
	evaluatedImages = 2048
)

// shape is the size of a training set and of its views.
type shape struct{ n, h, w, c int }

// Totals that a shortened run keeps of the paper's 100 epochs on CIFAR-10, 39 000 steps of lr .03, momentum .9, wd 4e-4,
// m .996: what weight decay and averaging do depends on the totals, not on the rates. A run with the paper's wd and a
// tenth of its steps stays in the transient near collapse.
const (
	paperDecay   = 4.7 // lr·wd·steps/(1−momentum)
	paperHorizon = 156 // (1−m)·steps
)

// Totals of the miniature: those of the tiers on the digits. The paper's 156 averaging times in some two hundred steps
// would leave no average.
const (
	miniDecay   = 5
	miniHorizon = 10
)

// The runs on a processor. Base and batch were chosen from one run of 1000 steps of BYOL and of DirectPred on seed 0 (zstd
// .55 and .60, effective rank 2.5 and 3.3 at the end), the steps by the time that was there; no gate was changed.
const (
	imagesBase  = 16
	imagesBatch = 64
	imagesSteps = 700
)

// Lengths of the runs of G-C.
const (
	balanceSteps = 300
	replaySteps  = 32
	// balanceDecay is ηt of the 300 steps: the imbalance falls to e^{−1} = .37, ten times the deviation that the check
	// allows below its start, and a predictor that decays twice as fast leaves the law by far.
	balanceDecay = 0.5
)

// base is the base configuration of a tier with groups for a data set of a shape.
func (t Tier) base(s shape, o Options) method.Config {
	c := method.CIFAR()
	mini := t.Size() == GPUMini
	epochs, decay, horizon := 8, float64(paperDecay), float64(paperHorizon)
	if t.Group() == "G-B" {
		epochs = 30
	}
	switch {
	case t.Size() == Images:
		c.Net = method.Net{Kind: method.SmallConv, Base: imagesBase, Projector: []int{64}, Out: 16, BatchNorm: true, Bias: true}
		c.Batch, c.Optimizer.LearningRate = imagesBatch, 0.05
		horizon = miniHorizon
	case mini:
		c.Net = method.Net{Kind: method.SmallConv, Base: 8, Projector: []int{32}, Out: 16, BatchNorm: true, Bias: true}
		c.Batch = 32
		if t != MiniResNet { // which keeps the recipe's rate
			c.Optimizer.LearningRate = 0.05
		}
		epochs, decay, horizon = 5, miniDecay, miniHorizon
	case t.Group() != "G-B":
		// 128 and 256 channels: 79 million multiplications a view, two thirds of airbench94's 120.
		c.Net = method.Net{Kind: method.SmallConv, Base: 128, Projector: []int{128}, Out: 32, BatchNorm: true, Bias: true}
	}
	c.Net.Rows, c.Net.Columns, c.Net.Channels = s.h, s.w, s.c
	c.Batch = min(c.Batch, s.n)
	if o.Epochs > 0 {
		epochs = o.Epochs
	}
	c.Steps = max(1, epochs*s.n/c.Batch)
	if t.Size() == Images {
		c.Steps = imagesSteps
	}
	if o.Precision != "" {
		c.Precision = o.Precision
	}
	if t.Group() == "G-C" {
		c.Precision, c.Steps, decay = method.Float32, balanceSteps, balanceDecay
		c.Optimizer.Momentum = 0
		c.Optimizer.LearningRate /= 2 // as in the arm PlainSGD of the other tiers, and for the same reason
		horizon = min(horizon, balanceSteps/2)
	}
	steps := float64(c.Steps)
	c.Optimizer.WeightDecay = decay * (1 - c.Optimizer.Momentum) / (steps * c.Optimizer.LearningRate)
	c.Target.Momentum = max(0, 1-horizon/steps)
	return c
}
