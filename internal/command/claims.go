package command

import (
	"io"

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
	ID    string `arg:"" help:"Id of a claim; \"stopgrad claims\" lists them."`
	LaTeX bool   `name:"latex" help:"Write the statements as LaTeX (amsmath)."`
}

// Run shows one claim.
func (s *showCommand) Run(c *console) error {
	f, err := theory.Load()
	if err != nil {
		return err
	}
	claim := f.Claim(s.ID)
	if claim == nil {
		return unknownClaim(s.ID, f)
	}
	return c.write(func(w io.Writer) error {
		if s.LaTeX {
			return report.ShowLaTeX(w, claim)
		}
		return report.Show(w, claim, func(p *lang.Part) *verdict.Proof { return verdict.Prove(c.ctx, p) }, c.page())
	})
}
