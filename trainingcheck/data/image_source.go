package data

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/method"
)

// ImageSource draws training batches of two views from a Set. It implements
// method.Resident: a device can make the views of a ColourAugmentation itself.
// Those of a ShiftAugmentation stay on the host: each has its own noise in every
// pixel, which no record of a few numbers holds.
//
// The examples run through random permutations of the set, one after another
// without a gap: batch t holds positions t·N … t·N+N-1 of that endless list, so
// that every image is seen equally often and no rest is dropped. It is safe for
// concurrent use.
type ImageSource struct {
	set   *Set
	aug   Augmentation
	seed  uint64
	n     int
	dim   int
	mu    sync.Mutex
	perms [2]epochOrder // the last two epochs asked for: a batch spans at most two, unless N exceeds the set
	next  int
}

type epochOrder struct {
	epoch uint64
	order []int
}

// NewImageSource returns batches of n view pairs of the images of set.
func NewImageSource(set *Set, aug Augmentation, seed uint64, n int) (*ImageSource, error) {
	if err := set.Check(); err != nil {
		return nil, err
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("data: no images")
	}
	if n < 1 {
		return nil, fmt.Errorf("data: batch of %d", n)
	}
	h, w, c, err := aug.Size(set.H, set.W, set.C)
	if err != nil {
		return nil, err
	}
	return &ImageSource{set: set, aug: aug, seed: seed, n: n, dim: h * w * c}, nil
}

// Dim returns the number of values of a view.
func (s *ImageSource) Dim() int { return s.dim }

// Batch returns the batch of a step. It panics when step is negative.
func (s *ImageSource) Batch(step int) method.Batch {
	images := s.Images(step)
	b := method.Batch{X1: make([]float32, s.n*s.dim), X2: make([]float32, s.n*s.dim), N: s.n, Dim: s.dim}
	_ = inParallel(s.n, func(i int) error { // View cannot fail: NewImageSource asked Size
		var p rand.PCG
		r := rand.New(&p)
		img := s.set.Image(images[i])
		for v, x := range [2][]float32{b.X1, b.X2} {
			s.view(step, i, v).Start(&p)
			s.aug.View(x[i*s.dim:(i+1)*s.dim], img, r)
		}
		return nil
	})
	return b
}

// view is the key of view v of example i of a step.
func (s *ImageSource) view(step, i, v int) Key {
	return Key{s.seed, StreamTrainView, uint64(step), uint64(i), uint64(v)}
}

// Stock implements method.Resident.
func (s *ImageSource) Stock() (stock augment.Stock, ok bool) {
	a, ok := s.aug.(ColourAugmentation)
	if !ok {
		return augment.Stock{}, false
	}
	return augment.Stock{N: s.set.Len(), H: s.set.H, W: s.set.W, White: s.set.White, Pixels: s.set.Pixels, Pipeline: a.pipeline()}, true
}

// Draws implements method.Resident: the images and parameters of the views that
// Batch makes. It panics when step is negative or Stock is not ok.
func (s *ImageSource) Draws(step int) augment.Draws {
	a := s.aug.(ColourAugmentation)
	var d augment.Draws
	var p rand.PCG
	r := rand.New(&p)
	for i, image := range s.Images(step) {
		d.Indices = append(d.Indices, int32(image))
		for v := range d.Views {
			s.view(step, i, v).Start(&p)
			d.Views[v] = a.Draw(s.set.H, s.set.W, r).Append(d.Views[v])
		}
	}
	return d
}

// Images returns the indices of the images of a step's batch. It panics when
// step is negative.
func (s *ImageSource) Images(step int) []int {
	if step < 0 {
		panic(fmt.Sprintf("data: step %d", step))
	}
	images := make([]int, s.n)
	position := uint64(step) * uint64(s.n)
	size := uint64(s.set.Len())
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range images {
		images[i] = s.order(position / size)[position%size]
		position++
	}
	return images
}

// order returns the permutation of an epoch; s.mu is held.
func (s *ImageSource) order(epoch uint64) []int {
	for _, p := range s.perms {
		if p.order != nil && p.epoch == epoch {
			return p.order
		}
	}
	p := epochOrder{epoch, Key{Seed: s.seed, Stream: StreamOrder, Step: epoch}.Rand().Perm(s.set.Len())}
	s.perms[s.next] = p
	s.next = 1 - s.next
	return p.order
}
