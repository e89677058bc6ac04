package engine

import "strings"

// Reason says why an engine cannot run.
type Reason string

// The reasons for an UnavailableError.
const (
	NotCompiledIn Reason = "not compiled into this program"
	NoPlugin      Reason = "no CUDA PJRT plugin found"
	BadPlugin     Reason = "the plugin named cannot be used"
	RaceDetector  Reason = "its kernels do not survive the race detector's pointer checks"
	Contradicted  Reason = "the environment asks for the opposite precision"
	ClientFailed  Reason = "the plugin was found but did not start"
	NoDevice      Reason = "the plugin started but sees no device"
)

// UnavailableError reports a known engine that cannot run here. Tests skip on
// it with its text, commands exit with status 2; nobody falls back on it.
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

// oneLine keeps the first line of a library's message: some append their stack.
func oneLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(first)
}
