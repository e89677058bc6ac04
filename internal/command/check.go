package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"stopgrad/internal/ledger"
	"stopgrad/internal/report"
	"stopgrad/internal/statecheck"
	"stopgrad/numeric/flow"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

type checkCommand struct {
	Target  string `arg:"" name:"id-or-file" help:"With --state the id of a claim; without it a claim file of your own."`
	State   string `placeholder:"FILE" help:"State file (JSON), - for standard input."`
	Reading string `default:"" enum:",printed,corrected" help:"Reading to check: printed or corrected. Default: printed, unless it is ill-formed."`
	Part    string `placeholder:"NAME" help:"Check this part of the claim only."`
	search
}

// Help describes what the flags cannot.
func (*checkCommand) Help() string {
	return `With --state: are the hypotheses met at the state, does the statement hold, with what measures. With t > 0 in
the state also along the trajectory from it over [0, t]. Exit 0: it holds; 1: it is violated; 3: a hypothesis is
not met. What the state does not give is taken from defaults and definitions, and the report says which.

With a claim file: the audit of its claims. Exit 0: every claim is proved, certified or supported, as printed or
else as corrected, and every twin is refuted; 1: otherwise.`
}

// Run checks a claim at a state, or a claim file.
func (k *checkCommand) Run(c *console) error {
	if k.State == "" {
		return k.file(c)
	}
	if k.Out != "" {
		return &exit{BadInput, "--out goes with a claim file; a check at a state writes no ledger"}
	}
	f, err := theory.Load()
	if err != nil {
		return err
	}
	claim := f.Claim(k.Target)
	if claim == nil {
		return unknownClaim(k.Target, f)
	}
	s, err := readState(c, k.State)
	if err != nil {
		return err
	}
	r, err := statecheck.Check(c.ctx, claim, s, statecheck.Options{Reading: k.Reading, Part: k.Part})
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted("nothing is decided yet")
	case err != nil:
		return badInput(fmt.Errorf("%s: %w", k.State, err))
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
	}
	return nil
}

// readState reads a state file, or standard input for "-".
func readState(c *console, path string) (*flow.State, error) {
	if path == "-" {
		s, err := flow.DecodeState(c.stdin, "standard input")
		if err != nil {
			return nil, badInput(err)
		}
		return s, nil
	}
	s, err := flow.ReadStateFile(path)
	if err != nil {
		return nil, badInput(err)
	}
	return s, nil
}

// file judges a user's own claim file.
func (k *checkCommand) file(c *console) error {
	f, err := theory.Load()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(k.Target)
	switch {
	case err != nil && f.Claim(k.Target) != nil:
		return &exit{BadInput, fmt.Sprintf("check %s needs a state: --state FILE.json", k.Target)}
	case errors.Is(err, fs.ErrNotExist):
		return &exit{BadInput, fmt.Sprintf("there is no claim file %s, and no claim of that name", k.Target)}
	case err != nil:
		return badInput(err)
	case k.Reading != "" || k.Part != "":
		return &exit{BadInput, "--reading and --part go with --state"}
	}
	builtin, err := theory.Sources()
	if err != nil {
		return err
	}
	var sources []lang.Source
	for _, s := range builtin {
		sources = append(sources, lang.Source{Name: s.Name, Text: systemsOnly(s.Text)})
	}
	sources = append(sources, lang.Source{Name: k.Target, Text: string(bytes.TrimPrefix(text, []byte("\ufeff")))})
	own, err := lang.Parse(sources...)
	if err != nil {
		return badInput(err)
	}
	if len(own.Claims) == 0 {
		return &exit{BadInput, fmt.Sprintf("%s:1:1: no claim in this file; expected ‘claim ID’ at the left margin", k.Target)}
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
