package fuzz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"stopgrad/fuzz/campaign"
	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/design"
	"stopgrad/fuzz/falsify"
	"stopgrad/fuzz/region"
	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// FuzzOptions say what [Fuzz] samples.
type FuzzOptions struct {
	Region *region.Region // nil: the claim's own domains
	N      int            // points per statement
	Seed   uint64
	// Workers is how many tiles are computed at a time; 0 means one per processor. The result does not depend
	// on it.
	Workers int
	// Dir keeps the results, so that a campaign can be interrupted and resumed; empty keeps nothing.
	Dir string
	// Progress, if not nil, is told of finished points.
	Progress func(done, total int)
}

// TilePoints is the number of points of a tile, the unit of work that is kept.
const TilePoints = 256

// MaxPoints bounds a campaign: what its tiles came to is held in memory, some kilobytes each.
const MaxPoints = 20_000_000

// Failures in float64 of a statement that are looked at exactly in a campaign: of a statement about scalars at one state, and of
// another, which takes longer; and in each tile at least so many.
const (
	scalarLooks = 20_000
	otherLooks  = 2_000
	tileLooks   = 8
)

// worstKept is the number of worst points that are kept of every statement.
const worstKept = 10

// Edges are the ends of the bins of the margins' histogram: bin 0 is below Edges[0], bin i from Edges[i−1] up
// to Edges[i], the last above all. A relative margin within eval.Tolerance of zero is rounding.
var Edges = []float64{-1, -1e-1, -1e-2, -1e-3, -1e-6, -eval.Tolerance, 0, eval.Tolerance, 1e-6, 1e-3, 1e-2, 1e-1, 1}

// Point is a sampled state that is worth keeping.
type Point struct {
	Index  int               `json:"index"` // of the design
	Margin float64           `json:"margin"`
	State  map[string]string `json:"state"` // exact numbers by name, as drawn
	// Confirmed is set if the model refutes the statement at the state (with irrational roots moved to the
	// nearest state where they are rational).
	Confirmed bool `json:"confirmed"`
}

// Tally is what the samples of one statement came to. Margins are relative to the numbers that they were
// computed from; that of an equality is minus its residual.
type Tally struct {
	Name      string  `json:"name"`
	Reading   Reading `json:"reading"`
	Statement string  `json:"statement"`
	Drawn     int     `json:"drawn"`
	Undefined int     `json:"undefined"` // no state, or no value there
	Unmet     int     `json:"unmet"`     // a hypothesis fails
	Holds     int     `json:"holds"`
	Fails     int     `json:"fails"` // exactly, the hypotheses being met exactly; over time, by the model
	// Open counts states at which the statement fails in float64 and nothing exact says so, which decides nothing.
	Open int `json:"open"`
	// Unasked counts those of them that nothing exact was asked about, for their number.
	Unasked int `json:"unasked"`
	// Refuted counts tiles whose worst failure the model has confirmed.
	Refuted   int     `json:"refuted"`
	Histogram []int   `json:"histogram"` // over Edges, of the states that meet the hypotheses
	Worst     []Point `json:"worst"`     // by margin, then index
}

// Sampling is the result of [Fuzz].
type Sampling struct {
	Claim   string  `json:"claim"`
	Region  string  `json:"region,omitempty"` // file name
	N       int     `json:"n"`
	Seed    uint64  `json:"seed"`
	Design  string  `json:"design"`
	Tallies []Tally `json:"statements"`
	// Notes say what of the region has no effect on which statement.
	Notes   []string `json:"notes,omitempty"`
	Resumed int      `json:"-"` // tiles that were found in the store
	Dropped int      `json:"-"` // damaged lines of the store
}

// header identifies a campaign.
type header struct {
	Format     string   `json:"format"`
	Claim      string   `json:"claim"`
	Statements []string `json:"statements"`
	Region     string   `json:"region_sha256"`
	N          int      `json:"n"`
	Seed       uint64   `json:"seed"`
	Tile       int      `json:"tile_points"`
}

// Fuzz samples the statements of a claim at n points of a region: parameters with a box by a scrambled Halton
// design, everything else independently. It returns the error of ctx if that ends it early; what is finished
// is then in Dir, if one was given.
func Fuzz(ctx context.Context, f *lang.File, claim string, o FuzzOptions) (*Sampling, error) {
	if o.N < 1 || o.N > MaxPoints {
		return nil, fmt.Errorf("fuzz: n is %d; expected a number of points from 1 to %d", o.N, MaxPoints)
	}
	all, err := Targets(f, claim)
	if err != nil {
		return nil, err
	}
	var targets []Target
	var parts []*lang.Part
	for _, t := range all {
		if (t.Reading == Printed || t.Reading == Corrected) && t.Part.Fault == nil && t.Part.Stmt.Kind != lang.Vanishes {
			targets, parts = append(targets, t), append(parts, t.Part)
		}
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("fuzz: claim %s has no statement that a sampled state decides", claim)
	}
	h := header{Format: "stopgrad-campaign/3", Claim: claim, N: o.N, Seed: o.Seed, Tile: TilePoints}
	out := &Sampling{Claim: claim, N: o.N, Seed: o.Seed, Design: "scrambled Halton"}
	if o.Region != nil {
		if err := o.Region.Fits(claim, parts, nil); err != nil {
			return nil, err
		}
		out.Notes = o.Region.Unused(parts)
		sum := sha256.Sum256([]byte(o.Region.Canonical()))
		h.Region, out.Region = hex.EncodeToString(sum[:]), filepath.Base(o.Region.File)
	}
	s := &sampler{o: o}
	for _, t := range targets {
		h.Statements = append(h.Statements, t.Statement())
		s.parts = append(s.parts, newSampled(t, o))
	}
	if err := s.design(); err != nil {
		return nil, err
	}
	tiles := (o.N + TilePoints - 1) / TilePoints
	results := make([][]byte, tiles)
	var store *campaign.Store
	if o.Dir != "" {
		text, err := json.MarshalIndent(h, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("fuzz: %w", err)
		}
		if store, err = campaign.Open(o.Dir, append(text, '\n')); err != nil {
			return nil, err
		}
		defer store.Close()
		for k := range tiles {
			if p, ok := store.Done(k); ok {
				results[k] = p
				out.Resumed++
			}
		}
		out.Dropped = store.Dropped
	}
	if err := s.run(ctx, results, store); err != nil {
		return nil, err
	}
	if err := out.merge(targets, results); err != nil {
		return nil, err
	}
	if o.Dir != "" {
		text, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("fuzz: %w", err)
		}
		if err := campaign.WriteFile(filepath.Join(o.Dir, "sampling.json"), append(text, '\n')); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// run computes the tiles that have no result, in parallel, and records them.
func (s *sampler) run(ctx context.Context, results [][]byte, store *campaign.Store) error {
	workers := s.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type finished struct {
		tile int
		text []byte
		err  error
	}
	todo, done := make(chan int), make(chan finished)
	var wg sync.WaitGroup
	for range min(workers, len(results)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range todo {
				text, err := s.tile(ctx, k)
				done <- finished{k, text, err}
			}
		}()
	}
	go func() {
		defer close(todo)
		for k := range results {
			if results[k] != nil {
				continue
			}
			select {
			case todo <- k:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		wg.Wait()
		close(done)
	}()
	var first error
	ready := 0
	for k := range results {
		if results[k] != nil {
			ready++
		}
	}
	for f := range done {
		err := f.err
		if err == nil && store != nil {
			err = store.Append(f.tile, f.text)
		}
		if err != nil {
			if first == nil {
				first = err
			}
			cancel()
			continue
		}
		results[f.tile] = f.text
		ready++
		if s.o.Progress != nil {
			s.o.Progress(min(ready*TilePoints, s.o.N), s.o.N)
		}
	}
	if first == nil && ready < len(results) {
		first = ctx.Err()
	}
	return first
}

// sampler draws the points.
type sampler struct {
	o     FuzzOptions
	parts []*sampled
	boxes []region.Box // sampled by the design, in its order
	h     *design.Halton
}

// sampled is one statement with the charts of its sizes.
type sampled struct {
	Target
	label  uint64
	sizes  []falsify.Sizes
	charts map[string]*sampledChart
	mu     sync.Mutex
	// program judges a statement about scalars; nil where eval.Judge has to.
	program *eval.Scalars
}

type sampledChart struct {
	c     *chart.Chart
	err   error
	draws []func(box []float64, rng *rand.Rand) float64
}

func newSampled(t Target, o FuzzOptions) *sampled {
	h := fnv.New64a()
	h.Write([]byte(t.Label()))
	p := &sampled{Target: t, label: h.Sum64(), charts: map[string]*sampledChart{}}
	if program, err := eval.NewScalars(t.Part); err == nil {
		p.program = program
	}
	given := map[string]falsify.Sizes{}
	if o.Region != nil {
		given = o.Region.Sizes()
	}
	hi := falsify.DefaultMaxSize
	for _, name := range t.Part.Env.Order {
		if t.Part.Env.Symbols[name].Kind == lang.Random {
			hi = 2
		}
	}
	for _, d := range t.Part.Env.Sizes {
		z, ok := given[string(d)]
		if !ok {
			z = falsify.Sizes{Lo: 1, Hi: hi}
		}
		p.sizes = append(p.sizes, z)
	}
	return p
}

// design lists the boxes that are sampled by the design: those with more than a point.
func (s *sampler) design() error {
	if s.o.Region != nil {
		for _, b := range s.o.Region.Parameters {
			if !b.IsPoint() {
				s.boxes = append(s.boxes, b)
			}
		}
	}
	if len(s.boxes) > design.MaxDim {
		return fmt.Errorf("fuzz: %s: %d parameters with a box; at most %d", s.o.Region.File, len(s.boxes), design.MaxDim)
	}
	s.h = design.NewHalton(s.o.Seed, len(s.boxes), s.o.N)
	return nil
}

// chartFor returns the chart of the sizes with what draws each coordinate.
func (p *sampled) chartFor(s *sampler, dims map[lang.Dim]int) *sampledChart {
	key := ""
	if len(dims) > 0 {
		key = fmt.Sprint(dims)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if sc := p.charts[key]; sc != nil {
		return sc
	}
	sc := &sampledChart{}
	p.charts[key] = sc
	if sc.c, sc.err = chart.NewFree(p.Part, dims); sc.err != nil {
		return sc
	}
	axes := falsify.Axes(sc.c)
	for i, co := range sc.c.Coords() {
		sc.draws = append(sc.draws, s.drawOf(co, axes[i]))
	}
	return sc
}

// drawOf returns what draws a coordinate: the design for a parameter with a box, its distribution for an entry
// of a matrix, else the axis of the search, uniformly.
func (s *sampler) drawOf(co chart.Coord, axis falsify.Axis) func(box []float64, rng *rand.Rand) float64 {
	if s.o.Region != nil {
		if b, ok := s.o.Region.Box(co.Symbol); ok {
			if b.IsPoint() {
				v, _ := b.Lo.Float64()
				return func([]float64, *rand.Rand) float64 { return v }
			}
			k := slices.IndexFunc(s.boxes, func(x region.Box) bool { return x.Name == b.Name })
			return func(box []float64, _ *rand.Rand) float64 { return box[k] }
		}
		if d, ok := s.o.Region.Distribution(co.Symbol); ok {
			if d.Normal != nil {
				sd, _ := d.Normal.Float64()
				return func(_ []float64, rng *rand.Rand) float64 { return sd * rng.NormFloat64() }
			}
			return func(_ []float64, rng *rand.Rand) float64 { return d.At(rng.Float64()) }
		}
	}
	if co.Kind != chart.Scalar {
		return func(_ []float64, rng *rand.Rand) float64 { return rng.NormFloat64() }
	}
	return func(_ []float64, rng *rand.Rand) float64 { return axis.At(rng.Float64()) }
}

// coordinates draws point i of a statement: its chart and its coordinates there.
func (s *sampler) coordinates(p *sampled, i int, box, x []float64) (*sampledChart, []float64) {
	rng := rand.New(rand.NewPCG(s.o.Seed^p.label, uint64(i)))
	var dims map[lang.Dim]int
	if len(p.sizes) > 0 {
		dims = map[lang.Dim]int{}
	}
	for k, d := range p.Part.Env.Sizes {
		dims[d] = p.sizes[k].Lo + rng.IntN(p.sizes[k].Hi-p.sizes[k].Lo+1)
	}
	sc := p.chartFor(s, dims)
	x = x[:0]
	for _, draw := range sc.draws {
		x = append(x, draw(box, rng))
	}
	return sc, x
}

// state draws point i of a statement.
func (s *sampler) state(p *sampled, i int, box []float64) (eval.State[float64], error) {
	sc, x := s.coordinates(p, i, box, nil)
	if sc.err != nil {
		return eval.State[float64]{}, sc.err
	}
	return chart.Build(sc.c, eval.Float{}, x)
}

// box writes the values of the boxed parameters at point i, in their boxes.
func (s *sampler) box(i int, u []float64) {
	s.h.At(i, u)
	for k, b := range s.boxes {
		u[k] = b.At(u[k])
	}
}

// tile computes the tallies of a tile's points as a line of JSON.
func (s *sampler) tile(ctx context.Context, k int) ([]byte, error) {
	tallies := make([]Tally, len(s.parts))
	for j := range tallies {
		tallies[j].Histogram = make([]int, len(Edges)+1)
	}
	box := make([]float64, len(s.boxes))
	scratch := make([]scratch, len(s.parts))
	for i := k * TilePoints; i < min((k+1)*TilePoints, s.o.N); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.box(i, box)
		for j, p := range s.parts {
			s.sample(p, i, box, &tallies[j], &scratch[j])
		}
	}
	for j := range tallies {
		t := &tallies[j]
		for w := range t.Worst {
			s.finish(s.parts[j], &t.Worst[w], w == 0, box)
		}
		if len(t.Worst) > 0 && t.Worst[0].Confirmed {
			t.Refuted = 1
		}
	}
	text, err := json.Marshal(tallies)
	if err != nil {
		return nil, fmt.Errorf("fuzz: %w", err)
	}
	return text, nil
}

// scratch is what a worker keeps between the points of a statement.
type scratch struct {
	x     []float64
	w     *eval.Registers
	looks int // failures that were looked at exactly
	model *verdict.Refuter
}

// sample judges point i of a statement.
func (s *sampler) sample(p *sampled, i int, box []float64, t *Tally, c *scratch) {
	t.Drawn++
	j := s.judge(p, i, box, c)
	switch {
	case !j.Defined || math.IsNaN(j.Margin) || math.IsInf(j.Margin, 0):
		// A number beyond float64 is no value there.
		t.Undefined++
		return
	case !j.Met:
		t.Unmet++
		return
	case j.Holds:
		t.Holds++
	default:
		if c.looks == s.looks(p) {
			t.Open++
			t.Unasked++
			return
		}
		c.looks++
		switch s.failure(p, i, box, c) {
		case fails:
			t.Fails++
		case lacks:
			t.Unmet++
			return
		case holds:
			t.Holds++
			j.Margin = max(j.Margin, 0)
		case unknown:
			t.Open++
			return
		}
	}
	bin, _ := slices.BinarySearchFunc(Edges, j.Margin, func(e, m float64) int {
		if e <= m {
			return -1
		}
		return 1
	})
	t.Histogram[bin]++
	t.keep(Point{Index: i, Margin: j.Margin})
}

// looks is how many failures in float64 of a statement are looked at exactly in a tile.
func (s *sampler) looks(p *sampled) int {
	all := otherLooks
	if p.program != nil && !eval.OverTime(p.Part) {
		all = scalarLooks
	}
	return max(tileLooks, all*TilePoints/s.o.N)
}

// standing is what a state at which a statement fails in float64 comes to when it is looked at exactly.
type standing int

const (
	fails   standing = iota // it meets the hypotheses, and the statement fails
	lacks                   // it does not meet them
	holds                   // the statement holds
	unknown                 // neither is known
)

// failure looks exactly at point i of a statement, where it fails in float64. Its coordinates are fractions, and what is drawn
// or computed from them is drawn and computed exactly; where roots are irrational, the state next to it where they are not
// may show that the statement fails.
func (s *sampler) failure(p *sampled, i int, box []float64, c *scratch) standing {
	sc, x := s.coordinates(p, i, box, nil)
	fractions := make([]*big.Rat, len(x))
	for k, v := range x {
		if fractions[k] = new(big.Rat).SetFloat64(v); fractions[k] == nil {
			return unknown
		}
	}
	precise, err := chart.Build(sc.c, eval.Rational{}, fractions)
	if err == nil {
		var found standing
		if found, err = p.exactly(precise, c); err == nil {
			return found
		}
	}
	if !errors.Is(err, eval.ErrNoRoot) {
		return unknown
	}
	st, err := chart.Build(sc.c, eval.Float{}, x)
	if err != nil {
		return unknown
	}
	if w, ok := exact(st); ok {
		if w, err := nearby(p.Part, w); err == nil {
			if found, err := p.exactly(w, c); err == nil && found == fails {
				return fails
			}
		}
	}
	return unknown
}

// exactly is what a statement comes to at an exact state. What a state says of a statement over time counts only if the model
// says so, too: no motion along which the hypotheses hold may pass it.
func (p *sampled) exactly(w verdict.Witness, c *scratch) (standing, error) {
	f, err := eval.Judge(eval.Rational{}, p.Part, w)
	switch {
	case err != nil:
		return unknown, err
	case !f.Met:
		return lacks, nil
	case f.Holds:
		return holds, nil
	case !eval.OverTime(p.Part) && p.Part.Stmt.Kind != lang.Assumption:
		return fails, nil
	}
	if c.model == nil {
		c.model = verdict.NewRefuter(p.Part)
	}
	if r, err := c.model.At(w); err != nil || !r.Counterexample().Valid() {
		return unknown, nil
	}
	return fails, nil
}

// judge judges point i of a statement, compiled or interpreted.
func (s *sampler) judge(p *sampled, i int, box []float64, c *scratch) eval.Judgement {
	var sc *sampledChart
	sc, c.x = s.coordinates(p, i, box, c.x)
	if sc.err != nil {
		return eval.Judgement{}
	}
	if p.program != nil {
		if c.w == nil {
			c.w = p.program.NewRegisters()
		}
		return p.program.Judge(c.w, c.x)
	}
	st, err := chart.Build(sc.c, eval.Float{}, c.x)
	if err != nil {
		return eval.Judgement{}
	}
	f, err := eval.Judge(eval.Float{}, p.Part, st)
	if err != nil {
		return eval.Judgement{}
	}
	m := margin(f)
	return eval.Judgement{Defined: true, Met: f.Met, Holds: f.Holds, Margin: m}
}

// margin is the relative margin of a finding, minus the relative residual for an equality.
func margin(f *eval.Finding) float64 {
	if m, ok := falsify.Margin(f); ok {
		return m
	}
	scale := f.Measures["scale"]
	if !(scale > 0) {
		scale = 1
	}
	if r, ok := f.Measures["residual"]; ok {
		return -r / scale
	}
	if v, ok := f.Measures["speed"]; ok && !f.Holds {
		return -math.Abs(v)
	}
	if f.Holds {
		return 0
	}
	return -1
}

// keep inserts a point among the worst.
func (t *Tally) keep(p Point) {
	if len(t.Worst) == worstKept && !worse(p, t.Worst[worstKept-1]) {
		return
	}
	k, _ := slices.BinarySearchFunc(t.Worst, p, func(a, b Point) int {
		if worse(a, b) {
			return -1
		}
		return 1
	})
	t.Worst = slices.Insert(t.Worst, k, p)
	t.Worst = t.Worst[:min(len(t.Worst), worstKept)]
}

func worse(a, b Point) bool {
	return a.Margin < b.Margin || a.Margin == b.Margin && a.Index < b.Index
}

// finish writes down the state of a kept point and, for a tile's worst failure, asks the verdict.
func (s *sampler) finish(p *sampled, pt *Point, ask bool, box []float64) {
	s.box(pt.Index, box)
	st, err := s.state(p, pt.Index, box)
	if err != nil {
		return
	}
	w, ok := exact(st)
	if !ok {
		return
	}
	pt.State = witness.Flatten(w)
	if !ask || !(pt.Margin < 0) {
		return
	}
	if w, err := nearby(p.Part, w); err == nil {
		if r, err := verdict.Refute(p.Part, w); err == nil && r.Verdict().IsRefuted() {
			pt.State, pt.Confirmed = witness.Flatten(w), true
		}
	}
}

// exact returns the rational numbers that a float64 state stands for.
func exact(st eval.State[float64]) (verdict.Witness, bool) {
	w := verdict.Witness{Dims: st.Dims, Vals: map[string]witness.Matrix{}}
	for name, m := range st.Vals {
		a := make([]*big.Rat, len(m.A))
		for i, v := range m.A {
			if a[i] = new(big.Rat).SetFloat64(v); a[i] == nil {
				return w, false
			}
		}
		w.Vals[name] = witness.Matrix{R: m.R, C: m.C, A: a}
	}
	return w, true
}

// nearby returns a state next to w whose roots are rational and whose equality hypotheses hold exactly: the
// roots keep their float64 values, and the draws are carried out again.
func nearby(part *lang.Part, w verdict.Witness) (verdict.Witness, error) {
	e, err := eval.New(eval.Float{}, part.Env, witness.Floats(w))
	if err != nil {
		return w, err
	}
	for _, name := range part.Env.Order {
		if part.Env.Symbols[name].Root == nil {
			continue
		}
		m, err := e.Eval(lang.NewSym(lang.Pos{}, name))
		if err != nil {
			return w, err
		}
		r := new(big.Rat).SetFloat64(m.A[0])
		if r == nil {
			return w, errors.New("fuzz: a root is not finite")
		}
		w.Vals[name] = eval.ScalarOf(r)
	}
	if w, err = chart.Repair(part, w, ""); err != nil {
		return w, err
	}
	return w, chart.Draws(part, eval.Rational{}, &w)
}

// merge adds up the tiles, in their order.
func (out *Sampling) merge(targets []Target, results [][]byte) error {
	for _, t := range targets {
		out.Tallies = append(out.Tallies, Tally{Name: t.Name, Reading: t.Reading, Statement: t.Statement(), Histogram: make([]int, len(Edges)+1)})
	}
	for k, text := range results {
		var ts []Tally
		if err := json.Unmarshal(text, &ts); err != nil || len(ts) != len(targets) {
			return fmt.Errorf("fuzz: the result of tile %d does not fit the claim", k)
		}
		for j, t := range ts {
			if len(t.Histogram) != len(Edges)+1 {
				return fmt.Errorf("fuzz: the result of tile %d does not fit the claim", k)
			}
			sum := &out.Tallies[j]
			sum.Drawn += t.Drawn
			sum.Undefined += t.Undefined
			sum.Unmet += t.Unmet
			sum.Holds += t.Holds
			sum.Fails += t.Fails
			sum.Open += t.Open
			sum.Unasked += t.Unasked
			sum.Refuted += t.Refuted
			for b, n := range t.Histogram {
				sum.Histogram[b] += n
			}
			for _, p := range t.Worst {
				sum.keep(p)
			}
		}
	}
	return nil
}
