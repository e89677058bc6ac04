package parity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Disparity is the difference between two engines; see Within for its bounds.
type Disparity struct {
	Loss     float64 // largest of any step, relative to max(1, loss)
	Tensor   float64 // largest of any tensor, relative to max(1, its largest value)
	Name     string  // that tensor
	Gradient float64 // of all velocities as one vector, relative to its length; over several seeds the median
}

// run is what one trainer computed.
type run struct {
	losses []float64
	state  map[string][]float64
}

// train makes steps from weights and reads everything back; step makes the step of a number.
func train(t *method.Trainer, weights [][]float64, steps int, step func(i int) (float64, error)) (run, error) {
	if err := t.Restart(weights); err != nil {
		return run{}, err
	}
	r := run{state: map[string][]float64{}}
	for i := range steps {
		l, err := step(i)
		if err != nil {
			return run{}, err
		}
		r.losses = append(r.losses, l)
	}
	for _, name := range t.Names() {
		v, _, err := t.Values(name)
		if err != nil {
			return run{}, err
		}
		r.state[name] = v
	}
	return r, nil
}

// disparity measures b against a.
func disparity(a, b run) Disparity {
	var d Disparity
	for i := range a.losses {
		d.Loss = larger(d.Loss, math.Abs(a.losses[i]-b.losses[i])/max(1, math.Abs(a.losses[i])))
	}
	var num, den float64
	for n, v := range a.state {
		scale, worst := 1.0, 0.0
		for i := range v {
			e := math.Abs(v[i] - b.state[n][i])
			scale = max(scale, math.Abs(v[i]))
			worst = larger(worst, e)
			if strings.HasPrefix(n, velocityPrefix) {
				num, den = num+e*e, den+v[i]*v[i]
			}
		}
		if !(worst/scale <= d.Tensor) {
			d.Tensor, d.Name = worst/scale, n
		}
	}
	d.Gradient = math.Sqrt(num / den)
	return d
}

// Compare trains c in precision p on an engine, and in float64 from the same weights, rounded as p has them, on a
// reference engine, and measures the difference: after steps64 steps of one seed in float64, and in the other precisions,
// where long runs part at the first kink of a ReLU on every engine, after one step of each of seedsCompared seeds. Of
// these it returns the largest difference of losses and tensors and the median one of gradients.
func Compare(ref, other *engine.Engine, c method.Config, p method.Precision) (Disparity, error) {
	return compare(ref, other, c, p, steps64, Views)
}

// compare is Compare with a number of steps for float64 and with views of its own for the other engine.
func compare(ref, other *engine.Engine, c method.Config, p method.Precision, long int, theirs func(method.Config, uint64) method.Source) (Disparity, error) {
	c.Precision = p
	exact := c
	exact.Precision = method.Float64
	steps, seeds := 1, seedsCompared
	if p == method.Float64 {
		steps, seeds = long, 1
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
	var worst Disparity
	var gradients []float64
	for seed := range uint64(seeds) {
		weights, src, changed := c.Initial(seed), Views(c, seed), theirs(c, seed)
		a, err := train(mine, weights, steps, func(i int) (float64, error) { return mine.Step(src.Batch(i)) })
		if err != nil {
			return Disparity{}, fmt.Errorf("parity: on %s: %w", ref.Kind, err)
		}
		b, err := train(yours, weights, steps, func(i int) (float64, error) { return yours.Step(changed.Batch(i)) })
		if err != nil {
			return Disparity{}, fmt.Errorf("parity: on %s: %w", other.Kind, err)
		}
		d := disparity(a, b)
		worst.Loss = larger(worst.Loss, d.Loss)
		if worst.Name == "" || !(d.Tensor <= worst.Tensor) {
			worst.Tensor, worst.Name = d.Tensor, d.Name
		}
		if math.IsNaN(d.Gradient) {
			d.Gradient = math.Inf(1) // a sorted list has no place for NaN
		}
		gradients = append(gradients, d.Gradient)
	}
	worst.Gradient = median(gradients)
	return worst, nil
}

// larger is the maximum that keeps NaN.
func larger(x, y float64) float64 {
	if math.IsNaN(x) || y <= x {
		return x
	}
	return y
}

// median sorts x, of at least one value, and returns its middle or the mean of the middle two.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	if n%2 == 1 {
		return x[n/2]
	}
	return (x[n/2-1] + x[n/2]) / 2
}

// steps64 is the number of steps that float64 runs are compared after.
const steps64 = 200
