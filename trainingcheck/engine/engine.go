package engine

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go", GoMLX's pure-Go backend

	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// The kinds of engine that Open knows.
const (
	// CPU is package native: the operations of this project's graphs on gonum's products.
	CPU = "cpu"
	// CPUGoMLX is GoMLX's own pure-Go backend, which knows more operations
	// (bfloat16, convolution) and is the reference that CPU is tested against.
	CPUGoMLX = "cpu-gomlx"
	// GPU is XLA on CUDA with float32 products and convolutions in full float32.
	GPU = "gpu"
	// GPUTF32 is XLA on CUDA with NVIDIA's TF32 (10-bit mantissa) allowed for float32.
	GPUTF32 = "gpu-tf32"
)

// Kinds lists every kind in the order of the documentation.
var Kinds = []string{CPU, CPUGoMLX, GPU, GPUTF32}

// EnvBackend names the environment variable that chooses the kind when the caller does not.
const EnvBackend = "TRAIN_BACKEND"

// GoMLXSpec is the GoMLX specification of CPUGoMLX.
//
// The configurations "go" and "go:ops_parallel" of compute v0.1.2 deadlock when
// one graph holds several independent products: workers of the operation pool
// keep their slots while they wait for slots for the product's own workers.
// With sequential operations a product still uses all cores.
const GoMLXSpec = "go:ops_sequential"

// envTF32 is NVIDIA's switch over cuBLAS and cuDNN. XLA's own option covers
// products only, convolutions ask for the default precision, so the switch is
// what makes GPU mean full float32.
const envTF32 = "NVIDIA_TF32_OVERRIDE"

// Engine is an opened backend with the facts a result must record about it.
type Engine struct {
	// Backend runs graphs. Hand this value, not a wrapper of it, to GoMLX:
	// tensors compare the backend they live on by identity.
	Backend compute.Backend
	// Kind is the kind asked for, with "" resolved.
	Kind string
	// Spec is the GoMLX specification that was opened.
	Spec string
	// SIMD tells whether GoMLX's pure-Go products were built with GOEXPERIMENT=simd.
	SIMD bool
	// Modules are the versions of the libraries that compute, as "path@version".
	Modules []string
}

// Accelerated tells whether the engine is XLA.
func (e *Engine) Accelerated() bool { return e.Kind == GPU || e.Kind == GPUTF32 }

// Convolves tells whether the engine has a fast convolution of its own; the others get products of patches.
func (e *Engine) Convolves() bool { return e.Kind == CPU || e.Accelerated() }

// Close releases the backend's memory and makes it invalid.
func (e *Engine) Close() { e.Backend.Finalize() }

// Open starts the engine of the given kind.
//
// An empty kind means $TRAIN_BACKEND, and CPU when that is empty too. An unknown
// kind is an ordinary error that names the known ones; a known engine that
// cannot run here is an *UnavailableError. Open never returns another engine
// than the one asked for, and turns panics of the backend's start into errors.
func Open(kind string) (*Engine, error) {
	asked := "kind"
	if kind == "" {
		kind, asked = os.Getenv(EnvBackend), "$"+EnvBackend
	}
	if kind == "" {
		kind = CPU
	}
	switch kind {
	case CPU:
		return &Engine{Backend: native.New(kernel.Best()), Kind: kind, Spec: native.Name, Modules: Modules()}, nil
	case CPUGoMLX:
		if compiledRace {
			// Its kernels keep pointers as integers; checkptr, which comes with
			// -race, ends the whole process at the first product.
			return nil, &UnavailableError{Engine: kind, Reason: RaceDetector, Remedy: "build without -race, or use " + CPU}
		}
		return start(kind, GoMLXSpec)
	case GPU, GPUTF32:
		return openGPU(kind, systemHost())
	}
	return nil, fmt.Errorf("engine: %s %q is unknown, want one of %s", asked, kind, strings.Join(Kinds, ", "))
}

func openGPU(kind string, h host) (*Engine, error) {
	if !compiledXLA {
		return nil, &UnavailableError{Engine: kind, Reason: NotCompiledIn,
			Looked: []string{"this program's backends: " + strings.Join(registered(), ", ")},
			Remedy: "build on linux/amd64 with CGO_ENABLED=1 and -tags xla"}
	}
	plugin, err := findPlugin(kind, h)
	if err != nil {
		return nil, err
	}
	spec := "xla:" + plugin
	switch override := os.Getenv(envTF32); {
	case kind == GPUTF32 && override == "0":
		return nil, &UnavailableError{Engine: kind, Reason: Contradicted,
			Looked: []string{"$" + envTF32 + " = 0"}, Remedy: "unset it, or ask for " + GPU}
	case kind == GPU && override == "1":
		return nil, &UnavailableError{Engine: kind, Reason: Contradicted,
			Looked: []string{"$" + envTF32 + " = 1"}, Remedy: "unset it, or ask for " + GPUTF32}
	case kind == GPU:
		spec += ",notf32"
		if err := os.Setenv(envTF32, "0"); err != nil {
			return nil, fmt.Errorf("engine: setting $%s: %w", envTF32, err)
		}
	}
	e, err := start(kind, spec)
	if err != nil {
		return nil, &UnavailableError{Engine: kind, Reason: ClientFailed, Looked: []string{plugin}, Err: err,
			Remedy: "check the driver with nvidia-smi, the plugin's libraries with ldd, and put …/site-packages/nvidia/*/lib on LD_LIBRARY_PATH"}
	}
	if n := e.Backend.NumDevices(); n < 1 {
		e.Close()
		return nil, &UnavailableError{Engine: kind, Reason: NoDevice, Looked: []string{plugin},
			Remedy: "check nvidia-smi and $CUDA_VISIBLE_DEVICES"}
	}
	return e, nil
}

// start opens spec; a panic of the constructor (a plugin whose entry point
// returns nothing, a name that is not registered) becomes an error.
func start(kind, spec string) (e *Engine, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("engine: starting %q: %v", spec, r)
		}
	}()
	if name, _, _ := strings.Cut(spec, ":"); !slices.Contains(registered(), name) {
		return nil, fmt.Errorf("engine: backend %q is not compiled in, have %s", name, strings.Join(registered(), ", "))
	}
	b, err := compute.NewWithConfig(spec)
	if err != nil {
		return nil, fmt.Errorf("engine: starting %q: %w", spec, err)
	}
	return &Engine{Backend: b, Kind: kind, Spec: spec, SIMD: compiledSIMD, Modules: Modules()}, nil
}

// registered lists the compiled-in GoMLX backends, sorted: the registry is a map.
func registered() []string {
	names := compute.List()
	slices.Sort(names)
	return names
}

// linked names the modules of a program whose build record has none, as that of a test: Modules separated by commas. The
// linker sets it, by -ldflags '-X stopgrad/trainingcheck/engine.linked=…'.
var linked string

// Modules returns the versions of the computing libraries in this program, as "path@version", and none where neither the
// build record nor the linker names them.
func Modules() []string {
	var m []string
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "github.com/gomlx/gomlx", "github.com/gomlx/compute", "github.com/gomlx/go-xla", "gonum.org/v1/gonum":
			v := d.Path + "@" + d.Version
			if d.Replace != nil {
				v += " => " + d.Replace.Path + "@" + d.Replace.Version
			}
			m = append(m, v)
		}
	}
	if m == nil && linked != "" {
		m = strings.Split(linked, ",")
	}
	return m
}
