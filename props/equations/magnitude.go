package equations

import (
	"math/big"

	"stopgrad/theory/eval"
)

// Sized is an exact number together with the size of the terms it was summed from.
type Sized struct {
	V *big.Rat
	M float64
}

// Magnitude is exact arithmetic that also carries, for the standard analysis of rounding errors (Higham,
// Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1), the sum of the absolute values of
// all terms: a ± b ↦ M(a) + M(b), a·b ↦ M(a)·M(b), a/b ↦ M(a)·M(b)/b², √a ↦ M(a)/√a.
//
// A float64 program that computes the same polynomial with at most k roundings on any path from an input to
// the output, inputs rounded included, is off by at most γ_k·M, γ_k = k·u/(1 − k·u), u = 2⁻⁵³, provided that
// its own sum of absolute values is at most M.
type Magnitude struct{}

var _ eval.Arith[Sized] = Magnitude{}

func size(v *big.Rat) float64 {
	f, _ := new(big.Rat).Abs(v).Float64()
	return f
}

// FromRat returns v with its own size.
func (Magnitude) FromRat(v *big.Rat) Sized { return Sized{v, size(v)} }

// Add returns a + b.
func (Magnitude) Add(a, b Sized) Sized { return Sized{new(big.Rat).Add(a.V, b.V), a.M + b.M} }

// Sub returns a − b.
func (Magnitude) Sub(a, b Sized) Sized { return Sized{new(big.Rat).Sub(a.V, b.V), a.M + b.M} }

// Mul returns a·b.
func (Magnitude) Mul(a, b Sized) Sized { return Sized{new(big.Rat).Mul(a.V, b.V), a.M * b.M} }

// Div returns a/b or eval.ErrDivisionByZero.
func (Magnitude) Div(a, b Sized) (Sized, error) {
	q, err := eval.Rational{}.Div(a.V, b.V)
	if err != nil {
		return Sized{}, err
	}
	s := size(b.V)
	return Sized{q, a.M * b.M / (s * s)}, nil
}

// Sqrt returns √a or eval.ErrNoRoot.
func (Magnitude) Sqrt(a Sized) (Sized, error) {
	r, err := eval.Rational{}.Sqrt(a.V)
	if err != nil {
		return Sized{}, err
	}
	if r.Sign() == 0 {
		return Sized{r, 0}, nil
	}
	return Sized{r, a.M / size(r)}, nil
}

// Sign returns the exact sign of a.
func (Magnitude) Sign(a Sized, _ float64) int { return a.V.Sign() }

// Float returns the float64 nearest to a.
func (Magnitude) Float(a Sized) float64 { f, _ := a.V.Float64(); return f }

// WithMagnitude lifts an exact state.
func WithMagnitude(st eval.State[*big.Rat]) eval.State[Sized] {
	out := eval.State[Sized]{Dims: st.Dims, Vals: make(map[string]eval.Matrix[Sized], len(st.Vals))}
	for name, m := range st.Vals {
		a := make([]Sized, len(m.A))
		for i, v := range m.A {
			a[i] = Magnitude{}.FromRat(v)
		}
		out.Vals[name] = eval.Matrix[Sized]{R: m.R, C: m.C, A: a}
	}
	return out
}
