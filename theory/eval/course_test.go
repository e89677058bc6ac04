package eval

import (
	"math"
	"math/big"
	"testing"

	"stopgrad/theory/lang"
)

func partOf(t *testing.T, text string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  title t\n  printed nowhere\n" + text})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

func scalars(vals map[string]string) State[*big.Rat] {
	st := State[*big.Rat]{Vals: map[string]Matrix[*big.Rat]{}}
	for name, v := range vals {
		r, _ := new(big.Rat).SetString(v)
		st.Vals[name] = ScalarOf(r)
	}
	return st
}

// TestCourseIsTheDefinition holds each form along a flow against an end state chosen by hand, one at which the definition
// is kept and one at which it is broken by a little.
func TestCourseIsTheDefinition(t *testing.T) {
	const flow = "  scalar x, y\n  flow\n    x' = -x\n    y' = 0\n"
	e := math.Exp(-2)
	for _, c := range []struct {
		says      string
		x0        float64
		good, bad float64 // x at t = 2
		silent    float64 // x at a beginning of which nothing is said; NaN: none
	}{
		{says: "x evolves at rate -1", x0: 3, good: 3 * e, bad: 3*e + 1e-6, silent: math.NaN()},
		{says: "|x| decays at rate 1", x0: -3, good: -3 * e, bad: -3*e - 1e-6, silent: math.NaN()},
		{says: "x decays at rate 1", x0: -3, good: -3 * e, bad: -3*e + 1e-6, silent: math.NaN()},
		{says: "x stays zero", x0: 0, good: 0, bad: 1e-6, silent: 1},
		{says: "x stays nonnegative", x0: 0, good: 0, bad: -1e-6, silent: -1},
		{says: "x stays positive", x0: 1, good: 1e-6, bad: -1e-6, silent: 0},
		{says: "always x >= 0", x0: 1, good: 0, bad: -1e-6, silent: math.NaN()},
	} {
		p := partOf(t, flow+"  says s: "+c.says+"\n")
		st := func(x float64) State[float64] {
			return State[float64]{Vals: map[string]Matrix[float64]{"x": ScalarOf(x), "y": ScalarOf(1.0)}}
		}
		k, err := NewCourse(Float{}, p, st(c.x0))
		if err != nil {
			t.Fatalf("%s: %v", c.says, err)
		}
		if s, err := k.At(2, st(c.good)); err != nil || !s.Says || !s.Holds || s.Excess > Tolerance {
			t.Errorf("%s: at %v: %+v, %v", c.says, c.good, s, err)
		}
		if s, err := k.At(2, st(c.bad)); err != nil || !s.Says || s.Holds || !(s.Excess > 1e-7) {
			t.Errorf("%s: at %v: %+v, %v", c.says, c.bad, s, err)
		}
		if !math.IsNaN(c.silent) {
			k, err := NewCourse(Float{}, p, st(c.silent))
			if err != nil {
				t.Fatal(err)
			}
			if s, err := k.At(2, st(c.bad)); err != nil || s.Says || !s.Holds {
				t.Errorf("%s from %v: %+v, %v", c.says, c.silent, s, err)
			}
		}
	}
}

// TestMatrixCourses: the inertia of what moves by congruence, and definite matrices, with ones that lose them.
func TestMatrixCourses(t *testing.T) {
	for says, bad := range map[string][]float64{
		"A moves by congruence": {1, 0, 0, 1}, // a positive eigenvalue more
		"A stays psd":           {1, 0, 0, -1e-3},
	} {
		p := partOf(t, "  size n\n  matrix A : n x n symmetric\n  flow\n    A' = A\n  says s: "+says+"\n")
		st := func(a []float64) State[float64] {
			return State[float64]{Dims: map[lang.Dim]int{"n": 2}, Vals: map[string]Matrix[float64]{"A": {R: 2, C: 2, A: a}}}
		}
		k, err := NewCourse(Float{}, p, st([]float64{1, 0, 0, 0}))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := k.At(1, st([]float64{2, 2, 2, 2})); err != nil || !s.Says || s.Excess > Tolerance*s.Scale {
			t.Errorf("%s: %+v, %v", says, s, err)
		}
		if s, err := k.At(1, st(bad)); err != nil || !s.Says || s.Holds {
			t.Errorf("%s: %+v, %v", says, s, err)
		}
	}
}

// TestOrbitsAreFollowed: those that fail later than at the first step do so at the step that was computed by hand, and
// true ones never.
func TestOrbitsAreFollowed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		at         map[string]string
		fails      bool
		steps      int
	}{
		{"falls late", "  scalar x, v\n  map\n    x+ = x + v\n    v+ = v - 1\n  says s: x stays nonnegative\n", map[string]string{"x": "0", "v": "2"}, true, 6},
		{"stays", "  scalar x, v\n  map\n    x+ = x + v\n    v+ = v\n  says s: x stays nonnegative\n", map[string]string{"x": "0", "v": "2"}, false, 12},
		{"rotates", "  scalar x, y\n  map\n    x+ = -y\n    y+ = x\n  says s: x vanishes\n", map[string]string{"x": "1", "y": "0"}, true, 4},
		{"rests at zero", "  scalar x, y\n  map\n    x+ = 0\n    y+ = y\n  says s: x vanishes\n", map[string]string{"x": "1", "y": "0"}, false, 2},
		{"factor", "  scalar x, y\n  map\n    x+ = y\n    y+ = x/4\n  says s: x evolves by factor 1/2\n", map[string]string{"x": "1", "y": "1/2"}, false, 12},
		{"not this factor", "  scalar x, y\n  map\n    x+ = y\n    y+ = x/8\n  says s: x evolves by factor 1/2\n", map[string]string{"x": "1", "y": "1/2"}, true, 2},
		{"runs away", "  scalar x\n  map\n    x+ = -3*x\n  says s: x vanishes\n", map[string]string{"x": "1"}, false, 0},
		{"comes near", "  scalar x\n  map\n    x+ = x/2\n  says s: x vanishes\n", map[string]string{"x": "1"}, false, 12},
		{"passes by", "  scalar x, y\n  map\n    x+ = x + y\n    y+ = 2*y\n  says s: x vanishes\n", map[string]string{"x": "1", "y": "-1"}, false, 0},
		{"ends before", "  scalar x\n  map\n    x+ = x - 1\n  says s: x stays positive\n    assume always keep: x > 0\n", map[string]string{"x": "3"}, false, 2},
	} {
		o, err := FollowOrbit(Rational{}, partOf(t, c.text), scalars(c.at), 12)
		if err != nil || o.Fails != c.fails || o.Steps != c.steps {
			t.Errorf("%s: %+v, %v; want %v after %d", c.name, o, err, c.fails, c.steps)
		}
	}
}

// TestSymbolsAreThoseSpokenOf leaves out a symbol that is declared and not used.
func TestSymbolsAreThoseSpokenOf(t *testing.T) {
	p := partOf(t, "  scalar a, b, c, d > 0\n  let e = a + b\n  says s: e > c\n    assume h: c < d\n")
	got, err := Symbols(p)
	if err != nil || len(got) != 4 {
		t.Errorf("%v, %v", got, err)
	}
	p = partOf(t, "  scalar a, b, c, d > 0\n  says s: a > b\n")
	if got, err := Symbols(p); err != nil || len(got) != 2 || got["c"] {
		t.Errorf("%v, %v", got, err)
	}
}

// TestCloseIsNotDecided: what fails by rounding is close in floating point and decided in exact arithmetic.
func TestCloseIsNotDecided(t *testing.T) {
	p := partOf(t, "  scalar x\n  says s: x^2 - 2*x + 1 > 0\n")
	near := State[float64]{Vals: map[string]Matrix[float64]{"x": ScalarOf(1 + 1e-9)}}
	if f, err := Judge(Float{}, p, near); err != nil || f.Holds || !f.Close {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Judge(Float{}, p, State[float64]{Vals: map[string]Matrix[float64]{"x": ScalarOf(2.0)}}); err != nil || !f.Holds || f.Close {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Judge(Rational{}, p, scalars(map[string]string{"x": "1000000001/1000000000"})); err != nil || !f.Holds || f.Close {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Judge(Rational{}, p, scalars(map[string]string{"x": "1"})); err != nil || f.Holds || f.Close {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := Judge(Float{}, p, State[float64]{Vals: map[string]Matrix[float64]{"x": ScalarOf(1e200)}}); err == nil {
		t.Error("a number beyond float64 is judged")
	}
}
