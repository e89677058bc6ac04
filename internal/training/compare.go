package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"stopgrad/golden"
)

// Compare is the command that compares two runs of train.
type Compare struct {
	A string `arg:"" name:"run" help:"Folder of a run of train, or of several seeds."`
	B string `arg:"" name:"other" help:"Folder of another."`
}

// Help describes what the flags cannot.
func (*Compare) Help() string {
	return `Shows in which numbers two recipes differ, and what the runs came to: mean and standard deviation over the seeds, and, over the
seeds that both have, the mean of the differences with its standard error. “differs” is said of at least five seeds whose
differences have one sign and a mean beyond two standard errors, the rule of recorded results; fewer seeds say nothing.`
}

// readRuns reads the summaries of a folder, of one run or of several seeds.
func readRuns(dir string) ([]*summary, error) {
	files := []string{filepath.Join(dir, summaryFile)}
	if _, err := os.Stat(files[0]); errors.Is(err, fs.ErrNotExist) {
		if files, err = filepath.Glob(filepath.Join(dir, seedFolder+"*", summaryFile)); err != nil {
			return nil, badInput(err)
		}
		if len(files) == 0 {
			return nil, badInputf("%s holds no finished run of train: there is neither %s nor %sN/%s in it", dir, summaryFile, seedFolder, summaryFile)
		}
	}
	var out []*summary
	for _, file := range files {
		text, err := readJSON(file)
		if err != nil {
			return nil, err
		}
		s := new(summary)
		if err := json.Unmarshal(text, s); err != nil {
			return nil, badInputf("%s: %v", file, err)
		}
		if err := s.check(); err != nil {
			return nil, badInputf("%s: %v", file, err)
		}
		if slices.ContainsFunc(out, func(other *summary) bool { return other.Seed == s.Seed }) {
			return nil, badInputf("%s: seed %d is there twice", file, s.Seed)
		}
		if len(out) > 0 && s.ConfigSHA256 != out[0].ConfigSHA256 {
			return nil, badInputf("%s is of another recipe than %s", file, files[0])
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *summary) int { return int(int64(a.Seed) - int64(b.Seed)) })
	return out, nil
}

// check refuses a summary that is none of a run of train.
func (s *summary) check() error {
	switch err := s.Config.Validate(); {
	case err != nil:
		return err
	case s.Config.Hash() != s.ConfigSHA256:
		return fmt.Errorf("field config_sha256: the configuration hashes to %.12s…, recorded is %.12s…", s.Config.Hash(), s.ConfigSHA256)
	case len(s.Measures) == 0:
		return errors.New("field measures: none")
	}
	return nil
}

// measure is a measure of runs by seed; runs without it are left out.
func measureOf(runs []*summary, name string) map[uint64]float64 {
	m := map[uint64]float64{}
	for _, s := range runs {
		if v, ok := s.Measures[name]; ok {
			m[s.Seed] = v
		}
	}
	return m
}

func values(m map[uint64]float64) []float64 {
	var v []float64
	for _, x := range m {
		v = append(v, x)
	}
	slices.Sort(v) // sums in one order
	return v
}

// spread shows mean ± deviation.
func spread(v []float64) string {
	switch len(v) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%.4g", v[0])
	}
	mean, sd := stat.MeanStdDev(v, nil)
	return fmt.Sprintf("%.4g ± %.2g", mean, sd)
}

// writeSeeds is the table of several seeds of one recipe.
func writeSeeds(c *Console, w io.Writer, all []*summary) error {
	header := []string{"measure"}
	for _, s := range all {
		header = append(header, fmt.Sprintf("seed %d", s.Seed))
	}
	header = append(header, "mean ± sd")
	var rows [][]string
	row := []string{"verdict"}
	for _, s := range all {
		row = append(row, wrapWords(string(s.Verdict), 10))
	}
	rows = append(rows, append(row, ""))
	for _, m := range meanings {
		of := measureOf(all, m.name)
		if len(of) == 0 {
			continue
		}
		row := []string{m.name}
		for _, s := range all {
			cell := ""
			if v, ok := of[s.Seed]; ok {
				cell = fmt.Sprintf("%.4g", v)
			}
			row = append(row, cell)
		}
		rows = append(rows, append(row, spread(values(of))))
	}
	s := all[0]
	text := fmt.Sprintf("%s on %s, %d seeds, %d steps\n\n%s\nbackend %s, ηt = %.4g, recipe %.12s\n", s.Method, s.Data, len(all), s.Config.Steps,
		c.renderTable(header, rows, len(header)-1), s.Backend, s.TotalDecay, s.ConfigSHA256)
	_, err := io.WriteString(w, text)
	return err
}

// Run compares.
func (k *Compare) Run(c *Console) error {
	a, err := readRuns(k.A)
	if err != nil {
		return err
	}
	b, err := readRuns(k.B)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, m := range meanings {
		x, y := measureOf(a, m.name), measureOf(b, m.name)
		if len(x)+len(y) == 0 {
			continue
		}
		var pairs []float64
		for _, s := range a {
			if v, ok := y[s.Seed]; ok {
				if u, ok := x[s.Seed]; ok {
					pairs = append(pairs, v-u)
				}
			}
		}
		rows = append(rows, append([]string{m.name, spread(values(x)), spread(values(y))}, paired(pairs)...))
	}
	verdicts := func(runs []*summary) string {
		count := map[string]int{}
		var order []string
		for _, s := range runs {
			if count[string(s.Verdict)] == 0 {
				order = append(order, string(s.Verdict))
			}
			count[string(s.Verdict)]++
		}
		for i, v := range order {
			order[i] = fmt.Sprintf("%d %s", count[v], v)
		}
		return strings.Join(order, ", ")
	}
	return c.write(func(w io.Writer) error {
		text := fmt.Sprintf("%s: %s on %s, %d steps: %s\n%s: %s on %s, %d steps: %s\n\n", k.A, a[0].Method, a[0].Data, a[0].Config.Steps, verdicts(a),
			k.B, b[0].Method, b[0].Data, b[0].Config.Steps, verdicts(b))
		text += c.renderTable([]string{"measure", k.A, k.B, "difference ± SE", ""}, rows, 4)
		text += "\n" + recipesDiffer(a[0], b[0])
		_, err := io.WriteString(w, text)
		return err
	})
}

// paired shows differences by seed and says what they say.
func paired(d []float64) []string {
	if len(d) == 0 {
		return []string{"", "no seed in common"}
	}
	p := golden.Paired(d, 0)
	neg := make([]float64, len(d))
	for i, v := range d {
		neg[i] = -v
	}
	text := fmt.Sprintf("%+.3g", p.Mean)
	if !math.IsNaN(p.SE) && len(d) > 1 {
		text += fmt.Sprintf(" ± %.2g", p.SE)
	}
	switch {
	case len(d) < golden.MinPairs:
		return []string{text, fmt.Sprintf("%d in common: too few to say", len(d))}
	case p.Pass || golden.Paired(neg, 0).Pass:
		return []string{text, "differs"}
	}
	return []string{text, "no difference seen"}
}

// recipesDiffer lists the numbers in which two recipes differ.
func recipesDiffer(a, b *summary) string {
	flat := func(s *summary) map[string]string {
		out := map[string]string{"data": s.Data, "backend": s.Backend}
		var tree map[string]any
		_ = json.Unmarshal(s.Config.Canonical(), &tree) // Canonical made it
		var walk func(path string, v any)
		walk = func(path string, v any) {
			if m, ok := v.(map[string]any); ok {
				for k, x := range m {
					walk(path+"."+k, x)
				}
				return
			}
			out[strings.TrimPrefix(path, ".")] = fmt.Sprint(v)
		}
		walk("", tree)
		return out
	}
	x, y := flat(a), flat(b)
	names := map[string]bool{}
	for _, m := range []map[string]string{x, y} {
		for k := range m {
			names[k] = true
		}
	}
	var lines []string
	for k := range names {
		if x[k] != y[k] {
			show := func(s string) string {
				if s == "" {
					return "none"
				}
				return s
			}
			lines = append(lines, fmt.Sprintf("%s: %s and %s\n", k, show(x[k]), show(y[k])))
		}
	}
	if len(lines) == 0 {
		return "one recipe\n"
	}
	slices.Sort(lines)
	return "the recipes differ in\n" + strings.Join(lines, "")
}
