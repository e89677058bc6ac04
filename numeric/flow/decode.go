package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// maxBytes bounds a state file: a device or a pipe may never end.
const maxBytes = 16 << 20

// DecodeState reads one state from r: a JSON object with any of the keys
//
//	alpha eta beta sigma2 t       a number, here and below also a fraction as text: "1/3"
//	tau                           a number, or an array of one number per mode
//	W Wp Wa F X Xp                a matrix as an array of rows
//	p s w wa                      a number or an array of numbers
//
// and nothing after it. Absent scalars take the Default constants. The name (a
// file name) begins every message.
//
// DecodeState is strict: a key that is unknown or given twice, a value that is
// null, not a number or not finite, a ragged, empty or misshapen array, a negative
// eta, beta or sigma2 is an error that names the line, the key, the row and the
// column (counted from 1). Whether the state fits a flow is for Flow.Bind to say.
func DecodeState(r io.Reader, name string) (*State, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("flow: %s: %w", name, err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("flow: %s: larger than %d bytes", name, maxBytes)
	}
	d := &decoder{name: name, data: data, json: json.NewDecoder(bytes.NewReader(data))}
	d.json.UseNumber()
	return d.state()
}

// ReadStateFile is DecodeState on a file.
func ReadStateFile(path string) (*State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	defer f.Close()
	return DecodeState(f, path)
}

// UnmarshalJSON is DecodeState on data.
func (s *State) UnmarshalJSON(data []byte) error {
	v, err := DecodeState(bytes.NewReader(data), "state")
	if err != nil {
		return err
	}
	*s = *v
	return nil
}

type decoder struct {
	name string
	data []byte
	json *json.Decoder
}

// errorf adds the file name and the line.
func (d *decoder) errorf(format string, args ...any) error {
	off := min(int(d.json.InputOffset()), len(d.data))
	line := 1 + bytes.Count(d.data[:off], []byte("\n"))
	return fmt.Errorf("flow: %s:%d: %s", d.name, line, fmt.Sprintf(format, args...))
}

// token returns the next token; where says what was being read.
func (d *decoder) token(where string) (json.Token, error) {
	tok, err := d.json.Token()
	if err == nil {
		return tok, nil
	}
	var syn *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, d.errorf("%s: the file ends in the middle", where)
	case errors.As(err, &syn):
		msg := syn.Error()
		// JSON has no words for these, so the decoder trips over a letter.
		rest := strings.TrimLeft(string(d.data[min(int(d.json.InputOffset()), len(d.data)):]), " \t\r\n,:[")
		for _, w := range []string{"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "Inf", "-Inf", "+"} {
			if strings.HasPrefix(rest, w) {
				msg = "not a finite number (" + msg + ")"
				break
			}
		}
		return nil, d.errorf("%s: %s", where, msg)
	}
	return nil, d.errorf("%s: %v", where, err)
}

func (d *decoder) state() (*State, error) {
	tok, err := d.token("state")
	if err != nil {
		return nil, err
	}
	if tok != json.Delim('{') {
		return nil, d.errorf("a state is a JSON object {…}, not %s", describe(tok))
	}
	s := NewState()
	s.source = d.name
	var seen keySet
	for {
		tok, err := d.token("state")
		if err != nil {
			return nil, err
		}
		if tok == json.Delim('}') {
			break
		}
		name := tok.(string) // the decoder has checked that a key is a string
		k := key(numKeys)
		for i := range numKeys {
			if keyNames[i] == name {
				k = i
			}
		}
		if k == numKeys {
			return nil, d.errorf("unknown key %q (known: %s)", name, strings.Join(keyNames[:], " "))
		}
		if seen.has(k) {
			return nil, d.errorf("key %s is given twice", name)
		}
		seen.add(k)
		if err := d.value(s, k); err != nil {
			return nil, err
		}
	}
	if tok, err := d.json.Token(); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, d.errorf("after the state: %v", err)
		}
		return nil, d.errorf("after the state: unexpected %s", describe(tok))
	}
	return s, nil
}

func (d *decoder) value(s *State, k key) error {
	name := keyNames[k]
	tok, err := d.token(name)
	if err != nil {
		return err
	}
	if m := s.matrix(k); m != nil {
		if tok != json.Delim('[') {
			return d.errorf("%s: a matrix is an array of rows, not %s", name, describe(tok))
		}
		*m, err = d.rows(name)
		return err
	}
	field, _ := s.scalar(k)
	vec := s.modes(k)
	if vec != nil && tok == json.Delim('[') {
		*vec, err = d.numbers(name)
		if err == nil && len(*vec) == 0 {
			err = d.errorf("%s: empty array", name)
		}
		return err
	}
	x, err := d.number(tok, name)
	if err != nil {
		return err
	}
	if field != nil {
		if x < 0 && nonNegative.has(k) {
			return d.errorf("%s = %v must be ≥ 0", name, x)
		}
		*field = x
		s.given.add(k)
		return nil
	}
	*vec = []float64{x}
	s.number.add(k)
	return nil
}

// rows reads the rows of a matrix after its opening bracket.
func (d *decoder) rows(name string) (*mat.Dense, error) {
	var data []float64
	rows, cols := 0, 0
	for {
		where := fmt.Sprintf("%s row %d", name, rows+1)
		tok, err := d.token(where)
		if err != nil {
			return nil, err
		}
		if tok == json.Delim(']') {
			break
		}
		if tok != json.Delim('[') {
			return nil, d.errorf("%s: a row is an array of numbers, not %s", where, describe(tok))
		}
		row, err := d.numbers(where)
		if err != nil {
			return nil, err
		}
		rows++
		if rows == 1 {
			cols = len(row)
		}
		if len(row) == 0 {
			return nil, d.errorf("%s: empty row", where)
		}
		if len(row) != cols {
			return nil, d.errorf("%s: %d columns where row 1 has %d", where, len(row), cols)
		}
		data = append(data, row...)
	}
	if rows == 0 {
		return nil, d.errorf("%s: empty matrix", name)
	}
	return mat.NewDense(rows, cols, data), nil
}

// numbers reads the numbers of an array after its opening bracket.
func (d *decoder) numbers(where string) ([]float64, error) {
	xs := []float64{}
	for {
		at := fmt.Sprintf("%s column %d", where, len(xs)+1)
		tok, err := d.token(at)
		if err != nil {
			return nil, err
		}
		if tok == json.Delim(']') {
			return xs, nil
		}
		x, err := d.number(tok, at)
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
	}
}

func (d *decoder) number(tok json.Token, where string) (float64, error) {
	if text, ok := tok.(string); ok {
		x, ok := quotient(text)
		if !ok {
			return 0, d.errorf("%s: want a number, found %s", where, describe(tok))
		}
		return x, nil
	}
	num, ok := tok.(json.Number)
	if !ok {
		return 0, d.errorf("%s: want a number, found %s", where, describe(tok))
	}
	x, err := strconv.ParseFloat(string(num), 64)
	if err != nil {
		return 0, d.errorf("%s: %s is not a finite float64", where, num)
	}
	return x, nil
}

// fraction has no leading zeros, with which package big would read it in octal.
var fraction = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]{0,299})(/[1-9][0-9]{0,299})?$`)

// quotient is the float64 nearest to a fraction.
func quotient(text string) (float64, bool) {
	if !fraction.MatchString(text) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	x, _ := r.Float64()
	return x, !math.IsInf(x, 0)
}

func describe(tok json.Token) string {
	switch v := tok.(type) {
	case nil:
		return "null"
	case json.Delim:
		return "'" + v.String() + "'"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(tok)
}
