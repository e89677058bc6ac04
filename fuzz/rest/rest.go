// Package rest finds states at which a system of equations comes to rest, and traps around them: sets of which package
// enclosure then establishes that no motion leaves them. It works in float64 and is not believed for anything.
package rest

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/enclosure"
)

// Field evaluates the right-hand sides at x, by exact evaluation with exact parameters.
func Field(sys *enclosure.System, params map[string]*big.Rat, x []float64) ([]float64, error) {
	at := make([]*big.Rat, len(x))
	for i, v := range x {
		if at[i] = new(big.Rat).SetFloat64(v); at[i] == nil {
			return nil, errors.New("rest: not finite")
		}
	}
	var out []float64
	for _, n := range sys.Names() {
		v, err := sys.RHS(n).EvalRat(at, params)
		if err != nil {
			return nil, err
		}
		f, _ := v.Float64()
		out = append(out, f)
	}
	return out, nil
}

// jacobian of the right-hand sides, by central differences.
func jacobian(sys *enclosure.System, params map[string]*big.Rat, x []float64) (*mat.Dense, error) {
	n := len(x)
	j := mat.NewDense(n, n, nil)
	for k := range n {
		h := 1e-5 * math.Max(1, math.Abs(x[k]))
		var side [2][]float64
		for s, d := range []float64{h, -h} {
			y := append([]float64(nil), x...)
			y[k] += d
			f, err := Field(sys, params, y)
			if err != nil {
				return nil, err
			}
			side[s] = f
		}
		for i := range n {
			j.Set(i, k, (side[0][i]-side[1][i])/(2*h))
		}
	}
	return j, nil
}

// Settle improves a state of rest by Newton's method.
func Settle(sys *enclosure.System, params map[string]*big.Rat, x []float64) ([]float64, error) {
	x = append([]float64(nil), x...)
	for range 20 {
		f, err := Field(sys, params, x)
		if err != nil {
			return nil, err
		}
		j, err := jacobian(sys, params, x)
		if err != nil {
			return nil, err
		}
		var d mat.VecDense
		if err := d.SolveVec(j, mat.NewVecDense(len(x), f)); err != nil {
			return nil, errors.New("rest: the state of rest is not isolated")
		}
		size := 0.0
		for i := range x {
			x[i] -= d.AtVec(i)
			size = math.Max(size, math.Abs(d.AtVec(i)))
		}
		if size < 1e-13 {
			break
		}
	}
	return x, nil
}

// Coordinates are the left eigenvectors of the equations' derivative at a state of rest that is stable, as simple
// fractions, real and imaginary parts apart: in them, to first order, each coordinate decays by itself.
func Coordinates(sys *enclosure.System, params map[string]*big.Rat, x []float64) ([][]*big.Rat, error) {
	j, err := jacobian(sys, params, x)
	if err != nil {
		return nil, err
	}
	n := len(x)
	var e mat.Eigen
	if !e.Factorize(j, mat.EigenLeft) {
		return nil, errors.New("rest: no eigenvalues")
	}
	values := e.Values(nil)
	var left mat.CDense
	e.LeftVectorsTo(&left)
	var rows [][]*big.Rat
	add := func(v []float64) {
		size := 0.0
		for _, x := range v {
			size = math.Max(size, math.Abs(x))
		}
		var row []*big.Rat
		for _, x := range v {
			row = append(row, big.NewRat(int64(math.Round(128*x/size)), 128))
		}
		rows = append(rows, row)
	}
	for k := range n {
		if !(real(values[k]) < 0) {
			return nil, fmt.Errorf("rest: the state of rest is not stable: %v", values)
		}
		re, im := make([]float64, n), make([]float64, n)
		for i := range n {
			re[i], im[i] = real(left.At(i, k)), imag(left.At(i, k))
		}
		switch {
		case imag(values[k]) == 0:
			add(re)
		case imag(values[k]) > 0:
			add(re)
			add(im)
		}
	}
	return rows, nil
}

// Box is a box in linear coordinates: the states x with Lo ≤ Rows·x ≤ Hi.
type Box struct {
	Rows   [][]*big.Rat
	Lo, Hi []*big.Rat
}

// Around is the box around x whose half-widths are those given, its centre a multiple of an eighth of them.
func Around(rows [][]*big.Rat, x []float64, half []*big.Rat) Box {
	b := Box{Rows: rows}
	for i, row := range rows {
		c := 0.0
		for k, v := range row {
			f, _ := v.Float64()
			c += f * x[k]
		}
		unit := new(big.Rat).Quo(half[i], big.NewRat(8, 1))
		u, _ := unit.Float64()
		centre := unit.Mul(unit, new(big.Rat).SetFloat64(math.Round(c/u)))
		b.Lo, b.Hi = append(b.Lo, new(big.Rat).Sub(centre, half[i])), append(b.Hi, new(big.Rat).Add(centre, half[i]))
	}
	return b
}

// Largest returns the largest of the boxes around x, in coordinates rows, with half-widths that are powers of two up to
// 2^-first, that is a trap and of which good is true.
func Largest(sys *enclosure.System, rows [][]*big.Rat, x []float64, first int, good func(*enclosure.Trap) bool) (Box, *enclosure.Trap, error) {
	why := errors.New("rest: no trap was found")
	n := len(x)
	const deep, skew = 12, 3
	for k := first; k < first+deep; k++ {
		// All shapes whose widest half-width is 2^-k, the largest volumes first.
		shapes := make([][]int, 1)
		for range n {
			var more [][]int
			for _, s := range shapes {
				for d := range skew + 1 {
					more = append(more, append(append([]int(nil), s...), d))
				}
			}
			shapes = more
		}
		for total := 0; total <= skew*(n-1); total++ {
			for _, s := range shapes {
				sum, least := 0, skew
				for _, d := range s {
					sum, least = sum+d, min(least, d)
				}
				if sum != total || least > 0 {
					continue
				}
				var half []*big.Rat
				for _, d := range s {
					half = append(half, pow2(-(k + d)))
				}
				b := Around(rows, x, half)
				t, err := enclosure.NewTrap(sys, b.Rows, b.Lo, b.Hi, 1<<10)
				if err != nil {
					why = err
					continue
				}
				if good(t) {
					return b, t, nil
				}
			}
		}
	}
	return Box{}, nil, why
}

func pow2(k int) *big.Rat {
	one := big.NewInt(1)
	if k >= 0 {
		return new(big.Rat).SetInt(new(big.Int).Lsh(one, uint(k)))
	}
	return new(big.Rat).SetFrac(one, new(big.Int).Lsh(one, uint(-k)))
}
