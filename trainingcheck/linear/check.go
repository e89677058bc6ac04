package linear

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Defect is a way to break a training run: a gate that does not notice it is no gate.
type Defect string

// The defects.
const (
	// Sound is no defect.
	Sound Defect = ""
	// NoStopGradient lets the gradient flow into the target.
	NoStopGradient Defect = "no stop-gradient"
	// ForcedStopGradient stops it where the check wants it to flow.
	ForcedStopGradient Defect = "stop-gradient everywhere"
	// NoPredictor replaces a trained predictor by the identity.
	NoPredictor Defect = "no predictor"
	// UnitTau makes the target the online network: τ = 1.
	UnitTau Defect = "τ fixed at 1"
	// DoubledDecay doubles the weight decay of W_p alone.
	DoubledDecay Defect = "decay doubled on the predictor"
	// NoDecay drops the weight decay.
	NoDecay Defect = "no weight decay"
	// HalfBatch halves the batch, which doubles the noise.
	HalfBatch Defect = "half the batch"
	// PermutedEigenvectors gives each eigenvector of F̂ its neighbour's value.
	PermutedEigenvectors Defect = "DirectPred with permuted eigenvectors"
	// ScaleFree takes the scale-free formula of the paper's code for the printed one.
	ScaleFree Defect = "DirectPred without the scale of F̂"
)

// apply breaks c.
func (d Defect) apply(c Config) Config {
	switch d {
	case NoStopGradient:
		c.StopGradient = false
		c.Beta = math.Inf(1)
	case ForcedStopGradient:
		c.StopGradient = true
	case NoPredictor:
		c.Predictor = Identity
	case UnitTau:
		c.Beta = math.Inf(1)
	case DoubledDecay:
		c.PredictorDecay *= 2
	case NoDecay:
		c.Eta = 0
	case HalfBatch:
		c.Batch /= 2
	case PermutedEigenvectors:
		c.Direct.Permuted = true
	case ScaleFree:
		c.Direct.CodeFormula = true
	}
	return c
}

// Number is a float64 that JSON can hold when it is not finite, as a string.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(fmt.Sprint(v))
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		switch s {
		case "NaN":
			*n = Number(math.NaN())
		case "+Inf":
			*n = Number(math.Inf(1))
		case "-Inf":
			*n = Number(math.Inf(-1))
		default:
			return fmt.Errorf("linear: number %q", s)
		}
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Measurement is one measured quantity beside its theory and its gate.
type Measurement struct {
	Name string `json:"name"`
	// Measured is the mean over the seeds, or the quantity itself for counts.
	Measured Number `json:"measured"`
	// SD is the deviation over the seeds (divisor n-1), NaN for fewer than two.
	SD Number `json:"sd"`
	// Theory is the value of the formula, NaN where the gate is not a formula.
	Theory Number `json:"theory"`
	// Low and High are the limits that Measured must keep, infinite where there is none.
	Low  Number `json:"low"`
	High Number `json:"high"`
	Pass bool   `json:"pass"`
}

// String shows the measurement on one line.
func (m Measurement) String() string {
	mark := "ok  "
	switch {
	case !m.Pass:
		mark = "FAIL"
	case !m.Gated():
		mark = "    "
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-58s %.5g", mark, m.Name, float64(m.Measured))
	if !math.IsNaN(float64(m.SD)) {
		fmt.Fprintf(&b, " ± %.2g", float64(m.SD))
	}
	if !math.IsNaN(float64(m.Theory)) {
		fmt.Fprintf(&b, "  theory %.5g", float64(m.Theory))
	}
	if m.Gated() {
		fmt.Fprintf(&b, "  gate [%.5g, %.5g]", float64(m.Low), float64(m.High))
	}
	return b.String()
}

// Gated tells whether the quantity has a limit; others are recorded only, and
// fail when they are not a number.
func (m Measurement) Gated() bool {
	return !math.IsInf(float64(m.Low), -1) || !math.IsInf(float64(m.High), 1)
}

// Result is the outcome of a check.
type Result struct {
	ID           string        `json:"id"`
	Claims       []string      `json:"claims"`
	Gate         string        `json:"gate"`
	Defect       Defect        `json:"defect,omitempty"`
	Measurements []Measurement `json:"measurements"`
	Pass         bool          `json:"pass"`
	Seeds        []uint64      `json:"seeds"`
	Runs         int           `json:"runs"`
	Steps        int           `json:"steps"`
	Seconds      float64       `json:"seconds"`
}

// Options of a check. The zero value means one seed, 0, all processors.
type Options struct {
	Seeds   []uint64
	Workers int    // goroutines; the result does not depend on it
	Defect  Defect // what to break
	// FailFast makes the experiments one after another and stops at the first
	// measurement that fails: the result is then incomplete.
	FailFast bool
	// Progress, if not nil, is called after every run, one call at a time.
	Progress func(done, total int)
}

// Check is one experiment with its gate.
type Check struct {
	ID     string
	Claims []string // ids of the ledger it bears on
	Gate   string   // the gate in words
	// Defects are the broken variants that must fail the gate.
	Defects []Defect
	measure func(l *lab)
}

// Checks lists every check in the order of the documentation.
func Checks() []Check {
	return []Check{fixedPoints, collapse, balance, symmetry, basin, emaSlowdown, direct, replay}
}

// Find returns the check with that id.
func Find(id string) (Check, error) {
	var ids []string
	for _, c := range Checks() {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return Check{}, fmt.Errorf("linear: no check %q; there are %s", id, strings.Join(ids, ", "))
}

// Run makes the check. The error is the context's, or that of a run that could
// not be made; a gate that does not hold is no error.
func (c Check) Run(ctx context.Context, o Options) (Result, error) {
	if len(o.Seeds) == 0 {
		o.Seeds = []uint64{0}
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Defect != Sound && !slices.Contains(c.Defects, o.Defect) {
		return Result{}, fmt.Errorf("linear: %s has no variant %q; it has %q", c.ID, o.Defect, c.Defects)
	}
	start := time.Now()
	l := &lab{ctx: ctx, options: o, id: c.ID}
	c.measure(l)
	if l.err == nil {
		l.flush()
	}
	if l.err != nil {
		return Result{}, fmt.Errorf("linear: %s: %w", c.ID, l.err)
	}
	r := Result{ID: c.ID, Claims: c.Claims, Gate: c.Gate, Defect: o.Defect, Measurements: l.measured, Pass: true,
		Seeds: slices.Clone(o.Seeds), Runs: l.runs, Steps: l.steps, Seconds: time.Since(start).Seconds()}
	for _, m := range r.Measurements {
		r.Pass = r.Pass && m.Pass
	}
	return r, nil
}

// lab collects the runs that a check asks for, makes them on a pool of workers,
// and then hands the results back in order.
type lab struct {
	ctx      context.Context
	options  Options
	id       string
	err      error
	pending  []*experiment
	measured []Measurement
	runs     int
	steps    int
	count    uint64 // experiments so far: part of the seed of each
}

// experiment is one configuration run on every seed.
type experiment struct {
	config  Config
	init    func(c Config, r *rand.Rand) *Network
	watch   func(t *Trainer) []float64 // makes the steps, returns what was seen
	number  uint64
	results [][]float64 // by seed
	steps   []int
	report  func(results [][]float64)
}

// run asks for a configuration on every seed; report gets watch's results by
// seed after all runs are made. The defect of the options is applied to c.
func (l *lab) run(c Config, init func(c Config, r *rand.Rand) *Network, watch func(t *Trainer) []float64, report func(results [][]float64)) {
	l.pending = append(l.pending, &experiment{config: l.options.Defect.apply(c), init: init, watch: watch, number: l.count,
		results: make([][]float64, len(l.options.Seeds)), steps: make([]int, len(l.options.Seeds)), report: report})
	l.count++
}

// fail records the first error.
func (l *lab) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// stopped tells whether nothing more need be measured.
func (l *lab) stopped() bool {
	return l.options.FailFast && slices.ContainsFunc(l.measured, func(m Measurement) bool { return !m.Pass })
}

// flush makes the pending runs and reports them in the order they were asked for.
func (l *lab) flush() {
	batch := l.pending
	l.pending = nil
	size := len(batch)
	if l.options.FailFast {
		size = 1
	}
	total := (l.runs + len(batch)*len(l.options.Seeds))
	for part := range slices.Chunk(batch, max(size, 1)) {
		if l.err != nil || l.stopped() {
			return
		}
		l.make(part, total)
	}
}

// make makes runs and reports them; total is for the progress.
func (l *lab) make(batch []*experiment, total int) {
	seeds := l.options.Seeds
	var mu sync.Mutex
	done := l.runs
	err := pool(l.ctx, l.options.Workers, len(batch)*len(seeds), func(i int) error {
		e, k := batch[i/len(seeds)], i%len(seeds)
		// One generator for weights and batches; the number of the experiment keeps
		// the runs of one seed apart.
		r := rand.New(rand.NewPCG(seeds[k], e.number))
		t, err := NewTrainer(e.config, e.init(e.config, r), r)
		if err != nil {
			return err
		}
		e.results[k] = e.watch(t)
		e.steps[k] = t.steps
		mu.Lock()
		defer mu.Unlock()
		done++
		if l.options.Progress != nil {
			l.options.Progress(done, total)
		}
		return nil
	})
	if err != nil {
		l.fail(err)
		return
	}
	for _, e := range batch {
		for _, n := range e.steps {
			l.steps += n
			l.runs++
		}
		e.report(e.results)
	}
}

// record adds a measurement of the mean of values, one a seed, and its gate.
func (l *lab) record(name string, values []float64, theory, low, high float64) {
	mean, sd := meanSD(values)
	m := Measurement{Name: name, Measured: Number(mean), SD: Number(sd), Theory: Number(theory), Low: Number(low), High: Number(high)}
	m.Pass = mean >= low && mean <= high // NaN fails
	l.measured = append(l.measured, m)
}

// total adds a measurement of a count that must be exactly want.
func (l *lab) total(name string, got, want int) {
	l.measured = append(l.measured, Measurement{Name: name, Measured: Number(got), SD: Number(math.NaN()),
		Theory: Number(want), Low: Number(want), High: Number(want), Pass: got == want})
}

func meanSD(v []float64) (mean, sd float64) {
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	if len(v) < 2 {
		return mean, math.NaN()
	}
	for _, x := range v {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(v)-1))
}

// column returns entry k of every seed's result.
func column(results [][]float64, k int) []float64 {
	v := make([]float64, len(results))
	for i, r := range results {
		v[i] = r[k]
	}
	return v
}

// pool calls do(0) … do(n-1) on workers goroutines, until one fails or the
// context ends, and returns the error of the smallest index that failed.
func pool(ctx context.Context, workers, n int, do func(i int) error) error {
	var (
		mu    sync.Mutex
		next  int
		at    = n
		first error
		wg    sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next >= n || next > at || ctx.Err() != nil {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range min(workers, n) {
		wg.Go(func() {
			for {
				i, ok := take()
				if !ok {
					return
				}
				if err := do(i); err != nil {
					mu.Lock()
					if i < at {
						first, at = err, i
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if first != nil {
		return first
	}
	return ctx.Err()
}
