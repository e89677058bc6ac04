package model_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand"
	"os"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// world is a random vocabulary with random dynamics, in which random terms are drawn.
type world struct {
	rng     *rand.Rand
	sig     *kernel.Signature
	dyn     *kernel.Dynamics
	random  bool // random columns may be drawn
	letters []*kernel.Term
	columns []*kernel.Term
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newWorld(rng *rand.Rand) *world {
	w := &world{rng: rng, sig: kernel.NewSignature()}
	for _, n := range []string{"n", "m"} {
		if err := w.sig.DeclareSize(n); err != nil {
			panic(err)
		}
	}
	declare := func(t *kernel.Term, err error) *kernel.Term {
		w.letters = append(w.letters, must(t, err))
		return t
	}
	var moving []*kernel.Term
	for _, n := range []string{"x", "y"} {
		moving = append(moving, declare(w.sig.DeclareScalar(n, kernel.State)))
	}
	declare(w.sig.DeclareScalar("p", kernel.Param))
	declare(w.sig.DeclareScalar("q", kernel.Param))
	declare(w.sig.DeclareScalar("u", kernel.Input))
	moving = append(moving, declare(w.sig.DeclareMatrix("W", kernel.State, "n", "n")))
	moving = append(moving, declare(w.sig.DeclareMatrix("B", kernel.State, "n", "m")))
	declare(w.sig.DeclareMatrix("S", kernel.Param, "n", "n"))
	declare(w.sig.DeclareMatrix("R", kernel.Param, "m", "n"))
	declare(w.sig.DeclareMatrix("a", kernel.Param, "n", "1"))
	declare(w.sig.DeclareMatrix("b", kernel.State, "m", "1"))
	column := func(name string, class kernel.Class, n kernel.Dim) *kernel.Term {
		t := must(w.sig.DeclareMatrix(name, class, n, "1"))
		w.columns = append(w.columns, t)
		return t
	}
	e, g := column("e", kernel.Random, "n"), column("g", kernel.Random, "m")
	v, z := column("v", kernel.Centred, "n"), column("z", kernel.Centred, "n")
	w.dyn = kernel.NewDynamics(w.sig)
	moment := func(x, y *kernel.Term) {
		r, _ := x.Shape()
		c, _ := y.Shape()
		for {
			m := w.matrix(r, c, w.rng.Intn(3))
			if t := w.make(kernel.Transpose, m); x == y && w.rng.Intn(2) > 0 {
				m = w.make(kernel.Product, m, t)
			} else if x == y {
				m = w.make(kernel.Sum, m, t)
			}
			if w.dyn.AddMoment(x, y, m) == nil { // it may be random itself
				break
			}
		}
	}
	moment(e, e)
	moment(g, g)
	moment(v, v)
	if w.rng.Intn(4) > 0 {
		moment(g, e)
	}
	if w.rng.Intn(2) > 0 {
		moment(z, z)
	}
	for _, x := range moving {
		if w.rng.Intn(12) > 0 {
			if err := w.dyn.AddFlow(x, w.like(x, w.rng.Intn(3))); err != nil {
				panic(err)
			}
		}
		if w.rng.Intn(12) > 0 {
			if err := w.dyn.AddMap(x, w.like(x, w.rng.Intn(3))); err != nil {
				panic(err)
			}
		}
	}
	must(kernel.NewContext(w.dyn, kernel.AtState)) // freezes
	return w
}

func (w *world) make(h kernel.Head, args ...*kernel.Term) *kernel.Term {
	return must(w.sig.Make(h, 0, args...))
}

func (w *world) number(a, b int64) *kernel.Term { return must(w.sig.Number(big.NewRat(a, b))) }

// like draws a term of x's shape.
func (w *world) like(x *kernel.Term, depth int) *kernel.Term {
	if x.Scalar() {
		return w.scalar(depth)
	}
	r, c := x.Shape()
	return w.matrix(r, c, depth)
}

func (w *world) letter(ok func(*kernel.Term) bool) *kernel.Term {
	for _, i := range w.rng.Perm(len(w.letters)) {
		if ok(w.letters[i]) {
			return w.letters[i]
		}
	}
	return nil
}

func isScalar(t *kernel.Term) bool { return t.Scalar() }

var dims = []kernel.Dim{"1", "n", "m"}

// under draws an expectation's argument: draw, with random columns.
func (w *world) under(draw func() *kernel.Term) *kernel.Term {
	before := w.random
	w.random = true
	t := draw()
	w.random = before
	return w.make(kernel.Expect, t)
}

// operator applies an operator to what draw gives.
func (w *world) operator(draw func() *kernel.Term) *kernel.Term {
	switch w.rng.Intn(7) {
	case 0:
		return w.make(kernel.Ddt, draw())
	case 1:
		return w.make(kernel.Next, draw())
	case 2:
		return w.make(kernel.StopGrad, draw())
	case 3:
		return w.make(kernel.Diff, draw(), w.letter(isScalar))
	case 4:
		return w.under(draw)
	}
	args := []*kernel.Term{draw()}
	for _, i := range w.rng.Perm(len(w.letters))[:1+w.rng.Intn(2)] {
		args = append(args, w.letters[i], w.like(w.letters[i], w.rng.Intn(2)))
	}
	return w.make(kernel.At, args...)
}

// column draws a combination that is linear in a random column, r×1.
func (w *world) column(r kernel.Dim, depth int) *kernel.Term {
	x := w.columns[w.rng.Intn(len(w.columns))]
	n, _ := x.Shape()
	var t *kernel.Term
	switch {
	case n == r && w.rng.Intn(2) > 0:
		t = x
	default:
		t = w.make(kernel.Product, w.calm(func() *kernel.Term { return w.matrix(r, n, depth) }), x)
	}
	if w.rng.Intn(3) == 0 {
		t = w.make(kernel.Sum, t, w.column(r, depth-1))
	}
	if w.rng.Intn(6) == 0 {
		t = w.make(kernel.StopGrad, t)
	}
	return t
}

// calm draws without random columns.
func (w *world) calm(draw func() *kernel.Term) *kernel.Term {
	before := w.random
	w.random = false
	defer func() { w.random = before }()
	return draw()
}

// quadratic draws a scalar that is quadratic in the random columns in one of the ways in which terms are.
func (w *world) quadratic(depth int) *kernel.Term {
	r := dims[w.rng.Intn(3)]
	l, k := w.column(r, depth-1), w.column(r, depth-1)
	tr := func(t *kernel.Term) *kernel.Term { return w.make(kernel.Trace, t) }
	linear := func(x *kernel.Term) *kernel.Term {
		r, _ := x.Shape()
		c := w.calm(func() *kernel.Term { return w.matrix(r, "1", depth-1) })
		if w.rng.Intn(2) == 0 {
			return tr(w.make(kernel.Product, w.make(kernel.Transpose, x), c))
		}
		return tr(w.make(kernel.Product, c, w.make(kernel.Transpose, x)))
	}
	switch w.rng.Intn(7) {
	case 0:
		return must(w.sig.Make(kernel.Power, 2, linear(l)))
	case 1, 2:
		return w.make(kernel.Product, linear(l), linear(k))
	case 3:
		return tr(w.make(kernel.Product, w.make(kernel.Transpose, l), l))
	case 4:
		return w.make(kernel.Product, w.calm(func() *kernel.Term { return w.scalar(depth - 1) }), w.quadratic(depth-1))
	case 5:
		return w.make(kernel.Sum, w.calm(func() *kernel.Term { return w.scalar(depth - 1) }), w.quadratic(depth-1))
	}
	return tr(w.make(kernel.Product, l, w.make(kernel.Transpose, k)))
}

func (w *world) scalar(depth int) *kernel.Term {
	if w.random && w.rng.Intn(2) == 0 {
		return w.quadratic(depth)
	}
	if depth <= 0 {
		switch w.rng.Intn(8) {
		case 0:
			return w.number(int64(w.rng.Intn(7)-3), int64(1+w.rng.Intn(2)))
		case 1:
			return must(w.sig.SizeOf(dims[1+w.rng.Intn(2)]))
		case 2:
			n := dims[1+w.rng.Intn(2)]
			return w.make(kernel.Trace, w.matrix(n, n, 0))
		}
		return w.letter(isScalar)
	}
	s := func() *kernel.Term { return w.scalar(depth - 1) }
	n := dims[w.rng.Intn(3)]
	switch w.rng.Intn(11) {
	case 0, 1:
		return w.make(kernel.Sum, s(), s())
	case 2, 3:
		return w.make(kernel.Product, s(), s())
	case 4:
		return must(w.sig.Make(kernel.Power, w.rng.Intn(4), s()))
	case 5:
		return w.make(kernel.Trace, w.matrix(n, n, depth-1))
	case 6:
		return w.make(kernel.Reciprocal, s())
	case 7:
		t := s()
		if w.rng.Intn(3) > 0 {
			t = must(w.sig.Make(kernel.Power, 2, t))
		}
		return w.make(kernel.Root, t)
	case 8:
		return w.under(func() *kernel.Term { return w.quadratic(depth - 1) })
	}
	return w.operator(s)
}

func (w *world) matrix(r, c kernel.Dim, depth int) *kernel.Term {
	fits := func(t *kernel.Term) bool {
		a, b := t.Shape()
		return !t.Scalar() && a == r && b == c
	}
	flipped := func(t *kernel.Term) bool {
		a, b := t.Shape()
		return !t.Scalar() && a == c && b == r
	}
	if depth <= 0 {
		x, y := w.letter(fits), w.letter(flipped)
		switch k := w.rng.Intn(6); {
		case w.random && c == "1" && r != "1" && k < 3:
			for {
				if x := w.columns[w.rng.Intn(len(w.columns))]; fits(x) {
					return x
				}
			}
		case x != nil && k < 4:
			return x
		case y != nil && k < 5:
			return w.make(kernel.Transpose, y)
		case r == c:
			return must(w.sig.IdentityOf(r))
		case k == 0:
			return must(w.sig.ZeroOf(r, c))
		}
		if n := dims[1+w.rng.Intn(2)]; r != "n*m" && r != "n*n" {
			return w.make(kernel.Product, w.matrix(r, n, 0), w.matrix(n, c, 0))
		}
		return must(w.sig.ZeroOf(r, c))
	}
	m := func() *kernel.Term { return w.matrix(r, c, depth-1) }
	k := dims[w.rng.Intn(3)]
	switch w.rng.Intn(13) {
	case 0, 1:
		return w.make(kernel.Sum, m(), m())
	case 2, 3:
		return w.make(kernel.Product, w.matrix(r, k, depth-1), w.matrix(k, c, depth-1))
	case 4:
		return w.make(kernel.Product, w.scalar(depth-1), m())
	case 5:
		return w.make(kernel.Transpose, w.matrix(c, r, depth-1))
	case 6:
		if r == c {
			return w.make(kernel.Inverse, m())
		}
	case 7:
		if r == c {
			return must(w.sig.Make(kernel.Power, w.rng.Intn(4), m()))
		}
	case 8: // stacked shapes come in products with columns and traces only
		if r != c {
			break
		}
		n, d := dims[1+w.rng.Intn(2)], dims[1+w.rng.Intn(2)]
		big := w.make(kernel.Kronecker, w.matrix(n, n, depth-2), w.matrix(d, d, depth-2))
		stack := w.make(kernel.RowStack, w.matrix(n, d, depth-2))
		if w.rng.Intn(2) == 0 {
			return w.make(kernel.Product, w.make(kernel.Trace, big), m())
		}
		form := w.make(kernel.Product, w.make(kernel.Product, w.make(kernel.Transpose, stack), big), stack)
		return w.make(kernel.Product, w.make(kernel.Trace, form), m())
	case 9, 10:
		if x := w.letter(fits); x != nil {
			head := kernel.Grad
			if r == c {
				head = []kernel.Head{kernel.Grad, kernel.GradSym, kernel.GradSkew}[w.rng.Intn(3)]
			}
			return w.make(head, w.scalar(depth-1), x)
		}
	}
	return w.operator(m)
}

// state draws a state of small numbers, zeros among them.
func (w *world) state() *model.State {
	sizes := map[string]int{"n": 1 + w.rng.Intn(2), "m": 1 + w.rng.Intn(2)}
	values := map[string][][]*big.Rat{}
	for _, x := range w.letters {
		rows, cols := 1, 1
		if !x.Scalar() {
			r, c := x.Shape()
			rows = max(1, sizes[string(r)])
			cols = max(1, sizes[string(c)])
		}
		m := make([][]*big.Rat, rows)
		for i := range m {
			for range cols {
				m[i] = append(m[i], big.NewRat(int64(w.rng.Intn(9)-3), int64(1+w.rng.Intn(3))))
			}
		}
		values[x.Symbol().Name()] = m
	}
	return must(model.NewState(w.sig, sizes, values))
}

// dump renders a term with everything in it.
func dump(t *kernel.Term) string {
	switch t.Head() {
	case kernel.Number:
		return t.Value().RatString()
	case kernel.Letter:
		return t.Symbol().Name()
	case kernel.Size, kernel.Identity:
		return t.Head().String() + "(" + string(t.Dim()) + ")"
	case kernel.Zero:
		r, c := t.Shape()
		return fmt.Sprintf("zero(%s,%s)", r, c)
	}
	s := t.Head().String()
	if t.Head() == kernel.Power {
		s += fmt.Sprint(t.Exponent())
	}
	for i := 0; i < t.Len(); i++ {
		s += map[bool]string{true: "(", false: ", "}[i == 0] + dump(t.Arg(i))
	}
	return s + ")"
}

func (w *world) dump() string {
	s := ""
	for _, x := range w.dyn.FlowLetters() {
		s += fmt.Sprintf("  %s' = %s\n", dump(x), dump(w.dyn.FlowOf(x)))
	}
	for _, x := range w.dyn.MapLetters() {
		s += fmt.Sprintf("  %s+ = %s\n", dump(x), dump(w.dyn.MapOf(x)))
	}
	for i := range w.dyn.Moments() {
		a, b, m := w.dyn.Moment(i)
		s += fmt.Sprintf("  E[%s %s] = %s\n", dump(a), dump(b), dump(m))
	}
	return s
}

// outcome of a comparison.
type outcome int

const (
	equal      outcome = iota // both have a value, the same
	undefined                 // neither has a value
	refused                   // the kernel does not unfold the term
	unreadable                // the model cannot evaluate the term
	outcomes
)

// compare evaluates a term with its operators, the unfolding of what is taken for it, and the kernel's conditions for that
// to have a value.
func compare(w *world, t, twin *kernel.Term, st *model.State) (outcome, error) {
	u, err := w.dyn.Unfold(twin)
	if err != nil {
		return refused, nil
	}
	var none *model.NoValue
	direct, trouble := model.Evaluate(w.dyn, t, st)
	pure, err := model.Evaluate(w.dyn, u, st)
	switch {
	case err != nil && !errors.As(err, &none):
		return unreadable, err
	case err != nil && trouble == nil:
		return 0, fmt.Errorf("the model has the value %s, of the unfolded term %v", direct, err)
	case err == nil && trouble == nil && !direct.Equal(pure):
		return 0, fmt.Errorf("the model has the value %s, of the unfolded term %s", direct, pure)
	}
	c := must(kernel.NewContext(w.dyn, kernel.AtState))
	conditions, err := c.Missing(twin)
	if err != nil {
		return 0, err
	}
	for _, f := range conditions {
		j, err := model.Holds(c, f, st)
		if err != nil && !errors.As(err, &none) {
			return unreadable, err
		}
		if err != nil || !j.Holds {
			if trouble == nil {
				return 0, fmt.Errorf("the model has the value %s, where the kernel's condition %s of %s fails", direct, f.Form(), dump(f.Terms()[0]))
			}
			return undefined, nil
		}
	}
	switch {
	case trouble == nil:
		return equal, nil
	case errors.As(trouble, &none):
		return 0, fmt.Errorf("the kernel's conditions are met, the model says %v", none)
	}
	return unreadable, trouble
}

// draw draws a term.
func (w *world) draw() *kernel.Term {
	if w.rng.Intn(3) > 0 {
		return w.scalar(1 + w.rng.Intn(3))
	}
	return w.matrix(dims[w.rng.Intn(3)], dims[w.rng.Intn(3)], 1+w.rng.Intn(3))
}

// rebuilt is t with change made at every node whose arguments are rebuilt; change returns nil for what it leaves.
func (w *world) rebuilt(t *kernel.Term, change func(h kernel.Head, args []*kernel.Term) *kernel.Term) *kernel.Term {
	args := t.Args()
	for i, a := range args {
		args[i] = w.rebuilt(a, change)
	}
	if x := change(t.Head(), args); x != nil {
		return x
	}
	if len(args) == 0 {
		return t
	}
	return must(w.sig.Make(t.Head(), t.Exponent(), args...))
}

// The comparison notices each mistake that an unfolding could make: here the term unfolded is another one.
func TestAgreementNotices(t *testing.T) {
	for mistake, change := range map[string]func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term{
		"sg does nothing": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.StopGrad {
				return nil
			}
			return a[0]
		},
		"gradsym and gradskew are grad": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.GradSym && h != kernel.GradSkew {
				return nil
			}
			return w.make(kernel.Grad, a...)
		},
		"kron has its factors exchanged": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Kronecker {
				return nil
			}
			r, _ := a[0].Shape()
			if s, _ := a[1].Shape(); r != s {
				return nil
			}
			return w.make(kernel.Kronecker, a[1], a[0])
		},
		"columns are stacked": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.RowStack {
				return nil
			}
			if r, c := a[0].Shape(); r != c {
				return nil
			}
			return w.make(kernel.RowStack, w.make(kernel.Transpose, a[0]))
		},
		"at replaces one after the other": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.At || len(a) < 5 {
				return nil
			}
			return w.make(kernel.At, w.make(kernel.At, a[:3]...), a[3], a[4])
		},
		"next does nothing": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Next {
				return nil
			}
			return a[0]
		},
		"ddt has the other sign": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Ddt {
				return nil
			}
			return w.make(kernel.Product, w.number(-1, 1), w.make(kernel.Ddt, a...))
		},
		"diff is taken in another letter": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Diff {
				return nil
			}
			return w.make(kernel.Diff, a[0], w.letters[0])
		},
		"E takes the joint moment of independent columns for a variance": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Product || len(a) != 2 || a[1] != w.sig.Lookup("z") {
				return nil
			}
			return w.make(kernel.Product, a[0], w.sig.Lookup("v"))
		},
		"a root has a factor": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Root {
				return nil
			}
			return w.make(kernel.Product, w.number(2, 1), w.make(kernel.Root, a...))
		},
		"divisors cancel": func(w *world, h kernel.Head, a []*kernel.Term) *kernel.Term {
			if h != kernel.Product || a[1].Head() != kernel.Reciprocal || !a[0].Scalar() {
				return nil
			}
			return a[0]
		},
	} {
		noticed := false
		for seed := int64(1); seed <= 1000 && !noticed; seed++ {
			w := newWorld(rand.New(rand.NewSource(seed)))
			for i := 0; i < 40 && !noticed; i++ {
				x := w.draw()
				twin := w.rebuilt(x, func(h kernel.Head, a []*kernel.Term) *kernel.Term { return change(w, h, a) })
				o, err := compare(w, x, twin, w.state())
				noticed = err != nil && o != unreadable
			}
		}
		if !noticed {
			t.Errorf("%s, and the comparison does not notice", mistake)
		}
	}
}

// The kernel unfolds operators; the model evaluates them. Both have to give one value, or to say that there is none.
func TestAgreement(t *testing.T) {
	terms := 10_000
	if os.Getenv("STOPGRAD_LONG") != "" {
		terms = 1_000_000
	}
	const each = 40 // terms of a world
	var count [outcomes]int
	disagreements := 0
	troubles := map[string]int{}
	for done := 0; done < terms; done += each {
		w := newWorld(rand.New(rand.NewSource(int64(done))))
		for i := range each {
			x, st := w.draw(), w.state()
			o, err := compare(w, x, x, st)
			if o == unreadable {
				troubles[err.Error()]++
			} else if err != nil {
				if disagreements++; disagreements <= 5 {
					t.Errorf("world %d, term %d: %s\nat %s\nunder\n%s%v", done, i, dump(x), st, w.dump(), err)
				}
				continue
			}
			count[o]++
		}
	}
	t.Logf("%d terms: %d equal, %d without a value, %d not unfolded, %d not evaluated, %d disagree", terms, count[equal],
		count[undefined], count[refused], count[unreadable], disagreements)
	for e, k := range troubles {
		t.Logf("%5d %s", k, e)
	}
	if disagreements > 0 {
		t.Errorf("%d disagreements", disagreements)
	}
	if count[equal] < terms*3/4 {
		t.Errorf("only %d of %d terms were compared", count[equal], terms)
	}
	if count[unreadable] > terms/1000 {
		t.Errorf("%d of %d terms could not be evaluated", count[unreadable], terms)
	}
}
