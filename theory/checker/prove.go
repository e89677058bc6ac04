package checker

import (
	"fmt"
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/symbolic"
)

var zeroRat = new(big.Rat)

// Line is one step of a replayed derivation, for readers.
type Line struct {
	Rule  string // the rule as applied
	Says  string // what the step establishes
	Terms int    // monomials compared
}

// Proof is the outcome of replaying a part's script.
type Proof struct {
	verdict Verdict
	lines   []Line
	failure error
}

// Verdict is proved if the whole script replayed, undecided otherwise.
func (p *Proof) Verdict() Verdict { return p.verdict }

// Lines is the derivation, as far as it went.
func (p *Proof) Lines() []Line { return p.lines }

// Failure says why the script did not replay; nil if it did.
func (p *Proof) Failure() error { return p.failure }

// prover replays one script.
type prover struct {
	part  *lang.Part
	env   *lang.Env
	eng   *symbolic.Engine
	signs *signs
	facts map[string]*lang.Stmt
	lines []Line
}

// Prove replays the proof script of a part. It never returns nil.
func Prove(part *lang.Part) *Proof {
	if part.Fault != nil {
		return &Proof{failure: part.Fault}
	}
	if part.Stmt.Kind == lang.Sampled {
		return &Proof{failure: fmt.Errorf("checker: %s: a statement in words has no proof", part.Pos)}
	}
	if len(part.Proof) == 0 {
		return &Proof{failure: fmt.Errorf("checker: %s: no proof is given", part.Pos)}
	}
	p := &prover{part: part, env: part.Env, facts: map[string]*lang.Stmt{}}
	err := p.replay()
	if err != nil {
		return &Proof{lines: p.lines, failure: err}
	}
	if part.Stmt.Kind == lang.Assumption {
		// The consequence follows; that it is also false is for a witness to show.
		return &Proof{lines: p.lines, failure: fmt.Errorf("checker: %s: the consequence follows from the assumption and awaits a counterexample", part.Pos)}
	}
	// Soundness: the only place that makes "proved".
	return &Proof{verdict: Verdict{proved}, lines: p.lines}
}

func (p *prover) replay() error {
	var err error
	if p.eng, err = symbolic.New(p.env); err != nil {
		return err
	}
	p.signs = &signs{env: p.env, eng: p.eng, instant: isInstant(p.part.Stmt.Kind)}
	for _, a := range p.part.Assumes {
		p.facts[a.Name] = a.Stmt
		p.signs.learn(a.Stmt)
	}
	if s := p.part.Stmt; s.Kind == lang.Tends {
		p.signs.facts = append(p.signs.facts, knownSign{lang.NewBin(lang.Sub, s.L, s.Lo), true, false},
			knownSign{lang.NewBin(lang.Sub, s.Hi, s.L), true, false})
	}
	if err := p.structureHolds(); err != nil {
		return err
	}
	done := false
	for _, st := range p.part.Proof {
		if done {
			return fmt.Errorf("checker: %s: a step after the statement is established", st.Pos)
		}
		goal, rule := p.part.Stmt, st.Rule
		if st.Rule == "fact" {
			goal, rule = st.Stmt, st.By
		} else if goal.Kind == lang.Assumption {
			goal = p.part.Consequence
		}
		terms, err := p.establish(goal, rule, st)
		if err != nil {
			return err
		}
		p.lines = append(p.lines, Line{Rule: describeRule(rule, st), Says: goal.Text, Terms: terms})
		if st.Rule == "fact" {
			p.facts[st.Name] = st.Stmt
			p.signs.learn(st.Stmt)
		} else {
			done = true
		}
	}
	if !done {
		return fmt.Errorf("checker: %s: the proof stops before its statement", p.part.Pos)
	}
	return nil
}

// isInstant reports whether statements of this form are about single states.
func isInstant(k lang.StmtKind) bool {
	switch k {
	case lang.Equality, lang.Inequality, lang.Definite, lang.Stationary, lang.Assumption:
		return true
	}
	return false
}

func describeRule(rule string, st *lang.Step) string {
	switch {
	case st.Expr != nil:
		return rule + " " + lang.Unicode(st.Expr)
	case st.Uses != "":
		return rule + " " + st.Uses
	}
	return rule
}

// structureHolds checks that the flow keeps the structure its state variables declare for all time.
//
// Soundness: the algebra replaces Aᵀ by A for a symmetric state variable at every time, which is right only
// if the right-hand side is symmetric too; restricted symbols claim their structure at one instant only, so
// no statement about all times may be made of them.
func (p *prover) structureHolds() error {
	if p.env.Flow == nil {
		return nil
	}
	for _, q := range p.env.Flow {
		s := p.env.Symbols[q.Name]
		if s.Kind != lang.Matrix || s.Attr == 0 {
			continue
		}
		if p.env.Restricted[q.Name] {
			if isInstant(p.part.Stmt.Kind) {
				continue
			}
			return fmt.Errorf("checker: %s: %s is restricted at one instant, and the statement is about all times", p.part.Pos, q.Name)
		}
		if s.Attr != lang.Symmetric && s.Attr != lang.Skew {
			return fmt.Errorf("checker: %s: only symmetric or skew state variables are supported", s.Pos)
		}
		sign := lang.Sub
		if s.Attr == lang.Skew {
			sign = lang.Add
		}
		v, err := p.eng.Eval(lang.NewBin(sign, q.RHS, &lang.Expr{Kind: lang.Trans, Pos: q.Pos, Args: []*lang.Expr{q.RHS}}))
		if err != nil {
			return err
		}
		if !v.IsZero() {
			return fmt.Errorf("checker: %s: the flow does not keep %s's declared symmetry", q.Pos, q.Name)
		}
	}
	return nil
}

// establish proves one statement by one rule and returns the number of monomials compared.
func (p *prover) establish(s *lang.Stmt, rule string, st *lang.Step) (int, error) {
	for _, x := range []*lang.Expr{s.L, s.R, s.Rate, s.Lo, s.Hi, st.Expr} {
		if x != nil {
			if bad := p.signs.dividesByNonzero(x); bad != nil {
				return 0, fmt.Errorf("checker: %s: division by %s, which is not known to be nonzero", bad.Pos, lang.Unicode(bad))
			}
		}
	}
	for _, eqs := range [][]*lang.Equation{s.Assign, p.env.Flow, p.env.Map} {
		for _, q := range eqs {
			if bad := p.signs.dividesByNonzero(q.RHS); bad != nil {
				return 0, fmt.Errorf("checker: %s: division by %s, which is not known to be nonzero", bad.Pos, lang.Unicode(bad))
			}
		}
	}
	switch rule {
	case "expand":
		return p.expand(s, st)
	case "modulo":
		return p.modulo(s, st)
	case "manifest":
		return p.manifest(s, st)
	case "sturm":
		return p.sturm(s, st)
	case "integrate":
		return p.integrate(s, st)
	case "gronwall":
		return p.gronwall(s, st)
	case "congruence":
		return p.congruence(s, st)
	case "barrier":
		return p.barrier(s, st)
	case "monotone":
		return p.monotone(s, st)
	}
	return 0, fmt.Errorf("checker: %s: unknown rule %s", st.Pos, rule)
}

func (p *prover) wrongForm(rule string, st *lang.Step) error {
	return fmt.Errorf("checker: %s: the rule %s does not establish a statement of this form", st.Pos, rule)
}

// zero requires l − r to have normal form zero.
func (p *prover) zero(l, r *lang.Expr, st *lang.Step) (int, error) {
	v, err := p.eng.Difference(l, r)
	if err != nil {
		return 0, err
	}
	if !v.IsZero() {
		return 0, fmt.Errorf("checker: %s: the two sides differ by %d term(s): %s", st.Pos, v.Size(), p.eng.Format(v))
	}
	a, err := p.eng.Eval(l)
	if err != nil {
		return 0, err
	}
	return a.Size(), nil
}

func (p *prover) expand(s *lang.Stmt, st *lang.Step) (int, error) {
	switch s.Kind {
	case lang.Equality:
		return p.zero(s.L, s.R, st)
	case lang.Stationary:
		vs, err := p.eng.Stationary(s.Assign)
		if err != nil {
			return 0, err
		}
		for i, v := range vs {
			if !v.IsZero() {
				return 0, fmt.Errorf("checker: %s: the right-hand side for %s is not zero there: %s", st.Pos, p.env.Flow[i].Name, p.eng.Format(v))
			}
		}
		return len(vs), nil
	}
	return 0, p.wrongForm("expand", st)
}

// combination evaluates a proof's expression in which [name] stands for a quantity known to be zero (or for
// the statement's own left side, [self]), and requires that it vanishes when all of these do. It returns
// the expression with the quantities put back.
//
// Soundness: an element of the ideal generated by the hypotheses vanishes where they hold.
func (p *prover) combination(x *lang.Expr, zero map[string]*lang.Expr, st *lang.Step) (*symbolic.Value, error) {
	with := map[string]*symbolic.Value{}
	for name, h := range zero {
		v, err := p.eng.Eval(h)
		if err != nil {
			return nil, err
		}
		if with[name], err = p.eng.Thaw(v); err != nil {
			return nil, err
		}
		if _, err := p.eng.BindHypothesis(name, with[name]); err != nil {
			return nil, err
		}
	}
	v, err := p.eng.Eval(x)
	if err != nil {
		return nil, err
	}
	gone, err := p.eng.ReplaceHypotheses(v, nil)
	if err != nil {
		return nil, err
	}
	if !gone.IsZero() {
		return nil, fmt.Errorf("checker: %s: a term of the combination contains no hypothesis: %s", st.Pos, p.eng.Format(gone))
	}
	return p.eng.ReplaceHypotheses(v, with)
}

func (p *prover) equalities() map[string]*lang.Expr {
	zero := map[string]*lang.Expr{}
	for name, s := range p.facts {
		if s.Kind == lang.Equality {
			zero[name] = lang.NewBin(lang.Sub, s.L, s.R)
		}
	}
	if p.part.Stmt.Kind == lang.Assumption {
		for i, q := range p.part.Stmt.Assign {
			n := string(rune('1' + i))
			zero["h"+n] = q.RHS
			zero["d"+n] = lang.NewCall(q.Pos, "ddt", q.RHS)
		}
	}
	return zero
}

func (p *prover) modulo(s *lang.Stmt, st *lang.Step) (int, error) {
	if s.Kind != lang.Equality {
		return 0, p.wrongForm("modulo", st)
	}
	c, err := p.combination(st.Expr, p.equalities(), st)
	if err != nil {
		return 0, err
	}
	d, err := p.eng.Difference(s.L, s.R)
	if err != nil {
		return 0, err
	}
	rest, err := p.eng.Minus(d, c)
	if err != nil {
		return 0, err
	}
	if !rest.IsZero() {
		return 0, fmt.Errorf("checker: %s: the combination misses the statement by %s", st.Pos, p.eng.Format(rest))
	}
	return c.Size(), nil
}

func (p *prover) manifest(s *lang.Stmt, st *lang.Step) (int, error) {
	switch s.Kind {
	case lang.Inequality:
		l, r := s.L, s.R
		if s.Rel == "<=" || s.Rel == "<" {
			l, r = r, l
		}
		n, err := p.zero(lang.NewBin(lang.Sub, l, r), st.Expr, st)
		if err != nil {
			return 0, err
		}
		nonneg, strict := p.signs.scalar(st.Expr)
		if !nonneg || !strict && (s.Rel == ">" || s.Rel == "<") {
			return 0, fmt.Errorf("checker: %s: %s is not manifestly %s", st.Pos, lang.Unicode(st.Expr), map[bool]string{true: "positive", false: "nonnegative"}[s.Rel == ">" || s.Rel == "<"])
		}
		return n, nil
	case lang.Definite:
		if s.Strict {
			return 0, p.wrongForm("manifest", st)
		}
		n, err := p.zero(s.L, st.Expr, st)
		if err != nil {
			return 0, err
		}
		if !p.signs.psd(st.Expr) {
			return 0, fmt.Errorf("checker: %s: %s is not manifestly positive semidefinite", st.Pos, lang.Unicode(st.Expr))
		}
		return n, nil
	}
	return 0, p.wrongForm("manifest", st)
}

func (p *prover) sturm(s *lang.Stmt, st *lang.Step) (int, error) {
	sym := p.env.Symbols[st.Uses]
	if s.Kind != lang.Inequality || sym == nil || sym.Kind != lang.Scalar || sym.Root != nil || p.env.Equation(st.Uses) != nil {
		return 0, p.wrongForm("sturm", st)
	}
	l, r := s.L, s.R
	if s.Rel == "<=" || s.Rel == "<" {
		l, r = r, l
	}
	v, err := p.eng.Difference(l, r)
	if err != nil {
		return 0, err
	}
	num, den, ok := p.eng.Ring.Univariate(v.S, st.Uses)
	if !ok {
		return 0, fmt.Errorf("checker: %s: a symbol other than %s occurs", st.Pos, st.Uses)
	}
	d := sym.Domain
	sn, ok1 := num.SignOn(d.Lo, d.Hi, d.LoOpen, d.HiOpen)
	sd, ok2 := den.SignOn(d.Lo, d.Hi, d.LoOpen, d.HiOpen)
	// Soundness: a constant sign on the whole domain decides; a touching zero is not accepted even for ≥.
	if !ok1 || !ok2 || sn*sd <= 0 {
		return 0, fmt.Errorf("checker: %s: the sign is not constant and positive on the domain of %s", st.Pos, st.Uses)
	}
	return num.Degree() + 1, nil
}

// constant requires an expression that does not move along the flow.
func (p *prover) constant(x *lang.Expr, st *lang.Step) error {
	if p.env.Moves(&lang.Stmt{L: x}) {
		return fmt.Errorf("checker: %s: the rate %s moves along the flow", st.Pos, lang.Unicode(x))
	}
	return nil
}

func ddt(x *lang.Expr) *lang.Expr { return lang.NewCall(x.Pos, "ddt", x) }

// usesFact requires that the named fact states l == r or l ≥ r, up to rearrangement.
func (p *prover) usesFact(st *lang.Step, kind lang.StmtKind, l, r *lang.Expr) (int, error) {
	f := p.facts[st.Uses]
	if f == nil {
		return 0, fmt.Errorf("checker: %s: there is no fact called %s", st.Pos, st.Uses)
	}
	if f.Kind != kind {
		return 0, fmt.Errorf("checker: %s: %s is a statement of another form", st.Pos, st.Uses)
	}
	fl, fr := f.L, f.R
	if f.Rel == "<=" || f.Rel == "<" {
		fl, fr = fr, fl
	}
	n, err := p.zero(lang.NewBin(lang.Sub, l, r), lang.NewBin(lang.Sub, fl, fr), st)
	if err != nil {
		return 0, fmt.Errorf("checker: %s: %s does not say what the rule needs: %w", st.Pos, st.Uses, err)
	}
	return n, nil
}

func (p *prover) integrate(s *lang.Stmt, st *lang.Step) (int, error) {
	if s.Kind != lang.Evolves {
		return 0, p.wrongForm("integrate", st)
	}
	if err := p.constant(s.Rate, st); err != nil {
		return 0, err
	}
	return p.usesFact(st, lang.Equality, ddt(s.L), lang.NewBin(lang.Mul, s.Rate, s.L))
}

func (p *prover) gronwall(s *lang.Stmt, st *lang.Step) (int, error) {
	switch s.Kind {
	case lang.Decays:
		if err := p.constant(s.Rate, st); err != nil {
			return 0, err
		}
		e := eval.EnergyInequality(s)
		return p.usesFact(st, lang.Inequality, e.L, e.R)
	case lang.Vanishes:
		f := p.facts[st.Uses]
		if f == nil || f.Kind != lang.Decays && f.Kind != lang.Evolves {
			return 0, fmt.Errorf("checker: %s: %s states no rate of decay", st.Pos, st.Uses)
		}
		rate := f.Rate
		if f.Kind == lang.Evolves {
			rate = &lang.Expr{Kind: lang.Neg, Pos: f.Pos, Args: []*lang.Expr{f.Rate}}
			if f.Rate.Kind == lang.Neg {
				rate = f.Rate.Args[0]
			} else if f.Rate.Kind == lang.Mul && f.Rate.Args[0].Kind == lang.Neg {
				rate = lang.NewBin(lang.Mul, f.Rate.Args[0].Args[0], f.Rate.Args[1])
			}
		}
		if _, strict := p.signs.scalar(rate); !strict {
			return 0, fmt.Errorf("checker: %s: the rate %s is not known to be positive", st.Pos, lang.Unicode(rate))
		}
		if f.Kind == lang.Decays && !f.Norm {
			// Soundness: an upper bound that tends to zero says something only of a nonnegative quantity.
			if nonneg, _ := p.signs.scalar(f.L); !nonneg {
				return 0, fmt.Errorf("checker: %s: %s is not known to be nonnegative", st.Pos, lang.Unicode(f.L))
			}
		}
		return p.vanishing(s, f, st)
	}
	return 0, p.wrongForm("gronwall", st)
}

// vanishing requires that the statement's quantity is the fact's, or is bounded by it: for a scalar fact
// V → 0 that is a manifest sum of nonnegative terms, the square of the quantity must be one of the terms.
func (p *prover) vanishing(s, f *lang.Stmt, st *lang.Step) (int, error) {
	if p.signs.same(s.L, f.L) {
		return 1, nil
	}
	if f.Kind == lang.Decays && !f.Norm {
		var terms []*lang.Expr
		var split func(x *lang.Expr)
		split = func(x *lang.Expr) {
			if x.Kind == lang.Sym && p.env.Lets[x.Name] != nil {
				split(p.env.Lets[x.Name].Expr)
				return
			}
			if x.Kind == lang.Add {
				split(x.Args[0])
				split(x.Args[1])
				return
			}
			terms = append(terms, x)
		}
		split(f.L)
		for _, t := range terms {
			// Soundness: one term is bounded by the sum only if every other term is nonnegative.
			if nonneg, _ := p.signs.scalar(t); !nonneg {
				return 0, fmt.Errorf("checker: %s: %s is not manifestly nonnegative", st.Pos, lang.Unicode(t))
			}
		}
		for _, t := range terms {
			base := t
			// A positive constant multiple of the quantity or of its square.
			for base.Kind == lang.Mul {
				if _, pos := p.signs.scalar(base.Args[0]); !pos || p.env.Moves(&lang.Stmt{L: base.Args[0]}) {
					break
				}
				base = base.Args[1]
			}
			sq := &lang.Expr{Kind: lang.Pow, N: 2, Pos: s.Pos, Args: []*lang.Expr{s.L}}
			if p.signs.same(base, s.L) || p.signs.same(base, sq) {
				return len(terms), nil
			}
		}
	}
	return 0, fmt.Errorf("checker: %s: %s is not a bound for %s", st.Pos, st.Uses, lang.Unicode(s.L))
}

func (p *prover) congruence(s *lang.Stmt, st *lang.Step) (int, error) {
	if s.Kind != lang.Congruence {
		return 0, p.wrongForm("congruence", st)
	}
	a := st.Expr
	at := &lang.Expr{Kind: lang.Trans, Pos: a.Pos, Args: []*lang.Expr{a}}
	return p.zero(ddt(s.L), lang.NewBin(lang.Add, lang.NewBin(lang.Mul, a, s.L), lang.NewBin(lang.Mul, s.L, at)), st)
}

// barrier splits the right-hand side into terms that contain [self] and terms that are manifestly
// nonnegative.
func (p *prover) barrier(s *lang.Stmt, st *lang.Step) (int, error) {
	if s.Kind != lang.Stays {
		return 0, p.wrongForm("barrier", st)
	}
	var with, without []*lang.Expr
	var split func(x *lang.Expr)
	split = func(x *lang.Expr) {
		switch {
		case x.Kind == lang.Add:
			split(x.Args[0])
			split(x.Args[1])
		case mentionsHyp(x):
			with = append(with, x)
		default:
			without = append(without, x)
		}
	}
	split(st.Expr)
	sum := lang.NewNum(st.Pos, zeroRat)
	for _, x := range with {
		sum = lang.NewBin(lang.Add, sum, x)
	}
	c, err := p.combination(sum, map[string]*lang.Expr{"self": s.L}, st)
	if err != nil {
		return 0, err
	}
	for _, x := range without {
		if s.Word == "zero" {
			return 0, fmt.Errorf("checker: %s: the term %s contains no [self]", st.Pos, lang.Unicode(x))
		}
		if nonneg, _ := p.signs.scalar(x); !nonneg {
			return 0, fmt.Errorf("checker: %s: the term %s is not manifestly nonnegative", st.Pos, lang.Unicode(x))
		}
		v, err := p.eng.Eval(x)
		if err != nil {
			return 0, err
		}
		if c, err = p.eng.Plus(c, v); err != nil {
			return 0, err
		}
	}
	d, err := p.eng.Difference(ddt(s.L), lang.NewNum(st.Pos, zeroRat))
	if err != nil {
		return 0, err
	}
	rest, err := p.eng.Minus(d, c)
	if err != nil {
		return 0, err
	}
	if !rest.IsZero() {
		return 0, fmt.Errorf("checker: %s: the right-hand side is missed by %s", st.Pos, p.eng.Format(rest))
	}
	return d.Size(), nil
}

func mentionsHyp(x *lang.Expr) bool {
	hit := false
	x.Walk(func(n *lang.Expr) bool { hit = hit || n.Kind == lang.Hyp; return !hit })
	return hit
}

func (p *prover) monotone(s *lang.Stmt, st *lang.Step) (int, error) {
	if s.Kind != lang.Tends {
		return 0, p.wrongForm("monotone", st)
	}
	f := p.facts[st.Uses]
	if f == nil || f.Kind != lang.Inequality {
		return 0, fmt.Errorf("checker: %s: %s states no inequality", st.Pos, st.Uses)
	}
	up := p.signs.same(s.R, s.Hi)
	if !up && !p.signs.same(s.R, s.Lo) {
		return 0, fmt.Errorf("checker: %s: the limit is not an end of the interval", st.Pos)
	}
	nothing := lang.NewNum(st.Pos, zeroRat)
	l, r := ddt(s.L), nothing
	if !up {
		l, r = r, l
	}
	if f.Rel != ">" && f.Rel != "<" {
		return 0, fmt.Errorf("checker: %s: %s is not a strict inequality", st.Pos, st.Uses)
	}
	n, err := p.usesFact(st, lang.Inequality, l, r)
	if err != nil {
		return 0, err
	}
	// Soundness: the ends must not move, and the limit must be a zero of the right-hand side, which is where
	// a bounded monotone solution that the strict inequality keeps moving has to end.
	for _, x := range []*lang.Expr{s.Lo, s.Hi} {
		if err := p.constant(x, st); err != nil {
			return 0, err
		}
	}
	m, err := p.zero(lang.NewCall(st.Pos, "at", ddt(s.L), s.L, s.R), nothing, st)
	return n + m, err
}
