package statecheck

import (
	"maps"
	"math/big"
	"slices"

	"stopgrad/theory/eval"
)

// unspoken looks at the declared roots that the part does not speak of. Their radicands need not be real for it to hold here,
// but they are hypotheses of what is stated: negative names a root whose radicand is, unknown one of whose that is not known.
func (b *binding) unspoken() (negative, unknown string) {
	b = b.further()
	for _, name := range b.env.Order {
		s := b.env.Symbols[name]
		if s.Root == nil || b.uses.Symbols[name] {
			continue
		}
		sign, known := 0, false
		if b.exact != nil && len(b.rounded) == 0 && len(b.surds) == 0 {
			if e, err := eval.New(eval.Rational{}, b.env, eval.State[*big.Rat]{Dims: b.st.Dims, Vals: b.exact}); err == nil {
				if m, err := e.Eval(s.Root); err == nil {
					sign, known = m.A[0].Sign(), true
				}
			}
		}
		if !known {
			if e, err := eval.New(eval.Float{}, b.env, b.st); err == nil {
				if m, err := e.Eval(s.Root); err == nil {
					scale := 1.0
					for _, v := range b.st.Vals {
						for _, x := range v.A {
							scale = max(scale, abs(x))
						}
					}
					sign = eval.Float{}.Sign(m.A[0], scale)
					known = sign != 0
				}
			}
		}
		switch {
		case !known && unknown == "":
			unknown = name
		case sign < 0 && negative == "":
			negative = name
		}
	}
	return negative, unknown
}

// further is the binding with the values that the state gives for what the radicands of other roots speak of.
func (b *binding) further() *binding {
	u := UsesOf(b.part, false)
	for _, name := range b.env.Order {
		if s := b.env.Symbols[name]; s.Root != nil {
			collector{u, b.env}.expr(s.Root)
		}
	}
	c, err := bind(b.part, u, b.state)
	if err != nil {
		return b
	}
	out := *b
	out.st.Vals, out.exact, out.surds = maps.Clone(b.st.Vals), maps.Clone(b.exact), maps.Clone(b.surds)
	maps.Copy(out.surds, c.surds)
	out.rounded = slices.Concat(b.rounded, c.rounded)
	for name, v := range c.st.Vals {
		if _, has := out.st.Vals[name]; has {
			continue
		}
		out.st.Vals[name] = v
		if x, ok := c.exact[name]; ok && b.exact != nil {
			out.exact[name] = x
		}
	}
	return &out
}
