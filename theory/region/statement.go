package region

import (
	"fmt"
	"math/big"

	"stopgrad/theory/kernel"
)

// Relation is what a condition says of its expression.
type Relation uint8

// The relations.
const (
	NonNegative Relation = iota // e ≥ 0
	Positive                    // e > 0
	NonZero                     // e ≠ 0
	Null                        // e = 0
)

// Condition says something of the sign of an expression.
type Condition struct {
	Expr *Expr
	Rel  Relation
}

// Side is the range of a coordinate: its ends, nil where there is none, and whether they are left out.
type Side struct {
	Lo, Hi         *big.Rat
	LoOpen, HiOpen bool
}

// Shed takes t·Q off a matrix whose definiteness is to be shown: Q is positive semidefinite by hypothesis Hypothesis of Γ,
// and t, a scalar term, is to be shown not to be negative.
type Shed struct {
	Hypothesis int
	Term       *kernel.Term
}

// Statement is a sequent in scalars: coordinates with the box that Γ gives them, what Γ says of them, and what is to be
// shown. It is not safe for concurrent use.
type Statement struct {
	ctx        *kernel.Context
	goal       kernel.Formula
	sheds      []Shed
	g          *graph
	names      []string
	sides      []Side
	hypotheses []Condition
	conditions []Condition

	sizes   map[string]int
	letters map[*kernel.Term]matrix
	shapes  map[*kernel.Term]structure
	terms   map[*kernel.Term]matrix
	ring    *ring
	progs   map[*Expr]*program
	kept    int // nodes of progs
	meter   *Meter
}

type structure struct{ symmetric, skew, diagonal bool }

// State reads a sequent in scalars.
func State(c *kernel.Context, goal kernel.Formula, sheds ...Shed) (*Statement, error) {
	return new(Meter).State(c, goal, sheds...)
}

// State is [State], with its work added to what the meter has counted.
func (m *Meter) State(c *kernel.Context, goal kernel.Formula, sheds ...Shed) (made *Statement, err error) {
	defer caught(&err)
	if err := c.Whole(); err != nil {
		return nil, err
	}
	if c.Time() != kernel.AtState || goal.Form().Temporal() {
		return nil, fmt.Errorf("region: only statements about states are certified over a region, and this is about a %s", c.Time())
	}
	for _, t := range goal.Terms() {
		if t.Signature() != c.Signature() {
			return nil, fmt.Errorf("region: the goal is of another signature")
		}
	}
	if goal.Same(kernel.Formula{}) {
		return nil, fmt.Errorf("region: the goal states nothing")
	}
	if err := c.Closed(goal); err != nil {
		return nil, err
	}
	s := &Statement{ctx: c, goal: goal, sheds: append([]Shed(nil), sheds...), g: newGraph(m), meter: m, sizes: map[string]int{},
		letters: map[*kernel.Term]matrix{}, shapes: map[*kernel.Term]structure{}, terms: map[*kernel.Term]matrix{}, progs: map[*Expr]*program{}}
	s.ring = newRing(s)
	hyps := c.Hypotheses()
	s.meter.charge(assumption * len(hyps))
	for _, h := range hyps {
		s.learn(h.Formula())
	}
	for _, h := range hyps {
		s.hypotheses = append(s.hypotheses, s.assumed(h.Formula())...)
	}
	for _, h := range hyps {
		s.bound(h.Formula())
	}
	for i, x := range s.sides {
		if x.Lo == nil || x.Hi == nil {
			continue
		}
		// Whatever is said of no point is true.
		if c := x.Lo.Cmp(x.Hi); c > 0 || c == 0 && (x.LoOpen || x.HiOpen) {
			refuse("the hypotheses leave no value to %s; they may be proved to be contradictory", s.names[i])
		}
	}
	s.state()
	return s, nil
}

// Names lists the coordinates: a scalar by its name, an entry of a matrix W as W.1.2.
func (s *Statement) Names() []string { return append([]string(nil), s.names...) }

// Box is the range of each coordinate by the hypotheses. Its numbers must not be changed.
func (s *Statement) Box() []Side { return append([]Side(nil), s.sides...) }

// Hypotheses are what Γ says, condition by condition.
func (s *Statement) Hypotheses() []Condition { return append([]Condition(nil), s.hypotheses...) }

// Conditions are what is to be shown, each by a tree of its own.
func (s *Statement) Conditions() []Condition { return append([]Condition(nil), s.conditions...) }

// learn reads the sizes and structures that a hypothesis states.
func (s *Statement) learn(f kernel.Formula) {
	ts := f.Terms()
	put := func(t *kernel.Term, with func(*structure)) {
		if t.Head() == kernel.Letter && !t.Scalar() {
			x := s.shapes[t]
			with(&x)
			s.shapes[t] = x
		}
	}
	switch f.Form() {
	case kernel.Semidefinite, kernel.Definite:
		put(ts[0], func(x *structure) { x.symmetric = true })
	case kernel.Diagonal:
		put(ts[0], func(x *structure) { x.diagonal = true })
	case kernel.Equal:
		l, r := ts[0], ts[1]
		switch {
		case l.Head() == kernel.Size && r.Head() == kernel.Number:
			if v := r.Value(); v.IsInt() && v.Num().IsInt64() && v.Sign() > 0 && v.Num().Int64() < 100 && len(l.Dim().Legs()) == 1 {
				s.sizes[string(l.Dim())] = int(v.Num().Int64())
			}
		case l.Head() == kernel.Transpose && l.Arg(0).Head() == kernel.Letter && r == l.Arg(0):
			put(r, func(x *structure) { x.symmetric = true })
		case l.Head() == kernel.Transpose && r.Head() == kernel.Product && r.Arg(1) == l.Arg(0) && r.Arg(0).Head() == kernel.Number && r.Arg(0).Value().Cmp(big.NewRat(-1, 1)) == 0:
			put(l.Arg(0), func(x *structure) { x.skew = true })
		}
	}
}

// dim is the value of a dimension.
func (s *Statement) dim(d kernel.Dim) int {
	n := 1
	for _, l := range d.Legs() {
		k, ok := s.sizes[l]
		if !ok {
			refuse("the size %s has no value; expected a hypothesis such as size(%s) == 2", l, l)
		}
		if n *= k; n > 100 {
			refuse("a dimension above 100")
		}
	}
	return n
}

func (s *Statement) newCoordinate(name string) *Expr {
	s.names, s.sides = append(s.names, name), append(s.sides, Side{})
	return s.g.coordinate(len(s.names) - 1)
}

// letter is a symbol as coordinates.
//
// Soundness: entries that a hypothesis makes equal are one coordinate, which loses no state at which Γ holds.
func (s *Statement) letter(t *kernel.Term) matrix {
	if m, ok := s.letters[t]; ok {
		return m
	}
	y := t.Symbol()
	switch y.Class() {
	case kernel.Random, kernel.Centred, kernel.Hole:
		refuse("%s has no values of its own", y.Name())
	}
	var m matrix
	if t.Scalar() {
		m = matrix{1, 1, []*Expr{s.newCoordinate(y.Name())}}
	} else {
		r, c := t.Shape()
		m = matrix{rows: s.dim(r), cols: s.dim(c)}
		m.at = make([]*Expr, m.rows*m.cols)
		x := s.shapes[t]
		for i := range m.rows {
			for j := range m.cols {
				at := i*m.cols + j
				switch {
				case i != j && x.diagonal || i == j && x.skew:
					m.at[at] = s.g.integer(0)
				case j < i && x.symmetric:
					m.at[at] = m.at[j*m.cols+i]
				case j < i && x.skew:
					m.at[at] = s.g.negative(m.at[j*m.cols+i])
				default:
					m.at[at] = s.newCoordinate(fmt.Sprintf("%s.%d.%d", y.Name(), i+1, j+1))
				}
			}
		}
	}
	s.letters[t] = m
	return m
}

// read is a pure term in the coordinates.
func (s *Statement) read(t *kernel.Term) matrix {
	if m, ok := s.terms[t]; ok {
		return m
	}
	m := s.readNew(t)
	s.terms[t] = m
	s.meter.charge(2 * expression * (1 + len(m.at)))
	return m
}

func (s *Statement) readNew(t *kernel.Term) matrix {
	g := s.g
	scalar := func(e *Expr) matrix { return matrix{1, 1, []*Expr{e}} }
	each := func(m matrix, f func(*Expr) *Expr) matrix {
		out := matrix{m.rows, m.cols, make([]*Expr, len(m.at))}
		for i, e := range m.at {
			out.at[i] = f(e)
		}
		return out
	}
	unit := func(n int) matrix {
		m := matrix{n, n, make([]*Expr, n*n)}
		for i := range m.at {
			m.at[i] = g.integer(0)
			if i/n == i%n {
				m.at[i] = g.integer(1)
			}
		}
		return m
	}
	multiply := func(a, b matrix) matrix {
		m := matrix{a.rows, b.cols, make([]*Expr, a.rows*b.cols)}
		for i := range a.rows {
			for j := range b.cols {
				e := g.integer(0)
				for k := range a.cols {
					e = g.sum(e, g.product(a.at[i*a.cols+k], b.at[k*b.cols+j]))
				}
				m.at[i*m.cols+j] = e
			}
		}
		return m
	}
	var args []matrix
	for _, a := range t.Args() {
		args = append(args, s.read(a))
	}
	switch t.Head() {
	case kernel.Number:
		return scalar(g.number(t.Value()))
	case kernel.Letter:
		return s.letter(t)
	case kernel.Size:
		return scalar(g.integer(int64(s.dim(t.Dim()))))
	case kernel.Identity:
		return unit(s.dim(t.Dim()))
	case kernel.Zero:
		r, c := t.Shape()
		m := matrix{s.dim(r), s.dim(c), make([]*Expr, s.dim(r)*s.dim(c))}
		return each(m, func(*Expr) *Expr { return g.integer(0) })
	case kernel.Sum:
		m := matrix{args[0].rows, args[0].cols, make([]*Expr, len(args[0].at))}
		for i := range m.at {
			m.at[i] = g.sum(args[0].at[i], args[1].at[i])
		}
		return m
	case kernel.Product:
		switch a, b := t.Arg(0), t.Arg(1); {
		case a.Scalar():
			return each(args[1], func(e *Expr) *Expr { return g.product(args[0].at[0], e) })
		case b.Scalar():
			return each(args[0], func(e *Expr) *Expr { return g.product(args[1].at[0], e) })
		}
		return multiply(args[0], args[1])
	case kernel.Power:
		if t.Scalar() {
			return scalar(g.power(args[0].at[0], t.Exponent()))
		}
		m := unit(args[0].rows)
		for range t.Exponent() {
			m = multiply(m, args[0])
		}
		return m
	case kernel.Trace:
		e := g.integer(0)
		for i := range args[0].rows {
			e = g.sum(e, args[0].at[i*args[0].cols+i])
		}
		return scalar(e)
	case kernel.Transpose:
		m := matrix{args[0].cols, args[0].rows, make([]*Expr, len(args[0].at))}
		for i := range m.rows {
			for j := range m.cols {
				m.at[i*m.cols+j] = args[0].at[j*m.rows+i]
			}
		}
		return m
	case kernel.Reciprocal:
		return scalar(g.reciprocal(args[0].at[0]))
	case kernel.Root:
		return scalar(g.root(args[0].at[0]))
	case kernel.Inverse:
		a := args[0]
		n := a.rows
		over := g.reciprocal(s.minor(a, span(n), span(n)))
		m := matrix{n, n, make([]*Expr, n*n)}
		for i := range n {
			for j := range n {
				e := s.minor(a, without(n, j), without(n, i))
				if (i+j)%2 == 1 {
					e = g.negative(e)
				}
				m.at[i*n+j] = g.product(over, e)
			}
		}
		return m
	}
	refuse("%s is not certified over a region", t.Head())
	return matrix{}
}

// minor is a determinant, of a matrix that is small enough.
func (s *Statement) minor(m matrix, rows, cols []int) *Expr {
	if len(rows) > maxSize {
		refuse("a determinant of more than %d rows", maxSize)
	}
	return s.g.determinant(m, rows, cols)
}

func span(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func without(n, k int) []int {
	return append(span(n)[:k:k], span(n)[k+1:]...)
}

// term is the term without operators that t stands for, in the coordinates.
func (s *Statement) term(t *kernel.Term) matrix {
	u, err := s.ctx.Dynamics().Unfold(t)
	if err != nil {
		refuse("%v", err)
	}
	return s.read(u)
}

// says lists the conditions that together say a formula. For a hypothesis, whatever it implies of this kind may be added.
func (s *Statement) says(f kernel.Formula, hypothesis bool) (out []Condition) {
	g := s.g
	add := func(e *Expr, r Relation) {
		s.meter.charge(4 * expression)
		out = append(out, Condition{e, r})
	}
	if _, ok := f.Count(); ok {
		// Soundness: no sign of an expression says how many zeros there are. What holds nowhere is left, which a theorem on a
		// box, or that the box has no state, answers.
		add(g.integer(0), Positive)
		return out
	}
	var m []matrix
	for _, t := range f.Terms() {
		m = append(m, s.term(t))
	}
	scalar := func() *Expr { return g.difference(m[0].at[0], m[1].at[0]) }
	symmetric := func() {
		for i := range m[0].rows {
			for j := range i {
				add(g.difference(m[0].at[i*m[0].cols+j], m[0].at[j*m[0].cols+i]), Null)
			}
		}
	}
	switch f.Form() {
	case kernel.Equal:
		for i := range m[0].at {
			add(g.difference(m[0].at[i], m[1].at[i]), Null)
		}
	case kernel.AtLeast:
		add(scalar(), NonNegative)
	case kernel.Greater:
		add(scalar(), Positive)
	case kernel.Unequal:
		add(scalar(), NonZero)
	case kernel.Semidefinite, kernel.Definite:
		p := m[0]
		if !hypothesis {
			p = s.shed(p)
		}
		m[0] = p
		symmetric()
		rel := NonNegative
		if f.Form() == kernel.Definite {
			rel = Positive
		}
		// Soundness: of a symmetric matrix. It is positive semidefinite if all principal minors are ≥ 0, definite if the
		// leading ones are > 0; either way all principal minors have the sign.
		if rel == Positive && !hypothesis {
			for k := 1; k <= p.rows; k++ {
				add(s.minor(p, span(k), span(k)), rel)
			}
			break
		}
		if p.rows > maxSize {
			refuse("a matrix of more than %d rows", maxSize)
		}
		for set := 1; set < 1<<p.rows; set++ {
			var in []int
			for i := range p.rows {
				if set>>i&1 == 1 {
					in = append(in, i)
				}
			}
			add(s.minor(p, in, in), rel)
		}
	case kernel.Invertible:
		add(s.minor(m[0], span(m[0].rows), span(m[0].rows)), NonZero)
	case kernel.Diagonal:
		for i, e := range m[0].at {
			if i/m[0].cols != i%m[0].cols {
				add(e, Null)
			}
		}
	case kernel.Within:
		for _, e := range m[0].at {
			add(g.difference(e, m[1].at[0]), NonNegative)
			add(g.difference(m[2].at[0], e), NonNegative)
		}
	case kernel.Absurd:
		add(g.integer(0), Positive)
	default:
		refuse("%s is not certified over a region", f.Form())
	}
	return out
}

// shed takes the sheds off a matrix, and writes its entries out, so that what was taken off is gone from them.
func (s *Statement) shed(p matrix) matrix {
	if len(s.sheds) == 0 {
		return p
	}
	hyps := s.ctx.Hypotheses()
	out := matrix{p.rows, p.cols, append([]*Expr(nil), p.at...)}
	for _, x := range s.sheds {
		if x.Hypothesis < 0 || x.Hypothesis >= len(hyps) || x.Term == nil || x.Term.Signature() != s.ctx.Signature() || !x.Term.Scalar() {
			refuse("what is taken off is a scalar times a matrix of a hypothesis")
		}
		f := hyps[x.Hypothesis].Formula()
		// Soundness: Q is positive semidefinite by hypothesis, and of the shape of P.
		if f.Form() != kernel.Semidefinite && f.Form() != kernel.Definite {
			refuse("hypothesis %d does not say that a matrix is semidefinite", x.Hypothesis)
		}
		q, t := s.term(f.Terms()[0]), s.term(x.Term).at[0]
		if q.rows != p.rows || q.cols != p.cols {
			refuse("what is taken off is of another shape")
		}
		for i := range out.at {
			out.at[i] = s.g.difference(out.at[i], s.g.product(t, q.at[i]))
		}
	}
	for i, e := range out.at {
		out.at[i] = s.ring.spell(e)
	}
	return out
}

// assumed is what a hypothesis says in scalars. One that cannot be read is left out: fewer hypotheses say more.
func (s *Statement) assumed(f kernel.Formula) (out []Condition) {
	var err error
	func() {
		defer caught(&err)
		out = s.says(f, true)
	}()
	if err != nil {
		return nil
	}
	return out
}

// bound narrows the box by a hypothesis.
func (s *Statement) bound(f kernel.Formula) {
	ts := f.Terms()
	low := func(e *Expr, v *big.Rat, open bool) {
		if e.op != Coordinate {
			return
		}
		d := &s.sides[e.n]
		s.meter.charge(d.effort() + effort(v))
		if c := -1; d.Lo != nil {
			if c = d.Lo.Cmp(v); c > 0 || c == 0 && !open {
				return
			}
		}
		d.Lo, d.LoOpen = v, open
	}
	high := func(e *Expr, v *big.Rat, open bool) {
		if e.op != Coordinate {
			return
		}
		d := &s.sides[e.n]
		s.meter.charge(d.effort() + effort(v))
		if c := 1; d.Hi != nil {
			if c = d.Hi.Cmp(v); c < 0 || c == 0 && !open {
				return
			}
		}
		d.Hi, d.HiOpen = v, open
	}
	number := func(t *kernel.Term) bool { return t.Head() == kernel.Number }
	letter := func(t *kernel.Term) *Expr {
		if m, ok := s.letters[t]; ok && t.Scalar() {
			return m.at[0]
		}
		return s.g.integer(0)
	}
	switch f.Form() {
	case kernel.AtLeast, kernel.Greater:
		open := f.Form() == kernel.Greater
		switch {
		case number(ts[1]):
			low(letter(ts[0]), ts[1].Value(), open)
		case number(ts[0]):
			high(letter(ts[1]), ts[0].Value(), open)
		}
	case kernel.Equal:
		if number(ts[1]) {
			low(letter(ts[0]), ts[1].Value(), false)
			high(letter(ts[0]), ts[1].Value(), false)
		}
	case kernel.Within:
		if m, ok := s.letters[ts[0]]; ok && number(ts[1]) && number(ts[2]) {
			for _, e := range m.at {
				low(e, ts[1].Value(), false)
				high(e, ts[2].Value(), false)
			}
		}
	case kernel.Semidefinite, kernel.Definite:
		if m, ok := s.letters[ts[0]]; ok {
			for i := range m.rows {
				low(m.at[i*m.cols+i], new(big.Rat), f.Form() == kernel.Definite)
			}
		}
	}
}

// state lists what is to be shown.
func (s *Statement) state() {
	add := func(list []Condition) {
		for _, c := range list {
			s.meter.charge(expression + len(s.hypotheses) + len(s.conditions))
			known := s.known(c)
			for _, have := range s.conditions {
				known = known || have == c
			}
			if !known {
				s.conditions = append(s.conditions, c)
			}
		}
	}
	for _, t := range s.goal.Ends() {
		if c, ok := s.goal.Count(); !ok || t != c.In {
			add(s.define(t))
		}
	}
	for _, x := range s.sheds {
		if x.Term != nil {
			add(s.define(x.Term))
			add([]Condition{{s.term(x.Term).at[0], NonNegative}})
		}
	}
	switch f := s.goal.Form(); {
	case len(s.sheds) > 0 && f != kernel.Semidefinite && f != kernel.Definite:
		refuse("something is taken off what is no matrix")
	default:
		add(s.says(s.goal, false))
	}
}

// define lists the conditions by which a term has a value, inner ones first.
//
// Soundness: the partial reading. They are read off the terms as the kernel unfolds them, with what it differentiated or
// averaged on the way, before anything is simplified.
func (s *Statement) define(t *kernel.Term) (out []Condition) {
	parts, err := s.ctx.Dynamics().Parts(t)
	if err != nil {
		refuse("%v", err)
	}
	seen := map[*kernel.Term]bool{}
	condition := func(t *kernel.Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Head() {
		case kernel.Reciprocal:
			out = append(out, Condition{s.read(t.Arg(0)).at[0], NonZero})
		case kernel.Root:
			out = append(out, Condition{s.read(t.Arg(0)).at[0], NonNegative})
		case kernel.Inverse:
			m := s.read(t.Arg(0))
			out = append(out, Condition{s.minor(m, span(m.rows), span(m.rows)), NonZero})
		}
	}
	for _, p := range parts {
		for u := range p.Subterms() {
			condition(u)
		}
		s.read(p)
	}
	return out
}

// known reports whether a condition needs no argument: it is one of numbers, an identity, or a hypothesis.
func (s *Statement) known(c Condition) bool {
	if c.Expr.op == Constant {
		return c.Rel.of(c.Expr.value.Sign())
	}
	for _, h := range s.hypotheses {
		if h.Expr == c.Expr && (h.Rel == c.Rel || h.Rel == Positive && c.Rel != Null || h.Rel == Null && c.Rel == NonNegative) {
			return true
		}
	}
	return (c.Rel == Null || c.Rel == NonNegative) && s.ring.vanishes(c.Expr)
}

// of reports whether a number of this sign has the relation to zero.
func (r Relation) of(sign int) bool {
	switch r {
	case NonNegative:
		return sign >= 0
	case Positive:
		return sign > 0
	case NonZero:
		return sign != 0
	}
	return sign == 0
}
