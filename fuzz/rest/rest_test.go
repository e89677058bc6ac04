package rest

import (
	"fmt"
	"slices"
	"testing"
)

// TestShapes compares the shapes of each sum with all lists of digits, and has them end where they are told to.
func TestShapes(t *testing.T) {
	for n := 1; n <= 4; n++ {
		want := make([][]string, skew*n+1)
		lists := [][]int{{}}
		for range n {
			var more [][]int
			for _, s := range lists {
				for d := range skew + 1 {
					more = append(more, append(slices.Clone(s), d))
				}
			}
			lists = more
		}
		for _, s := range lists {
			sum := 0
			for _, d := range s {
				sum += d
			}
			if slices.Min(s) == 0 {
				want[sum] = append(want[sum], fmt.Sprint(s))
			}
		}
		for sum := range want {
			var got []string
			shapes(n, sum, func(s []int) bool { got = append(got, fmt.Sprint(s)); return true })
			if !slices.Equal(got, want[sum]) {
				t.Errorf("%d digits of sum %d: %v, want %v", n, sum, got, want[sum])
			}
			if len(got)*n*n > maxEntries {
				t.Errorf("%d shapes of %d coordinates are more than are tried", len(got), n)
			}
			seen := 0
			shapes(n, sum, func([]int) bool { seen++; return seen < 2 })
			if seen > min(2, len(got)) {
				t.Errorf("%d shapes after the second", seen)
			}
		}
	}
	// In many coordinates the first shapes come at once.
	seen := 0
	shapes(40, 2, func([]int) bool { seen++; return seen < 10 })
	if seen != 10 {
		t.Errorf("%d shapes of 40 coordinates", seen)
	}
}
