package linear

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkStep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	c := Standard()
	t, err := NewTrainer(c, parabolaStart(c, r), r)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		t.Step()
	}
}

// BenchmarkNormals draws the normal variables of one step and nothing else: the
// peer of BenchmarkStep.
func BenchmarkNormals(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	c := Standard()
	sum := 0.
	for b.Loop() {
		for range 2 * c.Batch * c.Inputs {
			sum += r.NormFloat64()
		}
	}
	_ = sum
}
