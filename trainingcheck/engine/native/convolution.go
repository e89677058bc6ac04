package native

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// window says how a convolution walks along one spatial axis: the output at o sums over the taps k of the kernel that
// meet a value of the input, which stands at i·dilation, where
//
//	i·dilation = o·stride + k·spacing − before.
type window struct {
	input, kernel, output             int // lengths
	stride, before, dilation, spacing int
	inputAxis, kernelAxis, outputAxis int
}

// ConvGeneral implements compute.Function for one group.
//
// The convolution, its gradient by the input and that by the kernel are all contractions (see there) over an input
// with its border of zeros: no patch is ever copied. A dilated input, which is how a strided convolution's gradient
// comes, is cut into as many smaller convolutions as the dilation has phases, so that its zeros cost nothing.
func (f *function) ConvGeneral(input, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroups, batchGroups int) (compute.Value, error) {
	const op = compute.OpTypeConvGeneral
	x, err := f.input(op, input, kernel)
	if err != nil {
		return nil, err
	}
	if err := float(op, x...); err != nil {
		return nil, err
	}
	if channelGroups > 1 || batchGroups > 1 {
		return nil, fmt.Errorf("native: convolution of %d and %d groups: %w", channelGroups, batchGroups, compute.ErrNotImplemented)
	}
	if x[0].shape.DType != x[1].shape.DType {
		return nil, fmt.Errorf("native: convolution of %s with %s", x[0].shape, x[1].shape)
	}
	s, err := shapeinference.ConvGeneral(x[0].shape, x[1].shape, axes, strides, paddings, inputDilations, kernelDilations, 1, 1)
	if err != nil {
		return nil, err
	}
	if last := s.Rank() - 1; axes.OutputChannels != last {
		// Sums are written along the channels. Elsewhere than last, they are moved there afterwards.
		order, place := make([]int, 0, last+1), make([]int, last+1)
		for a := range last + 1 {
			if a != axes.OutputChannels {
				order = append(order, a)
			}
		}
		order = append(order, axes.OutputChannels)
		for i, a := range order {
			place[a] = i
		}
		moved := axes.Clone()
		moved.OutputBatch, moved.OutputChannels = place[axes.OutputBatch], last
		for i, a := range axes.OutputSpatial {
			moved.OutputSpatial[i] = place[a]
		}
		y, err := f.ConvGeneral(input, kernel, moved, strides, paddings, inputDilations, kernelDilations, 1, 1)
		if err != nil {
			return nil, err
		}
		return f.Transpose(y, place...)
	}
	at := func(v []int, i int) int {
		if len(v) == 0 {
			return 1
		}
		return v[i]
	}
	windows := make([]window, len(axes.InputSpatial))
	for i := range windows {
		w := window{inputAxis: axes.InputSpatial[i], kernelAxis: axes.KernelSpatial[i], outputAxis: axes.OutputSpatial[i],
			stride: at(strides, i), dilation: at(inputDilations, i), spacing: at(kernelDilations, i)}
		w.input, w.kernel, w.output = x[0].shape.Dimensions[w.inputAxis], x[1].shape.Dimensions[w.kernelAxis], s.Dimensions[w.outputAxis]
		if len(paddings) > 0 {
			w.before = paddings[i][0]
		}
		windows[i] = w
	}
	if err := addressable(op, append(x, &node{shape: s})...); err != nil {
		return nil, err
	}
	c := newConvolution(x[0].shape.Dimensions, x[1].shape.Dimensions, s.Dimensions, axes, windows)
	if c.bordered > math.MaxInt32 {
		return nil, fmt.Errorf("native: convolution of %s, which has %d values with its border: %w", x[0].shape, c.bordered, compute.ErrNotImplemented)
	}
	return f.add(op, s, byType(s.DType, convolve[float32](c), convolve[float64](c)), x...)
}

// convolution is a planned ConvGeneral: the input inside its border, and a contraction for each phase.
type convolution struct {
	border    []int // steps of the input's axes inside the bordered input; nil without a border
	base      int   // where the input begins there
	dims      []int // of the input
	bordered  int   // size with the border
	all       []*contraction
	untouched bool // whether some of the output has no taps: it is zero
}

// phase is a set of outputs along one axis, first + t·every for t < count, whose taps are the same.
type phase struct {
	first, every, count int
	taps                []int
	places              []int // of the input under each tap at t = 0
	step                int   // of that place from t to t+1
}

// phases cuts an axis.
func (w window) phases() []phase {
	every := w.dilation / gcd(w.stride, w.dilation)
	var all []phase
	for first := 0; first < min(every, w.output); first++ {
		p := phase{first: first, every: every, count: (w.output - first + every - 1) / every, step: every * w.stride / w.dilation}
		for k := range w.kernel {
			if at := first*w.stride + k*w.spacing - w.before; at%w.dilation == 0 {
				p.taps, p.places = append(p.taps, k), append(p.places, at/w.dilation)
			}
		}
		all = append(all, p)
	}
	return all
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// walk is one index of a nest of loops, with its steps in some arrays.
type walk struct {
	n     int
	step  [2]int
	first [2]int // offsets at 0
}

// offsets lists the sums of a nest's offsets in each of two arrays, the last loop innermost.
func offsets(nest []walk) (a, b []int) {
	a, b = []int{0}, []int{0}
	for _, l := range nest {
		na, nb := make([]int, 0, len(a)*l.n), make([]int, 0, len(b)*l.n)
		for i := range a {
			for k := range l.n {
				na, nb = append(na, a[i]+l.first[0]+k*l.step[0]), append(nb, b[i]+l.first[1]+k*l.step[1])
			}
		}
		a, b = na, nb
	}
	return a, b
}

func newConvolution(in, kernel, out []int, axes compute.ConvolveAxesConfig, windows []window) *convolution {
	c := &convolution{dims: in}
	phasesOf := make([][]phase, len(windows))
	// The border: what the windows reach beyond the input. What they do not reach of the input is left out of nothing.
	dims := slices.Clone(in)
	start := make([]int, len(in))
	for i, w := range windows {
		phasesOf[i] = w.phases()
		low, high := 0, w.input-1
		for _, p := range phasesOf[i] {
			for _, at := range p.places {
				low, high = min(low, at), max(high, at+(p.count-1)*p.step)
			}
		}
		start[w.inputAxis], dims[w.inputAxis] = -low, high-low+1
	}
	step := strides(dims)
	if !slices.Equal(dims, in) {
		c.border, c.bordered = step, 1
		for a, d := range dims {
			c.base += start[a] * step[a]
			c.bordered *= d
		}
	}
	outStep, kernelStep := strides(out), strides(kernel)

	for each := newCounter(phasesOf); each.next(); {
		p := each.chosen
		k := &contraction{n: out[axes.OutputChannels], column: kernelStep[axes.KernelOutputChannels]}
		// The rows: the batch and the outputs of the phase, in the order of the result.
		rows := []walk{{n: in[axes.InputBatch], step: [2]int{step[axes.InputBatch], outStep[axes.OutputBatch]}}}
		none := false
		// The contracted index: the channels and the taps, in the order of the input.
		nest := []walk{{n: in[axes.InputChannels], step: [2]int{step[axes.InputChannels], kernelStep[axes.KernelInputChannels]}}}
		for i, w := range windows {
			rows = append(rows, walk{n: p[i].count, step: [2]int{p[i].step * step[w.inputAxis], p[i].every * outStep[w.outputAxis]},
				first: [2]int{start[w.inputAxis] * step[w.inputAxis], p[i].first * outStep[w.outputAxis]}})
			l := walk{n: len(p[i].taps)}
			if l.n > 0 {
				l.first = [2]int{p[i].places[0] * step[w.inputAxis], p[i].taps[0] * kernelStep[w.kernelAxis]}
			}
			if l.n > 1 { // taps of a phase are equally far from each other
				l.step = [2]int{(p[i].places[1] - p[i].places[0]) * step[w.inputAxis], (p[i].taps[1] - p[i].taps[0]) * kernelStep[w.kernelAxis]}
			}
			nest = append(nest, l)
			none = none || l.n == 0
		}
		slices.SortStableFunc(rows, func(a, b walk) int { return b.step[1] - a.step[1] })
		if none {
			c.untouched = true
			continue
		}
		slices.SortStableFunc(nest, func(a, b walk) int { return b.step[0] - a.step[0] })
		k.lay(rows, nest)
		c.all = append(c.all, k.plan())
	}
	return c
}

// lay fills in rows and runs. Neighbouring loops that are one are joined, and the innermost is the run.
func (c *contraction) lay(rows, nest []walk) {
	in, out := offsets(rows)
	c.m = len(in)
	c.rows, c.out = make([]int32, c.m), make([]int32, c.m)
	c.stride = c.n
	regular := true
	for i := range in {
		c.rows[i], c.out[i] = int32(in[i]), int32(out[i])
		regular = regular && out[i] == i*c.n
	}
	if regular {
		c.out = nil
	}
	var joined []walk
	for _, l := range nest {
		if k := len(joined) - 1; k >= 0 && (l.n == 1 || joined[k].n == 1 || joined[k].step[0] == l.n*l.step[0] && joined[k].step[1] == l.n*l.step[1]) {
			j := &joined[k]
			if l.n > 1 {
				j.step = l.step
			}
			j.n *= l.n
			j.first[0], j.first[1] = j.first[0]+l.first[0], j.first[1]+l.first[1]
			continue
		}
		joined = append(joined, l)
	}
	last := joined[len(joined)-1]
	c.left, c.right = offsets(joined[:len(joined)-1])
	for i := range c.left {
		c.left[i], c.right[i] = c.left[i]+last.first[0], c.right[i]+last.first[1]
	}
	c.length, c.stepL, c.stepR = last.n, last.step[0], last.step[1]
}

// counter goes through the combinations of one phase for each axis.
type counter struct {
	all    [][]phase
	at     []int
	chosen []phase
}

func newCounter(all [][]phase) *counter { return &counter{all: all} }

func (c *counter) next() bool {
	if c.at == nil {
		c.at, c.chosen = make([]int, len(c.all)), make([]phase, len(c.all))
	} else {
		i := len(c.at) - 1
		for ; i >= 0; i-- {
			if c.at[i]++; c.at[i] < len(c.all[i]) {
				break
			}
			c.at[i] = 0
		}
		if i < 0 {
			return false
		}
	}
	for i, p := range c.at {
		c.chosen[i] = c.all[i][p]
	}
	return true
}

// convolve is the routine of a convolution.
func convolve[T kernel.Real](c *convolution) routine {
	return func(w *crew, out, in []any) {
		y, x, k := out[0].([]T), in[0].([]T), in[1].([]T)
		if c.untouched {
			clear(y)
		}
		if c.border != nil {
			b := grow(&storeOf[T](w).border, c.bordered)
			surround(w, c, b, x)
			x = b
		}
		multiply(w, c.all, y, x, k)
	}
}

// surround copies x to b with a border of zeros.
func surround[T kernel.Real](w *crew, c *convolution, b, x []T) {
	tasks, dims, step := 1, c.dims, c.border
	if c.base < step[0] && c.bordered == dims[0]*step[0] { // no border along the first axis
		tasks, dims, step = dims[0], dims[1:], step[1:]
	}
	dims, step = merge(dims, step)
	if step[len(step)-1] != 1 { // an axis of length 1 between borders
		dims, step = append(dims, 1), append(step, 1)
	}
	w.run(tasks, func(task int, _ *scratch) {
		spread(b[task*c.bordered/tasks:(task+1)*c.bordered/tasks], x[task*len(x)/tasks:(task+1)*len(x)/tasks], dims, step, c.base)
	})
}

// spread writes x, whose axes have the given lengths, to b with the given steps from base on, and zeros between. Steps
// descend to 1, so that b is written from its beginning to its end.
func spread[T any](b, x []T, dims, step []int, base int) {
	last, end := len(dims)-1, 0
	var axis func(i, at int)
	axis = func(i, at int) {
		n := dims[i]
		if i < last {
			for range n {
				axis(i+1, at)
				at += step[i]
			}
			return
		}
		clear(b[end:at])
		copy(b[at:at+n], x)
		end, x = at+n, x[n:]
	}
	axis(0, base)
	clear(b[end:])
}
