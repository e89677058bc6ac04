package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// openGoMLX skips the test where GoMLX's backend cannot run.
func openGoMLX(t *testing.T) *Engine {
	t.Helper()
	e, err := Open(CPUGoMLX)
	var u *UnavailableError
	if errors.As(err, &u) {
		t.Skip(err)
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
	for _, c := range []struct{ kind, env, want, spec string }{
		{"", "", CPU, "native"}, {CPU, CPUGoMLX, CPU, "native"}, {"", CPUGoMLX, CPUGoMLX, "go:ops_sequential"}, {CPUGoMLX, "", CPUGoMLX, "go:ops_sequential"},
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
		if e.Kind != c.want || e.Spec != c.spec || e.Accelerated() {
			t.Errorf("Open(%q) with %s=%q: kind %q, spec %q, accelerated %v; want %s, %s, false", c.kind, EnvBackend, c.env, e.Kind, e.Spec, e.Accelerated(), c.want, c.spec)
		}
		e.Close()
		if !e.Backend.IsFinalized() {
			t.Errorf("%s: closed and not finalized", e.Kind)
		}
	}
}

func TestUnknownKindNamesTheKnownOnes(t *testing.T) {
	for _, c := range []struct{ kind, env, want string }{
		{"cuda", "", `engine: kind "cuda" is unknown, want one of cpu, cpu-gomlx, gpu, gpu-tf32`},
		{"", "metal", `engine: $TRAIN_BACKEND "metal" is unknown, want one of cpu, cpu-gomlx, gpu, gpu-tf32`},
	} {
		t.Setenv(EnvBackend, c.env)
		e, err := Open(c.kind)
		if err == nil || err.Error() != c.want || e != nil {
			t.Errorf("Open(%q) with %s=%q = %v, %v; want error %q", c.kind, EnvBackend, c.env, e, err, c.want)
		}
	}
}

// TestGPUNeverFallsBack holds on every machine: the GPU, or a typed error and no engine.
func TestGPUNeverFallsBack(t *testing.T) {
	for _, kind := range []string{GPU, GPUTF32} {
		t.Setenv(EnvBackend, kind)
		t.Setenv(envTF32, "")
		for _, asked := range []string{kind, ""} {
			e, err := Open(asked)
			var u *UnavailableError
			switch {
			case err == nil:
				if !e.Accelerated() || !strings.HasPrefix(e.Spec, "xla:") {
					t.Errorf("asked for %s, got %q", kind, e.Spec)
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

// fakeHost answers discovery from a list of files and a python path.
func fakeHost(env string, python []string, pyErr error, files ...string) host {
	return host{
		getenv: func(k string) string {
			if k == EnvPlugin {
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
	inA, inB := filepath.Join(a, pluginFile), filepath.Join(b, pluginFile)
	for _, c := range []struct {
		name   string
		h      host
		want   string
		reason Reason
		says   []string
	}{
		{"environment first", fakeHost("/opt/cuda/p.so", []string{a}, nil, "/opt/cuda/p.so", inA), "/opt/cuda/p.so", "", nil},
		{"environment wrong, python right: no fall back", fakeHost("/opt/cuda/p.so", []string{a}, nil, inA), "", BadPlugin, []string{"/opt/cuda/p.so", "no such file"}},
		{"folder", fakeHost("/opt/cuda", nil, nil, "/opt/cuda/"), "", BadPlugin, []string{"folder"}},
		{"comma", fakeHost("/opt/cuda,1/p.so", nil, nil, "/opt/cuda,1/p.so"), "", BadPlugin, []string{"comma"}},
		{"cpu plugin", fakeHost("/opt/pjrt_c_api_cpu_plugin.so", nil, nil, "/opt/pjrt_c_api_cpu_plugin.so"), "", BadPlugin, []string{"cuda"}},
		{"python order", fakeHost("", []string{"/x", a, b}, nil, inA, inB), inA, "", nil},
		{"second of python", fakeHost("", []string{a, b}, nil, inB), inB, "", nil},
		{"nowhere", fakeHost("", []string{"/x", a, b}, nil), "", NoPlugin, []string{"$PJRT_CUDA_PLUGIN (not set)", inA, inB, "jax-cuda13-pjrt"}},
		{"no python", fakeHost("", nil, errors.New("python3 not on PATH")), "", NoPlugin, []string{"python3 not on PATH"}},
	} {
		got, err := findPlugin(GPU, c.h)
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

// TestBrokenPluginIsATypedError needs the XLA binding: a file that is no library
// must come back as an error, not as a crash and not as the CPU.
func TestBrokenPluginIsATypedError(t *testing.T) {
	if !compiledXLA {
		t.Skip("the XLA binding is not compiled in (build with -tags xla and cgo on linux/amd64)")
	}
	p := filepath.Join(t.TempDir(), "broken_cuda_plugin.so")
	if err := os.WriteFile(p, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(EnvPlugin, p)
	t.Setenv(envTF32, "")
	e, err := Open(GPU)
	var u *UnavailableError
	if !errors.As(err, &u) || u.Reason != ClientFailed || e != nil || !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("Open(gpu) with a broken plugin = %v, %v; want reason %q in one line", e, err, ClientFailed)
	}
}

func TestContradictingPrecisionIsRefused(t *testing.T) {
	if !compiledXLA {
		t.Skip("the XLA binding is not compiled in (build with -tags xla and cgo on linux/amd64)")
	}
	for kind, v := range map[string]string{GPU: "1", GPUTF32: "0"} {
		t.Setenv(envTF32, v)
		_, err := openGPU(kind, fakeHost("/opt/cuda/p.so", nil, nil, "/opt/cuda/p.so"))
		var u *UnavailableError
		if !errors.As(err, &u) || u.Reason != Contradicted {
			t.Errorf("%s with %s=%s: %v, want reason %q", kind, envTF32, v, err, Contradicted)
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
	for _, s := range probe(fakeHost("", nil, errors.New("python3 not on PATH"))) {
		if strings.Contains(s.Detail, "\n") || s.Detail == "" {
			t.Errorf("%s: detail %q is not one line", s.Name, s.Detail)
		}
		got[s.Name] = s
	}
	if !got[CPU].Available || got[CPUGoMLX].Available == compiledRace || !compiledRace && !strings.Contains(got[CPUGoMLX].Detail, GoMLXSpec) {
		t.Errorf("cpu: %+v, %+v", got[CPU], got[CPUGoMLX])
	}
	if got[GPU].Available || got["cuda plugin"].Available {
		t.Errorf("without a plugin: gpu %+v, plugin %+v", got[GPU], got["cuda plugin"])
	}
	if _, ok := got["nvidia driver"]; !ok {
		t.Error("no line on the driver")
	}
}
