package flow

import (
	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

var nopredictorFlow = Flow{
	Name:      "nopredictor",
	Equations: `W' = -W·(X' + ηI)`,
	Source:    "paper, section 3; claim nopred (the printed product (X' + ηI)·W has the factors in the wrong order)",
	variables: []key{kW},
	params:    []key{kEta, kSigma2, kX, kXp},
	bind:      bindNopredictor,
}

func bindNopredictor(s *State) (*System, error) {
	const name = "nopredictor"
	if err := need(s, name, kW); err != nil {
		return nil, err
	}
	n2, n1 := s.W.Dims()
	_, mxp, err := s.Moments(n1)
	if err != nil {
		return nil, err
	}
	h := mat.DenseCopyOf(mxp)
	for i := range n1 {
		h.Set(i, i, h.At(i, i)+s.Eta)
	}
	h.Scale(-1, h)
	decay := newMoment(h)
	return &System{
		blocks: []block{{key: kW, rows: n2, cols: n1}},
		rhs: func() ode.RHS {
			return func(_ float64, y, dy []float64) { decay.rightTo(dy, y, n2) }
		},
	}, nil
}
