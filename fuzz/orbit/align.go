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

// Questions about the reduced flow of two modes. Its state is written in the initial eigenframe of F, which
// loses nothing: F(0) = diag(s1, s2), W_p(0) = (p11, p12; p12, p22).
var reducedAxes = []Axis{
	{"s1", 1e-2, 4, true, nonnegative}, {"s2", 1e-2, 4, true, nonnegative},
	{"p11", -2, 2, false, anyNumber}, {"p12", -2, 2, false, anyNumber}, {"p22", -2, 2, false, anyNumber},
	axisAlpha, axisEta, axisSigma2, axisTau, axisTime,
}

type reducedPoint[T any] struct{ s1, s2, p11, p12, p22, alpha, eta, sigma2, tau, end T }

func reducedOf[T any](x []T) reducedPoint[T] {
	return reducedPoint[T]{x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9]}
}

// pair is a symmetric 2×2 matrix.
type pair struct{ a, b, d float64 } // (a b; b d)

func (m pair) norm() float64 { return math.Sqrt(m.a*m.a + 2*m.b*m.b + m.d*m.d) }

// low returns the smaller eigenvalue, gap the distance of the two.
func (m pair) gap() float64 { return math.Hypot(m.a-m.d, 2*m.b) }
func (m pair) low() float64 { return (m.a + m.d - m.gap()) / 2 }

// angle returns the angle between the eigenframes of two symmetric matrices, from 0 to π/4, as
// measure.FrameAngle.
func angle(m, n pair) float64 {
	cross := math.Abs((m.a-m.d)*2*n.b - 2*m.b*(n.a-n.d))
	dot := math.Abs((m.a-m.d)*(n.a-n.d) + 4*m.b*n.b)
	t := math.Atan2(cross, dot) / 2
	return math.Min(t, math.Pi/4)
}

// commutator returns ‖[F, W_p]‖.
func commutator(f, p pair) float64 {
	// [F, P] = c·(0 1; −1 0) with c = f_a·p_b + f_b·p_d − p_a·f_b − p_b·f_d.
	return math.Sqrt2 * math.Abs(f.a*p.b+f.b*p.d-p.a*f.b-p.b*f.d)
}

// kMatrix is the K of Theorem 3.
func kMatrix(f, p pair, alpha, sigma2, tau, eta float64) pair {
	a := 1 + sigma2
	return pair{
		a*(alpha/2*f.a+p.a*p.a+p.b*p.b) - tau*p.a + 1.5*eta,
		a*(alpha/2*f.b+p.b*(p.a+p.d)) - tau*p.b,
		a*(alpha/2*f.d+p.b*p.b+p.d*p.d) - tau*p.d + 1.5*eta,
	}
}

// reducedPath integrates the reduced flow; the states are (W_p, F) at the accepted times.
func reducedPath(ctx context.Context, z reducedPoint[float64], s Solver) (ps, fs []pair) {
	f, err := flow.ByName("reduced")
	if err != nil {
		panic(err)
	}
	st := flow.NewState()
	st.Alpha, st.Eta, st.Sigma2, st.Tau = z.alpha, z.eta, z.sigma2, z.tau
	st.Wp = mat.NewDense(2, 2, []float64{z.p11, z.p12, z.p12, z.p22})
	st.F = mat.NewDense(2, 2, []float64{z.s1, 0, 0, z.s2})
	sys, err := f.Bind(st)
	if err != nil {
		return nil, nil
	}
	for _, y := range solve(ctx, sys.RHS(), sys.Initial(), z.end, s) {
		ps = append(ps, pair{y[0], y[1], y[2]})
		fs = append(fs, pair{y[3], y[4], y[5]})
	}
	return ps, fs
}

// growth is the angle in degrees by which eigenframes must part.
const growth = 20

// frameAngle: Theorem 3 read as alignment.
//
// K ⪰ (3η/2 − τ²/(4a))·I at every state with F ⪰ 0 (thm3-bound, apriori), and F stays ⪰ 0 (sym-dynamics,
// rank), so that with 6ηa > τ² the commutator tends to zero for certain.
func frameAngle() Question {
	return Question{
		Claim: "thm3-alignment", Name: "eigenframes", Axes: reducedAxes,
		Says: "if K ≻ 0 at all times, so that ‖[F, Wₚ]‖ → 0, then the eigenframes of F and Wₚ do not part by more than 20°",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			z := reducedOf(x)
			a := 1 + z.sigma2
			k := (z.tau*z.tau - 6*z.eta*a) / (z.tau*z.tau + 6*z.eta*a)
			if k > 0 {
				return 1 + k
			}
			ps, fs := reducedPath(ctx, z, s)
			if ps == nil {
				return math.Inf(1)
			}
			// Frames are determined where the gap is a fair part of the matrix.
			const fair = 0.05
			last := len(ps) - 1
			loose := 0.0
			for _, m := range []pair{ps[0], fs[0], ps[last], fs[last]} {
				loose = max(loose, fair-m.gap()/m.norm())
			}
			grown := (angle(fs[last], ps[last]) - angle(fs[0], ps[0])) * 180 / math.Pi
			return max(k, loose-2*Clear, (growth-grown)/growth)
		},
		Certify: certifyFrameAngle,
	}
}

func certifyFrameAngle(x []*big.Rat) (Certificate, error) {
	var c Certificate
	z := reducedOf(x)
	a := add(num(1, 1), z.sigma2)
	lambda := sub(mul(num(3, 2), z.eta), quo(mul(z.tau, z.tau), mul(num(4, 1), a)))
	if lambda.Sign() <= 0 {
		return c, unproved("K ≻ 0 at all times needs 6ηa > τ²")
	}
	c.Facts = append(c.Facts, fact("K(t) ⪰ %s·I at all times: 3η/2 − τ²/(4a), with F(t) ⪰ 0", lambda.RatString()),
		fact("‖[F, Wₚ](t)‖ ≤ exp(−2·%s·t)·‖[F, Wₚ](0)‖ → 0 by Theorem 3", lambda.RatString()))
	r, tube, err := encloseReduced(z)
	if err != nil {
		return c, err
	}
	for _, minor := range r.K.Leading() {
		ans, err := tube.Positive(minor, 12)
		if err != nil || ans.Verdict != enclosure.Holds {
			return c, unproved("K ≻ 0 on [0, %s]: %v %v", z.end.RatString(), ans.Verdict, err)
		}
	}
	c.Facts = append(c.Facts, fact("K ≻ 0 on [0, %s], by its leading minors along the enclosure", z.end.RatString()))
	cross, dot := enclosure.FrameAngle(r.F, r.Wp)
	first, err := frameAngleAt(tube, cross, dot, new(big.Rat))
	if err != nil {
		return c, err
	}
	final, err := frameAngleAt(tube, cross, dot, z.end)
	if err != nil {
		return c, err
	}
	grown := final.Sub(first)
	c.Facts = append(c.Facts,
		fact("angle between the eigenframes at 0: in [%.6f°, %.6f°]", first.Lo(), first.Hi()),
		fact("angle between the eigenframes at %s: in [%.6f°, %.6f°]", z.end.RatString(), final.Lo(), final.Hi()))
	if !(grown.Lo() > growth) {
		return c, unproved("the angle grows by %v degrees", grown)
	}
	c.Violation = sub(rat(grown.Lo()), num(growth, 1))
	return c, nil
}

// frameAngleAt encloses the angle between the eigenframes in degrees, from 0° to 45°:
// ½·arctan(|ρ sin 2δ| / |ρ cos 2δ|).
func frameAngleAt(t *enclosure.Tube, cross, dot enclosure.Expr, at *big.Rat) (interval.Interval, error) {
	c, err := t.EvalAt(cross, at)
	if err != nil {
		return interval.Entire(), err
	}
	d, err := t.EvalAt(dot, at)
	if err != nil {
		return interval.Entire(), err
	}
	c, d = c.Abs(), d.Abs()
	deg := interval.FromInt(180).Div(interval.Pi())
	half := interval.FromInt(2)
	switch {
	case d.Lo() > 0:
		return c.Div(d).Atan().Div(half).Mul(deg), nil
	case c.Lo() > 0:
		return interval.FromInt(45).Sub(d.Div(c).Atan().Div(half).Mul(deg)), nil
	}
	return interval.Entire(), unproved("the eigenframes are not determined at time %s", at.RatString())
}

func encloseReduced(z reducedPoint[*big.Rat]) (*enclosure.ReducedFlow, *enclosure.Tube, error) {
	r := enclosure.Reduced(2, enclosure.Hyper{Alpha: point(z.alpha), Eta: point(z.eta), Sigma2: point(z.sigma2), Tau: point(z.tau)})
	tube, err := enclose(r.System, []*big.Rat{z.s1, new(big.Rat), z.s2, z.p11, z.p12, z.p22}, z.end)
	return r, tube, err
}

// commutatorGrows: the bound of Theorem 3 without its hypothesis.
func commutatorGrows() Question {
	return Question{
		Claim: "thm3-bound", Name: "without K ≻ 0", Axes: reducedAxes,
		Says: "whatever K is, ‖[F, Wₚ](T)‖² is not more than twice ‖[F, Wₚ](0)‖²",
		Score: func(ctx context.Context, x []float64, s Solver) float64 {
			z := reducedOf(x)
			ps, fs := reducedPath(ctx, z, s)
			if ps == nil {
				return math.Inf(1)
			}
			last := len(ps) - 1
			l0, l1 := commutator(fs[0], ps[0]), commutator(fs[last], ps[last])
			// A commutator of nothing says nothing.
			if tiny := 0.01 - l0; tiny > 0 {
				return 1 + tiny
			}
			return math.Log(2 * l0 * l0 / (l1 * l1))
		},
		Certify: func(x []*big.Rat) (Certificate, error) {
			var c Certificate
			z := reducedOf(x)
			r, tube, err := encloseReduced(z)
			if err != nil {
				return c, err
			}
			l0, err := tube.EvalAt(r.L.SumSquares(), new(big.Rat))
			if err != nil {
				return c, err
			}
			l1, err := tube.EvalAt(r.L.SumSquares(), z.end)
			if err != nil {
				return c, err
			}
			c.Facts = append(c.Facts, fact("‖[F, Wₚ]‖² at 0: in [%.9g, %.9g]", l0.Lo(), l0.Hi()),
				fact("‖[F, Wₚ]‖² at %s: in [%.9g, %.9g]", z.end.RatString(), l1.Lo(), l1.Hi()))
			over := l1.Sub(l0.Mul(interval.FromInt(2)))
			if !(over.Lo() > 0) {
				return c, unproved("the commutator grows by %v", over)
			}
			c.Violation = rat(over.Lo())
			return c, nil
		},
	}
}
