package prove

import (
	"fmt"
	"slices"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// citation is a part that is cited where something is known.
type citation struct {
	part string
	at   *kernel.Context
}

// cite establishes formulas as the theorem of another part, which is proved here, under this Γ: by that part's own
// script, or by search where it has none. Nothing is taken over but the text.
func (p *prover) cite(fs []kernel.Formula, st *lang.Step) ([]kernel.Theorem, error) {
	name := st.Cites.String()
	if p.citing == 0 && !slices.Contains(p.uses, name) {
		p.uses = append(p.uses, name)
	}
	at := citation{name, p.work.ctx}
	ths, known := p.shared[at]
	if !known {
		var err error
		if ths, err = p.share(st); err != nil {
			return nil, err
		}
		p.shared[at] = ths
	}
	if len(ths) != len(fs) {
		return nil, fmt.Errorf("%s: %s states something else", st.Pos, name)
	}
	out := make([]kernel.Theorem, len(fs))
	for i, f := range fs {
		var err error
		if out[i], err = p.restate(f, ths[i]); err != nil {
			return nil, fmt.Errorf("%s: %s states something else: %w", st.Pos, name, err)
		}
	}
	return out, nil
}

// restate is the theorem of a formula that differs from that of another in how it is written only.
func (p *prover) restate(f kernel.Formula, th kernel.Theorem) (kernel.Theorem, error) {
	if th.Formula().Same(f) {
		return th, nil
	}
	s := p.work
	if th.Context() != s.ctx {
		return kernel.Theorem{}, fmt.Errorf("it has to be stated as there, definitions written out")
	}
	s.why = nil
	for _, t := range f.Ends() {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, s.explain(err)
		}
	}
	return s.apply("transport", f, []kernel.Theorem{th})
}

// nodeWork is what a node of a part's text counts as, which is read and made terms of wherever it is cited.
const nodeWork = 1000

// share proves the part that a step cites.
func (p *prover) share(st *lang.Step) ([]kernel.Theorem, error) {
	part, err := p.reading.Share(st)
	if err != nil {
		return nil, err
	}
	// Parts that cite each other in cases are established once in each set of cases.
	p.spend(nodeWork * part.Nodes)
	facts, steps := p.facts, p.steps
	p.citing++
	defer func() { p.facts = facts; p.citing-- }()
	p.facts = map[string][]kernel.Theorem{}
	for _, a := range part.Assumes {
		th := p.work.hypothesis(a.Formula)
		if !th.Valid() {
			if th, err = p.findState(p.work, a.Formula); err != nil {
				return nil, fmt.Errorf("%s: %s assumes %s, which does not follow here: %w", st.Pos, st.Cites, a.Name, err)
			}
		}
		p.facts[a.Name] = []kernel.Theorem{th}
	}
	p.steps = steps
	if len(part.Proof) > 0 {
		ths, err := p.follow(part.Proof, part.Goals, st.Pos)
		if err != nil {
			return nil, fmt.Errorf("%s: %s is not proved here by its own script: %w", st.Pos, st.Cites, err)
		}
		return ths, nil
	}
	ths := make([]kernel.Theorem, len(part.Goals))
	for i, g := range part.Goals {
		if ths[i], err = p.find(g); err != nil {
			return nil, fmt.Errorf("%s: %s has no script, and search: %w", st.Pos, st.Cites, err)
		}
	}
	return ths, nil
}
