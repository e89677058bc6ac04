package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary run as the program in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stopgrad": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(commandLine(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}})
}

// helpShown unwinds the parser after it has printed help.
type helpShown struct{}

// commandLine is a program with the commands of this package alone.
func commandLine(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
		}
	}()
	var grammar struct {
		Train         Train    `cmd:"" help:"Train a network and say what became of it."`
		Compare       Compare  `cmd:"" help:"Compare two runs."`
		Diagnose      Diagnose `cmd:"" help:"Hold a run against the theory."`
		Trainingcheck Check    `cmd:"" help:"Training checks."`
		Golden        Golden   `cmd:"" help:"Recorded results."`
		Doctor        Doctor   `cmd:"" help:"What this machine offers."`
	}
	parser, err := kong.New(&grammar, kong.Name("stopgrad"), kong.Writers(stdout, stderr), kong.Exit(func(int) { panic(helpShown{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		err = badInput(err)
	} else {
		err = parsed.Run(&Console{Context: ctx, Stdout: stdout, Stderr: stderr})
	}
	if err == nil {
		return 0
	}
	if err.Error() != "" {
		fmt.Fprintln(stderr, "stopgrad: "+err.Error())
	}
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return coder.ExitCode()
	}
	return Difference
}
