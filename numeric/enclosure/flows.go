package enclosure

import (
	"fmt"
	"math/big"

	"stopgrad/numeric/interval"
)

// Hyper holds the hyper-parameters of the flows, each known to lie in an
// interval; results hold for all values in it. Fields a flow does not use are
// ignored. The equations are those of Tian, Chen and Ganguli, "Understanding
// Self-Supervised Learning Dynamics without Contrastive Pairs" (ICML 2021), with
// a = 1 + σ².
type Hyper struct {
	Alpha  interval.Interval // α_p, relative learning rate of the predictor, > 0
	Sigma2 interval.Interval // σ², variance of the augmentation
	Tau    interval.Interval // τ, where it is constant
	Eta    interval.Interval // η, weight decay
	Beta   interval.Interval // β, rate of the moving average
}

// declare adds the hyper-parameters to s under the names alpha, sigma2, tau, eta
// and beta, and returns them.
func (h Hyper) declare(s *System) (alpha, sigma2, tau, eta, beta Expr) {
	if !h.Alpha.Positive() {
		panic(fmt.Sprintf("enclosure: alpha in %v is not positive", h.Alpha))
	}
	return s.Param("alpha", h.Alpha), s.Param("sigma2", h.Sigma2), s.Param("tau", h.Tau),
		s.Param("eta", h.Eta), s.Param("beta", h.Beta)
}

// Decoupled returns one mode of the decoupled flow at constant τ (section 3.2),
// with states p and s:
//
//	p' = α_p·s·(τ − a·p) − η·p,   s' = 2·p·s·(τ − a·p) − 2η·s.
func Decoupled(h Hyper) *System {
	sys := NewSystem("p", "s")
	alpha, sigma2, tau, eta, _ := h.declare(sys)
	a := sys.Int(1).Add(sigma2)
	p, s := sys.Var("p"), sys.Var("s")
	drive := s.Mul(tau.Sub(a.Mul(p)))
	sys.SetRHS("p", alpha.Mul(drive).Sub(eta.Mul(p)))
	sys.SetRHS("s", sys.Int(2).Mul(p.Mul(drive).Sub(eta.Mul(s))))
	return sys
}

// Modes returns one mode of the flow with its moving average, the 1×1 case of
// Lemma 1 in the states p, w and wa (regular also at w = 0):
//
//	p' = α_p·r·w − η·p,   w' = p·r − η·w,   wa' = β·(w − wa),   r = wa − a·p·w.
func Modes(h Hyper) *System {
	sys := NewSystem("p", "w", "wa")
	alpha, sigma2, _, eta, beta := h.declare(sys)
	a := sys.Int(1).Add(sigma2)
	p, w, wa := sys.Var("p"), sys.Var("w"), sys.Var("wa")
	r := wa.Sub(a.Mul(p.Mul(w)))
	sys.SetRHS("p", alpha.Mul(r.Mul(w)).Sub(eta.Mul(p)))
	sys.SetRHS("w", p.Mul(r).Sub(eta.Mul(w)))
	sys.SetRHS("wa", beta.Mul(w.Sub(wa)))
	return sys
}

// ReducedFlow is the flow of F and W_p, symmetric n×n, at constant τ (section
// 3.1), with the states f11, f12, …, fnn, p11, p12, …, pnn (i ≤ j):
//
//	W_p' = −(α_p/2)·a·{W_p, F} + α_p·τ·F − η·W_p,
//	F'   = −a·{W_p², F} + τ·{W_p, F} − 2η·F.
type ReducedFlow struct {
	System *System
	F, Wp  Matrix
	// K = a·(α_p/2·F + W_p² − (τ/a)·W_p) + (3/2)·η·I, the matrix of Theorem 3.
	K Matrix
	// L = [F, W_p].
	L Matrix
}

// Reduced returns the reduced flow of n×n matrices. It panics if n is not in
// 1 … 9 or α_p is not positive.
func Reduced(n int, h Hyper) *ReducedFlow {
	if n < 1 || n > 9 {
		panic(fmt.Sprintf("enclosure: reduced flow of size %d", n))
	}
	name := func(letter string, i, j int) string {
		return fmt.Sprintf("%s%d%d", letter, min(i, j)+1, max(i, j)+1)
	}
	var names []string
	for _, letter := range []string{"f", "p"} {
		for i := range n {
			for j := i; j < n; j++ {
				names = append(names, name(letter, i, j))
			}
		}
	}
	sys := NewSystem(names...)
	alpha, sigma2, tau, eta, _ := h.declare(sys)
	a := sys.Int(1).Add(sigma2)
	symmetric := func(letter string) Matrix {
		return NewMatrix(n, n, func(i, j int) Expr { return sys.Var(name(letter, i, j)) })
	}
	f, wp := symmetric("f"), symmetric("p")
	half := sys.Frac(1, 2)
	anti, wp2 := wp.Anticommutator(f), wp.Mul(wp)
	dwp := f.Scale(alpha.Mul(tau)).Sub(anti.Scale(half.Mul(alpha).Mul(a))).Sub(wp.Scale(eta))
	df := anti.Scale(tau).Sub(wp2.Anticommutator(f).Scale(a)).Sub(f.Scale(sys.Int(2).Mul(eta)))
	for i := range n {
		for j := i; j < n; j++ {
			sys.SetRHS(name("p", i, j), dwp.At(i, j))
			sys.SetRHS(name("f", i, j), df.At(i, j))
		}
	}
	k := f.Scale(half.Mul(alpha).Mul(a)).Add(wp2.Scale(a)).Sub(wp.Scale(tau))
	shift := sys.Frac(3, 2).Mul(eta)
	k = NewMatrix(n, n, func(i, j int) Expr {
		if i == j {
			return k.At(i, i).Add(shift)
		}
		return k.At(i, j)
	})
	return &ReducedFlow{sys, f, wp, k, f.Commutator(wp)}
}

// LemmaFlow is the flow of W_p (n2×n2), W and W_a (n2×n1) of Lemma 1, with the
// states p11, …, w11, …, a11, … by rows:
//
//	W_p' = α_p·R·Wᵀ − η·W_p,   W' = W_pᵀ·R − η·W,   W_a' = β·(W − W_a),
//	R = −W_p·W·(X + X') + W_a·X.
type LemmaFlow struct {
	System    *System
	Wp, W, Wa Matrix
}

// Lemma1 returns the flow of Lemma 1 for second moments x = X and xp = X', n1×n1;
// nil means the isotropic I and σ²·I. If symmetrised is set, W_p' is replaced by
// its symmetric part (Assumption 3 as the paper enforces it). It panics if n1 or
// n2 is not in 1 … 9, if a matrix is not n1×n1 or α_p is not positive.
func Lemma1(n2, n1 int, x, xp [][]*big.Rat, symmetrised bool, h Hyper) *LemmaFlow {
	if n1 < 1 || n1 > 9 || n2 < 1 || n2 > 9 {
		panic(fmt.Sprintf("enclosure: Lemma 1 flow of size %d×%d", n2, n1))
	}
	name := func(letter string, i, j int) string { return fmt.Sprintf("%s%d%d", letter, i+1, j+1) }
	shapes := []struct {
		letter string
		cols   int
	}{{"p", n2}, {"w", n1}, {"a", n1}}
	var names []string
	for _, s := range shapes {
		for i := range n2 {
			for j := range s.cols {
				names = append(names, name(s.letter, i, j))
			}
		}
	}
	sys := NewSystem(names...)
	alpha, sigma2, _, eta, beta := h.declare(sys)
	variables := func(letter string, cols int) Matrix {
		return NewMatrix(n2, cols, func(i, j int) Expr { return sys.Var(name(letter, i, j)) })
	}
	flow := &LemmaFlow{sys, variables("p", n2), variables("w", n1), variables("a", n1)}
	moments := func(m [][]*big.Rat, diagonal Expr) Matrix {
		return NewMatrix(n1, n1, func(i, j int) Expr {
			switch {
			case m != nil && (len(m) != n1 || len(m[i]) != n1):
				panic(fmt.Sprintf("enclosure: second moments are not %d×%d", n1, n1))
			case m != nil:
				return sys.Const(m[i][j])
			case i == j:
				return diagonal
			}
			return sys.Int(0)
		})
	}
	mx, mxp := moments(x, sys.Int(1)), moments(xp, sigma2)
	r := flow.Wa.Mul(mx).Sub(flow.Wp.Mul(flow.W).Mul(mx.Add(mxp)))
	dwp := r.Mul(flow.W.T()).Scale(alpha)
	if symmetrised {
		dwp = dwp.Add(dwp.T()).Scale(sys.Frac(1, 2))
	}
	dwp = dwp.Sub(flow.Wp.Scale(eta))
	dw := flow.Wp.T().Mul(r).Sub(flow.W.Scale(eta))
	dwa := flow.W.Sub(flow.Wa).Scale(beta)
	for k, d := range []Matrix{dwp, dw, dwa} {
		for i := range n2 {
			for j := range shapes[k].cols {
				sys.SetRHS(name(shapes[k].letter, i, j), d.At(i, j))
			}
		}
	}
	return flow
}
