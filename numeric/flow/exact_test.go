package flow

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The slow twin of every right-hand side: the equations as the claims ledger prints
// them, over big.Rat with naive loops.
//
// The points have entries k/8, |k| ≤ 16, or coarser. The longest product in any of the
// equations is α·Wp·W·X·Wᵀ or a·Wp·Wp·F with at most six factors of at most three
// fractional bits and five bits before the point, summed over n³ ≤ 2⁹ terms: less
// than 18 + 24 + 9 bits. So every intermediate float64 is exact, in whatever order
// it is computed, and the comparison is for equality.

type rat [][]*big.Rat

func ratOf(m mat.Matrix) rat {
	r, c := m.Dims()
	out := newRat(r, c)
	for i := range out {
		for j := range out[i] {
			out[i][j].SetFloat64(m.At(i, j))
		}
	}
	return out
}

func newRat(r, c int) rat {
	out := make(rat, r)
	for i := range out {
		out[i] = make([]*big.Rat, c)
		for j := range out[i] {
			out[i][j] = new(big.Rat)
		}
	}
	return out
}

func num(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

func ratIdentity(n int) rat { return ratOf(scaledIdentity(n, 1)) }

func (a rat) mul(bs ...rat) rat {
	for _, b := range bs {
		out := newRat(len(a), len(b[0]))
		for i := range out {
			for j := range out[i] {
				for k := range b {
					out[i][j].Add(out[i][j], new(big.Rat).Mul(a[i][k], b[k][j]))
				}
			}
		}
		a = out
	}
	return a
}

func (a rat) add(bs ...rat) rat {
	out := newRat(len(a), len(a[0]))
	for i := range out {
		for j := range out[i] {
			out[i][j].Set(a[i][j])
			for _, b := range bs {
				out[i][j].Add(out[i][j], b[i][j])
			}
		}
	}
	return out
}

func (a rat) scale(c *big.Rat) rat {
	out := newRat(len(a), len(a[0]))
	for i := range out {
		for j := range out[i] {
			out[i][j].Mul(c, a[i][j])
		}
	}
	return out
}

func (a rat) neg() rat { return a.scale(big.NewRat(-1, 1)) }

func (a rat) t() rat {
	out := newRat(len(a[0]), len(a))
	for i := range out {
		for j := range out[i] {
			out[i][j].Set(a[j][i])
		}
	}
	return out
}

// anti is {A, B} = A·B + B·A.
func anti(a, b rat) rat { return a.mul(b).add(b.mul(a)) }

// exactPoint is a state over the rationals.
type exactPoint struct {
	alpha, eta, beta, sigma2, tau *big.Rat
	w, wp, wa, f, x, xp           rat
	p, s, taus, wm, wam           []*big.Rat
}

func exactOf(s *State) *exactPoint {
	n1 := 1
	if s.W != nil {
		_, n1 = s.W.Dims()
	}
	x, xp, err := s.Moments(n1)
	if err != nil {
		panic(err)
	}
	e := &exactPoint{
		alpha: num(s.Alpha), eta: num(s.Eta), beta: num(s.Beta), sigma2: num(s.Sigma2), tau: num(s.Tau),
		x: ratOf(x), xp: ratOf(xp),
	}
	for _, m := range []struct {
		to   *rat
		from *mat.Dense
	}{{&e.w, s.W}, {&e.wp, s.Wp}, {&e.wa, s.Wa}, {&e.f, s.F}} {
		if m.from != nil {
			*m.to = ratOf(m.from)
		}
	}
	for _, v := range []struct {
		to   *[]*big.Rat
		from []float64
	}{{&e.p, s.P}, {&e.s, s.S}, {&e.taus, s.TauModes}, {&e.wm, s.Wm}, {&e.wam, s.WaM}} {
		for _, x := range v.from {
			*v.to = append(*v.to, num(x))
		}
	}
	return e
}

// a returns 1 + σ².
func (e *exactPoint) a() *big.Rat { return new(big.Rat).Add(big.NewRat(1, 1), e.sigma2) }

// residual returns -Wp·W·(X+X') + Wa·X.
func (e *exactPoint) residual(wa rat) rat {
	return e.wp.mul(e.w, e.x.add(e.xp)).neg().add(wa.mul(e.x))
}

// sum returns Σ coef·Π factors: one polynomial equation of the scalar flows.
func sum(terms ...[]*big.Rat) *big.Rat {
	out := new(big.Rat)
	for _, t := range terms {
		p := big.NewRat(1, 1)
		for _, x := range t {
			p.Mul(p, x)
		}
		out.Add(out, p)
	}
	return out
}

func term(xs ...*big.Rat) []*big.Rat { return xs }

var (
	half     = big.NewRat(1, 2)
	minus    = big.NewRat(-1, 1)
	two      = big.NewRat(2, 1)
	minusTwo = big.NewRat(-2, 1)
)

// derivatives returns, per variable key in packing order, the exact derivative.
var derivatives = map[string]func(e *exactPoint) []any{
	"lemma1": func(e *exactPoint) []any {
		r := e.residual(e.wa)
		minusEta := new(big.Rat).Neg(e.eta)
		return []any{
			r.mul(e.w.t()).scale(e.alpha).add(e.wp.scale(minusEta)),
			e.wp.t().mul(r).add(e.w.scale(minusEta)),
			e.w.add(e.wa.neg()).scale(e.beta),
		}
	},
	"simsiam": func(e *exactPoint) []any {
		r := e.residual(e.w)
		minusEta := new(big.Rat).Neg(e.eta)
		return []any{
			r.mul(e.w.t()).scale(e.alpha).add(e.wp.scale(minusEta)),
			e.wp.t().mul(r).add(e.w.scale(minusEta)),
		}
	},
	"nopredictor": func(e *exactPoint) []any {
		return []any{e.w.mul(e.xp.add(ratIdentity(len(e.xp)).scale(e.eta))).neg()}
	},
	"nostopgrad": func(e *exactPoint) []any {
		minusEta := new(big.Rat).Neg(e.eta)
		one := ratIdentity(len(e.wp))
		tilde := e.wp.add(one.neg())
		return []any{
			e.residual(e.w).mul(e.w.t()).scale(e.alpha).add(e.wp.scale(minusEta)),
			e.wp.t().mul(e.wp).add(one).mul(e.w, e.xp).neg().
				add(tilde.t().mul(tilde, e.w, e.x).neg(), e.w.scale(minusEta)),
		}
	},
	"symmetrised": func(e *exactPoint) []any {
		r := e.residual(e.wa)
		minusEta := new(big.Rat).Neg(e.eta)
		return []any{
			r.mul(e.w.t()).add(e.w.mul(r.t())).scale(e.alpha).scale(half).add(e.wp.scale(minusEta)),
			e.wp.t().mul(r).add(e.w.scale(minusEta)),
			e.w.add(e.wa.neg()).scale(e.beta),
		}
	},
	"reduced": func(e *exactPoint) []any {
		return []any{
			anti(e.wp, e.f).scale(e.a()).scale(e.alpha).scale(half).neg().
				add(e.f.scale(e.alpha).scale(e.tau), e.wp.scale(e.eta).neg()),
			anti(e.wp.mul(e.wp), e.f).scale(e.a()).neg().
				add(anti(e.wp, e.f).scale(e.tau), e.f.scale(e.eta).scale(minusTwo)),
		}
	},
	"decoupled": func(e *exactPoint) []any {
		var dp, ds, dtau []*big.Rat
		for j, p := range e.p {
			s, tau := e.s[j], e.taus[j]
			drive := sum(term(tau), term(minus, e.a(), p))
			dp = append(dp, sum(term(e.alpha, s, drive), term(minus, e.eta, p)))
			sdot := sum(term(two, p, s, drive), term(minusTwo, e.eta, s))
			ds = append(ds, sdot)
			// β(1-τ) - τ s'/(2s), by division (s ≠ 0 at these points).
			q := new(big.Rat).Quo(sdot, new(big.Rat).Mul(two, s))
			dtau = append(dtau, sum(term(e.beta), term(minus, e.beta, tau), term(minus, tau, q)))
		}
		return []any{dp, ds, dtau}
	},
	"modes": func(e *exactPoint) []any {
		var dp, dw, dwa []*big.Rat
		for j, p := range e.p {
			w, wa := e.wm[j], e.wam[j]
			r := sum(term(minus, e.a(), p, w), term(wa))
			dp = append(dp, sum(term(e.alpha, r, w), term(minus, e.eta, p)))
			dw = append(dw, sum(term(p, r), term(minus, e.eta, w)))
			dwa = append(dwa, sum(term(e.beta, w), term(minus, e.beta, wa)))
		}
		return []any{dp, dw, dwa}
	},
	"parabola": func(e *exactPoint) []any {
		var dp []*big.Rat
		for _, p := range e.p {
			dp = append(dp, sum(term(p, p, e.tau), term(minus, e.a(), p, p, p), term(minus, e.eta, p)))
		}
		return []any{dp}
	},
}

// dyadicState fills every variable that any flow needs; Wp and F are symmetric for
// the flows that ask for it, and data isotropic where they must be.
func dyadicState(rng *rand.Rand, f Flow, n2, n1 int) *State {
	s := NewState()
	s.Alpha = dyadic(rng)
	s.Eta = float64(rng.IntN(9)) / 8
	s.Beta = float64(rng.IntN(9)) / 8
	s.Sigma2 = float64(rng.IntN(9)) / 8
	s.Tau = dyadic(rng)
	s.T = 1
	s.W = dyadicMatrix(rng, n2, n1)
	s.Wa = dyadicMatrix(rng, n2, n1)
	s.Wp = dyadicMatrix(rng, n2, n2)
	if f.Name == "symmetrised" || f.Name == "reduced" {
		s.Wp = dyadicSymmetric(rng, n2)
	}
	s.F = dyadicSymmetric(rng, n2)
	if f.Name != "reduced" && rng.IntN(3) > 0 {
		s.X, s.Xp = dyadicMoment(rng, n1), dyadicMoment(rng, n1)
		s.Sigma2 = 0
	}
	if f.has(kP) {
		s.X, s.Xp = nil, nil
		for range n2 {
			s.P = append(s.P, dyadic(rng))
			s.S = append(s.S, float64(1+rng.IntN(16))/8)
			s.Wm = append(s.Wm, dyadic(rng))
			s.WaM = append(s.WaM, dyadic(rng))
		}
		if f.has(kTau) {
			for range n2 {
				s.TauModes = append(s.TauModes, dyadic(rng))
			}
		}
	}
	return s
}

// difference returns the first entry in which the right-hand side of the flow at s
// differs from the exact derivative, or "".
func difference(f Flow, s *State, exact []any) (string, error) {
	sys, err := f.Bind(s)
	if err != nil {
		return "", err
	}
	y := sys.Initial()
	dy := make([]float64, sys.Dim())
	for i := range dy {
		dy[i] = 1e300 // an entry that is not written shows
	}
	sys.RHS()(s.T, y, dy)
	d := sys.Unpack(s.T, dy)
	for k, key := range f.variables {
		switch want := exact[k].(type) {
		case rat:
			got := *d.matrix(key)
			for i := range want {
				for j := range want[i] {
					if num(got.At(i, j)).Cmp(want[i][j]) != 0 {
						return fmt.Sprintf("%s'[%d,%d] = %v, want %v", keyNames[key], i+1, j+1, got.At(i, j), want[i][j].FloatString(8)), nil
					}
				}
			}
		case []*big.Rat:
			got := *d.modes(key)
			for i := range want {
				if num(got[i]).Cmp(want[i]) != 0 {
					return fmt.Sprintf("%s'[%d] = %v, want %v", keyNames[key], i+1, got[i], want[i].FloatString(8)), nil
				}
			}
		}
	}
	return "", nil
}

// shapes are (n2, n1) with n2 <, =, > n1.
var shapes = [][2]int{{1, 1}, {1, 4}, {2, 5}, {3, 3}, {5, 2}, {4, 1}, {3, 4}}

func TestRightHandSidesAreTheEquations(t *testing.T) {
	for _, f := range flows {
		rng := rand.New(rand.NewPCG(5, 6))
		for round := range 30 {
			shape := shapes[round%len(shapes)]
			s := dyadicState(rng, f, shape[0], shape[1])
			d, err := difference(f, s, derivatives[f.Name](exactOf(s)))
			if err != nil || d != "" {
				t.Fatalf("%s, shape %v: %s, %v", f.Name, shape, d, err)
			}
		}
	}
}

// Equations with one thing wrong are told from the right-hand sides: each parameter
// moved, a transposition dropped, X and X' exchanged, modes scaled.
func TestWrongEquationsAreFound(t *testing.T) {
	bump := big.NewRat(1, 64)
	mutations := map[string]func(e *exactPoint){
		"alpha":   func(e *exactPoint) { e.alpha = new(big.Rat).Add(e.alpha, bump) },
		"-eta":    func(e *exactPoint) { e.eta = new(big.Rat).Neg(e.eta) },
		"beta":    func(e *exactPoint) { e.beta = new(big.Rat).Add(e.beta, bump) },
		"sigma2":  func(e *exactPoint) { e.sigma2 = new(big.Rat).Add(e.sigma2, bump) },
		"tau":     func(e *exactPoint) { e.tau = new(big.Rat).Add(e.tau, bump) },
		"Wpᵀ":     func(e *exactPoint) { e.wp = e.wp.t() },
		"X ↔ X'":  func(e *exactPoint) { e.x, e.xp = e.xp, e.x },
		"Wa ↔ W":  func(e *exactPoint) { e.wa, e.w = e.w, e.wa },
		"-Wp":     func(e *exactPoint) { e.wp = e.wp.neg() },
		"2F":      func(e *exactPoint) { e.f = e.f.scale(two) },
		"wa ↔ w":  func(e *exactPoint) { e.wam, e.wm = e.wm, e.wam },
		"2s":      func(e *exactPoint) { e.s = []*big.Rat{new(big.Rat).Mul(two, e.s[0])} },
		"tau_j/2": func(e *exactPoint) { e.taus = []*big.Rat{new(big.Rat).Mul(half, e.taus[0])} },
	}
	expect := map[string][]string{
		"lemma1":      {"alpha", "-eta", "beta", "Wpᵀ", "X ↔ X'", "Wa ↔ W", "-Wp"},
		"simsiam":     {"alpha", "-eta", "Wpᵀ", "X ↔ X'", "-Wp"},
		"nopredictor": {"-eta", "X ↔ X'"},
		"nostopgrad":  {"alpha", "-eta", "Wpᵀ", "X ↔ X'", "-Wp"},
		"symmetrised": {"alpha", "-eta", "beta", "X ↔ X'", "Wa ↔ W", "-Wp"},
		"reduced":     {"alpha", "-eta", "sigma2", "tau", "-Wp", "2F"},
		"decoupled":   {"alpha", "-eta", "beta", "sigma2", "2s", "tau_j/2"},
		"modes":       {"alpha", "-eta", "beta", "sigma2", "wa ↔ w"},
		"parabola":    {"-eta", "sigma2", "tau"},
	}
	for _, f := range flows {
		for _, name := range expect[f.Name] {
			rng := rand.New(rand.NewPCG(7, 8))
			n2, n1 := 3, 3
			if f.has(kP) {
				n2 = 1
			}
			found := false
			for range 10 {
				s := dyadicState(rng, f, n2, n1)
				e := exactOf(s)
				mutations[name](e)
				d, err := difference(f, s, derivatives[f.Name](e))
				if err != nil {
					t.Fatal(err)
				}
				found = found || d != ""
			}
			if !found {
				t.Errorf("%s with %s passes", f.Name, name)
			}
		}
	}
}

func TestEveryFlowHasAnExactTwin(t *testing.T) {
	for _, f := range flows {
		if derivatives[f.Name] == nil {
			t.Errorf("%s has no exact equations", f.Name)
		}
		if f.Equations == "" || f.Source == "" {
			t.Errorf("%s has no equations or no source", f.Name)
		}
	}
}
