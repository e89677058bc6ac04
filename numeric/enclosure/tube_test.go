package enclosure

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"stopgrad/numeric/interval"
)

// circle is x' = −y, y' = x from (1, 0): (cos t, sin t).
func circle(t *testing.T, t1 *big.Rat) (*System, *Tube) {
	t.Helper()
	sys := NewSystem("x", "y")
	sys.SetRHS("x", sys.Var("y").Neg())
	sys.SetRHS("y", sys.Var("x"))
	tube, err := Integrate(sys, ivs(q(1, 1), q(0, 1)), q(0, 1), t1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sys, tube
}

func TestTubeAnswersQuestionsAboutTheCircle(t *testing.T) {
	sys, tube := circle(t, q(7, 1))
	x, y := sys.Var("x"), sys.Var("y")
	radius := x.Pow(2).Add(y.Pow(2))

	r, err := tube.Range(radius)
	if err != nil || !r.Contains(1) || r.Wid() > 1e-12 {
		t.Errorf("x² + y² in %v, %v", r, err)
	}
	// The range of x is [−1, 1]; the mean value form over a piece of width w of at
	// most an eighth of a unit step overestimates by at most w²·max|x''| = 1/64.
	r, err = tube.Range(x)
	full, _ := interval.New(-1, 1)
	if err != nil || !full.Subset(r) || !r.Subset(full.Add(interval.Symmetric(1.0/64))) {
		t.Errorf("x in %v, %v", r, err)
	}
	for _, row := range []struct {
		name string
		e    Expr
		want Verdict
	}{
		{"x + 1 + 10⁻⁹", x.Add(sys.Const(q(1000000001, 1000000000))), Holds},
		{"x", x, Fails},
		{"x + 1", x.Add(sys.Int(1)), Undecided},
		{"x² + y² − 1", radius.Sub(sys.Int(1)), Undecided},
		{"x² + y² − 1 + 10⁻¹⁰", radius.Sub(sys.Const(q(9999999999, 10000000000))), Holds},
		{"x² + y² − 1 − 10⁻¹⁰", radius.Sub(sys.Const(q(10000000001, 10000000000))), Fails},
		{"a constant", sys.Int(1), Holds},
	} {
		a, err := tube.Positive(row.e, 24)
		if err != nil || a.Verdict != row.want {
			t.Errorf("%s: %v, %v", row.name, a.Verdict, err)
		}
		if a.Verdict == Holds {
			continue
		}
		if a.From == nil || a.From.Cmp(a.To) > 0 || a.From.Sign() < 0 || a.To.Cmp(tube.T1()) > 0 {
			t.Errorf("%s: place %v … %v", row.name, a.From, a.To)
		}
		v, err := tube.EvalAt(row.e, a.From)
		if err != nil || v.Intersect(a.Value).IsEmpty() || a.Verdict == Fails && v.Positive() {
			t.Errorf("%s: %v at the place shown, which claims %v (%v)", row.name, v, a.Value, err)
		}
	}
	// x fails first where cos t does, at π/2.
	a, err := tube.Positive(x, 24)
	if err != nil || a.From.Cmp(q(157, 100)) < 0 || a.To.Cmp(q(7, 1)) > 0 {
		t.Errorf("x ≤ 0 between %v and %v, %v", a.From, a.To, err)
	}
}

func TestTubeAtAgreesWithClosedFormAtAnyTime(t *testing.T) {
	_, tube := circle(t, q(6, 1))
	for k := range 101 {
		at := q(int64(6*k), 100)
		c, s := ratCosSin(at)
		box, err := tube.At(at)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []*big.Rat{c, s} {
			if !box[i].ContainsRat(want) || box[i].Wid() > 1e-13 {
				t.Errorf("t = %s: %v, want %s", at, box[i], want.FloatString(20))
			}
		}
	}
}

// TestDroppedTubeRemainderIsCaught is the mutated twin of the dense output: the
// last coefficient, over the rough enclosure, replaced by zero.
func TestDroppedTubeRemainderIsCaught(t *testing.T) {
	sys := NewSystem("x", "y")
	x, y := sys.Var("x"), sys.Var("y")
	sys.SetRHS("x", y.Neg())
	sys.SetRHS("y", x)
	tube, err := Integrate(sys, ivs(q(1, 1), q(0, 1)), q(0, 1), q(1, 1), &Settings{Order: 4, Tolerance: 1e-4})
	if err != nil {
		t.Fatal(err)
	}
	product := x.Mul(y)
	p, err := compile(sys, product)
	if err != nil {
		t.Fatal(err)
	}
	honest, broken := 0, 0
	for _, s := range tube.steps {
		d, err := tube.dense(p, s)
		if err != nil {
			t.Fatal(err)
		}
		middle := new(big.Rat).Mul(s.length, q(1, 2))
		c, sn := ratCosSin(new(big.Rat).Add(s.from, middle))
		want := c.Mul(c, sn)
		misses := func() bool {
			v, err := d.at(0, interval.FromRat(middle))
			return err != nil || !v.ContainsRat(want)
		}
		if misses() {
			honest++
		}
		d.outputs[0][tube.order] = interval.Interval{}
		if misses() {
			broken++
		}
	}
	if honest > 0 || broken == 0 {
		t.Errorf("%d of %d steps miss the value, %d without the remainder", honest, tube.Steps(), broken)
	}
}

func TestTubeErrors(t *testing.T) {
	sys, tube := circle(t, q(4, 1))
	for _, at := range []*big.Rat{q(-1, 10), q(41, 10)} {
		if _, err := tube.At(at); err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("At(%s): %v", at, err)
		}
	}
	inverse := sys.Int(1).Div(sys.Var("x"))
	if v, err := tube.Range(inverse); err == nil || !v.IsEntire() {
		t.Errorf("1/x over a zero of x: %v, %v", v, err)
	}
	if _, err := tube.Positive(inverse, 4); err == nil {
		t.Error("the sign of 1/x over a zero of x is decided")
	}
	if v, err := tube.EvalAt(inverse, q(1, 1)); err != nil || !v.Positive() {
		t.Errorf("1/x at t = 1: %v, %v", v, err)
	}
	point, err := Integrate(sys, ivs(q(0, 1), q(1, 1)), q(2, 1), q(2, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := point.Range(inverse); err == nil || !v.IsEntire() {
		t.Errorf("1/0: %v, %v", v, err)
	}
	if v, err := point.EvalAt(sys.Var("y"), q(2, 1)); err != nil || !v.Contains(1) {
		t.Errorf("y at the only time of a tube: %v, %v", v, err)
	}
	if a, err := point.Positive(sys.Var("y"), 3); err != nil || a.Verdict != Holds {
		t.Errorf("y > 0 at the only time of a tube: %v, %v", a, err)
	}
}

// TestOutputsMayUseLaterParameters evaluates x − c for a wide parameter declared
// after the integration.
func TestOutputsMayUseLaterParameters(t *testing.T) {
	sys, tube := circle(t, q(1, 1))
	wide, _ := interval.New(2, 3)
	c := sys.Param("c", wide)
	v, err := tube.Range(c.Sub(sys.Var("x")))
	if err != nil || !v.Positive() || !v.Contains(1) || !v.Contains(2) {
		t.Errorf("c − x in %v, %v", v, err)
	}
	// Correlation is kept: c − c + x is x.
	v, err = tube.Range(c.Mul(sys.Var("x")).Sub(sys.Var("x").Mul(c)))
	if err != nil || !v.IsPoint() {
		t.Errorf("c·x − x·c in %v, %v", v, err)
	}
}

func TestVerdictNames(t *testing.T) {
	for v, want := range map[Verdict]string{Undecided: "undecided", Holds: "holds", Fails: "fails"} {
		if fmt.Sprint(v) != want {
			t.Errorf("%d is printed as %v", int(v), v)
		}
	}
	var zero Answer
	if zero.Verdict != Undecided {
		t.Error("the zero Answer decides")
	}
}
