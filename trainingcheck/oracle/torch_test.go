package oracle

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/oracle/torch"
	"stopgrad/trainingcheck/parity"
)

// torchPython returns an interpreter that has torch and torch's version, and skips the test where there is none.
func torchPython(t *testing.T) (python, version string) {
	t.Helper()
	python, version, err := torch.Python(t.Context())
	if err != nil && os.Getenv(torch.EnvPython) != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("no PyTorch to compare with: %v", err)
	}
	return python, version
}

// job is one run in torch.
type job struct {
	torch.Job
	torch.Result
	seed uint64
}

func newJob(name string, c method.Config, seed uint64, steps int) *job {
	j := &job{Job: torch.Job{Name: name, Config: c, Weights: c.Initial(seed)}, seed: seed}
	src := parity.Views(c, seed)
	for i := range steps {
		j.Views = append(j.Views, src.Batch(i))
	}
	return j
}

// trainInTorch trains jobs.
func trainInTorch(t *testing.T, python string, jobs []*job) {
	t.Helper()
	var all []torch.Job
	for _, j := range jobs {
		all = append(all, j.Job)
	}
	results, err := torch.Train(t.Context(), python, all, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range jobs {
		j.Result = results[i]
	}
}

// apart is the largest difference of losses and tensors from a run of package method on the engine cpu (SimCLR's on cpu-gomlx), each relative to
// max(1, its largest value), and its name; and that of the velocities as one vector relative to its length.
func (j *job) apart(t *testing.T, c method.Config) (loss, tensor, velocity float64, name string) {
	t.Helper()
	kind := engine.CPU
	if c.Loss.Kind == method.NTXent {
		kind = engine.CPUGoMLX // cpu has no exponential
	}
	e, err := engine.Open(kind)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	weights := c.Initial(j.seed)
	c.Precision = method.Float64
	tr, err := method.New(e, c, j.seed)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Restart(weights); err != nil { // rounded as c's own precision has them
		t.Fatal(err)
	}
	for i, b := range j.Views {
		l, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(l-j.Losses[i]) / max(1, math.Abs(l)); !(d <= loss) {
			loss = d
		}
	}
	var square, length float64
	for _, n := range tr.Names() {
		v, _, err := tr.Values(n)
		if err != nil {
			t.Fatal(err)
		}
		theirs, ok := j.State[n]
		if !ok { // of a twin whose configuration has no such tensor
			continue
		}
		scale, worst := 1.0, 0.0
		for i := range v {
			d := math.Abs(v[i] - theirs[i])
			scale = max(scale, math.Abs(v[i]))
			if !(d <= worst) {
				worst = d
			}
			if strings.HasPrefix(n, "velocity/") {
				square, length = square+d*d, length+v[i]*v[i]
			}
		}
		if !(worst/scale <= tensor) {
			tensor, name = worst/scale, n
		}
	}
	return loss, tensor, math.Sqrt(square / length), name
}

// witnessed lists the configurations that torch trains beside package method: every method, moment, formula, order of
// the step, decay, loss, target and layer.
func witnessed(t *testing.T) map[string]method.Config {
	t.Helper()
	all := map[string]method.Config{}
	add := func(name string, c method.Config, m method.Method, changes ...func(*method.Config)) {
		c, err := c.As(m)
		if err != nil {
			t.Fatal(err)
		}
		c.Precision, c.Batch, c.Optimizer.LearningRate = method.Float64, 16, 0.01
		if c.Direct != nil {
			d := *c.Direct
			c.Direct = &d
		}
		for _, change := range changes {
			change(&c)
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = c
	}
	linear, mlp := method.LinearGaussian(), method.Miniature(method.MLP)
	momentum := func(c *method.Config) { c.Optimizer.Momentum = 0.9 }
	for _, m := range method.Methods {
		add("linear-"+string(m), linear, m)
		add("mlp-"+string(m), mlp, m, momentum)
	}
	direct := func(change func(*method.Direct)) func(*method.Config) {
		return func(c *method.Config) { change(c.Direct) }
	}
	for name, change := range map[string]func(*method.Direct){
		"after":       func(d *method.Direct) { d.When = method.AfterStep },
		"freq":        func(d *method.Direct) { d.Freq = 3 },
		"after-freq":  func(d *method.Direct) { d.When, d.Freq = method.AfterStep, 5 },
		"slide":       func(d *method.Direct) { d.Formula = method.Slide },
		"cross":       func(d *method.Direct) { d.Moment = method.CrossView },
		"centred":     func(d *method.Direct) { d.Centred = true },
		"long-memory": func(d *method.Direct) { d.Rho = 0.9 },
	} {
		add("directpred-"+name, mlp, method.DirectPred, direct(change))
	}
	// The published code's options. F̂ − μ̂μ̂ᵀ has been found near singular: ε keeps its root from magnifying rounding.
	for name, change := range map[string]func(*method.Direct){
		"eps-inside":    func(d *method.Direct) { d.EpsInside = true },
		"dyn-reg":       func(d *method.Direct) { d.Shrink = 0.2 },
		"zero-mean":     func(d *method.Direct) { d.ZeroMean = true },
		"plain-average": func(d *method.Direct) { d.PlainAverage = true },
		"plain-means": func(d *method.Direct) {
			d.PlainAverage, d.ZeroMean, d.EpsInside, d.Shrink, d.When, d.Freq = true, true, true, 0.1, method.AfterStep, 2
		},
	} {
		add("directpred-"+name, mlp, method.DirectPred, direct(change), optioned)
	}
	add("directcopy-zero-mean", mlp, method.DirectCopy, optioned, direct(func(d *method.Direct) { d.Formula, d.ZeroMean = method.Slide, true }))
	add("directset-eps-inside", mlp, method.DirectSet, optioned, direct(func(d *method.Direct) { d.Gamma, d.EpsInside = 0.7, true }))
	for name, s := range map[string]method.Schedule{
		"warmup":        {Warmup: 10},
		"cosine":        {Cosine: true},
		"warmup-cosine": {Warmup: 10, Cosine: true},
		"ema":           {TargetCosine: true},
		"all":           {Warmup: 7, Cosine: true, TargetCosine: true},
	} {
		add("schedule-"+name, mlp, method.BYOL, momentum, optioned, func(c *method.Config) { c.Optimizer.Schedule = &s })
	}
	add("schedule-predictor", mlp, method.BYOL, optioned, func(c *method.Config) {
		c.Optimizer.Schedule, c.Predictor.RateRatio = &method.Schedule{Warmup: 10, Cosine: true}, 3
	})
	exclude := func(c *method.Config) { c.Optimizer.ExcludeBiasAndNorm = true }
	lars := func(c *method.Config) { c.Optimizer.Trust, c.Optimizer.LearningRate = 0.02, 0.5 }
	conv := method.Miniature(method.SmallConv)
	add("exclude", conv, method.BYOL, momentum, optioned, exclude, decays)
	add("exclude-mlp2", mlp, method.BYOL, momentum, optioned, exclude, decays, func(c *method.Config) { c.Predictor.Kind, c.Predictor.Hidden = method.MLP2P, 7 })
	add("lars", mlp, method.BYOL, momentum, optioned, lars, decays)
	add("lars-exclude", conv, method.BYOL, momentum, optioned, lars, decays, exclude)
	add("lars-simclr", mlp, method.SimCLR, momentum, optioned, lars, exclude, func(c *method.Config) { c.Optimizer.Schedule = &method.Schedule{Warmup: 5, Cosine: true} })
	add("simclr-temperature", mlp, method.SimCLR, momentum, optioned, func(c *method.Config) { c.Loss.Temperature = 0.1 })
	add("smallconv-simclr", conv, method.SimCLR, optioned)
	add("smallconv-vicreg", conv, method.VICReg, optioned)
	add("directset-gamma", mlp, method.DirectSet, direct(func(d *method.Direct) { d.Gamma = 0.7 }))
	add("directcopy-slide", mlp, method.DirectCopy, direct(func(d *method.Direct) { d.Formula = method.Slide }))
	for _, d := range []method.Decay{method.TheoryDecay, method.TorchDecay} {
		faster := func(c *method.Config) { c.Optimizer.Decay, c.Predictor.RateRatio = d, 3 }
		add("decay-"+string(d), mlp, method.BYOL, faster, momentum)
		add("decay-freq-"+string(d), mlp, method.DirectPred, faster, direct(func(d *method.Direct) { d.Freq = 4 }))
	}
	add("euclidean", mlp, method.BYOL, func(c *method.Config) { c.Loss.Kind = method.Euclidean })
	add("one-direction", mlp, method.BYOL, func(c *method.Config) { c.Loss.BothDirections = false })
	add("quick-target", mlp, method.BYOL, func(c *method.Config) { c.Target.Momentum = 0.5 })
	add("independent-target", mlp, method.BYOL, func(c *method.Config) { c.Target.Init = method.Independent })
	add("mlp2", mlp, method.BYOL, momentum, func(c *method.Config) { c.Predictor.Kind, c.Predictor.Hidden = method.MLP2P, 7 })
	add("symmetrized", mlp, method.BYOL, func(c *method.Config) { c.Predictor.Symmetrize = true })
	add("no-batchnorm", mlp, method.BYOL, func(c *method.Config) { c.Net.BatchNorm = false })
	add("no-bias", mlp, method.BYOL, func(c *method.Config) { c.Net.Bias = false })
	add("output-batchnorm", mlp, method.SimSiam, func(c *method.Config) {
		c.Net.OutputBN, c.Optimizer.LearningRate, c.Optimizer.Momentum = true, 0.001, 0
	})
	add("smallconv", method.Miniature(method.SmallConv), method.BYOL)
	add("smallconv-directpred", method.Miniature(method.SmallConv), method.DirectPred)
	add("resnet18", method.Miniature(method.ResNet18), method.BYOL, func(c *method.Config) {
		c.Batch = 64 // its last BatchNorms see one place of each image: of 16 they magnify rounding to 1e-9
	})
	return all
}

// optioned gives a run its length, along which schedules go.
func optioned(c *method.Config) { c.Steps = agreementSteps / 4 }

// decays makes the decay large enough that it shows what it is left out of.
func decays(c *method.Config) { c.Optimizer.WeightDecay = 0.1 }

// torchSteps is the length of a run: agreementSteps, or a shorter length of its own; less where a step of the deep network
// takes long.
func torchSteps(c method.Config) int {
	if c.Net.Kind == method.ResNet18 || c.Steps == agreementSteps/4 {
		return agreementSteps / 4
	}
	return agreementSteps
}

// TestTorchTrainsTheSame trains every configuration of witnessed in torch and in package method, in float64. The twins:
// torch is told of a configuration that differs by one setting, and must leave the bound.
func TestTorchTrainsTheSame(t *testing.T) {
	python, version := torchPython(t)
	configs := witnessed(t)
	var jobs []*job
	var names []string
	for name := range configs {
		names = append(names, name)
	}
	slices.Sort(names)
	add := func(name string, c method.Config) {
		jobs = append(jobs, newJob(name, c, 1, torchSteps(c)))
	}
	for _, name := range names {
		add(name, configs[name])
	}
	twins := map[string]struct {
		of     string
		change func(*method.Config)
	}{
		"twin-wd":        {"mlp-byol", func(c *method.Config) { c.Optimizer.WeightDecay *= 1.001 }},
		"twin-decay":     {"decay-theory", func(c *method.Config) { c.Optimizer.Decay = method.TorchDecay }},
		"twin-target":    {"mlp-byol", func(c *method.Config) { c.Target.Momentum = 0.991 }},
		"twin-rho":       {"directpred-after", func(c *method.Config) { c.Direct.Rho += 0.001 }},
		"twin-order":     {"directpred-after", func(c *method.Config) { c.Direct.When = method.BeforeStep }},
		"twin-freq":      {"directpred-freq", func(c *method.Config) { c.Direct.Freq = 4 }},
		"twin-moment":    {"directpred-cross", func(c *method.Config) { c.Direct.Moment = method.SameView }},
		"twin-formula":   {"directcopy-slide", func(c *method.Config) { c.Direct.Formula = method.Code }},
		"twin-gamma":     {"directset-gamma", func(c *method.Config) { c.Direct.Gamma = 0.701 }},
		"twin-direction": {"one-direction", func(c *method.Config) { c.Loss.BothDirections = true }},
		"twin-stop":      {"mlp-simsiam", func(c *method.Config) { c.Method = method.NoStopGradient }},
		"twin-loss":      {"euclidean", func(c *method.Config) { c.Loss.Kind = method.Cosine }},

		"twin-eps-inside":    {"directpred-eps-inside", func(c *method.Config) { c.Direct.EpsInside = false }},
		"twin-dyn-reg":       {"directpred-dyn-reg", func(c *method.Config) { c.Direct.Shrink = 0.201 }},
		"twin-zero-mean":     {"directpred-zero-mean", func(c *method.Config) { c.Direct.ZeroMean, c.Direct.Centred = false, true }},
		"twin-plain-average": {"directpred-plain-average", func(c *method.Config) { c.Direct.PlainAverage = false }},
		"twin-warmup":        {"schedule-warmup", func(c *method.Config) { c.Optimizer.Schedule.Warmup = 11 }},
		"twin-cosine":        {"schedule-cosine", func(c *method.Config) { c.Steps++ }},
		"twin-warmup-cosine": {"schedule-warmup-cosine", func(c *method.Config) { c.Optimizer.Schedule.Cosine = false }},
		"twin-ema":           {"schedule-ema", func(c *method.Config) { c.Optimizer.Schedule = nil }},
		"twin-exclude":       {"exclude", func(c *method.Config) { c.Optimizer.ExcludeBiasAndNorm = false }},
		"twin-exclude-mlp2":  {"exclude-mlp2", func(c *method.Config) { c.Optimizer.ExcludeBiasAndNorm = false }},
		"twin-trust":         {"lars", func(c *method.Config) { c.Optimizer.Trust *= 1.001 }},
		"twin-lars":          {"lars", func(c *method.Config) { c.Optimizer.Trust = 0 }},
		"twin-lars-exclude":  {"lars-exclude", func(c *method.Config) { c.Optimizer.ExcludeBiasAndNorm = false }},
		"twin-temperature":   {"simclr-temperature", func(c *method.Config) { c.Loss.Temperature = 0.1001 }},
		"twin-simclr":        {"mlp-simclr", func(c *method.Config) { *c, _ = c.As(method.VICReg) }},
		"twin-vicreg":        {"mlp-vicreg", func(c *method.Config) { *c, _ = c.As(method.SimCLR) }},
	}
	for name, twin := range twins {
		c := configs[twin.of]
		if c.Direct != nil {
			d := *c.Direct
			c.Direct = &d
		}
		if c.Optimizer.Schedule != nil {
			s := *c.Optimizer.Schedule
			c.Optimizer.Schedule = &s
		}
		twin.change(&c)
		add(name, c)
	}
	trainInTorch(t, python, jobs)
	largest := 0.0
	for _, j := range jobs {
		twin, isTwin := twins[j.Name]
		c := j.Config
		if isTwin {
			c = configs[twin.of]
		}
		if j.Err != nil {
			t.Errorf("%s: %v", j.Name, j.Err)
			continue
		}
		loss, tensor, _, name := j.apart(t, c)
		off := max(loss, tensor)
		switch {
		case isTwin && off < twinVisible:
			t.Errorf("%s passes for %s: off by %.2g", j.Name, twin.of, off)
		case !isTwin && !(off <= agreement):
			t.Errorf("%s: losses differ by %.2g, %s by %.2g; the bound is %.2g", j.Name, loss, name, tensor, agreement)
		case !isTwin:
			largest = max(largest, off)
			t.Logf("%s, %d steps: losses %.2g, tensors %.2g", j.Name, len(j.Views), loss, tensor)
		}
	}
	t.Logf("torch %s: %d configurations within %.2g in float64", version, len(names), largest)
}

// torchSeeds is as many as package parity compares engines over.
const torchSeeds = 31

// TestTorchParity holds torch against the engine cpu as package parity holds the engines: the same networks, bounds and
// seeds, 200 steps in float64 and one in float32. It prints rows of the table in the README.
func TestTorchParity(t *testing.T) {
	python, version := torchPython(t)
	var rows []string
	for _, n := range parity.Networks() {
		if n.Full || n.Config.Direct != nil && n.Config.Direct.Solver == method.NewtonSchulz { // torch has the eigenvectors
			continue
		}
		for _, p := range []method.Precision{method.Float64, method.Float32} {
			c := n.Config
			c.Precision = p
			var jobs []*job
			seeds, steps := torchSeeds, 1
			if p == method.Float64 {
				seeds, steps = 1, agreementSteps
			}
			for s := range seeds {
				jobs = append(jobs, newJob(fmt.Sprintf("%02d", s), c, uint64(s), steps))
			}
			trainInTorch(t, python, jobs)
			var d parity.Disparity
			var gradients []float64
			for _, j := range jobs {
				if j.Err != nil {
					t.Fatalf("%s in %s: %v", n.Name, p, j.Err)
				}
				loss, tensor, velocity, name := j.apart(t, c)
				d.Loss = max(d.Loss, loss)
				if tensor >= d.Tensor {
					d.Tensor, d.Name = tensor, name
				}
				gradients = append(gradients, velocity)
			}
			slices.Sort(gradients)
			d.Gradient = gradients[len(gradients)/2]
			a := map[method.Precision]golden.Precision{method.Float64: golden.FP64, method.Float32: golden.FP32}[p]
			if err := d.Within(c, a); err != nil {
				t.Errorf("%s in %s: %v", n.Name, a, err)
			}
			off := d.Gradient
			if p == method.Float64 {
				off = max(d.Loss, d.Tensor)
			}
			rows = append(rows, fmt.Sprintf("%s in %s: %.1g", n.Name, a, off))
		}
	}
	t.Logf("torch %s: %s", version, strings.Join(rows, ", "))
}
