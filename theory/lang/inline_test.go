package lang

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"stopgrad/theory/kernel"
)

// TestManyLargeRightHandSides takes over a large right-hand side again and again: each is small enough, all are not.
func TestManyLargeRightHandSides(t *testing.T) {
	var b strings.Builder
	b.WriteString("system big\n  scalar x\n  let a0 = x\n")
	for i := 1; i < 13; i++ {
		b.WriteString("  let a" + string(rune('A'+i)) + " = ")
		last := "a" + string(rune('A'+i-1))
		if i == 1 {
			last = "a0"
		}
		b.WriteString(last + "*" + last + "\n")
	}
	b.WriteString("  flow\n    x' = aM\nclaim c\n  title t\n  printed nowhere\n  scalar x\n")
	few := b.String() + "  says s: rhs(big, x) + rhs(big, x) == x\n"
	if _, err := Parse(Source{Name: "few.claim", Text: few}); err != nil {
		t.Fatal(err)
	}
	many := b.String() + "  says s: " + strings.Repeat("rhs(big, x) + ", 200) + "x == x\n"
	if _, err := Parse(Source{Name: "many.claim", Text: many}); err == nil || !strings.Contains(err.Error(), "too large to take over") {
		t.Errorf("200 large right-hand sides: %v", err)
	}
}

// TestDeepRightHandSides takes over many symbols under many calls, and many expectations, into long definitions: each is looked at
// once.
func TestDeepRightHandSides(t *testing.T) {
	doubled := func(name, first string, n int) string {
		out := "  let " + name + "0 = " + first + "\n"
		for i := 1; i < n; i++ {
			out += fmt.Sprintf("  let %[1]s%[2]d = %[1]s%[3]d + %[1]s%[3]d\n", name, i, i-1)
		}
		return out
	}
	text := "system deep\n  scalar x, y, z\n" + doubled("d", "y", 15) + "  flow\n    x' = " + strings.Repeat("diff(", 80) + "d14" + strings.Repeat(", z)", 80) +
		"\nsystem averaged\n  size n\n  scalar x, a\n  random v : n\n" + doubled("d", "a", 14) + "  moment v = d13*I(n)\n" + doubled("e", "E(tr(v*v^T))", 12) +
		"  flow\n    x' = e11\nsystem signs\n  scalar x, y\n" + doubled("f", "y", 14) + "  flow\n    x' = " + strings.Repeat("-", 400) + "f13\nclaim c\n"
	for _, c := range []struct{ claim, want string }{
		{"  scalar x, z, c\n  let y = " + strings.Repeat("c + ", 800) + "c\n  says s: rhs(deep, x)" + strings.Repeat(" + rhs(deep, x)", 7) + " == 0\n", "nested deeper"},
		{"  uses averaged\n  says s: rhs(averaged, x) == 0\n", ""},
		{"  scalar x, y\n  input u\n  flow\n    x' = u\n  says s: rhs(signs, x) + ddt(u) == 0\n", "a.claim:76:27: the input symbol u has no derivative in time"},
	} {
		f, err := Parse(Source{Name: "a.claim", Text: text + c.claim})
		if err == nil {
			_, err = Elaborate(f.Claims[0].Parts[0])
		}
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %q", c.claim, err, c.want)
		}
	}
}

// TestTakenOverMeaning takes over right-hand sides that would mean something else here.
func TestTakenOverMeaning(t *testing.T) {
	system := "system other\n  size n\n  scalar x, y, z\n  random v : n\n  moment v = 2*I\n  flow\n    x' = tr(E(v*v^T))\n    y' = ddt(x)\n    z' = y\nsystem plain\n  size n\n  matrix A, X : n x n\n  random v : n\n  moment v = X\n  flow\n    A' = E(v*v^T)\nsystem renamed\n  size n\n  matrix A, Q : n x n\n  random v : n\n  let X = Q\n  moment v = Q\n  flow\n    A' = rhs(plain, A)\nsystem wrong\n  size n\n  scalar x, y, z\n  random v : n\n  moment v = 3*I\n  flow\n    x' = rhs(other, x)\nsystem fixed\n  size n\n  scalar x\n  matrix u : n x 1\n  flow\n    x' = tr(E(u*u^T))\n"
	for _, c := range []struct{ what, claim, want string }{
		{"the same moment", "random v : n\n  moment v = I + I\n  says s: rhs(other, x) == 2*size(n)", "another second moment"}, // as terms
		{"the same moment, as written", "random v : n\n  moment v = 2*I\n  says s: rhs(other, x) == 2*size(n)", ""},
		{"another moment", "random v : n\n  moment v = 3*I\n  says s: rhs(other, x) == 2*size(n)", "another second moment"},
		{"no moment", "random v : n\n  says s: rhs(other, x) == 2*size(n)", "another second moment"},
		{"another class", "random v : n centred\n  moment v = 2*I\n  says s: rhs(other, x) == 2*size(n)", "no such random vector"},
		{"random here alone", "size m\n  random u : n\n  moment u = 2*I\n  says s: rhs(fixed, x) == 2*size(n)", "in which u is fixed"},
		{"by way of a system with another name for it", "matrix A, X, Q : n x n\n  random v : n\n  moment v = X\n  says s: rhs(renamed, A) == X", "another second moment"},
		{"by way of a system, the same", "matrix A, X, Q : n x n\n  random v : n\n  moment v = Q\n  says s: rhs(renamed, A) == Q", ""},
		{"by way of a system with another moment", "random v : n\n  moment v = 3*I\n  says s: rhs(wrong, x) == 0", "another second moment"},
		{"fixed in both", "matrix u : n x 1\n  says s: rhs(fixed, x) == tr(u*u^T)", ""},
		{"another motion", "flow\n    x' = 5\n  says s: rhs(other, y) == 5", "follows the motion of its own system"},
		{"nothing of the kind", "says s: rhs(other, z) == y", ""},
	} {
		f, err := Parse(Source{Name: "a.claim", Text: system + "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x, y, z\n  " + c.claim + "\n"})
		if err == nil {
			_, err = Elaborate(f.Claims[0].Parts[0])
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// TestNothingIsCaptured takes over right-hand sides in which a symbol is bound that a definition here would bring in
// through another one: with y = x, diff(x^2*y, x) would be 3*x^2 and is 2*x*y.
func TestNothingIsCaptured(t *testing.T) {
	system := `system other
  size n
  scalar x, y, z, w
  matrix W, A : n x n
  random v : n
  moment v = 2*I
  flow
    x' = diff(x^2*y, x)
    y' = at(x*y, x, z)
    z' = diff(x*sg(y), x)
    w' = E(y*tr(A))
    W' = grad(tr(W*A), W)
system averaged
  size n
  matrix W, A, X : n x n
  scalar x, y
  random v, u : n
  moment v = X
  moment u = y*I
  flow
    W' = grad(E(tr(W*v*v^T)), W)
    A' = grad(tr(E(v*v^T)), W)
    x' = diff(E(x*tr(u*u^T)), x)
system through
  scalar x, z, w
  let y = x
  flow
    x' = rhs(other, x)
system beside
  scalar x, z, w
  let y = z
  flow
    x' = rhs(other, x)
`
	for _, c := range []struct{ what, claim, want string }{
		{"by diff", "scalar x\n  let y = x\n  says s: rhs(other, x) == 0", "diff(…), in which x is bound, and y"},
		{"by way of another definition", "scalar x\n  let u = x\n  let y = u\n  says s: rhs(other, x) == 0", "in which x is bound, and y"},
		{"by a root", "scalar x\n  root y = x\n  says s: rhs(other, x) == 0", "in which x is bound, and y"},
		{"by a derivative", "scalar x, z\n  flow\n    z' = x\n  let y = ddt(z)\n  says s: rhs(other, x) == 0", "in which x is bound, and y"},
		{"by at", "scalar x, z\n  let y = x\n  says s: rhs(other, y) == 0", "at(…), in which x is bound, and y"},
		{"by grad", "matrix W : n x n\n  let A = W\n  says s: rhs(other, W) == 0", "grad(…), in which W is bound, and A"},
		{"by E", "scalar x\n  random v : n\n  moment v = 2*I\n  let y = tr(v*v^T)\n  matrix A : n x n\n  says s: rhs(other, w) == 0", "E(…), in which v is bound, and y"},
		{"by a moment", "matrix W, A : n x n\n  random v : n\n  let X = W*W^T\n  moment v = X\n  says s: rhs(averaged, W) == X", "grad(…), in which W is bound, and X"},
		{"by a moment alone", "matrix W, A : n x n\n  random v : n\n  let X = W*W^T\n  moment v = X\n  says s: rhs(averaged, A) == 0", "grad(…), in which W is bound, and X"},
		{"by a moment, in diff", "scalar x\n  let y = x^2\n  random u : n\n  moment u = y*I\n  says s: rhs(averaged, x) == 0", "diff(…), in which x is bound, and y"},
		{"by no moment", "matrix W, B : n x n\n  random v : n\n  let X = B*B^T\n  moment v = X\n  says s: rhs(averaged, W) == X", ""},
		{"a value put in", "scalar x, y\n  let z = x\n  says s: rhs(other, y) == x*y", ""},
		{"under a stop-gradient", "scalar x\n  let y = x\n  says s: rhs(other, z) == x", ""},
		{"something else", "scalar x, z\n  let y = z\n  says s: rhs(other, x) == 2*x*z", ""},
		{"on the way", "uses through\n  says s: rhs(through, x) == 0", "in which x is bound, and y"},
		{"nothing on the way", "uses beside\n  says s: rhs(beside, x) == 2*x*z", ""},
	} {
		f, err := Parse(Source{Name: "a.claim", Text: system + "claim c\n  title t\n  printed nowhere\n  size n\n  " + c.claim + "\n"})
		if err == nil {
			_, err = Elaborate(f.Claims[0].Parts[0])
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// TestWordsThatBeginAStatementNameNothing, neither in a file nor in a certificate: what is printed would read as something else.
func TestWordsThatBeginAStatementNameNothing(t *testing.T) {
	for _, word := range []string{"T", "stationary", "assumption", "sampled", "always", "absurd", "inf"} {
		if _, err := Parse(Source{Name: "a.claim", Text: "claim c\n  title t\n  scalar " + word + "\n  says s: 0 >= 0\n"}); err == nil || !strings.Contains(err.Error(), "reserved") {
			t.Errorf("%s in a file: %v", word, err)
		}
		if err := kernel.NewSignature().DeclareSize(word); err == nil {
			t.Errorf("the kernel has a size called %s", word)
		}
	}
}

// TestExtent counts a definition once however often it is used, and what a part does not mention not at all.
func TestExtent(t *testing.T) {
	for body, want := range map[string]int{
		"says s: x == y":                                            2,
		"let z = x*y\n  says s: z + z == z":                         4 + 3,
		"let z = x*y\n  says s: x == y\n    assume h: x >= 1":       2 + 2,
		"let z = x*y\n  flow\n    x' = z + 1\n  says s: x vanishes": 1 + 3 + 3,
		"let z = x*y\n  flow\n    x' = x\n  says s: always z <= 1":  2 + 3 + 1,
		"root r = x^2 + 1\n  let z = r*r\n  says s: z == z*z":       4 + 3 + 4,
	} {
		f, err := Parse(Source{Name: "a.claim", Text: "claim c\n  title t\n  scalar x, y\n  " + body + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Claims[0].Parts[0].Extent(); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

// TestMomentsThroughTwoSystems: second moments that are written alike are not the same where a call in them means what each system
// decides, by the structure that it declares or by a definition of its own.
func TestMomentsThroughTwoSystems(t *testing.T) {
	for _, c := range []struct{ first, second, moment, want string }{
		{"matrix W : n x n symmetric", "matrix W : n x n", "grad(tr(W*A), W)*grad(tr(W*A), W)^T", "second moment of v grad(…)"},
		{"scalar x, y", "scalar x\n  let y = x", "diff(x*y, x)^2*I", "second moment of v diff(…)"},
		{"matrix W : n x n", "matrix W : n x n", "grad(tr(W*A), W)*grad(tr(W*A), W)^T", "second moment of v grad(…)"},
		{"scalar x, y", "scalar x, y", "at(x*y, x, 2)^2*I", "second moment of v at(…)"},
		{"scalar x, y", "scalar x, y", "x^2*sym(A)*tr(A)*inv(A)", ""},
		{"scalar x, y", "scalar x, y\n  let z = x", "x^2*I", ""},
	} {
		system := func(name, letters, law string) string {
			return "system " + name + "\n  size n\n  matrix A : n x n pd\n  random v : n\n  scalar w\n  " + letters + "\n  moment v = " + c.moment + "\n  flow\n    w' = " + law + "\n"
		}
		text := system("one", c.first, "tr(E(v*v^T))") + system("two", c.second, "rhs(one, w)") +
			"claim c\n  title t\n  size n\n  matrix A : n x n pd\n  random v : n\n  scalar w\n  " + c.second + "\n  moment v = " + c.moment + "\n  says s: rhs(two, w) == tr(E(v*v^T))\n"
		f, err := Parse(Source{Name: "a.claim", Text: text})
		if err == nil {
			_, err = Elaborate(f.Claims[0].Parts[0])
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %s: %v, want %q", c.second, c.moment, err, c.want)
		}
	}
}

// TestRightHandSidesKeepTheirShape: a multiple of I, or 0, that is taken over has the shape of its variable, not that of its place.
func TestRightHandSidesKeepTheirShape(t *testing.T) {
	const system = `system other
  size n, m
  scalar a
  matrix X, Z, V : n x n
  matrix R : n x m
  let half = a/2*I
  flow
    X' = 2*I
    Z' = 0
    V' = tr(Z*(I + X))*half - sym(I)^2
    R' = 0
`
	for _, c := range []struct{ says, want string }{
		{"says s: rhs(other, X)*A == 2*A", ""},
		{"says s: A*rhs(other, X) == 2*A", "m columns do not meet n rows"},
		{"says s: tr(rhs(other, X)) == 2*size(n)", ""},
		{"says s: a*rhs(other, Z) + 1 == 1", "cannot be added"},
		{"says s: rhs(other, Z)*A == 0*A", ""},
		{"says s: A*rhs(other, Z) == 0*A", "m columns do not meet n rows"},
		{"says s: A + rhs(other, R) == A", ""},
		{"says s: A^T + rhs(other, R) == A^T", "cannot be added"},
		{"says s: rhs(other, V)*A == 0*A", ""},
		{"says s: A*rhs(other, V) == 0*A", "m columns do not meet n rows"},
	} {
		text := system + "claim c\n  title t\n  size n, m\n  scalar a\n  matrix Z, X : n x n\n  matrix A : n x m\n  " + c.says + "\n"
		f, err := Parse(Source{Name: "a.claim", Text: text})
		if err == nil {
			_, err = Elaborate(f.Claims[0].Parts[0])
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.says, err, c.want)
		}
	}
	f, err := Parse(Source{Name: "a.claim", Text: system + "claim c\n  title t\n  size k\n  scalar a\n  matrix A : k x k\n  says s: A + rhs(other, X) == A\n"})
	if err == nil || !strings.Contains(err.Error(), "sizes declared: [k]") {
		t.Errorf("a size that is not declared: %v, %v", f, err)
	}
}

// TestTextReadsAsItIsWritten: no character of a file, in prose or a comment, moves or hides others on a terminal.
func TestTextReadsAsItIsWritten(t *testing.T) {
	for _, r := range "\x00\a\b\v\f\r\x1b\x7f\u0085\u009b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069" {
		for line, text := range map[int]string{
			2: "claim c\n  title α%\n  says s: 0 >= 0\n",
			3: "claim c\n  title t\n  says s: 0 >= 0 # α%\n",
			4: "claim c\n  title t\n  says s: 0 >= 0\n    twin \"α%b\" -> \"a\"\n",
		} {
			col := len([]rune(strings.Split(text, "%")[0][strings.LastIndex(strings.Split(text, "%")[0], "\n")+1:])) + 1
			want := fmt.Sprintf("a.claim:%d:%d: the control character %U", line, col, r)
			if _, err := Parse(Source{Name: "a.claim", Text: strings.Replace(text, "%", string(r)+"x", 1)}); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%U: %v, want %q", r, err, want)
			}
		}
	}
	for _, good := range []string{"claim c\r\n  title naïve Σ ‘x’ – 中\r\n  says s: 0 >= 0\r\n", "claim c\n  title a\tb\n  says s:\t0 >= 0\n"} {
		if _, err := Parse(Source{Name: "a.claim", Text: good}); err != nil {
			t.Error(err)
		}
	}
}

// TestWhereRightHandSidesStand: nothing is taken over into what belongs to no statement, and the message says so.
func TestWhereRightHandSidesStand(t *testing.T) {
	const text = "system s\n  scalar x\n  flow\n    x' = -x\nclaim c\n  title t\n  uses s\n"
	for _, item := range []string{
		"  says s: assumption ddt(x) + x == 0\n    consequence rhs(s, x) == -x\n",
		"  says s: x^2 >= 0\n    draw x = rhs(s, x)\n",
		"  root r = rhs(s, x)\n  says s: x^2 >= 0\n",
	} {
		if _, err := Parse(Source{Name: "a.claim", Text: text + item}); err == nil || !strings.Contains(err.Error(), "rhs stands in statements, hypotheses") {
			t.Errorf("%s: %v", item, err)
		}
	}
}

// TestEveryUsesOfASystemCounts: systems may be named on one line or on several.
func TestEveryUsesOfASystemCounts(t *testing.T) {
	const text = "system a\n  scalar x\nsystem b\n  scalar y\nsystem s\n  uses a\n  uses b\nclaim c\n  title t\n  uses s\n  says s: x + y == y + x\n"
	f, err := Parse(Source{Name: "a.claim", Text: text})
	if err != nil || f.Claims[0].Parts[0].Env.Symbols["x"] == nil {
		t.Error(err)
	}
}

// TestNothingIsPassedOver: an item where nobody reads it, such as a hypothesis below a declaration, is a mistake of the file.
func TestNothingIsPassedOver(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"claim c\n  title t\n  scalar x\n  for x in [0, 1]\n  says s: x >= 0\n", "a.claim:4:3: ‘for’ is not an item of a claim"},
		{"claim c\n  title t\n  scalar x\n  words some\n  says s: x >= 0\n", "‘words’ is not an item of a claim"},
		{"system c\n  scalar x\n  assume h: x >= 0\n", "‘assume’ is not an item of a system"},
		{"system c\n  scalar x\n  says h: x >= 0\n", "‘says’ is not an item of a system"},
		{"claim c\n  title t\n  scalar x\n    for x in [0, 1]\n  says s: x >= 0\n", "‘for’ stands below ‘scalar’"},
		{"claim c\n  title t\n  scalar x\n  let y = x\n    assume h: x >= 0\n  says s: x >= 0\n", "‘assume’ stands below ‘let’"},
		{"claim c\n  title t\n  scalar x\n  says s: x >= 0\n    assume h: x <= 1\n      assume k: x >= 0\n", "a.claim:6:7: ‘assume’ stands below ‘assume’"},
		{"claim c\n  title t\n  scalar x\n  says s: x >= 0\n    twin \"x\" -> \"-x\"\n      assume k: x >= 0\n", "‘assume’ is not an item of a twin"},
		{"claim c\n  title t\n  scalar x\n  flow\n    x' = -x\n      let y = x\n  says s: x == x\n", "‘let’ stands below ‘x'’"},
		{"claim c\n  title t\n  scalar x\n  flow fast\n    x' = -x\n  says s: x == x\n", "expected ‘flow’ alone on its line"},
		{"claim c\n  title t\n  scalar x\n  flow\n    x' = -x\n  flow\n    x' = x\n  says s: x == x\n", "a.claim:6:3: a second ‘flow’ of the same claim; the first is in line 4"},
		{"claim c\n  title t\n  title u\n  says s: 0 >= 0\n", "a.claim:3:3: a second ‘title’ of the same claim"},
		{"system c\n  about t\n  scalar x\n  about u\n", "a.claim:4:3: a second ‘about’ of the same system"},
		{"system a\n  scalar x\nsystem b\n  scalar x\nclaim c\n  title t\n  says s: x >= 0\n    uses a\n    uses b\n", "a.claim:9:5: a second ‘uses’ of the same says"},
		{"claim c\n  title t\n  scalar x, y\n  flow\n    x' = 0\n    y' = 0\n  says s: assumption x - y == 0\n    consequence x == y\n    consequence y == x\n", "a.claim:9:5: a second ‘consequence’ of the same says"},
		{"claim c\n  title t\n  scalar x\n  says s: x == x\n    proof\n      expand\n    proof\n      expand\n", "a.claim:7:5: a second ‘proof’ of the same says"},
		{"claim c\n  title t\n  scalar x\n  says s: sampled \"p\"\n    words w\n    assume h: x >= 0\n", "a.claim:6:5: ‘assume’ below a sampled statement"},
		{"claim c\n  title t\n  scalar x\n  says s: x == x\n    proof fact f: x == 7 by nonsense\n      expand\n", "a.claim:5:5: expected ‘proof’ alone on its line"},
		{"claim c\n  title t\n  scalar x\n  says s: x == x\n    assume start always: x >= 0\n", "a.claim:5:18: always is no name of a hypothesis"},
		{"claim c\n  title t\n  scalar x\n  says s: x == x\n    assume always start: x >= 0\n", "a.claim:5:19: start is no name of a hypothesis"},
		{"claim c\n  title t\n  scalar x\n  says s: x >= 0\n    twin \"x\" -> \"-x\"\n      why a\n      why b\n", "a.claim:7:7: a second ‘why’ of the same twin"},
		{"note c\n  wrong\n", ""},
		{"wrong c\n  wrong\n", "‘wrong’ is not an item of ‘wrong’"},
	} {
		if _, err := Parse(Source{Name: "a.claim", Text: c.text}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestTwinsAreReadAtTheSameTime: an audit reads twins from several goroutines, and a right-hand side that one of them takes
// over leads nowhere for the others.
func TestTwinsAreReadAtTheSameTime(t *testing.T) {
	text := "system big\n  scalar x\n  flow\n    x' = " + strings.Repeat("x + ", 500) + "x\nclaim c\n  title t\n  printed nowhere\n  scalar x\n" +
		"  says s: rhs(big, x) == 501*x\n    twin \"501\" -> \"502\"\n"
	f, err := Parse(Source{Name: "t.claim", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Claims[0]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := f.Mutate(c, c.Parts[0], c.Parts[0].Twins[0]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
