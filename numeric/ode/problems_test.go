package ode

import "math"

// problem is an initial value problem with its solution.
type problem struct {
	name  string
	f     RHS
	t0    float64
	y0    []float64
	t1    float64
	exact func(t float64) []float64
	// ladder of step counts for the convergence tests of the orders 5 and 8, chosen
	// so that the finest error stays above round-off (roundOffMargin); empty: the
	// problem is not used there.
	ladder5, ladder8 []int
	stiff            bool
}

// modeParabola is the scalar eigen-mode p' = -a p (p - p₋)(p - p₊) of claim
// 1d-dynamics, started between p₋ and p₊. Partial fractions give
//
//	-a t = Σ_i ln|(p - r_i)/(p₀ - r_i)| / Π_{j≠i}(r_i - r_j),  r = 0, p₋, p₊
//
// which is monotone in p and inverted by bisection.
func modeParabola(tau, a, eta, p0, t1 float64) problem {
	root := math.Sqrt(tau*tau - 4*eta*a)
	r := [3]float64{0, (tau - root) / (2 * a), (tau + root) / (2 * a)}
	time := func(p float64) float64 {
		var sum float64
		for i := range r {
			d := 1.0
			for j := range r {
				if j != i {
					d *= r[i] - r[j]
				}
			}
			sum += math.Log(math.Abs((p-r[i])/(p0-r[i]))) / d
		}
		return -sum / a
	}
	return problem{
		name: "mode on the parabola",
		f: func(_ float64, y, d []float64) {
			p := y[0]
			d[0] = p*p*(tau-a*p) - eta*p
		},
		y0: []float64{p0}, t1: t1,
		exact: func(t float64) []float64 {
			lo, hi := p0, r[2]
			for range 200 {
				if m := (lo + hi) / 2; time(m) < t {
					lo = m
				} else {
					hi = m
				}
			}
			return []float64{lo}
		},
	}
}

// kepler is the two-body problem (Hull, Enright, Fellen, Sedgwick, SIAM J. Numer.
// Anal. 9 (1972), class D) with eccentricity e; the position follows from Kepler's
// equation E - e sin E = t.
func kepler(e, t1 float64) problem {
	return problem{
		name: "two bodies",
		f: func(_ float64, y, d []float64) {
			r := math.Hypot(y[0], y[1])
			d[0], d[1] = y[2], y[3]
			d[2], d[3] = -y[0]/(r*r*r), -y[1]/(r*r*r)
		},
		y0: []float64{1 - e, 0, 0, math.Sqrt((1 + e) / (1 - e))}, t1: t1,
		exact: func(t float64) []float64 {
			u := t
			for range 100 {
				u -= (u - e*math.Sin(u) - t) / (1 - e*math.Cos(u))
			}
			b, r := math.Sqrt(1-e*e), 1-e*math.Cos(u)
			return []float64{math.Cos(u) - e, b * math.Sin(u), -math.Sin(u) / r, b * math.Cos(u) / r}
		},
	}
}

func problems() []problem {
	mode := modeParabola(1, 1.2, 0.04, 0.1, 20)
	mode.ladder5, mode.ladder8 = []int{16, 24, 32, 48}, []int{16, 20, 24, 28, 32}
	orbit := kepler(0.5, 6)
	orbit.ladder5, orbit.ladder8 = []int{320, 480, 640, 960}, []int{64, 80, 96, 112, 128}
	return []problem{
		mode,
		orbit,
		{
			name: "logistic growth", // class A, problem 4 of Hull et al.
			f:    func(_ float64, y, d []float64) { d[0] = y[0] / 4 * (1 - y[0]/20) },
			y0:   []float64{1}, t1: 20,
			exact:   func(t float64) []float64 { return []float64{20 / (1 + 19*math.Exp(-t/4))} },
			ladder5: []int{16, 24, 32, 48}, ladder8: []int{8, 10, 12, 14, 16},
		},
		{
			name: "oscillating growth", // class A, problem 3; depends on t
			f:    func(t float64, y, d []float64) { d[0] = y[0] * math.Cos(t) },
			y0:   []float64{1}, t1: 20,
			exact:   func(t float64) []float64 { return []float64{math.Exp(math.Sin(t))} },
			ladder5: []int{120, 160, 240, 320}, ladder8: []int{60, 80, 100, 120},
		},
		{
			name: "mode without decay", // s = p²/α + c with η = 0, claim invariance-scalar, p₀ = √(αc) tan 0
			// With a = 0 the pair p' = α s τ, s' = 2 p s τ and α = τ = 1, c = 1 is
			// p' = 1 + p², p = tan t, s = 1/cos² t.
			f:  func(_ float64, y, d []float64) { d[0], d[1] = y[1], 2*y[0]*y[1] },
			y0: []float64{0, 1}, t1: 1.2,
			exact: func(t float64) []float64 {
				c := math.Cos(t)
				return []float64{math.Tan(t), 1 / (c * c)}
			},
			ladder5: []int{16, 24, 32, 48}, ladder8: []int{16, 20, 24, 28},
		},
		{
			name: "stiff relaxation", // Prothero and Robinson, Math. Comp. 28 (1974), λ = -10⁶
			f:    func(t float64, y, d []float64) { d[0] = -1e6*(y[0]-math.Cos(t)) - math.Sin(t) },
			y0:   []float64{1}, t1: 10,
			exact: func(t float64) []float64 { return []float64{math.Cos(t)} },
			stiff: true,
		},
	}
}
