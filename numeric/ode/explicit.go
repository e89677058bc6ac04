package ode

import "math"

// explicit steps an explicit Runge–Kutta pair.
type explicit struct {
	in *integrator
	co *explicitCoefficients
	k  [][]float64
	u  []float64 // argument of a stage
	// moved: the last step was accepted, so f(t, y) of the next one lies in
	// k[co.next]. The exchange waits for the next try because dense still reads
	// the stages of the accepted step.
	moved bool
}

func newExplicit(in *integrator, co *explicitCoefficients) *explicit {
	s := &explicit{in: in, co: co, u: make([]float64, in.n)}
	buf := make([]float64, len(co.a)*in.n)
	for i := range co.a {
		s.k = append(s.k, buf[i*in.n:(i+1)*in.n:(i+1)*in.n])
	}
	return s
}

func (s *explicit) orders() (int, int) { return s.co.order, s.co.embedded }

func (s *explicit) denseLen() int { return len(s.co.q) }

func (s *explicit) start(_ float64, _, f0 []float64) { copy(s.k[0], f0) }

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

func (s *explicit) try(t, h float64, y, ynew []float64) (float64, bool) {
	if s.moved {
		s.k[0], s.k[s.co.next] = s.k[s.co.next], s.k[0]
		s.moved = false
	}
	for i := 1; i < s.co.stages; i++ {
		s.combine(s.u, y, h, s.co.a[i])
		s.in.eval(t+s.co.c[i]*h, s.u, s.k[i])
	}
	s.combine(ynew, y, h, s.co.b)
	clear(s.u)
	s.add(s.u, h, s.co.e)
	if firstNonFinite(ynew) >= 0 || firstNonFinite(s.u) >= 0 {
		return math.Inf(1), true
	}
	return s.in.norm(s.u, y, ynew), true
}

func (s *explicit) accept(t, h float64, _, ynew []float64) bool {
	next := s.k[s.co.next]
	if !s.co.fsal {
		s.in.eval(t+h, ynew, next)
	}
	s.moved = firstNonFinite(next) < 0
	return s.moved
}

func (s *explicit) dense(t, h float64, y, _, q []float64) {
	for i := s.co.next + 1; i < len(s.co.a); i++ {
		s.combine(s.u, y, h, s.co.a[i])
		s.in.eval(t+s.co.c[i]*h, s.u, s.k[i])
	}
	n := s.in.n
	for m, ts := range s.co.q {
		s.add(q[m*n:(m+1)*n], h, ts)
	}
}
