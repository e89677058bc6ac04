package lang

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

const small = `system s
  size n
  scalar eta >= 0
  matrix W : n x n
  flow
    W' = -eta*W
`

// TestMistakesAreLocated feeds one mistake at a time and requires an error at its line and column that says
// what was expected.
func TestMistakesAreLocated(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line, col  int
		says       string
	}{
		{"operator missing", "claim c\n  uses s\n  says a: W W == W\n", 3, 13, "expected a statement"},
		{"undefined symbol", "claim c\n  uses s\n  says a: W == V\n", 3, 16, "the symbol V is not defined"},
		{"shapes", "claim c\n  uses s\n  size m\n  matrix B : m x m\n  says a: W*B == W\n", 5, 12, "n columns do not meet m rows"},
		{"unknown system", "claim c\n  uses nothere\n  says a: W == W\n", 1, 1, "no system called nothere"},
		{"uses nothing", "claim c\n  uses\n  says a: 1 == 1\n", 2, 3, "a name is missing"},
		{"uses what follows a last comma", "claim c\n  uses s,\n  says a: 1 == 1\n", 2, 3, "a name is missing"},
		{"a statement uses nothing", "claim c\n  says a: 1 == 1\n    uses s, , s\n", 3, 5, "a name is missing"},
		{"unclosed bracket", "claim c\n  uses s\n  says a: [W, W == W\n", 3, 17, "expected ‘]’"},
		{"unknown function", "claim c\n  uses s\n  says a: det(W) == 1\n", 3, 11, "‘det’ is not a function"},
		{"stray line", "claim c\n  uses s\n  whatever\n", 3, 3, "‘whatever’ is not an item of ‘claim’"},
		{"bad block", "theorem t\n", 1, 1, "expected ‘system NAME’ or ‘claim ID’"},
		{"nothing said", "claim c\n  uses s\n", 1, 1, "says nothing"},
		{"tab", "claim c\n\tuses s\n", 2, 1, "a tab in the indentation"},
		{"bad character", "claim c\n  uses s\n  says a: W == W @ W\n", 3, 18, "has no meaning here"},
		{"scalar plus matrix", "claim c\n  uses s\n  says a: W + eta == W\n", 3, 13, "cannot be added"},
		{"division by matrix", "claim c\n  uses s\n  says a: W/W == W\n", 3, 12, "only a scalar divides"},
		{"unknown rule", "claim c\n  uses s\n  says a: W == W\n    proof\n      magic\n", 5, 7, "‘magic’ is not an item of ‘proof’"},
		{"two parts of a name", "claim c\n  uses s\n  says a: W == W\n  says a: W == W\n", 4, 3, "two parts called a"},
		{"empty domain", "claim c\n  uses s\n  scalar x > 1, < 0\n  says a: x == x\n", 3, 10, "the domain of x is empty"},
		{"many symbols", "claim c\n  scalar " + listed("x", MaxSymbols) + "\n  scalar y\n  says a: y == y\n", 3, 10, "y is one symbol more than the 256"},
		{"many assumptions", "claim c\n  scalar x\n  says a: x == x\n" + assumed(MaxAssumptions+1), MaxAssumptions + 4, 5, "h512 is one assumption more than the 512"},
		{"declared twice", "claim c\n  uses s\n  scalar eta\n  says a: eta == eta\n", 3, 10, "eta is already declared"},
		{"no flow", "claim c\n  scalar x\n  says a: ddt(x) == 0\n", 3, 11, "needs a flow"},
		{"twin without change", "claim c\n  uses s\n  says a: W == W\n    twin \"W\" -> \"W\"\n", 4, 5, "a twin must change something"},
		{"a number that takes long to read", "claim c\n  uses s\n  says a: " + strings.Repeat("1", maxDigits+1) + "*W == W\n", 3, 11, "a number of 20001 characters; expected at most 20000"},
		{"no two sides", "claim c\n  uses s\n  says a: W == 0\n    assume h: absurd\n    proof\n      modulo [h]\n", 6, 14, "[h] stands for its left side minus its right side, and has none"},
		{"a fact without sides", "claim c\n  uses s\n  says a: W == 0\n    proof\n      fact f: stationary W = 0 by expand\n      modulo [f]\n", 6, 14, "has none"},
		{"shapes of a fact over time", "claim c\n  uses s\n  says a: always W == 0\n    proof\n      fact f: always eta == 0 by expand\n      modulo W*[f] + [f]\n", 6, 20, "cannot be added"},
		{"half a number", "claim c\n  uses s\n  says a: 1.2.3*W == W\n", 3, 11, "is not a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(Source{"f.claim", small + c.text})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no located error: %v", err)
			}
			if line := strings.Count(small, "\n") + c.line; e.Pos.Line != line || e.Pos.Col != c.col {
				t.Errorf("reported at %d:%d, expected %d:%d: %v", e.Pos.Line, e.Pos.Col, line, c.col, err)
			}
			if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "f.claim:") {
				t.Errorf("the message does not say %q: %v", c.says, err)
			}
		})
	}
}

// TestTabsPartWords: a tab within a line parts words as a space does, in every item.
func TestTabsPartWords(t *testing.T) {
	text := "claim c\n  uses s\n  scalar x > 0\n  says a: x + 1 > y\n    scalar y\n    assume always c : y < x\n    twin drop c\n    proof\n      fact f: x - y > 0 by follows c\n      follows f\n"
	f, err := Parse(Source{"f", small + text})
	if err != nil {
		t.Fatal(err)
	}
	g, err := Parse(Source{"f", small + strings.NewReplacer("uses ", "uses\t", "says ", "says\t", " by ", "\tby\t", "assume ", "assume\t", "always ", "always\t", "proof", "proof\t").Replace(text)})
	if err != nil {
		t.Fatal(err)
	}
	p, q := f.Claims[0].Parts[0], g.Claims[0].Parts[0]
	if p.Stmt.Text != q.Stmt.Text || len(p.Proof) != len(q.Proof) || p.Proof[0].Stmt.Text != "x - y > 0" || q.Proof[0].Stmt.Text != "x - y > 0" {
		t.Errorf("with tabs %q, %q; with spaces %q, %q", q.Stmt.Text, q.Proof[0].Stmt.Text, p.Stmt.Text, p.Proof[0].Stmt.Text)
	}
	for _, f := range []*File{f, g} {
		m, err := f.Mutate(f.Claims[0], f.Claims[0].Parts[0], f.Claims[0].Parts[0].Twins[0])
		if err != nil || len(m.Assumes) != 0 {
			t.Errorf("the twin without the hypothesis: %v", err)
		}
	}
}

// TestIllFormedPrintedStatementNeedsACorrection: a printed statement without meaning is a finding if the
// claim has a corrected reading, and an error of the file otherwise.
func TestIllFormedPrintedStatementNeedsACorrection(t *testing.T) {
	decl := small + "claim c\n  uses s\n  size m\n  matrix B : m x n\n  says a: W*B == B\n"
	if _, err := Parse(Source{"f", decl}); err == nil {
		t.Error("a shape error without a corrected reading was accepted")
	}
	f, err := Parse(Source{"f", decl + "  corrected b: B*W == B*W\n"})
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Claims[0].Parts[0]; p.Fault == nil || !p.Fault.Shape {
		t.Error("the printed statement is not marked ill-formed")
	}
	if _, err := Parse(Source{"f", decl + "  corrected b: W*B == B\n"}); err == nil {
		t.Error("a shape error in the corrected reading was accepted")
	}
}

func TestMutateChangesTheStatementFirst(t *testing.T) {
	f, err := Parse(Source{"f", small + "claim c\n  uses s\n  says a: ddt(W) == -eta*W\n    twin \"-eta*W\" -> \"eta*W\"\n    twin \"W' = -eta\" -> \"W' = eta\"\n    twin \"absent\" -> \"x\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Claims[0]
	p := c.Parts[0]
	m, err := f.Mutate(c, p, p.Twins[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := UnicodeStmt(m.Stmt); got != "d/dt(W) = η·W" {
		t.Errorf("mutated statement: %s", got)
	}
	if got := Unicode(m.Env.Flow[0].RHS); got != "−η·W" {
		t.Errorf("the flow changed as well: %s", got)
	}
	if m, err = f.Mutate(c, p, p.Twins[1]); err != nil || Unicode(m.Env.Flow[0].RHS) != "η·W" {
		t.Errorf("the flow was not mutated: %v", err)
	}
	if _, err = f.Mutate(c, p, p.Twins[2]); err == nil {
		t.Error("a text that occurs nowhere was replaced")
	}
}

// TestEveryBoundCounts: a later bound does not replace a tighter one.
func TestEveryBoundCounts(t *testing.T) {
	f, err := Parse(Source{"f", "claim c\n  scalar x >= 2, > 1, <= 5, < 5, != 0\n  says a: x > 1\n"})
	if err != nil {
		t.Fatal(err)
	}
	d := f.Claims[0].Parts[0].Env.Symbols["x"].Domain
	if d.Lo.RatString() != "2" || d.LoOpen || d.Hi.RatString() != "5" || !d.HiOpen || !d.NonZero {
		t.Errorf("the domain is %+v", d)
	}
}

func TestRenderings(t *testing.T) {
	for in, out := range map[string][2]string{
		"(x^2)^3 == 0.25^2":                {"(x²)³ = (1/4)²", `\left(x^{2}\right)^{3} = \left(\frac{1}{4}\right)^{2}`},
		"|x| decays by factor 1/2":         {"‖(x)(k)‖ ≤ (1/2)^k·‖(x)(0)‖", ""},
		"x, x^2 stay zero over steps":      {"x, x² stay zero over steps", `x, x^{2}\ \text{stay zero}\ \text{over steps}`},
		"always x != root(x) over steps":   {"always x ≠ root(x) over steps", `\text{always}\ x \ne \sqrt{x}\ \text{over steps}`},
		"at(x + y, x, y, y, x) == size(n)": {"(x + y)|[x=y, y=x] = size(n)", ""},
		"kron(A, B)^T == kron(A^T, B^T)":   {"(A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ", `\left(A\otimes B\right)^{\top} = A^{\top}\otimes B^{\top}`},
		"ddt(x)^2 == y*ddt(x)":             {"(d/dt(x))² = y·(d/dt(x))", `\left(\frac{\mathrm{d}}{\mathrm{d}t}\left(x\right)\right)^{2} = y \left(\frac{\mathrm{d}}{\mathrm{d}t}\left(x\right)\right)`},
		"inv(C)^2 == C":                    {"(C⁻¹)² = C", `\left(C^{-1}\right)^{2} = C`},
		"(x/y)^2*2*3 == sigma2 + sigma^2":  {"(x/y)²·2·3 = σ² + (σ)²", `\left(\frac{x}{y}\right)^{2} \cdot 2 \cdot 3 = \sigma^2 + \left(\sigma\right)^{2}`},
		"ab1 == a*b1":                      {"ab1 = a·b1", `\mathit{ab}_{1} = a b_{1}`},
	} {
		s := statement(t, in)
		if got := UnicodeStmt(s); got != out[0] {
			t.Errorf("%s: %s, expected %s", in, got, out[0])
		}
		if got := LaTeXStmt(s); out[1] != "" && got != out[1] {
			t.Errorf("%s: %s, expected %s", in, got, out[1])
		}
	}
	f, err := Parse(Source{"f", small + "claim c\n  uses s\n  scalar sigma2 >= 0\n  says a: W - (W - W^T)*(1 + sigma2)/2 == -[W, W^2]\n"})
	if err != nil {
		t.Fatal(err)
	}
	s := f.Claims[0].Parts[0].Stmt
	if got, want := UnicodeStmt(s), "W − (W − Wᵀ)·(1 + σ²)/2 = −[W, W²]"; got != want {
		t.Errorf("Unicode: %s, expected %s", got, want)
	}
	if got, want := LaTeXStmt(s), `W - \frac{\left(W - W^{\top}\right) \left(1 + \sigma^2\right)}{2} = -\left[W, W^{2}\right]`; got != want {
		t.Errorf("LaTeX: %s, expected %s", got, want)
	}
}

// TestOneTextHasOneReading reads every operator as a function of its own: expressions that are rendered alike have one value.
func TestOneTextHasOneReading(t *testing.T) {
	type reading struct {
		e     *Expr
		value float64
	}
	sym := func(name string, v float64) reading { return reading{NewSym(Pos{}, name), v} }
	x := sym("x", 0.731)
	leaves := []reading{x, sym("sigma", 1.217), sym("sigma2", 0.419), sym("ab1", 1.913), {NewNum(Pos{}, big.NewRat(2, 1)), 2}, {NewNum(Pos{}, big.NewRat(1, 4)), 0.25}}
	n, m := NewSym(Pos{}, "n"), NewSym(Pos{}, "m")
	leaves = append(leaves, reading{NewCall(Pos{}, "size", n), 3}, reading{NewCall(Pos{}, "size", m), 5}, reading{NewCall(Pos{}, "size", NewBin(Mul, n, m)), 15})
	unary := []func(reading) reading{
		func(a reading) reading { return reading{&Expr{Kind: Neg, Args: []*Expr{a.e}}, -a.value} },
		func(a reading) reading { return reading{&Expr{Kind: Pow, N: 2, Args: []*Expr{a.e}}, a.value * a.value} },
		func(a reading) reading { return reading{&Expr{Kind: Pow, N: -1, Args: []*Expr{a.e}}, 1 / a.value} },
		func(a reading) reading { return reading{NewCall(Pos{}, "inv", a.e), 1 / a.value} },
		func(a reading) reading { return reading{&Expr{Kind: Trans, Args: []*Expr{a.e}}, math.Sin(a.value)} },
		func(a reading) reading { return reading{NewCall(Pos{}, "ddt", a.e), math.Cos(a.value)} },
		func(a reading) reading { return reading{NewCall(Pos{}, "diff", a.e, x.e), math.Atan(a.value)} },
		func(a reading) reading { return reading{NewCall(Pos{}, "tr", a.e), math.Tanh(a.value)} },
		func(a reading) reading { return reading{NewCall(Pos{}, "root", a.e), math.Sinh(a.value / 3)} },
	}
	binary := []func(a, b reading) reading{
		func(a, b reading) reading { return reading{NewBin(Add, a.e, b.e), a.value + b.value} },
		func(a, b reading) reading { return reading{NewBin(Sub, a.e, b.e), a.value - b.value} },
		func(a, b reading) reading { return reading{NewBin(Mul, a.e, b.e), a.value * b.value} },
		func(a, b reading) reading { return reading{NewBin(Div, a.e, b.e), a.value / b.value} },
		func(a, b reading) reading {
			return reading{NewCall(Pos{}, "kron", a.e, b.e), math.Sin(a.value) + 2*math.Cos(3*b.value)}
		},
		func(a, b reading) reading {
			return reading{NewCall(Pos{}, "at", a.e, x.e, b.e), math.Cos(a.value) - 3*math.Sin(2*b.value)}
		},
	}
	made := leaves
	for range 2 {
		var more []reading
		for _, a := range made {
			for _, f := range unary {
				more = append(more, f(a))
			}
			for _, b := range leaves {
				for _, f := range binary {
					more = append(more, f(a, b), f(b, a))
				}
			}
		}
		made = append(made, more...)
	}
	for _, render := range []func(*Expr) string{Unicode, LaTeX} {
		seen := map[string]reading{}
		for _, r := range made {
			text := render(r.e)
			if old, ok := seen[text]; ok && math.Abs(old.value-r.value) > 1e-9*(1+math.Abs(r.value)) {
				t.Fatalf("%s is %v and %v", text, old.value, r.value)
			}
			seen[text] = r
		}
	}
}

// TestALaterMomentReplacesItsOwn: of vectors that share a moment, those that a later one names, and no others; and what a system
// says of them stays as it is for whoever else uses it.
func TestALaterMomentReplacesItsOwn(t *testing.T) {
	f, err := Parse(Source{Name: "f", Text: `system base
  size n
  matrix X, Y : n x n psd
  random v, w : n
  moment v, w = X
claim c
  uses base
  moment v = Y
  says s: E(w*w^T) == X
  says t: E(v*v^T) == Y
claim d
  uses base
  says s: E(v*v^T) == X
`})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			r, err := Elaborate(p)
			if err != nil {
				t.Errorf("%s/%s: %v", c.ID, p.Name, err)
				continue
			}
			ts := r.Goals()[0].Terms()
			if u, err := r.Context().Dynamics().Unfold(ts[0]); err != nil || u != ts[1] {
				t.Errorf("%s/%s: %v", c.ID, p.Name, err)
			}
		}
	}
}

// listed are names with numbers.
func listed(name string, n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint(name, i))
	}
	return strings.Join(out, ", ")
}

// assumed are lines of assumptions.
func assumed(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "    assume h%d: x >= %d\n", i, i)
	}
	return out.String()
}
