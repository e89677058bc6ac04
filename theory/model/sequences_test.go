package model_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// drawn is a random flow and map with random hypotheses, and the theorems that rules applied in random order have given there.
type drawn struct {
	rng      *rand.Rand
	sig      *kernel.Signature
	dyn      *kernel.Dynamics
	text     string
	states   map[string]*kernel.Context
	contexts []*kernel.Context // of motions and of orbits
	pool     map[*kernel.Context][]kernel.Theorem
	applied  map[string]int
}

func pick(rng *rand.Rand, from ...string) string { return from[rng.Intn(len(from))] }

var (
	lawsOf = map[string][]string{
		"x": {"-p*x", "-p*x - x*y^2", "u*x", "p*x*(1-x)", "-x^3", "-root(x)", "y - x", "-x/(1+y^2)", "x*(q - x)", "1/x", "u^2 - x", "0*u - x", "-x/y", "p*x - y*x", "-x*root(q)", "(q - x)*(1 + y^2)"},
		"y": {"-y", "x", "u", "-p*y + x^2", "y*x", "-y/x", "x^2*y", "0", "root(x) - y", "q", "u - y", "-2*p*y"},
		"W": {"S*W + W*S^T", "(S*W + W*S^T) + x^2*I(n)", "-p*W", "u*W", "S*W", "x*W", "(S*W + W*S^T) + y*S"},
	}
	mapsOf = map[string][]string{
		"x": {"p*x", "x/2", "x^2", "x*y", "x - p*x", "-x/2", "root(x)", "1/x", "x + y^2", "u*x", "x*(1 - p)"},
		"y": {"y/2", "x^2", "y*x", "1/y", "-y", "y + x", "u", "q*y"},
		"W": {"S*W*S^T", "p*W", "S*W", "y*W"},
	}
	assumed = []string{"ge x; 0", "gt x; 0", "ge y; 0", "gt y; 0", "gt p; 0", "gt p; 0", "ge p; 0", "ge q; 0", "gt 1; p", "ge u; 0", "eq x; y", "eq y; 0", "ge 1; x",
		"gt q; x", "psd W", "psd S", "eq transpose(W); W", "ne x; 0", "ne y; 0", "ge x; y", "eq u; 0", "gt 0; x", "eq x; 0", "gt u; 1", "eq x + y; 1"}
	subjects = []string{"x", "x", "x", "y", "y", "W", "W", "x - y", "x + y", "x*y", "x^2", "x^2 + y^2", "tr(W)", "W", "1/x", "root(x)", "x/y", "x*(1 - x)", "q - x", "u", "x - u", "x*0", "W - W^T", "x + p", "x/x", "y^2", "p*y"}
	rates    = []string{"-p", "p", "-1", "-1/2", "0", "2*p", "q", "-q", "x", "u", "y", "p^2", "-2*p", "1/p", "ddt(p)", "0*x - 1", "1/2", "-y^2", "1", "2", "p - 1", "1 - p", "-p - y^2", "p*(1 - x)", "-x^2", "q - x", "-1/(1 + y^2)",
		"-root(q)", "p - y", "x", "u", "y", "1 - p", "-p", "-1"}
	pushes = []string{"0", "x^2", "y^2", "u^2", "y", "x", "g", "g^2", "1", "u", "x^2*g", "p", "h^2", "h*g"}
)

func newDrawn(rng *rand.Rand) *drawn {
	w := &drawn{rng: rng, sig: kernel.NewSignature(), states: map[string]*kernel.Context{}, pool: map[*kernel.Context][]kernel.Theorem{}, applied: map[string]int{}}
	if err := w.sig.DeclareSize("n"); err != nil {
		panic(err)
	}
	for i, class := range []kernel.Class{kernel.State, kernel.State, kernel.Param, kernel.Param, kernel.Input, kernel.Hole, kernel.Hole} {
		must(w.sig.DeclareScalar([]string{"x", "y", "p", "q", "u", "h", "g"}[i], class))
	}
	for i, class := range []kernel.Class{kernel.State, kernel.Param, kernel.Hole} {
		must(w.sig.DeclareMatrix([]string{"W", "S", "X"}[i], class, "n", "n"))
	}
	w.dyn = kernel.NewDynamics(w.sig)
	for _, x := range []string{"x", "y", "W"} {
		law, step := pick(rng, lawsOf[x]...), pick(rng, mapsOf[x]...)
		if x == "x" || rng.Intn(8) > 0 {
			w.text += fmt.Sprintf("%s' = %s; ", x, law)
			if err := w.dyn.AddFlow(w.term(x), w.term(law)); err != nil {
				panic(err)
			}
		}
		if x == "x" || rng.Intn(8) > 0 {
			w.text += fmt.Sprintf("%s+ = %s; ", x, step)
			if err := w.dyn.AddMap(w.term(x), w.term(step)); err != nil {
				panic(err)
			}
		}
	}
	for _, time := range []kernel.Time{kernel.Motion, kernel.Motion, kernel.Orbit} {
		var hyps []kernel.Hypothesis
		for range rng.Intn(6) {
			f := w.formula(pick(rng, assumed...))
			mark := []kernel.Mark{kernel.Kept, kernel.Start}[rng.Intn(2)]
			if !slices.ContainsFunc(f.Terms(), func(t *kernel.Term) bool { return must(w.dyn.Moves(t)) }) && rng.Intn(2) == 0 {
				mark = kernel.Constant
			}
			hyps = append(hyps, must(kernel.NewHypothesis(mark, f)))
		}
		w.contexts = append(w.contexts, must(kernel.NewContext(w.dyn, time, hyps...)))
	}
	return w
}

func (w *drawn) term(src string) *kernel.Term      { return term(w.sig, src) }
func (w *drawn) formula(src string) kernel.Formula { return formula(w.sig, src) }
func (w *drawn) zero() *kernel.Term                { return must(w.sig.Number(new(big.Rat))) }

// form makes a formula if its terms fit.
func (w *drawn) form(f kernel.Form, ts ...*kernel.Term) (kernel.Formula, bool) {
	g, err := kernel.NewFormula(f, ts...)
	return g, err == nil
}

func (w *drawn) make(h kernel.Head, n int, ts ...*kernel.Term) *kernel.Term {
	t, err := w.sig.Make(h, n, ts...)
	if err != nil {
		return nil
	}
	return t
}

func (w *drawn) minus(t *kernel.Term) *kernel.Term {
	return w.make(kernel.Product, 0, must(w.sig.Number(big.NewRat(-1, 1))), t)
}

// null is the literal zero of a term's shape.
func (w *drawn) null(t *kernel.Term) *kernel.Term {
	if t.Scalar() {
		return w.zero()
	}
	r, c := t.Shape()
	return must(w.sig.ZeroOf(r, c))
}

// state is the context of states with these hypotheses.
func (w *drawn) state(fs []kernel.Formula) *kernel.Context {
	key := ""
	var hyps []kernel.Hypothesis
	for _, f := range fs {
		h := must(kernel.NewHypothesis(kernel.Here, f))
		key += say(f) + "\n"
		hyps = append(hyps, h)
	}
	if w.states[key] == nil {
		w.states[key] = must(kernel.NewContext(w.dyn, kernel.AtState, hyps...))
	}
	return w.states[key]
}

func say(f kernel.Formula) string {
	if f.Form() == kernel.Always {
		return "always " + say(f.Inner())
	}
	out := f.Form().String()
	for _, t := range f.Terms() {
		out += " " + kernel.Print(t) + ";"
	}
	return out
}

// try applies a rule and keeps what it gives.
func (w *drawn) try(c *kernel.Context, rule string, f kernel.Formula, ps []kernel.Theorem, ts ...*kernel.Term) (kernel.Theorem, bool) {
	th, err := c.Apply(rule, f, ps, ts...)
	if err != nil {
		return th, false
	}
	w.applied[rule]++
	w.pool[c] = append(w.pool[c], th)
	return th, true
}

// signed establishes a sign of a term by its form.
func (w *drawn) signed(c *kernel.Context, form kernel.Form, t *kernel.Term, depth int) (th kernel.Theorem, ok bool) {
	f, fits := w.form(form, t, w.zero())
	if !fits || depth == 0 {
		return th, false
	}
	for _, p := range w.pool[c] {
		if p.Formula().Same(f) {
			return p, true
		}
	}
	for _, rule := range []string{"hyp", "number", "power", "size"} {
		if th, ok = w.try(c, rule, f, nil); ok {
			return th, true
		}
	}
	for _, stronger := range []kernel.Form{kernel.Greater} {
		if g, _ := w.form(stronger, t, w.zero()); form != stronger && t.Head() == kernel.Letter {
			if p, ok := w.try(c, "hyp", g, nil); ok {
				return w.try(c, "weaken", f, []kernel.Theorem{p})
			}
		}
	}
	want := []kernel.Form{form}
	if form != kernel.Greater {
		want = append(want, kernel.Greater)
	}
	rule := map[kernel.Head]string{kernel.Sum: "sum", kernel.Product: "product", kernel.Power: "power", kernel.Reciprocal: "reciprocal", kernel.Root: "rootsign"}[t.Head()]
	if rule == "" {
		return th, false
	}
	for _, each := range want {
		var ps []kernel.Theorem
		for i := range t.Len() {
			p, ok := w.signed(c, each, t.Arg(i), depth-1)
			if !ok && t.Head() == kernel.Sum && each == kernel.Greater {
				p, ok = w.signed(c, kernel.AtLeast, t.Arg(i), depth-1)
			}
			if ok {
				ps = append(ps, p)
			}
		}
		if len(ps) == t.Len() {
			if th, ok = w.try(c, rule, f, ps); ok {
				return th, true
			}
		}
	}
	return th, false
}

// establish looks for a theorem about states by a few rules.
func (w *drawn) establish(c *kernel.Context, f kernel.Formula, depth int) (th kernel.Theorem, ok bool) {
	if depth == 0 {
		return th, false
	}
	for _, t := range f.Terms() {
		missing, err := c.Missing(t)
		if err != nil {
			return th, false
		}
		for _, m := range missing {
			if _, ok := w.establish(c, m, depth-1); !ok {
				return th, false
			}
		}
	}
	if th, ok = w.try(c, "hyp", f, nil); ok {
		return th, true
	}
	ts := f.Terms()
	switch f.Form() {
	case kernel.Equal:
		if th, ok = w.try(c, "modulo", f, nil); ok {
			return th, true
		}
		// by a hypothesis
		for _, h := range c.Hypotheses() {
			g := h.Formula()
			if g.Form() != kernel.Equal || !g.Terms()[0].Scalar() || !ts[0].Scalar() {
				continue
			}
			e, ok := w.try(c, "hyp", g, nil)
			if !ok {
				continue
			}
			for _, k := range []string{"h", "-h", "x*h", "y*h", "p*h", "-p*h", "h*h"} {
				if th, ok = w.try(c, "modulo", f, []kernel.Theorem{e}, w.term(k), w.term("h")); ok {
					return th, true
				}
			}
		}
	case kernel.AtLeast, kernel.Greater, kernel.Unequal:
		d := w.make(kernel.Sum, 0, ts[0], w.minus(ts[1]))
		e, err := c.Expanded(d)
		if err != nil {
			return th, false
		}
		for _, t := range []*kernel.Term{ts[0], e} {
			if missing, err := c.Missing(t); err != nil || len(missing) > 0 {
				for _, m := range missing {
					w.establish(c, m, depth-1)
				}
			}
			if p, ok := w.signed(c, f.Form(), t, 6); ok {
				if p.Formula().Same(f) {
					return p, true
				}
				if th, ok = w.try(c, "transport", f, []kernel.Theorem{p}); ok {
					return th, true
				}
			}
		}
		if u := w.minus(e); f.Form() == kernel.Unequal {
			for _, t := range []*kernel.Term{e, u} {
				if p, ok := w.signed(c, kernel.Greater, t, 5); ok {
					if ne, ok := w.try(c, "weaken", must(kernel.NewFormula(kernel.Unequal, t, w.zero())), []kernel.Theorem{p}); ok {
						if th, ok = w.try(c, "transport", f, []kernel.Theorem{ne}); ok {
							return th, true
						}
					}
				}
			}
		}
	case kernel.Semidefinite:
		t := ts[0]
		if th, ok = w.try(c, "gram", f, nil); ok {
			return th, true
		}
		if th, ok = w.try(c, "identity", f, nil); ok {
			return th, true
		}
		switch {
		case t.Head() == kernel.Sum:
			a, _ := w.form(kernel.Semidefinite, t.Arg(0))
			b, _ := w.form(kernel.Semidefinite, t.Arg(1))
			if p, ok := w.establish(c, a, depth-1); ok {
				if q, ok := w.establish(c, b, depth-1); ok {
					return w.try(c, "msum", f, []kernel.Theorem{p, q})
				}
			}
		case t.Head() == kernel.Product && t.Arg(0).Scalar():
			b, _ := w.form(kernel.Semidefinite, t.Arg(1))
			if p, ok := w.signed(c, kernel.AtLeast, t.Arg(0), 4); ok {
				if q, ok := w.establish(c, b, depth-1); ok {
					return w.try(c, "mscale", f, []kernel.Theorem{p, q})
				}
			}
		}
	case kernel.Absurd:
		var known []kernel.Theorem
		for _, h := range c.Hypotheses() {
			if p, ok := w.try(c, "hyp", h.Formula(), nil); ok {
				known = append(known, p)
			}
		}
		for _, p := range known {
			for _, q := range known {
				if th, ok = w.try(c, "absurd", f, []kernel.Theorem{p, q}); ok {
					return th, true
				}
			}
		}
	}
	return th, false
}

// known lists some of what always holds in a context: all of it that is assumed, and random theorems.
func (w *drawn) known(c *kernel.Context, initial bool) (fs []kernel.Formula, always []kernel.Theorem) {
	for _, h := range c.Hypotheses() {
		// Now and then what is assumed of the start is taken along; the kernel has to refuse it.
		if h.Mark() != kernel.Start || initial || w.rng.Intn(8) == 0 {
			fs = append(fs, h.Formula())
		}
	}
	for _, i := range w.rng.Perm(len(w.pool[c])) {
		if th := w.pool[c][i]; th.Formula().Form() == kernel.Always && len(always) < 2 {
			fs, always = append(fs, th.Formula().Inner()), append(always, th)
		}
	}
	return fs, always
}

// along looks for always φ.
func (w *drawn) along(c *kernel.Context, f kernel.Formula, ok bool) (th kernel.Theorem, found bool) {
	if !ok {
		return th, false
	}
	g, err := kernel.NewAlways(f)
	if err != nil {
		return th, false
	}
	for _, p := range w.pool[c] {
		if p.Formula().Same(g) {
			return p, true
		}
	}
	fs, always := w.known(c, false)
	p, found := w.establish(w.state(fs), f, 4)
	if !found {
		return th, false
	}
	return w.try(c, "lift", g, append([]kernel.Theorem{p}, always...))
}

// step applies one rule about motions or orbits, drawn at random with what it is about.
func (w *drawn) step(c *kernel.Context) {
	l, k, v := w.term(pick(w.rng, subjects...)), w.term(pick(w.rng, rates...)), w.term(pick(w.rng, subjects...))
	moved := kernel.Ddt
	if c.Time() == kernel.Orbit {
		moved = kernel.Next
	}
	later := w.make(moved, 0, l)
	square := func(t *kernel.Term) *kernel.Term {
		if t.Scalar() {
			return w.make(kernel.Power, 2, t)
		}
		return w.make(kernel.Trace, 0, w.make(kernel.Product, 0, w.make(kernel.Transpose, 0, t), t))
	}
	number := func(i int64) *kernel.Term { return must(w.sig.Number(big.NewRat(i, 1))) }
	stay := []kernel.Form{kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive, kernel.StaySemidefinite}[w.rng.Intn(4)]
	so := map[kernel.Form]kernel.Form{kernel.StayZero: kernel.Equal, kernel.StayNonnegative: kernel.AtLeast, kernel.StayPositive: kernel.Greater, kernel.StaySemidefinite: kernel.Semidefinite}[stay]
	is := func(t *kernel.Term) (kernel.Formula, bool) {
		if so == kernel.Semidefinite {
			return w.form(so, t)
		}
		return w.form(so, t, w.null(t))
	}
	vanishes, _ := w.form(kernel.Vanishes, l)
	someOf := func(forms ...kernel.Form) (th kernel.Theorem, ok bool) {
		for _, i := range w.rng.Perm(len(w.pool[c])) {
			if slices.Contains(forms, w.pool[c][i].Formula().Form()) {
				return w.pool[c][i], true
			}
		}
		return th, false
	}
	switch w.rng.Intn(17) {
	case 0: // a statement about states, made one about all times
		f := w.formula(pick(w.rng, assumed...))
		w.along(c, f, true)
	case 1: // an equation along the motion
		f, ok := w.form(kernel.Equal, later, w.make(kernel.Product, 0, k, l))
		p, ok := w.along(c, f, ok)
		if g, fits := w.form(kernel.Evolves, l, k); ok && fits {
			w.try(c, map[kernel.Head]string{kernel.Ddt: "integrate", kernel.Next: "geometric"}[moved], g, []kernel.Theorem{p})
		}
	case 2: // a bound
		if moved == kernel.Ddt {
			n := square(l)
			f, ok := w.form(kernel.AtLeast, w.make(kernel.Product, 0, number(-2), w.make(kernel.Product, 0, k, n)), w.make(kernel.Ddt, 0, n))
			if p, ok := w.along(c, f, ok); ok {
				g, _ := w.form(kernel.NormDecays, l, k)
				w.try(c, "gronwall", g, []kernel.Theorem{p})
			}
			return
		}
		f, ok := w.form(kernel.AtLeast, w.make(kernel.Product, 0, w.make(kernel.Power, 2, k), square(l)), square(later))
		if p, ok := w.along(c, f, ok); ok {
			f, ok = w.form(kernel.AtLeast, k, w.zero())
			if q, ok := w.along(c, f, ok); ok {
				g, _ := w.form(kernel.NormDecays, l, k)
				w.try(c, "contraction", g, []kernel.Theorem{p, q})
			}
		}
	case 3:
		if !l.Scalar() {
			return
		}
		f, ok := w.form(kernel.AtLeast, w.minus(w.make(kernel.Product, 0, k, l)), later)
		if moved == kernel.Next {
			f, ok = w.form(kernel.AtLeast, w.make(kernel.Product, 0, k, l), later)
		}
		if p, ok := w.along(c, f, ok); ok {
			g, _ := w.form(kernel.Decays, l, k)
			if moved == kernel.Ddt {
				w.try(c, "gronwall", g, []kernel.Theorem{p})
				return
			}
			f, ok = w.form(kernel.AtLeast, k, w.zero())
			if q, ok := w.along(c, f, ok); ok {
				w.try(c, "contraction", g, []kernel.Theorem{p, q})
			}
		}
	case 4, 16: // limits
		d, ok := someOf(kernel.NormDecays, kernel.Evolves)
		if !ok {
			return
		}
		ts := d.Formula().Terms()
		g, _ := w.form(kernel.Vanishes, ts[0])
		var bounds [][2]*kernel.Term
		switch {
		case d.Formula().Form() == kernel.NormDecays && moved == kernel.Ddt:
			bounds = [][2]*kernel.Term{{ts[1], w.zero()}}
		case d.Formula().Form() == kernel.NormDecays:
			bounds = [][2]*kernel.Term{{number(1), ts[1]}}
		case moved == kernel.Ddt:
			bounds = [][2]*kernel.Term{{w.zero(), ts[1]}}
		default:
			bounds = [][2]*kernel.Term{{number(1), ts[1]}, {ts[1], number(-1)}}
		}
		ps := []kernel.Theorem{d}
		for _, b := range bounds {
			f, ok := w.form(kernel.Greater, b[0], b[1])
			if p, ok := w.along(c, f, ok); ok {
				ps = append(ps, p)
			}
		}
		w.try(c, "vanish", g, ps)
	case 5:
		d, ok := someOf(kernel.Vanishes, kernel.Decays)
		if !ok {
			return
		}
		ps := []kernel.Theorem{d}
		big := d.Formula().Terms()[0]
		if d.Formula().Form() == kernel.Decays {
			f, ok := w.form(kernel.Greater, d.Formula().Terms()[1], w.zero())
			if moved == kernel.Next {
				f, ok = w.form(kernel.Greater, number(1), d.Formula().Terms()[1])
			}
			if p, ok := w.along(c, f, ok); ok {
				ps = append(ps, p)
			}
		}
		what := []*kernel.Term{l, square(l)}[w.rng.Intn(2)]
		if !what.Scalar() || !big.Scalar() {
			return
		}
		f, ok := w.form(kernel.AtLeast, big, w.make(kernel.Product, 0, k, what))
		if p, ok := w.along(c, f, ok); ok {
			ps = append(ps, p)
		}
		if what == l {
			f, ok = w.form(kernel.AtLeast, l, w.zero())
			if p, ok := w.along(c, f, ok); ok {
				ps = append(ps, p)
			}
		}
		f, ok = w.form(kernel.Greater, k, w.zero())
		if p, ok := w.along(c, f, ok); ok {
			ps = append(ps, p)
		}
		w.try(c, "dominate", vanishes, ps)
	case 6, 7, 8: // what stays
		if moved == kernel.Next {
			ls := []*kernel.Term{l, v}[:1+w.rng.Intn(2)]
			g, ok := w.form(stay, ls...)
			if !ok {
				return
			}
			fs, always := w.known(c, false)
			for _, t := range ls {
				f, ok := is(t)
				if !ok {
					return
				}
				fs = append(fs, f)
			}
			var ps []kernel.Theorem
			for _, t := range ls {
				n := w.make(kernel.Next, 0, t)
				f, ok := is(n)
				if !ok {
					return
				}
				if p, ok := w.establish(w.state(fs), f, 4); ok {
					ps = append(ps, p)
				}
			}
			w.try(c, "invariant", g, append(ps, always...))
			return
		}
		if stay == kernel.StaySemidefinite {
			return
		}
		ls, hs := []*kernel.Term{l}, []*kernel.Term{w.term("h")}
		if !l.Scalar() {
			hs[0] = w.term("X")
		}
		if w.rng.Intn(3) == 0 && l.Scalar() && v.Scalar() {
			ls, hs = append(ls, v), append(hs, w.term("g"))
		}
		g, ok := w.form(stay, ls...)
		if !ok {
			return
		}
		var laws, borders []kernel.Theorem
		fs, always := w.known(c, false)
		if stay != kernel.StayZero {
			for _, h := range hs {
				f, _ := w.form(kernel.AtLeast, h, w.zero())
				fs = append(fs, f)
			}
		}
		var cs []*kernel.Term
		for i, t := range ls {
			c0 := w.make(kernel.Product, 0, w.term(pick(w.rng, rates...)), hs[i])
			if t.Scalar() {
				n := pick(w.rng, pushes...)
				if len(ls) == 1 && strings.Contains(n, "g") {
					n = "y^2"
				}
				if i == 1 {
					n = strings.NewReplacer("g", "h", "h", "g").Replace(n)
				}
				c0 = w.make(kernel.Sum, 0, c0, w.term(n))
			}
			// Often the right-hand side itself, with the holes for the letters.
			if law := w.dyn.FlowOf(t); law != nil && w.rng.Intn(3) > 0 {
				c0 = w.filled(law, ls, hs)
			}
			cs = append(cs, c0)
			f, ok := w.form(kernel.Equal, w.make(kernel.Ddt, 0, t), w.filled(c0, hs, ls))
			p, ok := w.along(c, f, ok)
			if !ok {
				return
			}
			laws = append(laws, p)
			var zeros []*kernel.Term
			at := hs
			if stay != kernel.StayZero {
				at = hs[i : i+1]
			}
			for _, h := range at {
				zeros = append(zeros, w.null(h))
			}
			border, _ := w.form(kernel.AtLeast, w.filled(c0, at, zeros), w.zero())
			if stay == kernel.StayZero {
				border, _ = w.form(kernel.Equal, w.filled(c0, at, zeros), w.null(t))
			}
			q, ok := w.establish(w.state(fs), border, 4)
			if !ok {
				return
			}
			borders = append(borders, q)
		}
		w.try(c, "barrier", g, append(append(laws, borders...), always...), append(cs, hs...)...)
	case 9: // what stays so is so
		s, ok := someOf(kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive, kernel.StaySemidefinite)
		if !ok {
			return
		}
		for _, h := range c.Hypotheses() {
			if g, err := kernel.NewAlways(h.Formula()); err == nil {
				_, always := w.known(c, true)
				w.try(c, "keep", g, append([]kernel.Theorem{s}, always...))
			}
		}
	case 10: // derivatives of equations
		e, ok := someOf(kernel.Always)
		if !ok || e.Formula().Inner().Form() != kernel.Equal || moved == kernel.Next {
			return
		}
		ts := e.Formula().Inner().Terms()
		a, b := w.make(kernel.Ddt, 0, ts[0]), w.make(kernel.Ddt, 0, ts[1])
		f, ok := w.form(kernel.Equal, a, a)
		if p, ok := w.along(c, f, ok); ok {
			f, ok = w.form(kernel.Equal, b, b)
			if q, ok := w.along(c, f, ok); ok {
				g, _ := w.form(kernel.Equal, a, b)
				w.try(c, "differentiate", must(kernel.NewAlways(g)), []kernel.Theorem{e, p, q})
			}
		}
	case 11, 14: // a limit on a line
		if moved == kernel.Next {
			return
		}
		x := w.term(pick(w.rng, "x", "x", "y"))
		ends := strings.Fields(pick(w.rng, "0 0 1", "1 0 2", "0 -1 1", "q 0 q", "1 0 1", "q -1 2", "u 0 1", "p 0 1", "0 -1 0", "q q 1", "0 q 1", "q 0 2*q"))
		r, lo, hi := w.term(ends[0]), w.term(ends[1]), w.term(ends[2])
		g, ok := w.form(kernel.Tends, x, r, lo, hi)
		dx := w.make(kernel.Ddt, 0, x)
		if !ok || dx == nil {
			return
		}
		fs, always := w.known(c, false)
		above, _ := w.form(kernel.Greater, x, lo)
		below, _ := w.form(kernel.Greater, hi, x)
		not, _ := w.form(kernel.Unequal, x, r)
		off := w.make(kernel.Sum, 0, x, w.minus(r))
		in := append([]kernel.Formula{above, below, not}, fs...)
		inside := w.state(in)
		toward, _ := w.form(kernel.Greater, w.zero(), w.make(kernel.Product, 0, off, dx))
		p, ok := w.establish(inside, toward, 4)
		if !ok {
			p, ok = w.toward(inside, off, dx, toward)
		}
		if !ok {
			return
		}
		rest, _ := w.form(kernel.Equal, w.make(kernel.At, 0, dx, x, r), w.zero())
		q, ok := w.establish(w.state(fs), rest, 4)
		if !ok {
			return
		}
		ps := []kernel.Theorem{p, q}
		for _, b := range [][2]*kernel.Term{{r, lo}, {hi, r}} {
			f, ok := w.form(kernel.AtLeast, b[0], b[1])
			if th, ok := w.along(c, f, ok); ok {
				ps = append(ps, th)
			}
		}
		w.try(c, "line", g, append(ps, always...))
	case 12, 15: // matrices that move by congruence
		if l.Scalar() || moved == kernel.Next {
			return
		}
		a := w.term(pick(w.rng, "S", "x*I(n)", "-p/2*I(n)", "u/2*I(n)", "x/2*I(n)"))
		n := []*kernel.Term{nil, w.term("x^2*I(n)"), w.term("y*S")}[w.rng.Intn(3)]
		sum := w.make(kernel.Sum, 0, w.make(kernel.Product, 0, a, l), w.make(kernel.Product, 0, l, w.make(kernel.Transpose, 0, a)))
		goal := []kernel.Form{kernel.Congruence, kernel.StaySemidefinite}[w.rng.Intn(2)]
		terms := []*kernel.Term{a}
		if n != nil {
			sum, terms = w.make(kernel.Sum, 0, sum, n), append(terms, n)
		}
		f, ok := w.form(kernel.Equal, later, sum)
		p, ok := w.along(c, f, ok)
		if !ok {
			return
		}
		ps := []kernel.Theorem{p}
		if n != nil {
			f, ok = w.form(kernel.Semidefinite, n)
			q, ok := w.along(c, f, ok)
			if !ok {
				return
			}
			ps = append(ps, q)
		}
		g, _ := w.form(goal, l)
		w.try(c, "mcongruence", g, ps, terms...)
	case 13: // nothing begins, or nothing is so at the start
		fs, always := w.known(c, true)
		g, ok := w.form(stay, l)
		f, fits := kernel.Formula{}, false
		if ok {
			f, fits = is(l)
		}
		if fits && w.rng.Intn(2) == 0 {
			if p, ok := w.establish(w.state(append(fs, f)), must(kernel.NewFormula(kernel.Absurd)), 3); ok {
				w.try(c, "unmet", g, append([]kernel.Theorem{p}, always...))
			}
			return
		}
		if p, ok := w.establish(w.state(fs), must(kernel.NewFormula(kernel.Absurd)), 3); ok {
			w.try(c, "begin", must(kernel.NewAlways(must(kernel.NewFormula(kernel.Absurd)))), append([]kernel.Theorem{p}, always...))
		}
	}
}

// toward shows 0 > (x − r)·x' where x' is less than nothing times x − r by its form.
func (w *drawn) toward(c *kernel.Context, off, dx *kernel.Term, goal kernel.Formula) (th kernel.Theorem, ok bool) {
	ne := must(kernel.NewFormula(kernel.Unequal, off, w.zero()))
	x := off.Arg(0)
	if p, ok := w.try(c, "hyp", must(kernel.NewFormula(kernel.Unequal, x, off.Arg(1).Arg(1))), nil); ok {
		if p, ok = w.try(c, "transport", ne, []kernel.Theorem{p}); ok {
			sq := w.make(kernel.Power, 2, off)
			if p, ok = w.try(c, "power", must(kernel.NewFormula(kernel.Greater, sq, w.zero())), []kernel.Theorem{p}); ok {
				for _, k := range []string{"p", "1", "x", "1 + y^2", "1/(1+y^2)", "p*x", "2*p", "x^2", "root(q)", "p + y^2"} {
					kt := w.term(k)
					if missing, err := c.Missing(kt); err == nil {
						for _, m := range missing {
							w.establish(c, m, 3)
						}
					}
					s, ok := w.signed(c, kernel.Greater, kt, 4)
					if !ok {
						continue
					}
					if q, ok := w.try(c, "product", must(kernel.NewFormula(kernel.Greater, w.make(kernel.Product, 0, kt, sq), w.zero())), []kernel.Theorem{s, p}); ok {
						if th, ok = w.try(c, "transport", goal, []kernel.Theorem{q}); ok {
							return th, true
						}
					}
				}
			}
		}
	}
	return th, false
}

// filled puts values for holes.
func (w *drawn) filled(t *kernel.Term, holes, values []*kernel.Term) *kernel.Term {
	for i, h := range holes {
		if t == h {
			return values[i]
		}
	}
	if t.Len() == 0 {
		return t
	}
	args := t.Args()
	for i, a := range args {
		args[i] = w.filled(a, holes, values)
	}
	return must(w.sig.Make(t.Head(), t.Exponent(), args...))
}

// course is a motion, or an orbit, in numbers.
type course struct {
	w      *drawn
	values map[string][]float64 // a matrix row by row
}

type valueless struct{}

// value is that of a term without operators.
func (k *course) value(t *kernel.Term, memo map[*kernel.Term][]float64) []float64 {
	if v, ok := memo[t]; ok {
		return v
	}
	var a [][]float64
	for _, x := range t.Args() {
		a = append(a, k.value(x, memo))
	}
	var out []float64
	switch t.Head() {
	case kernel.Number:
		f, _ := t.Value().Float64()
		out = []float64{f}
	case kernel.Letter:
		out = k.values[t.Symbol().Name()]
		if out == nil {
			panic("no value of " + t.Symbol().Name())
		}
	case kernel.Size:
		out = []float64{2}
	case kernel.Identity:
		out = []float64{1, 0, 0, 1}
	case kernel.Zero:
		out = make([]float64, 4)
	case kernel.Sum:
		out = slices.Clone(a[0])
		for i := range out {
			out[i] += a[1][i]
		}
	case kernel.Product:
		switch {
		case len(a[0]) == 1:
			for _, x := range a[1] {
				out = append(out, a[0][0]*x)
			}
		case len(a[1]) == 1:
			for _, x := range a[0] {
				out = append(out, a[1][0]*x)
			}
		default:
			p, q := a[0], a[1]
			out = []float64{p[0]*q[0] + p[1]*q[2], p[0]*q[1] + p[1]*q[3], p[2]*q[0] + p[3]*q[2], p[2]*q[1] + p[3]*q[3]}
		}
	case kernel.Power:
		out = []float64{math.Pow(a[0][0], float64(t.Exponent()))}
	case kernel.Trace:
		out = []float64{a[0][0] + a[0][3]}
	case kernel.Transpose:
		out = []float64{a[0][0], a[0][2], a[0][1], a[0][3]}
	case kernel.Reciprocal:
		if math.Abs(a[0][0]) < 1e-12 {
			panic(valueless{})
		}
		out = []float64{1 / a[0][0]}
	case kernel.Root:
		if a[0][0] < -1e-9 {
			panic(valueless{})
		}
		out = []float64{math.Sqrt(max(a[0][0], 0))}
	default:
		panic(t.Head().String())
	}
	memo[t] = out
	return out
}

func (k *course) of(t *kernel.Term) (v []float64, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, none := r.(valueless); !none {
				panic(r)
			}
			ok = false
		}
	}()
	parts := must(k.w.dyn.Parts(t))
	memo := map[*kernel.Term][]float64{}
	for _, p := range parts {
		k.value(p, memo)
	}
	v = memo[parts[0]]
	for _, x := range v {
		if math.IsNaN(x) || math.Abs(x) > 1e15 {
			return nil, false
		}
	}
	return v, true
}

// holds says by how much a state formula holds here: less than 0 if it fails. Terms without values count as failure.
func (k *course) holds(f kernel.Formula) float64 {
	var vs [][]float64
	for _, t := range f.Terms() {
		v, ok := k.of(t)
		if !ok {
			return -1
		}
		vs = append(vs, v)
	}
	scale := 1.0
	for _, v := range vs {
		for _, x := range v {
			scale = max(scale, math.Abs(x))
		}
	}
	switch f.Form() {
	case kernel.Equal:
		d := 0.0
		for i, x := range vs[0] {
			d = max(d, math.Abs(x-vs[1][i]))
		}
		return -d / scale
	case kernel.AtLeast, kernel.Greater:
		return (vs[0][0] - vs[1][0]) / scale
	case kernel.Unequal:
		return math.Abs(vs[0][0] - vs[1][0])
	case kernel.Semidefinite:
		p := vs[0]
		return min(p[0], p[3], p[0]*p[3]-p[1]*p[2], -math.Abs(p[1]-p[2])) / (scale * scale)
	}
	return -1
}

// drawCourse draws a start that meets Γ exactly, or reports that it found none.
func (w *drawn) drawCourse(c *kernel.Context) (*course, bool) {
	few := []float64{0, 0, 1, 1, -1, 0.5, -0.5, 2, 0.25, -2, 1.5}
	one := func() []float64 { return []float64{few[w.rng.Intn(len(few))]} }
	for range 60 {
		k := &course{w: w, values: map[string][]float64{}}
		for _, x := range []string{"x", "y", "p", "q", "u"} {
			k.values[x] = one()
		}
		if w.rng.Intn(3) == 0 {
			k.values["y"] = k.values["x"]
		}
		for _, x := range []string{"W", "S"} {
			a, b, d := one()[0], one()[0], one()[0]
			switch w.rng.Intn(3) {
			case 0:
				k.values[x] = []float64{a, b, b, d}
			case 1:
				k.values[x] = []float64{a*a + b*b, a * d, a * d, d * d}
			default:
				k.values[x] = []float64{a, b, one()[0], d}
			}
		}
		ok := true
		for _, h := range c.Hypotheses() {
			m := k.holds(h.Formula())
			strict := h.Formula().Form() == kernel.Greater || h.Formula().Form() == kernel.Unequal
			ok = ok && m >= 0 && (m > 0 || !strict)
		}
		if ok {
			return k, true
		}
	}
	return nil, false
}

// drive is an input over time.
type drive struct{ base, swing, pace float64 }

func (d drive) at(t float64) float64 { return d.base + d.swing*math.Sin(d.pace*t) }

// follow gives the courses of a context, a motion by the classical Runge–Kutta method, an orbit step by step, up to where Γ or
// the equations have no more to say.
func (w *drawn) follow(c *kernel.Context, k *course) (path []*course, times []float64) {
	u := drive{base: k.values["u"][0]}
	if w.rng.Intn(2) == 0 && !slices.ContainsFunc(c.Hypotheses(), func(h kernel.Hypothesis) bool { return h.Formula().Form() == kernel.Equal }) {
		u.swing, u.pace = 0.7, 1.3
	}
	laws := w.dyn.FlowLetters()
	at := func(k *course, t float64) *course {
		n := &course{w: w, values: map[string][]float64{}}
		for x, v := range k.values {
			n.values[x] = v
		}
		n.values["u"] = []float64{u.at(t)}
		return n
	}
	meets := func(k *course) bool {
		for _, h := range c.Hypotheses() {
			if h.Mark() != kernel.Kept {
				continue
			}
			m := k.holds(h.Formula())
			strict := h.Formula().Form() == kernel.Greater || h.Formula().Form() == kernel.Unequal
			if m < -1e-10 || strict && m < 1e-6 {
				return false
			}
		}
		return true
	}
	// Of large numbers squares are beyond what is compared.
	large := func(k *course) bool {
		for _, v := range k.values {
			for _, x := range v {
				if math.Abs(x) > 100 {
					return true
				}
			}
		}
		return false
	}
	t := 0.0
	k = at(k, 0)
	if c.Time() == kernel.Orbit {
		for i := range 8 {
			if !meets(k) || large(k) {
				break
			}
			path, times = append(path, k), append(times, float64(i))
			n := at(k, 0)
			for _, x := range w.dyn.MapLetters() {
				v, ok := k.of(w.dyn.MapOf(x))
				if !ok {
					return path, times
				}
				n.values[x.Symbol().Name()] = v
			}
			if w.rng.Intn(2) == 0 && u.swing != 0 {
				n.values["u"] = []float64{u.at(float64(i))}
			}
			k = n
		}
		return path, times
	}
	const dt = 1.0 / 64
	speed := func(k *course) (map[string][]float64, bool) {
		out := map[string][]float64{}
		for _, x := range laws {
			v, ok := k.of(w.dyn.FlowOf(x))
			if !ok {
				return nil, false
			}
			out[x.Symbol().Name()] = v
		}
		return out, true
	}
	moved := func(k *course, v map[string][]float64, dt, t float64) *course {
		n := at(k, t)
		for x, d := range v {
			s := slices.Clone(k.values[x])
			for i := range s {
				s[i] += dt * d[i]
			}
			n.values[x] = s
		}
		return n
	}
	for i := range 64 * 6 {
		if !meets(k) || large(k) {
			if i == 1 { // no motion begins here
				return nil, nil
			}
			break
		}
		if i%16 == 0 {
			path, times = append(path, k), append(times, t)
		}
		a, ok := speed(k)
		if !ok && i == 0 {
			return nil, nil
		}
		if !ok {
			break
		}
		b, ok := speed(moved(k, a, dt/2, t+dt/2))
		if !ok {
			break
		}
		e, ok := speed(moved(k, b, dt/2, t+dt/2))
		if !ok {
			break
		}
		d, ok := speed(moved(k, e, dt, t+dt))
		if !ok {
			break
		}
		sum := map[string][]float64{}
		big := 0.0
		for x := range a {
			v := slices.Clone(a[x])
			for j := range v {
				v[j] = (a[x][j] + 2*b[x][j] + 2*e[x][j] + d[x][j]) / 6
				big = max(big, math.Abs(v[j]))
			}
			sum[x] = v
		}
		if big > 50 { // the method is not to be trusted there
			break
		}
		t += dt
		k = moved(k, sum, dt, t)
	}
	return path, times
}

// fails says how a theorem fails along a course, or nothing.
func (w *drawn) fails(f kernel.Formula, path []*course, times []float64) string {
	const near = 2e-4
	ts := f.Terms()
	stay := map[kernel.Form]kernel.Form{kernel.StayZero: kernel.Equal, kernel.StayNonnegative: kernel.AtLeast, kernel.StayPositive: kernel.Greater, kernel.StaySemidefinite: kernel.Semidefinite}
	norm := func(v []float64) (s float64) {
		for _, x := range v {
			s += x * x
		}
		return math.Sqrt(s)
	}
	for i, k := range path {
		if f.Form() == kernel.Always {
			if m := k.holds(f.Inner()); m < -near {
				return fmt.Sprintf("at %v: %v, %v", times[i], m, k.values)
			}
			continue
		}
		switch form := f.Form(); form {
		case kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive, kernel.StaySemidefinite:
			for _, t := range ts {
				g, _ := w.form(stay[form], t)
				if form != kernel.StaySemidefinite {
					g, _ = w.form(stay[form], t, w.null(t))
				}
				if m := path[0].holds(g); m < 0 || m == 0 && form == kernel.StayPositive {
					return ""
				}
			}
			for _, t := range ts {
				g, _ := w.form(stay[form], t)
				if form != kernel.StaySemidefinite {
					g, _ = w.form(stay[form], t, w.null(t))
				}
				if m := k.holds(g); m < -near {
					return fmt.Sprintf("%s at %v: %v, %v", kernel.Print(t), times[i], m, k.values)
				}
			}
		case kernel.Evolves, kernel.Decays, kernel.NormDecays:
			v, ok := k.of(ts[0])
			v0, ok0 := path[0].of(ts[0])
			c, okc := k.of(ts[1])
			c0, _ := path[0].of(ts[1])
			if !ok || !ok0 || !okc || math.Abs(c[0]-c0[0]) > near {
				return fmt.Sprintf("at %v: no value, or the rate moves", times[i])
			}
			orbit := len(times) > 1 && times[1] == 1
			grown := math.Exp(c[0] * times[i])
			if form != kernel.Evolves {
				grown = math.Exp(-c[0] * times[i])
			}
			if orbit {
				grown = math.Pow(c[0], times[i])
			}
			switch form {
			case kernel.Evolves:
				for j := range v {
					if math.Abs(v[j]-grown*v0[j]) > near*(1+math.Abs(grown*v0[j])) {
						return fmt.Sprintf("at %v: %v and not %v times %v", times[i], v, grown, v0)
					}
				}
			case kernel.Decays:
				if v[0] > grown*v0[0]+near*(1+math.Abs(grown*v0[0])) {
					return fmt.Sprintf("at %v: %v above %v times %v", times[i], v, grown, v0)
				}
			default:
				if norm(v) > grown*norm(v0)+near*(1+grown*norm(v0)) {
					return fmt.Sprintf("at %v: %v above %v times %v", times[i], v, grown, v0)
				}
			}
		case kernel.Congruence:
			v, ok := k.of(ts[0])
			v0, ok0 := path[0].of(ts[0])
			if d, d0 := v[0]*v[3]-v[1]*v[2], v0[0]*v0[3]-v0[1]*v0[2]; !ok || !ok0 || d*d0 < -near {
				return fmt.Sprintf("at %v: the determinant turns from %v to %v", times[i], d0, d)
			}
		case kernel.Vanishes, kernel.Tends:
			// Only what has lasted is held against a limit.
			if i < len(path)-1 || times[i] < 5 {
				continue
			}
			v, ok := k.of(ts[0])
			v0, ok0 := path[0].of(ts[0])
			if !ok || !ok0 {
				return "no value"
			}
			if form == kernel.Tends {
				r, _ := k.of(ts[1])
				lo, _ := k.of(ts[2])
				hi, _ := k.of(ts[3])
				if v0[0] <= lo[0] || v0[0] >= hi[0] {
					return ""
				}
				v, v0 = []float64{v[0] - r[0]}, []float64{v0[0] - r[0]}
			}
			if norm(v) > 0.98*norm(v0)+near {
				return fmt.Sprintf("from %v to %v after %v", v0, v, times[i])
			}
		}
	}
	return ""
}

// Rules applied in random order, in random worlds with hypotheses that hold always, at the start or constantly, give theorems
// that hold along every motion and orbit that was followed, and at every state that was drawn.
func TestRandomSequencesOfRules(t *testing.T) {
	worlds := 24
	if os.Getenv("STOPGRAD_LONG") != "" {
		worlds = 4_000
	}
	applied, held, over, asked, noticed := map[string]int{}, 0, 0, 0, 0
	for seed := range worlds {
		w := newDrawn(rand.New(rand.NewSource(int64(seed))))
		for range 250 {
			w.step(w.contexts[w.rng.Intn(len(w.contexts))])
		}
		for r, n := range w.applied {
			applied[r] += n
		}
		for _, c := range w.contexts {
			for range 5 {
				k, ok := w.drawCourse(c)
				if !ok {
					break
				}
				path, times := w.follow(c, k)
				if len(path) == 0 {
					continue
				}
				for _, th := range w.pool[c] {
					if why := w.fails(th.Formula(), path, times); why != "" {
						t.Errorf("seed %d: %s under %s over %s fails: %s, from %v", seed, say(th.Formula()), hypsOf(c), w.text, why, path[0].values)
					}
					if w.wrong(th.Formula(), path, times) {
						noticed++
					}
					over++
				}
			}
		}
		asked += w.unrefuted(t, seed)
		for _, key := range slices.Sorted(maps.Keys(w.states)) {
			c := w.states[key]
			for range 3 {
				if c.Closed(kernel.Formula{}) != nil || len(w.pool[c]) == 0 {
					break
				}
				k, ok := w.drawCourse(c)
				if !ok {
					break
				}
				held += w.exactly(t, seed, c, k)
			}
		}
	}
	t.Logf("%d theorems at states, %d along courses, %d asked to be refuted; applied: %v", held, over, asked, applied)
	// What is compared tells a theorem from its opposite.
	if noticed < worlds {
		t.Errorf("only %d false statements were noticed", noticed)
	}
	if held < worlds || over < worlds {
		t.Errorf("only %d and %d theorems were looked at", held, over)
	}
}

// wrong reports whether something false that is made of a theorem is seen to fail along a course: that an order always is the
// other way round, that a rate is one more.
func (w *drawn) wrong(f kernel.Formula, path []*course, times []float64) bool {
	ts := f.Terms()
	switch f.Form() {
	case kernel.Always:
		in := f.Inner()
		if in.Form() != kernel.AtLeast && in.Form() != kernel.Greater {
			return false
		}
		ts = in.Terms()
		return w.fails(must(kernel.NewAlways(must(kernel.NewFormula(kernel.Greater, ts[1], ts[0])))), path, times) != ""
	case kernel.Evolves:
		more := w.make(kernel.Sum, 0, ts[1], must(w.sig.Number(big.NewRat(1, 1))))
		return w.fails(must(kernel.NewFormula(kernel.Evolves, ts[0], more)), path, times) != ""
	}
	return false
}

func hypsOf(c *kernel.Context) string {
	out := ""
	for _, h := range c.Hypotheses() {
		out += h.Mark().String() + " " + say(h.Formula()) + " "
	}
	return out
}

// unrefuted asks the model to refute theorems about motions and orbits, at states of their own contexts and of some that assume
// more, with whatever is kept by other theorems.
func (w *drawn) unrefuted(t *testing.T, seed int) (asked int) {
	var keeps []kernel.Theorem
	for _, c := range w.contexts {
		for _, th := range w.pool[c] {
			if th.Formula().Form() == kernel.Always && c.Time() == kernel.Motion {
				keeps = append(keeps, th)
			}
		}
	}
	for _, c := range w.contexts {
		for range 3 {
			hyps := c.Hypotheses()
			for range w.rng.Intn(3) {
				mark := []kernel.Mark{kernel.Kept, kernel.Start}[w.rng.Intn(2)]
				hyps = append(hyps, must(kernel.NewHypothesis(mark, w.formula(pick(w.rng, assumed...)))))
			}
			more := must(kernel.NewContext(w.dyn, c.Time(), hyps...))
			for range 4 {
				k, ok := w.drawCourse(more)
				if !ok {
					break
				}
				st := w.exact(k)
				for _, th := range w.pool[c] {
					if x, err := model.Refute(more, th.Formula(), st, keeps...); err == nil {
						t.Errorf("seed %d: %s under %s over %s is a theorem under %s and refuted, %s, at %s", seed, say(th.Formula()), hypsOf(more), w.text, hypsOf(c), x.Reason(), st)
					}
					asked++
				}
			}
		}
	}
	return asked
}

// exactly holds the theorems of a context about states against the model.
func (w *drawn) exactly(t *testing.T, seed int, c *kernel.Context, k *course) (held int) {
	st := w.exact(k)
	for _, h := range c.Hypotheses() {
		if j, err := model.Holds(c, h.Formula(), st); err != nil || !j.Holds {
			return 0
		}
	}
	for _, th := range w.pool[c] {
		if th.Closed() != nil {
			continue
		}
		if j, err := model.Holds(c, th.Formula(), st); err != nil || !j.Holds {
			t.Errorf("seed %d: %s under %s over %s fails: %v, at %s", seed, say(th.Formula()), hypsOf(c), w.text, err, st)
		}
		held++
	}
	return held
}

// exact is the start of a course as a state in exact numbers.
func (w *drawn) exact(k *course) *model.State {
	values := map[string][][]*big.Rat{}
	for x, v := range k.values {
		var rs []*big.Rat
		for _, f := range v {
			rs = append(rs, new(big.Rat).SetFloat64(f))
		}
		if len(rs) == 1 {
			values[x] = [][]*big.Rat{rs}
		} else {
			values[x] = [][]*big.Rat{rs[:2], rs[2:]}
		}
	}
	return must(model.NewState(w.sig, map[string]int{"n": 2}, values))
}
