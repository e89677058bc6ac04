package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Kernels are the source folders that compute the numbers of a golden.
var Kernels = []string{"numeric/measure", "trainingcheck/check", "trainingcheck/data", "trainingcheck/engine/native", "trainingcheck/method", "trainingcheck/metric"}

// RNG names the generator and the layout of its streams.
const RNG = "math/rand/v2 PCG; data.Key (seed, stream, step, sample, view), layout 1; weights by seed and FNV-1a of the tensor's name, layout 1"

// Recording is what is to be recorded.
type Recording struct {
	Root    string // the project's root: the sources and the git tree; empty for a program with a golden.Stamp and no sources
	Out     string // folder of the goldens
	Work    string // folder of finished runs
	Tier    check.Tier
	Arms    []check.Arm
	Seeds   []uint64
	Reruns  int    // extra runs of the first seed of each arm: they show that a seed gives the same numbers again
	Rich    int    // so many of the first seeds keep Snapshots, the others FinalOnly
	Backend string // kind of engine
	Workers int    // runs at a time; changes no number
	Command string // what was typed, for the provenance
	Reason  string // needed to replace goldens
	// AllowDirty records from a tree with uncommitted changes.
	AllowDirty bool
	// Progress, if not nil, is called after every step of any run, one call at a time.
	Progress func(done, total int, run string)
}

// MinSeeds is the least number of seeds of a recording: with ten, a two-sided band is 4.4 deviations wide.
const MinSeeds = 10

// ErrFewSeeds is wrapped by the error for fewer than MinSeeds seeds.
var ErrFewSeeds = errors.New("a recording needs at least ten seeds")

// Result is one golden that was written.
type Result struct {
	Golden  *golden.Golden
	Written golden.Recorded
}

// job is one run to be made.
type job struct {
	arm    check.Arm
	seed   uint64
	rerun  int
	config method.Config
}

func (j job) name(tier check.Tier) string {
	return fmt.Sprintf("%s.s%d.r%d", ID(tier, j.arm), j.seed, j.rerun)
}

// Record makes the runs that the work folder does not hold yet, and then writes all goldens, in the order of Arms. What
// can be refused is refused before the first run: a dirty tree, goldens there without a reason to replace them.
func (r *Recording) Record(ctx context.Context) ([]Result, error) {
	prov, base, err := r.prepare(ctx)
	if err != nil {
		return nil, err
	}
	d, err := data.Open("digits")
	if err != nil {
		return nil, err
	}
	jobs, err := r.jobs(base)
	if err != nil {
		return nil, err
	}
	work := store{r.Work}
	if err := work.open(); err != nil {
		return nil, err
	}
	runs, err := r.make(ctx, d, base, jobs, work, &prov)
	if err != nil {
		return nil, err
	}
	prov.Data = Examples(d)
	prov.RNG = RNG
	prov.Command = r.Command
	created := time.Now().UTC().Format(time.RFC3339)
	var out []Result
	partners := map[check.Arm]bool{}
	for _, arm := range r.order() {
		g, err := r.golden(arm, base, prov, created, jobs, runs, partners)
		if err != nil {
			return out, err
		}
		w, err := golden.RecordFile(ctx, r.Out, g, golden.RecordOptions{Reason: r.Reason, AllowDirty: r.AllowDirty,
			Verifier: &golden.Verifier{Sources: sources(r.Root)}})
		if err != nil {
			return out, err
		}
		partners[arm] = true
		out = append(out, Result{g, w})
	}
	return out, work.remove()
}

// order is Arms in the order in which goldens are written.
func (r *Recording) order() []check.Arm {
	var out []check.Arm
	for _, a := range Arms {
		if slices.Contains(r.Arms, a) {
			out = append(out, a)
		}
	}
	return out
}

// prepare refuses what can be refused without a run and collects the provenance.
func (r *Recording) prepare(ctx context.Context) (golden.Provenance, method.Config, error) {
	var none golden.Provenance
	base, _, err := r.Tier.Base()
	if err != nil {
		return none, base, err
	}
	for _, a := range r.Arms {
		if !slices.Contains(Arms, a) {
			return none, base, fmt.Errorf("recorder: arm %q is not recorded; there are %v", a, Arms)
		}
	}
	if len(r.Arms) == 0 {
		return none, base, errors.New("recorder: no arm")
	}
	if len(r.Seeds) < MinSeeds {
		return none, base, fmt.Errorf("recorder: %d seeds: %w", len(r.Seeds), ErrFewSeeds)
	}
	for _, a := range r.order() {
		name := ID(r.Tier, a) + ".json"
		if _, err := os.Stat(filepath.Join(r.Out, name)); err == nil && strings.TrimSpace(r.Reason) == "" {
			return none, base, fmt.Errorf("recorder: %s: %w", name, golden.ErrReasonRequired)
		}
	}
	prov, err := golden.Collect(ctx, r.Root, Kernels...)
	if err != nil {
		return none, base, err
	}
	if prov.Dirty && !r.AllowDirty {
		return none, base, fmt.Errorf("recorder: %w", golden.ErrDirty)
	}
	return prov, base, nil
}

// jobs lists the runs, arm by arm.
func (r *Recording) jobs(base method.Config) ([]job, error) {
	var out []job
	for _, a := range r.order() {
		c, err := a.Config(base)
		if err != nil {
			return nil, err
		}
		for i, s := range r.Seeds {
			out = append(out, job{a, s, 0, c})
			if i == 0 {
				for n := range r.Reruns {
					out = append(out, job{a, s, n + 1, c})
				}
			}
		}
	}
	return out, nil
}

// detail says what is kept of a job's run.
func (r *Recording) detail(j job) Detail {
	switch {
	case j.rerun > 0:
		return ScalarsOnly
	case slices.Index(r.Seeds, j.seed) < r.Rich:
		return Snapshots
	}
	return FinalOnly
}

// make makes the runs on a pool of workers with an engine each, and fills engine and device of the provenance.
func (r *Recording) make(ctx context.Context, d *data.Dataset, base method.Config, jobs []job, work store, prov *golden.Provenance) ([]*finished, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := r.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(jobs))
	engines := make([]*engine.Engine, workers)
	for i := range engines {
		e, err := engine.Open(r.Backend)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		engines[i] = e
	}
	Describe(engines[0], base.Precision, prov)
	runs := make([]*finished, len(jobs))
	total, done := 0, 0
	for _, j := range jobs {
		total += j.config.Steps
	}
	var mu sync.Mutex
	var first error
	step := func(name string, n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if r.Progress != nil {
			r.Progress(done, total, name)
		}
	}
	queue := make(chan int, len(jobs))
	for i := range jobs {
		queue <- i
	}
	close(queue)
	var wg sync.WaitGroup
	for _, e := range engines {
		wg.Go(func() {
			for i := range queue {
				if ctx.Err() != nil {
					return
				}
				j := jobs[i]
				name := j.name(r.Tier)
				detail := r.detail(j)
				id := identity(prov.KernelsSHA256, string(j.config.Canonical()), prov.Engine.Name, prov.Engine.Version,
					prov.Host.CPU, prov.Host.Go, name, fmt.Sprint(detail))
				if x := work.load(name, id); x != nil {
					runs[i] = x
					step(name, j.config.Steps)
					continue
				}
				run, o, err := Run(ctx, e, d, j.arm, base, j.seed, detail, func(int, int) { step(name, 1) })
				if err == nil {
					run.Rerun = j.rerun
					runs[i] = &finished{Identity: id, Run: run, Seconds: o.Seconds}
					err = work.save(name, runs[i])
				}
				if err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	if first != nil {
		return nil, first
	}
	return runs, ctx.Err()
}

// sources is the file system of a root, and nil for none.
func sources(root string) fs.FS {
	if root == "" {
		return nil
	}
	return os.DirFS(root)
}

// Arithmetic is what the products of a run in precision p are made in on an engine of a kind.
func Arithmetic(kind string, p method.Precision) golden.Precision {
	if kind == engine.GPUTF32 && p == method.Float32 {
		return golden.TF32
	}
	return map[method.Precision]golden.Precision{method.Float64: golden.FP64, method.Float32: golden.FP32, method.BFloat16: golden.BF16}[p]
}

// Describe fills engine and device of a provenance whose host is filled. The device of a CPU engine is the processor.
func Describe(e *engine.Engine, p method.Precision, prov *golden.Provenance) {
	version := strings.Join(e.Modules, " ")
	if version == "" {
		version = golden.Unknown
	}
	prov.Engine = golden.Engine{Name: e.Kind, Version: version, Precision: Arithmetic(e.Kind, p)}
	prov.Device = golden.Device{Name: prov.Host.CPU}
	if a, ok := e.Accelerator(); ok {
		prov.Engine.Plugin = a.Plugin
		prov.Device = golden.Device{Name: a.Name, SM: a.SM, Driver: a.Driver, CUDA: a.CUDA, CUDNN: a.CUDNN}
	}
}

// golden assembles the golden of an arm.
func (r *Recording) golden(arm check.Arm, base method.Config, prov golden.Provenance, created string, jobs []job, runs []*finished, partners map[check.Arm]bool) (*golden.Golden, error) {
	c, err := arm.Config(base)
	if err != nil {
		return nil, err
	}
	g := &golden.Golden{ID: ID(r.Tier, arm), Kind: golden.Statistics, Status: golden.Gating, Created: created, Provenance: prov}
	if g.Config, err = golden.NewConfig(c); err != nil {
		return nil, err
	}
	for i, j := range jobs {
		if j.arm == arm {
			g.Runs = append(g.Runs, runs[i].Run)
			g.Provenance.WallS += runs[i].Seconds
		}
	}
	g.Provenance.WallS = math.Round(g.Provenance.WallS)
	g.Provenance.Engine.Deterministic = r.Reruns > 0 && repeats(g.Runs)
	common(g.Runs)
	g.Bands = map[string]golden.Band{}
	for metric := range g.Runs[0].Final {
		if rule, ok := bandRule(arm, metric); ok {
			g.Bands[metric] = golden.Band{Rule: rule}
		}
	}
	g.Claims = claims(r.Tier, arm, partners)
	return g, nil
}

// repeats tells whether every rerun ended with the same bits as the first run of its seed.
func repeats(runs []golden.Run) bool {
	first := map[uint64]golden.Run{}
	for _, r := range runs {
		if r.Rerun == 0 {
			first[r.Seed] = r
		}
	}
	for _, r := range runs {
		if !maps.Equal(r.Final, first[r.Seed].Final) {
			return false
		}
	}
	return true
}

// common leaves the metrics that all runs have: a measure that is undefined in one run is no statistic.
func common(runs []golden.Run) {
	for _, r := range runs {
		maps.DeleteFunc(r.Final, func(name string, _ float64) bool {
			return slices.ContainsFunc(runs, func(other golden.Run) bool { _, ok := other.Final[name]; return !ok })
		})
	}
}

// Examples identifies the examples of a data set. The hash is that of the two hashes of the sets, training first, in
// hexadecimal one after the other; NTest counts distinct images.
func Examples(d *data.Dataset) *golden.Data {
	distinct := map[string]bool{}
	for i := range d.Test.Len() {
		distinct[string(d.Test.Image(i).Pixels)] = true
	}
	return &golden.Data{Name: d.Kind(), SHA256: identityOfSets(d), NTrain: d.Train.Len(), NTest: len(distinct),
		Decoder: "embedded table, package data", Split: "one random permutation (data.StreamSplit), the same for every seed"}
}
