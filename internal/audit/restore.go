package audit

import (
	"bytes"
	"context"
	"slices"

	"stopgrad/fuzz/certify"
	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// restore says the words of a claim that an earlier run finished, each by reading its certificate again, and describes what is
// proved or fails from there. It reports false, so that the claim is judged again, if the record does not fit the claim, if a
// certificate is missing, does not hold or is that of another statement, or if no certificate can say a word, as of a statement in
// words.
func restore(f *lang.File, c *lang.Claim, rec ledger.Claim, read func(string) ([]byte, error)) (*ledger.Claim, bool) {
	if read == nil {
		return nil, false
	}
	// Of a twin, of which no kind is recorded, it is empty.
	established := func(p *lang.Part, name string, d *ledger.Detail, kind ledger.Kind) (v verdict.Verdict, ok bool) {
		text, err := read(name)
		if err != nil {
			return v, false
		}
		cert, err := certificate.Read(bytes.NewReader(text))
		if err != nil {
			return v, false
		}
		if v, err = verdict.OfCertificate(p, cert); err != nil {
			return v, false
		}
		return v, (kind == "" || kind == kindOf(cert)) && described(p, d, cert, v, kind == ledger.Proof)
	}
	evidence, twins := rec.Evidence, rec.Twins
	found := make([]finding, len(c.Parts))
	for i, p := range c.Parts {
		if p.Fault == nil && p.Stmt.Kind == lang.Sampled {
			return nil, false
		}
		want := describe(p)
		found[i].statement = want.Statement
		var words []verdict.Verdict
		for len(evidence) > 0 && evidence[0].Detail.Part == p.Name && evidence[0].Detail.Reading == want.Reading {
			e := evidence[0]
			evidence = evidence[1:]
			if !alike(e.Detail, want) {
				return nil, false
			}
			v, ok := verdict.Undecided, true
			switch {
			case e.Certificate != "":
				v, ok = established(p, e.Certificate, &e.Detail, e.Kind)
			case e.Kind == ledger.Witness:
				ok = false
			// Beside a proof or a counterexample, samples are in support.
			case e.Kind == ledger.Samples && (e.Detail.Holds > 0 || e.Detail.Against > 0):
				if v = sampledWord(e, nil); v == verdict.Supported && doubted(found[i].evidence) {
					v = verdict.Undecided
				}
			case e.Kind == ledger.Samples && supports(p, e.Detail):
				v = verdict.Supported
			}
			if e.Certificate == "" {
				ok = ok && bare(p, &e)
			}
			if !ok {
				return nil, false
			}
			e.Verdict = word(v)
			words = append(words, v)
			found[i].evidence = append(found[i].evidence, e)
		}
		if len(words) == 0 || p.Fault == nil && !complete(found[i].evidence) {
			return nil, false
		}
		found[i].verdict = verdict.Together(words...)
		// Numbers of states tried cannot be checked, and could stand in the place of a counterexample: what no certificate
		// decides is judged again. So is what is proved and yet has no value at a state.
		v := found[i].verdict
		if p.Fault == nil && !v.IsDecided() || v.IsProved() && undefined(found[i].evidence) {
			return nil, false
		}
		for _, t := range p.Twins {
			if len(twins) == 0 || twins[0].Mutation != p.Name+": "+t.String() {
				return nil, false
			}
			rec := twins[0]
			twins = twins[1:]
			v := verdict.Undecided
			m, err := theory.Mutant(f, c, p, t)
			if err == nil {
				// Of a twin Γ is not recorded.
				said := describe(m)
				said.Part, said.Reading, said.Given = p.Name, want.Reading, nil
				if rec.Detail == nil || !alike(*rec.Detail, said) {
					return nil, false
				}
			}
			if (rec.Certificate != "") != (err == nil) {
				// What no certificate decides is judged again, and what has no meaning has none.
				return nil, false
			}
			if rec.Certificate != "" {
				d, ok := *rec.Detail, false
				if v, ok = established(m, rec.Certificate, &d, ""); !ok {
					return nil, false
				}
				rec.Detail = &d
			}
			rec.Verdict = word(v)
			found[i].twins = append(found[i].twins, rec)
		}
	}
	if len(evidence) > 0 || len(twins) > 0 {
		return nil, false
	}
	out := record(c, found)
	out.Seconds = rec.Seconds
	return &out, true
}

// kindOf is the kind of evidence that a certificate is.
func kindOf(cert *certificate.Certificate) ledger.Kind {
	switch {
	case cert.Counterexample().Valid() || cert.Trajectory().Valid():
		return ledger.Witness
	case len(cert.Certified())+len(cert.Outcomes()) > 0:
		return ledger.Certificate
	}
	return ledger.Proof
}

// bare takes from evidence without a certificate what only one with it has, and requires of a proof that breaks off that it does
// so again, by the script alone or by a search.
func bare(p *lang.Part, e *ledger.Evidence) bool {
	d := e.Detail
	d.State, d.Left, d.Right, d.Hypotheses, d.Steps, d.Uses, d.Script = nil, "", "", nil, nil, nil, ""
	if e.Kind != ledger.Proof {
		e.Detail = d
		return e.Kind == ledger.Samples || e.Kind == ledger.Certificate
	}
	for _, prove := range []func(context.Context, *lang.Part) *verdict.Proof{verdict.Replay, verdict.Prove} {
		again := d
		derived(&again, prove(context.Background(), p))
		if slices.Equal(again.Steps, e.Detail.Steps) && again.Reason == e.Detail.Reason && again.Script == e.Detail.Script {
			e.Detail = again
			return true
		}
	}
	return false
}

// described fills in what a certificate says of a part: the state at which it fails and its numbers there, or, where derive is
// set, the derivation, which is found again.
func described(p *lang.Part, d *ledger.Detail, cert *certificate.Certificate, v verdict.Verdict, derive bool) bool {
	d.State, d.Left, d.Right, d.Hypotheses, d.Measures, d.Steps, d.Uses = nil, "", "", nil, nil, nil, nil
	x, along := cert.Counterexample(), cert.Trajectory()
	switch {
	case p.Fault != nil:
		d.Reason = p.Fault.Error()
	case x.Valid():
		w, ok := verdict.WitnessOf(x.State())
		if !ok {
			return false
		}
		r, err := verdict.Refute(p, w)
		if err != nil || r.Verdict() != v {
			return false
		}
		refuted(d, p, w, r)
	case along.Valid():
		w, ok := verdict.WitnessOf(along.State())
		if !ok {
			return false
		}
		d.State, d.Reason, d.Measures, d.Hypotheses = exactState(p, w), along.Reason(), map[string]float64{}, map[string]bool{}
	case len(cert.Certified())+len(cert.Outcomes()) > 0:
		return certify.Says(d.Reason, cert.Certified(), cert.Outcomes())
	case derive && (len(cert.Goals()) > 0 || cert.Vacuous().Valid()):
		// As when it was judged, what the script comes to is asked first.
		proof := verdict.Replay(context.Background(), p)
		if proof.Verdict() != v {
			proof = verdict.Prove(context.Background(), p)
		}
		if proof.Verdict() != v {
			return false
		}
		derived(d, proof)
	}
	return true
}

// supports is theory.Supports of a record of a search.
func supports(p *lang.Part, d ledger.Detail) bool {
	if p.Stmt.Kind == lang.Assumption || d.Drawn == 0 || d.Against != 0 || d.Undefined {
		return false
	}
	if eval.OverTime(p) {
		return d.Followed > 0 && len(eval.Inputs(p)) == 0
	}
	return d.Tried > 0
}

// undefined reports whether a search came to a state at which the statement has no value.
func undefined(evidence []ledger.Evidence) bool {
	return slices.ContainsFunc(evidence, func(e ledger.Evidence) bool { return e.Detail.Undefined })
}

// doubted reports whether a search came to a state, or a trajectory, that keeps a statement from being supported.
func doubted(evidence []ledger.Evidence) bool {
	return undefined(evidence) || slices.ContainsFunc(evidence, func(e ledger.Evidence) bool { return e.Detail.Drawn > 0 && e.Detail.Against > 0 })
}

// alike reports whether two records are of one part, of the same statement under the same Γ.
func alike(a, b ledger.Detail) bool {
	return a.Part == b.Part && a.Reading == b.Reading && a.Statement == b.Statement && a.Sequent == b.Sequent && slices.Equal(a.Given, b.Given)
}

// complete reports whether a formal statement's evidence has what every judgement of one leaves: what became of its
// proof, and what the search for a counterexample came to.
func complete(evidence []ledger.Evidence) bool {
	proofs, searches := 0, 0
	for _, e := range evidence {
		switch {
		case e.Kind == ledger.Proof:
			proofs++
		case e.Kind == ledger.Witness || e.Detail.Drawn > 0:
			searches++
		}
	}
	return proofs == 1 && searches > 0
}
