// Package engine opens the compute backend that runs a training definition, and never another one than was asked for.
//
// Five engines run the graphs of package method. "cpu" is package native, on
// kernels of its own, whose family $TRAIN_KERNELS chooses. "cpu-gomlx" is GoMLX's pure-Go backend in its
// sequential-operations configuration (see GoMLXSpec for why no other
// configuration is ever used). The others are XLA behind a PJRT plugin, compiled
// in only under the build tag xla, with cgo, on linux/amd64: "xla-cpu" on the
// processor, "gpu" and "gpu-tf32" on CUDA. An engine that cannot run is an
// UnavailableError that says what was looked for, where, and how to get it: a
// request for the GPU is never answered with the CPU.
//
// What an XLA engine runs on is what the client of the opened plugin says, its
// platform, and not the file's name or folder: xla-cpu wants "cpu", the others
// "cuda", and anything else is refused. Two questions are kept apart: whether an
// engine has a convolution of its own (Engine.Convolves: every one but cpu-gomlx) and
// whether it is a GPU (Engine.OnGPU: platform "cuda" alone).
//
// A plugin is looked at before it is loaded (see checkLibrary): the loader ends
// the process on a truncated file. What it does after that no caller can catch,
// so Probe opens XLA engines in processes of their own.
//
// The CUDA libraries the plugin needs are found through its own run path or
// LD_LIBRARY_PATH, which must be set before the program starts.
package engine
