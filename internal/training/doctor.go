package training

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
)

// Doctor says what this machine offers.
type Doctor struct {
	Data   []string `placeholder:"SPEC" help:"Data sets to look at besides the digits, such as cifar10:PATH. May be repeated."`
	Engine string   `placeholder:"KIND" help:"Look at this engine alone, in this process: cpu, cpu-gomlx, xla-cpu, gpu or gpu-tf32."`
}

// Help describes what the flags cannot.
func (*Doctor) Help() string {
	return "One line each: the Go build, the engines, the NVIDIA driver, the data, and the optional programs that serve as oracles. An engine with a plugin is opened in a process of its own, which the plugin may end.\n\nData:\n\n" + indented(data.SpecHelp)
}

// finding is one line.
type finding struct {
	name  string
	there bool
	text  string
}

// Run looks.
func (d *Doctor) Run(c *Console) error {
	if d.Engine != "" {
		if !slices.Contains(engine.Kinds, d.Engine) {
			return badInputf("--engine: %q is unknown; there are %s", d.Engine, strings.Join(engine.Kinds, ", "))
		}
		s := engine.ProbeOne(d.Engine)
		return c.print([]finding{{s.Name, s.Available, s.Detail}})
	}
	found := []finding{build()}
	for _, s := range engine.Probe(func(kind string) engine.Status { return probeApart(c.Context, kind) }) {
		found = append(found, finding{s.Name, s.Available, s.Detail})
	}
	for _, spec := range append([]string{"digits"}, d.Data...) {
		found = append(found, dataset(spec))
	}
	found = append(found, autodiff())
	for _, t := range tools {
		if c.Context.Err() != nil {
			return interrupted("not all was looked at")
		}
		found = append(found, t.look(c.Context))
	}
	return c.print(found)
}

// Words of a line.
const (
	wordThere   = "ok"
	wordMissing = "missing"
)

// print writes a line for each finding.
func (c *Console) print(found []finding) error {
	return c.write(func(w io.Writer) error {
		var b strings.Builder
		for _, f := range found {
			word := wordMissing
			if f.there {
				word = wordThere
			}
			fmt.Fprintf(&b, "%-14s %-8s %s\n", f.name, word, strings.ReplaceAll(f.text, "\n", " "))
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// probeTimeout bounds the look at one engine. A GPU's client starts in seconds; two minutes allow for a cold disk.
const probeTimeout = 2 * time.Minute

// probeApart looks at an engine with this program in a process of its own, which the engine's plugin may end.
func probeApart(ctx context.Context, kind string) engine.Status {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	failed := func(err error) engine.Status {
		return engine.Status{Name: kind, Detail: engine.CrashedError(kind, err).Error()}
	}
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	cmd := exec.CommandContext(ctx, self, "doctor", "--engine", kind)
	cmd.Args[0] = os.Args[0] // some programs go by their name
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return failed(fmt.Errorf("no answer: %w", ctx.Err()))
	case err != nil:
		return failed(err)
	}
	name, line, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	word, detail, _ := strings.Cut(strings.TrimSpace(line), " ")
	if name != kind || word != wordThere && word != wordMissing {
		return failed(fmt.Errorf("the answer %q", out))
	}
	return engine.Status{Name: name, Available: word == wordThere, Detail: strings.TrimSpace(detail)}
}

// build describes the program.
func build() finding {
	settings := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	text := fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if v := settings["GOAMD64"]; v != "" {
		text += " " + v
	}
	if strings.Contains(settings["GOEXPERIMENT"], "simd") {
		text += ", GOEXPERIMENT=simd"
	} else {
		text += ", without GOEXPERIMENT=simd"
	}
	text += fmt.Sprintf(", %d processors", runtime.NumCPU())
	if tags := settings["-tags"]; tags != "" {
		text += ", tags " + tags
	}
	return finding{"go", true, text}
}

// dataset opens a data set.
func dataset(spec string) finding {
	kind, _, _ := strings.Cut(spec, ":")
	d, err := data.Open(spec)
	switch {
	case err != nil:
		return finding{kind, false, err.Error()}
	case d.Gaussian != nil:
		return finding{kind, true, fmt.Sprintf("drawn, %d dimensions", d.Gaussian.Dim())}
	}
	return finding{kind, true, fmt.Sprintf("%d training and %d test images of %d×%d×%d in %d classes", d.Train.Len(), d.Test.Len(), d.Train.H, d.Train.W, d.Train.C, len(d.Train.Classes))}
}

// autodiff tells of the second implementation that is built into the tests.
func autodiff() finding {
	return finding{"gorgonia", true, "v0.9.18, in tests alone: gradients and steps of linear networks and MLPs a second time (go test ./trainingcheck/oracle)"}
}

// tool is an optional program.
type tool struct {
	name    string
	command []string
	purpose string
}

var tools = []tool{
	{"python3", []string{"python3", "--version"}, "finds the plugins of xla-cpu and gpu"},
	{"scipy", []string{"python3", "-c", "import scipy; print('scipy', scipy.__version__)"}, "second implementation in optional tests"},
	{"z3", []string{"z3", "--version"}, "second decision procedure in optional tests"},
	{"cvc5", []string{"cvc5", "--version"}, "second decision procedure in optional tests"},
}

// toolTimeout allows for a cold start of an interpreter from a slow disk.
const toolTimeout = 20 * time.Second

// look asks the program for its version.
func (t tool) look(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, t.command[0], t.command[1:]...).CombinedOutput()
	if err != nil {
		return finding{t.name, false, "optional: " + t.purpose}
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	return finding{t.name, true, string(line) + "; " + t.purpose}
}
