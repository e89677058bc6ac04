package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"stopgrad/internal/statecheck"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Show writes one claim: its source, then each statement with its hypotheses, definitions, equations and
// domains, the derivation step by step, and the twins. prove replays a part's script.
func Show(w io.Writer, c *lang.Claim, prove func(*lang.Part) *verdict.Proof, p Page) error {
	var b strings.Builder
	b.WriteString(p.paragraph("", "  ", c.ID+": "+c.Title))
	for _, f := range [][2]string{{"printed in", c.Printed}, {"quote", c.Quote}, {"note", c.Note}} {
		if f[1] != "" {
			b.WriteString(p.field(2, 12, f[0], f[1]))
		}
	}
	for _, corrected := range []bool{false, true} {
		for _, part := range c.Reading(corrected) {
			b.WriteString("\n" + readingTitle(corrected) + ", " + part.Name + "\n")
			b.WriteString(p.paragraph("  ", "    ", lang.UnicodeStmt(part.Stmt)))
			p.showPart(&b, part, prove)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func readingTitle(corrected bool) string {
	if corrected {
		return "corrected"
	}
	return "as printed"
}

// field renders a labelled paragraph: indent blanks, the label in a column of the given width, the text.
func (p Page) field(indent, width int, label, text string) string {
	lead := strings.Repeat(" ", indent) + label
	return p.paragraph(lead+strings.Repeat(" ", max(1, indent+width-len(lead))), strings.Repeat(" ", indent+width), text)
}

func (p Page) showPart(b *strings.Builder, part *lang.Part, prove func(*lang.Part) *verdict.Proof) {
	label := func(name, text string) { b.WriteString(p.field(4, 8, name, text)) }
	v := viewOf(part, lang.Unicode)
	for i, a := range part.Assumes {
		label([]string{"if", ""}[min(i, 1)], a.Name+": "+lang.UnicodeStmt(a.Stmt))
	}
	if part.Consequence != nil {
		label("then", lang.UnicodeStmt(part.Consequence)+", which fails at some state")
	}
	for i, s := range v.lets {
		label([]string{"where", ""}[min(i, 1)], s)
	}
	if part.Env.FlowOf != "" && len(v.flow) > 0 {
		v.flow = append([]string{"the flow " + part.Env.FlowOf}, v.flow...)
	}
	for i, s := range v.flow {
		label([]string{"along", ""}[min(i, 1)], s)
	}
	for i, s := range v.step {
		label([]string{"step", ""}[min(i, 1)], s)
	}
	if len(v.domains) > 0 {
		label("for", strings.Join(v.domains, "; "))
	}
	if part.Why != "" {
		label("why", part.Why)
	}
	switch proof := prove(part); {
	case part.Fault != nil:
		label("typing", "ill-formed: "+part.Fault.Error())
	case part.Stmt.Kind == lang.Sampled:
		label("proof", "none: a statement in words, sampled by the property "+part.Stmt.Property)
	default:
		steps := proof.Steps()
		for i, l := range steps {
			label([]string{"proof", ""}[min(i, 1)], fmt.Sprintf("%d. %s", i+1, l.Says))
			b.WriteString(p.field(15, 3, "by", l.Rule))
		}
		if err := proof.Failure(); err != nil {
			label([]string{"proof", ""}[min(len(steps), 1)], "it ends here: "+err.Error())
		}
	}
	for i, t := range part.Twins {
		s := t.String()
		if t.Drop == "" {
			s = fmt.Sprintf("“%s” → “%s”", t.Old, t.New)
		}
		if t.Why != "" {
			s += " (" + t.Why + ")"
		}
		label([]string{"twins", ""}[min(i, 1)], s)
	}
}

// view is what a part refers to, rendered.
type view struct{ lets, flow, step, domains []string }

func viewOf(part *lang.Part, show func(*lang.Expr) string) view {
	env := part.Env
	var v view
	if part.Fault != nil || part.Stmt.Kind == lang.Sampled {
		return v
	}
	// An assumption is made along the flow, and contradicted by its derivatives.
	u := statecheck.UsesOf(part, part.Stmt.Kind == lang.Assumption)
	name := func(s string) string { return show(lang.NewSym(lang.Pos{}, s)) }
	var lets []*lang.Let
	for n := range u.Lets {
		lets = append(lets, env.Lets[n])
	}
	slices.SortFunc(lets, func(a, b *lang.Let) int {
		if a.Pos.File != b.Pos.File {
			return strings.Compare(a.Pos.File, b.Pos.File)
		}
		return a.Pos.Line - b.Pos.Line
	})
	for _, l := range lets {
		v.lets = append(v.lets, name(l.Name)+" = "+show(l.Expr))
	}
	for _, q := range env.Flow {
		if u.Flow[q.Name] {
			v.flow = append(v.flow, name(q.Name)+"' = "+show(q.RHS))
		}
	}
	for _, q := range env.Map {
		if u.Map[q.Name] {
			v.step = append(v.step, name(q.Name)+" ← "+show(q.RHS))
		}
	}
	// Symbols with the same domain share it: α, η ≥ 0.
	var order []string
	shared := map[string][]string{}
	for _, n := range env.Order {
		if s := env.Symbols[n]; u.Symbols[n] {
			d := statecheck.Declaration(s, show, env)
			if shared[d] == nil {
				order = append(order, d)
			}
			shared[d] = append(shared[d], name(n))
		}
	}
	for _, d := range order {
		v.domains = append(v.domains, strings.Replace(d, statecheck.NamePlace, strings.Join(shared[d], ", "), 1))
	}
	return v
}
