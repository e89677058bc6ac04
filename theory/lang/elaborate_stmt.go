package lang

import (
	"math/big"
	"slices"

	"stopgrad/theory/kernel"
)

// Formulas reads a statement: a fact of a script as the state formula, or temporal formula, that it states. Several
// formulas stand for their conjunction.
func (r *Reading) Formulas(s *Stmt) ([]kernel.Formula, error) {
	one := func(f kernel.Formula, err error) ([]kernel.Formula, error) {
		if err != nil {
			return nil, err
		}
		return []kernel.Formula{f}, nil
	}
	switch {
	case s.Kind.ofState():
		return one(r.state(s))
	case s.Kind == Counted:
		return one(r.count(s))
	case s.Kind == Stationary:
		return r.stationary(s)
	case s.Kind == Assumption || s.Kind == Sampled:
		return nil, errAt(s.Pos, "this is not a fact")
	}
	want, said := kernel.Motion, course(r.env, s)
	if said == OverSteps {
		want = kernel.Orbit
	}
	if said == Unsaid || len(r.env.equations(said)) == 0 {
		return nil, shapeErr(s.Pos, "this statement is about a %s, and no system in use has one", map[Course]string{OverSteps: "map"}[said]+map[bool]string{true: "flow"}[said != OverSteps])
	}
	if r.ctx != nil && r.ctx.Time() != want {
		return nil, errAt(s.Pos, "this fact is about a %s, and the statement about a %s", want, r.ctx.Time())
	}
	if s.Kind == Always {
		f, err := r.state(s.Of)
		if err != nil {
			return nil, err
		}
		f, err = kernel.NewAlways(f)
		return one(f, located(s.Pos, err))
	}
	return one(r.temporal(s))
}

// form makes a formula and gives a refusal the statement's position.
func form(s *Stmt, f kernel.Form, ts ...*kernel.Term) (kernel.Formula, error) {
	g, err := kernel.NewFormula(f, ts...)
	if err != nil {
		return g, shapeErr(s.Pos, "%s", plainText(err))
	}
	return g, nil
}

// order is the form of l REL m, and its terms in the form's order; != where REL is empty.
func order(rel string, l, m *kernel.Term) (f kernel.Form, a, b *kernel.Term) {
	switch rel {
	case ">=":
		return kernel.AtLeast, l, m
	case ">":
		return kernel.Greater, l, m
	case "<=":
		return kernel.AtLeast, m, l
	case "<":
		return kernel.Greater, m, l
	}
	return kernel.Unequal, l, m
}

// state reads a statement about states.
func (r *Reading) state(s *Stmt) (kernel.Formula, error) {
	switch s.Kind {
	case Equality:
		return r.equal(s.Pos, s.L, s.R)
	case Inequality, Inequation:
		l, err := r.read(s.L, scalarShape, false)
		if err != nil {
			return kernel.Formula{}, err
		}
		m, err := r.read(s.R, scalarShape, false)
		if err != nil {
			return kernel.Formula{}, err
		}
		f, l, m := order(s.Rel, l, m)
		return form(s, f, l, m)
	case Absurd:
		return form(s, kernel.Absurd)
	}
	l, err := r.Term(s.L)
	if err != nil {
		return kernel.Formula{}, err
	}
	switch s.Kind {
	case Bounded:
		ts := []*kernel.Term{l}
		for _, e := range []*Expr{s.Lo, s.Hi} {
			t, err := r.read(e, scalarShape, false)
			if err != nil {
				return kernel.Formula{}, err
			}
			ts = append(ts, t)
		}
		return form(s, kernel.Within, ts...)
	case Regular:
		return form(s, kernel.Invertible, l)
	case Diagonality:
		return form(s, kernel.Diagonal, l)
	}
	if s.Strict {
		return form(s, kernel.Definite, l)
	}
	return form(s, kernel.Semidefinite, l)
}

// equal reads l == r; the size of I and of 0 on one side is decided by the other.
func (r *Reading) equal(at Pos, l, m *Expr) (kernel.Formula, error) {
	ls, err := r.shapeOf(l, false)
	if err != nil {
		return kernel.Formula{}, err
	}
	ms, err := r.shapeOf(m, false)
	if err != nil {
		return kernel.Formula{}, err
	}
	want, ok := join(ls, ms)
	switch {
	case !ok && isZero(m) && !ls.unit:
		want = ls
	case !ok && isZero(l) && !ms.unit:
		want = ms
	case !ok:
		return kernel.Formula{}, shapeErr(at, "%s equals %s", ls, ms)
	case want.unit:
		return kernel.Formula{}, shapeErr(at, "the size of I is not decided here; expected I(n)")
	}
	a, err := r.read(l, want, false)
	if err != nil {
		return kernel.Formula{}, err
	}
	b, err := r.read(m, want, false)
	if err != nil {
		return kernel.Formula{}, err
	}
	f, err := kernel.NewFormula(kernel.Equal, a, b)
	return f, located(at, err)
}

// count reads how many zeros an expression has.
func (r *Reading) count(s *Stmt) (kernel.Formula, error) {
	n, err := r.sig.Number(big.NewRat(int64(s.N), 1))
	if err != nil {
		return kernel.Formula{}, located(s.Pos, err)
	}
	x := r.sig.Lookup(s.R.Name)
	ends := []*kernel.Term{x, x}
	e, err := r.read(s.L, scalarShape, false)
	for i, end := range []*Expr{s.Lo, s.Hi} {
		if end != nil && err == nil {
			ends[i], err = r.read(end, scalarShape, false)
			if err == nil && ends[i] == x {
				return kernel.Formula{}, errAt(end.Pos, "an end of the interval mentions %s, whose values it bounds", s.R.Name)
			}
		}
	}
	if err != nil {
		return kernel.Formula{}, err
	}
	ts := append([]*kernel.Term{e, x, n}, ends...)
	for i, in := range []bool{s.LoIn, s.HiIn} {
		if in {
			ts = append(ts, ends[i])
		}
	}
	return form(s, map[string]kernel.Form{"": kernel.Zeros, "rising": kernel.RisingZeros, "falling": kernel.FallingZeros}[s.Word], ts...)
}

// unbound requires that Γ says nothing of a variable for whose values zeros are counted: what it says would be no bound of
// them, and might read as one. Nor do the ends of the interval depend on it, by an equation of motion or a moment perhaps.
func (r *Reading) unbound() error {
	for _, g := range r.goals {
		c, ok := g.Count()
		if !ok {
			continue
		}
		depends := func(t *kernel.Term) (bool, error) {
			parts, err := r.dyn.Parts(t)
			return slices.ContainsFunc(parts, func(u *kernel.Term) bool { return mentions(u, c.In) }), err
		}
		for i, h := range r.ctx.Hypotheses() {
			for _, t := range h.Formula().Terms() {
				switch does, err := depends(t); {
				case err != nil:
					return located(r.part.Pos, err)
				case does:
					return errAt(r.owner(i), "zeros are counted for all values of %[1]s in their interval, and here something else is said of it; expected %[1]s declared without bounds, and in no hypothesis", c.In.Symbol().Name())
				}
			}
		}
		for _, end := range []*kernel.Term{c.Lo, c.Hi} {
			if end == nil {
				continue
			}
			switch does, err := depends(end); {
			case err != nil:
				return located(r.part.Pos, err)
			case does:
				return errAt(r.part.Stmt.Pos, "an end of the interval, %s, depends on %s, whose values it bounds", kernel.Print(end), c.In.Symbol().Name())
			}
		}
	}
	return nil
}

func mentions(t, x *kernel.Term) bool {
	for u := range t.Subterms() {
		if u == x {
			return true
		}
	}
	return false
}

// temporal reads a statement about motions or orbits.
func (r *Reading) temporal(s *Stmt) (kernel.Formula, error) {
	l, err := r.Term(s.L)
	if err != nil {
		return kernel.Formula{}, err
	}
	switch s.Kind {
	case Evolves, Decays:
		c, err := r.read(s.Rate, scalarShape, false)
		if err != nil {
			return kernel.Formula{}, err
		}
		switch {
		case s.Kind == Evolves:
			return form(s, kernel.Evolves, l, c)
		case s.Norm:
			return form(s, kernel.NormDecays, l, c)
		}
		return form(s, kernel.Decays, l, c)
	case Vanishes:
		return form(s, kernel.Vanishes, l)
	case Congruence:
		return form(s, kernel.Congruence, l)
	case Stays:
		all := []*kernel.Term{l}
		for _, e := range s.More {
			t, err := r.Term(e)
			if err != nil {
				return kernel.Formula{}, err
			}
			all = append(all, t)
		}
		return form(s, map[string]kernel.Form{"zero": kernel.StayZero, "nonnegative": kernel.StayNonnegative,
			"positive": kernel.StayPositive, "psd": kernel.StaySemidefinite}[s.Word], all...)
	case Tends:
		ts := []*kernel.Term{l}
		for _, e := range []*Expr{s.R, s.Lo, s.Hi} {
			t, err := r.read(e, scalarShape, false)
			if err != nil {
				return kernel.Formula{}, err
			}
			ts = append(ts, t)
		}
		return form(s, kernel.Tends, ts...)
	}
	return kernel.Formula{}, errAt(s.Pos, "this statement is not about motions or orbits")
}

// stationary reads: every right-hand side of the flow is zero at the values given; over steps, every variable keeps
// its value there.
func (r *Reading) stationary(s *Stmt) ([]kernel.Formula, error) {
	said := course(r.env, s)
	if said == Unsaid || len(r.env.equations(said)) == 0 {
		return nil, shapeErr(s.Pos, "this statement is about a flow, and no system in use has one")
	}
	letters, head := r.dyn.FlowLetters(), kernel.Ddt
	if said == OverSteps {
		letters, head = r.dyn.MapLetters(), kernel.Next
	}
	var values []*kernel.Term
	for _, q := range s.Assign {
		x := r.sig.Lookup(q.Name)
		found := false
		for _, l := range letters {
			found = found || l == x
		}
		if x == nil || !found {
			return nil, shapeErr(q.Pos, "%s does not move along the flow", q.Name)
		}
		v, err := r.read(q.RHS, shapeOfTerm(x), false)
		if err != nil {
			return nil, err
		}
		values = append(values, x, v)
	}
	var out []kernel.Formula
	for _, l := range letters {
		moved, err := r.sig.Make(head, 0, l)
		if err != nil {
			return nil, located(s.Pos, err)
		}
		t, err := r.sig.Make(kernel.At, 0, append([]*kernel.Term{moved}, values...)...)
		if err != nil {
			return nil, located(s.Pos, err)
		}
		rest, err := r.zero(s.Pos, shapeOfTerm(l))
		if head == kernel.Next && err == nil {
			rest, err = r.sig.Make(kernel.At, 0, append([]*kernel.Term{l}, values...)...)
		}
		if err != nil {
			return nil, located(s.Pos, err)
		}
		f, err := form(s, kernel.Equal, t, rest)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}
