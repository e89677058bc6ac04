package enclosure

import "fmt"

// Matrix is a matrix of expressions of one system. Operations panic if shapes
// do not match.
type Matrix struct {
	rows, cols int
	e          []Expr
}

// NewMatrix returns the rows×cols matrix with entries f(i, j).
func NewMatrix(rows, cols int, f func(i, j int) Expr) Matrix {
	m := Matrix{rows, cols, make([]Expr, 0, rows*cols)}
	for i := range rows {
		for j := range cols {
			m.e = append(m.e, f(i, j))
		}
	}
	return m
}

// Dims returns the numbers of rows and columns.
func (a Matrix) Dims() (rows, cols int) { return a.rows, a.cols }

// At returns entry (i, j), counted from 0.
func (a Matrix) At(i, j int) Expr {
	if i < 0 || i >= a.rows || j < 0 || j >= a.cols {
		panic(fmt.Sprintf("enclosure: entry (%d, %d) of a %d×%d matrix", i, j, a.rows, a.cols))
	}
	return a.e[i*a.cols+j]
}

func (a Matrix) match(b Matrix) {
	if a.rows != b.rows || a.cols != b.cols {
		panic(fmt.Sprintf("enclosure: %d×%d and %d×%d matrices", a.rows, a.cols, b.rows, b.cols))
	}
}

// Add returns A + B.
func (a Matrix) Add(b Matrix) Matrix {
	a.match(b)
	return NewMatrix(a.rows, a.cols, func(i, j int) Expr { return a.At(i, j).Add(b.At(i, j)) })
}

// Sub returns A − B.
func (a Matrix) Sub(b Matrix) Matrix {
	a.match(b)
	return NewMatrix(a.rows, a.cols, func(i, j int) Expr { return a.At(i, j).Sub(b.At(i, j)) })
}

// Scale returns c·A.
func (a Matrix) Scale(c Expr) Matrix {
	return NewMatrix(a.rows, a.cols, func(i, j int) Expr { return c.Mul(a.At(i, j)) })
}

// T returns Aᵀ.
func (a Matrix) T() Matrix {
	return NewMatrix(a.cols, a.rows, func(i, j int) Expr { return a.At(j, i) })
}

// Mul returns A·B.
func (a Matrix) Mul(b Matrix) Matrix {
	if a.cols != b.rows {
		panic(fmt.Sprintf("enclosure: product of %d×%d and %d×%d matrices", a.rows, a.cols, b.rows, b.cols))
	}
	return NewMatrix(a.rows, b.cols, func(i, j int) Expr {
		sum := a.At(i, 0).Mul(b.At(0, j))
		for k := 1; k < a.cols; k++ {
			sum = sum.Add(a.At(i, k).Mul(b.At(k, j)))
		}
		return sum
	})
}

// Anticommutator returns {A, B} = A·B + B·A.
func (a Matrix) Anticommutator(b Matrix) Matrix { return a.Mul(b).Add(b.Mul(a)) }

// Commutator returns [A, B] = A·B − B·A.
func (a Matrix) Commutator(b Matrix) Matrix { return a.Mul(b).Sub(b.Mul(a)) }

// Trace returns Σ_i A_ii of a square matrix.
func (a Matrix) Trace() Expr {
	a.square()
	sum := a.At(0, 0)
	for i := 1; i < a.rows; i++ {
		sum = sum.Add(a.At(i, i))
	}
	return sum
}

// SumSquares returns ‖A‖_F² = Σ_ij A_ij².
func (a Matrix) SumSquares() Expr {
	sum := a.e[0].Mul(a.e[0])
	for _, e := range a.e[1:] {
		sum = sum.Add(e.Mul(e))
	}
	return sum
}

// Leading returns the leading principal minors det A[0:k, 0:k] for k = 1 … n of a
// square matrix. A symmetric matrix is positive definite if and only if all are
// positive (Sylvester). The expansion by the last row is free of divisions; its
// size is n·2ⁿ, for small matrices.
func (a Matrix) Leading() []Expr {
	a.square()
	var out []Expr
	known := map[int]Expr{}
	// minor is the determinant of the first rows and the set of columns.
	var minor func(columns int) Expr
	minor = func(columns int) Expr {
		if d, ok := known[columns]; ok {
			return d
		}
		row := -1
		for c := columns; c != 0; c &= c - 1 {
			row++
		}
		var sum Expr
		// The last column of the set has sign +, alternating before it.
		plus := true
		for j := a.cols - 1; j >= 0; j-- {
			if columns&(1<<j) == 0 {
				continue
			}
			term := a.At(row, j)
			if rest := columns &^ (1 << j); rest != 0 {
				term = term.Mul(minor(rest))
			}
			switch {
			case sum.sys == nil:
				sum = term
			case plus:
				sum = sum.Add(term)
			default:
				sum = sum.Sub(term)
			}
			plus = !plus
		}
		known[columns] = sum
		return sum
	}
	for k := 1; k <= a.rows; k++ {
		out = append(out, minor(1<<k-1))
	}
	return out
}

// Det returns the determinant of a square matrix, as Leading does.
func (a Matrix) Det() Expr {
	d := a.Leading()
	return d[len(d)-1]
}

func (a Matrix) square() {
	if a.rows != a.cols || a.rows == 0 {
		panic(fmt.Sprintf("enclosure: a %d×%d matrix is not square", a.rows, a.cols))
	}
}

// FrameAngle returns expressions for the angle δ from the eigenframe of A to that
// of B, symmetric 2×2 matrices. With eigenvectors ordered by eigenvalue δ is
// defined modulo 180°, and its double is the angle between two plane vectors:
//
//	cross = a₁b₂ − a₂b₁ = ρ·sin 2δ,   dot = a₁b₁ + a₂b₂ = ρ·cos 2δ,
//	a = (A₁₁ − A₂₂, 2A₁₂),   b = (B₁₁ − B₂₂, 2B₁₂),   ρ = |a|·|b|,
//
// where |a| and |b| are the gaps between the eigenvalues; ρ = 0 where a frame is
// not determined.
func FrameAngle(a, b Matrix) (cross, dot Expr) {
	axis := func(m Matrix) (x, y Expr) {
		if m.rows != 2 || m.cols != 2 {
			panic(fmt.Sprintf("enclosure: frame angle of a %d×%d matrix", m.rows, m.cols))
		}
		off := m.At(0, 1)
		return m.At(0, 0).Sub(m.At(1, 1)), off.Add(off)
	}
	a1, a2 := axis(a)
	b1, b2 := axis(b)
	return a1.Mul(b2).Sub(a2.Mul(b1)), a1.Mul(b1).Add(a2.Mul(b2))
}
