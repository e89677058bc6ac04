package prove

import (
	"fmt"
	"math/big"

	"stopgrad/theory/kernel"
)

// kind is what the search can establish of one term.
type kind uint8

const (
	nonnegative kind = iota
	positive
	nonzero
	psd
	pd
	invertible
	diagonal
)

var kindWords = [...]string{"nonnegative", "positive", "nonzero", "positive semidefinite", "positive definite", "invertible", "diagonal"}

// fact is a theorem that says something of the sign of one term.
type fact struct {
	kind kind
	term *kernel.Term // a − b of a > b
	pure *kernel.Term // unfolded
	th   kernel.Theorem
}

type goal struct {
	kind kind
	term *kernel.Term
}

// attempt is what became of a goal.
type attempt struct {
	th    kernel.Theorem // valid if it was reached
	facts int            // how many facts there were when it was not
}

// state is a state context and what is known in it.
type state struct {
	*prover
	ctx      *kernel.Context
	hyps     []kernel.Formula
	points   *points
	polys    *polys
	signs    []fact           // of hypotheses and facts
	zeros    []kernel.Theorem // equalities among hypotheses and facts
	theorem  []kernel.Theorem // of hyps, invalid where the hypothesis is not known to have a value
	memo     map[goal]attempt
	defined  map[*kernel.Term]bool
	pures    map[*kernel.Term]*kernel.Term
	deep     int               // of the sign search
	drawn    bool              // states has been filled
	opposed  bool              // supposes the opposite of what holds at all states found: there are none
	states   []reals           // that meet the hypotheses
	shrunk   bool              // ones has been filled
	ones     []reals           // that meet the hypotheses where every size is one
	needing  bool              // looking for what a term needs
	reached  int               // theorems that are no facts and not by shape, which failures before did not know
	tried    map[goal]int      // expanded with this many facts, in vain
	combined map[depthGoal]int // written as a combination, likewise
	between  [3][]*kernel.Term
	// why is the first factor for which the sign search found nothing, since the last reset.
	why *complaint
}

// complaint says what the sign search was missing.
type complaint struct {
	kind kind
	term *kernel.Term
}

// stamp numbers what is known: what failed under the same number fails again.
func (s *state) stamp() int { return len(s.signs) + s.reached }

// newState opens a state context with these hypotheses.
func (p *prover) newState(hyps []kernel.Formula) *state {
	var marked []kernel.Hypothesis
	for _, f := range hyps {
		marked = append(marked, must(kernel.NewHypothesis(kernel.Here, f)))
	}
	ctx := must(kernel.NewContext(p.dyn, kernel.AtState, marked...))
	return p.adopt(ctx)
}

// adopt makes a state of a context, whose hypotheses become theorems.
func (p *prover) adopt(ctx *kernel.Context) *state {
	s := &state{prover: p, ctx: ctx, memo: map[goal]attempt{}, tried: map[goal]int{}, combined: map[depthGoal]int{}, defined: map[*kernel.Term]bool{}, pures: map[*kernel.Term]*kernel.Term{}}
	for _, h := range ctx.Hypotheses() {
		s.hyps = append(s.hyps, h.Formula())
	}
	s.points = newPoints(p.sig, s.hyps)
	s.polys = &polys{p.builder, p.spend, s.points.shapes, map[*kernel.Term]poly{}, map[*kernel.Term]words{}}
	s.theorem = make([]kernel.Theorem, len(s.hyps))
	// A hypothesis may be what gives another one's terms a value, in any order.
	for progress := true; progress; {
		progress = false
		for i, f := range s.hyps {
			if s.theorem[i].Valid() {
				continue
			}
			if th, err := s.apply("hyp", f, nil); err == nil {
				s.theorem[i] = th
				s.learn(th)
				progress = true
			}
		}
	}
	if p.searching {
		s.counted()
		s.clear()
	}
	return s
}

// counted learns of each size that is spoken of as a number that it is at least 1.
func (s *state) counted() {
	seen := map[*kernel.Term]bool{}
	look := func(f kernel.Formula) {
		for _, t := range f.Terms() {
			for u := range t.Subterms() {
				if u.Head() != kernel.Size || seen[u] {
					continue
				}
				seen[u] = true
				if th, err := s.apply("size", s.formula(kernel.AtLeast, u, s.integer(1)), nil); err == nil {
					s.learn(th)
				}
			}
		}
	}
	for _, f := range s.hyps {
		look(f)
	}
	if s.reading != nil {
		for _, g := range s.reading.Goals() {
			look(g)
		}
	}
}

// clear learns of each sign of a sum with divisors that of the sum without.
func (s *state) clear() {
	for _, f := range s.signs {
		if f.kind > positive || f.term.Head() == kernel.Letter {
			continue
		}
		m, d := s.cleared(f.pure)
		if m == nil || d.Head() == kernel.Number || m[""] == nil {
			continue
		}
		t := s.polys.term(m[""].c)
		if s.scaledFact(f, t, d) {
			th, _ := s.prove(f.kind, t)
			s.learn(th)
		}
	}
}

// learn adds a theorem of this context to what the search may use.
func (s *state) learn(th kernel.Theorem) {
	f := th.Formula()
	ts := f.Terms()
	put := func(k kind, t *kernel.Term, th kernel.Theorem) {
		pure := s.unfold(t)
		if pure == nil {
			return
		}
		for _, g := range s.signs {
			if g.kind == k && g.pure == pure {
				return
			}
		}
		s.signs = append(s.signs, fact{k, t, pure, th})
	}
	switch f.Form() {
	case kernel.Equal:
		s.zeros = append(s.zeros, th)
		if ts[0].Scalar() && ts[0].Len() > 0 && ts[1].Head() == kernel.Number && ts[1].Value().Sign() > 0 {
			// What equals a positive number is positive.
			if c, ok := s.by("number", positive, ts[1]); ok {
				if sign, ok := s.by("transport", positive, ts[0], c, th); ok {
					put(positive, ts[0], sign)
				}
			}
		}
	case kernel.AtLeast:
		put(nonnegative, s.difference(ts[0], ts[1]), th)
	case kernel.Greater:
		put(positive, s.difference(ts[0], ts[1]), th)
		s.spread(s.difference(ts[0], ts[1]), th)
	case kernel.Unequal:
		put(nonzero, s.difference(ts[0], ts[1]), th)
		s.spread(s.difference(ts[0], ts[1]), th)
	case kernel.Semidefinite:
		put(psd, ts[0], th)
	case kernel.Definite:
		put(pd, ts[0], th)
	case kernel.Invertible:
		put(invertible, ts[0], th)
	case kernel.Diagonal:
		put(diagonal, ts[0], th)
	}
}

// spread draws from d ≠ 0 that the factors and bases of d are not zero either.
func (s *state) spread(d *kernel.Term, th kernel.Theorem) {
	factor := d.Head() == kernel.Product && d.Scalar() || d.Head() == kernel.Power && d.Exponent() > 0
	if !factor {
		return
	}
	k, _ := stated(th.Formula().Form())
	th, ok := s.carry(nonzero, d, fact{k, d, s.unfold(d), th})
	if !ok {
		return
	}
	name := "factor"
	if d.Head() == kernel.Power {
		name = "power"
	}
	for i := range d.Len() {
		if d.Arg(i).Head() == kernel.Number {
			continue
		}
		if part, err := s.apply(name, s.state(nonzero, d.Arg(i)), []kernel.Theorem{th}); err == nil {
			s.learn(part)
		}
	}
}

// state is the formula that says k of t.
func (s *state) state(k kind, t *kernel.Term) kernel.Formula {
	switch k {
	case nonnegative:
		return s.formula(kernel.AtLeast, t, s.integer(0))
	case positive:
		return s.formula(kernel.Greater, t, s.integer(0))
	case nonzero:
		return s.formula(kernel.Unequal, t, s.integer(0))
	case psd:
		return s.formula(kernel.Semidefinite, t)
	case pd:
		return s.formula(kernel.Definite, t)
	case invertible:
		return s.formula(kernel.Invertible, t)
	}
	return s.formula(kernel.Diagonal, t)
}

// unfold removes the operators from a term; nil where they have no meaning.
func (s *state) unfold(t *kernel.Term) *kernel.Term {
	if u, ok := s.pures[t]; ok {
		return u
	}
	u, err := s.dyn.Unfold(t)
	if err != nil {
		u = nil
	}
	s.pures[t] = u
	return u
}

// same guesses whether two terms are equal in this context.
func (s *state) same(a, b *kernel.Term) bool {
	if a == b {
		return true
	}
	ua, ub := s.unfold(a), s.unfold(b)
	return ua != nil && ub != nil && (ua == ub || s.points.equal(ua, ub))
}

// define establishes what a term needs to have a value.
func (s *state) define(t *kernel.Term) error {
	if s.defined[t] {
		return nil
	}
	missing, err := s.ctx.Missing(t)
	if err != nil {
		return err
	}
	for _, f := range missing {
		if _, ok := s.expanded(kindOfForm(f.Form()), f.Terms()[0]); !ok && !s.needed(f) {
			return s.undefined(f)
		}
	}
	// The theorems are about the terms asked for, or the kernel still asks.
	if missing, err = s.ctx.Missing(t); err != nil {
		return err
	}
	if len(missing) > 0 {
		return s.undefined(missing[0])
	}
	s.defined[t] = true
	return nil
}

// needed looks deeper for what gives a scalar term its value: a divisor that is not zero has one sign.
func (s *state) needed(f kernel.Formula) bool {
	d := f.Terms()[0]
	if !s.searching || s.supposing || !d.Scalar() || s.needing {
		return false
	}
	s.needing = true
	defer func() { s.needing = false }()
	if f.Form() == kernel.AtLeast {
		_, ok := s.deeper(f)
		return ok
	}
	for _, m := range []*kernel.Term{d, s.negated(d)} {
		th, ok := s.deeper(s.state(positive, m))
		if !ok {
			continue
		}
		s.reached++
		s.keepTheorem(positive, m, th)
		if th, ok = s.by("weaken", nonzero, m, th); !ok {
			continue
		}
		if m == d {
			return true
		}
		if _, ok = s.by("transport", nonzero, d, th); ok {
			return true
		}
	}
	return false
}

// signOf is the sign or definiteness that a formula of the form states, false if it states none.
func signOf(f kernel.Form) (kind, bool) {
	switch f {
	case kernel.AtLeast:
		return nonnegative, true
	case kernel.Greater:
		return positive, true
	case kernel.Semidefinite:
		return psd, true
	case kernel.Definite:
		return pd, true
	}
	return 0, false
}

// stated is the kind that a formula of the form states, false if it states none.
func stated(f kernel.Form) (k kind, ok bool) {
	switch f {
	case kernel.Unequal:
		return nonzero, true
	case kernel.Invertible:
		return invertible, true
	case kernel.Diagonal:
		return diagonal, true
	}
	return signOf(f)
}

func kindOfForm(f kernel.Form) kind {
	switch f {
	case kernel.AtLeast:
		return nonnegative
	case kernel.Invertible:
		return invertible
	}
	return nonzero
}

func (s *state) undefined(f kernel.Formula) error {
	what := map[kernel.Form]string{kernel.Unequal: " != 0", kernel.AtLeast: " >= 0", kernel.Invertible: " invertible"}[f.Form()]
	return fmt.Errorf("needed for the terms to have values and not established: %s%s", kernel.Print(f.Terms()[0]), what)
}

// apply applies a rule here after establishing that the terms of the goal and of the argument have values.
func (s *state) apply(rule string, f kernel.Formula, premises []kernel.Theorem, terms ...*kernel.Term) (kernel.Theorem, error) {
	for _, t := range f.Ends() {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, err
		}
	}
	for _, t := range terms {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, err
		}
	}
	return s.step(s.ctx, rule, f, premises, terms)
}

// carry transports a fact to a term that is equal to its own, and weakens it to the kind asked for.
func (s *state) carry(k kind, t *kernel.Term, f fact) (kernel.Theorem, bool) {
	th := f.th
	if !th.Formula().Same(s.state(f.kind, t)) {
		moved, err := s.apply("transport", s.state(f.kind, t), []kernel.Theorem{th})
		if err != nil {
			return kernel.Theorem{}, false
		}
		th = moved
	}
	if f.kind == k {
		return th, true
	}
	weak, err := s.apply("weaken", s.state(k, t), []kernel.Theorem{th})
	return weak, err == nil
}

// implies reports whether k of a term gives j of it by weakening.
func (k kind) implies(j kind) bool {
	switch {
	case k == j:
		return true
	case k == positive:
		return j == nonnegative || j == nonzero
	case k == pd:
		return j == psd || j == invertible
	}
	return false
}

// known looks for a fact about an equal term.
func (s *state) known(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	pure := s.unfold(t)
	if pure == nil {
		return kernel.Theorem{}, false
	}
	for pass := range 2 { // identical terms first
		for _, f := range s.signs {
			if !f.kind.implies(k) || f.term.Scalar() != t.Scalar() {
				continue
			}
			hit := f.pure == pure
			if pass == 1 {
				hit = !hit && sameShape(f.pure, pure) && (s.points.equal(f.pure, pure) || f.kind == nonzero && s.points.opposite(f.pure, pure))
			}
			if !hit {
				continue
			}
			if th, ok := s.carry(k, t, f); ok {
				return th, true
			}
		}
	}
	return s.multiple(k, t, pure)
}

// multiple looks for a fact about a multiple of a term by a number.
func (s *state) multiple(k kind, t, pure *kernel.Term) (kernel.Theorem, bool) {
	if k > pd || t.Head() == kernel.Number || t.Head() == kernel.Identity {
		return kernel.Theorem{}, false
	}
	for _, f := range s.signs {
		if !f.kind.implies(k) || !sameShape(f.pure, pure) || isZero(f.pure) {
			continue
		}
		c := s.points.ratio(pure, f.pure)
		if c == nil || c.Sign() == 0 || c.Sign() < 0 && k != nonzero {
			continue
		}
		rule, sign := "product", k
		switch k {
		case psd:
			rule, sign = "mscale", nonnegative
		case pd:
			rule, sign = "mscale", positive
		}
		u := s.mul(s.number(c), f.term)
		scale, ok := s.by("number", sign, s.number(c))
		if !ok {
			continue
		}
		have, ok := s.carry(k, f.term, f)
		if !ok {
			continue
		}
		th, ok := s.by(rule, k, u, scale, have)
		if !ok {
			continue
		}
		if th, ok = s.by("transport", k, t, th); ok {
			return th, true
		}
	}
	return kernel.Theorem{}, false
}

func sameShape(a, b *kernel.Term) bool {
	ar, ac := a.Shape()
	br, bc := b.Shape()
	return a.Scalar() == b.Scalar() && ar == br && ac == bc
}

// equation proves l = r in this context: by expansion, or from an equality that is known.
func (s *state) equation(f kernel.Formula) (kernel.Theorem, error) {
	ts := f.Terms()
	for _, th := range s.zeros {
		if th.Formula().Same(f) {
			return th, nil
		}
	}
	var first error
	if s.same(ts[0], ts[1]) {
		th, err := s.apply("modulo", f, nil)
		if err == nil {
			return th, nil
		}
		first = err
	}
	for _, z := range s.zeros {
		zs := z.Formula().Terms()
		if !sameShape(zs[0], ts[0]) {
			continue
		}
		d, e := s.sub(ts[0], ts[1]), s.sub(zs[0], zs[1])
		if s.same(d, e) {
			if th, err := s.apply("transport", f, []kernel.Theorem{z}); err == nil {
				return th, nil
			}
		}
		if s.same(d, s.neg(e)) {
			h := s.hole(e)
			if th, err := s.apply("modulo", f, []kernel.Theorem{z}, s.neg(h), h); err == nil {
				return th, nil
			}
		}
	}
	if s.searching {
		if th, ok := s.ideal(f); ok {
			return th, nil
		}
		if th, ok := s.squeezed(f); ok {
			return th, nil
		}
	}
	if first == nil {
		if err := s.define(ts[0]); err != nil {
			return kernel.Theorem{}, err
		}
		if err := s.define(ts[1]); err != nil {
			return kernel.Theorem{}, err
		}
		first = fmt.Errorf("the two sides differ: %s and %s", kernel.Print(ts[0]), kernel.Print(ts[1]))
	}
	return kernel.Theorem{}, first
}

// squeezed proves l = r from a known S = 0 that is a multiple of ‖l − r‖² and what is not negative, or from l ≥ r ≥ l.
func (s *state) squeezed(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	ts := f.Terms()
	x := s.difference(ts[0], ts[1])
	u := s.unfold(x)
	if u == nil {
		return none, false
	}
	goal := s.formula(kernel.Equal, x, s.null(x))
	done := func(th kernel.Theorem) (kernel.Theorem, bool) {
		if th.Formula().Same(f) {
			return th, true
		}
		out, err := s.apply("transport", f, []kernel.Theorem{th})
		return out, err == nil
	}
	square := s.polys.of(s.unfold(s.square(x)))
	for _, z := range s.zeros {
		zs := z.Formula().Terms()
		if !zs[0].Scalar() || len(square) == 0 {
			continue
		}
		g := s.unfold(s.difference(zs[0], zs[1]))
		if g == nil {
			continue
		}
		p := s.polys.of(g)
		lead := square.leading()
		m := p[keyOf(lead.at)]
		if m == nil {
			continue
		}
		// S divided by the coefficient of the square.
		c := new(big.Rat).Quo(lead.c, m.c)
		sum := s.mul(s.number(c), s.difference(zs[0], zs[1]))
		scaled := poly{}.plus(p, c)
		rest := s.polys.term(scaled.plus(square, big.NewRat(-1, 1)))
		sign, ok := s.expanded(nonnegative, rest)
		if !ok {
			continue
		}
		h := s.hole(zs[0])
		eq, err := s.apply("modulo", s.formula(kernel.Equal, sum, s.integer(0)), []kernel.Theorem{z}, s.mul(s.number(c), h), h)
		if err != nil {
			continue
		}
		if th, err := s.apply("null", goal, []kernel.Theorem{eq, sign}, rest); err == nil {
			return done(th)
		}
	}
	if !x.Scalar() {
		return none, false
	}
	lo, ok := s.expanded(nonnegative, x)
	if !ok {
		return none, false
	}
	hi, ok := s.order(s.formula(kernel.AtLeast, s.integer(0), x))
	if !ok {
		return none, false
	}
	th, err := s.apply("null", goal, []kernel.Theorem{lo, hi})
	if err != nil {
		return none, false
	}
	return done(th)
}

// hole is the letter that stands for a quantity of x's shape in a rule's argument.
func (p *prover) hole(x *kernel.Term) *kernel.Term { return p.holes(x, 0) }

// holes is the i-th letter of this kind.
func (p *prover) holes(x *kernel.Term, i int) *kernel.Term {
	r, c := x.Shape()
	key := fmt.Sprintf("%t %s %s %d", x.Scalar(), r, c, i)
	if h := p.madeHoles[key]; h != nil {
		return h
	}
	for n := len(p.madeHoles) + 1; ; n++ {
		name := fmt.Sprintf("hole_%d", n)
		if p.sig.Lookup(name) != nil {
			continue
		}
		var h *kernel.Term
		if x.Scalar() {
			h = must(p.sig.DeclareScalar(name, kernel.Hole))
		} else {
			h = must(p.sig.DeclareMatrix(name, kernel.Hole, r, c))
		}
		p.madeHoles[key] = h
		return h
	}
}
