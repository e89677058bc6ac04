package mapping

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// drawing is what can be written in each of the formats.
type drawing interface {
	WriteCSV(io.Writer) error
	WriteSVG(io.Writer) error
	WritePNG(io.Writer) error
}

// writers are the formats of a map by the extension of its file.
var writers = map[string]func(drawing, io.Writer) error{
	".csv": drawing.WriteCSV,
	".svg": drawing.WriteSVG,
	".png": drawing.WritePNG,
}

// CheckFile returns an error unless the name ends in .svg, .png or .csv and a file can be written there: ask before a long
// measurement.
func CheckFile(name string) error {
	if ext := filepath.Ext(name); writers[strings.ToLower(ext)] == nil {
		return fmt.Errorf("mapping: cannot write %s: its name must end in .svg, .png or .csv, not %q", name, ext)
	}
	return writable(name)
}

// writable reports why a file of that name could not be written, so that a map is not measured for nothing.
func writable(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("mapping: cannot write %s: it is a folder", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("mapping: cannot write %s: %w", name, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// WriteFile writes the map in the format that the name's extension names. The file appears complete or not at all.
func (r *Result) WriteFile(name string) error { return writeFile(r, name) }

// WriteFile writes the map like that of a [Result].
func (c *Certified) WriteFile(name string) error { return writeFile(c, name) }

func writeFile(r drawing, name string) error {
	if err := CheckFile(name); err != nil {
		return err
	}
	return whole(name, func(w io.Writer) error { return writers[strings.ToLower(filepath.Ext(name))](r, w) })
}

// whole writes a file that appears complete or not at all.
func whole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("mapping: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("mapping: %s: %w", name, err)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	const readable = 0o644 // CreateTemp makes it 0600
	if err := f.Chmod(readable); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// WriteCSV writes one header line and one line per cell, by rows from below:
//
//	X, Y, X_lo, X_hi, Y_lo, Y_hi, outcome, predicted[, MEASURE]
//
// with the names of the quantities for X and Y. An undefined value is an empty cell; numbers have the fewest digits
// that read back to the same float64.
func (r *Result) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	x, y := r.Spec.X.Quantity, r.Spec.Y.Quantity
	header := []string{x, y, x + "_lo", x + "_hi", y + "_lo", y + "_hi", "outcome", "predicted"}
	if r.Spec.Measure != OutcomeOf {
		header = append(header, r.Spec.Measure.String())
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, c := range r.Cells {
		var row []string
		for _, v := range []float64{c.X, c.Y, c.XLo, c.XHi, c.YLo, c.YHi} {
			row = append(row, number(v))
		}
		row = append(row, c.Outcome.String(), c.Predicted.String())
		if r.Spec.Measure != OutcomeOf {
			row = append(row, number(c.Value))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteCSV writes one header line and one line per tile, by rows from below, with its exact ends:
//
//	X_lo, X_hi, Y_lo, Y_hi, certified
func (c *Certified) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	x, y := c.Spec.X.Quantity, c.Spec.Y.Quantity
	if err := out.Write([]string{x + "_lo", x + "_hi", y + "_lo", y + "_hi", "certified"}); err != nil {
		return err
	}
	for _, t := range c.Tiles {
		if err := out.Write([]string{t.XLo.RatString(), t.XHi.RatString(), t.YLo.RatString(), t.YHi.RatString(), t.Outcome.String()}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func number(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
