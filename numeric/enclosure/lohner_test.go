package enclosure

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/numeric/interval"
)

// ratInverse inverts a matrix exactly, by Gauss–Jordan elimination.
func ratInverse(n int, a []*big.Rat) []*big.Rat {
	m := make([]*big.Rat, len(a))
	inv := make([]*big.Rat, len(a))
	for i := range a {
		m[i] = new(big.Rat).Set(a[i])
		inv[i] = new(big.Rat)
	}
	for i := range n {
		inv[i*n+i].SetInt64(1)
	}
	for c := range n {
		pivot := c
		for m[pivot*n+c].Sign() == 0 {
			pivot++
		}
		for j := range n {
			m[c*n+j], m[pivot*n+j] = m[pivot*n+j], m[c*n+j]
			inv[c*n+j], inv[pivot*n+j] = inv[pivot*n+j], inv[c*n+j]
		}
		d := new(big.Rat).Inv(m[c*n+c])
		for j := range n {
			m[c*n+j].Mul(m[c*n+j], d)
			inv[c*n+j].Mul(inv[c*n+j], d)
		}
		for i := range n {
			if i == c || m[i*n+c].Sign() == 0 {
				continue
			}
			f := new(big.Rat).Set(m[i*n+c])
			for j := range n {
				m[i*n+j].Sub(m[i*n+j], new(big.Rat).Mul(f, m[c*n+j]))
				inv[i*n+j].Sub(inv[i*n+j], new(big.Rat).Mul(f, inv[c*n+j]))
			}
		}
	}
	return inv
}

// nearlyOrthogonal returns a frame of a random set, disturbed by size.
func nearlyOrthogonal(rng *rand.Rand, n int, size float64) []float64 {
	columns := make([][]float64, n)
	for j := range columns {
		columns[j] = make([]float64, n)
		for i := range n {
			columns[j][i] = rng.NormFloat64()
		}
	}
	out := frame(n, columns)
	for i := range out {
		out[i] += size * rng.NormFloat64()
	}
	return out
}

func TestInverseOfAFrameContainsTheExactInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	missedWithoutError := 0
	for trial := range 30 {
		n := 1 + trial%5
		a := nearlyOrthogonal(rng, n, []float64{0, 1e-9, 1e-3}[trial%3])
		got, ok := invertOrthogonal(n, a)
		if !ok {
			t.Fatal("not recognised as nearly orthogonal")
		}
		rats := make([]*big.Rat, len(a))
		for i := range a {
			rats[i] = new(big.Rat).SetFloat64(a[i])
		}
		missed := false
		for k, want := range ratInverse(n, rats) {
			if !got[k].ContainsRat(want) {
				t.Errorf("n = %d: entry %d in %v misses the exact inverse", n, k, got[k])
			}
			// The mutated twin: the transpose alone, without the Neumann bound.
			missed = missed || !interval.Point(a[k%n*n+k/n]).ContainsRat(want)
		}
		if missed {
			missedWithoutError++
		}
	}
	if missedWithoutError < 20 {
		t.Errorf("the transpose passed for the inverse in %d of 30 cases: the test cannot tell", 30-missedWithoutError)
	}
	if _, ok := invertOrthogonal(2, []float64{1, 1, 1, 1}); ok {
		t.Error("a singular matrix has been inverted")
	}
}

func TestFramesAreOrthogonal(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for n := 1; n <= 6; n++ {
		for _, rank := range []int{0, 1, n} {
			columns := make([][]float64, n)
			for j := range n {
				columns[j] = make([]float64, n)
				for i := range n {
					if j < rank {
						columns[j][i] = rng.NormFloat64()
					}
				}
			}
			if _, ok := invertOrthogonal(n, frame(n, columns)); !ok {
				t.Errorf("frame of a %d×%d matrix of rank %d is not nearly orthogonal", n, n, rank)
			}
		}
	}
}

// TestAdvanceContainsTheImage draws exact points of a set and exact members of a
// family of affine maps, and checks that the advanced set's box contains the
// images, over several steps.
func TestAdvanceContainsTheImage(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 28))
	pick := func(x interval.Interval) *big.Rat { // an exact element
		lo, hi, _ := x.Rats()
		w := q(rng.Int64N(5), 4)
		d := new(big.Rat).Sub(hi, lo)
		return lo.Add(lo, d.Mul(d, w))
	}
	for trial := range 20 {
		n := 1 + trial%4
		x0 := make([]interval.Interval, n)
		for i := range x0 {
			c := rng.NormFloat64()
			x0[i], _ = interval.New(c, c+0.1*rng.Float64())
		}
		s := newZonotope(x0)
		points := make([][]*big.Rat, 8)
		for k := range points {
			points[k] = make([]*big.Rat, n)
			for i := range n {
				points[k][i] = pick(x0[i])
			}
		}
		for step := range 4 {
			phi := make([]interval.Interval, n)
			jac := make([]interval.Interval, n*n)
			for i := range phi {
				c := rng.NormFloat64()
				phi[i], _ = interval.New(c, c+1e-3*rng.Float64())
			}
			for i := range jac {
				c := rng.NormFloat64()
				jac[i], _ = interval.New(c, c+1e-2*rng.Float64())
			}
			m := append([]float64(nil), s.m...)
			for k, x := range points {
				image := make([]*big.Rat, n)
				for i := range n {
					image[i] = pick(phi[i])
					for j := range n {
						d := new(big.Rat).Sub(x[j], new(big.Rat).SetFloat64(m[j]))
						image[i].Add(image[i], d.Mul(d, pick(jac[i*n+j])))
					}
				}
				points[k] = image
			}
			if !s.advance(phi, jac) {
				t.Fatal("the set became unbounded")
			}
			box := s.box()
			for _, x := range points {
				for i := range n {
					if !box[i].ContainsRat(x[i]) {
						t.Fatalf("n = %d, step %d: %v misses the image %s", n, step, box[i], x[i].FloatString(12))
					}
				}
			}
		}
	}
}

// TestReducedColumnsContainTheOldOnes: in every direction d the set of the columns that
// are left reaches at least as far, exactly: Σ|d·g'| ≥ Σ|d·g|.
func TestReducedColumnsContainTheOldOnes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	reach := func(columns [][]float64, d []*big.Rat) *big.Rat {
		sum := new(big.Rat)
		for _, g := range columns {
			dot := new(big.Rat)
			for i, v := range g {
				dot.Add(dot, new(big.Rat).Mul(d[i], new(big.Rat).SetFloat64(v)))
			}
			sum.Add(sum, dot.Abs(dot))
		}
		return sum
	}
	for trial := range 60 {
		n := 1 + trial%4
		var columns [][]float64
		for range 2*n + rng.IntN(8) {
			g := make([]float64, n)
			for i := range g {
				g[i] = rng.NormFloat64()
			}
			if trial%3 == 0 && len(columns) > 0 { // parallel ones
				for i := range g {
					g[i] = columns[0][i] * rng.Float64()
				}
			}
			columns = append(columns, g)
		}
		before := len(columns)
		old := append([][]float64(nil), columns...)
		after, ok := reduce(n, columns)
		if !ok || len(after) > before/2+2*n {
			t.Fatalf("%d columns of %d", len(after), before)
		}
		for range 40 {
			d := make([]*big.Rat, n)
			for i := range d {
				d[i] = q(int64(rng.IntN(21)-10), 1)
			}
			if reach(after, d).Cmp(reach(old, d)) < 0 {
				t.Errorf("n = %d: the reduced set falls short in direction %v", n, d)
			}
		}
	}
}

// TestErrorsGrowWithTheWidestDerivative: an error of one, times a derivative in
// [9/10, 11/10], is an error of 11/10.
func TestErrorsGrowWithTheWidestDerivative(t *testing.T) {
	zero := []interval.Interval{interval.Point(0)}
	s := newZonotope(zero)
	if !s.advance([]interval.Interval{interval.Symmetric(1)}, zero) || !s.advance(zero, []interval.Interval{iv2(q(9, 10), q(11, 10))}) {
		t.Fatal("the set became unbounded")
	}
	if b := s.box()[0]; !b.ContainsRat(q(11, 10)) || !b.ContainsRat(q(-11, 10)) || b.Wid() > 2.21 {
		t.Errorf("%v", b)
	}
}

// TestRotationDoesNotWrap turns a square of errors by 1 radian a hundred times: a
// box would grow by a factor (|cos 1| + |sin 1|)^100 ≈ 10^14, the frame keeps the
// growth to rounding.
func TestRotationDoesNotWrap(t *testing.T) {
	s := newZonotope([]interval.Interval{interval.Point(0), interval.Point(0)})
	c, d := interval.Point(1).Cos(), interval.Point(1).Sin()
	jac := []interval.Interval{c, d.Neg(), d, c}
	first := []interval.Interval{interval.Symmetric(1e-3), interval.Symmetric(1e-3)}
	none := []interval.Interval{interval.Point(0), interval.Point(0)}
	for step := range 100 {
		phi := none
		if step == 0 {
			phi = first
		}
		if !s.advance(phi, jac) {
			t.Fatal("the set became unbounded")
		}
	}
	// A turned square of half-width 1e-3 fits a box of half-width √2·1e-3; the
	// frame's own box costs another factor √2.
	for _, x := range s.box() {
		if x.Mag() > 2e-3*1.001 {
			t.Errorf("half-width %g", x.Mag())
		}
	}
}

func TestAdvanceRefusesUnboundedData(t *testing.T) {
	s := newZonotope([]interval.Interval{interval.Point(1)})
	one := []interval.Interval{interval.Point(1)}
	if s.advance([]interval.Interval{interval.Entire()}, one) || s.advance(one, []interval.Interval{interval.Entire()}) {
		t.Error("an unbounded set has been accepted")
	}
	if s.m[0] != 1 {
		t.Error("a refused step changed the set")
	}
}
