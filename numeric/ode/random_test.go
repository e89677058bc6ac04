package ode

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"stopgrad/numeric/pythontest"
)

// -fields=10000 for all random vector fields, -first=5000 for those from the 5001st on.
var (
	fields = flag.Int("fields", 250, "random vector fields of TestRandomFields")
	first  = flag.Int("first", 0, "the first of them")
)

// field is a random vector field as text that Go evaluates below and Python by itself.
type field struct {
	text string
	eval func(t float64, y []float64) float64
}

// draw returns a random expression over t and y.
func draw(rng *rand.Rand, dim, depth int) field {
	if depth == 0 || rng.Float64() < 0.15 {
		switch k := rng.IntN(dim + 3); {
		case k < dim:
			return field{fmt.Sprintf("y[%d]", k), func(_ float64, y []float64) float64 { return y[k] }}
		case k == dim && rng.Float64() < 0.5:
			// Relative to the start: the same field at every magnitude of t.
			return field{"(t-t0)", func(t float64, _ []float64) float64 { return t }}
		}
		c := coefficient(rng)
		return field{fmt.Sprintf("(%v)", c), func(float64, []float64) float64 { return c }}
	}
	a := draw(rng, dim, depth-1)
	unary := func(name string, f func(float64) float64) field {
		return field{name + "(" + a.text + ")", func(t float64, y []float64) float64 { return f(a.eval(t, y)) }}
	}
	switch rng.IntN(12) {
	case 0:
		return unary("sin", math.Sin)
	case 1:
		return unary("tanh", math.Tanh)
	case 2:
		return unary("exp", math.Exp)
	case 3:
		return unary("sqrt", math.Sqrt)
	case 4:
		return unary("-", func(x float64) float64 { return -x })
	}
	b := draw(rng, dim, depth-1)
	binary := func(name string, f func(x, z float64) float64) field {
		return field{"(" + a.text + name + b.text + ")", func(t float64, y []float64) float64 { return f(a.eval(t, y), b.eval(t, y)) }}
	}
	switch rng.IntN(7) {
	case 0, 1:
		return binary("+", func(x, z float64) float64 { return x + z })
	case 2:
		return binary("-", func(x, z float64) float64 { return x - z })
	case 3:
		return binary("/", func(x, z float64) float64 { return x / z })
	}
	return binary("*", func(x, z float64) float64 { return x * z })
}

// coefficient draws a number of any sign and magnitude, mostly an ordinary one.
func coefficient(rng *rand.Rand) float64 {
	most := 1.0
	switch u := rng.Float64(); {
	case u < 0.03:
		most = 200
	case u < 0.2:
		most = 6
	}
	c := math.Pow(10, most*(2*rng.Float64()-1))
	if rng.IntN(2) == 0 {
		c = -c
	}
	return c
}

// randomProblem is one integration and what Solve said.
type randomProblem struct {
	Texts []string  `json:"texts"`
	T0    float64   `json:"t0"`
	Y0    []float64 `json:"y0"`
	Span  float64   `json:"span"`
	Got   []float64 `json:"got"`
}

func drawProblem(seed uint64) (randomProblem, RHS) {
	rng := rand.New(rand.NewPCG(15, seed))
	dim := 1 + rng.IntN(3)
	p := randomProblem{}
	var fs []field
	for i := range dim {
		f := draw(rng, dim, 1+rng.IntN(4))
		if rng.Float64() < 0.3 {
			// Stiffness, or its mirror image.
			g, rate := f, math.Pow(10, 7*rng.Float64())
			if rng.Float64() < 0.1 {
				rate = -rate
			}
			f = field{fmt.Sprintf("(%s-(%v)*(y[%d]-sin(%s)))", g.text, rate, i, g.text), func(t float64, y []float64) float64 {
				v := g.eval(t, y)
				return v - rate*(y[i]-math.Sin(v))
			}}
		}
		fs = append(fs, f)
		p.Texts = append(p.Texts, f.text)
		p.Y0 = append(p.Y0, coefficient(rng))
	}
	if rng.Float64() < 0.3 {
		p.T0 = math.Round(coefficient(rng) * 1000)
		if math.Abs(p.T0) > 1e12 {
			p.T0 = 1e12
		}
	}
	p.Span = math.Pow(10, 3*rng.Float64()-2)
	if rng.IntN(2) == 0 {
		p.Span = -p.Span
	}
	p.Span = (p.T0 + p.Span) - p.T0
	t0 := p.T0
	return p, func(t float64, y, d []float64) {
		for i, f := range fs {
			d[i] = f.eval(t-t0, y)
		}
	}
}

// scipyFields integrates every problem with LSODA or, where that is undone or disagrees,
// with DOP853 and Radau, each at two tolerances, and answers "ok", "unknown" where no
// reference agrees with itself to a tenth of the tolerance, also from values moved by the
// absolute tolerance of Solve, or the disagreement. Sizes are relative to the largest
// component, as that tolerance is.
const scipyFields = `
import json, sys, warnings
import numpy as np
from math import sin, tanh, exp, sqrt
from scipy.integrate import solve_ivp
warnings.simplefilter("ignore")
np.seterr(all="ignore")
job = json.load(sys.stdin)
class Enough(Exception): pass
def reference(p, method, rtol, least):
    f = eval("lambda t, y: [" + ", ".join(p["texts"]) + "]", {"sin": sin, "tanh": tanh, "exp": exp, "sqrt": sqrt, "t0": 0.0})
    n, evals = len(p["y0"]), [0]
    base = p["t0"]
    def rhs(t, y):
        evals[0] += 1
        if evals[0] > 30000: raise Enough()
        try:
            return f((base + t) - base, [float(v) for v in y])
        except (ValueError, OverflowError, ZeroDivisionError):
            return [float("nan")] * n
    size = max(abs(v) for v in p["y0"])
    try:
        sol = solve_ivp(rhs, (0, p["span"]), p["y0"], method=method, rtol=rtol, atol=max(least, 1e-2 * rtol * min(1, size)) if least else 1e-300, t_eval=[p["span"]])
    except Exception:
        return None
    if not sol.success or sol.y.shape[1] == 0 or not np.all(np.isfinite(sol.y[:, -1])):
        return None
    return sol.y[:, -1]
def far(a, b):
    size = max(np.max(np.abs(a)), np.max(np.abs(b)))
    return 0.0 if size < 1e-290 else float(np.max(np.abs(a - b)) / size)
out = []
for p in job["problems"]:
    got, verdict = np.array(p["got"]), "unknown"
    for method, tight, loose, least in (("LSODA", 1e-11, 1e-10, 1e-300), ("DOP853", 1e-12, 1e-11, 1e-300), ("Radau", 1e-10, 1e-9, 1e-300),
                                        ("DOP853", 1e-12, 1e-11, 0), ("LSODA", 1e-11, 1e-10, 0)):
        a = reference(p, method, tight, least)
        if a is None: continue
        if far(a, got) <= job["tol"]:
            verdict = "ok"
            break
        b = reference(p, method, loose, least)
        if b is not None and far(a, b) <= job["tol"] / 10:
            # Moved by the absolute tolerance at the start, which is an error allowed.
            move = 1e-12 * min(1, max(abs(v) for v in p["y0"]))
            c = reference(dict(p, y0=[v + move for v in p["y0"]]), method, tight, least)
            if c is None or far(a, c) > job["tol"] / 10: continue
            verdict = "%s: %s, got %s, off by %.3g" % (method, a.tolist(), p["got"], far(a, got))
    out.append(verdict)
json.dump(out, sys.stdout)
`

// runScipy returns the verdicts on the problems.
func runScipy(python string, tol float64, problems []randomProblem) ([]string, error) {
	job, err := json.Marshal(map[string]any{"tol": tol, "problems": problems})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, "-c", scipyFields)
	cmd.Stdin = bytes.NewReader(job)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %s", err, errs.String())
	}
	var verdicts []string
	return verdicts, json.Unmarshal([]byte(out.String()), &verdicts)
}

// TestRandomFields: over random vector fields with overflow, poles, holes and
// stiffness, Solve gives an answer that an independent integrator confirms to 1e-7, or a
// typed error; it does not panic, and does not take a million steps.
func TestRandomFields(t *testing.T) {
	python := pythontest.With("scipy.integrate")
	total := tally{failures: map[string]int{}}
	// A part at a time: what has been confirmed is logged as it is.
	const part = 250
	for from := *first; from < *fields; from += part {
		total.run(t, python, uint64(from), uint64(min(from+part, *fields)))
		t.Logf("%+v", total)
	}
	if python == "" {
		t.Skip("answers not confirmed: no python3 that can import scipy (Debian: python3-scipy)")
	}
}

// tally counts what became of fields.
type tally struct {
	fields, answers     int
	failures            map[string]int
	confirmed, unjudged int
}

// run solves the problems of a range of seeds and has the answers confirmed.
func (c *tally) run(t *testing.T, python string, from, to uint64) {
	const tol = 1e-7
	var answered []randomProblem
	var seeds []uint64
	for seed := from; seed < to; seed++ {
		c.fields++
		p, f := drawProblem(seed)
		sol, err := Solve(context.Background(), f, p.T0, p.Y0, p.T0+p.Span, &Settings{Output: []float64{}})
		switch {
		case sol == nil:
			t.Errorf("field %d: %v", seed, err)
		case err != nil && !typed(err):
			t.Errorf("field %d: %v", seed, err)
		case err != nil:
			c.failures[fmt.Sprintf("%T", err)]++
		default:
			if i := firstNonFinite(sol.EndY); i >= 0 {
				t.Errorf("field %d: %v without an error", seed, sol.EndY)
				continue
			}
			p.Got = sol.EndY
			answered, seeds = append(answered, p), append(seeds, seed)
		}
		if sol != nil && sol.Stats.Steps+sol.Stats.Rejected > DefaultMaxSteps {
			t.Errorf("field %d: %+v", seed, sol.Stats)
		}
	}
	c.answers += len(answered)
	if python == "" {
		return
	}
	// The twin: answers off by ten tolerances are not confirmed.
	twin := slices.Clone(answered[:min(5, len(answered))])
	for i := range twin {
		twin[i].Got = slices.Clone(twin[i].Got)
		for k := range twin[i].Got {
			twin[i].Got[k] *= 1 + 10*tol
		}
	}
	verdicts, err := runScipy(python, tol, append(slices.Clone(answered), twin...))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts[:len(answered)] {
		switch v {
		case "ok":
			c.confirmed++
		case "unknown":
			c.unjudged++
		default:
			t.Errorf("field %d: %v from %v at %v over %v: %s", seeds[i], answered[i].Texts, answered[i].Y0, answered[i].T0, answered[i].Span, v)
		}
	}
	large := func(x float64) bool { return math.Abs(x) > Smallest }
	for i, v := range verdicts[len(answered):] {
		if v == "ok" && slices.ContainsFunc(twin[i].Got, large) {
			t.Errorf("a wrong answer of field %d was confirmed", seeds[i])
		}
	}
}
