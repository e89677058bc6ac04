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
			m := region.NearlySpent(20_000)
			_, err := m.Check(ctx, goals[0], nil, steps(c.argument))
			if refused := err != nil && strings.Contains(err.Error(), "operations in all"); refused != large || !large && err != nil {
				t.Errorf("%s: %s: %v", c.name, says, err)
			}
		}
	}
	// One meter counts several arguments.
	ctx, goals := part(t, declared+"  says s: x^2 + 1 > 0\n   "+wide)
	m := region.NearlySpent(20_000)
	var err error
	for k := 0; k < 1_000 && err == nil; k++ {
		_, err = m.Check(ctx, goals[0], nil, steps("interval"))
	}
	if err == nil {
		t.Error("a thousand arguments, each within the bound, are accepted together")
	}
}
