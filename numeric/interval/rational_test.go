package interval

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// ext is an extended rational: r, or an infinity when inf is −1 or +1.
type ext struct {
	r   *big.Rat
	inf int
}

func extOf(f float64) ext {
	if math.IsInf(f, 0) {
		return ext{inf: int(math.Copysign(1, f))}
	}
	return ext{r: new(big.Rat).SetFloat64(f)}
}

func (a ext) sign() int {
	if a.inf != 0 {
		return a.inf
	}
	return a.r.Sign()
}

func (a ext) cmp(b ext) int {
	if a.inf != 0 || b.inf != 0 {
		return a.inf - b.inf
	}
	return a.r.Cmp(b.r)
}

func (a ext) neg() ext {
	if a.inf != 0 {
		return ext{inf: -a.inf}
	}
	return ext{r: new(big.Rat).Neg(a.r)}
}

func (a ext) add(b ext) ext {
	if a.inf != 0 || b.inf != 0 {
		if a.inf*b.inf < 0 {
			panic("rational model: inf − inf")
		}
		return ext{inf: (a.inf + b.inf) / max(1, abs(a.inf+b.inf))}
	}
	return ext{r: new(big.Rat).Add(a.r, b.r)}
}

func (a ext) mul(b ext) ext {
	if a.sign() == 0 || b.sign() == 0 {
		return ext{r: new(big.Rat)}
	}
	if a.inf != 0 || b.inf != 0 {
		return ext{inf: a.sign() * b.sign()}
	}
	return ext{r: new(big.Rat).Mul(a.r, b.r)}
}

func abs(n int) int { return max(n, -n) }

// model is the slow obvious twin of Interval: exact extended-rational ends, nil
// for the empty set.
type model struct{ lo, hi ext }

func modelOf(x Interval) *model {
	if x.IsEmpty() {
		return nil
	}
	return &model{extOf(x.Lo()), extOf(x.Hi())}
}

func modelHull(values ...ext) *model {
	m := &model{values[0], values[0]}
	for _, v := range values[1:] {
		if v.cmp(m.lo) < 0 {
			m.lo = v
		}
		if v.cmp(m.hi) > 0 {
			m.hi = v
		}
	}
	return m
}

func (x *model) add(y *model) *model {
	if x == nil || y == nil {
		return nil
	}
	return &model{x.lo.add(y.lo), x.hi.add(y.hi)}
}

func (x *model) neg() *model {
	if x == nil {
		return nil
	}
	return &model{x.hi.neg(), x.lo.neg()}
}

func (x *model) mul(y *model) *model {
	if x == nil || y == nil {
		return nil
	}
	return modelHull(x.lo.mul(y.lo), x.lo.mul(y.hi), x.hi.mul(y.lo), x.hi.mul(y.hi))
}

// positiveRecip is {1/v : v ∈ x, v > 0}, nil if there is no such v.
func (x *model) positiveRecip() *model {
	if x.hi.sign() <= 0 {
		return nil
	}
	lo, hi := ext{r: new(big.Rat)}, ext{inf: 1}
	if x.hi.inf == 0 {
		lo.r.Inv(x.hi.r)
	}
	if x.lo.sign() > 0 {
		hi = ext{r: new(big.Rat).Inv(x.lo.r)}
	}
	return &model{lo, hi}
}

// div joins the quotients by the positive and by the negative part of y.
func (x *model) div(y *model) *model {
	if x == nil || y == nil {
		return nil
	}
	plus := x.mul(y.positiveRecip())
	minus := x.neg().mul(y.neg().positiveRecip())
	switch {
	case plus == nil:
		return minus
	case minus == nil:
		return plus
	}
	return modelHull(plus.lo, plus.hi, minus.lo, minus.hi)
}

func (x *model) sqr() *model {
	if x == nil {
		return nil
	}
	values := []ext{x.lo.mul(x.lo), x.hi.mul(x.hi)}
	if x.lo.sign() <= 0 && x.hi.sign() >= 0 {
		values = append(values, ext{r: new(big.Rat)})
	}
	return modelHull(values...)
}

// tightest explains how got fails to be the tightest float64 interval around
// want; it is "" if it does not fail. The neighbours come from math.Nextafter,
// the comparisons are exact.
func tightest(got Interval, want *model) string {
	if want == nil || got.IsEmpty() {
		if want == nil && got.IsEmpty() {
			return ""
		}
		return fmt.Sprintf("empty: got %v", got)
	}
	lo, hi := extOf(got.Lo()), extOf(got.Hi())
	switch {
	case lo.cmp(want.lo) > 0:
		return fmt.Sprintf("lower end %x is inside the exact range", got.Lo())
	case hi.cmp(want.hi) < 0:
		return fmt.Sprintf("upper end %x is inside the exact range", got.Hi())
	}
	up := math.Nextafter(got.Lo(), math.Inf(1))
	down := math.Nextafter(got.Hi(), math.Inf(-1))
	switch {
	case extOf(up).cmp(want.lo) <= 0 && !math.IsInf(up, 1) && lo.cmp(want.lo) != 0:
		return fmt.Sprintf("lower end %x is not tight", got.Lo())
	case extOf(down).cmp(want.hi) >= 0 && !math.IsInf(down, -1) && hi.cmp(want.hi) != 0:
		return fmt.Sprintf("upper end %x is not tight", got.Hi())
	}
	return ""
}

// tightestRoot is tightest for the square root: ends are compared by their
// squares.
func tightestRoot(got, x Interval) string {
	if x.IsEmpty() || x.Hi() < 0 {
		return tightest(got, nil)
	}
	if got.IsEmpty() || got.Lo() < 0 {
		return fmt.Sprintf("got %v", got)
	}
	square := func(f float64) ext { return extOf(f).mul(extOf(f)) }
	lo, hi := extOf(math.Max(x.Lo(), 0)), extOf(x.Hi())
	up, down := math.Nextafter(got.Lo(), math.Inf(1)), math.Nextafter(got.Hi(), 0)
	switch {
	case square(got.Lo()).cmp(lo) > 0:
		return "lower end is inside the exact range"
	case square(got.Hi()).cmp(hi) < 0:
		return "upper end is inside the exact range"
	case square(up).cmp(lo) <= 0:
		return "lower end is not tight"
	case square(down).cmp(hi) >= 0 && hi.sign() > 0 && hi.inf == 0:
		return "upper end is not tight"
	}
	return ""
}

// arithmetic is a set of interval operations under test.
type arithmetic struct {
	add, sub, mul, div func(x, y Interval) Interval
	sqr, sqrt          func(x Interval) Interval
}

var kernel = arithmetic{
	add: Interval.Add, sub: Interval.Sub, mul: Interval.Mul, div: Interval.Div,
	sqr: Interval.Sqr, sqrt: Interval.Sqrt,
}

// conform compares a with the rational model on all ordered pairs of intervals
// and returns the number of comparisons and the first few failures.
func conform(a arithmetic, intervals []Interval) (n int, failures []string) {
	models := make([]*model, len(intervals))
	for i, x := range intervals {
		models[i] = modelOf(x)
	}
	report := func(op string, x, y, got Interval, why string) {
		n++
		if why != "" && len(failures) < 5 {
			failures = append(failures, fmt.Sprintf("%s %v %v = %v: %s", op, x, y, got, why))
		}
	}
	for i, x := range intervals {
		got := a.sqr(x)
		report("sqr", x, x, got, tightest(got, models[i].sqr()))
		got = a.sqrt(x)
		report("sqrt", x, x, got, tightestRoot(got, x))
		for j, y := range intervals {
			got := a.add(x, y)
			report("add", x, y, got, tightest(got, models[i].add(models[j])))
			got = a.sub(x, y)
			report("sub", x, y, got, tightest(got, models[i].add(models[j].neg())))
			got = a.mul(x, y)
			report("mul", x, y, got, tightest(got, models[i].mul(models[j])))
			got = a.div(x, y)
			report("div", x, y, got, tightest(got, models[i].div(models[j])))
		}
	}
	return n, failures
}

// patternIntervals returns all intervals between the ends, and the empty set.
func patternIntervals(ends []float64) []Interval {
	intervals := []Interval{Empty()}
	for _, lo := range ends {
		for _, hi := range ends {
			if x, err := New(lo, hi); err == nil {
				intervals = append(intervals, x)
			}
		}
	}
	return intervals
}

// patternEnds are ends chosen for their arithmetic: zeros, units, neighbours of
// one, a value whose reciprocal is inexact, roots of the underflow and overflow
// thresholds (so that products straddle them), the extremes and the infinities.
var patternEnds = []float64{
	math.Inf(-1), -math.MaxFloat64, -0x1.8p+511, -3, -1, -0x1p-1074, 0,
	0x1p-1074, 0x1.7p-537, 0x1.999999999999ap-4, 1, 0x1.0000000000001p+0,
	0x1.fffffffffffffp+511, math.MaxFloat64, math.Inf(1),
}

func TestOperationsAreTightestOnAllPairsOfPatterns(t *testing.T) {
	n, failures := conform(kernel, patternIntervals(patternEnds))
	for _, f := range failures {
		t.Error(f)
	}
	t.Logf("%d results compared with exact rational ranges", n)
}

// inward shrinks a nonempty, non-point result by one unit at one end.
func inwardLo(x Interval) Interval {
	if x.IsEmpty() || x.IsPoint() {
		return x
	}
	return Interval{nextUp(x.lo), x.hi}
}

func inwardHi(x Interval) Interval {
	if x.IsEmpty() || x.IsPoint() {
		return x
	}
	return Interval{x.lo, nextDown(x.hi)}
}

// TestMutatedOperationsAreCaught runs the comparison of
// TestOperationsAreTightestOnAllPairsOfPatterns on kernels with one defect each;
// every one must fail it.
func TestMutatedOperationsAreCaught(t *testing.T) {
	binary := func(f func(x, y Interval) Interval, g func(Interval) Interval) func(x, y Interval) Interval {
		return func(x, y Interval) Interval { return g(f(x, y)) }
	}
	unary := func(f, g func(Interval) Interval) func(Interval) Interval {
		return func(x Interval) Interval { return g(f(x)) }
	}
	// nearest drops the residual: both ends rounded to nearest.
	nearestMul := func(x, y Interval) Interval {
		m := modelOf(x).mul(modelOf(y))
		if m == nil {
			return Empty()
		}
		end := func(e ext) float64 {
			if e.inf != 0 {
				return math.Inf(e.inf)
			}
			f, _ := e.r.Float64()
			return f
		}
		return Interval{end(m.lo), end(m.hi)}
	}
	mutants := map[string]func(*arithmetic){
		"add, lower end inward":   func(a *arithmetic) { a.add = binary(a.add, inwardLo) },
		"add, upper end inward":   func(a *arithmetic) { a.add = binary(a.add, inwardHi) },
		"sub, lower end inward":   func(a *arithmetic) { a.sub = binary(a.sub, inwardLo) },
		"sub, upper end inward":   func(a *arithmetic) { a.sub = binary(a.sub, inwardHi) },
		"mul, lower end inward":   func(a *arithmetic) { a.mul = binary(a.mul, inwardLo) },
		"mul, upper end inward":   func(a *arithmetic) { a.mul = binary(a.mul, inwardHi) },
		"div, lower end inward":   func(a *arithmetic) { a.div = binary(a.div, inwardLo) },
		"div, upper end inward":   func(a *arithmetic) { a.div = binary(a.div, inwardHi) },
		"sqr, lower end inward":   func(a *arithmetic) { a.sqr = unary(a.sqr, inwardLo) },
		"sqr, upper end inward":   func(a *arithmetic) { a.sqr = unary(a.sqr, inwardHi) },
		"sqrt, lower end inward":  func(a *arithmetic) { a.sqrt = unary(a.sqrt, inwardLo) },
		"sqrt, upper end inward":  func(a *arithmetic) { a.sqrt = unary(a.sqrt, inwardHi) },
		"mul, rounded to nearest": func(a *arithmetic) { a.mul = nearestMul },
		"sqr as x·x":              func(a *arithmetic) { a.sqr = func(x Interval) Interval { return x.Mul(x) } },
		"sub, ends not crossed": func(a *arithmetic) {
			a.sub = func(x, y Interval) Interval {
				lo, hi := subDown(x.lo, y.lo), subUp(x.hi, y.hi)
				if z, err := New(lo, hi); err == nil {
					return z
				}
				return Empty()
			}
		},
		"div, zero in the divisor ignored": func(a *arithmetic) {
			div := a.div
			a.div = func(x, y Interval) Interval {
				if y.lo < 0 && y.hi > 0 {
					return div(x, Interval{y.lo, y.lo}).Hull(div(x, Interval{y.hi, y.hi}))
				}
				return div(x, y)
			}
		},
		"div by zero is everything": func(a *arithmetic) {
			div := a.div
			a.div = func(x, y Interval) Interval {
				if y == (Interval{}) {
					return Entire()
				}
				return div(x, y)
			}
		},
	}
	intervals := patternIntervals([]float64{
		math.Inf(-1), -math.MaxFloat64, -3, -0x1p-1074, 0, 0x1.7p-537, 0x1.999999999999ap-4, 1,
		0x1.fffffffffffffp+511, math.Inf(1),
	})
	if _, failures := conform(kernel, intervals); len(failures) > 0 {
		t.Fatalf("the kernel itself fails: %s", failures[0])
	}
	for name, mutate := range mutants {
		t.Run(name, func(t *testing.T) {
			a := kernel
			mutate(&a)
			if _, failures := conform(a, intervals); len(failures) == 0 {
				t.Error("defect not noticed")
			}
		})
	}
}

// roundingOperand draws a float64 whose exponent is near one of the thresholds
// at which the rounding primitives change their method, or anywhere.
func roundingOperand(rng *rand.Rand) float64 {
	centres := [...]int{-1074, -1022, -969, -900, -537, -450, -300, 0, 0, 53, 450, 511, 970, 1023}
	significand := 1 + rng.Float64()
	switch rng.IntN(4) {
	case 0: // few bits, so that exact results occur
		significand = 1 + float64(rng.IntN(8))/8
	case 1:
		significand = math.Nextafter(2, 1)
	}
	exponent := centres[rng.IntN(len(centres))] + rng.IntN(7) - 3
	f := math.Ldexp(significand, exponent)
	f = math.Min(math.Max(f, math.SmallestNonzeroFloat64), math.MaxFloat64)
	if rng.IntN(2) == 0 {
		return -f
	}
	return f
}

func TestDirectedPrimitivesAreTightest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1788, 2015))
	exact := map[string]int{}
	for range 40000 {
		a, b := roundingOperand(rng), roundingOperand(rng)
		if near := math.Nextafter(a, 0); near != 0 && rng.IntN(8) == 0 {
			// Operands of near magnitude: cancellation, and sums at the overflow threshold.
			b = math.Copysign(near, b)
		}
		x, y := new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b)
		check := func(op string, lo, hi float64, want *big.Rat) {
			if why := tightest(Interval{lo, hi}, &model{ext{r: want}, ext{r: want}}); why != "" {
				t.Fatalf("%s %x %x: %s", op, a, b, why)
			}
			if lo == hi {
				exact[op]++
			}
		}
		check("add", addDown(a, b), addUp(a, b), new(big.Rat).Add(x, y))
		check("sub", subDown(a, b), subUp(a, b), new(big.Rat).Sub(x, y))
		check("mul", mulDown(a, b), mulUp(a, b), new(big.Rat).Mul(x, y))
		check("div", divDown(a, b), divUp(a, b), new(big.Rat).Quo(x, y))
		m := math.Abs(a)
		if why := tightestRoot(Interval{sqrtDown(m), sqrtUp(m)}, Interval{m, m}); why != "" {
			t.Fatalf("sqrt %x: %s", m, why)
		}
	}
	for _, op := range []string{"add", "sub", "mul", "div"} {
		if exact[op] == 0 {
			t.Errorf("no exact %s was drawn: the generator misses the case", op)
		}
	}
}

func TestPowIntEnclosesExactPowers(t *testing.T) {
	intervals := patternIntervals([]float64{
		math.Inf(-1), -3, -0x1.999999999999ap-4, 0, 0x1p-1074, 0x1.7p-3, 1.5, 0x1p+300, math.Inf(1),
	})
	for _, x := range intervals {
		for _, n := range []int{-7, -2, -1, 0, 1, 2, 3, 4, 5, 11, 64} {
			got := x.PowInt(n)
			want := modelPow(modelOf(x), n)
			if want == nil || got.IsEmpty() {
				if want != nil || !got.IsEmpty() {
					t.Errorf("%v^%d = %v", x, n, got)
				}
				continue
			}
			if extOf(got.Lo()).cmp(want.lo) > 0 || extOf(got.Hi()).cmp(want.hi) < 0 {
				t.Errorf("%v^%d = %v does not contain the exact range", x, n, got)
			}
			// The documented accuracy, asserted away from under- and overflow.
			for _, end := range []struct {
				got  float64
				want ext
			}{{got.Lo(), want.lo}, {got.Hi(), want.hi}} {
				if end.want.inf != 0 || math.IsInf(end.got, 0) || math.Abs(end.got) < 0x1p-1000 || math.Abs(end.got) > 0x1p+1000 {
					continue
				}
				slack := new(big.Rat).Sub(extOf(end.got).r, end.want.r)
				bound := new(big.Rat).Mul(end.want.r, big.NewRat(int64(abs(n)), 1<<52))
				if slack.Abs(slack).Cmp(bound.Abs(bound)) > 0 {
					t.Errorf("%v^%d = %v: relative error above %d·2^-52", x, n, got, abs(n))
				}
			}
		}
	}
}

// modelPow multiplies extended rationals n times over the monotone pieces of x.
func modelPow(x *model, n int) *model {
	if x == nil {
		return nil
	}
	one := ext{r: big.NewRat(1, 1)}
	if n < 0 {
		return (&model{one, one}).div(modelPow(x, -n))
	}
	power := func(v ext) ext {
		p := one
		for range n {
			p = p.mul(v)
		}
		return p
	}
	if n == 0 {
		return &model{one, one}
	}
	values := []ext{power(x.lo), power(x.hi)}
	if x.lo.sign() <= 0 && x.hi.sign() >= 0 {
		values = append(values, ext{r: new(big.Rat)})
	}
	return modelHull(values...)
}

func TestFromRatIsTightest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 14))
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 1025))
	rats := []*big.Rat{
		new(big.Rat), big.NewRat(1, 3), big.NewRat(-2, 7), huge, new(big.Rat).Neg(huge),
		new(big.Rat).Inv(new(big.Rat).Mul(huge, big.NewRat(1<<60, 1))),
		new(big.Rat).Quo(big.NewRat(1, 3), huge),
	}
	for range 2000 {
		r := new(big.Rat).SetFloat64(roundingOperand(rng))
		if rng.IntN(4) > 0 {
			r.Mul(r, big.NewRat(rng.Int64N(1000)-500, 1+rng.Int64N(1000)))
		}
		rats = append(rats, r)
	}
	for _, r := range rats {
		if why := tightest(FromRat(r), &model{ext{r: r}, ext{r: r}}); why != "" {
			t.Errorf("%s: %s", r.RatString(), why)
		}
	}
	for _, n := range []int64{0, 1, -1, 1 << 53, 1<<53 + 1, -1<<53 - 1, math.MaxInt64, math.MinInt64} {
		r := new(big.Rat).SetInt64(n)
		if why := tightest(FromInt(n), &model{ext{r: r}, ext{r: r}}); why != "" {
			t.Errorf("%d: %s", n, why)
		}
	}
}
