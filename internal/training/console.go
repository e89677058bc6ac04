package training

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Console is what a command runs in.
type Console struct {
	Context        context.Context
	Stdout, Stderr io.Writer
	// Width is the width of the page in characters; 0 is defaultWidth.
	Width int
}

// defaultWidth is the width of a page that is not a terminal.
const defaultWidth = 100

func (c *Console) width() int {
	if c.Width > 0 {
		return c.Width
	}
	return defaultWidth
}

// The exit codes besides 0.
const (
	Difference  = 1   // a gate does not hold, a golden is refused, a run diverged
	BadInput    = 2   // the input is at fault or an engine is missing; nothing was written
	Interrupted = 130 // Ctrl-C or SIGTERM; what was finished is written
)

// ExitError is an error with an exit code; Message is empty where everything has been said.
type ExitError struct {
	Code    int
	Message string
}

// Error is the message.
func (e *ExitError) Error() string { return e.Message }

// ExitCode is the exit code.
func (e *ExitError) ExitCode() int { return e.Code }

// badInput marks an error as one of the input.
func badInput(err error) error { return &ExitError{BadInput, err.Error()} }

func badInputf(format string, args ...any) error {
	return &ExitError{BadInput, fmt.Sprintf(format, args...)}
}

func interrupted(format string, args ...any) error {
	return &ExitError{Interrupted, "interrupted: " + fmt.Sprintf(format, args...)}
}

// write sends a finished result to standard output at once, so that a failure while rendering writes nothing.
func (c *Console) write(render func(io.Writer) error) error {
	var b strings.Builder
	if err := render(&b); err != nil {
		return err
	}
	if _, err := io.WriteString(c.Stdout, Printable(b.String())); err != nil {
		return fmt.Errorf("training: standard output: %w", err)
	}
	return nil
}

// Printable is a text without what a terminal obeys: names and texts out of files are printed, and a file is anybody's.
// Control and format characters but the end of a line and the tab are shown as Go escapes them.
func Printable(text string) string {
	obeyed := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
	}
	if !strings.ContainsFunc(text, obeyed) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// terminal tells whether w is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
