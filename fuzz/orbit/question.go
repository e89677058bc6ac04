package orbit

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"

	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/optimise"
	"stopgrad/numeric/ode"
	"stopgrad/theory/lang"
)

// Axis is one number of a question's box.
type Axis struct {
	Name string
	// Lo and Hi bound the search, on a logarithmic scale if Log is set.
	Lo, Hi float64
	Log    bool
	// Domain is where the number has a meaning; a counterexample may be made simpler within it.
	Domain lang.Domain
}

// At returns the value at u in [0, 1].
func (a Axis) At(u float64) float64 {
	if a.Log {
		return a.Lo * math.Exp(u*math.Log(a.Hi/a.Lo))
	}
	return a.Lo + u*(a.Hi-a.Lo)
}

// Solver says how a trajectory is integrated.
type Solver struct {
	Method         ode.Method
	RelTol, AbsTol float64
}

// The integrators of the search and of the second opinion. The objectives of the questions call for a margin
// of [Clear] in quantities of order one; 1e-8 a step over some hundred steps, magnified a thousandfold on the
// way past a saddle, stays below it. Matrices decay on the way, hence the small absolute tolerance. The second
// opinion is implicit, of another family, and a hundred times tighter.
var (
	Explicit = Solver{ode.Verner8, 1e-8, 1e-13}
	Implicit = Solver{ode.RadauIIA5, 1e-10, 1e-15}
)

// Clear is by how much an objective must be negative.
const Clear = 1.0 / 256

// Certificate is a proof that a trajectory breaks a statement.
type Certificate struct {
	// Facts are what was established, in order, each with its bounds.
	Facts []string
	// Violation is a lower bound of by how much the statement fails, exact and positive: a simple fraction
	// within a sixteenth of what was proved.
	Violation *big.Rat
}

// Question is a statement about trajectories that a search tries to break.
type Question struct {
	Claim string // id of the claim that it belongs to
	Name  string
	Says  string // the statement under attack
	Axes  []Axis
	// Score is negative on a counterexample, the more the clearer; +Inf where there is no trajectory.
	Score func(ctx context.Context, x []float64, s Solver) float64
	// Certify proves that the trajectory of x is a counterexample, or says why it cannot.
	Certify func(x []*big.Rat) (Certificate, error)
}

// Label identifies a question among all.
func (q Question) Label() string { return q.Claim + "/" + q.Name }

// Statement renders what is attacked, identification first.
func (q Question) Statement() string { return q.Label() + ": " + q.Says }

// Restrict returns q within narrower domains: narrow returns the domain of a number if it is narrowed. The
// error names an axis that is left empty.
func (q Question) Restrict(narrow func(name string, d lang.Domain) (lang.Domain, bool)) (Question, error) {
	axes := append([]Axis(nil), q.Axes...)
	for i, a := range axes {
		d, ok := narrow(a.Name, a.Domain)
		if !ok {
			continue
		}
		if d.Lo != nil {
			a.Lo = max(a.Lo, rounded(d.Lo))
		}
		if d.Hi != nil {
			a.Hi = min(a.Hi, rounded(d.Hi))
		}
		if a.Lo > a.Hi {
			// The range of the search does not meet the domain: search the domain itself.
			if d.Lo == nil || d.Hi == nil {
				return q, fmt.Errorf("orbit: %s: no range of %s to search", q.Label(), a.Name)
			}
			a.Lo, a.Hi = rounded(d.Lo), rounded(d.Hi)
		}
		a.Domain = d
		axes[i] = a
	}
	q.Axes = axes
	return q, nil
}

func rounded(r *big.Rat) float64 { f, _ := r.Float64(); return f }

// Evidence says how a counterexample was confirmed.
type Evidence string

// The kinds of evidence for a trajectory.
const (
	Enclosed Evidence = "validated enclosure" // certified by intervals
	Second   Evidence = "second integrator"   // agreed by Radau IIA at a hundredth of the tolerance
)

// Result is what a search came to.
type Result struct {
	Found       bool
	X           []*big.Rat // by axis, minimised
	Evidence    Evidence
	Certificate Certificate
	Doubt       error // why there is no certificate, if the evidence is a second integrator
	Score       float64
	Stage       string
	Evals       int // trajectories of the search
	Minimised   int // trajectories of the minimisation
	CutOff      bool
}

// certificateTries bounds how often minimisation asks for a certificate when the simplest trajectory has
// none.
const certificateTries = 40

// witnesses is how many trajectories are looked for and made simple; the simplest is reported.
const witnesses = 3

// Search looks for a counterexample to q, makes it simple and confirms it. It depends on the seed and the
// effort alone, unless ctx ends it.
func Search(ctx context.Context, q Question, seed uint64, e optimise.Effort) Result {
	best := q.search(ctx, seed, q.Label(), e)
	for k := 2; k <= witnesses && best.Found; k++ {
		r := q.search(ctx, seed, fmt.Sprintf("%s #%d", q.Label(), k), e)
		r.Evals += best.Evals
		r.Minimised += best.Minimised
		if r.Found && r.simpler(best) {
			best = r
		}
		best.Evals, best.Minimised = r.Evals, r.Minimised
	}
	return best
}

// simpler compares evidence first, then how many numbers are not zero, then their cost.
func (r Result) simpler(s Result) bool {
	if r.Evidence != s.Evidence {
		return r.Evidence == Enclosed
	}
	nonzero := func(xs []*big.Rat) (n int) {
		for _, x := range xs {
			n += x.Sign() * x.Sign()
		}
		return n
	}
	if a, b := nonzero(r.X), nonzero(s.X); a != b {
		return a < b
	}
	return minimise.CostOf(r.X) < minimise.CostOf(s.X)
}

func (q Question) search(ctx context.Context, seed uint64, label string, e optimise.Effort) Result {
	var start []*big.Rat
	r := optimise.Minimise(ctx, optimise.Problem{
		Dim: len(q.Axes),
		F: func(u []float64) float64 {
			x := make([]float64, len(u))
			for i, a := range q.Axes {
				x[i] = a.At(u[i])
			}
			return q.Score(ctx, x, Explicit)
		},
		Target: -Clear,
		Accept: func(u []float64, _ float64) bool {
			start = q.round(ctx, u)
			return start != nil
		},
	}, seed, label, e)
	res := Result{Score: r.F, Stage: r.Stage, Evals: r.Evals, CutOff: r.CutOff}
	if !r.Found {
		return res
	}
	clear := func(x []*big.Rat) bool { return q.breaks(ctx, x, Explicit) }
	zeros := func(i int) bool { return q.Axes[i].Domain.Contains(new(big.Rat)) }
	x, asked := minimise.Vector(ctx, start, zeros, clear, minimiseLimit)
	res.Minimised = asked
	cert, err := q.certify(x)
	if err != nil {
		// The simplest trajectory may be too delicate for intervals; ask for the certificate on the way.
		tries := 0
		certified := func(y []*big.Rat) bool {
			if tries >= certificateTries || !clear(y) {
				return false
			}
			tries++
			_, err := q.Certify(y)
			return err == nil
		}
		if certified(start) {
			y, asked := minimise.Vector(ctx, start, zeros, certified, minimiseLimit)
			res.Minimised += asked
			x = y
			cert, err = q.certify(x)
		}
	}
	res.X, res.Score = x, q.Score(ctx, floats(x), Explicit)
	switch {
	case err == nil:
		res.Found, res.Evidence, res.Certificate = true, Enclosed, cert
	case q.breaks(ctx, x, Implicit):
		s := q.Score(ctx, floats(x), Implicit)
		res.Found, res.Evidence, res.Doubt = true, Second, err
		res.Certificate = Certificate{Violation: simple(new(big.Rat).SetFloat64(-s)),
			Facts: []string{fmt.Sprintf("objective %.6g by Radau IIA at relative tolerance %g", s, Implicit.RelTol)}}
	default:
		res.Doubt = fmt.Errorf("orbit: neither intervals nor a second integrator confirm it: %w", err)
	}
	return res
}

// certify is Certify with a simple lower bound of the violation.
func (q Question) certify(x []*big.Rat) (Certificate, error) {
	c, err := q.Certify(x)
	if err == nil {
		c.Violation = simple(c.Violation)
	}
	return c, err
}

// simple returns the simplest fraction between 15/16 of a positive number and the number.
func simple(v *big.Rat) *big.Rat {
	return minimise.Simplest(new(big.Rat).Mul(v, big.NewRat(15, 16)), v)
}

// minimiseLimit bounds the trajectories that a minimisation integrates.
const minimiseLimit = 3000

// inside reports whether every number lies in its domain.
func (q Question) inside(x []*big.Rat) bool {
	for i, a := range q.Axes {
		if !a.Domain.Contains(x[i]) {
			return false
		}
	}
	return true
}

// breaks reports whether x is clearly a counterexample in float64.
func (q Question) breaks(ctx context.Context, x []*big.Rat, s Solver) bool {
	return q.inside(x) && q.Score(ctx, floats(x), s) < -Clear
}

// round returns simple fractions near u that still break the statement, nil if none do.
func (q Question) round(ctx context.Context, u []float64) []*big.Rat {
	for _, rel := range []*big.Rat{big.NewRat(1, 8), big.NewRat(1, 32), big.NewRat(1, 128), big.NewRat(1, 1024), big.NewRat(1, 1<<20)} {
		x := make([]*big.Rat, len(u))
		for i, a := range q.Axes {
			r := new(big.Rat).SetFloat64(a.At(u[i]))
			if r == nil {
				return nil
			}
			x[i] = minimise.Within(r, rel)
		}
		if q.breaks(ctx, x, Explicit) {
			return x
		}
	}
	return nil
}

func floats(x []*big.Rat) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = rounded(v)
	}
	return out
}

// Confirm re-verifies a counterexample from nothing but its numbers: by its certificate, or where there is
// none by the second integrator. The error says that neither holds.
func Confirm(ctx context.Context, q Question, x []*big.Rat) (Evidence, Certificate, error) {
	if len(x) != len(q.Axes) || !q.inside(x) {
		return "", Certificate{}, fmt.Errorf("orbit: %s: the numbers are outside their domains", q.Label())
	}
	c, err := q.certify(x)
	if err == nil {
		return Enclosed, c, nil
	}
	if q.breaks(ctx, x, Implicit) {
		return Second, Certificate{Violation: simple(new(big.Rat).SetFloat64(-q.Score(ctx, floats(x), Implicit)))}, nil
	}
	return "", Certificate{}, err
}

// Text renders the numbers of a counterexample on a line.
func (q Question) Text(x []*big.Rat) string {
	var b strings.Builder
	for i, a := range q.Axes {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.Name + "=" + x[i].RatString())
	}
	return b.String()
}

// Numbers lists the numbers of a counterexample by name.
func (q Question) Numbers(x []*big.Rat) map[string]string {
	out := map[string]string{}
	for i, a := range q.Axes {
		out[a.Name] = x[i].RatString()
	}
	return out
}

// FromNumbers is the inverse of [Question.Numbers].
func (q Question) FromNumbers(m map[string]*big.Rat) ([]*big.Rat, error) {
	x := make([]*big.Rat, len(q.Axes))
	for i, a := range q.Axes {
		v, ok := m[a.Name]
		if !ok {
			return nil, fmt.Errorf("orbit: %s: no value for %s", q.Label(), a.Name)
		}
		x[i] = v
	}
	if len(m) != len(x) {
		return nil, fmt.Errorf("orbit: %s: %d numbers; expected %d", q.Label(), len(m), len(x))
	}
	return x, nil
}

// Questions lists all questions, those of one claim together.
func Questions() []Question {
	return []Question{
		frameAngle(), commutatorGrows(), trueEMA(),
		collapseFromAbove(), escapeFromBelow(),
		largeRate(), ratioUnderCollapse(), skewUnderCollapse(),
	}
}

// Of returns the questions of a claim.
func Of(claim string) []Question {
	var out []Question
	for _, q := range Questions() {
		if q.Claim == claim {
			out = append(out, q)
		}
	}
	return out
}
