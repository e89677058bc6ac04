package flow

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// Measures returns the measures of a state that belong to the flow, by name. An
// undefined one (0/0, or divided by α = 0) is absent.
//
// With F = W·X·Wᵀ (or the state's F), for the flows with a predictor:
//
//	norm_W, norm_Wp, norm_F    Frobenius norms
//	asymmetry                  ‖Wp - Wpᵀ‖ / ‖Wp‖
//	commutator                 ‖[F, Wp]‖
//	commutator_normalised      ‖[F, Wp]‖ / (‖F‖ ‖Wp‖)
//	frame_angle                measure.FrameAngle of F and the symmetric part of Wp
//	cosine_min                 smallest u_jᵀ Wp u_j / ‖Wp u_j‖ over the eigenvectors
//	                           of F with s_j ≥ CollapseFraction·s_max
//	effective_rank             of F
//	balance                    ‖W·Wᵀ - Wpᵀ·Wp/α‖ (flows with W)
//	trace_balance              tr W·Wᵀ - ‖Wp‖²/α, or tr F - ‖Wp‖²/α (flows without W)
//	collapse_scale             max(λ_max(F), ‖Wp‖₂²/|α|)
//	tau_eff                    ⟨W, Wa⟩ / ⟨W, W⟩ (flows with Wa)
//	lambda_min_K               smallest eigenvalue of K (isotropic data and symmetric
//	                           Wp: symmetrised with τ = tau_eff, reduced)
//
// For nopredictor: norm_W, norm_F, effective_rank. For the flows of modes, with
// s_j = w_j² or s_j = p_j²/α where the state has none, and j counted from 1:
//
//	invariant_j                s_j - p_j²/α (not parabola, where it is zero)
//	k_j                        eigenvalue of K: a (α s_j/2 + p_j²) - τ_j p_j + 3η/2
//	tau_eff_j                  wa_j / w_j (modes)
//	collapse_scale             max_j max(s_j, p_j²/|α|); max_j p_j² for parabola, where α
//	                           cancels
//
// Of matrices with an entry above maxEntry only the norms are returned: the squares and
// fourth powers in the other measures would overflow. Small matrices are scaled by powers
// of two, which is exact, so that squares do not underflow; a measure that is itself below
// ode.Smallest, where numbers end, is absent.
func (f Flow) Measures(s *State) map[string]float64 {
	m := measures{}
	if !f.has(kP) && tooLarge(s) {
		for name, a := range map[string]*mat.Dense{"norm_W": s.W, "norm_Wp": s.Wp, "norm_F": s.F} {
			if a != nil {
				m.set(name, mat.Norm(a, 2))
			}
		}
		return m
	}
	switch {
	case f.has(kP):
		m.modes(f, s)
	case f.has(kWp):
		m.matrices(f, s)
	default:
		m.set("norm_W", mat.Norm(s.W, 2))
		c, e := correlation(s)
		m.setScaled("norm_F", mat.Norm(c, 2), e)
		m.set("effective_rank", measure.EffectiveRank(c))
	}
	return m
}

// exponent returns e with 2^(e-1) ≤ max |a_ij| < 2^e, 0 for a zero matrix.
func exponent(a mat.Matrix) int {
	_, e := math.Frexp(max(mat.Max(a), -mat.Min(a)))
	return e
}

// times2 returns 2^e·A.
func times2(a mat.Matrix, e int) *mat.Dense {
	var d mat.Dense
	d.Apply(func(_, _ int, x float64) float64 { return math.Ldexp(x, e) }, a)
	return &d
}

// maxEntry is the largest entry whose fourth power, summed over any matrix that fits in
// memory and multiplied by another entry, is still a float64.
const maxEntry = 1e60

// tooLarge reports whether an entry of a matrix of s is above maxEntry.
func tooLarge(s *State) bool {
	for _, a := range []*mat.Dense{s.W, s.Wp, s.Wa, s.F, s.X, s.Xp} {
		if a != nil && mat.Max(a) > maxEntry || a != nil && mat.Min(a) < -maxEntry {
			return true
		}
	}
	return false
}

func (f Flow) has(k key) bool {
	for _, v := range f.variables {
		if v == k {
			return true
		}
	}
	return false
}

type measures map[string]float64

func (m measures) set(name string, x float64) {
	if x-x == 0 {
		m[name] = x
	}
}

// setScaled sets 2^e·x unless it is below where numbers end.
func (m measures) setScaled(name string, x float64, e int) {
	if v := math.Ldexp(x, e); x == 0 || math.Abs(v) >= ode.Smallest {
		m.set(name, v)
	}
}

// correlation returns 2⁻ᵉ·F for F = W·X·Wᵀ, exactly symmetric, and e.
func correlation(s *State) (f *mat.Dense, e int) {
	e = exponent(s.W)
	w := times2(s.W, -e)
	var v, p mat.Dense
	if s.X == nil {
		v.CloneFrom(w)
	} else {
		v.Mul(w, s.X)
	}
	p.Mul(&v, w.T())
	return symmetricPart(&p), 2 * e
}

func symmetricPart(a *mat.Dense) *mat.Dense {
	var t mat.Dense
	t.Add(a, a.T())
	t.Scale(0.5, &t)
	return &t
}

func (m measures) matrices(f Flow, s *State) {
	// 2^e·c is F and 2^ep·wp is Wp.
	var c *mat.Dense
	var e int
	if f.has(kF) {
		e = exponent(s.F)
		c = times2(s.F, -e)
	} else {
		c, e = correlation(s)
		m.set("norm_W", mat.Norm(s.W, 2))
	}
	ep := exponent(s.Wp)
	wp := times2(s.Wp, -ep)
	m.set("norm_Wp", mat.Norm(s.Wp, 2))
	m.setScaled("norm_F", mat.Norm(c, 2), e)
	m.set("asymmetry", measure.Asymmetry(wp))
	m.setScaled("commutator", measure.CommutatorNorm(c, wp), e+ep)
	m.set("commutator_normalised", measure.NormalisedCommutator(c, wp))
	m.set("frame_angle", measure.FrameAngle(c, symmetricPart(wp), measure.DefaultGap))
	values, _ := measure.Eigenframe(c)
	least := math.Inf(1)
	for j, x := range measure.Cosines(c, wp) {
		if values[j] >= measure.CollapseFraction*values[0] && !math.IsNaN(x) {
			least = min(least, x)
		}
	}
	m.set("cosine_min", least)
	if lo := values[len(values)-1]; lo >= -measure.SymmetryTol*values[0] {
		m.set("effective_rank", measure.EffectiveCount(values))
	}
	tau := s.Tau
	switch {
	case f.has(kWa):
		ew, ea := exponent(s.W), exponent(s.Wa)
		w := times2(s.W, -ew)
		ww := mat.Norm(w, 2)
		var p mat.Dense
		p.MulElem(w, times2(s.Wa, -ea))
		tau = math.Ldexp(mat.Sum(&p)/(ww*ww), ea-ew)
		m.set("tau_eff", tau)
	case !f.has(kF):
		tau = 1
	}
	if s.Alpha != 0 {
		// Wp² and F have one scale, 2^2k.
		k := max(ep, (e+1)/2)
		p, cc := times2(wp, ep-k), times2(c, e-2*k)
		if f.has(kW) {
			d := measure.Balance(times2(s.W, -k), p, s.Alpha)
			m.setScaled("balance", mat.Norm(d, 2), 2*k)
			m.setScaled("trace_balance", mat.Trace(d), 2*k)
		} else {
			m.setScaled("trace_balance", measure.TraceBalance(cc, p, s.Alpha), 2*k)
		}
		m.setScaled("collapse_scale", measure.CollapseScale(cc, p, s.Alpha), 2*k)
	}
	symmetric := f.Name == symmetrisedFlow.Name || f.has(kF)
	iso := *s // isotropic may set Sigma2
	if symmetric && isotropic(&iso, f.Name) == nil && tau-tau == 0 {
		k := measure.K(times2(c, e), symmetricPart(s.Wp), s.Alpha, iso.Sigma2, tau, s.Eta)
		m.set("lambda_min_K", measure.MinEigenvalue(symmetricPart(k)))
	}
}

func (m measures) modes(f Flow, s *State) {
	iso := *s // isotropic may set Sigma2
	if isotropic(&iso, f.Name) != nil {
		return
	}
	a := 1 + iso.Sigma2
	scale := 0.0
	for j, p := range s.P {
		tau := s.Tau
		if s.TauModes != nil {
			tau = s.TauModes[j]
		}
		var sj float64
		name := func(what string) string { return fmt.Sprintf("%s_%d", what, j+1) }
		switch {
		case f.has(kS):
			sj = s.S[j]
		case f.has(kWm):
			sj = s.Wm[j] * s.Wm[j]
			tau = s.WaM[j] / s.Wm[j]
			m.set(name("tau_eff"), tau)
		default:
			// On the parabola α cancels: with α s = p² the scale is p².
			m.set(name("k"), a*1.5*p*p-tau*p+1.5*s.Eta)
			scale = max(scale, p*p)
			continue
		}
		m.set(name("k"), a*(s.Alpha*sj/2+p*p)-tau*p+1.5*s.Eta)
		if s.Alpha != 0 {
			if v := sj - p*p/s.Alpha; max(math.Abs(sj), p*p/math.Abs(s.Alpha)) >= ode.Smallest || p == 0 && sj == 0 {
				m.set(name("invariant"), v)
			}
			scale = max(scale, sj, p*p/math.Abs(s.Alpha))
		}
	}
	if s.Alpha != 0 {
		m.setScaled("collapse_scale", scale, 0)
	}
}
