package checker

import (
	"stopgrad/theory/lang"
	"stopgrad/theory/symbolic"
)

// signs reads the sign of an expression off its shape.
type signs struct {
	env   *lang.Env
	eng   *symbolic.Engine
	facts []knownSign
	// instant is true if the statement is about single states, so that declared domains of moving
	// quantities may be used; a statement about a stretch of time needs them to be kept.
	instant bool
}

// knownSign is a hypothesis or established fact: expr ≥ 0, > 0 if strict, or positive semidefinite.
type knownSign struct {
	expr   *lang.Expr
	strict bool
	psd    bool
}

// learn records what an inequality or definiteness statement says.
func (g *signs) learn(s *lang.Stmt) {
	switch s.Kind {
	case lang.Inequality:
		l, r := s.L, s.R
		if s.Rel == "<=" || s.Rel == "<" {
			l, r = r, l
		}
		g.facts = append(g.facts, knownSign{lang.NewBin(lang.Sub, l, r), s.Rel == ">" || s.Rel == "<", false})
	case lang.Definite:
		g.facts = append(g.facts, knownSign{s.L, s.Strict, true})
	}
}

func (g *signs) same(a, b *lang.Expr) bool {
	ta, err := g.env.TypeOf(a)
	if err != nil {
		return false
	}
	tb, err := g.env.TypeOf(b)
	if err != nil || ta != tb {
		return false
	}
	d, err := g.eng.Difference(a, b)
	return err == nil && d.IsZero()
}

// known looks the expression up among the facts.
func (g *signs) known(x *lang.Expr, psd bool) (nonneg, strict bool) {
	for _, f := range g.facts {
		if f.psd == psd && g.same(x, f.expr) {
			nonneg, strict = true, strict || f.strict
		}
	}
	return nonneg, strict
}

// scalar returns whether the scalar x is nonnegative, and whether it is positive, by its shape.
//
// Soundness: each case is a closure property of the nonnegative or the positive reals.
func (g *signs) scalar(x *lang.Expr) (nonneg, strict bool) {
	if t, err := g.env.TypeOf(x); err != nil || !t.Scalar {
		return false, false
	}
	if n, s := g.known(x, false); n {
		return n, s
	}
	switch x.Kind {
	case lang.Num:
		return x.Val.Sign() >= 0, x.Val.Sign() > 0
	case lang.Sym:
		if l := g.env.Lets[x.Name]; l != nil {
			return g.scalar(l.Expr)
		}
		d := g.env.Symbols[x.Name].Domain
		if d.Lo == nil || d.Lo.Sign() < 0 || !g.instant && g.env.Equation(x.Name) != nil && !g.keepsDomain(x.Name) {
			return false, false
		}
		return true, d.Lo.Sign() > 0 || d.LoOpen || d.NonZero
	case lang.Add:
		n1, s1 := g.scalar(x.Args[0])
		n2, s2 := g.scalar(x.Args[1])
		return n1 && n2, n1 && n2 && (s1 || s2)
	case lang.Mul, lang.Div:
		n1, s1 := g.scalar(x.Args[0])
		n2, s2 := g.scalar(x.Args[1])
		if x.Kind == lang.Div && !s2 {
			return false, false
		}
		return n1 && n2, s1 && s2
	case lang.Pow:
		n, s := g.scalar(x.Args[0])
		if x.N < 0 {
			return n && s, n && s
		}
		if x.N%2 == 0 {
			return true, s || g.nonzero(x.Args[0])
		}
		return n, s
	case lang.Call:
		if x.Name == "tr" {
			return g.trace(x.Args[0]), false
		}
	}
	return false, false
}

// keepsDomain reports whether a state variable declared nonnegative stays so: its equation vanishes with it.
//
// Soundness: if x' is zero wherever x is zero then, solutions being unique, none crosses zero, so a
// variable that starts nonnegative (positive) stays nonnegative (positive).
func (g *signs) keepsDomain(name string) bool {
	d := g.env.Symbols[name].Domain
	if d.Lo == nil || d.Lo.Sign() != 0 {
		return false
	}
	q := g.env.Equation(name)
	v, err := g.eng.Eval(lang.NewCall(q.Pos, "at", q.RHS, lang.NewSym(q.Pos, name), lang.NewNum(q.Pos, zeroRat)))
	return err == nil && v.IsZero()
}

// nonzero reports whether a scalar cannot vanish, by its shape.
func (g *signs) nonzero(x *lang.Expr) bool {
	if _, s := g.scalar(x); s {
		return true
	}
	if _, s := g.known(&lang.Expr{Kind: lang.Pow, N: 2, Pos: x.Pos, Args: []*lang.Expr{x}}, false); s {
		return true
	}
	switch x.Kind {
	case lang.Num:
		return x.Val.Sign() != 0
	case lang.Sym:
		if l := g.env.Lets[x.Name]; l != nil {
			return g.nonzero(l.Expr)
		}
		s := g.env.Symbols[x.Name]
		return s != nil && s.Domain.NonZero && (g.instant || g.env.Equation(x.Name) == nil)
	case lang.Neg:
		return g.nonzero(x.Args[0])
	case lang.Pow:
		return g.nonzero(x.Args[0])
	case lang.Mul, lang.Div:
		return g.nonzero(x.Args[0]) && g.nonzero(x.Args[1])
	}
	return false
}

// factors flattens a product of matrices into scalar and matrix factors.
func (g *signs) factors(x *lang.Expr) (scalars, matrices []*lang.Expr) {
	switch {
	case x.Kind == lang.Mul:
		s1, m1 := g.factors(x.Args[0])
		s2, m2 := g.factors(x.Args[1])
		return append(s1, s2...), append(m1, m2...)
	case x.Kind == lang.Pow && x.N >= 0:
		if t, err := g.env.TypeOf(x); err == nil && !t.Scalar {
			if x.N == 0 {
				return nil, []*lang.Expr{{Kind: lang.Unit, Pos: x.Pos}}
			}
			for range x.N {
				matrices = append(matrices, x.Args[0])
			}
			return nil, matrices
		}
	}
	if t, err := g.env.TypeOf(x); err == nil && t.Scalar {
		return []*lang.Expr{x}, nil
	}
	return nil, []*lang.Expr{x}
}

// trace reports whether tr(x) is nonnegative: x, up to a cyclic rotation of its factors, is positive
// semidefinite or the product of two positive semidefinite matrices.
func (g *signs) trace(x *lang.Expr) bool {
	if x.Kind == lang.Add {
		return g.trace(x.Args[0]) && g.trace(x.Args[1])
	}
	scalars, ms := g.factors(x)
	for _, s := range scalars {
		if n, _ := g.scalar(s); !n {
			return false
		}
	}
	for i := range ms {
		rot := append(append([]*lang.Expr{}, ms[i:]...), ms[:i]...)
		for cut := 1; cut <= len(rot); cut++ {
			if g.product(rot[:cut]) && (cut == len(rot) || g.product(rot[cut:])) {
				return true
			}
		}
	}
	return false
}

// product reports whether a product of matrices is positive semidefinite: P, AᵀPA or AᵀA.
func (g *signs) product(ms []*lang.Expr) bool {
	if len(ms) == 1 {
		return g.psd(ms[0])
	}
	first, last := ms[0], ms[len(ms)-1]
	flip := &lang.Expr{Kind: lang.Trans, Pos: first.Pos, Args: []*lang.Expr{first}}
	if g.same(flip, last) && (len(ms) == 2 || g.product(ms[1:len(ms)-1])) {
		return true
	}
	return false
}

// psd reports whether a matrix is positive semidefinite by its shape.
//
// Soundness: each case is a closure property of the cone of positive semidefinite matrices.
func (g *signs) psd(x *lang.Expr) bool {
	if n, _ := g.known(x, true); n {
		return true
	}
	switch x.Kind {
	case lang.Unit:
		return true
	case lang.Sym:
		if l := g.env.Lets[x.Name]; l != nil {
			return g.psd(l.Expr)
		}
		s := g.env.Symbols[x.Name]
		return s.Attr&lang.PSD != 0 && (g.instant || g.env.Equation(x.Name) == nil)
	case lang.Add:
		return g.psd(x.Args[0]) && g.psd(x.Args[1])
	case lang.Trans:
		return g.psd(x.Args[0])
	case lang.Call:
		return x.Name == "kron" && g.psd(x.Args[0]) && g.psd(x.Args[1])
	case lang.Mul, lang.Pow:
		scalars, ms := g.factors(x)
		for _, s := range scalars {
			if n, _ := g.scalar(s); !n {
				return false
			}
		}
		return len(ms) > 0 && g.product(ms)
	}
	return false
}

// dividesByNonzero checks every divisor in the expression, lets included.
//
// Soundness: the algebra cancels denominators, which is only right where they do not vanish.
func (g *signs) dividesByNonzero(x *lang.Expr) (bad *lang.Expr) {
	x.Walk(func(n *lang.Expr) bool {
		switch {
		case bad != nil:
		case n.Kind == lang.Div && !g.nonzero(n.Args[1]):
			bad = n.Args[1]
		case n.Kind == lang.Pow && n.N < 0 && !g.nonzero(n.Args[0]):
			bad = n.Args[0]
		case n.Kind == lang.Sym:
			if l := g.env.Lets[n.Name]; l != nil {
				bad = g.dividesByNonzero(l.Expr)
			}
		}
		return bad == nil
	})
	return bad
}
