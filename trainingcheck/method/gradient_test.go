package method

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// centralStep and centralTolerance: the loss is O(1) and smooth between kinks,
// so (L(w+h) − L(w−h))/2h has a rounding error of about 1e-16·4/1e-6 = 4e-10
// and a truncation error of h²·L‴/6 ≈ 1e-12·1e3: below 1e-7 of the gradient's
// scale. A wrong term is of that scale itself.
const (
	centralStep      = 1e-6
	centralTolerance = 1e-7
)

// TestGradientsMatchCentralDifferences reads the gradient of the first step out
// of the velocities (v = g when μ > 0 and wd = 0) and compares sampled entries
// of every trained tensor with differences of the loss. The methods are those
// whose update is the gradient of the loss in all its arguments: an EMA target
// is a constant of the step, and without stop-gradient nothing is held fixed.
func TestGradientsMatchCentralDifferences(t *testing.T) {
	double := func(c *Config) { c.Precision, c.Optimizer.WeightDecay, c.Optimizer.Momentum = Float64, 0, 0.9 }
	mlp2 := func(c *Config) { c.Predictor.Kind, c.Predictor.Hidden = MLP2P, 7 }
	e := cpu(t)
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"mlp byol", variant(t, small(), BYOL, double, mlp2)},
		{"mlp nostopgrad output BatchNorm", variant(t, small(), NoStopGradient, double, func(c *Config) { c.Net.OutputBN = true })},
		{"mlp without BatchNorm, euclidean", variant(t, small(), BYOL, double, func(c *Config) { c.Net.BatchNorm, c.Loss = false, Loss{Kind: Euclidean} })},
		{"linear nostopgrad", variant(t, LinearGaussian(), NoStopGradient, double)},
		{"smallconv byol", variant(t, smallConv(), BYOL, double)},
		{"resnet18 byol", variant(t, smallResNet(), BYOL, double, func(c *Config) { c.Loss.BothDirections = false })},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := open(t, e, c.cfg, 11)
			initial := c.cfg.Initial(11)
			batch := views(c.cfg, 5).Batch(0)
			at := func(tensor, entry int, h float64) float64 {
				for i, s := range c.cfg.Layout() {
					v := append([]float64(nil), initial[i]...)
					if i == tensor {
						v[entry] += h
					}
					if err := tr.Set(s.Name, v); err != nil {
						t.Fatal(err)
					}
				}
				l, err := tr.Step(batch)
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			at(0, 0, 0)
			grad := map[string][]float64{}
			var scale float64
			trained := c.cfg.trained()
			for _, s := range trained {
				g, _, err := tr.Values("velocity/" + s.Name)
				if err != nil {
					t.Fatal(err)
				}
				grad[s.Name] = g
				for _, x := range g {
					scale = max(scale, math.Abs(x))
				}
			}
			if scale < 1e-3 {
				t.Fatalf("the largest gradient is %v: nothing is tested", scale)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for i, s := range trained {
				for range 2 {
					k := r.IntN(s.Size())
					want := (at(i, k, centralStep) - at(i, k, -centralStep)) / (2 * centralStep)
					if got := grad[s.Name][k]; !(math.Abs(got-want) <= centralTolerance*max(1, scale)) {
						t.Errorf("∂L/∂%s[%d] = %v, central difference %v", s.Name, k, got, want)
					}
				}
			}
		})
	}
}

// naiveConvolution is the definition, in loops.
func naiveConvolution(x []float64, n, h, w, in int, kernel []float64, k, out, stride int) []float64 {
	pad := (k - 1) / 2
	oh, ow := (h+2*pad-k)/stride+1, (w+2*pad-k)/stride+1
	y := make([]float64, n*oh*ow*out)
	for b := range n {
		for i := range oh {
			for j := range ow {
				for o := range out {
					var s float64
					for u := range k {
						for v := range k {
							p, q := i*stride+u-pad, j*stride+v-pad
							if p < 0 || p >= h || q < 0 || q >= w {
								continue
							}
							for c := range in {
								s += x[((b*h+p)*w+q)*in+c] * kernel[((u*k+v)*in+c)*out+o]
							}
						}
					}
					y[((b*oh+i)*ow+j)*out+o] = s
				}
			}
		}
	}
	return y
}

func TestConvolutionsMatchTheDefinition(t *testing.T) {
	e := cpu(t)
	r := rand.New(rand.NewPCG(4, 4))
	draw := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	for _, s := range []struct{ n, h, w, in, k, out, stride int }{
		{2, 5, 4, 3, 3, 2, 1}, {2, 8, 8, 3, 3, 4, 2}, {1, 7, 5, 2, 3, 3, 2}, {2, 6, 6, 4, 1, 3, 1}, {2, 6, 6, 4, 1, 3, 2}, {1, 1, 1, 1, 3, 1, 1},
	} {
		x, kernel := draw(s.n*s.h*s.w*s.in), draw(s.k*s.k*s.in*s.out)
		want := naiveConvolution(x, s.n, s.h, s.w, s.in, kernel, s.k, s.out, s.stride)
		ex, err := graph.NewExec(e.Backend, func(x, w *graph.Node) *graph.Node {
			return (&forward{cfg: Config{Precision: Float64}}).convolve(x, w, s.stride)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := ex.Call(tensors.FromFlatDataAndDimensions(x, 1, s.n, s.h, s.w, s.in), tensors.FromFlatDataAndDimensions(kernel, s.k, s.k, s.in, s.out))
		if err != nil {
			t.Fatal(err)
		}
		got, err := flat(out[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%+v: %d values, want %d", s, len(got), len(want))
		}
		for i := range want {
			// At most 27 products of O(1): a few units of 1e-15.
			if math.Abs(got[i]-want[i]) > 1e-13 {
				t.Errorf("%+v: value %d is %v, want %v", s, i, got[i], want[i])
				break
			}
		}
	}
}

// TestReLUHasDerivativeZeroAtZero pins the convention in which GoMLX's Max differs.
func TestReLUHasDerivativeZeroAtZero(t *testing.T) {
	e := cpu(t)
	ex, err := graph.NewExec(e.Backend, func(x *graph.Node) []*graph.Node {
		y := relu(x)
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.OnePlus(y))), x)[0]}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := ex.Call(tensors.FromValue([]float64{-2, 0, 3}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(out[0].Value(), out[1].Value()), "[0 0 3] [0 0 7]"; got != want {
		t.Errorf("relu and derivative of y+y² at -2, 0, 3: %s, want %s", got, want)
	}
}
