package flow

import "stopgrad/numeric/ode"

var modesFlow = Flow{
	Name: "modes",
	Equations: `p_j'  = α (-a p_j w_j + wa_j) w_j - η p_j
w_j'  = p_j (-a p_j w_j + wa_j) - η w_j
wa_j' = β (w_j - wa_j)`,
	Source:    "claims assump-ema and decoupled: lemma1 on an aligned mode, regular at w = 0",
	variables: []key{kP, kWm, kWaM},
	params:    []key{kAlpha, kEta, kBeta, kSigma2, kX, kXp},
	bind:      bindModes,
}

func bindModes(s *State) (*System, error) {
	const name = "modes"
	if err := need(s, name, kP, kWm, kWaM); err != nil {
		return nil, err
	}
	if err := sameModes(s, name, kP, kWm, kWaM); err != nil {
		return nil, err
	}
	if err := isotropic(s, name); err != nil {
		return nil, err
	}
	alpha, eta, beta, a := s.Alpha, s.Eta, s.Beta, 1+s.Sigma2
	n := len(s.P)
	return &System{
		blocks: []block{
			{key: kP, rows: n, cols: 1, modes: true},
			{key: kWm, rows: n, cols: 1, modes: true},
			{key: kWaM, rows: n, cols: 1, modes: true},
		},
		rhs: func() ode.RHS {
			return func(_ float64, y, dy []float64) {
				for j := range n {
					p, w, wa := y[j], y[n+j], y[2*n+j]
					r := wa - a*p*w
					dy[j] = alpha*r*w - eta*p
					dy[n+j] = p*r - eta*w
					dy[2*n+j] = beta * (w - wa)
				}
			}
		},
	}, nil
}
