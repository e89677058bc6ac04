package enclosure

import (
	"math"
	"sort"

	"stopgrad/numeric/interval"
)

// zonotope is the set {m + C·u + Σ_j g_j·v_j : u ∈ r0, |v_j| ≤ 1} with a float64 centre
// m, a float64 matrix C and float64 columns g_j: the linear image of the initial set,
// and the errors made since (Lohner 1987 and Mrozek and Zgliczyński 2000 keep these in
// one parallelepiped; Kühn, Computing 61, 1998, in a cascade of columns, as here). Each
// error has columns of its own, so that steps do not wrap it; when there are too many,
// the smaller half is enclosed in one parallelepiped. 0 ∈ u, so that m is in the set.
type zonotope struct {
	n  int
	m  []float64
	c  []float64 // n×n, row-major
	r0 []interval.Interval
	g  [][]float64 // columns
}

// mostColumns is the number of columns, per dimension, at which they are reduced.
const mostColumns = 48

func newZonotope(x []interval.Interval) *zonotope {
	n := len(x)
	s := &zonotope{n: n, m: make([]float64, n), c: identity(n), r0: make([]interval.Interval, n)}
	for i, xi := range x {
		s.m[i] = xi.Mid()
		s.r0[i] = xi.Sub(interval.Point(s.m[i]))
	}
	return s
}

func identity(n int) []float64 {
	a := make([]float64, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// centre returns m as point intervals.
func (s *zonotope) centre() []interval.Interval {
	x := make([]interval.Interval, s.n)
	for i, v := range s.m {
		x[i] = interval.Point(v)
	}
	return x
}

// box returns the tightest box this package finds around the set; it contains m.
func (s *zonotope) box() []interval.Interval {
	x := s.centre()
	for i := range x {
		d := dot(s.c[i*s.n:(i+1)*s.n], s.r0)
		var sum interval.Interval
		for _, g := range s.g {
			sum = sum.Add(interval.Point(math.Abs(g[i])))
		}
		d = d.Add(interval.Symmetric(sum.Hi()))
		// Soundness: the mean value form needs the segment from m to every
		// point of the set inside the box; 0 ∈ d by construction, and the hull
		// keeps m inside whatever happens.
		x[i] = x[i].Add(d).Hull(x[i])
	}
	return x
}

// widest returns the variable of the initial set whose width has the largest image, in
// units of the width of the box of the set.
func (s *zonotope) widest() int {
	box := s.box()
	at, most := 0, -1.0
	for j := range s.n {
		size := 0.0
		for i := range s.n {
			if w := box[i].Wid(); w > 0 && w <= math.MaxFloat64 {
				size = max(size, math.Abs(s.c[i*s.n+j])*s.r0[j].Rad()/w)
			}
		}
		if size > most {
			at, most = j, size
		}
	}
	return at
}

// excess returns the largest ratio, over the components, of the width that errors have to
// that of the linear image of the initial set, as far as the latter is more than rounding.
func (s *zonotope) excess() float64 {
	most := 0.0
	for i := range s.n {
		image, errors := 0.0, 0.0
		for j := range s.n {
			image += math.Abs(s.c[i*s.n+j]) * s.r0[j].Rad()
		}
		for _, g := range s.g {
			errors += math.Abs(g[i])
		}
		// small is where the width of an image is not worth a cut.
		const small = 0x1p-20
		if image > small*math.Abs(s.m[i]) {
			most = math.Max(most, errors/image)
		}
	}
	return most
}

// dot returns Σ a_j·u_j for float64 a.
func dot(a []float64, u []interval.Interval) interval.Interval {
	var sum interval.Interval
	for j, v := range a {
		if v != 0 {
			sum = sum.Add(interval.Point(v).Mul(u[j]))
		}
	}
	return sum
}

// advance replaces the set by one that contains
//
//	{φ + J'·(x − m) : φ ∈ phi, J' ∈ jac, x in the set},
//
// the mean value form of a map with value φ at m and derivative in jac on the
// set's box. It reports false, and leaves the set unchanged, if an end is not
// finite.
func (s *zonotope) advance(phi, jac []interval.Interval) bool {
	n := s.n
	m, c := make([]float64, n), make([]float64, n*n)
	// rest collects what m, C·u and the columns do not express: φ − m and the
	// differences of the products from their midpoints.
	rest := make([]interval.Interval, n)
	for i, v := range phi {
		if !v.IsBounded() {
			return false
		}
		m[i] = v.Mid()
		rest[i] = v.Sub(interval.Point(m[i]))
	}
	column := make([]float64, n)
	for j := range n {
		for i := range n {
			column[i] = s.c[i*n+j]
		}
		for i := range n {
			v := dot(column, jac[i*n:(i+1)*n])
			if !v.IsBounded() {
				return false
			}
			c[i*n+j] = v.Mid()
			rest[i] = rest[i].Add(v.Sub(interval.Point(c[i*n+j])).Mul(s.r0[j]))
		}
	}
	columns := make([][]float64, 0, len(s.g)+n)
	unit := interval.Symmetric(1)
	for _, old := range s.g {
		g := make([]float64, n)
		for i := range n {
			v := dot(old, jac[i*n:(i+1)*n])
			if !v.IsBounded() {
				return false
			}
			g[i] = v.Mid()
			rest[i] = rest[i].Add(v.Sub(interval.Point(g[i])).Mul(unit))
		}
		columns = append(columns, g)
	}
	for i, v := range rest {
		if !v.IsBounded() {
			return false
		}
		if r := v.Mag(); r > 0 {
			g := make([]float64, n)
			g[i] = r
			columns = append(columns, g)
		}
	}
	if len(columns) > mostColumns*n {
		var ok bool
		if columns, ok = reduce(n, columns); !ok {
			return false
		}
	}
	s.m, s.c, s.g = m, c, columns
	return true
}

// reduce encloses the smaller half of the columns in one parallelepiped Q·v:
//
//	Σ_j g_j·v_j = Q·Σ_j (Q⁻¹·g_j)·v_j,   |Σ_j (Q⁻¹·g_j)_i·v_j| ≤ Σ_j |Q⁻¹·g_j|_i.
//
// It reports false if a bound is not finite.
func reduce(n int, columns [][]float64) ([][]float64, bool) {
	sort.SliceStable(columns, func(i, j int) bool { return norm2(columns[i]) > norm2(columns[j]) })
	keep := len(columns) / 2
	small := columns[keep:]
	q := frame(n, small)
	inverse, ok := invertOrthogonal(n, q)
	if !ok {
		q = identity(n)
		inverse, _ = invertOrthogonal(n, q)
	}
	out := append([][]float64(nil), columns[:keep]...)
	rounding := make([]interval.Interval, n)
	for i := range n {
		var sum interval.Interval
		for _, g := range small {
			sum = sum.Add(dot(g, inverse[i*n:(i+1)*n]).Abs())
		}
		if !sum.IsBounded() {
			return nil, false
		}
		g := make([]float64, n)
		for k := range n {
			v := interval.Point(sum.Hi()).Mul(interval.Point(q[k*n+i]))
			g[k] = v.Mid()
			// Soundness: the column is sum·q_i only up to rounding, which is an error
			// like others.
			rounding[k] = rounding[k].Add(v.Sub(interval.Point(g[k])).Abs())
		}
		out = append(out, g)
	}
	for k, r := range rounding {
		if !r.IsBounded() {
			return nil, false
		}
		if r.Hi() > 0 {
			g := make([]float64, n)
			g[k] = r.Hi()
			out = append(out, g)
		}
	}
	return out, true
}

// frame returns a nearly orthogonal matrix for a sum of columns: the Q factor of the
// columns in the order of their size (Lohner 1987, section 3.4). Any matrix is sound
// here; this one is tight.
func frame(n int, columns [][]float64) []float64 {
	q := make([]float64, n*n)
	done := 0
	// orthogonalise appends v to q, by Gram–Schmidt applied twice, unless v
	// depends on the columns that are there.
	orthogonalise := func(v []float64) {
		before := norm2(v)
		for range 2 {
			for k := range done {
				p := 0.0
				for i := range v {
					p += q[i*n+k] * v[i]
				}
				for i := range v {
					v[i] -= p * q[i*n+k]
				}
			}
		}
		// dependent is far above rounding and far below any direction that
		// carries information.
		const dependent = 1e-10
		after := norm2(v)
		if done == n || !(after > dependent*before) || math.IsInf(before, 0) {
			return
		}
		for i := range v {
			q[i*n+done] = v[i] / after
		}
		done++
	}
	for _, c := range columns {
		if done == n {
			break
		}
		orthogonalise(append([]float64(nil), c...))
	}
	for i := range n {
		unit := make([]float64, n)
		unit[i] = 1
		orthogonalise(unit)
	}
	return q
}

func norm2(v []float64) float64 {
	norm := 0.0
	for _, x := range v {
		norm = math.Hypot(norm, x)
	}
	return norm
}

// invertOrthogonal returns an enclosure of q⁻¹ for a nearly orthogonal q. With
// E = I − qᵀq and ‖E‖∞ ≤ δ < 1, qᵀq is invertible and
//
//	q⁻¹ = (qᵀq)⁻¹·qᵀ = qᵀ + F·qᵀ,   ‖F‖∞ ≤ δ/(1−δ)   (Neumann series),
//
// so that |(F·qᵀ)_ij| ≤ δ/(1−δ)·max_k |q_jk|. It reports false if δ ≥ 1/2.
func invertOrthogonal(n int, q []float64) ([]interval.Interval, bool) {
	one := interval.Point(1)
	delta := 0.0
	for i := range n {
		var row interval.Interval
		for j := range n {
			var e interval.Interval
			if i == j {
				e = one
			}
			for k := range n {
				e = e.Sub(interval.Point(q[k*n+i]).Mul(interval.Point(q[k*n+j])))
			}
			row = row.Add(e.Abs())
		}
		delta = math.Max(delta, row.Hi())
	}
	if !(delta < 0.5) {
		return nil, false
	}
	d := interval.Point(delta)
	bound := d.Div(one.Sub(d))
	out := make([]interval.Interval, n*n)
	for j := range n {
		most := 0.0
		for k := range n {
			most = math.Max(most, math.Abs(q[j*n+k]))
		}
		e := interval.Symmetric(bound.Mul(interval.Point(most)).Hi())
		for i := range n {
			// (qᵀ)_ij = q_ji.
			out[i*n+j] = interval.Point(q[j*n+i]).Add(e)
		}
	}
	return out, true
}
