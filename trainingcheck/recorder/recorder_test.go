package recorder

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// root is the project's root seen from here.
const root = "../.."

// freshSeed is a seed that no golden has.
const freshSeed = 1

// committed returns a golden of tier mini as it was built in.
func committed(t *testing.T, a check.Arm) *golden.Golden {
	t.Helper()
	return builtIn(t, check.Mini, a)
}

// builtIn returns the golden of an arm that was recorded on the CPU.
func builtIn(t *testing.T, tier check.Tier, a check.Arm) *golden.Golden {
	t.Helper()
	text, err := fs.ReadFile(golden.Committed(), ID(tier, engine.CPU, a)+".json")
	if err != nil {
		t.Fatalf("%v; go run . golden record makes it", err)
	}
	g, err := golden.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fresh is one run of an arm on a seed that no golden has.
var fresh = sync.OnceValues(func() (golden.Run, error) {
	e, err := engine.Open(engine.CPU)
	if err != nil {
		return golden.Run{}, err
	}
	defer e.Close()
	d, err := data.Open("digits")
	if err != nil {
		return golden.Run{}, err
	}
	base, _, err := check.Mini.Base()
	if err != nil {
		return golden.Run{}, err
	}
	r, _, err := Run(context.Background(), e, d, check.BYOL, base, freshSeed, FinalOnly, nil)
	return r, err
})

// compare holds runs against a golden's bands, under the golden's own recipe.
func compare(t *testing.T, g *golden.Golden, runs ...golden.Run) golden.Comparison {
	t.Helper()
	c, err := golden.Compare(g, g.Config, runs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAFreshRunLiesInTheRecordedBands(t *testing.T) {
	r, err := fresh()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range compare(t, committed(t, check.BYOL), r).Rows {
		t.Logf("%-12s %.4g", row.Metric, row.Value)
		if !row.Pass {
			t.Errorf("%s: %s", row.Metric, row.Why)
		}
	}
}

// TestRunsOfOtherArmsAreRefused: under the label of BYOL, every recorded run of the other arms leaves its bands.
func TestRunsOfOtherArmsAreRefused(t *testing.T) {
	byol := committed(t, check.BYOL)
	mine, err := fresh()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Arms {
		if a == check.BYOL {
			continue
		}
		for _, r := range committed(t, a).Runs {
			if r.Rerun > 0 {
				continue
			}
			whole := maps.Clone(mine.Final)
			maps.Copy(whole, r.Final) // measures that the other arm lacks stay those of the true run
			if compare(t, byol, golden.Run{Seed: r.Seed, Final: whole}).Pass {
				t.Errorf("%s, seed %d passes for %s", a, r.Seed, byol.ID)
			}
		}
	}
	if c, err := golden.Compare(byol, committed(t, check.SimSiam).Config, []golden.Run{mine}); err == nil {
		t.Errorf("a run of another recipe is compared: %+v", c)
	}
}

// TestRecordedRunsPassTheChecksGates: the gates of package check hold on all recorded seeds, and fail when the arms are
// swapped as its broken variants say.
func TestRecordedRunsPassTheChecksGates(t *testing.T) {
	runs := map[check.Arm][]*check.Outcome{}
	for _, a := range Arms {
		arm, os, err := Outcomes(check.Mini, committed(t, a))
		if err != nil {
			t.Fatal(err)
		}
		if arm != a || len(os) < MinSeeds(check.Mini) {
			t.Fatalf("%s: %d runs of %s", a, len(os), arm)
		}
		runs[a] = os
	}
	for _, k := range check.Checks() {
		r := k.Judge(check.Mini, runs)
		for _, m := range r.Measurements {
			t.Log(k.ID, m)
		}
		if !r.Pass {
			t.Errorf("%s does not hold on the recorded seeds", k.ID)
		}
		for _, d := range k.Defects {
			swapped := maps.Clone(runs)
			missing := false
			for to, from := range d.Swaps {
				swapped[to] = runs[from]
				missing = missing || runs[from] == nil
			}
			if missing {
				continue // a broken variant that no golden records
			}
			if k.Judge(check.Mini, swapped).Pass {
				t.Errorf("%s holds with %s", k.ID, d.Name)
			}
		}
	}
}

// TestClaimsFollowTheGatesOfTheChecks: a golden's claims are restated from package check, so a gate that moves there
// must move here. Every claim names a check, and the verdicts agree.
func TestClaimsFollowTheGatesOfTheChecks(t *testing.T) {
	for _, a := range Arms {
		g := committed(t, a)
		for _, c := range g.Claims {
			k, err := check.Find(c.ID)
			if err != nil {
				t.Errorf("%s: %v", g.ID, err)
				continue
			}
			bound := c.Bound
			if c.Test == golden.PairedTestName {
				bound = c.Gap
			}
			var limits []float64
			empty := map[check.Arm][]*check.Outcome{}
			for _, arm := range k.Arms {
				empty[arm] = []*check.Outcome{{Series: []method.Record{{Values: make([]float64, len(check.Columns))}}, Decay: []float64{0}}}
			}
			for _, m := range k.Judge(check.Mini, empty).Measurements {
				limits = append(limits, float64(m.Low), float64(m.High))
			}
			if !slices.Contains(limits, *bound) {
				t.Errorf("%s: claim %s %s has the bound %g, the check's limits are %v", g.ID, c.ID, c.Metric, *bound, limits)
			}
			if !c.Pass {
				t.Errorf("%s: %s %s does not hold on the recorded seeds", g.ID, c.ID, c.Metric)
			}
		}
	}
}

// TestARunKeepsTheMatricesItsScalarsFollowFrom records short runs with everything and lets the verifier recompute.
func TestARunKeepsTheMatricesItsScalarsFollowFrom(t *testing.T) {
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	base, _, err := check.Mini.Base()
	if err != nil {
		t.Fatal(err)
	}
	base.Steps = 40
	for a, rules := range map[check.Arm][]string{
		check.BYOL:        {"moments", "spectra", "trace"},
		check.DirectPred:  {"moments", "spectra", "trace", "directpred", "ema"},
		check.PlainSGD:    {"moments", "spectra", "trace", "balance"},
		check.NoPredictor: {"moments", "spectra", "trace"},
	} {
		r, _, err := Run(t.Context(), e, d, a, base, 5, Snapshots, nil)
		if err != nil {
			t.Fatal(err)
		}
		g := assembled(t, a, base, d, r)
		dir := t.TempDir()
		if _, err := golden.RecordFile(t.Context(), dir, g, golden.RecordOptions{AllowDirty: true}); err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		for _, rule := range rules {
			if !slices.Contains(g.Rules, rule) {
				t.Errorf("%s: rule %s found nothing to check; those that did: %v", a, rule, g.Rules)
			}
		}
		// The matrices of a run under the label of another are refused.
		for _, change := range []func(*golden.Run){
			func(r *golden.Run) { r.Final["er"] *= 1.01 },
			func(r *golden.Run) { r.Snapshots.Tensors[0].Data[1] *= 1.1 },
		} {
			bad := assembled(t, a, base, d, cloned(r))
			change(&bad.Runs[0])
			var refused *golden.Error
			if _, err := golden.RecordFile(t.Context(), t.TempDir(), bad, golden.RecordOptions{AllowDirty: true}); !errors.As(err, &refused) {
				t.Errorf("%s: a changed run was recorded: %v", a, err)
			}
		}
	}
}

func assembled(t *testing.T, a check.Arm, base method.Config, d *data.Dataset, r golden.Run) *golden.Golden {
	t.Helper()
	prov, err := golden.Collect(t.Context(), root, Kernels...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Config(base)
	if err != nil {
		t.Fatal(err)
	}
	g := &golden.Golden{ID: "test." + string(a), Kind: golden.Statistics, Status: golden.Informative, Created: "2026-01-01T00:00:00Z", Provenance: prov, Runs: []golden.Run{r}}
	if g.Config, err = golden.NewConfig(c); err != nil {
		t.Fatal(err)
	}
	g.Provenance.Data, g.Provenance.RNG, g.Provenance.Command = Examples(d), RNG, "go test"
	g.Provenance.Engine = golden.Engine{Name: engine.CPU, Version: "test", Precision: golden.FP32}
	g.Provenance.Device = golden.Device{Name: "test"}
	return g
}

func cloned(r golden.Run) golden.Run {
	r.Final = maps.Clone(r.Final)
	blob := *r.Snapshots
	blob.Tensors = slices.Clone(blob.Tensors)
	blob.Tensors[0].Data = slices.Clone(blob.Tensors[0].Data)
	r.Snapshots = &blob
	return r
}

// TestRecordingIsRefusedBeforeTheFirstRun: whatever is wrong is said at once, and no folder appears.
func TestRecordingIsRefusedBeforeTheFirstRun(t *testing.T) {
	ten := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, ID(check.Mini, engine.CPU, check.BYOL)+".json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		r    Recording
		want string
	}{
		"few seeds":   {Recording{Tier: check.Mini, Arms: Arms, Seeds: ten[:9]}, "needs 10"},
		"unknown arm": {Recording{Tier: check.Mini, Arms: []check.Arm{"x"}, Seeds: ten}, `arm "x"`},
		"no arm":      {Recording{Tier: check.Mini, Seeds: ten}, "no arm"},
		"tier":        {Recording{Tier: "x", Arms: Arms, Seeds: ten}, `unknown tier "x"`},
		"no sources":  {Recording{Tier: check.Mini, Arms: Arms, Seeds: ten, Root: t.TempDir()}, "sources"},
		"no reason":   {Recording{Tier: check.Mini, Arms: Arms, Seeds: ten, Root: root, Out: occupied}, "reason"},
	} {
		c.r.Work = filepath.Join(t.TempDir(), "work")
		if _, err := c.r.Record(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(c.r.Work); !os.IsNotExist(err) {
			t.Errorf("%s: the work folder is there (%v)", name, err)
		}
	}
}

// TestTheStoreReturnsWhatItWasGiven: the tensors' numbers too, and nothing of another identity or of a damaged file.
func TestTheStoreReturnsWhatItWasGiven(t *testing.T) {
	s := store{filepath.Join(t.TempDir(), "work")}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	x := &finished{Identity: "a", Seconds: 2, Run: golden.Run{Seed: 4, Final: map[string]float64{"er": 0.1},
		Series:    []golden.Point{{Step: 3, TEta: 0.5, Values: map[string]float64{"er": 0.1}, Spectra: map[string][]float64{"spec_F": {2, 1}}}},
		Snapshots: &golden.Blob{Tensors: []golden.Tensor{{Step: 3, Name: "F", Rows: 1, Cols: 2, DType: golden.F64, Data: []float64{math.Pi, math.Nextafter(1, 2)}}}}}}
	if err := s.save("run", x); err != nil {
		t.Fatal(err)
	}
	got := s.load("run", "a")
	if got == nil || got.Run.Final["er"] != 0.1 || got.Run.Series[0].Spectra["spec_F"][1] != 1 || !slices.Equal(got.Run.Snapshots.Tensors[0].Data, x.Run.Snapshots.Tensors[0].Data) {
		t.Errorf("%+v", got)
	}
	if s.load("run", "b") != nil || s.load("other", "a") != nil {
		t.Error("a run of another identity or name was returned")
	}
	text, err := os.ReadFile(s.file("run"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file("run"), text[:len(text)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if s.load("run", "a") != nil {
		t.Error("a damaged run was returned")
	}
	if err := s.remove([]*finished{{name: "run"}}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestMeasuresThatOneRunLacksAreNoStatistic(t *testing.T) {
	runs := []golden.Run{{Final: map[string]float64{"a": 1, "b": 2}}, {Final: map[string]float64{"a": 1, "c": 3}}, {Final: map[string]float64{"a": 1, "b": 2}}}
	common(runs)
	for i, r := range runs {
		if !maps.Equal(r.Final, map[string]float64{"a": 1}) {
			t.Errorf("run %d has %v", i, r.Final)
		}
	}
}

// TestAnInterruptedRecordingGoesOn: the runs that were finished are not made again, and the whole is the same.
func TestAnInterruptedRecordingGoesOn(t *testing.T) {
	base, _, err := check.Mini.Base()
	if err != nil {
		t.Fatal(err)
	}
	base.Steps = 10
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	record := func(ctx context.Context, work string, progress func(done, total int, run string)) ([]*finished, int, error) {
		r := Recording{Tier: check.Mini, Arms: []check.Arm{check.BYOL, check.DirectPred}, Seeds: []uint64{1, 2}, Reruns: 1, Rich: 1, Backend: engine.CPU, Workers: 1}
		set := &check.Setting{Tier: check.Mini, Data: d, Base: base}
		jobs, err := r.jobs(set)
		if err != nil {
			t.Fatal(err)
		}
		s := store{work}
		if err := s.open(); err != nil {
			t.Fatal(err)
		}
		calls := 0
		r.Progress = func(done, total int, run string) {
			calls++
			if progress != nil {
				progress(done, total, run)
			}
		}
		prov := golden.Provenance{KernelsSHA256: "x"}
		runs, err := r.make(ctx, set, jobs, s, prov)
		return runs, calls, err
	}
	want, whole, err := record(t.Context(), filepath.Join(t.TempDir(), "a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole != 6*base.Steps {
		t.Errorf("%d calls of progress for %d steps", whole, 6*base.Steps)
	}
	work := filepath.Join(t.TempDir(), "b")
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err = record(ctx, work, func(done, _ int, _ string) {
		if done == 2*base.Steps+5 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted recording ended with %v", err)
	}
	got, calls, err := record(t.Context(), work, nil)
	if err != nil {
		t.Fatal(err)
	}
	if calls != 3*base.Steps+5+2 {
		t.Errorf("%d calls of progress, want two for the finished runs, one a step for three others and for the second half of the one that was cut", calls)
	}
	for i := range want {
		w, g := want[i].Run, got[i].Run
		if !maps.Equal(w.Final, g.Final) || w.Seed != g.Seed || w.Rerun != g.Rerun || (w.Snapshots == nil) != (g.Snapshots == nil) || (w.Segment == nil) != (g.Segment == nil) {
			t.Errorf("run %d: %+v, want %+v", i, g, w)
		}
	}
	if !repeats([]golden.Run{got[0].Run, got[1].Run}) || got[1].Run.Rerun != 1 || got[1].Run.Snapshots != nil {
		t.Error("the rerun of the first seed differs from it, or keeps matrices")
	}
	changed := got[1].Run
	changed.Final = maps.Clone(changed.Final)
	changed.Final["er"] = math.Nextafter(changed.Final["er"], 9)
	if repeats([]golden.Run{got[0].Run, changed}) {
		t.Error("one bit of difference goes unnoticed")
	}
}
