package data

import (
	"slices"
	"testing"
)

func TestHalvedImagesAreMeansOfFourPixels(t *testing.T) {
	s := &Set{H: 2, W: 4, C: 2, White: 255, Labels: []int{0, 1}, Classes: []string{"a", "b"}, Pixels: []uint8{
		0, 10, 1, 20, 8, 8, 8, 8,
		2, 30, 3, 40, 8, 8, 8, 10,
		255, 0, 255, 0, 0, 0, 0, 0,
		255, 0, 255, 1, 0, 0, 0, 0}}
	h := s.Halved()
	// Means 1.5 and 25, 8 and 8.5; 255 and .25, 0 and 0, rounded to nearest, halves up.
	if want := []uint8{2, 25, 8, 9, 255, 0, 0, 0}; h.H != 1 || h.W != 2 || !slices.Equal(h.Pixels, want) || h.Check() != nil {
		t.Errorf("%d×%d: %v, want %v", h.H, h.W, h.Pixels, want)
	}
	d, err := Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Halve(); err == nil {
		t.Error("the digits are halved")
	}
}
