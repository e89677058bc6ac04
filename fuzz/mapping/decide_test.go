package mapping

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

// randomMode draws a mode of a model, with κ between 0.01 and 0.4 and a start on both sides of everything.
func randomMode(rng *rand.Rand, m Model) point {
	q := randomParameters(rng)
	q.Eta *= 0.02 + 1.58*rng.Float64()
	if m == Modes {
		q.Eta = (0.01 + 0.4*rng.Float64()) / q.a()
	}
	if m == Parabola {
		q.Alpha = 1
	}
	top := q.Tau / q.a()
	pt := point{Parameters: q, beta: math.Pow(10, 2*rng.Float64()-1), p0: top * (4*rng.Float64() - 1.5)}
	pt.s0 = 3 * top * top / q.Alpha * rng.Float64()
	if m == Parabola {
		pt.s0 = pt.p0 * pt.p0
	}
	return pt
}

// Once a trap has told the outcome it tells no other, and what it told comes true: at the end of a long time s is
// below a thousandth of the collapse trap, or the mode stands still far from it.
func TestTrapsTellTheTruth(t *testing.T) {
	for m := range models {
		m := Model(m)
		rng := rand.New(rand.NewPCG(32, uint64(m)))
		told := map[Outcome]int{}
		for range 60 {
			pt := randomMode(rng, m)
			d, err := m.bind(pt)
			if err != nil {
				t.Fatal(err)
			}
			d.setTrap()
			// Ten points of output in each relaxation time, for twice the default horizon.
			end := 2 * d.horizon(0)
			sol, err := ode.Solve(t.Context(), d.rhs, 0, d.y0, end, &ode.Settings{RelTol: relTol, AbsTol: absTol, InitialStep: d.firstStep()})
			if err != nil {
				t.Fatal(err)
			}
			first := Undecided
			for i, y := range sol.Y {
				o := d.trap(y)
				if first == Undecided {
					first = o
				} else if o != first {
					t.Fatalf("%s %+v: told %v, at t = %v %v", m, pt, first, sol.T[i], o)
				}
			}
			told[first]++
			if first == Undecided {
				continue
			}
			p, s, _ := d.mode(sol.EndY)
			size := max(math.Abs(p), math.Sqrt(pt.Alpha*s))
			dy := make([]float64, len(d.y0))
			d.rhs(0, sol.EndY, dy)
			// Growth ends at a stationary state; 400 relaxation times leave nothing of the way but the solver's error.
			const still = 1e-6
			if collapsed := size < settledBox*d.box; collapsed != (first == Collapse) {
				t.Errorf("%s %+v: told %v, ends at size %v (trap %v)", m, pt, first, size, d.box)
			}
			if first == Growth && math.Abs(dy[0]) > still*size {
				t.Errorf("%s %+v: told growth, still moves by %v", m, pt, dy)
			}
		}
		t.Log(m, told)
		if told[Collapse] < 5 || told[Growth] < 5 || told[Undecided] > 2 {
			t.Errorf("%s: told %v: the test shows little", m, told)
		}
	}
}

// Twin of the collapse trap: with ten times its size it would tell collapse of states that grow. Of the growth trap:
// with its barrier at a quarter of its place, growth of states that collapse.
func TestLargerTrapsWouldLie(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 9))
	collapse, growth := 0, 0
	for range 200 {
		q := randomParameters(rng)
		d, err := Frozen.bind(point{Parameters: q, beta: 1, p0: 1, s0: 1})
		if err != nil {
			t.Fatal(err)
		}
		d.setTrap()
		p := 9.9 * d.box
		if o := fate(t, q, p, p*p/q.Alpha); o == Growth {
			collapse++
		}
		p = q.Tau / (8 * q.a()) * 1.01
		if o := fate(t, q, p, p*p/q.Alpha); o == Collapse {
			growth++
		}
	}
	if collapse == 0 || growth == 0 {
		t.Errorf("twins caught: %d and %d", collapse, growth)
	}
}

// The Lyapunov equation's solution solves it, and is positive definite for a stable matrix alone.
func TestLyapunov(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 10))
	stable, unstable := 0, 0
	for range 100 {
		j := mat.NewDense(3, 3, nil)
		for r := range 3 {
			for c := range 3 {
				j.Set(r, c, rng.NormFloat64())
			}
			j.Set(r, r, j.At(r, r)-1)
		}
		p, ok := lyapunov(j)
		if !ok {
			continue
		}
		var a, b mat.Dense
		a.Mul(j.T(), p)
		b.Mul(p, j)
		a.Add(&a, &b)
		// A 6×6 solve: round-off times the condition number, which is at most the size of P times that of the equation.
		const solve = 1e-12
		size := max(1, mat.Norm(p, 2)*mat.Norm(j, 2))
		for r := range 3 {
			for c := range 3 {
				want := 0.0
				if r == c {
					want = -1
				}
				if math.Abs(a.At(r, c)-want) > solve*size*size {
					t.Errorf("residual %v", a.At(r, c)-want)
				}
			}
		}
		var eig mat.Eigen
		if !eig.Factorize(j, mat.EigenNone) {
			t.Fatal("no eigenvalues")
		}
		is := true
		for _, v := range eig.Values(nil) {
			is = is && real(v) < 0
		}
		var chol mat.Cholesky
		if chol.Factorize(p) != is {
			t.Errorf("stable %v, positive definite %v", is, !is)
		}
		if is {
			stable++
		} else {
			unstable++
		}
	}
	if stable < 10 || unstable < 10 {
		t.Errorf("%d stable, %d unstable", stable, unstable)
	}
}

// On the parabola the time from p(0) to a trap is ∫dp/f(p) (claim 1d-dynamics).
func TestTimeIsAnIntegral(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 11))
	seen := map[Outcome]int{}
	for range 40 {
		q := randomParameters(rng)
		q.Alpha = 1
		f := func(p float64) float64 { return p*p*(q.Tau-q.a()*p) - q.Eta*p }
		minus, _, _ := q.Saddle()
		p0 := minus * (0.2 + 1.6*rng.Float64())
		d, err := Parabola.bind(point{Parameters: q, p0: p0, s0: p0 * p0})
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.read(t.Context(), Time, 0)
		if err != nil {
			t.Fatal(err)
		}
		end := d.box
		if got.outcome == Growth {
			end = q.Tau / (2 * q.a())
		}
		if (end-p0)*f(p0) <= 0 {
			if got.value != 0 {
				t.Errorf("%+v from %v: starts in the trap, took %v", q, p0, got.value)
			}
			continue
		}
		seen[got.outcome]++
		// In p = e^u the integrand is smooth; 200 Legendre nodes leave less than the integrator, whose error of relTol per
		// step a passage near p₋ amplifies by p₋/|p0 − p₋|.
		want := quad.Fixed(func(u float64) float64 { return math.Exp(u) / f(math.Exp(u)) }, math.Log(min(p0, end)), math.Log(max(p0, end)), 200, quad.Legendre{}, 0)
		want = math.Abs(want)
		tol := 1e3 * relTol * (1 + minus/math.Abs(p0-minus))
		if math.Abs(got.value-want) > tol*want {
			t.Errorf("%+v from %v = %.3f p₋: %v in %v, want %v", q, p0, p0/minus, got.outcome, got.value, want)
		}
	}
	if seen[Collapse] < 5 || seen[Growth] < 5 {
		t.Errorf("outcomes %v", seen)
	}
}

// Without decay: claim basin, in closed form, and the limits are those of the closed form too.
func TestBasinWithoutDecay(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 12))
	seen := map[Outcome]int{}
	for range 60 {
		q := randomParameters(rng)
		q.Eta = 0
		top := q.Tau / q.a()
		pt := point{Parameters: q, beta: 1, p0: top * (5*rng.Float64() - 2)}
		pt.s0 = 2 * top * top / q.Alpha * rng.Float64()
		want, err := pt.predict(t.Context(), Frozen)
		if err != nil {
			t.Fatal(err)
		}
		c := pt.s0 - pt.p0*pt.p0/q.Alpha
		if edge := q.Alpha*c + top*top; math.Abs(edge) < 0.05*top*top || math.Abs(c) < 0.05*pt.s0 {
			continue // p stops within a twentieth of where the other fate begins
		}
		d, err := Frozen.bind(pt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.read(t.Context(), FinalS, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen[got.outcome]++
		limit := 0.0
		if want == Growth {
			limit = c + top*top/q.Alpha
		}
		if got.outcome != want || math.Abs(got.value-limit) > 10*settledTol*(limit+pt.s0) {
			t.Errorf("%+v: %v, s → %v; want %v, %v", pt, got.outcome, got.value, want, limit)
		}
	}
	if seen[Collapse] < 5 || seen[Growth] < 5 || seen[Undecided] > 0 {
		t.Errorf("outcomes %v", seen)
	}
}

// A mode that starts at large p nearly loses s before it has the p to grow. With ln s as a variable nothing is lost;
// with an absolute tolerance of 1e-14, or by the sign of s' at the start, outcomes differ.
func TestSmallSKeepsItsDigits(t *testing.T) {
	q := Parameters{Eta: 0.02, Alpha: 1, Tau: 1}
	logarithmic := func(p, s float64) Outcome {
		sol, err := ode.Solve(t.Context(), func(_ float64, y, dy []float64) {
			drive := q.Tau - q.a()*y[0]
			dy[0] = q.Alpha*math.Exp(y[1])*drive - q.Eta*y[0]
			dy[1] = 2 * (y[0]*drive - q.Eta)
		}, 0, []float64{p, math.Log(s)}, 2000, &ode.Settings{RelTol: 1e-11, AbsTol: 1e-12, Output: []float64{2000}})
		if err != nil {
			t.Fatal(err)
		}
		if sol.EndY[0] > q.Tau/(4*q.a()) {
			return Growth
		}
		return Collapse
	}
	rng := rand.New(rand.NewPCG(32, 13))
	seen, lost := map[Outcome]int{}, 0
	for range 40 {
		p, s := 1.5+1.4*rng.Float64(), 0.01*rng.Float64()
		want := logarithmic(p, s)
		seen[want]++
		if got := fate(t, q, p, s); got != want {
			t.Errorf("from (%v, %v): %v, with ln s %v", p, s, got, want)
		}
		// Twin: the tolerance that does for modes of ordinary size.
		d, err := Frozen.bind(point{Parameters: q, p0: p, s0: s})
		if err != nil {
			t.Fatal(err)
		}
		sol, err := ode.Solve(t.Context(), d.rhs, 0, d.y0, 2000, &ode.Settings{RelTol: relTol, AbsTol: 1e-14, Output: []float64{2000}})
		if err != nil || (sol.EndY[0] > q.Tau/(4*q.a())) != (want == Growth) {
			lost++
		}
	}
	t.Logf("%v, %d lost to an absolute tolerance", seen, lost)
	if seen[Collapse] < 5 || seen[Growth] < 5 || lost == 0 {
		t.Error("the examples show nothing")
	}
	// Beyond what float64 holds, the outcome is not guessed: s falls to e^(−0.9²/0.001) = 1e-352 on the way.
	if got := fate(t, Parameters{Eta: 0.001, Alpha: 1, Tau: 1}, 1.9, 1e-4); got != Undecided {
		t.Errorf("s below 1e-308: %v", got)
	}
}
