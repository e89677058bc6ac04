package native_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/enginetest"
	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// BenchmarkOperations compares this backend with GoMLX's on the sizes of the
// digits network: a product, its weight gradient, and the passes of a BatchNorm
// with ReLU.
func BenchmarkOperations(b *testing.B) {
	ref := enginetest.Open(b, engine.CPUGoMLX)
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

// BenchmarkProducts compares products and 3×3 convolutions in each family with gonum's product of the same matrices (of
// the patches, without making them), one worker each: the quickest of as many calls of one as of the other, in turn.
func BenchmarkProducts(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	images := compute.ConvolveAxesConfig{InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3, KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3}
	dot := func(l, r int) program {
		return func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.DotGeneral(in[0], []int{l}, nil, in[1], []int{r}, nil, compute.DotGeneralConfig{}))}
		}
	}
	convolution := func(f compute.Function, in []compute.Value) []compute.Value {
		return []compute.Value{must(f.ConvGeneral(in[0], in[1], images, nil, [][2]int{{1, 1}, {1, 1}}, nil, nil, 1, 1))}
	}
	for _, c := range []struct {
		name    string
		p       program
		l, r    []int
		m, n, k int
		lt, rt  blas.Transpose
	}{
		{"digits", dot(1, 0), []int{256, 128}, []int{128, 128}, 256, 128, 128, blas.NoTrans, blas.NoTrans},
		{"digits-weights", dot(0, 0), []int{256, 128}, []int{256, 128}, 128, 128, 256, blas.Trans, blas.NoTrans},
		{"digits-input", dot(1, 1), []int{256, 128}, []int{128, 128}, 256, 128, 128, blas.NoTrans, blas.Trans},
		{"square", dot(1, 0), []int{512, 512}, []int{512, 512}, 512, 512, 512, blas.NoTrans, blas.NoTrans},
		{"conv-64", convolution, []int{4, 32, 32, 64}, []int{3, 3, 64, 64}, 4096, 64, 576, blas.NoTrans, blas.NoTrans},
		{"conv-512", convolution, []int{8, 4, 4, 512}, []int{3, 3, 512, 512}, 128, 512, 4608, blas.NoTrans, blas.NoTrans},
	} {
		for _, family := range kernel.Available() {
			for _, t := range types {
				b.Run(fmt.Sprintf("%s/%s/%s", c.name, t, family), func(b *testing.B) {
					r := rand.New(rand.NewPCG(1, 1))
					l, w := drawn(r, t, c.l...), drawn(r, t, c.r...)
					backend := native.New(family)
					e, err := compiled(backend, c.p, []array{l, w})
					if err != nil {
						b.Fatal(err)
					}
					defer e.Finalize()
					in := make([]compute.Buffer, 2)
					for i, a := range []array{l, w} {
						if in[i], err = backend.BufferFromFlatData(0, a.flat, a.shape); err != nil {
							b.Fatal(err)
						}
					}
					peer := gemm(c.lt, c.rt, c.m, c.n, c.k, t)
					own, others := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
					for b.Loop() {
						start := time.Now()
						if _, err := e.Execute(in, nil, 0); err != nil {
							b.Fatal(err)
						}
						middle := time.Now()
						peer()
						own, others = min(own, middle.Sub(start)), min(others, time.Since(middle))
					}
					b.ReportMetric(2*float64(c.m*c.n*c.k)/float64(own), "GFLOP/s")
					b.ReportMetric(float64(others)/float64(own), "times-gonum")
				})
			}
		}
	}
}

// gemm is gonum's product of matrices of ones.
func gemm(lt, rt blas.Transpose, m, n, k int, t dtypes.DType) func() {
	lr, lc, rr, rc := m, k, k, n
	if lt == blas.Trans {
		lr, lc = k, m
	}
	if rt == blas.Trans {
		rr, rc = n, k
	}
	if t == dtypes.Float32 {
		x, y, z := slices.Repeat([]float32{1}, m*k), slices.Repeat([]float32{1}, k*n), make([]float32, m*n)
		return func() {
			blas32.Gemm(lt, rt, 1, blas32.General{Rows: lr, Cols: lc, Stride: lc, Data: x}, blas32.General{Rows: rr, Cols: rc, Stride: rc, Data: y}, 0,
				blas32.General{Rows: m, Cols: n, Stride: n, Data: z})
		}
	}
	x, y, z := slices.Repeat([]float64{1}, m*k), slices.Repeat([]float64{1}, k*n), make([]float64, m*n)
	return func() {
		blas64.Gemm(lt, rt, 1, blas64.General{Rows: lr, Cols: lc, Stride: lc, Data: x}, blas64.General{Rows: rr, Cols: rc, Stride: rc, Data: y}, 0,
			blas64.General{Rows: m, Cols: n, Stride: n, Data: z})
	}
}
