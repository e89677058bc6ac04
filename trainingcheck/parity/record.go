package parity

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"time"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

// Recording says how parity goldens are recorded.
type Recording struct {
	Root       string // the project's root, or empty for a program with a golden.Stamp
	Out        string // folder of the goldens
	Engine     *engine.Engine
	Seed       uint64
	Command    string // what was typed, for the provenance
	Reason     string // needed to replace a golden
	AllowDirty bool   // record from a tree with uncommitted changes; the golden says so

	// recompute is shared by the goldens, several of which have one float64 computation.
	recompute map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error)
}

// ID is the name of the golden of a network on an engine of a kind: parity.KIND.NETWORK in float32, and
// parity.KIND-FORMAT.NETWORK in the other precisions.
func ID(kind string, p method.Precision, network string) string {
	if p != method.Float32 {
		kind += "-" + string(recorder.Arithmetic(kind, p))
	}
	return "parity." + kind + "." + network
}

// Record makes Step of a network in precision p twice, to see whether it gives the same bits again, computes it in float64
// on the engine cpu, and writes the golden if the two agree. Timings, which may be nil, are kept with it. Nothing is
// written when it returns an error; golden.RecordFile and golden.Collect say which there are.
func (r *Recording) Record(ctx context.Context, n Network, p method.Precision, timings []golden.Timing) (*golden.Golden, golden.Recorded, error) {
	fail := func(err error) (*golden.Golden, golden.Recorded, error) { return nil, golden.Recorded{}, err }
	c := n.Config
	c.Precision, c.Steps = p, 1
	a := recorder.Arithmetic(r.Engine.Kind, p)
	if !Recordable(c, a) {
		return fail(fmt.Errorf("parity: a step of %s has no bounds in %s", n.Name, a))
	}
	prov, err := golden.Collect(ctx, r.Root, Kernels...)
	if err != nil {
		return fail(err)
	}
	start := time.Now()
	t, err := method.New(r.Engine, c, r.Seed)
	if err != nil {
		return fail(err)
	}
	defer t.Close()
	values, inputs, err := stepFrom(t, c.Initial(r.Seed), r.Seed)
	if err != nil {
		return fail(err)
	}
	again, _, err := stepFrom(t, c.Initial(r.Seed), r.Seed)
	if err != nil {
		return fail(err)
	}
	recorder.Describe(r.Engine, p, &prov)
	prov.Engine.Deterministic = maps.Equal(values, again)
	prov.Command, prov.RNG, prov.WallS = r.Command, recorder.RNG, math.Round(time.Since(start).Seconds())
	drawn := examples(c.Batch)
	prov.Data = &drawn
	g := &golden.Golden{ID: ID(r.Engine.Kind, p, n.Name), Kind: golden.ParityKind, Status: golden.Informative,
		Created: time.Now().UTC().Format(time.RFC3339), Provenance: prov,
		Parity: &golden.Parity{Computation: StepName, Seed: r.Seed, InputSHA256: inputs, Values: bounded(c, a, values), Timings: timings}}
	if g.Config, err = golden.NewConfig(c); err != nil {
		return fail(err)
	}
	if r.recompute == nil {
		r.recompute = Recompute()
	}
	var sources fs.FS
	if r.Root != "" {
		sources = os.DirFS(r.Root)
	}
	w, err := golden.RecordFile(ctx, r.Out, g, golden.RecordOptions{Reason: r.Reason, AllowDirty: r.AllowDirty,
		Verifier: &golden.Verifier{Sources: sources, Recompute: r.recompute, Extra: Rules}})
	if err != nil {
		// Time on the machine may not come again: what it computed must not be lost with the golden.
		return fail(fmt.Errorf("%w; %s computed %v", err, r.Engine.Kind, values))
	}
	return g, w, nil
}

// examples describes the views of a step, which are drawn.
func examples(batch int) golden.Data {
	return golden.Data{Name: "gaussian", SHA256: golden.Generated, NTrain: batch, Decoder: "none", Split: "none"}
}

// Job is one golden to be recorded.
type Job struct {
	Network   Network
	Precision method.Precision
}

// Recordings lists what is recorded from an engine of a kind: every network that has bounds, in every precision that the
// engine has, the full ones only on a GPU. gpu-tf32 is recorded in the one precision that it changes.
func Recordings(e *engine.Engine) []Job {
	var list []Job
	precisions := []method.Precision{method.Float32}
	if e.Kind == engine.GPU || e.Kind == engine.XLACPU {
		precisions = []method.Precision{method.Float64, method.Float32, method.BFloat16}
	}
	for _, n := range Networks() {
		if n.Full && !e.OnGPU() {
			continue
		}
		for _, p := range precisions {
			if n.Full && p == method.Float64 || !Recordable(n.Config, recorder.Arithmetic(e.Kind, p)) {
				continue
			}
			list = append(list, Job{n, p})
		}
	}
	return list
}
