package model

import (
	"math/big"
	"testing"
)

// TestLongNumbersThatCancel: an operation counts as what its operands are long, however short its result.
func TestLongNumbersThatCancel(t *testing.T) {
	a := new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(9), big.NewInt(3000), nil), new(big.Int).Exp(big.NewInt(49), big.NewInt(2000), nil))
	words := a.Num().BitLen() / 64
	for what, do := range map[string]func(f *field) *number{
		"a product":  func(f *field) *number { return f.mul(rational(a), rational(new(big.Rat).Inv(a))) },
		"a sum":      func(f *field) *number { return f.add(rational(a), rational(new(big.Rat).Neg(a))) },
		"a quotient": func(f *field) *number { return f.inv(rational(a)) },
	} {
		f := &field{}
		if do(f); f.work < words*words/64 {
			t.Errorf("%s of numbers of %d words counts as %d", what, words, f.work)
		}
	}
	f := &field{}
	if x := f.mul(rational(big.NewRat(2, 3)), rational(big.NewRat(3, 2))); x.q.Cmp(big.NewRat(1, 1)) != 0 || f.work != 1 {
		t.Errorf("2/3·3/2 = %v, counted as %d", x.q, f.work)
	}
}
