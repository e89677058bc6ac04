package eval_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync/atomic"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// drawnStates is the number of states at which evaluator and model are compared, a part.
const drawnStates = 100

// builtIn lists the parts of the built-in claims, printed and corrected, and their twins.
func builtIn(t testing.TB) map[string]*lang.Part {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f.PartsAndTwins()
}

// comparison counts what was compared.
type comparison struct{ states, judged, values, refuted int }

// at compares evaluator and model at a state: the hypotheses, the statement, the values of its terms and of their
// derivatives or next values.
func (n *comparison) at(p *lang.Part, r *lang.Reading, w verdict.Witness) error {
	st, err := verdict.StateOf(r, w)
	if err != nil {
		return err
	}
	f, err := eval.Judge(eval.Rational{}, p, w)
	if errors.Is(err, eval.ErrNoRoot) || errors.Is(err, eval.ErrDivisionByZero) {
		return nil
	}
	if err != nil {
		return err
	}
	n.states++
	c := r.Context()
	holds := func(f kernel.Formula) (bool, error) {
		j, err := model.Holds(c, f, st)
		return j.Holds, err
	}
	names, met := r.HypothesisNames(), map[string]bool{}
	for i, h := range c.Hypotheses() {
		ok, err := holds(h.Formula())
		if err != nil {
			return nil // the evaluator may give terms a value that the kernel asks more of
		}
		name := names[i]
		was, seen := met[name]
		met[name] = ok && (was || !seen)
	}
	for name, want := range met {
		if got, said := f.Hypotheses[name]; said && got != want || !said && !want {
			return fmt.Errorf("hypothesis %s: the evaluator says %v, the model %v", name, got, want)
		}
		n.judged++
	}
	goals := r.Goals()
	if p.Stmt.Kind == lang.Assumption {
		goals, _ = r.Consequence()
	}
	all := true
	for _, g := range goals {
		if g.Form() == kernel.Always {
			g = g.Inner()
		}
		if !g.Form().Temporal() {
			ok, err := holds(g)
			if err != nil {
				return nil
			}
			all = all && ok
			continue
		}
		if _, err := model.Refute(c, g, st); err == nil {
			n.refuted++
			if f.Holds && c.Time() == kernel.Motion {
				return errors.New("the model refutes a statement that holds to the evaluator")
			}
		}
		if err := n.moving(p, r, w, st, g); err != nil {
			return err
		}
		all = f.Holds
	}
	if all != f.Holds {
		return fmt.Errorf("the statement: the evaluator says %v, the model %v", f.Holds, all)
	}
	n.judged++
	return nil
}

// moving compares the values of what a temporal statement is about, and of how it moves.
func (n *comparison) moving(p *lang.Part, r *lang.Reading, w verdict.Witness, st *model.State, g kernel.Formula) error {
	e, err := eval.New(eval.Rational{}, p.Env, w)
	if err != nil {
		return err
	}
	head, word := kernel.Ddt, "ddt"
	if r.Context().Time() == kernel.Orbit {
		head, word = kernel.Next, "next"
	}
	l, x := g.Terms()[0], p.Stmt.L
	moved, err := r.Context().Signature().Make(head, 0, l)
	if err != nil {
		return err
	}
	for _, pair := range []struct {
		t *kernel.Term
		x *lang.Expr
	}{{l, x}, {moved, lang.NewCall(x.Pos, word, x)}} {
		v, err := model.Evaluate(r.Context().Dynamics(), pair.t, st)
		if err != nil {
			continue
		}
		m, err := e.Eval(pair.x)
		if err != nil {
			return fmt.Errorf("%s: the evaluator has no value: %w", lang.Unicode(pair.x), err)
		}
		for i := range m.R {
			for j := range m.C {
				if q, ok := v.Rational(i, j); ok && q.Cmp(m.At(i, j)) != 0 {
					return fmt.Errorf("%s: the evaluator says %s, the model %s", lang.Unicode(pair.x), m.At(i, j), q)
				}
			}
		}
		n.values++
	}
	return nil
}

// compare draws states of a part.
func (n *comparison) compare(p *lang.Part, label string, want int) error {
	r, err := lang.Elaborate(p)
	if err != nil {
		return nil // without a meaning there is nothing to compare
	}
	ch := sample.NewStream(3, label)
	for drawn := 0; drawn < 20*want && n.states < want; drawn++ {
		w, err := sample.Draw(ch, p, 2)
		if err != nil {
			continue
		}
		if err := n.at(p, r, w); err != nil {
			return fmt.Errorf("%w, at %v", err, w.Vals)
		}
	}
	return nil
}

// TestAgreesWithTheModel compares the evaluator, which unfolds, with the model, which does not, over all built-in claims.
func TestAgreesWithTheModel(t *testing.T) {
	parts, want, least := builtIn(t), drawnStates, int64(1)
	if testing.Short() {
		want, least = drawnStates/10, 10
	}
	var compared, states, values, refuted atomic.Int64
	t.Run("parts", func(t *testing.T) {
		for label, p := range parts {
			t.Run(label, func(t *testing.T) {
				t.Parallel()
				var n comparison
				if err := n.compare(p, label, want); err != nil {
					t.Error(err)
				}
				if n.states > 0 {
					compared.Add(1)
				}
				states.Add(int64(n.states))
				values.Add(int64(n.values))
				refuted.Add(int64(n.refuted))
			})
		}
	})
	if compared.Load() < 250 || states.Load()*least < 20_000 || values.Load()*least < 5000 || refuted.Load()*least < 100 {
		t.Error("too little was compared")
	}
	t.Logf("%d of %d parts, %d states, %d values, %d refutations", compared.Load(), len(parts), states.Load(), values.Load(), refuted.Load())
}

// TestDisagreementIsNoticed evaluates one part and asks the model about its twin.
func TestDisagreementIsNoticed(t *testing.T) {
	parts := builtIn(t)
	noticed, tried := 0, 0
	for _, label := range slices.Sorted(func(yield func(string) bool) {
		for l := range parts {
			if !yield(l) {
				return
			}
		}
	}) {
		p, twin := parts[label], (*lang.Part)(nil)
		for l, q := range parts {
			if len(l) > len(label)+6 && l[:len(label)+6] == label+" with " && len(q.Env.Order) == len(p.Env.Order) {
				twin = q
			}
		}
		if twin == nil || tried == 40 {
			continue
		}
		r, err := lang.Elaborate(twin)
		if err != nil {
			continue
		}
		tried++
		ch := sample.NewStream(3, label)
		var n comparison
		for range 60 {
			w, err := sample.Draw(ch, p, 2)
			if err == nil && n.at(p, r, w) != nil {
				noticed++
				break
			}
		}
	}
	if noticed < tried/2 || tried < 20 {
		t.Errorf("%d of %d differences noticed", noticed, tried)
	}
	t.Logf("%d of %d differences noticed", noticed, tried)
}

// BenchmarkTheorem1 judges Theorem 1 at large sizes, exactly and in floating point.
func BenchmarkTheorem1(b *testing.B) {
	p := builtIn(b)["thm1/balance"]
	for _, size := range [][2]int{{2, 3}, {5, 10}, {10, 20}} {
		w := verdict.Witness{Dims: map[lang.Dim]int{"n2": size[0], "n1": size[1]}, Vals: map[string]eval.Matrix[*big.Rat]{}}
		ch := sample.NewStream(1, "benchmark")
		fill := func(r, c int) eval.Matrix[*big.Rat] {
			m := eval.Matrix[*big.Rat]{R: r, C: c, A: make([]*big.Rat, r*c)}
			for i := range m.A {
				m.A[i] = big.NewRat(int64(ch.Intn(21)-10), int64(1+ch.Intn(4)))
			}
			return m
		}
		for _, name := range p.Env.Order {
			switch s := p.Env.Symbols[name]; s.Kind {
			case lang.Scalar:
				w.Vals[name] = eval.ScalarOf(big.NewRat(int64(1+ch.Intn(5)), 4))
			case lang.Matrix:
				m := fill(w.Dims[s.Rows], w.Dims[s.Cols])
				if s.Attr&lang.PSD != 0 {
					m = eval.Matrix[*big.Rat]{R: m.R, C: m.C, A: make([]*big.Rat, len(m.A))}
					for i := range m.A {
						m.A[i] = new(big.Rat)
						if i/m.C == i%m.C {
							m.A[i] = big.NewRat(int64(1+i%7), 3)
						}
					}
				}
				w.Vals[name] = m
			}
		}
		floats := eval.State[float64]{Dims: w.Dims, Vals: map[string]eval.Matrix[float64]{}}
		for name, m := range w.Vals {
			g := eval.Matrix[float64]{R: m.R, C: m.C, A: make([]float64, len(m.A))}
			for i, v := range m.A {
				g.A[i], _ = v.Float64()
			}
			floats.Vals[name] = g
		}
		b.Run(fmt.Sprintf("exact %d×%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				if f, err := eval.Judge(eval.Rational{}, p, w); err != nil || !f.Met || !f.Holds {
					b.Fatal(f, err)
				}
			}
		})
		b.Run(fmt.Sprintf("float %d×%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				if f, err := eval.Judge(eval.Float{}, p, floats); err != nil || !f.Met || !f.Holds {
					b.Fatal(f, err)
				}
			}
		})
	}
}
