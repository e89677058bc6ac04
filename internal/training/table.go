package training

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// tableStyle has no frame: two blanks between columns and a line under the header.
var tableStyle = func() table.Style {
	s := table.StyleLight
	s.Options = table.Options{SeparateHeader: true}
	s.Box.PaddingLeft, s.Box.PaddingRight = "", "  "
	s.Format.Header = text.FormatDefault
	return s
}()

// leastWrapped is the least width of the column that wraps; a narrower page gets lines that are too long.
const leastWrapped = 24

// renderTable renders rows under a header; column wrap (from 0) takes what the others leave of the page.
func (c *Console) renderTable(header []string, rows [][]string, wrap int) string {
	t := table.NewWriter()
	t.SetStyle(tableStyle)
	rest := c.width() - len(tableStyle.Box.PaddingRight)*(len(header)-1)
	widths := make([]int, len(header))
	add := func(cells []string) table.Row {
		row := make(table.Row, len(cells))
		for i, cell := range cells {
			row[i] = cell
			widths[i] = max(widths[i], text.LongestLineLen(cell))
		}
		return row
	}
	t.AppendHeader(add(header))
	for _, r := range rows {
		t.AppendRow(add(r))
	}
	for i, w := range widths {
		if i != wrap {
			rest -= w
		}
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Number: wrap + 1, WidthMax: max(rest, leastWrapped), WidthMaxEnforcer: wrapLines}})
	lines := strings.Split(t.Render(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimSuffix(l, strings.Repeat(tableStyle.Box.MiddleHorizontal, len(tableStyle.Box.PaddingRight))), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// wrapLines wraps each line of a text; text.WrapSoft runs lines together.
func wrapLines(s string, width int) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = text.WrapSoft(l, width)
	}
	return strings.Join(lines, "\n")
}

// indented puts blanks before every line, so that the help keeps the lines as they are.
func indented(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// nameWidth is where names of goldens are broken.
const nameWidth = 56

// wrapName breaks a name behind one of its separators where it is longer than nameWidth.
func wrapName(name string) string {
	out := ""
	for len(name) > nameWidth {
		cut := strings.LastIndexAny(name[:nameWidth], "-/") + 1
		if cut == 0 {
			cut = nameWidth
		}
		out += name[:cut] + "\n  "
		name = name[cut:]
	}
	return out + name
}
