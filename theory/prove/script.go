package prove

import (
	"fmt"
	"strings"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// replay follows the part's script and returns the theorems of its goals.
func (p *prover) replay() ([]kernel.Theorem, error) {
	goals := p.reading.Goals()
	if p.part.Stmt.Kind == lang.Assumption {
		// What the script shows is the consequence.
		fs, ok := p.reading.Consequence()
		if !ok {
			return nil, fmt.Errorf("%s: the assumption has no consequence to show", p.part.Pos)
		}
		goals = fs
	}
	return p.follow(p.part.Proof, goals, p.part.Pos)
}

// follow takes the steps of a script, which end with the goals.
func (p *prover) follow(steps []*lang.Step, goals []kernel.Formula, at lang.Pos) ([]kernel.Theorem, error) {
	var done []kernel.Theorem
	for _, st := range steps {
		if done != nil {
			return nil, fmt.Errorf("%s: a step after the statement is established", st.Pos)
		}
		if st.Rule == "fact" || st.Rule == "suppose" {
			if err := p.take(st); err != nil {
				return nil, err
			}
			continue
		}
		ths, err := p.establish(goals, st.Rule, st)
		if err != nil {
			return nil, err
		}
		p.say(st.Rule, st, "", ths)
		done = ths
	}
	if done == nil {
		return nil, fmt.Errorf("%s: the proof stops before its statement", at)
	}
	return done, nil
}

// take follows a step that establishes something on the way.
func (p *prover) take(st *lang.Step) error {
	fs, err := p.reading.Formulas(st.Stmt)
	if err != nil {
		return err
	}
	if st.Rule == "suppose" {
		defer p.leave(p.work, len(p.cases))
		if err := p.suppose(st.Name, fs[0]); err != nil {
			return fmt.Errorf("%s: %w", st.Pos, err)
		}
		p.steps = append(p.steps, Step{"suppose", st.Name + ": " + st.Stmt.Text})
		for _, below := range st.Steps {
			if err := p.take(below); err != nil {
				return err
			}
		}
		return nil
	}
	var ths []kernel.Theorem
	by := st.By
	if st.Cites != nil {
		by = st.Cites.String()
		ths, err = p.cite(fs, st)
	} else {
		ths, err = p.establish(fs, st.By, st)
	}
	if err != nil {
		return err
	}
	p.say(by, st, st.Name+": ", ths)
	p.facts[st.Name] = ths
	for _, th := range ths {
		if th.Context() == p.work.ctx {
			p.work.learn(th)
		}
	}
	return nil
}

// suppose goes on where a formula holds, too, under whose name it is known there.
func (p *prover) suppose(name string, f kernel.Formula) error {
	s := p.extended(p.work, f)
	if !s.hypothesis(f).Valid() {
		for _, t := range f.Terms() {
			if err := s.define(t); err != nil {
				return s.explain(err)
			}
		}
		return fmt.Errorf("%s: what is supposed has no value here", name)
	}
	p.work = s
	p.cases = append(p.cases, supposed{name, f})
	for _, c := range p.cases {
		p.facts[c.name] = []kernel.Theorem{s.hypothesis(c.formula)}
	}
	return nil
}

// supposed is the hypothesis of a case.
type supposed struct {
	name    string
	formula kernel.Formula
}

// leave goes back to a context with so many cases around it, where their hypotheses are known by their names again.
func (p *prover) leave(outer *state, cases int) {
	p.work, p.cases = outer, p.cases[:cases]
	for _, c := range p.cases {
		p.facts[c.name] = []kernel.Theorem{outer.hypothesis(c.formula)}
	}
}

// say records a step of the script: the rule with its argument, and what the theorems state.
func (p *prover) say(rule string, st *lang.Step, name string, ths []kernel.Theorem) {
	switch {
	case st.Apply != "":
		rule += " " + st.Apply
	case st.Expr != nil:
		rule += " " + lang.Unicode(st.Expr)
	case st.Uses != "":
		rule += " " + st.Uses
	}
	if st.Apply == "" {
		for _, e := range st.More {
			rule += ", " + lang.Unicode(e)
		}
	}
	if len(st.From) > 0 {
		rule += " to " + strings.Join(st.From, ", ")
	}
	p.found(rule, name, ths...)
}

// found records a step that established theorems.
func (p *prover) found(rule, name string, ths ...kernel.Theorem) {
	fs := make([]kernel.Formula, len(ths))
	for i, th := range ths {
		fs[i] = th.Formula()
	}
	says, err := p.reading.Say(fs...)
	if err != nil {
		says = err.Error()
	}
	p.steps = append(p.steps, Step{rule, name + says})
}

// establish proves formulas by one step of a script.
func (p *prover) establish(fs []kernel.Formula, rule string, st *lang.Step) ([]kernel.Theorem, error) {
	switch rule {
	case "integrate", "gronwall", "monotone":
		// The search may know better, but a script that names what is not there is wrong.
		if _, assumed := p.reading.Hypothesis(st.Uses); p.facts[st.Uses] == nil && (!assumed || p.citing > 0) {
			return nil, fmt.Errorf("%s: %s: there is no fact called %s", st.Pos, rule, st.Uses)
		}
	case "follows":
		return p.follows(fs, st)
	}
	ths := make([]kernel.Theorem, len(fs))
	for i, f := range fs {
		th, err := p.one(f, rule, st)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", st.Pos, rule, err)
		}
		ths[i] = th
	}
	return ths, nil
}

var errForm = fmt.Errorf("this rule does not establish a statement of this form")

func (p *prover) one(f kernel.Formula, rule string, st *lang.Step) (kernel.Theorem, error) {
	if f.Form() == kernel.Always {
		th, err := p.one(f.Inner(), rule, st)
		if err != nil {
			return th, err
		}
		return p.lift(p.work, th)
	}
	if rule == "apply" {
		return p.applied(f, st)
	}
	if !f.Form().Temporal() {
		p.work.why = nil
		switch rule {
		case "expand":
			return p.expand(f)
		case "modulo":
			return p.modulo(f, st)
		case "manifest":
			return p.manifest(f, st)
		case "sturm":
			return p.sturm(f, st)
		case "count":
			return p.counted(f, st)
		}
		return kernel.Theorem{}, errForm
	}
	p.base.why = nil
	switch {
	case rule == "integrate" && f.Form() == kernel.Evolves:
		return p.evolves(f)
	case rule == "gronwall" && (f.Form() == kernel.NormDecays || f.Form() == kernel.Decays):
		return p.decays(f)
	case rule == "gronwall" && f.Form() == kernel.Vanishes:
		return p.vanishes(f, p.facts[st.Uses])
	case rule == "congruence" && (f.Form() == kernel.Congruence || f.Form() == kernel.StaySemidefinite):
		a, err := p.reading.TermOfShape(st.Expr, f.Terms()[0])
		if err != nil {
			return kernel.Theorem{}, err
		}
		if len(st.More) == 0 {
			return p.congruence(f, a)
		}
		n, err := p.reading.TermOfShape(st.More[0], f.Terms()[0])
		if err != nil {
			return kernel.Theorem{}, err
		}
		return p.congruenceWith(f, a, n)
	case rule == "barrier" && f.Form() >= kernel.StayZero && f.Form() <= kernel.StayPositive && len(f.Terms()) == 1+len(st.More):
		return p.scriptedBarrier(f, st)
	case rule == "monotone" && f.Form() == kernel.Tends:
		return p.line(f)
	}
	return kernel.Theorem{}, errForm
}

// scriptedBarrier is the barrier with right-hand sides in terms of [self], or of [self1], [self2], ….
func (p *prover) scriptedBarrier(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	ls := f.Terms()
	zero := map[string]kernel.Formula{}
	for i, l := range ls {
		zero[lang.Self(i, len(ls))] = p.formula(kernel.Equal, l, p.null(l))
	}
	letters := map[string]*kernel.Term{}
	var cs []*kernel.Term
	for i, e := range append([]*lang.Expr{st.Expr}, st.More...) {
		c, holes, names, err := p.reading.Combination(e, zero, ls[i])
		if err != nil {
			return kernel.Theorem{}, err
		}
		for j, n := range names {
			letters[n] = holes[j]
		}
		cs = append(cs, c)
	}
	holes := make([]*kernel.Term, len(ls))
	for i, l := range ls {
		if holes[i] = letters[lang.Self(i, len(ls))]; holes[i] == nil {
			holes[i] = p.holes(l, i)
		}
	}
	return p.barrier(f, cs, holes)
}

// fact is the theorem that a script knows by name: of a step, or of a hypothesis.
func (p *prover) fact(name string) (kernel.Theorem, error) {
	if ths := p.facts[name]; len(ths) == 1 {
		return ths[0], nil
	} else if len(ths) > 1 {
		return kernel.Theorem{}, fmt.Errorf("%s states several things; expected the name of one", name)
	}
	if p.citing == 0 {
		if f, ok := p.reading.Hypothesis(name); ok {
			if th := p.work.hypothesis(f); th.Valid() {
				return th, nil
			}
		}
		for i, f := range p.reading.Kept() {
			if name == fmt.Sprintf("%c%d", "hd"[i%2], i/2+1) {
				if th := p.work.hypothesis(f); th.Valid() {
					return th, nil
				}
			}
		}
	}
	return kernel.Theorem{}, fmt.Errorf("there is no hypothesis or fact called %s here", name)
}

// applied applies a rule of the kernel to facts by name.
func (p *prover) applied(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	var none kernel.Theorem
	var premises []kernel.Theorem
	for _, n := range st.From {
		th, err := p.fact(n)
		if err != nil {
			return none, err
		}
		premises = append(premises, th)
	}
	var terms []*kernel.Term
	if st.Expr != nil {
		for _, e := range append([]*lang.Expr{st.Expr}, st.More...) {
			t, err := p.reading.Term(e)
			if err != nil {
				return none, err
			}
			terms = append(terms, t)
		}
	}
	if f.Form().Temporal() {
		// Rules about time may rest on what is kept.
		th, err := p.over(st.Apply, f, premises, terms...)
		if err != nil && len(p.kept) > 0 {
			if kept, e := p.over(st.Apply, f, append(premises, p.kept...), terms...); e == nil {
				return kept, nil
			}
		}
		return th, err
	}
	p.work.why = nil
	th, err := p.work.apply(st.Apply, f, premises, terms...)
	if err != nil {
		return none, p.work.explain(err)
	}
	return th, nil
}

// follows takes facts for what is to be established, one each.
func (p *prover) follows(fs []kernel.Formula, st *lang.Step) ([]kernel.Theorem, error) {
	if len(fs) != len(st.From) {
		return nil, fmt.Errorf("%s: %d facts for %d statements", st.Pos, len(st.From), len(fs))
	}
	ths := make([]kernel.Theorem, len(fs))
	for i, n := range st.From {
		th, err := p.fact(n)
		if err == nil {
			th, err = p.restate(fs[i], th)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", st.Pos, n, err)
		}
		ths[i] = th
	}
	return ths, nil
}

func (p *prover) expand(f kernel.Formula) (kernel.Theorem, error) {
	if f.Form() != kernel.Equal {
		return kernel.Theorem{}, errForm
	}
	th, err := p.work.apply("modulo", f, nil)
	if err != nil {
		return th, p.work.explain(err)
	}
	return th, nil
}

// modulo replays L − R = C, each term of which contains what is known to be zero.
func (p *prover) modulo(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	var none kernel.Theorem
	if f.Form() != kernel.Equal {
		return none, errForm
	}
	zero := map[string]kernel.Formula{}
	from := map[string]kernel.Theorem{}
	add := func(name string, th kernel.Theorem) {
		if th.Valid() && th.Context() == p.work.ctx && th.Formula().Form() == kernel.Equal {
			zero[name], from[name] = th.Formula(), th
		}
	}
	for name, ths := range p.facts {
		if len(ths) == 1 {
			add(name, ths[0])
		}
	}
	if p.citing == 0 {
		for _, a := range p.part.Assumes {
			if g, ok := p.reading.Hypothesis(a.Name); ok {
				add(a.Name, p.work.hypothesis(g))
			}
		}
		for i, f := range p.reading.Kept() {
			add(fmt.Sprintf("%c%d", "hd"[i%2], i/2+1), p.work.hypothesis(f))
		}
	}
	c, holes, names, err := p.reading.Combination(st.Expr, zero, f.Terms()[0])
	if err != nil {
		return none, err
	}
	var premises []kernel.Theorem
	for _, n := range names {
		premises = append(premises, from[n])
	}
	th, err := p.work.apply("modulo", f, premises, append([]*kernel.Term{c}, holes...)...)
	if err != nil {
		return none, p.work.explain(err)
	}
	return th, nil
}

// hypothesis is the theorem of a hypothesis of this context, the zero theorem if there is none.
func (s *state) hypothesis(f kernel.Formula) kernel.Theorem {
	for i, h := range s.hyps {
		if h.Same(f) {
			return s.theorem[i]
		}
	}
	return kernel.Theorem{}
}

// manifest proves a sign by that of the equal term that the script gives.
func (p *prover) manifest(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	var none kernel.Theorem
	ts := f.Terms()
	k, ok := stated(f.Form())
	if !ok {
		return none, errForm
	}
	m, err := p.reading.TermOfShape(st.Expr, ts[0])
	if err != nil {
		return none, err
	}
	s := p.work
	for _, t := range append(ts, m) {
		if err := s.define(t); err != nil {
			return none, s.explain(err)
		}
	}
	th, ok := s.prove(k, m)
	if !ok {
		return none, s.explain(fmt.Errorf("%s is not manifestly %s", lang.Unicode(st.Expr), kindWords[k]))
	}
	th, err = s.apply("transport", f, []kernel.Theorem{th})
	if err != nil {
		return none, s.explain(err)
	}
	return th, nil
}

// explain adds to an error which factor the sign search was missing and what is known of it.
func (s *state) explain(err error) error {
	if s.why == nil {
		return err
	}
	w := s.why
	known := ""
	for k := nonnegative; k <= diagonal; k++ {
		if k == w.kind || (k <= nonzero) != w.term.Scalar() {
			continue
		}
		if _, ok := s.known(k, w.term); ok {
			known = kindWords[k]
		}
	}
	if known == "" {
		known = "nothing is known of it"
	} else {
		known = "known to be " + known + " only"
	}
	return fmt.Errorf("%w; %s is not known to be %s (%s)", err, kernel.Print(w.term), kindWords[w.kind], known)
}

// counted proves a count of zeros by the points that a script gives, its pieces by search.
func (p *prover) counted(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	c, ok := f.Count()
	if !ok {
		return kernel.Theorem{}, errForm
	}
	var cuts []*kernel.Term
	if st.Expr != nil {
		for _, e := range append([]*lang.Expr{st.Expr}, st.More...) {
			t, err := p.reading.Term(e)
			if err != nil {
				return kernel.Theorem{}, err
			}
			cuts = append(cuts, t)
		}
	}
	p.levels = allLevels
	s := p.work
	for _, t := range append(f.Ends(), cuts...) {
		if err := s.define(t); err != nil {
			return kernel.Theorem{}, s.explain(err)
		}
	}
	th, err := s.pieces(f, cuts, s.views(c))
	if err != nil {
		return th, s.explain(err)
	}
	return th, nil
}

// sturm proves the sign of a polynomial in one symbol on its domain.
func (p *prover) sturm(f kernel.Formula, st *lang.Step) (kernel.Theorem, error) {
	x := p.sig.Lookup(st.Uses)
	if x == nil || !x.Scalar() {
		return kernel.Theorem{}, fmt.Errorf("there is no scalar %s", st.Uses)
	}
	return p.work.univariate(f, x)
}
