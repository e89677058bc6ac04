package lang

import (
	"regexp"
	"slices"
	"strings"

	"stopgrad/theory/kernel"
)

// Citation names a part whose theorem a script uses.
type Citation struct {
	Claim, Part string
	of          *Part
}

func (c *Citation) String() string { return c.Claim + "/" + c.Part }

// citation is what may follow `by` besides a rule: CLAIM/PART, or the id of a claim with a single part.
var citation = regexp.MustCompile(`^([A-Za-z0-9_-]+)(?:/([A-Za-z_][A-Za-z0-9_]*))?$`)

// cited reads a citation; nil if the text is that of a rule.
func cited(text string) *Citation {
	m := citation.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return nil
	}
	if _, rule := rules[m[1]]; rule && m[2] == "" {
		return nil
	}
	return &Citation{Claim: m[1], Part: m[2]}
}

// citing lists the steps of a script that cite a part, those of its cases included.
func citing(steps []*Step) (out []*Step) {
	for _, st := range steps {
		if st.Cites != nil {
			out = append(out, st)
		}
		out = append(out, citing(st.Steps)...)
	}
	return out
}

// resolve finds the parts that a script cites.
func (f *File) resolve(p *Part) error {
	for _, st := range citing(p.Proof) {
		c := st.Cites
		claim := f.Claim(c.Claim)
		if claim == nil && f.library != nil {
			claim = f.library.Claim(c.Claim)
		}
		if claim == nil {
			return errAt(st.Pos, "there is no claim ‘%s’ (nor a rule of that name); expected a rule, or CLAIM/PART", c.Claim)
		}
		if c.Part == "" {
			if len(claim.Parts) != 1 {
				return errAt(st.Pos, "claim %s has %d parts; expected %s/PART", c.Claim, len(claim.Parts), c.Claim)
			}
			c.Part = claim.Parts[0].Name
		}
		i := slices.IndexFunc(claim.Parts, func(q *Part) bool { return q.Name == c.Part })
		if i < 0 {
			return errAt(st.Pos, "claim %s has no part called %s", c.Claim, c.Part)
		}
		q := claim.Parts[i]
		switch {
		case q.Fault != nil:
			return errAt(st.Pos, "%s has no meaning: %s", c, q.Fault.Msg)
		case q.Stmt.Kind == Assumption || q.Stmt.Kind == Sampled:
			return errAt(st.Pos, "%s is not a statement that a proof establishes", c)
		}
		c.of = q
	}
	return nil
}

// resolveAll finds what the scripts of all claims cite, and refuses circles.
func (f *File) resolveAll() error {
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if err := f.resolve(p); err != nil {
				return err
			}
		}
	}
	const open, closed = 1, 2
	state := map[*Part]int{}
	var visit func(*Part) error
	visit = func(p *Part) error {
		state[p] = open
		for _, st := range citing(p.Proof) {
			if state[st.Cites.of] == closed {
				continue
			}
			if state[st.Cites.of] == open {
				return errAt(st.Pos, "the proof of %s leads back to here", st.Cites)
			}
			if err := visit(st.Cites.of); err != nil {
				return err
			}
		}
		state[p] = closed
		return nil
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if state[p] == 0 {
				if err := visit(p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Shared is another part in this reading's vocabulary: what it states, what it assumes, and its script.
type Shared struct {
	Goals   []kernel.Formula
	Assumes []SharedHypothesis
	Proof   []*Step
	Nodes   int // of expressions, its definitions written out
}

// SharedHypothesis is a hypothesis of another part in this reading's vocabulary.
type SharedHypothesis struct {
	Name    string
	Formula kernel.Formula
}

// Share reads the part that a step cites: its definitions are written out as they stand there, and its symbols have to
// exist here with the same class and shape.
func (r *Reading) Share(st *Step) (*Shared, error) {
	c := st.Cites
	there, left := c.of.Env, maxNodes
	write := func(e *Expr) (*Expr, error) {
		out := there.expandLets(e, &left)
		if left <= 0 {
			return nil, errAt(st.Pos, "%s is too large to take over, its definitions written out", c)
		}
		there.note(out, false)
		var err error
		out.Walk(func(n *Expr) bool {
			if err == nil && n.Kind == Sym {
				err = r.sameSymbol(st, n.Name)
			}
			return err == nil
		})
		return out, err
	}
	statement := func(s *Stmt) (*Stmt, error) {
		s = s.clone()
		for _, q := range s.Assign {
			if err := r.sameSymbol(st, q.Name); err != nil {
				return nil, err
			}
		}
		for _, e := range s.exprs() {
			x, err := write(*e)
			if err != nil {
				return nil, err
			}
			*e = x
		}
		return s, nil
	}
	formulas := func(s *Stmt) ([]kernel.Formula, error) {
		s, err := statement(s)
		if err != nil {
			return nil, err
		}
		fs, err := r.Formulas(s)
		if err != nil {
			return nil, errAt(st.Pos, "%s has no meaning here: %v", c, err)
		}
		return fs, nil
	}
	var out Shared
	var err error
	if out.Goals, err = formulas(c.of.Stmt); err != nil {
		return nil, err
	}
	for _, a := range c.of.Assumes {
		fs, err := formulas(a.Stmt)
		if err != nil {
			return nil, err
		}
		out.Assumes = append(out.Assumes, SharedHypothesis{a.Name, fs[0]})
	}
	var script func(steps []*Step) ([]*Step, error)
	script = func(steps []*Step) (out []*Step, err error) {
		for _, step := range steps {
			s := *step
			s.More = slices.Clone(step.More)
			if s.Stmt != nil {
				if s.Stmt, err = statement(s.Stmt); err != nil {
					return nil, err
				}
			}
			for _, e := range s.exprs() {
				if *e, err = write(*e); err != nil {
					return nil, err
				}
			}
			if s.by() == "sturm" {
				if err := r.sameSymbol(st, s.Uses); err != nil {
					return nil, err
				}
			}
			if s.Steps, err = script(s.Steps); err != nil {
				return nil, err
			}
			out = append(out, &s)
		}
		return out, nil
	}
	if out.Proof, err = script(c.of.Proof); err != nil {
		return nil, err
	}
	out.Nodes = maxNodes - left
	return &out, nil
}

// sameSymbol requires that a name of the part that a step cites stands for a symbol, or size, of the same kind here.
func (r *Reading) sameSymbol(st *Step, name string) error {
	there := st.Cites.of.Env
	a, b := there.Symbols[name], r.env.Symbols[name]
	switch {
	case a == nil && slices.Contains(r.env.Sizes, Dim(name)):
		return nil
	case r.env.Lets[name] != nil:
		return errAt(st.Pos, "%s speaks of the symbol %s, which is a definition here", st.Cites, name)
	case a == nil || b == nil:
		return errAt(st.Pos, "%s speaks of %s, which is not declared here", st.Cites, name)
	}
	moves := func(v *Env) bool {
		return slices.ContainsFunc(slices.Concat(v.Flow, v.Map), func(q *Equation) bool { return q.Name == name })
	}
	same := a.Kind == b.Kind && a.Rows == b.Rows && a.Cols == b.Cols && a.Input == b.Input && a.Centred == b.Centred &&
		(a.Root == nil) == (b.Root == nil) && moves(there) == moves(r.env)
	if !same {
		return errAt(st.Pos, "%s speaks of %s, which is declared otherwise here: class and shape have to be the same", st.Cites, name)
	}
	return nil
}

// clone copies a statement as far as its expressions may be replaced.
func (s *Stmt) clone() *Stmt {
	c := *s
	c.More = slices.Clone(s.More)
	c.Assign = make([]*Equation, len(s.Assign))
	for i, q := range s.Assign {
		e := *q
		c.Assign[i] = &e
	}
	if s.Of != nil {
		c.Of = s.Of.clone()
	}
	return &c
}
