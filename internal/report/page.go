package report

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"stopgrad/internal/ledger"
)

// DefaultWidth is the width of a page that is not a terminal.
const DefaultWidth = 100

// minFlexible is the least width of the column that takes up what the others leave; a narrower page gets
// lines that are too long rather than unreadable ones.
const minFlexible = 16

// Page is what a report is rendered for.
type Page struct {
	Width  int // 0 is DefaultWidth
	Colour bool
}

func (p Page) width() int {
	if p.Width == 0 {
		return DefaultWidth
	}
	return p.Width
}

// style has no frame: two blanks between columns and a line under the header.
var style = func() table.Style {
	s := table.StyleLight
	s.Options = table.Options{SeparateHeader: true, SeparateFooter: true}
	s.Box.PaddingLeft, s.Box.PaddingRight = "", "  "
	s.Format.Header, s.Format.Footer = text.FormatDefault, text.FormatDefault
	return s
}()

// layout says how the columns of a table, counted from 0, are set.
type layout struct {
	flexible []int // these share what the others leave of the page, and wrap
	right    []int // aligned right
}

// table renders rows under a header.
func (p Page) table(header []string, rows [][]string, l layout) string {
	t := table.NewWriter()
	t.SetStyle(style)
	widths := make([]int, len(header))
	add := func(cells []string) table.Row {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			row[i] = c
			widths[i] = max(widths[i], text.LongestLineLen(c))
		}
		return row
	}
	t.AppendHeader(add(header))
	for _, r := range rows {
		t.AppendRow(add(r))
	}
	// The last column needs no padding on its right.
	rest := p.width() - len(style.Box.PaddingRight)*(len(widths)-1)
	for i, w := range widths {
		if !slices.Contains(l.flexible, i) {
			rest -= w
		}
	}
	var configs []table.ColumnConfig
	// The narrow ones among the flexible columns leave their share to the others.
	byWidth := slices.SortedFunc(slices.Values(l.flexible), func(a, b int) int { return widths[a] - widths[b] })
	for k, c := range byWidth {
		w := min(widths[c], max(rest/(len(byWidth)-k), minFlexible))
		rest -= w
		configs = append(configs, table.ColumnConfig{Number: c + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft})
	}
	for _, c := range l.right {
		configs = append(configs, table.ColumnConfig{Number: c + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	lines := strings.Split(t.Render(), "\n")
	for i, l := range lines {
		// The padding of the last column, of blanks or of the line under the header.
		lines[i] = strings.TrimRight(strings.TrimSuffix(l, strings.Repeat(style.Box.MiddleHorizontal, len(style.Box.PaddingRight))), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// paragraph wraps prose to the page behind an indentation; first stands in place of the first line's.
func (p Page) paragraph(first, indent, prose string) string {
	w := max(p.width()-text.RuneWidthWithoutEscSequences(indent), minFlexible)
	lines := strings.Split(text.WrapSoft(prose, w), "\n")
	for i := range lines {
		lead := indent
		if i == 0 {
			lead = first
		}
		lines[i] = strings.TrimRight(lead+lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// verdict renders a verdict word in its colour: green affirms, red denies, yellow is undecided.
func (p Page) verdict(v ledger.Verdict) string {
	if v == "" {
		return "–"
	}
	return p.inColourOf(v, string(v))
}

// inColourOf renders a word in the colour of a verdict.
func (p Page) inColourOf(v ledger.Verdict, s string) string {
	if !p.Colour {
		return s
	}
	c := text.FgYellow
	switch {
	case v.Affirms():
		c = text.FgGreen
	case v.Denies():
		c = text.FgRed
	}
	// Colors.Sprint asks the environment; whether to colour has been decided by whoever made the page.
	return c.EscapeSeq() + s + text.Reset.EscapeSeq()
}
