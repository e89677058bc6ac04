package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"stopgrad/internal/ledger"
)

// Audit writes the table of a ledger: for each claim the verdict on the printed and on the corrected reading,
// the evidence that decided them in a few words, the twins refuted and the time; then the counts, and what
// the reader must not overlook.
func Audit(w io.Writer, l *ledger.Ledger, p Page) error {
	var rows [][]string
	for _, c := range l.Claims {
		corrected := ledger.Verdict("")
		if c.Corrected != nil {
			corrected = c.Corrected.Verdict
		}
		rows = append(rows, []string{c.ID, p.verdict(c.Verdict), p.verdict(corrected), Evidence(&c),
			twins(&c), fmt.Sprintf("%.2f", c.Seconds)})
	}
	var b strings.Builder
	if len(rows) > 0 {
		b.WriteString(p.table([]string{"claim", "as printed", "corrected", "evidence", "twins", "s"}, rows, layout{flexible: []int{3}, right: []int{4, 5}}))
	}
	b.WriteString("\n")
	b.WriteString(p.summary(l))
	_, err := io.WriteString(w, b.String())
	return err
}

func twins(c *ledger.Claim) string {
	refuted := 0
	for _, t := range c.Twins {
		if t.Verdict.Denies() {
			refuted++
		}
	}
	return fmt.Sprintf("%d/%d", refuted, len(c.Twins))
}

// Evidence says in a few words what decided the readings of a claim.
func Evidence(c *ledger.Claim) string {
	s := deciding(c, "printed", c.Verdict)
	if c.Corrected != nil {
		s += "; " + deciding(c, "corrected", c.Corrected.Verdict)
	}
	return s
}

// deciding describes the evidence behind a reading's verdict.
func deciding(c *ledger.Claim, reading string, v ledger.Verdict) string {
	proved := map[string]bool{}
	for _, e := range c.Evidence {
		if e.Verdict == ledger.Proved || e.Verdict == ledger.Certified {
			proved[e.Detail.Part] = true
		}
	}
	var of []ledger.Evidence
	for _, e := range c.Evidence {
		// A reading that is only supported, or open, is so because of its parts without a proof.
		weak := v == ledger.Supported || v == ledger.Undecided
		if e.Detail.Reading == reading && !(weak && proved[e.Detail.Part]) {
			of = append(of, e)
		}
	}
	find := func(v ledger.Verdict) *ledger.Evidence {
		i := slices.IndexFunc(of, func(e ledger.Evidence) bool { return e.Verdict == v })
		if i < 0 {
			return nil
		}
		return &of[i]
	}
	steps, tried, tested := 0, 0, ""
	for _, e := range of {
		if tested == "" && e.Verdict == ledger.Undecided {
			tested = e.Detail.Tested
		}
		steps += len(e.Detail.Steps)
		if e.Kind == ledger.Samples {
			tried += e.Detail.Tried
		}
	}
	switch e := find(v); {
	case v == ledger.Contradicted:
		return "proved AND refuted"
	case e == nil:
		return "nothing"
	case v == ledger.Proved && tried == 0:
		return count(steps, "step") + " of proof, no state tried"
	case v == ledger.Proved:
		return fmt.Sprintf("%d-step proof", steps)
	case v == ledger.Vacuous:
		return "nothing meets the hypotheses"
	case v == ledger.Inconsistent:
		return "no motion keeps it"
	case v == ledger.Certified:
		return "certificate"
	case v == ledger.IllFormed:
		return "has no meaning"
	case v.Denies():
		return witness(e.Detail.State)
	case v == ledger.Supported:
		// What was tested, how often, and how closely the bound came.
		if e.Detail.Tested != "" {
			return e.Detail.Tested
		}
		return count(tried, "sample")
	case e.Kind == ledger.Training:
		return "training"
	case e.Detail.Measures["violations"] > 0:
		return fmt.Sprintf("open: %.0f of %s against it", e.Detail.Measures["violations"], count(e.Detail.Tried, "sample"))
	case slices.ContainsFunc(of, func(e ledger.Evidence) bool { return e.Detail.Undefined }):
		return "has no value at a state"
	case tested != "":
		return "open: " + tested
	case tried > 0:
		return "open after " + count(tried, "sample")
	}
	return "open"
}

// witness describes how large a witness is.
func witness(s *ledger.State) string {
	if s == nil {
		return "witness"
	}
	if len(s.Matrices) == 0 {
		return fmt.Sprintf("%d-number witness", len(s.Scalars))
	}
	out := "witness"
	for _, n := range slices.Sorted(maps.Keys(s.Sizes)) {
		out += fmt.Sprintf(" %s=%d", n, s.Sizes[n])
	}
	return out
}

// Plain writes a state as name=value pairs, which check --state reads.
func Plain(s *ledger.State) string {
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(s.Sizes)) {
		parts = append(parts, fmt.Sprintf("%s=%d", n, s.Sizes[n]))
	}
	values := maps.Clone(s.Scalars)
	if values == nil {
		values = map[string]string{}
	}
	for n, rows := range s.Matrices {
		var lines []string
		for _, r := range rows {
			lines = append(lines, strings.Join(r, " "))
		}
		values[n] = "[" + strings.Join(lines, "; ") + "]"
	}
	for _, n := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, n+"="+values[n])
	}
	return strings.Join(parts, " ")
}

// Failure says in numbers how a statement fails at its witness: its two sides, or what its reason says.
func Failure(d ledger.Detail) string {
	switch {
	case d.Left != "" && d.Right != "":
		return "left side " + d.Left + ", right side " + d.Right
	case d.Left != "":
		return "the matrix is " + d.Left
	}
	return d.Reason
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// summary renders the counts by verdict word, then contradictions and twins that were not refuted.
func (p Page) summary(l *ledger.Ledger) string {
	var b strings.Builder
	counts := func(m map[ledger.Verdict]int) (string, int) {
		var parts []string
		total := 0
		for _, v := range ledger.Verdicts {
			if m[v] > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", m[v], p.verdict(v)))
				total += m[v]
			}
		}
		return strings.Join(parts, ", "), total
	}
	s := l.Summary
	printed, n := counts(s.Printed)
	line := func(format string, args ...any) { b.WriteString(p.paragraph("", "  ", fmt.Sprintf(format, args...))) }
	line("%s as printed: %s", count(n, "claim"), printed)
	if corrected, n := counts(s.Corrected); n > 0 {
		line("%s: %s", count(n, "corrected reading"), corrected)
	}
	line("%d of %s refuted; depth %s, seed %d, %.1f s", s.Twins.Refuted, count(s.Twins.Total, "mutated twin"), l.Depth, l.Seed, s.Seconds)
	if !s.Complete {
		line("INCOMPLETE: the audit was interrupted")
	}
	for _, c := range s.Contradictions {
		line("CONTRADICTION: %s is proved and yet false: the suite itself is in error", c)
	}
	for _, c := range l.Claims {
		for _, e := range c.Evidence {
			if e.Detail.Script != "" {
				line("script of %s/%s: %s", c.ID, e.Detail.Part, e.Detail.Script)
			}
		}
		for _, part := range untried(&c) {
			line("%s/%s is %s, and was tested at no state that meets its hypotheses: %s", c.ID, part.name, part.verdict, part.why)
		}
	}
	for _, c := range l.Claims {
		shown := map[string]bool{} // the first witness of a part is the one that was made small
		for _, e := range c.Evidence {
			if e.Detail.State != nil && e.Verdict.Denies() && !shown[e.Detail.Part] {
				shown[e.Detail.Part] = true
				line("%s/%s is %s at %s: %s", c.ID, e.Detail.Part, e.Verdict, Plain(e.Detail.State), Failure(e.Detail))
			}
		}
	}
	for _, c := range l.Claims {
		for _, t := range c.Twins {
			if !t.Verdict.Denies() {
				line("twin not refuted but %s: %s, %s", t.Verdict, c.ID, t.Mutation)
			}
		}
	}
	if t := training(l); t != "" {
		line("%s", t)
	}
	return b.String()
}

type untriedPart struct {
	name, why string
	verdict   ledger.Verdict
}

// untried lists the parts that are proved or certified although no state that meets their hypotheses was tried: nothing but
// the proof, or the certificate, speaks for them.
func untried(c *ledger.Claim) (out []untriedPart) {
	for _, e := range c.Evidence {
		if e.Verdict != ledger.Proved && e.Verdict != ledger.Certified {
			continue
		}
		tried, why := 0, "none was drawn"
		for _, s := range c.Evidence {
			if s.Detail.Part == e.Detail.Part && s.Kind == ledger.Samples {
				tried += s.Detail.Tried
				if s.Detail.Reason != "" {
					why = s.Detail.Reason
				}
			}
		}
		if tried == 0 {
			out = append(out, untriedPart{e.Detail.Part, why, e.Verdict})
		}
	}
	return out
}

// Changes writes the differences between two ledgers, one a line.
func Changes(w io.Writer, cs []ledger.Change) error {
	for _, c := range cs {
		if _, err := fmt.Fprintln(w, "changed: "+c.String()); err != nil {
			return err
		}
	}
	return nil
}

// training says what the training checks of the ledger came to, and nothing where there are none.
func training(l *ledger.Ledger) string {
	checks := map[string]ledger.Verdict{}
	for _, c := range l.Claims {
		for _, e := range c.Evidence {
			if e.Kind == ledger.Training {
				checks[e.Detail.Part] = e.Verdict
			}
		}
	}
	if len(checks) == 0 {
		return ""
	}
	var by []string
	for _, v := range []ledger.Verdict{ledger.Observed, ledger.NotObserved} {
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(checks)) {
			if checks[id] == v {
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 {
			by = append(by, strings.Join(ids, ", ")+" "+string(v))
		}
	}
	return "training, quick tier, which changes no verdict: " + strings.Join(by, "; ")
}
