package minimise

import (
	"context"
	"math/big"

	"stopgrad/fuzz/witness"
)

// Vector makes the numbers of x simpler, one at a time, while keep accepts them: zero first where zeros[i]
// allows it, then fractions by cost. It goes round until nothing changes, ctx ends or keep has been asked
// limit times; x is not changed.
func Vector(ctx context.Context, x []*big.Rat, zeros func(i int) bool, keep func([]*big.Rat) bool, limit int) (simpler []*big.Rat, asked int) {
	best := append([]*big.Rat(nil), x...)
	try := func(i int, v *big.Rat) bool {
		if asked >= limit || ctx.Err() != nil {
			return false
		}
		asked++
		c := append([]*big.Rat(nil), best...)
		c[i] = v
		if !keep(c) {
			return false
		}
		best = c
		return true
	}
	for changed := true; changed; {
		changed = false
		for i := range best {
			if best[i].Sign() == 0 {
				continue
			}
			if (zeros == nil || zeros(i)) && try(i, new(big.Rat)) {
				changed = true
				continue
			}
			for _, v := range Simpler(best[i]) {
				if try(i, v) {
					changed = true
					break
				}
			}
		}
	}
	return best, asked
}

// CostOf returns the sum of the costs of x.
func CostOf(x []*big.Rat) float64 {
	s := 0.0
	for _, v := range x {
		s += witness.Cost(v)
	}
	return s
}
