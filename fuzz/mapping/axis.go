package mapping

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Quantity is a parameter or initial value of a mode.
type Quantity struct {
	Name   string
	Symbol string // as drawn on an axis
	About  string

	lowest   float64 // of its domain
	excluded bool    // whether the lowest value is outside it
}

// quantities is the closed list, in the order of Quantities.
var quantities = []Quantity{
	{"eta", "η", "weight decay", 0, false},
	{"alpha", "α", "learning rate of the predictor relative to the network's", 0, true},
	{"beta", "β", "rate of the moving average", 0, true},
	{"sigma2", "σ²", "augmentation variance", 0, false},
	{"tau", "τ", "ratio of the target to the online weight: constant, or at time 0 in the model modes", 0, false},
	{"kappa", "κ", "ηa/τ² (with τ = 1 in the model modes), in place of eta", 0, false},
	{"p0", "p(0)", "initial eigenvalue of the predictor", math.Inf(-1), true},
	{"s0", "s(0)", "initial eigenvalue of the feature correlation", 0, false},
}

// Quantities lists what an axis or a setting may speak of.
func Quantities() []Quantity { return append([]Quantity(nil), quantities...) }

func quantityNames() string {
	var names []string
	for _, q := range quantities {
		names = append(names, q.Name)
	}
	return strings.Join(names, " ")
}

func quantity(name string) (Quantity, bool) {
	for _, q := range quantities {
		if q.Name == name {
			return q, true
		}
	}
	return Quantity{}, false
}

// contains reports whether v lies in the domain of q.
func (q Quantity) contains(v *big.Rat) bool {
	if math.IsInf(q.lowest, -1) {
		return true
	}
	c := v.Cmp(new(big.Rat).SetFloat64(q.lowest))
	return c > 0 || c == 0 && !q.excluded
}

func (q Quantity) domain() string {
	sign := "≥"
	if q.excluded {
		sign = ">"
	}
	return fmt.Sprintf("%s must be %s %v", q.Name, sign, q.lowest)
}

// DefaultCells is the number of cells along an axis that names none: 64² cells make a boundary that is
// visibly a curve before it is refined.
const DefaultCells = 64

// MaxCells bounds the cells along an axis.
const MaxCells = 1024

// Axis is one side of a map: a quantity over an exact interval, cut into cells of equal width, in the
// logarithm of the quantity if Log.
type Axis struct {
	Quantity string
	Lo, Hi   *big.Rat // Lo < Hi
	Log      bool     // needs Lo > 0
	Cells    int      // 0: DefaultCells
}

// ParseAxis reads an axis:
//
//	NAME=LO:HI[:CELLS][:log|:linear]
//
// with exact ends such as 0, -1, 1/4, 0.25 or 1e-3, for example eta=0:0.5 or eta=1/1000:1:80:log. The error
// names the text and what is wrong with it.
func ParseAxis(text string) (Axis, error) { return parseAxis(text, Axis.check) }

// ParseOwnAxis is [ParseAxis] for a quantity of somebody's own flow.
func ParseOwnAxis(text string) (Axis, error) { return parseAxis(text, Axis.spans) }

func parseAxis(text string, check func(Axis) error) (Axis, error) {
	fail := func(format string, args ...any) (Axis, error) {
		return Axis{}, fmt.Errorf("mapping: axis %q: %s", text, fmt.Sprintf(format, args...))
	}
	name, rest, ok := strings.Cut(text, "=")
	if !ok {
		return fail("want NAME=LO:HI, for example eta=0:0.5")
	}
	ax := Axis{Quantity: name}
	fields := strings.Split(rest, ":")
	if len(fields) < 2 {
		return fail("want two ends LO:HI, found %q", rest)
	}
	var err error
	if ax.Lo, err = exact(fields[0]); err != nil {
		return fail("%v", err)
	}
	if ax.Hi, err = exact(fields[1]); err != nil {
		return fail("%v", err)
	}
	scale := false
	for i, f := range fields[2:] {
		switch f {
		case "log", "linear":
			if scale {
				return fail("the scale is given twice")
			}
			ax.Log, scale = f == "log", true
			continue
		}
		n, err := strconv.Atoi(f)
		if err != nil || i > 0 {
			return fail("%q is neither a number of cells nor log or linear", f)
		}
		if n == 0 {
			return fail("0 cells")
		}
		ax.Cells = n
	}
	if err := check(ax); err != nil {
		return fail("%v", err)
	}
	return ax, nil
}

// ParseSetting reads NAME=VALUE, the exact value of a quantity that is on neither axis.
func ParseSetting(text string) (name string, value *big.Rat, err error) {
	return parseSetting(text, checkValue)
}

// ParseOwnSetting is [ParseSetting] for a quantity of somebody's own flow.
func ParseOwnSetting(text string) (name string, value *big.Rat, err error) {
	return parseSetting(text, func(string, *big.Rat) error { return nil })
}

func parseSetting(text string, check func(string, *big.Rat) error) (name string, value *big.Rat, err error) {
	name, v, ok := strings.Cut(text, "=")
	if !ok {
		return "", nil, fmt.Errorf("mapping: setting %q: want NAME=VALUE, for example eta=0.1", text)
	}
	if value, err = exact(v); err == nil {
		err = check(name, value)
	}
	if err != nil {
		return "", nil, fmt.Errorf("mapping: setting %q: %v", text, err)
	}
	return name, value, nil
}

// exactForm is a decimal number or a fraction, the latter without leading zeros, with which package big would read it in octal. Three digits of exponent are more than a float64 holds.
var exactForm = regexp.MustCompile(`^[+-]?((0|[1-9][0-9]*)/[1-9][0-9]*|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?)$`)

// exact reads an exact number whose value is zero or of a size that float64 holds.
func exact(s string) (*big.Rat, error) {
	const longest = 64
	if len(s) <= longest && exactForm.MatchString(s) {
		if v, ok := new(big.Rat).SetString(s); ok {
			if f, _ := v.Float64(); !math.IsInf(f, 0) && (f != 0) == (v.Sign() != 0) {
				return v, nil
			}
			return nil, fmt.Errorf("%s is outside the range of float64", s)
		}
	}
	if len(s) > longest {
		return nil, fmt.Errorf("%q… has %d characters; a number has at most %d", s[:longest/2], len(s), longest)
	}
	return nil, fmt.Errorf("%q is not an exact number such as 0, -1, 1/4, 0.25 or 1e-3", s)
}

func checkValue(name string, v *big.Rat) error {
	q, ok := quantity(name)
	if !ok {
		return fmt.Errorf("unknown quantity %q (known: %s)", name, quantityNames())
	}
	if v == nil {
		return fmt.Errorf("%s has no value", name)
	}
	if !q.contains(v) {
		return fmt.Errorf("%s, found %s", q.domain(), v.RatString())
	}
	return nil
}

func (ax Axis) check() error {
	if _, ok := quantity(ax.Quantity); !ok {
		return fmt.Errorf("unknown quantity %q (known: %s)", ax.Quantity, quantityNames())
	}
	if err := ax.spans(); err != nil {
		return err
	}
	// Cells are measured at their centres, so an end on the edge of a domain is never reached.
	q, _ := quantity(ax.Quantity)
	if q.excluded && !math.IsInf(q.lowest, -1) && ax.Lo.Sign() == 0 {
		return nil
	}
	return checkValue(ax.Quantity, ax.Lo)
}

// spans checks the ends, the cells and the scale.
func (ax Axis) spans() error {
	if ax.Lo == nil || ax.Hi == nil {
		return fmt.Errorf("%s has no ends", ax.Quantity)
	}
	if ax.Lo.Cmp(ax.Hi) >= 0 {
		return fmt.Errorf("the low end %s is not below the high end %s", ax.Lo.RatString(), ax.Hi.RatString())
	}
	lo, _ := ax.Lo.Float64()
	hi, _ := ax.Hi.Float64()
	if math.IsInf(hi-lo, 0) || ax.Log && lo > 0 && math.IsInf(hi/lo, 0) {
		return fmt.Errorf("from %v to %v is further than float64 reaches", lo, hi)
	}
	if ax.Cells < 0 || ax.Cells > MaxCells {
		return fmt.Errorf("%d cells where 1 to %d are possible", ax.Cells, MaxCells)
	}
	if ax.Log && ax.Lo.Sign() <= 0 {
		return fmt.Errorf("a logarithmic axis needs a low end > 0, found %s", ax.Lo.RatString())
	}
	return nil
}

// String writes the axis as ParseAxis reads it.
func (ax Axis) String() string {
	s := fmt.Sprintf("%s=%s:%s:%d", ax.Quantity, ax.Lo.RatString(), ax.Hi.RatString(), ax.cells())
	if ax.Log {
		s += ":log"
	}
	return s
}

func (ax Axis) cells() int {
	if ax.Cells == 0 {
		return DefaultCells
	}
	return ax.Cells
}

// at returns the float64 nearest to the value at the fraction i/n of the axis; of a logarithmic one, its value
// to a few units in the last place.
func (ax Axis) at(i, n int) float64 {
	if ax.Log {
		lo, _ := ax.Lo.Float64()
		hi, _ := ax.Hi.Float64()
		switch i {
		case 0:
			return lo
		case n:
			return hi
		}
		return lo * math.Exp(math.Log(hi/lo)*float64(i)/float64(n))
	}
	v := new(big.Rat).Sub(ax.Hi, ax.Lo)
	v.Mul(v, big.NewRat(int64(i), int64(n)))
	f, _ := v.Add(v, ax.Lo).Float64()
	return f
}

// unit returns the fraction of the axis at which the value v lies.
func (ax Axis) unit(v float64) float64 {
	lo, _ := ax.Lo.Float64()
	hi, _ := ax.Hi.Float64()
	if ax.Log {
		return math.Log(v/lo) / math.Log(hi/lo)
	}
	return (v - lo) / (hi - lo)
}

// value is the inverse of unit.
func (ax Axis) value(u float64) float64 {
	lo, _ := ax.Lo.Float64()
	hi, _ := ax.Hi.Float64()
	if ax.Log {
		return lo * math.Exp(u*math.Log(hi/lo))
	}
	return lo + u*(hi-lo)
}
