package ode

import (
	"fmt"
	"math/big"
	"strings"
)

// Exact is an element a + b√d of a quadratic field: the coefficient type of a
// Tableau. D is a square-free integer > 1, the same for all irrational entries
// of one tableau; an Exact with B = 0 is rational and combines with any D.
//
// The zero value is not valid; make one with NewExact or ParseExact. An Exact is
// never changed after it is made.
type Exact struct {
	A, B *big.Rat
	D    int64
}

var ratZero = new(big.Rat)

// NewExact returns the rational number num/den. It panics if den = 0.
func NewExact(num, den int64) Exact {
	return Exact{A: big.NewRat(num, den), B: ratZero}
}

func exactRat(r *big.Rat) Exact { return Exact{A: r, B: ratZero} }

// ParseExact reads "p/q" or "p/q+r/s√d" (no spaces; the sign between the two
// terms may be + or -; the first term may be left out; d > 1 square-free).
func ParseExact(s string) (Exact, error) {
	bad := func() (Exact, error) {
		return Exact{}, fmt.Errorf("ode: %q is not a number of the form p/q+r/s√d", s)
	}
	rat, surd, found := s, "", false
	if i := strings.Index(s, "√"); i >= 0 {
		found = true
		cut := strings.LastIndexAny(s[:i], "+-")
		if cut < 0 {
			cut = 0
		}
		rat, surd = s[:cut], s[cut:]
		if rat == "" {
			rat = "0"
		}
	}
	a, ok := new(big.Rat).SetString(rat)
	if !ok {
		return bad()
	}
	if !found {
		return exactRat(a), nil
	}
	coef, rad, _ := strings.Cut(surd, "√")
	switch coef {
	case "", "+":
		coef = "1"
	case "-":
		coef = "-1"
	}
	b, ok := new(big.Rat).SetString(strings.TrimPrefix(coef, "+"))
	if !ok {
		return bad()
	}
	var d int64
	if _, err := fmt.Sscanf(rad, "%d", &d); err != nil || d < 2 || fmt.Sprint(d) != rad {
		return bad()
	}
	for p := int64(2); p*p <= d; p++ {
		if d%(p*p) == 0 {
			return bad()
		}
	}
	return Exact{A: a, B: b, D: d}, nil
}

// field returns the common radicand of x and y.
func (x Exact) field(y Exact) int64 {
	switch {
	case x.B.Sign() == 0:
		return y.D
	case y.B.Sign() == 0 || x.D == y.D:
		return x.D
	}
	panic(fmt.Sprintf("ode: √%d and √%d in one tableau", x.D, y.D))
}

// Add returns x + y. It panics if x and y lie in different quadratic fields.
func (x Exact) Add(y Exact) Exact {
	z := Exact{A: new(big.Rat).Add(x.A, y.A), B: ratZero, D: x.field(y)}
	if x.B.Sign() != 0 || y.B.Sign() != 0 {
		z.B = new(big.Rat).Add(x.B, y.B)
	}
	return z
}

// Neg returns -x.
func (x Exact) Neg() Exact {
	return Exact{A: new(big.Rat).Neg(x.A), B: new(big.Rat).Neg(x.B), D: x.D}
}

// Sub returns x - y. It panics if x and y lie in different quadratic fields.
func (x Exact) Sub(y Exact) Exact { return x.Add(y.Neg()) }

// Mul returns x·y = (aa' + d bb') + (ab' + a'b)√d. It panics if x and y lie in
// different quadratic fields.
func (x Exact) Mul(y Exact) Exact {
	d := x.field(y)
	z := Exact{A: new(big.Rat).Mul(x.A, y.A), B: ratZero, D: d}
	if x.B.Sign() == 0 && y.B.Sign() == 0 {
		return z
	}
	bb := new(big.Rat).Mul(x.B, y.B)
	z.A.Add(z.A, bb.Mul(bb, new(big.Rat).SetInt64(d)))
	z.B = new(big.Rat).Mul(x.A, y.B)
	z.B.Add(z.B, new(big.Rat).Mul(y.A, x.B))
	return z
}

// IsZero reports whether x = 0. Since d is no square, a + b√d = 0 only if
// a = b = 0.
func (x Exact) IsZero() bool { return x.A.Sign() == 0 && x.B.Sign() == 0 }

// Float64 returns x rounded to float64: correctly when x is rational, otherwise
// to within one unit in the last place (the square root is taken with 256 bits,
// so the error before the final rounding is far below a float64 unit unless
// a + b√d cancels to fewer than 2⁻²⁰⁰ of its terms).
func (x Exact) Float64() float64 {
	if x.B.Sign() == 0 {
		f, _ := x.A.Float64()
		return f
	}
	const prec = 256
	f := new(big.Float).SetPrec(prec).SetInt64(x.D)
	f.Sqrt(f)
	f.Mul(f, new(big.Float).SetPrec(prec).SetRat(x.B))
	f.Add(f, new(big.Float).SetPrec(prec).SetRat(x.A))
	v, _ := f.Float64()
	return v
}

// String returns x in the form that ParseExact reads.
func (x Exact) String() string {
	if x.B.Sign() == 0 {
		return x.A.RatString()
	}
	s := x.B.RatString() + "√" + fmt.Sprint(x.D)
	switch {
	case x.A.Sign() == 0:
		return s
	case x.B.Sign() > 0:
		return x.A.RatString() + "+" + s
	}
	return x.A.RatString() + s
}
