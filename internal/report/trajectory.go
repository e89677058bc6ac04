package report

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/jedib0t/go-pretty/v6/text"

	"stopgrad/numeric/flow"
)

// Trajectory writes the measures of a trajectory: a row for each time, as many measures side by side as fit the
// page, the rest in blocks below. A time at which a variable has decayed to where numbers end is marked †, and a line
// below says which.
func Trajectory(w io.Writer, tr *flow.Trajectory, p Page) error {
	seen := map[string]bool{}
	for _, m := range tr.Measures {
		for name := range m {
			seen[name] = true
		}
	}
	measures := slices.Sorted(maps.Keys(seen))
	header := append([]string{"t"}, measures...)
	var rows [][]string
	marked := false
	for i, t := range tr.T {
		row := []string{fmt.Sprintf("%.5g", t)}
		if tr.Lost(i) {
			row[0], marked = "†"+row[0], true
		}
		for _, name := range measures {
			cell := "–"
			if v, ok := tr.Measures[i][name]; ok {
				cell = fmt.Sprintf("%.4g", v)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	// As many measures side by side as fit, one block below the other.
	var out string
	for at := 1; at < len(header); {
		cols := []int{0}
		width := columnWidth(header, rows, 0)
		for at < len(header) {
			cw := columnWidth(header, rows, at) + 2
			if width+cw > p.width() && len(cols) > 1 {
				break
			}
			cols, width, at = append(cols, at), width+cw, at+1
		}
		pick := func(r []string) []string {
			var o []string
			for _, c := range cols {
				o = append(o, r[c])
			}
			return o
		}
		var block [][]string
		for _, r := range rows {
			block = append(block, pick(r))
		}
		right := make([]int, len(cols))
		for i := range right {
			right[i] = i
		}
		if out != "" {
			out += "\n"
		}
		out += p.table(pick(header), block, layout{right: right})
	}
	if marked {
		out += "\n"
		for _, l := range tr.Losses {
			out += fmt.Sprintf("† %v\n", l)
		}
	}
	_, err := fmt.Fprintf(w, "%s, t = %.6g to %.6g\n\n%s", tr.Flow, tr.T[0], tr.T[len(tr.T)-1], out)
	return err
}

func columnWidth(header []string, rows [][]string, c int) int {
	n := text.RuneWidthWithoutEscSequences(header[c])
	for _, r := range rows {
		n = max(n, text.RuneWidthWithoutEscSequences(r[c]))
	}
	return n
}
