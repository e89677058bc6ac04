package report

import (
	"fmt"
	"io"
	"strings"

	"stopgrad/internal/ledger"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Show writes one claim: its source, then each statement and everything that it assumes, printed from the kernel's
// sequent, the derivation step by step, and the twins. Only title, quote, notes and twins are the text of the claim file,
// and a statement that has no meaning, which says so. With unfolded, operators in statements are printed as what they
// become. prove replays a part's script; refute looks for a counterexample to a part without a proof.
func Show(w io.Writer, c *lang.Claim, prove func(*lang.Part) *verdict.Proof, refute func(*lang.Part) (ledger.Detail, verdict.Verdict), unfolded bool, p Page) error {
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
			if err := p.showPart(&b, part, prove, refute, unfolded); err != nil {
				return fmt.Errorf("%s/%s: %w", c.ID, part.Name, err)
			}
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

func (p Page) showPart(b *strings.Builder, part *lang.Part, prove func(*lang.Part) *verdict.Proof, refute func(*lang.Part) (ledger.Detail, verdict.Verdict), unfolded bool) error {
	last := ""
	label := func(name, text string) {
		shown := name
		if name == last {
			shown = ""
		}
		last = name
		b.WriteString(p.field(2, 10, shown, text))
	}
	if part.Fault != nil || part.Stmt.Kind == lang.Sampled {
		statement, _ := lang.Statement(part)
		if part.Fault != nil {
			label("written", statement)
			label("typing", "ill-formed, and so shown as it is written: "+part.Fault.Error())
		} else {
			label("words", statement)
			label("proof", "none: a statement in words, sampled by the property "+part.Stmt.Property)
		}
		p.showRest(label, part)
		return nil
	}
	proof := prove(part)
	r := proof.Reading()
	if r == nil {
		return proof.Failure()
	}
	lines, err := r.Lines(unfolded)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Word == lang.Stated {
			label(l.Word, l.Text)
		}
	}
	if fs, ok := r.Consequence(); ok {
		text, err := r.Say(fs...)
		if err != nil {
			return err
		}
		label("leads to", text)
	}
	for _, l := range lines {
		switch {
		case l.Word == lang.Stated:
		case l.Word == lang.Times:
			label("for", "every "+l.Text+" with")
		case l.Name != "":
			label(l.Word, l.Name+": "+l.Text)
		default:
			label(l.Word, l.Text)
		}
	}
	steps := proof.Steps()
	for i, l := range steps {
		label("proof", fmt.Sprintf("%d. %s", i+1, l.Says))
		b.WriteString(p.field(15, 3, "by", l.Rule))
	}
	if err := proof.Script(); err != nil {
		label("script", "does not replay: "+err.Error())
	}
	if err := proof.Failure(); err != nil {
		label("proof", "it ends here: "+err.Error())
	}
	if v := proof.Verdict(); v.IsDecided() {
		label("verdict", v.String())
	} else if d, v := refute(part); v.IsRefuted() {
		// A motion that leaves an assumption is none that keeps it: of the sequent above it refutes nothing.
		label(v.String(), "at "+Plain(d.State))
		label("fails", Failure(d))
	}
	p.showRest(label, part)
	return nil
}

// showRest renders why the part is there, and its twins.
func (p Page) showRest(label func(name, text string), part *lang.Part) {
	if part.Why != "" {
		label("why", part.Why)
	}
	for _, t := range part.Twins {
		s := t.String()
		if t.Drop == "" {
			s = fmt.Sprintf("“%s” → “%s”", t.Old, t.New)
		}
		if t.Why != "" {
			s += " (" + t.Why + ")"
		}
		label("twins", s)
	}
}
