package native

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
)

// product is a batch of matrix products L·R of m×k and k×n. A transposed factor
// is stored as k×m, or n×k.
type product struct {
	batch, m, n, k int
	lTrans, rTrans bool
}

// shape is a factor's stored rows and columns.
func shape(rows, cols int, transposed bool) (int, int, blas.Transpose) {
	if transposed {
		return cols, rows, blas.Trans
	}
	return rows, cols, blas.NoTrans
}

func (p product) run64(out any, in []any) {
	y, l, r := out.([]float64), in[0].([]float64), in[1].([]float64)
	lr, lc, lt := shape(p.m, p.k, p.lTrans)
	rr, rc, rt := shape(p.k, p.n, p.rTrans)
	for b := range p.batch {
		blas64.Gemm(lt, rt, 1,
			blas64.General{Rows: lr, Cols: lc, Stride: lc, Data: l[b*lr*lc : (b+1)*lr*lc]},
			blas64.General{Rows: rr, Cols: rc, Stride: rc, Data: r[b*rr*rc : (b+1)*rr*rc]},
			0, blas64.General{Rows: p.m, Cols: p.n, Stride: p.n, Data: y[b*p.m*p.n : (b+1)*p.m*p.n]})
	}
}

func (p product) run32(out any, in []any) {
	y, l, r := out.([]float32), in[0].([]float32), in[1].([]float32)
	lr, lc, lt := shape(p.m, p.k, p.lTrans)
	rr, rc, rt := shape(p.k, p.n, p.rTrans)
	for b := range p.batch {
		blas32.Gemm(lt, rt, 1,
			blas32.General{Rows: lr, Cols: lc, Stride: lc, Data: l[b*lr*lc : (b+1)*lr*lc]},
			blas32.General{Rows: rr, Cols: rc, Stride: rc, Data: r[b*rr*rc : (b+1)*rr*rc]},
			0, blas32.General{Rows: p.m, Cols: p.n, Stride: p.n, Data: y[b*p.m*p.n : (b+1)*p.m*p.n]})
	}
}
