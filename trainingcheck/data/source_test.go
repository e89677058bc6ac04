package data

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
)

var (
	_ method.Source = (*ImageSource)(nil)
	_ method.Source = (*GaussianSource)(nil)
)

// TestKeysThatDifferInOneBitAreUnrelated: over all single-bit changes of a key
// the first outputs differ in half of their bits. The number of differing bits
// of two unrelated 64-bit words is binomial, mean 32 and deviation 4.
func TestKeysThatDifferInOneBitAreUnrelated(t *testing.T) {
	law := func(first func(k Key) uint64) error {
		base := Key{Seed: 1, Stream: StreamTrainView, Step: 17, Sample: 3, View: 1}
		var errs []error
		for name, field := range map[string]func(*Key) *uint64{
			"seed":   func(k *Key) *uint64 { return &k.Seed },
			"stream": func(k *Key) *uint64 { return (*uint64)(&k.Stream) },
			"step":   func(k *Key) *uint64 { return &k.Step },
			"sample": func(k *Key) *uint64 { return &k.Sample },
			"view":   func(k *Key) *uint64 { return &k.View },
		} {
			total := 0
			for bit := range 64 {
				k := base
				*field(&k) ^= 1 << bit
				total += bits.OnesCount64(first(base) ^ first(k))
			}
			if err := meanWithin(float64(total)/64, 32, 4, 64); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
		return errors.Join(errs...)
	}
	if err := law(func(k Key) uint64 { return k.Rand().Uint64() }); err != nil {
		t.Error(err)
	}
	twins := map[string]func(k Key) uint64{
		"view forgotten":      func(k Key) uint64 { k.View = 0; return k.Rand().Uint64() },
		"fields added":        func(k Key) uint64 { return k.Seed + uint64(k.Stream) + k.Step + k.Sample + k.View },
		"32 bits of the step": func(k Key) uint64 { k.Step &= 1<<32 - 1; return k.Rand().Uint64() },
	}
	for name, twin := range twins {
		if law(twin) == nil {
			t.Errorf("the twin %q obeys the law too", name)
		}
	}
	// Fields may not stand in for each other.
	seen := map[uint64]Key{}
	for i := range uint64(8) {
		for _, k := range []Key{{Seed: i + 1}, {Stream: Stream(i + 1)}, {Step: i + 1}, {Sample: i + 1}, {View: i + 1}} {
			v := k.Rand().Uint64()
			if old, twice := seen[v]; twice {
				t.Errorf("%+v and %+v begin alike", old, k)
			}
			seen[v] = k
		}
	}
}

func digitsSource(t *testing.T, seed uint64, n int) *ImageSource {
	t.Helper()
	train, _, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewImageSource(train, DigitsAugmentation(), seed, n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func equalBatches(a, b method.Batch) bool {
	return a.N == b.N && a.Dim == b.Dim && slices.Equal(a.X1, b.X1) && slices.Equal(a.X2, b.X2)
}

// TestBatchesDependOnSeedAndStepAlone covers all sources: the order of the
// calls, goroutines and processors do not matter, seed, step and view do.
func TestBatchesDependOnSeedAndStepAlone(t *testing.T) {
	folder, err := Open("folder:" + folderTree(t).folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(seed uint64) method.Source{
		"digits": func(seed uint64) method.Source { return digitsSource(t, seed, 32) },
		"gaussian": func(seed uint64) method.Source {
			g, _ := NewGaussian(nil, []float64{1, 2})
			s, _ := NewGaussianSource(g, seed, 32)
			return s
		},
		"folder": func(seed uint64) method.Source { s, _ := folder.Source(seed, 7); return s },
	} {
		t.Run(name, func(t *testing.T) {
			const steps = 60
			forward := make([]method.Batch, steps)
			src := open(1)
			for step := range steps {
				forward[step] = src.Batch(step)
				if err := forward[step].Check(); err != nil {
					t.Fatal(err)
				}
				if slices.Equal(forward[step].X1, forward[step].X2) {
					t.Error("the two views are the same")
				}
			}
			old := runtime.GOMAXPROCS(1)
			again := open(1)
			for step := steps - 1; step >= 0; step-- {
				if !equalBatches(again.Batch(step), forward[step]) {
					t.Errorf("step %d differs when asked in another order on one processor", step)
				}
			}
			runtime.GOMAXPROCS(old)
			var wg sync.WaitGroup
			for step := range steps {
				wg.Go(func() {
					if !equalBatches(src.Batch(step), forward[step]) {
						t.Errorf("step %d differs when asked at the same time as others", step)
					}
				})
			}
			wg.Wait()
			if equalBatches(open(2).Batch(0), forward[0]) || equalBatches(forward[0], forward[1]) {
				t.Error("another seed or step gives the same batch")
			}
		})
	}
}

func TestEpochsVisitEveryImageOnce(t *testing.T) {
	s := digitsSource(t, 4, 128)
	size := s.set.Len()
	count := make([]int, size)
	var list []int
	for step := range 3 * size / 128 { // three epochs, less the rest of the last batch
		list = append(list, s.Images(step)...)
	}
	for epoch := range 2 {
		clear(count)
		for _, i := range list[epoch*size : (epoch+1)*size] {
			count[i]++
		}
		if slices.Min(count) != 1 || slices.Max(count) != 1 {
			t.Errorf("epoch %d visits images %d to %d times", epoch, slices.Min(count), slices.Max(count))
		}
	}
	if slices.Equal(list[:size], list[size:2*size]) {
		t.Error("two epochs run in the same order")
	}
	// A batch larger than the set spans more than two epochs.
	big := digitsSource(t, 4, 3*size)
	if !slices.Equal(big.Images(0)[:len(list)], list) {
		t.Error("a larger batch is not the same list in larger pieces")
	}
}

func TestBadSourcesAreRefused(t *testing.T) {
	train, _, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewImageSource(train, DigitsAugmentation(), 1, 0); err == nil {
		t.Error("a batch of nothing")
	}
	if _, err := NewImageSource(train, ColourAugmentation{}, 1, 8); err == nil {
		t.Error("grey images in a colour pipeline")
	}
	if _, err := NewImageSource(train.Subset(nil), DigitsAugmentation(), 1, 8); err == nil {
		t.Error("a set of nothing")
	}
	bad := *train
	bad.Pixels = bad.Pixels[1:]
	if _, err := NewImageSource(&bad, DigitsAugmentation(), 1, 8); err == nil {
		t.Error("a set that misses a pixel")
	}
	defer func() {
		if recover() == nil {
			t.Error("a negative step")
		}
	}()
	digitsSource(t, 1, 2).Batch(-1)
}

func TestEvaluationViews(t *testing.T) {
	d, err := Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	train, test, err := d.Evaluation(3)
	if err != nil {
		t.Fatal(err)
	}
	if train.N != 4200 || test.N != 794 || train.Dim != 100 || len(train.X) != 420000 {
		t.Fatalf("%d and %d views of %d values", train.N, test.N, train.Dim)
	}
	for row := range train.N {
		if train.Images[row] != row/3 || train.Labels[row] != d.Train.Labels[row/3] {
			t.Fatalf("row %d is of image %d, label %d", row, train.Images[row], train.Labels[row])
		}
	}
	again, _, err := d.Evaluation(3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.X, train.X) {
		t.Error("two evaluations of one seed differ")
	}
	if slices.Equal(train.X[:100], train.X[100:200]) {
		t.Error("two views of an image are the same")
	}
	if slices.Equal(train.X[:100], digitsSource(t, 3, 1).Batch(0).X1) {
		t.Error("an evaluation view is a training view")
	}
	half := d.Train.Subset([]int{0, 1, 2})
	half.Labels[1] = Unlabelled
	v, err := EvaluationViews(half, ShiftAugmentation{}, 2, Key{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Images, []int{0, 0, 2, 2}) {
		t.Errorf("views of images %v: the unlabelled one is to be left out", v.Images)
	}
	if _, err := EvaluationViews(half, ShiftAugmentation{}, 0, Key{}); err == nil {
		t.Error("no views an image")
	}
}

// TestGaussianMoments: E[x₁x₁ᵀ] = Σ + diag(σ²) and E[x₁x₂ᵀ] = Σ (claim "moments").
// The entry (i,j) of x yᵀ for normal vectors has variance C_ii D_jj + C_ij², below
// 2·C_ii D_jj.
func TestGaussianMoments(t *testing.T) {
	cov := mat.NewSymDense(3, []float64{2, 0.8, 0, 0.8, 1, -0.3, 0, -0.3, 0.5})
	sigma2 := []float64{0.25, 0, 4}
	g, err := NewGaussian(cov, sigma2)
	if err != nil {
		t.Fatal(err)
	}
	const n = 200000
	law := func(draw func(x1, x2 []float64, r *rand.Rand)) error {
		r := Key{Seed: 9}.Rand()
		var same, cross [3][3]float64
		x1, x2 := make([]float64, 3), make([]float64, 3)
		for range n {
			draw(x1, x2, r)
			for i := range 3 {
				for j := range 3 {
					same[i][j] += x1[i] * x1[j] / n
					cross[i][j] += x1[i] * x2[j] / n
				}
			}
		}
		var errs []error
		for i := range 3 {
			for j := range 3 {
				want := cov.At(i, j)
				sd := math.Sqrt(2 * (cov.At(i, i) + sigma2[i]) * (cov.At(j, j) + sigma2[j]))
				errs = append(errs, meanWithin(cross[i][j], want, sd, n))
				if i == j {
					want += sigma2[i]
				}
				errs = append(errs, meanWithin(same[i][j], want, sd, n))
			}
		}
		return errors.Join(errs...)
	}
	if err := law(g.Draw); err != nil {
		t.Error(err)
	}
	identity, err := NewGaussian(nil, sigma2)
	if err != nil {
		t.Fatal(err)
	}
	for name, twin := range map[string]func(x1, x2 []float64, r *rand.Rand){
		"both views the same": func(x1, x2 []float64, r *rand.Rand) { g.Draw(x1, x2, r); copy(x2, x1) },
		"views of two examples": func(x1, x2 []float64, r *rand.Rand) {
			g.Draw(x1, x2, r)
			g.Draw(x1, slices.Clone(x1), r)
		},
		"Σ = I": identity.Draw,
	} {
		if law(twin) == nil {
			t.Errorf("the twin %q obeys the law too", name)
		}
	}
	// A singular covariance is allowed, a negative one is not.
	if _, err := NewGaussian(mat.NewSymDense(2, []float64{1, 1, 1, 1}), []float64{0, 0}); err != nil {
		t.Error(err)
	}
	for _, bad := range []mat.Symmetric{mat.NewSymDense(2, []float64{1, 2, 2, 1}), mat.NewSymDense(1, []float64{1})} {
		if _, err := NewGaussian(bad, []float64{0, 0}); err == nil {
			t.Errorf("covariance %v was taken", mat.Formatted(bad))
		}
	}
	if _, err := NewGaussian(nil, nil); err == nil {
		t.Error("dimension 0 was taken")
	}
	if _, err := NewGaussianSource(g, 1, 0); err == nil {
		t.Error("a batch of nothing")
	}
}

func BenchmarkDigitsBatch128(b *testing.B) {
	train, _, err := Digits()
	if err != nil {
		b.Fatal(err)
	}
	s, err := NewImageSource(train, DigitsAugmentation(), 1, 128)
	if err != nil {
		b.Fatal(err)
	}
	for step := 0; b.Loop(); step++ {
		s.Batch(step)
	}
}

func BenchmarkColourBatch128(b *testing.B) {
	set := &Set{H: 32, W: 32, C: 3, White: 255, Classes: []string{"x"}, Labels: make([]int, 256), Pixels: make([]uint8, 256*3072)}
	for i := range set.Pixels {
		set.Pixels[i] = uint8(mix64(uint64(i)))
	}
	s, err := NewImageSource(set, CIFARAugmentation(ChannelMoments(set)), 1, 128)
	if err != nil {
		b.Fatal(err)
	}
	for step := 0; b.Loop(); step++ {
		s.Batch(step)
	}
}
