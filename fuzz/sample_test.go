package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stopgrad/fuzz/region"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

const corner = `sizes:
  n2: 2
parameters:
  eta:    {from: 1/1000, to: 1, scale: log}
  alpha:  {from: 0.1, to: 10, scale: log}
  sigma2: {from: 0, to: 2}
initial:
  Wp: {normal: 1/2}
  F:  {uniform: [-1, 1]}
`

func decode(t testing.TB, text string) *region.Region {
	t.Helper()
	r, err := region.Decode([]byte(text), "corner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rational(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat)
	}
	return r
}

func text(t testing.TB, s *Sampling) string {
	t.Helper()
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSamplingDoesNotDependOnWorkers(t *testing.T) {
	f, r := load(t), decode(t, corner)
	run := func(workers int, seed uint64) string {
		s, err := Fuzz(context.Background(), f, "thm3-alignment", FuzzOptions{Region: r, N: 2000, Seed: seed, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return text(t, s)
	}
	one := run(1, 1)
	if run(3, 1) != one || run(8, 1) != one {
		t.Error("the result depends on the number of workers")
	}
	if run(1, 2) == one {
		t.Error("two seeds give the same result")
	}
}

// TestSamplingAddsUp: every point is counted once, true statements hold at all of them, a false one fails at
// some, confirmed by the model, and the worst points are the worst.
func TestSamplingAddsUp(t *testing.T) {
	const n = 3000
	s, err := Fuzz(context.Background(), load(t), "thm3-alignment", FuzzOptions{Region: decode(t, corner), N: n, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range s.Tallies {
		if y.Drawn != n || y.Undefined+y.Unmet+y.Holds+y.Fails+y.Open != n {
			t.Errorf("%s: %+v", y.Name, y)
		}
		in := 0
		for _, k := range y.Histogram {
			in += k
		}
		if in != y.Holds+y.Fails || y.Holds == 0 {
			t.Errorf("%s: %d in the histogram of %d", y.Name, in, y.Holds+y.Fails)
		}
		for i, p := range y.Worst {
			if i > 0 && !worse(y.Worst[i-1], p) || len(p.State) == 0 {
				t.Errorf("%s: worst point %d: %+v", y.Name, i, p)
			}
		}
		switch y.Name {
		case "aligning":
			if y.Fails == 0 || y.Refuted == 0 || !y.Worst[0].Confirmed || y.Worst[0].Margin >= 0 {
				t.Errorf("%d failures, %d tiles refuted, worst %+v", y.Fails, y.Refuted, y.Worst[0])
			}
		case "shrinking":
			if y.Fails > 0 || y.Refuted > 0 {
				t.Errorf("a proved statement fails at %d points", y.Fails)
			}
		}
	}
}

// TestSamplesMeetTheHypotheses: a state that meets a hypothesis up to rounding only does not count as one where the statement
// fails; one that meets it by more, or exactly, does.
func TestSamplesMeetTheHypotheses(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "own", Text: `
claim nearly
  title   Hypotheses that are met up to rounding
  printed nowhere
  scalar  x, y
  scalar  z > 1
  says steep: 10^9*(3*x - y) == 0
    assume h: 3*x == y
    draw x = y/3
  says double: (x - y)^2 == x - y
    assume h: (x - y)^2 == 0
    draw x = y + 1/10^6
  says flat: x <= y
    assume h: 10^-12*(x - y) <= 0
  says root: 10^9*(y^2 - z) == 0
    assume h: y^2 == z
    draw y = root(z)
  says wrong: 2*x == y
    assume h: 3*x == y
    draw x = y/3
  says strict: x <= y
    assume h: x - y <= 1
`})
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	const n = 500
	s, err := Fuzz(context.Background(), f, "nearly", FuzzOptions{N: n, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range s.Tallies {
		_, name, _ := strings.Cut(y.Name, "/")
		if name == "" {
			name = y.Name
		}
		if fails := name == "wrong" || name == "strict"; fails != (y.Fails > 0) || fails != (y.Refuted > 0) {
			t.Errorf("%s: %d failures, %d refuted", y.Name, y.Fails, y.Refuted)
		}
		if (name == "root") != (y.Open > 0) {
			t.Errorf("%s: %d met up to rounding only", y.Name, y.Open)
		}
		if y.Undefined+y.Unmet+y.Holds+y.Fails+y.Open != n {
			t.Errorf("%s: %+v", y.Name, y)
		}
		switch {
		case name == "double" && y.Unmet != n, name == "steep" && y.Holds != n, name == "flat" && (y.Unmet == 0 || y.Holds == 0):
			t.Errorf("%s: %d unmet, %d hold", y.Name, y.Unmet, y.Holds)
		}
	}
}

// TestFailuresAreExact: a sample counts as failing if exact numbers say so, or of a statement over time the model, and not
// where floating point alone does; those too many to be looked at are counted apart.
func TestFailuresAreExact(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "own", Text: `
claim passed
  title   States that no motion passes along which the hypotheses hold
  printed nowhere
  scalar  x, y
  flow
    x' = 1
    y' = 0
  says zero: always y == 0
    assume always h: x*y == 0
    draw x = 0
  says decays: y decays at rate 1
    assume always h: x*y == 0
    draw x = 0
  says wrong: always y == 0
    assume always h: x*y >= 0
    draw x = y

claim assumed
  title   What some motions leave
  printed nowhere
  scalar  x, y
  flow
    x' = y
    y' = 0
  says wrong: assumption x == 0
    consequence y == 0
    draw x = 0
  says kept: assumption y == 0
    consequence 1 == 0
    draw y = 0

claim cancelled
  title   Cancelled sums times large factors
  printed nowhere
  scalar  x, y
  scalar  z > 0
  root    r = z
  says flat: 1/(10^37*((x + y)^2 - x^2 - 2*x*y - y^2)^2 + 1) >= 1/2
  says steep: 10^20*((x + y)^2 - x^2 - 2*x*y - y^2) == 0
  says root: 1/(10^37*(r^2 - z)^2 + 1) >= 1/2
  says wrong: 10^20*((x + y)^2 - x^2 - 3*x*y - y^2) == 0
  says wrongroot: r^2 >= 1
`})
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		claim string
		n     int
	}{{"passed", 300}, {"assumed", 300}, {"cancelled", 300}, {"passed", 100 * TilePoints}} {
		s, err := Fuzz(context.Background(), f, k.claim, FuzzOptions{N: k.n, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range s.Tallies {
			if fails := strings.HasPrefix(y.Name[strings.Index(y.Name, "/")+1:], "wrong"); fails != (y.Fails > 0) {
				t.Errorf("%s of %d: %d failures, %d open", y.Name, k.n, y.Fails, y.Open)
			}
			if strings.HasSuffix(y.Name, "zero") && y.Fails+y.Open == 0 || y.Undefined+y.Unmet+y.Holds+y.Fails+y.Open != k.n {
				t.Errorf("%s: %+v", y.Name, y)
			}
			most := max(tileLooks, otherLooks*TilePoints/k.n) * ((k.n + TilePoints - 1) / TilePoints)
			if k.claim == "passed" && y.Fails+y.Open-y.Unasked > most {
				t.Errorf("%s: %d looks, at most %d", y.Name, y.Fails+y.Open-y.Unasked, most)
			}
			if many := k.n > otherLooks && y.Open > 0; many != (y.Unasked > 0) {
				t.Errorf("%s of %d: %d open, %d not asked", y.Name, k.n, y.Open, y.Unasked)
			}
		}
	}
}

// TestSamplingKeepsToItsRegion looks at the worst points of a claim that has every kind of entry.
func TestSamplingKeepsToItsRegion(t *testing.T) {
	r := decode(t, corner)
	s, err := Fuzz(context.Background(), load(t), "thm3-alignment", FuzzOptions{Region: r, N: 600, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range s.Tallies {
		for _, p := range y.Worst {
			if p.State["size n2"] != "2" {
				t.Fatalf("size n2 is %s", p.State["size n2"])
			}
			for _, b := range r.Parameters {
				if !b.Contains(rational(p.State[b.Name])) {
					t.Fatalf("%s = %s outside %s", b.Name, p.State[b.Name], b)
				}
			}
		}
	}
}

// TestRootsOfSampledStatesAreConfirmed: the roots of sampled parameters are irrational, and the model still
// gets a state to confirm.
func TestRootsOfSampledStatesAreConfirmed(t *testing.T) {
	r := decode(t, "parameters:\n  eta: {from: 1/100, to: 1/5}\n  tau: 1\n  sigma2: 0\n")
	s, err := Fuzz(context.Background(), load(t), "basin", FuzzOptions{Region: r, N: 500, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range s.Tallies {
		if (y.Name == "aboveescapes" || y.Name == "belowcollapses") && y.Refuted == 0 {
			t.Errorf("%s: %d failures, none confirmed", y.Name, y.Fails)
		}
		if y.Reading == Corrected && y.Fails > 0 {
			t.Errorf("%s fails at %d points", y.Name, y.Fails)
		}
	}
}

func TestSamplingResumes(t *testing.T) {
	f, r := load(t), decode(t, corner)
	o := FuzzOptions{Region: r, N: 1500, Seed: 1, Workers: 2}
	whole, err := Fuzz(context.Background(), f, "thm3-alignment", o)
	if err != nil {
		t.Fatal(err)
	}
	o.Dir = t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(done, total int) {
		if done >= 512 {
			cancel()
		}
	}
	if _, err := Fuzz(ctx, f, "thm3-alignment", o); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	o.Progress = nil
	log := filepath.Join(o.Dir, "tiles.log")
	kept, err := os.ReadFile(log)
	if err != nil || len(kept) == 0 {
		t.Fatalf("nothing was kept: %v", err)
	}
	// As it was left, and cut at a few places.
	for _, cut := range []int{len(kept), len(kept) - 1, len(kept) / 2, 1, 0} {
		if err := os.WriteFile(log, kept[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Fuzz(context.Background(), f, "thm3-alignment", o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Resumed != bytes.Count(kept[:cut], []byte("\n")) {
			t.Errorf("cut at %d: %d tiles resumed", cut, s.Resumed)
		}
		if text(t, s) != text(t, whole) {
			t.Errorf("cut at %d: the resumed result differs", cut)
		}
	}
	o.Seed = 2
	if _, err := Fuzz(context.Background(), f, "thm3-alignment", o); err == nil || !strings.Contains(err.Error(), `it has "seed": 1, asked for is "seed": 2`) {
		t.Errorf("another campaign in the folder: %v", err)
	}
}

const (
	victimEnv    = "STOPGRAD_FUZZ_VICTIM"
	killedPoints = 6000
)

// TestVictim is the process that TestSamplingSurvivesBeingKilled kills.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimEnv)
	if dir == "" {
		t.Skip("runs only as the process that TestSamplingSurvivesBeingKilled kills")
	}
	_, err := Fuzz(context.Background(), load(t), "thm3-alignment", FuzzOptions{Region: decode(t, corner), N: killedPoints, Seed: 1, Workers: 2, Dir: dir})
	if err != nil {
		t.Error(err)
	}
}

// TestSamplingSurvivesBeingKilled kills a process that samples, a few tiles further each time, and resumes it
// here.
func TestSamplingSurvivesBeingKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, r := load(t), decode(t, corner)
	o := FuzzOptions{Region: r, N: killedPoints, Seed: 1}
	whole, err := Fuzz(context.Background(), f, "thm3-alignment", o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, tiles := range []int{2, 6, 11} {
		cmd := exec.Command(exe, "-test.run=^TestVictim$")
		cmd.Env = append(os.Environ(), victimEnv+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 4000 {
			if log, _ := os.ReadFile(filepath.Join(dir, "tiles.log")); bytes.Count(log, []byte("\n")) >= tiles {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	o.Dir = dir
	s, err := Fuzz(context.Background(), f, "thm3-alignment", o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Resumed < 11 {
		t.Errorf("only %d tiles were there to resume", s.Resumed)
	}
	if text(t, s) != text(t, whole) {
		t.Error("the resumed result differs from the uninterrupted one")
	}
	t.Logf("%d tiles resumed, %d lines damaged", s.Resumed, s.Dropped)
}

func TestFuzzRefuses(t *testing.T) {
	f := load(t)
	for _, c := range []struct {
		claim, region, want string
		n                   int
	}{
		{"no-such", "", `fuzz: no claim "no-such"`, 1},
		{"thm1", "", "fuzz: n is 0; expected a number of points from 1 to 20000000", 0},
		{"thm1", "parameters: {gamma: 1}\n", "region: corner.yaml:1: claim thm1 has no parameter gamma", 1},
		{"sym-hurts", "parameters: {beta: 3}\n", "", 1},
	} {
		o := FuzzOptions{N: c.n, Seed: 1}
		if c.region != "" {
			o.Region = decode(t, c.region)
		}
		_, err := Fuzz(context.Background(), f, c.claim, o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.claim, err, c.want)
		}
	}
}
