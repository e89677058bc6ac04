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
		res.Search = sample.Search(ctx, p, o.Seed, c.ID+"/"+p.Name, budget)
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
	if proof := checker.Prove(m); proof.Verdict().IsProved() {
		// A twin that the unchanged script still proves is a defect of the claim or of the checker.
		r.Verdict = proof.Verdict()
		return r
	}
	r.Search = sample.Search(ctx, m, o.Seed, c.ID+"/"+p.Name+"/"+t.String(), 4*o.Budget)
	if r.Search.Refutation != nil {
		r.Verdict = r.Search.Refutation.Verdict()
	}
	return r
}
