package augment

import (
	"fmt"
	"math"
)

// Change is one of the four changes of a colour jitter.
type Change uint8

// The changes. All but Hue move a value v to f·v + (1−f)·to, clamped to [0, 1]:
// Brightness with to = 0, Contrast with the mean luma of the view, Saturation
// with the luma of the pixel.
const (
	Brightness Change = iota
	Contrast
	Saturation
	Hue
)

// Params says how one view differs from its image.
type Params struct {
	// Y, X, H and W are the rectangle of the image that fills the view, in pixels.
	Y, X, H, W int
	// Flip exchanges left and right.
	Flip bool
	// Jitter applies the four changes in Order, with the factors of the first
	// three and the Turn of the hue as a fraction of the full circle.
	Jitter                                 bool
	Brightness, Contrast, Saturation, Turn float32
	Order                                  [4]Change
	// Grey replaces all channels by the luma.
	Grey bool
	// Sigma is the standard deviation of the Gaussian blur in pixels, 0 for none.
	Sigma float64
}

// Width is the number of values of a Params record on the device.
const Width = 16

// The places of the values in a record.
const (
	atY = iota
	atX
	atH
	atW
	atFlip
	atJitter
	atBrightness
	atContrast
	atSaturation
	atTurn
	atOrder
	_
	_
	_
	atGrey
	atSigma
)

// Append appends the record of p, Width values, to dst. Integers up to 2²⁴ are
// exact in it; Sigma is rounded to float32.
func (p Params) Append(dst []float32) []float32 {
	is := func(b bool) float32 {
		if b {
			return 1
		}
		return 0
	}
	return append(dst, float32(p.Y), float32(p.X), float32(p.H), float32(p.W), is(p.Flip),
		is(p.Jitter), p.Brightness, p.Contrast, p.Saturation, p.Turn,
		float32(p.Order[0]), float32(p.Order[1]), float32(p.Order[2]), float32(p.Order[3]),
		is(p.Grey), float32(p.Sigma))
}

// Pipeline is what all views of a Stock share. A stage that is left out costs
// nothing on the device, and the values of Params that belong to it are ignored.
type Pipeline struct {
	// Crop resizes a rectangle, Jitter changes colours, Turn the hue among them,
	// and Grey takes the colour away, in the views whose Params say so.
	Crop, Jitter, Turn, Grey bool
	// BlurKernel is the side of the blur in pixels, odd; 0 leaves it out.
	BlurKernel int
	// Mean and Std normalise each channel, (v − Mean)/Std; a Std of 0 does not.
	Mean, Std [3]float64
}

// Stock is a list of colour images and the way to view them.
type Stock struct {
	// N images of H×W pixels with 3 channels.
	N, H, W int
	// White is the pixel value that stands for full intensity.
	White uint8
	// Pixels are N·H·W·3 values, image after image, rows top to bottom, channels last.
	Pixels []uint8
	// Pipeline makes the views, which have the images' size.
	Pipeline Pipeline
}

// Dim is the number of values of a view.
func (s Stock) Dim() int { return s.H * s.W * 3 }

// maxSide keeps positions in the crop exact: they are integers below 2·side² in float32.
const maxSide = 1 << 11

// Check reports the first field that Views cannot work with.
func (s Stock) Check() error {
	switch k := s.Pipeline.BlurKernel; {
	case s.N < 1 || s.H < 1 || s.W < 1:
		return fmt.Errorf("augment: %d images of %d×%d pixels, want at least one", s.N, s.H, s.W)
	case s.H > maxSide || s.W > maxSide:
		return fmt.Errorf("augment: images of %d×%d pixels, want sides up to %d", s.H, s.W, maxSide)
	case s.N > math.MaxInt32/(s.H*s.W):
		return fmt.Errorf("augment: %d images of %d×%d are more than 2³¹ pixels", s.N, s.H, s.W)
	case s.White == 0:
		return fmt.Errorf("augment: white level 0")
	case len(s.Pixels) != s.N*s.Dim():
		return fmt.Errorf("augment: %d values for %d images of %d×%d×3", len(s.Pixels), s.N, s.H, s.W)
	case k < 0 || k > 0 && (k%2 == 0 || k/2 >= min(s.H, s.W)):
		return fmt.Errorf("augment: blur kernel %d for images of %d×%d, want an odd number below twice their side", k, s.H, s.W)
	}
	return nil
}

// Draws is one training batch before its views are made.
type Draws struct {
	// Indices are the images of the batch.
	Indices []int32
	// Views are the records of the two views, Width values for each image.
	Views [2][]float32
}

// Check reports the first inconsistency within d or with s: an index outside
// the stock, which devices silently clamp, or a rectangle outside the image.
func (d Draws) Check(s Stock) error {
	for i, v := range d.Indices {
		if v < 0 || int(v) >= s.N {
			return fmt.Errorf("augment: example %d is image %d of %d", i, v, s.N)
		}
	}
	for k, view := range d.Views {
		if len(view) != len(d.Indices)*Width {
			return fmt.Errorf("augment: view %d has %d values, want %d records of %d", k+1, len(view), len(d.Indices), Width)
		}
		if !s.Pipeline.Crop {
			continue
		}
		for i := range d.Indices {
			r := view[i*Width:]
			y, x, h, w := r[atY], r[atX], r[atH], r[atW]
			if !(y >= 0 && x >= 0 && h >= 1 && w >= 1 && y+h <= float32(s.H) && x+w <= float32(s.W)) {
				return fmt.Errorf("augment: view %d of example %d is the rectangle %v×%v at (%v, %v) of a %d×%d image", k+1, i, h, w, y, x, s.H, s.W)
			}
		}
	}
	return nil
}
