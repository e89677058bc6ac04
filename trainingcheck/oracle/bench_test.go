package oracle

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// gaussian is a batch of views x + σ·noise of standard normal rows.
func gaussian(seed uint64, step, n, dim int, sigma float64) method.Batch {
	r := rand.New(rand.NewPCG(seed, uint64(step)))
	b := method.Batch{X1: make([]float32, n*dim), X2: make([]float32, n*dim), N: n, Dim: dim}
	for i := range b.X1 {
		x := r.NormFloat64()
		b.X1[i] = float32(x + sigma*r.NormFloat64())
		b.X2[i] = float32(x + sigma*r.NormFloat64())
	}
	return b
}

func cpu(tb testing.TB) *engine.Engine {
	tb.Helper()
	e, err := engine.Open(engine.CPU)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	return e
}

// BenchmarkDigitsStep compares one step of the digits network on both CPU
// engines with the hand-written gonum step in the same run; GOEXPERIMENT=simd at
// build time makes a difference to cpu-gomlx only.
func BenchmarkDigitsStep(b *testing.B) {
	c := method.Digits()
	batch := gaussian(1, 0, c.Batch, c.Net.In, 0.5)
	run := func(name string, s Stepper, err error) {
		b.Run(name, func(b *testing.B) {
			if err != nil {
				b.Fatal(err)
			}
			quickest := time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				if _, err := s.Step(batch); err != nil {
					b.Fatal(err)
				}
				quickest = min(quickest, time.Since(start))
			}
			b.ReportMetric(quickest.Seconds()*1e3, "ms-quickest")
		})
	}
	for _, kind := range []string{engine.CPU, engine.CPUGoMLX} {
		e, err := engine.Open(kind)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		for _, p := range []method.Precision{method.Float64, method.Float32} {
			c.Precision = p
			t, err := method.New(e, c, 1)
			run(kind+"/"+string(p), t, err)
		}
	}
	c.Precision = method.Float64
	g, err := NewGonum(c, 1)
	run("hand-written/float64", g, err)
}
