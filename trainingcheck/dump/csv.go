package dump

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The header of a table of entries: one entry of an array a line, its place as numbers separated by blanks ("" for an
// array without axes).
var entriesHeader = []string{"array", "place", "value"}

// readCSV reads one of three tables, told apart by their headers:
//
//	array,place,value      entries of arrays, as Write makes them
//	step,view,…            embeddings: one row an example, views 1 and 2, in the order of the examples; the other columns
//	                       are coordinates. They become z1 and z2 of shape [steps, examples, coordinates], and step
//	step,…                 a series: each column becomes an array by its name, unless one of its fields is empty
func (f *File) readCSV(from io.Reader) error {
	r := csv.NewReader(from)
	r.ReuseRecord = true
	first, err := r.Read()
	if err != nil {
		return f.badLine(err)
	}
	header := slices.Clone(first)
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	switch {
	case slices.Equal(header, entriesHeader):
		return f.readEntries(r)
	case slices.Contains(header, "step") && slices.Contains(header, "view"):
		return f.readEmbeddings(r, header)
	case slices.Contains(header, "step"):
		return f.readSeries(r, header)
	}
	return refuse(f.Name, "", "line 1: the header is %q; want array,place,value, or step and view and coordinates, or step and measures", start(strings.Join(header, ",")))
}

// start is the beginning of a text that is too long for a message.
func start(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

func (f *File) badLine(err error) error {
	var e *csv.ParseError
	if errors.As(err, &e) {
		return refuse(f.Name, "", "line %d: %v", e.Line, e.Err)
	}
	if errors.Is(err, io.EOF) {
		return refuse(f.Name, "", "empty")
	}
	return refuse(f.Name, "", "%v", err)
}

// number reads a field.
func (f *File) number(r *csv.Reader, column int, name, text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		line, _ := r.FieldPos(column)
		return 0, refuse(f.Name, "", "line %d: column %s: %q is no number", line, name, text)
	}
	return v, nil
}

func (f *File) readEntries(r *csv.Reader) error {
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.badLine(err)
		}
		line, _ := r.FieldPos(0)
		v, err := f.number(r, 2, "value", row[2])
		if err != nil {
			return err
		}
		a := f.Arrays[row[0]]
		var at []int
		for _, word := range strings.Fields(row[1]) {
			i, err := strconv.Atoi(word)
			if err != nil || i < 0 || i >= maxEntries {
				return refuse(f.Name, start(row[0]), "line %d: %q is no place", line, start(row[1]))
			}
			if at = append(at, i); len(at) > maxAxes {
				return refuse(f.Name, start(row[0]), "line %d: a place of more than %d axes", line, maxAxes)
			}
		}
		if a == nil {
			a = &Array{Shape: make([]int, len(at))}
			f.Arrays[strings.Clone(row[0])] = a
		}
		if len(at) != len(a.Shape) {
			return refuse(f.Name, row[0], "line %d: a place of %d axes, others have %d", line, len(at), len(a.Shape))
		}
		// Entries come in the order of the array: the shape grows with them and the number of entries tells holes.
		for k, i := range at {
			a.Shape[k] = max(a.Shape[k], i+1)
		}
		a.Data = append(a.Data, v)
	}
	for _, name := range f.Names() {
		a := f.Arrays[name]
		n, err := f.count(name, a.Shape)
		if err != nil {
			return err
		}
		if n != int64(len(a.Data)) {
			return refuse(f.Name, name, "%d entries for the shape %v: some are missing or repeated", len(a.Data), a.Shape)
		}
	}
	if len(f.Arrays) == 0 {
		return refuse(f.Name, "", "no lines behind the header")
	}
	return nil
}

func (f *File) readEmbeddings(r *csv.Reader, header []string) error {
	stepAt, viewAt := slices.Index(header, "step"), slices.Index(header, "view")
	d := len(header) - 2
	if d < 1 {
		return refuse(f.Name, "", "line 1: no column of coordinates beside step and view")
	}
	var steps []float64
	index := map[float64]int{}
	views := map[[2]int][]float64{} // by index of step and view
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.badLine(err)
		}
		line, _ := r.FieldPos(0)
		step, err := f.number(r, stepAt, "step", row[stepAt])
		if err != nil {
			return err
		}
		if math.IsNaN(step) {
			return refuse(f.Name, "", "line %d: column step: %q is no number", line, row[stepAt])
		}
		view := strings.TrimSpace(row[viewAt])
		if view != "1" && view != "2" {
			return refuse(f.Name, "", "line %d: column view: %q, want 1 or 2", line, view)
		}
		i, seen := index[step]
		if !seen {
			i, steps = len(steps), append(steps, step)
			index[step] = i
		}
		k := [2]int{i, int(view[0] - '1')}
		for c, text := range row {
			if c == stepAt || c == viewAt {
				continue
			}
			v, err := f.number(r, c, header[c], text)
			if err != nil {
				return err
			}
			views[k] = append(views[k], v)
		}
	}
	if len(steps) == 0 {
		return refuse(f.Name, "", "no lines behind the header")
	}
	f.Arrays["step"] = &Array{[]int{len(steps)}, steps}
	n := len(views[[2]int{0, 0}])
	for view, name := range []string{"z1", "z2"} {
		if view == 1 && len(views[[2]int{0, 1}]) == 0 {
			continue
		}
		a := &Array{Shape: []int{len(steps), n / d, d}}
		for i, step := range steps {
			rows := views[[2]int{i, view}]
			if len(rows) != n || n == 0 {
				return refuse(f.Name, name, "step %g has %d examples, step %g has %d in view 1", step, len(rows)/d, steps[0], n/d)
			}
			a.Data = append(a.Data, rows...)
		}
		f.Arrays[name] = a
	}
	return nil
}

func (f *File) readSeries(r *csv.Reader, header []string) error {
	columns := make([][]float64, len(header))
	holes := make([]bool, len(header))
	rows := 0
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.badLine(err)
		}
		for c, text := range row {
			if strings.TrimSpace(text) == "" {
				holes[c] = true
				continue
			}
			v, err := f.number(r, c, header[c], text)
			if err != nil {
				return err
			}
			columns[c] = append(columns[c], v)
		}
		rows++
	}
	if rows == 0 {
		return refuse(f.Name, "", "no lines behind the header")
	}
	for c, name := range header {
		if holes[c] {
			continue
		}
		if f.Arrays[name] != nil {
			return refuse(f.Name, "", "line 1: column %s occurs twice", name)
		}
		f.Arrays[name] = &Array{[]int{rows}, columns[c]}
	}
	if f.Arrays["step"] == nil {
		return refuse(f.Name, "", "column step has no value in some line")
	}
	return nil
}

// writeCSV writes a table of entries.
func writeCSV(w io.Writer, arrays map[string]*Array, names []string) error {
	c := csv.NewWriter(w)
	if err := c.Write(entriesHeader); err != nil {
		return err
	}
	for _, name := range names {
		a := arrays[name]
		for i, v := range a.Data {
			if err := c.Write([]string{name, strings.Trim(fmt.Sprint(place(i, a.Shape)), "[]"), strconv.FormatFloat(v, 'g', -1, 64)}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
