package orbit

import (
	"context"
	"math"
	"math/big"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/ode"
)

// large is the least α_p that counts as very large.
const large = 100

// largeRate: with very large α_p the features do not grow, under an optimiser with one decay coefficient,
// which decays the predictor at α_p·η:
//
//	p' = α_p·s(τ − ap) − α_p·η·p,   s' = 2ps(τ − ap) − 2ηs.
//
// Under Lemma 1 the features end at s = p₊²/α_p ≤ (τ/a)²/α_p. The question asks for ten times that, and ten
// times what there was at the start.
func largeRate() Question {
	axes := []Axis{
		{"p", 1e-2, 1, true, anyNumber}, {"s", 1e-3, 1, true, positive},
		{"alpha", large, 4 * large, true, atLeast(large)}, {"eta", 1e-3, 0.2, true, positive}, axisSigma2, axisTau,
		{"T", 0.5, 100, true, positive},
	}
	return Question{
		Claim: "alpha-negative", Name: "one decay coefficient", Axes: axes,
		Says: "with α_p ≥ 100, s does not grow to ten times its start and ten times (τ/a)²/α_p",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			p, s0, alpha, eta, sigma2, tau, end := x[0], x[1], x[2], x[3], x[4], x[5], x[6]
			a := 1 + sigma2
			f := ode.RHS(func(_ float64, y, dy []float64) {
				drive := y[1] * (tau - a*y[0])
				dy[0] = alpha * (drive - eta*y[0])
				dy[1] = 2 * (y[0]*drive - eta*y[1])
			})
			ys := solve(ctx, f, []float64{p, s0}, end, s)
			if ys == nil {
				return math.Inf(1)
			}
			return squashLog(10 * max(s0, tau*tau/(a*a*alpha)) / ys[len(ys)-1][1])
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			p0, s0, alpha, eta, sigma2, tau, end := x[0], x[1], x[2], x[3], x[4], x[5], x[6]
			sys := enclosure.NewSystem("p", "s")
			p, s := sys.Var("p"), sys.Var("s")
			a := add(num(1, 1), sigma2)
			drive := s.Mul(sys.Const(tau).Sub(sys.Const(a).Mul(p)))
			sys.SetRHS("p", sys.Const(alpha).Mul(drive.Sub(sys.Const(eta).Mul(p))))
			sys.SetRHS("s", sys.Int(2).Mul(p.Mul(drive).Sub(sys.Const(eta).Mul(s))))
			tube, err := enclose(sys, []*big.Rat{p0, s0}, end)
			if err != nil {
				return c, err
			}
			v, err := tube.EvalAt(s, end)
			if err != nil {
				return c, err
			}
			bound := s0
			if b := quo(mul(tau, tau), mul(a, a, alpha)); b.Cmp(bound) > 0 {
				bound = b
			}
			c.Violation = sub(rat(v.Lo()), mul(num(10, 1), bound))
			c.Facts = append(c.Facts, fact("s(0) = %s, (τ/a)²/α_p = %s, s(%s) ≥ %.9g", s0.RatString(),
				quo(mul(tau, tau), mul(a, a, alpha)).RatString(), end.RatString(), v.Lo()))
			if c.Violation.Sign() <= 0 {
				return c, unproved("s at the end: %v", v)
			}
			return c, nil
		},
	}
}
