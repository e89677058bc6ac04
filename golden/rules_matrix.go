package golden

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Tolerances of the matrix rules. u is the unit roundoff of float32, 6e-8, in which most matrices are stored.
const (
	// symmetryTolerance bounds |F_ij − F_ji| and −λ_min relative to max|F|. A Gram matrix summed in float32 over a few
	// hundred terms is symmetric to √N·u ≈ 1e-6 and semidefinite to the same; ten times that.
	symmetryTolerance = 1e-5
	// spectrumTolerance bounds recomputed against recorded scalars, relative to the quantity's scale. The recorder's
	// scalars may come from a float32 eigensolver on another device: n·u with n = 128 is 8e-6, and square roots of
	// cancelled sums (zstd of a collapsed net) lose to 2.4e-4; 1e-3 holds both.
	spectrumTolerance = 1e-3
	// identityTolerance bounds |W_p − U diag(p) Uᵀ|_ij relative to max|W_p|. This project's engines compute W_p on the
	// host in float64 from the F̂ they store, which leaves one rounding of W_p, u. An eigensolver in float32 errs by
	// n·u·s_max in s and n·u/(2√(s/s_max)) in √s: with n = 128 it meets the bound while s_min/s_max > 1.5e-3.
	identityTolerance = 1e-4
	// emaTolerance bounds the residual of one step of the F̂ recursion relative to max|F̂|: three roundings of float32
	// operands and one of the result are 4u = 2.4e-7; forty times that.
	emaTolerance = 1e-5
	// replayTolerance bounds the replayed against the recorded W_p relative to max|W_p|: every step adds a rounding of
	// W_p and lr times roundings of F and C, at most 600 steps·(1 + lr·‖F‖)·u ≈ 4e-5.
	replayTolerance = 1e-4
	// balanceTolerance bounds ‖D(t)‖/‖D(0)‖ against e^{−2ηt}. The discrete law is D' = (1−lr·η)²D + lr²(…), first order
	// in lr; measured deviations of real nets at lr ≤ 0.05 are at most 1.3 %.
	balanceTolerance = 0.03
)

// matricesMissing returns the outcome of a matrix rule when a matrix file could not be read.
func (s *Subject) matricesMissing() (Outcome, bool) {
	if s.loaded {
		return Outcome{}, false
	}
	return Outcome{State: Unchecked, Detail: "the matrix files could not be read"}, true
}

// each calls visit for every step of every matrix file.
func (s *Subject) each(visit func(field string, r *Run, b *Blob, step int) error) error {
	return s.Golden.blobs(func(field string, r *Run, b *Blob) error {
		for _, step := range b.steps() {
			if err := s.Context.Err(); err != nil {
				return err
			}
			if err := visit(field, r, b, step); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxSquare bounds matrices whose eigenvalues are taken, which costs seconds for as many; the largest recorded have 128.
const maxSquare = 1024

// square returns the named tensor of a step as a square matrix, or nil when it is not recorded.
func square(field string, b *Blob, step int, name string) (*mat.Dense, error) {
	t := b.at(step, name)
	if t == nil {
		return nil, nil
	}
	if t.Rows != t.Cols {
		return nil, refuse(field, "%s is %d×%d, not square", t.label(), t.Rows, t.Cols)
	}
	if t.Rows > maxSquare {
		return nil, refuse(field, "%s is %d×%d; of more than %d rows no eigenvalues are taken", t.label(), t.Rows, t.Cols, maxSquare)
	}
	return t.dense(), nil
}

// alike refuses matrices of different shapes; nil ones are skipped.
func alike(field string, ms ...*mat.Dense) error {
	var first *mat.Dense
	for _, m := range ms {
		if m == nil {
			continue
		}
		if first == nil {
			first = m
		}
		r, c := m.Dims()
		if r0, c0 := first.Dims(); r != r0 || c != c0 {
			return refuse(field, "matrices of %d×%d and %d×%d do not belong together", r0, c0, r, c)
		}
	}
	return nil
}

// maxAbs returns the largest entry of m in absolute value and its place.
func maxAbs(m *mat.Dense) (v float64, row, col int) {
	r, c := m.Dims()
	for i := range r {
		for j := range c {
			if a := math.Abs(m.At(i, j)); a > v {
				v, row, col = a, i, j
			}
		}
	}
	return v, row, col
}

// entrywise records max|a−b|/max|b| in g, naming the worst entry.
func (g *gauge) entrywise(a, b *mat.Dense, field, what string) {
	var diff mat.Dense
	diff.Sub(a, b)
	d, i, j := maxAbs(&diff)
	scale, _, _ := maxAbs(b)
	if d == 0 {
		scale = 1
	}
	g.see(d/scale, field, "%s: entry (%d,%d) recorded %.6g, expected %.6g", what, i, j, b.At(i, j), a.At(i, j))
}

// eigenSym returns eigenvalues (descending) and eigenvectors of the symmetric part of m.
func eigenSym(m *mat.Dense) (values []float64, vectors *mat.Dense) {
	n, _ := m.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	var e mat.EigenSym
	if !e.Factorize(sym, true) {
		return slices.Repeat([]float64{math.NaN()}, n), mat.NewDense(n, n, nil)
	}
	asc := e.Values(nil)
	var v mat.Dense
	e.VectorsTo(&v)
	values, vectors = make([]float64, n), mat.NewDense(n, n, nil)
	for k := range n {
		values[k] = asc[n-1-k]
		vectors.SetCol(k, mat.Col(nil, n-1-k, &v))
	}
	return values, vectors
}

func checkMoments(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	// F̂ of the cross-view moment is symmetric but need not be semidefinite on a batch.
	semidefinite := []string{TensorF, TensorZ}
	if moment, err := s.Golden.Config.Text(KeyMoment); !s.Golden.Config.Direct() || err == nil && moment == MomentSame {
		semidefinite = append(semidefinite, TensorFBat, TensorFHat)
	}
	tol := gauge{tolerance: symmetryTolerance}
	err := s.each(func(field string, _ *Run, b *Blob, step int) error {
		for _, name := range []string{TensorF, TensorFBat, TensorFHat, TensorZ} {
			m, err := square(field, b, step, name)
			if err != nil {
				return err
			}
			if m == nil {
				continue
			}
			label := b.at(step, name).label()
			var skew mat.Dense
			skew.Sub(m, m.T())
			worst, i, j := maxAbs(&skew)
			scale, _, _ := maxAbs(m)
			if scale == 0 {
				scale = 1
			}
			tol.see(worst/scale, field, "%s is not symmetric: entries (%d,%d) and (%d,%d) are %.6g and %.6g", label, i, j, j, i, m.At(i, j), m.At(j, i))
			if slices.Contains(semidefinite, name) {
				values, _ := eigenSym(m)
				low := values[len(values)-1]
				tol.see(max(0, -low)/scale, field, "%s has the negative eigenvalue %.6g", label, low)
			}
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("recorded moments are symmetric and semidefinite")
}

// recorded is what a run says about one step.
type recorded struct {
	field   string
	values  map[string]float64
	spectra map[string][]float64
}

// at returns the logged point of a step and, for the last step, the final metrics.
func (r *Run) at(field string, step int, steps float64) []recorded {
	var out []recorded
	for j, p := range r.Series {
		if p.Step == step {
			out = append(out, recorded{fmt.Sprintf("%s.series[%d]", field, j), p.Values, p.Spectra})
		}
	}
	if float64(step) == steps {
		out = append(out, recorded{field + ".final", r.Final, nil})
	}
	return out
}

// measured is a scalar or spectrum recomputed from matrices, with the scale its tolerance is relative to and, by entry,
// the error that rounding the matrices to their stored format can cause.
type measured struct {
	values   []float64
	scale    float64
	rounding []float64 // nil: far below the tolerance
}

// maxRounding is the rounding error beyond which a recomputed value says nothing and is not compared.
const maxRounding = 0.1

// measure recomputes from the matrices of one step everything that a Point may record about them: the spectra and the
// metrics other than zstd and the accuracies, by the definitions at their names.
func measure(field string, b *Blob, step int, alphaP float64) (map[string]measured, error) {
	out := make(map[string]measured)
	one := func(name string, v, scale float64) { out[name] = measured{values: []float64{v}, scale: scale} }
	ms := make(map[string]*mat.Dense)
	for _, name := range []string{TensorF, TensorFBat, TensorFHat, TensorZ, TensorWp} {
		m, err := square(field, b, step, name)
		if err != nil {
			return nil, err
		}
		if m != nil {
			ms[name] = m
		}
	}
	var values []float64
	var vectors *mat.Dense
	for _, name := range []string{TensorFBat, TensorFHat, TensorZ, TensorF} {
		if ms[name] == nil {
			continue
		}
		values, vectors = eigenSym(ms[name])
		out[SpectrumPrefix+name] = measured{values: values, scale: math.Abs(values[0])}
		if name == TensorZ {
			one(MetricRank, effectiveRank(values), 1)
		}
	}
	wp, f := ms[TensorWp], ms[TensorF]
	if err := alike(field, wp, f, ms[TensorFBat], ms[TensorFHat]); err != nil {
		return nil, err
	}
	if wp != nil {
		norm := mat.Norm(wp, 2)
		var skew mat.Dense
		skew.Sub(wp, wp.T())
		one(MetricAsymmetry, mat.Norm(&skew, 2)/norm, 1)
		if f != nil {
			var fw, wf mat.Dense
			fw.Mul(f, wp)
			wf.Mul(wp, f)
			fw.Sub(&fw, &wf)
			one(MetricCommutator, mat.Norm(&fw, 2)/(mat.Norm(f, 2)*norm), 1)
			alignment(out, b.at(step, TensorF), values, vectors, wp, norm)
		}
	}
	if z, mean := ms[TensorZ], b.at(step, TensorZMean); z != nil && mean != nil {
		if mean.Cols != 1 || mean.Rows != z.RawMatrix().Rows {
			return nil, refuse(field, "%s is %d×%d, expected %d×1", mean.label(), mean.Rows, mean.Cols, z.RawMatrix().Rows)
		}
		var centred mat.Dense
		m := mean.dense()
		centred.Mul(m, m.T())
		centred.Sub(z, &centred)
		v, _ := eigenSym(&centred)
		// Rounding moves the eigenvalues by at most 3u (‖E[ẑẑᵀ]‖ ≤ 1, twice |E[ẑ]|² ≤ 1) and their shares of the trace by
		// δ = 6u/tr; −q ln q then moves by at most −δ ln δ each. A collapsed net has nothing left to centre: δ ≥ 1.
		rounding := math.Inf(1)
		if delta := 6 * b.at(step, TensorZ).DType.roundoff() / mat.Trace(&centred); delta > 0 && delta < 1 {
			rounding = -float64(len(v)) * delta * math.Log(delta)
		}
		out[MetricCentredRank] = measured{values: []float64{effectiveRank(v)}, scale: 1, rounding: []float64{rounding}}
	}
	if d, err := imbalance(field, b, step, alphaP); err != nil {
		return nil, err
	} else if d != nil {
		one(MetricBalance, mat.Norm(d, 2), mat.Norm(wp, 2)*mat.Norm(wp, 2)/alphaP)
	}
	return out, nil
}

// alignment measures W_p in the eigenbasis of F. Rounding F to its stored format perturbs it by at most u‖F‖ in
// Frobenius norm and so turns v_j by θ_j ≤ u‖F‖/gap_j, gap_j being the distance of s_j from its neighbours
// (C. Davis, W. Kahan, SIAM J. Numer. Anal. 7 (1970) 1); a quadratic form in v_j then moves by at most 2θ_j‖W_p‖.
func alignment(out map[string]measured, f *Tensor, s []float64, v, wp *mat.Dense, norm float64) {
	n := len(s)
	rms := norm / math.Sqrt(float64(n))
	p := measured{values: make([]float64, n), scale: rms, rounding: make([]float64, n)}
	fnorm := mat.Norm(f.dense(), 2)
	top := min(8, n)
	var cos, cosRounding float64
	var wv mat.VecDense
	for j := range n {
		gap := math.Inf(1)
		if j > 0 {
			gap = s[j-1] - s[j]
		}
		if j+1 < n {
			gap = min(gap, s[j]-s[j+1])
		}
		theta := f.DType.roundoff() * fnorm / gap
		vj := v.ColView(j)
		wv.MulVec(wp, vj)
		p.values[j] = mat.Dot(vj, &wv)
		p.scale = max(p.scale, math.Abs(p.values[j]))
		p.rounding[j] = 2 * theta * norm
		if length := mat.Norm(&wv, 2); j < top && length > 0 {
			cos += p.values[j] / length / float64(top)
			cosRounding += 2 * theta * norm / length / float64(top)
		}
	}
	for j := range p.rounding {
		p.rounding[j] /= p.scale
	}
	out[SpectrumGains] = p
	out[MetricTopCosine] = measured{values: []float64{cos}, scale: 1, rounding: []float64{cosRounding}}
}

// effectiveRank returns exp of the entropy of the normalised eigenvalues (O. Roy, M. Vetterli, EUSIPCO 2007);
// negative ones, which only rounding makes, count as zero.
func effectiveRank(values []float64) float64 {
	var sum, entropy float64
	for _, v := range values {
		sum += max(v, 0)
	}
	for _, v := range values {
		if q := max(v, 0) / sum; q > 0 {
			entropy -= q * math.Log(q)
		}
	}
	return math.Exp(entropy)
}

// imbalance returns D = W_LW_Lᵀ + bbᵀ − W_pᵀW_p/α_p of Theorem 1, or nil when the matrices are not recorded.
func imbalance(field string, b *Blob, step int, alphaP float64) (*mat.Dense, error) {
	wl, bias := b.at(step, TensorWL), b.at(step, TensorBias)
	wp, err := square(field, b, step, TensorWp)
	if err != nil || wl == nil || wp == nil {
		return nil, err
	}
	n, _ := wp.Dims()
	if wl.Rows != n || bias != nil && (bias.Rows != n || bias.Cols != 1) {
		return nil, refuse(field, "W_L or b at step %d does not have the %d rows of W_p", step, n)
	}
	var d, q mat.Dense
	d.Mul(wl.dense(), wl.dense().T())
	if bias != nil {
		q.Mul(bias.dense(), bias.dense().T())
		d.Add(&d, &q)
		q.Reset()
	}
	q.Mul(wp.T(), wp)
	q.Scale(1/alphaP, &q)
	d.Sub(&d, &q)
	return &d, nil
}

func checkSpectra(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	c := s.Golden.Config
	steps, err := c.Number(KeySteps)
	if err != nil {
		return Failed(err)
	}
	alphaP := 1.0
	if c.Has(KeyAlphaP) {
		if alphaP, err = c.Number(KeyAlphaP); err != nil {
			return Failed(err)
		}
	}
	tol := gauge{tolerance: spectrumTolerance}
	undetermined := 0
	err = s.each(func(field string, r *Run, b *Blob, step int) error {
		points := r.at(runField(field), step, steps)
		if len(points) == 0 {
			return nil
		}
		have, err := measure(field, b, step, alphaP)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(have)) {
			m := have[name]
			for _, p := range points {
				want := p.spectra[name]
				if v, ok := p.values[name]; ok {
					want = []float64{v}
				}
				if want == nil {
					continue
				}
				where := p.field + "." + name
				if len(want) != len(m.values) {
					return refuse(where, "%d numbers, the matrices at step %d give %d", len(want), step, len(m.values))
				}
				for j, w := range want {
					rounding := 0.0
					if m.rounding != nil {
						rounding = m.rounding[j]
					}
					if !(rounding < maxRounding) {
						undetermined++
						continue
					}
					entry := where
					if p.spectra[name] != nil {
						entry = fmt.Sprintf("%s[%d]", where, j)
					}
					// What rounding may have caused is taken off first.
					off := 0.0
					if w != m.values[j] {
						off = max(0, math.Abs(w-m.values[j])/max(m.scale, math.Abs(w))-rounding)
					}
					tol.see(off, entry, "recorded %.6g, the matrices at step %d give %.6g", w, step, m.values[j])
				}
			}
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	what := "recorded scalars recomputed from the matrices"
	if undetermined > 0 {
		what += fmt.Sprintf("; %d more are not determined by matrices of this precision (near-equal eigenvalues)", undetermined)
	}
	return tol.outcome(what)
}

// runField returns runs[i] of runs[i].snapshots.
func runField(field string) string {
	run, _, _ := strings.Cut(field, ".")
	return run
}

func checkTrace(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	steps, err := s.Golden.Config.Number(KeySteps)
	if err != nil {
		return Failed(err)
	}
	tol := gauge{tolerance: spectrumTolerance}
	err = s.each(func(field string, r *Run, b *Blob, step int) error {
		z, err := square(field, b, step, TensorZ)
		if err != nil || z == nil {
			return err
		}
		label := b.at(step, TensorZ).label()
		trace := mat.Trace(z)
		tol.see(math.Abs(trace-1), field, "%s: the trace of E[ẑẑᵀ] is %.6g, not 1", label, trace)
		mean := b.at(step, TensorZMean)
		if mean == nil {
			return nil
		}
		d, _ := z.Dims()
		if mean.Rows != d || mean.Cols != 1 {
			return refuse(field, "%s is %d×%d, expected %d×1", mean.label(), mean.Rows, mean.Cols, d)
		}
		var zstd float64
		for j := range d {
			variance := z.At(j, j) - mean.Data[j]*mean.Data[j]
			tol.see(max(0, -variance), field, "%s: E[ẑ_%d²] = %.6g is below E[ẑ_%d]² = %.6g", label, j, z.At(j, j), j, mean.Data[j]*mean.Data[j])
			zstd += math.Sqrt(max(0, variance))
		}
		zstd /= math.Sqrt(float64(d))
		for _, p := range r.at(runField(field), step, steps) {
			if v, ok := p.values[MetricZStd]; ok {
				tol.see(math.Abs(v-zstd), p.field+"."+MetricZStd, "recorded %.6g, the moments at step %d give %.6g", v, step, zstd)
			}
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("traces of E[ẑẑᵀ] and zstd")
}

// predictorOf returns U diag(p) Uᵀ, with p_j given by the formula (see the Formula constants) from the eigenvalues s_j
// of fhat = U diag(s) Uᵀ and with γ = power. A fhat without positive eigenvalue has no predictor under FormulaCode.
func predictorOf(fhat *mat.Dense, method, formula string, power, eps float64) (*mat.Dense, error) {
	s, u := eigenSym(fhat)
	top := s[0]
	if formula == FormulaCode && !(top > 0) {
		return nil, fmt.Errorf("no eigenvalue of F̂ is positive, and formula %q divides by the largest", formula)
	}
	p := make([]float64, len(s))
	for j, v := range s {
		v = max(v, 0)
		switch {
		case formula == FormulaCode:
			p[j] = max(math.Pow(v/top, power)+eps, codeClamp)
		case method == MethodDirectPred:
			p[j] = math.Sqrt(v) + eps*top
		default:
			p[j] = math.Pow(v, power) + eps
		}
	}
	var w mat.Dense
	w.Mul(u, mat.NewDiagDense(len(p), p))
	w.Mul(&w, u.T())
	return &w, nil
}

// codeClamp is the least eigenvalue of W_p in FormulaCode (facebookresearch/luckmatters, ssl/real-dataset, clamp).
const codeClamp = 1e-4

func checkDirectPred(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	c := s.Golden.Config
	method, err := c.Text(KeyMethod)
	if err != nil {
		return Failed(err)
	}
	var eps, power, freq float64
	var formula string
	if c.Direct() {
		if err := c.numbers(KeyEps, &eps, KeyFreq, &freq); err != nil {
			return Failed(err)
		}
		if power, err = c.power(); err != nil {
			return Failed(err)
		}
		if formula, err = c.Text(KeyFormula); err != nil {
			return Failed(err)
		}
	}
	tol := gauge{tolerance: identityTolerance}
	var first, second *mat.Dense
	err = s.each(func(field string, _ *Run, b *Blob, step int) error {
		if !c.Direct() {
			if b.at(step, TensorFHat) != nil {
				return refuse(field, "%s is recorded, but method %s keeps no F̂", TensorFHat, method)
			}
			return nil
		}
		if step == 0 || (step-1)%int(freq) != 0 {
			return nil
		}
		if first, err = square(field, b, step, TensorFHat); err != nil {
			return err
		}
		if second, err = square(field, b, step, TensorWp); err != nil || first == nil || second == nil {
			return err
		}
		if err := alike(field, first, second); err != nil {
			return err
		}
		w, err := predictorOf(first, method, formula, power, eps)
		if err != nil {
			return refuse(field, "step %d: %v", step, err)
		}
		tol.entrywise(w, second, field, b.at(step, TensorWp).label())
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("W_p recomputed from F̂")
}

func checkEMA(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	if !s.Golden.Config.Direct() {
		return NothingToCheck("the method keeps no F̂")
	}
	rho, err := s.Golden.Config.Number(KeyRho)
	if err != nil {
		return Failed(err)
	}
	tol := gauge{tolerance: emaTolerance}
	err = s.each(func(field string, _ *Run, b *Blob, step int) error {
		var now, before, batch *mat.Dense
		var err error
		if now, err = square(field, b, step, TensorFHat); err != nil {
			return err
		}
		if batch, err = square(field, b, step, TensorFBat); err != nil {
			return err
		}
		if before, err = square(field, b, step-1, TensorFHat); err != nil {
			return err
		}
		if err := alike(field, now, batch, before); err != nil {
			return err
		}
		label := fmt.Sprintf("%s at step %d", TensorFHat, step)
		switch {
		case now == nil || batch == nil:
		case step == 1:
			// The first batch sets F̂.
			tol.entrywise(batch, now, field, label)
		case before != nil:
			var want, fresh mat.Dense
			want.Scale(rho, before)
			fresh.Scale(1-rho, batch)
			want.Add(&want, &fresh)
			tol.entrywise(&want, now, field, label)
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("F̂ stepped over consecutive batches")
}

// wide reports whether the engine multiplies matrices in float32 or wider, as step-by-step identities need.
func (g *Golden) wide() bool {
	p := g.Provenance.Engine.Precision
	return p == FP32 || p == FP64
}

func checkReplay(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	c := s.Golden.Config
	if s.Golden.Config.Direct() || !s.hasTensors(TensorWp, TensorFBat, TensorC) {
		return NothingToCheck("no consecutive W_p, F and C of a trained predictor")
	}
	if loss, err := c.Text(KeyLoss); err != nil {
		return Failed(err)
	} else if loss != LossEuclidean {
		return NothingToCheck("the predictor's gradient is no function of F and C under the %s loss", loss)
	}
	var lr, alpha, momentum float64
	if err := c.numbers(KeyLR, &lr, KeyAlphaP, &alpha, KeyMomentum, &momentum); err != nil {
		return Failed(err)
	}
	decay, err := c.predictorDecay()
	if err != nil {
		return Failed(err)
	}
	if momentum != 0 || !s.Golden.wide() {
		return NothingToCheck("replay needs plain SGD in float32 or wider, have momentum %g and %s", momentum, s.Golden.Provenance.Engine.Precision)
	}
	both, err := c.flag(KeyBothViews)
	if err != nil {
		return Failed(err)
	}
	symmetrise, err := c.flag(KeySymmetrise)
	if err != nil {
		return Failed(err)
	}
	directions := 1.0
	if both {
		directions = 2
	}
	tol := gauge{tolerance: replayTolerance}
	var owner *Blob
	var w mat.Dense
	last := -2
	err = s.each(func(field string, _ *Run, b *Blob, step int) error {
		wp, err := square(field, b, step, TensorWp)
		if err != nil {
			return err
		}
		f, err := square(field, b, step, TensorFBat)
		if err != nil {
			return err
		}
		cross, err := square(field, b, step, TensorC)
		if err != nil {
			return err
		}
		if err := alike(field, wp, f, cross); err != nil {
			return err
		}
		if b != owner || last != step-1 || f == nil || cross == nil {
			// Nothing leads here from the step before: start again from what is recorded.
			owner, last = b, -2
			if wp != nil {
				w.CloneFrom(wp)
				last = step
			}
			return nil
		}
		if err := alike(field, &w, f); err != nil {
			return err
		}
		var grad, d mat.Dense
		grad.Mul(&w, f)
		grad.Sub(&grad, cross)
		grad.Scale(directions, &grad)
		d.Scale(decay, &w)
		grad.Add(&grad, &d)
		grad.Scale(lr*alpha, &grad)
		w.Sub(&w, &grad)
		if symmetrise {
			var half mat.Dense
			half.Add(&w, w.T())
			w.Scale(0.5, &half)
		}
		last = step
		if wp != nil {
			tol.entrywise(&w, wp, field, b.at(step, TensorWp).label())
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("W_p replayed from logged batches")
}

// hasTensors reports whether some matrix file has a step with all the named tensors.
func (s *Subject) hasTensors(names ...string) bool {
	found := false
	_ = s.Golden.blobs(func(_ string, _ *Run, b *Blob) error {
		found = found || b.has(names...)
		return nil
	})
	return found
}

func checkBalance(s *Subject) Outcome {
	if o, missing := s.matricesMissing(); missing {
		return o
	}
	c := s.Golden.Config
	if c.Direct() || !s.hasTensors(TensorWL, TensorWp) {
		return NothingToCheck("no W_L and W_p of a trained predictor")
	}
	var lr, wd, momentum, alpha float64
	if err := c.numbers(KeyLR, &lr, KeyWD, &wd, KeyMomentum, &momentum, KeyAlphaP, &alpha); err != nil {
		return Failed(err)
	}
	decay, err := c.predictorDecay()
	if err != nil {
		return Failed(err)
	}
	symmetrise, err := c.flag(KeySymmetrise)
	if err != nil {
		return Failed(err)
	}
	if momentum != 0 || !s.Golden.wide() || symmetrise || !same(alpha*decay, wd, 0, rederiveTolerance) {
		return NothingToCheck("Theorem 1 needs plain SGD in float32 or wider with the same decay rate on W and W_p and no symmetrising")
	}
	tol := gauge{tolerance: balanceTolerance}
	var owner *Blob
	var start float64
	var from int
	err = s.each(func(field string, _ *Run, b *Blob, step int) error {
		d, err := imbalance(field, b, step, alpha)
		if err != nil || d == nil {
			return err
		}
		norm := mat.Norm(d, 2)
		if b != owner {
			wp := b.at(step, TensorWp).dense()
			if size := mat.Norm(wp, 2) * mat.Norm(wp, 2) / alpha; norm < minImbalance*size {
				return refuse(field, "the imbalance at step %d is %.3g of ‖W_p‖²: too little to see it decay", step, norm/size)
			}
			owner, start, from = b, norm, step
			return nil
		}
		want := math.Exp(-2 * wd * lr * float64(step-from))
		tol.see(math.Abs(norm/start/want-1), field, "‖D‖ at step %d is %.6g of that at step %d, e^{−2ηt} is %.6g", step, norm/start, from, want)
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return tol.outcome("balance against e^{−2ηt}")
}

// minImbalance is the least ‖D‖/‖W_p‖² from which a decay can be told from float32 rounding (6e-8·√entries) at
// balanceTolerance.
const minImbalance = 1e-3
