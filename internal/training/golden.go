package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/parity"
	"stopgrad/trainingcheck/recorder"
)

// Golden is the command about recorded results.
type Golden struct {
	List   GoldenList   `cmd:"" help:"List the goldens of this project, or of a folder."`
	Verify GoldenVerify `cmd:"" help:"Check goldens by every rule, without training."`
	Diff   GoldenDiff   `cmd:"" help:"Show what differs between two goldens."`
	Record GoldenRecord `cmd:"" help:"Train and record goldens anew; needs a reason to replace one."`
	Stamp  GoldenStamp  `cmd:"" help:"Print the linker's flags for a program that is to record without its sources."`
}

// GoldenList lists goldens.
type GoldenList struct {
	Dir string `arg:"" optional:"" help:"Folder of goldens. Default: those built into this program."`
}

// GoldenVerify verifies goldens.
type GoldenVerify struct {
	Dir   string `arg:"" optional:"" help:"Folder of goldens. Default: those built into this program."`
	Rules bool   `help:"Show what every rule found, not only what is wrong or worth knowing."`
}

// GoldenDiff compares two goldens.
type GoldenDiff struct {
	Old string `arg:"" help:"File of a golden."`
	New string `arg:"" help:"File of another."`
}

// GoldenRecord records goldens.
type GoldenRecord struct {
	Tier       string   `default:"mini" enum:"mini,full" help:"Size of the networks: mini or full."`
	Arms       []string `placeholder:"ARM,…" help:"Ways of training to record. Default: all that are recorded."`
	Seeds      string   `default:"10,11,12,13,14,15,16,17,18,19" help:"Seeds, at least ten."`
	Reruns     int      `default:"1" help:"Extra runs of the first seed, to see whether it gives the same numbers again."`
	Rich       int      `default:"2" help:"So many of the seeds keep matrices along the way, the others at the end only."`
	Backend    string   `default:"cpu" placeholder:"KIND" help:"cpu, cpu-gomlx, gpu or gpu-tf32."`
	Workers    int      `default:"0" help:"Runs at a time; 0 is one per processor. Changes no number."`
	Reason     string   `placeholder:"TEXT" help:"Why a golden is replaced; it is kept in the new one."`
	AllowDirty bool     `help:"Record from a tree with uncommitted changes; the golden says so."`
	Out        string   `default:"golden/data" placeholder:"DIR" help:"Folder of the goldens."`
}

// Help describes what the flags cannot.
func (*GoldenRecord) Help() string {
	return `Runs in the project's root, or from a program built by trainingcheck/parity/build.sh. The runs are made first, and kept in the folder .recording of --out: after Ctrl-C the same
command goes on from there. When all are made the goldens are checked and written, each complete or not at all, and the
folder is removed.`
}

// goldens opens a folder, or what is built in.
func goldens(dir string) (fs.FS, error) {
	if dir == "" {
		return golden.Committed(), nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, badInput(err)
	case !info.IsDir():
		return nil, badInputf("%s is not a folder", dir)
	}
	return os.DirFS(dir), nil
}

// inRoot reports whether the working folder is the project's root.
func inRoot() bool { return golden.Root(".") == "." }

// GoldenStamp prints the linker's flags.
type GoldenStamp struct{}

// Run prints them: the stamp of the sources, and the modules that a test's build record does not name.
func (*GoldenStamp) Run(c *Console) error {
	if !inRoot() {
		return badInputf("golden stamp runs in the project's root: there is no go.mod of stopgrad here, and the sources are hashed")
	}
	text, err := golden.Stamp(c.Context, ".", recorder.Kernels, parity.Kernels)
	if err != nil {
		return err
	}
	flags := "-X stopgrad/golden.stamp=" + text
	if m := strings.Join(engine.Modules(), ","); m != "" && !strings.Contains(m, " ") { // a replaced module has spaces
		flags += " -X stopgrad/trainingcheck/engine.linked=" + m
	}
	return c.write(func(w io.Writer) error { _, err := fmt.Fprintln(w, flags); return err })
}

// Run lists them.
func (l *GoldenList) Run(c *Console) error {
	fsys, err := goldens(l.Dir)
	if err != nil {
		return err
	}
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var rows [][]string
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return badInput(err)
		}
		g, err := golden.Decode(text)
		if err != nil {
			return badInputf("%s: %v", name, err)
		}
		rows = append(rows, []string{g.ID, string(g.Kind), string(g.Status), fmt.Sprint(len(g.Runs)), origin(g), strings.Join(verdicts(g), "; ")})
	}
	if len(rows) == 0 {
		return c.write(func(w io.Writer) error { _, err := io.WriteString(w, "no golden\n"); return err })
	}
	return c.write(func(w io.Writer) error {
		_, err := io.WriteString(w, c.renderTable([]string{"golden", "kind", "status", "runs", "recorded", "claims"}, rows, 5))
		return err
	})
}

// origin says where and when a golden was recorded.
func origin(g *golden.Golden) string {
	p := g.Provenance
	commit := fmt.Sprintf("%.12s", p.GitCommit)
	if p.Dirty {
		commit += " and changes"
	}
	day, _, _ := strings.Cut(g.Created, "T")
	return day + "\n" + commit + "\n" + p.Engine.Name + " " + string(p.Engine.Precision)
}

// verdicts says which claims the runs bear out.
func verdicts(g *golden.Golden) []string {
	var out []string
	for _, k := range g.Claims {
		text := k.ID + " " + k.Metric
		if k.Test == golden.PairedTestName {
			text += fmt.Sprintf(" − %s > %.3g", k.Other, *k.Gap)
		} else {
			text += fmt.Sprintf(" %s %.3g", k.Op, *k.Bound)
		}
		out = append(out, fmt.Sprintf("%s (mean %.3g): %s", text, k.Mean, word(k.Pass)))
	}
	return out
}

// Run verifies them.
func (v *GoldenVerify) Run(c *Console) error {
	fsys, err := goldens(v.Dir)
	if err != nil {
		return err
	}
	verifier := &golden.Verifier{Recompute: parity.Recompute()}
	if inRoot() {
		verifier.Sources = os.DirFS(".")
	}
	bar := newProgress(c)
	report, err := verifier.VerifyDir(c.Context, fsys, func(p golden.Progress) { bar.show(float64(p.Done), float64(p.Total), p.File) })
	bar.clear()
	if errors.Is(err, context.Canceled) {
		return interrupted("%d goldens are checked", len(report.Files))
	}
	if err != nil && report.Err() == nil {
		return badInput(err)
	}
	var rows [][]string
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if v.Rules || o.State == golden.Fail || o.State == golden.Warn {
				rows = append(rows, []string{f.File, o.Rule, string(o.State), detail(o)})
			}
		}
	}
	failed := report.Count(golden.Fail)
	if err := c.write(func(w io.Writer) error {
		text := ""
		if len(rows) > 0 {
			text = c.renderTable([]string{"golden", "rule", "", "found"}, rows, 3) + "\n"
		}
		text += fmt.Sprintf("%d goldens: %d rules hold, %d broken, %d warnings, %d have nothing to check, %d unchecked here\n", len(report.Files),
			report.Count(golden.Pass), failed, report.Count(golden.Warn), report.Count(golden.Inapplicable), report.Count(golden.Unchecked))
		for _, s := range report.Strays {
			text += "no golden refers to " + s + "\n"
		}
		_, err := io.WriteString(w, text)
		return err
	}); err != nil {
		return err
	}
	if failed > 0 {
		return &ExitError{Difference, report.Err().Error()}
	}
	return nil
}

func detail(o golden.Outcome) string {
	if o.Err != nil {
		return o.Err.Error()
	}
	if o.Checks > 0 {
		return fmt.Sprintf("%s: %d comparisons, worst %.2g of %.2g", o.Detail, o.Checks, o.Worst, o.Tolerance)
	}
	return o.Detail
}

// Run compares them; a difference is exit code 1, as diff has it.
func (d *GoldenDiff) Run(c *Console) error {
	diffs, err := golden.DiffFiles(d.Old, d.New)
	if err != nil {
		return badInput(err)
	}
	if err := c.write(func(w io.Writer) error {
		var b strings.Builder
		for _, x := range diffs {
			fmt.Fprintln(&b, x)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}); err != nil {
		return err
	}
	if len(diffs) > 0 {
		return &ExitError{Difference, fmt.Sprintf("%d members differ", len(diffs))}
	}
	return nil
}

// workFolder is the folder of finished runs inside that of the goldens.
const workFolder = ".recording"

// Run records.
func (r *GoldenRecord) Run(c *Console) error {
	root := "."
	if !inRoot() {
		if !golden.Stamped() {
			return badInputf("golden record runs in the project's root: there is no go.mod of stopgrad here, and the sources are hashed")
		}
		root = "" // the stamp speaks for the sources
	}
	seeds, err := parseSeeds(r.Seeds)
	if err != nil {
		return err
	}
	switch {
	case r.Reruns < 0 || r.Rich < 0 || r.Workers < 0:
		return badInputf("--reruns=%d, --rich=%d, --workers=%d: want 0 or more", r.Reruns, r.Rich, r.Workers)
	case r.AllowDirty && strings.TrimSpace(r.Reason) == "":
		return badInputf("--allow-dirty needs a --reason")
	}
	arms := recorder.Arms
	if len(r.Arms) > 0 {
		arms = nil
		for _, name := range r.Arms {
			if !slices.Contains(recorder.Arms, check.Arm(name)) {
				return badInputf("--arms: %q is not recorded; there are %s", name, words(recorder.Arms))
			}
			arms = append(arms, check.Arm(name))
		}
	}
	bar := newProgress(c)
	rec := recorder.Recording{Root: root, Out: r.Out, Work: filepath.Join(r.Out, workFolder), Tier: check.Tier(r.Tier), Arms: arms, Seeds: seeds,
		Reruns: r.Reruns, Rich: r.Rich, Backend: r.Backend, Workers: r.Workers, Command: r.command(), Reason: r.Reason, AllowDirty: r.AllowDirty,
		Progress: func(done, total int, run string) { bar.show(float64(done), float64(total), run) }}
	results, err := rec.Record(c.Context)
	bar.clear()
	var unavailable *engine.UnavailableError
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted("%d goldens are written; the same command goes on from there", len(results))
	case errors.Is(err, golden.ErrReasonRequired):
		return badInputf("%v: give one with --reason", err)
	case errors.Is(err, golden.ErrDirty):
		return badInputf("%v: commit them, or give --allow-dirty and a --reason", err)
	case errors.Is(err, recorder.ErrFewSeeds), errors.As(err, &unavailable):
		return badInput(err)
	case err != nil:
		return err
	}
	var rows [][]string
	for _, x := range results {
		rows = append(rows, []string{x.Golden.ID, fmt.Sprint(len(x.Golden.Runs)), fmt.Sprintf("%.0f", float64(x.Written.Bytes)/1000), strings.Join(verdicts(x.Golden), "; ")})
	}
	return c.write(func(w io.Writer) error {
		_, err := io.WriteString(w, c.renderTable([]string{"golden", "runs", "kB", "claims"}, rows, 3))
		return err
	})
}

// command is what the provenance calls the command: as typed in the project's root, without the folder.
func (r *GoldenRecord) command() string {
	text := fmt.Sprintf("go run . golden record --tier=%s --seeds=%s --reruns=%d --rich=%d --backend=%s", r.Tier, r.Seeds, r.Reruns, r.Rich, r.Backend)
	if len(r.Arms) > 0 {
		text += " --arms=" + strings.Join(r.Arms, ",")
	}
	if r.AllowDirty {
		text += " --allow-dirty"
	}
	if r.Reason != "" {
		text += fmt.Sprintf(" --reason=%q", r.Reason)
	}
	return text
}
