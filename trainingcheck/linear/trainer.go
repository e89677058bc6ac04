package linear

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Trainer advances a Network by SGD.
type Trainer struct {
	*Network
	cfg   Config
	rng   *rand.Rand
	steps int

	// Views: x₁ = √a·u and x₂ = u/√a + √(a-1/a)·v with independent standard
	// normal u, v and a = 1+σ²: the joint law of x+σn₁, x+σn₂ with one normal
	// draw less for each coordinate.
	c1, c2, c3 []float64

	x1, x2, f1, f2, e, d []float64 // one example
	gp, gw               []float64 // mean gradients of W_p and W
	moment, fhat         []float64 // of the batch, and its average
}

// NewTrainer returns a trainer of n; the batches are those of r. The trainer
// owns n and r from then on. It panics when n has not the shape of c.
func NewTrainer(c Config, n *Network, r *rand.Rand) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if n.Inputs != c.Inputs || n.Features != c.Features {
		panic(fmt.Sprintf("linear: network %d×%d, configuration %d×%d", n.Features, n.Inputs, c.Features, c.Inputs))
	}
	t := &Trainer{Network: n, cfg: c, rng: r}
	for _, sigma2 := range c.Sigma2 {
		a := 1 + sigma2
		t.c1 = append(t.c1, math.Sqrt(a))
		t.c2 = append(t.c2, 1/math.Sqrt(a))
		t.c3 = append(t.c3, math.Sqrt(a-1/a))
	}
	t.x1, t.x2 = make([]float64, c.Inputs), make([]float64, c.Inputs)
	t.f1, t.f2 = make([]float64, c.Features), make([]float64, c.Features)
	t.e, t.d = make([]float64, c.Features), make([]float64, c.Features)
	t.gp, t.gw = make([]float64, len(n.Wp)), make([]float64, len(n.W))
	if c.Predictor == Direct {
		t.moment = make([]float64, len(n.Wp))
	}
	if c.Predictor == Identity {
		clear(n.Wp)
		for i := range c.Features {
			n.Wp[i*c.Features+i] = 1
		}
	}
	if math.IsInf(c.Beta, 1) {
		copy(n.Wa, n.W)
	}
	return t, nil
}

// Time returns the flow time Rate·steps.
func (t *Trainer) Time() float64 { return t.cfg.Rate * float64(t.steps) }

// Step makes one step of gradient descent.
func (t *Trainer) Step() {
	if t.cfg.Batch == 0 {
		t.expectation()
	} else {
		t.sample()
	}
	c := &t.cfg
	if c.Predictor == Trained {
		// Rate α·Rate with the coefficient η/α: both weights decay at η.
		rate, keep := c.Alpha*c.Rate, 1-c.Rate*c.Eta*c.PredictorDecay
		for i, g := range t.gp {
			t.Wp[i] = keep*t.Wp[i] - rate*g
		}
	}
	keep := 1 - c.Rate*c.Eta
	for i, g := range t.gw {
		t.W[i] = keep*t.W[i] - c.Rate*g
	}
	if c.Predictor == Direct {
		t.direct()
	}
	if math.IsInf(c.Beta, 1) {
		copy(t.Wa, t.W)
	} else {
		m := c.Rate * c.Beta
		for i, w := range t.W {
			t.Wa[i] += m * (w - t.Wa[i])
		}
	}
	t.steps++
}

// dot is the inner product of two slices of one length.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1 float64 // two chains: the additions of one would wait for each other
	i := 0
	for ; i+1 < len(a); i += 2 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
	}
	if i < len(a) {
		s0 += a[i] * b[i]
	}
	return s0 + s1
}

// axpy adds c·x to y.
func axpy(c float64, x, y []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += c * v
	}
}

// sample fills the gradients with their means over a batch: with
// e = W_p f₁ - W_a x₂,
//
//	∂/∂W_p = e f₁ᵀ,  ∂/∂W = W_pᵀe x₁ᵀ  (and - e x₂ᵀ without stop-gradient).
func (t *Trainer) sample() {
	n1, n2 := t.Inputs, t.Features
	clear(t.gp)
	clear(t.gw)
	clear(t.moment)
	for range t.cfg.Batch {
		for k := range n1 {
			u := t.rng.NormFloat64()
			t.x1[k] = t.c1[k] * u
			t.x2[k] = t.c2[k]*u + t.c3[k]*t.rng.NormFloat64()
		}
		for i := range n2 {
			t.f1[i] = dot(t.W[i*n1:(i+1)*n1], t.x1)
		}
		clear(t.d)
		for i := range n2 {
			row := t.Wp[i*n2 : (i+1)*n2]
			e := dot(row, t.f1) - dot(t.Wa[i*n1:(i+1)*n1], t.x2)
			t.e[i] = e
			axpy(e, row, t.d)
			axpy(e, t.f1, t.gp[i*n2:(i+1)*n2])
		}
		for i := range n2 {
			axpy(t.d[i], t.x1, t.gw[i*n1:(i+1)*n1])
		}
		if !t.cfg.StopGradient {
			for i := range n2 {
				axpy(-t.e[i], t.x2, t.gw[i*n1:(i+1)*n1])
			}
		}
		if t.moment != nil {
			for i := range n2 {
				t.f2[i] = dot(t.W[i*n1:(i+1)*n1], t.x2)
			}
			t.addMoment()
		}
	}
	scale := 1 / float64(t.cfg.Batch)
	for _, m := range [...][]float64{t.gp, t.gw, t.moment} {
		for i := range m {
			m[i] *= scale
		}
	}
}

// addMoment adds one example's term of the moment that F̂ averages.
func (t *Trainer) addMoment() {
	n2 := t.Features
	for i := range n2 {
		row := t.moment[i*n2 : (i+1)*n2]
		if t.cfg.Direct.Moment == CrossView {
			axpy(0.5*t.f1[i], t.f2, row)
			axpy(0.5*t.f2[i], t.f1, row)
		} else {
			axpy(0.5*t.f1[i], t.f1, row)
			axpy(0.5*t.f2[i], t.f2, row)
		}
	}
}

// expectation fills the gradients with their expectations (Lemma 1): with
// E[x₁x₁ᵀ] = diag(1+σ²), E[x₂x₁ᵀ] = I and R = W_a - W_p W diag(1+σ²),
//
//	∂/∂W_p = -R Wᵀ,  ∂/∂W = -W_pᵀR  (and + W diag(1+σ²) - W_p W without stop-gradient).
func (t *Trainer) expectation() {
	n1, n2 := t.Inputs, t.Features
	w, wp, wa := mat.NewDense(n2, n1, t.W), mat.NewDense(n2, n2, t.Wp), mat.NewDense(n2, n1, t.Wa)
	var wpw, r mat.Dense
	wpw.Mul(wp, w)
	r.Apply(func(i, k int, v float64) float64 { return v - wpw.At(i, k)*(1+t.cfg.Sigma2[k]) }, wa)
	gp, gw := mat.NewDense(n2, n2, t.gp), mat.NewDense(n2, n1, t.gw)
	gp.Mul(&r, w.T())
	gp.Scale(-1, gp)
	gw.Mul(wp.T(), &r)
	gw.Scale(-1, gw)
	if !t.cfg.StopGradient {
		gw.Apply(func(i, k int, v float64) float64 {
			return v + w.At(i, k)*(1+t.cfg.Sigma2[k]) - wpw.At(i, k)
		}, gw)
	}
	if t.moment != nil {
		m := mat.NewDense(n2, n2, t.moment)
		var scaled mat.Dense
		scaled.Apply(func(_, k int, v float64) float64 {
			if t.cfg.Direct.Moment == SameView {
				v *= 1 + t.cfg.Sigma2[k]
			}
			return v
		}, w)
		m.Mul(&scaled, w.T())
	}
}

// direct updates F̂ with the moment of the batch, which was taken before the
// step, and sets W_p from it.
func (t *Trainer) direct() {
	rule := t.cfg.Direct
	if t.fhat == nil {
		t.fhat = append([]float64(nil), t.moment...)
	} else {
		for i, m := range t.moment {
			t.fhat[i] = rule.Rho*t.fhat[i] + (1-rule.Rho)*m
		}
	}
	n2 := t.Features
	for _, v := range t.fhat {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			// A diverged run stays not-a-number: every measure of it then fails its gate.
			for i := range t.Wp {
				t.Wp[i] = math.NaN()
			}
			return
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(n2, append([]float64(nil), t.fhat...)), true) {
		panic("linear: F̂ has no eigenvalues")
	}
	s := eig.Values(nil) // rising
	var u mat.Dense
	eig.VectorsTo(&u)
	p := rule.eigenvalues(s)
	clear(t.Wp)
	for k := range n2 {
		for i := range n2 {
			axpy(p[k]*u.At(i, k), mat.Col(t.d, k, &u), t.Wp[i*n2:(i+1)*n2])
		}
	}
}

// eigenvalues maps the eigenvalues of F̂, in any order, to those of W_p.
// Negative ones, which a cross-view estimate may have, count as zero.
func (r DirectRule) eigenvalues(s []float64) []float64 {
	largest := 0.
	for _, v := range s {
		largest = max(largest, v)
	}
	p := make([]float64, len(s))
	for j, v := range s {
		v = max(v, 0)
		switch {
		case r.CodeFormula:
			if largest > 0 {
				v /= largest
			}
			p[j] = max(math.Pow(v, r.Power)+r.Epsilon, 1e-4)
		case r.Power == 0.5:
			p[j] = math.Sqrt(v) + r.Epsilon*largest
		default:
			p[j] = math.Pow(v, r.Power) + r.Epsilon
		}
	}
	if r.Permuted {
		p = append(p[1:], p[0])
	}
	return p
}
