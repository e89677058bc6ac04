// Package engine opens the compute backend that runs a training definition, and never another one than was asked for.
//
// Three engines run the graphs of package method. "cpu" is package native, on
// gonum's matrix products. "cpu-gomlx" is GoMLX's pure-Go backend in its
// sequential-operations configuration (see GoMLXSpec for why no other
// configuration is ever used). "gpu" is XLA on CUDA, through the PJRT plugin
// that a Python environment with jax-cuda13-pjrt carries; it is compiled in only
// under the build tag xla, with cgo, on linux/amd64. An engine that cannot run
// is an UnavailableError that says what was looked for, where, and how to get
// it: a request for the GPU is never answered with the CPU.
//
// The CUDA libraries the plugin needs are found through its own run path or
// LD_LIBRARY_PATH, which must be set before the program starts.
package engine
