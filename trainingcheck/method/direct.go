package method

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// codeFloor is the smallest eigenvalue of W_p under the code's formula ("clamp").
const codeFloor = 1e-4

// Eigenvalues maps the eigenvalues s of F̂ to those of W_p.
//
// With γ = ½ for DirectPred, 1 for DirectCopy and d.Gamma for DirectSet, and
// negative s_j (rounding) taken as 0:
//
//	Slide, DirectPred:             p_j = √s_j + ε·max_i s_i      (paper, Eq. 18)
//	Slide, DirectCopy, DirectSet:  p_j = s_j^γ + ε
//	Code:                          p_j = max((s_j/s_max)^γ + ε, 1e-4)
//	Code, EpsInside:               p_j = max(s_j/s_max + ε, 1e-4)^γ
//
// all multiplied by 1 − Shrink.
//
// The Code formula of an all-zero F̂ is undefined: an error, as any other
// s that is not finite.
func (d Direct) Eigenvalues(m Method, s []float64) ([]float64, error) {
	gamma := 0.5
	switch m {
	case DirectCopy:
		gamma = 1
	case DirectSet:
		gamma = d.Gamma
	}
	top := 0.0
	for _, v := range s {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("method: eigenvalue %v of the feature moment", v)
		}
		top = max(top, v)
	}
	if d.Formula == Code && top == 0 {
		return nil, errors.New("method: the feature moment is zero: all features have vanished")
	}
	power := func(v float64) float64 {
		switch gamma {
		case 0.5:
			return math.Sqrt(v)
		case 1:
			return v
		}
		return math.Pow(v, gamma)
	}
	p := make([]float64, len(s))
	for j, v := range s {
		v = max(v, 0)
		switch {
		case d.EpsInside:
			p[j] = power(max(v/top+d.Epsilon, codeFloor))
		case d.Formula == Code:
			p[j] = max(power(v/top)+d.Epsilon, codeFloor)
		case m == DirectPred:
			p[j] = power(v) + d.Epsilon*top
		default:
			p[j] = power(v) + d.Epsilon
		}
		p[j] *= 1 - d.Shrink
	}
	return p, nil
}

// Predictor returns W_p = U diag(p) Uᵀ for the symmetric part of F̂ = U diag(s) Uᵀ,
// with p from Eigenvalues. The eigensolver is a symmetric one: with a general
// one, U of a repeated eigenvalue need not be orthogonal and W_p would be wrong.
func (d Direct) Predictor(m Method, moment *mat.Dense) (*mat.Dense, error) {
	n, c := moment.Dims()
	if n != c {
		panic(fmt.Sprintf("method: feature moment is %d×%d, want square", n, c))
	}
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (moment.At(i, j)+moment.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return nil, errors.New("method: the eigendecomposition of the feature moment did not converge")
	}
	p, err := d.Eigenvalues(m, eig.Values(nil))
	if err != nil {
		return nil, err
	}
	var u, up, w mat.Dense
	eig.VectorsTo(&u)
	up.Mul(&u, mat.NewDiagDense(n, p))
	w.Mul(&up, u.T())
	return &w, nil
}
