package mapping

import (
	"math"
	"math/rand/v2"
	"testing"

	"stopgrad/numeric/ode"
)

// reference are the parameters of the map of reference: η = 0.1, α = 1, σ² = 0, τ = 1.
var reference = Parameters{Eta: 0.1, Alpha: 1, Sigma2: 0, Tau: 1}

// randomParameters has a saddle, a hundredth of its range away from κ = 0 and from κ = 1/4.
func randomParameters(rng *rand.Rand) Parameters {
	q := Parameters{Alpha: math.Pow(10, 2*rng.Float64()-1), Sigma2: 2 * rng.Float64(), Tau: 0.3 + 0.9*rng.Float64()}
	q.Eta = (0.01 + 0.98*rng.Float64()) / 4 * q.Tau * q.Tau / q.a()
	return q
}

func (q Parameters) mustFrozen(t *testing.T) ode.RHS {
	t.Helper()
	rhs, err := q.frozen()
	if err != nil {
		t.Fatal(err)
	}
	return rhs
}

// The saddle is stationary and StableDirection is an eigenvector of its Jacobian for −2η (claim fixed-points).
func TestStableDirectionIsAnEigenvector(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	for range 50 {
		q := randomParameters(rng)
		rhs := q.mustFrozen(t)
		p, s, ok := q.Saddle()
		if !ok {
			t.Fatalf("no saddle for %+v", q)
		}
		// The terms of the field are of size ηp, ηs; a dozen roundings.
		const roundings = 12 * 0x1p-53
		dy := make([]float64, 2)
		rhs(0, []float64{p, s}, dy)
		if math.Abs(dy[0]) > roundings*q.Eta*p*4 || math.Abs(dy[1]) > roundings*q.Eta*s*4 {
			t.Errorf("%+v: the saddle moves by %v", q, dy)
		}
		m := q.StableDirection(p)
		// A central difference of a cubic along v errs by h² times its third derivative: at h = 1e-5·p relatively 1e-10.
		const tol = 1e-8
		h := 1e-5 * p
		hi, lo := make([]float64, 2), make([]float64, 2)
		rhs(0, []float64{p + h, s + h*m}, hi)
		rhs(0, []float64{p - h, s - h*m}, lo)
		along := func(m float64) bool {
			return math.Abs((hi[0]-lo[0])/(2*h)+2*q.Eta) <= tol*q.Eta && math.Abs((hi[1]-lo[1])/(2*h)+2*q.Eta*m) <= tol*q.Eta*math.Abs(m)
		}
		if !along(m) {
			t.Errorf("%+v: not an eigenvector for −2η", q)
		}
		// Twin: the other eigenvector, tangent to the parabola.
		if along(2 * p / q.Alpha) {
			t.Error("the tangent of the parabola passes as well: the test cannot fail")
		}
	}
}

func TestSaddleIsAbsentWhereTheTheoryHasNone(t *testing.T) {
	for _, q := range []Parameters{
		{Eta: 0, Alpha: 1, Tau: 1}, {Eta: 0.25, Alpha: 1, Tau: 1}, {Eta: 0.3, Alpha: 1, Tau: 1},
		{Eta: 0.1, Alpha: 1, Sigma2: 2, Tau: 1}, {Eta: 0.1, Alpha: 1, Tau: 0}, {Eta: 0.1, Alpha: 1, Tau: -1},
	} {
		if _, _, ok := q.Saddle(); ok {
			t.Errorf("%+v has a saddle", q)
		}
		if _, err := q.Manifold(t.Context(), Window{0, 1, 0, 1}); err == nil {
			t.Errorf("%+v has a manifold", q)
		}
		if _, err := q.Threshold(t.Context(), 0.1); err == nil {
			t.Errorf("%+v has a threshold", q)
		}
	}
}

// fate integrates a mode of the frozen flow far beyond any passage near the saddle.
func fate(t *testing.T, q Parameters, p, s float64) Outcome {
	t.Helper()
	d, err := Frozen.bind(point{Parameters: q, beta: 1, p0: p, s0: s})
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.read(t.Context(), OutcomeOf, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got.outcome
}

// separation is how far, relative to the size of the mode, a state is put off the manifold to have a fate: a thousand
// times what the integrations on either side leave of it, relTol times the steps of a passage.
const separation = 1e-5

// On either side of the manifold fates differ: at equal c, where solutions keep their order, smaller p collapse and
// larger p grow.
func TestManifoldSeparatesFates(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 2))
	shift := func(q Parameters, v XY, d float64) XY { return XY{v.X + d, v.Y + (2*v.X+d)*d/q.Alpha} }
	size := func(q Parameters, v XY) float64 { return math.Abs(v.X) + math.Sqrt(q.Alpha*v.Y) }
	sides := func(q Parameters, v XY) bool {
		lo, hi := shift(q, v, -separation*size(q, v)), shift(q, v, separation*size(q, v))
		return fate(t, q, lo.X, lo.Y) == Collapse && fate(t, q, hi.X, hi.Y) == Growth
	}
	for k := range 6 {
		q := reference
		if k > 0 {
			q = randomParameters(rng)
		}
		p, s, _ := q.Saddle()
		plus := q.Tau/q.a() - p
		w := Window{-2 * plus, 3 * plus, 0, 4 * plus * plus / q.Alpha}
		line, err := q.Manifold(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		left, right, wrong := 0, 0, 0
		for range 30 {
			v := line[rng.IntN(len(line))]
			if v.Y < 100*separation*v.X*v.X/q.Alpha {
				continue // a shift at equal c would make s negative
			}
			if !sides(q, v) {
				t.Errorf("%+v: (%.9g, %.9g) is not on the boundary", q, v.X, v.Y)
			}
			// Twin: a point off the line by ten times the shift.
			if !sides(q, shift(q, v, 10*separation*size(q, v))) {
				wrong++
			}
			switch {
			case v.X < p && v.Y > s:
				left++
			case v.X > p:
				right++
			}
		}
		if left == 0 || right == 0 || wrong == 0 {
			t.Errorf("%+v: %d points left of the saddle, %d right, %d twins caught", q, left, right, wrong)
		}
	}
}

// Threshold and Manifold are the same curve, computed by two stopping rules.
func TestThresholdIsOnTheManifold(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 3))
	for k := range 10 {
		q := reference
		if k > 0 {
			q = randomParameters(rng)
		}
		p, _, _ := q.Saddle()
		plus := q.Tau/q.a() - p
		line, err := q.Manifold(t.Context(), Window{-2 * plus, 3 * plus, 0, 4 * plus * plus / q.Alpha})
		if err != nil {
			t.Fatal(err)
		}
		c := func(v XY) float64 { return v.Y - v.X*v.X/q.Alpha }
		for range 20 {
			i := 1 + rng.IntN(len(line)-2)
			v := line[i]
			got, err := q.Threshold(t.Context(), c(v))
			if err != nil {
				t.Fatal(err)
			}
			// The tangent at the start is off by departure² = 1e-12 of p₋ and both integrations by some 1e-12 of s or p²/α,
			// a hundred steps of them, which dp/dc turns into an error of p.
			slope := math.Abs((line[i+1].X - line[i-1].X) / (c(line[i+1]) - c(line[i-1])))
			if tol := 1e-10 * (p + math.Abs(v.X) + slope*(v.Y+v.X*v.X/q.Alpha)); math.Abs(got-v.X) > tol {
				t.Errorf("%+v: c = %v: threshold %v, manifold %v, tolerance %.3g", q, c(v), got, v.X, tol)
			}
		}
		if got, err := q.Threshold(t.Context(), 0); err != nil || got != p {
			t.Errorf("%+v: on the parabola %v, want p₋ = %v", q, got, p)
		}
		// Claim basin: off the parabola, far enough, all modes have one fate.
		for c, want := range map[float64]float64{-100 * plus * plus / q.Alpha: math.Inf(1), 100 * plus * plus / q.Alpha: math.Inf(-1)} {
			if got, err := q.Threshold(t.Context(), c); err != nil || got != want {
				t.Errorf("%+v: c = %v: threshold %v %v, want %v", q, c, got, err, want)
			}
		}
	}
}
