package data

import (
	"fmt"
	"math/rand/v2"
)

// Augmentation turns an image into random views of it.
type Augmentation interface {
	// Size returns the size of the views of h×w×c images, or an error when the
	// augmentation cannot be applied to such images.
	Size(h, w, c int) (vh, vw, vc int, err error)

	// View writes one view of img into dst, rows top to bottom, channels last.
	// All randomness comes from r. It panics when dst has not the size that
	// Size promises.
	View(dst []float32, img Image, r *rand.Rand)

	// Intensity maps a value of channel c of a view to intensity, 0 black to
	// 1 full, for display; the result may lie outside [0, 1].
	Intensity(v float32, c int) float32

	// String describes every parameter, for the record of a run.
	fmt.Stringer
}

func checkView(dst []float32, a Augmentation, img Image) {
	h, w, c, err := a.Size(img.H, img.W, img.C)
	if err != nil {
		panic(err)
	}
	if len(dst) != h*w*c {
		panic(fmt.Sprintf("data: view of %d values, want %d·%d·%d", len(dst), h, w, c))
	}
}

// uniform draws from [lo, hi).
func uniform(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }
