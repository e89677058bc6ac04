package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// miniature returns the golden of a miniature as it was built in.
func miniature(t *testing.T, tier check.Tier, a check.Arm) *golden.Golden {
	t.Helper()
	return builtIn(t, tier, a)
}

// TestMiniaturesAreWhatTheyAreCalled: every golden of the miniatures verifies by all rules, the label too.
func TestMiniaturesAreWhatTheyAreCalled(t *testing.T) {
	v := &golden.Verifier{Extra: []golden.Rule{LabelRule}}
	report, err := v.VerifyDir(t.Context(), golden.Committed(), nil)
	if err != nil {
		t.Error(err)
	}
	held := map[string]bool{}
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if o.State == golden.Pass && strings.HasPrefix(f.ID, "T3-") {
				held[o.Rule] = true
			}
			if o.Rule == LabelRule.Name && f.Kind == golden.Statistics && o.State != golden.Pass {
				t.Errorf("%s: %s", f.ID, o.Detail)
			}
		}
	}
	if len(held) == 0 {
		t.Fatal("no golden of a miniature is built in; go run . golden record --tier gpu-mini makes them")
	}
	// The parts of the verification without a GPU, each with something to check in some miniature.
	for _, rule := range []string{"form", "seal", "recipe", "provenance", "files", "runs", "bands", "claims", "moments", "spectra", "trace",
		"directpred", "ema", "replay", "balance", "label", "kept"} {
		if !held[rule] {
			t.Errorf("rule %s found nothing to check in any miniature", rule)
		}
	}
}

// TestSwappedLabelsAreRefused: a golden under the name of another arm, whoever fixed its hashes.
func TestSwappedLabelsAreRefused(t *testing.T) {
	for _, tier := range []check.Tier{check.MiniConv, check.MiniResNet} {
		dp, linear := miniature(t, tier, check.DirectPred), miniature(t, tier, check.BYOL)
		dp.ID, linear.ID = linear.ID, dp.ID
		for _, g := range []*golden.Golden{dp, linear} {
			o := LabelRule.Check(&golden.Subject{Golden: g})
			if o.State != golden.Fail || o.Err.Field != "config.method" {
				t.Errorf("%s: %s %v", g.ID, o.State, o.Err)
			}
		}
	}
	g := miniature(t, check.MiniConv, check.Symmetric)
	g.ID = ID(check.MiniConv, engine.CPU, check.BYOL)
	if o := LabelRule.Check(&golden.Subject{Golden: g}); o.State != golden.Fail || o.Err.Field != "config.predictor.symmetrize" {
		t.Errorf("%s %v", o.State, o.Err)
	}
	g = miniature(t, check.MiniConv, check.DirectPredBigEps)
	g.ID = ID(check.MiniConv, engine.CPU, check.DirectPred)
	if o := LabelRule.Check(&golden.Subject{Golden: g}); o.State != golden.Fail || o.Err.Field != "config.direct" {
		t.Errorf("%s %v", o.State, o.Err)
	}
	g = miniature(t, check.MiniConv, check.BYOL)
	g.ID = ID(check.GPUConv, engine.GPU, check.BYOL)
	if o := LabelRule.Check(&golden.Subject{Golden: g}); o.State != golden.Fail || o.Err.Field != "id" {
		t.Errorf("a miniature passes for a golden of a GPU: %s %v", o.State, o.Err)
	}
}

// TestGatesOfTheGPUOnRecordedMiniatures judges the recorded runs again. Where a gate holds, it fails on every broken
// variant that is recorded too; where it does not, that is said and no more: the miniatures are not made to pass.
func TestGatesOfTheGPUOnRecordedMiniatures(t *testing.T) {
	for _, tier := range check.Groups(check.GPUMini) {
		runs := map[check.Arm][]*check.Outcome{}
		for _, a := range ArmsOf(tier) {
			arm, os, err := Outcomes(tier, miniature(t, tier, a))
			if err != nil || arm != a {
				t.Fatalf("%s: %s %v", a, arm, err)
			}
			runs[a] = os
		}
		for _, k := range check.Of(tier) {
			r := k.Judge(tier, runs)
			for _, m := range r.Measurements {
				t.Log(tier, k.ID, m)
			}
			t.Logf("%s %s holds: %t", tier, k.ID, r.Pass)
			if !r.Pass {
				continue
			}
			for _, d := range k.Defects {
				swapped := maps.Clone(runs)
				for to, from := range d.Swaps {
					swapped[to] = runs[from]
				}
				if !slices.ContainsFunc(k.Arms, func(a check.Arm) bool { return swapped[a] == nil }) && k.Judge(tier, swapped).Pass {
					t.Errorf("%s holds with %s", k.ID, d.Name)
				}
			}
		}
		// Exact laws do not depend on the size.
		for _, id := range []string{"T3.collapse", "T3.dpid", "T3.recipe-dpid", "T3.balance", "T3.replay"} {
			for _, k := range check.Of(tier) {
				if k.ID == id && !k.Judge(tier, runs).Pass {
					t.Errorf("%s does not hold in the miniature", id)
				}
			}
		}
	}
}

// TestClaimsOfTheGPUFollowItsGates: the bounds of a golden's claims are those of the check that they name.
func TestClaimsOfTheGPUFollowItsGates(t *testing.T) {
	every := map[check.Arm]bool{}
	for _, a := range check.Arms {
		every[a] = true
	}
	for _, tier := range check.Groups(check.GPU) {
		claimed := map[string]bool{}
		for _, a := range ArmsOf(tier) {
			for _, c := range claims(tier, engine.GPU, a, every) {
				k, err := check.Find(c.ID)
				if err != nil {
					t.Errorf("%s: %v", a, err)
					continue
				}
				claimed[c.ID] = true
				if !slices.ContainsFunc(check.Of(tier), func(other check.Check) bool { return other.ID == k.ID }) || !slices.Contains(k.Arms, a) {
					t.Errorf("%s: the claim %s is not about it", a, c.ID)
				}
				bound := c.Bound
				if c.Test == golden.PairedTestName {
					bound = c.Gap
				}
				runs := map[check.Arm][]*check.Outcome{}
				for _, arm := range k.Arms {
					runs[arm] = []*check.Outcome{{Series: []method.Record{{Values: make([]float64, len(check.Columns))}}, Decay: []float64{0}}}
				}
				var limits []float64
				for _, m := range k.Judge(tier, runs).Measurements {
					limits = append(limits, float64(m.Low), float64(m.High))
				}
				if !slices.Contains(limits, *bound) {
					t.Errorf("%s: claim %s %s has the bound %g, the check's limits are %v", a, c.ID, c.Metric, *bound, limits)
				}
			}
		}
		for _, k := range check.Of(tier) {
			// Those about the course of a run, or with a smaller value for the golden that comes later, are judged by the
			// check alone.
			if !claimed[k.ID] && !slices.Contains([]string{"T3.align", "T3.recipe-align", "T3.wd-align"}, k.ID) {
				t.Errorf("no golden claims %s", k.ID)
			}
		}
	}
}

// TestMiniaturesOfOtherEnginesAgree holds the goldens of miniatures that another engine recorded against those of the
// processor, as sets of runs.
func TestMiniaturesOfOtherEnginesAgree(t *testing.T) {
	files, err := fs.Glob(golden.Committed(), "T3-mini-*.json")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, file := range files {
		tier, arm, err := Label(strings.TrimSuffix(file, ".json"))
		if err != nil {
			t.Fatal(err)
		}
		if file == ID(tier, engine.CPU, arm)+".json" || control(arm) {
			continue
		}
		found = true
		text, err := fs.ReadFile(golden.Committed(), file)
		if err != nil {
			t.Fatal(err)
		}
		other, err := golden.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range compare(t, miniature(t, tier, arm), slices.DeleteFunc(other.Runs, func(r golden.Run) bool { return r.Rerun > 0 })...).Rows {
			if !row.Pass {
				t.Errorf("%s: %s: %s", file, row.Metric, row.Why)
			}
		}
	}
	if !found {
		t.Skip("no golden T3-mini of an engine besides " + engine.CPU + " is recorded: nothing to compare with")
	}
}

// laws is a recording of the replayed runs of the miniature: 32 steps each.
func laws(t *testing.T, work string, seeds ...uint64) *Recording {
	return &Recording{Root: root, Out: t.TempDir(), Work: work, Tier: check.MiniLaws, Arms: []check.Arm{check.Euclidean}, Seeds: seeds, Rich: 1,
		Backend: engine.CPU, Command: "go test", Reason: "test", AllowDirty: true}
}

// gather copies finished runs of folders into a new one.
func gather(t *testing.T, folders ...string) string {
	t.Helper()
	into := t.TempDir()
	for _, f := range folders {
		files, err := filepath.Glob(filepath.Join(f, "*.run"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(into, filepath.Base(name)), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return into
}

// TestARecordingInPartsIsThatOfOneCall: runs made in two calls in two folders, carried together and assembled, give the
// golden that one call over all seeds gives; some of them alone, or with others mixed in, are refused.
func TestARecordingInPartsIsThatOfOneCall(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for work, seeds := range map[string][]uint64{a: {1, 4}, b: {2, 3, 5}} {
		if err := laws(t, work, seeds...).Runs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	assembled, err := laws(t, gather(t, a, b)).Assemble(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole := laws(t, gather(t, a, b), 1, 2, 3, 4, 5)
	whole.Progress = func(done, total int, _ string) {
		if done%32 != 0 || total != 5*32 {
			t.Errorf("%d of %d steps: a run that is there is made again", done, total)
		}
	}
	recorded, err := whole.Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(assembled) != 1 || len(recorded) != 1 {
		t.Fatalf("%d and %d goldens", len(assembled), len(recorded))
	}
	text := func(g *golden.Golden) string {
		g.Created, g.SHA256 = "", ""
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if x, y := text(assembled[0].Golden), text(recorded[0].Golden); x != y {
		t.Errorf("assembled:\n%s\nrecorded at once:\n%s", x, y)
	}
	if _, err := os.Stat(filepath.Join(whole.Work, "T3-mini-cpu.G-C.simsiam-euclidean.s1.r0.run")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a run is left in the work folder: %v", err)
	}

	if _, err := laws(t, gather(t, b)).Assemble(t.Context()); !errors.Is(err, ErrFewSeeds) || !strings.Contains(err.Error(), "simsiam-euclidean has runs of 3 seeds") {
		t.Errorf("three seeds: %v", err)
	}
	if _, err := laws(t, t.TempDir()).Assemble(t.Context()); !errors.Is(err, ErrNoRuns) {
		t.Errorf("no runs: %v", err)
	}
	other := laws(t, gather(t, a, b))
	other.Tier = check.MiniConv
	other.Arms = nil
	if _, err := other.Assemble(t.Context()); !errors.Is(err, ErrNoRuns) {
		t.Errorf("runs of another tier: %v", err)
	}
	clean := laws(t, gather(t, a, b))
	if clean.AllowDirty = false; assembled[0].Golden.Provenance.Dirty {
		if _, err := clean.Assemble(t.Context()); !errors.Is(err, golden.ErrDirty) {
			t.Errorf("runs of a changed tree: %v", err)
		}
	}
	cut := gather(t, a, b)
	if err := os.WriteFile(filepath.Join(cut, "T3-mini-cpu.G-C.simsiam-euclidean.s1.r0.run"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := laws(t, cut).Assemble(t.Context()); err == nil || !strings.Contains(err.Error(), "simsiam-euclidean.s1.r0.run") {
		t.Errorf("a damaged run: %v", err)
	}

	// Runs that do not belong together are refused by the name of what differs, and nothing is written.
	for what, change := range map[string]func(*finished){
		"kernels_sha256":             func(x *finished) { x.Provenance.KernelsSHA256 = strings.Repeat("0", 64) },
		"git_commit":                 func(x *finished) { x.Provenance.GitCommit = "0123456" },
		"engine.version":             func(x *finished) { x.Provenance.Engine.Version = "another" },
		"engine.precision":           func(x *finished) { x.Provenance.Engine.Precision = golden.TF32 },
		"device.name":                func(x *finished) { x.Provenance.Device.Name = "another" },
		"data.sha256":                func(x *finished) { d := *x.Provenance.Data; d.SHA256 = strings.Repeat("0", 64); x.Provenance.Data = &d },
		"base configuration":         func(x *finished) { x.Base = strings.Replace(x.Base, `"steps":300`, `"steps":301`, 1) },
		"has no provenance":          func(x *finished) { x.Provenance.Data = nil },
		"has another configuration":  func(x *finished) { x.Config += " " },
		"are both of simsiam-euclid": func(x *finished) { x.Run.Seed = 1 },
	} {
		work := gather(t, a, b)
		s := store{work}
		name := "T3-mini-cpu.G-C.simsiam-euclidean.s3.r0"
		x, err := s.read(name)
		if err != nil {
			t.Fatal(err)
		}
		change(x)
		if err := s.save(name, x); err != nil {
			t.Fatal(err)
		}
		r := laws(t, work)
		_, err = r.Assemble(t.Context())
		if !errors.Is(err, ErrMixed) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), name+".run") {
			t.Errorf("%s: %v", what, err)
		}
		if left, _ := os.ReadDir(r.Out); len(left) > 0 {
			t.Errorf("%s: %d files were written", what, len(left))
		}
	}
}

// TestTheKeeperMakesARunOnce: for package check, without provenance, so that it is no part of a recording.
func TestTheKeeperMakesARunOnce(t *testing.T) {
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.MiniConv.On(d, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Base.Steps = 4
	s.Data.EvalTrain, s.Data.EvalTest = 40, 40
	work := t.TempDir()
	var steps [2]int
	var outcomes [2]*check.Outcome
	for i := range steps {
		keep, err := Keeper(work, s)
		if err != nil {
			t.Fatal(err)
		}
		open := func() (*engine.Engine, error) { return engine.Open(engine.CPU) }
		if outcomes[i], err = keep(context.Background(), open, check.DirectPred, 2, func(int, int) { steps[i]++ }); err != nil {
			t.Fatal(err)
		}
	}
	if steps != [2]int{4, 0} || !maps.Equal(outcomes[0].Final, outcomes[1].Final) || outcomes[0].Identity != outcomes[1].Identity {
		t.Errorf("%v steps, %+v and %+v", steps, outcomes[0], outcomes[1])
	}
	r := &Recording{Root: root, Out: t.TempDir(), Work: work, Tier: check.MiniConv, Backend: engine.CPU, AllowDirty: true, Reason: "test"}
	if _, err := r.Assemble(t.Context()); !errors.Is(err, ErrMixed) {
		t.Errorf("runs without provenance: %v", err)
	}
}

// TestARecordingOfAGPUStaysSmall counts the bytes of all matrices of the tier gpu on CIFAR-10 with five seeds, by the
// shapes of its configurations, and adds what the miniatures' JSON takes for as many runs.
func TestARecordingOfAGPUStaysSmall(t *testing.T) {
	d := &data.Dataset{Spec: "cifar10:x", Train: &data.Set{H: 32, W: 32, C: 3, White: 255, Classes: []string{"0"}, Labels: make([]int, 50000)}}
	d.Test, d.Augment = d.Train, data.CIFARAugmentation([3]float64{}, [3]float64{1, 1, 1})
	total := 0
	for _, tier := range check.Groups(check.GPU) {
		s, err := tier.On(d, check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := &Recording{Tier: tier, Seeds: s.Seeds, Reruns: 1, Rich: 1, Backend: engine.GPU}
		jobs, err := r.jobs(s)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, j := range jobs {
			c, detail := j.config, r.detail(j, r.rich(s, j.seed))
			dim, wide := c.Net.Out, c.Net.Projector[len(c.Net.Projector)-1]
			moment := 8
			if dim > wideMoment {
				moment = 4
			}
			snapshot := 2*moment*dim*dim + moment*dim
			if c.Predictor.Kind == method.LinearP || c.Predictor.Kind == method.DirectP {
				snapshot += 4 * (dim*dim + dim*wide + dim)
			}
			if c.Direct != nil {
				snapshot += 4 * dim * dim
			}
			for step := range c.Steps + 1 {
				if detail.snapshot(step, c.Steps) {
					sum += snapshot
				}
				if step > 0 && (c.Direct != nil && detail.segment(step, c.Steps) || j.arm == check.Euclidean && detail == Snapshots) {
					sum += 12 * dim * dim
				}
			}
			sum += 12000 // JSON: the miniatures' goldens have 10 to 12 kB a run
		}
		t.Logf("%s: %d runs, %.2f MB", tier, len(jobs), float64(sum)/1e6)
		total += sum
	}
	if t.Logf("%.2f MB", float64(total)/1e6); total > 8e6 {
		t.Errorf("%d bytes", total)
	}
}
