package design

import (
	"math"
	"math/rand/v2"
	"testing"
)

// strata reports whether, of count = b^m points from the first on, exactly one lies in each of the count
// intervals of equal length.
func strata(points []float64) bool {
	seen := make([]bool, len(points))
	for _, x := range points {
		k := int(x * float64(len(points)))
		if k < 0 || k >= len(seen) || seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

func TestHaltonHasOnePointPerStratum(t *testing.T) {
	const n = 4000
	for _, seed := range []uint64{1, 2} {
		h := NewHalton(seed, MaxDim, n)
		u := make([]float64, MaxDim)
		columns := make([][]float64, MaxDim)
		for i := range n {
			h.At(i, u)
			for j, x := range u {
				columns[j] = append(columns[j], x)
			}
		}
		for j, b := range primes {
			for size := int(b); size <= n; size *= int(b) {
				for first := 0; first+size <= n; first += size {
					if !strata(columns[j][first : first+size]) {
						t.Fatalf("seed %d: coordinate %d has no one-to-one strata over points %d to %d", seed, j, first, first+size-1)
					}
				}
			}
		}
	}
	// The twin: independent points have no strata.
	rng := rand.New(rand.NewPCG(1, 1))
	points := make([]float64, 64)
	for i := range points {
		points[i] = rng.Float64()
	}
	if strata(points) {
		t.Error("64 independent points pass for stratified")
	}
}

// discrepancy is the L2 star discrepancy by Warnock's formula (Niederreiter, Random Number Generation and
// Quasi-Monte Carlo Methods, 1992, section 2.1).
func discrepancy(p [][]float64) float64 {
	n, d := float64(len(p)), len(p[0])
	a := math.Pow(1.0/3, float64(d))
	b, c := 0.0, 0.0
	for _, x := range p {
		q := 1.0
		for _, v := range x {
			q *= (1 - v*v) / 2
		}
		b += q
		for _, y := range p {
			q := 1.0
			for j := range x {
				q *= 1 - math.Max(x[j], y[j])
			}
			c += q
		}
	}
	return math.Sqrt(a - 2*b/n + c/(n*n))
}

// TestHaltonIsMoreEvenThanChance holds the design against independent points: its discrepancy falls like
// log(n)^d/n, theirs like 1/√n; at n = 500 and d = 4 that is a factor of more than three.
func TestHaltonIsMoreEvenThanChance(t *testing.T) {
	const n, d = 500, 4
	rng := rand.New(rand.NewPCG(3, 4))
	chance := 0.0
	const repeats = 5
	for range repeats {
		p := make([][]float64, n)
		for i := range p {
			for range d {
				p[i] = append(p[i], rng.Float64())
			}
		}
		chance += discrepancy(p) / repeats
	}
	for _, seed := range []uint64{1, 2, 3} {
		h := NewHalton(seed, d, n)
		p := make([][]float64, n)
		for i := range p {
			p[i] = make([]float64, d)
			h.At(i, p[i])
		}
		if got := discrepancy(p); got > chance/3 {
			t.Errorf("seed %d: discrepancy %.2g, independent points %.2g", seed, got, chance)
		}
	}
}

func TestHaltonPointsAreAddressedByIndexAndSeed(t *testing.T) {
	h, g := NewHalton(5, 7, 1000), NewHalton(6, 7, 1000)
	u, v := make([]float64, 7), make([]float64, 7)
	h.At(999, u)
	for i := range 10 {
		h.At(i, v)
	}
	h.At(999, v)
	equal := 0
	for j := range u {
		if u[j] != v[j] {
			t.Fatal("a point depends on the points asked for before it")
		}
	}
	g.At(999, v)
	for j := range u {
		if u[j] == v[j] {
			equal++
		}
	}
	if equal > 0 {
		t.Errorf("%d coordinates agree between two seeds", equal)
	}
}

func TestPermutedIsAPermutation(t *testing.T) {
	for _, b := range primes {
		for key := uint64(0); key < 20; key++ {
			seen := map[uint64]bool{}
			for v := uint64(0); v < b; v++ {
				seen[permuted(mix(key), b, v)] = true
			}
			if len(seen) != int(b) {
				t.Fatalf("base %d, key %d: %d images", b, key, len(seen))
			}
		}
	}
}

func BenchmarkHalton(b *testing.B) {
	h := NewHalton(1, 6, 1<<20)
	u := make([]float64, 6)
	i := 0
	for b.Loop() {
		h.At(i&(1<<20-1), u)
		i++
	}
}
