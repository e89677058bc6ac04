package flow

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

var reducedFlow = Flow{
	Name: "reduced",
	Equations: `Wp' = -½α a {Wp, F} + ατ F - η Wp
F'  = -a {Wp², F} + τ {Wp, F} - 2η F      (Wp, F symmetric; a = 1+σ², {A, B} = A·B + B·A)`,
	Source:    "paper, equations of section 3.1; claim sym-dynamics",
	variables: []key{kWp, kF},
	params:    []key{kAlpha, kEta, kSigma2, kTau, kX, kXp},
	bind:      bindReduced,
}

// Where F is absent and W is present, F = W·Wᵀ, its definition for X = I.
func bindReduced(s *State) (*System, error) {
	const name = "reduced"
	if s.F == nil && s.W != nil {
		s.F = new(mat.Dense)
		s.F.Mul(s.W, s.W.T())
	}
	if err := need(s, name, kWp, kF); err != nil {
		return nil, err
	}
	if s.TauModes != nil {
		return nil, fmt.Errorf("flow: reduced has one tau: a number, not an array of %d", len(s.TauModes))
	}
	n, c := s.Wp.Dims()
	if n != c {
		return nil, fmt.Errorf("flow: reduced: Wp is %d×%d, not square", n, c)
	}
	if err := sameShape(s, name, kF, n, n, kWp); err != nil {
		return nil, err
	}
	if err := checkSymmetric("Wp", s.Wp); err != nil {
		return nil, err
	}
	if err := checkSymmetric("F", s.F); err != nil {
		return nil, err
	}
	if err := isotropic(s, name); err != nil {
		return nil, err
	}
	alpha, eta, tau, a := s.Alpha, s.Eta, s.Tau, 1+s.Sigma2
	np := n * (n + 1) / 2
	return &System{
		blocks: []block{
			{key: kWp, rows: n, cols: n, symmetric: true},
			{key: kF, rows: n, cols: n, symmetric: true},
		},
		rhs: func() ode.RHS {
			wp, f := make([]float64, n*n), make([]float64, n*n)
			g, h := make([]float64, n*n), make([]float64, n*n)
			return func(_ float64, y, dy []float64) {
				up, uf := y[:np], y[np:]
				unpackSymmetric(wp, up, n)
				unpackSymmetric(f, uf, n)
				mulTo(g, wp, f, n, n, n) // {Wp, F} = g + gᵀ
				packUpper(dy[:np], -alpha*a/2, g, -eta, up, n)
				axpy(dy[:np], alpha*tau, uf)
				mulTo(h, wp, g, n, n, n) // {Wp², F} = h + hᵀ
				for i := range h {
					h[i] = tau*g[i] - a*h[i]
				}
				packUpper(dy[np:], 1, h, -2*eta, uf, n)
			}
		},
	}, nil
}
