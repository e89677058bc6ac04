package ode

import (
	"fmt"
	"math"
	"strings"
)

// Tableau is a Runge–Kutta method as exact data.
//
// With s = len(B) stages the method is
//
//	k_i = f(t + c_i h, y + h Σ_j a_ij k_j),   c_i = Σ_j a_ij
//	y₁  = y + h Σ_i b_i k_i            (order Order)
//	ŷ₁  = y + h Σ_i b̂_i k_i            (order EmbeddedOrder)
//
// and, for a method with dense output, rows s, s+1, … of A are the extra stages
// of the continuous extension
//
//	u(θ) = y + h Σ_i (Σ_k Theta[i][k] θ^{k+1}) k_i,   0 ≤ θ ≤ 1   (order DenseOrder)
//
// which runs over all len(A) stages.
type Tableau struct {
	Name          string
	Order         int       // order of B
	EmbeddedOrder int       // order of BHat; 0 when there is none
	DenseOrder    int       // order of the continuous extension; 0 when there is none
	A             [][]Exact // len(A) ≥ s rows; explicit methods give row i with i entries
	B             []Exact
	BHat          []Exact
	Theta         [][]Exact // len(A) rows of the coefficients of θ, θ², …
}

// Stages returns s, the number of stages of one step without dense output.
func (tb *Tableau) Stages() int { return len(tb.B) }

// Explicit reports whether A is strictly lower triangular.
func (tb *Tableau) Explicit() bool {
	for i, row := range tb.A {
		for j, a := range row {
			if j >= i && !a.IsZero() {
				return false
			}
		}
	}
	return true
}

// C returns the abscissae c_i = Σ_j a_ij of all len(A) stages.
func (tb *Tableau) C() []Exact {
	c := make([]Exact, len(tb.A))
	for i, row := range tb.A {
		c[i] = NewExact(0, 1)
		for _, a := range row {
			c[i] = c[i].Add(a)
		}
	}
	return c
}

// parseRows reads one row of exact numbers per line. It panics on a misprint:
// the text is part of the program.
func parseRows(text string) [][]Exact {
	var rows [][]Exact
	for line := range strings.Lines(text) {
		var row []Exact
		for f := range strings.FieldsSeq(line) {
			x, err := ParseExact(f)
			if err != nil {
				panic(err)
			}
			row = append(row, x)
		}
		rows = append(rows, row)
	}
	return rows
}

// parseRow reads one row of exact numbers.
func parseRow(text string) []Exact {
	rows := parseRows(text)
	if len(rows) != 1 {
		panic(fmt.Sprintf("ode: %d rows where one is expected", len(rows)))
	}
	return rows[0]
}

// explicitCoefficients is a Tableau rounded to float64 in the form that the
// stepper reads.
type explicitCoefficients struct {
	stages   int // of one step
	order    int
	embedded int
	c        []float64 // all stages, the dense ones included
	a        [][]term  // nonzero entries per stage
	b        []term
	e        []term // b - b̂
	// The dense output in the form
	//
	//	u(θ) = y₀ + θ (y₁ - y₀) + θ (1-θ) h Σ_m θ^m Σ_j q[m]_j k_j
	//
	// which is exact at both ends whatever the rounding of the sums.
	q    [][]term
	fsal bool // stage s-1 is f(t+h, y₁)
	next int  // index of the stage f(t+h, y₁)
	// The last stage at t+h before that, and u - y₁ for its argument u: with them a
	// step shows whether it is as long as stability allows.
	probe     int
	probeDiff []term
	// limit is the largest x up to which |R(-x)| ≤ 1 for the stability function R.
	limit float64
}

// term is one nonzero coefficient and the stage that it multiplies.
type term struct {
	stage int
	coef  float64
}

func sparse(row []Exact) []term {
	var ts []term
	for j, x := range row {
		if !x.IsZero() {
			ts = append(ts, term{j, x.Float64()})
		}
	}
	return ts
}

// compile rounds the tableau of an explicit method with dense output.
func (tb *Tableau) compile() *explicitCoefficients {
	s := tb.Stages()
	ec := &explicitCoefficients{stages: s, order: tb.Order, embedded: tb.EmbeddedOrder, next: -1}
	for _, c := range tb.C() {
		ec.c = append(ec.c, c.Float64())
	}
	for i, row := range tb.A {
		ec.a = append(ec.a, sparse(row))
		if i > 0 && ec.next < 0 && sameRow(row, tb.B) {
			ec.next, ec.fsal = i, i < s
		}
	}
	if ec.next < 0 {
		panic("ode: tableau " + tb.Name + " has no stage f(t+h, y₁)")
	}
	ec.b = sparse(tb.B)
	one := NewExact(1, 1)
	for i, c := range tb.C()[:ec.next] {
		if c.Sub(one).IsZero() {
			ec.probe = i
		}
	}
	probe := make([]Exact, s)
	for i := range probe {
		probe[i] = tb.B[i].Neg()
		if i < ec.probe {
			probe[i] = probe[i].Add(tb.A[ec.probe][i])
		}
	}
	ec.probeDiff = sparse(probe)
	ec.limit = ec.stabilityLimit()
	diff := make([]Exact, s)
	for i := range diff {
		diff[i] = tb.B[i].Sub(tb.BHat[i])
	}
	ec.e = sparse(diff)
	// Divide β_j(θ) - θ b_j by θ(1-θ), exactly: with β_j = Σ_k t_k θ^{k+1} the
	// quotient's coefficients are the partial sums Σ_{k≤m} (t_k - [k=0] b_j).
	deg := len(tb.Theta[0])
	for m := range deg - 1 {
		row := make([]Exact, len(tb.A))
		for j := range row {
			row[j] = NewExact(0, 1)
			if j < s {
				row[j] = tb.B[j].Neg()
			}
			for k := 0; k <= m; k++ {
				row[j] = row[j].Add(tb.Theta[j][k])
			}
		}
		ec.q = append(ec.q, sparse(row))
	}
	return ec
}

// stability returns R(z), the factor of one step of size z on y' = y.
func (ec *explicitCoefficients) stability(z float64) float64 {
	k := make([]float64, ec.stages)
	for i := range k {
		k[i] = 1
		for _, t := range ec.a[i] {
			k[i] += z * t.coef * k[t.stage]
		}
	}
	r := 1.0
	for _, t := range ec.b {
		r += z * t.coef * k[t.stage]
	}
	return r
}

// stabilityLimit returns the length of the interval of stability on the negative real
// axis, to a thousandth.
func (ec *explicitCoefficients) stabilityLimit() float64 {
	const step = 1e-3
	x := 0.0
	for math.Abs(ec.stability(-x-step)) <= 1 {
		x += step
	}
	return x
}

func sameRow(row, b []Exact) bool {
	for j := range max(len(row), len(b)) {
		x, y := NewExact(0, 1), NewExact(0, 1)
		if j < len(row) {
			x = row[j]
		}
		if j < len(b) {
			y = b[j]
		}
		if !x.Sub(y).IsZero() {
			return false
		}
	}
	return true
}
