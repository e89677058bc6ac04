package check

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/linear"
)

// Defect is a way to break a check: its arms are replaced by others.
type Defect struct {
	Name  string
	Swaps map[Arm]Arm
}

// Check is one gate over the outcomes of a few arms.
type Check struct {
	ID      string
	Claims  []string
	Gate    string // in words
	Arms    []Arm
	Defects []Defect
	// Differs says in one sentence how the runs differ from the paper's, where a claim is about the paper's own
	// experiments.
	Differs string
	judge   func(tier Tier, runs map[Arm][]*Outcome, m *measurements)
}

// measurements collects the quantities of a check.
type measurements struct {
	list   []linear.Measurement
	values [][]float64 // by seed
}

// Coverage is the share of seeds on which a quantity lies on the right side of its gate, at least: the gates of tier mini
// lie outside the one-sided tolerance bounds of 99 % coverage (95 % confidence) of the recorded seeds 10 to 19, which a test
// holds them to, and were set from these seeds alone, in two recordings: under kernels that round otherwise a seed is another
// run. What lies within the bounds of either is shown and not gated.
const Coverage = 0.99

// FalseAlarm bounds the probability that a quantity of sound runs misses its gate on more of n seeds than [Allowed], and
// aims at rarelyMissed.
func FalseAlarm(n int) float64 { return tail(n, Allowed(n), 1-Coverage) }

// rarelyMissed is the probability of a false alarm that Allowed aims at, a quantity.
const rarelyMissed = 1e-3

// Allowed is on how many of n seeds a statistical quantity may miss its gate: the least number that keeps the probability of
// a false alarm below 1e-3, but never more than half of the seeds. One seed may not miss; its false alarm is 1 %.
func Allowed(n int) int {
	for m := range n/2 + 1 {
		if tail(n, m, 1-Coverage) < rarelyMissed {
			return m
		}
	}
	return n / 2
}

// tail is P(X > m) for a binomial X of n trials of probability p.
func tail(n, m int, p float64) float64 {
	b := distuv.Binomial{N: float64(n), P: p}
	sum := 0.
	for k := m + 1; k <= n; k++ {
		sum += b.Prob(float64(k))
	}
	return sum
}

// gate records a quantity of each seed that must lie between low and high on all seeds but the few that chance accounts
// for. If one does not, the name says on how many, because the mean alone may lie there.
func (m *measurements) gate(name string, values []float64, low, high float64) {
	m.add(name, values, low, high, Allowed(len(values)))
}

// law is gate for a quantity that no chance enters: no seed may miss.
func (m *measurements) law(name string, values []float64, low, high float64) {
	m.add(name, values, low, high, 0)
}

func (m *measurements) add(name string, values []float64, low, high float64, allowed int) {
	mean, missed := 0., 0
	for _, v := range values {
		mean += v / float64(len(values))
		if !(v >= low && v <= high) { // NaN too
			missed++
		}
		if math.IsNaN(v) { // a quantity that is not there is no chance
			allowed = 0
		}
	}
	if missed > 0 && len(values) > 1 {
		name = fmt.Sprintf("%s (missed on %d of %d seeds, %d allowed)", name, missed, len(values), allowed)
	}
	sd := 0.
	for _, v := range values {
		sd += (v - mean) * (v - mean)
	}
	sd = math.Sqrt(sd / float64(len(values)-1))
	m.list = append(m.list, linear.Measurement{Name: name, Measured: linear.Number(mean), SD: linear.Number(sd), Theory: linear.Number(math.NaN()),
		Low: linear.Number(low), High: linear.Number(high), Pass: missed <= allowed})
	m.values = append(m.values, values)
}

// final returns a final measure by seed; a missing one is not a number, and passes no gate.
func final(os []*Outcome, column string) []float64 {
	v := make([]float64, len(os))
	for i, o := range os {
		x, ok := o.Final[column]
		if !ok {
			x = math.NaN()
		}
		v[i] = x
	}
	return v
}

func at(os []*Outcome, column string, step int) []float64 {
	v := make([]float64, len(os))
	for i, o := range os {
		v[i] = o.At(column, step)
	}
	return v
}

func combine(a, b []float64, f func(x, y float64) float64) []float64 {
	v := make([]float64, len(a))
	for i := range a {
		v[i] = f(a[i], b[i])
	}
	return v
}

func minus(x, y float64) float64 { return x - y }

var inf = math.Inf(1)

// byTier picks the gate of a tier.
func byTier(t Tier, mini, full float64) float64 {
	if t == Mini {
		return mini
	}
	return full
}

// Checks lists the checks on the digits, of the tiers mini and full.
func Checks() []Check {
	return []Check{
		{
			ID: "T2.collapse-nopred", Claims: []string{"nopred"},
			Gate: "without predictor: zstd < .05 and effective rank < 1.05 with a shared target, < .2 and < 1.2 with an averaged one",
			Arms: []Arm{NoPredictor, NoPredictorEMA},
			Defects: []Defect{
				{"the predictor in place", map[Arm]Arm{NoPredictor: SimSiam, NoPredictorEMA: BYOL}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				m.gate("shared target: zstd", final(r[NoPredictor], "zstd"), 0, .05)
				m.gate("shared target: effective rank", final(r[NoPredictor], "er"), 1, 1.05)
				m.gate("averaged target: zstd", final(r[NoPredictorEMA], "zstd"), 0, .2)
				m.gate("averaged target: effective rank", final(r[NoPredictorEMA], "er"), 1, 1.2)
			},
		},
		{
			ID: "T2.collapse-nosg", Claims: []string{"nostopgrad"},
			Gate: "without stop-gradient: zstd < .05, effective rank < 1.05, nearest neighbours of z < .3 (mini .4)",
			Arms: []Arm{NoStopGradient},
			Defects: []Defect{
				{"the stop-gradient in place", map[Arm]Arm{NoStopGradient: SimSiam}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				m.gate("zstd", final(r[NoStopGradient], "zstd"), 0, .05)
				m.gate("effective rank", final(r[NoStopGradient], "er"), 1, 1.05)
				m.gate("nearest neighbours of z", final(r[NoStopGradient], "zknn"), 0, byTier(t, .4, .3))
			},
		},
		{
			ID: "T2.alive", Claims: []string{"eta-critical", "fixed-points", "emp-align-sym"},
			Gate: "with predictor and stop-gradient: zstd > .6 and effective rank > 3.5 (2.5 for the 2-layer predictor); mini: > .5 and > 2 (1.5)",
			Arms: []Arm{BYOL, BYOLTwoLayer, DirectPred, DirectCopy},
			Defects: []Defect{
				{"the stop-gradient missing", map[Arm]Arm{BYOL: NoStopGradient}},
				{"the predictor missing", map[Arm]Arm{BYOL: NoPredictorEMA}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				for _, a := range []Arm{BYOL, BYOLTwoLayer, DirectPred, DirectCopy} {
					m.gate(string(a)+": zstd", final(r[a], "zstd"), byTier(t, .5, .6), inf)
					mini, full := 2., 3.5
					if a == BYOLTwoLayer {
						mini, full = 1.5, 2.5
					}
					m.gate(string(a)+": effective rank", final(r[a], "er"), byTier(t, mini, full), inf)
				}
			},
		},
		{
			ID: "T2.symmetry", Claims: []string{"skew-vanishes", "assump-sym", "thm3-alignment", "emp-align-sym"},
			Gate: "the predictor starts asymmetric (> 1.1), ends symmetric (< .15, mini < .2) and aligned with F (commutator < .08, cosine > .95, mini > .65), and its asymmetry still falls after six tenths of the run (mini: not gated)",
			Arms: []Arm{BYOL},
			Defects: []Defect{
				{"no weight decay", map[Arm]Arm{BYOL: NoDecay}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				os := r[BYOL]
				steps := os[0].Config.Steps
				m.gate("asymmetry at the start", at(os, "asym", 0), 1.1, inf)
				m.gate("asymmetry at the end", final(os, "asym"), 0, byTier(t, .2, .15))
				m.gate("normalised commutator at the end", final(os, "comm"), 0, .08)
				m.gate("cosine with leading eigenvectors", final(os, "cos_top8"), byTier(t, .65, .95), inf)
				m.gate("fall of the asymmetry after 6/10", combine(at(os, "asym", steps*6/10), final(os, "asym"), minus), byTier(t, -inf, 0), inf)
			},
		},
		{
			ID: "T2.wd", Claims: []string{"wd-alignment", "emp-wd"},
			Gate: "at equal steps, decay 4e-4 against 1e-2: the asymmetry is over 4 times as large (mini 2), the cosine more than .2 lower (mini: not gated), the effective rank more than 2 lower (mini .4)",
			Arms: []Arm{LittleDecay, BYOL},
			Defects: []Defect{
				{"the same decay in both", map[Arm]Arm{LittleDecay: BYOL}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				little, much := r[LittleDecay], r[BYOL]
				m.gate("ratio of the asymmetries", combine(final(little, "asym"), final(much, "asym"), func(x, y float64) float64 { return x / y }), byTier(t, 2, 4), inf)
				m.gate("gap of the cosines", combine(final(much, "cos_top8"), final(little, "cos_top8"), minus), byTier(t, -inf, .2), inf)
				m.gate("gap of the effective ranks", combine(final(much, "er"), final(little, "er"), minus), byTier(t, .4, 2), inf)
			},
		},
		{
			ID: "T2.direct", Claims: []string{"dp-guaranteed-alignment", "dp-formula", "emp-stl-cifar"},
			Gate: "DirectPred beats the trained linear predictor, seed by seed: effective rank by more than 2.5 (mini .5), probe on ten labels a class by more than .02 (mini: not gated)",
			Arms: []Arm{DirectPred, BYOL},
			Defects: []Defect{
				{"the two methods' labels swapped", map[Arm]Arm{DirectPred: BYOL, BYOL: DirectPred}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				dp, lin := r[DirectPred], r[BYOL]
				m.gate("gap of the effective ranks", combine(final(dp, "er"), final(lin, "er"), minus), byTier(t, .5, 2.5), inf)
				m.gate("gap of the probe on ten labels a class", combine(final(dp, "lin10"), final(lin, "lin10"), minus), byTier(t, -inf, .02), inf)
			},
		},
		{
			ID: "T2.balance", Claims: []string{"thm1", "thm1-discrete", "cosine-loss"},
			Gate: "plain SGD: the imbalance of the projector's last layer and the predictor follows the law of the discrete step within 1e-3 at every step (how far it is from the flow's exp(−2ηt), which holds to first order in the rate, is shown)",
			Arms: []Arm{PlainSGD},
			Defects: []Defect{
				{"decay doubled on the predictor", map[Arm]Arm{PlainSGD: UnequalDecay}},
			},
			judge: balances,
		},
		{
			ID: "T2.ema", Claims: []string{"ema-negative", "beta-tau"},
			Gate: "the average matters and slows: effective rank with m = .99 more than .8 above a shared target's (mini: not gated), asymmetry with m = .999 more than 3 times that with .99 (mini 1.5)",
			Arms: []Arm{SimSiam, BYOL, SlowTarget},
			Defects: []Defect{
				{"τ fixed at 1", map[Arm]Arm{BYOL: SimSiam, SlowTarget: SimSiam}},
			},
			judge: func(t Tier, r map[Arm][]*Outcome, m *measurements) {
				m.gate("gap of the effective ranks", combine(final(r[BYOL], "er"), final(r[SimSiam], "er"), minus), byTier(t, -inf, .8), inf)
				m.gate("ratio of the asymmetries", combine(final(r[SlowTarget], "asym"), final(r[BYOL], "asym"), func(x, y float64) float64 { return x / y }), byTier(t, 1.5, 3), inf)
			},
		},
		{
			ID: "T2.dpid", Claims: []string{"dp-formula", "dp-guaranteed-alignment", "dp-estimator"},
			Gate: "after every step of DirectPred, W_p is the one that F̂ prescribes, to 1e-5",
			Arms: []Arm{DirectPred},
			Defects: []Defect{
				{"eigenvectors permuted", map[Arm]Arm{DirectPred: Permuted}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				var worst []float64
				for _, o := range r[DirectPred] {
					worst = append(worst, o.Identity)
				}
				m.law("largest relative distance", worst, 0, 1e-5)
			},
		},
		{
			ID: "T2.average", Claims: []string{"lemma1"},
			Gate: "in the first steps the target is m·W_a + (1−m)·W of the updated W, to 1e-5",
			Arms: []Arm{BYOL},
			Defects: []Defect{
				{"the average taken before the step", map[Arm]Arm{BYOL: AverageBefore}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				m.law("largest deviation", laws(r[BYOL], func(l Laws) float64 { return l.Average }), 0, averageTolerance)
			},
		},
		{
			ID: "T2.moment", Claims: []string{"dp-estimator"},
			Gate: "in the first steps F̂ is ρ·F̂ + (1−ρ)·½E[f₁f₁ᵀ + f₂f₂ᵀ] of the batch, to 1e-4",
			Arms: []Arm{DirectPred},
			Defects: []Defect{
				{"F̂ from one view", map[Arm]Arm{DirectPred: OneView}},
				{"1 − ρ for ρ", map[Arm]Arm{DirectPred: SwappedRho}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				m.law("largest deviation", laws(r[DirectPred], func(l Laws) float64 { return l.Moment }), 0, momentTolerance)
			},
		},
		{
			ID: "T2.ball", Claims: []string{"lr-mapping"},
			Gate: "in the first steps of SimSiam W_p moves by heavy ball along the gradient of the cosine loss and the decay, to 1e-5",
			Arms: []Arm{SimSiam},
			Defects: []Defect{
				{"Nesterov's momentum", map[Arm]Arm{SimSiam: Nesterov}},
				{"half the loss", map[Arm]Arm{SimSiam: HalfLoss}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				m.law("largest deviation", laws(r[SimSiam], func(l Laws) float64 { return l.Ball }), 0, ballTolerance)
			},
		},
		{
			ID: "T2.views", Claims: []string{"objective"},
			Gate: "the two views of a batch are different: E‖x₁ − x₂‖² > E‖x₁‖²/10",
			Arms: []Arm{BYOL},
			Defects: []Defect{
				{"identical views", map[Arm]Arm{BYOL: SameViews}},
			},
			judge: func(_ Tier, r map[Arm][]*Outcome, m *measurements) {
				m.law("least distance of the views", laws(r[BYOL], func(l Laws) float64 { return l.Views }), leastDistance, inf)
			},
		},
	}
}

// laws are a deviation from the laws of a step by seed.
func laws(os []*Outcome, of func(Laws) float64) []float64 {
	v := make([]float64, len(os))
	for i, o := range os {
		v[i] = of(o.Laws)
	}
	return v
}

func balances(_ Tier, r map[Arm][]*Outcome, m *measurements) {
	var worst, discrete []float64
	for _, o := range r[PlainSGD] {
		worst, discrete = append(worst, o.BalanceError()), append(discrete, o.Discrete)
	}
	m.law("largest deviation from the step's law", discrete, 0, discreteTolerance)
	m.note("largest deviation from the flow's law", worst)
}

// Find returns the check with that id.
func Find(id string) (Check, error) {
	var ids []string
	for _, c := range slices.Concat(Checks(), GPUChecks(""), imagesChecks()) {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return Check{}, fmt.Errorf("check: there is no check %q; there are %s", id, strings.Join(ids, ", "))
}

// Lab makes runs, each once, on a pool of workers with an engine each.
type Lab struct {
	setting *Setting
	backend string
	seeds   []uint64
	workers int
	// Progress, if not nil, is called after every step of any run, one call at a time.
	Progress func(done, total int, run string)
	// Make makes a run in place of [Train], or finds one that was made before; it is asked once for each. It may
	// open an engine by the function, which opens one a worker.
	Make func(ctx context.Context, open func() (*engine.Engine, error), a Arm, seed uint64, progress func(step, steps int)) (*Outcome, error)

	mu   sync.Mutex
	runs map[key]*Outcome
	done int
}

type key struct {
	arm  Arm
	seed uint64
}

// NewLab returns a lab for a tier on the embedded digits and the engine cpu. No seeds means the tier's own;
// workers < 1 all processors.
func NewLab(tier Tier, seeds []uint64, workers int) (*Lab, error) {
	d, err := data.Open("digits")
	if err != nil {
		return nil, err
	}
	s, err := tier.On(d, Options{})
	if err != nil {
		return nil, err
	}
	return NewLabIn(s, engine.CPU, seeds, workers), nil
}

// NewLabIn returns a lab for a setting and a kind of engine, which is opened when a run needs it.
func NewLabIn(s *Setting, backend string, seeds []uint64, workers int) *Lab {
	if len(seeds) == 0 {
		seeds = s.Seeds
	}
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &Lab{setting: s, backend: backend, seeds: seeds, workers: workers, runs: map[key]*Outcome{}}
}

// Steps is the number of steps of a run of an arm.
func (l *Lab) Steps(a Arm) (int, error) {
	c, err := a.Config(l.setting.Base)
	return c.Steps, err
}

// looks is how many looks a run gets besides the one at the start.
const looks = 10

// Runs makes the runs of the arms that are not made yet, and returns all of them by arm, in order of seed.
func (l *Lab) Runs(ctx context.Context, arms ...Arm) (map[Arm][]*Outcome, error) {
	var todo []key
	for _, a := range arms {
		for _, s := range l.seeds {
			if k := (key{a, s}); l.runs[k] == nil && !slices.Contains(todo, k) {
				todo = append(todo, k)
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan key)
	errs := make(chan error, l.workers)
	l.done = 0
	total := 0
	for _, k := range todo {
		n, err := l.Steps(k.arm)
		if err != nil {
			return nil, err
		}
		total += n
	}
	var wg sync.WaitGroup
	for range min(l.workers, len(todo)) {
		wg.Go(func() {
			var e *engine.Engine
			open := func() (_ *engine.Engine, err error) {
				if e == nil {
					e, err = engine.Open(l.backend)
				}
				return e, err
			}
			defer func() {
				if e != nil {
					e.Close()
				}
			}()
			for k := range queue {
				made := 0
				o, err := l.one(ctx, open, k, func(step, _ int) {
					l.mu.Lock()
					defer l.mu.Unlock()
					l.done += step - made
					made = step
					if l.Progress != nil {
						l.Progress(l.done, total, fmt.Sprintf("%s, seed %d", k.arm, k.seed))
					}
				})
				if err != nil {
					errs <- err
					cancel()
					return
				}
				l.mu.Lock()
				l.runs[k] = o
				l.mu.Unlock()
			}
		})
	}
feed:
	for _, k := range todo {
		select {
		case queue <- k:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := map[Arm][]*Outcome{}
	for _, a := range arms {
		for _, s := range l.seeds {
			out[a] = append(out[a], l.runs[key{a, s}])
		}
	}
	return out, nil
}

// one makes one run.
func (l *Lab) one(ctx context.Context, open func() (*engine.Engine, error), k key, progress func(step, steps int)) (*Outcome, error) {
	if l.Make != nil {
		return l.Make(ctx, open, k.arm, k.seed, progress)
	}
	e, err := open()
	if err != nil {
		return nil, err
	}
	return Train(ctx, e, l.setting.Data, k.arm, l.setting.Base, k.seed, 0, &Watch{Progress: progress, AtLooks: l.setting.Tier.convolutional()})
}

// Check makes the runs a check needs and judges them; defect is "" or the name of one of its defects.
func (l *Lab) Check(ctx context.Context, c Check, defect string) (linear.Result, error) {
	start := time.Now()
	swap := map[Arm]Arm{}
	if defect != "" {
		i := slices.IndexFunc(c.Defects, func(d Defect) bool { return d.Name == defect })
		if i < 0 {
			return linear.Result{}, fmt.Errorf("check: %s has no variant %q", c.ID, defect)
		}
		swap = c.Defects[i].Swaps
	}
	arms := make([]Arm, len(c.Arms))
	for i, a := range c.Arms {
		arms[i] = a
		if b, ok := swap[a]; ok {
			arms[i] = b
		}
	}
	runs, err := l.Runs(ctx, arms...)
	if err != nil {
		return linear.Result{}, err
	}
	named := map[Arm][]*Outcome{}
	for i, a := range c.Arms {
		named[a] = runs[arms[i]]
	}
	r := c.Judge(l.setting.Tier, named)
	r.Defect = linear.Defect(defect)
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

// Judge holds runs that were made before against the gate: the outcomes of each of the check's arms, on the same seeds
// in the same order. It panics when an arm is missing.
func (c Check) Judge(tier Tier, runs map[Arm][]*Outcome) linear.Result {
	r := linear.Result{ID: c.ID, Claims: c.Claims, Gate: c.Gate, Pass: true}
	for i, a := range c.Arms {
		if len(runs[a]) == 0 || len(runs[a]) != len(runs[c.Arms[0]]) {
			panic(fmt.Sprintf("check: %s on %d runs of %s", c.ID, len(runs[a]), a))
		}
		for _, o := range runs[a] {
			r.Runs++
			r.Steps += o.Config.Steps
			if i == 0 {
				r.Seeds = append(r.Seeds, o.Seed)
			}
		}
	}
	var m measurements
	c.judge(tier, runs, &m)
	r.Measurements = m.list
	for _, x := range m.list {
		r.Pass = r.Pass && x.Pass
	}
	return r
}
