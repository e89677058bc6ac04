package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"weak"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// cache keeps what was compiled for an object as long as the object is in use elsewhere. What it keeps must not refer
// to the object.
type cache[K, V any] struct{ m sync.Map } // weak.Pointer[K] → *V

func (c *cache[K, V]) get(k *K, fresh func() *V, valid func(*V) bool) *V {
	key := weak.Make(k)
	old, known := c.m.Load(key)
	if known && valid(old.(*V)) {
		return old.(*V)
	}
	v := fresh()
	if !known {
		runtime.AddCleanup(k, func(key weak.Pointer[K]) { c.m.Delete(key) }, key)
	}
	c.m.Store(key, v)
	return v
}

var (
	vocabularies cache[lang.Env, vocabulary]
	parts        cache[lang.Part, compiled]
)

// dynamics are the expressions that the meaning of an environment rests on: whoever changes one gets a new meaning.
type dynamics struct {
	order    int
	equation []*lang.Expr
}

func dynamicsOf(env *lang.Env) dynamics {
	d := dynamics{order: len(env.Order), equation: make([]*lang.Expr, 0, len(env.Flow)+len(env.Map)+len(env.Moments))}
	for _, q := range env.Flow {
		d.equation = append(d.equation, q.RHS)
	}
	for _, q := range env.Map {
		d.equation = append(d.equation, q.RHS)
	}
	for _, m := range env.Moments {
		d.equation = append(d.equation, m.RHS)
	}
	return d
}

func (d dynamics) of(env *lang.Env) bool {
	if d.order != len(env.Order) || len(d.equation) != len(env.Flow)+len(env.Map)+len(env.Moments) {
		return false
	}
	i := 0
	for _, q := range env.Flow {
		if d.equation[i] != q.RHS {
			return false
		}
		i++
	}
	for _, q := range env.Map {
		if d.equation[i] != q.RHS {
			return false
		}
		i++
	}
	for _, m := range env.Moments {
		if d.equation[i] != m.RHS {
			return false
		}
		i++
	}
	return true
}

// vocabulary is an environment in the kernel's terms, with a program that grows by the expressions asked for.
type vocabulary struct {
	dynamics
	mu      sync.Mutex
	err     error
	reading *lang.Reading
	prog    *program
	symbols []symbol
	known   map[string]placed // by the text of the expression and the symbol whose shape it has
	terms   int
}

type placed struct {
	at  int
	err error
}

// Bounds on a vocabulary, after which it is begun anew: expressions, and terms of the kernel, of more than a few expressions.
const (
	maxKnown = 4096
	maxTerms = 50_000
	fewKnown = 64
)

func vocabularyOf(env *lang.Env) (*vocabulary, error) {
	v := vocabularies.get(env, func() *vocabulary { return newVocabulary(env) }, func(v *vocabulary) bool {
		if !v.of(env) {
			return false
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		// What is long by itself is not shorter when it is compiled anew.
		return len(v.known) < maxKnown && (v.terms < maxTerms || len(v.known) < fewKnown && v.terms < 3*maxTerms)
	})
	return v, v.err
}

func newVocabulary(env *lang.Env) *vocabulary {
	v := &vocabulary{dynamics: dynamicsOf(env), prog: newProgram(), known: map[string]placed{}}
	// The reading must not hold on to env.
	copied := *env
	one := lang.NewNum(lang.Pos{}, big.NewRat(1, 1))
	v.reading, v.err = lang.Elaborate(&lang.Part{Env: &copied, Stmt: &lang.Stmt{Kind: lang.Equality, L: one, R: one}})
	if v.err == nil {
		v.symbols = symbolsOf(v.reading.Context().Signature())
	}
	return v
}

// place compiles an expression, in a place of the shape of the symbol called like if there is one.
func (v *vocabulary) place(x *lang.Expr, like string) ([]operation, int, error) {
	key := string(appendKey(append(append(make([]byte, 0, 64), like...), ':'), x))
	v.mu.Lock()
	defer v.mu.Unlock()
	p, ok := v.known[key]
	if !ok {
		p.at, p.err = v.compile(x, like)
		v.known[key] = p
	}
	return v.prog.ops, p.at, p.err
}

func (v *vocabulary) compile(x *lang.Expr, like string) (int, error) {
	c := v.reading.Context()
	var shape *kernel.Term
	if like != "" {
		shape = c.Signature().Lookup(like)
	}
	t, err := v.reading.TermOfShape(x, shape)
	if err != nil {
		return 0, err
	}
	u, err := c.Dynamics().Unfold(t)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", x.Pos, err)
	}
	v.terms = max(v.terms, u.ID())
	return v.prog.put(u), nil
}

// appendKey writes an expression so that equal texts mean equal expressions.
func appendKey(b []byte, x *lang.Expr) []byte {
	b = append(b, byte('a'+x.Kind))
	b = append(b, x.Name...)
	if x.Kind == lang.Num {
		b = append(b, x.Val.RatString()...)
	}
	if x.N != 0 {
		b = strconv.AppendInt(append(b, '^'), int64(x.N), 10)
	}
	b = append(b, '(')
	for _, a := range x.Args {
		b = append(appendKey(b, a), ',')
	}
	return append(b, ')')
}

// compiled is a part in operations. It is immutable.
type compiled struct {
	dynamics
	stmt        lang.Stmt // as it was compiled
	consequence *lang.Stmt
	assumes     []*lang.Assume
	env         weak.Pointer[lang.Env]

	err        error
	ops        []operation
	symbols    []symbol
	hypotheses []hypothesis
	goals      []goal
	assumption bool
	steps      bool     // the statement is about orbits of the map
	inputs     []string // that what is said over time depends on, and how long it is said
	kept       []look   // of an assumption: its equations hold a moment later too
}

// hypothesis is one of Γ.
type hypothesis struct {
	name     string
	declared bool // by the declaration of the symbol called name
	moves    bool
	always   bool // assumed at every time
	check
}

// symbol is a symbol with values at a state.
type symbol struct {
	name       string
	scalar     bool
	rows, cols []lang.Dim
}

func symbolsOf(sig *kernel.Signature) (out []symbol) {
	for _, y := range sig.Symbols() {
		switch y.Class() {
		case kernel.Param, kernel.State, kernel.Input:
			r, c := y.Shape()
			out = append(out, symbol{y.Name(), y.Scalar(), legs(r), legs(c)})
		}
	}
	return out
}

// checkShapes requires that the values given are of their symbols' shapes.
func (r *run[T]) checkShapes(symbols []symbol) error {
	for _, y := range symbols {
		m, ok := r.st.Vals[y.name]
		if !ok {
			continue
		}
		rows, cols := 1, 1
		for _, d := range y.rows {
			rows *= r.st.Dims[d]
		}
		for _, d := range y.cols {
			cols *= r.st.Dims[d]
		}
		if m.R != rows || m.C != cols || len(m.A) != rows*cols {
			return misshapen(y.name, m.R, m.C, rows, cols)
		}
	}
	return nil
}

func compiledOf(p *lang.Part) (*compiled, error) {
	c := parts.get(p, func() *compiled { return compilePart(p) }, func(c *compiled) bool { return c.isOf(p) })
	return c, c.err
}

// isOf reports whether nothing of the part was changed since it was compiled.
func (c *compiled) isOf(p *lang.Part) bool {
	s, t := &c.stmt, p.Stmt
	if p.Env == nil || c.env.Value() != p.Env || !c.of(p.Env) || c.consequence != p.Consequence || !slices.Equal(c.assumes, p.Assumes) || t == nil {
		return false
	}
	return s.Kind == t.Kind && s.L == t.L && s.R == t.R && s.Rel == t.Rel && s.Strict == t.Strict && s.Norm == t.Norm && s.Rate == t.Rate &&
		s.Of == t.Of && s.Course == t.Course && s.Lo == t.Lo && s.Hi == t.Hi && s.Word == t.Word && s.N == t.N && s.LoIn == t.LoIn && s.HiIn == t.HiIn && slices.Equal(s.More, t.More) && slices.Equal(s.Assign, t.Assign)
}

func compilePart(p *lang.Part) *compiled {
	c := &compiled{consequence: p.Consequence, assumes: slices.Clone(p.Assumes)}
	if p.Stmt == nil || p.Env == nil {
		c.err = errors.New("eval: a part without a statement")
		return c
	}
	c.dynamics, c.stmt, c.env = dynamicsOf(p.Env), *p.Stmt, weak.Make(p.Env)
	r, err := lang.Elaborate(p)
	if err == nil {
		err = c.read(p, r)
	}
	c.err = err
	return c
}

func (c *compiled) read(p *lang.Part, r *lang.Reading) error {
	ctx := r.Context()
	b := &builder{sig: ctx.Signature(), dyn: ctx.Dynamics(), time: ctx.Time(), prog: newProgram()}
	c.symbols, c.steps = symbolsOf(b.sig), ctx.Time() == kernel.Orbit
	names := r.HypothesisNames()
	hyps := ctx.Hypotheses()
	c.assumption = p.Stmt.Kind == lang.Assumption
	assumed := len(hyps) - len(p.Assumes)
	if c.assumption {
		assumed -= len(p.Stmt.Assign)
	}
	for i, h := range hyps {
		f := h.Formula()
		y := hypothesis{name: names[i], declared: i < assumed, always: h.Mark() == kernel.Kept, check: b.state(f)}
		for _, t := range f.Terms() {
			moves, err := b.dyn.Moves(t)
			y.moves = keep(b, moves, err) || y.moves
		}
		c.hypotheses = append(c.hypotheses, y)
	}
	goals := r.Goals()
	if c.assumption {
		goals, _ = r.Consequence()
		for i, f := range r.Kept() {
			if i%2 == 1 {
				c.kept = append(c.kept, look{conclusions: []check{b.state(f)}})
			}
		}
	}
	for _, f := range goals {
		c.goals = append(c.goals, b.goal(f))
	}
	if !c.assumption && len(goals) > 0 && goals[0].Form().Temporal() {
		for _, g := range goals {
			c.inputs = append(c.inputs, b.inputs(g).names...)
		}
		for _, h := range hyps {
			// Inputs that keep their values end a motion where, following it, they would not.
			if of := b.inputs(h.Formula()); h.Mark() == kernel.Kept && of.moving {
				c.inputs = append(c.inputs, of.names...)
			}
		}
		slices.Sort(c.inputs)
		c.inputs = slices.Compact(c.inputs)
	}
	c.ops = b.prog.ops
	return b.err
}

// dependence is what a formula over time depends on, itself or through the equations of what it mentions.
type dependence struct {
	names  []string // of the inputs, and of the state variables that move like one
	moving bool     // whether there are others, which an equation moves
}

func (b *builder) inputs(f kernel.Formula) (of dependence) {
	seen := map[*kernel.Term]bool{}
	var visit func(t *kernel.Term)
	visit = func(t *kernel.Term) {
		if b.err != nil || t == nil || seen[t] {
			return
		}
		seen[t] = true
		if y := t.Symbol(); y != nil {
			law := b.dyn.FlowOf
			if b.time == kernel.Orbit {
				law = b.dyn.MapOf
			}
			switch y.Class() {
			case kernel.Input:
				of.names = append(of.names, y.Name())
			case kernel.State:
				f := law(t)
				if f == nil {
					// What has an equation in the other course alone moves in any way in this one.
					of.names = append(of.names, y.Name())
					break
				}
				of.moving = true
				u, err := b.dyn.Unfold(f)
				visit(keep(b, u, err))
			}
		}
		for _, a := range t.Args() {
			visit(a)
		}
	}
	for _, t := range append(f.Terms(), f.Inner().Terms()...) {
		u, err := b.dyn.Unfold(t)
		visit(keep(b, u, err))
	}
	return of
}

// Symbols names the symbols that a part speaks of, in its statement and in what it assumes, through definitions and
// through what they unfold to; the declared domains of others do not count.
func Symbols(part *lang.Part) (map[string]bool, error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	out, seen := map[string]bool{}, map[int]bool{}
	var walk func(i int)
	walk = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		switch o := &c.ops[i]; o.head {
		case kernel.Letter:
			out[o.name] = true
		case kernel.Number, kernel.Size, kernel.Identity, kernel.Zero:
		case kernel.Sum, kernel.Product, kernel.Kronecker:
			walk(o.a)
			walk(o.b)
		default:
			walk(o.a)
		}
	}
	visit := func(k check) {
		if k.rel == never {
			return
		}
		walk(k.a)
		if k.rel.binary() {
			walk(k.b)
		}
	}
	for i := range c.hypotheses {
		if !c.hypotheses[i].declared {
			visit(c.hypotheses[i].check)
		}
	}
	for i := range c.goals {
		g := &c.goals[i]
		for _, l := range g.looks {
			for _, k := range append(append([]check(nil), l.premises...), l.conclusions...) {
				visit(k)
			}
		}
		for _, p := range append(append([]int(nil), g.terms...), g.values...) {
			walk(p)
		}
	}
	return out, nil
}

// Sizes names the sizes of which a part speaks as numbers, and lists whole numbers of interest for them: those in it, their
// neighbours, and what their roots are near, up to most. A statement may fail at such a size and at none of those that are
// drawn. A part that has matrices, too, is looked at up to smaller ones.
func Sizes(part *lang.Part, most int) (names []lang.Dim, of []int) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, nil
	}
	for _, o := range c.ops {
		switch {
		case o.head == kernel.Size:
			names = append(names, o.rows...)
		case o.head == kernel.Letter && !o.scalar:
			most = min(most, 16)
		}
	}
	if names == nil {
		return nil, nil
	}
	for _, o := range c.ops {
		if o.head != kernel.Number {
			continue
		}
		at := math.Abs(o.f)
		for _, x := range []float64{at, math.Sqrt(at)} {
			for k := max(1, int(min(x, 100))-1); k <= most && float64(k) <= x+1; k++ {
				of = append(of, k)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(of)
	return slices.Compact(names), slices.Compact(of)
}
