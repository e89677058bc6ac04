package statecheck

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
)

// binding is a part with values for its symbols.
type binding struct {
	part  *lang.Part // with no more roots than it uses
	whole *lang.Part // as it is, under all of Γ
	env   *lang.Env
	uses  *Uses
	state *State
	left  *effort // of the check
	st    eval.State[float64]
	// exact is the same state in exact numbers, as far as they are: nil at later times of a trajectory.
	exact map[string]exact
	// beyond are exact values that the state has for symbols that the part does not speak of: Γ may.
	beyond      map[string]exact
	surdsBeyond map[string]eval.Surd
	// surds are the irrational numbers that the state gives exactly; exact has fractions near them.
	surds map[string]eval.Surd
	// rounded names the values that are no fractions and so stand in st alone.
	rounded []string
	// assumed says of each value that the state does not give where it comes from.
	assumed map[string]string
	// agrees holds the extra hypotheses: whether the state fits what the claim's system fixes.
	agrees map[string]bool
	// rates are the scalars that a hypothesis M − rate·I ⪰ 0 bounds and that nothing else gives.
	rates   []rate
	drawn   []string // symbols computed by the part's recipe
	missing []string // symbols that have no value
}

// rate is a scalar λ of a hypothesis M − λ·I ⪰ 0, or ≻ 0 if strict.
type rate struct {
	name   string
	m      *lang.Expr
	strict bool
}

// bind gives the symbols of a part the values of the state. An error means that the state contradicts
// itself, or the shapes that the claim declares.
func bind(p *lang.Part, u *Uses, s *State) (*binding, error) {
	b := &binding{part: onlyUsed(p, u), whole: p, env: p.Env, uses: u, state: s, assumed: map[string]string{}, agrees: map[string]bool{},
		exact: map[string]exact{}, beyond: map[string]exact{}, surdsBeyond: map[string]eval.Surd{}, surds: map[string]eval.Surd{}, st: eval.State[float64]{Dims: map[lang.Dim]int{}, Vals: map[string]matrix{}}}
	q := supply{s: s}
	setBy := map[lang.Dim]string{}
	for _, d := range b.env.Sizes {
		v := s.values[string(d)]
		if v == nil {
			continue
		}
		if v.number == nil || v.surd != nil || !v.number.IsInt() || v.number.Sign() <= 0 || v.number.Cmp(big.NewRat(model.MaxSize, 1)) > 0 {
			return nil, s.errorf(v.line, "the size %s is a number from 1 to %d", d, model.MaxSize)
		}
		b.st.Dims[d], setBy[d] = int(v.number.Num().Int64()), "the state"
	}
	for _, name := range s.order {
		sym := b.env.Symbols[name]
		if v := s.values[name]; v.size && sym != nil {
			return nil, s.errorf(v.line, "%s is given as a size, and is none", name)
		}
	}
	// What is given comes first, so that a size that does not fit is laid to it and not to what follows.
	order := slices.Clone(b.env.Order)
	slices.SortStableFunc(order, func(a, c string) int { return cmp.Compare(given(s, c), given(s, a)) })
	for _, name := range order {
		sym := b.env.Symbols[name]
		if sym.Kind != lang.Matrix {
			continue
		}
		if q.given(name) == nil {
			if v := s.values[name]; v != nil && !slices.Contains(modeKeys, name) {
				return nil, s.errorf(v.line, "%s: a matrix is an array of rows", name)
			}
			if !u.Symbols[name] {
				continue // what would follow from others, and is not asked for
			}
		}
		m, how, near, err := q.matrix(name)
		if err != nil {
			return nil, fmt.Errorf("statecheck: %s: %s = %s: %w", s.Name, name, how, err)
		}
		if m == nil {
			continue
		}
		r, c := m.R, m.C
		for k, d := range []lang.Dim{sym.Rows, sym.Cols} {
			n := []int{r, c}[k]
			switch old, ok := b.st.Dims[d]; {
			case d == "1" && n == 1:
			case d == "1" || ok && old != n:
				return nil, fmt.Errorf("statecheck: %s: %s is %d×%d; expected %s×%s%s", s.Name, name, r, c, sym.Rows, sym.Cols, sizeFrom(d, old, setBy))
			default:
				b.st.Dims[d], setBy[d] = n, name
			}
		}
		switch {
		case u.Symbols[name]:
			b.set(name, *m, how)
			if near {
				b.round(name)
			}
			if q.near(name) {
				b.surds[name] = *s.values[name].surd
			}
		case !near:
			b.beyond[name] = *m
			if q.near(name) {
				b.surdsBeyond[name] = *s.values[name].surd
			}
		}
	}
	for _, name := range b.env.Order {
		if sym := b.env.Symbols[name]; u.Symbols[name] && sym.Kind == lang.Scalar && sym.Root == nil {
			if n, ok := q.scalar(name); ok {
				b.set(name, eval.ScalarOf(n.v), n.how)
				if n.rounded {
					b.round(name)
				}
				if n.surd != nil {
					b.surds[name] = *n.surd
				}
			} else if v := s.values[name]; v != nil && !slices.Contains(modeKeys, name) {
				return nil, s.errorf(v.line, "%s: want a number", name)
			}
		}
	}
	if err := b.further(q); err != nil {
		return nil, err
	}
	b.freeMotions()
	b.findRates()
	if err := b.recipes(); err != nil {
		return nil, err
	}
	b.agreement(q)
	b.findMissing()
	return b, nil
}

// given is 1 for a name that the state gives, else 0.
func given(s *State, name string) int {
	if s.values[name] != nil {
		return 1
	}
	return 0
}

// findMissing lists the symbols that have no value, leaving out those whose value would follow from that of
// another on the list: random vectors, X and X' when W is missing, the rate of a quantity that moves freely.
func (b *binding) findMissing() {
	lacks := func(name string) bool { _, ok := b.st.Vals[name]; return b.uses.Symbols[name] && !ok }
	for _, name := range b.env.Order {
		sym := b.env.Symbols[name]
		switch {
		case !lacks(name) || sym.Root != nil || sym.Kind == lang.Random:
		case slices.ContainsFunc(b.rates, func(r rate) bool { return r.name == name }):
		case (name == "X" || name == "Xp") && lacks("W"):
		case slices.ContainsFunc(b.env.Flow, func(q *lang.Equation) bool {
			return q.RHS.Kind == lang.Sym && q.RHS.Name == name && lacks(q.Name)
		}):
		default:
			b.missing = append(b.missing, name)
		}
	}
}

// further takes from the state what the part does not speak of, as far as it is one number.
func (b *binding) further(q supply) error {
	for _, name := range b.env.Order {
		sym := b.env.Symbols[name]
		if b.uses.Symbols[name] || sym.Kind != lang.Scalar || sym.Root != nil {
			continue
		}
		v := b.state.values[name]
		if v != nil && len(v.modes) > 1 && slices.Contains(modeKeys, name) {
			continue
		}
		n, ok := q.scalar(name)
		if !ok && v != nil && !slices.Contains(modeKeys, name) {
			return b.state.errorf(v.line, "%s: want a number", name)
		}
		if ok && !n.rounded {
			b.beyond[name] = eval.ScalarOf(n.v)
			if n.surd != nil {
				b.surdsBeyond[name] = *n.surd
			}
		}
	}
	return nil
}

// onlyUsed returns the part in an environment that declares no more roots than it uses: a square root that it does not
// speak of need not be real at the state.
func onlyUsed(p *lang.Part, u *Uses) *lang.Part {
	env := *p.Env
	env.Order = slices.DeleteFunc(slices.Clone(env.Order), func(name string) bool { return env.Symbols[name].Root != nil && !u.Symbols[name] })
	q := *p
	q.Env = &env
	return &q
}

func sizeFrom(d lang.Dim, n int, setBy map[lang.Dim]string) string {
	if by := setBy[d]; by != "" {
		return fmt.Sprintf(" with %s = %d as in %s", d, n, by)
	}
	return ""
}

// set gives a symbol an exact value.
func (b *binding) set(name string, m exact, how string) {
	b.st.Vals[name] = rounded(m)
	if b.exact != nil {
		b.exact[name] = m
	}
	if how != "" {
		b.assumed[name] = how
	}
}

// round notes that a symbol's value is exact no more.
func (b *binding) round(name string) {
	if b.exact != nil && !slices.Contains(b.rounded, name) {
		delete(b.exact, name)
		b.rounded = append(b.rounded, name)
	}
}

// freeMotions gives a rate dx without a value, in x' = dx, the value zero.
func (b *binding) freeMotions() {
	for _, q := range b.env.Flow {
		name := q.RHS.Name
		sym := b.env.Symbols[name]
		if q.RHS.Kind != lang.Sym || sym == nil || b.env.Equation(name) != nil || b.supplied(name) {
			continue
		}
		x, ok := b.st.Vals[q.Name]
		if y, has := b.beyond[q.Name]; has {
			x, ok = rounded(y), true
		}
		if _, has := b.st.Vals[name]; has || !ok {
			continue
		}
		zero := exact{R: x.R, C: x.C, A: make([]*big.Rat, len(x.A))}
		for i := range zero.A {
			zero.A[i] = new(big.Rat)
		}
		if b.uses.Symbols[name] {
			b.set(name, zero, "0")
		} else {
			b.beyond[name] = zero
		}
	}
}

// findRates looks for hypotheses M − λ·I ⪰ 0 whose λ has no value.
func (b *binding) findRates() {
	for _, a := range b.part.Assumes {
		s := a.Stmt
		if s.Kind != lang.Definite || s.L.Kind != lang.Sub {
			continue
		}
		r := s.L.Args[1]
		if r.Kind != lang.Mul || r.Args[0].Kind != lang.Sym || r.Args[1].Kind != lang.Unit {
			continue
		}
		name := r.Args[0].Name
		if _, ok := b.st.Vals[name]; ok || b.env.Symbols[name] == nil {
			continue
		}
		b.rates = append(b.rates, rate{name, s.L.Args[0], s.Strict})
		b.assumed[name] = "the smallest eigenvalue of " + lang.Unicode(s.L.Args[0])
	}
}

// recipes computes auxiliary symbols by the part's own way of drawing states, as far as their ingredients
// are known.
func (b *binding) recipes() error {
	for _, q := range b.part.Draws {
		if _, ok := b.st.Vals[q.Name]; ok || !b.known(q.RHS) {
			continue
		}
		if m, ok := b.draw(q); ok {
			b.set(q.Name, m, lang.Unicode(q.RHS))
			b.drawn = append(b.drawn, q.Name)
			continue
		}
		e, err := eval.New(eval.Float{}, b.part.Env, b.st)
		if err != nil {
			return err
		}
		if x := b.root(q.RHS); x != nil {
			f, _ := x.C.Float64()
			near, _ := exactOf(eval.ScalarOf(math.Sqrt(f)))
			b.set(q.Name, near, lang.Unicode(q.RHS))
			b.surds[q.Name] = *x
			b.drawn = append(b.drawn, q.Name)
			continue
		}
		m, err := e.Eval(q.RHS)
		if err != nil {
			continue // a multiple of I: the state does not say how large
		}
		b.st.Vals[q.Name] = m
		b.assumed[q.Name] = lang.Unicode(q.RHS)
		b.round(q.Name)
		b.drawn = append(b.drawn, q.Name)
	}
	return nil
}

// draw is the exact value of a recipe; ok is false where it has none.
func (b *binding) draw(q *lang.Equation) (m exact, ok bool) {
	if len(b.rounded) > 0 || len(b.surds) > 0 || b.exact == nil {
		return m, false
	}
	e, err := eval.New(eval.Rational{}, b.part.Env, eval.State[*big.Rat]{Dims: b.st.Dims, Vals: b.exact})
	if err != nil {
		return m, false
	}
	m, err = e.Eval(q.RHS)
	return m, err == nil
}

// root is the square root of a positive number that a recipe takes, or nil.
func (b *binding) root(x *lang.Expr) *eval.Surd {
	if x.Kind != lang.Call || x.Name != "root" {
		return nil
	}
	m, ok := b.draw(&lang.Equation{RHS: x.Args[0]})
	if !ok {
		return nil
	}
	if f, _ := m.A[0].Float64(); !(f > 0) || math.IsInf(f, 0) {
		return nil
	}
	return &eval.Surd{A: new(big.Rat), B: big.NewRat(1, 1), C: m.A[0]}
}

// at returns the binding with other values for the state variables. What the recipes gave keeps its value: the flow moves it, or
// it is a constant. Inputs alone, which move in any way, are drawn anew.
func (b *binding) at(vars map[string]matrix) (*binding, error) {
	c := *b
	c.st.Vals = maps.Clone(b.st.Vals)
	if vars == nil {
		c.exact = maps.Clone(b.exact)
		return &c, nil
	}
	c.exact = nil
	maps.Copy(c.st.Vals, vars)
	c.drawn = nil
	for _, name := range b.drawn {
		if _, moved := vars[name]; !moved && b.env.Symbols[name].Input {
			delete(c.st.Vals, name)
		}
	}
	return &c, c.recipes()
}

// precisely is the binding at a later point, with these values of what moves, as the state that its numbers are as fractions.
// What does not move keeps its exact value.
func (b *binding) precisely(point *binding, vars map[string]matrix) *binding {
	c := *b
	c.st.Vals = maps.Clone(b.st.Vals)
	c.exact = maps.Clone(b.exact)
	c.rounded = slices.Clone(b.rounded)
	c.surds = maps.Clone(b.surds)
	take := func(name string, m matrix) {
		x, ok := exactOf(m)
		if !ok {
			return
		}
		c.st.Vals[name], c.exact[name] = m, x
		delete(c.surds, name)
		c.rounded = slices.DeleteFunc(c.rounded, func(n string) bool { return n == name })
	}
	for name, m := range vars {
		take(name, m)
	}
	for _, r := range b.rates {
		take(r.name, point.st.Vals[r.name])
	}
	for _, name := range b.drawn {
		if _, moved := vars[name]; !moved && b.env.Symbols[name].Input {
			take(name, point.st.Vals[name])
		}
	}
	return &c
}

// known reports whether every symbol of x has a value.
func (b *binding) known(x *lang.Expr) bool {
	ok := true
	seen := map[string]bool{} // definitions share what is in them
	var look func(x *lang.Expr)
	look = func(x *lang.Expr) {
		x.Walk(func(n *lang.Expr) bool {
			if n.Kind != lang.Sym || seen[n.Name] {
				return ok
			}
			seen[n.Name] = true
			if l := b.env.Lets[n.Name]; l != nil {
				look(l.Expr)
			} else if _, has := b.st.Vals[n.Name]; !has {
				ok = false
			}
			return ok
		})
	}
	look(x)
	return ok
}

// What the extra hypotheses are called, of which no assumption has the name.
const (
	isotropic    = "X = I, Xp = sigma2·I"
	proportional = "Wa = tau·W"

	builtIn = "theory/claims/" // where the built-in systems are
)

// agreement checks what the state gives against what the built-in systems fix: matrices that the part does not speak of, and that
// nobody else declares, as that is all that is said of them then.
func (b *binding) agreement(q supply) {
	fixed := func(name string) *exact {
		if y := b.env.Symbols[name]; b.uses.Symbols[name] || y != nil && !strings.HasPrefix(y.Pos.File, builtIn) {
			return nil
		}
		return q.given(name)
	}
	x, xp := fixed("X"), fixed("Xp")
	if v, ok := b.exact["sigma2"]; ok && (x != nil || xp != nil) {
		b.agrees[isotropic] = (x == nil || isMultiple(*x, big.NewRat(1, 1))) && (xp == nil || isMultiple(*xp, v.A[0]))
	}
	tau, okTau := b.exact["tau"]
	w, okW := b.exact["W"]
	if wa := fixed("Wa"); okTau && okW && tau.R == 1 && wa != nil {
		size := new(big.Rat)
		for _, v := range w.A {
			if v := new(big.Rat).Abs(v); v.Cmp(size) > 0 {
				size = v
			}
		}
		if t := new(big.Rat).Abs(tau.A[0]); t.Cmp(big.NewRat(1, 1)) > 0 {
			size = new(big.Rat).Mul(size, t)
		}
		b.agrees[proportional] = w.R == wa.R && w.C == wa.C &&
			closeTo(*wa, func(i, j int) *big.Rat { return new(big.Rat).Mul(tau.A[0], w.At(i, j)) }, size)
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
