package native

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"stopgrad/trainingcheck/engine/native/kernel"
)

func BenchmarkX(b *testing.B) {
	for _, s := range [][3]int{{256, 128, 128}, {8192, 64, 576}, {128, 512, 4608}, {2048, 128, 1152}} {
		m, n, k := s[0], s[1], s[2]
		l, r, y := make([]float32, m*k), make([]float32, n*k), make([]float32, m*n)
		for i := range l {
			l[i] = rand.Float32()
		}
		for _, kind := range []string{"NN", "TN", "NT"} {
			for _, f := range kernel.Available() {
				for _, w := range []int{1, 2} {
					b.Run(fmt.Sprintf("%v/%s/%s/%d", s, kind, f, w), func(b *testing.B) {
						c := matrix(m, n, k, kind[0] == 'T', kind[1] == 'T').plan()
						crew := newCrew(f)
						crew.open(w)
						defer crew.close()
						for b.Loop() {
							multiply(crew, []*contraction{c}, y, l, r)
						}
						b.ReportMetric(2*float64(m*n*k)/1e9/(b.Elapsed().Seconds()/float64(b.N)), "GFLOP/s")
					})
				}
			}
			b.Run(fmt.Sprintf("%v/%s/gonum", s, kind), func(b *testing.B) {
				lr, lc, lt := m, k, blas.NoTrans
				if kind[0] == 'T' {
					lr, lc, lt = k, m, blas.Trans
				}
				rr, rc, rt := k, n, blas.NoTrans
				if kind[1] == 'T' {
					rr, rc, rt = n, k, blas.Trans
				}
				for b.Loop() {
					blas32.Gemm(lt, rt, 1, blas32.General{Rows: lr, Cols: lc, Stride: lc, Data: l}, blas32.General{Rows: rr, Cols: rc, Stride: rc, Data: r}, 0, blas32.General{Rows: m, Cols: n, Stride: n, Data: y})
				}
				b.ReportMetric(2*float64(m*n*k)/1e9/(b.Elapsed().Seconds()/float64(b.N)), "GFLOP/s")
			})
		}
	}
}
