package ode

import "math"

// integrator is the state of one Solve that all steppers share.
type integrator struct {
	f        RHS
	n        int
	rtol     float64
	atol     float64
	stats    Stats
	maxEvals int

	end   float64 // final time
	dir   float64 // ±1, the direction of time
	blurF []float64

	blocks []scaled // nil: the tolerance is absolute
	bad    badness  // what was not finite in the last step tried
}

// scaled is a block whose absolute tolerance follows its size.
type scaled struct {
	from, to int
	absolute bool    // the tolerance of this block has become absolute
	seen     bool    // the block has been above Smallest
	lost     bool    // it has decayed below
	atol     float64 // of the step being measured
}

// badness says what was not finite.
type badness struct {
	t         float64
	what      string
	component int
}

func (in *integrator) eval(t float64, y, dydt []float64) {
	in.stats.Evals++
	in.f(t, y, dydt)
}

// time returns the float64 time at which a stage is evaluated, h after c: nearest, but
// not beyond the end of the integration, where f need not be defined.
func (in *integrator) time(c clock, h float64) float64 {
	t := c.after(h)
	if (t-in.end)*in.dir > 0 {
		return in.end
	}
	return t
}

// weigh sets the absolute tolerances of the blocks for a step between y and z. A block
// that is zero has the size of size instead, if that is not nil: what it may become.
func (in *integrator) weigh(y, z, size []float64) {
	for b := range in.blocks {
		s := &in.blocks[b]
		if s.absolute {
			s.atol = in.atol
			continue
		}
		most := 0.0
		for i := s.from; i < s.to; i++ {
			most = max(most, math.Abs(y[i]), math.Abs(z[i]))
		}
		if most == 0 && size != nil {
			for _, v := range size[s.from:s.to] {
				most = max(most, v)
			}
		}
		s.atol = in.atol * min(1, max(most, Smallest))
	}
}

// norm returns the root mean square of e_i/(A_i + rtol max(|y_i|, |z_i|)).
func (in *integrator) norm(e, y, z []float64) float64 {
	in.weigh(y, z, nil)
	return in.weighed(e, y, z)
}

// weighed is norm with the tolerances of the last weigh.
func (in *integrator) weighed(e, y, z []float64) float64 {
	sum := in.squares(e, y, z, 1)
	if math.IsInf(sum, 1) {
		// The squares are beyond float64, not the norm.
		const scale = 0x1p-600
		return math.Sqrt(in.squares(e, y, z, scale)/float64(in.n)) / scale
	}
	return math.Sqrt(sum / float64(in.n))
}

// squares returns the sum of (scale·e_i/w_i)².
func (in *integrator) squares(e, y, z []float64, scale float64) float64 {
	var sum float64
	add := func(from, to int, atol float64) {
		for i := from; i < to; i++ {
			r := scale * e[i] / (atol + in.rtol*max(math.Abs(y[i]), math.Abs(z[i])))
			sum += r * r
		}
	}
	if in.blocks == nil {
		add(0, in.n, in.atol)
	}
	for b := range in.blocks {
		s := &in.blocks[b]
		add(s.from, s.to, s.atol)
	}
	return sum
}

// worst returns the component whose weighed error is largest.
func (in *integrator) worst(e, y, z []float64) int {
	at, most := 0, -1.0
	for i := range e {
		atol := in.atol
		for b := range in.blocks {
			if s := &in.blocks[b]; s.from <= i && i < s.to {
				atol = s.atol
			}
		}
		r := math.Abs(e[i]) / (atol + in.rtol*max(math.Abs(y[i]), math.Abs(z[i])))
		if r > most || math.IsNaN(r) && !math.IsNaN(most) {
			at, most = i, r
		}
	}
	return at
}

// firstNonFinite returns the first component that is NaN or infinite, or -1.
func firstNonFinite(y []float64) int {
	for i, v := range y {
		if v-v != 0 {
			return i
		}
	}
	return -1
}

// noise tells errors that follow the step from those that do not: the estimate of a
// method of order k-1 falls with h^k, that of rounding errors with h at best.
type noise struct {
	h, norm float64 // of the last rejected step; h = 0: none
	count   int
}

// noiseLimit is the surplus of rejected steps that did not help over those that did at
// which a relative tolerance is given up. A discontinuity takes about as many.
const noiseLimit = 6

// seen reports, after a step of size h with the given norm, whether shortening steps
// has stopped to help.
func (n *noise) seen(h, norm, k float64) bool {
	if n.h > 0 && h < n.h {
		if norm > n.norm*math.Pow(h/n.h, k/2) {
			n.count++
		} else {
			n.count = max(0, n.count-1)
		}
	}
	n.h = 0
	if norm > 1 {
		n.h, n.norm = h, norm
	}
	return n.count >= noiseLimit
}

// yield makes the tolerances of all blocks absolute if the step just measured, with
// error e, meets an absolute tolerance; it returns the blocks that it changed.
func (in *integrator) yield(e, y, z []float64) []int {
	var changed []int
	old := append([]scaled(nil), in.blocks...)
	for b := range in.blocks {
		s := &in.blocks[b]
		if s.absolute {
			continue
		}
		most := 0.0
		for i := s.from; i < s.to; i++ {
			most = max(most, math.Abs(y[i]))
		}
		if most >= 1 {
			continue
		}
		// Only a block that keeps the step from being accepted.
		over := false
		for i := s.from; i < s.to; i++ {
			over = over || !(math.Abs(e[i]) <= s.atol+in.rtol*max(math.Abs(y[i]), math.Abs(z[i])))
		}
		if over {
			s.absolute = true
			changed = append(changed, b)
		}
	}
	if changed == nil || !(in.norm(e, y, z) <= 1) {
		in.blocks = old
		return nil
	}
	return changed
}

// initialStep is the algorithm of HNW II.4: a first step small in an explicit Euler
// step's sense and in that of the second derivative, and not longer than most. It is
// a guess that costs nothing but steps where it is wrong.
func (in *integrator) initialStep(t clock, y, f0 []float64, estimate int, most float64) float64 {
	size := make([]float64, in.n)
	for i := range f0 {
		size[i] = min(math.MaxFloat64, most*math.Abs(f0[i]))
	}
	in.weigh(y, y, size)
	d0, d1 := in.weighed(y, y, y), in.weighed(f0, y, y)
	h := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h = 0.01 * d0 / d1
	}
	if !(h > 0) || math.IsInf(h, 0) {
		h = 1e-6 // the norms are beyond float64
	}
	h = min(h, most)
	y1, f1 := make([]float64, in.n), make([]float64, in.n)
	for i := range y {
		y1[i] = y[i] + in.dir*h*f0[i]
	}
	if firstNonFinite(y1) >= 0 {
		return h
	}
	in.eval(in.time(t, in.dir*h), y1, f1)
	for i := range f1 {
		f1[i] -= f0[i]
	}
	d2 := in.weighed(f1, y, y) / h
	h1 := max(1e-6, 1e-3*h)
	if m := max(d1, d2); m > 1e-15 {
		h1 = math.Pow(0.01/m, 1/float64(estimate+1))
	}
	h1 = min(100*h, h1)
	if !(h1 > 0) {
		return h
	}
	return min(h1, most)
}
