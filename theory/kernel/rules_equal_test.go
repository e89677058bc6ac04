package kernel

import (
	"strings"
	"testing"
)

// prove applies a rule and fails the test if it is refused.
func prove(t testing.TB, c *Context, rule, goal string, premises []Theorem, terms ...*Term) Theorem {
	t.Helper()
	th, err := c.Apply(rule, statement(t, c.dyn.sig, goal), premises, terms...)
	if err != nil {
		t.Fatalf("%s by %s: %v", goal, rule, err)
	}
	return th
}

// refused wants a rule to be refused for a reason that mentions why.
func refused(t testing.TB, c *Context, rule, goal, why string, premises []Theorem, terms ...*Term) {
	t.Helper()
	th, err := c.Apply(rule, statement(t, c.dyn.sig, goal), premises, terms...)
	if err == nil {
		t.Errorf("%s by %s is proved", goal, rule)
	} else if th.Valid() {
		t.Errorf("%s by %s: a theorem beside an error", goal, rule)
	} else if !strings.Contains(err.Error(), why) {
		t.Errorf("%s by %s: refused with %q, want %q", goal, rule, err, why)
	}
}

func TestHypotheses(t *testing.T) {
	s := declare(t, "n; x y; A:n,n")
	d := NewDynamics(s)
	c, more := state(t, d, "x > 0"), state(t, d, "y > 0", "x > 0")
	th := prove(t, c, "hyp", "x > 0", nil)
	refused(t, c, "hyp", "y > 0", "no hypothesis", nil)
	refused(t, c, "hyp", "x >= 0", "no hypothesis", nil)
	prove(t, more, "thin", "x > 0", []Theorem{th})
	refused(t, more, "thin", "y > 0", "repeats", []Theorem{th})
	refused(t, c, "thin", "x > 0", "assumes more", []Theorem{prove(t, more, "hyp", "x > 0", nil)})
	refused(t, c, "thin", "x > 0", "states nothing", []Theorem{{}})
	refused(t, c, "thin", "x > 0", "takes 1 premise", nil)
	// A hypothesis whose divisor nobody knows anything about is of no use.
	e := state(t, d, "1/x > 0")
	refused(t, e, "hyp", "1/x > 0", "!= 0", nil)
	// Theorems of other dynamics, even of equal text, are no premises.
	other := state(t, NewDynamics(s), "x > 0")
	refused(t, other, "thin", "x > 0", "other dynamics", []Theorem{th})
}

func TestPartialReading(t *testing.T) {
	s := declare(t, "n; x y a; A:n,n")
	d := NewDynamics(s)
	c := state(t, d)
	for _, goal := range []string{"x/x == 1", "0*(1/x) == 0", "(1/x)^0 == 1", "1/x == 1/x"} {
		refused(t, c, "modulo", goal, "needed and not established: ", nil)
	}
	refused(t, c, "modulo", "root(x)^2 == x", "needed and not established: ", nil)
	refused(t, c, "modulo", "inv(A)*A == I(n)", "needed and not established: ", nil)
	p := state(t, d, "x > 0", "y >= 0", "A invertible")
	prove(t, p, "hyp", "x > 0", nil)
	prove(t, p, "hyp", "y >= 0", nil)
	prove(t, p, "hyp", "A invertible", nil)
	th := prove(t, p, "modulo", "x/x == 1", nil)
	if n := th.Needs(); len(n) != 1 || n[0].Rule() != "hyp" {
		t.Errorf("x/x == 1 rests on %d theorems", len(n))
	}
	prove(t, p, "modulo", "0*(1/x) == 0", nil)
	prove(t, p, "modulo", "root(y)^2 == y", nil)
	prove(t, p, "modulo", "inv(A)*A == I(n)", nil)
	refused(t, p, "modulo", "y/y == 1", "needed and not established: ", nil)
	refused(t, p, "modulo", "root(y - 1)^2 == y - 1", "needed and not established: ", nil)
	refused(t, p, "modulo", "1/(x + x*y) == 1/(x + x*y)", "needed and not established: ", nil)
}

func TestModulo(t *testing.T) {
	s := declare(t, "n m; x y; A:n,n B:n,n X:n,m Y:n,m; hole h; hole H:n,n K:n,n M:m,m; state p")
	d := NewDynamics(s)
	if err := d.AddFlow(s.Lookup("p"), read(t, s, "p")); err != nil {
		t.Fatal(err)
	}
	c := state(t, d, "A == B", "x == y", "p == 0", "X == Y")
	ab := prove(t, c, "hyp", "A == B", nil)
	xy := prove(t, c, "hyp", "x == y", nil)
	p0 := prove(t, c, "hyp", "p == 0", nil)
	term := func(src string) *Term { return read(t, s, src) }
	prove(t, c, "modulo", "A^2 == B*A", []Theorem{ab}, term("H*A"), term("H"))
	prove(t, c, "modulo", "x*A == y*B", []Theorem{ab, xy}, term("x*H + h*B"), term("H"), term("h"))
	refused(t, c, "modulo", "A^2 == B*A", "is not zero", []Theorem{ab}, term("A*H + H*A"), term("H"))
	refused(t, c, "modulo", "A^2 == B*A", "contains no hypothesis", []Theorem{ab}, term("A^2 - B*A + 0*H"), term("H"))
	refused(t, c, "modulo", "A^2 == B*A", "a combination and a hole", []Theorem{ab}, term("H*A"))
	refused(t, c, "modulo", "A^2 == B*A", "no hole", []Theorem{ab}, term("A*A - B*A"), term("A"))
	refused(t, c, "modulo", "x*A == y*B", "no hole", []Theorem{ab, ab}, term("x*H + H*B"), term("H"), term("H"))
	refused(t, c, "modulo", "A^2 == B*A", "has not the shape", []Theorem{ab}, term("h*A"), term("h"))
	refused(t, c, "modulo", "A == B", "is not zero", nil)
	refused(t, c, "modulo", "A^2 == B*A", "no hole", []Theorem{ab}, term("A*A - B*A"), term("A*A"))
	of := prove(t, c, "hyp", "X == Y", nil)
	refused(t, c, "modulo", "X == Y", "has not the shape", []Theorem{of}, term("H*X"), term("H"))
	refused(t, c, "modulo", "X == Y", "has not the shape", []Theorem{of}, term("X*M"), term("M"))
	refused(t, c, "modulo", "x >= y", "establishes eq", []Theorem{xy}, term("h"), term("h"))
	// The derivative of what is zero at an instant need not be zero.
	refused(t, c, "modulo", "ddt(p) == 1", "", []Theorem{p0}, term("ddt(h)"), term("h"))
	// A premise of another context.
	e := state(t, d)
	refused(t, e, "modulo", "x == y", "another context", []Theorem{xy}, term("h"), term("h"))
	// A divisor of the combination.
	refused(t, c, "modulo", "x == y", "needed and not established", []Theorem{xy}, term("h*x/x"), term("h"))
	refused(t, c, "modulo", "x == y", "division by zero", []Theorem{xy}, term("h + 0*(1/h)"), term("h"))
}

func TestRootsInversesAndNulls(t *testing.T) {
	s := declare(t, "n m; x y q; A:n,n B:n,n C:n,m X:n,m P:n,n")
	c := state(t, NewDynamics(s), "x >= 0", "x^2 == q", "q >= 0", "A*B == I(n)", "y >= 0", "0 >= y", "tr(X^T*X) + y == 0", "x - y == 0", "C*C^T == I(n)",
		"0 >= x", "P*I(n) == I(n)",
		"x >= q", "y^2 == q", "x^2 == y", "P == I(n)", "A*B == P", "x*I(n) == I(n)", "y >= x", "x >= y", "P == O(n,n)", "tr(X^T*X) + y == q")
	h := func(goal string) Theorem { return prove(t, c, "hyp", goal, nil) }
	h("q >= 0")
	prove(t, c, "root", "x == root(q)", []Theorem{h("x >= 0"), h("x^2 == q")})
	refused(t, c, "root", "y == root(q)", "root concludes", []Theorem{h("x >= 0"), h("x^2 == q")})
	refused(t, c, "root", "x == root(q)", "root concludes", []Theorem{h("y >= 0"), h("x^2 == q")})
	refused(t, c, "root", "x == root(q)", "premise 1", []Theorem{h("x^2 == q"), h("x >= 0")})
	refused(t, c, "root", "x == q", "root concludes", []Theorem{h("x >= 0"), h("x^2 == q")})
	refused(t, c, "root", "x == root(q)", "root concludes", []Theorem{h("x >= q"), h("x^2 == q")})
	refused(t, c, "root", "x == root(q)", "root concludes", []Theorem{h("x >= 0"), h("y^2 == q")})
	refused(t, c, "root", "x == root(q)", "root concludes", []Theorem{h("x >= 0"), h("x^2 == y")})
	refused(t, c, "inverse", "P invertible", "inverse needs", []Theorem{h("P == I(n)")})
	refused(t, c, "inverse", "A invertible", "inverse needs", []Theorem{h("A*B == P")})
	refused(t, c, "inverse", "A invertible", "inverse needs", []Theorem{h("x*I(n) == I(n)")})
	refused(t, c, "null", "y == 0", "null needs", []Theorem{h("x >= 0"), h("0 >= y")})
	refused(t, c, "null", "y == 0", "null needs", []Theorem{h("y >= x"), h("0 >= y")})
	refused(t, c, "null", "y == 0", "null needs", []Theorem{h("y >= 0"), h("x >= y")})
	refused(t, c, "null", "X == O(n,m)", "one term", []Theorem{h("tr(X^T*X) + y == 0"), h("y >= 0")}, read(t, s, "y"), read(t, s, "y"))
	refused(t, c, "null", "X == O(n,m)", "null needs", []Theorem{h("P == O(n,n)"), h("y >= 0")}, read(t, s, "y"))
	refused(t, c, "null", "X == O(n,m)", "null needs", []Theorem{h("tr(X^T*X) + y == q"), h("y >= 0")}, read(t, s, "y"))
	refused(t, c, "null", "X == O(n,m)", "null needs", []Theorem{h("tr(X^T*X) + y == 0"), h("y >= x")}, read(t, s, "y"))
	prove(t, c, "inverse", "A invertible", []Theorem{h("A*B == I(n)")})
	prove(t, c, "inverse", "B == inv(A)", []Theorem{h("A*B == I(n)")})
	refused(t, c, "inverse", "B invertible", "inverse concludes", []Theorem{h("A*B == I(n)")})
	refused(t, c, "inverse", "C*C^T invertible", "square", []Theorem{h("C*C^T == I(n)")})
	prove(t, c, "inverse", "A*inv(A) == I(n)", nil)
	prove(t, c, "inverse", "inv(A)*A == I(n)", nil)
	refused(t, c, "inverse", "A*inv(B) == I(n)", "inverse concludes", nil)
	refused(t, c, "inverse", "B*inv(B) == I(n)", "needed and not established", nil)
	prove(t, c, "null", "y == 0", []Theorem{h("y >= 0"), h("0 >= y")})
	refused(t, c, "null", "x == 0", "null needs", []Theorem{h("y >= 0"), h("0 >= y")})
	refused(t, c, "null", "y == 0", "null needs", []Theorem{h("y >= 0"), h("0 >= x")})
	refused(t, c, "null", "x == y", "null concludes", []Theorem{h("y >= 0"), h("0 >= y")})
	prove(t, c, "null", "X == O(n,m)", []Theorem{h("tr(X^T*X) + y == 0"), h("y >= 0")}, read(t, s, "y"))
	refused(t, c, "null", "C == O(n,m)", "is not zero", []Theorem{h("tr(X^T*X) + y == 0"), h("y >= 0")}, read(t, s, "y"))
	refused(t, c, "null", "X == O(n,m)", "null needs", []Theorem{h("tr(X^T*X) + y == 0"), h("y >= 0")}, read(t, s, "x"))
	refused(t, c, "null", "X == O(n,m)", "null needs", []Theorem{h("x - y == 0"), h("x >= 0")}, read(t, s, "y"))
}

// TestClosed: a theorem about a hole, in what it states or in what it assumes, is none about symbols.
func TestClosed(t *testing.T) {
	s := declare(t, "n; x; hole h")
	d := NewDynamics(s)
	plain, about := state(t, d, "x > 0"), state(t, d, "x > 0", "h > 0")
	for _, c := range []struct {
		name, why string
		th        Theorem
	}{
		{"no hole", "", prove(t, plain, "hyp", "x > 0", nil)},
		{"a hole in the statement", "speaks of a hole", prove(t, plain, "modulo", "h == h", nil)},
		{"a hole in a hypothesis", "speaks of a hole", prove(t, about, "hyp", "x > 0", nil)},
		{"no theorem", "states nothing", Theorem{}},
	} {
		if err := c.th.Closed(); (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
