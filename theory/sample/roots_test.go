package sample

import (
	"math/big"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// TestRootsOfRoots: a state that is drawn gives each root the value that its radicand has, or none; never a number that was
// solved for under another root, nor a matrix for a scalar.
func TestRootsOfRoots(t *testing.T) {
	for text, drawn := range map[string]string{
		"  scalar x > 0\n  root r = x + 1\n  root s = r + 1\n":                                         "x = 1/2*x",
		"  scalar y >= 0\n  root r = 1/3\n  root s = r\n":                                              "y = y^2",
		"  scalar x\n  scalar z\n  root r = x\n  root s = r + z\n  root q = s + r\n":                   "z = x + 1",
		"  scalar x\n  scalar z\n  root r = x + 1\n  root s = x + z\n":                                 "z = x",
		"  size n\n  scalar x\n  matrix A : n x n\n  root r = tr(A*A^T) + x^2\n  root s = tr(A) + r\n": "x = 0",
	} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n" + text + "  says p: s >= 0\n    draw " + drawn + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		part := f.Claims[0].Parts[0]
		given := 0
		for i := range uint64(200) {
			st, _, err := drawAny(eval.Rational{}, NewStream(i, "roots"), part, 2, i%4 == 3)
			if err != nil {
				t.Fatal(err)
			}
			for name, m := range st.Vals {
				if len(m.A) != m.R*m.C || len(m.A) == 0 {
					t.Fatalf("%s: %s is drawn as %v", text, name, m)
				}
				s := part.Env.Symbols[name]
				if s.Root == nil {
					continue
				}
				given++
				e, err := eval.New(eval.Rational{}, part.Env, st)
				if err != nil {
					t.Fatal(err)
				}
				q, err := e.Eval(s.Root)
				if err != nil {
					t.Fatalf("%s: %s has a value and its radicand none: %v", text, name, err)
				}
				if square := new(big.Rat).Mul(m.A[0], m.A[0]); q.A[0].Cmp(square) != 0 {
					t.Fatalf("%s: %s² is %s, and its radicand %s", text, name, square, q.A[0])
				}
			}
		}
		t.Logf("%d roots are fractions", given)
	}
}
