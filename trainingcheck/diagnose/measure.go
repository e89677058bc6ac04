package diagnose

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
	"stopgrad/trainingcheck/metric"
)

// Point is what one frame measures; a number that the frame does not allow is NaN.
type Point struct {
	Step int
	// Decay is ηt = Σ lr·wd/(1−momentum) up to here.
	Decay float64
	// ZStd, Rank and CentredRank are means over the views; see package metric.
	ZStd, Rank, CentredRank float64
	// Norm is √E‖z‖², which no measure of directions sees.
	Norm float64
	// Asymmetry, Commutator, TopCosine and Parabola are those of [metric.Alignment].
	Asymmetry, Commutator, TopCosine, Parabola float64
	// Balance is ‖W·Wᵀ + b·bᵀ − W_pᵀ·W_p/α_p‖.
	Balance float64
	// Tau is <W, W_a>/<W, W>, TauCosine the cosine between W and W_a.
	Tau, TauCosine float64
	// S are the eigenvalues of F, falling, and P the gains v_jᵀ·W_p·v_j; nil where there are none.
	S, P []float64
}

// rank is the effective rank of a cloud of directions, centred or not, from the smaller of its two Gram matrices, which
// have the same eigenvalues besides zeros.
func rank(z *mat.Dense, centred bool) float64 {
	n, d := z.Dims()
	zn := metric.Normalized(z)
	if centred {
		for j := range d {
			mean := mat.Sum(zn.ColView(j)) / float64(n)
			for i := range n {
				zn.Set(i, j, zn.At(i, j)-mean)
			}
		}
	}
	var m mat.SymDense
	if n < d {
		m.SymOuterK(1/float64(n), zn)
	} else {
		m.SymOuterK(1/float64(n), zn.T())
	}
	return measure.EffectiveRank(&m)
}

// moment is F of a frame: the recorded one, or E[zzᵀ] over the views at hand; nil without either, and where it has more
// than maxSide rows.
func (f *Frame) moment() *mat.SymDense {
	if f.F != nil {
		return symmetric(f.F)
	}
	if f.Z1 == nil {
		return nil
	}
	if _, d := f.Z1.Dims(); d > maxSide {
		return nil
	}
	m := metric.SecondMoment(f.Z1)
	if f.Z2 != nil {
		m.AddSym(m, metric.SecondMoment(f.Z2))
		m.ScaleSym(0.5, m)
	}
	return m
}

func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}

// topEigenvectors is how many eigenvectors of F the cosine is over, as in package check.
const topEigenvectors = 8

// points measures every frame.
func (r *Run) points() []Point {
	var out []Point
	decay := 0.
	for i := range r.Frames {
		f := &r.Frames[i]
		nan := math.NaN()
		p := Point{Step: f.Step, ZStd: nan, Rank: nan, CentredRank: nan, Norm: nan, Asymmetry: nan, Commutator: nan, TopCosine: nan, Parabola: nan, Balance: nan, Tau: nan, TauCosine: nan}
		before := 0
		if i > 0 {
			before = r.Frames[i-1].Step
		}
		decay += r.rate(i) * r.Settings.WD * float64(f.Step-before) / (1 - r.Settings.Momentum)
		p.Decay = decay
		if r.Counted {
			p.Decay = nan
		}
		f.measure(&p, r.Settings.AlphaP)
		for name, to := range map[string]*float64{"zstd": &p.ZStd, "er": &p.Rank, "er_centered": &p.CentredRank, "asym": &p.Asymmetry, "comm": &p.Commutator,
			"cos_top8": &p.TopCosine, "parabola": &p.Parabola, "bal": &p.Balance, "tau": &p.Tau} {
			if v, ok := f.Measured[name]; ok && math.IsNaN(*to) {
				*to = v
			}
		}
		out = append(out, p)
	}
	return out
}

// rate is the learning rate between the frame before i and frame i, the mean of both where it changes.
func (r *Run) rate(i int) float64 {
	switch {
	case r.Rates == nil:
		return r.Settings.LR
	case i == 0:
		return r.Rates[0]
	}
	return (r.Rates[i-1] + r.Rates[i]) / 2
}

func (f *Frame) measure(p *Point, alpha float64) {
	views := 0.
	for _, z := range []*mat.Dense{f.Z1, f.Z2} {
		if z == nil {
			continue
		}
		add := func(to *float64, v float64) {
			if views == 0 {
				*to = v
				return
			}
			*to = (*to*views + v) / (views + 1)
		}
		add(&p.ZStd, metric.ZStd(z))
		add(&p.Rank, rank(z, false))
		add(&p.CentredRank, rank(z, true))
		n, _ := z.Dims()
		add(&p.Norm, mat.Norm(z, 2)/math.Sqrt(float64(n)))
		views++
	}
	moment := f.moment()
	switch {
	case moment != nil && f.Wp != nil:
		a := metric.Align(moment, f.Wp, topEigenvectors)
		p.Asymmetry, p.Commutator, p.TopCosine, p.Parabola, p.S, p.P = a.Asymmetry, a.Commutator, a.TopCosine, a.Parabola, a.S, a.P
	case f.Wp != nil:
		p.Asymmetry = measure.Asymmetry(f.Wp)
	case moment != nil:
		p.S, _ = measure.Eigenframe(moment)
	}
	if math.IsNaN(alpha) {
		alpha = 1
	}
	if f.W != nil && f.Wp != nil {
		p.Balance = mat.Norm(metric.Balance(f.W, f.B, f.Wp, alpha), 2)
	}
	if f.W != nil && f.Wa != nil {
		w, wa := mat.DenseCopyOf(f.W).RawMatrix().Data, mat.DenseCopyOf(f.Wa).RawMatrix().Data
		p.Tau = metric.Tau(w, wa)
		p.TauCosine = p.Tau * mat.Norm(f.W, 2) / mat.Norm(f.Wa, 2)
	}
}
