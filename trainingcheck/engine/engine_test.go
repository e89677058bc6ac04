package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// openGoMLX skips the test where GoMLX's backend cannot run.
func openGoMLX(t *testing.T) *Engine {
	t.Helper()
	e, err := Open(CPUGoMLX)
	var u *UnavailableError
	if errors.As(err, &u) && u.Missing() {
		t.Skipf("the engine %s is not here: %v", CPUGoMLX, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// hangTimeout is far above the 50 calls of the shape below (about 1 ms each in
// the slowest build) and far below go test's own limit.
const hangTimeout = 60 * time.Second

// TestIndependentProductsDoNotDeadlock runs the shape on which GoMLX's default
// configuration stops within a few calls: several independent products in one graph.
func TestIndependentProductsDoNotDeadlock(t *testing.T) {
	e := openGoMLX(t)
	const products, n, calls = 8, 192, 20
	done := make(chan error, 1)
	go func() {
		ex, err := graph.NewExec(e.Backend, func(x *graph.Node) *graph.Node {
			sum := graph.MatMul(x, x)
			for i := 1; i < products; i++ {
				y := graph.AddScalar(x, float64(i))
				sum = graph.Add(sum, graph.MatMul(y, y))
			}
			return graph.ReduceAllSum(sum)
		})
		if err != nil {
			done <- err
			return
		}
		x := tensors.FromFlatDataAndDimensions(make([]float32, n*n), n, n)
		for range calls {
			out, err := ex.Call(x)
			if err != nil {
				done <- err
				return
			}
			// x = 0, so product i is n·i² in each of the n² places.
			if got, want := tensors.ToScalar[float32](out[0]), float32(n*n*n*140); got != want {
				done <- errors.New("wrong sum of products")
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(hangTimeout):
		t.Fatalf("%d independent products of %d×%d did not finish in %v: the backend deadlocks", products, n, n, hangTimeout)
	}
}

func TestKindsOnTheCPU(t *testing.T) {
	best := "native:" + kernel.Best().String()
	for _, c := range []struct{ kind, env, want, spec string }{
		{"", "", CPU, best}, {CPU, CPUGoMLX, CPU, best}, {"", CPUGoMLX, CPUGoMLX, "go:ops_sequential"}, {CPUGoMLX, "", CPUGoMLX, "go:ops_sequential"},
	} {
		t.Setenv(EnvBackend, c.env)
		e, err := Open(c.kind)
		var u *UnavailableError
		if compiledRace && c.want == CPUGoMLX {
			if !errors.As(err, &u) || u.Reason != RaceDetector || e != nil {
				t.Errorf("under the race detector: %v, %v", e, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != c.want || e.Spec != c.spec || e.Convolves() != (c.want == CPU) || e.OnGPU() || e.Plugin() != "" {
			t.Errorf("Open(%q) with %s=%q: %+v, convolves %v, on a GPU %v; want %s, %s and no GPU", c.kind, EnvBackend, c.env, e, e.Convolves(), e.OnGPU(), c.want, c.spec)
		}
		e.Close()
		if !e.Backend.IsFinalized() {
			t.Errorf("%s: closed and not finalized", e.Kind)
		}
	}
}

// TestKernelsOfTheCPU: the family asked for is the one that is taken and named in what a result records, or an error.
func TestKernelsOfTheCPU(t *testing.T) {
	for _, f := range kernel.Available() {
		t.Setenv(EnvKernels, f.String())
		e, err := Open(CPU)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Backend.(*native.Backend).Kernels(); got != f || e.Kernels != f.String() || e.Spec != "native:"+f.String() ||
			!slices.Contains(e.Modules, KernelsModule+"@"+f.String()) {
			t.Errorf("%s: %v, %+v", f, got, e)
		}
		e.Close()
	}
	t.Setenv(EnvKernels, "neon")
	if _, err := Open(CPU); err == nil || !strings.Contains(err.Error(), `$TRAIN_KERNELS: kernels "neon" are unknown`) {
		t.Errorf("an unknown family: %v", err)
	}
}

func TestUnknownKindNamesTheKnownOnes(t *testing.T) {
	for _, c := range []struct{ kind, env, want string }{
		{"cuda", "", `engine: kind "cuda" is unknown, want one of cpu, cpu-gomlx, xla-cpu, gpu, gpu-tf32`},
		{"", "metal", `engine: $TRAIN_BACKEND "metal" is unknown, want one of cpu, cpu-gomlx, xla-cpu, gpu, gpu-tf32`},
	} {
		t.Setenv(EnvBackend, c.env)
		e, err := Open(c.kind)
		if err == nil || err.Error() != c.want || e != nil {
			t.Errorf("Open(%q) with %s=%q = %v, %v; want error %q", c.kind, EnvBackend, c.env, e, err, c.want)
		}
	}
}

// TestXLANeverFallsBack holds on every machine: the engine asked for, on its platform, or a typed error and no engine.
func TestXLANeverFallsBack(t *testing.T) {
	for _, kind := range []string{XLACPU, GPU, GPUTF32} {
		t.Setenv(EnvBackend, kind)
		t.Setenv(envTF32, "")
		for _, asked := range []string{kind, ""} {
			e, err := Open(asked)
			var u *UnavailableError
			switch {
			case err == nil:
				if e.OnGPU() != (kind != XLACPU) || !e.Convolves() || !strings.HasPrefix(e.Spec, "xla:") || e.Platform != wanted(kind).platform || e.API == "" {
					t.Errorf("asked for %s, got %+v", kind, e)
				}
				if _, gpu := e.Accelerator(); gpu != e.OnGPU() || !strings.Contains(e.Plugin(), "PJRT C API "+e.API) {
					t.Errorf("%s is described as a GPU: %v; its plugin is %q", kind, gpu, e.Plugin())
				}
				e.Close()
			case !errors.As(err, &u) || e != nil:
				t.Errorf("Open(%q) = %v, %v; want nil and an *UnavailableError", asked, e, err)
			case u.Engine != kind || u.Reason == "" || len(u.Looked) == 0 || u.Remedy == "" || strings.Contains(err.Error(), "\n"):
				t.Errorf("Open(%q): incomplete error %#v", asked, u)
			}
		}
	}
}

// fakeHost answers discovery from a list of files and a python path. Both plugins have the same variable.
func fakeHost(env string, python []string, pyErr error, files ...string) host {
	return host{
		getenv: func(k string) string {
			if k == EnvPlugin || k == EnvCPUPlugin {
				return env
			}
			return ""
		},
		stat: func(p string) (os.FileInfo, error) {
			for _, f := range files {
				if f == p {
					return os.Stat(os.Args[0])
				}
				if f == p+"/" {
					return os.Stat(os.TempDir())
				}
			}
			return nil, fs.ErrNotExist
		},
		pythonPaths: func() ([]string, error) { return python, pyErr },
	}
}

func TestPluginDiscovery(t *testing.T) {
	const a, b = "/venv/lib/python3.12/site-packages", "/usr/lib/python3/dist-packages"
	inA, inB := filepath.Join(a, wanted(GPU).file), filepath.Join(b, wanted(GPU).file)
	cpuA := filepath.Join(a, wanted(XLACPU).file)
	for _, c := range []struct {
		name   string
		kind   string
		h      host
		want   string
		reason Reason
		says   []string
	}{
		{"environment first", GPU, fakeHost("/opt/cuda/p.so", []string{a}, nil, "/opt/cuda/p.so", inA), "/opt/cuda/p.so", "", nil},
		{"environment wrong, python right: no fall back", GPU, fakeHost("/opt/cuda/p.so", []string{a}, nil, inA), "", BadPlugin, []string{"/opt/cuda/p.so", "no such file", "unset the variable"}},
		{"folder", GPU, fakeHost("/opt/cuda", nil, nil, "/opt/cuda/"), "", BadPlugin, []string{"folder", "the .so file in it"}},
		{"comma", GPU, fakeHost("/opt/cuda,1/p.so", nil, nil, "/opt/cuda,1/p.so"), "", BadPlugin, []string{"comma"}},
		{"cpu plugin", GPU, fakeHost("/opt/pjrt_c_api_cpu_plugin.so", nil, nil, "/opt/pjrt_c_api_cpu_plugin.so"), "", BadPlugin, []string{"cuda"}},
		{"python order", GPU, fakeHost("", []string{"/x", a, b}, nil, inA, inB), inA, "", nil},
		{"second of python", GPU, fakeHost("", []string{a, b}, nil, inB), inB, "", nil},
		{"nowhere", GPU, fakeHost("", []string{"/x", a, b}, nil), "", NoPlugin, []string{"$PJRT_CUDA_PLUGIN (not set)", inA, inB, "jax-cuda13-pjrt"}},
		{"no python", GPU, fakeHost("", nil, errors.New("python3 not on PATH")), "", NoPlugin, []string{"python3 not on PATH"}},
		{"the processor's, by its variable", XLACPU, fakeHost("/opt/cpu.so", nil, nil, "/opt/cpu.so"), "/opt/cpu.so", "", nil},
		{"the processor's, of python", XLACPU, fakeHost("", []string{a}, nil, inA, cpuA), cpuA, "", nil},
		{"the processor's, nowhere", XLACPU, fakeHost("", []string{a}, nil, inA), "", NoPlugin, []string{"$PJRT_CPU_PLUGIN (not set)", cpuA, "lammps-jax-pjrt-cpu"}},
		{"the processor's, below cuda", XLACPU, fakeHost("/opt/cuda/cpu.so", nil, nil, "/opt/cuda/cpu.so"), "", BadPlugin, []string{"another folder"}},
		{"the processor's, without a name", XLACPU, fakeHost("/opt/p.so", nil, nil, "/opt/p.so"), "", BadPlugin, []string{"by cpu in its path"}},
	} {
		got, err := findPlugin(wanted(c.kind), c.kind, c.h)
		var u *UnavailableError
		switch {
		case c.reason == "" && (err != nil || got != c.want):
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		case c.reason != "" && (!errors.As(err, &u) || u.Reason != c.reason || got != ""):
			t.Errorf("%s: %q, %v; want reason %q", c.name, got, err, c.reason)
		}
		for _, w := range c.says {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q does not say %q", c.name, err, w)
			}
		}
	}
}

// library returns the bytes of a shared library that is no plugin, and skips the test where there is none.
func library(t *testing.T) []byte {
	t.Helper()
	for _, pattern := range []string{"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6"} {
		if text, err := os.ReadFile(pattern); err == nil {
			return text
		}
	}
	t.Skip("there is no libm.so.6 of linux/amd64 here")
	return nil
}

// TestLibraryIsLookedAtBeforeItIsLoaded: what the loader would refuse, or crash on, is refused with its cause.
func TestLibraryIsLookedAtBeforeItIsLoaded(t *testing.T) {
	whole := library(t)
	other := slices.Clone(whole)
	other[18] = 183 // e_machine: aarch64
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		text   []byte
		reason Reason
		says   string
	}{
		{"empty", nil, NotALibrary, "empty"},
		{"text", []byte("not a library"), NotALibrary, "does not begin"},
		{"a byte", []byte{0x7f}, NotALibrary, "does not begin"},
		{"the magic alone", whole[:4], Truncated, "4 bytes"},
		{"its header alone", whole[:64], Truncated, "64 bytes"},
		{"half", whole[:len(whole)/2], Truncated, "bytes"},
		{"all but a byte", whole[:len(whole)-1], Truncated, "bytes"},
		{"another processor", other, NotALibrary, "EM_AARCH64"},
		{"no entry point", whole, NoEntryPoint, "without GetPjrtApi"},
	} {
		p := filepath.Join(dir, "cuda_plugin.so")
		if err := os.WriteFile(p, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		var u *UnavailableError
		if err := checkLibrary(GPU, wanted(GPU), p); !errors.As(err, &u) || u.Reason != c.reason || !strings.Contains(err.Error(), c.says) || u.Remedy == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want reason %q and %q", c.name, err, c.reason, c.says)
		}
		if !compiledXLA {
			continue
		}
		t.Setenv(EnvPlugin, p)
		t.Setenv(envTF32, "")
		if e, err := Open(GPU); !errors.As(err, &u) || u.Reason != c.reason || e != nil {
			t.Errorf("Open(gpu) of a plugin that is %s: %v, %v; want reason %q", c.name, e, err, c.reason)
		}
	}
	if err := checkLibrary(GPU, wanted(GPU), filepath.Join(dir, "none")); err == nil {
		t.Error("no file: accepted")
	}
}

// processorPlugin is the path of the plugin for the processor; the test is skipped where it cannot be opened.
func processorPlugin(t *testing.T) string {
	t.Helper()
	e, err := Open(XLACPU)
	var u *UnavailableError
	if errors.As(err, &u) && u.Missing() {
		t.Skipf("the engine %s is not here: %v", XLACPU, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.plugin
}

// TestTheClientsPlatformCounts: a plugin for the processor is no GPU whatever its path, and one cut off is not loaded.
func TestTheClientsPlatformCounts(t *testing.T) {
	real := processorPlugin(t)
	if err := checkLibrary(XLACPU, wanted(XLACPU), real); err != nil {
		t.Errorf("the whole plugin: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "jax_plugins", "xla_cuda13")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "xla_cuda_plugin.so")
	if err := os.Symlink(real, below); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{GPU, GPUTF32} {
		tf32 = tf32Switch{} // as in a process of its own
		t.Setenv(EnvPlugin, below)
		t.Setenv(envTF32, "")
		e, err := Open(kind)
		var u *UnavailableError
		if !errors.As(err, &u) || u.Reason != WrongPlatform || e != nil || !strings.Contains(err.Error(), `platform "cpu", want "cuda"`) || !strings.Contains(err.Error(), XLACPU) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%s) of a plugin for the processor below %s = %v, %v; want reason %q", kind, dir, e, err, WrongPlatform)
		}
	}
	text, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "pjrt_c_api_cpu_plugin.so")
	for _, n := range []int{len(text) - 1, len(text) / 2, 1 << 20, 100} {
		if err := os.WriteFile(cut, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(EnvCPUPlugin, cut)
		var u *UnavailableError
		if e, err := Open(XLACPU); !errors.As(err, &u) || u.Reason != Truncated || e != nil {
			t.Errorf("%d bytes of the plugin: %v, %v; want reason %q", n, e, err, Truncated)
		}
	}
}

// TestEachCauseHasItsRemedy reads messages in the words of the loader, of XLA and of CUDA.
func TestEachCauseHasItsRemedy(t *testing.T) {
	remedies := map[string]string{}
	for _, c := range []struct{ kind, message, remedy string }{
		{XLACPU, `failed to dynamically load: "libfoo.so.1: cannot open shared object file: No such file or directory"`, "LD_LIBRARY_PATH"},
		{XLACPU, "PJRT C API 0.200: Unexpected PJRT_Client_Create_Args size: expected 120, got 88. Check installed software versions.", "nearer"},
		{XLACPU, "something else", "look up"},
	} {
		err := clientFailed(c.kind, wanted(c.kind), "/opt/p.so", errors.New(c.message))
		var u *UnavailableError
		if !errors.As(err, &u) || u.Reason != ClientFailed || !strings.Contains(u.Remedy, c.remedy) {
			t.Errorf("%s: %v, want a remedy with %q", c.message, err, c.remedy)
		}
		if other, ok := remedies[u.Remedy]; ok {
			t.Errorf("%q and %q have one remedy", other, c.message)
		}
		remedies[u.Remedy] = c.message
	}
	// On CUDA it depends on whether a driver is loaded here.
	err := clientFailed(GPU, wanted(GPU), "/opt/cuda.so", errors.New("INVALID_ARGUMENT: No visible GPU devices."))
	want := NoDriver
	if driverLoaded() {
		want = NoDevice
	}
	var u *UnavailableError
	if !errors.As(err, &u) || u.Reason != want {
		t.Errorf("no visible device: %v, want reason %q", err, want)
	}
}

func TestContradictingPrecisionIsRefused(t *testing.T) {
	for kind, v := range map[string]string{GPU: "1", GPUTF32: "0"} {
		t.Setenv(envTF32, v)
		release, err := new(tf32Switch).ask(kind)
		var u *UnavailableError
		if !errors.As(err, &u) || u.Reason != Contradicted || release != nil {
			t.Errorf("%s with %s=%s: %v, want reason %q", kind, envTF32, v, err, Contradicted)
		}
	}
	for _, first := range []string{GPU, GPUTF32} {
		t.Setenv(envTF32, "")
		var s tf32Switch
		release, err := s.ask(first)
		if err != nil {
			t.Fatal(err)
		}
		release()
		other := GPU
		if first == GPU {
			other = GPUTF32
		}
		var u *UnavailableError
		if _, err := s.ask(other); !errors.As(err, &u) || u.Reason != Contradicted {
			t.Errorf("%s after %s in one process: %v, want reason %q", other, first, err, Contradicted)
		}
		if _, err := s.ask(first); err != nil {
			t.Errorf("%s again: %v", first, err)
		}
	}
}

// TestSwitchIsRestored: while gpu is open the variable is 0, and afterwards what it was.
func TestSwitchIsRestored(t *testing.T) {
	for _, c := range []struct {
		kind, before string
		set          bool
		open         string
	}{{GPU, "", false, "0"}, {GPU, "", true, "0"}, {GPU, "0", true, "0"}, {GPUTF32, "", false, ""}, {GPUTF32, "1", true, "1"}} {
		t.Setenv(envTF32, c.before)
		if !c.set {
			os.Unsetenv(envTF32)
		}
		release, err := new(tf32Switch).ask(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if v := os.Getenv(envTF32); v != c.open {
			t.Errorf("%s with %q before: %q while open, want %q", c.kind, c.before, v, c.open)
		}
		release()
		if v, set := os.LookupEnv(envTF32); v != c.before || set != c.set {
			t.Errorf("%s with %q (set %t) before: %q (set %t) afterwards", c.kind, c.before, c.set, v, set)
		}
	}
}

func TestStartTurnsPanicsIntoErrors(t *testing.T) {
	for _, spec := range []string{"no-such-backend:", "go:no_such_option"} {
		if e, err := start(CPUGoMLX, spec); err == nil || e != nil || !strings.HasPrefix(err.Error(), "engine: ") {
			t.Errorf("start(%q) = %v, %v; want an error of this package", spec, e, err)
		}
	}
}

func TestProbeReportsEveryEngine(t *testing.T) {
	got := map[string]Status{}
	var apart []string
	for _, s := range Probe(func(kind string) Status {
		apart = append(apart, kind)
		return Status{kind, false, CrashedError(kind, errors.New("signal: bus error")).Error()}
	}) {
		if strings.Contains(s.Detail, "\n") || s.Detail == "" {
			t.Errorf("%s: detail %q is not one line", s.Name, s.Detail)
		}
		got[s.Name] = s
	}
	for _, kind := range Kinds {
		if _, ok := got[kind]; !ok {
			t.Errorf("no line on %s", kind)
		}
		if slices.Contains(apart, kind) != (compiledXLA && Alone(kind)) {
			t.Errorf("opened in processes of their own: %v", apart)
		}
	}
	if !got[CPU].Available || got[CPUGoMLX].Available == compiledRace || !compiledRace && !strings.Contains(got[CPUGoMLX].Detail, GoMLXSpec) {
		t.Errorf("cpu: %+v, %+v", got[CPU], got[CPUGoMLX])
	}
	if s := got[GPU]; s.Available || compiledXLA && !strings.Contains(s.Detail, "ended the process") || !compiledXLA && !strings.Contains(s.Detail, string(NotCompiledIn)) {
		t.Errorf("gpu: %+v", s)
	}
	if _, ok := got["nvidia driver"]; !ok {
		t.Error("no line on the driver")
	}
}

// TestMissingIsNotBroken: a test may be skipped for want of a plugin, a driver or a device, never because of one that is
// there and does not work.
func TestMissingIsNotBroken(t *testing.T) {
	for reason, missing := range map[Reason]bool{
		NotCompiledIn: true, NoPlugin: true, RaceDetector: true, NoDriver: true, NoDevice: true,
		BadPlugin: false, NotALibrary: false, Truncated: false, NoEntryPoint: false, WrongPlatform: false, Contradicted: false,
		ClientFailed: false, Crashed: false,
	} {
		if u := (&UnavailableError{Reason: reason}); u.Missing() != missing {
			t.Errorf("%s: missing is %v", reason, u.Missing())
		}
	}
}
