package flow

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

func decodeState(t *testing.T, text string) *State {
	t.Helper()
	s, err := DecodeState(strings.NewReader(text), "state")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var allMethods = []ode.Method{ode.Auto, ode.Verner8, ode.DormandPrince54, ode.RadauIIA5}

// TestNoPredictorKeepsItsDigits: W(t) = W(0)·exp(-(X' + ηI) t), through the
// eigenvectors of X', over 280 orders of magnitude, with every method.
func TestNoPredictorKeepsItsDigits(t *testing.T) {
	s := decodeState(t, `{"alpha":1,"eta":1,"Xp":[[0.5,0.1],[0.1,0.2]],"X":[[1,0],[0,1]],"W":[[0.1,0.02],[0.03,0.2]]}`)
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(2, []float64{0.5, 0.1, 0.1, 0.2}), true) {
		t.Fatal("no eigenvalues")
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	exact := func(at float64) *mat.Dense {
		d := mat.NewDense(2, 2, nil)
		for i, l := range eig.Values(nil) {
			d.Set(i, i, math.Exp(-(l+1)*at))
		}
		var w mat.Dense
		w.Product(s.W, &v, d, v.T())
		return &w
	}
	for _, m := range allMethods {
		// RadauIIA5 at the tolerance of the others takes a minute.
		st := &Settings{Times: []float64{0, 30, 100, 300, 550}, ODE: ode.Settings{Method: m}}
		tr, err := Simulate(context.Background(), nopredictorFlow, s, 550, st)
		if err != nil {
			t.Errorf("%v: %v", m, err)
			continue
		}
		for i, at := range tr.T {
			want := exact(at)
			var d mat.Dense
			d.Sub(tr.States[i].W, want)
			d.Scale(1/mat.Max(want), &d)
			if r := mat.Norm(&d, 2); r > 1e-7 {
				t.Errorf("%v: at %v relative error %.3g", m, at, r)
			}
			if got := tr.Measures[i]["norm_W"]; math.Abs(got/mat.Norm(want, 2)-1) > 1e-7 {
				t.Errorf("%v: at %v norm_W = %v", m, at, got)
			}
			if r := tr.Measures[i]["effective_rank"]; at >= 100 && !(math.Abs(r-1) < 1e-6) {
				t.Errorf("%v: at %v effective_rank = %v", m, at, r)
			}
			// F is the square: it ends where the square does.
			if f, ok := tr.Measures[i]["norm_F"]; ok != (mat.Norm(want, 2) > 1e-145) || ok && f < ode.Smallest {
				t.Errorf("%v: at %v norm_F = %v, %v", m, at, f, ok)
			}
			if tr.Lost(i) {
				t.Errorf("%v: lost at %v", m, at)
			}
		}
	}
}

// TestModesKeepTheirRatio: under collapse w falls with η and wa with β < η, so that
// τ = wa/w grows as exp((η-β)t), to 1e52 and far beyond what an absolute tolerance can
// tell; and a mode that collapses beside one that grows keeps its own digits.
func TestModesKeepTheirRatio(t *testing.T) {
	s := decodeState(t, `{"alpha":1,"eta":1.5,"beta":0.3,"sigma2":0.1,"p":[0.1],"w":[0.2],"wa":[0.1]}`)
	times := []float64{0, 50, 100}
	var first *Trajectory
	for _, m := range []ode.Method{ode.Verner8, ode.Auto, ode.DormandPrince54} {
		tr, err := Simulate(context.Background(), modesFlow, s, 100, &Settings{Times: times, ODE: ode.Settings{Method: m}})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = tr
		}
		// d log τ/dt = (η - β) + β/τ - p r/w; the last is below e^(-0.3 t).
		rate := math.Log(tr.Measures[2]["tau_eff_1"]/tr.Measures[1]["tau_eff_1"]) / 50
		if math.Abs(rate-1.2) > 1e-8 || tr.Measures[2]["tau_eff_1"] < 1e51 {
			t.Errorf("%v: τ = %v, then %v: rate %v, want 1.2", m, tr.Measures[1]["tau_eff_1"], tr.Measures[2]["tau_eff_1"], rate)
		}
		if r := tr.Measures[2]["tau_eff_1"] / first.Measures[2]["tau_eff_1"]; math.Abs(r-1) > 1e-8 {
			t.Errorf("%v: τ differs by the factor %v", m, r)
		}
	}
	two := decodeState(t, `{"alpha":1,"eta":0.02,"beta":0.3,"p":[0.9,1e-4],"w":[0.9,1e-9],"wa":[0.9,1e-9]}`)
	alone := decodeState(t, `{"alpha":1,"eta":0.02,"beta":0.3,"p":[1e-4],"w":[1e-9],"wa":[1e-9]}`)
	a, err := Simulate(context.Background(), modesFlow, two, 3000, &Settings{Points: 2})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Simulate(context.Background(), modesFlow, alone, 3000, &Settings{Points: 2})
	if err != nil {
		t.Fatal(err)
	}
	if x, y := a.States[1].Wm[1], b.States[1].Wm[0]; math.Abs(x/y-1) > 1e-7 || !(y < 1e-20) {
		t.Errorf("beside another mode %v, alone %v", x, y)
	}
}

// TestWhereNumbersEnd: the loss names the variable, JSON has it, and Lost marks the
// times from there on at which the variable is as small as that.
func TestWhereNumbersEnd(t *testing.T) {
	s := decodeState(t, `{"eta":1,"W":[[0.1,0.2]],"X":[[1,0],[0,1]]}`)
	tr, err := Simulate(context.Background(), nopredictorFlow, s, 720, &Settings{Times: []float64{0, 600, 720}})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Losses) != 1 || tr.Losses[0].Variable != "W" || math.Abs(tr.Losses[0].T-math.Log(0.2/ode.Smallest)) > 5 {
		t.Errorf("losses %v", tr.Losses)
	}
	for i, want := range []bool{false, false, true} {
		if tr.Lost(i) != want {
			t.Errorf("time %v lost: %v", tr.T[i], !want)
		}
	}
	js, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Losses []struct {
			Variable string
			T, Below float64
		}
	}
	if err := json.Unmarshal(js, &back); err != nil || len(back.Losses) != 1 || back.Losses[0].Variable != "W" || back.Losses[0].Below != ode.Smallest {
		t.Errorf("%s: %v", js[len(js)-80:], err)
	}
	// Modes are numbered.
	m := decodeState(t, `{"alpha":1,"eta":1,"beta":1,"p":[0.5,0.1],"w":[0.9,0.1],"wa":[0.9,0.1]}`)
	tr, err = Simulate(context.Background(), modesFlow, m, 720, &Settings{Points: 2})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, l := range tr.Losses {
		names[l.Variable] = true
	}
	if !names["p_1"] || !names["p_2"] || !names["w_2"] || !names["wa_1"] {
		t.Errorf("losses %v", tr.Losses)
	}
}

// TestMeasuresOfSmallMatrices: a measure of a state scaled by 1e-100 is the scaled
// measure, or absent where numbers end.
func TestMeasuresOfSmallMatrices(t *testing.T) {
	text := `{"alpha":1.5,"eta":0.1,"beta":0.5,"sigma2":0.2,"Wp":[[0.6,0.2],[0.1,0.4]],"W":[[0.3,0.1,0.2],[0.2,-0.4,0.1]],"Wa":[[0.2,0.1,0.1],[0.1,-0.3,0.2]]}`
	s := decodeState(t, text)
	want := lemma1Flow.Measures(s)
	degree := map[string]float64{ // in the scale of all matrices; absent: does not scale
		"norm_W": 1, "norm_Wp": 1, "norm_F": 2, "asymmetry": 0, "commutator": 3, "commutator_normalised": 0,
		"frame_angle": 0, "cosine_min": 0, "effective_rank": 0, "balance": 2, "trace_balance": 2, "collapse_scale": 2, "tau_eff": 0,
	}
	for _, scale := range []float64{0x1p-10, 0x1p-330, 0x1p-600} {
		small := s.Clone()
		for _, m := range []*mat.Dense{small.Wp, small.W, small.Wa} {
			m.Scale(scale, m)
		}
		got := lemma1Flow.Measures(small)
		for name, d := range degree {
			size := d * math.Log10(scale)
			g, ok := got[name]
			if size < -287 {
				if ok {
					t.Errorf("scale %g: %s = %v, where numbers end", scale, name, g)
				}
				continue
			}
			if w := want[name] * math.Pow(scale, d); !ok || math.Abs(g-w) > 1e-12*math.Abs(w) {
				t.Errorf("scale %g: %s = %v (%v), want %v", scale, name, g, ok, w)
			}
		}
	}
}
