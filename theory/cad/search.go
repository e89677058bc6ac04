package cad

import (
	"math/big"
	"sort"
)

// Relation compares with zero.
type Relation uint8

// The relations.
const (
	AtLeast Relation = iota
	Greater
	Equal
	Unequal
)

func (r Relation) holds(sign int) bool {
	switch r {
	case AtLeast:
		return sign >= 0
	case Greater:
		return sign > 0
	case Equal:
		return sign == 0
	}
	return sign != 0
}

// Condition says how the product of its factors, one at least, compares with zero.
type Condition struct {
	Factors []Sum
	Rel     Relation
}

// Outcome is what a search came to.
type Outcome struct {
	// Points is how many sample points were visited.
	Points int
	// Complete says that one was of every open cell, so that the conditions hold on no open set unless a visited point meets
	// them.
	Complete bool
	Stopped  bool // by visit
}

// maxLetters is how many letters are decomposed at once; the others are held at numbers.
const maxLetters = 3

// maxTerms bounds the monomials of a polynomial that an equation was used in.
const maxTerms = 300

// Search visits sample points at which the conditions hold, exactly, in n letters: one of each open cell, and then those
// with coordinates at zeros that are simple fractions or, of the last letter, given by a quadratic equation. visit returns
// true to end the search. Work bounds the products of machine words; the error is [ErrWork] if that is spent, and the
// outcome then what was done before.
func Search(n int, conds []Condition, work int, visit func(at []Number) bool) (out Outcome, err error) {
	defer caught(&err)
	s := &search{meter: &meter{work}, n: n, out: &out}
	s.run(conds, nil, make([]Number, n), visit)
	return out, nil
}

type search struct {
	*meter
	n   int
	out *Outcome
	// partial says that some points that meet the conditions are not looked for.
	partial bool
}

// solved is a letter given by an equation, x = −d/c.
type solved struct {
	x    int
	c, d Sum
}

// run solves equations for letters, and searches parts that share no letters one after the other: the first points of the
// others, and all of the part of the first condition.
func (s *search) run(conds []Condition, order []solved, at []Number, visit func([]Number) bool) {
	for i, c := range conds {
		if c.Rel != Equal {
			continue
		}
		if len(c.Factors) > 1 {
			// Each factor by itself.
			s.partial = true
			for _, f := range c.Factors {
				branch := append([]Condition{}, conds...)
				branch[i] = Condition{[]Sum{f}, Equal}
				s.run(branch, order, at, visit)
				if s.out.Stopped {
					return
				}
			}
			return
		}
	}
	for {
		i, x, c, d := s.solvable(conds)
		if i < 0 {
			break
		}
		next, ok := s.use(conds, i, x, c, d)
		if !ok {
			break
		}
		s.partial = s.partial || c.total() > 0
		conds = next
		order = append(order[:len(order):len(order)], solved{x, c, d})
	}
	parts := s.parts(conds)
	if parts == nil {
		s.out.Complete = !s.partial
		return
	}
	whole := func(at []Number) bool {
		full := append([]Number{}, at...)
		for i := range full {
			if full[i].A == nil {
				full[i] = Number{A: big.NewRat(1, 1)}
			}
		}
		for i := len(order) - 1; i >= 0; i-- {
			c := order[i].c.at(full)
			if c.sign() == 0 {
				return false
			}
			full[order[i].x] = order[i].d.at(full).times(Number{A: big.NewRat(-1, 1)}).over(c)
		}
		s.out.Stopped = visit(full)
		return s.out.Stopped
	}
	// The last part is that of the first condition.
	for _, part := range parts[:len(parts)-1] {
		found := false
		partial := s.partial
		s.partial = true
		s.part(part, at, func(p []Number) bool {
			if irrational(at) && irrationalIn(p, part) {
				return false
			}
			for i, v := range p {
				if v.A != nil {
					at[i] = v
				}
			}
			found = true
			return true
		})
		if !found {
			return
		}
		s.partial = partial
	}
	free := irrational(at)
	s.part(parts[len(parts)-1], at, func(p []Number) bool {
		return !(free && irrationalIn(p, parts[len(parts)-1])) && whole(p)
	})
}

func irrational(at []Number) bool {
	for _, x := range at {
		if x.B != nil {
			return true
		}
	}
	return false
}

func irrationalIn(at []Number, conds []Condition) bool {
	for _, i := range lettersOf(conds) {
		if at[i].B != nil {
			return true
		}
	}
	return false
}

// solvable finds an equation that is linear in a letter: with a number before it if there is one, else with the fewest
// monomials there.
func (s *search) solvable(conds []Condition) (at, x int, c, d Sum) {
	best := 4
	at = -1
	for i, e := range conds {
		if e.Rel != Equal {
			continue
		}
		p := e.Factors[0]
		for _, l := range p.letters() {
			if p.degree(l) != 1 {
				continue
			}
			by := p.by(l)
			cost := len(by[1]) + 1
			if by[1].total() == 0 {
				cost = 1
			}
			// Letters of high degree elsewhere are dear.
			if cost < best {
				best, at, x, c, d = cost, i, l, by[1], by[0]
			}
		}
	}
	return at, x, c, d
}

// use puts x = −d/c into the other conditions; false if that is too large.
func (s *search) use(conds []Condition, at, x int, c, d Sum) (out []Condition, ok bool) {
	number := c.total() == 0
	for i, e := range conds {
		if i == at {
			continue
		}
		next := Condition{Rel: e.Rel}
		odd := false
		for _, f := range e.Factors {
			q, m := f.solvedFor(x, c, d, s.n)
			if q == nil || len(q) > maxTerms {
				return nil, false
			}
			s.spend(len(q) * (m + 1))
			next.Factors = append(next.Factors, q)
			odd = odd != (m%2 == 1)
		}
		if odd && (e.Rel == AtLeast || e.Rel == Greater) {
			next.Factors = append(next.Factors, c)
		}
		out = append(out, next)
	}
	if !number {
		out = append(out, Condition{[]Sum{c}, Unequal})
	}
	return out, true
}

func lettersOf(conds []Condition) (out []int) {
	seen := map[int]bool{}
	for _, c := range conds {
		for _, f := range c.Factors {
			for _, l := range f.letters() {
				if !seen[l] {
					seen[l] = true
					out = append(out, l)
				}
			}
		}
	}
	sort.Ints(out)
	return out
}

// parts splits the conditions into those that share letters, that of the first condition last; nil if one that mentions
// no letter does not hold.
func (s *search) parts(conds []Condition) (out [][]Condition) {
	group := make([]int, s.n)
	for i := range group {
		group[i] = i
	}
	var find func(i int) int
	find = func(i int) int {
		if group[i] != i {
			group[i] = find(group[i])
		}
		return group[i]
	}
	for _, c := range conds {
		ls := lettersOf([]Condition{c})
		for _, l := range ls {
			group[find(l)] = find(ls[0])
		}
	}
	by := map[int][]Condition{}
	var order []int
	last := -1
	for i, c := range conds {
		ls := lettersOf([]Condition{c})
		if len(ls) == 0 {
			if v := sign(c, make([]Number, s.n)); !c.Rel.holds(v) {
				return nil
			}
			continue
		}
		g := find(ls[0])
		if by[g] == nil {
			order = append(order, g)
		}
		if i == 0 {
			last = g
		}
		by[g] = append(by[g], c)
	}
	for _, g := range order {
		if g != last {
			out = append(out, by[g])
		}
	}
	return append(out, by[last])
}

func sign(c Condition, at []Number) int {
	v := 1
	for _, f := range c.Factors {
		v *= f.at(at).sign()
	}
	return v
}

// part visits points of conditions that hang together.
func (s *search) part(conds []Condition, at []Number, visit func([]Number) bool) {
	letters := lettersOf(conds)
	if len(letters) <= maxLetters {
		s.decompose(conds, letters, at, visit)
		return
	}
	s.partial = true
	// Letters in many high powers are held, those of the equations rather not.
	sort.SliceStable(letters, func(i, j int) bool { return s.weight(conds, letters[i]) < s.weight(conds, letters[j]) })
	held := letters[maxLetters:]
	share := s.left / len(slices)
	for _, values := range slices {
		var fixed []Condition
		point := append([]Number{}, at...)
		for i, l := range held {
			point[l] = Number{A: values[i%len(values)]}
		}
		for _, c := range conds {
			next := Condition{Rel: c.Rel}
			for _, f := range c.Factors {
				for i, l := range held {
					v := values[i%len(values)]
					f, _ = f.solvedFor(l, Constant(big.NewRat(1, 1), s.n), Constant(new(big.Rat).Neg(v), s.n), s.n)
				}
				next.Factors = append(next.Factors, f)
			}
			fixed = append(fixed, next)
		}
		stopped := false
		sub := &search{meter: &meter{share}, n: s.n, out: &Outcome{}}
		sub.within(func() {
			sub.run(fixed, nil, point, func(p []Number) bool {
				for i, l := range held {
					p[l] = Number{A: values[i%len(values)]}
				}
				stopped = visit(p)
				return stopped
			})
		})
		s.out.Points += sub.out.Points
		s.spend(share - max(0, sub.left))
		if stopped {
			return
		}
	}
}

// within runs a search that may spend what it has.
func (s *search) within(run func()) {
	defer func() {
		if x := recover(); x != nil {
			if _, ok := x.(stop); !ok {
				panic(x)
			}
		}
	}()
	run()
}

// slices are the numbers at which letters beyond the third are held, one after the other.
var slices = [][]*big.Rat{
	{big.NewRat(1, 1)},
	{big.NewRat(1, 2), big.NewRat(2, 1)},
	{big.NewRat(2, 1), big.NewRat(1, 2), big.NewRat(3, 1)},
	{big.NewRat(-1, 1), big.NewRat(1, 1)},
	{big.NewRat(1, 10), big.NewRat(10, 1), big.NewRat(1, 1)},
	{new(big.Rat), big.NewRat(1, 1)},
}

// weight is how dear it is to decompose in a letter.
func (s *search) weight(conds []Condition, l int) (n int) {
	for _, c := range conds {
		for _, f := range c.Factors {
			n += f.degree(l) * f.degree(l)
		}
	}
	return n
}

// decompose visits the points of an open decomposition in these letters, and then those at zeros.
func (s *search) decompose(conds []Condition, letters []int, at []Number, visit func([]Number) bool) {
	order := s.order(conds, letters)
	var ps, pivots []poly
	var cs []condition
	equation := false
	for _, c := range conds {
		d := condition{rel: c.Rel}
		for _, f := range c.Factors {
			p := f.ordered(order)
			d.factors = append(d.factors, p)
			ps = append(ps, p)
			if c.Rel == Equal {
				equation = true
				for p.level > 0 && len(p.c) == 1 {
					p = p.c[0]
				}
				pivots = append(pivots, p)
			}
		}
		cs = append(cs, d)
	}
	levels := s.projections(len(order), ps, pivots)
	checked := func(x []Number) bool {
		full := append([]Number{}, at...)
		for i, l := range order {
			full[l] = x[i]
		}
		for _, c := range conds {
			if !c.Rel.holds(sign(c, full)) {
				return false
			}
		}
		return visit(full)
	}
	l := &lifting{meter: s.meter, visit: checked}
	defer func() { s.out.Points += l.points }()
	if l.node(levels, cs, nil, false, true) {
		return
	}
	s.out.Complete = !equation && !s.partial
	l.sections = true
	l.node(levels, cs, nil, false, true)
}

// order puts the letters in the order in which they get values: last, and projected away first, what equations have in low
// degrees, then what occurs in low degrees (Brown's heuristic).
func (s *search) order(conds []Condition, letters []int) []int {
	rank := func(l int) [4]int {
		equation := maxDegree
		top, total, count := 0, 0, 0
		for _, c := range conds {
			for _, f := range c.Factors {
				d := f.degree(l)
				if c.Rel == Equal && d > 0 {
					equation = min(equation, d)
				}
				top = max(top, d)
				for k := range f {
					if k[l] > 0 {
						count++
						t := 0
						for i := range len(k) {
							t += int(k[i])
						}
						total = max(total, t)
					}
				}
			}
		}
		return [4]int{equation, top, total, count}
	}
	out := append([]int{}, letters...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := rank(out[i]), rank(out[j])
		for k := range a {
			if a[k] != b[k] {
				return a[k] > b[k]
			}
		}
		return false
	})
	return out
}
