package equations

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// roundings bounds the roundings on any path from an input to an entry of a hand-written right-hand side at
// sizes up to maxDim: at most 7 factors rounded on input, three products of inner dimension n ≤ 3 with one
// multiplication and n additions each, and fewer than 20 sums and scalings.
const (
	maxDim    = 3
	roundings = 7 + 3*(1+maxDim) + 20
	unit      = 0x1p-53
	gamma     = roundings * unit / (1 - roundings*unit)
)

// toFlow turns an exact state of a system into a state of numeric/flow.
func toFlow(st eval.State[*big.Rat]) *flow.State {
	s := flow.NewState()
	num := func(name string) float64 { x, _ := st.Vals[name].A[0].Float64(); return x }
	for name, m := range st.Vals {
		d := mat.NewDense(m.R, m.C, nil)
		for i, v := range m.A {
			x, _ := v.Float64()
			d.Set(i/m.C, i%m.C, x)
		}
		switch name {
		case "alpha":
			s.Alpha = num(name)
		case "eta":
			s.Eta = num(name)
		case "beta":
			s.Beta = num(name)
		case "sigma2":
			s.Sigma2 = num(name)
		case "tau":
			s.Tau, s.TauModes = num(name), []float64{num(name)}
		case "W":
			s.W = d
		case "Wp":
			s.Wp = d
		case "Wa":
			s.Wa = d
		case "F":
			s.F = d
		case "X":
			s.X = d
		case "Xp":
			s.Xp = d
		case "p":
			s.P = []float64{num(name)}
		case "s":
			s.S = []float64{num(name)}
		case "w":
			s.Wm = []float64{num(name)}
		case "wa":
			s.WaM = []float64{num(name)}
		}
	}
	return s
}

// derivative evaluates a flow of numeric/flow at a state, by symbol.
func derivative(f flow.Flow, s *flow.State) (map[string][]float64, error) {
	if f.Name == "reduced" {
		s.TauModes = nil
	}
	sys, err := f.Bind(s)
	if err != nil {
		return nil, err
	}
	dy := make([]float64, sys.Dim())
	sys.RHS()(0, sys.Initial(), dy)
	d := sys.Unpack(0, dy)
	out := map[string][]float64{"p": d.P, "s": d.S, "tau": d.TauModes, "w": d.Wm, "wa": d.WaM}
	for name, m := range map[string]*mat.Dense{"W": d.W, "Wp": d.Wp, "Wa": d.Wa, "F": d.F} {
		if m != nil {
			out[name] = m.RawMatrix().Data
		}
	}
	return out, nil
}

// disagreement compares a flow with a system at one state: the greatest error in units of its bound γ·M, and
// which entry it is. change, if not nil, alters the float derivative.
func disagreement(env *lang.Env, f flow.Flow, st eval.State[*big.Rat], change func(*flow.State, map[string][]float64)) (float64, string, error) {
	e, err := eval.New(Magnitude{}, env, WithMagnitude(st))
	if err != nil {
		return 0, "", err
	}
	s := toFlow(st)
	got, err := derivative(f, s)
	if err != nil {
		return 0, "", err
	}
	if change != nil {
		change(s, got)
	}
	worst, where := 0.0, ""
	for _, name := range f.Variables() {
		want, err := e.RightHandSide(name)
		if err != nil {
			return 0, "", err
		}
		if len(got[name]) != len(want.A) {
			return 0, "", fmt.Errorf("%s' has %d entries, expected %d", name, len(got[name]), len(want.A))
		}
		for i, w := range want.A {
			d, _ := new(big.Rat).Sub(new(big.Rat).SetFloat64(got[name][i]), w.V).Float64()
			d = math.Abs(d)
			if bound := gamma * w.M; d > worst*bound {
				worst, where = d/bound, fmt.Sprintf("%s'[%d]", name, i)
			}
		}
	}
	return worst, where, nil
}

// states draws n states of an environment at which the flow's data are acceptable.
func states(t *testing.T, env *lang.Env, label string, n int) []eval.State[*big.Rat] {
	t.Helper()
	ch := sample.NewStream(1, label)
	part := &lang.Part{Env: env}
	var out []eval.State[*big.Rat]
	for len(out) < n {
		st, err := sample.Draw(ch, part, maxDim)
		if err == nil {
			out = append(out, st)
		}
	}
	return out
}

// signs are one mutation of each system: a sign, or the operator that carries it.
var signs = map[string][2]string{
	"lemma1":      {"let d1 = Wp*W*x1 - sg(Wa*x2)", "let d1 = Wp*W*x1 + sg(Wa*x2)"},
	"simsiam":     {"let d1 = Wp*W*x1 - sg(W*x2)", "let d1 = Wp*W*x1 + sg(W*x2)"},
	"nopredictor": {"W' = -grad(J, W) - eta*W", "W' = -grad(J, W) + eta*W"},
	"nostopgrad":  {"let d1 = Wp*W*x1 - W*x2", "let d1 = Wp*W*x1 - sg(W*x2)"},
	"symmetrised": {"Wa' = beta*(W - Wa)", "Wa' = beta*(W + Wa)"},
	"reduced":     {"+ tau*{Wp, F}", "- tau*{Wp, F}"},
	"decoupled":   {"- tau*(p*(tau - a*p) - eta)", "- tau*(p*(tau - a*p) + eta)"},
	"modes":       {"w' = p*(-a*p*w + wa)", "w' = p*(a*p*w + wa)"},
	"parabola":    {"p' = p^2*(tau - a*p)", "p' = p^2*(tau + a*p)"},
	"printed1":    {"W' = Wp^T*(-Wp*W*(X + Xp) + Wa*X)", "W' = Wp^T*(-Wp*W*(X - Xp) + Wa*X)"},
	"trueema":     {"W' = Wp*(-(1 + sigma2)*Wp*W + Wa)", "W' = Wp*(-(1 + sigma2)*Wp*W - Wa)"},
}

// mutatedSources replaces text in the body of one system.
func mutatedSources(t *testing.T, system, old, new string) []lang.Source {
	t.Helper()
	srcs, err := theory.Sources()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range srcs {
		from := strings.Index(s.Text, "\nsystem "+system+"\n")
		if from < 0 {
			continue
		}
		to := len(s.Text)
		if next := strings.Index(s.Text[from+1:], "\nsystem "); next >= 0 {
			to = from + 1 + next
		}
		body := s.Text[from:to]
		if strings.Count(body, old) != 1 {
			t.Fatalf("system %s: %q occurs %d times", system, old, strings.Count(body, old))
		}
		srcs[i].Text = s.Text[:from] + strings.Replace(body, old, new, 1) + s.Text[to:]
		return srcs
	}
	t.Fatalf("no system %s", system)
	return nil
}

// TestFlowsAreTheClaimsEquations compares every right-hand side of numeric/flow with the exact evaluation of
// the system of the same name at random rational states, within the bound on rounding errors.
func TestFlowsAreTheClaimsEquations(t *testing.T) {
	const n = 60
	type pair struct{ flow, system string }
	// Two systems write equations out that others derive; without random vectors their sizes go up to maxDim.
	pairs := []pair{{"lemma1", "printed1"}, {"symmetrised", "trueema"}}
	for _, name := range flow.Names() {
		pairs = append(pairs, pair{name, name})
	}
	for _, c := range pairs {
		t.Run(c.system, func(t *testing.T) {
			name := c.system
			f, err := flow.ByName(c.flow)
			if err != nil {
				t.Fatal(err)
			}
			env, err := Env(name)
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for _, st := range states(t, env, name, n) {
				w, where, err := disagreement(env, f, st, nil)
				if err != nil {
					t.Fatal(err)
				}
				if w > 1 {
					t.Errorf("%s is off by %.3g times the bound on rounding at %v", where, w, st)
				}
				worst = max(worst, w)
			}
			t.Logf("worst error %.3g of the bound (γ = %.3g) at %d states", worst, gamma, n)

			// Twins: a sign changed in the text of the claims, and the sign of the decay in the float flow.
			mut := signs[name]
			twin, err := EnvOf(name, mutatedSources(t, name, mut[0], mut[1])...)
			if err != nil {
				t.Fatal(err)
			}
			caughtText, caughtFlow := 0, 0
			for _, st := range states(t, twin, name, n) {
				if w, _, err := disagreement(twin, f, st, nil); err != nil {
					t.Fatal(err)
				} else if w > 1 {
					caughtText++
				}
				grow := func(s *flow.State, d map[string][]float64) {
					v := f.Variables()[0]
					at := map[string][]float64{"p": s.P}
					for k, m := range map[string]*mat.Dense{"W": s.W, "Wp": s.Wp} {
						if m != nil {
							at[k] = m.RawMatrix().Data
						}
					}
					for i, x := range at[v] {
						d[v][i] += 2 * s.Eta * x
					}
				}
				if w, _, err := disagreement(env, f, st, grow); err != nil {
					t.Fatal(err)
				} else if w > 1 {
					caughtFlow++
				}
			}
			if caughtText == 0 {
				t.Errorf("%q → %q in the claims is not noticed", mut[0], mut[1])
			}
			if caughtFlow == 0 {
				t.Errorf("the opposite sign of the decay in the float flow is not noticed")
			}
			t.Logf("twins noticed at %d and %d of %d states", caughtText, caughtFlow, n)
		})
	}
}

func TestEnvNamesAnUnknownSystem(t *testing.T) {
	if _, err := Env("lemma7"); err == nil || !strings.Contains(err.Error(), "lemma7") {
		t.Errorf("error %v does not name the system", err)
	}
}

// TestMagnitudeIsExactAndBoundsTheValue: the arithmetic changes no value, and a sum of absolute values is at
// least the absolute value of the sum.
func TestMagnitudeIsExactAndBoundsTheValue(t *testing.T) {
	for _, name := range []string{"lemma1", "nostopgrad", "reduced", "decoupled"} {
		env, err := Env(name)
		if err != nil {
			t.Fatal(err)
		}
		larger := 0
		for _, st := range states(t, env, name, 20) {
			exact, err := eval.New(eval.Rational{}, env, st)
			if err != nil {
				t.Fatal(err)
			}
			sized, err := eval.New(Magnitude{}, env, WithMagnitude(st))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range env.Flow {
				want, err := exact.RightHandSide(q.Name)
				if err != nil {
					t.Fatal(err)
				}
				got, err := sized.RightHandSide(q.Name)
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range want.A {
					if got.A[i].V.Cmp(w) != 0 {
						t.Fatalf("%s: %s'[%d] = %v, exactly %v", name, q.Name, i, got.A[i].V, w)
					}
					v := size(w)
					if got.A[i].M < v*(1-1e-12) {
						t.Fatalf("%s: %s'[%d] has size %v below its value %v", name, q.Name, i, got.A[i].M, v)
					}
					if got.A[i].M > 1.5*v {
						larger++
					}
				}
			}
		}
		if larger == 0 {
			t.Errorf("%s: no cancellation was met", name)
		}
	}
}

// TestFieldIsTheFloatFlow: the compiled field and the hand-written flow agree, one entry after the other.
func TestFieldIsTheFloatFlow(t *testing.T) {
	for _, name := range flow.Names() {
		env, err := Env(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := flow.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range states(t, env, name, 10) {
			floats := eval.State[float64]{Dims: st.Dims, Vals: map[string]eval.Matrix[float64]{}}
			for k, m := range st.Vals {
				a := make([]float64, len(m.A))
				for i, v := range m.A {
					a[i], _ = v.Float64()
				}
				floats.Vals[k] = eval.Matrix[float64]{R: m.R, C: m.C, A: a}
			}
			field, err := NewField(env, floats)
			if err != nil {
				t.Fatal(err)
			}
			dy := make([]float64, field.Dim())
			field.RHS()(0, field.Initial(), dy)
			if field.Err() != nil {
				t.Fatal(field.Err())
			}
			got := field.State(dy)
			want, err := derivative(f, toFlow(st))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range f.Variables() {
				for i, w := range want[v] {
					// eval.Tolerance bounds the rounding of an evaluation relative to the sizes met, which are
					// at most 10⁶ here (entries up to 10 in products of degree six).
					if d := math.Abs(got.Vals[v].A[i] - w); d > eval.Tolerance*1e3*(1+math.Abs(w)) {
						t.Errorf("%s: %s'[%d] = %v, the flow says %v", name, v, i, got.Vals[v].A[i], w)
					}
				}
			}
		}
	}
}
