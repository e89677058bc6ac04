package prove

import (
	"math"
	"math/big"
	"sort"

	"stopgrad/theory/kernel"
)

// Limits of the search for sums of squares.
const (
	maxSquares   = 15  // polynomials in one sum of squares
	maxUnknowns  = 420 // entries of all Gram matrices
	maxEquations = 90  // monomials
	maxBounds    = 7   // constraints that multiply squares
	maxGramBits  = 200 // of a number in a certificate
)

// gram is a sum of squares of combinations of a basis, times what is known not to be negative.
type gram struct {
	factor *kernel.Term // nil for one
	g      poly
	basis  []poly
	strict bool // of one element, and positive
}

// squares proves the sign of a polynomial in letters as Σ σ_k·g_k + Σ λ_j·h_j: sums of squares times products of what is
// known not to be negative, and multiples of what is known to be zero. The sums of squares are Gram matrices, which a
// semidefinite programme finds approximately; where they cannot all be definite, since the polynomial touches its bound,
// the squares are restricted to what vanishes there. Then they are rounded, and the equations solved exactly.
func (s *state) squares(f kernel.Formula) (kernel.Theorem, bool) {
	var none kernel.Theorem
	if f.Form() != kernel.AtLeast && f.Form() != kernel.Greater {
		return none, false
	}
	ts := f.Terms()
	k := nonnegative
	if f.Form() == kernel.Greater {
		k = positive
	}
	u := s.unfold(s.differ(ts[0], ts[1]))
	if u == nil {
		return none, false
	}
	if th, ok := s.sumOfSquares(f, k, u); ok {
		return th, true
	}
	// Where equations give letters, what is left of the others.
	for _, v := range s.eliminations(u) {
		s.follow(v.order)
		g := s.state(k, v.t)
		th, ok := s.polynomial(g)
		if !ok {
			th, ok = s.sumOfSquares(g, k, v.t)
		}
		if !ok {
			continue
		}
		eq, err := s.equation(s.formula(kernel.Equal, s.difference2(ts), v.t))
		if err != nil {
			continue
		}
		if out, err := s.apply("transport", f, []kernel.Theorem{th, eq}); err == nil {
			return out, true
		}
	}
	return none, false
}

// sumOfSquares proves a sign of the difference of the sides, which is u unfolded.
func (s *state) sumOfSquares(f kernel.Formula, k kind, u *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	ts := f.Terms()
	m, d := s.cleared(u)
	if m == nil || len(m) != 1 || m[""] == nil {
		return none, false
	}
	p := m[""].c
	letters, ok := lettersOf(p)
	if !ok || len(letters) == 0 || len(letters) > 4 {
		return none, false
	}
	degree := p.degree()
	// What is of odd degree mostly has a sum whose products go no higher; one of even degree has more to say and more that
	// has to cancel.
	for top := degree; top <= min(12, degree+degree%2+2); top += 1 + (top+1)%2 {
		sum, zero := s.squaresOfDegree(k, p, letters, top)
		if sum == nil {
			continue
		}
		if d.Head() != kernel.Number {
			sum = s.mul(s.reciprocal(d), sum)
		}
		th, ok := s.prove(k, sum)
		if !ok {
			continue
		}
		if len(zero) == 0 {
			out, err := s.apply("transport", f, []kernel.Theorem{th})
			if err == nil {
				return out, true
			}
			continue
		}
		var c *kernel.Term
		var premises []kernel.Theorem
		terms := []*kernel.Term{nil}
		for _, z := range zero {
			x := s.mul(z.by, z.eq.hole)
			if c == nil {
				c = x
			} else {
				c = s.add(c, x)
			}
			premises = append(premises, z.eq.th)
			terms = append(terms, z.eq.hole)
		}
		if d.Head() != kernel.Number {
			c = s.mul(s.reciprocal(d), c)
		}
		terms[0] = c
		eq, err := s.apply("modulo", s.formula(kernel.Equal, s.difference2(ts), sum), premises, terms...)
		if err != nil {
			continue
		}
		if out, err := s.apply("transport", f, []kernel.Theorem{th, eq}); err == nil {
			return out, true
		}
	}
	return none, false
}

// multipleOf is a multiple of an equation.
type multipleOf struct {
	eq equality
	by *kernel.Term
}

// lettersOf lists the generators of a polynomial, false if one is no scalar letter or is divided by.
func lettersOf(ps ...poly) (out []*kernel.Term, ok bool) {
	seen := map[*kernel.Term]bool{}
	for _, p := range ps {
		for _, m := range p {
			for _, e := range m.at {
				if e.g.Head() != kernel.Letter || e.n < 0 {
					return nil, false
				}
				if !seen[e.g] {
					seen[e.g] = true
					out = append(out, e.g)
				}
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID() < out[j].ID() })
	return out, true
}

func (p poly) degree() int {
	top := 0
	for _, m := range p {
		n := 0
		for _, e := range m.at {
			n += e.n
		}
		top = max(top, n)
	}
	return top
}

// order is the least degree of a monomial.
func (p poly) order() int {
	low := -1
	for _, m := range p {
		n := 0
		for _, e := range m.at {
			n += e.n
		}
		if low < 0 || n < low {
			low = n
		}
	}
	return max(low, 0)
}

// monomials lists the monomials in letters of degrees from lo to hi, those of low degree first.
func monomials(letters []*kernel.Term, lo, hi int) (out []poly) {
	var visit func(i, left int, at []exponent)
	for n := lo; n <= hi; n++ {
		visit = func(i, left int, at []exponent) {
			if i == len(letters) {
				if left == 0 {
					p := poly{}
					p.put(big.NewRat(1, 1), append([]exponent{}, at...))
					out = append(out, p)
				}
				return
			}
			for k := left; k >= 0; k-- {
				next := at
				if k > 0 {
					next = append(append([]exponent{}, at...), exponent{letters[i], k})
				}
				visit(i+1, left-k, next)
			}
		}
		visit(0, n, nil)
	}
	return out
}

// bounding is a product of what is known not to be negative.
type bounding struct {
	term   *kernel.Term
	p      poly
	strict bool
}

// boundings are the constraints in these letters, or in letters that constraints bring with them, and their products.
func (s *state) boundings(letters *[]*kernel.Term, top int) (out []bounding) {
	in := map[*kernel.Term]bool{}
	for _, x := range *letters {
		in[x] = true
	}
	have := map[string]bool{}
	for _, f := range s.signs {
		if f.kind > nonzero || !f.term.Scalar() || len(out) >= maxBounds {
			continue
		}
		p := s.polys.of(f.pure)
		gens, ok := lettersOf(p)
		if !ok || len(gens) == 0 {
			continue
		}
		t := f.term
		if f.kind == nonzero {
			t = s.power(f.term, 2)
			p = s.polys.times(p, p)
		}
		if len(p) == 0 || p.degree() > top {
			continue
		}
		touches := false
		for _, x := range gens {
			touches = touches || in[x]
		}
		key := s.polys.term(p)
		if !touches || have[kernel.Print(key)] {
			continue
		}
		have[kernel.Print(key)] = true
		out = append(out, bounding{t, p, f.kind != nonnegative})
		for _, x := range gens {
			if !in[x] && len(*letters) < 4 {
				in[x] = true
				*letters = append(*letters, x)
			}
		}
	}
	// Those in other letters are of no use.
	kept := out[:0]
	for _, b := range out {
		gens, _ := lettersOf(b.p)
		all := true
		for _, x := range gens {
			all = all && in[x]
		}
		if all {
			kept = append(kept, b)
		}
	}
	out = kept
	sort.Slice(*letters, func(i, j int) bool { return (*letters)[i].ID() < (*letters)[j].ID() })
	single := len(out)
	for i := range single {
		for j := i + 1; j < single; j++ {
			if p := s.polys.times(out[i].p, out[j].p); p != nil && p.degree() <= top {
				out = append(out, bounding{s.mul(out[i].term, out[j].term), p, out[i].strict && out[j].strict})
			}
		}
	}
	return out
}

// squaresOfDegree looks for the sum with all products of degree top at most.
func (s *state) squaresOfDegree(k kind, p poly, letters []*kernel.Term, top int) (*kernel.Term, []multipleOf) {
	letters = append([]*kernel.Term{}, letters...)
	bounds := s.boundings(&letters, top)
	var zeros []equality
	for _, e := range s.equalities() {
		if e.g.Scalar() {
			if q := s.polys.of(e.g); len(q) > 0 && q.degree() <= top {
				gens, ok := lettersOf(q)
				for _, x := range gens {
					known := false
					for _, y := range letters {
						known = known || x == y
					}
					ok = ok && known
				}
				if ok {
					zeros = append(zeros, e)
				}
			}
		}
	}
	lo := 0
	if len(bounds)+len(zeros) == 0 {
		lo = p.order() / 2
	}
	blocks := []gram{{nil, constant(big.NewRat(1, 1)), monomials(letters, lo, top/2), false}}
	if len(bounds)+len(zeros) == 0 {
		blocks[0].basis = needed(p, blocks[0].basis)
	}
	for _, b := range bounds {
		if n := (top - b.p.degree()) / 2; n >= 0 {
			blocks = append(blocks, gram{b.term, b.p, monomials(letters, 0, n), false})
		}
	}
	if k == positive {
		blocks = append(blocks, gram{nil, constant(big.NewRat(1, 1)), monomials(letters, 0, 0), true})
		for _, b := range bounds {
			if !b.strict {
				continue
			}
			t, q := b.term, b.p
			for n := 1; q != nil && n*b.p.degree() <= top && n <= 4; n++ {
				blocks = append(blocks, gram{t, q, monomials(letters, 0, 0), true})
				t, q = s.power(b.term, n+1), s.polys.times(q, b.p)
			}
		}
	}
	full := len(bounds)+len(zeros) > 0 // the bases are all monomials of their degrees
	if homogeneous(p, blocks, zeros) {
		full = false
		for i := range blocks {
			blocks[i].basis = ofDegree(blocks[i].basis, p.degree()-blocks[i].g.degree())
		}
	}
	// Where the polynomial touches its bound, every product in the sum is zero. From there distances are measured.
	var points [][]*big.Rat
	if len(zeros) == 0 {
		var negative bool
		if points, negative = s.touches(p, bounds, letters); negative {
			return nil, nil // no sum is negative where its factors are not
		}
	}
	for _, at := range points {
		met := k == positive
		for _, b := range bounds {
			met = met && (!b.strict || b.p.exactly(letters, at).Sign() > 0)
		}
		if met {
			return nil, nil
		}
	}
	q := quest{state: s, kind: k, letters: letters, top: top}
	for range 2 {
		if full && len(points) > 0 {
			q.origin = points[0]
		}
		q.p = q.moved(p, 1)
		if q.p == nil {
			return nil, nil
		}
		q.zeros = q.zeros[:0]
		for _, e := range zeros {
			q.zeros = append(q.zeros, zeroOf{e, q.moved(s.polys.of(e.g), 1)})
		}
		// What counts as zero among the eigenvalues, and as a simple fraction, is a guess.
		for _, g := range []guess{{cut: 2e-5, near: 2e-4}, {cut: 2e-5, near: 2e-3}, {cut: 1e-3, near: 2e-3}, {cut: 2e-2, near: 1e-2}} {
			q.blocks = nil
			for _, b := range blocks {
				b.g = q.moved(b.g, 1)
				for _, at := range points {
					if b.g.exactly(letters, q.from(at)).Sign() > 0 {
						b.basis = vanishingAt(b.basis, letters, q.from(at))
					}
				}
				q.blocks = append(q.blocks, b)
			}
			for n := range 6 {
				sum, by, again := q.solve(&g)
				if sum != nil {
					return sum, by
				}
				if n == 0 && g.infeasible {
					return nil, nil
				}
				if !again {
					break
				}
			}
			if len(points) == 0 && g.touch != nil && q.origin == nil && full {
				q.origin = g.touch
				break
			}
		}
		if len(points) > 0 || q.origin == nil {
			break
		}
	}
	return nil, nil
}

// quest is the search for one sum of squares, in letters that are measured from an origin.
type quest struct {
	*state
	kind    kind
	letters []*kernel.Term
	top     int
	origin  []*big.Rat // nil for zero
	p       poly
	blocks  []gram
	zeros   []zeroOf
}

// zeroOf is an equation with its polynomial.
type zeroOf struct {
	eq equality
	p  poly
}

// moved reads a polynomial in letters measured from the origin (sign 1), or back (−1).
func (q *quest) moved(p poly, sign int64) poly {
	if q.origin == nil {
		return p
	}
	out := poly{}
	for _, m := range p.sorted() {
		part := constant(m.c)
		for _, e := range m.at {
			for i, x := range q.letters {
				if x == e.g {
					d := single(x, 1).plus(constant(big.NewRat(sign, 1)), q.origin[i])
					part = q.polys.times(part, q.polys.power(d, e.n))
				}
			}
		}
		if part == nil {
			return nil
		}
		out = out.plus(part, big.NewRat(1, 1))
	}
	return out
}

// from is a point measured from the origin.
func (q *quest) from(at []*big.Rat) []*big.Rat {
	if q.origin == nil {
		return at
	}
	out := make([]*big.Rat, len(at))
	for i := range at {
		out[i] = new(big.Rat).Sub(at[i], q.origin[i])
	}
	return out
}

// guess is what a solution in floating point is read with, and what it showed.
type guess struct {
	cut, near  float64
	infeasible bool
	touch      []*big.Rat // about where the polynomial touches its bound
}

// homogeneous reports whether all polynomials are, so that an identity between them has one degree.
func homogeneous(p poly, blocks []gram, zeros []equality) bool {
	if p.order() != p.degree() || len(zeros) > 0 {
		return false
	}
	for _, b := range blocks {
		if b.g.order() != b.g.degree() {
			return false
		}
	}
	return true
}

// ofDegree are the monomials with squares of this degree.
func ofDegree(basis []poly, n int) (out []poly) {
	for _, b := range basis {
		if 2*b.degree() == n {
			out = append(out, b)
		}
	}
	return out
}

// column is one unknown: an entry of a Gram matrix or a coefficient of a multiple.
type column struct {
	block, i, j int // block < 0: zeros[i] times mono
	mono        poly
	rows        map[int]*big.Rat
}

// needed leaves out monomials that no sum of squares equal to p contains: the square of one that is neither in p nor the
// product of two others would not cancel.
func needed(p poly, basis []poly) []poly {
	at := func(q poly) []exponent {
		for _, m := range q {
			return m.at
		}
		return nil
	}
	for {
		var kept []poly
		for i, m := range basis {
			key := keyOf(merge(at(m), at(m)))
			use := p[key] != nil
			for j := range basis {
				for k := range j {
					use = use || j != i && k != i && keyOf(merge(at(basis[j]), at(basis[k]))) == key
				}
			}
			if use {
				kept = append(kept, m)
			}
		}
		if len(kept) == len(basis) {
			return kept
		}
		basis = kept
	}
}

// equations lists the unknowns, and the coefficients of the polynomial that they have to give, by monomial; false if they are
// too many.
func (q *quest) equations() (columns []column, b []*big.Rat, ok bool) {
	s := q.state
	index := map[string]int{}
	row := func(m *monomial) int {
		key := keyOf(m.at)
		i, ok := index[key]
		if !ok {
			i = len(b)
			index[key] = i
			b = append(b, new(big.Rat))
		}
		return i
	}
	for _, m := range q.p.sorted() {
		b[row(m)].Set(m.c)
	}
	entries := 0
	for bi, g := range q.blocks {
		if len(g.basis) > maxSquares {
			return nil, nil, false
		}
		for i := range g.basis {
			for j := i; j < len(g.basis); j++ {
				r := s.polys.times(s.polys.times(g.basis[i], g.basis[j]), g.g)
				if r == nil {
					return nil, nil, false
				}
				rows := map[int]*big.Rat{}
				for _, m := range r.sorted() {
					v := m.c
					if i != j {
						v = new(big.Rat).Add(v, v)
					}
					rows[row(m)] = v
				}
				columns = append(columns, column{bi, i, j, nil, rows})
				if entries++; entries > maxUnknowns || len(b) > maxEquations {
					return nil, nil, false
				}
			}
		}
	}
	for zi, e := range q.zeros {
		for _, mono := range monomials(q.letters, 0, q.top-e.p.degree()) {
			r := s.polys.times(e.p, mono)
			if r == nil {
				return nil, nil, false
			}
			rows := map[int]*big.Rat{}
			for _, m := range r.sorted() {
				rows[row(m)] = m.c
			}
			columns = append(columns, column{-1, zi, 0, mono, rows})
		}
	}
	return columns, b, len(b) <= maxEquations
}

// shed takes elements out of the bases whose squares an equation says to be zero: a sum of nonnegative multiples of squares
// alone is zero. A sum of squares in fewer elements does not touch the boundary there, and is found.
func (q *quest) shed(columns []column, b []*big.Rat) bool {
	type place struct{ block, i int }
	sign := make([]int, len(b)) // of all entries met so far, 2 where they have none in common
	squares := make([][]place, len(b))
	for _, c := range columns {
		for i, v := range c.rows {
			switch {
			case b[i].Sign() != 0 || sign[i] == 2:
			case c.block < 0 || c.i != c.j || sign[i] != 0 && sign[i] != v.Sign():
				sign[i] = 2
			default:
				sign[i] = v.Sign()
				squares[i] = append(squares[i], place{c.block, c.i})
			}
		}
	}
	out := map[place]bool{}
	for i, ps := range squares {
		if sign[i] != 2 {
			for _, p := range ps {
				out[p] = true
			}
		}
	}
	for bi := range q.blocks {
		var kept []poly
		for i, m := range q.blocks[bi].basis {
			if !out[place{bi, i}] {
				kept = append(kept, m)
			}
		}
		q.blocks[bi].basis = kept
	}
	return len(out) > 0
}

// solve solves for the Gram matrices. If they touch the boundary it restricts the bases and asks to be called again.
func (q *quest) solve(read *guess) (*kernel.Term, []multipleOf, bool) {
	s, k, blocks, letters := q.state, q.kind, q.blocks, q.letters
	columns, b, ok := q.equations()
	for ok && q.shed(columns, b) {
		columns, b, ok = q.equations()
	}
	if !ok {
		return nil, nil, false
	}
	var sizes []int
	for _, g := range blocks {
		sizes = append(sizes, len(g.basis))
	}
	// A common scale, for the floating point.
	scale := new(big.Rat)
	for _, v := range b {
		if a := new(big.Rat).Abs(v); a.Cmp(scale) > 0 {
			scale = a
		}
	}
	// Equations that follow from others make the programme singular.
	var keep []int
	keep, ok = independent(columns, b)
	if !ok {
		read.infeasible = true
		return nil, nil, false
	}
	place := map[int]int{}
	var left []*big.Rat
	for _, i := range keep {
		place[i] = len(left)
		left = append(left, b[i])
	}
	b = left
	for _, c := range columns {
		rows := map[int]*big.Rat{}
		for i, v := range c.rows {
			if n, ok := place[i]; ok {
				rows[n] = v
			}
		}
		clear(c.rows)
		for i, v := range rows {
			c.rows[i] = v
		}
	}
	prog := &programme{sizes: sizes, a: make([][][]entry, len(blocks))}
	for i := range prog.a {
		prog.a[i] = make([][]entry, len(b))
	}
	for _, v := range b {
		x, _ := new(big.Rat).Quo(v, scale).Float64()
		prog.b = append(prog.b, x)
	}
	for _, c := range columns {
		if c.block < 0 {
			f := make([]float64, len(b))
			for i, v := range c.rows {
				f[i], _ = v.Float64()
			}
			prog.f = append(prog.f, f)
			continue
		}
		for i, v := range c.rows {
			x, _ := v.Float64()
			if c.i != c.j {
				x /= 2
			}
			prog.a[c.block][i] = append(prog.a[c.block][i], entry{c.i, c.j, x})
		}
	}
	g, free, t, solved := prog.maximise(s.spend)
	if !solved || t < -1e-5 {
		read.infeasible = true
		return nil, nil, false
	}
	if t < 1e-5 {
		reduced := false
		for i := range blocks {
			if len(blocks[i].basis) == 0 {
				continue
			}
			if kernel := kernelOf(g[i], read.cut); len(kernel) > 0 {
				basis := restrict(blocks[i].basis, kernel, read.near)
				if i == 0 && read.touch == nil {
					read.touch = touching(blocks[0].basis, kernel, letters)
				}
				if basis == nil {
					return nil, nil, false
				}
				blocks[i].basis = basis
				reduced = true
			}
		}
		strict := k != positive
		for _, b := range blocks {
			strict = strict || b.strict && len(b.basis) > 0
		}
		return nil, nil, reduced && strict
	}
	values := make([]float64, len(columns))
	unit, _ := scale.Float64()
	at := 0
	for i, c := range columns {
		if c.block < 0 {
			values[i] = free[at] * unit
			at++
		} else {
			values[i] = g[c.block][c.i][c.j] * unit
		}
	}
	for _, by := range []int64{1, 2, 4, 12, 60, 1000, 100000, 10000000} {
		x := rounded(columns, b, values, by)
		if x == nil {
			return nil, nil, false
		}
		strict := k != positive
		for i, c := range columns {
			strict = strict || c.block >= 0 && blocks[c.block].strict && x[i].Sign() > 0
		}
		if !strict {
			continue
		}
		if sum, zero, ok := q.write(columns, x); ok {
			return sum, zero, false
		}
	}
	return nil, nil, false
}

// independent lists equations from which the others follow, by elimination modulo prime; false if they contradict each
// other.
func independent(columns []column, b []*big.Rat) (keep []int, ok bool) {
	n := len(columns)
	rows := make([][]uint64, len(b))
	for i := range rows {
		rows[i] = make([]uint64, n+1)
		v, ok := modRat(b[i])
		if !ok {
			return nil, false
		}
		rows[i][n] = v
	}
	for j, c := range columns {
		for i, v := range c.rows {
			x, ok := modRat(v)
			if !ok {
				return nil, false
			}
			rows[i][j] = x
		}
	}
	lead := make([]int, 0, len(b))
	for i, r := range rows {
		for k, l := range keep {
			f := r[lead[k]]
			if f == 0 {
				continue
			}
			for j := lead[k]; j <= n; j++ {
				if rows[l][j] != 0 {
					r[j] = modSub(r[j], modMul(f, rows[l][j]))
				}
			}
		}
		at := 0
		for at < n && r[at] == 0 {
			at++
		}
		if at == n {
			if r[n] != 0 {
				return nil, false
			}
			continue
		}
		inv := modInverse(r[at])
		for j := at; j <= n; j++ {
			r[j] = modMul(r[j], inv)
		}
		keep, lead = append(keep, i), append(lead, at)
	}
	return keep, true
}

// kernelOf are the vectors, in echelon form with simple fractions, that a nearly singular Gram matrix takes to zero.
func kernelOf(g square, cut float64) [][]float64 {
	values, vectors := g.eigen()
	top := 0.0
	for _, v := range values {
		top = math.Max(top, v)
	}
	var out [][]float64
	for j, v := range values {
		if v < cut*math.Max(top, .1) {
			vec := make([]float64, len(g))
			for i := range g {
				vec[i] = vectors[i][j]
			}
			out = append(out, vec)
		}
	}
	return out
}

// restrict turns a basis into one of what vanishes where the kernel's vectors are values of it; nil where these are not
// given by simple fractions.
func restrict(basis []poly, kernel [][]float64, near float64) []poly {
	n := len(basis)
	var pivots []int
	r := 0
	for c := 0; c < n && r < len(kernel); c++ {
		p := r
		for i := r; i < len(kernel); i++ {
			if math.Abs(kernel[i][c]) > math.Abs(kernel[p][c]) {
				p = i
			}
		}
		if math.Abs(kernel[p][c]) < 1e-3 {
			for i := r; i < len(kernel); i++ {
				kernel[i][c] = 0
			}
			continue
		}
		kernel[p], kernel[r] = kernel[r], kernel[p]
		inv := 1 / kernel[r][c]
		for j := range n {
			kernel[r][j] *= inv
		}
		for i := range kernel {
			if f := kernel[i][c]; i != r {
				for j := range n {
					kernel[i][j] -= f * kernel[r][j]
				}
			}
		}
		pivots = append(pivots, c)
		r++
	}
	is := map[int]bool{}
	for _, c := range pivots {
		is[c] = true
	}
	out := []poly{}
	for j := range n {
		if is[j] {
			continue
		}
		q := basis[j]
		for i, c := range pivots {
			v := simplest(kernel[i][j], near)
			if v == nil {
				return nil
			}
			if v.Sign() != 0 {
				q = q.plus(basis[c], v.Neg(v))
			}
		}
		out = append(out, q)
	}
	return out
}

// touching reads off one vector of the kernel, the values of monomials at a point, about which point it is.
func touching(basis []poly, kernel [][]float64, letters []*kernel.Term) []*big.Rat {
	if len(kernel) != 1 || len(basis) == 0 || basis[0].degree() != 0 || kernel[0][0] == 0 {
		return nil
	}
	var out []*big.Rat
	for _, x := range letters {
		for j, b := range basis {
			if len(b) == 1 && b[keyOf([]exponent{{x, 1}})] != nil {
				v := simplest(kernel[0][j]/kernel[0][0], 2e-2)
				if v == nil {
					return nil
				}
				out = append(out, v)
			}
		}
	}
	if len(out) < len(letters) {
		return nil // a letter that no square has
	}
	return out
}

// simplest is the fraction of the least denominator near x, nil if there is none with a small one.
func simplest(x, near float64) *big.Rat {
	for q := int64(1); q <= 120; q++ {
		n := math.Round(x * float64(q))
		if math.Abs(x-n/float64(q)) < near*math.Max(1, math.Abs(x))/math.Sqrt(float64(q)) {
			return big.NewRat(int64(n), q)
		}
	}
	return nil
}

// rounded rounds the values to multiples of 1/q, all but as many as there are equations, which these give exactly; nil if
// the equations have no solution.
func rounded(columns []column, b []*big.Rat, values []float64, q int64) []*big.Rat {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	// The largest values bear the equations best, multiples of what is zero better still.
	weight := func(i int) float64 {
		if columns[i].block < 0 {
			return math.Inf(1)
		}
		return math.Abs(values[i])
	}
	sort.SliceStable(order, func(i, j int) bool { return weight(order[i]) > weight(order[j]) })
	// Rows as maps from places in order to coefficients.
	place := make([]int, len(columns))
	for i, c := range order {
		place[c] = i
	}
	rows := make([]map[int]*big.Rat, len(b))
	right := make([]*big.Rat, len(b))
	for i := range rows {
		rows[i] = map[int]*big.Rat{}
		right[i] = new(big.Rat).Set(b[i])
	}
	for c, col := range columns {
		for i, v := range col.rows {
			rows[i][place[c]] = v
		}
	}
	pivot := make([]int, len(b))
	used := map[int]bool{}
	for i := range rows {
		best := -1
		for c := range rows[i] {
			if best < 0 || c < best {
				best = c
			}
		}
		if best < 0 {
			if right[i].Sign() != 0 {
				return nil
			}
			pivot[i] = -1
			continue
		}
		pivot[i] = best
		used[best] = true
		for k := i + 1; k < len(rows); k++ {
			f := rows[k][best]
			if f == nil {
				continue
			}
			f = new(big.Rat).Quo(f, rows[i][best])
			for c, v := range rows[i] {
				w := new(big.Rat).Mul(v, f)
				if old := rows[k][c]; old != nil {
					w.Sub(old, w)
				} else {
					w.Neg(w)
				}
				if w.Sign() == 0 {
					delete(rows[k], c)
				} else {
					rows[k][c] = w
				}
			}
			right[k].Sub(right[k], new(big.Rat).Mul(right[i], f))
		}
	}
	x := make([]*big.Rat, len(columns))
	for i, c := range order {
		if used[i] {
			continue
		}
		v := values[c] * float64(q)
		if math.Abs(v) > 1e15 {
			return nil
		}
		x[c] = big.NewRat(int64(math.Round(v)), q)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		if pivot[i] < 0 {
			continue
		}
		v := new(big.Rat).Set(right[i])
		for c, a := range rows[i] {
			if c != pivot[i] {
				v.Sub(v, new(big.Rat).Mul(a, x[order[c]]))
			}
		}
		x[order[pivot[i]]] = v.Quo(v, rows[i][pivot[i]])
	}
	return x
}

// write writes the sum, if the Gram matrices are semidefinite, exactly.
func (q *quest) write(columns []column, x []*big.Rat) (*kernel.Term, []multipleOf, bool) {
	blocks := q.blocks
	m := make([][][]*big.Rat, len(blocks))
	for i, b := range blocks {
		m[i] = make([][]*big.Rat, len(b.basis))
		for j := range m[i] {
			m[i][j] = make([]*big.Rat, len(b.basis))
		}
	}
	by := make([]poly, len(q.zeros))
	for i, c := range columns {
		if c.block < 0 {
			if by[c.i] == nil {
				by[c.i] = poly{}
			}
			by[c.i] = by[c.i].plus(c.mono, x[i])
			continue
		}
		m[c.block][c.i][c.j], m[c.block][c.j][c.i] = x[i], x[i]
	}
	var parts []*kernel.Term
	for i, b := range blocks {
		list, ok := q.squaresOfGram(m[i], b)
		if !ok {
			return nil, nil, false
		}
		parts = append(parts, list...)
	}
	var zero []multipleOf
	for i, e := range q.zeros {
		if c := q.moved(by[i], -1); len(c) > 0 {
			zero = append(zero, multipleOf{e.eq, q.polys.term(c)})
		}
	}
	return q.sum(parts), zero, true
}

// squaresOfGram decomposes a Gram matrix as L·D·Lᵀ and writes the squares; false if an element of D is negative.
func (s *quest) squaresOfGram(m [][]*big.Rat, b gram) (out []*kernel.Term, ok bool) {
	n := len(m)
	a := make([][]*big.Rat, n)
	for i := range a {
		a[i] = make([]*big.Rat, n)
		for j := range a[i] {
			a[i][j] = new(big.Rat).Set(m[i][j])
		}
	}
	for i := range n {
		d := a[i][i]
		switch d.Sign() {
		case -1:
			return nil, false
		case 0:
			for j := i + 1; j < n; j++ {
				if a[i][j].Sign() != 0 {
					return nil, false
				}
			}
			continue
		}
		q := poly{}
		l := make([]*big.Rat, n)
		for j := i; j < n; j++ {
			l[j] = new(big.Rat).Quo(a[i][j], d)
			q = q.plus(b.basis[j], l[j])
		}
		for j := i + 1; j < n; j++ {
			for k := i + 1; k < n; k++ {
				a[j][k].Sub(a[j][k], new(big.Rat).Mul(new(big.Rat).Mul(l[j], l[k]), d))
			}
		}
		if d.Num().BitLen() > maxGramBits || d.Denom().BitLen() > maxGramBits {
			return nil, false
		}
		if q = s.moved(q, -1); len(q) == 0 {
			continue
		}
		c, prim := s.polys.content(q)
		lead := new(big.Rat).Mul(d, new(big.Rat).Mul(c.c, c.c))
		whole := poly{}
		whole.put(big.NewRat(1, 1), c.at)
		prim = s.polys.times(prim, whole)
		t := s.number(lead)
		if u := s.polys.term(prim); u.Head() != kernel.Number {
			t = s.mul(t, s.power(u, 2))
		}
		if b.factor != nil {
			t = s.mul(t, b.factor)
		}
		out = append(out, t)
	}
	return out, true
}
