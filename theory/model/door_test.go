package model_test

import (
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// A meddler calls the kernel's doors as nobody does who means to prove something: every rule with goals, premises and terms
// that were drawn, nil and zero ones among them. What comes out as a theorem is held against the model.
type meddler struct {
	*rand.Rand
	sig      *kernel.Signature
	letters  []*kernel.Term // that move
	numbers  []*kernel.Term
	terms    []*kernel.Term
	goals    []kernel.Formula
	moving   []kernel.Formula // goals about how letters move
	contexts []*kernel.Context
	theorems []kernel.Theorem
	states   []*model.State
	shown    map[string]int // theorems by rule
}

func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// term is one of the terms, seldom nil.
func (m *meddler) term() *kernel.Term {
	if m.IntN(60) == 0 {
		return nil
	}
	return one(m.Rand, m.terms)
}

// grow makes so many attempts at a new term of any head.
func (m *meddler) grow(attempts int) {
	for range attempts {
		args := []*kernel.Term{m.term(), m.term(), m.term()}[:1+m.IntN(3)]
		if t, err := m.sig.Make(kernel.Head(m.IntN(24)), m.IntN(5)-1, args...); err == nil && t.Len() < 25 {
			m.terms = append(m.terms, t)
		}
	}
}

// formula adds a drawn formula to the goals, if there is one of the form that was drawn about the terms that were.
func (m *meddler) formula() {
	form := kernel.Form(m.IntN(int(kernel.Tends) + 2)) // one more than there are
	if m.IntN(2) == 0 {
		form = one(m.Rand, []kernel.Form{kernel.Equal, kernel.AtLeast, kernel.Greater, kernel.Unequal})
	}
	ts := []*kernel.Term{m.term(), m.term(), m.term(), m.term(), m.term()}[:m.IntN(6)]
	if len(ts) > 1 && m.IntN(2) == 0 {
		ts[1] = one(m.Rand, m.numbers)
	}
	if form == kernel.Tends && len(ts) > 3 {
		ts[0] = one(m.Rand, m.letters)
	}
	f, err := kernel.NewFormula(form, ts...)
	m.add(f, err)
	if g, err := kernel.NewAlways(f); m.IntN(3) == 0 {
		m.add(g, err)
	}
}

func (m *meddler) add(f kernel.Formula, err error) {
	if err == nil {
		m.goals = append(m.goals, f)
	}
}

// rates adds goals about numbers and about how the letters move, as the rules of motions and orbits have them.
func (m *meddler) rates() {
	for _, c := range m.numbers {
		for _, d := range m.numbers {
			m.add(kernel.NewFormula(kernel.Greater, c, d))
			m.add(kernel.NewFormula(kernel.AtLeast, c, d))
		}
	}
	for _, l := range m.letters {
		for _, c := range m.numbers {
			right, err := m.sig.Make(kernel.Product, 0, c, l)
			if err != nil {
				continue
			}
			for _, h := range []kernel.Head{kernel.Ddt, kernel.Next} {
				left, err := m.sig.Make(h, 0, l)
				if err != nil {
					continue
				}
				f, err := kernel.NewFormula(kernel.Equal, left, right)
				m.add(f, err)
				m.add(kernel.NewAlways(f))
				m.add(kernel.NewFormula(kernel.AtLeast, right, left))
			}
			for _, form := range []kernel.Form{kernel.Evolves, kernel.NormDecays, kernel.Decays} {
				m.add(kernel.NewFormula(form, l, c))
			}
		}
		for _, form := range []kernel.Form{kernel.Vanishes, kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive} {
			m.add(kernel.NewFormula(form, l))
		}
	}
}

// newMeddler draws a vocabulary, equations, hypotheses and states. It reports false if no context can be made of them.
func newMeddler(seed uint64) (*meddler, bool) {
	m := &meddler{Rand: rand.New(rand.NewPCG(seed, 1)), sig: kernel.NewSignature(), shown: map[string]int{}}
	keep := func(t *kernel.Term, err error) *kernel.Term {
		if err != nil {
			panic(err)
		}
		m.terms = append(m.terms, t)
		return t
	}
	if err := m.sig.DeclareSize("n"); err != nil {
		panic(err)
	}
	m.letters = []*kernel.Term{keep(m.sig.DeclareScalar("x", kernel.State)), keep(m.sig.DeclareScalar("y", kernel.State)), keep(m.sig.DeclareMatrix("W", kernel.State, "n", "n"))}
	keep(m.sig.DeclareScalar("a", kernel.Param))
	keep(m.sig.DeclareScalar("u", kernel.Input))
	keep(m.sig.DeclareMatrix("A", kernel.Param, "n", "n"))
	keep(m.sig.DeclareMatrix("v", kernel.Param, "n", "1"))
	keep(m.sig.DeclareMatrix("e", kernel.Centred, "n", "1"))
	e := m.terms[len(m.terms)-1]
	identity := keep(m.sig.IdentityOf("n"))
	keep(m.sig.ZeroOf("n", "n"))
	keep(m.sig.SizeOf("n"))
	for _, q := range []*big.Rat{new(big.Rat), big.NewRat(1, 1), big.NewRat(-1, 1), big.NewRat(2, 1), big.NewRat(1, 2)} {
		m.numbers = append(m.numbers, keep(m.sig.Number(q)))
	}
	m.grow(80)

	d := kernel.NewDynamics(m.sig)
	if err := d.AddMoment(e, e, identity); err != nil {
		panic(err)
	}
	for _, l := range m.letters {
		for _, add := range []func(x, rhs *kernel.Term) error{d.AddFlow, d.AddMap} {
			// Half of the letters move at a rate, which most rules about motions ask for; the others as they are told to, if
			// anything fits.
			declared := false
			for range m.IntN(2) * 20 {
				if declared = add(l, m.term()) == nil; declared {
					break
				}
			}
			if declared {
				continue
			}
			rhs, err := m.sig.Make(kernel.Product, 0, one(m.Rand, m.numbers), l)
			if err == nil {
				err = add(l, rhs)
			}
			if err != nil {
				panic(err)
			}
		}
	}
	m.grow(60)
	m.rates()
	m.moving = slices.Clone(m.goals)
	for range 100 {
		m.formula()
	}

	assumed := []kernel.Formula{one(m.Rand, m.goals), one(m.Rand, m.goals), one(m.Rand, m.goals)}[:m.IntN(4)]
	for _, marks := range []struct {
		time  kernel.Time
		marks []kernel.Mark
	}{
		{kernel.AtState, []kernel.Mark{kernel.Here}},
		{kernel.Motion, []kernel.Mark{kernel.Kept, kernel.Start, kernel.Constant}},
		{kernel.Orbit, []kernel.Mark{kernel.Kept, kernel.Start, kernel.Constant}},
	} {
		var hs []kernel.Hypothesis
		for _, f := range assumed {
			if h, err := kernel.NewHypothesis(one(m.Rand, marks.marks), f); err == nil {
				hs = append(hs, h)
			}
		}
		if c, err := kernel.NewContext(d, marks.time, hs...); err == nil {
			m.contexts = append(m.contexts, c)
		}
	}

	drawn := func(rows, cols int) [][]*big.Rat {
		out := make([][]*big.Rat, rows)
		for i := range out {
			for range cols {
				out[i] = append(out[i], big.NewRat(int64(m.IntN(5)-2), int64(1+m.IntN(2))))
			}
		}
		return out
	}
	for k := range 12 {
		n := 1 + k%2
		st, err := model.NewState(m.sig, map[string]int{"n": n}, map[string][][]*big.Rat{
			"x": drawn(1, 1), "y": drawn(1, 1), "a": drawn(1, 1), "u": drawn(1, 1), "W": drawn(n, n), "A": drawn(n, n), "v": drawn(n, 1),
		})
		if err != nil {
			panic(err)
		}
		m.states = append(m.states, st.Within(20_000))
	}
	return m, len(m.contexts) > 0
}

// against returns a state at which the model refutes a formula, nil if it finds none.
func (m *meddler) against(c *kernel.Context, f kernel.Formula) *model.State {
	for _, st := range m.states {
		if x, err := model.Refute(c, f, st); err == nil && x.Valid() {
			return st
		}
	}
	return nil
}

// apply tries a rule, and says of a theorem that it makes whether the model refutes it.
func (m *meddler) apply(t *testing.T, c *kernel.Context, rule string, goal kernel.Formula, premises []kernel.Theorem, terms ...*kernel.Term) {
	th, err := c.Apply(rule, goal, premises, terms...)
	if err != nil {
		return
	}
	for _, old := range m.theorems {
		if old.Context() == c && old.Formula().Same(goal) {
			return
		}
	}
	m.shown[rule]++
	m.theorems = append(m.theorems, th)
	if st := m.against(c, goal); th.Closed() == nil && st != nil {
		text, _ := kernel.NewPrinter().Sequent(c, goal)
		t.Errorf("%s shows\n%s\nwhich fails at %s", rule, text, st)
	}
}

// aboutMotions are rules of motions and orbits that take one premise or two; others are met by chance.
var aboutMotions = []string{"integrate", "gronwall", "geometric", "contraction", "vanish", "remain"}

// meddle applies every rule to whatever there is, first to one premise and to two about motions, as chains of theorems begin.
func (m *meddler) meddle(t *testing.T, attempts int) {
	rules := kernel.RuleNames()
	for _, c := range m.contexts {
		for _, goal := range m.goals {
			m.apply(t, c, "hyp", goal, nil)
			m.apply(t, c, "modulo", goal, nil)
			m.apply(t, c, "number", goal, nil)
		}
		for i := 0; i < len(m.theorems); i++ {
			premise := m.theorems[i : i+1 : i+1]
			tried := slices.Concat(aboutMotions, []string{one(m.Rand, rules)})
			if g, err := kernel.NewAlways(m.theorems[i].Formula()); err == nil {
				m.apply(t, c, "lift", g, premise)
				tried = []string{"weaken", "transport"}
			}
			if m.theorems[i].Context() != c {
				continue
			}
			for _, goal := range m.moving {
				for _, rule := range tried {
					m.apply(t, c, rule, goal, premise)
				}
			}
		}
	}
	for _, c := range m.contexts {
		own := slices.DeleteFunc(slices.Clone(m.theorems), func(th kernel.Theorem) bool { return th.Context() != c || !th.Formula().Form().Temporal() })
		for _, goal := range m.moving {
			if goal.Form() != kernel.Vanishes {
				continue
			}
			for _, p := range own {
				for _, q := range own {
					m.apply(t, c, one(m.Rand, []string{"vanish", "dominate"}), goal, []kernel.Theorem{p, q})
				}
			}
		}
	}
	for range attempts {
		c := one(m.Rand, m.contexts)
		premises := make([]kernel.Theorem, m.IntN(4))
		for i := range premises {
			for range 8 { // rather of this context
				if len(m.theorems) > 0 && m.IntN(40) > 0 {
					premises[i] = one(m.Rand, m.theorems)
				}
				if premises[i].Context() == c {
					break
				}
			}
		}
		goals := m.goals
		if m.IntN(2) == 0 {
			goals = m.moving
		}
		terms := []*kernel.Term{m.term(), m.term(), m.term()}[:max(0, m.IntN(6)-2)]
		m.apply(t, c, one(m.Rand, rules), one(m.Rand, goals), premises, terms...)
	}
}

// TestMeddlers: whatever the doors are given, nothing panics, and the model refutes none of the theorems that come out. Its twin
// is that the model refutes goals of which there is no theorem.
func TestMeddlers(t *testing.T) {
	seeds, attempts := 12, 2_000
	if os.Getenv("STOPGRAD_LONG") != "" {
		seeds = 1000
	}
	shown, refuted := map[string]int{}, 0
	for seed := range uint64(seeds) {
		m, ok := newMeddler(seed)
		if !ok {
			continue
		}
		m.meddle(t, attempts)
		for rule, n := range m.shown {
			shown[rule] += n
		}
		for range 10 {
			if m.against(one(m.Rand, m.contexts), one(m.Rand, m.goals)) != nil {
				refuted++
			}
		}
	}
	t.Logf("theorems by rule: %v; %d goals refuted", shown, refuted)
	for _, rule := range []string{"hyp", "modulo", "number", "lift", "integrate", "geometric", "transport", "vanish"} {
		if shown[rule] == 0 {
			t.Errorf("no theorem by %s", rule)
		}
	}
	if refuted == 0 {
		t.Error("the model refutes no goal")
	}
}
