package lang

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stopgrad/theory/kernel"
)

var update = flag.Bool("update", false, "write the golden texts anew")

// BuiltIn reads the built-in claims. A test outside of the package sets it: what reads them imports the package.
var BuiltIn func() (*File, error)

// claims reads the built-in claims.
func claims(t testing.TB) *File {
	t.Helper()
	f, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// parts lists the parts that state something of the kernel's.
func parts(t testing.TB) map[string]*Part {
	out := map[string]*Part{}
	for _, c := range claims(t).Claims {
		for _, p := range c.Parts {
			if p.Stmt.Kind != Sampled {
				out[c.ID+"/"+p.Name] = p
			}
		}
	}
	return out
}

// reading parses a claim with one part and elaborates it.
func reading(t testing.TB, text string) *Reading {
	t.Helper()
	r, err := tryReading(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryReading(text string) (*Reading, error) {
	f, err := Parse(Source{"f.claim", text})
	if err != nil {
		return nil, err
	}
	return Elaborate(f.Claims[0].Parts[0])
}

func expression(t testing.TB, text string) *Expr {
	t.Helper()
	p, err := newParser(&node{lines: []line{{text, Pos{"printed", 1, 1}}}})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	e, err := p.expr()
	if err == nil {
		err = p.done()
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func statement(t testing.TB, text string) *Stmt {
	t.Helper()
	p, err := newParser(&node{lines: []line{{text, Pos{"printed", 1, 1}}}})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, err := p.stmt()
	if err == nil {
		err = p.done()
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// TestAllClaimsElaborate reads every part in the kernel's terms; what is ill-formed stays so.
func TestAllClaimsElaborate(t *testing.T) {
	for id, p := range parts(t) {
		_, err := Elaborate(p)
		if (err != nil) != (p.Fault != nil) {
			t.Errorf("%s: %v, the fault %v", id, err, p.Fault)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || !e.Shape) {
			t.Errorf("%s: not a shape error: %v", id, err)
		}
	}
}

// terms lists the terms of a reading, those inside others included.
func terms(r *Reading) []*kernel.Term {
	seen := map[*kernel.Term]bool{}
	var out []*kernel.Term
	var visit func(*kernel.Term)
	visit = func(t *kernel.Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, a := range t.Args() {
			visit(a)
		}
		out = append(out, t)
	}
	formula := func(f kernel.Formula) {
		if f.Form() == kernel.Always {
			f = f.Inner()
		}
		for _, t := range f.Terms() {
			visit(t)
		}
	}
	for _, h := range r.Context().Hypotheses() {
		formula(h.Formula())
	}
	for _, g := range slices.Concat(r.Goals(), r.Kept(), r.consequence) {
		formula(g)
	}
	d := r.Context().Dynamics()
	for i := range d.Moments() {
		_, _, m := d.Moment(i)
		visit(m)
	}
	for _, x := range d.FlowLetters() {
		visit(d.FlowOf(x))
	}
	for _, x := range d.MapLetters() {
		visit(d.MapOf(x))
	}
	return out
}

// back requires that the text of a term reads back as the very term, with and without abbreviations.
func back(t testing.TB, r *Reading, u *kernel.Term) {
	t.Helper()
	p := kernel.NewPrinter()
	for _, n := range r.Names() {
		if err := p.Abbreviate(n.Name, n.Term); err != nil {
			t.Fatal(err)
		}
	}
	short, err := p.Term(u)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{kernel.Print(u), short} {
		e := expression(t, text)
		s, err := r.shapeOf(e, true) // terms under an expectation are printed by themselves here
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v, err := r.read(e, s, true)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if v != u {
			t.Fatalf("%s reads back as %s", text, kernel.Print(v))
		}
	}
}

func random(t *kernel.Term) bool {
	if y := t.Symbol(); y != nil && (y.Class() == kernel.Random || y.Class() == kernel.Centred) {
		return true
	}
	return slices.ContainsFunc(t.Args(), random)
}

// TestPrintedClaimsReadBack: print, parse and elaborate is the identity on every term and formula of every claim.
// TestNestedOperatorsArePrintedOnce: the text of an operator in an operator is no longer than what is written, times a number;
// and making it takes no longer, or this does not end.
func TestNestedOperatorsArePrintedOnce(t *testing.T) {
	x := &Expr{Kind: Sym, Name: "x"}
	for op, further := range map[string]int{"comm": 1, "anti": 1, "ddt": 0, "kron": 1, "E": 0, "grad": 1, "diff": 1, "inv": 0, "at": 2,
		"root": 0, "I": 0, "zero": 1, "size": 0, "sg": 0, "tr": 0} {
		e, last := x, x
		for range 60 {
			e = &Expr{Kind: Call, Name: op, Args: append([]*Expr{e}, []*Expr{x, x}[:further]...)}
			last = &Expr{Kind: Call, Name: op, Args: append([]*Expr{x, x, x}[:further], last)}
		}
		for _, e := range []*Expr{e, last} {
			if u, l := Unicode(e), LaTeX(e); len(u) > 60*60 || len(l) > 60*60 {
				t.Errorf("%s: %d and %d characters", op, len(u), len(l))
			}
		}
	}
}

func TestPrintedClaimsReadBack(t *testing.T) {
	n := 0
	for id, p := range parts(t) {
		if p.Fault != nil {
			continue
		}
		r, err := Elaborate(p)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		expects := func(u *kernel.Term) bool { return u.Head() == kernel.Expect }
		var inside func(*kernel.Term) bool
		inside = func(u *kernel.Term) bool { return expects(u) || slices.ContainsFunc(u.Args(), inside) }
		for _, u := range terms(r) {
			if inside(u) {
				e := expression(t, kernel.Print(u))
				if random(u) && !strings.Contains(kernel.Print(u), "E(") {
					t.Fatalf("%s: no expectation in %s", id, kernel.Print(u))
				}
				if v, err := r.Term(e); err == nil && v != u {
					t.Fatalf("%s: %s reads back as %s", id, kernel.Print(u), kernel.Print(v))
				} else if err == nil {
					n++
				}
				continue
			}
			back(t, r, u)
			n++
		}
		for _, g := range r.Goals() {
			q := kernel.NewPrinter()
			text, err := q.Formula(r.Context().Time(), g)
			if err != nil {
				t.Fatal(err)
			}
			fs, err := r.Formulas(statement(t, text))
			if err != nil || len(fs) != 1 || !fs[0].Same(g) {
				t.Errorf("%s: %s does not read back: %v", id, text, err)
			}
		}
	}
	if n < 5_000 {
		t.Errorf("only %d terms", n)
	}
	t.Logf("%d terms", n)
}

const everything = `claim c
  size n, m
  scalar x, y, z
  input u
  matrix A, B : n x n
  matrix C : n x m
  matrix v : n x 1
  random g : n
  random e : n centred
  moment g = A
  moment e = I
  let half = 1/2*x
  let q = A*B + A
  flow
    x' = half
    A' = q
  map
    y+ = x
  says a: x == x
`

// randomTerm makes a term by the kernel's own constructors, any heads in any order.
func randomTerm(r *Reading, rng *rand.Rand, size int) *kernel.Term {
	sig := r.sig
	pool := []*kernel.Term{}
	for _, n := range []string{"x", "y", "z", "u", "A", "B", "C", "v"} {
		pool = append(pool, sig.Lookup(n))
	}
	keep := func(t *kernel.Term, err error) {
		if err == nil {
			pool = append(pool, t)
		}
	}
	for _, n := range [][2]int64{{0, 1}, {1, 1}, {-1, 1}, {2, 1}, {-3, 1}, {1, 2}, {-3, 2}} {
		keep(sig.Number(big.NewRat(n[0], n[1])))
	}
	for _, d := range []kernel.Dim{"n", "m", "1", "n*m"} {
		keep(sig.SizeOf(d))
		keep(sig.IdentityOf(d))
		keep(sig.ZeroOf(d, "n"))
	}
	pick := func() *kernel.Term {
		if rng.IntN(2) == 0 { // lately made terms, so that nesting grows
			return pool[len(pool)-1-rng.IntN(min(8, len(pool)))]
		}
		return pool[rng.IntN(len(pool))]
	}
	letter := func() *kernel.Term { return pool[rng.IntN(8)] }
	for made := 0; made < size; {
		before := len(pool)
		head := kernel.Sum + kernel.Head(rng.IntN(int(kernel.StopGrad-kernel.Sum)+1))
		if rng.IntN(3) == 0 {
			head = []kernel.Head{kernel.Sum, kernel.Product, kernel.Reciprocal, kernel.Power}[rng.IntN(4)]
		}
		switch head {
		case kernel.Sum, kernel.Product, kernel.Kronecker:
			keep(sig.Make(head, 0, pick(), pick()))
		case kernel.Diff, kernel.Grad, kernel.GradSym, kernel.GradSkew:
			keep(sig.Make(head, 0, pick(), letter()))
		case kernel.At:
			x, z := letter(), letter()
			if rng.IntN(2) == 0 {
				keep(sig.Make(head, 0, pick(), x, pick()))
			} else {
				keep(sig.Make(head, 0, pick(), x, pick(), z, pick()))
			}
		case kernel.Power:
			keep(sig.Make(head, rng.IntN(4), pick()))
		case kernel.Expect:
			if t := pick(); !expects(t) { // E inside E is refused
				keep(sig.Make(head, 0, t))
			}
		default:
			keep(sig.Make(head, 0, pick()))
		}
		if len(pool) > before {
			made++
		}
	}
	return pool[len(pool)-1]
}

func expects(t *kernel.Term) bool {
	return t.Head() == kernel.Expect || slices.ContainsFunc(t.Args(), expects)
}

// TestRandomTermsReadBack does the same for terms that no claim is made of.
func TestRandomTermsReadBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	heads := map[kernel.Head]int{}
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	for n > 0 {
		// A signature holds so many terms only.
		r := reading(t, everything)
		for range min(n, 1_000) {
			n--
			u := randomTerm(r, rng, 1+rng.IntN(12))
			heads[u.Head()]++
			text := kernel.Print(u)
			if v, err := r.Term(expression(t, text)); err != nil || v != u {
				t.Fatalf("%s does not read back: %v", text, err)
			}
		}
	}
	for h := kernel.Sum; h <= kernel.StopGrad; h++ {
		if heads[h] == 0 {
			t.Errorf("no term is made by %s", h)
		}
	}
}

// TestTextsThatLookAlike: terms that differ print differently, in the places where a reader might take one for the other.
func TestTextsThatLookAlike(t *testing.T) {
	r := reading(t, everything)
	for _, c := range []struct{ in, out string }{
		{"(x^2)^3", "(x^2)^3"}, {"x^2^3", "(x^2)^3"}, {"x*y^2", "x*y^2"}, {"(x*y)^2", "(x*y)^2"}, {"-x^2", "-x^2"}, {"(-x)^2", "(-x)^2"},
		{"x/y*z", "(x/y)*z"}, {"x/(y*z)", "x/(y*z)"}, {"x*y/z", "x*y/z"}, {"x/y/z", "(x/y)/z"}, {"x/(y/z)", "x/(y/z)"},
		{"1/2*x", "(1/2)*x"}, {"x/2", "x/2"}, {"x - y - z", "x - y - z"}, {"x - (y - z)", "x - (y - z)"}, {"x + -y", "x - y"},
		{"x - -2", "x - (-2)"}, {"x*-2", "x*(-2)"}, {"-2*x", "-2*x"}, {"(-2)^2", "(-2)^2"}, {"-(2^2)", "-2^2"}, {"2^-1", "2^-1"},
		{"x^-2", "1/x^2"}, {"A^T^2", "(A^T)^2"}, {"(A*B)^T", "(A*B)^T"}, {"(-A)^T", "(-A)^T"}, {"[A, B]", "A*B - B*A"},
		{"-(x*y)", "-(x*y)"}, {"-x*y", "-x*y"}, {"half*y", "(1/2)*x*y"}, {"sym(A)", "(1/2)*(A + A^T)"}, {"vec(C)", "vec(C)"},
		{"A + 2*I", "A + 2*I(n)"}, {"at(x, x, y, y, x)", "at(x, x, y, y, x)"}, {"grad(tr(A), A)", "grad(tr(A), A)"},
	} {
		u, err := r.Term(expression(t, c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := kernel.Print(u); got != c.out {
			t.Errorf("%s prints as %s, expected %s", c.in, got, c.out)
		}
	}
}

// TestSequentsAreReadable compares printed sequents with texts that a person has read.
func TestSequentsAreReadable(t *testing.T) {
	ps := parts(t)
	for _, id := range []string{"thm1/balance", "thm3-bound/bound", "fixed-points/up", "moments/unbiased", "assump-ema/ansatz", "dp-estimator/psd", "decoupled/predictorframe"} {
		r, err := Elaborate(ps[id])
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Print(false)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", strings.ReplaceAll(id, "/", "-")+".sequent")
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s prints as\n%s", id, text)
		}
	}
}

// TestRefusals: what has no meaning is an error where it stands, and never a panic.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"a number as a matrix", "claim c\n  size n\n  matrix A : n x n\n  says a: A == 1\n", "f.claim:4:11: a n×n matrix equals a scalar"},
		{"a root of itself", "claim c\n  scalar x\n  root r = r + x\n  says a: r == x\n", "f.claim:3:12: r is defined by way of itself"},
		{"a root by way of a let", "claim c\n  let y = r + 1\n  root r = y\n  says a: r == 1\n", "f.claim:3:12: y is defined by way of itself"},
		{"a let of itself", "claim c\n  scalar x\n  let y = y + x\n  says a: y == x\n", "f.claim:3:11: y is defined by way of itself"},
		{"a Cyrillic letter", "claim c\n  scalar а\n  says a: а == 1\n", "f.claim:2:10: the letter ‘а’ cannot stand in a name"},
		{"a Cyrillic letter inside", "claim c\n  scalar xа\n  says a: xа == 1\n", "f.claim:2:11: the letter ‘а’ cannot stand in a name"},
		{"Arabic digits", "claim c\n  scalar x\n  says a: x == ٣\n", "has no meaning here"},
		{"a word of the language", "claim c\n  scalar size\n  says a: size == 1\n", "f.claim:2:10: \"size\" cannot name a symbol"},
		{"a let with such a name", "claim c\n  scalar x\n  let kron = x\n  says a: x == x\n", "f.claim:3:7: \"kron\" cannot name"},
		{"a hole's name", "claim c\n  scalar hole_a\n  says a: hole_a == 1\n", "f.claim:2:10: hole_a is reserved"},
		{"a size as a let", "claim c\n  size n\n  scalar x\n  let n = x + 1\n  says a: n == 1\n", "f.claim:4:7: n names a size as well"},
		{"a size as a symbol", "claim c\n  size n\n  scalar n\n  says a: n == 1\n", "f.claim:3:10: n names a size as well"},
		{"at in a let", "claim c\n  scalar x\n  let y = x\n  says a: at(x, y, 1) == 1\n", "at expects a declared symbol here"},
		{"at in a root", "claim c\n  scalar x\n  root y = x\n  says a: at(x, y, 1) == 1\n", "f.claim:4:17: at expects a declared symbol here, and y is an abbreviation"},
		{"an end that moves", "claim c\n  scalar x, z\n  flow\n    z' = x\n  says a: x has 1 zero for x in (-1, ddt(z))\n", "f.claim:5:11: an end of the interval, ddt(z), depends on x"},
		{"stationary at the start", "claim c\n  scalar x, y\n  flow\n    x' = y*x\n    y' = x - 1\n  says a: stationary x = 1\n    assume start h: y == 0\n", "f.claim:7:21: what is stationary is said of a state"},
		{"stationary always", "claim c\n  scalar x, y\n  flow\n    x' = y*x\n    y' = x - 1\n  says a: stationary x = 1\n    assume always h: y == 0\n", "f.claim:7:22: what is stationary is said of a state"},
		{"zeros at the start", "claim c\n  scalar x, y\n  flow\n    x' = y*x\n    y' = x - 1\n  says a: x - y has 1 zeros for x in (0, 1)\n    assume start h: y == 1/2\n", "f.claim:7:21: zeros are counted at a state"},
		{"restrict in time", "claim c\n  size n\n  matrix A : n x n\n  flow\n    A' = A\n  says a: A vanishes\n    restrict A symmetric\n", "f.claim:7:5: restrict speaks of one instant"},
		{"an input with an equation", "claim c\n  input x\n  flow\n    x' = x\n  says a: x == x\n", "f.claim:4:5: x is an input"},
		{"two courses", "claim c\n  scalar x\n  flow\n    x' = x\n  map\n    x+ = x\n  says a: x evolves at rate 1 over steps\n", "f.claim:7:31: a rate is along the flow"},
		{"no map", "claim c\n  scalar x\n  flow\n    x' = x\n  says a: x evolves by factor 1\n", "no system in use has one"},
		{"a course of a state", "claim c\n  scalar x\n  flow\n    x' = x\n  says a: x > 0 along the flow\n", "f.claim:5:17: this statement takes no course"},
		{"several of a kind", "claim c\n  scalar x, y\n  flow\n    x' = x\n  says a: x, y vanishes\n", "f.claim:5:16: of several quantities only"},
		{"a stationary point of another shape", "claim c\n  size n\n  matrix A : n x n\n  flow\n    A' = A\n  says a: stationary A = 1\n", "f.claim:6:26: a scalar cannot stand for A"},
		{"a gradient among diagonal matrices", "claim c\n  size n\n  matrix D : n x n diagonal\n  says a: grad(tr(D), D) == D\n", "f.claim:4:11: the gradient among diagonal matrices"},
		{"I of no size", "claim c\n  size n\n  matrix A : n x n\n  says a: 2*I == I\n", "the size of I is not decided here"},
		{"no rule of the kernel", "claim c\n  scalar x\n  says a: x^2 >= 0\n    proof\n      apply magic\n", "f.claim:5:7: ‘magic’ is not a rule of the kernel"},
		{"an unknown fact", "claim c\n  scalar x\n  says a: x^2 >= 0\n    proof\n      apply transport to f1\n", "f.claim:5:7: there is no hypothesis or fact called f1"},
		{"nothing below suppose", "claim c\n  scalar x\n  says a: x^2 >= 0\n    proof\n      suppose h: x >= 0\n      manifest x^2\n", "f.claim:5:7: nothing is established below suppose"},
		{"the statement below suppose", "claim c\n  scalar x\n  says a: x^2 >= 0\n    proof\n      suppose h: x >= 0\n        manifest x^2\n", "f.claim:6:9: ‘manifest’ establishes the statement"},
		{"steps below a fact", "claim c\n  scalar x\n  says a: x^2 >= 0\n    proof\n      fact f: x == x by expand\n        manifest x^2\n", "f.claim:6:9: a step below ‘fact’"},
		{"a case over time", "claim c\n  scalar x\n  flow\n    x' = x\n  says a: x^2 >= 0\n    proof\n      suppose h: x vanishes\n        fact f: x == x by expand\n", "f.claim:7:18: a statement about states is supposed"},
		{"too high", "claim c\n  scalar x\n  says a: x == " + strings.Repeat("x + ", 600) + "x\n", "a term nested deeper than 500"},
	} {
		_, err := tryReading(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected %s", c.name, err, c.says)
		}
	}
}

// TestIllFormedHasNoMeaning: what has a meaning that no rule reaches is refused, and not ill-formed.
func TestIllFormedHasNoMeaning(t *testing.T) {
	for _, c := range []struct {
		says, refusal string
		illFormed     bool
	}{
		{"grad(tr(kron(W, A)), W) == tr(A)*I(n)", "a gradient does not go into kronecker", false},
		{"grad(tr(vec(W)*vec(W)^T), W) == 2*W", "a gradient does not go into rowstack", false},
		{"E(tr(kron(v*v^T, A))) == tr(A)*size(n)", "E does not go into kronecker", false},
		{"E(kron(v*v^T, v*v^T)) == kron(I(n), I(n))", "E of more than two random columns", true},
		{"E(vec(v*v^T)) == vec(I(n))", "E does not go into rowstack", false},
		{"diff(at(sg(x)*x, x, y), y) == y", "at of a stop-gradient", false},
		{"diff(ddt(sg(x)*x), x) == 0", "the derivative in time of a stop-gradient", false},
		{"diff(diff(sg(x)*x, x), x) == 0", "a stop-gradient inside two gradients", true},
		{"E(tr(v*v^T)^2) == 1", "E of more than two random columns", true},
		{"at(tr(W), W, 0) == 0", "", false},
		{"tr(inv(W)*W) == size(n)", "declared invertible or pd, and W is none", false},
		{"inv(W + A)*(W + A) == I(n)", "declared invertible or pd, and W + A is none", false},
	} {
		_, err := tryReading("claim c\n  size n\n  matrix W, A : n x n\n  random v : n\n  moment v = I\n  scalar x, y\n  flow\n    x' = x\n  says a: " + c.says + "\n")
		var e *Error
		errors.As(err, &e)
		if (err == nil) != (c.refusal == "") || err != nil && (!strings.Contains(err.Error(), c.refusal) || e.Shape != c.illFormed || e.Operator != c.illFormed) {
			t.Errorf("%s: %v", c.says, err)
		}
	}
}

// TestOnlyZeroIsAMatrix: of all numbers 0 alone stands for a matrix, and the matrix is the zero one.
func TestOnlyZeroIsAMatrix(t *testing.T) {
	r := reading(t, "claim c\n  size n, m\n  matrix A : n x m\n  flow\n    A' = 0\n  says a: stationary A = 0\n")
	zero, err := r.sig.ZeroOf("n", "m")
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Context().Dynamics(); d.FlowOf(r.sig.Lookup("A")) != zero {
		t.Error("the flow is not the zero matrix")
	}
	if f := r.Goals()[0]; f.Terms()[0].Arg(2) != zero || f.Terms()[1] != zero {
		t.Error("the rest point is not the zero matrix")
	}
}

// TestMarks: what is declared holds here, or of moving quantities at the start; what is assumed holds always.
func TestMarks(t *testing.T) {
	bounds := reading(t, "claim c\n  scalar x > 2, >= 1, < 5, <= 9\n  says a: x > 1\n").Context().Hypotheses()
	if len(bounds) != 4 {
		t.Errorf("of four bounds %d are hypotheses", len(bounds))
	}
	const text = `claim c
  size n
  scalar a > 0
  scalar x >= 0, <= 2
  input u != 0
  matrix P : n x n psd
  matrix S : n x n symmetric
  root r > 0 = x + 1
  root k = a
  flow
    x' = -x
    P' = u*P
  says a: `
	for _, c := range []struct{ stmt, want string }{
		{"x >= 0", "here a > 0|here x >= 0|here 2 >= x|here u != 0|here P psd|here S^T == S|here x + 1 > 0|here a >= 0|here x == a"},
		{"x vanishes", "const a > 0|start x >= 0|start 2 >= x|always u != 0|start P psd|const S^T == S|start x + 1 > 0|const a >= 0|always x == a"},
	} {
		r := reading(t, text+c.stmt+"\n    assume h: x == a\n")
		var got []string
		for _, h := range r.Context().Hypotheses() {
			s, err := kernel.NewPrinter().Formula(kernel.AtState, h.Formula())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, h.Mark().String()+" "+s)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, expected %s", c.stmt, strings.Join(got, "|"), c.want)
		}
	}
	r := reading(t, text+"x >= 0\n    assume always h: x == a\n")
	if r.Context().Time() != kernel.Motion || r.Goals()[0].Form() != kernel.Always {
		t.Error("an assumption of all times does not make the statement one of all times")
	}
}

// TestCourses reads the forms over time, of motions and of orbits.
func TestCourses(t *testing.T) {
	const flow, step = "  flow\n    x' = -x\n", "  map\n    x+ = x/2\n"
	for _, c := range []struct {
		dynamics, stmt string
		time           kernel.Time
		form           kernel.Form
	}{
		{flow, "x evolves at rate -1", kernel.Motion, kernel.Evolves},
		{step, "x evolves by factor 1/2", kernel.Orbit, kernel.Evolves},
		{flow + step, "x evolves by factor 1/2", kernel.Orbit, kernel.Evolves},
		{flow + step, "|x| decays at rate 1", kernel.Motion, kernel.NormDecays},
		{step, "|x| decays by factor 1/2", kernel.Orbit, kernel.NormDecays},
		{step, "x^2 decays by factor 1/4 over steps", kernel.Orbit, kernel.Decays},
		{step, "x vanishes", kernel.Orbit, kernel.Vanishes},
		{flow + step, "x vanishes", kernel.Motion, kernel.Vanishes},
		{flow + step, "x vanishes over steps", kernel.Orbit, kernel.Vanishes},
		{flow + step, "x, x + 1 stay nonnegative over steps", kernel.Orbit, kernel.StayNonnegative},
		{step, "x*A stays psd", kernel.Orbit, kernel.StaySemidefinite},
		{flow, "x stays zero along the flow", kernel.Motion, kernel.StayZero},
		{flow + step, "always x^2 >= 0", kernel.Motion, kernel.Always},
		{flow + step, "always A invertible over steps", kernel.Orbit, kernel.Always},
		{step, "x tends to 0 from -1 < x < 1", kernel.Orbit, kernel.Tends},
		{step, "stationary x = 0", kernel.AtState, kernel.Equal},
	} {
		r, err := tryReading("claim c\n  size n\n  scalar x\n  matrix A : n x n\n" + c.dynamics + "  says a: " + c.stmt + "\n")
		if err != nil {
			t.Errorf("%s: %v", c.stmt, err)
			continue
		}
		if r.Context().Time() != c.time || r.Goals()[0].Form() != c.form {
			t.Errorf("%s is read as a %s statement %s", c.stmt, r.Context().Time(), r.Goals()[0].Form())
		}
		text, err := kernel.NewPrinter().Formula(c.time, r.Goals()[0])
		if err != nil {
			t.Fatal(err)
		}
		if fs, err := r.Formulas(statement(t, text)); err != nil || !fs[0].Same(r.Goals()[0]) {
			t.Errorf("%s prints as %s and does not read back: %v", c.stmt, text, err)
		}
	}
}

// TestSharing: definitions that double forty times, and a power that nobody writes out, are read at once.
func TestSharing(t *testing.T) {
	var b strings.Builder
	b.WriteString("claim c\n  size n\n  scalar a, b, c, d, e\n  let x0 = a\n  let M0 = I\n")
	for i := range 40 {
		fmt.Fprintf(&b, "  let x%d = x%d + x%d\n  let M%d = M%d*M%d + M%d\n", i+1, i, i, i+1, i, i, i)
	}
	b.WriteString("  matrix A : n x n\n  says a: A*M40*x40 == (a + b + c + d + e)^64*A\n")
	start := time.Now()
	r := reading(t, b.String())
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("reading took %s", d)
	}
	if s := kernel.Print(r.Goals()[0].Terms()[0]); s != "..." {
		t.Errorf("a text of %d characters", len(s))
	}
	text, err := r.Print(false)
	if err != nil || !strings.Contains(text, "x40 = x39 + x39\n") {
		t.Errorf("the abbreviations are not used: %v\n%s", err, text)
	}
}

// TestCombination reads the argument of a step, with holes of the shapes of what they stand for.
func TestCombination(t *testing.T) {
	r := reading(t, "claim c\n  size n, m\n  scalar x\n  matrix A : n x m\n  says a: A == 0\n    assume zero: A == 0\n    assume one: x == 1\n    proof\n      modulo x*[zero] + [one]*A + [zero] - 0*[zero]\n")
	zero := map[string]kernel.Formula{}
	for _, n := range []string{"zero", "one"} {
		f, ok := r.Hypothesis(n)
		if !ok {
			t.Fatalf("no hypothesis %s", n)
		}
		zero[n] = f
	}
	e := r.Part().Proof[0].Expr
	c, holes, names, err := r.Combination(e, zero, r.Goals()[0].Terms()[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := kernel.Print(c); got != "x*hole_zero + hole_one*A + hole_zero - 0*hole_zero" {
		t.Error(got)
	}
	if len(holes) != 2 || strings.Join(names, " ") != "zero one" {
		t.Errorf("holes %d, names %v", len(holes), names)
	}
	again, _, _, err := r.Combination(e, zero, r.Goals()[0].Terms()[0])
	if err != nil || again != c {
		t.Errorf("read twice, two terms: %v", err)
	}
	if _, _, _, err = r.Combination(e, nil, nil); err == nil || !strings.Contains(err.Error(), "no hypothesis or fact called zero") {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestAssumption: its equations are kept, absurdity is the goal, and what is asked of its states is given.
func TestAssumption(t *testing.T) {
	r, err := Elaborate(parts(t)["assump-ema/ansatz"])
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Goals()[0]; g.Form() != kernel.Always || g.Inner().Form() != kernel.Absurd {
		t.Error("the goal is not that there is no motion")
	}
	k := r.Kept()
	if len(k) != 4 || k[1].Terms()[0].Head() != kernel.Ddt || k[1].Terms()[0].Arg(0) != k[0].Terms()[0] {
		t.Errorf("%d formulas", len(k))
	}
	if _, ok := r.Hypothesis("h2"); !ok {
		t.Error("the second equation has no name")
	}
	if _, ok := r.Consequence(); !ok {
		t.Error("no consequence")
	}
}

// TestGrammarDefinesTheForms: what a reader is told a form means is what the kernel says it means.
func TestGrammarDefinesTheForms(t *testing.T) {
	forms, err := os.ReadFile("../kernel/form.go")
	if err != nil {
		t.Fatal(err)
	}
	grammar, err := os.ReadFile("../GRAMMAR.md")
	if err != nil {
		t.Fatal(err)
	}
	told := strings.NewReplacer("`", "", "\\", "").Replace(string(grammar))
	found := 0
	for line := range strings.Lines(string(forms)) {
		name, comment, ok := strings.Cut(strings.TrimSpace(line), "// ")
		switch strings.Fields(name + " -")[0] {
		case "Semidefinite", "Definite", "Invertible", "Diagonal", "Absurd", "Always", "Evolves", "NormDecays", "Decays", "StayZero",
			"Vanishes", "Congruence", "Tends":
		default:
			ok = false
		}
		if !ok {
			continue
		}
		found++
		if _, after, ok := strings.Cut(comment, ": "); ok {
			comment = after
		}
		if !strings.Contains(told, comment) {
			t.Errorf("GRAMMAR.md does not say %q", comment)
		}
	}
	if found != 13 {
		t.Errorf("%d forms, expected 13", found)
	}
}
