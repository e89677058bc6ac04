package prove

import "stopgrad/theory/kernel"

// keepAll proves of as many hypotheses assumed at the start as it can that they hold all along, and reopens the
// state context with them.
func (p *prover) keepAll() {
	var open []kernel.Formula
	for _, h := range p.gamma.Hypotheses() {
		if h.Mark() == kernel.Start {
			open = append(open, h.Formula())
		}
	}
	add := func(fs []kernel.Formula, ths []kernel.Theorem) {
		p.kept = append(p.kept, ths...)
		p.base = p.newState(append(append([]kernel.Formula{}, p.base.hyps...), fs...))
		var left []kernel.Formula
		for _, f := range open {
			found := false
			for _, g := range fs {
				found = found || f.Same(g)
			}
			if !found {
				left = append(left, f)
			}
		}
		open = left
	}
	for progress := true; progress && len(open) > 0; {
		progress = false
		// Structures together: each may need the other.
		if fs := structures(open); len(fs) > 0 {
			if ths := p.keepStructures(fs); ths != nil {
				add(fs, ths)
				progress = true
				continue
			}
			for _, f := range fs {
				if ths := p.keepStructures([]kernel.Formula{f}); ths != nil {
					add([]kernel.Formula{f}, ths)
					progress = true
				}
			}
		}
		for _, f := range append([]kernel.Formula{}, open...) {
			if th, ok := p.keepBound(f); ok {
				add([]kernel.Formula{f}, []kernel.Theorem{th})
				progress = true
			}
		}
	}
}

// structures lists the formulas Aᵀ = ±A among fs.
func structures(fs []kernel.Formula) (out []kernel.Formula) {
	for _, f := range fs {
		if f.Form() != kernel.Equal {
			continue
		}
		if l := f.Terms()[0]; l.Head() == kernel.Transpose && l.Arg(0).Head() == kernel.Letter {
			out = append(out, f)
		}
	}
	return out
}

// keepStructures proves that equations Aᵀ = R(A) are kept: in the derivative of Aᵀ − R every Aᵀ is read as R + h,
// which leaves nothing where h is zero.
func (p *prover) keepStructures(fs []kernel.Formula) []kernel.Theorem {
	with := map[*kernel.Term]*kernel.Term{}
	count := map[string]int{}
	var ls, holes []*kernel.Term
	for _, f := range fs {
		l, r := f.Terms()[0], f.Terms()[1]
		rows, _ := l.Shape()
		h := p.holes(l, count[string(rows)])
		count[string(rows)]++
		with[l] = p.add(h, r)
		ls = append(ls, p.difference(l, r))
		holes = append(holes, h)
	}
	var cs []*kernel.Term
	for _, l := range ls {
		d := p.derivative(l)
		if d == nil {
			return nil
		}
		cs = append(cs, p.substitute(p.pushed(d, false), with))
	}
	stay := p.formula(kernel.StayZero, ls...)
	return p.keepers(stay, fs, cs, holes)
}

// keepers proves Stay… by barrier or invariant and draws always φ from it.
func (p *prover) keepers(stay kernel.Formula, fs []kernel.Formula, cs, holes []*kernel.Term) []kernel.Theorem {
	var th kernel.Theorem
	var err error
	if p.gamma.Time() == kernel.Orbit {
		th, err = p.invariant(stay, fs)
	} else {
		th, err = p.barrier(stay, cs, holes)
	}
	if err != nil {
		return nil
	}
	var out []kernel.Theorem
	for _, f := range fs {
		k, err := p.over("keep", always(f), append([]kernel.Theorem{th}, p.kept...))
		if err != nil {
			return nil
		}
		out = append(out, k)
	}
	return out
}

// derivative is the unfolded derivative along the flow, nil if there is none.
func (p *prover) derivative(t *kernel.Term) *kernel.Term {
	if p.gamma.Time() == kernel.Orbit {
		return t // the cofactor of a barrier is of no use to a map
	}
	return p.base.unfold(p.ddt(t))
}

// pushed moves the transposes of a pure term to its letters.
func (b builder) pushed(t *kernel.Term, flip bool) *kernel.Term {
	type key struct {
		t    *kernel.Term
		flip bool
	}
	memo := map[key]*kernel.Term{}
	var visit func(t *kernel.Term, flip bool) *kernel.Term
	visit = func(t *kernel.Term, flip bool) *kernel.Term {
		k := key{t, flip}
		if u, ok := memo[k]; ok {
			return u
		}
		var u *kernel.Term
		flip = flip && !t.Scalar()
		switch {
		case t.Head() == kernel.Transpose:
			u = visit(t.Arg(0), !flip)
		case t.Len() == 0:
			u = t
			switch {
			case !flip || t.Head() == kernel.Identity:
			case t.Head() == kernel.Zero:
				r, c := t.Shape()
				u = must(b.sig.ZeroOf(c, r))
			default:
				u = b.transpose(t)
			}
		case t.Head() == kernel.RowStack && flip:
			u = b.transpose(visit(t, false))
		case t.Head() == kernel.Product && flip && !t.Arg(0).Scalar() && !t.Arg(1).Scalar():
			u = b.mul(visit(t.Arg(1), true), visit(t.Arg(0), true))
		default:
			args := t.Args()
			for i, a := range args {
				args[i] = visit(a, flip)
			}
			u = b.rebuild(t, args)
		}
		memo[k] = u
		return u
	}
	return visit(t, flip)
}

// keepEquation proves that an equation is kept, as it is searched for that its difference stays zero.
func (p *prover) keepEquation(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	ts := f.Terms()
	th, err := p.findStaying(p.formula(kernel.StayZero, p.difference(ts[0], ts[1])))
	if err != nil {
		return none, false
	}
	k, err := p.over("keep", always(f), append([]kernel.Theorem{th}, p.kept...))
	return k, err == nil
}

// keepBound proves that a bound x ≥ l, u ≥ x (or strict) of a state variable is kept, by reading x as the bound
// plus h in its equation; and that an equation is.
func (p *prover) keepBound(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	form := kernel.StayNonnegative
	switch f.Form() {
	case kernel.AtLeast:
	case kernel.Greater:
		form = kernel.StayPositive
	case kernel.Equal:
		return p.keepEquation(f)
	default:
		return none, false
	}
	a, b := f.Terms()[0], f.Terms()[1]
	l := p.difference(a, b)
	if p.gamma.Time() == kernel.Orbit {
		ths := p.keepers(p.formula(form, l), []kernel.Formula{f}, nil, nil)
		if ths == nil {
			return none, false
		}
		return ths[0], true
	}
	h := p.hole(l)
	var x, read *kernel.Term
	switch {
	case moving(a) && !mentions(b, a):
		x, read = a, p.plus(h, b)
	case moving(b) && !mentions(a, b):
		x, read = b, p.add(a, p.neg(h))
	default:
		return none, false
	}
	d := p.derivative(l)
	if d == nil {
		return none, false
	}
	c := p.substitute(d, map[*kernel.Term]*kernel.Term{x: read})
	ths := p.keepers(p.formula(form, l), []kernel.Formula{f}, []*kernel.Term{c}, []*kernel.Term{h})
	if ths == nil {
		return none, false
	}
	return ths[0], true
}

func (b builder) plus(h, x *kernel.Term) *kernel.Term {
	if isZero(x) {
		return h
	}
	return b.add(h, x)
}

// moving reports whether t is a scalar state variable.
func moving(t *kernel.Term) bool {
	return t.Head() == kernel.Letter && t.Scalar() && t.Symbol().Class() == kernel.State
}

// invariant proves that formulas are kept by one step of a map, from themselves and what holds all along.
func (p *prover) invariant(stay kernel.Formula, fs []kernel.Formula) (kernel.Theorem, error) {
	var here []kernel.Formula
	says := func(t *kernel.Term) kernel.Formula { return p.so(stay.Form(), t) }
	for _, l := range stay.Terms() {
		here = append(here, says(l))
	}
	s := p.extended(p.base, here...)
	var premises []kernel.Theorem
	for _, l := range stay.Terms() {
		g := says(p.next(l))
		var th kernel.Theorem
		var err error
		if stay.Form() == kernel.StayZero {
			th, err = s.equation(g)
		} else if t, ok := s.order(g); ok {
			th = t
		} else {
			err = s.explain(errForm)
		}
		if err != nil {
			return th, err
		}
		premises = append(premises, th)
	}
	values, err := p.values(stay.Terms())
	if err != nil {
		return kernel.Theorem{}, err
	}
	return p.over("invariant", stay, append(append(premises, p.kept...), values...))
}

// values proves always l = l of each term that does not have a value at every state.
func (p *prover) values(ls []*kernel.Term) (out []kernel.Theorem, err error) {
	nothing := must(kernel.NewContext(p.dyn, kernel.AtState))
	for _, l := range ls {
		if missing, err := nothing.Missing(l); err == nil && len(missing) == 0 {
			continue
		}
		th, err := p.along(l, l)
		if err != nil {
			return nil, err
		}
		out = append(out, th)
	}
	return out, nil
}

// so is what “t stays …” keeps of t.
func (p *prover) so(stay kernel.Form, t *kernel.Term) kernel.Formula {
	form := map[kernel.Form]kernel.Form{kernel.StayZero: kernel.Equal, kernel.StayNonnegative: kernel.AtLeast,
		kernel.StayPositive: kernel.Greater, kernel.StaySemidefinite: kernel.Semidefinite}[stay]
	if form == kernel.Semidefinite {
		return p.formula(form, t)
	}
	return p.formula(form, t, p.null(t))
}
