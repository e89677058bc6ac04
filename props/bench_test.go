package props_test

import (
	"context"
	"testing"

	"stopgrad/props"
	"stopgrad/props/law"
	"stopgrad/theory/eval"
	"stopgrad/theory/sample"
)

// Checks per second of the property of invariance-scalar: at exact states, at the same states in float64, and
// along trajectories of numeric/flow.

func BenchmarkInvarianceExact(b *testing.B) {
	part := invariance(b)
	ch := sample.NewStream(1, "bench")
	for b.Loop() {
		if o := part.Check(ch); o.Status != props.Holds {
			b.Fatal(o.Status)
		}
	}
	perSecond(b)
}

func BenchmarkInvarianceFloat(b *testing.B) {
	part := invariance(b)
	st, err := sample.Draw(sample.NewStream(1, "bench"), part.Part, props.MaxDim)
	if err != nil {
		b.Fatal(err)
	}
	floats := props.Floats(st)
	for b.Loop() {
		if f, err := eval.Judge(eval.Float{}, part.Part, floats); err != nil || !f.Holds {
			b.Fatal(f, err)
		}
	}
	perSecond(b)
}

// BenchmarkInvarianceExactJudge is the peer of BenchmarkInvarianceFloat: the same state, not drawn anew.
func BenchmarkInvarianceExactJudge(b *testing.B) {
	part := invariance(b)
	st, err := sample.Draw(sample.NewStream(1, "bench"), part.Part, props.MaxDim)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f, err := eval.Judge(eval.Rational{}, part.Part, st); err != nil || !f.Holds {
			b.Fatal(f, err)
		}
	}
	perSecond(b)
}

func BenchmarkInvarianceTrajectory(b *testing.B) {
	l := law.Of("invariance-scalar")[0]
	ch := sample.NewStream(1, "bench")
	for b.Loop() {
		if o, err := l.Check(context.Background(), ch); err != nil || o.Status == props.Violated {
			b.Fatal(o, err)
		}
	}
	perSecond(b)
}

func invariance(b *testing.B) props.Part {
	b.Helper()
	p, err := props.Of(load(b), "invariance-scalar")
	if err != nil {
		b.Fatal(err)
	}
	return p.Parts[0]
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}
