package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/linear"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

// Check is the command about the training checks.
type Check struct {
	List  CheckList  `cmd:"" help:"List the checks with their gates, and the empirical claims that are quoted only."`
	Run   CheckRun   `cmd:"" help:"Run the checks, all or those named, and say what is observed."`
	Times CheckTimes `cmd:"" help:"Measure training steps of every engine here and of PyTorch, side by side."`
}

// CheckList lists the checks.
type CheckList struct{}

// Run lists them.
func (*CheckList) Run(c *Console) error {
	var rows [][]string
	for _, k := range linear.Checks() {
		rows = append(rows, []string{k.ID, claimsText(k.Claims, c.width()/4, false), k.Gate})
	}
	for _, k := range check.Checks() {
		rows = append(rows, []string{k.ID, claimsText(k.Claims, c.width()/4, false), k.Gate})
	}
	for _, t := range slices.Concat(check.Groups(check.GPU), check.Groups(check.Images)) {
		for _, k := range check.Of(t) {
			rows = append(rows, []string{k.ID + "\n" + string(t), claimsText(k.Claims, c.width()/4, true), k.Gate})
		}
	}
	held, err := heldIn(golden.Committed())
	if err != nil {
		return err
	}
	return c.write(func(w io.Writer) error {
		_, err := io.WriteString(w, c.renderTable([]string{"check", "claims", "gate"}, rows, 2)+"\n"+c.quotedTable(held))
		return err
	})
}

// wrapWords breaks a text between words at width characters.
func wrapWords(s string, width int) string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(s) {
		switch {
		case line == "":
			line = w
		case len([]rune(line))+1+len([]rune(w)) <= width:
			line += " " + w
		default:
			lines, line = append(lines, line), w
		}
	}
	return strings.Join(append(lines, line), "\n")
}

// CheckRun runs checks.
type CheckRun struct {
	IDs       []string `arg:"" optional:"" name:"id" help:"Checks to run; all of them if none is named."`
	Tier      string   `default:"mini" enum:"mini,full,gpu,images,gpu-mini" help:"Networks: mini (minutes) or full (an hour) on the digits; gpu on colour images, and its miniature gpu-mini on the digits."`
	Group     string   `default:"" enum:",G-A,G-B,G-C" help:"Group of tier gpu or gpu-mini. Default: all of them."`
	Data      string   `placeholder:"SPEC" help:"Images of tier gpu: cifar10:PATH, or folder:PATH (train/CLASS/*.jpg …, also in a tar.gz)."`
	Backend   string   `placeholder:"KIND" help:"cpu, cpu-gomlx, xla-cpu, gpu or gpu-tf32, for the networks of T2 and T3. Default: gpu for tier gpu, cpu for others."`
	Kernels   `embed:""`
	Epochs    int    `default:"0" help:"Length of the runs of G-A and G-B; 0 is the group's own. Decay and average follow it."`
	Precision string `default:"" enum:",float32,bfloat16" help:"Arithmetic of G-A and G-B: float32 or bfloat16. Default: float32."`
	Seeds     string `placeholder:"N,N,…" help:"Seeds. Default: 1,2 for mini, 0 to 4 for full, 1 to 5 for gpu and gpu-mini. In tier mini the linear checks take the first alone."`
	Workers   int    `default:"0" help:"Runs at a time; 0 is one per processor, and one on a GPU. Changes no result."`
	JSON      bool   `name:"json" help:"Write the results as JSON."`
	Out       string `placeholder:"DIR" help:"Folder for trainingcheck.json, the same JSON, and for the runs of tier gpu: a later call goes on from them."`
}

// Help describes what the flags cannot.
func (*CheckRun) Help() string {
	return `T1 trains linear networks on Gaussian data and holds them against closed formulas; T2 trains networks on the embedded
digits; T3, of tier gpu, convolutional ones on images such as CIFAR-10: G-A a small one, with ablations, G-B the recipe of the paper's code on
ResNet-18, G-C plain SGD. A check whose gate holds is "observed", one whose gate does not is "not observed" and the exit code 1. What is
observed on the digits is about these networks: numbers of the paper on other data are quoted, not run, and listed apart.

With --out the runs of tier gpu are kept, also unfinished after Ctrl-C, and the same command goes on from there.`
}

// The words for what a check says.
const (
	Observed    = "observed"
	NotObserved = "not observed"
)

// checkFile is the file that --out gets.
const checkFile = "trainingcheck.json"

// Report is the result of trainingcheck run as JSON.
type Report struct {
	Tier    string      `json:"tier"`
	Results []Checked   `json:"results"`
	Quoted  []Quotation `json:"quoted_not_run"`
	Held    []Held      `json:"quoted_and_run,omitempty"`
	Seconds float64     `json:"seconds"`
}

// Checked is a result with its word. Claims are those of the theory; what the paper reports of its own experiments is
// under Resembles, for a small network on digits says nothing about those numbers.
type Checked struct {
	Verdict   string   `json:"verdict"` // Observed or NotObserved
	Resembles []string `json:"resembles,omitempty"`
	linear.Result
}

func checked(x linear.Result) Checked {
	out := Checked{Verdict: word(x.Pass), Result: x}
	out.Claims, out.Resembles = split(x.Claims)
	if out.Claims == nil {
		out.Claims = []string{}
	}
	return out
}

// split separates claims of the theory from those that are quoted.
func split(ids []string) (theory, quoted []string) {
	for _, id := range ids {
		if slices.ContainsFunc(quotations, func(q Quotation) bool { return q.ID == id }) {
			quoted = append(quoted, id)
		} else {
			theory = append(theory, id)
		}
	}
	return theory, quoted
}

// claimsText shows the claims of a check, the quoted ones as what it is compared with unless it bears on them.
func claimsText(ids []string, width int, bears bool) string {
	theory, quoted := split(ids)
	if bears {
		return wrapWords(strings.Join(slices.Concat(theory, quoted), " "), width)
	}
	text := strings.Join(theory, " ")
	for _, id := range quoted {
		text += " (cf. " + id + ")"
	}
	return wrapWords(text, width)
}

func word(pass bool) string {
	if pass {
		return Observed
	}
	return NotObserved
}

// Run runs them.
func (k *CheckRun) Run(c *Console) error {
	seeds, err := parseSeeds(k.Seeds)
	if err != nil {
		return err
	}
	if k.Workers < 0 {
		return badInputf("--workers=%d is negative", k.Workers)
	}
	if err := k.choose(k.Backend); err != nil {
		return err
	}
	plan, err := k.plan(seeds)
	if err != nil {
		return badInput(err)
	}
	if k.Out != "" {
		if err := writable(k.Out); err != nil {
			return badInput(err)
		}
	}
	if k.Out != "" {
		if err := plan.keep(k.Out); err != nil {
			return badInput(err)
		}
	}
	bar := newProgress(c)
	r, err := plan.run(c.Context, func(done, total float64, text string) { bar.show(done, total, text) })
	bar.clear()
	cut := errors.Is(err, context.Canceled)
	var unavailable *engine.UnavailableError
	var unsupported *method.UnsupportedError
	switch {
	case errors.As(err, &unavailable), errors.As(err, &unsupported):
		return badInput(err)
	case err != nil && !cut:
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	text = append(text, '\n')
	if k.Out != "" && !cut {
		if err := os.MkdirAll(k.Out, 0o777); err != nil {
			return badInput(err)
		}
		if err := writeFile(filepath.Join(k.Out, checkFile), text); err != nil {
			return badInput(err)
		}
	}
	if err := c.write(func(w io.Writer) error {
		if k.JSON {
			_, err := w.Write(text)
			return err
		}
		return r.write(c, w, len(k.IDs) == 0)
	}); err != nil {
		return err
	}
	if cut {
		return interrupted("%d of %d checks are finished", len(r.Results), plan.checks())
	}
	if slices.ContainsFunc(r.Results, func(x Checked) bool { return !x.Pass }) {
		return &ExitError{Code: Difference}
	}
	return nil
}

// parseSeeds reads numbers separated by commas.
func parseSeeds(text string) ([]uint64, error) {
	if text == "" {
		return nil, nil
	}
	var seeds []uint64
	for part := range strings.SplitSeq(text, ",") {
		s, err := strconv.ParseUint(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return nil, badInputf("--seeds=%s: %q is no seed (a whole number from 0)", text, part)
		}
		if slices.Contains(seeds, s) {
			return nil, badInputf("--seeds=%s: %d occurs twice", text, s)
		}
		seeds = append(seeds, s)
	}
	return seeds, nil
}

// writable reports whether a folder can be written to or made, without making it.
func writable(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && !info.IsDir():
		return fmt.Errorf("training: %s is not a folder", dir)
	case err == nil:
		f, err := os.CreateTemp(dir, ".probe-*")
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		f.Close()
		return os.Remove(f.Name())
	case os.IsNotExist(err):
		parent := filepath.Dir(filepath.Clean(dir))
		if parent == dir {
			return fmt.Errorf("training: %w", err)
		}
		return writable(parent)
	default:
		return fmt.Errorf("training: %w", err)
	}
}

// plan is a set of checks to run.
type plan struct {
	tier   string
	linear []linear.Check
	groups []*group
	// seeds of the linear checks, and of the networks (nil: the tier's own).
	linearSeeds, seeds []uint64
	workers            int
	bears              bool // on the paper's own claims: the networks train on images such as the paper's
	source             string
}

// group is the part of a plan that shares its runs.
type group struct {
	setting *check.Setting
	lab     *check.Lab
	checks  []check.Check
}

// plan makes the plan of a command.
func (k *CheckRun) plan(seeds []uint64) (*plan, error) {
	grouped := check.Colour(k.Tier) || k.Tier == check.GPUMini
	switch {
	case !grouped && (k.Group != "" || k.Epochs != 0 || k.Precision != ""):
		return nil, fmt.Errorf("training: --group, --epochs and --precision are for --tier=gpu and gpu-mini")
	case k.Epochs < 0:
		return nil, fmt.Errorf("training: --epochs=%d is negative", k.Epochs)
	case check.Colour(k.Tier) && k.Data == "":
		return nil, fmt.Errorf("training: --tier=%s needs --data: cifar10:PATH, or folder:PATH with train/CLASS/*.jpg and test/CLASS/*.jpg, a folder or a tar.gz", k.Tier)
	case !check.Colour(k.Tier) && k.Data != "":
		return nil, fmt.Errorf("training: --data is for --tier=gpu and images; tier %s trains on the embedded digits", k.Tier)
	}
	tiers := []check.Tier{check.Tier(k.Tier)}
	backend := k.Backend
	if grouped {
		tiers = check.Groups(k.Tier)
		if k.Group != "" {
			tiers = slices.DeleteFunc(tiers, func(t check.Tier) bool { return t.Group() != k.Group })
		}
	}
	if backend == "" {
		backend = engine.CPU
		if k.Tier == check.GPU {
			backend = engine.GPU
		}
		if k.Tier == check.Images {
			backend = engine.XLACPU
		}
	}
	return newPlan(tiers, k.Data, backend, check.Options{Epochs: k.Epochs, Precision: method.Precision(k.Precision)}, k.IDs, seeds, k.Workers)
}

// newPlan plans the checks of tiers of one size; spec "" is the digits.
func newPlan(tiers []check.Tier, spec, backend string, o check.Options, ids []string, seeds []uint64, workers int) (*plan, error) {
	size := tiers[0].Size()
	p := &plan{tier: size, seeds: seeds, workers: workers, bears: check.Colour(size), source: "this run on " + backend}
	if spec == "" {
		spec = "digits"
	}
	var known []string
	wanted := func(id string) bool { known = append(known, id); return len(ids) == 0 || slices.Contains(ids, id) }
	if tiers[0].Group() == "" {
		for _, k := range linear.Checks() {
			if wanted(k.ID) {
				p.linear = append(p.linear, k)
			}
		}
	}
	for _, t := range tiers {
		g := &group{}
		for _, k := range check.Of(t) {
			if wanted(k.ID) {
				g.checks = append(g.checks, k)
			}
		}
		p.groups = append(p.groups, g)
	}
	for _, id := range ids {
		if slices.ContainsFunc(quotations, func(q Quotation) bool { return q.ID == id }) {
			return nil, fmt.Errorf("training: %s is quoted from the paper and cannot be run", id)
		}
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("training: there is no check %q; there are %s", id, strings.Join(known, ", "))
		}
	}
	if check.Colour(size) { // before the images are read: without the engine nothing will be run
		e, err := engine.Open(backend)
		if err != nil {
			return nil, err
		}
		e.Close()
	}
	d, err := data.Open(spec)
	if err != nil {
		return nil, err
	}
	if workers == 0 {
		p.workers = runtime.GOMAXPROCS(0)
		if engine.Alone(backend) {
			p.workers = 1
		}
	}
	for i, t := range tiers {
		g := p.groups[i]
		if g.setting, err = t.On(d, o); err != nil {
			return nil, err
		}
		if p.seeds == nil {
			p.seeds = g.setting.Seeds
		}
		g.lab = check.NewLabIn(g.setting, backend, p.seeds, p.workers)
	}
	p.linearSeeds = p.seeds
	if size == string(check.Mini) {
		p.linearSeeds = p.seeds[:1]
	}
	return p, nil
}

// keep keeps the runs of the groups of a GPU in a folder.
func (p *plan) keep(dir string) error {
	for _, g := range p.groups {
		if g.setting.Tier.Group() == "" {
			continue
		}
		var err error
		if g.lab.Make, err = recorder.Keeper(dir, g.setting); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) checks() int {
	n := len(p.linear)
	for _, g := range p.groups {
		n += len(g.checks)
	}
	return n
}

// linearSteps is the time of a linear check relative to a step of a network of tier mini: about that of 500 on the
// machine where both were timed. It only moves the progress bar.
const linearSteps = 500

// run makes them; after a cancellation the report has those that were finished.
func (p *plan) run(ctx context.Context, show func(done, total float64, text string)) (*Report, error) {
	r := &Report{Tier: p.tier, Results: []Checked{}}
	total := float64(linearSteps * len(p.linear) * len(p.linearSeeds))
	for _, g := range p.groups {
		counted := map[check.Arm]bool{}
		for _, k := range g.checks {
			for _, a := range k.Arms {
				if counted[a] {
					continue
				}
				counted[a] = true
				n, err := g.lab.Steps(a)
				if err != nil {
					return r, err
				}
				total += float64(n * len(p.seeds))
			}
		}
	}
	defer func() { r.Quoted = unheld(r.Held) }()
	done := 0.
	add := func(x linear.Result) {
		r.Results = append(r.Results, checked(x))
		r.Seconds += x.Seconds
	}
	for _, k := range p.linear {
		share := float64(linearSteps * len(p.linearSeeds))
		show(done, total, k.ID)
		x, err := k.Run(ctx, linear.Options{Seeds: p.linearSeeds, Workers: p.workers, Progress: func(n, of int) {
			show(done+share*float64(n)/float64(of), total, k.ID)
		}})
		if err != nil {
			return r, err
		}
		done += share
		add(x)
	}
	for _, g := range p.groups {
		for _, k := range g.checks {
			steps := 0
			g.lab.Progress = func(n, _ int, run string) {
				steps = n
				show(done+float64(n), total, k.ID+": "+run)
			}
			x, err := g.lab.Check(ctx, k, "")
			if err != nil {
				return r, err
			}
			done += float64(steps)
			add(x)
			if p.bears {
				r.Held = append(r.Held, held(k, x, p.source)...)
			}
		}
	}
	return r, nil
}

// seeds is the number of seeds of the networks.
func (r *Report) seeds() int {
	for _, x := range r.Results {
		if strings.HasPrefix(x.ID, "T2.") {
			return len(x.Seeds)
		}
	}
	return 0
}

// write is the report for people; with all it ends with what is quoted.
func (r *Report) write(c *Console, w io.Writer, all bool) error {
	var rows [][]string
	observed := 0
	for _, x := range r.Results {
		if x.Pass {
			observed++
		}
		rows = append(rows, []string{x.ID, claimsText(slices.Concat(x.Claims, x.Resembles), c.width()/5, len(r.Held) > 0),
			x.Gate + "\n→ " + measured(x.Measurements), x.Verdict, fmt.Sprintf("%.1f", x.Seconds)})
	}
	text := c.renderTable([]string{"check", "claims", "gate → measured", "verdict", "s"}, rows, 2)
	text += fmt.Sprintf("\ntier %s: %d of %d checks observed in %.0f s (runs are shared: the first check that needs one pays for it)\n", r.Tier, observed, len(r.Results), r.Seconds)
	if n := r.seeds(); n > 0 && r.Tier == string(check.Mini) {
		text += fmt.Sprintf("a statistical quantity of T2 may miss its gate on %d of %d seeds; of sound runs more do with probability %.1g a quantity, at most\n", check.Allowed(n), n, check.FalseAlarm(n))
	}
	if all {
		text += "\n" + c.quotedTable(r.Held)
	}
	_, err := io.WriteString(w, text)
	return err
}

// measured shows the quantities of a check: all that fail, or the one nearest its limit and the number of the
// others.
func measured(ms []linear.Measurement) string {
	var failed []string
	gated := 0
	nearest, margin := "", math.Inf(1)
	for _, m := range ms {
		line := fmt.Sprintf("%s %.4g %s", m.Name, float64(m.Measured), limits(m))
		switch {
		case !m.Pass:
			failed = append(failed, line)
		case !m.Gated():
		default:
			gated++
			if d := slack(m); d < margin || nearest == "" {
				nearest, margin = line, d
			}
		}
	}
	if failed != nil {
		return strings.Join(failed, "; ")
	}
	if gated > 1 {
		nearest += fmt.Sprintf(" (tightest of %d)", gated)
	}
	return nearest
}

func limits(m linear.Measurement) string {
	low, high := float64(m.Low), float64(m.High)
	switch {
	case !m.Gated():
		return ""
	case low == high:
		return fmt.Sprintf("= %.4g", low)
	case math.IsInf(low, -1):
		return fmt.Sprintf("≤ %.4g", high)
	case math.IsInf(high, 1):
		return fmt.Sprintf("≥ %.4g", low)
	}
	return fmt.Sprintf("in [%.4g, %.4g]", low, high)
}

// slack is the distance of a measurement from its nearer limit, as a part of the limit or of the interval.
func slack(m linear.Measurement) float64 {
	x, low, high := float64(m.Measured), float64(m.Low), float64(m.High)
	width := high - low
	switch {
	case low == high:
		return math.Inf(1)
	case math.IsInf(low, -1):
		width = math.Abs(high)
	case math.IsInf(high, 1):
		width = math.Abs(low)
	}
	if width == 0 {
		width = 1
	}
	return min(x-low, high-x) / width
}
