package ode

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Tree is a rooted tree: the index of an order condition (HNW II.2). Trees are made
// by Trees and share their subtrees.
type Tree struct {
	Order int      // number of vertices
	Gamma *big.Int // density γ(t) = |t| Π γ(child)
	Sigma *big.Int // symmetry σ(t) = Π multiplicity! · σ(child)^multiplicity

	children []*Tree // in non-decreasing position of their list
	id       int     // position over all orders
}

// String returns the tree in bracket notation: τ for the single vertex, [t₁ t₂ …]
// for the tree whose root carries t₁, t₂, ….
func (t *Tree) String() string {
	if len(t.children) == 0 {
		return "τ"
	}
	parts := make([]string, len(t.children))
	for i, c := range t.children {
		parts[i] = c.String()
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// Trees returns all rooted trees with at most order vertices, those of one order
// together, smaller orders first. There are 1, 1, 2, 4, 9, 20, 48, 115, 286 of the
// orders 1 to 9.
func Trees(order int) []*Tree {
	var all []*Tree
	for n := 1; n <= order; n++ {
		// A tree of n vertices is a multiset of smaller trees with n-1 in all: take
		// them in non-decreasing position.
		var grow func(from, left int, children []*Tree)
		smaller := all
		grow = func(from, left int, children []*Tree) {
			if left == 0 {
				all = append(all, newTree(len(all), n, append([]*Tree(nil), children...)))
				return
			}
			for i := from; i < len(smaller) && smaller[i].Order <= left; i++ {
				grow(i, left-smaller[i].Order, append(children, smaller[i]))
			}
		}
		grow(0, n-1, nil)
	}
	return all
}

func newTree(id, order int, children []*Tree) *Tree {
	t := &Tree{Order: order, Gamma: big.NewInt(int64(order)), Sigma: big.NewInt(1), children: children, id: id}
	run := int64(0)
	for i, c := range children {
		t.Gamma.Mul(t.Gamma, c.Gamma)
		t.Sigma.Mul(t.Sigma, c.Sigma)
		if i > 0 && children[i-1] == c {
			run++
		} else {
			run = 1
		}
		t.Sigma.Mul(t.Sigma, big.NewInt(run))
	}
	return t
}

// weights holds the elementary weights Φ_i(t) = Π over children of Σ_j a_ij Φ_j(child)
// of a tableau for all its stages.
type weights struct {
	a    [][]Exact
	memo map[int][]Exact // by tree id
}

func (w *weights) of(t *Tree) []Exact {
	if v, ok := w.memo[t.id]; ok {
		return v
	}
	v := make([]Exact, len(w.a))
	for i := range v {
		v[i] = NewExact(1, 1)
	}
	for _, c := range t.children {
		phi := w.of(c)
		for i, row := range w.a {
			v[i] = v[i].Mul(innerProduct(row, phi))
		}
	}
	w.memo[t.id] = v
	return v
}

func innerProduct(x, y []Exact) Exact {
	sum := NewExact(0, 1)
	for i, xi := range x {
		if !xi.IsZero() {
			sum = sum.Add(xi.Mul(y[i]))
		}
	}
	return sum
}

// CheckOrder verifies in exact arithmetic, for every rooted tree t:
//
//	Σ b_i Φ_i(t) = 1/γ(t)                      for |t| ≤ Order
//	Σ b̂_i Φ_i(t) = 1/γ(t)                      for |t| ≤ EmbeddedOrder
//	Σ_i Theta[i][k] Φ_i(t) = [k+1 = |t|]/γ(t)   for |t| ≤ DenseOrder and every k
//
// and that the continuous extension ends at y₁ (Σ_k Theta[i][k] = b_i). It returns
// an error that names the first condition that fails.
func (tb *Tableau) CheckOrder() error {
	trees := Trees(max(tb.Order, tb.EmbeddedOrder, tb.DenseOrder))
	w := &weights{a: tb.A, memo: map[int][]Exact{}}
	check := func(what string, b []Exact, t *Tree, want Exact) error {
		if r := innerProduct(b, w.of(t)).Sub(want); !r.IsZero() {
			return fmt.Errorf("ode: %s: %s misses the condition of the tree %v (order %d) by %v",
				tb.Name, what, t, t.Order, r)
		}
		return nil
	}
	for _, t := range trees {
		want := exactRat(new(big.Rat).SetFrac(big.NewInt(1), t.Gamma))
		if t.Order <= tb.Order {
			if err := check("b", tb.B, t, want); err != nil {
				return err
			}
		}
		if t.Order <= tb.EmbeddedOrder {
			if err := check("b̂", tb.BHat, t, want); err != nil {
				return err
			}
		}
		if t.Order > tb.DenseOrder {
			continue
		}
		for k := range tb.Theta[0] {
			rhs := NewExact(0, 1)
			if k+1 == t.Order {
				rhs = want
			}
			if err := check(fmt.Sprintf("the coefficient of θ^%d", k+1), column(tb.Theta, k), t, rhs); err != nil {
				return err
			}
		}
	}
	for i, row := range tb.Theta {
		sum := NewExact(0, 1)
		for _, x := range row {
			sum = sum.Add(x)
		}
		if i < len(tb.B) {
			sum = sum.Sub(tb.B[i])
		}
		if !sum.IsZero() {
			return fmt.Errorf("ode: %s: the continuous extension does not end at y₁: stage %d is off by %v", tb.Name, i+1, sum)
		}
	}
	return nil
}

func column(rows [][]Exact, k int) []Exact {
	c := make([]Exact, len(rows))
	for i, row := range rows {
		c[i] = row[k]
	}
	return c
}

// PrincipalError returns the 2-norm over the trees of order p+1 of
//
//	(Σ w_i Φ_i(t) - θ^(p+1)/γ(t)) / σ(t)
//
// the coefficients of h^(p+1) in the local error of the weights w of order p. The
// weights may cover fewer than all stages; θ = 1 for b and b̂.
func (tb *Tableau) PrincipalError(w []Exact, p int, theta Exact) float64 {
	ws := &weights{a: tb.A, memo: map[int][]Exact{}}
	pow := NewExact(1, 1)
	for range p + 1 {
		pow = pow.Mul(theta)
	}
	var sum float64
	for _, t := range Trees(p + 1) {
		if t.Order != p+1 {
			continue
		}
		inv := exactRat(new(big.Rat).SetFrac(big.NewInt(1), t.Gamma))
		r := innerProduct(w, ws.of(t)).Sub(pow.Mul(inv)).Float64()
		s, _ := new(big.Float).SetInt(t.Sigma).Float64()
		sum += r / s * (r / s)
	}
	return math.Sqrt(sum)
}

// DenseWeights returns the weights Σ_k Theta[i][k] θ^(k+1) of the continuous
// extension at θ.
func (tb *Tableau) DenseWeights(theta Exact) []Exact {
	w := make([]Exact, len(tb.Theta))
	for i, row := range tb.Theta {
		w[i] = NewExact(0, 1)
		for k := len(row) - 1; k >= 0; k-- {
			w[i] = w[i].Add(row[k]).Mul(theta)
		}
	}
	return w
}
