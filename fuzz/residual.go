package fuzz

import (
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Residual returns by how much a statement fails at a state, in exact arithmetic: of the matrix that should
// be zero the entry of largest magnitude, of an inequality the negative difference; of a statement about a
// stretch of time the same for the equation or inequality of rates that it implies (see eval.Judge); of a
// definite matrix the value of the form at an integer vector that makes it negative, or the determinant
// where only that shows it. It is zero if the statement does not fail or has no such number.
func Residual(part *lang.Part, w verdict.Witness) *big.Rat {
	r, err := residual(part, w)
	if err != nil {
		return new(big.Rat)
	}
	return r
}

func residual(part *lang.Part, w verdict.Witness) (*big.Rat, error) {
	e, err := eval.New(eval.Rational{}, part.Env, w)
	if err != nil {
		return nil, err
	}
	s := part.Stmt
	if s.Kind == lang.Assumption {
		s = part.Consequence
	}
	ddt := func(x *lang.Expr) *lang.Expr { return lang.NewCall(x.Pos, "ddt", x) }
	largest := func(m eval.Matrix[*big.Rat], err error) (*big.Rat, error) {
		if err != nil {
			return nil, err
		}
		top := new(big.Rat)
		for _, x := range m.A {
			if new(big.Rat).Abs(x).Cmp(new(big.Rat).Abs(top)) > 0 {
				top = x
			}
		}
		return top, nil
	}
	switch s.Kind {
	case lang.Equality:
		return largest(e.Eval(lang.NewBin(lang.Sub, s.L, s.R)))
	case lang.Evolves:
		return largest(e.Eval(lang.NewBin(lang.Sub, ddt(s.L), lang.NewBin(lang.Mul, s.Rate, s.L))))
	case lang.Inequality:
		return inequality(e, s)
	case lang.Decays:
		return inequality(e, eval.EnergyInequality(s))
	case lang.Stays:
		return largest(e.Eval(ddt(s.L)))
	case lang.Vanishes:
		return largest(e.Eval(s.L))
	case lang.Tends:
		return largest(e.RightHandSide(s.L.Name))
	case lang.Stationary:
		at := w
		at.Vals = map[string]eval.Matrix[*big.Rat]{}
		for k, v := range w.Vals {
			at.Vals[k] = v
		}
		for _, q := range s.Assign {
			m, err := e.EvalFor(q.Name, q.RHS)
			if err != nil {
				return nil, err
			}
			at.Vals[q.Name] = m
		}
		if e, err = eval.New(eval.Rational{}, part.Env, at); err != nil {
			return nil, err
		}
		top := new(big.Rat)
		for _, q := range part.Env.Flow {
			x, err := largest(e.RightHandSide(q.Name))
			if err != nil {
				return nil, err
			}
			if new(big.Rat).Abs(x).Cmp(new(big.Rat).Abs(top)) > 0 {
				top = x
			}
		}
		return top, nil
	case lang.Definite:
		m, err := e.Eval(s.L)
		if err != nil {
			return nil, err
		}
		return definite(m), nil
	case lang.Congruence:
		l, err := e.Eval(s.L)
		if err != nil {
			return nil, err
		}
		d, err := e.Eval(ddt(s.L))
		if err != nil {
			return nil, err
		}
		return onKernel(l, d), nil
	}
	return new(big.Rat), nil
}

func inequality(e *eval.Evaluator[*big.Rat], s *lang.Stmt) (*big.Rat, error) {
	l, r := s.L, s.R
	if s.Rel == "<=" || s.Rel == "<" {
		l, r = r, l
	}
	m, err := e.Eval(lang.NewBin(lang.Sub, l, r))
	if err != nil {
		return nil, err
	}
	return m.A[0], nil
}

// definite returns a number that shows that a square matrix is not positive semidefinite or definite: an entry
// of A − Aᵀ, or else the least value of xᵀAx over the vectors x of entries −3 … 3, or else det A.
func definite(a eval.Matrix[*big.Rat]) *big.Rat {
	n := a.R
	for i := range n {
		for j := range i {
			if d := new(big.Rat).Sub(a.At(i, j), a.At(j, i)); d.Sign() != 0 {
				return d
			}
		}
	}
	const reach = 3
	least := new(big.Rat)
	x := make([]int64, n)
	for i := range x {
		x[i] = -reach
	}
	for i := 0; i < n; {
		v := new(big.Rat)
		for r := range n {
			for c := range n {
				v.Add(v, new(big.Rat).Mul(a.At(r, c), big.NewRat(x[r]*x[c], 1)))
			}
		}
		if v.Cmp(least) < 0 {
			least = v
		}
		for i = 0; i < n; i++ {
			if x[i]++; x[i] <= reach {
				break
			}
			x[i] = -reach
		}
	}
	if least.Sign() < 0 {
		return least
	}
	return determinant(a)
}

func determinant(a eval.Matrix[*big.Rat]) *big.Rat {
	n, m, det := a.R, append([]*big.Rat(nil), a.A...), big.NewRat(1, 1)
	for c := range n {
		p := c
		for p < n && m[p*n+c].Sign() == 0 {
			p++
		}
		if p == n {
			return new(big.Rat)
		}
		if p != c {
			det.Neg(det)
			for j := range n {
				m[p*n+j], m[c*n+j] = m[c*n+j], m[p*n+j]
			}
		}
		det.Mul(det, m[c*n+c])
		for i := c + 1; i < n; i++ {
			f := new(big.Rat).Quo(m[i*n+c], m[c*n+c])
			for j := c; j < n; j++ {
				m[i*n+j] = new(big.Rat).Sub(m[i*n+j], new(big.Rat).Mul(f, m[c*n+j]))
			}
		}
	}
	return det
}

// onKernel returns the entry of largest magnitude of the form D restricted to the kernel of L.
func onKernel(l, d eval.Matrix[*big.Rat]) *big.Rat {
	basis := kernel(l)
	top := new(big.Rat)
	for _, x := range basis {
		for _, y := range basis {
			s := new(big.Rat)
			for i := range d.R {
				for j := range d.C {
					s.Add(s, new(big.Rat).Mul(new(big.Rat).Mul(x[i], d.At(i, j)), y[j]))
				}
			}
			if new(big.Rat).Abs(s).Cmp(new(big.Rat).Abs(top)) > 0 {
				top = s
			}
		}
	}
	return top
}

// kernel returns a basis of the null space of l by Gauss–Jordan elimination.
func kernel(l eval.Matrix[*big.Rat]) [][]*big.Rat {
	n := l.C
	m := make([][]*big.Rat, l.R)
	for i := range m {
		for j := range n {
			m[i] = append(m[i], new(big.Rat).Set(l.At(i, j)))
		}
	}
	pivotOf := make([]int, n)
	row := 0
	for c := range n {
		pivotOf[c] = -1
		p := row
		for p < len(m) && m[p][c].Sign() == 0 {
			p++
		}
		if p == len(m) {
			continue
		}
		m[p], m[row] = m[row], m[p]
		inv := new(big.Rat).Inv(m[row][c])
		for j := range n {
			m[row][j].Mul(m[row][j], inv)
		}
		for i := range m {
			if i != row {
				f := new(big.Rat).Set(m[i][c])
				for j := range n {
					m[i][j].Sub(m[i][j], new(big.Rat).Mul(f, m[row][j]))
				}
			}
		}
		pivotOf[c] = row
		row++
	}
	var basis [][]*big.Rat
	for c := range n {
		if pivotOf[c] >= 0 {
			continue
		}
		x := make([]*big.Rat, n)
		for j := range x {
			x[j] = new(big.Rat)
			if pivotOf[j] >= 0 {
				x[j].Neg(m[pivotOf[j]][c])
			}
		}
		x[c] = big.NewRat(1, 1)
		basis = append(basis, x)
	}
	return basis
}
