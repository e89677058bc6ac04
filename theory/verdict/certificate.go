package verdict

import (
	"fmt"
	"strings"

	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
)

// label is what the certificate of a part is filed under.
func label(claim string, p *lang.Part) certificate.Label {
	reading := "printed"
	if p.Corrected {
		reading = "corrected"
	}
	return certificate.Label{Claim: claim, Part: p.Name, Reading: reading}
}

func names(r *lang.Reading) (out []certificate.Abbreviation) {
	for _, n := range r.Names() {
		out = append(out, certificate.Abbreviation{Name: n.Name, Term: n.Term})
	}
	return out
}

// Certificate renders the theorems behind the verdict; nil if there are none.
func (p *Proof) Certificate(claim string) ([]byte, error) {
	switch p.verdict.w {
	case proved, inconsistent:
		var uses []certificate.Use
		for _, u := range p.Uses() {
			id, part, _ := strings.Cut(u, "/")
			uses = append(uses, certificate.Use{Claim: id, Part: part})
		}
		return certificate.Proof(label(claim, p.part), uses, names(p.reading), p.Theorems()...)
	case vacuous:
		return certificate.Vacuous(label(claim, p.part), names(p.reading), p.Vacuous())
	}
	return nil, nil
}

// Certificate renders the counterexample behind the verdict; nil if there is none.
func (r *Refutation) Certificate(claim string) ([]byte, error) {
	if !r.verdict.IsRefuted() {
		return nil, nil
	}
	if r.trajectory.Valid() {
		return certificate.Trajectory(label(claim, r.reading.Part()), names(r.reading), r.trajectory)
	}
	return certificate.Refutation(label(claim, r.reading.Part()), names(r.reading), r.counterexample)
}

// FaultCertificate renders the message of a part that has no meaning; nil if it has one.
func FaultCertificate(claim string, p *lang.Part) []byte {
	if !OfFault(p).IsIllFormed() {
		return nil
	}
	return certificate.IllFormed(label(claim, p), p.Fault.Error())
}

// Sequents are the canonical texts of what a part states, and of what it has to keep if it is an assumption.
type Sequents struct {
	Statement string   // Γ ⊢ all goals
	Parts     []string // Γ ⊢ each goal by itself
	Absurd    []string // Γ ⊢ ⊥, in the forms in which it is stated; for an assumption, what is assumed beside it ⊢ ⊥
	Losses    []string // for an assumption: that its equations stay, under what is assumed beside it

	name       string
	assumption bool
}

// SequentsOf elaborates a part.
func SequentsOf(p *lang.Part) (*Sequents, error) {
	r, err := lang.Elaborate(p)
	if err != nil {
		return nil, err
	}
	return sequents(r)
}

func sequents(r *lang.Reading) (*Sequents, error) {
	c, goals := r.Context(), r.Goals()
	s := &Sequents{Statement: certificate.Sequent(c, goals...), name: r.Part().Name, assumption: r.Part().Stmt.Kind == lang.Assumption}
	for _, g := range goals {
		s.Parts = append(s.Parts, certificate.Sequent(c, g))
	}
	absurd, err := kernel.NewFormula(kernel.Absurd)
	if err != nil {
		return nil, err
	}
	if c.Time() != kernel.AtState {
		if absurd, err = kernel.NewAlways(absurd); err != nil {
			return nil, err
		}
	}
	if s.assumption {
		c = r.Beside()
	}
	s.Absurd = []string{certificate.Sequent(c, absurd)}
	if r.Part().Stmt.Kind == lang.Assumption {
		lc, losses, err := Loss(r)
		if err != nil {
			return nil, err
		}
		for _, g := range losses {
			s.Losses = append(s.Losses, certificate.Sequent(lc, g))
		}
	}
	return s, nil
}

// OfCertificate is the verdict that a certificate, read again, has on a part: what was established has to be the
// part's own sequent, whatever the file is filed under. An error says in what they differ.
func OfCertificate(p *lang.Part, c *certificate.Certificate) (Verdict, error) {
	if msg := c.IllFormed(); msg != "" {
		if string(FaultCertificate("_", p)) == string(certificate.IllFormed(label("_", p), msg)) {
			return OfFault(p), nil
		}
		return Undecided, fmt.Errorf("verdict: %s is not ill-formed for this reason", p.Name)
	}
	s, err := SequentsOf(p)
	if err != nil {
		return Undecided, err
	}
	return s.Verdict(c)
}

// Verdict is the verdict that a certificate, read again, has on the part whose sequents these are.
func (s *Sequents) Verdict(c *certificate.Certificate) (Verdict, error) {
	got := c.Sequent()
	among := func(texts []string) bool {
		for _, t := range texts {
			if t == got {
				return true
			}
		}
		return false
	}
	switch {
	case len(c.Goals()) > 0 && got == s.Statement && s.assumption:
		return Verdict{inconsistent}, nil
	case len(c.Goals()) > 0 && got == s.Statement:
		return Verdict{proved}, nil
	case len(c.Certified())+len(c.Outcomes()) > 0 && got == s.Statement && !s.assumption:
		return Verdict{certified}, nil
	case c.Vacuous().Valid() && among(s.Absurd):
		return Verdict{vacuous}, nil
	case c.Counterexample().Valid() && among(s.Losses):
		return Verdict{notKept}, nil
	// Soundness: a motion that refutes A ⊢ ⊥ keeps the assumption A; it does not refute A.
	case (c.Counterexample().Valid() || c.Trajectory().Valid()) && among(s.Parts) && !s.assumption:
		return Verdict{refuted}, nil
	}
	return Undecided, fmt.Errorf("verdict: the certificate establishes another sequent than that of %s", s.name)
}

// OutcomeCertificate renders what is certified of a part along all motions from its region.
func OutcomeCertificate(claim string, r *lang.Reading, certified []trajectory.Certified) ([]byte, error) {
	if !OfOutcomes(r, certified).IsCertified() {
		return nil, nil
	}
	return certificate.Outcome(label(claim, r.Part()), names(r), certified...)
}

// RegionCertificate renders what is certified of a part over its region.
func RegionCertificate(claim string, r *lang.Reading, certified []region.Certified) ([]byte, error) {
	if !OfCertified(r, certified).IsCertified() {
		return nil, nil
	}
	return certificate.Region(label(claim, r.Part()), names(r), certified...)
}
