package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// field is a flow bound to a state, whose right-hand side a test may have changed.
type field struct {
	sys   *flow.System
	given *flow.State // that it was bound to
	s     *flow.State // the same, what the flow does not read left out
	rhs   ode.RHS
}

// mutation changes the derivative d at the state s.
type mutation func(s, d *flow.State)

func newField(name string, s *flow.State, m mutation) (*field, error) {
	f, err := flow.ByName(name)
	if err != nil {
		return nil, err
	}
	sys, err := f.Bind(s)
	if err != nil {
		return nil, err
	}
	fd := &field{sys: sys, given: s, s: sys.Unpack(s.T, sys.Initial()), rhs: sys.RHS()}
	if m != nil {
		right := fd.rhs
		fd.rhs = func(t float64, y, dy []float64) {
			right(t, y, dy)
			d := sys.Unpack(t, dy)
			m(sys.Unpack(t, y), d)
			if _, err := sys.Pack(d, dy); err != nil {
				panic(err) // the shapes are those of the system
			}
		}
	}
	return fd, nil
}

// derivative is the right-hand side at the field's own state.
func (fd *field) derivative() *flow.State {
	dy := make([]float64, fd.sys.Dim())
	fd.rhs(fd.s.T, fd.sys.Initial(), dy)
	return fd.sys.Unpack(fd.s.T, dy)
}

// Trajectories of the targets are short and small; one that needs more steps than maxSteps is stiff or runs away, and
// says nothing.
const (
	span     = 1.0
	maxSteps = 4000
)

// Laws along a trajectory are checked to a tolerance relative to the sizes they are made of: leastTol, for the local
// errors of the tighter integration, plus amplified times the relative difference of two integrations, at relative
// tolerances 100 times apart. That difference is the error of the looser one; the flow amplifies both alike, and the
// laws multiply errors by no more than the few factors of their products. Beyond mostTol a law says nothing.
const (
	loose     = 1e-9
	tight     = 1e-11
	leastTol  = 1e-9
	amplified = 100
	mostTol   = 1e-4
)

// leastAlpha is the least α with which balances, which divide by it, are followed along trajectories.
const leastAlpha = 1e-6

// errStiff is returned for a trajectory that is not followed.
var errStiff = errors.New("stiff")

// run integrates the field for the time span and returns its end with the tolerance for laws about it.
func (fd *field) run() (end *flow.State, tol float64, err error) {
	t0 := fd.s.T
	var ends [2][]float64
	for i, rtol := range []float64{loose, tight} {
		sol, err := ode.Solve(context.Background(), fd.rhs, t0, fd.sys.Initial(), t0+span, &ode.Settings{
			RelTol: rtol, AbsTol: rtol * 1e-3, MaxSteps: maxSteps, Output: []float64{t0 + span},
		})
		if err != nil {
			return nil, 0, errStiff
		}
		ends[i] = sol.EndY
	}
	var diff, size float64
	for i, v := range ends[1] {
		diff = max(diff, math.Abs(v-ends[0][i]))
		size = max(size, math.Abs(v))
	}
	tol = leastTol + amplified*diff/(size+1e-3)
	if !(tol < mostTol) {
		return nil, 0, errStiff
	}
	return fd.sys.Unpack(t0+span, ends[1]), tol, nil
}

// roundings bounds the roundings on any path from an input to an entry of the laws below: at most seven products of
// inner dimension up to maxSize, each with one rounding and maxSize sums, twice (the flow's own and the law's), and
// fewer than forty sums and scalings.
const (
	maxSize   = 5
	roundings = 2*7*(1+maxSize) + 40
	unit      = 0x1p-53
	gamma     = roundings * unit / (1 - roundings*unit)
)

func norm(m mat.Matrix) float64 {
	if m == nil {
		return 0
	}
	return mat.Norm(m, 2)
}

// product is A·B·…
func product(ms ...mat.Matrix) *mat.Dense {
	out := mat.DenseCopyOf(ms[0])
	for _, m := range ms[1:] {
		next := new(mat.Dense)
		next.Mul(out, m)
		out = next
	}
	return out
}

// linear is Σ c_i·M_i for pairs c, M.
func linear(terms ...any) *mat.Dense {
	var out *mat.Dense
	for i := 0; i < len(terms); i += 2 {
		var t mat.Dense
		t.Scale(terms[i].(float64), terms[i+1].(mat.Matrix))
		if out == nil {
			out = &t
			continue
		}
		out.Add(out, &t)
	}
	return out
}

func inner(a, b mat.Matrix) float64 {
	var p mat.Dense
	p.MulElem(a, b)
	return mat.Sum(&p)
}

func eye(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func symmetricPart(a mat.Matrix) *mat.Dense { return linear(0.5, a, 0.5, a.T()) }

// moments returns X and X + X' of a state.
func moments(s *flow.State) (x, both *mat.Dense) {
	_, n1 := s.W.Dims()
	x, xp, err := s.Moments(n1)
	if err != nil {
		panic(err) // Bind has checked them
	}
	return x, linear(1.0, x, 1.0, xp)
}

// underflow is added to every bound: a product that underflows is off by 2⁻¹⁰⁷⁴ absolutely, times at most seven factors
// below a thousand afterwards, fewer than roundings times.
const underflow = 1e-300

// violated returns an error unless residual ≤ bound.
func violated(law string, residual, bound float64) error {
	if residual <= bound+underflow {
		return nil
	}
	return fmt.Errorf("%s: off by %.3g, the bound on rounding is %.3g", law, residual, bound)
}

// objective is J(P, Wa) = ½tr(P·S·Pᵀ) − tr(P·X·Waᵀ) of claim objective, without the term that is constant behind the
// stop-gradient, for the product P = Wp·W and S = X + X'; and the sum of the sizes of its terms.
func objective(p, wa, x, both mat.Matrix) (j, size float64) {
	j = 0.5*inner(product(p, both), p) - inner(product(p, x), wa)
	return j, norm(p)*norm(p)*norm(both)/2 + norm(p)*norm(x)*norm(wa)
}

// directions are random matrices along which gradients are compared: two of them catch an error of any kind, and a
// wrong entry is seen with probability one.
const directions = 2

// gradientLaw checks that d + ηM = −rate·∇J in the matrix M, with J(t) the objective on the line M + tV: J is a
// quadratic on it, so that its central difference with step 1 is exact but for rounding. Symmetric directions see the
// projected gradient of a symmetric matrix.
func gradientLaw(law string, rng *rand.Rand, m, d *mat.Dense, eta, rate float64, symmetric bool, j func(*mat.Dense) (float64, float64)) error {
	r, c := m.Dims()
	for range directions {
		v := mat.NewDense(r, c, nil)
		for i := range r {
			for k := range c {
				v.Set(i, k, rng.NormFloat64())
			}
		}
		if symmetric {
			v = symmetricPart(v)
		}
		up, su := j(linear(1.0, m, 1.0, v))
		down, sd := j(linear(1.0, m, -1.0, v))
		got := inner(linear(1.0, d, eta, m), v)
		bound := gamma * (math.Abs(rate)*(su+sd) + (norm(d)+2*eta*norm(m))*norm(v))
		if err := violated(law+" is the gradient flow of the objective", math.Abs(got+rate*(up-down)/2), bound); err != nil {
			return err
		}
	}
	return nil
}

// targetLaw checks Wa' = β(W − Wa).
func targetLaw(s, d *flow.State) error {
	diff := linear(1.0, d.Wa, -s.Beta, s.W, s.Beta, s.Wa)
	return violated("Wa' = β(W − Wa)", norm(diff), gamma*s.Beta*(norm(s.W)+norm(s.Wa)))
}

// balanceLaw checks αD' = −2ηαD for D = W·Wᵀ − Wpᵀ·Wp/α (claim thm1), or its trace alone (claim thm1-vs-assumption3).
func balanceLaw(s, d *flow.State, traceOnly bool) error {
	ww, pp := product(d.W, s.W.T()), product(d.Wp.T(), s.Wp)
	diff := linear(s.Alpha, ww, s.Alpha, ww.T(), -1.0, pp, -1.0, pp.T(),
		2*s.Eta*s.Alpha, product(s.W, s.W.T()), -2*s.Eta, product(s.Wp.T(), s.Wp))
	x, both := moments(s)
	target := s.W
	if s.Wa != nil {
		target = s.Wa
	}
	residual := norm(s.Wp)*norm(s.W)*norm(both) + norm(target)*norm(x)
	size := 4*math.Abs(s.Alpha)*norm(s.W)*norm(s.Wp)*residual + 4*s.Eta*(math.Abs(s.Alpha)*norm(s.W)*norm(s.W)+norm(s.Wp)*norm(s.Wp))
	if traceOnly {
		n, _ := diff.Dims()
		return violated("trace of the balance", math.Abs(mat.Trace(diff)), gamma*size*math.Sqrt(float64(n)))
	}
	return violated("balance", norm(diff), gamma*size)
}

// alongBalance checks D(t) = e^(−2ηt)·D(0), or its trace, at the end of a trajectory.
func (fd *field) alongBalance(traceOnly bool) error {
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	d := linear(1.0, measure.Balance(end.W, end.Wp, fd.s.Alpha), -math.Exp(-2*fd.s.Eta*span), measure.Balance(fd.s.W, fd.s.Wp, fd.s.Alpha))
	size := 1 + norm(fd.s.W)*norm(fd.s.W) + norm(end.W)*norm(end.W) + (norm(fd.s.Wp)*norm(fd.s.Wp)+norm(end.Wp)*norm(end.Wp))/math.Abs(fd.s.Alpha)
	if traceOnly {
		return violated("trace of the balance along the flow", math.Abs(mat.Trace(d)), tol*size)
	}
	return violated("balance along the flow", norm(d), tol*size)
}

// checkLemma1 is what FuzzLemma1 checks: the flow is the gradient flow of the objective (claims objective, lemma1),
// and keeps the balance (claim thm1).
func checkLemma1(fd *field, rng *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	x, both := moments(s)
	err := gradientLaw("W'", rng, s.W, d.W, s.Eta, 1, false, func(w *mat.Dense) (float64, float64) {
		return objective(product(s.Wp, w), s.Wa, x, both)
	})
	err = errors.Join(err, gradientLaw("Wp'", rng, s.Wp, d.Wp, s.Eta, s.Alpha, false, func(wp *mat.Dense) (float64, float64) {
		return objective(product(wp, s.W), s.Wa, x, both)
	}))
	err = errors.Join(err, targetLaw(s, d), balanceLaw(s, d, false))
	if err == nil && s.Alpha > leastAlpha {
		err = fd.alongBalance(false)
	}
	return err
}

// checkSimsiam: as lemma1 with the target at the encoder itself, behind the stop-gradient (claim simsiam-reduction).
func checkSimsiam(fd *field, rng *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	x, both := moments(s)
	err := gradientLaw("W'", rng, s.W, d.W, s.Eta, 1, false, func(w *mat.Dense) (float64, float64) {
		return objective(product(s.Wp, w), s.W, x, both)
	})
	err = errors.Join(err, gradientLaw("Wp'", rng, s.Wp, d.Wp, s.Eta, s.Alpha, false, func(wp *mat.Dense) (float64, float64) {
		return objective(product(wp, s.W), s.W, x, both)
	}), balanceLaw(s, d, false))
	if err == nil && s.Alpha > leastAlpha {
		err = fd.alongBalance(false)
	}
	return err
}

// checkNopredictor: the gradient flow for Wp = I; ‖W‖ decays at the rate λ_min(X') + η at least (claim nopred), and W
// keeps its row space: W(t) = W(0)·e^(−(X'+ηI)t), by gonum's matrix exponential.
func checkNopredictor(fd *field, rng *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	x, both := moments(s)
	err := gradientLaw("W'", rng, s.W, d.W, s.Eta, 1, false, func(w *mat.Dense) (float64, float64) {
		return objective(w, s.W, x, both)
	})
	if err != nil {
		return err
	}
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	_, n1 := s.W.Dims()
	var e mat.Dense
	e.Exp(linear(-span, both, span, x, -span*s.Eta, eye(n1)))
	return violated("W(t) = W(0)·exp(−(X'+ηI)t)", norm(linear(1.0, end.W, -1.0, product(s.W, &e))), tol*norm(s.W))
}

// checkNostopgrad: the gradient through both branches, and ‖W‖² falls at twice the rate λ_min(X') + η at least (claim
// nostopgrad).
func checkNostopgrad(fd *field, rng *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	x, both := moments(s)
	full := func(p, w *mat.Dense) (float64, float64) {
		j, size := objective(p, w, x, both)
		return j + inner(product(w, both), w)/2, size + norm(w)*norm(w)*norm(both)/2
	}
	err := gradientLaw("W'", rng, s.W, d.W, s.Eta, 1, false, func(w *mat.Dense) (float64, float64) {
		return full(product(s.Wp, w), w)
	})
	err = errors.Join(err, gradientLaw("Wp'", rng, s.Wp, d.Wp, s.Eta, s.Alpha, false, func(wp *mat.Dense) (float64, float64) {
		return full(product(wp, s.W), s.W)
	}))
	if err != nil {
		return err
	}
	rate := measure.MinEigenvalue(linear(1.0, both, -1.0, x)) + s.Eta
	w := norm(s.W)
	size := w * w * ((norm(s.Wp)+1)*(norm(s.Wp)+1)*norm(both) + s.Eta)
	if err := violated("‖W‖²' ≤ −2(λ_min(X') + η)‖W‖²", inner(s.W, d.W)+rate*w*w, gamma*size*4); err != nil {
		return err
	}
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	return violated("‖W(t)‖ ≤ e^(−λt)‖W(0)‖", norm(end.W)-math.Exp(-rate*span)*w, tol*w)
}

// checkSymmetrised: lemma1 with the gradient in symmetric predictors (claim assump-sym); of the balance the trace
// survives (claim thm1-vs-assumption3).
func checkSymmetrised(fd *field, rng *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	x, both := moments(s)
	err := gradientLaw("W'", rng, s.W, d.W, s.Eta, 1, false, func(w *mat.Dense) (float64, float64) {
		return objective(product(s.Wp, w), s.Wa, x, both)
	})
	err = errors.Join(err, gradientLaw("Wp'", rng, s.Wp, d.Wp, s.Eta, s.Alpha, true, func(wp *mat.Dense) (float64, float64) {
		return objective(product(wp, s.W), s.Wa, x, both)
	}))
	err = errors.Join(err, violated("Wp' is symmetric", norm(linear(1.0, d.Wp, -1.0, d.Wp.T())), 0))
	err = errors.Join(err, targetLaw(s, d), balanceLaw(s, d, true))
	if err == nil && s.Alpha > leastAlpha {
		err = fd.alongBalance(true)
	}
	return err
}

// checkReduced: with X = I, X' = σ²I, Wa = τW and F = W·Wᵀ the objective's gradient flow closes in Wp and F (claim
// sym-dynamics); [F, Wp]' = −(LK + KL) (claim thm3-identity); F moves by congruence, so that it keeps its rank and stays
// positive semidefinite; the trace balance. The W of the given state is a root of F.
func checkReduced(fd *field, rng *rand.Rand) error {
	s, d, w := fd.s, fd.derivative(), fd.given.W
	n, n1 := w.Dims()
	a := 1 + s.Sigma2
	id := eye(n1)
	both := linear(a, id)
	j := func(wp, w, target *mat.Dense) (float64, float64) {
		return objective(product(wp, w), linear(s.Tau, target), id, both)
	}
	err := gradientLaw("Wp'", rng, s.Wp, d.Wp, s.Eta, s.Alpha, true, func(wp *mat.Dense) (float64, float64) { return j(wp, w, w) })
	// W' = −∇J − ηW by central differences in every entry, F' = W'·Wᵀ + W·W'ᵀ.
	dw := linear(-s.Eta, w)
	var most float64
	for i := range n {
		for k := range n1 {
			e := mat.NewDense(n, n1, nil)
			e.Set(i, k, 1)
			up, su := j(s.Wp, linear(1.0, w, 1.0, e), w)
			down, sd := j(s.Wp, linear(1.0, w, -1.0, e), w)
			dw.Set(i, k, dw.At(i, k)-(up-down)/2)
			most = max(most, su+sd)
		}
	}
	half := product(dw, w.T())
	size := 2 * norm(w) * (float64(n1*n)*most + s.Eta*norm(w) + norm(s.Wp)*norm(w)*(norm(s.Wp)*a+math.Abs(s.Tau)))
	err = errors.Join(err, violated("F' = W'·Wᵀ + W·W'ᵀ", norm(linear(1.0, d.F, -1.0, half, -1.0, half.T())), gamma*size))

	l := measure.Commutator(s.F, s.Wp)
	dl := linear(1.0, measure.Commutator(d.F, s.Wp), 1.0, measure.Commutator(s.F, d.Wp))
	k := measure.K(s.F, s.Wp, s.Alpha, s.Sigma2, s.Tau, s.Eta)
	fw, ww := norm(s.F), norm(s.Wp)
	ksize := a*(math.Abs(s.Alpha)*fw/2+ww*ww) + math.Abs(s.Tau)*ww + 2*s.Eta
	err = errors.Join(err, violated("[F, Wp]' = −(LK + KL)", norm(linear(1.0, dl, 1.0, product(l, k), 1.0, product(k, l))),
		gamma*8*fw*ww*ksize*math.Sqrt(float64(n))+gamma*2*fw*(math.Abs(s.Alpha)*fw*(a*ww+math.Abs(s.Tau))+s.Eta*ww)))

	trace := s.Alpha*mat.Trace(d.F) - 2*inner(s.Wp, d.Wp) + 2*s.Eta*(s.Alpha*mat.Trace(s.F)-inner(s.Wp, s.Wp))
	err = errors.Join(err, violated("trace of the balance", math.Abs(trace),
		gamma*4*math.Sqrt(float64(n))*(math.Abs(s.Alpha)*fw*(ww*(a*ww+math.Abs(s.Tau))+s.Eta)+s.Eta*ww*ww)))
	if err != nil {
		return err
	}
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	if math.Abs(s.Alpha) > leastAlpha {
		b := measure.TraceBalance(end.F, end.Wp, s.Alpha) - math.Exp(-2*s.Eta*span)*measure.TraceBalance(s.F, s.Wp, s.Alpha)
		total := 1 + norm(end.F) + fw + (ww*ww+norm(end.Wp)*norm(end.Wp))/math.Abs(s.Alpha)
		err = violated("trace of the balance along the flow", math.Abs(b), tol*total)
	}
	values, _ := measure.Eigenframe(end.F)
	for i, v := range values {
		if i >= n1 {
			err = errors.Join(err, violated("rank of F", math.Abs(v), tol*(1+norm(end.F))))
		}
		err = errors.Join(err, violated("F ⪰ 0", -v, tol*(1+norm(end.F))))
	}
	return err
}

// modeGradient returns −∂j/∂p and −∂j/∂w for the objective of one mode, j = ½a·p²w² − p·w·wa, and the size of its
// terms.
func modeGradient(p, w, wa, a float64) (gp, gw, size float64) {
	return w*wa - a*p*w*w, p*wa - a*p*p*w, (math.Abs(wa) + a*math.Abs(p*w)) * (math.Abs(p) + math.Abs(w))
}

// checkModes: every mode is the gradient flow of its objective with a moving average as the target; c = w² − p²/α
// decays at the rate 2η (claim invariance-scalar).
func checkModes(fd *field, _ *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	var err error
	for i, p := range s.P {
		w, wa := s.Wm[i], s.WaM[i]
		gp, gw, size := modeGradient(p, w, wa, 1+s.Sigma2)
		err = errors.Join(err,
			violated("p'", math.Abs(d.P[i]-s.Alpha*gp+s.Eta*p), gamma*(math.Abs(s.Alpha)*size+s.Eta*math.Abs(p))),
			violated("w'", math.Abs(d.Wm[i]-gw+s.Eta*w), gamma*(size+s.Eta*math.Abs(w))),
			violated("wa'", math.Abs(d.WaM[i]-s.Beta*(w-wa)), gamma*s.Beta*(math.Abs(w)+math.Abs(wa))),
			violated("s − p²/α", math.Abs(2*s.Alpha*w*d.Wm[i]-2*p*d.P[i]+2*s.Eta*(s.Alpha*w*w-p*p)),
				gamma*4*(math.Abs(s.Alpha)*size*(math.Abs(w)+math.Abs(p))+s.Eta*(math.Abs(s.Alpha)*w*w+p*p))))
	}
	if err != nil || !(s.Alpha > leastAlpha) {
		return err
	}
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	for i, p := range s.P {
		c0, c1 := s.Wm[i]*s.Wm[i]-p*p/s.Alpha, end.Wm[i]*end.Wm[i]-end.P[i]*end.P[i]/s.Alpha
		total := 1 + s.Wm[i]*s.Wm[i] + end.Wm[i]*end.Wm[i] + (p*p+end.P[i]*end.P[i])/s.Alpha
		err = errors.Join(err, violated("s − p²/α along the flow", math.Abs(c1-math.Exp(-2*s.Eta*span)*c0), tol*total))
	}
	return err
}

// checkDecoupled: the modes flow in the variables s = w², τ = wa/w (claim decoupled), at an instant and along a
// trajectory that keeps away from w = 0. The bound on rounding is that of modes, with w and wa as they come from s and τ.
func checkDecoupled(fd *field, _ *rand.Rand) error {
	s, d := fd.s, fd.derivative()
	var err error
	root := make([]float64, len(s.P))
	target := make([]float64, len(s.P))
	for i, p := range s.P {
		w := math.Sqrt(s.S[i])
		wa := s.TauModes[i] * w
		root[i], target[i] = w, wa
		gp, gw, size := modeGradient(p, w, wa, 1+s.Sigma2)
		dp, dw, dwa := s.Alpha*gp-s.Eta*p, gw-s.Eta*w, s.Beta*(w-wa)
		tau := math.Abs(s.TauModes[i])
		rate := s.Eta + math.Abs(p)*(tau+(1+s.Sigma2)*math.Abs(p))
		err = errors.Join(err,
			violated("p'", math.Abs(d.P[i]-dp), gamma*(math.Abs(s.Alpha)*size+s.Eta*math.Abs(p))),
			violated("s' = 2ww'", math.Abs(d.S[i]-2*w*dw), gamma*4*s.S[i]*rate),
			violated("τ' = (wa' − τw')/w", math.Abs(d.TauModes[i]*w-dwa+s.TauModes[i]*dw), gamma*4*w*(s.Beta*(1+tau)+tau*rate)),
			violated("s − p²/α", math.Abs(s.Alpha*d.S[i]-2*p*d.P[i]+2*s.Eta*(s.Alpha*s.S[i]-p*p)),
				gamma*4*(math.Abs(s.Alpha)*s.S[i]*rate*2+s.Eta*(math.Abs(s.Alpha)*s.S[i]+p*p))))
	}
	if err != nil || !(s.Alpha > leastAlpha) {
		return err
	}
	end, tol, err := fd.run()
	if err != nil {
		return err
	}
	other := s.Clone()
	other.S, other.TauModes, other.Wm, other.WaM = nil, nil, root, target
	twin, err := newField("modes", other, nil)
	if err != nil {
		return err
	}
	there, twinTol, err := twin.run()
	if err != nil {
		return err
	}
	for i, p := range s.P {
		c0, c1 := s.S[i]-p*p/s.Alpha, end.S[i]-end.P[i]*end.P[i]/s.Alpha
		total := 1 + s.S[i] + end.S[i] + (p*p+end.P[i]*end.P[i])/s.Alpha
		err = errors.Join(err, violated("s − p²/α along the flow", math.Abs(c1-math.Exp(-2*s.Eta*span)*c0), tol*total))
		// τ = wa/w is singular at w = 0: an error of w grows by root/w, less than ten here.
		if w := there.Wm[i]; math.Abs(w) > 0.1*root[i] {
			err = errors.Join(err, violated("s of decoupled and w² of modes", math.Abs(w*w-end.S[i]), (tol+twinTol)*total*10))
		}
	}
	return err
}

// checkParabola: p' = −a·p·(p² − (τ/a)p + η/a), the factored form of claim 1d-dynamics with p₋ + p₊ = τ/a, p₋p₊ = η/a; it
// is the frozen flow on s = p²/α for any α, by way of the flow reduced at size one.
func checkParabola(fd *field, rng *rand.Rand) error {
	s, d, alpha := fd.s, fd.derivative(), math.Exp(rng.NormFloat64())
	a := 1 + s.Sigma2
	var err error
	for i, p := range s.P {
		tau := s.Tau
		if s.TauModes != nil {
			tau = s.TauModes[i]
		}
		size := math.Abs(p) * (a*p*p + math.Abs(tau*p) + s.Eta)
		err = errors.Join(err, violated("p' = −ap(p − p₋)(p − p₊)", math.Abs(d.P[i]+a*p*(p*p-tau/a*p+s.Eta/a)), gamma*size))
		if tau > 1e-100 { // τ² is a normal number
			if minus, plus, ok := measure.Roots(tau, s.Sigma2, s.Eta); ok {
				// p± are rounded, also √(τ² − 4ηa), whose argument cancels near the fold.
				fold := 1 + tau*tau/math.Abs(tau*tau-4*s.Eta*a+0x1p-53*tau*tau)
				err = errors.Join(err, violated("p' = −ap(p − p₋)(p − p₊) with the roots",
					math.Abs(d.P[i]+a*p*(p-minus)*(p-plus)), gamma*fold*a*math.Abs(p)*(math.Abs(p)+minus)*(math.Abs(p)+plus)))
			}
		}
		one := flow.NewState()
		one.Alpha, one.Eta, one.Sigma2, one.Tau = alpha, s.Eta, s.Sigma2, tau
		one.Wp, one.F = mat.NewDense(1, 1, []float64{p}), mat.NewDense(1, 1, []float64{p * p / alpha})
		frozen, berr := newField("reduced", one, nil)
		if berr != nil {
			return berr
		}
		err = errors.Join(err, violated("p' of the frozen flow on the parabola", math.Abs(d.P[i]-frozen.derivative().Wp.At(0, 0)), gamma*2*size))
	}
	return err
}
