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

// TestExactValuesCount, each as the length of what it is worked out of.
func TestExactValuesCount(t *testing.T) {
	s := NewSystem("x")
	x := s.Var("x")
	e := x.Mul(x).Add(x)
	at := []*big.Rat{new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 6400))}
	m := NewMeter(1 << 40)
	s.Limit(m)
	if _, err := e.EvalRat(at, nil); err != nil || m.Spent() < 200*200/64 {
		t.Errorf("numbers of a hundred words count as %d: %v", m.Spent(), err)
	}
	s.Limit(NewMeter(m.Spent() / 2))
	if _, err := e.EvalRat(at, nil); !errors.Is(err, ErrWork) {
		t.Errorf("with half of it: %v", err)
	}
}

// TestMemoryIsBounded: what would hold more coefficients at once than are allowed is refused before they are made.
func TestMemoryIsBounded(t *testing.T) {
	s := NewSystem("x", "y")
	x, y := s.Var("x"), s.Var("y")
	sum := x
	for k := range maxHeld / 3 / 201 {
		sum = sum.Add(y.Mul(s.Int(int64(k + 2))))
	}
	s.SetRHS("x", sum)
	s.SetRHS("y", x)
	box := []interval.Interval{interval.FromInt(1), interval.FromInt(1)}
	long := &Settings{Order: 200}
	if _, err := Integrate(s, box, new(big.Rat), big.NewRat(1, 1000), long); !errors.Is(err, ErrWork) {
		t.Errorf("integrated: %v", err)
	}
	if _, _, err := Reach(s, box, big.NewRat(1, 1000), 1, long); !errors.Is(err, ErrWork) {
		t.Errorf("followed into a place: %v", err)
	}
	p, err := compile(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.fits(2); err != nil {
		t.Errorf("a low order is refused, too: %v", err)
	}
}
