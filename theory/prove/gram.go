package prove

import "math"

// The search for sums of squares needs a little dense linear algebra in floating point. It is written here because nothing
// below the folder theory may link assembly, which libraries have; what it computes is a guess that is rounded and checked.

// dense matrices are square, by rows.
type square [][]float64

func newSquare(n int) square {
	a := make(square, n)
	for i := range a {
		a[i] = make([]float64, n)
	}
	return a
}

// unit is s·I.
func unit(n int, s float64) square {
	a := newSquare(n)
	for i := range a {
		a[i][i] = s
	}
	return a
}

// plus is a + f·b.
func (a square) plus(b square, f float64) square {
	c := newSquare(len(a))
	for i := range a {
		for j := range a {
			c[i][j] = a[i][j] + f*b[i][j]
		}
	}
	return c
}

// definite reports whether a symmetric matrix is positive definite, by Cholesky's factors.
func (a square) definite() bool {
	n := len(a)
	l := newSquare(n)
	for j := range n {
		d := a[j][j]
		for k := range j {
			d -= l[j][k] * l[j][k]
		}
		if !(d > 0) {
			return false
		}
		l[j][j] = math.Sqrt(d)
		for i := j + 1; i < n; i++ {
			s := a[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			l[i][j] = s / l[j][j]
		}
	}
	return true
}

// eigen are the eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations.
func (a square) eigen() ([]float64, square) {
	n := len(a)
	m, v := a.plus(a, 0), unit(n, 1)
	for range 60 {
		off := 0.0
		for i := range n {
			for j := range i {
				off += m[i][j] * m[i][j]
			}
		}
		if off < 1e-28 {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if m[p][q] == 0 {
					continue
				}
				theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
				t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
				if theta < 0 {
					t = -t
				}
				c := 1 / math.Sqrt(t*t+1)
				s := t * c
				for k := range n {
					x, y := m[k][p], m[k][q]
					m[k][p], m[k][q] = c*x-s*y, s*x+c*y
				}
				for k := range n {
					x, y := m[p][k], m[q][k]
					m[p][k], m[q][k] = c*x-s*y, s*x+c*y
				}
				for k := range n {
					x, y := v[k][p], v[k][q]
					v[k][p], v[k][q] = c*x-s*y, s*x+c*y
				}
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = m[i][i]
	}
	return out, v
}

// solve solves a·x = b in place by elimination with row pivots; false if a is singular.
func (a square) solve(b []float64) bool {
	n := len(a)
	for c := range n {
		p := c
		for i := c + 1; i < n; i++ {
			if math.Abs(a[i][c]) > math.Abs(a[p][c]) {
				p = i
			}
		}
		if math.Abs(a[p][c]) < 1e-300 || math.IsNaN(a[p][c]) {
			return false
		}
		a[p], a[c] = a[c], a[p]
		b[p], b[c] = b[c], b[p]
		for i := c + 1; i < n; i++ {
			f := a[i][c] / a[c][c]
			if f == 0 {
				continue
			}
			for j := c; j < n; j++ {
				a[i][j] -= f * a[c][j]
			}
			b[i] -= f * b[c]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			b[i] -= a[i][j] * b[j]
		}
		b[i] /= a[i][i]
	}
	return true
}

// entry is an entry of a sparse symmetric matrix, given once with i ≤ j.
type entry struct {
	i, j int
	v    float64
}

// programme asks for symmetric matrices G_k with G_k − t·I definite for the largest t, and for free numbers f, such that
// Σ_k tr(A_ik·G_k) + F_i·f = b_i.
type programme struct {
	sizes []int
	a     [][][]entry // by block and equation
	f     [][]float64 // by free number and equation
	b     []float64
}

// bound is the trace within which solutions are looked for, against coefficients of one.
const traceBound = 1e3

// maximise follows the central path of the programme. The matrices are those at the end, and approximate; t < 0 says that
// there are none. What is maximised is t, with −log det as barrier, by Newton's method from an infeasible start.
func (p *programme) maximise(spend func(operations int)) (g []square, free []float64, t float64, ok bool) {
	m, k := len(p.b), len(p.sizes)
	nf := len(p.f) + 1
	total := 0
	x := make([]square, k+1)
	for i, n := range p.sizes {
		x[i] = unit(n, 1)
		total += n
	}
	x[k] = unit(1, traceBound)
	// Blocks with the slack of the trace, equations with the trace, free numbers with t in front.
	a := make([][][]entry, k+1)
	f := make([][]float64, nf)
	for i := range f {
		f[i] = make([]float64, m+1)
		if i > 0 {
			copy(f[i], p.f[i-1])
		}
	}
	for i, n := range p.sizes {
		a[i] = append(append([][]entry{}, p.a[i]...), nil)
		for j := range n {
			a[i][m] = append(a[i][m], entry{j, j, 1})
		}
		for e, list := range a[i][:m] {
			for _, z := range list {
				if z.i == z.j {
					f[0][e] += z.v
				}
			}
		}
	}
	a[k] = make([][]entry, m+1)
	a[k][m] = []entry{{0, 0, 1}}
	b := append(append([]float64{}, p.b...), traceBound)
	fv := make([]float64, nf)
	inner := func(list []entry, y square) float64 {
		s := 0.0
		for _, z := range list {
			if z.i == z.j {
				s += z.v * y[z.i][z.j]
			} else {
				s += z.v * (y[z.i][z.j] + y[z.j][z.i])
			}
		}
		return s
	}
	tau := 1.0
	var best []square
	n := m + 1 + nf
	cost := n * n * n / 3
	for c, y := range x {
		d := len(y)
		cost += 3*d*d*d + len(a[c])*d*d
	}
	for step := 0; step < 90; step++ {
		spend(cost)
		// S_ij = tr(A_i·X·A_j·X).
		kkt := newSquare(n)
		rhs := make([]float64, n)
		for c, y := range x {
			d := len(y)
			for j, list := range a[c] {
				if len(list) == 0 {
					continue
				}
				mj := newSquare(d)
				for _, z := range list {
					for r := range d {
						for q := range d {
							v := y[r][z.i] * y[z.j][q]
							if z.i != z.j {
								v += y[r][z.j] * y[z.i][q]
							}
							mj[r][q] += z.v * v
						}
					}
				}
				for i, li := range a[c] {
					if len(li) > 0 {
						kkt[i][j] += inner(li, mj)
					}
				}
				rhs[j] += 2 * inner(list, y)
			}
		}
		miss := 0.0
		for i := range m + 1 {
			// 2·A(X) + F·f − b; the residual is half of A(X) less.
			r := rhs[i]/2 - b[i]
			for j := range nf {
				r += f[j][i] * fv[j]
				kkt[i][m+1+j] = -f[j][i]
				kkt[m+1+j][i] = f[j][i]
			}
			miss = math.Max(miss, math.Abs(r))
			rhs[i] = rhs[i]/2 + r
			kkt[i][i] += 1e-13 * (1 + kkt[i][i])
		}
		for j := range nf {
			kkt[m+1+j][m+1+j] = 1e-11
		}
		rhs[m+1] = tau
		if !kkt.solve(rhs) {
			break
		}
		// ΔX = X − X(Σ y_i A_i)X.
		dx := make([]square, k+1)
		decrement := 0.0
		for c, y := range x {
			d := len(y)
			ay := newSquare(d)
			for i, list := range a[c] {
				for _, z := range list {
					ay[z.i][z.j] += rhs[i] * z.v
					if z.i != z.j {
						ay[z.j][z.i] += rhs[i] * z.v
					}
				}
			}
			half := newSquare(d)
			for r := range d {
				for q := range d {
					for s := range d {
						half[r][q] += y[r][s] * ay[s][q]
					}
				}
			}
			dx[c] = newSquare(d)
			for r := range d {
				for q := range d {
					s := 0.0
					for l := range d {
						s += half[r][l] * y[l][q]
					}
					dx[c][r][q] = y[r][q] - s
				}
			}
			for r := range d {
				for q := range d {
					u, w := half[r][q], half[q][r]
					if r == q {
						u, w = 1-u, 1-w
					}
					decrement += u * w
				}
			}
			for r := range d {
				for q := range r {
					v := (dx[c][r][q] + dx[c][q][r]) / 2
					dx[c][r][q], dx[c][q][r] = v, v
				}
			}
		}
		alpha := 1.0
		for ; alpha > 1e-10; alpha *= .7 {
			inside := true
			for c := range x {
				if inside = x[c].plus(dx[c], alpha).definite(); !inside {
					break
				}
			}
			if inside {
				break
			}
		}
		if alpha <= 1e-10 || math.IsNaN(decrement) {
			break
		}
		if alpha < 1 {
			alpha *= .9
		}
		for c := range x {
			x[c] = x[c].plus(dx[c], alpha)
		}
		for j := range nf {
			fv[j] += alpha * rhs[m+1+j]
		}
		if math.IsNaN(fv[0]) {
			return nil, nil, 0, false
		}
		if alpha == 1 && math.Abs(decrement) < .3 || miss < 1e-9 && math.Abs(decrement) < 1 {
			if ok = miss < 1e-7; ok {
				best = best[:0]
				for _, y := range x {
					best = append(best, y.plus(y, 0))
				}
				free = append([]float64{}, fv...)
			} else if best != nil {
				break // rounding errors have the better of it
			}
			if float64(total+1)/tau < 3e-8 || ok && fv[0] > 1e-2 && tau > 1e3 {
				break
			}
			// Nothing reaches the bound.
			if ok && fv[0]+float64(total+1)/tau < -1e-5 {
				return nil, nil, fv[0], false
			}
			tau *= 6
		}
	}
	if best == nil {
		return nil, nil, 0, false
	}
	for _, y := range best[:k] {
		g = append(g, y.plus(unit(len(y), 1), free[0]))
	}
	return g, free[1:], free[0], true
}
