package dump

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Array is an array of numbers, the last axis contiguous.
type Array struct {
	Shape []int
	Data  []float64
}

// Size is the number of entries of a shape.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Row returns entry i along the first axis, sharing the data. It panics for an array without axes.
func (a *Array) Row(i int) *Array {
	n := Size(a.Shape[1:])
	return &Array{a.Shape[1:], a.Data[i*n : (i+1)*n]}
}

// File is the content of one file.
type File struct {
	Name   string
	Arrays map[string]*Array

	entries int64 // of all arrays whose shapes are known
}

// Names lists the arrays in alphabetical order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Arrays)) }

// Error says what is wrong with a file or with an array in it.
type Error struct {
	File, Array string // Array is empty where the file as a whole is meant
	Problem     string
}

func (e *Error) Error() string {
	if e.Array == "" {
		return fmt.Sprintf("dump: %s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("dump: %s: array %s: %s", e.File, e.Array, e.Problem)
}

func refuse(file, array, format string, args ...any) *Error {
	return &Error{file, array, fmt.Sprintf(format, args...)}
}

// finite refuses an array with a value that is not a number or not finite, and names the first.
func (a *Array) finite(file, name string) error {
	for i, v := range a.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return refuse(file, name, "entry %v is %v: the run has diverged, or the dump is broken", place(i, a.Shape), v)
		}
	}
	return nil
}

// place is the index of entry i along each axis.
func place(i int, shape []int) []int {
	at := make([]int, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		at[k] = i % shape[k]
		i /= shape[k]
	}
	return at
}
