package props

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/generate"
	"stopgrad/theory/sample"
)

// Stationary points of the SimSiam flow are refined by Newton's method to a speed of at most residualGoal of
// the state in float64, and of wideGoal in extended arithmetic.
const (
	residualGoal = 1e-14
	wideGoal     = 1e-50
	// boundFactor is how far above the bound on its error a commutator must lie to count as different from
	// zero: the bound comes from a singular value computed in float64, good to a factor of two.
	boundFactor = 10
)

// stationary is a stationary point of the SimSiam flow with what is known about it.
type stationary struct {
	state      *flow.State
	speed      float64 // |ẏ|/|y| after Newton's method in float64
	commutator float64 // ‖[Wp, F₁]‖/(‖Wp‖‖F₁‖), F₁ = W(X+X')Wᵀ
	bound      float64 // on the error of commutator: from speed, the least singular value of the Jacobian, rounding
	asymmetry  float64 // ‖Wp − Wpᵀ‖/‖Wp‖
	live       int     // eigenvalues of F₁ above CollapseFraction of the greatest
	wideSpeed  float64 // |ẏ|/|y| after Newton's method in extended arithmetic
	wideComm   float64 // the commutator there
}

// nonisoAlign samples the statement "with weight decay and generic X, X', every live stationary point of the
// SimSiam flow has a predictor that commutes with W(X+X')Wᵀ". A sample is a point where a trajectory from a
// random start comes to rest. It violates the statement if its normalised commutator exceeds boundFactor
// times the bound on its error, and still does where Newton's method in extended arithmetic has made the
// bound fifty digits smaller. For comparison as many samples are taken with X' in the eigenframe of X.
func nonisoAlign(ctx context.Context, seed uint64, samples int) (Measurement, error) {
	m := Measurement{Says: "the normalised commutator [Wp, W(X+X')Wᵀ] is zero within ten times the bound on its error"}
	var dead, restless, unconfirmed int
	var comm, asym, bounds, speeds, wideSpeeds, controls []float64
	controlExceeds, single := 0, 0
	for i := range 2 * samples {
		commuting := i%2 == 1
		ch := sample.NewStream(seed, fmt.Sprintf("noniso-align/%d/%t", i/2, commuting))
		p, f, err := findStationary(ctx, ch, commuting)
		if err != nil {
			return m, err
		}
		if commuting {
			if f == gone {
				controls = append(controls, p.commutator)
				if p.commutator > boundFactor*p.bound {
					controlExceeds++
				}
			}
			continue
		}
		switch f {
		case collapsed:
			dead++
			continue
		case slow:
			restless++
			continue
		}
		m.Tried++
		comm, asym, bounds = append(comm, p.commutator), append(asym, p.asymmetry), append(bounds, p.bound)
		speeds, wideSpeeds = append(speeds, p.speed), append(wideSpeeds, p.wideSpeed)
		m.Tolerance = max(m.Tolerance, boundFactor*p.bound)
		m.Worst = max(m.Worst, p.commutator)
		if p.live == 1 {
			single++ // a predictor of rank one commutes with F₁ of rank one
		}
		switch {
		case p.commutator <= boundFactor*p.bound:
			m.Holds++
		case p.wideSpeed <= wideGoal && math.Abs(p.wideComm-p.commutator) <= boundFactor*p.bound:
			m.Violations++
		default:
			unconfirmed++
		}
	}
	m.Detail = map[string]any{
		"collapsed_excluded": dead, "not_at_rest_excluded": restless, "unconfirmed": unconfirmed,
		"with_one_live_mode": single, "commutator": spread(comm), "asymmetry": spread(asym), "error_bound": spread(bounds),
		"speed": spread(speeds), "speed_in_extended_arithmetic": spread(wideSpeeds),
		"shared_eigenframe": map[string]any{"tried": len(controls), "commutator": spread(controls), "above_bound": controlExceeds},
	}
	return m, nil
}

// generic is the least normalised commutator of X and X' that counts as generic.
const generic = 0.02

// nonisoStart draws a start of the SimSiam flow with X, X' ≻ 0 of distinct eigenvalues in eigenframes of
// their own, or in one eigenframe.
func nonisoStart(ch sample.Chooser, commuting bool) *flow.State {
	n1 := 2 + ch.Intn(3)
	n2 := 2 + ch.Intn(3)
	s := flow.NewState()
	s.Alpha = generate.Float(generate.Scale(ch, -1, 2))
	s.Eta = generate.Float(generate.Scale(ch, -7, -4))
	for {
		q := generate.Orthogonal(ch, n1)
		qp := q
		if !commuting {
			qp = generate.Orthogonal(ch, n1)
		}
		s.X = generate.Dense(generate.Symmetric(q, generate.Spectrum(ch, n1, generate.Distinct)))
		s.Xp = generate.Dense(generate.Symmetric(qp, generate.Spectrum(ch, n1, generate.Distinct)))
		if commuting || measure.NormalisedCommutator(s.X, s.Xp) >= generic {
			break
		}
	}
	s.W = generate.Dense(generate.Entries(ch, n2, n1))
	s.Wp = generate.Dense(generate.Entries(ch, n2, n2))
	return s
}

// findStationary follows a drawn start until it is nearly at rest and refines where it is. The fate is
// collapsed, slow if it does not come to rest, or gone if a live stationary point was found.
func findStationary(ctx context.Context, ch sample.Chooser, commuting bool) (*stationary, fate, error) {
	s := nonisoStart(ch, commuting)
	size0 := math.Hypot(mat.Norm(s.W, 2), mat.Norm(s.Wp, 2))
	t := 30 / s.Eta
	var speed float64
	for range skewRounds {
		var err error
		if _, s, speed, err = end(ctx, "simsiam", s, t, longRun); err != nil {
			return nil, 0, err
		}
		if speed <= 1e-7 {
			break
		}
		t *= 2
	}
	if math.Hypot(mat.Norm(s.W, 2), mat.Norm(s.Wp, 2)) <= measure.CollapseFraction*size0 {
		return nil, collapsed, nil
	}
	f, err := flow.ByName("simsiam")
	if err != nil {
		return nil, 0, err
	}
	sys, err := f.Bind(s)
	if err != nil {
		return nil, 0, err
	}
	y, rhs := sys.Initial(), sys.RHS()
	dy := make([]float64, len(y))
	var inv *mat.Dense
	var least float64
	for range 12 {
		rhs(0, y, dy)
		if speed = norm2(dy) / norm2(y); speed <= residualGoal/100 {
			break
		}
		inv, least = pseudoInverse(jacobian(rhs, y))
		var step mat.VecDense
		step.MulVec(inv, mat.NewVecDense(len(dy), dy))
		old := append([]float64(nil), y...)
		for i := range y {
			y[i] -= step.AtVec(i)
		}
		rhs(0, y, dy)
		if now := norm2(dy) / norm2(y); !(now < speed) {
			copy(y, old)
			break
		}
	}
	rhs(0, y, dy)
	if speed = norm2(dy) / norm2(y); !(speed <= residualGoal) {
		return nil, slow, nil
	}
	if inv == nil {
		inv, least = pseudoInverse(jacobian(rhs, y))
	}
	p := &stationary{state: sys.Unpack(0, y), speed: speed}
	var both mat.Dense
	both.Add(s.X, s.Xp)
	p.describe(&both, least)
	p.extend(inv)
	return p, gone, nil
}

// describe computes the measures of the point and the bound on the error of its commutator. The exact
// stationary point is within δ = 2|ẏ|/σ of y, σ the least nonzero singular value of the Jacobian (the factor
// covers the curvature, which at these distances is far below it); F₁ is then off by at most 2‖W‖‖X+X'‖δ, and
// the normalised commutator by twice the sum of the relative errors of its factors, plus the rounding of its
// products, n² terms each.
func (p *stationary) describe(both *mat.Dense, least float64) {
	s := p.state
	var f1 mat.Dense
	f1.Product(s.W, both, s.W.T())
	p.commutator = measure.NormalisedCommutator(&f1, s.Wp)
	p.asymmetry = measure.Asymmetry(s.Wp)
	values, _ := measure.Eigenframe(&f1)
	for _, v := range values {
		if v > measure.CollapseFraction*values[0] {
			p.live++
		}
	}
	w, wp, n1 := mat.Norm(s.W, 2), mat.Norm(s.Wp, 2), mat.Norm(&f1, 2)
	delta := 2 * p.speed * math.Hypot(w, wp) / least
	n, _ := s.Wp.Dims()
	p.bound = 2*(delta/wp+2*w*mat.Norm(both, 2)*delta/n1) + float64(8*n*n)*0x1p-53*(1+w*w*mat.Norm(both, 2)/n1)
}

// extend continues Newton's method in extended arithmetic with the float64 inverse, which gains about seven
// digits a step, and measures the commutator there.
func (p *stationary) extend(inv *mat.Dense) {
	s := p.state
	wp, w, x := widen(s.Wp), widen(s.W), widen(s.X)
	xs := x.plus(number(1), widen(s.Xp))
	size := math.Hypot(wp.norm(), w.norm())
	p.wideSpeed = math.Inf(1)
	for range 40 {
		dwp, dw := simsiamWide(s.Alpha, s.Eta, x, xs, wp, w)
		speed := math.Hypot(dwp.norm(), dw.norm()) / size
		if !(speed < p.wideSpeed) {
			break
		}
		p.wideSpeed = speed
		if speed <= wideGoal {
			break
		}
		f := append(dwp.a[:len(dwp.a):len(dwp.a)], dw.a...)
		step := newWide(len(f), 1)
		t := number(0)
		for i := range f {
			for j := range f {
				step.a[i].Add(step.a[i], t.Mul(number(inv.At(i, j)), f[j]))
			}
		}
		for i := range wp.a {
			wp.a[i].Sub(wp.a[i], step.a[i])
		}
		for i := range w.a {
			w.a[i].Sub(w.a[i], step.a[len(wp.a)+i])
		}
	}
	p.wideComm = commutatorWide(wp, w.mul(xs, w.t()))
}

// jacobian is the matrix of central differences of f at y; for polynomials of degree at most five and steps
// of 1e-5 it is right to about 1e-10 of the size of the state.
func jacobian(f ode.RHS, y []float64) *mat.Dense {
	n := len(y)
	j := mat.NewDense(n, n, nil)
	hi, lo := make([]float64, n), make([]float64, n)
	y = append([]float64(nil), y...)
	for c := range n {
		h := 1e-5 * max(1, math.Abs(y[c]))
		v := y[c]
		y[c] = v + h
		f(0, y, hi)
		y[c] = v - h
		f(0, y, lo)
		y[c] = v
		for r := range n {
			j.Set(r, c, (hi[r]-lo[r])/(2*h))
		}
	}
	return j
}

// pseudoInverse returns the Moore–Penrose inverse and the least singular value above 1e-7 of the greatest.
// Those below belong to the orbit of the stationary point under (W, Wp) → (QW, QWpQᵀ), along which the flow's
// right-hand side stays zero.
func pseudoInverse(j *mat.Dense) (inv *mat.Dense, least float64) {
	n, _ := j.Dims()
	var svd mat.SVD
	if !svd.Factorize(j, mat.SVDFull) {
		panic("props: no singular values (non-finite entry)")
	}
	v := svd.Values(nil)
	var u, w mat.Dense
	svd.UTo(&u)
	svd.VTo(&w)
	d := mat.NewDense(n, n, nil)
	least = v[0]
	for i, x := range v {
		if x > 1e-7*v[0] {
			d.Set(i, i, 1/x)
			least = x
		}
	}
	inv = new(mat.Dense)
	inv.Product(&w, d, u.T())
	return inv, least
}
