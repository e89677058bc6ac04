package fuzz_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"stopgrad/theory/lang"
)

// found are the inputs on which a fuzz target, or the search for one's seeds, broke something, each with the check of
// its target. What broke is in the comment.
var found = map[string]func() error{
	// The parser's stack overflowed: definitions were typed by following them.
	"a definition by itself":                       claimText("claim c\n  scalar y\n  let x = x + y\n  says a: x == y\n"),
	"definitions in a circle":                      claimText("claim c\n  scalar y\n  let x = 2*z\n  let z = x + y\n  says a: x == y\n"),
	"a circle in the definitions of one statement": claimText("claim c\n  scalar y\n  says a: x == y\n    let x = z\n    let z = x\n"),
	// The same by way of rhs, which builds the system it is in.
	"a right-hand side in a definition of its system": claimText("system s\n  scalar x\n  let y = rhs(s, x)\n  flow\n    x' = x\nclaim c\n  uses s\n  says a: x == x\n"),
	"a right-hand side of itself":                     claimText("system s\n  scalar x\n  flow\n    x' = rhs(s, x)\nclaim c\n  uses s\n  says a: x == x\n"),
	"right-hand sides of each other":                  claimText("system s\n  scalar x\n  flow\n    x' = rhs(r, x)\nsystem r\n  scalar x\n  flow\n    x' = rhs(s, x)\nclaim c\n  uses s\n  says a: x == x\n"),
	// Reading took time 2ⁿ.
	"definitions that double": claimText(doubling(60)),
	// The parser's stack overflowed.
	"a million parentheses": claimText("claim c\n  scalar x\n  says a: " + strings.Repeat("(", 1e6) + "x" + strings.Repeat(")", 1e6) + " == x\n"),
	"a million minus signs": claimText("claim c\n  scalar x\n  says a: " + strings.Repeat("-", 1e6) + "x == x\n"),
	// The stack of the proof rules overflowed: a zeroth power has itself for a factor.
	"the zeroth power of a matrix is semidefinite": zerothPower,
	// Measures of a finite state panicked, its squares being infinite.
	"a state whose squares overflow": func() error {
		return checkState([]byte(`{"W": [[1e200]], "Wp": [[1e200]], "Wa": [[1e200]]}`))
	},
	"a correlation that overflows": func() error {
		return checkState([]byte(`{"Wp": [[1e160]], "F": [[1e160]], "alpha": 1e-160}`))
	},
}

func claimText(text string) func() error { return func() error { return checkClaimText(text) } }

// doubling defines x1 = x0 + x0, x2 = x1 + x1, …
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("claim c\n  scalar x0\n")
	for i := range n {
		fmt.Fprintf(&b, "  let x%d = x%d + x%d\n", i+1, i, i)
	}
	fmt.Fprintf(&b, "  says a: x%d == x0\n", n)
	return b.String()
}

func zerothPower() error {
	x := &lang.Expr{Kind: lang.Pow, N: 0, Args: []*lang.Expr{leaf("A").Expr}}
	p := inArena(&lang.Stmt{Kind: lang.Definite, L: x}, &lang.Step{Rule: "manifest", Expr: x})
	if !proves(p) {
		return nil
	}
	return holdsAt(p, 1)
}

// foundVariable names the row that a child process runs.
const foundVariable = "STOPGRAD_FUZZ_FOUND"

// A stack overflow ends a process and a circle does not end, so every row runs in a child of this test binary, with a
// stack of 64 MiB, a thousand times what the claims of the theory need, and a minute, ten thousand times.
func TestFoundInputs(t *testing.T) {
	if name := os.Getenv(foundVariable); name != "" {
		debug.SetMaxStack(64 << 20)
		if err := found[name](); err != nil {
			t.Error(err)
		}
		return
	}
	for name := range found {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestFoundInputs$")
			child.Env = append(os.Environ(), foundVariable+"="+name)
			out, err := child.CombinedOutput()
			switch {
			case ctx.Err() != nil:
				t.Error("does not end")
			case err != nil:
				lines := strings.SplitN(string(out), "\n", 6)
				t.Errorf("%v:\n%s", err, strings.Join(lines[:min(5, len(lines))], "\n"))
			}
		})
	}
}
