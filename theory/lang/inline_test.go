package lang

import (
	"strings"
	"testing"
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
