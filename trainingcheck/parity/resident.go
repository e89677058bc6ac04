package parity

import (
	"fmt"
	"math"
	"math/rand/v2"

	"stopgrad/golden"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Bounds on one step whose views an engine makes from images on its device, against one of the CPU engine on the views of
// the definition (data.ColourAugmentation). The two sets of views differ by rounding, up to 4e-6 on GoMLX's Go backend,
// and a change of all views by that changes the loss of these networks by up to 1.3e-6 and the gradient by up to 1.7e-5,
// in float64 as in float32. Each is left about ten times that. In TF32 and bfloat16 the bounds are those of Within.
const (
	boundResidentLoss     = 1e-5
	boundResidentGradient = 2e-4
)

// ResidentNetworks lists the networks that are compared with images on the device: convolutional, with few enough layers
// not to magnify the rounding of the views.
func ResidentNetworks() []Network {
	network := func(name string, m method.Method) Network {
		c, err := method.Miniature(method.SmallConv).As(m)
		if err != nil {
			panic(err) // the preset is valid
		}
		c.Batch, c.Optimizer.Momentum = 64, 0.9
		if c.Direct != nil {
			rooted(&c)
		}
		return Network{Name: name, Config: c}
	}
	return []Network{network("smallconv", method.BYOL), network("newton-schulz", method.DirectPred)}
}

// residentImages is the size of the album that the views are of.
const residentImages = 200

// Album returns batches of views of random colour images through every stage of the colour augmentation, of the size that
// c reads; without 3 channels it is an error. It is a pure function of the seed, and offers its images to the device.
func Album(c method.Config, seed uint64) (method.Resident, error) {
	n := c.Net
	if n.Channels != 3 {
		return nil, fmt.Errorf("parity: a network of kind %s with %d channels, want one of colour images", n.Kind, n.Channels)
	}
	set := &data.Set{H: n.Rows, W: n.Columns, C: n.Channels, White: 255, Classes: []string{"noise"}, Labels: make([]int, residentImages)}
	set.Pixels = make([]uint8, residentImages*n.Rows*n.Columns*n.Channels)
	r := rand.New(rand.NewPCG(seed, residentImages))
	for i := range set.Pixels {
		set.Pixels[i] = uint8(r.IntN(256))
	}
	a := data.CIFARAugmentation(data.ChannelMoments(set))
	a.Blur, a.BlurKernel, a.BlurSigma = 0.5, 3, [2]float64{0.1, 2}
	s, err := data.NewImageSource(set, a, seed, c.Batch)
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	return s, nil
}

// CompareResident makes a step of c in precision p, float64 or float32, on an engine from an album's images on the
// device, and in float64 from the same weights and the album's views on the host on a reference engine, for each of
// seedsCompared seeds of the weights, each on a batch of its own. It returns the largest difference of losses and the
// median one of gradients. Each engine compiles one step.
func CompareResident(ref, other *engine.Engine, c method.Config, p method.Precision) (Disparity, error) {
	return compareResident(ref, other, c, p, func(r method.Resident) method.Resident { return r })
}

// compareResident is CompareResident with a change to what the other engine draws.
func compareResident(ref, other *engine.Engine, c method.Config, p method.Precision, theirs func(method.Resident) method.Resident) (Disparity, error) {
	c.Precision = p
	exact := c
	exact.Precision = method.Float64
	src, err := Album(c, 0)
	if err != nil {
		return Disparity{}, err
	}
	drawn := theirs(src)
	stock, ok := drawn.Stock()
	if !ok {
		return Disparity{}, fmt.Errorf("parity: the album offers no images")
	}
	mine, err := method.New(ref, exact, 0)
	if err != nil {
		return Disparity{}, fmt.Errorf("parity: on %s: %w", ref.Kind, err)
	}
	defer mine.Close()
	yours, err := method.New(other, c, 0)
	if err != nil {
		return Disparity{}, fmt.Errorf("parity: on %s: %w", other.Kind, err)
	}
	defer yours.Close()
	if err := yours.Upload(stock); err != nil {
		return Disparity{}, fmt.Errorf("parity: on %s: %w", other.Kind, err)
	}
	var worst Disparity
	var gradients []float64
	for seed := range seedsCompared {
		weights := c.Initial(uint64(seed))
		a, err := train(mine, weights, 1, func(int) (float64, error) { return mine.Step(src.Batch(seed)) })
		if err != nil {
			return Disparity{}, fmt.Errorf("parity: on %s: %w", ref.Kind, err)
		}
		b, err := train(yours, weights, 1, func(int) (float64, error) { return yours.StepDrawn(drawn.Draws(seed)) })
		if err != nil {
			return Disparity{}, fmt.Errorf("parity: on %s: %w", other.Kind, err)
		}
		d := disparity(a, b)
		worst.Loss = larger(worst.Loss, d.Loss)
		if math.IsNaN(d.Gradient) {
			d.Gradient = math.Inf(1)
		}
		gradients = append(gradients, d.Gradient)
	}
	worst.Gradient = median(gradients)
	return worst, nil
}

// WithinResident is Within for a disparity of CompareResident.
func (d Disparity) WithinResident(a golden.Precision) error {
	loss, gradient := boundResidentLoss, boundResidentGradient
	if short(a) {
		loss, gradient = boundLoss16, boundGradient16
	}
	return d.exceeds(loss, gradient)
}

// exceeds names which of loss and gradient is above its bound.
func (d Disparity) exceeds(loss, gradient float64) error {
	switch {
	case !(d.Loss <= loss):
		return fmt.Errorf("losses differ by %.2g, the bound is %.2g", d.Loss, loss)
	case !(d.Gradient <= gradient):
		return fmt.Errorf("gradients differ by %.2g, the bound is %.2g", d.Gradient, gradient)
	}
	return nil
}
