package training

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
)

// Doctor says what this machine offers.
type Doctor struct {
	Data []string `placeholder:"SPEC" help:"Data sets to look at besides the digits, such as cifar10:PATH. May be repeated."`
}

// Help describes what the flags cannot.
func (*Doctor) Help() string {
	return "One line each: the Go build, the engines and what a GPU needs, the data, and the optional programs that serve as oracles.\n\nData:\n\n" + indented(data.SpecHelp)
}

// finding is one line.
type finding struct {
	name  string
	there bool
	text  string
}

// Run looks.
func (d *Doctor) Run(c *Console) error {
	found := []finding{build()}
	for _, s := range engine.Probe() {
		found = append(found, finding{s.Name, s.Available, s.Detail})
	}
	for _, spec := range append([]string{"digits"}, d.Data...) {
		found = append(found, dataset(spec))
	}
	for _, t := range tools {
		if c.Context.Err() != nil {
			return interrupted("not all was looked at")
		}
		found = append(found, t.look(c.Context))
	}
	var rows [][]string
	for _, f := range found {
		rows = append(rows, []string{f.name, map[bool]string{true: "ok", false: "missing"}[f.there], strings.ReplaceAll(f.text, "\n", " ")})
	}
	return c.write(func(w io.Writer) error {
		var b strings.Builder
		for _, r := range rows {
			fmt.Fprintf(&b, "%-14s %-8s %s\n", r[0], r[1], r[2])
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
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

// tool is an optional program.
type tool struct {
	name    string
	command []string
	purpose string
}

var tools = []tool{
	{"python3", []string{"python3", "--version"}, "finds the CUDA plugin"},
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
