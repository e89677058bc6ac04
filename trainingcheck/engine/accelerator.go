package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Accelerator describes the GPU under an engine and the software between them. A member that could not be found out is
// Unknown.
type Accelerator struct {
	Name   string // such as NVIDIA H200
	SM     string // compute capability, such as 9.0
	Driver string // version of the kernel driver
	CUDA   string // version of the CUDA runtime beside the plugin
	CUDNN  string // version of cuDNN beside the plugin
	Plugin string // Python package and version of the plugin, and the version of its C API
}

// Unknown stands for what could not be found out.
const Unknown = "unknown"

// Accelerator looks at the first device of an engine on a GPU; ok is false for the others. It asks nvidia-smi and
// reads /proc/driver/nvidia and the metadata of the Python packages beside the plugin; no member is a path.
func (e *Engine) Accelerator() (a Accelerator, ok bool) {
	if !e.OnGPU() {
		return Accelerator{}, false
	}
	return describe(systemMachine(), e.plugin, e.API, e.Backend.DeviceDescription(0)), true
}

// Plugin names the plugin of an XLA engine: its Python package and version and that of its C API; empty for the engines
// in Go.
func (e *Engine) Plugin() string {
	if e.plugin == "" {
		return ""
	}
	return pluginVersion(systemMachine(), e.plugin, e.API)
}

// machine is what the description asks of the system; tests answer in its place.
type machine struct {
	smi      func(args ...string) (string, error) // nvidia-smi
	readFile func(string) ([]byte, error)
	glob     func(string) ([]string, error)
}

// smiTimeout bounds a question to nvidia-smi, which takes seconds where the driver is not kept loaded.
const smiTimeout = 20 * time.Second

func systemMachine() machine {
	return machine{
		smi: func(args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), smiTimeout)
			defer cancel()
			out, err := exec.CommandContext(ctx, "nvidia-smi", args...).Output()
			return string(out), err
		},
		readFile: os.ReadFile,
		glob:     filepath.Glob,
	}
}

var (
	driverVersion = regexp.MustCompile(`Kernel Module\D*?(?:x86_64)?\s+(\d+(?:\.\d+)+)`)
	gpuModel      = regexp.MustCompile(`(?m)^Model:\s*(.+?)\s*$`)
	driverCUDA    = regexp.MustCompile(`CUDA Version:\s*(\d+(?:\.\d+)*)`)
)

// describe fills an Accelerator for the plugin at a path with a version of its C API, from the text of its first device.
func describe(m machine, plugin, api, device string) Accelerator {
	a := Accelerator{Name: Unknown, SM: Unknown, Driver: Unknown, CUDA: Unknown, CUDNN: Unknown, Plugin: pluginVersion(m, plugin, api)}
	set := func(dst *string, v string) {
		if v = strings.TrimSpace(v); *dst == Unknown && v != "" && !strings.HasPrefix(v, "[") { // nvidia-smi says [N/A]
			*dst = v
		}
	}
	match := func(dst *string, re *regexp.Regexp, text string) {
		if found := re.FindStringSubmatch(text); found != nil {
			set(dst, found[1])
		}
	}
	if out, err := m.smi("--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"); err == nil {
		if f := strings.Split(oneLine(out), ","); len(f) == 3 {
			set(&a.Name, f[0])
			set(&a.SM, f[1])
			set(&a.Driver, f[2])
		}
	}
	if files, err := m.glob("/proc/driver/nvidia/gpus/*/information"); err == nil && len(files) > 0 {
		if text, err := m.readFile(files[0]); err == nil {
			match(&a.Name, gpuModel, string(text))
		}
	}
	if text, err := m.readFile(driverFile); err == nil {
		match(&a.Driver, driverVersion, string(text))
	}
	set(&a.Name, oneLine(device))

	site := filepath.Dir(filepath.Dir(filepath.Dir(plugin)))
	_, version := m.installed(site, "nvidia_cuda_runtime*")
	set(&a.CUDA, version)
	_, version = m.installed(site, "nvidia_cudnn*")
	set(&a.CUDNN, version)
	if a.CUDA == Unknown {
		if out, err := m.smi(); err == nil {
			if found := driverCUDA.FindStringSubmatch(out); found != nil {
				a.CUDA = found[1] + " (the driver's)"
			}
		}
	}
	return a
}

// installed returns name and version of the Python package of a pattern in a site-packages folder, by its metadata.
func (m machine) installed(site, pattern string) (name, version string) {
	files, err := m.glob(filepath.Join(site, pattern+"-*.dist-info"))
	if err != nil || len(files) == 0 {
		return "", ""
	}
	name, version, _ = strings.Cut(strings.TrimSuffix(filepath.Base(files[0]), ".dist-info"), "-")
	return strings.ReplaceAll(name, "_", "-"), version
}

// pluginVersion is package@version of the plugin at a path, with the version of its C API. The plugin lies in
// site-packages/PACKAGE, or in site-packages/jax_plugins/xla_NAME where the package is jax-NAME-pjrt.
func pluginVersion(m machine, plugin, api string) string {
	folder := filepath.Dir(plugin)
	site, pattern := filepath.Dir(folder), filepath.Base(folder)
	if short, ok := strings.CutPrefix(pattern, "xla_"); ok && filepath.Base(site) == "jax_plugins" {
		site, pattern = filepath.Dir(site), "jax_"+short+"_pjrt"
	}
	text := Unknown
	if name, version := m.installed(site, pattern); version != "" {
		text = name + "@" + version
	}
	if api != "" {
		text += ", PJRT C API " + api
	}
	return text
}
