package eval

import (
	"errors"
	"math"
	"math/big"
)

// ErrDivisionByZero is returned where an expression divides by zero at the state.
var ErrDivisionByZero = errors.New("eval: division by zero at this state")

// ErrNoRoot is returned where a square root is not a number of the arithmetic in use: negative, or
// irrational in exact arithmetic.
var ErrNoRoot = errors.New("eval: the square root is not representable at this state")

// Arith is the arithmetic of an ordered field, or of its floating-point image.
type Arith[T any] interface {
	FromRat(*big.Rat) T
	Add(a, b T) T
	Sub(a, b T) T
	Mul(a, b T) T
	Div(a, b T) (T, error)
	Sqrt(a T) (T, error)
	// Sign is −1, 0 or 1; scale is the size of the numbers a was computed from.
	Sign(a T, scale float64) int
	Float(a T) float64
}

// Rational is exact arithmetic over ℚ. Its numbers are immutable.
type Rational struct{}

// FromRat returns v.
func (Rational) FromRat(v *big.Rat) *big.Rat { return v }

// Add returns a + b.
func (Rational) Add(a, b *big.Rat) *big.Rat {
	if a.Sign() == 0 {
		return b
	}
	if b.Sign() == 0 {
		return a
	}
	return new(big.Rat).Add(a, b)
}

// Sub returns a − b.
func (Rational) Sub(a, b *big.Rat) *big.Rat {
	if b.Sign() == 0 {
		return a
	}
	return new(big.Rat).Sub(a, b)
}

var ratZero = new(big.Rat)

// Mul returns a·b.
func (Rational) Mul(a, b *big.Rat) *big.Rat {
	if a.Sign() == 0 || b.Sign() == 0 {
		return ratZero
	}
	return new(big.Rat).Mul(a, b)
}

// Div returns a/b or [ErrDivisionByZero].
func (Rational) Div(a, b *big.Rat) (*big.Rat, error) {
	if b.Sign() == 0 {
		return nil, ErrDivisionByZero
	}
	return new(big.Rat).Quo(a, b), nil
}

// Sqrt returns the rational square root of a, or [ErrNoRoot].
func (Rational) Sqrt(a *big.Rat) (*big.Rat, error) {
	if a.Sign() < 0 {
		return nil, ErrNoRoot
	}
	n, d := new(big.Int).Sqrt(a.Num()), new(big.Int).Sqrt(a.Denom())
	r := new(big.Rat).SetFrac(n, d)
	if new(big.Rat).Mul(r, r).Cmp(a) != 0 {
		return nil, ErrNoRoot
	}
	return r, nil
}

// Sign returns the exact sign of a.
func (Rational) Sign(a *big.Rat, _ float64) int { return a.Sign() }

// Float returns the nearest float64.
func (Rational) Float(a *big.Rat) float64 { f, _ := a.Float64(); return f }

// Metered is exact arithmetic that counts its work: an operation on short fractions as one, on others by their length in
// words and its square, which bringing to lowest terms takes.
type Metered struct {
	Rational
	spent *int
}

// NewMetered returns an arithmetic that has done no work.
func NewMetered() Metered { return Metered{spent: new(int)} }

// Spent is the work done.
func (m Metered) Spent() int { return *m.spent }

// Spend counts work that is done elsewhere.
func (m Metered) Spend(work int) { *m.spent += work }

func (m Metered) spend(a, b *big.Rat) {
	words := max(a.Num().BitLen(), a.Denom().BitLen(), b.Num().BitLen(), b.Denom().BitLen()) / 64
	*m.spent += 1 + words + words*words/16
}

// Add returns a + b.
func (m Metered) Add(a, b *big.Rat) *big.Rat { m.spend(a, b); return m.Rational.Add(a, b) }

// Sub returns a − b.
func (m Metered) Sub(a, b *big.Rat) *big.Rat { m.spend(a, b); return m.Rational.Sub(a, b) }

// Mul returns a·b.
func (m Metered) Mul(a, b *big.Rat) *big.Rat { m.spend(a, b); return m.Rational.Mul(a, b) }

// Div returns a/b or [ErrDivisionByZero].
func (m Metered) Div(a, b *big.Rat) (*big.Rat, error) { m.spend(a, b); return m.Rational.Div(a, b) }

// Float returns the nearest float64.
func (m Metered) Float(a *big.Rat) float64 { m.spend(a, a); return m.Rational.Float(a) }

// Tolerance is the relative error that [Float] attributes to rounding: a value below Tolerance times the
// largest intermediate result counts as zero. An expression of k operations on numbers of size M has an
// error of at most about k·2⁻⁵³·M; the largest expressions of the claims have fewer than 10⁵ operations at
// sizes up to 64, so 10⁵·1.1e-16 ≈ 1e-11 bounds them; the extra factor 100 is for the cancellation inside
// products of sums, whose terms the scale does not see.
const Tolerance = 1e-9

// Float is float64 arithmetic in which signs are decided up to [Tolerance].
type Float struct{}

// FromRat returns the float64 nearest to v.
func (Float) FromRat(v *big.Rat) float64 { f, _ := v.Float64(); return f }

// Add returns a + b.
func (Float) Add(a, b float64) float64 { return a + b }

// Sub returns a − b.
func (Float) Sub(a, b float64) float64 { return a - b }

// Mul returns a·b.
func (Float) Mul(a, b float64) float64 { return a * b }

// Div returns a/b or [ErrDivisionByZero].
func (Float) Div(a, b float64) (float64, error) {
	if b == 0 {
		return 0, ErrDivisionByZero
	}
	return a / b, nil
}

// Sqrt returns √a or [ErrNoRoot].
func (Float) Sqrt(a float64) (float64, error) {
	if a < 0 {
		return 0, ErrNoRoot
	}
	return math.Sqrt(a), nil
}

// Sign returns the sign of a, zero within [Tolerance]·scale.
func (Float) Sign(a, scale float64) int {
	switch tol := Tolerance * scale; {
	case a > tol:
		return 1
	case a < -tol:
		return -1
	}
	return 0
}

// Float returns a.
func (Float) Float(a float64) float64 { return a }
