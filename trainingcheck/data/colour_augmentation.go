package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"stopgrad/trainingcheck/augment"
)

// ColourAugmentation is the usual pipeline for colour images, in this order:
//
//  1. random-resized crop: a rectangle whose area is U(CropScale) of the image
//     and whose width:height is log-uniform in CropRatio, resized back to the
//     size of the image by bilinear interpolation;
//  2. with probability Flip, left and right exchanged;
//  3. with probability Jitter, brightness, contrast, saturation and hue changed,
//     in random order, by factors U(max(0, 1-b), 1+b) and a turn U(-Hue, Hue);
//  4. with probability Grey, all channels replaced by the luma;
//  5. with probability Blur, a Gaussian blur with σ ~ U(BlurSigma) over
//     BlurKernel×BlurKernel pixels;
//  6. (v - Mean)/Std in each channel.
//
// The definitions are torchvision's (transforms v0.8), which the paper's code
// uses, on intensities in [0, 1] held as floats instead of bytes. A zero
// CropScale means no crop, a zero Std no normalisation: the zero value changes
// nothing.
type ColourAugmentation struct {
	CropScale                        [2]float64
	CropRatio                        [2]float64 // zero: 3/4 to 4/3
	Flip                             float64
	Jitter                           float64
	Brightness, Contrast, Saturation float64
	Hue                              float64 // as a fraction of the full turn, at most 1/2
	Grey                             float64
	Blur                             float64
	BlurKernel                       int // odd
	BlurSigma                        [2]float64
	Mean, Std                        [3]float64
}

// CIFARAugmentation returns the paper's pipeline for CIFAR (appendix C and its
// code): crop 0.08 to 1, flip, jitter (0.4, 0.4, 0.4, 0.1) in 80 %, grey in
// 20 %, normalised by mean and std, no blur.
func CIFARAugmentation(mean, std [3]float64) ColourAugmentation {
	return ColourAugmentation{CropScale: [2]float64{0.08, 1}, Flip: 0.5,
		Jitter: 0.8, Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Hue: 0.1, Grey: 0.2,
		Mean: mean, Std: std}
}

// STLAugmentation returns the paper's pipeline for STL-10: as for CIFAR with
// jitter (0.8, 0.8, 0.8, 0.2) and always a blur of 9×9 pixels, σ from 0.1 to 2,
// not normalised.
func STLAugmentation() ColourAugmentation {
	return ColourAugmentation{CropScale: [2]float64{0.08, 1}, Flip: 0.5,
		Jitter: 0.8, Brightness: 0.8, Contrast: 0.8, Saturation: 0.8, Hue: 0.2, Grey: 0.2,
		Blur: 1, BlurKernel: 9, BlurSigma: [2]float64{0.1, 2}}
}

// ChannelMoments returns mean and standard deviation of the intensity of each
// of the three channels over all pixels of s. It panics unless C = 3.
func ChannelMoments(s *Set) (mean, std [3]float64) {
	if s.C != 3 {
		panic(fmt.Sprintf("data: channel moments of %d channels, want 3", s.C))
	}
	var sum, sum2 [3]uint64 // exact: 2⁶⁴ / 255² > 2.8e14 pixels
	for i, v := range s.Pixels {
		sum[i%3] += uint64(v)
		sum2[i%3] += uint64(v) * uint64(v)
	}
	n, white := float64(len(s.Pixels)/3), float64(s.White)
	for k := range 3 {
		m := float64(sum[k]) / n
		mean[k] = m / white
		std[k] = math.Sqrt(float64(sum2[k])/n-m*m) / white
	}
	return mean, std
}

// Size implements Augmentation.
func (a ColourAugmentation) Size(h, w, c int) (vh, vw, vc int, err error) {
	switch {
	case c != 3:
		return 0, 0, 0, fmt.Errorf("data: colour augmentation of images with %d channels, want 3", c)
	case a.CropScale[0] < 0 || a.CropScale[1] < a.CropScale[0] || a.CropScale[1] > 1:
		return 0, 0, 0, fmt.Errorf("data: crop scale %v, want 0 ≤ low ≤ high ≤ 1", a.CropScale)
	case a.CropRatio[0] < 0 || a.CropRatio[1] < a.CropRatio[0]:
		return 0, 0, 0, fmt.Errorf("data: crop ratio %v, want 0 < low ≤ high", a.CropRatio)
	case a.Hue < 0 || a.Hue > 0.5:
		return 0, 0, 0, fmt.Errorf("data: hue %g, want 0 to 0.5", a.Hue)
	case a.Blur > 0 && (a.BlurKernel < 1 || a.BlurKernel%2 == 0 || a.BlurKernel/2 >= min(h, w)):
		return 0, 0, 0, fmt.Errorf("data: blur kernel %d for images of %d×%d, want an odd number below twice their side", a.BlurKernel, w, h)
	case a.Blur > 0 && (a.BlurSigma[0] <= 0 || a.BlurSigma[1] < a.BlurSigma[0]):
		return 0, 0, 0, fmt.Errorf("data: blur σ %v, want 0 < low ≤ high", a.BlurSigma)
	}
	return h, w, c, nil
}

// Draw draws the parameters of one view of an h×w image. Nothing depends on the
// pixels, and a stage of probability 0 takes nothing from r.
func (a ColourAugmentation) Draw(h, w int, r *rand.Rand) augment.Params {
	p := augment.Params{H: h, W: w}
	if a.CropScale[1] > 0 {
		p.Y, p.X, p.H, p.W = a.crop(h, w, r)
	}
	p.Flip = a.Flip > 0 && r.Float64() < a.Flip
	if p.Jitter = a.Jitter > 0 && r.Float64() < a.Jitter; p.Jitter {
		factor := func(b float64) float32 { return float32(uniform(r, max(0, 1-b), 1+b)) }
		p.Brightness, p.Contrast, p.Saturation = factor(a.Brightness), factor(a.Contrast), factor(a.Saturation)
		p.Turn = float32(uniform(r, -a.Hue, a.Hue))
		for place, change := range r.Perm(len(p.Order)) {
			p.Order[place] = augment.Change(change)
		}
	}
	p.Grey = a.Grey > 0 && r.Float64() < a.Grey
	if a.Blur > 0 && r.Float64() < a.Blur {
		p.Sigma = uniform(r, a.BlurSigma[0], a.BlurSigma[1])
	}
	return p
}

// View implements Augmentation.
func (a ColourAugmentation) View(dst []float32, img Image, r *rand.Rand) {
	checkView(dst, a, img)
	a.apply(dst, img, a.Draw(img.H, img.W, r))
}

// pipeline is what augment.Stock.Views needs to know of a.
func (a ColourAugmentation) pipeline() augment.Pipeline {
	p := augment.Pipeline{Crop: a.CropScale[1] > 0, Jitter: a.Jitter > 0, Turn: a.Hue > 0, Grey: a.Grey > 0, Mean: a.Mean, Std: a.Std}
	if a.Blur > 0 {
		p.BlurKernel = a.BlurKernel
	}
	return p
}

// apply makes the view that p describes: the definition of augment.Stock.Views.
func (a ColourAugmentation) apply(dst []float32, img Image, p augment.Params) {
	if a.CropScale[1] > 0 {
		resizeBilinear(dst, img, p.Y, p.X, p.H, p.W)
	} else {
		for i, v := range img.Pixels {
			dst[i] = float32(v) / float32(img.White)
		}
	}
	if p.Flip {
		flipRows(dst, img.H, img.W)
	}
	if p.Jitter {
		a.jitter(dst, p)
	}
	if p.Grey {
		for i := 0; i < len(dst); i += 3 {
			l := luma(dst[i:])
			dst[i], dst[i+1], dst[i+2] = l, l, l
		}
	}
	if p.Sigma > 0 {
		blur(dst, img.H, img.W, a.BlurKernel, p.Sigma)
	}
	for k := range 3 {
		if a.Std[k] != 0 {
			mean, scale := float32(a.Mean[k]), float32(1/a.Std[k])
			for i := k; i < len(dst); i += 3 {
				dst[i] = (dst[i] - mean) * scale
			}
		}
	}
}

// cropTries is the number of rectangles that RandomResizedCrop of torchvision
// draws before it falls back to the largest central one.
const cropTries = 10

// crop draws the rectangle of a random-resized crop of an h×w image.
func (a ColourAugmentation) crop(h, w int, r *rand.Rand) (y, x, ch, cw int) {
	ratio := a.CropRatio
	if ratio == [2]float64{} {
		ratio = [2]float64{3. / 4, 4. / 3}
	}
	area := float64(h * w)
	for range cropTries {
		target := area * uniform(r, a.CropScale[0], a.CropScale[1])
		aspect := math.Exp(uniform(r, math.Log(ratio[0]), math.Log(ratio[1])))
		cw = int(math.Round(math.Sqrt(target * aspect)))
		ch = int(math.Round(math.Sqrt(target / aspect)))
		if 0 < cw && cw <= w && 0 < ch && ch <= h {
			return r.IntN(h - ch + 1), r.IntN(w - cw + 1), ch, cw
		}
	}
	ch, cw = h, w
	switch in := float64(w) / float64(h); {
	case in < ratio[0]:
		ch = min(h, int(math.Round(float64(w)/ratio[0])))
	case in > ratio[1]:
		cw = min(w, int(math.Round(float64(h)*ratio[1])))
	}
	return (h - ch) / 2, (w - cw) / 2, ch, cw
}

// resizeBilinear fills dst, of img's size, from the h×w rectangle of img at
// (y, x). Pixel centres lie at half-integers; the rectangle never exceeds the
// image, so that this only enlarges and needs no smoothing.
func resizeBilinear(dst []float32, img Image, y, x, h, w int) {
	scale := 1 / float32(img.White)
	at := func(size, n, i int) (lo, hi int, f float32) {
		p := (float64(i)+0.5)*float64(size)/float64(n) - 0.5
		p = min(max(p, 0), float64(size-1))
		lo = int(p)
		return lo, min(lo+1, size-1), float32(p - float64(lo))
	}
	for dy := range img.H {
		y0, y1, fy := at(h, img.H, dy)
		row0 := img.Pixels[(y+y0)*img.W*3:]
		row1 := img.Pixels[(y+y1)*img.W*3:]
		for dx := range img.W {
			x0, x1, fx := at(w, img.W, dx)
			x0, x1 = 3*(x+x0), 3*(x+x1)
			for k := range 3 {
				top := (1-fx)*float32(row0[x0+k]) + fx*float32(row0[x1+k])
				low := (1-fx)*float32(row1[x0+k]) + fx*float32(row1[x1+k])
				dst[(dy*img.W+dx)*3+k] = scale * ((1-fy)*top + fy*low)
			}
		}
	}
}

// flipRows exchanges left and right.
func flipRows(v []float32, h, w int) {
	for y := range h {
		row := v[y*w*3 : (y+1)*w*3]
		for l, r := 0, 3*(w-1); l < r; l, r = l+3, r-3 {
			for k := range 3 {
				row[l+k], row[r+k] = row[r+k], row[l+k]
			}
		}
	}
}

// luma is the brightness of an RGB pixel, ITU-R BT.601 weights.
func luma(p []float32) float32 { return 0.299*p[0] + 0.587*p[1] + 0.114*p[2] }

func clamp01(v float32) float32 { return min(max(v, 0), 1) }

// blend replaces v by f·v + (1-f)·to, clamped to [0, 1].
func blend(v *float32, f, to float32) { *v = clamp01(f**v + (1-f)*to) }

// jitter applies the four changes of ColorJitter in the order of p.
func (a ColourAugmentation) jitter(v []float32, p augment.Params) {
	for _, change := range p.Order {
		switch change {
		case augment.Brightness:
			for i := range v {
				v[i] = clamp01(p.Brightness * v[i])
			}
		case augment.Contrast:
			var sum float64
			for i := 0; i < len(v); i += 3 {
				sum += float64(luma(v[i:]))
			}
			mean := float32(sum / float64(len(v)/3))
			for i := range v {
				blend(&v[i], p.Contrast, mean)
			}
		case augment.Saturation:
			for i := 0; i < len(v); i += 3 {
				l := luma(v[i:])
				for k := range 3 {
					blend(&v[i+k], p.Saturation, l)
				}
			}
		case augment.Hue:
			if a.Hue > 0 {
				for i := 0; i < len(v); i += 3 {
					turnHue(v[i:i+3], p.Turn)
				}
			}
		}
	}
}

// turnHue adds turn, a fraction of the full circle, to the hue of an RGB pixel,
// by way of the hexagonal HSV model (Smith 1978).
func turnHue(p []float32, turn float32) {
	hi, lo := max(p[0], p[1], p[2]), min(p[0], p[1], p[2])
	chroma := hi - lo
	if chroma == 0 {
		return
	}
	var h float32 // in sixths of the circle
	switch hi {
	case p[0]:
		h = (p[1] - p[2]) / chroma
	case p[1]:
		h = 2 + (p[2]-p[0])/chroma
	default:
		h = 4 + (p[0]-p[1])/chroma
	}
	h += 6 * turn
	for k, offset := range [3]float32{5, 3, 1} {
		s := float32(math.Mod(float64(offset+h)+12, 6))
		p[k] = hi - chroma*max(0, min(s, 4-s, 1))
	}
}

// blur convolves each channel with a Gaussian cut off at kernel pixels and
// normalised, rows then columns, reflected at the edges without repeating them.
func blur(v []float32, h, w, kernel int, sigma float64) {
	half := kernel / 2
	weight := make([]float32, kernel)
	var sum float64
	for i := range weight {
		g := math.Exp(-float64((i-half)*(i-half)) / (2 * sigma * sigma))
		weight[i] = float32(g)
		sum += g
	}
	for i := range weight {
		weight[i] /= float32(sum)
	}
	reflect := func(i, n int) int {
		if i < 0 {
			i = -i
		}
		if i >= n {
			i = 2*(n-1) - i
		}
		return i
	}
	tmp := make([]float32, len(v))
	for y := range h {
		for x := range w {
			for k := range 3 {
				var s float32
				for i, g := range weight {
					s += g * v[(y*w+reflect(x+i-half, w))*3+k]
				}
				tmp[(y*w+x)*3+k] = s
			}
		}
	}
	for y := range h {
		for x := range w {
			for k := range 3 {
				var s float32
				for i, g := range weight {
					s += g * tmp[(reflect(y+i-half, h)*w+x)*3+k]
				}
				v[(y*w+x)*3+k] = s
			}
		}
	}
}

// Intensity implements Augmentation.
func (a ColourAugmentation) Intensity(v float32, c int) float32 {
	if a.Std[c] == 0 {
		return v
	}
	return v*float32(a.Std[c]) + float32(a.Mean[c])
}

// String implements Augmentation.
func (a ColourAugmentation) String() string {
	return fmt.Sprintf("colour(crop=%v ratio=%v flip=%g jitter=%g×(%g %g %g %g) grey=%g blur=%g×%d%v mean=%.6g std=%.6g)",
		a.CropScale, a.CropRatio, a.Flip, a.Jitter, a.Brightness, a.Contrast, a.Saturation, a.Hue,
		a.Grey, a.Blur, a.BlurKernel, a.BlurSigma, a.Mean, a.Std)
}
