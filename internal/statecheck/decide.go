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

// decide judges the part at the state: in exact arithmetic where the state is exact, by the model where that gives up or meets
// square roots, and in floating point up to rounding where the state itself is rounded. It notes in res what was decided otherwise
// than exactly. What it finds is no violation unless the model refutes the part here: otherwise what fails is close, as is what
// neither can judge.
func (b *binding) decide(res *PartResult) (*eval.Finding, error) {
	rough, roughErr := eval.Judge(eval.Float{}, b.part, b.st)
	if len(b.rounded) > 0 {
		res.note("judged in floating point: " + strings.Join(b.rounded, ", ") + " rounded")
		if roughErr == nil && rough.Met && !rough.Holds {
			rough.Close = true
			res.note(floatNote)
		}
		return rough, roughErr
	}
	f, err := b.exactly(rough)
	gaveUp := err
	if err != nil && !undefined(err) {
		// The model counts with longer numbers, and in another way.
		f, err = b.byModel(rough)
	}
	switch {
	case undefined(err):
		return nil, err
	case err != nil:
		// What floating point finds here is up to rounding, and nothing at this state was rounded.
		res.note(notDecided + gaveUp.Error())
		return &eval.Finding{Hypotheses: map[string]bool{}, Met: true, Close: true, Measures: measured(rough)}, nil
	case roughErr == nil && b.forgive(f, rough, res):
		if !f.Holds {
			// However far it is from holding: a state that does not meet a hypothesis exactly violates nothing.
			f.Holds, f.Close = rough.Holds, true
			if !f.Holds {
				res.note(roundedNote)
			}
		}
		return f, nil
	}
	if !f.Met || f.Holds && !eval.OverTime(b.part) {
		return f, nil
	}
	// What a state says of a statement over time is a necessary condition; the model knows more ways to fail, and whether a motion
	// passes along which the hypotheses hold: where x' = 1 and x·y = 0 all along, y is 0 for all time, whatever it is at a
	// state with x = 0, from which nothing moves.
	against, unmet, why := b.ask()
	switch {
	case against != "":
		f.Holds, f.Close, res.Against = false, false, against
	case f.Holds && gaveUp != nil:
		f.Holds, f.Close = false, true
		res.note(notDecided + gaveUp.Error())
	case f.Holds:
	case len(unmet) > 0:
		f.Met = false
		for _, name := range unmet {
			f.Hypotheses[name] = false
		}
	default:
		f.Close = true
		res.note(notDecided + "it fails here, and no exact state or motion is known to violate it: " + why)
	}
	return f, nil
}

// ask asks the model whether the part, under all of Γ, is refuted at the state: against says how. If it is not, unmet names
// the hypotheses that do not hold, and why says what stands in the way.
func (b *binding) ask() (against string, unmet []string, why string) {
	if len(b.rounded) > 0 {
		return "", nil, strings.Join(b.rounded, ", ") + " rounded"
	}
	r, err := b.reading()
	if err != nil {
		return "", nil, err.Error()
	}
	w := b.filled()
	st, err := verdict.StateOf(r, w)
	if err != nil {
		return "", nil, err.Error()
	}
	c := r.Context()
	b.left.work -= asking * b.whole.Extent()
	names := r.HypothesisNames()
	for i, h := range c.Hypotheses() {
		if b.supplied(letters(h.Formula().Terms()...)...) {
			if j, err := model.Holds(c, h.Formula(), st); err == nil && !j.Holds {
				unmet = append(unmet, names[i])
			}
		}
	}
	if why = b.lacks(r); why != "" {
		return "", unmet, why
	}
	x, err := verdict.Refute(b.whole, w)
	switch {
	case err != nil:
		return "", unmet, err.Error()
	case x.Counterexample().Valid():
		return x.Reason(), nil, ""
	}
	return "", unmet, x.Reason()
}

// reading is the part, with all that its claim declares, in the kernel's terms.
func (b *binding) reading() (*lang.Reading, error) { return lang.Elaborate(b.whole) }

// lacks names the symbols without a value on which it depends whether the part is refuted; it is empty if there are none. A
// hypothesis about such symbols alone, as a declaration is, can be met beside any values of the others.
func (b *binding) lacks(r *lang.Reading) string {
	var lack, bound []string
	c := r.Context()
	d := c.Dynamics()
	for _, g := range r.Goals() {
		if c, counts := g.Count(); counts {
			bound = append(bound, c.In.Symbol().Name())
		}
	}
	look := func(ts ...*kernel.Term) {
		for i := range d.Moments() {
			if x, y, m := d.Moment(i); slices.ContainsFunc(ts, func(t *kernel.Term) bool { return contains(t, x) || contains(t, y) }) {
				ts = append(ts, m)
			}
		}
		for _, name := range letters(ts...) {
			if !b.supplied(name) && !slices.Contains(lack, name) && !slices.Contains(bound, name) {
				lack = append(lack, name)
			}
		}
	}
	for _, g := range r.Goals() {
		look(append(g.Terms(), g.Inner().Terms()...)...)
	}
	owners, names := r.Owners(), r.HypothesisNames()
	for i, h := range c.Hypotheses() {
		ts := h.Formula().Terms()
		s := b.env.Symbols[owners[i]]
		if _, declared := lang.DeclaredOf(names[i]); !declared || s == nil || s.Root != nil || slices.ContainsFunc(letters(ts...), func(name string) bool { return b.supplied(name) }) {
			look(ts...)
		}
	}
	switch c.Time() {
	case kernel.Motion:
		for _, x := range d.FlowLetters() {
			look(d.FlowOf(x))
		}
	case kernel.Orbit:
		for _, x := range d.MapLetters() {
			look(d.MapOf(x))
		}
	}
	if lack == nil {
		return ""
	}
	return strings.Join(lack, ", ") + " missing"
}

// forgive counts hypotheses that state an equality, or a definite matrix, as met where they fail by rounding only: numbers
// that were computed meet none of them exactly. What follows from such a hypothesis holds up to rounding, too. It reports
// whether there are any.
func (b *binding) forgive(f, rough *eval.Finding, res *PartResult) bool {
	f.Met = true
	forgiven := false
	for name, ok := range f.Hypotheses {
		near, judged := rough.Hypotheses[name]
		if !ok && b.computed(name) && (near || !judged) {
			f.Hypotheses[name], forgiven = true, true
			if !slices.Contains(res.Rounded, name) {
				res.Rounded = append(res.Rounded, name)
				res.note("hypothesis " + name + " is met up to rounding only")
			}
		}
		f.Met = f.Met && f.Hypotheses[name]
	}
	return forgiven
}

// computed reports whether a hypothesis is of a kind that computed numbers meet up to rounding only.
func (b *binding) computed(name string) bool {
	for _, a := range b.part.Assumes {
		if a.Name == name {
			k := a.Stmt.Kind
			return k == lang.Equality || k == lang.Definite || k == lang.Diagonality || k == lang.Stationary
		}
	}
	symbol, _ := lang.DeclaredOf(name)
	s := b.env.Symbols[symbol]
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
	return f, err
}

// filled is the exact state with some value for what neither the state gives nor the part speaks of, see [binding.lacks].
func (b *binding) filled() verdict.Witness {
	w := verdict.Witness{Dims: map[lang.Dim]int{}, Vals: map[string]exact{}, Surds: maps.Clone(b.surds)}
	maps.Copy(w.Surds, b.surdsBeyond)
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
		if m, ok := b.value(name); ok {
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
	f := &eval.Finding{Hypotheses: map[string]bool{}, Met: true, Holds: true, Measures: measured(rough)}
	names := r.HypothesisNames()
	for i, h := range c.Hypotheses() {
		if slices.ContainsFunc(letters(h.Formula().Terms()...), func(name string) bool { _, ok := b.exact[name]; return !ok }) {
			continue
		}
		j, err := ask(h.Formula())
		if err != nil {
			return nil, err
		}
		if _, declared := lang.DeclaredOf(names[i]); !declared || !j.Holds {
			f.Hypotheses[names[i]] = j.Holds
		}
		f.Met = f.Met && j.Holds
	}
	if c.Time() != kernel.AtState || b.part.Stmt.Kind == lang.Assumption {
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

// measured are the sizes that floating point finds, if it finds any.
func measured(rough *eval.Finding) map[string]float64 {
	if rough == nil {
		return map[string]float64{}
	}
	return rough.Measures
}

// contains reports whether a term contains another.
func contains(t, x *kernel.Term) bool {
	for u := range t.Subterms() {
		if u == x {
			return true
		}
	}
	return false
}

// letters names the symbols with values in terms.
func letters(ts ...*kernel.Term) []string {
	var out []string
	for _, t := range ts {
		for u := range t.Subterms() {
			if u.Head() != kernel.Letter || u.Symbol().Class() == kernel.Random || u.Symbol().Class() == kernel.Centred {
				continue
			}
			if name := u.Symbol().Name(); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// supplied reports whether the state gives every symbol, whether or not the part speaks of it.
func (b *binding) supplied(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { _, ok := b.value(name); return !ok })
}

// value is the exact value of a symbol that the state gives.
func (b *binding) value(name string) (exact, bool) {
	if m, ok := b.exact[name]; ok {
		return m, true
	}
	m, ok := b.beyond[name]
	return m, ok
}
