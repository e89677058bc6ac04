package parity

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/enginetest"
)

// Flags of this test as a program of its own; run.sh sets them on a machine with a GPU.
var (
	askedEngine = flag.String("engine", "", "kind of engine to test, time and record; not there is an error with exit code 2. Default: every kind, those not there skipped.")
	outFolder   = flag.String("out", "", "folder for the goldens of TestRecord. Default: a temporary one.")
	timingsFile = flag.String("timings", "", "file of timings: TestStepTime adds to it, TestRecord reads it.")
	reason      = flag.String("reason", "", "why TestRecord replaces goldens in -out.")
)

// asked is the engine of the flag, one for the whole process: a GPU's memory is not given back at once.
var asked *engine.Engine

func TestMain(m *testing.M) {
	flag.Parse()
	if *askedEngine != "" {
		var err error
		if asked, err = engine.Open(*askedEngine); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// kinds are the engines a test runs on: the one asked for, or those of a list.
func kinds(list ...string) []string {
	if asked != nil {
		return []string{asked.Kind}
	}
	return list
}

// start opens an engine and skips the test, with the reason, where it cannot run.
func start(tb testing.TB, kind string) *engine.Engine {
	tb.Helper()
	if asked != nil && asked.Kind == kind {
		return asked
	}
	return enginetest.Open(tb, kind)
}

func cpu(tb testing.TB) *engine.Engine { return start(tb, engine.CPU) }

// root is the project's root as seen from this test, empty where there are no sources.
func root() string { return golden.Root(".") }
