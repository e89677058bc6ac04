package kernel

import "testing"

// TestFormulas makes each form of its own terms, and refuses it of fewer, of more, and of others.
func TestFormulas(t *testing.T) {
	s := declare(t, "n m; a b; A:n,n B:m,m C:n,m; state x")
	other := declare(t, "n; a")
	a, b, x := s.Lookup("a"), s.Lookup("b"), s.Lookup("x")
	big, bigger, wide := s.Lookup("A"), s.Lookup("B"), s.Lookup("C")
	list := func(ts ...*Term) []*Term { return ts }
	for form, c := range map[Form]struct{ right, wrong [][]*Term }{
		Equal: {[][]*Term{list(a, b), list(wide, wide)},
			[][]*Term{list(a), list(a, b, x), list(a, big), list(big, bigger), list(big, wide), list(wide, big), list(s.transpose(wide), big), list(bigger, wide)}},
		AtLeast:          {[][]*Term{list(a, b)}, [][]*Term{list(a), list(a, b, x), list(a, big), list(big, a)}},
		Greater:          {[][]*Term{list(a, b)}, [][]*Term{list(a), list(a, b, x), list(a, big), list(big, a)}},
		Unequal:          {[][]*Term{list(a, b)}, [][]*Term{list(a), list(a, b, x), list(a, big), list(big, a)}},
		Semidefinite:     {[][]*Term{list(big)}, [][]*Term{list(), list(big, big), list(a), list(wide)}},
		Definite:         {[][]*Term{list(big)}, [][]*Term{list(), list(big, big), list(a), list(wide)}},
		Invertible:       {[][]*Term{list(big)}, [][]*Term{list(), list(big, big), list(a), list(wide)}},
		Diagonal:         {[][]*Term{list(big)}, [][]*Term{list(), list(big, big), list(a), list(wide)}},
		Congruence:       {[][]*Term{list(big)}, [][]*Term{list(), list(big, big), list(a), list(wide)}},
		Within:           {[][]*Term{list(wide, a, b)}, [][]*Term{list(wide, a), list(wide, a, b, a), list(a, a, b), list(wide, big, b)}},
		Absurd:           {[][]*Term{list()}, [][]*Term{list(a)}},
		Evolves:          {[][]*Term{list(wide, a), list(x, a)}, [][]*Term{list(x), list(x, a, a), list(x, big)}},
		NormDecays:       {[][]*Term{list(wide, a), list(x, a)}, [][]*Term{list(x), list(x, a, a), list(x, big)}},
		Decays:           {[][]*Term{list(x, a)}, [][]*Term{list(x), list(x, a, a), list(x, big), list(big, a)}},
		StayZero:         {[][]*Term{list(x), list(x, wide)}, [][]*Term{list()}},
		StayNonnegative:  {[][]*Term{list(x), list(x, a)}, [][]*Term{list(), list(big), list(x, big)}},
		StayPositive:     {[][]*Term{list(x), list(x, a)}, [][]*Term{list(), list(big), list(x, big)}},
		StaySemidefinite: {[][]*Term{list(big), list(big, bigger)}, [][]*Term{list(), list(x), list(big, wide)}},
		Vanishes:         {[][]*Term{list(x), list(wide)}, [][]*Term{list(), list(x, x)}},
		Tends:            {[][]*Term{list(x, a, b, a)}, [][]*Term{list(x, a, b), list(x, a, b, a, b), list(x, a, big, a), list(a, a, b, a), list(s.add(x, a), a, b, a)}},
	} {
		for _, ts := range c.right {
			f, err := NewFormula(form, ts...)
			if err != nil {
				t.Errorf("%s: %v", form, err)
			}
			g, err := NewAlways(f)
			if ok := err == nil; ok == form.Temporal() || ok && (g.Form() != Always || !g.Inner().Same(f)) {
				t.Errorf("always %s: %v", form, err)
			}
		}
		for i, ts := range c.wrong {
			if _, err := NewFormula(form, ts...); err == nil {
				t.Errorf("%s is made of the wrong terms, case %d", form, i)
			}
		}
	}
	for _, form := range []Form{Always, forms} {
		if _, err := NewFormula(form, a); err == nil {
			t.Errorf("form %d is made of terms", form)
		}
	}
	copied := *a
	for what, ts := range map[string][]*Term{"nothing": list(nil, a), "a copy": list(&copied, a), "two signatures": list(a, other.Lookup("a"))} {
		if _, err := NewFormula(AtLeast, ts...); err == nil {
			t.Errorf("a formula of %s", what)
		}
	}
	if _, err := NewAlways(Formula{}); err == nil {
		t.Error("always nothing")
	}
	f, g := formula(Greater, a, b), formula(Greater, b, a)
	if f.Same(g) || f.Same(formula(AtLeast, a, b)) || !f.Same(formula(Greater, a, b)) || always(f).Same(always(g)) || always(f).Same(f) || f.Same(Formula{}) {
		t.Error("formulas are the same that are not, or not that are")
	}
}
