package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"stopgrad/fuzz"
	"stopgrad/fuzz/mapping"
	"stopgrad/fuzz/region"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

type refuteCommand struct {
	ID     string        `arg:"" help:"Claim to attack."`
	Region string        `placeholder:"FILE" help:"Region file (YAML) to search in; without one, the claim's own domains."`
	Budget time.Duration `default:"60s" help:"Time to plan for. It is turned into counts of evaluations, so that a seed gives the same result unless the time runs out."`
	// Patience is for machines that are slower than the plan.
	Patience int    `default:"2" help:"How many times the budget the search may take before it is cut off."`
	Seed     uint64 `default:"1" help:"Seed of every random choice."`
	JSON     bool   `name:"json" help:"Write the report as JSON."`
}

// Run looks for counterexamples. Finding some is what it is for: the exit code is 0 either way.
func (r *refuteCommand) Run(c *console) error {
	f, reg, err := claimAndRegion(r.ID, r.Region)
	if err != nil {
		return err
	}
	if r.Budget <= 0 {
		return &exit{BadInput, fmt.Sprintf("--budget=%s is not positive", r.Budget)}
	}
	if r.Patience < 1 {
		return &exit{BadInput, fmt.Sprintf("--patience=%d is not positive", r.Patience)}
	}
	bar := newProgress(c.stderr)
	rep, err := fuzz.Refute(c.ctx, f, r.ID, fuzz.Options{Region: reg, Budget: r.Budget, Patience: r.Patience, Seed: r.Seed,
		Progress: func(p fuzz.Progress) { bar.show(p.Done, max(p.Total, 1), p.Target) }})
	bar.clear()
	if err != nil {
		return badInput(err)
	}
	if err := c.write(func(w io.Writer) error {
		if r.JSON {
			return writeJSON(w, rep)
		}
		for _, x := range rep.Findings {
			fmt.Fprintf(w, "%s (%s): %s\n  %s\n", x.Target, x.Reading, x.Status, x.Statement)
			for _, l := range []struct{ name, text string }{{"why", x.Why}, {"at", x.Text}, {"off by", x.Residual}, {"confirmed", x.Evidence},
				{"shown", strings.Join(x.Facts, "; ")}, {"note", x.Note}} {
				if l.text != "" {
					fmt.Fprintf(w, "    %-10s %s\n", l.name, l.text)
				}
			}
			effort := fmt.Sprintf("%d evaluations, %d states met every hypothesis", x.Evaluations, x.Tried)
			if x.Reading == fuzz.Orbit {
				effort = fmt.Sprintf("%d trajectories", x.Evaluations)
			}
			fmt.Fprintf(w, "    %-10s %s\n", "effort", effort)
			if x.CutOff {
				fmt.Fprintf(w, "    %-10s the time ran out before the search was over\n", "cut off")
			}
		}
		if rep.CutOff {
			fmt.Fprintln(w, "\nThe time ran out: with more --patience more may be found, and the same command need not find the same again.")
		}
		return nil
	}); err != nil {
		return err
	}
	if c.ctx.Err() != nil {
		return interrupted("the statements above are finished")
	}
	return nil
}

type fuzzCommand struct {
	ID      string `arg:"" help:"Claim to sample."`
	Region  string `placeholder:"FILE" help:"Region file (YAML); without one, the claim's own domains."`
	N       int    `short:"n" default:"1000" help:"Points per statement."`
	Seed    uint64 `default:"1" help:"Seed of every random choice."`
	Workers int    `default:"0" help:"Tiles computed at a time; 0 is one per processor. Changes no result."`
	Out     string `placeholder:"DIR" help:"Folder that keeps the campaign, so that it can be interrupted and resumed."`
	JSON    bool   `name:"json" help:"Write the result as JSON."`
}

// Run samples the claim over the region. A confirmed failure is exit 1.
func (z *fuzzCommand) Run(c *console) error {
	f, reg, err := claimAndRegion(z.ID, z.Region)
	if err != nil {
		return err
	}
	bar := newProgress(c.stderr)
	s, err := fuzz.Fuzz(c.ctx, f, z.ID, fuzz.FuzzOptions{Region: reg, N: z.N, Seed: z.Seed, Workers: z.Workers, Dir: z.Out,
		Progress: func(done, total int) { bar.show(done, max(total, 1), "points") }})
	bar.clear()
	if errors.Is(err, context.Canceled) {
		hint := "run it with --out to be able to go on from there"
		if z.Out != "" {
			hint = "the same command goes on from there"
		}
		return interrupted("%s", hint)
	}
	if err != nil {
		return badInput(err)
	}
	refuted := 0
	for _, t := range s.Tallies {
		refuted += t.Refuted
	}
	if err := c.write(func(w io.Writer) error {
		if z.JSON {
			return writeJSON(w, s)
		}
		for _, t := range s.Tallies {
			writeTally(w, t)
		}
		return nil
	}); err != nil {
		return err
	}
	if refuted > 0 {
		return &exit{Difference, ""}
	}
	return nil
}

// worstShown is how many of the worst points are written out; --json has all that are kept.
const worstShown = 3

// histogramWidth is the length of the longest bar of a histogram.
const histogramWidth = 40

// writeTally writes what the samples of a statement came to: counts, the histogram of the relative margins
// without its empty bins, and the states that came nearest to failing, to four digits: --json has them exactly.
func writeTally(w io.Writer, t fuzz.Tally) {
	fmt.Fprintf(w, "%s (%s): %s\n  %d drawn, %d met the hypotheses: %d hold, %d fail\n", t.Name, t.Reading, t.Statement, t.Drawn, t.Holds+t.Fails, t.Holds, t.Fails)
	most := 0
	for _, n := range t.Histogram {
		most = max(most, n)
	}
	for i, n := range t.Histogram {
		if n == 0 {
			continue
		}
		from, to := "", ""
		if i > 0 {
			from = fmt.Sprintf("%.3g ≤ ", fuzz.Edges[i-1])
		}
		if i < len(fuzz.Edges) {
			to = fmt.Sprintf(" < %.3g", fuzz.Edges[i])
		}
		fmt.Fprintf(w, "    %22s %8d %s\n", from+"margin"+to, n, strings.Repeat("█", (n*histogramWidth+most-1)/most))
	}
	for _, p := range t.Worst[:min(len(t.Worst), worstShown)] {
		word := "nearest"
		switch {
		case p.Confirmed:
			word = "refuted"
		case p.Margin < -eval.Tolerance:
			word = "fails in float64"
		}
		fmt.Fprintf(w, "    %s at point %d, margin %.3g:", word, p.Index, p.Margin)
		for _, name := range slices.Sorted(maps.Keys(p.State)) {
			fmt.Fprintf(w, " %s=%s", name, short(p.State[name]))
		}
		fmt.Fprintln(w)
	}
}

// short writes an exact number to four digits where it is longer than that.
func short(exact string) string {
	const legible = 8
	r, ok := new(big.Rat).SetString(exact)
	if !ok || len(exact) <= legible {
		return exact
	}
	v, _ := r.Float64()
	return fmt.Sprintf("%.4g…", v)
}

func claimAndRegion(id, file string) (*lang.File, *region.Region, error) {
	f, err := theory.Load()
	if err != nil {
		return nil, nil, err
	}
	if f.Claim(id) == nil {
		return nil, nil, unknownClaim(id, f)
	}
	if file == "" {
		return f, nil, nil
	}
	r, err := region.ReadFile(file)
	if err != nil {
		return nil, nil, badInput(err)
	}
	return f, r, nil
}

type mapCommand struct {
	X       string   `required:"" placeholder:"NAME=LO:HI" help:"Horizontal axis, for example p0=0:1; a suffix :log makes it logarithmic, :N sets the cells."`
	Y       string   `required:"" placeholder:"NAME=LO:HI" help:"Vertical axis."`
	Set     []string `placeholder:"NAME=VALUE" help:"Value of a quantity on neither axis."`
	Measure string   `default:"outcome" help:"What to map: outcome, margin, time or final-s."`
	Model   string   `default:"frozen" help:"The mode's equations: frozen (τ constant), modes (moving average) or parabola."`
	Refine  int      `default:"0" help:"How often cells at the boundary are halved; 0 is the default, -1 none."`

	Certified bool `help:"Certify tiles of p0 and s0 as a whole, by validated integration into traps; what is not certified is hatched. Drawn beside the measured map."`

	Workers int    `default:"0" help:"Cells at a time; 0 is one per processor. Changes no result."`
	Out     string `required:"" placeholder:"FILE" help:"Result: .svg, .png or .csv."`
}

// Run measures a map and writes it with the boundary that the theory predicts.
func (m *mapCommand) Run(c *console) error {
	spec := mapping.Spec{Refine: m.Refine, Workers: m.Workers, Set: map[string]*big.Rat{}}
	var err error
	if spec.X, err = mapping.ParseAxis(m.X); err != nil {
		return badInput(err)
	}
	if spec.Y, err = mapping.ParseAxis(m.Y); err != nil {
		return badInput(err)
	}
	if spec.Measure, err = mapping.ParseMeasure(m.Measure); err != nil {
		return badInput(err)
	}
	if spec.Model, err = mapping.ParseModel(m.Model); err != nil {
		return badInput(err)
	}
	for _, s := range m.Set {
		name, v, err := mapping.ParseSetting(s)
		if err != nil {
			return badInput(err)
		}
		spec.Set[name] = v
	}
	if err := mapping.CheckFile(m.Out); err != nil {
		return badInput(err)
	}
	bar := newProgress(c.stderr)
	spec.Progress = func(done, total int) { bar.show(done, max(total, 1), "cells") }
	if m.Certified {
		return m.certify(c, spec, bar)
	}
	r, err := mapping.Map(c.ctx, spec)
	bar.clear()
	if r == nil {
		return badInput(err)
	}
	if werr := r.WriteFile(m.Out); werr != nil {
		return badInput(werr)
	}
	if werr := c.write(func(w io.Writer) error { _, e := fmt.Fprintln(w, r.Summary()); return e }); werr != nil {
		return werr
	}
	if c.ctx.Err() != nil {
		return interrupted("%s holds the cells that are done", m.Out)
	}
	return err
}

// certify certifies a map and writes it beside the measured one.
func (m *mapCommand) certify(c *console, spec mapping.Spec, bar *progress) error {
	proved, err := mapping.Certify(c.ctx, spec)
	bar.clear()
	if proved == nil {
		return badInput(err)
	}
	if c.ctx.Err() == nil && !strings.HasSuffix(m.Out, ".csv") {
		spec.Refine = 0
		proved.Measured, err = mapping.Map(c.ctx, spec)
		bar.clear()
	}
	if werr := proved.WriteFile(m.Out); werr != nil {
		return badInput(werr)
	}
	if werr := c.write(func(w io.Writer) error { _, e := fmt.Fprintln(w, proved); return e }); werr != nil {
		return werr
	}
	if c.ctx.Err() != nil {
		return interrupted("%s holds the tiles that are done", m.Out)
	}
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
