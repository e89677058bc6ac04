package sample

import (
	"math/big"

	"stopgrad/theory/lang"
)

// extremes is how often an extreme number is drawn for a domain before a simple one is.
const extremes = 4

// Magnitudes of extreme numbers: powers of ten up to this exponent.
const magnitudes = 9

// extreme draws a number such as those at which statements fail that hold at simple ones: just inside an end of the domain
// or next to a simple number, of any magnitude, an integer, or tied to the scalars drawn before. It may be outside the
// domain; nil says that the kind drawn has no number here.
func (d *drawer) extreme(dom lang.Domain) *big.Rat {
	tiny := func() *big.Rat { return power(-1 - d.ch.Intn(magnitudes)) }
	side := func(v *big.Rat) *big.Rat {
		if d.ch.Intn(2) == 1 {
			return new(big.Rat).Neg(v)
		}
		return v
	}
	switch d.ch.Intn(5) {
	case 0: // at an end, or just inside
		lo, hi := dom.Lo, dom.Hi
		if lo == nil && hi == nil {
			return new(big.Rat).Add(nice[d.ch.Intn(len(nice))], side(tiny()))
		}
		w := big.NewRat(1, 1)
		if lo != nil && hi != nil {
			w = new(big.Rat).Sub(hi, lo)
		}
		in := new(big.Rat).Mul(w, tiny())
		if d.ch.Intn(4) == 0 {
			in = new(big.Rat)
		}
		if hi == nil || lo != nil && d.ch.Intn(2) == 0 {
			return in.Add(lo, in)
		}
		return in.Sub(hi, in)
	case 1: // of any magnitude
		v := new(big.Rat).Mul(rats("1", "2", "5", "3")[d.ch.Intn(4)], power(d.ch.Intn(2*magnitudes+1)-magnitudes))
		return side(v)
	case 2: // an integer
		return side(big.NewRat(int64(d.ch.Intn(200)), 1))
	case 3: // next to a simple number
		return new(big.Rat).Add(nice[d.ch.Intn(len(nice))], side(tiny()))
	}
	if len(d.drawn) == 0 {
		return nil
	}
	// Tied to one or two of the scalars before.
	a, b := d.drawn[d.ch.Intn(len(d.drawn))], d.drawn[d.ch.Intn(len(d.drawn))]
	v := new(big.Rat)
	switch d.ch.Intn(7) {
	case 0, 1:
		v.Set(a)
	case 2:
		v.Neg(a)
	case 3:
		v.Mul(a, b)
	case 4:
		v.Add(a, b)
	case 5:
		v.Sub(a, b)
	default:
		if a.Sign() == 0 {
			return nil
		}
		v.Quo(b, a)
	}
	if d.ch.Intn(4) == 3 {
		v.Add(v, side(tiny()))
	}
	return v
}

func power(e int) *big.Rat {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil)
	if e < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

// stretch multiplies a matrix by a number of any magnitude, or makes it equal to one of its shape drawn before; most are
// left as they are.
func (d *drawer) stretch(m matrix, s *lang.Symbol) {
	switch d.ch.Intn(8) {
	case 6:
		f := power(d.ch.Intn(2*magnitudes+1) - magnitudes)
		for i, x := range m.A {
			m.A[i] = new(big.Rat).Mul(x, f)
		}
	case 7:
		for _, name := range d.env.Order {
			o := d.env.Symbols[name]
			if v, ok := d.st.Vals[name]; ok && o.Kind == lang.Matrix && v.R == m.R && v.C == m.C && o.Attr&s.Attr == s.Attr {
				copy(m.A, v.A)
				return
			}
		}
	}
}
