package falsify

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/univariate"
)

func rats(ss ...string) univariate.Polynomial {
	var out univariate.Polynomial
	for _, s := range ss {
		r, _ := new(big.Rat).SetString(s)
		out = append(out, r)
	}
	return out
}

// TestPolynomialsAreInterpolated: a polynomial comes back coefficient by coefficient, and what is none is refused.
func TestPolynomialsAreInterpolated(t *testing.T) {
	want := rats("-1/3", "0", "2", "0", "5/7")
	p, err := Polynomial(func(x *big.Rat) (*big.Rat, error) { return want.At(x), nil })
	if err != nil || len(p) != len(want) {
		t.Fatalf("%v, %v", p, err)
	}
	for i := range p {
		if p[i].Cmp(want[i]) != 0 {
			t.Errorf("coefficient %d: %s", i, p[i].RatString())
		}
	}
	if p, err := Polynomial(func(x *big.Rat) (*big.Rat, error) {
		return new(big.Rat).Inv(new(big.Rat).Add(x, big.NewRat(1, 1))), nil
	}); !errors.Is(err, ErrNoPolynomial) {
		t.Errorf("1/(x + 1) is %v, %v", p, err)
	}
}

// TestPlacesMeetThinWindows: a polynomial that is negative in a window of 1e-6 alone has a place there; one that is
// positive everywhere has none.
func TestPlacesMeetThinWindows(t *testing.T) {
	shift := func(eps string) univariate.Polynomial { // (x − 1/3)² − ε
		e := rats(eps)[0]
		return univariate.Polynomial{new(big.Rat).Sub(big.NewRat(1, 9), e), big.NewRat(-2, 3), big.NewRat(1, 1)}
	}
	hit := func(q univariate.Polynomial) bool {
		for _, x := range places([]univariate.Polynomial{q}, lang.Domain{}) {
			if q.At(x).Sign() < 0 {
				return true
			}
		}
		return false
	}
	if !hit(shift("1e-14")) {
		t.Error("the window is missed")
	}
	if hit(shift("-1e-14")) {
		t.Error("a window where there is none")
	}
}

// TestSurdsAreZeros: the surds of a cubic with one rational zero solve it to float64, and a quadratic with rational zeros,
// or none, has no surds.
func TestSurdsAreZeros(t *testing.T) {
	p := rats("0", "1/1000", "0", "-1") // x/1000 − x³
	got := surds(p)
	if len(got) != 2 {
		t.Fatalf("%v", got)
	}
	for _, s := range got {
		x, _ := s.Near().Float64()
		if math.Abs(math.Abs(x)-1/math.Sqrt(1000)) > 1e-15 {
			t.Errorf("%s is %g", s, x)
		}
	}
	for _, none := range []univariate.Polynomial{rats("-4", "0", "1"), rats("4", "0", "1"), rats("1", "1"), rats("-2", "0", "0", "1")} {
		if got := surds(none); got != nil {
			t.Errorf("%v has %v", none, got)
		}
	}
}

// TestSurdsOfSquares: (x − 1)³·(x² − 2)² touches zero at ±√2.
func TestSurdsOfSquares(t *testing.T) {
	p := rats("1")
	for _, factor := range []univariate.Polynomial{rats("-1", "1"), rats("-1", "1"), rats("-1", "1"), rats("-2", "0", "1"), rats("-2", "0", "1")} {
		p = p.Times(factor)
	}
	if got := surds(p); len(got) != 2 || got[0].C.Cmp(big.NewRat(2, 1)) != 0 {
		t.Errorf("%v", got)
	}
	for _, p := range []univariate.Polynomial{nil, rats("3")} {
		if got := surds(p); got != nil {
			t.Errorf("%v has %v", p, got)
		}
	}
}

// TestZerosMayVanish: floating point lets no zero of a polynomial of degree up to maxDegree pass, however close its zeros lie and
// however far, and most other numbers.
func TestZerosMayVanish(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	others, passed := 0, 0
	for range 2000 {
		p := univariate.Polynomial{big.NewRat(int64(1+rng.IntN(9)), 7)}
		var zeros []*big.Rat
		for range 1 + rng.IntN(maxDegree) {
			x := big.NewRat(int64(rng.IntN(2_000_001)-1_000_000), int64(1+rng.IntN(1000)))
			if rng.IntN(3) == 0 && len(zeros) > 0 {
				x = new(big.Rat).Add(zeros[0], big.NewRat(1, int64(1+rng.IntN(1_000_000_000))))
			}
			zeros = append(zeros, x)
			p = p.Times(univariate.Linear(x))
		}
		may := newMayVanish(p)
		for _, x := range zeros {
			f, _ := x.Float64()
			if p.At(x).Sign() != 0 || !may.at(f) {
				t.Fatalf("%v has the zero %v, which does not pass", p, x)
			}
			if y := new(big.Rat).Add(x, big.NewRat(1, 2)); p.At(y).Sign() != 0 {
				others++
				if f, _ := y.Float64(); may.at(f) {
					passed++
				}
			}
		}
	}
	if passed*2 > others {
		t.Errorf("%d of %d numbers that are no zeros pass", passed, others)
	}
	if tiny := (mayVanish{0x1p-1000, 0x1p-1000}); !tiny.at(1) {
		t.Error("a polynomial of tiny coefficients is decided by what underflows")
	}
	if huge := (mayVanish{math.Inf(1), 1}); !huge.at(1) {
		t.Error("a polynomial with coefficients beyond float64 is decided by them")
	}
}
