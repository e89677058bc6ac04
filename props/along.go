package props

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/equations"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Tolerances of [Along].
const (
	// alongRelTol is the solver's tolerance per step; a run takes fewer than a thousand steps.
	alongRelTol, alongAbsTol = 1e-11, 1e-13
	// AlongTolerance bounds how far a true statement may seem to fail: the statements are linear equations or
	// inequalities for L along the flow, L' = r·L, so that local errors of the solver, at most alongRelTol of
	// the sizes met in L, add up over a thousand steps to 1e-8 of them. (Where r > 0 they also grow; see
	// confirmed.)
	AlongTolerance = 1e-8
	// vanishFraction is how far a quantity that vanishes must have shrunk before it counts as vanishing.
	vanishFraction = 1e-3
	// restTol is the speed, relative to the state, below which a trajectory counts as having come to rest: a
	// quantity that still decays at a rate r moves at r times its size, and no rate of the claims' states is
	// below 1e-2.
	restTol = 1e-9
	// maxEvals bounds the right-hand sides of a run; a run that reaches it is judged as far as it got. Where
	// expectations are summed over outcomes a right-hand side takes about a millisecond instead of 20 µs.
	maxEvals = 4000
)

// Trajectory is what [Along] came to.
type Trajectory struct {
	Status Status
	T      float64 // the time up to which the statement was judged
	Worst  float64 // greatest violation of the statement, relative to the sizes in it; 0 if none
}

// HasTime reports whether a part says something about a stretch of time that [Along] can judge.
func HasTime(part *lang.Part) bool {
	if part.Fault != nil || len(part.Env.Flow) == 0 || len(part.Env.Restricted) > 0 {
		return false
	}
	switch part.Stmt.Kind {
	case lang.Evolves, lang.Decays, lang.Vanishes, lang.Stays, lang.Congruence, lang.Tends:
		return true
	}
	return false
}

// Along integrates the part's own flow from the state over a time of at most horizon, and judges the
// statement between its beginning and points equally spaced in time:
//
//	L evolves at rate r      ‖L(t) − exp(rt)·L(0)‖
//	L decays at rate r       ‖L(t)‖ − exp(−rt)·‖L(0)‖, or without bars L(t) − exp(−rt)·L(0)
//	L stays zero             |L(t)|, if L(0) = 0
//	L stays nonnegative      −L(t), if L(0) ≥ 0
//	L moves by congruence    eigenvalues of L(t) of a sign beyond the number L(0) has of it
//	L vanishes               violated if the flow comes to rest at L ≠ 0; holds once L has shrunk to 1e-3
//	x tends to r             violated if |x − r| grows or the flow comes to rest elsewhere
//
// It stops, and judges no further, where a hypothesis is no longer met, where the solver stops, or where the
// work gets too much; Vacuous means that nothing could be judged. A violation is reported only if a second
// integrator at a tighter tolerance finds the same.
func Along(ctx context.Context, part *lang.Part, st State, horizon float64) (Trajectory, error) {
	if !HasTime(part) {
		return Trajectory{}, fmt.Errorf("props: %s says nothing about a stretch of time", part.Name)
	}
	const points = 21
	times := make([]float64, points)
	for i := range times {
		times[i] = horizon * float64(i) / (points - 1)
	}
	run := func(s ode.Settings, times ...float64) (Trajectory, error) { return along(ctx, part, st, times, s) }
	tr, err := run(ode.Settings{RelTol: alongRelTol, AbsTol: alongAbsTol, MaxEvals: maxEvals}, times...)
	if err != nil || tr.Status != Violated {
		return tr, err
	}
	again, err := run(ode.Settings{Method: ode.DormandPrince54, RelTol: alongRelTol / 100, AbsTol: alongAbsTol / 100, MaxEvals: 20 * maxEvals}, 0, tr.T)
	if err != nil {
		return tr, err
	}
	if !confirmed(tr, again) {
		tr.Status = Vacuous
	}
	return tr, nil
}

// OnBoundary returns the state changed in one scalar symbol so that the L of a part "L stays …" is zero
// there: the state from which the statement says most. ok is false if L is affine in no scalar, or only
// outside its domain.
func OnBoundary(part *lang.Part, st State) (State, bool) {
	value := func(st State) *big.Rat {
		e, err := eval.New(eval.Rational{}, part.Env, st)
		if err != nil {
			return nil
		}
		m, err := e.Eval(part.Stmt.L)
		if err != nil || len(m.A) != 1 {
			return nil
		}
		return m.A[0]
	}
	if v := value(st); part.Stmt.Kind != lang.Stays || v == nil || v.Sign() == 0 {
		return st, v != nil && part.Stmt.Kind == lang.Stays
	}
	for _, name := range part.Env.Order {
		s := part.Env.Symbols[name]
		if s.Kind != lang.Scalar || s.Root != nil {
			continue
		}
		with := func(x *big.Rat) State {
			c := State{Dims: st.Dims, Vals: maps.Clone(st.Vals)}
			c.Vals[name] = eval.ScalarOf(x)
			return c
		}
		v0, v1, v2 := value(with(new(big.Rat))), value(with(big.NewRat(1, 1))), value(with(big.NewRat(2, 1)))
		if v0 == nil || v1 == nil || v2 == nil {
			continue
		}
		slope := new(big.Rat).Sub(v1, v0)
		if slope.Sign() == 0 || new(big.Rat).Sub(v2, v1).Cmp(slope) != 0 {
			continue
		}
		x := new(big.Rat).Neg(new(big.Rat).Quo(v0, slope))
		if !s.Domain.Contains(x) {
			continue
		}
		c := with(x)
		if v := value(c); v != nil && v.Sign() == 0 {
			return c, true
		}
	}
	return st, false
}

// confirmed reports whether the second run saw the same violation. Errors of the solver, which an unstable
// flow may blow up beyond any fixed tolerance, change with the method and the tolerance by far more than half.
func confirmed(a, b Trajectory) bool {
	return b.Status == Violated && math.Abs(a.Worst-b.Worst) <= 0.5*max(a.Worst, b.Worst)
}

func along(ctx context.Context, part *lang.Part, st State, times []float64, settings ode.Settings) (Trajectory, error) {
	floats := Floats(st)
	start, err := eval.Judge(eval.Float{}, part, floats)
	if errors.Is(err, eval.ErrNoRoot) || errors.Is(err, eval.ErrDivisionByZero) {
		// A root of exactly zero, at the critical weight decay, may have a negative radicand once rounded.
		return Trajectory{}, nil
	}
	if err != nil {
		return Trajectory{}, err
	}
	if !start.Met {
		return Trajectory{}, nil
	}
	field, err := equations.NewField(part.Env, floats)
	if err != nil {
		return Trajectory{}, err
	}
	settings.Output = times
	sol, err := ode.Solve(ctx, field.RHS(), 0, field.Initial(), times[len(times)-1], &settings)
	if sol == nil {
		return Trajectory{}, err
	}
	if ctx.Err() != nil {
		return Trajectory{}, ctx.Err()
	}
	j := judge{part: part, field: field}
	var tr Trajectory
	for i, t := range sol.T {
		if i > 0 {
			f, err := eval.Judge(eval.Float{}, part, field.State(sol.Y[i]))
			if err != nil || !f.Met {
				break
			}
		}
		excess, status, err := j.at(t, sol.Y[i])
		if err != nil {
			break
		}
		tr.T, tr.Worst = t, max(tr.Worst, excess)
		tr.Status = max(tr.Status, status)
		if j.silent {
			return Trajectory{}, nil
		}
		if tr.Worst > AlongTolerance {
			tr.Status = Violated
		}
		if tr.Status == Violated {
			break
		}
	}
	return tr, nil
}

// judge judges a statement along a trajectory. at returns the violation relative to the greatest size met so
// far, and Holds where that time decides something.
type judge struct {
	part   *lang.Part
	field  *equations.Field
	silent bool // the statement says nothing of this trajectory

	scale float64
	first []float64 // L(0)
	rate  float64
	count [2]int // eigenvalues of L(0) below and above zero
}

func (j *judge) at(t float64, y []float64) (excess float64, status Status, err error) {
	e, err := j.field.Evaluator(y)
	if err != nil {
		return 0, Vacuous, err
	}
	s := j.part.Stmt
	l, err := e.Eval(s.L)
	if err != nil {
		return 0, Vacuous, err
	}
	j.scale = max(j.scale, e.Scale(), norm2(l.A)) // the evaluator notes sums and products only
	if j.first == nil {
		return 0, Vacuous, j.start(e, l)
	}
	if j.scale == 0 {
		return 0, Holds, nil
	}
	norm, norm0 := norm2(l.A), norm2(j.first)
	switch s.Kind {
	case lang.Evolves:
		d := 0.0
		for i, v := range l.A {
			d = math.Hypot(d, v-math.Exp(j.rate*t)*j.first[i])
		}
		return d / j.scale, Holds, nil
	case lang.Decays:
		if !s.Norm {
			norm, norm0 = l.A[0], j.first[0]
		}
		return max(0, norm-math.Exp(-j.rate*t)*norm0) / j.scale, Holds, nil
	case lang.Stays:
		if s.Word == "zero" {
			return norm / j.scale, Holds, nil
		}
		return max(0, -l.A[0]) / j.scale, Holds, nil
	case lang.Congruence:
		return j.inertia(l) / j.scale, Holds, nil
	case lang.Vanishes:
		if norm <= vanishFraction*norm0 {
			return 0, Holds, nil
		}
		if j.resting(y) {
			return norm / j.scale, Violated, nil
		}
	case lang.Tends:
		r, err := e.Eval(s.R)
		if err != nil {
			return 0, Vacuous, err
		}
		d, d0 := math.Abs(l.A[0]-r.A[0]), math.Abs(j.first[0]-r.A[0])
		switch {
		case d > d0:
			return (d - d0) / j.scale, Holds, nil
		case d <= vanishFraction*d0:
			return 0, Holds, nil
		case j.resting(y):
			return d / j.scale, Violated, nil
		}
	}
	return 0, Vacuous, nil
}

// start notes L(0), the rate, and whether the statement says anything of this trajectory.
func (j *judge) start(e *eval.Evaluator[float64], l eval.Matrix[float64]) error {
	s := j.part.Stmt
	j.first = l.A
	zero := norm2(l.A) <= eval.Tolerance*j.scale
	switch s.Kind {
	case lang.Evolves, lang.Decays:
		r, err := e.Eval(s.Rate)
		if err != nil {
			return err
		}
		j.rate = r.A[0]
	case lang.Stays:
		j.silent = s.Word == "zero" && !zero || s.Word != "zero" && l.A[0] < 0
	case lang.Vanishes:
		j.silent = zero
	case lang.Congruence:
		j.count, _ = inertia(l, eval.Tolerance*j.scale)
	}
	return nil
}

// inertia returns the size of the largest eigenvalue of L by which it has more of one sign than L(0).
func (j *judge) inertia(l eval.Matrix[float64]) float64 {
	_, values := inertia(l, 0)
	n := len(values)
	worst := 0.0
	if k := j.count[1]; k < n {
		worst = max(worst, values[k]) // descending: values[k] is the first beyond the positive ones
	}
	if k := j.count[0]; k < n {
		worst = max(worst, -values[n-1-k])
	}
	return worst
}

// inertia counts the eigenvalues of the symmetric part of L below −tol and above tol, and returns them in
// descending order.
func inertia(l eval.Matrix[float64], tol float64) (count [2]int, values []float64) {
	m := mat.NewDense(l.R, l.C, nil)
	for i := range l.R {
		for k := range l.C {
			m.Set(i, k, (l.At(i, k)+l.At(k, i))/2)
		}
	}
	values, _ = measure.Eigenframe(m)
	for _, v := range values {
		if v < -tol {
			count[0]++
		} else if v > tol {
			count[1]++
		}
	}
	return count, values
}

// resting reports whether the flow has come to rest at y.
func (j *judge) resting(y []float64) bool {
	dy := make([]float64, len(y))
	if err := j.field.Derivative(y, dy); err != nil {
		return false
	}
	return norm2(dy) <= restTol*norm2(y)
}

func norm2(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s = math.Hypot(s, x)
	}
	return s
}
