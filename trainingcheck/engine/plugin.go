package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The environment variables with the paths of PJRT plugins.
const (
	EnvCPUPlugin = "PJRT_CPU_PLUGIN"
	EnvPlugin    = "PJRT_CUDA_PLUGIN"
)

// plugin says which PJRT plugin a kind wants.
type plugin struct {
	env      string // variable that names its file
	platform string // what its client must report
	file     string // where its Python package puts it under site-packages
	install  string // how to get the package
	// What helps when the platform is another, and when there is no device.
	otherwise, noDevice string
}

// wanted returns the plugin of an XLA kind.
//
// A CUDA plugin must be used in place: its run path to the CUDA libraries is relative to its own folder. The version of
// the CPU plugin is the one that the continuous integration installs, by its hash.
func wanted(kind string) plugin {
	if kind == XLACPU {
		return plugin{EnvCPUPlugin, PlatformCPU, "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so", "pip install --no-deps lammps-jax-pjrt-cpu==0.11.2",
			"name a plugin for the processor in $" + EnvCPUPlugin, "reinstall the plugin"}
	}
	return plugin{EnvPlugin, PlatformCUDA, "jax_plugins/xla_cuda13/xla_cuda_plugin.so", "pip install jax-cuda13-pjrt",
		"name a plugin for CUDA in $" + EnvPlugin + "; a plugin for the processor is the engine " + XLACPU + ", by $" + EnvCPUPlugin,
		"check that nvidia-smi lists a GPU and that $CUDA_VISIBLE_DEVICES names it"}
}

// pythonTimeout bounds the question to python3. Starting an interpreter takes
// well under a second; ten allow for a cold network file system.
const pythonTimeout = 10 * time.Second

// host is what discovery asks of the machine; tests answer in its place.
type host struct {
	getenv      func(string) string
	stat        func(string) (os.FileInfo, error)
	pythonPaths func() ([]string, error)
}

func systemHost() host {
	return host{getenv: os.Getenv, stat: os.Stat, pythonPaths: pythonPaths}
}

// pythonPaths returns the module search path of python3 on PATH: it holds the
// site-packages of the active environment, the user's and the system's.
func pythonPaths() ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pythonTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "python3", "-c", `import sys; print("\n".join(p for p in sys.path if p))`).Output()
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' || r == '\r' }), nil
}

// findPlugin returns the absolute path of the plugin: that of its variable when it is set (and then nothing else), or the
// first on the module search path of python3. The error is an *UnavailableError.
func findPlugin(w plugin, kind string, h host) (string, error) {
	if p := h.getenv(w.env); p != "" {
		bad := func(why, remedy string) error {
			return &UnavailableError{Engine: kind, Reason: BadPlugin, Looked: []string{"$" + w.env + " = " + p + " (" + why + ")"}, Remedy: remedy}
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return "", bad(err.Error(), "name it by an absolute path")
		}
		switch info, err := h.stat(abs); {
		case err != nil:
			return "", bad("no such file", "correct the path, or unset the variable to have it searched beside python3's packages")
		case info.IsDir():
			return "", bad("a folder", "name the .so file in it")
		}
		if why, remedy := unusable(w, abs); why != "" {
			return "", bad(why, remedy)
		}
		return abs, nil
	}
	looked := []string{"$" + w.env + " (not set)"}
	paths, err := h.pythonPaths()
	if err != nil {
		looked = append(looked, fmt.Sprintf("python3's search path (%v)", err))
	}
	for _, dir := range paths {
		p := filepath.Join(dir, filepath.FromSlash(w.file))
		if info, err := h.stat(p); err == nil && !info.IsDir() && filepath.IsAbs(p) {
			if why, _ := unusable(w, p); why == "" {
				return p, nil
			}
		}
		if base := filepath.Base(dir); base == "site-packages" || base == "dist-packages" {
			looked = append(looked, p)
		}
	}
	return "", &UnavailableError{Engine: kind, Reason: NoPlugin, Looked: looked,
		Remedy: w.install + " in the environment of python3, or set $" + w.env + " to the plugin"}
}

// unusable says what in a path keeps the XLA binding from opening the plugin there, and what helps. The binding reads
// options after a comma, and takes the words cuda and nvidia anywhere in the path for a CUDA plugin, whose options it
// then passes: a plugin for the processor refuses them, and one for CUDA needs them.
func unusable(w plugin, path string) (why, remedy string) {
	lower := strings.ToLower(path)
	switch named := strings.Contains(lower, "cuda") || strings.Contains(lower, "nvidia"); {
	case strings.Contains(path, ","):
		return "a comma in the path would be read as an option", "move the plugin to a folder without a comma"
	case w.platform == PlatformCPU && named:
		return "XLA's binding takes a path with cuda or nvidia in it for a CUDA plugin", "move the plugin to another folder"
	case w.platform == PlatformCPU && !strings.Contains(lower, "cpu"):
		return "XLA's binding knows a plugin for the processor by cpu in its path", "give the file or its folder such a name"
	case w.platform == PlatformCUDA && !named:
		return "XLA's binding knows a CUDA plugin by cuda in its path", "name the file in its package, in place"
	}
	return "", ""
}
