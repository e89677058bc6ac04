package cad

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestFactors: factors multiply to what they are of, are square-free and coprime, and those put in are told apart where a
// polynomial that is given divides one.
func TestFactors(t *testing.T) {
	w := &meter{1 << 40}
	split := 0
	for n := 1; n <= 3; n++ {
		g := &maker{rand.New(rand.NewPCG(6, uint64(n))), n}
		for range 60 {
			a, b := g.sum(2, 3), g.sum(1, 2)
			p := a.Times(b).Times(b)
			if len(p) == 0 || p.total() < 2 {
				continue
			}
			lead, fs, err := Factors(p, []Sum{b}, n, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			back := Constant(lead, n)
			for i, f := range fs {
				back = back.Times(f.P.Power(f.N, n))
				for _, h := range fs[:i] {
					if _, ok := w.gcd(f.P.ordered(upTo(n)), h.P.ordered(upTo(n))).number(); !ok {
						t.Errorf("%v and %v, factors of %v, are not coprime", f.P, h.P, p)
					}
				}
			}
			if len(back.Plus(p, big.NewRat(-1, 1))) > 0 {
				t.Fatalf("the factors %v of %v multiply to %v", fs, p, back)
			}
			if len(fs) > 1 {
				split++
			}
		}
	}
	if split < 60 {
		t.Errorf("only %d products are taken apart", split)
	}
	// x⁵ − y⁵ at x − y, and x⁴ − 5x² + 4 at its zeros.
	x, y := Letter(0, 2), Letter(1, 2)
	minus := big.NewRat(-1, 1)
	fifth := x.Power(5, 2).Plus(y.Power(5, 2), minus)
	if _, fs, err := Factors(fifth, []Sum{x.Plus(y, minus)}, 2, 1<<20); err != nil || len(fs) != 2 {
		t.Errorf("x⁵ − y⁵ has the factors %v, %v", fs, err)
	}
	if _, fs, err := Factors(fifth, nil, 2, 1<<20); err != nil || len(fs) != 1 {
		t.Errorf("x⁵ − y⁵ has by itself the factors %v, %v", fs, err)
	}
	quartic := x.Power(4, 2).Plus(x.Power(2, 2), big.NewRat(-5, 1)).Plus(Constant(big.NewRat(4, 1), 2), big.NewRat(1, 1))
	if _, fs, err := Factors(quartic, nil, 2, 1<<20); err != nil || len(fs) != 4 {
		t.Errorf("x⁴ − 5x² + 4 has the factors %v, %v", fs, err)
	}
}
