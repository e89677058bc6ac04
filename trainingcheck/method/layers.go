package method

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// bnEpsilon is added to the variance before the square root (torch's default).
const bnEpsilon = 1e-5

// Activations have the shape [views, examples, …]: the views of a step go
// through a network together but every BatchNorm sees one view at a time, as
// two forward passes would.

// relu is max(x, 0) with derivative 0 at 0. GoMLX's own Max has derivative 1 there.
func relu(x *graph.Node) *graph.Node {
	zero := graph.ScalarZero(x.Graph(), x.DType())
	return graph.Where(graph.GreaterThan(x, zero), x, zero)
}

// round rounds the operand of a product when products run in bfloat16.
func (f *forward) round(x *graph.Node) *graph.Node {
	if f.cfg.Precision == BFloat16 {
		return graph.ConvertDType(x, dtypes.BFloat16)
	}
	return x
}

// dense is x·w on the last axis of x [v, n, in].
//
// On engine.CPUGoMLX the weight is repeated for each view and the product has a
// batch axis: that backend's kernels spread batch entries, but not the rows of a
// single transposed product (the weight's gradient), over the cores.
func (f *forward) dense(x, w *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	v, n, in, out := d[0], d[1], d[2], w.Shape().Dimensions[1]
	dt := x.DType()
	x, w = f.round(x), f.round(w)
	var y *graph.Node
	if !f.repeat || v == 1 {
		y = graph.Reshape(graph.MatMul(graph.Reshape(x, v*n, in), w), v, n, out)
	} else {
		w = graph.BroadcastToDims(graph.Reshape(w, 1, in, out), v, in, out)
		y = graph.DotGeneral(x, []int{2}, []int{0}, w, []int{1}, []int{0})
	}
	return graph.ConvertDType(y, dt)
}

// bias adds b to the last axis.
func bias(x, b *graph.Node) *graph.Node {
	one := make([]int, x.Rank())
	for i := range one {
		one[i] = 1
	}
	one[x.Rank()-1] = b.Shape().Size()
	return graph.Add(x, graph.Reshape(b, one...))
}

// moments are the mean and the biased variance of every view over the axes
// between the first and the last, kept as axes of length 1.
func moments(x *graph.Node) (mean, variance *graph.Node) {
	axes := innerAxes(x)
	mean = graph.ReduceAndKeep(x, graph.ReduceMean, axes...)
	return mean, graph.ReduceAndKeep(graph.Square(graph.Sub(x, mean)), graph.ReduceMean, axes...)
}

func innerAxes(x *graph.Node) []int {
	var axes []int
	for i := 1; i < x.Rank()-1; i++ {
		axes = append(axes, i)
	}
	return axes
}

// normalise is x̂ = (x − mean)/√(var + ε) with the statistics of each view, and
// its gradient in closed form: with u = ∂L/∂x̂ · r, r = 1/√(var+ε),
//
//	∂L/∂x = u − mean(u) − x̂ · mean(u ∘ x̂)
//
// (Ioffe and Szegedy 2015, section 3, simplified). It returns the statistics too.
func normalise(x *graph.Node) (y, mean, variance *graph.Node) {
	axes := innerAxes(x)
	fixed := graph.StopGradient(x)
	mean, variance = moments(fixed)
	r := graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, bnEpsilon)))
	hat := graph.Mul(graph.Sub(fixed, mean), r)
	in := graph.IdentityWithCustomGradient(x, func(_, u *graph.Node) *graph.Node {
		average := func(t *graph.Node) *graph.Node { return graph.ReduceAndKeep(t, graph.ReduceMean, axes...) }
		return graph.Sub(graph.Sub(u, average(u)), graph.Mul(hat, average(graph.Mul(u, hat))))
	})
	return graph.Mul(graph.Sub(in, mean), r), mean, variance
}

// im2col is a convolution with k×k kernels and padding (k−1)/2, written as
// shifted slices, a concatenation and one product: the Go backend's own
// convolution is a naive loop, and Pad has no gradient in GoMLX v0.28.2.
// x is [n, h, w, in] and the kernel [k, k, in, out].
func (f *forward) im2col(x, kernel *graph.Node, stride int) *graph.Node {
	d, kd := x.Shape().Dimensions, kernel.Shape().Dimensions
	n, h, w, in := d[0], d[1], d[2], d[3]
	k, out := kd[0], kd[3]
	pad := (k - 1) / 2
	oh, ow := (h+2*pad-k)/stride+1, (w+2*pad-k)/stride+1
	if pad > 0 {
		zeros := func(dims ...int) *graph.Node { return graph.Zeros(x.Graph(), shapes.Make(x.DType(), dims...)) }
		x = graph.Concatenate([]*graph.Node{zeros(n, pad, w, in), x, zeros(n, pad, w, in)}, 1)
		x = graph.Concatenate([]*graph.Node{zeros(n, h+2*pad, pad, in), x, zeros(n, h+2*pad, pad, in)}, 2)
	}
	patches := make([]*graph.Node, 0, k*k)
	for i := range k {
		for j := range k {
			patches = append(patches, graph.Slice(x, graph.AxisRange(),
				graph.AxisRange(i, i+(oh-1)*stride+1).Stride(stride),
				graph.AxisRange(j, j+(ow-1)*stride+1).Stride(stride), graph.AxisRange()))
		}
	}
	rows := patches[0]
	if len(patches) > 1 {
		rows = graph.Concatenate(patches, 3)
	}
	y := graph.MatMul(graph.Reshape(rows, n*oh*ow, k*k*in), graph.Reshape(kernel, k*k*in, out))
	return graph.Reshape(y, n, oh, ow, out)
}

// convolve is the convolution of x [v, n, h, w, in] with a kernel and padding (k−1)/2.
func (f *forward) convolve(x, kernel *graph.Node, stride int) *graph.Node {
	d := x.Shape().Dimensions
	v, n := d[0], d[1]
	dt := x.DType()
	flat, w := f.round(graph.Reshape(x, v*n, d[2], d[3], d[4])), f.round(kernel)
	var y *graph.Node
	if f.convolves {
		pad := (kernel.Shape().Dimensions[0] - 1) / 2
		y = graph.Convolve(flat, w).Strides(stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
	} else {
		y = f.im2col(flat, w, stride)
	}
	yd := y.Shape().Dimensions
	return graph.Reshape(graph.ConvertDType(y, dt), v, n, yd[1], yd[2], yd[3])
}
