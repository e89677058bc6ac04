package flow_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"stopgrad/numeric/flow"
)

// A state file, a flow by its name, a trajectory as CSV.
func ExampleSimulate() {
	s, err := flow.DecodeState(strings.NewReader(`{"eta":0.02,"tau":1,"p":[0.01,0.5]}`), "example.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := flow.ByName("parabola")
	if err != nil {
		fmt.Println(err)
		return
	}
	tr, err := flow.Simulate(context.Background(), f, s, 1000, &flow.Settings{Points: 2, NoMeasures: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Below p₋ = 0.0204 a mode collapses, above it tends to p₊ = 0.9796.
	fmt.Println(f.Equations)
	fmt.Printf("p(%g) = %.4f\n", tr.T[1], tr.States[1].P)
	// Output:
	// p_j' = p_j² (τ - a p_j) - η p_j
	// p(1000) = [0.0000 0.9796]
}

func ExampleTrajectory_WriteCSV() {
	s := flow.NewState()
	s.Eta = 1
	s.P = []float64{0}
	f, err := flow.ByName("parabola")
	if err != nil {
		fmt.Println(err)
		return
	}
	tr, err := flow.Simulate(context.Background(), f, s, 2, &flow.Settings{Points: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tr.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// t,p_1,collapse_scale,k_1
	// 0,0,0,1.5
	// 1,0,0,1.5
	// 2,0,0,1.5
}

// What a state file that does not fit says.
func ExampleFlow_Bind() {
	s, err := flow.DecodeState(strings.NewReader(`{"W":[[1,2],[3,4]],"Wp":[[1]]}`), "example.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := flow.ByName("simsiam")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = f.Bind(s)
	fmt.Println(err)
	_, err = flow.DecodeState(strings.NewReader("{\"W\":[[1,2],\n[3]]}"), "example.json")
	fmt.Println(err)
	// Output:
	// flow: example.json: simsiam: Wp is 1×1 but W is 2×2: Wp must be 2×2
	// flow: example.json:2: W row 2: 1 columns where row 1 has 2
}
