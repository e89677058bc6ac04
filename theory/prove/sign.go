package prove

import (
	"math/big"
	"sort"

	"stopgrad/theory/kernel"
)

// maxDepth bounds the nesting of goals of the sign search.
const maxDepth = 60

// prove establishes that a term is nonnegative, positive, not zero, semidefinite, … from its shape and from what is
// known of its parts.
func (s *state) prove(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	g := goal{k, t}
	if k == nonnegative {
		// What was reached with more effort is no fact, but at hand.
		if a := s.memo[goal{positive, t}]; a.th.Valid() && !s.memo[g].th.Valid() {
			if th, ok := s.by("weaken", k, t, a.th); ok {
				s.memo[g] = attempt{th, s.stamp()}
			}
		}
	}
	if a, ok := s.memo[g]; ok && (a.th.Valid() || a.facts == s.stamp()) {
		return a.th, a.th.Valid()
	}
	s.patience()
	// While a goal is open it cannot serve its own proof.
	s.memo[g] = attempt{facts: s.stamp()}
	if s.deep >= maxDepth {
		return kernel.Theorem{}, false
	}
	s.deep++
	th, ok := s.attempt(k, t)
	s.deep--
	if !ok {
		th = kernel.Theorem{}
	}
	s.memo[g] = attempt{th, s.stamp()}
	return th, ok
}

func (s *state) attempt(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	pure := s.unfold(t)
	if pure == nil || s.define(t) != nil {
		return kernel.Theorem{}, false
	}
	if th, ok := s.known(k, t); ok {
		return th, true
	}
	var th kernel.Theorem
	var ok bool
	if k <= nonzero {
		th, ok = s.scalar(k, t)
		if !ok && t.Head() != kernel.Number {
			if v := s.points.constant(pure); v != nil {
				th, ok = s.moved(k, t, s.number(v))
			}
		}
		if !ok && k == nonzero {
			th, ok = s.weakened(positive, k, t)
		}
		if !ok && k == nonzero && t.Head() == kernel.Sum {
			if m := s.negated(t); m != t {
				if minus, found := s.prove(positive, m); found {
					if minus, err := s.apply("weaken", s.state(nonzero, m), []kernel.Theorem{minus}); err == nil {
						th, ok = s.by("transport", k, t, minus)
					}
				}
			}
		}
	} else {
		th, ok = s.matrix(k, t)
	}
	if !ok && pure != t {
		if th, ok = s.prove(k, pure); ok {
			th, ok = s.by("transport", k, t, th)
		}
	}
	if !ok && s.why == nil && len(summands(t)) == 1 && (t.Head() == kernel.Letter || k > nonzero) {
		s.why = &complaint{k, t}
	}
	return th, ok
}

// expanded is prove, and if that fails prove of the expanded term.
func (s *state) expanded(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	if th, ok := s.prove(k, t); ok {
		return th, true
	}
	g := goal{k, t}
	if n, ok := s.tried[g]; ok && n == s.stamp() || k == invertible {
		return kernel.Theorem{}, false
	}
	s.tried[g] = s.stamp()
	u := s.simplify(t)
	if u == nil || u == t {
		return kernel.Theorem{}, false
	}
	th, ok := s.moved(k, t, u)
	if ok {
		s.keepTheorem(k, t, th)
	}
	return th, ok
}

// by applies a rule with this goal.
func (s *state) by(rule string, k kind, t *kernel.Term, premises ...kernel.Theorem) (kernel.Theorem, bool) {
	th, err := s.apply(rule, s.state(k, t), premises)
	return th, err == nil
}

// weakened proves k of t from the stronger j.
func (s *state) weakened(j, k kind, t *kernel.Term) (kernel.Theorem, bool) {
	th, ok := s.prove(j, t)
	if !ok {
		return th, false
	}
	return s.by("weaken", k, t, th)
}

// moved carries k from u to the equal term t.
func (s *state) moved(k kind, t, u *kernel.Term) (kernel.Theorem, bool) {
	if t == u {
		return kernel.Theorem{}, false
	}
	th, ok := s.prove(k, u)
	if !ok {
		return th, false
	}
	return s.by("transport", k, t, th)
}

// both applies a rule to k of two terms.
func (s *state) both(rule string, k kind, t *kernel.Term, ka kind, a *kernel.Term, kb kind, b *kernel.Term) (kernel.Theorem, bool) {
	x, ok := s.prove(ka, a)
	if !ok {
		return x, false
	}
	y, ok := s.prove(kb, b)
	if !ok {
		return y, false
	}
	return s.by(rule, k, t, x, y)
}

// scalar looks at the shape of a number.
func (s *state) scalar(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	switch t.Head() {
	case kernel.Number:
		if v := t.Value().Sign(); v > 0 || v == 0 && k == nonnegative || v < 0 && k == nonzero {
			return s.by("number", k, t)
		}
	case kernel.Size:
		return s.by("size", positive, t)
	case kernel.Letter:
		if k != nonzero {
			return s.bounded(k, t)
		}
	case kernel.Sum:
		a, b := t.Arg(0), t.Arg(1)
		switch k {
		case nonnegative:
			if th, ok := s.both("sum", k, t, k, a, k, b); ok {
				return th, true
			}
		case positive:
			if th, ok := s.both("sum", k, t, positive, a, nonnegative, b); ok {
				return th, true
			}
			if th, ok := s.both("sum", k, t, nonnegative, a, positive, b); ok {
				return th, true
			}
		}
		if k != nonzero {
			return s.conjugate(k, t)
		}
	case kernel.Product:
		a, b := t.Arg(0), t.Arg(1)
		if th, ok := s.both("product", k, t, k, a, k, b); ok {
			return th, true
		}
		return s.regroup(k, t)
	case kernel.Power:
		a, n := t.Arg(0), t.Exponent()
		switch {
		case n == 0:
			return s.by("number", k, t)
		case k == nonnegative && n%2 == 0:
			return s.by("power", k, t)
		case k == positive && n%2 == 0:
			if th, ok := s.prove(nonzero, a); ok {
				return s.by("power", k, t, th)
			}
		default:
			if th, ok := s.prove(k, a); ok {
				return s.by("power", k, t, th)
			}
		}
	case kernel.Reciprocal:
		if th, ok := s.prove(k, t.Arg(0)); ok {
			return s.by("reciprocal", k, t, th)
		}
	case kernel.Root:
		if th, ok := s.prove(k, t.Arg(0)); ok {
			return s.by("rootsign", k, t, th)
		}
	case kernel.Trace:
		if k == nonzero {
			return s.weakened(positive, k, t)
		}
		return s.traceSign(k, t)
	}
	return none, false
}

// bounded proves the sign of a letter x from a fact x − l ≥ 0 and the sign of l.
func (s *state) bounded(k kind, x *kernel.Term) (kernel.Theorem, bool) {
	for _, f := range s.signs {
		if f.kind > positive || f.term.Head() != kernel.Sum {
			continue
		}
		parts := summands(f.term)
		for i, p := range parts {
			if p != x {
				continue
			}
			l := s.negated(s.sum(append(append([]*kernel.Term{}, parts[:i]...), parts[i+1:]...)))
			if mentions(l, x) {
				break
			}
			if th, ok := s.moved(k, x, s.add(f.term, l)); ok {
				return th, true
			}
			break
		}
	}
	return kernel.Theorem{}, false
}

// regroup proves the sign of a product whose factors do not have it one by one: equal factors are taken together
// to powers, and an even number of negative factors is turned.
func (s *state) regroup(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	if k == nonzero {
		return none, false
	}
	list, _ := s.factors(t)
	c := big.NewRat(1, 1)
	count := map[*kernel.Term]int{}
	var bases []*kernel.Term
	put := func(x *kernel.Term, n int) {
		if count[x] == 0 {
			bases = append(bases, x)
		}
		count[x] += n
	}
	for _, x := range list {
		switch {
		case x.Head() == kernel.Number:
			c.Mul(c, x.Value())
		case x.Head() == kernel.Power && x.Exponent() > 0:
			put(x.Arg(0), x.Exponent())
		default:
			put(x, 1)
		}
	}
	if c.Sign() == 0 {
		return none, false
	}
	flips := 0
	if c.Sign() < 0 {
		flips++
		c.Neg(c)
	}
	parts := []*kernel.Term{}
	if c.Cmp(big.NewRat(1, 1)) != 0 {
		parts = append(parts, s.number(c))
	}
	// The largest first, so that a square is seen before what it would be turned with.
	sort.SliceStable(bases, func(i, j int) bool { return count[bases[i]]%2 < count[bases[j]]%2 })
	for _, x := range bases {
		n := count[x]
		y := x
		if n%2 == 1 {
			if _, ok := s.prove(k, x); !ok {
				m := s.negated(x)
				if x.Head() == kernel.Reciprocal {
					m = s.reciprocal(s.negated(x.Arg(0)))
				}
				if _, ok := s.prove(k, m); !ok {
					return none, false
				}
				y = m
				flips++
			}
		}
		if n > 1 {
			y = s.power(y, n)
		}
		parts = append(parts, y)
	}
	if flips%2 == 1 {
		return none, false
	}
	u := s.product(parts)
	if u == t {
		return none, false
	}
	// Products of proved factors: the plain rule suffices.
	if !s.plain(k, u) {
		return none, false
	}
	return s.moved(k, t, u)
}

// plain reports whether each factor has the sign by itself.
func (s *state) plain(k kind, t *kernel.Term) bool {
	seen := map[*kernel.Term]bool{}
	var each func(t *kernel.Term) bool
	each = func(t *kernel.Term) bool {
		if seen[t] {
			return true
		}
		seen[t] = true
		if t.Head() == kernel.Product {
			return each(t.Arg(0)) && each(t.Arg(1))
		}
		_, ok := s.prove(k, t)
		return ok
	}
	return each(t)
}

// conjugate proves the sign of a − b·√q, or of b·√q − a, from that of a² − b²·q over a + b·√q.
func (s *state) conjugate(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	var roots []*kernel.Term
	var rooted, rest []*kernel.Term
	for _, x := range summands(t) {
		if r := rootFactor(x); r != nil {
			roots = append(roots, r)
			rooted = append(rooted, x)
		} else {
			rest = append(rest, x)
		}
	}
	if len(roots) == 0 || len(rest) == 0 {
		return none, false
	}
	for _, r := range roots[1:] {
		if r != roots[0] {
			return none, false
		}
	}
	a, b := s.sum(rest), s.sum(rooted)
	for _, sign := range []int{1, -1} {
		// t = a + b = (a² − b²)/(a − b), or with a and b changed.
		x, y := a, b
		if sign < 0 {
			x, y = b, a
		}
		below := s.add(x, s.negated(y))
		if _, ok := s.prove(positive, below); !ok {
			continue
		}
		above := s.simplify(s.add(s.power(x, 2), s.neg(s.power(y, 2))))
		if above == nil {
			continue
		}
		if _, ok := s.prove(k, above); !ok {
			continue
		}
		return s.moved(k, t, s.mul(above, s.reciprocal(below)))
	}
	return none, false
}

// rootFactor is the root that a summand contains as a factor, or nil.
func rootFactor(t *kernel.Term) *kernel.Term {
	seen := map[*kernel.Term]bool{}
	var find func(t *kernel.Term) *kernel.Term
	find = func(t *kernel.Term) *kernel.Term {
		if t.Head() == kernel.Root {
			return t
		}
		if t.Head() != kernel.Product || seen[t] {
			return nil
		}
		seen[t] = true
		if r := find(t.Arg(0)); r != nil {
			return r
		}
		return find(t.Arg(1))
	}
	return find(t)
}

// order proves a state inequality or definiteness formula by shape.
func (s *state) order(f kernel.Formula) (kernel.Theorem, bool) {
	ts := f.Terms()
	k, ok := stated(f.Form())
	if !ok {
		// Bounds of the entries of a matrix: no rule concludes them, so that they are assumed or are not known.
		for i, h := range s.hyps {
			if h.Same(f) {
				return s.theorem[i], s.theorem[i].Valid()
			}
		}
		return kernel.Theorem{}, false
	}
	if len(ts) == 1 || isZero(ts[1]) {
		th, ok := s.expanded(k, ts[0])
		if !ok {
			return s.deeper(f)
		}
		return th, ok
	}
	// Either way round: a − b, or with the minus pushed inwards.
	for _, d := range []*kernel.Term{s.differ(ts[0], ts[1]), s.sub(ts[0], ts[1])} {
		if th, ok := s.expanded(k, d); ok {
			if moved, err := s.apply("transport", f, []kernel.Theorem{th}); err == nil {
				return moved, true
			}
		}
	}
	return s.deeper(f)
}

// deeper looks further than shape, if that is asked for.
func (s *state) deeper(f kernel.Formula) (kernel.Theorem, bool) {
	if !s.searching || s.implausible(f) {
		return kernel.Theorem{}, false
	}
	if th, ok := s.direct(f); ok {
		return th, true
	}
	return s.indirect(f)
}

// direct looks further than shape at an order itself.
func (s *state) direct(f kernel.Formula) (kernel.Theorem, bool) {
	for _, way := range []func(kernel.Formula) (kernel.Theorem, bool){s.combine, s.byFactors, s.polynomial, s.squares} {
		if th, ok := way(f); ok {
			return th, true
		}
	}
	return kernel.Theorem{}, false
}

// indirect proves an order by what its opposite leads to.
func (s *state) indirect(f kernel.Formula) (kernel.Theorem, bool) {
	var opposite kernel.Formula
	switch ts := f.Terms(); f.Form() {
	case kernel.AtLeast:
		opposite = s.formula(kernel.Greater, ts[1], ts[0])
	case kernel.Greater:
		opposite = s.formula(kernel.AtLeast, ts[1], ts[0])
	case kernel.Unequal:
		opposite = s.formula(kernel.Equal, ts[0], ts[1])
	default:
		return kernel.Theorem{}, false
	}
	if s.supposing || len(s.hyps) > 24 {
		return kernel.Theorem{}, false
	}
	s.supposing = true
	defer func() { s.supposing = false }()
	levels := s.levels
	s.levels = 1
	defer func() { s.levels = levels }()
	against := s.extended(s, opposite)
	against.opposed = true
	th, ok := against.contradiction()
	if !ok {
		return th, false
	}
	th, err := s.apply("contradiction", f, []kernel.Theorem{th})
	return th, err == nil
}

// differ is a − b with the sign pushed inwards.
func (b builder) differ(x, y *kernel.Term) *kernel.Term {
	switch {
	case isZero(y):
		return x
	case isZero(x):
		return b.negated(y)
	}
	return b.add(x, b.negated(y))
}
