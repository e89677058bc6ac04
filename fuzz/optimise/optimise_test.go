package optimise

import (
	"context"
	"math"
	"slices"
	"testing"
)

// rosenbrock in the cube: its minimum 0 lies at (0.6, 0.6, …) after scaling by 2 and shifting by 0.1.
func rosenbrock(u []float64) float64 {
	x := make([]float64, len(u))
	for i, v := range u {
		x[i] = 2*v - 0.2
	}
	s := 0.0
	for i := range len(x) - 1 {
		s += 100*math.Pow(x[i+1]-x[i]*x[i], 2) + math.Pow(1-x[i], 2)
	}
	return s
}

var small = Effort{Scan: 200, Starts: 2, Global: 1500, Local: 1500}

func TestMinimiseFindsAMinimumByEveryStage(t *testing.T) {
	r := Minimise(context.Background(), Problem{Dim: 4, F: rosenbrock, Target: 1e-10}, 1, "t", small)
	if !r.Found || r.F >= 1e-10 || r.Evals > small.Evaluations() {
		t.Fatalf("%+v", r)
	}
	for _, v := range r.U {
		// A value below 1e-10 is within 1e-4 of the minimum: the least curvature of the function is 0.4 there.
		if math.Abs(v-0.6) > 1e-4 {
			t.Errorf("minimum at %v", r.U)
		}
	}
	// Nothing is below its minimum.
	if r := Minimise(context.Background(), Problem{Dim: 4, F: rosenbrock, Target: -1e-6}, 1, "t", small); r.Found || r.F < 0 || r.CutOff {
		t.Errorf("found %v at %v", r.F, r.U)
	}
	// Without optimisers the scan alone finds a large set.
	r = Minimise(context.Background(), Problem{Dim: 2, F: func(u []float64) float64 { return u[0] - 0.9 }, Target: 0}, 1, "t", Effort{Scan: 50})
	if !r.Found || r.Stage != "scan" {
		t.Errorf("%+v", r)
	}
}

func TestMinimiseIsReproducible(t *testing.T) {
	run := func(seed uint64, label string) Result {
		return Minimise(context.Background(), Problem{Dim: 3, F: rosenbrock, Target: -1}, seed, label, Effort{Scan: 64, Starts: 3, Global: 200, Local: 100})
	}
	a, b := run(1, "x"), run(1, "x")
	if a.F != b.F || !slices.Equal(a.U, b.U) || a.Evals != b.Evals {
		t.Errorf("%+v and %+v", a, b)
	}
	for _, c := range []Result{run(2, "x"), run(1, "y")} {
		if slices.Equal(a.U, c.U) {
			t.Error("another seed or label gives the same search")
		}
	}
}

func TestMinimiseGoesOnWhileRefused(t *testing.T) {
	asked := 0
	r := Minimise(context.Background(), Problem{Dim: 1, F: func(u []float64) float64 { return -u[0] }, Target: -0.2,
		Accept: func(u []float64, f float64) bool { asked++; return u[0] > 0.8 }}, 1, "t", Effort{Scan: 100})
	if !r.Found || r.U[0] <= 0.8 || asked < 2 {
		t.Errorf("%+v after %d questions", r, asked)
	}
}

func TestMinimiseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	r := Minimise(ctx, Problem{Dim: 2, F: func([]float64) float64 {
		if n++; n == 30 {
			cancel()
		}
		return 1
	}, Target: 0}, 1, "t", small)
	if !r.CutOff || r.Found || r.Evals != 30 {
		t.Errorf("%+v", r)
	}
}

// TestMinimiseSurvivesPointsOutOfTheQuestion has a function that is NaN and infinite on most of the cube.
func TestMinimiseSurvivesPointsOutOfTheQuestion(t *testing.T) {
	f := func(u []float64) float64 {
		switch {
		case u[0] < 0.5:
			return math.NaN()
		case u[1] < 0.5:
			return math.Inf(1)
		}
		return math.Hypot(u[0]-0.75, u[1]-0.75) - 0.01
	}
	if r := Minimise(context.Background(), Problem{Dim: 2, F: f, Target: 0}, 1, "t", Effort{Scan: 20, Starts: 4, Global: 400, Local: 200}); !r.Found {
		t.Errorf("%+v", r)
	}
}

func TestReflectStaysInTheCube(t *testing.T) {
	for _, c := range [][2]float64{{0.3, 0.3}, {-0.25, 0.25}, {1.25, 0.75}, {2.5, 0.5}, {-3.75, 0.25}, {1, 1}, {0, 0}} {
		if got := Reflect([]float64{c[0]})[0]; got != c[1] {
			t.Errorf("%v reflects to %v, want %v", c[0], got, c[1])
		}
	}
	if got := Reflect([]float64{math.NaN(), math.Inf(1)}); got[0] != 0.5 || got[1] != 0.5 {
		t.Errorf("%v", got)
	}
}

// TestManyCoordinates: CMA-ES takes the square of the number of coordinates a step, and is left out of very many.
func TestManyCoordinates(t *testing.T) {
	bowl := func(u []float64) (f float64) {
		for _, x := range u {
			f += (x - 0.4) * (x - 0.4)
		}
		return f
	}
	for dim, least := range map[int]int{16: 200, 200: 82, 3000: 0} {
		e := Effort{Scan: 2, Starts: 1, Global: 200}
		r := Minimise(context.Background(), Problem{Dim: dim, F: bowl, Target: -1}, 1, "t", e)
		if got := r.Evals - e.Scan; got < least*9/10 || got > least*11/10+1 {
			t.Errorf("%d coordinates: %d evaluations of CMA-ES, want %d", dim, got, least)
		}
	}
}
