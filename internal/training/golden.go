package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/fuzz"
	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/parity"
	"stopgrad/trainingcheck/recorder"
)

// Golden is the command about recorded results.
type Golden struct {
	List   GoldenList   `cmd:"" help:"List the goldens of this project, or of a folder."`
	Verify GoldenVerify `cmd:"" help:"Check goldens by every rule, without training."`
	Parity GoldenParity `cmd:"" help:"Print how far the engines are from float64, as a table in Markdown."`
	Plot   GoldenPlot   `cmd:"" help:"Draw what recorded runs went through."`
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

// GoldenParity prints the goldens of kind parity.
type GoldenParity struct {
	Dir string `arg:"" optional:"" help:"Folder of goldens. Default: those built into this program."`
}

// GoldenDiff compares two goldens.
type GoldenDiff struct {
	Old string `arg:"" help:"File of a golden."`
	New string `arg:"" help:"File of another."`
}

// GoldenRecord records goldens.
type GoldenRecord struct {
	Tier       string   `default:"mini" enum:"mini,full,gpu,images,gpu-mini" help:"Networks: mini, full, gpu or gpu-mini, as in trainingcheck run."`
	Group      string   `default:"" enum:",G-A,G-B,G-C" help:"Group of tier gpu or gpu-mini. Default: all of them."`
	Data       string   `placeholder:"SPEC" help:"Images of tier gpu: cifar10:PATH, or folder:PATH, a folder or a tar.gz."`
	Arms       []string `placeholder:"ARM,…" help:"Ways of training to record. Default: all that are recorded."`
	Seeds      string   `placeholder:"N,N,…" help:"Seeds, at least ten, or five in tier gpu and gpu-mini. Default: 10 to 19, or 1 to 5."`
	Reruns     int      `default:"1" help:"Extra runs of the first seed, to see whether it gives the same numbers again."`
	Rich       int      `default:"-1" help:"So many of the seeds keep matrices along the way. Default: 2, or 1 in tier gpu and gpu-mini."`
	Epochs     int      `default:"0" help:"Length of the runs of G-A and G-B; 0 is the group's own. Decay and average follow it."`
	Precision  string   `default:"" enum:",float32,bfloat16" help:"Arithmetic of G-A and G-B: float32 or bfloat16. Default: float32."`
	Backend    string   `placeholder:"KIND" help:"cpu, cpu-gomlx, xla-cpu, gpu or gpu-tf32. Default: gpu for tier gpu, cpu for others."`
	Kernels    `embed:""`
	Workers    int    `default:"0" help:"Runs at a time; 0 is one per processor, and one on a GPU. Changes no number."`
	RunsOnly   bool   `help:"Make the runs, any seeds and arms, and leave them in --work; write no golden."`
	Assemble   bool   `help:"Write the goldens of the runs in --work; train nothing."`
	Reason     string `placeholder:"TEXT" help:"Why a golden is replaced; it is kept in the new one."`
	AllowDirty bool   `help:"Record from a tree with uncommitted changes; the golden says so."`
	Out        string `default:"golden/data" placeholder:"DIR" help:"Folder of the goldens."`
	Work       string `placeholder:"DIR" help:"Folder of finished runs. Default: .recording in --out."`
}

// Help describes what the flags cannot.
func (*GoldenRecord) Help() string {
	return `Runs in the project's root, or from a program built by trainingcheck/parity/build.sh. The runs are made first, and kept in
--work: after Ctrl-C the same command goes on from there. When all are made the goldens are checked and written, each complete or not at all, and the folder is removed.

A recording on a machine with little time is made in parts: --runs-only with some of the seeds, groups and arms, as often as
needed; the files *.run are carried to one folder, and --assemble with --work of it writes the goldens, where no GPU and no
images are needed. Runs of different programs, data, engines, devices or configurations are refused.`
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
	var names []string
	for _, pattern := range []string{"*.json", "*/*.json"} {
		found, err := fs.Glob(fsys, pattern)
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		names = append(names, found...)
	}
	var rows [][]string
	for _, name := range names {
		g, err := golden.Read(fsys, name)
		if err != nil {
			return badInputf("%s: %v", name, err)
		}
		rows = append(rows, []string{wrapName(g.ID), string(g.Kind), string(g.Status), fmt.Sprint(len(g.Runs)), origin(g), strings.Join(verdicts(g), "; ")})
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
	if x := g.Counterexample; x != nil {
		out = append(out, x.Statement+": fails by "+x.Residual)
	}
	for _, k := range g.Claims {
		text := k.ID + " " + k.Metric
		switch { // of a golden that nobody has verified
		case k.Test == golden.PairedTestName && k.Gap != nil:
			text += fmt.Sprintf(" − %s > %.3g", k.Other, *k.Gap)
		case k.Test == golden.GateTest && k.Bound != nil:
			text += fmt.Sprintf(" %s %.3g", k.Op, *k.Bound)
		default:
			text += " without its bound"
		}
		out = append(out, fmt.Sprintf("%s (mean %.3g): %s", text, k.Mean, word(k.Pass)))
	}
	return out
}

// Run computes them again in float64 and prints the largest relative difference of each.
func (p *GoldenParity) Run(c *Console) error {
	fsys, err := goldens(p.Dir)
	if err != nil {
		return err
	}
	names, err := fs.Glob(fsys, "parity.*.json")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	again := recompute()
	for _, name := range names {
		g, err := golden.Read(fsys, name)
		if err == nil {
			err = whole(c.Context, again, g)
		}
		if err != nil {
			return badInputf("%s: %v", name, err)
		}
	}
	rows, err := parity.Table(c.Context, fsys)
	if err != nil {
		return badInput(err)
	}
	return c.write(func(w io.Writer) error { _, err := io.WriteString(w, parity.Markdown(rows)); return err })
}

// ownNetwork refuses a parity golden of a network that is none of this program's: a recipe may ask for any size.
func ownNetwork(g *golden.Golden) error {
	text, err := g.Config.MarshalJSON()
	if err != nil {
		return err
	}
	var c method.Config
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	for _, n := range parity.Networks() {
		want := n.Config
		want.Precision, want.Steps = c.Precision, 1
		if string(want.Canonical()) == string(c.Canonical()) {
			return nil
		}
	}
	return errors.New("the recipe is that of no network of this program: it is not computed")
}

// whole refuses a parity golden that lacks a value: the largest difference of what is left would look better.
func whole(ctx context.Context, again map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error), g *golden.Golden) error {
	if g.Parity == nil || again[g.Parity.Computation] == nil {
		return errors.New("no computation of this program")
	}
	want, err := again[g.Parity.Computation](ctx, g)
	if err != nil {
		return err
	}
	for name := range want {
		if _, ok := g.Parity.Values[name]; !ok {
			return fmt.Errorf("parity.values.%s: missing", name)
		}
	}
	return nil
}

// recompute is [parity.Recompute] of this program's networks.
func recompute() map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error) {
	all := parity.Recompute()
	for name, of := range all {
		all[name] = func(ctx context.Context, g *golden.Golden) (map[string]golden.Scalar, error) {
			if err := ownNetwork(g); err != nil {
				return nil, err
			}
			return of(ctx, g)
		}
	}
	return all
}

// Run verifies them.
func (v *GoldenVerify) Run(c *Console) error {
	fsys, err := goldens(v.Dir)
	if err != nil {
		return err
	}
	verifier := &golden.Verifier{Witness: fuzz.VerifyWitness, Recompute: recompute(), Extra: slices.Concat(recorder.Rules, parity.Rules, fuzz.Rules)}
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
	if len(report.Files) == 0 { // nothing is broken in a folder that is not the one that was meant
		return badInputf("no golden in %s: they are files *.json", v.Dir)
	}
	var rows [][]string
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if v.Rules || o.State == golden.Fail || o.State == golden.Warn {
				rows = append(rows, []string{wrapName(f.File), o.Rule, string(o.State), detail(o)})
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
		if v.Rules {
			text += "\nstatements, which no rule computes again:\n"
			for _, s := range golden.Statements() {
				text += "  " + s + "\n"
			}
		}
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
	grouped := check.Colour(r.Tier) || r.Tier == check.GPUMini
	if r.Seeds == "" {
		r.Seeds = "10,11,12,13,14,15,16,17,18,19"
		if grouped {
			r.Seeds = "1,2,3,4,5"
		}
	}
	seeds, err := parseSeeds(r.Seeds)
	if err != nil {
		return err
	}
	if r.Rich == -1 {
		r.Rich = 2
		if grouped {
			r.Rich = 1
		}
	}
	if err := r.choose(r.Backend); err != nil {
		return err
	}
	if r.Backend == "" {
		r.Backend = engine.CPU
		if r.Tier == check.GPU {
			r.Backend = engine.GPU
		}
		if r.Tier == check.Images {
			r.Backend = engine.XLACPU
		}
	}
	if r.Work == "" {
		r.Work = filepath.Join(r.Out, workFolder)
	}
	switch {
	case r.Reruns < 0 || r.Rich < 0 || r.Workers < 0 || r.Epochs < 0:
		return badInputf("--reruns=%d, --rich=%d, --workers=%d, --epochs=%d: want 0 or more", r.Reruns, r.Rich, r.Workers, r.Epochs)
	case r.AllowDirty && strings.TrimSpace(r.Reason) == "":
		return badInputf("--allow-dirty needs a --reason")
	case r.RunsOnly && r.Assemble:
		return badInputf("--runs-only and --assemble exclude each other")
	case !grouped && (r.Group != "" || r.Epochs != 0 || r.Precision != ""):
		return badInputf("--group, --epochs and --precision are for --tier=gpu and gpu-mini")
	case !check.Colour(r.Tier) && r.Data != "":
		return badInputf("--data is for --tier=gpu and images; tier %s trains on the embedded digits", r.Tier)
	case check.Colour(r.Tier) && r.Data == "" && !r.Assemble:
		return badInputf("--tier=%s needs --data: cifar10:PATH, or folder:PATH with train/CLASS/*.jpg and test/CLASS/*.jpg, a folder or a tar.gz", r.Tier)
	case !slices.Contains(engine.Kinds, r.Backend):
		return badInputf("--backend: %q is unknown; there are %s", r.Backend, strings.Join(engine.Kinds, ", "))
	}
	tiers := []check.Tier{check.Tier(r.Tier)}
	if grouped {
		tiers = check.Groups(r.Tier)
		if r.Group != "" {
			tiers = slices.DeleteFunc(tiers, func(t check.Tier) bool { return t.Group() != r.Group })
		}
	}
	known := []check.Arm{}
	for _, t := range tiers {
		known = append(known, recorder.ArmsOf(t)...)
	}
	for _, name := range r.Arms {
		if !slices.Contains(known, check.Arm(name)) {
			return badInputf("--arms: %q is not recorded; there are %s", name, words(known))
		}
	}
	var images *data.Dataset
	if check.Colour(r.Tier) && !r.Assemble {
		e, err := engine.Open(r.Backend) // before the images are read
		if err != nil {
			return badInput(err)
		}
		e.Close()
		if images, err = data.Open(r.Data); err != nil {
			return badInput(err)
		}
	}
	bar := newProgress(c)
	var recs []*recorder.Recording
	for _, t := range tiers {
		arms := slices.DeleteFunc(slices.Clone(recorder.ArmsOf(t)), func(a check.Arm) bool { return len(r.Arms) > 0 && !slices.Contains(r.Arms, string(a)) })
		if len(arms) == 0 {
			continue
		}
		recs = append(recs, &recorder.Recording{Root: root, Out: r.Out, Work: r.Work, Tier: t, Data: images, Arms: arms, Seeds: seeds,
			Options: check.Options{Epochs: r.Epochs, Precision: method.Precision(r.Precision)},
			Reruns:  r.Reruns, Rich: r.Rich, Backend: r.Backend, Workers: r.Workers, Command: r.command(), Reason: r.Reason, AllowDirty: r.AllowDirty,
			Progress: func(done, total int, run string) { bar.show(float64(done), float64(total), run) }})
	}
	results, err := r.record(c.Context, recs)
	bar.clear()
	var unavailable *engine.UnavailableError
	var unsupported *method.UnsupportedError
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted("%d goldens are written; the same command goes on from there", len(results))
	case errors.Is(err, golden.ErrReasonRequired):
		return badInputf("%v: give one with --reason", err)
	case errors.Is(err, golden.ErrDirty):
		return badInputf("%v: commit them, or give --allow-dirty and a --reason", err)
	case errors.Is(err, recorder.ErrFewSeeds), errors.Is(err, recorder.ErrNoRuns), errors.Is(err, recorder.ErrMixed), errors.As(err, &unavailable), errors.As(err, &unsupported):
		return badInput(err)
	case err != nil:
		return err
	}
	if r.RunsOnly {
		return c.write(func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "the runs are in %s; golden record --assemble makes goldens of them\n", r.Work)
			return err
		})
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

// record does what the flags ask for. Of several groups those without runs are left out of an assembly.
func (r *GoldenRecord) record(ctx context.Context, recs []*recorder.Recording) (results []recorder.Result, err error) {
	if !r.RunsOnly && !r.Assemble {
		return recorder.RecordAll(ctx, recs...)
	}
	for _, rec := range recs {
		if r.RunsOnly {
			if err := rec.Runs(ctx); err != nil {
				return nil, err
			}
			continue
		}
		some, e := rec.Assemble(ctx)
		results = append(results, some...)
		if errors.Is(e, recorder.ErrNoRuns) {
			err = e
			continue
		}
		if e != nil {
			return results, e
		}
	}
	if len(results) > 0 {
		err = nil
	}
	return results, err
}

// command is what the provenance calls the command: as typed in the project's root, without folders.
func (r *GoldenRecord) command() string {
	text := fmt.Sprintf("go run . golden record --tier=%s --seeds=%s --reruns=%d --rich=%d --backend=%s", r.Tier, r.Seeds, r.Reruns, r.Rich, r.Backend)
	if r.Family != "" {
		text += " --kernels=" + r.Family
	}
	if r.Group != "" {
		text += " --group=" + r.Group
	}
	if kind, path, ok := strings.Cut(r.Data, ":"); ok {
		text += " --data=" + kind + ":" + filepath.Base(path)
	}
	if r.Epochs != 0 {
		text += fmt.Sprintf(" --epochs=%d", r.Epochs)
	}
	if r.Precision != "" {
		text += " --precision=" + r.Precision
	}
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
