package kernel

import (
	"fmt"
	"math/big"
	"math/rand"
	"strings"
	"testing"
)

// use is one application of a rule at a state: to premises, and beside facts, that are all hypotheses. It is right
// if why is empty, else it has to be refused for a reason that mentions why.
type use struct{ rule, goal, why, premises, facts string }

func tryUses(t *testing.T, vocabulary string, uses []use) {
	s := declare(t, vocabulary)
	d := NewDynamics(s)
	list := func(text string) (out []string) {
		for _, x := range strings.Split(text, ";") {
			if x = strings.TrimSpace(x); x != "" {
				out = append(out, x)
			}
		}
		return out
	}
	for _, u := range uses {
		c := state(t, d, append(list(u.facts), list(u.premises)...)...)
		for _, f := range list(u.facts) {
			prove(t, c, "hyp", f, nil)
		}
		var premises []Theorem
		for _, p := range list(u.premises) {
			premises = append(premises, prove(t, c, "hyp", p, nil))
		}
		if u.why == "" {
			prove(t, c, u.rule, u.goal, premises)
		} else {
			refused(t, c, u.rule, u.goal, u.why, premises)
		}
	}
}

func TestOrders(t *testing.T) {
	tryUses(t, "n m; x y z; P:n,n Q:n,n", []use{
		{"number", "3 > 0", "", "", ""},
		{"number", "3 != 0", "", "", ""},
		{"number", "x - x >= 0", "", "", ""},
		{"number", "-1 != 0", "", "", ""},
		{"number", "-1 >= 0", "this sign", "", ""},
		{"number", "-1 > 0", "this sign", "", ""},
		{"number", "x - x > 0", "this sign", "", ""},
		{"number", "x - x != 0", "this sign", "", ""},
		{"number", "x >= 0", "not a number", "", ""},
		{"number", "3 >= 2", "not a sign", "", ""},
		{"number", "3 == 0", "not a sign", "", ""},
		{"number", "x/x > 0", "needed and not established", "", ""},

		{"size", "size(n) >= 1", "", "", ""},
		{"size", "size(n) > 0", "", "", ""},
		{"size", "size(n) != 0", "", "", ""},
		{"size", "size(n) > 1", "of a size", "", ""},
		{"size", "size(n) != 1", "of a size", "", ""},
		{"size", "size(n) >= 2", "of a size", "", ""},
		{"size", "size(n) == 0", "of a size", "", ""},
		{"size", "x >= 1", "of a size", "", ""},
		{"size", "x > 0", "of a size", "", ""},

		{"sum", "x + y >= 0", "", "x >= 0; y >= 0", ""},
		{"sum", "x + y > 0", "", "x > 0; y >= 0", ""},
		{"sum", "x + y > 0", "", "x >= 0; y > 0", ""},
		{"sum", "x + y != 0", "", "x >= 0; y > 0", ""},
		{"sum", "x + y > 0", "neither", "x >= 0; y >= 0", ""},
		{"sum", "x + y != 0", "neither", "x >= 0; y >= 0", ""},
		{"sum", "x + y >= 0", "premise 1", "x != 0; y >= 0", ""},
		{"sum", "x + y >= 0", "premise 2", "x >= 0; y != 0", ""},
		{"sum", "x + y >= 0", "premise 1", "y >= 0; x >= 0", ""},
		{"sum", "x + y >= 0", "premise 2", "x >= 0; z >= 0", ""},
		{"sum", "x + y >= 1", "not a sign", "x >= 0; y >= 0", ""},
		{"sum", "x + y >= 0", "not a sign", "x >= -1; y >= 0", ""},
		{"sum", "x*y >= 0", "not a sum", "x >= 0; y >= 0", ""},

		{"product", "x*y >= 0", "", "x >= 0; y > 0", ""},
		{"product", "x*y > 0", "", "x > 0; y > 0", ""},
		{"product", "x*y != 0", "", "x != 0; y > 0", ""},
		{"product", "x*y > 0", "premise 1", "x >= 0; y > 0", ""},
		{"product", "x*y > 0", "premise 2", "x > 0; y != 0", ""},
		{"product", "x*y != 0", "premise 2", "x != 0; y >= 0", ""},
		{"product", "x*y >= 0", "premise 1", "x != 0; y >= 0", ""},
		{"product", "x*y >= 0", "premise 1", "y >= 0; x >= 0", ""},
		{"product", "x + y >= 0", "not a product", "x >= 0; y >= 0", ""},

		{"power", "x^2 >= 0", "", "", ""},
		{"power", "x^0 >= 0", "", "", ""},
		{"power", "x^4 > 0", "", "x != 0", ""},
		{"power", "x^3 >= 0", "", "x >= 0", ""},
		{"power", "x^3 > 0", "", "x > 0", ""},
		{"power", "x^3 != 0", "", "x != 0", ""},
		{"power", "x != 0", "", "x^2 != 0", ""},
		{"power", "x != 0", "", "x^3 > 0", ""},
		{"power", "x^3 >= 0", "even power", "", ""},
		{"power", "x^2 > 0", "even power", "", ""},
		{"power", "x*x >= 0", "even power", "", ""},
		{"power", "x^3 > 0", "does not follow", "x != 0", ""},
		{"power", "x^2 > 0", "does not follow", "x >= 0", ""},
		{"power", "x^3 != 0", "does not follow", "x >= 0", ""},
		{"power", "x != 0", "of a base", "x^0 != 0", ""},
		{"power", "x > 0", "of a base", "x^2 > 0", ""},
		{"power", "x != 0", "of a base", "x^2 >= 0", ""},
		{"power", "y^2 > 0", "neither", "x != 0", ""},
		{"power", "y != 0", "neither", "x^2 != 0", ""},
		{"power", "x^2 > 0", "1 premise", "x != 0; x != 0", ""},

		{"factor", "x != 0", "", "x*y != 0", ""},
		{"factor", "y != 0", "", "x*y > 0", ""},
		{"factor", "x > 0", "of a factor", "x*y > 0", ""},
		{"factor", "x != 0", "of a factor", "x*y >= 0", ""},
		{"factor", "z != 0", "no factor", "x*y != 0", ""},
		{"factor", "x != 0", "no factor", "x + y != 0", ""},

		{"reciprocal", "x^-1 > 0", "", "x^1 > 0", ""},
		{"reciprocal", "x^-1 != 0", "", "x^1 != 0", ""},
		{"reciprocal", "x^-1 >= 0", "", "x^1 >= 0", "x^1 != 0"},
		{"reciprocal", "x^-1 >= 0", "needed and not established", "x^1 >= 0", ""},
		{"reciprocal", "x^-1 > 0", "premise 1", "x^1 != 0", ""},
		{"reciprocal", "y^-1 > 0", "premise 1", "x^1 > 0", "y^1 != 0"},
		{"reciprocal", "root(x^1) > 0", "no reciprocal", "x^1 > 0", ""},

		{"rootsign", "root(x) >= 0", "", "x >= 0", ""},
		{"rootsign", "root(x) > 0", "", "x > 0", ""},
		{"rootsign", "root(x) != 0", "", "x != 0", "x >= 0"},
		{"rootsign", "root(x) > 0", "premise 1", "x >= 0", ""},
		{"rootsign", "root(x) != 0", "needed and not established", "x != 0", ""},
		{"rootsign", "root(y) > 0", "premise 1", "x > 0", "y >= 0"},
		{"rootsign", "x^2 > 0", "no root", "x > 0", ""},

		{"weaken", "x >= y", "", "x > y", ""},
		{"weaken", "x != y", "", "x > y", ""},
		{"weaken", "y != x", "", "x > y", ""},
		{"weaken", "y != x", "", "x != y", ""},
		{"weaken", "P psd", "", "P pd", ""},
		{"weaken", "P invertible", "", "P pd", ""},
		{"weaken", "x > y", "does not imply", "x >= y", ""},
		{"weaken", "x == y", "does not imply", "x > y", ""},
		{"weaken", "P diagonal", "does not imply", "P pd", ""},
		{"weaken", "x >= y", "does not imply", "x != y", ""},
		{"weaken", "x != y", "does not imply", "x >= y", ""},
		{"weaken", "P pd", "does not imply", "P psd", ""},
		{"weaken", "P psd", "does not imply", "P invertible", ""},
		{"weaken", "y >= x", "other terms", "x > y", ""},
		{"weaken", "x >= z", "other terms", "x > y", ""},
		{"weaken", "x != z", "other terms", "x > y", ""},
		{"weaken", "z != x", "other terms", "x > y", ""},
		{"weaken", "y != z", "other terms", "x > y", ""},
		{"weaken", "Q psd", "other terms", "P pd", ""},

		{"transport", "x*y + x >= 0", "", "x*(y + 1) >= 0", ""},
		{"transport", "x > y", "", "x - y > 0", ""},
		{"transport", "x == y", "", "x - y == 0", ""},
		{"transport", "y != x", "", "x - y != 0", ""},
		{"transport", "z >= 0", "", "x >= 0; z == x", ""},
		{"transport", "z != 0", "", "x != 0; z == -x", ""},
		{"transport", "z != 0", "", "x != 0; z == x", ""},
		{"transport", "P + P psd", "", "2*P psd", ""},
		{"transport", "Q pd", "", "P pd; Q == P", ""},
		{"transport", "2*P - P invertible", "", "P invertible", ""},
		{"transport", "2*P - P diagonal", "", "P diagonal", ""},
		{"transport", "y - x > 0", "is not zero", "x - y > 0", ""},
		{"transport", "y != 2*x", "is not zero", "x - y != 0", ""},
		{"transport", "2*x > 0", "is not zero", "x > 0", ""},
		{"transport", "z >= 0", "is not zero", "x >= 0; z == y", ""},
		{"transport", "z >= 0", "is not zero", "x >= 0; z == 2*x", ""},
		{"transport", "Q psd", "is not zero", "P psd", ""},
		{"transport", "-P psd", "is not zero", "P psd", ""},
		{"transport", "x >= 0", "premise 1", "x > 0", ""},
		{"transport", "z >= 0", "premise 2", "x >= 0; z >= x", ""},
		{"transport", "x >= 0", "1 premise", "x >= 0; x == x; x == x", ""},
		{"transport", "x >= 0", "1 premise", "", ""},
		{"transport", "false", "nothing to transport", "false", ""},
		{"transport", "y + 0/x >= 0", "needed and not established", "y >= 0", ""},

		{"absurd", "false", "", "x > y; y >= x", ""},
		{"absurd", "false", "", "x > y; y > x", ""},
		{"absurd", "false", "", "x != y; x == y", ""},
		{"absurd", "false", "", "x > 0; 1 - x >= 1", ""},
		{"absurd", "false", "do not contradict", "x >= y; y >= x", ""},
		{"absurd", "false", "do not contradict", "x >= y; y > x", ""},
		{"absurd", "false", "do not contradict", "x > y; x == y", ""},
		{"absurd", "false", "do not contradict", "x != y; y >= x", ""},
		{"absurd", "false", "is not zero", "x > y; x >= y", ""},
		{"absurd", "false", "is not zero", "x > y; y >= z", ""},
		{"absurd", "false", "is not zero", "x != y; x == z", ""},
		{"absurd", "x > 0", "this rule establishes absurd", "x > y; y >= x", ""},
		{"explode", "x > 0", "", "false", ""},
		{"explode", "x > 0", "not a contradiction", "x >= 0", ""},
		{"explode", "1/x > 0", "needed and not established", "false", ""},
	})
}

func TestCases(t *testing.T) {
	s := declare(t, "n; x y; P:n,n")
	d := NewDynamics(s)
	hyp := func(goal string, hyps ...string) Theorem { return prove(t, state(t, d, hyps...), "hyp", goal, nil) }
	c, g, x := state(t, d, "x != 0"), "y > 0", read(t, s, "x")
	at := func(hyps ...string) Theorem { return hyp(g, append(hyps, g)...) }
	// The premises' contexts know the goal itself, so it has to be a hypothesis here as well.
	k := state(t, d, g, "x != 0")
	prove(t, k, "split", g, []Theorem{at("x >= 0"), at("0 >= x", "x != 0")}, x)
	prove(t, k, "split", g, []Theorem{at("x > 0"), at("0 > x"), at("x == 0")}, x)
	refused(t, k, "split", g, "premise 1 assumes", []Theorem{at("x > 0"), at("0 >= x")}, x)
	refused(t, k, "split", g, "premise 2 assumes", []Theorem{at("x >= 0"), at("0 > x")}, x)
	refused(t, k, "split", g, "premise 2 assumes", []Theorem{at("x >= 0"), at("x >= 0")}, x)
	refused(t, k, "split", g, "premise 3 assumes", []Theorem{at("x > 0"), at("0 > x"), at("x >= 0")}, x)
	refused(t, k, "split", g, "premise 1 assumes", []Theorem{at("x >= 0", "x > 1"), at("0 >= x")}, x)
	refused(t, k, "split", g, "premise 1 assumes", []Theorem{at("y >= 0"), at("0 >= y")}, x)
	refused(t, c, "split", g, "premise 1 assumes", []Theorem{at("x >= 0"), at("0 >= x")}, x)
	refused(t, k, "split", "x != 0", "premise 1 is not the goal", []Theorem{at("x >= 0"), at("0 >= x")}, x)
	refused(t, k, "split", g, "2 premise", []Theorem{at("x >= 0")}, x)
	refused(t, k, "split", g, "takes scalars", []Theorem{at(), at()}, read(t, s, "P"))
	refused(t, state(t, d, g), "split", g, "needed and not established", []Theorem{at("1/x >= 0"), at("0 >= 1/x")}, read(t, s, "1/x"))

	no := func(hyps ...string) Theorem { return hyp("false", append(hyps, "false")...) }
	f := state(t, d, "false")
	prove(t, f, "contradiction", "x >= y", []Theorem{no("y > x")})
	prove(t, f, "contradiction", "x > y", []Theorem{no("y >= x")})
	prove(t, f, "contradiction", "x != y", []Theorem{no("x == y")})
	refused(t, f, "contradiction", "x >= y", "assumes", []Theorem{no("x > y")})
	refused(t, f, "contradiction", "x > y", "assumes", []Theorem{no("y > x + 1")})
	refused(t, f, "contradiction", "x > y", "assumes", []Theorem{no("y == x")})
	refused(t, f, "contradiction", "x != y", "assumes", []Theorem{no("x >= y")})
	refused(t, f, "contradiction", "x == y", "not eq", []Theorem{no("x == y")})
	refused(t, f, "contradiction", "P psd", "not psd", []Theorem{no()})
	refused(t, c, "contradiction", "x >= y", "assumes", []Theorem{no("y > x")})
	refused(t, f, "contradiction", "x >= y", "not a contradiction", []Theorem{hyp("y > x", "y > x")})
	refused(t, f, "contradiction", "1/x >= 0", "needed and not established", []Theorem{no("0 > 1/x")})
}

func TestBernstein(t *testing.T) {
	tryUses(t, "n; x y; P:n,n", []use{
		{"bernstein", "x*(1 - x) >= 0", "", "x >= 0; 1 >= x", ""},
		{"bernstein", "x^2 - x + 1 > 0", "", "x >= 0; 1 >= x", ""},
		{"bernstein", "(x + 1)*(3 - x) >= 0", "neither a lower", "x >= 0 - 1; 3 >= x", ""},
		{"bernstein", "x^3 + x + 1 > 0", "", "x >= 0", ""},
		{"bernstein", "(x - 2)^3*(x + 1) >= 0", "", "x >= 2", ""},
		{"bernstein", "1 - x*y >= 0", "", "x >= 0; 1 >= x; y >= 0; 1 >= y", ""},
		{"bernstein", "1 + x*y > 0", "", "x >= 0; y >= 0; 1 >= y", ""},
		{"bernstein", "1 + x*y > 0", "", "y >= 0; 1 >= y; x >= 0", ""},
		{"bernstein", "x + y > 0", "", "y >= 1; 2 >= y; x >= 0", ""},
		{"bernstein", "1 - tr(P)^2 >= 0", "", "tr(P) >= 0; 1 >= tr(P)", ""},
		{"bernstein", "2 > 0", "", "", ""},
		{"bernstein", "x*(1 - x) > 0", "coefficient is 0", "x >= 0; 1 >= x", ""},
		{"bernstein", "x*(1 - x) >= 0", "coefficient is -2", "x >= 0; 2 >= x", ""},
		{"bernstein", "x > 0", "coefficient is 0", "x >= 0", ""},
		{"bernstein", "x*(1 + y) > 0", "coefficient is 0", "x >= 0; y >= 0; 1 >= y", ""},
		{"bernstein", "x*(1 + y) > 0", "coefficient is 0", "y >= 0; 1 >= y; x >= 0", ""},
		{"bernstein", "x - 2 >= 0", "coefficient is -1", "x >= 1", ""},
		{"bernstein", "1 - x >= 0", "coefficient is -1", "x >= 0", ""},
		{"bernstein", "1 - x >= 0", "neither a lower", "x >= 0; 1 >= y", ""},
		{"bernstein", "1 - x >= 0", "neither a lower", "1 >= x", ""},
		{"bernstein", "1 - x >= 0", "neither a lower", "x >= 0; y >= x", ""},
		{"bernstein", "(1 - x)*(1 - x) >= 0", "", "x >= 0; 1 >= x", ""},
		{"bernstein", "(1 - x)*(1 - x) > 0", "coefficient is 0", "x >= 0; 1 >= x", ""},
		{"bernstein", "1 - x^300 >= 0", "", "x >= 0; 1 >= x", ""},
		{"bernstein", "1 - x^4000 >= 0", "a Bernstein form of more than", "x >= 0; 1 >= x", ""},
		{"bernstein", "x^200 + y^200 >= 0", "Bernstein coefficients", "x >= 0; y >= 0", ""},
		{"bernstein", "(x + 1)^150*(y + 1)^150 >= 0", "monomials", "x >= 0; y >= 0", ""},
		{"bernstein", "1 - x >= 0", "neither a lower", "x >= y", ""},
		{"bernstein", "1 + y >= 0", "not a polynomial", "x >= 0; 1 >= x", ""},
		{"bernstein", "x^-1 >= 0", "not a polynomial", "x >= 1; 1 >= x", "x^1 != 0"},
		{"bernstein", "x >= 0", "premise 1 is gt", "x > 0", ""},
		{"bernstein", "x + 1 != 0", "establishes >= 0", "x >= 0", ""},
		{"bernstein", "x + 1 >= 1", "not a sign", "x >= 0", ""},
		{"bernstein", "(3*x + 3*y + 2)^4000 >= 0", "more than", "x >= 0; y >= 0", ""},
		{"bernstein", "(" + strings.Repeat("9", 120) + "*x + 1)^80 >= 0", "a Bernstein form of more than", "x >= 0", ""},
		{"bernstein", "(x^1000)^1000 >= 0", "an exponent above", "x >= 0", ""},
	})
}

// TestBernsteinCoefficients compares the coefficients, which are summed by Pascal's triangle, with their definition: those of B_j
// are Σ_{m ≤ j} C(j,m)/C(d,m)·c_m in each bounded variable.
func TestBernsteinCoefficients(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	binomial := func(n, k int) *big.Rat { return new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(k))) }
	for range 500 {
		s := declare(t, "n; x y z")
		b := &box{sig: s, work: MaxProducts, memo: map[*Term]polynomial{}}
		for range 1 + rng.Intn(3) {
			w := big.NewRat(1, 1)
			if rng.Intn(3) == 0 {
				w = nil
			}
			b.sides = append(b.sides, side{low: new(big.Rat), width: w})
		}
		p := polynomial{}
		for range rng.Intn(6) {
			e := make([]byte, 2*len(b.sides))
			for i := range b.sides {
				e[2*i+1] = byte(rng.Intn(6))
			}
			p[string(e)] = big.NewRat(int64(rng.Intn(19)-9), int64(1+rng.Intn(4)))
		}
		text := fmt.Sprint(p)
		got := b.coefficients(p)
		if fmt.Sprint(p) != text {
			t.Fatal("the polynomial is written to")
		}
		for at := range got {
			want := new(big.Rat)
			for e, c := range p {
				term, rest := new(big.Rat).Set(c), at
				for i := len(b.size) - 1; i >= 0; i-- {
					j, m := rest%b.size[i], int(e[2*i+1])
					rest /= b.size[i]
					switch {
					case b.sides[i].width != nil && m <= j:
						term.Mul(term, binomial(j, m)).Quo(term, binomial(b.size[i]-1, m))
					case m != j:
						term = new(big.Rat)
					}
				}
				want.Add(want, term)
			}
			if got[at].Cmp(want) != 0 {
				t.Fatalf("%v on %d sides: coefficient %d is %s, want %s", p, len(b.sides), at, got[at].RatString(), want.RatString())
			}
		}
	}
}

// TestBernsteinAtPoints tries random polynomials: none that is proved may fail at a point of its box.
func TestBernsteinAtPoints(t *testing.T) {
	s := declare(t, "n; x y")
	d := NewDynamics(s)
	rng := rand.New(rand.NewSource(1))
	proved := map[Form]int{}
	for round := 0; round < 3000; round++ {
		lx, ly := rng.Intn(4)-2, rng.Intn(4)-2
		wx, wy := 1+rng.Intn(3), 1+rng.Intn(3)
		x, y := s.Lookup("x"), s.Lookup("y")
		hyps := []Hypothesis{{Here, formula(AtLeast, x, s.integer(int64(lx)))}, {Here, formula(AtLeast, s.integer(int64(lx+wx)), x)},
			{Here, formula(AtLeast, y, s.integer(int64(ly)))}}
		box := rng.Intn(2) == 0
		if box {
			hyps = append(hyps, Hypothesis{Here, formula(AtLeast, s.integer(int64(ly+wy)), y)})
		}
		type monomial struct{ c, i, j int }
		var p []monomial
		text := "0"
		for k := 0; k < 4; k++ {
			m := monomial{rng.Intn(7) - 2, rng.Intn(3), rng.Intn(3)}
			p = append(p, m)
			text += fmt.Sprintf(" + (%d)*x^%d*y^%d", m.c, m.i, m.j)
		}
		c, err := NewContext(d, AtState, hyps...)
		if err != nil {
			t.Fatal(err)
		}
		var premises []Theorem
		for _, h := range hyps {
			th, err := c.Apply("hyp", h.formula, nil)
			if err != nil {
				t.Fatal(err)
			}
			premises = append(premises, th)
		}
		goal := statement(t, s, text+[]string{" >= 0", " > 0"}[rng.Intn(2)])
		if _, err := c.Apply("bernstein", goal, premises); err != nil {
			continue
		}
		proved[goal.form]++
		for a := 0; a <= 8; a++ {
			for b := 0; b <= 8; b++ {
				x, y := big.NewRat(int64(8*lx+a*wx), 8), big.NewRat(int64(8*ly+b*wy), 8)
				if !box {
					y = big.NewRat(int64(ly+b*b), 1)
				}
				v := new(big.Rat)
				for _, m := range p {
					w := big.NewRat(int64(m.c), 1)
					for k := 0; k < m.i; k++ {
						w.Mul(w, x)
					}
					for k := 0; k < m.j; k++ {
						w.Mul(w, y)
					}
					v.Add(v, w)
				}
				if v.Sign() < 0 || v.Sign() == 0 && goal.form == Greater {
					t.Fatalf("%s proved from x = %d and y = %d on, but it is %s at x = %s, y = %s", text, lx, ly, v, x, y)
				}
			}
		}
	}
	if proved[AtLeast] < 50 || proved[Greater] < 50 {
		t.Errorf("only %v proved", proved)
	}
}

// TestLongNumbersThatCancel: an operation costs what its operands are long, however short its result.
func TestLongNumbersThatCancel(t *testing.T) {
	a := new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(9), big.NewInt(3000), nil), new(big.Int).Exp(big.NewInt(49), big.NewInt(2000), nil))
	words := a.Num().BitLen() / 64
	for what, do := range map[string]func(n *normaliser){
		"a product":  func(n *normaliser) { n.times(constantPoly(a), constantPoly(new(big.Rat).Inv(a))) },
		"a sum":      func(n *normaliser) { n.put(constantPoly(a), "", new(big.Rat).Neg(a), 0) },
		"a quotient": func(n *normaliser) { n.invert(poly{"": a, generatorPower(0, 1): a}) },
	} {
		n := newNormaliser(declare(t, "x"), nil)
		n.generator("x", func() generator { return generator{only: -1} })
		if do(n); MaxProducts-n.work < words*words/64 {
			t.Errorf("%s of numbers of %d words counts as %d", what, words, MaxProducts-n.work)
		}
	}
	one := string([]byte{0, 0})
	for what, do := range map[string]func(b *box){
		"a product of polynomials": func(b *box) { b.multiply(polynomial{one: a}, polynomial{one: new(big.Rat).Inv(a)}) },
		"a sum of polynomials":     func(b *box) { b.add(polynomial{one: a}, polynomial{one: new(big.Rat).Neg(a)}) },
		"Bernstein coefficients": func(b *box) {
			b.coefficients(polynomial{one: a, string([]byte{0, 1}): new(big.Rat).Neg(a)})
		},
	} {
		b := &box{sig: declare(t, "x"), work: MaxProducts, memo: map[*Term]polynomial{}, sides: []side{{low: new(big.Rat), width: big.NewRat(1, 1)}}}
		if do(b); MaxProducts-b.work < words*words/64 {
			t.Errorf("%s of numbers of %d words counts as %d", what, words, MaxProducts-b.work)
		}
	}
}
