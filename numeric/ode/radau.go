package ode

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// RadauTableau returns the three-stage Radau IIA collocation method of order 5
// (Ehle; HW IV.5, Table 5.6): coefficients in ℚ(√6), L-stable, stiffly accurate.
// The dense output is the collocation polynomial, of order 3.
//
// The returned tableau is the caller's to change.
func RadauTableau() *Tableau {
	return &Tableau{
		Name:       "Radau IIA 5",
		Order:      5,
		DenseOrder: 3,
		A: parseRows(
			`88/360-7/360√6 296/1800-169/1800√6 -2/225+3/225√6
296/1800+169/1800√6 88/360+7/360√6 -2/225-3/225√6
16/36-1/36√6 16/36+1/36√6 1/9`),
		B: parseRow(`16/36-1/36√6 16/36+1/36√6 1/9`),
		// The integrals from 0 to θ of the Lagrange polynomials of the nodes.
		Theta: parseRows(
			`1/3+1/2√6 2/3-13/12√6 -5/9+5/9√6
1/3-1/2√6 2/3+13/12√6 -5/9-5/9√6
1/3 -4/3 10/9`),
	}
}

// radauError holds the coefficients e of the error estimate of HW IV.8,
//
//	(γ̂/h I - J) err = f(t, y) + (1/h) Σ_i e_i z_i,   z_i = u_i - y,
//
// whose right-hand side vanishes to order 3: Σ_i e_i c_i^k = -[k=1] for k = 1, 2, 3.
func radauError() []Exact {
	return parseRow(`-13/3-7/3√6 -13/3+7/3√6 -1/3`)
}

// radauCoefficients is the method rounded to float64, with the real similarity
//
//	T⁻¹ A⁻¹ T = diag(γ̂, [α̂ -β̂; β̂ α̂])
//
// that decouples the Newton system (HW IV.8, equation 8.5).
type radauCoefficients struct {
	c                  [3]float64
	e                  [3]float64
	t, ti              [3][3]float64
	gamma, alpha, beta float64
}

var radau5 = sync.OnceValue(func() *radauCoefficients {
	tb := RadauTableau()
	co := &radauCoefficients{}
	a := mat.NewDense(3, 3, nil)
	for i, c := range tb.C() {
		co.c[i] = c.Float64()
		co.e[i] = radauError()[i].Float64()
		for j, x := range tb.A[i] {
			a.Set(i, j, x.Float64())
		}
	}
	var inv, t, ti mat.Dense
	if err := inv.Inverse(a); err != nil {
		panic("ode: Radau matrix: " + err.Error())
	}
	var eig mat.Eigen
	if !eig.Factorize(&inv, mat.EigenRight) {
		panic("ode: Radau matrix has no eigendecomposition")
	}
	var vec mat.CDense
	eig.VectorsTo(&vec)
	t.ReuseAs(3, 3)
	for j, v := range eig.Values(nil) {
		switch {
		case imag(v) == 0:
			co.gamma = real(v)
			for i := range 3 {
				t.Set(i, 0, real(vec.At(i, j)))
			}
		case imag(v) < 0:
			// A⁻¹(x + iy) = (α̂ - iβ̂)(x + iy) is the block above for the columns x, y.
			co.alpha, co.beta = real(v), -imag(v)
			for i := range 3 {
				t.Set(i, 1, real(vec.At(i, j)))
				t.Set(i, 2, imag(vec.At(i, j)))
			}
		}
	}
	if err := ti.Inverse(&t); err != nil {
		panic("ode: Radau transformation: " + err.Error())
	}
	for i := range 3 {
		for j := range 3 {
			co.t[i][j], co.ti[i][j] = t.At(i, j), ti.At(i, j)
		}
	}
	return co
})

// Constants of the simplified Newton iteration, HW IV.8.
const (
	newtonMax = 10
	// roundOff is the size, in units of round-off, below which the iteration gains
	// nothing.
	roundOff = 10
	// keepJacobian: below this contraction rate the Jacobian serves another step.
	keepJacobian = 1e-3
)

// radau steps RadauIIA5.
type radau struct {
	in       *integrator
	co       *radauCoefficients
	jacobian func(t float64, y []float64, jac *mat.Dense)

	jac        *mat.Dense
	jacFresh   bool // jac belongs to the present (t, y)
	jacWanted  bool
	slow       bool    // the last iteration contracted slower than keepJacobian
	factored   float64 // h of the factorisations, 0: none
	singular   bool    // one of them has no factorisation
	real, cplx mat.LU
	scale      float64 // of both systems
	sysR, sysC *mat.Dense

	t      float64 // of the step tried
	f0     []float64
	z      [3][]float64 // stage increments u_i - y
	w      [3][]float64 // T⁻¹ z
	f      [3][]float64
	u, e   []float64
	rhs    *mat.VecDense // n
	rhs2   *mat.VecDense // 2n
	tol    float64       // of the Newton iteration, in the error norm
	first  bool          // first step, or the one after a rejection
	have   bool          // z holds an accepted step, for starting values
	lastH  float64
	lastQ  []float64 // its collocation polynomial
	lastDy []float64 // its y₁ - y₀
}

func newRadau(in *integrator, jacobian func(float64, []float64, *mat.Dense)) *radau {
	n := in.n
	s := &radau{
		in: in, co: radau5(), jacobian: jacobian,
		jac: mat.NewDense(n, n, nil), jacWanted: true,
		sysR: mat.NewDense(n, n, nil), sysC: mat.NewDense(2*n, 2*n, nil),
		f0: make([]float64, n), u: make([]float64, n), e: make([]float64, n),
		rhs: mat.NewVecDense(n, nil), rhs2: mat.NewVecDense(2*n, nil),
		lastQ: make([]float64, 2*n), lastDy: make([]float64, n),
		first: true,
	}
	for i := range 3 {
		s.z[i], s.w[i], s.f[i] = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	// HW IV.8: iterate well below the tolerance, but not below round-off.
	s.tol = max(roundOff*0x1p-52/in.rtol, min(0.03, math.Sqrt(in.rtol)))
	return s
}

func (s *radau) orders() (int, int) { return 5, 3 }

func (s *radau) denseLen() int { return 2 }

func (s *radau) start(_ clock, _, f0 []float64) { copy(s.f0, f0) }

func (s *radau) slope() []float64 { return s.f0 }

func (s *radau) estimate() []float64 { return s.e }

func (s *radau) isStiff() bool { return false }

// formJacobian reports whether the Jacobian at (t, y) is finite.
func (s *radau) formJacobian(t float64, y []float64) bool {
	s.in.stats.Jacobians++
	s.jacFresh, s.jacWanted, s.factored = true, false, 0
	if s.jacobian != nil {
		s.jacobian(t, y, s.jac)
	} else {
		s.differences(t, y)
	}
	for k, v := range s.jac.RawMatrix().Data {
		if v-v != 0 {
			s.jacWanted = true
			s.in.bad = badness{t, "Jacobian", k / s.in.n}
			return false
		}
	}
	return true
}

// differences forms the Jacobian by forward differences, with increments relative to
// the component, or a part of the largest one for components near zero. (The
// √(ε max(1e-5, |y_j|)) of RADAU5 vanishes beside a large y_j.)
func (s *radau) differences(t float64, y []float64) {
	// least and share are the sizes to which an increment is relative where nothing,
	// or the component itself, is near zero.
	const least, share = 1e-3, 1e-3
	size := 0.0
	for _, v := range y {
		size = max(size, math.Abs(v))
	}
	if size == 0 {
		size = least / share
	}
	copy(s.u, y)
	for j := range y {
		d := 0x1p-26 * max(math.Abs(y[j]), share*size)
		if s.u[j] = y[j] + d; s.u[j] > math.MaxFloat64 {
			s.u[j] = y[j] - d
		}
		d = s.u[j] - y[j]
		s.in.eval(t, s.u, s.e)
		for i := range s.e {
			s.jac.Set(i, j, (s.e[i]-s.f0[i])/d)
		}
		s.u[j] = y[j]
	}
}

// factor forms (γ̂/h) I - J and the real form of ((α̂ + iβ̂)/h) I - J, both scaled by
// a power of two that puts their largest entries near one: a factorisation sums them.
func (s *radau) factor(h float64) {
	n := s.in.n
	g, a, b := s.co.gamma/h, s.co.alpha/h, s.co.beta/h
	most := max(math.Abs(g), math.Abs(a), math.Abs(b))
	for _, v := range s.jac.RawMatrix().Data {
		most = max(most, math.Abs(v))
	}
	s.factored = h
	if s.singular = !(most <= math.MaxFloat64); s.singular {
		return
	}
	_, e := math.Frexp(most)
	s.scale = math.Ldexp(1, -max(-1000, min(1000, e)))
	g, a, b = g*s.scale, a*s.scale, b*s.scale
	for i := range n {
		for j := range n {
			v := -s.jac.At(i, j) * s.scale
			s.sysR.Set(i, j, v)
			s.sysC.Set(i, j, v)
			s.sysC.Set(n+i, n+j, v)
			s.sysC.Set(i, n+j, 0)
			s.sysC.Set(n+i, j, 0)
		}
		s.sysR.Set(i, i, s.sysR.At(i, i)+g)
		s.sysC.Set(i, i, s.sysC.At(i, i)+a)
		s.sysC.Set(n+i, n+i, s.sysC.At(n+i, n+i)+a)
		s.sysC.Set(i, n+i, -b)
		s.sysC.Set(n+i, i, b)
	}
	s.real.Factorize(s.sysR)
	s.cplx.Factorize(s.sysC)
	s.in.stats.Factorizations += 2
}

// solve overwrites v with M⁻¹ v; a singular or badly conditioned M shows in the
// convergence of the iteration, so the condition is not looked at here.
func (s *radau) solve(lu *mat.LU, v *mat.VecDense) bool {
	for i, x := range v.RawVector().Data {
		if x-x != 0 {
			return false
		}
		v.SetVec(i, x*s.scale)
	}
	err := lu.SolveVecTo(v, false, v)
	if err == nil {
		return true
	}
	c, ok := err.(mat.Condition)
	return ok && !math.IsInf(float64(c), 1)
}

func (s *radau) try(t clock, h float64, y, ynew []float64) (float64, bool) {
	n, co := s.in.n, s.co
	if s.jacWanted && !s.formJacobian(t.hi, y) {
		return s.broken(y, ynew)
	}
	if s.factored != h {
		s.factor(h)
	}
	if s.singular {
		clear(s.e)
		return 0, false
	}
	s.t = t.hi
	for i, f := range s.f0 {
		s.u[i] = math.Abs(h * f)
	}
	s.in.weigh(y, y, s.u)
	// Starting values: the last collocation polynomial continued, or zero.
	if s.have {
		for i, c := range co.c {
			th := 1 + c*h/s.lastH
			bump := th * (1 - th)
			for j := range n {
				// u(th) - y₁
				s.z[i][j] = (th-1)*s.lastDy[j] + bump*(s.lastQ[j]+th*s.lastQ[n+j])
			}
		}
	} else {
		for i := range s.z {
			clear(s.z[i])
		}
	}
	transform(&s.w, &co.ti, &s.z)

	theta, old := 0.0, 0.0
	converged := false
	for it := 0; it < newtonMax; it++ {
		s.in.stats.NewtonSteps++
		for i, c := range co.c {
			for j := range n {
				s.u[j] = y[j] + s.z[i][j]
			}
			at := s.in.time(t, c*h)
			if k := firstNonFinite(s.u); k >= 0 {
				s.in.bad = badness{at, "state", k}
				return s.broken(y, ynew)
			}
			s.in.eval(at, s.u, s.f[i])
			if k := firstNonFinite(s.f[i]); k >= 0 {
				s.in.bad = badness{at, "right-hand side", k}
				return s.broken(y, ynew)
			}
		}
		r, z := s.rhs.RawVector().Data, s.rhs2.RawVector().Data
		for j := range n {
			f0, f1, f2 := s.f[0][j], s.f[1][j], s.f[2][j]
			w0, w1, w2 := s.w[0][j], s.w[1][j], s.w[2][j]
			r[j] = co.ti[0][0]*f0 + co.ti[0][1]*f1 + co.ti[0][2]*f2 - co.gamma/h*w0
			z[j] = co.ti[1][0]*f0 + co.ti[1][1]*f1 + co.ti[1][2]*f2 - (co.alpha*w1-co.beta*w2)/h
			z[n+j] = co.ti[2][0]*f0 + co.ti[2][1]*f1 + co.ti[2][2]*f2 - (co.beta*w1+co.alpha*w2)/h
		}
		copy(s.e, r) // what is to be blamed if the iteration fails
		if !s.solve(&s.real, s.rhs) || !s.solve(&s.cplx, s.rhs2) {
			break
		}
		for j := range n {
			s.w[0][j] += r[j]
			s.w[1][j] += z[j]
			s.w[2][j] += z[n+j]
		}
		transform(&s.z, &co.t, &s.w)
		size := math.Hypot(s.in.weighed(r, y, y), math.Hypot(s.in.weighed(z[:n], y, y), s.in.weighed(z[n:], y, y))) / math.Sqrt(3)
		if math.IsNaN(size) || math.IsInf(size, 0) {
			break
		}
		if size <= roundOff*0x1p-52/s.in.rtol {
			// The update is rounding errors of y: where the rate of further ones is
			// as good as random, it must not pass for divergence.
			converged = true
			break
		}
		if it > 0 {
			theta = size / old
			if theta >= 0.99 {
				break
			}
			if theta/(1-theta)*size <= s.tol {
				converged = true
				break
			}
			// The iterations left would not reach the tolerance.
			if theta/(1-theta)*size*math.Pow(theta, float64(newtonMax-1-it)) > s.tol {
				break
			}
		}
		old = size
	}
	if !converged {
		s.have = false
		s.jacWanted = !s.jacFresh
		return 0, false
	}
	for j := range n {
		ynew[j] = y[j] + s.z[2][j]
	}
	if k := firstNonFinite(ynew); k >= 0 {
		s.in.bad = badness{s.in.time(t, h), "state", k}
		return s.broken(y, ynew)
	}

	norm := s.errorNorm(h, y, ynew, s.f0)
	if norm >= 1 && s.first {
		// HW IV.8, equation 8.20: the filtered estimate for the first step and
		// after a rejection, bounded for infinitely stiff components.
		for j := range n {
			s.u[j] = y[j] + s.e[j]
		}
		s.in.eval(t.hi, s.u, s.f[0])
		if firstNonFinite(s.f[0]) < 0 {
			norm = s.errorNorm(h, y, ynew, s.f[0])
		}
	}
	if norm >= 1 {
		s.first = true
	}
	s.slow = theta > keepJacobian
	return norm, true
}

// broken ends a step in which a number was not finite.
func (s *radau) broken(y, ynew []float64) (float64, bool) {
	s.have = false
	copy(ynew, y)
	clear(s.e)
	return math.Inf(1), true
}

func (s *radau) accept(t clock, h float64, y, ynew []float64) bool {
	at := s.in.time(t, h)
	s.in.eval(at, ynew, s.u)
	if k := firstNonFinite(s.u); k >= 0 {
		s.in.bad = badness{at, "right-hand side", k}
		return false
	}
	copy(s.f0, s.u)
	s.collocation(s.lastQ)
	copy(s.lastDy, s.z[2])
	s.lastH, s.have, s.first = h, true, false
	s.jacFresh = false
	s.jacWanted = s.slow
	return true
}

// collocation writes q₀, q₁ of the cubic through 0, z₁, z₂, z₃ in the form
// θ z₃ + θ (1-θ) (q₀ + q₁ θ).
func (s *radau) collocation(q []float64) {
	n := s.in.n
	c1, c2 := s.co.c[0], s.co.c[1]
	for j := range n {
		g1 := (s.z[0][j] - c1*s.z[2][j]) / (c1 * (1 - c1))
		g2 := (s.z[1][j] - c2*s.z[2][j]) / (c2 * (1 - c2))
		q[n+j] = (g2 - g1) / (c2 - c1)
		q[j] = g1 - c1*q[n+j]
	}
}

func (s *radau) dense(_ clock, _ float64, _, _, q []float64) bool {
	copy(q, s.lastQ)
	return true
}

// errorNorm solves for the error estimate into s.e and returns its norm.
func (s *radau) errorNorm(h float64, y, ynew, f []float64) float64 {
	r := s.rhs.RawVector().Data
	e := &s.co.e
	for j := range r {
		r[j] = f[j] + (e[0]*s.z[0][j]+e[1]*s.z[1][j]+e[2]*s.z[2][j])/h
	}
	if !s.solve(&s.real, s.rhs) {
		s.in.bad = badness{s.t, "error estimate", max(0, firstNonFinite(r))}
		return math.Inf(1)
	}
	copy(s.e, r)
	return s.in.norm(s.e, y, ynew)
}

// inside returns the norm of the error of the collocation polynomial u between its
// nodes, for the step just tried: of
//
//	(γ̂/h I - J)⁻¹ (f(t+θh, u(θ)) - u'(θ)/h),
//
// the defect filtered as the error estimate is, which for stiff components is the
// distance of u from the solution that they are held to.
func (s *radau) inside(h float64, y, ynew []float64) float64 {
	n := s.in.n
	q := make([]float64, 2*n)
	s.collocation(q)
	worst := 0.0
	// One place in each of the gaps before and after the second node.
	for _, th := range [...]float64{0.4, 0.85} {
		bump := th * (1 - th)
		for j := range n {
			s.u[j] = y[j] + th*s.z[2][j] + bump*(q[j]+th*q[n+j])
		}
		at := s.in.time(clock{hi: s.t}, th*h)
		s.in.eval(at, s.u, s.f[0])
		if k := firstNonFinite(s.f[0]); k >= 0 {
			s.in.bad = badness{at, "right-hand side", k}
			return math.Inf(1)
		}
		r := s.rhs.RawVector().Data
		for j := range n {
			slope := s.z[2][j] + (1-2*th)*(q[j]+th*q[n+j]) + bump*q[n+j]
			r[j] = s.f[0][j] - slope/h
		}
		if !s.solve(&s.real, s.rhs) {
			return math.Inf(1)
		}
		copy(s.e, r)
		worst = max(worst, s.in.norm(r, y, ynew))
	}
	return worst
}

// transform writes m·src into dst, componentwise.
func transform(dst *[3][]float64, m *[3][3]float64, src *[3][]float64) {
	for j := range src[0] {
		x0, x1, x2 := src[0][j], src[1][j], src[2][j]
		dst[0][j] = m[0][0]*x0 + m[0][1]*x1 + m[0][2]*x2
		dst[1][j] = m[1][0]*x0 + m[1][1]*x1 + m[1][2]*x2
		dst[2][j] = m[2][0]*x0 + m[2][1]*x1 + m[2][2]*x2
	}
}
