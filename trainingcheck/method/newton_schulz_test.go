package method

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/engine"
)

// spectra are eigenvalues, largest first, of every kind that a run meets.
func spectra(d int) map[string][]float64 {
	of := func(f func(i int) float64) []float64 {
		s := make([]float64, d)
		for i := range s {
			s[i] = f(i)
		}
		return s
	}
	at := func(i int) float64 { return float64(i) / float64(max(1, d-1)) }
	return map[string][]float64{
		"all equal":        of(func(int) float64 { return 0.3 }),
		"condition 100":    of(func(i int) float64 { return 40 * math.Pow(10, -2*at(i)) }),
		"condition 1e6":    of(func(i int) float64 { return math.Pow(10, -6*at(i)) }),
		"half the rank":    of(func(i int) float64 { return max(0, 2-4*at(i)) }),
		"rank one":         of(func(i int) float64 { return max(0, 1-float64(i)) }),
		"close at the top": of(func(i int) float64 { return 1 - 1e-9*float64(i) }),
		"two levels":       of(func(i int) float64 { return 1e-3 + float64(i&1^1) }),
		"tiny":             of(func(i int) float64 { return 1e-12 * (1 - at(i)/2) }),
	}
}

// withSpectrum draws U diag(s) Uᵀ with a random orthogonal U, its values
// rounded to float32 if asked.
func withSpectrum(s []float64, seed uint64, single bool) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, uint64(len(s))))
	n := len(s)
	g := mat.NewDense(n, n, nil)
	g.Apply(func(_, _ int, _ float64) float64 { return r.NormFloat64() }, g)
	var qr mat.QR
	qr.Factorize(g)
	var q, f mat.Dense
	qr.QTo(&q)
	f.Mul(&q, mat.NewDiagDense(n, s))
	f.Mul(&f, q.T())
	if single {
		f.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, &f)
	}
	return &f
}

// formula is a direct method with its parameters.
type formula struct {
	m Method
	d Direct
}

// onDevice solves for the W_p of a formula with graph operations.
func onDevice(tb testing.TB, e *engine.Engine, d Direct, m Method, f *mat.Dense, s rootSettings) *mat.Dense {
	tb.Helper()
	return solver(tb, e, []formula{{m, d}}, s)(f)[0]
}

// solver returns the function that solves for the W_p of every formula in one graph, which an engine compiles once for
// each size of F̂.
func solver(tb testing.TB, e *engine.Engine, formulas []formula, s rootSettings) func(f *mat.Dense) []*mat.Dense {
	tb.Helper()
	x, err := graph.NewExec(e.Backend, func(f *graph.Node) []*graph.Node {
		var all []*graph.Node
		for _, c := range formulas {
			all = append(all, c.d.solve(c.m, f, s))
		}
		return all
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(x.Finalize)
	return func(f *mat.Dense) (all []*mat.Dense) {
		tb.Helper()
		n, _ := f.Dims()
		out, err := x.Call(tensors.FromFlatDataAndDimensions(f.RawMatrix().Data, n, n))
		if err != nil {
			tb.Fatal(err)
		}
		for _, w := range out {
			v, err := flat(w)
			if err != nil {
				tb.Fatal(err)
			}
			all = append(all, mat.NewDense(n, n, v))
		}
		return all
	}
}

// solverBound bounds ‖W_p(Newton–Schulz) − W_p(eigen)‖₂ for eigenvalues of F̂ from
// low to high; see rootSettings. With r the smallest in [0, 1] it is, for the root,
// the shift's min(√μ, μ/(2√r)) + μ, the error of the largest eigenvalue, the
// iteration's rounding, and that of the eigendecomposition, which moves
// eigenvalues by d·2⁻⁵² of the largest and the root of the smallest accordingly.
// Without a root it is the clamping of what is below 0, which only the
// eigensolver does, and rounding.
func solverBound(d Direct, m Method, s rootSettings, low, high float64, n int) float64 {
	u := float64(n) * 0x1p-52
	r := max(low/high, 0)
	root := func(x float64) float64 { return min(math.Sqrt(x), x/(2*math.Sqrt(r))) }
	top := (1 + math.Log(float64(n))) / math.Exp2(float64(s.squarings))
	rounding := 4 * u * math.Abs(d.Epsilon)
	clamped := max(-low/high, 0)
	linear := m == DirectCopy || m == DirectSet && d.Gamma == 1
	switch {
	case linear && d.Formula == Code:
		return clamped + top + 4*u + rounding
	case linear:
		return (clamped+4*u)*high + rounding
	}
	e := root(s.shift) + s.shift + top + u/math.Sqrt(s.shift) + root(u)
	if d.Formula == Slide {
		e *= math.Sqrt(high)
		if m == DirectPred {
			return e + math.Abs(d.Epsilon)*high*(top+u)
		}
	}
	return e + rounding
}

// offSpectrally is ‖a − b‖₂.
func offSpectrally(a, b *mat.Dense) float64 {
	var d mat.Dense
	d.Sub(a, b)
	if slices.ContainsFunc(d.RawMatrix().Data, math.IsNaN) {
		return math.NaN()
	}
	var svd mat.SVD
	svd.Factorize(&d, mat.SVDNone)
	return svd.Values(nil)[0]
}

var rootFormulas = []formula{
	{DirectPred, Direct{Formula: Code, Epsilon: 0.1}},
	{DirectPred, Direct{Formula: Slide, Epsilon: 0.1}},
	{DirectCopy, Direct{Formula: Code, Epsilon: 1e-4}},
	{DirectCopy, Direct{Formula: Slide, Epsilon: -0.1}},
	{DirectSet, Direct{Formula: Code, Gamma: 0.5, Epsilon: 0.1}},
	{DirectSet, Direct{Formula: Slide, Gamma: 0.5, Epsilon: 0.1}},
	{DirectSet, Direct{Formula: Slide, Gamma: 1, Epsilon: 0.1}},
}

// TestNewtonSchulzIsTheEigenSolver compares the two over spectra, formulas and
// storages, within the bound that follows from the smallest eigenvalue.
func TestNewtonSchulzIsTheEigenSolver(t *testing.T) {
	for _, kind := range []string{engine.CPU, engine.CPUGoMLX, engine.XLACPU, engine.GPU} {
		t.Run(kind, func(t *testing.T) {
			e := start(t, kind)
			solvers := map[Precision]func(*mat.Dense) []*mat.Dense{}
			for _, p := range []Precision{Float64, Float32} {
				solvers[p] = solver(t, e, rootFormulas, p.roots())
			}
			for _, n := range []int{1, 2, 7, 32} {
				for name, s := range spectra(n) {
					for _, p := range []Precision{Float64, Float32} {
						f := withSpectrum(s, 3, p == Float32)
						solved := solvers[p](f)
						for i, c := range rootFormulas {
							want, err := c.d.Predictor(c.m, f)
							if err != nil {
								t.Fatal(err)
							}
							low, high := s[0], s[0]
							for _, v := range s {
								low, high = min(low, v), max(high, v)
							}
							if p == Float32 { // what rounding left of the smallest
								low -= math.Sqrt(float64(n)) * 0x1p-24 * high
							}
							off, bound := offSpectrally(want, solved[i]), solverBound(c.d, c.m, p.roots(), low, high, n)
							if !(off <= bound) {
								t.Errorf("%s, %s of %d, %s %+v: off by %.2g, bound %.2g", p, name, n, c.m, c.d, off, bound)
							}
							if n == 32 && c.m == DirectPred && c.d.Formula == Code {
								t.Logf("%s, %s, smallest r = %.1g: off by %.2g, bound %.2g", p, name, low/high, off, bound)
							}
						}
					}
				}
			}
		})
	}
}

// TestNewtonSchulzTwins: fewer steps, a larger shift, a rough largest eigenvalue
// and another formula leave the bound on one spectrum or the other.
func TestNewtonSchulzTwins(t *testing.T) {
	e := cpu(t)
	const n = 32
	plain := Direct{Formula: Code, Epsilon: 0.1}
	good := Float64.roots()
	// excess is the largest error over its bound.
	excess := func(change func(*rootSettings, *Direct)) (worst float64) {
		for _, name := range []string{"condition 100", "condition 1e6"} {
			spectrum := spectra(n)[name]
			f := withSpectrum(spectrum, 3, false)
			want, err := plain.Predictor(DirectPred, f)
			if err != nil {
				t.Fatal(err)
			}
			s, d, m := good, plain, DirectPred
			change(&s, &d)
			if d.Gamma != 0 {
				m = DirectSet
			}
			off := offSpectrally(want, onDevice(t, e, d, m, f, s)) / solverBound(plain, DirectPred, good, spectrum[n-1], spectrum[0], n)
			if !(off <= worst) {
				worst = off
			}
		}
		return worst
	}
	if x := excess(func(*rootSettings, *Direct) {}); !(x <= 1) {
		t.Errorf("the solver itself is at %.2g of its bound", x)
	}
	for name, change := range map[string]func(*rootSettings, *Direct){
		"half the steps":      func(s *rootSettings, _ *Direct) { s.steps /= 2 },
		"shift of float32":    func(s *rootSettings, _ *Direct) { s.shift = 0x1p-20 },
		"five squarings":      func(s *rootSettings, _ *Direct) { s.squarings = 5 },
		"power 1":             func(_ *rootSettings, d *Direct) { d.Gamma = 1 },
		"ε off by 1 in 10000": func(_ *rootSettings, d *Direct) { d.Epsilon *= 1.0001 },
	} {
		if x := excess(change); x <= 1 {
			t.Errorf("the twin %q is at %.2g of the bound", name, x)
		}
	}
	// The residual does not let an unfinished iteration pass for a root.
	short := good
	short.steps /= 2
	f := withSpectrum(spectra(n)["condition 1e6"], 3, false)
	if w := onDevice(t, e, plain, DirectPred, f, short); !math.IsNaN(w.At(0, 0)) {
		t.Error("half the steps were taken for a root")
	}
}

// TestStepsOfNewtonSchulz: the count is near its asymptote, 1/log₂(9/4) a bit of
// the shift, and the last step is needed.
func TestStepsOfNewtonSchulz(t *testing.T) {
	for _, c := range []struct {
		p    Precision
		bits float64
		tol  float64
	}{{Float64, 28, 0x1p-50}, {Float32, 20, 0x1p-26}, {BFloat16, 20, 0x1p-26}} {
		s := c.p.roots()
		growth := c.bits / math.Log2(9./4)
		if extra := float64(s.steps) - growth; s.shift != math.Exp2(-c.bits) || extra < 2 || extra > 7 {
			t.Errorf("%s: %d steps for a shift of %.2g, want %.1f and a few", c.p, s.steps, s.shift, growth)
		}
		m := s.shift / (1 + s.shift)
		for range s.steps - 1 {
			m *= (3 - m) * (3 - m) / 4
		}
		if 1-math.Sqrt(m) <= c.tol {
			t.Errorf("%s: a step fewer would do", c.p)
		}
		t.Logf("%s: %d squarings, %d steps, shift %.2g", c.p, s.squarings, s.steps, s.shift)
	}
}

func TestNewtonSchulzGivesNaNWhereItHasNoRoot(t *testing.T) {
	e := cpu(t)
	d := Direct{Formula: Code, Epsilon: 0.1}
	for name, f := range map[string]*mat.Dense{
		"zero":     mat.NewDense(3, 3, nil),
		"negative": withSpectrum([]float64{1, 0.5, -1e-3}, 1, false),
		"NaN":      mat.NewDense(1, 1, []float64{math.NaN()}),
		"infinite": mat.NewDense(1, 1, []float64{math.Inf(1)}),
	} {
		for _, v := range onDevice(t, e, d, DirectPred, f, Float64.roots()).RawMatrix().Data {
			if !math.IsNaN(v) {
				t.Errorf("%s: W_p has the entry %v, want NaN", name, v)
			}
		}
	}
	// In a run that is a loss which is not finite.
	c := variant(t, LinearGaussian(), DirectPred, rooted, func(c *Config) { c.Steps = 3 })
	tr := open(t, e, c, 1)
	if err := tr.Set("online/w", make([]float64, 96)); err != nil {
		t.Fatal(err)
	}
	var diverged *DivergedError
	if err := Run(context.Background(), tr, views(c, 1), Options{}); !errors.As(err, &diverged) {
		t.Errorf("a run without features ends with %v", err)
	}
}

// rooted solves for W_p on the device.
func rooted(c *Config) { c.Direct.Solver, c.Direct.Moment = NewtonSchulz, SameView }

// solvedRuns are direct runs in every order of the step.
func solvedRuns(tb testing.TB) map[string]Config {
	with := func(m Method, change func(*Direct)) Config {
		return variant(tb, small(), m, float64ed, rooted, func(c *Config) { change(c.Direct) })
	}
	return map[string]Config{
		"before":        with(DirectPred, func(*Direct) {}),
		"after":         with(DirectPred, func(d *Direct) { d.When = AfterStep }),
		"before, freq":  with(DirectPred, func(d *Direct) { d.Freq = 3 }),
		"after, freq":   with(DirectPred, func(d *Direct) { d.When, d.Freq = AfterStep, 3 }),
		"slide":         with(DirectPred, func(d *Direct) { d.Formula = Slide }),
		"directcopy":    with(DirectCopy, func(d *Direct) { d.Rho = 0.9 }),
		"directset":     with(DirectSet, func(d *Direct) { d.Gamma = 1 }),
		"one direction": variant(tb, small(), DirectPred, float64ed, rooted, func(c *Config) { c.Loss.BothDirections = false }),
	}
}

// TestTrainingWithBothSolvers trains 20 steps with each, side by side. In every
// step W_p is the formula of the run's own F̂ within solverBound. The two runs see
// W_p that differ by at most that in every step, and training may magnify what
// it has gathered: after k steps losses and W_p, and at the end every tensor, may
// differ by apart·k times the largest bound so far.
func TestTrainingWithBothSolvers(t *testing.T) {
	for _, kind := range []string{engine.CPU, engine.CPUGoMLX} {
		t.Run(kind, func(t *testing.T) {
			e := start(t, kind)
			for name, c := range solvedRuns(t) {
				if err := bothSolvers(t, e, c, c.with(Eigen)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			// Twins: another ε, the moment of other features, another time.
			c := solvedRuns(t)["before"]
			for name, change := range map[string]func(*Direct){
				"other ε":      func(d *Direct) { d.Epsilon = 0.1001 },
				"centred":      func(d *Direct) { d.Centred = true },
				"after":        func(d *Direct) { d.When = AfterStep },
				"every second": func(d *Direct) { d.Freq = 2 },
			} {
				twin := c.with(Eigen)
				change(twin.Direct)
				if bothSolvers(t, e, c, twin) == nil {
					t.Errorf("the twin %q passes for the same run", name)
				}
			}
		})
	}
}

// with is c with another solver.
func (c Config) with(s Solver) Config {
	d := *c.Direct
	d.Solver = s
	c.Direct = &d
	return c
}

// apart is what training magnifies a change of W_p by, at most, in the 20 steps
// of these runs, step for step. Measured: 0.9.
const apart = 5

func bothSolvers(t *testing.T, e *engine.Engine, ours, theirs Config) error {
	a, b := open(t, e, ours, 1), open(t, e, theirs, 1)
	src, n := views(ours, 1), ours.Net.Out
	largest, measured := 0.0, 0.0
	within := func(what string, off, scale float64) error {
		limit := apart * float64(a.Done()) * largest * max(1, math.Abs(scale))
		measured = max(measured, off/limit*apart)
		if !(off <= limit) {
			return fmt.Errorf("%s differs by %.2g after step %d, bound %.2g", what, off, a.Done()-1, limit)
		}
		return nil
	}
	for step := range 20 {
		x, y := train(t, a, src, 1)[0], train(t, b, src, 1)[0]
		p, q := matrix(t, a, PredictorName), matrix(t, b, PredictorName)
		d, f := ours.Direct, matrix(t, a, MomentName)
		var eig mat.EigenSym
		eig.Factorize(mat.NewSymDense(n, f.RawMatrix().Data), false)
		s := eig.Values(nil)
		bound := solverBound(*d, ours.Method, ours.Precision.roots(), s[0], s[n-1], n)
		largest = max(largest, bound)
		if step%d.Freq == 0 && (d.Freq == 1 || d.When == AfterStep) {
			want, err := d.Predictor(ours.Method, f)
			if err != nil {
				t.Fatal(err)
			}
			if off := offSpectrally(want, p); !(off <= bound) {
				return fmt.Errorf("W_p after step %d is off its formula by %.2g, bound %.2g", step, off, bound)
			}
		}
		if err := errors.Join(within("the loss", math.Abs(x-y), x), within("W_p", offSpectrally(p, q), 1)); err != nil {
			return err
		}
	}
	for name, v := range dump(t, a) {
		w, _, err := b.Values(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range v {
			if err := within(name, math.Abs(v[i]-w[i]), v[i]); err != nil {
				return err
			}
		}
	}
	t.Logf("%s %s, freq %d: magnified by %.1f at most; bound of the solver %.2g", ours.Method, ours.Direct.When, ours.Direct.Freq, measured, largest)
	return nil
}

// TestNewtonSchulzHasRoomInFloat32 trains the digits network at full width in
// float32 and looks at what the shift is for: how far rounding puts eigenvalues
// of F̂ below 0, which must stay well above −μ.
func TestNewtonSchulzHasRoomInFloat32(t *testing.T) {
	c := variant(t, Digits(), DirectPred, rooted, func(c *Config) { c.Net.Out, c.Net.Projector, c.Batch = 128, []int{16}, 96 })
	tr := open(t, cpu(t), c, 1)
	src := views(c, 1)
	worst := 0.0
	for range 12 {
		if l := train(t, tr, src, 1)[0]; math.IsNaN(l) {
			t.Fatalf("loss of step %d is NaN", tr.Done()-1)
		}
		f := matrix(t, tr, MomentName)
		f.Add(f, mat.DenseCopyOf(f.T()))
		n, _ := f.Dims()
		var eig mat.EigenSym
		eig.Factorize(mat.NewSymDense(n, f.RawMatrix().Data), false)
		s := eig.Values(nil)
		worst = max(worst, -s[0]/s[n-1])
	}
	shift := c.Precision.roots().shift
	t.Logf("the lowest eigenvalue is −%.2g of the largest, the shift is %.2g", worst, shift)
	if worst == 0 || worst > shift/4 {
		t.Errorf("the lowest eigenvalue is −%.2g of the largest, want below 0 (else this run shows nothing) and above −%.2g", worst, shift/4)
	}
}

func TestSolverInTheConfiguration(t *testing.T) {
	plain, err := Digits().As(DirectPred)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain.Canonical(), []byte("solver")) {
		t.Errorf("a configuration without solver names one: %s", plain.Canonical())
	}
	good := plain.with(NewtonSchulz)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	if good.Hash() == plain.Hash() {
		t.Error("the solver does not enter the hash")
	}
	back, err := DecodeConfig(bytes.NewReader(good.Canonical()), "test")
	if err != nil || back.Hash() != good.Hash() {
		t.Errorf("read back as %v, %v", back, err)
	}
	for _, c := range []struct {
		field string
		spoil func(*Config)
	}{
		{"direct.solver", func(c *Config) { c.Direct.Solver = "qr" }},
		{"direct.moment", func(c *Config) { c.Direct.Moment = CrossView }},
		{"direct.epsilon", func(c *Config) { c.Direct.Epsilon = 0.9e-4 }},
		{"direct.epsilon", func(c *Config) { c.Direct.Epsilon = 0 }},
		{"direct.gamma", func(c *Config) { c.Method, c.Direct.Gamma = DirectSet, 0.7 }},
	} {
		bad := good.with(NewtonSchulz)
		c.spoil(&bad)
		var f *FieldError
		if err := bad.Validate(); !errors.As(err, &f) || f.Field != c.field || strings.Contains(err.Error(), "\n") {
			t.Errorf("spoiled %s: %v", c.field, err)
		}
	}
	for name, fine := range map[string]func(*Config){
		"ε of the floor":  func(c *Config) { c.Direct.Epsilon = codeFloor },
		"slide without ε": func(c *Config) { c.Direct.Formula, c.Direct.Epsilon = Slide, 0 },
		"γ = 1":           func(c *Config) { c.Method, c.Direct.Gamma = DirectSet, 1 },
	} {
		c := good.with(NewtonSchulz)
		fine(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkSolvers sets W_p from an F̂ of 128×128 stored in float32: the
// eigendecomposition on the host, and the products on every engine here.
func BenchmarkSolvers(b *testing.B) {
	s := spectra(128)["condition 100"]
	f := withSpectrum(s, 1, true)
	d := Direct{Formula: Code, Epsilon: 0.1}
	b.Run("eigen", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Predictor(DirectPred, f); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, kind := range engine.Kinds {
		b.Run("newton-schulz/"+kind, func(b *testing.B) {
			e := start(b, kind)
			x, err := graph.NewExec(e.Backend, func(f *graph.Node) *graph.Node { return d.solve(DirectPred, f, Float32.roots()) })
			if err != nil {
				b.Fatal(err)
			}
			defer x.Finalize()
			in := tensors.FromFlatDataAndDimensions(f.RawMatrix().Data, 128, 128)
			for b.Loop() {
				out, err := x.Call(in)
				if err != nil {
					b.Fatal(err)
				}
				out[0].MaterializeLocal()
			}
		})
	}
}
