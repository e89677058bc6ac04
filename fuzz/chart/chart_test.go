package chart

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"stopgrad/fuzz/witness"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

const structures = `claim c
  title t
  printed t
  quote t
  size n, m
  scalar x > 0
  scalar y
  root r > 0 = x - 3*y
  matrix A : n x m
  matrix S : n x n symmetric
  matrix K : n x n skew
  matrix P : n x n psd
  matrix D : n x n diagonal
  matrix E0 : n x n diagonal psd
  matrix Q : n x m isometry
  matrix B : n x m
  says p: A == A
    draw B = 2*A
`

func parse(t testing.TB, text string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

// TestChartStatesHaveTheirStructure builds states from random simple fractions: exact evaluation finds every
// declared structure, and float64 builds the same state.
func TestChartStatesHaveTheirStructure(t *testing.T) {
	part := parse(t, structures)
	s := sample.NewStream(1, "chart")
	outside := 0
	for range 200 {
		dims := map[lang.Dim]int{"n": 1 + s.Intn(3)}
		dims["m"] = 1 + s.Intn(dims["n"])
		c, err := New(part, dims)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]*big.Rat, len(c.Coords()))
		y := make([]float64, len(x))
		for i := range x {
			x[i] = big.NewRat(int64(s.Intn(13)-6), int64(1+s.Intn(4)))
			y[i], _ = x[i].Float64()
		}
		st, err := Build(c, eval.Rational{}, x)
		if err != nil {
			t.Fatal(err)
		}
		f, err := eval.Judge(eval.Rational{}, part, st)
		if err != nil {
			t.Fatal(err)
		}
		for name, ok := range f.Hypotheses {
			// Only the scalars may leave their domains: x > 0, r > 0.
			if !ok && name != lang.Declared("x") && name != lang.Declared("r") {
				t.Fatalf("%s has not its structure in %s", name, witness.String(st))
			}
			outside++
		}
		fl, err := Build(c, eval.Float{}, y)
		if err != nil {
			t.Fatal(err)
		}
		want := witness.Floats(st)
		for name, m := range want.Vals {
			for i, v := range m.A {
				// A few dozen operations on numbers below 10³.
				if d := math.Abs(fl.Vals[name].A[i] - v); d > 1e-9*(1+math.Abs(v)) {
					t.Fatalf("%s: float64 builds %g, exact is %g", name, fl.Vals[name].A[i], v)
				}
			}
		}
	}
	if outside == 0 {
		t.Error("no state left its domain: the test cannot fail where it should")
	}
}

func TestChartRefusesWhatItCannotBuild(t *testing.T) {
	part := parse(t, structures)
	if _, err := New(part, map[lang.Dim]int{"n": 1, "m": 2}); !errors.Is(err, ErrNoChart) {
		t.Errorf("an isometry with more columns than rows: %v", err)
	}
	irrational := parse(t, "claim c\n  title t\n  printed t\n  quote t\n  scalar x\n  root r = x^2 + 1\n  says p: x == x\n")
	if _, err := New(irrational, nil); !errors.Is(err, ErrNoChart) {
		t.Errorf("a root in which no scalar is affine: %v", err)
	}
	if c, err := NewFree(irrational, nil); err != nil || len(c.Coords()) != 1 {
		t.Errorf("with free roots: %v", err)
	}
}

// TestRepairMakesRootsRational changes a parameter below a root of the claim basin.
func TestRepairMakesRootsRational(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claim("basin").Parts[0]
	c, err := New(part, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]*big.Rat, len(c.Coords()))
	for i, co := range c.Coords() {
		x[i] = big.NewRat(1, 1)
		if co.Symbol == "tau" {
			x[i] = big.NewRat(3, 1)
		}
	}
	st, err := Build(c, eval.Rational{}, x)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Repair(part, witness.Clone(st), "")
	if err != nil || w.Vals["r"].A[0].RatString() != "1" {
		t.Fatalf("root %v, %v", w.Vals["r"], err)
	}
	w.Vals["tau"] = eval.ScalarOf(big.NewRat(7, 2))
	w, err = Repair(part, w, "tau")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := eval.New(eval.Rational{}, part.Env, w); err != nil {
		t.Errorf("after the repair: %v", err)
	} else if m, err := e.Eval(lang.NewSym(lang.Pos{}, "r")); err != nil || m.A[0].RatString() != "1" {
		t.Errorf("root %v, %v", m, err)
	}
	if w.Vals["tau"].A[0].RatString() != "7/2" {
		t.Error("the fixed parameter was changed")
	}
}
