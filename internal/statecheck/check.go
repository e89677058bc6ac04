package statecheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// The names of the readings of a claim.
const (
	Printed   = "printed"
	Corrected = "corrected"
)

// Options are the options of [Check].
type Options struct {
	// Reading is Printed or Corrected; empty is the printed reading unless it is ill-formed.
	Reading string
	// Part restricts the check to one part, of either reading.
	Part string
}

// hasValue is what a [PartResult] calls that the statement has a value at the state; no assumption has a name with spaces.
const hasValue = "it has a value"

// PartResult is what one part came to.
type PartResult struct {
	Name      string
	Statement string
	// Hypotheses says of each hypothesis, and of each declared domain that fails, whether it is met: at the
	// state, and at every time looked at along the trajectory.
	Hypotheses map[string]bool
	Met        bool // all of them
	Holds      bool // the statement, whether or not the hypotheses are met
	// Open is true if nothing is decided: numbers are beyond float64 or too long, or the statement fails in floating point, or at a
	// state that is not known to meet Γ, and no exact state or motion confirms that.
	Open bool
	// Rounded lists the hypotheses that hold up to rounding only, as those of computed numbers do.
	Rounded []string
	// Against is how the statement is violated, in numbers: at the state, near a later point, or along an enclosed motion.
	Against string
	// Undefined is true if the statement has no value at the state: a root of a negative number, a division by
	// zero. The hypothesis "it has a value" is then not met.
	Undefined bool
	// Excused is true if it is undefined because of square roots that the part itself declares: then the part
	// speaks of other states, and the rest of the claim may well speak of this one.
	Excused  bool
	Measures map[string]float64
	Assumed  map[string]string // values the state does not give, and where they come from
	Modes    int               // modes or pairs of modes looked at, 0 if the part does not speak of modes
	Until    float64           // the end of the trajectory followed, 0 if none
	Notes    []string

	undefined int // choices of modes at which the statement is undefined
}

// Skipped is a part that the state does not decide.
type Skipped struct {
	Name    string
	Missing []string // the symbols that have no value; empty if no state decides the part
}

// Result is what a claim came to at a state.
type Result struct {
	ID      string
	Reading string // of the parts; empty if Options.Part chose one
	Parts   []PartResult
	Skipped []Skipped
}

// Status is the outcome of a check.
type Status int

// The outcomes.
const (
	Holds      Status = iota // every part's hypotheses are met, and it holds
	Violated                 // a part whose hypotheses are met does not hold
	Unmet                    // some part's hypotheses are not met, and no other part is violated
	NotDecided               // some part is not decided, and no other is violated or without its hypotheses
)

// Status is the outcome of the check. An excused part counts only if all are.
func (r *Result) Status() Status {
	s, counted := Holds, false
	for _, p := range r.Parts {
		switch {
		case p.Excused:
			continue
		case p.Met && !p.Holds && !p.Open:
			return Violated
		case !p.Met:
			s = Unmet
		case p.Open && s == Holds:
			s = NotDecided
		}
		counted = true
	}
	if !counted {
		return Unmet
	}
	return s
}

// NotEvaluableError says that a state decides no part of a claim.
type NotEvaluableError struct {
	ID      string
	Missing []string // the symbols that would be needed, in the order of the claim
}

// Error names what is missing.
func (e *NotEvaluableError) Error() string {
	if len(e.Missing) == 0 {
		return fmt.Sprintf("statecheck: %s is not about single states or trajectories: no state decides it", e.ID)
	}
	return fmt.Sprintf("statecheck: the state does not give what %s speaks of: %s missing", e.ID, strings.Join(e.Missing, ", "))
}

// Check evaluates a claim at a state and, if the state's time is positive and the claim is about a flow, along
// the trajectory from the state over [0, t]. The error is a *NotEvaluableError if the state decides no part;
// any other error means a state that contradicts itself or the claim's shapes, or a context that ended.
func Check(ctx context.Context, c *lang.Claim, s *State, o Options) (*Result, error) {
	parts, res, err := choose(c, o)
	if err != nil {
		return nil, err
	}
	if err := s.fits(c); err != nil {
		return nil, err
	}
	var missing []string
	left := newEffort()
	for _, p := range parts {
		if p.Stmt.Kind == lang.Sampled {
			res.Skipped = append(res.Skipped, Skipped{Name: p.Name})
			continue
		}
		pr, lack, err := checkPart(ctx, p, s, left)
		if err != nil {
			return nil, fmt.Errorf("%w (claim %s, part %s)", err, c.ID, p.Name)
		}
		if pr == nil {
			res.Skipped = append(res.Skipped, Skipped{p.Name, lack})
			for _, m := range lack {
				if !slices.Contains(missing, m) {
					missing = append(missing, m)
				}
			}
			continue
		}
		res.Parts = append(res.Parts, *pr)
	}
	if len(res.Parts) == 0 {
		return nil, &NotEvaluableError{c.ID, missing}
	}
	return res, nil
}

// fits reports as an error the first name of the state that means nothing to a claim.
func (s *State) fits(c *lang.Claim) error {
	var sizes, names []string
	for _, p := range c.Parts {
		for _, d := range p.Env.Sizes {
			sizes = append(sizes, string(d))
		}
		names = append(names, p.Env.Order...)
	}
	names = append(names, sizes...)
	for _, n := range s.order {
		if v := s.values[n]; v.size && !slices.Contains(sizes, n) {
			return s.errorf(v.line, "%q is no size of the claim %s", n, c.ID)
		}
		if !known(n) && !slices.Contains(names, n) {
			slices.Sort(names)
			return s.errorf(s.values[n].line, "unknown key %q (the claim %s speaks of %s)", n, c.ID, strings.Join(slices.Compact(names), " "))
		}
	}
	return nil
}

// choose picks the parts to evaluate.
func choose(c *lang.Claim, o Options) ([]*lang.Part, *Result, error) {
	res := &Result{ID: c.ID, Reading: o.Reading}
	if o.Part != "" {
		var names []string
		for _, p := range c.Parts {
			if p.Name == o.Part {
				if p.Fault != nil {
					return nil, nil, fmt.Errorf("statecheck: %s as printed is ill-formed: %w", p.Name, p.Fault)
				}
				res.Reading = ""
				return []*lang.Part{p}, res, nil
			}
			names = append(names, p.Name)
		}
		return nil, nil, fmt.Errorf("statecheck: claim %s has no part %q (its parts: %s)", c.ID, o.Part, strings.Join(names, " "))
	}
	fault := func(ps []*lang.Part) error {
		for _, p := range ps {
			if p.Fault != nil {
				return p.Fault
			}
		}
		return nil
	}
	if res.Reading == "" {
		res.Reading = Printed
		if ps := c.Reading(false); len(ps) == 0 || fault(ps) != nil {
			res.Reading = Corrected
		}
	}
	parts := c.Reading(res.Reading == Corrected)
	if len(parts) == 0 {
		return nil, nil, fmt.Errorf("statecheck: claim %s has no %s reading", c.ID, res.Reading)
	}
	if err := fault(parts); err != nil {
		return nil, nil, fmt.Errorf("statecheck: claim %s as printed is ill-formed: %w", c.ID, err)
	}
	return parts, res, nil
}

// checkPart evaluates one part, for every choice of modes. It returns nil and what is missing if the state
// does not give enough.
func checkPart(ctx context.Context, p *lang.Part, s *State, left *effort) (*PartResult, []string, error) {
	end, err := s.until(p.Env)
	if err != nil {
		return nil, nil, err
	}
	// Steps of a map have nothing to do with the trajectory of a flow.
	course := end > 0 && p.Env.Flow != nil && moves(p) && !eval.OverSteps(p)
	u := UsesOf(p, course)
	picks, err := choices(u, p.Env, s)
	if err != nil {
		return nil, nil, err
	}
	res := newPartResult(p)
	for i, modes := range picks {
		if left.work -= judgingModes * (1 + p.Extent()/10); i > 0 && left.work < 0 {
			res.open(fmt.Sprintf("%d of %d choices of modes are judged, more than which one check does not answer", i, len(picks)))
			break
		}
		st := s
		if modes != nil {
			st = s.pick(modes)
			res.Modes = len(picks)
		}
		b, err := bind(p, u, st)
		if err != nil {
			return nil, nil, err
		}
		if course && len(b.missing) > 0 {
			// Perhaps the state itself can be judged.
			note := "the trajectory is not followed: " + strings.Join(b.missing, ", ") + " missing"
			if b, err = bind(p, UsesOf(p, false), st); err != nil {
				return nil, nil, err
			}
			course, u = false, b.uses
			res.note(note)
		}
		if len(b.missing) > 0 {
			return nil, b.missing, nil
		}
		b.left = left
		if err := b.judge(ctx, res, end, course); err != nil {
			return nil, nil, err
		}
	}
	if !res.Holds {
		// A failure that is decided stands, whatever is left open beside it.
		res.Open = false
		res.Notes = slices.DeleteFunc(res.Notes, func(n string) bool { return strings.HasPrefix(n, notDecided) })
	}
	res.Undefined = res.undefined == len(picks)
	res.Excused = res.Undefined && ownRootsOnly(p, u)
	return res, nil, nil
}

// ownRootsOnly reports whether the part uses square roots and declares all of them itself, below its first line.
func ownRootsOnly(p *lang.Part, u *Uses) bool {
	any := false
	for name := range u.Symbols {
		if s := p.Env.Symbols[name]; s.Root != nil {
			if s.Pos.File != p.Pos.File || s.Pos.Line < p.Pos.Line {
				return false
			}
			any = true
		}
	}
	return any
}

func moves(p *lang.Part) bool {
	if p.Env.Moves(p.Stmt) || p.Consequence != nil && p.Env.Moves(p.Consequence) {
		return true
	}
	return slices.ContainsFunc(p.Assumes, func(a *lang.Assume) bool { return p.Env.Moves(a.Stmt) })
}

// judge evaluates the bound part at its state and, where its hypotheses are met, along its trajectory, and
// merges what it finds into res.
func (b *binding) judge(ctx context.Context, res *PartResult, end float64, course bool) error {
	for name, how := range b.assumed {
		res.Assumed[name] = how
	}
	for name, ok := range b.agrees {
		res.meet(name, ok)
	}
	here := &trajectory{times: []float64{0}, vars: []map[string]matrix{nil}}
	if course {
		// Whether there is a point in following it.
		trial := newPartResult(b.part)
		if err := b.judgeAlong(ctx, here, trial); err != nil {
			return err
		}
		course = trial.Met && res.Met
	}
	if !course {
		return b.judgeAlong(ctx, here, res)
	}
	tr, err := b.follow(ctx, end, intervals)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if errors.Is(err, errSpent) {
			res.open(err.Error())
		} else {
			res.note(err.Error())
		}
		return b.judgeAlong(ctx, here, res)
	}
	res.Until = max(res.Until, tr.times[len(tr.times)-1])
	if tr.note != "" && !tr.cut {
		res.note(tr.note)
	}
	return b.judgeAlong(ctx, tr, res)
}

// judgeAlong evaluates the part at each point of a trajectory as far as the hypotheses are met, and merges what it finds
// into res. The first point is the state itself, of which [binding.decide] says whether it violates the part; where it fails at
// a later one in floating point, an exact object has to confirm that.
func (b *binding) judgeAlong(ctx context.Context, tr *trajectory, res *PartResult) error {
	points := make([]*binding, len(tr.vars))
	for i, vars := range tr.vars {
		if i == 0 {
			vars = nil // the state itself, which is exact
		}
		c, err := b.at(vars)
		if err != nil {
			return err
		}
		points[i] = c
	}
	if err := b.setRates(points, res); err != nil {
		return err
	}
	var course *eval.Course[float64]
	if eval.OverTime(b.part) && len(points) > 1 {
		// Without a value at the beginning there is no course, and nothing to break later.
		course, _ = eval.NewCourse(eval.Float{}, points[0].part, points[0].st)
	}
	var fails failures
	reached := len(points)
	for i, c := range points {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var f *eval.Finding
		var err error
		if i == 0 {
			f, err = c.decide(res)
		} else {
			f, err = eval.Judge(eval.Float{}, c.part, c.st)
		}
		if undefined(err) {
			// A root of a negative number or a division by zero: the state lies outside the statement's domain.
			res.note("undefined here: " + err.Error())
			if i == 0 {
				res.undefined++
			}
			f, err = &eval.Finding{Hypotheses: map[string]bool{hasValue: false}, Holds: true}, nil
		}
		if errors.Is(err, eval.ErrOverflow) {
			res.open("numbers beyond float64")
			reached = i
			break
		}
		if err != nil {
			return err
		}
		if b.part.Stmt.Kind == lang.Tends && i > 0 {
			// That x lies between the ends is asked of the start; later it may have arrived.
			delete(f.Hypotheses, eval.Between)
		}
		broken, later := "", false
		for _, name := range slices.Sorted(maps.Keys(f.Hypotheses)) {
			ok := f.Hypotheses[name]
			if i > 0 && course != nil && !ok {
				// What is assumed of the beginning alone may fail later.
				now, err := course.Broken(c.st)
				if err != nil {
					return err
				}
				ok, later = now == "", true
			}
			if !ok && broken == "" {
				broken = name
			}
			if i == 0 || eval.OverTime(b.part) {
				res.meet(name, ok)
			}
			if symbol, declared := lang.DeclaredOf(name); i == 0 && declared && !ok {
				if sym := b.env.Symbols[symbol]; sym != nil {
					res.note("not as declared: " + strings.Replace(Declaration(sym, lang.Unicode, b.env), NamePlace, symbol, 1))
				}
			}
		}
		if i > 0 && broken != "" {
			// A statement about single states says nothing from here on, one about the course does not apply.
			res.note(fmt.Sprintf("hypothesis %s is met only until t = %.6g", broken, tr.times[i-1]))
			reached = i
			break
		}
		if later {
			// No motion that the statement speaks of begins here: what follows is for the course to say.
			continue
		}
		for name, v := range f.Measures {
			res.measure(name, v)
		}
		switch {
		case f.Holds:
		case i > 0:
			fails = append(fails, failure{i, lack(f)})
		case f.Close:
			res.Open = true
		default:
			res.Holds = false
		}
	}
	if tr.cut && reached == len(points) {
		res.open(tr.note)
	}
	if eval.OverTime(b.part) {
		apart, err := b.integrated(points[:reached], tr, res)
		if err != nil {
			return err
		}
		if b.confirm(apart, res, func(i int) (string, string) { return b.refutedUntil(tr, i) }); len(apart) == 0 && len(fails) > 0 && res.Holds {
			res.open(fmt.Sprintf("what it says of a state fails in floating point at t = %.6g, and not yet along the motion up to there", tr.times[fails[0].point]))
		}
		return nil
	}
	b.confirm(fails, res, func(i int) (string, string) {
		against, _, why := b.precisely(points[i], tr.vars[i]).ask()
		if against != "" {
			against = fmt.Sprintf("near t = %.6g, at the fractions that the numbers there are: %s", tr.times[i], against)
		}
		return against, why
	})
	return nil
}

// lack is by how much a part fails at a state, as far as there is a measure of that.
func lack(f *eval.Finding) float64 {
	return max(-f.Measures["margin"], math.Abs(f.Measures["residual"]), -f.Measures["least value"])
}

const (
	notDecided  = "not decided: " // begins each note of what is left open
	floatNote   = notDecided + "it fails in floating point, which decides nothing"
	roundedNote = notDecided + "it fails where a hypothesis is met up to rounding only, which violates nothing"
)

// stated is what is checked of a part at a state: its statement; of an assumption, that no motion keeps, what it leads to.
func stated(p *lang.Part) string {
	if p.Stmt.Kind == lang.Assumption {
		if r, err := lang.Elaborate(p); err == nil {
			if fs, ok := r.Consequence(); ok {
				if text, err := r.Say(fs...); err == nil {
					return "leads to " + text
				}
			}
		}
	}
	text, _ := lang.Statement(p)
	return text
}

func newPartResult(p *lang.Part) *PartResult {
	return &PartResult{Name: p.Name, Statement: stated(p), Hypotheses: map[string]bool{}, Met: true, Holds: true,
		Measures: map[string]float64{}, Assumed: map[string]string{}}
}

func (r *PartResult) note(s string) {
	if !slices.Contains(r.Notes, s) {
		r.Notes = append(r.Notes, s)
	}
}

// open says why the part is not decided.
func (r *PartResult) open(why string) {
	r.Open = true
	r.note(notDecided + why)
}

func undefined(err error) bool {
	return errors.Is(err, eval.ErrNoRoot) || errors.Is(err, eval.ErrDivisionByZero) || errors.Is(err, errNoValue)
}

func (r *PartResult) meet(name string, ok bool) {
	if old, seen := r.Hypotheses[name]; seen {
		ok = ok && old
	}
	r.Hypotheses[name] = ok
	r.Met = r.Met && ok
}

// measure keeps the worst value of a measure: the least of those where less is worse, the greatest of a signed
// excess, the largest magnitude of a size.
func (r *PartResult) measure(name string, v float64) {
	if old, seen := r.Measures[name]; seen {
		switch name {
		case "margin", "smallest eigenvalue", "least value":
			v = min(v, old)
		case "bound excess":
			v = max(v, old)
		default:
			if abs(old) > abs(v) {
				v = old
			}
		}
	}
	r.Measures[name] = v
}

// setRates gives each rate λ of a hypothesis M − λ·I ⪰ 0 the smallest eigenvalue of M at all the points, less
// the uncertainty of a sign (eval.Tolerance) where ≻ is meant, and where the points are computed.
func (b *binding) setRates(points []*binding, res *PartResult) error {
	for _, r := range b.rates {
		low := math.Inf(1)
		for _, c := range points {
			e, err := eval.New(eval.Float{}, b.part.Env, c.st)
			if err != nil {
				return err
			}
			m, err := e.Eval(r.m)
			if err != nil {
				return err
			}
			a := make([]float64, len(m.A))
			size := max(1, e.Scale())
			for i := range m.R {
				for j := range m.C {
					a[i*m.C+j] = (m.At(i, j) + m.At(j, i)) / 2
					size = max(size, abs(m.At(i, j)))
				}
			}
			v := eval.SmallestEigenvalue(a, m.R)
			if r.strict || len(points) > 1 {
				v -= strictSlack * eval.Tolerance * size
			} else {
				v -= weakSlack * size
			}
			low = min(low, v)
		}
		for _, c := range points {
			c.st.Vals[r.name] = eval.ScalarOf(low)
			if v, ok := exactOf(eval.ScalarOf(low)); ok && c.exact != nil {
				c.exact[r.name] = v
			}
		}
		if old, seen := res.Measures[r.name]; seen {
			low = min(low, old)
		}
		res.Measures[r.name] = low
	}
	return nil
}

// strictSlack is how many tolerances a rate stays below the eigenvalue it must be strictly less than, or may not exceed along a
// computed trajectory: more than one, so that the difference counts as positive.
const strictSlack = 4

// weakSlack is how much, relative to the matrix, any rate stays below the eigenvalue, whose own rounding is below n²·2⁻⁵³
// of it: so that M − λ·I ⪰ 0 holds exactly.
const weakSlack = 1e-12

// intervals is the number of intervals of a trajectory at whose ends it is looked at.
const intervals = 100
