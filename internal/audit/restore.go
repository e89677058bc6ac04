package audit

import (
	"bytes"

	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// restore says the words of a claim that an earlier run finished, each by reading its certificate again; what states
// and samples say is computed from their recorded numbers. It reports false if the record does not fit the claim, or if
// a certificate is missing, does not hold or is that of another statement.
func restore(f *lang.File, c *lang.Claim, rec ledger.Claim, read func(string) ([]byte, error)) (*ledger.Claim, bool) {
	if read == nil {
		return nil, false
	}
	established := func(p *lang.Part, name string) (verdict.Verdict, bool) {
		text, err := read(name)
		if err != nil {
			return verdict.Undecided, false
		}
		cert, err := certificate.Read(bytes.NewReader(text))
		if err != nil {
			return verdict.Undecided, false
		}
		v, err := verdict.OfCertificate(p, cert)
		return v, err == nil
	}
	evidence, twins := rec.Evidence, rec.Twins
	found := make([]finding, len(c.Parts))
	for i, p := range c.Parts {
		want := describe(p)
		found[i].statement = want.Statement
		var words []verdict.Verdict
		for len(evidence) > 0 && evidence[0].Detail.Part == p.Name && evidence[0].Detail.Reading == want.Reading {
			e := evidence[0]
			evidence = evidence[1:]
			if e.Detail.Sequent != want.Sequent || e.Detail.Statement != want.Statement {
				return nil, false
			}
			v, ok := verdict.Undecided, true
			switch {
			case e.Certificate != "":
				v, ok = established(p, e.Certificate)
			case e.Kind == ledger.Witness:
				ok = false
			case e.Kind == ledger.Samples && (e.Detail.Holds > 0 || e.Detail.Against > 0):
				v = sampledWord(e, nil)
			case e.Kind == ledger.Samples && p.Stmt.Kind != lang.Sampled && e.Detail.Drawn > 0 && (e.Detail.Followed > 0 || e.Detail.Tried > 0 && !eval.OverTime(p)):
				v = verdict.Supported
			}
			if !ok {
				return nil, false
			}
			e.Verdict = word(v)
			words = append(words, v)
			found[i].evidence = append(found[i].evidence, e)
		}
		if len(words) == 0 || p.Fault == nil && p.Stmt.Kind != lang.Sampled && !complete(found[i].evidence) {
			return nil, false
		}
		found[i].verdict = verdict.Together(words...)
		for _, t := range p.Twins {
			if len(twins) == 0 || twins[0].Mutation != p.Name+": "+t.String() {
				return nil, false
			}
			rec := twins[0]
			twins = twins[1:]
			v := verdict.Undecided
			if rec.Certificate != "" {
				m, err := theory.Mutant(f, c, p, t)
				if err != nil {
					return nil, false
				}
				ok := false
				if v, ok = established(m, rec.Certificate); !ok {
					return nil, false
				}
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
