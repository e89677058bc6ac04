package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"stopgrad/internal/report"
	"stopgrad/internal/training"
)

// The exit codes.
const (
	OK          = 0   // done; what was asked for holds
	Difference  = 1   // a verdict differs, a statement is violated, refuted or undecided, a computation failed
	BadInput    = 2   // the input is at fault; nothing was written
	Unmet       = 3   // the hypotheses are not met
	NotDecided  = 4   // the arithmetic at hand decides nothing
	Interrupted = 130 // Ctrl-C or SIGTERM; what was finished is written
)

const about = `Audits the claims of "Understanding Self-Supervised Learning Dynamics without Contrastive Pairs".

The main job is "stopgrad audit". Exit codes: 0 done or holds, 1 differs, violated or refuted, 2 bad input, 3 hypotheses not met, 4 not decided, 130 interrupted.`

type grammar struct {
	Audit    auditCommand    `cmd:"" help:"Judge the claims, all or those named: verdicts with evidence, as a table."`
	Claims   claimsCommand   `cmd:"" help:"List the claims."`
	Show     showCommand     `cmd:"" help:"Show a claim: its source, statements, hypotheses, derivation and twins."`
	Check    checkCommand    `cmd:"" help:"Check a claim at a state and along its trajectory, or judge your own claim file."`
	Certify  certifyCommand  `cmd:"" help:"Certify statements at every point of a region, or find a point where they fail."`
	Verify   verifyCommand   `cmd:"" help:"Read certificates again: every step and every counterexample, believing nothing."`
	Simulate simulateCommand `cmd:"" help:"Integrate a flow from a state: trajectory and measures."`

	Refute refuteCommand `cmd:"" help:"Search for counterexamples to a claim, make them small and confirm them."`
	Fuzz   fuzzCommand   `cmd:"" help:"Sample a claim over a region of hyper-parameters."`
	Map    mapCommand    `cmd:"" help:"Map collapse and growth of a mode over two quantities."`

	Train         training.Train    `cmd:"" help:"Train BYOL, SimSiam, DirectPred or an ablation on real images."`
	Compare       training.Compare  `cmd:"" help:"Compare two runs of train: recipes and what came of them."`
	Diagnose      training.Diagnose `cmd:"" help:"Hold a run of your own, from any program, against the theory."`
	Trainingcheck training.Check    `cmd:"" help:"Hold training against the theory: list or run the checks."`
	Golden        training.Golden   `cmd:"" help:"Recorded results: list, verify, compare, record."`
	Doctor        training.Doctor   `cmd:"" help:"Say which engines, data and optional tools are here."`
}

// console is what a command runs in.
type console struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

// exit is an error that says how the program ends; message is empty where everything has been said.
type exit struct {
	code    int
	message string
}

func (e *exit) Error() string { return e.message }

func badInput(err error) error { return &exit{BadInput, err.Error()} }

// judges are the commands that make many values of which few are alive at once: collecting them less often takes a fifth
// less time, and some hundred megabytes. What is alive in training may be large.
var judges = map[string]bool{"audit": true, "check": true, "certify": true, "verify": true, "refute": true, "fuzz": true, "map": true}

// Main runs the command line args and returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second one ends the program at once.
	context.AfterFunc(ctx, stop)
	// The width of a character must not depend on the locale of whoever runs the program.
	text.OverrideRuneWidthEastAsianWidth(false)
	if len(args) > 0 && judges[args[0]] && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	return run(&console{ctx, stdin, stdout, stderr}, args)
}

// helpShown unwinds the parser after it has printed help.
type helpShown struct{}

func run(c *console, args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
			code = OK
		}
	}()
	parser, err := kong.New(&grammar{}, kong.Name("stopgrad"), kong.Description(about), kong.Writers(c.stdout, c.stderr),
		kong.Exit(func(int) { panic(helpShown{}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err == nil {
		err = parsed.Run(c, &training.Console{Context: c.ctx, Stdout: c.stdout, Stderr: c.stderr, Width: c.page().Width})
	} else {
		err = badInput(err)
	}
	return c.end(err)
}

// end reports an error in one line and returns the exit code.
func (c *console) end(err error) int {
	if err == nil {
		return OK
	}
	e := &exit{code: Difference, message: err.Error()}
	var t *training.ExitError
	if errors.As(err, &t) {
		e = &exit{t.Code, t.Message}
	}
	errors.As(err, &e)
	if e.message != "" {
		fmt.Fprintln(c.stderr, "stopgrad: "+training.Printable(strings.ReplaceAll(e.message, "\n", " ")))
	}
	return e.code
}

// page returns the page of standard output: a terminal's width and, unless NO_COLOR is set, colours.
func (c *console) page() report.Page {
	f, ok := c.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return report.Page{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return report.Page{Width: width, Colour: os.Getenv("NO_COLOR") == ""}
}

// write sends a finished result to standard output at once, so that a failure while rendering writes nothing.
func (c *console) write(render func(io.Writer) error) error {
	var b strings.Builder
	if err := render(&b); err != nil {
		return err
	}
	if _, err := io.WriteString(c.stdout, b.String()); err != nil {
		return fmt.Errorf("command: standard output: %w", err)
	}
	return nil
}

// input reads what a command works on. A pipe or a terminal may never end: Ctrl-C ends the command, not the reading, which
// is left to itself.
func input[T any](c *console, name string, read func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := read()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-c.ctx.Done():
		var none T
		if name == "-" {
			name = "standard input"
		}
		return none, interrupted("%s is not read yet", name)
	}
}

// interrupted is the error of a command that Ctrl-C or SIGTERM ended.
func interrupted(format string, args ...any) error {
	return &exit{Interrupted, "interrupted: " + fmt.Sprintf(format, args...)}
}
