package props

import (
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"
)

// precision of the extended arithmetic in bits: 77 decimal digits, so that an algebraic relation between the
// entries of a stationary point is told from a small deviation.
const precision = 256

// wide is a matrix of big.Float numbers, row by row.
type wide struct {
	r, c int
	a    []*big.Float
}

func number(v float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(v) }

func newWide(r, c int) wide {
	w := wide{r, c, make([]*big.Float, r*c)}
	for i := range w.a {
		w.a[i] = number(0)
	}
	return w
}

func widen(m mat.Matrix) wide {
	r, c := m.Dims()
	w := newWide(r, c)
	for i := range w.a {
		w.a[i].SetFloat64(m.At(i/c, i%c))
	}
	return w
}

func (x wide) mul(ys ...wide) wide {
	for _, y := range ys {
		out := newWide(x.r, y.c)
		t := number(0)
		for i := range x.r {
			for j := range y.c {
				for k := range x.c {
					out.a[i*y.c+j].Add(out.a[i*y.c+j], t.Mul(x.a[i*x.c+k], y.a[k*y.c+j]))
				}
			}
		}
		x = out
	}
	return x
}

// plus is x + c·y.
func (x wide) plus(c *big.Float, y wide) wide {
	out := newWide(x.r, x.c)
	for i := range x.a {
		out.a[i].Mul(c, y.a[i])
		out.a[i].Add(out.a[i], x.a[i])
	}
	return out
}

func (x wide) t() wide {
	out := newWide(x.c, x.r)
	for i := range x.r {
		for j := range x.c {
			out.a[j*x.r+i].Set(x.a[i*x.c+j])
		}
	}
	return out
}

// norm is the Frobenius norm in float64, right also where the squares would underflow.
func (x wide) norm() float64 {
	s := number(0)
	for _, v := range x.a {
		s.Add(s, number(0).Mul(v, v))
	}
	m := new(big.Float)
	e := s.MantExp(m)
	f, _ := m.Float64()
	if e%2 != 0 {
		f, e = f*2, e-1
	}
	return math.Ldexp(math.Sqrt(f), e/2)
}

// simsiamWide evaluates the SimSiam flow's right-hand sides, written out independently of numeric/flow:
// Wp' = α·R·Wᵀ − η·Wp, W' = Wpᵀ·R − η·W, R = W·X − Wp·W·(X+X').
func simsiamWide(alpha, eta float64, x, both, wp, w wide) (dwp, dw wide) {
	minus := number(-1)
	r := w.mul(x).plus(minus, wp.mul(w, both))
	decay := number(-eta)
	dwp = newWide(wp.r, wp.c).plus(number(alpha), r.mul(w.t())).plus(decay, wp)
	dw = wp.t().mul(r).plus(decay, w)
	return dwp, dw
}

// commutatorWide is ‖[A, B]‖/(‖A‖‖B‖).
func commutatorWide(a, b wide) float64 {
	return a.mul(b).plus(number(-1), b.mul(a)).norm() / (a.norm() * b.norm())
}
