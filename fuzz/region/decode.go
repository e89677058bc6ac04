package region

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxBytes bounds a region file: the largest sensible one has a few dozen lines, and the memory of the YAML parser grows with the
// square of how deep brackets stand in one another, to half a gigabyte for this.
const maxBytes = 1 << 14

// maxSize bounds matrix sizes: exact arithmetic beyond it is out of reach.
const maxSize = 64

// ReadFile reads a region file.
func ReadFile(path string) (*Region, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("region: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("region: %s: %w", path, err)
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("region: %s: larger than %d bytes", path, maxBytes)
	}
	return Decode(text, path)
}

// Decode reads a region from text; name (of a file) begins every message.
func Decode(text []byte, name string) (*Region, error) {
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) && e.GetToken() != nil {
			return nil, fmt.Errorf("region: %s:%d: %s", name, e.GetToken().Position.Line, strings.ReplaceAll(e.GetMessage(), "\n", " "))
		}
		return nil, fmt.Errorf("region: %s: %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	d := decoder{name}
	var body ast.Node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, d.errorf(doc.Body, "a second document; a region file has one")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, fmt.Errorf("region: %s:1: an empty file; expected parameters, sizes or initial", name)
	}
	return d.region(body)
}

type decoder struct{ file string }

func line(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

func (d decoder) errorf(n ast.Node, format string, args ...any) error {
	return d.errorAt(line(n), format, args...)
}

func (d decoder) errorAt(line int, format string, args ...any) error {
	return fmt.Errorf("region: %s:%d: %s", d.file, line, fmt.Sprintf(format, args...))
}

// entry is one key of a mapping.
type entry struct {
	key   string
	line  int
	value ast.Node
}

// mapping returns the entries of a mapping in order; what says what it is.
func (d decoder) mapping(n ast.Node, what string) ([]entry, error) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return nil, d.errorf(n, "%s is %s; expected keys with values", what, kind(n))
	}
	var out []entry
	seen := map[string]int{}
	for _, v := range m.Values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			return nil, d.errorf(v.Key, "%s has a key that is not a plain name", what)
		}
		if at, twice := seen[key.Value]; twice {
			return nil, d.errorf(v.Key, "%s given twice, first in line %d", key.Value, at)
		}
		seen[key.Value] = line(v.Key)
		out = append(out, entry{key.Value, line(v.Key), v.Value})
	}
	if len(out) == 0 {
		return nil, d.errorf(n, "%s is empty", what)
	}
	return out, nil
}

// kind names the type of a node for a message.
func kind(n ast.Node) string {
	switch v := n.(type) {
	case nil:
		return "missing"
	case *ast.NullNode:
		return "missing"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "the truth value " + v.String()
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tagged value"
	}
	if t := n.GetToken(); t != nil {
		return shown(t.Value)
	}
	return "something else"
}

// shown quotes text of a file for a message, its beginning if it is long.
func shown(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%q… (%d characters)", string(r[:most]), len(r))
	}
	return strconv.Quote(s)
}

func (d decoder) region(n ast.Node) (*Region, error) {
	top, err := d.mapping(n, "the file")
	if err != nil {
		return nil, err
	}
	r := &Region{File: d.file}
	for _, e := range top {
		switch e.key {
		case "about":
			s, ok := text(e.value)
			if !ok {
				return nil, d.errorAt(e.line, "about is %s; expected text", kind(e.value))
			}
			r.About = s
		case "sizes":
			err = d.each(e, func(e entry) error {
				s, err := d.size(e)
				r.SizeRanges = append(r.SizeRanges, s)
				return err
			})
		case "parameters":
			err = d.each(e, func(e entry) error {
				b, err := d.box(e)
				r.Parameters = append(r.Parameters, b)
				return err
			})
		case "initial":
			err = d.each(e, func(e entry) error {
				x, err := d.distribution(e)
				r.Initial = append(r.Initial, x)
				return err
			})
		default:
			return nil, d.errorAt(e.line, "unknown key %s; expected about, sizes, parameters or initial", e.key)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.SizeRanges)+len(r.Parameters)+len(r.Initial) == 0 {
		return nil, d.errorf(n, "the file bounds nothing; expected parameters, sizes or initial")
	}
	return r, nil
}

// identifier is the form of names in the claim language.
var identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func (d decoder) each(e entry, f func(entry) error) error {
	es, err := d.mapping(e.value, e.key)
	if err != nil {
		return err
	}
	for _, x := range es {
		if !identifier.MatchString(x.key) {
			return d.errorAt(x.line, "%s is no name of the claim language", shown(x.key))
		}
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

func text(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), true
	}
	return "", false
}

// scalar returns the text of a number as it stands in the file: floats never pass through float64.
func scalar(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// number is the form of an exact number; at most three digits of exponent keep it small. A fraction has no leading
// zeros, with which package big would read it in octal.
var number = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?([eE][+-]?\d{1,3})?|(0|[1-9]\d*)/[1-9]\d*)$`)

func (d decoder) number(n ast.Node, line int, what string) (*big.Rat, error) {
	s, ok := scalar(n)
	if !ok {
		return nil, d.errorAt(line, "%s is %s; expected a number", what, kind(n))
	}
	// A long text is not looked at: its exact value would be as long.
	if len(s) > maxNumber {
		return nil, d.errorAt(line, "%s is %s; expected a number of at most %d characters", what, shown(s), maxNumber)
	}
	x, parsed := new(big.Rat), false
	if number.MatchString(s) {
		x, parsed = x.SetString(s)
	}
	if !parsed {
		return nil, d.errorAt(line, "%s is %s; expected a number such as 0.1, 1e-3 or 1/4", what, shown(s))
	}
	// Samples are float64 numbers: what they would round to infinity, or to fewer
	// digits than others, is no end of a box.
	switch size := new(big.Rat).Abs(x); {
	case size.Cmp(largest) > 0:
		return nil, d.errorAt(line, "%s is %s, beyond the largest number, about 1.8e308", what, shown(s))
	case size.Sign() > 0 && size.Cmp(smallest) < 0:
		return nil, d.errorAt(line, "%s is %s, nearer to 0 than the smallest number, about 2.2e-308", what, shown(s))
	}
	return x, nil
}

// maxNumber bounds the length of a number in characters.
const maxNumber = 100

// largest and smallest are the bounds of the sizes of normal float64 numbers.
var (
	largest  = new(big.Rat).SetFloat64(math.MaxFloat64)
	smallest = new(big.Rat).SetFloat64(0x1p-1022)
)

func (d decoder) size(e entry) (Size, error) {
	s := Size{Name: e.key, Line: e.line}
	t, ok := scalar(e.value)
	bad := d.errorAt(e.line, "size %s is %s; expected a number from 1 to %d, or a range such as 2..4", e.key, kind(e.value), maxSize)
	if !ok {
		return s, bad
	}
	lo, hi, isRange := strings.Cut(t, "..")
	if !isRange {
		hi = lo
	}
	var err1, err2 error
	s.Lo, err1 = strconv.Atoi(strings.TrimSpace(lo))
	s.Hi, err2 = strconv.Atoi(strings.TrimSpace(hi))
	if err1 != nil || err2 != nil || s.Lo < 1 || s.Hi < 1 || s.Lo > maxSize || s.Hi > maxSize {
		return s, bad
	}
	if s.Lo > s.Hi {
		return s, d.errorAt(e.line, "size %s: inverted bounds %d..%d", e.key, s.Lo, s.Hi)
	}
	return s, nil
}

func (d decoder) box(e entry) (Box, error) {
	b := Box{Name: e.key, Line: e.line}
	if _, ok := e.value.(*ast.MappingNode); !ok {
		x, err := d.number(e.value, e.line, "parameter "+e.key)
		if err != nil {
			if _, isNumber := scalar(e.value); isNumber {
				return b, err
			}
			return b, d.errorAt(e.line, "parameter %s is %s; expected a number or {from: …, to: …}", e.key, kind(e.value))
		}
		b.Lo, b.Hi = x, x
		return b, nil
	}
	es, err := d.mapping(e.value, "parameter "+e.key)
	if err != nil {
		return b, err
	}
	for _, x := range es {
		switch x.key {
		case "from":
			b.Lo, err = d.number(x.value, x.line, e.key+".from")
		case "to":
			b.Hi, err = d.number(x.value, x.line, e.key+".to")
		case "open":
			err = d.open(x, &b)
		case "scale":
			switch s, _ := scalar(x.value); s {
			case "linear":
			case "log":
				b.Scale = Log
			default:
				err = d.errorAt(x.line, "%s.scale is %s; expected linear or log", e.key, kind(x.value))
			}
		default:
			err = d.errorAt(x.line, "unknown key %s.%s; expected from, to, open or scale", e.key, x.key)
		}
		if err != nil {
			return b, err
		}
	}
	switch {
	case b.Lo == nil:
		return b, d.errorAt(e.line, "parameter %s has no from", e.key)
	case b.Hi == nil:
		return b, d.errorAt(e.line, "parameter %s has no to", e.key)
	case b.Lo.Cmp(b.Hi) > 0:
		return b, d.errorAt(e.line, "parameter %s: inverted bounds, from %s to %s", e.key, b.Lo.RatString(), b.Hi.RatString())
	case b.IsPoint() && (b.LoOpen || b.HiOpen):
		return b, d.errorAt(e.line, "parameter %s: an empty box, from %s to itself with an open end", e.key, b.Lo.RatString())
	case b.Scale == Log && b.Lo.Sign() <= 0:
		return b, d.errorAt(e.line, "parameter %s: a log scale from %s; it must start above 0", e.key, b.Lo.RatString())
	}
	return b, nil
}

// open reads the ends that are not part of a box.
func (d decoder) open(x entry, b *Box) error {
	ends := []ast.Node{x.value}
	if s, ok := x.value.(*ast.SequenceNode); ok {
		ends = s.Values
	}
	for _, n := range ends {
		switch s, _ := scalar(n); s {
		case "from":
			b.LoOpen = true
		case "to":
			b.HiOpen = true
		default:
			return d.errorAt(x.line, "%s.open is %s; expected from, to or [from, to]", b.Name, kind(n))
		}
	}
	return nil
}

func (d decoder) distribution(e entry) (Distribution, error) {
	out := Distribution{Name: e.key, Line: e.line}
	es, err := d.mapping(e.value, "initial "+e.key)
	if err != nil {
		return out, err
	}
	if len(es) > 1 {
		return out, d.errorAt(es[1].line, "initial %s has two distributions", e.key)
	}
	switch x := es[0]; x.key {
	case "normal":
		if out.Normal, err = d.number(x.value, x.line, e.key+".normal"); err != nil {
			return out, err
		}
		if out.Normal.Sign() <= 0 {
			return out, d.errorAt(x.line, "%s.normal is %s; expected a positive standard deviation", e.key, out.Normal.RatString())
		}
	case "uniform":
		s, ok := x.value.(*ast.SequenceNode)
		if !ok || len(s.Values) != 2 {
			return out, d.errorAt(x.line, "%s.uniform is %s; expected two ends such as [-1, 1]", e.key, kind(x.value))
		}
		if out.Lo, err = d.number(s.Values[0], x.line, e.key+".uniform"); err != nil {
			return out, err
		}
		if out.Hi, err = d.number(s.Values[1], x.line, e.key+".uniform"); err != nil {
			return out, err
		}
		if out.Lo.Cmp(out.Hi) > 0 {
			return out, d.errorAt(x.line, "%s.uniform: inverted bounds, from %s to %s", e.key, out.Lo.RatString(), out.Hi.RatString())
		}
	default:
		return out, d.errorAt(x.line, "unknown key %s.%s; expected normal or uniform", e.key, x.key)
	}
	return out, nil
}
