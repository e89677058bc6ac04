// Package native is a compute.Backend that runs GoMLX training graphs on the CPU, on kernels of its own.
//
// GoMLX's own pure-Go backend multiplies matrices with scalar loops unless it is
// built with GOEXPERIMENT=simd, deadlocks in its default configuration, and
// fails under the race detector (its kernels keep pointers as integers, which
// checkptr refuses). This backend covers the operations that the graphs of
// package method are made of, in float32 and float64, and nothing else: an
// operation or type outside that set is a compute.ErrNotImplemented.
//
// A graph is executed stage by stage. Products of matrices and convolutions,
// with their gradients, are contractions: sums over pairs of places in two
// arrays, of which only the right one is copied, into panels that fit the first
// level of cache (product.go, convolution.go). Everything elementwise, and the
// sums over it, is done in passes that keep what is between their operands and
// results in that cache (fusion.go). The innermost loops are package kernel's,
// in the family of instructions that New was given.
//
// Results depend on the family, in the last bits, and on nothing else: work is
// cut into tasks by shapes alone, each task writes to places of its own, and
// sums over tasks are made in their order, so that the number of workers and
// what they do at a time change no bit.
package native
