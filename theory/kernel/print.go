package kernel

import (
	"math/big"
	"sort"
	"strconv"
	"strings"
)

// maxText bounds the characters that the texts of a term and all terms in it have together. Without abbreviations the
// text of shared terms can be exponentially long.
const maxText = 16 << 20

// maxMessage is the same for a term in a message.
const maxMessage = 1 << 20

// Print renders a term in the claim language, for messages and for reading it back: what is read in the same
// vocabulary is the same term. A term whose text would be too long is cut to “...”, which nothing reads.
func Print(t *Term) (text string) {
	var err error
	defer func() {
		if err != nil {
			text = "..."
		}
	}()
	defer caught(&err)
	if t == nil || t.sig == nil {
		return "..."
	}
	p := NewPrinter()
	p.made = maxText - maxMessage
	return p.term(t, sumLevel, true)
}

// Printer renders terms, formulas and sequents, with abbreviations for the terms that have a name. It is what a
// reader of a theorem trusts: one text has one reading, and what it shows comes from the theorem alone.
type Printer struct {
	names map[*Term]string
	terms map[string]*Term
	used  map[*Term]bool
	whole *Term // the abbreviated term whose definition is being printed
	made  int   // characters
}

// NewPrinter returns a printer without abbreviations.
func NewPrinter() *Printer {
	return &Printer{names: map[*Term]string{}, terms: map[string]*Term{}, used: map[*Term]bool{}}
}

// Abbreviate makes name stand for t wherever t occurs. The first name of a term counts.
func (p *Printer) Abbreviate(name string, t *Term) (err error) {
	defer caught(&err)
	switch {
	case t == nil || t.sig == nil:
		refuse("%s abbreviates nothing", name)
	case !identifier(name) || t.sig.names(name) || p.terms[name] != nil:
		refuse("%q cannot abbreviate a term: expected an identifier that names nothing else", name)
	case t.head <= Zero:
		refuse("%s abbreviates a term that has a name of its own", name)
	}
	if _, ok := p.names[t]; !ok {
		p.names[t], p.terms[name] = name, t
	}
	return nil
}

// Term renders a term.
func (p *Printer) Term(t *Term) (text string, err error) {
	defer caught(&err)
	if t == nil || t.sig == nil {
		refuse("no term")
	}
	return p.term(t, sumLevel, true), nil
}

// Formula renders a formula as a statement about states, motions or orbits.
func (p *Printer) Formula(time Time, f Formula) (text string, err error) {
	defer caught(&err)
	if !f.made {
		refuse("the formula states nothing")
	}
	return p.formula(time, f), nil
}

// How tightly a text binds, loosest first. A quotient is no factor of a product without brackets: a/b*c has two
// readings.
const (
	sumLevel = iota
	quotientLevel
	productLevel
	factorLevel
	atomLevel
)

// term renders t in a place that takes texts binding at least as tightly as level; first tells that nothing stands
// to the left, so that a sign may.
func (p *Printer) term(t *Term, level int, first bool) string {
	s, own := p.bare(t)
	if own < level || !first && s[0] == '-' {
		s = "(" + s + ")"
	}
	if p.made += len(s); p.made > maxText {
		refuse("the text of a term is longer than %d characters", maxText)
	}
	return s
}

// bare renders t without brackets around it, and says how tightly the text binds.
func (p *Printer) bare(t *Term) (text string, own int) {
	if name, ok := p.names[t]; ok && t != p.whole {
		// Soundness: what is declared since would be shown where its name stands for another term.
		if t.sig.names(name) {
			refuse("%s abbreviates a term, and was declared since", name)
		}
		p.used[t] = true
		return name, atomLevel
	}
	call := func(name string) (string, int) {
		var args []string
		for _, a := range t.args {
			args = append(args, p.term(a, sumLevel, true))
		}
		return name + "(" + strings.Join(args, ", ") + ")", atomLevel
	}
	switch t.head {
	case Number:
		switch {
		case !t.num.IsInt():
			return t.num.RatString(), quotientLevel
		case t.num.Sign() < 0:
			return t.num.RatString(), productLevel
		}
		return t.num.RatString(), atomLevel
	case Letter:
		return t.sym.name, atomLevel
	case Size:
		return "size(" + string(t.dim) + ")", atomLevel
	case Identity:
		return "I(" + string(t.dim) + ")", atomLevel
	case Zero:
		return "zero(" + string(t.rows) + ", " + string(t.cols) + ")", atomLevel
	case Sum:
		l, r := p.term(t.args[0], sumLevel, true), t.args[1]
		if b := p.minus(r); b != nil {
			return l + " - " + p.term(b, quotientLevel, false), sumLevel
		}
		return l + " + " + p.term(r, quotientLevel, false), sumLevel
	case Product:
		l, r := t.args[0], t.args[1]
		if b := p.minus(t); b != nil && b.head != Number {
			return "-" + p.term(b, factorLevel, false), productLevel
		}
		if r.head == Reciprocal && l.head != Number && p.names[r] == "" {
			return p.term(l, productLevel, true) + "/" + p.term(r.args[0], factorLevel, false), quotientLevel
		}
		return p.term(l, productLevel, true) + "*" + p.term(r, factorLevel, false), productLevel
	case Power:
		return p.term(t.args[0], atomLevel, false) + "^" + strconv.Itoa(t.n), factorLevel
	case Transpose:
		return p.term(t.args[0], atomLevel, false) + "^T", factorLevel
	case Reciprocal:
		// The reciprocal of a number is no quotient of numbers, which is a number itself.
		if t.args[0].head == Number {
			return p.term(t.args[0], atomLevel, false) + "^-1", factorLevel
		}
		return "1/" + p.term(t.args[0], factorLevel, false), quotientLevel
	case RowStack:
		if a := t.args[0]; a.head == Transpose && p.names[a] == "" {
			return "vec(" + p.term(a.args[0], sumLevel, true) + ")", atomLevel
		}
		return call("rvec")
	}
	return call(functions[t.head])
}

// minus returns b if t is -1·b and printed as such.
func (p *Printer) minus(t *Term) *Term {
	if t.head == Product && t.args[0].head == Number && t.args[0].num.Cmp(minusOne) == 0 && (p.names[t] == "" || t == p.whole) {
		return t.args[1]
	}
	return nil
}

var minusOne = big.NewRat(-1, 1)

var functions = [heads]string{Trace: "tr", Root: "root", Inverse: "inv", Kronecker: "kron", Ddt: "ddt", Next: "next", Diff: "diff",
	Grad: "grad", GradSym: "gradsym", GradSkew: "gradskew", At: "at", Expect: "E", StopGrad: "sg", frozen: "frozen"}

// formula renders a formula; of an orbit it says so, since an unsaid course is that of the flow.
func (p *Printer) formula(time Time, f Formula) string {
	text := func(i int) string { return p.term(f.terms[i], sumLevel, true) }
	rate, course := " at rate ", ""
	if time == Orbit && f.form.Temporal() {
		rate, course = " by factor ", " over steps"
	}
	switch f.form {
	case Equal:
		return text(0) + " == " + text(1)
	case AtLeast:
		return text(0) + " >= " + text(1)
	case Greater:
		return text(0) + " > " + text(1)
	case Unequal:
		return text(0) + " != " + text(1)
	case Semidefinite, Definite, Invertible, Diagonal:
		return text(0) + " " + f.form.String()
	case Within:
		return text(0) + " within [" + text(1) + ", " + text(2) + "]"
	case Zeros, RisingZeros, FallingZeros:
		c, _ := f.Count()
		what, left, lo, hi, right := " zeros", "(", "-inf", "inf", ")"
		if c.N == 1 {
			what = " zero"
		}
		if f.form != Zeros {
			what = " " + f.form.String() + what
		}
		if c.Lo != nil {
			lo = text(3)
		}
		if c.Hi != nil {
			hi = text(4)
		}
		if c.LoIn {
			left = "["
		}
		if c.HiIn {
			right = "]"
		}
		return text(0) + " has " + strconv.Itoa(c.N) + what + " for " + text(1) + " in " + left + lo + ", " + hi + right
	case Always:
		return "always " + p.formula(AtState, *f.inner) + course
	case Evolves:
		return text(0) + " evolves" + rate + text(1)
	case NormDecays:
		return "|" + text(0) + "| decays" + rate + text(1)
	case Decays:
		return text(0) + " decays" + rate + text(1)
	case StayZero, StayNonnegative, StayPositive, StaySemidefinite:
		var all []string
		for i := range f.terms {
			all = append(all, text(i))
		}
		verb := " stays "
		if len(all) > 1 {
			verb = " stay "
		}
		return strings.Join(all, ", ") + verb + strings.TrimPrefix(f.form.String(), "stay") + course
	case Vanishes:
		return text(0) + " vanishes" + course
	case Congruence:
		return text(0) + " moves by congruence" + course
	case Tends:
		return text(0) + " tends to " + text(1) + " from " + text(2) + " < " + text(0) + " < " + text(3) + course
	}
	return f.form.String()
}

// Sequent renders Γ ⊢ goals, one item a line: what the sequent quantifies over, sizes, symbols by class, moments,
// equations, hypotheses with their marks, the goals, and the abbreviations that occur.
func (p *Printer) Sequent(c *Context, goals ...Formula) (text string, err error) {
	defer caught(&err)
	c.whole()
	p.used = map[*Term]bool{}
	d := c.dyn
	lines := []string{c.time.String()}
	item := func(word, text string) { lines = append(lines, "  "+word+strings.Repeat(" ", 9-len(word))+text) }
	if len(d.sig.sizes) > 0 {
		item("size", strings.Join(d.sig.sizes, ", "))
	}
	for class := Param; class < Hole; class++ {
		byShape := map[string][]string{}
		var shapes []string
		for _, y := range d.sig.symbols {
			if y.class != class {
				continue
			}
			s := ""
			if !y.scalar {
				s = " : " + string(y.rows) + " x " + string(y.cols)
			}
			if byShape[s] == nil {
				shapes = append(shapes, s)
			}
			byShape[s] = append(byShape[s], y.name)
		}
		for _, s := range shapes {
			item(class.String(), strings.Join(byShape[s], ", ")+s)
		}
	}
	for _, k := range d.order {
		item("moment", "E("+k[0].name+"*"+k[1].name+"^T) == "+p.term(d.moments[k], sumLevel, true))
	}
	for _, e := range d.flow {
		item("flow", e.letter.sym.name+"' = "+p.term(e.rhs, sumLevel, true))
	}
	for _, e := range d.step {
		item("map", e.letter.sym.name+"+ = "+p.term(e.rhs, sumLevel, true))
	}
	for _, h := range c.hyps {
		item(h.mark.String(), p.formula(AtState, h.formula))
	}
	for _, g := range goals {
		if !g.made || g.form.Temporal() == (c.time == AtState) || g.signature() != nil && g.signature() != d.sig {
			refuse("a goal of another signature or kind of time")
		}
		item("|-", p.formula(c.time, g))
	}
	for _, def := range p.definitions() {
		item("where", def)
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// definitions renders the abbreviations used so far and those that they use, inner ones first.
func (p *Printer) definitions() []string {
	text := map[*Term]string{}
	var order []*Term
	for len(text) < len(p.used) {
		for t := range p.used {
			if _, ok := text[t]; !ok {
				p.whole = t
				text[t] = p.names[t] + " = " + p.term(t, sumLevel, true)
				order = append(order, t)
			}
		}
	}
	p.whole = nil
	sort.Slice(order, func(i, j int) bool { return order[i].id < order[j].id })
	out := make([]string, len(order))
	for i, t := range order {
		out[i] = text[t]
	}
	return out
}
