package flow

import "stopgrad/numeric/ode"

var nostopgradFlow = Flow{
	Name: "nostopgrad",
	Equations: `Wp' = α (-Wp·W·(X + X') + W·X)·Wᵀ - η Wp
W'  = -(Wpᵀ·Wp + I)·W·X' - (Wp - I)ᵀ·(Wp - I)·W·X - η W`,
	Source:    "paper, Theorem 2; claim nostopgrad: the gradient taken through both branches, Wa = W",
	variables: []key{kWp, kW},
	params:    []key{kAlpha, kEta, kSigma2, kX, kXp},
	bind:      bindNostopgrad,
}

// With R = -Wp·W·(X+X') + W·X and Q = Wp·W·X - W·X the second equation reads
// W' = Wpᵀ·R + Q - W·X' - ηW: the gradient through the online branch, as in
// simsiam, and the rest through the target branch. It saves the products with
// Wpᵀ·Wp.
func bindNostopgrad(s *State) (*System, error) {
	const name = "nostopgrad"
	if err := need(s, name, kWp, kW); err != nil {
		return nil, err
	}
	n2, n1, x, xs, err := dataShapes(s, name, true)
	if err != nil {
		return nil, err
	}
	alpha, eta := s.Alpha, s.Eta
	np, nw := n2*n2, n2*n1
	return &System{
		blocks: []block{{key: kWp, rows: n2, cols: n2}, {key: kW, rows: n2, cols: n1}},
		rhs: func() ode.RHS {
			res := newResidual(n2, n1, x, xs)
			v := make([]float64, nw) // W·X
			q := make([]float64, nw) // Wp·W·X
			return func(_ float64, y, dy []float64) {
				wp, w := y[:np], y[np:]
				res.to(wp, w, w)
				x.rightTo(v, w, n2)
				mulTo(q, wp, v, n2, n2, n1)
				mulTransTo(dy[:np], res.r, w, n2, n1, n2)
				for i, p := range wp {
					dy[i] = alpha*dy[i] - eta*p
				}
				dw := dy[np:]
				transMulTo(dw, wp, res.r, n2, n2, n1)
				// res.b = W·(X+X'), so Q - W·X' = (Wp·W·X - W·X) - (res.b - W·X).
				for i := range dw {
					dw[i] += q[i] - res.b[i] - eta*w[i]
				}
			}
		},
	}, nil
}
