package enclosure

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"stopgrad/numeric/interval"
)

// closedForm is a system whose solutions are known exactly.
type closedForm struct {
	name   string
	system *System
	x0     []*big.Rat
	t1     *big.Rat
	// at returns the solution at a time, with an error below referenceError.
	at func(t *big.Rat) []*big.Rat
	// amplification bounds |∂x(t)/∂x(s)| over 0 ≤ s ≤ t ≤ t1, in the maximum norm.
	amplification float64
}

// closedForms returns the linear, rotating, logistic, Riccati, polynomial and
// rational problems of the tests.
func closedForms() []closedForm {
	one := q(1, 1)
	decay := NewSystem("x")
	decay.SetRHS("x", decay.Frac(-3, 10).Mul(decay.Var("x")))

	// x + iy = exp((−1/10 + 2i)·t).
	spiral := NewSystem("x", "y")
	x, y := spiral.Var("x"), spiral.Var("y")
	spiral.SetRHS("x", spiral.Frac(-1, 10).Mul(x).Sub(spiral.Int(2).Mul(y)))
	spiral.SetRHS("y", spiral.Int(2).Mul(x).Sub(spiral.Frac(1, 10).Mul(y)))

	logistic := NewSystem("x")
	x = logistic.Var("x")
	logistic.SetRHS("x", x.Mul(logistic.Int(1).Sub(x)))

	riccati := NewSystem("x")
	riccati.SetRHS("x", riccati.Var("x").Pow(2))

	// t' = 1, x' = 4t³ − 2: a polynomial solution.
	moving := NewSystem("t", "x")
	moving.SetRHS("t", moving.Int(1))
	moving.SetRHS("x", moving.Int(4).Mul(moving.Var("t").Pow(3)).Sub(moving.Int(2)))

	// x' = −x/(1+t), t' = 1: x = x0/(1+t).
	quotient := NewSystem("t", "x")
	quotient.SetRHS("t", quotient.Int(1))
	quotient.SetRHS("x", quotient.Var("x").Neg().Div(quotient.Int(1).Add(quotient.Var("t"))))

	return []closedForm{
		{"linear", decay, []*big.Rat{q(7, 3)}, q(10, 1), func(t *big.Rat) []*big.Rat {
			e := ratExp(new(big.Rat).Mul(t, q(-3, 10)))
			return []*big.Rat{e.Mul(e, q(7, 3))}
		}, 1},
		{"spiral", spiral, []*big.Rat{one, q(0, 1)}, q(6, 1), func(t *big.Rat) []*big.Rat {
			e := ratExp(new(big.Rat).Mul(t, q(-1, 10)))
			c, s := ratCosSin(new(big.Rat).Mul(t, q(2, 1)))
			return []*big.Rat{c.Mul(c, e), s.Mul(s, e)}
		}, math.Sqrt2},
		// x = 1/(1 + 9e^−t) from 1/10; |∂x/∂x0| = e^−t·(x/x0)² ≤ 25/9.
		{"logistic", logistic, []*big.Rat{q(1, 10)}, q(15, 1), func(t *big.Rat) []*big.Rat {
			d := ratExp(new(big.Rat).Neg(t))
			d.Mul(d, q(9, 1))
			return []*big.Rat{d.Inv(d.Add(d, one))}
		}, 3},
		// x = 1/(1 − t), |∂x/∂x0| = x² = 100 at 9/10.
		{"riccati", riccati, []*big.Rat{one}, q(9, 10), func(t *big.Rat) []*big.Rat {
			d := new(big.Rat).Sub(one, t)
			return []*big.Rat{d.Inv(d)}
		}, 100},
		// ∂x/∂t0 = 4t³ − 4s³ ≤ 32 at t = 2.
		{"polynomial", moving, []*big.Rat{q(0, 1), one}, q(2, 1), func(t *big.Rat) []*big.Rat {
			p := new(big.Rat).Mul(t, t)
			p.Mul(p, p).Sub(p, new(big.Rat).Mul(t, q(2, 1)))
			return []*big.Rat{new(big.Rat).Set(t), p.Add(p, one)}
		}, 33},
		{"quotient", quotient, []*big.Rat{q(0, 1), q(2, 3)}, q(5, 1), func(t *big.Rat) []*big.Rat {
			d := new(big.Rat).Add(one, t)
			return []*big.Rat{new(big.Rat).Set(t), d.Quo(q(2, 3), d)}
		}, 2},
	}
}

// ratCosSin returns cos x and sin x for 0 ≤ x ≤ 12 with an error below
// referenceError, by their Taylor series: 12^100/100! < 2^−160.
func ratCosSin(x *big.Rat) (c, s *big.Rat) {
	c, s = new(big.Rat), new(big.Rat)
	term := q(1, 1)
	for k := int64(0); k < 100; k++ {
		sum := c
		if k%2 == 1 {
			sum = s
		}
		if k%4 < 2 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		term.Mul(term, x)
		term.Mul(term, q(1, k+1))
	}
	return c, s
}

// checkClosedForm integrates a problem and returns what is wrong with the tube:
// a solution outside it at the end or between, at the nodes or off them.
func checkClosedForm(p closedForm, settings *Settings, rule rules) []string {
	tube, err := integrate(p.system, ivs(p.x0...), q(0, 1), p.t1, settings, rule)
	if err != nil {
		return []string{p.name + ": " + err.Error()}
	}
	var wrong []string
	compare := func(where string, box []interval.Interval, t *big.Rat) {
		for i, want := range p.at(t) {
			if !box[i].ContainsRat(want) {
				wrong = append(wrong, fmt.Sprintf("%s %s t = %s: %v misses %s", p.name, where, t.FloatString(6), box[i], want.FloatString(20)))
			}
		}
	}
	compare("final", tube.Final(), p.t1)
	for k := range 14 {
		at := new(big.Rat).Mul(p.t1, q(int64(k), 13))
		box, err := tube.At(at)
		if err != nil {
			return append(wrong, err.Error())
		}
		compare("at", box, at)
	}
	// Up to sixteen of the steps, evenly spread.
	for i := 0; i < tube.Steps(); i += 1 + tube.Steps()/16 {
		from, to, box := tube.Step(i)
		for _, w := range []*big.Rat{q(0, 1), q(1, 3), q(1, 1)} {
			at := new(big.Rat).Sub(to, from)
			at.Add(from, at.Mul(at, w))
			compare(fmt.Sprintf("step %d", i), box, at)
		}
	}
	return wrong
}

func TestEnclosuresContainClosedForms(t *testing.T) {
	for _, p := range closedForms() {
		for _, settings := range []*Settings{
			nil, {Order: 3, Tolerance: 1e-4}, {Order: 8, Tolerance: 1e-3}, {Order: 40}, {MaxStep: 0.05},
		} {
			for _, w := range checkClosedForm(p, settings, soundRules) {
				t.Errorf("%+v: %s", settings, w)
			}
		}
	}
}

// TestBrokenStepsAreCaught breaks one rule of a step at a time; the checks of
// TestEnclosuresContainClosedForms and TestNoEnclosureBeyondABlowUp must notice.
func TestBrokenStepsAreCaught(t *testing.T) {
	coarse := &Settings{Order: 4, Tolerance: 1e-4}
	noRemainder := soundRules
	noRemainder.remainder = func(_, _ interval.Interval) interval.Interval { return interval.Interval{} }
	halfRemainder := soundRules
	halfRemainder.remainder = func(hK, cK interval.Interval) interval.Interval {
		return hK.Mul(cK).Mul(iv(1, 2))
	}
	unproved := soundRules
	unproved.inside = func(_, _ interval.Interval) bool { return true }
	pointDerivative := soundRules
	pointDerivative.derivativeBox = func(_, centre []interval.Interval) []interval.Interval { return centre }

	for name, rule := range map[string]rules{"remainder dropped": noRemainder, "remainder halved": halfRemainder} {
		caught := 0
		for _, p := range closedForms() {
			if len(checkClosedForm(p, coarse, soundRules)) > 0 {
				t.Fatalf("%s: the sound rules fail", p.name)
			}
			if len(checkClosedForm(p, coarse, rule)) > 0 {
				caught++
			}
		}
		// All but the polynomial problem, whose series ends with the order, have
		// a remainder; half of it is still seen where it has one sign.
		if caught < 3 {
			t.Errorf("%s: noticed in %d problems only", name, caught)
		}
	}
	firstHalf := soundRules
	firstHalf.halves = func(x interval.Interval) (lower, upper interval.Interval) {
		lower, _ = halves(x)
		return lower, lower
	}
	if len(wideOscillator(firstHalf)) == 0 {
		t.Error("half of a box left out is not noticed")
	}
	if blowUp(unproved) == nil {
		t.Error("a rough enclosure without proof is not noticed")
	}
	if len(wideLogistic(pointDerivative)) == 0 {
		t.Error("a derivative at the centre only is not noticed")
	}
}

// blowUp integrates x' = x², x(0) = 1, whose solution ends at t = 1, up to t = 2,
// with few long steps. The error must tell that it does not reach t = 1; blowUp
// returns an explanation if it does not.
func blowUp(rule rules) error {
	sys := NewSystem("x")
	sys.SetRHS("x", sys.Var("x").Pow(2))
	for _, settings := range []*Settings{nil, {Order: 2, Tolerance: 1e6, MinStep: 1e-3}, {Order: 10, Tolerance: 1e3}} {
		tube, err := integrate(sys, ivs(q(1, 1)), q(0, 1), q(2, 1), settings, rule)
		var failed *NotEnclosedError
		switch {
		case !errors.As(err, &failed):
			return fmt.Errorf("%+v: error %v", settings, err)
		case tube != nil || !errors.Is(err, ErrNotEnclosed):
			return fmt.Errorf("%+v: tube %v with error %v", settings, tube, err)
		case failed.Reached.Cmp(q(1, 1)) >= 0:
			return fmt.Errorf("%+v: reached %s", settings, failed.Reached.RatString())
		case failed.Tube.T1().Cmp(failed.Reached) != 0:
			return fmt.Errorf("%+v: tube ends at %s", settings, failed.Tube.T1().RatString())
		case strings.Contains(err.Error(), "\n"):
			return fmt.Errorf("%+v: more than one line: %v", settings, err)
		}
	}
	return nil
}

func TestNoEnclosureBeyondABlowUp(t *testing.T) {
	if err := blowUp(soundRules); err != nil {
		t.Error(err)
	}
}

// wideLogistic integrates x' = r·x·(1 − x) for x0 in [1/8, 9/64] and r in
// [31/32, 33/32] and returns the corners' and the centre's solutions that the
// tube misses.
func wideLogistic(rule rules) []string {
	sys := NewSystem("x")
	width, _ := interval.New(0.96875, 1.03125)
	r := sys.Param("r", width)
	x := sys.Var("x")
	sys.SetRHS("x", r.Mul(x).Mul(sys.Int(1).Sub(x)))
	x0, _ := interval.New(0.125, 0.140625)
	tube, err := integrate(sys, []interval.Interval{x0}, q(0, 1), q(5, 1), nil, rule)
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	for _, start := range []*big.Rat{q(1, 8), q(17, 128), q(9, 64)} {
		for _, rate := range []float64{0.96875, 1, 1.03125} {
			for k := range 6 {
				at := q(int64(k), 1)
				// x = 1/(1 + (1/x0 − 1)·e^−rt).
				d := new(big.Rat).SetFloat64(rate)
				d = ratExp(d.Mul(d, at).Neg(d))
				c := new(big.Rat).Inv(start)
				d.Mul(d, c.Sub(c, q(1, 1))).Add(d, q(1, 1)).Inv(d)
				box, err := tube.At(at)
				if err != nil {
					return []string{err.Error()}
				}
				if !box[0].ContainsRat(d) {
					wrong = append(wrong, fmt.Sprintf("t = %d: %v misses %s", k, box[0], d.FloatString(12)))
				}
			}
		}
	}
	return wrong
}

// wideOscillator integrates the van der Pol oscillator from a box that has to be cut and
// returns what its tube misses of solutions from a grid of it, in 240-bit arithmetic.
func wideOscillator(rule rules) []string {
	sys := vanDerPol()
	x0 := []interval.Interval{iv2(q(5, 4), q(31, 20)), iv2(q(47, 20), q(49, 20))}
	tube, err := integrate(sys, x0, q(0, 1), q(6, 1), &Settings{MaxParts: 12, Order: 12, Tolerance: 1e-12}, rule)
	if err != nil {
		return []string{err.Error()}
	}
	if tube.Parts() < 2 {
		return []string{"the box was not cut: the test cannot tell"}
	}
	field := func(x []*big.Float) []*big.Float {
		out := make([]*big.Float, len(x))
		for i, v := range sys.Names() {
			out[i] = evalBig(sys.RHS(v), x, map[int]*big.Float{})
		}
		return out
	}
	size := sys.Var("x").Pow(2).Add(sys.Var("y").Pow(2))
	all, err := tube.Range(size)
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	const grid = 12
	for i := range int64(grid + 1) {
		for _, y := range []*big.Rat{q(47, 20), q(12, 5), q(49, 20)} {
			x := new(big.Rat).Add(q(5, 4), q(3*i, 10*grid))
			state := []*big.Float{bf(x), bf(y)}
			for _, at := range []*big.Rat{q(1, 3), q(3, 1), q(6, 1)} {
				end := extrapolate(field, state, at, 12)
				box, err := tube.At(at)
				if err != nil {
					return []string{err.Error()}
				}
				v, err := tube.EvalAt(size, at)
				if err != nil {
					return []string{err.Error()}
				}
				for k, e := range end {
					r, _ := e.Rat(nil)
					if !box[k].ContainsRat(r) {
						wrong = append(wrong, fmt.Sprintf("t = %s: %v misses %s", at.RatString(), box[k], r.FloatString(12)))
					}
				}
				a, _ := end[0].Rat(nil)
				b, _ := end[1].Rat(nil)
				r := new(big.Rat).Add(new(big.Rat).Mul(a, a), new(big.Rat).Mul(b, b))
				if !v.ContainsRat(r) || !all.ContainsRat(r) {
					wrong = append(wrong, fmt.Sprintf("t = %s: x² + y² in %v, %v misses %s", at.RatString(), v, all, r.FloatString(12)))
				}
			}
		}
	}
	return wrong
}

func TestBoxesThatHaveToBeCut(t *testing.T) {
	for _, w := range wideOscillator(soundRules) {
		t.Error(w)
	}
}

// TestABlowUpIsNotChased: cutting stops where halves do not get further, though no part
// reaches the final time.
func TestABlowUpIsNotChased(t *testing.T) {
	sys := NewSystem("x")
	sys.SetRHS("x", sys.Var("x").Pow(2))
	_, err := Integrate(sys, []interval.Interval{iv2(q(9, 10), q(11, 10))}, q(0, 1), q(2, 1), nil)
	var failed *NotEnclosedError
	if !errors.As(err, &failed) || failed.Parts < 2 || failed.Parts > 24 {
		t.Errorf("%v: %+v parts", err, failed.Parts)
	}
}

// TestHalvesCover: they share a point inside, also where the midpoint is rounded.
func TestHalvesCover(t *testing.T) {
	for _, c := range [][2]float64{{1.25, 1.55}, {-1, 1}, {0, 5e-324}, {1, 1 + 0x1p-52}, {-1e308, 1e308}, {1e308, 1.5e308}, {0, 1e300}} {
		x, _ := interval.New(c[0], c[1])
		lower, upper := halves(x)
		if lower.Hull(upper) != x || lower.Hi() != upper.Lo() || !x.Contains(lower.Hi()) {
			t.Errorf("%v: %v and %v", x, lower, upper)
		}
	}
}

// TestPartsAnswerTogether: a question about a tube in parts holds only for all, and
// fails only for all.
func TestPartsAnswerTogether(t *testing.T) {
	sys := vanDerPol()
	x0 := []interval.Interval{iv2(q(5, 4), q(31, 20)), iv2(q(47, 20), q(49, 20))}
	tube, err := Integrate(sys, x0, q(0, 1), q(6, 1), &Settings{MaxParts: 12})
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, p := range tube.parts {
		steps += p.Steps()
	}
	if tube.Parts() < 2 || tube.Steps() != steps {
		t.Fatalf("%d parts, %d steps of %d", tube.Parts(), tube.Steps(), steps)
	}
	first, last := tube.parts[0], tube.parts[len(tube.parts)-1]
	if from, _, box := tube.Step(steps - 1); from.Sign() == 0 || box[0] != last.steps[len(last.steps)-1].rough[0] {
		t.Error("the last step is not that of the last part")
	}
	if from, _, _ := tube.Step(len(first.steps)); from.Sign() != 0 {
		t.Error("the first step of the second part does not begin at the start")
	}
	x := sys.Var("x")
	for _, c := range []struct {
		e    Expr
		want Verdict
	}{
		{x.Add(sys.Int(10)), Holds},
		{x.Sub(sys.Int(10)), Fails},
		{x, Fails}, // x runs round the cycle
		// Between the solutions: the amplitude at the start.
		{x.Sub(sys.Frac(14, 10)).Add(sys.Int(10).Mul(sys.Var("y").Sub(sys.Frac(24, 10)).Pow(2))), Undecided},
	} {
		a, err := tube.Positive(c.e, 10)
		if err != nil || a.Verdict != c.want && c.want != Undecided {
			t.Errorf("%v, %v: want %v", a, err, c.want)
		}
		if c.want == Fails && a.From.Cmp(a.To) > 0 {
			t.Errorf("%v", a)
		}
	}
}

// TestSpansBeyondFloat64AndStepFloors: an error, at once.
func TestSpansBeyondFloat64AndStepFloors(t *testing.T) {
	sys := NewSystem("x")
	sys.SetRHS("x", sys.Var("x").Neg())
	huge := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(400), nil))
	if _, err := Integrate(sys, ivs(q(1, 1)), q(0, 1), huge, nil); err == nil || err.Error() != "enclosure: the time span is longer than the largest float64" {
		t.Errorf("10⁴⁰⁰: %v", err)
	}
	var failed *NotEnclosedError
	for _, end := range []*big.Rat{new(big.Rat).SetFloat64(1e300), new(big.Rat).SetFloat64(1e12)} {
		if _, err := Integrate(sys, ivs(q(1, 1)), q(0, 1), end, nil); !errors.As(err, &failed) || !strings.Contains(err.Error(), "step below") {
			t.Errorf("%v: %v", end, err)
		}
	}
	for _, s := range []Settings{{MinStep: math.Inf(1)}, {MinStep: math.NaN()}, {Tolerance: math.Inf(1)}, {MaxParts: -1}} {
		if _, err := Integrate(sys, ivs(q(1, 1)), q(0, 1), q(1, 1), &s); err == nil || errors.As(err, &failed) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := Integrate(sys, ivs(q(1, 1)), q(0, 1), q(1, 1), &Settings{MaxStep: 1e-3, MinStep: 0.5}); err == nil || !strings.Contains(err.Error(), "MinStep") {
		t.Errorf("a floor above the ceiling: %v", err)
	}
	// Times that are nothing to float64.
	tiny := new(big.Rat).Inv(huge)
	tube, err := Integrate(sys, ivs(q(1, 1)), q(0, 1), tiny, nil)
	if err != nil || !tube.Final()[0].ContainsRat(new(big.Rat).Sub(q(1, 1), tiny)) {
		t.Errorf("10⁻⁴⁰⁰: %v", err)
	}
}

// TestTheFinalTimeIsExact: x' = 1 up to t = 1/3, which no float64 is. The twin of the
// test, a final time rounded to nearest, gives a box without 1/3.
func TestTheFinalTimeIsExact(t *testing.T) {
	sys := NewSystem("x")
	sys.SetRHS("x", sys.Int(1))
	for _, start := range []*big.Rat{q(0, 1), q(-7, 1), q(1, 1024)} {
		end := new(big.Rat).Add(start, q(1, 3))
		tube, err := Integrate(sys, ivs(q(0, 1)), start, end, nil)
		if err != nil {
			t.Fatal(err)
		}
		at, err := tube.At(end)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []interval.Interval{tube.Final()[0], at[0]} {
			if !x.ContainsRat(q(1, 3)) {
				t.Errorf("from %s: %v misses 1/3", start.RatString(), x)
			}
			if x.Wid() > 0x1p-50 {
				t.Errorf("from %s: %v is wide", start.RatString(), x)
			}
		}
		if tube.T1().Cmp(end) != 0 {
			t.Errorf("the tube ends at %s", tube.T1().RatString())
		}
		// Inside, at 1/7.
		v, err := tube.At(new(big.Rat).Add(start, q(1, 7)))
		if err != nil || !v[0].ContainsRat(q(1, 7)) || v[0].Wid() > 0x1p-50 {
			t.Errorf("from %s: %v at 1/7, %v", start.RatString(), v, err)
		}
	}
}

// TestKeplerGrowsSlowly: over turns of the two-body problem (eccentricity 1/2) the
// width, which one frame for all errors lets grow ×15 a turn, grows less than ×4 on
// average from the second turn to the eighth.
func TestKeplerGrowsSlowly(t *testing.T) {
	s := NewSystem("x", "y", "u", "v", "w") // w = 1/r
	x, y, u, v, w := s.Var("x"), s.Var("y"), s.Var("u"), s.Var("v"), s.Var("w")
	w3 := w.Pow(3)
	s.SetRHS("x", u)
	s.SetRHS("y", v)
	s.SetRHS("u", x.Mul(w3).Neg())
	s.SetRHS("v", y.Mul(w3).Neg())
	s.SetRHS("w", w3.Mul(x.Mul(u).Add(y.Mul(v))).Neg())
	start := []interval.Interval{iv(1, 2), iv(0, 1), iv(0, 1), iv(3, 1).Sqrt(), iv(2, 1)}
	var widths []float64
	for _, turns := range []int64{2, 8} {
		tube, err := Integrate(s, start, q(0, 1), q(turns*710, 113), nil)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for _, b := range tube.Final() {
			worst = max(worst, b.Wid())
		}
		widths = append(widths, worst)
		// The energy is kept: u² + v² - 2/r = -1.
		e, err := tube.EvalAt(u.Pow(2).Add(v.Pow(2)).Sub(s.Int(2).Mul(w)), tube.T1())
		if err != nil || !e.ContainsRat(q(-1, 1)) {
			t.Errorf("energy in %v, %v", e, err)
		}
	}
	t.Logf("widths %v", widths)
	if g := math.Pow(widths[1]/widths[0], 1.0/6); !(g < 4) || widths[0] > 1e-10 {
		t.Errorf("widths %v: ×%.3g a turn", widths, g)
	}
}

func TestWideInitialSetsAndParameters(t *testing.T) {
	for _, w := range wideLogistic(soundRules) {
		t.Error(w)
	}
}

// perStep bounds the relative width that one step adds to a component of a thin
// tube, before amplification: the Horner sum at the centre ends with c_0 + h·(…),
// which rounds each end by one unit of 2^−52 and carries at most twice that from
// below (the terms decrease geometrically where steps are chosen by their
// ratio); the centre is subtracted and the box formed with one unit each; the
// frame's inverse adds n of them, n ≤ 3 here; the remainder has at most
// excess = 64 times 2^−58 on each side. Together less than 12 units per side.
const perStep = 24 * 0x1p-52

func TestThinTubesAreTightAndExcludeNeighbours(t *testing.T) {
	for _, p := range closedForms() {
		tube, err := Integrate(p.system, ivs(p.x0...), q(0, 1), p.t1, nil)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		size := 0.0
		for i := range tube.Steps() {
			_, _, box := tube.Step(i)
			for _, b := range box {
				size = max(size, b.Mag())
			}
		}
		// One unit more for the initial value, which need not be a float64.
		bound := float64(tube.Steps()+1) * perStep * p.amplification * size
		exact := p.at(p.t1)
		for i, b := range tube.Final() {
			if b.Wid() > bound {
				t.Errorf("%s: width %.3g of component %d above %.3g", p.name, b.Wid(), i, bound)
			}
			for _, sign := range []int64{-1, 1} {
				off := new(big.Rat).SetFloat64(bound)
				off.Mul(off, q(sign, 1)).Add(off, exact[i])
				if b.ContainsRat(off) {
					t.Errorf("%s: a point %.3g away is not excluded", p.name, bound)
				}
			}
		}
		t.Logf("%-10s %3d steps, width %.2g, bound %.2g", p.name, tube.Steps(), tube.Final()[0].Wid(), bound)
	}
}

// TestWideTubesFollowTheTrueSet checks that a wide initial set is carried with
// little overestimation: the logistic flow is monotone in x0, so that the exact
// image of an interval is known.
func TestWideTubesFollowTheTrueSet(t *testing.T) {
	sys := NewSystem("x")
	x := sys.Var("x")
	sys.SetRHS("x", x.Mul(sys.Int(1).Sub(x)))
	x0, _ := interval.New(0.0999, 0.1001)
	tube, err := Integrate(sys, []interval.Interval{x0}, q(0, 1), q(3, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	solution := func(start float64) *big.Rat {
		d := ratExp(q(-3, 1))
		c := new(big.Rat).Inv(new(big.Rat).SetFloat64(start))
		d.Mul(d, c.Sub(c, q(1, 1))).Add(d, q(1, 1))
		return d.Inv(d)
	}
	lo, hi := solution(0.0999), solution(0.1001)
	true_, _ := new(big.Rat).Sub(hi, lo).Float64()
	got := tube.Final()[0]
	if !got.ContainsRat(lo) || !got.ContainsRat(hi) {
		t.Errorf("%v misses an end of the image", got)
	}
	// The mean value form overestimates by the variation of the derivative over
	// the set: |x''| relative to |x'| times the relative width, 2·10⁻³, per unit of
	// amplification; 5 % is ten times that.
	if got.Wid() > 1.05*true_ {
		t.Errorf("width %g, the image has %g", got.Wid(), true_)
	}
}

func TestRandomSystemsAgainstExtrapolation(t *testing.T) {
	rng := rand.New(rand.NewPCG(2021, 7))
	done := 0
	for trial := 0; done < 8; trial++ {
		if trial == 40 {
			t.Fatal("too few systems can be integrated")
		}
		n := 1 + trial%3
		sys, field := randomSystem(rng, n, trial%4 == 3)
		x0 := make([]*big.Rat, n)
		for i := range x0 {
			x0[i] = q(rng.Int64N(7)-3, 4)
		}
		tube, err := Integrate(sys, ivs(x0...), q(0, 1), q(1, 1), nil)
		if err != nil {
			continue // a blow-up before t = 1
		}
		large := false
		for i := range tube.Steps() {
			_, _, box := tube.Step(i)
			for _, b := range box {
				large = large || b.Mag() > 4
			}
		}
		if large {
			continue // the reference would need more steps
		}
		done++
		for i, want := range reference(t, field, x0, q(1, 1), 12) {
			got := tube.Final()[i]
			if !got.ContainsRat(want) {
				t.Errorf("trial %d, component %d: %v misses %s", trial, i, got, want.FloatString(20))
			}
			if got.Wid() > 1e-11 {
				t.Errorf("trial %d, component %d: width %g", trial, i, got.Wid())
			}
		}
	}
}

func TestBadInputIsOneClearError(t *testing.T) {
	sys := NewSystem("x", "y")
	sys.SetRHS("x", sys.Var("y"))
	point := ivs(q(1, 1), q(2, 1))
	check := func(name string, x0 []interval.Interval, t1 *big.Rat, settings *Settings, part string) {
		t.Helper()
		tube, err := Integrate(sys, x0, q(0, 1), t1, settings)
		if err == nil || tube != nil || !strings.Contains(err.Error(), part) || !strings.HasPrefix(err.Error(), "enclosure: ") {
			t.Errorf("%s: tube %v, error %v", name, tube, err)
		}
	}
	check("missing equation", point, q(1, 1), nil, "variable y")
	sys.SetRHS("y", sys.Var("x").Neg())
	check("unbounded state", []interval.Interval{point[0], interval.Entire()}, q(1, 1), nil, "initial value of y")
	check("empty state", []interval.Interval{interval.Empty(), point[0]}, q(1, 1), nil, "initial value of x")
	check("backward time", point, q(-1, 1), nil, "before initial time")
	check("order", point, q(1, 1), &Settings{Order: 1}, "order 1")
	check("tolerance", point, q(1, 1), &Settings{Tolerance: math.NaN()}, "negative, NaN or infinite")
	check("step", point, q(1, 1), &Settings{MaxStep: -1}, "negative, NaN or infinite")
	check("few steps", point, q(100, 1), &Settings{MaxSteps: 2}, "2 steps taken")
	if tube, err := Integrate(sys, point, q(1, 1), q(1, 1), nil); err != nil || tube.Final()[0] != point[0] || tube.Steps() != 0 {
		t.Errorf("empty time span: %v", err)
	}

	singular := NewSystem("x")
	singular.SetRHS("x", singular.Int(1).Div(singular.Var("x")))
	box, _ := interval.New(-1, 1)
	if _, err := Integrate(singular, []interval.Interval{box}, q(0, 1), q(1, 1), nil); !errors.Is(err, ErrNotEnclosed) || !strings.Contains(err.Error(), "may vanish") {
		t.Errorf("vanishing divisor: %v", err)
	}
	// x' = −1/x from 1 reaches 0 at t = 1/2.
	ends := NewSystem("x")
	ends.SetRHS("x", ends.Int(-1).Div(ends.Var("x")))
	var failed *NotEnclosedError
	if _, err := Integrate(ends, ivs(q(1, 1)), q(0, 1), q(1, 1), nil); !errors.As(err, &failed) || failed.Reached.Cmp(q(1, 2)) >= 0 {
		t.Errorf("solution that ends: %v", err)
	}
	frozen := NewSystem("x")
	frozen.SetRHS("x", frozen.Int(1).Div(frozen.Param("c", interval.Point(0))))
	if _, err := Integrate(frozen, ivs(q(1, 1)), q(0, 1), q(1, 1), nil); err == nil || !strings.Contains(err.Error(), "may vanish") {
		t.Errorf("division by a zero parameter: %v", err)
	}
}

func TestBuilderMisusePanics(t *testing.T) {
	sys, other := NewSystem("x"), NewSystem("x")
	x := sys.Var("x")
	sys.SetRHS("x", x)
	sys.Param("c", interval.Point(1))
	for name, f := range map[string]func(){
		"no name":                func() { NewSystem("") },
		"name twice":             func() { NewSystem("x", "x") },
		"unknown variable":       func() { sys.Var("y") },
		"two equations":          func() { sys.SetRHS("x", x) },
		"equation for nobody":    func() { sys.SetRHS("y", x) },
		"no equation":            func() { other.RHS("x") },
		"foreign expression":     func() { x.Add(other.Var("x")) },
		"zero expression":        func() { x.Mul(Expr{}) },
		"parameter twice":        func() { sys.Param("c", interval.Point(1)) },
		"unbounded parameter":    func() { sys.Param("d", interval.Entire()) },
		"empty parameter":        func() { sys.Param("e", interval.Empty()) },
		"division by 0":          func() { x.Div(sys.Int(0)) },
		"negative power":         func() { x.Pow(-1) },
		"wrong number of x0":     func() { _, _ = Integrate(sys, nil, q(0, 1), q(1, 1), nil) },
		"wrong number of values": func() { _, _ = x.EvalRat(nil, nil) },
		"no parameter value": func() {
			_, _ = sys.Param("f", interval.Point(1)).EvalRat([]*big.Rat{q(1, 1)}, nil)
		},
		"shapes": func() {
			a := NewMatrix(1, 2, func(_, _ int) Expr { return x })
			a.Mul(a)
		},
		"not square":     func() { NewMatrix(1, 2, func(_, _ int) Expr { return x }).Trace() },
		"outside matrix": func() { NewMatrix(1, 2, func(_, _ int) Expr { return x }).At(0, 2) },
		"size of a flow": func() { Reduced(0, Hyper{Alpha: iv(1, 1)}) },
		"alpha":          func() { Reduced(2, Hyper{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestResultsDoNotDependOnScheduling(t *testing.T) {
	flow := Reduced(2, Hyper{Alpha: iv(1, 1), Tau: iv(1, 1), Eta: iv(1, 20)})
	x0 := ivs(q(3, 5), q(1, 5), q(2, 5), q(7, 10), q(-1, 10), q(3, 10))
	det := flow.K.Det()
	type result struct {
		final []interval.Interval
		det   interval.Interval
	}
	results := make([]result, 4)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			tube, err := Integrate(flow.System, x0, q(0, 1), q(1, 1), nil)
			if err != nil {
				t.Error(err)
				return
			}
			d, err := tube.Range(det)
			if err != nil {
				t.Error(err)
			}
			results[i] = result{tube.Final(), d}
		})
	}
	wg.Wait()
	for _, r := range results[1:] {
		if !reflect.DeepEqual(r, results[0]) {
			t.Errorf("%v differs from %v", r, results[0])
		}
	}
}
