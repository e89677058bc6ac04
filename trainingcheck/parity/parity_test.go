package parity

import (
	"maps"
	"math"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

var precisions = []method.Precision{method.Float64, method.Float32, method.BFloat16}

// TestProbe opens every engine, describes its device, and multiplies.
func TestProbe(t *testing.T) {
	for _, kind := range kinds(engine.Kinds...) {
		t.Run(kind, func(t *testing.T) {
			e := start(t, kind)
			t.Logf("%s, %d devices, first: %s", e.Backend.Description(), e.Backend.NumDevices(), e.Backend.DeviceDescription(0))
			if a, ok := e.Accelerator(); ok {
				t.Logf("%+v", a)
			}
			// A sum of n products of rounding u is off by u√n, and by four of that at most in 256² entries; the difference
			// is relative to √n. The bounds leave a factor ten for the order of sums.
			const n = 256
			single := 1e-5
			if kind == engine.GPUTF32 {
				single = 2e-2
			}
			if d, err := Product[float64](e, n, 1); err != nil || !(d <= 1e-14) {
				t.Errorf("float64 product: %.2g, %v", d, err)
			}
			if d, err := Product[float32](e, n, 1); err != nil || !(d <= single) {
				t.Errorf("float32 product: %.2g, %v", d, err)
			}
		})
	}
}

// TestProductNoticesRounding is the twin of TestProbe: float32 must not pass for float64.
func TestProductNoticesRounding(t *testing.T) {
	if d, err := Product[float32](cpu(t), 256, 1); err != nil || d <= 1e-14 {
		t.Errorf("a float32 product differs from float64 by %.2g, %v", d, err)
	}
}

// TestParity runs the same seeded steps in float64 on the CPU engine and on every engine, and names those that cannot run
// here.
func TestParity(t *testing.T) {
	for _, kind := range kinds(engine.Kinds...) {
		t.Run(kind, func(t *testing.T) {
			other := start(t, kind)
			for _, n := range Networks() {
				for _, p := range precisions {
					a := recorder.Arithmetic(kind, p)
					if n.Full || !Comparable(n.Config, a) || kind == engine.CPU && p != method.Float32 { // it is the reference, and has no bfloat16
						continue
					}
					t.Run(n.Name+"/"+string(p), func(t *testing.T) {
						d, err := Compare(cpu(t), other, n.Config, p)
						if err != nil {
							t.Fatal(err)
						}
						if err := d.Within(n.Config, a); err != nil {
							t.Error(err)
						}
						t.Logf("%+v", d)
					})
				}
			}
		})
	}
}

// TestParityNoticesAnotherRun is the twin: other views must fail, with 1 % more noise where the bounds are tighter than
// that, and independent ones where they are wider.
func TestParityNoticesAnotherRun(t *testing.T) {
	noisier := func(c method.Config, seed uint64) method.Source { return views(c, seed, 1.01*viewNoise) }
	independent := func(c method.Config, seed uint64) method.Source { return Views(c, seed+100) }
	for _, n := range Networks() {
		if n.Full {
			continue
		}
		for _, p := range []method.Precision{method.Float64, method.Float32} {
			d, err := compare(cpu(t), cpu(t), n.Config, p, 3, noisier)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Within(n.Config, recorder.Arithmetic(engine.CPU, p)); err == nil {
				t.Errorf("%s in %s: another run passes for the same", n.Name, p)
			}
		}
		d, err := compare(cpu(t), cpu(t), n.Config, method.Float32, 1, independent)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Within(n.Config, golden.BF16); err == nil {
			t.Errorf("%s by the bounds of bfloat16: another run passes for the same: %+v", n.Name, d)
		}
	}
}

// TestBoundsRefuseWhatIsNotANumber holds every bound against NaN.
func TestBoundsRefuseWhatIsNotANumber(t *testing.T) {
	c := method.Miniature(method.MLP)
	nan := math.NaN()
	for _, a := range []golden.Precision{golden.FP64, golden.FP32, golden.TF32, golden.BF16} {
		if (Disparity{Loss: nan}).Within(c, a) == nil || a != golden.FP64 && (Disparity{Gradient: nan}).Within(c, a) == nil || a == golden.FP64 && (Disparity{Tensor: nan}).Within(c, a) == nil {
			t.Errorf("%s: NaN is within the bounds", a)
		}
		if err := (Disparity{}).Within(c, a); err != nil {
			t.Errorf("%s: no difference: %v", a, err)
		}
	}
}

// TestAcceleratedFormulationAgrees runs the graph that XLA gets, with the backend's own convolutions, on GoMLX's Go
// backend.
func TestAcceleratedFormulationAgrees(t *testing.T) {
	for _, n := range Networks() {
		if n.Full {
			continue
		}
		e := *start(t, engine.CPUGoMLX)
		e.Kind = engine.XLACPU                                            // the backend stays the Go one; only the formulation changes
		d, err := compare(cpu(t), &e, n.Config, method.Float64, 3, Views) // its own convolution is a naive loop
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Within(n.Config, golden.FP64); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
}

// TestOneTrainerServesManyRuns: after another run and a reset, a trainer gives the bits of a new one; without the reset it
// does not.
func TestOneTrainerServesManyRuns(t *testing.T) {
	e := cpu(t)
	for _, n := range Networks() {
		if n.Full {
			continue
		}
		want, _, err := Step(e, n.Config, 1)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := method.New(e, n.Config, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		loss, err := tr.Step(Views(n.Config, 1).Batch(0))
		if err != nil || loss == want[ValueLoss] {
			t.Errorf("%s: without a reset the loss is %v (%v) too", n.Name, loss, err)
		}
		if got, _, err := stepFrom(tr, n.Config.Initial(1), 1); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: after a reset %v, %v; want %v", n.Name, got, err, want)
		}
	}
}
