package enclosure

import (
	"math/big"
	"slices"
	"testing"

	"stopgrad/numeric/interval"
)

// TestInto: the tube ends where the place is reached, a cut may be that of a parameter, and what is zero in the centre of a trap
// is seen to be.
func TestInto(t *testing.T) {
	sys := NewSystem("x")
	k := sys.Param("k", interval.FromInt(1).Hull(interval.Point(1.25)))
	x := sys.Var("x")
	sys.SetRHS("x", x.Mul(k).Neg())
	quarter := big.NewRat(1, 4)
	trap, err := NewTrap(sys, [][]*big.Rat{{big.NewRat(1, 1)}}, []*big.Rat{new(big.Rat).Neg(quarter)}, []*big.Rat{quarter}, 0)
	if err != nil {
		t.Fatal(err)
	}
	start := []interval.Interval{interval.FromInt(1)}
	tube, place, _, err := Into(sys, start, big.NewRat(10, 1), 10, nil, trap)
	if err != nil || place != 0 || !trap.Contains(tube) || tube.T1().Cmp(big.NewRat(1, 1)) < 0 || tube.T1().Cmp(big.NewRat(10, 1)) >= 0 {
		t.Fatalf("place %d at %v, %v", place, tube.T1(), err)
	}
	if a, err := tube.Positive(x, 10); err != nil || a.Verdict != Holds {
		t.Errorf("x is not seen to stay positive: %v %v", a, err)
	}
	_, place, cut, err := Into(sys, start, big.NewRat(1, 8), 10, nil, trap)
	if err != nil || place != -1 || cut != 1 || !slices.Equal(sys.Wide(), []string{"k"}) {
		t.Errorf("too early: place %d, cut %d of %v, %v", place, cut, sys.Wide(), err)
	}
	if _, _, _, err := Into(sys, []interval.Interval{interval.Entire()}, big.NewRat(1, 1), 10, nil, trap); err == nil {
		t.Error("an unbounded start")
	}
	one := sys.Int(1)
	for _, c := range []struct {
		e    Expr
		want bool
	}{{x, true}, {x.Mul(k), true}, {x.Add(one), false}, {x.Sub(k), false}, {one.Div(x), false}} {
		if got := trap.Vanishes(c.e); got != c.want {
			t.Errorf("vanishes: %v, want %v", got, c.want)
		}
	}
}

// TestMeterStaysSpent: what was refused once is refused from then on.
func TestMeterStaysSpent(t *testing.T) {
	m := NewMeter(10)
	if m.Spend(10) != nil || m.Err() != nil {
		t.Error("ten of ten")
	}
	if m.Spend(1) == nil || m.Err() == nil || m.Spend(0) == nil {
		t.Error("eleven of ten")
	}
}
