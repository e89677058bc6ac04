package certificate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
	"stopgrad/theory/trajectory"
)

// Label is what a certificate is filed under. It says nothing about what the certificate establishes.
type Label struct{ Claim, Part, Reading string }

// Use names a part whose theorem a proof uses. It says nothing either: what is used is proved again.
type Use struct{ Claim, Part string }

// Abbreviation is the name a term is printed by.
type Abbreviation struct {
	Name string
	Term *kernel.Term
}

// Proof renders theorems, the goals of one reading, with everything they rest on. The goals are theorems of one context.
func Proof(l Label, uses []Use, names []Abbreviation, goals ...kernel.Theorem) ([]byte, error) {
	return proof(l, uses, names, "goal", goals)
}

// Vacuous renders a theorem that the hypotheses of its context contradict each other.
func Vacuous(l Label, names []Abbreviation, absurd kernel.Theorem) ([]byte, error) {
	return proof(l, nil, names, "vacuous", []kernel.Theorem{absurd})
}

func proof(l Label, uses []Use, names []Abbreviation, conclusion string, goals []kernel.Theorem) ([]byte, error) {
	if len(goals) == 0 || !goals[0].Valid() {
		return nil, fmt.Errorf("certificate: no theorem to write")
	}
	w := newWriter(l, goals[0].Context().Dynamics())
	for _, u := range uses {
		fmt.Fprintf(&w.out, "uses %s %s\n", word(u.Claim), word(u.Part))
	}
	w.dynamics()
	w.abbreviations(names)
	for _, g := range goals {
		w.theorem(g)
	}
	for _, g := range goals {
		fmt.Fprintf(&w.out, "%s %d\n", conclusion, w.theorem(g))
	}
	return w.seal(), nil
}

// Refutation renders a counterexample with the theorems it rests on.
func Refutation(l Label, names []Abbreviation, x model.Counterexample) ([]byte, error) {
	if !x.Valid() {
		return nil, fmt.Errorf("certificate: no counterexample to write")
	}
	w := newWriter(l, x.Context().Dynamics())
	says := w.refuted(names, x.Context(), x.Formula(), x.State(), x.Keeps())
	fmt.Fprintf(&w.out, "refutes %s\n", says)
	return w.seal(), nil
}

// Trajectory renders a motion along which a statement fails, with the theorems it rests on.
func Trajectory(l Label, names []Abbreviation, x trajectory.Refutation) ([]byte, error) {
	if !x.Valid() {
		return nil, fmt.Errorf("certificate: no motion to write")
	}
	w := newWriter(l, x.Context().Dynamics())
	says := w.refuted(names, x.Context(), x.Formula(), x.State(), x.Keeps())
	course := x.Course()
	fmt.Fprintf(&w.out, "course %s %d %d\n", course.End.RatString(), course.Order, course.Steps)
	if course.Trap != nil {
		w.trap(course.Trap)
	}
	fmt.Fprintf(&w.out, "follows %s\n", says)
	return w.seal(), nil
}

// refuted writes a sequent, the theorems its refutation rests on and a state, and returns the words of the conclusion.
func (w *writer) refuted(names []Abbreviation, ctx *kernel.Context, f kernel.Formula, st *model.State, needs []kernel.Theorem) string {
	w.dynamics()
	w.abbreviations(names)
	c := w.context(ctx)
	goal := w.formula(f)
	var keeps []string
	for _, k := range needs {
		keeps = append(keeps, fmt.Sprint(w.theorem(k)))
	}
	// Every symbol of the signature that has values needs one, whether the sequent mentions it or not.
	for _, y := range st.Signature().Symbols() {
		if st.Numbers(y.Name()) != nil {
			w.term(st.Signature().Lookup(y.Name()))
		}
	}
	for _, n := range st.Signature().Sizes() {
		w.dim(kernel.Dim(n))
		fmt.Fprintf(&w.out, "dim %s %d\n", n, st.Size(n))
	}
	for _, r := range st.Roots() {
		fmt.Fprintf(&w.out, "root %s\n", r)
	}
	for _, y := range st.Signature().Symbols() {
		rows := st.Numbers(y.Name())
		if rows == nil {
			continue
		}
		fmt.Fprintf(&w.out, "value %s %d %d :", y.Name(), len(rows), len(rows[0]))
		for _, row := range rows {
			for _, v := range row {
				w.out.WriteString(" " + v.String())
			}
		}
		w.out.WriteByte('\n')
	}
	return fmt.Sprintf("%d %s :%s", c, goal, spaced(keeps))
}

// IllFormed renders the message of a statement without meaning.
func IllFormed(l Label, message string) []byte {
	w := newWriter(l, nil)
	fmt.Fprintf(&w.out, "illformed %s\n", strings.Join(strings.Fields(ascii(message)), " "))
	return w.seal()
}

// ascii spells out what is not printable ASCII.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= ' ' && r <= '~' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}

// Sequent is a canonical text of what a context and goals state: equal for equal sequents, whatever else was declared or
// proved beside them, and for no others.
func Sequent(c *kernel.Context, goals ...kernel.Formula) string {
	w := newWriter(Label{}, c.Dynamics())
	w.dynamics()
	w.context(c)
	for _, g := range goals {
		text := w.formula(g)
		fmt.Fprintf(&w.out, "states %s\n", text)
	}
	return w.out.String()
}

type writer struct {
	out      strings.Builder
	dyn      *kernel.Dynamics
	sizes    map[string]bool
	symbols  map[*kernel.Symbol]bool
	terms    map[*kernel.Term]int
	contexts map[*kernel.Context]int
	theorems map[kernel.Theorem]int
}

func newWriter(l Label, d *kernel.Dynamics) *writer {
	w := &writer{dyn: d, sizes: map[string]bool{}, symbols: map[*kernel.Symbol]bool{}, terms: map[*kernel.Term]int{},
		contexts: map[*kernel.Context]int{}, theorems: map[kernel.Theorem]int{}}
	if l != (Label{}) {
		fmt.Fprintf(&w.out, "%s\nclaim %s %s %s\n", firstLine, word(l.Claim), word(l.Part), word(l.Reading))
	}
	return w
}

// word makes a label one word.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r
		}
		return '_'
	}, s)
	if s == "" {
		return "_"
	}
	return s
}

func (w *writer) dim(d kernel.Dim) string {
	for _, l := range d.Legs() {
		if !w.sizes[l] {
			w.sizes[l] = true
			fmt.Fprintf(&w.out, "size %s\n", l)
		}
	}
	return string(d)
}

// term writes a term after its arguments, once, and returns its number.
func (w *writer) term(t *kernel.Term) int {
	if i, ok := w.terms[t]; ok {
		return i
	}
	var args []string
	for _, a := range t.Args() {
		args = append(args, fmt.Sprint(w.term(a)))
	}
	var line string
	switch t.Head() {
	case kernel.Number:
		line = "number " + t.Value().RatString()
	case kernel.Letter:
		y := t.Symbol()
		if !w.symbols[y] {
			w.symbols[y] = true
			if y.Scalar() {
				fmt.Fprintf(&w.out, "symbol %s %s\n", y.Name(), y.Class())
			} else {
				r, c := y.Shape()
				rows, cols := w.dim(r), w.dim(c)
				fmt.Fprintf(&w.out, "symbol %s %s %s %s\n", y.Name(), y.Class(), rows, cols)
			}
		}
		line = "letter " + y.Name()
	case kernel.Size:
		line = "size " + w.dim(t.Dim())
	case kernel.Identity:
		line = "identity " + w.dim(t.Dim())
	case kernel.Zero:
		r, c := t.Shape()
		line = "zero " + w.dim(r) + " " + w.dim(c)
	case kernel.Power:
		line = fmt.Sprintf("power %d %s", t.Exponent(), args[0])
	default:
		line = t.Head().String() + " " + strings.Join(args, " ")
	}
	fmt.Fprintf(&w.out, "t %s\n", line)
	w.terms[t] = len(w.terms)
	return w.terms[t]
}

// dynamics writes moments and equations.
func (w *writer) dynamics() {
	d := w.dyn
	var lines []string
	for i := range d.Moments() {
		a, b, m := d.Moment(i)
		lines = append(lines, fmt.Sprintf("moment %d %d %d", w.term(a), w.term(b), w.term(m)))
	}
	for _, x := range d.FlowLetters() {
		lines = append(lines, fmt.Sprintf("flow %d %d", w.term(x), w.term(d.FlowOf(x))))
	}
	for _, x := range d.MapLetters() {
		lines = append(lines, fmt.Sprintf("map %d %d", w.term(x), w.term(d.MapOf(x))))
	}
	for _, l := range lines {
		w.out.WriteString(l + "\n")
	}
}

func (w *writer) abbreviations(names []Abbreviation) {
	for _, n := range names {
		i := w.term(n.Term)
		fmt.Fprintf(&w.out, "a %d %s\n", i, n.Name)
	}
}

// formula is the text of a formula; its terms are written first.
func (w *writer) formula(f kernel.Formula) string {
	if f.Form() == kernel.Always {
		return "always " + w.formula(f.Inner())
	}
	var text strings.Builder
	text.WriteString(f.Form().String())
	for _, t := range f.Terms() {
		fmt.Fprintf(&text, " %d", w.term(t))
	}
	return text.String()
}

// context writes a context, once, and returns its number.
func (w *writer) context(c *kernel.Context) int {
	if i, ok := w.contexts[c]; ok {
		return i
	}
	var lines []string
	for _, h := range c.Hypotheses() {
		lines = append(lines, fmt.Sprintf("h %s %s\n", h.Mark(), w.formula(h.Formula())))
	}
	for _, l := range lines {
		w.out.WriteString(l)
	}
	fmt.Fprintf(&w.out, "c %s\n", c.Time())
	w.contexts[c] = len(w.contexts)
	return w.contexts[c]
}

// theorem writes a theorem after those it rests on, once, and returns its number.
func (w *writer) theorem(t kernel.Theorem) int {
	if i, ok := w.theorems[t]; ok {
		return i
	}
	for _, n := range t.Needs() {
		w.theorem(n)
	}
	var premises, terms []string
	for _, p := range t.Premises() {
		premises = append(premises, fmt.Sprint(w.theorem(p)))
	}
	c := w.context(t.Context())
	goal := w.formula(t.Formula())
	for _, x := range t.Terms() {
		terms = append(terms, fmt.Sprint(w.term(x)))
	}
	line := fmt.Sprintf("p %d %s %s :%s :%s\n", c, t.Rule(), goal, spaced(premises), spaced(terms))
	w.out.WriteString(line)
	w.theorems[t] = len(w.theorems)
	return w.theorems[t]
}

func spaced(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, " ")
}

// seal adds the digest of everything written.
func (w *writer) seal() []byte {
	body := w.out.String()
	sum := sha256.Sum256([]byte(body))
	return []byte(body + "sha256 " + hex.EncodeToString(sum[:]) + "\n")
}
