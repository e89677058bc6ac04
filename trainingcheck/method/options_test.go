package method

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/engine"
)

// gradientsMatch compares the gradient of the first step with central differences of the loss at every hundredth entry.
func gradientsMatch(t *testing.T, e *engine.Engine, c Config) {
	t.Helper()
	tr := open(t, e, c, 11)
	initial, layout, batch := c.Initial(11), c.Layout(), views(c, 5).Batch(0)
	loss := func(tensor, entry int, h float64) float64 {
		t.Helper()
		for i, s := range layout {
			v := append([]float64(nil), initial[i]...)
			if i == tensor {
				v[entry] += h
			}
			if err := tr.Set(s.Name, v); err != nil {
				t.Fatal(err)
			}
		}
		l, err := tr.Step(batch)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	loss(0, 0, 0)
	var grads [][]float64
	scale := 0.
	for _, s := range c.trained() {
		g, _, err := tr.Values("velocity/" + s.Name)
		if err != nil {
			t.Fatal(err)
		}
		grads = append(grads, g)
		for _, x := range g {
			scale = max(scale, math.Abs(x))
		}
	}
	if scale < 1e-3 {
		t.Fatalf("the largest gradient is %v: nothing is tested", scale)
	}
	for i, s := range c.trained() {
		for k := 0; k < s.Size(); k += 1 + s.Size()/3 {
			want := (loss(i, k, centralStep) - loss(i, k, -centralStep)) / (2 * centralStep)
			if !(math.Abs(grads[i][k]-want) <= centralTolerance*max(1, scale)) {
				t.Errorf("∂L/∂%s[%d] = %v, central difference %v", s.Name, k, grads[i][k], want)
			}
		}
	}
}

func plainGradient(c *Config) {
	c.Precision, c.Optimizer.WeightDecay, c.Optimizer.Momentum = Float64, 0, 0.9
}

// TestLossesOfTheBaselines: their values from the projections by the definitions, in loops, and their gradients.
func TestLossesOfTheBaselines(t *testing.T) {
	for _, c := range []struct {
		method Method
		kind   string
		want   func(z [2]*mat.Dense, temperature float64) float64
	}{{VICReg, engine.CPU, vicOf}, {SimCLR, engine.CPUGoMLX, ntxentOf}} {
		cfg := variant(t, small(), c.method, plainGradient)
		e := start(t, c.kind)
		tr := open(t, e, cfg, 3)
		b := views(cfg, 5).Batch(0)
		want := c.want([2]*mat.Dense{embed(t, tr, b.X1, b.N, BatchStatistics).Projection, embed(t, tr, b.X2, b.N, BatchStatistics).Projection}, cfg.Loss.Temperature)
		got, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%s: loss %v, by its definition %v", c.method, got, want)
		}
		gradientsMatch(t, e, cfg)
	}
	_, err := New(cpu(t), variant(t, small(), SimCLR), 1)
	var u *UnsupportedError
	if !errors.As(err, &u) || !strings.Contains(err.Error(), "exponential") {
		t.Errorf("SimCLR on the engine cpu: %v", err)
	}
}

func ntxentOf(z [2]*mat.Dense, temperature float64) float64 {
	n, _ := z[0].Dims()
	row := func(i int) mat.Vector { return z[i/n].RowView(i % n) }
	cos := func(i, j int) float64 { return mat.Dot(row(i), row(j)) / (mat.Norm(row(i), 2) * mat.Norm(row(j), 2)) }
	total := 0.
	for i := range 2 * n {
		sum := 0.
		for j := range 2 * n {
			if j != i {
				sum += math.Exp(cos(i, j) / temperature)
			}
		}
		total += math.Log(sum) - cos(i, (i+n)%(2*n))/temperature
	}
	return total / float64(2*n)
}

func vicOf(z [2]*mat.Dense, _ float64) float64 {
	n, d := z[0].Dims()
	var diff mat.Dense
	diff.Sub(z[0], z[1])
	loss := 25 * math.Pow(mat.Norm(&diff, 2), 2) / float64(n*d)
	for _, v := range z {
		mean := make([]float64, d)
		for j := range d {
			mean[j] = mat.Sum(v.ColView(j)) / float64(n)
		}
		for a := range d {
			for b := range d {
				cov := 0.
				for i := range n {
					cov += (v.At(i, a) - mean[a]) * (v.At(i, b) - mean[b]) / float64(n-1)
				}
				if a == b {
					loss += 12.5 / float64(d) * math.Max(0, 1-math.Sqrt(cov+1e-4))
				} else {
					loss += cov * cov / float64(d)
				}
			}
		}
	}
	return loss
}

// values of a tensor after n steps.
func after(t *testing.T, c Config, n int, name string) []float64 {
	t.Helper()
	tr := open(t, cpu(t), c, 1)
	train(t, tr, views(c, 1), n)
	v, _, err := tr.Values(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sameTo(t *testing.T, what string, a, b []float64, tolerance float64) {
	t.Helper()
	for i := range a {
		if math.Abs(a[i]-b[i]) > tolerance*max(1, math.Abs(b[i])) {
			t.Errorf("%s: entry %d is %v, want %v", what, i, a[i], b[i])
			return
		}
	}
}

// TestDecayLeavesOutBiasesAndNorms: a step with the exclusion is, for a bias, that without decay, and for a weight that
// with it.
func TestDecayLeavesOutBiasesAndNorms(t *testing.T) {
	c := variant(t, smallConv(), BYOL, float64ed, func(c *Config) { c.Optimizer.WeightDecay = 0.5 })
	none, out := c, c
	none.Optimizer.WeightDecay = 0
	out.Optimizer.ExcludeBiasAndNorm = true
	for name, want := range map[string]Config{"online/projector/out/b": none, "online/encoder/0/scale": none, "online/encoder/0/w": c, PredictorName: c} {
		sameTo(t, name, after(t, out, 1, name), after(t, want, 1, name), rounding64)
		other := c
		if want.Optimizer.WeightDecay != 0 {
			other = none
		}
		a, b := after(t, out, 1, name), after(t, other, 1, name)
		equal := true
		for i := range a {
			equal = equal && math.Abs(a[i]-b[i]) < 1e-6
		}
		if equal && name != "online/encoder/0/shift" {
			t.Errorf("%s: decay makes no difference", name)
		}
	}
}

// TestSchedulesFollowTheirFormulas: warm-up, cosine, the average's cosine; and a schedule that comes to the constant rate is
// the constant rate.
func TestSchedulesFollowTheirFormulas(t *testing.T) {
	c := variant(t, small(), BYOL, float64ed, func(c *Config) {
		c.Steps, c.Optimizer.Momentum = 20, 0
		c.Optimizer.Schedule = &Schedule{Warmup: 4, Cosine: true, TargetCosine: true}
	})
	for step, want := range map[int]float64{0: .25, 3: 1, 4: 1, 12: .5, 19: (1 + math.Cos(math.Pi*15/16)) / 2} {
		if got := c.Rate(step) / c.Optimizer.LearningRate; math.Abs(got-want) > 1e-12 {
			t.Errorf("rate of step %d: %v, want %v", step, got, want)
		}
	}
	if a, b := c.Average(0), c.Average(10); math.Abs(a-c.Target.Momentum) > 1e-12 || math.Abs(b-(1+c.Target.Momentum)/2) > 1e-12 {
		t.Errorf("m is %v and %v", a, b)
	}
	sum := 0.
	for step := range c.Steps {
		sum += c.Rate(step)
	}
	if math.Abs(c.TotalDecay()-sum*c.Optimizer.WeightDecay) > 1e-15 {
		t.Errorf("ηt is %v", c.TotalDecay())
	}
	constant, same := c, c
	constant.Optimizer.Schedule, same.Optimizer.Schedule = nil, &Schedule{Warmup: 1}
	sameTo(t, "a warm-up of one step", after(t, same, 5, PredictorName), after(t, constant, 5, PredictorName), rounding64)

	// One step at a time: the update is the rate times what it is at the full rate.
	w0 := c.Initial(1)[0]
	name := c.Layout()[0].Name
	full, quarter := after(t, constant, 1, name), after(t, c, 1, name)
	for i := range full {
		if want := w0[i] + (full[i]-w0[i])/4; math.Abs(quarter[i]-want) > rounding64 {
			t.Fatalf("the first step of the warm-up: entry %d is %v, want %v", i, quarter[i], want)
		}
	}
}

// TestLARSTakesTheLayersRatio: without momentum and decay a step of a weight has the length lr·trust·‖w‖, and that of an
// excluded bias is plain SGD's.
func TestLARSTakesTheLayersRatio(t *testing.T) {
	c := variant(t, small(), BYOL, float64ed, func(c *Config) { c.Optimizer.Momentum, c.Optimizer.WeightDecay = 0, 0 })
	lars := c
	lars.Optimizer.Trust, lars.Optimizer.ExcludeBiasAndNorm = 0.02, true
	for i, s := range c.Layout()[:len(c.trained())] {
		w0, w := c.Initial(1)[i], after(t, lars, 1, s.Name)
		if len(s.Dims) == 1 {
			sameTo(t, s.Name, w, after(t, c, 1, s.Name), rounding64)
			continue
		}
		var moved, size float64
		for k := range w {
			moved += (w[k] - w0[k]) * (w[k] - w0[k])
			size += w0[k] * w0[k]
		}
		if got, want := math.Sqrt(moved), 0.02*c.Optimizer.LearningRate*math.Sqrt(size); math.Abs(got-want) > 1e-10*want {
			t.Errorf("%s moves by %v, want %v", s.Name, got, want)
		}
	}
}

// TestOptionsOfThePublishedCode: ε under the root, the factor 1 − dyn_reg, the plain average, and the mean taken off F̂.
func TestOptionsOfThePublishedCode(t *testing.T) {
	p, err := Direct{Formula: Code, Epsilon: 0.21, EpsInside: true, Shrink: 0.5}.Eigenvalues(DirectPred, []float64{1, 0.04, -1})
	if err != nil {
		t.Fatal(err)
	}
	sameTo(t, "eps_inside and dyn_reg", p, []float64{math.Sqrt(1.21) / 2, 0.25, math.Sqrt(0.21) / 2}, 1e-15)

	c := direct(t, DirectPred, func(d *Direct) { d.PlainAverage = true })
	tr, src := open(t, cpu(t), c, 1), views(c, 1)
	want := mat.NewDense(c.Net.Out, c.Net.Out, nil)
	for step := range 3 {
		b := src.Batch(step)
		f1, f2 := embed(t, tr, b.X1, b.N, BatchStatistics).Projection, embed(t, tr, b.X2, b.N, BatchStatistics).Projection
		var m, n mat.Dense
		m.Mul(f1.T(), f1)
		n.Mul(f2.T(), f2)
		m.Add(&m, &n)
		m.Scale(1/float64(6*b.N), &m)
		want.Add(want, &m)
		train(t, tr, src, 1)
	}
	if x := gap(want, matrix(t, tr, MomentName)); x > rounding64 {
		t.Errorf("the plain average is off by %.2g", x)
	}

	c = direct(t, DirectPred, func(d *Direct) { d.ZeroMean = true })
	tr = open(t, cpu(t), c, 1)
	train(t, tr, views(c, 1), 4)
	mean, _, err := tr.Values(MeanName)
	if err != nil {
		t.Fatal(err)
	}
	moment := matrix(t, tr, MomentName)
	v := mat.NewVecDense(len(mean), mean)
	moment.RankOne(moment, -1, v, v)
	w, err := c.Direct.Predictor(DirectPred, moment)
	if err != nil {
		t.Fatal(err)
	}
	if x := gap(w, matrix(t, tr, PredictorName)); x > rounding64 {
		t.Errorf("W_p is off that of F̂ − μ̂μ̂ᵀ by %.2g", x)
	}
	centred := direct(t, DirectPred, func(d *Direct) { d.Centred = true })
	other := open(t, cpu(t), centred, 1)
	train(t, other, views(centred, 1), 4)
	if x := gap(matrix(t, other, PredictorName), matrix(t, tr, PredictorName)); x < 1e-3 {
		t.Errorf("dyn_zero_mean and centred give the same W_p to %.2g", x)
	}
}

// TestNewOptionsAreRefusedWhereTheyMeanNothing names the field.
func TestNewOptionsAreRefusedWhereTheyMeanNothing(t *testing.T) {
	d := variant(t, Digits(), DirectPred)
	for _, c := range []struct {
		field string
		base  Config
		spoil func(*Config)
	}{
		{"optimizer.schedule.warmup", Digits(), func(c *Config) { c.Optimizer.Schedule = &Schedule{Warmup: 1000} }},
		{"optimizer.schedule", Digits(), func(c *Config) { c.Optimizer.Schedule = &Schedule{} }},
		{"optimizer.schedule.target_cosine", variant(t, Digits(), SimSiam), func(c *Config) { c.Optimizer.Schedule = &Schedule{TargetCosine: true} }},
		{"optimizer.lars_trust", Digits(), func(c *Config) { c.Optimizer.Trust = -1 }},
		{"loss.kind", Digits(), func(c *Config) { c.Loss.Kind = NTXent }},
		{"loss.temperature", Digits(), func(c *Config) { c.Loss.Temperature = 1 }},
		{"loss.temperature", variant(t, Digits(), SimCLR), func(c *Config) { c.Loss.Temperature = 0 }},
		{"loss.both_directions", variant(t, Digits(), VICReg), func(c *Config) { c.Loss.BothDirections = false }},
		{"direct.eps_inside", d, func(c *Config) { e := *c.Direct; e.EpsInside, e.Formula = true, Slide; c.Direct = &e }},
		{"direct.dyn_reg", d, func(c *Config) { e := *c.Direct; e.Shrink = 1; c.Direct = &e }},
		{"direct.dyn_zero_mean", d, func(c *Config) { e := *c.Direct; e.ZeroMean, e.Centred = true, true; c.Direct = &e }},
		{"direct.solver", d, func(c *Config) { e := *c.Direct; e.EpsInside, e.Solver = true, NewtonSchulz; c.Direct = &e }},
	} {
		c.spoil(&c.base)
		var f *FieldError
		if err := c.base.Validate(); !errors.As(err, &f) || f.Field != c.field {
			t.Errorf("%v, want field %s", err, c.field)
		}
	}
}
