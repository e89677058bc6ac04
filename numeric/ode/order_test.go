package ode

import (
	"math/big"
	"strings"
	"testing"
)

// Numbers of rooted trees with 1…9 vertices: HNW table II.2.3; OEIS A000081.
var treeCounts = []int{1, 1, 2, 4, 9, 20, 48, 115, 286}

func TestTreesAreCountedByOrder(t *testing.T) {
	got := make([]int, len(treeCounts))
	seen := map[string]bool{}
	for _, tr := range Trees(len(treeCounts)) {
		got[tr.Order-1]++
		if seen[tr.String()] {
			t.Errorf("%v appears twice", tr)
		}
		seen[tr.String()] = true
	}
	for i, want := range treeCounts {
		if got[i] != want {
			t.Errorf("order %d: %d trees, want %d", i+1, got[i], want)
		}
	}
}

// Σ over trees of order n of n!/(σγ), the number of monotone labellings, is (n-1)!:
// every vertex but the root chooses a parent among those before it (HNW II.2).
func TestMonotoneLabellingsAreCounted(t *testing.T) {
	sums := make([]*big.Rat, len(treeCounts))
	for _, tr := range Trees(len(treeCounts)) {
		n := int64(tr.Order)
		if sums[n-1] == nil {
			sums[n-1] = new(big.Rat)
		}
		labels := new(big.Rat).SetFrac(new(big.Int).MulRange(1, n), new(big.Int).Mul(tr.Gamma, tr.Sigma))
		if !labels.IsInt() {
			t.Errorf("%v: n!/(σγ) = %v is not a whole number", tr, labels)
		}
		sums[n-1].Add(sums[n-1], labels)
	}
	for i, s := range sums {
		if want := new(big.Rat).SetInt(new(big.Int).MulRange(1, int64(i))); s.Cmp(want) != 0 {
			t.Errorf("order %d: %v labellings, want %v", i+1, s, want)
		}
	}
}

var tableaux = []func() *Tableau{VernerTableau, DormandPrinceTableau, RadauTableau}

func TestOrderConditionsHoldExactly(t *testing.T) {
	for _, make := range tableaux {
		if err := make().CheckOrder(); err != nil {
			t.Error(err)
		}
	}
}

// The stated orders are the true ones: one more is missed.
func TestOrdersAreSharp(t *testing.T) {
	for _, make := range tableaux {
		raise := map[string]func(*Tableau){
			"b misses":              func(tb *Tableau) { tb.Order++ },
			"b̂ misses":             func(tb *Tableau) { tb.EmbeddedOrder++ },
			"the coefficient of θ^": func(tb *Tableau) { tb.DenseOrder++ },
		}
		for want, up := range raise {
			tb := make()
			if strings.HasPrefix(want, "b̂") && tb.EmbeddedOrder == 0 {
				continue
			}
			up(tb)
			if err := tb.CheckOrder(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with one order more: %v, want %q", tb.Name, err, want)
			}
		}
	}
}

// Every coefficient that takes part in a condition, moved by one part in 2⁶⁰, far
// below float64 resolution, is found out.
func TestMutatedTableauFails(t *testing.T) {
	tiny := exactRat(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 60)))
	for _, make := range tableaux {
		tb := make()
		if testing.Short() {
			tb.Order, tb.EmbeddedOrder, tb.DenseOrder = min(tb.Order, 4), min(tb.EmbeddedOrder, 4), min(tb.DenseOrder, 4)
		}
		mutants := 0
		try := func(x *Exact, what string, i, j int) {
			old := *x
			defer func() { *x = old }()
			*x = x.Add(tiny)
			mutants++
			if tb.CheckOrder() == nil {
				t.Errorf("%s: %s[%d][%d] + 2⁻⁶⁰ passes", tb.Name, what, i, j)
			}
		}
		for i := range tb.B {
			try(&tb.B[i], "b", 0, i)
			if tb.BHat != nil {
				try(&tb.BHat[i], "b̂", 0, i)
			}
		}
		for i, row := range tb.A {
			for j := range row {
				if !row[j].IsZero() {
					try(&row[j], "a", i, j)
				}
			}
		}
		for i, row := range tb.Theta {
			for k := range row {
				try(&row[k], "Theta", i, k)
			}
		}
		t.Logf("%s: %d mutants", tb.Name, mutants)
	}
}

// The error constants that the comment on VernerTableau argues with.
func TestPrincipalErrorsOfVerner(t *testing.T) {
	tb := VernerTableau()
	one := NewExact(1, 1)
	if e := tb.PrincipalError(tb.B, 8, one); !(1.6e-5 < e && e < 1.8e-5) {
		t.Errorf("order 9 of b: %.3g", e)
	}
	embedded := tb.PrincipalError(tb.BHat, 7, one)
	if !(3.7e-5 < embedded && embedded < 3.9e-5) {
		t.Errorf("order 8 of b̂: %.3g", embedded)
	}
	var worst float64
	for i := int64(1); i < 20; i++ {
		th := NewExact(i, 20)
		worst = max(worst, tb.PrincipalError(tb.DenseWeights(th), 7, th))
	}
	if !(2.7e-5 < worst && worst < 2.9e-5) {
		t.Errorf("order 8 of the dense output: %.3g", worst)
	}
}

// The embedded formula of Radau IIA: the right-hand side of the error equation
// vanishes for polynomials of degree 3, Σ e_i c_i^k = -[k=1] for k ≤ 3, and not for
// degree 4.
func TestRadauErrorEstimateHasOrderThree(t *testing.T) {
	c, e := RadauTableau().C(), radauError()
	pow := []Exact{NewExact(1, 1), NewExact(1, 1), NewExact(1, 1)}
	for k := 1; k <= 4; k++ {
		for i := range pow {
			pow[i] = pow[i].Mul(c[i])
		}
		r := innerProduct(e, pow)
		if k == 1 {
			r = r.Add(NewExact(1, 1))
		}
		if r.IsZero() != (k <= 3) {
			t.Errorf("k = %d: residual %v", k, r)
		}
	}
}

func TestExactArithmetic(t *testing.T) {
	x, err := ParseExact("1/2-3/4√6")
	if err != nil {
		t.Fatal(err)
	}
	y, err := ParseExact("1/2+3/4√6")
	if err != nil {
		t.Fatal(err)
	}
	// The norm (1/2)² - 6·(3/4)² = -25/8.
	if p := x.Mul(y); p.String() != "-25/8" {
		t.Errorf("product %v", p)
	}
	if s := x.Add(y); s.String() != "1" || !x.Sub(x).IsZero() {
		t.Errorf("sum %v", s)
	}
	// √6 to 20 digits: OEIS A010464.
	r, err := ParseExact("√6")
	if err != nil || r.Float64() != 2.4494897427831780982 {
		t.Errorf("√6 = %v, %v", r.Float64(), err)
	}
	for _, s := range []string{"3", "-2/7", "1/3+1/2√6", "1/3-1/2√6", "-1/2√6", "2√6", "2/3√6"} {
		if z, err := ParseExact(s); err != nil || z.String() != s {
			t.Errorf("%q reads back as %v, %v", s, z, err)
		}
	}
	for _, s := range []string{"", "x", "1/0", "1+√", "1+2√-3", "1+2√6x", "1√1", "√4", "√12"} {
		if z, err := ParseExact(s); err == nil {
			t.Errorf("%q accepted as %v", s, z)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("√6 + √7 did not panic")
		}
	}()
	seven, _ := ParseExact("√7")
	r.Add(seven)
}
