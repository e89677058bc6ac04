package falsify

import (
	"context"
	"math"
	"math/big"
	"testing"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/optimise"
	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

func parse(t testing.TB, body string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  title t\n  printed t\n  quote t\n" + body})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

// needles are false statements that drawing simple fractions does not break: the failing states are rare. One
// per stage and form of statement.
var needles = []struct {
	name, body, stage string
}{
	{"inequality in a small ball", "  scalar x, y\n  says p: (x - 1.37)^2 + (y + 0.71)^2 >= 0.0001\n", "cma-es"},
	{"definite in a thin region", "  scalar x, y\n  size n\n  matrix A : n x n symmetric\n  says p: A^2 + 100*((x - 0.77)^2 + (y + 1.31)^2)*I - 0.01*I psd\n    assume one: tr(A^2) <= 0.0001\n", ""},
	{"one-dimensional flow", "  scalar p\n  flow\n    p' = (p - 1)*(p - 1.3)*(p - 1.31)*(p - 2)\n  says q: p tends to 2 from 1 < p < 2\n", ""},
	{"decay", "  scalar x\n  flow\n    x' = -x*((x - 1.234)^2 - 0.0001)\n  says q: x decays at rate 0\n    assume inside: x > 0\n", ""},
	{"corner", "  scalar x >= -2, <= 3\n  scalar y >= -5, <= 7\n  says p: x*y < 21\n", "corners"},
	{"solved for", "  size n\n  matrix A, B : n x n\n  matrix P : n x n pd\n  says p: A == P\n    assume both: A + 3*B == 2*P\n    assume apart: B - 7/5*A == P\n", "solved"},
	{"stationary", "  scalar x, y\n  flow\n    x' = 3*x - 7*y + 5\n    y' = 2*x + 11*y\n  says q: x vanishes\n", "solved"},
}

func TestSearchFindsNeedles(t *testing.T) {
	effort := Effort{Interior: 400, Corners: 400, Solved: 400, Optimise: optimise.Effort{Scan: 300, Starts: 3, Global: 500, Local: 300}}
	for _, n := range needles {
		for _, seed := range []uint64{1, 2} {
			part := parse(t, n.body)
			r := Search(context.Background(), part, n.name, Options{Seed: seed, Effort: effort})
			if r.Refutation == nil {
				t.Errorf("%s, seed %d: nothing found in %d states, nearest %g, %v", n.name, seed, r.Drawn, r.Nearest, r.Err)
				continue
			}
			if again, err := verdict.Refute(part, r.Witness); err != nil || !again.Verdict().IsRefuted() {
				t.Errorf("%s: the witness does not stand: %v", n.name, err)
			}
			if n.stage != "" && r.Stage != n.stage {
				t.Logf("%s, seed %d: found by %s, made for %s", n.name, seed, r.Stage, n.stage)
			}
			// The drawing stages alone do not find what needs the optimiser.
			if n.stage == "cma-es" {
				if r := Search(context.Background(), part, n.name, Options{Seed: seed, Effort: Effort{Interior: 400, Corners: 400, Solved: 400}}); r.Refutation != nil {
					t.Errorf("%s is no needle: %s finds it", n.name, r.Stage)
				}
			}
		}
	}
}

// TestSearchPrefersClearFailures: a strict statement fails with equality at the simplest states and clearly at
// others.
func TestSearchPrefersClearFailures(t *testing.T) {
	part := parse(t, "  scalar x\n  says p: x^2 - 9/10*x > 0\n")
	for _, seed := range []uint64{1, 2, 3} {
		r := Search(context.Background(), part, "strict", Options{Seed: seed, Effort: Effort{Interior: 200}})
		x := r.Witness.Vals["x"].A[0]
		if r.Refutation == nil || x.Sign() <= 0 || x.Cmp(big.NewRat(9, 10)) >= 0 {
			t.Errorf("seed %d: %s", seed, x.RatString())
		}
	}
	// Where there is nothing better, equality will do.
	part = parse(t, "  scalar x\n  says p: x^2 > 0\n")
	if r := Search(context.Background(), part, "strict", Options{Seed: 1, Effort: Effort{Interior: 200}}); r.Refutation == nil {
		t.Error("x = 0 is not found")
	}
}

func TestSearchKeepsToSizesAndDomains(t *testing.T) {
	part := parse(t, "  size n, m\n  scalar x >= 0\n  matrix A : n x m\n  says p: tr(A*A^T) + x <= 1\n")
	o := Options{Seed: 1, Effort: Effort{Interior: 200}, Sizes: map[string]Sizes{"n": {2, 2}, "m": {3, 4}},
		Domain: func(name string) (lang.Domain, bool) {
			return lang.Domain{Lo: big.NewRat(1, 3), Hi: big.NewRat(2, 3)}, name == "x"
		}}
	r := Search(context.Background(), part, "sizes", o)
	x := r.Witness.Vals["x"]
	if r.Refutation == nil || r.Witness.Dims["n"] != 2 || r.Witness.Dims["m"] < 3 || x.A[0].Cmp(big.NewRat(1, 3)) < 0 || x.A[0].Cmp(big.NewRat(2, 3)) > 0 {
		t.Errorf("%s", witness.String(r.Witness))
	}
	if part.Env.Symbols["x"].Domain.Hi != nil {
		t.Error("the statement itself was changed")
	}
}

func TestSearchFindsNothingAgainstTrueStatements(t *testing.T) {
	effort := Effort{Interior: 300, Corners: 200, Solved: 200, Optimise: optimise.Effort{Scan: 200, Starts: 2, Global: 200, Local: 100}}
	for _, body := range []string{
		"  scalar x, y\n  says p: x^2 + y^2 >= 2*x*y\n",
		"  size n, m\n  matrix A : n x m\n  says p: A*A^T psd\n",
		"  scalar x > 0\n  scalar y > 0\n  says p: (x + y)^2 > 4*x*y - x\n",
		"  size n\n  matrix P : n x n pd\n  matrix A : n x n\n  says p: A*inv(P)*P == A\n",
	} {
		part := parse(t, body)
		r := Search(context.Background(), part, "true", Options{Seed: 1, Effort: effort})
		if r.Refutation != nil || r.CutOff || r.Tried == 0 {
			t.Errorf("%s: %+v", body, r)
		}
		if Margined(part.Stmt) && (math.IsInf(r.Nearest, 1) || r.Nearest < -eval.Tolerance) {
			t.Errorf("%s: nearest %g", body, r.Nearest)
		}
	}
}

// TestSolveSatisfiesTheEquations solves random linear hypotheses in float64 and exactly.
func TestSolveSatisfiesTheEquations(t *testing.T) {
	part := parse(t, "  size n\n  scalar x\n  matrix A, B : n x n\n  matrix S : n x n symmetric\n  says p: A == B\n    assume one: A*B + x*S == I\n    assume two: S - 2*A == A^T\n")
	s := sample.NewStream(1, "solve")
	solved := 0
	for range 200 {
		st, err := sample.Draw(s, part, 2)
		if err != nil {
			continue
		}
		solve(eval.Rational{}, part, st, []string{"B", "S"}, nil)
		f, err := eval.Equations(eval.Rational{}, part, st)
		if err != nil {
			continue
		}
		good := true
		for _, v := range f {
			good = good && v.Sign() == 0
		}
		if good {
			solved++
		}
	}
	// The second equation needs A + Aᵀ/2 symmetric, the first an invertible A: a quarter of the draws at least.
	if solved < 50 {
		t.Errorf("%d of 200 states solved", solved)
	}
}

func TestObjectiveIsNegativeExactlyOnFailures(t *testing.T) {
	part := parse(t, "  size n\n  scalar c > 0\n  matrix A : n x n symmetric\n  says p: A psd\n    assume bounded: tr(A^2) <= c\n")
	c, err := chart.New(part, map[lang.Dim]int{"n": 2})
	if err != nil {
		t.Fatal(err)
	}
	axes, s := Axes(c), sample.NewStream(1, "objective")
	seen := map[bool]int{}
	for range 500 {
		x := make([]float64, len(axes))
		for i, a := range axes {
			x[i] = a.At(float64(s.Intn(1000)) / 1000)
		}
		st, err := chart.Build(c, eval.Float{}, x)
		if err != nil {
			t.Fatal(err)
		}
		f, err := eval.Judge(eval.Float{}, part, st)
		if err != nil {
			t.Fatal(err)
		}
		o := objective(part, st)
		if (o < 0) != (f.Met && !f.Holds) || (o >= 1) != !f.Met {
			t.Fatalf("objective %g, met %v, holds %v", o, f.Met, f.Holds)
		}
		seen[o < 0]++
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("%v", seen)
	}
}
