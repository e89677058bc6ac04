package engine

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// fakeMachine answers from a table of files and of nvidia-smi's outputs by their first argument ("" for none).
func fakeMachine(smi map[string]string, files map[string]string) machine {
	return machine{
		smi: func(args ...string) (string, error) {
			key, _, _ := strings.Cut(strings.Join(args, " "), "=")
			if out, ok := smi[key]; ok {
				return out, nil
			}
			return "", errors.New("not installed")
		},
		readFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
		glob: func(pattern string) (found []string, err error) {
			for name := range files {
				if ok, err := path.Match(pattern, name); err != nil {
					return nil, err
				} else if ok {
					found = append(found, name)
				}
			}
			return found, nil
		},
	}
}

// TestAcceleratorIsDescribedFromWhatThereIs has texts in the form of NVIDIA's own documentation.
func TestAcceleratorIsDescribedFromWhatThereIs(t *testing.T) {
	const site = "/venv/lib/python3.12/site-packages"
	const plugin = site + "/jax_plugins/xla_cuda13/xla_cuda_plugin.so"
	query := map[string]string{"--query-gpu": "NVIDIA H200, 9.0, 580.65.06\nNVIDIA H200, 9.0, 580.65.06\n"}
	proc := map[string]string{
		"/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA H200\nIRQ:   \t\t 1\n",
		driverFile: "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (builder)\nGCC version:  gcc 13\n",
	}
	python := map[string]string{
		site + "/jax_cuda13_pjrt-0.11.2.dist-info":      "",
		site + "/jax_cuda12_pjrt-0.4.1.dist-info":       "",
		site + "/nvidia_cuda_runtime-13.0.96.dist-info": "",
		site + "/nvidia_cudnn_cu13-9.13.0.dist-info":    "",
	}
	both := map[string]string{}
	for _, m := range []map[string]string{proc, python} {
		for k, v := range m {
			both[k] = v
		}
	}
	const api = ", PJRT C API 0.112"
	for _, c := range []struct {
		name string
		m    machine
		want Accelerator
	}{
		{"all", fakeMachine(query, both), Accelerator{"NVIDIA H200", "9.0", "580.65.06", "13.0.96", "9.13.0", "jax-cuda13-pjrt@0.11.2" + api}},
		{"no nvidia-smi", fakeMachine(nil, both), Accelerator{"NVIDIA H200", Unknown, "580.65.06", "13.0.96", "9.13.0", "jax-cuda13-pjrt@0.11.2" + api}},
		{"an older module", fakeMachine(nil, map[string]string{driverFile: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"}),
			Accelerator{"CudaDevice(id=0)", Unknown, "535.104.05", Unknown, Unknown, Unknown + api}},
		{"no Python packages", fakeMachine(map[string]string{"--query-gpu": query["--query-gpu"], "": "| NVIDIA-SMI 580.65.06   Driver Version: 580.65.06   CUDA Version: 13.0     |\n"}, nil),
			Accelerator{"NVIDIA H200", "9.0", "580.65.06", "13.0 (the driver's)", Unknown, Unknown + api}},
		{"an answer of nothing", fakeMachine(map[string]string{"--query-gpu": "[N/A], [N/A], [N/A]\n"}, nil),
			Accelerator{"CudaDevice(id=0)", Unknown, Unknown, Unknown, Unknown, Unknown + api}},
	} {
		if got := describe(c.m, plugin, "0.112", "CudaDevice(id=0)\nmore"); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
	if got := describe(fakeMachine(nil, nil), "/opt/cuda/p.so", "", ""); got != (Accelerator{Unknown, Unknown, Unknown, Unknown, Unknown, Unknown}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestPluginIsNamedByItsPackage(t *testing.T) {
	const site = "/venv/lib/python3.12/site-packages"
	m := fakeMachine(nil, map[string]string{site + "/lammps_jax_pjrt_cpu-0.11.2.dist-info": "", site + "/jax_cuda13_pjrt-0.12.0.1.dist-info": ""})
	for path, want := range map[string]string{
		site + "/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so": "lammps-jax-pjrt-cpu@0.11.2, PJRT C API 0.115",
		site + "/jax_plugins/xla_cuda13/xla_cuda_plugin.so":    "jax-cuda13-pjrt@0.12.0.1, PJRT C API 0.115",
		site + "/jax_plugins/xla_cuda12/xla_cuda_plugin.so":    Unknown + ", PJRT C API 0.115",
		"/opt/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so":    Unknown + ", PJRT C API 0.115",
	} {
		if got := pluginVersion(m, path, "0.115"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestProcessorsAreNoAccelerators(t *testing.T) {
	for _, kind := range []string{CPU, CPUGoMLX, XLACPU} {
		e, err := Open(kind)
		if err != nil {
			t.Log(err) // under the race detector, or without a plugin
			continue
		}
		if a, ok := e.Accelerator(); ok {
			t.Errorf("%s is described as %+v", kind, a)
		}
		e.Close()
	}
}
