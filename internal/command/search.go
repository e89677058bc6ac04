package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"os"
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
	Target string        `arg:"" name:"id-or-file" help:"Claim to attack, or a claim file of your own."`
	ID     string        `arg:"" optional:"" name:"id" help:"With a claim file: this claim only."`
	Region string        `placeholder:"FILE" help:"Region file (YAML) to search in; without one, the claim's own domains."`
	Budget time.Duration `default:"60s" help:"Time to plan for. It is turned into counts of evaluations, so that a seed gives the same result unless the time runs out."`
	// Patience is for machines that are slower than the plan.
	Patience int    `default:"2" help:"How many times the budget the search may take before it is cut off."`
	Seed     uint64 `default:"1" help:"Seed of every random choice."`
	JSON     bool   `name:"json" help:"Write the report as JSON."`
}

// Run looks for counterexamples. Finding some is what it is for: the exit code is 0 either way.
func (r *refuteCommand) Run(c *console) error {
	f, ids, reg, err := claimsAndRegion(c, r.Target, r.ID, r.Region)
	if err != nil {
		return err
	}
	if r.Budget <= 0 {
		return &exit{BadInput, fmt.Sprintf("--budget=%s is not positive", r.Budget)}
	}
	if r.Patience < 1 {
		return &exit{BadInput, fmt.Sprintf("--patience=%d is not positive", r.Patience)}
	}
	if longest := time.Duration(math.MaxInt64); r.Budget > longest/time.Duration(r.Patience) {
		return &exit{BadInput, fmt.Sprintf("--budget=%s with --patience=%d is longer than can be counted", r.Budget, r.Patience)}
	}
	var reps []fuzz.Report
	for _, id := range ids {
		bar := newProgress(c.stderr)
		rep, err := fuzz.Refute(c.ctx, f, id, fuzz.Options{Region: reg, Budget: r.Budget, Patience: r.Patience, Seed: r.Seed,
			Progress: func(p fuzz.Progress) { bar.show(p.Done, max(p.Total, 1), p.Target) }})
		bar.clear()
		if err != nil {
			return badInput(err)
		}
		reps = append(reps, rep)
		if c.ctx.Err() != nil {
			break
		}
	}
	if err := c.write(func(w io.Writer) error {
		switch {
		case r.JSON && r.file(f):
			return writeJSON(w, reps)
		case r.JSON:
			return writeJSON(w, reps[0])
		}
		for _, rep := range reps {
			writeReport(w, rep)
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

// file reports whether the target is a file: then the report as JSON is a list, a claim each.
func (r *refuteCommand) file(f *lang.File) bool { return f.Claim(r.Target) == nil }

func writeReport(w io.Writer, rep fuzz.Report) {
	for _, n := range rep.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	for _, x := range rep.Findings {
		off := x.Residual
		if off == "0" {
			off = "" // it fails by equality, or over time
		}
		fmt.Fprintf(w, "%s (%s): %s\n  %s\n", x.Target, x.Reading, x.Status, x.Statement)
		for _, l := range []struct{ name, text string }{{"why", x.Why}, {"at", x.Text}, {"left", x.Left}, {"right", x.Right}, {"off by", off},
			{"confirmed", x.Evidence}, {"shown", strings.Join(x.Facts, "; ")}, {"tested", x.Tested}, {"note", x.Note}} {
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
		if x.Spent {
			fmt.Fprintf(w, "    %-10s the work that a search may do was used up before all states were drawn\n", "cut off")
		}
	}
	if rep.CutOff {
		fmt.Fprintln(w, "\nThe time ran out: with more --patience more may be found, and the same command need not find the same again.")
	}
}

type fuzzCommand struct {
	Target  string `arg:"" name:"id-or-file" help:"Claim to sample, or a claim file of your own."`
	ID      string `arg:"" optional:"" name:"id" help:"With a claim file: the claim, if the file has several."`
	Region  string `placeholder:"FILE" help:"Region file (YAML); without one, the claim's own domains."`
	N       int    `short:"n" default:"1000" help:"Points per statement."`
	Seed    uint64 `default:"1" help:"Seed of every random choice."`
	Workers int    `default:"0" help:"Tiles computed at a time; 0 is one per processor. Changes no result."`
	Out     string `placeholder:"DIR" help:"Folder that keeps the campaign, so that it can be interrupted and resumed."`
	JSON    bool   `name:"json" help:"Write the result as JSON."`
}

// Run samples the claim over the region. A confirmed failure is exit 1; a statement whose hypotheses no point meets is a
// warning and exit 3.
func (z *fuzzCommand) Run(c *console) error {
	f, ids, reg, err := claimsAndRegion(c, z.Target, z.ID, z.Region)
	if err != nil {
		return err
	}
	if len(ids) > 1 {
		return &exit{BadInput, fmt.Sprintf("%s has several claims; name one of %s", z.Target, strings.Join(ids, " "))}
	}
	bar := newProgress(c.stderr)
	s, err := fuzz.Fuzz(c.ctx, f, ids[0], fuzz.FuzzOptions{Region: reg, N: z.N, Seed: z.Seed, Workers: z.Workers, Dir: z.Out,
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
	var unmet []string
	for _, t := range s.Tallies {
		refuted += t.Refuted
		if t.Holds+t.Fails+t.Open == 0 {
			unmet = append(unmet, t.Name)
		}
	}
	if err := c.write(func(w io.Writer) error {
		if z.JSON {
			return writeJSON(w, s)
		}
		for _, n := range s.Notes {
			fmt.Fprintf(w, "note: %s\n", n)
		}
		for _, t := range s.Tallies {
			writeTally(w, t)
		}
		return nil
	}); err != nil {
		return err
	}
	switch {
	case refuted > 0:
		return &exit{Difference, ""}
	case len(unmet) > 0:
		return &exit{Unmet, fmt.Sprintf("no point meets the hypotheses of %s: nothing was tested there", strings.Join(unmet, ", "))}
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
	if t.Open > 0 {
		unasked := ""
		if t.Unasked > 0 {
			unasked = fmt.Sprintf(" (%d of them were not looked at exactly)", t.Unasked)
		}
		fmt.Fprintf(w, "  %d more fail in float64, and nothing exact confirms it: not decided there%s\n", t.Open, unasked)
	}
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
			word = "fails"
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

// claimsAndRegion finds the claims that a search is about, in the built-in claims or a file, and reads the region.
func claimsAndRegion(con *console, target, id, file string) (f *lang.File, ids []string, r *region.Region, err error) {
	if f, err = theory.Load(); err != nil {
		return nil, nil, nil, err
	}
	_, missing := os.Stat(target)
	switch {
	case f.Claim(target) != nil && id != "":
		return nil, nil, nil, &exit{BadInput, fmt.Sprintf("%s is a built-in claim; a second name goes with a claim file", target)}
	case f.Claim(target) != nil:
		ids = []string{target}
	case missing != nil:
		return nil, nil, nil, unknownClaim(target, f)
	default:
		if f, _, err = ownClaims(con, target); err != nil {
			return nil, nil, nil, err
		}
		for _, c := range f.Claims {
			if id == "" || c.ID == id {
				ids = append(ids, c.ID)
			}
		}
		if ids == nil {
			return nil, nil, nil, &exit{BadInput, fmt.Sprintf("%s has no claim called %q", target, id)}
		}
	}
	if file == "" {
		return f, ids, nil, nil
	}
	r, err = input(con, file, func() (*region.Region, error) {
		r, err := region.ReadFile(file)
		if err != nil {
			return nil, badInput(err)
		}
		return r, nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return f, ids, r, nil
}

type mapCommand struct {
	Target  string   `arg:"" optional:"" name:"file" help:"Claim file of your own with a flow of one scalar variable; without one, a mode of the paper."`
	ID      string   `arg:"" optional:"" name:"id" help:"With a file: the claim, if the file has several."`
	X       string   `required:"" placeholder:"NAME=LO:HI" help:"Horizontal axis, for example p0=0:1; a suffix :log makes it logarithmic, :N sets the cells."`
	Y       string   `required:"" placeholder:"NAME=LO:HI" help:"Vertical axis."`
	Set     []string `placeholder:"NAME=VALUE" help:"Value of a quantity on neither axis."`
	Measure string   `default:"outcome" help:"What to map: outcome, margin, time or final-s."`
	Model   string   `default:"frozen" help:"The mode's equations: frozen (τ constant), modes (moving average) or parabola."`
	Refine  int      `default:"0" help:"How often cells at the boundary are halved; 0 is the default, -1 none."`

	Certified bool `help:"Certify tiles of p0 and s0 as a whole, by validated integration into traps; what is not certified is hatched. Drawn beside the measured map."`

	Workers int    `default:"0" help:"Cells at a time; 0 is one per processor. Changes no result."`
	Out     string `required:"" placeholder:"FILE" help:"Result: .svg, .png or .csv; of a flow of your own .csv."`
}

// Run measures a map and writes it with the boundary that the theory predicts.
func (m *mapCommand) Run(c *console) error {
	if m.Target != "" {
		return m.own(c)
	}
	spec := mapping.Spec{Refine: m.Refine, Workers: m.Workers}
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
	if spec.Set, err = m.settings(mapping.ParseSetting); err != nil {
		return badInput(err)
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

// settings reads what is given by --set.
func (m *mapCommand) settings(parse func(string) (string, *big.Rat, error)) (map[string]*big.Rat, error) {
	out := map[string]*big.Rat{}
	for _, text := range m.Set {
		name, v, err := parse(text)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// own maps the flow of a claim file.
func (m *mapCommand) own(c *console) error {
	claim, err := oneClaim(c, m.Target, m.ID)
	if err != nil {
		return err
	}
	if m.Measure != "outcome" || m.Model != "frozen" || m.Refine != 0 || m.Certified {
		return &exit{BadInput, "--measure, --model, --refine and --certified are about a mode of the paper, not a flow of your own"}
	}
	part := claim.Parts[0]
	spec := mapping.Own{Part: part}
	if spec.X, err = mapping.ParseOwnAxis(m.X); err != nil {
		return badInput(err)
	}
	if spec.Y, err = mapping.ParseOwnAxis(m.Y); err != nil {
		return badInput(err)
	}
	if spec.Set, err = m.settings(mapping.ParseOwnSetting); err != nil {
		return badInput(err)
	}
	if err := mapping.CheckOwnFile(m.Out); err != nil {
		return badInput(err)
	}
	bar := newProgress(c.stderr)
	spec.Progress = func(done, total int) { bar.show(done, total, "columns") }
	r, err := mapping.MapOwn(c.ctx, spec)
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
