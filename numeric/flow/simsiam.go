package flow

import "stopgrad/numeric/ode"

var simsiamFlow = Flow{
	Name: "simsiam",
	Equations: `R   = -Wp·W·(X + X') + W·X
Wp' = α R·Wᵀ - η Wp
W'  = Wpᵀ·R - η W`,
	Source:    "paper, section 2; claim simsiam-reduction: lemma1 with Wa = W",
	variables: []key{kWp, kW},
	params:    []key{kAlpha, kEta, kSigma2, kX, kXp},
	bind:      bindSimsiam,
}

func bindSimsiam(s *State) (*System, error) {
	const name = "simsiam"
	if err := need(s, name, kWp, kW); err != nil {
		return nil, err
	}
	n2, n1, x, xs, err := dataShapes(s, name, true)
	if err != nil {
		return nil, err
	}
	alpha, eta := s.Alpha, s.Eta
	np := n2 * n2
	return &System{
		blocks: []block{{key: kWp, rows: n2, cols: n2}, {key: kW, rows: n2, cols: n1}},
		rhs: func() ode.RHS {
			res := newResidual(n2, n1, x, xs)
			return func(_ float64, y, dy []float64) {
				wp, w := y[:np], y[np:]
				res.to(wp, w, w)
				mulTransTo(dy[:np], res.r, w, n2, n1, n2)
				for i, v := range wp {
					dy[i] = alpha*dy[i] - eta*v
				}
				transMulTo(dy[np:], wp, res.r, n2, n2, n1)
				axpy(dy[np:], -eta, w)
			}
		},
	}, nil
}
