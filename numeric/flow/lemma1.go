package flow

import (
	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

var lemma1Flow = Flow{
	Name: "lemma1",
	Equations: `R   = -Wp·W·(X + X') + Wa·X
Wp' = α R·Wᵀ - η Wp
W'  = Wpᵀ·R - η W
Wa' = β (W - Wa)`,
	Source:    "paper, Lemma 1; claim lemma1",
	variables: []key{kWp, kW, kWa},
	params:    []key{kAlpha, kEta, kBeta, kSigma2, kX, kXp},
	bind:      bindLemma1,
}

// dataShapes checks W, the square Wp and the data of s and returns n2, n1 and the
// moments X and X + X'.
func dataShapes(s *State, flow string, predictor bool) (n2, n1 int, x, xs moment, err error) {
	n2, n1 = s.W.Dims()
	if predictor {
		if err = sameShape(s, flow, kWp, n2, n2, kW); err != nil {
			return
		}
	}
	mx, mxp, err := s.Moments(n1)
	if err != nil {
		return
	}
	var sum mat.Dense
	sum.Add(mx, mxp)
	return n2, n1, newMoment(mx), newMoment(&sum), nil
}

func bindLemma1(s *State) (*System, error) {
	const name = "lemma1"
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
	alpha, eta, beta := s.Alpha, s.Eta, s.Beta
	np, nw := n2*n2, n2*n1
	return &System{
		blocks: []block{
			{key: kWp, rows: n2, cols: n2},
			{key: kW, rows: n2, cols: n1},
			{key: kWa, rows: n2, cols: n1},
		},
		rhs: func() ode.RHS {
			res := newResidual(n2, n1, x, xs)
			return func(_ float64, y, dy []float64) {
				wp, w, wa := y[:np], y[np:np+nw], y[np+nw:]
				res.to(wp, w, wa)
				mulTransTo(dy[:np], res.r, w, n2, n1, n2)
				for i, v := range wp {
					dy[i] = alpha*dy[i] - eta*v
				}
				dw := dy[np : np+nw]
				transMulTo(dw, wp, res.r, n2, n2, n1)
				axpy(dw, -eta, w)
				dwa := dy[np+nw:]
				for i := range dwa {
					dwa[i] = beta * (w[i] - wa[i])
				}
			}
		},
	}, nil
}

// residual computes R = -Wp·W·(X+X') + Wa·X, the negative gradient of the objective
// with respect to the product Wp·W.
type residual struct {
	n2, n1 int
	x, xs  moment
	r      []float64 // n2×n1
	b      []float64 // W·(X+X')
	neg    []float64
}

func newResidual(n2, n1 int, x, xs moment) *residual {
	return &residual{
		n2: n2, n1: n1, x: x, xs: xs,
		r: make([]float64, n2*n1), b: make([]float64, n2*n1), neg: make([]float64, n2),
	}
}

func (res *residual) to(wp, w, wa []float64) {
	res.x.rightTo(res.r, wa, res.n2)
	res.xs.rightTo(res.b, w, res.n2)
	subMul(res.r, wp, res.b, res.neg, res.n2, res.n2, res.n1)
}
