package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
)

// derivative evaluates the right-hand side of a flow at a state.
func derivative(t *testing.T, f Flow, s *State) *State {
	t.Helper()
	sys, err := f.Bind(s)
	if err != nil {
		t.Fatal(err)
	}
	dy := make([]float64, sys.Dim())
	sys.RHS()(s.T, sys.Initial(), dy)
	return sys.Unpack(s.T, dy)
}

// The laws below are checked at dyadic points, where every right-hand side is exact
// (see exact_test.go): for equality.

func TestLemma1WithEqualTargetIsSimsiam(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	for _, shape := range shapes {
		s := dyadicState(rng, lemma1Flow, shape[0], shape[1])
		s.Wa = mat.DenseCopyOf(s.W)
		a, b := derivative(t, lemma1Flow, s), derivative(t, simsiamFlow, s)
		if !mat.Equal(a.Wp, b.Wp) || !mat.Equal(a.W, b.W) || mat.Norm(a.Wa, 2) != 0 {
			t.Errorf("shape %v: the flows differ", shape)
		}
		s.Wa.Set(0, 0, s.Wa.At(0, 0)+1)
		if a = derivative(t, lemma1Flow, s); mat.Equal(a.Wp, b.Wp) && mat.Equal(a.W, b.W) && !s.singularRow() {
			t.Errorf("shape %v: another target makes no difference", shape)
		}
	}
}

// singularRow reports that row 1 of X is zero, so that Wa[1,1] has no effect.
func (s *State) singularRow() bool {
	if s.X == nil {
		return false
	}
	for _, x := range s.X.RawRowView(0) {
		if x != 0 {
			return false
		}
	}
	return true
}

// Claim sym-dynamics: with X = I, X' = σ²I and Wa = τW the symmetrised flow closes in
// Wp and F = W·Wᵀ, F' = W'·Wᵀ + W·W'ᵀ, whatever the shape of W.
func TestReducedIsSymmetrisedForIsotropicData(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2))
	for _, shape := range shapes {
		for range 4 {
			s := dyadicState(rng, symmetrisedFlow, shape[0], shape[1])
			s.X, s.Xp, s.Sigma2 = nil, nil, float64(rng.IntN(9))/8
			s.Wa.Scale(s.Tau, s.W)
			full := derivative(t, symmetrisedFlow, s)
			var df mat.Dense
			df.Mul(full.W, s.W.T())
			df.Add(&df, mat.DenseCopyOf(df.T()))
			s.F = new(mat.Dense)
			s.F.Mul(s.W, s.W.T())
			red := derivative(t, reducedFlow, s)
			if !mat.Equal(full.Wp, red.Wp) || !mat.Equal(&df, red.F) {
				t.Errorf("shape %v: the flows differ", shape)
			}
			s.Tau += 0.125 // the reduced flow without the proportional target
			if red = derivative(t, reducedFlow, s); mat.Equal(full.Wp, red.Wp) && mat.Norm(s.F, 2) > 0 && s.Alpha != 0 {
				t.Errorf("shape %v: another τ makes no difference", shape)
			}
		}
	}
}

// hadamard is the symmetric orthogonal 4×4 matrix H/2: entries ±½ keep dyadic points
// dyadic.
func hadamard() *mat.Dense {
	return mat.NewDense(4, 4, []float64{
		.5, .5, .5, .5, .5, -.5, .5, -.5, .5, .5, -.5, -.5, .5, -.5, -.5, .5,
	})
}

// Claim assump-ema: from an aligned start, W = U diag(w) Vᵀ and so on, lemma1 is the
// modes flow in every mode.
func TestAlignedLemma1IsModes(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	u := hadamard()
	for range 20 {
		s := dyadicState(rng, modesFlow, 4, 4)
		diag := func(v []float64) *mat.Dense {
			var m mat.Dense
			m.Product(u, mat.NewDiagDense(4, v), u.T())
			return &m
		}
		m := s.Clone()
		m.Wp, m.W, m.Wa = diag(s.P), diag(s.Wm), diag(s.WaM)
		got, want := derivative(t, lemma1Flow, m), derivative(t, modesFlow, s)
		if !mat.Equal(got.Wp, diag(want.P)) || !mat.Equal(got.W, diag(want.Wm)) || !mat.Equal(got.Wa, diag(want.WaM)) {
			t.Fatal("the flows differ")
		}
	}
}

// Claim decoupled: s = w², τ = wa/w turn modes into decoupled. With w = ±2ᵏ the
// division is exact too.
func TestModesAreDecoupledInOtherVariables(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 4))
	for range 20 {
		s := dyadicState(rng, modesFlow, 3, 3)
		d := s.Clone()
		d.S, d.TauModes = make([]float64, 3), make([]float64, 3)
		for j := range s.P {
			s.Wm[j] = math.Ldexp(1, rng.IntN(4)-2) * float64(1-2*rng.IntN(2))
			d.S[j], d.TauModes[j] = s.Wm[j]*s.Wm[j], s.WaM[j]/s.Wm[j]
		}
		m, got := derivative(t, modesFlow, s), derivative(t, decoupledFlow, d)
		for j := range s.P {
			w, wa := s.Wm[j], s.WaM[j]
			ds := 2 * w * m.Wm[j]
			dtau := (m.WaM[j]*w - wa*m.Wm[j]) / (w * w)
			if got.P[j] != m.P[j] || got.S[j] != ds || got.TauModes[j] != dtau {
				t.Fatalf("mode %d: %v %v %v, want %v %v %v", j, got.P[j], got.S[j], got.TauModes[j], m.P[j], ds, dtau)
			}
		}
	}
}

// Claim 1d-dynamics: on s = p²/α the first decoupled equation is the parabola, for
// any α. α = 2ᵏ keeps p²/α dyadic.
func TestParabolaIsDecoupledOnTheInvariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	for range 20 {
		s := dyadicState(rng, decoupledFlow, 3, 3)
		s.Alpha = math.Ldexp(1, rng.IntN(5)-2)
		for j, p := range s.P {
			s.S[j] = p * p / s.Alpha
		}
		s.TauModes = nil
		if !slices.Equal(derivative(t, decoupledFlow, s).P, derivative(t, parabolaFlow, s).P) {
			t.Fatal("the flows differ")
		}
	}
}

// 1×1 matrices are one mode: reduced and decoupled share p' and s'.
func TestReducedOfSizeOneIsDecoupled(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 6))
	for range 20 {
		s := dyadicState(rng, reducedFlow, 1, 1)
		s.P, s.S = []float64{s.Wp.At(0, 0)}, []float64{s.F.At(0, 0)}
		r, d := derivative(t, reducedFlow, s), derivative(t, decoupledFlow, s)
		if r.Wp.At(0, 0) != d.P[0] || r.F.At(0, 0) != d.S[0] {
			t.Fatal("the flows differ")
		}
	}
}

// The metamorphic laws of the claims ledger, section 8, for every flow they hold for.
func TestFlowsAreCovariant(t *testing.T) {
	q := hadamard()
	conj := func(m *mat.Dense) *mat.Dense {
		var out mat.Dense
		out.Product(q, m, q.T())
		return &out
	}
	left := func(m *mat.Dense) *mat.Dense {
		var out mat.Dense
		out.Mul(q, m)
		return &out
	}
	scaled := func(c float64, m *mat.Dense) *mat.Dense {
		var out mat.Dense
		out.Scale(c, m)
		return &out
	}
	laws := []struct {
		name string
		act  func(s *State) // on a state and on a derivative
		prep func(s *State) // parameters that change with it
	}{
		{"orthogonal", func(s *State) {
			for _, k := range []key{kWp, kF} {
				if m := s.matrix(k); *m != nil {
					*m = conj(*m)
				}
			}
			for _, k := range []key{kW, kWa} {
				if m := s.matrix(k); *m != nil {
					*m = left(*m)
				}
			}
		}, func(*State) {}},
		{"sign", func(s *State) {
			for _, k := range []key{kW, kWa} {
				if m := s.matrix(k); *m != nil {
					*m = scaled(-1, *m)
				}
			}
		}, func(*State) {}},
		// α is a gauge (claim alpha-positive-1): (W, Wa) → √α (W, Wa), F → αF gives the flow
		// with α = 1. Here from α = 1/4 or 4.
		{"gauge", func(s *State) {
			root := math.Sqrt(s.Alpha)
			for k, c := range map[key]float64{kW: root, kWa: root, kF: s.Alpha} {
				if m := s.matrix(k); *m != nil {
					*m = scaled(c, *m)
				}
			}
		}, func(s *State) { s.Alpha = 1 }},
	}
	holds := func(f Flow, act, prep func(*State), s *State) bool {
		moved := s.Clone()
		act(moved)
		prep(moved)
		want := derivative(t, f, s)
		act(want)
		got := derivative(t, f, moved)
		for _, k := range f.variables {
			if !mat.Equal(*got.matrix(k), *want.matrix(k)) {
				return false
			}
		}
		return true
	}
	for _, f := range []Flow{lemma1Flow, simsiamFlow, nostopgradFlow, nopredictorFlow, symmetrisedFlow, reducedFlow} {
		rng := rand.New(rand.NewPCG(11, 7))
		for _, law := range laws {
			if law.name == "gauge" && f.Name == "nopredictor" {
				continue
			}
			ok := true
			for range 10 {
				s := dyadicState(rng, f, 4, 3)
				if law.name == "gauge" {
					s.Alpha = math.Ldexp(1, 4*rng.IntN(2)-2)
				}
				ok = ok && holds(f, law.act, law.prep, s)
			}
			if !ok {
				t.Errorf("%s is not covariant: %s", f.Name, law.name)
			}
			// The twin: half of the law.
			broken := 0
			for range 10 {
				s := dyadicState(rng, f, 4, 3)
				s.Alpha = 4
				half := func(s *State) {
					if m := s.matrix(f.variables[0]); *m != nil {
						*m = scaled(3, *m)
					}
				}
				if !holds(f, half, func(*State) {}, s) {
					broken++
				}
			}
			if broken == 0 && f.Name != "nopredictor" {
				t.Errorf("%s: the test of %s cannot fail", f.Name, law.name)
			}
		}
	}
}

// Along trajectories: tolerance for laws that the solver keeps to its own tolerance.
// Local errors of rtol = 1e-11 per step add up over fewer than 10³ steps and are not
// amplified where the law's two sides are compared on the decaying side.
const lawTol = 1e-8

func simulate(t *testing.T, f Flow, s *State, end float64) *Trajectory {
	t.Helper()
	tr, err := Simulate(context.Background(), f, s, end, &Settings{Points: 11})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// balanceError is max_t ‖D(t) - e^(-2ηt) D(0)‖ / (‖W(0)‖² + ‖Wp(0)‖²/α).
func balanceError(tr *Trajectory) float64 {
	s0 := tr.States[0]
	d0 := measure.Balance(s0.W, s0.Wp, s0.Alpha)
	w, p := mat.Norm(s0.W, 2), mat.Norm(s0.Wp, 2)
	size := w*w + p*p/s0.Alpha
	worst := 0.0
	for i, s := range tr.States {
		var diff mat.Dense
		diff.Scale(math.Exp(-2*s.Eta*tr.T[i]), d0)
		diff.Sub(&diff, measure.Balance(s.W, s.Wp, s.Alpha))
		worst = max(worst, mat.Norm(&diff, 2)/size)
	}
	return worst
}

func TestBalanceIsInvariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	worst := map[string]float64{}
	broken := map[string]int{}
	const runs = 30
	for range runs {
		s := randomState(rng, 1+rng.IntN(5), 1+rng.IntN(5))
		for _, f := range []Flow{lemma1Flow, simsiamFlow} {
			worst[f.Name] = max(worst[f.Name], balanceError(simulate(t, f, s, 10)))
		}
		// Claims nostopgrad and thm1-vs-assumption3: not for the full gradient, not under
		// the symmetrised flow.
		if balanceError(simulate(t, nostopgradFlow, s, 10)) > 1e3*lawTol {
			broken["nostopgrad"]++
		}
		s.Wp = symmetricPart(s.Wp)
		sym := simulate(t, symmetrisedFlow, s, 10)
		if balanceError(sym) > 1e3*lawTol {
			broken["symmetrised"]++
		}
		// … where the trace survives.
		b0 := sym.Measures[0]["trace_balance"]
		for i, m := range sym.Measures {
			want := b0 * math.Exp(-2*s.Eta*sym.T[i])
			if d := math.Abs(m["trace_balance"] - want); d > lawTol*(1+sym.Measures[0]["norm_F"]) {
				t.Errorf("symmetrised: trace at %v off by %.3g", sym.T[i], d)
			}
		}
	}
	t.Log(worst, broken)
	for name, w := range worst {
		if w > lawTol {
			t.Errorf("%s: balance off by %.3g", name, w)
		}
	}
	for _, name := range []string{"nostopgrad", "symmetrised"} {
		if broken[name] < runs/2 {
			t.Errorf("%s keeps the balance in %d of %d runs: the test cannot fail", name, runs-broken[name], runs)
		}
	}
}

func TestReducedKeepsTraceRankAndSymmetry(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 2))
	for range 20 {
		s := randomState(rng, 4, 2) // F = W·Wᵀ of rank 2
		s.X, s.Xp, s.Sigma2 = nil, nil, 0.3
		s.Wp = symmetricPart(s.Wp)
		tr := simulate(t, reducedFlow, s, 10)
		for i, st := range tr.States {
			b := tr.Measures[0]["trace_balance"] * math.Exp(-2*s.Eta*tr.T[i])
			if d := math.Abs(tr.Measures[i]["trace_balance"] - b); d > lawTol*(1+math.Abs(b)) {
				t.Errorf("trace balance off by %.3g", d)
			}
			if !mat.Equal(st.F, st.F.T()) || !mat.Equal(st.Wp, st.Wp.T()) {
				t.Error("not exactly symmetric")
			}
			v, _ := measure.Eigenframe(st.F)
			for _, x := range v[2:] {
				if math.Abs(x) > lawTol*(1+v[0]) {
					t.Errorf("a third eigenvalue %.3g has grown", x)
				}
			}
		}
	}
}

func TestModeBalanceIsInvariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	for range 30 {
		s := NewState()
		s.Alpha, s.Eta = math.Pow(10, 2*rng.Float64()-1), 0.2*rng.Float64()
		s.Beta, s.Sigma2 = rng.Float64(), rng.Float64()
		for range 3 {
			// p, w, wa > 0 is invariant; elsewhere w may cross zero, where τ = wa/w ends.
			s.P = append(s.P, 0.1+rng.ExpFloat64())
			s.S = append(s.S, 0.1+rng.Float64())
		}
		s.Wm, s.WaM = make([]float64, 3), make([]float64, 3)
		for j, x := range s.S {
			s.Wm[j] = math.Sqrt(x)
			s.WaM[j] = s.Wm[j]
		}
		dec, mod := simulate(t, decoupledFlow, s, 5), simulate(t, modesFlow, s, 5)
		for i := range dec.T {
			decay := math.Exp(-2 * s.Eta * dec.T[i])
			for j := range s.P {
				c0 := s.S[j] - s.P[j]*s.P[j]/s.Alpha
				size := s.S[j] + s.P[j]*s.P[j]/s.Alpha
				got := measure.ModeBalance(dec.States[i].P, dec.States[i].S, s.Alpha)[j]
				if d := math.Abs(got - c0*decay); d > lawTol*size {
					t.Errorf("decoupled: invariant off by %.3g", d)
				}
				w := mod.States[i].Wm[j]
				if d := math.Abs(w*w - dec.States[i].S[j]); d > lawTol*(1+dec.States[i].S[j]) {
					t.Errorf("modes and decoupled differ in s by %.3g", d)
				}
			}
		}
	}
}

// Claim assump-ema: the chart (p, s, τ) is singular at s = 0. A mode whose w crosses
// zero is an ordinary trajectory of modes and the end of one of decoupled.
func TestDecoupledChartEndsWhereModesGoOn(t *testing.T) {
	s := NewState()
	s.P, s.Wm, s.WaM = []float64{-1}, []float64{0.1}, []float64{1}
	s.S, s.TauModes = []float64{0.01}, []float64{10}
	tr := simulate(t, modesFlow, s, 2)
	crosses := false
	for _, st := range tr.States {
		crosses = crosses || st.Wm[0] < 0
	}
	if !crosses {
		t.Fatal("w does not cross zero: the example shows nothing")
	}
	part, err := Simulate(context.Background(), decoupledFlow, s, 2, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "flow: decoupled: ode: ") {
		t.Errorf("the decoupled flow went through s = 0: %v", err)
	}
	if part == nil || len(part.T) == 0 || part.T[len(part.T)-1] > 2 {
		t.Error("no trajectory up to the singularity")
	}
}

// Claim nopred: W(t) = W(0) exp(-(X' + ηI) t), against gonum's matrix exponential.
func TestNopredictorDecaysExponentially(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 4))
	for range 20 {
		s := randomState(rng, 3, 4)
		tr := simulate(t, nopredictorFlow, s, 3)
		for i, st := range tr.States {
			h := mat.DenseCopyOf(s.Xp)
			for j := range 4 {
				h.Set(j, j, h.At(j, j)+s.Eta)
			}
			var e, want mat.Dense
			h.Scale(-tr.T[i], h)
			e.Exp(h)
			want.Mul(s.W, &e)
			want.Sub(&want, st.W)
			if d := mat.Norm(&want, 2) / mat.Norm(s.W, 2); d > lawTol {
				t.Errorf("off by %.3g at %v", d, tr.T[i])
			}
		}
	}
}

// Claim nostopgrad: ‖W(t)‖ ≤ e^(-λ₀t) ‖W(0)‖ with λ₀ = λ_min(X') + η, whatever Wp does;
// with the stop-gradient this fails (a non-collapsed stationary point).
func TestNostopgradDecays(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 5))
	alive := 0
	for range 20 {
		s := randomState(rng, 3, 3)
		s.X = nil
		s.Xp = randomMoment(rng, 3, 6, 0.2)
		s.Eta = 0
		lambda := measure.MinEigenvalue(s.Xp)
		w0 := mat.Norm(s.W, 2)
		bound := func(t float64) float64 { return w0 * math.Exp(-lambda*t) * (1 + lawTol) }
		tr := simulate(t, nostopgradFlow, s, 20)
		for i, st := range tr.States {
			if w := mat.Norm(st.W, 2); w > bound(tr.T[i])+lawTol*w0 {
				t.Errorf("‖W(%v)‖ = %v exceeds the bound %v", tr.T[i], w, bound(tr.T[i]))
			}
		}
		sim := simulate(t, simsiamFlow, s, 20)
		if mat.Norm(sim.States[10].W, 2) > bound(20) {
			alive++
		}
	}
	if alive < 5 {
		t.Errorf("with the stop-gradient only %d of 20 runs exceed the bound: the test cannot fail", alive)
	}
}

// Orthogonal covariance along whole trajectories, for a generic Q.
func TestTrajectoriesAreCovariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 7))
	for range 10 {
		s := randomState(rng, 3, 4)
		q := orthogonal(rng, 3)
		m := s.Clone()
		m.W.Mul(q, s.W)
		m.Wa.Mul(q, s.Wa)
		m.Wp.Product(q, s.Wp, q.T())
		a, b := simulate(t, lemma1Flow, s, 5), simulate(t, lemma1Flow, m, 5)
		for i := range a.T {
			var d mat.Dense
			d.Mul(q, a.States[i].W)
			d.Sub(&d, b.States[i].W)
			if x := mat.Norm(&d, 2); x > lawTol*mat.Norm(s.W, 2) {
				t.Errorf("at %v: off by %.3g", a.T[i], x)
			}
		}
	}
}

// Three methods of different kind agree on a trajectory.
func TestMethodsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 6))
	for _, f := range flows {
		s := randomState(rng, 3, 2)
		s.F = randomMoment(rng, 3, 3, 1)
		s.P, s.S = []float64{0.5, 0.8}, []float64{0.3, 0.5}
		s.Wm, s.WaM = []float64{0.4, 0.9}, []float64{0.2, 1}
		if f.Name == "reduced" || f.Name == "symmetrised" {
			s.Wp = symmetricPart(s.Wp)
		}
		if f.Name == "reduced" || f.has(kP) {
			s.X, s.Xp, s.Sigma2 = nil, nil, 0.2
		}
		var ends [][]float64
		for _, m := range []ode.Method{ode.Verner8, ode.DormandPrince54, ode.RadauIIA5} {
			opts := ode.Settings{Method: m}
			if m == ode.RadauIIA5 {
				opts.RelTol, opts.AbsTol = 1e-8, 1e-10
			}
			tr, err := Simulate(context.Background(), f, s, 5, &Settings{Points: 2, ODE: opts})
			if err != nil {
				t.Fatal(f.Name, m, err)
			}
			y, err := tr.System().Pack(tr.States[len(tr.States)-1], nil)
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, y)
		}
		for i := range ends[0] {
			if d := math.Abs(ends[1][i] - ends[0][i]); d > lawTol*(1+math.Abs(ends[0][i])) {
				t.Errorf("%s: dp54 differs by %.3g in component %d", f.Name, d, i)
			}
			// RadauIIA5 at rtol = 1e-8: a hundred times looser than 1e-10.
			if d := math.Abs(ends[2][i] - ends[0][i]); d > 100*lawTol*(1+math.Abs(ends[0][i])) {
				t.Errorf("%s: radau5 differs by %.3g in component %d", f.Name, d, i)
			}
		}
	}
}
