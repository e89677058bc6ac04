package theory

import (
	"context"
	"errors"
	"time"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// Options bound the work of a judgement.
type Options struct {
	Seed uint64
	// Budget is how many states are drawn in search of a counterexample of one statement.
	Budget int
	// Hunter goes on where those states decide nothing; nil leaves it at them.
	Hunter Hunter
	// Doubt has a proof searched for of what drawn states refute, too. That finds errors of the suite, which is rare, and
	// takes most of the time of proving.
	Doubt bool
	// Certify looks for an argument over the region of a part that is neither proved nor refuted by few states, before more is
	// searched for; it reports whether that decides the part. Package theory keeps nothing of it; nil leaves it out.
	Certify func(ctx context.Context, part *lang.Part) bool
}

// Hunter finds counterexamples by other means than drawing, and makes them small. What it returns is believed
// for the refutation alone, which only package verdict can make.
type Hunter interface {
	// Hunt looks for a counterexample of a part that is not proved.
	Hunt(ctx context.Context, part *lang.Part, seed uint64, label string) sample.Result
	// Pursue looks for a motion along which a part that is not proved fails, if it is one of those of which it knows what to
	// look for; else ok is false.
	Pursue(ctx context.Context, part *lang.Part, seed uint64, label string) (r sample.Result, ok bool)
	// Follow follows trajectories of a part whose statement is over time, along a flow.
	Follow(ctx context.Context, part *lang.Part, seed uint64, label string) sample.Tested
	// Minimise returns the simplest counterexample that it comes to from w, with its refutation.
	Minimise(ctx context.Context, part *lang.Part, w verdict.Witness, r *verdict.Refutation) (verdict.Witness, *verdict.Refutation)
}

// TwinResult is what became of a mutated twin.
type TwinResult struct {
	Twin    *lang.Twin
	Part    *lang.Part // the mutated part, nil with Err
	Verdict verdict.Verdict
	Search  sample.Result
	Err     error
	Proof   *verdict.Proof
}

// PartResult is the judgement of one statement.
type PartResult struct {
	Part    *lang.Part
	Verdict verdict.Verdict
	Proof   *verdict.Proof
	Search  sample.Result // what the search for a counterexample came to
	Twins   []TwinResult
	Proving time.Duration
	Hunting time.Duration
}

// How many times longer a statement without a proof, and a twin, is searched for a counterexample.
const (
	unprovedFactor = 40
	twinFactor     = 4
)

// JudgePart proves a part, and searches for a counterexample whether or not there is a proof: a part that is both
// proved and refuted reveals an error of the suite, and its verdict is the contradiction. Without Doubt, what drawn states
// refute has its script replayed and no more.
func JudgePart(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, o Options) PartResult {
	res := PartResult{Part: p}
	if p.Fault != nil {
		res.Verdict = verdict.OfFault(p)
		return res
	}
	if p.Stmt.Kind != lang.Sampled {
		start := time.Now()
		var few *sample.Result
		res.Proof, few = o.prove(ctx, p, c.ID+"/"+p.Name)
		res.Proving = time.Since(start)
		start = time.Now()
		certified := false
		if certify := o.Certify; certify != nil {
			o.Certify = func(ctx context.Context, p *lang.Part) bool { certified = certify(ctx, p); return certified }
		}
		res.Search = o.refute(ctx, c, p, res.Proof.Verdict().IsDecided(), few)
		res.Hunting = time.Since(start)
		if late(p) && !certified && res.Search.Refutation == nil && !res.Proof.Verdict().IsDecided() {
			start = time.Now()
			res.Proof = verdict.Prove(ctx, p)
			res.Proving += time.Since(start)
		}
		res.Verdict = together(p, res.Proof, res.Search)
	}
	for _, t := range p.Twins {
		res.Twins = append(res.Twins, judgeTwin(ctx, f, c, p, t, o))
	}
	return res
}

// late reports whether a proof is searched for last: of a statement over time with bounds the search is long and seldom finds
// one, where boxes or a motion decide it.
func late(p *lang.Part) bool { return p.Region && eval.OverTime(p) }

// prove replays a part's script, and searches for a proof where that does not do. few is what a few states came to, if they
// were looked at.
func (o Options) prove(ctx context.Context, p *lang.Part, label string) (proof *verdict.Proof, few *sample.Result) {
	if late(p) {
		return verdict.Replay(ctx, p), nil
	}
	if !o.Doubt {
		if proof = verdict.Replay(ctx, p); proof.Verdict().IsDecided() {
			return proof, nil
		}
		r := sample.Search(ctx, p, o.Seed, label, o.Budget)
		if few = &r; r.Refutation != nil {
			return proof, few
		}
	}
	return verdict.Prove(ctx, p), few
}

// Refute looks for a counterexample of a part that has no proof, and makes it small.
func Refute(ctx context.Context, c *lang.Claim, p *lang.Part, o Options) sample.Result {
	return o.refute(ctx, c, p, false, nil)
}

func (o Options) refute(ctx context.Context, c *lang.Claim, p *lang.Part, proved bool, few *sample.Result) sample.Result {
	s := o.search(ctx, p, c.ID+"/"+p.Name, unprovedFactor, proved, few)
	if r := s.Refutation; r != nil && o.Hunter != nil {
		s.Witness, s.Refutation = o.Hunter.Minimise(ctx, p, s.Witness, r)
	}
	return s
}

// together is the verdict of a proof and a search on one part.
func together(p *lang.Part, proof *verdict.Proof, found sample.Result) verdict.Verdict {
	vs := []verdict.Verdict{proof.Verdict()}
	switch {
	case found.Refutation != nil:
		vs = append(vs, found.Refutation.Verdict())
	case found.Undefined != "":
		// What is proved has a value wherever the hypotheses hold.
		if proof.Verdict().IsProved() {
			return verdict.Contradiction
		}
	case Supports(p, found):
		vs = append(vs, verdict.Supported)
	}
	return verdict.Together(vs...)
}

// Supports reports whether a search that has found nothing speaks for a part: states that met the hypotheses, or, of a
// statement over time, orbits or trajectories. Single states say nothing of those, nor do motions along which inputs keep
// their values of one that depends on inputs, or on what moves like them, and a state without a value speaks against, as does
// one at which the statement fails by evaluation. Nothing that was drawn speaks for an assumption: of what no motion keeps
// there are no samples.
func Supports(p *lang.Part, found sample.Result) bool {
	if p.Stmt.Kind == lang.Assumption || found.Undefined != "" || found.Tested.Against != "" {
		return false
	}
	if eval.OverTime(p) {
		return found.Tested.Followed > 0 && len(eval.Inputs(p)) == 0
	}
	return found.Tried > 0
}

// search draws states, by a factor more of them where there is no proof, and has the hunter go on if there is neither
// a counterexample nor a proof. few is what the first few states came to, nil if they were not looked at.
func (o Options) search(ctx context.Context, p *lang.Part, label string, factor int, proved bool, few *sample.Result) sample.Result {
	budget := o.Budget
	var cells sample.Result
	if !proved {
		// A few states, then boxes of a region, then states that decide where polynomials do. States decide little of what is
		// said of all times: then motions, then many states.
		if few == nil {
			r := sample.Search(ctx, p, o.Seed, label, budget)
			few = &r
		}
		if few.Refutation != nil || p.Region && o.Certify != nil && o.Certify(ctx, p) {
			return *few
		}
		budget *= factor
		if cells = sample.Cells(ctx, p, sample.CellWork); cells.Refutation != nil {
			cells.Drawn, cells.Tried = cells.Drawn+few.Drawn, cells.Tried+few.Tried
			return cells
		}
		if o.Hunter != nil {
			if h, ok := o.Hunter.Pursue(ctx, p, o.Seed, label); ok && h.Refutation != nil {
				h.Drawn, h.Tried = h.Drawn+few.Drawn, h.Tried+few.Tried
				return h
			}
		}
	}
	r := sample.Search(ctx, p, o.Seed, label, budget)
	r.Cells = cells.Cells
	if r.Undefined == "" {
		r.Undefined = cells.Undefined
	}
	if r.Refutation != nil || o.Hunter == nil || proved {
		return r
	}
	h := o.Hunter.Hunt(ctx, p, o.Seed, label)
	h.Drawn, h.Tried, h.Nearest = h.Drawn+r.Drawn, h.Tried+r.Tried, min(h.Nearest, r.Nearest)
	if h.Undefined == "" {
		h.Undefined = r.Undefined
	}
	h.Tested.Add(r.Tested)
	h.Cells = r.Cells
	if h.Refutation == nil && eval.OverTime(p) && !eval.OverSteps(p) {
		h.Tested.Add(o.Hunter.Follow(ctx, p, o.Seed, label))
	}
	return h
}

func judgeTwin(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, t *lang.Twin, o Options) TwinResult {
	r := TwinResult{Twin: t}
	if r.Part, r.Err = Mutant(f, c, p, t); r.Err != nil {
		return r
	}
	o.Certify = nil
	label := c.ID + "/" + p.Name + "/" + t.String()
	var few *sample.Result
	r.Proof, few = o.prove(ctx, r.Part, label)
	r.Search = o.search(ctx, r.Part, label, twinFactor, r.Proof.Verdict().IsDecided(), few)
	if late(r.Part) && r.Search.Refutation == nil && !r.Proof.Verdict().IsDecided() {
		r.Proof = verdict.Prove(ctx, r.Part)
	}
	r.Verdict = together(r.Part, r.Proof, r.Search)
	if r.Verdict == verdict.Supported {
		// That nobody has refuted a twin says nothing for its claim.
		r.Verdict = verdict.Undecided
	}
	return r
}

// Mutant is a twin as a part of its own. A twin whose text does not occur, or which has no meaning, is a mistake of
// the claim file: it tries nothing.
func Mutant(f *lang.File, c *lang.Claim, p *lang.Part, t *lang.Twin) (*lang.Part, error) {
	m, err := f.Mutate(c, p, t)
	if err != nil {
		return nil, err
	}
	if m.Fault != nil {
		return nil, &lang.Error{Pos: t.Pos, Msg: "the twin has no meaning, so that it tries nothing: " + m.Fault.Error()}
	}
	if m.Stmt.Kind == lang.Sampled {
		return m, nil
	}
	if _, err := lang.Elaborate(m); err != nil {
		return nil, &lang.Error{Pos: t.Pos, Msg: "the twin has no meaning, so that it tries nothing: " + err.Error()}
	}
	return m, nil
}

// Validate reads every part and twin in the kernel's terms and returns the first mistake, a [*lang.Error]. A printed
// statement that has no meaning is none if the claim has a corrected reading, or if its shapes fit and an operator in it
// has no meaning: that is a finding.
func Validate(f *lang.File) error {
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Fault == nil && p.Stmt.Kind != lang.Sampled {
				_, err := lang.Elaborate(p)
				var e *lang.Error
				// Its shapes fit, or it would have been at fault before: sizes in another order are a limit of the language.
				if errors.As(err, &e) && e.Operator && !p.Corrected {
					p.Fault = e
				} else if err != nil {
					return err
				}
			}
			if p.Fault != nil {
				continue
			}
			for _, t := range p.Twins {
				if _, err := Mutant(f, c, p, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
