package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"stopgrad/numeric/pythontest"

	"gonum.org/v1/gonum/mat"
)

// The independent integration: Hairer's DOP853 in SciPy at rtol = 1e-12, over lemma1
// written with NumPy. It reads {"times", "states"} and writes the trajectories and
// the seconds spent integrating.
const scipyLemma1 = `
import json, sys, time
import numpy as np
from scipy.integrate import solve_ivp
job = json.load(sys.stdin)
out, seconds = [], 0.0
for s in job["states"]:
    W, Wp, Wa, X, Xp = (np.array(s[k], float) for k in ("W", "Wp", "Wa", "X", "Xp"))
    alpha, eta, beta = s["alpha"], s.get("eta", 0.0), s["beta"]
    n2, n1 = W.shape
    cut = [n2 * n2, n2 * n2 + n2 * n1]
    def rhs(t, y):
        wp, w, wa = y[:cut[0]].reshape(n2, n2), y[cut[0]:cut[1]].reshape(n2, n1), y[cut[1]:].reshape(n2, n1)
        r = -wp @ w @ (X + Xp) + wa @ X
        return np.concatenate([(alpha * r @ w.T - eta * wp).ravel(), (wp.T @ r - eta * w).ravel(), (beta * (w - wa)).ravel()])
    y0 = np.concatenate([Wp.ravel(), W.ravel(), Wa.ravel()])
    start = time.perf_counter()
    sol = solve_ivp(rhs, (0, job["times"][-1]), y0, method="DOP853", rtol=job["rtol"], atol=job["atol"], t_eval=job["times"])
    seconds += time.perf_counter() - start
    if not sol.success:
        sys.exit(sol.message)
    out.append(sol.y.T.tolist())
json.dump({"y": out, "seconds": seconds}, sys.stdout)
`

type scipyAnswer struct {
	Y       [][][]float64 `json:"y"` // state, time, component
	Seconds float64       `json:"seconds"`
}

func runScipy(python string, states []*State, times []float64, rtol, atol float64) (*scipyAnswer, error) {
	job, err := json.Marshal(map[string]any{"times": times, "states": states, "rtol": rtol, "atol": atol})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", scipyLemma1)
	cmd.Stdin = bytes.NewReader(job)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %s", err, errs.String())
	}
	var ans scipyAnswer
	return &ans, json.Unmarshal([]byte(out.String()), &ans)
}

// scipyStates draws general-shape states; every parameter key is written.
func scipyStates(n int) []*State {
	rng := rand.New(rand.NewPCG(14, 1))
	var states []*State
	for i := range n {
		shape := shapes[i%len(shapes)]
		s := randomState(rng, shape[0], shape[1])
		for _, k := range []key{kAlpha, kEta, kBeta} {
			s.given.add(k)
		}
		states = append(states, s)
	}
	return states
}

const (
	// scipyTol is the agreement that the project promises: SciPy at rtol = 1e-12 and
	// this package at its default 1e-11 accumulate less than a hundred local errors.
	scipyTol   = 1e-8
	scipyRuns  = 28
	scipyRelT  = 1e-12
	scipyAbsT  = 1e-14
	scipyUntil = 10.0
)

// relativeDifference is max over the matrices of ‖A - B‖_F / ‖B‖_F.
func relativeDifference(a, b *State) float64 {
	worst := 0.0
	for _, k := range lemma1Flow.variables {
		var d mat.Dense
		d.Sub(*a.matrix(k), *b.matrix(k))
		worst = max(worst, mat.Norm(&d, 2)/mat.Norm(*b.matrix(k), 2))
	}
	return worst
}

func TestSimulateAgreesWithScipy(t *testing.T) {
	python := pythontest.With("scipy.integrate")
	if python == "" {
		t.Skip("no python3 that can import scipy (Debian: python3-scipy)")
	}
	states := scipyStates(scipyRuns)
	times := []float64{0, 0.3, 1, 3, scipyUntil}
	ans, err := runScipy(python, states, times, scipyRelT, scipyAbsT)
	if err != nil {
		t.Fatal(err)
	}
	worst, twin := 0.0, 0.0
	for i, s := range states {
		tr, err := Simulate(context.Background(), lemma1Flow, s, scipyUntil, &Settings{Times: times})
		if err != nil {
			t.Fatal(err)
		}
		for k := range times {
			want := tr.System().Unpack(times[k], ans.Y[i][k])
			d := relativeDifference(tr.States[k], want)
			worst = max(worst, d)
			if !(d <= scipyTol) {
				t.Errorf("state %d, t = %v: relative difference %.3g", i, times[k], d)
			}
		}
		// The twin: with α moved by one part in a million the comparison fails.
		moved := s.Clone()
		moved.Alpha *= 1 + 1e-6
		tr, err = Simulate(context.Background(), lemma1Flow, moved, scipyUntil, &Settings{Times: times})
		if err != nil {
			t.Fatal(err)
		}
		for k := range times {
			twin = max(twin, relativeDifference(tr.States[k], tr.System().Unpack(times[k], ans.Y[i][k])))
		}
	}
	t.Logf("worst relative difference %.3g over %d states; with α(1+1e-6) %.3g", worst, len(states), twin)
	if twin <= scipyTol {
		t.Errorf("a perturbed α agrees to %.3g: the test cannot fail", twin)
	}
}

// BenchmarkAgainstScipy integrates the same states with both at the tolerances of this
// package and reports SciPy's time over ours.
func BenchmarkAgainstScipy(b *testing.B) {
	python := pythontest.With("scipy.integrate")
	if python == "" {
		b.Skip("no python3 that can import scipy (Debian: python3-scipy)")
	}
	states := scipyStates(scipyRuns)
	times := []float64{0, scipyUntil}
	ans, err := runScipy(python, states, times, DefaultRelTol, DefaultAbsTol)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, s := range states {
			if _, err := Simulate(context.Background(), lemma1Flow, s, scipyUntil, &Settings{Times: times, NoMeasures: true}); err != nil {
				b.Fatal(err)
			}
		}
	}
	ours := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(ans.Seconds/ours, "scipy/ours")
	b.ReportMetric(ans.Seconds, "scipy-s")
}
