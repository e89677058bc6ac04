package kernel_test

import (
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
)

// workshop is what a forger has: the exported doors, and *x = *y, which Go lets through for any pointer.
type workshop struct {
	sig     *kernel.Signature
	x, y, z *kernel.Term
	dyn     *kernel.Dynamics
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{sig: kernel.NewSignature()}
	for name, p := range map[string]**kernel.Term{"x": &w.x, "y": &w.y} {
		l, err := w.sig.DeclareScalar(name, kernel.State)
		if err != nil {
			t.Fatal(err)
		}
		*p = l
	}
	var err error
	if w.z, err = w.sig.Number(new(big.Rat)); err != nil {
		t.Fatal(err)
	}
	w.dyn = kernel.NewDynamics(w.sig)
	return w
}

func (w *workshop) formula(t *testing.T, form kernel.Form, ts ...*kernel.Term) kernel.Formula {
	t.Helper()
	f, err := kernel.NewFormula(form, ts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (w *workshop) context(t *testing.T, time kernel.Time, m kernel.Mark, fs ...kernel.Formula) *kernel.Context {
	t.Helper()
	var hs []kernel.Hypothesis
	for _, f := range fs {
		h, err := kernel.NewHypothesis(m, f)
		if err != nil {
			t.Fatal(err)
		}
		hs = append(hs, h)
	}
	c, err := kernel.NewContext(w.dyn, time, hs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refused requires a refusal and no theorem.
func refused(t *testing.T, what string, th kernel.Theorem, err error) {
	t.Helper()
	if err == nil || th.Valid() {
		t.Errorf("%s went through", what)
	}
}

// TestNothingIsOverwritten overwrites what theorems are made of by whole structures, for good or for the time of a
// proof, and uses copies and earlier copies.
func TestNothingIsOverwritten(t *testing.T) {
	t.Run("letters", func(t *testing.T) {
		w := newWorkshop(t)
		c, goal := w.context(t, kernel.AtState, kernel.Here), w.formula(t, kernel.Equal, w.x, w.y)
		saved := *w.y
		*w.y = *w.x
		th, err := c.Apply("modulo", goal, nil)
		*w.y = saved
		refused(t, "x == y", th, err)
	})
	t.Run("inner letters", func(t *testing.T) {
		w := newWorkshop(t)
		root := func(x *kernel.Term) *kernel.Term {
			r, err := w.sig.Make(kernel.Power, 2, x)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		c, goal := w.context(t, kernel.AtState, kernel.Here), w.formula(t, kernel.Equal, root(w.x), root(w.y))
		saved := *w.y
		*w.y = *w.x
		if _, err := w.dyn.Unfold(root(w.x)); err == nil {
			t.Error("unfolds among overwritten terms")
		}
		th, err := c.Apply("modulo", goal, nil)
		*w.y = saved
		refused(t, "x^2 == y^2", th, err)
	})
	t.Run("symbols", func(t *testing.T) {
		w := newWorkshop(t)
		p, err := w.sig.DeclareScalar("p", kernel.Param)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.dyn.AddFlow(w.x, w.y); err != nil {
			t.Fatal(err)
		}
		saved := *w.y.Symbol()
		*w.y.Symbol() = *p.Symbol()
		_, err = w.dyn.Moves(w.y)
		*w.y.Symbol() = saved
		if err == nil {
			t.Error("y stands still while it is overwritten by p")
		}
	})
	t.Run("copied letters", func(t *testing.T) {
		w := newWorkshop(t)
		twin := *w.x
		if _, err := w.sig.Make(kernel.At, 0, w.x, &twin, w.y); err == nil {
			t.Error("at replaces a copy of x")
		}
		if _, err := kernel.NewFormula(kernel.Equal, w.x, &twin); err == nil {
			t.Error("a formula of a copy of x")
		}
	})
	t.Run("contexts", func(t *testing.T) {
		w := newWorkshop(t)
		positive := w.formula(t, kernel.Greater, w.x, w.z)
		weak, strong := w.context(t, kernel.AtState, kernel.Here), w.context(t, kernel.AtState, kernel.Here, positive)
		saved := *weak
		*weak = *strong
		th, err := weak.Apply("hyp", positive, nil)
		*weak = saved
		refused(t, "a hypothesis of another context", th, err)
		th, err = strong.Apply("hyp", positive, nil)
		if err != nil {
			t.Fatal(err)
		}
		*strong = *weak
		if text, err := kernel.NewPrinter().Sequent(th.Context(), th.Formula()); err == nil {
			t.Errorf("printed without its hypothesis:\n%s", text)
		}
		if strong.Whole() == nil {
			t.Error("an overwritten context is whole")
		}
		th, err = weak.Apply("thin", positive, []kernel.Theorem{th})
		refused(t, "a premise whose context was overwritten", th, err)
	})
	t.Run("dynamics", func(t *testing.T) {
		w := newWorkshop(t)
		early := *w.dyn
		if err := early.AddFlow(w.x, w.y); err == nil {
			t.Error("a copy of dynamics grows")
		}
		if err := w.dyn.AddFlow(w.x, w.x); err != nil {
			t.Fatal(err)
		}
		c := w.context(t, kernel.Motion, kernel.Kept)
		*w.dyn = early
		if err := w.dyn.AddFlow(w.x, w.y); err == nil {
			t.Error("dynamics that were set back grow in another way")
		}
		if c.Whole() == nil {
			t.Error("a context of dynamics that were set back is whole")
		}
	})
	t.Run("signatures", func(t *testing.T) {
		w := newWorkshop(t)
		early := *w.sig
		if _, err := early.Number(big.NewRat(7, 1)); err == nil {
			t.Error("a copy of a signature grows")
		}
		if _, err := w.sig.DeclareScalar("p", kernel.Param); err != nil {
			t.Fatal(err)
		}
		*w.sig = early
		if _, err := w.sig.DeclareScalar("q", kernel.Param); err == nil {
			t.Error("a signature that was set back grows in another way")
		}
	})
}

// TestZeroValuesAreRefused asks the doors of values that no constructor made.
func TestZeroValuesAreRefused(t *testing.T) {
	w := newWorkshop(t)
	goal := w.formula(t, kernel.Equal, w.x, w.x)
	for what, f := range map[string]func() error{
		"a context":           func() error { _, err := new(kernel.Context).Apply("modulo", goal, nil); return err },
		"no context":          func() error { _, err := (*kernel.Context)(nil).Apply("modulo", goal, nil); return err },
		"missing":             func() error { _, err := new(kernel.Context).Missing(w.x); return err },
		"expanded":            func() error { _, err := new(kernel.Context).Expanded(w.x); return err },
		"printed":             func() error { _, err := kernel.NewPrinter().Sequent(new(kernel.Context)); return err },
		"dynamics":            func() error { return new(kernel.Dynamics).AddFlow(w.x, w.x) },
		"a moment":            func() error { return new(kernel.Dynamics).AddMoment(w.x, w.x, w.x) },
		"unfolded":            func() error { _, err := new(kernel.Dynamics).Unfold(new(kernel.Term)); return err },
		"dynamics of nothing": func() error { _, err := kernel.NewContext(kernel.NewDynamics(nil), kernel.AtState); return err },
		"context of nothing":  func() error { _, err := kernel.NewContext(nil, kernel.AtState); return err },
		"a signature":         func() error { _, err := new(kernel.Signature).DeclareScalar("x", kernel.Param); return err },
		"no signature":        func() error { _, err := (*kernel.Signature)(nil).Number(new(big.Rat)); return err },
		"a size":              func() error { return new(kernel.Signature).DeclareSize("n") },
		"no number":           func() error { _, err := w.sig.Number(nil); return err },
		"a term":              func() error { _, err := w.sig.Make(kernel.Sum, 0, w.x, new(kernel.Term)); return err },
		"a formula": func() error {
			_, err := kernel.NewFormula(kernel.Equal, new(kernel.Term), new(kernel.Term))
			return err
		},
		"a theorem": func() error {
			_, err := w.context(t, kernel.AtState, kernel.Here).Apply("weaken", goal, []kernel.Theorem{{}})
			return err
		},
		"a formula of nothing": func() error {
			_, err := w.context(t, kernel.AtState, kernel.Here).Apply("hyp", kernel.Formula{}, nil)
			return err
		},
	} {
		if err := f(); err == nil || !strings.HasPrefix(err.Error(), "kernel: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestTheZeroTermIsPrintedAsNone: a caller can write &Term{}, which is a term of no signature.
func TestTheZeroTermIsPrintedAsNone(t *testing.T) {
	zero := new(kernel.Term)
	if s := kernel.Print(zero); s != kernel.Print(nil) {
		t.Errorf("the zero term is printed as %q", s)
	}
	if s, err := kernel.NewPrinter().Term(zero); err == nil {
		t.Errorf("the zero term is printed as %q", s)
	}
	if err := kernel.NewPrinter().Abbreviate("name", zero); err == nil {
		t.Error("a name abbreviates the zero term")
	}
}

// TestNamesDeclaredLater: a name that stood for a term is not printed for it once it names something else.
func TestNamesDeclaredLater(t *testing.T) {
	s := kernel.NewSignature()
	x, err := s.DeclareScalar("x", kernel.Param)
	if err != nil {
		t.Fatal(err)
	}
	square, err := s.Make(kernel.Power, 2, x)
	if err != nil {
		t.Fatal(err)
	}
	p := kernel.NewPrinter()
	for _, name := range []string{"y", "n"} {
		p = kernel.NewPrinter()
		if err := p.Abbreviate(name, square); err != nil {
			t.Fatal(err)
		}
		if text, err := p.Term(square); err != nil || text != name {
			t.Errorf("%q, %v", text, err)
		}
		if name == "n" {
			err = s.DeclareSize("n")
		} else {
			_, err = s.DeclareScalar("y", kernel.Param)
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, err := p.Term(square); err == nil {
			t.Errorf("x^2 is printed as %q, which is declared", text)
		}
	}
	if err := p.Abbreviate("x", square); err == nil {
		t.Error("a declared name abbreviates another term")
	}
}
