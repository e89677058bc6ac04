package interval

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The functions of recommended.go and reverse.go against what defines them: identities
// in functions that have an oracle of their own, and exact arithmetic.

// TestRootsAreTightest: by exact powers, for numbers of all magnitudes.
func TestRootsAreTightest(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 153))
	check := func(u float64, n int) {
		z := rootBounds(u, n)
		exact := new(big.Rat).SetFloat64(u)
		power := func(r float64) int { // of rⁿ against u
			if math.IsInf(r, 1) {
				return n / max(n, -n)
			}
			return ratPow(new(big.Rat).SetFloat64(r), n).Cmp(exact)
		}
		rising := 1
		if n < 0 {
			rising = -1
		}
		if z.lo == z.hi {
			if power(z.lo) != 0 {
				t.Errorf("root %d of %x is not %x", n, u, z.lo)
			}
		} else if power(z.lo)*rising >= 0 || power(z.hi)*rising <= 0 || nextUp(z.lo) != z.hi {
			t.Errorf("root %d of %x in [%x, %x]", n, u, z.lo, z.hi)
		}
	}
	for _, n := range []int{3, 4, 7, 8, 31, -1, -2, -3, -7, -8, -31} {
		for range 60 {
			check(math.Ldexp(1+rng.Float64(), rng.IntN(2000)-1000), n)
			if k := math.Ldexp(float64(1+rng.IntN(7)), 0); n > 0 && n < 16 {
				check(math.Pow(k, float64(n)), n) // exact
			}
		}
		for _, u := range []float64{5e-324, 0x1p-1022, math.MaxFloat64, 1, 2, 0.5} {
			if n != -1 { // 1/5e-324 is above the largest float64
				check(u, n)
			}
		}
	}
}

// TestRecommendedFunctionsByIdentities: at random points, the enclosures of functions
// that are related overlap as they must, and are as wide as the relation allows.
func TestRecommendedFunctionsByIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	two := Interval{2, 2}
	for range 60 {
		u := math.Ldexp(rng.Float64()*2-1, rng.IntN(12)-8)
		x := Point(u)
		v := Point(rng.Float64()*2 - 1) // in (−1, 1)
		w := Point(1 + math.Ldexp(rng.Float64(), rng.IntN(60)-50))
		a := Point(1.7*math.Abs(u) + 0x1p-40)
		for name, pair := range map[string][2]Interval{
			"exp2":  {x.Exp2(), x.Mul(two.Log()).Exp()},
			"exp10": {x.Exp10(), x.Mul(Interval{10, 10}.Log()).Exp()},
			"log2":  {a.Log2(), a.Log().Div(two.Log())},
			"log10": {a.Log10(), a.Log().Div(Interval{10, 10}.Log())},
			"tan":   {x.Tan(), x.Sin().Div(x.Cos())},
			"asin":  {v.Asin().Sin(), v},
			"acos":  {v.Acos().Cos(), v},
			"sinh":  {x.Sinh(), x.Exp().Sub(x.Neg().Exp()).Div(two)},
			"cosh":  {x.Cosh(), x.Exp().Add(x.Neg().Exp()).Div(two)},
			"tanh":  {x.Tanh(), x.Sinh().Div(x.Cosh())},
			"asinh": {x.Asinh().Sinh(), x},
			"acosh": {w.Acosh().Cosh(), w},
			"atanh": {v.Atanh().Tanh(), v},
			"atan2": {x.Atan2(a), x.Div(a).Atan()},
			"back":  {x.Atan2(a.Neg()), Pi().Sub(x.Abs().Div(a).Atan()).Mul(FromInt(int64(math.Copysign(1, u))))},
			"fma":   {x.FMA(v, w), x.Mul(v).Add(w)},
			"unit":  {v.Asin().Add(v.Acos()), Pi().Div(two)},
			"rev":   {PowIntRev(a.PowInt(5), Interval{0, math.Inf(1)}, 5), a},
		} {
			if pair[0].Disjoint(pair[1]) {
				t.Errorf("%s at %v, %v, %v: %v and %v are disjoint", name, u, v, w, pair[0], pair[1])
			}
		}
		for name, z := range map[string]Interval{
			"exp2": x.Exp2(), "exp10": x.Exp10(), "log2": a.Log2(), "log10": a.Log10(), "tan": x.Tan(), "asin": v.Asin(), "acos": v.Acos(),
			"sinh": x.Sinh(), "cosh": x.Cosh(), "tanh": x.Tanh(), "asinh": x.Asinh(), "acosh": w.Acosh(), "atanh": v.Atanh(), "atan2": x.Atan2(a),
			"fma": x.FMA(v, w),
		} {
			if !z.IsTight() {
				t.Errorf("%s at %x, %x, %x: [%x, %x] is not tight", name, u, v.lo, w.lo, z.lo, z.hi)
			}
		}
	}
}

// TestRecommendedMutantsAreNoticed: the standard library's values, and enclosures moved
// by two units, fail the tests above.
func TestRecommendedMutantsAreNoticed(t *testing.T) {
	moved := func(z Interval) Interval { return Interval{nextUp(nextUp(z.lo)), nextUp(nextUp(z.hi))} }
	x := Point(0.7)
	if !moved(x.Tan()).Disjoint(x.Tan()) || !moved(x.Sinh()).Disjoint(x.Sinh()) {
		t.Error("a moved enclosure is not disjoint from the right one")
	}
	noticed := 0
	rng := rand.New(rand.NewPCG(9, 2))
	for range 100 {
		u := rng.Float64()
		if !Point(math.Tan(u)).Subset(Point(u).Tan()) || !Point(math.Sinh(u)).Subset(Point(u).Sinh()) {
			noticed++
		}
	}
	if noticed == 0 {
		t.Error("the library's tan and sinh are never wrong: the enclosures tell nothing")
	}
}

// TestReverseOperationsKeepEveryPreimage: exact points t of x whose image lies in c stay.
func TestReverseOperationsKeepEveryPreimage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	pick := func() *big.Rat { return big.NewRat(int64(rng.IntN(41)-20), int64(1+rng.IntN(4))) }
	around := func(r *big.Rat) Interval {
		lo, hi := new(big.Rat).Sub(r, big.NewRat(int64(rng.IntN(3)), 4)), new(big.Rat).Add(r, big.NewRat(int64(rng.IntN(3)), 4))
		x, err := FromRats(lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for range 3000 {
		v, b := pick(), pick()
		x := around(v)
		for n := -4; n <= 5; n++ {
			if v.Sign() == 0 && n <= 0 {
				continue
			}
			p := big.NewRat(1, 1)
			if n != 0 {
				p = ratPow(new(big.Rat).Abs(v), n)
				if v.Sign() < 0 && n%2 != 0 {
					p.Neg(p)
				}
				if v.Sign() == 0 {
					p.SetInt64(0)
				}
			}
			if !PowIntRev(around(p), x, n).ContainsRat(v) {
				t.Errorf("power %d: %v lost", n, v)
			}
		}
		if !AbsRev(around(new(big.Rat).Abs(v)), x).ContainsRat(v) {
			t.Errorf("absolute value: %v lost", v)
		}
		bi, c := around(b), around(new(big.Rat).Mul(v, b))
		if !MulRev(bi, c, x).ContainsRat(v) {
			t.Errorf("product: %v lost from %v·t = %v", v, bi, c)
		}
		first, second := MulRevToPair(bi, c)
		if !first.ContainsRat(v) && !second.ContainsRat(v) {
			t.Errorf("product: %v lost from %v and %v", v, first, second)
		}
		if !second.IsEmpty() && !(first.Hi() <= second.Lo()) {
			t.Errorf("the branches of %v/%v come as %v, %v", c, bi, first, second)
		}
		// y + z ⊇ x, and no narrower z by a unit does.
		y := around(b)
		if z := x.CancelMinus(y); !x.Subset(y.Add(z)) {
			t.Errorf("%v − %v = %v", x, y, z)
		}
		if z := x.CancelPlus(y); !x.Subset(z.Sub(y)) {
			t.Errorf("%v cancelled by %v = %v", x, y, z)
		}
	}
}
