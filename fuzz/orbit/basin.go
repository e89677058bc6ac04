package orbit

import (
	"context"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/flow"
	"stopgrad/numeric/interval"
)

// Questions about the basin of collapse of one mode (p, s) with constant τ. With a = 1+σ² and r² = τ² − 4aη,
// p± = (τ ± r)/(2a).
var basinAxes = []Axis{
	{"p", -1, 2, false, anyNumber}, {"s", 1e-4, 4, true, nonnegative},
	axisAlpha, {"eta", 1e-2, 1, true, positive}, axisSigma2, axisTau, {"T", 0.5, 200, true, positive},
}

type modePoint[T any] struct{ p, s, alpha, eta, sigma2, tau, end T }

func modeOf[T any](x []T) modePoint[T] { return modePoint[T]{x[0], x[1], x[2], x[3], x[4], x[5], x[6]} }

// modePath integrates the reduced flow of one mode, F = (s) and W_p = (p); the states are (p, s).
func modePath(ctx context.Context, z modePoint[float64], s Solver) [][]float64 {
	f, err := flow.ByName("reduced")
	if err != nil {
		panic(err)
	}
	st := flow.NewState()
	st.Alpha, st.Eta, st.Sigma2, st.Tau = z.alpha, z.eta, z.sigma2, z.tau
	st.Wp, st.F = mat.NewDense(1, 1, []float64{z.p}), mat.NewDense(1, 1, []float64{z.s})
	sys, err := f.Bind(st)
	if err != nil {
		return nil
	}
	return solve(ctx, sys.RHS(), sys.Initial(), z.end, s)
}

// below reports p < p₋ and above p > p₋, exactly, where p₋ exists: τ² > 4aη.
func below(p, a, eta, tau *big.Rat) bool { return saddleSide(p, a, eta, tau) < 0 }
func above(p, a, eta, tau *big.Rat) bool { return saddleSide(p, a, eta, tau) > 0 }

// saddleSide returns the sign of p − p₋: that of r − (τ − 2ap).
func saddleSide(p, a, eta, tau *big.Rat) int {
	left := sub(tau, mul(num(2, 1), a, p))
	square := sub(mul(tau, tau), mul(num(4, 1), a, eta)) // r²
	if left.Sign() < 0 {
		return 1
	}
	return square.Cmp(mul(left, left))
}

// saddle returns p₋, and by how much κ = ηa/τ² exceeds 0.24: near the critical 1/4 passages take for ever.
func saddle(eta, sigma2, tau float64) (minus, missing float64) {
	a := 1 + sigma2
	kappa := eta * a / (tau * tau)
	if kappa >= 0.24 {
		return 0, kappa - 0.24 + Clear
	}
	return 2 * eta / (tau + math.Sqrt(tau*tau-4*a*eta)), 0
}

// distance from p₋, relative, that a counterexample keeps.
const apart = 0.1

// collapseFromAbove: p > p₋ grows.
//
// The limit: with V = p²/α + s, V' = 4ps(τ − ap) − 2ηV, and p(τ − ap) ≤ τ·√(αV) where it is positive. Once
// αV < (η/2τ)², V' ≤ −2η(1 − √(αV)·2τ/η)·V, so that V falls for ever and p and s tend to zero.
func collapseFromAbove() Question {
	return Question{
		Claim: "basin", Name: "collapse from above", Axes: basinAxes,
		Says: "a mode that starts with p > p₋ and s > 0 does not collapse",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			z := modeOf(x)
			minus, missing := saddle(z.eta, z.sigma2, z.tau)
			if missing > 0 {
				return 2 + missing
			}
			if short := (1+apart)*minus - z.p; short > 0 {
				return 1 + short
			}
			if z.s <= 0 {
				return 1
			}
			ys := modePath(ctx, z, s)
			if ys == nil {
				return math.Inf(1)
			}
			y := ys[len(ys)-1]
			v := y[0]*y[0] + z.alpha*y[1] // αV
			edge := z.eta / (2 * z.tau)
			return squashLog(v / (edge * edge))
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			z := modeOf(x)
			a := add(num(1, 1), z.sigma2)
			if !above(z.p, a, z.eta, z.tau) || z.s.Sign() <= 0 {
				return c, unproved("p > p₋ and s > 0 at the start")
			}
			sys, tube, err := encloseMode(z)
			if err != nil {
				return c, err
			}
			p, s := sys.Var("p"), sys.Var("s")
			v, err := tube.EvalAt(p.Pow(2).Add(sys.Const(z.alpha).Mul(s)), z.end)
			if err != nil {
				return c, err
			}
			edge := mul(z.eta, z.eta)
			edge.Quo(edge, mul(num(4, 1), z.tau, z.tau))
			room := sub(edge, rat(v.Hi()))
			c.Facts = append(c.Facts, fact("p(0) = %s > p₋, exactly", z.p.RatString()),
				fact("at %s: p² + αs ≤ %.9g < (η/2τ)² = %s, inside which p² + αs falls to zero", z.end.RatString(), v.Hi(), edge.RatString()))
			if room.Sign() <= 0 {
				return c, unproved("p² + αs at the end: %v against %s", v, edge.RatString())
			}
			c.Violation = room
			return c, nil
		},
	}
}

// squashLog maps a ratio to (−1, 1) by its logarithm, 1 to 0.
func squashLog(ratio float64) float64 {
	l := math.Log(ratio)
	return l / (1 + math.Abs(l))
}

// escapeFromBelow: p < p₋ collapses.
//
// The limit: if s ≥ p²/α at the start it stays so (basin, sufficient). Then p' ≥ p²(τ − ap) − ηp where
// p ≤ τ/a, which is positive between p₋ and p₊: once p > p₋, p cannot come back to any q with
// p₋ < q < min(p, p₊), and the mode does not collapse.
func escapeFromBelow() Question {
	return Question{
		Claim: "basin", Name: "escape from below", Axes: basinAxes,
		Says: "a mode that starts with p < p₋ collapses",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			z := modeOf(x)
			minus, missing := saddle(z.eta, z.sigma2, z.tau)
			if missing > 0 {
				return 2 + missing
			}
			if over := z.p - (1-apart)*minus; over > 0 {
				return 1 + over
			}
			if low := z.p*z.p/z.alpha - z.s; low > 0 {
				return 1 + low
			}
			ys := modePath(ctx, z, s)
			if ys == nil {
				return math.Inf(1)
			}
			return ((1+apart)*minus - ys[len(ys)-1][0]) / minus
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			z := modeOf(x)
			a := add(num(1, 1), z.sigma2)
			if !below(z.p, a, z.eta, z.tau) {
				return c, unproved("p < p₋ at the start")
			}
			if mul(z.p, z.p).Cmp(mul(z.alpha, z.s)) > 0 {
				return c, unproved("s ≥ p²/α at the start")
			}
			sys, tube, err := encloseMode(z)
			if err != nil {
				return c, err
			}
			p, err := tube.EvalAt(sys.Var("p"), z.end)
			if err != nil {
				return c, err
			}
			low := rat(p.Lo())
			if !above(low, a, z.eta, z.tau) {
				return c, unproved("p > p₋ at the end: %v", p)
			}
			c.Facts = append(c.Facts, fact("p(0) = %s < p₋ and s(0) ≥ p(0)²/α, exactly", z.p.RatString()),
				fact("p(%s) ≥ %.9g > p₋, above which p stays since s ≥ p²/α", z.end.RatString(), p.Lo()))
			c.Violation = sub(low, z.p)
			return c, nil
		},
	}
}

func encloseMode(z modePoint[*big.Rat]) (*enclosure.System, *enclosure.Tube, error) {
	sys := enclosure.Decoupled(enclosure.Hyper{Alpha: point(z.alpha), Eta: point(z.eta), Sigma2: point(z.sigma2),
		Tau: point(z.tau), Beta: interval.FromInt(0)})
	tube, err := enclose(sys, []*big.Rat{z.p, z.s}, z.end)
	return sys, tube, err
}
