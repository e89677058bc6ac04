package interval

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

const (
	// maxText bounds the length of a literal, so that its exact value stays
	// small; the longest literal of the ITF1788 corpus has 313 characters.
	maxText = 4096
	// maxExponent bounds the decimal or binary exponent of a number. float64
	// needs exponents to ±324 and ±1074; ten times that leaves room for numbers
	// that only bound an overflow.
	maxExponent = 10740
)

var (
	decimalNumber  = regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e([+-]?[0-9]+))?$`)
	hexNumber      = regexp.MustCompile(`^[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p([+-]?[0-9]+))?$`)
	leadingZeros   = regexp.MustCompile(`(^|[+/-])0+([0-9])`)
	rationalNumber = regexp.MustCompile(`^[+-]?[0-9]+/0*[1-9][0-9]*$`)
	infinity       = regexp.MustCompile(`^([+-]?)inf(?:inity)?$`)
	uncertain      = regexp.MustCompile(`^([+-]?[0-9]+)(?:\.([0-9]*))?\?(\?|[0-9]*)([ud]?)(?:e([+-]?[0-9]+))?$`)
)

// Parse returns the tightest interval that contains the set a literal denotes.
// The literals are those of IEEE 1788-2015, 9.7.1 and 12.11, case ignored:
//
//	[a, b]  [a]  [a,]  [,b]  [,]  [entire]  [empty]  []
//	m?r  m?ru  m?rd  m??  m?rEe        uncertain form: m ± r last digits
//
// and a number on its own. A number is decimal (1.5e-3), hexadecimal
// (0x1.8p-4) or rational (2/3); an end may be inf. Every number is read
// exactly and rounded outward once. The error wraps ErrInvalid, with Entire as
// the value.
func Parse(text string) (Interval, error) {
	lit, err := parseLiteral(text)
	if err != nil {
		return Entire(), err
	}
	return lit.enclosure(), nil
}

// literal is the exact set a text denotes; a nil end is unbounded.
type literal struct {
	lo, hi *big.Rat
	empty  bool
}

// enclosure returns the tightest interval that contains the set.
func (l literal) enclosure() Interval {
	if l.empty {
		return Empty()
	}
	x := Entire()
	if l.lo != nil {
		x.lo = ratDown(l.lo)
	}
	if l.hi != nil {
		x.hi = ratUp(l.hi)
	}
	return x
}

// parseLiteral reads the literals of Parse exactly.
func parseLiteral(text string) (literal, error) {
	l, err := scanLiteral(strings.ToLower(strings.TrimSpace(text)))
	if err == nil && l.lo != nil && l.hi != nil && l.lo.Cmp(l.hi) > 0 {
		err = errors.New("the lower end exceeds the upper")
	}
	if err != nil {
		if len(text) > 80 {
			text = text[:80] + "…"
		}
		return literal{}, fmt.Errorf("%w: %q: %v", ErrInvalid, text, err)
	}
	return l, nil
}

// scanLiteral reads the trimmed lower-case text s.
func scanLiteral(s string) (l literal, err error) {
	if len(s) > maxText {
		return l, errors.New("literal too long")
	}
	inside, bracket := strings.CutPrefix(s, "[")
	if !bracket {
		if m := uncertain.FindStringSubmatch(s); m != nil {
			return parseUncertain(m)
		}
		r, err := parseNumber(s)
		return literal{lo: r, hi: r}, err
	}
	inside, bracket = strings.CutSuffix(inside, "]")
	if !bracket {
		return l, errors.New("no closing bracket")
	}
	inside = strings.TrimSpace(inside)
	switch inside {
	case "", "empty":
		return literal{empty: true}, nil
	case "entire":
		return l, nil
	}
	first, second, two := strings.Cut(inside, ",")
	if !two {
		r, err := parseNumber(inside)
		return literal{lo: r, hi: r}, err
	}
	if l.lo, err = parseEnd(first, "-"); err != nil {
		return l, err
	}
	l.hi, err = parseEnd(second, "")
	return l, err
}

// parseEnd reads one end of a bracketed pair; nil stands for the infinity with
// the given sign ("-" or ""), which an empty text means too.
func parseEnd(s, sign string) (*big.Rat, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	if m := infinity.FindStringSubmatch(s); m != nil {
		if strings.Trim(m[1], "+") != sign {
			return nil, fmt.Errorf("%s cannot be that end", s)
		}
		return nil, nil
	}
	return parseNumber(s)
}

// parseNumber reads a number exactly.
func parseNumber(s string) (*big.Rat, error) {
	var exponent string
	if m := decimalNumber.FindStringSubmatch(s); m != nil {
		exponent = m[1]
	} else if m := hexNumber.FindStringSubmatch(s); m != nil {
		exponent = m[1]
	} else if !rationalNumber.MatchString(s) {
		return nil, fmt.Errorf("%q is not a number", s)
	} else {
		s = leadingZeros.ReplaceAllString(s, "$1$2") // package big would read on in octal
	}
	if _, err := parseExponent(exponent); err != nil {
		return nil, err
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	return r, nil
}

// parseExponent reads an exponent within ±maxExponent; an absent one is 0.
func parseExponent(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	e, err := strconv.Atoi(s)
	if err != nil || e > maxExponent || e < -maxExponent {
		return 0, fmt.Errorf("exponent %s out of range", s)
	}
	return e, nil
}

// parseUncertain returns the set denoted by the submatches of uncertain:
// integer part, fraction, radius, direction, exponent.
func parseUncertain(m []string) (l literal, err error) {
	e, err := parseExponent(m[5])
	if err != nil {
		return l, err
	}
	mid, ok := new(big.Rat).SetString(m[1] + "." + m[2] + "e" + strconv.Itoa(e))
	ulp, ok2 := new(big.Rat).SetString("1e" + strconv.Itoa(e-len(m[2])))
	if !ok || !ok2 {
		return l, fmt.Errorf("%q is not a number", m[0])
	}
	unbounded := m[3] == "?"
	radius := new(big.Rat).Mul(big.NewRat(1, 2), ulp)
	if m[3] != "" && !unbounded {
		digits, err := parseNumber(m[3])
		if err != nil {
			return l, err
		}
		radius.Mul(digits, ulp)
	}
	switch {
	case m[4] == "u":
		l.lo = mid
	case !unbounded:
		l.lo = new(big.Rat).Sub(mid, radius)
	}
	switch {
	case m[4] == "d":
		l.hi = mid
	case !unbounded:
		l.hi = new(big.Rat).Add(mid, radius)
	}
	return l, nil
}

// String returns x in decimal, each printed end outward of the end it stands
// for by at most two units in the last place; MarshalText is exact.
func (x Interval) String() string {
	switch {
	case x.IsEmpty():
		return "[empty]"
	case x.IsEntire():
		return "[entire]"
	}
	return "[" + decimalDown(x.Lo()) + ", " + decimalUp(x.Hi()) + "]"
}

// decimalDown returns a decimal number ≤ x, short.
func decimalDown(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	exact := new(big.Rat).SetFloat64(x)
	if exact == nil {
		return "-inf"
	}
	if r, ok := new(big.Rat).SetString(s); ok && r.Cmp(exact) <= 0 {
		return s
	}
	// Soundness: the shortest text of a float64 is nearer to it than to any
	// other, so that the lower neighbour's text lies below x.
	return strings.ToLower(strconv.FormatFloat(nextDown(x), 'g', -1, 64))
}

// decimalUp returns a decimal number ≥ x, short.
func decimalUp(x float64) string {
	s := decimalDown(-x)
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		return rest
	} else if s == "0" {
		return s
	}
	return "-" + s
}

// MarshalText returns x as a literal with hexadecimal ends, exactly.
func (x Interval) MarshalText() ([]byte, error) {
	if x.IsEmpty() {
		return []byte("[empty]"), nil
	}
	if x.IsEntire() {
		return []byte("[entire]"), nil
	}
	return []byte("[" + hexEnd(x.Lo()) + ", " + hexEnd(x.Hi()) + "]"), nil
}

func hexEnd(x float64) string {
	switch {
	case x > maxFinite:
		return "inf"
	case x < -maxFinite:
		return "-inf"
	}
	return strconv.FormatFloat(x, 'x', -1, 64)
}

// UnmarshalText reads any literal that Parse reads; x is untouched on error.
func (x *Interval) UnmarshalText(text []byte) error {
	z, err := Parse(string(text))
	if err != nil {
		return err
	}
	*x = z
	return nil
}
