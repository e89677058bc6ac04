package region_test

import (
	"fmt"
	"strings"
	"testing"

	"stopgrad/theory/region"
)

// TestWorkIsBounded checks small statements that ask for much, each at a place of its own: they are refused once the
// meter is spent, and the same argument of a smaller statement of the kind is not.
func TestWorkIsBounded(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(", n) + "I(n*m)" + strings.Repeat("^64)", n) }
	sum := func(n int) string {
		var ts []string
		for k := range n {
			ts = append(ts, fmt.Sprintf("x/%d", k+2))
		}
		return strings.Join(ts, " + ")
	}
	const declared = "claim t\n  size n, m\n  scalar x, y, z, u, v, w\n"
	const wide = " for x in [-1, 1], y in [-1, 1], z in [-1, 1], u in [-1, 1], v in [-1, 1], w in [-1, 1], n = 8, m = 8\n"
	for _, c := range []struct{ name, large, small, argument string }{
		{"products of large matrices", "tr(" + deep(2) + ")*x^2 >= 0", "tr(I(n))*x^2 >= 0", "interval"},
		{"polynomials", "(x + y + z + u + v + w + 8)^24 > 0", "(x + y + 8)^2 > 0", "bernstein"},
		{"long numbers", "((x + 1/12345678901234567)^64)^2 + 1 > 0", "(x + 1/3)^2 + 1 > 0", "exact"},
		{"leaves", sum(300) + " + 400 > 0", sum(2) + " + 4 > 0", strings.Repeat("x:0 interval ", 1) + "interval"},
	} {
		for _, large := range []bool{true, false} {
			says := map[bool]string{true: c.large, false: c.small}[large]
			ctx, goals := part(t, declared+"  says s: "+says+"\n   "+wide)
			m := region.Allow(20_000)
			_, err := m.Check(ctx, goals[0], nil, steps(c.argument))
			if refused := err != nil && strings.Contains(err.Error(), "operations in all"); refused != large || !large && err != nil {
				t.Errorf("%s: %s: %v", c.name, says, err)
			}
		}
	}
	// One meter counts several arguments.
	ctx, goals := part(t, declared+"  says s: x^2 + 1 > 0\n   "+wide)
	m := region.Allow(20_000)
	var err error
	for k := 0; k < 1_000 && err == nil; k++ {
		_, err = m.Check(ctx, goals[0], nil, steps("interval"))
	}
	if err == nil {
		t.Error("a thousand arguments, each within the bound, are accepted together")
	}
}

// TestWorkIsThatOfTheOperations checks that what takes longer is counted as more: of two statements with arguments of as many
// boxes, the dear one counts as at least so many times the other.
func TestWorkIsThatOfTheOperations(t *testing.T) {
	long := "1" + strings.Repeat("0", 3_000) + "1/1" + strings.Repeat("0", 3_002) // a little above 1/10
	boxes := func(rule string) string {
		var b strings.Builder
		for k := 1; k < 100; k++ {
			fmt.Fprintf(&b, "x:%d/100 %s ", k, rule)
		}
		return b.String() + rule
	}
	const heavy = "((x + y + 1)*(y + z + 2) + x)*((x + z + 3)*(x + y + 4) + y)*((x + y + 5)*(y + z + 6) + z) + 1"
	sum := func(power string) string {
		var b strings.Builder
		for k := 1; k < 60; k++ {
			fmt.Fprintf(&b, "(x + %d)%s + ", k, power)
		}
		return b.String() + "1 > 0"
	}
	unread := ""
	for k := range 20 {
		unread += fmt.Sprintf("    assume h%d: tr(C) >= %d\n", k, k)
	}
	const declared = "claim t\n  size n\n  scalar x, y, z\n  matrix A, B: n x n\n  size m\n  matrix C: m x m\n"
	box := func(x, n string) string { return " for x in [" + x + ", 1], y in [0, 1], z in [0, 1], n = " + n }
	for _, c := range []struct {
		name, dear, cheap, in, argument string
		assumes                         string // by the dear one alone
		times                           float64
	}{
		{"powers are many products", sum("^60"), sum(""), box("0", "1"), boxes("interval"), "", 1.5},
		{"derivatives by many coordinates", heavy + " > 0", strings.NewReplacer("y", "x", "z", "x").Replace(heavy) + " > 0", box("0", "1"), boxes("slope"), "", 1.6},
		{"both signs", heavy + " != 0", heavy + " > 0", box("0", "1"), boxes("slope"), "", 1.6},
		{"ends that are long numbers", "x + y + 1 > 0", "x + y + 2 > 0", box("0", "1"), boxes("bernstein"), "    assume h: y >= " + long + "\n", 100},
		{"hypotheses that say many things", "x + 1 > 0", "x + 2 > 0", box("0", "8"), "interval", "    assume h: A + B diagonal\n", 3},
		{"hypotheses that say nothing in scalars", "x + 1 > 0", "x + 2 > 0", box("0", "1"), "interval", unread, 1.5},
	} {
		spent := func(says, assumes string) int {
			ctx, goals := part(t, declared+"  says s: "+says+"\n   "+c.in+"\n"+assumes)
			var m region.Meter
			if _, err := m.Check(ctx, goals[0], nil, steps(c.argument)); err != nil {
				t.Errorf("%s: %s: %v", c.name, says, err)
			}
			return m.Spent()
		}
		if dear, cheap := spent(c.dear, c.assumes), spent(c.cheap, ""); float64(dear) < c.times*float64(cheap) {
			t.Errorf("%s: %d and %d", c.name, dear, cheap)
		}
	}
}

// TestPolynomialsAreHeldInBoundedRoom: polynomials that are short one by one, and many, are refused once there is no room, and
// what else is asked of the statement is not.
func TestPolynomialsAreHeldInBoundedRoom(t *testing.T) {
	ctx, goals := part(t, "claim t\n  size n\n  matrix A : n x n symmetric\n  says s: tr((A + 7*I)^12) >= 0\n    for n = 6, A in [-1, 1]\n")
	s, err := region.State(ctx, goals[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Fraction(s.Conditions()[0].Expr); err == nil || !strings.Contains(err.Error(), "words in all") {
		t.Errorf("the polynomial of a long expression: %v", err)
	}
	e := s.Conditions()[0].Expr
	for e.Op() != region.Coordinate {
		a, b := e.Args()
		if e = a; a.Op() == region.Constant {
			e = b
		}
	}
	if p, _, err := s.Fraction(e); err != nil || len(p) != 1 {
		t.Errorf("that of a coordinate: %v, %v", p, err)
	}
}
