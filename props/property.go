package props

import (
	"context"
	"fmt"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// MaxDim bounds the sizes n1, n2, … of drawn states. The statements are of degree at most eight in their
// matrices; three is the least size at which symmetric matrices of distinct eigenvalues, a repeated one
// beside another, and shapes n2 < n1, n2 = n1, n2 > n1 with both sizes above one all occur.
const MaxDim = 3

// Attempts is how often a check draws before it gives up on meeting a part's hypotheses. The rarest
// hypotheses of the claims (fixed-points: p between two roots) are met by about one draw in a hundred.
const Attempts = 40

// State is a state in exact numbers.
type State = eval.State[*big.Rat]

// Status is what a check came to.
type Status int

// The statuses of a check, from the least telling.
const (
	Vacuous  Status = iota // no state was drawn that meets the hypotheses
	Holds                  // the statement holds at the drawn state
	Violated               // the drawn state is a counterexample, confirmed by the model
)

func (s Status) String() string { return [...]string{"vacuous", "holds", "violated"}[s] }

// Part is a statement with the part of a property that is about it.
type Part struct {
	*lang.Part
	// Asserted parts carry a proof script: the claim asserts them at every state. Of the others nothing is
	// asserted; they are left to a search.
	Asserted bool
}

// Property is what a claim promises: that its asserted parts hold at every state, and, if it prints a
// correction, that some printed part fails somewhere or has no meaning.
type Property struct {
	ID    string
	Parts []Part // with a formal statement; parts in words belong to [Run]
	// IllFormed are the printed parts that have no meaning.
	IllFormed []*lang.Part
	// HasCorrection is true if the claim has a corrected reading.
	HasCorrection bool
}

// Of returns the property of the claim with the given id, or an error if f has no such claim.
func Of(f *lang.File, id string) (Property, error) {
	c := f.Claim(id)
	if c == nil {
		return Property{}, fmt.Errorf("props: no claim %q", id)
	}
	p := Property{ID: id}
	for _, part := range c.Parts {
		switch {
		case part.Corrected:
			p.HasCorrection = true
		case part.Fault != nil:
			p.IllFormed = append(p.IllFormed, part)
		}
		if part.Fault == nil && part.Stmt.Kind != lang.Sampled {
			p.Parts = append(p.Parts, Part{part, len(part.Proof) > 0 && part.Stmt.Kind != lang.Assumption})
		}
	}
	return p, nil
}

// Outcome is what checking a part came to.
type Outcome struct {
	Part    *lang.Part
	Status  Status
	State   State         // at which the part was judged; empty if Vacuous
	Finding *eval.Finding // nil if Vacuous
	Drawn   int           // draws made
}

// Check draws a state for every asserted part and returns the first violation, or else the outcome that
// tells least: Holds only if every asserted part held at a state that meets its hypotheses. A property
// without asserted parts is Vacuous.
func (p Property) Check(ch sample.Chooser) Outcome {
	out := Outcome{Status: Vacuous}
	seen := false
	for _, part := range p.Parts {
		if !part.Asserted {
			continue
		}
		o := part.Check(ch)
		if o.Status == Violated {
			return o
		}
		if !seen || o.Status < out.Status {
			out = o
		}
		seen = true
	}
	return out
}

// Check draws states until one meets the hypotheses, [Attempts] times at most, and judges the part there. A
// failure counts as Violated only if the model confirms it.
func (p Part) Check(ch sample.Chooser) Outcome {
	for i := range Attempts {
		st, f, ok := draw(ch, p.Part)
		if !ok {
			continue
		}
		o := Outcome{Part: p.Part, Status: Holds, State: st, Finding: f, Drawn: i + 1}
		if f.Holds {
			return o
		}
		if r, err := verdict.Refute(p.Part, st); err == nil && r.Verdict().IsRefuted() {
			o.Status = Violated
			return o
		}
		// The state fails the statement on the edge of a moving hypothesis, which decides nothing.
	}
	return Outcome{Part: p.Part, Status: Vacuous, Drawn: Attempts}
}

// draw draws a state and judges the part there; ok is false unless the hypotheses are met.
func draw(ch sample.Chooser, part *lang.Part) (State, *eval.Finding, bool) {
	st, err := sample.Draw(ch, part, MaxDim)
	if err != nil {
		return State{}, nil, false
	}
	f, err := eval.Try(eval.Rational{}, part, st)
	if err != nil || !f.Met {
		return State{}, nil, false
	}
	return st, f, true
}

// PrintFails looks for evidence that the printed reading of a claim with a correction is wrong: a printed
// part without meaning, or a state, searched from the seed with the given budget per part, at which a
// printed part fails. It returns the part, with its witness unless it has no meaning; nil if none was found.
func (p Property) PrintFails(ctx context.Context, seed uint64, budget int) (*lang.Part, *verdict.Witness) {
	if len(p.IllFormed) > 0 {
		return p.IllFormed[0], nil
	}
	for _, part := range p.Parts {
		if part.Corrected || part.Asserted {
			continue
		}
		r := sample.Search(ctx, part.Part, seed, p.ID+"/"+part.Name, budget)
		if r.Refutation != nil {
			return part.Part, &r.Witness
		}
	}
	return nil, nil
}
