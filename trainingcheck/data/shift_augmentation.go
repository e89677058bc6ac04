package data

import (
	"fmt"
	"math/rand/v2"
)

// ShiftAugmentation is the pipeline for small grey images:
//
//  1. put the image at a uniformly random place of a black Canvas×Canvas square,
//  2. multiply by U(1-Contrast, 1+Contrast),
//  3. with probability CutoutProb blacken a Cutout×Cutout square, its place uniform,
//  4. add independent N(0, Noise²) to every pixel.
//
// Intensities begin in [0, 1] and are neither clipped nor centred. Canvas 0
// means the image's own size, without shift; the zero value changes nothing.
type ShiftAugmentation struct {
	Canvas     int
	Contrast   float64
	Cutout     int
	CutoutProb float64
	Noise      float64
}

// DigitsAugmentation returns the pipeline that the digit checks are calibrated
// with: a 10×10 canvas (nine places), contrast ±25 %, a 3×3 cutout in three
// views of ten and noise of standard deviation 0.07.
func DigitsAugmentation() ShiftAugmentation {
	return ShiftAugmentation{Canvas: 10, Contrast: 0.25, Cutout: 3, CutoutProb: 0.3, Noise: 0.07}
}

// Size implements Augmentation.
func (a ShiftAugmentation) Size(h, w, c int) (vh, vw, vc int, err error) {
	vh, vw = h, w
	if a.Canvas != 0 {
		vh, vw = a.Canvas, a.Canvas
	}
	switch {
	case vh < h || vw < w:
		return 0, 0, 0, fmt.Errorf("data: canvas of %d×%d for images of %d×%d", vh, vw, h, w)
	case a.Cutout < 0 || a.Cutout > min(vh, vw):
		return 0, 0, 0, fmt.Errorf("data: cutout of side %d in views of %d×%d", a.Cutout, vh, vw)
	}
	return vh, vw, c, nil
}

// View implements Augmentation.
func (a ShiftAugmentation) View(dst []float32, img Image, r *rand.Rand) {
	checkView(dst, a, img)
	h, w, c, _ := a.Size(img.H, img.W, img.C)
	dy, dx := r.IntN(h-img.H+1), r.IntN(w-img.W+1)
	gain := float32(uniform(r, 1-a.Contrast, 1+a.Contrast)) / float32(img.White)
	clear(dst)
	for y := range img.H {
		row := dst[((y+dy)*w+dx)*c:]
		for i, v := range img.Pixels[y*img.W*c : (y+1)*img.W*c] {
			row[i] = gain * float32(v)
		}
	}
	if cut := a.Cutout; cut > 0 && r.Float64() < a.CutoutProb {
		cy, cx := r.IntN(h-cut+1), r.IntN(w-cut+1)
		for y := cy; y < cy+cut; y++ {
			clear(dst[(y*w+cx)*c : (y*w+cx+cut)*c])
		}
	}
	if a.Noise > 0 {
		for i := range dst {
			dst[i] += float32(a.Noise * r.NormFloat64())
		}
	}
}

// Intensity implements Augmentation.
func (a ShiftAugmentation) Intensity(v float32, _ int) float32 { return v }

// String implements Augmentation.
func (a ShiftAugmentation) String() string {
	return fmt.Sprintf("shift(canvas=%d contrast=%g cutout=%d@%g noise=%g)", a.Canvas, a.Contrast, a.Cutout, a.CutoutProb, a.Noise)
}
