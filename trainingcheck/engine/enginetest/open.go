// Package enginetest opens engines for tests.
package enginetest

import (
	"errors"
	"testing"

	"stopgrad/trainingcheck/engine"
)

// Open opens an engine that is closed with the test. The test is skipped where something that the engine needs is not there
// ([engine.UnavailableError.Missing]), which the message names; an engine that is there and does not work fails it.
func Open(tb testing.TB, kind string) *engine.Engine {
	tb.Helper()
	e := open(tb, kind)
	tb.Cleanup(e.Close)
	return e
}

// Need is Open for a test that opens the engine by itself.
func Need(tb testing.TB, kind string) {
	tb.Helper()
	open(tb, kind).Close()
}

func open(tb testing.TB, kind string) *engine.Engine {
	tb.Helper()
	e, err := engine.Open(kind)
	var u *engine.UnavailableError
	if errors.As(err, &u) && u.Missing() {
		tb.Skipf("the engine %s is not here: %v", kind, err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return e
}
