package data

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// inOneGo draws and changes pixels together: what View did before it was split
// into Draw and apply, and the order of the draws that recorded runs depend on.
func inOneGo(a ColourAugmentation, dst []float32, img Image, r *rand.Rand) {
	if a.CropScale[1] > 0 {
		y, x, h, w := a.crop(img.H, img.W, r)
		resizeBilinear(dst, img, y, x, h, w)
	} else {
		for i, v := range img.Pixels {
			dst[i] = float32(v) / float32(img.White)
		}
	}
	if a.Flip > 0 && r.Float64() < a.Flip {
		flipRows(dst, img.H, img.W)
	}
	if a.Jitter > 0 && r.Float64() < a.Jitter {
		factor := func(b float64) float32 { return float32(uniform(r, max(0, 1-b), 1+b)) }
		p := augment.Params{Brightness: factor(a.Brightness), Contrast: factor(a.Contrast), Saturation: factor(a.Saturation)}
		p.Turn = float32(uniform(r, -a.Hue, a.Hue))
		for i, c := range r.Perm(4) {
			p.Order[i] = augment.Change(c)
		}
		a.jitter(dst, p)
	}
	if a.Grey > 0 && r.Float64() < a.Grey {
		for i := 0; i < len(dst); i += 3 {
			l := luma(dst[i:])
			dst[i], dst[i+1], dst[i+2] = l, l, l
		}
	}
	if a.Blur > 0 && r.Float64() < a.Blur {
		blur(dst, img.H, img.W, a.BlurKernel, uniform(r, a.BlurSigma[0], a.BlurSigma[1]))
	}
	ColourAugmentation{Mean: a.Mean, Std: a.Std}.normaliseOnly(dst)
}

func (a ColourAugmentation) normaliseOnly(dst []float32) {
	for i := range dst {
		if k := i % 3; a.Std[k] != 0 {
			dst[i] = (dst[i] - float32(a.Mean[k])) * float32(1/a.Std[k])
		}
	}
}

// pipelines are augmentations that between them use and leave out every stage.
func pipelines() map[string]ColourAugmentation {
	often := STLAugmentation()
	often.Blur, often.Mean, often.Std = 0.5, [3]float64{0.4, 0.5, 0.6}, [3]float64{0.3, 0, 0.2}
	return map[string]ColourAugmentation{
		"cifar":        CIFARAugmentation([3]float64{0.49, 0.48, 0.45}, [3]float64{0.25, 0.24, 0.26}),
		"stl":          often,
		"nothing":      {},
		"flip":         {Flip: 0.5},
		"jitter alone": {Jitter: 0.7, Brightness: 0.4, Contrast: 0.3, Saturation: 0.9, Hue: 0.5},
		"no hue":       {CropScale: [2]float64{0.01, 1}, Jitter: 1, Contrast: 0.4, Saturation: 0.4},
		"grey, blur":   {Grey: 0.5, Blur: 0.5, BlurKernel: 3, BlurSigma: [2]float64{0.05, 3}},
	}
}

func TestViewsAreDrawnInTheRecordedOrder(t *testing.T) {
	img := ramp()
	law := func(a ColourAugmentation, swap func(p augment.Params, r *rand.Rand) augment.Params) error {
		want, got := make([]float32, len(img.Pixels)), make([]float32, len(img.Pixels))
		for i := range 300 {
			k := Key{Seed: 8, Stream: StreamTrainView, Sample: uint64(i)}
			one, two := k.Rand(), k.Rand()
			inOneGo(a, want, img, one)
			if swap == nil {
				a.View(got, img, two)
			} else {
				a.apply(got, img, swap(a.Draw(img.H, img.W, two), two))
			}
			if !slices.Equal(want, got) {
				return fmt.Errorf("view %d differs", i)
			}
			if one.Uint64() != two.Uint64() {
				return fmt.Errorf("view %d leaves its generator at another place", i)
			}
		}
		return nil
	}
	for name, a := range pipelines() {
		if err := law(a, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, twin := range map[string]func(augment.Params, *rand.Rand) augment.Params{
		"one more draw":  func(p augment.Params, r *rand.Rand) augment.Params { r.Uint64(); return p },
		"flip forgotten": func(p augment.Params, _ *rand.Rand) augment.Params { p.Flip = false; return p },
		"factors exchanged": func(p augment.Params, _ *rand.Rand) augment.Params {
			p.Contrast, p.Saturation = p.Saturation, p.Contrast
			return p
		},
		"order reversed": func(p augment.Params, _ *rand.Rand) augment.Params { slices.Reverse(p.Order[:]); return p },
	} {
		if law(pipelines()["cifar"], twin) == nil {
			t.Errorf("the twin %q passes", name)
		}
	}
}

// viewBound bounds the difference between two correct float32 evaluations of a
// view that round, fuse or sum differently.
//
// Let δ bound the difference of intensities before a stage and u = 2⁻²⁴. Every
// stage is a continuous function of the pixels (see turnHue), so that δ grows by
// its Lipschitz constant in the largest channel, plus the rounding of both sides:
//
//	crop             δ = 16u: weights and a sum of four on each side
//	brightness       (1+b)·δ: clamping does not enlarge
//	contrast, saturation   f·v + (1−f)·to with f ≤ 1+b: (f + |1−f|)·(δ+16u) ≤ (1+2b)·(δ+16u)
//	hue              7δ + 64u: hi − chroma·t is hi, lo, or hi − c·chroma ∓ (difference
//	                 of two channels) with |c| ≤ 2: 1 + 2·2 + 2; the hue is below 14 sixths
//	grey             δ + 16u
//	blur             δ + (8·kernel+16)·u: an average whose weights, exp among them, round too
//	normalise        (δ + 4u)/Std
//
// The largest over all orders of the jitter is taken.
func viewBound(a ColourAugmentation) float64 {
	const u = 0x1p-24
	delta := 16 * u
	if a.Jitter > 0 {
		before := delta
		for _, order := range orders() {
			d := before
			for _, c := range order {
				switch c {
				case augment.Brightness:
					d = (1 + a.Brightness) * (d + 4*u)
				case augment.Contrast:
					d = (1 + 2*a.Contrast) * (d + 16*u)
				case augment.Saturation:
					d = (1 + 2*a.Saturation) * (d + 16*u)
				case augment.Hue:
					if a.Hue > 0 {
						d = 7*d + 64*u
					}
				}
			}
			delta = max(delta, d)
		}
	}
	if a.Grey > 0 {
		delta += 16 * u
	}
	if a.Blur > 0 {
		delta += float64(8*a.BlurKernel+16) * u
	}
	scale := 1.0
	for _, s := range a.Std {
		if s != 0 {
			scale = max(scale, 1/s)
		}
	}
	return (delta + 4*u) * scale
}

// orders are the 24 orders of the four changes.
func orders() (all [][4]augment.Change) {
	for i := range 256 {
		o := [4]augment.Change{augment.Change(i & 3), augment.Change(i >> 2 & 3), augment.Change(i >> 4 & 3), augment.Change(i >> 6)}
		s := o
		slices.Sort(s[:])
		if s == [4]augment.Change{0, 1, 2, 3} {
			all = append(all, o)
		}
	}
	return all
}

// gallery is a set of images with every special case of a pixel: grey, black,
// white, two channels equal above or below the third.
func gallery(h, w int) *Set {
	const n = 6
	s := &Set{H: h, W: w, C: 3, White: 255, Classes: []string{"x"}, Labels: make([]int, n), Pixels: make([]uint8, n*h*w*3)}
	for i := range n {
		img := s.Image(i).Pixels
		for p := range h * w {
			r := mix64(uint64(i*h*w + p))
			px := [3]uint8{uint8(r), uint8(r >> 8), uint8(r >> 16)}
			switch i {
			case 1: // grey
				px[1], px[2] = px[0], px[0]
			case 2: // two channels equal
				px[p%3] = px[(p+1)%3]
			case 3: // corners of the colour cube
				for k := range px {
					px[k] = px[k] & 1 * 255
				}
			case 4: // smooth
				px = [3]uint8{uint8(p * 255 / (h * w)), uint8(p % w * 255 / w), uint8(p / w * 255 / h)}
			case 5: // one grey level apart
				px[1], px[2] = px[0]^1, px[0]
			}
			copy(img[3*p:], px[:])
		}
	}
	return s
}

// deviceViews makes the views of images with records on an engine.
func deviceViews(tb testing.TB, e *engine.Engine, s augment.Stock, images []int32, records []augment.Params) []float32 {
	tb.Helper()
	var flat []float32
	for _, p := range records {
		flat = p.Append(flat)
	}
	x, err := graph.NewExec(e.Backend, s.Views)
	if err != nil {
		tb.Fatal(err)
	}
	defer x.Finalize()
	out, err := x.Call(tensors.FromFlatDataAndDimensions(s.Pixels, len(s.Pixels)/3, 3),
		tensors.FromFlatDataAndDimensions(images, len(images)), tensors.FromFlatDataAndDimensions(flat, len(images), augment.Width))
	if err != nil {
		tb.Fatal(err)
	}
	v, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// hostViews makes them by the definition.
func hostViews(a ColourAugmentation, set *Set, images []int32, records []augment.Params) []float32 {
	dim := set.H * set.W * 3
	v := make([]float32, len(images)*dim)
	for i, image := range images {
		a.apply(v[i*dim:(i+1)*dim], set.Image(int(image)), records[i])
	}
	return v
}

func stock(tb testing.TB, a ColourAugmentation, set *Set) augment.Stock {
	tb.Helper()
	src, err := NewImageSource(set, a, 1, 1)
	if err != nil {
		tb.Fatal(err)
	}
	s, ok := src.Stock()
	if !ok {
		tb.Fatal("no stock")
	}
	if err := s.Check(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// cases are drawn records and the edges of every parameter, each for every image.
func cases(a ColourAugmentation, set *Set, draws int) (images []int32, records []augment.Params) {
	add := func(p augment.Params) {
		for i := range set.Len() {
			images, records = append(images, int32(i)), append(records, p)
		}
	}
	r := Key{Seed: 21, Stream: StreamTrainView}.Rand()
	for i := range draws {
		images, records = append(images, int32(i%set.Len())), append(records, a.Draw(set.H, set.W, r))
	}
	h, w := set.H, set.W
	whole := augment.Params{H: h, W: w}
	add(whole)
	if a.CropScale[1] > 0 {
		for _, p := range []augment.Params{{H: 1, W: 1}, {Y: h - 1, X: w - 1, H: 1, W: 1}, {Y: 1, X: 2, H: 2, W: w - 2}, {X: w - 1, H: h, W: 1}, {H: h - 1, W: w}} {
			add(p)
		}
	}
	if a.Flip > 0 {
		add(augment.Params{H: h, W: w, Flip: true})
	}
	if a.Jitter > 0 {
		for i, order := range orders() {
			p := augment.Params{H: h, W: w, Jitter: true, Order: order}
			ends := [2]float64{max(0, 1-a.Brightness), 1 + a.Brightness}
			p.Brightness = float32(ends[i&1])
			ends = [2]float64{max(0, 1-a.Contrast), 1 + a.Contrast}
			p.Contrast = float32(ends[i>>1&1])
			ends = [2]float64{max(0, 1-a.Saturation), 1 + a.Saturation}
			p.Saturation = float32(ends[i>>2&1])
			p.Turn = float32([3]float64{-a.Hue, 0, a.Hue}[i%3])
			add(p)
		}
	}
	if a.Grey > 0 {
		add(augment.Params{H: h, W: w, Grey: true})
	}
	if a.Blur > 0 {
		add(augment.Params{H: h, W: w, Sigma: a.BlurSigma[0]})
		add(augment.Params{H: h, W: w, Sigma: a.BlurSigma[1]})
	}
	return images, records
}

// engines opens those that can make views here and skips, with the reason, where none can.
func engines(tb testing.TB) []*engine.Engine {
	tb.Helper()
	var all []*engine.Engine
	var missing []string
	for _, kind := range []string{engine.CPUGoMLX, engine.XLACPU, engine.GPU} {
		e, err := engine.Open(kind)
		var u *engine.UnavailableError
		if errors.As(err, &u) && u.Missing() {
			missing = append(missing, err.Error())
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(e.Close)
		all = append(all, e)
	}
	if len(all) == 0 {
		tb.Skip("no engine that makes views is here: " + strings.Join(missing, "; "))
	}
	return all
}

func largestGap(a, b []float32) float64 {
	var worst float64
	for i := range a {
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= worst) {
			worst = d
		}
	}
	return worst
}

func TestDeviceViewsAreTheHostsViews(t *testing.T) {
	for _, e := range engines(t) {
		for name, a := range pipelines() {
			for _, size := range [][2]int{{16, 16}, {11, 9}} {
				set := gallery(size[0], size[1])
				images, records := cases(a, set, 400)
				want := hostViews(a, set, images, records)
				got := deviceViews(t, e, stock(t, a, set), images, records)
				d, bound := largestGap(want, got), viewBound(a)
				t.Logf("%s, %s, %d×%d: %d views, largest difference %.2g, bound %.2g", e.Kind, name, size[0], size[1], len(images), d, bound)
				if !(d <= bound) {
					t.Errorf("%s: the difference is above the bound", name)
				}
			}
		}
	}
}

// TestDeviceViewsOfAnotherRecordDiffer are the twins: a device that ignored or
// mistook one parameter would make these views, and must be above the bound.
func TestDeviceViewsOfAnotherRecordDiffer(t *testing.T) {
	e := engines(t)[0]
	set := gallery(16, 16)
	a := pipelines()["stl"]
	s := stock(t, a, set)
	images, records := cases(a, set, 100)
	want := hostViews(a, set, images, records)
	inside := func(p augment.Params) augment.Params {
		p.Y, p.X = min(p.Y, set.H-p.H), min(p.X, set.W-p.W)
		return p
	}
	for name, twin := range map[string]func(augment.Params) augment.Params{
		"flip ignored":        func(p augment.Params) augment.Params { p.Flip = false; return p },
		"order ignored":       func(p augment.Params) augment.Params { p.Order = [4]augment.Change{0, 1, 2, 3}; return p },
		"order reversed":      func(p augment.Params) augment.Params { slices.Reverse(p.Order[:]); return p },
		"jitter ignored":      func(p augment.Params) augment.Params { p.Jitter = false; return p },
		"crop off by one":     func(p augment.Params) augment.Params { p.X++; return inside(p) },
		"crop off by one row": func(p augment.Params) augment.Params { p.Y++; return inside(p) },
		"crop one too wide":   func(p augment.Params) augment.Params { p.W = min(p.W+1, set.W); return inside(p) },
		"crop turned":         func(p augment.Params) augment.Params { p.H, p.W, p.Y, p.X = p.W, p.H, p.X, p.Y; return p },
		"contrast 0.1 % off":  func(p augment.Params) augment.Params { p.Contrast *= 1.001; return p },
		"brightness as 1":     func(p augment.Params) augment.Params { p.Brightness = 1; return p },
		"saturation as 1":     func(p augment.Params) augment.Params { p.Saturation = 1; return p },
		"hue turned back":     func(p augment.Params) augment.Params { p.Turn = -p.Turn; return p },
		"grey ignored":        func(p augment.Params) augment.Params { p.Grey = false; return p },
		"blur ignored":        func(p augment.Params) augment.Params { p.Sigma = 0; return p },
		"blur 0.1 % wider":    func(p augment.Params) augment.Params { p.Sigma *= 1.001; return p },
	} {
		mutants := slices.Clone(records)
		for i := range mutants {
			mutants[i] = twin(mutants[i])
		}
		if d, bound := largestGap(want, deviceViews(t, e, s, images, mutants)), viewBound(a); d <= bound {
			t.Errorf("the twin %q is within the bound: %.2g of %.2g", name, d, bound)
		}
	}
	// A device whose stages came in another order, or normalised differently.
	for name, change := range map[string]func(*augment.Pipeline){
		"never blurs":        func(p *augment.Pipeline) { p.BlurKernel = 0 },
		"smaller kernel":     func(p *augment.Pipeline) { p.BlurKernel = 7 },
		"channels exchanged": func(p *augment.Pipeline) { p.Std[0], p.Std[2] = p.Std[2], p.Std[0] },
		"hue left out":       func(p *augment.Pipeline) { p.Turn = false },
	} {
		other := s
		change(&other.Pipeline)
		if d, bound := largestGap(want, deviceViews(t, e, other, images, records)), viewBound(a); d <= bound {
			t.Errorf("the twin %q is within the bound: %.2g of %.2g", name, d, bound)
		}
	}
}

// TestDrawsAreTheBatch: the records of a source make the views of its batches.
func TestDrawsAreTheBatch(t *testing.T) {
	e := engines(t)[0]
	a := pipelines()["cifar"]
	set := gallery(8, 8)
	var src method.Resident
	images, err := NewImageSource(set, a, 5, 4)
	if err != nil {
		t.Fatal(err)
	}
	src = images
	s, ok := src.Stock()
	if !ok || s.Dim() != src.Dim() {
		t.Fatalf("stock of %d values a view, %t", s.Dim(), ok)
	}
	for _, step := range []int{0, 3, 1, 0} {
		d, b := src.Draws(step), src.Batch(step)
		if err := d.Check(s); err != nil {
			t.Fatal(err)
		}
		for v, want := range [][]float32{b.X1, b.X2} {
			x, err := graph.NewExec(e.Backend, s.Views)
			if err != nil {
				t.Fatal(err)
			}
			out, err := x.Call(tensors.FromFlatDataAndDimensions(s.Pixels, len(s.Pixels)/3, 3),
				tensors.FromFlatDataAndDimensions(d.Indices, b.N), tensors.FromFlatDataAndDimensions(d.Views[v], b.N, augment.Width))
			if err != nil {
				t.Fatal(err)
			}
			got, err := tensors.CopyFlatData[float32](out[0])
			if err != nil {
				t.Fatal(err)
			}
			if gap, bound := largestGap(want, got), viewBound(a); !(gap <= bound) {
				t.Errorf("step %d, view %d: the device is off the batch by %.2g, bound %.2g", step, v, gap, bound)
			}
			x.Finalize()
		}
	}
	digits := digitsSource(t, 1, 4)
	if _, ok := digits.Stock(); ok {
		t.Error("views with noise of their own were offered as records")
	}
}

func TestBadStocksAndDrawsAreRefused(t *testing.T) {
	good := stock(t, pipelines()["stl"], gallery(8, 8))
	for name, spoil := range map[string]func(*augment.Stock){
		"no image": func(s *augment.Stock) { s.N = 0 }, "no rows": func(s *augment.Stock) { s.H = 0 },
		"too large": func(s *augment.Stock) { s.W = 4096 }, "too many": func(s *augment.Stock) { s.N = 1 << 30 },
		"black": func(s *augment.Stock) { s.White = 0 }, "short": func(s *augment.Stock) { s.Pixels = s.Pixels[1:] },
		"even kernel": func(s *augment.Stock) { s.Pipeline.BlurKernel = 4 }, "wide kernel": func(s *augment.Stock) { s.Pipeline.BlurKernel = 17 },
	} {
		bad := good
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	record := func(change func(*augment.Params)) augment.Draws {
		p := augment.Params{H: 8, W: 8}
		change(&p)
		return augment.Draws{Indices: []int32{5}, Views: [2][]float32{p.Append(nil), p.Append(nil)}}
	}
	if err := record(func(*augment.Params) {}).Check(good); err != nil {
		t.Error(err)
	}
	for name, d := range map[string]augment.Draws{
		"index":  {Indices: []int32{6}, Views: [2][]float32{make([]float32, augment.Width), make([]float32, augment.Width)}},
		"short":  {Indices: []int32{0}, Views: [2][]float32{make([]float32, augment.Width), nil}},
		"left":   record(func(p *augment.Params) { p.X = -1 }),
		"right":  record(func(p *augment.Params) { p.X = 1 }),
		"bottom": record(func(p *augment.Params) { p.Y = 1 }),
		"empty":  record(func(p *augment.Params) { p.H = 0 }),
	} {
		if d.Check(good) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkColourViews compares what makes 128 CIFAR views on the host with the
// same views as a graph. The time of an image is that of the call over 128.
func BenchmarkColourViews(b *testing.B) {
	set := gallery(32, 32)
	a := CIFARAugmentation(ChannelMoments(set))
	const n = 128
	images, records := make([]int32, n), make([]augment.Params, n)
	var flat []float32
	r := Key{Seed: 1}.Rand()
	for i := range images {
		images[i], records[i] = int32(i%set.Len()), a.Draw(32, 32, r)
		flat = records[i].Append(flat)
	}
	b.Run("draw", func(b *testing.B) {
		for b.Loop() {
			for range images {
				a.Draw(32, 32, r)
			}
		}
	})
	b.Run("host", func(b *testing.B) {
		for b.Loop() {
			hostViews(a, set, images, records)
		}
	})
	for _, e := range engines(b) {
		b.Run(e.Kind, func(b *testing.B) {
			s := stock(b, a, set)
			x, err := graph.NewExec(e.Backend, s.Views)
			if err != nil {
				b.Fatal(err)
			}
			defer x.Finalize()
			pixels := tensors.FromFlatDataAndDimensions(s.Pixels, len(s.Pixels)/3, 3)
			for b.Loop() {
				out, err := x.Call(pixels, tensors.FromFlatDataAndDimensions(images, n), tensors.FromFlatDataAndDimensions(flat, n, augment.Width))
				if err != nil {
					b.Fatal(err)
				}
				out[0].MaterializeLocal()
			}
		})
	}
}
