package lang

import (
	"strings"
	"testing"
)

// TestNestedCommutatorsAreReadOnce counts the terms of commutators inside one another: as many for each level.
func TestNestedCommutatorsAreReadOnce(t *testing.T) {
	work := func(levels int) int {
		text := "claim c\n  title t\n  printed nowhere\n  size n\n  matrix A, B : n x n\n  says s: " +
			strings.Repeat("[", levels) + "A" + strings.Repeat(", B]", levels) + " == 0\n"
		f, err := Parse(Source{Name: "t", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Elaborate(f.Claims[0].Parts[0])
		if err != nil {
			t.Fatal(err)
		}
		return r.Context().Signature().Spent()
	}
	if a, b, c := work(10), work(20), work(40); c-b > 3*(b-a) {
		t.Errorf("10, 20 and 40 levels take %d, %d and %d steps", a, b, c)
	}
}

// TestMarksAreNoNames: what reads like a mark of a hypothesis is one.
func TestMarksAreNoNames(t *testing.T) {
	for _, mark := range []string{"start", "always"} {
		text := "claim c\n  title t\n  printed nowhere\n  scalar x\n  flow\n    x' = -x\n  says s: always x == 0\n    assume " + mark
		if _, err := Parse(Source{Name: "t", Text: text + ": x == 0\n"}); err == nil || !strings.Contains(err.Error(), "t:8:") {
			t.Errorf("a hypothesis called %s: %v", mark, err)
		}
		if _, err := Parse(Source{Name: "t", Text: text + " h: x == 0\n"}); err != nil {
			t.Error(err)
		}
	}
}
