package parity

import (
	"slices"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/method"
)

// Network is one configuration that engines are compared on.
type Network struct {
	Name   string
	Config method.Config // its precision is the caller's to set
	// Full marks the size that only an accelerator trains. On the CPU such a network is a computation of seconds: it is
	// recorded from a GPU, and compared by the scalars of Step alone.
	Full bool
}

// Networks lists them: every kind of layer, loss and predictor at a size that steps in milliseconds, and method.CIFAR.
// Each has momentum, whose velocities after the first step are its gradients, and a batch of many rows where it is
// small: BatchNorm over few rows magnifies rounding.
func Networks() []Network {
	mini := func(name string, c method.Config, m method.Method, changes ...func(*method.Config)) Network {
		c, err := c.As(m)
		if err != nil {
			panic(err) // the presets are valid
		}
		c.Batch, c.Optimizer.Momentum = 64, 0.9
		for _, change := range changes {
			change(&c)
		}
		return Network{Name: name, Config: c}
	}
	cifar := Network{Name: "resnet18-cifar", Config: method.CIFAR(), Full: true}
	cifar.Config.Batch = fullBatch
	return []Network{
		mini("linear", method.LinearGaussian(), method.BYOL),
		mini("mlp", method.Miniature(method.MLP), method.BYOL, func(c *method.Config) { c.Predictor.Kind, c.Predictor.Hidden = method.MLP2P, 7 }),
		mini("digits", method.DigitsMini(), method.NoStopGradient),
		mini("directpred", method.Miniature(method.MLP), method.DirectPred),
		mini("newton-schulz", method.Miniature(method.MLP), method.DirectPred, rooted),
		mini("smallconv", method.Miniature(method.SmallConv), method.BYOL),
		mini("resnet18", method.Miniature(method.ResNet18), method.BYOL),
		cifar,
	}
}

// rooted sets W_p on the device.
func rooted(c *method.Config) {
	c.Direct.Solver, c.Direct.Moment = method.NewtonSchulz, method.SameView
}

// fullBatch is the batch of the full ResNet-18: 25 s of two cores in float64.
const fullBatch = 8

// Named returns the network of a name, and whether there is one.
func Named(name string) (Network, bool) {
	all := Networks()
	if i := slices.IndexFunc(all, func(n Network) bool { return n.Name == name }); i >= 0 {
		return all[i], true
	}
	return Network{}, false
}

// viewNoise is the standard deviation of a view around its example.
const viewNoise = 0.5

// Views returns batches of pairs of views x + N(0, σ²I) of x ~ N(0, I) for a configuration, a pure function of the seed.
// No network needs images for a comparison of arithmetic.
func Views(c method.Config, seed uint64) method.Source { return views(c, seed, viewNoise) }

func views(c method.Config, seed uint64, sigma float64) method.Source {
	g, err := data.NewGaussian(nil, slices.Repeat([]float64{sigma * sigma}, c.Dim()))
	if err == nil {
		var s *data.GaussianSource
		if s, err = data.NewGaussianSource(g, seed, c.Batch); err == nil {
			return s
		}
	}
	panic(err) // c is valid, so dimension and batch are positive
}
