package prove

import (
	"math/big"
	"slices"
	"sort"

	"stopgrad/theory/kernel"
)

// Limits of the search for nonnegative combinations.
const (
	maxBases   = 260
	maxLinear  = 420 // columns of a linear programme
	maxSupport = 500 // monomials
	maxLeading = 6   // factors to multiply by
)

// base is a term that is known to be nonnegative (semidefinite), with its coefficients.
type base struct {
	term   *kernel.Term
	rows   map[rowKey]rowTerm
	list   []rowTerm // rows, sorted
	strict bool
}

// depthGoal is a goal of combine with the number of levels of candidates tried.
type depthGoal struct {
	goal
	levels int
}

// combine proves a sign by writing the difference, its divisors multiplied away, as a sum of nonnegative multiples of
// products of what is known to be nonnegative and of squares.
func (s *state) combine(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	ts := f.Terms()
	k, ok := signOf(f.Form())
	if !ok {
		return none, false
	}
	d := ts[0]
	if len(ts) > 1 {
		d = s.difference(ts[0], ts[1])
		if isZero(ts[0]) {
			d = s.negated(ts[1])
		}
	}
	g := depthGoal{goal{k, d}, s.levels}
	if n, ok := s.combined[g]; ok && n == s.stamp() {
		return none, false
	}
	s.combined[g] = s.stamp()
	pure := s.unfold(d)
	if pure == nil || s.deep > 0 && s.deep > 20 {
		return none, false
	}
	// With equations used first, and without.
	for _, t := range s.reductions(pure) {
		m := s.certificate(k, t, 0)
		for level := 1; m == nil && level < s.levels && matrices(t); level++ {
			m = s.certificate(k, t, level)
		}
		if m == nil {
			continue
		}
		th, ok := s.prove(k, m)
		if !ok {
			continue
		}
		if out, err := s.apply("transport", f, []kernel.Theorem{th}); err == nil {
			return out, true
		}
		eq, err := s.equation(s.formula(kernel.Equal, s.difference2(ts), m))
		if err != nil {
			continue
		}
		if out, err := s.apply("transport", f, []kernel.Theorem{th, eq}); err == nil {
			return out, true
		}
	}
	return none, false
}

// matrices reports whether a term has to do with matrices.
func matrices(t *kernel.Term) bool {
	return occurs(t, func(u *kernel.Term) bool { return !u.Scalar() })
}

// difference2 is the term of a matrix formula, or a − b of an order.
func (b builder) difference2(ts []*kernel.Term) *kernel.Term {
	if len(ts) == 1 {
		return ts[0]
	}
	return b.sub(ts[0], ts[1])
}

// reductions are the term itself and what it becomes when equations are solved for letters.
func (s *state) reductions(t *kernel.Term) []*kernel.Term {
	out := []*kernel.Term{t}
	for _, v := range s.eliminations(t) {
		out = append(out, v.t)
	}
	return out
}

// elimination is what a term becomes where letters are what equations make of them.
type elimination struct {
	t     *kernel.Term
	order []solved
}

// eliminations are what a term becomes when equations are solved for letters, by what is solved for.
func (s *state) eliminations(t *kernel.Term) (out []elimination) {
	eqs := s.equalities()
	if len(eqs) == 0 {
		return nil
	}
	for choice := range 2 {
		order, _ := s.solveAll(t, eqs, choice)
		if len(order) == 0 {
			continue
		}
		none := map[*kernel.Term]*kernel.Term{}
		for _, e := range eqs {
			none[e.hole] = s.null(e.hole)
		}
		for i := range order {
			order[i].by = s.substitute(order[i].by, none)
		}
		if u := s.after(t, order); u != t {
			out = append(out, elimination{u, order})
		}
	}
	return out
}

// after is a term where letters are what they were solved to be.
func (s *state) after(t *kernel.Term, order []solved) *kernel.Term {
	for _, v := range order {
		t = s.substitute(t, map[*kernel.Term]*kernel.Term{v.x: v.by})
	}
	return t
}

// follow learns what is known of letters that equations give as facts about the others.
func (s *state) follow(order []solved) {
	for _, f := range append([]fact{}, s.signs...) {
		if f.kind > nonzero || !f.pure.Scalar() {
			continue
		}
		t := s.after(f.pure, order)
		if t == f.pure {
			continue
		}
		p := s.polys.of(t)
		if p == nil {
			continue
		}
		if t = s.polys.term(p); t.Head() == kernel.Number {
			continue
		}
		eq, err := s.equation(s.formula(kernel.Equal, f.term, t))
		if err != nil {
			continue
		}
		if th, err := s.apply("transport", s.state(f.kind, t), []kernel.Theorem{f.th, eq}); err == nil {
			s.learn(th)
		}
	}
}

// cleared multiplies the divisors of a sum away: it returns the coefficients of D·t and the positive D.
func (s *state) cleared(t *kernel.Term) (words, *kernel.Term) {
	var m words
	if t.Scalar() {
		p := s.polys.of(t)
		if p == nil {
			return nil, nil
		}
		m = words{"": {nil, p}}
	} else if m = s.polys.matrixOf(t); m == nil {
		return nil, nil
	}
	var ds []*kernel.Term
	for range 12 {
		// The youngest divisor, and how often it occurs at most.
		var g *kernel.Term
		for _, x := range m {
			for _, mo := range x.c {
				for _, e := range mo.at {
					if (e.n < 0 || e.g.Head() == kernel.Reciprocal) && (g == nil || e.g.ID() > g.ID()) {
						g = e.g
					}
				}
			}
		}
		if g == nil {
			return m, s.product(ds)
		}
		top := 0
		for _, x := range m {
			for _, mo := range x.c {
				for _, e := range mo.at {
					if e.g == g {
						top = max(top, e.n, -e.n)
					}
				}
			}
		}
		d := g
		if g.Head() == kernel.Reciprocal {
			d = g.Arg(0)
		}
		minus := false
		if _, ok := s.expanded(positive, d); !ok {
			if _, ok := s.expanded(positive, s.negated(d)); ok {
				d, minus = s.negated(d), true
			} else if _, ok := s.expanded(nonzero, d); ok {
				top += top % 2
			} else {
				return nil, nil
			}
		}
		dp := s.polys.of(d)
		if dp == nil {
			return nil, nil
		}
		out := words{}
		for _, x := range m {
			c := poly{}
			for _, mo := range x.c {
				j := 0
				var rest []exponent
				for _, e := range mo.at {
					if e.g == g {
						j = e.n
						if g.Head() == kernel.Reciprocal {
							j = -j
						}
					} else {
						rest = append(rest, e)
					}
				}
				one := poly{}
				k := mo.c
				if minus && j%2 != 0 {
					k = new(big.Rat).Neg(k)
				}
				one.put(k, rest)
				p := s.polys.times(one, s.polys.power(dp, top+j))
				if p == nil {
					return nil, nil
				}
				s.spend(60 * len(p))
				for _, mo := range p {
					c.put(mo.c, mo.at)
				}
				if len(c) > maxPoly {
					return nil, nil
				}
			}
			if len(c) > 0 {
				out[x.w.key()] = &wordTerm{x.w, c}
			}
		}
		m = out
		if top > 1 {
			d = s.power(d, top)
		}
		ds = append(ds, d)
	}
	return nil, nil
}

// certificate finds a term equal to t whose sign is plain, or nil.
func (s *state) certificate(k kind, t *kernel.Term, level int) *kernel.Term {
	m, d := s.cleared(t)
	if m == nil {
		return nil
	}
	if len(m) == 0 {
		return nil
	}
	for _, more := range s.leading(m, t.Scalar()) {
		n, e := m, d
		if more != nil {
			p := s.polys.of(more)
			if p == nil {
				continue
			}
			if n = s.polys.scale(m, p); n == nil {
				continue
			}
			e = s.mul(more, d)
		}
		if sum := s.nonnegativeSum(k, rowsOf(n), t, level); sum != nil {
			if e.Head() == kernel.Number {
				return sum
			}
			return s.mul(s.reciprocal(e), sum)
		}
	}
	return nil
}

// leading lists factors to multiply by before the sum is looked for: none, divisors of the constraints, and positive
// leading coefficients of squares.
func (s *state) leading(m words, scalar bool) []*kernel.Term {
	out := []*kernel.Term{nil}
	have := map[*kernel.Term]bool{}
	add := func(t *kernel.Term) {
		if t.Head() != kernel.Number && !have[t] && len(out) < maxLeading {
			have[t] = true
			out = append(out, t)
		}
	}
	if scalar {
		for _, f := range s.signs {
			if f.term.Scalar() && f.term.Head() != kernel.Letter {
				if _, d := s.cleared(f.pure); d != nil {
					add(d)
				}
			}
		}
		// Letters that stand before others in the goal or in what is known, such as x in x·y ≥ 1.
		for _, f := range s.signs {
			if f.kind == positive && f.pure.Head() == kernel.Letter && f.pure.Scalar() && s.coupled(f.pure) {
				add(f.pure)
			}
		}
		return out
	}
	for _, x := range m.sorted() {
		if len(x.w) == 2 && x.w[0] == x.w[1] && len(x.c) > 1 {
			t := s.polys.term(x.c)
			if _, ok := s.expanded(positive, t); ok {
				add(t)
			}
		}
	}
	return out
}

// coupled reports whether a letter multiplies another in some fact of several terms.
func (s *state) coupled(x *kernel.Term) bool {
	for _, f := range s.signs {
		if f.kind > positive || !f.term.Scalar() || f.term.Head() == kernel.Letter {
			continue
		}
		for _, m := range s.polys.of(f.pure) {
			for _, e := range m.at {
				if e.g == x && len(m.at) > 1 {
					return true
				}
			}
		}
	}
	return false
}

// nonnegativeSum solves a linear programme for a sum of nonnegative multiples of bases.
func (s *state) nonnegativeSum(k kind, want map[rowKey]rowTerm, like *kernel.Term, level int) *kernel.Term {
	if len(want) > maxSupport/2 {
		return nil
	}
	bases := s.bases(want, like, level)
	limit := maxLinear
	if s.levels == 1 {
		limit = maxLinear / 4
	}
	type column struct {
		b    int
		at   []exponent
		rows map[rowKey]*big.Rat
	}
	var columns []column
	seen := map[string]bool{}
	degree := map[*kernel.Term]int{}
	for _, r := range want {
		for _, e := range r.at {
			degree[e.g] = max(degree[e.g], e.n)
		}
	}
	known := map[rowKey]bool{}
	for key := range want {
		known[key] = true
	}
	frontier := sortedRows(want)
	signs := map[*kernel.Term]bool{}
	goal := map[rowKey]*big.Rat{}
	for key, r := range want {
		goal[key] = r.c
	}
	for round := 0; round < 3 && len(frontier) > 0; round++ {
		var next []rowTerm
		for _, target := range frontier {
			for i, b := range bases {
				for _, u := range b.list {
					if len(columns) >= limit {
						break
					}
					if !slices.Equal(u.w, target.w) {
						continue
					}
					at, ok := quotient(target.at, u.at)
					if !ok || !s.signed(at, signs) {
						continue
					}
					key := string(rune(i)) + "|" + keyOf(at)
					if seen[key] {
						continue
					}
					seen[key] = true
					mono := poly{}
					mono.put(big.NewRat(1, 1), at)
					rows := map[rowKey]*big.Rat{}
					fits := true
					var fresh []rowTerm
					for _, r := range b.list {
						one := poly{}
						one.put(r.c, r.at)
						p := s.polys.times(one, mono)
						if p == nil {
							fits = false
							break
						}
						for mk, mo := range p {
							rk := rowKey{r.w.key(), mk}
							if c := rows[rk]; c != nil {
								c.Add(c, mo.c)
							} else {
								rows[rk] = new(big.Rat).Set(mo.c)
							}
							if !known[rk] {
								fresh = append(fresh, rowTerm{r.w, mo.at, nil})
							}
							for _, e := range mo.at {
								if e.n > max(degree[e.g], 2) {
									fits = false
								}
							}
						}
					}
					if !fits || len(known) > maxSupport {
						continue
					}
					columns = append(columns, column{i, at, rows})
					for _, r := range fresh {
						rk := rowKey{r.w.key(), keyOf(r.at)}
						if !known[rk] {
							known[rk] = true
							next = append(next, r)
						}
					}
				}
			}
		}
		sort.Slice(next, func(i, j int) bool {
			a, b := next[i], next[j]
			if x, y := a.w.key(), b.w.key(); x != y {
				return x < y
			}
			return keyOf(a.at) < keyOf(b.at)
		})
		frontier = next
		list := make([]map[rowKey]*big.Rat, len(columns))
		strict := make([]bool, len(columns))
		for j, c := range columns {
			list[j] = c.rows
			strict[j] = bases[c.b].strict && s.signedStrictly(c.at)
		}
		var prefer []bool
		if k == positive || k == pd {
			prefer = strict
		}
		s.patience()
		x := solveNonnegative(list, goal, prefer, s.spend)
		if x == nil {
			continue
		}
		var parts []*kernel.Term
		for j, v := range x {
			if v.Sign() == 0 {
				continue
			}
			mono := poly{}
			mono.put(v, columns[j].at)
			c := s.polys.term(mono)
			b := bases[columns[j].b].term
			switch {
			case b.Head() == kernel.Number:
				parts = append(parts, c)
			case c.Head() == kernel.Number && c.Value().Cmp(big.NewRat(1, 1)) == 0:
				parts = append(parts, b)
			default:
				parts = append(parts, s.mul(c, b))
			}
		}
		return s.sum(parts)
	}
	return nil
}

// signed reports whether a monomial is known to be nonnegative: its letters with odd exponents are.
func (s *state) signed(at []exponent, memo map[*kernel.Term]bool) bool {
	for _, e := range at {
		if e.n%2 == 0 {
			continue
		}
		ok, done := memo[e.g]
		if !done {
			_, ok = s.prove(nonnegative, e.g)
			memo[e.g] = ok
		}
		if !ok {
			return false
		}
	}
	return true
}

func (s *state) signedStrictly(at []exponent) bool {
	for _, e := range at {
		k := positive
		if e.n%2 == 0 {
			k = nonzero
		}
		if _, ok := s.prove(k, e.g); !ok {
			return false
		}
	}
	return true
}

// bases are what the sum is made of: one, the constraints and their products, squares, and for matrices and traces
// definite matrices taken between candidates.
func (s *state) bases(want map[rowKey]rowTerm, like *kernel.Term, level int) (out []base) {
	have := map[*kernel.Term]bool{}
	add := func(t *kernel.Term, strict bool) {
		if t == nil || have[t] || len(out) >= maxBases {
			return
		}
		have[t] = true
		u := s.unfold(t)
		if u == nil {
			return
		}
		if rows := s.rows(u); len(rows) > 0 && len(rows) < 60 {
			out = append(out, base{t, rows, sortedRows(rows), strict})
		}
	}
	if !like.Scalar() {
		n, _ := like.Shape()
		add(s.identity(n), true)
		for _, f := range s.signs {
			if (f.kind == psd || f.kind == pd) && sameShape(f.term, like) {
				add(f.term, f.kind == pd)
			}
		}
		for _, b := range s.squaresOf(want, n) {
			add(s.mul(s.transpose(b), b), false)
		}
		for _, b := range s.candidates(level) {
			r, c := b.Shape()
			if r == n {
				add(s.mul(b, s.transpose(b)), false)
			}
			if c == n {
				add(s.mul(s.transpose(b), b), false)
			}
			for _, f := range s.signs {
				if f.kind != psd && f.kind != pd {
					continue
				}
				m, _ := f.term.Shape()
				if c == n && r == m {
					add(s.mul(s.mul(s.transpose(b), f.term), b), false)
				}
				if r == n && c == m {
					add(s.mul(s.mul(b, f.term), s.transpose(b)), false)
				}
			}
		}
		return out
	}
	add(s.integer(1), true)
	cons := s.constraints(want)
	for _, c := range cons {
		add(c.term, c.strict)
	}
	for _, q := range s.completions(want) {
		add(s.power(q, 2), false)
	}
	for _, q := range differences(s.builder, want) {
		add(s.power(q, 2), false)
	}
	for _, f := range s.signs {
		if f.kind == nonzero && f.term.Scalar() && f.term.Head() != kernel.Letter {
			add(s.power(f.term, 2), true)
		}
	}
	for i, c := range cons {
		for _, d := range cons[i:] {
			if c.term == d.term {
				add(s.power(c.term, 2), c.strict)
			} else {
				add(s.mul(c.term, d.term), c.strict && d.strict)
			}
		}
	}
	traces := false
	for _, r := range want {
		for _, e := range r.at {
			traces = traces || e.g.Head() == kernel.Trace
		}
	}
	if traces {
		for _, t := range s.traceSquares(want) {
			add(t, false)
		}
		for _, b := range s.candidates(level) {
			r, c := b.Shape()
			add(s.trace(s.mul(s.transpose(b), b)), false)
			for _, f := range s.signs {
				if f.kind != psd && f.kind != pd {
					continue
				}
				m, _ := f.term.Shape()
				if r == m {
					add(s.trace(s.mul(s.mul(s.transpose(b), f.term), b)), false)
				}
				if c == m {
					add(s.trace(s.mul(s.mul(b, f.term), s.transpose(b))), false)
				}
			}
		}
		for i, f := range s.signs {
			if f.kind != psd && f.kind != pd {
				continue
			}
			add(s.trace(f.term), f.kind == pd)
			for _, g := range s.signs[i:] {
				if (g.kind == psd || g.kind == pd) && sameShape(f.term, g.term) {
					add(s.trace(s.mul(f.term, g.term)), f.kind == pd && g.kind == pd)
				}
			}
		}
	}
	return out
}

// constraints are the sums that are known to be nonnegative, freed of divisors, and what roots give.
func (s *state) constraints(want map[rowKey]rowTerm) (out []base) {
	have := map[*kernel.Term]bool{}
	add := func(t *kernel.Term, strict bool) {
		if t == nil || have[t] {
			return
		}
		have[t] = true
		out = append(out, base{term: t, strict: strict})
	}
	for _, f := range s.signs {
		if f.kind != nonnegative && f.kind != positive || f.term.Head() == kernel.Letter {
			continue
		}
		// Those with divisors have been learnt without, too.
		m, d := s.cleared(f.pure)
		if m == nil || m[""] == nil || len(m[""].c) > 12 || d.Head() != kernel.Number {
			continue
		}
		add(f.term, f.kind == positive)
	}
	gens := map[*kernel.Term]bool{}
	var list []*kernel.Term
	for _, r := range want {
		for _, e := range r.at {
			if !gens[e.g] {
				gens[e.g] = true
				list = append(list, e.g)
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID() < list[j].ID() })
	for _, r := range list {
		if r.Head() != kernel.Root {
			continue
		}
		for _, x := range list {
			if x.Head() != kernel.Letter {
				continue
			}
			if _, ok := s.prove(positive, x); !ok {
				continue
			}
			if _, ok := s.prove(positive, s.sub(x, r)); ok {
				add(s.sub(x, r), true)
			} else if _, ok := s.prove(nonnegative, s.sub(x, r)); ok {
				add(s.sub(x, r), false)
			}
		}
	}
	if len(out) > 16 {
		out = out[:16]
	}
	return out
}

// scaledFact establishes that D·t has the sign that t is known to have.
func (s *state) scaledFact(f fact, t, d *kernel.Term) bool {
	th, ok := s.prove(f.kind, s.mul(d, f.term))
	if !ok {
		return false
	}
	moved, err := s.apply("transport", s.state(f.kind, t), []kernel.Theorem{th})
	if err != nil {
		return false
	}
	s.keepTheorem(f.kind, t, moved)
	return true
}

// completions are the terms 2A·x + B for which the coefficients of x² and x, in a part of the goal with one common
// monomial of known sign, are A and B.
func (s *state) completions(want map[rowKey]rowTerm) (out []*kernel.Term) {
	letters := map[*kernel.Term]bool{}
	var list []*kernel.Term
	for _, r := range want {
		for _, e := range r.at {
			if !letters[e.g] && e.g.Head() != kernel.Reciprocal {
				letters[e.g] = true
				list = append(list, e.g)
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID() < list[j].ID() })
	have := map[*kernel.Term]bool{}
	for _, x := range list {
		for _, z := range append([]*kernel.Term{nil}, list...) {
			if z == x {
				continue
			}
			// By exponents of z.
			parts := map[int][3]poly{}
			for _, r := range sortedRows(want) {
				n, nz := 0, 0
				var rest []exponent
				for _, e := range r.at {
					switch e.g {
					case x:
						n = e.n
					case z:
						nz = e.n
					default:
						rest = append(rest, e)
					}
				}
				if n > 2 || n < 0 {
					continue
				}
				q, ok := parts[nz]
				if !ok {
					q = [3]poly{{}, {}, {}}
				}
				q[n].put(r.c, rest)
				parts[nz] = q
			}
			var exps []int
			for nz := range parts {
				exps = append(exps, nz)
			}
			sort.Ints(exps)
			for _, nz := range exps {
				a, b := parts[nz][2], parts[nz][1]
				if len(a) == 0 || len(b) == 0 {
					continue
				}
				a, b = s.reduced(a, b)
				two := a.plus(a, big.NewRat(1, 1))
				u := s.polys.times(two, single(x, 1))
				if u == nil {
					continue
				}
				_, prim := s.polys.content(u.plus(b, big.NewRat(1, 1)))
				if len(prim) > 6 {
					continue
				}
				t := s.polys.term(prim)
				if !have[t] {
					have[t] = true
					out = append(out, t)
				}
			}
		}
	}
	if len(out) > 24 {
		out = out[:24]
	}
	return out
}

// differences are those of two letters of the goal.
func differences(b builder, want map[rowKey]rowTerm) (out []*kernel.Term) {
	have := map[*kernel.Term]bool{}
	var list []*kernel.Term
	for _, r := range sortedRows(want) {
		for _, e := range r.at {
			if !have[e.g] && e.g.Head() == kernel.Letter {
				have[e.g] = true
				list = append(list, e.g)
			}
		}
	}
	if len(list) > 5 {
		return nil
	}
	for i, x := range list {
		for _, y := range list[i+1:] {
			out = append(out, b.sub(x, y))
		}
	}
	return out
}

// reduced divides two polynomials by what they have in common, as far as division by one of them shows it.
func (s *state) reduced(a, b poly) (poly, poly) {
	ca, pa := s.polys.content(a)
	cb, pb := s.polys.content(b)
	whole := func(c *monomial, p poly) poly {
		one := poly{}
		one.put(c.c, c.at)
		return s.polys.times(one, p)
	}
	if len(pa) > 1 {
		if q := s.polys.divide(pb, pa); q != nil {
			return whole(ca, constant(big.NewRat(1, 1))), whole(cb, q)
		}
	}
	if len(pb) > 1 {
		if q := s.polys.divide(pa, pb); q != nil {
			return whole(ca, q), whole(cb, constant(big.NewRat(1, 1)))
		}
	}
	// A factor of one is often the factor in another letter's coefficient of the same.
	for _, f := range s.polys.partsOf(pa) {
		qa, qb := s.polys.divide(pa, f), s.polys.divide(pb, f)
		if qa != nil && qb != nil {
			return s.reduced(whole(ca, qa), whole(cb, qb))
		}
	}
	return a, b
}

// partsOf are the coefficients of a polynomial in each of its letters, made primitive, that are sums.
func (ps *polys) partsOf(p poly) (out []poly) {
	gens := map[*kernel.Term]bool{}
	var list []*kernel.Term
	for _, m := range p.sorted() {
		for _, e := range m.at {
			if !gens[e.g] {
				gens[e.g] = true
				list = append(list, e.g)
			}
		}
	}
	for _, x := range list {
		by := map[int]poly{}
		var exps []int
		for _, m := range p.sorted() {
			n := 0
			var rest []exponent
			for _, e := range m.at {
				if e.g == x {
					n = e.n
				} else {
					rest = append(rest, e)
				}
			}
			if by[n] == nil {
				by[n] = poly{}
				exps = append(exps, n)
			}
			by[n].put(m.c, rest)
		}
		for _, n := range exps {
			if c := by[n]; len(c) > 1 && len(c) < len(p) {
				_, prim := ps.content(c)
				out = append(out, prim)
			}
		}
	}
	return out
}

// divide is p/q if that is a polynomial, nil otherwise. The order is lexicographic by term number.
func (ps *polys) divide(p, q poly) poly {
	if len(q) == 0 {
		return nil
	}
	lq := q.leading()
	out := poly{}
	for steps := 0; len(p) > 0; steps++ {
		if steps > 200 {
			return nil
		}
		lp := p.leading()
		inv := make([]exponent, len(lq.at))
		for i, e := range lq.at {
			inv[i] = exponent{e.g, -e.n}
		}
		at := merge(lp.at, inv)
		for _, e := range at {
			if e.n < 0 {
				return nil
			}
		}
		c := new(big.Rat).Quo(lp.c, lq.c)
		t := poly{}
		t.put(c, at)
		out = out.plus(t, big.NewRat(1, 1))
		prod := ps.times(t, q)
		if prod == nil {
			return nil
		}
		p = p.plus(prod, big.NewRat(-1, 1))
	}
	return out
}

// lexLess compares monomials: the larger exponent of the first letter in which they differ wins.
func lexLess(a, b []exponent) bool {
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case j == len(b) || i < len(a) && a[i].g.ID() < b[j].g.ID():
			return a[i].n < 0
		case i == len(a) || b[j].g.ID() < a[i].g.ID():
			return b[j].n > 0
		case a[i].n != b[j].n:
			return a[i].n < b[j].n
		}
		i++
		j++
	}
	return false
}

// squaresOf completes squares of symmetric letters in a matrix: 2a·S + b·I for the coefficients a of S·S and b of S.
func (s *state) squaresOf(want map[rowKey]rowTerm, n kernel.Dim) (out []*kernel.Term) {
	m := words{}
	for _, r := range sortedRows(want) {
		c := poly{}
		c.put(r.c, r.at)
		m.put(r.w, c, big.NewRat(1, 1))
	}
	for _, x := range m.sorted() {
		if len(x.w) != 2 || x.w[0] != x.w[1] {
			continue
		}
		l := m[x.w[:1].key()]
		if l == nil {
			continue
		}
		a, b := s.reduced(x.c, l.c)
		t := s.polys.wordTerm(x.w[:1], n)
		out = append(out, s.add(s.mul(s.polys.term(a.plus(a, big.NewRat(1, 1))), t), s.mul(s.polys.term(b), s.identity(n))))
		for _, y := range []poly{a.plus(a, big.NewRat(1, 1))} {
			if q := s.polys.divide(b, y); q != nil {
				out = append(out, s.add(t, s.mul(s.polys.term(q), s.identity(n))))
			}
		}
	}
	return out
}

// traceSquares completes squares under traces: where the goal has a·tr(B·P·Bᵀ) and b·tr(B·P·Cᵀ) for words B and C, it
// gives tr(D·P·Dᵀ) with D = B + b/(2a)·C.
func (s *state) traceSquares(want map[rowKey]rowTerm) (out []*kernel.Term) {
	coefficient := map[*kernel.Term]poly{}
	for _, r := range sortedRows(want) {
		for i, e := range r.at {
			if e.g.Head() == kernel.Trace && e.n == 1 {
				rest := append(append([]exponent{}, r.at[:i]...), r.at[i+1:]...)
				if coefficient[e.g] == nil {
					coefficient[e.g] = poly{}
				}
				coefficient[e.g].put(r.c, rest)
			}
		}
	}
	at := func(t *kernel.Term) poly {
		p := s.polys.of(t)
		if len(p) != 1 {
			return nil
		}
		for _, m := range p {
			if len(m.at) == 1 && m.at[0].n == 1 {
				return coefficient[m.at[0].g]
			}
		}
		return nil
	}
	var list []*kernel.Term
	for _, b := range s.candidates(2) {
		if u := s.unfold(b); u != nil {
			if m := s.polys.matrixOf(u); len(m) == 1 {
				list = append(list, u)
				if r, c := u.Shape(); r == c && !s.same(u, s.transpose(u)) {
					list = append(list, s.transpose(u))
				}
			}
		}
	}
	for _, b := range list {
		_, n := b.Shape()
		inner := []*kernel.Term{nil}
		for _, f := range s.signs {
			if r, _ := f.term.Shape(); (f.kind == psd || f.kind == pd) && r == n && f.pure.Head() == kernel.Letter {
				inner = append(inner, f.pure)
			}
		}
		for _, p := range inner {
			quad := func(x, y *kernel.Term) *kernel.Term {
				if p != nil {
					x = s.mul(x, p)
				}
				return s.trace(s.mul(x, s.transpose(y)))
			}
			a := at(quad(b, b))
			if a == nil {
				continue
			}
			for _, c := range list {
				if c == b || !sameShape(b, c) {
					continue
				}
				cross := at(quad(b, c))
				if cross == nil || at(quad(c, c)) == nil {
					continue
				}
				q := s.polys.quotient(cross, a.plus(a, big.NewRat(1, 1)))
				if q == nil {
					continue
				}
				d := s.add(b, s.mul(q, c))
				out = append(out, quad(d, d))
				if s.same(quad(b, b), quad(c, c)) {
					// Each has half of the square that they share.
					d = s.add(b, s.mul(s.mul(s.integer(2), q), c))
					out = append(out, quad(d, d))
				}
			}
		}
	}
	return out
}

// candidates are matrices that definite ones may be taken between: the matrices of the goals and letters, at higher
// levels definitions, and products of two of these.
func (s *state) candidates(level int) []*kernel.Term {
	if s.between[level] != nil {
		return s.between[level]
	}
	have := map[*kernel.Term]bool{}
	out := []*kernel.Term{}
	add := func(t *kernel.Term) {
		if !t.Scalar() && !have[t] && len(out) < 70 {
			have[t] = true
			out = append(out, t)
		}
	}
	for _, g := range s.reading.Goals() {
		for _, t := range g.Terms() {
			add(t)
		}
	}
	for _, y := range s.sig.Symbols() {
		if c := y.Class(); !y.Scalar() && (c == kernel.Param || c == kernel.State || c == kernel.Input) {
			add(s.sig.Lookup(y.Name()))
		}
	}
	if level > 0 {
		for _, t := range s.definitions() {
			add(t)
		}
	}
	if level > 1 {
		for _, a := range out {
			for _, b := range out {
				_, c := a.Shape()
				r, _ := b.Shape()
				if r != c || a.Head() == kernel.Identity || b.Head() == kernel.Identity {
					continue
				}
				x, y := s.polys.matrixOf(s.unfold(a)), s.polys.matrixOf(s.unfold(b))
				if x == nil || y == nil || x.size()*y.size() > 8 {
					continue
				}
				add(s.mul(a, b))
			}
		}
	}
	s.between[level] = out
	return out
}
