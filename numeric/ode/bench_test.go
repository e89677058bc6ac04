package ode

import (
	"context"
	"fmt"
	"math"
	"testing"
)

// BenchmarkSameAccuracy compares the explicit methods on one problem at one global
// error: the tolerance of each is the largest of a ladder that reaches the target.
// The metrics are the evaluations of f and the digits reached.
func BenchmarkSameAccuracy(b *testing.B) {
	for _, p := range []problem{kepler(0.5, 20), modeParabola(1, 1.2, 0.04, 0.1, 20)} {
		for _, target := range []float64{1e-5, 1e-8, 1e-11} {
			for _, m := range []Method{Verner8, DormandPrince54} {
				b.Run(fmt.Sprintf("%s/%.0e/%v", p.name, target, m), func(b *testing.B) {
					st := &Settings{Method: m, Output: []float64{}}
					run := func() (*Solution, float64) {
						sol, err := Solve(context.Background(), p.f, p.t0, p.y0, p.t1, st)
						if err != nil {
							b.Fatal(err)
						}
						var worst float64
						for i, x := range p.exact(p.t1) {
							worst = max(worst, math.Abs(x-sol.EndY[i]))
						}
						return sol, worst
					}
					var sol *Solution
					reached := math.Inf(1)
					for tol := 10 * target; reached > target && tol > 1e-14; tol /= 1.5 {
						st.RelTol, st.AbsTol = tol, tol
						sol, reached = run()
					}
					if reached > target {
						b.Fatalf("error %.3g", reached)
					}
					for b.Loop() {
						if _, err := Solve(context.Background(), p.f, p.t0, p.y0, p.t1, st); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(sol.Stats.Evals), "evals")
					b.ReportMetric(-math.Log10(reached), "digits")
				})
			}
		}
	}
}

// BenchmarkStep is the cost of a step without that of f: y' = y in n components.
func BenchmarkStep(b *testing.B) {
	for _, m := range methods {
		for _, n := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("%v/n=%d", m, n), func(b *testing.B) {
				y0 := make([]float64, n)
				for i := range y0 {
					y0[i] = 1
				}
				st := &Settings{Method: m, MaxStep: 0.01, InitialStep: 0.01, AbsTol: 1, RelTol: 0.1, Output: []float64{}}
				steps := 0
				for b.Loop() {
					sol, err := Solve(context.Background(), func(_ float64, y, d []float64) { copy(d, y) }, 0, y0, 1, st)
					if err != nil {
						b.Fatal(err)
					}
					steps = sol.Stats.Steps
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*steps), "ns/step")
			})
		}
	}
}

// BenchmarkCheckOrder is the exact verification of a tableau.
func BenchmarkCheckOrder(b *testing.B) {
	for _, make := range tableaux {
		tb := make()
		b.Run(tb.Name, func(b *testing.B) {
			for b.Loop() {
				if err := tb.CheckOrder(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
