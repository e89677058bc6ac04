package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"stopgrad/theory/lang"
)

// ShowLaTeX writes a claim's statements and what they assume as a LaTeX fragment for the amsmath package: the sequent that
// the kernel prints, parsed back and set. With unfolded, operators in statements are set as what they become.
func ShowLaTeX(w io.Writer, c *lang.Claim, unfolded bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%% %s\n", given(c.ID, c.Printed))
	for _, corrected := range []bool{false, true} {
		for _, part := range c.Reading(corrected) {
			fmt.Fprintf(&b, "\\paragraph{%s (%s)}\n", latexText(given(c.Title, part.Name)), readingTitle(corrected))
			if err := latexPart(&b, part, unfolded); err != nil {
				return fmt.Errorf("%s/%s: %w", c.ID, part.Name, err)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// given joins what a file may leave out.
func given(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), ", ")
}

func latexPart(b *strings.Builder, part *lang.Part, unfolded bool) error {
	align := func(lines ...string) {
		b.WriteString("\\begin{align*}\n  " + strings.Join(lines, " \\\\\n  ") + "\n\\end{align*}\n")
	}
	switch {
	case part.Stmt.Kind == lang.Sampled:
		b.WriteString(latexText("In words, sampled as "+part.Stmt.Property+": "+part.Stmt.Text) + "\n")
		return nil
	case part.Fault != nil:
		b.WriteString("Ill-formed, and so set as it is written:\n")
		align("& " + lang.LaTeXStmt(part.Stmt))
		return nil
	}
	r, err := lang.Elaborate(part)
	if err != nil {
		return err
	}
	lines, err := r.Lines(unfolded)
	if err != nil {
		return err
	}
	var stated, given []string
	last := ""
	for _, l := range lines {
		text, err := l.LaTeX()
		switch {
		case err != nil:
			return err
		case l.Word == lang.Stated:
			stated = append(stated, "& "+text)
			continue
		case l.Word == lang.Times:
			given = append(given, `\text{for every `+l.Text+` with}\quad &`)
			continue
		}
		word := l.Word
		if word == last {
			word = ""
		}
		last = l.Word
		given = append(given, `\text{`+word+`}\quad & `+text)
	}
	fs, _ := r.Consequence()
	for i, f := range fs {
		said, err := r.Say(f)
		if err != nil {
			return err
		}
		text, err := lang.Line{Text: said}.LaTeX()
		if err != nil {
			return err
		}
		word := ""
		if i == 0 {
			word = "leads to"
		}
		stated = append(stated, `\text{`+word+`}\quad & `+text)
	}
	align(append(stated, given...)...)
	return nil
}

var latexEscapes = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
	"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "'", "'", "×", `$\times$`, "→", `$\to$`,
	"η", `$\eta$`, "α", `$\alpha$`, "β", `$\beta$`, "σ", `$\sigma$`, "τ", `$\tau$`)

func latexText(s string) string { return latexEscapes.Replace(s) }
