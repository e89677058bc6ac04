package prove

import (
	"math"
	"math/big"
	"sort"
)

// solveNonnegative finds x ≥ 0 with Σ x_j·columns_j = goal, with as much as possible (up to one in all) on the columns
// preferred, and some; nil if none was found. The simplex method in floating point picks the columns; their
// coefficients are then solved for exactly.
func solveNonnegative(columns []map[rowKey]*big.Rat, goal map[rowKey]*big.Rat, prefer []bool, spend func(operations int)) []*big.Rat {
	support := simplex(columns, goal, prefer, spend)
	if support == nil {
		return nil
	}
	list := make([]map[rowKey]*big.Rat, len(support))
	for i, j := range support {
		list[i] = columns[j]
	}
	x := solveLinear(list, goal)
	if x == nil {
		return nil
	}
	out := make([]*big.Rat, len(columns))
	for j := range out {
		out[j] = new(big.Rat)
	}
	strict := prefer == nil
	for i, j := range support {
		if x[i].Sign() < 0 {
			return nil
		}
		out[j] = x[i]
		strict = strict || prefer[j] && x[i].Sign() > 0
	}
	if !strict {
		return nil
	}
	return out
}

// simplex returns the columns of a basic solution, or nil.
func simplex(columns []map[rowKey]*big.Rat, goal map[rowKey]*big.Rat, prefer []bool, spend func(operations int)) []int {
	index := map[rowKey]int{}
	var keys []rowKey
	for _, c := range append([]map[rowKey]*big.Rat{goal}, columns...) {
		for k := range c {
			if _, ok := index[k]; !ok {
				index[k] = 0
				keys = append(keys, k)
			}
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].w != keys[j].w {
			return keys[i].w < keys[j].w
		}
		return keys[i].m < keys[j].m
	})
	for i, k := range keys {
		index[k] = i
	}
	n, m := len(columns), len(keys)
	if prefer != nil {
		// v + w = 1 and Σ preferred − v − y = 0: what is maximised is v.
		m += 2
	}
	v, w, y := n, n+1, n+2
	width := n + 3
	// Tableau: columns 0…n−1, v, w, y, artificial ones implicit, right side last.
	t := make([][]float64, m)
	for i := range t {
		t[i] = make([]float64, width+1)
	}
	for j, c := range columns {
		for k, x := range c {
			t[index[k]][j], _ = x.Float64()
		}
	}
	for k, x := range goal {
		t[index[k]][width], _ = x.Float64()
	}
	if prefer != nil {
		for j, p := range prefer {
			if p {
				t[m-1][j] = 1
			}
		}
		t[m-1][v], t[m-1][y] = -1, -1
		t[m-2][v], t[m-2][w], t[m-2][width] = 1, 1, 1
	}
	// Rows are scaled and made nonnegative on the right.
	for i := range t {
		top := 0.0
		for _, x := range t[i] {
			top = math.Max(top, math.Abs(x))
		}
		if top == 0 {
			continue
		}
		if t[i][width] < 0 {
			top = -top
		}
		for j := range t[i] {
			t[i][j] /= top
		}
	}
	basis := make([]int, m)
	for i := range basis {
		basis[i] = -1 // artificial
	}
	pivot := func(r, c int) {
		spend(m * width)
		p := t[r][c]
		for j := range t[r] {
			t[r][j] /= p
		}
		for i := range t {
			f := t[i][c]
			if i == r || f == 0 {
				continue
			}
			for j := range t[i] {
				t[i][j] -= f * t[r][j]
			}
			t[i][c] = 0
		}
		basis[r] = c
	}
	const eps = 1e-9
	run := func(cost func() []float64, done func() bool) bool {
		for range 2000 {
			if done != nil && done() {
				return true
			}
			z := cost()
			c := -1
			best := eps
			for j := range width {
				if z[j] > best {
					best, c = z[j], j
				}
			}
			if c < 0 {
				return true
			}
			r, ratio := -1, math.Inf(1)
			for i := range t {
				if t[i][c] > eps {
					q := t[i][width] / t[i][c]
					// Artificial ones leave first.
					if q < ratio-1e-12 || q < ratio+1e-12 && r >= 0 && basis[i] < basis[r] {
						r, ratio = i, q
					}
				}
			}
			if r < 0 {
				return false
			}
			pivot(r, c)
		}
		return false
	}
	infeasible := func() float64 {
		s := 0.0
		for i := range t {
			if basis[i] < 0 {
				s += t[i][width]
			}
		}
		return s
	}
	ok := run(func() []float64 {
		z := make([]float64, width)
		for i := range t {
			if basis[i] >= 0 {
				continue
			}
			for j := range z {
				z[j] += t[i][j]
			}
		}
		return z
	}, func() bool { return infeasible() < 1e-10 })
	if !ok || infeasible() > 1e-7 {
		return nil
	}
	if prefer != nil {
		run(func() []float64 {
			z := make([]float64, width)
			z[v] = 1
			for i := range t {
				if basis[i] == v {
					for j := range z {
						z[j] -= t[i][j]
					}
				}
			}
			return z
		}, nil)
	}
	var out []int
	for i, b := range basis {
		if b >= 0 && b < n && t[i][width] > 1e-9 {
			out = append(out, b)
		}
	}
	sort.Ints(out)
	return out
}
