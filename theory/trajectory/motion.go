package trajectory

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// Limits of what is followed.
const (
	maxWork    = 100_000     // products and sums of entries in all terms together
	maxEntries = 64          // entries that move
	maxBits    = 4_096       // of a number that the terms come to
	maxEffort  = 200_000_000 // operations on intervals of everything that is asked of a motion
	asking     = 1_000       // what comparing a formula with one that was judged counts as
)

// failure carries an error through the translation; no other panic is taken for one.
type failure struct{ err error }

func fail(format string, args ...any) { panic(&failure{fmt.Errorf("trajectory: "+format, args...)}) }

func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case *failure:
		*err = r.err
	default:
		panic(r)
	}
}

// Motion is the motion from a state with inputs that keep their values, or that from each state of a box ([Region.Over]), as
// equations of the entries that move.
type Motion struct {
	ctx       *kernel.Context
	dyn       *kernel.Dynamics
	st        *model.State // of one state
	sizes     func(string) int
	keeps     []kernel.Theorem
	used      []kernel.Theorem
	sys       *enclosure.System
	moving    []*kernel.Term // letters
	symmetric map[*kernel.Term]bool
	offset    map[*kernel.Term]*kernel.Term // letters x of which the system has x − e, which is zero at the start
	entries   []entry
	start     []*big.Rat
	memo      map[*kernel.Term]enclosure.Matrix
	roots     int
	work      int
	meter     *enclosure.Meter // of all that is asked of it
	traps     map[*Trap]*trapped
	judge     *model.Judge
	judged    []judged
}

// judged is a state formula with what was found of it at the state.
type judged struct {
	formula kernel.Formula
	err     error
}

// entry is one entry of a letter that moves.
type entry struct {
	letter *kernel.Term
	i, j   int
	name   string
}

// Follow sets up the motion of a motion context from a state. Keeps are theorems “always φ” of contexts whose hypotheses
// are all about the start or constant; a letter that one of them keeps symmetric has half its entries.
func Follow(c *kernel.Context, st *model.State, keeps ...kernel.Theorem) (m *Motion, err error) {
	defer caught(&err)
	return follow(c, st, keeps), nil
}

func follow(c *kernel.Context, st *model.State, keeps []kernel.Theorem) *Motion {
	// Soundness: what was overwritten for a while would be another sequent.
	if err := c.Whole(); err != nil {
		fail("%v", err)
	}
	if c.Time() != kernel.Motion || st == nil || st.Signature() != c.Signature() {
		fail("a motion context and a state of its signature are needed")
	}
	d := c.Dynamics()
	// Soundness: whether there are random columns with the declared moments is not looked at here.
	if d.Moments() > 0 {
		fail("flows with second moments are not followed")
	}
	if len(st.Roots()) > 0 {
		fail("a state with irrational numbers is not followed")
	}
	m := &Motion{ctx: c, dyn: d, st: st, sizes: st.Size, keeps: keeps, meter: enclosure.NewMeter(maxEffort), judge: model.NewJudge(c, st), symmetric: map[*kernel.Term]bool{}, memo: map[*kernel.Term]enclosure.Matrix{}}
	var names []string
	laws := map[*kernel.Term]*kernel.Term{}
	for _, x := range d.FlowLetters() {
		law := m.unfold(d.FlowOf(x))
		if m.still(law) {
			continue
		}
		laws[x] = law
		m.moving = append(m.moving, x)
		rows, cols := m.shape(x)
		m.symmetric[x] = !x.Scalar() && rows == cols && rows > 1 && m.keptSymmetric(x)
		for i := range rows {
			for j := range cols {
				if m.symmetric[x] && j < i {
					continue
				}
				name := m.name(x, i, j)
				m.entries = append(m.entries, entry{x, i, j, name})
				names = append(names, name)
				m.start = append(m.start, st.Entries(x.Symbol().Name())[i][j])
			}
		}
	}
	if len(names) == 0 || len(names) > maxEntries {
		fail("%d entries move; from 1 to %d are followed", len(names), maxEntries)
	}
	m.sys = enclosure.NewSystem(names...)
	m.sys.Limit(m.meter)
	// The letters, before anything that mentions them.
	for _, y := range st.Signature().Symbols() {
		values := st.Entries(y.Name())
		if values == nil {
			continue
		}
		x := st.Signature().Lookup(y.Name())
		_, moves := laws[x]
		m.memo[x] = enclosure.NewMatrix(len(values), len(values[0]), func(i, j int) enclosure.Expr {
			if !moves {
				return m.sys.Const(values[i][j])
			}
			if m.symmetric[x] && j < i {
				i, j = j, i
			}
			return m.sys.Var(m.name(x, i, j))
		})
	}
	for _, e := range m.entries {
		m.sys.SetRHS(e.name, m.find(laws[e.letter]).At(e.i, e.j))
	}
	if m.roots > 0 {
		fail("flows with roots are not followed")
	}
	m.agree()
	return m
}

// name is the entry's name in the system: x, or W.1.2 of a matrix, which no symbol is called.
func (m *Motion) name(x *kernel.Term, i, j int) string {
	if x.Scalar() {
		return x.Symbol().Name()
	}
	return fmt.Sprintf("%s.%d.%d", x.Symbol().Name(), i+1, j+1)
}

// Names are the entries that move, in the order of the system's variables.
func (m *Motion) Names() []string { return m.sys.Names() }

// System is the system of equations of these entries.
func (m *Motion) System() *enclosure.System { return m.sys }

// Start is a copy of their values at the state.
func (m *Motion) Start() []*big.Rat {
	out := make([]*big.Rat, len(m.start))
	for i, x := range m.start {
		out[i] = new(big.Rat).Set(x)
	}
	return out
}

// Term is a term of the context as expressions of the entries that move; a scalar is 1×1.
func (m *Motion) Term(t *kernel.Term) (out enclosure.Matrix, err error) {
	defer caught(&err)
	return m.term(t), nil
}

func (m *Motion) term(t *kernel.Term) enclosure.Matrix { return m.find(m.unfold(t)) }

func (m *Motion) unfold(t *kernel.Term) *kernel.Term {
	u, err := m.dyn.Unfold(t)
	if err != nil {
		fail("%v", err)
	}
	return u
}

// speed is the derivative of what the system has of a letter that moves.
func (m *Motion) speed(x *kernel.Term) *kernel.Term {
	law, e := m.dyn.FlowOf(x), m.offset[x]
	if e == nil {
		return law
	}
	sig := m.dyn.Signature()
	t := e
	var err error
	for _, step := range []func() (*kernel.Term, error){
		func() (*kernel.Term, error) { return sig.Make(kernel.Ddt, 0, t) },
		func() (*kernel.Term, error) {
			minus, err := sig.Number(big.NewRat(-1, 1))
			if err != nil {
				return nil, err
			}
			return sig.Make(kernel.Product, 0, minus, t)
		},
		func() (*kernel.Term, error) { return sig.Make(kernel.Sum, 0, law, t) },
	} {
		if t, err = step(); err != nil {
			fail("%v", err)
		}
	}
	return t
}

// still reports whether a right-hand side is zero by its form, with inputs that keep their values.
func (m *Motion) still(law *kernel.Term) bool {
	switch law.Head() {
	case kernel.Zero:
		return true
	case kernel.Number:
		return law.Value().Sign() == 0
	case kernel.Letter:
		if law.Symbol().Class() != kernel.Input {
			return false
		}
		for _, row := range m.st.Entries(law.Symbol().Name()) {
			for _, x := range row {
				if x.Sign() != 0 {
					return false
				}
			}
		}
		return true
	}
	return false
}

func (m *Motion) size(d kernel.Dim) int {
	n := 1
	for _, l := range d.Legs() {
		if n *= m.sizes(l); n > model.MaxSize {
			fail("the dimension %s is more than %d", d, model.MaxSize)
		}
	}
	return n
}

func (m *Motion) shape(t *kernel.Term) (rows, cols int) {
	if t.Scalar() {
		return 1, 1
	}
	r, c := t.Shape()
	return m.size(r), m.size(c)
}

// keptSymmetric reports whether a letter stays symmetric along this motion, by a theorem.
func (m *Motion) keptSymmetric(x *kernel.Term) bool {
	xt, err := m.st.Signature().Make(kernel.Transpose, 0, x)
	if err != nil {
		return false
	}
	f, err := kernel.NewFormula(kernel.Equal, xt, x)
	return err == nil && m.kept(f)
}

// kept reports whether a keep says always f under hypotheses that this motion meets.
func (m *Motion) kept(f kernel.Formula) bool {
	for _, th := range m.keeps {
		c, g := th.Context(), th.Formula()
		if c == nil || c.Whole() != nil || c.Dynamics() != m.dyn || c.Time() != kernel.Motion || g.Form() != kernel.Always || !g.Inner().Same(f) {
			continue
		}
		ok := true
		for _, h := range c.Hypotheses() {
			// Soundness: what is assumed all along would have to be seen to hold all along.
			ok = ok && h.Mark() != kernel.Kept && m.holds(h.Formula()) == nil
		}
		if ok {
			m.used = append(m.used, th)
			return true
		}
	}
	return false
}

// needed are the keeps that were used, each once.
func (m *Motion) needed() (out []kernel.Theorem) {
	for i, t := range m.used {
		once := true
		for _, u := range m.used[:i] {
			once = once && !t.Same(u)
		}
		if once {
			out = append(out, t)
		}
	}
	return out
}

// holds judges a state formula at the state, in exact numbers; the error says why it does not hold.
func (m *Motion) holds(f kernel.Formula) error {
	for _, x := range m.judged {
		if x.formula.Same(f) {
			return x.err
		}
	}
	m.pay(asking * int64(1+len(m.judged)))
	j, err := m.judge.Holds(f)
	if err == nil && !j.Holds {
		err = errors.New("it does not hold")
	}
	m.judged = append(m.judged, judged{f, err})
	return err
}

// pay counts the work of a question. The system's meter counts the enclosures; both are one, which bounds all that is asked
// of a motion together, however many hypotheses and theorems there are.
func (m *Motion) pay(effort int64) {
	if err := m.meter.Spend(effort); err != nil {
		fail("%w", err)
	}
}

// tooMuch fails if the meter is spent: whatever was not seen since may be so.
func (m *Motion) tooMuch() {
	if err := m.meter.Err(); err != nil {
		fail("%w", err)
	}
}

// find is a term without operators, written out.
func (m *Motion) find(t *kernel.Term) enclosure.Matrix {
	if v, ok := m.memo[t]; ok {
		return v
	}
	v := m.write(t)
	each(v, func(_, _ int, e enclosure.Expr) string {
		// Numbers are worked out as they are written: powers of powers of one are longer than any memory.
		if x, ok := e.Rational(); ok && max(x.Num().BitLen(), x.Denom().BitLen()) > maxBits {
			fail("a number of more than %d bits", maxBits)
		}
		return ""
	})
	m.memo[t] = v
	return v
}

func (m *Motion) spend(n int) {
	if m.work += n; m.work > maxWork {
		fail("more than %d operations on entries", maxWork)
	}
}

func one(e enclosure.Expr) enclosure.Matrix {
	return enclosure.NewMatrix(1, 1, func(int, int) enclosure.Expr { return e })
}

func (m *Motion) write(t *kernel.Term) enclosure.Matrix {
	rows, cols := m.shape(t)
	arg := func(i int) enclosure.Matrix { return m.find(t.Arg(i)) }
	number := func(i int) enclosure.Expr { return arg(i).At(0, 0) }
	m.spend(rows * cols)
	switch t.Head() {
	case kernel.Number:
		return one(m.sys.Const(t.Value()))
	case kernel.Size:
		return one(m.sys.Int(int64(m.size(t.Dim()))))
	case kernel.Identity, kernel.Zero:
		return enclosure.NewMatrix(rows, cols, func(i, j int) enclosure.Expr {
			if t.Head() == kernel.Identity && i == j {
				return m.sys.Int(1)
			}
			return m.sys.Int(0)
		})
	case kernel.Sum:
		return arg(0).Add(arg(1))
	case kernel.Product:
		switch {
		case t.Arg(0).Scalar():
			return arg(1).Scale(number(0))
		case t.Arg(1).Scalar():
			return arg(0).Scale(number(1))
		}
		_, inner := m.shape(t.Arg(0))
		m.spend(rows * cols * inner)
		return arg(0).Mul(arg(1))
	case kernel.Power:
		m.spend(2 * bits.Len(uint(t.Exponent())))
		if t.Scalar() {
			if x, ok := number(0).Rational(); ok && max(x.Num().BitLen(), x.Denom().BitLen())*t.Exponent() > 2*maxBits {
				fail("a number of more than %d bits", maxBits)
			}
			return one(number(0).Pow(t.Exponent()))
		}
		p := enclosure.NewMatrix(rows, cols, func(i, j int) enclosure.Expr { return m.sys.Int(map[bool]int64{true: 1}[i == j]) })
		for range t.Exponent() {
			m.spend(rows * rows * rows)
			p = p.Mul(arg(0))
		}
		return p
	case kernel.Trace:
		return one(arg(0).Trace())
	case kernel.Transpose:
		if t.Scalar() {
			return arg(0)
		}
		return arg(0).T()
	case kernel.Reciprocal:
		e := number(0)
		if v, ok := e.Rational(); ok && v.Sign() == 0 {
			fail("%s is zero and divides", kernel.Print(t.Arg(0)))
		}
		return one(m.sys.Int(1).Div(e))
	case kernel.Root:
		v, ok := number(0).Rational()
		if !ok || v.Sign() < 0 {
			fail("the root of %s, which is not a nonnegative fraction, is not followed", kernel.Print(t.Arg(0)))
		}
		// The root of a number beyond float64 is in no bounded interval.
		r := interval.FromRat(v).Sqrt()
		if !r.IsBounded() {
			fail("the root of %s, which is beyond float64, is not followed", kernel.Print(t.Arg(0)))
		}
		m.roots++
		// Soundness: what is established holds for every value of the parameter in the interval, so for the root.
		return one(m.sys.Param(fmt.Sprintf("root %d", m.roots), r))
	}
	fail("a term with %s is not followed: %s", t.Head(), kernel.Print(t))
	return enclosure.Matrix{}
}

// agree compares the equations with the model's reading of the flow at the state and at two others, exactly.
func (m *Motion) agree() {
	for k := range 3 {
		values, sizes := map[string][][]*big.Rat{}, map[string]int{}
		sig := m.st.Signature()
		for _, n := range sig.Sizes() {
			sizes[n] = m.st.Size(n)
		}
		for _, y := range sig.Symbols() {
			if v := m.st.Entries(y.Name()); v != nil {
				values[y.Name()] = v
			}
		}
		at := make([]*big.Rat, len(m.entries))
		for e, x := range m.entries {
			v := values[x.letter.Symbol().Name()]
			// Any other state would do; these differ in all entries.
			at[e] = new(big.Rat).Add(v[x.i][x.j], big.NewRat(int64(k*(2*e+3)), int64(7+4*k+e)))
			v[x.i][x.j] = at[e]
			if m.symmetric[x.letter] {
				v[x.j][x.i] = at[e]
			}
		}
		st, err := model.NewState(sig, sizes, values)
		if err != nil {
			fail("%v", err)
		}
		if err := m.compare(st, at, nil); err != nil && k == 0 {
			fail("%v", err)
		}
	}
}

// compare compares the equations with the model's reading of the flow at a state, whose values of the system's variables and
// parameters are given; the error says why the flow has no value there.
func (m *Motion) compare(st *model.State, at []*big.Rat, params map[string]*big.Rat) error {
	laws := make([]enclosure.Expr, len(m.entries))
	for e, x := range m.entries {
		laws[e] = m.sys.RHS(x.name)
	}
	got, bad := m.sys.EvalRats(laws, at, params)
	wants := map[*kernel.Term]model.Value{}
	var err error
	for _, x := range m.moving {
		if wants[x], err = model.Evaluate(m.dyn, m.speed(x), st); err != nil {
			return err
		}
	}
	for e, x := range m.entries {
		w, rational := wants[x.letter].Rational(x.i, x.j)
		// Soundness: two readings of one flow.
		if bad != nil || !rational || w.Cmp(got[e]) != 0 {
			fail("the equation of %s is read in two ways, at %v", x.name, at)
		}
	}
	return nil
}
