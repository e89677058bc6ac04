package prove

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// TestDenseAlgebra holds the elimination, Jacobi's rotations and Cholesky's test against their definitions.
func TestDenseAlgebra(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for n := 1; n <= 12; n++ {
		a := newSquare(n)
		for i := range n {
			for j := range i + 1 {
				a[i][j] = rng.NormFloat64()
				a[j][i] = a[i][j]
			}
		}
		values, v := a.eigen()
		least := math.Inf(1)
		for _, x := range values {
			least = math.Min(least, x)
		}
		for i := range n {
			for j := range n {
				s := 0.0
				for k := range n {
					s += v[i][k] * values[k] * v[j][k]
				}
				if math.Abs(s-a[i][j]) > 1e-10 {
					t.Fatalf("%d×%d: entry %d,%d is %g, of the eigenvalues %g", n, n, i, j, a[i][j], s)
				}
			}
		}
		for _, shift := range []float64{least - 1e-6, least + 1e-6} {
			if got := a.plus(unit(n, 1), -shift).definite(); got != (shift < least) {
				t.Errorf("%d×%d: definite is %v with a least eigenvalue of %g", n, n, got, least-shift)
			}
		}
		b := make([]float64, n)
		for i := range b {
			b[i] = rng.NormFloat64()
		}
		x := append([]float64{}, b...)
		if !a.plus(a, 0).solve(x) {
			t.Fatalf("%d×%d is called singular", n, n)
		}
		for i := range n {
			s := 0.0
			for j := range n {
				s += a[i][j] * x[j]
			}
			if math.Abs(s-b[i]) > 1e-8 {
				t.Errorf("%d×%d: row %d of a·x is %g, expected %g", n, n, i, s, b[i])
			}
		}
		if singular := newSquare(n); singular.solve(make([]float64, n)) {
			t.Errorf("the zero matrix of %d×%d is solved", n, n)
		}
	}
}

// TestProgramme holds the central path against programmes with known answers: the least eigenvalue is the largest t with
// A − t·I definite, and of x² + 2bx + c the Gram matrix is given.
func TestProgramme(t *testing.T) {
	for _, c := range []struct{ a, b, c float64 }{{2, 0, 3}, {1, 1, 1}, {1, .5, 1}, {3, 2, 2}, {1, 2, 1}} {
		p := &programme{sizes: []int{2}, b: []float64{c.a, c.b, c.c},
			a: [][][]entry{{{{0, 0, 1}}, {{0, 1, .5}}, {{1, 1, 1}}}}}
		g, _, least, ok := p.maximise(func(int) {})
		want := (c.a+c.c)/2 - math.Sqrt((c.a-c.c)*(c.a-c.c)/4+c.b*c.b)
		switch {
		case want < -1e-3 && ok:
			t.Errorf("%v: solved, with an eigenvalue of %g", c, want)
		case want > -1e-6 && (!ok || least > want+1e-5 || want < 1e-3 && math.Abs(least-want) > 1e-5):
			t.Errorf("%v: t is %g (%v), the least eigenvalue %g", c, least, ok, want)
		case ok && math.Abs(g[0][0][1]-c.b) > 1e-5:
			t.Errorf("%v: the entry is %g", c, g[0][0][1])
		}
	}
}

// TestIndependentEquations compares the elimination modulo a prime with one over the fractions.
func TestIndependentEquations(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		m, n := 1+rng.IntN(6), 1+rng.IntN(6)
		a := make([][]*big.Rat, m)
		b := make([]*big.Rat, m)
		columns := make([]column, n)
		for j := range columns {
			columns[j].rows = map[int]*big.Rat{}
		}
		for i := range a {
			b[i] = big.NewRat(rng.Int64N(3)-1, 1)
			for j := range n {
				v := big.NewRat(rng.Int64N(3)-1, 1+rng.Int64N(2))
				a[i] = append(a[i], v)
				if v.Sign() != 0 {
					columns[j].rows[i] = v
				}
			}
		}
		keep, ok := independent(columns, b)
		// The rank of a, and of a with b.
		rank := func(with bool) int {
			var rows [][]*big.Rat
			for i := range a {
				r := append([]*big.Rat{}, a[i]...)
				if with {
					r = append(r, b[i])
				}
				for k := range r {
					r[k] = new(big.Rat).Set(r[k])
				}
				rows = append(rows, r)
			}
			n := 0
			for c := 0; c < len(rows[0]) && n < len(rows); c++ {
				p := n
				for p < len(rows) && rows[p][c].Sign() == 0 {
					p++
				}
				if p == len(rows) {
					continue
				}
				rows[p], rows[n] = rows[n], rows[p]
				for i := n + 1; i < len(rows); i++ {
					f := new(big.Rat).Quo(rows[i][c], rows[n][c])
					for k := range rows[i] {
						rows[i][k].Sub(rows[i][k], new(big.Rat).Mul(f, rows[n][k]))
					}
				}
				n++
			}
			return n
		}
		if consistent := rank(false) == rank(true); ok != consistent || ok && len(keep) != rank(false) {
			t.Fatalf("%d equations are kept (%v), the rank is %d, with the right side %d", len(keep), ok, rank(false), rank(true))
		}
	}
}

// stateOf opens the state context of the one part of a claim text.
func stateOf(t *testing.T, text string) (*state, kernel.Formula) {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "x", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	p := newProver(t.Context(), r.Context(), Options{})
	p.reading, p.part, p.searching = r, r.Part(), true
	p.open(false)
	return p.work, r.Goals()[0]
}

// TestSumsOfSquares looks for sums of squares alone: those that exist are found, with zeros inside and at ends, and of what
// has none, Motzkin's polynomial and what is negative somewhere, none is.
func TestSumsOfSquares(t *testing.T) {
	head := "claim c\n  title t\n  printed nowhere\n"
	for _, c := range []struct {
		decl, says string
		want       bool
	}{
		{"x", "x^4 - 4*x^2 + 5 > 0", true},
		{"x", "x^4 - 2*x^2 + 1 >= 0", true},
		{"x, y", "x^4 + y^4 >= x^3*y + x*y^3", true},
		{"x, y", "2*x^2 - 2*x*y + y^2 - 2*x + 1 >= 0", true},
		{"x, y", "(x^2 + y^2 + 1)*(x^4*y^2 + x^2*y^4 - 3*x^2*y^2 + 1) >= 0", true},
		{"x >= 0, <= 1", "x*(1 - x) <= 1/4", true},
		{"x >= 0", "x^3 - 3*x + 2 >= 0", true},
		{"x, y", "x^4*y^2 + x^2*y^4 - 3*x^2*y^2 + 1 >= 0", false},
		{"x", "x^4 - 4*x^2 + 4 > 0", false},
		{"x, y", "x^4 + y^4 >= 2*x^3*y", false},
		{"x >= 0", "x^3 - 3*x + 19/10 >= 0", false},
	} {
		s, f := stateOf(t, head+"  scalar "+c.decl+"\n  says s: "+c.says+"\n")
		th, ok := s.squares(f)
		if ok != c.want || ok && !th.Formula().Same(f) {
			t.Errorf("%s, %s: found is %v", c.decl, c.says, ok)
		}
	}
}

// TestTouches compares the descent with all fractions of a grid.
func TestTouches(t *testing.T) {
	head := "claim c\n  title t\n  printed nowhere\n"
	for _, c := range []struct{ decl, says string }{
		{"x, y", "(x - 1)^2 + (y + 1/2)^2 >= 0"},
		{"x >= 0, <= 3\n  scalar y >= 0", "x*(3 - x)^2 <= 4 + y"},
		{"x >= -1\n  scalar y >= 2", "(x + 1)*y + (y - 2) >= 0"},
		{"x, y", "x^2 + y^2 + 1 >= 0"},
	} {
		s, f := stateOf(t, head+"  scalar "+c.decl+"\n  says s: "+c.says+"\n")
		ts := f.Terms()
		p := s.polys.of(s.unfold(s.differ(ts[0], ts[1])))
		letters, _ := lettersOf(p)
		bounds := s.boundings(&letters, 4)
		got, negative := s.touches(p, bounds, letters)
		if negative {
			t.Errorf("%s: the difference is said to be negative somewhere", c.says)
		}
		want := 0
		for i := int64(-8); i <= 8; i++ {
			for j := int64(-8); j <= 8; j++ {
				at := []*big.Rat{big.NewRat(i, 2), big.NewRat(j, 2)}
				inside := p.exactly(letters, at).Sign() == 0
				for _, b := range bounds {
					inside = inside && b.p.exactly(letters, at).Sign() >= 0
				}
				if inside {
					want++
				}
			}
		}
		if (len(got) > 0) != (want > 0) {
			t.Errorf("%s: %d points by descent, %d on the grid", c.says, len(got), want)
		}
		for _, at := range got {
			if p.exactly(letters, at).Sign() != 0 {
				t.Errorf("%s is not zero at %v", c.says, at)
			}
		}
	}
	for _, says := range []string{"(x - 1)^2 + (y + 1/2)^2 >= 1/1000", "x^2*y^2 >= x*y"} {
		s, f := stateOf(t, head+"  scalar x, y\n  says s: "+says+"\n")
		ts := f.Terms()
		p := s.polys.of(s.unfold(s.differ(ts[0], ts[1])))
		letters, _ := lettersOf(p)
		if _, negative := s.touches(p, nil, letters); !negative {
			t.Errorf("%s is not seen to fail", says)
		}
	}
}
