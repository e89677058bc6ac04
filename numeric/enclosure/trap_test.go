package enclosure

import (
	"errors"
	"math/big"
	"testing"

	"stopgrad/numeric/interval"
)

// rows reads “1 0; -3/2 1”.
func rats(t *testing.T, rows ...[]string) [][]*big.Rat {
	t.Helper()
	var out [][]*big.Rat
	for _, r := range rows {
		var row []*big.Rat
		for _, s := range r {
			x, ok := new(big.Rat).SetString(s)
			if !ok {
				t.Fatal(s)
			}
			row = append(row, x)
		}
		out = append(out, row)
	}
	return out
}

// spiral is x' = −x − k·y, y' = k·x − y, which turns and shrinks: the unit square is a trap for |k| ≤ 1 and none beyond.
func spiral(k *big.Rat) *System {
	s := NewSystem("x", "y")
	x, y, c := s.Var("x"), s.Var("y"), s.Const(k)
	s.SetRHS("x", x.Neg().Sub(c.Mul(y)))
	s.SetRHS("y", c.Mul(x).Sub(y))
	return s
}

func TestTraps(t *testing.T) {
	square := rats(t, []string{"1", "0"}, []string{"0", "1"})
	for _, c := range []struct {
		about  string
		sys    *System
		rows   [][]*big.Rat
		lo, hi []string
		trap   bool
		sink   bool
	}{
		{"a spiral", spiral(big.NewRat(1, 2)), square, []string{"-1", "-1"}, []string{"1", "1"}, true, true},
		{"a spiral along its side", spiral(big.NewRat(1, 1)), square, []string{"-1", "-1"}, []string{"1", "1"}, true, false},
		{"a spiral that leaves at the corners", spiral(big.NewRat(3, 2)), square, []string{"-1", "-1"}, []string{"1", "1"}, false, false},
		{"a spiral off its centre", spiral(big.NewRat(1, 8)), square, []string{"-1", "-1"}, []string{"1", "2"}, true, false},
		{"the diamond of the spiral", spiral(big.NewRat(1, 2)), rats(t, []string{"1", "1"}, []string{"1", "-1"}), []string{"-1", "-1"}, []string{"1", "1"}, true, true},
		{"a set that does not move away from its side", spiral(big.NewRat(1, 2)), square, []string{"1/2", "-1"}, []string{"1", "1"}, false, false},
	} {
		lo, hi := rats(t, c.lo)[0], rats(t, c.hi)[0]
		trap, err := NewTrap(c.sys, c.rows, lo, hi, 0)
		if (err == nil) != c.trap {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		if err == nil && trap.Sink() != c.sink {
			t.Errorf("%s: a sink: %v", c.about, trap.Sink())
		}
	}
	// Divisors: x' = −x/(1+y²), and one that vanishes inside.
	for k, want := range map[int64]bool{1: true, -1: false} {
		s := NewSystem("x", "y")
		x, y := s.Var("x"), s.Var("y")
		s.SetRHS("x", x.Neg().Div(y.Mul(y).Mul(s.Int(4)).Add(s.Int(k))))
		s.SetRHS("y", y.Neg())
		if _, err := NewTrap(s, square, rats(t, []string{"-1", "-1"})[0], rats(t, []string{"1", "1"})[0], 0); (err == nil) != want {
			t.Errorf("divisor with %d: %v", k, err)
		}
	}
	// For all values of a parameter: x' = q − x, with q in [0, 1].
	s := NewSystem("x")
	unit, _ := interval.New(0, 1)
	s.SetRHS("x", s.Param("q", unit).Sub(s.Var("x")))
	one := rats(t, []string{"1"})
	if _, err := NewTrap(s, one, one[0], rats(t, []string{"2"})[0], 0); err == nil {
		t.Error("[1, 2] traps x' = q − x for some q only")
	}
	trap, err := NewTrap(s, one, rats(t, []string{"0"})[0], rats(t, []string{"2"})[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	x := s.Var("x")
	if trap.Sink() || !trap.Positive(x.Add(s.Frac(1, 8))) || trap.Positive(x) {
		t.Error("what holds in [0, 2]")
	}
}

// TestTrapsNeedEveryCheck breaks the check of a side; a set that is no trap passes.
func TestTrapsNeedEveryCheck(t *testing.T) {
	square := rats(t, []string{"1", "0"}, []string{"0", "1"})
	lo, hi := rats(t, []string{"-1", "-1"})[0], rats(t, []string{"1", "1"})[0]
	for name, broken := range map[string]func(interval.Interval, bool) bool{
		"one direction":      func(v interval.Interval, upper bool) bool { return upper || v.NonNegative() },
		"the nearest number": func(v interval.Interval, upper bool) bool { return upper == (v.Mid() <= 0) },
	} {
		seen := false
		for _, k := range []*big.Rat{big.NewRat(3, 2), big.NewRat(-9, 8), big.NewRat(3, 1)} {
			_, err := newTrap(spiral(k), square, lo, hi, 0, broken)
			_, sound := NewTrap(spiral(k), square, lo, hi, 0)
			seen = seen || err == nil && sound != nil
		}
		out := NewSystem("x", "y")
		out.SetRHS("x", out.Int(1))
		out.SetRHS("y", out.Var("y").Neg())
		_, err := newTrap(out, square, lo, hi, 0, broken)
		_, sound := NewTrap(out, square, lo, hi, 0)
		if seen = seen || err == nil && sound != nil; !seen {
			t.Errorf("%s: every set that is no trap is refused", name)
		}
	}
}

// TestTrapsKeepTheirBounds: a set whose enclosure reaches the number next to a bound that is none is not inside.
func TestTrapsKeepTheirBounds(t *testing.T) {
	s := NewSystem("x")
	s.SetRHS("x", s.Var("x").Neg())
	third := big.NewRat(1, 3)
	trap, err := NewTrap(s, rats(t, []string{"1"}), []*big.Rat{new(big.Rat).Neg(third)}, []*big.Rat{third}, 0)
	if err != nil {
		t.Fatal(err)
	}
	around := interval.FromRat(third) // its lower end is below 1/3, its upper end above
	for _, c := range []struct {
		x    interval.Interval
		want bool
	}{{interval.Point(around.Lo()), true}, {interval.Point(around.Hi()), false}, {around, false}, {around.Neg(), false}, {interval.FromInt(0), true}} {
		if got := trap.Holds([]interval.Interval{c.x}); got != c.want {
			t.Errorf("%v in the trap: %v", c.x, got)
		}
		tube, err := Integrate(s, []interval.Interval{c.x}, new(big.Rat), new(big.Rat), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := trap.Contains(tube); got != c.want {
			t.Errorf("%v, a tube, in the trap: %v", c.x, got)
		}
	}
}

// TestReach follows boxes into traps of x' = x − x³ on either side of its saddle, and none that holds the saddle.
func TestReach(t *testing.T) {
	s := NewSystem("x")
	x := s.Var("x")
	s.SetRHS("x", x.Sub(x.Pow(3)))
	var traps []Place
	for _, b := range [][]string{{"-5/4", "-3/4"}, {"3/4", "5/4"}} {
		ends := rats(t, b)[0]
		trap, err := NewTrap(s, rats(t, []string{"1"}), ends[:1], ends[1:], 0)
		if err != nil {
			t.Fatal(err)
		}
		traps = append(traps, trap)
	}
	for _, c := range []struct {
		lo, hi float64
		want   int
	}{{0.25, 0.5, 1}, {-0.5, -0.25, 0}, {-0.01, 0.01, -1}, {2, 3, 1}, {0.9, 1.1, 1}} {
		box, _ := interval.New(c.lo, c.hi)
		if got, _, err := Reach(s, []interval.Interval{box}, big.NewRat(40, 1), 10, nil, traps...); err != nil || got != c.want {
			t.Errorf("[%g, %g] ends in trap %d: %v", c.lo, c.hi, got, err)
		}
	}
}

// TestTrapsBeyondFloat64: bounds and coordinates that no float64 number bounds are refused.
func TestTrapsBeyondFloat64(t *testing.T) {
	s := NewSystem("x")
	s.SetRHS("x", s.Var("x").Neg())
	huge := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 2000))
	one := big.NewRat(1, 1)
	minus := func(x *big.Rat) *big.Rat { return new(big.Rat).Neg(x) }
	inv := func(x *big.Rat) *big.Rat { return new(big.Rat).Inv(x) }
	for _, c := range [][3]*big.Rat{{one, minus(huge), huge}, {huge, minus(huge), huge}, {inv(huge), minus(one), one}} {
		if _, err := NewTrap(s, [][]*big.Rat{{c[0]}}, []*big.Rat{c[1]}, []*big.Rat{c[2]}, 0); !errors.Is(err, ErrNotTrapped) {
			t.Error(err)
		}
	}
	trap, err := NewTrap(s, [][]*big.Rat{{huge}}, []*big.Rat{minus(one)}, []*big.Rat{one}, 0)
	if err != nil {
		t.Fatal(err)
	}
	tube, err := Integrate(s, []interval.Interval{interval.Point(1)}, new(big.Rat), one, nil)
	if err != nil || trap.Contains(tube) {
		t.Error(err)
	}
}

// TestLongConstants: an operation on long constants stays one, and exact evaluation has an end.
func TestLongConstants(t *testing.T) {
	s := NewSystem("x")
	c := s.Const(new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(7), big.NewInt(20000), nil), big.NewInt(3)))
	e := c.Pow(4096).Pow(4096)
	s.SetRHS("x", e)
	if _, rational := e.Rational(); rational {
		t.Error("a constant of a billion digits")
	}
	if _, err := e.EvalRat([]*big.Rat{big.NewRat(1, 1)}, nil); err == nil {
		t.Error("an exact value of a billion digits")
	}
}
