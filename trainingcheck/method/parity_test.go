package method

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
)

// Bounds on the difference between two engines that run the same operations on
// the same bits and differ in the order of sums.
//
// In float64 every tensor after three steps is compared: rounding is
// 1e-16·√(terms) a product, and the bound leaves some hundred thousand of them
// for the division by standard deviations and the dynamics.
//
// In the other precisions one step is compared, its loss and its gradient (as a
// whole vector, relative to its length). float32 rounds at 6e-8 and its bound
// leaves about a hundred roundings; TF32 and bfloat16 round operands at 5e-4
// and 2e-3 and meet about ten products on the way to the loss and twenty on the
// way back. A gradient is less forgiving than a loss: it jumps where a rounding
// pushes an activation across the kink of its ReLU. ResNet-18 has 10⁵
// activations and eighteen BatchNorms to magnify what is left, and two correct
// CPU engines differ by up to 2e-3 in float32 and by a third in bfloat16, so
// there float32 gets a bound of its own and bfloat16 none: its gradients are
// checked in float64.
var (
	parityLoss     = map[Precision]float64{Float64: 1e-10, Float32: 1e-5, BFloat16: 2e-2}
	parityGradient = map[Precision]float64{Float32: 1e-5, BFloat16: 0.1}
)

const (
	parity64          = 1e-10
	parityDeepFloat32 = 1e-2
	parityTF32        = 2e-2
	paritySteps       = 3
)

func parityConfigs(tb testing.TB) map[string]Config {
	// BatchNorm over few rows magnifies rounding; with momentum the velocities
	// of the first step are its gradients.
	many := func(c *Config) { c.Batch, c.Optimizer.Momentum = 64, 0.9 }
	return map[string]Config{
		"linear":        variant(tb, LinearGaussian(), BYOL, many),
		"mlp":           variant(tb, small(), BYOL, many, func(c *Config) { c.Predictor.Kind, c.Predictor.Hidden = MLP2P, 7 }),
		"digits":        variant(tb, DigitsMini(), NoStopGradient, many),
		"directpred":    variant(tb, small(), DirectPred, many),
		"newton-schulz": variant(tb, small(), DirectPred, many, rooted),
		"smallconv":     variant(tb, smallConv(), BYOL, many),
		"resnet18":      variant(tb, smallResNet(), BYOL, many),
	}
}

// TestParity runs the same seeded steps on the CPU engine and on every other
// one, and names those that cannot run here.
func TestParity(t *testing.T) {
	for _, kind := range []string{engine.CPUGoMLX, engine.GPU, engine.GPUTF32} {
		t.Run(kind, func(t *testing.T) {
			other := start(t, kind)
			for name, c := range parityConfigs(t) {
				for _, p := range []Precision{Float64, Float32, BFloat16} {
					if p == BFloat16 && c.Direct != nil {
						continue // eigenvectors of close eigenvalues turn with the rounding
					}
					t.Run(name+"/"+string(p), func(t *testing.T) {
						d := disparityOf(t, cpu(t), other, c, p)
						if err := d.within(c, p, kind == engine.GPUTF32); err != nil {
							t.Error(err)
						}
					})
				}
			}
		})
	}
}

// Bounds on one step from images on another engine's device against one on the
// CPU engine from batches that the Go engine made. The views differ by rounding,
// up to 4e-6 between host and Go engine (package data), and a change of all views
// by that changes the loss of these networks by up to 1.3e-6 and the gradient by
// up to 1.7e-5, in float64 as in float32 (measured on three seeds; ResNet-18
// magnifies more and is left out). Each is left about ten times that.
const (
	parityResidentLoss     = 1e-5
	parityResidentGradient = 2e-4
)

// residentConfigs are steps whose views come from images on the device.
func residentConfigs(tb testing.TB) map[string]Config {
	many := func(c *Config) { c.Batch, c.Optimizer.Momentum = 64, 0.9 }
	return map[string]Config{
		"smallconv":     variant(tb, smallConv(), BYOL, many),
		"newton-schulz": variant(tb, smallConv(), DirectPred, many, rooted),
	}
}

// TestParityOfResidentData makes a step from images on each engine's device.
func TestParityOfResidentData(t *testing.T) {
	for _, kind := range []string{engine.CPUGoMLX, engine.GPU, engine.GPUTF32} {
		t.Run(kind, func(t *testing.T) {
			other := start(t, kind)
			maker := start(t, engine.CPUGoMLX)
			for name, c := range residentConfigs(t) {
				for _, p := range []Precision{Float64, Float32} {
					c.Precision = p
					src := newAlbum(t, maker, c, 2)
					d := residentDisparity(t, cpu(t), other, c, src, src)
					t.Logf("%s in %s: loss %.2g, gradient %.2g", name, p, d.loss, d.gradient)
					if err := d.resident(p, kind == engine.GPUTF32); err != nil {
						t.Errorf("%s in %s: %v", name, p, err)
					}
				}
			}
		})
	}
}

// TestParityOfResidentDataNoticesOtherViews is the twin: a device that ignored one
// parameter of the views must fail.
func TestParityOfResidentDataNoticesOtherViews(t *testing.T) {
	maker := start(t, engine.CPUGoMLX)
	for name, c := range residentConfigs(t) {
		for what, change := range map[string]func(*augment.Params){
			"flip":     func(p *augment.Params) { p.Flip = false },
			"order":    func(p *augment.Params) { p.Order = [4]augment.Change{3, 2, 1, 0} },
			"crop":     func(p *augment.Params) { p.Y = max(0, p.Y-1) },
			"the hue":  func(p *augment.Params) { p.Turn = 0 },
			"σ by 1 %": func(p *augment.Params) { p.Sigma *= 1.01 },
		} {
			src := newAlbum(t, maker, c, 2)
			twin := src
			twin.change = change
			if residentDisparity(t, cpu(t), maker, c, src, twin).resident(c.Precision, false) == nil {
				t.Errorf("%s: a device that mistakes %s passes", name, what)
			}
		}
	}
}

// residentDisparity is one step of ref on batches and of other on draws.
func residentDisparity(t *testing.T, ref, other *engine.Engine, c Config, batches Source, draws Resident) disparity {
	t.Helper()
	a, b := open(t, ref, c, 1), open(t, other, c, 1)
	return measure(train(t, a, batches, 1), trainDrawn(t, b, draws, 1), dump(t, a), dump(t, b))
}

func (d disparity) resident(p Precision, tf32 bool) error {
	loss, gradient := parityResidentLoss, parityResidentGradient
	if tf32 && p == Float32 {
		loss, gradient = parityTF32, parityGradient[BFloat16]
	}
	switch {
	case !(d.loss <= loss):
		return fmt.Errorf("losses differ by %.2g, the bound is %.2g", d.loss, loss)
	case !(d.gradient <= gradient):
		return fmt.Errorf("gradients differ by %.2g, the bound is %.2g", d.gradient, gradient)
	}
	return nil
}

// TestParityNoticesAnotherRun is the twin: views with 1 % more noise must fail
// where the bounds are tighter than that.
func TestParityNoticesAnotherRun(t *testing.T) {
	e := cpu(t)
	for name, c := range parityConfigs(t) {
		for _, p := range []Precision{Float64, Float32} {
			c.Precision = p
			a, b := open(t, e, c, 1), open(t, e, c, 1)
			src := views(c, 1)
			noisier := src
			noisier.sigma *= 1.01
			steps := 1
			if p == Float64 {
				steps = paritySteps
			}
			x, y := train(t, a, src, steps), train(t, b, noisier, steps)
			if err := measure(x, y, dump(t, a), dump(t, b)).within(c, p, false); err == nil {
				t.Errorf("%s in %s: another run passes for the same", name, p)
			}
		}
	}
}

// disparity is the difference of two runs.
type disparity struct {
	loss     float64 // largest, relative to max(1, loss)
	tensor   float64 // largest of any tensor, relative to max(1, its largest value)
	name     string  // that tensor
	gradient float64 // of all velocities as one vector, relative to its length
}

func (d disparity) within(c Config, p Precision, tf32 bool) error {
	loss, gradient := parityLoss[p], parityGradient[p]
	if c.Net.Kind == ResNet18 && p == Float32 {
		gradient = parityDeepFloat32
	}
	if tf32 && p == Float32 {
		loss, gradient = parityTF32, parityGradient[BFloat16]
	}
	switch {
	case !(d.loss <= loss):
		return fmt.Errorf("losses differ by %.2g, the bound is %.2g", d.loss, loss)
	case p == Float64 && !(d.tensor <= parity64):
		return fmt.Errorf("%s differs by %.2g, the bound is %.2g", d.name, d.tensor, parity64)
	case p == Float64 || c.Net.Kind == ResNet18 && (p == BFloat16 || tf32):
		return nil
	case !(d.gradient <= gradient):
		return fmt.Errorf("gradients differ by %.2g, the bound is %.2g", d.gradient, gradient)
	}
	return nil
}

// disparityOf trains c in precision p on both engines. The reference of
// bfloat16 is float32: rounding the operands is the difference that is measured.
func disparityOf(t *testing.T, ref, other *engine.Engine, c Config, p Precision) disparity {
	t.Helper()
	c.Precision = p
	exact := c
	steps := 1
	switch p {
	case Float64:
		steps = paritySteps
	case BFloat16:
		exact.Precision = Float32
	}
	a, b := open(t, ref, exact, 1), open(t, other, c, 1)
	src := views(c, 1)
	return measure(train(t, a, src, steps), train(t, b, src, steps), dump(t, a), dump(t, b))
}

func measure(x, y []float64, a, b map[string][]float64) disparity {
	var d disparity
	for i := range x {
		if r := math.Abs(x[i]-y[i]) / max(1, math.Abs(x[i])); !(r <= d.loss) {
			d.loss = r
		}
	}
	var num, den float64
	for n, v := range a {
		scale, worst := 1.0, 0.0
		for i := range v {
			e := math.Abs(v[i] - b[n][i])
			scale = max(scale, math.Abs(v[i]))
			if !(e <= worst) {
				worst = e
			}
			if strings.HasPrefix(n, groupVelocity) {
				num, den = num+e*e, den+v[i]*v[i]
			}
		}
		if !(worst/scale <= d.tensor) {
			d.tensor, d.name = worst/scale, n
		}
	}
	d.gradient = math.Sqrt(num / den)
	return d
}

// TestAcceleratedFormulationAgrees runs the graph that XLA gets, with the
// backend's own convolutions, on GoMLX's Go backend.
func TestAcceleratedFormulationAgrees(t *testing.T) {
	for name, c := range parityConfigs(t) {
		e := *start(t, engine.CPUGoMLX)
		e.Kind = engine.GPU // the backend stays the Go one; only the formulation changes
		if err := disparityOf(t, cpu(t), &e, c, Float64).within(c, Float64, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBFloat16NeedsAnotherEngine(t *testing.T) {
	c := small()
	c.Precision = BFloat16
	if tr, err := New(cpu(t), c, 1); err == nil || tr != nil || !strings.Contains(err.Error(), engine.CPUGoMLX) {
		t.Errorf("bfloat16 on the CPU engine: %v, %v; want an error that names %s", tr, err, engine.CPUGoMLX)
	}
}

// TestResNet18Trains makes two steps of the full ResNet-18 on two images.
func TestResNet18Trains(t *testing.T) {
	if testing.Short() {
		t.Skip("two steps of the full ResNet-18 take 3 s and 0.5 GB (TestParity and TestGradientsMatchCentralDifferences run it with 2 channels)")
	}
	c := CIFAR()
	c.Batch = 2
	tr := open(t, cpu(t), c, 1)
	for i, l := range train(t, tr, views(c, 1), 2) {
		if !(l > 0 && l < 8) {
			t.Errorf("loss of step %d is %v, want one of 4 − 2cos − 2cos", i, l)
		}
	}
	if ok, name, err := tr.Finite(); err != nil || !ok {
		t.Errorf("after two steps %s is not finite (%v)", name, err)
	}
}
