package ode_test

import (
	"context"
	"fmt"
	"math"

	"stopgrad/numeric/ode"
)

// The oscillator x' = y, y' = -x, its value between steps, and its first return to zero.
func ExampleSolve() {
	f := func(_ float64, y, dydt []float64) {
		dydt[0], dydt[1] = y[1], -y[0]
	}
	sol, err := ode.Solve(context.Background(), f, 0, []float64{0, 1}, 10, &ode.Settings{
		Events: []ode.Event{{
			Name:     "return",
			G:        func(_ float64, y []float64) float64 { return y[0] },
			Terminal: true,
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("sin 1 = %.8f\n", sol.At(1, nil)[0])
	fmt.Printf("stopped at %.8f, π = %.8f\n", sol.EndT, math.Pi)
	// Output:
	// sin 1 = 0.84147098
	// stopped at 3.14159265, π = 3.14159265
}

// The order conditions of a method, in exact arithmetic, and what a wrong coefficient
// does to them.
func ExampleTableau_CheckOrder() {
	tb := ode.DormandPrinceTableau()
	fmt.Println(tb.Order, tb.CheckOrder())
	tb.B[0] = tb.B[0].Add(ode.NewExact(1, 1_000_000))
	fmt.Println(tb.CheckOrder())
	// Output:
	// 5 <nil>
	// ode: Dormand–Prince 5(4): b misses the condition of the tree τ (order 1) by 1/1000000
}
