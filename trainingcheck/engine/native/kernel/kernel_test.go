package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// TestLayout: the offsets of Tile's fields that the assembly is written for.
func TestLayout(t *testing.T) {
	var x Tile[float32]
	for name, c := range map[string][2]uintptr{
		"A": {unsafe.Offsetof(x.A), 0}, "B": {unsafe.Offsetof(x.B), 24}, "C": {unsafe.Offsetof(x.C), 48}, "Rows": {unsafe.Offsetof(x.Rows), 72},
		"Runs": {unsafe.Offsetof(x.Runs), 120}, "Length": {unsafe.Offsetof(x.Length), 144}, "Step": {unsafe.Offsetof(x.Step), 152},
		"Stride": {unsafe.Offsetof(x.Stride), 160}, "Add": {unsafe.Offsetof(x.Add), 168},
	} {
		if c[0] != c[1] && unsafe.Sizeof(uintptr(0)) == 8 {
			t.Errorf("field %s is at %d, the assembly reads it at %d", name, c[0], c[1])
		}
	}
}

func TestFamilies(t *testing.T) {
	for _, f := range Available() {
		if g, err := ParseFamily(f.String()); err != nil || g != f {
			t.Errorf("ParseFamily(%q) = %v, %v", f, g, err)
		}
	}
	for _, auto := range []string{"", Auto} {
		if f, err := ParseFamily(auto); err != nil || f != Best() {
			t.Errorf("ParseFamily(%q) = %v, %v", auto, f, err)
		}
	}
	if _, err := ParseFamily("sse"); err == nil || !strings.Contains(err.Error(), "generic, avx2, avx512") {
		t.Errorf("an unknown family: %v", err)
	}
	for f, name := range names {
		_, err := ParseFamily(name)
		if have := Of[float32](Family(f)) != nil; have != (err == nil) {
			t.Errorf("%s: kernels are there: %t, error %v", name, have, err)
		}
	}
}

// special values of a type.
func special[T Real]() []T {
	inf := T(math.Inf(1))
	smallest, largest := math.SmallestNonzeroFloat64, math.MaxFloat64
	if unsafe.Sizeof(T(0)) == 4 {
		smallest, largest = math.SmallestNonzeroFloat32, math.MaxFloat32
	}
	tiny, large := T(smallest), T(largest)
	return []T{0, T(math.Copysign(0, -1)), 1, -1, inf, -inf, T(math.NaN()), tiny, -tiny, large, -large, 3 * tiny}
}

func draw[T Real](r *rand.Rand, n int, values []T) []T {
	x := make([]T, n)
	for i := range x {
		if x[i] = T(r.NormFloat64()); values != nil && r.IntN(2) == 0 {
			x[i] = values[r.IntN(len(values))]
		}
	}
	return x
}

// equal compares bits; one NaN is as good as another.
func equal[T Real](got, want []T) error {
	for i, v := range want {
		if toBits(got[i]) != toBits(v) && (v == v || got[i] == got[i]) {
			return fmt.Errorf("element %d of %d is %v, want %v", i, len(want), got[i], v)
		}
	}
	return nil
}

// checkVectors compares a set's passes over vectors with the generic ones.
func checkVectors[T Real](s *Set[T]) error {
	g := generic[T]()
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 71 {
		a, b, c := draw(r, n, special[T]()), draw(r, n, special[T]()), make([]T, n)
		for i := range c {
			c[i] = Mask[T](r.IntN(2) == 0)
		}
		for name, f := range map[string]func(s *Set[T], y []T){
			"add": func(s *Set[T], y []T) { s.Add(y, a, b) }, "sub": func(s *Set[T], y []T) { s.Sub(y, a, b) },
			"mul": func(s *Set[T], y []T) { s.Mul(y, a, b) }, "div": func(s *Set[T], y []T) { s.Div(y, a, b) },
			"choose": func(s *Set[T], y []T) { s.Choose(y, c, a, b) }, "indicate": func(s *Set[T], y []T) { s.Indicate(y, c) },
			"sqrt": func(s *Set[T], y []T) { s.Sqrt(y, a) }, "neg": func(s *Set[T], y []T) { s.Neg(y, a) },
			"in place": func(s *Set[T], y []T) { copy(y, a); s.Sub(y, y, b); s.Mul(y, y, y) },
		} {
			got, want := make([]T, n), make([]T, n)
			f(s, got)
			f(&g, want)
			if err := equal(got, want); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		got, want := make([]T, n), make([]T, n)
		s.Greater(got, a, b)
		g.Greater(want, a, b)
		for i := range want {
			if toBits(got[i]) != toBits(want[i]) {
				return fmt.Errorf("greater: %v > %v gives the bits %x", a[i], b[i], toBits(got[i]))
			}
		}
		// Packing.
		step := s.Columns + r.IntN(3)
		from, to := draw[T](r, 9*step+s.Columns, nil), make([]T, 9*s.Columns)
		s.PackColumns(to, from, 9, step)
		rows := make([]T, 9*Rows)
		s.PackRows(rows, from, 9, step)
		s.PackRows(nil, nil, 0, step)
		for i := range 9 {
			if err := equal(to[i*s.Columns:][:s.Columns], from[i*step:][:s.Columns]); err != nil {
				return fmt.Errorf("columns: %w", err)
			}
			if err := equal(rows[i*Rows:][:Rows], from[i*step:][:Rows]); err != nil {
				return fmt.Errorf("rows: %w", err)
			}
		}
	}
	return nil
}

// drawTile draws a tile with runs anywhere in A.
func drawTile[T Real](r *rand.Rand, columns int, values []T) *Tile[T] {
	t := &Tile[T]{Length: 1 + r.IntN(20), Step: 1 + r.IntN(9), Stride: columns + r.IntN(5), Add: r.IntN(2) == 0, Runs: make([]int, 1+r.IntN(5))}
	t.A = draw(r, 400, values)
	for i := range t.Runs {
		t.Runs[i] = r.IntN(100)
	}
	for i := range t.Rows {
		t.Rows[i] = r.IntN(100)
	}
	t.B = draw(r, len(t.Runs)*t.Length*columns, values)
	t.C = draw[T](r, Rows*t.Stride, values)
	return t
}

// checkTiles compares a set's tiles with sums in exact arithmetic, within γ_n Σ|a·b| + u|c| for n = products + 1 and the
// unit roundoff u (Higham 2002, Eq. 3.3), and where there are infinities or NaNs with the generic tiles. It also sees that
// nothing beside the tile is written.
func checkTiles[T Real](s *Set[T]) error {
	r := rand.New(rand.NewPCG(2, 2))
	unit := 0x1p-53
	if unsafe.Sizeof(T(0)) == 4 {
		unit = 0x1p-24
	}
	for trial := range 400 {
		if trial%2 == 0 {
			x := drawTile(r, s.Columns, []T{0, T(math.Inf(1)), T(math.NaN()), 1, -1})
			y := *x
			y.C = append([]T(nil), x.C...)
			s.Tile(x)
			tile(&y, s.Columns)
			for i := range x.C {
				a, b := float64(x.C[i]), float64(y.C[i])
				special := func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
				if (special(a) || special(b)) && a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
					return fmt.Errorf("element %d is %v, want %v", i, a, b)
				}
			}
			continue
		}
		x := drawTile[T](r, s.Columns, nil)
		before := append([]T(nil), x.C...)
		s.Tile(x)
		for i := range x.C {
			row, column := i/x.Stride, i%x.Stride
			if column >= s.Columns {
				if x.C[i] != before[i] {
					return fmt.Errorf("element %d beside the tile was written", i)
				}
				continue
			}
			sum, size, at := new(big.Float).SetPrec(500), 0.0, column
			for _, run := range x.Runs {
				for k := range x.Length {
					a, b := float64(x.A[x.Rows[row]+run+k*x.Step]), float64(x.B[at])
					sum.Add(sum, new(big.Float).Mul(new(big.Float).SetPrec(200).SetFloat64(a), big.NewFloat(b)))
					size += math.Abs(a * b)
					at += s.Columns
				}
			}
			if x.Add {
				sum.Add(sum, big.NewFloat(float64(before[i])))
				size += math.Abs(float64(before[i]))
			}
			n := float64(len(x.Runs)*x.Length+2) * unit
			d, _ := new(big.Float).Sub(sum, big.NewFloat(float64(x.C[i]))).Float64()
			if !(math.Abs(d) <= n/(1-n)*size) {
				return fmt.Errorf("element (%d,%d) of %d products is off by %g, more than %g", row, column, len(x.Runs)*x.Length, d, n/(1-n)*size)
			}
		}
	}
	return nil
}

func TestEveryFamilyMatchesTheDefinition(t *testing.T) {
	for _, f := range Available() {
		for name, err := range map[string]error{
			"float32 vectors": checkVectors(Of[float32](f)), "float64 vectors": checkVectors(Of[float64](f)),
			"float32 tiles": checkTiles(Of[float32](f)), "float64 tiles": checkTiles(Of[float64](f)),
		} {
			if err != nil {
				t.Errorf("%s, %s: %v", f, name, err)
			}
		}
	}
}

// TestWrongKernelsFail: what the test above cannot see does not count.
func TestWrongKernelsFail(t *testing.T) {
	for name, change := range map[string]func(s *Set[float32]){
		"greater or equal": func(s *Set[float32]) {
			s.Greater = func(y, a, b []float32) {
				for i := range y {
					y[i] = Mask[float32](a[i] >= b[i])
				}
			}
		},
		"choice the other way round": func(s *Set[float32]) { f := s.Choose; s.Choose = func(y, c, a, b []float32) { f(y, c, b, a) } },
		"the last element left out": func(s *Set[float32]) {
			f := s.Add
			s.Add = func(y, a, b []float32) {
				if n := len(y); n > 0 {
					f(y[:n-1], a, b)
				}
			}
		},
		"negation by subtraction": func(s *Set[float32]) {
			s.Neg = func(y, a []float32) {
				for i, v := range a {
					y[i] = 0 - v
				}
			}
		},
		"a column too many": func(s *Set[float32]) {
			s.PackColumns = func(to, from []float32, n, step int) { pack(to, from, n, step+1, s.Columns) }
		},
	} {
		s := generic[float32]()
		change(&s)
		if checkVectors(&s) == nil {
			t.Errorf("%s: passes", name)
		}
	}
	for name, change := range map[string]func(t *Tile[float64]){
		"never added": func(t *Tile[float64]) { t.Add = false },
		"the last run left out": func(t *Tile[float64]) {
			if n := len(t.Runs); n > 1 {
				t.Runs = t.Runs[:n-1]
			}
		},
		"rows swapped":     func(t *Tile[float64]) { t.Rows[0], t.Rows[5] = t.Rows[5], t.Rows[0] },
		"a step too short": func(t *Tile[float64]) { t.Step = 1 },
	} {
		s := generic[float64]()
		s.Tile = func(t *Tile[float64]) {
			x := *t
			change(&x)
			tile(&x, genericColumns)
		}
		if checkTiles(&s) == nil {
			t.Errorf("%s: passes", name)
		}
	}
	s := generic[float32]()
	s.Tile = func(t *Tile[float32]) {
		tile(t, genericColumns)
		t.C[0] *= 1 + 0x1p-16
	}
	if checkTiles(&s) == nil {
		t.Error("a relative error of 2⁻¹⁶ in float32 passes")
	}
}

func BenchmarkTile(b *testing.B) {
	for _, f := range Available() {
		b.Run(f.String()+"/float32", func(b *testing.B) { benchmarkTile[float32](b, f) })
		b.Run(f.String()+"/float64", func(b *testing.B) { benchmarkTile[float64](b, f) })
	}
}

func benchmarkTile[T Real](b *testing.B, f Family) {
	s := Of[T](f)
	const k = 256
	t := &Tile[T]{A: make([]T, Rows*k), B: make([]T, k*s.Columns), C: make([]T, Rows*s.Columns), Runs: []int{0}, Length: k, Step: 1, Stride: s.Columns}
	for i := range t.Rows {
		t.Rows[i] = i * k
	}
	for b.Loop() {
		s.Tile(t)
	}
	b.ReportMetric(2*float64(Rows*k*s.Columns)*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
}
