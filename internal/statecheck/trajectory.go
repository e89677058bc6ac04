package statecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// trajectory is the course of a part's state variables from a state on.
type trajectory struct {
	times  []float64
	vars   []map[string]matrix // by time
	packed [][]float64         // the same as the system packs it
	// coarse is the same at a hundred times the tolerance: the difference estimates the error.
	coarse []map[string]matrix
	note   string // why it ends early, if it does
	cut    bool   // it ends early at a limit of steps, not where the motion ends
}

// The tolerances of the two integrations. The finer one is what statements are judged by; the coarser one is
// the default of package ode, and its distance from the finer one bounds the finer one's own error with room
// to spare.
const (
	fineRelTol   = ode.DefaultRelTol / 100
	fineAbsTol   = ode.DefaultAbsTol / 100
	coarseRelTol = ode.DefaultRelTol
	coarseAbsTol = ode.DefaultAbsTol
)

// system is a right-hand side over packed state variables.
type system struct {
	rhs    ode.RHS
	y0     []float64
	unpack func(y []float64) map[string]matrix
	steps  int // at most
	cost   int // of a step
}

// effort is what one check may still do, all its parts and choices of modes together.
type effort struct {
	work  int // of judging and of following trajectories: a step of compiled equations of a few numbers counts as one
	looks int // of looking for exact objects where floating point speaks against a part; an enclosure counts as ten
}

func newEffort() *effort { return &effort{work: 20_000_000, looks: 500} }

// look pays for a look of a price, if it is left.
func (e *effort) look(price int) bool {
	if e.looks < price {
		return false
	}
	e.looks -= price
	return true
}

// What it counts as to judge a part at one choice of modes, for each ten operations and operands of it, and to ask the model there,
// for each.
const (
	judgingModes = 10
	asking       = 6
)

// judging is what it counts as to judge a part along a trajectory, however few its steps and its operations.
const judging = 2_000

// follow integrates the part's flow from the bound state over [0, end] and reports the state at count+1
// equidistant times.
func (b *binding) follow(ctx context.Context, end float64, count int) (*trajectory, error) {
	sys, agrees, err := b.compiled()
	if err != nil {
		return nil, err
	}
	if sys != nil {
		sys.steps, sys.cost = ode.DefaultMaxSteps, 1+len(sys.y0)/4
		tr, err := b.along(ctx, sys, end, count)
		if err != nil || ctx.Err() != nil {
			return nil, err
		}
		// What solves the one equations solves the other, if they agree all along it.
		same := true
		for i := 0; same && i < len(tr.vars); i++ {
			same = agrees(tr.packed[i], tr.vars[i])
		}
		if same {
			return tr, nil
		}
	}
	if sys, err = b.interpreted(); err != nil {
		return nil, err
	}
	return b.along(ctx, sys, end, count)
}

// along integrates a system.
func (b *binding) along(ctx context.Context, sys *system, end float64, count int) (*trajectory, error) {
	times := make([]float64, count+1)
	for i := range times {
		times[i] = end * float64(i) / float64(count)
	}
	solve := func(rel, abs float64) (*ode.Solution, error) {
		steps := min(sys.steps, b.left.work/sys.cost)
		if steps < 1 {
			return nil, errSpent
		}
		sol, err := ode.Solve(ctx, sys.rhs, 0, sys.y0, end, &ode.Settings{Output: times, RelTol: rel, AbsTol: abs, MaxSteps: steps})
		if sol != nil {
			b.left.work -= sys.cost * (sol.Stats.Steps + sol.Stats.Rejected)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if sol == nil || len(sol.T) == 0 {
			return nil, fmt.Errorf("statecheck: the trajectory cannot be followed: %w", err)
		}
		return sol, err
	}
	b.left.work -= judging + 20*b.whole.Extent()
	fine, err := solve(fineRelTol, fineAbsTol)
	if fine == nil {
		return nil, err
	}
	coarse, worse := solve(coarseRelTol, coarseAbsTol)
	if coarse == nil {
		return nil, worse
	}
	n := min(len(fine.T), len(coarse.T))
	tr := &trajectory{}
	if err = cmp.Or(err, worse); err != nil {
		tr.note = fmt.Sprintf("followed to t = %.6g only: %v", fine.T[n-1], err)
		var limit *ode.LimitError
		tr.cut = errors.As(err, &limit)
	}
	tr.times = fine.T[:n]
	for i := range n {
		tr.packed = append(tr.packed, fine.Y[i])
		tr.vars = append(tr.vars, sys.unpack(fine.Y[i]))
		tr.coarse = append(tr.coarse, sys.unpack(coarse.Y[i]))
	}
	return tr, nil
}

// errSpent is returned where a check has followed as much as it may.
var errSpent = errors.New("statecheck: the trajectory is not followed: the steps that one check may take, all its parts and modes together, are used up")

// interpretedSteps bounds the steps of a trajectory along equations that are interpreted, of one number that moves: seconds.
const interpretedSteps = 50_000

// interpreted evaluates the claim's own equations.
func (b *binding) interpreted() (*system, error) {
	vars := b.env.Flow
	s := &system{}
	for _, q := range vars {
		s.y0 = append(s.y0, b.st.Vals[q.Name].A...)
	}
	s.unpack = func(y []float64) map[string]matrix {
		out := map[string]matrix{}
		for _, q := range vars {
			m := b.st.Vals[q.Name]
			out[q.Name] = matrix{R: m.R, C: m.C, A: append([]float64(nil), y[:len(m.A)]...)}
			y = y[len(m.A):]
		}
		return out
	}
	if _, err := b.rightHandSide(s.unpack(s.y0)); err != nil {
		return nil, err
	}
	s.steps = max(500, interpretedSteps/max(1, len(s.y0)))
	s.cost = 20*max(1, len(s.y0)) + 2*b.whole.Extent()
	s.rhs = func(_ float64, y, dydt []float64) {
		d, err := b.rightHandSide(s.unpack(y))
		if err != nil {
			// The solver shortens its step and in the end reports where the equations stop making sense.
			for i := range dydt {
				dydt[i] = math.NaN()
			}
			return
		}
		copy(dydt, d)
	}
	return s, nil
}

// rightHandSide evaluates the flow's equations in the order of the flow.
func (b *binding) rightHandSide(vars map[string]matrix) ([]float64, error) {
	c, err := b.at(vars)
	if err != nil {
		return nil, err
	}
	e, err := eval.New(eval.Float{}, b.part.Env, c.st)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, q := range b.env.Flow {
		m, err := e.RightHandSide(q.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, m.A...)
	}
	return out, nil
}

// route says which flow of package flow has the trajectories of a system of the claims.
type route struct {
	flow string
	// slaved sets Wa = tau·W before each evaluation; frozen stops the target by beta = 0.
	slaved, frozen bool
}

// routes maps the systems whose equations hold expectations, which are slow to evaluate, and the nine flows of
// package flow. Whether a route is right is not taken on trust: see compiled.
var routes = map[string]route{
	"printed1":         {flow: "lemma1"},
	"printediso":       {flow: "lemma1"},
	"trueema":          {flow: "symmetrised"},
	"anytarget":        {flow: "lemma1", frozen: true},
	"emaiso":           {flow: "lemma1", slaved: true},
	"emafrozen":        {flow: "lemma1", slaved: true},
	"threeassumptions": {flow: "symmetrised", slaved: true},
	"splitdecay":       {flow: "lemma1", frozen: true},
}

// routeTol is the agreement asked of a compiled right-hand side with the claim's own, relative to the largest
// of the derivatives and of the state: both are sums of fewer than 10⁵ products in float64, so that they
// agree to 10⁵·2⁻⁵³ ≈ 1e-11 of the largest product; two digits are for products larger than their sum.
const routeTol = 1e-9

// compiled returns the system of package flow with the same equations, or nil if there is none, and a comparison of its
// right-hand side with the claim's own at a packed state, whose variables have these values. A difference at the bound state
// means that it is another system, and nil is returned. A claim may have other moments, and other equations with the same
// values there, so that the comparison is made wherever the system leads.
func (b *binding) compiled() (*system, func(y []float64, vars map[string]matrix) bool, error) {
	r, ok := routes[b.env.FlowOf]
	if !ok {
		r = route{flow: b.env.FlowOf}
	}
	f, err := flow.ByName(r.flow)
	if err != nil {
		return nil, nil, nil
	}
	fs := b.flowState(r, slices.Contains(f.Variables(), "tau"))
	sys, err := f.Bind(fs)
	if err != nil {
		return nil, nil, nil
	}
	y0 := sys.Initial()
	own := len(y0)
	if r.slaved {
		own -= len(b.st.Vals["W"].A) // the target is the last variable
	}
	full := make([]float64, len(y0))
	dfull := make([]float64, len(y0))
	inner := sys.RHS()
	complete := func(y []float64) []float64 {
		copy(full, y)
		if r.slaved {
			tau := b.st.Vals["tau"].A[0]
			for i, w := range y[own-(len(y0)-own) : own] {
				full[own+i] = tau * w
			}
		}
		return full
	}
	s := &system{y0: y0[:own]}
	s.rhs = func(t float64, y, dydt []float64) {
		inner(t, complete(y), dfull)
		copy(dydt, dfull)
	}
	s.unpack = func(y []float64) map[string]matrix {
		st := sys.Unpack(0, append([]float64(nil), complete(y)...))
		out := map[string]matrix{}
		for _, q := range b.env.Flow {
			switch m := flowMatrix(st, q.Name); {
			case m != nil:
				out[q.Name] = fromDense(m)
			case flowModes(st, q.Name) != nil:
				out[q.Name] = eval.ScalarOf(flowModes(st, q.Name)[0])
			default:
				out[q.Name] = b.st.Vals[q.Name] // stands still
			}
		}
		return out
	}
	agrees := func(y []float64, vars map[string]matrix) bool {
		want, err := b.rightHandSide(vars)
		if err != nil {
			return false
		}
		// A derivative unpacks like the state, and a variable that stands still to its value: compare those that
		// the flow moves.
		got := make([]float64, own)
		s.rhs(0, y, got)
		moved := sys.Unpack(0, append(got, make([]float64, len(y0)-own)...))
		scale := norm(want) + norm(y)
		for _, q := range b.env.Flow {
			n := len(b.st.Vals[q.Name].A)
			w := want[:n]
			want = want[n:]
			var g []float64
			if m := flowMatrix(moved, q.Name); m != nil {
				g = fromDense(m).A
			} else if v := flowModes(moved, q.Name); v != nil {
				g = v
			} else {
				g = make([]float64, n)
			}
			if len(g) != n {
				return false
			}
			for i := range w {
				if !(abs(w[i]-g[i]) <= routeTol*scale) {
					return false
				}
			}
		}
		return true
	}
	if _, err := b.rightHandSide(s.unpack(s.y0)); err != nil {
		return nil, nil, err
	}
	if !agrees(s.y0, s.unpack(s.y0)) {
		return nil, nil, nil
	}
	return s, agrees, nil
}

// flowMatrix is the matrix of package flow's state that a name stands for, or nil.
func flowMatrix(s *flow.State, name string) *mat.Dense {
	switch name {
	case "W":
		return s.W
	case "Wp":
		return s.Wp
	case "Wa":
		return s.Wa
	case "F":
		return s.F
	case "X":
		return s.X
	case "Xp":
		return s.Xp
	}
	return nil
}

// flowModes are the modes of package flow's state that a name stands for, or nil.
func flowModes(s *flow.State, name string) []float64 {
	switch name {
	case "p":
		return s.P
	case "s":
		return s.S
	case "tau":
		return s.TauModes
	case "w":
		return s.Wm
	case "wa":
		return s.WaM
	}
	return nil
}

// flowState returns the bound values as a state of package flow; movingTau says whether the flow has tau as a
// variable.
func (b *binding) flowState(r route, movingTau bool) *flow.State {
	s := flow.NewState()
	for _, k := range []struct {
		name string
		to   *float64
	}{{"alpha", &s.Alpha}, {"etas", &s.Eta}, {"eta", &s.Eta}, {"beta", &s.Beta}, {"sigma2", &s.Sigma2}, {"tau", &s.Tau}} {
		if v, ok := b.st.Vals[k.name]; ok {
			*k.to = v.A[0]
		}
	}
	if r.frozen {
		s.Beta = 0
	}
	for _, q := range b.env.Order {
		v, ok := b.st.Vals[q]
		if !ok {
			continue
		}
		scalar := b.env.Symbols[q].Kind == lang.Scalar
		switch {
		case !scalar && q == "W":
			s.W = toDense(v)
		case !scalar && q == "Wp":
			s.Wp = toDense(v)
		case !scalar && q == "Wa":
			s.Wa = toDense(v)
		case !scalar && q == "F":
			s.F = toDense(v)
		case !scalar && q == "X":
			s.X = toDense(v)
		case !scalar && q == "Xp":
			s.Xp = toDense(v)
		case scalar && q == "p":
			s.P = v.A
		case scalar && q == "s":
			s.S = v.A
		case scalar && q == "w":
			s.Wm = v.A
		case scalar && q == "wa":
			s.WaM = v.A
		case scalar && q == "tau" && movingTau:
			s.TauModes = v.A
		}
	}
	if r.slaved && s.W != nil {
		s.Wa = toDense(b.st.Vals["W"])
		s.Wa.Scale(s.Tau, s.Wa)
	}
	return s
}

func norm(v []float64) float64 {
	n := 0.0
	for _, x := range v {
		n = math.Hypot(n, x)
	}
	return n
}
