package mapping

import (
	"context"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// DefaultRefine is how often cells at the measured boundary are halved along both axes; NoRefine leaves the grid as
// it is.
const (
	DefaultRefine = 2
	NoRefine      = -1
	maxRefine     = 6
)

// Spec says what to map. Its zero fields mean the documented defaults; X and Y must be given.
type Spec struct {
	X, Y    Axis
	Set     map[string]*big.Rat // quantities on neither axis; absent ones: eta 1/10, p0 1/2, s0 on the parabola, the rest as in package flow
	Model   Model
	Measure Measure
	Refine  int     // 0: DefaultRefine; NoRefine: none
	Horizon float64 // time at which a mode is given up; 0: 200/min(η, β), for η = 0 10⁵·a/τ²
	Workers int     // 0: one per processor

	// Progress, if not nil, is called after every cell, by one goroutine at a time; total grows as cells are refined.
	Progress func(done, total int)
}

// Cell is a rectangle of the map, measured at its centre.
type Cell struct {
	X, Y               float64
	XLo, XHi, YLo, YHi float64
	Level              int // how often its base cell was halved
	Outcome            Outcome
	Value              float64 // of the measure; NaN if it is undefined, or for OutcomeOf
	Predicted          Outcome // see Summary

	i, j int // column and row on the grid of its level
}

// Summary counts the cells of a map.
type Summary struct {
	Cells                                int
	Collapse, Growth, Undecided, Pending int
	// Disagree counts decided cells whose predicted outcome is the other. The frozen and parabola models should have
	// none; of modes, whose prediction is that of τ = 1, they are the effect of the moving average.
	Disagree int
}

// Result is a map.
type Result struct {
	Spec   Spec // with the defaults filled in, Progress apart
	Cells  []Cell
	Curves []Curve
	Marks  []Mark
}

// Summary counts the cells.
func (r *Result) Summary() Summary {
	n := Summary{Cells: len(r.Cells)}
	for _, c := range r.Cells {
		switch c.Outcome {
		case Collapse:
			n.Collapse++
		case Growth:
			n.Growth++
		case Undecided:
			n.Undecided++
		case Pending:
			n.Pending++
		}
		if c.Outcome == Collapse && c.Predicted == Growth || c.Outcome == Growth && c.Predicted == Collapse {
			n.Disagree++
		}
	}
	return n
}

// String renders the counts on one line.
func (n Summary) String() string {
	s := fmt.Sprintf("%d cells: %d collapse, %d growth, %d undecided; %d differ from the prediction",
		n.Cells, n.Collapse, n.Growth, n.Undecided, n.Disagree)
	if n.Pending > 0 {
		s += fmt.Sprintf("; %d not measured", n.Pending)
	}
	return s
}

// Map measures the map that spec describes. The result depends on the specification alone, not on Workers.
//
// An error about the specification comes with a nil result and names the quantity. When ctx ends, Map returns the
// cells that are done, the others Pending, and an error that wraps ctx's.
func Map(ctx context.Context, spec Spec) (*Result, error) {
	r, err := newRunner(spec)
	if err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// runner is a checked specification at work.
type runner struct {
	spec    Spec
	workers int
	set     map[string]float64 // float values of everything that is on neither axis
	// bind is Model.bind; tests put mutated flows in its place.
	bind func(Model, point) (*dynamics, error)
}

func newRunner(spec Spec) (*runner, error) {
	if spec.Model < 0 || int(spec.Model) >= len(models) {
		return nil, fmt.Errorf("mapping: unknown model %d", int(spec.Model))
	}
	if spec.Measure < 0 || int(spec.Measure) >= len(measureNames) {
		return nil, fmt.Errorf("mapping: unknown measure %d", int(spec.Measure))
	}
	if spec.Refine < NoRefine || spec.Refine > maxRefine {
		return nil, fmt.Errorf("mapping: refinement by %d levels where 0 to %d are possible", spec.Refine, maxRefine)
	}
	if !(spec.Horizon >= 0) || spec.Horizon-spec.Horizon != 0 {
		return nil, fmt.Errorf("mapping: the horizon %v is not a finite time ≥ 0", spec.Horizon)
	}
	if spec.Workers < 0 {
		return nil, fmt.Errorf("mapping: %d workers", spec.Workers)
	}
	r := &runner{spec: spec, workers: spec.Workers, set: map[string]float64{}, bind: Model.bind}
	if r.workers == 0 {
		r.workers = runtime.GOMAXPROCS(0)
	}
	if spec.Refine == 0 {
		r.spec.Refine = DefaultRefine
	}
	given := map[string]bool{}
	use := func(name string) error {
		if given[name] {
			return fmt.Errorf("mapping: %s is given twice", name)
		}
		given[name] = true
		if !spec.Model.dependsOn(name) {
			return fmt.Errorf("mapping: the model %s does not depend on %s (it depends on %s)", spec.Model, name, models[spec.Model].depends)
		}
		return nil
	}
	for _, ax := range []*Axis{&r.spec.X, &r.spec.Y} {
		if err := ax.check(); err != nil {
			return nil, fmt.Errorf("mapping: axis %s: %v", ax.Quantity, err)
		}
		ax.Cells = ax.cells()
		if err := use(ax.Quantity); err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(spec.Set))
	for name := range spec.Set {
		names = append(names, name)
	}
	sort.Strings(names)
	r.spec.Set = map[string]*big.Rat{}
	for _, name := range names {
		if err := checkValue(name, spec.Set[name]); err != nil {
			return nil, fmt.Errorf("mapping: %v", err)
		}
		if err := use(name); err != nil {
			return nil, err
		}
		r.spec.Set[name] = spec.Set[name]
		r.set[name], _ = spec.Set[name].Float64()
		if name == "tau" && r.set[name] == 0 && spec.Model != Modes {
			return nil, fmt.Errorf("mapping: the model %s needs tau > 0", spec.Model)
		}
	}
	if given["kappa"] && given["eta"] {
		return nil, fmt.Errorf("mapping: kappa sets eta: give one of them")
	}
	for name, v := range defaults {
		if !given[name] && !(name == "eta" && given["kappa"]) {
			r.set[name], _ = v.Float64()
		}
	}
	if spec.Model == Modes && r.set["eta"] == 0 && !given["kappa"] && spec.X.Quantity != "eta" && spec.Y.Quantity != "eta" {
		return nil, fmt.Errorf("mapping: the model modes needs eta > 0: without decay its stationary states are not isolated")
	}
	return r, nil
}

// at returns the point at fractions of the axes.
func (r *runner) at(ux, uy float64) point { return r.point(r.spec.X.value(ux), r.spec.Y.value(uy)) }

func (r *runner) point(x, y float64) point {
	v := make(map[string]float64, len(r.set)+2)
	for name, f := range r.set {
		v[name] = f
	}
	v[r.spec.X.Quantity], v[r.spec.Y.Quantity] = x, y
	return r.spec.Model.resolve(v)
}

// parallel calls do for 0 … n−1 on the workers and returns the error of the smallest index, or that of ctx. After an
// error no more calls are started.
func (r *runner) parallel(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		where int
	)
	for range min(r.workers, n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				if err := do(ctx, i); err != nil {
					mu.Lock()
					if first == nil || i < where {
						first, where = err, i
					}
					mu.Unlock()
					cancel()
					return
				}
			}
		}()
	}
	wg.Wait()
	if first != nil {
		return first
	}
	return ctx.Err()
}

// cell makes the cell in column i and row j of the grid of a level.
func (r *runner) cell(level, i, j int) Cell {
	nx, ny := r.spec.X.Cells<<level, r.spec.Y.Cells<<level
	return Cell{
		X: r.spec.X.at(2*i+1, 2*nx), Y: r.spec.Y.at(2*j+1, 2*ny),
		XLo: r.spec.X.at(i, nx), XHi: r.spec.X.at(i+1, nx),
		YLo: r.spec.Y.at(j, ny), YHi: r.spec.Y.at(j+1, ny),
		Level: level, i: i, j: j,
	}
}

func (r *runner) run(ctx context.Context) (*Result, error) {
	res := &Result{Spec: r.spec}
	res.Spec.Progress = nil
	for j := range r.spec.Y.Cells {
		for i := range r.spec.X.Cells {
			res.Cells = append(res.Cells, r.cell(0, i, j))
		}
	}
	done, total := 0, len(res.Cells)
	var mu sync.Mutex
	measure := func(cells []*Cell) error {
		return r.parallel(ctx, len(cells), func(ctx context.Context, k int) error {
			if err := r.fill(ctx, cells[k]); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if r.spec.Progress != nil {
				r.spec.Progress(done, total)
			}
			return nil
		})
	}
	finish := func(err error) (*Result, error) {
		r.sort(res.Cells)
		switch {
		case ctx.Err() != nil:
			return res, fmt.Errorf("mapping: stopped with %d of %d cells measured: %w", done, total, ctx.Err())
		case err != nil:
			return res, fmt.Errorf("mapping: %w", err)
		}
		return res, nil
	}
	var err error
	if res.Curves, res.Marks, err = r.predictions(ctx); err != nil {
		return finish(err)
	}
	fresh := make([]*Cell, len(res.Cells))
	for k := range res.Cells {
		fresh[k] = &res.Cells[k]
	}
	if err := measure(fresh); err != nil {
		return finish(err)
	}
	// Refined cells may differ from neighbours that were not at the boundary before, so the boundary is followed until
	// both sides of it are refined fully.
	for {
		split := r.atBoundary(res.Cells)
		if len(split) == 0 {
			break
		}
		var children []Cell
		for _, k := range split {
			c := res.Cells[k]
			for dj := range 2 {
				for di := range 2 {
					children = append(children, r.cell(c.Level+1, 2*c.i+di, 2*c.j+dj))
				}
			}
		}
		fresh = fresh[:0]
		for k := range children {
			fresh = append(fresh, &children[k])
		}
		total += len(children)
		err := measure(fresh)
		// A measured parent says more than a set of children of which one was not.
		gone := map[int]bool{}
		var kept []Cell
		for n, k := range split {
			four := children[4*n : 4*n+4]
			if !slices.ContainsFunc(four, func(c Cell) bool { return c.Outcome == Pending }) {
				gone[k] = true
				kept = append(kept, four...)
			}
		}
		for k, c := range res.Cells {
			if !gone[k] {
				kept = append(kept, c)
			}
		}
		res.Cells = kept
		if err != nil {
			return finish(err)
		}
	}
	return finish(nil)
}

// fill measures a cell.
func (r *runner) fill(ctx context.Context, c *Cell) error {
	pt := r.point(c.X, c.Y)
	predicted, err := pt.predict(ctx, r.spec.Model)
	if err != nil {
		return err
	}
	d, err := r.bind(r.spec.Model, pt)
	if err != nil {
		return err
	}
	got, err := d.read(ctx, r.spec.Measure, r.spec.Horizon)
	if err != nil {
		return err
	}
	c.Predicted, c.Outcome, c.Value = predicted, got.outcome, got.value
	return nil
}

// sort orders cells by rows from below and columns from the left.
func (r *runner) sort(cells []Cell) {
	sort.Slice(cells, func(a, b int) bool {
		x, y := cells[a], cells[b]
		if x.Y != y.Y {
			return x.Y < y.Y
		}
		return x.X < y.X
	})
}

// kind is what makes two neighbours differ: the outcome, or for a map of margins the sign.
func (r *runner) kind(c Cell) int {
	if r.spec.Measure == Margin {
		switch {
		case c.Value > 0:
			return 1
		case c.Value <= 0:
			return -1
		}
		return 0
	}
	return int(c.Outcome)
}

// neighbours calls f for every two cells that share an edge, with the ends of the shared edge in units of the finest
// grid, on which the map is nx×ny.
func (r *runner) neighbours(cells []Cell, f func(a, b int, i0, j0, i1, j1 int)) (nx, ny int) {
	finest := 0
	for _, c := range cells {
		finest = max(finest, c.Level)
	}
	nx, ny = r.spec.X.Cells<<finest, r.spec.Y.Cells<<finest
	owner := make([]int32, nx*ny)
	for k, c := range cells {
		n := 1 << (finest - c.Level)
		for j := c.j * n; j < (c.j+1)*n; j++ {
			for i := c.i * n; i < (c.i+1)*n; i++ {
				owner[j*nx+i] = int32(k)
			}
		}
	}
	for j := range ny {
		for i := range nx {
			a := owner[j*nx+i]
			if i+1 < nx {
				if b := owner[j*nx+i+1]; a != b {
					f(int(a), int(b), i+1, j, i+1, j+1)
				}
			}
			if j+1 < ny {
				if b := owner[(j+1)*nx+i]; a != b {
					f(int(a), int(b), i, j+1, i+1, j+1)
				}
			}
		}
	}
	return nx, ny
}

// atBoundary returns, in order, the cells that differ from a neighbour and are not refined fully.
func (r *runner) atBoundary(cells []Cell) []int {
	at := map[int]bool{}
	r.neighbours(cells, func(a, b, _, _, _, _ int) {
		if r.kind(cells[a]) != r.kind(cells[b]) {
			at[a], at[b] = true, true
		}
	})
	var split []int
	for k := range at {
		if cells[k].Level < r.spec.Refine {
			split = append(split, k)
		}
	}
	slices.Sort(split)
	return split
}

// Segment is a piece of the measured boundary: an edge between two cells that differ.
type Segment struct{ A, B XY }

// Boundary returns the measured boundary: the edges between cells whose outcomes differ, in a map of margins between
// cells of different sign; edges of Pending cells apart.
func (r *Result) Boundary() []Segment {
	run := runner{spec: r.Spec}
	type edge struct{ i0, j0, i1, j1 int }
	var edges []edge
	nx, ny := run.neighbours(r.Cells, func(a, b, i0, j0, i1, j1 int) {
		x, y := r.Cells[a], r.Cells[b]
		if x.Outcome != Pending && y.Outcome != Pending && run.kind(x) != run.kind(y) {
			edges = append(edges, edge{i0, j0, i1, j1})
		}
	})
	out := make([]Segment, len(edges))
	for k, e := range edges {
		out[k] = Segment{XY{r.Spec.X.at(e.i0, nx), r.Spec.Y.at(e.j0, ny)}, XY{r.Spec.X.at(e.i1, nx), r.Spec.Y.at(e.j1, ny)}}
	}
	return out
}

// Title describes the map on one line, exact values as given.
func (r *Result) Title() string {
	var parts []string
	say := func(name string) {
		q, _ := quantity(name)
		v, ok := r.Spec.Set[name]
		if !ok {
			v = defaults[name]
		}
		parts = append(parts, q.Symbol+" = "+text(v))
	}
	run := runner{spec: r.Spec}
	on := func(name string) bool { return r.Spec.X.Quantity == name || r.Spec.Y.Quantity == name }
	for _, q := range quantities {
		if !r.Spec.Model.dependsOn(q.Name) || on(q.Name) {
			continue
		}
		switch q.Name {
		case "eta":
			if !run.free("kappa") {
				say("eta")
			}
		case "kappa":
			if run.free("kappa") {
				say("kappa")
			}
		case "s0":
			if run.free("s0") {
				say("s0")
			} else {
				parts = append(parts, "s(0) = p(0)²/α")
			}
		default:
			say(q.Name)
		}
	}
	model := map[Model]string{Frozen: "frozen τ", Modes: "moving average", Parabola: "on the parabola"}[r.Spec.Model]
	what := map[Measure]string{OutcomeOf: "Outcome", Margin: "Least margin k of alignment", Time: "Time to a decision", FinalS: "Final s"}[r.Spec.Measure]
	return what + ", " + model + ": " + strings.Join(parts, ", ")
}

// text writes a number as a short exact decimal if there is one, else as a fraction.
func text(v *big.Rat) string {
	const digits = 6
	s := v.FloatString(digits)
	if back, ok := new(big.Rat).SetString(s); ok && back.Cmp(v) == 0 {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	return v.RatString()
}
