package falsify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/design"
	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/optimise"
	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// Effort says how many states each stage may look at.
type Effort struct {
	Interior, Corners, Solved int
	// Wide states have numbers of any magnitude, at ends and ties; Lines are moved along, one scalar each.
	Wide, Lines int
	// Cells bounds the work of looking at sample points of cells (sample.Cells).
	Cells int
	// Optimise is spent on each choice of sizes.
	Optimise optimise.Effort
}

// Options of a search. The zero value has no effort and finds nothing.
type Options struct {
	Seed   uint64
	Effort Effort
	// Sizes bounds the symbolic sizes by name; others go up to DefaultMaxSize.
	Sizes map[string]Sizes
	// Domain, if not nil, narrows the domain of a scalar.
	Domain func(name string) (lang.Domain, bool)
}

// Result is what a search came to.
type Result struct {
	Refutation *verdict.Refutation // nil if none was found
	Witness    verdict.Witness
	Stage      string // that found it: interior, corners, wide, large, lines, cells, solved, or one of package optimise
	// Coordinates and Rebuild give the states around the witness where it comes from a chart with equations
	// solved for: the witness is Rebuild(Coordinates), and Groups lists the coordinates by symbol. Nil otherwise.
	Coordinates []*big.Rat
	Groups      [][]int
	Rebuild     func(x []*big.Rat) (verdict.Witness, error)
	Drawn       int // states looked at, in float64 or exactly
	Tried       int // exact states that met every hypothesis
	// Nearest is the least margin of a state that meets the hypotheses, relative to the numbers it was
	// computed from; +Inf if the statement has no margin or no such state was met.
	Nearest float64
	// Tested is what was followed of a statement over steps.
	Tested sample.Tested
	CutOff bool  // the context ended the search early
	Spent  bool  // maxExact did, which depends on the seed alone
	Err    error // of the last state that could not be judged, if none could
}

// Search looks for a counterexample of part. It depends on the seed, the label and the effort alone, unless
// ctx ends it early.
func Search(ctx context.Context, part *lang.Part, label string, o Options) Result {
	s := &searcher{ctx: ctx, exact: eval.NewMetered(), model: verdict.NewRefuter(part), part: part, target: Narrowed(part, o.Domain), o: o, label: label}
	s.res.Nearest, s.res.Tested.Nearest = math.Inf(1), math.Inf(1)
	s.steps = eval.OverSteps(s.target)
	s.search()
	if s.res.Refutation == nil && s.bare != nil {
		s.res.Refutation, s.res.Witness, s.res.Stage = s.bare, s.bareWitness, s.bareStage
	}
	return s.res
}

func (s *searcher) search() {
	part := s.part
	if part.Fault != nil || part.Stmt.Kind == lang.Sampled {
		s.res.Err = errors.New("falsify: a statement that no state decides")
		return
	}
	s.weak = weaker(part)
	for _, stage := range []func(){s.interior, s.corners, s.wide, s.large, s.lines, s.cells, s.solved, s.optimise} {
		if stage(); s.finished() {
			return
		}
	}
}

// cells looks at a sample point of each cell on which everything that decides a statement about scalars has one sign.
func (s *searcher) cells() {
	if s.o.Effort.Cells == 0 {
		return
	}
	r := sample.Cells(s.ctx, s.target, s.o.Effort.Cells)
	s.res.Drawn += r.Drawn
	if r.Refutation == nil {
		return
	}
	if x, err := s.model.At(r.Witness); err == nil && x.Verdict().IsRefuted() {
		s.res.Refutation, s.res.Witness, s.res.Stage = x, r.Witness, "cells"
	}
}

// Narrowed returns part with the domains of its scalars replaced by smaller ones: a counterexample of the result
// is one of part. A nil domain leaves part as it is.
func Narrowed(part *lang.Part, domain func(string) (lang.Domain, bool)) *lang.Part {
	if domain == nil {
		return part
	}
	p, env := *part, *part.Env
	env.Symbols = make(map[string]*lang.Symbol, len(part.Env.Symbols))
	for name, s := range part.Env.Symbols {
		if d, ok := domain(name); ok && s.Kind == lang.Scalar {
			c := *s
			c.Narrow(d)
			s = &c
		}
		env.Symbols[name] = s
	}
	p.Env = &env
	return &p
}

// maxExact is the most work of exact arithmetic at the states of a search, see [eval.Metered].
const maxExact = 3_200_000

type searcher struct {
	ctx    context.Context
	exact  eval.Metered
	model  *verdict.Refuter
	part   *lang.Part // as claimed
	target *lang.Part // within the region
	o      Options
	label  string
	res    Result

	steps       bool       // the statement is over steps
	refused     int        // states that seemed to fail and were not confirmed
	weak        *lang.Part // the statement made weaker, if it is strict
	bare        *verdict.Refutation
	bareWitness verdict.Witness
	bareStage   string
}

func (s *searcher) finished() bool {
	if s.res.Refutation != nil {
		return true
	}
	s.res.CutOff = s.res.CutOff || s.ctx.Err() != nil
	s.res.Spent = s.res.Spent || s.exact.Spent() > maxExact
	return s.res.CutOff || s.res.Spent
}

// offer judges an exact state and hands a failure to the verdict.
func (s *searcher) offer(st verdict.Witness, stage string) bool {
	f, err := eval.Try(s.exact, s.target, st)
	if err != nil {
		if s.res.Tried == 0 {
			s.res.Err = err
		}
		return false
	}
	if !f.Met {
		return false
	}
	s.res.Tried++
	s.res.Err = nil
	if s.steps && f.Holds && s.res.Tested.Followed < orbitsFollowed {
		if o, err := eval.FollowOrbit(s.exact, s.target, st, sample.OrbitSteps); err == nil && o.Steps > 0 {
			s.res.Tested.Note(o)
			f.Holds = !o.Fails
		}
	}
	if f.Holds && !f.Left {
		if m, ok := Margin(f); ok && Margined(s.part.Stmt) && (s.part.Stmt.Kind != lang.Stays || f.Measures["value"] == 0) {
			s.res.Nearest = min(s.res.Nearest, m)
		}
		return false
	}
	if !sample.WorthAsking(s.refused + 1) {
		s.refused++
		return false
	}
	r, err := s.model.At(st)
	if err != nil {
		s.refused++
		s.res.Err = err
		s.res.Tested.Unjudged(err)
		return false
	}
	if !r.Verdict().IsRefuted() {
		s.refused++
		return false
	}
	if s.weak != nil {
		// A strict statement that fails by equality alone is kept for want of anything better.
		if f, err := eval.Judge(eval.Rational{}, s.weak, st); err == nil && f.Holds {
			if s.bare == nil {
				s.bare, s.bareWitness, s.bareStage = r, witness.Clone(st), stage
			}
			return false
		}
	}
	s.res.Refutation, s.res.Witness, s.res.Stage = r, witness.Clone(st), stage
	return true
}

// orbitsFollowed is how many orbits are followed of a statement over steps.
const orbitsFollowed = 400

// weaker returns part with ≻ replaced by ⪰, > by ≥ and < by ≤, nil if it has none of them.
func weaker(part *lang.Part) *lang.Part {
	stmt := *part.Stmt
	switch {
	case stmt.Kind == lang.Definite && stmt.Strict:
		stmt.Strict = false
	case stmt.Kind == lang.Inequality && (stmt.Rel == ">" || stmt.Rel == "<"):
		stmt.Rel += "="
	default:
		return nil
	}
	p := *part
	p.Stmt = &stmt
	return &p
}

func (s *searcher) draw(stage string, n int, choose func(sample.Chooser) sample.Chooser, wide bool, after func(sample.Chooser, verdict.Witness)) {
	stream := sample.NewStream(s.o.Seed, s.label+"/"+stage)
	sizes := s.o.sizesOf(s.target)
	for i := range n {
		if s.finished() {
			return
		}
		s.res.Drawn++
		ch := choose(stream)
		ks := drawSizes(stream, s.target, sizes, float64(i%4+i*4/max(1, n))/6)
		most := 1
		for _, k := range ks {
			most = max(most, k)
		}
		st, err := sample.DrawBy(s.exact, &sized{Chooser: ch, sizes: ks}, s.target, most, wide)
		if err != nil {
			continue
		}
		if after != nil {
			after(stream, st)
		}
		if s.offer(st, stage) {
			return
		}
	}
}

func plain(c sample.Chooser) sample.Chooser { return c }

func (s *searcher) interior() { s.draw("interior", s.o.Effort.Interior, plain, false, nil) }

func (s *searcher) wide() { s.draw("wide", s.o.Effort.Wide, plain, true, nil) }

// large looks at a few states of sizes beyond those that others are drawn at, the largest that of the model.
func (s *searcher) large() {
	sizes := s.o.sizesOf(s.target)
	var free []int // the sizes that nothing bounds
	for i, d := range s.target.Env.Sizes {
		_, fixed := s.target.Env.Fixed[d]
		if _, bounded := s.o.Sizes[string(d)]; !fixed && !bounded && sizes[d].Hi == DefaultMaxSize {
			free = append(free, i)
		}
	}
	if len(free) == 0 || s.o.Effort.Wide == 0 {
		return
	}
	stream := sample.NewStream(s.o.Seed, s.label+"/large")
	// What one of them takes may be as much as all others together: the rest of the search is not to go without.
	most := s.exact.Spent() + maxExact/largeShare
	for i := range largeStates {
		if s.finished() || s.exact.Spent() > most {
			return
		}
		s.res.Drawn++
		ks, k := drawSizes(stream, s.target, sizes, 0), largeSizes[i%len(largeSizes)]
		for j, at := range free {
			// All of them, or one.
			if round := i / len(largeSizes); round%2 == 0 || round/2%len(free) == j {
				ks[at] = k
			}
		}
		st, err := sample.DrawBy(s.exact, &sized{Chooser: stream, sizes: ks}, s.target, k, false)
		if err != nil {
			continue
		}
		if s.offer(st, "large") {
			return
		}
	}
}

const (
	largeStates = 40
	largeShare  = 10 // of the exact work of a search
)

var largeSizes = []int{4, 5, 6, 8, 12, 4, 5, 6, 16, model.MaxSize}

func (s *searcher) corners() {
	s.draw("corners", s.o.Effort.Corners, func(c sample.Chooser) sample.Chooser { return corner{c} }, false, nil)
}

func (s *searcher) solved() {
	if needsEquations(s.part) {
		s.draw("solved", s.o.Effort.Solved, plain, false, func(ch sample.Chooser, st verdict.Witness) { solveAtRandom(s.exact, ch, s.target, st) })
	}
}

// optimise makes the objective negative over the chart of each choice of sizes: for a statement with a margin
// directly, for one with equality hypotheses after solving them for the symbols in which they are affine.
func (s *searcher) optimise() {
	if s.o.Effort.Optimise.Evaluations() == 0 || s.part.Stmt.Kind == lang.Vanishes {
		return
	}
	margined, equations := Margined(s.part.Stmt), needsEquations(s.part)
	if !margined && (!equations || s.part.Stmt.Kind != lang.Equality) {
		return
	}
	for _, dims := range s.choices() {
		c, err := chart.New(s.target, dims)
		if err != nil {
			if s.res.Tried == 0 {
				s.res.Err = err
			}
			continue
		}
		met := !equations || s.solves(c, nil)
		if met && margined {
			s.over(c, nil)
		}
		if !met {
			for _, names := range s.solving(c) {
				if s.over(c, names); s.finished() {
					return
				}
			}
		}
		if s.finished() {
			return
		}
	}
}

// over optimises over a chart, the named symbols solved for.
func (s *searcher) over(c *chart.Chart, names []string) {
	effort := s.o.Effort.Optimise
	if names != nil {
		// Where solving leaves matrices that have to be positive semidefinite, few starts come to states that
		// meet the hypotheses at all.
		effort.Restart = solvedRestarts
	}
	axes := Axes(c)
	point := func(u []float64) []float64 {
		x := make([]float64, len(u))
		for i, a := range axes {
			x[i] = a.At(u[i])
		}
		return x
	}
	// An equality that holds at many solved states is an identity there, and there is nothing to optimise.
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	held := 0
	r := optimise.Minimise(ctx, optimise.Problem{
		Dim: len(axes),
		F: func(u []float64) float64 {
			st, err := chart.Build(c, eval.Float{}, point(u))
			if err != nil {
				return math.Inf(1)
			}
			if names != nil {
				solve(eval.Float{}, s.target, st, names, nil)
			}
			f := objective(s.target, st)
			if f == 0 && s.part.Stmt.Kind == lang.Equality {
				if held++; held >= identity {
					cancel()
				}
			}
			return f
		},
		Accept: func(u []float64, _ float64) bool {
			if s.finished() {
				cancel()
				return false
			}
			return s.round(c, point(u), names)
		},
	}, s.o.Seed, fmt.Sprint(s.label, c.Dims(), names), effort)
	s.res.Drawn += r.Evals
	if s.res.Refutation != nil {
		s.res.Stage = r.Stage
	} else if Margined(s.part.Stmt) && r.F < 1 && r.F >= 0 {
		s.res.Nearest = min(s.res.Nearest, r.F/(1-r.F))
	}
}

// solving lists the symbols, singly and in pairs, for which the equations can be solved.
func (s *searcher) solving(c *chart.Chart) [][]string {
	names := solvable(s.target)
	var out [][]string
	for i, a := range names {
		if s.solves(c, []string{a}) {
			out = append(out, []string{a})
		}
		for _, b := range names[i+1:] {
			if s.solves(c, []string{a, b}) {
				out = append(out, []string{a, b})
			}
		}
	}
	// The more unknowns, the more states are left.
	size := func(set []string) (n int) {
		for _, name := range set {
			sym := s.target.Env.Symbols[name]
			n += len(unknownsOf(sym, extent(c, sym.Rows), extent(c, sym.Cols)))
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b []string) int { return size(b) - size(a) })
	return out
}

// extent returns the value of a size.
func extent(c *chart.Chart, d lang.Dim) int {
	if n, ok := c.Dims()[d]; ok {
		return n
	}
	return 1
}

// solves reports whether the equations hold once they are solved for the named symbols, at most of a few
// states without coincidences; for no symbols, whether the draws alone make them hold.
func (s *searcher) solves(c *chart.Chart, names []string) bool {
	axes := Axes(c)
	h := design.NewHalton(s.o.Seed, min(len(axes), design.MaxDim), probes)
	good := 0
	for k := range probes {
		u := make([]float64, len(axes))
		for i := h.Dim(); i < len(u); i++ {
			u[i] = float64((k*7+i*5)%11) / 11
		}
		h.At(k, u[:h.Dim()])
		for i, a := range axes {
			u[i] = a.At(u[i])
		}
		st, err := chart.Build(c, eval.Float{}, u)
		if err != nil {
			continue
		}
		if len(names) > 0 {
			solve(eval.Float{}, s.target, st, names, nil)
		}
		if f, err := eval.Equations(eval.Float{}, s.target, st); err == nil && vanish(f, st) {
			good++
		}
	}
	return 2*good > probes
}

// identity is the number of states at which an equality has to hold to be taken for an identity: one that is
// none fails at all states but a null set.
const identity = 12

// solvedRestarts is how often an optimisation over solved states is repeated. Of the statements here it finds
// half of the counterexamples in one go.
const solvedRestarts = 4

// probes is the number of states at which a set of unknowns is tried.
const probes = 6

// vanish reports whether numbers are zero up to rounding relative to the state that they were computed from.
func vanish(f []float64, st eval.State[float64]) bool {
	size := 1.0
	for _, m := range st.Vals {
		for _, v := range m.A {
			size = max(size, math.Abs(v))
		}
	}
	for _, v := range f {
		// The equations are of degree up to four in the state.
		if !(math.Abs(v) <= eval.Tolerance*size*size*size*size) {
			return false
		}
	}
	return true
}

// choices lists the sizes that are optimised over: all equal, from the least to the greatest, in the largest
// of which rows and columns may also differ.
func (s *searcher) choices() []map[lang.Dim]int {
	sizes := s.o.sizesOf(s.target)
	if len(sizes) == 0 {
		return []map[lang.Dim]int{{}}
	}
	most := 1
	for _, z := range sizes {
		most = max(most, z.Hi)
	}
	var out []map[lang.Dim]int
	for n := 1; n <= most; n++ {
		dims := map[lang.Dim]int{}
		for d, z := range sizes {
			dims[d] = min(max(n, z.Lo), z.Hi)
		}
		if len(out) == 0 || fmt.Sprint(out[len(out)-1]) != fmt.Sprint(dims) {
			out = append(out, dims)
		}
	}
	return out
}

// round offers exact states near float64 coordinates, from coarse to fine.
func (s *searcher) round(c *chart.Chart, x []float64, names []string) bool {
	for _, rel := range roundings {
		exact := make([]*big.Rat, len(x))
		for i, v := range x {
			r := new(big.Rat).SetFloat64(v)
			if r == nil {
				return false
			}
			if rel != nil {
				r = minimise.Within(r, rel)
			}
			exact[i] = r
		}
		rebuild := func(x []*big.Rat) (verdict.Witness, error) {
			st, err := chart.Build(c, s.exact, x)
			if err == nil && names != nil {
				solve(s.exact, s.target, st, names, nil)
			}
			return st, err
		}
		st, err := rebuild(exact)
		if err != nil {
			continue
		}
		if s.offer(st, "") {
			if names != nil {
				s.res.Coordinates, s.res.Rebuild, s.res.Groups = exact, rebuild, groups(c)
			}
			return true
		}
	}
	return false
}

// groups lists the coordinates of each symbol that has more than one.
func groups(c *chart.Chart) [][]int {
	var out [][]int
	for i, co := range c.Coords() {
		if i > 0 && c.Coords()[i-1].Symbol == co.Symbol {
			out[len(out)-1] = append(out[len(out)-1], i)
		} else {
			out = append(out, []int{i})
		}
	}
	return slices.DeleteFunc(out, func(g []int) bool { return len(g) < 2 })
}

// roundings are the relative errors with which coordinates are made simple, coarse first; nil keeps the
// float64 numbers as they are.
var roundings = []*big.Rat{big.NewRat(1, 10), big.NewRat(1, 100), big.NewRat(1, 10000), big.NewRat(1, 100000000), nil}
