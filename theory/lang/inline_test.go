package lang

import (
	"strings"
	"sync"
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

// TestTakenOverMeaning takes over right-hand sides that would mean something else here.
func TestTakenOverMeaning(t *testing.T) {
	system := "system other\n  size n\n  scalar x, y, z\n  random v : n\n  moment v = 2*I\n  flow\n    x' = tr(E(v*v^T))\n    y' = ddt(x)\n    z' = y\n"
	for _, c := range []struct{ what, claim, want string }{
		{"the same moment", "random v : n\n  moment v = I + I\n  says s: rhs(other, x) == 2*size(n)", "another second moment"}, // as terms
		{"the same moment, as written", "random v : n\n  moment v = 2*I\n  says s: rhs(other, x) == 2*size(n)", ""},
		{"another moment", "random v : n\n  moment v = 3*I\n  says s: rhs(other, x) == 2*size(n)", "another second moment"},
		{"no moment", "random v : n\n  says s: rhs(other, x) == 2*size(n)", "another second moment"},
		{"another class", "random v : n centred\n  moment v = 2*I\n  says s: rhs(other, x) == 2*size(n)", "no such random vector"},
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
