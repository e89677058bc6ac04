package oracle

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Lemma1Gradients differentiates the objective of the paper's Lemma 1,
//
//	J(W, W_p) = (1/2N) Σ_i ‖W_p W x1_i − SG(W_a x2_i)‖²,
//
// with gorgonia: W and W_a are n₂×n₁, W_p is n₂×n₂, x1 and x2 are n₁×N with one
// example per column. It returns J, ∂J/∂W_p and ∂J/∂W. In closed form, with
// E = W_pWx1 − W_a x2, they are E(Wx1)ᵀ/N and W_pᵀE x1ᵀ/N.
//
// With stopGradient W_a is a node of its own, so that W_a = W is SimSiam and any
// other W_a is BYOL. Without it W_a is not read: the target is W x2 from the
// node that is differentiated, and ∂J/∂W gains −E x2ᵀ/N.
//
// It panics when the shapes do not match; an error is gorgonia's.
func Lemma1Gradients(wp, w, wa *mat.Dense, x1, x2 *mat.Dense, stopGradient bool) (j float64, dWp, dW *mat.Dense, err error) {
	n2, n1 := w.Dims()
	_, n := x1.Dims()
	for _, m := range []struct {
		name string
		m    *mat.Dense
		r, c int
	}{{"W_p", wp, n2, n2}, {"x1", x1, n1, n}, {"x2", x2, n1, n}, {"W_a", wa, n2, n1}} {
		if m.name == "W_a" && !stopGradient {
			continue
		}
		if r, c := m.m.Dims(); r != m.r || c != m.c {
			panic(fmt.Sprintf("oracle: %s is %d×%d, want %d×%d", m.name, r, c, m.r, m.c))
		}
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("oracle: building the gorgonia graph: %v", r)
		}
	}()
	g := G.NewGraph()
	node := func(name string, m *mat.Dense) *G.Node {
		r, c := m.Dims()
		v := tensor.New(tensor.WithShape(r, c), tensor.WithBacking(mat.DenseCopyOf(m).RawMatrix().Data))
		return G.NewMatrix(g, tensor.Float64, G.WithShape(r, c), G.WithName(name), G.WithValue(v))
	}
	nwp, nw := node("Wp", wp), node("W", w)
	target := nw
	if stopGradient {
		target = node("Wa", wa)
	}
	p := must(G.Mul(nwp, must(G.Mul(nw, node("x1", x1)))))
	e := must(G.Sub(p, must(G.Mul(target, node("x2", x2)))))
	loss := must(G.Mul(must(G.Sum(must(G.HadamardProd(e, e)))), G.NewConstant(0.5/float64(n))))
	var vj, vp, vw G.Value
	G.Read(loss, &vj)
	grads, err := G.Grad(loss, nwp, nw)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("oracle: differentiating: %w", err)
	}
	G.Read(grads[0], &vp)
	G.Read(grads[1], &vw)
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return 0, nil, nil, fmt.Errorf("oracle: running the gorgonia graph: %w", err)
	}
	dense := func(r, c int, v G.Value) *mat.Dense {
		return mat.NewDense(r, c, append([]float64(nil), v.Data().([]float64)...))
	}
	return vj.Data().(float64), dense(n2, n2, vp), dense(n2, n1, vw), nil
}
