package command

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"stopgrad/internal/ledger"
	"stopgrad/theory"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"stopgrad": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"refuses":   refuses,
			"canonical": canonical,
			"edit":      edit,
			"waitfor":   waitfor,
			"claims":    claimCount,
		},
	})
}

// exits runs a command and requires its exit code: exits CODE COMMAND ARGS…
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		code = e.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d; want %d", code, want)
	}
}

// refuses runs stopgrad on bad input: exit code 2, nothing on standard output, exactly one line on standard
// error, which matches the pattern, and no new file: refuses PATTERN ARGS…
func refuses(ts *testscript.TestScript, _ bool, args []string) {
	before := tree(ts)
	exits(ts, false, append([]string{"2", "stopgrad"}, args[1:]...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output is not empty: %s", out)
	}
	line := ts.ReadFile("stderr")
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		ts.Fatalf("standard error is not one line: %q", line)
	}
	if !regexp.MustCompile(args[0]).MatchString(line) {
		ts.Fatalf("%q does not match %q", line, args[0])
	}
	if after := tree(ts); !slices.Equal(before, after) {
		ts.Fatalf("files before %v, after %v", before, after)
	}
}

func tree(ts *testscript.TestScript) []string {
	var out []string
	ts.Check(filepath.Walk(ts.MkAbs("."), func(path string, _ os.FileInfo, err error) error {
		out = append(out, path)
		return err
	}))
	return out
}

// canonical writes the canonical form of a ledger: canonical LEDGER OUT
func canonical(ts *testscript.TestScript, _ bool, args []string) {
	l, err := ledger.Decode(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	data, err := l.Canonical().Encode()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

// edit replaces a text that occurs in a file, once: edit FILE OLD NEW
func edit(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%q does not occur in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

// waitfor waits until a file is there, for at most half a minute.
func waitfor(ts *testscript.TestScript, _ bool, args []string) {
	for range 3000 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not appear", args[0])
}

// claimCount requires the number of claims in a ledger to lie between two numbers: claims LEDGER LEAST MOST
func claimCount(ts *testscript.TestScript, _ bool, args []string) {
	l, err := ledger.Decode(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	least, _ := strconv.Atoi(args[1])
	most, _ := strconv.Atoi(args[2])
	if n := len(l.Claims); n < least || n > most {
		ts.Fatalf("%d claims; want %d to %d", n, least, most)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   int
		stderr string
	}{
		{nil, 0, ""},
		{errors.New("computation failed"), 1, "stopgrad: computation failed\n"},
		{&exit{code: Difference}, 1, ""},
		{badInput(errors.New("two\nlines")), 2, "stopgrad: two lines\n"},
		{&exit{code: Unmet}, 3, ""},
		{interrupted("%d claims", 2), 130, "stopgrad: interrupted: 2 claims\n"},
	} {
		var b bytes.Buffer
		if got := (&console{stderr: &b}).end(c.err); got != c.code || b.String() != c.stderr {
			t.Errorf("%v: exit code %d and %q; want %d and %q", c.err, got, b.String(), c.code, c.stderr)
		}
	}
}

func TestSuggestions(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"thm3-boud": "thm3-bound", "lema1": "lemma1", "Lemma1": "lemma1", "basn": "basin", "thm3": "thm3-identity",
		"eta_critical": "eta-critical",
	} {
		if got := nearest(name, f); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %v; want %s first", name, got, want)
		}
	}
	if got := nearest("gibberish-and-nothing", f); len(got) != 0 {
		t.Errorf("suggestions for gibberish: %v", got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"abc", "abc", 0}, {"abc", "axc", 1}, {"abc", "bc", 1}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d; want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSystemsOnlyKeepsLinesAndSystems(t *testing.T) {
	in := "# comment\nsystem a\n  scalar x\n\nclaim b\n  title t\n\n  says c: x == x\nsystem d\n  scalar y\n"
	want := "# comment\nsystem a\n  scalar x\n\n\n\n\n\nsystem d\n  scalar y\n"
	if got := systemsOnly(in); got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestProgressIsDrawnOnATerminalOnly(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b)
	p.show(1, 2, "x")
	p.clear()
	if b.Len() != 0 {
		t.Errorf("%q is drawn into a buffer", b.String())
	}
	p = &progress{&b}
	p.show(1, 2, "x")
	if n := strings.Count(b.String(), "█"); n != barWidth/2 || !strings.Contains(b.String(), "1/2 x") {
		t.Errorf("half done: %q", b.String())
	}
}
