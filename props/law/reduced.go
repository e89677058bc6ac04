package law

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/generate"
)

// Laws of the symmetrised and the reduced flow (claims ledger, section 3, entries 13 to 23).
var reducedLaws = []Law{
	{
		ID: "assump-sym", Name: "commuting",
		Says:      "‖Wp − Wpᵀ‖ relative to ‖Wp‖ along lemma1 from an aligned start",
		Tolerance: Compared, Twins: []string{"not commuting"},
		measure: staysSymmetric,
	},
	{
		ID: "sym-dynamics", Name: "reduction",
		Says:      "distance of (Wp, W·Wᵀ) along the symmetrised flow with Wa = τW to the reduced flow, relative to their size",
		Tolerance: Compared, Twins: []string{"true moving average"},
		measure: reduction,
	},
	{
		ID: "sym-dynamics", Name: "rank",
		Says:      "eigenvalues of F(t) beyond the rank of F(0), relative to the largest so far",
		Tolerance: Kept, Twins: []string{"rank of the predictor"},
		measure: rank,
	},
	{
		ID: "thm3-identity", Name: "transport",
		Says:      "distance of L = [F, Wp] to the solution of M' = −(MK + KM), M(0) = L(0), relative to ‖F‖‖Wp‖",
		Tolerance: Compared, Twins: []string{"half the decay in K"},
		measure: transport,
	},
	{
		ID: "thm3-bound", Name: "along K",
		Says:      "ln(‖L(t)‖/‖L(0)‖) + 2∫λ_min(K)dt, whatever the sign of K",
		Tolerance: LogBound, Twins: []string{"three times"},
		measure: func(r *run) (float64, error) { return r.commutatorBound(alongK) },
	},
	{
		ID: "thm3-bound", Name: "two smallest",
		Says:      "ln(‖L(t)‖/‖L(0)‖) + ∫(λ₁+λ₂)(K)dt: L is skew",
		Tolerance: LogBound, Twins: []string{"three times"},
		measure: func(r *run) (float64, error) { return r.commutatorBound(twoSmallest) },
	},
	{
		ID: "thm3-bound", Name: "a priori",
		Says:      "ln(‖L(t)‖/‖L(0)‖) + 2λ₀t, λ₀ = 3η/2 − τ²/(4a) > 0, the theorem's hypothesis at every state",
		Tolerance: LogBound, Twins: []string{"three times"},
		measure: func(r *run) (float64, error) { return r.commutatorBound(apriori) },
	},
	{
		ID: "thm3-alignment", Name: "shrinking",
		Says:      "ln of the growth of ‖L‖ between two times while K ⪰ 0",
		Tolerance: LogBound, Twins: []string{"normalised"},
		measure: shrinking,
	},
	{
		ID: "angle-law", Name: "integrated",
		Says: "ln(δ(T)/δ(0)) + ∫rate dt for two modes misaligned by an angle δ ≤ 1e-3",
		// The law is the linear term in δ; by symmetry under δ → −δ the next is of order δ², 1e-6, with the
		// inverse squares of the gaps Δp, Δs ≥ 1/8 as coefficients.
		Tolerance: 64 * 1e-6, Twins: []string{"without the half"},
		measure: angleLaw,
	},
}

func staysSymmetric(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := generate.Aligned(r.ch, p, 4)
	n, _ := s.Wp.Dims()
	if r.twin != "" {
		q := generate.Dense(generate.Orthogonal(r.ch, n))
		s.Wp = symmetricPart(product(q, s.Wp, q.T()))
	}
	tr, err := r.simulate("lemma1", s, 4)
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for _, x := range tr.States {
		if top = max(top, size(x.Wp)); top == 0 {
			return 0, errVacuous
		}
		worst = max(worst, distance(x.Wp, x.Wp.T())/top)
	}
	return worst, nil
}

// reduction forces W_a = τW in the right-hand side of the symmetrised flow.
func reduction(r *run) (float64, error) {
	s := r.weighted()
	s.X, s.Xp = nil, nil
	s.Wp = symmetricPart(s.Wp)
	s.Wa = scaled(s.Tau, s.W)
	sys, err := bind("symmetrised", s)
	if err != nil {
		return 0, err
	}
	inner := sys.RHS()
	n2, n1 := s.W.Dims()
	nw := n2 * n1
	at := sys.Dim() - nw
	y1 := make([]float64, sys.Dim())
	f := func(t float64, y, dy []float64) {
		copy(y1, y)
		for i := range nw {
			y1[at+i] = s.Tau * y[at-nw+i]
		}
		inner(t, y1, dy)
		clear(dy[at:])
	}
	if r.twin != "" {
		f = inner
	}
	const t = 4.0
	sol, err := r.solve(f, sys.Initial(), t)
	if err != nil {
		return 0, err
	}
	small := s.Clone()
	small.F = gram(s.W)
	tr, err := r.simulate("reduced", small, t)
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for i, x := range tr.States {
		full := sys.Unpack(sol.T[i], sol.Y[i])
		if top = max(top, size(x.Wp), size(x.F)); top == 0 {
			return 0, errVacuous
		}
		worst = max(worst, distance(x.Wp, full.Wp)/top, distance(x.F, gram(full.W))/top)
	}
	return worst, nil
}

// reduced draws a state of the reduced flow of size 2 to 4, again if its matrices (nearly) commute, eight
// times at most.
func (r *run) reduced(decay generate.Decay) *flow.State {
	var s *flow.State
	for range 8 {
		s = generate.Reduced(r.ch, generate.Parameters(r.ch, decay), 2, 4)
		if measure.NormalisedCommutator(s.F, s.Wp) > 100*logFloor {
			break
		}
	}
	return s
}

func rank(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := generate.Reduced(r.ch, p, 1, 4)
	n, _ := s.Wp.Dims()
	keep := r.ch.Intn(n) // the rank
	f := mat.NewDense(n, n, nil)
	if keep > 0 {
		f = gram(generate.Dense(generate.Entries(r.ch, n, keep)))
	}
	s.F = f
	watched := func(x *flow.State) *mat.Dense { return x.F }
	if r.twin != "" {
		// The predictor's rank is not kept: start from the zero predictor beside a live F.
		s.Wp, keep = mat.NewDense(n, n, nil), 0
		watched = func(x *flow.State) *mat.Dense { return x.Wp }
	}
	tr, err := r.simulate("reduced", s, 8)
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for _, x := range tr.States {
		m := watched(x)
		top = max(top, size(m), size(x.F))
		v, _ := measure.Eigenframe(m)
		for _, e := range v[keep:] {
			if top > 0 {
				worst = max(worst, math.Abs(e)/top)
			}
		}
		worst = max(worst, -v[n-1]/max(top, math.SmallestNonzeroFloat64))
	}
	return worst, nil
}

// augmented integrates the reduced flow together with further variables z' = g(Wp, F, z).
func (r *run) augmented(s *flow.State, z []float64, t float64, g func(x *flow.State, z, dz []float64)) (*ode.Solution, *flow.System, error) {
	sys, err := bind("reduced", s)
	if err != nil {
		return nil, nil, err
	}
	f, n := sys.RHS(), sys.Dim()
	sol, err := r.solve(func(t float64, y, dy []float64) {
		f(t, y[:n], dy[:n])
		for _, v := range y {
			if v-v != 0 {
				dy[0] = math.NaN() // a trial step went too far: the solver takes a smaller one
				return
			}
		}
		g(sys.Unpack(t, y[:n]), y[n:], dy[n:])
	}, append(sys.Initial(), z...), t)
	return sol, sys, err
}

// kOf is the matrix K of Theorem 3 at a state of the reduced flow.
func kOf(x *flow.State, eta float64) *mat.Dense {
	return symmetricPart(measure.K(x.F, x.Wp, x.Alpha, x.Sigma2, x.Tau, eta))
}

func transport(r *run) (float64, error) {
	s := r.reduced(generate.AnyDecay)
	n, _ := s.Wp.Dims()
	eta := s.Eta
	if r.twin != "" {
		eta /= 2
	}
	sol, sys, err := r.augmented(s, measure.Commutator(s.F, s.Wp).RawMatrix().Data, 3, func(x *flow.State, z, dz []float64) {
		m, k := mat.NewDense(n, n, z), kOf(x, eta)
		var d mat.Dense
		d.Add(product(m, k), product(k, m))
		copy(dz, scaled(-1, &d).RawMatrix().Data)
	})
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for i, y := range sol.Y {
		x := sys.Unpack(sol.T[i], y[:sys.Dim()])
		top = max(top, size(x.F)*size(x.Wp))
		if top == 0 {
			return 0, errVacuous
		}
		worst = max(worst, distance(measure.Commutator(x.F, x.Wp), mat.NewDense(n, n, y[sys.Dim():]))/top)
	}
	return worst, nil
}

type bound int

const (
	alongK bound = iota
	twoSmallest
	apriori
)

// commutatorBound measures the excess of ln‖L‖ over one of the bounds of Theorem 3, while L is known well
// enough.
func (r *run) commutatorBound(b bound) (float64, error) {
	decay := generate.AnyDecay
	if b == apriori {
		decay = []generate.Decay{generate.Subcritical, generate.Critical, generate.Supercritical}[r.ch.Intn(3)]
	}
	s := r.reduced(decay)
	lambda0 := 1.5*s.Eta - s.Tau*s.Tau/(4*(1+s.Sigma2))
	if b == apriori && lambda0 <= 0 {
		return 0, errVacuous
	}
	factor := 1.0
	if r.twin != "" {
		factor = 3
	}
	sol, sys, err := r.augmented(s, []float64{0}, 4, func(x *flow.State, _, dz []float64) {
		v, _ := measure.Eigenframe(kOf(x, x.Eta))
		n := len(v)
		switch {
		case b == apriori:
			dz[0] = 2 * lambda0
		case b == twoSmallest && n > 1:
			dz[0] = v[n-1] + v[n-2]
		default:
			dz[0] = 2 * v[n-1]
		}
	})
	if err != nil {
		return 0, err
	}
	l0, worst, known := measure.CommutatorNorm(s.F, s.Wp), math.Inf(-1), 0
	for i, y := range sol.Y {
		x := sys.Unpack(sol.T[i], y[:sys.Dim()])
		l := measure.CommutatorNorm(x.F, x.Wp)
		if l <= logFloor*size(x.F)*size(x.Wp) || l <= logFloor*l0 || l0 == 0 {
			break
		}
		if i > 0 {
			worst = max(worst, math.Log(l/l0)+factor*y[sys.Dim()])
			known++
		}
	}
	if known == 0 {
		return 0, errVacuous
	}
	return worst, nil
}

func shrinking(r *run) (float64, error) {
	s := r.reduced(generate.AnyDecay)
	tr, err := r.simulate("reduced", s, 4)
	if err != nil {
		return 0, err
	}
	norm := func(x *flow.State) float64 {
		l := measure.CommutatorNorm(x.F, x.Wp)
		if r.twin != "" {
			return l / (size(x.F) * size(x.Wp))
		}
		return l
	}
	worst, seen := math.Inf(-1), false
	for i := 1; i < len(tr.States); i++ {
		a, b := tr.States[i-1], tr.States[i]
		if measure.MinEigenvalue(kOf(a, a.Eta)) < 0 || measure.MinEigenvalue(kOf(b, b.Eta)) < 0 {
			continue
		}
		if l := measure.CommutatorNorm(b.F, b.Wp); l <= logFloor*size(b.F)*size(b.Wp) {
			break
		}
		// Between two output times K could dip below zero and up again; λ_min(K) is then small in between, and
		// so is the growth it allows. A stretch counts only if K stays clear of zero at both ends by more than
		// it changes.
		ka, kb := measure.MinEigenvalue(kOf(a, a.Eta)), measure.MinEigenvalue(kOf(b, b.Eta))
		if math.Abs(ka-kb) > min(ka, kb) {
			continue
		}
		worst, seen = max(worst, math.Log(norm(b)/norm(a))), true
	}
	if !seen {
		return 0, errVacuous
	}
	return worst, nil
}

// angle returns the angle of the eigenframe of a symmetric 2×2 matrix, ½·atan2(2b, a−d).
func angle(m mat.Matrix) float64 {
	return math.Atan2(2*m.At(0, 1), m.At(0, 0)-m.At(1, 1)) / 2
}

func angleLaw(r *run) (float64, error) {
	const (
		delta0, most = 1e-5, 1e-3
		gap          = 0.125
	)
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := p.State()
	num := func() float64 { return generate.Float(generate.Scale(r.ch, -3, 1)) }
	p1, p2, s1, s2 := num(), num(), num(), num()
	if r.ch.Intn(4) == 3 {
		p2 = -p2
	}
	c, w := math.Cos(delta0), math.Sin(delta0)
	rot := mat.NewDense(2, 2, []float64{c, -w, w, c})
	s.Wp = symmetricPart(product(rot, mat.NewDense(2, 2, []float64{p1, 0, 0, p2}), rot.T()))
	s.F = mat.NewDense(2, 2, []float64{s1, 0, 0, s2})
	a := 1 + s.Sigma2
	half := 2.0
	if r.twin != "" {
		half = 1
	}
	modes := func(x *flow.State) (dp, ds, sp, ss float64) {
		return x.Wp.At(0, 0) - x.Wp.At(1, 1), x.F.At(0, 0) - x.F.At(1, 1), mat.Trace(x.Wp), mat.Trace(x.F)
	}
	sol, sys, err := r.augmented(s, []float64{0}, 1, func(x *flow.State, _, dz []float64) {
		dp, ds, sp, ss := modes(x)
		dz[0] = ss*(dp/ds)*(x.Tau-a*sp) + x.Alpha*(ds/dp)*(x.Tau-a*sp/half)
	})
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if err != nil {
		return 0, errVacuous // the gap closes
	}
	worst, seen := 0.0, false
	for i, y := range sol.Y {
		x := sys.Unpack(sol.T[i], y[:sys.Dim()])
		dp, ds, _, _ := modes(x)
		delta := angle(x.Wp) - angle(x.F)
		if math.Abs(dp) < gap || math.Abs(ds) < gap || math.Abs(delta) > most || math.Abs(delta) < delta0*delta0 {
			break
		}
		if i > 0 {
			d0 := angle(s.Wp) - angle(s.F)
			worst, seen = max(worst, math.Abs(math.Log(delta/d0)+y[sys.Dim()])), true
		}
	}
	if !seen {
		return 0, errVacuous
	}
	return worst, nil
}
