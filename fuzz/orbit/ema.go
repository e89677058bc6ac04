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

// trueEMA: Theorem 3 with a target that follows its moving average from Wₐ(0) = 0, the symmetrised flow with
// isotropic data, two features and two data dimensions. Its state is written in the singular frames of W,
// which loses nothing: W(0) = diag(w1, w2). In K stands τ_eff = ⟨W, Wₐ⟩/⟨W, W⟩.
func trueEMA() Question {
	axes := []Axis{
		{"w1", 0.05, 2, true, anyNumber}, {"w2", 0.05, 2, true, anyNumber},
		{"p11", -2, 2, false, anyNumber}, {"p12", -2, 2, false, anyNumber}, {"p22", -2, 2, false, anyNumber},
		axisAlpha, axisBeta, axisEta, axisSigma2, {"lambda", 1e-2, 2, true, positive}, {"T", 0.1, 20, true, positive},
	}
	return Question{
		Claim: "thm3-true-ema", Name: "from Wa(0) = 0", Axes: axes,
		Says: "if K ⪰ λI on [0, T] with τ_eff in K, then ‖[F, Wₚ](T)‖ ≤ exp(−2λT)·‖[F, Wₚ](0)‖, up to a quarter",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			alpha, beta, eta, sigma2, lambda, end := x[5], x[6], x[7], x[8], x[9], x[10]
			f, err := flow.ByName("symmetrised")
			if err != nil {
				panic(err)
			}
			st := flow.NewState()
			st.Alpha, st.Beta, st.Eta, st.Sigma2 = alpha, beta, eta, sigma2
			st.Wp = mat.NewDense(2, 2, []float64{x[2], x[3], x[3], x[4]})
			st.W, st.Wa = mat.NewDense(2, 2, []float64{x[0], 0, 0, x[1]}), mat.NewDense(2, 2, nil)
			sys, err := f.Bind(st)
			if err != nil {
				return math.Inf(1)
			}
			ys := solve(ctx, sys.RHS(), sys.Initial(), end, s)
			if ys == nil {
				return math.Inf(1)
			}
			low, l0, l1 := math.Inf(1), 0.0, 0.0
			for i, y := range ys {
				p, w, wa := pair{y[0], y[1], y[2]}, y[3:7], y[7:11]
				ff := pair{w[0]*w[0] + w[1]*w[1], w[0]*w[2] + w[1]*w[3], w[2]*w[2] + w[3]*w[3]}
				tau := (w[0]*wa[0] + w[1]*wa[1] + w[2]*wa[2] + w[3]*wa[3]) / (ff.a + ff.d)
				low = min(low, kMatrix(ff, p, alpha, sigma2, tau, eta).low())
				if i == 0 {
					l0 = commutator(ff, p)
				}
				l1 = commutator(ff, p)
			}
			if tiny := 0.01 - l0; tiny > 0 {
				return 2 + tiny
			}
			if short := lambda - low + Clear; short > 0 {
				return 1 + squashed(short)
			}
			return squashed(math.Log(1.25*l0/l1) - 2*lambda*end)
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			alpha, beta, eta, sigma2, lambda, end := x[5], x[6], x[7], x[8], x[9], x[10]
			l := enclosure.Lemma1(2, 2, nil, nil, true, enclosure.Hyper{Alpha: point(alpha), Beta: point(beta),
				Eta: point(eta), Sigma2: point(sigma2), Tau: interval.FromInt(1)})
			sys, zero := l.System, new(big.Rat)
			tube, err := enclose(sys, []*big.Rat{x[2], x[3], x[3], x[4], x[0], zero, zero, x[1], zero, zero, zero, zero}, end)
			if err != nil {
				return c, err
			}
			a := sys.Const(add(num(1, 1), sigma2))
			f := l.W.Mul(l.W.T())
			tau := l.W.T().Mul(l.Wa).Trace().Div(f.Trace())
			k := f.Scale(a.Mul(sys.Const(alpha)).Div(sys.Int(2))).Add(l.Wp.Mul(l.Wp).Scale(a)).Sub(l.Wp.Scale(tau))
			shift := sys.Const(sub(mul(num(3, 2), eta), lambda))
			k = enclosure.NewMatrix(2, 2, func(i, j int) enclosure.Expr {
				// The symmetric part: along the enclosure W_p is symmetric only up to its width.
				e := k.At(i, j).Add(k.At(j, i)).Div(sys.Int(2))
				if i == j {
					e = e.Add(shift)
				}
				return e
			})
			for _, minor := range k.Leading() {
				ans, err := tube.Positive(minor, 12)
				if err != nil || ans.Verdict != enclosure.Holds {
					return c, unproved("K ⪰ λI on [0, %s]: %v %v", end.RatString(), ans.Verdict, err)
				}
			}
			sq := f.Commutator(l.Wp).SumSquares()
			l0, err := tube.EvalAt(sq, zero)
			if err != nil {
				return c, err
			}
			l1, err := tube.EvalAt(sq, end)
			if err != nil {
				return c, err
			}
			allowed := point(mul(num(-4, 1), lambda, end)).Exp().Mul(l0)
			c.Facts = append(c.Facts, fact("K ⪰ %s·I on [0, %s], by its leading minors along the enclosure", lambda.RatString(), end.RatString()),
				fact("‖[F, Wₚ]‖² at %s: in [%.9g, %.9g], allowed at most %.9g", end.RatString(), l1.Lo(), l1.Hi(), allowed.Hi()))
			over := l1.Div(allowed).Sub(interval.FromInt(1))
			if !(over.Lo() > 0.5625) {
				return c, unproved("the bound on the square is exceeded by %v of itself", over)
			}
			c.Violation = rat(over.Lo())
			return c, nil
		},
	}
}
