package interval

import (
	"fmt"
	"strings"
)

// Decoration says what is known of a function on the box it was evaluated on
// (IEEE 1788-2015, 11.2). Larger is better.
type Decoration uint8

const (
	// Ill marks NaI, the result of an invalid construction.
	Ill Decoration = iota
	// Trivial promises nothing: the function may be undefined on part of the box.
	Trivial
	// Defined: the box is nonempty and the function defined on all of it.
	Defined
	// Continuous: defined, and its restriction to the box continuous.
	Continuous
	// Common: continuous on a bounded box, with a bounded result.
	Common
)

var decorationNames = [...]string{"ill", "trv", "def", "dac", "com"}

// String returns the name IEEE 1788 gives to d.
func (d Decoration) String() string {
	if int(d) < len(decorationNames) {
		return decorationNames[d]
	}
	return fmt.Sprintf("Decoration(%d)", uint8(d))
}

// Decorated is an interval with a decoration. It carries through an expression
// whether every operation was defined (and continuous) on the whole box:
//
//	√[−1, 4] = [0, 2]_trv,   √[0, 4] = [0, 2]_com.
//
// Soundness: a bound on a bare Interval says nothing of the points where the
// expression has no value; one decorated Defined or better does.
//
// The zero value is NaI ("not an interval"), which every operation propagates.
type Decorated struct {
	interval   Interval
	decoration Decoration
}

// Decorate returns x with the best decoration a bare interval has by itself.
func Decorate(x Interval) Decorated {
	switch {
	case x.IsEmpty():
		return Decorated{x, Trivial}
	case x.IsBounded():
		return Decorated{x, Common}
	}
	return Decorated{x, Continuous}
}

// ParseDecorated reads a literal of Parse followed by _trv, _def, _dac or _com,
// or without one, when the best decoration is taken; [nai] is NaI. The error
// wraps ErrInvalid, with NaI as the value, if the decoration promises more than
// the interval can have.
func ParseDecorated(text string) (Decorated, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	if inside, ok := strings.CutPrefix(s, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); ok && strings.TrimSpace(inside) == "nai" {
			return Decorated{}, nil
		}
	}
	body, name, found := strings.Cut(s, "_")
	l, err := parseLiteral(body)
	if err != nil {
		return Decorated{}, err
	}
	best := Decorate(l.enclosure())
	if !found {
		return best, nil
	}
	// A bounded set beyond the largest float64 may be called common; its
	// enclosure is unbounded and so is decorated one lower.
	allowed := best.decoration
	if l.lo != nil && l.hi != nil {
		allowed = Common
	}
	for d := Trivial; d <= allowed; d++ {
		if name == d.String() {
			return best.With(d), nil
		}
	}
	return Decorated{}, fmt.Errorf("%w: %s cannot be decorated %q", ErrInvalid, body, name)
}

// With returns the interval of x with decoration d, lowered to what the
// interval can have; Ill gives NaI.
func (x Decorated) With(d Decoration) Decorated {
	if x.IsNaI() || d == Ill {
		return Decorated{}
	}
	return Decorated{x.interval, min(d, Decorate(x.interval).decoration)}
}

// IsNaI reports whether x is not an interval.
func (x Decorated) IsNaI() bool { return x.decoration == Ill }

// Interval returns the bare interval; the error wraps ErrInvalid, with Entire
// as the value, for NaI.
func (x Decorated) Interval() (Interval, error) {
	if x.IsNaI() {
		return Entire(), fmt.Errorf("%w: NaI", ErrInvalid)
	}
	return x.interval, nil
}

// Decoration returns the decoration of x.
func (x Decorated) Decoration() Decoration { return x.decoration }

// String returns the text of the interval, an underscore and the decoration.
func (x Decorated) String() string {
	if x.IsNaI() {
		return "[nai]"
	}
	return x.interval.String() + "_" + x.decoration.String()
}

// combine decorates the value z of an operation whose own decoration on its
// arguments is local, before looking at the sizes of arguments and result.
//
// Soundness: a decoration never exceeds that of any argument (11.7); Common
// further needs a bounded result, and an empty result has Trivial at best.
func combine(z Interval, local Decoration, args ...Decorated) Decorated {
	d := local
	for _, a := range args {
		if a.IsNaI() {
			return Decorated{}
		}
		d = min(d, a.decoration)
	}
	return Decorated{z, min(d, Decorate(z).decoration)}
}

// when returns Common if the operation is defined and continuous on its
// arguments, Trivial if it may be undefined somewhere.
func when(defined bool) Decoration {
	if defined {
		return Common
	}
	return Trivial
}

// The operations below are those of Interval, decorated. A result on an empty
// argument is empty, which combine decorates Trivial.

// Neg returns −x.
func (x Decorated) Neg() Decorated { return combine(x.interval.Neg(), Common, x) }

// Add returns x + y.
func (x Decorated) Add(y Decorated) Decorated {
	return combine(x.interval.Add(y.interval), Common, x, y)
}

// Sub returns x − y.
func (x Decorated) Sub(y Decorated) Decorated {
	return combine(x.interval.Sub(y.interval), Common, x, y)
}

// Mul returns x·y.
func (x Decorated) Mul(y Decorated) Decorated {
	return combine(x.interval.Mul(y.interval), Common, x, y)
}

// Div returns x/y, Trivial if y contains 0.
func (x Decorated) Div(y Decorated) Decorated {
	return combine(x.interval.Div(y.interval), when(!y.interval.Contains(0)), x, y)
}

// Recip returns 1/x, Trivial if x contains 0.
func (x Decorated) Recip() Decorated {
	return combine(x.interval.Recip(), when(!x.interval.Contains(0)), x)
}

// Sqr returns x².
func (x Decorated) Sqr() Decorated { return combine(x.interval.Sqr(), Common, x) }

// Sqrt returns √x, Trivial if x reaches below 0.
func (x Decorated) Sqrt() Decorated {
	return combine(x.interval.Sqrt(), when(x.interval.lo >= 0), x)
}

// PowInt returns xⁿ, Trivial if n < 0 and x contains 0.
func (x Decorated) PowInt(n int) Decorated {
	return combine(x.interval.PowInt(n), when(n >= 0 || !x.interval.Contains(0)), x)
}

// Abs returns |x|.
func (x Decorated) Abs() Decorated { return combine(x.interval.Abs(), Common, x) }

// Min returns min(x, y).
func (x Decorated) Min(y Decorated) Decorated {
	return combine(x.interval.Min(y.interval), Common, x, y)
}

// Max returns max(x, y).
func (x Decorated) Max(y Decorated) Decorated {
	return combine(x.interval.Max(y.interval), Common, x, y)
}

// Exp returns e^x.
func (x Decorated) Exp() Decorated { return combine(x.interval.Exp(), Common, x) }

// Log returns log x, Trivial if x reaches 0 or below.
func (x Decorated) Log() Decorated {
	return combine(x.interval.Log(), when(x.interval.lo > 0), x)
}

// Pow returns x^y, Trivial unless x > 0, or x ≥ 0 and y > 0.
func (x Decorated) Pow(y Decorated) Decorated {
	defined := x.interval.lo > 0 || x.interval.lo >= 0 && y.interval.lo > 0
	return combine(x.interval.Pow(y.interval), when(defined), x, y)
}

// Sin returns sin x.
func (x Decorated) Sin() Decorated { return combine(x.interval.Sin(), Common, x) }

// Cos returns cos x.
func (x Decorated) Cos() Decorated { return combine(x.interval.Cos(), Common, x) }

// Atan returns arctan x.
func (x Decorated) Atan() Decorated { return combine(x.interval.Atan(), Common, x) }

// Hull returns the convex hull of x and y, Trivial: it is no function of points.
func (x Decorated) Hull(y Decorated) Decorated {
	return combine(x.interval.Hull(y.interval), Trivial, x, y)
}

// Intersect returns x ∩ y, Trivial: it is no function of points.
func (x Decorated) Intersect(y Decorated) Decorated {
	return combine(x.interval.Intersect(y.interval), Trivial, x, y)
}

// Exp2 returns 2^x.
func (x Decorated) Exp2() Decorated { return combine(x.interval.Exp2(), Common, x) }

// Exp10 returns 10^x.
func (x Decorated) Exp10() Decorated { return combine(x.interval.Exp10(), Common, x) }

// Log2 returns log₂ x, Trivial if x reaches 0 or below.
func (x Decorated) Log2() Decorated {
	return combine(x.interval.Log2(), when(x.interval.lo > 0), x)
}

// Log10 returns log₁₀ x, Trivial if x reaches 0 or below.
func (x Decorated) Log10() Decorated {
	return combine(x.interval.Log10(), when(x.interval.lo > 0), x)
}

// Tan returns tan x, Trivial if a pole may lie in x.
func (x Decorated) Tan() Decorated {
	return combine(x.interval.Tan(), when(x.interval.tanDefined()), x)
}

// Asin returns arcsin x, Trivial if x reaches beyond [−1, 1].
func (x Decorated) Asin() Decorated {
	return combine(x.interval.Asin(), when(x.interval.Subset(Interval{-1, 1})), x)
}

// Acos returns arccos x, Trivial if x reaches beyond [−1, 1].
func (x Decorated) Acos() Decorated {
	return combine(x.interval.Acos(), when(x.interval.Subset(Interval{-1, 1})), x)
}

// Sinh returns sinh x.
func (x Decorated) Sinh() Decorated { return combine(x.interval.Sinh(), Common, x) }

// Cosh returns cosh x.
func (x Decorated) Cosh() Decorated { return combine(x.interval.Cosh(), Common, x) }

// Tanh returns tanh x.
func (x Decorated) Tanh() Decorated { return combine(x.interval.Tanh(), Common, x) }

// Asinh returns arsinh x.
func (x Decorated) Asinh() Decorated { return combine(x.interval.Asinh(), Common, x) }

// Acosh returns arcosh x, Trivial if x reaches below 1.
func (x Decorated) Acosh() Decorated {
	return combine(x.interval.Acosh(), when(x.interval.lo >= 1), x)
}

// Atanh returns artanh x, Trivial if x reaches ±1 or beyond.
func (x Decorated) Atanh() Decorated {
	return combine(x.interval.Atanh(), when(x.interval.lo > -1 && x.interval.hi < 1), x)
}

// Atan2 returns the angle of the points (x, y) in (−π, π]: Trivial if the origin is among
// them, Defined if they meet the cut from below, Continuous if they end on it.
func (y Decorated) Atan2(x Decorated) Decorated {
	local := Common
	switch u, v := x.interval, y.interval; {
	case u.Contains(0) && v.Contains(0):
		local = Trivial
	case u.lo < 0 && v.lo < 0 && v.hi >= 0:
		local = Defined
	case u.lo < 0 && v.lo == 0:
		local = Continuous // on the box, not around it
	}
	return combine(y.interval.Atan2(x.interval), local, y, x)
}

// FMA returns x·y + z.
func (x Decorated) FMA(y, z Decorated) Decorated {
	return combine(x.interval.FMA(y.interval, z.interval), Common, x, y, z)
}

// CancelMinus returns Interval.CancelMinus, Trivial: it is no function of points.
func (x Decorated) CancelMinus(y Decorated) Decorated {
	return combine(x.interval.CancelMinus(y.interval), Trivial, x, y)
}

// CancelPlus returns Interval.CancelPlus, Trivial: it is no function of points.
func (x Decorated) CancelPlus(y Decorated) Decorated {
	return combine(x.interval.CancelPlus(y.interval), Trivial, x, y)
}

// DecoratedMulRevToPair is MulRevToPair: where 0 ∉ b the first is the quotient c/b and
// decorated so; else both are Trivial.
func DecoratedMulRevToPair(b, c Decorated) (first, second Decorated) {
	p, q := MulRevToPair(b.interval, c.interval)
	return combine(p, when(!b.interval.Contains(0)), b, c), combine(q, Trivial, b, c)
}
