package orbit

import (
	"context"
	"fmt"
	"math/big"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/numeric/ode"
	"stopgrad/theory/lang"
)

// maxSteps bounds an integration of the search: trajectories that need more are too stiff to be small
// counterexamples.
const maxSteps = 3000

// solve integrates from y0 over [0, end] and returns the accepted states, nil if the solver gives up.
func solve(ctx context.Context, f ode.RHS, y0 []float64, end float64, s Solver) [][]float64 {
	if !(end > 0) {
		return nil
	}
	steps := maxSteps
	if s.Method == ode.RadauIIA5 {
		// Its error estimate has order 3: at a hundredth of the tolerance it takes many more steps.
		steps = 100 * maxSteps
	}
	sol, err := ode.Solve(ctx, f, 0, y0, end, &ode.Settings{Method: s.Method, RelTol: s.RelTol, AbsTol: s.AbsTol, MaxSteps: steps})
	if err != nil {
		return nil
	}
	return sol.Y
}

// Domains of the numbers.
var (
	anyNumber   = lang.Domain{}
	positive    = lang.Domain{Lo: new(big.Rat), LoOpen: true}
	nonnegative = lang.Domain{Lo: new(big.Rat)}
)

func atLeast(n int64) lang.Domain { return lang.Domain{Lo: big.NewRat(n, 1)} }

// Ranges of the search. The hyper-parameters follow the ranges that the ledger of claims suggests (α_p from
// 1/10 to 10, σ² to 2, η from 10⁻³ to 1, β from 10⁻² to 10), τ up to twice its stationary value 1.
var (
	axisAlpha  = Axis{"alpha", 0.1, 10, true, positive}
	axisEta    = Axis{"eta", 1e-3, 1, true, positive}
	axisBeta   = Axis{"beta", 1e-2, 10, true, positive}
	axisSigma2 = Axis{"sigma2", 0, 2, false, nonnegative}
	axisTau    = Axis{"tau", 0.1, 2, false, positive}
	axisTime   = Axis{"T", 0.1, 50, true, positive}
)

// point returns the tightest interval around a number.
func point(r *big.Rat) interval.Interval { return interval.FromRat(r) }

// enclose integrates with a guarantee from exact initial values over [0, end].
func enclose(sys *enclosure.System, x0 []*big.Rat, end *big.Rat) (*enclosure.Tube, error) {
	box := make([]interval.Interval, len(x0))
	for i, v := range x0 {
		box[i] = point(v)
	}
	return enclosure.Integrate(sys, box, new(big.Rat), end, &enclosure.Settings{MaxSteps: enclosureSteps})
}

// enclosureSteps bounds a validated integration to seconds.
const enclosureSteps = 4000

// rat returns the exact value of a float64 end of an interval.
func rat(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

func unproved(format string, args ...any) error {
	return fmt.Errorf("orbit: not proved: "+format, args...)
}

// fact renders what an enclosure established.
func fact(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// Arithmetic on exact numbers, for conditions that need no intervals.
func add(x, y *big.Rat) *big.Rat { return new(big.Rat).Add(x, y) }
func sub(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) }
func mul(xs ...*big.Rat) *big.Rat {
	p := big.NewRat(1, 1)
	for _, x := range xs {
		p.Mul(p, x)
	}
	return p
}
func quo(x, y *big.Rat) *big.Rat { return new(big.Rat).Quo(x, y) }
func num(a, b int64) *big.Rat    { return big.NewRat(a, b) }
