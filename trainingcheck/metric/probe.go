package metric

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Sample is a set of labelled features: row i of X has class Labels[i].
type Sample struct {
	X      *mat.Dense
	Labels []int
}

// check reports an inconsistency of s, or of s as a companion of like.
func (s Sample) check(name string, classes int) error {
	n, _ := s.X.Dims()
	if len(s.Labels) != n {
		return fmt.Errorf("metric: %s sample of %d rows with %d labels", name, n, len(s.Labels))
	}
	for i, l := range s.Labels {
		if l < 0 || l >= classes {
			return fmt.Errorf("metric: %s sample: label %d of row %d, want 0 to %d", name, l, i, classes-1)
		}
	}
	for i := range n {
		for j, v := range s.X.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metric: %s sample: feature %d of row %d is %g", name, j, i, v)
			}
		}
	}
	return nil
}

func checkPair(train, test Sample, classes int) error {
	if err := train.check("training", classes); err != nil {
		return err
	}
	if err := test.check("test", classes); err != nil {
		return err
	}
	_, d := train.X.Dims()
	if _, dt := test.X.Dims(); d != dt {
		return fmt.Errorf("metric: training sample of %d features, test sample of %d", d, dt)
	}
	return nil
}

// Probe is a classifier that is fitted to a training sample and judged on a test sample.
type Probe interface {
	// Accuracy returns the fraction of test rows classified correctly.
	Accuracy(train, test Sample, classes int) (float64, error)
	fmt.Stringer
}

// KNN classifies by the K training rows of largest cosine.
//
// With Temperature T > 0 neighbour i votes with weight exp(cos_i/T) (Wu et al.
// 2018, section 3.4), with T = 0 each with weight 1. Equal cosines are taken in
// order of the rows, equal votes go to the lower class.
type KNN struct {
	K           int
	Temperature float64
}

// DigitsKNN is the classifier of the digit checks: 5 neighbours, T = 0.1.
func DigitsKNN() KNN { return KNN{K: 5, Temperature: 0.1} }

// knnBlock is the number of test rows whose cosines are held at a time: it
// bounds the memory at knnBlock·N numbers without changing the result.
const knnBlock = 256

// Accuracy implements Probe.
func (p KNN) Accuracy(train, test Sample, classes int) (float64, error) {
	if err := checkPair(train, test, classes); err != nil {
		return 0, err
	}
	n, d := train.X.Dims()
	if p.K < 1 || p.K > n {
		return 0, fmt.Errorf("metric: %d nearest neighbours of %d rows", p.K, n)
	}
	a, b := Normalized(train.X), Normalized(test.X)
	m, _ := b.Dims()
	correct := 0
	nearest := make([]int, n)
	votes := make([]float64, classes)
	for from := 0; from < m; from += knnBlock {
		to := min(from+knnBlock, m)
		var cos mat.Dense
		cos.Mul(b.Slice(from, to, 0, d), a.T())
		for i := from; i < to; i++ {
			row := cos.RawRowView(i - from)
			for j := range nearest {
				nearest[j] = j
			}
			closest(nearest, row, p.K)
			clear(votes)
			for _, j := range nearest[:p.K] {
				weight := 1.
				if p.Temperature > 0 {
					// The largest possible cosine is subtracted: exp cannot overflow.
					weight = math.Exp((row[j] - 1) / p.Temperature)
				}
				votes[train.Labels[j]] += weight
			}
			if floats.MaxIdx(votes) == test.Labels[i] {
				correct++
			}
		}
	}
	return float64(correct) / float64(m), nil
}

// closest moves the k indices of largest value to the front of index, in falling
// order of value and rising order of index. A few neighbours are kept in an
// ordered list, which most candidates leave alone; many are found by sorting.
func closest(index []int, value []float64, k int) {
	order := func(a, b int) int { return cmp.Or(cmp.Compare(value[b], value[a]), cmp.Compare(a, b)) }
	if k > 32 {
		slices.SortFunc(index, order)
		return
	}
	top := make([]int, 0, k+1)
	for _, j := range index {
		if len(top) == k && order(j, top[k-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, j, order)
		top = slices.Insert(top, at, j)
		if len(top) > k {
			top = top[:k]
		}
	}
	copy(index, top)
}

// String implements Probe.
func (p KNN) String() string { return fmt.Sprintf("knn(k=%d T=%g cosine)", p.K, p.Temperature) }

// standardise returns both samples with each feature shifted and scaled to mean 0
// and deviation 1 on the training rows. A feature that is constant there, up to
// rounding, becomes 0 everywhere.
func standardise(train, test *mat.Dense) (a, b *mat.Dense) {
	a, b = mat.DenseCopyOf(train), mat.DenseCopyOf(test)
	n, d := a.Dims()
	m, _ := b.Dims()
	for j := range d {
		mean, largest := 0., 0.
		for i := range n {
			mean += a.At(i, j)
			largest = max(largest, math.Abs(a.At(i, j)))
		}
		mean /= float64(n)
		variance := 0.
		for i := range n {
			v := a.At(i, j) - mean
			variance += v * v
		}
		scale := 0.
		// The deviation of n equal numbers, computed so, is a few 2⁻⁵³ of their size.
		if sd := math.Sqrt(variance / float64(n)); sd > 0x1p-48*largest {
			scale = 1 / sd
		}
		for i := range n {
			a.Set(i, j, scale*(a.At(i, j)-mean))
		}
		for i := range m {
			b.Set(i, j, scale*(b.At(i, j)-mean))
		}
	}
	return a, b
}

// Ridge is linear regression on the class indicators with an L2 penalty: with
// standardised features x and indicators y less their mean it minimises
//
//	Σ_i ‖y_i - B x_i‖² + Lambda·N·‖B‖²_F
//
// in closed form, and the largest output is the class. It has no epochs and no
// learning rate, so that nothing can be selected on the test set.
type Ridge struct {
	Lambda float64 // above 0
}

// DigitsRidge is the linear probe of the digit checks.
func DigitsRidge() Ridge { return Ridge{Lambda: 0.1} }

// fit returns B, classes×d, and the mean indicator.
func (p Ridge) fit(x *mat.Dense, labels []int, classes int) (b *mat.Dense, mean []float64, err error) {
	n, d := x.Dims()
	y := mat.NewDense(n, classes, nil)
	mean = make([]float64, classes)
	for _, l := range labels {
		mean[l] += 1 / float64(n)
	}
	for i, l := range labels {
		row := y.RawRowView(i)
		row[l] = 1
		floats.Sub(row, mean)
	}
	gram := mat.NewSymDense(d, nil)
	gram.SymOuterK(1, x.T())
	for j := range d {
		gram.SetSym(j, j, gram.At(j, j)+p.Lambda*float64(n))
	}
	var chol mat.Cholesky
	if !chol.Factorize(gram) {
		return nil, nil, fmt.Errorf("metric: ridge normal equations are not positive definite: Lambda %g is too small", p.Lambda)
	}
	var xy, solution mat.Dense
	xy.Mul(x.T(), y)
	// The condition number cannot exceed (1+d)/Lambda-fold: SolveTo's error tells of more than 1e16 only.
	if err := chol.SolveTo(&solution, &xy); err != nil {
		return nil, nil, fmt.Errorf("metric: ridge normal equations: %w", err)
	}
	return mat.DenseCopyOf(solution.T()), mean, nil
}

// Accuracy implements Probe.
func (p Ridge) Accuracy(train, test Sample, classes int) (float64, error) {
	if !(p.Lambda > 0) {
		return 0, fmt.Errorf("metric: ridge Lambda %g, want above 0", p.Lambda)
	}
	if err := checkPair(train, test, classes); err != nil {
		return 0, err
	}
	a, c := standardise(train.X, test.X)
	b, mean, err := p.fit(a, train.Labels, classes)
	if err != nil {
		return 0, err
	}
	return linearAccuracy(c, test.Labels, b, mean), nil
}

// linearAccuracy classifies the rows of x by the largest entry of Bx + bias.
func linearAccuracy(x *mat.Dense, labels []int, b *mat.Dense, bias []float64) float64 {
	var scores mat.Dense
	scores.Mul(x, b.T())
	correct := 0
	for i, l := range labels {
		row := scores.RawRowView(i)
		floats.Add(row, bias)
		if floats.MaxIdx(row) == l {
			correct++
		}
	}
	return float64(correct) / float64(len(labels))
}

// String implements Probe.
func (p Ridge) String() string { return fmt.Sprintf("ridge(λ=%g·N standardised)", p.Lambda) }

// Logistic is multinomial logistic regression on standardised features, fitted
// by Adam (Kingma and Ba 2015, β = (.9, .999), ε = 1e-8, decay in the gradient)
// from zero weights; the weights after the last epoch count.
//
// The paper's code fits so with Epochs 50, Batch 128, Rate 3e-4 and Decay 1e-3,
// but reports the best test accuracy of all epochs, which selects on the test
// set. Ours is lower for that reason alone.
type Logistic struct {
	Epochs, Batch int
	Rate, Decay   float64
	Seed          uint64
}

// PaperLogistic is the linear evaluation of the paper's code, at its last epoch.
func PaperLogistic(seed uint64) Logistic {
	return Logistic{Epochs: 50, Batch: 128, Rate: 3e-4, Decay: 1e-3, Seed: seed}
}

// Accuracy implements Probe.
func (p Logistic) Accuracy(train, test Sample, classes int) (float64, error) {
	if p.Epochs < 1 || p.Batch < 1 || !(p.Rate > 0) || !(p.Decay >= 0) {
		return 0, fmt.Errorf("metric: %v, want at least 1 epoch, a batch of 1, a positive rate and no negative decay", p)
	}
	if err := checkPair(train, test, classes); err != nil {
		return 0, err
	}
	a, c := standardise(train.X, test.X)
	b, bias := p.fit(a, train.Labels, classes)
	return linearAccuracy(c, test.Labels, b, bias), nil
}

func (p Logistic) fit(x *mat.Dense, labels []int, classes int) (b *mat.Dense, bias []float64) {
	n, d := x.Dims()
	const beta1, beta2, eps = 0.9, 0.999, 1e-8
	width := d + 1 // the last column is the bias
	w := make([]float64, classes*width)
	m, v, grad := make([]float64, len(w)), make([]float64, len(w)), make([]float64, len(w))
	score := make([]float64, classes)
	r := rand.New(rand.NewPCG(p.Seed, 0x6c6f67697374)) // "logist": a stream of its own
	t := 0
	for range p.Epochs {
		order := r.Perm(n)
		for batch := range slices.Chunk(order, p.Batch) {
			clear(grad)
			for _, i := range batch {
				row := x.RawRowView(i)
				for k := range classes {
					score[k] = floats.Dot(w[k*width:k*width+d], row) + w[k*width+d]
				}
				logZ := floats.LogSumExp(score)
				for k := range classes {
					g := math.Exp(score[k] - logZ)
					if k == labels[i] {
						g--
					}
					g /= float64(len(batch))
					floats.AddScaled(grad[k*width:k*width+d], g, row)
					grad[k*width+d] += g
				}
			}
			t++
			c1, c2 := 1-math.Pow(beta1, float64(t)), 1-math.Pow(beta2, float64(t))
			for i := range w {
				g := grad[i] + p.Decay*w[i]
				m[i] = beta1*m[i] + (1-beta1)*g
				v[i] = beta2*v[i] + (1-beta2)*g*g
				w[i] -= p.Rate * (m[i] / c1) / (math.Sqrt(v[i]/c2) + eps)
			}
		}
	}
	b = mat.NewDense(classes, d, nil)
	bias = make([]float64, classes)
	for k := range classes {
		b.SetRow(k, w[k*width:k*width+d])
		bias[k] = w[k*width+d]
	}
	return b, bias
}

// String implements Probe.
func (p Logistic) String() string {
	return fmt.Sprintf("logistic(adam lr=%g wd=%g batch=%d epochs=%d last standardised)", p.Rate, p.Decay, p.Batch, p.Epochs)
}

// FewShot judges a probe on few labels: in each draw it keeps Shots random
// images of every class, one row each (the first view), fits the probe to those
// and judges it on the whole test sample.
type FewShot struct {
	Shots, Draws int
	Seed         uint64
	Probe        Probe
}

// DigitsFewShot is the few-label probe of the digit checks: 10 images of each
// digit, the mean of 5 draws, DigitsRidge.
func DigitsFewShot(seed uint64) FewShot {
	return FewShot{Shots: 10, Draws: 5, Seed: seed, Probe: DigitsRidge()}
}

// Accuracy returns the mean over the draws. Rows of train with equal images are
// views of one image. A class with fewer images than Shots is an error.
func (f FewShot) Accuracy(train, test Sample, images []int, classes int) (float64, error) {
	if f.Shots < 1 || f.Draws < 1 {
		return 0, fmt.Errorf("metric: %d draws of %d labels", f.Draws, f.Shots)
	}
	if err := checkPair(train, test, classes); err != nil {
		return 0, err
	}
	if len(images) != len(train.Labels) {
		return 0, fmt.Errorf("metric: %d image numbers for %d rows", len(images), len(train.Labels))
	}
	var first []int
	seen := make(map[int]bool)
	for row, image := range images {
		if !seen[image] {
			seen[image] = true
			first = append(first, row)
		}
	}
	_, d := train.X.Dims()
	total := 0.
	for draw := range f.Draws {
		r := rand.New(rand.NewPCG(f.Seed, uint64(draw)))
		left := make([]int, classes)
		for k := range left {
			left[k] = f.Shots
		}
		few := Sample{X: mat.NewDense(f.Shots*classes, d, nil), Labels: make([]int, 0, f.Shots*classes)}
		for _, i := range r.Perm(len(first)) {
			row := first[i]
			if l := train.Labels[row]; left[l] > 0 {
				left[l]--
				few.X.SetRow(len(few.Labels), train.X.RawRowView(row))
				few.Labels = append(few.Labels, l)
			}
		}
		for k, n := range left {
			if n > 0 {
				return 0, fmt.Errorf("metric: class %d has %d images, want %d", k, f.Shots-n, f.Shots)
			}
		}
		acc, err := f.Probe.Accuracy(few, test, classes)
		if err != nil {
			return 0, err
		}
		total += acc
	}
	return total / float64(f.Draws), nil
}
