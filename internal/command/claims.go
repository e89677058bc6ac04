package command

import (
	"fmt"
	"io"
	"os"

	"stopgrad/internal/audit"
	"stopgrad/internal/ledger"
	"stopgrad/internal/report"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

type claimsCommand struct{}

// Run lists the claims.
func (*claimsCommand) Run(c *console) error {
	f, err := theory.Load()
	if err != nil {
		return err
	}
	return c.write(func(w io.Writer) error { return report.Claims(w, f.Claims, c.page()) })
}

type showCommand struct {
	Target   string `arg:"" name:"id-or-file" help:"Id of a claim (\"stopgrad claims\" lists them), or a claim file of your own."`
	ID       string `arg:"" optional:"" name:"id" help:"With a claim file: this claim only."`
	Unfolded bool   `help:"Print what is stated with ddt, next, diff, grad, at, E and sg carried out."`
	LaTeX    bool   `name:"latex" help:"Write the statements as LaTeX (amsmath)."`
}

// Help describes what the flags cannot.
func (*showCommand) Help() string {
	return `What is stated and what it assumes is printed from the kernel's sequent, never from the claim file: symbols by class,
moments, equations, and each hypothesis with its mark (here: at the state looked at; const: it does not move; always:
assumed all along; start: at the beginning only), then the abbreviations.`
}

// Run shows claims.
func (s *showCommand) Run(c *console) error {
	claims, err := s.claims(c)
	if err != nil {
		return err
	}
	return c.write(func(w io.Writer) error {
		for i, claim := range claims {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := s.one(c, w, claim); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *showCommand) one(c *console, w io.Writer, claim *lang.Claim) error {
	if s.LaTeX {
		return report.ShowLaTeX(w, claim, s.Unfolded)
	}
	prove := func(p *lang.Part) *verdict.Proof { return verdict.Prove(c.ctx, p) }
	refute := func(p *lang.Part) (ledger.Detail, verdict.Verdict) {
		return audit.Counterexample(c.ctx, claim, p, audit.Quick, 1)
	}
	return report.Show(w, claim, prove, refute, s.Unfolded, c.page())
}

// claims are the built-in claim with the given id, or those of the given file.
func (s *showCommand) claims(c *console) ([]*lang.Claim, error) {
	f, err := theory.Load()
	if err != nil {
		return nil, err
	}
	claim := f.Claim(s.Target)
	_, missing := os.Stat(s.Target)
	switch {
	case claim != nil && s.ID != "":
		return nil, &exit{BadInput, fmt.Sprintf("%s is a built-in claim; a second name goes with a claim file", s.Target)}
	case claim != nil:
		return []*lang.Claim{claim}, nil
	case missing != nil:
		return nil, unknownClaim(s.Target, f)
	}
	own, _, err := ownClaims(c, s.Target)
	if err != nil {
		return nil, err
	}
	if s.ID == "" {
		return own.Claims, nil
	}
	if claim = own.Claim(s.ID); claim == nil {
		return nil, &exit{BadInput, fmt.Sprintf("%s has no claim called %q", s.Target, s.ID)}
	}
	return []*lang.Claim{claim}, nil
}
