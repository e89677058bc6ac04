package minimise

import (
	"math/big"
	"slices"
	"sync"

	"stopgrad/fuzz/witness"
)

// Simplest returns the rational number of least denominator in [lo, hi], and of those the one of least
// magnitude (the Stern–Brocot tree; Graham, Knuth and Patashnik, Concrete Mathematics, 4.5). It panics if
// lo > hi.
func Simplest(lo, hi *big.Rat) *big.Rat {
	if lo.Cmp(hi) > 0 {
		panic("minimise: an empty interval")
	}
	switch {
	case lo.Sign() <= 0 && hi.Sign() >= 0:
		return new(big.Rat)
	case hi.Sign() < 0:
		return new(big.Rat).Neg(Simplest(new(big.Rat).Neg(hi), new(big.Rat).Neg(lo)))
	}
	floor := new(big.Int).Quo(lo.Num(), lo.Denom())
	f := new(big.Rat).SetInt(floor)
	if f.Cmp(lo) == 0 {
		return f
	}
	next := new(big.Rat).Add(f, one)
	if next.Cmp(hi) <= 0 {
		return next
	}
	// Both ends lie strictly between floor and floor+1: 1/(x−floor) reverses the interval.
	r := Simplest(new(big.Rat).Inv(new(big.Rat).Sub(hi, f)), new(big.Rat).Inv(new(big.Rat).Sub(lo, f)))
	return r.Add(r.Inv(r), f)
}

// Within returns the simplest rational number in [x − |x|·rel, x + |x|·rel].
func Within(x, rel *big.Rat) *big.Rat {
	d := new(big.Rat).Mul(new(big.Rat).Abs(x), rel)
	return Simplest(new(big.Rat).Sub(x, d), new(big.Rat).Add(x, d))
}

// Convergents returns the convergents of the continued fraction of x, from the integer part to x itself.
func Convergents(x *big.Rat) []*big.Rat {
	h0, h1 := big.NewInt(1), new(big.Int)
	k0, k1 := new(big.Int), big.NewInt(1)
	num, den := new(big.Int).Set(x.Num()), new(big.Int).Set(x.Denom())
	var out []*big.Rat
	for den.Sign() != 0 {
		q, r := new(big.Int).DivMod(num, den, new(big.Int))
		h0, h1 = new(big.Int).Add(new(big.Int).Mul(q, h0), h1), h0
		k0, k1 = new(big.Int).Add(new(big.Int).Mul(q, k0), k1), k0
		num, den = den, r
		out = append(out, new(big.Rat).SetFrac(h0, k0))
	}
	return out
}

var one = big.NewRat(1, 1)

// easyBound is the largest m + n of the fractions ±m/n that are tried in the place of any number.
const easyBound = 9

// easy lists the fractions ±m/n with m + n ≤ easyBound, simplest first.
var easy = sync.OnceValue(func() []*big.Rat {
	var out []*big.Rat
	for m := int64(1); m < easyBound; m++ {
		for n := int64(1); m+n <= easyBound; n++ {
			if x := big.NewRat(m, n); x.Denom().Int64() == n {
				out = append(out, x, big.NewRat(-m, n))
			}
		}
	}
	byCost(out)
	return out
})

func byCost(xs []*big.Rat) {
	slices.SortStableFunc(xs, func(a, b *big.Rat) int {
		switch ca, cb := witness.Cost(a), witness.Cost(b); {
		case ca < cb:
			return -1
		case ca > cb:
			return 1
		}
		return a.Cmp(b)
	})
}

// Simpler returns numbers to try in the place of x, all of less cost, simplest first: the easy fractions,
// the convergents of x, and the simplest numbers within 2⁻¹, 2⁻², … of it.
func Simpler(x *big.Rat) []*big.Rat {
	var out []*big.Rat
	seen := map[string]bool{}
	limit := witness.Cost(x)
	add := func(y *big.Rat) {
		if k := y.RatString(); y.Sign() != 0 && witness.Cost(y) < limit && !seen[k] {
			seen[k] = true
			out = append(out, y)
		}
	}
	for _, y := range easy() {
		add(y)
	}
	for _, y := range Convergents(x) {
		add(y)
	}
	for rel := big.NewRat(1, 2); rel.Denom().BitLen() < 50; rel = new(big.Rat).Mul(rel, big.NewRat(1, 4)) {
		add(Within(x, rel))
	}
	byCost(out)
	return out
}
