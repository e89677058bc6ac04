package witness

import (
	"math/big"

	"stopgrad/theory/lang"
)

// The regime that the paper speaks of, by the names of its quantities: 0 < τ ≤ 1, η > 0, σ² ≥ 0, β > 0, ½ ≤ α_p ≤ 4, s > 0,
// X ≻ 0 and W ≠ 0. A counterexample outside it may be waved away as degenerate; one inside it may not.
var regime = map[string]lang.Domain{
	"alpha": {Lo: big.NewRat(1, 2), Hi: big.NewRat(4, 1)},
	"beta":  positive, "eta": positive, "etap": positive, "etas": positive,
	"s": positive, "s1": positive, "s2": positive,
	"tau": target, "tau1": target, "tau2": target,
}

var (
	positive = lang.Domain{Lo: new(big.Rat), LoOpen: true}
	target   = lang.Domain{Lo: new(big.Rat), LoOpen: true, Hi: big.NewRat(1, 1)}
)

// Outside counts the quantities of a state that leave the paper's regime.
func Outside(part *lang.Part, w Witness) int {
	n := 0
	for name, m := range w.Vals {
		s := part.Env.Symbols[name]
		switch {
		case s == nil || s.Root != nil:
		case s.Kind == lang.Scalar:
			if d, ok := regime[name]; ok && !d.Contains(m.A[0]) {
				n++
			}
		case name == "X" && m.R == m.C:
			if !definite(m) {
				n++
			}
		case name == "W":
			zero := true
			for _, x := range m.A {
				zero = zero && x.Sign() == 0
			}
			if zero {
				n++
			}
		}
	}
	return n
}

// definite reports whether all pivots of a symmetric matrix are positive.
func definite(m Matrix) bool {
	a := CloneMatrix(m)
	for k := range a.R {
		p := a.At(k, k)
		if p.Sign() <= 0 {
			return false
		}
		for i := k + 1; i < a.R; i++ {
			f := new(big.Rat).Quo(a.At(i, k), p)
			for j := k; j < a.C; j++ {
				a.A[i*a.C+j] = new(big.Rat).Sub(a.At(i, j), new(big.Rat).Mul(f, a.At(k, j)))
			}
		}
	}
	return true
}

// Inside returns the part with the declarations of its symbols narrowed to the paper's regime, where that leaves them a
// value, and whether anything was narrowed: what refutes the result refutes the part.
func Inside(part *lang.Part) (*lang.Part, bool) {
	p, env, any := *part, *part.Env, false
	env.Symbols = make(map[string]*lang.Symbol, len(part.Env.Symbols))
	for name, s := range part.Env.Symbols {
		d, known := regime[name]
		switch {
		case known && s.Kind == lang.Scalar && s.Root == nil:
			if d = within(s.Domain, d); empty(d) {
				break
			}
			c := *s
			c.Narrow(d)
			s, any = &c, true
		case name == "X" && s.Kind == lang.Matrix && s.Rows == s.Cols && s.Attr&^(lang.Symmetric|lang.PSD) == 0:
			c := *s
			c.Attr |= lang.PD | lang.PSD | lang.Symmetric
			s, any = &c, true
		case name == "W" && s.Kind == lang.Matrix:
			any = true
		}
		env.Symbols[name] = s
	}
	p.Env = &env
	return &p, any
}

// within is the intersection of two domains.
func within(a, b lang.Domain) lang.Domain {
	if b.Lo != nil && (a.Lo == nil || a.Lo.Cmp(b.Lo) < 0) {
		a.Lo, a.LoOpen = b.Lo, b.LoOpen
	} else if b.Lo != nil && a.Lo.Cmp(b.Lo) == 0 {
		a.LoOpen = a.LoOpen || b.LoOpen
	}
	if b.Hi != nil && (a.Hi == nil || a.Hi.Cmp(b.Hi) > 0) {
		a.Hi, a.HiOpen = b.Hi, b.HiOpen
	} else if b.Hi != nil && a.Hi.Cmp(b.Hi) == 0 {
		a.HiOpen = a.HiOpen || b.HiOpen
	}
	return a
}

func empty(d lang.Domain) bool {
	if d.Lo == nil || d.Hi == nil {
		return false
	}
	c := d.Lo.Cmp(d.Hi)
	return c > 0 || c == 0 && (d.LoOpen || d.HiOpen || d.NonZero && d.Lo.Sign() == 0)
}
