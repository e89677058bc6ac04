package native

import (
	"math"

	"github.com/gomlx/compute/dtypes"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// The routines here are those of nodes that no pass computes: moves, what makes booleans that are kept, and sums over axes
// that do not go with the loops of a pass.

// real are the types with arithmetic.
type real = kernel.Real

// conversion returns the routine from one type to another, nil if there is none.
func conversion(from, to dtypes.DType) routine {
	type pair [2]dtypes.DType
	return map[pair]routine{
		{dtypes.Float32, dtypes.Float64}: convert[float32, float64],
		{dtypes.Float64, dtypes.Float32}: convert[float64, float32],
		{dtypes.Bool, dtypes.Float32}:    indicate[float32],
		{dtypes.Bool, dtypes.Float64}:    indicate[float64],
	}[pair{from, to}]
}

func convert[F, T real](_ *crew, out, in []any) {
	y, x := out[0].([]T), in[0].([]F)
	for i, v := range x[:len(y)] {
		y[i] = T(v)
	}
}

func indicate[T real](_ *crew, out, in []any) {
	y, x := out[0].([]T), in[0].([]bool)
	for i, v := range x[:len(y)] {
		y[i] = 0
		if v {
			y[i] = 1
		}
	}
}

// rows are the inner loops of an operation of two operands: both vectors, or
// one of them a single value.
type rows[T real, R any] struct {
	vv func(y []R, a, b []T)
	vs func(y []R, a []T, b T)
	sv func(y []R, a T, b []T)
}

func greater[T real]() rows[T, bool] {
	return rows[T, bool]{
		func(y []bool, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] > b[i]
			}
		},
		func(y []bool, a []T, b T) {
			for i, v := range a[:len(y)] {
				y[i] = v > b
			}
		},
		func(y []bool, a T, b []T) {
			for i, v := range b[:len(y)] {
				y[i] = a > v
			}
		},
	}
}

// choose32 and choose64 are y = a where c, else b; each may be a single value.
// Signs are as good as random, so the choice is made on bits: a branch would be
// mispredicted every other time.
func choose32(_ *crew, out, in []any) {
	y, c, a, b := out[0].([]float32), in[0].([]bool), in[1].([]float32), in[2].([]float32)
	sc, sa, sb := stepOf(len(c)), stepOf(len(a)), stepOf(len(b))
	for i := range y {
		var take uint32
		if c[i*sc] {
			take = 1
		}
		u, v := math.Float32bits(a[i*sa]), math.Float32bits(b[i*sb])
		y[i] = math.Float32frombits(v ^ (u^v)&-take)
	}
}

func choose64(_ *crew, out, in []any) {
	y, c, a, b := out[0].([]float64), in[0].([]bool), in[1].([]float64), in[2].([]float64)
	sc, sa, sb := stepOf(len(c)), stepOf(len(a)), stepOf(len(b))
	for i := range y {
		var take uint64
		if c[i*sc] {
			take = 1
		}
		u, v := math.Float64bits(a[i*sa]), math.Float64bits(b[i*sb])
		y[i] = math.Float64frombits(v ^ (u^v)&-take)
	}
}

// stepOf walks an operand of n values, or stands still on a single one.
func stepOf(n int) int {
	if n == 1 {
		return 0
	}
	return 1
}

// loop walks a result and its two operands. Axes are merged where both operands
// walk or stand still together, so that the last one is as long as can be.
type loop struct {
	dims, a, b []int // lengths, and steps of the operands; 0 along a broadcast axis
}

// newLoop plans the walk of operands with shapes a and b, each of the result's
// rank with 1 for broadcast axes, or a scalar.
func newLoop(dims, a, b []int) loop {
	step := func(shape []int) []int {
		s := make([]int, len(dims))
		if len(shape) == len(dims) {
			for i, v := range strides(shape) {
				if shape[i] != 1 {
					s[i] = v
				}
			}
		}
		return s
	}
	sa, sb := step(a), step(b)
	var l loop
	for i, d := range dims {
		if d == 1 {
			continue
		}
		if k := len(l.dims) - 1; k >= 0 && l.a[k] == sa[i]*d && l.b[k] == sb[i]*d {
			l.dims[k], l.a[k], l.b[k] = l.dims[k]*d, sa[i], sb[i]
			continue
		}
		l.dims, l.a, l.b = append(l.dims, d), append(l.a, sa[i]), append(l.b, sb[i])
	}
	if len(l.dims) == 0 {
		l.dims, l.a, l.b = []int{1}, []int{0}, []int{0}
	}
	return l
}

// elementwise is the routine of an operation of two operands. The last axis has
// steps 0 or 1: its operands are contiguous, or one value.
func elementwise[T real, R any](l loop, r rows[T, R]) routine {
	last := len(l.dims) - 1
	n, sa, sb := l.dims[last], l.a[last], l.b[last]
	return func(_ *crew, out, in []any) {
		y, a, b := out[0].([]R), in[0].([]T), in[1].([]T)
		var walk func(axis, ia, ib int)
		walk = func(axis, ia, ib int) {
			if axis < last {
				for range l.dims[axis] {
					walk(axis+1, ia, ib)
					ia, ib = ia+l.a[axis], ib+l.b[axis]
				}
				return
			}
			row := y[:n]
			y = y[n:]
			switch {
			case sb == 0 && sa == 0 && n > 1:
				panic("native: no operand walks along the last axis")
			case sb == 0:
				r.vs(row, a[ia:ia+n], b[ib])
			case sa == 0:
				r.sv(row, a[ia], b[ib:ib+n])
			default:
				r.vv(row, a[ia:ia+n], b[ib:ib+n])
			}
		}
		walk(0, 0, 0)
	}
}

// strides are the steps of contiguous storage.
func strides(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = n
		n *= dims[i]
	}
	return s
}

// group is a run of adjacent axes that are all summed over, or all kept.
type group struct {
	n      int
	summed bool
	in     int // step in the operand
	out    int // step in the result
}

func newSum(dims, axes []int) []group {
	over := make([]bool, len(dims))
	for _, a := range axes {
		over[a] = true
	}
	var g []group
	for i, d := range dims {
		if k := len(g) - 1; k >= 0 && g[k].summed == over[i] {
			g[k].n *= d
			continue
		}
		g = append(g, group{n: d, summed: over[i]})
	}
	if len(g) == 0 {
		g = []group{{n: 1}}
	}
	in, out := 1, 1
	for i := len(g) - 1; i >= 0; i-- {
		g[i].in = in
		in *= g[i].n
		if !g[i].summed {
			g[i].out = out
			out *= g[i].n
		}
	}
	return g
}

// sum is the routine of ReduceSum. Along a last axis it adds in float64, along
// others in the type itself, always in the order of the operand.
func sum[T real](groups []group) routine {
	last := len(groups) - 1
	return func(_ *crew, out, in []any) {
		y, x := out[0].([]T), in[0].([]T)
		clear(y)
		var walk func(g, at, to int)
		walk = func(g, at, to int) {
			k := groups[g]
			switch {
			case g < last:
				for range k.n {
					walk(g+1, at, to)
					at, to = at+k.in, to+k.out
				}
			case k.summed:
				var s float64
				for _, v := range x[at : at+k.n] {
					s += float64(v)
				}
				y[to] += T(s)
			default:
				row := y[to : to+k.n]
				for i, v := range x[at : at+k.n] {
					row[i] += v
				}
			}
		}
		walk(0, 0, 0)
	}
}

// gather is the routine that reads a result of the given shape from an operand
// with any steps: transpositions, broadcasts, slices.
func gather(t dtypes.DType, dims, step []int, base int) routine {
	switch t {
	case dtypes.Float32:
		return gatherOf[float32](dims, step, base)
	case dtypes.Float64:
		return gatherOf[float64](dims, step, base)
	}
	return gatherOf[bool](dims, step, base)
}

func gatherOf[T any](dims, step []int, base int) routine {
	dims, step = merge(dims, step)
	last := len(dims) - 1
	return func(_ *crew, out, in []any) {
		y, x := out[0].([]T), in[0].([]T)
		var walk func(axis, at int)
		walk = func(axis, at int) {
			n, s := dims[axis], step[axis]
			if axis < last {
				for range n {
					walk(axis+1, at)
					at += s
				}
				return
			}
			row := y[:n]
			y = y[n:]
			switch s {
			case 1:
				copy(row, x[at:at+n])
			case 0:
				v := x[at]
				for i := range row {
					row[i] = v
				}
			default:
				for i := range row {
					row[i] = x[at]
					at += s
				}
			}
		}
		walk(0, base)
	}
}

// merge joins adjacent axes that are walked as one.
func merge(dims, step []int) (d, s []int) {
	for i, n := range dims {
		if n == 1 {
			continue
		}
		if k := len(d) - 1; k >= 0 && s[k] == step[i]*n {
			d[k], s[k] = d[k]*n, step[i]
			continue
		}
		d, s = append(d, n), append(s, step[i])
	}
	if len(d) == 0 {
		return []int{1}, []int{1}
	}
	return d, s
}

// scatter is the routine of Pad: the second operand everywhere, and the first,
// of the given shape, written with any steps.
func scatter(t dtypes.DType, dims, step []int, base int) routine {
	switch t {
	case dtypes.Float32:
		return scatterOf[float32](dims, step, base)
	case dtypes.Float64:
		return scatterOf[float64](dims, step, base)
	}
	return scatterOf[bool](dims, step, base)
}

func scatterOf[T any](dims, step []int, base int) routine {
	dims, step = merge(dims, step)
	last := len(dims) - 1
	return func(_ *crew, out, in []any) {
		y, x, fill := out[0].([]T), in[0].([]T), in[1].([]T)[0]
		for i := range y {
			y[i] = fill
		}
		var walk func(axis, at int)
		walk = func(axis, at int) {
			n, s := dims[axis], step[axis]
			if axis < last {
				for range n {
					walk(axis+1, at)
					at += s
				}
				return
			}
			for _, v := range x[:n] {
				y[at] = v
				at += s
			}
			x = x[n:]
		}
		walk(0, base)
	}
}

// concatenation interleaves runs of the operands.
func concatenation(t dtypes.DType, runs []int) routine {
	switch t {
	case dtypes.Float32:
		return concatenationOf[float32](runs)
	case dtypes.Float64:
		return concatenationOf[float64](runs)
	}
	return concatenationOf[bool](runs)
}

func concatenationOf[T any](runs []int) routine {
	return func(_ *crew, out, in []any) {
		y := out[0].([]T)
		for block := 0; len(y) > 0; block++ {
			for i, n := range runs {
				copy(y[:n], in[i].([]T)[block*n:])
				y = y[n:]
			}
		}
	}
}
