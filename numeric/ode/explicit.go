package ode

import "math"

// explicit steps an explicit Runge–Kutta pair.
type explicit struct {
	in *integrator
	co *explicitCoefficients
	k  [][]float64
	u  []float64 // argument of a stage, then the error estimate
	// moved: the last step was accepted, so f(t, y) of the next one lies in
	// k[co.next]. The exchange waits for the next try because dense still reads
	// the stages of the accepted step.
	moved bool

	stiff, easy int       // steps as long as stability allows; others since the last of these
	d           []float64 // of the probe
}

func newExplicit(in *integrator, co *explicitCoefficients) *explicit {
	s := &explicit{in: in, co: co, u: make([]float64, in.n), d: make([]float64, in.n)}
	buf := make([]float64, len(co.a)*in.n)
	for i := range co.a {
		s.k = append(s.k, buf[i*in.n:(i+1)*in.n:(i+1)*in.n])
	}
	return s
}

func (s *explicit) orders() (int, int) { return s.co.order, s.co.embedded }

func (s *explicit) denseLen() int { return len(s.co.q) }

func (s *explicit) start(_ clock, _, f0 []float64) { copy(s.k[0], f0) }

func (s *explicit) slope() []float64 {
	if s.moved {
		return s.k[s.co.next]
	}
	return s.k[0]
}

func (s *explicit) estimate() []float64 { return s.u }

// combine writes y + h Σ coef·k into dst.
func (s *explicit) combine(dst, y []float64, h float64, ts []term) {
	copy(dst, y)
	s.add(dst, h, ts)
}

// add adds h Σ coef·k to dst, four stages at a time: the sum is memory bound.
func (s *explicit) add(dst []float64, h float64, ts []term) {
	for ; len(ts) >= 4; ts = ts[4:] {
		c0, c1, c2, c3 := h*ts[0].coef, h*ts[1].coef, h*ts[2].coef, h*ts[3].coef
		k0, k1 := s.k[ts[0].stage][:len(dst)], s.k[ts[1].stage][:len(dst)]
		k2, k3 := s.k[ts[2].stage][:len(dst)], s.k[ts[3].stage][:len(dst)]
		for i := range dst {
			dst[i] += (c0*k0[i] + c1*k1[i]) + (c2*k2[i] + c3*k3[i])
		}
	}
	for _, x := range ts {
		c, k := h*x.coef, s.k[x.stage][:len(dst)]
		for i := range dst {
			dst[i] += c * k[i]
		}
	}
}

func (s *explicit) try(t clock, h float64, y, ynew []float64) (float64, bool) {
	if s.moved {
		s.k[0], s.k[s.co.next] = s.k[s.co.next], s.k[0]
		s.moved = false
	}
	for i := 1; i < s.co.stages; i++ {
		s.combine(s.u, y, h, s.co.a[i])
		s.in.eval(s.in.time(t, s.co.c[i]*h), s.u, s.k[i])
	}
	s.combine(ynew, y, h, s.co.b)
	clear(s.u)
	s.add(s.u, h, s.co.e)
	if firstNonFinite(ynew) >= 0 || firstNonFinite(s.u) >= 0 {
		s.blame(t, h, s.co.stages, ynew)
		return math.Inf(1), true
	}
	return s.in.norm(s.u, y, ynew), true
}

// blame notes what was not finite: the first stage that was not, or the sum of finite
// ones.
func (s *explicit) blame(t clock, h float64, stages int, sum []float64) {
	for i := range stages {
		if c := firstNonFinite(s.k[i]); c >= 0 {
			s.in.bad = badness{s.in.time(t, s.co.c[i]*h), "right-hand side", c}
			return
		}
	}
	s.in.bad = badness{s.in.time(t, h), "state", max(0, firstNonFinite(sum), firstNonFinite(s.u))}
}

func (s *explicit) accept(t clock, h float64, _, ynew []float64) bool {
	next := s.k[s.co.next]
	if !s.co.fsal {
		s.in.eval(s.in.time(t, h), ynew, next)
	}
	if c := firstNonFinite(next); c >= 0 {
		s.in.bad = badness{s.in.time(t, h), "right-hand side", c}
		return false
	}
	s.moved = true
	s.watch(h)
	return true
}

func (s *explicit) dense(t clock, h float64, y, ynew, q []float64) bool {
	for i := s.co.next + 1; i < len(s.co.a); i++ {
		s.combine(s.u, y, h, s.co.a[i])
		s.in.eval(s.in.time(t, s.co.c[i]*h), s.u, s.k[i])
	}
	n := s.in.n
	for m, ts := range s.co.q {
		s.add(q[m*n:(m+1)*n], h, ts)
	}
	if firstNonFinite(q) < 0 {
		return true
	}
	s.blame(t, h, len(s.co.a), ynew)
	s.moved = false
	return false
}

// Constants of the detection of stiffness, HW IV.2: the step sizes of an explicit
// method whose steps are bounded by stability put h times the dominant eigenvalue at
// the border of the region of stability, where a step ruled by accuracy does not come
// near at the tolerances of this package.
const (
	stiffShare = 0.9 // of the stability limit
	stiffSteps = 15  // such steps make a problem stiff
	easySteps  = 6   // unless as many others come in a row
)

// watch estimates h|λ| for the dominant eigenvalue λ of the Jacobian from two stages
// at t+h, h‖f(u) - f(y₁)‖ / ‖u - y₁‖ (HW IV.2, equation 2.27).
func (s *explicit) watch(h float64) {
	clear(s.d)
	s.add(s.d, h, s.co.probeDiff)
	k, next := s.k[s.co.probe], s.k[s.co.next]
	var num, den float64
	for i, d := range s.d {
		num, den = max(num, math.Abs(k[i]-next[i])), max(den, math.Abs(d))
	}
	if den > 0 && math.Abs(h)*num > stiffShare*s.co.limit*den {
		s.stiff, s.easy = s.stiff+1, 0
		return
	}
	if s.easy++; s.easy >= easySteps {
		s.stiff = 0
	}
}

func (s *explicit) isStiff() bool { return s.stiff >= stiffSteps }
