package minimise

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

// simplestByTrial is the slow obvious Simplest: denominators in turn.
func simplestByTrial(lo, hi *big.Rat) *big.Rat {
	for d := int64(1); ; d++ {
		scaled := new(big.Rat).Mul(lo, big.NewRat(d, 1))
		n := new(big.Int).Quo(scaled.Num(), scaled.Denom()).Int64()
		top, _ := new(big.Rat).Mul(hi, big.NewRat(d, 1)).Float64()
		var best *big.Rat
		for k := n - 1; float64(k) <= top+1; k++ {
			x := big.NewRat(k, d)
			if x.Cmp(lo) >= 0 && x.Cmp(hi) <= 0 && (best == nil || new(big.Rat).Abs(x).Cmp(new(big.Rat).Abs(best)) < 0) {
				best = x
			}
		}
		if best != nil {
			return best
		}
	}
}

func TestSimplestHasTheLeastDenominator(t *testing.T) {
	s := sample.NewStream(1, "simplest")
	for range 2000 {
		lo := big.NewRat(int64(s.Intn(400)-200), int64(1+s.Intn(60)))
		hi := new(big.Rat).Add(lo, big.NewRat(int64(s.Intn(40)), int64(1+s.Intn(300))))
		got, want := Simplest(lo, hi), simplestByTrial(lo, hi)
		if got.Denom().Cmp(want.Denom()) != 0 || new(big.Rat).Abs(got).Cmp(new(big.Rat).Abs(want)) != 0 {
			t.Fatalf("[%s, %s]: %s, want %s", lo.RatString(), hi.RatString(), got.RatString(), want.RatString())
		}
	}
}

// The convergents of 355/113 are classical: 3, 22/7, 355/113.
func TestConvergents(t *testing.T) {
	for _, c := range []struct {
		x    string
		want []string
	}{{"355/113", []string{"3", "22/7", "355/113"}}, {"-7/3", []string{"-3", "-2", "-7/3"}}, {"4", []string{"4"}}, {"0", []string{"0"}}} {
		got := Convergents(rat(c.x))
		if len(got) != len(c.want) {
			t.Fatalf("%s: %v", c.x, got)
		}
		for i := range got {
			if got[i].RatString() != c.want[i] {
				t.Errorf("%s: convergent %d is %s, want %s", c.x, i, got[i].RatString(), c.want[i])
			}
		}
	}
}

func TestSimplerNumbersAreSimplerAndInOrder(t *testing.T) {
	for _, x := range []string{"355/113", "-17/16", "1000001/1000000", "3", "-1", "1"} {
		last := -1.0
		for _, y := range Simpler(rat(x)) {
			c := witness.Cost(y)
			if c >= witness.Cost(rat(x)) || c < last || y.Sign() == 0 {
				t.Errorf("%s: %s is out of order or not simpler", x, y.RatString())
			}
			last = c
		}
	}
}

// planted are false statements whose simplest counterexample is known, with the reason.
var planted = []struct{ name, text, want string }{
	// The least square above 10 of a fraction m/n with least m + n: 4 (m + n = 5); 7/2 and 10/3 cost more.
	{"one number", "matrix A : n x n\n  says p: tr(A*A^T) <= 10", "n=1 A=4"},
	// A commutator needs two rows; one off-diagonal entry on one side and a diagonal one on the other.
	{"two rows", "matrix A, B : n x n\n  says p: A*B == B*A", "n=2 A=[0 0; 0 1] B=[0 0; 1 0]"},
	// x·y > 6 with the least (1 + x)(1 + y) of integers: 2·4, 15; 3·3 and 1·7 have 16.
	{"two numbers", "scalar x, y > 0\n  matrix A : n x n\n  says p: x*y <= 6", "n=1 A=0 x=4 y=2"},
	// A symmetric matrix keeps its symmetry: the least entry with A12² > A11·A22 = 0.
	{"tied entries", "matrix A : n x n symmetric\n  says p: A psd", "n=1 A=-1"},
	// r² = x + y with r = 1, the other number zero.
	{"root", "scalar x, y >= 0\n  root r = x + y\n  matrix A : n x n\n  says p: r <= 0", "n=1 A=0 r=1 x=0 y=1"},
	// Two numbers tied by a hypothesis can only vanish together.
	{"pair", "scalar x, y, z\n  matrix A : n x n\n  says p: z == 0\n    assume tie: x == y", "n=1 A=0 x=0 y=0 z=1"},
	// An isometry: some rotation other than ±I; the quarter turn is simplest.
	{"isometry", "matrix Q : n x n isometry\n  says p: Q == Q^T", "n=2 Q=[0 -1; 1 0]"},
}

// TestMinimiserReachesTheKnownMinimum starts from several large counterexamples of statements whose simplest
// one is known.
func TestMinimiserReachesTheKnownMinimum(t *testing.T) {
	for _, p := range planted {
		f, err := lang.Parse(lang.Source{Name: "planted", Text: "claim planted\n  title t\n  printed t\n  quote t\n  size n\n  " + p.text + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		part := f.Claims[0].Parts[0]
		keep := func(w witness.Witness) bool {
			r, err := verdict.Refute(part, w)
			return err == nil && r.Verdict().IsRefuted()
		}
		found := 0
		ch := sample.NewStream(7, p.name)
		for i := 0; found < 6 && i < 20000; i++ {
			st, err := sample.Draw(ch, part, 3)
			if err != nil {
				continue
			}
			if x := st.Vals["x"]; len(x.A) == 1 && p.name == "two numbers" {
				// Large and awkward numbers to start from.
				st.Vals["x"] = eval.ScalarOf(new(big.Rat).Add(x.A[0], big.NewRat(int64(ch.Intn(100)), 7)))
			}
			if !keep(st) {
				continue
			}
			found++
			out := State(context.Background(), part, st, keep, 20000)
			if got := witness.String(out.Witness); got != p.want && !mirrored(p.name, got) {
				t.Errorf("%s: from %s to %s, want %s", p.name, witness.String(st), got, p.want)
			}
			if out.Exhausted || out.From.Less(out.To) {
				t.Errorf("%s: exhausted %v, size %v → %v", p.name, out.Exhausted, out.From, out.To)
			}
		}
		if found == 0 {
			t.Errorf("%s: no counterexample to start from", p.name)
		}
	}
}

// mirrored reports whether a result is an equally simple mirror image of the wanted one.
func mirrored(name, got string) bool {
	switch name {
	case "two rows":
		for _, a := range []string{"[0 0; 0 1]", "[1 0; 0 0]", "[0 1; 0 0]", "[0 0; 1 0]"} {
			for _, b := range []string{"[0 0; 0 1]", "[1 0; 0 0]", "[0 1; 0 0]", "[0 0; 1 0]"} {
				// Every pair that keep accepted and that consists of two units is as simple as the wanted one.
				if got == "n=2 A="+a+" B="+b {
					return true
				}
			}
		}
	case "two numbers":
		return got == "n=1 A=0 x=2 y=4"
	case "root":
		return got == "n=1 A=0 r=1 x=1 y=0"
	case "isometry":
		return got == "n=2 Q=[0 1; -1 0]"
	}
	return false
}

// TestMinimiserStopsAtItsLimit asks for less than it needs.
func TestMinimiserStopsAtItsLimit(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "planted", Text: "claim planted\n  title t\n  printed t\n  quote t\n  size n\n  matrix A : n x n\n  says p: tr(A*A^T) <= 10\n"})
	if err != nil {
		t.Fatal(err)
	}
	part := f.Claims[0].Parts[0]
	a := make([]*big.Rat, 9)
	for i := range a {
		a[i] = big.NewRat(int64(i+5), 3)
	}
	w := witness.Witness{Dims: map[lang.Dim]int{"n": 3}, Vals: map[string]witness.Matrix{"A": {R: 3, C: 3, A: a}}}
	before := witness.String(w)
	asked := 0
	out := State(context.Background(), part, w, func(witness.Witness) bool { asked++; return false }, 5)
	if !out.Exhausted || asked != 5 || witness.String(out.Witness) != before {
		t.Errorf("asked %d times, exhausted %v, %s", asked, out.Exhausted, witness.String(out.Witness))
	}
}

func TestVectorReachesTheKnownMinimum(t *testing.T) {
	// x > 2, |y| ≥ 3/10, z free: 3, 1/2 … the simplest fraction with |y| ≥ 3/10 is 1, and z = 0.
	keep := func(x []*big.Rat) bool {
		return x[0].Cmp(rat("2")) > 0 && new(big.Rat).Abs(x[1]).Cmp(rat("3/10")) >= 0
	}
	start := []*big.Rat{rat("31415/1000"), rat("-355/113"), rat("22/7")}
	got, _ := Vector(context.Background(), start, nil, keep, 1000)
	for i, want := range []string{"3", "1", "0"} {
		if got[i].RatString() != want {
			t.Errorf("number %d is %s, want %s", i, got[i].RatString(), want)
		}
	}
	if start[0].RatString() != "6283/200" {
		t.Error("the start was changed")
	}
}

// TestLargeStatesCountAsMore: of a state of many numbers fewer changes are tried, whether or not the predicate is asked.
func TestLargeStatesCountAsMore(t *testing.T) {
	const n, numbers = 8, 3200
	names := make([]string, numbers/n/n)
	w := witness.Witness{Dims: map[lang.Dim]int{"n": n}, Vals: map[string]witness.Matrix{}}
	for i := range names {
		names[i] = fmt.Sprintf("x%d", i)
		m := witness.Matrix{R: n, C: n}
		for j := range n * n {
			m.A = append(m.A, big.NewRat(int64(3+j%5), 7))
		}
		w.Vals[names[i]] = m
	}
	f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  title t\n  printed nowhere\n  size n\n  matrix " + strings.Join(names, ", ") + " : n x n\n  says s: tr(x0) >= tr(x1)\n"})
	if err != nil {
		t.Fatal(err)
	}
	const limit = 500
	out := State(context.Background(), f.Claims[0].Parts[0], w, func(w witness.Witness) bool { return w.Dims["n"] == n }, limit)
	// Smaller sizes are asked about beside.
	if out.Asked > limit/(numbers/manyNumbers)+2*n || !out.Exhausted {
		t.Errorf("asked %d times, exhausted %v", out.Asked, out.Exhausted)
	}
}
