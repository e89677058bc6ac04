package parity

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

// stepSeed is the seed of recorded and timed steps.
const stepSeed = 1

// TestStepTime measures steps on the CPU with a small network, on a GPU with the full ResNet-18, and shows them.
func TestStepTime(t *testing.T) {
	for _, kind := range kinds(engine.CPU, engine.GPU, engine.GPUTF32) {
		t.Run(kind, func(t *testing.T) {
			e := start(t, kind)
			n, configs, schedule := Timed(e)
			type measure = func(context.Context, *engine.Engine, method.Config, uint64, Schedule) (golden.Timing, error)
			show := func(c method.Config, time measure) {
				timing, err := time(t.Context(), e, c, stepSeed, schedule)
				if err != nil {
					t.Errorf("%s, batch %d in %s: %v", n.Name, c.Batch, c.Precision, err)
					return
				}
				t.Logf("%s: %s, batch %d in %s: median %.3g ms, minimum %.3g ms, %.4g images/s", timing.Program, n.Name, c.Batch, timing.Precision, timing.MedianMS, timing.MinMS, timing.ImagesPerS)
				if err := timing.Check(timing.Device); err != nil {
					t.Error(err)
				}
				if timing.Batch != c.Batch || timing.Steps != schedule.Steps || timing.Precision != recorder.Arithmetic(kind, c.Precision) {
					t.Errorf("timing %+v is not of %+v", timing, schedule)
				}
				if *timingsFile != "" {
					if err := AppendTiming(*timingsFile, timing); err != nil {
						t.Error(err)
					}
				}
			}
			for _, c := range configs {
				show(c, Time)
				if kind != engine.CPU { // which has no images of its own
					show(c, TimeResident)
				}
			}
		})
	}
}

// TestTimeResident measures steps from images where there is no GPU, and where there are no images.
func TestTimeResident(t *testing.T) {
	c := ResidentNetworks()[0].Config
	c.Precision = method.Float32
	got, err := TimeResident(t.Context(), start(t, engine.CPUGoMLX), c, stepSeed, Schedule{Warmup: 1, Steps: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(got.Device); err != nil || got.Program != ProgramResident || got.Steps != 2 || got.Batch != c.Batch {
		t.Errorf("%+v, %v", got, err)
	}
	var unsupported *method.UnsupportedError
	if got, err := TimeResident(t.Context(), cpu(t), c, stepSeed, Schedule{Steps: 1}); !errors.As(err, &unsupported) {
		t.Errorf("on %s: %+v, %v", engine.CPU, got, err)
	}
	if got, err := TimeResident(t.Context(), cpu(t), method.Miniature(method.MLP), stepSeed, Schedule{Steps: 1}); err == nil {
		t.Errorf("without images: %+v", got)
	}
}

// TestRecord records every golden of an engine: into -out, or to see that it can be done.
func TestRecord(t *testing.T) {
	for _, kind := range kinds(engine.CPU, engine.GPU, engine.GPUTF32) {
		t.Run(kind, func(t *testing.T) {
			r := Recording{Root: root(), Out: *outFolder, Engine: start(t, kind), Seed: stepSeed, Reason: *reason,
				Command: "go test -run Record ./trainingcheck/parity -engine " + kind}
			if engine.Alone(kind) {
				r.Command = "go test -tags xla -run Record ./trainingcheck/parity -engine " + kind
			}
			if r.Root == "" {
				r.Command = "engine.test -test.run Record -engine " + kind + " (built by trainingcheck/parity/build.sh)"
			}
			// A tree with changes is recorded on purpose only; what was built from one without its sources was.
			r.AllowDirty = *reason != "" || r.Root == ""
			if r.Out == "" {
				r.Out, r.AllowDirty = t.TempDir(), true
				if r.Root == "" && !golden.Stamped() {
					t.Skip("neither the project's sources nor a stamp of them are here")
				}
			}
			timed, _, _ := Timed(r.Engine)
			for _, j := range Recordings(r.Engine) {
				id := ID(kind, j.Precision, j.Network.Name)
				var timings []golden.Timing
				if *timingsFile != "" && id == ID(kind, method.Float32, timed.Name) && kind != engine.GPUTF32 {
					p := golden.Provenance{Host: golden.ThisHost()}
					recorder.Describe(r.Engine, j.Precision, &p)
					var err error
					if timings, err = ReadTimings(*timingsFile, p.Device.Name); errors.Is(err, fs.ErrNotExist) {
						t.Logf("%s: without timings: %v", id, err)
					} else if err != nil {
						t.Error(err)
						continue
					}
				}
				g, w, err := r.Record(t.Context(), j.Network, j.Precision, timings)
				if err != nil {
					t.Errorf("%s: %v", id, err)
					continue
				}
				t.Logf("%s: %d bytes, %d timings, deterministic %t, %v", id, w.Bytes, len(timings), g.Provenance.Engine.Deterministic, g.Parity.Values)
				for _, o := range w.Outcomes {
					if o.Rule == "parity" {
						t.Logf("%s: worst %.2g of %.2g", id, o.Worst, o.Tolerance)
					}
				}
			}
			if t.Failed() {
				return
			}
			if _, err := (&golden.Verifier{Recompute: Recompute()}).VerifyDir(t.Context(), os.DirFS(r.Out), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRecordOfTheAcceleratedFormulation records the graphs that XLA gets, in every precision that a GPU is recorded in,
// from GoMLX's Go backend: their values must meet the bounds, and none of it can be passed off as a GPU's. Nothing of it is
// kept.
func TestRecordOfTheAcceleratedFormulation(t *testing.T) {
	if root() == "" {
		t.Skip("the project's sources are not here")
	}
	e := *start(t, engine.CPUGoMLX)
	e.Kind = engine.XLACPU // the backend stays the Go one; only the formulation and the names change
	r := Recording{Root: root(), Out: t.TempDir(), Engine: &e, Seed: stepSeed, Command: "go test", AllowDirty: true}
	recorded := map[golden.Precision]int{}
	for _, j := range Recordings(&e) {
		if j.Network.Full {
			continue
		}
		g, _, err := r.Record(t.Context(), j.Network, j.Precision, nil)
		if err != nil {
			t.Errorf("%s in %s: %v", j.Network.Name, j.Precision, err)
			continue
		}
		recorded[g.Provenance.Engine.Precision]++
		// The twin: every value moved by twice its tolerance.
		want, err := r.recompute[StepName](t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range g.Parity.Values {
			bound := want[name].Tolerance
			if bound == 0 {
				bound = map[golden.Precision]float64{golden.FP64: 1e-10, golden.FP32: 1e-4, golden.BF16: 2e-2}[g.Provenance.Engine.Precision]
			}
			forged := *g
			parity := *g.Parity
			parity.Values = maps.Clone(parity.Values)
			parity.Values[name] = want[name].Value * (1 + 2*bound)
			forged.Parity = &parity
			dir, err := forge(t, &forged)
			if err != nil {
				t.Fatal(err)
			}
			_, err = (&golden.Verifier{Recompute: r.recompute}).VerifyDir(t.Context(), os.DirFS(dir), nil)
			if v != 0 && (err == nil || !strings.Contains(err.Error(), "parity.values."+name)) {
				t.Errorf("%s: %s moved by %.2g: %v", g.ID, name, 2*bound, err)
			}
		}
		if p := g.Provenance; p.Device != (golden.Device{Name: p.Host.CPU}) {
			t.Errorf("%s: a processor is described as %+v", g.ID, p.Device)
		}
	}
	if recorded[golden.FP64] != 7 || recorded[golden.FP32] != 7 || recorded[golden.BF16] != 4 {
		t.Errorf("recorded %v; want every small network, in bfloat16 without DirectPred and ResNet-18", recorded)
	}
	// The twin: the same passed off as a GPU's, by name and by platform.
	e.Kind = engine.GPU
	small, _ := Named("linear")
	for _, platform := range []string{"", engine.PlatformCPU, engine.PlatformCUDA} {
		e.Platform = platform
		if _, _, err := r.Record(t.Context(), small, method.Float32, nil); err == nil || !strings.Contains(err.Error(), "provenance.") {
			t.Errorf("a golden of %s from platform %q: %v", e.Kind, platform, err)
		}
	}
}

// TestCommittedParityGoldensAreRecomputed verifies what package golden alone cannot: the values themselves.
func TestCommittedParityGoldensAreRecomputed(t *testing.T) {
	names, err := fs.Glob(golden.Committed(), "parity.*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no parity golden is committed (%v)", err)
	}
	report, _ := (&golden.Verifier{Recompute: Recompute(), Extra: Rules}).VerifyDir(t.Context(), only(t, golden.Committed(), names...), nil)
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			switch {
			case o.State == golden.Fail:
				t.Error(o.Err)
			case o.Rule == "parity" && o.State != golden.Pass:
				t.Errorf("%s: rule %s is %s: %s", f.File, o.Rule, o.State, o.Detail)
			}
		}
		if !strings.HasPrefix(f.ID, "parity.") || f.Status != golden.Informative {
			t.Errorf("%s: id %s, status %s", f.File, f.ID, f.Status)
		}
	}
}

// only copies files to a folder of their own.
func only(t *testing.T, fsys fs.FS, names ...string) fs.FS {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(dir)
}

// recorded is a golden of the small convolutional network with two timings, recorded into a new folder.
func recorded(t *testing.T) (dir string, g *golden.Golden) {
	t.Helper()
	if root() == "" {
		t.Skip("the project's sources are not here")
	}
	n, _ := Named("smallconv")
	dir = t.TempDir()
	e := cpu(t)
	device := golden.ThisHost().CPU
	timing := func(program string, ms float64) golden.Timing {
		return golden.Timing{Program: program, Version: "1", Device: device, Precision: golden.FP32, Batch: 64, Steps: 3, MedianMS: ms, MinMS: ms / 2, ImagesPerS: 1000 * 64 / ms}
	}
	r := Recording{Root: root(), Out: dir, Engine: e, Seed: stepSeed, Command: "go test", AllowDirty: true}
	g, _, err := r.Record(t.Context(), n, method.Float32, []golden.Timing{timing(Program, 8), timing("pytorch-eager", 4)})
	if err != nil {
		t.Fatal(err)
	}
	return dir, g
}

// forge writes g under its id as a careful forger would, with every hash right, and reports the recorder's refusal. The
// rule parity is satisfied by a verifier of his own.
func forge(t *testing.T, g *golden.Golden) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	values := map[string]golden.Scalar{}
	for k, v := range g.Parity.Values {
		values[k] = golden.Scalar{Value: v}
	}
	_, err = golden.RecordFile(t.Context(), dir, g, golden.RecordOptions{AllowDirty: true, Verifier: &golden.Verifier{
		Recompute: map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error){
			g.Parity.Computation: func(context.Context, *golden.Golden) (map[string]golden.Scalar, error) { return values, nil },
		}}})
	return dir, err
}

func TestForgedParityIsRefused(t *testing.T) {
	dir, original := recorded(t)
	verify := func(dir string) error {
		_, err := (&golden.Verifier{Recompute: Recompute(), Extra: Rules}).VerifyDir(t.Context(), os.DirFS(dir), nil)
		return err
	}
	if err := verify(dir); err != nil {
		t.Fatal(err)
	}
	reconfigure := func(g *golden.Golden, change func(*method.Config)) {
		c, err := configOf(g)
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		if g.Config, err = golden.NewConfig(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []struct {
		name   string
		mutate func(*golden.Golden)
		says   string
	}{
		{"loss altered", func(g *golden.Golden) { g.Parity.Values[ValueLoss] *= 1 + 2e-4 }, "parity.values.loss"},
		{"a gradient altered", func(g *golden.Golden) { g.Parity.Values["grad_encoder"] *= 1 - 2e-4 }, "parity.values.grad_encoder"},
		{"the trace of F altered", func(g *golden.Golden) { g.Parity.Values[ValueFTrace] *= 1 + 2e-4 }, "parity.values.f_trace"},
		{"the rank altered", func(g *golden.Golden) { g.Parity.Values[ValueRank] *= 1 + 2e-4 }, "parity.values.er"},
		{"a value dropped", func(g *golden.Golden) { delete(g.Parity.Values, ValueFNorm) }, "parity.values.f_norm: missing"},
		{"a value of nothing", func(g *golden.Golden) { g.Parity.Values["accuracy"] = 1 }, "parity.values.accuracy"},
		{"seed altered", func(g *golden.Golden) { g.Parity.Seed++ }, "the weights and views of seed 2 hash to"},
		{"another network's name", func(g *golden.Golden) { g.ID = "parity.cpu.resnet18" }, "this program's network resnet18 has another recipe"},
		{"a name of no network", func(g *golden.Golden) { g.ID = "parity.cpu.vit" }, "no network of this program"},
		{"another engine's name", func(g *golden.Golden) { g.ID = "parity.xla-cpu.smallconv" }, "no network of this program"},
		{"fewer kernels", func(g *golden.Golden) { g.Provenance.Kernels = g.Provenance.Kernels[:1] }, "provenance.kernels"},
		{"real images", func(g *golden.Golden) {
			d := *g.Provenance.Data
			d.Name, g.Provenance.Data = "cifar10", &d
		}, "provenance.data"},
		{"made gating", func(g *golden.Golden) { g.Status = golden.Gating }, "status"},
		{"results of one's own", func(g *golden.Golden) { g.Extra = &golden.Extra{JSON: []byte(`{"top1":0.9}`)} }, "extra"},
		{"hash of other inputs", func(g *golden.Golden) { g.Parity.InputSHA256 = strings.Repeat("0", 64) }, "recorded 000000000000"},
		{"another computation", func(g *golden.Golden) { g.Parity.Computation = "steps" }, "no computation of this program"},
		{"another learning rate's decay", func(g *golden.Golden) { reconfigure(g, func(c *method.Config) { c.Optimizer.WeightDecay = 0.2 }) }, "parity.values.grad_"},
		{"another network", func(g *golden.Golden) { reconfigure(g, func(c *method.Config) { c.Net.Base = 4 }) }, "hash to"},
		{"no gradients", func(g *golden.Golden) { reconfigure(g, func(c *method.Config) { c.Optimizer.Momentum = 0 }) }, "optimizer.momentum"},
		{"an impossible configuration", func(g *golden.Golden) { reconfigure(g, func(c *method.Config) { c.Batch = -1 }) }, "configuration field batch"},
		{"passed off as TF32", func(g *golden.Golden) { g.Provenance.Engine.Precision = golden.TF32 }, "config.precision float32 on the engine \"cpu\" is fp32"},
		{"a time below the minimum", func(g *golden.Golden) { g.Parity.Timings[1].MinMS = 5 }, "parity.timings[1].ms_median"},
		{"images a second improved", func(g *golden.Golden) { g.Parity.Timings[0].ImagesPerS *= 2 }, "parity.timings[0].images_per_s"},
		{"a time of another device", func(g *golden.Golden) { g.Parity.Timings[1].Device = "NVIDIA H200" }, "parity.timings[1].device"},
		{"another device than the times'", func(g *golden.Golden) { g.Provenance.Device.Name = "NVIDIA H200" }, "parity.timings[0].device"},
	} {
		g := *original
		p := *original.Parity
		p.Values, p.Timings = maps.Clone(p.Values), append([]golden.Timing{}, p.Timings...)
		g.Parity = &p
		m.mutate(&g)
		dir, err := forge(t, &g)
		if err == nil { // the forger's own rules let it pass
			err = verify(dir)
		}
		var refused *golden.Error
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), m.says) {
			t.Errorf("%s: %v; want a refusal with %q", m.name, err, m.says)
		}
	}
	// Bytes changed without a hash made right.
	file := filepath.Join(dir, original.ID+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"cut off":        string(text[:len(text)/2]),
		"a digit edited": strings.Replace(string(text), `"seed": 1`, `"seed": 2`, 1),
	} {
		if err := os.WriteFile(file, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := verify(dir); err == nil || changed == string(text) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRecordRefusesBeforeItWrites(t *testing.T) {
	if root() == "" {
		t.Skip("the project's sources are not here")
	}
	e := cpu(t)
	small, _ := Named("smallconv")
	still := small
	still.Config.Optimizer.Momentum = 0
	resnet, _ := Named("resnet18")
	tf32 := *e
	tf32.Kind = engine.GPUTF32
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	otherwise := map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error){
		StepName: func(context.Context, *golden.Golden) (map[string]golden.Scalar, error) {
			return map[string]golden.Scalar{ValueLoss: {Value: 1e9}}, nil
		}}
	for name, c := range map[string]struct {
		ctx  context.Context
		r    Recording
		n    Network
		p    method.Precision
		says string
	}{
		"no gradients":         {t.Context(), Recording{Root: root(), Engine: e, AllowDirty: true, Command: "x"}, still, method.Float32, "optimizer.momentum"},
		"no bound":             {t.Context(), Recording{Root: root(), Engine: &tf32, AllowDirty: true, Command: "x"}, resnet, method.Float32, "no bounds in tf32"},
		"no such arithmetic":   {t.Context(), Recording{Root: root(), Engine: e, AllowDirty: true, Command: "x"}, small, method.BFloat16, "no bfloat16"},
		"no sources, no stamp": {t.Context(), Recording{Engine: e, AllowDirty: true, Command: "x"}, small, method.Float32, "neither the project's sources nor a stamp"},
		"no command":           {t.Context(), Recording{Root: root(), Engine: e, AllowDirty: true}, small, method.Float32, "provenance.command"},
		"float64 disagrees":    {t.Context(), Recording{Root: root(), Engine: e, AllowDirty: true, Command: "x", Reason: "y", recompute: otherwise}, small, method.Float32, "; cpu computed map["},
		"cancelled":            {ctx, Recording{Root: root(), Engine: e, AllowDirty: true, Command: "x"}, small, method.Float32, "context canceled"},
	} {
		c.r.Out, c.r.Seed = filepath.Join(t.TempDir(), "out"), stepSeed
		if _, _, err := c.r.Record(c.ctx, c.n, c.p, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
		if found, err := os.ReadDir(c.r.Out); err == nil && len(found) > 0 {
			t.Errorf("%s: %v was written", name, found)
		}
	}
}

func TestTimingsFileNamesWhatIsWrong(t *testing.T) {
	const device = "NVIDIA H200"
	good := `{"program":"pytorch-eager","version":"2.11","device":"NVIDIA H200","precision":"fp32","batch":128,"steps":20,"ms_median":40,"ms_min":39.5,"images_per_s":3200}`
	file := filepath.Join(t.TempDir(), "timings.jsonl")
	read := func(text string) ([]golden.Timing, error) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadTimings(file, device)
	}
	got, err := read(good + "\n\n" + strings.NewReplacer("40", "20", "39.5", "19", "3200", "6400").Replace(good) + "\n")
	if err != nil || len(got) != 1 || got[0].MedianMS != 20 {
		t.Errorf("of two lines on one thing: %+v, %v; want the later", got, err)
	}
	for _, m := range []struct{ old, new, says string }{
		{`"batch":128`, `"batch":64`, "images_per_s"},
		{`"ms_min":39.5`, `"ms_min":41`, "ms_median"},
		{`"ms_min":39.5`, `"ms_min":0`, "ms_min"},
		{"H200", "H100", "device"},
		{`"fp32"`, `"fp16"`, "precision"},
		{`"program"`, `"programme"`, "programme"},
		{`"steps":20,`, ``, "steps"},
		{`"images_per_s":3200}`, `"images_per_s":`, "EOF"},
		{`}`, `} {}`, "text after"},
	} {
		if _, err := read(good + "\n" + strings.Replace(good, m.old, m.new, 1) + "\n"); err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), m.says) {
			t.Errorf("%s → %s: %v; want line 2 and %q", m.old, m.new, err, m.says)
		}
	}
	if _, err := ReadTimings(filepath.Join(t.TempDir(), "none"), device); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
