package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Options bound a proof attempt.
type Options struct {
	// Search looks for a proof where no script is given, or where the script fails.
	Search bool
	// Steps bounds the applications of rules, and with them the arithmetic of the search's own; zero means DefaultSteps.
	Steps int
}

// DefaultSteps is how many applications of rules are tried for one reading.
const DefaultSteps = 20_000

// allLevels is the number of levels of candidates: see state.candidates.
const allLevels = 3

// Step is one step of a proof as found, for readers.
type Step struct {
	Rule string // the rule as applied, in the language of scripts
	Says string // what it establishes
}

// Outcome is what became of a reading. Only its theorems count.
type Outcome struct {
	theorems []kernel.Theorem
	steps    []Step
	failure  error
	vacuous  kernel.Theorem
	leads    []kernel.Theorem
	script   error
	uses     []string
	reading  *lang.Reading
	searched bool
}

// Theorems are the goals of the reading, one theorem a goal, in order; nil unless all are proved.
func (o *Outcome) Theorems() []kernel.Theorem { return append([]kernel.Theorem(nil), o.theorems...) }

// Steps is the derivation as far as it went.
func (o *Outcome) Steps() []Step { return append([]Step(nil), o.steps...) }

// Searched reports whether the goals were proved by search, not by a script.
func (o *Outcome) Searched() bool { return o.searched }

// Uses names the parts, as CLAIM/PART, whose theorems the proof uses by name: each was proved again, here.
func (o *Outcome) Uses() []string { return append([]string(nil), o.uses...) }

// Failure says why the goals are not proved; nil if they are.
func (o *Outcome) Failure() error { return o.failure }

// Vacuous is a theorem that nothing meets the reading's hypotheses, or the zero theorem if none was found.
func (o *Outcome) Vacuous() kernel.Theorem { return o.vacuous }

// Script says why the part's own script does not establish the goals, whatever a search found; nil if it does, or if
// there is none.
func (o *Outcome) Script() error { return o.script }

// Consequence are the theorems that the consequence of an assumption holds all along; nil unless its script shows it.
func (o *Outcome) Consequence() []kernel.Theorem { return append([]kernel.Theorem(nil), o.leads...) }

// prover works on one reading.
type prover struct {
	builder
	patient context.Context
	reading *lang.Reading
	part    *lang.Part
	gamma   *kernel.Context // of the goals
	dyn     *kernel.Dynamics

	base *state // what holds wherever, or all along, gamma does
	work *state // where the facts of a script are established: base, or an interval of it
	kept []kernel.Theorem

	facts     map[string][]kernel.Theorem
	cases     []supposed                    // around the step being followed
	shared    map[citation][]kernel.Theorem // the theorems of other parts, established here
	uses      []string                      // the parts that the script itself cites
	citing    int                           // how deep the script followed is cited
	steps     []Step
	budget    int  // applications of rules that are left
	labour    int  // arithmetic that is left, see spend
	replaying bool // a script
	searching bool // deeper than by shape
	levels    int  // of the candidates tried in sums of definite matrices
	supposing bool // the opposite of a goal
	cut       bool // what is not proved is asked again on parts of the region
	named     []*kernel.Term
	madeHoles map[string]*kernel.Term
}

// errBudget ends an attempt that has tried too much.
var errBudget = errors.New("the search for a proof gave up: too many steps")

// Prove establishes the goals of a reading by its script or by search. It never returns nil, and never fails
// otherwise than by saying so in the outcome.
func Prove(ctx context.Context, r *lang.Reading, o Options) *Outcome {
	return proveUnder(ctx, r, r.Context(), o)
}

// proveUnder is Prove under a Γ of the reading's dynamics.
func proveUnder(ctx context.Context, r *lang.Reading, gamma *kernel.Context, o Options) (out *Outcome) {
	out = &Outcome{reading: r}
	p := newProver(ctx, gamma, o)
	p.reading, p.part = r, r.Part()
	defer func() {
		switch x := recover().(type) {
		case nil:
		case stop:
			out.theorems, out.failure = nil, fmt.Errorf("%s: %w", r.Part().Pos, x.err)
			if p.replaying {
				out.script = out.failure
			}
		default:
			panic(x)
		}
	}()
	out.failure = p.run(out, o)
	if c := r.Beside(); c != nil && out.theorems != nil {
		if th := besides(ctx, r, c, o); th.Valid() {
			out.vacuous, out.theorems = th, nil
		}
	}
	return out
}

// besides is a theorem that what is assumed beside an assumption contradicts itself, or the zero theorem.
func besides(ctx context.Context, r *lang.Reading, beside *kernel.Context, o Options) (th kernel.Theorem) {
	p := newProver(ctx, beside, o)
	p.reading, p.part = r, r.Part()
	defer func() {
		switch x := recover().(type) {
		case nil, stop:
		default:
			panic(x)
		}
	}()
	p.open(p.starts())
	return p.vacuous()
}

// run tries the script, with and without what the motion keeps, and then the search.
func (p *prover) run(out *Outcome, o Options) error {
	var failure error
	for _, keep := range []bool{false, true} {
		if keep && !p.starts() {
			break
		}
		p.open(keep)
		if len(p.part.Proof) == 0 {
			break
		}
		p.steps, p.facts = nil, map[string][]kernel.Theorem{}
		p.shared, p.uses, p.citing, p.cases = map[citation][]kernel.Theorem{}, nil, 0, nil
		p.replaying = true
		ths, err := p.replay()
		p.replaying = false
		out.steps = p.steps
		out.script = err
		if err != nil {
			failure = err
			continue
		}
		failure = nil
		out.uses = p.uses
		if p.part.Stmt.Kind == lang.Assumption {
			out.leads = ths
			failure = fmt.Errorf("%s: the consequence follows from the assumption, which is not known to be contradictory", p.part.Pos)
		} else {
			out.theorems = ths
		}
		break
	}
	if out.theorems == nil && o.Search && p.part.Stmt.Kind != lang.Assumption {
		p.searching = true
		p.open(p.starts())
		p.steps, p.facts = nil, map[string][]kernel.Theorem{}
		ths, err := p.search()
		if err == nil {
			out.theorems, out.steps, failure = ths, p.steps, nil
			out.searched = true
		} else if len(p.part.Proof) == 0 {
			failure = err
		}
	}
	out.vacuous = p.vacuous()
	if out.theorems == nil && p.part.Stmt.Kind == lang.Assumption && out.vacuous.Valid() {
		// That an assumption cannot hold all along is what is to be shown of it.
		out.theorems = []kernel.Theorem{out.vacuous}
	}
	if out.theorems != nil {
		return nil
	}
	if failure == nil {
		failure = fmt.Errorf("%s: no proof is given", p.part.Pos)
	}
	return failure
}

// starts reports whether some hypothesis is assumed at the start only.
func (p *prover) starts() bool {
	for _, h := range p.gamma.Hypotheses() {
		if h.Mark() == kernel.Start {
			return true
		}
	}
	return false
}

// patience ends the attempt when the caller or the budget wants so.
func (p *prover) patience() {
	if err := p.patient.Err(); err != nil {
		panic(stop{err})
	}
}

// labourPerStep is how many operations on numbers a search may come to for each application of a rule that it may try:
// what is worked out between two of them is otherwise bounded by nothing.
const labourPerStep = 20_000

// spend counts operations on numbers, those in floating point, before they are done; one on fractions is some thirty of them.
func (p *prover) spend(operations int) {
	before := p.labour
	if operations > p.labour {
		panic(stop{errBudget})
	}
	p.labour -= operations
	if p.labour>>16 != before>>16 {
		p.patience()
	}
}

// step applies a rule in a context.
func (p *prover) step(c *kernel.Context, rule string, f kernel.Formula, premises []kernel.Theorem, terms []*kernel.Term) (kernel.Theorem, error) {
	p.patience()
	if p.budget--; p.budget < 0 {
		panic(stop{errBudget})
	}
	return c.Apply(rule, f, premises, terms...)
}

// over applies a rule about time in the context of the goals.
func (p *prover) over(rule string, f kernel.Formula, premises []kernel.Theorem, terms ...*kernel.Term) (kernel.Theorem, error) {
	return p.step(p.gamma, rule, f, premises, terms)
}

// open makes the state context that facts are established in: that of the goals, or for a motion or an orbit the
// one of what holds all along, with what is assumed at the start and kept if keep is set.
func (p *prover) open(keep bool) {
	p.kept = nil
	if p.gamma.Time() == kernel.AtState {
		p.base = p.adopt(p.gamma)
		p.work = p.base
		return
	}
	var hyps []kernel.Formula
	for _, h := range p.gamma.Hypotheses() {
		if h.Mark() != kernel.Start {
			hyps = append(hyps, h.Formula())
		}
	}
	p.base = p.newState(hyps)
	if keep {
		// What is kept has no place in a script: it is always searched for.
		searching := p.searching
		p.searching = true
		p.keepAll()
		p.searching = searching
	}
	p.differentiate()
	p.work = p.base
	if p.part.Stmt.Kind == lang.Assumption {
		p.work = p.left()
	}
	for _, g := range p.reading.Goals() {
		if g.Form() == kernel.Tends {
			p.work = p.interval(g)
		}
	}
}

// extended is the state context with more hypotheses.
func (p *prover) extended(s *state, more ...kernel.Formula) *state {
	return p.newState(append(append([]kernel.Formula{}, s.hyps...), more...))
}

// vacuous looks for a contradiction among the hypotheses that hold all along, and then among those that hold at time 0.
// Where that takes more than is left, what is proved by then stays proved.
func (p *prover) vacuous() (none kernel.Theorem) {
	defer func() {
		switch x := recover().(type) {
		case nil, stop:
		default:
			panic(x)
		}
	}()
	if p.base == nil {
		return none
	}
	p.levels, p.supposing = 1, true
	s, rule := p.base, "lift"
	th, ok := s.contradiction()
	if !ok && p.gamma.Time() != kernel.AtState {
		if s, rule = p.initial(), "begin"; s != p.base {
			th, ok = s.contradiction()
		}
	}
	if !ok || p.gamma.Time() == kernel.AtState {
		return th
	}
	th, err := p.over(rule, always(th.Formula()), append([]kernel.Theorem{th}, p.kept...))
	if err != nil {
		return none
	}
	return th
}

// initial is the state context of what holds at time 0: all that holds all along, and what is assumed at the start.
func (p *prover) initial() *state {
	var start []kernel.Formula
	for _, h := range p.gamma.Hypotheses() {
		if f := h.Formula(); !slices.ContainsFunc(p.base.hyps, f.Same) {
			start = append(start, f)
		}
	}
	if len(start) == 0 {
		return p.base
	}
	return p.extended(p.base, start...)
}

// contradiction proves ⊥ if one hypothesis has the opposite sign of what the others give it.
func (s *state) contradiction() (kernel.Theorem, bool) {
	absurd := s.formula(kernel.Absurd)
	try := func(premises ...kernel.Theorem) (kernel.Theorem, bool) {
		th, err := s.apply("absurd", absurd, premises)
		return th, err == nil
	}
	if len(s.zeros) > 0 {
		one, zero := s.integer(1), s.integer(0)
		if eq, ok := s.ideal(s.formula(kernel.Equal, one, zero)); ok {
			if ne, ok := s.by("number", nonzero, one); ok {
				if th, ok := try(ne, eq); ok {
					return th, true
				}
			}
		}
	}
	for i, f := range s.hyps {
		h := s.theorem[i]
		if !h.Valid() {
			continue
		}
		ts := f.Terms()
		switch f.Form() {
		case kernel.Greater:
			if th, ok := s.order(s.formula(kernel.AtLeast, ts[1], ts[0])); ok {
				if th, ok := try(h, th); ok {
					return th, true
				}
			}
		case kernel.AtLeast:
			if th, ok := s.order(s.formula(kernel.Greater, ts[1], ts[0])); ok {
				if th, ok := try(th, h); ok {
					return th, true
				}
			}
		case kernel.Equal:
			if !ts[0].Scalar() {
				continue
			}
			for _, g := range []kernel.Formula{s.formula(kernel.Unequal, ts[0], ts[1])} {
				d := s.differ(ts[0], ts[1])
				for _, m := range []*kernel.Term{d, s.negated(d)} {
					pos, ok := s.prove(positive, m)
					if !ok {
						continue
					}
					ne, err := s.apply("weaken", s.state(nonzero, m), []kernel.Theorem{pos})
					if err != nil {
						continue
					}
					if ne, err = s.apply("transport", g, []kernel.Theorem{ne}); err != nil {
						continue
					}
					if th, ok := try(ne, h); ok {
						return th, true
					}
				}
			}
		case kernel.Semidefinite:
			// The trace is nonnegative.
			tr := must(s.sig.Make(kernel.Trace, 0, ts[0]))
			least, err := s.apply("mtrace", s.state(nonnegative, tr), []kernel.Theorem{h})
			if err != nil {
				continue
			}
			if th, ok := s.order(s.formula(kernel.Greater, s.integer(0), tr)); ok {
				if th, ok := try(th, least); ok {
					return th, true
				}
			}
		case kernel.Unequal:
			if eq, err := s.equation(s.formula(kernel.Equal, ts[0], ts[1])); err == nil {
				if th, ok := try(h, eq); ok {
					return th, true
				}
			}
		}
	}
	return kernel.Theorem{}, false
}
