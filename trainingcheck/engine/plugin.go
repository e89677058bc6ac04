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

// EnvPlugin names the environment variable with the path of the CUDA PJRT plugin.
const EnvPlugin = "PJRT_CUDA_PLUGIN"

// pluginFile is where the Python package jax-cuda13-pjrt puts its plugin under
// site-packages. It must be used in place: its run path to the CUDA libraries
// is relative to its own folder.
const pluginFile = "jax_plugins/xla_cuda13/xla_cuda_plugin.so"

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

// findPlugin returns the absolute path of the CUDA PJRT plugin: $PJRT_CUDA_PLUGIN
// when it is set (and then nothing else), or the first jax_plugins/xla_cuda13
// on the module search path of python3. The error is an *UnavailableError.
func findPlugin(kind string, h host) (string, error) {
	const remedy = "pip install jax-cuda13-pjrt in the environment of python3, or set $" + EnvPlugin + " to its xla_cuda_plugin.so"
	if p := h.getenv(EnvPlugin); p != "" {
		bad := func(why string) error {
			return &UnavailableError{Engine: kind, Reason: BadPlugin, Looked: []string{"$" + EnvPlugin + " = " + p + " (" + why + ")"}, Remedy: remedy}
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return "", bad(err.Error())
		}
		switch info, err := h.stat(abs); {
		case err != nil:
			return "", bad("no such file")
		case info.IsDir():
			return "", bad("a folder, want the .so file in it")
		case strings.Contains(abs, ","):
			return "", bad("a comma in the path would be read as an option")
		case !strings.Contains(strings.ToLower(abs), "cuda"):
			// The XLA binding sets its CUDA options by this word in the path, and
			// a CPU plugin must not answer a request for the GPU.
			return "", bad("the path does not contain the word cuda")
		}
		return abs, nil
	}
	looked := []string{"$" + EnvPlugin + " (not set)"}
	paths, err := h.pythonPaths()
	if err != nil {
		looked = append(looked, fmt.Sprintf("python3's search path (%v)", err))
	}
	for _, dir := range paths {
		p := filepath.Join(dir, filepath.FromSlash(pluginFile))
		if info, err := h.stat(p); err == nil && !info.IsDir() && filepath.IsAbs(p) && !strings.Contains(p, ",") {
			return p, nil
		}
		if filepath.Base(dir) == "site-packages" || filepath.Base(dir) == "dist-packages" {
			looked = append(looked, p)
		}
	}
	return "", &UnavailableError{Engine: kind, Reason: NoPlugin, Looked: looked, Remedy: remedy}
}
