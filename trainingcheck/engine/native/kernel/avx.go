//go:build amd64

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

func vectorised() (f []Family) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		f = append(f, AVX2)
		if cpu.X86.HasAVX512F {
			f = append(f, AVX512)
		}
	}
	return f
}

// asm are the assembly kernels of one type.
type asm[T Real] struct {
	tile                        func(t *byte)
	columns                     int
	packColumns, packRows       func(to, from *T, n, step int)
	add, sub, mul, div, greater func(y, a, b *T, n int)
	choose                      func(y, c, a, b *T, n int)
	indicate                    func(y, c, one *T, n int)
	sqrt, neg                   func(y, a *T, n int)
}

func vectorised32(f Family, s *Set[float32]) {
	k := asm[float32]{tileAVX2x32, 16, packColumnsAVX2x32, packRowsx32, addx32, subx32, mulx32, divx32, greaterx32, choosex32, indicatex32, sqrtx32, negx32}
	if f == AVX512 {
		k.tile, k.columns, k.packColumns = tileAVX512x32, 32, packColumnsAVX512x32
	}
	bind(k, s)
}

func vectorised64(f Family, s *Set[float64]) {
	k := asm[float64]{tileAVX2x64, 8, packColumnsAVX2x64, packRowsx64, addx64, subx64, mulx64, divx64, greaterx64, choosex64, indicatex64, sqrtx64, negx64}
	if f == AVX512 {
		k.tile, k.columns, k.packColumns = tileAVX512x64, 16, packColumnsAVX512x64
	}
	bind(k, s)
}

// bind puts assembly in place of what is generic in s. Assembly goes over whole vectors; the generic kernels do the rest.
func bind[T Real](k asm[T], s *Set[T]) {
	g := *s
	s.Columns = k.columns
	s.Tile = func(t *Tile[T]) { k.tile((*byte)(unsafe.Pointer(t))) }
	packing := func(f func(to, from *T, n, step int), group int) func(to, from []T, n, step int) {
		return func(to, from []T, n, step int) {
			if n > 0 {
				_, _ = to[n*group-1], from[(n-1)*step+group-1]
				f(&to[0], &from[0], n, step)
			}
		}
	}
	s.PackColumns, s.PackRows = packing(k.packColumns, k.columns), packing(k.packRows, Rows)

	lanes := 32 / int(unsafe.Sizeof(T(0)))
	binary := func(f func(y, a, b *T, n int), rest func(y, a, b []T)) func(y, a, b []T) {
		return func(y, a, b []T) {
			n := len(y) / lanes
			a, b = a[:len(y)], b[:len(y)]
			if n > 0 {
				f(&y[0], &a[0], &b[0], n)
			}
			if n *= lanes; n < len(y) {
				rest(y[n:], a[n:], b[n:])
			}
		}
	}
	s.Add, s.Sub, s.Mul, s.Div = binary(k.add, g.Add), binary(k.sub, g.Sub), binary(k.mul, g.Mul), binary(k.div, g.Div)
	s.Greater = binary(k.greater, g.Greater)
	s.Choose = func(y, c, a, b []T) {
		n := len(y) / lanes
		c, a, b = c[:len(y)], a[:len(y)], b[:len(y)]
		if n > 0 {
			k.choose(&y[0], &c[0], &a[0], &b[0], n)
		}
		if n *= lanes; n < len(y) {
			g.Choose(y[n:], c[n:], a[n:], b[n:])
		}
	}
	one := T(1)
	unary := func(f func(y, a *T, n int), rest func(y, a []T)) func(y, a []T) {
		return func(y, a []T) {
			n := len(y) / lanes
			a = a[:len(y)]
			if n > 0 {
				f(&y[0], &a[0], n)
			}
			if n *= lanes; n < len(y) {
				rest(y[n:], a[n:])
			}
		}
	}
	s.Indicate = unary(func(y, c *T, n int) { k.indicate(y, c, &one, n) }, g.Indicate)
	s.Sqrt, s.Neg = unary(k.sqrt, g.Sqrt), unary(k.neg, g.Neg)
}

// Pause waits some tens of cycles in a way that leaves the core to a sibling.
func Pause() { pause() }
