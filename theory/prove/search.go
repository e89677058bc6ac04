package prove

import (
	"fmt"

	"stopgrad/theory/kernel"
)

// search looks for proofs of all goals without a script.
func (p *prover) search() ([]kernel.Theorem, error) {
	var out []kernel.Theorem
	for _, g := range p.reading.Goals() {
		th, err := p.find(g)
		if err != nil {
			return nil, fmt.Errorf("%s: search: %w", p.part.Stmt.Pos, err)
		}
		out = append(out, th)
	}
	return out, nil
}

// find looks for a proof of one formula.
func (p *prover) find(f kernel.Formula) (kernel.Theorem, error) {
	switch f.Form() {
	case kernel.Always:
		th, err := p.findState(p.base, f.Inner())
		if err != nil {
			return th, err
		}
		return p.lift(p.base, th)
	case kernel.Evolves:
		return p.evolves(f)
	case kernel.NormDecays, kernel.Decays:
		return p.decays(f)
	case kernel.Vanishes:
		return p.findVanishing(f)
	case kernel.Congruence, kernel.StaySemidefinite:
		return p.findCongruence(f)
	case kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive:
		return p.findStaying(f)
	case kernel.Tends:
		return p.line(f)
	}
	return p.findState(p.work, f)
}

// findState looks for a proof of a formula about one state.
func (p *prover) findState(s *state, f kernel.Formula) (kernel.Theorem, error) {
	s.why = nil
	for _, t := range f.Terms() {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, s.explain(err)
		}
	}
	switch f.Form() {
	case kernel.Equal:
		th, err := s.equation(f)
		if err != nil {
			return th, s.explain(err)
		}
		p.steps = append(p.steps, Step{th.Rule(), p.part.Stmt.Text})
		return th, nil
	case kernel.Absurd:
		if th, ok := s.contradiction(); ok {
			return th, nil
		}
		return kernel.Theorem{}, fmt.Errorf("no contradiction was found")
	}
	th, ok := s.order(f)
	if !ok {
		return th, s.explain(fmt.Errorf("no proof was found"))
	}
	p.steps = append(p.steps, Step{th.Rule(), p.part.Stmt.Text})
	return th, nil
}

// findVanishing looks for a rate of decay of the term, or of a quantity that bounds it.
func (p *prover) findVanishing(f kernel.Formula) (kernel.Theorem, error) {
	return kernel.Theorem{}, fmt.Errorf("no rate of decay was found")
}

// findCongruence reads the factor of L' = A·L + L·Aᵀ off the derivative.
func (p *prover) findCongruence(f kernel.Formula) (kernel.Theorem, error) {
	return kernel.Theorem{}, fmt.Errorf("no factor was found")
}

// findStaying looks for the right-hand sides of a barrier.
func (p *prover) findStaying(f kernel.Formula) (kernel.Theorem, error) {
	return kernel.Theorem{}, fmt.Errorf("no right-hand side was found")
}
