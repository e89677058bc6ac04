package ode

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// A slow twin of the explicit stepper in 400-bit arithmetic, straight from the
// exact tableau, on a polynomial system with a rational solution:
//
//	x' = -2xz, z' = x² - z²;   x = 1/(1+t²), z = t/(1+t²)
//
// (w = z + ix obeys w' = -w²).
const bigPrec = 400

func bigF(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).SetFloat64(x) }

func bigExact(x Exact) *big.Float { return new(big.Float).SetPrec(bigPrec).SetRat(x.A) }

func bigMul(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bigPrec).Mul(x, y) }

func bigAdd(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bigPrec).Add(x, y) }

type bigVec [2]*big.Float

func bigRHS(y bigVec) bigVec {
	xz := bigMul(y[0], y[1])
	zz := bigMul(y[1], y[1])
	return bigVec{bigMul(xz, bigF(-2)), bigAdd(bigMul(y[0], y[0]), zz.Neg(zz))}
}

func circleRHS(_ float64, y, d []float64) { d[0], d[1] = -2*y[0]*y[1], y[0]*y[0]-y[1]*y[1] }

// bigCombine returns y + h Σ w_i k_i.
func bigCombine(y bigVec, h *big.Float, w []Exact, k []bigVec) bigVec {
	u := y
	for i, wi := range w {
		if wi.IsZero() {
			continue
		}
		c := bigMul(h, bigExact(wi))
		for j := range u {
			u[j] = bigAdd(u[j], bigMul(c, k[i][j]))
		}
	}
	return u
}

// bigStages returns all len(A) stages of a step.
func bigStages(tb *Tableau, y bigVec, h *big.Float) []bigVec {
	k := make([]bigVec, 0, len(tb.A))
	for _, row := range tb.A {
		k = append(k, bigRHS(bigCombine(y, h, row, k)))
	}
	return k
}

// sharpTol: without round-off the slope over a halving is p + c₁h + c₂h² + …; the
// extrapolation removes c₁ and leaves O(h²) with h ≤ 1/64, that is 2.4e-4 c₂, which
// for the modest c₂ of a smooth problem is far below the distance 1 between orders.
const sharpTol = 1.0 / 32

func TestOrderIsSharpWithoutRoundOff(t *testing.T) {
	for _, tb := range []*Tableau{VernerTableau(), DormandPrinceTableau()} {
		theta := NewExact(3, 7)
		dense := tb.DenseWeights(theta)
		// Global error of b and b̂ at t = 1 and local error of the dense output in the
		// first step, over n = 64, 128, 256 steps.
		var errs [3][3]float64
		for r, n := range []int64{64, 128, 256} {
			h := new(big.Float).SetPrec(bigPrec).SetRat(big.NewRat(1, n))
			diff := func(y bigVec, t *big.Rat) float64 {
				den := new(big.Rat).Add(big.NewRat(1, 1), new(big.Rat).Mul(t, t))
				x := new(big.Float).SetPrec(bigPrec).SetRat(new(big.Rat).Inv(den))
				z := new(big.Float).SetPrec(bigPrec).SetRat(new(big.Rat).Quo(t, den))
				dx, _ := x.Sub(x, y[0]).Float64()
				dz, _ := z.Sub(z, y[1]).Float64()
				return math.Hypot(dx, dz)
			}
			for which, w := range [][]Exact{tb.B, tb.BHat} {
				y := bigVec{bigF(1), bigF(0)}
				for i := range n {
					k := bigStages(tb, y, h)
					if which == 0 && i == 0 {
						at := new(big.Rat).Mul(theta.A, big.NewRat(1, n))
						errs[2][r] = diff(bigCombine(y, h, dense, k), at)
					}
					y = bigCombine(y, h, w, k)
				}
				errs[which][r] = diff(y, big.NewRat(1, 1))
			}
		}
		for i, want := range []int{tb.Order, tb.EmbeddedOrder, tb.DenseOrder + 1} {
			e := errs[i]
			s1, s2 := math.Log2(e[0]/e[1]), math.Log2(e[1]/e[2])
			if got := 2*s2 - s1; math.Abs(got-float64(want)) > sharpTol {
				t.Errorf("%s: b, b̂, dense [%d]: errors %.3g, order %.4f, want %d ± %v", tb.Name, i, e, got, want, sharpTol)
			} else {
				t.Logf("%s [%d]: %.3g, order %.4f", tb.Name, i, e, got)
			}
		}
	}
}

// stepRounding bounds the rounding of one float64 step against the exact one, in
// units of 2⁻⁵³ of max(1, |y|): y + hΣ is rounded once per stage term (at most 13
// terms of size below |y| for h|k| ≤ 1/2), and a stage's argument is off by the
// sum of |a_ij| h|k| ≤ 40·½ units, which h·L ≤ ½ and Σ|b| ≤ 2 turn into less than 40
// more; the dense output adds sums of |weights| below 100 times ½.
const stepRounding = 128

func TestStepEqualsSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tb := range []*Tableau{VernerTableau(), DormandPrinceTableau()} {
		worst := 0.0
		for range 50 {
			y := []float64{rng.NormFloat64() / 2, rng.NormFloat64() / 2}
			h := 0.1 * rng.Float64()
			in := &integrator{f: circleRHS, n: 2, rtol: 1e-10, atol: 1e-12, dir: 1, end: 1}
			st := newExplicit(in, tb.compile())
			f0, ynew := make([]float64, 2), make([]float64, 2)
			circleRHS(0, y, f0)
			st.start(clock{}, y, f0)
			norm, _ := st.try(clock{}, h, y, ynew)
			st.accept(clock{}, h, y, ynew)
			sg := segment{h: h, y0: y, y1: ynew, q: make([]float64, 2*st.denseLen())}
			st.dense(clock{}, h, y, ynew, sg.q)

			by := bigVec{bigF(y[0]), bigF(y[1])}
			k := bigStages(tb, by, bigF(h))
			compare := func(what string, got []float64, want bigVec) {
				for j := range got {
					w, _ := want[j].Float64()
					r := math.Abs(got[j]-w) / max(1, math.Abs(w)) / 0x1p-53
					worst = max(worst, r)
					if !(r <= stepRounding) {
						t.Errorf("%s: %s[%d] = %v, want %v: %.0f units", tb.Name, what, j, got[j], w, r)
					}
				}
			}
			compare("y₁", ynew, bigCombine(by, bigF(h), tb.B, k))
			for _, num := range []int64{0, 1, 2, 3, 4} {
				u := make([]float64, 2)
				sg.eval(h*float64(num)/4, u)
				compare("u(θ)", u, bigCombine(by, bigF(h), tb.DenseWeights(NewExact(num, 4)), k))
			}
			e := make([]float64, 2)
			hat := bigCombine(by, bigF(h), tb.BHat, k)
			one := bigCombine(by, bigF(h), tb.B, k)
			for j := range e {
				e[j], _ = new(big.Float).Sub(one[j], hat[j]).Float64()
			}
			want := in.norm(e, y, ynew)
			// The estimate is a difference of sums: absolute rounding over the weight.
			if tol := stepRounding * 0x1p-53 / in.atol; math.Abs(norm-want) > tol+1e-9*want {
				t.Errorf("%s: error norm %v, want %v", tb.Name, norm, want)
			}
		}
		t.Logf("%s: worst %.1f units", tb.Name, worst)
	}
}
