package fuzz

import (
	"context"
	"fmt"
	"math"
	"time"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/falsify"
	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/optimise"
	"stopgrad/fuzz/orbit"
	"stopgrad/fuzz/pursuit"
	"stopgrad/fuzz/region"
	"stopgrad/fuzz/witness"
	"stopgrad/props"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// DefaultBudget is the time that [Refute] plans for.
const DefaultBudget = time.Minute

// Options of [Refute]. The zero value means the documented defaults.
type Options struct {
	// Region narrows parameters and sizes; nil searches the claim's own domains.
	Region *region.Region
	// Budget is the time to plan for: it is turned into counts of evaluations, which alone decide what is
	// found. A search that takes Patience times as long in fact is cut off, and says so. 0 means DefaultBudget.
	Budget time.Duration
	// Patience is how many times Budget a search may take; 0 means 2.
	Patience int
	Seed     uint64
	// NoVariants leaves out the twins of the claim's statements.
	NoVariants bool
	// Progress, if not nil, is told of every statement before and after its search.
	Progress func(Progress)
}

// Progress tells how far a search is.
type Progress struct {
	Done, Total int
	Target      string
}

// Status is what the attack on one statement came to.
type Status string

// The outcomes of an attack.
const (
	// Refuted: the model has confirmed the witness.
	Refuted Status = "refuted"
	// IllFormed: the statement has no meaning, so there is nothing to find.
	IllFormed Status = "ill-formed"
	// Counterexample: a trajectory was found along which the statement fails, and confirmed as Evidence says.
	Counterexample Status = "counterexample"
	// NothingFound: the whole search has not found a counterexample.
	NothingFound Status = "nothing found"
	// Untestable: no state could be judged.
	Untestable Status = "untestable"
)

// Finding is the outcome of the attack on one statement.
type Finding struct {
	Target    string
	Reading   Reading
	Statement string
	Why       string `json:",omitempty"` // what a variant stands for
	Status    Status
	Verdict   verdict.Verdict

	// Witness is the minimised counterexample as exact numbers by name (witness.Flatten), Text the same on a
	// line.
	Witness map[string]string `json:",omitempty"`
	Text    string            `json:",omitempty"`
	// Residual is by how much the statement fails there, a nonzero rational.
	Residual string `json:",omitempty"`
	// Evidence says how the counterexample was confirmed, Facts what was established.
	Evidence string   `json:",omitempty"`
	Facts    []string `json:",omitempty"`

	Stage       string `json:",omitempty"` // of the search that found it
	Evaluations int    // states or trajectories looked at
	Tried       int    // of them, exact states that met every hypothesis
	Minimised   int    // states looked at to make the witness small
	// Tested says of a statement over time what was followed of it.
	Tested string `json:",omitempty"`
	// Left and Right are the two sides of the refuted statement at the witness, as numbers.
	Left, Right string `json:",omitempty"`
	// Nearest is the least relative margin met where nothing was found; nil without one.
	Nearest *float64 `json:",omitempty"`
	CutOff  bool     // time or cancellation ended the search
	// Spent is set if the work of a search was used up before its counts of evaluations: more time finds no more.
	Spent bool   `json:",omitempty"`
	Note  string `json:",omitempty"`
}

// Found reports whether there is a counterexample, or nothing to find one of.
func (f Finding) Found() bool {
	return f.Status == Refuted || f.Status == Counterexample || f.Status == IllFormed
}

// Report is what [Refute] came to.
type Report struct {
	Claim    string
	Seed     uint64
	Budget   time.Duration
	Findings []Finding
	// Notes say what of the region has no effect on which statement.
	Notes []string `json:",omitempty"`
	// CutOff is set if a search was ended by time or cancellation: with more time more may be found, and the
	// report need not be reproducible.
	CutOff bool
}

// Refuted returns the findings of the given reading that have a counterexample.
func (r Report) Refuted(reading Reading) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Reading == reading && f.Found() {
			out = append(out, f)
		}
	}
	return out
}

// effort plans the counts for one of n statements within a budget. The rates are those of the slowest
// statements on a slow core: 120 exact and 300 float64 states a second.
func effort(budget time.Duration, n int) falsify.Effort {
	s := budget.Seconds() / float64(max(1, n))
	count := func(perSecond float64, least, most int) int {
		return max(least, min(most, int(math.Round(perSecond*s))))
	}
	return falsify.Effort{
		Interior: count(120, 60, 4000),
		Corners:  count(60, 40, 2000),
		Solved:   count(120, 60, 4000),
		Wide:     count(120, 60, 4000),
		Lines:    count(10, 24, 200),
		Optimise: optimise.Effort{Scan: count(100, 64, 1024), Starts: 8, Global: count(50, 80, 500), Local: count(10, 30, 200)},
	}
}

// orbitEffort plans the counts for one question about trajectories. Several short searches find more than one
// long one: of the questions here the hardest is answered by one repetition in two or three. At 1500
// trajectories a second the default budget lets a question take about ten seconds.
func orbitEffort(budget time.Duration) optimise.Effort {
	repeat := int(math.Round(6 * budget.Seconds() / DefaultBudget.Seconds()))
	return optimise.Effort{Scan: 500, Starts: 2, Global: 500, Local: 300, Restart: max(4, min(24, repeat))}
}

// pursuitEffort plans the counts for the motions of one statement. A motion of the flows here takes some milliseconds to
// some tens of them.
func pursuitEffort(budget time.Duration) pursuit.Effort {
	repeat := int(math.Round(3 * budget.Seconds() / DefaultBudget.Seconds()))
	return pursuit.Effort{Optimise: optimise.Effort{Scan: 120, Starts: 2, Global: 90, Local: 60, Restart: max(1, min(6, repeat))}, Minimise: 300, Work: 400_000 * max(1, repeat)}
}

// minimiseLimit bounds the states that a minimisation looks at.
const minimiseLimit = 6000

// witnesses is how many counterexamples of a statement are made small; the simplest is reported. Variants are
// many, and solved states take long to make small.
func witnesses(budget time.Duration, r Reading, solved bool) int {
	switch {
	case r == Variant || budget < DefaultBudget/2:
		return 1
	case solved:
		return 2
	}
	return 3
}

// Refute looks for counterexamples to the statements of a claim, makes those that it finds small and has the
// model confirm them; it asks the questions about trajectories that belong to the claim as well. The error
// says that the claim does not exist, or that the region does not fit it; finding nothing is no error.
func Refute(ctx context.Context, f *lang.File, claim string, o Options) (Report, error) {
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if o.Patience <= 0 {
		o.Patience = 2
	}
	rep := Report{Claim: claim, Seed: o.Seed, Budget: o.Budget}
	targets, err := Targets(f, claim)
	if err != nil {
		return rep, err
	}
	if o.NoVariants {
		targets = without(targets, Variant)
	}
	var questions []orbit.Question
	if builtInClaim(f.Claim(claim)) {
		questions = orbit.Of(claim)
	}
	if o.Region != nil {
		if targets, questions, err = restrict(claim, targets, questions, o.Region); err != nil {
			return rep, err
		}
		var parts []*lang.Part
		for _, t := range targets {
			if t.Reading != Variant {
				parts = append(parts, t.Part)
			}
		}
		rep.Notes = o.Region.Unused(parts)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.Patience)*o.Budget)
	defer cancel()
	total := len(targets) + len(questions)
	tell := func(done int, label string) {
		if o.Progress != nil {
			o.Progress(Progress{done, total, label})
		}
	}
	note := func(fd Finding) {
		rep.CutOff = rep.CutOff || fd.CutOff
		rep.Findings = append(rep.Findings, fd)
	}
	for i, t := range targets {
		tell(i, t.Label())
		note(attack(ctx, t, o, effort(o.Budget, total)))
	}
	for i, q := range questions {
		tell(len(targets)+i, q.Label())
		note(follow(ctx, q, o))
	}
	tell(total, "")
	return rep, nil
}

func without(ts []Target, r Reading) []Target {
	var out []Target
	for _, t := range ts {
		if t.Reading != r {
			out = append(out, t)
		}
	}
	return out
}

// restrict checks that the region fits the claim and narrows the questions to it. The questions that are no
// statements of the claim itself keep their own domains where the region says nothing.
func restrict(claim string, targets []Target, questions []orbit.Question, r *region.Region) ([]Target, []orbit.Question, error) {
	parts := make([]*lang.Part, len(targets))
	for i, t := range targets {
		parts[i] = t.Part
	}
	var names []string
	for _, q := range questions {
		for _, a := range q.Axes {
			names = append(names, a.Name)
		}
	}
	if err := r.Fits(claim, parts, names); err != nil {
		return nil, nil, err
	}
	out := make([]orbit.Question, len(questions))
	for i, q := range questions {
		n, err := q.Restrict(r.Cut)
		if err != nil {
			return nil, nil, fmt.Errorf("%w (region %s)", err, r.File)
		}
		out[i] = n
	}
	return targets, out, nil
}

// follow looks for a trajectory that breaks a question's statement.
func follow(ctx context.Context, q orbit.Question, o Options) Finding {
	fd := Finding{Target: q.Label(), Reading: Orbit, Statement: q.Statement(), Verdict: verdict.Undecided}
	r := orbit.Search(ctx, q, o.Seed, orbitEffort(o.Budget))
	fd.Evaluations, fd.Minimised, fd.Stage, fd.CutOff = r.Evals, r.Minimised, r.Stage, r.CutOff
	if !r.Found {
		fd.Status = NothingFound
		if r.Doubt != nil {
			fd.Note = r.Doubt.Error()
		}
		if !math.IsInf(r.Score, 0) {
			fd.Nearest = &r.Score
		}
		return fd
	}
	fd.Status, fd.Evidence, fd.Facts = Counterexample, string(r.Evidence), r.Certificate.Facts
	fd.Witness, fd.Text = q.Numbers(r.X), q.Text(r.X)
	fd.Residual = r.Certificate.Violation.RatString()
	if r.Doubt != nil {
		fd.Note = r.Doubt.Error()
	}
	return fd
}

// attack searches one statement.
func attack(ctx context.Context, t Target, o Options, e falsify.Effort) Finding {
	fd := Finding{Target: t.Label(), Reading: t.Reading, Statement: t.Statement(), Why: t.Why}
	if v := verdict.OfFault(t.Part); v.IsDecided() {
		fd.Status, fd.Verdict, fd.Note = IllFormed, v, t.Part.Fault.Error()
		return fd
	}
	e.Cells = sample.CellWork
	opts := falsify.Options{Seed: o.Seed, Effort: e}
	if o.Region != nil {
		opts.Sizes, opts.Domain = o.Region.Sizes(), o.Region.Narrow(t.Part)
	}
	var best *verdict.Witness
	var size witness.Size
	solved := false
	for k := 0; k < witnesses(o.Budget, t.Reading, solved); k++ {
		label := t.Label()
		if k > 0 {
			label = fmt.Sprintf("%s #%d", label, k+1)
		}
		r := falsify.Search(ctx, t.Part, label, opts)
		fd.Evaluations += r.Drawn
		if k == 0 {
			fd.Tried, fd.Stage = r.Tried, r.Stage
		}
		if r.Refutation == nil {
			if k == 0 {
				if o.Region == nil && fd.pursue(ctx, t, o) {
					return fd
				}
				fd.CutOff, fd.Spent = r.CutOff, r.Spent
				fd.miss(r)
				if r.Tested.Against != "" && fd.Note == "" {
					fd.Note = r.Tested.Against
				}
				if eval.OverTime(t.Part) {
					tested := r.Tested
					if !eval.OverSteps(t.Part) && t.Reading != Variant {
						tested.Add(Hunter{Budget: o.Budget}.Follow(ctx, t.Part, o.Seed, label))
					}
					fd.Tested = tested.String()
				}
			}
			break
		}
		w, asked := small(ctx, t.Part, r, o.Region)
		fd.Minimised += asked
		s := witness.SizeOf(t.Part, w)
		if better := s.Less(size); best == nil || r.Rebuild == nil && better || r.Rebuild != nil && minimise.Blend(s) < minimise.Blend(size) {
			best, size = &w, s
		}
		solved = r.Rebuild != nil
	}
	if best != nil {
		fd.settle(t.Part, *best)
	}
	return fd
}

// pursue looks for a motion along which a statement about all times fails, and records one that it finds.
func (fd *Finding) pursue(ctx context.Context, t Target, o Options) bool {
	if !pursuit.Able(t.Part) {
		return false
	}
	r := pursuit.Search(ctx, t.Part, o.Seed, t.Label(), pursuitEffort(o.Budget))
	fd.Evaluations += r.Evals
	if r.Refutation == nil {
		return false
	}
	fd.Status, fd.Verdict, fd.Stage = Refuted, r.Refutation.Verdict(), "pursuit"
	fd.Evidence, fd.Facts = "validated enclosure", []string{r.Refutation.Reason()}
	fd.Witness, fd.Text = witness.Flatten(r.Witness), witness.String(r.Witness)
	return true
}

// miss records a search that has found nothing.
func (fd *Finding) miss(r falsify.Result) {
	fd.Status, fd.Verdict = NothingFound, verdict.Undecided
	switch {
	case r.Tried == 0 && r.Err != nil:
		fd.Status, fd.Note = Untestable, r.Err.Error()
	case r.Tried == 0 && math.IsInf(r.Nearest, 1):
		fd.Status, fd.Note = Untestable, "no state that meets the hypotheses was met"
	}
	if !math.IsInf(r.Nearest, 0) {
		fd.Nearest = &r.Nearest
	}
}

// small makes the counterexample of a search small, within the region.
func small(ctx context.Context, part *lang.Part, r falsify.Result, in *region.Region) (w verdict.Witness, asked int) {
	w = r.Witness
	if len(w.Surds) > 0 {
		return w, 0
	}
	if in == nil && r.Rebuild == nil {
		if v, s := inRegime(ctx, part, w); s != nil {
			w = v
		}
	}
	if in != nil {
		part = falsify.Narrowed(part, in.Narrow(part))
	}
	keep := confirms(part, w)
	inside := func(w verdict.Witness) bool {
		if in != nil {
			for name, s := range in.Sizes() {
				if n, ok := w.Dims[lang.Dim(name)]; ok && (n < s.Lo || n > s.Hi) {
					return false
				}
			}
		}
		return keep(w)
	}
	if r.Rebuild != nil {
		m := minimise.Coordinates(ctx, part, r.Coordinates, r.Groups, r.Rebuild, inside, minimiseLimit)
		w, asked = m.Witness, m.Asked
	}
	m := minimise.State(ctx, part, w, inside, minimiseLimit)
	return m.Witness, asked + m.Asked
}

// Minimise makes a counterexample of part small; every state it goes through is confirmed by the verdict.
func Minimise(ctx context.Context, part *lang.Part, w verdict.Witness) minimise.Outcome {
	return minimise.State(ctx, part, w, confirms(part, w), minimiseLimit)
}

// Hunter is the search of [Refute] for the judgement of a part: its counts are those planned for Budget, and
// minimisation looks at Limit states at most. It implements theory.Hunter; the zero value finds nothing.
type Hunter struct {
	Budget time.Duration
	Limit  int
}

// Pursue looks for a motion along which a statement about all times fails (package pursuit).
func (h Hunter) Pursue(ctx context.Context, part *lang.Part, seed uint64, label string) (sample.Result, bool) {
	if h.Budget <= 0 || !pursuit.Able(part) {
		return sample.Result{}, false
	}
	r := pursuit.Search(ctx, part, seed, label, pursuitEffort(h.Budget))
	return sample.Result{Refutation: r.Refutation, Witness: r.Witness, Drawn: r.Evals}, true
}

// Hunt searches a statement with all stages of package falsify. A counterexample that was solved for is made
// small here, where its equations are known.
func (h Hunter) Hunt(ctx context.Context, part *lang.Part, seed uint64, label string) sample.Result {
	if h.Budget <= 0 {
		return sample.Result{Nearest: math.Inf(1)}
	}
	r := falsify.Search(ctx, part, label, falsify.Options{Seed: seed, Effort: effort(h.Budget, 1)})
	out := sample.Result{Refutation: r.Refutation, Witness: r.Witness, Tried: r.Tried, Drawn: r.Drawn, Err: r.Err, Nearest: r.Nearest, Tested: r.Tested}
	if r.Refutation != nil && r.Rebuild != nil {
		m := minimise.Coordinates(ctx, part, r.Coordinates, r.Groups, r.Rebuild, confirms(part, r.Witness), h.Limit)
		out.Witness, out.Refutation = h.settled(part, m.Witness, r.Witness, r.Refutation)
	}
	return out
}

// Horizon is how long trajectories are followed: many times the time scales of the ranges that states are drawn from.
const Horizon = 20

// trajectories is how many are followed at a budget, and drawn for each of those.
func trajectories(budget time.Duration) int { return max(12, min(80, int(budget.Seconds()))) }

const drawnForEach = 6

// Follow follows trajectories of a part's statement along its flow (props.Along).
func (h Hunter) Follow(ctx context.Context, part *lang.Part, seed uint64, label string) sample.Tested {
	t := sample.Tested{Nearest: math.Inf(1)}
	stream := sample.NewStream(seed, label+"/trajectories")
	want := trajectories(h.Budget)
	for i := 0; props.HasTime(part) && h.Budget > 0 && i < drawnForEach*want && t.Followed < want && ctx.Err() == nil; i++ {
		st, err := sample.Draw(stream, part, 2)
		if err != nil {
			continue
		}
		if i%2 == 1 {
			st, _ = props.OnBoundary(part, st)
		}
		tr, err := props.Along(ctx, part, st, Horizon)
		if err != nil {
			continue
		}
		switch tr.Status {
		case props.Violated:
			t.Against = fmt.Sprintf("from %s it fails by %.2g of its numbers at t = %.4g, in floating point", witness.String(st), tr.Worst, tr.T)
			return t
		case props.Holds:
			t.Followed++
			t.Time, t.Nearest = max(t.Time, tr.T), min(t.Nearest, tr.Nearest)
		}
	}
	return t
}

// Minimise makes a counterexample of a statement small. One outside the paper's regime is replaced by one inside, if a
// short search finds it.
func (h Hunter) Minimise(ctx context.Context, part *lang.Part, w verdict.Witness, r *verdict.Refutation) (verdict.Witness, *verdict.Refutation) {
	if len(w.Surds) > 0 {
		return w, r // its other numbers are simple already, and hang together with the irrational ones
	}
	if r.Trajectory().Valid() {
		return w, r // made small where it was found
	}
	if v, s := inRegime(ctx, part, w); s != nil {
		w, r = v, s
	}
	return h.settled(part, minimise.State(ctx, part, w, confirms(part, w), h.Limit).Witness, w, r)
}

// Counts of the search for a counterexample in the paper's regime.
const (
	regimeSearches = 4
	regimeStates   = 100
)

// inRegime looks for a counterexample that leaves the paper's regime in fewer quantities than w does; nil if it finds none.
func inRegime(ctx context.Context, part *lang.Part, w verdict.Witness) (best verdict.Witness, refuted *verdict.Refutation) {
	least := witness.Outside(part, w)
	if least == 0 {
		return w, nil
	}
	inside, some := witness.Inside(part)
	for k := 0; some && k < regimeSearches && least > 0; k++ {
		found := sample.Search(ctx, inside, uint64(k), part.Name+"/regime", regimeStates)
		if found.Refutation == nil || witness.Outside(part, found.Witness) >= least {
			continue
		}
		if r, err := verdict.Refute(part, found.Witness); err == nil && r.Verdict().IsRefuted() {
			best, refuted, least = found.Witness, r, witness.Outside(part, found.Witness)
		}
	}
	return best, refuted
}

// settled returns a smaller counterexample with its refutation, or the old one if the model does not confirm it.
func (h Hunter) settled(part *lang.Part, small, old verdict.Witness, refuted *verdict.Refutation) (verdict.Witness, *verdict.Refutation) {
	if r, err := verdict.Refute(part, small); err == nil && r.Verdict().IsRefuted() {
		return small, r
	}
	return old, refuted
}

// confirms returns the predicate of a minimisation from w: the model refutes the state, and a matrix that is not
// definite at w by a number does not end up merely singular.
func confirms(part *lang.Part, w verdict.Witness) func(verdict.Witness) bool {
	definite := part.Stmt.Kind == lang.Definite && Residual(part, w).Sign() != 0
	model, exact := verdict.NewRefuter(part), eval.NewMetered()
	return func(w verdict.Witness) bool {
		if exact.Spent() > maxConfirming {
			return false
		}
		if len(w.Surds) == 0 {
			// The evaluator is many times as fast as the model and turns most states away.
			before := exact.Spent()
			f, err := eval.Judge(exact, part, w)
			if failing := err == nil && f.Met && !f.Holds; !failing || part.Stmt.Kind == lang.Assumption {
				// Whether an assumption is lost at the state is decided there alone.
				return failing
			}
			exact.Spend(modelFactor * (exact.Spent() - before))
		}
		if definite && Residual(part, w).Sign() == 0 {
			return false
		}
		r, err := model.At(w)
		return err == nil && r.Verdict().IsRefuted()
	}
}

// A minimisation ends, too, when its exact arithmetic has done so much work; the model's is taken for so many times that of the
// evaluator.
const (
	maxConfirming = 4_000_000
	modelFactor   = 8
)

// settle records a witness that the model confirms.
func (fd *Finding) settle(part *lang.Part, w verdict.Witness) {
	r, err := verdict.Refute(part, w)
	if err != nil || !r.Verdict().IsRefuted() {
		fd.Status, fd.Note = NothingFound, fmt.Sprintf("a witness was found that the model does not confirm: %s", witness.String(w))
		return
	}
	if c, err := chart.Repair(part, witness.Clone(w), ""); err == nil && len(w.Surds) == 0 {
		w = c // with the values of its roots
	}
	fd.Status, fd.Verdict, fd.Evidence = Refuted, r.Verdict(), "exact"
	fd.Witness, fd.Text = witness.Flatten(w), witness.String(w)
	fd.Residual = Residual(part, w).RatString()
	if len(w.Surds) > 0 {
		fd.Residual = "" // the difference is irrational: the two sides have it
	}
	fd.Left, fd.Right, _ = r.Sides()
	if fd.Left == "" {
		fd.Facts = []string{r.Reason()}
	}
}
