package prove

import (
	"fmt"

	"stopgrad/theory/kernel"
)

// lift turns a theorem of a state context of what holds all along into one about all times.
func (p *prover) lift(s *state, th kernel.Theorem) (kernel.Theorem, error) {
	if s != p.base {
		return kernel.Theorem{}, fmt.Errorf("what holds in an interval does not hold all along")
	}
	return p.over("lift", always(th.Formula()), append([]kernel.Theorem{th}, p.kept...))
}

// along proves always l = r.
func (p *prover) along(l, r *kernel.Term) (kernel.Theorem, error) {
	th, err := p.base.equation(p.formula(kernel.Equal, l, r))
	if err != nil {
		return th, p.base.explain(err)
	}
	return p.lift(p.base, th)
}

// alongSign proves an order, or definiteness, at all times.
func (p *prover) alongSign(f kernel.Formula) (kernel.Theorem, error) {
	p.base.why = nil
	for _, t := range f.Terms() {
		if err := p.base.define(t); err != nil {
			return kernel.Theorem{}, p.base.explain(err)
		}
	}
	th, ok := p.base.order(f)
	if !ok {
		ts := f.Terms()
		what := kernel.Print(ts[0])
		if len(ts) > 1 && !isZero(ts[1]) {
			what += " - (" + kernel.Print(ts[1]) + ")"
		}
		return th, p.base.explain(fmt.Errorf("no proof was found of the sign of %s", what))
	}
	return p.lift(p.base, th)
}

// evolves proves that L evolves at rate c (by factor c) from L' = c·L (next L = c·L).
func (p *prover) evolves(f kernel.Formula) (kernel.Theorem, error) {
	l, c := f.Terms()[0], f.Terms()[1]
	rule, d := "integrate", p.ddt
	if p.gamma.Time() == kernel.Orbit {
		rule, d = "geometric", p.next
	}
	eq, err := p.along(d(l), p.mul(c, l))
	if err != nil {
		return eq, err
	}
	return p.over(rule, f, []kernel.Theorem{eq})
}

// decays proves a rate of decay from the inequality of the energy.
func (p *prover) decays(f kernel.Formula) (kernel.Theorem, error) {
	l, c := f.Terms()[0], f.Terms()[1]
	if p.gamma.Time() == kernel.Orbit {
		return p.contracts(f)
	}
	v, k := l, int64(-1)
	if f.Form() == kernel.NormDecays {
		v, k = p.square(l), -2
	}
	bound, err := p.alongSign(p.formula(kernel.AtLeast, p.mul(p.integer(k), p.mul(c, v)), p.ddt(v)))
	if err != nil {
		return bound, err
	}
	return p.over("gronwall", f, []kernel.Theorem{bound})
}

// contracts is decay of a map.
func (p *prover) contracts(f kernel.Formula) (kernel.Theorem, error) {
	l, c := f.Terms()[0], f.Terms()[1]
	left, right := p.mul(c, l), p.next(l)
	if f.Form() == kernel.NormDecays {
		left, right = p.mul(p.power(c, 2), p.square(l)), p.square(p.next(l))
	}
	bound, err := p.alongSign(p.formula(kernel.AtLeast, left, right))
	if err != nil {
		return bound, err
	}
	sign, err := p.alongSign(p.formula(kernel.AtLeast, c, p.integer(0)))
	if err != nil {
		return sign, err
	}
	return p.over("contraction", f, []kernel.Theorem{bound, sign})
}

// vanishes proves that L tends to zero from a theorem that states a rate.
func (p *prover) vanishes(f kernel.Formula, rates []kernel.Theorem) (kernel.Theorem, error) {
	err := fmt.Errorf("no rate of decay is given")
	for _, rate := range rates {
		if !rate.Valid() || rate.Context() != p.gamma {
			err = fmt.Errorf("the fact states no rate of decay")
			continue
		}
		var th kernel.Theorem
		if th, err = p.vanish(f, rate); err == nil {
			return th, nil
		}
	}
	return kernel.Theorem{}, err
}

func (p *prover) vanish(f kernel.Formula, rate kernel.Theorem) (kernel.Theorem, error) {
	l := f.Terms()[0]
	g := rate.Formula()
	switch g.Form() {
	case kernel.NormDecays, kernel.Evolves:
		if g.Terms()[0] != l {
			// The same quantity written otherwise has the same rate.
			if !sameShape(l, g.Terms()[0]) || !p.base.same(l, g.Terms()[0]) {
				return kernel.Theorem{}, fmt.Errorf("the fact is no bound for %s", kernel.Print(l))
			}
			again := p.formula(g.Form(), l, g.Terms()[1])
			var err error
			if g.Form() == kernel.Evolves {
				rate, err = p.evolves(again)
			} else {
				rate, err = p.decays(again)
			}
			if err != nil {
				return rate, err
			}
		}
		signs, err := p.rateSigns(g.Form(), g.Terms()[1])
		if err != nil {
			return kernel.Theorem{}, err
		}
		return p.over("vanish", f, append([]kernel.Theorem{rate}, signs...))
	case kernel.Decays:
		sign, err := p.rateSigns(kernel.Decays, g.Terms()[1])
		if err != nil {
			return kernel.Theorem{}, err
		}
		return p.dominate(f, append([]kernel.Theorem{rate}, sign...), g.Terms()[0])
	case kernel.Vanishes:
		return p.dominate(f, []kernel.Theorem{rate}, g.Terms()[0])
	}
	return kernel.Theorem{}, fmt.Errorf("the fact states no rate of decay")
}

// rateSigns proves that a rate makes something vanish.
func (p *prover) rateSigns(form kernel.Form, c *kernel.Term) ([]kernel.Theorem, error) {
	zero, one := p.integer(0), p.integer(1)
	var want []kernel.Formula
	switch {
	case p.gamma.Time() == kernel.Orbit && form == kernel.Evolves:
		want = []kernel.Formula{p.formula(kernel.Greater, one, c), p.formula(kernel.Greater, c, p.integer(-1))}
	case p.gamma.Time() == kernel.Orbit:
		want = []kernel.Formula{p.formula(kernel.Greater, one, c)}
	case form == kernel.Evolves:
		want = []kernel.Formula{p.formula(kernel.Greater, zero, c)}
	default:
		want = []kernel.Formula{p.formula(kernel.Greater, c, zero)}
	}
	var out []kernel.Theorem
	for _, w := range want {
		th, err := p.alongSign(w)
		if err != nil {
			return nil, err
		}
		out = append(out, th)
	}
	return out, nil
}

// dominate proves L → 0 from V → 0 where V is a sum of nonnegative terms one of which is k·‖L‖², or k·L.
func (p *prover) dominate(f kernel.Formula, small []kernel.Theorem, v *kernel.Term) (kernel.Theorem, error) {
	l := f.Terms()[0]
	err := fmt.Errorf("%s is not bounded by the fact", kernel.Print(l))
	parts := summands(v)
	for i, x := range parts {
		k, rest := p.split(x)
		var target *kernel.Term
		switch {
		case p.base.same(rest, p.square(l)):
			target = p.square(l)
		case l.Scalar() && p.base.same(rest, l):
			target = l
		default:
			continue
		}
		bound := p.formula(kernel.AtLeast, v, p.mul(k, target))
		others := append(append([]*kernel.Term{}, parts[:i]...), parts[i+1:]...)
		p.base.why = nil
		th, ok := p.base.expanded(nonnegative, p.sum(others))
		if !ok {
			err = p.base.explain(fmt.Errorf("the rest of the bound is not known to be nonnegative"))
			continue
		}
		var e error
		if th, e = p.base.apply("transport", bound, []kernel.Theorem{th}); e != nil {
			err = e
			continue
		}
		if th, e = p.lift(p.base, th); e != nil {
			err = e
			continue
		}
		premises := append(append([]kernel.Theorem{}, small...), th)
		if target == l {
			if th, e = p.alongSign(p.formula(kernel.AtLeast, l, p.integer(0))); e != nil {
				err = e
				continue
			}
			premises = append(premises, th)
		}
		if th, e = p.alongSign(p.formula(kernel.Greater, k, p.integer(0))); e != nil {
			err = e
			continue
		}
		if th, e = p.over("dominate", f, append(premises, th)); e == nil {
			return th, nil
		}
		err = e
	}
	return kernel.Theorem{}, err
}

// split writes a scalar summand as a factor that does not move times the rest.
func (p *prover) split(t *kernel.Term) (k, rest *kernel.Term) {
	list, _ := p.factors(t)
	var still, moving []*kernel.Term
	for _, x := range list {
		if m, err := p.dyn.Moves(x); err == nil && !m {
			still = append(still, x)
		} else {
			moving = append(moving, x)
		}
	}
	return p.product(still), p.product(moving)
}

// congruence proves L' = A·L + L·Aᵀ and what follows from it.
func (p *prover) congruence(f kernel.Formula, a *kernel.Term) (kernel.Theorem, error) {
	l := f.Terms()[0]
	eq, err := p.along(p.ddt(l), p.add(p.mul(a, l), p.mul(l, p.transpose(a))))
	if err != nil {
		return eq, err
	}
	return p.over("mcongruence", f, []kernel.Theorem{eq}, a)
}

// congruenceWith proves that L stays semidefinite from L' = A·L + L·Aᵀ + N with a semidefinite N.
func (p *prover) congruenceWith(f kernel.Formula, a, n *kernel.Term) (kernel.Theorem, error) {
	l := f.Terms()[0]
	eq, err := p.along(p.ddt(l), p.add(p.add(p.mul(a, l), p.mul(l, p.transpose(a))), n))
	if err != nil {
		return eq, err
	}
	sign, err := p.alongSign(p.formula(kernel.Semidefinite, n))
	if err != nil {
		return sign, err
	}
	return p.over("mcongruence", f, []kernel.Theorem{eq, sign}, a, n)
}

// barrier proves that L₁, …, L_k stay as they are, from L_i' = C_i{h := L} with C_i nonnegative, or zero, where h_i
// (all h) is zero.
func (p *prover) barrier(f kernel.Formula, cs, holes []*kernel.Term) (kernel.Theorem, error) {
	ls := f.Terms()
	at := map[*kernel.Term]*kernel.Term{}
	for i, h := range holes {
		at[h] = ls[i]
	}
	var premises []kernel.Theorem
	for i, l := range ls {
		eq, err := p.along(p.ddt(l), p.substitute(cs[i], at))
		if err != nil {
			return eq, fmt.Errorf("the right-hand side is missed: %w", err)
		}
		premises = append(premises, eq)
	}
	if f.Form() == kernel.StayZero {
		none := map[*kernel.Term]*kernel.Term{}
		for _, h := range holes {
			none[h] = p.null(h)
		}
		for _, c := range cs {
			still := p.substitute(c, none)
			th, err := p.base.equation(p.formula(kernel.Equal, still, p.null(still)))
			if err != nil {
				return th, fmt.Errorf("a term contains no [self]: %w", p.base.explain(err))
			}
			premises = append(premises, th)
		}
		return p.over("barrier", f, append(premises, p.kept...), append(append([]*kernel.Term{}, cs...), holes...)...)
	}
	var more []kernel.Formula
	for _, h := range holes {
		more = append(more, p.formula(kernel.AtLeast, h, p.integer(0)))
	}
	s := p.extended(p.base, more...)
	for i, c := range cs {
		still := p.substitute(c, map[*kernel.Term]*kernel.Term{holes[i]: p.integer(0)})
		th, ok := s.order(p.formula(kernel.AtLeast, still, p.integer(0)))
		if !ok {
			return th, s.explain(fmt.Errorf("%s is not known to be nonnegative", kernel.Print(still)))
		}
		premises = append(premises, th)
	}
	return p.over("barrier", f, append(premises, p.kept...), append(append([]*kernel.Term{}, cs...), holes...)...)
}

// interval is the state context of lo < x < hi, x ≠ r, and of what does not move: limits are looked at that no motion
// may reach.
func (p *prover) interval(f kernel.Formula) *state {
	ts := f.Terms()
	x, r, lo, hi := ts[0], ts[1], ts[2], ts[3]
	return p.newState(append(p.unmoving(), p.formula(kernel.Greater, x, lo), p.formula(kernel.Greater, hi, x), p.formula(kernel.Unequal, x, r)))
}

// unmoving lists the hypotheses about what does not move.
func (p *prover) unmoving() (out []kernel.Formula) {
	for _, h := range p.gamma.Hypotheses() {
		if h.Mark() == kernel.Constant {
			out = append(out, h.Formula())
		}
	}
	return out
}

// line proves that x tends to r: its derivative has the sign of r − x between the ends.
func (p *prover) line(f kernel.Formula) (kernel.Theorem, error) {
	var none kernel.Theorem
	ts := f.Terms()
	x, r, lo, hi := ts[0], ts[1], ts[2], ts[3]
	v := p.ddt(x)
	s := p.work
	s.why = nil
	inward := p.formula(kernel.Greater, p.integer(0), p.mul(p.sub(x, r), v))
	var premises []kernel.Theorem
	th, ok := s.inward(inward, x, r, lo, hi)
	if !ok {
		return none, s.explain(fmt.Errorf("(%s - %s)*ddt(%s) is not known to be negative between the ends", kernel.Print(x), kernel.Print(r), kernel.Print(x)))
	}
	premises = append(premises, th)
	rest := must(p.sig.Make(kernel.At, 0, v, x, r))
	still := p.newState(p.unmoving())
	th, err := still.equation(p.formula(kernel.Equal, rest, p.integer(0)))
	if err != nil {
		return none, fmt.Errorf("the limit is no rest point: %w", still.explain(err))
	}
	premises = append(premises, th)
	for _, g := range []kernel.Formula{p.formula(kernel.AtLeast, r, lo), p.formula(kernel.AtLeast, hi, r)} {
		if th, err = p.alongSign(g); err != nil {
			return none, err
		}
		premises = append(premises, th)
	}
	return p.over("line", f, append(premises, p.kept...))
}

// inward proves (x − r)·x' < 0 between the ends: from the sign of x' if r is an end, by shape otherwise.
func (s *state) inward(f kernel.Formula, x, r, lo, hi *kernel.Term) (kernel.Theorem, bool) {
	v := s.ddt(x)
	for _, up := range []bool{true, false} {
		d, w := s.differ(r, x), v
		if !up {
			d, w = s.differ(x, r), s.neg(v)
		}
		gap, ok := s.expanded(positive, d)
		if !ok {
			continue
		}
		drift, ok := s.order(s.state(positive, w))
		if !ok {
			continue
		}
		if th, ok := s.by("product", positive, s.mul(d, w), gap, drift); ok {
			if th, err := s.apply("transport", f, []kernel.Theorem{th}); err == nil {
				return th, true
			}
		}
	}
	return s.order(f)
}

// left is the state context in which the consequence of an assumption is shown: all hypotheses, the equations of the
// assumption and their derivatives along the flow, all at one state. Wherever a motion that meets the assumption has all
// hypotheses, it has the consequence.
func (p *prover) left() *state {
	var hyps []kernel.Formula
	for _, h := range p.gamma.Hypotheses() {
		hyps = append(hyps, h.Formula())
	}
	for i, f := range p.reading.Kept() {
		if i%2 == 1 {
			hyps = append(hyps, f)
		}
	}
	return p.newState(hyps)
}

// differentiate draws from equations that hold all along, those of an assumption among them, their derivatives along the
// flow, which then hold all along, too.
func (p *prover) differentiate() {
	if p.gamma.Time() != kernel.Motion {
		return
	}
	var more []kernel.Formula
	for _, k := range p.gamma.Hypotheses() {
		f := k.Formula()
		if k.Mark() != kernel.Kept || f.Form() != kernel.Equal {
			continue
		}
		h := p.base.hypothesis(f)
		if !h.Valid() {
			continue
		}
		d := p.formula(kernel.Equal, p.ddt(f.Terms()[0]), p.ddt(f.Terms()[1]))
		premises := make([]kernel.Theorem, 3)
		var err error
		if premises[0], err = p.lift(p.base, h); err != nil {
			continue
		}
		if premises[1], err = p.along(d.Terms()[0], d.Terms()[0]); err != nil {
			continue
		}
		if premises[2], err = p.along(d.Terms()[1], d.Terms()[1]); err != nil {
			continue
		}
		if th, err := p.over("differentiate", always(d), premises); err == nil {
			p.kept = append(p.kept, th)
			more = append(more, d)
		}
	}
	if len(more) > 0 {
		p.base = p.extended(p.base, more...)
	}
}
