package flow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strconv"

	"stopgrad/numeric/ode"
)

// Trajectory is the result of Simulate.
type Trajectory struct {
	Flow     string
	T        []float64
	States   []*State
	Measures []map[string]float64 // empty with Settings.NoMeasures
	Events   []ode.Crossing       // over packed vectors
	Stats    ode.Stats

	system *System
}

// System returns the system that was integrated: it unpacks Events.
func (tr *Trajectory) System() *System { return tr.system }

// MarshalJSON writes
//
//	{"flow": NAME, "t": […], "state": [{…}, …], "measures": [{…}, …]}
//
// with one state (a state file that Simulate can start from) and one object of
// measures per time. A measure that is undefined at a time is left out.
func (tr *Trajectory) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"flow":%q,"t":`, tr.Flow)
	if err := appendModes(&b, "t", tr.T, false); err != nil {
		return nil, err
	}
	b.WriteString(`,"state":[`)
	for i, s := range tr.States {
		if i > 0 {
			b.WriteByte(',')
		}
		js, err := s.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b.Write(js)
	}
	b.WriteString(`],"measures":[`)
	for i, m := range tr.Measures {
		if i > 0 {
			b.WriteByte(',')
		}
		js, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("flow: measures at t = %v: %w", tr.T[i], err)
		}
		b.Write(js)
	}
	b.WriteString(`]}`)
	return b.Bytes(), nil
}

// WriteCSV writes one header line and one line per time: t, the state variables
// with matrices flattened by rows (W_1_1, W_1_2, …, p_1, …), and the measures in
// alphabetical order; a measure that is undefined at a time is an empty cell.
func (tr *Trajectory) WriteCSV(w io.Writer) error {
	names := tr.measureNames()
	out := csv.NewWriter(w)
	header := []string{"t"}
	for _, b := range tr.system.blocks {
		for i := range b.rows {
			if b.modes {
				header = append(header, fmt.Sprintf("%s_%d", keyNames[b.key], i+1))
				continue
			}
			for j := range b.cols {
				header = append(header, fmt.Sprintf("%s_%d_%d", keyNames[b.key], i+1, j+1))
			}
		}
	}
	if err := out.Write(append(header, names...)); err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	for i, t := range tr.T {
		row := []string{number(t)}
		for _, b := range tr.system.blocks {
			var v []float64
			if b.modes {
				v = *tr.States[i].modes(b.key)
			} else {
				v = (*tr.States[i].matrix(b.key)).RawMatrix().Data
			}
			for _, x := range v {
				row = append(row, number(x))
			}
		}
		for _, name := range names {
			cell := ""
			if x, ok := tr.Measures[i][name]; ok {
				cell = number(x)
			}
			row = append(row, cell)
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("flow: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	return nil
}

func (tr *Trajectory) measureNames() []string {
	seen := map[string]bool{}
	var names []string
	for _, m := range tr.Measures {
		for name := range m {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return names
}
