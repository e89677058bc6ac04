package pursuit

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/falsify"
	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/optimise"
	"stopgrad/numeric/ode"
	"stopgrad/props/equations"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

// Clear is by how much an objective must be negative: the search looks for failures that simple numbers and an enclosure
// can show.
const Clear = 1.0 / 64

// Result is what a search came to.
type Result struct {
	Refutation *verdict.Refutation // nil if none was found
	Witness    verdict.Witness     // where the motion starts
	Course     trajectory.Course
	Evals      int // motions integrated
	Nearest    float64
	CutOff     bool
	Err        error // why a motion that seemed to fail was not confirmed
}

// Able reports whether the search knows what to look for.
func Able(part *lang.Part) bool {
	if part.Fault != nil || len(part.Env.Flow) == 0 || part.Stmt.Course == lang.OverSteps {
		return false
	}
	switch part.Stmt.Kind {
	case lang.Vanishes:
		return true
	case lang.Always, lang.Inequality, lang.Definite:
		// At time 0 a statement about all times is one about states.
		for _, a := range part.Assumes {
			if a.Start {
				return true
			}
		}
		return part.Stmt.Kind == lang.Always
	}
	return false
}

// Effort plans a search: of motions, and of states that minimisation looks at. Work is how many right-hand sides, long
// ones as several, are evaluated at each size before no further motion is followed.
type Effort struct {
	Optimise optimise.Effort
	Minimise int
	Work     int
}

// Search looks for a motion. It depends on the seed, the label and the effort alone, unless ctx ends it.
func Search(ctx context.Context, part *lang.Part, seed uint64, label string, e Effort) Result {
	res := Result{Nearest: math.Inf(1)}
	if !Able(part) {
		res.Err = fmt.Errorf("pursuit: no search for this statement")
		return res
	}
	for n := range 2 {
		// Two by two first: the least sizes at which matrices need not commute.
		dims := map[lang.Dim]int{}
		for _, d := range part.Env.Sizes {
			dims[d] = 2 - n
		}
		if n == 1 && len(dims) == 0 {
			break
		}
		p, err := newPursuer(ctx, part, dims)
		if err != nil {
			res.Err = err
			continue
		}
		p.work = e.Work
		p.search(seed, label, e, &res)
		if res.Refutation != nil || res.CutOff {
			break
		}
	}
	return res
}

// pursuer searches one part at given sizes.
type pursuer struct {
	ctx    context.Context
	part   *lang.Part
	chart  *chart.Chart
	axes   []falsify.Axis
	letter []letter
	limits bool
	// work is how many short right-hand sides may still be evaluated.
	work int
}

// letter is a state variable and where its entries are in the vector that is integrated.
type letter struct {
	name       string
	rows, cols int
	from       int
}

func newPursuer(ctx context.Context, part *lang.Part, dims map[lang.Dim]int) (*pursuer, error) {
	c, err := chart.NewFree(part, dims)
	if err != nil {
		return nil, err
	}
	p := &pursuer{ctx: ctx, part: part, chart: c, axes: falsify.Axes(c), limits: part.Stmt.Kind == lang.Vanishes}
	at := 0
	for _, q := range part.Env.Flow {
		s := part.Env.Symbols[q.Name]
		l := letter{name: q.Name, rows: 1, cols: 1, from: at}
		if s.Kind == lang.Matrix {
			l.rows, l.cols = dims[s.Rows], dims[s.Cols]
			if s.Rows == "1" {
				l.rows = 1
			}
			if s.Cols == "1" {
				l.cols = 1
			}
		}
		at += l.rows * l.cols
		p.letter = append(p.letter, l)
	}
	return p, nil
}

// state builds the state of coordinates. Among them are the values that inputs keep.
func (p *pursuer) state(x []float64) (eval.State[float64], error) {
	return chart.Build(p.chart, eval.Float{}, x)
}

// unmet is how far the hypotheses are from holding at a state, 0 if they hold; of those that are assumed all along alone
// where later is set.
func (p *pursuer) unmet(f *eval.Finding, later bool) float64 {
	lack := 0.0
	for _, a := range p.part.Assumes {
		if a.Start && later || f.Hypotheses[a.Name] {
			continue
		}
		lack += f.Lacks[a.Name] + 1e-6
	}
	if later {
		return lack
	}
	for name, ok := range f.Hypotheses {
		if _, declared := lang.DeclaredOf(name); declared && !ok {
			lack++
		}
	}
	return lack
}

// path is a motion in float64: the states at accepted times.
type path struct {
	t []float64
	y [][]float64
}

// horizon is how long a motion is followed where no limit is spoken of.
const (
	horizon  = 60.0
	maxSteps = 2000
	looks    = 48  // states of a motion at which the statement is looked at
	short    = 500 // operations of a right-hand side that counts as one
)

func (p *pursuer) follow(st eval.State[float64]) (path, bool) {
	if p.work <= 0 {
		return path{}, false
	}
	field, err := equations.NewField(p.part.Env, st)
	if err != nil {
		return path{}, false
	}
	derivative := field.RHS()
	cost := 1 + field.Operations()/short
	rhs := func(t float64, y, dy []float64) {
		p.work -= cost
		derivative(t, y, dy)
	}
	y0 := field.Initial()
	ends := []float64{horizon}
	settings := ode.Settings{Method: ode.Verner8, RelTol: 1e-8, AbsTol: 1e-12, MaxSteps: maxSteps}
	if p.limits {
		ends = []float64{25, 50, 100, 200, 400}
		settings.Events = []ode.Event{{G: func(_ float64, y []float64) float64 { return runaway - largest(y) }, Terminal: true}}
	}
	var way path
	dy := make([]float64, field.Dim())
	from := 0.0
	for _, end := range ends {
		sol, err := ode.Solve(p.ctx, rhs, from, y0, end, &settings)
		if sol == nil || p.limits && (err != nil || len(sol.Events) > 0) {
			return path{}, false
		}
		way.t, way.y = append(way.t, sol.T...), append(way.y, sol.Y...)
		from, y0 = end, sol.Y[len(sol.Y)-1]
		if rhs(from, y0, dy); p.limits && largest(dy) < still/2 {
			break
		}
	}
	return way, len(way.y) > 1
}

// still is the speed below which a motion counts as having come to rest.
const still = 1e-6

// runaway is the size beyond which a motion is not followed to its rest: what escapes to infinity comes to none, and is the
// slowest to follow.
const runaway = 1e6

func largest(y []float64) (size float64) {
	for _, v := range y {
		size = max(size, math.Abs(v))
	}
	return size
}

// with is the state with other values for what moves.
func (p *pursuer) with(st eval.State[float64], y []float64) eval.State[float64] {
	out := eval.State[float64]{Dims: st.Dims, Vals: make(map[string]eval.Matrix[float64], len(st.Vals))}
	for name, m := range st.Vals {
		out.Vals[name] = m
	}
	for _, l := range p.letter {
		out.Vals[l.name] = eval.Matrix[float64]{R: l.rows, C: l.cols, A: y[l.from : l.from+l.rows*l.cols]}
	}
	return out
}

// score is the objective: negative where the statement fails along the motion from the state, with the time at which
// it fails most.
func (p *pursuer) score(st eval.State[float64]) (s, at float64, way path) {
	start, err := eval.Judge(eval.Float{}, p.part, st)
	if err != nil {
		return math.Inf(1), 0, way
	}
	if lack := p.unmet(start, false); lack > 0 {
		return 2 + squash(lack), 0, way
	}
	way, ok := p.follow(st)
	if !ok {
		return math.Inf(1), 0, way
	}
	if p.limits {
		return p.limit(st, way), 0, way
	}
	s = math.Inf(1)
	step := max(1, len(way.y)/looks)
	for k := step; k < len(way.y); k += step {
		f, err := eval.Judge(eval.Float{}, p.part, p.with(st, way.y[k]))
		if err != nil || p.unmet(f, true) > 0 {
			break
		}
		m, ok := p.margin(f, p.with(st, way.y[k]))
		if !ok {
			break
		}
		if m < s {
			s, at = m, way.t[k]
		}
	}
	return s / (1 + math.Abs(s)), at, way
}

// margin is how far the statement is from failing at a state: of an inequality relative to its sides alone, which may be
// small differences of large numbers, and may all decay.
func (p *pursuer) margin(f *eval.Finding, st eval.State[float64]) (float64, bool) {
	s := p.part.Stmt
	if s.Kind == lang.Always {
		s = s.Of
	}
	if s.Kind != lang.Inequality {
		return falsify.Margin(f)
	}
	e, err := eval.New(eval.Float{}, p.part.Env, st)
	if err != nil {
		return 0, false
	}
	l, err := e.Eval(s.L)
	if err != nil {
		return 0, false
	}
	r, err := e.Eval(s.R)
	if err != nil || len(l.A) != 1 || len(r.A) != 1 {
		return 0, false
	}
	m, size := l.A[0]-r.A[0], math.Abs(l.A[0])+math.Abs(r.A[0])
	if s.Rel == "<" || s.Rel == "<=" {
		m = -m
	}
	return m / max(size, math.SmallestNonzeroFloat64), true
}

// limit is the objective of “L vanishes”: how far the motion is from a rest at which L is not zero.
func (p *pursuer) limit(st eval.State[float64], way path) float64 {
	last := p.with(st, way.y[len(way.y)-1])
	e, err := eval.New(eval.Float{}, p.part.Env, last)
	if err != nil {
		return math.Inf(1)
	}
	l, err := e.Eval(p.part.Stmt.L)
	if err != nil {
		return math.Inf(1)
	}
	size, speed := 0.0, 0.0
	for _, v := range l.A {
		size = max(size, math.Abs(v))
	}
	for _, q := range p.letter {
		m, err := e.RightHandSide(q.name)
		if err != nil {
			return math.Inf(1)
		}
		for _, v := range m.A {
			speed = max(speed, math.Abs(v))
		}
	}
	if speed > still {
		return squash(speed)
	}
	return 2*Clear - squash(size)
}

func squash(x float64) float64 { return x / (1 + x) }

func (p *pursuer) search(seed uint64, label string, e Effort, res *Result) {
	at := func(u []float64) []float64 {
		x := make([]float64, len(u))
		for i, a := range p.axes {
			x[i] = a.At(u[i])
		}
		return x
	}
	for _, x := range p.corners() {
		if p.clear(x) && p.accept(floats(x), e.Minimise, res) {
			return
		}
	}
	tried := 0
	r := optimise.Minimise(p.ctx, optimise.Problem{
		Dim: len(p.axes),
		F: func(u []float64) float64 {
			st, err := p.state(at(u))
			if err != nil {
				return math.Inf(1)
			}
			s, _, _ := p.score(st)
			return s
		},
		Target: -Clear,
		Accept: func(u []float64, _ float64) bool {
			if tried++; tried > 8 {
				return true
			}
			return p.accept(at(u), e.Minimise, res)
		},
	}, seed, label, e.Optimise)
	res.Evals += r.Evals
	res.Nearest, res.CutOff = min(res.Nearest, r.F), r.CutOff
}

// maxCorners bounds the corners of a region that motions are followed from.
const maxCorners = 64

// corners are those of the box that the region of a part is, if it is one and they are few: where a bound is left first.
func (p *pursuer) corners() [][]*big.Rat {
	if !p.part.Region {
		return nil
	}
	out := [][]*big.Rat{nil}
	for _, co := range p.chart.Coords() {
		if co.Kind != chart.Scalar || co.Domain.Lo == nil || co.Domain.Hi == nil {
			return nil
		}
		ends := []*big.Rat{co.Domain.Lo}
		if co.Domain.Lo.Cmp(co.Domain.Hi) != 0 {
			ends = append(ends, co.Domain.Hi)
		}
		var longer [][]*big.Rat
		for _, x := range out {
			for _, end := range ends {
				longer = append(longer, append(slices.Clone(x), end))
			}
		}
		if out = longer; len(out) > maxCorners {
			return nil
		}
	}
	return out
}

// floats are the float64 numbers nearest to exact ones.
func floats(x []*big.Rat) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i], _ = v.Float64()
	}
	return out
}

// accept makes the motion from float64 coordinates exact and simple, and has it confirmed.
func (p *pursuer) accept(u []float64, limit int, res *Result) bool {
	var start []*big.Rat
	for _, rel := range []*big.Rat{big.NewRat(1, 8), big.NewRat(1, 32), big.NewRat(1, 128), big.NewRat(1, 1024), big.NewRat(1, 1<<20)} {
		x := make([]*big.Rat, len(u))
		for i, v := range u {
			r := new(big.Rat).SetFloat64(v)
			if r == nil {
				return false
			}
			x[i] = minimise.Within(r, rel)
		}
		if p.clear(x) {
			start = x
			break
		}
	}
	if start == nil {
		return false
	}
	confirm := func(x []*big.Rat) bool {
		w, err := chart.Build(p.chart, eval.Rational{}, x)
		if err != nil {
			res.Err = err
			return false
		}
		st, err := p.state(floats(x))
		if err != nil {
			res.Err = err
			return false
		}
		course, err := p.course(st, w)
		if err != nil {
			res.Err = err
			return false
		}
		r, err := verdict.Follow(p.part, w, course)
		if err != nil {
			res.Err = err
			return false
		}
		if !r.Verdict().IsRefuted() {
			res.Err = fmt.Errorf("pursuit: %s", r.Reason())
			return false
		}
		res.Refutation, res.Witness, res.Course, res.Err = r, w, r.Trajectory().Course(), nil
		return true
	}
	zeros := func(i int) bool {
		co := p.chart.Coords()[i]
		return co.Kind != chart.Scalar || co.Domain.Contains(new(big.Rat))
	}
	simple, asked := minimise.Vector(p.ctx, start, zeros, p.clear, limit)
	res.Evals += asked
	return confirm(simple) || confirm(start)
}

// clear reports whether the motion from exact coordinates fails clearly in float64.
func (p *pursuer) clear(x []*big.Rat) bool {
	st, err := p.state(floats(x))
	if err != nil {
		return false
	}
	s, _, _ := p.score(st)
	return s < -Clear
}
