package engine

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go", GoMLX's pure-Go backend

	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// The kinds of engine that Open knows.
const (
	// CPU is package native: the operations of this project's graphs on kernels of its own.
	CPU = "cpu"
	// CPUGoMLX is GoMLX's own pure-Go backend, which knows more operations
	// (bfloat16, convolution) and is the reference that CPU is tested against.
	CPUGoMLX = "cpu-gomlx"
	// XLACPU is XLA on the processor.
	XLACPU = "xla-cpu"
	// GPU is XLA on CUDA with float32 products and convolutions in full float32.
	GPU = "gpu"
	// GPUTF32 is XLA on CUDA with NVIDIA's TF32 (10-bit mantissa) allowed for float32.
	GPUTF32 = "gpu-tf32"
)

// Kinds lists every kind in the order of the documentation.
var Kinds = []string{CPU, CPUGoMLX, XLACPU, GPU, GPUTF32}

// Alone tells whether an engine of a kind spreads one step over the whole processor or device, so that several at once
// gain nothing.
func Alone(kind string) bool { return kind == XLACPU || kind == GPU || kind == GPUTF32 }

// EnvBackend names the environment variable that chooses the kind when the caller does not.
const EnvBackend = "TRAIN_BACKEND"

// EnvKernels names the environment variable that chooses the family of CPU's kernels: auto, the default, for the widest
// that the processor has, or generic, avx2 or avx512. Results differ between families in the last bits; those of generic
// are the same on every machine.
const EnvKernels = "TRAIN_KERNELS"

// KernelsModule stands for CPU's kernels among Engine.Modules, where their family is the version.
const KernelsModule = "stopgrad/trainingcheck/engine/native/kernel"

// GoMLXSpec is the GoMLX specification of CPUGoMLX.
//
// The configurations "go" and "go:ops_parallel" of compute v0.1.2 deadlock when
// one graph holds several independent products: workers of the operation pool
// keep their slots while they wait for slots for the product's own workers.
// With sequential operations a product still uses all cores.
const GoMLXSpec = "go:ops_sequential"

// The platforms that XLA's clients report.
const (
	PlatformCPU  = "cpu"
	PlatformCUDA = "cuda"
)

// Engine is an opened backend with the facts a result must record about it.
type Engine struct {
	// Backend runs graphs. Hand this value, not a wrapper of it, to GoMLX:
	// tensors compare the backend they live on by identity.
	Backend compute.Backend
	// Kind is the kind asked for, with "" resolved.
	Kind string
	// Spec is the GoMLX specification that was opened.
	Spec string
	// Platform is what XLA's client says that it runs on, and empty for the engines in Go.
	Platform string
	// API is the version of the plugin's PJRT C API, such as 0.115, and empty for the engines in Go.
	API string
	// SIMD tells whether GoMLX's pure-Go products were built with GOEXPERIMENT=simd.
	SIMD bool
	// Kernels is the family of CPU's kernels, and empty for the other engines.
	Kernels string
	// Modules are the versions of the libraries that compute, as "path@version", and the family of CPU's kernels as that
	// of KernelsModule.
	Modules []string

	plugin  string // path of the plugin of an XLA engine
	release func() // undoes what opening changed in the process
}

// Convolves tells whether the engine has a fast convolution of its own; cpu-gomlx gets products of patches.
func (e *Engine) Convolves() bool { return e.Kind != CPUGoMLX }

// OnGPU tells whether the engine runs on a GPU, by the platform that its client reports.
func (e *Engine) OnGPU() bool { return e.Platform == PlatformCUDA }

// Close releases the backend's memory and makes it invalid.
func (e *Engine) Close() {
	e.Backend.Finalize()
	if e.release != nil {
		e.release()
	}
}

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
		f, err := kernel.ParseFamily(os.Getenv(EnvKernels))
		if err != nil {
			return nil, fmt.Errorf("engine: $%s: %w", EnvKernels, err)
		}
		return &Engine{Backend: native.New(f), Kind: kind, Spec: native.Name + ":" + f.String(), Kernels: f.String(),
			Modules: append(Modules(), KernelsModule+"@"+f.String())}, nil
	case CPUGoMLX:
		if compiledRace {
			// Its kernels keep pointers as integers; checkptr, which comes with
			// -race, ends the whole process at the first product.
			return nil, &UnavailableError{Engine: kind, Reason: RaceDetector, Remedy: "build without -race, or use " + CPU}
		}
		return start(kind, GoMLXSpec)
	case XLACPU, GPU, GPUTF32:
		return openXLA(kind, systemHost())
	}
	return nil, fmt.Errorf("engine: %s %q is unknown, want one of %s", asked, kind, strings.Join(Kinds, ", "))
}

// openXLA finds the plugin of a kind, looks at it, opens it, asks for its platform and starts the engine.
func openXLA(kind string, h host) (*Engine, error) {
	if !compiledXLA {
		return nil, &UnavailableError{Engine: kind, Reason: NotCompiledIn,
			Looked: []string{"this program's backends: " + strings.Join(registered(), ", ")},
			Remedy: "build on linux/amd64 with CGO_ENABLED=1 and -tags xla"}
	}
	w := wanted(kind)
	path, err := findPlugin(w, kind, h)
	if err != nil {
		return nil, err
	}
	if err := checkLibrary(kind, w, path); err != nil {
		return nil, err
	}
	spec, release := "xla:"+path, func() {}
	if w.platform == PlatformCUDA {
		if release, err = tf32.ask(kind); err != nil {
			return nil, err
		}
		if kind == GPU {
			spec += ",notf32"
		}
	}
	e, err := startXLA(kind, w, path, spec)
	if err != nil {
		release()
		return nil, err
	}
	e.release = release
	return e, nil
}

// startXLA asks the plugin's client for its platform and starts the engine on it.
func startXLA(kind string, w plugin, path, spec string) (*Engine, error) {
	c, err := openClient(path, w.platform == PlatformCUDA)
	if err != nil {
		return nil, clientFailed(kind, w, path, err)
	}
	unavailable := func(reason Reason, saw, remedy string) error {
		return &UnavailableError{Engine: kind, Reason: reason, Looked: []string{path + " (" + saw + ")"}, Remedy: remedy}
	}
	switch {
	case c.platform != w.platform:
		return nil, unavailable(WrongPlatform, fmt.Sprintf("PJRT C API %s, platform %q, want %q", c.api, c.platform, w.platform), w.otherwise)
	case c.devices < 1:
		return nil, unavailable(NoDevice, fmt.Sprintf("PJRT C API %s, platform %q, no device", c.api, c.platform), w.noDevice)
	}
	e, err := start(kind, spec)
	if err != nil {
		return nil, clientFailed(kind, w, path, err)
	}
	e.Platform, e.API, e.plugin = c.platform, c.api, path
	return e, nil
}

// client is what the client of a plugin says of itself.
type client struct {
	platform, api string
	devices       int
}

// envTF32 is NVIDIA's switch over cuBLAS and cuDNN. XLA's own option covers
// products only, convolutions ask for the default precision, so the switch is
// what makes GPU mean full float32.
const envTF32 = "NVIDIA_TF32_OVERRIDE"

// tf32 holds the switch for the process.
var tf32 tf32Switch

// tf32Switch sets the switch while an engine is open. NVIDIA's libraries may read it once and keep it, so that one process
// has one of the two kinds, the first it opened.
type tf32Switch struct {
	mu    sync.Mutex
	first string
}

// ask sets the switch for a kind and returns what puts it back. What contradicts the kind is an *UnavailableError.
func (s *tf32Switch) ask(kind string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	override, set := os.LookupEnv(envTF32)
	contradicted := func(looked, remedy string) error {
		return &UnavailableError{Engine: kind, Reason: Contradicted, Looked: []string{looked}, Remedy: remedy}
	}
	switch {
	case s.first != "" && s.first != kind:
		return nil, contradicted("this process, which has opened "+s.first, "use one process for each of the two")
	case kind == GPUTF32 && override == "0":
		return nil, contradicted("$"+envTF32+" = 0", "unset it, or ask for "+GPU)
	case kind == GPU && override == "1":
		return nil, contradicted("$"+envTF32+" = 1", "unset it, or ask for "+GPUTF32)
	}
	s.first = kind
	if kind == GPUTF32 || override == "0" {
		return func() {}, nil
	}
	if err := os.Setenv(envTF32, "0"); err != nil {
		return nil, fmt.Errorf("engine: setting $%s: %w", envTF32, err)
	}
	return func() {
		if set {
			os.Setenv(envTF32, override)
		} else {
			os.Unsetenv(envTF32)
		}
	}, nil
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
