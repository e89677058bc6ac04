package method

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The files of a run's folder.
const (
	// CheckpointFile holds the last saved state.
	CheckpointFile = "checkpoint.bin"
	// SeriesJSONFile holds one JSON object a line: {"step":0,"loss":null,…}.
	SeriesJSONFile = "series.jsonl"
	// SeriesCSVFile holds the same numbers with a header line.
	SeriesCSVFile = "series.csv"
)

// Record is one line of a series: the values of its columns after a number of
// steps. A value that is not finite (the loss before the first step, the
// asymmetry of a missing predictor) is NaN; it is null in JSON, empty in CSV.
type Record struct {
	Step   int
	Values []float64
}

// Series appends records to the two series files of a folder. The text of a
// record depends on nothing but the record: no times, no host. Numbers are
// written in the shortest form that reads back to the same bits.
type Series struct {
	columns []string
	files   [2]*os.File
}

// CreateSeries starts the series of a new run. A folder that already holds one is an error.
func CreateSeries(dir string, columns []string) (*Series, error) {
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	for _, name := range []string{SeriesJSONFile, SeriesCSVFile, CheckpointFile} {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil:
			return nil, fmt.Errorf("method: %s exists: resume that run or choose another folder", filepath.Join(dir, name))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("method: %w", err)
		}
	}
	return openSeries(dir, columns, nil)
}

// ResumeSeries continues the series of a run that restarts after the given
// number of steps: later records, and a last line cut short, are dropped, for
// the resumed run writes them again. Columns other than the file's, or a line
// that is no record, are an error that names file and line.
func ResumeSeries(dir string, columns []string, step int) (*Series, []Record, error) {
	if err := checkColumns(columns); err != nil {
		return nil, nil, err
	}
	records, err := readSeries(filepath.Join(dir, SeriesJSONFile), columns, true)
	if err != nil {
		return nil, nil, err
	}
	for i, r := range records {
		if r.Step > step {
			records = records[:i]
			break
		}
	}
	s, err := openSeries(dir, columns, records)
	return s, records, err
}

func checkColumns(columns []string) error {
	seen := map[string]bool{"step": true}
	for _, c := range columns {
		if c == "" || strings.ContainsAny(c, "\",\n\r\\") {
			return fmt.Errorf("method: series column %q: want a name without quotes, commas, backslashes or line ends", c)
		}
		if seen[c] {
			return fmt.Errorf("method: series column %q occurs twice", c)
		}
		seen[c] = true
	}
	return nil
}

// openSeries replaces both files by the given records and opens them for appending.
func openSeries(dir string, columns []string, records []Record) (*Series, error) {
	s := &Series{columns: slices.Clone(columns)}
	var texts [2]bytes.Buffer
	texts[1].WriteString("step")
	for _, c := range columns {
		texts[1].WriteString("," + c)
	}
	texts[1].WriteByte('\n')
	for _, r := range records {
		lines, err := s.lines(r)
		if err != nil {
			return nil, err
		}
		texts[0].WriteString(lines[0])
		texts[1].WriteString(lines[1])
	}
	for i, name := range []string{SeriesJSONFile, SeriesCSVFile} {
		file := filepath.Join(dir, name)
		err := writeFile(file, texts[i].Bytes())
		if err == nil {
			s.files[i], err = os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// lines renders a record for both files.
func (s *Series) lines(r Record) (lines [2]string, err error) {
	if len(r.Values) != len(s.columns) {
		return lines, fmt.Errorf("method: record of %d values for %d columns", len(r.Values), len(s.columns))
	}
	j, c := fmt.Appendf(nil, `{"step":%d`, r.Step), strconv.AppendInt(nil, int64(r.Step), 10)
	for i, v := range r.Values {
		j = append(j, `,"`+s.columns[i]+`":`...)
		c = append(c, ',')
		if math.IsNaN(v) || math.IsInf(v, 0) {
			j = append(j, "null"...)
			continue
		}
		j, c = strconv.AppendFloat(j, v, 'g', -1, 64), strconv.AppendFloat(c, v, 'g', -1, 64)
	}
	return [2]string{string(j) + "}\n", string(c) + "\n"}, nil
}

// Append writes one record to both files.
func (s *Series) Append(r Record) error {
	lines, err := s.lines(r)
	if err != nil {
		return err
	}
	for i, f := range s.files {
		if _, err := f.WriteString(lines[i]); err != nil {
			return fmt.Errorf("method: %w", err)
		}
	}
	return nil
}

// Close closes both files.
func (s *Series) Close() error {
	var first error
	for _, f := range s.files {
		if f == nil {
			continue
		}
		if err := f.Close(); err != nil && first == nil {
			first = fmt.Errorf("method: %w", err)
		}
	}
	return first
}

// ReadSeries reads the series of a folder whose run has ended, with the columns
// in the order of the file.
func ReadSeries(dir string) (columns []string, records []Record, err error) {
	csv := filepath.Join(dir, SeriesCSVFile)
	text, err := os.ReadFile(csv)
	if err != nil {
		return nil, nil, fmt.Errorf("method: %w", err)
	}
	head, _, found := strings.Cut(string(text), "\n")
	columns = strings.Split(head, ",")
	if !found || columns[0] != "step" {
		return nil, nil, fmt.Errorf("method: %s: line 1: want a header that begins with step", csv)
	}
	columns = columns[1:]
	records, err = readSeries(filepath.Join(dir, SeriesJSONFile), columns, false)
	return columns, records, err
}

// readSeries parses a JSON-lines file; cut allows an incomplete last line.
func readSeries(file string, columns []string, cut bool) ([]Record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	var records []Record
	for n := 1; len(text) > 0; n++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		text = rest
		if !whole && cut {
			break
		}
		r, err := parseRecord(line, columns)
		if err == nil && !whole {
			err = errors.New("it is cut short")
		}
		if err == nil && len(records) > 0 && r.Step <= records[len(records)-1].Step {
			err = fmt.Errorf("step %d after step %d", r.Step, records[len(records)-1].Step)
		}
		if err != nil {
			return nil, fmt.Errorf("method: %s: line %d: %w", file, n, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func parseRecord(line []byte, columns []string) (Record, error) {
	var fields map[string]*float64
	if err := json.Unmarshal(line, &fields); err != nil {
		return Record{}, errors.New("no record: " + err.Error())
	}
	step, ok := fields["step"]
	if !ok || step == nil || *step != math.Trunc(*step) || *step < 0 {
		return Record{}, errors.New(`no record: want "step", a whole number`)
	}
	r := Record{Step: int(*step), Values: make([]float64, len(columns))}
	for i, c := range columns {
		v, ok := fields[c]
		switch {
		case !ok:
			return Record{}, fmt.Errorf("column %q is missing", c)
		case v == nil:
			r.Values[i] = math.NaN()
		default:
			r.Values[i] = *v
		}
	}
	if len(fields) != len(columns)+1 {
		for name := range fields {
			if name != "step" && !slices.Contains(columns, name) {
				return Record{}, fmt.Errorf("column %q is not one of this run's", name)
			}
		}
	}
	return r, nil
}
