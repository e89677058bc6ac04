package flow

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

func state(t *testing.T, js string) *State {
	t.Helper()
	s, err := DecodeState(strings.NewReader(js), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// examples is one small state file per flow.
var examples = map[string]string{
	"lemma1":      `{"alpha":1.5,"eta":0.01,"beta":0.5,"sigma2":0.25,"W":[[0.5,0.1,0],[0,0.4,0.2]],"Wp":[[0.9,0.1],[0,0.8]],"Wa":[[0,0,0],[0,0,0.1]]}`,
	"simsiam":     `{"eta":0.01,"W":[[0.5],[0.2]],"Wp":[[0.9,0.1],[0,0.8]],"X":[[1.5]],"Xp":[[0.25]]}`,
	"nopredictor": `{"eta":0.1,"W":[[0.5,1]],"Xp":[[1,0.5],[0.5,1]]}`,
	"nostopgrad":  `{"eta":0.01,"sigma2":0.1,"W":[[0.5,0.1],[0.2,0.9]],"Wp":[[0.9,0.1],[0,0.8]]}`,
	"symmetrised": `{"eta":0.01,"sigma2":0.1,"W":[[0.5,0.1],[0.2,0.9]],"Wp":[[0.9,0.1],[0.1,0.8]],"Wa":[[0.5,0.1],[0.2,0.9]]}`,
	"reduced":     `{"eta":0.01,"sigma2":0.1,"tau":0.9,"Wp":[[0.9,0.1],[0.1,0.8]],"F":[[0.5,0.1],[0.1,0.3]]}`,
	"decoupled":   `{"eta":0.01,"beta":0.2,"p":[0.5,0.6],"s":[0.2,0.4],"tau":[0.5,1]}`,
	"modes":       `{"eta":0.01,"beta":0.2,"p":0.5,"w":0.4,"wa":0}`,
	"parabola":    `{"eta":0.01,"sigma2":0.1,"tau":[0.9,0.8],"p":[0.1,0.5]}`,
}

func TestTrajectoryJSONIsTheContract(t *testing.T) {
	for _, name := range Names() {
		f, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		s := state(t, examples[name])
		tr, err := Simulate(context.Background(), f, s, 2, &Settings{Points: 5})
		if err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(js))
		dec.DisallowUnknownFields()
		var got struct {
			Flow     string               `json:"flow"`
			T        []float64            `json:"t"`
			State    []json.RawMessage    `json:"state"`
			Measures []map[string]float64 `json:"measures"`
		}
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s: %v in %s", name, err, js)
		}
		if got.Flow != name || !slices.Equal(got.T, []float64{0, 0.5, 1, 1.5, 2}) || len(got.State) != 5 || len(got.Measures) != 5 {
			t.Errorf("%s: %s", name, js)
		}
		if !strings.HasPrefix(string(js), `{"flow":"`+name+`","t":[0,0.5,1,1.5,2],"state":[{`) {
			t.Errorf("%s: order of keys in %s", name, js)
		}
		// The keys of every state are those of the file, and t.
		var in, out map[string]any
		if err := json.Unmarshal([]byte(examples[name]), &in); err != nil {
			t.Fatal(err)
		}
		in["t"] = 0.0
		for _, raw := range got.State {
			out = nil
			if err := json.Unmarshal(raw, &out); err != nil {
				t.Fatal(err)
			}
			for k := range out {
				if _, ok := in[k]; !ok {
					t.Errorf("%s: key %s was not in the file", name, k)
				}
			}
			for k, v := range in {
				if reflect.TypeOf(out[k]) != reflect.TypeOf(v) {
					t.Errorf("%s: key %s is %v, was %v", name, k, out[k], v)
				}
			}
		}
		// The first state is the file's.
		out = nil
		if err := json.Unmarshal(got.State[0], &out); err != nil || !reflect.DeepEqual(in, out) {
			t.Errorf("%s: first state %v, want %v", name, out, in)
		}
		if len(got.Measures[0]) == 0 {
			t.Errorf("%s: no measures", name)
		}
	}
}

func TestTrajectoryCSV(t *testing.T) {
	for _, name := range Names() {
		f, _ := ByName(name)
		tr, err := Simulate(context.Background(), f, state(t, examples[name]), 2, &Settings{Points: 5})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := tr.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll() // one number of fields in all rows
		if err != nil || len(rows) != 6 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		at := map[string]int{}
		for i, h := range rows[0] {
			at[h] = i
		}
		cell := func(row int, name string) float64 {
			x, err := strconv.ParseFloat(rows[row][at[name]], 64)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		for i, s := range tr.States {
			if cell(i+1, "t") != tr.T[i] {
				t.Errorf("%s: t", name)
			}
			if f.has(kW) {
				if _, c := s.W.Dims(); c > 1 && cell(i+1, "W_1_2") != s.W.At(0, 1) {
					t.Errorf("%s: W_1_2", name)
				}
			}
			if f.has(kP) && cell(i+1, "p_1") != s.P[0] {
				t.Errorf("%s: p_1", name)
			}
			for m, x := range tr.Measures[i] {
				if cell(i+1, m) != x {
					t.Errorf("%s: %s", name, m)
				}
			}
		}
		if rows[0][0] != "t" {
			t.Errorf("%s: header %v", name, rows[0])
		}
	}
}

// Any state of a trajectory is a file from which the rest can be computed.
func TestTrajectoryCanBeRestarted(t *testing.T) {
	for _, name := range Names() {
		f, _ := ByName(name)
		whole, err := Simulate(context.Background(), f, state(t, examples[name]), 3, &Settings{Points: 4})
		if err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(whole.States[1])
		if err != nil {
			t.Fatal(err)
		}
		rest, err := Simulate(context.Background(), f, state(t, string(js)), 3, &Settings{Points: 3})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rest.T, []float64{1, 2, 3}) {
			t.Errorf("%s: times %v", name, rest.T)
		}
		a, _ := whole.System().Pack(whole.States[3], nil)
		b, _ := rest.System().Pack(rest.States[2], nil)
		for i := range a {
			if d := math.Abs(a[i] - b[i]); d > lawTol {
				t.Errorf("%s: component %d differs by %.3g", name, i, d)
			}
		}
	}
}

func TestStatesThatDoNotFitAreNamed(t *testing.T) {
	for _, c := range []struct{ flow, in, want string }{
		{"lemma1", `{}`, "lemma1 needs the matrix Wp, which is missing"},
		{"lemma1", `{"Wp":[[1]]}`, "lemma1 needs the matrix W, which is missing"},
		{"lemma1", `{"Wp":[[1]],"W":[[1]]}`, "lemma1 needs the matrix Wa, which is missing"},
		{"lemma1", `{"Wp":[[1]],"W":[[1],[2]],"Wa":[[1],[2]]}`, "Wp is 1×1 but W is 2×1: Wp must be 2×2"},
		{"lemma1", `{"Wp":[[1]],"W":[[1,2]],"Wa":[[1]]}`, "Wa is 1×1 but W is 1×2: Wa must be 1×2"},
		{"lemma1", `{"Wp":[[1]],"W":[[1,2]],"Wa":[[1,2]],"X":[[1]]}`, "X is 1×1 but W is 1×2: X must be 2×2"},
		{"lemma1", `{"Wp":[[1]],"W":[[1,2]],"Wa":[[1,2]],"X":[[1,0],[1,1]]}`, "X must be symmetric: row 1 column 2 is 0, row 2 column 1 is 1"},
		{"lemma1", `{"Wp":[[1]],"W":[[1,2]],"Wa":[[1,2]],"Xp":[[1,2],[2,1]]}`, "Xp must be positive semidefinite: its smallest eigenvalue is -1"},
		{"simsiam", `{"W":[[1]]}`, "simsiam needs the matrix Wp"},
		{"nopredictor", `{"Wp":[[1]]}`, "nopredictor needs the matrix W,"},
		{"nostopgrad", `{"W":[[1]],"Wp":[[1,2]]}`, "Wp is 1×2 but W is 1×1"},
		{"symmetrised", `{"W":[[1],[1]],"Wa":[[1],[1]],"Wp":[[1,2],[3,4]]}`, "Wp must be symmetric"},
		{"reduced", `{"Wp":[[1]]}`, "reduced needs the matrix F"},
		{"reduced", `{"Wp":[[1]],"F":[[1,2]]}`, "F is 1×2 but Wp is 1×1"},
		{"reduced", `{"Wp":[[1,2],[3,4]],"F":[[1,0],[0,1]]}`, "Wp must be symmetric"},
		{"reduced", `{"Wp":[[1,0],[0,4]],"F":[[1,1],[0,1]]}`, "F must be symmetric"},
		{"reduced", `{"Wp":[[1]],"F":[[1]],"tau":[1,2]}`, "one tau"},
		{"reduced", `{"Wp":[[1]],"F":[[1]],"X":[[2]]}`, "reduced assumes X = I, but X row 1 column 1 is 2"},
		{"reduced", `{"Wp":[[1]],"F":[[1]],"Xp":[[2]],"sigma2":1}`, "reduced assumes Xp = sigma2·I"},
		{"modes", `{"p":1,"w":1,"wa":1,"Xp":[[1,0],[0,2]]}`, "modes assumes Xp = sigma2·I, but Xp row 2 column 2 is 2 and sigma2 = 1"},
		{"modes", `{"p":1,"w":1,"wa":1,"Xp":[[-1]]}`, "Xp must be positive semidefinite"},
		{"parabola", `{"p":1,"X":[[1,0]]}`, "X is 1×2, not square"},
		{"decoupled", `{"p":[1,2]}`, "decoupled needs the modes s"},
		{"decoupled", `{"p":[1,2],"s":1}`, "s has 1 modes but p has 2"},
		{"decoupled", `{"p":[1,2],"s":[1,2],"tau":[1]}`, "tau has 1 modes but p has 2"},
		{"modes", `{"p":[1,2],"w":[1,2]}`, "modes needs the modes wa"},
		{"parabola", `{}`, "parabola needs the modes p"},
		{"parabola", `{"p":[1,2],"tau":[1]}`, "tau has 1 modes but p has 2"},
	} {
		f, err := ByName(c.flow)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := Simulate(context.Background(), f, state(t, c.in), 1, nil)
		if err == nil || tr != nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "flow: x.json: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %s:\n got %v\nwant %s", c.flow, c.in, err, c.want)
		}
	}
	// Made in Go and never seen by the decoder.
	s := state(t, examples["lemma1"])
	s.W.Set(1, 2, math.NaN())
	if _, err := lemma1Flow.Bind(s); err == nil || !strings.Contains(err.Error(), "W row 2 column 3: NaN") {
		t.Errorf("NaN: %v", err)
	}
	s = state(t, examples["modes"])
	s.Beta = math.Inf(1)
	if _, err := modesFlow.Bind(s); err == nil || !strings.Contains(err.Error(), "beta: +Inf") {
		t.Errorf("Inf: %v", err)
	}
	for _, c := range []struct {
		set  func(*State)
		want string
	}{
		{func(s *State) { s.Eta = -0.1 }, "eta = -0.1 must be ≥ 0"},
		{func(s *State) { s.Beta = -1 }, "beta = -1 must be ≥ 0"},
		{func(s *State) { s.Sigma2 = -1 }, "sigma2 = -1 must be ≥ 0"},
	} {
		s = state(t, examples["lemma1"])
		c.set(s)
		if _, err := lemma1Flow.Bind(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	s = state(t, examples["modes"])
	s.P = []float64{}
	if _, err := modesFlow.Bind(s); err == nil || !strings.Contains(err.Error(), "p: empty array") {
		t.Errorf("empty: %v", err)
	}
	if _, err := (Flow{}).Bind(s); err == nil {
		t.Error("the zero Flow binds")
	}
}

func TestUnknownFlowListsTheNames(t *testing.T) {
	_, err := ByName("lemma2")
	if err == nil || err.Error() != `flow: unknown flow "lemma2" (known: lemma1 simsiam nopredictor nostopgrad symmetrised reduced decoupled modes parabola)` {
		t.Error(err)
	}
	for _, name := range Names() {
		if f, err := ByName(name); err != nil || f.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimesAreChecked(t *testing.T) {
	s := state(t, examples["modes"])
	s.T = 1
	for _, c := range []struct {
		end  float64
		st   *Settings
		want string
	}{
		{0.5, nil, "end time 0.5"},
		{math.NaN(), nil, "end time NaN"},
		{math.Inf(1), nil, "end time +Inf"},
		{2, &Settings{Points: 1}, "1 output points"},
		{2, &Settings{Points: -3}, "-3 output points"},
		{2, &Settings{Points: MaxPoints + 1}, "100001 output points"},
		{2, &Settings{Times: []float64{1, 3}}, "output time 2 (3)"},
		{2, &Settings{Times: []float64{0}}, "output time 1 (0)"},
		{2, &Settings{ODE: ode.Settings{RelTol: -1}}, "RelTol"},
	} {
		if tr, err := Simulate(context.Background(), modesFlow, s, c.end, c.st); err == nil || tr != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %+v: %v", c.end, c.st, err)
		}
	}
	tr, err := Simulate(context.Background(), modesFlow, s, 1, nil)
	if err != nil || len(tr.T) != 1 || tr.T[0] != 1 {
		t.Errorf("empty interval: %v", err)
	}
	tr, err = Simulate(context.Background(), modesFlow, s, 2, nil)
	if err != nil || len(tr.T) != DefaultPoints || tr.T[0] != 1 || tr.T[100] != 2 {
		t.Errorf("default points: %v", err)
	}
}

// What was computed comes back with the error.
func TestPartialTrajectories(t *testing.T) {
	s := state(t, examples["lemma1"])
	st := &Settings{ODE: ode.Settings{MaxSteps: 20}}
	tr, err := Simulate(context.Background(), lemma1Flow, s, 1000, st)
	var limit *ode.LimitError
	if !errors.As(err, &limit) || tr == nil || len(tr.T) == 0 || len(tr.T) >= DefaultPoints || len(tr.States) != len(tr.T) || len(tr.Measures) != len(tr.T) {
		t.Errorf("limit: %v", err)
	}
	if _, err := json.Marshal(tr); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr, err = Simulate(ctx, lemma1Flow, s, 1000, nil)
	if !errors.Is(err, context.Canceled) || tr == nil || len(tr.T) != 1 {
		t.Errorf("cancellation: %v", err)
	}
}

// Isotropic data may be spelled as matrices, and Xp beside sigma2 is what counts.
func TestSpellingsOfTheData(t *testing.T) {
	end := func(flow, in string) []float64 {
		f, err := ByName(flow)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := Simulate(context.Background(), f, state(t, in), 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		y, err := tr.System().Pack(tr.States[len(tr.States)-1], nil)
		if err != nil {
			t.Fatal(err)
		}
		last := tr.Measures[len(tr.Measures)-1]
		return append(y, last["lambda_min_K"], last["k_1"])
	}
	for _, c := range []struct{ flow, a, b, twin string }{
		{"reduced", `{"Wp":[[0.5]],"F":[[1]],"sigma2":0.25}`, `{"Wp":[[0.5]],"F":[[1]],"X":[[1,0],[0,1]],"Xp":[[0.25,0],[0,0.25]]}`, `{"Wp":[[0.5]],"F":[[1]]}`},
		{"modes", `{"p":0.5,"w":1,"wa":1,"sigma2":0.25}`, `{"p":0.5,"w":1,"wa":1,"Xp":[[0.25]]}`, `{"p":0.5,"w":1,"wa":1}`},
		{"symmetrised", `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]],"sigma2":0.25}`, `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]],"X":[[1]],"Xp":[[0.25]]}`, `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]]}`},
		{"lemma1", `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]],"Xp":[[0.25]]}`, `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]],"sigma2":7,"Xp":[[0.25]]}`, `{"Wp":[[0.5]],"W":[[1]],"Wa":[[1]],"sigma2":7}`},
	} {
		a := end(c.flow, c.a)
		if b := end(c.flow, c.b); !slices.Equal(a, b) {
			t.Errorf("%s: %v and %v", c.flow, a, b)
		}
		if b := end(c.flow, c.twin); slices.Equal(a, b) {
			t.Errorf("%s: other data make no difference", c.flow)
		}
	}
}

// The state given to Bind stays the caller's.
func TestBindCopies(t *testing.T) {
	s := state(t, examples["lemma1"])
	before, _ := json.Marshal(s)
	sys, err := lemma1Flow.Bind(s)
	if err != nil {
		t.Fatal(err)
	}
	y := sys.Initial()
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Error("Bind changed the state")
	}
	s.W.Set(0, 0, 99)
	s.Eta = 99
	if !slices.Equal(sys.Initial(), y) || sys.Unpack(0, y).Eta == 99 {
		t.Error("the system follows later changes of the state")
	}
	r := state(t, `{"Wp":[[1]],"W":[[3,4]]}`)
	sys, err = reducedFlow.Bind(r)
	if err != nil || r.F != nil || sys.Initial()[1] != 25 {
		t.Errorf("F = W·Wᵀ: %v", err)
	}
}

func TestPackAndUnpackAreInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for _, f := range flows {
		sys, err := f.Bind(dyadicState(rng, f, 3, 2))
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float64, sys.Dim())
		for i := range y {
			y[i] = rng.NormFloat64()
		}
		s := sys.Unpack(2.5, y)
		back, err := sys.Pack(s, nil)
		if err != nil || !slices.Equal(y, back) || s.T != 2.5 {
			t.Errorf("%s: %v", f.Name, err)
		}
		if n, err := f.Dim(s); err != nil || n != sys.Dim() {
			t.Errorf("%s: dimension %d, %v", f.Name, n, err)
		}
		if _, err := sys.Pack(NewState(), nil); err == nil {
			t.Errorf("%s: an empty state packs", f.Name)
		}
	}
}

// Of a matrix that is symmetric to rounding the symmetric part is packed.
func TestPackTakesTheSymmetricPart(t *testing.T) {
	s := state(t, `{"Wp":[[1,2],[2,3]],"F":[[1,0],[0,1]]}`)
	sys, err := reducedFlow.Bind(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Wp.Set(1, 0, 4)
	y, err := sys.Pack(s, nil)
	if err != nil || !slices.Equal(y, []float64{1, 3, 3, 1, 0, 1}) {
		t.Errorf("%v, %v", y, err)
	}
}

// Two right-hand sides of one system have their own workspace.
func TestRightHandSidesAreIndependent(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 2))
	for _, f := range flows {
		sys, err := f.Bind(dyadicState(rng, f, 3, 3))
		if err != nil {
			t.Fatal(err)
		}
		y := sys.Initial()
		want := make([]float64, len(y))
		sys.RHS()(0, y, want)
		done := make(chan bool)
		for range 4 {
			go func() {
				g, dy, ok := sys.RHS(), make([]float64, len(y)), true
				for range 200 {
					g(0, y, dy)
					ok = ok && slices.Equal(dy, want)
				}
				done <- ok
			}()
		}
		for range 4 {
			if !<-done {
				t.Errorf("%s: results differ between goroutines", f.Name)
			}
		}
		if n := testing.AllocsPerRun(10, func() { sys.RHS() }); n == 0 && (f.has(kWp)) {
			t.Errorf("%s: RHS shares its workspace", f.Name)
		}
		g := sys.RHS()
		if n := testing.AllocsPerRun(10, func() { g(0, y, want) }); n != 0 {
			t.Errorf("%s: the right-hand side allocates %v times", f.Name, n)
		}
	}
}

// The measures of known states.
func TestMeasuresOfKnownStates(t *testing.T) {
	// α = 2, W = diag(2, 1), Wp = [[1, 1], [-1, 1]], Wa = W/2: F = diag(4, 1),
	// ‖Wp - Wpᵀ‖² = 8, ‖Wp‖² = 4, [F, Wp] = [[0, 3], [3, 0]],
	// cos_j = 1/√2, effective rank exp(-(.8 ln .8 + .2 ln .2)),
	// D = diag(4, 1) - diag(2, 2)/2 = diag(3, 0), collapse scale max(4, 2/2).
	s := NewState()
	s.Alpha = 2
	s.W = mat.NewDense(2, 2, []float64{2, 0, 0, 1})
	s.Wp = mat.NewDense(2, 2, []float64{1, 1, -1, 1})
	s.Wa = mat.NewDense(2, 2, []float64{1, 0, 0, 0.5})
	got := lemma1Flow.Measures(s)
	want := map[string]float64{
		"norm_W": math.Sqrt(5), "norm_Wp": 2, "norm_F": math.Sqrt(17),
		"asymmetry": math.Sqrt2, "commutator": math.Sqrt(18), "commutator_normalised": math.Sqrt(18.0/17) / 2,
		"frame_angle": 0, "cosine_min": math.Sqrt(0.5),
		"effective_rank": math.Exp(-(.8*math.Log(.8) + .2*math.Log(.2))),
		"balance":        3, "trace_balance": 3, "collapse_scale": 4, "tau_eff": 0.5,
	}
	compare := func(name string, got, want map[string]float64) {
		t.Helper()
		for k, w := range want {
			// Norms and 2×2 eigenvalues: a few roundings.
			if x, ok := got[k]; !ok || math.Abs(x-w) > 1e-14*(1+math.Abs(w)) {
				t.Errorf("%s: %s = %v (%v), want %v", name, k, x, ok, w)
			}
		}
		for k := range got {
			if _, ok := want[k]; !ok {
				t.Errorf("%s: unexpected measure %s", name, k)
			}
		}
	}
	compare("lemma1", got, want)

	// reduced, diagonal: K_jj = a(αs/2 + p²) - τp + 3η/2 with a = 1.5, τ = 1/2, η = .1:
	// 1.5(4 + 1) - .5 + .15 = 7.15 and 1.5(1 + 4) - 1 + .15 = 6.65.
	r := NewState()
	r.Alpha, r.Sigma2, r.Tau, r.Eta = 2, 0.5, 0.5, 0.1
	r.Wp = mat.NewDense(2, 2, []float64{1, 0, 0, 2})
	r.F = mat.NewDense(2, 2, []float64{4, 0, 0, 1})
	m := reducedFlow.Measures(r)
	compare("reduced", m, map[string]float64{
		"norm_Wp": math.Sqrt(5), "norm_F": math.Sqrt(17), "asymmetry": 0, "commutator": 0,
		"commutator_normalised": 0, "frame_angle": 0, "cosine_min": 1,
		"effective_rank": want["effective_rank"], "trace_balance": 2.5, "collapse_scale": 4, "lambda_min_K": 6.65,
	})

	// modes with w = 0 has no τ; α = 0 has no balance.
	d := NewState()
	d.Alpha = 0
	d.P, d.Wm, d.WaM = []float64{2}, []float64{0}, []float64{1}
	compare("modes", modesFlow.Measures(d), map[string]float64{})
	d.Alpha, d.Wm[0] = 4, 1
	// s = 1, τ = 1, k = 4·1/2 + 4 - 2 = 4, c = 1 - 4/4 = 0, scale 1.
	compare("modes", modesFlow.Measures(d), map[string]float64{"tau_eff_1": 1, "k_1": 4, "invariant_1": 0, "collapse_scale": 1})
	d.Alpha = 1
	compare("modes", modesFlow.Measures(d), map[string]float64{"tau_eff_1": 1, "k_1": 2.5, "invariant_1": -3, "collapse_scale": 4})
	d.Alpha, d.Eta = 4, 0.5
	compare("parabola", parabolaFlow.Measures(d), map[string]float64{"k_1": 1.5*4 - 2 + 0.75, "collapse_scale": 4})
}
