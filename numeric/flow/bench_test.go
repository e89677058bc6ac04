package flow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

// BenchmarkRightHandSide is the cost of one evaluation per flow and shape.
func BenchmarkRightHandSide(b *testing.B) {
	for _, f := range flows {
		for _, n := range []int{4, 16, 64} {
			b.Run(fmt.Sprintf("%s/n=%d", f.Name, n), func(b *testing.B) {
				s := dyadicState(rand.New(rand.NewPCG(1, 1)), f, n, n)
				sys, err := f.Bind(s)
				if err != nil {
					b.Fatal(err)
				}
				rhs, y, dy := sys.RHS(), sys.Initial(), make([]float64, sys.Dim())
				b.ReportAllocs()
				for b.Loop() {
					rhs(0, y, dy)
				}
			})
		}
	}
}

// BenchmarkLemma1Gonum is the peer of BenchmarkRightHandSide/lemma1: the same
// equations over gonum's mat.
func BenchmarkLemma1Gonum(b *testing.B) {
	for _, n := range []int{4, 16, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			s := randomState(rng, n, n)
			s.X, s.Xp = randomMoment(rng, n, n, 1), randomMoment(rng, n, n, 1)
			var xs, wb, r, v, dwp, dw, dwa, u mat.Dense
			xs.Add(s.X, s.Xp)
			b.ReportAllocs()
			for b.Loop() {
				wb.Mul(s.W, &xs)
				r.Mul(s.Wp, &wb)
				v.Mul(s.Wa, s.X)
				r.Sub(&v, &r)
				dwp.Mul(&r, s.W.T())
				dwp.Scale(s.Alpha, &dwp)
				u.Scale(s.Eta, s.Wp)
				dwp.Sub(&dwp, &u)
				u.Reset()
				dw.Mul(s.Wp.T(), &r)
				u.Scale(s.Eta, s.W)
				dw.Sub(&dw, &u)
				dwa.Sub(s.W, s.Wa)
				dwa.Scale(s.Beta, &dwa)
				u.Reset()
			}
		})
	}
}

// BenchmarkLemma1General has dense X and X'.
func BenchmarkLemma1General(b *testing.B) {
	for _, n := range []int{4, 16, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			s := randomState(rng, n, n)
			s.X, s.Xp = randomMoment(rng, n, n, 1), randomMoment(rng, n, n, 1)
			sys, err := lemma1Flow.Bind(s)
			if err != nil {
				b.Fatal(err)
			}
			rhs, y, dy := sys.RHS(), sys.Initial(), make([]float64, sys.Dim())
			b.ReportAllocs()
			for b.Loop() {
				rhs(0, y, dy)
			}
		})
	}
}

// BenchmarkSimulate compares the two explicit methods at one accuracy.
func BenchmarkSimulate(b *testing.B) {
	for _, m := range []ode.Method{ode.Verner8, ode.DormandPrince54} {
		for _, tol := range []float64{1e-6, 1e-8, 1e-10} {
			b.Run(fmt.Sprintf("%v/rtol=%.0e", m, tol), func(b *testing.B) {
				s := randomState(rand.New(rand.NewPCG(2, 2)), 6, 8)
				st := &Settings{NoMeasures: true, ODE: ode.Settings{Method: m, RelTol: tol, AbsTol: tol * 1e-2}}
				var steps int
				for b.Loop() {
					tr, err := Simulate(context.Background(), lemma1Flow, s, 50, st)
					if err != nil {
						b.Fatal(err)
					}
					steps = tr.Stats.Evals
				}
				b.ReportMetric(float64(steps), "evals")
			})
		}
	}
}
