package mapping

import (
	"context"
	"errors"
	"math"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"stopgrad/numeric/measure"
)

// spec reads a specification from texts: two axes, then settings.
func spec(t *testing.T, texts ...string) Spec {
	t.Helper()
	s := Spec{Set: map[string]*big.Rat{}}
	var err error
	if s.X, err = ParseAxis(texts[0]); err != nil {
		t.Fatal(err)
	}
	if s.Y, err = ParseAxis(texts[1]); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts[2:] {
		name, v, err := ParseSetting(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Set[name] = v
	}
	return s
}

func runMap(t *testing.T, s Spec) *Result {
	t.Helper()
	r, err := Map(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The map of reference: the plane of initial values at η = 0.1, α = 1, σ² = 0, τ = 1. What is measured changes within
// one cell of the stable manifold of the saddle, everywhere along it, on the parabola and off it.
func TestMeasuredBoundaryIsTheManifold(t *testing.T) {
	for _, texts := range [][]string{
		{"p0=-1:3:40", "s0=0:4:40", "eta=0.1"},
		{"p0=0:0.4:40", "s0=0:0.05:40", "eta=0.1"},
		{"s0=0:1/20:30", "p0=-1/10:1/2:30", "eta=0.04", "alpha=3", "sigma2=0.5", "tau=0.9"},
		{"p0=1.8:2.6:30", "s0=0.5:3:30", "eta=0.1"}, // far from the saddle
	} {
		s := spec(t, texts...)
		r := runMap(t, s)
		measured, predicted := r.Gap()
		t.Logf("%v: %s; gap %.3f and %.3f cells", texts, r.Summary(), measured, predicted)
		// A cell is measured at its centre, so the change lies within half a cell of the curve across it; an edge between
		// cells is up to half a cell from it along the curve.
		if measured > 1 || predicted > 1 {
			t.Errorf("%v: the measured boundary is %.3f cells from the manifold, the manifold %.3f from it", texts, measured, predicted)
		}
		if n := r.Summary(); n.Undecided > 0 || n.Disagree > 0 || n.Collapse == 0 || n.Growth == 0 {
			t.Errorf("%v: %s", texts, n)
		}
		if len(r.Cells) < 1000 || float64(len(r.Cells)) > 4*float64(s.X.Cells*s.Y.Cells) {
			t.Errorf("%v: %d cells", texts, len(r.Cells))
		}
	}
}

// Twins of the test above: the prediction from p₊ in place of p₋, and the measurement of a flow with a wrong sign.
func TestGapSeesWrongPredictionsAndFlows(t *testing.T) {
	s := spec(t, "p0=-1:3:16", "s0=0:4:16", "eta=0.1")
	// Modes of the right flow are decided by t = 80; wrong ones need not be patient.
	s.Refine, s.Horizon = 1, 200
	r := runMap(t, s)
	run, err := newRunner(s)
	if err != nil {
		t.Fatal(err)
	}
	minus, plus, _ := measure.Roots(1, 0, 0.1)
	for name, p := range map[string]float64{"p₋": minus, "p₊": plus} {
		line, err := reference.manifoldFrom(t.Context(), p, p*p, run.plane())
		if err != nil {
			t.Fatal(err)
		}
		r.Curves = []Curve{{"manifold from " + name, Boundary, run.clip(line)}}
		measured, predicted := r.Gap()
		if ok := measured <= 1 && predicted <= 1; ok != (name == "p₋") {
			t.Errorf("from %s: gaps %.3f and %.3f cells", name, measured, predicted)
		}
	}
	for name, mutate := range map[string]func(d *dynamics, y, dy []float64){
		"none":                     func(*dynamics, []float64, []float64) {},
		"decay of p, sign":         func(d *dynamics, y, dy []float64) { dy[0] += 2 * d.Eta * y[0] },
		"decay of s, half":         func(d *dynamics, y, dy []float64) { dy[1] += d.Eta * y[1] },
		"drive of p, (τ + ap)":     func(d *dynamics, y, dy []float64) { dy[0] += 2 * d.Alpha * d.a() * y[1] * y[0] },
		"drive of s, s without 2":  func(d *dynamics, y, dy []float64) { dy[1] -= y[0] * y[1] * (d.Tau - d.a()*y[0]) },
		"predictor moves with s/2": func(d *dynamics, y, dy []float64) { dy[0] -= d.Alpha * y[1] / 2 * (d.Tau - d.a()*y[0]) },
	} {
		run, err := newRunner(s)
		if err != nil {
			t.Fatal(err)
		}
		run.bind = func(m Model, pt point) (*dynamics, error) {
			d, err := m.bind(pt)
			if err != nil {
				return nil, err
			}
			right := d.rhs
			d.rhs = func(t float64, y, dy []float64) {
				right(t, y, dy)
				mutate(d, y, dy)
			}
			return d, nil
		}
		r, err := run.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		measured, predicted := r.Gap()
		if ok := measured <= 1 && predicted <= 1; ok != (name == "none") {
			t.Errorf("%s: gaps %.3f and %.3f cells", name, measured, predicted)
		}
	}
}

// Claim basin: off the parabola p < p₋ is neither necessary nor sufficient for collapse.
func TestBasinIsNotAThresholdOfP(t *testing.T) {
	r := runMap(t, spec(t, "p0=-1:3:32", "s0=0:4:32", "eta=0.1"))
	minus, _, _ := measure.Roots(1, 0, 0.1)
	var fall, rise, riseNegative, fallOnParabola int
	for _, c := range r.Cells {
		switch {
		case c.Outcome == Collapse && c.X > minus:
			fall++
		case c.Outcome == Growth && c.X < minus:
			rise++
			if c.X <= 0 {
				riseNegative++
			}
		}
		// The start is on the parabola to within the cell.
		if c.XLo > minus && c.YLo <= c.XHi*c.XHi && c.YHi >= c.XLo*c.XLo && c.Outcome == Collapse {
			fallOnParabola++
		}
	}
	t.Logf("%d cells collapse from p > p₋, %d grow from p < p₋, %d of them from p ≤ 0", fall, rise, riseNegative)
	if fall == 0 || riseNegative == 0 || fallOnParabola > 0 {
		t.Errorf("%d collapse from p > p₋, %d grow from p ≤ 0, %d on the parabola collapse from p > p₋", fall, riseNegative, fallOnParabola)
	}
}

// Over (η, p(0)) from the parabola the boundary is p₋(η) up to η* and then η*; the windows are lines of constant κ.
func TestBoundaryOverDecay(t *testing.T) {
	for _, c := range []struct {
		model Model
		texts []string
	}{
		{Frozen, []string{"eta=0:0.5:32", "p0=0:1:32"}},
		{Parabola, []string{"kappa=0.01:0.5:30:log", "p0=0.05:1:30", "sigma2=0.3"}},
		{Modes, []string{"eta=0:0.3:30", "p0=0:1:30", "beta=0.3"}},
		{Frozen, []string{"eta=0.001:0.5:24:log", "alpha=0.1:10:24:log", "p0=0.3", "s0=0.01"}},
		{Frozen, []string{"p0=-1:2:24", "s0=0:2:24", "eta=0"}},
	} {
		s := spec(t, c.texts...)
		s.Model = c.model
		r := runMap(t, s)
		measured, predicted := r.Gap()
		n := r.Summary()
		t.Logf("%v %v: %s; gap %.3f and %.3f cells", c.model, c.texts, n, measured, predicted)
		// Modes that are undecided at the horizon pass the ghost of the saddle near η*: their edges count as boundary too.
		if measured > 1 || predicted > 1 || n.Disagree > 0 || n.Undecided > n.Cells/20 {
			t.Errorf("%v %v: gaps %.3f and %.3f cells, %s", c.model, c.texts, measured, predicted, n)
		}
		var names []string
		for _, cv := range r.Curves {
			names = append(names, cv.Name)
			if !strings.HasPrefix(cv.Name, "κ = 1/") {
				continue
			}
			run, err := newRunner(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range cv.Lines {
				for _, v := range line {
					k := run.point(v.X, v.Y).theory(s.Model).Kappa()
					// Bisection leaves 2^-24 of a lattice step of the axis.
					if d := math.Abs(math.Remainder(1/k, 1)); d > 1e-4 {
						t.Errorf("%s at κ = %v", cv.Name, k)
					}
				}
			}
		}
		if want := 4; len(names) < want && s.X.Quantity != "p0" {
			t.Errorf("%v: curves %q", c.texts, names)
		}
	}
}

// Claim ema-negative: thresholds of p(0) on the parabola with τ(0) = 0, from the ledger (η = 0.04, σ² = 0.1, four digits);
// with τ(0) = 1 they are p₋ for every β.
func TestSlowAverageWidensCollapse(t *testing.T) {
	minus, _, _ := measure.Roots(1, 0.1, 0.04)
	for beta, ledger := range map[float64]float64{10: .04211, 0.8: .0441, 0.2: .0502, 0.05: .0724} {
		for tau, want := range map[float64]float64{0: ledger, 1: minus} {
			lo, hi := 0.03, 0.08
			const halvings = 16 // to 1e-6
			for range halvings {
				p := (lo + hi) / 2
				d, err := Modes.bind(point{Parameters: Parameters{Eta: 0.04, Alpha: 1, Sigma2: 0.1, Tau: tau}, beta: beta, p0: p, s0: p * p})
				if err != nil {
					t.Fatal(err)
				}
				got, err := d.read(t.Context(), OutcomeOf, 0)
				if err != nil {
					t.Fatal(err)
				}
				switch got.outcome {
				case Collapse:
					lo = p
				case Growth:
					hi = p
				default:
					t.Fatalf("β = %v, τ(0) = %v, p(0) = %v: %v", beta, tau, p, got.outcome)
				}
			}
			digits := 5e-5 // of the ledger
			if tau == 1 {
				digits = 2e-6
			}
			if math.Abs(lo-want) > digits || math.Abs(hi-want) > digits {
				t.Errorf("β = %v, τ(0) = %v: between %v and %v, want %v", beta, tau, lo, hi, want)
			}
		}
	}
	// As a map: collapse from beyond p₋, more of it the slower the average.
	s := spec(t, "beta=0.05:20:12:log", "p0=0.03:0.08:12", "eta=0.04", "sigma2=0.1", "tau=0")
	s.Model, s.Refine = Modes, NoRefine
	r := runMap(t, s)
	collapsed := map[float64]int{}
	for _, c := range r.Cells {
		if c.Outcome == Collapse {
			collapsed[c.X]++
		}
	}
	last := math.MaxInt
	for _, c := range r.Cells[:12] {
		if collapsed[c.X] > last {
			t.Errorf("more collapse at β = %v than at a slower average", c.X)
		}
		last = collapsed[c.X]
	}
	if r.Summary().Disagree == 0 {
		t.Error("the average makes no difference")
	}
}

// On the parabola the least k along a trajectory is the least of k(p) = 3ap²/2 − τp + 3η/2 between the start and the
// limit; beyond κ = 1/9 it is positive (claim thm3-bound).
func TestMarginOnTheParabola(t *testing.T) {
	s := spec(t, "kappa=0.02:0.3:24", "p0=0.01:1.2:24", "sigma2=0.2", "tau=0.9")
	s.Measure = Margin
	signs := map[string]int{}
	for _, m := range []Model{Parabola, Frozen} {
		s.Model = m
		r := runMap(t, s)
		run, err := newRunner(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Cells {
			pt := run.point(c.X, c.Y)
			k := func(p float64) float64 { return 1.5*pt.a()*p*p - pt.Tau*p + 1.5*pt.Eta }
			end := 0.0
			if c.Outcome == Growth {
				_, end, _ = measure.Roots(pt.Tau, pt.Sigma2, pt.Eta)
			}
			want := min(k(c.Y), k(end))
			if at := pt.Tau / (3 * pt.a()); (at-c.Y)*(at-end) < 0 {
				want = k(at)
			}
			// The end is known to settledTol, and under collapse to settledBox of 3η/2.
			tol := 10*settledTol*pt.Tau*pt.Tau/pt.a() + 2*settledBox*pt.Eta
			if c.Outcome == Undecided {
				continue
			}
			if math.Abs(c.Value-want) > tol {
				t.Errorf("%v: κ = %v, p(0) = %v (%v): margin %v, want %v", m, c.X, c.Y, c.Outcome, c.Value, want)
			}
			switch {
			case c.X > 1./9 && c.Value > 0:
				signs["beyond, positive"]++
			case c.X > 1./9:
				t.Errorf("κ = %v > 1/9, margin %v", c.X, c.Value)
			case c.Value < 0:
				signs["below, negative"]++
			}
		}
	}
	if len(signs) != 2 {
		t.Errorf("signs %v", signs)
	}
}

// Claim thm3-bound: beyond κ = 1/6 the margin is positive from every start; below it is not.
func TestMarginIsPositiveBeyondOneSixth(t *testing.T) {
	s := spec(t, "p0=-1:2:24", "s0=0:1:24")
	s.Measure, s.Refine = Margin, NoRefine
	for kappa, want := range map[int64]bool{170: true, 160: false} {
		s.Set = map[string]*big.Rat{"kappa": big.NewRat(kappa, 1000)}
		s.X.Lo, s.X.Hi, s.Y.Hi = big.NewRat(-1, 1), big.NewRat(2, 1), big.NewRat(1, 1)
		if !want {
			// The least k is at p = τ/2a, s = 0.
			s.X.Lo, s.X.Hi, s.Y.Hi = big.NewRat(4, 10), big.NewRat(6, 10), big.NewRat(1, 100)
		}
		positive := true
		for _, c := range runMap(t, s).Cells {
			positive = positive && c.Value > 0
		}
		if positive != want {
			t.Errorf("κ = %d/1000: all margins positive: %v", kappa, positive)
		}
	}
}

// Growth ends at s = p₊²/α (claim alpha-negative), with the moving average too.
func TestFinalSizeOfGrowth(t *testing.T) {
	for _, m := range []Model{Frozen, Modes} {
		s := spec(t, "alpha=0.2:5:8:log", "eta=0.02:0.2:8", "p0=0.6", "s0=0.4", "sigma2=0.1")
		s.Model, s.Measure, s.Refine = m, FinalS, NoRefine
		n := 0
		for _, c := range runMap(t, s).Cells {
			if c.Outcome != Growth {
				continue
			}
			n++
			_, plus, _ := measure.Roots(1, 0.1, c.Y)
			// Within settledTol of rest in a relaxation time, for the slower of two rates near the fold.
			if want := plus * plus / c.X; math.Abs(c.Value-want) > 1e3*settledTol*want {
				t.Errorf("%v: α = %v, η = %v: s → %v, want %v", m, c.X, c.Y, c.Value, want)
			}
		}
		if n < 20 {
			t.Errorf("%v: %d cells grow", m, n)
		}
	}
}

// At κ = 1/4 exactly p₋ = p₊ attracts from above and repels below: what starts above is not decided, and marked so.
func TestHalfStableStateIsUndecided(t *testing.T) {
	s := spec(t, "p0=0.1:0.9:8", "tau=0.9:1.1:1", "kappa=1/4")
	s.Model, s.Refine = Parabola, NoRefine
	r := runMap(t, s)
	for _, c := range r.Cells {
		want := Collapse
		if c.X > 0.5 {
			want = Undecided
		}
		if c.Outcome != want {
			t.Errorf("from %v: %v", c.X, c.Outcome)
		}
	}
	if n := r.Summary(); n.Undecided == 0 || !strings.Contains(n.String(), "undecided") {
		t.Errorf("%s", n)
	}
}

func TestMapDoesNotDependOnWorkers(t *testing.T) {
	s := spec(t, "p0=-1:3:10", "s0=0:4:10")
	s.Measure = Time
	var maps []*Result
	for _, n := range []int{1, 3, 7} {
		s.Workers = n
		r := runMap(t, s)
		r.Spec.Workers = 0
		maps = append(maps, r)
	}
	same := cmp.Options{
		cmpopts.EquateNaNs(), cmp.AllowUnexported(Cell{}),
		cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 }), cmpopts.IgnoreFields(Spec{}, "Progress"),
	}
	for _, r := range maps[1:] {
		if d := cmp.Diff(maps[0], r, same); d != "" {
			t.Errorf("another number of workers, another map:\n%s", d)
		}
	}
	s.X.Cells = 11
	if cmp.Equal(maps[0], runMap(t, s), same) {
		t.Error("another grid, the same map")
	}
}

// Refinement halves the cells at the boundary and leaves a partition of the map.
func TestRefinementIsAtTheBoundary(t *testing.T) {
	s := spec(t, "p0=-1:3:16", "s0=0:4:16")
	r := runMap(t, s)
	area, deepest := 0.0, 0
	for _, c := range r.Cells {
		area += (c.XHi - c.XLo) * (c.YHi - c.YLo)
		deepest = max(deepest, c.Level)
		if !(c.XLo < c.X && c.X < c.XHi && c.YLo < c.Y && c.Y < c.YHi) {
			t.Errorf("cell %+v does not contain its centre", c)
		}
	}
	if math.Abs(area-16) > 1e-12 || deepest != DefaultRefine {
		t.Errorf("area %v, deepest level %d", area, deepest)
	}
	run := runner{spec: r.Spec}
	run.neighbours(r.Cells, func(a, b, _, _, _, _ int) {
		x, y := r.Cells[a], r.Cells[b]
		if x.Outcome != y.Outcome && (x.Level != deepest || y.Level != deepest) {
			t.Errorf("cells of different outcome that are not refined: %+v %+v", x, y)
		}
	})
	s.Refine = NoRefine
	if n := len(runMap(t, s).Cells); n != 256 {
		t.Errorf("without refinement %d cells", n)
	}
}

func TestCancelledMapKeepsWhatIsDone(t *testing.T) {
	for _, stop := range []int{0, 40, 300} {
		ctx, cancel := context.WithCancel(t.Context())
		s := spec(t, "p0=-1:3:16", "s0=0:4:16")
		s.Workers = 2
		calls := 0
		s.Progress = func(done, total int) {
			calls++
			if done != calls || total < 256 || done > total {
				t.Errorf("progress %d of %d at call %d", done, total, calls)
			}
			if done == stop {
				cancel()
			}
		}
		if stop == 0 {
			cancel()
		}
		r, err := Map(ctx, s)
		if r == nil || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "mapping: stopped with ") {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		n := r.Summary()
		area := 0.0
		for _, c := range r.Cells {
			area += (c.XHi - c.XLo) * (c.YHi - c.YLo)
		}
		if math.Abs(area-16) > 1e-12 {
			t.Errorf("stopped at %d: the cells cover %v of 16", stop, area)
		}
		done := n.Cells - n.Pending
		// After the call that cancels, each worker may finish the cell at hand. Of refined cells whole quadruples are kept.
		switch {
		case stop <= 256 && (done < stop || done > stop+s.Workers):
			t.Errorf("stopped at %d: %s", stop, n)
		case stop > 256 && (n.Pending > 0 || n.Cells <= 256):
			t.Errorf("stopped at %d: %s", stop, n)
		}
		full := runMap(t, spec(t, "p0=-1:3:16", "s0=0:4:16"))
		at := map[XY]Cell{}
		for _, c := range full.Cells {
			at[XY{c.X, c.Y}] = c
		}
		for _, c := range r.Cells {
			if f, ok := at[XY{c.X, c.Y}]; ok && c.Outcome != Pending && c.Outcome != f.Outcome {
				t.Errorf("stopped at %d: cell %+v, whole map %+v", stop, c, f)
			}
		}
		cancel()
	}
	if runtime.NumGoroutine() > 100 {
		t.Error("workers are left")
	}
}

func TestTitleNamesTheParameters(t *testing.T) {
	for _, c := range []struct {
		texts   []string
		model   Model
		measure Measure
		want    string
	}{
		{[]string{"p0=-1:3", "s0=0:4"}, Frozen, OutcomeOf, "Outcome, frozen τ: η = 0.1, α = 1, σ² = 0, τ = 1"},
		{[]string{"eta=0:1", "beta=0:1", "p0=1/3"}, Modes, Time, "Time to a decision, moving average: α = 1, σ² = 0, τ = 1, p(0) = 1/3, s(0) = p(0)²/α"},
		{[]string{"kappa=0:1", "p0=0:1"}, Parabola, Margin, "Least margin k of alignment, on the parabola: σ² = 0, τ = 1"},
		{[]string{"p0=0:1", "alpha=1:2", "kappa=0.125", "s0=2"}, Frozen, FinalS, "Final s, frozen τ: σ² = 0, τ = 1, κ = 0.125, s(0) = 2"},
	} {
		s := spec(t, c.texts...)
		s.Model, s.Measure = c.model, c.measure
		if got := (&Result{Spec: s}).Title(); got != c.want {
			t.Errorf("%v: %s", c.texts, got)
		}
	}
}

func TestGapIsADistance(t *testing.T) {
	ax, _ := ParseAxis("p0=0:4:4")
	ay, _ := ParseAxis("s0=0:4:4")
	r := &Result{Spec: Spec{X: ax, Y: ay}}
	run := runner{spec: r.Spec}
	for j := range 4 {
		for i := range 4 {
			c := run.cell(0, i, j)
			c.Outcome = Collapse
			if i >= 2 {
				c.Outcome = Growth
			}
			r.Cells = append(r.Cells, c)
		}
	}
	if m, p := r.Gap(); !math.IsNaN(m) || !math.IsNaN(p) {
		t.Errorf("without a prediction: %v %v", m, p)
	}
	// The measured boundary is x = 2. Of the slanting line the ends and the middles of the edges are 0.75 off in x, but
	// up to a quarter of that less in the maximum norm; its last point is too near the border to count.
	r.Curves = []Curve{{Style: Boundary, Lines: [][]XY{{{2.75, 0.5}, {2.75, 3.9}}}}}
	const search = 1e-9 // what the search along a segment leaves
	if m, p := r.Gap(); math.Abs(m-0.75) > search || math.Abs(p-0.75) > search {
		t.Errorf("a line 0.75 to the right: %v %v", m, p)
	}
	r.Curves[0].Lines = [][]XY{{{2, 0.5}, {2, 2}}, {{2, 2}, {1, 3}}}
	// From (2, 3.5), the middle of the last edge, to the curve: max(|2−x|, |3.5−y|) on y = 4 − x, least at (1.25, 2.75).
	if m, p := r.Gap(); math.Abs(m-0.75) > search || math.Abs(p-1) > search {
		t.Errorf("a bent line: %v %v", m, p)
	}
}
