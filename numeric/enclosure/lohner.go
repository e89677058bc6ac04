package enclosure

import (
	"math"
	"sort"

	"stopgrad/numeric/interval"
)

// doubleton is the set {m + C·u + Q·v : u ∈ r0, v ∈ r} with a float64 centre m
// and float64 matrices C, Q: the linear image of the initial set, and the errors
// made since in a nearly orthogonal frame of their own (Lohner 1987; Mrozek and
// Zgliczyński 2000, "doubleton"). 0 ∈ u and 0 ∈ v, so that m is in the set.
type doubleton struct {
	n     int
	m     []float64
	c, q  []float64 // n×n, row-major
	r0, r []interval.Interval
}

func newDoubleton(x []interval.Interval) *doubleton {
	n := len(x)
	s := &doubleton{
		n: n, m: make([]float64, n),
		c: identity(n), q: identity(n),
		r0: make([]interval.Interval, n), r: make([]interval.Interval, n),
	}
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
func (s *doubleton) centre() []interval.Interval {
	x := make([]interval.Interval, s.n)
	for i, v := range s.m {
		x[i] = interval.Point(v)
	}
	return x
}

// box returns the tightest box this package finds around the set; it contains m.
func (s *doubleton) box() []interval.Interval {
	x := s.centre()
	for i := range x {
		d := dot(s.c[i*s.n:(i+1)*s.n], s.r0).Add(dot(s.q[i*s.n:(i+1)*s.n], s.r))
		// Soundness: the mean value form needs the segment from m to every
		// point of the set inside the box; 0 ∈ d by construction, and the hull
		// keeps m inside whatever happens.
		x[i] = x[i].Add(d).Hull(x[i])
	}
	return x
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

// imdot returns Σ a_j·u_j for intervals a.
func imdot(a, u []interval.Interval) interval.Interval {
	var sum interval.Interval
	for j, v := range a {
		sum = sum.Add(v.Mul(u[j]))
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
func (s *doubleton) advance(phi, jac []interval.Interval) bool {
	n := s.n
	jc, jq := multiply(n, jac, s.c), multiply(n, jac, s.q)
	for i, v := range phi {
		if !v.IsBounded() {
			return false
		}
		for j := range n {
			if !jc[i*n+j].IsBounded() || !jq[i*n+j].IsBounded() {
				return false
			}
		}
	}
	m := make([]float64, n)
	c := make([]float64, n*n)
	// rest collects what m + C·u does not express: φ − m and (J·C − C_new)·u.
	rest := make([]interval.Interval, n)
	for i := range n {
		m[i] = phi[i].Mid()
		rest[i] = phi[i].Sub(interval.Point(m[i]))
		for j := range n {
			v := jc[i*n+j].Mid()
			c[i*n+j] = v
			rest[i] = rest[i].Add(jc[i*n+j].Sub(interval.Point(v)).Mul(s.r0[j]))
		}
	}
	q := s.frame(jq)
	inverse, ok := invertOrthogonal(n, q)
	if !ok {
		q = identity(n)
		inverse, _ = invertOrthogonal(n, q)
	}
	// Q·v for v = Q⁻¹·(J·Q_old·r + rest): the products of matrices come first,
	// since Q⁻¹·(J·Q_old) is nearly triangular and does not wrap.
	turned := make([]interval.Interval, n*n)
	for i := range n {
		for j := range n {
			var sum interval.Interval
			for k := range n {
				sum = sum.Add(inverse[i*n+k].Mul(jq[k*n+j]))
			}
			turned[i*n+j] = sum
		}
	}
	r := make([]interval.Interval, n)
	for i := range n {
		r[i] = imdot(turned[i*n:(i+1)*n], s.r).Add(imdot(inverse[i*n:(i+1)*n], rest))
		if !r[i].IsBounded() || !rest[i].IsBounded() {
			return false
		}
	}
	s.m, s.c, s.q, s.r = m, c, q, r
	return true
}

// multiply returns jac·b for an interval matrix and a float64 matrix.
func multiply(n int, jac []interval.Interval, b []float64) []interval.Interval {
	out := make([]interval.Interval, n*n)
	for i := range n {
		for j := range n {
			var sum interval.Interval
			for k := range n {
				if v := b[k*n+j]; v != 0 {
					sum = sum.Add(jac[i*n+k].Mul(interval.Point(v)))
				}
			}
			out[i*n+j] = sum
		}
	}
	return out
}

// frame returns a nearly orthogonal matrix for the error set jq·r: the Q factor
// of the midpoint of jq, its columns taken in the order of their contribution
// |column|·rad(r) (Lohner 1987, section 3.4). Any matrix is sound here; this one
// is tight.
func (s *doubleton) frame(jq []interval.Interval) []float64 {
	n := s.n
	type column struct {
		v    []float64
		size float64
	}
	columns := make([]column, n)
	for j := range columns {
		v := make([]float64, n)
		norm := 0.0
		for i := range v {
			v[i] = jq[i*n+j].Mid()
			norm = math.Hypot(norm, v[i])
		}
		columns[j] = column{v, norm * s.r[j].Rad()}
	}
	sort.SliceStable(columns, func(i, j int) bool { return columns[i].size > columns[j].size })
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
		orthogonalise(c.v)
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
