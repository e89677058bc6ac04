package statecheck

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/verdict"
)

// errNoValue is wrapped by the error of a state at which the model finds no value.
var errNoValue = errors.New("no value here")

// decide judges the part at the bound state: in exact arithmetic where the state is exact, with square roots by the
// model, else in floating point up to rounding. It notes in res what was decided otherwise than exactly, and in b the
// hypotheses that are in doubt there. At later times of a trajectory nothing is exact, and [standing] knows what is in doubt.
func (b *binding) decide(res *PartResult) (*eval.Finding, error) {
	rough, roughErr := eval.Judge(eval.Float{}, b.part, b.st)
	if b.exact == nil {
		return rough, roughErr
	}
	b.doubts = map[string]bool{}
	if len(b.rounded) > 0 {
		res.note("judged in floating point: " + strings.Join(b.rounded, ", ") + " rounded")
		return b.doubted(rough, roughErr)
	}
	f, err := b.exactly(rough)
	switch {
	case undefined(err):
		return nil, err
	case err != nil:
		res.note("judged in floating point: " + err.Error())
		return b.doubted(rough, roughErr)
	}
	if roughErr == nil {
		b.forgive(f, rough, res)
	}
	if !f.Holds && f.Met {
		b.confirm(f, res)
	}
	return f, nil
}

// confirm asks the model about a part that fails at the state, for the numbers; and of a statement over time, whether it does.
// What a state says of those is said of one that a motion passes along which the hypotheses hold: where x' = 1 and x·y = 0 all
// along, y is 0 for all time, whatever it is at a state with x = 0, from which nothing moves.
func (b *binding) confirm(f *eval.Finding, res *PartResult) {
	r, err := verdict.Refute(b.part, b.filled())
	switch {
	case err == nil && (r.Verdict().IsRefuted() || !eval.OverTime(b.part)):
		res.Against = r.Reason()
	case !f.Close && eval.OverTime(b.part):
		f.Close, res.unrefuted = true, true
		if err == nil {
			err = errors.New(r.Reason())
		}
		res.note("no motion or orbit along which it fails is known from here: " + err.Error())
	}
}

// forgive counts hypotheses that state an equality, or a definite matrix, as met where they fail by rounding only: numbers
// that were computed meet none of them exactly. What follows from such a hypothesis holds up to rounding, too.
func (b *binding) forgive(f, rough *eval.Finding, res *PartResult) {
	f.Met = true
	for name, ok := range f.Hypotheses {
		near, judged := rough.Hypotheses[name]
		if !ok && b.computed(name) && (near || !judged) {
			f.Hypotheses[name], b.doubts[name] = true, true
			if !slices.Contains(res.Rounded, name) {
				res.Rounded = append(res.Rounded, name)
				res.note("hypothesis " + name + " is met up to rounding only")
			}
		}
		f.Met = f.Met && f.Hypotheses[name]
	}
	if len(b.doubts) > 0 && !f.Holds {
		// However far it is from holding: a state that does not meet a hypothesis exactly violates nothing.
		f.Holds, f.Close = rough.Holds, true
	}
}

// doubted passes on what was found in floating point. Hypotheses are in doubt there that hold by no more than rounding
// explains, unless all that they speak of is exact and they hold exactly; where there are any, nothing is violated.
func (b *binding) doubted(rough *eval.Finding, err error) (*eval.Finding, error) {
	if err != nil {
		return rough, err
	}
	known, err := eval.Assurances(eval.Float{}, b.part, b.st)
	if err != nil {
		return nil, err
	}
	exactly, err := eval.Assurances(eval.Rational{}, b.part, eval.State[*big.Rat]{Dims: b.st.Dims, Vals: b.fractions()})
	if err != nil {
		return nil, err
	}
	for i, h := range known {
		if !h.Sure && !exactly[i].Sure {
			b.doubts[h.Name] = true
		}
	}
	if len(b.doubts) > 0 && !rough.Holds {
		rough.Close = true
	}
	return rough, nil
}

// fractions are the values of the state that are fractions as they stand.
func (b *binding) fractions() map[string]exact {
	out := maps.Clone(b.exact)
	for name := range b.surds {
		delete(out, name)
	}
	return out
}

// begun reports whether what a statement over time asks of the beginning is known to be met there.
func (b *binding) begun() bool {
	if k, err := eval.NewCourse(eval.Rational{}, b.part, eval.State[*big.Rat]{Dims: b.st.Dims, Vals: b.fractions()}); err == nil {
		return k.Begun()
	}
	k, err := eval.NewCourse(eval.Float{}, b.part, b.st)
	return err == nil && k.Begun()
}

// computed reports whether a hypothesis is of a kind that computed numbers meet up to rounding only.
func (b *binding) computed(name string) bool {
	for _, a := range b.part.Assumes {
		if a.Name == name {
			k := a.Stmt.Kind
			return k == lang.Equality || k == lang.Definite || k == lang.Diagonality || k == lang.Stationary
		}
	}
	s := b.env.Symbols[name]
	return s != nil && s.Kind == lang.Matrix
}

// exactly judges the part in exact arithmetic.
func (b *binding) exactly(rough *eval.Finding) (*eval.Finding, error) {
	if len(b.surds) > 0 {
		return b.byModel(rough)
	}
	f, err := eval.Judge(eval.Rational{}, b.part, eval.State[*big.Rat]{Dims: b.st.Dims, Vals: b.exact})
	if errors.Is(err, eval.ErrNoRoot) {
		return b.byModel(rough)
	}
	if err == nil && f.Holds && f.Met && eval.OverTime(b.part) {
		// What a state says of a statement over time is a necessary condition; the model knows more ways to fail.
		if r, err := verdict.Refute(b.part, b.filled()); err == nil && r.Verdict().IsRefuted() {
			f.Holds = false
		}
	}
	return f, err
}

// filled is the exact state with some value for what the part does not speak of.
func (b *binding) filled() verdict.Witness {
	w := verdict.Witness{Dims: map[lang.Dim]int{}, Vals: map[string]exact{}, Surds: b.surds}
	dim := func(d lang.Dim) int {
		n := 1
		for _, l := range strings.Split(string(d), "*") {
			if l == "1" {
				continue
			}
			if w.Dims[lang.Dim(l)] == 0 {
				w.Dims[lang.Dim(l)] = max(1, b.st.Dims[lang.Dim(l)])
			}
			n *= w.Dims[lang.Dim(l)]
		}
		return n
	}
	for _, d := range b.env.Sizes {
		dim(d)
	}
	for name, s := range b.env.Symbols {
		if m, ok := b.exact[name]; ok {
			w.Vals[name] = m
			continue
		}
		m := exact{R: 1, C: 1}
		if s.Kind == lang.Matrix {
			m.R, m.C = dim(s.Rows), dim(s.Cols)
		}
		for i := range m.R * m.C {
			x := new(big.Rat)
			if s.Kind == lang.Scalar || i/m.C == i%m.C {
				x.SetInt64(1)
			}
			m.A = append(m.A, x)
		}
		w.Vals[name] = m
	}
	return w
}

// byModel judges the part in the model's arithmetic, which has square roots. What a statement over time says at a state
// is left to floating point.
func (b *binding) byModel(rough *eval.Finding) (*eval.Finding, error) {
	r, err := lang.Elaborate(b.part)
	if err != nil {
		return nil, err
	}
	st, err := verdict.StateOf(r, b.filled())
	if err != nil {
		return nil, err
	}
	c := r.Context()
	ask := func(f kernel.Formula) (model.Judgement, error) {
		j, err := model.Holds(c, f, st)
		var none *model.NoValue
		if errors.As(err, &none) {
			return j, fmt.Errorf("%w: %v", errNoValue, err)
		}
		return j, err
	}
	f := &eval.Finding{Hypotheses: map[string]bool{}, Met: true, Holds: true, Measures: map[string]float64{}}
	if rough != nil {
		f.Measures = rough.Measures
	}
	owners := r.Owners()
	for i, h := range c.Hypotheses() {
		if !b.speaksOf(h.Formula()) {
			continue
		}
		j, err := ask(h.Formula())
		if err != nil {
			return nil, err
		}
		if assumed := b.env.Symbols[owners[i]] == nil; assumed || !j.Holds {
			f.Hypotheses[owners[i]] = j.Holds
		}
		f.Met = f.Met && j.Holds
	}
	if c.Time() != kernel.AtState || b.part.Stmt.Kind == lang.Assumption {
		if x, err := verdict.Refute(b.part, b.filled()); err == nil && x.Verdict().IsRefuted() {
			f.Holds = false
			return f, nil
		}
		if rough == nil {
			return nil, errors.New("the statement is judged in floating point where roots are irrational")
		}
		f.Holds, f.Close = rough.Holds, rough.Close
		return f, nil
	}
	for _, g := range r.Goals() {
		j, err := ask(g)
		if err != nil {
			return nil, err
		}
		f.Holds = f.Holds && j.Holds
	}
	return f, nil
}

// speaksOf reports whether every symbol of a formula has a value.
func (b *binding) speaksOf(f kernel.Formula) bool {
	for _, t := range f.Terms() {
		for u := range t.Subterms() {
			if u.Head() != kernel.Letter || u.Symbol().Class() == kernel.Random || u.Symbol().Class() == kernel.Centred {
				continue
			}
			if _, ok := b.exact[u.Symbol().Name()]; !ok {
				return false
			}
		}
	}
	return true
}
