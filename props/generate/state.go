package generate

import (
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/theory/sample"
)

// State returns a state of numeric/flow with these parameters and nothing else.
func (p Params) State() *flow.State {
	s := flow.NewState()
	s.Alpha, s.Eta, s.Beta, s.Sigma2, s.Tau = Float(p.Alpha), Float(p.Eta), Float(p.Beta), Float(p.Sigma2), Float(p.Tau)
	return s
}

// Weighted draws the matrices of the Lemma 1 flow: a shape up to most, W, Wp, Wa of general position or with
// drawn singular values, scaled by 2^[−3,0], and general second moments X, X', isotropic ones with
// probability 1/4.
func Weighted(ch sample.Chooser, p Params, most int) *flow.State {
	s := p.State()
	n2, n1 := Shape(ch, most)
	size := Scale(ch, -3, 0)
	weights := func(r, c int) Matrix {
		if ch.Intn(2) == 0 {
			return Scaled(size, Entries(ch, r, c))
		}
		return Scaled(size, Weights(ch, r, c, AnyKind))
	}
	s.W, s.Wp, s.Wa = Dense(weights(n2, n1)), Dense(weights(n2, n2)), Dense(weights(n2, n1))
	if ch.Intn(4) > 0 {
		s.Sigma2 = 0
		s.X, s.Xp = Dense(Moment(ch, n1, AnyKind)), Dense(Scaled(Rat(1, 2), Moment(ch, n1, AnyKind)))
	}
	return s
}

// Reduced draws a symmetric predictor and F ⪰ 0 of size least to most, each with its own eigenframe, or with
// a common one with probability 1/4; the predictor's eigenvalues have either sign.
func Reduced(ch sample.Chooser, p Params, least, most int) *flow.State {
	s := p.State()
	n := least + ch.Intn(most-least+1)
	u := Orthogonal(ch, n)
	v := u
	if ch.Intn(4) > 0 {
		v = Orthogonal(ch, n)
	}
	ps := Spectrum(ch, n, AnyKind)
	for i := range ps {
		if ch.Intn(4) == 3 {
			ps[i] = new(big.Rat).Neg(ps[i])
		}
	}
	s.Wp, s.F = Dense(Scaled(Scale(ch, -3, 0), Symmetric(u, ps))), Dense(Scaled(Scale(ch, -3, 0), Symmetric(v, Spectrum(ch, n, AnyKind))))
	return s
}

// Aligned draws modes p, w, wa of either sign, as arrays and as the matrices U·diag(p)·Uᵀ, U·diag(w)·Vᵀ,
// U·diag(wa)·Vᵀ (n2×n1, modes beyond n1 have w = wa = 0).
func Aligned(ch sample.Chooser, p Params, most int) *flow.State {
	s, _, _ := AlignedFrames(ch, p, most)
	return s
}

// AlignedFrames is [Aligned] with the frames U (n2×n2) and V (n1×n1).
func AlignedFrames(ch sample.Chooser, p Params, most int) (s *flow.State, uf, vf *mat.Dense) {
	s = p.State()
	n2, n1 := Shape(ch, most)
	u, v := Orthogonal(ch, n2), Orthogonal(ch, n1)
	ps, w, wa := make([]*big.Rat, n2), make([]*big.Rat, n2), make([]*big.Rat, n2)
	for j := range n2 {
		ps[j], w[j], wa[j] = Signed(ch), Signed(ch), Signed(ch)
		if j >= n1 {
			w[j], wa[j] = new(big.Rat), new(big.Rat)
		}
		s.P, s.Wm, s.WaM = append(s.P, Float(ps[j])), append(s.Wm, Float(w[j])), append(s.WaM, Float(wa[j]))
	}
	s.Wp = Dense(Symmetric(u, ps))
	s.W = Dense(Mul(Mul(u, Diagonal(n2, n1, w)), Transpose(v)))
	s.Wa = Dense(Mul(Mul(u, Diagonal(n2, n1, wa)), Transpose(v)))
	return s, Dense(u), Dense(v)
}
