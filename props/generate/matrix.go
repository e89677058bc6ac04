package generate

import (
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/theory/eval"
	"stopgrad/theory/sample"
)

// Matrix is a matrix of exact numbers.
type Matrix = eval.Matrix[*big.Rat]

// Dense rounds a matrix to float64.
func Dense(m Matrix) *mat.Dense {
	d := mat.NewDense(m.R, m.C, nil)
	for i, v := range m.A {
		d.Set(i/m.C, i%m.C, Float(v))
	}
	return d
}

// Zero returns the r×c zero matrix.
func Zero(r, c int) Matrix {
	m := Matrix{R: r, C: c, A: make([]*big.Rat, r*c)}
	for i := range m.A {
		m.A[i] = new(big.Rat)
	}
	return m
}

// Diagonal returns the r×c matrix with the given numbers on its diagonal, zero elsewhere.
func Diagonal(r, c int, d []*big.Rat) Matrix {
	m := Zero(r, c)
	for i := range min(r, c, len(d)) {
		m.A[i*c+i] = d[i]
	}
	return m
}

// Identity returns the n×n unit matrix.
func Identity(n int) Matrix {
	m := Zero(n, n)
	for i := range n {
		m.A[i*n+i] = Rat(1, 1)
	}
	return m
}

// Mul returns A·B.
func Mul(a, b Matrix) Matrix {
	m := Zero(a.R, b.C)
	for i := range a.R {
		for j := range b.C {
			for k := range a.C {
				m.A[i*m.C+j].Add(m.A[i*m.C+j], new(big.Rat).Mul(a.At(i, k), b.At(k, j)))
			}
		}
	}
	return m
}

// Transpose returns Aᵀ.
func Transpose(a Matrix) Matrix {
	m := Zero(a.C, a.R)
	for i := range a.R {
		for j := range a.C {
			m.A[j*a.R+i] = a.At(i, j)
		}
	}
	return m
}

// Scaled returns c·A.
func Scaled(c *big.Rat, a Matrix) Matrix {
	m := Zero(a.R, a.C)
	for i, v := range a.A {
		m.A[i].Mul(c, v)
	}
	return m
}

// Entries draws an r×c matrix of entries k/16, |k| ≤ 16.
func Entries(ch sample.Chooser, r, c int) Matrix {
	m := Zero(r, c)
	for i := range m.A {
		m.A[i] = Signed(ch)
	}
	return m
}

// Orthogonal draws an orthogonal n×n matrix in exact numbers: a product of the plane rotations
// ((1−t²)/(1+t²), 2t/(1+t²)), t = k/8, over all pairs of axes, with the last column's sign free. Choice 0 is
// the unit matrix.
func Orthogonal(ch sample.Chooser, n int) Matrix {
	q := Identity(n)
	for i := range n {
		for j := range i {
			t := Rat(int64(ch.Intn(9)), 8)
			t2 := new(big.Rat).Mul(t, t)
			den := new(big.Rat).Add(Rat(1, 1), t2)
			c := new(big.Rat).Quo(new(big.Rat).Sub(Rat(1, 1), t2), den)
			s := new(big.Rat).Quo(new(big.Rat).Add(t, t), den)
			g := Identity(n)
			g.A[i*n+i], g.A[j*n+j] = c, c
			g.A[i*n+j], g.A[j*n+i] = s, new(big.Rat).Neg(s)
			q = Mul(q, g)
		}
	}
	if ch.Intn(2) == 1 {
		for i := range n {
			q.A[i*n+n-1] = new(big.Rat).Neg(q.A[i*n+n-1])
		}
	}
	return q
}

// Kind is the kind of a spectrum.
type Kind int

// The kinds of spectra.
const (
	AnyKind  Kind = iota // each of the kinds below, Distinct with probability 2/6, the others with 1/6
	Distinct             // pairwise different, none zero
	Repeated             // two equal, if there are two
	Singular             // at least one zero
	Equal                // all equal
	Wide                 // over ten binary orders of magnitude
)

// Spectrum draws n numbers ≥ 0 of about unit size.
func Spectrum(ch sample.Chooser, n int, kind Kind) []*big.Rat {
	if kind == AnyKind {
		kind = []Kind{Distinct, Distinct, Repeated, Singular, Equal, Wide}[ch.Intn(6)]
	}
	v := make([]*big.Rat, n)
	for i := range v {
		switch kind {
		case Wide:
			v[i] = Scale(ch, -10, 1)
		case Equal:
			if v[i] = v[0]; i == 0 {
				v[i] = Scale(ch, -2, 1)
			}
		default:
			v[i] = Scale(ch, -2, 1)
		}
	}
	switch kind {
	case Distinct:
		for i := range v {
			for k := 0; k < i; k++ {
				if v[i].Cmp(v[k]) == 0 {
					v[i] = new(big.Rat).Add(v[i], Rat(1, 3))
					k = -1
				}
			}
		}
	case Repeated:
		if n > 1 {
			v[n-1] = v[n-2]
		}
	case Singular:
		for i := range 1 + ch.Intn(n) {
			v[n-1-i] = new(big.Rat)
		}
	}
	return v
}

// Symmetric returns Q·diag(v)·Qᵀ, exactly symmetric with eigenvalues v.
func Symmetric(q Matrix, v []*big.Rat) Matrix {
	return Mul(Mul(q, Diagonal(q.R, q.R, v)), Transpose(q))
}

// Moment draws a second moment: symmetric, positive semidefinite, with a spectrum of the given kind.
func Moment(ch sample.Chooser, n int, kind Kind) Matrix {
	return Symmetric(Orthogonal(ch, n), Spectrum(ch, n, kind))
}

// Weights draws an r×c matrix U·diag(w)·Vᵀ with singular values w of the given kind.
func Weights(ch sample.Chooser, r, c int, kind Kind) Matrix {
	w := Spectrum(ch, min(r, c), kind)
	return Mul(Mul(Orthogonal(ch, r), Diagonal(r, c, w)), Transpose(Orthogonal(ch, c)))
}

// Shape draws sizes up to most: n2 < n1, n2 = n1 and n2 > n1 with equal probability, if most > 1.
func Shape(ch sample.Chooser, most int) (n2, n1 int) {
	if most < 2 {
		return 1, 1
	}
	small := 1 + ch.Intn(most-1)
	large := small + 1 + ch.Intn(most-small)
	switch ch.Intn(3) {
	case 1:
		return small, large
	case 2:
		return large, small
	}
	return small, small
}
