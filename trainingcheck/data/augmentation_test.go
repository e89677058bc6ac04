package data

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// alpha is the probability that a correct random choice fails one of the
// statistical tests below. Seeds are fixed, so that a test that passes once
// passes always; the small value keeps the tests from being tuned to a seed.
const alpha = 1e-6

// law is a property of an augmentation, checked over many views.
type law func(a Augmentation) error

// views calls do for n views of img.
func views(a Augmentation, img Image, n int, do func(v []float32)) {
	h, w, c, err := a.Size(img.H, img.W, img.C)
	if err != nil {
		panic(err)
	}
	v := make([]float32, h*w*c)
	for i := range n {
		a.View(v, img, Key{Seed: 7, Stream: StreamTrainView, Sample: uint64(i)}.Rand())
		do(v)
	}
}

// checkLaw requires that a obeys the law and that every twin breaks it.
func checkLaw(t *testing.T, l law, a Augmentation, twins map[string]Augmentation) {
	t.Helper()
	if err := l(a); err != nil {
		t.Errorf("%v: %v", a, err)
	}
	for name, twin := range twins {
		if l(twin) == nil {
			t.Errorf("the twin %q obeys the law too: the test cannot fail", name)
		}
	}
}

// changed is an augmentation followed by a change of the view: a mutant.
type changed struct {
	Augmentation
	change func(v []float32, r *rand.Rand)
}

func (c changed) View(dst []float32, img Image, r *rand.Rand) {
	c.Augmentation.View(dst, img, r)
	c.change(dst, r)
}

// chiSquare tests counts against the uniform distribution at level alpha: the
// statistic Σ(n-e)²/e is χ² with len(counts)-1 degrees of freedom for expected
// counts e far above 5 (Pearson 1900); its 1-alpha quantile is the bound.
func chiSquare(counts []int) error {
	total := 0
	for _, n := range counts {
		total += n
	}
	e := float64(total) / float64(len(counts))
	var x float64
	for _, n := range counts {
		x += (float64(n) - e) * (float64(n) - e) / e
	}
	if bound := (distuv.ChiSquared{K: float64(len(counts) - 1)}).Quantile(1 - alpha); x > bound {
		return fmt.Errorf("χ² = %.1f for counts %v, bound %.1f", x, counts, bound)
	}
	return nil
}

// meanWithin tests the mean of n independent values of known deviation sd
// against want: |mean-want| ≤ z·sd/√n with z the two-sided alpha quantile of
// the normal distribution (central limit theorem).
func meanWithin(mean, want, sd float64, n int) error {
	bound := distuv.UnitNormal.Quantile(1-alpha/2) * sd / math.Sqrt(float64(n))
	if math.Abs(mean-want) > bound {
		return fmt.Errorf("mean %.6g of %d values, want %.6g ± %.2g", mean, n, want, bound)
	}
	return nil
}

func whiteDigit() Image {
	px := make([]uint8, 64)
	for i := range px {
		px[i] = 16
	}
	return Image{H: 8, W: 8, C: 1, White: 16, Pixels: px}
}

func oneDot() Image {
	px := make([]uint8, 64)
	px[0] = 16
	return Image{H: 8, W: 8, C: 1, White: 16, Pixels: px}
}

func TestShiftVisitsTheNinePlacesEvenly(t *testing.T) {
	law := func(a Augmentation) error {
		counts := make([]int, 9)
		var err error
		views(a, oneDot(), 9000, func(v []float32) {
			at := slices.Index(v, 1)
			if at < 0 || at/10 > 2 || at%10 > 2 {
				err = fmt.Errorf("the dot is at %d", at)
				return
			}
			counts[at/10*3+at%10]++
		})
		return errors.Join(err, chiSquare(counts))
	}
	shift := ShiftAugmentation{Canvas: 10}
	checkLaw(t, law, shift, map[string]Augmentation{
		"one place in nine left out, its views sent to the next": changed{shift, func(v []float32, _ *rand.Rand) {
			if v[0] == 1 {
				v[0], v[1] = 0, 1
			}
		}},
		"a canvas of 9": ShiftAugmentation{Canvas: 9},
		"no shift":      ShiftAugmentation{},
	})
}

func TestContrastIsUniformAboutOne(t *testing.T) {
	law := func(a Augmentation) error {
		counts := make([]int, 10)
		var err error
		views(a, whiteDigit(), 10000, func(v []float32) {
			bin := int(math.Floor((float64(v[0]) - 0.75) / 0.5 * 10))
			if bin < 0 || bin > 9 {
				err = fmt.Errorf("contrast %g", v[0])
				return
			}
			counts[bin]++
			if slices.Min(v) != slices.Max(v) {
				err = fmt.Errorf("a white image became uneven")
			}
		})
		return errors.Join(err, chiSquare(counts))
	}
	checkLaw(t, law, ShiftAugmentation{Contrast: 0.25}, map[string]Augmentation{
		"contrast ±30 %": ShiftAugmentation{Contrast: 0.30},
		"contrast ±20 %": ShiftAugmentation{Contrast: 0.20},
		"noise":          ShiftAugmentation{Contrast: 0.25, Noise: 0.01},
	})
}

func TestCutoutIsAThreeByThreeSquareInThreeViewsOfTen(t *testing.T) {
	const n = 20000
	law := func(a Augmentation) error {
		cut := 0
		places := make([]int, 36) // 6×6 places of a 3×3 square in 8×8
		var err error
		views(a, whiteDigit(), n, func(v []float32) {
			at := slices.Index(v, 0)
			if at < 0 {
				return
			}
			cut++
			y, x := at/8, at%8
			black := 0
			for i := range v {
				if v[i] == 0 {
					black++
				}
			}
			if y > 5 || x > 5 || black != 9 || v[(y+2)*8+x+2] != 0 || v[(y+2)*8+x] != 0 || v[y*8+x+2] != 0 {
				err = fmt.Errorf("%d black pixels from row %d, column %d", black, y, x)
				return
			}
			places[y*6+x]++
		})
		return errors.Join(err, chiSquare(places), meanWithin(float64(cut)/n, 0.3, math.Sqrt(0.3*0.7), n))
	}
	checkLaw(t, law, ShiftAugmentation{Cutout: 3, CutoutProb: 0.3}, map[string]Augmentation{
		"2×2":                  ShiftAugmentation{Cutout: 2, CutoutProb: 0.3},
		"in a view out of two": ShiftAugmentation{Cutout: 3, CutoutProb: 0.5},
		"never":                ShiftAugmentation{Cutout: 3},
	})
}

func TestNoiseHasItsDeviation(t *testing.T) {
	const n, sd = 2000, 0.07
	law := func(a Augmentation) error {
		var sum, sum2 float64
		black := Image{H: 8, W: 8, C: 1, White: 16, Pixels: make([]uint8, 64)}
		views(a, black, n, func(v []float32) {
			for _, x := range v {
				sum += float64(x)
				sum2 += float64(x) * float64(x)
			}
		})
		// Of a normal variable x, x² has deviation √2·σ².
		return errors.Join(meanWithin(sum/(64*n), 0, sd, 64*n), meanWithin(sum2/(64*n), sd*sd, math.Sqrt2*sd*sd, 64*n))
	}
	checkLaw(t, law, ShiftAugmentation{Noise: sd}, map[string]Augmentation{
		"σ² for σ":   ShiftAugmentation{Noise: sd * sd},
		"clipped":    changed{ShiftAugmentation{Noise: sd}, func(v []float32, _ *rand.Rand) { clipNegative(v) }},
		"3 % larger": ShiftAugmentation{Noise: 1.03 * sd},
	})
}

func clipNegative(v []float32) {
	for i := range v {
		v[i] = max(v[i], 0)
	}
}

// ramp is a colour image in which every pixel is different and no symmetry holds.
func ramp() Image {
	img := Image{H: 16, W: 16, C: 3, White: 255, Pixels: make([]uint8, 16*16*3)}
	for y := range 16 {
		for x := range 16 {
			p := img.Pixels[(y*16+x)*3:]
			p[0], p[1], p[2] = uint8(40+10*x), uint8(40+10*y), uint8(60+3*x+6*y)
		}
	}
	return img
}

func intensities(img Image) []float32 {
	v := make([]float32, len(img.Pixels))
	for i, p := range img.Pixels {
		v[i] = float32(p) / float32(img.White)
	}
	return v
}

func TestZeroAugmentationsChangeNothing(t *testing.T) {
	for _, c := range []struct {
		a   Augmentation
		img Image
	}{{ShiftAugmentation{}, oneDot()}, {ColourAugmentation{}, ramp()}, {ColourAugmentation{Jitter: 1}, ramp()}} {
		want := intensities(c.img)
		law := func(a Augmentation) (err error) {
			views(a, c.img, 20, func(v []float32) {
				// A jitter by the factor 1 rounds a few times: 8 units of float32.
				for i := range v {
					if math.Abs(float64(v[i]-want[i])) > 8*0x1p-24 {
						err = fmt.Errorf("value %d is %g, was %g", i, v[i], want[i])
					}
				}
			})
			return err
		}
		checkLaw(t, law, c.a, map[string]Augmentation{
			"one pixel a grey level brighter": changed{c.a, func(v []float32, _ *rand.Rand) { v[5] += 1. / 255 }},
		})
	}
}

func TestFlipExchangesLeftAndRightHalfTheTime(t *testing.T) {
	const n = 4000
	img := ramp()
	plain := intensities(img)
	law := func(a Augmentation) error {
		flipped := 0
		var err error
		views(a, img, n, func(v []float32) {
			same, mirror := true, true
			for y := range 16 {
				for x := range 16 {
					for k := range 3 {
						same = same && v[(y*16+x)*3+k] == plain[(y*16+x)*3+k]
						mirror = mirror && v[(y*16+x)*3+k] == plain[(y*16+15-x)*3+k]
					}
				}
			}
			switch {
			case mirror:
				flipped++
			case !same:
				err = errors.New("neither the image nor its mirror image")
			}
		})
		return errors.Join(err, meanWithin(float64(flipped)/n, 0.5, 0.5, n))
	}
	upsideDown := func(v []float32, r *rand.Rand) {
		if r.IntN(2) == 0 {
			for y := range 8 {
				for i := range 48 {
					v[y*48+i], v[(15-y)*48+i] = v[(15-y)*48+i], v[y*48+i]
				}
			}
		}
	}
	checkLaw(t, law, ColourAugmentation{Flip: 0.5}, map[string]Augmentation{
		"never":               ColourAugmentation{},
		"always":              ColourAugmentation{Flip: 1},
		"upside down instead": changed{ColourAugmentation{}, upsideDown},
		"channels too":        changed{ColourAugmentation{Flip: 0.5}, func(v []float32, _ *rand.Rand) { slices.Reverse(v) }},
	})
}

// TestCropFollowsTorchvision checks the rectangles of the random-resized crop:
// inside the image, area and shape within the limits up to the rounding of the
// sides, and the place of a given size uniform.
func TestCropFollowsTorchvision(t *testing.T) {
	type rectangle struct{ y, x, h, w int }
	draw := func(a ColourAugmentation) (out []rectangle) {
		for i := range 40000 {
			y, x, h, w := a.crop(32, 32, Key{Seed: 3, Sample: uint64(i)}.Rand())
			out = append(out, rectangle{y, x, h, w})
		}
		return out
	}
	law := func(rects []rectangle) error {
		var area, logRatio float64
		whole := 0
		left := make([]int, 13)
		for _, r := range rects {
			if r.y < 0 || r.x < 0 || r.y+r.h > 32 || r.x+r.w > 32 {
				return fmt.Errorf("rectangle %v", r)
			}
			// Sides are rounded by at most ½: the limits hold for sides ± ½.
			h, w := float64(r.h), float64(r.w)
			if (h+0.5)*(w+0.5) < 0.08*1024 || (h-0.5)*(w-0.5) > 1024 || (w-0.5)/(h+0.5) > 4./3 || (w+0.5)/(h-0.5) < 3./4 {
				return fmt.Errorf("rectangle %v", r)
			}
			area += h * w / 1024
			logRatio += math.Log(w / h)
			if r.w == 20 {
				left[r.x]++
			}
			if r.h == 32 && r.w == 32 {
				whole++
			}
		}
		n := len(rects)
		// The shape is symmetric between upright and lying rectangles: mean 0,
		// deviation below that of a uniform variable on ±ln(4/3).
		return errors.Join(chiSquare(left), meanWithin(logRatio/float64(n), 0, math.Log(4./3)/math.Sqrt(3), n))
	}
	if err := law(draw(ColourAugmentation{CropScale: [2]float64{0.08, 1}})); err != nil {
		t.Error(err)
	}
	for name, twin := range map[string]ColourAugmentation{
		"area from 0.02":    {CropScale: [2]float64{0.02, 1}},
		"shape 1/2 to 4/3":  {CropScale: [2]float64{0.08, 1}, CropRatio: [2]float64{0.5, 4. / 3}},
		"lying shapes only": {CropScale: [2]float64{0.08, 1}, CropRatio: [2]float64{1, 4. / 3}},
	} {
		if law(draw(twin)) == nil {
			t.Errorf("the twin %q obeys the law too", name)
		}
	}
	// A long image has no rectangle of its full area in shape: the central one.
	y, x, h, w := ColourAugmentation{CropScale: [2]float64{1, 1}}.crop(10, 40, Key{}.Rand())
	if y != 0 || h != 10 || w != 13 || x != 13 {
		t.Errorf("fallback (%d, %d) %d×%d, want (0, 13) 10×13", y, x, h, w)
	}
}

// TestResizeReproducesLinearImages: bilinear interpolation is exact on images
// linear in the coordinates, away from the edge pixels where it is constant.
func TestResizeReproducesLinearImages(t *testing.T) {
	img := ramp()
	v := make([]float32, len(img.Pixels))
	const y, x, h, w = 3, 2, 8, 12
	resizeBilinear(v, img, y, x, h, w)
	for dy := range 16 {
		for dx := range 16 {
			sy := min(max((float64(dy)+0.5)*h/16-0.5, 0), h-1) + y
			sx := min(max((float64(dx)+0.5)*w/16-0.5, 0), w-1) + x
			want := [3]float64{(40 + 10*sx) / 255, (40 + 10*sy) / 255, (60 + 3*sx + 6*sy) / 255}
			for k := range 3 {
				// A handful of float32 operations on numbers below 1.
				if got := float64(v[(dy*16+dx)*3+k]); math.Abs(got-want[k]) > 16*0x1p-24 {
					t.Fatalf("(%d,%d,%d) = %.8f, want %.8f", dy, dx, k, got, want[k])
				}
			}
		}
	}
}

func TestHueTurnsTheColourCircle(t *testing.T) {
	for _, c := range []struct {
		turn float32
		want [3]float32 // of red
	}{{0, [3]float32{1, 0, 0}}, {1. / 3, [3]float32{0, 1, 0}}, {-1. / 3, [3]float32{0, 0, 1}}, {0.5, [3]float32{0, 1, 1}}, {1. / 12, [3]float32{1, 0.5, 0}}} {
		p := []float32{1, 0, 0}
		turnHue(p, c.turn)
		for k := range 3 {
			if math.Abs(float64(p[k]-c.want[k])) > 16*0x1p-24 {
				t.Errorf("red turned by %g is %v, want %v", c.turn, p, c.want)
				break
			}
		}
	}
	r := Key{Seed: 5}.Rand()
	for range 1000 {
		p := []float32{r.Float32(), r.Float32(), r.Float32()}
		q := slices.Clone(p)
		turn := r.Float32() - 0.5
		turnHue(q, turn)
		// The turn keeps the largest and the smallest channel, and turning back restores the pixel.
		if math.Abs(float64(slices.Max(q)-slices.Max(p))) > 1e-6 || math.Abs(float64(slices.Min(q)-slices.Min(p))) > 1e-6 {
			t.Fatalf("%v turned by %g is %v", p, turn, q)
		}
		turnHue(q, -turn)
		for k := range 3 {
			// Near a grey pixel the hue is ill-conditioned, its effect on the pixel is not: errors stay near float32's 6e-8 times six sectors and a division by the chroma that is multiplied back.
			if math.Abs(float64(q[k]-p[k])) > 1e-5 {
				t.Fatalf("%v turned by %g and back is %v", p, turn, q)
			}
		}
	}
}

// TestJitterFactors: with one of the four changes alone, on an image far from
// black and white, the change can be read off and is uniform in its interval.
func TestJitterFactors(t *testing.T) {
	img := Image{H: 4, W: 4, C: 3, White: 255, Pixels: make([]uint8, 48)}
	for i := range img.Pixels {
		img.Pixels[i] = uint8(90 + 17*i%60)
	}
	plain := intensities(img)
	mean := 0.
	for i := 0; i < 48; i += 3 {
		mean += float64(luma(plain[i:])) / 16
	}
	for _, c := range []struct {
		name   string
		a      ColourAugmentation
		twin   ColourAugmentation
		factor func(v []float32) float64
	}{
		{"brightness", ColourAugmentation{Jitter: 1, Brightness: 0.4}, ColourAugmentation{Jitter: 1, Brightness: 0.5},
			func(v []float32) float64 { return float64(v[7] / plain[7]) }},
		{"contrast", ColourAugmentation{Jitter: 1, Contrast: 0.4}, ColourAugmentation{Jitter: 1, Contrast: 0.3},
			func(v []float32) float64 { return (float64(v[7]) - mean) / (float64(plain[7]) - mean) }},
		{"saturation", ColourAugmentation{Jitter: 1, Saturation: 0.4}, ColourAugmentation{Jitter: 1, Contrast: 0.4},
			func(v []float32) float64 {
				l := luma(plain[6:])
				return float64((v[7] - l) / (plain[7] - l))
			}},
	} {
		law := func(a Augmentation) error {
			counts := make([]int, 8)
			var err error
			views(a, img, 8000, func(v []float32) {
				f := c.factor(v)
				bin := int(math.Floor((f - 0.6) / 0.8 * 8 * (1 - 1e-5)))
				if bin < 0 || bin > 7 {
					err = fmt.Errorf("%s factor %g", c.name, f)
					return
				}
				counts[bin]++
			})
			return errors.Join(err, chiSquare(counts))
		}
		checkLaw(t, law, c.a, map[string]Augmentation{"another factor": c.twin, "none": ColourAugmentation{}})
	}
}

func TestJitterAndGreyStayInRangeAndAreAsFrequentAsAsked(t *testing.T) {
	const n = 5000
	img := ramp()
	plain := intensities(img)
	law := func(a Augmentation) error {
		grey, same := 0, 0
		var err error
		views(a, img, n, func(v []float32) {
			if slices.Min(v) < 0 || slices.Max(v) > 1+8*0x1p-24 {
				err = fmt.Errorf("intensity outside [0, 1]: %g to %g", slices.Min(v), slices.Max(v))
			}
			g := true
			for i := 0; i < len(v); i += 3 {
				g = g && v[i] == v[i+1] && v[i] == v[i+2]
			}
			if g {
				grey++
			}
			if slices.Equal(v, plain) {
				same++
			}
		})
		return errors.Join(err,
			meanWithin(float64(grey)/n, 0.2, math.Sqrt(0.2*0.8), n),
			meanWithin(float64(same)/n, 0.2*0.8, math.Sqrt(0.16*0.84), n)) // neither jitter nor grey
	}
	paper := CIFARAugmentation([3]float64{}, [3]float64{})
	paper.CropScale, paper.Flip = [2]float64{}, 0
	never, always := paper, paper
	never.Grey, always.Jitter = 0, 1
	checkLaw(t, law, paper, map[string]Augmentation{
		"never grey": never, "always jitter": always,
		"too bright": changed{paper, func(v []float32, _ *rand.Rand) { v[3] += 0.5 }},
	})
}

// TestBlurIsANormalisedGaussian: a point becomes the Gaussian's weights, a
// constant image stays, and the blurred point keeps its sum.
func TestBlurIsANormalisedGaussian(t *testing.T) {
	const side, kernel, sigma = 21, 9, 1.3
	law := func(f func(v []float32)) error {
		v := make([]float32, side*side*3)
		v[(10*side+10)*3+1] = 1
		f(v)
		var norm float64
		for i := -4; i <= 4; i++ {
			norm += math.Exp(-float64(i*i) / (2 * sigma * sigma))
		}
		for y := range side {
			for x := range side {
				for k := range 3 {
					want := 0.
					if dy, dx := y-10, x-10; k == 1 && max(dy, -dy) <= 4 && max(dx, -dx) <= 4 {
						want = math.Exp(-float64(dy*dy+dx*dx)/(2*sigma*sigma)) / (norm * norm)
					}
					if got := float64(v[(y*side+x)*3+k]); math.Abs(got-want) > 8*0x1p-24 {
						return fmt.Errorf("(%d,%d,%d) = %g, want %g", y, x, k, got, want)
					}
				}
			}
		}
		for i := range v {
			v[i] = 0.7
		}
		f(v)
		for i := range v {
			if math.Abs(float64(v[i])-0.7) > 16*0x1p-24 {
				return fmt.Errorf("constant image became %g", v[i])
			}
		}
		return nil
	}
	if err := law(func(v []float32) { blur(v, side, side, kernel, sigma) }); err != nil {
		t.Error(err)
	}
	if law(func(v []float32) { blur(v, side, side, kernel, 1.4) }) == nil || law(func(v []float32) { blur(v, side, side, 7, sigma) }) == nil {
		t.Error("another σ or kernel obeys the law too")
	}
	// Reflection at the edge: columns 1, 0 | 0 is at the edge, 1 counts twice.
	// Three equal rows, so that only the columns blur.
	rows := func(column int) []float32 {
		v := make([]float32, 27)
		for y := range 3 {
			v[(3*y+column)*3] = 1
		}
		blur(v, 3, 3, 3, 1)
		return v
	}
	g := math.Exp(-0.5)
	if got, want := float64(rows(0)[0]), 1/(1+2*g); math.Abs(got-want) > 8*0x1p-24 {
		t.Errorf("edge pixel %g, want %g", got, want)
	}
	if got, want := float64(rows(1)[0]), 2*g/(1+2*g); math.Abs(got-want) > 8*0x1p-24 {
		t.Errorf("edge pixel %g, want %g: the neighbour counts twice", got, want)
	}
}

func TestNormalisedViewsHaveZeroMeanAndUnitDeviation(t *testing.T) {
	set := &Set{H: 16, W: 16, C: 3, White: 255, Classes: []string{"x"}, Labels: []int{0}, Pixels: ramp().Pixels}
	mean, std := ChannelMoments(set)
	a := ColourAugmentation{Mean: mean, Std: std}
	v := make([]float32, len(set.Pixels))
	a.View(v, set.Image(0), Key{}.Rand())
	for k := range 3 {
		var s, s2 float64
		for i := k; i < len(v); i += 3 {
			s += float64(v[i])
			s2 += float64(v[i]) * float64(v[i])
			if back, want := a.Intensity(v[i], k), float32(set.Pixels[i])/255; math.Abs(float64(back-want)) > 8*0x1p-24 {
				t.Fatalf("intensity %g of pixel %d, want %g", back, i, want)
			}
		}
		// float32 rounding of 256 values of size 2.
		if math.Abs(s/256) > 1e-6 || math.Abs(s2/256-1) > 1e-6 {
			t.Errorf("channel %d: mean %g, second moment %g", k, s/256, s2/256)
		}
	}
}

func TestImpossibleAugmentationsAreRefused(t *testing.T) {
	for _, c := range []struct {
		a       Augmentation
		h, w, c int
	}{
		{ShiftAugmentation{Canvas: 7}, 8, 8, 1},
		{ShiftAugmentation{Cutout: 9}, 8, 8, 1},
		{ShiftAugmentation{Cutout: -1}, 8, 8, 1},
		{ColourAugmentation{}, 8, 8, 1},
		{ColourAugmentation{CropScale: [2]float64{0.5, 0.2}}, 8, 8, 3},
		{ColourAugmentation{CropScale: [2]float64{0.5, 1.2}}, 8, 8, 3},
		{ColourAugmentation{CropRatio: [2]float64{2, 1}}, 8, 8, 3},
		{ColourAugmentation{Hue: 0.6}, 8, 8, 3},
		{ColourAugmentation{Blur: 1, BlurKernel: 4, BlurSigma: [2]float64{1, 2}}, 8, 8, 3},
		{ColourAugmentation{Blur: 1, BlurKernel: 17, BlurSigma: [2]float64{1, 2}}, 8, 8, 3},
		{ColourAugmentation{Blur: 1, BlurKernel: 5, BlurSigma: [2]float64{0, 2}}, 8, 8, 3},
	} {
		if _, _, _, err := c.a.Size(c.h, c.w, c.c); err == nil {
			t.Errorf("%v for %d×%d×%d: no error", c.a, c.h, c.w, c.c)
		}
	}
}

func TestContactSheetShowsImageAndViews(t *testing.T) {
	train, _, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	a := DigitsAugmentation()
	sheet, err := ContactSheet(train, a, []int{4, 9}, 3, 5, 11)
	if err != nil {
		t.Fatal(err)
	}
	if b := sheet.Bounds(); b.Dx() != 4*52+2 || b.Dy() != 2*52+2 {
		t.Fatalf("sheet of %v", b)
	}
	for row, i := range []int{4, 9} {
		view := make([]float32, 100)
		for v := range 3 {
			a.View(view, train.Image(i), Key{Seed: 11, Stream: StreamTrainView, Sample: uint64(row), View: uint64(v)}.Rand())
			for p, want := range view {
				x, y := 2+(v+1)*52+5*(p%10)+2, 2+row*52+5*(p/10)+2
				if got := sheet.RGBAAt(x, y).G; got != uint8(math.Round(255*min(max(float64(want), 0), 1))) {
					t.Fatalf("row %d, view %d, pixel %d is %d, want %g", row, v, p, got, want)
				}
			}
		}
		for p, want := range train.Image(i).Pixels {
			if got := sheet.RGBAAt(2+5*(p%8), 2+row*52+5*(p/8)).R; got != uint8(math.Round(255*float64(want)/16)) {
				t.Fatalf("row %d, pixel %d of the image is %d, want %d of 16", row, p, got, want)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "sheet.png")
	if err := WritePNG(path, sheet); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("no picture: %v", err)
	}
}
