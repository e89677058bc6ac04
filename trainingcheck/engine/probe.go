package engine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Status is one line of Probe.
type Status struct {
	// Name is the engine's kind, or the name of what an engine needs.
	Name string
	// Available tells whether Open succeeds, or the thing is there.
	Available bool
	// Detail describes what was found or what is missing, in one line.
	Detail string
}

// driverFile exists while NVIDIA's kernel driver is loaded.
const driverFile = "/proc/driver/nvidia/version"

func driverLoaded() bool {
	_, err := os.Stat(driverFile)
	return err == nil
}

// Probe reports every engine, then NVIDIA's driver. The engines in Go are opened and closed here; apart does it for the
// others, in a process of its own that a plugin may end (see ProbeOne and CrashedError). It takes seconds where there is
// a plugin.
func Probe(apart func(kind string) Status) []Status {
	var s []Status
	for _, kind := range Kinds {
		if Alone(kind) && compiledXLA {
			s = append(s, apart(kind))
		} else {
			s = append(s, ProbeOne(kind))
		}
	}
	if b, err := os.ReadFile(driverFile); err != nil {
		s = append(s, Status{"nvidia driver", false, driverFile + " does not exist"})
	} else {
		s = append(s, Status{"nvidia driver", true, oneLine(string(b))})
	}
	return s
}

// ProbeOne opens and closes the engine of a kind in this process.
func ProbeOne(kind string) Status {
	e, err := Open(kind)
	if err != nil {
		return Status{kind, false, err.Error()}
	}
	defer e.Close()
	if e.Platform == "" {
		detail := fmt.Sprintf("%s, %d cores, %s", e.Spec, runtime.GOMAXPROCS(0), strings.Join(e.Modules, " "))
		if kind == CPUGoMLX {
			detail += map[bool]string{true: ", SIMD products", false: ", scalar products (GOEXPERIMENT=simd at build time makes them fast)"}[e.SIMD]
		}
		return Status{kind, true, detail}
	}
	return Status{kind, true, fmt.Sprintf("platform %s, %s, %d devices, first: %s; %s", e.Platform, e.Plugin(), e.Backend.NumDevices(),
		oneLine(e.Backend.DeviceDescription(0)), e.plugin)}
}

// CrashedError is the error of an engine whose plugin ended the process that opened it, such as by a signal.
func CrashedError(kind string, err error) *UnavailableError {
	u := &UnavailableError{Engine: kind, Reason: Crashed, Err: err, Remedy: "reinstall the plugin"}
	if path, err := findPlugin(wanted(kind), kind, systemHost()); err == nil {
		u.Looked = []string{path}
	}
	return u
}
