package golden

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a golden file; the schema needs 7.
const maxDepth = 24

// nodeKind is the JSON type of a node.
type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

// String returns the JSON name of the type.
func (k nodeKind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// node is one JSON value with the byte offset at which it starts.
type node struct {
	kind    nodeKind
	offset  int
	boolean bool
	number  float64
	text    string
	items   []*node  // of an array
	members []member // of an object, in file order
}

// member is one key of an object.
type member struct {
	key    string
	offset int
	value  *node
}

// get returns the value of key, or nil.
func (n *node) get(key string) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// syntaxError is a parse failure at a byte offset, inside the member named by field.
type syntaxError struct {
	offset int
	field  string
	msg    string
}

func (e *syntaxError) Error() string { return e.msg }

// parser reads JSON text (RFC 8259) into nodes, more strictly than encoding/json: a repeated key, invalid UTF-8, a
// lone surrogate, data after the value, and (when shortest is set) a number that is not written in its shortest form
// are errors. The last makes every digit of a file significant to its hash.
type parser struct {
	text     []byte
	pos      int
	shortest bool
	path     []string
}

// parseJSON returns the single value in text.
func parseJSON(text []byte, shortest bool) (*node, error) {
	p := &parser{text: text, shortest: shortest}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.text) {
		return nil, p.fail(p.pos, "data after the end of the JSON value")
	}
	return n, nil
}

func (p *parser) fail(offset int, format string, args ...any) error {
	return &syntaxError{offset: offset, field: joinPath(p.path), msg: fmt.Sprintf(format, args...)}
}

// joinPath writes [runs [2] final] as runs[2].final.
func joinPath(path []string) string {
	var b strings.Builder
	for _, s := range path {
		if b.Len() > 0 && !strings.HasPrefix(s, "[") {
			b.WriteByte('.')
		}
		b.WriteString(s)
	}
	return b.String()
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, p.fail(p.pos, "nested more than %d deep", maxDepth)
	}
	p.space()
	if p.pos >= len(p.text) {
		return nil, p.fail(p.pos, "truncated: the file ends where a value should start")
	}
	start := p.pos
	switch c := p.text[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.string()
		if err != nil {
			return nil, err
		}
		return &node{kind: stringNode, offset: start, text: s}, nil
	case c == '-' || '0' <= c && c <= '9':
		return p.numberValue()
	}
	for end := p.pos; ; end++ {
		if end < len(p.text) && (isLetter(p.text[end]) || end > p.pos && isDigit(p.text[end])) {
			continue
		}
		word := string(p.text[p.pos:end])
		p.pos = end
		switch word {
		case "null":
			return &node{kind: nullNode, offset: start}, nil
		case "true", "false":
			return &node{kind: boolNode, offset: start, boolean: word == "true"}, nil
		case "NaN", "nan", "Infinity", "inf", "Inf":
			return nil, p.fail(start, "%s is not a number", word)
		case "":
			return nil, p.fail(start, "unexpected %q", p.text[start])
		}
		if end == len(p.text) {
			return nil, p.fail(start, "truncated: the file ends in %q", word)
		}
		return nil, p.fail(start, "unexpected word %q", word)
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

func (p *parser) object(depth int) (*node, error) {
	n := &node{kind: objectNode, offset: p.pos}
	p.pos++
	seen := make(map[string]bool)
	for first := true; ; first = false {
		p.space()
		if p.pos >= len(p.text) {
			return nil, p.fail(p.pos, "truncated: the file ends inside an object")
		}
		if p.text[p.pos] == '}' && first {
			p.pos++
			return n, nil
		}
		if p.text[p.pos] != '"' {
			return nil, p.fail(p.pos, "expected a key, found %q", p.text[p.pos])
		}
		at := p.pos
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		p.path = append(p.path, key)
		if seen[key] {
			return nil, p.fail(at, "duplicate key %q", key)
		}
		seen[key] = true
		p.space()
		if p.pos >= len(p.text) {
			return nil, p.fail(p.pos, "truncated: the file ends after a key")
		}
		if p.text[p.pos] != ':' {
			return nil, p.fail(p.pos, "expected ':' after the key, found %q", p.text[p.pos])
		}
		p.pos++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		n.members = append(n.members, member{key: key, offset: at, value: v})
		done, err := p.next('}', "object")
		if err != nil || done {
			return n, err
		}
	}
}

func (p *parser) array(depth int) (*node, error) {
	n := &node{kind: arrayNode, offset: p.pos}
	p.pos++
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == ']' {
		p.pos++
		return n, nil
	}
	for i := 0; ; i++ {
		p.path = append(p.path, "["+strconv.Itoa(i)+"]")
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		n.items = append(n.items, v)
		done, err := p.next(']', "array")
		if err != nil || done {
			return n, err
		}
	}
}

// next consumes ',' (more follows) or the closing byte (done).
func (p *parser) next(closing byte, what string) (done bool, err error) {
	p.space()
	if p.pos >= len(p.text) {
		return false, p.fail(p.pos, "truncated: the file ends inside an %s", what)
	}
	switch p.text[p.pos] {
	case ',':
		p.pos++
		return false, nil
	case closing:
		p.pos++
		return true, nil
	}
	return false, p.fail(p.pos, "expected ',' or %q in an %s, found %q", closing, what, p.text[p.pos])
}

func (p *parser) string() (string, error) {
	start := p.pos
	p.pos++
	var b strings.Builder
	for {
		if p.pos >= len(p.text) {
			return "", p.fail(start, "truncated: the file ends inside a string")
		}
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return b.String(), nil
		case c < 0x20:
			return "", p.fail(p.pos, "control character %#02x in a string", c)
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
		default:
			r, size := utf8.DecodeRune(p.text[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail(p.pos, "invalid UTF-8")
			}
			b.WriteRune(r)
			p.pos += size
		}
	}
}

func (p *parser) escape() (rune, error) {
	at := p.pos
	if p.pos+1 >= len(p.text) {
		return 0, p.fail(at, "truncated: the file ends inside a string")
	}
	c := p.text[p.pos+1]
	p.pos += 2
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return 0, p.fail(at, "unknown escape \\%c", c)
	}
	hex := func() (rune, bool) {
		if p.pos+4 > len(p.text) {
			return 0, false
		}
		v, err := strconv.ParseUint(string(p.text[p.pos:p.pos+4]), 16, 16)
		p.pos += 4
		return rune(v), err == nil
	}
	r, ok := hex()
	if ok && utf16.IsSurrogate(r) {
		ok = p.pos+1 < len(p.text) && p.text[p.pos] == '\\' && p.text[p.pos+1] == 'u'
		if ok {
			p.pos += 2
			low, good := hex()
			r = utf16.DecodeRune(r, low)
			ok = good && r != utf8.RuneError
		}
	}
	if !ok {
		return 0, p.fail(at, "malformed \\u escape")
	}
	return r, nil
}

func (p *parser) numberValue() (*node, error) {
	start := p.pos
	digits := func() bool {
		from := p.pos
		for p.pos < len(p.text) && isDigit(p.text[p.pos]) {
			p.pos++
		}
		return p.pos > from
	}
	peek := func(set string) bool {
		return p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0
	}
	if peek("-") {
		p.pos++
	}
	lead := p.pos
	ok := digits() && (p.text[lead] != '0' || p.pos == lead+1)
	if ok && peek(".") {
		p.pos++
		ok = digits()
	}
	if ok && peek("eE") {
		p.pos++
		if peek("+-") {
			p.pos++
		}
		ok = digits()
	}
	if !ok {
		if p.pos >= len(p.text) {
			return nil, p.fail(start, "truncated: the file ends inside a number")
		}
		return nil, p.fail(start, "malformed number")
	}
	lit := string(p.text[start:p.pos])
	x, err := strconv.ParseFloat(lit, 64)
	if err != nil {
		return nil, p.fail(start, "the number %s does not fit a float64", lit)
	}
	if want := formatNumber(x); lit != want {
		if p.shortest {
			return nil, p.fail(start, "the number %s is not in the shortest form of its float64, which is %s", lit, want)
		}
		if math.Abs(x) >= maxExact && !strings.ContainsAny(lit, ".eE") {
			return nil, p.fail(start, "the integer %s is no float64, the nearest is %s", lit, want)
		}
	}
	return &node{kind: numberNode, offset: start, number: x}, nil
}

// formatNumber writes x as ECMAScript does, which is what RFC 8785 §3.2.2.3 asks for: the shortest digits that read
// back as x, plain between 1e-6 and 1e21 and with an exponent elsewhere; −0 is 0. It panics on NaN and infinities.
func formatNumber(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		panic("golden: number is not finite")
	}
	if x == 0 {
		return "0"
	}
	if a := math.Abs(x); a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	s := strconv.FormatFloat(x, 'e', -1, 64)
	mantissa, exp, _ := strings.Cut(s, "e")
	return mantissa + "e" + exp[:1] + strings.TrimLeft(exp[1:], "0")
}

// appendString writes s as RFC 8785 §3.2.2.2 asks: only the quote, the backslash and control characters are escaped.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		default:
			if j := strings.IndexByte("\b\t\n\f\r", c); j >= 0 {
				b = append(b, '\\', "btnfr"[j])
			} else {
				b = fmt.Appendf(b, `\u%04x`, c)
			}
		}
	}
	return append(b, '"')
}

// lessUTF16 orders keys by UTF-16 code units, as RFC 8785 §3.2.3 does.
func lessUTF16(a, b string) int {
	ascii := func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	}
	if ascii(a) && ascii(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// canonical appends n in the JSON Canonicalization Scheme (RFC 8785), leaving out the top-level member named skip.
func canonical(b []byte, n *node, skip string) []byte {
	switch n.kind {
	case nullNode:
		return append(b, "null"...)
	case boolNode:
		return strconv.AppendBool(b, n.boolean)
	case numberNode:
		return append(b, formatNumber(n.number)...)
	case stringNode:
		return appendString(b, n.text)
	case arrayNode:
		b = append(b, '[')
		for i, v := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = canonical(b, v, "")
		}
		return append(b, ']')
	}
	b = append(b, '{')
	first := true
	for _, m := range sortedMembers(n) {
		if skip != "" && m.key == skip {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, m.key)
		b = append(b, ':')
		b = canonical(b, m.value, "")
	}
	return append(b, '}')
}

func sortedMembers(n *node) []member {
	ms := slices.Clone(n.members)
	slices.SortFunc(ms, func(a, b member) int { return lessUTF16(a.key, b.key) })
	return ms
}

// pretty appends n with sorted keys, one member a line; containers of scalars stay on one line.
func pretty(b []byte, n *node, indent string) []byte {
	flat := func(v *node) bool { return v.kind < arrayNode }
	switch {
	case n.kind == arrayNode && !slices.ContainsFunc(n.items, func(v *node) bool { return !flat(v) }),
		n.kind == objectNode && len(n.members) == 0, flat(n):
		return canonical(b, n, "")
	case n.kind == arrayNode:
		b = append(b, '[')
		for i, v := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, "\n"+indent+" "...)
			b = pretty(b, v, indent+" ")
		}
		return append(b, "\n"+indent+"]"...)
	}
	b = append(b, '{')
	for i, m := range sortedMembers(n) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n"+indent+" "...)
		b = appendString(b, m.key)
		b = append(b, ": "...)
		b = pretty(b, m.value, indent+" ")
	}
	return append(b, "\n"+indent+"}"...)
}

// asSyntax returns the syntaxError in err, or nil.
func asSyntax(err error) *syntaxError {
	var s *syntaxError
	if errors.As(err, &s) {
		return s
	}
	return nil
}
