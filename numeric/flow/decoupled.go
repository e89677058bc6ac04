package flow

import "stopgrad/numeric/ode"

var decoupledFlow = Flow{
	Name: "decoupled",
	Equations: `p_j' = α s_j (τ_j - a p_j) - η p_j
s_j' = 2 p_j s_j (τ_j - a p_j) - 2η s_j
τ_j' = β (1 - τ_j) - τ_j (p_j (τ_j - a p_j) - η)      (the printed s_j τ_j' = β (1 - τ_j) s_j - τ_j s_j'/2, divided by s_j)`,
	Source:    "paper, section 3.2; claim decoupled, τ per mode (claim assump-ema)",
	variables: []key{kP, kS, kTau},
	params:    []key{kAlpha, kEta, kBeta, kSigma2, kX, kXp},
	bind:      bindDecoupled,
}

// The variables are singular where s_j reaches zero (τ_j = wa_j/w_j runs away when w_j
// crosses zero): there the solver fails and the modes flow goes on.
//
// A tau given as a number, or by default, holds for every mode at the start.
func bindDecoupled(s *State) (*System, error) {
	const name = "decoupled"
	if err := need(s, name, kP, kS); err != nil {
		return nil, err
	}
	if s.TauModes == nil {
		s.TauModes = broadcast(s.Tau, len(s.P))
		if s.number.has(kP) {
			s.number.add(kTau)
		}
	}
	if err := sameModes(s, name, kP, kS, kTau); err != nil {
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
			{key: kS, rows: n, cols: 1, modes: true},
			{key: kTau, rows: n, cols: 1, modes: true},
		},
		rhs: func() ode.RHS {
			return func(_ float64, y, dy []float64) {
				for j := range n {
					p, s, tau := y[j], y[n+j], y[2*n+j]
					drive := tau - a*p
					dy[j] = alpha*s*drive - eta*p
					growth := p*drive - eta // s'/(2s)
					dy[n+j] = 2 * s * growth
					dy[2*n+j] = beta*(1-tau) - tau*growth
				}
			}
		},
	}, nil
}
