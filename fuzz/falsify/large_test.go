package falsify

import (
	"context"
	"testing"

	"stopgrad/theory/lang"
)

// TestLargeSizesAndMultiplesOfMatrices: a statement that holds at sizes up to three and fails at others is refuted, and so is one
// that fails for a large multiple of a matrix alone, or for one multiple. Their true neighbours are not.
func TestLargeSizesAndMultiplesOfMatrices(t *testing.T) {
	const head = "claim c\n  size n, m\n  matrix A : n x n\n  matrix B : n x m\n  matrix P : n x n pd\n"
	for _, c := range []struct {
		says    string
		refuted bool
	}{
		{"size(n) <= 3", true}, {"size(n) != 5", true}, {"size(n*m) <= 60", true}, {"size(n) <= 64", false},
		{"3*tr(A*A^T) >= tr(A)^2", true}, {"size(n)*tr(A*A^T) >= tr(A)^2", false},
		{"tr(I(m)) < 16", true}, {"tr(I(m)) == size(m)", false},
		{"tr(P) <= 10^20", true}, {"tr(P) >= -1/10^20", false},
		{"tr(A) != 1000003/7", true}, {"tr(A)^2 != -1000003/7", false},
		{"tr(B*B^T) < 10^25", true},
	} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: head + "  says s: " + c.says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		r := Search(context.Background(), f.Claims[0].Parts[0], c.says, Options{Seed: 3, Effort: Effort{Wide: 60, Lines: 24}})
		if (r.Refutation != nil) != c.refuted {
			t.Errorf("%s: refuted %t after %d states", c.says, r.Refutation != nil, r.Drawn)
		}
	}
	// A size that is bounded, or given, stays as it is.
	f, err := lang.Parse(lang.Source{Name: "f", Text: head + "  says s: size(n) <= 3\n"})
	if err != nil {
		t.Fatal(err)
	}
	bounded := map[string]Sizes{"n": {1, 3}}
	if r := Search(context.Background(), f.Claims[0].Parts[0], "s", Options{Seed: 3, Sizes: bounded, Effort: Effort{Wide: 60, Lines: 24}}); r.Refutation != nil {
		t.Errorf("refuted at %v", r.Witness.Dims)
	}
}
