package training

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/oracle/torch"
	"stopgrad/trainingcheck/parity"
)

// CheckTimes measures training steps.
type CheckTimes struct {
	Programs []string `placeholder:"NAME,…" help:"Programs to measure: kinds of engine, pytorch-eager and pytorch-compile. Default: all that are here and run on the processor."`
	Networks []string `placeholder:"NAME,…" help:"Networks: digits, smallconv or resnet18. Default: all."`
	Threads  []int    `default:"1,2" help:"Numbers of processors to bind the programs to; 0 does not bind them."`
	Rounds   int      `default:"0" help:"Measured steps of each; 0 is the network's own number."`
	Batch    int      `default:"0" help:"Examples a step; 0 is the network's own number."`
	Device   string   `default:"cpu" help:"Device of PyTorch: cpu or cuda."`
	JSON     bool     `name:"json" help:"Write the measurements as JSON lines."`
	Serve    string   `hidden:"" help:"Be the entrant of this engine."`
}

// Help describes what the flags cannot.
func (*CheckTimes) Help() string {
	return `Times of one training step in float32, from the views in the host's memory to the loss: medians in milliseconds, and the ratio
to PyTorch's eager step. In every round each program makes one step while the others wait, so that what else the machine
does falls on all alike; only ratios mean something. PyTorch is that of python3, or of $TORCH_PYTHON.

On a machine with a GPU: --programs=gpu,pytorch-eager,pytorch-compile --device=cuda --threads=0 --networks=resnet18 --batch=128`
}

// The programs besides the engines.
const (
	pytorchEager   = "pytorch-eager"
	pytorchCompile = "pytorch-compile"
)

// TimesRow is one measurement.
type TimesRow struct {
	Network string `json:"network"`
	Batch   int    `json:"batch"`
	Threads int    `json:"threads"` // 0: not bound
	parity.Measured
}

// Run measures.
func (x *CheckTimes) Run(c *Console) error {
	contests, err := x.contests()
	if err != nil {
		return err
	}
	if x.Serve != "" {
		e, err := engine.Open(x.Serve)
		if err != nil {
			return badInput(err)
		}
		defer e.Close()
		return parity.Serve(e, contests[0].Config, 1, os.Stdin, c.Stdout)
	}
	programs, err := x.programs(c)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stopgrad-times-")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	defer os.RemoveAll(dir)
	var rows []TimesRow
	bar := newProgress(c)
	defer bar.clear()
	done, total := 0, len(contests)*len(x.Threads)*len(programs)
	for _, k := range contests {
		for _, threads := range x.Threads {
			entrants, err := x.entrants(c, dir, k, threads, programs)
			if err != nil {
				return err
			}
			rounds := k.Rounds
			if x.Rounds > 0 {
				rounds = x.Rounds
			}
			measured, err := parity.Together(c.Context, entrants, rounds, func(m parity.Measured) {
				done++
				bar.show(float64(done), float64(total), fmt.Sprintf("%s, %d threads: %s is ready", k.Name, threads, m.Program))
			})
			if c.Context.Err() != nil {
				return interrupted("%d measurements were made", len(rows))
			}
			if err != nil {
				return badInput(err)
			}
			for _, m := range measured {
				rows = append(rows, TimesRow{k.Name, k.Config.Batch, threads, m})
			}
		}
	}
	bar.clear()
	return c.write(func(w io.Writer) error {
		if x.JSON {
			for _, r := range rows {
				if err := json.NewEncoder(w).Encode(r); err != nil {
					return err
				}
			}
			return nil
		}
		_, err := io.WriteString(w, timesTable(programs, rows))
		return err
	})
}

// contests are those asked for, with the batch asked for.
func (x *CheckTimes) contests() ([]parity.Contest, error) {
	switch {
	case x.Rounds < 0 || x.Batch < 0:
		return nil, badInputf("--rounds=%d, --batch=%d: want 0 or more", x.Rounds, x.Batch)
	case x.Device != "cpu" && x.Device != "cuda":
		return nil, badInputf("--device=%q: want cpu or cuda", x.Device)
	case slices.ContainsFunc(x.Threads, func(n int) bool { return n < 0 }):
		return nil, badInputf("--threads: want numbers from 0")
	}
	var all []parity.Contest
	var known []string
	for _, k := range parity.Contests() {
		known = append(known, k.Name)
		if len(x.Networks) > 0 && !slices.Contains(x.Networks, k.Name) {
			continue
		}
		if x.Batch > 0 {
			k.Config.Batch = x.Batch
		}
		if err := k.Config.Validate(); err != nil {
			return nil, badInput(err)
		}
		all = append(all, k)
	}
	for _, n := range x.Networks {
		if !slices.Contains(known, n) {
			return nil, badInputf("--networks: %q is unknown; there are %s", n, strings.Join(known, ", "))
		}
	}
	return all, nil
}

// programs are those asked for, or those that are here; what is missing is said on standard error.
func (x *CheckTimes) programs(c *Console) ([]string, error) {
	known := append(slices.Clone(engine.Kinds), pytorchEager, pytorchCompile)
	for _, p := range x.Programs {
		if !slices.Contains(known, p) {
			return nil, badInputf("--programs: %q is unknown; there are %s", p, strings.Join(known, ", "))
		}
	}
	var here []string
	for _, p := range known {
		asked := slices.Contains(x.Programs, p)
		if len(x.Programs) > 0 && !asked || len(x.Programs) == 0 && strings.HasPrefix(p, engine.GPU) {
			continue
		}
		missing := ""
		if strings.HasPrefix(p, "pytorch") {
			if _, _, err := torch.Python(c.Context); err != nil {
				missing = err.Error()
			}
		} else if s := engine.ProbeOne(p); !s.Available {
			missing = s.Detail
		}
		switch {
		case missing == "":
			here = append(here, p)
		case asked:
			return nil, badInputf("%s", missing)
		default:
			fmt.Fprintln(c.Stderr, "not measured: "+missing)
		}
	}
	return here, nil
}

// entrants are the programs, bound to a number of processors.
func (x *CheckTimes) entrants(c *Console, dir string, k parity.Contest, threads int, programs []string) ([]parity.Entrant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	bind, err := bound(threads)
	if err != nil {
		return nil, err
	}
	var all []parity.Entrant
	for _, p := range programs {
		if !strings.HasPrefix(p, "pytorch") {
			command := append(slices.Clone(bind), self, "trainingcheck", "times", "--serve", p, "--networks", k.Name, "--batch", strconv.Itoa(k.Config.Batch))
			all = append(all, parity.Entrant{Program: p, Command: command})
			continue
		}
		python, _, err := torch.Python(c.Context)
		if err != nil {
			return nil, badInput(err)
		}
		script, err := torchJob(dir, k.Config)
		if err != nil {
			return nil, err
		}
		command := append(slices.Clone(bind), python, script, filepath.Join(dir, "job.json"), "--device", x.Device, "--threads", strconv.Itoa(threads))
		if p == pytorchCompile {
			command = append(command, "--compiled")
		}
		all = append(all, parity.Entrant{Program: p, Command: command})
	}
	return all, nil
}

// torchJob writes the first batch of a configuration for PyTorch to a folder.
func torchJob(dir string, c method.Config) (script string, err error) {
	job := torch.Job{Name: "job", Config: c, Weights: c.Initial(1), Views: []method.Batch{parity.Views(c, 1).Batch(0)}}
	if err := job.Write(dir); err != nil {
		return "", err
	}
	_, script, err = torch.Scripts(dir)
	return script, err
}

// bound is the command that binds another to the first n processors that this process may use; none for 0.
func bound(n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return nil, badInputf("--threads=%d needs taskset (util-linux) to bind a program to processors; --threads=0 does not bind", n)
	}
	allowed := allowedProcessors()
	if len(allowed) < n {
		return nil, badInputf("--threads=%d: this process may use %d processors", n, len(allowed))
	}
	return []string{"taskset", "--cpu-list", strings.Join(allowed[:n], ",")}, nil
}

// allowedProcessors are the numbers of the processors that this process may use, as Linux lists them.
func allowedProcessors() (all []string) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		list, ok := strings.CutPrefix(line, "Cpus_allowed_list:")
		if !ok {
			continue
		}
		for _, part := range strings.Split(strings.TrimSpace(list), ",") {
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			first, err1 := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			if err1 != nil || err2 != nil {
				return nil
			}
			for i := first; i <= last; i++ {
				all = append(all, strconv.Itoa(i))
			}
		}
	}
	return all
}

// timesTable is a row for each network and number of threads, a column for each program: the median, and in brackets its
// ratio to PyTorch's eager step.
func timesTable(programs []string, rows []TimesRow) string {
	var b strings.Builder
	b.WriteString("| network, batch | threads | " + strings.Join(programs, " | ") + " |\n|" + strings.Repeat("---|", len(programs)+2) + "\n")
	var failed []string
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Network == rows[0].Network && rows[n].Threads == rows[0].Threads {
			n++
		}
		line := rows[:n]
		rows = rows[n:]
		base := 0.0
		if i := slices.IndexFunc(line, func(r TimesRow) bool { return r.Program == pytorchEager }); i >= 0 {
			base = line[i].MedianMS
		}
		threads := "all"
		if line[0].Threads > 0 {
			threads = strconv.Itoa(line[0].Threads)
		}
		fmt.Fprintf(&b, "| %s, %d | %s |", line[0].Network, line[0].Batch, threads)
		for _, r := range line {
			switch {
			case r.Failed != "":
				b.WriteString(" – |")
				failed = append(failed, fmt.Sprintf("%s, %s: %s", r.Network, r.Program, r.Failed))
			case base > 0 && r.Program != pytorchEager:
				fmt.Fprintf(&b, " %.3g (%.2f) |", r.MedianMS, r.MedianMS/base)
			default:
				fmt.Fprintf(&b, " %.3g |", r.MedianMS)
			}
		}
		b.WriteString("\n")
	}
	for _, f := range failed {
		b.WriteString(f + "\n")
	}
	return b.String()
}
