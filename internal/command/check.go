package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"stopgrad/internal/ledger"
	"stopgrad/internal/report"
	"stopgrad/internal/statecheck"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

type checkCommand struct {
	Target  string `arg:"" name:"id-or-file" help:"With --state the id of a claim; without it a claim file of your own."`
	ID      string `arg:"" optional:"" name:"id" help:"With --state and a claim file of your own: the claim, if the file has several."`
	State   string `placeholder:"FILE" help:"State file (JSON), - for standard input."`
	Reading string `default:"" enum:",printed,corrected" help:"Reading to check: printed or corrected. Default: printed, unless it is ill-formed."`
	Part    string `placeholder:"NAME" help:"Check this part of the claim only."`
	Script  bool   `help:"Of a claim file: print the proofs that were found without a script, as scripts to paste below what they prove, and nothing else."`
	search
}

// Help describes what the flags cannot.
func (*checkCommand) Help() string {
	return `With --state: are the hypotheses met at the state, does the statement hold, with what measures. With t > 0 in
the state also along the trajectory from it over [0, t]. Exit 0: it holds; 1: it is violated; 3: a hypothesis is
not met; 4: not decided. Numbers are taken exactly as they are written (0.1, "1/3"), and what is algebraic is decided
exactly. What the state does not give is taken from defaults and definitions, and the report says which. A witness of
refute, a ledger's state and a counterexample certificate are state files as they are.

With a claim file: the audit of its claims; with --script, proofs that can be pasted into it. Exit 0: every claim is proved, certified or supported, as printed or
else as corrected, and every twin is refuted; 1: otherwise.`
}

// Run checks a claim at a state, or a claim file.
func (k *checkCommand) Run(c *console) error {
	if k.State == "" {
		return k.file(c)
	}
	if k.Script {
		return &exit{BadInput, "--script goes with a claim file, not with --state"}
	}
	if k.Out != "" {
		return &exit{BadInput, "--out goes with a claim file; a check at a state writes no ledger"}
	}
	claim, err := oneClaim(c, k.Target, k.ID)
	if err != nil {
		return err
	}
	s, err := readState(c, k.State)
	if err != nil {
		return err
	}
	r, err := statecheck.Check(c.ctx, claim, s, statecheck.Options{Reading: k.Reading, Part: k.Part})
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted("nothing is decided yet")
	case errors.As(err, new(*statecheck.NotEvaluableError)):
		return badInput(fmt.Errorf("%s: %w", k.State, err))
	case err != nil:
		return badInput(err)
	}
	if err := c.write(func(w io.Writer) error {
		if !k.JSON {
			return report.Check(w, r, c.page())
		}
		data, err := json.Marshal(r)
		if err == nil {
			_, err = w.Write(append(data, '\n'))
		}
		return err
	}); err != nil {
		return err
	}
	switch r.Status() {
	case statecheck.Violated:
		return &exit{code: Difference}
	case statecheck.Unmet:
		return &exit{code: Unmet}
	case statecheck.NotDecided:
		return &exit{code: NotDecided}
	}
	return nil
}

// oneClaim is the built-in claim called target, or the claim called id, or the only one, of the file target.
func oneClaim(con *console, target, id string) (*lang.Claim, error) {
	f, err := theory.Load()
	if err != nil {
		return nil, err
	}
	if claim := f.Claim(target); claim != nil {
		if id != "" {
			return nil, &exit{BadInput, fmt.Sprintf("%s is a built-in claim; a second name goes with a claim file", target)}
		}
		return claim, nil
	}
	if _, missing := os.Stat(target); missing != nil {
		return nil, unknownClaim(target, f)
	}
	own, _, err := ownClaims(con, target)
	if err != nil {
		return nil, err
	}
	if id == "" && len(own.Claims) > 1 {
		var ids []string
		for _, c := range own.Claims {
			ids = append(ids, c.ID)
		}
		return nil, &exit{BadInput, fmt.Sprintf("%s has several claims; name one of %s", target, strings.Join(ids, " "))}
	}
	if id == "" {
		return own.Claims[0], nil
	}
	claim := own.Claim(id)
	if claim == nil {
		return nil, &exit{BadInput, fmt.Sprintf("%s has no claim called %q", target, id)}
	}
	return claim, nil
}

// readState reads a state file, or standard input for "-".
func readState(c *console, path string) (*statecheck.State, error) {
	return input(c, path, func() (s *statecheck.State, err error) {
		if path == "-" {
			s, err = statecheck.ReadState(c.stdin, "standard input")
		} else {
			s, err = statecheck.ReadStateFile(path)
		}
		if err != nil {
			return nil, badInput(err)
		}
		return s, nil
	})
}

// file judges a user's own claim file.
func (k *checkCommand) file(c *console) error {
	if k.Reading != "" || k.Part != "" || k.ID != "" {
		return &exit{BadInput, "--reading, --part and a second name go with --state"}
	}
	own, sources, err := ownClaims(c, k.Target)
	if err != nil {
		if _, missing := os.Stat(k.Target); missing != nil {
			if f, bad := theory.Load(); bad == nil && f.Claim(k.Target) != nil {
				return &exit{BadInput, fmt.Sprintf("check %s needs a state: --state FILE.json", k.Target)}
			}
			return &exit{BadInput, fmt.Sprintf("there is no claim file %s, and no claim of that name", k.Target)}
		}
		return err
	}
	if k.Script {
		return k.scripts(c, own)
	}
	l, err := k.judge(c, own, sources, nil, nil)
	if err != nil {
		return err
	}
	if err := defects(l); err != nil {
		return err
	}
	var fallen []string
	for _, cl := range l.Claims {
		if !stands(&cl) {
			fallen = append(fallen, cl.ID)
		}
	}
	if len(fallen) > 0 {
		return &exit{Difference, fmt.Sprintf("%d of %d claims do not stand: %s", len(fallen), len(l.Claims), strings.Join(fallen, ", "))}
	}
	return nil
}

// scripts prints the proofs that search finds, as scripts.
func (k *checkCommand) scripts(c *console, own *lang.File) error {
	if k.JSON || k.Out != "" {
		return &exit{BadInput, "--script prints scripts; it goes with neither --json nor --out"}
	}
	var unwritten []string
	err := c.write(func(w io.Writer) error {
		for _, cl := range own.Claims {
			for _, p := range cl.Parts {
				if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
					continue
				}
				proof := verdict.Prove(c.ctx, p)
				text := ""
				switch {
				case !proof.Verdict().IsProved():
					text = "# not proved\n"
				case !proof.Searched():
					text = "# proved by its own script\n"
				default:
					lines, err := proof.Write(c.ctx)
					if err != nil {
						unwritten = append(unwritten, cl.ID+"/"+p.Name)
						text = fmt.Sprintf("# no script: %v\n", err)
						break
					}
					text = "proof\n" + indent(lines, "  ")
				}
				if _, err := fmt.Fprintf(w, "# %s:%d %s/%s: %s\n%s", p.Pos.File, p.Pos.Line, cl.ID, p.Name, p.Stmt.Text, indent(text, "    ")); err != nil {
					return err
				}
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case c.ctx.Err() != nil:
		return interrupted("not all proofs are written")
	case len(unwritten) > 0:
		return &exit{Difference, "proved, and not written as a script: " + strings.Join(unwritten, ", ")}
	}
	return nil
}

func indent(text, by string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		b.WriteString(by + l)
	}
	return b.String()
}

// stands reports whether a claim is affirmed, as printed or as corrected, by checks that can fail.
func stands(c *ledger.Claim) bool {
	for _, t := range c.Twins {
		if !t.Verdict.Denies() {
			return false
		}
	}
	return c.Verdict.Affirms() || c.Corrected != nil && c.Corrected.Verdict.Affirms()
}

// systemsOnly blanks out the claims of a claim text, so that a user's claims may have the same ids; the lines
// keep their numbers.
func systemsOnly(text string) string {
	lines := strings.Split(text, "\n")
	claim := false
	for i, l := range lines {
		if l != "" && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "#") {
			claim = strings.HasPrefix(l, "claim ")
		}
		if claim {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}
