package flow

import "stopgrad/numeric/ode"

var symmetrisedFlow = Flow{
	Name: "symmetrised",
	Equations: `R   = -Wp·W·(X + X') + Wa·X
Wp' = ½α (R·Wᵀ + W·Rᵀ) - η Wp      (Wp symmetric)
W'  = Wp·R - η W
Wa' = β (W - Wa)`,
	Source:    "paper, Assumption 3; claim assump-sym: lemma1 with the symmetric part of Wp'",
	variables: []key{kWp, kW, kWa},
	params:    []key{kAlpha, kEta, kBeta, kSigma2, kX, kXp},
	bind:      bindSymmetrised,
}

func bindSymmetrised(s *State) (*System, error) {
	const name = "symmetrised"
	if err := need(s, name, kWp, kW, kWa); err != nil {
		return nil, err
	}
	n2, n1, x, xs, err := dataShapes(s, name, true)
	if err != nil {
		return nil, err
	}
	if err := sameShape(s, name, kWa, n2, n1, kW); err != nil {
		return nil, err
	}
	if err := checkSymmetric("Wp", s.Wp); err != nil {
		return nil, err
	}
	alpha, eta, beta := s.Alpha, s.Eta, s.Beta
	np, nw := n2*(n2+1)/2, n2*n1
	return &System{
		blocks: []block{
			{key: kWp, rows: n2, cols: n2, symmetric: true},
			{key: kW, rows: n2, cols: n1},
			{key: kWa, rows: n2, cols: n1},
		},
		rhs: func() ode.RHS {
			res := newResidual(n2, n1, x, xs)
			wp := make([]float64, n2*n2)
			m := make([]float64, n2*n2)
			return func(_ float64, y, dy []float64) {
				up, w, wa := y[:np], y[np:np+nw], y[np+nw:]
				unpackSymmetric(wp, up, n2)
				res.to(wp, w, wa)
				mulTransTo(m, res.r, w, n2, n1, n2)
				packUpper(dy[:np], alpha/2, m, -eta, up, n2)
				dw := dy[np : np+nw]
				mulTo(dw, wp, res.r, n2, n2, n1)
				axpy(dw, -eta, w)
				dwa := dy[np+nw:]
				for i := range dwa {
					dwa[i] = beta * (w[i] - wa[i])
				}
			}
		},
	}, nil
}
