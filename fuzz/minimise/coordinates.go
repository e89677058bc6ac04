package minimise

import (
	"context"
	"math/big"

	"stopgrad/fuzz/witness"
	"stopgrad/theory/lang"
)

// Coordinates makes the state build(x) simpler by changing the numbers of x, one or two at a time, while keep
// accepts the state. It is for states some of whose numbers are solved for, so that they cannot be changed by
// themselves. The numbers of each group are set to zero together first. It builds at most limit states.
func Coordinates(ctx context.Context, part *lang.Part, x []*big.Rat, groups [][]int, build func([]*big.Rat) (witness.Witness, error), keep func(witness.Witness) bool, limit int) Outcome {
	var out Outcome
	w, err := build(x)
	if err != nil {
		return out
	}
	best := append([]*big.Rat(nil), x...)
	out.Witness, out.From = witness.Clone(w), witness.SizeOf(part, w)
	out.To = out.From
	spent := func() bool { return out.Asked >= limit || ctx.Err() != nil }
	try := func(c []*big.Rat) bool {
		if spent() {
			return false
		}
		out.Asked++
		w, err := build(c)
		if err != nil {
			return false
		}
		size := witness.SizeOf(part, w)
		if !(Blend(size) < Blend(out.To)-1e-9) || !keep(w) {
			return false
		}
		best, out.Witness, out.To = c, witness.Clone(w), size
		out.Improvement++
		return true
	}
	with := func(i int, v *big.Rat) []*big.Rat {
		c := append([]*big.Rat(nil), best...)
		c[i] = v
		return c
	}
	candidates := func(v *big.Rat) []*big.Rat {
		return append(append([]*big.Rat{new(big.Rat)}, easy()...), Simpler(v)...)
	}
	// Coordinates of what is solved for or drawn have no effect.
	var live []int
	for i := range best {
		if w, err := build(with(i, new(big.Rat).Add(best[i], big.NewRat(1, 7)))); err != nil || witness.String(w) != witness.String(out.Witness) {
			live = append(live, i)
		}
	}
	for changed := true; changed && !spent(); {
		changed = false
		for _, g := range groups {
			c := append([]*big.Rat(nil), best...)
			for _, i := range g {
				c[i] = new(big.Rat)
			}
			changed = try(c) || changed
			// What a group did may be made up for by one of the others.
			for _, i := range live {
				for _, v := range easy()[:groupValues] {
					d := append([]*big.Rat(nil), c...)
					d[i] = v
					changed = try(d) || changed
				}
			}
		}
		for _, i := range live {
			for _, v := range candidates(best[i]) {
				if v.Cmp(best[i]) != 0 && try(with(i, v)) {
					changed = true
				}
			}
		}
		if changed {
			continue
		}
		for k, i := range live {
			for _, j := range live[:k] {
				for _, v := range easy()[:pairValues] {
					for _, u := range easy()[:pairValues] {
						c := with(i, v)
						c[j] = u
						if try(c) {
							changed = true
						}
					}
				}
			}
		}
	}
	out.Exhausted = spent()
	return out
}

// Blend weighs a number that is not zero like a fraction m/n with m + n = 8. Where numbers hang together, one zero
// more can cost enormous fractions elsewhere, so that zeros must not come first as they do for free numbers.
func Blend(s witness.Size) float64 { return outside*float64(s.Outside) + 3*float64(s.Nonzero) + s.Cost }

// outside is more than the numbers of any state weigh together.
const outside = 1e6

// groupValues is the number of simple values tried for another coordinate when a group is set to zero.
const groupValues = 10

// pairValues is the number of simple values tried for each of two coordinates at once.
const pairValues = 5
