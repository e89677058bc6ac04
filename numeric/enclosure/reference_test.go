package enclosure

import (
	"math/big"
	"testing"

	"stopgrad/numeric/interval"
)

// The references of this file share no code with the package: closed forms in
// exact rationals, and Gragg–Bulirsch–Stoer extrapolation in big.Float.

// q is the rational a/b.
func q(a, b int64) *big.Rat { return big.NewRat(a, b) }

// iv is the tightest interval around a/b.
func iv(a, b int64) interval.Interval { return interval.FromRat(q(a, b)) }

// ivs encloses rationals.
func ivs(xs ...*big.Rat) []interval.Interval {
	out := make([]interval.Interval, len(xs))
	for i, x := range xs {
		out[i] = interval.FromRat(x)
	}
	return out
}

// referenceError bounds the error of every reference of this file: far below
// 2^−70 times the values compared with enclosures of 53-bit ends, so that a
// reference outside an enclosure means that the true value is outside, too.
var referenceError = new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 100))

// ratExp returns e^x with an error below referenceError for |x| ≤ 64, from the
// series at x/2^k and k squarings, all in rationals rounded to 300 bits.
func ratExp(x *big.Rat) *big.Rat {
	const halvings, terms = 12, 40
	r := new(big.Rat).Quo(x, q(1<<halvings, 1))
	sum, term := q(1, 1), q(1, 1)
	for i := int64(1); i <= terms; i++ { // 2^−6·40/40! < 2^−300
		term.Mul(term, r)
		term.Mul(term, q(1, i))
		sum.Add(sum, term)
	}
	shorten := func(v *big.Rat) *big.Rat {
		f, _ := new(big.Float).SetPrec(400).SetRat(v).Rat(nil)
		return f
	}
	sum = shorten(sum)
	for range halvings {
		sum = shorten(new(big.Rat).Mul(sum, sum))
	}
	return sum
}

// vectorField is x' = f(x) in big.Float.
type vectorField func(x []*big.Float) []*big.Float

const referencePrec = 240

func bf(r *big.Rat) *big.Float { return new(big.Float).SetPrec(referencePrec).SetRat(r) }

func bfAdd(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(referencePrec).Add(a, b) }
func bfSub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(referencePrec).Sub(a, b) }
func bfMul(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(referencePrec).Mul(a, b) }
func bfQuo(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(referencePrec).Quo(a, b) }

// extrapolate integrates over time t in the given number of equal steps, each a
// 16-fold extrapolated modified midpoint rule with 2, 4, …, 32 substeps (Hairer,
// Nørsett and Wanner, Solving ODEs I, II.9), order 32.
func extrapolate(f vectorField, x []*big.Float, t *big.Rat, steps int64) []*big.Float {
	const levels = 16
	length := new(big.Rat).Quo(t, q(steps, 1))
	for range steps {
		var table [levels][]*big.Float
		for k := range levels {
			n := int64(2 * (k + 1))
			h := bf(new(big.Rat).Quo(length, q(n, 1)))
			double := bfAdd(h, h)
			axpy := func(y []*big.Float, c *big.Float, d []*big.Float) []*big.Float {
				out := make([]*big.Float, len(y))
				for i := range y {
					out[i] = bfAdd(y[i], bfMul(c, d[i]))
				}
				return out
			}
			before, now := x, axpy(x, h, f(x))
			for i := int64(1); i < n; i++ {
				before, now = now, axpy(before, double, f(now))
			}
			table[k] = now
			for j := k - 1; j >= 0; j-- {
				// T_{k,j+1} = T_{k,j} + (T_{k,j} − T_{k−1,j})/((n_k/n_j)² − 1); the row is
				// kept from the finest end.
				ratio := q(int64(k+1)*int64(k+1), int64(j+1)*int64(j+1))
				d := bf(ratio.Sub(ratio, q(1, 1)))
				finer := make([]*big.Float, len(x))
				for i := range x {
					finer[i] = bfAdd(table[j+1][i], bfQuo(bfSub(table[j+1][i], table[j][i]), d))
				}
				table[j] = finer
			}
		}
		x = table[0]
	}
	return x
}

// reference integrates twice, with steps and 3/2·steps, and fails the test unless
// the two agree to referenceError.
func reference(t *testing.T, f vectorField, x0 []*big.Rat, time *big.Rat, steps int64) []*big.Rat {
	t.Helper()
	start := make([]*big.Float, len(x0))
	for i, x := range x0 {
		start[i] = bf(x)
	}
	coarse := extrapolate(f, start, time, steps)
	fine := extrapolate(f, start, time, steps*3/2)
	out := make([]*big.Rat, len(x0))
	for i := range out {
		a, _ := coarse[i].Rat(nil)
		b, _ := fine[i].Rat(nil)
		if d := new(big.Rat).Sub(a, b); d.Abs(d).Cmp(referenceError) > 0 {
			f, _ := d.Float64()
			t.Fatalf("reference not converged: %g", f)
		}
		out[i] = b
	}
	return out
}

func TestExtrapolationReachesClosedForms(t *testing.T) {
	// x' = −x, y' = y²: x = e^−t, y = 1/(2−t) from y = 1/2.
	f := func(x []*big.Float) []*big.Float {
		return []*big.Float{new(big.Float).Neg(x[0]), bfMul(x[1], x[1])}
	}
	got := reference(t, f, []*big.Rat{q(1, 1), q(1, 2)}, q(1, 1), 16)
	for i, want := range []*big.Rat{ratExp(q(-1, 1)), q(1, 1)} {
		if d := new(big.Rat).Sub(got[i], want); d.Abs(d).Cmp(referenceError) > 0 {
			f, _ := d.Float64()
			t.Errorf("component %d off by %g", i, f)
		}
	}
}
