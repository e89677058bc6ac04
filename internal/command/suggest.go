package command

import (
	"fmt"
	"slices"
	"strings"

	"stopgrad/theory/lang"
)

// suggestions is how many near names are offered for an unknown one.
const suggestions = 3

// unknownClaim is the error for an id that no claim has.
func unknownClaim(id string, f *lang.File) error {
	msg := fmt.Sprintf("there is no claim called %q", id)
	if near := nearest(id, f); len(near) > 0 {
		msg += "; did you mean " + strings.Join(near, ", ") + "?"
	} else {
		msg += `; "stopgrad claims" lists them`
	}
	return &exit{BadInput, msg}
}

// nearest returns the ids that contain the name, and those within a third of its length in edits, nearest
// first.
func nearest(name string, f *lang.File) []string {
	type candidate struct {
		id   string
		cost int
	}
	var cs []candidate
	for _, c := range f.Claims {
		d := distance(strings.ToLower(name), strings.ToLower(c.ID))
		switch {
		case len(name) >= 3 && strings.Contains(strings.ToLower(c.ID), strings.ToLower(name)):
			cs = append(cs, candidate{c.ID, 0})
		case d <= max(1, len(name)/3):
			cs = append(cs, candidate{c.ID, d})
		}
	}
	slices.SortStableFunc(cs, func(a, b candidate) int { return a.cost - b.cost })
	var out []string
	for _, c := range cs[:min(len(cs), suggestions)] {
		out = append(out, c.id)
	}
	return out
}

// distance is the number of insertions, deletions and replacements between two words (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
