package method

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/enginetest"
)

// gaussian is a source of views x + σ·noise of standard normal rows.
type gaussian struct {
	seed   uint64
	n, dim int
	sigma  float64
}

func (g gaussian) Dim() int { return g.dim }

func (g gaussian) Batch(step int) Batch {
	r := rand.New(rand.NewPCG(g.seed, uint64(step)))
	b := Batch{X1: make([]float32, g.n*g.dim), X2: make([]float32, g.n*g.dim), N: g.n, Dim: g.dim}
	for i := range b.X1 {
		x := r.NormFloat64()
		b.X1[i] = float32(x + g.sigma*r.NormFloat64())
		b.X2[i] = float32(x + g.sigma*r.NormFloat64())
	}
	return b
}

// views is a source for a configuration.
func views(c Config, seed uint64) gaussian { return gaussian{seed, c.Batch, c.Net.dim(), 0.5} }

func cpu(tb testing.TB) *engine.Engine { return start(tb, engine.CPU) }

// start opens an engine and skips the test, with the reason, where it cannot run.
func start(tb testing.TB, kind string) *engine.Engine {
	tb.Helper()
	return enginetest.Open(tb, kind)
}

func open(tb testing.TB, e *engine.Engine, c Config, seed uint64) *Trainer {
	tb.Helper()
	t, err := New(e, c, seed)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(t.Close)
	return t
}

// train makes n steps from where t stands and returns the losses.
func train(tb testing.TB, t *Trainer, src Source, n int) []float64 {
	tb.Helper()
	var losses []float64
	for range n {
		l, err := t.Step(src.Batch(t.Done()))
		if err != nil {
			tb.Fatal(err)
		}
		losses = append(losses, l)
	}
	return losses
}

// dump reads the whole state.
func dump(tb testing.TB, t *Trainer) map[string][]float64 {
	tb.Helper()
	m := map[string][]float64{}
	for _, n := range t.Names() {
		v, _, err := t.Values(n)
		if err != nil {
			tb.Fatal(err)
		}
		m[n] = v
	}
	return m
}

// sameBits compares two states bit by bit.
func sameBits(tb testing.TB, what string, a, b map[string][]float64) {
	tb.Helper()
	for n, v := range a {
		if !slices.EqualFunc(v, b[n], func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }) {
			tb.Errorf("%s: %s differs", what, n)
		}
	}
	if len(a) != len(b) {
		tb.Errorf("%s: %d tensors and %d", what, len(a), len(b))
	}
}

// variant returns c as method m, changed and validated.
func variant(tb testing.TB, c Config, m Method, changes ...func(*Config)) Config {
	tb.Helper()
	c, err := c.As(m)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range changes {
		f(&c)
	}
	if err := c.Validate(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// small, smallConv and smallResNet are the miniatures that most tests train.
func small() Config       { return Miniature(MLP) }
func smallConv() Config   { return Miniature(SmallConv) }
func smallResNet() Config { return Miniature(ResNet18) }
