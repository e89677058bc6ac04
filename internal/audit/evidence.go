package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// finding is what became of one part of a claim.
type finding struct {
	verdict  verdict.Verdict
	evidence []ledger.Evidence
	twins    []ledger.Twin
	seconds  float64
}

func word(v verdict.Verdict) ledger.Verdict { return ledger.Verdict(v.String()) }

// judge judges one part.
func judge(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, o Options) finding {
	start := time.Now()
	r := theory.JudgePart(ctx, f, c, p, theory.Options{Seed: o.Seed, Budget: o.Depth.States, Hunter: o.Depth.Hunt})
	out := finding{verdict: r.Verdict}
	detail := func() ledger.Detail {
		return ledger.Detail{Part: p.Name, Reading: reading(p), Statement: statement(p)}
	}
	if p.Fault != nil {
		d := detail()
		d.Reason = p.Fault.Error()
		out.evidence = append(out.evidence, ledger.Evidence{Kind: ledger.Proof, Verdict: word(r.Verdict), Detail: d})
	} else {
		if r.Proof != nil {
			out.evidence = append(out.evidence, proofEvidence(detail(), r))
		}
		if p.Stmt.Kind != lang.Sampled {
			out.evidence = append(out.evidence, searchEvidence(detail(), p, r, o.Seed))
		}
		if e, v, ok := sampledEvidence(ctx, detail(), p, o); ok {
			out.evidence = append(out.evidence, e)
			switch {
			case p.Stmt.Kind == lang.Sampled:
				out.verdict = v
			case v.IsRefuted() && r.Verdict.IsProved():
				out.verdict = verdict.Contradiction
			case v.IsRefuted():
				out.verdict = v
			}
		}
	}
	for _, t := range r.Twins {
		out.twins = append(out.twins, twinRecord(p, t, o.Seed))
	}
	out.seconds = time.Since(start).Seconds()
	return out
}

func reading(p *lang.Part) string {
	if p.Corrected {
		return "corrected"
	}
	return "printed"
}

// statement renders a part with its hypotheses.
func statement(p *lang.Part) string {
	s := lang.UnicodeStmt(p.Stmt)
	var hyps []string
	for _, a := range p.Assumes {
		hyps = append(hyps, lang.UnicodeStmt(a.Stmt))
	}
	if len(hyps) > 0 {
		s += " if " + strings.Join(hyps, " and ")
	}
	return s
}

// readingStatement renders the parts of a reading, each under its name where there are several.
func readingStatement(ps []*lang.Part) string {
	if len(ps) == 1 {
		return statement(ps[0])
	}
	var out []string
	for _, p := range ps {
		out = append(out, p.Name+": "+statement(p))
	}
	return strings.Join(out, "; ")
}

func proofEvidence(d ledger.Detail, r theory.PartResult) ledger.Evidence {
	for _, l := range r.Proof.Steps() {
		d.Steps = append(d.Steps, ledger.Step{Rule: l.Rule, Says: l.Says})
	}
	if err := r.Proof.Failure(); err != nil {
		d.Reason = err.Error()
	}
	return ledger.Evidence{Kind: ledger.Proof, Verdict: word(r.Proof.Verdict()), Seconds: r.Proving.Seconds(), Detail: d}
}

func searchEvidence(d ledger.Detail, p *lang.Part, r theory.PartResult, seed uint64) ledger.Evidence {
	e := ledger.Evidence{Kind: ledger.Samples, Verdict: ledger.Undecided, Seconds: r.Hunting.Seconds()}
	describeSearch(&d, p, r.Search, seed)
	switch {
	case r.Search.Refutation != nil:
		e.Kind, e.Verdict = ledger.Witness, word(r.Search.Refutation.Verdict())
	case r.Search.Tried > 0:
		e.Verdict = word(verdict.Supported)
	}
	e.Detail = d
	return e
}

// describeSearch records a search for a counterexample: how far it went, and the witness if it found one.
func describeSearch(d *ledger.Detail, p *lang.Part, s sample.Result, seed uint64) {
	d.Seed, d.Drawn, d.Tried = &seed, s.Drawn, s.Tried
	switch {
	case s.Refutation != nil:
		d.State = exactState(p, s.Witness)
		f := s.Refutation.Finding()
		d.Hypotheses, d.Measures = f.Hypotheses, finite(f.Measures)
	case s.Tried == 0 && s.Err != nil:
		d.Reason = s.Err.Error()
	case s.Tried == 0:
		d.Reason = fmt.Sprintf("none of the %d states drawn met the hypotheses", s.Drawn)
	}
}

// sampledEvidence asks the properties about a part. A violation found in floating point does not refute: only
// the checker can, from an exact witness.
func sampledEvidence(ctx context.Context, d ledger.Detail, p *lang.Part, o Options) (ledger.Evidence, verdict.Verdict, bool) {
	start := time.Now()
	var s Sampling
	var err error
	if p.Stmt.Kind == lang.Sampled {
		s, err = o.Properties.Run(ctx, p.Stmt.Property, o.Seed, o.Depth.Runs)
	} else {
		s, err = o.Properties.Samples(ctx, p, o.Seed, o.Depth.Samples)
		if errors.Is(err, ErrNoProperty) {
			return ledger.Evidence{}, verdict.Undecided, false
		}
	}
	d.Seed, d.Tried, d.Measures, d.Reason = &o.Seed, s.Tried, finite(s.Measures), s.Note
	d.Data = s.Data
	kind, v := ledger.Samples, verdict.Undecided
	switch {
	case err != nil:
		d.Reason = err.Error()
	case s.Refutation != nil && s.Refutation.Verdict().IsRefuted():
		kind, v = ledger.Witness, s.Refutation.Verdict()
		f := s.Refutation.Finding()
		d.State, d.Hypotheses, d.Measures = exactState(p, *s.Witness), f.Hypotheses, finite(f.Measures)
	case s.Violations > 0:
		d.Reason = fmt.Sprintf("%d of %d samples violate the statement, %d agree with it", s.Violations, s.Tried, s.Holds)
		if s.Note != "" {
			d.Reason += ": " + s.Note
		}
	case s.Holds > 0:
		v = verdict.Supported
	}
	return ledger.Evidence{Kind: kind, Verdict: word(v), Seconds: time.Since(start).Seconds(), Detail: d}, v, true
}

func twinRecord(p *lang.Part, t theory.TwinResult, seed uint64) ledger.Twin {
	d := &ledger.Detail{Part: p.Name, Reading: reading(p)}
	switch {
	case t.Err != nil:
		d.Reason = t.Err.Error()
	case t.Part.Fault != nil:
		d.Statement, d.Reason = statement(t.Part), t.Part.Fault.Error()
	default:
		d.Statement = statement(t.Part)
		describeSearch(d, t.Part, t.Search, seed)
	}
	return ledger.Twin{Mutation: p.Name + ": " + t.Twin.String(), Verdict: word(t.Verdict), Detail: d}
}

// exactState writes a witness in text, so that anyone can put it back into the statement by hand.
func exactState(p *lang.Part, w verdict.Witness) *ledger.State {
	s := &ledger.State{Sizes: map[string]int{}, Scalars: map[string]string{}, Matrices: map[string][][]string{}}
	for d, n := range w.Dims {
		s.Sizes[string(d)] = n
	}
	for name, m := range w.Vals {
		if p.Env.Symbols[name].Kind == lang.Scalar {
			s.Scalars[name] = m.A[0].RatString()
		} else {
			s.Matrices[name] = rows(m)
		}
	}
	return s
}

func rows(m eval.Matrix[*big.Rat]) [][]string {
	out := make([][]string, m.R)
	for i := range out {
		out[i] = make([]string, m.C)
		for j := range out[i] {
			out[i][j] = m.At(i, j).RatString()
		}
	}
	return out
}

// finite drops what JSON has no number for.
func finite(m map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(m))
	for k, v := range m {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[k] = v
		}
	}
	return out
}
