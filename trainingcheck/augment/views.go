package augment

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// The inner axes of images, [b, h, w, 3].
const (
	rowAxis    = 1
	columnAxis = 2
)

// Views makes one view of each image drawn.
//
// pixels is the stock's Pixels as uint8 [N·H·W, 3], indices int32 [b], params
// float32 [b, Width]; the views are float32 [b, H·W·3]. Every value is computed
// by the operations of data.ColourAugmentation in their order, so that the two
// differ by the rounding of what a backend fuses, sums in another order or
// approximates (exp). The crop is four gathers and not a product with
// interpolation matrices: products may be rounded to TF32. It panics on a stock
// that Check refuses and on other shapes.
func (s Stock) Views(pixels, indices, params *graph.Node) *graph.Node {
	if err := s.Check(); err != nil {
		panic(err)
	}
	v := viewer{Stock: s, g: pixels.Graph(), b: indices.Shape().Size(), params: params}
	p := s.Pipeline
	x := v.take(pixels, indices)
	if p.Jitter {
		x = graph.Where(v.is(atJitter), v.jitter(x), x)
	}
	if p.Grey {
		x = graph.Where(v.is(atGrey), graph.BroadcastToDims(luma(x), x.Shape().Dimensions...), x)
	}
	if p.BlurKernel > 0 {
		x = graph.Where(v.is(atSigma), v.blur(x), x)
	}
	if p.Std != [3]float64{} {
		var mean, scale [3]float32
		for k := range mean {
			scale[k] = 1
			if p.Std[k] != 0 {
				mean[k], scale[k] = float32(p.Mean[k]), float32(1/p.Std[k])
			}
		}
		x = graph.Mul(graph.Sub(x, v.perChannel(mean)), v.perChannel(scale))
	}
	return graph.Reshape(x, v.b, s.Dim())
}

// viewer builds the graph of one batch of views.
type viewer struct {
	Stock
	g      *graph.Graph
	b      int
	params *graph.Node
}

// column is one value of every record, [b, 1].
func (v viewer) column(at int) *graph.Node {
	return graph.Slice(v.params, graph.AxisRange(), graph.AxisRange(at, at+1))
}

// value is column as a factor of images, [b, 1, 1, 1].
func (v viewer) value(at int) *graph.Node { return graph.Reshape(v.column(at), v.b, 1, 1, 1) }

// is tells in which records the value is positive, [b].
func (v viewer) is(at int) *graph.Node {
	return graph.GreaterThan(graph.Reshape(v.column(at), v.b), graph.ScalarZero(v.g, dtypes.Float32))
}

func (v viewer) scalar(x float64) *graph.Node { return graph.Scalar(v.g, dtypes.Float32, x) }

// perChannel is a constant factor of images, [1, 1, 1, 3].
func (v viewer) perChannel(x [3]float32) *graph.Node {
	return graph.Reshape(graph.Const(v.g, x[:]), 1, 1, 1, 3)
}

// take gathers the images, crops, resizes and flips them, [b, h, w, 3] with
// intensities in [0, 1].
func (v viewer) take(pixels, indices *graph.Node) *graph.Node {
	first := graph.MulScalar(graph.Reshape(indices, v.b, 1, 1), v.H*v.W)
	rows, columns := v.counting(v.H), v.mirrored()
	gather := func(y, x *graph.Node) *graph.Node { // [·, h] and [b, w] in pixels of the image
		at := func(p *graph.Node, dims ...int) *graph.Node {
			return graph.Reshape(graph.ConvertDType(p, dtypes.Int32), dims...)
		}
		i := graph.Add(first, graph.Add(graph.MulScalar(at(y, -1, v.H, 1), v.W), at(x, v.b, 1, v.W)))
		return graph.ConvertDType(graph.Gather(pixels, graph.InsertAxes(i, -1)), dtypes.Float32)
	}
	if !v.Pipeline.Crop {
		return graph.Div(gather(rows, columns), v.scalar(float64(v.White)))
	}
	y0, y1, fy := v.interpolate(rows, v.column(atH), v.H)
	x0, x1, fx := v.interpolate(columns, v.column(atW), v.W)
	y, x := v.column(atY), v.column(atX)
	y0, y1, x0, x1 = graph.Add(y, y0), graph.Add(y, y1), graph.Add(x, x0), graph.Add(x, x1)
	fy, fx = graph.Reshape(fy, v.b, v.H, 1, 1), graph.Reshape(fx, v.b, 1, v.W, 1)
	between := func(a, b, f *graph.Node) *graph.Node {
		return graph.Add(graph.Mul(graph.OneMinus(f), a), graph.Mul(f, b))
	}
	top := between(gather(y0, x0), gather(y0, x1), fx)
	low := between(gather(y1, x0), gather(y1, x1), fx)
	return graph.Mul(graph.Const(v.g, 1/float32(v.White)), between(top, low, fy))
}

// counting is 0 … n−1, [1, n].
func (v viewer) counting(n int) *graph.Node {
	c := make([]float32, n)
	for i := range c {
		c[i] = float32(i)
	}
	return graph.Reshape(graph.Const(v.g, c), 1, n)
}

// mirrored is the column of the unflipped view that each column of the view
// shows, [b, w]: i, or w−1−i where the record says flip.
func (v viewer) mirrored() *graph.Node {
	i, flip := v.counting(v.W), v.column(atFlip)
	return graph.Add(graph.MulScalar(flip, v.W-1), graph.Mul(graph.AddScalar(graph.MulScalar(flip, -2), 1), i))
}

// interpolate finds the two pixels of a side of size pixels, [b, 1], between
// which pixel i, [·, n], of n lies when both fill the same length: pixel lo, the
// next one and the weight of the next one, [b, n] each. With pixel centres at
// half-integers the place is p = (i+½)·size/n − ½, kept inside the side; its
// numerator over 2n is an integer and exact.
func (v viewer) interpolate(i, size *graph.Node, n int) (lo, hi, f *graph.Node) {
	top := graph.AddScalar(size, -1)
	d := float64(2 * n)
	p := graph.AddScalar(graph.Mul(graph.AddScalar(graph.MulScalar(i, 2), 1), size), -n)
	p = graph.Min(graph.Max(p, graph.ScalarZero(v.g, dtypes.Float32)), graph.MulScalar(top, d))
	lo = graph.Floor(graph.DivScalar(p, d))
	return lo, graph.Min(graph.AddScalar(lo, 1), top), graph.DivScalar(graph.Sub(p, graph.MulScalar(lo, d)), d)
}

// channel is one channel of x, [b, h, w, 1].
func channel(x *graph.Node, k int) *graph.Node {
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange(k, k+1))
}

// luma is the brightness, ITU-R BT.601 weights, [b, h, w, 1].
func luma(x *graph.Node) *graph.Node {
	y := graph.Add(graph.MulScalar(channel(x, 0), 0.299), graph.MulScalar(channel(x, 1), 0.587))
	return graph.Add(y, graph.MulScalar(channel(x, 2), 0.114))
}

// jitter applies the four changes in the order of each record.
func (v viewer) jitter(x *graph.Node) *graph.Node {
	for place := range 4 {
		now := graph.Reshape(v.column(atOrder+place), v.b)
		does := func(c Change) *graph.Node { return graph.Equal(now, v.scalar(float64(c))) }
		l := luma(x)
		// In float64 as on the host: a sum of a thousand float32 depends on its order.
		mean := graph.ReduceAndKeep(graph.ConvertDType(l, dtypes.Float64), graph.ReduceMean, rowAxis, columnAxis)
		mean = graph.BroadcastToDims(graph.ConvertDType(mean, dtypes.Float32), l.Shape().Dimensions...)
		to := graph.Where(does(Contrast), mean, graph.Where(does(Saturation), l, graph.ZerosLike(l)))
		f := graph.Where(does(Contrast), v.value(atContrast), graph.Where(does(Saturation), v.value(atSaturation), v.value(atBrightness)))
		blended := graph.ClipScalar(graph.Add(graph.Mul(f, x), graph.Mul(graph.OneMinus(f), to)), 0, 1)
		turned := x
		if v.Pipeline.Turn {
			turned = v.turn(x)
		}
		x = graph.Where(does(Hue), turned, blended)
	}
	return x
}

// turn adds each record's turn to the hue, by way of the hexagonal HSV model
// (Smith 1978). The result is a continuous, piecewise linear function of the
// pixel: where two channels are equal both branches give the same, and where all
// are the chroma is 0 and the pixel stays.
//
// A compiler that fuses operations computes a value anew where it is used, with
// other roundings: the maximum of three channels need not equal any of them. So
// the largest channel is found by order, and a quotient that rounding has put
// outside [−1, 1] is put back.
func (v viewer) turn(x *graph.Node) *graph.Node {
	r, g, b := channel(x, 0), channel(x, 1), channel(x, 2)
	hi, lo := graph.Max(graph.Max(r, g), b), graph.Min(graph.Min(r, g), b)
	chroma := graph.Sub(hi, lo)
	divisor := graph.Max(chroma, v.scalar(smallestNormal))
	sector := func(p, q *graph.Node, offset float64) *graph.Node {
		return graph.AddScalar(graph.ClipScalar(graph.Div(graph.Sub(p, q), divisor), -1, 1), offset)
	}
	red := graph.LogicalAnd(graph.GreaterOrEqual(r, g), graph.GreaterOrEqual(r, b))
	h := graph.Where(red, sector(g, b, 0), graph.Where(graph.GreaterOrEqual(g, b), sector(b, r, 2), sector(r, g, 4)))
	h = graph.Add(h, graph.MulScalar(v.value(atTurn), 6))
	at := graph.Add(v.perChannel([3]float32{5, 3, 1}), h)
	at = graph.Sub(at, graph.MulScalar(graph.Floor(graph.DivScalar(at, 6)), 6))
	part := graph.ClipScalar(graph.Min(at, graph.AddScalar(graph.Neg(at), 4)), 0, 1)
	return graph.Sub(hi, graph.Mul(chroma, part))
}

// smallestNormal is that of float32.
const smallestNormal = 0x1p-126

// blur convolves with each record's normalised Gaussian, columns then rows,
// reflected at the edges without repeating them.
func (v viewer) blur(x *graph.Node) *graph.Node {
	k := v.Pipeline.BlurKernel
	square := make([]float32, k)
	for i := range square {
		square[i] = float32((i - k/2) * (i - k/2))
	}
	sigma := v.column(atSigma)
	sigma = graph.Where(v.is(atSigma), sigma, graph.OnesLike(sigma))
	weights := graph.Exp(graph.Neg(graph.Div(graph.Reshape(graph.Const(v.g, square), 1, k), graph.MulScalar(graph.Square(sigma), 2))))
	weights = graph.Div(weights, graph.ReduceAndKeep(weights, graph.ReduceSum, 1))
	for _, axis := range []int{columnAxis, rowAxis} {
		n := x.Shape().Dimensions[axis]
		x = mirror(x, axis, k/2)
		var sum *graph.Node
		for i := range k {
			w := graph.Reshape(graph.Slice(weights, graph.AxisRange(), graph.AxisRange(i, i+1)), v.b, 1, 1, 1)
			term := graph.Mul(w, along(x, axis, i, i+n))
			if sum == nil {
				sum = term
			} else {
				sum = graph.Add(sum, term)
			}
		}
		x = sum
	}
	return x
}

// along is entries [from, to) of an axis.
func along(x *graph.Node, axis, from, to int) *graph.Node {
	spec := make([]graph.SliceAxisSpec, x.Rank())
	for i := range spec {
		spec[i] = graph.AxisRange()
	}
	spec[axis] = graph.AxisRange(from, to)
	return graph.Slice(x, spec...)
}

// mirror adds half mirrored entries at both ends of an axis.
func mirror(x *graph.Node, axis, half int) *graph.Node {
	if half == 0 {
		return x
	}
	n := x.Shape().Dimensions[axis]
	before, after := along(x, axis, 1, half+1), along(x, axis, n-1-half, n-1)
	return graph.Concatenate([]*graph.Node{graph.Reverse(before, axis), x, graph.Reverse(after, axis)}, axis)
}
