package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// roundTol bounds the rounding of the measures below on well-scaled matrices of size
// n ≤ 6: a few hundred operations on numbers of order one, 10³·2⁻⁵³ ≈ 1e-13.
const roundTol = 1e-13

func random(rng *rand.Rand, r, c int) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

func orthogonal(rng *rand.Rand, n int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(random(rng, n, n))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

func symmetrise(m *mat.Dense) *mat.Dense {
	var s mat.Dense
	s.Add(m, m.T())
	s.Scale(0.5, &s)
	return &s
}

// withSpectrum returns Q diag(values) Qᵀ, exactly symmetric.
func withSpectrum(q *mat.Dense, values ...float64) *mat.Dense {
	var m mat.Dense
	m.Product(q, mat.NewDiagDense(len(values), values), q.T())
	return symmetrise(&m)
}

func conjugate(q, m *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Product(q, m, q.T())
	return &out
}

func scale(c float64, m *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Scale(c, m)
	return &out
}

func near(x, y float64) bool { return math.Abs(x-y) <= roundTol*(1+math.Abs(y)) }

func diag(v ...float64) *mat.Dense {
	return mat.DenseCopyOf(mat.NewDiagDense(len(v), v))
}

// Every measure of a pair (F, Wp), for the invariance tests.
var pairMeasures = map[string]func(f, wp *mat.Dense) float64{
	"commutator":   func(f, wp *mat.Dense) float64 { return CommutatorNorm(f, wp) },
	"normalised":   func(f, wp *mat.Dense) float64 { return NormalisedCommutator(f, wp) },
	"angle":        func(f, wp *mat.Dense) float64 { return FrameAngle(f, symmetrise(wp), DefaultGap) },
	"cosines":      func(f, wp *mat.Dense) float64 { c := Cosines(f, wp); return c[0] + 2*c[1] },
	"asymmetry":    func(_, wp *mat.Dense) float64 { return Asymmetry(wp) },
	"rank":         func(f, _ *mat.Dense) float64 { return EffectiveRank(f) },
	"traceBalance": func(f, wp *mat.Dense) float64 { return TraceBalance(f, wp, 0.7) },
	"scale":        func(f, wp *mat.Dense) float64 { return CollapseScale(f, wp, 0.7) },
	"λ_min(K)": func(f, wp *mat.Dense) float64 {
		return MinEigenvalue(symmetrise(K(f, symmetrise(wp), 0.7, 0.2, 0.9, 0.1)))
	},
}

func randomPair(rng *rand.Rand, n int) (f, wp *mat.Dense) {
	var s mat.Dense
	b := random(rng, n, n+1)
	s.Mul(b, b.T())
	return symmetrise(&s), random(rng, n, n)
}

func TestMeasuresAreInvariantUnderConjugation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, m := range pairMeasures {
		moved := 0
		for range 50 {
			n := 2 + rng.IntN(5)
			f, wp := randomPair(rng, n)
			q := orthogonal(rng, n)
			x, y := m(f, wp), m(symmetrise(conjugate(q, f)), conjugate(q, wp))
			// Eigenvectors are known to 2⁻⁵³‖F‖/gap only; the gaps of these F are above
			// 1e-5, which costs five digits.
			if math.Abs(x-y) > 1e5*roundTol*(1+math.Abs(x)) {
				t.Errorf("%s: %v becomes %v", name, x, y)
			}
			// The twin: only one of the two moved.
			if math.Abs(m(f, wp)-m(symmetrise(conjugate(q, f)), wp)) > 1e-3 {
				moved++
			}
		}
		single := name == "asymmetry" || name == "rank" || name == "traceBalance" || name == "scale"
		if !single && moved < 25 {
			t.Errorf("%s: moving only F changes it in %d of 50 cases: the test cannot fail", name, moved)
		}
	}
}

func TestScalingLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		f, wp := randomPair(rng, 4)
		for name, power := range map[string]float64{"commutator": 1, "normalised": 0, "angle": 0, "cosines": 0, "rank": 0} {
			m := pairMeasures[name]
			if x, y := m(f, wp)*math.Pow(8, power), m(scale(8, f), wp); !near(y, x) {
				t.Errorf("%s: 8F gives %v, want %v", name, y, x)
			}
		}
		for name, power := range map[string]float64{"commutator": 1, "normalised": 0, "angle": 0, "cosines": 0, "asymmetry": 0} {
			m := pairMeasures[name]
			if x, y := m(f, wp)*math.Pow(0.125, power), m(f, scale(0.125, wp)); !near(y, x) {
				t.Errorf("%s: Wp/8 gives %v, want %v", name, y, x)
			}
		}
		if x := Cosines(f, scale(-1, wp))[0] + Cosines(f, wp)[0]; x != 0 {
			t.Errorf("cosine is not odd in Wp: %v", x)
		}
	}
}

func TestCommutatorOfKnownPairs(t *testing.T) {
	// [[0,1],[1,0]] and diag(1,-1): AB = [[0,-1],[1,0]], BA = -AB, ‖[A,B]‖ = 2√2, the
	// largest normalised value √2 (Böttcher and Wenzel).
	a, b := mat.NewDense(2, 2, []float64{0, 1, 1, 0}), diag(1, -1)
	if l := Commutator(a, b); !mat.Equal(l, mat.NewDense(2, 2, []float64{0, -2, 2, 0})) {
		t.Errorf("L = %v", mat.Formatted(l))
	}
	if x := CommutatorNorm(a, b); !near(x, math.Sqrt(8)) {
		t.Errorf("norm %v", x)
	}
	if x := NormalisedCommutator(a, b); !near(x, math.Sqrt2) {
		t.Errorf("normalised %v", x)
	}
	rng := rand.New(rand.NewPCG(1, 3))
	for range 100 {
		n := 1 + rng.IntN(5)
		p, q := random(rng, n, n), random(rng, n, n)
		if x := NormalisedCommutator(p, q); x > math.Sqrt2+roundTol {
			t.Errorf("normalised commutator %v exceeds √2", x)
		}
		var neg mat.Dense
		neg.Scale(-1, Commutator(q, p))
		if !mat.Equal(Commutator(p, q), &neg) {
			t.Error("the commutator is not skew in its arguments")
		}
		if x := CommutatorNorm(p, p); x != 0 {
			t.Errorf("[A, A] = %v", x)
		}
	}
	if x := NormalisedCommutator(diag(0, 0), diag(1, 2)); !math.IsNaN(x) {
		t.Errorf("normalised by zero: %v", x)
	}
}

func TestAsymmetryOfKnownMatrices(t *testing.T) {
	for _, c := range []struct {
		m    *mat.Dense
		want float64
	}{
		{diag(1, 2, 3), 0},
		{mat.NewDense(2, 2, []float64{0, 1, -1, 0}), 2},
		{mat.NewDense(2, 2, []float64{0, 1, 0, 0}), math.Sqrt2},
		{mat.NewDense(2, 2, []float64{1, 1, -1, 1}), math.Sqrt2},
		{mat.NewDense(1, 1, []float64{-3}), 0},
	} {
		if x := Asymmetry(c.m); !near(x, c.want) {
			t.Errorf("%v: %v, want %v", mat.Formatted(c.m), x, c.want)
		}
	}
	if x := Asymmetry(diag(0, 0)); !math.IsNaN(x) {
		t.Errorf("of zero: %v", x)
	}
	// Independent entries: E‖A-Aᵀ‖²/E‖A‖² = 2(n²-n)/n² = 2(1 - 1/n). At n = 64 the ratio
	// has relative standard deviation of about √(2·2/n²) ≈ 3 %.
	rng := rand.New(rand.NewPCG(1, 4))
	if x := Asymmetry(random(rng, 64, 64)); math.Abs(x-math.Sqrt(2*(1-1.0/64))) > 0.1 {
		t.Errorf("untrained: %v", x)
	}
}

// rotation turns the plane of axes i and j by th.
func rotation(n, i, j int, th float64) *mat.Dense {
	r := diag(make([]float64, n)...)
	for k := range n {
		r.Set(k, k, 1)
	}
	c, s := math.Cos(th), math.Sin(th)
	r.Set(i, i, c)
	r.Set(j, j, c)
	r.Set(i, j, -s)
	r.Set(j, i, s)
	return r
}

func TestFrameAngleIsTheAngleOfRotation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, n := range []int{2, 3, 5} {
		for _, th := range []float64{0, 1e-14, 1e-12, 1e-9, 1e-5, 0.01, 0.3, math.Pi / 4, 1, math.Pi / 2} {
			values := make([]float64, n)
			other := make([]float64, n)
			for i := range n {
				values[i] = float64(2*i+1) * (1 - 2*float64(i%2)) // 1, -3, 5, …
				other[i] = float64(i*i + 1)
			}
			q := orthogonal(rng, n)
			a := withSpectrum(q, values...)
			var turned mat.Dense
			turned.Mul(q, rotation(n, 0, n-1, th))
			b := withSpectrum(&turned, other...)
			want := min(th, math.Pi/2-th)
			// Entries are rounded to 2⁻⁵³‖A‖ and gaps are at least ‖A‖/20: an eigenvector
			// is known to 20·n·2⁻⁵³ and both frames enter.
			if x := FrameAngle(a, b, DefaultGap); math.Abs(x-want) > 100*float64(n)*0x1p-53 {
				t.Errorf("n = %d, rotation by %g: angle %g", n, th, x)
			}
			if x, y := FrameAngle(a, b, DefaultGap), FrameAngle(b, a, DefaultGap); math.Abs(x-y) > 100*float64(n)*0x1p-53 {
				t.Errorf("not symmetric: %v and %v", x, y)
			}
		}
	}
}

func TestFrameAngleInsideDegenerateEigenspaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	arbitrary := 0
	for range 30 {
		q := orthogonal(rng, 5)
		a := withSpectrum(q, 3, 3, 3, 1, 1)
		// Turned inside the eigenspaces: nothing has happened.
		var inside mat.Dense
		inside.Product(q, rotation(5, 0, 2, rng.Float64()*3), rotation(5, 3, 4, rng.Float64()*3))
		b := withSpectrum(&inside, 5, 4, 3, 2, 1)
		if x := FrameAngle(a, b, DefaultGap); x > 1e3*roundTol {
			t.Errorf("turning inside an eigenspace gives %v", x)
		}
		// With no tolerance for degeneracy the arbitrary basis shows.
		if FrameAngle(a, b, 0) > 1e-3 {
			arbitrary++
		}
		// Across them: that angle.
		th := 0.4 * rng.Float64()
		var across mat.Dense
		across.Product(&inside, rotation(5, 2, 3, th))
		if x := FrameAngle(a, withSpectrum(&across, 5, 4, 3, 2, 1), DefaultGap); x < 1e-6 && th > 1e-3 {
			t.Errorf("turning across eigenspaces by %v gives %v", th, x)
		}
		// The identity commutes with everything.
		if x := FrameAngle(diag(1, 1, 1, 1, 1), b, DefaultGap); x > 1e3*roundTol {
			t.Errorf("angle to the identity %v", x)
		}
	}
	if arbitrary < 15 {
		t.Errorf("gap 0 sees no arbitrary basis in %d of 30 cases: the test cannot fail", 30-arbitrary)
	}
	// A rotation by th in a plane with one axis in a doubly degenerate eigenspace: the
	// eigenspaces {e1,e2}, {e3} of A and {e1}, {c e2 + s e3}, … of B enclose th.
	const th = 0.25
	a, b := diag(2, 2, 1), withSpectrum(rotation(3, 1, 2, th), 3, 2, 1)
	if x := FrameAngle(a, b, DefaultGap); math.Abs(x-th) > roundTol {
		t.Errorf("angle %v, want %v", x, th)
	}
}

// The angle vanishes exactly when the commutator does, and the two agree for a small
// rotation: ‖[A,B]‖ = √2 |Δa||Δb| sin θ cos θ in one plane.
func TestFrameAngleAndCommutatorAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for range 30 {
		th := math.Pi / 4 * rng.Float64()
		q := orthogonal(rng, 3)
		var turned mat.Dense
		turned.Mul(q, rotation(3, 0, 1, th))
		a, b := withSpectrum(q, 4, 2, 1), withSpectrum(&turned, 7, 3, 1)
		want := math.Sqrt2 * 2 * 4 * math.Sin(th) * math.Cos(th)
		if x := CommutatorNorm(a, b); math.Abs(x-want) > 100*roundTol {
			t.Errorf("commutator %v, want %v", x, want)
		}
		if x := FrameAngle(a, b, DefaultGap); math.Abs(x-th) > 100*roundTol {
			t.Errorf("angle %v, want %v", x, th)
		}
	}
}

func TestCosinesOfKnownPairs(t *testing.T) {
	c := Cosines(diag(3, 2, 1), diag(2, -1, 0))
	if c[0] != 1 || c[1] != -1 || !math.IsNaN(c[2]) {
		t.Errorf("diagonal: %v", c)
	}
	// Wp turns every vector of the plane by 60° and stretches it.
	w := rotation(2, 0, 1, math.Pi/3)
	w.Scale(5, w)
	for _, x := range Cosines(diag(2, 1), w) {
		if !near(x, 0.5) {
			t.Errorf("rotation by 60°: %v", x)
		}
	}
}

func TestEigenframeDecomposes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	for range 20 {
		a := symmetrise(random(rng, 5, 5))
		v, u := Eigenframe(a)
		var r, ul, i mat.Dense
		r.Mul(a, u)
		ul.Mul(u, mat.NewDiagDense(5, v))
		r.Sub(&r, &ul)
		i.Mul(u.T(), u)
		i.Sub(&i, diag(1, 1, 1, 1, 1))
		if mat.Norm(&r, 2) > 10*roundTol || mat.Norm(&i, 2) > 10*roundTol {
			t.Errorf("residual %v, orthogonality %v", mat.Norm(&r, 2), mat.Norm(&i, 2))
		}
		for j := 1; j < 5; j++ {
			if v[j] > v[j-1] {
				t.Errorf("not descending: %v", v)
			}
		}
		if MinEigenvalue(a) != v[4] {
			t.Error("MinEigenvalue differs")
		}
	}
}

// Of a matrix that is symmetric only to rounding the symmetric part is meant.
func TestEigenframeTakesTheSymmetricPart(t *testing.T) {
	v, _ := Eigenframe(mat.NewDense(2, 2, []float64{0, 1 + 0x1p-31, 1, 0}))
	if !near(v[0], 1+0x1p-32) || !near(v[1], -1-0x1p-32) {
		t.Errorf("eigenvalues %v", v)
	}
}

func TestEffectiveRankOfKnownSpectra(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, 1, 1, 1}, 4},
		{[]float64{7, 0, 0, 0}, 1},
		{[]float64{2, 2, 0, 0}, 2},
		{[]float64{0.5, 0.25, 0.125, 0.125}, math.Exp2(1.75)}, // entropy 1.75 bit
	} {
		if x := EffectiveCount(c.values); !near(x, c.want) {
			t.Errorf("%v: %v, want %v", c.values, x, c.want)
		}
		// A rounded zero eigenvalue ε adds -ε ln ε.
		if x := EffectiveRank(withSpectrum(orthogonal(rng, 4), c.values...)); math.Abs(x-c.want) > 100*roundTol {
			t.Errorf("%v conjugated: %v, want %v", c.values, x, c.want)
		}
	}
	if x := EffectiveRank(diag(0, 0)); !math.IsNaN(x) {
		t.Errorf("of zero: %v", x)
	}
}

func TestBalanceOfKnownWeights(t *testing.T) {
	// W = [[1,2],[0,1]], Wp = [[1,1],[0,2]], α = 2: WWᵀ = [[5,2],[2,1]],
	// WpᵀWp = [[1,1],[1,5]]; the transposed WpWpᵀ = [[2,2],[2,4]] would not do.
	w, wp := mat.NewDense(2, 2, []float64{1, 2, 0, 1}), mat.NewDense(2, 2, []float64{1, 1, 0, 2})
	d := Balance(w, wp, 2)
	if !mat.Equal(d, mat.NewDense(2, 2, []float64{4.5, 1.5, 1.5, -1.5})) {
		t.Errorf("D = %v", mat.Formatted(d))
	}
	var f mat.Dense
	f.Mul(w, w.T())
	if x := TraceBalance(&f, wp, 2); x != mat.Trace(d) {
		t.Errorf("trace %v", x)
	}
	if c := ModeBalance([]float64{2, -1}, []float64{3, 0}, 4); c[0] != 2 || c[1] != -0.25 {
		t.Errorf("c = %v", c)
	}
	// On the parabola the two scales agree.
	if x := CollapseScale(diag(0.5, 2), diag(1, -2), 2); x != 2 {
		t.Errorf("scale %v", x)
	}
	if x := CollapseScale(diag(0.5, 1), diag(1, -2), 2); x != 2 {
		t.Errorf("scale %v", x)
	}
	if x := CollapseScale(diag(0.5, 3), diag(1, -2), -2); x != 3 {
		t.Errorf("scale %v", x)
	}
}

// Claim thm3-identity at random points: with the reduced flow
// Wp' = -½αa{Wp,F} + ατF - ηWp, F' = -a{Wp²,F} + τ{Wp,F} - 2ηF the commutator obeys
// L' = -(LK + KL); with ½ in place of 3/2 it does not.
func TestKIsTheRateOfTheCommutator(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	residual := func(eta float64, k *mat.Dense, f, wp *mat.Dense, alpha, sigma2, tau float64) float64 {
		a := 1 + sigma2
		anti := func(x, y mat.Matrix) *mat.Dense {
			var p, q mat.Dense
			p.Mul(x, y)
			q.Mul(y, x)
			p.Add(&p, &q)
			return &p
		}
		sum := func(ms ...*mat.Dense) *mat.Dense {
			out := mat.DenseCopyOf(ms[0])
			for _, m := range ms[1:] {
				out.Add(out, m)
			}
			return out
		}
		var wp2 mat.Dense
		wp2.Mul(wp, wp)
		dwp := sum(scale(-alpha*a/2, anti(wp, f)), scale(alpha*tau, f), scale(-eta, wp))
		df := sum(scale(-a, anti(&wp2, f)), scale(tau, anti(wp, f)), scale(-2*eta, f))
		l := Commutator(f, wp)
		r := sum(Commutator(df, wp), Commutator(f, dwp), anti(l, k))
		return mat.Norm(r, 2) / (1 + mat.Norm(l, 2)*mat.Norm(k, 2))
	}
	for range 50 {
		n := 2 + rng.IntN(4)
		f, wp := symmetrise(random(rng, n, n)), symmetrise(random(rng, n, n))
		alpha, sigma2, tau, eta := 3*rng.Float64(), rng.Float64(), rng.NormFloat64(), 0.1+rng.Float64()
		k := K(f, wp, alpha, sigma2, tau, eta)
		if r := residual(eta, k, f, wp, alpha, sigma2, tau); r > 100*roundTol {
			t.Errorf("residual %.3g", r)
		}
		for i := range n {
			k.Set(i, i, k.At(i, i)-eta)
		}
		if r := residual(eta, k, f, wp, alpha, sigma2, tau); r < 1e-6 {
			t.Errorf("½ in place of 3/2 leaves %.3g: the test cannot fail", r)
		}
	}
}

func TestRootsAreStationary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 11))
	for range 200 {
		tau, sigma2, eta := 2*rng.NormFloat64(), rng.Float64(), rng.Float64()*0.3
		a := 1 + sigma2
		lo, hi, ok := Roots(tau, sigma2, eta)
		if ok != (eta <= CriticalDecay(tau, sigma2)) {
			t.Errorf("τ = %v, η = %v: roots %v, η* = %v", tau, eta, ok, CriticalDecay(tau, sigma2))
		}
		if !ok {
			continue
		}
		if lo > hi || !near(lo*hi, eta/a) || !near(lo+hi, tau/a) {
			t.Errorf("p± = %v, %v", lo, hi)
		}
		for _, p := range []float64{lo, hi} {
			if r := p*(tau-a*p) - eta; math.Abs(r) > roundTol*(1+tau*tau) {
				t.Errorf("p = %v is not stationary: %v", p, r)
			}
		}
	}
	if lo, hi, ok := Roots(1, 0, 0); lo != 0 || hi != 1 || !ok {
		t.Errorf("η = 0: %v %v", lo, hi)
	}
	if lo, hi, ok := Roots(0, 0, 0); lo != 0 || hi != 0 || !ok {
		t.Errorf("τ = η = 0: %v %v", lo, hi)
	}
	// No cancellation in p₋ ≈ η/τ.
	if lo, _, _ := Roots(1, 0, 1e-18); math.Abs(lo-1e-18) > 1e-33 {
		t.Errorf("p₋ = %v", lo)
	}
}

func TestMisuseIsNamed(t *testing.T) {
	rect, two, three := mat.NewDense(2, 3, nil), diag(1, 2), diag(1, 2, 3)
	skew := mat.NewDense(2, 2, []float64{0, 1, -1, 0})
	nan := diag(1, math.NaN())
	for want, f := range map[string]func(){
		"A is not square":            func() { Commutator(rect, two) },
		"A and B differ":             func() { NormalisedCommutator(two, three) },
		"A is not symmetric":         func() { Eigenframe(skew) },
		"non-finite":                 func() { Eigenframe(nan) },
		"F and Wp differ":            func() { Cosines(two, three) },
		"negative gap":               func() { FrameAngle(two, two, -1) },
		"W and Wp differ":            func() { Balance(rect, three, 1) },
		"α = 0":                      func() { Balance(rect, two, 0) },
		"p and s differ":             func() { ModeBalance([]float64{1}, nil, 1) },
		"positive semidefinite":      func() { EffectiveRank(diag(1, -0.1)) },
		"F and Wp differ in size":    func() { K(two, three, 1, 1, 1, 1) },
		"1+σ² is not positive":       func() { Roots(1, -2, 0) },
		"A is not symmetric: max|A-": func() { FrameAngle(two, mat.NewDense(2, 2, []float64{1, 2, 0, 1}), 0) },
	} {
		func() {
			defer func() {
				if s := fmt.Sprint(recover()); !strings.HasPrefix(s, "measure: ") || !strings.Contains(s, want) {
					t.Errorf("panic %q, want %q", s, want)
				}
			}()
			f()
		}()
	}
}

func BenchmarkFrameAngle(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 12))
	f, wp := randomPair(rng, 8)
	wp = symmetrise(wp)
	for b.Loop() {
		FrameAngle(f, wp, DefaultGap)
	}
}
