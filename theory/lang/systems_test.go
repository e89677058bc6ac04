package lang

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
)

// TestSystemsAreReadOnceEach: systems that take right-hand sides from each other, twice each, are read once each, or this does
// not end.
func TestSystemsAreReadOnceEach(t *testing.T) {
	var b strings.Builder
	b.WriteString("system s0\n  scalar x\n  flow\n    x' = x\n")
	for k := range 40 {
		fmt.Fprintf(&b, "system s%d\n  scalar x\n  let a0 = rhs(s%d, x)\n  let a1 = rhs(s%d, x)\n  flow\n    x' = a0 + x - a1\n", k+1, k, k)
	}
	b.WriteString("claim c\n  uses s3\n  says p: ddt(x) == x\n")
	if _, err := Parse(Source{Name: "f", Text: b.String()}); err == nil || !strings.Contains(err.Error(), "too large to take over") {
		t.Errorf("forty doublings of a right-hand side: %v", err)
	}
	text := strings.ReplaceAll(b.String(), "x' = a0 + x - a1", "x' = x")
	f, err := Parse(Source{Name: "f", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Elaborate(f.Claims[0].Parts[0]); err != nil {
		t.Error(err)
	}
}

// TestTwinsReachRightHandSides: what a twin replaces in a system is replaced wherever a right-hand side of it is taken over.
func TestTwinsReachRightHandSides(t *testing.T) {
	f, err := Parse(Source{Name: "f", Text: "system S\n  scalar x\n  flow\n    x' = -3*x\nclaim c\n  uses S\n  says p: ddt(x) == rhs(S, x)\n    twin \"-3*x\" -> \"-4*x\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Claims[0]
	for _, p := range []*Part{kept(f.Mutate(c, c.Parts[0], c.Parts[0].Twins[0])), c.Parts[0]} {
		r, err := Elaborate(p)
		if err != nil {
			t.Fatal(err)
		}
		d, ts := r.Context().Dynamics(), r.Goals()[0].Terms()
		if a, b := kept(d.Unfold(ts[0])), kept(d.Unfold(ts[1])); a != b {
			t.Errorf("%s and %s", kernel.Print(a), kernel.Print(b))
		}
	}
}

// TestSharedDefinitionsAreLookedAtOnce: forty doublings are forty definitions, or this does not end.
func TestSharedDefinitionsAreLookedAtOnce(t *testing.T) {
	lets := "  let a0 = x + y\n"
	for k := range 40 {
		lets += fmt.Sprintf("  let a%d = a%d - 1/2*a%d\n", k+1, k, k)
	}
	f, err := Parse(Source{Name: "f", Text: "claim c\n  scalar x, y, z\n" + lets + "  root r = a40\n  root s = r + z\n  says p: x == x\n"})
	if err != nil {
		t.Fatal(err)
	}
	env := f.Claims[0].Parts[0].Env
	for name, want := range map[string][]string{"r": {"x", "y"}, "s": {"x", "y", "z"}} {
		if got := env.Scalars(env.Symbols[name].Root); !slices.Equal(got, want) {
			t.Errorf("%s depends on %v, want %v", name, got, want)
		}
	}
}

func kept[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
