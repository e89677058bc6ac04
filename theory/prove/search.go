package prove

import (
	"fmt"
	"math/big"
	"slices"
	"sort"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// search looks for proofs of all goals without a script.
func (p *prover) search() ([]kernel.Theorem, error) {
	var out []kernel.Theorem
	for _, g := range p.reading.Goals() {
		th, err := p.find(g)
		if err != nil {
			return nil, fmt.Errorf("%s: search: %w", p.part.Stmt.Pos, err)
		}
		if g.Form().Temporal() {
			p.found(th.Rule(), "", th)
		}
		out = append(out, th)
	}
	return out, nil
}

// find looks for a proof of one formula.
func (p *prover) find(f kernel.Formula) (kernel.Theorem, error) {
	p.levels = allLevels
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
	for _, t := range f.Ends() {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, s.explain(err)
		}
	}
	switch f.Form() {
	case kernel.Zeros, kernel.RisingZeros, kernel.FallingZeros:
		th, err := s.count(f)
		if err != nil {
			return th, s.explain(err)
		}
		p.found(th.Rule(), "", th)
		return th, nil
	case kernel.Equal:
		th, err := s.equation(f)
		if err != nil {
			return th, s.explain(err)
		}
		p.found(th.Rule(), "", th)
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
	p.found(th.Rule(), "", th)
	return th, nil
}

// findVanishing looks for a rate of decay of the term, or of a quantity that bounds it.
func (p *prover) findVanishing(f kernel.Formula) (kernel.Theorem, error) {
	l := f.Terms()[0]
	if c := p.ratio(l); c != nil {
		if rate, err := p.evolves(p.formula(kernel.Evolves, l, c)); err == nil {
			if th, err := p.vanish(f, rate); err == nil {
				return th, nil
			}
		}
	}
	rates := p.rates()
	bounds := p.lyapunov(l)
	// Many candidates: none is worth a proof by contradiction.
	p.supposing = true
	defer func() { p.supposing = false }()
	for _, levels := range []int{allLevels - 1, allLevels} {
		p.levels = levels
		for _, c := range rates {
			rate, err := p.decays(p.formula(kernel.NormDecays, l, c))
			if err != nil {
				continue
			}
			if th, err := p.vanish(f, rate); err == nil {
				return th, nil
			}
		}
		for _, v := range bounds {
			for _, c := range rates {
				rate, err := p.decays(p.formula(kernel.Decays, v, c))
				if err != nil {
					continue
				}
				if th, err := p.vanish(f, rate); err == nil {
					return th, nil
				}
			}
		}
	}
	return kernel.Theorem{}, fmt.Errorf("no rate of decay was found for %s", kernel.Print(l))
}

// ratio is the number c that does not move with L' = c·L (next L = c·L), or nil.
func (p *prover) ratio(l *kernel.Term) *kernel.Term {
	s := p.base
	d := p.ddt(l)
	if p.gamma.Time() == kernel.Orbit {
		d = p.next(l)
	}
	u, v := s.unfold(l), s.unfold(d)
	if u == nil || v == nil {
		return nil
	}
	if s.vanishes(v) {
		return p.integer(0)
	}
	if !l.Scalar() {
		// The coefficients of one word.
		mu, mv := s.polys.matrixOf(u), s.polys.matrixOf(v)
		if mu == nil || mv == nil {
			return nil
		}
		if len(mu) == 0 {
			return nil
		}
		x := mu.sorted()[0]
		y := mv[x.w.key()]
		if y == nil {
			return nil
		}
		return p.still(s.polys.quotient(y.c, x.c))
	}
	return p.still(s.polys.quotient(s.polys.of(v), s.polys.of(u)))
}

// quotient is the term p/q if that is a polynomial times monomials, or nil.
func (ps *polys) quotient(p, q poly) *kernel.Term {
	if len(p) == 0 || len(q) == 0 {
		return nil
	}
	cp, pp := ps.content(p)
	cq, pq := ps.content(q)
	d := ps.divide(pp, pq)
	if d == nil {
		return nil
	}
	inv := make([]exponent, len(cq.at))
	for i, e := range cq.at {
		inv[i] = exponent{e.g, -e.n}
	}
	one := poly{}
	one.put(new(big.Rat).Quo(cp.c, cq.c), merge(cp.at, inv))
	if d = ps.times(d, one); d == nil {
		return nil
	}
	return ps.term(d)
}

// still is t if it is there and does not move.
func (p *prover) still(t *kernel.Term) *kernel.Term {
	if t == nil {
		return nil
	}
	if m, err := p.dyn.Moves(t); err != nil || m {
		return nil
	}
	return t
}

// rates are numbers that are known to be positive and do not move: candidates for rates of decay.
func (p *prover) rates() (out []*kernel.Term) {
	if p.gamma.Time() == kernel.Orbit {
		for _, f := range p.base.signs {
			if f.kind != nonnegative && f.kind != positive || p.still(f.term) == nil {
				continue
			}
			out = append(out, f.term)
		}
		return out
	}
	for _, f := range p.base.signs {
		if f.kind == positive && p.still(f.term) != nil {
			out = append(out, f.term)
		}
	}
	for _, f := range p.base.signs {
		if f.kind == positive && p.still(f.term) != nil {
			out = append(out, p.mul(p.integer(2), f.term))
		}
	}
	if len(out) > 12 {
		out = out[:12]
	}
	return out
}

// lyapunov lists definitions that are sums with a summand that L, or its square, is.
func (p *prover) lyapunov(l *kernel.Term) (out []*kernel.Term) {
	for _, t := range p.definitions() {
		if !t.Scalar() || p.still(t) != nil {
			continue
		}
		for _, x := range summands(t) {
			_, rest := p.split(x)
			if p.base.same(rest, p.square(l)) || l.Scalar() && p.base.same(rest, l) {
				out = append(out, t)
				break
			}
		}
	}
	return out
}

// definitions are the terms that the claim has names for, whether the statement uses them or not, and that have
// values at a state.
func (p *prover) definitions() []*kernel.Term {
	if p.named != nil {
		return p.named
	}
	var names []string
	for n := range p.part.Env.Lets {
		names = append(names, n)
	}
	sort.Strings(names)
	out := []*kernel.Term{}
	for _, n := range names {
		t, err := p.reading.Term(lang.NewSym(p.part.Pos, n))
		if err != nil {
			continue
		}
		random := occurs(t, func(t *kernel.Term) bool {
			return t.Head() == kernel.Letter && (t.Symbol().Class() == kernel.Random || t.Symbol().Class() == kernel.Centred)
		})
		// The states of the prover may still be being made.
		if _, err := p.dyn.Unfold(t); !random && t.Len() > 0 && err == nil {
			out = append(out, t)
		}
	}
	p.named = out
	return out
}

// findCongruence reads the factor of L' = A·L + L·Aᵀ (+ N) off the derivative: words that end in the word of L give A.
func (p *prover) findCongruence(f kernel.Formula) (kernel.Theorem, error) {
	err := fmt.Errorf("no factor was found")
	if len(f.Terms()) != 1 || p.gamma.Time() != kernel.Motion {
		return kernel.Theorem{}, err
	}
	l := f.Terms()[0]
	s := p.base
	u, v := s.unfold(l), s.unfold(p.ddt(l))
	if u == nil || v == nil {
		return kernel.Theorem{}, err
	}
	mu, mv := s.polys.matrixOf(u), s.polys.matrixOf(v)
	if len(mu) != 1 || mv == nil {
		return kernel.Theorem{}, err
	}
	w := mu.sorted()[0].w
	a, rest := words{}, words{}
	half := big.NewRat(1, 2)
	for _, x := range mv.sorted() {
		switch n := len(x.w) - len(w); {
		case n == 0 && slices.Equal(x.w, w):
			a.put(nil, x.c, half)
		case n > 0 && slices.Equal(x.w[n:], w):
			a.put(x.w[:n], x.c, big.NewRat(1, 1))
		case n > 0 && slices.Equal(x.w[:len(w)], w):
		default:
			rest.put(x.w, x.c, big.NewRat(1, 1))
		}
	}
	c := s.polys.term(mu.sorted()[0].c)
	at := s.polys.matrixTerm(a, l)
	if c.Head() != kernel.Number || c.Value().Cmp(big.NewRat(1, 1)) != 0 {
		if _, ok := s.expanded(nonzero, c); !ok {
			return kernel.Theorem{}, err
		}
		at = p.mul(p.reciprocal(c), at)
	}
	if len(rest) == 0 {
		return p.congruence(f, at)
	}
	if f.Form() != kernel.StaySemidefinite {
		return kernel.Theorem{}, err
	}
	return p.congruenceWith(f, at, s.polys.matrixTerm(rest, l))
}

// findStaying looks for the right-hand sides of a barrier: in each L' a letter that L gives linearly is read as what
// L = h makes of it.
func (p *prover) findStaying(f kernel.Formula) (kernel.Theorem, error) {
	if th, ok := p.unmet(f); ok {
		return th, nil
	}
	if p.gamma.Time() == kernel.Orbit {
		return p.invariant(f, nil)
	}
	s := p.base
	ls := f.Terms()
	none := map[*kernel.Term]*kernel.Term{}
	var holes []*kernel.Term
	for i, l := range ls {
		h := p.holes(l, 50+i)
		holes = append(holes, h)
		none[h] = p.null(h)
	}
	err := fmt.Errorf("no right-hand side was found")
	for choice := range 4 {
		var order []solved
		fill := func(t *kernel.Term) *kernel.Term {
			for _, v := range order {
				t = p.substitute(t, map[*kernel.Term]*kernel.Term{v.x: v.by})
			}
			return t
		}
		for i, l := range ls {
			u := s.unfold(l)
			if u == nil {
				return kernel.Theorem{}, err
			}
			x, by := s.solveMoving(fill(u), holes[i], none, choice)
			if x != nil {
				order = append(order, solved{x, by})
			}
		}
		if len(order) < len(ls) {
			continue
		}
		var cs []*kernel.Term
		for _, l := range ls {
			d := s.unfold(p.ddt(l))
			if d == nil {
				return kernel.Theorem{}, err
			}
			cs = append(cs, fill(p.pushed(d, false)))
		}
		th, e := p.barrier(f, cs, holes)
		if e == nil {
			return th, nil
		}
		err = e
	}
	return kernel.Theorem{}, err
}

// unmet proves that something stays so because it is not so at time 0: what is assumed then contradicts it.
func (p *prover) unmet(f kernel.Formula) (kernel.Theorem, bool) {
	var fs []kernel.Formula
	for _, h := range p.gamma.Hypotheses() {
		fs = append(fs, h.Formula())
	}
	for _, l := range f.Terms() {
		fs = append(fs, p.so(f.Form(), l))
	}
	th, ok := p.newState(fs).contradiction()
	if !ok {
		return th, false
	}
	values, err := p.values(f.Terms())
	if err != nil {
		return kernel.Theorem{}, false
	}
	th, err = p.over("unmet", f, append(append([]kernel.Theorem{th}, p.kept...), values...))
	return th, err == nil
}

// solveMoving solves L = h for its choice-th letter that moves and can be solved for.
func (s *state) solveMoving(g, hole *kernel.Term, none map[*kernel.Term]*kernel.Term, choice int) (x, by *kernel.Term) {
	var letters []*kernel.Term
	occurs(g, func(t *kernel.Term) bool {
		if t.Head() == kernel.Letter && t.Symbol().Class() == kernel.State && t.Scalar() == g.Scalar() {
			letters = append(letters, t)
		}
		return false
	})
	sort.Slice(letters, func(i, j int) bool { return letters[i].ID() < letters[j].ID() })
	for _, x := range letters {
		if by := s.solveFor(g, hole, none, x); by != nil {
			if choice == 0 {
				return x, by
			}
			choice--
		}
		if by := s.solveForTranspose(g, hole, x); by != nil {
			if choice == 0 {
				return s.transpose(x), by
			}
			choice--
		}
	}
	return nil, nil
}

// solveForTranspose solves c·xᵀ + d·x + e = h, c a number, for xᵀ.
func (s *state) solveForTranspose(g, hole, x *kernel.Term) *kernel.Term {
	if g.Scalar() {
		return nil
	}
	m := s.polys.matrixOf(g)
	lead := m[word{{x, true}}.key()]
	if lead == nil {
		return nil
	}
	c := s.polys.term(lead.c)
	if c.Head() != kernel.Number {
		return nil
	}
	rest := words{}
	for k, t := range m {
		if t != lead {
			if len(t.w) > 1 && slices.ContainsFunc(t.w, func(l letter) bool { return l.t == x }) {
				return nil
			}
			rest[k] = t
		}
	}
	return s.mul(s.number(new(big.Rat).Inv(c.Value())), s.sub(hole, s.polys.matrixTerm(rest, hole)))
}
