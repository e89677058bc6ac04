package report

import (
	"io"

	"stopgrad/theory/lang"
)

// Claims writes the list of claims: id, title, where printed.
func Claims(w io.Writer, cs []*lang.Claim, p Page) error {
	var rows [][]string
	for _, c := range cs {
		rows = append(rows, []string{c.ID, c.Title, c.Printed})
	}
	_, err := io.WriteString(w, p.table([]string{"claim", "title", "printed in"}, rows, layout{flexible: []int{1, 2}}))
	return err
}
