package orbit

import (
	"context"
	"math"
	"math/big"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/flow"
	"stopgrad/numeric/interval"
)

// Questions about one mode with its moving average, in the chart (p, w, wₐ): s = w², τ = wₐ/w.

// averagePath integrates the flow of modes; the states are (p, w, wₐ).
func averagePath(ctx context.Context, p, w, wa, alpha, beta, eta, sigma2, end float64, s Solver) [][]float64 {
	f, err := flow.ByName("modes")
	if err != nil {
		panic(err)
	}
	st := flow.NewState()
	st.Alpha, st.Beta, st.Eta, st.Sigma2 = alpha, beta, eta, sigma2
	st.P, st.Wm, st.WaM = []float64{p}, []float64{w}, []float64{wa}
	sys, err := f.Bind(st)
	if err != nil {
		return nil
	}
	return solve(ctx, sys.RHS(), sys.Initial(), end, s)
}

func encloseAverage(p, w, wa, alpha, beta, eta, sigma2, end *big.Rat) (*enclosure.System, *enclosure.Tube, error) {
	sys := enclosure.Modes(enclosure.Hyper{Alpha: point(alpha), Beta: point(beta), Eta: point(eta), Sigma2: point(sigma2),
		Tau: interval.FromInt(1)})
	tube, err := enclose(sys, []*big.Rat{p, w, wa}, end)
	return sys, tube, err
}

// excess is by how much τ must stay above 1.
const excess = 1.0 / 8

// ratioUnderCollapse: τ tends to one.
//
// The limits: let U = p²/α + w² + (2η/β)·wₐ². With r = wₐ − a·p·w,
//
//	U' = 4prw − 2ηp²/α − 2η((w − wₐ)² + wₐ²),   prw ≤ |p|·|w·wₐ| ≤ |p|·((w − wₐ)² + wₐ²)/(2c),   c = 19/50,
//
// since (w − wₐ)² + wₐ² ≥ c·(w² + wₐ²) for c ≤ (3 − √5)/2. Once αU < (cη)², |p| ≤ √(αU) < cη and U falls to
// zero for ever: collapse. At τ = 1 + ε then
//
//	τ' = β(1 − τ) − τ(p(τ − ap) − η) ≥ −βε + (1 + ε)(η − (1 + ε)·√(αU)),
//
// and where that is positive τ stays above 1 + ε.
func ratioUnderCollapse() Question {
	axes := []Axis{
		{"p", -1, 1, false, anyNumber}, {"w", 1e-2, 1, true, positive}, {"tau0", 0, 1, false, nonnegative},
		axisAlpha, axisBeta, {"eta", 1e-2, 1, true, positive}, axisSigma2, {"T", 0.5, 100, true, positive},
	}
	return Question{
		Claim: "beta-tau", Name: "under collapse", Axes: axes,
		Says: "as features collapse, τ = wₐ/w tends to 1",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			p, w, tau0, alpha, beta, eta, sigma2, end := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
			ys := averagePath(ctx, p, w, tau0*w, alpha, beta, eta, sigma2, end, s)
			if ys == nil {
				return math.Inf(1)
			}
			y := ys[len(ys)-1]
			u := alpha * (y[0]*y[0]/alpha + y[1]*y[1] + 2*eta/beta*y[2]*y[2])
			reach := min(0.38*eta, (eta-beta*excess/(1+excess))/(1+excess))
			if reach <= 0 {
				return 1 + squashed(-reach)
			}
			if !(y[1] > 0) {
				return 1
			}
			return max(squashLog(u/(reach*reach)), 1+excess-y[2]/y[1])
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			p, w, tau0, alpha, beta, eta, sigma2, end := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
			eps := rat(excess)
			level := add(num(1, 1), eps)
			// αU must be below the squares of both reaches.
			reach := mul(num(19, 50), eta)
			if r := quo(sub(eta, quo(mul(beta, eps), level)), level); r.Cmp(reach) < 0 {
				reach = r
			}
			if reach.Sign() <= 0 {
				return c, unproved("η > βε/(1+ε)")
			}
			sys, tube, err := encloseAverage(p, w, mul(tau0, w), alpha, beta, eta, sigma2, end)
			if err != nil {
				return c, err
			}
			vp, vw, va := sys.Var("p"), sys.Var("w"), sys.Var("wa")
			k := sys.Const(mul(num(2, 1), alpha, quo(eta, beta)))
			u, err := tube.EvalAt(vp.Pow(2).Add(sys.Const(alpha).Mul(vw.Pow(2))).Add(k.Mul(va.Pow(2))), end)
			if err != nil {
				return c, err
			}
			if rat(u.Hi()).Cmp(mul(reach, reach)) >= 0 {
				return c, unproved("αU at the end: %v against %s squared", u, reach.RatString())
			}
			alive, err := tube.Positive(vw, 8)
			if err != nil || alive.Verdict != enclosure.Holds {
				return c, unproved("w > 0 throughout")
			}
			over, err := tube.EvalAt(va.Sub(sys.Const(level).Mul(vw)), end)
			if err != nil {
				return c, err
			}
			tau, err := tube.EvalAt(va.Div(vw), end)
			if err != nil {
				return c, err
			}
			if !(over.Lo() > 0) || !(tau.Lo() > 1+excess) {
				return c, unproved("τ at the end: %v", tau)
			}
			c.Facts = append(c.Facts,
				fact("at %s: p² + αw² + (2αη/β)wₐ² ≤ %.9g < %s², inside which it falls to zero: the mode collapses", end.RatString(), u.Hi(), reach.RatString()),
				fact("at %s: τ ≥ %.9g, and τ stays above %s for ever after", end.RatString(), tau.Lo(), level.RatString()))
			c.Violation = sub(rat(tau.Lo()), num(1, 1))
			return c, nil
		},
	}
}

func squashed(x float64) float64 { return x / (1 + math.Abs(x)) }
