package law

import (
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/equations"
	"stopgrad/props/generate"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Laws of decoupled modes and of the hyper-parameters (claims ledger, entries 24 to 45).
var modeLaws = []Law{
	{
		ID: "assump-ema", Name: "ratio per mode",
		Says:      "distance of s_j, τ_j along decoupled to w_j², wa_j/w_j along modes, relative",
		Tolerance: Compared, Twins: []string{"one ratio for all"},
		measure: ratioPerMode,
	},
	{
		ID: "decoupled", Name: "aligned",
		Says:      "distance of lemma1 from an aligned start to U·diag(modes)·Vᵀ, relative to the weights",
		Tolerance: Compared, Twins: []string{"misaligned"},
		measure: aligned,
	},
	{
		ID: "invariance-scalar", Name: "balance",
		Says:      "|c_j(t) − e^(−2ηt)·c_j(0)|, c = s − p²/α, along modes, relative to s + p²/α",
		Tolerance: Kept, Twins: []string{"opposite sign"},
		measure: modeBalance,
	},
	{
		ID: "1d-dynamics", Name: "on the parabola",
		Says:      "distance of p along the reduced flow from s = p²/α to the parabola's flow, relative",
		Tolerance: Compared, Twins: []string{"off the parabola"},
		measure: onParabola,
	},
	{
		ID: "1d-dynamics", Name: "scaling",
		Says:      "distance of u = p·a/τ in the time t·τ²/a to the flow u' = u²(1−u) − κu, κ = ηa/τ², relative",
		Tolerance: Compared, Twins: []string{"time not scaled"},
		measure: scaling,
	},
	{
		ID: "fixed-points", Name: "limits",
		Says:      "distance of p(T) on the parabola to 0 from below p₋ and to p₊ from above, 0 < κ < 1/4",
		Tolerance: Decided, Twins: []string{"other side"},
		measure: limits,
	},
	{
		ID: "eta-critical", Name: "above",
		Says:      "excess of V(t) over e^(−δt)·V(0), V = p² + ατ²s/(2aδ), δ = η − η* > 0, from any (p, s ≥ 0), relative to V(0)",
		Tolerance: Kept, Twins: []string{"critical value doubled"},
		measure: supercritical,
	},
	{
		ID: "eta-critical", Name: "below",
		Says:      "distance of s(T) to p₊²/α from a start above p₋ on the parabola, relative",
		Tolerance: Decided, Twins: []string{"no α"},
		measure: survival,
	},
	{
		ID: "basin", Name: "without decay",
		Says:      "1 if the mode's fate for η = 0 differs from: collapse if and only if c < 0 and (p < 0 or −αc ≥ (τ/a)²)",
		Tolerance: 0, Twins: []string{"as printed"},
		measure: basinWithoutDecay,
	},
	{
		ID: "pminus-monotone", Name: "threshold",
		Says:      "distance of the threshold found by bisection on the parabola to p₋, relative, and its decrease in η or increase in τ",
		Tolerance: 1e-6, Twins: []string{"larger root"}, // twenty-two bisections of an interval of length 2p₋
		measure: threshold,
	},
	{
		ID: "tau-closed-form", Name: "quadrature",
		Says:      "|τ(t) − βe^(−βt)∫p e^(βt')dt'/p(t)| along modes from wa = 0 on the parabola",
		Tolerance: Compared, Twins: []string{"without the decay"},
		measure: closedForm,
	},
	{
		ID: "alpha-positive-1", Name: "gauge",
		Says:      "distance of (√αW, Wp, √αWa) along lemma1 to the flow with α = 1 from there, relative",
		Tolerance: Compared, Twins: []string{"α instead of its root"},
		measure: gauge,
	},
	{
		ID: "beta-tau", Name: "surviving",
		Says:      "|wa/w − 1| of a surviving mode after forty times its slowest time constant",
		Tolerance: Decided, Twins: []string{"collapsed"},
		measure: survivingRatio,
	},
	{
		ID: "beta-tau", Name: "collapsing",
		Says:      "|τ(T)/(β/(β−η)) − 1| of a collapsing mode if β > η; the relative error of τ's growth by e^((η−β)t) if β < η",
		Tolerance: Decided, Twins: []string{"tends to one"},
		measure: collapsingRatio,
	},
	{
		ID: "ema-negative", Name: "trend",
		Says:      "shortfall of the threshold p(0) with τ(0) = 0 below p₋ and below that with a β twice as large, relative",
		Tolerance: 1e-3, Twins: []string{"faster average"}, // ten bisections of an octave
		measure: slowAverage,
	},
	{
		ID: "ema-negative", Name: "target started online",
		Says: "distance of the threshold p(0) on the parabola with τ(0) = 1 to p₋, relative, for any β",
		// (p₋, τ = 1) is stationary, and the saddle's stable manifold leaves it across the line τ = 1. Thirteen
		// bisections of an interval of length 3p₋/2.
		Tolerance: 1.5 / (1 << 13), Twins: []string{"target started at zero"},
		measure: onlineTarget,
	},
	{
		ID: "wd-split", Name: "linear growth",
		Says: "|s'·α a²/(2η_p τ²) − 1| with η_s = 0 once αas ≥ 200·max(η_p, τ²/a)",
		// With e = η_p/(αas) ≤ 1/200 the predictor follows at p = (τ/a)/(1+e) up to a lag of the same order, so
		// that s' = 2ps(τ−ap) = 2η_p(τ/a)²/α·(1 − 2e + …).
		Tolerance: 4.0 / 200, Twins: []string{"some decay of the encoder"},
		measure: linearGrowth,
	},
	{
		ID: "bounded-vs-gd", Name: "first order",
		Says:      "order in the learning rate at which gradient descent tends to the flow, less 1",
		Tolerance: Slope, Twins: []string{"other decay"},
		measure: firstOrder,
	},
	{
		ID: "bounded-vs-gd", Name: "stability",
		Says:      "distance to p₊ of gradient descent with lr = 0.95·2/(τp₊ − 2η) along the parabola, after many steps, relative",
		Tolerance: Decided, Twins: []string{"beyond the bound"},
		measure: descentStability,
	},
	{
		ID: "D4-3d", Name: "invariant",
		Says:      "|√α·w − wp| along lemma1 with one feature and one data dimension, relative",
		Tolerance: Compared, Twins: []string{"α left out"},
		measure: scalarInvariant,
	},
}

// modes draws aligned modes of either sign.
func (r *run) modes(decay generate.Decay, most int) *flow.State {
	return generate.Aligned(r.ch, generate.Parameters(r.ch, decay), most)
}

func ratioPerMode(r *run) (float64, error) {
	s := generate.Parameters(r.ch, generate.AnyDecay).State()
	n := 1 + r.ch.Intn(3)
	num := func() float64 { return generate.Float(generate.Scale(r.ch, -3, 1)) }
	for range n {
		// p, w, wa > 0 is kept; elsewhere w may cross zero, where the chart (p, s, τ) ends.
		// τ = wa/w < 2 bounds the growth rate p(τ − ap) by τ²/4a ≤ 1.
		w := num()
		wa := w * generate.Float(generate.Scale(r.ch, -3, 1))
		s.P, s.Wm, s.WaM = append(s.P, num()), append(s.Wm, w), append(s.WaM, wa)
		s.S, s.TauModes = append(s.S, w*w), append(s.TauModes, wa/w)
	}
	if r.twin != "" {
		for j := range s.TauModes {
			s.TauModes[j] = s.TauModes[0]
		}
	}
	// Numbers that may become small are compared relative to themselves.
	r.settings.AbsTol = 1e-20
	const t = 4.0
	a, err := r.simulate("modes", s, t)
	if err != nil {
		return 0, err
	}
	b, err := r.simulate("decoupled", s, t)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for i, x := range a.States {
		y := b.States[i]
		for j := range n {
			w := x.Wm[j]
			if w*w < 1e-10 {
				continue // within ten digits of the end of the chart, and of AbsTol
			}
			worst = max(worst, relative(w*w, y.S[j]), relative(x.WaM[j]/w, y.TauModes[j]), relative(x.P[j], y.P[j]))
		}
	}
	return worst, nil
}

func aligned(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s, u, v := generate.AlignedFrames(r.ch, p, 4)
	n2, n1 := s.W.Dims()
	if r.twin != "" {
		q := generate.Dense(generate.Orthogonal(r.ch, n2))
		s.Wp = product(q, s.Wp, q.T())
	}
	const t = 4.0
	full, err := r.simulate("lemma1", s, t)
	if err != nil {
		return 0, err
	}
	few, err := r.simulate("modes", s, t)
	if err != nil {
		return 0, err
	}
	diagonal := func(d []float64, rows, cols int) *mat.Dense {
		m := mat.NewDense(rows, cols, nil)
		for j := range min(rows, cols) {
			m.Set(j, j, d[j])
		}
		return m
	}
	worst, top := 0.0, 0.0
	for i, x := range full.States {
		y := few.States[i]
		if top = max(top, size(x.W), size(x.Wp), size(x.Wa)); top == 0 {
			return 0, errVacuous
		}
		worst = max(worst,
			distance(x.Wp, product(u, diagonal(y.P, n2, n2), u.T()))/top,
			distance(x.W, product(u, diagonal(y.Wm, n2, n1), v.T()))/top,
			distance(x.Wa, product(u, diagonal(y.WaM, n2, n1), v.T()))/top)
	}
	return worst, nil
}

func modeBalance(r *run) (float64, error) {
	s := r.modes(generate.AnyDecay, 4)
	tr, err := r.simulate("modes", s, 5)
	if err != nil {
		return 0, err
	}
	sign := -1.0
	if r.twin != "" {
		sign = 1
	}
	worst := 0.0
	for j := range s.P {
		c := func(x *flow.State) (c, terms float64) {
			sj, pj := x.Wm[j]*x.Wm[j], x.P[j]*x.P[j]/s.Alpha
			return sj + sign*pj, sj + pj
		}
		c0, _ := c(s)
		top := 0.0
		for i, x := range tr.States {
			ct, terms := c(x)
			if top = max(top, terms); top > 0 {
				worst = max(worst, math.Abs(ct-math.Exp(-2*s.Eta*tr.T[i])*c0)/top)
			}
		}
	}
	return worst, nil
}

// single draws the parameters of one mode and returns a state of the reduced flow of size one at (p, s).
func single(p generate.Params, at, s float64) *flow.State {
	x := p.State()
	x.Wp, x.F = mat.NewDense(1, 1, []float64{at}), mat.NewDense(1, 1, []float64{s})
	x.P = []float64{at}
	return x
}

func onParabola(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	at := 2 * generate.Float(generate.Signed(r.ch))
	s := single(p, at, at*at/generate.Float(p.Alpha))
	if r.twin != "" {
		s.F.Set(0, 0, 1.5*s.F.At(0, 0))
	}
	const t = 5.0
	a, err := r.simulate("reduced", s, t)
	if err != nil {
		return 0, err
	}
	b, err := r.simulate("parabola", s, t)
	if err != nil {
		return 0, err
	}
	if at == 0 {
		return 0, errVacuous
	}
	worst, top := 0.0, 0.0
	for i, x := range a.States {
		top = max(top, math.Abs(b.States[i].P[0]))
		worst = max(worst, math.Abs(x.Wp.At(0, 0)-b.States[i].P[0])/top)
	}
	return worst, nil
}

func scaling(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := p.State()
	s.P = []float64{2 * generate.Float(generate.Signed(r.ch))}
	a := 1 + s.Sigma2
	u := flow.NewState()
	u.Eta = s.Eta * a / (s.Tau * s.Tau)
	u.P = []float64{s.P[0] * a / s.Tau}
	const t = 5.0
	stretch := s.Tau * s.Tau / a
	if r.twin != "" {
		stretch = 1
	}
	x, err := r.simulate("parabola", s, t)
	if err != nil {
		return 0, err
	}
	y, err := r.simulate("parabola", u, t*stretch)
	if err != nil {
		return 0, err
	}
	if s.P[0] == 0 {
		return 0, errVacuous
	}
	worst, top := 0.0, 0.0
	for i := range x.States {
		v := x.States[i].P[0] * a / s.Tau
		top = max(top, math.Abs(v))
		worst = max(worst, math.Abs(v-y.States[i].P[0])/top)
	}
	return worst, nil
}

// roots returns p₋ and p₊ of subcritical parameters.
func roots(p generate.Params) (minus, plus float64) {
	minus, plus, ok := measure.Roots(generate.Float(p.Tau), generate.Float(p.Sigma2), generate.Float(p.Eta))
	if !ok {
		panic("law: the weight decay is not below its critical value")
	}
	return minus, plus
}

// settling is forty times the slowest time constant of the parabola with p₋, p₊: 1/η at the origin, 1/(a p₊ d)
// at p₊ and 1/(a p₋ d) along the way out from p₋, with d = p₊ − p₋.
func settling(p generate.Params, minus, plus float64) float64 {
	a := generate.Float(p.A())
	return 40 * max(1/generate.Float(p.Eta), 1/(a*minus*(plus-minus)))
}

// settlingWithAverage is [settling] for a target that follows with the rate β. In (p, τ) on the parabola, with
// τ = 1 at rest, the Jacobian at p± has determinant ±a p± d β and trace ∓a p± d − β − p±, so that the slower
// eigenvalue is at least half of 1/(1/β + 1/(a p± d) + 1/(a d β)).
func settlingWithAverage(p generate.Params, minus, plus float64) float64 {
	a, beta, d := generate.Float(p.A()), generate.Float(p.Beta), plus-minus
	return 40/generate.Float(p.Eta) + 80*(1/beta+1/(a*minus*d)+1/(a*d*beta))
}

func limits(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	minus, plus := roots(p)
	at := minus * generate.Float(generate.Scale(r.ch, -3, 5))
	if math.Abs(at/minus-1) < 1e-2 {
		return 0, errVacuous
	}
	s := single(p, at, 0)
	tr, err := r.simulate("parabola", s, settling(p, minus, plus))
	if err != nil {
		return 0, err
	}
	limit := plus
	if (at < minus) != (r.twin != "") {
		limit = 0
	}
	return math.Abs(tr.States[points-1].P[0] - limit), nil
}

func supercritical(r *run) (float64, error) {
	kind := generate.Supercritical
	if r.twin != "" {
		kind = generate.Subcritical
	}
	p := generate.Parameters(r.ch, kind)
	at := 3 * generate.Float(generate.Signed(r.ch))
	s := single(p, at, 5*generate.Float(generate.Fraction(r.ch)))
	a := 1 + s.Sigma2
	delta := s.Eta - generate.Float(p.CriticalDecay())
	if r.twin != "" {
		delta = s.Eta - generate.Float(p.CriticalDecay())/2
		if delta <= 0 {
			return 0, errVacuous
		}
	}
	v := func(x *flow.State) float64 {
		p, s0 := x.Wp.At(0, 0), x.F.At(0, 0)
		return p*p + s.Alpha*s.Tau*s.Tau/(2*a*delta)*s0
	}
	v0 := v(s)
	if v0 == 0 {
		return 0, errVacuous
	}
	tr, err := r.simulate("reduced", s, 20/delta)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for i, x := range tr.States {
		worst = max(worst, (v(x)-math.Exp(-delta*tr.T[i])*v0)/v0)
	}
	return worst, nil
}

func survival(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	minus, plus := roots(p)
	at := minus + (plus-minus)*generate.Float(generate.Scale(r.ch, -4, 2))
	alpha := generate.Float(p.Alpha)
	s := single(p, at, at*at/alpha)
	// In the plane the parabola itself attracts at the rate 2η.
	tr, err := r.simulate("reduced", s, settling(p, minus, plus))
	if err != nil {
		return 0, err
	}
	want := plus * plus / alpha
	if r.twin != "" {
		want *= alpha
	}
	return relative(tr.States[points-1].F.At(0, 0), want), nil
}

func basinWithoutDecay(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.NoDecay)
	alpha := generate.Float(p.Alpha)
	node := generate.Float(p.Tau) / generate.Float(p.A())
	at, s0 := node*generate.Float(generate.Scale(r.ch, -2, 2)), generate.Float(generate.Scale(r.ch, -8, 2))
	if r.ch.Intn(4) == 3 {
		at = -at
	}
	c := s0 - at*at/alpha
	edge := math.Sqrt(max(0, -alpha*c)) // |p| at s = 0
	if math.Abs(edge/node-1) < 0.05 || math.Abs(c) < 0.05*s0 {
		return 0, errVacuous // too near the boundary to decide in a bounded time
	}
	want := c < 0 && (at < 0 || edge >= node)
	if r.twin != "" {
		want = c < 0
	}
	// At (edge, 0) the linear rate of s is 2·edge·(τ − a·edge), at the node −α a s.
	a := generate.Float(p.A())
	collapse := 2 * edge * math.Abs(a*edge-generate.Float(p.Tau))
	end := alpha * a * max(c+node*node/alpha, 0)
	rate := end
	if c < 0 && (at < 0 || edge >= node) {
		rate = collapse
	}
	// A start near p = 0 takes a time of order 1/p before it moves.
	t := 40/rate + 40/(alpha*s0*generate.Float(p.Tau))
	tr, err := r.simulate("reduced", single(p, at, s0), t)
	if err != nil {
		return 0, err
	}
	if collapsed := tr.States[points-1].F.At(0, 0) < measure.CollapseFraction*s0; collapsed != want {
		return 1, nil
	}
	return 0, nil
}

// grows reports whether the mode at p on the parabola grows.
func (r *run) grows(p generate.Params, at float64) (bool, error) {
	tr, err := r.simulate("parabola", single(p, at, 0), 1)
	if err != nil {
		return false, err
	}
	return tr.States[points-1].P[0] > at, nil
}

// bisect returns the threshold of a monotone predicate in (lo, hi) after n halvings.
func bisect(lo, hi float64, n int, above func(float64) (bool, error)) (float64, error) {
	for range n {
		mid := (lo + hi) / 2
		ok, err := above(mid)
		if err != nil {
			return 0, err
		}
		if ok {
			hi = mid
		} else {
			lo = mid
		}
	}
	return (lo + hi) / 2, nil
}

func threshold(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	q := p
	// A second setting with a larger p₋: more decay, or a smaller τ.
	if r.ch.Intn(2) == 0 {
		sum := new(big.Rat).Add(p.Eta, p.CriticalDecay())
		q.Eta = sum.Mul(sum, generate.Rat(1, 2))
	} else {
		q.Tau = new(big.Rat).Mul(p.Tau, generate.Rat(31, 32))
	}
	if q.Eta.Cmp(q.CriticalDecay()) >= 0 {
		return 0, errVacuous
	}
	find := func(p generate.Params) (found, off float64, err error) {
		minus, plus := roots(p)
		if plus < 1.25*minus {
			return 0, 0, errVacuous // the mode grows too slowly in between to be seen growing
		}
		found, err = bisect(minus/2, min(plus, 2*minus), 22, func(at float64) (bool, error) { return r.grows(p, at) })
		if r.twin != "" {
			minus = plus
		}
		return found, relative(found, minus), err
	}
	a, off1, err := find(p)
	if err != nil {
		return 0, err
	}
	b, off2, err := find(q)
	if err != nil {
		return 0, err
	}
	return max(off1, off2, (a-b)/a), nil
}

func closedForm(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := p.State()
	at := generate.Float(generate.Scale(r.ch, -3, 1))
	s.P, s.Wm, s.WaM = []float64{at}, []float64{at / math.Sqrt(s.Alpha)}, []float64{0}
	sys, err := bind("modes", s)
	if err != nil {
		return 0, err
	}
	f := sys.RHS()
	beta := s.Beta
	if r.twin != "" {
		beta = 0
	}
	sol, err := r.solve(func(t float64, y, dy []float64) {
		f(t, y[:3], dy[:3])
		dy[3] = y[0] - beta*y[3]
	}, append(sys.Initial(), 0), 5)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for _, y := range sol.Y {
		worst = max(worst, math.Abs(y[2]/y[1]-s.Beta*y[3]/y[0]))
	}
	return worst, nil
}

func gauge(r *run) (float64, error) {
	s := r.weighted()
	g := math.Sqrt(s.Alpha)
	if r.twin != "" {
		g = s.Alpha
	}
	moved := s.Clone()
	moved.Alpha = 1
	moved.W, moved.Wa = scaled(g, s.W), scaled(g, s.Wa)
	return r.image(s, moved, func(x *flow.State) (*mat.Dense, *mat.Dense) { return scaled(g, x.W), x.Wp })
}

func survivingRatio(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	p.Tau = generate.Rat(1, 1) // what the ratio tends to decides which decay is critical
	if p.Eta.Cmp(p.CriticalDecay()) >= 0 {
		return 0, errVacuous
	}
	minus, plus := roots(p)
	at := plus
	if r.twin != "" {
		at = minus / 4
	}
	s := p.State()
	s.P, s.Wm = []float64{at}, []float64{at / math.Sqrt(s.Alpha)}
	s.WaM = []float64{2 * generate.Float(generate.Fraction(r.ch)) * s.Wm[0]}
	tr, err := r.simulate("modes", s, settlingWithAverage(p, minus, plus))
	if err != nil {
		return 0, err
	}
	end := tr.States[points-1]
	if r.twin == "" && end.P[0] < minus {
		return 0, errVacuous // too slow an average: the mode fell back below the threshold
	}
	return math.Abs(end.WaM[0]/end.Wm[0] - 1), nil
}

func collapsingRatio(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	s := p.State()
	s.P, s.Wm, s.WaM = []float64{0}, []float64{0x1p-20}, []float64{0x1p-20}
	// What is compared are ratios of numbers that tend to zero, w down to 2⁻²⁰·e⁻⁸⁰ and p of the order of w².
	r.settings.AbsTol = 1e-100
	s.Beta = s.Eta * []float64{2, 1.5, 4, 0.5, 0.25}[r.ch.Intn(5)]
	t := 40 / math.Abs(s.Beta-s.Eta)
	tr, err := r.simulate("modes", s, t)
	if err != nil {
		return 0, err
	}
	tau := func(i int) float64 { return tr.States[i].WaM[0] / tr.States[i].Wm[0] }
	end := points - 1
	switch {
	case r.twin != "":
		return relative(tau(end), 1), nil
	case s.Beta > s.Eta:
		return relative(tau(end), s.Beta/(s.Beta-s.Eta)), nil
	}
	// τ' = (η−β)τ + β: over the last half τ grows by e^((η−β)t/2) up to e^(−20).
	return relative(math.Log(tau(end)/tau(end/2)), (s.Eta-s.Beta)*t/2), nil
}

// survives reports whether the mode that starts at p on the parabola with wa = τw survives.
func (r *run) survives(p generate.Params, at, tau, minus, plus float64) (bool, error) {
	s := p.State()
	w := at / math.Sqrt(s.Alpha)
	s.P, s.Wm, s.WaM = []float64{at}, []float64{w}, []float64{tau * w}
	tr, err := r.simulate("modes", s, settlingWithAverage(p, minus, plus))
	if err != nil {
		return false, err
	}
	return tr.States[points-1].P[0] > minus, nil
}

func slowAverage(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	p.Tau = generate.Rat(1, 1)
	if p.Eta.Cmp(p.CriticalDecay()) >= 0 {
		return 0, errVacuous
	}
	minus, plus := roots(p)
	if plus < 1.5*minus {
		return 0, errVacuous
	}
	p.Beta = generate.Scale(r.ch, -2, 2)
	q := p
	q.Beta = new(big.Rat).Mul(generate.Rat(2, 1), p.Beta)
	if r.twin != "" {
		p, q = q, p
	}
	find := func(p generate.Params) (float64, error) {
		hi := minus
		for {
			ok, err := r.survives(p, hi, 0, minus, plus)
			if err != nil {
				return 0, err
			}
			if ok || hi > 64*plus {
				break
			}
			hi *= 2
		}
		return bisect(hi/2, hi, 10, func(at float64) (bool, error) { return r.survives(p, at, 0, minus, plus) })
	}
	slow, err := find(p)
	if err != nil {
		return 0, err
	}
	fast, err := find(q)
	if err != nil {
		return 0, err
	}
	return max((fast-slow)/slow, (minus-slow)/minus), nil
}

func onlineTarget(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	p.Tau = generate.Rat(1, 1)
	if p.Eta.Cmp(p.CriticalDecay()) >= 0 {
		return 0, errVacuous
	}
	minus, plus := roots(p)
	if plus < 1.5*minus {
		return 0, errVacuous
	}
	p.Beta = generate.Scale(r.ch, -4, 2)
	tau := 1.0
	if r.twin != "" {
		tau = 0
	}
	found, err := bisect(minus/2, 2*minus, 13, func(at float64) (bool, error) { return r.survives(p, at, tau, minus, plus) })
	return relative(found, minus), err
}

func linearGrowth(r *run) (float64, error) {
	env, err := equations.Env("reducedsplit")
	if err != nil {
		return 0, err
	}
	p := generate.Parameters(r.ch, generate.Subcritical)
	alpha, a, tau, decay := generate.Float(p.Alpha), generate.Float(p.A()), generate.Float(p.Tau), generate.Float(p.Eta)
	etas := 0.0
	if r.twin != "" {
		etas = decay / 4
	}
	one := func(v float64) eval.Matrix[float64] { return eval.ScalarOf(v) }
	start := 200 * max(decay, tau*tau/a) / (alpha * a)
	field, err := equations.NewField(env, eval.State[float64]{Dims: map[lang.Dim]int{"n1": 1, "n2": 1}, Vals: map[string]eval.Matrix[float64]{
		"alpha": one(alpha), "eta": one(0), "etap": one(decay), "etas": one(etas), "sigma2": one(generate.Float(p.Sigma2)), "tau": one(tau),
		"Wp": one(tau / a), "F": one(start),
	}})
	if err != nil {
		return 0, err
	}
	// αas/η_p ≥ 200 makes the predictor's equation stiff beside the growth of s.
	s := ode.Settings{Method: ode.RadauIIA5, RelTol: 1e-8, AbsTol: 1e-10}
	sol, err := ode.Solve(r.ctx, field.RHS(), 0, field.Initial(), 10/decay, &s)
	if err != nil {
		return 0, err
	}
	worst, rate := 0.0, 2*decay*tau*tau/(alpha*a*a)
	for i, t := range sol.T {
		if t < 1/decay {
			continue // the predictor settles, in a time of 1/(αas)
		}
		dy := make([]float64, field.Dim())
		if err := field.Derivative(sol.Y[i], dy); err != nil {
			return 0, err
		}
		worst = max(worst, math.Abs(dy[1]/rate-1)) // Wp', F'
	}
	return worst, nil
}

// descent makes n steps of gradient descent on one mode (p, w) of SimSiam, τ = 1.
func descent(alpha, a, eta, lr, p, w float64, n int) (float64, float64) {
	for range n {
		g := w * (1 - a*p)
		p, w = p+lr*(alpha*w*g-eta*p), w+lr*(p*g-eta*w)
	}
	return p, w
}

func firstOrder(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	p.Tau = generate.Rat(1, 1)
	at, w := generate.Float(generate.Signed(r.ch)), generate.Float(generate.Signed(r.ch))
	s := single(p, at, w*w)
	const t = 2.0
	tr, err := r.simulate("reduced", s, t)
	if err != nil {
		return 0, err
	}
	end := tr.States[points-1].Wp.At(0, 0)
	eta := s.Eta
	if r.twin != "" {
		eta = 1.5*eta + 0.1
	}
	off := func(n int) float64 {
		x, _ := descent(s.Alpha, 1+s.Sigma2, eta, t/float64(n), at, w, n)
		return x - end
	}
	const n = 2000
	e1, e2 := off(n), off(2*n)
	// Where the coefficient c of the first order nearly vanishes, the second decides the slope: 1/n of it is
	// below an eighth of c only if c is not itself below 1/100 of the size of the state.
	if math.Abs(e1)*n < 1e-2*(math.Abs(at)+w*w) || at == 0 {
		return 0, errVacuous
	}
	return math.Abs(math.Log2(math.Abs(e1/e2)) - 1), nil
}

func descentStability(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.Subcritical)
	p.Tau = generate.Rat(1, 1)
	if p.Eta.Cmp(p.CriticalDecay()) >= 0 {
		return 0, errVacuous
	}
	minus, plus := roots(p)
	eta, alpha, a := generate.Float(p.Eta), generate.Float(p.Alpha), generate.Float(p.A())
	rate := plus - 2*eta // of the parabola's direction at p₊; across it, 2η
	if rate <= 2*eta || plus < 2*minus {
		return 0, errVacuous
	}
	lr := 0.95 * 2 / rate
	if r.twin != "" {
		lr = 1.05 * 2 / rate
	}
	at := plus * (1 + 1e-3)
	x, _ := descent(alpha, a, eta, lr, at, at/math.Sqrt(alpha), 2000)
	return relative(x, plus), nil
}

func scalarInvariant(r *run) (float64, error) {
	p := generate.Parameters(r.ch, generate.AnyDecay)
	s := p.State()
	num := func() float64 { return 2 * generate.Float(generate.Fraction(r.ch)) }
	one := func(v float64) *mat.Dense { return mat.NewDense(1, 1, []float64{v}) }
	w := generate.Float(generate.Signed(r.ch))
	g := math.Sqrt(s.Alpha)
	if r.twin != "" {
		g = 1
	}
	s.Sigma2 = 0
	s.X, s.Xp = one(num()), one(num())
	s.W, s.Wp, s.Wa = one(w), one(g*w), one(generate.Float(generate.Signed(r.ch)))
	tr, err := r.simulate("lemma1", s, 4)
	if err != nil {
		return 0, err
	}
	worst, top := 0.0, 0.0
	for _, x := range tr.States {
		if top = max(top, math.Abs(x.Wp.At(0, 0)), math.Abs(g*x.W.At(0, 0))); top == 0 {
			return 0, errVacuous
		}
		worst = max(worst, math.Abs(g*x.W.At(0, 0)-x.Wp.At(0, 0))/top)
	}
	return worst, nil
}
