package command

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestInterruptedWhileReading reads from a pipe that nobody writes to, until Ctrl-C.
func TestInterruptedWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	c := &console{ctx: ctx, stdin: r, stdout: io.Discard, stderr: io.Discard}
	for name, read := range map[string]func() error{
		"check":    func() error { _, err := readState(c, "-"); return err },
		"simulate": func() error { _, err := readFlowState(c, "-"); return err },
	} {
		var e *exit
		if err := read(); !errors.As(err, &e) || e.code != Interrupted || e.message != "interrupted: standard input is not read yet" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
