package certify

import (
	"math"
	"math/big"
	"slices"

	"stopgrad/theory/kernel"
	"stopgrad/theory/region"
)

// condition is a condition of the statement with the means to look at it.
type condition struct {
	region.Condition
	tape     *tape
	form     *form
	divisors []*form
	known    bool // the forms are those of all divisors
}

// searcher looks at boxes. It is for one goroutine.
type searcher struct {
	s          *region.Statement
	conditions []condition
	hypotheses []condition
	bounds     []bool  // which of the hypotheses are
	partial    bool    // there are more hypotheses
	ranges     []*tape // of roots, those that are kept
	root       []region.Side
	box        []span
	open       [][2]bool

	scratch scratch
	ready   int   // the condition that has a tape; below zero before the first
	near    []int // the hypotheses that share a coordinate with it

	// meter counts the work of what is done at present.
	meter *meter
}

// newSearcher reads a statement. Polynomials are asked for in an order that is always the same, because of the bound of all of
// them together; the tape of a condition is made when it is looked at.
func newSearcher(c *kernel.Context, goal kernel.Formula, sheds []region.Shed, m *meter) (*searcher, error) {
	reading := new(region.Meter)
	all := reading.Left()
	s, err := reading.State(c, goal, sheds...)
	if err != nil {
		return nil, err
	}
	out := &searcher{s: s, root: s.Box(), box: make([]span, len(s.Names())), open: make([][2]bool, len(s.Names())), ready: -1, meter: m}
	coefs, ops := 0, 0
	formOf := func(p []region.Monomial) *form {
		f := newForm(p)
		if f != nil {
			if coefs += len(f.coef); coefs > maxCoefs {
				return nil
			}
		}
		return f
	}
	prepare := func(c region.Condition) condition {
		x := condition{Condition: c}
		m.charge(expression)
		before := reading.Left()
		num, den, err := s.Fraction(c.Expr)
		m.charge(max(0, before-reading.Left()))
		if err != nil || len(num) == 0 {
			return x
		}
		m.charge(expression * len(num))
		x.form, x.known = formOf(num), true
		for _, d := range den {
			f := formOf(d)
			x.divisors, x.known = append(x.divisors, f), x.known && f != nil
		}
		return x
	}
	m.charge(all - reading.Left())
	for _, c := range s.Conditions() {
		out.conditions = append(out.conditions, prepare(c))
	}
	for i, d := range out.root {
		out.box[i] = span{float(d.Lo, -1), float(d.Hi, 1)}
	}
	keep := func(e *region.Expr) *tape {
		if ops > maxOps {
			return nil
		}
		t := newTape(e, &out.scratch, m)
		ops += len(t.ops)
		return t
	}
	for _, c := range s.Hypotheses() {
		t := keep(c.Expr)
		if t == nil {
			out.partial = true
			break
		}
		bound := isBound(c.Expr) && (c.Rel == region.NonZero || t.values(out.box, m).lo >= 0 && c.Rel != region.Null)
		h := condition{Condition: c}
		if !bound {
			h = prepare(c)
		}
		h.tape = t
		out.hypotheses, out.bounds = append(out.hypotheses, h), append(out.bounds, bound)
	}
	for _, e := range s.Roots() {
		out.ranges = append(out.ranges, keep(e))
	}
	return out, nil
}

// begin makes the tape of a condition, and lists the hypotheses that are near. It counts as the same work each time, so that
// a tile's does not depend on what was looked at before.
func (s *searcher) begin(condition int, m *meter) {
	s.meter = m
	c := &s.conditions[condition]
	if s.ready == condition {
		s.meter.charge(expression * len(c.tape.ops))
	} else {
		if s.ready >= 0 {
			s.conditions[s.ready].tape = nil
		}
		s.ready = -1
		c.tape = newTape(c.Expr, &s.scratch, s.meter)
		s.ready, s.near = condition, nil
		for i, h := range s.hypotheses {
			shared := slices.ContainsFunc(h.tape.coords, func(k int) bool { _, ok := c.tape.column[k]; return ok })
			if shared && !s.bounds[i] {
				s.near = append(s.near, i)
			}
		}
	}
	for _, h := range s.hypotheses {
		s.meter.charge(4 * len(h.tape.coords))
	}
}

// isBound reports whether an expression is a coordinate, perhaps with a factor, plus a number. A hypothesis about one that says
// no more than the box we begin with does is never needed outside of it.
func isBound(e *region.Expr) bool {
	if a, b := e.Args(); e.Op() == region.Sum {
		switch {
		case a.Op() == region.Constant:
			e = b
		case b.Op() == region.Constant:
			e = a
		}
	}
	if a, b := e.Args(); e.Op() == region.Product && a.Op() == region.Constant {
		e = b
	}
	return e.Op() == region.Coordinate
}

// decides reports whether a value in v satisfies a relation, or if negated fails it, whatever the value.
func decides(v span, strict [2]bool, rel region.Relation, negated bool) bool {
	if v.empty() {
		return false
	}
	positive, negative := v.lo > 0 || v.lo == 0 && strict[0], v.hi < 0 || v.hi == 0 && strict[1]
	switch {
	case rel == region.NonNegative && !negated:
		return v.lo >= 0
	case rel == region.Positive && !negated:
		return positive
	case rel == region.NonNegative:
		return negative
	case rel == region.Positive:
		return v.hi <= 0
	case rel == region.NonZero != negated:
		return positive || negative
	}
	return v.lo == 0 && v.hi == 0
}

func (s *searcher) coordinates() int { return len(s.s.Names()) }

// look settles a box, finds a point of it at which the condition seems to fail, or says where to cut it.
func (s *searcher) look(b tile, m *meter) (f finding) {
	s.meter = m
	m.charge(effort(b.box))
	var g []span
	if f.step, f.found, g, f.coordinate, f.at = s.settle(b); !f.found {
		f.suspect = s.suspect(b, g)
	}
	return f
}

// settle tries the arguments on a box, the cheap ones first. What is found was asked of package region too. Else it says
// where to cut.
func (s *searcher) settle(b tile) (step region.Step, found bool, g []span, coordinate int, at *big.Rat) {
	for i, d := range b.box {
		s.box[i] = span{float(d.Lo, -1), float(d.Hi, 1)}
		s.open[i] = [2]bool{d.LoOpen, d.HiOpen}
	}
	c := &s.conditions[b.condition]
	try := func(x region.Step) bool {
		if s.meter.shows(s.s, b.condition, b.box, x) {
			step, found = x, true
		}
		return found
	}
	if decides(c.tape.values(s.box, s.meter), [2]bool{}, c.Rel, false) && try(region.Step{Rule: "interval"}) {
		return
	}
	for _, h := range s.near {
		x := &s.hypotheses[h]
		if decides(x.tape.values(s.box, s.meter), [2]bool{}, x.Rel, true) && try(region.Step{Rule: "outside", Hypothesis: h, By: "interval"}) {
			return
		}
	}
	c.tape.values(s.box, s.meter)
	if g = c.tape.gradient(s.meter); g != nil {
		v, strict := c.tape.slopes(s.box, s.open, g, s.meter)
		if decides(v, strict, c.Rel, false) && try(region.Step{Rule: "slope"}) {
			return
		}
	}
	if rule := s.bernstein(c, c.Rel, false); rule != "" {
		if try(region.Step{Rule: rule}) || rule == "bernstein" && try(region.Step{Rule: "exact"}) {
			return
		}
	}
	for _, h := range s.near {
		x := &s.hypotheses[h]
		x.tape.values(s.box, s.meter)
		if hg := x.tape.gradient(s.meter); hg != nil {
			v, strict := x.tape.slopes(s.box, s.open, hg, s.meter)
			if decides(v, strict, x.Rel, true) && try(region.Step{Rule: "outside", Hypothesis: h, By: "slope"}) {
				return
			}
		}
		if rule := s.bernstein(x, x.Rel, true); rule != "" && try(region.Step{Rule: "outside", Hypothesis: h, By: rule}) {
			return
		}
	}
	coordinate, at = s.cut(b, c, g)
	return
}

// touching is how far below zero, of its size, a coefficient may be that is zero but for rounding.
const touching = 1e-12

// bernstein is the rule by which a condition seems to hold, or if negated to fail, by the coefficients of its polynomials;
// none if it does not.
func (s *searcher) bernstein(c *condition, rel region.Relation, negated bool) string {
	if c.form == nil || !c.known {
		return ""
	}
	side := func(v int) span {
		if v < region.FirstRoot {
			return s.box[v]
		}
		if t := s.ranges[v-region.FirstRoot]; t != nil {
			return t.values(s.box, s.meter)
		}
		return span{math.Inf(-1), math.Inf(1)}
	}
	flip := false
	for _, d := range c.divisors {
		least, most, ok := d.signs(side, s.meter)
		slack := touching * max(math.Abs(least), math.Abs(most))
		switch {
		case !ok:
			return ""
		case least >= -slack:
		case most <= slack:
			flip = !flip
		default:
			return ""
		}
	}
	least, most, ok := c.form.signs(side, s.meter)
	if !ok {
		return ""
	}
	if flip {
		least, most = -most, -least
	}
	slack := touching * max(math.Abs(least), math.Abs(most))
	above, below := least >= -slack, most <= slack
	clear := least > slack
	want := above
	switch {
	case rel == region.NonNegative && !negated, rel == region.Positive && !negated:
	case rel == region.NonNegative, rel == region.Positive:
		want, clear = below, most < -slack
	case rel == region.NonZero != negated:
		want, clear = above || below, least > slack || most < -slack
	default:
		return ""
	}
	switch {
	case !want:
		return ""
	case clear:
		return "bernstein"
	}
	return "exact"
}

// cut chooses where to cut a box: where the range of the expression shrinks most, and at times the widest side, so that the
// hypotheses are told apart too.
func (s *searcher) cut(b tile, c *condition, g []span) (coordinate int, at *big.Rat) {
	coordinate = -1
	best := 0.0
	if g != nil && b.depth%3 != 2 {
		for k, i := range c.tape.coords {
			w := s.box[i].hi - s.box[i].lo
			smear := times(w, max(math.Abs(g[k].lo), math.Abs(g[k].hi)))
			if !(w > 0) || math.IsNaN(smear) {
				continue
			}
			if smear > best {
				coordinate, best = i, smear
			}
		}
	}
	if coordinate < 0 {
		widest := func(i int) {
			w := s.box[i].hi - s.box[i].lo
			if r := float(s.root[i].Hi, 1) - float(s.root[i].Lo, -1); !math.IsInf(r, 0) && r > 0 {
				w /= r
			} else if !math.IsInf(w, 0) {
				w /= 1 + max(math.Abs(s.box[i].lo), math.Abs(s.box[i].hi))
			}
			if w > best {
				coordinate, best = i, w
			}
		}
		for _, i := range c.tape.coords {
			widest(i)
		}
		for _, h := range s.near {
			for _, i := range s.hypotheses[h].tape.coords {
				widest(i)
			}
			s.meter.charge(16 * len(s.hypotheses[h].tape.coords))
		}
	}
	if coordinate < 0 {
		return 0, nil
	}
	d := b.box[coordinate]
	if d.Lo != nil && d.Hi != nil {
		if at = s.turn(c, coordinate, d); at != nil {
			return coordinate, at
		}
	}
	return coordinate, middleOf(d)
}

// middleOf is where a range is cut: at a simple number near its middle, or further out on a half-line.
func middleOf(d region.Side) (at *big.Rat) {
	switch {
	case d.Lo == nil && d.Hi == nil:
		at = new(big.Rat)
	case d.Lo == nil:
		at = new(big.Rat).Sub(d.Hi, further(d.Hi))
	case d.Hi == nil:
		at = new(big.Rat).Add(d.Lo, further(d.Lo))
	default:
		third := new(big.Rat).Sub(d.Hi, d.Lo)
		third.Mul(third, big.NewRat(1, 3))
		at = simplest(new(big.Rat).Add(d.Lo, third), new(big.Rat).Sub(d.Hi, third))
	}
	return at
}

// turn is where the derivative by a coordinate changes its sign on the box, as if it were linear in between, if it has
// different signs on its two sides: on either half the expression is monotone, and if it touches zero it does so there. It is
// nil where it is not seen to, or next to an end.
func (s *searcher) turn(c *condition, coordinate int, d region.Side) *big.Rat {
	const near, fine = 1.0 / 64, 1.0 / 1024 // of the width
	k, ok := c.tape.column[coordinate]
	if !ok {
		return nil
	}
	whole := s.box[coordinate]
	defer func() { s.box[coordinate] = whole }()
	var slopes [2]span
	for i, end := range [2]float64{whole.lo, whole.hi} {
		s.box[coordinate] = span{end, end}
		c.tape.values(s.box, s.meter)
		g := c.tape.partials(k, k+1, s.meter)
		if g == nil {
			return nil
		}
		slopes[i] = g[0]
	}
	a, b := slopes[0], slopes[1]
	if !(a.hi < 0 && b.lo > 0 || a.lo > 0 && b.hi < 0) {
		return nil
	}
	share := (a.lo + a.hi) / (a.lo + a.hi - b.lo - b.hi)
	if !(share > near && share < 1-near) {
		return nil
	}
	w := whole.hi - whole.lo
	lo, hi := new(big.Rat).SetFloat64(whole.lo+(share-fine)*w), new(big.Rat).SetFloat64(whole.lo+(share+fine)*w)
	if lo == nil || hi == nil || lo.Cmp(hi) >= 0 || lo.Cmp(d.Lo) <= 0 || hi.Cmp(d.Hi) >= 0 {
		return nil
	}
	return simplest(lo, hi)
}

// simplest is the fraction of least denominator in [lo, hi], lo < hi, and of those the one nearest to zero. Where an
// expression touches zero inside of a region, it does so at a simple number more often than not, and a box that ends
// there can be decided.
func simplest(lo, hi *big.Rat) *big.Rat {
	switch {
	case lo.Sign() <= 0 && hi.Sign() >= 0:
		return new(big.Rat)
	case hi.Sign() < 0:
		x := simplest(new(big.Rat).Neg(hi), new(big.Rat).Neg(lo))
		return x.Neg(x)
	}
	// By continued fractions: the least whole number if there is one, else the common whole part and the simplest rest.
	whole := new(big.Int).Quo(lo.Num(), lo.Denom())
	if up := new(big.Rat).SetInt(new(big.Int).Add(whole, big.NewInt(1))); lo.IsInt() || up.Cmp(hi) <= 0 {
		if lo.IsInt() {
			return new(big.Rat).Set(lo)
		}
		return up
	}
	w := new(big.Rat).SetInt(whole)
	rest := simplest(new(big.Rat).Inv(new(big.Rat).Sub(hi, w)), new(big.Rat).Inv(new(big.Rat).Sub(lo, w)))
	return w.Add(w, rest.Inv(rest))
}

// further is by how much a half-line that ends at v is cut off: at least 1, and |v|, so that ends double.
func further(v *big.Rat) *big.Rat {
	w := new(big.Rat).Abs(v)
	if one := big.NewRat(1, 1); w.Cmp(one) < 0 {
		return one
	}
	return w
}

// suspect is a point of a box at which the hypotheses seem to hold and the condition to fail: its middle, or the corner at
// which the expression seems to be nearest to failing; nil if neither is one.
func (s *searcher) suspect(b tile, g []span) []*big.Rat {
	middle := middle(b.box)
	c := &s.conditions[b.condition]
	if s.fails(c, middle) {
		return middle
	}
	if g == nil || c.Rel == region.NonZero || c.Rel == region.Null {
		return nil
	}
	corner := slices.Clone(middle)
	for k, i := range c.tape.coords {
		d := b.box[i]
		switch down := g[k].lo + g[k].hi; {
		case down > 0 && d.Lo != nil && !d.LoOpen:
			corner[i] = d.Lo
		case down < 0 && d.Hi != nil && !d.HiOpen:
			corner[i] = d.Hi
		}
	}
	if s.fails(c, corner) {
		return corner
	}
	return nil
}

// middle is a point of a box.
func middle(box []region.Side) []*big.Rat {
	at := make([]*big.Rat, len(box))
	for i, d := range box {
		switch {
		case d.Lo == nil && d.Hi == nil:
			at[i] = new(big.Rat)
		case d.Lo == nil:
			at[i] = new(big.Rat).Sub(d.Hi, big.NewRat(1, 1))
		case d.Hi == nil:
			at[i] = new(big.Rat).Add(d.Lo, big.NewRat(1, 1))
		default:
			at[i] = new(big.Rat).Add(d.Lo, d.Hi)
			at[i].Mul(at[i], big.NewRat(1, 2))
		}
	}
	return at
}

// fails reports whether the hypotheses seem to hold at a point and the condition to fail.
func (s *searcher) fails(c *condition, x []*big.Rat) bool {
	f := make([]float64, len(x))
	for i, v := range x {
		f[i], _ = v.Float64()
	}
	holds := func(c *condition) bool {
		v := c.tape.at(f, s.meter)
		return !math.IsNaN(v) && decides(span{v, v}, [2]bool{}, c.Rel, false)
	}
	if v := c.tape.at(f, s.meter); s.partial || math.IsNaN(v) || holds(c) {
		return false
	}
	for i := range s.hypotheses {
		if !holds(&s.hypotheses[i]) {
			return false
		}
	}
	return true
}
