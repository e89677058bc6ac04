package measure_test

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
)

// A commutator can vanish because the matrices shrink; the angle between the
// eigenframes does not (claim thm3-alignment).
func ExampleFrameAngle() {
	f := mat.NewDense(2, 2, []float64{2, 0, 0, 1})
	wp := mat.NewDense(2, 2, []float64{1, 0.5, 0.5, 1}) // eigenvectors at 45°
	for _, scale := range []float64{1, 1e-4} {
		var small mat.Dense
		small.Scale(scale, wp)
		fmt.Printf("‖[F,Wp]‖ = %.2g, normalised %.3f, angle %.4f\n",
			measure.CommutatorNorm(f, &small),
			measure.NormalisedCommutator(f, &small),
			measure.FrameAngle(f, &small, measure.DefaultGap))
	}
	// Output:
	// ‖[F,Wp]‖ = 0.71, normalised 0.200, angle 0.7854
	// ‖[F,Wp]‖ = 7.1e-05, normalised 0.200, angle 0.7854
}
