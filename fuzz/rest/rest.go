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

// Bounds on the boxes that are tried: how many widest half-widths, by how many powers of two the others are smaller at
// most, and how many entries of coordinates there are in those of one widest half-width, all together.
const (
	deep, skew = 12, 3
	maxEntries = 3_600
)

// Largest returns the largest of the boxes around x, in coordinates rows, with half-widths that are powers of two up to
// 2^-first, that is a trap and of which good is true. In more than four coordinates only the largest volumes of each widest
// half-width are tried.
func Largest(sys *enclosure.System, rows [][]*big.Rat, x []float64, first int, good func(*enclosure.Trap) bool) (Box, *enclosure.Trap, error) {
	why := errors.New("rest: no trap was found")
	n := len(x)
	for k := first; k < first+deep; k++ {
		left := max(1, maxEntries/(n*n))
		for total := 0; total <= skew*(n-1) && left > 0; total++ {
			var found Box
			var trap *enclosure.Trap
			shapes(n, total, func(s []int) bool {
				var half []*big.Rat
				for _, d := range s {
					half = append(half, pow2(-(k + d)))
				}
				left--
				b := Around(rows, x, half)
				t, err := enclosure.NewTrap(sys, b.Rows, b.Lo, b.Hi, 1<<10)
				if err != nil {
					why = err
				} else if good(t) {
					found, trap = b, t
				}
				return trap == nil && left > 0
			})
			if trap != nil {
				return found, trap, nil
			}
		}
	}
	return Box{}, nil, why
}

// shapes calls visit with each list of n numbers up to skew, of which one is zero, that have this sum, in the order of
// their digits, as long as it is true.
func shapes(n, sum int, visit func(s []int) bool) {
	s := make([]int, n)
	var fill func(i, left int, zero bool) bool
	fill = func(i, left int, zero bool) bool {
		if i == n {
			return !zero || visit(s)
		}
		for d := 0; d <= min(skew, left); d++ {
			if left-d > skew*(n-1-i) {
				continue
			}
			s[i] = d
			if !fill(i+1, left-d, zero || d == 0) {
				return false
			}
		}
		return true
	}
	fill(0, sum, false)
}

func pow2(k int) *big.Rat {
	one := big.NewInt(1)
	if k >= 0 {
		return new(big.Rat).SetInt(new(big.Int).Lsh(one, uint(k)))
	}
	return new(big.Rat).SetFrac(one, new(big.Int).Lsh(one, uint(-k)))
}
