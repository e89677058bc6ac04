package kernel

import (
	"fmt"
	"sort"
	"strings"
)

// Theorem is a proved sequent. Its zero value states nothing, and every rule refuses it.
type Theorem struct{ s *sealed }

type sealed struct {
	ctx      *Context
	goal     Formula
	rule     string
	premises []Theorem
	terms    []*Term
	needs    []Theorem // theorems by which the terms of this step have values
}

// Valid reports whether the theorem states anything.
func (t Theorem) Valid() bool { return t.s != nil }

// Context is Γ of the theorem, nil of the zero Theorem.
func (t Theorem) Context() *Context {
	if t.s == nil {
		return nil
	}
	return t.s.ctx
}

// Formula is φ of the theorem.
func (t Theorem) Formula() Formula {
	if t.s == nil {
		return Formula{}
	}
	return t.s.goal
}

// Rule is the name of the rule that made the theorem.
func (t Theorem) Rule() string {
	if t.s == nil {
		return ""
	}
	return t.s.rule
}

// Premises is a copy of the premises of the last step.
func (t Theorem) Premises() []Theorem {
	if t.s == nil {
		return nil
	}
	return append([]Theorem(nil), t.s.premises...)
}

// Terms is a copy of the terms the last step was given.
func (t Theorem) Terms() []*Term {
	if t.s == nil {
		return nil
	}
	return append([]*Term(nil), t.s.terms...)
}

// Needs lists the theorems by which divisors, radicands and inverses of the last step have values. To replay the
// step they have to be established before it.
func (t Theorem) Needs() []Theorem {
	if t.s == nil {
		return nil
	}
	return append([]Theorem(nil), t.s.needs...)
}

// Closed requires that Γ and φ speak of declared symbols alone, see [Context.Closed].
func (t Theorem) Closed() error {
	if t.s == nil {
		return fmt.Errorf("kernel: this theorem states nothing")
	}
	return t.s.ctx.Closed(t.s.goal)
}

// Closed requires that Γ and a φ speak of declared symbols alone. A hole is none: it stands for something inside a step, and
// sequents are printed without it.
func (c *Context) Closed(f Formula) error {
	open := f.mentionsHole()
	for _, h := range c.hyps {
		open = open || h.formula.mentionsHole()
	}
	if open {
		return fmt.Errorf("kernel: this sequent speaks of a hole, which no statement does")
	}
	return nil
}

// Same reports whether two theorems are one.
func (t Theorem) Same(u Theorem) bool { return t.s == u.s }

// rule checks one inference.
type rule struct {
	time     Time // kind of sequent it concludes; anyTime for motions and orbits alike, allTimes for each
	premises int  // how many; many for any number
	terms    int  // how many; many for any number
	check    func(a *application)
}

const (
	many     = -1
	anyTime  = times     // motion or orbit
	allTimes = times + 1 // state, motion or orbit
)

// application is one use of a rule: what it is asked to conclude from what.
type application struct {
	ctx      *Context
	sig      *Signature
	goal     Formula
	premises []Theorem
	terms    []*Term
	needs    map[*sealed]bool
	order    []Theorem
}

// need records a theorem by which a term of this step has a value.
func (a *application) need(t Theorem) {
	if !a.needs[t.s] {
		a.needs[t.s] = true
		a.order = append(a.order, t)
	}
}

// form requires the goal to be of a form and returns its terms.
func (a *application) form(f Form) []*Term {
	if a.goal.form != f {
		refuse("this rule establishes %s, not %s", f, a.goal.form)
	}
	return a.goal.terms
}

// premise requires the i-th premise, a theorem of the same context, to be of a form and returns its terms.
func (a *application) premise(i int, f Form) []*Term {
	g := a.here(i)
	if g.form != f {
		refuse("premise %d is %s, not %s", i+1, g.form, f)
	}
	return g.terms
}

// here is the formula of the i-th premise, which has to be a theorem of the same context.
func (a *application) here(i int) Formula {
	// Soundness: a theorem of another context holds elsewhere.
	if a.premises[i].s.ctx != a.ctx {
		refuse("premise %d is a theorem of another context", i+1)
	}
	return a.premises[i].s.goal
}

// alwaysPremise requires the i-th premise to be always φ in this context and returns φ.
func (a *application) alwaysPremise(i int) Formula {
	g := a.here(i)
	if g.form != Always {
		refuse("premise %d is %s, not always", i+1, g.form)
	}
	return *g.inner
}

// Apply concludes the goal from premises by a rule, or says why it does not follow. It is the only maker of
// theorems.
func (c *Context) Apply(name string, goal Formula, premises []Theorem, terms ...*Term) (th Theorem, err error) {
	defer caught(&err)
	c.whole()
	r, ok := rules[name]
	if !ok {
		refuse("there is no rule %q; the rules are %s", name, strings.Join(RuleNames(), " "))
	}
	if r.time != c.time && r.time != allTimes && (r.time != anyTime || c.time == AtState) {
		refuse("the rule %s concludes no %s sequent", name, c.time)
	}
	if r.premises != many && len(premises) != r.premises {
		refuse("the rule %s takes %d premise(s), not %d", name, r.premises, len(premises))
	}
	if r.terms != many && len(terms) != r.terms {
		refuse("the rule %s takes %d term(s), not %d", name, r.terms, len(terms))
	}
	if !goal.made || goal.form.Temporal() == (c.time == AtState) {
		refuse("a %s sequent states nothing of this form", c.time)
	}
	if s := goal.signature(); s != nil && s != c.dyn.sig {
		refuse("the goal is of another signature")
	}
	if goal.form.Temporal() && goal.mentionsHole() {
		refuse("a hole has no values over time")
	}
	for i, p := range premises {
		if p.s == nil || p.s.ctx.self != p.s.ctx || p.s.ctx.dyn != c.dyn {
			refuse("premise %d states nothing, or is of other dynamics", i+1)
		}
	}
	for _, t := range terms {
		if !c.dyn.sig.owns(t) {
			refuse("a term of another signature")
		}
	}
	a := &application{ctx: c, sig: c.dyn.sig, goal: goal, premises: append([]Theorem(nil), premises...),
		terms: append([]*Term(nil), terms...), needs: map[*sealed]bool{}}
	c.refill()
	r.check(a)
	if c.time == AtState {
		// Soundness: the partial reading. Every term of the goal has a value wherever Γ holds.
		// Of a count of zeros those are the ends; that its expression has values is for its rule to see.
		for _, t := range goal.Ends() {
			a.define(t)
		}
	}
	made := Theorem{&sealed{c, goal, name, a.premises, a.terms, a.order}}
	if c.time == AtState {
		c.facts.learn(c, made)
	}
	return made, nil
}

// refill gives the next application its share of work.
func (c *Context) refill() { c.norm.work, c.dyn.memo.work = MaxProducts, MaxProducts }

// RuleNames lists the rules, sorted.
func RuleNames() []string {
	names := make([]string, 0, len(rules))
	for n := range rules {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// rules is the table of all inferences, by name; it is filled once, from the tables of the rules_*.go files.
var rules = map[string]rule{}

func init() {
	for _, table := range []map[string]rule{equalRules, orderRules, definiteRules, countRules, motionRules, orbitRules} {
		for name, r := range table {
			if _, twice := rules[name]; twice {
				panic("kernel: two rules called " + name)
			}
			rules[name] = r
		}
	}
}

// facts is what a state context's theorems have established about unfolded terms: which are not zero, not
// negative, invertible.
type facts struct{ nonzero, nonnegative, invertible map[*Term]Theorem }

func newFacts() facts {
	return facts{map[*Term]Theorem{}, map[*Term]Theorem{}, map[*Term]Theorem{}}
}

// learn records a theorem about the value of a term. Terms are recorded unfolded, since that is how divisors,
// radicands and inverses are met.
func (f facts) learn(c *Context, th Theorem) {
	g := th.s.goal
	put := func(m map[*Term]Theorem, t *Term) {
		u := c.dyn.unfold(t).term
		if _, ok := m[u]; !ok {
			m[u] = th
		}
	}
	isZero := func(t *Term) bool { return t.head == Number && t.num.Sign() == 0 }
	switch g.form {
	case Unequal:
		if isZero(g.terms[1]) {
			put(f.nonzero, g.terms[0])
		}
	case Greater:
		if isZero(g.terms[1]) {
			put(f.nonzero, g.terms[0])
			put(f.nonnegative, g.terms[0])
		}
	case AtLeast:
		if isZero(g.terms[1]) {
			put(f.nonnegative, g.terms[0])
		}
	case Invertible, Definite:
		put(f.invertible, g.terms[0])
	}
}

// define requires that a term has a value wherever Γ holds: each divisor is established not to be zero, each
// radicand not to be negative, each inverted matrix to be invertible.
func (a *application) define(t *Term) {
	u := a.ctx.dyn.unfold(t)
	seen := map[*Term]bool{}
	a.defineUnfolded(u.term, seen)
	for _, x := range u.also {
		a.defineUnfolded(x, seen)
	}
	a.sig.spend(len(seen) / 2)
}

func (a *application) defineUnfolded(t *Term, seen map[*Term]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	require := func(m map[*Term]Theorem, x *Term, what string) {
		th, ok := m[x]
		if !ok {
			refuse("needed and not established: %s %s", Print(x), what)
		}
		a.need(th)
	}
	switch t.head {
	case Letter:
		// Soundness: a random column has a value under an expectation only.
		if t.sym.class == Random || t.sym.class == Centred {
			refuse("the random column %s stands outside E", t.sym.name)
		}
	case Reciprocal:
		require(a.ctx.facts.nonzero, t.args[0], "!= 0")
	case Root:
		require(a.ctx.facts.nonnegative, t.args[0], ">= 0")
	case Inverse:
		require(a.ctx.facts.invertible, t.args[0], "invertible")
	}
	for _, x := range t.args {
		a.defineUnfolded(x, seen)
	}
}

// Missing lists, for a term, the pure conditions that a state context still has to establish before the term has a
// value: formulas d != 0, q >= 0, or “A invertible”, inner ones first. Provers ask here; nothing rests on the answer.
func (c *Context) Missing(t *Term) (out []Formula, err error) {
	defer caught(&err)
	c.whole()
	if c.time != AtState || !c.dyn.sig.owns(t) {
		refuse("terms have values at states of their own signature")
	}
	c.refill()
	u := c.dyn.unfold(t)
	var missing []Formula
	seen := map[*Term]bool{}
	var visit func(t *Term)
	visit = func(t *Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, x := range t.args {
			visit(x)
		}
		zero := c.dyn.sig.integer(0)
		switch t.head {
		case Reciprocal:
			if _, ok := c.facts.nonzero[t.args[0]]; !ok {
				missing = append(missing, formula(Unequal, t.args[0], zero))
			}
		case Root:
			if _, ok := c.facts.nonnegative[t.args[0]]; !ok {
				missing = append(missing, formula(AtLeast, t.args[0], zero))
			}
		case Inverse:
			if _, ok := c.facts.invertible[t.args[0]]; !ok {
				missing = append(missing, formula(Invertible, t.args[0]))
			}
		}
	}
	visit(u.term)
	for _, x := range u.also {
		visit(x)
	}
	return missing, nil
}
