package lang

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"stopgrad/theory/kernel"
)

// Source is a named claim text.
type Source struct {
	Name, Text string
}

// Parse reads systems and claims from the sources, which may refer to each other's systems in any order.
// The error, if any, is a [*Error] naming file, line and column.
func Parse(sources ...Source) (*File, error) { return ParseOver(nil, sources...) }

// ParseOver is [Parse] of sources whose proofs may also use the theorems of another file's claims; a claim of their own
// goes before one of that file with the same id.
func ParseOver(library *File, sources ...Source) (*File, error) {
	f := &File{Systems: map[string]*System{}, library: library}
	var claims []*node
	for _, s := range sources {
		roots, err := parseTree(s.Name, s.Text)
		if err != nil {
			return nil, err
		}
		for _, n := range roots {
			switch n.word() {
			case "system", "claim":
				if err := placed(n); err != nil {
					return nil, err
				}
			}
			switch n.word() {
			case "system":
				name := n.prose()
				if !isName(name) {
					return nil, errAt(n.pos(), "‘%s’ cannot name a system; expected letters, digits and _", name)
				}
				if old := f.Systems[name]; old != nil {
					return nil, errAt(n.pos(), "system %s is already declared at %s", name, old.Pos)
				}
				sys := &System{Name: name, Pos: n.pos(), src: n}
				for _, k := range n.kids {
					switch k.word() {
					case "about":
						sys.About = k.prose()
					case "uses":
						sys.Uses = append(sys.Uses, splitNames(k.prose())...)
					}
				}
				f.Systems[name] = sys
				f.Order = append(f.Order, name)
			case "claim":
				claims = append(claims, n)
			default:
				return nil, errAt(n.pos(), "expected ‘system NAME’ or ‘claim ID’, found ‘%s’", n.word())
			}
		}
	}
	for _, name := range f.Order {
		if err := f.checkSystem(f.Systems[name]); err != nil {
			return nil, err
		}
	}
	for _, n := range claims {
		c, err := f.parseClaim(n)
		if err != nil {
			return nil, err
		}
		if old := f.Claim(c.ID); old != nil {
			return nil, errAt(n.pos(), "claim %s is already stated at %s", c.ID, old.Pos)
		}
		f.Claims = append(f.Claims, c)
	}
	if err := f.resolveAll(); err != nil {
		return nil, err
	}
	return f, nil
}

func isName(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

func isID(s string) bool {
	for _, r := range s {
		if !(r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

func splitNames(s string) []string {
	names := strings.Split(s, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// checkSystem types every equation of a system, so that a mistake is reported even if no claim uses it.
func (f *File) checkSystem(s *System) error {
	env, err := f.buildEnv(nil, []string{s.Name}, s.Pos, nil)
	if err != nil {
		return err
	}
	return env.checkDynamics()
}

func newEnv() *Env {
	return &Env{Symbols: map[string]*Symbol{}, Lets: map[string]*Let{}, Restricted: map[string]bool{}}
}

// buildEnv merges the named systems (with what they use) and the declarations of the claim block.
func (f *File) buildEnv(claim *node, uses []string, pos Pos, override map[string]*node) (*Env, error) {
	env := newEnv()
	seen := map[string]bool{}
	var visit func(name string, at Pos) error
	visit = func(name string, at Pos) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		s := f.Systems[name]
		if s == nil {
			return errAt(at, "there is no system called %s; known systems: %s", name, strings.Join(f.Order, ", "))
		}
		for _, u := range s.Uses {
			if err := visit(u, s.Pos); err != nil {
				return err
			}
		}
		src := s.src
		if o := override[name]; o != nil {
			src = o
		}
		return f.declare(env, src, name)
	}
	for _, u := range uses {
		if err := visit(u, pos); err != nil {
			return nil, err
		}
	}
	if claim != nil {
		if err := f.declare(env, claim, ""); err != nil {
			return nil, err
		}
	}
	return env, env.checkLets()
}

// definition returns what a let or a root is defined by, or nil.
func (env *Env) definition(name string) *Expr {
	if l := env.Lets[name]; l != nil {
		return l.Expr
	}
	if s := env.Symbols[name]; s != nil {
		return s.Root
	}
	return nil
}

// checkLets reports a definition, of a let or a root, that leads back to itself.
func (env *Env) checkLets() error {
	const under, done = 1, 2
	state := map[string]int{}
	depth := 0
	var visit func(name string, at Pos) error
	visit = func(name string, at Pos) (err error) {
		if depth++; depth > maxDepth {
			return errAt(at, "definitions nested more than %d deep", maxDepth)
		}
		defer func() { depth-- }()
		state[name] = under
		env.definition(name).Walk(func(n *Expr) bool {
			if n.Kind != Sym || err != nil {
				return err == nil
			}
			if env.definition(n.Name) != nil {
				switch state[n.Name] {
				case under:
					err = errAt(n.Pos, "%s is defined by way of itself", n.Name)
				case 0:
					err = visit(n.Name, n.Pos)
				}
			}
			return err == nil
		})
		state[name] = done
		return err
	}
	names := slices.Sorted(maps.Keys(env.Lets))
	for _, name := range env.Order {
		if env.Symbols[name].Root != nil {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if state[name] == 0 {
			if err := visit(name, Pos{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// declare adds the declarations of a block to env. A flow or map replaces an inherited one.
func (f *File) declare(env *Env, block *node, system string) error {
	for _, n := range block.kids {
		p, err := (*parser)(nil), error(nil)
		switch n.word() {
		case "size", "scalar", "input", "root", "matrix", "random", "moment", "let":
			if p, err = newParser(n); err != nil {
				return err
			}
			p.next()
		}
		switch n.word() {
		case "size":
			for _, s := range splitNames(n.prose()) {
				if !isName(s) {
					return errAt(n.pos(), "‘%s’ cannot name a size", s)
				}
				if err := nameable(s, n.pos()); err != nil {
					return err
				}
				if !slices.Contains(env.Sizes, Dim(s)) {
					env.Sizes = append(env.Sizes, Dim(s))
				}
			}
		case "scalar":
			err = parseScalar(env, p)
		case "input":
			err = parseInput(env, p)
		case "root":
			err = parseRoot(env, p)
		case "matrix":
			err = parseMatrix(env, p)
		case "random":
			err = parseRandom(env, p)
		case "moment":
			err = parseMoment(env, p)
		case "let":
			err = f.parseLet(env, p)
		case "flow", "map":
			var eqs []*Equation
			for _, k := range n.kids {
				eq, e := f.parseEquation(k, n.word())
				if e != nil {
					return e
				}
				eqs = append(eqs, eq)
			}
			if len(eqs) == 0 {
				return errAt(n.pos(), "an empty %s; expected at least one equation below it", n.word())
			}
			if n.word() == "flow" {
				env.Flow, env.FlowOf = eqs, system
			} else {
				env.Map = eqs
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (env *Env) add(s *Symbol) error {
	if err := nameable(s.Name, s.Pos); err != nil {
		return err
	}
	if old := env.Symbols[s.Name]; old != nil {
		return errAt(s.Pos, "%s is already declared at %s", s.Name, old.Pos)
	}
	if old := env.Lets[s.Name]; old != nil {
		return errAt(s.Pos, "%s is already defined at %s", s.Name, old.Pos)
	}
	if len(env.Order) == MaxSymbols {
		return errAt(s.Pos, "%s is one symbol more than the %d that a system or a claim may have", s.Name, MaxSymbols)
	}
	env.Symbols[s.Name] = s
	env.Order = append(env.Order, s.Name)
	return nil
}

// The most symbols of a system or claim, those that it takes over among them, and the most assumptions of a statement: every state that
// a search draws has a value for each symbol, and is held against each assumption.
const (
	MaxSymbols     = 256
	MaxAssumptions = 512
)

func (p *parser) names() ([]token, error) {
	var ts []token
	for {
		t, err := p.ident("a name")
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
		if !p.accept(",") {
			return ts, nil
		}
	}
}

// number reads an exact constant: [-] digits [/ digits].
func (p *parser) number() (*big.Rat, error) {
	e, err := p.unary()
	if err != nil {
		return nil, err
	}
	if p.isOp("/") {
		p.next()
		d, err := p.unary()
		if err != nil {
			return nil, err
		}
		e = NewBin(Div, e, d)
	}
	v, ok := constant(e)
	if !ok {
		return nil, errAt(e.Pos, "expected an exact number such as 0, 1/4 or 0.25")
	}
	return v, nil
}

func constant(e *Expr) (*big.Rat, bool) {
	switch e.Kind {
	case Num:
		return e.Val, true
	case Neg:
		v, ok := constant(e.Args[0])
		if !ok {
			return nil, false
		}
		return new(big.Rat).Neg(v), true
	case Div:
		a, ok1 := constant(e.Args[0])
		b, ok2 := constant(e.Args[1])
		if !ok1 || !ok2 || b.Sign() == 0 {
			return nil, false
		}
		return new(big.Rat).Quo(a, b), true
	}
	return nil, false
}

func parseScalar(env *Env, p *parser) error {
	ts, err := p.names()
	if err != nil {
		return err
	}
	var d Domain
	var bounds []Bound
	for p.peek().kind != tEOF {
		t := p.next()
		switch t.text {
		case ">", ">=", "<", "<=", "!=":
		default:
			return errAt(t.pos, "expected a bound such as > 0, >= 0, < 1, <= 1 or != 0, found %s", t.describe())
		}
		v, err := p.number()
		if err != nil {
			return err
		}
		if t.text == "!=" && v.Sign() != 0 {
			return errAt(t.pos, "only != 0 can be declared")
		}
		bounds = append(bounds, Bound{t.text, v})
		d.within(bounds[len(bounds)-1])
		p.accept(",")
	}
	if d.empty() {
		return errAt(ts[0].pos, "the domain of %s is empty", ts[0].text)
	}
	for _, t := range ts {
		if err := env.add(&Symbol{Name: t.text, Kind: Scalar, Pos: t.pos, Domain: d, Bounds: bounds}); err != nil {
			return err
		}
	}
	return nil
}

// parseInput reads what scalar or matrix reads, and declares inputs: input dtau, input dW : n x m.
func parseInput(env *Env, p *parser) error {
	read, at := parseScalar, p.i
	if _, err := p.names(); err != nil {
		return err
	}
	if p.isOp(":") {
		read = parseMatrix
	}
	p.i = at
	declared := len(env.Order)
	if err := read(env, p); err != nil {
		return err
	}
	for _, name := range env.Order[declared:] {
		env.Symbols[name].Input = true
	}
	return nil
}

func parseRoot(env *Env, p *parser) error {
	t, err := p.ident("the name of a square root")
	if err != nil {
		return err
	}
	d := Domain{Lo: new(big.Rat)}
	if p.accept(">") {
		if v, err := p.number(); err != nil || v.Sign() != 0 {
			return errAt(t.pos, "only > 0 can be declared of a root")
		}
		d.LoOpen = true
	}
	if err := p.expect("="); err != nil {
		return err
	}
	e, err := p.expr()
	if err != nil {
		return err
	}
	if err := p.done(); err != nil {
		return err
	}
	return env.add(&Symbol{Name: t.text, Kind: Scalar, Pos: t.pos, Domain: d, Root: e})
}

func (p *parser) dim(env *Env) (Dim, error) {
	t := p.next()
	if t.kind == tNumber && t.text == "1" {
		return "1", nil
	}
	if t.kind == tIdent && slices.Contains(env.Sizes, Dim(t.text)) {
		return Dim(t.text), nil
	}
	return "", errAt(t.pos, "expected a declared size or 1, found %s; sizes declared so far: %v", t.describe(), env.Sizes)
}

// parseMatrix reads: matrix A, B : rows x cols [attributes].
func parseMatrix(env *Env, p *parser) error {
	ts, err := p.names()
	if err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	r, err := p.dim(env)
	if err != nil {
		return err
	}
	if err := p.words("x"); err != nil {
		return err
	}
	c, err := p.dim(env)
	if err != nil {
		return err
	}
	var attr Attr
	for p.peek().kind != tEOF {
		t := p.next()
		a, ok := attrNames[t.text]
		if !ok {
			return errAt(t.pos, "expected symmetric, psd, pd, skew, diagonal, invertible or isometry, found %s", t.describe())
		}
		if a&^Isometry != 0 && r != c {
			return errAt(t.pos, "a %s×%s matrix cannot be %s", r, c, t.text)
		}
		attr |= a
	}
	for _, t := range ts {
		if err := env.add(&Symbol{Name: t.text, Kind: Matrix, Pos: t.pos, Rows: r, Cols: c, Attr: attr}); err != nil {
			return err
		}
	}
	return nil
}

// parseRandom reads: random a, b : size [centred].
func parseRandom(env *Env, p *parser) error {
	ts, err := p.names()
	if err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	d, err := p.dim(env)
	if err != nil {
		return err
	}
	centred := p.accept("centred")
	if err := p.done(); err != nil {
		return err
	}
	for _, t := range ts {
		if err := env.add(&Symbol{Name: t.text, Kind: Random, Pos: t.pos, Rows: d, Cols: "1", Centred: centred}); err != nil {
			return err
		}
	}
	return nil
}

// parseMoment reads: moment a, b = EXPR, the second moment E(a*a^T) shared by the vectors named.
func parseMoment(env *Env, p *parser) error {
	pos := p.peek().pos
	ts, err := p.names()
	if err != nil {
		return err
	}
	if err := p.expect("="); err != nil {
		return err
	}
	e, err := p.expr()
	if err != nil {
		return err
	}
	m := &Moment{RHS: e, Pos: pos}
	for _, t := range ts {
		s := env.Symbols[t.text]
		if s == nil || s.Kind != Random {
			return errAt(t.pos, "expected a declared random vector, found %s", t.describe())
		}
		m.Of = append(m.Of, t.text)
	}
	// A later declaration replaces an earlier one, of the vectors that it names.
	var kept []*Moment
	for _, o := range env.Moments {
		rest := slices.DeleteFunc(slices.Clone(o.Of), func(v string) bool { return slices.Contains(m.Of, v) })
		if len(rest) > 0 {
			kept = append(kept, &Moment{Of: rest, RHS: o.RHS, Pos: o.Pos})
		}
	}
	env.Moments = append(kept, m)
	return p.done()
}

func (f *File) parseLet(env *Env, p *parser) error {
	t, err := p.ident("a name")
	if err != nil {
		return err
	}
	if err := p.expect("="); err != nil {
		return err
	}
	e, err := p.expr()
	if err != nil {
		return err
	}
	if err := p.done(); err != nil {
		return err
	}
	if err := nameable(t.text, t.pos); err != nil {
		return err
	}
	if s := env.Symbols[t.text]; s != nil {
		return errAt(t.pos, "%s is already declared at %s", t.text, s.Pos)
	}
	if l := env.Lets[t.text]; l != nil {
		return errAt(t.pos, "%s is already defined at %s", t.text, l.Pos)
	}
	if e, err = f.inlineRHS(e); err != nil {
		return err
	}
	env.Lets[t.text] = &Let{Name: t.text, Expr: e, Pos: t.pos}
	return nil
}

func (f *File) parseEquation(n *node, block string) (*Equation, error) {
	p, err := newParser(n)
	if err != nil {
		return nil, err
	}
	t, err := p.ident("a state variable")
	if err != nil {
		return nil, err
	}
	mark := map[string]string{"flow": "'", "map": "+"}[block]
	if err := p.expect(mark); err != nil {
		return nil, err
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.done(); err != nil {
		return nil, err
	}
	e, err = f.inlineRHS(e)
	return &Equation{Name: t.text, RHS: e, Pos: t.pos}, err
}

// inlineRHS replaces rhs(system, x) by that system's right-hand side of x', its lets and roots written out: what they
// abbreviate there need not be what they abbreviate here. What calls mean there, by the structure of its symbols, its
// moments and its motion, need not be what they mean here either: see [Reading.taken].
func (f *File) inlineRHS(e *Expr) (*Expr, error) {
	if e.Kind == Call && e.Name == "rhs" {
		sys, x := e.Args[0], e.Args[1]
		if sys.Kind != Sym || x.Kind != Sym {
			return nil, errAt(e.Pos, "expected rhs(system, variable)")
		}
		if f.Systems[sys.Name] == nil {
			return nil, errAt(sys.Pos, "there is no system called %s", sys.Name)
		}
		env := f.built[sys.Name]
		if f.inlining[sys.Name] {
			return nil, errAt(e.Pos, "a right-hand side of %s leads back to %s", sys.Name, sys.Name)
		}
		if env == nil {
			// Once for each system: those that it takes from may take from others in turn.
			if f.inlining == nil {
				f.inlining, f.built = map[string]bool{}, map[string]*Env{}
			}
			f.inlining[sys.Name] = true
			defer delete(f.inlining, sys.Name)
			var err error
			if env, err = f.buildEnv(nil, []string{sys.Name}, e.Pos, f.replaced); err != nil {
				return nil, err
			}
			f.built[sys.Name] = env
		}
		eq := env.Equation(x.Name)
		if eq == nil {
			return nil, errAt(x.Pos, "system %s has no equation for %s", sys.Name, x.Name)
		}
		if err := env.takenBefore(eq.RHS); err != nil {
			return nil, err
		}
		left := min(maxNodes, maxInlined-f.inlined)
		f.inlined += left
		out := env.takeOver(eq.RHS, &left)
		f.inlined -= left
		if left <= 0 {
			return nil, errAt(e.Pos, "the right-hand side is too large to take over, its definitions written out")
		}
		return env.shaped(out, eq, e.Pos)
	}
	c := *e
	c.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		b, err := f.inlineRHS(a)
		if err != nil {
			return nil, err
		}
		c.Args[i] = b
	}
	return &c, nil
}

// The limits of expressions whose definitions are written out: of one, and of all in a file together.
const (
	maxNodes   = 100_000
	maxInlined = 1_000_000
)

// bound lists the symbols that a call has values of its own for in its first argument: in which it differentiates, which it
// replaces, over which it averages.
func (env *Env) bound(e *Expr) (names []string) {
	switch e.Name {
	case "diff", "grad", "gradsym", "gradskew":
		names = append(names, e.Args[1].Name)
	case "at":
		for i := 1; i < len(e.Args); i += 2 {
			names = append(names, e.Args[i].Name)
		}
	case "E":
		for _, name := range env.Order {
			if env.Symbols[name].Kind == Random {
				names = append(names, name)
			}
		}
	}
	return names
}

// subject is what the first argument of a call taken over mentions: symbols, and those by which an expectation in it averages.
type subject struct{ all, bare names } // bare: outside of stop-gradients

// names is a set of symbols, in order. Sets are shared and not written to.
type names []string

func (a names) and(b names) names {
	if len(a) < len(b) {
		a, b = b, a
	}
	if !slices.ContainsFunc(b, func(x string) bool { return !a.has(x) }) {
		return a
	}
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func (a names) has(x string) bool {
	_, ok := slices.BinarySearch(a, x)
	return ok
}

// definitions tells what the definitions of an environment come to, each looked at once.
type definitions struct {
	env  *Env
	memo map[string]reach
}

// reach is what a definition mentions once it is written out: symbols without one; closed, if it calls what is not looked into,
// such as an equation of motion.
type reach struct {
	names  names
	closed bool
}

func newDefinitions(env *Env) *definitions { return &definitions{env, map[string]reach{}} }

func (d *definitions) of(e *Expr) (out reach) {
	e.Walk(func(n *Expr) bool {
		if n.Kind == Call && (n.Name == "ddt" || n.Name == "next" || n.Name == "E") {
			out.closed = true
		}
		if n.Kind == Sym {
			r := d.named(n.Name)
			out = reach{out.names.and(r.names), out.closed || r.closed}
		}
		return true
	})
	return out
}

func (d *definitions) named(name string) reach {
	r, ok := d.memo[name]
	if !ok {
		r = reach{names: names{name}}
		if e := d.env.definition(name); e != nil {
			r = d.of(e)
		}
		d.memo[name] = r
	}
	return r
}

// uncaptured requires of a call of another system that no definition of this one, of a symbol there, brings into it what is
// bound by the call. What stands under a stop-gradient is constant to a derivative, whatever defines it.
//
// Soundness: where y = x is defined here, diff(x*y, x) of a system in which y is a symbol of its own is y, and not 2*x.
func (d *definitions) uncaptured(e *Expr) error {
	bound := d.env.bound(e)
	if len(bound) == 0 {
		return nil
	}
	mentioned := e.subject.bare
	if e.Name == "at" || e.Name == "E" {
		mentioned = e.subject.all
	}
	for _, name := range mentioned {
		if d.env.definition(name) == nil {
			continue
		}
		if r := d.named(name); r.closed || slices.ContainsFunc(bound, r.names.has) {
			return errAt(e.Pos, "rhs takes over %s(…), in which %s is bound, and %s, a symbol of that system, is defined by way of it where it is taken over",
				e.Name, strings.Join(bound, ", "), name)
		}
	}
	return nil
}

// takenBefore requires of what an equation of this system takes over from others that its definitions capture nothing there,
// and that an expectation there is the same here.
func (env *Env) takenBefore(e *Expr) (err error) {
	d, seen, same := newDefinitions(env), map[string]bool{}, map[foreign]error{}
	var visit func(*Expr)
	visit = func(e *Expr) {
		e.Walk(func(n *Expr) bool {
			if err == nil && n.Kind == Call && n.home != nil {
				err = d.uncaptured(n)
				if err == nil && n.Name == "E" {
					err = n.averages(env, same, func(name string) (bool, error) {
						a, err := env.written(n.home, name)
						if err != nil {
							return false, err
						}
						b, err := env.written(env, name)
						if err != nil {
							return false, err
						}
						if call := homely(a); call != "" {
							return false, errAt(n.Pos, "rhs takes over an expectation through two systems, in whose second moment of %s %s(…) means what each of them decides", name, call)
						}
						return alike(a, b), nil
					})
				}
			}
			if x := env.definition(n.Name); n.Kind == Sym && x != nil && !seen[n.Name] {
				seen[n.Name] = true
				visit(x)
			}
			return err == nil
		})
	}
	visit(e)
	return err
}

// foreign is a symbol of another environment.
type foreign struct {
	home *Env
	name string
}

// averages requires of an expectation taken over that it is one here: over the same random columns, by the same moments, as
// same says, which is asked once for each.
func (e *Expr) averages(here *Env, known map[foreign]error, same func(name string) (bool, error)) error {
	for _, name := range e.subject.all {
		there, x := e.home.Symbols[name], here.Symbols[name]
		switch random := x != nil && x.Kind == Random; {
		case there == nil:
		case there.Kind != Random && random:
			return errAt(e.Pos, "rhs takes over an expectation in which %s is fixed, which is a random vector here", name)
		case there.Kind != Random:
		case !random || x.Centred != there.Centred:
			return errAt(e.Pos, "rhs takes over an expectation over %s, which is no such random vector here", name)
		default:
			err, ok := known[foreign{e.home, name}]
			if !ok {
				var equal bool
				if equal, err = same(name); err == nil && !equal {
					err = errAt(e.Pos, "rhs takes over an expectation by another second moment of %s than the one declared here", name)
				}
				known[foreign{e.home, name}] = err
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// moment is the second moment of a random column, or nil.
func (env *Env) moment(name string) *Moment {
	for _, m := range env.Moments {
		if slices.Contains(m.Of, name) {
			return m
		}
	}
	return nil
}

// written is what the second moment of a random column of home is here, all definitions written out; nil if it has none.
func (env *Env) written(home *Env, name string) (*Expr, error) {
	m := home.moment(name)
	if m == nil {
		return nil, nil
	}
	left := maxNodes
	out := m.RHS
	if home != env {
		out = home.expandLets(out, &left)
	}
	if out = env.expandLets(out, &left); left <= 0 {
		return nil, errAt(m.Pos, "the second moment of %s is too large to take over, its definitions written out", name)
	}
	return out, nil
}

// homely is a call in an expression that means what its system decides, by the structure or the equations of symbols or by what
// its own definitions bring in; empty if there is none.
//
// Soundness: grad(tr(W*A), W) is written alike where W is symmetric and where it is not.
func homely(e *Expr) (call string) {
	if e != nil {
		e.Walk(func(n *Expr) bool {
			if n.Kind == Call && !slices.Contains([]string{"tr", "sym", "skew", "inv", "vec", "rvec", "kron", "root", "I", "zero", "size", "sg"}, n.Name) {
				call = n.Name
			}
			return call == ""
		})
	}
	return call
}

// alike reports whether two expressions, in which each call means the same wherever it stands, are written alike.
func alike(a, b *Expr) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Name != b.Name || a.N != b.N || (a.Val == nil) != (b.Val == nil) || a.Val != nil && a.Val.Cmp(b.Val) != 0 {
		return false
	}
	return slices.EqualFunc(a.Args, b.Args, alike)
}

// takeOver writes out the definitions of an expression of this system for use elsewhere. What its calls mean is decided here,
// and of expectations again by each system that takes them over, whose moments are those that they had before.
func (env *Env) takeOver(e *Expr, left *int) *Expr {
	out := env.expandLets(e, left)
	if *left > 0 {
		env.note(out, true)
	}
	return out
}

// shaped writes the shape of x into the right-hand side of an equation x' = … that is taken over: where that is a multiple of I,
// or 0, its place would decide.
func (env *Env) shaped(out *Expr, q *Equation, at Pos) (*Expr, error) {
	x := env.Symbols[q.Name]
	t, err := env.TypeOf(q.RHS)
	if err != nil || x.Kind != Matrix {
		return out, err
	}
	size := func(d Dim) *Expr {
		n := NewNum(at, big.NewRat(1, 1))
		for i, leg := range kernel.Dim(d).Legs() {
			if leg := NewSym(at, leg); i > 0 {
				n = NewBin(Mul, n, leg)
			} else {
				n = leg
			}
		}
		return n
	}
	switch {
	case t.Scalar:
		return NewCall(at, "zero", size(x.Rows), size(x.Cols)), nil
	case !t.Unit:
		return out, nil
	}
	// No factor of a multiple of I is another matrix, and a scalar has an I in a trace alone.
	var sized func(e *Expr) *Expr
	sized = func(e *Expr) *Expr {
		switch {
		case e.Kind == Unit:
			return NewCall(at, "I", size(x.Rows))
		case e.Kind == Call && e.Name == "tr" || len(e.Args) == 0:
			return e
		}
		c := *e
		c.Args = slices.Clone(e.Args)
		for i, a := range c.Args {
			if i == 0 || e.Kind != Call {
				c.Args[i] = sized(a)
			}
		}
		return &c
	}
	return sized(out), nil
}

// note notes of each call what its first argument mentions here, and, as home says, where what it means is decided.
func (env *Env) note(e *Expr, home bool) {
	by := map[foreign]names{} // what the second moment of a column mentions here
	moment := func(home *Env, name string) names {
		out, ok := by[foreign{home, name}]
		if m := home.moment(name); !ok && m != nil {
			d := newDefinitions(env)
			out = newDefinitions(home).of(m.RHS).names
			for _, y := range out {
				out = out.and(d.named(y).names)
			}
			by[foreign{home, name}] = out
		}
		return out
	}
	var visit func(e *Expr) subject
	visit = func(e *Expr) (m subject) {
		for i, a := range e.Args {
			x := visit(a)
			if i == 0 && e.Kind == Call {
				e.subject = x
			}
			m = subject{m.all.and(x.all), m.bare.and(x.bare)}
		}
		if e.Kind == Sym {
			return subject{names{e.Name}, names{e.Name}}
		}
		if e.Kind != Call {
			return m
		}
		if home && (e.home == nil || e.Name == "E") {
			e.home = env
		}
		switch {
		case e.Name == "sg":
			m.bare = nil
		case e.Name == "E" && e.home != nil:
			for _, name := range m.all {
				x := moment(e.home, name)
				m = subject{m.all.and(x), m.bare.and(x)}
			}
		}
		return m
	}
	visit(e)
}

// expandLets writes out definitions; it stops making nodes when left is used up.
func (env *Env) expandLets(e *Expr, left *int) *Expr {
	if *left--; *left <= 0 {
		return e
	}
	if e.Kind == Sym {
		if l := env.Lets[e.Name]; l != nil {
			return env.expandLets(l.Expr, left)
		}
		if s := env.Symbols[e.Name]; s != nil && s.Root != nil {
			return NewCall(e.Pos, "root", env.expandLets(s.Root, left))
		}
		return e
	}
	c := *e
	c.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		c.Args[i] = env.expandLets(a, left)
	}
	return &c
}

func (f *File) parseClaim(n *node) (*Claim, error) {
	c := &Claim{ID: n.prose(), Pos: n.pos(), src: n}
	if !isID(c.ID) {
		return nil, errAt(n.pos(), "‘%s’ cannot name a claim; expected letters, digits, - and _", c.ID)
	}
	for _, k := range n.kids {
		switch k.word() {
		case "title":
			c.Title = k.prose()
		case "printed":
			c.Printed = k.prose()
		case "quote":
			c.Quote = k.prose()
		case "note":
			c.Note = k.prose()
		}
	}
	hasCorrected := slices.ContainsFunc(n.kids, func(k *node) bool { return strings.HasPrefix(k.word(), "corrected") })
	for _, k := range n.kids {
		if w := k.word(); w == "says" || w == "corrected" {
			p, err := f.parsePart(n, k, nil)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(c.Parts, func(o *Part) bool { return o.Name == p.Name }) {
				return nil, errAt(k.pos(), "claim %s has two parts called %s", c.ID, p.Name)
			}
			// A printed statement without meaning is a finding; anywhere else it is a mistake in the file.
			if p.Fault != nil && (p.Corrected || !hasCorrected) {
				return nil, p.Fault
			}
			c.Parts = append(c.Parts, p)
		}
	}
	if len(c.Parts) == 0 {
		return nil, errAt(n.pos(), "claim %s says nothing; expected at least one ‘says NAME: STATEMENT’", c.ID)
	}
	return c, nil
}

// parsePart reads one says or corrected item. overrides replaces system sources in mutated copies.
func (f *File) parsePart(claim, n *node, overrides map[string]*node) (*Part, error) {
	part := &Part{Corrected: n.word() == "corrected", Pos: n.pos(), src: n}
	var uses []string
	for _, k := range claim.kids {
		if k.word() == "uses" {
			uses = append(uses, splitNames(k.prose())...)
		}
	}
	for _, k := range n.kids {
		if k.word() == "uses" {
			uses = splitNames(k.prose())
		}
	}
	env, err := f.buildEnv(claim, uses, claim.pos(), overrides)
	if err != nil {
		return nil, err
	}
	local := &node{lines: n.lines, kids: slices.DeleteFunc(slices.Clone(n.kids), func(k *node) bool {
		return !slices.Contains([]string{"scalar", "input", "root", "matrix", "let", "size"}, k.word())
	})}
	if err := f.declare(env, local, ""); err != nil {
		return nil, err
	}
	if err := env.checkLets(); err != nil {
		return nil, err
	}
	part.Env = env

	p, err := newParser(n)
	if err != nil {
		return nil, err
	}
	p.next()
	name, err := p.ident("a short name for this statement")
	if err != nil {
		return nil, err
	}
	part.Name = name.text
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	start := p.peek().pos
	if part.Stmt, err = p.stmt(); err != nil {
		return nil, err
	}
	part.Stmt.Text = textFrom(n, start)
	if err := p.done(); err != nil {
		return nil, err
	}
	if part.Stmt.Kind == Sampled {
		part.Stmt.Text = ""
		for _, k := range n.kids {
			if k.word() == "words" {
				part.Stmt.Text = k.prose()
			}
		}
		if part.Stmt.Text == "" {
			return nil, errAt(start, "expected the statement in words below it: words …")
		}
	}
	if err := f.inlineStmt(part.Stmt); err != nil {
		return nil, err
	}
	for _, k := range n.kids {
		if err := f.parsePartItem(part, k); err != nil {
			return nil, err
		}
	}
	if err := part.check(); err != nil {
		le, ok := err.(*Error)
		if !ok || !le.Shape {
			return nil, err
		}
		part.Fault = le
	}
	return part, nil
}

func (f *File) parsePartItem(part *Part, k *node) error {
	if part.Stmt != nil && part.Stmt.Kind == Sampled && slices.Contains([]string{"assume", "for", "restrict", "draw", "proof", "twin", "consequence"}, k.word()) {
		return errAt(k.pos(), "‘%s’ below a sampled statement, of which nobody reads it; expected words and why", k.word())
	}
	switch k.word() {
	case "uses", "scalar", "input", "root", "matrix", "let", "size":
		return nil
	case "why":
		part.Why = k.prose()
		return nil
	case "words":
		if part.Stmt.Kind != Sampled {
			return errAt(k.pos(), "words are for sampled statements")
		}
		return nil
	case "proof":
		for _, s := range k.kids {
			st, err := f.parseStep(s)
			if err != nil {
				return err
			}
			part.Proof = append(part.Proof, st)
		}
		if len(part.Proof) == 0 {
			return errAt(k.pos(), "an empty proof; expected steps below it, such as expand")
		}
		return nil
	case "twin":
		return part.parseTwin(k)
	}
	p, err := newParser(k)
	if err != nil {
		return err
	}
	p.next()
	switch k.word() {
	case "assume":
		name, err := p.ident("a name for the hypothesis")
		if err != nil {
			return err
		}
		when := ""
		if name.text == "always" || name.text == "start" {
			// As a name either would read as what it is not: a mark.
			when = name.text
			if name, err = p.ident("a name for the hypothesis after ‘" + when + "’"); err != nil {
				return err
			}
			if name.text == "always" || name.text == "start" {
				return errAt(name.pos, "%s is no name of a hypothesis", name.text)
			}
		}
		if err := p.expect(":"); err != nil {
			return err
		}
		start := p.peek().pos
		s, err := p.stmt()
		if err != nil {
			return err
		}
		s.Text = textFrom(k, start)
		if !s.Kind.ofState() {
			return errAt(s.Pos, "a hypothesis is an equality, an inequality, psd, pd, invertible, diagonal or within")
		}
		if err := f.inlineStmt(s); err != nil {
			return err
		}
		if len(part.Assumes) == MaxAssumptions {
			return errAt(k.pos(), "%s is one assumption more than the %d that a statement may have", name.text, MaxAssumptions)
		}
		part.Assumes = append(part.Assumes, &Assume{Name: name.text, Stmt: s, Always: when == "always", Start: when == "start"})
	case "for":
		part.Region = true
		if err := part.parseRegion(p); err != nil {
			return err
		}
	case "restrict":
		name, err := p.ident("a matrix symbol")
		if err != nil {
			return err
		}
		s := part.Env.Symbols[name.text]
		if s == nil || s.Kind != Matrix {
			return errAt(name.pos, "expected a declared matrix, found %s", name.describe())
		}
		c := *s
		if part.restricted == (Pos{}) {
			part.restricted = k.pos()
		}
		for p.peek().kind != tEOF {
			t := p.next()
			a, ok := attrNames[t.text]
			if !ok {
				return errAt(t.pos, "expected symmetric, psd, pd, skew, diagonal, invertible or isometry, found %s", t.describe())
			}
			c.Restriction |= a &^ c.Attr
			c.Attr |= a
		}
		part.Env.Symbols[name.text] = &c
		part.Env.Restricted[name.text] = true
		return nil
	case "draw":
		eqs, err := p.assignments("=")
		if err != nil {
			return err
		}
		for _, eq := range eqs {
			if part.Env.Symbols[eq.Name] == nil {
				return errAt(eq.Pos, "expected a declared symbol, found ‘%s’", eq.Name)
			}
		}
		part.Draws = append(part.Draws, eqs...)
	case "consequence":
		start := p.peek().pos
		if part.Consequence, err = p.stmt(); err != nil {
			return err
		}
		part.Consequence.Text = textFrom(k, start)
		if part.Consequence.Kind != Equality || part.Stmt.Kind != Assumption {
			return errAt(k.pos(), "a consequence is an equality, drawn from ‘assumption …’")
		}
	default:
		return errAt(k.pos(), "‘%s’ is not an item of a statement; expected for, assume, restrict, draw, consequence, proof, twin, words, why, uses, scalar, input, root, matrix or let", k.word())
	}
	return p.done()
}

func (part *Part) parseTwin(k *node) error {
	toks, err := lexItem(k)
	if err != nil {
		return err
	}
	t := &Twin{Pos: k.pos()}
	for _, kid := range k.kids {
		if kid.word() == "why" {
			t.Why = kid.prose()
		}
	}
	switch {
	case len(toks) == 3 && toks[1].text == "drop" && toks[2].kind == tIdent:
		t.Drop = toks[2].text
	case len(toks) == 4 && toks[1].kind == tString && toks[2].text == "->" && toks[3].kind == tString:
		t.Old, t.New = toks[1].text, toks[3].text
		if t.Old == "" || t.Old == t.New {
			return errAt(k.pos(), "a twin must change something")
		}
	default:
		return errAt(k.pos(), "expected twin \"old text\" -> \"new text\", or twin drop HYPOTHESIS")
	}
	part.Twins = append(part.Twins, t)
	return nil
}

// rules maps each proof rule to what it takes: an expression (e), expressions (E), expressions or none (c), a fact's or symbol's name (n), facts (f), a
// rule of the kernel with facts and expressions (k), or nothing.
var rules = map[string]string{"expand": "", "modulo": "e", "manifest": "e", "gronwall": "n", "integrate": "n",
	"congruence": "E", "monotone": "n", "barrier": "E", "sturm": "n", "apply": "k", "follows": "f", "count": "c"}

const ruleNames = "expand, modulo, manifest, gronwall, integrate, congruence, monotone, barrier, sturm, count, apply or follows"

func (f *File) parseStep(n *node) (*Step, error) {
	p, err := newParser(n)
	if err != nil {
		return nil, err
	}
	s := &Step{Rule: p.next().text, Pos: n.pos(), Text: n.prose()}
	if s.Rule != "suppose" && len(n.kids) > 0 {
		return nil, errAt(n.kids[0].pos(), "a step below ‘%s’; only suppose has steps below it", s.Rule)
	}
	if s.Rule != "fact" && s.Rule != "suppose" {
		if err := f.parseRule(p, s, s.Rule); err != nil {
			return nil, err
		}
		return s, p.done()
	}
	t, err := p.ident(map[string]string{"fact": "a name for the fact", "suppose": "a name for the hypothesis"}[s.Rule])
	if err != nil {
		return nil, err
	}
	s.Name = t.text
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	start := p.peek().pos
	if s.Stmt, err = p.stmt(); err != nil {
		return nil, err
	}
	s.Stmt.Text = textFrom(n, start)
	if err := f.inlineStmt(s.Stmt); err != nil {
		return nil, err
	}
	if s.Rule == "suppose" {
		if !s.Stmt.Kind.ofState() {
			return nil, errAt(s.Stmt.Pos, "a statement about states is supposed, not one over time")
		}
		for _, k := range n.kids {
			st, err := f.parseStep(k)
			if err != nil {
				return nil, err
			}
			if st.Rule != "fact" && st.Rule != "suppose" {
				return nil, errAt(st.Pos, "‘%s’ establishes the statement, which is not done below suppose; expected fact or suppose", st.Rule)
			}
			s.Steps = append(s.Steps, st)
		}
		if len(s.Steps) == 0 {
			return nil, errAt(s.Pos, "nothing is established below suppose; expected facts there")
		}
		return s, p.done()
	}
	if i := strings.LastIndex(s.Stmt.Text, " by "); i >= 0 {
		s.Stmt.Text = strings.TrimSpace(s.Stmt.Text[:i])
	}
	if err := p.expect("by"); err != nil {
		return nil, err
	}
	if s.Cites = cited(textFrom(n, p.peek().pos)); s.Cites != nil {
		return s, nil
	}
	by, err := p.ident("a rule, or CLAIM/PART")
	if err != nil {
		return nil, err
	}
	s.By = by.text
	if err := f.parseRule(p, s, s.By); err != nil {
		return nil, err
	}
	return s, p.done()
}

// parseRule reads the arguments of a rule.
func (f *File) parseRule(p *parser, s *Step, rule string) error {
	args, ok := rules[rule]
	if !ok {
		return errAt(s.Pos, "‘%s’ is not a rule; expected %s", rule, ruleNames)
	}
	name := func(what string) (string, error) {
		t, err := p.ident(what)
		return t.text, err
	}
	facts := func() error {
		for {
			n, err := name("the name of a fact")
			if err != nil {
				return err
			}
			s.From = append(s.From, n)
			if !p.accept(",") {
				return nil
			}
		}
	}
	exprs := func(many bool) error {
		for {
			e, err := p.expr()
			if err != nil {
				return err
			}
			if e, err = f.inlineRHS(e); err != nil {
				return err
			}
			if s.Expr == nil {
				s.Expr = e
			} else {
				s.More = append(s.More, e)
			}
			if !many || !p.accept(",") {
				return nil
			}
		}
	}
	var err error
	switch args {
	case "n":
		s.Uses, err = name("the name of a fact")
	case "e", "E":
		err = exprs(args == "E")
	case "c":
		if p.peek().kind != tEOF {
			err = exprs(true)
		}
	case "f":
		err = facts()
	case "k":
		if s.Apply, err = name("a rule of the kernel"); err != nil {
			return err
		}
		if !slices.Contains(kernel.RuleNames(), s.Apply) {
			return errAt(s.Pos, "‘%s’ is not a rule of the kernel; its rules are %s", s.Apply, strings.Join(kernel.RuleNames(), " "))
		}
		if p.accept("to") {
			if err := facts(); err != nil {
				return err
			}
		}
		if p.accept("with") {
			err = exprs(true)
		}
	}
	return err
}

// WithProof returns the part with the lines of another script, as they stand below `proof`.
func (part *Part) WithProof(lines string) (*Part, error) {
	roots, err := parseTree("script", "claim script\n  says s: absurd\n    proof\n"+indented(lines, 6))
	if err != nil {
		return nil, err
	}
	steps := &Part{}
	if err := (&File{}).parsePartItem(steps, roots[0].kids[0].kids[0]); err != nil {
		return nil, err
	}
	p := *part
	p.Proof = steps.Proof
	return &p, p.check()
}

// ParseStep reads one step of a script by itself.
func ParseStep(text string) (*Step, error) {
	return (&File{}).parseStep(&node{lines: []line{{text, Pos{"script", 1, 1}}}})
}

func indented(text string, by int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.Repeat(" ", by) + l
	}
	return strings.Join(lines, "\n")
}

func (f *File) inlineStmt(s *Stmt) error {
	for _, e := range s.exprs() {
		x, err := f.inlineRHS(*e)
		if err != nil {
			return err
		}
		*e = x
	}
	return nil
}

// exprs returns the addresses of the expressions a statement is made of.
func (s *Stmt) exprs() []**Expr {
	var out []**Expr
	for _, e := range []**Expr{&s.L, &s.R, &s.Rate, &s.Lo, &s.Hi} {
		if *e != nil {
			out = append(out, e)
		}
	}
	for i := range s.More {
		out = append(out, &s.More[i])
	}
	for _, q := range s.Assign {
		out = append(out, &q.RHS)
	}
	if s.Of != nil {
		out = append(out, s.Of.exprs()...)
	}
	return out
}

// textFrom returns the item's text from the given position on, lines joined.
func textFrom(n *node, from Pos) string {
	var parts []string
	for _, l := range n.lines {
		switch {
		case l.pos.Line < from.Line:
		case l.pos.Line == from.Line:
			rs := []rune(l.text)
			if k := from.Col - l.pos.Col; k <= len(rs) {
				parts = append(parts, strings.TrimSpace(string(rs[k:])))
			}
		default:
			parts = append(parts, strings.TrimSpace(l.text))
		}
	}
	return strings.Join(parts, " ")
}

// Mutate returns the part of claim c that twin t makes of part p: the same text with the replacement made
// in the statement and its hypotheses, or else in the claim's declarations, or else in the equations of the
// systems it uses. The text to replace must occur exactly once in the first of these where it occurs. It may be called by
// several goroutines at a time.
func (f *File) Mutate(c *Claim, p *Part, t *Twin) (*Part, error) {
	f = f.again()
	m, err := f.mutate(c, p, t)
	if err != nil {
		return nil, err
	}
	if err := f.resolve(m); err != nil {
		return nil, err
	}
	return m, nil
}

// again is the file, to read something in it once more: what is counted on the way is begun anew and shared with nobody.
func (f *File) again() *File {
	g := *f
	g.inlining, g.built, g.inlined = nil, nil, 0
	return &g
}

func (f *File) mutate(c *Claim, p *Part, t *Twin) (*Part, error) {
	n := cloneNode(p.src)
	claim := cloneNode(c.src)
	claim.kids = slices.DeleteFunc(claim.kids, func(k *node) bool { w := k.word(); return w == "says" || w == "corrected" })
	n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return k.word() == "twin" })
	if t.Drop != "" {
		before := len(n.kids)
		n.kids = slices.DeleteFunc(n.kids, func(k *node) bool {
			head, _, _ := strings.Cut(k.prose(), ":")
			words := strings.Fields(head) // its marks and its name
			return k.word() == "assume" && len(words) > 0 && words[len(words)-1] == t.Drop
		})
		if len(n.kids) == before {
			return nil, errAt(t.Pos, "there is no hypothesis %s to drop", t.Drop)
		}
		if part, err := f.parsePart(claim, n, nil); err == nil {
			return part, nil
		}
		// The proof script mentions the hypothesis; without it there is nothing to replay.
		n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return k.word() == "proof" })
		return f.parsePart(claim, n, nil)
	}
	var body []*node // statement, hypotheses, draws: everything but the proof
	body = append(body, &node{lines: n.lines})
	for _, k := range n.kids {
		if k.word() != "proof" && k.word() != "why" {
			body = append(body, k)
		}
	}
	done, err := replaceOnce(body, t)
	if err != nil {
		return nil, err
	}
	if done {
		n.lines = body[0].lines
		return f.parsePart(claim, n, nil)
	}
	var decls []*node
	for _, k := range claim.kids {
		if !isProse(k.word()) {
			decls = append(decls, k)
		}
	}
	if done, err = replaceOnce(decls, t); err != nil {
		return nil, err
	} else if done {
		return f.parsePart(claim, n, nil)
	}
	overrides := map[string]*node{}
	var all []*node
	for _, name := range f.usedSystems(c, p) {
		o := cloneNode(f.Systems[name].src)
		overrides[name] = o
		for _, k := range o.kids {
			if !isProse(k.word()) {
				all = append(all, k)
			}
		}
	}
	if done, err = replaceOnce(all, t); err != nil {
		return nil, err
	}
	if !done {
		return nil, errAt(t.Pos, "the text ‘%s’ occurs nowhere in the statement, the claim's declarations or its systems", t.Old)
	}
	f.replaced = overrides
	return f.parsePart(claim, n, overrides)
}

func (f *File) usedSystems(c *Claim, p *Part) []string {
	var names []string
	var visit func(string)
	visit = func(s string) {
		if slices.Contains(names, s) || f.Systems[s] == nil {
			return
		}
		names = append(names, s)
		for _, u := range f.Systems[s].Uses {
			visit(u)
		}
	}
	for _, k := range append(slices.Clone(c.src.kids), p.src.kids...) {
		if k.word() == "uses" {
			for _, s := range splitNames(k.prose()) {
				visit(s)
			}
		}
	}
	return names
}

func cloneNode(n *node) *node {
	c := &node{lines: slices.Clone(n.lines)}
	for _, k := range n.kids {
		c.kids = append(c.kids, cloneNode(k))
	}
	return c
}

// replaceOnce makes the twin's replacement in the items' lines, recursively.
func replaceOnce(items []*node, t *Twin) (bool, error) {
	count := 0
	var visit func(*node, bool)
	visit = func(n *node, write bool) {
		for i := range n.lines {
			if c := strings.Count(n.lines[i].text, t.Old); c > 0 {
				count += c
				if write {
					n.lines[i].text = strings.Replace(n.lines[i].text, t.Old, t.New, 1)
				}
			}
		}
		for _, k := range n.kids {
			visit(k, write)
		}
	}
	for _, n := range items {
		visit(n, false)
	}
	if count == 0 {
		return false, nil
	}
	if count > 1 {
		return false, errAt(t.Pos, "the text ‘%s’ occurs %d times; expected a text that occurs once", t.Old, count)
	}
	for _, n := range items {
		visit(n, true)
	}
	return true, nil
}

// String names the dimension pair of a matrix type.
func shapeText(r, c Dim) string { return fmt.Sprintf("%s×%s", r, c) }
