package algebra

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
)

func poly(cs ...int64) Univariate {
	var out []*big.Rat
	for _, c := range cs {
		out = append(out, big.NewRat(c, 1))
	}
	return NewUnivariate(out...)
}

func (p Univariate) times(q Univariate) Univariate {
	if len(p) == 0 || len(q) == 0 {
		return nil
	}
	out := make([]*big.Rat, len(p)+len(q)-1)
	for i := range out {
		out[i] = new(big.Rat)
	}
	for i, a := range p {
		for j, b := range q {
			out[i+j].Add(out[i+j], new(big.Rat).Mul(a, b))
		}
	}
	return NewUnivariate(out...)
}

// TestCountRootsOfKnownFactors builds polynomials from their roots, repeated ones and complex pairs
// included, and compares the count on random half-open intervals with the list.
func TestCountRootsOfKnownFactors(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		p := poly(1 + int64(rng.IntN(3)))
		roots := map[int64]bool{}
		for range rng.IntN(5) {
			k := int64(rng.IntN(9)) - 4
			roots[k] = true
			for range 1 + rng.IntN(2) {
				p = p.times(poly(-k, 1))
			}
		}
		if rng.IntN(2) == 0 {
			p = p.times(poly(1+int64(rng.IntN(3)), int64(rng.IntN(3))-1, 1)) // x² ± x + c, no real root
		}
		lo, hi := int64(rng.IntN(11))-5, int64(rng.IntN(11))-5
		if lo > hi {
			lo, hi = hi, lo
		}
		want := 0
		for k := range roots {
			if lo < k && k <= hi {
				want++
			}
		}
		got, err := p.CountRoots(big.NewRat(lo, 1), big.NewRat(hi, 1))
		if err != nil || got != want {
			t.Fatalf("%v has %d roots in (%d, %d], counted %d (%v)", p, want, lo, hi, got, err)
		}
		if got, _ := p.CountRoots(nil, nil); got != len(roots) {
			t.Fatalf("%v has %d real roots, counted %d", p, len(roots), got)
		}
		iv, err := p.IsolateRoots(big.NewRat(1, 8))
		if err != nil || len(iv) != len(roots) {
			t.Fatalf("%v: isolated %d of %d roots", p, len(iv), len(roots))
		}
	}
}

// TestModeHasThreeFixedPointsBelowCriticalDecay counts the zeros of u²(1−u) − κu on both sides of κ = 1/4
// and at it (claims fixed-points and eta-critical in dimensionless form).
func TestModeHasThreeFixedPointsBelowCriticalDecay(t *testing.T) {
	for _, c := range []struct {
		kappa *big.Rat
		want  int
	}{{big.NewRat(3, 16), 3}, {big.NewRat(1, 4), 2}, {big.NewRat(5, 16), 1}} {
		p := NewUnivariate(new(big.Rat), new(big.Rat).Neg(c.kappa), big.NewRat(1, 1), big.NewRat(-1, 1))
		if got, err := p.CountRoots(nil, nil); err != nil || got != c.want {
			t.Errorf("κ = %s: %d fixed points, expected %d", c.kappa.RatString(), got, c.want)
		}
	}
}

func TestSignOnHandlesOpenAndClosedEnds(t *testing.T) {
	p := poly(0, 1) // x
	zero, two := new(big.Rat), big.NewRat(2, 1)
	if s, ok := p.SignOn(zero, two, true, false); !ok || s != 1 {
		t.Error("x > 0 on (0, 2] was not seen")
	}
	if _, ok := p.SignOn(zero, two, false, false); ok {
		t.Error("x has no constant sign on [0, 2], zero included")
	}
	if s, ok := poly(1, 0, 1).SignOn(nil, nil, true, true); !ok || s != 1 {
		t.Error("x² + 1 > 0 on the line was not seen")
	}
	if _, ok := poly(-1, 0, 1).SignOn(nil, nil, true, true); ok {
		t.Error("x² − 1 was given a sign")
	}
	if _, err := poly().CountRoots(nil, nil); !errors.Is(err, ErrZeroPolynomial) {
		t.Errorf("the zero polynomial: %v", err)
	}
}
