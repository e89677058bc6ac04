package fuzz

import (
	"context"
	"testing"

	"stopgrad/fuzz/region"
	"stopgrad/theory"
)

// BenchmarkScalarInvariance samples the claim invariance-scalar over a region, as fuzz does, on one core: draw
// a point of the design, build the state, evaluate both sides of d/dt(s − p²/α) = −2η(s − p²/α), keep the
// worst. One operation is one check.
func BenchmarkScalarInvariance(b *testing.B) {
	f, err := theory.Load()
	if err != nil {
		b.Fatal(err)
	}
	r, err := region.Decode([]byte("parameters:\n  eta: {from: 1/1000, to: 1, scale: log}\n  alpha: {from: 0.1, to: 10, scale: log}\n  sigma2: {from: 0, to: 2}\n"), "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	s, err := Fuzz(context.Background(), f, "invariance-scalar", FuzzOptions{Region: r, N: b.N, Seed: 1, Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if s.Tallies[0].Holds != b.N {
		b.Fatalf("%d of %d checks hold", s.Tallies[0].Holds, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}
