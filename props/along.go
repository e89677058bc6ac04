package props

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"

	"stopgrad/numeric/ode"
	"stopgrad/props/equations"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/verdict"
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
	vanishFraction = eval.Arrived
	// restTol is the speed, relative to the state, below which a trajectory counts as having come to rest: a
	// quantity that still decays at a rate r moves at r times its size, and no rate of the claims' states is
	// below 1e-2.
	restTol = 1e-9
	// maxEvals bounds the right-hand sides of a run, fewer of a part whose extent is above longExtent; a run that reaches it is
	// judged as far as it got.
	maxEvals   = 4000
	longExtent = 2000
)

// Trajectory is what [Along] came to.
type Trajectory struct {
	Status Status
	T      float64 // the time up to which the statement was judged
	Worst  float64 // greatest violation of the statement, relative to the sizes in it; 0 if none
	// Nearest is how close the statement came to failing, relative to the same sizes; of what vanishes or tends, how much
	// of the way was left. +Inf where that cannot be told.
	Nearest float64
}

// HasTime reports whether a part says something about a stretch of time that [Along] can judge.
func HasTime(part *lang.Part) bool {
	if part.Fault != nil || len(part.Env.Flow) == 0 || len(part.Env.Restricted) > 0 {
		return false
	}
	return eval.OverTime(part) && !eval.OverSteps(part)
}

// Along integrates the part's own flow from the state over a time of at most horizon, and asks [eval.Course] what the
// statement comes to between its beginning and points equally spaced in time. What vanishes or tends is violated if the
// flow comes to rest elsewhere, and holds once it has come to a thousandth of its distance.
//
// It stops, and judges no further, where a hypothesis that is assumed all along is no longer met, where the solver stops, or where the
// work gets too much; Vacuous means that nothing could be judged. A violation is reported only if a second
// integrator at a tighter tolerance finds the same.
//
// Where a root of what moves is in the equations, solutions need not be unique and may go on where a solver stops: from a
// radicand of zero, and where the solver stops early, nothing is judged.
func Along(ctx context.Context, part *lang.Part, st State, horizon float64) (Trajectory, error) {
	if !HasTime(part) {
		return Trajectory{}, fmt.Errorf("props: %s says nothing about a stretch of time", part.Name)
	}
	const points = 21
	times := make([]float64, points)
	for i := range times {
		times[i] = horizon * float64(i) / (points - 1)
	}
	evals := maxEvals * longExtent / max(longExtent, part.Extent())
	run := func(s ode.Settings, times ...float64) (Trajectory, error) { return along(ctx, part, st, times, s) }
	tr, err := run(ode.Settings{RelTol: alongRelTol, AbsTol: alongAbsTol, MaxEvals: evals}, times...)
	if err != nil || tr.Status != Violated {
		return tr, err
	}
	again, err := run(ode.Settings{Method: ode.DormandPrince54, RelTol: alongRelTol / 100, AbsTol: alongAbsTol / 100, MaxEvals: 20 * evals}, 0, tr.T)
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
	// Statements of other kinds may have no L.
	if part.Stmt.Kind != lang.Stays {
		return st, false
	}
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
	if v := value(st); v == nil || v.Sign() == 0 {
		return st, v != nil
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
	roots, several, err := rooted(part, st)
	if err != nil {
		return Trajectory{}, err
	}
	if several {
		// x' = √x leaves 0 and stays there: one solution says nothing of the others.
		return Trajectory{}, nil
	}
	settings.Output = times
	sol, err := ode.Solve(ctx, field.RHS(), 0, field.Initial(), times[len(times)-1], &settings)
	if sol == nil {
		return Trajectory{}, err
	}
	if ctx.Err() != nil {
		return Trajectory{}, ctx.Err()
	}
	if err != nil {
		// It runs away, perhaps between two of the times that were asked for: all that the solver went through is looked at.
		settings.Output = nil
		if sol, _ = ode.Solve(ctx, field.RHS(), 0, field.Initial(), times[len(times)-1], &settings); sol == nil {
			return Trajectory{}, ctx.Err()
		}
	}
	course, err := eval.NewCourse(eval.Float{}, part, field.State(sol.Y[0]))
	if err != nil {
		return Trajectory{}, nil
	}
	tr := Trajectory{Nearest: math.Inf(1)}
	ended := false // the motion, by a hypothesis
	for i, t := range sol.T {
		y := sol.Y[i]
		if i > 0 {
			if broken, err := course.Broken(field.State(y)); err != nil || broken != "" {
				ended = true
				break
			}
		}
		s, err := course.At(t, field.State(y))
		if err != nil {
			break
		}
		excess, status := 0.0, Vacuous
		switch {
		case i == 0:
			if !s.Says && s.From == 0 {
				return Trajectory{}, nil // the statement says nothing of this trajectory
			}
		case s.From > 0 && s.Left <= vanishFraction*s.From:
			status = Holds
		case s.From > 0 && resting(field, y):
			excess, status = s.Left, Violated
		case s.Says && (s.From == 0 || s.Excess > 0):
			excess, status = max(0, s.Excess), Holds
		}
		if s.Scale > 0 {
			excess /= s.Scale
		}
		switch {
		case i == 0:
		case s.From > 0:
			tr.Nearest = min(tr.Nearest, s.Left/s.From)
		case s.Says && s.Scale > 0:
			tr.Nearest = min(tr.Nearest, math.Max(0, -s.Excess)/s.Scale)
		}
		tr.T, tr.Worst = t, max(tr.Worst, excess)
		tr.Status = max(tr.Status, status)
		if tr.Worst > AlongTolerance {
			tr.Status = Violated
		}
		if tr.Status == Violated {
			break
		}
	}
	if roots && !ended && tr.Status == Holds && tr.T < times[len(times)-1] {
		// x' = −√x comes to 0 in finite time, where the solver stops and the motion need not.
		return Trajectory{}, nil
	}
	return tr, nil
}

// rooted reports whether a root of what moves is in the equations, and whether one of the radicands is zero at the state.
func rooted(part *lang.Part, st State) (roots, zero bool, err error) {
	r, err := lang.Elaborate(part)
	if err != nil {
		return false, false, err
	}
	d := r.Context().Dynamics()
	var radicands []*kernel.Term
	for _, x := range d.FlowLetters() {
		law, err := d.Unfold(d.FlowOf(x))
		if err != nil {
			return false, false, err
		}
		for t := range law.Subterms() {
			if t.Head() != kernel.Root {
				continue
			}
			moves, err := d.Moves(t.Arg(0))
			if err != nil {
				return false, false, err
			}
			if moves {
				radicands = append(radicands, t.Arg(0))
			}
		}
	}
	if len(radicands) == 0 {
		return false, false, nil
	}
	at, err := verdict.StateOf(r, st)
	if err != nil {
		return true, false, err
	}
	for _, q := range radicands {
		v, err := model.Evaluate(d, q, at)
		if err != nil {
			return true, false, err
		}
		x, rational := v.Rational(0, 0)
		zero = zero || rational && x.Sign() == 0
	}
	return true, zero, nil
}

// resting reports whether the flow has come to rest at y.
func resting(field *equations.Field, y []float64) bool {
	dy := make([]float64, len(y))
	if err := field.Derivative(y, dy); err != nil {
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
