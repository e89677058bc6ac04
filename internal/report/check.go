package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"stopgrad/internal/ledger"
	"stopgrad/internal/statecheck"
)

// Check writes what a claim came to at a state: a row for each part, what was taken for granted, what was
// skipped, and the outcome.
func Check(w io.Writer, r *statecheck.Result, p Page) error {
	var rows [][]string
	for _, q := range r.Parts {
		hyps := names(q.Hypotheses, func(ok bool) string { return map[bool]string{true: "", false: " not met"}[ok] })
		if hyps == "" {
			hyps = "none"
		}
		rows = append(rows, []string{q.Name, q.Statement, hyps, p.outcome(q),
			names(q.Measures, func(v float64) string { return fmt.Sprintf(" %.4g", v) })})
	}
	var b strings.Builder
	b.WriteString(p.table([]string{"part", "statement", "hypotheses", "holds", "measures"}, rows, layout{flexible: []int{1, 2, 4}}))
	b.WriteString("\n")
	assumed := map[string]string{}
	var remarks grouped
	for _, q := range r.Parts {
		maps.Copy(assumed, q.Assumed)
		if q.Against != "" {
			remarks.add("against", q.Against, q.Name)
		}
		for _, n := range q.Notes {
			remarks.add("note", n, q.Name)
		}
		if q.Until > 0 {
			remarks.add("course", fmt.Sprintf("followed over [0, %.6g]", q.Until), q.Name)
		}
	}
	for _, g := range remarks {
		about := ""
		if len(g.parts) < len(r.Parts) {
			about = strings.Join(g.parts, ", ") + ": "
		}
		b.WriteString(p.field(0, 10, g.label, about+g.text))
	}
	if len(assumed) > 0 {
		b.WriteString(p.field(0, 10, "assumed", names(assumed, func(how string) string { return " = " + how })))
	}
	for _, s := range r.Skipped {
		why := strings.Join(s.Missing, ", ") + " missing"
		if len(s.Missing) == 0 {
			why = "a statement in words"
		}
		b.WriteString(p.field(0, 10, "skipped", s.Name+": "+why))
	}
	reading := ""
	if r.Reading != "" {
		reading = ", " + map[string]string{statecheck.Printed: "as printed", statecheck.Corrected: "as corrected"}[r.Reading]
	}
	fmt.Fprintf(&b, "%s%s: %s\n", r.ID, reading, map[statecheck.Status]string{
		statecheck.Holds:      "holds at this state",
		statecheck.Violated:   "VIOLATED at this state",
		statecheck.Unmet:      "hypotheses not met at this state",
		statecheck.NotDecided: "not decided at this state",
	}[r.Status()])
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped collects remarks that several parts share.
type grouped []struct {
	label, text string
	parts       []string
}

func (g *grouped) add(label, text, part string) {
	for i := range *g {
		if e := &(*g)[i]; e.label == label && e.text == text {
			e.parts = append(e.parts, part)
			return
		}
	}
	*g = append(*g, struct {
		label, text string
		parts       []string
	}{label, text, []string{part}})
}

// names lists a map in the order of its names.
func names[T any](m map[string]T, value func(T) string) string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(m)) {
		out = append(out, n+value(m[n]))
	}
	return strings.Join(out, ", ")
}

func (p Page) outcome(q statecheck.PartResult) string {
	switch {
	case q.Undefined:
		return p.inColourOf(ledger.Undecided, "undefined")
	case q.Holds && q.Open:
		return p.inColourOf(ledger.Undecided, "not decided")
	case q.Holds:
		return p.inColourOf(ledger.Proved, "yes")
	}
	return p.inColourOf(ledger.Refuted, "NO")
}
