package flow

import (
	"fmt"

	"stopgrad/numeric/ode"
)

var parabolaFlow = Flow{
	Name:      "parabola",
	Equations: `p_j' = p_j² (τ - a p_j) - η p_j`,
	Source:    "paper, equation of section 3.2; claim 1d-dynamics: decoupled on s = p²/α with τ constant",
	variables: []key{kP},
	params:    []key{kEta, kSigma2, kTau, kX, kXp},
	bind:      bindParabola,
}

// An array tau gives each mode its own constant.
func bindParabola(s *State) (*System, error) {
	const name = "parabola"
	if err := need(s, name, kP); err != nil {
		return nil, err
	}
	tau := s.TauModes
	if tau == nil {
		tau = broadcast(s.Tau, len(s.P))
	}
	if len(tau) != len(s.P) {
		return nil, fmt.Errorf("flow: parabola: tau has %d modes but p has %d", len(tau), len(s.P))
	}
	if err := isotropic(s, name); err != nil {
		return nil, err
	}
	eta, a := s.Eta, 1+s.Sigma2
	n := len(s.P)
	return &System{
		blocks: []block{{key: kP, rows: n, cols: 1, modes: true}},
		rhs: func() ode.RHS {
			return func(_ float64, y, dy []float64) {
				for j, p := range y {
					dy[j] = p*p*(tau[j]-a*p) - eta*p
				}
			}
		},
	}, nil
}
