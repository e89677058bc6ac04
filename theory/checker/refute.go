package checker

import (
	"fmt"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Witness is a state in exact numbers.
type Witness = eval.State[*big.Rat]

// Refutation is the outcome of re-evaluating a witness.
type Refutation struct {
	verdict Verdict
	finding *eval.Finding
}

// Verdict is refuted (inconsistent for an assumption) if the witness is a counterexample, else undecided.
func (r *Refutation) Verdict() Verdict { return r.verdict }

// Finding is what the part amounts to at the witness.
func (r *Refutation) Finding() *eval.Finding { return r.finding }

// Refute re-evaluates a witness in exact arithmetic. The witness is a counterexample if every symbol keeps
// its declared domain and structure, every hypothesis holds, and the statement fails at it; for a statement
// about a stretch of time, the hypotheses about moving quantities must also hold strictly, so that they
// hold for a short time, in which the statement's rate of change is already wrong.
func Refute(part *lang.Part, w Witness) (*Refutation, error) {
	if part.Fault != nil {
		return nil, part.Fault
	}
	if part.Stmt.Kind == lang.Sampled {
		return nil, fmt.Errorf("checker: %s: a statement in words is not refuted by a state", part.Pos)
	}
	if part.Stmt.Kind == lang.Assumption {
		// Soundness: the assumption is contradicted only by something that follows from it.
		p := &prover{part: part, env: part.Env, facts: map[string]*lang.Stmt{}}
		if err := p.replay(); err != nil {
			return nil, fmt.Errorf("checker: the consequence is not derived: %w", err)
		}
	}
	for _, name := range part.Env.Order {
		s := part.Env.Symbols[name]
		if _, ok := w.Vals[name]; !ok && s.Kind != lang.Random && s.Root == nil {
			return nil, fmt.Errorf("checker: the witness has no value for %s", name)
		}
	}
	f, err := eval.Judge(eval.Rational{}, part, w)
	if err != nil {
		return nil, err
	}
	r := &Refutation{finding: f}
	if !f.Met || f.Holds {
		return r, nil
	}
	switch part.Stmt.Kind {
	case lang.Evolves, lang.Decays, lang.Stays, lang.Congruence:
		if !f.Open {
			return r, nil
		}
	}
	// Soundness: the only place that makes "refuted" and "inconsistent".
	r.verdict = Verdict{refuted}
	if part.Stmt.Kind == lang.Assumption {
		r.verdict = Verdict{incons}
	}
	return r, nil
}

// IllFormed is the verdict of a printed statement that has no meaning, and undecided for any other part.
func IllFormed(part *lang.Part) Verdict {
	if part.Fault != nil && part.Fault.Shape {
		return Verdict{illFormed}
	}
	return Undecided
}
