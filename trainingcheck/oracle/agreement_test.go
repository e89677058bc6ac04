package oracle

import (
	"fmt"
	"math"
	"testing"

	"stopgrad/trainingcheck/method"
)

// agreement bounds the difference of two float64 runs after agreementSteps
// steps, relative to max(1, largest value of the tensor).
//
// Rounding enters at about 1e-16·√(terms of a product) ≈ 1e-15 per step and
// grows with the run's own sensitivity: by 1 + lr·L/(1−μ) a step where the loss
// has the negative curvature −L. At 0.05 for that rate, aligned roundings give
// 1e-15 · Σ 1.05^k ≈ 4e-10 after 200 steps and unaligned ones some 1e-14
// (measured: below 3e-14 everywhere). The bound lies between that and the
// smallest mistake that the twins below make. It holds for runs that are not
// chaotic: with output BatchNorm, batches of 12 and lr 0.01 a change of 1e-12 in
// one weight of one and the same implementation grows tenfold every 8 steps, so
// the nets here learn at 0.01, and with output BatchNorm at 0.001 without momentum.
const (
	agreement      = 1e-10
	agreementSteps = 200
	twinVisible    = 1e-6
)

// worst returns the largest difference of any tensor of two runs, relative to
// max(1, the tensor's largest value), and the tensor's name. A NaN is a difference.
func worst(t *testing.T, names []string, a, b Stepper) (float64, string) {
	t.Helper()
	var d float64
	var at string
	for _, n := range names {
		va, da, err := a.Values(n)
		if err != nil {
			t.Fatal(err)
		}
		vb, db, err := b.Values(n)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(da) != fmt.Sprint(db) {
			t.Fatalf("%s is %v in one run and %v in the other", n, da, db)
		}
		scale, diff := 1.0, 0.0
		for i := range va {
			scale = max(scale, math.Abs(va[i]))
			if x := math.Abs(va[i] - vb[i]); !(x <= diff) {
				diff = x
			}
		}
		if !(diff/scale <= d) {
			d, at = diff/scale, n
		}
	}
	return d, at
}

// linear and mlp are small versions of the presets that keep 200 steps cheap.
func linear() method.Config {
	c := method.LinearGaussian()
	c.Net.In, c.Net.Out, c.Batch = 10, 4, 16
	return c
}

func mlp() method.Config {
	c := method.DigitsMini()
	c.Precision = method.Float64
	c.Net = method.Net{Kind: method.MLP, In: 12, Hidden: []int{10, 10}, Projector: []int{8}, Out: 5, BatchNorm: true, Bias: true}
	c.Batch = 12
	c.Optimizer.LearningRate = 0.01
	return c
}

// plain is an MLP without BatchNorm under the theory's loss.
func plain() method.Config {
	c := mlp()
	c.Net = method.Net{Kind: method.MLP, In: 12, Hidden: []int{9}, Out: 5, Bias: true}
	c.Loss = method.Loss{Kind: method.Euclidean}
	return c
}

func as(t *testing.T, c method.Config, m method.Method, changes ...func(*method.Config)) method.Config {
	t.Helper()
	c, err := c.As(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range changes {
		f(&c)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

type implementation struct {
	name string
	open func(method.Config, uint64) (Stepper, error)
}

// implementations are the three trainers; each run of one is compared with the first.
func implementations(t *testing.T) []implementation {
	e := cpu(t)
	return []implementation{
		{"gomlx", func(c method.Config, s uint64) (Stepper, error) { return method.New(e, c, s) }},
		{"gonum", func(c method.Config, s uint64) (Stepper, error) { return NewGonum(c, s) }},
		{"gorgonia", func(c method.Config, s uint64) (Stepper, error) { return NewGorgonia(c, s) }},
	}
}

func names(c method.Config) []string {
	var n []string
	for _, s := range c.Layout() {
		n = append(n, s.Name)
	}
	return n
}

func TestThreeImplementationsAgreeStepByStep(t *testing.T) {
	mlp2 := func(c *method.Config) { c.Predictor.Kind, c.Predictor.Hidden = method.MLP2P, 7 }
	alpha := func(a float64, d method.Decay) func(*method.Config) {
		return func(c *method.Config) { c.Predictor.RateRatio, c.Optimizer.Decay = a, d }
	}
	symmetrize := func(c *method.Config) { c.Predictor.Symmetrize = true }
	independent := func(c *method.Config) { c.Target.Init = method.Independent }
	outputBN := func(c *method.Config) {
		c.Net.OutputBN, c.Optimizer.LearningRate, c.Optimizer.Momentum = true, 0.001, 0
	}
	bothWays := func(c *method.Config) { c.Loss.BothDirections = true }
	oneWay := func(c *method.Config) { c.Loss.BothDirections = false }
	momentum := func(c *method.Config) { c.Optimizer.Momentum = 0.9 }
	shared := func(c *method.Config) { c.Target = method.Target{Kind: method.Shared} }
	none := func(c *method.Config) { c.Predictor.Kind = method.NoneP }

	cases := []struct {
		name string
		cfg  method.Config
	}{
		{"linear/byol", as(t, linear(), method.BYOL)},
		{"linear/byol independent target, both directions", as(t, linear(), method.BYOL, independent, bothWays)},
		{"linear/simsiam", as(t, linear(), method.SimSiam)},
		{"linear/simsiam momentum, α=4 theory", as(t, linear(), method.SimSiam, momentum, alpha(4, method.TheoryDecay))},
		{"linear/simsiam symmetrised, α=4 torch", as(t, linear(), method.SimSiam, symmetrize, alpha(4, method.TorchDecay))},
		{"linear/nostopgrad", as(t, linear(), method.NoStopGradient)},
		{"linear/nopredictor", as(t, linear(), method.NoPredictor)},
		{"linear/nopredictor nostopgrad", as(t, linear(), method.NoStopGradient, none)},
		{"plain/byol", as(t, plain(), method.BYOL)},
		{"plain/nostopgrad", as(t, plain(), method.NoStopGradient)},
		{"mlp/byol", as(t, mlp(), method.BYOL)},
		{"mlp/byol two-layer predictor, independent target", as(t, mlp(), method.BYOL, mlp2, independent)},
		{"mlp/byol one direction", as(t, mlp(), method.BYOL, oneWay, symmetrize)},
		{"mlp/simsiam", as(t, mlp(), method.SimSiam)},
		{"mlp/simsiam output BatchNorm, α=.1", as(t, mlp(), method.SimSiam, outputBN, alpha(0.1, method.TheoryDecay))},
		{"mlp/nostopgrad", as(t, mlp(), method.NoStopGradient)},
		{"mlp/nostopgrad one direction", as(t, mlp(), method.NoStopGradient, oneWay)},
		{"mlp/nopredictor", as(t, mlp(), method.NoPredictor)},
		{"mlp/nopredictor shared", as(t, mlp(), method.NoPredictor, shared)},
	}
	impl := implementations(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			const seed = 7
			runs := make([]Stepper, len(impl))
			for i, m := range impl {
				r, err := m.open(c.cfg, seed)
				if err != nil {
					t.Fatalf("%s: %v", m.name, err)
				}
				runs[i] = r
			}
			tensors := names(c.cfg)
			gap := make([]float64, len(impl))
			for step := range agreementSteps {
				b := gaussian(seed, step, c.cfg.Batch, c.cfg.Net.In, 0.5)
				var first float64
				for i, r := range runs {
					loss, err := r.Step(b)
					if err != nil {
						t.Fatalf("%s: step %d: %v", impl[i].name, step, err)
					}
					if i == 0 {
						first = loss
						continue
					}
					if d := math.Abs(loss - first); !(d <= agreement*max(1, math.Abs(first))) {
						t.Fatalf("step %d: loss %v in %s and %v in %s", step, first, impl[0].name, loss, impl[i].name)
					}
					d, at := worst(t, tensors, runs[0], r)
					if !(d <= agreement) {
						t.Fatalf("step %d: %s differs by %.2g between %s and %s", step, at, d, impl[0].name, impl[i].name)
					}
					gap[i] = max(gap[i], d)
				}
			}
			t.Logf("%d steps, largest difference: gonum %.1e, gorgonia %.1e", agreementSteps, gap[1], gap[2])
		})
	}
}

// TestOracleNoticesABrokenTrainer runs the GoMLX trainer on a configuration
// with one thing wrong against the oracles on the right one: every pair must
// disagree, and a missing stop-gradient at the very first step.
func TestOracleNoticesABrokenTrainer(t *testing.T) {
	dropSG := func(c *method.Config) { c.Method = method.NoStopGradient }
	for _, c := range []struct {
		name   string
		right  method.Config
		broken func(*method.Config)
		at     int // the step by which it must show
	}{
		{"linear, missing stop-gradient", as(t, linear(), method.SimSiam), dropSG, 0},
		{"plain, missing stop-gradient", as(t, plain(), method.SimSiam), dropSG, 0},
		{"mlp, missing stop-gradient", as(t, mlp(), method.SimSiam), dropSG, 0},
		{"mlp, missing predictor's decay correction", as(t, mlp(), method.BYOL, func(c *method.Config) { c.Predictor.RateRatio = 2 }), func(c *method.Config) { c.Optimizer.Decay = method.TorchDecay }, agreementSteps - 1},
		{"mlp, m taken for 1−m", as(t, mlp(), method.BYOL), func(c *method.Config) { c.Target.Momentum = 1 - c.Target.Momentum }, agreementSteps - 1},
		{"linear, decay doubled", as(t, linear(), method.BYOL), func(c *method.Config) { c.Optimizer.WeightDecay *= 2 }, agreementSteps - 1},
		{"mlp, one direction for two", as(t, mlp(), method.BYOL), func(c *method.Config) { c.Loss.BothDirections = false }, 0},
		{"mlp, not symmetrised", as(t, mlp(), method.BYOL, func(c *method.Config) { c.Predictor.Symmetrize = true }), func(c *method.Config) { c.Predictor.Symmetrize = false }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			impl := implementations(t)
			wrong := c.right
			c.broken(&wrong)
			if err := wrong.Validate(); err != nil {
				t.Fatal(err)
			}
			broken, err := impl[0].open(wrong, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range impl[1:] {
				if err := replay(t, broken, m, c.right, c.at); err != nil {
					t.Error(err)
				}
				if broken, err = impl[0].open(wrong, 7); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// replay steps both runs up to and including step at and returns an error if they still agree.
func replay(t *testing.T, broken Stepper, m implementation, right method.Config, at int) error {
	t.Helper()
	oracle, err := m.open(right, 7)
	if err != nil {
		t.Fatal(err)
	}
	for step := range at + 1 {
		b := gaussian(7, step, right.Batch, right.Net.In, 0.5)
		if _, err := broken.Step(b); err != nil {
			t.Fatal(err)
		}
		if _, err := oracle.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	var trained []string
	for _, n := range names(right) {
		if n[:3] == "onl" || n[:3] == "pre" {
			trained = append(trained, n)
		}
	}
	if d, name := worst(t, trained, broken, oracle); d < twinVisible {
		return fmt.Errorf("%s does not notice: the largest difference after step %d is %.2g, in %s", m.name, at, d, name)
	}
	return nil
}

func TestUnsupportedConfigurationsAreRefused(t *testing.T) {
	for _, c := range []method.Config{method.CIFAR(), method.Digits(), as(t, mlp(), method.DirectPred), {}} {
		if g, err := NewGonum(c, 1); err == nil || g != nil {
			t.Errorf("NewGonum(%s) = %v, %v; want an error", c.Canonical(), g, err)
		}
		if g, err := NewGorgonia(c, 1); err == nil || g != nil {
			t.Errorf("NewGorgonia(%s) = %v, %v; want an error", c.Canonical(), g, err)
		}
	}
}
