package sample

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/verdict"
)

// Stream is a Chooser that draws from a seeded generator.
type Stream struct{ rng *rand.Rand }

// NewStream returns the stream of a seed and a label, so that streams of different labels are independent
// and do not depend on the order in which they are used.
func NewStream(seed uint64, label string) *Stream {
	h := fnv.New64a()
	h.Write([]byte(label))
	return &Stream{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// Intn returns a uniform number in [0, n).
func (s *Stream) Intn(n int) int { return s.rng.IntN(n) }

// Result is what a search came to.
type Result struct {
	Refutation *verdict.Refutation // nil if none was found
	Witness    verdict.Witness
	Tried      int // states that met every hypothesis
	Drawn      int // states drawn
	// Cells is how many sample points were tried if they include one of every open cell on which all that decides the
	// statement has one sign; else 0.
	Cells int
	// Undefined says of a state that meets every hypothesis why the statement has no value there; empty if none was met.
	Undefined string
	Err       error
	// Nearest is the least margin of a state that met the hypotheses, relative to the numbers it was computed from; 0 if the
	// bound is attained, +Inf if the statement has none.
	Nearest float64
	// Tested is what a statement over time was held against beside single states.
	Tested Tested
}

// Closeness says how close a relative margin came to failing; empty if there is none.
func Closeness(nearest float64) string {
	switch {
	case nearest == 0:
		return "the bound is attained"
	case math.IsInf(nearest, 0) || math.IsNaN(nearest):
		return ""
	}
	return fmt.Sprintf("the nearest came within %.2g of failing", nearest)
}

// Tested is what was followed of a statement over time: orbits exactly, trajectories in floating point.
type Tested struct {
	Followed int     // orbits or trajectories of which the statement says something
	Steps    int     // the longest orbit
	Time     float64 // the longest trajectory
	// Nearest is how close one came to failing, relative to the numbers met (0 where a bound is attained); of what vanishes
	// or tends, how much was left of the way. +Inf without one.
	Nearest float64
	// Against describes a trajectory, or a state, that speaks against the statement and is no counterexample of the model's.
	Against string
}

// OrbitSteps is how far orbits are followed; the model follows no further.
const OrbitSteps = 12

// orbitsFollowed is how many orbits are followed of a statement over steps that does not fail at once.
const orbitsFollowed = 400

// A search ends when its exact arithmetic has done more than workPerState for each state that it may draw, and no earlier
// than after that of manyStates of them: nested derivatives have more operations, on longer numbers, than others have states.
const (
	workPerState = 200
	manyStates   = 4_000
)

// Worth reports whether the exact arithmetic of a search that may draw so many states has done no more work than they are worth.
func Worth(exact eval.Metered, states int) bool {
	return exact.Spent() <= max(states, manyStates)*workPerState
}

// fewUncounted is how many states the model is asked about where the evaluator counts no zeros, or only in rounded numbers.
const fewUncounted = 16

// tape is a Chooser that replays recorded choices and draws new ones past their end or where a choice no
// longer fits.
type tape struct {
	old, new []int
	fresh    *Stream
}

func (t *tape) Intn(n int) int {
	v := -1
	if i := len(t.new); i < len(t.old) {
		v = t.old[i]
	}
	if v < 0 || v >= n {
		v = t.fresh.Intn(n)
	}
	t.new = append(t.new, v)
	return v
}

// Search draws up to budget states and hands those that fail the part to package verdict; it stops at the first
// refutation, and where exact arithmetic has done as much work as states of many operations are worth. The first half of
// the budget draws afresh, sizes growing; the second half changes a choice or two of the state that came nearest to
// failing, where the statement has a margin. A state at which the part fails, of which the model says nothing, speaks
// against it (Tested.Against). Err is set if no state could be evaluated.
func Search(ctx context.Context, part *lang.Part, seed uint64, label string, budget int) Result {
	res := search(ctx, part, seed, label, budget)
	if res.Refutation == nil && ctx.Err() == nil {
		res.sizes(part, NewStream(seed, label+"/sizes"))
	}
	return res
}

// What is drawn at sizes that a part names: so many states at each of so many.
const (
	statesPerSize = 4
	maxSizes      = 12
)

// sizes draws states at the sizes that a part compares its sizes with, which are larger than those that are drawn otherwise.
func (res *Result) sizes(part *lang.Part, ch Chooser) {
	names, of := eval.Sizes(part, model.MaxSize)
	refuter := verdict.NewRefuter(part)
	for i, k := range of {
		if i == maxSizes {
			return
		}
		for n := range statesPerSize {
			// All sizes are so large, and each by itself.
			at, env := *part, *part.Env
			env.Fixed = maps.Clone(env.Fixed)
			for j, name := range names {
				if _, fixed := env.Fixed[name]; !fixed && (n%2 == 0 || n/2%len(names) == j) {
					if env.Fixed == nil {
						env.Fixed = map[lang.Dim]int{}
					}
					env.Fixed[name] = k
				}
			}
			at.Env = &env
			st, _, err := drawAny(eval.Rational{}, ch, &at, 2, false)
			if err != nil {
				continue
			}
			res.Drawn++
			f, err := eval.Try(eval.Rational{}, part, st)
			if err != nil || !f.Met {
				continue
			}
			res.Tried++
			if f.Holds {
				continue
			}
			r, err := refuter.At(st)
			switch {
			case err != nil:
				res.Tested.Unjudged(err)
			case r.Verdict().IsRefuted():
				res.Refutation, res.Witness = r, st
				return
			}
		}
	}
}

func search(ctx context.Context, part *lang.Part, seed uint64, label string, budget int) Result {
	ch := NewStream(seed, label)
	var res Result
	var best []int
	bestWide := false
	bestMargin := math.Inf(1)
	failures, undefined, borders, uncounted := 0, 0, 0, 0
	res.Nearest, res.Tested.Nearest = math.Inf(1), math.Inf(1)
	steps := eval.OverSteps(part)
	exact, model := eval.NewMetered(), verdict.NewRefuter(part)
	for i := range budget {
		if !Worth(exact, budget) {
			break
		}
		if ctx.Err() != nil {
			res.Err = ctx.Err()
			return res
		}
		res.Drawn++
		t := &tape{fresh: ch}
		if i >= budget/2 && best != nil && i%4 != 3 {
			t.old = slices.Clone(best)
			for range 1 + ch.Intn(3) {
				t.old[ch.Intn(len(t.old))] = -1
			}
		}
		// Every fourth state is wide: it has numbers of any magnitude, at ends and ties.
		wide := i%4 == 3
		if t.old != nil {
			wide = bestWide
		}
		st, _, err := drawAny(exact, t, part, 1+min(2, i*6/budget+i%3), wide)
		if err != nil {
			continue
		}
		if part.Stmt.Kind == lang.Vanishes && i%2 == 1 && len(part.Env.Flow) > 0 {
			makeStationary(exact, ch, part, st)
		}
		if i%4 == 2 && mayPassBorder(part) && WorthAsking(borders+1) && toBorder(exact, ch, part, st) {
			// What is declared of the start may have ended here, which only the model looks at.
			borders++
			if r, err := model.At(st); err == nil && r.Verdict().IsRefuted() {
				res.Refutation, res.Witness = r, st
				res.Tried++
				return res
			}
			continue
		}
		f, err := eval.Try(exact, part, st)
		rounded := errors.Is(err, eval.ErrNoRoot)
		if rounded {
			// Roots that are no fractions: floating point says whether the model, which counts with them, is asked.
			f, err = eval.Try(eval.Float{}, part, st.Floats())
			if part.Stmt.Kind == lang.Counted {
				// Rounding takes double zeros apart: only the model counts there.
				err = eval.ErrUncounted
			}
		}
		if err != nil {
			if res.Tried == 0 {
				res.Err = err
			}
			if errors.Is(err, eval.ErrUncounted) {
				// No state will be judged; the model counts a little further.
				r, err := model.At(st)
				if err == nil && r.Verdict().IsRefuted() {
					res.Refutation, res.Witness = r, st
					res.Tried++
					return res
				}
				if err != nil {
					uncounted += fewUncounted / 4 // a question that is too much is not put sixteen times
				}
				if uncounted++; uncounted >= fewUncounted {
					return res
				}
				continue
			}
			if eval.Unaffordable(err) {
				continue // to the model as well
			}
			if undefined++; res.Undefined == "" && WorthAsking(undefined) {
				if r, err := model.At(st); err == nil && r.Undefined() {
					res.Undefined = r.Reason()
				}
			}
			continue
		}
		if !f.Met {
			continue
		}
		res.Err = nil
		res.Tried++
		if steps && f.Holds && res.Tried <= orbitsFollowed {
			if o, err := eval.FollowOrbit(exact, part, st, OrbitSteps); err == nil && o.Steps > 0 {
				res.Tested.Note(o)
				f.Holds = !o.Fails
			}
		}
		if f.Holds && !f.Left {
			if m, ok := margin(f); ok && m < bestMargin {
				best, bestWide, bestMargin = t.new, wide, m
				res.Nearest = max(0, m)
			}
			continue
		}
		if failures++; !WorthAsking(failures) {
			continue
		}
		r, err := model.At(st)
		if err != nil {
			res.Err = err
			if f.Close {
				res.Tried-- // by no more than rounding
			} else {
				res.Tested.Unjudged(err)
			}
			continue
		}
		if r.Verdict().IsRefuted() {
			res.Refutation, res.Witness = r, st
			return res
		}
	}
	return res
}

// Note adds an orbit.
func (t *Tested) Note(o eval.Orbit) {
	t.Followed++
	t.Steps, t.Nearest = max(t.Steps, o.Steps), min(t.Nearest, o.Nearest)
}

// Unjudged notes a state at which a statement fails, by exact evaluation or by more than rounding, and of which the model says
// nothing but this.
func (t *Tested) Unjudged(err error) {
	t.Add(Tested{Against: "it fails at a state of which the model says nothing: " + err.Error()})
}

// Add adds what was tested elsewhere.
func (t *Tested) Add(o Tested) {
	if o.Followed > 0 {
		if t.Followed == 0 {
			t.Nearest = o.Nearest
		}
		t.Followed, t.Steps, t.Time, t.Nearest = t.Followed+o.Followed, max(t.Steps, o.Steps), max(t.Time, o.Time), min(t.Nearest, o.Nearest)
	}
	if t.Against == "" {
		t.Against = o.Against
	}
}

// String says what was tested.
func (t Tested) String() string {
	var out string
	switch {
	case t.Followed == 0 && t.Against != "":
		return "against it: " + t.Against
	case t.Followed == 0:
		return "no trajectory was tested"
	case t.Steps > 0:
		out = fmt.Sprintf("%d orbits of up to %d steps, exactly", t.Followed, t.Steps)
	default:
		out = fmt.Sprintf("%d trajectories up to t = %.4g", t.Followed, t.Time)
	}
	if c := Closeness(t.Nearest); c != "" {
		out += "; " + c
	}
	if t.Against != "" {
		out += "; against it: " + t.Against
	}
	return out
}

// WorthAsking reports whether the model is asked about the n-th state that seems to fail: about the first few, and then
// ever more rarely. What the model refuses again and again it refuses for a reason that more states of the same kind do
// not change.
func WorthAsking(n int) bool { return n <= 32 || n&(n-1) == 0 }

// mayPassBorder reports whether a part says of a flow that something stays positive or nonnegative: a motion refutes it that comes to the
// border of what is declared of its start.
func mayPassBorder(part *lang.Part) bool {
	return part.Stmt.Kind == lang.Stays && (part.Stmt.Word == "positive" || part.Stmt.Word == "nonnegative") && part.Stmt.Course != lang.OverSteps && len(part.Env.Flow) > 0
}

// toBorder changes one scalar so that one of the quantities that are said to stay positive or nonnegative, if it is affine in it, is zero.
func toBorder(ar Exact, ch Chooser, part *lang.Part, st eval.State[*big.Rat]) bool {
	var moving []string
	for _, q := range part.Env.Flow {
		if part.Env.Symbols[q.Name].Kind == lang.Scalar {
			moving = append(moving, q.Name)
		}
	}
	if len(moving) == 0 {
		return false
	}
	x := moving[ch.Intn(len(moving))]
	ls := append([]*lang.Expr{part.Stmt.L}, part.Stmt.More...)
	l := ls[ch.Intn(len(ls))]
	old := st.Vals[x]
	var at [3]*big.Rat
	for k := range at {
		st.Vals[x] = eval.ScalarOf(big.NewRat(int64(k+1), 1))
		e, err := eval.New(ar, part.Env, st)
		if err == nil {
			var m matrix
			if m, err = e.Eval(l); err == nil {
				at[k] = m.A[0]
			}
		}
		if err != nil {
			st.Vals[x] = old
			return false
		}
	}
	slope, next := new(big.Rat).Sub(at[1], at[0]), new(big.Rat).Sub(at[2], at[1])
	if slope.Sign() == 0 || slope.Cmp(next) != 0 {
		st.Vals[x] = old
		return false
	}
	v := new(big.Rat).Quo(at[0], slope)
	st.Vals[x] = eval.ScalarOf(v.Sub(big.NewRat(1, 1), v))
	return true
}

// margin is how far the statement is from failing, relative to the numbers it was computed from.
func margin(f *eval.Finding) (float64, bool) {
	if m, ok := f.Measures["smallest eigenvalue"]; ok {
		return m, true
	}
	m, ok := f.Measures["margin"]
	if s := f.Measures["scale"]; s > 0 {
		m /= s
	}
	return m, ok
}

// makeStationary changes one state variable so that the equations that are affine in it vanish, if they
// can: the linear system of its entries is solved exactly, free entries drawn. The state is only a
// candidate; whether it is stationary is for the verdict.
func makeStationary(ar Exact, ch Chooser, part *lang.Part, st eval.State[*big.Rat]) {
	env := part.Env
	for _, q := range env.Flow {
		// A quantity that moves freely, x' = dx, stands still for dx = 0.
		if q.RHS.Kind == lang.Sym && env.Symbols[q.RHS.Name] != nil && env.Equation(q.RHS.Name) == nil {
			x := st.Vals[q.RHS.Name]
			st.Vals[q.RHS.Name] = zeros(x.R, x.C)
		}
	}
	name := env.Flow[ch.Intn(len(env.Flow))].Name
	x := st.Vals[name]
	rhs := func(v matrix) []*big.Rat {
		old := st.Vals[name]
		st.Vals[name] = v
		defer func() { st.Vals[name] = old }()
		e, err := eval.New(ar, env, st)
		if err != nil {
			return nil
		}
		var out []*big.Rat
		for _, q := range env.Flow {
			m, err := e.RightHandSide(q.Name)
			if err != nil {
				return nil
			}
			out = append(out, m.A...)
		}
		return out
	}
	n := len(x.A)
	base := rhs(zeros(x.R, x.C))
	if base == nil {
		return
	}
	cols := make([][]*big.Rat, n)
	affine := make([]bool, len(base))
	for i := range affine {
		affine[i] = true
	}
	for j := range n {
		e1, e2 := zeros(x.R, x.C), zeros(x.R, x.C)
		e1.A[j], e2.A[j] = big.NewRat(1, 1), big.NewRat(2, 1)
		f1, f2 := rhs(e1), rhs(e2)
		if f1 == nil || f2 == nil {
			return
		}
		cols[j] = make([]*big.Rat, len(base))
		for i := range base {
			cols[j][i] = new(big.Rat).Sub(f1[i], base[i])
			twice := new(big.Rat).Sub(f2[i], f1[i])
			affine[i] = affine[i] && twice.Cmp(cols[j][i]) == 0
		}
	}
	// Gaussian elimination on the affine equations; free unknowns keep their drawn value.
	var rows [][]*big.Rat
	for i := range base {
		if !affine[i] {
			continue
		}
		row := make([]*big.Rat, n+1)
		for j := range n {
			row[j] = new(big.Rat).Set(cols[j][i])
		}
		row[n] = new(big.Rat).Neg(base[i])
		rows = append(rows, row)
	}
	var pivots []int
	r := 0
	for c := 0; c < n && r < len(rows); c++ {
		p := r
		for p < len(rows) && rows[p][c].Sign() == 0 {
			p++
		}
		if p == len(rows) {
			continue
		}
		rows[p], rows[r] = rows[r], rows[p]
		inv := new(big.Rat).Inv(rows[r][c])
		for j := c; j <= n; j++ {
			rows[r][j].Mul(rows[r][j], inv)
		}
		for i := range rows {
			if i != r && rows[i][c].Sign() != 0 {
				f := new(big.Rat).Set(rows[i][c])
				for j := c; j <= n; j++ {
					rows[i][j].Sub(rows[i][j], new(big.Rat).Mul(f, rows[r][j]))
				}
			}
		}
		pivots = append(pivots, c)
		r++
	}
	sol := matrix{R: x.R, C: x.C, A: append([]*big.Rat(nil), x.A...)}
	for i := len(pivots) - 1; i >= 0; i-- {
		v := new(big.Rat).Set(rows[i][n])
		for j := range n {
			if j != pivots[i] && rows[i][j].Sign() != 0 {
				v.Sub(v, new(big.Rat).Mul(rows[i][j], sol.A[j]))
			}
		}
		sol.A[pivots[i]] = v
	}
	st.Vals[name] = sol
}
