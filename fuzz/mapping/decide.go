package mapping

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
)

// Outcome is what becomes of a mode.
type Outcome int

const (
	Pending   Outcome = iota // not measured: the map was cancelled first
	Collapse                 // p and s tend to 0; for η = 0, s tends to 0
	Growth                   // s tends to a positive number
	Undecided                // not certain at the horizon, or the solver failed
)

// String returns the outcome as the CSV files name it.
func (o Outcome) String() string {
	return [...]string{"pending", "collapse", "growth", "undecided"}[o]
}

// A trap tells, of a state, the outcome that is certain from there on, or Undecided. Trap sets are absorbing
// and lie away from the saddle and its manifold, so that where the boundary runs is left to the integration.
//
// In the variables p, x = √α·w with x² = αs, the modes flow is
//
//	p' = x·xa − a·p·x² − η·p,  x' = p·(xa − a·p·x) − η·x,  xa' = β·(x − xa)
//
// and the frozen flow the same with xa = τx.
//
// Collapse, for η > 0. In the box |p|, |x|, |xa| ≤ r (frozen: |p|, |x| ≤ r) with τr + ar² < η, τ = 1 for modes:
// on the face |p| = r, |p|' ≤ τr² + ar³ − ηr < 0, likewise on |x| = r, and xa follows x. The same bound with the
// current max(|p|, |x|, |xa|) in place of r shows that it falls to zero.
//
// Growth, frozen and parabola. c = s − p²/α obeys c' = −2ηc, so that
//
//	p' = g(p) := (p² + αc)(τ − ap) − ηp,  with c of constant sign and not growing in size.
//
// If c ≤ 0 and g(q) > 0 for some 0 < q ≤ min(p, τ/a), then g(q) stays positive as c rises and p never comes down to
// q; if c ≥ 0 the same follows from q²(τ − aq) > ηq, which c only helps. The barrier used is q = τ/2a, where
// q(τ − aq) is largest.
//
// η = 0 makes c constant and every barrier permanent, also the line p = τ/a, on which p stands still: see
// withoutDecay.
//
// Growth, modes. Near a stable stationary state y* with derivative J, V = eᵀPe with JᵀP + PJ = −I falls along
// e = y − y* where |P|·k(|e|) < 1/2, the remainder of the field being at most k(|e|)·|e| (Khalil, Nonlinear
// Systems, 3rd ed., section 4.3); the largest sublevel set of V inside that ball is a trap. y* is found by
// Newton's method on the flow's own right-hand side. There is none for η = 0, where stationary states are
// not isolated.
type trap func(y []float64) Outcome

// setTrap chooses the trap of the dynamics.
func (d *dynamics) setTrap() {
	a, eta := d.a(), d.Eta
	tau := d.Tau
	if d.model == Modes {
		tau = 1
	}
	// The positive root of ar² + τr = η, by the formula that does not cancel.
	box := 2 * eta / (tau + math.Sqrt(tau*tau+4*a*eta))
	d.box = box
	q := tau / (2 * a)
	root := math.Sqrt(d.Alpha)
	switch d.model {
	case Modes:
		grows := d.basin()
		d.trap = func(y []float64) Outcome {
			if max(math.Abs(y[0]), root*math.Abs(y[1]), root*math.Abs(y[2])) < box {
				return Collapse
			}
			return grows(y)
		}
	case Parabola:
		holds := q*(tau-a*q) > eta
		d.trap = func(y []float64) Outcome {
			switch p := y[0]; {
			case math.Abs(p) < box || eta == 0 && p <= 0:
				return Collapse
			case p >= q && holds:
				return Growth
			}
			return Undecided
		}
	case Frozen:
		if eta == 0 {
			d.trap = d.withoutDecay()
			return
		}
		d.trap = func(y []float64) Outcome {
			p, s := y[0], y[1]
			if max(math.Abs(p), root*math.Sqrt(max(s, 0))) < box {
				return Collapse
			}
			if p >= q && (q*q+min(0, d.Alpha*s-p*p))*(tau-a*q) > eta*q {
				return Growth
			}
			return Undecided
		}
	}
}

// withoutDecay returns the trap of the frozen flow for η = 0, where p' = αs(τ − ap) and αs = p² + αc with constant c:
// p moves monotonically towards τ/a and stops where s = 0. With c < 0 that is −√(−αc) for p < 0 (collapse), and for
// p > 0 it is +√(−αc) if that lies between p and τ/a, p > τ/a (collapse), and τ/a otherwise (growth). With c > 0
// nothing stops p before τ/a; with c = 0 the stop is at p = 0.
//
// That decides every state at once and leaves nothing to measure, so the trap is also closed until the mode has come
// near its limit: p to half of τ/a, or s below CollapseFraction of where it started.
func (d *dynamics) withoutDecay() trap {
	still := d.Tau / d.a()
	small := measure.CollapseFraction * max(d.s0, d.p0*d.p0/d.Alpha)
	return func(y []float64) Outcome {
		p, s := y[0], y[1]
		ac := d.Alpha*s - p*p
		grows := ac > 0 || p > 0 && (p <= still || -ac < still*still)
		switch {
		case s <= 0 || !grows && s <= small:
			return Collapse
		case grows && math.Abs(p-still) <= still/2:
			return Growth
		}
		return Undecided
	}
}

// basin returns the growth trap of the modes flow.
func (d *dynamics) basin() trap {
	none := func([]float64) Outcome { return Undecided }
	root, a := math.Sqrt(d.Alpha), d.a()
	// In (p, x, xa) the field depends on α no more; scaled[i] turns packed variables into these.
	scaled := [3]float64{1, root, root}
	field := func(e [3]float64) (f [3]float64) {
		y, dy := make([]float64, 3), make([]float64, 3)
		for i := range y {
			y[i] = e[i] / scaled[i]
		}
		d.rhs(0, y, dy)
		for i := range dy {
			f[i] = dy[i] * scaled[i]
		}
		return f
	}
	star, jac, ok := stationary(field, 1/a)
	if !ok {
		return none
	}
	lyapunov, ok := lyapunov(jac)
	if !ok {
		return none
	}
	var eig mat.EigenSym
	if !eig.Factorize(lyapunov, false) {
		return none
	}
	ev := eig.Values(nil)
	if !(ev[0] > 0) {
		return none
	}
	// The remainder of p' is ep'ex-quadratic terms |½(ex² + exa²) + a(p*·ex² + 2x*·ep·ex)| and the cubic a·|ep·ex²|,
	// of x' the same with p and x exchanged: each at most (½ + a(p* + x*))|e|² + a|e|³, together √2 times that.
	quadratic := math.Sqrt2 * (0.5 + a*(math.Abs(star[0])+math.Abs(star[1])))
	cubic := math.Sqrt2 * a
	limit := 1 / (2 * ev[2])
	r := 2 * limit / (quadratic + math.Sqrt(quadratic*quadratic+4*cubic*limit)) // cubic·r² + quadratic·r = limit
	level := ev[0] * r * r
	return func(y []float64) Outcome {
		var v float64
		var e [3]float64
		for i := range e {
			e[i] = y[i]*scaled[i] - star[i]
		}
		for i := range e {
			for j := range e {
				v += e[i] * lyapunov.At(i, j) * e[j]
			}
		}
		if v < level {
			return Growth
		}
		return Undecided
	}
}

// stationary runs Newton's method from (start, start, start) and returns a zero of the field with x > 0 and its
// derivative there, by central differences.
func stationary(field func([3]float64) [3]float64, start float64) (y [3]float64, jac *mat.Dense, ok bool) {
	const iterations = 60 // quadratic convergence takes six; a double root, linear convergence, takes fifty
	// The field is a cubic, whose central differences err by h² times a bounded third derivative: h = 1e-5 leaves
	// 1e-10 of that and 1e-11 of rounding.
	const h = 1e-5
	y = [3]float64{start, start, start}
	jac = mat.NewDense(3, 3, nil)
	derivative := func() {
		for j := range y {
			hi, lo := y, y
			hi[j] += h
			lo[j] -= h
			fh, fl := field(hi), field(lo)
			for i := range y {
				jac.Set(i, j, (fh[i]-fl[i])/(2*h))
			}
		}
	}
	for range iterations {
		derivative()
		f := field(y)
		var step mat.VecDense
		if err := step.SolveVec(jac, mat.NewVecDense(3, f[:])); err != nil {
			return y, jac, false
		}
		size := 0.0
		for i := range y {
			y[i] -= step.AtVec(i)
			size = max(size, math.Abs(step.AtVec(i)))
		}
		if size <= 1e-12*start {
			derivative()
			return y, jac, y[1] > 1e-6*start
		}
	}
	return y, jac, false
}

// lyapunov returns the symmetric P with JᵀP + PJ = −I for a 3×3 J, and whether the equation has one solution. P is
// positive definite exactly when J is stable.
func lyapunov(j *mat.Dense) (*mat.SymDense, bool) {
	index := [3][3]int{{0, 1, 2}, {1, 3, 4}, {2, 4, 5}}
	m, b := mat.NewDense(6, 6, nil), mat.NewVecDense(6, nil)
	for r := range 3 {
		for c := r; c < 3; c++ {
			row := index[r][c]
			if r == c {
				b.SetVec(row, -1)
			}
			for k := range 3 {
				at := index[k][c]
				m.Set(row, at, m.At(row, at)+j.At(k, r))
				at = index[r][k]
				m.Set(row, at, m.At(row, at)+j.At(k, c))
			}
		}
	}
	var x mat.VecDense
	if err := x.SolveVec(m, b); err != nil {
		return nil, false
	}
	p := mat.NewSymDense(3, nil)
	for r := range 3 {
		for c := r; c < 3; c++ {
			p.SetSym(r, c, x.AtVec(index[r][c]))
		}
	}
	return p, true
}
