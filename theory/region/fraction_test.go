package region

import (
	"math/big"
	"testing"
)

// TestLongNumbersThatCancel: an operation counts as what its operands are long, however short its result.
func TestLongNumbersThatCancel(t *testing.T) {
	a := new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(9), big.NewInt(3000), nil), new(big.Int).Exp(big.NewInt(49), big.NewInt(2000), nil))
	minus := new(big.Rat).Neg(a)
	x := string([]byte{1})
	for what, do := range map[string]func(r *ring){
		"a product": func(r *ring) { r.times(poly{"": a}, poly{"": new(big.Rat).Inv(a)}) },
		"a sum":     func(r *ring) { r.add(poly{"": a}, poly{"": minus}) },
		"a sum of products": func(r *ring) {
			r.times(poly{"": a, x: minus}, poly{"": new(big.Rat).Inv(a), x: new(big.Rat).Inv(a)})
		},
	} {
		r := newRing(&Statement{meter: new(Meter)})
		if do(r); r.s.meter.spent < effort(a) {
			t.Errorf("%s of numbers of %d operations counts as %d", what, effort(a), r.s.meter.spent)
		}
	}
	box := func(int) Side { return Side{Lo: new(big.Rat), Hi: big.NewRat(1, 1)} }
	spent := 0
	bernstein(poly{"": a, x: minus}, box, exactly, func(n int) { spent += n })
	read := 2 * effort(a) // both coefficients
	if spent < read+3*effort(a) {
		t.Errorf("Bernstein coefficients of numbers of %d operations count as %d, of which reading takes %d", effort(a), spent, read)
	}
}
