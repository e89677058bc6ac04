package statecheck

import (
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// binding is a part with values for its symbols.
type binding struct {
	part *lang.Part
	env  *lang.Env
	uses *Uses
	st   eval.State[float64]
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
func bind(p *lang.Part, u *Uses, s *flow.State) (*binding, error) {
	b := &binding{part: onlyUsed(p, u), env: p.Env, uses: u, assumed: map[string]string{}, agrees: map[string]bool{},
		st: eval.State[float64]{Dims: map[lang.Dim]int{}, Vals: map[string]matrix{}}}
	q := supply{s: s}
	setBy := map[lang.Dim]string{}
	for _, name := range b.env.Order {
		sym := b.env.Symbols[name]
		if sym.Kind != lang.Matrix {
			continue
		}
		m, how, err := q.matrix(name)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		r, c := m.Dims()
		for k, d := range []lang.Dim{sym.Rows, sym.Cols} {
			n := []int{r, c}[k]
			switch old, ok := b.st.Dims[d]; {
			case d == "1" && n == 1:
			case d == "1" || ok && old != n:
				return nil, fmt.Errorf("statecheck: %s is %d×%d; expected %s×%s%s", name, r, c, sym.Rows, sym.Cols, sizeFrom(d, old, setBy))
			default:
				b.st.Dims[d], setBy[d] = n, name
			}
		}
		if u.Symbols[name] {
			b.set(name, fromDense(m), how)
		}
	}
	for _, name := range b.env.Order {
		if sym := b.env.Symbols[name]; u.Symbols[name] && sym.Kind == lang.Scalar && sym.Root == nil {
			if v, how, ok := q.scalar(name); ok {
				b.set(name, eval.ScalarOf(v), how)
			}
		}
	}
	b.freeMotions()
	b.findRates()
	if err := b.recipes(); err != nil {
		return nil, err
	}
	b.agreement(s)
	b.findMissing()
	return b, nil
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

func (b *binding) set(name string, m matrix, how string) {
	b.st.Vals[name] = m
	if how != "" {
		b.assumed[name] = how
	}
}

// freeMotions gives a rate dx without a value, in x' = dx, the value zero.
func (b *binding) freeMotions() {
	for _, q := range b.env.Flow {
		name := q.RHS.Name
		sym := b.env.Symbols[name]
		if q.RHS.Kind != lang.Sym || sym == nil || b.env.Equation(name) != nil || !b.uses.Symbols[name] {
			continue
		}
		x, ok := b.st.Vals[q.Name]
		if _, has := b.st.Vals[name]; has || !ok {
			continue
		}
		b.set(name, matrix{R: x.R, C: x.C, A: make([]float64, len(x.A))}, "0")
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
		e, err := eval.New(eval.Float{}, b.part.Env, b.st)
		if err != nil {
			return err
		}
		m, err := e.Eval(q.RHS)
		if err != nil {
			continue // a multiple of I: the state does not say how large
		}
		b.set(q.Name, m, lang.Unicode(q.RHS))
		b.drawn = append(b.drawn, q.Name)
	}
	return nil
}

// at returns the binding with other values for the state variables, and what follows from them.
func (b *binding) at(vars map[string]matrix) (*binding, error) {
	c := *b
	c.st.Vals = maps.Clone(b.st.Vals)
	maps.Copy(c.st.Vals, vars)
	for _, name := range b.drawn {
		delete(c.st.Vals, name)
	}
	c.drawn = nil
	return &c, c.recipes()
}

// known reports whether every symbol of x has a value.
func (b *binding) known(x *lang.Expr) bool {
	ok := true
	x.Walk(func(n *lang.Expr) bool {
		if n.Kind == lang.Sym {
			if l := b.env.Lets[n.Name]; l != nil {
				ok = ok && b.known(l.Expr)
			} else if _, has := b.st.Vals[n.Name]; !has {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// agreement checks what the state gives against what the claim's system fixes.
func (b *binding) agreement(s *flow.State) {
	if v, ok := b.st.Vals["sigma2"]; ok && !b.uses.Symbols["X"] && !b.uses.Symbols["Xp"] && (s.X != nil || s.Xp != nil) {
		b.agrees["isotropic"] = (s.X == nil || isMultiple(s.X, 1)) && (s.Xp == nil || isMultiple(s.Xp, v.A[0]))
	}
	tau, okTau := b.st.Vals["tau"]
	w, okW := b.st.Vals["W"]
	if okTau && okW && tau.R == 1 && s.Wa != nil && !b.uses.Symbols["Wa"] {
		wd := toDense(w)
		size := max(mat.Max(wd), -mat.Min(wd)) * max(1, abs(tau.A[0]))
		b.agrees["proportional"] = sameDims(wd, s.Wa) &&
			closeTo(s.Wa, func(i, j int) float64 { return tau.A[0] * wd.At(i, j) }, size)
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
