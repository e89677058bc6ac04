package data

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// deviceTraining bounds the difference of losses and of every tensor, relative to
// max(1, its value), between five steps on the host's views and on the device's.
// Views of 8×8 images without blur are the same to the bit on GoMLX's Go backend
// where Go does not fuse multiplications and additions, and so is the training;
// elsewhere views differ by some 4e-6 and five steps of these two convolutions
// magnify that no more than tenfold, see package method's parity tests. The bound
// leaves ten times that.
func deviceTraining(e *engine.Engine) float64 {
	if e.Kind == engine.CPUGoMLX && runtime.GOARCH == "amd64" {
		return 0
	}
	return 4e-4
}

// flipless forgets the flips of the device's views.
type flipless struct{ *ImageSource }

func (f flipless) Draws(step int) augment.Draws {
	d := f.ImageSource.Draws(step)
	for _, v := range d.Views {
		for i := range d.Indices {
			var p augment.Params
			flip := augment.Params{Flip: true}.Append(nil)
			for k, x := range p.Append(nil) {
				if flip[k] != x {
					v[i*augment.Width+k] = 0
				}
			}
		}
	}
	return d
}

// TestTrainingFromTheDeviceIsTrainingFromTheHost trains on batches made by the
// definition of the views and on the same draws made on the device.
func TestTrainingFromTheDeviceIsTrainingFromTheHost(t *testing.T) {
	set := gallery(8, 8)
	base := method.CIFARSmall()
	base.Net.Rows, base.Net.Columns, base.Net.Base, base.Net.Projector, base.Net.Out = 8, 8, 4, []int{6}, 4
	base.Batch, base.Steps = 24, 5
	direct, err := base.As(method.DirectPred)
	if err != nil {
		t.Fatal(err)
	}
	solver := *direct.Direct
	solver.Solver = method.NewtonSchulz
	direct.Direct = &solver
	for _, e := range engines(t) {
		for name, c := range map[string]method.Config{"byol": base, "newton-schulz": direct} {
			for _, p := range []method.Precision{method.Float32, method.Float64} {
				c.Precision = p
				src, err := NewImageSource(set, CIFARAugmentation(ChannelMoments(set)), 3, c.Batch)
				if err != nil {
					t.Fatal(err)
				}
				tr, err := method.New(e, c, 1)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(tr.Close)
				host := trained(t, tr, func(step int) (float64, error) { return tr.Step(src.Batch(step)) })
				stock, ok := src.Stock()
				if !ok {
					t.Fatal("no stock")
				}
				if err := tr.Upload(stock); err != nil {
					t.Fatal(err)
				}
				fromDevice := func(r method.Resident) []float64 {
					return trained(t, tr, func(step int) (float64, error) { return tr.StepDrawn(r.Draws(step)) })
				}
				d, err := apart(e, host, fromDevice(src))
				t.Logf("%s: %s in %s: host and device differ by %.2g", e.Kind, name, p, d)
				if err != nil {
					t.Errorf("%s: %s in %s: %v", e.Kind, name, p, err)
				}
				if _, err := apart(e, host, fromDevice(flipless{src})); err == nil {
					t.Errorf("%s: %s in %s: views without flips pass for the same", e.Kind, name, p)
				}
			}
		}
	}
}

// trained restarts a run, so that its graphs are compiled once, makes all its steps, and returns losses and tensors one
// after another.
func trained(t *testing.T, tr *method.Trainer, step func(step int) (float64, error)) (all []float64) {
	t.Helper()
	c := tr.Config()
	if err := tr.Restart(c.Initial(tr.Seed())); err != nil {
		t.Fatal(err)
	}
	for i := range c.Steps {
		l, err := step(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	for _, name := range tr.Names() {
		x, _, err := tr.Values(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x...)
	}
	return all
}

// apart is the largest difference of two runs, with an error above the bound.
func apart(e *engine.Engine, x, y []float64) (worst float64, err error) {
	for i := range x {
		if d := math.Abs(x[i]-y[i]) / max(1, math.Abs(x[i])); !(d <= worst) {
			worst = d
		}
	}
	if bound := deviceTraining(e); !(worst <= bound) {
		return worst, fmt.Errorf("the runs differ by %.2g, the bound is %.2g", worst, bound)
	}
	return worst, nil
}
