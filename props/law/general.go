package law

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/props/generate"
)

// Laws without assumptions on data, symmetry or alignment (claims ledger, sections 1 and 2).
var general = []Law{
	{
		ID: "simsiam-reduction", Name: "limit",
		Says:      "order in 1/β at which lemma1 tends to simsiam, less 1",
		Tolerance: Slope, Twins: []string{"other data"},
		measure: fastTarget,
	},
	{
		ID: "lemma1", Name: "orthogonal",
		Says:      "distance of the trajectory from (QW, QWpQᵀ, QWa) to the image of the trajectory from (W, Wp, Wa)",
		Tolerance: Compared, Twins: []string{"predictor not conjugated"},
		measure: orthogonal,
	},
	{
		ID: "lemma1", Name: "sign",
		Says:      "distance of the trajectory from (−W, Wp, −Wa) to the image of the trajectory from (W, Wp, Wa)",
		Tolerance: 0, Twins: []string{"target kept"}, // negation is exact in floating point
		measure: sign,
	},
	{
		ID: "thm1", Name: "balance",
		Says:      "‖D(t) − e^(−2ηt)·D(0)‖, D = W·Wᵀ − Wpᵀ·Wp/α, relative to ‖W‖² + ‖Wp‖²/α, any shape, any target",
		Tolerance: Kept, Twins: []string{"transposed", "optimiser's decay", "half the rate"},
		measure: balance,
	},
	{
		ID: "thm1-vs-assumption3", Name: "trace",
		Says:      "|tr D(t) − e^(−2ηt)·tr D(0)| along the symmetrised flow, relative to ‖W‖² + ‖Wp‖²/α",
		Tolerance: Kept, Twins: []string{"whole matrix"},
		measure: traceBalance,
	},
	{
		ID: "thm1-discrete", Name: "step",
		Says: "‖D⁺ − (1−lr·η)²D − lr²(Wpᵀ G Gᵀ Wp − α W Gᵀ G Wᵀ)‖ relative to the squares of the steps' weights, over forty steps of gradient descent",
		// Each D⁺ is a sum of products of numbers of that size with fewer than 64 roundings each.
		Tolerance: 64 * 0x1p-52, Twins: []string{"one decay", "without the square"},
		measure: oneStep,
	},
	{
		ID: "nopred", Name: "decay",
		Says:      "excess of ‖W(t)‖ over e^(−λt)‖W(0)‖, λ = λ_min(X')+η, and of e^(−μt)‖W(0)‖, μ = λ_max(X')+η, over ‖W(t)‖, relative to ‖W(0)‖",
		Tolerance: Kept, Twins: []string{"largest eigenvalue"},
		measure: nopredictorDecay,
	},
	{
		ID: "nostopgrad", Name: "decay",
		Says:      "excess of ‖W(t)‖ over e^(−λt)‖W(0)‖, λ = λ_min(X')+η, relative to ‖W(0)‖",
		Tolerance: Kept, Twins: []string{"with the stop-gradient"},
		measure: nostopgradDecay,
	},
}

// weighted draws a state of the Lemma 1 flow with sizes up to 4.
func (r *run) weighted() *flow.State {
	return generate.Weighted(r.ch, generate.Parameters(r.ch, generate.AnyDecay), 4)
}

func fastTarget(r *run) (float64, error) {
	s := r.weighted()
	s.Wa = mat.DenseCopyOf(s.W)
	const t = 1.0
	slow := s.Clone()
	if r.twin != "" {
		slow.Sigma2 = 0
		_, n1 := s.W.Dims()
		slow.X, slow.Xp = scaled(2, identity(n1)), identity(n1)
	}
	want, err := r.simulate("simsiam", slow, t)
	if err != nil {
		return 0, err
	}
	off := func(beta float64) (float64, error) {
		fast := s.Clone()
		fast.Beta = beta
		tr, err := r.simulate("lemma1", fast, t)
		if err != nil {
			return 0, err
		}
		end, limit := tr.States[len(tr.States)-1], want.States[len(want.States)-1]
		return math.Hypot(distance(end.W, limit.W), distance(end.Wp, limit.Wp)), nil
	}
	// The second order is to the first as the rates of the weights are to β, and the first is not small.
	_, n1 := s.W.Dims()
	x, xp, err := s.Moments(n1)
	if err != nil {
		return 0, err
	}
	w, wp := size(s.W), size(s.Wp)
	beta := max(200, 40*(s.Eta+(size(x)+size(xp))*(s.Alpha*w*w+wp*wp)))
	e1, err := off(beta)
	if err != nil {
		return 0, err
	}
	e2, err := off(2 * beta)
	if err != nil {
		return 0, err
	}
	if !(e1*beta > 1e-2*math.Hypot(w, wp)) {
		return 0, errVacuous // nothing moves
	}
	return math.Abs(math.Log2(e1/e2) - 1), nil
}

func identity(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func orthogonal(r *run) (float64, error) {
	s := r.weighted()
	n2, _ := s.W.Dims()
	q := generate.Dense(generate.Orthogonal(r.ch, n2))
	moved := s.Clone()
	moved.W, moved.Wa, moved.Wp = product(q, s.W), product(q, s.Wa), product(q, s.Wp, q.T())
	if r.twin != "" {
		moved.Wp = mat.DenseCopyOf(s.Wp)
	}
	return r.image(s, moved, func(x *flow.State) (*mat.Dense, *mat.Dense) {
		return product(q, x.W), product(q, x.Wp, q.T())
	})
}

func sign(r *run) (float64, error) {
	s := r.weighted()
	moved := s.Clone()
	moved.W, moved.Wa = scaled(-1, s.W), scaled(-1, s.Wa)
	if r.twin != "" {
		moved.Wa = mat.DenseCopyOf(s.Wa)
	}
	return r.image(s, moved, func(x *flow.State) (*mat.Dense, *mat.Dense) { return scaled(-1, x.W), x.Wp })
}

// image compares the lemma1 trajectory from moved with the image under act of that from s, relative to the
// greatest size met.
func (r *run) image(s, moved *flow.State, act func(*flow.State) (w, wp *mat.Dense)) (float64, error) {
	const t = 3.0
	a, err := r.simulate("lemma1", s, t)
	if err != nil {
		return 0, err
	}
	b, err := r.simulate("lemma1", moved, t)
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for i := range a.States {
		w, wp := act(a.States[i])
		top = max(top, size(w), size(wp))
		worst = max(worst, distance(w, b.States[i].W), distance(wp, b.States[i].Wp))
	}
	if top == 0 {
		return 0, errVacuous
	}
	return worst / top, nil
}

// balance forces the target along a drawn path in half of the runs: W_a(t) = W_a(0) + sin(ωt)·B.
func balance(r *run) (float64, error) {
	s := r.weighted()
	sys, err := bind("lemma1", s)
	if err != nil {
		return 0, err
	}
	f := sys.RHS()
	n2, n1 := s.W.Dims()
	target := sys.Dim() - n2*n1
	if r.ch.Intn(2) == 1 {
		inner, y1 := f, make([]float64, sys.Dim())
		omega := generate.Float(generate.Scale(r.ch, -1, 3))
		b := generate.Dense(generate.Entries(r.ch, n2, n1)).RawMatrix().Data
		start := s.Wa.RawMatrix().Data
		f = func(t float64, y, dy []float64) {
			copy(y1, y)
			for i, v := range start {
				y1[target+i] = v + math.Sin(omega*t)*b[i]
			}
			inner(t, y1, dy)
			clear(dy[target:])
		}
	}
	if r.twin == "optimiser's decay" {
		inner := f
		f = func(t float64, y, dy []float64) {
			inner(t, y, dy)
			for i := range n2 * n2 {
				dy[i] -= (s.Alpha - 1) * s.Eta * y[i]
			}
		}
	}
	sol, err := r.solve(f, sys.Initial(), 5)
	if err != nil {
		return 0, err
	}
	rate := 2 * s.Eta
	if r.twin == "half the rate" {
		rate = s.Eta
	}
	states := make([]*flow.State, len(sol.T))
	for i, t := range sol.T {
		states[i] = sys.Unpack(t, sol.Y[i])
	}
	return balanceError(sol.T, states, rate, r.twin == "transposed")
}

// balanceError is max_t ‖D(t) − e^(−rate·t)·D(0)‖ relative to the largest weights met so far.
func balanceError(ts []float64, states []*flow.State, rate float64, transposed bool) (float64, error) {
	d := func(s *flow.State) *mat.Dense {
		if !transposed {
			return measure.Balance(s.W, s.Wp, s.Alpha)
		}
		return measure.Balance(s.W, s.Wp.T(), s.Alpha)
	}
	d0, worst, top := d(states[0]), 0.0, 0.0
	for i, s := range states {
		top = max(top, weightScale(s))
		if top == 0 {
			return 0, errVacuous
		}
		worst = max(worst, distance(d(s), scaled(math.Exp(-rate*ts[i]), d0))/top)
	}
	return worst, nil
}

func symmetricPart(a *mat.Dense) *mat.Dense {
	var m mat.Dense
	m.Add(a, a.T())
	m.Scale(0.5, &m)
	return &m
}

func traceBalance(r *run) (float64, error) {
	s := r.weighted()
	s.Wp = symmetricPart(s.Wp)
	tr, err := r.simulate("symmetrised", s, 5)
	if err != nil {
		return 0, err
	}
	if r.twin != "" {
		return balanceError(tr.T, tr.States, 2*s.Eta, false)
	}
	t0, worst, top := mat.Trace(measure.Balance(s.W, s.Wp, s.Alpha)), 0.0, 0.0
	for i, x := range tr.States {
		if top = max(top, weightScale(x)); top == 0 {
			return 0, errVacuous
		}
		want := math.Exp(-2*s.Eta*tr.T[i]) * t0
		worst = max(worst, math.Abs(mat.Trace(measure.Balance(x.W, x.Wp, s.Alpha))-want)/top)
	}
	return worst, nil
}

func oneStep(r *run) (float64, error) {
	s := r.weighted()
	_, n1 := s.W.Dims()
	x, xp, err := s.Moments(n1)
	if err != nil {
		return 0, err
	}
	var both mat.Dense
	both.Add(x, xp)
	lr := generate.Float(generate.Scale(r.ch, -6, -1))
	w, wp := mat.DenseCopyOf(s.W), mat.DenseCopyOf(s.Wp)
	worst := 0.0
	for range 40 {
		g := product(wp, w, &both)
		g.Sub(g, product(s.Wa, x))
		next := func(old *mat.Dense, rate, decay float64, grad *mat.Dense) *mat.Dense {
			var step mat.Dense
			step.Scale(decay, old)
			step.Add(&step, scaled(rate, grad))
			step.Scale(-lr, &step)
			step.Add(old, &step)
			return &step
		}
		decay := s.Eta
		if r.twin == "one decay" {
			decay *= s.Alpha
		}
		wp1 := next(wp, s.Alpha, decay, product(g, w.T()))
		w1 := next(w, 1, s.Eta, product(wp.T(), g))
		var want mat.Dense
		want.Sub(product(wp.T(), g, g.T(), wp), scaled(s.Alpha, product(w, g.T(), g, w.T())))
		if r.twin == "without the square" {
			want.Scale(lr, &want)
		} else {
			want.Scale(lr*lr, &want)
		}
		want.Add(&want, scaled((1-lr*s.Eta)*(1-lr*s.Eta), measure.Balance(w, wp, s.Alpha)))
		sq := func(v float64) float64 { return v * v }
		gw, wg := size(product(g, w.T())), size(product(wp.T(), g))
		top := sq(size(w)+lr*(wg+s.Eta*size(w))) + sq(size(wp)+lr*(s.Alpha*gw+s.Eta*size(wp)))/s.Alpha
		if !(top > 0) || math.IsInf(top, 1) {
			return 0, errVacuous // at rest, or gradient descent diverges
		}
		// The gradient is itself a product of rounded numbers, but the identity holds for whatever G it came to.
		worst = max(worst, distance(&want, measure.Balance(w1, wp1, s.Alpha))/top)
		w, wp = w1, wp1
	}
	return worst, nil
}

// extremes returns λ_min(X')+η and λ_max(X')+η.
func extremes(s *flow.State) (lo, hi float64, err error) {
	_, n1 := s.W.Dims()
	_, xp, err := s.Moments(n1)
	if err != nil {
		return 0, 0, err
	}
	v, _ := measure.Eigenframe(xp)
	return v[n1-1] + s.Eta, v[0] + s.Eta, nil
}

func nopredictorDecay(r *run) (float64, error) {
	s := r.weighted()
	lo, hi, err := extremes(s)
	if err != nil {
		return 0, err
	}
	tr, err := r.simulate("nopredictor", s, 4)
	if err != nil {
		return 0, err
	}
	upper, lower := lo, hi
	if r.twin != "" {
		upper = hi
	}
	w0 := size(s.W)
	if w0 == 0 {
		return 0, errVacuous
	}
	worst := 0.0
	for i, x := range tr.States {
		w := size(x.W) / w0
		worst = max(worst, w-math.Exp(-upper*tr.T[i]), math.Exp(-lower*tr.T[i])-w)
	}
	return worst, nil
}

func nostopgradDecay(r *run) (float64, error) {
	s := r.weighted()
	lo, _, err := extremes(s)
	if err != nil {
		return 0, err
	}
	name := "nostopgrad"
	if r.twin != "" {
		name = "simsiam"
	}
	tr, err := r.simulate(name, s, 6)
	if err != nil {
		return 0, err
	}
	w0 := size(s.W)
	if w0 == 0 {
		return 0, errVacuous
	}
	worst := 0.0
	for i, x := range tr.States {
		worst = max(worst, size(x.W)/w0-math.Exp(-lo*tr.T[i]))
	}
	return worst, nil
}
