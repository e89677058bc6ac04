package flow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
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
	Switches []ode.Switch         // where the solver went over to another method
	Losses   []Loss               // where numbers end
	Stats    ode.Stats

	system *System
}

// Loss says that from time T on a variable is known no better than to ±Below, however
// small it is: what is computed from it alone is noise.
type Loss struct {
	Variable string // key of a state file; with the number of the mode for modes: w_2
	T, Below float64
}

// String renders the loss for people.
func (l Loss) String() string {
	return fmt.Sprintf("%s is below %.3g from t = %.6g on: numbers end there", l.Variable, l.Below, l.T)
}

// Blocks returns the lengths of the parts of a packed vector that have a size of their
// own, for ode.Settings: a matrix, or one mode of an array of independent modes.
func (sys *System) Blocks() []int {
	var out []int
	for _, b := range sys.blocks {
		if !b.modes {
			out = append(out, b.size())
			continue
		}
		for range b.rows {
			out = append(out, 1)
		}
	}
	return out
}

// losses translates the losses of the solver over the given blocks.
func (sys *System) losses(ls []ode.Loss, blocks []int) []Loss {
	var out []Loss
	for _, l := range ls {
		at := 0
		for _, n := range blocks[:l.Block] {
			at += n
		}
		out = append(out, Loss{Variable: sys.variableAt(at), T: l.T, Below: l.Below})
	}
	return out
}

// variableAt names the variable at a place of the packed vector.
func (sys *System) variableAt(at int) string {
	for _, b := range sys.blocks {
		if at < b.size() {
			if b.modes {
				return fmt.Sprintf("%s_%d", keyNames[b.key], at+1)
			}
			return keyNames[b.key]
		}
		at -= b.size()
	}
	panic("flow: no such place")
}

// Lost reports whether a variable that the flow integrates is not resolved at the
// i-th time, and is no larger than what it is known to.
func (tr *Trajectory) Lost(i int) bool {
	for _, l := range tr.Losses {
		if tr.T[i] >= l.T && tr.sizeOf(i, l.Variable) < l.Below {
			return true
		}
	}
	return false
}

// sizeOf returns the largest entry of the variable at the i-th time.
func (tr *Trajectory) sizeOf(i int, variable string) float64 {
	most, at := 0.0, 0
	y, err := tr.system.Pack(tr.States[i], nil)
	if err != nil {
		panic(err) // the states are those of the system
	}
	for _, n := range tr.system.Blocks() {
		if tr.system.variableAt(at) == variable {
			for _, v := range y[at : at+n] {
				most = max(most, math.Abs(v))
			}
		}
		at += n
	}
	return most
}

// System returns the system that was integrated: it unpacks Events.
func (tr *Trajectory) System() *System { return tr.system }

// MarshalJSON writes
//
//	{"flow": NAME, "t": […], "state": [{…}, …], "measures": [{…}, …]}
//
// with one state (a state file that Simulate can start from) and one object of
// measures per time. A measure that is undefined at a time is left out. Where numbers
// end, "losses": [{"variable": KEY, "t": TIME, "below": SIZE}, …] follows, and where the
// method changed, "switches": [{"t": TIME, "from": METHOD, "to": METHOD}, …].
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
	b.WriteByte(']')
	for i, l := range tr.Losses {
		b.WriteString([]string{`,"losses":[`, `,`}[min(i, 1)])
		fmt.Fprintf(&b, `{"variable":%q,"t":%s,"below":%s}`, l.Variable, number(l.T), number(l.Below))
	}
	if tr.Losses != nil {
		b.WriteByte(']')
	}
	for i, w := range tr.Switches {
		b.WriteString([]string{`,"switches":[`, `,`}[min(i, 1)])
		fmt.Fprintf(&b, `{"t":%s,"from":%q,"to":%q}`, number(w.T), w.From, w.To)
	}
	if tr.Switches != nil {
		b.WriteByte(']')
	}
	b.WriteByte('}')
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

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

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
