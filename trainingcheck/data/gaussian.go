package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
)

// Gaussian is the data of the linear theory: x ~ N(0, Σ), and two views
// x + N(0, diag(σ²_1, …, σ²_n)), independent given x. In the words of the paper
// X = Σ and X' = diag(σ²); its isotropic case is Σ = I, σ²_j = σ².
type Gaussian struct {
	root *mat.Dense // Σ^{1/2}, nil for the identity
	std  []float64  // σ_j
}

// psdTolerance is the most negative eigenvalue, relative to the largest, that
// a covariance may have through rounding: the backward error of the symmetric
// eigenvalue problem is a modest multiple of n·2⁻⁵³, below 1e-12 for n < 1000.
const psdTolerance = 1e-12

// NewGaussian returns the distribution with covariance cov, nil for the
// identity, and view variances sigma2, one for each coordinate.
func NewGaussian(cov mat.Symmetric, sigma2 []float64) (*Gaussian, error) {
	g := &Gaussian{std: make([]float64, len(sigma2))}
	if len(sigma2) == 0 {
		return nil, fmt.Errorf("data: gaussian of dimension 0")
	}
	for j, v := range sigma2 {
		if !(v >= 0) || math.IsInf(v, 1) {
			return nil, fmt.Errorf("data: gaussian view variance %g of coordinate %d, want 0 or more", v, j)
		}
		g.std[j] = math.Sqrt(v)
	}
	if cov == nil {
		return g, nil
	}
	n := cov.SymmetricDim()
	if n != len(sigma2) {
		return nil, fmt.Errorf("data: gaussian covariance of size %d for %d view variances", n, len(sigma2))
	}
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		return nil, fmt.Errorf("data: gaussian covariance has no eigenvalues")
	}
	values := eig.Values(nil)
	if values[0] < -psdTolerance*math.Abs(values[n-1]) {
		return nil, fmt.Errorf("data: gaussian covariance has the eigenvalue %g, want none below 0", values[0])
	}
	var vectors, scaled mat.Dense
	eig.VectorsTo(&vectors)
	scaled.Apply(func(_, j int, v float64) float64 { return v * math.Sqrt(max(values[j], 0)) }, &vectors)
	g.root = mat.NewDense(n, n, nil)
	g.root.Mul(&scaled, vectors.T())
	return g, nil
}

// Dim returns the dimension of x.
func (g *Gaussian) Dim() int { return len(g.std) }

// Draw fills x1 and x2 with two views of one example. It panics unless both have Dim values.
func (g *Gaussian) Draw(x1, x2 []float64, r *rand.Rand) {
	n := g.Dim()
	if len(x1) != n || len(x2) != n {
		panic(fmt.Sprintf("data: gaussian views of %d and %d values, want %d", len(x1), len(x2), n))
	}
	for j := range n {
		x1[j] = r.NormFloat64()
	}
	if g.root != nil {
		x := mat.NewVecDense(n, x2)
		x.MulVec(g.root, mat.NewVecDense(n, x1))
		copy(x1, x2)
	}
	for j := range n {
		x := x1[j]
		x1[j] = x + g.std[j]*r.NormFloat64()
		x2[j] = x + g.std[j]*r.NormFloat64()
	}
}

// GaussianSource draws training batches from a Gaussian. It implements
// method.Source; the values are rounded to float32.
type GaussianSource struct {
	g    *Gaussian
	seed uint64
	n    int
}

// NewGaussianSource returns batches of n view pairs of g.
func NewGaussianSource(g *Gaussian, seed uint64, n int) (*GaussianSource, error) {
	if n < 1 {
		return nil, fmt.Errorf("data: batch of %d", n)
	}
	return &GaussianSource{g: g, seed: seed, n: n}, nil
}

// Dim returns the dimension of a view.
func (s *GaussianSource) Dim() int { return s.g.Dim() }

// Batch returns the batch of a step. It panics when step is negative.
func (s *GaussianSource) Batch(step int) method.Batch {
	if step < 0 {
		panic(fmt.Sprintf("data: step %d", step))
	}
	d := s.Dim()
	b := method.Batch{X1: make([]float32, s.n*d), X2: make([]float32, s.n*d), N: s.n, Dim: d}
	var p rand.PCG
	r := rand.New(&p)
	x1, x2 := make([]float64, d), make([]float64, d)
	for i := range s.n {
		Key{Seed: s.seed, Stream: StreamGaussian, Step: uint64(step), Sample: uint64(i)}.Start(&p)
		s.g.Draw(x1, x2, r)
		for j := range d {
			b.X1[i*d+j], b.X2[i*d+j] = float32(x1[j]), float32(x2[j])
		}
	}
	return b
}
