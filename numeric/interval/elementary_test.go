package interval

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The oracles of this file are partial sums in big.Rat, straight from the
// definition of each function, with a rational bound of the remainder. They
// share nothing with bigrange.go.

// ratRange is a rational enclosure.
type ratRange struct{ lo, hi *big.Rat }

// oracleBits is the accuracy of the oracles, far beyond the 53 bits under test.
const oracleBits = 180

func ratAbs(r *big.Rat) *big.Rat { return new(big.Rat).Abs(r) }

// taylor encloses Σ_i c_i·x^(n+2i or n+i)/(…)! given the first term and the
// recurrence; the series is stopped when terms are below 2^−oracleBits and decrease
// at least by halves, so that the remainder is below twice the last term.
func taylor(first *big.Rat, next func(term *big.Rat, i int64) (ratio *big.Rat)) ratRange {
	sum, term := new(big.Rat), new(big.Rat).Set(first)
	small := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), oracleBits))
	half := big.NewRat(1, 2)
	for i := int64(0); ; i++ {
		sum.Add(sum, term)
		ratio := next(term, i)
		term.Mul(term, ratio)
		if ratAbs(ratio).Cmp(half) <= 0 && ratAbs(term).Cmp(small) < 0 {
			r := ratAbs(term)
			r.Mul(r, big.NewRat(2, 1))
			return ratRange{new(big.Rat).Sub(sum, r), new(big.Rat).Add(sum, r)}
		}
	}
}

func ratExp(x *big.Rat) ratRange {
	return taylor(big.NewRat(1, 1), func(_ *big.Rat, i int64) *big.Rat {
		return new(big.Rat).Mul(x, big.NewRat(1, i+1))
	})
}

func ratSinCos(x *big.Rat) (sin, cos ratRange) {
	square := new(big.Rat).Mul(x, x)
	square.Neg(square)
	step := func(n int64) func(*big.Rat, int64) *big.Rat {
		return func(_ *big.Rat, i int64) *big.Rat {
			return new(big.Rat).Mul(square, big.NewRat(1, (n+2*i+1)*(n+2*i+2)))
		}
	}
	return taylor(x, step(1)), taylor(big.NewRat(1, 1), step(0))
}

// contains explains how got fails to be the tightest interval around the
// number enclosed by want.
func contains(got Interval, want ratRange) string {
	if why := tightest(got, &model{ext{r: want.lo}, ext{r: want.hi}}); why != "" {
		return fmt.Sprintf("got [%x, %x]: %s", got.Lo(), got.Hi(), why)
	}
	return ""
}

// elementaryFunctions is the set of functions under test at points.
type elementaryFunctions struct{ exp, log, sin, cos, atan func(Interval) Interval }

var elementary = elementaryFunctions{
	Interval.Exp, Interval.Log, Interval.Sin, Interval.Cos, Interval.Atan,
}

// conformElementary compares e with the oracles at points and returns the
// failures by function.
func conformElementary(e elementaryFunctions) map[string]string {
	failures := map[string]string{}
	report := func(name string, u float64, why string) {
		if why != "" {
			failures[name] = fmt.Sprintf("%s %v: %s", name, u, why)
		}
	}
	rng := rand.New(rand.NewPCG(27, 18))
	for range 30 {
		// 20 significant bits keep the rationals of the oracle short.
		u := math.Round(math.Ldexp(rng.Float64()-0.5, 20)) * 0x1p-17
		x := new(big.Rat).SetFloat64(u)
		sin, cos := ratSinCos(x)
		report("exp", u, contains(e.exp(Point(u)), ratExp(x)))
		report("sin", u, contains(e.sin(Point(u)), sin))
		report("cos", u, contains(e.cos(Point(u)), cos))

		// log and arctan through their inverses: lo ≤ log v < next(lo) exactly
		// when e^lo ≤ v < e^next(lo).
		v := math.Ldexp(1+rng.Float64(), rng.IntN(9)-4)
		if l := e.log(Point(v)); l.Lo() != l.Hi() {
			w := new(big.Rat).SetFloat64(v)
			below, above := ratExp(new(big.Rat).SetFloat64(l.Lo())), ratExp(new(big.Rat).SetFloat64(l.Hi()))
			if below.lo.Cmp(w) > 0 || above.hi.Cmp(w) < 0 || nextUp(l.Lo()) != l.Hi() {
				report("log", v, fmt.Sprintf("got [%x, %x]", l.Lo(), l.Hi()))
			}
		} else {
			report("log", v, "a transcendental number as a point")
		}
		a := e.atan(Point(u))
		if u == 0 {
			continue
		}
		tanCompare := func(end float64) (lo, hi *big.Rat) { // sin(end) − u·cos(end)
			sin, cos := ratSinCos(new(big.Rat).SetFloat64(end))
			at := func(s, c *big.Rat) *big.Rat { return new(big.Rat).Sub(s, new(big.Rat).Mul(x, c)) }
			p, q := at(sin.lo, cos.lo), at(sin.lo, cos.hi)
			if p.Cmp(q) > 0 {
				p, q = q, p
			}
			width := new(big.Rat).Sub(sin.hi, sin.lo)
			return p, q.Add(q, width)
		}
		_, below := tanCompare(a.Lo())
		above, _ := tanCompare(a.Hi())
		if below.Sign() > 0 || above.Sign() < 0 || nextUp(a.Lo()) != a.Hi() {
			report("atan", u, fmt.Sprintf("got [%x, %x]", a.Lo(), a.Hi()))
		}
	}
	return failures
}

func TestElementaryFunctionsAreTightestAtPoints(t *testing.T) {
	for _, why := range conformElementary(elementary) {
		t.Error(why)
	}
}

// TestElementaryMutantsAreCaught replaces each function by the standard
// library's value, which has no error bound, with and without one unit around it.
func TestElementaryMutantsAreCaught(t *testing.T) {
	point := func(f func(float64) float64) func(Interval) Interval {
		return func(x Interval) Interval { return Point(f(x.Lo())) }
	}
	bumped := func(f func(float64) float64) func(Interval) Interval {
		return func(x Interval) Interval {
			v := f(x.Lo())
			return Interval{nextDown(v), nextUp(v)}
		}
	}
	for name, around := range map[string]func(func(float64) float64) func(Interval) Interval{"point": point, "bumped": bumped} {
		failures := conformElementary(elementaryFunctions{
			around(math.Exp), around(math.Log), around(math.Sin), around(math.Cos), around(math.Atan),
		})
		for _, f := range []string{"exp", "log", "sin", "cos", "atan"} {
			if failures[f] == "" {
				t.Errorf("%s: defect of %s not noticed", name, f)
			}
		}
	}
}

func TestPiLiesBetweenSignsOfTheSine(t *testing.T) {
	pi := Pi()
	below, _ := ratSinCos(new(big.Rat).SetFloat64(pi.Lo()))
	above, _ := ratSinCos(new(big.Rat).SetFloat64(pi.Hi()))
	if below.lo.Sign() <= 0 || above.hi.Sign() >= 0 || nextUp(pi.Lo()) != pi.Hi() || pi.Lo() < 3 {
		t.Errorf("π in [%x, %x]", pi.Lo(), pi.Hi())
	}
}

func TestSineOfHugeArguments(t *testing.T) {
	// sin 10^22 and cos 10^22 to 16 digits: K. C. Ng, "Argument reduction for
	// huge arguments: good to the last bit" (1992), table 1 gives the sine; the
	// cosine follows from sin² + cos² = 1 with the sign of the quadrant.
	x := Point(1e22)
	sin := mustParse(t, "-0.8522008497671888?1")
	if s := x.Sin(); !s.Subset(sin) {
		t.Errorf("sin 1e22 = %v", s)
	}
	cos := mustParse(t, "1").Sub(x.Sin().Sqr()).Sqrt()
	if c := x.Cos(); !c.Subset(cos) {
		t.Errorf("cos 1e22 = %v, expected in %v", c, cos)
	}
	for _, u := range []float64{math.MaxFloat64, -math.MaxFloat64, 0x1p+1000} {
		one := Point(u).Sin().Sqr().Add(Point(u).Cos().Sqr())
		if !one.Contains(1) || one.Wid() > 0x1p-50 {
			t.Errorf("sin² + cos² at %v: %v", u, one)
		}
	}
}

// TestRangesContainSampledValues samples points of intervals and compares with
// the functions at the points, and checks that the range is attained.
func TestRangesContainSampledValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 41))
	functions := map[string]func(Interval) Interval{
		"exp": Interval.Exp, "log": Interval.Log, "sin": Interval.Sin, "cos": Interval.Cos, "atan": Interval.Atan,
	}
	for range 60 {
		lo := math.Ldexp(rng.Float64()-0.5, rng.IntN(8))
		x := Interval{lo, lo + math.Ldexp(rng.Float64(), rng.IntN(5)-2)}
		if x.lo <= 0 {
			x = Interval{x.lo, math.Max(x.hi, 0.5)}
		}
		for name, f := range functions {
			range_ := f(x)
			seen := Empty()
			const samples = 64
			for i := range samples + 1 {
				u := math.Min(x.hi, x.lo+(x.hi-x.lo)*float64(i)/samples)
				if name == "log" && u <= 0 {
					continue
				}
				v := f(Point(u))
				if !v.Subset(range_) {
					t.Fatalf("%s(%v) = %v misses the value %v at %v", name, x, range_, v, u)
				}
				seen = seen.Hull(v)
			}
			if name == "log" && x.lo <= 0 {
				continue
			}
			// Sampling misses an extremum of sin or cos by at most half a step,
			// where the function is within step²/8 of it; the other functions
			// have their extremes at the ends, which are sampled.
			step := (x.hi - x.lo) / samples
			if slack := step*step/8 + 0x1p-50; seen.Lo()-range_.Lo() > slack || range_.Hi()-seen.Hi() > slack {
				t.Errorf("%s(%v) = %v is wider than the values seen, %v", name, x, range_, seen)
			}
		}
	}
}

func TestPowAgreesWithExactAndLogarithmicForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 77))
	for range 200 {
		u := math.Ldexp(1+rng.Float64(), rng.IntN(40)-20)
		n := rng.IntN(31) - 15
		exact := ratPow(new(big.Rat).SetFloat64(u), n)
		if why := tightest(Point(u).Pow(Point(float64(n))), &model{ext{r: exact}, ext{r: exact}}); why != "" {
			t.Errorf("%v^%d: %s", u, n, why)
		}
		// A fractional exponent against exp(v·log u) in float64 intervals.
		v := float64(n) + 0.37
		p, q := Point(u).Pow(Point(v)), Point(v).Mul(Point(u).Log()).Exp()
		if p.Disjoint(q) || !p.IsTight() {
			t.Errorf("%v^%v = %v, exp of log = %v", u, v, p, q)
		}
	}
	// A perfect power with a fractional exponent is exact, which no enclosure
	// decides: the result is one unit wide on either side.
	if p := Point(4).Pow(Point(1.5)); !p.Contains(8) || p.Wid() > 4*0x1p-49 {
		t.Errorf("4^1.5 = %v", p)
	}
	if p := (Interval{2, 3}).Pow(Point(1e300)); p.Lo() != math.MaxFloat64 || !math.IsInf(p.Hi(), 1) {
		t.Errorf("overflow: %v", p)
	}
	if p := (Interval{2, 3}).Pow(Point(-1e300)); p != (Interval{0, math.SmallestNonzeroFloat64}) {
		t.Errorf("underflow: %v", p)
	}
}

func TestExpAtItsThresholds(t *testing.T) {
	for _, row := range []struct{ x, want Interval }{
		{Point(0), Point(1)},
		{Entire(), Interval{0, math.Inf(1)}},
		{Point(709), Empty()}, // bounded, checked below only
		{Point(800), Interval{math.MaxFloat64, math.Inf(1)}},
		{Point(-800), Interval{0, math.SmallestNonzeroFloat64}},
		{Empty(), Empty()},
		{Point(0x1p-1074), Interval{1, nextUp(1)}},
		{Point(-0x1p-1074), Interval{nextDown(1), 1}},
	} {
		got := row.x.Exp()
		if row.want.IsEmpty() && !row.x.IsEmpty() {
			if !got.IsTight() {
				t.Errorf("exp %v = %v", row.x, got)
			}
		} else if got != row.want {
			t.Errorf("exp %v = %v, want %v", row.x, got, row.want)
		}
	}
	if l := (Interval{-1, 0}).Log(); !l.IsEmpty() {
		t.Errorf("log [-1, 0] = %v", l)
	}
}
