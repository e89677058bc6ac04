package report

import (
	"fmt"
	"io"
	"strings"

	"stopgrad/theory/lang"
)

// ShowLaTeX writes a claim's statements, hypotheses, definitions and equations as a LaTeX fragment for the
// amsmath package.
func ShowLaTeX(w io.Writer, c *lang.Claim) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%% %s, %s\n", c.ID, c.Printed)
	for _, corrected := range []bool{false, true} {
		for _, part := range c.Reading(corrected) {
			fmt.Fprintf(&b, "\\paragraph{%s, %s (%s)}\n", latexText(c.Title), latexText(part.Name), readingTitle(corrected))
			if part.Stmt.Kind == lang.Sampled {
				b.WriteString(latexText(part.Stmt.Text) + "\n")
				continue
			}
			lines := []string{"& " + lang.LaTeXStmt(part.Stmt)}
			label := func(name string, items []string) {
				for i, s := range items {
					if i > 0 {
						name = ""
					}
					lines = append(lines, `\text{`+name+`}\quad & `+s)
				}
			}
			var hyps []string
			for _, a := range part.Assumes {
				hyps = append(hyps, lang.LaTeXStmt(a.Stmt))
			}
			v := viewOf(part, lang.LaTeX)
			label("if", hyps)
			label("where", v.lets)
			label("along", v.flow)
			b.WriteString("\\begin{align*}\n  " + strings.Join(lines, " \\\\\n  ") + "\n\\end{align*}\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var latexEscapes = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
	"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "'", "'", "×", `$\times$`, "→", `$\to$`,
	"η", `$\eta$`, "α", `$\alpha$`, "β", `$\beta$`, "σ", `$\sigma$`, "τ", `$\tau$`)

func latexText(s string) string { return latexEscapes.Replace(s) }
