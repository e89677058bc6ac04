package theory

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

// TestHighPowers judges statements about powers of some hundreds and millions, whose dense coefficients there is no memory for.
func TestHighPowers(t *testing.T) {
	const head = "claim c\n  title t\n  printed nowhere\n  scalar x\n  let a0 = x^64\n  let a1 = at(a0, x, a0)\n  let a2 = at(a1, x, a1)\n  let a3 = at(a2, x, a2)\n"
	for _, says := range []string{
		"(x^64)^64 + x^64 - 1/2 has 1 zeros for x in (0, 1)",
		"a3 - 1/2 has 1 zeros for x in (0, 1)",
		"a2 + x^2 + 1 > 0\n    proof\n      sturm x",
		"a3 + x^2 + 1 > 0\n    for x in [0, 1]",
		"a3 - x >= 0",
		"a2*x^3 + x - 1 has 1 zeros for x in [0, inf)",
		"a1 + a0 + x has 1 falling zeros for x in (-1, 1)\n    proof\n      count 1/2",
	} {
		f, err := lang.Parse(lang.Source{Name: "f.claim", Text: head + "  says s: " + says + "\n"})
		if err == nil {
			err = Validate(f)
		}
		if err != nil {
			t.Fatalf("%s: %v", says, err)
		}
		v := JudgePart(context.Background(), f, f.Claims[0], f.Claims[0].Parts[0], Options{Seed: 1, Budget: 3, Doubt: true})
		if v.Verdict.String() == "contradiction" {
			t.Errorf("%s: %s", says, v.Verdict)
		}
	}
}

// TestFortyDoublings judges a statement of each form about terms that are forty doublings of a small one: forty terms, and more
// summands, factors or letters than there is memory, so that a walk over them as a tree does not end. What is said of them is
// not at issue, but that something is.
func TestFortyDoublings(t *testing.T) {
	const (
		head = "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x, y\n  scalar k > 0\n  matrix A : n x n\n  input u\n" +
			"  random v : n\n  moment v = I\n  flow\n    x' = -k*x\n    y' = -y + u\n    A' = -A\n  map\n    x+ = 1/2*x\n    A+ = 1/2*A\n"
		depth = 40
	)
	scalars := map[string]string{"sum": "x + y|+", "product": "1 + 0*x|*", "small": "x/2|*", "number": "3|*", "shifted": "3 + 0*x|*", "root": "root(x^2 + 1)|*", "reciprocal": "1/(x^2 + 1)|*", "moving": "k*x*y|+"}
	matrices := map[string]string{"matrix sum": "A|+", "matrix product": "A|*", "identity": "I(n)|*", "skew": "1/2*(A - A^T)|*"}
	forms := map[string]string{
		"# == @": "", "# >= x/5": "", "# > 0": "", "# != x": "", "#^2 + x^2 >= 0": "", "# + x^2 >= x/5": "", "#*@ >= 0": "", "1/(#^2 + 1) > 0": "", "root(#^2) >= #": "",
		"always # >= @": "", "# stays nonnegative": "", "x*# stays zero": "", "# evolves at rate -k": "", "|#| decays at rate k": "", "# decays at rate k": "",
		"# vanishes": "", "x*# vanishes over steps": "", "# evolves by factor 1/2": "",
		"x^2 >= 0": "assume h: # == 0", "# + x has 1 zeros for x in (-1, 1)": "", "ddt(#) == -k*#": "", "next(#) == #": "", "diff(#, x) == 0": "", "E(#*tr(v*v^T)) == 0": "",
		"at(#, x, y) == #": "", "sg(#) == #": "",
	}
	others := map[string]string{
		"# == @": "", "#*#^T psd": "", "# pd": "", "# invertible": "", "# diagonal": "", "tr(#*#^T) >= 0": "", "# within [-1, 1]": "", "# moves by congruence": "",
		"# vanishes": "", "|#| decays at rate 1": "", "# stays psd": "", "# stays zero": "", "kron(#, I(n)) == kron(#, I(n))": "", "E(#*v*v^T) == #": "",
		"grad(tr(#), A) == I(n)": "", "next(#) == 1/2*#": "", "x^2 >= 0": "assume h: # == zero(n, n)",
	}
	run := func(kinds, forms map[string]string) {
		for kind, made := range kinds {
			first, op, _ := strings.Cut(made, "|")
			var lets strings.Builder
			fmt.Fprintf(&lets, "  let a0 = %s\n", first)
			for i := range depth {
				fmt.Fprintf(&lets, "  let a%d = a%d %s a%d\n", i+1, i, op, i)
			}
			for form, assumed := range forms {
				fill := strings.NewReplacer("#", fmt.Sprintf("a%d", depth), "@", fmt.Sprintf("a%d", depth-1)).Replace
				text := head + lets.String() + "  says s: " + fill(form) + "\n"
				if assumed != "" {
					text += "    " + fill(assumed) + "\n"
				}
				f, err := lang.Parse(lang.Source{Name: "c", Text: text})
				if err != nil {
					t.Errorf("%s, %s: %v", kind, form, err)
					continue
				}
				v := JudgePart(context.Background(), f, f.Claims[0], f.Claims[0].Parts[0], Options{Seed: 1, Budget: 3, Doubt: true})
				if v.Verdict.String() == "contradiction" {
					t.Errorf("%s, %s: %s", kind, form, v.Verdict)
				}
			}
		}
	}
	run(scalars, forms)
	run(matrices, others)
}
