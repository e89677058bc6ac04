package props

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/generate"
	"stopgrad/theory/sample"
)

// SkewTolerance is how small ‖skew(Wp)‖/‖Wp‖ must become before the skew part counts as gone: a thousand
// times the error with which the trajectory is known at its end, where errors of the steps, 1e-9 relative,
// are damped as the skew part itself.
const SkewTolerance = 1e-6

// skewRounds is how often the horizon, thirty times 1/η at first, is doubled for a skew part that still dies
// out slowly.
const skewRounds = 3

// fate is what became of a trajectory.
type fate int

const (
	collapsed fate = iota
	gone           // the quantity followed is below its tolerance
	slow           // it still shrinks at the last horizon
	persists       // the flow is at rest, or the quantity stays, above the tolerance
)

// proportional returns the state of numeric/flow's simsiam that is Lemma 1 with isotropic data and Wa = τW:
// R = −Wp·W·(X+X') + W·X with X = τI and X + X' = (1+σ²)I, possible for τ ≤ 1+σ².
func proportional(p generate.Params, w, wp *mat.Dense) *flow.State {
	s := p.State()
	s.W, s.Wp = w, wp
	_, n1 := w.Dims()
	s.X, s.Xp = mat.NewDense(n1, n1, nil), mat.NewDense(n1, n1, nil)
	for i := range n1 {
		s.X.Set(i, i, s.Tau)
		s.Xp.Set(i, i, 1+s.Sigma2-s.Tau)
	}
	s.Sigma2 = 0
	return s
}

// longRun and confirmRun are the integrators of long trajectories: an implicit one, since the rates run from
// α·a·s down to η, and an explicit one for confirmation. (At a stationary point the implicit method's
// difference quotients for the Jacobian drown in rounding errors if asked for less than 1e-13.)
var (
	longRun    = ode.Settings{Method: ode.RadauIIA5, RelTol: 1e-9, AbsTol: 1e-12, MaxSteps: 200_000}
	confirmRun = ode.Settings{Method: ode.Verner8, RelTol: 1e-12, AbsTol: 1e-15, MaxSteps: 4_000_000}
)

// end integrates a flow to time t and returns the states at t/2 and t, and the speed at t relative to the
// state.
func end(ctx context.Context, name string, s *flow.State, t float64, settings ode.Settings) (half, last *flow.State, speed float64, err error) {
	f, err := flow.ByName(name)
	if err != nil {
		return nil, nil, 0, err
	}
	sys, err := f.Bind(s)
	if err != nil {
		return nil, nil, 0, err
	}
	settings.Output = []float64{s.T, s.T + t/2, s.T + t}
	rhs := sys.RHS()
	sol, err := ode.Solve(ctx, rhs, s.T, sys.Initial(), s.T+t, &settings)
	if err != nil {
		return nil, nil, 0, err
	}
	y := sol.Y[2]
	dy := make([]float64, len(y))
	rhs(s.T+t, y, dy)
	if size := norm2(y); size > 0 {
		speed = norm2(dy) / size
	}
	return sys.Unpack(sol.T[1], sol.Y[1]), sys.Unpack(sol.T[2], y), speed, nil
}

// skewVanishes samples the statement "with η > 0 and features that stay alive, the skew part of Wp tends to
// zero" along Lemma 1 with isotropic data and Wa = τW, from random starts, 0 < η < η*.
func skewVanishes(ctx context.Context, seed uint64, samples int) (Measurement, error) {
	m := Measurement{Says: "‖skew(Wp)‖/‖Wp‖ falls below the tolerance", Tolerance: SkewTolerance}
	var dead, slowly, unconfirmed, stiff int
	var final, slowRatio, growth []float64
	for i := range samples {
		ch := sample.NewStream(seed, fmt.Sprintf("skew-vanishes/%d", i))
		s := skewStart(ch)
		f, ratio, err := followSkew(ctx, s, longRun)
		if err != nil {
			var limit *ode.LimitError
			if errors.As(err, &limit) {
				stiff++
				continue
			}
			return m, err
		}
		switch f {
		case collapsed:
			dead++
			continue
		case slow:
			slowly++
			slowRatio = append(slowRatio, ratio)
		case gone:
			m.Holds++
			final = append(final, ratio)
		case persists:
			again, r2, err := followSkew(ctx, s, confirmRun)
			if err != nil {
				return m, err
			}
			if again == persists && math.Abs(r2-ratio) <= 0.01*ratio {
				m.Violations++
				final = append(final, ratio)
			} else {
				unconfirmed++
			}
		}
		m.Tried++
		g, err := skewGrowth(ctx, s)
		if err != nil {
			return m, err
		}
		growth = append(growth, g)
	}
	for _, r := range final {
		m.Worst = max(m.Worst, r)
	}
	m.Detail = map[string]any{
		"collapsed_excluded": dead, "too_stiff_excluded": stiff, "still_shrinking": slowly, "unconfirmed": unconfirmed,
		"ratio_of_still_shrinking": spread(slowRatio), "growth_of_skew_part": spread(growth),
	}
	return m, nil
}

// skewStart draws a start with weights of about unit size.
func skewStart(ch sample.Chooser) *flow.State {
	p := generate.Parameters(ch, generate.Subcritical)
	n2, n1 := generate.Shape(ch, 4)
	w := generate.Dense(generate.Entries(ch, n2, n1))
	wp := generate.Dense(generate.Entries(ch, n2, n2))
	return proportional(p, w, wp)
}

// alive reports whether the features at s count as alive: an eigenvalue of W·Wᵀ above CollapseFraction of the
// stationary one, p₊²/α, of the flow with X = τI, X + X' = aI.
func alive(s *flow.State) bool {
	tau := s.X.At(0, 0)
	a := tau + s.Xp.At(0, 0)
	_, plus, ok := measure.Roots(tau, a-1, s.Eta)
	return ok && measure.CollapseScale(gram(s.W), s.Wp, s.Alpha) >= measure.CollapseFraction*plus*plus/s.Alpha
}

func gram(w *mat.Dense) *mat.Dense {
	var f mat.Dense
	f.Mul(w, w.T())
	return &f
}

// skewNorm is ‖skew(Wp)‖ and skewRatio ‖skew(Wp)‖/‖Wp‖, 0 of a zero predictor.
func skewNorm(s *flow.State) float64 {
	var d mat.Dense
	d.Sub(s.Wp, s.Wp.T())
	return mat.Norm(&d, 2) / 2
}

func skewRatio(s *flow.State) float64 {
	if size := mat.Norm(s.Wp, 2); size > 0 {
		return skewNorm(s) / size
	}
	return 0
}

// followSkew follows the skew part until it is gone or its fate is clear, and returns its last relative size.
func followSkew(ctx context.Context, s *flow.State, settings ode.Settings) (fate, float64, error) {
	return followSkewFor(ctx, s, 30/s.Eta, settings)
}

// followSkewFor is [followSkew] with a first horizon t.
func followSkewFor(ctx context.Context, s *flow.State, t float64, settings ode.Settings) (fate, float64, error) {
	for round := 0; ; round++ {
		half, last, speed, err := end(ctx, "simsiam", s, t, settings)
		if err != nil {
			return 0, 0, err
		}
		if !alive(last) {
			return collapsed, 0, nil
		}
		ratio, before := skewRatio(last), skewRatio(half)
		switch {
		case ratio <= SkewTolerance:
			return gone, ratio, nil
		case speed <= restTol || ratio > before/2 && round == skewRounds:
			return persists, ratio, nil
		case round == skewRounds:
			return slow, ratio, nil
		}
		s, t = last, 2*t
	}
}

// skewGrowth is the greatest ‖skew(Wp)‖ over the time 2/η, relative to that at the start; 1 of a start with a
// symmetric predictor, relative to which nothing can be said.
func skewGrowth(ctx context.Context, s *flow.State) (float64, error) {
	f, err := flow.ByName("simsiam")
	if err != nil {
		return 0, err
	}
	tr, err := flow.Simulate(ctx, f, s, 2/s.Eta, &flow.Settings{Points: 81, NoMeasures: true, ODE: longRun})
	if err != nil {
		return 0, err
	}
	first, top := skewNorm(s), 0.0
	if first == 0 {
		return 1, nil
	}
	for _, x := range tr.States {
		top = max(top, skewNorm(x)/first)
	}
	return top, nil
}
