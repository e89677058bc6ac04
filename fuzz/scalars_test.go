package fuzz

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/falsify"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

func allParts(t testing.TB) map[string]*lang.Part {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f.PartsAndTwins()
}

// TestScalarsJudgeAsTheEvaluator holds every program that can be compiled, of the claims and of their twins,
// against the interpreter at random states, ends of domains among them.
func TestScalarsJudgeAsTheEvaluator(t *testing.T) {
	compiled, failed, unmet, undefined := 0, 0, 0, 0
	for label, part := range allParts(t) {
		p, err := eval.NewScalars(part)
		if errors.Is(err, eval.ErrNotScalar) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		compiled++
		c, err := chart.NewFree(part, nil)
		if err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		axes := falsify.Axes(c)
		w := p.NewRegisters()
		rng := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			x := make([]float64, len(axes))
			for i, a := range axes {
				x[i] = a.At(rng.Float64())
				if rng.IntN(6) == 0 {
					x[i] = float64(rng.IntN(4) - 1)
				}
			}
			in := append([]float64(nil), x...)
			j := p.Judge(w, in)
			st, err := chart.Build(c, eval.Float{}, x)
			var f *eval.Finding
			if err == nil {
				f, err = eval.Judge(eval.Float{}, part, st)
			}
			if (err == nil) != j.Defined {
				t.Fatalf("%s at %v: defined %v, the evaluator says %v", label, x, j.Defined, err)
			}
			if err != nil {
				undefined++
				continue
			}
			if f.Met != j.Met || f.Met && f.Holds != j.Holds {
				t.Fatalf("%s at %v: met %v, holds %v; the evaluator says %v, %v", label, x, j.Met, j.Holds, f.Met, f.Holds)
			}
			if !f.Met {
				unmet++
			} else if !f.Holds {
				failed++
			}
			want, ok := falsify.Margin(f)
			if !ok {
				want = -f.Measures["residual"] / max(f.Measures["scale"], math.SmallestNonzeroFloat64)
			}
			// The same operations in the same order; only a fused multiply-add on another architecture may differ,
			// by a rounding relative to the scale.
			if f.Met && math.Abs(j.Margin-want) > 1e-12*(1+math.Abs(want)) {
				t.Fatalf("%s at %v: margin %g, the evaluator says %g", label, x, j.Margin, want)
			}
		}
	}
	if compiled < 60 || failed < 100 || unmet < 20 || undefined < 20 {
		t.Errorf("%d programs, %d failures, %d unmet, %d undefined: too few to compare", compiled, failed, unmet, undefined)
	}
}

func TestScalarsRefuseMatrices(t *testing.T) {
	for label, part := range allParts(t) {
		if label == "thm1/balance" || label == "nopred/collapse" {
			if _, err := eval.NewScalars(part); !errors.Is(err, eval.ErrNotScalar) {
				t.Errorf("%s: %v", label, err)
			}
		}
	}
}

func BenchmarkJudgeScalars(b *testing.B) {
	part := allParts(b)["invariance-scalar/invariance"]
	p, err := eval.NewScalars(part)
	if err != nil {
		b.Fatal(err)
	}
	x := make([]float64, len(p.Names()))
	b.Run("compiled", func(b *testing.B) {
		w := p.NewRegisters()
		for b.Loop() {
			for i := range x {
				x[i] = 0.3 + 0.1*float64(i)
			}
			if !p.Judge(w, x).Holds {
				b.Fatal("the invariance fails")
			}
		}
	})
	b.Run("interpreted", func(b *testing.B) {
		c, err := chart.NewFree(part, nil)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for i := range x {
				x[i] = 0.3 + 0.1*float64(i)
			}
			st, err := chart.Build(c, eval.Float{}, x)
			if err != nil {
				b.Fatal(err)
			}
			if f, err := eval.Judge(eval.Float{}, part, st); err != nil || !f.Holds {
				b.Fatal("the invariance fails")
			}
		}
	})
}
