package prove

import (
	"math/big"
	"sort"

	"stopgrad/theory/kernel"
)

// maxColumns bounds the multiples of equations among which a combination is looked for.
const maxColumns = 240

// equality is a known l = r as seen by the search for combinations.
type equality struct {
	th   kernel.Theorem
	hole *kernel.Term
	g    *kernel.Term // l − r, unfolded
}

// ideal proves L = R as a combination of what is known to be zero: equations that give a letter are solved for it,
// which needs no cofactors, and for the rest cofactors are found by linear algebra.
func (s *state) ideal(f kernel.Formula) (kernel.Theorem, bool) {
	ts := f.Terms()
	l, r := s.unfold(ts[0]), s.unfold(ts[1])
	if l == nil || r == nil {
		return kernel.Theorem{}, false
	}
	target := s.sub(l, r)
	eqs := s.equalities()
	roots := s.takenOut(target, len(eqs))
	if len(eqs)+len(roots) == 0 {
		return kernel.Theorem{}, false
	}
	if len(roots) > 0 {
		c := target
		var premises []kernel.Theorem
		terms := []*kernel.Term{nil}
		for _, e := range roots {
			y := e.th.Formula().Terms()
			c = s.substitute(c, map[*kernel.Term]*kernel.Term{y[1]: s.sub(y[0], e.hole)})
			premises = append(premises, e.th)
			terms = append(terms, e.hole)
		}
		terms[0] = c
		if th, err := s.apply("modulo", f, premises, terms...); err == nil {
			return th, true
		}
	}
	for choice := range 4 {
		if th, ok := s.eliminate(f, target, eqs, choice); ok {
			return th, true
		}
	}
	return kernel.Theorem{}, false
}

// equalities are the known equations that the normal form does not know of.
func (s *state) equalities() (out []equality) {
	for i, th := range s.zeros {
		ts := th.Formula().Terms()
		l, r := s.unfold(ts[0]), s.unfold(ts[1])
		if l == nil || r == nil || s.points.equal(l, r) {
			continue
		}
		out = append(out, equality{th, s.holes(ts[0], 10+i), s.sub(l, r)})
	}
	return out
}

// takenOut proves, of the roots in a pure term, equations y = √q in which y has the square factors of q outside.
func (s *state) takenOut(t *kernel.Term, from int) (out []equality) {
	var roots []*kernel.Term
	occurs(t, func(u *kernel.Term) bool {
		if u.Head() == kernel.Root {
			roots = append(roots, u)
		}
		return false
	})
	for i, r := range roots {
		y := s.outside(r.Arg(0))
		if y == nil {
			continue
		}
		sign, ok := s.prove(nonnegative, y)
		if !ok {
			continue
		}
		square, err := s.apply("modulo", s.formula(kernel.Equal, s.power(y, 2), r.Arg(0)), nil)
		if err != nil {
			continue
		}
		th, err := s.apply("root", s.formula(kernel.Equal, y, r), []kernel.Theorem{sign, square})
		if err != nil {
			continue
		}
		out = append(out, equality{th, s.holes(y, 100+from+i), s.sub(y, r)})
	}
	return out
}

// outside is √q with square factors taken out, or nil if there are none that are known not to be negative.
func (s *state) outside(q *kernel.Term) *kernel.Term {
	if q.Head() == kernel.Power && q.Exponent()%2 == 0 {
		y := q.Arg(0)
		if q.Exponent() > 2 {
			y = s.power(y, q.Exponent()/2)
		}
		for _, z := range []*kernel.Term{y, s.negated(y)} {
			if _, ok := s.expanded(nonnegative, z); ok {
				return z
			}
		}
	}
	p := s.polys.of(q)
	if len(p) == 0 {
		return nil
	}
	content, rest := s.polys.content(p)
	var out, in []exponent
	for _, e := range content.at {
		n := e.n / 2
		if _, ok := s.prove(nonnegative, e.g); !ok {
			n -= n % 2
		}
		if n != 0 {
			out = append(out, exponent{e.g, n})
		}
		if e.n != 2*n {
			in = append(in, exponent{e.g, e.n - 2*n})
		}
	}
	c, d := squareFactor(content.c)
	if len(out) == 0 && c.Cmp(big.NewRat(1, 1)) == 0 {
		return nil
	}
	m := poly{}
	m.put(c, out)
	left := poly{}
	left.put(d, in)
	if rest = s.polys.times(rest, left); rest == nil {
		return nil
	}
	y := s.polys.term(m)
	if u := s.polys.term(rest); u.Head() != kernel.Number || u.Value().Cmp(big.NewRat(1, 1)) != 0 {
		y = s.mul(y, s.make(kernel.Root, u))
	}
	return y
}

// squareFactor writes c as a² times d, with the squares of small primes in a.
func squareFactor(c *big.Rat) (a, d *big.Rat) {
	a, d = big.NewRat(1, 1), new(big.Rat).Set(c)
	take := func(n *big.Int, put func(p int64)) {
		n = new(big.Int).Abs(n)
		if r := new(big.Int).Sqrt(n); n.Sign() > 0 && r.IsInt64() && new(big.Int).Mul(r, r).Cmp(n) == 0 {
			put(r.Int64())
			return
		}
		for p := int64(2); p < 100; p++ {
			for q := big.NewInt(p * p); n.Sign() > 0 && new(big.Int).Mod(n, q).Sign() == 0; {
				n.Div(n, q)
				put(p)
			}
		}
	}
	take(c.Num(), func(p int64) {
		a.Mul(a, big.NewRat(p, 1))
		d.Quo(d, big.NewRat(p*p, 1))
	})
	take(c.Denom(), func(p int64) {
		a.Quo(a, big.NewRat(p, 1))
		d.Mul(d, big.NewRat(p*p, 1))
	})
	return a, d
}

// eliminate solves equations for letters, in one of several orders, and looks for cofactors of the others.
func (s *state) eliminate(f kernel.Formula, target *kernel.Term, eqs []equality, choice int) (kernel.Theorem, bool) {
	none := map[*kernel.Term]*kernel.Term{}
	for _, e := range eqs {
		none[e.hole] = s.null(e.hole)
	}
	order, open := []solved(nil), eqs
	if choice < 3 {
		order, open = s.solveAll(target, eqs, choice)
		if choice > 0 && len(order) == 0 {
			return kernel.Theorem{}, false
		}
	}
	fill := func(t *kernel.Term) *kernel.Term {
		for _, v := range order {
			t = s.substitute(t, map[*kernel.Term]*kernel.Term{v.x: v.by})
		}
		return t
	}
	c := fill(target)
	rest := s.substitute(c, none)
	if !s.vanishes(rest) {
		var gs []*kernel.Term
		for _, e := range open {
			gs = append(gs, s.substitute(fill(e.g), none))
		}
		cofactors := s.cofactors(rest, gs)
		if cofactors == nil {
			return kernel.Theorem{}, false
		}
		for i, e := range open {
			for _, m := range cofactors[i] {
				c = s.add(c, m.around(s.builder, s.sub(e.hole, fill(e.g))))
			}
		}
	}
	var premises []kernel.Theorem
	terms := []*kernel.Term{c}
	for _, e := range eqs {
		if mentions(c, e.hole) {
			premises = append(premises, e.th)
			terms = append(terms, e.hole)
		}
	}
	th, err := s.apply("modulo", f, premises, terms...)
	return th, err == nil
}

// solved is a letter with what an equation gives for it.
type solved struct{ x, by *kernel.Term }

// solveAll solves as many equations as it can, one after the other, and returns those that are left.
func (s *state) solveAll(target *kernel.Term, eqs []equality, choice int) (order []solved, open []equality) {
	none := map[*kernel.Term]*kernel.Term{}
	for _, e := range eqs {
		none[e.hole] = s.null(e.hole)
	}
	fill := func(t *kernel.Term) *kernel.Term {
		for _, v := range order {
			t = s.substitute(t, map[*kernel.Term]*kernel.Term{v.x: v.by})
		}
		return t
	}
	open = append([]equality{}, eqs...)
	for progress := true; progress; {
		progress = false
		for i, e := range open {
			x, by := s.solve(fill(e.g), e.hole, none, fill(target), choice)
			if x == nil {
				continue
			}
			order = append(order, solved{x, by})
			open = append(append([]equality{}, open[:i]...), open[i+1:]...)
			progress = true
			break
		}
	}
	return order, open
}

// vanishes guesses whether a pure term is zero.
func (s *state) vanishes(t *kernel.Term) bool { return s.points.equal(t, s.null(t)) }

// solve finds a letter x that g gives linearly, g = c·x + d with c a number or known not to be zero, and returns x and
// (hole − d)/c. Choices differ in which letter is preferred.
func (s *state) solve(g, hole *kernel.Term, none map[*kernel.Term]*kernel.Term, target *kernel.Term, choice int) (x, by *kernel.Term) {
	var letters []*kernel.Term
	occurs(g, func(t *kernel.Term) bool {
		if t.Head() == kernel.Letter && t.Symbol().Class() != kernel.Hole && t.Scalar() == g.Scalar() {
			letters = append(letters, t)
		}
		return false
	})
	sort.Slice(letters, func(i, j int) bool { return letters[i].ID() < letters[j].ID() })
	// The letters of the goal first; in the second choice from the back, in the third those that are not in the goal.
	rank := func(t *kernel.Term) int {
		in := 0
		if !mentions(target, t) {
			in = 1
		}
		if choice == 2 {
			in = 1 - in
		}
		return in
	}
	sort.SliceStable(letters, func(i, j int) bool { return rank(letters[i]) < rank(letters[j]) })
	if choice == 1 {
		for i, j := 0, len(letters)-1; i < j; i, j = i+1, j-1 {
			letters[i], letters[j] = letters[j], letters[i]
		}
	}
	for _, x := range letters {
		if by := s.solveFor(g, hole, none, x); by != nil {
			return x, by
		}
	}
	return nil, nil
}

func (s *state) solveFor(g, hole *kernel.Term, none map[*kernel.Term]*kernel.Term, x *kernel.Term) *kernel.Term {
	if g.Scalar() {
		p := s.polys.of(g)
		if p == nil {
			return nil
		}
		c, d := poly{}, poly{}
		for _, m := range p {
			n := 0
			var rest []exponent
			for _, e := range m.at {
				switch {
				case e.g == x:
					n = e.n
				case mentions(e.g, x):
					return nil
				default:
					rest = append(rest, e)
				}
			}
			switch n {
			case 0:
				d.put(m.c, m.at)
			case 1:
				c.put(m.c, rest)
			default:
				return nil
			}
		}
		if len(c) == 0 {
			return nil
		}
		ct := s.polys.term(c)
		for h := range none {
			if mentions(ct, h) {
				return nil
			}
		}
		if _, ok := s.expanded(nonzero, ct); !ok {
			return nil
		}
		return s.mul(s.sub(hole, s.polys.term(d)), s.reciprocal(ct))
	}
	m := s.polys.matrixOf(g)
	if m == nil {
		return nil
	}
	var lead *wordTerm
	rest := words{}
	for _, t := range m {
		if len(t.w) == 1 && t.w[0].t == x && lead == nil {
			lead = t
			continue
		}
		for _, l := range t.w {
			if l.t == x || mentions(l.t, x) {
				return nil
			}
		}
		for _, mo := range t.c {
			for _, e := range mo.at {
				if mentions(e.g, x) {
					return nil
				}
			}
		}
		rest[t.w.key()] = t
	}
	if lead == nil {
		return nil
	}
	ct := s.polys.term(lead.c)
	for h := range none {
		if mentions(ct, h) {
			return nil
		}
	}
	if mentions(ct, x) {
		return nil
	}
	if _, ok := s.expanded(nonzero, ct); !ok {
		return nil
	}
	by := s.sub(hole, s.polys.matrixTerm(rest, hole))
	if ct.Head() != kernel.Number || ct.Value().Cmp(big.NewRat(1, 1)) != 0 {
		by = s.mul(s.reciprocal(ct), by)
	}
	if lead.w[0].flip {
		by = s.transpose(by)
	}
	return by
}

// multiple is c·A·G·B or c·A·Gᵀ·B.
type multiple struct {
	c    *kernel.Term
	a, b *kernel.Term // nil for I
	flip bool
}

func (m multiple) around(b builder, g *kernel.Term) *kernel.Term {
	if g.Scalar() {
		g = b.mul(m.c, g)
		if m.a != nil {
			return b.mul(g, m.a)
		}
		return g
	}
	if m.flip {
		g = b.transpose(g)
	}
	if m.a != nil {
		g = b.mul(m.a, g)
	}
	if m.b != nil {
		g = b.mul(g, m.b)
	}
	return b.mul(m.c, g)
}

// rowKey is a monomial with a word: what the unknowns of a combination are compared in.
type rowKey struct{ w, m string }

type rowTerm struct {
	w  word
	at []exponent
	c  *big.Rat
}

func (s *state) rows(t *kernel.Term) map[rowKey]rowTerm {
	out := map[rowKey]rowTerm{}
	if t.Scalar() {
		p := s.polys.of(t)
		if p == nil {
			return nil
		}
		for k, m := range p {
			out[rowKey{"", k}] = rowTerm{nil, m.at, m.c}
		}
		return out
	}
	m := s.polys.matrixOf(t)
	if m == nil {
		return nil
	}
	return rowsOf(m)
}

func rowsOf(m words) map[rowKey]rowTerm {
	out := map[rowKey]rowTerm{}
	for wk, x := range m {
		for k, mo := range x.c {
			out[rowKey{wk, k}] = rowTerm{x.w, mo.at, mo.c}
		}
	}
	return out
}

func sortedRows(rows map[rowKey]rowTerm) []rowTerm {
	keys := make([]rowKey, 0, len(rows))
	for k := range rows {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].w != keys[j].w {
			return keys[i].w < keys[j].w
		}
		return keys[i].m < keys[j].m
	})
	out := make([]rowTerm, len(keys))
	for i, k := range keys {
		out[i] = rows[k]
	}
	return out
}

// cofactors finds target = Σ multiples of the gs by comparing coefficients: the multiples tried are those that have
// a term of the target, or of a multiple already tried, among theirs.
func (s *state) cofactors(target *kernel.Term, gs []*kernel.Term) [][]multiple {
	want := s.rows(target)
	if want == nil || len(gs) == 0 || len(want) > 400 {
		return nil
	}
	type column struct {
		eq   int
		m    multiple
		rows map[rowKey]rowTerm
	}
	var columns []column
	seen := map[string]bool{}
	base := make([]map[rowKey]rowTerm, 2*len(gs))
	sorted := make([][]rowTerm, 2*len(gs))
	mats := make([]words, 2*len(gs))
	scalars := make([]poly, len(gs))
	for i, g := range gs {
		switch {
		case g.Scalar():
			scalars[i] = s.polys.of(g)
			base[2*i] = s.rows(g)
		case !target.Scalar():
			for k, t := range []*kernel.Term{g, s.transpose(g)} {
				if mats[2*i+k] = s.polys.matrixOf(t); mats[2*i+k] != nil {
					base[2*i+k] = rowsOf(mats[2*i+k])
				}
			}
		}
	}
	for i, b := range base {
		sorted[i] = sortedRows(b)
	}
	frontier := sortedRows(want)
	known := map[rowKey]bool{}
	for k := range want {
		known[k] = true
	}
	inverses := s.inverses()
	for round := 0; round < 3 && len(frontier) > 0 && len(columns) < maxColumns; round++ {
		var next []rowTerm
		for _, goal := range frontier {
			for i := range base {
				if base[i] == nil {
					continue
				}
				g := gs[i/2]
				for _, u := range sorted[i] {
					at, ok := quotient(goal.at, u.at)
					if !ok {
						continue
					}
					for _, ab := range s.places(goal.w, u.w, g, target, inverses) {
						key := string(rune(i)) + "|" + keyOf(at) + "|" + ab[0].key() + "|" + ab[1].key()
						if seen[key] || len(columns) >= maxColumns {
							continue
						}
						seen[key] = true
						var rows map[rowKey]rowTerm
						mono := poly{}
						mono.put(big.NewRat(1, 1), at)
						m := multiple{c: s.polys.term(mono), flip: i%2 == 1}
						if g.Scalar() {
							p := s.polys.times(scalars[i/2], mono)
							if p == nil {
								continue
							}
							if target.Scalar() {
								rows = map[rowKey]rowTerm{}
								for k, mo := range p {
									rows[rowKey{"", k}] = rowTerm{nil, mo.at, mo.c}
								}
							} else {
								w, sign := s.polys.reduce(append(append(word{}, ab[0]...), ab[1]...))
								ws := words{}
								ws.put(w, p, big.NewRat(int64(sign), 1))
								rows = rowsOf(ws)
							}
						} else {
							one := constant(big.NewRat(1, 1))
							p := s.polys.scale(mats[i], mono)
							if p != nil && len(ab[0]) > 0 {
								p = s.polys.multiply(words{ab[0].key(): {ab[0], one}}, p)
							}
							if p != nil && len(ab[1]) > 0 {
								p = s.polys.multiply(p, words{ab[1].key(): {ab[1], one}})
							}
							if p == nil {
								continue
							}
							rows = rowsOf(p)
						}
						if len(ab[0]) > 0 || g.Scalar() && !target.Scalar() {
							n, _ := target.Shape()
							m.a = s.polys.wordTerm(ab[0], n)
						}
						if len(ab[1]) > 0 {
							m.b = s.polys.wordTerm(ab[1], "1")
						}
						columns = append(columns, column{i / 2, m, rows})
						for _, row := range sortedRows(rows) {
							k := rowKey{row.w.key(), keyOf(row.at)}
							if !known[k] {
								known[k] = true
								next = append(next, row)
							}
						}
					}
				}
			}
		}
		frontier = next
		list := make([]map[rowKey]*big.Rat, len(columns))
		for j, c := range columns {
			list[j] = map[rowKey]*big.Rat{}
			for k, t := range c.rows {
				list[j][k] = t.c
			}
		}
		goal := map[rowKey]*big.Rat{}
		for k, t := range want {
			goal[k] = t.c
		}
		x := solveLinear(list, goal)
		if x == nil {
			continue
		}
		out := make([][]multiple, len(gs))
		for j, v := range x {
			if v.Sign() == 0 {
				continue
			}
			m := columns[j].m
			m.c = s.mul(s.number(v), m.c)
			out[columns[j].eq] = append(out[columns[j].eq], m)
		}
		return out
	}
	return nil
}

// quotient divides a monomial by another if that leaves no negative exponents but those it had.
func quotient(a, b []exponent) ([]exponent, bool) {
	inv := make([]exponent, len(b))
	for i, e := range b {
		inv[i] = exponent{e.g, -e.n}
	}
	q := merge(a, inv)
	neg := map[*kernel.Term]bool{}
	for _, e := range a {
		neg[e.g] = e.n < 0
	}
	for _, e := range q {
		if e.n < 0 && !neg[e.g] {
			return nil, false
		}
		if e.g.Head() == kernel.Root && e.n < 0 {
			return nil, false
		}
	}
	return q, true
}

// inverses lists letters for which an inverse is known to exist, as inverse letters.
func (s *state) inverses() (out []letter) {
	for _, f := range s.signs {
		if (f.kind == invertible || f.kind == pd) && f.term.Head() == kernel.Letter {
			out = append(out, letter{s.make(kernel.Inverse, f.term), false})
		}
	}
	return out
}

// places lists the pairs A, B with A·u·B = w; a u that ends in an invertible letter may also be shortened by its
// inverse first.
func (s *state) places(w, u word, g, target *kernel.Term, inverses []letter) (out [][2]word) {
	if g.Scalar() {
		if target.Scalar() {
			return [][2]word{{nil, nil}}
		}
		// The multiple is the word times the equation.
		return [][2]word{{w, nil}}
	}
	for _, i := range subword(w, u) {
		out = append(out, [2]word{w[:i:i], w[i+len(u):]})
	}
	for _, inv := range inverses {
		z := inv.t.Arg(0)
		if n := len(u); n > 0 && u[n-1].t == z {
			for _, i := range subword(w, u[:n-1]) {
				out = append(out, [2]word{w[:i:i], append(word{{inv.t, u[n-1].flip}}, w[i+n-1:]...)})
			}
		}
		if n := len(u); n > 0 && u[0].t == z {
			for _, i := range subword(w, u[1:]) {
				out = append(out, [2]word{append(append(word{}, w[:i]...), letter{inv.t, u[0].flip}), w[i+n-1:]})
			}
		}
	}
	return out
}

// solveLinear finds x with Σ x_j·columns_j = goal, nil if there is none. Free unknowns are zero. It works modulo
// prime and returns fractions with small terms; who uses them has them checked.
func solveLinear(columns []map[rowKey]*big.Rat, goal map[rowKey]*big.Rat) []*big.Rat {
	index := map[rowKey]int{}
	var keys []rowKey
	note := func(m map[rowKey]*big.Rat) {
		for k := range m {
			if _, ok := index[k]; !ok {
				index[k] = 0
				keys = append(keys, k)
			}
		}
	}
	for _, c := range columns {
		note(c)
	}
	for k := range goal {
		if _, ok := index[k]; !ok {
			return nil
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].w != keys[j].w {
			return keys[i].w < keys[j].w
		}
		return keys[i].m < keys[j].m
	})
	for i, k := range keys {
		index[k] = i
	}
	n, m := len(columns), len(keys)
	rows := make([][]uint64, m)
	for i := range rows {
		rows[i] = make([]uint64, n+1)
	}
	for j, c := range columns {
		for k, v := range c {
			x, ok := modRat(v)
			if !ok {
				return nil
			}
			rows[index[k]][j] = x
		}
	}
	for k, v := range goal {
		x, ok := modRat(v)
		if !ok {
			return nil
		}
		rows[index[k]][n] = x
	}
	pivots := []int{}
	r := 0
	for c := 0; c < n && r < m; c++ {
		p := r
		for p < m && rows[p][c] == 0 {
			p++
		}
		if p == m {
			continue
		}
		rows[p], rows[r] = rows[r], rows[p]
		inv := modInverse(rows[r][c])
		for j := c; j <= n; j++ {
			rows[r][j] = modMul(rows[r][j], inv)
		}
		for i := range m {
			f := rows[i][c]
			if i == r || f == 0 {
				continue
			}
			for j := c; j <= n; j++ {
				if rows[r][j] != 0 {
					rows[i][j] = modSub(rows[i][j], modMul(f, rows[r][j]))
				}
			}
		}
		pivots = append(pivots, c)
		r++
	}
	for i := r; i < m; i++ {
		if rows[i][n] != 0 {
			return nil
		}
	}
	x := make([]*big.Rat, n)
	for j := range x {
		x[j] = new(big.Rat)
	}
	for i, c := range pivots {
		v, ok := reconstruct(rows[i][n])
		if !ok {
			return nil
		}
		x[c] = v
	}
	return x
}

// reconstruct finds the fraction with small terms that is x modulo prime.
func reconstruct(x uint64) (*big.Rat, bool) {
	const bound = 1 << 30
	r0, r1 := int64(prime), int64(x)
	t0, t1 := int64(0), int64(1)
	for r1 > bound {
		q := r0 / r1
		r0, r1 = r1, r0-q*r1
		t0, t1 = t1, t0-q*t1
	}
	if t1 == 0 || t1 > bound || t1 < -bound {
		return nil, false
	}
	return big.NewRat(r1, t1), true
}
