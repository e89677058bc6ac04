package interval

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file reads the Interval Test Language of the ITF1788 corpus (Nehmeier
// and Kiesner, 2013 ff.) and runs the assertions for which this package has the
// operation. A statement is
//
//	op operand… = operand… [signal NAME] ;

// operand is one argument or expected value of an assertion.
type operand struct {
	// kind is 'i' interval, 'n' number, 's' string, 'w' word, 'l' list.
	kind      byte
	interval  Interval
	decorated bool // with decoration, or NaI
	dec       Decoration
	number    float64
	text      string
}

// assertion is one statement of an .itl file.
type assertion struct {
	line   int
	op     string
	args   []operand
	want   []operand
	signal string
}

func (a assertion) isDecorated() bool {
	for _, o := range append(slices.Clone(a.args), a.want...) {
		if o.decorated {
			return true
		}
	}
	return false
}

// parseITL returns the assertions of a file.
func parseITL(src string) ([]assertion, error) {
	var out []assertion
	line := 1
	var tokens []string
	flush := func() error {
		a, err := parseStatement(tokens)
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		a.line = line
		out = append(out, a)
		tokens = nil
		return nil
	}
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(src[i:], "//"):
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case strings.HasPrefix(src[i:], "/*"):
			end := strings.Index(src[i:], "*/")
			if end < 0 {
				return nil, fmt.Errorf("line %d: comment not closed", line)
			}
			line += strings.Count(src[i:i+end], "\n")
			i += end + 2
		case c == '"' || c == '[':
			closing := map[byte]string{'"': `"`, '[': "]"}[c]
			end := strings.Index(src[i+1:], closing)
			if end < 0 {
				return nil, fmt.Errorf("line %d: %q not closed", line, c)
			}
			end += i + 2
			if c == '[' && end < len(src) && src[end] == '_' {
				for end < len(src) && !strings.ContainsRune(" \t\r\n;,", rune(src[end])) {
					end++
				}
			}
			tokens = append(tokens, src[i:end])
			i = end
		case c == '{' && len(tokens) > 0 && tokens[0] != "testcase":
			end := strings.IndexByte(src[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("line %d: list not closed", line)
			}
			tokens = append(tokens, src[i:i+end+1])
			i += end + 1
		case c == '{':
			tokens = nil // testcase NAME {
			i++
		case c == '}':
			if len(tokens) > 0 {
				return nil, fmt.Errorf("line %d: statement not closed", line)
			}
			i++
		case c == ';':
			if err := flush(); err != nil {
				return nil, err
			}
			i++
		case c == '=' || c == ',':
			tokens = append(tokens, string(c))
			i++
		default:
			end := i
			for end < len(src) && !strings.ContainsRune(" \t\r\n;,=[]{}\"", rune(src[end])) {
				end++
			}
			if end == i {
				return nil, fmt.Errorf("line %d: unexpected %q", line, c)
			}
			tokens = append(tokens, src[i:end])
			i = end
		}
	}
	if len(tokens) > 0 {
		return nil, fmt.Errorf("line %d: statement not closed", line)
	}
	return out, nil
}

func parseStatement(tokens []string) (assertion, error) {
	if len(tokens) < 3 {
		return assertion{}, fmt.Errorf("statement too short: %q", tokens)
	}
	a := assertion{op: tokens[0]}
	right := false
	for i := 1; i < len(tokens); i++ {
		switch token := tokens[i]; {
		case token == "=":
			right = true
		case token == ",":
		case token == "signal":
			if i+1 >= len(tokens) {
				return a, fmt.Errorf("%s: signal without a name", a.op)
			}
			i++
			a.signal = tokens[i]
		default:
			o, err := parseOperand(token)
			if err != nil {
				return a, fmt.Errorf("%s: %w", a.op, err)
			}
			if right {
				a.want = append(a.want, o)
			} else {
				a.args = append(a.args, o)
			}
		}
	}
	if len(a.want) == 0 {
		return a, fmt.Errorf("%s: nothing expected", a.op)
	}
	return a, nil
}

func parseOperand(token string) (operand, error) {
	switch token[0] {
	case '"':
		return operand{kind: 's', text: strings.Trim(token, `"`)}, nil
	case '{':
		return operand{kind: 'l', text: token}, nil
	case '[':
		body, dec, decorated := strings.Cut(token, "_")
		o := operand{kind: 'i', decorated: decorated}
		if decorated {
			i := slices.Index(decorationNames[:], dec)
			if i < 0 {
				return o, fmt.Errorf("unknown decoration in %s", token)
			}
			o.dec = Decoration(i)
		}
		inside := strings.TrimSpace(strings.Trim(body, "[]"))
		switch inside {
		case "nai":
			o.decorated = true
			return o, nil
		case "empty":
			o.interval = Empty()
			return o, nil
		case "entire":
			o.interval = Entire()
			return o, nil
		}
		lo, hi, two := strings.Cut(inside, ",")
		if !two {
			hi = lo
		}
		// An end is the float64 nearest to the decimal text.
		l, err := strconv.ParseFloat(hexExponent(lo), 64)
		if err != nil {
			return o, err
		}
		h, err := strconv.ParseFloat(hexExponent(hi), 64)
		if err != nil {
			return o, err
		}
		if !(l <= h) {
			return o, fmt.Errorf("%s is not an interval", token)
		}
		// Not through New: this is the corpus, not the code under test.
		o.interval = Interval{l, h}
		return o, nil
	}
	if f, err := strconv.ParseFloat(hexExponent(token), 64); err == nil {
		return operand{kind: 'n', number: f}, nil
	}
	return operand{kind: 'w', text: token}, nil
}

// hexExponent trims s and completes hexadecimal numbers for strconv.
func hexExponent(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if strings.Contains(s, "0x") && !strings.Contains(s, "p") {
		s += "p0"
	}
	return s
}

var unaryOps = map[string]struct {
	bare func(Interval) Interval
	dec  func(Decorated) Decorated
}{
	"pos":   {func(x Interval) Interval { return x }, func(x Decorated) Decorated { return x }},
	"neg":   {Interval.Neg, Decorated.Neg},
	"recip": {Interval.Recip, Decorated.Recip},
	"sqr":   {Interval.Sqr, Decorated.Sqr},
	"sqrt":  {Interval.Sqrt, Decorated.Sqrt},
	"abs":   {Interval.Abs, Decorated.Abs},
	"exp":   {Interval.Exp, Decorated.Exp},
	"log":   {Interval.Log, Decorated.Log},
	"sin":   {Interval.Sin, Decorated.Sin},
	"cos":   {Interval.Cos, Decorated.Cos},
	"atan":  {Interval.Atan, Decorated.Atan},
	"exp2":  {Interval.Exp2, Decorated.Exp2},
	"exp10": {Interval.Exp10, Decorated.Exp10},
	"log2":  {Interval.Log2, Decorated.Log2},
	"log10": {Interval.Log10, Decorated.Log10},
	"tan":   {Interval.Tan, Decorated.Tan},
	"asin":  {Interval.Asin, Decorated.Asin},
	"acos":  {Interval.Acos, Decorated.Acos},
	"sinh":  {Interval.Sinh, Decorated.Sinh},
	"cosh":  {Interval.Cosh, Decorated.Cosh},
	"tanh":  {Interval.Tanh, Decorated.Tanh},
	"asinh": {Interval.Asinh, Decorated.Asinh},
	"acosh": {Interval.Acosh, Decorated.Acosh},
	"atanh": {Interval.Atanh, Decorated.Atanh},
	// The reverse operations have no decoration of their own.
	"absRev": {func(c Interval) Interval { return AbsRev(c, Entire()) }, nil},
	"sqrRev": {func(c Interval) Interval { return SqrRev(c, Entire()) }, nil},
}

var binaryOps = map[string]struct {
	bare func(x, y Interval) Interval
	dec  func(x, y Decorated) Decorated
}{
	"add":          {Interval.Add, Decorated.Add},
	"sub":          {Interval.Sub, Decorated.Sub},
	"mul":          {Interval.Mul, Decorated.Mul},
	"div":          {Interval.Div, Decorated.Div},
	"min":          {Interval.Min, Decorated.Min},
	"max":          {Interval.Max, Decorated.Max},
	"pow":          {Interval.Pow, Decorated.Pow},
	"intersection": {Interval.Intersect, Decorated.Intersect},
	"convexHull":   {Interval.Hull, Decorated.Hull},
	"atan2":        {Interval.Atan2, Decorated.Atan2},
	"cancelMinus":  {Interval.CancelMinus, Decorated.CancelMinus},
	"cancelPlus":   {Interval.CancelPlus, Decorated.CancelPlus},
	"absRevBin":    {AbsRev, nil},
	"sqrRevBin":    {SqrRev, nil},
	"mulRev":       {func(b, c Interval) Interval { return MulRev(b, c, Entire()) }, nil},
}

var numericOps = map[string]func(Interval) []float64{
	"inf": func(x Interval) []float64 { return []float64{x.Lo()} },
	"sup": func(x Interval) []float64 { return []float64{x.Hi()} },
	"mid": func(x Interval) []float64 { return []float64{x.Mid()} },
	"rad": func(x Interval) []float64 { return []float64{x.Rad()} },
	"wid": func(x Interval) []float64 { return []float64{x.Wid()} },
	"mag": func(x Interval) []float64 { return []float64{x.Mag()} },
	"mig": func(x Interval) []float64 { return []float64{x.Mig()} },
	"midRad": func(x Interval) []float64 {
		return []float64{x.Mid(), x.Rad()}
	},
}

var predicates = map[string]func(Interval) bool{
	"isEmpty":          Interval.IsEmpty,
	"isEntire":         Interval.IsEntire,
	"isCommonInterval": Interval.IsBounded,
	"isSingleton":      Interval.IsPoint,
}

var relations = map[string]func(x, y Interval) bool{
	"equal":          Interval.Equal,
	"subset":         Interval.Subset,
	"interior":       Interval.Interior,
	"disjoint":       Interval.Disjoint,
	"less":           Interval.WeaklyLess,
	"strictLess":     Interval.StrictlyLess,
	"precedes":       Interval.Precedes,
	"strictPrecedes": Interval.StrictlyPrecedes,
}

// tightOps must give exactly the expected interval; others must contain it.
var tightOps = []string{
	"pos", "neg", "add", "sub", "mul", "div", "recip", "sqr", "sqrt", "abs", "min", "max",
	"fma", "cancelMinus", "cancelPlus", "mulRev", "mulRevTen", "mulRevToPair", "absRev", "absRevBin",
	"sqrRev", "sqrRevBin", "pownRev", "pownRevBin", "intersection", "convexHull", "intervalPart", "newDec", "setDec",
	"b-textToInterval", "d-textToInterval", "b-numsToInterval", "d-numsToInterval",
}

// decorate rebuilds the decorated interval an operand denotes.
func (o operand) decorate() Decorated {
	if !o.decorated {
		return Decorate(o.interval)
	}
	return Decorated{o.interval, o.dec}
}

// run evaluates an assertion. known is false if the package has no such
// operation; tight tells that an interval result equals the expected one; why
// explains a failure.
func (a assertion) run() (known, tight bool, why string) {
	bare := func(i int) Interval { return a.args[i].interval }
	nai := false
	for _, o := range a.args {
		nai = nai || o.kind == 'i' && o.decorated && o.dec == Ill
	}
	if op, ok := unaryOps[a.op]; ok {
		if a.isDecorated() {
			if op.dec == nil {
				return a.judgeReverse(op.bare(bare(0)))
			}
			return a.judgeDecorated(op.dec(a.args[0].decorate()), nil)
		}
		return a.judge(op.bare(bare(0)), nil)
	}
	if op, ok := binaryOps[a.op]; ok {
		if a.isDecorated() {
			if op.dec == nil {
				return a.judgeReverse(op.bare(bare(0), bare(1)))
			}
			return a.judgeDecorated(op.dec(a.args[0].decorate(), a.args[1].decorate()), nil)
		}
		return a.judge(op.bare(bare(0), bare(1)), nil)
	}
	if op, ok := numericOps[a.op]; ok && !nai {
		got := op(bare(0))
		for i, w := range a.want {
			if !(got[i] == w.number || math.IsNaN(got[i]) && math.IsNaN(w.number)) {
				return true, false, fmt.Sprintf("got %x", got)
			}
		}
		return true, true, ""
	}
	truth := func(got bool) (bool, bool, string) {
		if strconv.FormatBool(got) != a.want[0].text {
			return true, false, fmt.Sprintf("got %v", got)
		}
		return true, true, ""
	}
	if op, ok := predicates[a.op]; ok && !nai {
		return truth(op(bare(0)))
	}
	if op, ok := relations[a.op]; ok && !nai {
		return truth(op(bare(0), bare(1)))
	}
	switch a.op {
	case "isNaI":
		return truth(a.args[0].decorate().IsNaI())
	case "isMember":
		if nai {
			return false, false, ""
		}
		return truth(bare(1).Contains(a.args[0].number))
	case "pown":
		n := int(a.args[1].number)
		if a.isDecorated() {
			return a.judgeDecorated(a.args[0].decorate().PowInt(n), nil)
		}
		return a.judge(bare(0).PowInt(n), nil)
	case "fma":
		if a.isDecorated() {
			return a.judgeDecorated(a.args[0].decorate().FMA(a.args[1].decorate(), a.args[2].decorate()), nil)
		}
		return a.judge(bare(0).FMA(bare(1), bare(2)), nil)
	case "pownRev":
		return a.judgeReverse(PowIntRev(bare(0), Entire(), int(a.args[1].number)))
	case "pownRevBin":
		return a.judgeReverse(PowIntRev(bare(0), bare(1), int(a.args[2].number)))
	case "mulRevTen":
		return a.judgeReverse(MulRev(bare(0), bare(1), bare(2)))
	case "mulRevToPair":
		if a.isDecorated() {
			p, q := DecoratedMulRevToPair(a.args[0].decorate(), a.args[1].decorate())
			first, second := a, a
			first.want, second.want = a.want[:1], a.want[1:]
			known, tight1, why1 := first.judgeDecorated(p, nil)
			_, tight2, why2 := second.judgeDecorated(q, nil)
			return known, tight1 && tight2, why1 + why2
		}
		p, q := MulRevToPair(bare(0), bare(1))
		if p != a.want[0].interval || q != a.want[1].interval {
			return true, false, fmt.Sprintf("got %v %v", p, q)
		}
		return true, true, ""
	case "b-textToInterval":
		return a.judge(Parse(a.args[0].text))
	case "d-textToInterval":
		return a.judgeDecorated(ParseDecorated(a.args[0].text))
	case "b-numsToInterval":
		return a.judge(New(a.args[0].number, a.args[1].number))
	case "d-numsToInterval":
		x, err := New(a.args[0].number, a.args[1].number)
		if err != nil {
			return a.judgeDecorated(Decorated{}, err)
		}
		return a.judgeDecorated(Decorate(x), nil)
	case "intervalPart":
		return a.judge(a.args[0].decorate().Interval())
	case "decorationPart":
		got := a.args[0].decorate().Decoration().String()
		if got != a.want[0].text {
			return true, false, "got " + got
		}
		return true, true, ""
	case "newDec":
		return a.judgeDecorated(Decorate(bare(0)), nil)
	case "setDec":
		d := Decoration(slices.Index(decorationNames[:], a.args[1].text))
		got := Decorate(bare(0)).With(d)
		var err error
		if got.IsNaI() {
			err = ErrInvalid
		}
		return a.judgeDecorated(got, err)
	}
	return false, false, ""
}

// judge compares a bare result. An assertion that signals an undefined
// operation expects an error, with Entire as the value instead of the corpus's
// empty set (see ErrInvalid). One that signals a possibly undefined operation
// has ends whose order float64 cannot tell; this package tells it exactly, so
// both the expected value and an error are right (TestParse has each).
func (a assertion) judge(got Interval, err error) (known, tight bool, why string) {
	if a.signal == "UndefinedOperation" || a.signal == "IntvlPartOfNaI" {
		if err == nil || !got.IsEntire() {
			return true, false, fmt.Sprintf("got %v, error %v", got, err)
		}
		return true, true, ""
	}
	if err != nil {
		if a.signal == "PossiblyUndefinedOperation" {
			return true, true, ""
		}
		return true, false, err.Error()
	}
	want := a.want[0].interval
	tight = got == want
	if !want.Subset(got) || !tight && slices.Contains(tightOps, a.op) {
		return true, tight, fmt.Sprintf("got %x %x", got.Lo(), got.Hi())
	}
	return true, tight, ""
}

// judgeReverse compares the interval of a reverse operation, whose decoration is Trivial
// by definition, or NaI if an argument is.
func (a assertion) judgeReverse(got Interval) (known, tight bool, why string) {
	if !a.isDecorated() {
		return a.judge(got, nil)
	}
	args := make([]Decorated, 0, len(a.args))
	for _, o := range a.args {
		if o.kind == 'i' {
			args = append(args, o.decorate())
		}
	}
	return a.judgeDecorated(combine(got, Trivial, args...), nil)
}

func (a assertion) judgeDecorated(got Decorated, err error) (known, tight bool, why string) {
	want := a.want[0].decorate()
	if a.signal == "PossiblyUndefinedOperation" && err != nil && got.IsNaI() {
		return true, true, ""
	}
	if (a.signal == "UndefinedOperation") != (err != nil) {
		return true, false, fmt.Sprintf("got %v, error %v", got, err)
	}
	if got.Decoration() != want.Decoration() {
		return true, false, fmt.Sprintf("got %v", got)
	}
	if want.IsNaI() {
		return true, true, ""
	}
	tight = got.interval == want.interval
	if !want.interval.Subset(got.interval) || !tight && slices.Contains(tightOps, a.op) {
		return true, tight, fmt.Sprintf("got %v", got)
	}
	return true, tight, ""
}

// notProvided says why the operations of the corpus that this package lacks are none of
// its job; README has the table. With NaI as an argument, predicates, relations and
// numeric functions have no answer here: Decorated.Interval returns an error.
var notProvided = map[string]string{
	"overlap":         "a classification of sixteen cases; callers ask for one relation",
	"sum_nearest":     "a reduction of numbers, rounded to nearest, encloses nothing",
	"sum_abs_nearest": "a reduction of numbers, rounded to nearest, encloses nothing",
	"sum_sqr_nearest": "a reduction of numbers, rounded to nearest, encloses nothing",
	"dot_nearest":     "a reduction of numbers, rounded to nearest, encloses nothing",
	"sign":            "piecewise constant; no expression of the suite has it",
	"ceil":            "piecewise constant; no expression of the suite has it",
	"floor":           "piecewise constant; no expression of the suite has it",
	"trunc":           "piecewise constant; no expression of the suite has it",
	"roundTiesToEven": "piecewise constant; no expression of the suite has it",
	"roundTiesToAway": "piecewise constant; no expression of the suite has it",
	"sinRev":          "contraction runs over polynomials, quotients and roots only",
	"sinRevBin":       "contraction runs over polynomials, quotients and roots only",
	"cosRev":          "contraction runs over polynomials, quotients and roots only",
	"cosRevBin":       "contraction runs over polynomials, quotients and roots only",
	"tanRev":          "contraction runs over polynomials, quotients and roots only",
	"tanRevBin":       "contraction runs over polynomials, quotients and roots only",
	"coshRev":         "contraction runs over polynomials, quotients and roots only",
	"coshRevBin":      "contraction runs over polynomials, quotients and roots only",
}

// looseInCorpus are assertions whose expected interval is one unit wider than the
// tightest one: the seventh power of 0x1.588cea3f093bdp+153 is below 2^1074 still (see
// TestRootsAreTightest).
var looseInCorpus = map[string]bool{
	"libieeep1788_rev.itl:276": true, "libieeep1788_rev.itl:277": true,
	"libieeep1788_rev.itl:477": true, "libieeep1788_rev.itl:478": true,
}

// takesNaI reports whether an argument is NaI.
func (a assertion) takesNaI() bool {
	for _, o := range a.args {
		if o.kind == 'i' && o.decorated && o.dec == Ill {
			return true
		}
	}
	return false
}

func TestITLParser(t *testing.T) {
	const src = `
/* a comment; with a semicolon
   over two lines */
testcase first.a {
    add [1.0, 2.0]_com [-infinity,0X1.8P+1] = [-infinity, 5.0]_dac; // tail
    midRad [empty] = NaN NaN;
    b-textToInterval "[1;2" = [empty] signal UndefinedOperation;
}
testcase second {
    sum_nearest {1.0, 2.0} = 3.0;
    setDec [1.0,2.0] com
       = [1.0,2.0]_com;
}
`
	got, err := parseITL(src)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 {
		t.Fatalf("%d assertions, want 5", len(got))
	}
	a := got[0]
	if a.op != "add" || len(a.args) != 2 || a.args[0].dec != Common || a.args[1].decorated ||
		a.args[1].interval != (Interval{math.Inf(-1), 3}) || a.want[0].dec != Continuous || a.line != 5 {
		t.Errorf("add: %+v", a)
	}
	if a := got[1]; len(a.want) != 2 || !math.IsNaN(a.want[1].number) || !a.args[0].interval.IsEmpty() {
		t.Errorf("midRad: %+v", a)
	}
	if a := got[2]; a.signal != "UndefinedOperation" || a.args[0].text != "[1;2" {
		t.Errorf("textToInterval: %+v", a)
	}
	if a := got[3]; a.args[0].kind != 'l' {
		t.Errorf("sum: %+v", a)
	}
	if a := got[4]; a.args[1].text != "com" || a.want[0].dec != Common {
		t.Errorf("setDec: %+v", a)
	}
	for _, bad := range []string{
		"testcase a { add [1,2] [3,4] = [4,6]", "testcase a { add [1,2] [3,4 = [4,6]; }",
		"testcase a { neg [2,1] = [1,2]; }", "testcase a { neg [1,2]_xyz = [1,2]; }", "/* open",
		"testcase a { neg [1,2]; }", `testcase a { b-textToInterval "x; }`,
	} {
		if _, err := parseITL(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// corpusFolder returns the folder of the ITF1788 corpus beside the project's
// root, or skips the test.
func corpusFolder(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			t.Fatal("no go.mod above the test")
		}
		root = parent
	}
	folder := filepath.Join(root, "..", "shared", "data", "itf1788")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("../shared/data/itf1788 (the ITF1788 corpus, relative to the project's root) is missing")
	}
	return folder
}

func TestITF1788Corpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpusFolder(t), "*.itl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .itl files: %v", err)
	}
	var report strings.Builder
	fmt.Fprintf(&report, "\n%-28s %6s %6s %6s %6s  %s\n", "file", "run", "passed", "tight", "unsup.", "unsupported operations")
	var run, passed, tights, unsupported, statements int
	lacking := map[string]bool{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		assertions, err := parseITL(string(src))
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		statements += countStatements(string(src))
		var r, p, g int
		missing := map[string]int{}
		for _, a := range assertions {
			known, tight, why := a.run()
			if !known {
				missing[a.op]++
				lacking[a.op] = true
				if notProvided[a.op] == "" && !a.takesNaI() {
					t.Errorf("%s:%d: %s is not provided, and no reason is given", filepath.Base(file), a.line, a.op)
				}
				continue
			}
			r++
			if why != "" && looseInCorpus[fmt.Sprintf("%s:%d", filepath.Base(file), a.line)] {
				why = ""
			}
			if why != "" {
				t.Errorf("%s:%d: %s %v: %s", filepath.Base(file), a.line, a.op, a.args, why)
				continue
			}
			p++
			if tight {
				g++
			}
		}
		u := len(assertions) - r
		run, passed, tights, unsupported = run+r, passed+p, tights+g, unsupported+u
		var names []string
		for op, n := range missing {
			names = append(names, fmt.Sprintf("%s:%d", op, n))
		}
		slices.Sort(names)
		fmt.Fprintf(&report, "%-28s %6d %6d %6d %6d  %s\n", filepath.Base(file), r, p, g, u, strings.Join(names, " "))
	}
	fmt.Fprintf(&report, "%-28s %6d %6d %6d %6d", "total", run, passed, tights, unsupported)
	t.Log(report.String())
	for op := range notProvided {
		if !lacking[op] {
			t.Errorf("%s is said not to be provided, and is, or is not in the corpus", op)
		}
	}
	if statements != run+unsupported {
		t.Errorf("%d statements in the files, %d read", statements, run+unsupported)
	}
}

// countStatements counts the lines that end a statement, without the parser.
func countStatements(src string) (n int) {
	src = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(src, "")
	for _, line := range strings.Split(src, "\n") {
		code, _, _ := strings.Cut(line, "//")
		n += strings.Count(strings.TrimSpace(code)+"\n", ";\n")
	}
	return n
}

// TestITF1788NoticesDefects breaks one expected value of each kind and requires
// the assertion to fail.
func TestITF1788NoticesDefects(t *testing.T) {
	for _, statement := range []string{
		"add [1.0,2.0] [3.0,4.0] = [3.0,6.0]",  // not tight
		"exp [0.0,1.0] = [0.5,2.0]",            // not contained
		"sqrt [-5.0,25.0]_com = [0.0,5.0]_com", // decoration
		"mid [0.0,2.0] = 1.5",                  // number
		"less [1.0,2.0] [0.0,1.0] = true",      // truth
		`b-textToInterval "[1,2" = [1.0,2.0]`,  // missing signal
		`b-textToInterval "[1,2]" = [empty] signal UndefinedOperation`,
		"decorationPart [1.0,2.0]_def = com",
		"setDec [1.0,2.0] ill = [1.0,2.0]_trv",
		"cancelMinus [1.0,5.0] [1.0,2.0] = [0.0,2.0]",
		"mulRevToPair [-1.0,1.0] [1.0,2.0] = [-infinity,-1.0] [2.0,infinity]",
		"mulRevToPair [1.0,2.0]_com [1.0,2.0]_com = [0.5,2.0]_trv [empty]_trv",
		"pownRev [8.0,8.0] 3 = [2.0,3.0]",
		"sqrRev [4.0,4.0]_com = [-2.0,2.0]_com",
		"fma [1.0,1.0] [1.0,1.0] [1.0,1.0] = [2.0,3.0]",
		"atan2 [0.0,1.0]_com [-2.0,-1.0]_com = [2.0,4.0]_com",
		"asin [0.0,1.0] = [0.0,1.6]",
	} {
		a, err := parseITL("testcase t { " + statement + "; }")
		if err != nil {
			t.Fatal(err)
		}
		if known, _, why := a[0].run(); !known || why == "" {
			t.Errorf("%s: not noticed", statement)
		}
	}
}
