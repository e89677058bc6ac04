package theory

import (
	"context"
	"time"

	"stopgrad/theory/checker"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// Options bound the work of a judgement.
type Options struct {
	Seed uint64
	// Budget is how many states are drawn in search of a counterexample of one statement.
	Budget int
	// Hunter goes on where those states decide nothing; nil leaves it at them.
	Hunter Hunter
}

// Hunter finds counterexamples by other means than drawing, and makes them small. What it returns is believed
// for the refutation alone, which only package checker can make.
type Hunter interface {
	// Hunt looks for a counterexample of a part that is not proved.
	Hunt(ctx context.Context, part *lang.Part, seed uint64, label string) sample.Result
	// Minimise returns the simplest counterexample that it comes to from w, with its refutation.
	Minimise(ctx context.Context, part *lang.Part, w checker.Witness, r *checker.Refutation) (checker.Witness, *checker.Refutation)
}

// TwinResult is what became of a mutated twin.
type TwinResult struct {
	Twin    *lang.Twin
	Part    *lang.Part // the mutated part, nil if the mutation does not parse
	Verdict checker.Verdict
	Search  sample.Result
	Err     error
}

// PartResult is the judgement of one statement.
type PartResult struct {
	Part    *lang.Part
	Verdict checker.Verdict
	Proof   *checker.Proof
	Search  sample.Result // what the search for a counterexample came to
	Twins   []TwinResult
	Proving time.Duration
	Hunting time.Duration
}

// unprovedFactor is how many times longer a statement without a proof is searched for a counterexample.
const unprovedFactor = 40

// JudgePart replays the proof of a part, and searches for a counterexample whether or not there is a proof:
// a part that is both proved and refuted reveals an error of the suite, and is reported undecided with both.
func JudgePart(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, o Options) PartResult {
	res := PartResult{Part: p}
	if v := checker.IllFormed(p); v.IsDecided() {
		res.Verdict = v
		return res
	}
	start := time.Now()
	res.Proof = checker.Prove(p)
	res.Proving = time.Since(start)
	start = time.Now()
	if p.Stmt.Kind != lang.Sampled {
		budget := o.Budget
		if !res.Proof.Verdict().IsProved() {
			budget *= unprovedFactor
		}
		res.Search = o.search(ctx, p, c.ID+"/"+p.Name, budget, res.Proof)
		if r := res.Search.Refutation; r != nil && o.Hunter != nil {
			res.Search.Witness, res.Search.Refutation = o.Hunter.Minimise(ctx, p, res.Search.Witness, r)
		}
	}
	res.Hunting = time.Since(start)
	refuted := res.Search.Refutation != nil
	switch {
	case refuted && res.Proof.Verdict().IsProved():
		res.Verdict = checker.Undecided
	case refuted:
		res.Verdict = res.Search.Refutation.Verdict()
	case res.Proof.Verdict().IsProved():
		res.Verdict = res.Proof.Verdict()
	case res.Search.Tried > 0:
		res.Verdict = checker.Supported
	}
	for _, t := range p.Twins {
		res.Twins = append(res.Twins, judgeTwin(ctx, f, c, p, t, o))
	}
	return res
}

// search draws states, and has the hunter go on if there is neither a counterexample nor a proof.
func (o Options) search(ctx context.Context, p *lang.Part, label string, budget int, proof *checker.Proof) sample.Result {
	r := sample.Search(ctx, p, o.Seed, label, budget)
	if r.Refutation != nil || o.Hunter == nil || proof.Verdict().IsProved() {
		return r
	}
	h := o.Hunter.Hunt(ctx, p, o.Seed, label)
	h.Drawn, h.Tried = h.Drawn+r.Drawn, h.Tried+r.Tried
	return h
}

func judgeTwin(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, t *lang.Twin, o Options) TwinResult {
	r := TwinResult{Twin: t}
	m, err := f.Mutate(c, p, t)
	if err != nil {
		r.Err = err
		return r
	}
	r.Part = m
	if v := checker.IllFormed(m); v.IsDecided() {
		r.Verdict = v
		return r
	}
	proof := checker.Prove(m)
	if proof.Verdict().IsProved() {
		// A twin that the unchanged script still proves is a defect of the claim or of the checker.
		r.Verdict = proof.Verdict()
		return r
	}
	r.Search = o.search(ctx, m, c.ID+"/"+p.Name+"/"+t.String(), 4*o.Budget, proof)
	if r.Search.Refutation != nil {
		r.Verdict = r.Search.Refutation.Verdict()
	}
	return r
}
