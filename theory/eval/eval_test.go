package eval

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

const world = `system world
  size n
  scalar c
  scalar k > 0
  matrix A : n x n
  matrix M : n x n psd
  random v : n
  random e : n centred
  moment v = M
  moment e = 2*M
  root q = k
  flow
    A' = c*A - A*M
    c' = q*c

claim c
  uses world
`

func parse(t *testing.T, says string) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: world + says})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

func rats(vs ...int64) []*big.Rat {
	out := make([]*big.Rat, len(vs))
	for i, v := range vs {
		out[i] = big.NewRat(v, 1)
	}
	return out
}

func exactState() State[*big.Rat] {
	return State[*big.Rat]{Dims: map[lang.Dim]int{"n": 2}, Vals: map[string]Matrix[*big.Rat]{
		"c": ScalarOf(big.NewRat(3, 1)), "k": ScalarOf(big.NewRat(4, 9)),
		"A": {2, 2, rats(1, 2, 3, 4)}, "M": {2, 2, rats(2, 1, 1, 3)}}}
}

// TestExactStatements judges statements whose truth at one state is known by hand.
func TestExactStatements(t *testing.T) {
	for _, c := range []struct {
		says  string
		holds bool
	}{
		{"  says a: q == 2/3\n", true},
		{"  says a: E(v*v^T) == M\n", true},
		{"  says a: E(e*e^T) == 2*M\n", true},
		{"  says a: E(e*e^T) == M\n", false},
		{"  says a: E(e*v^T) == 0*M\n", true},
		{"  says a: E((v + e)*(v + e)^T) == 3*M\n", true},
		{"  says a: ddt(A) == c*A - A*M\n", true},
		{"  says a: ddt(tr(A*A)) == 2*tr(A*(c*A - A*M))\n", true},
		{"  says a: ddt(q) == 0\n", true},
		{"  says a: ddt(ddt(c)) == q^2*c\n", true},
		{"  says a: ddt(ddt(c)) == q*c\n", false},
		{"  says a: diff(q*c, k) == c/(2*q)\n", true},
		{"  says a: diff(q*c, k) == c/q\n", false},
		{"  says a: grad(tr(A^T*M*A), A) == 2*M*A\n", true},
		{"  says a: grad(tr(A^T*sg(M*A)), A) == M*A\n", true},
		{"  says a: at(c*A, c, 2) == 2*A\n", true},
		{"  says a: kron(A, M)*vec(M) == vec(M*M*A^T)\n", true},
		{"  says a: kron(A, M)*rvec(M) == rvec(A*M*M^T)\n", true},
		{"  says a: kron(A, M)*vec(M) == rvec(M*M*A^T)\n", false},
		{"  says a: M - I psd\n", true},
		{"  says a: M - 2*I psd\n", false},
		{"  says a: A psd\n", false},
		{"  says a: M pd\n", true},
	} {
		p := parse(t, c.says)
		f, err := Judge(Rational{}, p, exactState())
		if err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(c.says), err)
			continue
		}
		if !f.Met || f.Holds != c.holds {
			t.Errorf("%s: holds %v, expected %v (hypotheses %v)", strings.TrimSpace(c.says), f.Holds, c.holds, f.Hypotheses)
		}
	}
}

// TestFloatAgreesWithExact evaluates the same statements in floating point.
func TestFloatAgreesWithExact(t *testing.T) {
	ex := exactState()
	st := State[float64]{Dims: ex.Dims, Vals: map[string]Matrix[float64]{}}
	for n, m := range ex.Vals {
		g := Matrix[float64]{m.R, m.C, make([]float64, len(m.A))}
		for i, v := range m.A {
			g.A[i], _ = v.Float64()
		}
		st.Vals[n] = g
	}
	for says, want := range map[string]bool{
		"  says a: ddt(tr(A*A)) == 2*tr(A*(c*A - A*M))\n": true,
		"  says a: ddt(tr(A*A)) == 3*tr(A*(c*A - A*M))\n": false,
		"  says a: E((v + e)*(v + e)^T) == 3*M\n":         true,
		"  says a: M - 2*I psd\n":                         false,
	} {
		f, err := Judge(Float{}, parse(t, says), st)
		if err != nil || f.Holds != want {
			t.Errorf("%s: %v %v", strings.TrimSpace(says), f, err)
		}
	}
	st.Vals["c"] = ScalarOf(math.NaN())
	if _, err := Judge(Float{}, parse(t, "  says a: c == c\n"), st); err == nil {
		t.Error("NaN was accepted")
	}
}

func TestUndefinedValuesAreErrors(t *testing.T) {
	p := parse(t, "  says a: 1/(c - 3) == 1\n")
	if _, err := Judge(Rational{}, p, exactState()); !errors.Is(err, ErrDivisionByZero) {
		t.Errorf("division by zero: %v", err)
	}
	st := exactState()
	st.Vals["k"] = ScalarOf(big.NewRat(2, 1))
	if _, err := Judge(Rational{}, parse(t, "  says a: q == 1\n"), st); !errors.Is(err, ErrNoRoot) {
		t.Errorf("an irrational root: %v", err)
	}
	st = exactState()
	st.Vals["A"] = Matrix[*big.Rat]{1, 2, rats(1, 2)}
	if _, err := Judge(Rational{}, p, st); err == nil || !strings.Contains(err.Error(), "A is 1×2; expected 2×2") {
		t.Errorf("a misshapen matrix: %v", err)
	}
}

// TestSmallestEigenvalueOfKnownSpectra conjugates diagonal matrices by random reflections. The bound is
// Jacobi's backward error, a small multiple of n·2⁻⁵³·‖A‖.
func TestSmallestEigenvalueOfKnownSpectra(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n := 1 + rng.IntN(5)
		d := make([]float64, n)
		low, size := math.Inf(1), 0.0
		for i := range d {
			d[i] = math.Round(rng.NormFloat64()*8) / 4
			low, size = math.Min(low, d[i]), math.Max(size, math.Abs(d[i]))
		}
		v := make([]float64, n)
		norm := 0.0
		for i := range v {
			v[i] = rng.NormFloat64()
			norm += v[i] * v[i]
		}
		h := func(i, j int) float64 {
			x := -2 * v[i] * v[j] / norm
			if i == j {
				x++
			}
			return x
		}
		a := make([]float64, n*n)
		for i := range n {
			for j := range n {
				for k := range n {
					a[i*n+j] += h(i, k) * d[k] * h(j, k)
				}
			}
		}
		if got := SmallestEigenvalue(a, n); math.Abs(got-low) > 1e-14*float64(n)*(1+size) {
			t.Fatalf("smallest eigenvalue of %v: %v", d, got)
		}
	}
}

// TestStatementsAboutTimeAreJudgedByTheirRate covers the forms whose instantaneous meaning is documented at
// Judge, each with a state where it holds and one where it fails.
func TestStatementsAboutTimeAreJudgedByTheirRate(t *testing.T) {
	text := `system line
  scalar k
  scalar x, y
  flow
    x' = k*x
    y' = 1 - x

claim c
  uses line
`
	at := func(k, x, y int64) State[*big.Rat] {
		return State[*big.Rat]{Vals: map[string]Matrix[*big.Rat]{"k": ScalarOf(big.NewRat(k, 1)), "x": ScalarOf(big.NewRat(x, 1)), "y": ScalarOf(big.NewRat(y, 1))}}
	}
	for _, c := range []struct {
		says string
		st   State[*big.Rat]
		want bool
	}{
		{"x evolves at rate k", at(2, 3, 0), true},
		{"x evolves at rate 2*k", at(2, 3, 0), false},
		{"x decays at rate 1", at(-2, 3, 0), true},
		{"x decays at rate 3", at(-2, 3, 0), false},
		{"y stays nonnegative", at(1, 0, 0), true},
		{"y stays nonnegative", at(1, 2, 0), false},
		{"y stays nonnegative", at(1, 2, 5), true},
		{"y stays zero", at(1, 1, 0), true},
		{"y stays zero", at(1, 0, 0), false},
		{"y vanishes", at(0, 1, 7), false}, // stationary, and y is 7
		{"y vanishes", at(0, 2, 7), true},  // moving: nothing is said
		{"stationary x = 1, y = 4", at(0, 0, 0), true},
		{"stationary x = 2, y = 4", at(0, 0, 0), false},
	} {
		f, err := lang.Parse(lang.Source{Name: "t", Text: text + "  says a: " + c.says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Judge(Rational{}, f.Claims[0].Parts[0], c.st)
		if err != nil || got.Holds != c.want {
			t.Errorf("%s at k, x, y = %v: %+v %v", c.says, c.st.Vals, got, err)
		}
	}
}

func BenchmarkJudgeExact(b *testing.B) {
	f, err := lang.Parse(lang.Source{Name: "t", Text: world + "  says a: ddt(tr(A*A)) == 2*tr(A*(c*A - A*M))\n"})
	if err != nil {
		b.Fatal(err)
	}
	p, st := f.Claims[0].Parts[0], exactState()
	for b.Loop() {
		if _, err := Judge(Rational{}, p, st); err != nil {
			b.Fatal(err)
		}
	}
}
