package design

import "fmt"

// primes are the bases of the coordinates. In more than MaxDim coordinates the strata of a Halton sequence
// are longer than any campaign, and it is no better than chance.
var primes = [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71}

// MaxDim is the largest number of coordinates of a [Halton] sequence.
const MaxDim = len(primes)

// Halton is the Halton sequence in nested uniform scrambling (A. B. Owen, A randomized Halton algorithm in R,
// arXiv 1706.02808; Monte Carlo variance of scrambled net quadrature, SIAM J. Numer. Anal. 34 (1997) 1884).
//
// The digit k of coordinate j in base b_j goes through a random permutation of 0 … b_j−1 that depends on the
// digits before it. Every point is uniform in the cube; of any b_j^m consecutive points whose first index is
// a multiple of b_j^m, coordinate j has exactly one in each of the b_j^m intervals of equal length. Plain
// Halton points have the same strata, but successive coordinates of large base move in step for the first
// b_j points (Kocis and Whiten, ACM Trans. Math. Softw. 23 (1997) 266), which the scrambling breaks up.
type Halton struct {
	seed   uint64
	dim    int
	digits []int // per coordinate: enough for every index below n
}

// NewHalton returns the sequence of dim coordinates for indices below n. It panics unless 0 ≤ dim ≤ MaxDim
// and n ≥ 0.
func NewHalton(seed uint64, dim, n int) *Halton {
	if dim < 0 || dim > MaxDim || n < 0 {
		panic(fmt.Sprintf("design: Halton sequence of %d points in %d coordinates", n, dim))
	}
	h := &Halton{seed: seed, dim: dim, digits: make([]int, dim)}
	for j := range dim {
		for size := uint64(1); size < uint64(n); size *= primes[j] {
			h.digits[j]++
		}
	}
	return h
}

// Dim returns the number of coordinates.
func (h *Halton) Dim() int { return h.dim }

// At writes point i into u, numbers in [0, 1). It panics if len(u) is not the number of coordinates.
func (h *Halton) At(i int, u []float64) {
	if len(u) != h.dim {
		panic("design: a point of another dimension")
	}
	for j := range u {
		u[j] = h.coordinate(j, uint64(i))
	}
}

func (h *Halton) coordinate(j int, i uint64) float64 {
	b := primes[j]
	state := mix(h.seed ^ mix(uint64(j)+1))
	x, unit := 0.0, 1.0
	for range h.digits[j] {
		unit /= float64(b)
		x += unit * float64(permuted(state, b, i%b))
		state = mix(state ^ (i%b + 1))
		i /= b
	}
	// Past the last digit that distinguishes two points, nested permutations amount to one uniform number.
	x += unit * float64(mix(state)>>11) * 0x1p-53
	return min(x, 1-0x1p-53)
}

// permuted returns the image of v under the random permutation of 0 … b−1 that key stands for, by the
// inside-out shuffle.
func permuted(key, b, v uint64) uint64 {
	if b == 2 {
		return v ^ mix(key^0x5bd1)&1
	}
	var p [128]uint8
	for k := uint64(0); k < b; k++ {
		key = mix(key + 0x9e3779b97f4a7c15)
		// b ≤ 71, so the bias of the remainder is below 2⁻⁵⁷.
		r := key % (k + 1)
		p[k] = p[r]
		p[r] = uint8(k)
	}
	return uint64(p[v])
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection of 64 bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
