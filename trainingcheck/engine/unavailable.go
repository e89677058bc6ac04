package engine

import (
	"slices"
	"strings"
)

// Reason says why an engine cannot run.
type Reason string

// The reasons for an UnavailableError.
const (
	NotCompiledIn Reason = "not compiled into this program"
	NoPlugin      Reason = "no PJRT plugin found"
	BadPlugin     Reason = "the plugin named cannot be used"
	NotALibrary   Reason = "the plugin is no shared library"
	Truncated     Reason = "the plugin is truncated"
	NoEntryPoint  Reason = "the plugin is not of PJRT"
	WrongPlatform Reason = "the plugin is for another platform"
	RaceDetector  Reason = "its kernels do not survive the race detector's pointer checks"
	Contradicted  Reason = "something asks for the opposite precision"
	ClientFailed  Reason = "the plugin was found but did not start"
	NoDriver      Reason = "the plugin finds no NVIDIA driver"
	NoDevice      Reason = "the plugin started but sees no device"
	Crashed       Reason = "the plugin ended the process that opened it"
)

// UnavailableError reports a known engine that cannot run here. Tests skip with its text if something is missing,
// commands exit with status 2; nobody falls back on it.
type UnavailableError struct {
	// Engine is the kind asked for.
	Engine string
	// Reason is one of the reasons above.
	Reason Reason
	// Looked lists what was looked for and where, in the order tried.
	Looked []string
	// Remedy says how to get the engine.
	Remedy string
	// Err is the underlying error, if there is one.
	Err error
}

func (e *UnavailableError) Error() string {
	var b strings.Builder
	b.WriteString("engine: " + e.Engine + " is unavailable: " + string(e.Reason))
	if e.Err != nil {
		b.WriteString(": " + oneLine(e.Err.Error()))
	}
	if len(e.Looked) > 0 {
		b.WriteString("; looked at " + strings.Join(e.Looked, ", "))
	}
	if e.Remedy != "" {
		b.WriteString("; to get it: " + e.Remedy)
	}
	return b.String()
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// Missing reports whether something that the engine needs is not there, rather than there and not working.
func (e *UnavailableError) Missing() bool {
	switch e.Reason {
	case NotCompiledIn, NoPlugin, RaceDetector, NoDriver, NoDevice:
		return true
	}
	return false
}

// oneLine keeps the first line of a library's message: some append their stack.
func oneLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(first)
}

// clientFailed is the *UnavailableError of a plugin that could not be loaded or whose client did not start, with the
// remedy for the cause that its message tells of.
func clientFailed(kind string, w plugin, path string, err error) error {
	u := &UnavailableError{Engine: kind, Reason: ClientFailed, Looked: []string{path}, Err: err, Remedy: "look up the plugin's message"}
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(err.Error(), word) })
	}
	switch {
	case says("cannot open shared object file"):
		u.Remedy = "install the library that is missing, or put its folder on LD_LIBRARY_PATH (ldd lists what the plugin wants)"
	case says("Unexpected", "struct_size"):
		u.Remedy = "get a plugin whose PJRT C API is nearer to that of this program's binding"
	case w.platform == PlatformCUDA && !driverLoaded():
		u.Reason, u.Remedy = NoDriver, "install NVIDIA's driver, or look on a machine with a GPU"
	case says("No visible GPU devices", "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device"):
		u.Reason, u.Remedy = NoDevice, w.noDevice
	case says("driver version is insufficient"):
		u.Remedy = "get a newer driver, or a plugin for an older CUDA"
	}
	return u
}
