package statecheck

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"stopgrad/theory/eval"
	"stopgrad/theory/model"
)

// State is what a state file says, its numbers exactly as they are written.
type State struct {
	Name   string // of the file, for messages
	values map[string]*value
	order  []string
}

// value is what is written of one name.
type value struct {
	line   int
	number *big.Rat     // of a number; of an irrational one a fraction near it
	surd   *eval.Surd   // of an irrational number
	modes  []*big.Rat   // of an array of numbers: one per mode
	rows   [][]*big.Rat // of an array of rows
	size   bool         // the name is that of a size
	cells  map[[2]int]*big.Rat
}

// Limits of a state file.
const (
	maxStateBytes  = 16 << 20
	maxDigits      = 4096 // characters of a number
	maxStateExpo10 = 5000 // a decimal exponent
)

// ReadState reads a state file in any of the forms in which states are written:
//
//	{"alpha": 0.1, "eta": "1/3", "W": [[1, "1/2"]], "p": [0.5, 1]}      a JSON object by the names of the claim
//	{"size n2": "2", "W[1,2]": "1/2"}                                   the witness of refute --json
//	{"sizes": {"n2": 2}, "scalars": {…}, "matrices": {…}}               the state of a ledger
//	eta=1/2 n2=2 W=[1 1/2; 0 1]                                         the witness of refute, audit and check
//	stopgrad certificate 1 …                                            a counterexample certificate
//
// A number is a JSON number or a text with a decimal or a fraction, and is kept as it is written. The error names the
// file, the line and the name.
func ReadState(r io.Reader, name string) (*State, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxStateBytes+1))
	if err != nil {
		return nil, fmt.Errorf("statecheck: %s: %w", name, err)
	}
	if len(data) > maxStateBytes {
		return nil, fmt.Errorf("statecheck: %s: larger than %d bytes", name, maxStateBytes)
	}
	s := &State{Name: name, values: map[string]*value{}}
	switch text := bytes.TrimLeft(data, " \t\r\n\ufeff"); {
	case bytes.HasPrefix(text, []byte("stopgrad certificate ")):
		err = s.certificate(data)
	case len(text) > 0 && text[0] != '{' && text[0] != '[' && bytes.ContainsRune(text, '='):
		err = s.plain(data)
	default:
		err = (&jsonState{State: s, data: data, json: json.NewDecoder(bytes.NewReader(data))}).read()
	}
	if err != nil {
		return nil, err
	}
	return s, s.assemble()
}

// ReadStateFile is [ReadState] on a file.
func ReadStateFile(path string) (*State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("statecheck: %w", err)
	}
	defer f.Close()
	return ReadState(f, path)
}

// errorf is a mistake of the file, in one line whatever a name in it contains.
func (s *State) errorf(line int, format string, args ...any) error {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...))
	return fmt.Errorf("statecheck: %s:%d: %s", s.Name, line, text)
}

// put notes the value of a name.
func (s *State) put(name string, v *value) error {
	if s.values[name] != nil {
		return s.errorf(v.line, "key %s is given twice", name)
	}
	s.values[name] = v
	s.order = append(s.order, name)
	return nil
}

var decimal = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?$`)

// fraction has no leading zeros, with which package big would read it in octal.
var fraction = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)/(0|[1-9][0-9]*)$`)

// exactly reads a decimal or a fraction.
func exactly(text string) (*big.Rat, error) {
	if len(text) > maxDigits {
		return nil, fmt.Errorf("a number of %d characters; at most %d", len(text), maxDigits)
	}
	if !decimal.MatchString(text) && !fraction.MatchString(text) {
		return nil, fmt.Errorf("%q is not a finite number: a decimal such as 0.1 or 1e-3, or a fraction such as 1/3, is expected", shortened(text))
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if e, err := strconv.Atoi(text[i+1:]); err != nil || e > maxStateExpo10 || e < -maxStateExpo10 {
			return nil, fmt.Errorf("%s has an exponent beyond ±%d", shortened(text), maxStateExpo10)
		}
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%s divides by zero", shortened(text))
	}
	return x, nil
}

func shortened(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// irrational reads a number A+B*root(C), which is a fraction if C is a square; ok is false if the text is none.
func irrational(text string) (v value, ok bool) {
	inside, ok := strings.CutSuffix(text, ")")
	sum, radicand, is := strings.Cut(inside, "*root(")
	if !ok || !is || len(text) > maxDigits {
		return v, false
	}
	rational, factor := "0", sum
	i := strings.LastIndexAny(sum, "+-")
	if i > 0 && strings.IndexByte("eE", sum[i-1]) >= 0 { // of an exponent
		i = strings.LastIndexAny(sum[:i], "+-")
	}
	if i > 0 {
		rational, factor = sum[:i], strings.TrimPrefix(sum[i:], "+")
	}
	var x eval.Surd
	var err error
	if x.A, err = exactly(rational); err == nil {
		if x.B, err = exactly(factor); err == nil {
			x.C, err = exactly(radicand)
		}
	}
	if err != nil {
		return v, false
	}
	return v, v.root(&x)
}

// root takes a number A + B·√C as the value; ok is false where C is not positive.
func (v *value) root(x *eval.Surd) (ok bool) {
	if x.C.Sign() <= 0 {
		return false
	}
	if r, err := (eval.Rational{}).Sqrt(x.C); err == nil || x.B.Sign() == 0 {
		v.number = new(big.Rat).Set(x.A)
		if err == nil {
			v.number.Add(v.number, r.Mul(r, x.B))
		}
		return true
	}
	v.number, v.surd = x.Near(), x
	return true
}

var cell = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_]*)\[([1-9][0-9]{0,2}),([1-9][0-9]{0,2})\]$`)

// flat notes a number under a name of [witness.Flatten]: "size n", "eta", "W[1,2]". Whether it was one says ok.
func (s *State) flat(name string, line int, x *big.Rat) (ok bool, err error) {
	if n, is := strings.CutPrefix(name, "size "); is {
		return true, s.put(n, &value{line: line, number: x, size: true})
	}
	m := cell.FindStringSubmatch(name)
	if m == nil {
		return false, nil
	}
	v := s.values[m[1]]
	if v == nil {
		v = &value{line: line, cells: map[[2]int]*big.Rat{}}
		if err := s.put(m[1], v); err != nil {
			return true, err
		}
	}
	i, _ := strconv.Atoi(m[2])
	j, _ := strconv.Atoi(m[3])
	if v.cells == nil || v.cells[[2]int{i, j}] != nil {
		return true, s.errorf(line, "key %s is given twice", name)
	}
	v.cells[[2]int{i, j}] = x
	return true, nil
}

// assemble makes matrices of single entries.
func (s *State) assemble() error {
	for _, name := range s.order {
		v := s.values[name]
		if v.cells == nil {
			continue
		}
		rows, cols := 0, 0
		for at := range v.cells {
			rows, cols = max(rows, at[0]), max(cols, at[1])
		}
		if rows > model.MaxSize*model.MaxSize || cols > model.MaxSize*model.MaxSize {
			return s.errorf(v.line, "%s: %d rows and %d columns are too many", name, rows, cols)
		}
		for i := 1; i <= rows; i++ {
			row := make([]*big.Rat, cols)
			for j := 1; j <= cols; j++ {
				if row[j-1] = v.cells[[2]int{i, j}]; row[j-1] == nil {
					return s.errorf(v.line, "%s[%d,%d] has no value", name, i, j)
				}
			}
			v.rows = append(v.rows, row)
		}
	}
	return nil
}

// certificate reads the lines dim and value of a certificate of a counterexample.
func (s *State) certificate(data []byte) error {
	var roots []*big.Rat
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, maxStateBytes)
	for line := 1; in.Scan(); line++ {
		words := strings.Fields(in.Text())
		switch {
		case len(words) == 2 && words[0] == "root":
			x, err := exactly(words[1])
			if err != nil || len(roots) > 0 {
				return s.errorf(line, "only the square root of one fraction can be read here")
			}
			roots = append(roots, x)
		case len(words) == 6 && words[0] == "value" && strings.Contains(words[5], ","):
			a, b, _ := strings.Cut(words[5], ",")
			x := &eval.Surd{}
			var err1, err2 error
			if x.A, err1 = exactly(a); err1 == nil {
				x.B, err2 = exactly(b)
			}
			v := &value{line: line}
			if err1 == nil && err2 == nil && len(roots) == 1 {
				x.C = roots[0]
			}
			if x.C == nil || words[2] != "1" || words[3] != "1" || words[4] != ":" || !v.root(x) {
				return s.errorf(line, "%s: %s is no number here", words[1], words[5])
			}
			if err := s.put(words[1], v); err != nil {
				return err
			}
		case len(words) == 3 && words[0] == "dim":
			x, err := exactly(words[2])
			if err == nil {
				err = s.put(words[1], &value{line: line, number: x, size: true})
			}
			if err != nil {
				return s.errorf(line, "%s: %v", words[1], err)
			}
		case len(words) > 4 && words[0] == "value" && words[4] == ":":
			r, err1 := strconv.Atoi(words[2])
			c, err2 := strconv.Atoi(words[3])
			if n := len(words) - 5; err1 != nil || err2 != nil || r < 1 || r > n || c != n/r || n%r != 0 {
				return s.errorf(line, "%s: the entries do not fit the shape", words[1])
			}
			v := &value{line: line}
			for i := range r {
				var row []*big.Rat
				for j := range c {
					x, err := exactly(words[5+i*c+j])
					if err != nil {
						return s.errorf(line, "%s row %d column %d: %v", words[1], i+1, j+1, err)
					}
					row = append(row, x)
				}
				v.rows = append(v.rows, row)
			}
			if err := s.put(words[1], v); err != nil {
				return err
			}
		}
	}
	if len(s.values) == 0 {
		return fmt.Errorf("statecheck: %s: this certificate holds no state; a counterexample's does", s.Name)
	}
	return in.Err()
}

// plain reads name=value pairs, matrices as [1 2; 3 4].
func (s *State) plain(data []byte) error {
	line := 1
	rest := string(data)
	between := func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '\ufeff' }
	skip := func() {
		after := strings.TrimLeftFunc(rest, between)
		line += strings.Count(rest[:len(rest)-len(after)], "\n")
		rest = after
	}
	for skip(); rest != ""; skip() {
		name, after, ok := strings.Cut(rest, "=")
		name = strings.TrimSpace(name)
		if !ok || strings.ContainsFunc(name, unicode.IsSpace) {
			return s.errorf(line, "%q: name=value is expected", shortened(strings.Fields(rest)[0]))
		}
		v := &value{line: line}
		line += strings.Count(rest[:len(rest)-len(after)], "\n")
		rest = strings.TrimLeft(after, " ")
		if inner, is := strings.CutPrefix(rest, "["); is {
			body, after, closed := strings.Cut(inner, "]")
			if !closed {
				return s.errorf(line, "%s: the matrix has no ]", name)
			}
			rest = after
			for i, r := range strings.Split(body, ";") {
				var row []*big.Rat
				for j, w := range strings.Fields(r) {
					x, err := exactly(w)
					if err != nil {
						return s.errorf(line, "%s row %d column %d: %v", name, i+1, j+1, err)
					}
					row = append(row, x)
				}
				v.rows = append(v.rows, row)
			}
			if err := s.rectangular(name, line, v.rows); err != nil {
				return err
			}
			line += strings.Count(body, "\n")
		} else {
			word := rest
			if i := strings.IndexFunc(rest, between); i >= 0 {
				word = rest[:i]
			}
			if x, ok := irrational(word); ok {
				v.number, v.surd = x.number, x.surd
			} else if x, err := exactly(word); err == nil {
				v.number = x
			} else {
				return s.errorf(line, "%s: %v", name, err)
			}
			rest = rest[len(word):]
		}
		if err := s.put(name, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) rectangular(name string, line int, rows [][]*big.Rat) error {
	if len(rows) == 0 {
		return s.errorf(line, "%s: empty matrix", name)
	}
	for i, r := range rows {
		switch {
		case len(r) == 0:
			return s.errorf(line, "%s row %d: empty row", name, i+1)
		case len(r) != len(rows[0]):
			return s.errorf(line, "%s row %d: %d columns where row 1 has %d", name, i+1, len(r), len(rows[0]))
		}
	}
	return nil
}

// jsonState reads the JSON forms.
type jsonState struct {
	*State
	data []byte
	json *json.Decoder
	surd *eval.Surd // the last irrational number read; what was read of it is a fraction near it
}

func (d *jsonState) line() int {
	return 1 + bytes.Count(d.data[:min(int(d.json.InputOffset()), len(d.data))], []byte("\n"))
}

func (d *jsonState) fail(format string, args ...any) error {
	return d.errorf(d.line(), format, args...)
}

// token returns the next token; where says what was being read.
func (d *jsonState) token(where string) (json.Token, error) {
	tok, err := d.json.Token()
	var syn *json.SyntaxError
	switch {
	case err == nil:
		return tok, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, d.fail("%s: the file ends in the middle", where)
	case errors.As(err, &syn):
		msg := syn.Error()
		// JSON has no words for these, so the decoder trips over a letter.
		rest := strings.TrimLeft(string(d.data[min(int(d.json.InputOffset()), len(d.data)):]), " \t\r\n,:[")
		for _, w := range []string{"NaN", "nan", "Inf", "inf", "-Inf", "-inf", "+"} {
			if strings.HasPrefix(rest, w) {
				msg = "not a finite number (" + msg + ")"
				break
			}
		}
		return nil, d.fail("%s: %s", where, msg)
	}
	return nil, d.fail("%s: %v", where, err)
}

// sections are the objects of a ledger's state.
var sections = []string{"sizes", "scalars", "matrices"}

func (d *jsonState) read() error {
	d.json.UseNumber()
	tok, err := d.token("state")
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return d.fail("a state is a JSON object {…}, not %s", describe(tok))
	}
	if err := d.members(""); err != nil {
		return err
	}
	if tok, err := d.json.Token(); !errors.Is(err, io.EOF) {
		if err != nil {
			return d.fail("after the state: %v", err)
		}
		return d.fail("after the state: unexpected %s", describe(tok))
	}
	return nil
}

// members reads an object's members after its opening brace; section is that of a ledger's state it is, or empty.
func (d *jsonState) members(section string) error {
	for {
		tok, err := d.token("state")
		if err != nil {
			return err
		}
		if tok == json.Delim('}') {
			return nil
		}
		name, line := tok.(string), d.line() // the decoder has checked that a key is a string
		if tok, err = d.token(name); err != nil {
			return err
		}
		if tok == json.Delim('{') && section == "" && slices.Contains(sections, name) {
			if err := d.members(name); err != nil {
				return err
			}
			continue
		}
		v := &value{line: line, size: section == "sizes"}
		if tok == json.Delim('[') {
			if err := d.array(name, v); err != nil {
				return err
			}
		} else {
			d.surd = nil
			if v.number, err = d.number(tok, name); err != nil {
				return err
			}
			if v.surd = d.surd; v.surd != nil && cell.MatchString(name) {
				return d.fail("%s: an irrational number is read as the value of a scalar, not as an entry", name)
			}
			if !v.size { // which is a name alone
				taken, err := d.flat(name, line, v.number)
				if err != nil {
					return err
				}
				if taken {
					continue
				}
			}
		}
		if err := d.put(name, v); err != nil {
			return err
		}
	}
}

// array reads an array of numbers or of rows after its opening bracket.
func (d *jsonState) array(name string, v *value) error {
	d.surd = nil
	tok, err := d.token(name)
	switch {
	case err != nil:
		return err
	case tok == json.Delim(']'):
		return d.fail("%s: empty array", name)
	case tok != json.Delim('['):
		if v.modes, err = d.numbers(tok, name); err == nil && d.surd != nil {
			err = d.fail("%s: an irrational number is read as a scalar or a matrix of one entry", name)
		}
		return err
	}
	for tok != json.Delim(']') {
		where := fmt.Sprintf("%s row %d", name, len(v.rows)+1)
		if tok != json.Delim('[') {
			return d.fail("%s: a row is an array of numbers, not %s", where, describe(tok))
		}
		if tok, err = d.token(where + " column 1"); err != nil {
			return err
		}
		row, err := d.numbers(tok, where)
		if err != nil {
			return err
		}
		v.rows = append(v.rows, row)
		if err := d.rectangular(name, d.line(), v.rows); err != nil {
			return err
		}
		if tok, err = d.token(name); err != nil {
			return err
		}
	}
	switch {
	case d.surd == nil:
	case len(v.rows) == 1 && len(v.rows[0]) == 1:
		v.number, v.surd, v.rows = v.rows[0][0], d.surd, nil
	default:
		return d.fail("%s: an irrational number is read as a scalar or a matrix of one entry", name)
	}
	return nil
}

// numbers reads the numbers of an array from its first token on.
func (d *jsonState) numbers(tok json.Token, where string) ([]*big.Rat, error) {
	xs := []*big.Rat{}
	for tok != json.Delim(']') {
		at := fmt.Sprintf("%s column %d", where, len(xs)+1)
		x, err := d.number(tok, at)
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
		if tok, err = d.token(fmt.Sprintf("%s column %d", where, len(xs)+1)); err != nil {
			return nil, err
		}
	}
	return xs, nil
}

func (d *jsonState) number(tok json.Token, where string) (*big.Rat, error) {
	text := ""
	switch v := tok.(type) {
	case json.Number:
		text = string(v)
	case string:
		text = v
	default:
		return nil, d.fail("%s: want a number, found %s", where, describe(tok))
	}
	if x, ok := irrational(text); ok {
		if x.surd != nil {
			d.surd = x.surd
		}
		return x.number, nil
	}
	x, err := exactly(text)
	if err != nil {
		return nil, d.fail("%s: %v", where, err)
	}
	return x, nil
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
