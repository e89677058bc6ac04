package generate

import (
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
	"stopgrad/theory/sample"
)

// tally counts how often named things happen and compares the counts with probabilities.
type tally struct {
	n     int
	count map[string]int
}

func (c *tally) note(name string, happened bool) {
	if c.count == nil {
		c.count = map[string]int{}
	}
	if happened {
		c.count[name]++
	}
}

// atLeast fails unless the count is within Hoeffding's bound of n·p from below: for a true probability of at
// least p a count below n·p − √(n·ln(10⁹)/2) has probability below 10⁻⁹.
func (c *tally) atLeast(t *testing.T, name string, p float64) {
	t.Helper()
	n := float64(c.n)
	if low := n*p - math.Sqrt(n*math.Log(1e9)/2); low <= 0 {
		t.Fatalf("%s: %d draws are too few to see a probability of %.3g", name, c.n, p)
	} else if float64(c.count[name]) < low {
		t.Errorf("%s: %d of %d draws, fewer than %.0f for a probability of at least %.3g", name, c.count[name], c.n, low, p)
	}
}

func equal(a, b Matrix) bool {
	if a.R != b.R || a.C != b.C {
		return false
	}
	for i := range a.A {
		if a.A[i].Cmp(b.A[i]) != 0 {
			return false
		}
	}
	return true
}

func TestOrthogonalIsExactlyOrthogonal(t *testing.T) {
	ch := sample.NewStream(1, "orthogonal")
	identities, reflections := 0, 0
	for i := range 200 {
		n := 1 + i%5
		q := Orthogonal(ch, n)
		if !equal(Mul(Transpose(q), q), Identity(n)) {
			t.Fatalf("QᵀQ ≠ I for n = %d", n)
		}
		if equal(q, Identity(n)) {
			identities++
		}
		if mat.Det(Dense(q)) < 0 {
			reflections++
		}
	}
	if identities == 200 || reflections < 60 {
		t.Errorf("%d identities, %d reflections of 200", identities, reflections)
	}
}

func TestSymmetricHasTheDrawnSpectrum(t *testing.T) {
	ch := sample.NewStream(1, "symmetric")
	for i := range 100 {
		n := 1 + i%4
		q, v := Orthogonal(ch, n), Spectrum(ch, n, AnyKind)
		m := Symmetric(q, v)
		if !equal(m, Transpose(m)) {
			t.Fatal("not symmetric")
		}
		// M·Q = Q·diag(v), in exact numbers.
		if !equal(Mul(m, q), Mul(q, Diagonal(n, n, v))) {
			t.Fatalf("the columns of Q are not eigenvectors for %v", v)
		}
	}
}

func TestSpectraAreOfTheirKind(t *testing.T) {
	ch := sample.NewStream(1, "spectra")
	for kind := Distinct; kind <= Wide; kind++ {
		for i := range 100 {
			n := 2 + i%4
			v := Spectrum(ch, n, kind)
			zeros, repeats := 0, 0
			for j := range v {
				if v[j].Sign() < 0 {
					t.Fatalf("kind %d: negative %v", kind, v)
				}
				if v[j].Sign() == 0 {
					zeros++
				}
				for k := range j {
					if v[j].Cmp(v[k]) == 0 {
						repeats++
					}
				}
			}
			ok := map[Kind]bool{
				Distinct: zeros == 0 && repeats == 0, Repeated: repeats > 0 && zeros == 0, Singular: zeros > 0,
				Equal: repeats == n*(n-1)/2 && zeros == 0, Wide: zeros == 0,
			}[kind]
			if !ok {
				t.Fatalf("kind %d: %v", kind, v)
			}
		}
	}
}

// TestDegenerateCasesOccur counts the cases that package generate promises, against the probabilities that
// its documentation states.
func TestDegenerateCasesOccur(t *testing.T) {
	const n = 1500
	ch := sample.NewStream(1, "frequencies")
	c := &tally{n: n}
	for range n {
		p := Parameters(ch, AnyDecay)
		star := p.CriticalDecay()
		c.note("η = 0", p.Eta.Sign() == 0)
		c.note("η = η* exactly", p.Eta.Cmp(star) == 0)
		c.note("η > η*", p.Eta.Cmp(star) > 0)
		c.note("0 < η < η*", p.Eta.Sign() > 0 && p.Eta.Cmp(star) < 0)
		c.note("σ² = 0", p.Sigma2.Sign() == 0)
		c.note("α = 1", p.Alpha.Cmp(Rat(1, 1)) == 0)

		n2, n1 := Shape(ch, 4)
		c.note("n2 < n1", n2 < n1)
		c.note("n2 = n1", n2 == n1)
		c.note("n2 > n1", n2 > n1)

		v := Spectrum(ch, 3, AnyKind)
		c.note("a zero eigenvalue", v[2].Sign() == 0)
		c.note("a repeated eigenvalue", v[0].Cmp(v[1]) == 0 || v[1].Cmp(v[2]) == 0 || v[0].Cmp(v[2]) == 0)

		s := Weighted(ch, p, 4)
		c.note("isotropic data", s.X == nil)
		c.note("singular X'", s.Xp != nil && singular(s.Xp))
		c.note("singular X", s.X != nil && singular(s.X))
		c.note("W·Wᵀ of less than full rank", singularValues(s.W) < min(dims(s.W)))

		r := Reduced(ch, p, 2, 4)
		c.note("a common eigenframe", measure.CommutatorNorm(r.F, r.Wp) < 1e-12)
		c.note("singular F", singular(r.F))
		c.note("an indefinite predictor", measure.MinEigenvalue(r.Wp) < 0)

		m := Aligned(ch, p, 3)
		rows, cols := dims(m.W)
		c.note("a mode beyond the data", rows > cols)
	}
	for name, p := range map[string]float64{
		"η = 0": 2. / 8, "η = η* exactly": 1. / 8, "η > η*": 1. / 8, "0 < η < η*": 4. / 8, "σ² = 0": 1. / 4, "α = 1": 1. / 4,
		"n2 < n1": 1. / 3, "n2 = n1": 1. / 3, "n2 > n1": 1. / 3,
		"a zero eigenvalue": 1. / 6, "a repeated eigenvalue": 2. / 6, // kinds Repeated and Equal
		"isotropic data": 1. / 4, "singular X'": 3. / 4 / 6, "singular X": 3. / 4 / 6,
		"W·Wᵀ of less than full rank": 1. / 2 / 6, // half are drawn by singular values
		"a common eigenframe":         1. / 4, "singular F": 1. / 6,
		"an indefinite predictor": 1. / 4, // at least one of two or more signs turns, zero eigenvalues apart: 1 − (3/4)² less 1/6
		"a mode beyond the data":  1. / 3,
	} {
		c.atLeast(t, name, p)
		t.Logf("%-30s %4d of %d", name, c.count[name], n)
	}
}

func dims(m mat.Matrix) (int, int) { return m.Dims() }

// singular reports an eigenvalue below 1e-9 of the greatest; nonzero ones of drawn spectra are above 2⁻¹¹ of
// it.
func singular(m *mat.Dense) bool {
	v, _ := measure.Eigenframe(m)
	return v[len(v)-1] <= 1e-9*v[0]
}

func singularValues(m *mat.Dense) int {
	var svd mat.SVD
	svd.Factorize(m, mat.SVDNone)
	n := 0
	v := svd.Values(nil)
	for _, x := range v {
		if x > 1e-9*v[0] {
			n++
		}
	}
	return n
}

// zero makes every choice the simplest.
type zero struct{}

func (zero) Intn(int) int { return 0 }

// TestTheSimplestChoicesGiveTheSimplestStates: what a shrinking engine tends to.
func TestTheSimplestChoicesGiveTheSimplestStates(t *testing.T) {
	p := Parameters(zero{}, NoDecay)
	if p.Alpha.Cmp(Rat(1, 1)) != 0 || p.Sigma2.Sign() != 0 || p.Tau.Cmp(Rat(1, 1)) != 0 || p.Eta.Sign() != 0 {
		t.Errorf("parameters %v", p)
	}
	if !equal(Orthogonal(zero{}, 3), Identity(3)) {
		t.Error("the simplest orthogonal matrix is not I")
	}
	if r, c := dims(Weighted(zero{}, p, 4).W); r != 1 || c != 1 {
		t.Errorf("the simplest weights are %d×%d", r, c)
	}
	if v := Signed(zero{}); v.Sign() != 0 {
		t.Errorf("the simplest number is %v", v)
	}
}

// TestNumbersAreFloat64Exactly: scales, fractions and entries lose nothing when rounded.
func TestNumbersAreFloat64Exactly(t *testing.T) {
	ch := sample.NewStream(1, "exact")
	seen := map[string]bool{}
	for range 300 {
		for name, v := range map[string]*big.Rat{"scale": Scale(ch, -10, 10), "fraction": Fraction(ch), "signed": Signed(ch)} {
			if new(big.Rat).SetFloat64(Float(v)).Cmp(v) != 0 {
				t.Fatalf("%s %v is not a float64", name, v)
			}
			if name == "signed" {
				seen[v.RatString()] = true
			}
		}
	}
	if len(seen) != 33 {
		t.Errorf("%d of the 33 entries k/16 were drawn", len(seen))
	}
}
