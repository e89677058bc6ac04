package kernel

import "math"

// genericColumns is the width of Generic's tiles.
const genericColumns = 8

func generic[T Real]() Set[T] {
	return Set[T]{
		Columns:     genericColumns,
		Tile:        func(t *Tile[T]) { tile(t, genericColumns) },
		PackColumns: func(to, from []T, n, step int) { pack(to, from, n, step, genericColumns) },
		PackRows:    func(to, from []T, n, step int) { pack(to, from, n, step, Rows) },
		Add: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] + b[i]
			}
		},
		Sub: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] - b[i]
			}
		},
		Mul: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] * b[i]
			}
		},
		Div: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] / b[i]
			}
		},
		Greater: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = Mask[T](a[i] > b[i])
			}
		},
		Choose:   choose[T],
		Indicate: indicate[T],
		Sqrt: func(y, a []T) {
			for i, v := range a[:len(y)] {
				y[i] = T(math.Sqrt(float64(v)))
			}
		},
		Neg: func(y, a []T) {
			for i, v := range a[:len(y)] {
				y[i] = -v
			}
		},
	}
}

// Mask has all bits set, or none.
func Mask[T Real](set bool) T {
	var bits uint64
	if set {
		bits = math.MaxUint64
	}
	return fromBits[T](bits)
}

func toBits[T Real](v T) uint64 {
	switch v := any(v).(type) {
	case float32:
		return uint64(math.Float32bits(v))
	case float64:
		return math.Float64bits(v)
	}
	panic("unreachable")
}

func fromBits[T Real](b uint64) T {
	var v T
	switch p := any(&v).(type) {
	case *float32:
		*p = math.Float32frombits(uint32(b))
	case *float64:
		*p = math.Float64frombits(b)
	}
	return v
}

func choose[T Real](y, c, a, b []T) {
	c, a, b = c[:len(y)], a[:len(y)], b[:len(y)]
	for i := range y {
		u, v := toBits(a[i]), toBits(b[i])
		y[i] = fromBits[T](v ^ (u^v)&toBits(c[i]))
	}
}

func indicate[T Real](y, c []T) {
	one := toBits(T(1))
	for i, v := range c[:len(y)] {
		y[i] = fromBits[T](toBits(v) & one)
	}
}

// tile is Set.Tile for any width that is a multiple of four: the meaning of all the others. A product is rounded before it
// is added: the conversion keeps a compiler from joining the two, so that the bits are the same on every machine. Two rows
// and four columns at a time fit the registers.
func tile[T Real](t *Tile[T], columns int) {
	for i := 0; i < Rows; i += 2 {
		for j := 0; j < columns; j += 4 {
			var s0, s1, s2, s3, u0, u1, u2, u3 T // an array would live in memory
			at := j
			for _, run := range t.Runs {
				x, y := t.A[t.Rows[i]+run:], t.A[t.Rows[i+1]+run:]
				for k := 0; k < t.Length*t.Step; k += t.Step {
					a, c, b := x[k], y[k], (*[4]T)(t.B[at:])
					s0 += T(a * b[0])
					s1 += T(a * b[1])
					s2 += T(a * b[2])
					s3 += T(a * b[3])
					u0 += T(c * b[0])
					u1 += T(c * b[1])
					u2 += T(c * b[2])
					u3 += T(c * b[3])
					at += columns
				}
			}
			for row, sums := range [2][4]T{{s0, s1, s2, s3}, {u0, u1, u2, u3}} {
				c := t.C[(i+row)*t.Stride+j:][:4]
				for k, v := range sums {
					if t.Add {
						v += c[k]
					}
					c[k] = v
				}
			}
		}
	}
}

func pack[T Real](to, from []T, n, step, group int) {
	for i := range n {
		copy(to[i*group:][:group], from[i*step:])
	}
}
