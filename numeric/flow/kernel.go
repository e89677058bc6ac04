package flow

import "gonum.org/v1/gonum/mat"

// The kernels below work on row-major slices. The matrices of the theory are small
// (n ≤ 64), where the calls of a general library cost as much as the arithmetic.

// mulTo writes A·B into dst for A m×k, B k×n.
func mulTo(dst, a, b []float64, m, k, n int) {
	for i := range m {
		d := dst[i*n : (i+1)*n]
		clear(d)
		addRows(d, a[i*k:(i+1)*k], 1, b, k, n)
	}
}

// transMulTo writes Aᵀ·B into dst for A k×m, B k×n.
func transMulTo(dst, a, b []float64, m, k, n int) {
	for i := range m {
		d := dst[i*n : (i+1)*n]
		clear(d)
		addRows(d, a[i:], m, b, k, n)
	}
}

// subMul subtracts A·B from dst for A m×k, B k×n; it changes the sign of A's entries
// on the fly by way of neg, which holds k numbers.
func subMul(dst, a, b, neg []float64, m, k, n int) {
	for i := range m {
		for l, x := range a[i*k : (i+1)*k] {
			neg[l] = -x
		}
		addRows(dst[i*n:(i+1)*n], neg, 1, b, k, n)
	}
}

// addRows adds Σ_l x[l·stride] · (row l of the k×n matrix B) to d, four rows at a
// time: the sum is bound by the loads and stores of d.
func addRows(d, x []float64, stride int, b []float64, k, n int) {
	l := 0
	for ; l+4 <= k; l += 4 {
		x0, x1, x2, x3 := x[l*stride], x[(l+1)*stride], x[(l+2)*stride], x[(l+3)*stride]
		b0 := b[l*n : (l+1)*n][:len(d)]
		b1 := b[(l+1)*n : (l+2)*n][:len(d)]
		b2 := b[(l+2)*n : (l+3)*n][:len(d)]
		b3 := b[(l+3)*n : (l+4)*n][:len(d)]
		for j := range d {
			d[j] += (x0*b0[j] + x1*b1[j]) + (x2*b2[j] + x3*b3[j])
		}
	}
	for ; l < k; l++ {
		axpy(d, x[l*stride], b[l*n:(l+1)*n])
	}
}

// mulTransTo writes A·Bᵀ into dst for A m×k, B n×k, four columns at a time.
func mulTransTo(dst, a, b []float64, m, k, n int) {
	for i := range m {
		r := a[i*k : (i+1)*k]
		j := 0
		for ; j+4 <= n; j += 4 {
			b0 := b[j*k : (j+1)*k][:len(r)]
			b1 := b[(j+1)*k : (j+2)*k][:len(r)]
			b2 := b[(j+2)*k : (j+3)*k][:len(r)]
			b3 := b[(j+3)*k : (j+4)*k][:len(r)]
			var s0, s1, s2, s3 float64
			for l, x := range r {
				s0 += x * b0[l]
				s1 += x * b1[l]
				s2 += x * b2[l]
				s3 += x * b3[l]
			}
			d := dst[i*n+j : i*n+j+4]
			d[0], d[1], d[2], d[3] = s0, s1, s2, s3
		}
		for ; j < n; j++ {
			c := b[j*k : (j+1)*k][:len(r)]
			var s float64
			for l, x := range r {
				s += x * c[l]
			}
			dst[i*n+j] = s
		}
	}
}

// axpy adds x·v to d.
func axpy(d []float64, x float64, v []float64) {
	v = v[:len(d)]
	for i := range d {
		d[i] += x * v[i]
	}
}

// moment is a symmetric n1×n1 matrix that multiplies from the right; a diagonal
// one (isotropic data above all) scales columns instead.
type moment struct {
	n    int
	diag []float64 // nil if not diagonal
	full []float64
}

func newMoment(m mat.Matrix) moment {
	n, _ := m.Dims()
	mo := moment{n: n, diag: make([]float64, n), full: make([]float64, n*n)}
	diagonal := true
	for i := range n {
		for j := range n {
			x := m.At(i, j)
			mo.full[i*n+j] = x
			if i == j {
				mo.diag[i] = x
			} else if x != 0 {
				diagonal = false
			}
		}
	}
	if !diagonal {
		mo.diag = nil
	}
	return mo
}

// rightTo writes A·M into dst for A m×n1.
func (mo moment) rightTo(dst, a []float64, m int) {
	n := mo.n
	if mo.diag == nil {
		mulTo(dst, a, mo.full, m, n, n)
		return
	}
	for i := range m {
		d, r := dst[i*n:(i+1)*n], a[i*n:(i+1)*n]
		for j, x := range mo.diag {
			d[j] = x * r[j]
		}
	}
}

// unpackSymmetric writes the symmetric n×n matrix with upper triangle u into dst.
func unpackSymmetric(dst, u []float64, n int) {
	at := 0
	for i := range n {
		for j := i; j < n; j++ {
			dst[i*n+j], dst[j*n+i] = u[at], u[at]
			at++
		}
	}
}

// packUpper writes c·(M + Mᵀ) + d·S into the upper triangle u, with S given by its
// own upper triangle.
func packUpper(u []float64, c float64, m []float64, d float64, s []float64, n int) {
	at := 0
	for i := range n {
		for j := i; j < n; j++ {
			u[at] = c*(m[i*n+j]+m[j*n+i]) + d*s[at]
			at++
		}
	}
}
