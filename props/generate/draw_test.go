package generate

import (
	"errors"
	"math/big"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// everything declares a symbol of each structure that the claim language knows.
const everything = `claim everything
  title    every structure
  size n, m
  matrix S : n x n symmetric
  matrix K : n x n skew
  matrix P : n x n psd
  matrix N : n x n pd
  matrix G : n x n diagonal
  matrix H : n x n diagonal psd
  matrix V : n x n invertible
  matrix Q : n x n isometry
  matrix U : n x m isometry
  matrix W : n x m
  scalar eta >= 0
  scalar alpha > 0
  scalar rho >= 0, < 1
  scalar c != 0
  scalar tau > 0
  scalar kappa >= 0
  root r = tau^2 - 4*kappa
  says nothing: 1 == 1
`

func structures(t *testing.T) *lang.Part {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "everything", Text: everything})
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0].Parts[0]
}

// minors returns the leading principal minors and all principal ones, exactly, for n ≤ 3.
func minors(m Matrix) (leading, all []*big.Rat) {
	n := m.R
	det := func(idx []int) *big.Rat {
		at := func(i, j int) *big.Rat { return m.At(idx[i], idx[j]) }
		mul := func(xs ...*big.Rat) *big.Rat {
			p := Rat(1, 1)
			for _, x := range xs {
				p.Mul(p, x)
			}
			return p
		}
		switch len(idx) {
		case 1:
			return mul(at(0, 0))
		case 2:
			return new(big.Rat).Sub(mul(at(0, 0), at(1, 1)), mul(at(0, 1), at(1, 0)))
		}
		d := new(big.Rat)
		for _, p := range [][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}} {
			d.Add(d, mul(at(0, p[0]), at(1, p[1]), at(2, p[2])))
			d.Sub(d, mul(at(0, p[0]), at(1, p[2]), at(2, p[1])))
		}
		return d
	}
	for mask := 1; mask < 1<<n; mask++ {
		var idx []int
		for i := range n {
			if mask>>i&1 == 1 {
				idx = append(idx, i)
			}
		}
		d := det(idx)
		all = append(all, d)
		if mask+1 == 1<<len(idx) {
			leading = append(leading, d)
		}
	}
	return leading, all
}

// TestDrawsKeepTheirPromises checks states of the claims' own generator, exactly and by other means than the
// evaluator's, and counts its degenerate cases.
func TestDrawsKeepTheirPromises(t *testing.T) {
	const n = 1200
	part := structures(t)
	ch := sample.NewStream(1, "everything")
	c := &tally{n: n}
	for range n {
		st, err := sample.Draw(ch, part, 3)
		for err != nil {
			if !errors.Is(err, sample.ErrNoDraw) {
				t.Fatal(err)
			}
			st, err = sample.Draw(ch, part, 3)
		}
		v := st.Vals
		num := func(name string) *big.Rat { return v[name].A[0] }
		for name := range v {
			if s := part.Env.Symbols[name]; s.Kind == lang.Scalar && !s.Domain.Contains(num(name)) {
				t.Fatalf("%s = %v is outside its domain", name, num(name))
			}
		}
		if !equal(v["S"], Transpose(v["S"])) || !equal(v["P"], Transpose(v["P"])) || !equal(v["N"], Transpose(v["N"])) {
			t.Fatal("a symmetric matrix is not symmetric")
		}
		if !equal(v["K"], Scaled(Rat(-1, 1), Transpose(v["K"]))) {
			t.Fatal("a skew matrix is not skew")
		}
		_, all := minors(v["P"])
		singularP := false
		for _, d := range all {
			if d.Sign() < 0 {
				t.Fatalf("P = %v is not positive semidefinite", v["P"])
			}
			singularP = d.Sign() == 0 // the last is the determinant
		}
		leading, _ := minors(v["N"])
		for _, d := range leading {
			if d.Sign() <= 0 {
				t.Fatalf("N = %v is not positive definite", v["N"])
			}
		}
		for _, name := range []string{"G", "H"} {
			for i := range v[name].R {
				for j := range v[name].C {
					if x := v[name].At(i, j); i != j && x.Sign() != 0 || name == "H" && x.Sign() < 0 {
						t.Fatalf("%s = %v", name, v[name])
					}
				}
			}
		}
		if leading, _ := minors(v["V"]); leading[len(leading)-1].Sign() == 0 {
			t.Fatalf("V = %v is singular", v["V"])
		}
		for _, name := range []string{"Q", "U"} {
			if q := v[name]; !equal(Mul(Transpose(q), q), Identity(q.C)) {
				t.Fatalf("%s is no isometry", name)
			}
		}
		root := new(big.Rat).Mul(num("r"), num("r"))
		want := new(big.Rat).Mul(num("tau"), num("tau"))
		if want.Sub(want, new(big.Rat).Mul(Rat(4, 1), num("kappa"))); root.Cmp(want) != 0 {
			t.Fatalf("r² = %v, its radicand is %v", root, want)
		}

		size := st.Dims["n"]
		c.note("η = 0", num("eta").Sign() == 0)
		c.note("critical", num("r").Sign() == 0)
		c.note("n > m", size > st.Dims["m"])
		c.note("n = m", size == st.Dims["m"])
		c.note("singular P", singularP)
		c.note("P = 0", equal(v["P"], Zero(size, size)))
		c.note("S = I or 0", equal(v["S"], Identity(size)) || equal(v["S"], Zero(size, size)))
		c.note("n > 1", size > 1)
		c.note("a repeated or zero diagonal entry of H", degenerate(v["H"]))
		c.note("Q ≠ I", !equal(v["Q"], Identity(size)))
	}
	// U (n×m) exists for n ≥ m only: of nine equally likely shapes six are drawn, three with n = m and three
	// with n > m; n = 1, 2, 3 have probabilities 1/6, 2/6, 3/6.
	for name, p := range map[string]float64{
		"η = 0": 1. / 4, // scalar's own choice; zero is among the simple numbers besides
		// r is drawn, 0 with probability at least 1/4, unless the radicand is a square already: for κ = 0, with
		// probability 1/4 + 3/4·1/15, or at one of the other squares among 15×15 pairs (τ, κ), fewer than a fifth.
		"critical": 1. / 4 / 2,
		"n > m":    1. / 2, "n = m": 1. / 2,
		"singular P":                             1./6*1/2 + 2./6*2/3 + 3./6*3/4, // B·Bᵀ of width k uniform in 0…n, less than n
		"P = 0":                                  1./6*1/2 + 2./6*1/3 + 3./6*1/4, // k = 0
		"S = I or 0":                             2. / 8,
		"n > 1":                                  5. / 6,
		"a repeated or zero diagonal entry of H": 1. / 8, // an entry is 0 with probability 1/8
		"Q ≠ I":                                  1. / 6,
	} {
		c.atLeast(t, name, p)
		t.Logf("%-40s %4d of %d", name, c.count[name], n)
	}
}

func degenerate(h Matrix) bool {
	for i := range h.R {
		if h.At(i, i).Sign() == 0 {
			return true
		}
		for j := range i {
			if h.At(i, i).Cmp(h.At(j, j)) == 0 {
				return true
			}
		}
	}
	return false
}
