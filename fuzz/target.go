package fuzz

import (
	"fmt"

	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Reading says in what sense a statement belongs to a claim.
type Reading string

// The readings of a claim's statements.
const (
	Printed   Reading = "printed"   // as printed
	Corrected Reading = "corrected" // as corrected
	Variant   Reading = "variant"   // with something changed, or without one of its hypotheses
	Question  Reading = "question"  // a formal version of what the claim says in words
	Orbit     Reading = "orbit"     // about a trajectory
)

// Target is one statement under attack.
type Target struct {
	Claim   string
	Name    string // of the part or question
	Reading Reading
	Part    *lang.Part
	Variant string // how a variant differs
	Why     string // what a variant stands for
}

// Label identifies a target among those of all claims.
func (t Target) Label() string {
	l := t.Claim + "/" + t.Name
	if t.Variant != "" {
		l += " with " + t.Variant
	}
	return l
}

// Statement renders what is attacked, identification first: of an assumption that what holds by it at the start stays so, since
// a motion that leaves it says nothing of those that keep it.
func (t Target) Statement() string {
	text, _ := lang.Statement(t.Part)
	if t.Part.Fault == nil && t.Part.Stmt.Kind == lang.Assumption {
		if r, err := lang.Elaborate(t.Part); err == nil {
			if _, lost, err := verdict.Loss(r); err == nil {
				if said, err := r.Say(lost...); err == nil {
					text = said
				}
			}
		}
	}
	return t.Label() + ": " + text
}

// Targets lists the statements of a claim that a single state may refute: the printed and the corrected
// reading, the variants that the claim itself names (its twins), and the formal questions that go with it.
// The error says that there is no such claim.
func Targets(f *lang.File, claim string) ([]Target, error) {
	c := f.Claim(claim)
	if c == nil {
		return nil, fmt.Errorf("fuzz: no claim %q", claim)
	}
	var out, variants []Target
	for _, p := range c.Parts {
		if p.Stmt.Kind == lang.Sampled {
			continue
		}
		reading := Printed
		if p.Corrected {
			reading = Corrected
		}
		out = append(out, Target{Claim: claim, Name: p.Name, Reading: reading, Part: p})
		for _, t := range p.Twins {
			m, err := f.Mutate(c, p, t)
			if err != nil {
				return nil, fmt.Errorf("fuzz: %s: %w", claim, err)
			}
			variants = append(variants, Target{Claim: claim, Name: p.Name, Reading: Variant, Part: m, Variant: t.String(), Why: t.Why})
		}
	}
	if !builtInClaim(c) {
		return append(out, variants...), nil
	}
	questions, err := questionsOf(claim)
	if err != nil {
		return nil, err
	}
	return append(append(out, questions...), variants...), nil
}

// builtInClaim reports whether a claim is one of the theory's own: the questions of this package are about those, and not
// about one of the same name in a file of somebody else's.
func builtInClaim(c *lang.Claim) bool {
	f, err := builtIn()
	if err != nil {
		return false
	}
	own := f.Claim(c.ID)
	return own != nil && own.Pos.File == c.Pos.File
}
