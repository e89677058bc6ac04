package lang

import (
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"

	"stopgrad/theory/kernel"
)

// Reading is a part in the kernel's terms: Γ, what is stated of it, and the means to read the expressions and
// facts of a script in the same vocabulary. It is not safe for concurrent use.
type Reading struct {
	part        *Part
	env         *Env
	sig         *kernel.Signature
	dyn         *kernel.Dynamics
	ctx         *kernel.Context
	goals       []kernel.Formula
	hyps        map[string]kernel.Formula
	names       []Named
	owners      []string
	consequence []kernel.Formula
	kept        []kernel.Formula
	beside      *kernel.Context
	holes       map[string]*kernel.Term

	shapes map[place]shape
	lets   map[letPlace]*kernel.Term
	roots  map[string]*kernel.Term
	within map[string]bool // definitions being read
	defs   *definitions
	same   map[foreign]error    // second moments of expectations taken over
	placed map[*kernel.Term]Pos // where terms of a statement stand, while one is looked for
	depth  int
}

// Named is an abbreviation: a let or root and the term it stands for.
type Named struct {
	Name string
	Term *kernel.Term
}

// shape is the sort of an expression; unit is that of a multiple of I whose size its place decides.
type shape struct {
	scalar, unit bool
	rows, cols   kernel.Dim
}

var scalarShape = shape{scalar: true}

func (s shape) String() string {
	switch {
	case s.scalar:
		return "a scalar"
	case s.unit:
		return "a multiple of I"
	}
	return "a " + shapeText(Dim(s.rows), Dim(s.cols)) + " matrix"
}

func shapeOfTerm(t *kernel.Term) shape {
	if t.Scalar() {
		return scalarShape
	}
	r, c := t.Shape()
	return shape{rows: r, cols: c}
}

// place is an expression, inside or outside of an expectation.
type place struct {
	expr        *Expr
	expectation bool
}

type letPlace struct {
	name        string
	want        shape
	expectation bool
}

// nameable refuses names that the kernel has no symbols for, and words with which a statement begins.
func nameable(name string, at Pos) error {
	switch name {
	case "T", "stationary", "assumption", "sampled", "always", "absurd", "inf":
		return errAt(at, "%s is reserved", name)
	}
	if strings.HasPrefix(name, "hole_") {
		return errAt(at, "%s is reserved: names of this kind stand for hypotheses in proofs", name)
	}
	if _, err := kernel.NewSignature().DeclareScalar(name, kernel.Param); err != nil {
		return errAt(at, "%s", plainText(err))
	}
	return nil
}

// plainText is the kernel's message without the name of the package.
func plainText(err error) string { return strings.TrimPrefix(err.Error(), "kernel: ") }

// located gives a refusal of the kernel a position.
func located(at Pos, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return errAt(at, "%s", plainText(err))
}

// Elaborate gives a part its meaning. The error, if any, is a [*Error]; it carries Shape if the statement itself
// has no meaning.
func Elaborate(p *Part) (*Reading, error) {
	if p.Fault != nil {
		return nil, p.Fault
	}
	sig := kernel.NewSignature()
	r := &Reading{part: p, env: p.Env, sig: sig, dyn: kernel.NewDynamics(sig), hyps: map[string]kernel.Formula{}, holes: map[string]*kernel.Term{},
		shapes: map[place]shape{}, lets: map[letPlace]*kernel.Term{}, roots: map[string]*kernel.Term{}, within: map[string]bool{}}
	if p.Stmt.Kind == Sampled {
		return nil, errAt(p.Stmt.Pos, "a statement in words is not one of the kernel's")
	}
	if err := r.declare(); err != nil {
		return nil, plain(err)
	}
	if err := r.dynamics(); err != nil {
		return nil, plain(err)
	}
	time := r.time()
	for _, a := range p.Assumes {
		if !a.Always && !a.Start {
			continue
		}
		switch p.Stmt.Kind {
		case Counted:
			return nil, errAt(a.Stmt.Pos, "zeros are counted at a state, and this speaks of time; expected assume %s: …", a.Name)
		case Stationary:
			return nil, errAt(a.Stmt.Pos, "what is stationary is said of a state, and this speaks of time; expected assume %s: …", a.Name)
		}
	}
	if time != kernel.AtState && p.restricted != (Pos{}) {
		return nil, errAt(p.restricted, "restrict speaks of one instant, and this statement of all times; expected an assumption, or a structure that is declared")
	}
	hyps, err := r.hypotheses(time)
	if err != nil {
		return nil, plain(err)
	}
	if r.ctx, err = kernel.NewContext(r.dyn, time, hyps...); err != nil {
		return nil, located(p.Pos, err)
	}
	if p.Stmt.Kind == Assumption {
		absurd, _ := kernel.NewFormula(kernel.Absurd)
		never, _ := kernel.NewAlways(absurd)
		r.goals = []kernel.Formula{never}
		if r.beside, err = kernel.NewContext(r.dyn, time, hyps[:len(hyps)-len(p.Stmt.Assign)]...); err != nil {
			return nil, located(p.Pos, err)
		}
		if p.Consequence != nil {
			if r.consequence, err = r.Formulas(p.Consequence); err != nil {
				return nil, plain(err)
			}
		}
	} else {
		if r.goals, err = r.Formulas(p.Stmt); err != nil {
			return nil, err
		}
		if time != kernel.AtState && p.Stmt.Kind.ofState() {
			for i, g := range r.goals {
				if r.goals[i], err = kernel.NewAlways(g); err != nil {
					return nil, located(p.Stmt.Pos, err)
				}
			}
		}
	}
	if err := r.meaning(); err != nil {
		return nil, err
	}
	if err := r.unbound(); err != nil {
		return nil, err
	}
	r.names = r.definitions()
	return r, nil
}

// meaning unfolds what is assumed and what is stated: an operator that the kernel does not unfold has no meaning there.
func (r *Reading) meaning() error {
	unfolds := func(f kernel.Formula) error {
		for _, t := range append(f.Terms(), f.Inner().Terms()...) {
			if _, err := r.dyn.Unfold(t); err != nil {
				return err
			}
		}
		return nil
	}
	for i, h := range r.ctx.Hypotheses() {
		if err := unfolds(h.Formula()); err != nil {
			at := r.owner(i)
			if a := r.assumption(i); a != nil {
				at = r.blame(a.Stmt)
			}
			return errAt(at, "%s", plainText(err))
		}
	}
	for _, g := range r.goals {
		err := unfolds(g)
		if err == nil {
			continue
		}
		e := errAt(r.blame(r.part.Stmt), "%s", plainText(err))
		var fault *kernel.Fault
		e.Shape = !errors.As(err, &fault) || !fault.Limit()
		e.Operator = e.Shape
		return e
	}
	return nil
}

// assumption is that whose hypothesis the i-th is, nil of what is declared: hypotheses are in their order, first what is declared.
func (r *Reading) assumption(i int) *Assume {
	if i < r.declarations() {
		return nil
	}
	for _, a := range r.part.Assumes {
		if a.Name == r.owners[i] {
			return a
		}
	}
	return nil
}

// owner is the place of the declaration or assumption whose i-th hypothesis it is.
func (r *Reading) owner(i int) Pos {
	if a := r.assumption(i); a != nil {
		return a.Stmt.Pos
	}
	if s := r.env.Symbols[r.owners[i]]; s != nil {
		return s.Pos
	}
	return r.part.Pos
}

// blame is the place of the innermost expression of a statement that does not unfold. The statement is read once more, and
// where each of its terms stands is noted.
func (r *Reading) blame(s *Stmt) Pos {
	r.placed = map[*kernel.Term]Pos{}
	defer func() { r.placed = nil }()
	for _, e := range s.exprs() {
		sh, err := r.shapeOf(*e, false)
		if err != nil || sh.unit {
			continue
		}
		t, err := r.read(*e, sh, false)
		if err != nil {
			continue
		}
		for u := range t.Subterms() {
			if at, ok := r.placed[u]; ok {
				if _, err := r.dyn.Unfold(u); err != nil {
					return at
				}
			}
		}
	}
	return s.Pos
}

// Part is the part that was read.
func (r *Reading) Part() *Part { return r.part }

// Context is Γ.
func (r *Reading) Context() *kernel.Context { return r.ctx }

// Goals are the formulas whose conjunction is the statement.
func (r *Reading) Goals() []kernel.Formula { return slices.Clone(r.goals) }

// Owners names, for each hypothesis of Γ in its order, the symbol whose declaration it is or the assumption.
func (r *Reading) Owners() []string { return slices.Clone(r.owners) }

// declarations is how many hypotheses say what is declared; they stand before what is assumed.
func (r *Reading) declarations() int { return len(r.owners) - len(r.hyps) }

// asDeclared follows a symbol's name in [Reading.HypothesisNames].
const asDeclared = " as declared"

// HypothesisNames are what each hypothesis is called in a report: an assumption by its name, what is declared of a symbol as
// [Declared] says, which is no assumption's name.
func (r *Reading) HypothesisNames() []string {
	out := r.Owners()
	for i := range r.declarations() {
		out[i] = Declared(out[i])
	}
	return out
}

// Declared is what a hypothesis is called that is declared of a symbol.
func Declared(symbol string) string { return symbol + asDeclared }

// DeclaredOf is the symbol of a name that [Declared] gives.
func DeclaredOf(name string) (symbol string, ok bool) { return strings.CutSuffix(name, asDeclared) }

// Hypothesis is what the hypothesis called name assumes. The equations of an assumption are h1, h2, ….
func (r *Reading) Hypothesis(name string) (kernel.Formula, bool) {
	f, ok := r.hyps[name]
	return f, ok
}

// Names lists the definitions that Γ and the statement use, inner ones first.
func (r *Reading) Names() []Named { return slices.Clone(r.names) }

// Consequence is what an assumption is said to lead to.
func (r *Reading) Consequence() ([]kernel.Formula, bool) {
	return slices.Clone(r.consequence), r.consequence != nil
}

// Kept lists, for each equation of an assumption, the equation and its derivative along the flow (over steps, the
// equation one step later): where every state with the former has the latter, the equations are kept.
func (r *Reading) Kept() []kernel.Formula { return slices.Clone(r.kept) }

// Beside is Γ without the equations of an assumption, nil of other statements. Where that is contradictory, nothing is said
// of the assumption.
func (r *Reading) Beside() *kernel.Context { return r.beside }

// Print renders Γ and the statement from the kernel. With unfolded, operators are printed as what they become.
func (r *Reading) Print(unfolded bool) (string, error) {
	p, err := r.printer()
	if err != nil {
		return "", err
	}
	goals := r.goals
	if unfolded {
		goals = make([]kernel.Formula, len(r.goals))
		for i, g := range r.goals {
			u, err := r.unfolded(g)
			if err != nil {
				return "", err
			}
			goals[i] = u
		}
	}
	return p.Sequent(r.ctx, goals...)
}

func (r *Reading) unfolded(f kernel.Formula) (kernel.Formula, error) {
	if f.Form() == kernel.Always {
		g, err := r.unfolded(f.Inner())
		if err != nil {
			return g, err
		}
		return kernel.NewAlways(g)
	}
	ts := f.Terms()
	for i, t := range ts {
		u, err := r.dyn.Unfold(t)
		if err != nil {
			return f, err
		}
		ts[i] = u
	}
	return kernel.NewFormula(f.Form(), ts...)
}

// declare declares sizes and symbols.
func (r *Reading) declare() error {
	for _, n := range r.env.Sizes {
		if err := r.sig.DeclareSize(string(n)); err != nil {
			return located(r.part.Pos, err)
		}
	}
	moving := map[string]bool{}
	for _, q := range slices.Concat(r.env.Flow, r.env.Map) {
		if s := r.env.Symbols[q.Name]; s != nil && s.Input {
			return errAt(q.Pos, "%s is an input, which has no equation", q.Name)
		}
		moving[q.Name] = true
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(r.env.Lets)), r.env.Order) {
		if slices.Contains(r.env.Sizes, Dim(name)) {
			if l := r.env.Lets[name]; l != nil {
				return errAt(l.Pos, "%s names a size as well", name)
			}
			return errAt(r.env.Symbols[name].Pos, "%s names a size as well", name)
		}
	}
	for _, name := range r.env.Order {
		s := r.env.Symbols[name]
		if s.Root != nil {
			continue
		}
		class := kernel.Param
		switch {
		case s.Kind == Random && s.Centred:
			class = kernel.Centred
		case s.Kind == Random:
			class = kernel.Random
		case s.Input:
			class = kernel.Input
		case moving[name]:
			class = kernel.State
		}
		var err error
		if s.Kind == Scalar {
			_, err = r.sig.DeclareScalar(name, class)
		} else {
			_, err = r.sig.DeclareMatrix(name, class, kernel.Dim(s.Rows), kernel.Dim(s.Cols))
		}
		if err != nil {
			return located(s.Pos, err)
		}
	}
	return nil
}

// dynamics reads moments, flow and map.
func (r *Reading) dynamics() error {
	for _, m := range r.env.Moments {
		for _, name := range m.Of {
			v := r.sig.Lookup(name)
			n, _ := v.Shape()
			t, err := r.read(m.RHS, shape{rows: n, cols: n}, false)
			if err != nil {
				return err
			}
			if err := r.dyn.AddMoment(v, v, t); err != nil {
				return located(m.Pos, err)
			}
		}
	}
	for _, b := range []struct {
		eqs []*Equation
		add func(x, rhs *kernel.Term) error
	}{{r.env.Flow, r.dyn.AddFlow}, {r.env.Map, r.dyn.AddMap}} {
		for _, q := range b.eqs {
			x := r.sig.Lookup(q.Name)
			if x == nil {
				return errAt(q.Pos, "‘%s’ is not a declared scalar or matrix", q.Name)
			}
			t, err := r.read(q.RHS, shapeOfTerm(x), false)
			if err != nil {
				return err
			}
			if err := b.add(x, t); err != nil {
				return located(q.Pos, err)
			}
		}
	}
	return nil
}

// time is the kind of sequent the part states: a statement about states is one about all times if a hypothesis is
// said to hold always, or at the start.
func (r *Reading) time() kernel.Time {
	s := r.part.Stmt
	if s.Kind == Stationary || s.Kind == Counted || s.Kind.ofState() && !slices.ContainsFunc(r.part.Assumes, func(a *Assume) bool { return a.Always || a.Start }) {
		return kernel.AtState
	}
	if course(r.env, s) == OverSteps {
		return kernel.Orbit
	}
	return kernel.Motion
}

// declared is where the mark of a declaration would stand, which is not said: see [Reading.marked].
const declared = kernel.Here

// marked gives a formula the mark of an assumption, always or start, or of a declaration: everything is here at a state;
// over time what does not move is const, what is assumed is always or start, as it is said, and what is declared of moving
// quantities is start, since nothing says that the motion keeps it. What is declared of inputs alone says which inputs
// there are, and is always.
func (r *Reading) marked(time kernel.Time, at Pos, said kernel.Mark, f kernel.Formula) (kernel.Hypothesis, error) {
	mark := kernel.Here
	if time != kernel.AtState {
		mark = kernel.Constant
		for _, t := range f.Terms() {
			moves, err := r.dyn.Moves(t)
			if err != nil {
				return kernel.Hypothesis{}, located(at, err)
			}
			switch {
			case !moves || mark == kernel.Start:
			case said != declared:
				// Soundness: what is assumed of inputs at the start need not be so later.
				mark = said
			case !r.mentionsState(t):
				mark = kernel.Kept
			default:
				mark = kernel.Start
			}
		}
	}
	h, err := kernel.NewHypothesis(mark, f)
	return h, located(at, err)
}

// mentionsState reports whether a state variable occurs in a term, or in the moments by which it is an expectation.
func (r *Reading) mentionsState(t *kernel.Term) bool {
	seen := map[*kernel.Term]bool{}
	var visit func(*kernel.Term) bool
	visit = func(t *kernel.Term) bool {
		if seen[t] {
			return false
		}
		seen[t] = true
		if s := t.Symbol(); s != nil {
			return s.Class() == kernel.State
		}
		// Soundness: a radicand that moves by way of a moment alone would be assumed all along.
		for i := 0; t.Head() == kernel.Expect && i < r.dyn.Moments(); i++ {
			if _, _, m := r.dyn.Moment(i); visit(m) {
				return true
			}
		}
		return slices.ContainsFunc(t.Args(), visit)
	}
	return visit(t)
}

// hypotheses collects domains, structures, radicands, assumptions and the equations of an assumption.
func (r *Reading) hypotheses(time kernel.Time) ([]kernel.Hypothesis, error) {
	var out []kernel.Hypothesis
	add := func(at Pos, said kernel.Mark, form kernel.Form, ts ...*kernel.Term) (kernel.Formula, error) {
		f, err := kernel.NewFormula(form, ts...)
		if err != nil {
			return f, located(at, err)
		}
		h, err := r.marked(time, at, said, f)
		out = append(out, h)
		return f, err
	}
	for _, n := range r.env.Sizes {
		k, fixed := r.env.Fixed[n]
		if !fixed {
			continue
		}
		size, err := r.sig.SizeOf(kernel.Dim(n))
		if err != nil {
			return nil, located(r.part.Pos, err)
		}
		v, err := r.sig.Number(big.NewRat(int64(k), 1))
		if err != nil {
			return nil, located(r.part.Pos, err)
		}
		if _, err := add(r.part.Pos, declared, kernel.Equal, size, v); err != nil {
			return nil, err
		}
		r.owners = append(r.owners, string(n))
	}
	for _, name := range r.env.Order {
		s := r.env.Symbols[name]
		if err := r.declared(s, func(form kernel.Form, ts ...*kernel.Term) error {
			_, err := add(s.Pos, declared, form, ts...)
			return err
		}); err != nil {
			return nil, located(s.Pos, err)
		}
		for len(r.owners) < len(out) {
			r.owners = append(r.owners, name)
		}
	}
	for i := range r.dyn.Moments() {
		// There are random columns with a second moment, at all times, only where it is positive semidefinite.
		v, _, m := r.dyn.Moment(i)
		if semidefinite(m, out) {
			continue
		}
		if _, err := add(r.env.Symbols[v.Symbol().Name()].Pos, kernel.Kept, kernel.Semidefinite, m); err != nil {
			return nil, err
		}
		r.owners = append(r.owners, v.Symbol().Name())
	}
	for _, a := range r.part.Assumes {
		if _, twice := r.hyps[a.Name]; twice {
			return nil, errAt(a.Stmt.Pos, "two hypotheses called %s", a.Name)
		}
		fs, err := r.state(a.Stmt)
		if err != nil {
			return nil, err
		}
		said := kernel.Kept
		if a.Start {
			said = kernel.Start
		}
		if r.hyps[a.Name], err = add(a.Stmt.Pos, said, fs.Form(), fs.Terms()...); err != nil {
			return nil, err
		}
		r.owners = append(r.owners, a.Name)
	}
	if r.part.Stmt.Kind != Assumption {
		return out, nil
	}
	for i, q := range r.part.Stmt.Assign {
		f, err := r.equal(q.Pos, q.RHS.Args[0], q.RHS.Args[1])
		if err != nil {
			return nil, err
		}
		h, err := kernel.NewHypothesis(kernel.Kept, f)
		if err != nil {
			return nil, located(q.Pos, err)
		}
		out = append(out, h)
		r.owners = append(r.owners, name("h", i))
		if _, twice := r.hyps[name("h", i)]; twice {
			return nil, errAt(q.Pos, "two hypotheses called %s", name("h", i))
		}
		r.hyps[name("h", i)] = f
		later := kernel.Ddt
		if time == kernel.Orbit {
			later = kernel.Next
		}
		ts := f.Terms()
		for k, t := range ts {
			if ts[k], err = r.sig.Make(later, 0, t); err != nil {
				return nil, located(q.Pos, err)
			}
		}
		d, err := kernel.NewFormula(kernel.Equal, ts...)
		if err != nil {
			return nil, located(q.Pos, err)
		}
		r.kept = append(r.kept, f, d)
	}
	return out, nil
}

// semidefinite reports whether a matrix is positive semidefinite by its form, where the hypotheses hold that are not of the
// start alone: an identity, what is declared so, a sum, and what is declared nonnegative times such a matrix.
func semidefinite(t *kernel.Term, hyps []kernel.Hypothesis) bool {
	says := func(ok func(f kernel.Formula) bool) bool {
		return slices.ContainsFunc(hyps, func(h kernel.Hypothesis) bool { return h.Mark() != kernel.Start && ok(h.Formula()) })
	}
	switch t.Head() {
	case kernel.Identity, kernel.Zero:
		return true
	case kernel.Sum:
		return semidefinite(t.Arg(0), hyps) && semidefinite(t.Arg(1), hyps)
	case kernel.Product:
		c := t.Arg(0)
		return c.Scalar() && semidefinite(t.Arg(1), hyps) && (c.Head() == kernel.Number && c.Value().Sign() >= 0 || says(func(f kernel.Formula) bool {
			ts := f.Terms()
			return (f.Form() == kernel.AtLeast || f.Form() == kernel.Greater) && ts[0] == c && ts[1].Head() == kernel.Number && ts[1].Value().Sign() >= 0
		}))
	}
	return says(func(f kernel.Formula) bool {
		return (f.Form() == kernel.Semidefinite || f.Form() == kernel.Definite) && f.Terms()[0] == t
	})
}

// declared adds what the declaration of a symbol says of its values.
func (r *Reading) declared(s *Symbol, add func(kernel.Form, ...*kernel.Term) error) error {
	if s.Root != nil {
		t, err := r.root(s)
		if err != nil {
			return err
		}
		form := kernel.AtLeast
		if s.Domain.LoOpen {
			form = kernel.Greater
		}
		zero, err := r.sig.Number(new(big.Rat))
		if err != nil {
			return err
		}
		return add(form, t.Arg(0), zero)
	}
	x := r.sig.Lookup(s.Name)
	switch s.Kind {
	case Scalar:
		for _, b := range s.Bounds {
			v, err := r.sig.Number(b.At)
			if err != nil {
				return err
			}
			form, l, m := order(b.Rel, x, v)
			if err := add(form, l, m); err != nil {
				return err
			}
		}
	case Matrix:
		xt, err := r.sig.Make(kernel.Transpose, 0, x)
		if err != nil {
			return err
		}
		has := func(a Attr) bool { return s.Attr&a != 0 }
		if s.Entries != nil {
			ts := []*kernel.Term{x}
			for _, v := range s.Entries {
				t, err := r.sig.Number(v)
				if err != nil {
					return err
				}
				ts = append(ts, t)
			}
			if err := add(kernel.Within, ts...); err != nil {
				return err
			}
		}
		switch {
		case has(PD):
			err = add(kernel.Definite, x)
		case has(PSD):
			err = add(kernel.Semidefinite, x)
		case has(Symmetric) && !has(Diagonal):
			err = add(kernel.Equal, xt, x)
		}
		if err == nil && has(Diagonal) {
			err = add(kernel.Diagonal, x)
		}
		if err == nil && has(Skew) {
			var minus *kernel.Term
			if minus, err = r.times(-1, x); err == nil {
				err = add(kernel.Equal, xt, minus)
			}
		}
		if err == nil && has(Invertible) && !has(PD) {
			err = add(kernel.Invertible, x)
		}
		if err == nil && has(Isometry) {
			var square, unit *kernel.Term
			_, n := x.Shape()
			if square, err = r.sig.Make(kernel.Product, 0, xt, x); err != nil {
				return err
			}
			if unit, err = r.sig.IdentityOf(n); err == nil {
				err = add(kernel.Equal, square, unit)
			}
		}
		return err
	}
	return nil
}

// times is c·t.
func (r *Reading) times(c int64, t *kernel.Term) (*kernel.Term, error) {
	n, err := r.sig.Number(big.NewRat(c, 1))
	if err != nil {
		return nil, err
	}
	return r.sig.Make(kernel.Product, 0, n, t)
}

// definitions lists the lets and roots read so far that stand for one term each, inner ones first.
func (r *Reading) definitions() []Named {
	terms := map[string]*kernel.Term{}
	several := map[string]bool{}
	for k, t := range r.lets {
		several[k.name] = several[k.name] || terms[k.name] != nil && terms[k.name] != t
		terms[k.name] = t
	}
	maps.Copy(terms, r.roots)
	var out []Named
	for _, name := range slices.Sorted(maps.Keys(terms)) {
		if several[name] {
			continue
		}
		switch terms[name].Head() {
		case kernel.Letter, kernel.Number, kernel.Identity, kernel.Zero, kernel.Size:
			continue
		}
		if slices.ContainsFunc(out, func(o Named) bool { return o.Term == terms[name] }) {
			continue
		}
		out = append(out, Named{name, terms[name]})
	}
	slices.SortStableFunc(out, func(a, b Named) int { return a.Term.ID() - b.Term.ID() })
	return out
}

// Term reads an expression of a script.
func (r *Reading) Term(e *Expr) (*kernel.Term, error) {
	s, err := r.shapeOf(e, false)
	if err != nil {
		return nil, err
	}
	if s.unit {
		return nil, errAt(e.Pos, "the size of I is not decided here; expected I(n)")
	}
	return r.read(e, s, false)
}

// TermOfShape reads an expression in a place of like's shape, which decides the size of I and of 0.
func (r *Reading) TermOfShape(e *Expr, like *kernel.Term) (*kernel.Term, error) {
	if like == nil {
		return r.Term(e)
	}
	return r.read(e, shapeOfTerm(like), false)
}

// Combination reads the argument of a modulo or barrier step: each [name] becomes a hole of the shape of what the
// formula zero[name] is about. It returns the holes that occur and their names, in the order of occurrence.
func (r *Reading) Combination(e *Expr, zero map[string]kernel.Formula, like *kernel.Term) (c *kernel.Term, holes []*kernel.Term, names []string, err error) {
	e.Walk(func(n *Expr) bool {
		if n.Kind != Hyp || err != nil || slices.Contains(names, n.Name) {
			return err == nil
		}
		f, ok := zero[n.Name]
		if f.Form() == kernel.Always {
			f = f.Inner()
		}
		ts := f.Terms()
		if !ok || len(ts) == 0 {
			err = errAt(n.Pos, "there is no hypothesis or fact called %s", n.Name)
			return false
		}
		var h *kernel.Term
		if h, err = r.hole(n.Name, ts[0]); err != nil {
			err = located(n.Pos, err)
			return false
		}
		holes, names = append(holes, h), append(names, n.Name)
		return true
	})
	if err != nil {
		return nil, nil, nil, err
	}
	here := map[string]*kernel.Term{}
	for i, n := range names {
		here[n] = holes[i]
	}
	filled := fill(e, here)
	if like == nil {
		c, err = r.Term(filled)
	} else {
		c, err = r.TermOfShape(filled, like)
	}
	return c, holes, names, err
}

// fill writes the holes for [name]: an occurrence becomes the hole's own letter.
func fill(e *Expr, holes map[string]*kernel.Term) *Expr {
	c := *e
	if e.Kind == Hyp {
		c.Kind, c.Name = Sym, holes[e.Name].Symbol().Name()
		return &c
	}
	c.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		c.Args[i] = fill(a, holes)
	}
	return &c
}

// hole returns the hole for name of like's shape, declared at its first use.
func (r *Reading) hole(name string, like *kernel.Term) (*kernel.Term, error) {
	s := shapeOfTerm(like)
	key := name + " " + s.String()
	if h := r.holes[key]; h != nil {
		return h, nil
	}
	letter := "hole_" + name
	for r.sig.Lookup(letter) != nil {
		letter += "x"
	}
	var h *kernel.Term
	var err error
	if s.scalar {
		h, err = r.sig.DeclareScalar(letter, kernel.Hole)
	} else {
		h, err = r.sig.DeclareMatrix(letter, kernel.Hole, s.rows, s.cols)
	}
	if err == nil {
		r.holes[key] = h
	}
	return h, err
}
