package enclosure

import (
	"flag"
	"fmt"
	"math/big"
	"testing"
	"time"

	"stopgrad/numeric/interval"
)

// The problems of the category "Continuous and hybrid systems with nonlinear dynamics"
// of ARCH-COMP (reports 2018 to 2023, EPiC Series in Computing) that have polynomial or
// rational fields without jumps.

// archcomp runs the slow ones of TestARCHComp too.
var archcomp = flag.Bool("archcomp", false, "all problems of TestARCHComp")

// vanDerPol is x' = y, y' = (1 - x²)y - x.
func vanDerPol() *System {
	s := NewSystem("x", "y")
	x, y := s.Var("x"), s.Var("y")
	s.SetRHS("x", y)
	s.SetRHS("y", s.Int(1).Sub(x.Pow(2)).Mul(y).Sub(x))
	return s
}

// laubLoomis is the enzymatic network of Laub and Loomis (1998).
func laubLoomis() *System {
	s := NewSystem("x1", "x2", "x3", "x4", "x5", "x6", "x7")
	x := func(i int) Expr { return s.Var(fmt.Sprintf("x%d", i)) }
	tenths := func(a int64) Expr { return s.Frac(a, 10) }
	s.SetRHS("x1", tenths(14).Mul(x(3)).Sub(tenths(9).Mul(x(1))))
	s.SetRHS("x2", tenths(25).Mul(x(5)).Sub(tenths(15).Mul(x(2))))
	s.SetRHS("x3", tenths(6).Mul(x(7)).Sub(tenths(8).Mul(x(2)).Mul(x(3))))
	s.SetRHS("x4", s.Int(2).Sub(tenths(13).Mul(x(3)).Mul(x(4))))
	s.SetRHS("x5", tenths(7).Mul(x(1)).Sub(x(4).Mul(x(5))))
	s.SetRHS("x6", tenths(3).Mul(x(1)).Sub(tenths(31).Mul(x(6))))
	s.SetRHS("x7", tenths(18).Mul(x(6)).Sub(tenths(15).Mul(x(2)).Mul(x(7))))
	return s
}

// laubLoomisBox is the initial set of half-width w (of 1/100).
func laubLoomisBox(w int64) []interval.Interval {
	var out []interval.Interval
	for _, c := range []int64{120, 105, 150, 240, 100, 10, 45} {
		out = append(out, iv2(q(c-w, 100), q(c+w, 100)))
	}
	return out
}

func iv2(lo, hi *big.Rat) interval.Interval {
	x, err := interval.FromRats(lo, hi)
	if err != nil {
		panic(err)
	}
	return x
}

// robertson is the chemical reaction of Robertson with α = 2/5.
func robertson(beta, gamma int64) *System {
	s := NewSystem("x", "y", "z")
	x, y, z := s.Var("x"), s.Var("y"), s.Var("z")
	back := s.Int(beta).Mul(y).Mul(z).Sub(s.Frac(2, 5).Mul(x))
	loss := s.Int(gamma).Mul(y.Pow(2))
	s.SetRHS("x", back)
	s.SetRHS("y", back.Neg().Sub(loss))
	s.SetRHS("z", loss)
	return s
}

// production is the production-destruction system of ARCH-COMP 2020.
func production(a interval.Interval) *System {
	s := NewSystem("x", "y", "z")
	x, y := s.Var("x"), s.Var("y")
	k := s.Param("a", a)
	eaten := x.Mul(y).Div(s.Int(1).Add(x))
	s.SetRHS("x", eaten.Neg())
	s.SetRHS("y", eaten.Sub(k.Mul(y)))
	s.SetRHS("z", k.Mul(y))
	return s
}

// TestARCHComp encloses the problems and prints the table of widths; what is enclosed
// must stay enclosed.
func TestARCHComp(t *testing.T) {
	hundredth := q(1, 100)
	point := func(r *big.Rat) interval.Interval { return iv2(r, r) }
	for _, c := range []struct {
		name     string
		sys      *System
		x0       []interval.Interval
		t1       *big.Rat
		what     string
		variable int
		width    float64 // at most; 0: not enclosed
		slow     bool
		settings *Settings
	}{
		{"van der Pol", vanDerPol(), []interval.Interval{iv2(q(5, 4), q(31, 20)), iv2(q(47, 20), q(49, 20))}, q(7, 1), "x", 0, 0.5, false, &Settings{MaxParts: 20}},
		{"van der Pol, 64 parts", vanDerPol(), []interval.Interval{iv2(q(5, 4), q(31, 20)), iv2(q(47, 20), q(49, 20))}, q(7, 1), "x", 0, 0.12, true, nil},
		{"Laub–Loomis W = 0.01", laubLoomis(), laubLoomisBox(1), q(20, 1), "x4", 3, 0.0055, false, nil},
		{"Laub–Loomis W = 0.05", laubLoomis(), laubLoomisBox(5), q(20, 1), "x4", 3, 0, true, nil},
		{"Laub–Loomis W = 0.1", laubLoomis(), laubLoomisBox(10), q(20, 1), "x4", 3, 0, true, nil},
		{"Robertson β = 10², γ = 10³", robertson(100, 1000), ivs(q(1, 1), q(0, 1), q(0, 1)), q(40, 1), "x", 0, 1e-9, true, nil},
		{"Robertson β = 10³, γ = 10⁵", robertson(1000, 100_000), ivs(q(1, 1), q(0, 1), q(0, 1)), q(40, 1), "x", 0, 1e-9, true, nil},
		{"production x₀ ∈ [9.5, 10]", production(point(q(3, 10))), []interval.Interval{iv2(q(19, 2), q(10, 1)), point(hundredth), point(hundredth)}, q(100, 1), "z", 2, 0.6, true, nil},
		{"production a ∈ [0.296, 0.304]", production(iv2(q(296, 1000), q(304, 1000))), []interval.Interval{point(q(998, 100)), point(hundredth), point(hundredth)}, q(100, 1), "z", 2, 0.6, true, nil},
		{"production, both", production(iv2(q(296, 1000), q(304, 1000))), []interval.Interval{iv2(q(19, 2), q(10, 1)), point(hundredth), point(hundredth)}, q(100, 1), "z", 2, 0, true, nil},
	} {
		if c.slow && !*archcomp {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			tube, err := Integrate(c.sys, c.x0, new(big.Rat), c.t1, c.settings)
			seconds := time.Since(start).Seconds()
			if err != nil {
				t.Logf("%.1f s: %v", seconds, err)
				if c.width > 0 {
					t.Error(err)
				}
				return
			}
			end := tube.Final()[c.variable]
			t.Logf("width of %s at %s: %.3g, %d steps in %d parts, %.1f s; %v", c.what, c.t1.RatString(), end.Wid(), tube.Steps(), tube.Parts(), seconds, tube.Final())
			if c.width > 0 && !(end.Wid() <= c.width) {
				t.Errorf("width %v, want at most %v", end.Wid(), c.width)
			}
		})
	}
}
