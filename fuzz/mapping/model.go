package mapping

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// Model is a flow of one mode.
type Model int

const (
	// Frozen is p' = αs(τ−ap) − ηp, s' = 2ps(τ−ap) − 2ηs with τ constant: the flow reduced of package flow at
	// size one, claim decoupled with τ frozen.
	Frozen Model = iota
	// Modes is the flow modes of package flow, in (p, w, wa) with the moving average at work, from w = √s(0)
	// and wa = τw.
	Modes
	// Parabola is p' = p²(τ−ap) − ηp, the flow parabola of package flow: Frozen on s = p²/α, where α cancels.
	Parabola
)

var models = [...]struct {
	name, flow, depends string
}{
	Frozen:   {"frozen", "reduced", "eta alpha sigma2 tau kappa p0 s0"},
	Modes:    {"modes", "modes", "eta alpha beta sigma2 tau kappa p0 s0"},
	Parabola: {"parabola", "parabola", "eta sigma2 tau kappa p0"},
}

// String returns the name that ParseModel reads.
func (m Model) String() string {
	if m < 0 || int(m) >= len(models) {
		return fmt.Sprintf("Model(%d)", int(m))
	}
	return models[m].name
}

// ParseModel returns the model called frozen, modes or parabola.
func ParseModel(name string) (Model, error) {
	for i, m := range models {
		if m.name == name {
			return Model(i), nil
		}
	}
	return 0, fmt.Errorf("mapping: unknown model %q (known: frozen modes parabola)", name)
}

// dependsOn reports whether the quantity means something to the model.
func (m Model) dependsOn(name string) bool {
	for _, s := range strings.Fields(models[m].depends) {
		if s == name {
			return true
		}
	}
	return false
}

// Defaults of the quantities that are neither on an axis nor set: those of package flow, and of the two that
// have none a decay and a start for which the theory has a saddle.
var defaults = map[string]*big.Rat{
	"eta":    big.NewRat(1, 10),
	"alpha":  new(big.Rat).SetFloat64(flow.DefaultAlpha),
	"beta":   new(big.Rat).SetFloat64(flow.DefaultBeta),
	"sigma2": new(big.Rat).SetFloat64(flow.DefaultSigma2),
	"tau":    new(big.Rat).SetFloat64(flow.DefaultTau),
	"p0":     big.NewRat(1, 2),
}

// Parameters are the constants of the flow of one mode with frozen τ.
type Parameters struct {
	Eta, Alpha, Sigma2, Tau float64
}

func (q Parameters) a() float64 { return 1 + q.Sigma2 }

// Kappa returns κ = ηa/τ², the one number on which the flow on the parabola depends after scaling p and t.
func (q Parameters) Kappa() float64 { return q.Eta * q.a() / (q.Tau * q.Tau) }

// point is a mode at time 0 with its parameters.
type point struct {
	Parameters
	beta   float64
	p0, s0 float64
}

// theory returns the parameters for which the theory predicts: the moving average ends at τ = 1 (claim
// eta-critical).
func (pt point) theory(m Model) Parameters {
	q := pt.Parameters
	if m == Modes {
		q.Tau = 1
	}
	return q
}

// resolve turns values of quantities into a point. kappa sets eta, and s0, where absent, lies on the parabola.
func (m Model) resolve(v map[string]float64) point {
	pt := point{
		Parameters: Parameters{Eta: v["eta"], Alpha: v["alpha"], Sigma2: v["sigma2"], Tau: v["tau"]},
		beta:       v["beta"], p0: v["p0"],
	}
	if k, ok := v["kappa"]; ok {
		tau := pt.theory(m).Tau
		pt.Eta = k * tau * tau / pt.a()
	}
	if s, ok := v["s0"]; ok {
		pt.s0 = s
	} else {
		pt.s0 = pt.p0 * pt.p0 / pt.Alpha
	}
	return pt
}

// dynamics is a model bound to a point.
type dynamics struct {
	point
	model Model
	y0    []float64
	rhs   ode.RHS
	trap  trap
	box   float64 // half-width of the collapse trap
}

// bind binds the model to a point by way of package flow.
func (m Model) bind(pt point) (*dynamics, error) {
	f, err := flow.ByName(models[m].flow)
	if err != nil {
		return nil, err
	}
	st := flow.NewState()
	st.Alpha, st.Eta, st.Sigma2, st.Tau = pt.Alpha, pt.Eta, pt.Sigma2, pt.Tau
	switch m {
	case Frozen:
		st.Wp, st.F = mat.NewDense(1, 1, []float64{pt.p0}), mat.NewDense(1, 1, []float64{pt.s0})
	case Modes:
		w := math.Sqrt(pt.s0)
		st.Beta, st.Tau = pt.beta, flow.DefaultTau
		st.P, st.Wm, st.WaM = []float64{pt.p0}, []float64{w}, []float64{pt.Tau * w}
	case Parabola:
		st.Alpha = flow.DefaultAlpha
		st.P = []float64{pt.p0}
	}
	sys, err := f.Bind(st)
	if err != nil {
		return nil, err
	}
	return &dynamics{point: pt, model: m, y0: sys.Initial(), rhs: sys.RHS()}, nil
}

// mode returns p, s and τ at a packed state.
func (d *dynamics) mode(y []float64) (p, s, tau float64) {
	switch d.model {
	case Frozen:
		return y[0], y[1], d.Tau
	case Modes:
		return y[0], y[1] * y[1], y[2] / y[1]
	default:
		return y[0], y[0] * y[0] / d.Alpha, d.Tau
	}
}

// alignment returns k = a(αs/2 + p²) − τp + 3η/2, the eigenvalue of K for the mode (claims thm3-identity and
// wd-alignment): Theorem 3 bounds misalignment while it is positive.
func (d *dynamics) alignment(y []float64) float64 {
	p, s, tau := d.mode(y)
	k := measure.K(mat.NewDense(1, 1, []float64{s}), mat.NewDense(1, 1, []float64{p}), d.Alpha, d.Sigma2, tau, d.Eta)
	return k.At(0, 0)
}

// slope returns dk/dt of alignment at y, where dy is the right-hand side.
func (d *dynamics) slope(y, dy []float64) float64 {
	a := d.a()
	switch d.model {
	case Frozen:
		return a*(d.Alpha*dy[1]/2+2*y[0]*dy[0]) - d.Tau*dy[0]
	case Modes:
		p, w, wa := y[0], y[1], y[2]
		tau := wa / w
		dtau := (dy[2] - tau*dy[1]) / w
		return a*(d.Alpha*w*dy[1]+2*p*dy[0]) - dtau*p - tau*dy[0]
	default:
		return (3*a*y[0] - d.Tau) * dy[0]
	}
}
