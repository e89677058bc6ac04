// Package rest finds states at which a system of equations comes to rest, and traps around them: sets of which package
// enclosure then establishes that no motion leaves them. It works in float64 and is not believed for anything.
package rest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

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
				if errors.Is(err, enclosure.ErrWork) {
					left = 0
				}
				return trap == nil && left > 0
			})
			if trap != nil {
				return found, trap, nil
			}
			if errors.Is(why, enclosure.ErrWork) {
				return Box{}, nil, why
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

// Wide returns boxes that are traps around x and of which good is true, in several systems of coordinates, the widest of those
// that were found: in the coordinates of [Coordinates], and in variables and differences of variables. In each it begins with
// a multiple of the widths in which the linear part points inward on every side, and grows.
func Wide(sys *enclosure.System, params map[string]*big.Rat, x []float64, centred bool, good func(*enclosure.Trap) bool) ([]Box, error) {
	j, err := jacobian(sys, params, x)
	if err != nil {
		return nil, err
	}
	eigen, err := Coordinates(sys, params, x)
	if err != nil {
		return nil, err
	}
	why := errors.New("rest: no trap was found")
	type found struct {
		box    Box
		volume float64
	}
	size := func(b Box, det float64) float64 {
		volume := 1 / det
		for i := range b.Lo {
			w, _ := new(big.Rat).Sub(b.Hi[i], b.Lo[i]).Float64()
			volume *= w
		}
		return volume
	}
	var all []found
	for _, rows := range append([][][]*big.Rat{eigen}, differences(len(x))...) {
		half, det, ok := inward(rows, j)
		if !ok {
			continue
		}
		const deep = 12
		for k := 1; k < deep; k++ {
			var scaled []*big.Rat
			for _, h := range half {
				scaled = append(scaled, new(big.Rat).Mul(h, pow2(-k)))
			}
			b := Around(rows, x, scaled)
			t, err := enclosure.NewTrap(sys, b.Rows, b.Lo, b.Hi, 1<<10)
			if err != nil || !good(t) {
				if err != nil {
					why = err
				}
				continue
			}
			all = append(all, found{b, size(b, det)})
			break
		}
	}
	if len(all) == 0 {
		return nil, why
	}
	// The first, often in eigenvectors, and the widest of the others.
	slices.SortStableFunc(all[1:], func(a, b found) int { return cmp.Compare(b.volume, a.volume) })
	const few = 4
	var out []Box
	for i := range min(len(all), few) {
		out = append(out, grow(sys, all[i].box, centred, good))
	}
	return out, nil
}

// differences are systems of coordinates made of variables and differences of two.
func differences(n int) (out [][][]*big.Rat) {
	const large = 4
	if n > large {
		return nil
	}
	var all [][]*big.Rat
	for i := range n {
		for k := i; k < n; k++ {
			row := make([]*big.Rat, n)
			for c := range row {
				row[c] = new(big.Rat)
			}
			row[k].SetInt64(1)
			if k != i {
				row[i].SetInt64(-1)
			}
			all = append(all, row)
		}
	}
	var pick func(from int, rows [][]*big.Rat)
	pick = func(from int, rows [][]*big.Rat) {
		if len(rows) == n {
			out = append(out, append([][]*big.Rat(nil), rows...))
			return
		}
		for i := from; i < len(all); i++ {
			pick(i+1, append(rows[:len(rows):len(rows)], all[i]))
		}
	}
	pick(0, nil)
	return out
}

// inward returns half-widths r, the largest 1, of a box in coordinates rows on all of whose sides the linear part j points
// inward: with A = R·J·R⁻¹, A_ii·r_i + Σ|A_ij|·r_j < 0. That is M·r = −1 for the matrix M of these absolute values, whose
// solution is positive if there are any. It also returns |det R|.
func inward(rows [][]*big.Rat, j *mat.Dense) (half []*big.Rat, det float64, ok bool) {
	n := len(rows)
	r := mat.NewDense(n, n, nil)
	for i := range n {
		for k := range n {
			v, _ := rows[i][k].Float64()
			r.Set(i, k, v)
		}
	}
	if det = math.Abs(mat.Det(r)); det < 1e-6 {
		return nil, 0, false
	}
	var inverse, a mat.Dense
	if inverse.Inverse(r) != nil {
		return nil, 0, false
	}
	a.Product(r, j, &inverse)
	for i := range n {
		for k := range n {
			if i != k {
				a.Set(i, k, math.Abs(a.At(i, k)))
			}
		}
	}
	minus := mat.NewVecDense(n, nil)
	for i := range n {
		minus.SetVec(i, -1)
	}
	var v mat.VecDense
	if v.SolveVec(&a, minus) != nil {
		return nil, 0, false
	}
	size := mat.Max(&v)
	for i := range n {
		if !(v.AtVec(i) > 0) {
			return nil, 0, false
		}
		half = append(half, big.NewRat(int64(max(1, math.Round(64*v.AtVec(i)/size))), 64))
	}
	return half, det, true
}

// grow widens a box that is a trap, side by side and by a quarter of its width at a time, while it stays one and good is true of
// it: both sides of a coordinate together where the middle matters.
func grow(sys *enclosure.System, b Box, centred bool, good func(*enclosure.Trap) bool) Box {
	const rounds = 12
	n := len(b.Lo)
	for grown, round := true, 0; grown && round < rounds; round++ {
		grown = false
		for side := range 2 * n {
			i := side / 2
			if centred && side%2 == 1 {
				continue
			}
			more := new(big.Rat).Sub(b.Hi[i], b.Lo[i])
			more = coarse(more.Mul(more, big.NewRat(1, 4)))
			c := Box{b.Rows, append([]*big.Rat(nil), b.Lo...), append([]*big.Rat(nil), b.Hi...)}
			if centred || side%2 == 0 {
				c.Lo[i] = new(big.Rat).Sub(b.Lo[i], more)
			}
			if centred || side%2 == 1 {
				c.Hi[i] = new(big.Rat).Add(b.Hi[i], more)
			}
			t, err := enclosure.NewTrap(sys, c.Rows, c.Lo, c.Hi, 1<<10)
			if err == nil && good(t) {
				b, grown = c, true
			}
		}
	}
	return b
}

// coarse is a number of at most eight bits or so near a positive one.
func coarse(x *big.Rat) *big.Rat {
	f, _ := x.Float64()
	_, e := math.Frexp(f)
	unit := pow2(e - 4)
	u, _ := unit.Float64()
	return unit.Mul(unit, new(big.Rat).SetFloat64(math.Round(f/u)))
}

func pow2(k int) *big.Rat {
	one := big.NewInt(1)
	if k >= 0 {
		return new(big.Rat).SetInt(new(big.Int).Lsh(one, uint(k)))
	}
	return new(big.Rat).SetFrac(one, new(big.Int).Lsh(one, uint(-k)))
}
