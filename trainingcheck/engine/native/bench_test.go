package native_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// BenchmarkOperations compares this backend with GoMLX's on the sizes of the
// digits network: a product, its weight gradient, and the passes of a BatchNorm
// with ReLU.
func BenchmarkOperations(b *testing.B) {
	ref, err := engine.Open(engine.CPUGoMLX)
	if err != nil {
		b.Skip(err)
	}
	defer ref.Close()
	r := rand.New(rand.NewPCG(1, 1))
	views, weight, row := drawn(r, dtypes.Float32, 256, 128), drawn(r, dtypes.Float32, 128, 128), drawn(r, dtypes.Float32, 1, 128)
	dot := func(l, r int) program {
		return func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.DotGeneral(in[0], []int{l}, nil, in[1], []int{r}, nil, compute.DotGeneralConfig{}))}
		}
	}
	for _, c := range []struct {
		name string
		p    program
		in   []array
	}{
		{"product", dot(1, 0), []array{views, weight}},
		{"gradient", dot(0, 0), []array{views, views}},
		{"broadcast", func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.Sub(in[0], in[1]))}
		}, []array{views, row}},
		{"sum", func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.ReduceSum(in[0], 0))}
		}, []array{views}},
		{"relu", func(f compute.Function, in []compute.Value) []compute.Value {
			zero := must(f.Constant([]float32{0}))
			return []compute.Value{must(f.Where(must(f.GreaterThan(in[0], zero)), in[0], zero))}
		}, []array{views}},
	} {
		for name, backend := range map[string]compute.Backend{"native": native.New(kernel.Best()), "gomlx": ref.Backend} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				e, err := compiled(backend, c.p, c.in)
				if err != nil {
					b.Fatal(err)
				}
				var in []compute.Buffer
				for _, a := range c.in {
					x, err := backend.BufferFromFlatData(0, a.flat, a.shape)
					if err != nil {
						b.Fatal(err)
					}
					in = append(in, x)
				}
				for b.Loop() {
					out, err := e.Execute(in, nil, 0)
					if err != nil {
						b.Fatal(err)
					}
					if err := out[0].Finalize(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
