// Package native is a compute.Backend that runs GoMLX training graphs on the CPU with gonum's matrix products.
//
// GoMLX's own pure-Go backend multiplies matrices with scalar loops unless it is
// built with GOEXPERIMENT=simd, deadlocks in its default configuration, and
// fails under the race detector (its kernels keep pointers as integers, which
// checkptr refuses). This backend covers the operations that the graphs of
// package method are made of, in float32 and float64, and nothing else: an
// operation or type outside that set is a compute.ErrNotImplemented.
//
// Results do not depend on GOMAXPROCS: work is divided over cores by elements
// of the result, never inside a sum.
package native
