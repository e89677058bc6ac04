package orbit

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/fuzz/optimise"
	"stopgrad/numeric/measure"
	"stopgrad/theory/lang"
)

// effort finds every counterexample of this package in seconds.
var effort = optimise.Effort{Scan: 500, Starts: 2, Global: 500, Local: 300, Restart: 6}

func dense(m pair) *mat.Dense { return mat.NewDense(2, 2, []float64{m.a, m.b, m.b, m.d}) }

// TestPairsAgreeWithMeasures holds the closed forms of 2×2 matrices against package measure.
func TestPairsAgreeWithMeasures(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() pair { return pair{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()} }
	// Closed forms and library routines on numbers of order one differ by a few hundred roundings.
	const tol = 1e-13
	for range 500 {
		f, p := random(), random()
		k := kMatrix(f, p, 1.3, 0.4, 0.7, 0.2)
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"angle", angle(f, p), measure.FrameAngle(dense(f), dense(p), 0)},
			{"commutator", commutator(f, p), measure.CommutatorNorm(dense(f), dense(p))},
			{"least eigenvalue", f.low(), measure.MinEigenvalue(dense(f))},
			{"norm", f.norm(), mat.Norm(dense(f), 2)},
			{"K", mat.Norm(dense(k), 2), mat.Norm(measure.K(dense(f), dense(p), 1.3, 0.4, 0.7, 0.2), 2)},
			{"K's least eigenvalue", k.low(), measure.MinEigenvalue(measure.K(dense(f), dense(p), 1.3, 0.4, 0.7, 0.2))},
		} {
			// Near a double angle of 0 or 90° the angle is known to the root of the rounding.
			if d := math.Abs(c.got - c.want); d > tol*(1+math.Abs(c.want)) && !(c.name == "angle" && d < 1e-7) {
				t.Fatalf("%s of %v, %v: %v, want %v", c.name, f, p, c.got, c.want)
			}
		}
	}
}

// TestBothIntegratorsScoreAlike compares the objectives by Dormand–Prince and by Radau at random points.
func TestBothIntegratorsScoreAlike(t *testing.T) {
	ctx := context.Background()
	for _, q := range Questions() {
		rng := rand.New(rand.NewPCG(3, 4))
		compared := 0
		for n := 0; compared < 8 && n < 3000; n++ {
			x := make([]float64, len(q.Axes))
			for i, a := range q.Axes {
				x[i] = a.At(rng.Float64())
			}
			s := q.Score(ctx, x, Explicit)
			if s > 0.9 {
				continue // a penalty, without a trajectory
			}
			compared++
			// The margin Clear that a counterexample needs has to be ten times the error of the objective.
			if r := q.Score(ctx, x, Implicit); math.Abs(r-s) > Clear/10 {
				t.Errorf("%s at %v: %v and %v", q.Label(), x, s, r)
			}
		}
		if compared == 0 {
			t.Errorf("%s: no point was compared", q.Label())
		}
	}
}

// TestSearchFindsEnclosedCounterexamples answers every question, from two seeds if STOPGRAD_LONG is set, and
// re-confirms the answers from their numbers.
func TestSearchFindsEnclosedCounterexamples(t *testing.T) {
	ctx := context.Background()
	seeds := []uint64{11}
	if os.Getenv("STOPGRAD_LONG") != "" {
		seeds = append(seeds, 12)
	}
	for _, q := range Questions() {
		for _, seed := range seeds {
			r := Search(ctx, q, seed, effort)
			if !r.Found || r.Evidence != Enclosed || r.Certificate.Violation.Sign() <= 0 {
				t.Errorf("%s, seed %d: found %v by %s after %d evaluations: %v", q.Label(), seed, r.Found, r.Evidence, r.Evals, r.Doubt)
				continue
			}
			numbers := map[string]*big.Rat{}
			for k, v := range q.Numbers(r.X) {
				numbers[k], _ = new(big.Rat).SetString(v)
			}
			x, err := q.FromNumbers(numbers)
			if err != nil {
				t.Fatal(err)
			}
			ev, c, err := Confirm(ctx, q, x)
			if err != nil || ev != Enclosed || c.Violation.Cmp(r.Certificate.Violation) != 0 {
				t.Errorf("%s: confirmed again by %s: %v", q.Label(), ev, err)
			}
			if seed == 11 {
				persists(t, q, r.X)
			}
			spoilt(t, q, r.X)
		}
	}
}

// spoilt changes a counterexample so that it is none, and asks for its certificate.
func spoilt(t *testing.T, q Question, x []*big.Rat) {
	t.Helper()
	for i, a := range q.Axes {
		if a.Name != "T" {
			continue
		}
		// Hardly any time for anything to happen.
		y := append([]*big.Rat(nil), x...)
		y[i] = big.NewRat(1, 1<<20)
		if c, err := q.Certify(y); err == nil {
			t.Errorf("%s: certified after no time: %v", q.Label(), c.Facts)
		}
		y[i] = big.NewRat(-1, 1)
		if _, _, err := Confirm(context.Background(), q, y); err == nil {
			t.Errorf("%s: confirmed at a negative time", q.Label())
		}
	}
	if _, _, err := Confirm(context.Background(), q, x[1:]); err == nil {
		t.Errorf("%s: confirmed with a number missing", q.Label())
	}
}

// persists follows a counterexample far beyond its time: what its certificate says of t → ∞ must be seen.
func persists(t *testing.T, q Question, x []*big.Rat) {
	t.Helper()
	ctx := context.Background()
	z := floats(x)
	switch q.Name {
	case "collapse from above", "escape from below":
		m := modeOf(z)
		m.end += 40 / m.eta
		ys := modePath(ctx, m, Explicit)
		y := ys[len(ys)-1]
		minus, _ := saddle(m.eta, m.sigma2, m.tau)
		if q.Name == "collapse from above" && !(y[1] < 1e-10) || q.Name == "escape from below" && !(y[0] > minus) {
			t.Errorf("%s: p = %g, s = %g at the end", q.Label(), y[0], y[1])
		}
	case "under collapse":
		end := z[7] + 20/z[5]
		ys := averagePath(ctx, z[0], z[1], z[2]*z[1], z[3], z[4], z[5], z[6], end, Explicit)
		y := ys[len(ys)-1]
		if !(y[2]/y[1] > 1+excess) || !(math.Abs(y[1]) < 1e-6) {
			t.Errorf("%s: τ = %g, w = %g at the end", q.Label(), y[2]/y[1], y[1])
		}
	case "eigenframes":
		m := reducedOf(z)
		m.end += 20 / m.eta
		ps, fs := reducedPath(ctx, m, Explicit)
		for i := range ps {
			if k := kMatrix(fs[i], ps[i], m.alpha, m.sigma2, m.tau, m.eta); !(k.low() > 0) {
				t.Errorf("%s: K has the eigenvalue %g", q.Label(), k.low())
			}
		}
		if l := commutator(fs[len(fs)-1], ps[len(ps)-1]); !(l < 1e-6) {
			t.Errorf("%s: the commutator ends at %g", q.Label(), l)
		}
	}
}

// TestSaddleSideIsExact compares the exact side of p₋ with float64 away from it, and at p₋ itself.
func TestSaddleSideIsExact(t *testing.T) {
	r := func(a, b int64) *big.Rat { return big.NewRat(a, b) }
	// a = 1, η = 2, τ = 3: p₋ = 1, p₊ = 2.
	for _, c := range []struct {
		p    *big.Rat
		want int
	}{{r(1, 1), 0}, {r(999, 1000), -1}, {r(1001, 1000), 1}, {r(-5, 1), -1}, {r(7, 1), 1}, {r(2, 1), 1}} {
		if got := saddleSide(c.p, r(1, 1), r(2, 1), r(3, 1)); got != c.want {
			t.Errorf("p = %s: %d, want %d", c.p.RatString(), got, c.want)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		eta, tau, p := r(int64(1+rng.IntN(50)), 256), r(int64(64+rng.IntN(128)), 128), r(int64(rng.IntN(400)-100), 200)
		minus, missing := saddle(rounded(eta), 0, rounded(tau))
		if missing > 0 || math.Abs(rounded(p)-minus) < 1e-6 {
			continue
		}
		if got := saddleSide(p, r(1, 1), eta, tau) > 0; got != (rounded(p) > minus) {
			t.Fatalf("η = %s, τ = %s: p = %s above %g: %v", eta.RatString(), tau.RatString(), p.RatString(), minus, got)
		}
	}
}

func TestRestrictNarrowsAxes(t *testing.T) {
	q := collapseFromAbove()
	n, err := q.Restrict(func(name string, d lang.Domain) (lang.Domain, bool) {
		if name == "eta" {
			return lang.Domain{Lo: big.NewRat(1, 10), Hi: big.NewRat(1, 5)}, true
		}
		return d, false
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range n.Axes {
		if a.Name == "eta" && (a.Lo != 0.1 || a.Hi != 0.2 || a.Domain.Contains(big.NewRat(1, 4))) || a.Name != "eta" && a.Lo != q.Axes[i].Lo {
			t.Errorf("%+v", a)
		}
	}
	if q.Axes[3].Domain.Hi != nil {
		t.Error("the question itself was changed")
	}
	r := Search(context.Background(), n, 1, effort)
	if eta, _ := new(big.Rat).SetString(n.Numbers(r.X)["eta"]); !r.Found || eta.Cmp(big.NewRat(1, 10)) < 0 || eta.Cmp(big.NewRat(1, 5)) > 0 {
		t.Errorf("found %v at %s", r.Found, n.Text(r.X))
	}
}

// TestTrueStatementsAreNotBroken asks questions whose answer is known to be no: the same searches must come
// back empty.
func TestTrueStatementsAreNotBroken(t *testing.T) {
	ctx := context.Background()
	small := optimise.Effort{Scan: 300, Starts: 2, Global: 300, Local: 100, Restart: 1}
	// On the parabola s = p²/α a start above p₋ does not collapse and one below does not escape (basin,
	// onparabola).
	for _, q := range []Question{collapseFromAbove(), escapeFromBelow()} {
		score := q.Score
		q.Score = func(ctx context.Context, x []float64, s Solver) float64 {
			y := append([]float64(nil), x...)
			y[1] = y[0] * y[0] / y[2]
			if y[0] <= 0 {
				return 1
			}
			return score(ctx, y, s)
		}
		if r := Search(ctx, q, 1, small); r.Found {
			t.Errorf("%s on the parabola: %s", q.Label(), q.Text(r.X))
		}
	}
	// A certificate for a false answer must not exist either: s = p²/α exactly, p on the wrong side.
	x := []*big.Rat{big.NewRat(1, 2), big.NewRat(1, 4), big.NewRat(1, 1), big.NewRat(1, 10), new(big.Rat), big.NewRat(1, 1), big.NewRat(30, 1)}
	for _, q := range []Question{collapseFromAbove(), escapeFromBelow()} {
		if c, err := q.Certify(x); err == nil || !strings.Contains(err.Error(), "not proved") {
			t.Errorf("%s: certified: %v %v", q.Label(), c.Facts, err)
		}
	}
}
