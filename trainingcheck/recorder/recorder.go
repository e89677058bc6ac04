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
var Kernels = []string{"numeric/measure", "trainingcheck/augment", "trainingcheck/check", "trainingcheck/data", "trainingcheck/engine/native", "trainingcheck/method", "trainingcheck/metric"}

// RNG names the generator and the layout of its streams.
const RNG = "math/rand/v2 PCG; data.Key (seed, stream, step, sample, view), layout 1; weights by seed and FNV-1a of the tensor's name, layout 1"

// Recording is what is to be recorded.
type Recording struct {
	Root    string // the project's root: the sources and the git tree; empty for a program with a golden.Stamp and no sources
	Out     string // folder of the goldens
	Work    string // folder of finished runs
	Tier    check.Tier
	Data    *data.Dataset // nil is the embedded digits
	Options check.Options
	Arms    []check.Arm
	Seeds   []uint64
	Reruns  int    // extra runs of the first seed of each arm: they show that a seed gives the same numbers again
	Rich    int    // so many of the first seeds keep more matrices than the others; see [Recording.detail]
	Backend string // kind of engine
	Workers int    // runs at a time; changes no number
	Command string // what was typed, for the provenance
	Reason  string // needed to replace goldens
	// AllowDirty records from a tree with uncommitted changes.
	AllowDirty bool
	// Progress, if not nil, is called after every step of any run, one call at a time.
	Progress func(done, total int, run string)
}

// MinSeeds is the least number of seeds of a recording. A two-sided band of n seeds is k(n) deviations wide on either
// side, k being [golden.TwoSidedFactor]: 4.4 with ten, and 6.6 with five, the least that [golden.MinSeeds] allows. Runs
// on a GPU take minutes each, and what is asked of them are verdicts and paired orderings, for which five are enough
// ([golden.MinPairs]).
func MinSeeds(t check.Tier) int {
	if t.Group() != "" {
		return golden.MinSeeds
	}
	return 10
}

// Errors that a caller tells apart.
var (
	// ErrFewSeeds is wrapped by the error for fewer than MinSeeds seeds.
	ErrFewSeeds = errors.New("a recording needs more seeds")
	// ErrNoRuns is wrapped by the error of Assemble for a folder without runs of the tier and engine.
	ErrNoRuns = errors.New("no finished run")
	// ErrMixed is wrapped by the error for runs that do not make one recording.
	ErrMixed = errors.New("these runs do not make one recording")
)

// control tells whether an arm is trained once, to be looked at: its golden is informative and has no bands.
func control(arm check.Arm) bool { return arm == check.PaperDecay }

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

func (r *Recording) name(j job) string {
	return fmt.Sprintf("%s.s%d.r%d", ID(r.Tier, r.Backend, j.arm), j.seed, j.rerun)
}

// Record is [RecordAll] of one recording.
func (r *Recording) Record(ctx context.Context) ([]Result, error) { return RecordAll(ctx, r) }

// RecordAll makes the runs that the work folders do not hold yet, of all recordings, and then writes all goldens, in the
// order of [ArmsOf]. What can be refused is refused before the first run: a dirty tree, goldens there without a reason to
// replace them. Goldens are written after the last run because they change the tree.
func RecordAll(ctx context.Context, rs ...*Recording) ([]Result, error) {
	for _, r := range rs {
		if err := r.enough(); err != nil {
			return nil, err
		}
		if err := r.replaceable(r.arms()); err != nil {
			return nil, err
		}
	}
	made := make([][]*finished, len(rs))
	for i, r := range rs {
		var err error
		if made[i], err = r.runs(ctx); err != nil {
			return nil, err
		}
	}
	var out []Result
	for i, r := range rs {
		some, err := r.write(ctx, made[i])
		out = append(out, some...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Runs makes the runs that the work folder does not hold yet and leaves them there. The folder can be carried to another
// machine and filled in several calls, each with some of the seeds and arms; see [Recording.Assemble].
func (r *Recording) Runs(ctx context.Context) error {
	_, err := r.runs(ctx)
	return err
}

func (r *Recording) runs(ctx context.Context) ([]*finished, error) {
	if err := r.known(); err != nil {
		return nil, err
	}
	s, err := r.setting()
	if err != nil {
		return nil, err
	}
	prov, err := golden.Collect(ctx, r.Root, Kernels...)
	if err != nil {
		return nil, err
	}
	if prov.Dirty && !r.AllowDirty {
		return nil, fmt.Errorf("recorder: %w", golden.ErrDirty)
	}
	prov.Data, prov.RNG, prov.Command = Examples(s.Data), RNG, r.Command
	jobs, err := r.jobs(s)
	if err != nil {
		return nil, err
	}
	work := store{r.Work}
	if err := work.open(); err != nil {
		return nil, err
	}
	return r.make(ctx, s, jobs, work, prov)
}

// Assemble writes the goldens of the runs in the work folder, of the recording's tier and engine and, if Arms are given,
// of these arms. It trains nothing and needs neither the engine nor the data. The runs must be of one program, data set,
// engine, device and base configuration.
func (r *Recording) Assemble(ctx context.Context) ([]Result, error) {
	all, err := store{r.Work}.all()
	if err != nil {
		return nil, err
	}
	var runs []*finished
	for _, x := range all {
		if x.Tier == r.Tier && x.Provenance.Engine.Name == r.Backend && (len(r.Arms) == 0 || slices.Contains(r.Arms, x.Arm)) {
			runs = append(runs, x)
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("recorder: %s, tier %s, engine %s: %w", filepath.Base(r.Work), r.Tier, r.Backend, ErrNoRuns)
	}
	return r.write(ctx, runs)
}

// setting is the tier's on the data.
func (r *Recording) setting() (*check.Setting, error) {
	d := r.Data
	if d == nil {
		var err error
		if d, err = data.Open("digits"); err != nil {
			return nil, err
		}
	}
	return r.Tier.On(d, r.Options)
}

// arms is Arms in the order in which goldens are written; none stands for all of the tier.
func (r *Recording) arms() []check.Arm {
	var out []check.Arm
	for _, a := range ArmsOf(r.Tier) {
		if len(r.Arms) == 0 || slices.Contains(r.Arms, a) {
			out = append(out, a)
		}
	}
	return out
}

// known refuses arms that the tier does not record.
func (r *Recording) known() error {
	for _, a := range r.Arms {
		if !slices.Contains(ArmsOf(r.Tier), a) {
			return fmt.Errorf("recorder: arm %q is not recorded in tier %s; there are %v", a, r.Tier, ArmsOf(r.Tier))
		}
	}
	if len(r.Arms) == 0 && r.Tier.Group() == "" {
		return errors.New("recorder: no arm")
	}
	return nil
}

// enough refuses fewer seeds than the tier's bands need.
func (r *Recording) enough() error {
	if n := MinSeeds(r.Tier); len(r.Seeds) < n {
		return fmt.Errorf("recorder: %d seeds, tier %s needs %d: %w", len(r.Seeds), r.Tier, n, ErrFewSeeds)
	}
	return nil
}

// replaceable refuses goldens that are there when there is no reason to replace them.
func (r *Recording) replaceable(arms []check.Arm) error {
	for _, a := range arms {
		name := ID(r.Tier, r.Backend, a) + ".json"
		if _, err := os.Stat(filepath.Join(r.Out, name)); err == nil && strings.TrimSpace(r.Reason) == "" {
			return fmt.Errorf("recorder: %s: %w", name, golden.ErrReasonRequired)
		}
	}
	return nil
}

// jobs lists the runs, arm by arm. In a tier with groups the first seed is the tier's, whatever part of them is asked
// for: a recording in several calls is that of one.
func (r *Recording) jobs(s *check.Setting) ([]job, error) {
	var out []job
	for _, a := range r.arms() {
		c, err := a.Config(s.Base)
		if err != nil {
			return nil, err
		}
		for i, seed := range r.Seeds {
			first := i == 0
			if r.Tier.Group() != "" {
				first = seed == s.Seeds[0]
			}
			if control(a) && !first {
				continue
			}
			out = append(out, job{a, seed, 0, c})
			if first {
				for n := range r.Reruns {
					out = append(out, job{a, seed, n + 1, c})
				}
			}
		}
	}
	return out, nil
}

// detail says what is kept of a job's run; rich tells whether its seed is one of the first Rich.
//
// The groups of a GPU are kept small. In bytes, with d dimensions, h columns of W_L and moments of m bytes (8 up to d =
// 64, then 4) a snapshot is 2·m·d² + m·d + 4·(d² + d·h + d), and 4·d² more with F̂; a step of a segment is 12·d². With
// the shapes of the tier gpu (d = 32, h = 128; G-B: d = 128, h = 512), five seeds and Rich = 1 all goldens together have
// less than 8 MB, of which a test keeps count.
func (r *Recording) detail(j job, rich bool) Detail {
	switch {
	case j.rerun > 0:
		return ScalarsOnly
	case r.Tier.Group() == "":
		if rich {
			return Snapshots
		}
		return FinalOnly
	case r.Tier.Group() == "G-B":
		switch {
		case rich && !control(j.arm):
			return LateSnapshots
		case rich:
			return FinalOnly
		}
		return ScalarsOnly
	case j.arm == check.PlainSGD:
		return Snapshots // the balance needs two steps of every run
	case rich && slices.Contains([]check.Arm{check.BYOL, check.DirectPred, check.NoPredictor, check.NoStopGradient, check.Euclidean}, j.arm):
		return Snapshots
	}
	return FinalOnly
}

// rich tells whether a seed is one of the first Rich, of the tier or, in a tier without groups, of the recording.
func (r *Recording) rich(s *check.Setting, seed uint64) bool {
	seeds := r.Seeds
	if r.Tier.Group() != "" {
		seeds = s.Seeds
	}
	i := slices.Index(seeds, seed)
	return i >= 0 && i < r.Rich
}

// make makes the runs on a pool of workers with an engine each.
func (r *Recording) make(ctx context.Context, s *check.Setting, jobs []job, work store, prov golden.Provenance) ([]*finished, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := r.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
		if engine.Alone(r.Backend) {
			workers = 1 // one device
		}
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
				name := r.name(j)
				x := &finished{Tier: r.Tier, Arm: j.arm, Base: string(s.Base.Canonical()), Config: string(j.config.Canonical()), Provenance: prov}
				Describe(e, j.config.Precision, &x.Provenance)
				made := 0
				var err error
				runs[i], err = work.make(ctx, e, s, x, name, j, r.detail(j, r.rich(s, j.seed)), func(n, _ int) {
					step(name, n-made)
					made = n
				})
				if err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					cancel()
					return
				}
				if made < j.config.Steps { // a run that was there, or its first steps
					step(name, j.config.Steps-made)
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
	prov.Engine = golden.Engine{Name: e.Kind, Version: version, Precision: Arithmetic(e.Kind, p), Platform: e.Platform, Plugin: e.Plugin()}
	prov.Device = golden.Device{Name: prov.Host.CPU}
	if a, ok := e.Accelerator(); ok {
		prov.Device = golden.Device{Name: a.Name, SM: a.SM, Driver: a.Driver, CUDA: a.CUDA, CUDNN: a.CUDNN}
	}
}

// write checks that runs belong together and writes their goldens.
func (r *Recording) write(ctx context.Context, runs []*finished) ([]Result, error) {
	base, err := together(runs)
	if err != nil {
		return nil, err
	}
	var arms []check.Arm
	for _, a := range ArmsOf(r.Tier) {
		seeds := map[uint64]bool{}
		for _, x := range runs {
			if x.Arm == a && x.Run.Rerun == 0 {
				seeds[x.Run.Seed] = true
			}
		}
		if len(seeds) == 0 {
			continue
		}
		if n := MinSeeds(r.Tier); len(seeds) < n && !control(a) {
			return nil, fmt.Errorf("recorder: arm %s has runs of %d seeds, tier %s needs %d: %w", a, len(seeds), r.Tier, n, ErrFewSeeds)
		}
		arms = append(arms, a)
	}
	if runs[0].Provenance.Dirty && !r.AllowDirty {
		return nil, fmt.Errorf("recorder: %w", golden.ErrDirty)
	}
	if err := r.replaceable(arms); err != nil {
		return nil, err
	}
	created := time.Now().UTC().Format(time.RFC3339)
	var out []Result
	partners := map[check.Arm]bool{} // recorded before, now or earlier
	for _, a := range ArmsOf(r.Tier) {
		_, err := os.Stat(filepath.Join(r.Out, ID(r.Tier, r.Backend, a)+".json"))
		partners[a] = err == nil && !slices.Contains(arms, a)
	}
	for _, arm := range arms {
		var mine []*finished
		for _, x := range runs {
			if x.Arm == arm {
				mine = append(mine, x)
			}
		}
		g, err := r.golden(arm, base, created, mine, partners)
		if err != nil {
			return out, err
		}
		w, err := golden.RecordFile(ctx, r.Out, g, golden.RecordOptions{Reason: r.Reason, AllowDirty: r.AllowDirty,
			Verifier: &golden.Verifier{Sources: sources(r.Root), Extra: Rules}})
		if err != nil {
			return out, err
		}
		partners[arm] = true
		out = append(out, Result{g, w})
	}
	return out, store{r.Work}.remove(runs)
}

// golden assembles the golden of an arm.
func (r *Recording) golden(arm check.Arm, base method.Config, created string, runs []*finished, partners map[check.Arm]bool) (*golden.Golden, error) {
	c, err := arm.Config(base)
	if err != nil {
		return nil, err
	}
	g := &golden.Golden{ID: ID(r.Tier, r.Backend, arm), Kind: golden.Statistics, Status: golden.Gating, Created: created, Provenance: runs[0].Provenance}
	if control(arm) || r.Tier.Size() == check.GPUMini {
		g.Status = golden.Informative
	}
	if g.Config, err = golden.NewConfig(c); err != nil {
		return nil, err
	}
	reruns := false
	var commands, hosts []string
	for _, x := range runs {
		g.Runs = append(g.Runs, x.Run)
		g.Provenance.WallS += x.Seconds
		reruns = reruns || x.Run.Rerun > 0
		commands = append(commands, x.Provenance.Command)
		hosts = append(hosts, x.Provenance.Host.CPU)
	}
	g.Provenance.Command, g.Provenance.Host.CPU = each(commands), each(hosts)
	g.Provenance.WallS = math.Round(g.Provenance.WallS)
	g.Provenance.Engine.Deterministic = reruns && repeats(g.Runs)
	common(g.Runs)
	g.Bands = map[string]golden.Band{}
	for metric := range g.Runs[0].Final {
		if rule, ok := bandRule(arm, metric); ok && !control(arm) {
			g.Bands[metric] = golden.Band{Rule: rule}
		}
	}
	g.Claims = claims(r.Tier, r.Backend, arm, partners)
	return g, nil
}

// each lists texts, every one once.
func each(texts []string) string {
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), "; ")
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
// hexadecimal one after the other; NTest counts the distinct images that are evaluated. A file is named without its
// folder.
func Examples(d *data.Dataset) *golden.Data {
	distinct := map[string]bool{}
	test := d.Test.Labelled(d.EvalTest)
	for i := range test.Len() {
		distinct[string(test.Image(i).Pixels)] = true
	}
	g := &golden.Data{Name: d.Kind(), SHA256: identityOfSets(d), NTrain: d.Train.Len(), NTest: len(distinct),
		Decoder: "embedded table, package data", Split: "one random permutation (data.StreamSplit), the same for every seed"}
	if _, path, ok := strings.Cut(d.Spec, ":"); ok {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		g.Name += ":" + name
		if d.Half {
			g.Name += ", means of 2×2 pixels"
		}
		g.Decoder, g.Split = "package data; images by image/jpeg and image/png of "+runtime.Version(), "training and test parts of the data set"
	}
	return g
}
