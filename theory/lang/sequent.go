package lang

import (
	"strings"

	"stopgrad/theory/kernel"
)

// Line is one line of a printed sequent.
type Line struct {
	// Word says what the line is: time (a state, a motion, an orbit), size, a class of symbols, moment, flow, map, the
	// mark of a hypothesis, [Stated] or [Where].
	Word string
	Name string // by which scripts call the hypothesis, if they do
	Text string
}

// Words of lines.
const (
	Times  = "time"  // the first line: what is quantified over
	Stated = "|-"    // what is stated
	Where  = "where" // an abbreviation
)

// Lines is the sequent line by line, printed from the kernel. With unfolded, operators in what is stated are printed as
// what they become.
func (r *Reading) Lines(unfolded bool) ([]Line, error) {
	text, err := r.Print(unfolded)
	if err != nil {
		return nil, err
	}
	// Hypotheses are printed in their order: first what is declared, then what is assumed, which has names.
	hyp, named := 0, r.declarations()
	var out []Line
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if i == 0 {
			out = append(out, Line{Word: Times, Text: line})
			continue
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		l := Line{Word: word, Text: strings.TrimSpace(rest)}
		if _, ok := kernel.MarkNamed(word); ok {
			if hyp >= named {
				l.Name = r.owners[hyp]
			}
			hyp++
		}
		out = append(out, l)
	}
	return out, nil
}

// printer is a printer that knows the reading's abbreviations.
func (r *Reading) printer() (*kernel.Printer, error) {
	p := kernel.NewPrinter()
	for _, n := range r.names {
		if err := p.Abbreviate(n.Name, n.Term); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Say prints formulas of the reading's vocabulary: what they state together, with its abbreviations.
func (r *Reading) Say(fs ...kernel.Formula) (string, error) {
	p, err := r.printer()
	if err != nil {
		return "", err
	}
	var out []string
	for _, f := range fs {
		text, err := p.Formula(r.ctx.Time(), f)
		if err != nil {
			return "", err
		}
		out = append(out, text)
	}
	return strings.Join(out, " and "), nil
}

// Text prints a term of the reading's vocabulary, with its abbreviations.
func (r *Reading) Text(t *kernel.Term) (string, error) {
	p, err := r.printer()
	if err != nil {
		return "", err
	}
	return p.Term(t)
}

// Statement is what a part states: printed from the kernel's formulas, or, with written set, as it stands in the source,
// since it has no meaning there or is a statement in words.
func Statement(p *Part) (text string, written bool) {
	if p.Fault == nil && p.Stmt.Kind != Sampled {
		if r, err := Elaborate(p); err == nil {
			if text, err := r.Say(r.goals...); err == nil {
				return text, false
			}
		}
	}
	return UnicodeStmt(p.Stmt), true
}

// ParseStmt reads a statement by itself, as the kernel prints it.
func ParseStmt(text string) (*Stmt, error) {
	p, err := newParser(&node{lines: []line{{text, Pos{"printed", 1, 1}}}})
	if err != nil {
		return nil, err
	}
	s, err := p.stmt()
	if err == nil {
		err = p.done()
	}
	return s, err
}

// ParseExpr reads an expression by itself, as the kernel prints it.
func ParseExpr(text string) (*Expr, error) {
	p, err := newParser(&node{lines: []line{{text, Pos{"printed", 1, 1}}}})
	if err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err == nil {
		err = p.done()
	}
	return e, err
}

// LaTeX renders a line as LaTeX mathematics: its text is parsed back and rendered from the tree.
func (l Line) LaTeX() (string, error) {
	names := func(text string) string {
		var out []string
		for _, n := range strings.Split(text, ", ") {
			out = append(out, printer{latex: true}.symbol(n))
		}
		return strings.Join(out, ", ")
	}
	equation := func(sign, between string) (string, error) {
		name, rhs, _ := strings.Cut(l.Text, sign)
		e, err := ParseExpr(rhs)
		if err != nil {
			return "", err
		}
		return names(name) + between + LaTeX(e), nil
	}
	switch l.Word {
	case Times:
		return `\text{` + l.Text + "}", nil
	case "size":
		return names(l.Text) + ` \in \mathbb{N}`, nil
	case Where:
		return equation(" = ", " = ")
	case "flow":
		text, err := equation("' = ", "} = ")
		return `\frac{\mathrm{d}}{\mathrm{d}t}{` + text, err
	case "map":
		return equation("+ = ", ` \gets `)
	}
	if _, ok := kernel.ClassNamed(l.Word); ok {
		ns, shape, matrix := strings.Cut(l.Text, " : ")
		if !matrix {
			return names(ns) + ` \in \mathbb{R}`, nil
		}
		var dims []string
		for _, d := range strings.Split(shape, " x ") {
			e, err := ParseExpr(d)
			if err != nil {
				return "", err
			}
			dims = append(dims, LaTeX(e))
		}
		return names(ns) + ` \in \mathbb{R}^{` + strings.Join(dims, ` \times `) + "}", nil
	}
	s, err := ParseStmt(l.Text)
	if err != nil {
		return "", err
	}
	return LaTeXStmt(s), nil
}
