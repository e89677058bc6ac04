package sample

import (
	"context"
	"math"
	"math/big"

	"stopgrad/theory/cad"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// CellWork is the work that looking at a statement's cells is worth: some tenths of a second at most.
const CellWork = 4_000_000

// maxCellLetters is how many letters a statement may have whose cells are looked at.
const maxCellLetters = 9

// ratio is a quotient of polynomials.
type ratio struct{ n, d cad.Sum }

// sums reads the kernel's terms as quotients of polynomials in letters: scalar symbols, and roots; where every size is one,
// matrices, too.
type sums struct {
	ones    bool           // every size is one
	letters []*kernel.Term // all that occur, in order; a root by itself
	index   map[*kernel.Term]int
	one     *big.Rat
	// Terms share what is in them, and are longer than any time when they are written out: each is looked at once.
	seen map[*kernel.Term]bool
	read map[*kernel.Term]ratio // quotients, with nil parts of those that are too large
}

func newSums(ones bool) *sums {
	return &sums{ones: ones, index: map[*kernel.Term]int{}, one: big.NewRat(1, 1), seen: map[*kernel.Term]bool{}, read: map[*kernel.Term]ratio{}}
}

// collect lists the letters of a term, false if it is about anything else than scalars, and than matrices of size one.
func (s *sums) collect(t *kernel.Term) bool {
	ok, known := s.seen[t]
	if !known {
		ok = s.collected(t)
		s.seen[t] = ok
	}
	return ok
}

func (s *sums) collected(t *kernel.Term) bool {
	if !t.Scalar() && !s.ones {
		return false
	}
	switch t.Head() {
	case kernel.Number:
		return true
	case kernel.Size, kernel.Identity, kernel.Zero:
		return s.ones
	case kernel.Letter, kernel.Root:
		if t.Head() == kernel.Root && !s.collect(t.Arg(0)) {
			return false
		}
		s.index[t] = len(s.letters)
		s.letters = append(s.letters, t)
		return len(s.letters) <= maxCellLetters
	case kernel.Sum, kernel.Product, kernel.Kronecker:
		return s.collect(t.Arg(0)) && s.collect(t.Arg(1))
	case kernel.Power, kernel.Reciprocal, kernel.Trace, kernel.Transpose, kernel.RowStack, kernel.Inverse:
		return s.collect(t.Arg(0))
	}
	return false
}

// relation is what a formula says as a relation of two terms, of one matrix of size one and 0; false if it is about anything else
// than what is collected. What holds of every matrix of size one has no terms.
func (s *sums) relation(d *kernel.Dynamics, f kernel.Formula) (form kernel.Form, ts []*kernel.Term, ok bool) {
	for _, t := range f.Terms() {
		u, err := d.Unfold(t)
		if err != nil || !s.collect(u) {
			return form, nil, false
		}
		ts = append(ts, u)
	}
	form = f.Form()
	switch form {
	case kernel.Semidefinite:
		form = kernel.AtLeast
	case kernel.Definite:
		form = kernel.Greater
	case kernel.Invertible:
		form = kernel.Unequal
	case kernel.Diagonal:
		return form, nil, true
	}
	if len(ts) == 1 {
		zero, err := d.Signature().Number(new(big.Rat))
		if err != nil {
			return form, nil, false
		}
		s.collect(zero)
		ts = append(ts, zero)
	}
	return form, ts, len(ts) == 2
}

func (s *sums) constant(c *big.Rat) cad.Sum { return cad.Constant(c, len(s.letters)) }

// of is the quotient of a term whose letters are known, false if it is too large.
func (s *sums) of(t *kernel.Term) (r ratio, ok bool) {
	r, known := s.read[t]
	if !known {
		if r, ok = s.quotient(t); !ok {
			r = ratio{}
		}
		s.read[t] = r
	}
	return r, r.n != nil && r.d != nil
}

func (s *sums) quotient(t *kernel.Term) (r ratio, ok bool) {
	unit := s.constant(s.one)
	switch t.Head() {
	case kernel.Number:
		return ratio{s.constant(t.Value()), unit}, true
	case kernel.Size, kernel.Identity:
		return ratio{unit, unit}, true
	case kernel.Zero:
		return ratio{s.constant(new(big.Rat)), unit}, true
	case kernel.Trace, kernel.Transpose, kernel.RowStack:
		return s.of(t.Arg(0))
	case kernel.Letter, kernel.Root:
		return ratio{cad.Letter(s.index[t], len(s.letters)), unit}, true
	case kernel.Power:
		if r, ok = s.of(t.Arg(0)); ok {
			r = ratio{r.n.Power(t.Exponent(), len(s.letters)), r.d.Power(t.Exponent(), len(s.letters))}
		}
	case kernel.Reciprocal, kernel.Inverse:
		if r, ok = s.of(t.Arg(0)); ok {
			r = ratio{r.d, r.n}
		}
	case kernel.Product, kernel.Kronecker:
		a, b, both := s.two(t)
		r, ok = ratio{a.n.Times(b.n), a.d.Times(b.d)}, both
	case kernel.Sum:
		a, b, both := s.two(t)
		if !both {
			return r, false
		}
		if len(a.d.Plus(b.d, big.NewRat(-1, 1))) == 0 {
			return ratio{a.n.Plus(b.n, s.one), a.d}, true
		}
		x, y := a.n.Times(b.d), b.n.Times(a.d)
		if x == nil || y == nil {
			return r, false
		}
		r, ok = ratio{x.Plus(y, s.one), a.d.Times(b.d)}, true
	}
	return r, ok && r.n != nil && r.d != nil
}

func (s *sums) two(t *kernel.Term) (a, b ratio, ok bool) {
	a, x := s.of(t.Arg(0))
	b, y := s.of(t.Arg(1))
	return a, b, x && y
}

// condition is that a relation holds of a − b, with what its divisors need; negated, that it fails where they have values.
func (s *sums) condition(a, b *kernel.Term, form kernel.Form, negated bool) (out []cad.Condition, ok bool) {
	x, u := s.of(a)
	y, v := s.of(b)
	if !u || !v {
		return nil, false
	}
	l, m := x.n.Times(y.d), y.n.Times(x.d)
	d := x.d.Times(y.d)
	if l == nil || m == nil || d == nil {
		return nil, false
	}
	n := l.Plus(m, big.NewRat(-1, 1))
	var rel cad.Relation
	switch form {
	case kernel.AtLeast:
		rel = cad.AtLeast
	case kernel.Greater:
		rel = cad.Greater
	case kernel.Equal:
		rel = cad.Equal
	case kernel.Unequal:
		rel = cad.Unequal
	default:
		return nil, false
	}
	if negated {
		rel = map[cad.Relation]cad.Relation{cad.AtLeast: cad.Greater, cad.Greater: cad.AtLeast, cad.Equal: cad.Unequal, cad.Unequal: cad.Equal}[rel]
		if rel == cad.AtLeast || rel == cad.Greater {
			n = cad.Sum{}.Plus(n, big.NewRat(-1, 1))
		}
	}
	c := cad.Condition{Factors: []cad.Sum{n}, Rel: rel}
	if len(d.Plus(s.constant(s.one), big.NewRat(-1, 1))) == 0 {
		return []cad.Condition{c}, true
	}
	if rel == cad.AtLeast || rel == cad.Greater {
		c.Factors = append(c.Factors, d)
	}
	return []cad.Condition{c, {Factors: []cad.Sum{d}, Rel: cad.Unequal}}, true
}

// Cells looks for a counterexample of a statement about scalars at one state among sample points of the cells on which
// everything that decides it has one sign (package cad), and hands those to package verdict; and for a state where a divisor
// vanishes or a radicand is negative, so that it has no value. Of a statement about matrices it looks at states where every
// size is one. Work bounds the products of machine words. Of a statement about anything else it says nothing.
func Cells(ctx context.Context, part *lang.Part, work int) Result {
	res := Result{Nearest: math.Inf(1)}
	res.Tested.Nearest = math.Inf(1)
	r, err := lang.Elaborate(part)
	if err != nil || r.Context().Time() != kernel.AtState || part.Stmt.Kind == lang.Assumption {
		return res
	}
	d := r.Context().Dynamics()
	all := true
	for _, g := range r.Goals() {
		s := newSums(false)
		form, goal, ok := s.relation(d, g)
		if !ok && len(part.Env.Fixed) == 0 {
			s, all = newSums(true), false // of other sizes nothing is known
			form, goal, ok = s.relation(d, g)
		}
		if !ok || goal == nil {
			all = false
			continue
		}
		whole := true
		var forms []kernel.Form
		var sides [][]*kernel.Term
		for _, h := range r.Context().Hypotheses() {
			switch f, ts, ok := s.relation(d, h.Formula()); {
			case !ok:
				whole = false // left to the model
			case ts != nil:
				forms, sides = append(forms, f), append(sides, ts)
			}
		}
		fails, ok := s.condition(goal[0], goal[1], form, true)
		met, read := s.met(forms, sides)
		roots, rooted := s.roots()
		if !ok || !read || !rooted || len(s.letters) == 0 {
			all = false
			continue
		}
		model := verdict.NewRefuter(part)
		if res.Undefined == "" {
			divisors, radicands := s.undefined(d, g)
			for i, c := range append(divisors, radicands...) {
				conds := append([]cad.Condition{c}, met...)
				if i < len(divisors) {
					conds = append(conds, roots...)
				}
				if res.Undefined = s.withoutValue(ctx, part, model, conds, work/undefinedWork); res.Undefined != "" {
					break
				}
			}
		}
		conds := append(append(fails, met...), roots...)
		asked := 0
		out, err := cad.Search(len(s.letters), conds, work, func(at []cad.Number) bool {
			w, ok := s.witness(part, at)
			if asked++; !ok || !WorthAsking(asked) {
				return false
			}
			v, err := model.At(w)
			if err != nil || !v.Verdict().IsRefuted() {
				return ctx.Err() != nil
			}
			res.Refutation, res.Witness = v, w
			return true
		})
		res.Drawn += out.Points
		if res.Refutation != nil {
			return res
		}
		all = all && whole && err == nil && out.Complete
		res.Cells += out.Points
	}
	if !all {
		res.Cells = 0
	}
	return res
}

// met is that the hypotheses of these forms and sides hold.
func (s *sums) met(forms []kernel.Form, sides [][]*kernel.Term) (conds []cad.Condition, ok bool) {
	for i, ts := range sides {
		c, read := s.condition(ts[0], ts[1], forms[i], false)
		if !read {
			return nil, false
		}
		conds = append(conds, c...)
	}
	return conds, true
}

// roots is that the letters that stand for roots are those of their radicands.
func (s *sums) roots() (conds []cad.Condition, ok bool) {
	for i, w := range s.letters {
		if w.Head() != kernel.Root {
			continue
		}
		q, read := s.of(w.Arg(0))
		if !read {
			return nil, false
		}
		l := cad.Letter(i, len(s.letters))
		square := l.Times(l).Times(q.d)
		if square == nil {
			return nil, false
		}
		conds = append(conds, cad.Condition{Factors: []cad.Sum{square.Plus(q.n, big.NewRat(-1, 1))}, Rel: cad.Equal}, cad.Condition{Factors: []cad.Sum{l}})
	}
	return conds, true
}

// What is looked at of states without a value: so many divisors and radicands, each with this part of the work.
const (
	maxUndefined  = 8
	undefinedWork = 8
)

// undefined lists that a divisor of the goal is zero, and that a radicand is negative: there it has no value, and drawn states
// miss a surface. What cannot be read, or mentions letters that were not collected, is left out.
func (s *sums) undefined(d *kernel.Dynamics, goal kernel.Formula) (divisors, radicands []cad.Condition) {
	seen := map[*kernel.Term]bool{}
	look := func(t *kernel.Term) {
		if t.Head() != kernel.Reciprocal && t.Head() != kernel.Root || seen[t] || !s.seen[t.Arg(0)] || len(divisors)+len(radicands) == maxUndefined {
			return
		}
		seen[t] = true
		switch q, ok := s.of(t.Arg(0)); {
		case !ok:
		case t.Head() == kernel.Reciprocal:
			divisors = append(divisors, cad.Condition{Factors: []cad.Sum{q.n}, Rel: cad.Equal})
		default:
			radicands = append(radicands, cad.Condition{Factors: []cad.Sum{cad.Sum{}.Plus(q.n, big.NewRat(-1, 1)), q.d}, Rel: cad.Greater})
		}
	}
	for _, t := range goal.Terms() {
		parts, err := d.Parts(t)
		if err != nil {
			return nil, nil
		}
		for _, p := range parts {
			for u := range p.Subterms() {
				look(u)
			}
		}
	}
	return divisors, radicands
}

// withoutValue says of a state at which the conditions hold, and that meets all hypotheses, why the part has no value there;
// empty if none is found.
func (s *sums) withoutValue(ctx context.Context, part *lang.Part, model *verdict.Refuter, conds []cad.Condition, work int) (reason string) {
	asked := 0
	_, _ = cad.Search(len(s.letters), conds, work, func(at []cad.Number) bool {
		w, ok := s.witness(part, at)
		if asked++; ok && WorthAsking(asked) {
			if r, err := model.At(w); err == nil && r.Undefined() {
				reason = r.Reason()
			}
		}
		return reason != "" || ctx.Err() != nil
	})
	return reason
}

// witness is a state with these numbers; what the conditions do not mention is drawn.
func (s *sums) witness(part *lang.Part, at []cad.Number) (verdict.Witness, bool) {
	w, _, err := drawAny(eval.Rational{}, NewStream(1, part.Name), part, 1, false)
	if err != nil {
		return w, false
	}
	for i, t := range s.letters {
		if t.Head() == kernel.Root {
			continue
		}
		name := t.Symbol().Name()
		x := at[i]
		if x.B == nil {
			w.Vals[name] = eval.ScalarOf(x.A)
			continue
		}
		if w.Surds == nil {
			w.Surds = map[string]eval.Surd{}
		}
		w.Surds[name] = eval.Surd{A: x.A, B: x.B, C: x.C}
		w.Vals[name] = eval.ScalarOf(w.Surds[name].Near())
	}
	return w, true
}
