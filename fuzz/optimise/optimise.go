package optimise

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"stopgrad/fuzz/design"
)

// Effort says how many evaluations each stage may take.
type Effort struct {
	Scan    int // points of the design
	Starts  int // points of the scan that are improved
	Global  int // evaluations of CMA-ES from each start
	Local   int // evaluations of Nelder–Mead from where CMA-ES ended
	Restart int // how often the whole is repeated, with another scrambling, while nothing is found
}

// Evaluations returns the most evaluations that the effort allows.
func (e Effort) Evaluations() int {
	return max(1, e.Restart) * (e.Scan + e.Starts*(e.Global+e.Local))
}

// Problem is a function on the cube [0,1]^Dim to be made less than Target.
type Problem struct {
	Dim    int
	F      func(u []float64) float64 // +Inf and NaN mark points that are out of the question
	Target float64
	// Accept, if not nil, is asked about a point below Target; the search goes on while it refuses.
	Accept func(u []float64, f float64) bool
}

// Result is where a search ended.
type Result struct {
	U     []float64 // the accepted point, or the lowest
	F     float64
	Found bool   // below Target and accepted
	Stage string // that found it: scan, cma-es or nelder-mead
	Evals int
	// CutOff is set if the context ended the search before its evaluations were used up.
	CutOff bool
}

// worst stands for points that are out of the question: finite, so that the methods can average and sort.
const worst = 1e30

// Minimise searches p. Coordinates that a method takes out of the cube are reflected back into it.
func Minimise(ctx context.Context, p Problem, seed uint64, label string, e Effort) Result {
	h := fnv.New64a()
	h.Write([]byte(label))
	s := &search{ctx: ctx, p: p, res: Result{F: math.Inf(1)}}
	for k := range max(1, e.Restart) {
		s.run(seed+uint64(k)*0x9e3779b97f4a7c15, h.Sum64(), e)
		if s.res.Found || s.res.CutOff {
			break
		}
	}
	return s.res
}

type search struct {
	ctx   context.Context
	p     Problem
	res   Result
	stage string
}

func (s *search) done() bool {
	if s.res.Found {
		return true
	}
	if s.ctx.Err() != nil {
		s.res.CutOff = true
	}
	return s.res.CutOff
}

// eval evaluates F at the reflection of x, and keeps the lowest point.
func (s *search) eval(x []float64) float64 {
	if s.done() {
		return worst
	}
	u := Reflect(x)
	s.res.Evals++
	f := s.p.F(u)
	if math.IsNaN(f) || f > worst {
		f = worst
	}
	accepted := f < s.p.Target && (s.p.Accept == nil || s.p.Accept(u, f))
	if accepted || f < s.res.F {
		s.res.U, s.res.F, s.res.Stage = u, f, s.stage
		s.res.Found = accepted
	}
	return f
}

func (s *search) run(seed, label uint64, e Effort) {
	type point struct {
		u []float64
		f float64
	}
	s.stage = "scan"
	var best []point
	next := s.design(seed^label, e.Scan)
	for i := range e.Scan {
		u := make([]float64, s.p.Dim)
		next(i, u)
		f := s.eval(u)
		if s.done() {
			return
		}
		if e.Starts > 0 && (len(best) < e.Starts || f < best[len(best)-1].f) {
			best = append(best, point{u, f})
			slices.SortStableFunc(best, func(a, b point) int {
				switch {
				case a.f < b.f:
					return -1
				case a.f > b.f:
					return 1
				}
				return 0
			})
			best = best[:min(len(best), e.Starts)]
		}
	}
	global := e.Global
	if wide := float64(s.p.Dim) / fewAxes; wide > 1 {
		// A step of CMA-ES takes Dim² operations for each of its points, of which it begins with some.
		if global = int(float64(e.Global) / (wide * wide)); float64(global) < 4+3*math.Log(float64(s.p.Dim)) {
			global = 0
		}
	}
	for i, b := range best {
		x := b.u
		if global > 0 {
			s.stage = "cma-es"
			// A standard deviation of a sixth of the cube covers the basin of a point of the scan.
			x = s.minimise(x, global, &optimize.CmaEsChol{InitStepSize: 1.0 / 6, Src: rand.NewPCG(seed+uint64(i), label)})
		}
		if e.Local > 0 && !s.done() {
			s.stage = "nelder-mead"
			s.minimise(x, e.Local, &optimize.NelderMead{SimplexSize: 0.02})
		}
		if s.done() {
			return
		}
	}
}

// fewAxes is up to how many coordinates CMA-ES has all of its evaluations.
const fewAxes = 128

// design returns the points of the scan: scrambled Halton in up to design.MaxDim coordinates, independent
// uniform numbers in the rest.
func (s *search) design(seed uint64, n int) func(i int, u []float64) {
	d := min(s.p.Dim, design.MaxDim)
	h := design.NewHalton(seed, d, n)
	return func(i int, u []float64) {
		h.At(i, u[:d])
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for j := d; j < len(u); j++ {
			u[j] = rng.Float64()
		}
	}
}

// minimise runs a method of gonum from x and returns where it ended.
func (s *search) minimise(x []float64, evals int, m optimize.Method) []float64 {
	res, err := optimize.Minimize(optimize.Problem{Func: s.eval, Status: s.status}, slices.Clone(x),
		&optimize.Settings{FuncEvaluations: evals, Converger: optimize.NeverTerminate{}}, m)
	// An error means that the method could not go on, as for a singular covariance; the points it has seen
	// are kept by eval.
	if err != nil || res == nil {
		return x
	}
	return Reflect(res.X)
}

func (s *search) status() (optimize.Status, error) {
	if s.done() {
		return optimize.MethodConverge, nil
	}
	return optimize.NotTerminated, nil
}

// Reflect returns the point of the cube onto which x folds, each coordinate reflected at 0 and 1.
func Reflect(x []float64) []float64 {
	u := make([]float64, len(x))
	for i, v := range x {
		v = math.Abs(math.Mod(v, 2))
		if v > 1 {
			v = 2 - v
		}
		if math.IsNaN(v) {
			v = 0.5
		}
		u[i] = v
	}
	return u
}
