package kernel

import "math/big"

// Unfolding removes the operators, innermost first, and works on trees: what is differentiated, stepped or
// substituted into was not simplified before, and no structure was used on it.
//
//	ddt t       Leibniz' rule, letters by the flow; d(1/a) = −da/a², d√q = dq/(2√q), dA⁻¹ = −A⁻¹·dA·A⁻¹
//	diff(t, x)  the same with dx = 1 and every other letter constant
//	grad(f, W)  reverse accumulation; gradsym and gradskew are its symmetric and antisymmetric part
//	next t      all letters of the map replaced at once, in divisors and radicands too
//	at(t, x, v) the same with the letters and values given
//	E t         see expect.go
//	sg t        under one gradient or partial derivative a copy of t that it takes for constant; else t
//
// Equations of motion and moments are closed: what they say does not depend on the gradients around their use, and
// an sg inside them belongs to gradients inside them.

// unfolding is a term without operators, and the terms that also need a value for it to have one: what was
// differentiated or averaged, of which the result may no longer mention the divisors.
type unfolding struct {
	term *Term
	also []*Term
}

// unfoldings is what is known of the terms of one dynamics.
type unfoldings struct {
	// Soundness: kept apart by the number of gradients around the term, none, one or more. A gradient unfolded alone
	// has released its stop-gradients, which another gradient around it must not see.
	done [3]map[*Term]unfolding
	busy map[*Term]bool  // equations being unfolded
	rate map[*Term]*Term // derivatives along the flow of pure terms, nil for what does not move
	work int             // steps left to the current application of a rule
}

func newUnfoldings() unfoldings {
	m := unfoldings{busy: map[*Term]bool{}, rate: map[*Term]*Term{}, work: MaxProducts}
	for i := range m.done {
		m.done[i] = map[*Term]unfolding{}
	}
	return m
}

func (d *Dynamics) charge(steps int) {
	d.sig.spend(steps)
	if d.memo.work -= steps; d.memo.work < 0 {
		exceed("more than %d steps of unfolding", MaxProducts)
	}
}

// unfold removes the operators from a term. Only holes and random columns may be left in it beside letters with
// values.
func (d *Dynamics) unfold(t *Term) unfolding {
	if !d.frozen {
		// What is found before the last equation is declared is not kept.
		defer func() { d.memo = newUnfoldings() }()
	}
	return d.remove(t, 0)
}

// remove unfolds a term that stands under so many gradients.
func (d *Dynamics) remove(t *Term, gradients int) unfolding {
	if t.pure {
		return unfolding{term: t}
	}
	memo := d.memo.done[min(gradients, 2)]
	if u, ok := memo[t]; ok {
		return u
	}
	d.charge(1)
	var u unfolding
	switch t.head {
	case Ddt:
		u = d.along(d.remove(t.args[0], gradients))
	case Next:
		u = d.stepped(d.remove(t.args[0], gradients))
	case At:
		u = d.replaced(t, gradients)
	case Diff:
		u = d.partial(d.remove(t.args[0], gradients+1), t.args[1])
	case Grad, GradSym, GradSkew:
		u = d.gradient(t.head, d.remove(t.args[0], gradients+1), t.args[1])
	case Expect:
		u = d.expect(d.remove(t.args[0], gradients))
	case StopGrad:
		u = d.remove(t.args[0], gradients)
		switch {
		case gradients == 1:
			u = d.rewrite(u, freeze)
		case gradients > 1:
			// Soundness: the inner gradient would release for the outer one what is to be constant to it.
			refuse("a stop-gradient inside two gradients")
		}
	default:
		args := make([]*Term, len(t.args))
		var lists [][]*Term
		for i, a := range t.args {
			v := d.remove(a, gradients)
			args[i] = v.term
			if len(v.also) > 0 {
				lists = append(lists, v.also)
			}
		}
		u = unfolding{t.sig.make(t.head, t.n, args...), d.union(lists...)}
	}
	memo[t] = u
	return u
}

// equation unfolds the right-hand side of x' or of x after a step.
func (d *Dynamics) equation(x, rhs *Term) unfolding {
	if d.memo.busy[rhs] {
		refuse("the equation of %s refers to itself", x.sym.name)
	}
	d.memo.busy[rhs] = true
	defer delete(d.memo.busy, rhs)
	u := d.remove(rhs, 0)
	if mentions(u.term, random) {
		refuse("the equation of %s mentions a random column outside of an expectation", x.sym.name)
	}
	return u
}

// moved lists what becomes of the letters of u by the equations of the flow or map, and what needs a value for that;
// what names a derivative in time or next value.
func (d *Dynamics) moved(u unfolding, what, equations string, of func(*Term) *Term) (to map[*Term]*Term, also []*Term) {
	to = map[*Term]*Term{}
	var lists [][]*Term
	for _, x := range d.atoms(u) {
		switch {
		case x.head == frozen:
			exceed("the %s of a stop-gradient inside a gradient", what)
		case x.sym.class == State:
			rhs := of(x)
			if rhs == nil {
				refuse("%s has no equation in the %s and no %s", x.sym.name, equations, what)
			}
			f := d.equation(x, rhs)
			to[x] = f.term
			lists = append(lists, []*Term{f.term}, f.also)
		case x.sym.class != Param:
			// Soundness: nothing is known of the derivative of an input, or of an input at another time.
			refuse("the %s symbol %s has no %s", x.sym.class, x.sym.name, what)
		}
	}
	return to, d.union(lists...)
}

// along is the derivative along the flow. A letter whose equation is written 0 does not move, so that its roots are not
// divided by. Whether another equation comes to 0 when it is unfolded depends on how it is written, and plays no part.
func (d *Dynamics) along(u unfolding) unfolding {
	flow, also := d.moved(u, "derivative in time", "flow", d.FlowOf)
	derive := d.derivation(d.memo.rate, func(x *Term) *Term {
		if law := d.FlowOf(x); law != nil && isNull(law) {
			return nil
		}
		return flow[x]
	})
	rate := derive(u.term)
	return unfolding{orZero(rate, u.term), d.union(also, d.kept(u, func(q *Term) bool { return derive(q) != nil }))}
}

// stepped is the value after one step of the map.
func (d *Dynamics) stepped(u unfolding) unfolding {
	step, also := d.moved(u, "next value", "map", d.MapOf)
	u = d.rewrite(u, func(x *Term) *Term { return step[x] })
	return unfolding{u.term, d.union(u.also, also)}
}

// partial is the derivative in the scalar letter x.
func (d *Dynamics) partial(u unfolding, x *Term) unfolding {
	d.holeless(u)
	one := x.sig.integer(1)
	derive := d.derivation(map[*Term]*Term{}, func(y *Term) *Term {
		if y == x {
			return one
		}
		return nil
	})
	slope := derive(u.term)
	return d.rewrite(unfolding{orZero(slope, u.term), d.kept(u, func(q *Term) bool { return derive(q) != nil })}, thaw)
}

// derivation is Leibniz' rule on pure terms, nil for the derivative of what does not change. change gives that of
// the letters; frozen copies do not change.
func (d *Dynamics) derivation(memo map[*Term]*Term, change func(*Term) *Term) func(*Term) *Term {
	var derive func(*Term) *Term
	rule := func(t *Term) *Term {
		s := t.sig
		switch t.head {
		case Letter:
			return change(t)
		case Number, Size, Identity, Zero, frozen:
			return nil
		}
		a := t.args[0]
		da := derive(a)
		if len(t.args) == 2 {
			b := t.args[1]
			db := derive(b)
			switch t.head {
			case Sum:
				return sumOf(da, db)
			case Product:
				return sumOf(productOf(da, b), productOf(a, db))
			case Kronecker:
				return sumOf(kronOf(da, b), kronOf(a, db))
			}
		} else if da == nil {
			return nil
		}
		switch t.head {
		case Trace, Transpose, RowStack:
			return s.make(t.head, 0, da)
		case Power:
			return powerRule(a, da, t.n)
		case Reciprocal:
			return s.neg(productOf(s.pow(t, 2), da))
		case Root:
			return productOf(halfReciprocal(t), da)
		case Inverse:
			return s.neg(s.mul(s.mul(t, da), t))
		}
		refuse("%s has no derivative", t.head)
		return nil
	}
	derive = func(t *Term) *Term {
		if dt, ok := memo[t]; ok {
			return dt
		}
		d.charge(1)
		dt := rule(t)
		memo[t] = dt
		return dt
	}
	return derive
}

// halfReciprocal is 1/(2√q), the derivative of r = √q in q.
func halfReciprocal(r *Term) *Term {
	return r.sig.mul(r.sig.number(big.NewRat(1, 2)), r.sig.reciprocal(r))
}

// powerRule is the derivative of a^n in the direction g, nil for n = 0: n·a^(n−1)·g of a scalar, Σ a^i·g·a^(n−1−i) of
// a matrix, by halves so that the sum is shallow.
func powerRule(a, g *Term, n int) *Term {
	s := a.sig
	power := func(k int) *Term {
		if k == 1 {
			return a
		}
		return s.pow(a, k)
	}
	switch {
	case n == 0:
		return nil
	case n == 1:
		return g
	case a.scalar:
		return productOf(s.mul(s.integer(int64(n)), power(n-1)), g)
	}
	memo := map[int]*Term{1: g}
	var sum func(int) *Term
	sum = func(k int) *Term {
		if memo[k] == nil {
			h := k / 2
			memo[k] = s.add(s.mul(sum(h), power(k-h)), s.mul(power(h), sum(k-h)))
		}
		return memo[k]
	}
	return sum(n)
}

// gradient is ∂f/∂W, or the part of it that head asks for.
func (d *Dynamics) gradient(head Head, u unfolding, w *Term) unfolding {
	d.holeless(u)
	s := w.sig
	depends, order := d.dependence(w)
	depends(u.term)
	g := d.accumulate(u.term, w, *order, depends)
	if g == nil {
		g = s.null(w)
	} else if head != Grad {
		half, gt := s.number(big.NewRat(1, 2)), s.transpose(g)
		if head == GradSkew {
			gt = s.neg(gt)
		}
		g = s.mul(half, s.add(g, gt))
	}
	return d.rewrite(unfolding{g, d.kept(u, depends)}, thaw)
}

// dependence tells which pure terms mention w outside of frozen copies, and lists those it was asked about and that
// do, arguments before what they are in.
func (d *Dynamics) dependence(w *Term) (depends func(*Term) bool, order *[]*Term) {
	memo := map[*Term]bool{}
	order = new([]*Term)
	depends = func(t *Term) bool {
		if does, ok := memo[t]; ok {
			return does
		}
		d.charge(1)
		does := t == w
		if t.head != frozen {
			for _, a := range t.args {
				does = depends(a) || does
			}
		}
		memo[t] = does
		if does {
			*order = append(*order, t)
		}
		return does
	}
	return depends, order
}

// accumulate goes from f down to w and gives each term t on the way its adjoint g, with df = ⟨g, dt⟩ = tr(gᵀ·dt): the
// transpose of each step of Leibniz' rule. It returns that of w, nil for zero.
func (d *Dynamics) accumulate(f, w *Term, order []*Term, depends func(*Term) bool) *Term {
	s := f.sig
	adjoint := map[*Term]*Term{f: s.integer(1)}
	for i := len(order) - 1; i >= 0; i-- {
		t := order[i]
		g := adjoint[t]
		if g == nil || t == w {
			continue
		}
		give := func(a *Term, share func() *Term) {
			if depends(a) {
				adjoint[a] = sumOf(adjoint[a], share())
			}
		}
		a := t.args[0]
		var b *Term
		if len(t.args) == 2 {
			b = t.args[1]
		}
		switch t.head {
		case Sum:
			give(a, func() *Term { return g })
			give(b, func() *Term { return g })
		case Product:
			// of a factor in the place of a scalar: ⟨g, m·dc⟩ = ⟨g, m⟩·dc
			inner := func(m *Term) *Term {
				if g.scalar {
					return productOf(g, m)
				}
				return s.trace(productOf(s.transpose(g), m))
			}
			switch {
			case a.scalar:
				give(a, func() *Term { return inner(b) })
				give(b, func() *Term { return productOf(a, g) })
			case b.scalar:
				give(a, func() *Term { return productOf(b, g) })
				give(b, func() *Term { return inner(a) })
			default:
				give(a, func() *Term { return productOf(g, s.transpose(b)) })
				give(b, func() *Term { return productOf(s.transpose(a), g) })
			}
		case Power:
			base := a
			if !a.scalar {
				base = s.transpose(a)
			}
			give(a, func() *Term { return powerRule(base, g, t.n) })
		case Trace:
			give(a, func() *Term { return productOf(g, s.identity(a.rows)) })
		case Transpose:
			give(a, func() *Term { return s.transpose(g) })
		case Reciprocal:
			give(a, func() *Term { return s.neg(productOf(s.pow(t, 2), g)) })
		case Root:
			give(a, func() *Term { return productOf(halfReciprocal(t), g) })
		case Inverse:
			give(a, func() *Term { return s.neg(s.mul(s.mul(s.transpose(t), g), s.transpose(t))) })
		default:
			// The adjoint of a stacked matrix is a stacked matrix of no known factors.
			exceed("a gradient does not go into %s", t.head)
		}
	}
	return adjoint[w]
}

// replaced is t = at(a, x, v, …): a with the letters replaced by their values, all at once. The values need values of
// their own even where a does not mention the letter.
func (d *Dynamics) replaced(t *Term, gradients int) unfolding {
	u := d.remove(t.args[0], gradients)
	d.holeless(u)
	for _, x := range d.atoms(u) {
		if x.head == frozen {
			exceed("at of a stop-gradient inside a gradient")
		}
	}
	with, lists := map[*Term]*Term{}, [][]*Term{nil}
	for i := 1; i < len(t.args); i += 2 {
		v := d.remove(t.args[i+1], gradients)
		with[t.args[i]] = v.term
		lists = append(lists, []*Term{v.term}, v.also)
	}
	u = d.rewrite(u, func(x *Term) *Term { return with[x] })
	lists[0] = u.also
	return unfolding{u.term, d.union(lists...)}
}

// freeze replaces a letter that is not random by a copy that is constant to the gradient around it.
func freeze(t *Term) *Term {
	switch {
	case t.head == frozen:
		return t
	case t.head == Letter && t.sym.class == Hole:
		refuse("the hole %s stands under a gradient", t.sym.name)
	case t.head == Letter && !random(t.sym):
		return t.sig.make(frozen, 0, t)
	}
	return nil
}

// thaw undoes freeze at the end of the gradient.
func thaw(t *Term) *Term {
	if t.head == frozen {
		return t.args[0]
	}
	return nil
}

// rewrite replaces the subterms for which put has another, in a term and in what else needs a value; all at once,
// since it does not look into what it put.
func (d *Dynamics) rewrite(u unfolding, put func(*Term) *Term) unfolding {
	memo := map[*Term]*Term{}
	var visit func(*Term) *Term
	visit = func(t *Term) *Term {
		if v := memo[t]; v != nil {
			return v
		}
		d.charge(1)
		v := put(t)
		if v == nil {
			v = t
			if len(t.args) > 0 {
				args := make([]*Term, len(t.args))
				for i, a := range t.args {
					args[i] = visit(a)
				}
				v = t.sig.make(t.head, t.n, args...)
			}
		}
		memo[t] = v
		return v
	}
	out := unfolding{term: visit(u.term), also: make([]*Term, len(u.also))}
	for i, x := range u.also {
		out.also[i] = visit(x)
	}
	return out
}

// atoms lists the letters of a pure term and of what else needs a value, and the frozen copies of letters.
func (d *Dynamics) atoms(u unfolding) (list []*Term) {
	d.survey(u, func(t *Term) {
		if t.head == Letter || t.head == frozen {
			list = append(list, t)
		}
	})
	return list
}

// survey visits the subterms of a pure term and of what else needs a value once each, inner ones first. It does
// not look into frozen copies.
func (d *Dynamics) survey(u unfolding, visit func(*Term)) {
	seen := map[*Term]bool{}
	var walk func(*Term)
	walk = func(t *Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		d.charge(1)
		if t.head != frozen {
			for _, a := range t.args {
				walk(a)
			}
		}
		visit(t)
	}
	walk(u.term)
	for _, x := range u.also {
		walk(x)
	}
}

// kept is what still needs a value when u was differentiated: u, and the reciprocals of its roots, by which the
// derivative divides; varies tells which radicands change.
func (d *Dynamics) kept(u unfolding, varies func(*Term) bool) []*Term {
	list := append([]*Term{u.term}, u.also...)
	d.survey(u, func(t *Term) {
		if t.head == Root && varies(t.args[0]) {
			list = append(list, t.sig.reciprocal(t))
		}
	})
	return list
}

// union merges lists of terms.
func (d *Dynamics) union(lists ...[]*Term) (out []*Term) {
	if len(lists) == 1 {
		return lists[0]
	}
	seen := map[*Term]bool{}
	for _, l := range lists {
		d.charge(len(l))
		for _, x := range l {
			if !seen[x] {
				seen[x] = true
				out = append(out, x)
			}
		}
	}
	return out
}

// holeless refuses holes: an operator looks at more than the one value for which a hole stands.
func (d *Dynamics) holeless(u unfolding) {
	for _, x := range d.atoms(u) {
		if x.head == Letter && x.sym.class == Hole {
			refuse("the hole %s stands under a derivative or at", x.sym.name)
		}
	}
}

func random(y *Symbol) bool { return y.class == Random || y.class == Centred }

// orZero is a derivative of t, zero for nil.
func orZero(dt, t *Term) *Term {
	if dt == nil {
		return t.sig.null(t)
	}
	return dt
}

// sumOf adds derivatives, nil for zero.
func sumOf(a, b *Term) *Term {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return a.sig.add(a, b)
}

// productOf multiplies derivatives and their factors, nil for zero; a factor one, which has a value everywhere, is left
// out.
func productOf(a, b *Term) *Term {
	switch {
	case a == nil || b == nil:
		return nil
	case a == a.sig.integer(1) || a.head == Identity && !b.scalar:
		return b
	case b == b.sig.integer(1) || b.head == Identity && !a.scalar:
		return a
	}
	return a.sig.mul(a, b)
}

// kronOf is kron(a, b) of derivatives and their factors, nil for zero.
func kronOf(a, b *Term) *Term {
	if a == nil || b == nil {
		return nil
	}
	return a.sig.make(Kronecker, 0, a, b)
}

// moves reports whether the value of a term may change over time, or whether it has one: whether the unfolded term, or
// a divisor, radicand or inverse of what also needs a value, mentions a state variable or an input.
func (d *Dynamics) moves(t *Term) bool {
	u := d.unfold(t)
	moving, moves := map[*Term]bool{}, false
	d.survey(u, func(x *Term) {
		m := x.head == Letter && (x.sym.class == State || x.sym.class == Input)
		for _, a := range x.args {
			m = m || moving[a]
		}
		moving[x] = m
		moves = moves || m && (x == u.term || x.head == Reciprocal || x.head == Root || x.head == Inverse)
	})
	return moves
}

// Unfold returns the term without operators that t stands for.
func (d *Dynamics) Unfold(t *Term) (u *Term, err error) {
	defer caught(&err)
	d.begin(t)
	return d.unfold(t).term, nil
}

// Parts returns the terms without operators that have to have values for t to have one: first the one that t stands for,
// then what was differentiated, stepped or averaged on the way, of which the result need no longer mention the divisors.
func (d *Dynamics) Parts(t *Term) (parts []*Term, err error) {
	defer caught(&err)
	d.begin(t)
	u := d.unfold(t)
	return append([]*Term{u.term}, u.also...), nil
}

// Moves reports whether the value of a term, or whether it has one, may change over time.
func (d *Dynamics) Moves(t *Term) (m bool, err error) {
	defer caught(&err)
	d.begin(t)
	return d.moves(t), nil
}

// begin starts the unfolding of a term that a caller gave.
func (d *Dynamics) begin(t *Term) {
	d.whole()
	if !d.sig.owns(t) {
		refuse("a term of another signature")
	}
	d.memo.work = MaxProducts
}
