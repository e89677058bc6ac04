package parity

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/engine"
)

// Product multiplies two n×n matrices of standard normal values on an engine, in float64 or float32, and returns the
// largest difference from gonum's product in float64 of the same values, relative to √n, the size of the result's
// entries. It is the smallest computation that shows that an engine computes.
func Product[T float32 | float64](e *engine.Engine, n int, seed uint64) (difference float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parity: product on %s: %v", e.Kind, r)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 0))
	draw := func() ([]T, *mat.Dense) {
		x, d := make([]T, n*n), mat.NewDense(n, n, nil)
		for i := range x {
			x[i] = T(r.NormFloat64())
			d.RawMatrix().Data[i] = float64(x[i])
		}
		return x, d
	}
	x, xd := draw()
	y, yd := draw()
	exec, err := graph.NewExec(e.Backend, func(x, y *graph.Node) *graph.Node { return graph.MatMul(x, y) })
	if err != nil {
		return 0, fmt.Errorf("parity: product on %s: %w", e.Kind, err)
	}
	defer exec.Finalize()
	out, err := exec.Call(tensors.FromFlatDataAndDimensions(x, n, n), tensors.FromFlatDataAndDimensions(y, n, n))
	if err != nil {
		return 0, fmt.Errorf("parity: product on %s: %w", e.Kind, err)
	}
	got, err := tensors.CopyFlatData[T](out[0])
	if err != nil {
		return 0, fmt.Errorf("parity: product on %s: %w", e.Kind, err)
	}
	var want mat.Dense
	want.Mul(xd, yd)
	for i, v := range want.RawMatrix().Data {
		difference = larger(difference, math.Abs(float64(got[i])-v)/math.Sqrt(float64(n)))
	}
	return difference, nil
}
