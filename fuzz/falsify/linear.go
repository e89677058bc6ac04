package falsify

import (
	"math/big"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// Statements may need equations to hold: those of their equality hypotheses, of stationarity where something is
// said to vanish, and of the edge where something is said to stay. Where the equations are affine in a few
// symbols they can be solved.

// needsEquations reports whether a counterexample of the part has to satisfy equations.
func needsEquations(part *lang.Part) bool {
	for _, a := range part.Assumes {
		if a.Stmt.Kind == lang.Equality {
			return true
		}
	}
	return part.Stmt.Kind == lang.Vanishes || part.Stmt.Kind == lang.Stays
}

// stand sets to zero the velocities of quantities that move freely, x' = dx, for a stationary state.
func stand[T any](ar eval.Arith[T], part *lang.Part, st eval.State[T]) {
	if part.Stmt.Kind != lang.Vanishes {
		return
	}
	env := part.Env
	for _, q := range env.Flow {
		if q.RHS.Kind == lang.Sym && env.Symbols[q.RHS.Name] != nil && env.Equation(q.RHS.Name) == nil {
			m := st.Vals[q.RHS.Name]
			for i := range m.A {
				m.A[i] = ar.FromRat(new(big.Rat))
			}
		}
	}
}

// solvable lists the symbols that can be solved for.
func solvable(part *lang.Part) []string {
	var names []string
	for _, name := range part.Env.Order {
		s := part.Env.Symbols[name]
		if s.Root == nil && s.Kind != lang.Random && s.Attr&lang.Isometry == 0 {
			names = append(names, name)
		}
	}
	return names
}

// solve changes the symbols called names so that as many as possible of the equations hold: those that are
// affine in them. Unknowns that the linear system leaves free keep their values; which ones those are is
// decided by the order, a permutation of the unknowns, nil for their own.
func solve[T any](ar eval.Arith[T], part *lang.Part, st eval.State[T], names []string, order []int) {
	stand(ar, part, st)
	var unknowns []unknown
	for _, name := range names {
		unknowns = append(unknowns, unknownsOf(part.Env.Symbols[name], st.Vals[name].R, st.Vals[name].C)...)
	}
	zero, one, two := ar.FromRat(new(big.Rat)), ar.FromRat(big.NewRat(1, 1)), ar.FromRat(big.NewRat(2, 1))
	old := make([]T, len(unknowns))
	for j, u := range unknowns {
		old[j] = st.Vals[u.name].A[u.at]
		put(ar, st, u, zero)
	}
	x := func() []T {
		base, err := eval.Equations(ar, part, st)
		if err != nil {
			return old
		}
		scale := 0.0
		columns := make([][]T, len(unknowns))
		affine := make([]bool, len(base))
		for i := range affine {
			affine[i] = true
			scale = max(scale, abs(ar.Float(base[i])))
		}
		for j, u := range unknowns {
			put(ar, st, u, one)
			f1, err1 := eval.Equations(ar, part, st)
			put(ar, st, u, two)
			f2, err2 := eval.Equations(ar, part, st)
			put(ar, st, u, zero)
			if err1 != nil || err2 != nil {
				return old
			}
			columns[j] = make([]T, len(base))
			for i := range base {
				columns[j][i] = ar.Sub(f1[i], base[i])
				size := max(scale, abs(ar.Float(f1[i])), abs(ar.Float(f2[i])))
				affine[i] = affine[i] && ar.Sign(ar.Sub(ar.Sub(f2[i], f1[i]), columns[j][i]), size) == 0
			}
		}
		var rows [][]T
		for i := range base {
			if !affine[i] {
				continue
			}
			row := make([]T, len(unknowns)+1)
			for j := range unknowns {
				row[j] = columns[j][i]
			}
			row[len(unknowns)] = ar.Sub(zero, base[i])
			rows = append(rows, row)
		}
		return eliminate(ar, rows, order, old)
	}()
	for j, u := range unknowns {
		put(ar, st, u, x[j])
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// eliminate solves rows·x = last column by Gauss–Jordan elimination with columns in the given order, free
// unknowns keeping their value in old; inconsistent rows are ignored.
func eliminate[T any](ar eval.Arith[T], rows [][]T, order []int, old []T) []T {
	n := len(old)
	if order == nil {
		order = make([]int, n)
		for i := range order {
			order[i] = i
		}
	}
	scale := 0.0
	for _, row := range rows {
		for _, v := range row {
			scale = max(scale, abs(ar.Float(v)))
		}
	}
	var pivots []int
	r := 0
	for _, c := range order {
		if r == len(rows) {
			break
		}
		p := r
		for i := r; i < len(rows); i++ {
			if abs(ar.Float(rows[i][c])) > abs(ar.Float(rows[p][c])) {
				p = i
			}
		}
		if ar.Sign(rows[p][c], scale) == 0 {
			continue
		}
		rows[p], rows[r] = rows[r], rows[p]
		pivot := rows[r][c]
		for j := range rows[r] {
			q, err := ar.Div(rows[r][j], pivot)
			if err != nil {
				return old
			}
			rows[r][j] = q
		}
		for i := range rows {
			if i != r {
				f := rows[i][c]
				for j := range rows[i] {
					rows[i][j] = ar.Sub(rows[i][j], ar.Mul(f, rows[r][j]))
				}
			}
		}
		pivots = append(pivots, c)
		r++
	}
	bound := make([]bool, n)
	for _, c := range pivots {
		bound[c] = true
	}
	x := append([]T(nil), old...)
	for i, c := range pivots {
		v := rows[i][n]
		for j := range n {
			if !bound[j] {
				v = ar.Sub(v, ar.Mul(rows[i][j], old[j]))
			}
		}
		x[c] = v
	}
	return x
}

// unknown is a number of a state with those that equal it, or its negative, by symmetry.
type unknown struct {
	name         string
	at, mirrored int // mirrored < 0: none
	skew         bool
}

func put[T any](ar eval.Arith[T], st eval.State[T], u unknown, v T) {
	a := st.Vals[u.name].A
	a[u.at] = v
	if u.mirrored >= 0 {
		a[u.mirrored] = v
		if u.skew {
			a[u.mirrored] = ar.Sub(ar.FromRat(new(big.Rat)), v)
		}
	}
}

func unknownsOf(s *lang.Symbol, r, c int) []unknown {
	var out []unknown
	for i := range r {
		for j := range c {
			u := unknown{name: s.Name, at: i*c + j, mirrored: -1}
			switch {
			case s.Kind == lang.Matrix && s.Attr&lang.Diagonal != 0 && i != j:
				continue
			case s.Kind == lang.Matrix && s.Attr&lang.Skew != 0:
				if i >= j {
					continue
				}
				u.mirrored, u.skew = j*c+i, true
			case s.Kind == lang.Matrix && s.Attr&lang.Symmetric != 0 && i != j:
				if i > j {
					continue
				}
				u.mirrored = j*c + i
			}
			out = append(out, u)
		}
	}
	return out
}

// solveAtRandom solves for one or two symbols, the order of the unknowns drawn as well.
func solveAtRandom(ar sample.Exact, ch sample.Chooser, part *lang.Part, st eval.State[*big.Rat]) {
	names := solvable(part)
	if len(names) == 0 {
		return
	}
	var chosen []string
	i := ch.Intn(len(names))
	chosen = append(chosen, names[i])
	if j := ch.Intn(2 * len(names)); j < len(names) && j != i {
		chosen = append(chosen, names[j])
	}
	n := 0
	for _, name := range chosen {
		n += len(unknownsOf(part.Env.Symbols[name], st.Vals[name].R, st.Vals[name].C))
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		k := ch.Intn(i + 1)
		order[i], order[k] = order[k], order[i]
	}
	solve(ar, part, st, chosen, order)
}
