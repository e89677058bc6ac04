package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Unlabelled is the label of an image whose class is not known.
const Unlabelled = -1

// Set is a list of images of one size, with their classes.
type Set struct {
	H, W, C int      // height, width and channels of every image
	White   uint8    // the pixel value that stands for full intensity: 16 for the digits, 255 otherwise
	Classes []string // name of each class; a label is an index into it
	Labels  []int    // class of each image, or Unlabelled
	Pixels  []uint8  // N·H·W·C values, image after image, rows top to bottom, channels last
}

// Image is one image of a Set: H·W·C pixels, channels last.
type Image struct {
	H, W, C int
	White   uint8
	Pixels  []uint8
}

// Len returns the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Image returns image i, sharing the set's memory. It panics when i is out of range.
func (s *Set) Image(i int) Image {
	n := s.H * s.W * s.C
	return Image{H: s.H, W: s.W, C: s.C, White: s.White, Pixels: s.Pixels[i*n : (i+1)*n : (i+1)*n]}
}

// ClassCounts returns the number of images of each class, unlabelled ones left out.
func (s *Set) ClassCounts() []int {
	counts := make([]int, len(s.Classes))
	for _, l := range s.Labels {
		if l != Unlabelled {
			counts[l]++
		}
	}
	return counts
}

// Subset returns the images with the given indices, in that order, copied.
// It panics when an index is out of range.
func (s *Set) Subset(indices []int) *Set {
	n := s.H * s.W * s.C
	out := &Set{H: s.H, W: s.W, C: s.C, White: s.White, Classes: s.Classes,
		Labels: make([]int, len(indices)), Pixels: make([]uint8, len(indices)*n)}
	for i, j := range indices {
		out.Labels[i] = s.Labels[j]
		copy(out.Pixels[i*n:(i+1)*n], s.Image(j).Pixels)
	}
	return out
}

// Labelled returns at most limit labelled images, drawn at random, the same ones
// every time; a limit of 0 is none. A set whose images are all labelled and within
// the limit is returned itself.
func (s *Set) Labelled(limit int) *Set {
	var index []int
	for i, l := range s.Labels {
		if l != Unlabelled {
			index = append(index, i)
		}
	}
	drawn := limit > 0 && len(index) > limit
	switch {
	case drawn:
		r := Key{Stream: StreamEvalView, Step: evalDraw}.Rand()
		r.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })
		index = index[:limit]
	case len(index) == s.Len():
		return s
	}
	return s.Subset(index)
}

// Check reports the first inconsistency between the fields of s.
func (s *Set) Check() error {
	switch n := s.H * s.W * s.C; {
	case s.H < 1 || s.W < 1 || s.C < 1:
		return fmt.Errorf("data: images of %d×%d×%d pixels", s.H, s.W, s.C)
	case s.White == 0:
		return fmt.Errorf("data: white level 0")
	case len(s.Pixels) != n*len(s.Labels):
		return fmt.Errorf("data: %d pixels for %d labels of images of %d×%d×%d", len(s.Pixels), len(s.Labels), s.H, s.W, s.C)
	}
	for i, l := range s.Labels {
		if l != Unlabelled && (l < 0 || l >= len(s.Classes)) {
			return fmt.Errorf("data: image %d has label %d, want 0 to %d", i, l, len(s.Classes)-1)
		}
	}
	return nil
}

// SHA256 returns the hash of shape, white level, class names, labels and pixels
// in hexadecimal: the identity of the decoded images, whatever file they came from.
func (s *Set) SHA256() string {
	h := sha256.New()
	put := func(v int64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(v))
		h.Write(b[:])
	}
	for _, v := range []int{s.H, s.W, s.C, int(s.White), len(s.Classes), len(s.Labels)} {
		put(int64(v))
	}
	for _, name := range s.Classes {
		put(int64(len(name)))
		h.Write([]byte(name))
	}
	for _, l := range s.Labels {
		put(int64(l))
	}
	h.Write(s.Pixels)
	return hex.EncodeToString(h.Sum(nil))
}

// Halved returns the images at half their height and width, each pixel the mean of 2×2, rounded to nearest. It panics when a
// side is odd.
func (s *Set) Halved() *Set {
	if s.H%2 != 0 || s.W%2 != 0 {
		panic(fmt.Sprintf("data: images of %d×%d have no half", s.H, s.W))
	}
	out := &Set{H: s.H / 2, W: s.W / 2, C: s.C, White: s.White, Classes: s.Classes, Labels: s.Labels, Pixels: make([]uint8, len(s.Pixels)/4)}
	row := s.W * s.C
	i := 0
	for y := 0; y < s.Len()*s.H; y += 2 { // rows of all images lie behind one another
		for x := 0; x < row; x += 2 * s.C {
			for c := range s.C {
				at := y*row + x + c
				out.Pixels[i] = uint8((int(s.Pixels[at]) + int(s.Pixels[at+s.C]) + int(s.Pixels[at+row]) + int(s.Pixels[at+row+s.C]) + 2) / 4)
				i++
			}
		}
	}
	return out
}
