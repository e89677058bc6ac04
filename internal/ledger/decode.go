package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBytes bounds the file of a ledger; that of the built-in claims has less than a million.
const maxBytes = 256 << 20

// ReadFile reads a ledger from a file; see [Decode].
func ReadFile(path string) (*Ledger, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("ledger: %s: larger than %d bytes", path, maxBytes)
	}
	return Decode(path, data)
}

// Decode reads a ledger. It is strict: an unknown or repeated member, a value of the wrong type, a word
// outside a closed set, a repeated id, a control character, or anything after the ledger is an error that names the file and the
// line or the member.
func Decode(name string, data []byte) (*Ledger, error) {
	at := func(off int64) string {
		off = min(max(off, 0), int64(len(data)))
		return fmt.Sprintf("%s:%d", name, 1+bytes.Count(data[:off], []byte("\n")))
	}
	if off, err := malformed(data); err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", at(off), err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var l Ledger
	if err := dec.Decode(&l); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			if typ.Field == "" {
				return nil, fmt.Errorf("ledger: %s: %s where an object is expected", at(typ.Offset), typ.Value)
			}
			return nil, fmt.Errorf("ledger: %s: %s: %s where %s is expected", at(typ.Offset), typ.Field, typ.Value, typ.Type)
		}
		return nil, fmt.Errorf("ledger: %s: %s", at(dec.InputOffset()), strings.TrimPrefix(err.Error(), "json: "))
	}
	if err := l.validate(); err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", name, err)
	}
	return &l, nil
}

// malformed returns an error, and where it is, if the data is not one JSON value, an object in it gives a member twice, of which the
// decoder of the standard library keeps the last one silently, or a text would not be shown as it is.
func malformed(data []byte) (int64, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	type frame struct {
		keys    map[string]bool // nil in an array
		wantKey bool
	}
	var stack []frame
	for started := false; ; started = true {
		tok, err := dec.Token()
		if err == io.EOF {
			if !started || len(stack) > 0 {
				return dec.InputOffset(), errors.New("the file ends in the middle")
			}
			return 0, nil
		}
		if err != nil {
			var syn *json.SyntaxError
			if errors.As(err, &syn) {
				return syn.Offset, err
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return int64(len(data)), errors.New("the file ends in the middle")
			}
			return dec.InputOffset(), err
		}
		if started && len(stack) == 0 {
			return dec.InputOffset(), errors.New("something follows the ledger")
		}
		if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if text, is := tok.(string); is {
			if i := strings.IndexFunc(text, disguises); i >= 0 {
				r, _ := utf8.DecodeRuneInString(text[i:])
				return dec.InputOffset(), fmt.Errorf("the character %U moves or hides others where it is shown", r)
			}
		}
		if n := len(stack); n > 0 && stack[n-1].keys != nil {
			top := &stack[n-1]
			if top.wantKey {
				key := tok.(string)
				if top.keys[key] {
					return dec.InputOffset(), fmt.Errorf("member %q is given twice", key)
				}
				top.keys[key] = true
				top.wantKey = false
				continue
			}
			top.wantKey = true
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, frame{keys: map[string]bool{}, wantKey: true})
		case json.Delim('['):
			stack = append(stack, frame{})
		}
	}
}

// disguises reports whether a character moves or hides others where a text is shown, or ends its line.
func disguises(r rune) bool {
	return r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

func (l *Ledger) validate() error {
	if l.Schema != Schema {
		return fmt.Errorf("schema: %q where %q is expected", l.Schema, Schema)
	}
	verdict := func(field string, v Verdict) error {
		if !slices.Contains(Verdicts, v) {
			return fmt.Errorf("%s: %q is not a verdict; expected one of %s", field, v, words(Verdicts))
		}
		return nil
	}
	seen := map[string]bool{}
	for i, c := range l.Claims {
		f := fmt.Sprintf("claims[%d]", i)
		if c.ID == "" {
			return fmt.Errorf("%s.id: missing", f)
		}
		if seen[c.ID] {
			return fmt.Errorf("%s.id: %s occurs twice", f, c.ID)
		}
		seen[c.ID] = true
		if err := verdict(f+".verdict", c.Verdict); err != nil {
			return err
		}
		if c.Corrected != nil {
			if err := verdict(f+".corrected.verdict", c.Corrected.Verdict); err != nil {
				return err
			}
		}
		for j, e := range c.Evidence {
			g := fmt.Sprintf("%s.evidence[%d]", f, j)
			if !slices.Contains(Kinds, e.Kind) {
				return fmt.Errorf("%s.kind: %q is not a kind of evidence; expected one of %s", g, e.Kind, words(Kinds))
			}
			if err := verdict(g+".verdict", e.Verdict); err != nil {
				return err
			}
		}
		for j, t := range c.Twins {
			if err := verdict(fmt.Sprintf("%s.twins[%d].verdict", f, j), t.Verdict); err != nil {
				return err
			}
		}
	}
	return nil
}

func words[T ~string](ws []T) string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
