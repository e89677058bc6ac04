// Package kernel holds the inner loops of package native: the product of a tile, the packing of its factors, and passes
// over vectors. Each exists as slow portable Go (Generic), which says what it means, and as assembly for what the
// processor has.
//
// The families agree to the last bit in everything but products: AVX2 and AVX512 multiply and add with one rounding (FMA),
// Generic with two, on every machine. All sum in the order of the contracted index, so that AVX2 and AVX512 agree there too.
//
//go:generate sh -c "cd gen && go run . -out ../avx_amd64.s -stubs ../avx_amd64.go -pkg kernel"
package kernel

import (
	"fmt"
	"strings"
)

// Family is a set of instructions that kernels are written in.
type Family uint8

// The families, each wider than the one before.
const (
	Generic Family = iota // Go, the same bits on every machine
	AVX2                  // 256 bits, with FMA
	AVX512                // 512 bits, AVX512F
)

var names = [...]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512"}

// String is the family's name as ParseFamily reads it.
func (f Family) String() string { return names[f] }

// Auto is the name that stands for Best.
const Auto = "auto"

// ParseFamily returns the family of a name, or Best for Auto and for the empty name. It returns an error for an unknown
// name, and for a family that this processor lacks: another one is never taken instead.
func ParseFamily(name string) (Family, error) {
	if name == "" || name == Auto {
		return Best(), nil
	}
	for f, n := range names {
		if n != name {
			continue
		}
		for _, have := range Available() {
			if have == Family(f) {
				return have, nil
			}
		}
		return 0, fmt.Errorf("kernels %q: this processor has %s alone", name, list(Available()))
	}
	return 0, fmt.Errorf("kernels %q are unknown, want %s or one of %s", name, Auto, strings.Join(names[:], ", "))
}

func list(f []Family) string {
	s := make([]string, len(f))
	for i, x := range f {
		s[i] = x.String()
	}
	return strings.Join(s, ", ")
}

// Available lists the families that this processor has, Generic first.
func Available() []Family { return append([]Family{Generic}, vectorised()...) }

// Best is the widest family that this processor has.
func Best() Family {
	f := Available()
	return f[len(f)-1]
}

// Real are the element types.
type Real interface{ float32 | float64 }

// Rows is the number of rows of a tile.
const Rows = 6

// Tile is one product of a tile, C = A·B or C += A·B, of Rows rows and Set.Columns columns. Nothing of A is copied: row i
// of the tile and the contracted index (r, k) find their value at
//
//	A[Rows[i] + Runs[r] + k·Step],   0 ≤ k < Length
//
// which covers a matrix, its transpose, and the patches of a convolution. B holds the tile's columns for each (r, k) in
// order, one group after the other. All steps are in elements.
//
// The assembly knows the layout of this struct.
type Tile[T Real] struct {
	A, B, C []T
	Rows    [Rows]int
	Runs    []int // at least one
	Length  int   // at least 1
	Step    int
	Stride  int // between rows of C
	Add     bool
}

// Set are the kernels of one family for one type. Slices of one call have the length of y (or more), and y may be any of
// the operands.
type Set[T Real] struct {
	// Columns is the number of columns of a tile.
	Columns int
	// Tile computes a tile: sums start at 0 (or, where runs are cut into several calls, at 0 in each) and run in the
	// order of (r, k); with Add the result is added to C.
	Tile func(t *Tile[T])
	// PackColumns copies n groups of Columns values, step elements apart, to consecutive places.
	PackColumns func(to, from []T, n, step int)
	// PackRows copies n groups of Rows values, step elements apart, to consecutive places.
	PackRows func(to, from []T, n, step int)

	Add, Sub, Mul, Div func(y, a, b []T)
	// Greater sets all bits of y where a > b, and none elsewhere: a mask.
	Greater func(y, a, b []T)
	// Choose takes a where the mask c is set, else b.
	Choose func(y, c, a, b []T)
	// Indicate is 1 where the mask c is set, else 0.
	Indicate  func(y, c []T)
	Sqrt, Neg func(y, a []T)
}

// Of returns the kernels of a family that is available.
func Of[T Real](f Family) *Set[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(sets32[f]).(*Set[T])
	}
	return any(sets64[f]).(*Set[T])
}

var (
	sets32 = sets(vectorised32)
	sets64 = sets(vectorised64)
)

// sets are the kernels of the available families: those that a family lacks are generic.
func sets[T Real](special func(Family, *Set[T])) map[Family]*Set[T] {
	m := map[Family]*Set[T]{}
	for _, f := range Available() {
		s := generic[T]()
		if f != Generic {
			special(f, &s)
		}
		m[f] = &s
	}
	return m
}
