package enclosure

import (
	"errors"
	"math/big"
	"testing"

	"stopgrad/numeric/interval"
)

// TestMeter integrates and asks with a meter that allows it, and with half of what that took.
func TestMeter(t *testing.T) {
	ask := func(limit int64) (*Meter, error) {
		s := NewSystem("x")
		m := NewMeter(limit)
		s.Limit(m)
		x := s.Var("x")
		s.SetRHS("x", x.Mul(x).Neg())
		tube, err := Integrate(s, []interval.Interval{interval.FromInt(1)}, new(big.Rat), big.NewRat(2, 1), nil)
		if err == nil {
			_, err = tube.Positive(x, 10)
		}
		return m, err
	}
	m, err := ask(1 << 40)
	if err != nil {
		t.Fatal(err)
	}
	if half, err := ask(m.Spent() / 2); err == nil || half.Spent() <= m.Spent()/2 {
		t.Errorf("half of %d operations are enough: %v", m.Spent(), err)
	}
	if err := NewMeter(1).Spend(2); !errors.Is(err, ErrWork) {
		t.Error(err)
	}
}
