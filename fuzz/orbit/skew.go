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

// lasting is the asymmetry ‖B‖/‖W_p‖ that must remain.
const lasting = 0.1

// skewUnderCollapse: with weight decay W_p becomes symmetric, relative to its size. SimSiam with isotropic
// data (τ = 1), two features and one data dimension, written in the frame of the initial W = (w, 0).
//
// The limit: let U = ‖W_p‖²/α + ‖W‖². As for one mode, U' ≤ 4‖W_p‖·‖W‖² − 2ηU, so that with
// ρ = 2√(αU(T))/η < 1/2, U(t) ≤ U(T)·exp(−2η(1−ρ)(t−T)) from T on: collapse. The skew part obeys
// B' = −(αa/2)([A, F] + {B, F}) − ηB (assump-sym, skewpart), and ‖F‖ ≤ U, so that in units of e^{−η(t−T)}
//
//	‖W_p‖ ≤ M := (‖W_p(T)‖ + αψ)·e^{αaφ},   ‖B(t) − B(T)‖ ≤ √2·αaφ·M,
//	φ := U(T)/(2η(1−ρ)) ≥ ∫‖F‖,   ψ := U(T)/(η(1−2ρ)) ≥ ∫e^{ηt}‖F‖,
//
// and ‖B‖/‖W_p‖ ≥ (‖B(T)‖ − √2·αaφ·M)/M for ever after.
func skewUnderCollapse() Question {
	axes := []Axis{
		{"w", 0.02, 1, true, positive},
		{"p11", -1, 1, false, anyNumber}, {"p12", -1, 1, false, anyNumber}, {"p21", -1, 1, false, anyNumber}, {"p22", -1, 1, false, anyNumber},
		axisAlpha, {"eta", 1e-2, 1, true, positive}, axisSigma2, {"T", 0.5, 50, true, positive},
	}
	bound := func(alpha, a, eta, u, size, skew float64) float64 {
		rho := 2 * math.Sqrt(alpha*u) / eta
		if !(rho < 0.45) {
			return math.Inf(-1)
		}
		phi, psi := u/(2*eta*(1-rho)), u/(eta*(1-2*rho))
		m := (size + alpha*psi) * math.Exp(alpha*a*phi)
		return (skew - math.Sqrt2*alpha*a*phi*m) / m
	}
	return Question{
		Claim: "skew-vanishes", Name: "relative to Wp under collapse", Axes: axes,
		Says: "with η > 0, ‖skew Wₚ‖/‖Wₚ‖ tends to 0",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			alpha, eta, sigma2, end := x[5], x[6], x[7], x[8]
			f, err := flow.ByName("simsiam")
			if err != nil {
				panic(err)
			}
			st := flow.NewState()
			st.Alpha, st.Eta, st.Sigma2 = alpha, eta, sigma2
			st.Wp, st.W = mat.NewDense(2, 2, append([]float64(nil), x[1:5]...)), mat.NewDense(2, 1, []float64{x[0], 0})
			sys, err := f.Bind(st)
			if err != nil {
				return math.Inf(1)
			}
			ys := solve(ctx, sys.RHS(), sys.Initial(), end, s)
			if ys == nil {
				return math.Inf(1)
			}
			y := sys.Unpack(end, ys[len(ys)-1])
			size := mat.Norm(y.Wp, 2)
			skew := math.Abs(y.Wp.At(0, 1)-y.Wp.At(1, 0)) / math.Sqrt2
			w := mat.Norm(y.W, 2)
			u := size*size/alpha + w*w
			rho := 2 * math.Sqrt(alpha*u) / eta
			if rho > 0.4 {
				return 1 + squashed(rho-0.4)
			}
			return lasting - bound(alpha, 1+sigma2, eta, u, size, skew)
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			alpha, eta, sigma2, end := x[5], x[6], x[7], x[8]
			sys := enclosure.NewSystem("p11", "p12", "p21", "p22", "w1", "w2")
			names := []string{"p11", "p12", "p21", "p22"}
			wp := enclosure.NewMatrix(2, 2, func(i, j int) enclosure.Expr { return sys.Var(names[2*i+j]) })
			w := enclosure.NewMatrix(2, 1, func(i, _ int) enclosure.Expr { return sys.Var([]string{"w1", "w2"}[i]) })
			ea, eeta := add(num(1, 1), sigma2), sys.Const(eta)
			r := w.Sub(wp.Mul(w).Scale(sys.Const(ea)))
			dwp := r.Mul(w.T()).Scale(sys.Const(alpha)).Sub(wp.Scale(eeta))
			dw := wp.T().Mul(r).Sub(w.Scale(eeta))
			for i := range 2 {
				for j := range 2 {
					sys.SetRHS(names[2*i+j], dwp.At(i, j))
				}
				sys.SetRHS([]string{"w1", "w2"}[i], dw.At(i, 0))
			}
			tube, err := enclose(sys, []*big.Rat{x[1], x[2], x[3], x[4], x[0], new(big.Rat)}, end)
			if err != nil {
				return c, err
			}
			var v [3]interval.Interval // ‖W_p‖², ‖W‖², (W_p12 − W_p21)²/2
			for i, e := range []enclosure.Expr{wp.SumSquares(), w.SumSquares(), wp.At(0, 1).Sub(wp.At(1, 0)).Pow(2).Div(sys.Int(2))} {
				if v[i], err = tube.EvalAt(e, end); err != nil {
					return c, err
				}
			}
			one, two := interval.FromInt(1), interval.FromInt(2)
			al, et, a := point(alpha), point(eta), point(ea)
			u := v[0].Div(al).Add(v[1])
			rho := two.Mul(al.Mul(u).Sqrt()).Div(et)
			if !(rho.Hi() < 0.5) {
				return c, unproved("collapse: ρ = %v", rho)
			}
			phi := u.Div(two.Mul(et).Mul(one.Sub(rho)))
			psi := u.Div(et.Mul(one.Sub(two.Mul(rho))))
			m := v[0].Sqrt().Add(al.Mul(psi)).Mul(al.Mul(a).Mul(phi).Exp())
			ratio := v[2].Sqrt().Sub(two.Sqrt().Mul(al).Mul(a).Mul(phi).Mul(m)).Div(m)
			if !(ratio.Lo() > 0) {
				return c, unproved("‖B‖/‖Wₚ‖ ≥ %v", ratio)
			}
			c.Facts = append(c.Facts,
				fact("at %s: ρ = 2√(αU)/η ≤ %.9g < 1/2, from where U = ‖Wₚ‖²/α + ‖W‖² falls to zero: the features collapse", end.RatString(), rho.Hi()),
				fact("‖skew Wₚ‖/‖Wₚ‖ ≥ %.9g at all times from %s on", ratio.Lo(), end.RatString()))
			c.Violation = rat(ratio.Lo())
			return c, nil
		},
	}
}
