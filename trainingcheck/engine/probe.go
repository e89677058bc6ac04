package engine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Status is one line of Probe.
type Status struct {
	// Name is the engine's kind, or the name of what an engine needs.
	Name string
	// Available tells whether Open would succeed, or the thing is there.
	Available bool
	// Detail describes what was found or what is missing, in one line.
	Detail string
}

// driverFile exists while NVIDIA's kernel driver is loaded.
const driverFile = "/proc/driver/nvidia/version"

// Probe opens and closes every engine and reports each, then the GPU's
// prerequisites one by one: driver, plugin, compiled-in binding. It takes
// seconds where there is a GPU.
func Probe() []Status { return probe(systemHost()) }

func probe(h host) []Status {
	var s []Status
	for _, kind := range []string{CPU, CPUGoMLX} {
		e, err := Open(kind)
		if err != nil {
			s = append(s, Status{kind, false, err.Error()})
			continue
		}
		detail := fmt.Sprintf("%s, %d cores, %s", e.Spec, runtime.GOMAXPROCS(0), strings.Join(e.Modules, " "))
		if kind == CPUGoMLX {
			detail += map[bool]string{true: ", SIMD products", false: ", scalar products (GOEXPERIMENT=simd at build time makes them fast)"}[e.SIMD]
		}
		s = append(s, Status{kind, true, detail})
		e.Close()
	}
	if e, err := openGPU(GPU, h); err != nil {
		s = append(s, Status{GPU, false, err.Error()})
	} else {
		s = append(s, Status{GPU, true, fmt.Sprintf("%s, %d devices, first: %s", e.Backend.Description(), e.Backend.NumDevices(), oneLine(e.Backend.DeviceDescription(0)))})
		e.Close()
	}
	s = append(s, Status{"xla binding", compiledXLA, map[bool]string{true: "compiled in (-tags xla)", false: string(NotCompiledIn) + ": build with -tags xla and cgo on linux/amd64"}[compiledXLA]})
	if p, err := findPlugin(GPU, h); err != nil {
		var u *UnavailableError
		errors.As(err, &u)
		s = append(s, Status{"cuda plugin", false, string(u.Reason) + "; looked at " + strings.Join(u.Looked, ", ")})
	} else {
		s = append(s, Status{"cuda plugin", true, p})
	}
	if b, err := os.ReadFile(driverFile); err != nil {
		s = append(s, Status{"nvidia driver", false, driverFile + " does not exist"})
	} else {
		s = append(s, Status{"nvidia driver", true, oneLine(string(b))})
	}
	return s
}
